"""An error as a JSON object on one line, for a program that asked for JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from etcdsize import errors
from etcdsize.base.text import safe_json, shortened, shown
from etcdsize.errors import EtcdSizeError

__all__ = ["CODES", "FaultError", "OutOfMemoryError", "UsageError", "error_json", "error_schema"]

FORMAT_VERSION = 1
# A value may be a whole file. Characters of a text, and elements of a list (our choice).
_LONGEST, _MOST = 1_000, 100


class UsageError(EtcdSizeError):
    """A command line that is not understood."""

    code = "usage"

    command: str = ""
    """The command whose help explains the usage."""
    value: str | None = None
    """The word that was rejected, if it is known."""


class OutOfMemoryError(EtcdSizeError):
    """Memory ran out."""

    code = "memory"


class FaultError(EtcdSizeError):
    """A fault of etcdsize: an error that it does not foresee."""

    code = "fault"


_CLASSES = (*(getattr(errors, name) for name in errors.__all__), UsageError, OutOfMemoryError, FaultError)
CODES: dict[str, type[EtcdSizeError]] = {kind.code: kind for kind in _CLASSES}
"""Every code, with the class of its errors."""


def error_json(error: EtcdSizeError, traceback: Sequence[str] | None = None) -> str:
    """Return an error as a JSON object on one line."""
    attributes = {name: getattr(error, name) for name in _names(type(error))}
    where, got, expected = _parts(error.message, attributes)
    fields = {
        "format_version": FORMAT_VERSION,
        "code": error.code,
        "where": where,
        "got": got,
        "expected": expected,
        "message": error.message,
        "attributes": {name: _plain(value) for name, value in attributes.items()},
        "traceback": traceback,
    }
    return safe_json(json.dumps(fields, ensure_ascii=False)) + "\n"


def _names(kind: type[EtcdSizeError]) -> list[str]:
    """Return the names of the attributes that a class of errors declares."""
    bases = [base for base in kind.__mro__ if issubclass(base, EtcdSizeError) and base is not EtcdSizeError]
    return [name for base in reversed(bases) for name in base.__annotations__]


def _parts(message: str, attributes: dict[str, object]) -> tuple[str | None, object, str | None]:
    """Return where an error is, what came, and what is accepted; None for what it does not say.

    A message has these parts: `WHERE: got VALUE, expected WHAT; what to do`. A value may have any text in it, so the
    part after it is found by the value itself.
    """
    value = next((attributes[name] for name in ("value", "text") if attributes.get(name) is not None), None)
    where, found, rest = message.partition(": got ")
    quoted = "" if value is None else shown(value)
    if found and quoted and rest.startswith(quoted):
        # Only what follows the value is searched.
        rest = rest.removeprefix(quoted)
        came, comma, expected = rest.partition(", expected ")
    else:
        came, comma, expected = (rest if found else message).partition(", expected ")
    got = _plain(value)
    if got is None and found:
        got = came.partition("; ")[0]
    accepted = str(attributes.get("accepted") or "") or (expected.partition("; ")[0] if comma else None)
    return (where if found else None) or _place(attributes), got, accepted


def _place(attributes: dict[str, object]) -> str | None:
    """Return the place of an error from its attributes."""
    names = (
        "file",
        "option",
        "member",
        "endpoint",
        "program",
        "dimension",
        "command",
        "line",
        "row",
        "column",
        "field",
        "metric",
    )
    parts = [
        f"{name} {attributes[name]}" if name in ("line", "row", "column") else str(attributes[name])
        for name in names
        if attributes.get(name) not in (None, "")
    ]
    return _text(": ".join([parts[0], *([", ".join(parts[1:])] if parts[1:] else [])])) if parts else None


def _plain(value: object) -> Any:
    """Return a value that JSON can express; anything else becomes the text that messages show."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**64:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (list, tuple)) and len(value) <= _MOST:
        return [_plain(shown(one) if isinstance(one, (list, tuple)) else one) for one in value]
    return _text(shown(value))


def _text(text: str) -> str:
    """Return text of a bounded length, without halves of surrogate pairs, which many readers of JSON reject."""
    return shortened(text, _LONGEST).encode(errors="backslashreplace").decode()


def error_schema() -> dict[str, Any]:
    """Return the JSON schema of an error."""
    scalar = ["string", "number", "boolean", "null"]
    value = {"anyOf": [{"type": scalar}, {"type": "array", "items": {"type": scalar}}]}
    names = dict.fromkeys(name for kind in CODES.values() for name in _names(kind))
    text = {"type": ["string", "null"]}
    properties = {
        "format_version": {"const": FORMAT_VERSION, "description": "The version of this schema."},
        "code": {"enum": list(CODES), "description": "A stable name for the kind of error."},
        "where": {**text, "description": "The option, the file with line and column, or the field that is wrong."},
        "got": {**value, "description": "What came. null: nothing, or it is part of the message only."},
        "expected": {**text, "description": "What is accepted. null: the message says what is wrong."},
        "message": {"type": "string", "description": "The error in one line, as it is printed without --json."},
        "attributes": {
            "type": "object",
            "properties": {name: {**value, "description": f"{name} of the error in Python."} for name in names},
            "additionalProperties": False,
            "description": "The attributes of the error in Python, with their values.",
        },
        "traceback": {
            "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
            "description": "The lines of the traceback, with --debug.",
        },
    }
    return {
        "title": "Error",
        "description": "An error of a command that was asked for JSON, on one line of standard error.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": list(properties),
    }
