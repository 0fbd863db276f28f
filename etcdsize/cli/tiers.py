"""`etcdsize tiers`: print the bounds of the tiers."""

from __future__ import annotations

from argparse import Namespace

from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.arguments import add_json, add_tiers
from etcdsize.cli.streams import write_answer, write_text

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "tiers",
        run=run,
        summary="print the bounds of the tiers",
        description="Print the bounds of every tier, and their source.",
        example="etcdsize tiers --tiers etcd.io",
    )
    add_tiers(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Print the bounds of the tiers."""
    from etcdsize.reports.tables import render_tiers
    from etcdsize.tiers import load_tiers

    table = load_tiers(options.tiers)
    if options.json:
        write_answer(table)
    else:
        write_text(render_tiers(table))
    return 0
