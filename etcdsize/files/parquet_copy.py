"""Copy the columns of a Parquet file byte for byte and add the answer columns.

Only the load is decoded. The file's metadata is read as Thrift, changed and written again, so that fields unknown to
us are preserved. In this module the file's metadata, FileMetaData in the specification, is called its description.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize.files.format import Rows
from etcdsize.files.parquet_reader import SPARK, ParquetReader
from etcdsize.files.thrift import BINARY, I32, I64, LIST, STRUCT, List, Struct, read_struct, write_struct

__all__ = ["VALUES", "ParquetCopier", "Sink", "description_of"]

VALUES = 64 * 1024
"""Values to encode at a time: with PyArrow's default of 1024, encoding takes a tenth longer (our choice, measured)."""
# The answers of a row group are held in memory until it is complete, and the description is held while the file is
# copied. A file beyond these limits is decoded and encoded again instead (our choice).
_MOST_ROWS_OF_GROUP = 8 * 1024**2
_MOST_DESCRIPTION = 8 * 1024**2
_PIECE = 1024**2

# Fields by number, from apache/parquet-format src/main/thrift/parquet.thrift. Of FileMetaData:
_SCHEMA, _GROUPS, _KEY_VALUES, _CREATED_BY, _ORDERS = 2, 4, 5, 6, 7
# Of SchemaElement:
_CHILDREN = 5
# Of RowGroup:
_COLUMNS, _GROUP_BYTES, _GROUP_ROWS, _SORTING, _GROUP_OFFSET, _GROUP_COMPRESSED = 1, 2, 3, 4, 5, 6
# Of ColumnChunk; _INDEXES are the positions of indexes, which are not copied:
_FILE_PATH, _CHUNK_OFFSET, _METADATA, _INDEXES, _CRYPTO = 1, 2, 3, (4, 5, 6, 7), 8
# Of ColumnMetaData; _PLACES are the positions of parts that are not copied:
_BYTES, _COMPRESSED, _DATA_PAGE, _DICTIONARY_PAGE, _PLACES = 6, 7, 9, 11, (10, 14, 15)
_ARROW = b"ARROW:schema"
_MAGIC = b"PAR1"


def description_of(reader: ParquetReader) -> Struct | None:
    """Return the description of a file, or None if its columns cannot be copied byte for byte."""
    metadata = reader.metadata
    groups = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    size = int.from_bytes(reader.read_at(reader.size - 8, 4), "little")
    end = reader.size - 8 - size
    if size > _MOST_DESCRIPTION or max(groups, default=0) > _MOST_ROWS_OF_GROUP:
        return None
    try:
        description = read_struct(reader.read_at(end, size))
        # The oldest writers recorded sizes without the dictionary's header (PARQUET-816).
        if re.match(rb"parquet-mr version 1\.[0-2]\b", description.get(_CREATED_BY, (BINARY, b""))[1]):
            return None
        whole = [group for group in _row_groups(description) if group[_GROUP_ROWS][1]]
        chunks = [chunk for group in whole for chunk in group[_COLUMNS][1].values]
        # Columns that are in another file or encrypted cannot be copied.
        if any(_FILE_PATH in chunk or _CRYPTO in chunk or _METADATA not in chunk for chunk in chunks):
            return None
        lie_within = all(len(_MAGIC) <= start <= start + size <= end for start, size in map(_location, chunks))
        leaves = sum(count for _, count in _fields(description))
        complete = all(len(group[_COLUMNS][1].values) == leaves for group in whole)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise reader.broken(f"its description is damaged: {error!r}") from None
    if not lie_within or not complete or sum(groups) != metadata.num_rows:
        raise reader.broken("its description does not fit the file")
    return description if len(_fields(description)) == len(reader.names) else None


def _row_groups(description: Struct) -> list[Struct]:
    """Return the row groups of a description."""
    groups: list[Struct] = description[_GROUPS][1].values
    return groups


def _fields(description: Struct) -> list[tuple[list[Struct], int]]:
    """Return the schema elements of every column, with those nested in it, and how many of them are leaves."""
    elements = iter(description[_SCHEMA][1].values[1:])

    def whole(element: Struct) -> Iterator[Struct]:
        yield element
        for _ in range(element.get(_CHILDREN, (I32, 0))[1]):
            yield from whole(next(elements))

    fields = [list(whole(element)) for element in elements]
    return [(field, sum(element.get(_CHILDREN, (I32, 0))[1] == 0 for element in field)) for field in fields]


class _Chunk(NamedTuple):
    """The position of a column chunk in the file."""

    start: int
    size: int


def _location(chunk: Struct) -> _Chunk:
    metadata: Struct = chunk[_METADATA][1]
    start = metadata[_DATA_PAGE][1]
    dictionary = metadata.get(_DICTIONARY_PAGE, (I64, 0))[1]
    return _Chunk(dictionary if 0 < dictionary < start else start, metadata[_COMPRESSED][1])


def _relocate(chunk: Struct, by: int) -> Struct:
    """Return the description of a column chunk whose position changed by a number of bytes."""
    metadata: Struct = {number: field for number, field in chunk[_METADATA][1].items() if number not in _PLACES}
    for number in (_DATA_PAGE, _DICTIONARY_PAGE):
        if number in metadata:
            metadata[number] = (I64, metadata[number][1] + by)
    found = {number: field for number, field in chunk.items() if number not in _INDEXES}
    found[_CHUNK_OFFSET] = (I64, _location(chunk).start + by)
    found[_METADATA] = (STRUCT, metadata)
    return found


class ParquetCopier:
    """Writes a Parquet file whose columns are copied byte for byte from another, with the answers last."""

    copies = True

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
        self._groups = [group for group in _row_groups(description) if group[_GROUP_ROWS][1]]
        self._done: list[tuple[list[Struct], int]] = []
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._at = 0
        self._append(_MAGIC)
        # PyArrow encodes the answers as a file of their own, whose bytes are appended to the columns of each row group.
        self._sink = Sink(None)
        self._writer: Any = None
        if answers.names:
            self._writer = pq.ParquetWriter(
                self._sink,
                answers,
                use_dictionary=[field.name for field in answers if pa.types.is_dictionary(field.type)] or False,
                compression=reader.codec,
                write_batch_size=VALUES,
            )
        self._answers = answers

    def _append(self, data: bytes) -> None:
        self._stream.write(data)
        self._at += len(data)

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write the row groups whose answers are complete."""
        self._waiting.append(answers)
        self._waiting_rows += rows.batch.num_rows
        while self._waiting_rows:
            if len(self._done) == len(self._groups):
                raise self._reader.broken("it has more rows than its description says")
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
            place = _location(columns[leaf])
            chunks.append(_relocate(columns[leaf], self._at - place.start))
            for start in range(place.start, place.start + place.size, _PIECE):
                piece = self._reader.read_at(start, min(_PIECE, place.start + place.size - start))
                if not piece:
                    raise self._reader.broken("it ends early")
                self._append(piece)
        shift = 0
        if self._writer is not None:
            shift = self._at - self._sink.size
            self._sink.stream = self._stream
            self._writer.write_table(answers, row_group_size=max(1, answers.num_rows))
            self._sink.stream = None
            self._at = self._sink.size + shift
        self._done.append((chunks, shift))

    def close(self) -> None:
        """Write the file's metadata, without which it cannot be read."""
        if len(self._done) != len(self._groups):
            raise self._reader.broken("it has fewer rows than its description says")
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
            self._describe_group(group, chunks, [_relocate(chunk, shift) for chunk in one[_COLUMNS][1].values])
            for group, (chunks, shift), one in zip(self._groups, self._done, _row_groups(added), strict=True)
        ]
        description[_GROUPS] = (LIST, List(STRUCT, described))
        pairs = description[_KEY_VALUES][1].values if _KEY_VALUES in description else []
        pairs = [pair for pair in pairs if pair[1][1] not in (_ARROW, SPARK)]
        pairs.append({1: (BINARY, _ARROW), 2: (BINARY, _arrow_schema(self._arrow))})
        description[_KEY_VALUES] = (LIST, List(STRUCT, pairs))
        written = write_struct(dict(sorted(description.items())))
        self._append(written + len(written).to_bytes(4, "little") + _MAGIC)

    def _close_answers(self) -> Struct:
        """Return the description of the file of answers."""
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

    def _describe_group(self, group: Struct, kept: list[Struct], answers: list[Struct]) -> Struct:
        chunks = [*kept, *answers]
        found = {**group, _COLUMNS: (LIST, List(STRUCT, chunks))}
        found[_GROUP_BYTES] = (I64, sum(chunk[_METADATA][1][_BYTES][1] for chunk in chunks))
        if _GROUP_COMPRESSED in found:
            found[_GROUP_COMPRESSED] = (I64, sum(chunk[_METADATA][1][_COMPRESSED][1] for chunk in chunks))
        if _GROUP_OFFSET in found:
            found[_GROUP_OFFSET] = (I64, min((_location(chunk).start for chunk in chunks), default=len(_MAGIC)))
        if not self._whole:
            # The sorting columns are given by position.
            found.pop(_SORTING, None)
        return dict(sorted(found.items()))

    def abandon(self) -> None:
        """Write no metadata, so that nobody can read an incomplete file."""
        self._sink.stream = None
        if self._writer is not None:
            self._writer.close()


def _arrow_schema(schema: pa.Schema) -> bytes:
    """Return a schema as PyArrow stores it in a Parquet file."""
    written = io.BytesIO()
    pq.write_table(schema.empty_table(), written)
    kept: bytes = pq.ParquetFile(written).metadata.metadata[_ARROW]
    return kept


class Sink(io.RawIOBase):
    """Passes on what PyArrow writes, unless the stream is None: PyArrow completes a file even if writing it failed."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self.stream: BinaryIO | None = stream
        self.size: int = 0
        """The amount that PyArrow has written. [bytes]"""
        self.kept: bytearray | None = None
        """A buffer that also collects what PyArrow writes."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.stream is not None:
            self.stream.write(data)
        if self.kept is not None:
            self.kept += data
        self.size += len(data)
        return len(data)
