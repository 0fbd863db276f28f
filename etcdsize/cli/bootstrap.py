"""`etcdsize bootstrap`: write the commands or files that start a cluster."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from etcdsize.cli.argument_parser import Commands, add_command, file_name
from etcdsize.cli.arguments import LOAD, add_force, add_load, add_region
from etcdsize.cli.clock import dates_of_prices, report_old_prices, report_old_versions
from etcdsize.cli.load_arguments import FIGURES, add_figures, has_load, load_of
from etcdsize.cli.plan_arguments import add_plan, add_settings, asked_of, plan_of, settings_of
from etcdsize.cli.streams import report, write_data
from etcdsize.errors import OptionError
from etcdsize.plan.format_names import FORMATS

if TYPE_CHECKING:
    from etcdsize.plan.settings import EtcdSettings
    from etcdsize.sizing.answer import Sizing

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "bootstrap",
        run=run,
        summary="write the commands or files that start a cluster",
        description="""\
Write the commands or files that start a cluster: for each member, the flags,
environment variables, config file or systemd unit of etcd. If you give a load,
the settings are chosen for it: quota, compaction, heartbeat and election
timeout. A plan that etcd would reject is an error that says how to fix it.
Warnings go to standard error. With --region, so does the machine to run each
member on.""",
        example="etcdsize bootstrap --host a=10.0.0.1 --host b=10.0.0.2 --host c=10.0.0.3\n"
        "etcdsize bootstrap --local 3 --data 4GB --format systemd -o units",
    )
    add_plan(parser)
    load = parser.add_argument_group("load, for the settings; without one, etcd's defaults apply")
    add_load(load)
    add_region(load, default="no machine is named", what="print the load's machine and its cost in this region")
    add_settings(load)
    add_figures(parser.add_argument_group(FIGURES))
    how = parser.add_argument_group("what to write")
    how.add_argument(
        "--format",
        metavar="FORMAT",
        default="flags",
        help="; ".join(f"{name}: {row.summary}" for name, row in FORMATS.items()) + " (default: flags)",
    )
    how.add_argument("--member", metavar="NAME", help="only this member (default: all)")
    how.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=file_name,
        help="write one file per member to this directory: NAME.sh, .env, .yaml or .service (default: print)",
    )
    add_force(how, help="replace existing files")


def run(options: Namespace) -> int:
    """Write the commands or files that start a cluster."""
    from etcdsize.base.checks import one_of
    from etcdsize.plan.render import render

    form = one_of("--format", options.format, FORMATS)
    settings = _settings_of(options)
    plan = plan_of(options, settings)
    # Sized first, so that a wrong region is reported before anything is written.
    sizing = None if options.region is None else _sizing_in_region(options, len(plan.members))
    names = [member.name for member in plan.members] if options.member is None else [plan.member(options.member).name]
    if FORMATS[form].is_for_cluster:
        texts = {form: render(plan, form, options.member)}
    elif len(names) > 1 and options.output is None and form != "flags":
        raise OptionError(
            f"--format: {form} is for one member, and the plan has {len(names)}; choose one with --member, or write "
            "a file for each with -o DIR",
            option="--format",
        )
    else:
        texts = {name: render(plan, form, name) for name in names}
    if options.output is not None:
        _write(
            Path(options.output),
            {f"{name}{FORMATS[form].extension}": text for name, text in texts.items()},
            options.force,
        )
    elif len(texts) > 1:
        write_data("\n".join(f"# {name}\n{text}" for name, text in texts.items()))
    else:
        write_data("".join(texts.values()))
    # The plan and its settings may both have the notice about the version.
    for line in dict.fromkeys(notice.line for notice in plan.notices + (() if settings is None else settings.notices)):
        report(line)
    if sizing is not None:
        _report_machines(sizing)
    report_old_versions(plan.etcd_version.name)
    return 0


def _sizing_in_region(options: Namespace, members: int) -> Sizing:
    """Return the sizing of the load at the prices of the region that the options name."""
    from etcdsize.sizing.size import size

    return size(**load_of(options), **asked_of(options), region=options.region, members=members)


def _report_machines(sizing: Sizing) -> None:
    """Report what to run each member on in a region, and what the cluster costs there."""
    from etcdsize.fitting.disks import LIMIT_NOT_PUBLISHED
    from etcdsize.sizing.answer import cost_text

    for provider, machine in sizing.machines_today.items():
        total = sizing.cost_per_month.get(provider)
        cost = "its cost there is unknown"
        if total is not None:
            cost = f"{sizing.members} of them cost {cost_text(machine, total, sizing.currency[provider])}"
        limit = "" if machine.limit_known else f"; {LIMIT_NOT_PUBLISHED}"
        report(f"etcdsize: {provider}: run each member on {machine}; {cost}{limit}")
    report_old_prices(dates_of_prices(sizing))


def _settings_of(options: Namespace) -> EtcdSettings | None:
    """Return the settings for the load that the options describe, or None if they describe none."""
    if has_load(options):
        return settings_of(options)
    for option, present in (
        ("--kubernetes", options.kubernetes),
        ("--peer-rtt-ms", options.peer_rtt_ms),
        ("--basis", options.basis),
        ("--model", options.model),
        ("--region", options.region),
    ):
        if present:
            raise OptionError(f"{option}: needs a load; add {LOAD}", option=option)
    return None


def _write(folder: Path, texts: dict[str, str], force: bool) -> None:
    """Write the files of a plan, and report each."""
    from etcdsize.base.output_folder import write_folder

    written = write_folder(folder, {name: text.encode() for name, text in texts.items()}, force=force)
    for name in texts:
        report(f"etcdsize: wrote {folder / name}" if name in written else f"etcdsize: {folder / name} is up to date")
