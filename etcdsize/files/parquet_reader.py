"""Read Parquet: batches of typed columns, and raw bytes of the file for copying."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize.errors import FleetFileError
from etcdsize.files.format import Rows, Wanted

__all__ = ["ROWS", "SPARK", "ParquetReader"]

ROWS = 256 * 1024
"""Rows per batch."""
# Bytes per batch: a batch of wide rows has fewer of them.
_BATCH_BYTES = 64 * 1024**2
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
        stream.seek(0)
        try:
            self._file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1024**2)
            storage = _storage(self._file.metadata)
        except _BROKEN as error:
            raise FleetFileError(f"{name}: not a Parquet file: {error}", file=name) from None
        self.coded: list[str] = storage[0]
        """The columns that are dictionary-encoded."""
        self.codec: str = storage[1]
        """The compression of the columns."""
        self.schema: pa.Schema = self._file.schema_arrow
        """The columns with their types."""
        self.names: list[str] = list(self.schema.names)
        """The columns' names."""
        self.metadata: pq.FileMetaData = self._file.metadata
        """The file's metadata."""

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
        return self.metadata.num_rows, " rows"

    def read(self, wanted: Wanted) -> Iterator[Rows]:
        """Yield the wanted columns batch by batch."""
        positions = wanted.positions
        # Read columns by name, unless a name is repeated or could be a path into a nested column.
        by_name = len(set(self.names)) == len(self.names) and not any("." in name for name in self.names)
        columns = [self.names[position] for position in positions] if positions is not None and by_name else None
        groups = range(self.metadata.num_row_groups)
        size = sum(self.metadata.row_group(group).total_byte_size for group in groups)
        rows = max(1024, min(ROWS, _BATCH_BYTES * self.metadata.num_rows // max(size, 1)))
        batches = self._file.iter_batches(batch_size=rows, columns=columns, use_threads=True)
        while True:
            try:
                batch = next(batches)
                # In a damaged file, text may be invalid UTF-8.
                batch.validate(full=True)
            except StopIteration:
                return
            except _BROKEN as error:
                raise self.broken(str(error)) from None
            if positions is not None and not by_name:
                batch = batch.select(list(positions))
            yield Rows(batch, batch.num_rows)


def _storage(description: pq.FileMetaData) -> tuple[list[str], str]:
    """Return the dictionary-encoded columns of a file and its codec, to write the output the same way."""
    if not description.num_row_groups or not description.num_columns:
        return [], "snappy"
    group = description.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    coded = [column.path_in_schema for column in columns if any("DICTIONARY" in name for name in column.encodings)]
    codec = columns[0].compression
    return coded, "none" if codec == "UNCOMPRESSED" else codec.lower()
