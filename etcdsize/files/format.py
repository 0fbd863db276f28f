"""What a file format is: the protocols that every format meets.

To add a format, add a module to `files/formats/` whose `FORMATS` lists objects that meet `Format`; nothing else
changes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import pyarrow as pa

__all__ = ["Format", "Reader", "Rows", "Wanted", "Writer", "file_size"]


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


def file_size(stream: BinaryIO) -> int | None:
    """Return the size of the file on a disk that a stream reads or writes, None for anything else. [bytes]"""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
