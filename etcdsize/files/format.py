"""The protocols that every file format implements.

To add a format, add a module to `files/formats/` whose `FORMATS` lists objects that implement `Format`. Nothing else
changes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable

import pyarrow as pa

__all__ = [
    *("POSSIBLE", "SURE", "Delimited", "Format", "Noting", "Reader", "Rows", "Sheets"),
    *("Wanted", "Writer", "file_size"),
]

POSSIBLE, SURE = 1, 2
"""How far the first bytes of a file tell that it is of a format."""


@dataclass(frozen=True)
class Rows:
    """Some rows of a file."""

    batch: pa.RecordBatch
    """The requested columns in order, named by their position in the file."""
    work: int
    """How much of the file these rows are, in the unit of `Reader.work`."""
    records: pa.StringArray | None = None
    """The text of each row in the file, for a writer of the same format; None if the format has no text."""
    loads: pa.RecordBatch | None = None
    """The columns to size, where they differ from those to write: see `Wanted.decimal`."""


@dataclass(frozen=True)
class Wanted:
    """What to read from a file."""

    positions: Sequence[int] | None
    """The positions of the columns, in order; None for all of them."""
    numbers: Collection[int] = ()
    """Positions of columns that may be returned as numbers if they hold nothing else."""
    coded: Collection[int] = ()
    """Positions of columns of text that may be returned as dictionaries."""
    reserved: Collection[str] = ()
    """Names that no column may have, not even one that first appears in a later row."""
    loads: Collection[int] = ()
    """Positions of columns in which text is read as numbers."""
    decimal: str = "."
    """The decimal mark in that text. A format with numbers of its own returns them in `Rows.loads` with this mark."""


class Reader(Protocol):
    """An open file of clusters."""

    names: list[str]
    """The columns' names."""

    @property
    def work(self) -> tuple[int | None, str]:
        """The size of the file, None if unknown, and its unit, e.g. `B`."""
        ...

    def read(self, wanted: Wanted) -> Iterator[Rows]:
        """Yield the wanted columns batch by batch. A format without types yields text."""
        ...


class Writer(Protocol):
    """A file of clusters that is being written."""

    copies: bool
    """Whether rows are copied unchanged from the input, so that no column has to be read for them."""
    escape: bool
    """Whether a format for spreadsheets escapes columns that it writes, as it always escapes answers. May be set."""
    decimal: str
    """The decimal mark of answers in a format for spreadsheets. May be set."""

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write rows, each followed by its answers."""
        ...

    def close(self) -> None:
        """Complete the file."""
        ...

    def abandon(self) -> None:
        """Leave the file incomplete, so that nobody mistakes it for a complete one."""
        ...


class Format(Protocol):
    """A file format."""

    name: str
    """The name for `--format`."""
    endings: tuple[str, ...]
    """The endings of file names, in lower case, such as `.csv`."""
    seeks: bool
    """Whether reading needs to seek, so that a pipe has to be stored in a file first."""
    typed: bool
    """Whether columns have types when they are written; otherwise everything becomes text."""
    writes: bool
    """Whether files can be written, and not only read."""
    text: bool
    """Whether files are text, which may also be UTF-16: the reader gets UTF-8."""

    def recognizes(self, head: bytes, /) -> int:
        """Return how far these first bytes tell that a file is of this format.

        `SURE` if they do whatever its name says, `POSSIBLE` if the format can read it too, 0 if they do not tell.
        """
        ...

    def reader(self, stream: BinaryIO, name: str) -> Reader:
        """Return a reader for a stream; error messages call the file `name`.

        Raises
        ------
        FleetFileError
            For a file that is not of this format.
        """
        ...

    def writer(self, stream: BinaryIO, source: Reader, kept: Sequence[int], answers: pa.Schema, /) -> Writer:
        """Return a writer for the columns of `source` at the positions `kept`, followed by the answers."""
        ...


@runtime_checkable
class Sheets(Format, Protocol):
    """A format of files that have several sheets, of which one can be chosen."""

    def on_sheet(self, sheet: str) -> Format:
        """Return the same format for this sheet of a file."""
        ...


@runtime_checkable
class Noting(Protocol):
    """A reader that has something to tell whoever reads the answer."""

    notes: tuple[str, ...]
    """One line each."""


@runtime_checkable
class Delimited(Format, Protocol):
    """A format of text with a character between cells, which can be chosen."""

    def delimited(self, delimiter: str) -> Format:
        """Return the same format with this delimiter, whatever the header says."""
        ...


def file_size(stream: BinaryIO) -> int | None:
    """Return the size of the regular file behind a stream, None for anything else. [bytes]"""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
