"""`etcdsize runbook`: print the commands to operate a cluster."""

from __future__ import annotations

from argparse import Namespace

from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.arguments import add_json
from etcdsize.cli.clock import report_old_versions
from etcdsize.cli.plan_arguments import add_plan, plan_of
from etcdsize.cli.streams import write_answer, write_data

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "runbook",
        run=run,
        summary="print the commands to operate a cluster",
        description="""\
Print the commands to operate a cluster, for its version of etcd, with endpoints
and certificates filled in: health, status, members, saving and restoring
snapshots, defragmentation, alarms, upgrades, downgrades, and the checks before
it goes into service. The output is Markdown with each command in a block of its
own. Nothing is run.""",
        example="etcdsize runbook --local 3 --tier small\n"
        "etcdsize runbook --host a=10.0.0.1 --host b=10.0.0.2 --host c=10.0.0.3",
    )
    add_plan(parser)
    how = parser.add_argument_group("what to print")
    how.add_argument(
        "--tier",
        metavar="NAME",
        help="small, medium, large or xlarge, for the performance checks (default: explain which to choose)",
    )
    how.add_argument(
        "--kubernetes", action="store_true", help="the cluster serves Kubernetes, which changes how to restore it"
    )
    how.add_argument(
        "--snapshot", metavar="FILE", default="snapshot.db", help="name of the snapshot file (default: snapshot.db)"
    )
    add_json(how)


def run(options: Namespace) -> int:
    """Print the commands to operate a cluster."""
    from etcdsize.operations.runbook import runbook
    from etcdsize.reports.runbook import render_runbook

    book = runbook(plan_of(options), tier=options.tier, kubernetes=options.kubernetes, snapshot=options.snapshot)
    if options.json:
        write_answer(book)
    else:
        # The Markdown holds commands to paste, in which an escaped name would be another one.
        write_data(render_runbook(book))
    report_old_versions(book.etcd_version.name)
    return 0
