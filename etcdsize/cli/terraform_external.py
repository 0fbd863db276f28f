"""`etcdsize terraform-external`: answer a query of Terraform's external data source."""

from __future__ import annotations

import json
from argparse import Namespace

from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.streams import report, standard_input, write
from etcdsize.errors import EtcdSizeError

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    add_command(
        commands,
        "terraform-external",
        run=run,
        summary="answer Terraform's external data source",
        description="""\
Read a query of Terraform's external data source, a JSON object of strings, from
standard input, and print the answer as another: tier, machines, settings and,
with hosts, the commands or files that start each member. An error is one line
on standard error, with exit code 1. docs/bootstrap.md lists the keys.""",
        example="""echo '{"clients": "300"}' | etcdsize terraform-external""",
    )


def run(options: Namespace) -> int:  # noqa: ARG001 - every command is called with its options
    """Answer the query on standard input. Any error exits with 1, as Terraform expects."""
    from etcdsize.plan.terraform import answer

    try:
        write(json.dumps(answer(standard_input().read()), indent=2, ensure_ascii=False) + "\n")
    except EtcdSizeError as error:
        report(f"etcdsize: {error}")
        return 1
    return 0
