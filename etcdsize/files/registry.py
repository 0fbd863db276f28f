"""Find the file formats: every module of `files/formats/` lists its own."""

from __future__ import annotations

import functools
import pkgutil
from importlib import import_module
from pathlib import Path

from etcdsize.base.checks import one_of
from etcdsize.base.text import shown
from etcdsize.errors import FleetFileError, OptionError
from etcdsize.files import formats as folder
from etcdsize.files.compression import split_name
from etcdsize.files.delimiters import delimiter_of
from etcdsize.files.format import Delimited, Format, Sheets

__all__ = ["find_format", "format_named", "format_of_name", "formats", "unknown_format", "with_delimiter", "with_sheet"]


@functools.cache
def formats() -> dict[str, Format]:
    """Return every format by its name."""
    modules = (import_module(f"{folder.__name__}.{found.name}") for found in pkgutil.iter_modules(folder.__path__))
    return {known.name: known for module in modules for known in module.FORMATS}


def format_named(name: str) -> Format:
    """Return the format of this name.

    Raises
    ------
    OptionError
        If there is none.
    """
    return formats()[one_of("format", name, formats())]


def format_of_name(path: Path) -> Format | None:
    """Return the format that the ending of a file's name stands for, or None. The ending of a compression is passed."""
    ending = split_name(path)[0].suffix.lower()
    return next((known for known in formats().values() if ending in known.endings), None)


def find_format(path: Path, option: str | None, *, default: Format | None = None) -> Format:
    """Return the format of an output: the requested one, or that of its name, or the default.

    The default is CSV if files of the format are only read.

    Raises
    ------
    FleetFileError
        If the format is not given, the name does not tell it, and there is no default; and if it is only read.
    """
    if default is not None and not default.writes:
        default = formats()["csv"]
    found = format_named(option) if option is not None else format_of_name(path) or default
    if found is None:
        raise unknown_format(path, written=True)
    if not found.writes:
        name = "standard output" if str(path) == "-" else str(path)
        raise FleetFileError(
            f"{name}: {found.name} is read and not written, expected {_listed(written=True)}; write CSV, which "
            "spreadsheets open",
            file=str(path),
        )
    return found


def unknown_format(path: Path, *, written: bool = False) -> FleetFileError:
    """Return the error for a file whose format nothing tells."""
    name = "standard input or output" if str(path) == "-" else str(path)
    return FleetFileError(
        f"{name}: the name does not say the format; give the format, {_listed(written=written)}", file=str(path)
    )


def _listed(*, written: bool) -> str:
    return f"one of {', '.join(name for name, known in formats().items() if known.writes or not written)}"


def with_sheet(kind: Format, sheet: str) -> Format:
    """Return a format for one sheet of a file.

    Raises
    ------
    OptionError
        For a format without sheets.
    """
    if isinstance(kind, Sheets):
        return kind.on_sheet(sheet)
    raise _has_none("sheet", sheet, kind)


def with_delimiter(kind: Format, delimiter: str) -> Format:
    """Return a format with a chosen character between cells.

    Raises
    ------
    OptionError
        For a character that separates no cells, and for a format without delimiters.
    """
    chosen = delimiter_of(delimiter)
    if isinstance(kind, Delimited):
        return kind.delimited(chosen)
    raise _has_none("delimiter", delimiter, kind)


def _has_none(option: str, value: str, kind: Format) -> OptionError:
    """Return the error for an option that a format has no use for."""
    return OptionError(
        f"{option}: got {shown(value)} for the format {kind.name}, which has no {option}s; leave it out",
        option=option,
        value=value,
    )
