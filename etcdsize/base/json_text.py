"""A provider's own listing, as its command prints it in JSON: the text into entries, and what an entry says.

Whatever is wrong with a listing is a `TableError` that names the row, the machine and the field. A field that is
missing or null is None: older commands print fewer. This module imports `errors` only.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from etcdsize.errors import TableError, shown

__all__ = ["Entry", "documents", "not_a_listing"]

# No machine has a figure above this; what has is a fault, as is a float where a count should be.
_MOST = 10**12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SPACE = re.compile(r"[ \t\r\n]*")


def documents(source: object) -> list[Any]:
    """Return the JSON documents that text holds one after the other; what is parsed already is one document."""
    if isinstance(source, (bytes, bytearray)):
        try:
            source = bytes(source).decode(json.detect_encoding(bytes(source)))
        except UnicodeDecodeError as error:
            raise TableError(f"not text: byte {error.start} is not {error.encoding}") from None
    if not isinstance(source, str):
        return [source]
    text = source.removeprefix("\ufeff")
    decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
    found: list[Any] = []
    end = _after_space(text, 0)
    while end < len(text):
        try:
            document, end = decoder.raw_decode(text, end)
        except json.JSONDecodeError as error:
            at_the_end = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated")
            cut = "; is the file cut off?" if at_the_end else ""
            raise TableError(f"not JSON: {error.msg}, line {error.lineno}, column {error.colno}{cut}") from None
        except RecursionError:
            raise TableError("not a listing: it is nested too deeply") from None
        except _NoJsonError as error:
            raise TableError(f"not JSON: {error}") from None
        except ValueError:
            raise TableError("not a listing: it has a number of more than 4300 digits") from None
        found.append(document)
        end = _after_space(text, end)
    return found


def _after_space(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start


class _NoJsonError(Exception):
    """Something that Python's parser takes and JSON does not, or that has two meanings."""


def _refuse_constant(name: str) -> NoReturn:
    raise _NoJsonError(f"{name} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NoJsonError(f"an object has the field {shown(twice)} twice")
    return fields


def not_a_listing(document: object, expected: str) -> TableError:
    """Return the error for a document that is something else, saying what it looks like."""
    looks = ""
    first = document[0] if isinstance(document, list) and document else document
    if isinstance(first, dict):
        if "guestCpus" in first or "selfLink" in first:
            looks = "; it looks like the list of gcloud"
        elif "InstanceTypes" in first or "InstanceType" in first:
            looks = "; it looks like the list of aws"
    return TableError(f"not a listing: got {_kind(document)}, expected {expected}{looks}")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else type(value).__name__)


class Entry:
    """One entry of a listing: its fields by path, checked as they are asked for."""

    def __init__(self, fields: object, row: int, name_field: str) -> None:
        self.row = row
        self.machine_type = ""
        if not isinstance(fields, dict):
            self.refuse("", f"got {_kind(fields)}, expected an object")
        self._fields = fields
        name = fields.get(name_field)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            came = "missing" if name is None else f"got {shown(name)}"
            self.refuse(name_field, f"{came}, expected the name of a machine type")
        self.machine_type = name

    def refuse(self, field: str, reason: str) -> NoReturn:
        """Raise the error that names row, machine and field."""
        where = f"row {self.row}" + (f" ({self.machine_type})" if self.machine_type else "")
        raise TableError(f"{where}{', ' if field else ''}{field}: {reason}", row=self.row, field=field or None)

    def part(self, path: str) -> Any:
        """Return what stands at a path such as `EbsInfo.EbsOptimizedInfo`, None where nothing does."""
        value: Any = self._fields
        steps = path.split(".")
        for depth, step in enumerate(steps):
            if value is None:
                return None
            if not isinstance(value, dict):
                self.refuse(".".join(steps[:depth]), f"got {_kind(value)}, expected an object")
            value = value.get(step)
        return value

    def whole(self, path: str) -> int | None:
        """Return a whole number above 0."""
        value = self.part(path)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _MOST:
            self.refuse(path, f"got {shown(value)}, expected a whole number above 0")
        return value

    def number(self, path: str) -> float | None:
        """Return a number above 0."""
        value = self.part(path)
        if value is None:
            return None
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < _MOST:
            self.refuse(path, f"got {shown(value)}, expected a number above 0")
        return int(value) if value == int(value) else value

    def flag(self, path: str) -> bool | None:
        """Return true or false."""
        value = self.part(path)
        if value is not None and not isinstance(value, bool):
            self.refuse(path, f"got {shown(value)}, expected true or false")
        return value

    def text(self, path: str) -> str | None:
        """Return text."""
        value = self.part(path)
        if value is not None and not isinstance(value, str):
            self.refuse(path, f"got {shown(value)}, expected text")
        return value

    def items(self, path: str) -> list[Any] | None:
        """Return a list."""
        value = self.part(path)
        if value is not None and not isinstance(value, list):
            self.refuse(path, f"got {_kind(value)}, expected a list")
        return value
