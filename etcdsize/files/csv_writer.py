"""Write CSV: rows of text followed by their answers, a whole batch at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from etcdsize.base.text import shown
from etcdsize.batches.loads import is_text
from etcdsize.errors import FleetFileError
from etcdsize.files.delimiters import DELIMITERS
from etcdsize.files.format import Rows

__all__ = ["CsvWriter"]

# A spreadsheet takes a cell that begins with one of these for a formula, and may run it. An apostrophe makes it text.
_FORMULA = r"\A[=+\-@\t\r]"
# Up to this many combinations of answers are counted in a table, which takes 5 bytes for each (our choice).
_MOST_COMBINED = 2**20


class CsvWriter:
    """Writes a file of delimited values, with the answers last.

    Parameters
    ----------
    names, answers : sequence of str
        The columns' names.
    delimiter, newline : str
        The character between cells, and the line end.
    sep_line : str, optional
        Excel's line before the header, which names the delimiter.
    header : str, optional
        The header line as it is in the input.
    copies : bool
        Whether rows are copied from the records of the input.
    """

    def __init__(
        self,
        stream: BinaryIO,
        names: Sequence[str],
        answers: Sequence[str],
        delimiter: str,
        *,
        newline: str,
        sep_line: str | None,
        header: str | None,
        copies: bool,
    ) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._newline = newline
        self.copies = copies
        self._has_one_column = len(names) + len(answers) == 1
        self.escape = False
        self.decimal = "."
        if sep_line is not None:
            self._write(sep_line.encode())
        before = [] if not names else [self._line(names) if header is None else header]
        self._write(delimiter.join([*before, *answers]).encode())

    def _write(self, lines: bytes | memoryview) -> None:
        self._stream.write(lines)
        self._stream.write(self._newline.encode())

    def _line(self, names: Sequence[str]) -> str:
        # A reader looks for the delimiter in the header: quote whatever could be one.
        return self._delimiter.join(_quoted(pa.array(names, pa.string()), DELIMITERS).to_pylist()) or '""'

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write the rows with their answers."""
        if not rows.batch.num_rows:
            return
        if self.copies:
            parts = [rows.records, *self._answer_texts(answers)]
        else:
            named = zip(rows.batch.schema.names, rows.batch.columns)
            parts = [self._cells(name, column, escape=self.escape) for name, column in named]
            parts += self._answer_texts(answers)
            if self._has_one_column:
                # A blank line is no row.
                parts[0] = pc.if_else(pc.fill_null(pc.equal(parts[0], ""), True), '""', parts[0])
            parts[0] = _join_rows(self._newline, parts[0], "")
        lines = _join_rows(*parts, self._delimiter)
        start, stop = np.frombuffer(lines.buffers()[1], np.int32)[[lines.offset, lines.offset + len(lines)]]
        # Each line follows a line end; the one before the first line has already been written.
        self._write(memoryview(lines.buffers()[2])[int(start) + len(self._newline) : int(stop)])

    def close(self) -> None:
        """Do nothing: every line is complete."""

    def abandon(self) -> None:
        """Do nothing: the caller discards what was written."""

    def _answer_texts(self, answers: pa.RecordBatch) -> list[pa.StringArray]:
        """Return the answers as text; columns with few distinct values are combined into one before their rows are."""
        parts: list[pa.StringArray] = []
        group = _Combined(answers.num_rows, self._delimiter)
        for field, column in zip(answers.schema, answers.columns):
            if column.null_count == len(column):
                column = pa.DictionaryArray.from_arrays(np.zeros(len(column), np.int32), [""])
            if not pa.types.is_dictionary(column.type):
                parts += [*group.texts(), self._cells(field.name, column, escape=True, decimal=self.decimal)]
                group = _Combined(answers.num_rows, self._delimiter)
                continue
            # The last cell stands for null.
            texts = self._cells(field.name, column.dictionary, escape=True, decimal=self.decimal)
            cells = [*texts.to_pylist(), ""]
            places = column.indices.fill_null(len(cells) - 1).to_numpy()
            if not group.add(cells, places):
                parts += group.texts()
                group = _Combined(answers.num_rows, self._delimiter)
                group.add(cells, places)
        return [*parts, *group.texts()]

    def _cells(self, name: str, column: pa.Array, *, escape: bool, decimal: str = ".") -> pa.StringArray:
        """Return a column as text, quoted where necessary, and text escaped if a spreadsheet would run it."""
        if pa.types.is_dictionary(column.type):
            return self._cells(name, column.dictionary, escape=escape, decimal=decimal).take(column.indices)
        marked = decimal != "." and pa.types.is_floating(column.type)
        # Numbers stay numbers, also negative ones.
        escape = escape and is_text(column.type)
        if not pa.types.is_string(column.type):
            try:
                column = column.cast(pa.string())
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
                raise FleetFileError(
                    f"column {shown(name)}: {column.type} cannot be written as text; write Parquet instead", column=name
                ) from None
        if marked:
            column = pc.replace_substring(column, ".", decimal)
        if escape:
            formula = pc.match_substring_regex(column, _FORMULA)
            if pc.any(formula).as_py():
                escaped = pc.binary_join_element_wise("'", column, "")
                column = pc.if_else(pc.fill_null(formula, False), escaped, column)
        return _quoted(column, self._delimiter)


def _quoted(column: pa.StringArray, delimiters: str) -> pa.StringArray:
    """Return texts, quoted where they hold a delimiter, a quote or a line end."""
    special = pc.match_substring_regex(column, f'[{re.escape(delimiters)}"\r\n]')
    if not pc.any(special).as_py():
        return column
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(pc.fill_null(special, False), pc.binary_join_element_wise('"', doubled, '"', ""), column)


class _Combined:
    """Columns of few distinct cells, joined: every combination that occurs is put together once.

    Parameters
    ----------
    rows : int
        Rows of the columns.
    delimiter : str
        What stands between two cells.
    """

    def __init__(self, rows: int, delimiter: str) -> None:
        self._codes: NDArray[np.int32] = np.zeros(rows, np.int32)
        self._delimiter = delimiter
        self._columns: list[list[str]] = []
        self._size = 1

    def add(self, cells: list[str], places: NDArray[np.int32]) -> bool:
        """Add a column, given its distinct cells and the place of each row's; return False if it is one too many."""
        if self._columns and self._size * len(cells) > _MOST_COMBINED:
            return False
        self._columns.append(cells)
        self._size *= len(cells)
        self._codes = self._codes * np.int32(len(cells)) + places
        return True

    def texts(self) -> list[pa.StringArray]:
        """Return the joined cells of every row, as the only element of a list; no element without columns."""
        if not self._columns:
            return []
        used = np.zeros(self._size, np.bool_)
        used[self._codes] = True
        combinations = np.flatnonzero(used)
        place_of = np.empty(self._size, np.int32)
        place_of[combinations] = np.arange(len(combinations), dtype=np.int32)
        cells: list[list[str]] = []
        left = combinations
        for column in reversed(self._columns):
            left, places = np.divmod(left, len(column))
            cells.append([column[place] for place in places.tolist()])
        joined = [self._delimiter.join(row) for row in zip(*reversed(cells), strict=True)]
        return [pa.array(joined, pa.string()).take(pa.array(place_of[self._codes]))]


def _join_rows(*parts: pa.Array | str) -> pa.StringArray:
    """Join texts row by row, with the last part as the separator; null counts as empty."""
    return pc.binary_join_element_wise(*parts, null_handling="replace", null_replacement="")
