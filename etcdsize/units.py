"""Parse and format byte sizes, rates, counts, fractions and durations.

All of them share one grammar: a plain decimal number, then optionally one space, then optionally one unit. Other text
is rejected with a suggestion and never guessed at. MB is 10^6 bytes: the conservative reading, and what etcdctl prints.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeVar

from etcdsize.base.checks import plain_number
from etcdsize.base.text import nearest, shown
from etcdsize.errors import EtcdSizeError, OptionError, UnitError

__all__ = [
    "BYTE_UNITS",
    "DIMENSIONS",
    "Dimension",
    "accepted_cell",
    "cell_suggestion",
    "cell_value",
    "format_bytes",
    "format_number",
    "format_percent",
    "parse_bytes",
    "parse_count",
    "parse_duration",
    "parse_fraction",
    "parse_many",
    "parse_option",
    "parse_rate",
    "parse_whole",
]

Dimension = Literal["clients", "requests_per_second", "data_bytes"]

DIMENSIONS: tuple[Dimension, ...] = ("clients", "requests_per_second", "data_bytes")
"""The three dimensions of a load, in the order that is used everywhere."""

T = TypeVar("T")

BYTE_UNITS: dict[str, int] = {
    "B": 1,
    **{name: 1000**power for power, names in enumerate(("kB KB", "MB", "GB", "TB"), 1) for name in names.split()},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)},
    **{f"{prefix}i": 1024**power for power, prefix in enumerate("KMGT", 1)},
}
"""Bytes in each unit. SI prefixes are powers of 1000; IEC and Kubernetes prefixes are powers of 1024."""

_RATE_UNITS = {"k": 1000, "M": 1_000_000, "/s": 1, "k/s": 1000, "M/s": 1_000_000}
_MANY_UNITS = {"k": 1000, "M": 1_000_000}
_FRACTION_UNITS = {"%": Fraction(1, 100)}
_DURATION_UNITS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
_DURATION_WORDS = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
}

_BYTES_ACCEPTED = 'bytes or a size such as "8GB" or "8GiB"'
_RATE_ACCEPTED = 'requests per second such as "800", "2.5k" or "800/s"'
_COUNT_ACCEPTED = 'a count such as "300"'
_MANY_ACCEPTED = 'a count such as "300", "2.5k" or "5.7M"'
_FRACTION_ACCEPTED = 'a fraction from 0 to below 1 such as "0.3" or "30%"'
_DURATION_ACCEPTED = 'seconds or a duration such as "10s", "500ms", "5m" or "1h"'

_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# No float64 needs more digits. The limit keeps hostile text from becoming an enormous integer.
_LONGEST = 400
_LARGEST_FLOAT = 1.7976931348623157e308


def parse_bytes(text: str) -> int | float:
    """Return a size in bytes: an int if it is a whole number, otherwise the nearest float. [bytes]

    Parameters
    ----------
    text : str
        A number and an optional unit: B kB KB MB GB TB (powers of 1000), or KiB MiB GiB TiB Ki Mi Gi Ti (powers of
        1024).

    Raises
    ------
    UnitError
        For any other text, with a suggestion if there is one.

    Examples
    --------
    >>> parse_bytes("400MB"), parse_bytes("8 GiB"), parse_bytes("1048576")
    (400000000, 8589934592, 1048576)
    """
    return _parse(text, BYTE_UNITS, _BYTES_ACCEPTED)


def parse_rate(text: str) -> int | float:
    """Return a rate in requests per second. [1/s]

    >>> parse_rate("800"), parse_rate("2.5k"), parse_rate("1M/s")
    (800, 2500, 1000000)
    """
    return _parse(text, _RATE_UNITS, _RATE_ACCEPTED)


def parse_count(text: str) -> int | float:
    """Return a count, which has no unit. [count]

    >>> parse_count("300"), parse_count("1e3"), parse_count("0.5")
    (300, 1000, 0.5)
    """
    return _parse(text, {}, _COUNT_ACCEPTED)


def parse_many(text: str) -> int | float:
    """Return a count that may be given in thousands or millions. [count]

    >>> parse_many("300"), parse_many("2.5k"), parse_many("5.7M")
    (300, 2500, 5700000)
    """
    return _parse(text, _MANY_UNITS, _MANY_ACCEPTED)


def cell_value(dimension: Dimension, text: str) -> int | float | None:
    """Return the number in a cell of a dimension, or None if there is none.

    >>> cell_value("data_bytes", "400MB"), cell_value("clients", "400MB")
    (400000000, None)
    """
    return _value(text, _CELLS[dimension][0])


def cell_suggestion(dimension: Dimension, text: str) -> str | None:
    """Return similar text that is a cell of a dimension, or None. The search takes time."""
    return _checked_suggestion(text, _CELLS[dimension][0])


def accepted_cell(dimension: Dimension) -> str:
    """Return what a cell of a dimension may be, for a message."""
    return _CELLS[dimension][1]


def parse_whole(text: str) -> int:
    """Return a whole number, which has no unit. [count]

    >>> parse_whole("300"), parse_whole("1e3")
    (300, 1000)
    """
    value = parse_count(text)
    if not isinstance(value, int):
        raise UnitError(f"got {shown(text)}, expected a whole number", text=text, accepted="a whole number")
    return value


def parse_fraction(text: str) -> float:
    """Return a fraction from 0 to below 1 as a float. [1]

    >>> parse_fraction("30%"), parse_fraction("0.3")
    (0.3, 0.3)
    """
    value = _parse(text, _FRACTION_UNITS, _FRACTION_ACCEPTED)
    if value >= 1:
        hint = f"{text}%" if value < 100 and "%" not in text else None
        raise _unit_error(text, _FRACTION_ACCEPTED, hint)
    return float(value)


def parse_duration(text: str) -> int | float:
    """Return a duration in seconds; a number without a unit is seconds. [s]

    >>> parse_duration("10s"), parse_duration("500ms"), parse_duration("1.5 h"), parse_duration("3")
    (10, 0.5, 5400, 3)
    """
    return _parse(text, _DURATION_UNITS, _DURATION_ACCEPTED)


def parse_option(option: str, text: str | None, parse: Callable[[str], T]) -> T | None:
    """Return the parsed text of an option, or None if it is None. An error names the option."""
    if text is None:
        return None
    try:
        return parse(text)
    except EtcdSizeError as error:
        raise OptionError(f"{option}: {error}", option=option, value=text) from None


_CELLS: dict[str, tuple[dict[str, int], str]] = {
    "clients": ({}, _COUNT_ACCEPTED),
    "requests_per_second": (_RATE_UNITS, _RATE_ACCEPTED),
    "data_bytes": (BYTE_UNITS, _BYTES_ACCEPTED),
}


def _parse(text: str, units: dict[str, int] | dict[str, Fraction], accepted: str) -> int | float:
    if not isinstance(text, str):
        raise UnitError(
            f"got {shown(text)} of type {type(text).__name__}, expected text: {accepted}", accepted=accepted
        )
    value = _value(text, units)
    if value is None:
        raise _unit_error(text, accepted, _checked_suggestion(text, units))
    return value


def _checked_suggestion(text: str, units: dict[str, int] | dict[str, Fraction]) -> str | None:
    """Return similar text that would itself be accepted, or None."""
    suggestion = _suggestion(text, units)
    value = _value(suggestion, units) if suggestion else None
    return None if value is None or (units is _FRACTION_UNITS and value >= 1) else suggestion


def _value(text: str, units: dict[str, int] | dict[str, Fraction]) -> int | float | None:
    """Return the value of a text, or None if it does not match the grammar or exceeds any float."""
    match = _NUMBER.match(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    number, rest = match.group(), text[match.end() :]
    unit = rest[1:] if rest.startswith(" ") and len(rest) > 1 else rest
    if unit and unit not in units:
        return None
    factor = units[unit] if unit else 1
    if number.isdigit():
        exact: int | Fraction = int(number) * factor
    else:
        # Check the exponent as a float first, because Fraction would expand it to all its digits.
        rough = float(number)
        if rough < 1e-300:
            return rough * float(factor) or 0
        if rough * float(factor) == float("inf"):
            return None
        exact = Fraction(number) * factor
    if exact.denominator != 1 and exact > _LARGEST_FLOAT:
        return None
    if exact.denominator == 1 and (exact.numerator < 2**64 or "e" not in number.lower()):
        return exact.numerator
    return float(exact)


def _unit_error(text: str, accepted: str, suggestion: str | None) -> UnitError:
    hint = f'; did you mean "{suggestion}"?' if suggestion else ""
    return UnitError(
        f"got {shown(text)}, expected {accepted}{hint}", text=text, accepted=accepted, suggestion=suggestion
    )


def _suggestion(text: str, units: dict[str, int] | dict[str, Fraction]) -> str | None:
    """Return similar text that matches the grammar, or None."""
    if len(text) > _LONGEST:
        return None
    tidy = re.sub(r"(?<=[0-9])[,_' ](?=[0-9]{3}(?![0-9]))", "", text.strip()).removeprefix("+")
    # Two or more dots can only separate thousands.
    if re.match(r"[0-9]{1,3}(\.[0-9]{3}){2,}(?![0-9.])", tidy):
        tidy = re.sub(r"(?<=[0-9])\.(?=[0-9]{3})", "", tidy)
    match = _NUMBER.match(tidy)
    # No unit has a digit: what has one is another number, such as the decimals after a comma.
    if match is None or re.search(r"^\.|[0-9]", tidy[match.end() :]):
        return None
    number, unit = match.group(), tidy[match.end() :].strip()
    if unit in units or not unit:
        return number + unit
    if units is BYTE_UNITS:
        if unit.lower() in ("bit", "bits"):
            if len(number) >= 20 or "e" in number.lower():
                return None
            eighth = Fraction(number) / 8
            return f"{eighth.numerator}B" if eighth.denominator == 1 else None
        unit = unit.removesuffix("s")
        unit = {"byte": "B", "k": "KB", "m": "MB", "g": "GB", "t": "TB"}.get(unit.lower(), unit)
    elif units is _DURATION_UNITS:
        # Compound durations such as 1m30s have no near match.
        return number + _DURATION_WORDS[unit.lower()] if unit.lower() in _DURATION_WORDS else None
    elif units is _RATE_UNITS:
        unit = re.sub(r"(?i)\s*(rps|qps|req/s|reqs/s|requests/s|/sec|/second)$", "", unit)
    if not unit or unit in units:
        return number + unit
    close = re.search(r'"(.+)"', nearest(unit, units))
    return number + close.group(1) if close else None


def format_bytes(value: int | float) -> str:
    """Return bytes in the largest decimal unit that they fill, without rounding: `parse_bytes` reads them back.

    Raises
    ------
    OptionError
        Unless `value` is a finite number of 0 or more.

    Examples
    --------
    >>> format_bytes(400_000_000), format_bytes(2_147_483_648), format_bytes(0)
    ('400 MB', '2.147483648 GB', '0 B')
    """
    number = plain_number(value)
    if number is None or not 0 <= number < math.inf:
        raise OptionError(
            f"value: got {shown(value)}, expected a finite number of 0 or more", option="value", value=value
        )
    if number >= 1e18:
        return f"{number} B"
    for unit in ("TB", "GB", "MB", "kB"):
        if number >= BYTE_UNITS[unit]:
            scaled = Decimal(repr(number)) / BYTE_UNITS[unit]
            return f"{format_number(scaled)} {unit}"
    return f"{format_number(number)} B"


def format_number(value: float | Decimal) -> str:
    """Return a number without trailing zeros, and without an exponent unless it is huge.

    >>> format_number(800), format_number(0.50), format_number(1e300)
    ('800', '0.5', '1e+300')
    """
    if isinstance(value, int):
        return str(value)
    if value >= 1e16:
        return repr(float(value)) if isinstance(value, float) else str(value)
    text = f"{Decimal(repr(float(value) + 0.0)) if isinstance(value, float) else value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_percent(share: float) -> str:
    """Return a share as a percentage with at most one decimal. Only exactly 1 becomes 100 %.

    >>> format_percent(0.8), format_percent(0.1234), format_percent(0.9999), format_percent(1.0001)
    ('80%', '12.3%', '99.9%', '100.1%')
    """
    if share >= 1e6:
        return f"{share * 100:.3g}%"
    tenths = round(share * 1000)
    if tenths == 1000 and share != 1:
        tenths = 999 if share < 1 else 1001
    whole, tenth = divmod(tenths, 10)
    return f"{whole}.{tenth}%" if tenth else f"{whole}%"
