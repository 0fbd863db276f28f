"""The help of every command, the keys of Terraform's query, and the columns of fleet files."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from etcdsize.batches.columns import USUAL_NAMES
from etcdsize.cli.parser import build_parser
from etcdsize.plan.terraform import ANSWER, QUERY
from pages.markdown import table


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of a parser's commands, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def command_names() -> list[str]:
    """Return `etcdsize` and the full name of each of its commands."""
    names = ["etcdsize"]
    for name, parser in subcommands(build_parser()).items():
        names += [f"etcdsize {name}", *(f"etcdsize {name} {deeper}" for deeper in subcommands(parser))]
    return names


def help_text(command: str) -> str:
    """Return the help that `etcdsize` or one of its commands prints."""
    parser = build_parser()
    words = command.split()[1:]
    for word in words:
        parser = subcommands(parser)[word]
    return f"```text\n{parser.format_help().rstrip()}\n```"


def terraform_answer_table() -> str:
    """Return a table of the keys of an answer to Terraform."""
    return table(["key", "value"], [[f"`{key}`", meaning] for key, meaning in ANSWER.items()])


def terraform_table() -> str:
    """Return a table of the keys that a query of Terraform may have."""
    return table(["key", "meaning"], [[f"`{name}`", text] for name, text in QUERY.items()])


def columns() -> str:
    """Return a table of the column names that `etcdsize fleet` recognizes."""

    def listed(names: Iterable[str]) -> str:
        return ", ".join(f"`{name}`" for name in names)

    rows = [[f"`{column}`", listed(names)] for column, names in USUAL_NAMES.items()]
    return table(["column", "recognized names"], rows)
