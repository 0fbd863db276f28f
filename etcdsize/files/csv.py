"""CSV and TSV: text, column by column; only the load is parsed, every other cell keeps its bytes.

The reader cuts the file into records itself, so that a record can be written as it stood and an error can name its
line; pyarrow parses the columns that were asked for.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from etcdsize.errors import FleetFileError, shown
from etcdsize.files import Rows

__all__ = ["CsvReader", "CsvWriter"]

_CHUNK = 4 * 1024**2
# A record longer than this is a quote that was never closed, not a cluster (our choice).
_LONGEST_RECORD = 64 * 1024**2

_NEWLINE, _RETURN, _QUOTE = b'\n\r"'


class CsvReader:
    """Reads a file of comma- or tab-separated values.

    Raises `FleetFileError`, with the line, for an empty file, a row with too few or too many cells, a quote that is
    not closed, and text that is not UTF-8.
    """

    def __init__(self, stream: BinaryIO, name: str, delimiter: str) -> None:
        self._stream = stream
        self._name = name
        self._delimiter = delimiter
        self._slow = _record_pattern(delimiter)
        self._line = 1
        self._rest = stream.read(_CHUNK).removeprefix(b"\xef\xbb\xbf")
        self._ended = not self._rest
        header = self._header()
        self.newline = b"\r\n" if header.endswith(b"\r\n") else b"\n"
        """How the header ends, and so how every record that is written ends."""
        self.header: str = self._decoded(header, 1).rstrip("\r\n")
        """The header as it stands."""
        self.names: list[str] = next(csv.reader([self.header], delimiter=delimiter))
        """The columns' names."""
        self._line += header.count(b"\n")

    def _header(self) -> bytes:
        while True:
            ends = self._record_ends(self._rest)
            while ends.size and not self._rest[: ends[0]].strip():
                # Blank lines before the header.
                self._line += 1
                self._rest = self._rest[int(ends[0]) :]
                ends = self._record_ends(self._rest)
            if ends.size or self._ended:
                break
            self._more()
        stop = int(ends[0]) if ends.size else len(self._rest)
        header, self._rest = self._rest[:stop], self._rest[stop:]
        if not header.strip():
            raise FleetFileError(f"{self._name}: empty, expected a header and a row a cluster", file=self._name)
        if not ends.size:
            self._check_closed(header)
        return header

    def _more(self) -> None:
        """Read on; at the end of the file, remember it."""
        if len(self._rest) > _LONGEST_RECORD:
            raise FleetFileError(
                f"{self._name}: line {self._line}: a row of more than {_LONGEST_RECORD // 1024**2} MiB; "
                "is a quote not closed?",
                file=self._name,
                line=self._line,
            )
        chunk = self._stream.read(_CHUNK)
        self._ended = not chunk
        self._rest += chunk

    def _record_ends(self, text: bytes) -> NDArray[np.int64]:
        """Return the position after the newline of every whole record."""
        numbers = np.frombuffer(text, np.uint8)
        newlines = np.flatnonzero(numbers == _NEWLINE)
        only_newlines = b"\r" not in text or text.count(b"\r") == text.count(b"\r\n")
        if only_newlines and b'"' not in text:
            return np.add(newlines, 1)
        quotes = np.flatnonzero(numbers == _QUOTE)
        opening, closing = quotes[0::2], quotes[1::2]
        before = numbers[opening[opening > 0] - 1]
        after = numbers[closing[closing < len(numbers) - 1] + 1]
        edges = np.array([ord(self._delimiter), _NEWLINE, _RETURN, _QUOTE], np.uint8)
        if only_newlines and np.isin(before, edges).all() and np.isin(after, edges).all():
            # Every quote opens or closes a cell, so a newline ends a record where an even number came before.
            whole: NDArray[np.int64] = newlines[np.searchsorted(quotes, newlines) % 2 == 0] + 1
            return whole
        return np.array(self._slow_ends(text), np.int64)

    def _slow_ends(self, text: bytes) -> list[int]:
        """Return the ends of every whole record, cell by cell: exact whatever the quotes and the line ends."""
        ends = []
        position = 0
        while (match := self._slow.match(text, position)) is not None:
            position = match.end()
            ends.append(position)
        return ends

    def read(self, positions: Sequence[int]) -> Iterator[Rows]:
        """Give the columns at these positions as text, and every record as it stands."""
        while True:
            ends = self._record_ends(self._rest)
            if not ends.size:
                if not self._ended:
                    self._more()
                    continue
                if not self._rest:
                    return
                self._check_closed(self._rest)
                ends = np.array([len(self._rest)], np.int64)
            stop = int(ends[-1])
            block, self._rest = self._rest[:stop], self._rest[stop:]
            rows = self._parse(block, ends, positions)
            self._line += block.count(b"\n")
            if rows is not None:
                yield rows
            if not self._ended:
                self._more()

    def _check_closed(self, record: bytes) -> None:
        """Refuse the last record of a file where a quote in it is not closed."""
        if b'"' in record and self._slow_ends(record + b"\n")[-1:] != [len(record) + 1]:
            raise FleetFileError(
                f"{self._name}: line {self._line}: a quote is opened in this row and not closed before the end of the "
                "file; close it",
                file=self._name,
                line=self._line,
            )

    def _parse(self, block: bytes, ends: NDArray[np.int64], positions: Sequence[int]) -> Rows | None:
        if not block.isascii():
            self._decoded(block, self._line)
        offsets = np.zeros(len(ends) + 1, np.int32)
        offsets[1:] = ends
        buffer = pa.py_buffer(block)
        records = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), buffer)
        records = pc.ascii_rtrim(records, characters="\r\n")
        if len(self.names) > 1:
            blank = pc.equal(pc.binary_length(records), 0)
            if pc.any(blank).as_py():
                records = records.filter(pc.invert(blank))
        if not len(records):
            return None
        wanted = [str(position) for position in positions]
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(buffer),
                read_options=pyarrow.csv.ReadOptions(
                    column_names=[str(position) for position in range(len(self.names))], block_size=len(block) + 1
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=self._delimiter,
                    newlines_in_values=b'"' in block,
                    ignore_empty_lines=len(self.names) > 1,
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=wanted,
                    column_types={name: pa.string() for name in wanted},
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise self._ragged(block, ends) or FleetFileError(f"{self._name}: {error}", file=self._name) from None
        if table.num_rows != len(records):
            raise self._ragged(block, ends) or FleetFileError(
                f"{self._name}: line {self._line} and after: a quote stands inside a cell that is not quoted; "
                'quote the cell and double the quote, as in "5"" disk"',
                file=self._name,
                line=self._line,
            )
        batches = table.combine_chunks().to_batches()
        return Rows(batches[0], len(block), records)

    def _ragged(self, block: bytes, ends: NDArray[np.int64]) -> FleetFileError | None:
        """Return the error of the first record that has too few or too many cells."""
        start, line = 0, self._line
        for end in ends.tolist():
            record = block[start:end].decode().rstrip("\r\n")
            cells = len(next(csv.reader(io.StringIO(record, newline=""), delimiter=self._delimiter), ()))
            if cells != len(self.names) and (record or len(self.names) == 1):
                return FleetFileError(
                    f"{self._name}: line {line}: got {cells} cells, expected {len(self.names)} as in the header: "
                    f"{shown(record)}",
                    file=self._name,
                    line=line,
                )
            line += block.count(b"\n", start, end)
            start = end
        return None

    def _decoded(self, text: bytes, line: int) -> str:
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            line += text.count(b"\n", 0, error.start)
            raise FleetFileError(
                f"{self._name}: line {line}: got the byte 0x{text[error.start]:02x}, expected UTF-8; "
                "convert the file first, with iconv for example",
                file=self._name,
                line=line,
            ) from None


def _record_pattern(delimiter: str) -> re.Pattern[bytes]:
    """Return what one record is, quotes inside a cell that is not quoted included."""
    d = re.escape(delimiter).encode()
    cell = rb'(?:"(?:[^"]|"")*+"[^' + d + rb"\r\n]*+|(?:[^\"\r\n" + d + rb"][^\r\n" + d + rb"]*+)?)"
    return re.compile(cell + rb"(?:" + d + cell + rb")*+(?:\r\n|\n|\r(?!\n))")


class CsvWriter:
    """Writes a file of comma- or tab-separated values, answers last."""

    def __init__(
        self, stream: BinaryIO, names: Sequence[str], answers: Sequence[str], delimiter: str, like: CsvReader | None
    ) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._newline = "\n" if like is None else like.newline.decode()
        header = self._line(names) if like is None else like.header
        stream.write((delimiter.join([header, *answers]) + self._newline).encode())

    def _line(self, cells: Sequence[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self._delimiter, lineterminator="").writerow(cells)
        return text.getvalue()

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write the rows with their answers."""
        records = rows.records
        if records is None:
            cells = [self._cells(field.name, column) for field, column in zip(rows.batch.schema, rows.batch.columns)]
            records = pc.binary_join_element_wise(*cells, self._delimiter, null_handling="replace", null_replacement="")
        columns = [self._cells(field.name, column) for field, column in zip(answers.schema, answers.columns)]
        last = pc.binary_join_element_wise(
            columns.pop(), self._newline, "", null_handling="replace", null_replacement=""
        )
        joined = pc.binary_join_element_wise(
            records, *columns, last, self._delimiter, null_handling="replace", null_replacement=""
        )
        start, stop = np.frombuffer(joined.buffers()[1], np.int32)[[joined.offset, joined.offset + len(joined)]]
        if len(joined):
            self._stream.write(memoryview(joined.buffers()[2])[int(start) : int(stop)])

    def _cells(self, name: str, column: pa.Array) -> pa.StringArray:
        """Return a column as it is written: text, quoted where it needs it."""
        if pa.types.is_dictionary(column.type):
            texts = self._cells(name, column.dictionary)
            return pa.DictionaryArray.from_arrays(column.indices, texts).cast(pa.string())
        if not pa.types.is_string(column.type):
            try:
                column = column.cast(pa.string())
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
                raise FleetFileError(
                    f"column {shown(name)}: {column.type} cannot be written as text; write Parquet instead", column=name
                ) from None
        special = pc.match_substring_regex(column, f'[{re.escape(self._delimiter)}"\r\n]')
        if not pc.any(special).as_py():
            return column
        doubled = pc.replace_substring(column, '"', '""')
        return pc.if_else(pc.fill_null(special, False), pc.binary_join_element_wise('"', doubled, '"', ""), column)
