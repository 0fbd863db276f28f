"""Parquet: batches of typed columns, which pass through as they are."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize.errors import FleetFileError
from etcdsize.files import Rows

__all__ = ["ParquetReader", "ParquetWriter"]

_ROWS = 256 * 1024


class ParquetReader:
    """Reads a Parquet file."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        if not stream.seekable():
            # The description of a Parquet file is at its end: a pipe has to be kept first.
            kept = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the reader
            shutil.copyfileobj(stream, kept)
            stream = kept
        if not stream.seek(0, 2):
            raise FleetFileError(f"{name}: empty, expected a Parquet file", file=name)
        stream.seek(0)
        try:
            self._file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1024**2)
        except (pa.ArrowInvalid, OSError) as error:
            raise FleetFileError(f"{name}: not a Parquet file: {error}", file=name) from None
        self.schema: pa.Schema = self._file.schema_arrow
        """The columns with their types."""
        self.names: list[str] = list(self.schema.names)
        """The columns' names."""
        self.rows: int = self._file.metadata.num_rows
        """How many rows there are."""

    def read(self, positions: Sequence[int]) -> Iterator[Rows]:
        """Give all columns where all positions are asked for, else those at the positions."""
        columns = None if len(positions) == len(self.names) else [self.names[position] for position in positions]
        batches = self._file.iter_batches(batch_size=_ROWS, columns=columns)
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except (pa.ArrowInvalid, OSError) as error:
                raise FleetFileError(f"{self._name}: cannot be read: {error}", file=self._name) from None
            yield Rows(batch, batch.num_rows)


class ParquetWriter:
    """Writes a Parquet file, answers last."""

    def __init__(self, stream: BinaryIO, schema: pa.Schema, answers: pa.Schema) -> None:
        for field in answers:
            schema = schema.append(field)
        self._schema = schema
        self._writer: Any = pq.ParquetWriter(stream, schema)

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write the rows with their answers."""
        self._writer.write_batch(
            pa.RecordBatch.from_arrays([*rows.batch.columns, *answers.columns], schema=self._schema)
        )

    def close(self) -> None:
        """Write the file's description, without which it cannot be read."""
        self._writer.close()
