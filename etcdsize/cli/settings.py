"""`etcdsize settings`: print etcd's settings for a load, with the reasons."""

from __future__ import annotations

from argparse import Namespace

from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.arguments import LOAD, add_json, add_load
from etcdsize.cli.clock import report_old_versions
from etcdsize.cli.load_arguments import FIGURES, add_figures, has_load
from etcdsize.cli.plan_arguments import add_flags, add_settings, add_version, settings_of
from etcdsize.cli.streams import write_answer, write_text
from etcdsize.errors import OptionError

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "settings",
        run=run,
        summary="print etcd's settings for a load",
        description="""\
Print the settings that every member of a cluster needs for a load: quota,
snapshots, compaction, heartbeat and election timeout, each with the reason and
its source, the memory limit of the process and the size of the disk. bootstrap
writes the same settings into commands and files.""",
        example="etcdsize settings --clients 300 --data 4GB\n"
        "etcdsize settings --kubernetes-nodes 250 --etcd-version 3.6",
    )
    load = parser.add_argument_group("load; what is unknown is assumed, and listed")
    add_load(load)
    add_settings(load)
    add_figures(parser.add_argument_group(FIGURES))
    how = parser.add_argument_group("what to print")
    add_version(how)
    add_flags(how)
    add_json(how)


def run(options: Namespace) -> int:
    """Print etcd's settings for a load."""
    if not has_load(options):
        raise OptionError(f"--data: missing; add a load: {LOAD}", option="--data")
    settings = settings_of(options)
    if options.json:
        write_answer(settings)
    else:
        # Imported here because JSON does without it.
        from etcdsize.reports.settings import render_settings

        write_text(render_settings(settings))
    report_old_versions(settings.etcd_version.name)
    return 0
