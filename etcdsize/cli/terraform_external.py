"""`etcdsize terraform-external`: answer a query of Terraform's external data source."""

from __future__ import annotations

import json
from argparse import Namespace

from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.clock import report_old_prices, report_old_versions
from etcdsize.cli.streams import content, reject_own_output, write_json

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    add_command(
        commands,
        "terraform-external",
        run=run,
        # Terraform's protocol.
        error_code=1,
        summary="answer Terraform's external data source",
        description="""\
Read a query of Terraform's external data source, a JSON object of strings, from
standard input, and print the answer as another: tier, machines, settings and,
with hosts, the commands or files that start each member. An error is one line
on standard error, with exit code 1. docs/bootstrap.md lists the keys.""",
        example="""echo '{"clients": "300"}' | etcdsize terraform-external""",
    )


def run(options: Namespace) -> int:  # noqa: ARG001 - every command is called with its options
    """Answer the query on standard input."""
    from etcdsize.plan.terraform import answer

    reject_own_output("-")
    found = answer(content("-"))
    write_json(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    report_old_versions(found["etcd_version"])
    field = "price_date_"
    report_old_prices((name.removeprefix(field), date) for name, date in found.items() if name.startswith(field))
    return 0
