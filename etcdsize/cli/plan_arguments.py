"""The arguments of the commands in `plans`, which are about a cluster to start, and their help.

This module imports the standard library and `options` only.
"""

from __future__ import annotations

import argparse

from etcdsize.cli.arguments import Parser, add_command, add_json, add_load
from etcdsize.etcd.version_names import DEFAULT_VERSION, version_names

__all__ = ["COMMANDS"]


def _add_plan(parser: argparse._ActionsContainer) -> None:
    """Add what says which cluster is planned; `_plan` in `plans` makes the plan of it."""
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
        "--etcd-version",
        metavar="V",
        help=f"{', '.join(version_names())}, or one patch such as 3.5.33 (default: {DEFAULT_VERSION})",
    )


def _add_bootstrap(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = add_command(
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
    add_load(load)
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


def _add_runbook(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = add_command(
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
    add_json(how)


def _add_terraform_external(commands: argparse._SubParsersAction[Parser]) -> None:
    add_command(
        commands,
        "terraform-external",
        "answer Terraform's external data source",
        """\
Read a query of Terraform's external data source, a JSON object of text, from
standard input and print the answer as one: tier, machines, settings, and with
hosts what starts each member. An error is one line on standard error, and the
exit code is 1. docs/bootstrap.md has the keys.""",
    )


COMMANDS = {
    "bootstrap": _add_bootstrap,
    "runbook": _add_runbook,
    "terraform-external": _add_terraform_external,
}
