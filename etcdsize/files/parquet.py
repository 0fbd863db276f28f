"""Parquet: batches of typed columns, which pass through as they are.

From Parquet to Parquet nothing but the load is decoded: `ParquetCopier` copies the other columns' bytes, and those of
the load, and describes them anew. `ParquetWriter` encodes what comes from elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize.errors import FleetFileError
from etcdsize.files.format import Rows
from etcdsize.files.parquet_copy import BINARY, I32, I64, LIST, STRUCT, List, Struct, read_struct, write_struct

__all__ = ["ParquetCopier", "ParquetReader", "ParquetWriter"]

_ROWS = 256 * 1024
# Encoded at a time: with pyarrow's 1024 the same work takes a tenth longer (our choice, measured).
_VALUES = 64 * 1024
# Of a batch: fewer rows where they are wide.
_BATCH_BYTES = 64 * 1024**2
# The answers of a group of rows are held until it is whole, and the description of a file while it is copied: beyond
# these, a file is written anew instead (our choice).
_MOST_ROWS_OF_GROUP = 8 * 1024**2
_MOST_DESCRIPTION = 8 * 1024**2
_PIECE = 1024**2
# What pyarrow raises for a damaged file: its own errors, and Python's for names that are no text.
_BROKEN = (pa.ArrowException, OSError, UnicodeDecodeError)


class ParquetReader:
    """Reads a Parquet file, from a stream that can seek: the file's description is at its end."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self._stream = stream
        self._descriptor: int | None = None
        with contextlib.suppress(OSError, AttributeError):
            self._descriptor = stream.fileno()
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
        told = {key: value for key, value in (self.schema.metadata or {}).items() if key != _SPARK}
        return pa.schema([self.schema.field(position) for position in positions], metadata=told or None)

    def description(self) -> Struct | None:
        """Return the file's description where its columns can be copied as they are, None where they cannot."""
        told = self._file.metadata
        groups = [told.row_group(group).num_rows for group in range(told.num_row_groups)]
        end = self._stream.seek(0, 2) - 8
        size = int.from_bytes(self.read_at(end, 4), "little")
        end -= size
        if size > _MOST_DESCRIPTION or max(groups, default=0) > _MOST_ROWS_OF_GROUP:
            return None
        try:
            description = read_struct(self.read_at(end, size))
            # The oldest writers gave sizes without the dictionary's header (PARQUET-816).
            if re.match(rb"parquet-mr version 1\.[0-2]\b", description.get(_CREATED_BY, (BINARY, b""))[1]):
                return None
            whole = [group for group in _rows_of(description) if group[_GROUP_ROWS][1]]
            chunks = [chunk for group in whole for chunk in group[_COLUMNS][1].values]
            # Bytes that lie in another file, or are encrypted, are not ours to copy.
            if any(_FILE_PATH in chunk or _CRYPTO in chunk or _TOLD not in chunk for chunk in chunks):
                return None
            lie_within = all(len(_MAGIC) <= start <= start + size <= end for start, size in map(_place, chunks))
            leaves = sum(count for _, count in _fields(description))
            as_told = all(len(group[_COLUMNS][1].values) == leaves for group in whole)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise self.broken(f"its description is damaged: {error!r}") from None
        if not lie_within or not as_told or sum(groups) != self.rows:
            raise self.broken("its description does not fit the file")
        return description if len(_fields(description)) == len(self.names) else None

    def broken(self, reason: str) -> FleetFileError:
        """Return the error of a file that cannot be read to its end."""
        return FleetFileError(f"{self.name}: cannot be read: {reason}", file=self.name)

    def read_at(self, start: int, count: int) -> bytes:
        """Return bytes of the file; where it has a descriptor, whatever else is being read meanwhile."""
        if self._descriptor is None:
            self._stream.seek(start)
            return self._stream.read(count)
        try:
            return os.pread(self._descriptor, count, start)
        except OSError as error:
            raise self.broken(str(error.strerror)) from error

    def read(self, positions: Sequence[int] | None) -> Iterator[Rows]:
        """Give the columns at these positions, all for None."""
        # Columns are read by name: not where a name is there twice, or could be a path into a nested column.
        by_name = len(set(self.names)) == len(self.names) and not any("." in name for name in self.names)
        columns = [self.names[position] for position in positions] if positions is not None and by_name else None
        description = self._file.metadata
        size = sum(description.row_group(group).total_byte_size for group in range(description.num_row_groups))
        rows = max(1024, min(_ROWS, _BATCH_BYTES * self.rows // max(size, 1)))
        batches = self._file.iter_batches(batch_size=rows, columns=columns, use_threads=True)
        while True:
            try:
                batch = next(batches)
                # Text need not be UTF-8 in a damaged file.
                batch.validate(full=True)
            except StopIteration:
                return
            except _BROKEN as error:
                raise self.broken(str(error)) from None
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


# Fields by number, from apache/parquet-format src/main/thrift/parquet.thrift. Of FileMetaData:
_SCHEMA, _GROUPS, _KEY_VALUES, _CREATED_BY, _ORDERS = 2, 4, 5, 6, 7
# Of SchemaElement:
_CHILDREN = 5
# Of RowGroup:
_COLUMNS, _GROUP_BYTES, _GROUP_ROWS, _SORTING, _GROUP_OFFSET, _GROUP_COMPRESSED = 1, 2, 3, 4, 5, 6
# Of ColumnChunk; from the offsets on, places of indexes that are not copied:
_FILE_PATH, _CHUNK_OFFSET, _TOLD, _INDEXES, _CRYPTO = 1, 2, 3, (4, 5, 6, 7), 8
# Of ColumnMetaData; the last two, places of what is not copied:
_BYTES, _COMPRESSED, _DATA_PAGE, _DICTIONARY_PAGE, _PLACES = 6, 7, 9, 11, (10, 14, 15)
# Spark takes the columns from here, and would not see the answers.
_SPARK = b"org.apache.spark.sql.parquet.row.metadata"
_ARROW = b"ARROW:schema"
_MAGIC = b"PAR1"


def _rows_of(description: Struct) -> list[Struct]:
    """Return the groups of rows that a description has."""
    groups: list[Struct] = description[_GROUPS][1].values
    return groups


def _fields(description: Struct) -> list[tuple[list[Struct], int]]:
    """Return the elements of every column, nested ones with all that is in them, and how many of them are leaves."""
    elements = iter(description[_SCHEMA][1].values[1:])

    def whole(element: Struct) -> Iterator[Struct]:
        yield element
        for _ in range(element.get(_CHILDREN, (I32, 0))[1]):
            yield from whole(next(elements))

    fields = [list(whole(element)) for element in elements]
    return [(field, sum(element.get(_CHILDREN, (I32, 0))[1] == 0 for element in field)) for field in fields]


class _Chunk(NamedTuple):
    """Where the bytes of a column of a group lie."""

    start: int
    size: int


def _place(chunk: Struct) -> _Chunk:
    told: Struct = chunk[_TOLD][1]
    start = told[_DATA_PAGE][1]
    dictionary = told.get(_DICTIONARY_PAGE, (I64, 0))[1]
    return _Chunk(dictionary if 0 < dictionary < start else start, told[_COMPRESSED][1])


def _moved(chunk: Struct, by: int) -> Struct:
    """Return the description of a column of a group that was copied to another place."""
    told: Struct = {number: field for number, field in chunk[_TOLD][1].items() if number not in _PLACES}
    for number in (_DATA_PAGE, _DICTIONARY_PAGE):
        if number in told:
            told[number] = (I64, told[number][1] + by)
    found = {number: field for number, field in chunk.items() if number not in _INDEXES}
    found[_CHUNK_OFFSET] = (I64, _place(chunk).start + by)
    found[_TOLD] = (STRUCT, told)
    return found


class ParquetCopier:
    """Writes a Parquet file whose columns are another's, byte for byte, with the answers last."""

    def __init__(
        self, stream: BinaryIO, reader: ParquetReader, description: Struct, kept: Sequence[int], answers: pa.Schema
    ) -> None:
        self._stream = stream
        self._reader = reader
        self._description = description
        self._arrow = pa.schema([*reader.kept_schema(kept), *answers], metadata=reader.kept_schema(kept).metadata)
        fields = _fields(description)
        self._elements = [element for position in kept for element in fields[position][0]]
        leaves = [sum(count for _, count in fields[:position]) for position in range(len(fields))]
        self._leaves = [leaves[position] + leaf for position in kept for leaf in range(fields[position][1])]
        self._whole = self._leaves == list(range(sum(count for _, count in fields)))
        self._groups = [group for group in _rows_of(description) if group[_GROUP_ROWS][1]]
        self._done: list[tuple[list[Struct], int]] = []
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._at = 0
        self._put(_MAGIC)
        # The answers are a file of their own, whose bytes are put where the columns of their group are.
        self._sink = _Sink(None)
        self._writer: Any = None
        if answers.names:
            self._writer = pq.ParquetWriter(
                self._sink,
                answers,
                use_dictionary=[field.name for field in answers if pa.types.is_dictionary(field.type)] or False,
                compression=reader.codec,
                write_batch_size=_VALUES,
            )
        self._answers = answers

    def _put(self, data: bytes) -> None:
        self._stream.write(data)
        self._at += len(data)

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write the groups of rows that have all their answers now."""
        self._waiting.append(answers)
        self._waiting_rows += rows.batch.num_rows
        while self._waiting_rows:
            if len(self._done) == len(self._groups):
                raise self._reader.broken("it has more rows than it says")
            group = self._groups[len(self._done)]
            wanted = group[_GROUP_ROWS][1]
            if self._waiting_rows < wanted:
                break
            table = pa.Table.from_batches(self._waiting, self._answers)
            self._write_group(group, table.slice(0, wanted))
            self._waiting = table.slice(wanted).to_batches()
            self._waiting_rows -= wanted

    def _write_group(self, group: Struct, answers: pa.Table) -> None:
        columns: list[Struct] = group[_COLUMNS][1].values
        chunks = []
        for leaf in self._leaves:
            place = _place(columns[leaf])
            chunks.append(_moved(columns[leaf], self._at - place.start))
            for start in range(place.start, place.start + place.size, _PIECE):
                piece = self._reader.read_at(start, min(_PIECE, place.start + place.size - start))
                if not piece:
                    raise self._reader.broken("it breaks off")
                self._put(piece)
        shift = 0
        if self._writer is not None:
            shift = self._at - self._sink.size
            self._sink.stream = self._stream
            self._writer.write_table(answers, row_group_size=max(1, answers.num_rows))
            self._sink.stream = None
            self._at = self._sink.size + shift
        self._done.append((chunks, shift))

    def close(self) -> None:
        """Write the file's description, without which it cannot be read."""
        if len(self._done) != len(self._groups):
            raise self._reader.broken("it has fewer rows than it says")
        added = self._close_answers()
        description = dict(self._description)
        kind, (element_kind, elements) = description[_SCHEMA]
        answers = added[_SCHEMA][1].values[1:]
        root = {**elements[0], _CHILDREN: (I32, len(self._arrow))}
        description[_SCHEMA] = (kind, List(element_kind, [root, *self._elements, *answers]))
        if _ORDERS in description and _ORDERS in added:
            orders = description[_ORDERS][1]
            kept = [orders.values[leaf] for leaf in self._leaves]
            description[_ORDERS] = (LIST, List(orders.kind, [*kept, *added[_ORDERS][1].values]))
        else:
            description.pop(_ORDERS, None)
        described = [
            self._described(group, chunks, [_moved(chunk, shift) for chunk in one[_COLUMNS][1].values])
            for group, (chunks, shift), one in zip(self._groups, self._done, _rows_of(added), strict=True)
        ]
        description[_GROUPS] = (LIST, List(STRUCT, described))
        told = description[_KEY_VALUES][1].values if _KEY_VALUES in description else []
        told = [pair for pair in told if pair[1][1] not in (_ARROW, _SPARK)]
        told.append({1: (BINARY, _ARROW), 2: (BINARY, _arrow_schema(self._arrow))})
        description[_KEY_VALUES] = (LIST, List(STRUCT, told))
        written = write_struct(dict(sorted(description.items())))
        self._put(written + len(written).to_bytes(4, "little") + _MAGIC)

    def _close_answers(self) -> Struct:
        """Return the description of the answers' own file."""
        if self._writer is None:
            none: Struct = {_COLUMNS: (LIST, List(STRUCT, []))}
            return {
                _SCHEMA: (LIST, List(STRUCT, [{}])),
                _GROUPS: (LIST, List(STRUCT, [none] * len(self._groups))),
                _ORDERS: (LIST, List(STRUCT, [])),
            }
        self._sink.kept = bytearray()
        self._writer.close()
        return read_struct(bytes(self._sink.kept))

    def _described(self, group: Struct, kept: list[Struct], answers: list[Struct]) -> Struct:
        chunks = [*kept, *answers]
        found = {**group, _COLUMNS: (LIST, List(STRUCT, chunks))}
        found[_GROUP_BYTES] = (I64, sum(chunk[_TOLD][1][_BYTES][1] for chunk in chunks))
        if _GROUP_COMPRESSED in found:
            found[_GROUP_COMPRESSED] = (I64, sum(chunk[_TOLD][1][_COMPRESSED][1] for chunk in chunks))
        if _GROUP_OFFSET in found:
            found[_GROUP_OFFSET] = (I64, min((_place(chunk).start for chunk in chunks), default=len(_MAGIC)))
        if not self._whole:
            # It tells columns by their position.
            found.pop(_SORTING, None)
        return dict(sorted(found.items()))

    def abandon(self) -> None:
        """Write no description: what is there is not the whole."""
        self._sink.stream = None
        if self._writer is not None:
            self._writer.close()


def _arrow_schema(schema: pa.Schema) -> bytes:
    """Return a schema as pyarrow keeps it in a file that it writes."""
    written = io.BytesIO()
    pq.write_table(schema.empty_table(), written)
    kept: bytes = pq.ParquetFile(written).metadata.metadata[_ARROW]
    return kept


class _Sink(io.RawIOBase):
    """Hands on what pyarrow writes, until it is told not to: pyarrow closes a file even where writing it failed."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self.stream = stream
        self.size = 0
        """How much pyarrow wrote."""
        self.kept: bytearray | None = None
        """Where to keep what it writes from now on."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.stream is not None:
            self.stream.write(data)
        if self.kept is not None:
            self.kept += data
        self.size += len(data)
        return len(data)
