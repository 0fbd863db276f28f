"""What a file format is: the protocols that every format meets, and the formats that there are.

To add a format, add a module to `files/formats/` whose `FORMATS` lists objects that meet `Format`; nothing else
changes.
"""

from __future__ import annotations

import functools
import os
import pkgutil
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

from etcdsize.base.checks import one_of
from etcdsize.errors import FleetFileError

__all__ = ["Format", "Reader", "Rows", "Wanted", "Writer", "file_size", "find_format", "formats"]


@dataclass(frozen=True)
class Rows:
    """Some rows of a file."""

    batch: pa.RecordBatch
    """The columns that were asked for, in order, named by their position in the file."""
    work: int
    """How much of the file these rows are, in the unit of `Reader.work`."""
    records: pa.StringArray | None = None
    """Each row as it stands in the file, for a writer of the same format; None where the format has no such thing."""


@dataclass(frozen=True)
class Wanted:
    """What to read of a file."""

    positions: Sequence[int] | None
    """The positions of the columns, in order; None for all of them."""
    numbers: Collection[int] = ()
    """Positions of columns that may come as numbers, where they hold nothing else."""
    reserved: Collection[str] = ()
    """Names that no column may have, not even one that only a later row brings."""


class Reader(Protocol):
    """An opened file of clusters."""

    names: list[str]
    """The columns' names."""

    @property
    def work(self) -> tuple[int | None, str]:
        """The size of the file, None where it is unknown, and its unit such as `B`."""
        ...

    def read(self, wanted: Wanted) -> Iterator[Rows]:
        """Yield the columns that are wanted, batch by batch. A format without types yields text."""
        ...


class Writer(Protocol):
    """A file of clusters that is being written."""

    copies: bool
    """Whether rows are copied from the input as they stand, so that no column has to be read for them."""

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write rows with their answers after them."""
        ...

    def close(self) -> None:
        """Complete the file."""
        ...

    def abandon(self) -> None:
        """Leave the file incomplete, so that nobody can take it for a whole one."""
        ...


class Format(Protocol):
    """A file format."""

    name: str
    """What `--format` calls it."""
    endings: tuple[str, ...]
    """The endings of file names, in lower case, such as `.csv`."""
    seeks: bool
    """Whether reading has to move about in the file, so that a pipe has to be stored first."""

    def reader(self, stream: BinaryIO, name: str) -> Reader:
        """Return a reader of a stream; `name` is for messages.

        Raises
        ------
        FleetFileError
            For a file that is not of this format.
        """
        ...

    def writer(self, stream: BinaryIO, source: Reader, kept: Sequence[int], answers: pa.Schema) -> Writer:
        """Return a writer of the columns of `source` at the positions `kept`, with the answers after them."""
        ...


@functools.cache
def formats() -> dict[str, Format]:
    """Return every format by its name."""
    from etcdsize.files import formats as folder

    modules = (import_module(f"{folder.__name__}.{found.name}") for found in pkgutil.iter_modules(folder.__path__))
    return {known.name: known for module in modules for known in module.FORMATS}


def find_format(path: Path, option: str | None) -> Format:
    """Return the format of a file: the one that was asked for, or the one that its name ends with.

    Raises
    ------
    FleetFileError
        Where neither says which format it is.
    """
    known = formats()
    if option is not None:
        return known[one_of("format", option, known)]
    ending = path.suffix.lower()
    for candidate in known.values():
        if ending in candidate.endings:
            return candidate
    name = "standard input or output" if str(path) == "-" else str(path)
    raise FleetFileError(
        f"{name}: the name does not say the format; give the format, one of {', '.join(known)}", file=str(path)
    )


def file_size(stream: BinaryIO) -> int | None:
    """Return the size of the file on a disk that a stream reads or writes, None for anything else. [bytes]"""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
