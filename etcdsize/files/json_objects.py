"""Read JSON objects from a stream, one per line or as the elements of an array, in bounded memory.

What a file holds decides, not its name: the ending `.json` is used for both.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import itertools
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from etcdsize.base.text import shown
from etcdsize.batches.columns import has_column_for
from etcdsize.errors import FleetFileError
from etcdsize.files.foreign import conversion
from etcdsize.units import DIMENSIONS

__all__ = ["TOO_DEEP", "Number", "Object", "Objects", "fields_of", "wrapped_in", "wrapping"]

_LONGEST_LINE = 64 * 1024**2
# In an array, an object that has not ended is parsed again whenever its text is four times as long.
_LONGEST_ELEMENT = 16 * 1024**2
_PIECE = 1024**2
# Objects in objects that are searched for an array (our choice).
_DEEPEST = 4
_SPACE = re.compile(r"[ \t\r\n]*")
_BOM = b"\xef\xbb\xbf"
TOO_DEEP = "nested too deeply"
"""The reason for rejecting JSON that Python cannot read for its depth."""

# Where Prometheus' answers have their series, and what makes an object of each: its labels, and its value. Of several
# values in time it is the largest.
_PROMETHEUS = ".data.result"
_PROMETHEUS_ROWS = ".data.result[] | .metric + {value: ((.value // (.values | max_by(.[1] | tonumber)))[1] | tonumber)}"


class Number(str):
    """A number, as it is written in the file."""

    __slots__ = ()


class Object(dict[str, Any]):
    """An object that knows which of its fields are repeated."""

    __slots__ = ("repeated",)

    def __init__(self, fields: list[tuple[str, Any]]) -> None:
        super().__init__(fields)
        counted: Counter[str] = Counter(name for name, _ in fields) if len(self) != len(fields) else Counter()
        self.repeated: set[str] = {name for name, count in counted.items() if count > 1}


_DECODER = json.JSONDecoder(object_pairs_hook=Object, parse_float=Number, parse_int=Number, parse_constant=Number)


def fields_of(text: str) -> Object:
    """Return the fields of an object that was read before, with its numbers as they are written."""
    fields: Object = _DECODER.decode(text)
    return fields


class Objects:
    """The objects of a stream, each with its place and its text.

    Raises `FleetFileError` while it is read, with the place, for what is not a JSON object in UTF-8.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name
        first, text = self._begin()
        self.unit: str = "line"
        """What the places count, from 1: the lines of the file, or the rows of its array."""
        self._objects = self._lines(first, text)
        if text.lstrip().startswith(b"["):
            self.unit = "row"
            self._objects = self._elements(text)

    def __iter__(self) -> Iterator[tuple[int, str, Object]]:
        return self._objects

    def error(self, place: int, reason: str) -> FleetFileError:
        """Return the error for an object."""
        line = place if self.unit == "line" else None
        return FleetFileError(f"{self._name}: {self.unit} {place}: {reason}", file=self._name, line=line)

    def _begin(self) -> tuple[int, bytes]:
        """Return the number of the first line with text, and its beginning."""
        for line in itertools.count(1):
            text = self._stream.readline(_PIECE)
            if line == 1:
                text = text.removeprefix(_BOM)
            if not text or text.strip():
                return line, text
        raise AssertionError

    def convert(self, command: str) -> str:
        """Return the part of a message that says how to convert the file."""
        path = Path("-" if self._name == "standard input" else self._name)
        return f"first run: {conversion(path, command)}"

    def _lines(self, first: int, text: bytes) -> Iterator[tuple[int, str, Object]]:
        if not text.endswith(b"\n"):
            text += self._stream.readline(_LONGEST_LINE - len(text))
        rest = iter(lambda: self._stream.readline(_LONGEST_LINE), b"")
        for line, read in enumerate(itertools.chain([text], rest), first):
            if len(read) >= _LONGEST_LINE:
                raise self.error(line, f"more than {_LONGEST_LINE // 1024**2} MiB, expected a JSON object")
            stripped = read.strip()
            if not stripped:
                continue
            try:
                decoded = stripped.decode()
                fields = _DECODER.decode(decoded)
            except UnicodeDecodeError as error:
                raise self.error(line, f"got the byte 0x{stripped[error.start]:02x}, expected UTF-8") from None
            except ValueError as error:
                raise self._not_an_object(line, decoded, error) from None
            except RecursionError:
                raise self.error(line, TOO_DEEP) from None
            if not isinstance(fields, Object):
                raise self.error(line, f"got {shown(decoded)}, expected a JSON object")
            yield line, decoded, fields

    def _not_an_object(self, line: int, text: str, error: ValueError) -> FleetFileError:
        """Return the error for a line that is not JSON, but perhaps the beginning of it."""
        if isinstance(error, json.JSONDecodeError) and _may_go_on(error, text):
            whole = text + "\n" + self._stream.read(_PIECE).decode(errors="replace")
            fields, end = None, 0
            with contextlib.suppress(ValueError, RecursionError):
                fields, end = _DECODER.raw_decode(whole)
            wrapped = None if whole[end:].strip() and end else wrapping(whole, fields or {})
            if wrapped is not None:
                return self.wrapped(wrapped)
            if fields is not None:
                hint = self.convert("jq -c . {file} > {jsonl}")
                return self.error(line, f"got an object over several lines, expected one in each line; {hint}")
        return self.error(line, f"not JSON: {error}")

    def wrapped(self, path: str) -> FleetFileError:
        """Return the error for one object that holds the array of clusters."""
        if path == _PROMETHEUS:
            command = f"jq -c {shlex.quote(_PROMETHEUS_ROWS)}".replace("{", "{{").replace("}", "}}")
            return FleetFileError(
                f"{self._name}: got an answer of Prometheus' query API, expected an array, or an object in each line; "
                + self.convert(f"{command} {{file}} > {{jsonl}}")
                + "; and say what the value is, for example with --column data_bytes=value",
                file=self._name,
            )
        quoted = shlex.quote(f"{path}[]").replace("{", "{{").replace("}", "}}")
        return FleetFileError(
            f"{self._name}: got one JSON object with an array in {path}, expected an array, or an object in each line; "
            + self.convert(f"jq -c {quoted} {{file}} > {{jsonl}}"),
            file=self._name,
        )

    def _elements(self, start: bytes) -> Iterator[tuple[int, str, Object]]:
        text = _Text(self._stream, start)
        row = 0
        try:
            text.peek()
            text.at += 1
            following = text.peek()
            while following != "]":
                row += 1
                value, written = text.value()
                if not isinstance(value, Object):
                    hint = ""
                    if isinstance(value, list):
                        hint = "; " + self.convert("jq -r '.[] | @csv' {file} > {csv}")
                    raise self.error(row, f"got {shown(written)}, expected a JSON object{hint}")
                yield row, written, value
                following = text.peek()
                if following == ",":
                    text.at += 1
                    if text.peek() == "]":
                        raise self.error(row, "a comma follows the last object; leave it out")
                elif following != "]":
                    what = f"got {shown(following)} after the object" if following else "the file ends after it"
                    raise self.error(row, f"{what}, expected a comma or the end of the array; is the file whole?")
            text.at += 1
            following = text.peek()
        except UnicodeDecodeError as error:
            raise self.error(row, f"got the byte 0x{error.object[error.start]:02x}, expected UTF-8") from None
        except EOFError:
            raise self.error(row, "the file ends within the array; is the file whole?") from None
        except OverflowError:
            raise self.error(row, f"more than {_LONGEST_ELEMENT // 1024**2} MiB, expected a JSON object") from None
        except json.JSONDecodeError as error:
            raise self.error(row, f"not JSON: {error.msg}") from None
        except RecursionError:
            raise self.error(row, TOO_DEEP) from None
        if following:
            raise FleetFileError(
                f"{self._name}: got {shown(following)} after the array, expected one array; "
                + self.convert("jq -c '.[]' {file} > {jsonl}"),
                file=self._name,
            )


class _Text:
    """The text of a stream, from a position that moves on."""

    def __init__(self, stream: BinaryIO, start: bytes) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._ended = False
        self._error: UnicodeDecodeError | None = None
        self._text = ""
        self.at = 0
        self._add(start)

    def _add(self, data: bytes) -> None:
        try:
            text = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            # It is reported when it is reached.
            self._error, self._ended = error, True
            text = error.object[: error.start].decode()
        self._text = self._text[self.at :] + text
        self.at = 0

    def _read_more(self) -> bool:
        """Read three times what there is, but little beyond the longest element; return whether there was more."""
        if self._ended:
            if self._error is not None:
                raise self._error
            return False
        parts = io.BytesIO()
        length = len(self._text) - self.at
        wanted = max(_PIECE, min(3 * length, _LONGEST_ELEMENT + 1 - length))
        while parts.tell() < wanted and not self._ended:
            data = self._read(_PIECE)
            parts.write(data)
            self._ended = not data
        self._add(parts.getvalue())
        return True

    def peek(self) -> str:
        """Move on to the next character that is not a space, and return it, or an empty string at the end."""
        while True:
            space = _SPACE.match(self._text, self.at)
            self.at = self.at if space is None else space.end()
            if self.at < len(self._text):
                return self._text[self.at]
            if not self._read_more():
                return ""

    def value(self) -> tuple[Any, str]:
        """Move on beyond a value, and return it with its text.

        Raises
        ------
        EOFError
            If the stream ends within it.
        OverflowError
            If it is too long.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self.at)
                written = self._text[self.at : end]
                self.at = end
                return value, written
            except json.JSONDecodeError as error:
                if not _may_go_on(error, self._text):
                    raise
                if len(self._text) - self.at > _LONGEST_ELEMENT:
                    raise OverflowError from None
                if not self._read_more():
                    if error.pos < len(self._text.rstrip()) and not error.msg.startswith("Unterminated"):
                        raise
                    raise EOFError from None


def _may_go_on(error: json.JSONDecodeError, text: str) -> bool:
    """Return whether more text could resolve an error: it is found at the end, or where a string begins."""
    return (error.pos >= len(text) - 8 and error.msg != "Extra data") or error.msg.startswith("Unterminated")


def wrapping(text: str, fields: Mapping[str, Any]) -> str | None:
    """Return where the only object of a file holds the array of clusters, or None, also if it is a cluster itself."""
    own = [name for name, value in fields.items() if not isinstance(value, (dict, list))]
    return None if any(has_column_for(own, dimension) for dimension in DIMENSIONS) else wrapped_in(text)


def wrapped_in(text: str) -> str | None:
    """Return where an object holds an array of objects, as jq writes it, or None. The text may be only a beginning.

    >>> wrapped_in('{"version": 1, "data": {"my clusters": [{"clients": 1}, {"clie')
    '.data."my clusters"'
    """
    found = sorted((len(path), place, "".join(path)) for place, path in enumerate(_arrays(text, 0, ())))
    return found[0][2] if found else None


def _arrays(text: str, at: int, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the path of every array of objects, as far as the text goes."""
    start = _OPEN.match(text, at)
    while start is not None and len(path) < _DEEPEST:
        try:
            key, at = _DECODER.raw_decode(text, start.end())
            colon = _COLON.match(text, at)
            if colon is None or not isinstance(key, str):
                return
            step = f".{key}" if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) else f".{json.dumps(key)}"
            if _ARRAY.match(text, colon.end()):
                yield (*path, step)
            yield from _arrays(text, colon.end(), (*path, step))
            at = _DECODER.raw_decode(text, colon.end())[1]
        except (ValueError, RecursionError):
            return
        start = _COMMA.match(text, at)


_OPEN, _COLON, _COMMA, _ARRAY = (re.compile(text) for text in (r"\s*\{\s*", r"\s*:\s*", r"\s*,\s*", r"\[\s*\{"))
