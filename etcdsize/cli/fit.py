"""`etcdsize fit`: find machines and disks for a tier or a load."""

from __future__ import annotations

from argparse import Namespace

from etcdsize import units
from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.arguments import (
    LOAD,
    add_basis,
    add_catalog,
    add_headroom,
    add_json,
    add_load,
    add_members,
    add_provider,
    add_region,
    add_tiers,
    architecture,
)
from etcdsize.cli.clock import dates_of_prices, report_old_prices
from etcdsize.cli.load_arguments import FIGURES, add_figures, has_load, load_of
from etcdsize.cli.plan_arguments import add_version, asked_of
from etcdsize.cli.streams import write_answer, write_text
from etcdsize.errors import OptionError

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "fit",
        run=run,
        summary="find machines and disks for a tier or a load",
        description="""\
Print the machines and disks that are enough for a tier, or for the tier that a
load needs, cheapest first. Also print how the disk's size adds up, and how many
machines are not enough. Only performance that both machine and disk sustain
counts, never a burst. Prices are on-demand prices, each of one region and day.
If no machine is enough, the exit code is 1.""",
        example="etcdsize fit --tier medium --provider aws\netcdsize fit --clients 300 --data 400MB --limit 3",
    )
    need = parser.add_argument_group("what is needed: a tier or a load")
    need.add_argument("--tier", metavar="NAME", help="small, medium, large or xlarge")
    add_load(need)
    add_headroom(need)
    add_tiers(need)
    add_basis(need)
    add_version(need)
    add_figures(parser.add_argument_group(FIGURES))
    where = parser.add_argument_group("where to look")
    add_catalog(where, default="current")
    add_provider(where)
    where.add_argument(
        "--arch",
        metavar="ARCH",
        type=architecture("any"),
        default="x86_64",
        help="x86_64, arm64 (which needs arm64 images), or any (default: x86_64)",
    )
    where.add_argument(
        "--family", metavar="NAME", action="append", help="only this machine family, e.g. m8i; can be repeated"
    )
    where.add_argument("--newest", action="store_true", help="leave out previous generations")
    add_region(where)
    where.add_argument("--disk", metavar="KIND", help="only this kind of disk, e.g. gp3 (default: the cheapest)")
    how = parser.add_argument_group("what to print")
    add_members(how)
    how.add_argument(
        "--limit",
        metavar="N",
        type=units.parse_whole,
        default="5",
        help="print at most this number of machines (default: 5)",
    )
    how.add_argument(
        "--rejected",
        action="store_true",
        help="also print every machine that is not enough, and why (default: count them)",
    )
    add_json(how)


def run(options: Namespace) -> int:
    """Find machines and disks for a tier or a load."""
    from etcdsize.fitting.fit import fit
    from etcdsize.sizing.options import members_of
    from etcdsize.sizing.size import size

    members = members_of(options.members)
    known = has_load(options)
    if options.tier is not None and known:
        raise OptionError(f"--tier: cannot be used with a load ({LOAD}); choose one of the two", option="--tier")
    if options.tier is None and not known:
        raise OptionError(f"--tier: missing; add it, or a load: {LOAD}", option="--tier")
    for option, used in (
        ("--headroom", options.headroom),
        ("--basis", options.basis),
        ("--etcd-version", options.etcd_version),
        ("--model", options.model),
    ):
        if used and not known:
            raise OptionError(f"{option}: cannot be used with --tier; it needs a load", option=option)
    sizing = None
    if known:
        sizing = size(
            **load_of(options),
            tiers=options.tiers,
            headroom=options.headroom,
            members=members,
            **asked_of(options),
        )
    found = fit(
        options.tier if sizing is None else sizing,
        options.catalog,
        tiers=options.tiers if sizing is None else None,
        provider=options.provider,
        arch=options.arch,
        family=options.family,
        region=options.region,
        disk=options.disk,
        newest=options.newest,
        limit=options.limit,
    )
    if options.json:
        write_answer(found if options.rejected else found.without_rejected())
    else:
        # Imported here because JSON does without it.
        from etcdsize.reports.fit import render_fit

        write_text(render_fit(found, sizing, members=members, rejected=options.rejected))
    report_old_prices(dates_of_prices(found))
    return 0 if found.candidates else 1
