"""`etcdsize schema`: print the JSON schema of a sizing."""

from __future__ import annotations

from argparse import Namespace

from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.streams import write_json

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    add_command(
        commands,
        "schema",
        run=run,
        summary="print the JSON schema of the answer of size",
        description="Print the JSON schema of the output of 'etcdsize size --json', for programs that\nread it.",
        example="etcdsize schema > sizing.schema.json",
    )


def run(options: Namespace) -> int:  # noqa: ARG001 - every command is called with its options
    """Print the JSON schema of a sizing."""
    import json

    from etcdsize.sizing.size import Sizing

    write_json(json.dumps(Sizing.model_json_schema(), indent=2, ensure_ascii=False) + "\n")
    return 0
