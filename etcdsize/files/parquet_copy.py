"""Copy the columns of a Parquet file byte for byte and add the answer columns.

Only the load is decoded. The file's metadata is read as Thrift, changed and written again, so that fields unknown to
us are preserved.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize.files.format import Rows
from etcdsize.files.parquet_description import (
    BYTES,
    CHILDREN,
    CHUNK_OFFSET,
    COLUMNS,
    COMPRESSED,
    CREATED_BY,
    CRYPTO,
    DATA_PAGE,
    DICTIONARY_PAGE,
    FILE_PATH,
    GROUP_BYTES,
    GROUP_COMPRESSED,
    GROUP_OFFSET,
    GROUP_ROWS,
    GROUPS,
    INDEXES,
    KEY_VALUES,
    MAGIC,
    METADATA,
    ORDERS,
    PLACES,
    SCHEMA,
    SORTING,
    Description,
    chunk_of,
)
from etcdsize.files.parquet_reader import SPARK, ParquetReader
from etcdsize.files.thrift import BINARY, I32, I64, LIST, STRUCT, List, Struct, read_struct, write_struct

__all__ = ["VALUES", "ParquetCopier", "Sink", "can_copy"]

VALUES = 64 * 1024
"""Values to encode at a time: with PyArrow's default of 1024, encoding takes a tenth longer (our choice, measured)."""
# The answers of a row group are held in memory until it is complete. A file with larger groups is decoded and encoded
# again instead (our choice).
_MOST_ROWS_OF_GROUP = 8 * 1024**2
_PIECE = 1024**2
_ARROW = b"ARROW:schema"


def can_copy(description: Description, columns: int) -> bool:
    """Return whether the columns of a file can be copied byte for byte, given how many of them PyArrow sees."""
    whole = [group for group in description.groups if group[GROUP_ROWS][1]]
    chunks = [chunk for group in whole for chunk in group[COLUMNS][1].values]
    # The oldest writers recorded sizes without the dictionary's header (PARQUET-816).
    created_by: bytes = description.struct.get(CREATED_BY, (BINARY, b""))[1]
    return (
        max((group[GROUP_ROWS][1] for group in whole), default=0) <= _MOST_ROWS_OF_GROUP
        and not re.match(rb"parquet-mr version 1\.[0-2]\b", created_by)
        # Columns that are in another file or encrypted cannot be copied.
        and not any(FILE_PATH in chunk or CRYPTO in chunk or METADATA not in chunk for chunk in chunks)
        and len(description.fields) == columns
    )


def _relocate(column: Struct, by: int) -> Struct:
    """Return the description of a column chunk whose position changed by a number of bytes."""
    metadata: Struct = {number: field for number, field in column[METADATA][1].items() if number not in PLACES}
    start = chunk_of(column[METADATA][1]).start
    data = metadata[DATA_PAGE][1]
    metadata[DATA_PAGE] = (I64, data + by)
    if start < data:
        metadata[DICTIONARY_PAGE] = (I64, start + by)
    else:
        # A position of 0, which some writers give for no dictionary, would mean one if it changed.
        metadata.pop(DICTIONARY_PAGE, None)
    found = {number: field for number, field in column.items() if number not in INDEXES}
    found[CHUNK_OFFSET] = (I64, start + by)
    found[METADATA] = (STRUCT, metadata)
    return found


class ParquetCopier:
    """Writes a Parquet file whose columns are copied byte for byte from another, with the answers last."""

    copies = True
    escape = False
    decimal = "."

    def __init__(self, stream: BinaryIO, reader: ParquetReader, kept: Sequence[int], answers: pa.Schema) -> None:
        self._stream = stream
        self._reader = reader
        self._description = reader.description.struct
        self._arrow = pa.schema([*reader.kept_schema(kept), *answers], metadata=reader.kept_schema(kept).metadata)
        fields = reader.description.fields
        self._elements = [element for position in kept for element in fields[position].elements]
        firsts = list(itertools.accumulate((len(field.leaves) for field in fields), initial=0))
        self._leaves = [leaf for position in kept for leaf in range(firsts[position], firsts[position + 1])]
        self._whole = self._leaves == list(range(firsts[-1]))
        self._groups = [group for group in reader.description.groups if group[GROUP_ROWS][1]]
        self._done: list[tuple[list[Struct], int]] = []
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._at = 0
        self._append(MAGIC)
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
            wanted = group[GROUP_ROWS][1]
            if self._waiting_rows < wanted:
                break
            table = pa.Table.from_batches(self._waiting, self._answers)
            self._write_group(group, table.slice(0, wanted))
            self._waiting = table.slice(wanted).to_batches()
            self._waiting_rows -= wanted

    def _write_group(self, group: Struct, answers: pa.Table) -> None:
        columns: list[Struct] = group[COLUMNS][1].values
        chunks = []
        for leaf in self._leaves:
            place = chunk_of(columns[leaf][METADATA][1])
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
        kind, (element_kind, elements) = description[SCHEMA]
        answers = added[SCHEMA][1].values[1:]
        root = {**elements[0], CHILDREN: (I32, len(self._arrow))}
        description[SCHEMA] = (kind, List(element_kind, [root, *self._elements, *answers]))
        if ORDERS in description and ORDERS in added:
            orders = description[ORDERS][1]
            kept = [orders.values[leaf] for leaf in self._leaves]
            description[ORDERS] = (LIST, List(orders.kind, [*kept, *added[ORDERS][1].values]))
        else:
            description.pop(ORDERS, None)
        described = [
            self._describe_group(group, chunks, [_relocate(chunk, shift) for chunk in one[COLUMNS][1].values])
            for group, (chunks, shift), one in zip(self._groups, self._done, added[GROUPS][1].values, strict=True)
        ]
        description[GROUPS] = (LIST, List(STRUCT, described))
        pairs = description[KEY_VALUES][1].values if KEY_VALUES in description else []
        pairs = [pair for pair in pairs if pair[1][1] not in (_ARROW, SPARK)]
        pairs.append({1: (BINARY, _ARROW), 2: (BINARY, _arrow_schema(self._arrow))})
        description[KEY_VALUES] = (LIST, List(STRUCT, pairs))
        written = write_struct(dict(sorted(description.items())))
        self._append(written + len(written).to_bytes(4, "little") + MAGIC)

    def _close_answers(self) -> Struct:
        """Return the description of the file of answers."""
        if self._writer is None:
            none: Struct = {COLUMNS: (LIST, List(STRUCT, []))}
            return {
                SCHEMA: (LIST, List(STRUCT, [{}])),
                GROUPS: (LIST, List(STRUCT, [none] * len(self._groups))),
                ORDERS: (LIST, List(STRUCT, [])),
            }
        self._sink.kept = bytearray()
        self._writer.close()
        return read_struct(bytes(self._sink.kept))

    def _describe_group(self, group: Struct, kept: list[Struct], answers: list[Struct]) -> Struct:
        chunks = [*kept, *answers]
        found = {**group, COLUMNS: (LIST, List(STRUCT, chunks))}
        found[GROUP_BYTES] = (I64, sum(chunk[METADATA][1][BYTES][1] for chunk in chunks))
        if GROUP_COMPRESSED in found:
            found[GROUP_COMPRESSED] = (I64, sum(chunk[METADATA][1][COMPRESSED][1] for chunk in chunks))
        if GROUP_OFFSET in found:
            found[GROUP_OFFSET] = (
                I64,
                min((chunk_of(chunk[METADATA][1]).start for chunk in chunks), default=len(MAGIC)),
            )
        if not self._whole:
            # The sorting columns are given by position.
            found.pop(SORTING, None)
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
