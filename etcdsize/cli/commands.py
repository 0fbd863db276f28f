"""What each command does: one function a command, under its name."""

from __future__ import annotations

import contextlib
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from etcdsize import units
from etcdsize.base.text import shown
from etcdsize.cli.arguments import loads_of
from etcdsize.cli.streams import check_standard_output, content, of_file, standard_input, write
from etcdsize.errors import OptionError

if TYPE_CHECKING:
    from etcdsize.catalog.machines import Machine
    from etcdsize.files.fleet_file import Fleet

__all__ = ["catalog", "fit", "fleet", "machines", "observe", "schema", "size", "tiers"]

T = TypeVar("T")

# The dimensions as `size` calls them.
_SHORT = {"rps": "requests_per_second", "data": "data_bytes"}


def size(options: Namespace) -> int:
    """Size one cluster."""
    from etcdsize.reports.sizing import render_sizing
    from etcdsize.sizing.size import size

    clients, requests, data = loads_of(options)
    sizing = size(
        clients=clients,
        requests_per_second=requests,
        data_bytes=data,
        kubernetes_nodes=units.parsed("--kubernetes-nodes", options.kubernetes_nodes, units.parse_whole),
        provider=options.provider,
        catalog=options.catalog,
        tiers=options.tiers,
        headroom=units.parsed("--headroom", options.headroom, units.parse_fraction) or 0.0,
        members=units.parsed("--members", options.members, units.parse_whole) or 0,
    )
    write(sizing.model_dump_json(indent=2) + "\n" if options.json else render_sizing(sizing))
    return 1 if options.strict and sizing.is_beyond_guide else 0


def fit(options: Namespace) -> int:
    """Find machines and disks for a tier."""
    from etcdsize.base.checks import one_of
    from etcdsize.fitting.fit import fit
    from etcdsize.reports.fit import render_fit
    from etcdsize.sizing.options import members_of
    from etcdsize.sizing.size import size

    members = members_of(units.parsed("--members", options.members, units.parse_whole))
    headroom = units.parsed("--headroom", options.headroom, units.parse_fraction) or 0.0
    clients, requests, data = loads_of(options)
    known = (clients, requests, data) != (None, None, None)
    if (options.tier is not None) == known:
        raise OptionError(
            f"--tier: got {'it and a load' if known else 'neither it nor a load'}, expected one of the two; a load is "
            "--clients, --requests-per-second, --data or some of them",
            option="--tier",
        )
    if headroom and not known:
        raise OptionError("--headroom: got it with --tier, expected it with a load only", option="--headroom")
    sizing = None
    if known:
        sizing = size(
            clients=clients,
            requests_per_second=requests,
            data_bytes=data,
            tiers=options.tiers,
            headroom=headroom,
            members=members,
        )
    found = fit(
        options.tier if sizing is None else sizing,
        options.catalog,
        tiers=options.tiers if sizing is None else None,
        provider=options.provider,
        arch=one_of("--arch", options.arch, ("x86_64", "arm64", "any")),
        family=options.family,
        region=options.region,
        disk=options.disk,
        newest=options.newest,
        limit=units.parsed("--limit", options.limit, units.parse_whole),
    )
    if options.json:
        write(found.model_dump_json(indent=2) + "\n")
    else:
        write(render_fit(found, sizing, members=members, rejected=options.rejected))
    return 0 if found.candidates else 1


def observe(options: Namespace) -> int:
    """Size a running cluster by what it reports."""
    import json

    from etcdsize.observation.observe import observe
    from etcdsize.observation.tls import ClientTls
    from etcdsize.reports.observation import render_observation
    from etcdsize.reports.sizing import render_sizing
    from etcdsize.sizing.size import size

    how = {
        "provider": options.provider,
        "catalog": options.catalog or "guide",
        "tiers": options.tiers,
        "headroom": units.parsed("--headroom", options.headroom, units.parse_fraction) or 0.0,
    }
    # What cannot be sized so is said before anybody is asked.
    size(requests_per_second=0, **how)
    files = {name: getattr(options, name) for name in ("cacert", "cert", "key")}
    tls = ClientTls(**files) if any(files.values()) else None
    interval = units.parsed("--interval", options.interval, units.parse_duration) or 0
    timeout = units.parsed("--timeout", options.timeout, units.parse_duration) or 0
    clients = units.parsed("--clients", options.clients, units.parse_count)
    if options.targets is not None:
        return _observe_many(
            options, {**how, "catalog": options.catalog, "interval": interval, "timeout": timeout, "tls": tls}
        )
    for name in ("output", "output_format", "columns", "force"):
        if getattr(options, name):
            flag = f"--{name.replace('_', '-')}"
            raise OptionError(f"{flag}: got it without --targets, which gives the rows to write", option=flag)
    observation = observe(options.urls, interval=interval, clients=clients, tls=tls, timeout=timeout)
    sizing = None
    if observation.is_known:
        sizing = size(observation.workload(), members=observation.member_count, **how)
    if options.json:
        both = {
            "observation": observation.model_dump(mode="json"),
            "sizing": None if sizing is None else sizing.model_dump(mode="json"),
        }
        write(json.dumps(both, indent=2, ensure_ascii=False) + "\n")
    else:
        write(render_observation(observation) + ("" if sizing is None else "\n" + render_sizing(sizing)))
    return 1 if observation.problems or sizing is None else 0


def tiers(options: Namespace) -> int:
    """Print a tier table."""
    from etcdsize.reports.sizing import render_tiers
    from etcdsize.tiers import load_tiers

    table = load_tiers(options.tiers)
    write(table.model_dump_json(indent=2) + "\n" if options.json else render_tiers(table))
    return 0


def machines(options: Namespace) -> int:
    """Print the machines of a catalog."""
    from etcdsize.base.checks import one_of
    from etcdsize.catalog.catalog import load_catalog, providers_of
    from etcdsize.reports.sizing import render_machines

    catalog = load_catalog(options.catalog)
    providers = providers_of(catalog, options.provider)
    chosen = catalog.model_copy(
        update={
            "machines": tuple(machine for machine in catalog.machines if machine.provider in providers),
            "disk_kinds": tuple(kind for kind in catalog.disk_kinds if kind.provider in providers),
        }
    ).restrict(machine_types=options.type, families=options.family, architectures=options.arch, regions=options.region)
    machines = chosen.machines
    if options.sort is not None:
        key = _SORTS[one_of("--sort", options.sort, _SORTS)]
        machines = tuple(sorted(machines, key=lambda machine: _unknown_last(key(machine))))
    if options.json:
        write(chosen.model_copy(update={"machines": machines}).model_dump_json(indent=2) + "\n")
    else:
        write(render_machines(catalog, machines))
    return 0


def _unknown_last(figure: float | None) -> tuple[bool, float]:
    return figure is None, figure or 0


_SORTS: dict[str, Callable[[Machine], float | None]] = {
    "price": lambda machine: machine.price.usd_hour if machine.price else None,
    "vcpus": lambda machine: machine.vcpus,
    "memory": lambda machine: machine.memory_gib,
    "iops": lambda machine: machine.limits_for(machine.disk_limits[0].kind if machine.disk_limits else "")[0],
}


def catalog(options: Namespace) -> int:
    """Make a catalog of a provider's own list: `import` is the one thing there is to do so far."""
    import datetime

    from etcdsize.base.checks import one_of
    from etcdsize.base.output_file import check_output, naming, open_output
    from etcdsize.catalog.listing import combine
    from etcdsize.catalog.prices import read_prices
    from etcdsize.catalog.readers import LISTING_READERS
    from etcdsize.reports.sizing import render_import

    reader = LISTING_READERS[one_of("--from", options.origin, LISTING_READERS)]
    sources = [*options.files, *([] if options.prices is None else [options.prices])]
    for source in sources:
        if sources.count(source) > 1:
            raise OptionError(f"{source}: got it twice, expected it once", option="files", value=source)
        if options.output == "-":
            check_standard_output(source)
        else:
            check_output(Path(options.output), None if source == "-" else Path(source), force=options.force)
    today = datetime.date.today().isoformat()
    imported = combine([of_file(name, partial(reader, content(name), date=today)) for name in options.files])
    if options.prices is not None:
        prices = of_file(options.prices, partial(read_prices, content(options.prices)))
        priced = of_file(options.prices, partial(imported.catalog.merge, prices))
        imported = imported.model_copy(update={"catalog": priced})
    text = imported.catalog.model_dump_json(indent=2, exclude_defaults=True) + "\n"
    if options.output == "-":
        write(text)
    else:
        with naming(Path(options.output)), open_output(Path(options.output)) as stream:
            stream.write(text.encode())
    sys.stderr.write(render_import(imported))
    return 1 if imported.dropped or imported.truncated else 0


def schema(options: Namespace) -> int:  # noqa: ARG001 - every command takes its options
    """Print the JSON schema of an answer."""
    import json

    from etcdsize.sizing.size import Sizing

    write(json.dumps(Sizing.model_json_schema(), indent=2, ensure_ascii=False) + "\n")
    return 0


def fleet(options: Namespace) -> int:
    """Size a file of clusters."""
    columns = {}
    for pair in options.column:
        what, equals, name = pair.partition("=")
        if not equals or not name:
            raise OptionError(
                f"--column: got {shown(pair)}, expected WHAT=NAME such as clients=conn_count", option="column"
            )
        what = _SHORT.get(what, what)
        if what in columns:
            raise OptionError(f"--column: got {what} twice, expected it once", option="column")
        columns[what] = name
    headroom = units.parsed("--headroom", options.headroom, units.parse_fraction) or 0.0

    from etcdsize.files.fleet_file import open_fleet
    from etcdsize.reports.sizing import render_fleet

    to_output = options.output == "-"
    if to_output:
        check_standard_output(options.input)
    with (
        open_fleet(
            Path(options.input),
            standard_input() if options.input == "-" else None,
            format=options.format,
            provider=options.provider,
            columns=columns,
            unknown=[_SHORT.get(what, what) for what in options.unknown],
            missing=options.missing,
            catalog=options.catalog,
            tiers=options.tiers,
            headroom=headroom,
            margin=units.parsed("--margin", options.margin, units.parse_fraction) or 0.0,
        ) as opened,
        _progress(opened) as progress,
    ):
        summary = opened.run(
            None if to_output or options.output is None else Path(options.output),
            sys.stdout.buffer if to_output else None,
            format=options.output_format,
            columns=options.columns.split(",") if options.columns is not None else None,
            force=options.force,
            progress=progress,
        )
    text = summary.model_dump_json(indent=2) + "\n" if options.json else render_fleet(summary)
    if to_output:
        sys.stderr.write(text)
    else:
        write(text)
    unknown = 0 if summary.audit is None else summary.audit.verdicts["unknown"]
    return 1 if summary.not_sized or summary.not_fitted or unknown else 0


def _observe_many(options: Namespace, how: dict[str, Any]) -> int:
    """Observe every cluster of a file, one row a cluster."""
    from etcdsize.observation.fleet import observe_fleet
    from etcdsize.observation.targets import read_targets
    from etcdsize.reports.observation import render_observed_fleet
    from etcdsize.reports.sizing import render_fleet

    for name, given in (("URL", options.urls), ("--clients", options.clients is not None)):
        if given:
            hint = "; the label clients says it for one cluster" if name == "--clients" else ""
            raise OptionError(f"--targets: got it and {name}, expected one of the two{hint}", option="--targets")
    provider = how.pop("provider")
    if provider is not None and len(provider) > 1:
        raise OptionError("--provider: got several, expected one for many clusters", option="--provider")
    read = partial(read_targets, content(options.targets), secure=how["tls"] is not None)
    targets = of_file(options.targets, read)
    to_output = options.output == "-"
    if to_output:
        check_standard_output(options.targets)
    name = "standard input" if options.targets == "-" else options.targets
    with _bar(len(targets), " clusters", name) as progress:
        observed = observe_fleet(
            targets,
            None if to_output or options.output is None else Path(options.output),
            sys.stdout.buffer if to_output else None,
            source=Path(options.targets),
            provider=None if provider is None else provider[0],
            format=options.output_format,
            columns=options.columns.split(",") if options.columns is not None else None,
            force=options.force,
            progress=progress,
            **how,
        )
    if options.json:
        text = observed.model_dump_json(indent=2) + "\n"
    else:
        text = render_observed_fleet(observed) + "\n" + render_fleet(observed.fleet)
    if to_output:
        sys.stderr.write(text)
    else:
        write(text)
    return 1 if observed.complete < observed.clusters or observed.fleet.not_sized or observed.fleet.not_fitted else 0


@contextlib.contextmanager
def _progress(opened: Fleet) -> Iterator[Callable[[int], object] | None]:
    """Give what is called with the work done after every batch: a bar where somebody watches."""
    total, unit = opened.work
    with _bar(total, unit, opened.name) as bar:
        yield bar


@contextlib.contextmanager
def _bar(total: int | None, unit: str, name: str) -> Iterator[Callable[[int], object] | None]:
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield None
        return
    # A short run needs no bar.
    with tqdm(total=total, unit=unit, unit_scale=True, desc=name, file=sys.stderr, leave=False, delay=0.5) as bar:
        yield bar.update
