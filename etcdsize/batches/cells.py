"""Read cells of text as people write them: padded, with a word for a missing value, with a decimal comma.

What a comma or a dot means is never guessed. A number that is written another way than the rules say is refused, and
the refusal names the options that would read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etcdsize.base.checks import names_of
from etcdsize.base.text import shown
from etcdsize.errors import OptionError, UnitError
from etcdsize.units import Dimension, accepted_cell, cell_suggestion, cell_value

__all__ = ["MISSING_WORDS", "PADDING", "CellRules"]

PADDING = " \t\u00a0"
"""What may surround a cell: spaces, tabs and no-break spaces."""
MISSING_WORDS = ("n/a", "na", "-", "null", "none", "unknown", "?", "#n/a")
"""The words for a missing value, in lower case. Their case does not matter."""

_DECIMALS = (".", ",")
# A mark between groups of three digits -> the characters that are that mark.
_THOUSANDS = {",": ",", ".": ".", " ": " \u00a0\u202f", "'": "'\u2019", "_": "_"}
_NAME_OF = {character: name for name, characters in _THOUSANDS.items() for character in characters}
_MARK = re.compile(f"[{''.join(_NAME_OF)}]")
# No number needs more characters.
_LONGEST = 400


@dataclass(frozen=True)
class CellRules:
    """How the cells of the load are written."""

    na: tuple[str, ...] = MISSING_WORDS
    """The words for a missing value, in lower case."""
    decimal: str = "."
    """The decimal mark, `.` or `,`."""
    thousands: str | None = None
    """The mark between groups of three digits; None if there is none."""

    @classmethod
    def of(cls, na: Any = (), decimal: Any = ".", thousands: Any = None) -> CellRules:
        """Check the options `na`, `decimal` and `thousands`, and return the rules.

        Raises
        ------
        OptionError
            For the first option that is not valid.
        """
        more = [word.strip(PADDING) for word in names_of("na", na)]
        for word in more:
            if word.encode(errors="replace").decode() != word:
                raise OptionError(f"na: got {shown(word)}, expected text that UTF-8 can hold", option="na", value=word)
        words = pa.array([*MISSING_WORDS, *more], pa.string())
        if not isinstance(decimal, str) or decimal not in _DECIMALS:
            raise OptionError(f'decimal: got {shown(decimal)}, expected "." or ","', option="decimal", value=decimal)
        mark = None
        if thousands is not None:
            mark = (_NAME_OF | {"space": " "}).get(thousands) if isinstance(thousands, str) else None
            if mark is None:
                raise OptionError(
                    f"thousands: got {shown(thousands)}, expected a comma, a dot, a space, an apostrophe or an "
                    "underscore",
                    option="thousands",
                    value=thousands,
                )
            if mark == decimal:
                other = "," if decimal == "." else "."
                raise OptionError(
                    f"thousands: got {shown(thousands)}, which is the decimal mark; "
                    f'give the decimal mark "{other}" as well, or another mark for thousands',
                    option="thousands",
                    value=thousands,
                )
        return cls(tuple(dict.fromkeys(pc.utf8_lower(words).to_pylist())), decimal, mark)

    @cached_property
    def na_numbers(self) -> tuple[float, ...]:
        """The words for a missing value that are numbers, such as -1."""
        return tuple(_floats(self.na))

    @property
    def are_plain(self) -> bool:
        """Whether a number is written with digits and a decimal point alone."""
        return self.decimal == "." and self.thousands is None

    def clean(self, texts: pa.Array) -> pa.Array:
        """Return texts without padding; those that mean a missing value become null."""
        trimmed = pc.utf8_trim(texts, characters=PADDING)
        missing = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(["", *self.na], trimmed.type))
        return pc.if_else(missing, pa.scalar(None, trimmed.type), trimmed)

    def plain_numbers(self, texts: pa.Array) -> pa.Array | None:
        """Return numbers with a decimal point and without thousands marks; None unless all texts are numbers."""
        if self.are_plain:
            return texts
        if not pc.all(pc.match_substring_regex(texts, rf"\A(?:{self._number})\z")).as_py():
            return None
        for mark in "" if self.thousands is None else _THOUSANDS[self.thousands]:
            texts = pc.replace_substring(texts, mark, "")
        return texts if self.decimal == "." else pc.replace_substring(texts, self.decimal, ".")

    def plain(self, text: str) -> str | None:
        """Return a number and its unit with a decimal point and without thousands marks; None if it is not one."""
        if self.are_plain:
            return text
        match = self._pattern.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            return None
        number = match["number"]
        if self.thousands is not None:
            number = re.sub(f"[{_THOUSANDS[self.thousands]}]", "", number)
        return number.replace(self.decimal, ".") + match["rest"]

    def parse(self, dimension: Dimension, text: str, *, suggest: bool, accepted: str | None = None) -> int | float:
        """Return the number in a cell of a dimension.

        Parameters
        ----------
        dimension : str
            What the cell is.
        text : str
            The cell, without padding.
        suggest : bool
            Whether to search for similar text, which takes time.
        accepted : str, optional
            What is accepted, if that is not what the dimension usually accepts; there is no suggestion then.

        Raises
        ------
        UnitError
            For any other text. It names the options that would read it.
        """
        plain = self.plain(text)
        value = None if plain is None else cell_value(dimension, plain)
        if value is not None:
            return value
        expected = (accepted or accepted_cell(dimension)) + self._marks
        readings = ", ".join(f"{options} reads it as {plain}" for plain, options in _readings(dimension, text).items())
        suggests = suggest and not readings and accepted is None and self.are_plain
        suggestion = cell_suggestion(dimension, text) if suggests else None
        hint = f"; {readings}" if readings else f'; did you mean "{suggestion}"?' if suggestion else ""
        raise UnitError(
            f"got {shown(text)}, expected {expected}{hint}", text=text, accepted=expected, suggestion=suggestion
        )

    @property
    def _number(self) -> str:
        """A pattern for a number. A group of digits that begins with 0 is no thousands."""
        grouped = "" if self.thousands is None else rf"[1-9][0-9]{{0,2}}(?:[{_THOUSANDS[self.thousands]}][0-9]{{3}})+|"
        mark = re.escape(self.decimal)
        return rf"(?:{grouped}[0-9]+)(?:{mark}[0-9]*)?|{mark}[0-9]+"

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"(?P<number>(?:{self._number})(?:[eE][+-]?[0-9]+)?)(?P<rest> ?[A-Za-z/]*)")

    @property
    def _marks(self) -> str:
        """The marks that a number is expected to have, for a message."""
        if self.are_plain:
            return ""
        groups = "" if self.thousands is None else f' and "{self.thousands}" between groups of three digits'
        return f', with "{self.decimal}" as the decimal mark{groups}'

    @property
    def options(self) -> str:
        """The options of the command line that set these marks."""
        parts = [] if self.decimal == "." else [f'--decimal "{self.decimal}"']
        parts += [] if self.thousands is None else [f'--thousands "{self.thousands}"']
        return " ".join(parts)


@cache
def _ways(marks: frozenset[str]) -> tuple[CellRules, ...]:
    """Return the ways to write a number with these marks that need an option, one option before two."""
    return tuple(
        CellRules((), decimal, thousands)
        for thousands in (None, *_THOUSANDS)
        for decimal in _DECIMALS
        if decimal != thousands
        and (thousands is None or thousands in marks)
        # Where a dot separates thousands, the decimal mark has to be given even if no number has one.
        and ("," in marks or thousands == "." if decimal == "," else thousands is not None)
        and marks <= {decimal, thousands}
    )


def _readings(dimension: Dimension, text: str) -> dict[str, str]:
    """Return what a text is if it is written another way, and the options that say so."""
    found: dict[str, str] = {}
    marks = frozenset(_NAME_OF[character] for character in _MARK.findall(text))
    for way in _ways(marks) if marks else ():
        plain = way.plain(text)
        if plain is not None and plain not in found and cell_value(dimension, plain) is not None:
            found[plain] = way.options
    return found


def _floats(words: tuple[str, ...]) -> Iterator[float]:
    """Yield the words that are numbers."""
    for word in words:
        if re.fullmatch(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?", word):
            yield float(word)
