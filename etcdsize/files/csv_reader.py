"""Read CSV and TSV. Only the load is parsed; every other cell keeps its bytes.

The reader splits the file into records itself, so that a record can be copied unchanged and an error can name its
line. PyArrow parses the requested columns if they are not plain text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from etcdsize.base.text import in_words, shown
from etcdsize.batches.cells import PADDING
from etcdsize.errors import FleetFileError
from etcdsize.files.csv_cells import PAD, Cells, cut
from etcdsize.files.delimiters import DELIMITERS, Splitter, find_delimiter, sep_delimiter
from etcdsize.files.format import Rows, Wanted, file_size

__all__ = ["CsvReader"]

_CHUNK = 4 * 1024**2
# A record longer than this is a quote that was never closed, not a cluster (our choice).
_LONGEST_RECORD = 64 * 1024**2

_BOM = b"\xef\xbb\xbf"
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
# The bytes that a row of empty cells consists of.
_MAY_BE_BLANK = np.zeros(256, np.bool_)
_MAY_BE_BLANK[list((DELIMITERS + PADDING).encode())] = True
# Lines before the header with nothing in them, whatever separates their cells. The last two bytes are a no-break space.
_BLANK_BYTES = b" \t\v\f,;|\xc2\xa0"
_BLANK_LINES = re.compile(rb"(?:[" + _BLANK_BYTES + rb"]*+[\r\n])++")


class CsvReader:
    """Reads a file of delimited values.

    Raises `FleetFileError`, with the line, for an empty file, a header whose delimiter is ambiguous, a row with too few
    or too many cells, an unclosed quote, text after a closing quote, and text that is not UTF-8.

    Parameters
    ----------
    stream : binary file
        The file.
    name : str
        What messages call it.
    kind : str
        The name of its format.
    delimiter : str
        The delimiter that was chosen. Otherwise the format's own, for a header without a delimiter.
    chosen : bool
        Whether the delimiter was chosen, so that the header is not asked.
    """

    def __init__(self, stream: BinaryIO, name: str, kind: str, delimiter: str, *, chosen: bool) -> None:
        self._stream = stream
        self._name = name
        self.kind = kind
        """The name of the format."""
        self._splitter = Splitter(delimiter if chosen else DELIMITERS)
        self._line = 1
        self._rest = b""
        self._ended = False
        while len(self._rest) < len(_BOM) and not self._ended:
            self._read_more()
        self._rest = self._rest.removeprefix(_BOM)
        header = self._header()
        line = self._decode(header, self._line).rstrip("\r\n")
        named = sep_delimiter(line)
        self.sep_line: str | None = None if named is None or (chosen and named != delimiter) else line
        """Excel's line before the header, such as `sep=;`, unless it names another delimiter than the chosen one."""
        if named is not None:
            if not chosen:
                self._splitter = Splitter(self._check_sep(named))
            self._line += _line_count(header)
            header = self._header()
        if len(self._splitter.delimiters) > 1:
            self._splitter = Splitter(self._find_delimiter(header, delimiter))
        self.delimiter: str = self._splitter.delimiters
        """The character between cells."""
        self.newline = b"\r\n" if header.endswith(b"\r\n") else b"\n"
        """The line end of the header, with which every record is written."""
        self.header: str = self._decode(header, self._line).rstrip("\r\n")
        """The header line."""
        cells = self._splitter.cells(header.rstrip(b"\r\n"))
        self.names: list[str] = [_unquote(cell.decode()) for cell in cells]
        """The columns' names."""
        self._line += _line_count(header)

    def _check_sep(self, named: str) -> str:
        if named and named in DELIMITERS:
            return named
        raise FleetFileError(
            f'{self._name}: line {self._line}: got {shown(self.sep_line)}, expected sep= and one of "," ";" "|" or a '
            "tab; choose one of those with --delimiter",
            file=self._name,
            line=self._line,
        )

    def _find_delimiter(self, header: bytes, own: str) -> str:
        found, counts = find_delimiter(header.rstrip(b"\r\n"), own)
        if found is None:
            listed = in_words(f"{count} times {shown(delimiter)}" for delimiter, count in counts.most_common())
            raise FleetFileError(
                f"{self._name}: line {self._line}: the header has {listed} between its cells, expected one delimiter; "
                "choose it with --delimiter",
                file=self._name,
                line=self._line,
            )
        return found

    def _header(self) -> bytes:
        while True:
            blank = _BLANK_LINES.match(self._rest, 0, len(self._without_last_return(self._rest)))
            if blank is not None:
                self._line += _line_count(blank.group())
                self._rest = self._rest[blank.end() :]
            ends = self._record_ends(self._rest)
            if ends.size:
                break
            self._check_quotes()
            if self._ended:
                break
            self._read_more()
        stop = int(ends[0]) if ends.size else len(self._rest)
        header, self._rest = self._rest[:stop], self._rest[stop:]
        if not header.strip(_BLANK_BYTES + b"\r\n"):
            raise FleetFileError(f"{self._name}: empty, expected a header and one row per cluster", file=self._name)
        return header

    def _read_more(self) -> None:
        """Read another chunk, or note that the file has ended."""
        if len(self._rest) > _LONGEST_RECORD:
            raise FleetFileError(
                f"{self._name}: line {self._line}: a row of more than {_LONGEST_RECORD // 1024**2} MiB; "
                "is a quote not closed?",
                file=self._name,
                line=self._line,
            )
        # One system call at a time: in `read`, a signal would be delayed until a pipe has delivered the whole chunk.
        read = getattr(self._stream, "read1", self._stream.read)
        parts = []
        size = 0
        while size < _CHUNK and not self._ended:
            parts.append(read(_CHUNK - size))
            size += len(parts[-1])
            self._ended = not parts[-1]
        self._rest += b"".join(parts)

    def _without_last_return(self, text: bytes) -> bytes:
        """Return text without a final carriage return, because a newline may follow."""
        return text if self._ended else text.removesuffix(b"\r")

    def _record_ends(self, text: bytes) -> NDArray[np.int64]:
        """Return the position after the line end of every whole record."""
        text = self._without_last_return(text)
        numbers = np.frombuffer(text, np.uint8)
        newlines = np.flatnonzero(numbers == _NEWLINE)
        only_newlines = b"\r" not in text or text.count(b"\r") == text.count(b"\r\n")
        if only_newlines and b'"' not in text:
            return np.add(newlines, 1)
        quotes = np.flatnonzero(numbers == _QUOTE)
        opening, closing = quotes[0::2], quotes[1::2]
        before = numbers[opening[opening > 0] - 1]
        after = numbers[closing[closing < len(numbers) - 1] + 1]
        edges = np.array([*map(ord, self._splitter.delimiters), _NEWLINE, _RETURN, _QUOTE], np.uint8)
        if only_newlines and np.isin(before, edges).all() and np.isin(after, edges).all():
            # Every quote opens or closes a cell, so a newline ends a record if an even number of quotes precedes it.
            whole: NDArray[np.int64] = newlines[np.searchsorted(quotes, newlines) % 2 == 0] + 1
            return whole
        return np.array(self._record_ends_one_by_one(text), np.int64)

    def _record_ends_one_by_one(self, text: bytes) -> list[int]:
        """Return the end of every whole record by parsing each cell: exact whatever the quotes and line ends."""
        ends = []
        position = 0
        while (match := self._splitter.record.match(text, position)) is not None:
            position = match.end()
            ends.append(position)
        return ends

    @property
    def work(self) -> tuple[int | None, str]:
        """The size of the file. [bytes]"""
        return file_size(self._stream), "B"

    def read(self, wanted: Wanted) -> Iterator[Rows]:
        """Yield the wanted columns as text, and every record unchanged, with the line end before it."""
        positions = range(len(self.names)) if wanted.positions is None else wanted.positions
        while True:
            if b'"' in self._rest or b"\r" in self._rest:
                ends = self._record_ends(self._rest)
                stop = int(ends[-1]) if ends.size else 0
            else:
                ends, stop = None, self._rest.rfind(b"\n") + 1
            if not stop:
                self._check_quotes()
                if not self._ended:
                    self._read_more()
                    continue
                if not self._rest:
                    return
                stop = len(self._rest)
                ends = np.array([stop], np.int64)
            block, self._rest = self._rest[:stop], self._rest[stop:]
            rows = self._parse(block, ends, positions, wanted.numbers)
            if rows is not None:
                yield rows
            if not self._ended:
                self._read_more()

    def _check_quotes(self) -> None:
        """Reject a record with text after a closing quote, and a last record with an unclosed quote."""
        if b'"' not in self._rest:
            return
        reason = None
        if self._splitter.stray.match(self._rest):
            reason = (
                "a quote is opened in this row, and text follows where it is closed; close it where the cell ends, and "
                'double a quote that belongs to the cell, as in "5"" disk"'
            )
        elif self._ended and not self._splitter.record.match(self._rest + b"\n"):
            reason = "a quote is opened in this row and not closed before the end of the file; close it"
        if reason is not None:
            raise FleetFileError(f"{self._name}: line {self._line}: {reason}", file=self._name, line=self._line)

    def _parse(
        self, block: bytes, ends: NDArray[np.int64] | None, positions: Sequence[int], numbers: Collection[int]
    ) -> Rows | None:
        """Return the rows of a block, or None if all its lines are blank."""
        if not block.isascii():
            self._decode(block, self._line)
        buffer = _to_arrow_buffer(block, PAD)
        cells = cut(np.frombuffer(buffer, np.uint8), self.delimiter, len(self.names), self.newline)
        if cells is None:
            rows = self._parse_any(block, self._record_ends(block) if ends is None else ends, positions)
            self._line += _line_count(block)
            return rows
        self._line += len(cells)
        columns = [self._column(cells, position, position in numbers) for position in positions]
        batch = pa.RecordBatch.from_arrays(columns, [str(position) for position in positions])
        records = pa.StringArray.from_buffers(len(cells), pa.py_buffer(cells.rows()), buffer)
        # A row of empty cells has no number.
        if len(self.names) > 1 and not any(pa.types.is_integer(column.type) for column in columns):
            kept = self._kept(cells, records)
            if kept is not None:
                batch, records = batch.filter(kept), records.filter(kept)
        return Rows(batch, len(block), records) if len(records) else None

    def _kept(self, cells: Cells, records: pa.StringArray) -> pa.BooleanArray | None:
        """Return which rows of a block have anything in them, or None if all have."""
        first, last = cells.outer_bytes()
        suspects = pa.array(_MAY_BE_BLANK[first] & _MAY_BE_BLANK[last])
        if not pc.any(suspects).as_py():
            return None
        blank = pc.match_substring_regex(records.filter(suspects), self._splitter.blank)
        return pc.invert(pc.replace_with_mask(suspects, suspects, blank))

    def _column(self, cells: Cells, position: int, number: bool) -> pa.Array:
        values = cells.numbers(position) if number else None
        return _to_strings(*cells.texts(position)) if values is None else pa.array(values)

    def _parse_any(self, block: bytes, ends: NDArray[np.int64], positions: Sequence[int]) -> Rows | None:
        """Return the rows of a block that may hold quotes, blank lines and line ends of any kind."""
        offsets = np.zeros(len(ends) + 1, np.int32)
        offsets[1:] = ends
        buffer = _to_arrow_buffer(block)
        records = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), buffer)
        text, whole = block, records
        records = pc.ascii_rtrim(records, characters="\r\n")
        if len(self.names) > 1:
            blank = pc.match_substring_regex(records, self._splitter.blank)
            if pc.any(blank).as_py():
                kept = pc.invert(blank)
                records, text = records.filter(kept), _text_of(whole.filter(kept))
                buffer = _to_arrow_buffer(text)
        if not len(records):
            return None
        records = pc.binary_join_element_wise(self.newline.decode(), records, "")
        wanted = [str(position) for position in positions]
        if text.startswith(_BOM):
            # PyArrow would strip it as the mark of a file: add one for it to strip.
            buffer = _to_arrow_buffer(_BOM + text)
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(buffer),
                read_options=pyarrow.csv.ReadOptions(
                    column_names=[str(position) for position in range(len(self.names))], block_size=len(buffer) + 1
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=self.delimiter,
                    newlines_in_values=b'"' in text,
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
            raise self._ragged_row(block, ends) or FleetFileError(f"{self._name}: {error}", file=self._name) from None
        if table.num_rows != len(records):
            raise self._ragged_row(block, ends) or FleetFileError(
                f"{self._name}: line {self._line} and after: cannot be split into rows; quote every cell",
                file=self._name,
                line=self._line,
            )
        batches = table.combine_chunks().to_batches()
        return Rows(batches[0], len(block), records)

    def _ragged_row(self, block: bytes, ends: NDArray[np.int64]) -> FleetFileError | None:
        """Return the error for the first record with too few or too many cells."""
        start, line = 0, self._line
        for end in ends.tolist():
            record = block[start:end].rstrip(b"\r\n")
            cells = self._splitter.cells(record)
            if len(cells) != len(self.names) and (
                len(self.names) == 1 or any(_unquote(cell.decode()).strip(PADDING) for cell in cells)
            ):
                return FleetFileError(
                    f"{self._name}: line {line}: got {len(cells)} cells, expected {len(self.names)} as in the header: "
                    f"{shown(record.decode())}",
                    file=self._name,
                    line=line,
                )
            line += _line_count(block[start:end])
            start = end
        return None

    def _decode(self, text: bytes, line: int) -> str:
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            line += _line_count(text[: error.start])
            raise FleetFileError(
                f"{self._name}: line {line}: got the byte 0x{text[error.start]:02x}, expected UTF-8; "
                "convert the file first, with iconv for example",
                file=self._name,
                line=line,
            ) from None


def _unquote(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _to_arrow_buffer(text: bytes | NDArray[np.uint8], pad: int = 0) -> pa.Buffer:
    """Copy text to memory that Arrow owns, after some bytes of padding.

    Arrow's threads may release it late. To release memory that Python owns they would need the interpreter, and they
    would abort the process if the interpreter is shutting down.
    """
    buffer = pa.allocate_buffer(pad + len(text))
    np.frombuffer(buffer, np.uint8)[pad:] = np.frombuffer(text, np.uint8)
    return buffer


def _to_strings(text: NDArray[np.uint8], offsets: NDArray[np.int32]) -> pa.StringArray:
    """Return concatenated texts as an array whose memory Arrow owns."""
    return pa.StringArray.from_buffers(
        len(offsets) - 1, _to_arrow_buffer(offsets.view(np.uint8)), _to_arrow_buffer(text)
    )


def _text_of(records: pa.StringArray) -> bytes:
    """Return the concatenated texts of an array."""
    start, stop = np.frombuffer(records.buffers()[1], np.int32)[[records.offset, records.offset + len(records)]]
    return bytes(memoryview(records.buffers()[2])[int(start) : int(stop)])


def _line_count(text: bytes) -> int:
    """Return the number of line ends of any kind."""
    # bytes.count is slow if there are many.
    newlines = int(np.count_nonzero(np.frombuffer(text, np.uint8) == _NEWLINE))
    returns = text.count(b"\r")
    return newlines + returns - (text.count(b"\r\n") if returns else 0)
