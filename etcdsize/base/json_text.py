"""Parse JSON strictly: constants such as NaN and repeated fields are errors.

A `TableError` says what is wrong, and where in the text.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, NoReturn

from etcdsize.base.text import decoded, shown
from etcdsize.errors import TableError

__all__ = ["documents", "reject_repeats"]

_SPACE = re.compile(r"[ \t\r\n]*")


def documents(source: object, expected: str = "") -> list[Any]:
    """Return the JSON documents in a text, which may hold several in a row. Parsed JSON counts as one document.

    An error says what is `expected`, such as the command that prints it as JSON.
    """
    try:
        return _documents(source)
    except TableError as error:
        raise TableError(f"{error}; expected {expected}" if expected else str(error)) from None


def _documents(source: object) -> list[Any]:
    if isinstance(source, (bytes, bytearray)):
        try:
            source = decoded(bytes(source))
        except UnicodeDecodeError as error:
            raise TableError(f"not text: byte {error.start} is not {error.encoding}") from None
    if not isinstance(source, str):
        return [source]
    text = source.removeprefix("\ufeff")
    decoder = json.JSONDecoder(object_pairs_hook=_object_without_repeats, parse_constant=_reject_constant)
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
            raise TableError("not JSON: it is nested too deeply") from None
        except _NotJsonError as error:
            raise TableError(f"not JSON: {error}") from None
        except ValueError:
            raise TableError("not JSON: it has a number of more than 4300 digits") from None
        found.append(document)
        end = _after_space(text, end)
    return found


def reject_repeats(text: str | bytes) -> None:
    """Reject an object with a field more than once. Other faults are left to the parser that reads the text next."""
    try:
        json.loads(text, object_pairs_hook=_object_without_repeats)
    except _NotJsonError as error:
        raise TableError(f"not JSON: {error}") from None
    except (ValueError, RecursionError):
        return


def _after_space(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start


class _NotJsonError(Exception):
    """Something that Python's parser accepts but that is not JSON or is ambiguous."""


def _reject_constant(name: str) -> NoReturn:
    raise _NotJsonError(f"{name} is not a number")


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        repeated = next(name for name, count in counts.items() if count > 1)
        raise _NotJsonError(f"an object has the field {shown(repeated)} more than once")
    return fields
