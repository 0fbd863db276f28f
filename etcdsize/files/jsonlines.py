"""JSON lines: one object a line; the other fields pass through as they stand."""

from __future__ import annotations

import io
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from etcdsize.errors import FleetFileError, shown
from etcdsize.files import Rows

__all__ = ["JsonLinesReader", "JsonLinesWriter"]

_ROWS = 16 * 1024
_LONGEST_LINE = 64 * 1024**2


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


class JsonLinesReader:
    """Reads a file of JSON objects, one a line. The names are those of the first lines' fields.

    Raises `FleetFileError`, with the line, for an empty file, and for a line that is not a JSON object in UTF-8.
    """

    def __init__(self, stream: BinaryIO, name: str, reserved: Sequence[str]) -> None:
        self._name = name
        self._reserved = frozenset(reserved)
        self._lines = self._objects(stream)
        self._first = list(itertools.islice(self._lines, _ROWS))
        if not self._first:
            raise FleetFileError(f"{name}: empty, expected a JSON object a cluster", file=name)
        names: dict[str, None] = {}
        for _, _, fields in self._first:
            names.update(dict.fromkeys(fields))
        self.names: list[str] = list(names)
        """The fields' names."""

    def _objects(self, stream: BinaryIO) -> Iterator[tuple[int, str, dict[str, Any]]]:
        decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Number)
        for line, text in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), 1):
            stripped = (text.removeprefix(b"\xef\xbb\xbf") if line == 1 else text).strip()
            if not stripped:
                continue
            try:
                decoded = stripped.decode()
                fields = decoder.decode(decoded)
            except UnicodeDecodeError as error:
                raise self._error(line, f"got the byte 0x{stripped[error.start]:02x}, expected UTF-8") from None
            except ValueError as error:
                raise self._error(line, f"not JSON: {error}") from None
            except RecursionError:
                raise self._error(line, "nested too deep for JSON of a cluster") from None
            if not isinstance(fields, dict):
                raise self._error(line, f"got {shown(decoded)}, expected a JSON object") from None
            for field in self._reserved.intersection(fields):
                raise self._error(line, f"has a field {shown(field)}, which the answer adds; rename it or leave it out")
            yield line, decoded, fields

    def _error(self, line: int, reason: str) -> FleetFileError:
        return FleetFileError(f"{self._name}: line {line}: {reason}", file=self._name, line=line)

    def read(self, positions: Sequence[int]) -> Iterator[Rows]:
        """Give the fields at these positions as text, and every object as it stands."""
        lines = itertools.chain(self._first, self._lines)
        everything = len(positions) == len(self.names)
        known = set(self.names)
        while chunk := list(itertools.islice(lines, _ROWS)):
            self._first = []
            if everything:
                for line, _, fields in chunk:
                    new = fields.keys() - known
                    if new:
                        raise self._error(
                            line,
                            f"has the field {shown(min(new))}, which the first {_ROWS} lines have not; "
                            "write JSON lines to keep every field",
                        )
            columns = [
                pa.array([_cell(fields.get(self.names[position])) for _, _, fields in chunk], pa.string())
                for position in positions
            ]
            yield Rows(
                pa.RecordBatch.from_arrays(columns, names=[str(position) for position in positions]),
                sum(len(text) + 1 for _, text, _ in chunk),
                pa.array([text for _, text, _ in chunk], pa.string()),
            )


def _cell(value: Any) -> str | None:
    """Return a field's value as a cell: text and numbers as they stand, the rest as JSON."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(cell: Any) -> Any:
    """Return a cell as JSON can say it: NaN and infinity, for which it has no word, are null."""
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


class JsonLinesWriter:
    """Writes JSON lines, answers last."""

    def __init__(self, stream: BinaryIO, names: Sequence[str], answers: Sequence[str]) -> None:
        self._stream = stream
        self._names = list(names)
        self._answers = list(answers)

    def write(self, rows: Rows, answers: pa.RecordBatch) -> None:
        """Write the rows with their answers."""
        texts = io.StringIO()
        added = [column.to_pylist() for column in answers.columns]
        if rows.records is not None:
            befores = [record[:-1].rstrip() for record in rows.records.to_pylist()]
        else:
            columns = [column.to_pylist() for column in rows.batch.columns]
            befores = [
                json.dumps(dict(zip(self._names, map(_value, cells), strict=True)), ensure_ascii=False, default=str)[
                    :-1
                ]
                for cells in zip(*columns, strict=True)
            ]
        for before, cells in zip(befores, zip(*added, strict=True), strict=True):
            after = json.dumps(dict(zip(self._answers, cells, strict=True)), ensure_ascii=False)[1:]
            texts.write(f"{before}{'' if before.endswith('{') else ', '}{after}\n")
        self._stream.write(texts.getvalue().encode())
