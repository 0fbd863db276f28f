"""The arguments of every command, and their help.

This module imports the standard library, `errors` and the package's `__version__` only.
"""

from __future__ import annotations

import argparse

from etcdsize import __version__
from etcdsize.cli import plan_arguments
from etcdsize.cli.arguments import (
    Parser,
    add_command,
    add_headroom,
    add_json,
    add_load,
    add_members,
    add_provider,
    add_tables,
)

__all__ = ["PLANS", "build_parser"]


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of the one command that will be parsed."""
    parser = Parser(
        prog="etcdsize",
        description="Which machine an etcd cluster needs, and why: for one cluster or a fleet.",
        epilog="""\
examples:
  etcdsize size --clients 300 --requests-per-second 800 --data 400MB
  etcdsize fleet clusters.csv -o sized.csv
  etcdsize fit --tier medium --provider aws
  etcdsize bootstrap --host a=10.0.0.1 --host b=10.0.0.2 --host c=10.0.0.3
  etcdsize observe 10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379
  etcdsize machines --provider gce
  etcdsize catalog import --from aws types.json -o my.json
  etcdsize runbook --local 3 --tier small

exit codes:
  0    done
  1    done, but some clusters could not be sized, some machines could not be
       imported, no machine is enough, a member did not answer, or a --strict
       answer is beyond the guide
  2    bad usage, or input that cannot be read
  130  interrupted""",
    )
    parser.add_argument("--version", action="version", version=f"etcdsize {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    # Building all of them takes longer than building the parser and one (measured), on every start.
    for add in [_COMMANDS[command]] if command in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser


def _add_size(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = add_command(
        commands,
        "size",
        "size one cluster",
        """\
Print the tier and the machine that one cluster needs, how full it is, and why.
What you do not know you leave out: the rest decides, and the answer is a lower
bound.""",
    )
    load = parser.add_argument_group("the load")
    add_load(load)
    load.add_argument(
        "--kubernetes-nodes",
        metavar="N",
        help="nodes of the Kubernetes cluster that etcd serves; a proxy, where nothing is measured",
    )
    how = parser.add_argument_group("how to size")
    add_provider(how)
    add_headroom(how)
    add_members(how)
    add_tables(how)
    how.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 where no published figure says that the machine is enough",
    )
    add_json(how)


def _add_fleet(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = add_command(
        commands,
        "fleet",
        "size a file of clusters",
        """\
Size a file of clusters, one a row: CSV, TSV, JSON lines or Parquet. Print a
summary, and write every row with five columns added: tier, machine_type,
forced_by, tightest, problem. A row that cannot be sized is kept, with its
problem; then the exit code is 1.

The load is found by the columns' names: clients (connections),
requests_per_second (rps, qps), data_bytes (data, db_size, size; bytes, or text
such as 400MB; data_mb, data_gib and the like are converted), provider (cloud).
The other columns pass through untouched.

A column current_machine says which machine runs now. Then six more columns are
added: verdict (under, right, over, unknown), decided_by, utilization,
breaks_next, recommended_machine, usd_month_difference; and the summary names
the clusters at risk and the money to save.""",
    )
    parser.add_argument("input", metavar="IN", help="the file; - is standard input")
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="the file to write; - is standard output (default: write no rows)"
    )
    parser.add_argument(
        "--columns",
        metavar="LIST",
        help="write only these, with commas between: names of IN's columns, * for all of them, and of the added ones, "
        "which come last (default: everything)",
    )
    parser.add_argument("--force", action="store_true", help="replace OUT where it exists")
    parser.add_argument("--format", metavar="FORMAT", help="of IN: csv, tsv, jsonl or parquet (default: by its name)")
    parser.add_argument(
        "--output-format",
        metavar="FORMAT",
        help="of OUT, likewise (default: by its name; for -, the format of IN)",
    )
    parser.add_argument(
        "--column",
        metavar="WHAT=NAME",
        action="append",
        default=[],
        help="the column of clients, requests_per_second, data_bytes, provider or current_machine, where its name is "
        "not known; may be given again",
    )
    parser.add_argument(
        "--unknown",
        metavar="WHAT",
        action="append",
        default=[],
        help="a dimension that the file lacks; may be given again",
    )
    parser.add_argument(
        "--missing",
        metavar="HOW",
        default="problem",
        help="what an empty cell is: problem, or unknown: the rest of the row decides (default: problem)",
    )
    parser.add_argument(
        "--provider",
        metavar="NAME",
        help="aws, azure or gce (gcp, google), for every row, whatever its provider column says",
    )
    add_headroom(parser)
    parser.add_argument(
        "--margin",
        metavar="SHARE",
        default="20%",
        help="the share of a smaller tier's bounds that has to stay free for a machine to be called over "
        "(default: 20%%)",
    )
    add_tables(parser, catalog=False)
    parser.add_argument(
        "--catalog",
        metavar="CATALOG",
        help="the machines: guide, guide-as-printed, current, or a JSON file of your own (default: guide; current "
        "where IN says which machines run now)",
    )
    add_json(parser)


def _add_fit(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = add_command(
        commands,
        "fit",
        "find machines and disks for a tier",
        """\
Print the machines and disks that are enough for a tier, or for the tier that a
load needs: the cheapest first, with the arithmetic of the disk, and why the
others are not. What counts is what machine and disk both sustain, never a
burst. Prices are on demand, of a region and a day. Where no machine is enough
the exit code is 1.""",
    )
    need = parser.add_argument_group("the need: a tier, or a load")
    need.add_argument("--tier", metavar="NAME", help="small, medium, large or xlarge")
    add_load(need)
    add_headroom(need)
    add_tables(need, catalog=False)
    where = parser.add_argument_group("where to look")
    where.add_argument(
        "--catalog",
        metavar="CATALOG",
        default="current",
        help="the machines and disks: current, or a JSON file of your own (default: current)",
    )
    add_provider(where)
    where.add_argument(
        "--arch",
        metavar="A",
        default="x86_64",
        help="x86_64, arm64, which needs images of its own, or any (default: x86_64)",
    )
    where.add_argument(
        "--family", metavar="F", action="append", help="only this family, such as m8i; may be given again"
    )
    where.add_argument("--newest", action="store_true", help="leave out previous generations")
    where.add_argument("--region", metavar="R", help="take no price of another region (default: every price)")
    where.add_argument("--disk", metavar="KIND", help="only this kind of disk, such as gp3 (default: the cheapest)")
    how = parser.add_argument_group("what to print")
    add_members(how)
    how.add_argument("--limit", metavar="N", default="5", help="how many machines to print at most (default: 5)")
    how.add_argument("--rejected", action="store_true", help="print every machine that is not enough, and why")
    add_json(how)


def _add_observe(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = add_command(
        commands,
        "observe",
        "size a running cluster by what it reports",
        """\
Ask every member of a running cluster for its metrics, twice, and print the
load, tier, utilization and machine, and what to beware of. Give all members:
each counts its own requests. etcd counts no clients: give them, run this on the
members' machine, or take an estimate. What is unknown stays unknown, and the
answer is a lower bound. Where a member does not answer the exit code is 1. With
--targets it is many clusters, a hundred members at a time, and their answers
are those of fleet; one that is dead stops no other.""",
    )
    parser.add_argument(
        "urls",
        metavar="URL",
        nargs="*",
        help="client URLs of all members, such as http://10.0.0.1:2379; commas between them will do",
    )
    how = parser.add_argument_group("how to ask")
    how.add_argument(
        "--interval",
        metavar="TIME",
        default="10s",
        help="the time between the two scrapes; 0 asks once, for averages since the start (default: 10s)",
    )
    how.add_argument(
        "--timeout", metavar="TIME", default="5s", help="how long one member may take for one answer (default: 5s)"
    )
    how.add_argument("--clients", metavar="N", help="concurrent client connections, where you know them")
    how.add_argument("--cacert", metavar="FILE", help="the CA that signed the members' certificates")
    how.add_argument("--cert", metavar="FILE", help="the client's certificate, where members ask for one")
    how.add_argument("--key", metavar="FILE", help="the key of that certificate")
    answer = parser.add_argument_group("the answer")
    add_provider(answer)
    add_headroom(answer)
    add_tables(answer, catalog=False)
    answer.add_argument(
        "--catalog",
        metavar="CATALOG",
        help="the machines: guide, guide-as-printed, current, or a JSON file of your own (default: guide; current "
        "where a label current_machine says which machines run now)",
    )
    add_json(answer)
    many = parser.add_argument_group("many clusters")
    many.add_argument(
        "--targets",
        metavar="FILE",
        help="observe every cluster of this file, JSON of Prometheus' file discovery; - is standard input",
    )
    many.add_argument("-o", "--output", metavar="OUT", help="the file to write, a row a cluster; - is standard output")
    many.add_argument(
        "--output-format",
        metavar="FORMAT",
        help="csv, tsv, jsonl or parquet (default: by the name of OUT; for -, csv)",
    )
    many.add_argument("--columns", metavar="LIST", help="write only these, as for fleet (default: everything)")
    many.add_argument("--force", action="store_true", help="replace OUT where it exists")


def _add_tiers(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = add_command(commands, "tiers", "print the tiers", "Print the bounds of every tier, and their source.")
    add_tables(parser, catalog=False)
    add_json(parser)


def _add_machines(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = add_command(
        commands,
        "machines",
        "print the machines",
        """\
Print the machines of a catalog, with errata and source. Disk figures are what a
machine sustains; what it can do for a while is left out. A price is on demand,
of the region and the day beside it. What nobody verified is unknown.""",
    )
    add_provider(parser)
    parser.add_argument(
        "--catalog",
        metavar="CATALOG",
        default="guide",
        help="guide, guide-as-printed, current, or a JSON file of your own (default: guide)",
    )
    for option, metavar, text in (
        ("--family", "F", "only this family, such as m8i"),
        ("--arch", "A", "only this architecture: x86_64 or arm64"),
        ("--type", "T", "only this type of machine"),
        ("--region", "R", "only machines that are priced in this region"),
    ):
        parser.add_argument(option, metavar=metavar, action="append", help=f"{text}; may be given again")
    parser.add_argument(
        "--sort",
        metavar="BY",
        help="price, vcpus, memory or iops, the lowest first and unknown last (default: as the catalog has them)",
    )
    add_json(parser)


def _add_catalog(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = add_command(
        commands, "catalog", "make a catalog of your own", "Make a catalog of machines from what your provider sells."
    )
    deeper = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="action", required=True, help="what to do with it"
    )
    parser = add_command(
        deeper,
        "import",
        "make a catalog of a provider's own list",
        """\
Make a catalog of a provider's own list of machines, as one of these prints it:

  aws ec2 describe-instance-types
  gcloud compute machine-types list --format=json

Print an account of every entry. What has no vCPUs or memory is dropped, and the
exit code is 1, as it is where pages are missing. Burstable, shared-core and
bare-metal machines are kept and flagged. The lists have no prices: give them.""",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="the list, or its pages one after the other; - is standard input"
    )
    parser.add_argument("--from", metavar="WHAT", dest="origin", required=True, help="whose list it is: aws or gcloud")
    parser.add_argument(
        "-o", "--output", metavar="OUT", required=True, help="the catalog to write; - is standard output"
    )
    parser.add_argument("--force", action="store_true", help="replace OUT where it exists")
    parser.add_argument(
        "--prices",
        metavar="CSV",
        help="prices, with the columns machine_type, price_usd_hour, region, date, and provider and source if you like",
    )


def _add_schema(commands: argparse._SubParsersAction[Parser]) -> None:
    add_command(
        commands,
        "schema",
        "print the JSON schema of an answer",
        "Print the JSON schema of what 'etcdsize size --json' prints: the contract for\nother programs.",
    )


PLANS = tuple(plan_arguments.COMMANDS)
"""The commands of `plans`; the others are in `commands`."""

_COMMANDS = {
    "size": _add_size,
    "fleet": _add_fleet,
    "fit": _add_fit,
    **plan_arguments.COMMANDS,
    "observe": _add_observe,
    "tiers": _add_tiers,
    "machines": _add_machines,
    "catalog": _add_catalog,
    "schema": _add_schema,
}
