"""Parquet: batches of typed columns, which pass through as they are."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize.errors import FleetFileError
from etcdsize.files import Rows

__all__ = ["ParquetReader", "ParquetWriter"]

_ROWS = 256 * 1024
# Encoded at a time: with pyarrow's 1024 the same work takes a tenth longer (our choice, measured).
_VALUES = 64 * 1024
# Of a batch: fewer rows where they are wide.
_BATCH_BYTES = 64 * 1024**2
# What pyarrow raises for a damaged file: its own errors, and Python's for names that are no text.
_BROKEN = (pa.ArrowException, OSError, UnicodeDecodeError)


class ParquetReader:
    """Reads a Parquet file, from a stream that can seek: the file's description is at its end."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        if not stream.seek(0, 2):
            raise FleetFileError(f"{name}: empty, expected a Parquet file", file=name)
        stream.seek(0)
        try:
            self._file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1024**2)
            storage = _storage(self._file.metadata)
        except _BROKEN as error:
            raise FleetFileError(f"{name}: not a Parquet file: {error}", file=name) from None
        self.coded: list[str] = storage[0]
        """The columns that are kept as dictionaries."""
        self.codec: str = storage[1]
        """How the columns are compressed."""
        self.schema: pa.Schema = self._file.schema_arrow
        """The columns with their types."""
        self.names: list[str] = list(self.schema.names)
        """The columns' names."""
        self.rows: int = self._file.metadata.num_rows
        """How many rows there are."""

    def kept_schema(self, positions: Sequence[int]) -> pa.Schema:
        """Return the columns at these positions with their types."""
        return pa.schema([self.schema.field(position) for position in positions], metadata=self.schema.metadata)

    def read(self, positions: Sequence[int] | None) -> Iterator[Rows]:
        """Give the columns at these positions, all for None."""
        # Columns are read by name: not where a name is there twice, or could be a path into a nested column.
        by_name = len(set(self.names)) == len(self.names) and not any("." in name for name in self.names)
        columns = [self.names[position] for position in positions] if positions is not None and by_name else None
        description = self._file.metadata
        size = sum(description.row_group(group).total_byte_size for group in range(description.num_row_groups))
        rows = max(1024, min(_ROWS, _BATCH_BYTES * self.rows // max(size, 1)))
        # One thread: more would take the cores from writing, which goes on meanwhile and takes longest.
        batches = self._file.iter_batches(batch_size=rows, columns=columns, use_threads=False)
        while True:
            try:
                batch = next(batches)
                # Text need not be UTF-8 in a damaged file.
                batch.validate(full=True)
            except StopIteration:
                return
            except _BROKEN as error:
                raise FleetFileError(f"{self._name}: cannot be read: {error}", file=self._name) from None
            if positions is not None and not by_name:
                batch = batch.select(list(positions))
            yield Rows(batch, batch.num_rows)


def _storage(description: pq.FileMetaData) -> tuple[list[str], str]:
    """Return the columns that a file keeps as dictionaries, and its codec: what is written from it is kept alike."""
    if not description.num_row_groups or not description.num_columns:
        return [], "snappy"
    group = description.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    coded = [column.path_in_schema for column in columns if any("DICTIONARY" in name for name in column.encodings)]
    codec = columns[0].compression
    return coded, "none" if codec == "UNCOMPRESSED" else codec.lower()


class ParquetWriter:
    """Writes a Parquet file, answers last."""

    def __init__(self, stream: BinaryIO, schema: pa.Schema, answers: pa.Schema, like: ParquetReader | None) -> None:
        for field in answers:
            schema = schema.append(field)
        self._schema = schema
        self._sink = _Sink(stream)
        coded, codec = ([], "snappy") if like is None else (like.coded, like.codec)
        coded = coded + [field.name for field in answers if pa.types.is_dictionary(field.type)]
        self._writer: Any = pq.ParquetWriter(
            self._sink, schema, use_dictionary=coded or False, compression=codec, write_batch_size=_VALUES
        )

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write the rows with their answers."""
        # A group of rows a batch: what is collected for a larger one would be held in memory.
        self._writer.write_table(
            pa.Table.from_arrays([*rows.batch.columns, *answers.columns], schema=self._schema), row_group_size=_ROWS
        )

    def close(self) -> None:
        """Write the file's description, without which it cannot be read."""
        self._writer.close()

    def abandon(self) -> None:
        """Write no description: what is there is not the whole."""
        self._sink.stream = None
        self._writer.close()


class _Sink(io.RawIOBase):
    """Hands on what pyarrow writes, until it is told not to: pyarrow closes a file even where writing it failed."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream: BinaryIO | None = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.stream is not None:
            self.stream.write(data)
        return len(data)
