"""Parquet: typed columns, which pass through unchanged.

From Parquet to Parquet, the bytes of the columns are copied and only the load is decoded. Columns from other formats
are encoded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from etcdsize.files.format import SURE, Reader, Rows, Writer

__all__ = ["FORMATS"]

# Rows per row group.
_ROWS = 256 * 1024
# A page or the metadata follows, and begins with a control character: a CSV file could begin with the letters.
_START = re.compile(rb"PAR1[\x00-\x1f]")


class _Parquet:
    """The Parquet format. PyArrow's Parquet module is slow to load, so it is imported when a file is opened."""

    name = "parquet"
    endings = (".parquet",)
    # A Parquet file has its metadata at the end.
    seeks = True
    typed = True
    text = False
    writes = True

    def recognizes(self, head: bytes, /) -> int:
        return SURE if _START.match(head) else 0

    def reader(self, stream: BinaryIO, name: str) -> Reader:
        from etcdsize.files.parquet_reader import ParquetReader

        return ParquetReader(stream, name)

    def writer(self, stream: BinaryIO, source: Reader, kept: Sequence[int], answers: pa.Schema) -> Writer:
        from etcdsize.files.fold import FoldedReader
        from etcdsize.files.parquet_copy import ParquetCopier, can_copy
        from etcdsize.files.parquet_folder import ParquetFolder
        from etcdsize.files.parquet_reader import ParquetReader

        whole = source.inner if isinstance(source, FoldedReader) else source
        if isinstance(source, ParquetReader) and can_copy(source.description, len(source.names)):
            return ParquetCopier(stream, source, kept, answers)
        if isinstance(whole, (ParquetFolder, ParquetReader)):
            return _ParquetWriter(stream, whole.kept_schema(kept), answers, whole.coded, whole.codec)
        schema = pa.schema([(source.names[position], pa.string()) for position in kept])
        return _ParquetWriter(stream, schema, answers, [], "snappy")


class _ParquetWriter:
    """Writes a Parquet file, with the answers last."""

    copies = False
    escape = False
    decimal = "."

    def __init__(
        self, stream: BinaryIO, schema: pa.Schema, answers: pa.Schema, coded: Sequence[str], codec: str
    ) -> None:
        import pyarrow.parquet as pq

        from etcdsize.files.parquet_copy import VALUES, Sink

        for field in answers:
            schema = schema.append(field)
        self._schema = schema
        self._sink = Sink(stream)
        coded = [*coded, *(field.name for field in answers if pa.types.is_dictionary(field.type))]
        self._writer: Any = pq.ParquetWriter(
            self._sink, schema, use_dictionary=coded or False, compression=codec, write_batch_size=VALUES
        )

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write the rows with their answers."""
        # One row group per batch: a larger one would be held in memory until it is complete.
        self._writer.write_table(
            pa.Table.from_arrays([*rows.batch.columns, *answers.columns], schema=self._schema), row_group_size=_ROWS
        )

    def close(self) -> None:
        """Write the file's metadata, without which it cannot be read."""
        self._writer.close()

    def abandon(self) -> None:
        """Write no metadata, so that nobody can read an incomplete file."""
        self._sink.stream = None
        self._writer.close()


FORMATS = (_Parquet(),)
