"""`etcdsize schema`: print the JSON schema of an answer."""

from __future__ import annotations

from argparse import Namespace

from etcdsize.cli.answers import ANSWERS
from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.streams import write_json, write_text

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "schema",
        run=run,
        summary="print the JSON schema of an answer",
        description="""\
Print the JSON schema (draft 2020-12) of an answer that a command prints as
JSON, for programs that read it. Without NAME, list the schemas. The version in
a schema's $id is the answer's format_version.""",
        example="etcdsize schema size > size.json",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="name of the schema (default: list the names)")


def run(options: Namespace) -> int:
    """Print the JSON schema of an answer, or the names of all schemas."""
    import json

    from etcdsize.base.checks import one_of
    from etcdsize.cli.answers import schema_of
    from etcdsize.reports.layout import aligned

    if options.name is None:
        write_text("\n".join(aligned([(name, answer.meaning) for name, answer in ANSWERS.items()])) + "\n")
    else:
        write_json(json.dumps(schema_of(one_of("NAME", options.name, ANSWERS)), indent=2, ensure_ascii=False) + "\n")
    return 0
