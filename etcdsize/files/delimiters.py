"""The character between the cells of a delimited text: found in the header, named by Excel's line, or chosen."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from etcdsize.base.text import shown
from etcdsize.batches.cells import PADDING
from etcdsize.errors import OptionError

__all__ = ["DELIMITERS", "Splitter", "delimiter_of", "find_delimiter", "sep_delimiter"]

DELIMITERS = ",;\t|"
"""The characters that may separate cells."""

# Excel's first line `sep=;`, which it writes and reads with or without quotes.
_SEP_LINE = re.compile(r'("?)sep=([^\w"]?)\1', re.IGNORECASE)


def delimiter_of(value: Any) -> str:
    r"""Return a delimiter that was chosen: one of `DELIMITERS`, `tab` or `\t`.

    Raises
    ------
    OptionError
        For anything else.
    """
    found = {"tab": "\t", "\\t": "\t"}.get(value, value) if isinstance(value, str) else ""
    if len(found) != 1 or found not in DELIMITERS:
        raise OptionError(
            f'delimiter: got {shown(value)}, expected ",", ";", "|" or "tab"', option="delimiter", value=value
        )
    return found


def sep_delimiter(line: str) -> str | None:
    """Return the delimiter that Excel's line `sep=;` names, empty if it names none; None for any other line."""
    match = _SEP_LINE.fullmatch(line)
    return None if match is None else match[2]


class Splitter:
    """Splits delimited text into records and cells.

    A quote inside a cell that does not start with one is plain text.

    Parameters
    ----------
    delimiters : str
        The characters that separate cells.
    """

    def __init__(self, delimiters: str) -> None:
        self.delimiters: str = delimiters
        """The characters that separate cells."""
        d = b"[" + re.escape(delimiters).encode() + b"]"
        quoted = rb'"[^"]*+(?:""[^"]*+)*+"'
        plain = rb'(?:[^"\r\n' + d[1:-1] + rb"][^\r\n" + d[1:-1] + rb"]*+)?"
        cell = rb"(?:" + quoted + rb"|" + plain + rb")"
        cells = cell + rb"(?:" + d + cell + rb")*+"
        self._cell = re.compile(cell)
        self.record: re.Pattern[bytes] = re.compile(cells + rb"(?:\r\n|\n|\r(?!\n))")
        """A record with its line end."""
        self.stray: re.Pattern[bytes] = re.compile(
            rb"(?:" + cell + d + rb")*+" + quoted + rb"[^\"\r\n" + d[1:-1] + rb"]"
        )
        """A record up to text that follows a closing quote."""
        padding = "[" + PADDING.replace("\u00a0", r"\x{A0}") + "]*"
        blank = f'(?:{padding}|"{padding}")'
        self.blank: str = rf"\A[\r\n]*{blank}(?:[{re.escape(delimiters)}]{blank})*\z"
        """A pattern of RE2 for a record whose cells are all empty, after a line end."""

    def cells(self, record: bytes) -> list[bytes]:
        """Return the cells of a record without its line end, still quoted."""
        return self._split(record)[0]

    def delimiters_in(self, record: bytes) -> Counter[str]:
        """Return how often each delimiter separates cells of a record."""
        return Counter(self._split(record)[1])

    def _split(self, record: bytes) -> tuple[list[bytes], list[str]]:
        cells, between = [], []
        position = 0
        while position <= len(record):
            match = self._cell.match(record, position)
            assert match is not None  # noqa: S101 - a cell may be empty
            cells.append(match.group())
            position = match.end() + 1
            between.append(record[match.end() : position].decode("ascii", "replace"))
        return cells, between[:-1]


def find_delimiter(header: bytes, own: str) -> tuple[str | None, Counter[str]]:
    """Return the delimiter of a header without its line end, None if it is ambiguous; and how often each occurs.

    The delimiter is the one that occurs most, or `own` if none occurs. A tab is hardly part of a name, so a file
    that is called TSV has tabs as soon as its header has one.
    """
    counts = Splitter(DELIMITERS).delimiters_in(header)
    if not counts or (own == "\t" and own in counts):
        return own, counts
    (found, most), *others = counts.most_common()
    if (others and others[0][1] == most) or Splitter(found).record.fullmatch(header + b"\n") is None:
        return None, counts
    return found, counts
