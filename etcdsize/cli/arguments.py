"""The options that several commands share, each defined once."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from etcdsize import units
from etcdsize.base.text import in_words, nearest, shown
from etcdsize.catalog.architectures import ARCHITECTURES, architecture_name
from etcdsize.cli.argument_parser import Container, file_name
from etcdsize.cli.streams import reject_own_output
from etcdsize.errors import OptionError

__all__ = [
    "LOAD",
    "Pairs",
    "add_basis",
    "add_catalog",
    "add_clients",
    "add_columns",
    "add_force",
    "add_headroom",
    "add_json",
    "add_load",
    "add_members",
    "add_output",
    "add_output_format",
    "add_provider",
    "add_region",
    "add_tiers",
    "architecture",
    "choice",
    "pair",
    "reject_own_options",
]

LOAD = "one or more of --clients, --requests-per-second, --data and --kubernetes-nodes, or --profile"
"""The options of a load, as messages name them."""


def add_json(parser: Container) -> None:
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def add_tiers(parser: Container) -> None:
    parser.add_argument(
        "--tiers",
        metavar="TABLE",
        type=file_name,
        default="guide",
        help="the tiers' bounds: guide, etcd.io, or a JSON file of your own (default: guide)",
    )


def add_catalog(parser: Container, *, default: str | None = None, otherwise: str = "") -> None:
    """Add `--catalog`. If `default` is None, the command chooses; `otherwise` says when it chooses current as well."""
    chosen = f"guide, or current if only that has machines of the provider{otherwise}"
    parser.add_argument(
        "--catalog",
        metavar="CATALOG",
        type=file_name,
        default=default,
        help="the machines to choose from: guide, guide-as-printed, current, or a JSON file of your own "
        f"(default: {default or chosen})",
    )


# The options that name a file to read.
_FILES = ("catalog", "tiers", "profile", "model", "cacert", "cert", "key")


def reject_own_options(options: argparse.Namespace) -> None:
    """Reject an output that is a file which an option names, such as a table, a profile, or a certificate."""
    from_options = [getattr(options, name, None) for name in _FILES]
    files = [name for name in from_options if name not in (None, "guide")]
    if files:
        from etcdsize.catalog.loading import BUILT_IN as CATALOGS
        from etcdsize.tiers import BUILT_IN as TIERS

        own = [name for name in files if name not in (*CATALOGS, *TIERS)]
        reject_own_output(*own, output=getattr(options, "output", None))


def add_headroom(parser: Container) -> None:
    parser.add_argument(
        "--headroom",
        metavar="SHARE",
        type=units.parse_fraction,
        default="0",
        help="share of every bound to keep free, e.g. 30%% or 0.3 (default: 0)",
    )


def add_clients(parser: Container, *, help: str = "concurrent client connections") -> None:  # noqa: A002 - argparse's word
    parser.add_argument("--clients", metavar="N", type=units.parse_count, help=help)


def add_load(parser: Container) -> None:
    """Add the dimensions of a load, and the nodes of a Kubernetes cluster."""
    add_clients(parser)
    parser.add_argument(
        "--requests-per-second",
        "--rps",
        metavar="RATE",
        type=units.parse_rate,
        help="requests per second, e.g. 800 or 2.5k",
    )
    parser.add_argument(
        "--data",
        metavar="SIZE",
        type=units.parse_bytes,
        help="data stored, e.g. 400MB (10^6 bytes) or 2GiB (2^30 bytes)",
    )
    parser.add_argument(
        "--kubernetes-nodes",
        "--nodes",
        metavar="N",
        type=units.parse_whole,
        help="nodes of the Kubernetes cluster that etcd serves: a rough proxy, if nothing is measured",
    )


def add_basis(parser: Container) -> None:
    parser.add_argument(
        "--basis",
        metavar="BASIS",
        type=choice(("larger", "guide", "measured")),
        help="what decides the machine: guide (what the tier needs), measured (what the load needs) or larger "
        "(the larger of the two, or guide while only clients, requests and data are known) (default: larger)",
    )


def add_provider(parser: Container) -> None:
    parser.add_argument(
        "--provider",
        metavar="NAME",
        action="append",
        help="name of a provider, such as aws, alibaba or one of your own; can be repeated (default: every provider of "
        "the catalog; of current, only aws, azure and gce)",
    )


def add_region(
    parser: Container, *, default: str = "the prices that the catalog has", what: str = "use the prices of this region"
) -> None:
    parser.add_argument(
        "--region",
        metavar="NAME",
        action="append",
        help=f"{what}, and only the machines of its provider, e.g. eu-west-1, or aws=eu-west-1 to name the provider "
        f"too; can be repeated, once for each provider (default: {default})",
    )


def add_members(parser: Container) -> None:
    parser.add_argument(
        "--members",
        metavar="N",
        type=units.parse_whole,
        default="3",
        help="number of voting members (default: 3)",
    )


def add_output(parser: Container, *, help: str, required: bool = False) -> None:  # noqa: A002 - argparse's word
    parser.add_argument("-o", "--output", metavar="OUT", type=file_name, required=required, help=help)


def add_output_format(parser: Container, *, standard_output: str) -> None:
    parser.add_argument(
        "--output-format",
        metavar="FORMAT",
        type=_output_format,
        help="format of OUT: csv, tsv, jsonl, json or parquet (default: by the name of OUT; on standard output, to a "
        f"pipe or a device, {standard_output})",
    )


# Those that are written. xlsx is only read, which the output says.
_WRITTEN = ("csv", "tsv", "jsonl", "json", "parquet")


def _output_format(text: str) -> str:
    """Return the name of a format; the library's own error names its argument, and there are two formats here."""
    if text not in (*_WRITTEN, "xlsx"):
        raise OptionError(f"got {shown(text)}, expected {in_words(_WRITTEN, 'or')}", option="output_format", value=text)
    return text


def add_columns(parser: Container, *, names: str) -> None:
    parser.add_argument(
        "--columns",
        metavar="LIST",
        type=_comma_separated,
        help=f"write only these columns, separated by commas: {names} (default: all columns)",
    )


def add_force(parser: Container, *, help: str = "replace OUT if it exists") -> None:  # noqa: A002 - argparse's word
    parser.add_argument("--force", action="store_true", help=help)


def choice(words: Sequence[str]) -> Callable[[str], str]:
    """Return a converter for `type=` that accepts one of the words."""

    def convert(text: str) -> str:
        if text not in words:
            raise OptionError(f"got {shown(text)}, expected {in_words(words, 'or')}{nearest(text, words)}")
        return text

    return convert


def architecture(*others: str) -> Callable[[str], str]:
    """Return a converter for `type=` that accepts an architecture, by any of its names, or one of the other words."""
    accepted = choice((*ARCHITECTURES, *others))
    return lambda text: accepted(architecture_name(text))


def _comma_separated(text: str) -> list[str]:
    return text.split(",")


def pair(expected: str, aliases: dict[str, str] | None = None) -> Callable[[str], tuple[str, str]]:
    """Return a converter for `type=` that splits NAME=VALUE, for options with the action `Pairs`."""

    def convert(text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise OptionError(f"got {shown(text)}, expected {expected}")
        return (aliases or {}).get(name, name), value

    return convert


class Pairs(argparse.Action):
    """Collects the pairs of an option that can be repeated in a dict, and rejects a name that is repeated."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - the signature that argparse calls
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002 - the signature that argparse calls
    ) -> None:
        name, value = values
        found = getattr(namespace, self.dest) or {}
        if name in found:
            option = self.option_strings[0]
            raise OptionError(
                f"{option}: got {shown(name)} more than once, expected it once", option=option, value=name
            )
        setattr(namespace, self.dest, {**found, name: value})
