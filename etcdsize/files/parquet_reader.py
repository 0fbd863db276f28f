"""Read Parquet: batches of typed columns, and raw bytes of the file for copying."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize.base.text import one_line
from etcdsize.batches.loads import is_text
from etcdsize.errors import FleetFileError
from etcdsize.files.format import Rows, Wanted
from etcdsize.files.parquet_description import (
    CODEC,
    CODECS,
    COLUMNS,
    ENCODINGS,
    FILE_PATH,
    GROUP_ROWS,
    METADATA,
    Description,
    is_dictionary,
    read_description,
)
from etcdsize.files.parquet_pages import Expansion, read_pages, rows_per_batch
from etcdsize.files.thrift import STRUCT, Struct

__all__ = ["ROWS", "SPARK", "ParquetReader"]

ROWS = 256 * 1024
"""Rows per batch, a power of two."""
# PyArrow raises its own errors for a damaged file, and Python's for names that are not UTF-8.
_BROKEN = (pa.ArrowException, OSError, UnicodeDecodeError)
SPARK = b"org.apache.spark.sql.parquet.row.metadata"
"""The metadata key under which Spark stores the schema. Spark trusts it and would not see added columns."""


class ParquetReader:
    """Reads a Parquet file from a seekable stream: the file's metadata is at its end."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        self._stream = stream
        self._descriptor: int | None = None
        with contextlib.suppress(OSError, AttributeError):
            self._descriptor = stream.fileno()
        self.size: int = stream.seek(0, 2)
        """The size of the file. [bytes]"""
        if not self.size:
            raise FleetFileError(f"{name}: empty, expected a Parquet file", file=name)
        try:
            self.description: Description = read_description(self.size, self.read_at)
            """The file's metadata."""
            self._file = self._open(())
            self.schema: pa.Schema = self._file.schema_arrow
            """The columns with their types."""
        except (*_BROKEN, ValueError) as error:
            raise FleetFileError(f"{name}: not a Parquet file: {_reason(error)}", file=name) from None
        self.names: list[str] = list(self.schema.names)
        """The columns' names."""
        storage = _storage(self.description)
        self.coded: list[str] = storage[0]
        """The columns that are dictionary-encoded."""
        self.codec: str = storage[1]
        """The compression of the columns."""

    def kept_schema(self, positions: Sequence[int]) -> pa.Schema:
        """Return the schema of the columns at these positions."""
        metadata = {key: value for key, value in (self.schema.metadata or {}).items() if key != SPARK}
        return pa.schema([self.schema.field(position) for position in positions], metadata=metadata or None)

    def broken(self, reason: str) -> FleetFileError:
        """Return the error for a file that cannot be read to its end."""
        return FleetFileError(f"{self._name}: cannot be read: {reason}", file=self._name)

    def read_at(self, start: int, count: int) -> bytes:
        """Return bytes of the file. With a file descriptor, the stream's position does not change."""
        if self._descriptor is None:
            self._stream.seek(start)
            return self._stream.read(count)
        try:
            return os.pread(self._descriptor, count, start)
        except OSError as error:
            raise self.broken(str(error.strerror)) from error

    @property
    def work(self) -> tuple[int | None, str]:
        """The number of rows."""
        return self.description.rows, " rows"

    def read(self, wanted: Wanted) -> Iterator[Rows]:
        """Yield the wanted columns batch by batch."""
        # Read columns by name, unless a name is repeated or could be a path into a nested column.
        by_name = len(set(self.names)) == len(self.names) and not any("." in name for name in self.names)
        everything = range(len(self.names))
        positions = everything if wanted.positions is None else wanted.positions
        try:
            for batch in self._batches(positions if by_name else everything, by_name, wanted.coded):
                # In a damaged file, text may be invalid UTF-8.
                batch.validate(full=True)
                if not by_name:
                    batch = batch.select(list(positions))
                yield Rows(batch, batch.num_rows)
        except FleetFileError:
            raise
        except (*_BROKEN, ValueError) as error:
            raise self.broken(_reason(error)) from None

    def _batches(self, positions: Sequence[int], by_name: bool, coded: Collection[int]) -> Iterator[pa.RecordBatch]:
        """Yield columns whose pages are checked, in batches that fit into memory."""
        description = self.description
        firsts = list(itertools.accumulate((len(field.leaves) for field in description.fields), initial=0))
        if len(description.fields) == len(self.names):
            places = [place for position in positions for place in range(firsts[position], firsts[position + 1])]
            dictionaries = {firsts[position] for position in coded if is_text(self.schema.field(position).type)}
        else:
            places, dictionaries = list(range(len(description.leaves))), set()
        names = [self.names[position] for position in positions] if by_name else None
        plain, coded_too = [False] * len(places), [place in dictionaries for place in places]
        expansion = Expansion()
        seen = 0
        for run in _runs(description.groups):
            groups = [description.groups[index] for index in run]
            chunks = [[group[COLUMNS][1].values[place] for group in groups] for place in places]
            if any(METADATA not in chunk or FILE_PATH in chunk for column in chunks for chunk in column):
                raise ValueError("its columns are encrypted, or in other files")
            metadata = [[chunk[METADATA][1] for chunk in column] for column in chunks]
            pages = [
                [read_pages(one, description.leaves[place], self.read_at) for one in column]
                for place, column in zip(places, metadata)
            ]
            file, how, count = self._file, plain, rows_per_batch(groups, pages, plain, ROWS)
            if count < ROWS and dictionaries:
                # Text that is much longer than its codes stays coded.
                file, how = self._open(dictionaries), coded_too
                count = rows_per_batch(groups, pages, how, ROWS)
            if not count:
                raise ValueError("its rows differ too much in size; write it with smaller row groups")
            expansion.add(itertools.chain(*metadata), pages, how)
            for batch in file.iter_batches(batch_size=count, row_groups=run, columns=names, use_threads=True):
                seen += batch.num_rows
                yield batch
        if seen != description.rows:
            raise ValueError("it has fewer rows than its metadata says")

    def _open(self, dictionaries: Collection[int]) -> pq.ParquetFile:
        """Open the file to read columns as dictionaries, by their place among the leaves."""
        self._stream.seek(0)
        metadata = self._file.metadata if dictionaries else None
        return pq.ParquetFile(
            self._stream,
            metadata=metadata,
            read_dictionary=sorted(dictionaries),
            pre_buffer=False,
            buffer_size=1024**2,
        )


def _runs(groups: Sequence[Struct]) -> Iterator[list[int]]:
    """Yield the indices of row groups that have rows, small groups together."""
    run: list[int] = []
    rows = 0
    for index, group in enumerate(groups):
        if group[GROUP_ROWS][1]:
            run.append(index)
            rows += group[GROUP_ROWS][1]
        if rows >= ROWS:
            yield run
            run, rows = [], 0
    if run:
        yield run


def _reason(error: Exception) -> str:
    """Return the message of an error of PyArrow or of ours on one line."""
    return one_line(str(error).splitlines()[0] if str(error) else type(error).__name__)


def _storage(description: Description) -> tuple[list[str], str]:
    """Return the dictionary-encoded columns of a file and its codec, to write the output the same way."""
    if not description.groups or not description.leaves:
        return [], "snappy"
    columns = [column.get(METADATA, (STRUCT, None))[1] for column in description.groups[0][COLUMNS][1].values]
    coded = [
        leaf.path
        for leaf, column in zip(description.leaves, columns)
        if column is not None and any(map(is_dictionary, column[ENCODINGS][1].values))
    ]
    return coded, "snappy" if columns[0] is None else CODECS.get(columns[0][CODEC][1], "snappy")
