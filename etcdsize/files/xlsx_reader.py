"""Read a sheet of an `.xlsx` file, row by row, through openpyxl.

Numbers come as numbers, dates as ISO text, and formulas as the values that the program stored which wrote the file.
"""

from __future__ import annotations

import datetime
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

import pyarrow as pa

from etcdsize.base.text import nearest, shortened, shown
from etcdsize.errors import FleetFileError, MissingDependencyError
from etcdsize.files.format import Rows, Wanted
from etcdsize.files.xlsx_archive import Archive

__all__ = ["XlsxReader"]

# Rows and cells per batch, and the characters of its texts.
_ROWS = 16 * 1024
_CELLS = 1024**2
_BATCH_TEXT = 16 * 1024**2
# Of Excel: rows and columns of a sheet, and characters of a cell.
_MOST_ROWS, _MOST_COLUMNS, _LONGEST_CELL = 1_048_576, 16_384, 32_767
# What openpyxl raises for a file that is not as it should be.
_DAMAGED = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, ParseError, RuntimeError, TypeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
)


class XlsxReader:
    """Reads one sheet: the first that is not hidden, or the one of a name.

    Raises `FleetFileError`, with the cell, for a sheet that is empty or damaged, and for values in a column without a
    name, as merged header cells leave it.
    """

    def __init__(self, stream: BinaryIO, name: str, sheet: str | None) -> None:
        try:
            from openpyxl.reader.excel import ExcelReader
        except ImportError as error:
            raise MissingDependencyError(package="openpyxl", extra="xlsx") from error
        self._name = name
        # It warns of styles, headers and checks of input that it does not keep: none of them changes a value.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")
        try:
            stream.seek(0)
            workbook = ExcelReader(stream, read_only=True, data_only=True, keep_links=False)
            workbook.archive = Archive(stream)
            workbook.read()
            sheets = workbook.wb.worksheets
        except _DAMAGED as error:
            raise self._error("not an Excel workbook that can be read", error) from None
        self._sheet = self._choose(sheets, sheet)
        self.notes: tuple[str, ...] = ()
        """What to tell whoever reads the answer."""
        if sheet is None and len(sheets) > 1:
            others = ", ".join(shown(other.title) for other in sheets if other is not self._sheet)
            self.notes = (
                f"{name}: read the sheet {shown(self._sheet.title)}, not {others}; choose another with --sheet",
            )
        self._rows = self._read_rows()
        header = next(self._rows, None)
        if header is None:
            raise FleetFileError(
                f"{name}: the sheet {shown(self._sheet.title)} is empty, expected a header and one row per cluster",
                file=name,
            )
        self._header, cells = header
        if len(cells) > _MOST_COLUMNS:
            raise FleetFileError(
                f"{name}: row {self._header}: {len(cells):,} columns, expected at most {_MOST_COLUMNS:,}", file=name
            )
        self._places = [place for place, value in enumerate(cells) if value is not None]
        self.names: list[str] = [_text(cells[place]) for place in self._places]
        """The columns' names."""

    def _error(self, what: str, error: Exception) -> FleetFileError:
        # openpyxl wraps the reason.
        reason = str(error.__cause__ or error).partition("\n")[0] or type(error).__name__
        return FleetFileError(
            f"{self._name}: {what}: {shortened(reason, 200)}; open it and save it again, or save it as CSV",
            file=self._name,
        )

    def _choose(self, sheets: Sequence[Any], name: str | None) -> Any:
        titles = [sheet.title for sheet in sheets]
        if name is None:
            found = next((sheet for sheet in sheets if sheet.sheet_state == "visible"), None)
        else:
            found = next((sheet for sheet in sheets if sheet.title == name), None)
        if found is None:
            what = "no sheet that is not hidden" if name is None else f"no sheet {shown(name)}"
            listed = ", ".join(map(shown, titles[:20])) or "one with a table"
            raise FleetFileError(
                f"{self._name}: has {what}, expected {'one of ' if titles else ''}{listed}"
                f"{nearest(name or '', titles)}",
                file=self._name,
            )
        return found

    def _read_rows(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Yield the rows that are not blank, with their numbers."""
        rows, last = self._parse_rows(), 0
        while True:
            try:
                number, cells = next(rows, (None, []))
            except _DAMAGED as error:
                raise self._error(f"row {last + 1}: cannot be read", error) from None
            if number is None:
                return
            places = [cell["column"] for cell in cells]
            if number <= last or places != sorted(set(places)):
                raise FleetFileError(
                    f"{self._name}: row {number}: the row or one of its cells is out of order or repeated; open the "
                    "file and save it again, or save it as CSV",
                    file=self._name,
                )
            if number > _MOST_ROWS:
                raise FleetFileError(
                    f"{self._name}: more than {_MOST_ROWS:,} rows, the limit of Excel; save it as CSV", file=self._name
                )
            last = number
            row = [None] * (places[-1] if places else 0)
            for place, cell in zip(places, cells, strict=True):
                row[place - 1] = None if cell["value"] == "" else cell["value"]
            if any(value is not None and not (isinstance(value, str) and not value.strip()) for value in row):
                yield number, tuple(row)

    def _parse_rows(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Yield the rows as the file has them. openpyxl's `iter_rows` loses those that are out of order."""
        from openpyxl.worksheet._reader import WorkSheetParser

        sheet, book = self._sheet, self._sheet.parent
        with sheet._get_source() as source:
            parser = WorkSheetParser(
                source,
                sheet._shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            yield from parser.parse()

    @property
    def work(self) -> tuple[int | None, str]:
        """Rows; how many there are is not known in advance."""
        return None, " rows"

    def read(self, wanted: Wanted) -> Iterator[Rows]:
        """Yield the wanted columns batch by batch: as numbers where they may be and are, else as text."""
        positions = range(len(self.names)) if wanted.positions is None else wanted.positions
        names = [str(position) for position in positions]
        most = max(1, min(_ROWS, _CELLS // max(len(self.names), 1)))
        while rows := self._some(most):
            columns, loads = [], []
            for position in positions:
                values = [row[place] if (place := self._places[position]) < len(row) else None for row in rows]
                column = _numbers(values) if position in wanted.numbers else None
                columns.append(_texts(values) if column is None else column)
                differs = position in wanted.loads and wanted.decimal != "." and column is None
                loads.append(_texts(values, wanted.decimal) if differs else columns[-1])
            yield Rows(
                pa.RecordBatch.from_arrays(columns, names),
                len(rows),
                loads=None if wanted.decimal == "." else pa.RecordBatch.from_arrays(loads, names),
            )

    def _some(self, most: int) -> list[tuple[Any, ...]]:
        """Return the next rows, fewer if their texts are long."""
        found: list[tuple[Any, ...]] = []
        size = 0
        named = set(self._places)
        for number, row in self._rows:
            for place, value in enumerate(row):
                if value is None:
                    continue
                if place not in named:
                    raise self._nameless(number, place)
                if isinstance(value, str):
                    size += len(value)
                    if len(value) > _LONGEST_CELL:
                        raise FleetFileError(
                            f"{self._name}: cell {_cell(number, place)}: {len(value):,} characters, expected at most "
                            f"{_LONGEST_CELL:,}, as Excel has them",
                            file=self._name,
                        )
            found.append(row)
            if len(found) == most or size > _BATCH_TEXT:
                break
        return found

    def _nameless(self, number: int, place: int) -> FleetFileError:
        return FleetFileError(
            f"{self._name}: cell {_cell(number, place)}: got a value in a column without a name, expected one in "
            f"{_cell(self._header, place)}; row {self._header} has to name every column: undo merged cells, and remove "
            "titles above the table",
            file=self._name,
        )


def _cell(row: int, place: int) -> str:
    """Return the name of a cell, such as `C5`."""
    letters, place = "", place + 1
    while place:
        place, digit = divmod(place - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return f"{letters}{row}"


def _numbers(values: Sequence[Any]) -> pa.Array | None:
    """Return a column of numbers, or None if there is anything else in it."""
    if any(type(value) not in (int, float) for value in values if value is not None):
        return None
    try:
        return pa.array(values, pa.float64() if any(type(value) is float for value in values) else pa.int64())
    except (pa.ArrowInvalid, OverflowError):
        return None


def _texts(values: Sequence[Any], decimal: str = ".") -> pa.Array:
    """Return a column as text; its numbers have this decimal mark."""
    return pa.array([None if value is None else _text(value, decimal) for value in values], pa.string())


def _text(value: Any, decimal: str = ".") -> str:
    """Return a value as text: whole numbers without a fraction, dates in ISO 8601, TRUE and FALSE as Excel has them."""
    match value:
        case bool():
            return str(value).upper()
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 2**63 else repr(value).replace(".", decimal)
        case datetime.datetime():
            midnight = value.time() == datetime.time()
            return value.date().isoformat() if midnight else value.isoformat()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)
