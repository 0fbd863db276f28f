"""`etcdsize observe`: size running clusters from their members' metrics."""

from __future__ import annotations

import contextlib
import datetime
from argparse import Namespace
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etcdsize import units
from etcdsize.base.text import one_line, shown
from etcdsize.cli.argument_parser import Commands, add_command, file_name
from etcdsize.cli.arguments import (
    add_catalog,
    add_clients,
    add_columns,
    add_force,
    add_headroom,
    add_json,
    add_output,
    add_output_format,
    add_provider,
    add_tiers,
)
from etcdsize.cli.clock import dates_of_prices, now, report_old_prices, report_old_versions
from etcdsize.cli.load_arguments import add_model, model_of
from etcdsize.cli.progress import progress_bar
from etcdsize.cli.streams import (
    content,
    of_file,
    parts,
    reject_own_output,
    report,
    standard_output,
    title,
    write_answer,
    write_text,
)
from etcdsize.errors import OptionError, ScrapeError

if TYPE_CHECKING:
    from etcdsize.observation.model import Observation
    from etcdsize.observation.scrape import MemberStatus, Scrape
    from etcdsize.resources.calibrated_model import CalibratedModel

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "observe",
        run=run,
        summary="size a running cluster from its members' metrics",
        description="""\
Scrape the metrics of every member of a running cluster twice, and print its
load, tier, utilization and machine, with warnings. Name all members: each
counts only its own requests. etcd does not count clients: pass --clients, run
the command on the members' host, or accept an estimate. What is unknown stays
unknown, and a larger tier may then be needed. If a member does not answer, was
not named or has no leader, if the members belong to several clusters, or if no
machine is enough, the exit code is 1.

With --after, the metrics of every member are read from files, as curl saves
/metrics: one scrape of each member with --before, and a later one with --after,
or only the later one. Pages with the same member ID belong together. The files
of --after can include the output of etcdctl endpoint status -w json.

With --targets, observe many clusters, up to a hundred members at a time, and
print the summary that fleet prints. Whatever is wrong with one cluster does not
stop the others: it is the problem of its row.""",
        example="etcdsize observe 10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379\n"
        "etcdsize observe --before a0.txt b0.txt --after a1.txt b1.txt --seconds 60\n"
        "etcdsize observe --targets clusters.json -o observed.csv",
    )
    parser.add_argument(
        "urls",
        metavar="URL",
        nargs="*",
        help="client URLs of all members, e.g. http://10.0.0.1:2379, separated by spaces or commas",
    )
    how = parser.add_argument_group("how to scrape")
    how.add_argument(
        "--interval",
        metavar="TIME",
        type=units.parse_duration,
        help="time between the two scrapes, up to 1h; 0 scrapes once, which gives averages since each member started "
        "(default: 10s)",
    )
    how.add_argument(
        "--timeout",
        metavar="TIME",
        type=units.parse_duration,
        help="how long to wait for each answer of a member, up to 1h (default: 5s)",
    )
    add_clients(how, help="concurrent client connections, if you know them")
    how.add_argument(
        "--cacert", metavar="FILE", type=file_name, help="certificate of the CA that signed the members' certificates"
    )
    how.add_argument("--cert", metavar="FILE", type=file_name, help="client certificate, if the members require one")
    how.add_argument("--key", metavar="FILE", type=file_name, help="key of the client certificate")
    saved = parser.add_argument_group("saved scrapes")
    for when, what in (("before", "the first scrape of each member"), ("after", "the last scrape of each member")):
        saved.add_argument(
            f"--{when}",
            metavar="FILE",
            nargs="+",
            action="extend",
            type=file_name,
            help=f"files with {what}; - is standard input",
        )
    saved.add_argument(
        "--seconds",
        metavar="TIME",
        type=units.parse_duration,
        help="time between the two scrapes, e.g. 60 or 5m (default: unknown, and so are the rates)",
    )
    saved.add_argument(
        "--taken",
        metavar="TIME",
        type=_moment,
        help="when the scrape was taken, without --before, e.g. 2026-11-27T11:00:00Z; requests are then averages since "
        "each member started (default: unknown)",
    )
    answer = parser.add_argument_group("how to size")
    add_provider(answer)
    add_headroom(answer)
    add_tiers(answer)
    add_catalog(answer, otherwise=", or if a label current_machine names the machines that run now")
    add_model(answer)
    add_json(answer)
    many = parser.add_argument_group("many clusters")
    many.add_argument(
        "--targets",
        metavar="FILE",
        action="append",
        type=file_name,
        help="observe every cluster of this file, in the format of Prometheus file-based service discovery, JSON or "
        "YAML; can be repeated; - is standard input",
    )
    add_output(many, help="the file to write, one row per cluster; - is standard output (default: write no rows)")
    add_output_format(many, standard_output="csv")
    add_columns(many, names="as for fleet")
    add_force(many)


def run(options: Namespace) -> int:
    """Size one running cluster, or many."""
    from etcdsize.observation.tls import ClientTls
    from etcdsize.sizing.size import size

    how = {
        "provider": options.provider,
        "catalog": options.catalog,
        "tiers": options.tiers,
        "headroom": options.headroom,
    }
    # Reject options that cannot size any cluster before scraping the first member.
    size(requests_per_second=0, **how)
    model = model_of(options)
    saved = [name for name in _SAVED if getattr(options, name) is not None]
    if options.targets is None:
        for name in ("output", "output_format", "columns", "force"):
            if getattr(options, name):
                raise _not_with(name, "without", "targets", "; one cluster has no rows")
    if saved:
        return _size_one(_read_saved(options, saved[0], model), options, {**how, "model": model})
    files = {name: getattr(options, name) for name in ("cacert", "cert", "key")}
    scrape: dict[str, Any] = {
        "interval": 10 if options.interval is None else options.interval,
        "timeout": 5 if options.timeout is None else options.timeout,
        "tls": ClientTls(**files) if any(files.values()) else None,
    }
    if options.targets is not None:
        return _observe_many(options, {**how, "model": model}, scrape)
    from etcdsize.observation.observe import observe

    observation = observe(options.urls, clients=options.clients, model=model, **scrape)
    return _size_one(observation, options, {**how, "model": model})


# Clocks of machines differ by less (our choice).
_CLOCK_SECONDS = 3600
_SAVED = ("before", "after", "seconds", "taken")


def _not_with(option: str, how: str, other: str, why: str = "") -> OptionError:
    flag = f"--{option.replace('_', '-')}"
    return OptionError(f"{flag}: cannot be used {how} {other if other.isupper() else f'--{other}'}{why}", option=flag)


def _reject_repeated(option: str, names: list[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise OptionError(
                f"--{option}: got {shown(title(name))} {count} times, expected each file once",
                option=f"--{option}",
                value=name,
            )


def _moment(text: str) -> float:
    """Return a date and time with a zone as seconds since 1970."""
    try:
        moment = datetime.datetime.fromisoformat(text)
        seconds = moment.timestamp()
    except (ValueError, OverflowError):
        moment, seconds = None, -1.0
    if moment is None or moment.tzinfo is None or seconds < 0:
        raise OptionError(f"got {shown(text)}, expected a date and time with a zone, such as 2026-11-27T11:00:00Z")
    return seconds


def _reject_future(taken: float) -> None:
    """Reject a time of the scrape that is yet to come."""
    clock = now()
    if taken > clock.timestamp() + _CLOCK_SECONDS:
        text = datetime.datetime.fromtimestamp(taken, datetime.UTC).isoformat()
        raise OptionError(
            f"--taken: got {text}, expected a time in the past; it is now {clock.isoformat(timespec='seconds')}",
            option="--taken",
            value=taken,
        )


def _read_saved(options: Namespace, first: str, model: CalibratedModel | None) -> Observation:
    """Return what saved scrapes and endpoint statuses say of one cluster."""
    from etcdsize.observation.combine import combine_scrapes, seconds_between
    from etcdsize.observation.saved import pair_scrapes, read_saved

    if options.targets is not None:
        raise _not_with(first, "with", "targets", "; save the pages of one cluster")
    if options.urls:
        raise _not_with(first, "with", "URL", "; choose one of the two")
    for name in ("interval", "timeout", "cacert", "cert", "key"):
        if getattr(options, name) is not None:
            raise _not_with(name, "with", first, "; nothing is asked" if name != "interval" else "; give --seconds")
    if options.after is None:
        raise _not_with(first, "without", "after", "; pass a single scrape with --after alone")
    if options.seconds is not None and options.before is None:
        raise _not_with("seconds", "without", "before")
    if options.seconds is not None:
        seconds_between("--seconds", options.seconds)
    if options.taken is not None:
        if options.before is not None:
            raise _not_with("taken", "with", "before", "; give --seconds")
        _reject_future(options.taken)
    before = options.before or []
    _reject_repeated("after", [*before, *options.after])
    reject_own_output(*before, *options.after)
    scrapes: dict[str, dict[str, Scrape]] = {"before": {}, "after": {}}
    statuses: list[MemberStatus] = []
    for when, names in (("before", before), ("after", options.after)):
        for name in names:
            shown_name = one_line(title(name))
            found = read_saved(shown_name, parts(name), taken_unix_seconds=options.taken)
            if not isinstance(found, tuple):
                scrapes[when][shown_name] = found
            elif when == "before":
                raise ScrapeError(f"{shown_name}: got an endpoint status, expected metrics; give it with --after")
            else:
                statuses += found
    how = {"status": statuses, "clients": options.clients, "model": model}
    if options.before is None:
        return combine_scrapes(scrapes["after"], **how)
    pairs = pair_scrapes(scrapes["before"], scrapes["after"])
    return combine_scrapes(pairs.before, pairs.after, seconds=options.seconds, **how)


def _size_one(observation: Observation, options: Namespace, how: dict[str, Any]) -> int:
    """Size one cluster by what was observed, and write the answer."""
    from etcdsize.observation.answer import ObservedCluster
    from etcdsize.reports.observation import render_observation
    from etcdsize.reports.sizing import render_sizing
    from etcdsize.sizing.size import size

    sizing = None
    if observation.is_known:
        if observation.voting_members is not None:
            how["members"] = observation.voting_members
        version = observation.etcd_version or (how["model"] and how["model"].calibrated_on)
        if version is not None:
            how["etcd_version"] = version
        sizing = size(observation.profile, **how)
    if options.json:
        write_answer(ObservedCluster(observation=observation, sizing=sizing))
    else:
        write_text(render_observation(observation) + ("" if sizing is None else "\n" + render_sizing(sizing)))
    report_old_versions(*(member.version for member in observation.members if member.version is not None))
    if sizing is not None:
        report_old_prices(dates_of_prices(sizing))
    return 1 if observation.incomplete or sizing is None or sizing.lacks_machine else 0


def _observe_many(options: Namespace, how: dict[str, Any], scrape: dict[str, Any]) -> int:
    """Observe every cluster of a file, and write one row per cluster."""
    from etcdsize.base.output_file import is_standard_output
    from etcdsize.observation.fleet import observe_fleet
    from etcdsize.observation.targets import join_targets, read_targets
    from etcdsize.reports.fleet import render_fleet
    from etcdsize.reports.observation import render_observed_fleet

    if options.urls:
        raise OptionError("--targets: cannot be used with URL; choose one of the two", option="--targets")
    if options.clients is not None:
        raise OptionError(
            "--targets: cannot be used with --clients; set the label clients of each cluster instead",
            option="--targets",
        )
    provider = how.pop("provider")
    if provider is not None and len(provider) > 1:
        raise OptionError(
            f"--provider: got {len(provider)} providers, expected one with --targets", option="--provider"
        )
    files: list[str] = options.targets
    _reject_repeated("targets", files)
    reject_own_output(*files, output=options.output)
    secure = scrape["tls"] is not None
    if len(files) == 1:
        targets = of_file(files[0], partial(read_targets, content(files[0]), secure=secure))
    else:
        targets = join_targets({title(one): content(one) for one in files}, secure=secure)
    to_output = is_standard_output(options.output)
    name = title(files[0]) if len(files) == 1 else f"{len(files)} files"
    with (
        standard_output() if to_output else contextlib.nullcontext() as stream,
        progress_bar(len(targets), " clusters", name) as progress,
    ):
        observed = observe_fleet(
            targets,
            None if to_output or options.output is None else Path(options.output),
            stream,
            source=Path(files[0]),
            provider=None if provider is None else provider[0],
            format=options.output_format,
            columns=options.columns,
            force=options.force,
            progress=progress,
            **how,
            **scrape,
        )
    if options.json:
        write_answer(observed, aside=to_output)
    else:
        write_text(render_observed_fleet(observed) + "\n" + render_fleet(observed.fleet), aside=to_output)
    if not to_output:
        for mixed in observed.several_clusters:
            report(f"etcdsize: row {mixed.row}: {mixed.problem}")
    if not (options.json and to_output):
        # Otherwise the summary on standard error is for a program.
        report_old_versions(*observed.etcd_versions)
        report_old_prices(dates_of_prices(observed.fleet))
    return 1 if observed.complete < observed.clusters or observed.fleet.not_sized or observed.fleet.not_fitted else 0
