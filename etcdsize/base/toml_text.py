"""Parse TOML. A `TableError` says what is wrong, and where in the text."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from etcdsize.base.text import decoded
from etcdsize.errors import TableError

__all__ = ["table_of"]

# No table of ours nests three deep. tomllib needs memory in the square of the parts of a key: 40 GB for 100 kB.
_MOST_PARTS = 100


def table_of(source: str | bytes | bytearray) -> dict[str, Any]:
    """Return the table that a TOML document is: text, UTF-8, or UTF-16 as PowerShell writes it."""
    try:
        text = source if isinstance(source, str) else decoded(bytes(source))
    except UnicodeDecodeError as error:
        raise TableError(f"not text: byte {error.start} is not {error.encoding}") from None
    text = text.removeprefix("\ufeff")
    if any(line.count(".") > _MOST_PARTS and not line.lstrip().startswith("#") for line in text.splitlines()):
        raise TableError(f"not TOML as it is read here: a line has more than {_MOST_PARTS} dots")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TableError(f"not TOML: {_reason(str(error))}") from None
    except RecursionError:
        raise TableError("not TOML: it is nested too deeply") from None
    except ValueError:
        raise TableError("not TOML: it has a number of more than 4300 digits") from None


def _reason(message: str) -> str:
    """Return the message of the parser, with its place as our other messages have it."""
    reason, _, place = message.rpartition(" (at ")
    if reason == "Cannot overwrite a value" or (reason.startswith("Cannot declare") and reason.endswith(" twice")):
        reason = "a field or a table is in it more than once"
    return f"{reason[:1].lower()}{reason[1:]}, {re.sub('^end of document', 'at the end', place.removesuffix(')'))}"
