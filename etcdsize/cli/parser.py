"""The arguments of every command, and their help.

This module imports the standard library, `errors` and the package's `__version__` only.
"""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from etcdsize import __version__
from etcdsize.errors import one_line

__all__ = ["PLANS", "build_parser"]


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help of one width and one layout on every Python and every terminal."""

    def __init__(self, prog: str, **_options: object) -> None:
        super().__init__(prog, max_help_position=30, width=80)

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            # Commands stand further to the right than argparse reckons with; the longest would take two lines.
            self._action_max_length += self._indent_increment

    def _format_action_invocation(self, action: argparse.Action) -> str:
        names = ", ".join(action.option_strings)
        if not names or action.nargs == 0:
            return names or super()._format_action_invocation(action)
        return f"{names} {self._format_args(action, self._get_default_metavar_for_optional(action))}"


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def __init__(self, **options: object) -> None:
        options.setdefault("formatter_class", _Formatter)
        super().__init__(allow_abbrev=False, **options)  # type: ignore[arg-type]
        if sys.version_info >= (3, 14):
            self.color = False

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {one_line(message)}; see '{self.prog} --help'\n")


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of the one command that will be parsed."""
    parser = _Parser(
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


def _command(commands: argparse._SubParsersAction[_Parser], name: str, short: str, text: str) -> _Parser:
    return commands.add_parser(name, help=short, description=text)


def _add_json(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def _add_tables(parser: argparse._ActionsContainer, *, catalog: bool = True) -> None:
    parser.add_argument(
        "--tiers",
        metavar="TABLE",
        default="guide",
        help="the bounds: guide, etcd.io, or a JSON file of your own (default: guide)",
    )
    if catalog:
        parser.add_argument(
            "--catalog",
            metavar="CATALOG",
            default="guide",
            help="the machines: guide, guide-as-printed, current, or a JSON file of your own (default: guide)",
        )


def _add_headroom(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--headroom",
        metavar="SHARE",
        default="0",
        help="the share of every bound to keep free, such as 30%% or 0.3 (default: 0)",
    )


def _add_load(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--clients", metavar="N", help="concurrent client connections")
    parser.add_argument(
        "--requests-per-second", "--rps", metavar="RATE", help="requests per second, such as 800 or 2.5k"
    )
    parser.add_argument("--data", metavar="SIZE", help="data stored, such as 400MB (10^6 bytes) or 2GiB (2^30)")


def _add_provider(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--provider",
        metavar="NAME",
        action="append",
        help="aws, azure or gce (gcp, google); may be given again (default: every one of the catalog)",
    )


def _add_members(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--members", metavar="N", default="3", help="voting members of the cluster (default: 3)")


def _add_plan(parser: argparse._ActionsContainer) -> None:
    """Add what says which cluster is planned; `_plan` in `commands` makes the plan of it."""
    which = parser.add_argument_group("the members: hosts, or all of them on this machine")
    which.add_argument(
        "--host",
        metavar="[NAME=]HOST",
        action="append",
        help="a member's host, such as a=10.0.0.1; without a name it is infra0, infra1 and so on; may be given again",
    )
    which.add_argument("--local", metavar="N", help="so many members on this machine, such as 3")
    which.add_argument(
        "--zone",
        metavar="NAME=ZONE",
        action="append",
        help="what fails as one with that member; may be given again, with --host",
    )
    which.add_argument("--client-port", metavar="PORT", help="for clients, on every --host (default: 2379)")
    which.add_argument("--peer-port", metavar="PORT", help="for members, on every --host (default: 2380)")
    which.add_argument(
        "--base-port",
        metavar="PORT",
        help="with --local, the first port for clients; the next one is for members, and so on (default: 2379)",
    )
    what = parser.add_argument_group("the cluster")
    what.add_argument("--token", metavar="T", help="what tells it from other clusters (default: etcd-cluster-1)")
    what.add_argument(
        "--data-dir",
        metavar="DIR",
        help="the folder in which every member has its NAME.etcd (default: /var/lib/etcd; . with --local)",
    )
    what.add_argument(
        "--tls-dir",
        metavar="DIR",
        help="the certificates on every member, laid out as kubeadm does: ca.crt, server.crt, server.key, peer.crt, "
        "peer.key, healthcheck-client.crt, healthcheck-client.key (default: plain http)",
    )
    what.add_argument(
        "--etcd-version", metavar="V", help="3.4, 3.5, 3.6, 3.7, or one patch such as 3.5.33 (default: 3.5)"
    )


def _add_size(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "size",
        "size one cluster",
        """\
Print the tier and the machine that one cluster needs, how full it is, and why.
What you do not know you leave out: the rest decides, and the answer is a lower
bound.""",
    )
    load = parser.add_argument_group("the load")
    _add_load(load)
    load.add_argument(
        "--kubernetes-nodes",
        metavar="N",
        help="nodes of the Kubernetes cluster that etcd serves; a proxy, where nothing is measured",
    )
    how = parser.add_argument_group("how to size")
    _add_provider(how)
    _add_headroom(how)
    _add_members(how)
    _add_tables(how)
    how.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 where no published figure says that the machine is enough",
    )
    _add_json(how)


def _add_fleet(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
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
    _add_headroom(parser)
    parser.add_argument(
        "--margin",
        metavar="SHARE",
        default="20%",
        help="the share of a smaller tier's bounds that has to stay free for a machine to be called over "
        "(default: 20%%)",
    )
    _add_tables(parser, catalog=False)
    parser.add_argument(
        "--catalog",
        metavar="CATALOG",
        help="the machines: guide, guide-as-printed, current, or a JSON file of your own (default: guide; current "
        "where IN says which machines run now)",
    )
    _add_json(parser)


def _add_fit(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
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
    _add_load(need)
    _add_headroom(need)
    _add_tables(need, catalog=False)
    where = parser.add_argument_group("where to look")
    where.add_argument(
        "--catalog",
        metavar="CATALOG",
        default="current",
        help="the machines and disks: current, or a JSON file of your own (default: current)",
    )
    _add_provider(where)
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
    _add_members(how)
    how.add_argument("--limit", metavar="N", default="5", help="how many machines to print at most (default: 5)")
    how.add_argument("--rejected", action="store_true", help="print every machine that is not enough, and why")
    _add_json(how)


def _add_runbook(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "runbook",
        "print every command for a cluster that runs",
        """\
Print what a cluster is looked after with, for its version of etcd, with
endpoints and certificates filled in: health, status, members, snapshots and
their restore, defragmenting, alarms, upgrades; and the checks before it goes
into service. It is Markdown, every command in a block of its own. Nothing is
run.""",
    )
    _add_plan(parser)
    how = parser.add_argument_group("what to print")
    how.add_argument(
        "--tier",
        metavar="NAME",
        help="small, medium, large or xlarge, for the checks (default: what to choose for which)",
    )
    how.add_argument("--kubernetes", action="store_true", help="the cluster serves Kubernetes: mind it in a restore")
    how.add_argument(
        "--snapshot", metavar="FILE", default="snapshot.db", help="the snapshot's file (default: snapshot.db)"
    )
    _add_json(how)


def _add_observe(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
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
    _add_provider(answer)
    _add_headroom(answer)
    _add_tables(answer, catalog=False)
    answer.add_argument(
        "--catalog",
        metavar="CATALOG",
        help="the machines: guide, guide-as-printed, current, or a JSON file of your own (default: guide; current "
        "where a label current_machine says which machines run now)",
    )
    _add_json(answer)
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


def _add_tiers(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(commands, "tiers", "print the tiers", "Print the bounds of every tier, and their source.")
    _add_tables(parser, catalog=False)
    _add_json(parser)


def _add_machines(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "machines",
        "print the machines",
        """\
Print the machines of a catalog, with errata and source. Disk figures are what a
machine sustains; what it can do for a while is left out. A price is on demand,
of the region and the day beside it. What nobody verified is unknown.""",
    )
    _add_provider(parser)
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
    _add_json(parser)


def _add_catalog(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands, "catalog", "make a catalog of your own", "Make a catalog of machines from what your provider sells."
    )
    deeper = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="action", required=True, help="what to do with it"
    )
    parser = _command(
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


def _add_schema(commands: argparse._SubParsersAction[_Parser]) -> None:
    _command(
        commands,
        "schema",
        "print the JSON schema of an answer",
        "Print the JSON schema of what 'etcdsize size --json' prints: the contract for\nother programs.",
    )


def _add_bootstrap(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "bootstrap",
        "write down how to start a cluster",
        """\
Write down how to start a cluster: for each member the flags, variables, config
file or unit that etcd accepts. With a load, the settings are for it: quota,
compaction, heartbeat, election. What etcd would refuse is refused here, with
the remedy. What to beware of goes to standard error.""",
    )
    _add_plan(parser)
    load = parser.add_argument_group("the load, for the settings; without one etcd keeps its defaults")
    _add_load(load)
    load.add_argument(
        "--kubernetes", action="store_true", help="it serves Kubernetes, whose API server compacts the history"
    )
    load.add_argument(
        "--peer-rtt-ms",
        metavar="MS",
        help="the largest average round-trip time between two members, in milliseconds (default: one network)",
    )
    how = parser.add_argument_group("what to write")
    how.add_argument(
        "--format",
        metavar="FORMAT",
        default="flags",
        help="flags: commands for sh; env: variables for sh and systemd; config: for --config-file; systemd: a unit; "
        "kubeadm: for API servers that use the cluster (default: flags)",
    )
    how.add_argument("--member", metavar="NAME", help="only this member (default: all)")
    how.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="write a file for every member into this directory, NAME.sh, .env, .yaml or .service (default: print)",
    )
    how.add_argument("--force", action="store_true", help="replace files that exist")


def _add_terraform_external(commands: argparse._SubParsersAction[_Parser]) -> None:
    _command(
        commands,
        "terraform-external",
        "answer Terraform's external data source",
        """\
Read a query of Terraform's external data source, a JSON object of text, from
standard input and print the answer as one: tier, machines, settings, and with
hosts what starts each member. An error is one line on standard error, and the
exit code is 1. docs/bootstrap.md has the keys.""",
    )


# The commands of `plans`; the others are in `commands`.
PLANS = ("bootstrap", "runbook", "terraform-external")

_COMMANDS = {
    "size": _add_size,
    "fleet": _add_fleet,
    "fit": _add_fit,
    "bootstrap": _add_bootstrap,
    "runbook": _add_runbook,
    "terraform-external": _add_terraform_external,
    "observe": _add_observe,
    "tiers": _add_tiers,
    "machines": _add_machines,
    "catalog": _add_catalog,
    "schema": _add_schema,
}
