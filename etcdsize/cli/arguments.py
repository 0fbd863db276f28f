"""What the parsers of all commands are made of: the parser and its help, and options that several commands have.

This module imports the standard library and `errors` only; `units` where a load has to be read.
"""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from etcdsize.base.text import one_line

__all__ = [
    "Parser",
    "add_command",
    "add_headroom",
    "add_json",
    "add_load",
    "add_members",
    "add_provider",
    "add_tables",
    "loads_of",
]


class Formatter(argparse.RawDescriptionHelpFormatter):
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


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def __init__(self, **options: object) -> None:
        options.setdefault("formatter_class", Formatter)
        super().__init__(allow_abbrev=False, **options)  # type: ignore[arg-type]
        if sys.version_info >= (3, 14):
            self.color = False

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {one_line(message)}; see '{self.prog} --help'\n")


def add_command(commands: argparse._SubParsersAction[Parser], name: str, short: str, text: str) -> Parser:
    return commands.add_parser(name, help=short, description=text)


def add_json(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def add_tables(parser: argparse._ActionsContainer, *, catalog: bool = True) -> None:
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


def add_headroom(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--headroom",
        metavar="SHARE",
        default="0",
        help="the share of every bound to keep free, such as 30%% or 0.3 (default: 0)",
    )


def add_load(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--clients", metavar="N", help="concurrent client connections")
    parser.add_argument(
        "--requests-per-second", "--rps", metavar="RATE", help="requests per second, such as 800 or 2.5k"
    )
    parser.add_argument("--data", metavar="SIZE", help="data stored, such as 400MB (10^6 bytes) or 2GiB (2^30)")


def loads_of(options: argparse.Namespace) -> tuple[float | None, float | None, float | None]:
    """Return what the options of `add_load` say: clients, requests per second, bytes of data."""
    from etcdsize import units

    return (
        units.parsed("--clients", options.clients, units.parse_count),
        units.parsed("--requests-per-second", options.requests_per_second, units.parse_rate),
        units.parsed("--data", options.data, units.parse_bytes),
    )


def add_provider(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--provider",
        metavar="NAME",
        action="append",
        help="aws, azure or gce (gcp, google); may be given again (default: every one of the catalog)",
    )


def add_members(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--members", metavar="N", default="3", help="voting members of the cluster (default: 3)")
