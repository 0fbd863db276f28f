"""JSON: one object per line, or an array of objects. Fields that are not part of the load pass through unchanged."""

from __future__ import annotations

import io
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from etcdsize.base.text import shown
from etcdsize.errors import ColumnError, FleetFileError
from etcdsize.files.format import POSSIBLE, SURE, Reader, Rows, Wanted, file_size
from etcdsize.files.json_objects import TOO_DEEP, Number, Object, Objects, fields_of, wrapping

__all__ = ["FORMATS"]

# Lines per batch, and the size of their text: objects take about ten times as much memory.
_ROWS = 16 * 1024
_BATCH_BYTES = 16 * 1024**2
# Cells per batch: a field that few objects have takes room in every row.
_CELLS = 4 * 1024**2
_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:(\{)\s*["}]|\[\s*[{\]])')
_HALF = "has half of a surrogate pair, which UTF-8 cannot hold"


class JsonLinesReader:
    """Reads a file of JSON objects, one per line. The names are those of the fields in the first lines.

    Raises `FleetFileError`, with the line, for an empty file, and for a line that is not a JSON object in UTF-8.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._objects = Objects(stream, name)
        self._error = self._objects.error
        self._rest = iter(self._objects)
        self._first = _some(self._rest, _ROWS)
        if not self._first:
            raise FleetFileError(f"{name}: empty, expected one JSON object per cluster", file=name)
        names: dict[str, None] = {}
        for _, _, fields in self._first:
            names.update(dict.fromkeys(fields))
        for field in names:
            try:
                field.encode()
            except UnicodeEncodeError:
                raise FleetFileError(f"{name}: the field {shown(field)} {_HALF}", file=name) from None
        self.names: list[str] = list(names)
        """The fields' names."""
        if len(self._first) == 1:
            self._reject_wrapper()

    def _reject_wrapper(self) -> None:
        """Reject a single object that is no cluster but holds an array of them."""
        (_, text, fields), following = self._first[0], next(self._rest, None)
        if following is not None:
            self._rest = itertools.chain([following], self._rest)
        elif self._objects.unit == "line":
            wrapped = wrapping(text, fields)
            if wrapped is not None:
                raise self._objects.wrapped(wrapped)

    @property
    def work(self) -> tuple[int | None, str]:
        """The size of the file. [bytes]"""
        return file_size(self._stream), "B"

    def read(self, wanted: Wanted) -> Iterator[Rows]:
        """Yield the wanted fields as text, and every object unchanged."""
        lines = itertools.chain(self._first, self._rest)
        positions = range(len(self.names)) if wanted.positions is None else wanted.positions
        known = set(self.names)
        first = len(self._first)
        self._first = []
        while chunk := _some(lines, min(_ROWS, max(1, _CELLS // max(len(positions), 1)))):
            for line, _, fields in chunk:
                for field in filter(fields.__contains__, wanted.reserved):
                    raise self._error(
                        line, f"has a field {shown(field)}, which the answer adds; rename it or leave it out"
                    )
                if wanted.positions is None:
                    new = fields.keys() - known
                    if new:
                        raise self._error(
                            line,
                            f"has the field {shown(min(new))}, which the first {first} {self._objects.unit}s do not "
                            "have; write JSON lines to keep every field",
                        )
            names = [str(position) for position in positions]
            columns = [self._column(self.names[position], chunk) for position in positions]
            loads = None
            if wanted.decimal != ".":
                marked = {
                    place: self._column(self.names[position], chunk, wanted.decimal)
                    for place, position in enumerate(positions)
                    if position in wanted.loads
                }
                loads = [marked.get(place, column) for place, column in enumerate(columns)]
            yield Rows(
                pa.RecordBatch.from_arrays(columns, names=names),
                sum(len(text) + 1 for _, text, _ in chunk),
                pa.array([_on_one_line(text) for _, text, _ in chunk], pa.string()),
                None if loads is None else pa.RecordBatch.from_arrays(loads, names=names),
            )

    def _column(self, name: str, chunk: Sequence[tuple[int, str, Object]], decimal: str = ".") -> pa.Array:
        """Return one field of every object as text; numbers are written with this decimal mark."""
        cells = []
        for line, _, fields in chunk:
            if name in fields.repeated:
                raise self._error(line, f"has the field {shown(name)} more than once, expected it once")
            try:
                value = fields.get(name)
                cell = value.replace(".", decimal) if isinstance(value, Number) else _cell(value)
                cells.append(None if cell is None else cell.encode())
            except UnicodeEncodeError:
                raise self._error(line, f"the field {shown(name)} {_HALF}") from None
            except RecursionError:
                raise self._error(line, TOO_DEEP) from None
        return pa.array(cells, pa.binary()).cast(pa.string())


def _on_one_line(text: str) -> str:
    """Return the text of an object on one line: line ends are never part of its strings."""
    return re.sub(r"\s*[\r\n]\s*", " ", text) if "\n" in text or "\r" in text else text


def _some(lines: Iterator[tuple[int, str, Object]], most: int) -> list[tuple[int, str, Object]]:
    """Return the next lines, fewer if they are long."""
    found = []
    size = 0
    for line in itertools.islice(lines, most):
        found.append(line)
        size += len(line[1])
        if size >= _BATCH_BYTES:
            break
    return found


def _cell(value: Any) -> str | None:
    """Return a value as a cell: text and numbers unchanged, anything else as JSON."""
    return value if value is None or isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    """Return a value as JSON, with numbers unchanged."""
    if isinstance(value, Number):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Return a value that JSON can express: NaN and infinity become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(_plain, value))
    if isinstance(value, bytes):
        return value.decode()
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _values(name: str, column: pa.Array) -> list[Any]:
    """Return the values of a column in types that JSON can express."""
    try:
        # Python's dates have no nanoseconds.
        values = (column.cast(pa.string()) if pa.types.is_temporal(column.type) else column).to_pylist()
        return list(map(_plain, values))
    except (pa.ArrowNotImplementedError, ValueError):
        raise FleetFileError(
            f"column {shown(name)}: {column.type} cannot be written as JSON; write Parquet instead", column=name
        ) from None


class JsonLinesWriter:
    """Writes objects with the answers last, one per line, or as an array with one in each line."""

    escape = False
    decimal = "."

    def __init__(
        self,
        stream: BinaryIO,
        names: Sequence[str],
        answers: Sequence[str],
        *,
        array: bool,
        copies: bool,
        selects: bool = False,
    ) -> None:
        self._stream = stream
        self._before, self._after, self._end = ("[\n", "", "[]\n") if array else ("", "\n", "")
        self._is_array = array
        self._names = list(names)
        self._answers = list(answers)
        self.copies = copies
        self._selects = selects

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write the rows with their answers."""
        texts = io.StringIO()
        count = max(rows.batch.num_rows, answers.num_rows)
        afters = _objects(self._answers, [column.to_pylist() for column in answers.columns], count)
        if (self.copies or self._selects) and rows.records is not None:
            records = rows.records.to_pylist()
            befores = [record[:-1].rstrip() for record in (map(self._selected, records) if self._selects else records)]
        else:
            columns = [_values(name, column) for name, column in zip(self._names, rows.batch.columns, strict=True)]
            befores = [text[:-1] for text in _objects(self._names, columns, count)]
        for before, after in zip(befores, afters, strict=True):
            apart = "" if before.endswith("{") or after == "{}" else ", "
            texts.write(f"{self._before}{before}{apart}{after[1:]}{self._after}")
            if self._is_array:
                self._before, self._end = ",\n", "\n]\n"
        self._stream.write(texts.getvalue().encode())

    def _selected(self, record: str) -> str:
        """Return an object with some of its fields, each with its value as it is written."""
        fields = fields_of(record)
        return _json({name: fields.get(name) for name in self._names})

    def close(self) -> None:
        """End the array; a line is complete as it is."""
        self._stream.write(self._end.encode())

    def abandon(self) -> None:
        """Do nothing: the caller discards what was written."""


def _objects(names: Sequence[str], columns: Sequence[Sequence[Any]], count: int) -> list[str]:
    """Return rows as JSON objects; without columns, return empty objects."""
    cells = zip(*columns, strict=True) if columns else [()] * count
    return [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in cells]


class _Json:
    """JSON lines, or a JSON array. Both read what the file holds."""

    seeks = False
    typed = False
    text = True
    writes = True

    def __init__(self, name: str, endings: tuple[str, ...], *, array: bool) -> None:
        self.name = name
        self.endings = endings
        self._is_array = array

    def recognizes(self, head: bytes, /) -> int:
        found = _START.match(head)
        if found is None:
            return 0
        return SURE if (found[1] is None) == self._is_array else POSSIBLE

    def reader(self, stream: BinaryIO, name: str) -> JsonLinesReader:
        return JsonLinesReader(stream, name)

    def writer(self, stream: BinaryIO, source: Reader, kept: Sequence[int], answers: pa.Schema) -> JsonLinesWriter:
        names = [source.names[position] for position in kept]
        is_json, is_whole = isinstance(source, JsonLinesReader), list(kept) == list(range(len(source.names)))
        repeated = sorted(name for name, count in Counter(names).items() if count > 1)
        if repeated:
            raise ColumnError(
                f"has several columns {', '.join(repeated)}, which one JSON object cannot hold; write CSV or Parquet"
            )
        return JsonLinesWriter(
            stream,
            names,
            answers.names,
            array=self._is_array,
            copies=is_json and is_whole,
            selects=is_json and not is_whole,
        )


FORMATS = (
    _Json("jsonl", (".jsonl", ".ndjson"), array=False),
    _Json("json", (".json",), array=True),
)
