"""`etcdsize size`: size one cluster."""

from __future__ import annotations

from argparse import Namespace

from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.arguments import (
    add_basis,
    add_catalog,
    add_headroom,
    add_json,
    add_load,
    add_members,
    add_provider,
    add_region,
    add_tiers,
)
from etcdsize.cli.clock import dates_of_prices, report_old_prices
from etcdsize.cli.load_arguments import FIGURES, add_figures, load_of
from etcdsize.cli.plan_arguments import add_version, asked_of
from etcdsize.cli.streams import write_answer, write_text

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "size",
        run=run,
        summary="size one cluster",
        description="""\
Print the tier and the machine that one cluster needs, how much of the tier it
uses, and why. Leave out what you do not know: the rest decides, and the answer
is then a lower bound. The exit code is 1 if a provider has no machine that is
enough.""",
        example="etcdsize size --clients 300 --requests-per-second 800 --data 400MB",
    )
    add_load(parser.add_argument_group("load"))
    add_figures(parser.add_argument_group(FIGURES))
    how = parser.add_argument_group("how to size")
    add_provider(how)
    add_region(how, default="the prices that the tables have")
    add_headroom(how)
    add_members(how)
    add_tiers(how)
    add_catalog(how)
    add_basis(how)
    add_version(how)
    how.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 if no published figure says that the machine is enough",
    )
    add_json(how)


def run(options: Namespace) -> int:
    """Size one cluster."""
    from etcdsize.sizing.size import size

    sizing = size(
        **load_of(options),
        provider=options.provider,
        region=options.region,
        catalog=options.catalog,
        tiers=options.tiers,
        headroom=options.headroom,
        members=options.members,
        **asked_of(options),
    )
    if options.json:
        write_answer(sizing)
    else:
        # Imported here because JSON does without it.
        from etcdsize.reports.sizing import render_sizing

        write_text(render_sizing(sizing))
    report_old_prices(dates_of_prices(sizing))
    return 1 if sizing.lacks_machine or (options.strict and sizing.is_beyond_guide) else 0
