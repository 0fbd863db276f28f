"""Check arguments. An error names the argument, the value and what is accepted."""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from etcdsize.base.text import in_words, nearest, shown
from etcdsize.errors import OptionError

__all__ = [
    "count_of",
    "instance_of",
    "list_of",
    "names_of",
    "number_of",
    "one_of",
    "pairs_of",
    "plain_number",
    "share_of",
    "text_of",
    "true_or_false",
    "whole_number",
]

T = TypeVar("T")


def whole_number(value: Any) -> int | None:
    """Return a value as an integer, or None if it is not one."""
    if isinstance(value, bool) or getattr(value, "ndim", 0) != 0:
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def plain_number(value: Any) -> int | float | None:
    """Return a number of Python or NumPy as an int or a float, or None for anything else; booleans are no numbers."""
    if isinstance(value, float):
        return float(value)
    whole = whole_number(value)
    if whole is not None:
        return whole
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    return float(value) if kind == "f" and getattr(value, "shape", None) == () else None


def count_of(option: str, value: Any, least: int = 1) -> int:
    """Return a count that is an integer of `least` or more. [count]"""
    number = whole_number(value)
    if number is not None and least <= number < 2**64:
        return number
    most = ", and below 2^64" if number is not None and number >= least else ""
    raise OptionError(
        f"{option}: got {shown(value)}, expected an integer of {least} or more{most}", option=option, value=value
    )


def number_of(option: str, value: Any, *, positive: bool = False) -> int | float:
    """Return a finite number that is not negative, or that is above 0 if `positive`."""
    number = plain_number(value)
    # No real figure is above 1e300, and arithmetic on a larger one could overflow.
    if number is not None and 0 <= number < 1e300 and (number or not positive):
        return number
    least = "above 0" if positive else "of 0 or more"
    if number is not None and 1e300 <= number != math.inf:
        least += ", and below 1e300"
    where = f"{option}: " if option else ""
    raise OptionError(f"{where}got {shown(value)}, expected a finite number {least}", option=option, value=value)


def share_of(option: str, value: Any) -> float:
    """Return a share as a float in [0, 1)."""
    number = plain_number(value)
    if number is None and isinstance(value, (Decimal, Fraction)):
        # A signalling NaN has no float.
        with contextlib.suppress(ValueError, OverflowError):
            number = float(value)
    if number is not None and 0 <= number < 1:
        return number + 0.0  # -0.0 becomes 0
    hint = (
        f"; for {shown(value)} percent use {value / 100:g}" if type(value) in (int, float) and 1 <= value < 100 else ""
    )
    raise OptionError(
        f"{option}: got {shown(value)}, expected a number from 0 to below 1{hint}", option=option, value=value
    )


def instance_of(option: str, value: Any, kind: type[T]) -> T:
    """Return the value if it is an instance of a class."""
    if isinstance(value, kind):
        return value
    raise OptionError(
        f"{option}: got {shown(value)} of type {type(value).__name__}, expected {kind.__name__}",
        option=option,
        value=value,
    )


def list_of(option: str, value: Any) -> list[Any]:
    """Return the elements of an iterable that is no text."""
    if isinstance(value, (str, bytes)) or not _is_iterable(value):
        raise OptionError(
            f"{option}: got {shown(value)} of type {type(value).__name__}, expected a list", option=option, value=value
        )
    return list(value)


def names_of(option: str, value: Any) -> tuple[str, ...]:
    """Return one name, or an iterable of names, as a tuple."""
    names = (value,) if isinstance(value, str) else tuple(value) if _is_iterable(value) else (value,)
    for name in names:
        if not isinstance(name, str):
            raise OptionError(
                f"{option}: got {shown(name)} of type {type(name).__name__}, expected a name, or several",
                option=option,
                value=name,
            )
    return names


def text_of(option: str, value: Any) -> str:
    """Return the value if it is text."""
    if isinstance(value, str):
        return value
    raise OptionError(
        f"{option}: got {shown(value)} of type {type(value).__name__}, expected text", option=option, value=value
    )


def _is_iterable(value: Any) -> bool:
    try:
        iter(value)
    except TypeError:
        return False
    return True


def one_of(option: str, value: Any, accepted: Iterable[str]) -> str:
    """Return the value if it is one of the accepted words."""
    accepted = tuple(accepted)
    if isinstance(value, str) and value in accepted:
        return value
    raise OptionError(
        f"{option}: got {shown(value)}, expected {in_words(accepted, 'or')}{nearest(str(value), accepted)}",
        option=option,
        value=value,
    )


def true_or_false(option: str, value: Any) -> bool:
    """Return the value if it is a boolean."""
    if isinstance(value, bool):
        return value
    raise OptionError(f"{option}: got {shown(value)}, expected True or False", option=option, value=value)


def pairs_of(option: str, texts: Iterable[str], expected: str) -> dict[str, str]:
    """Return texts such as `a=10.0.0.1` as a mapping from name to value. A name must not occur more than once."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise OptionError(f"{option}: got {shown(text)}, expected {expected}", option=option, value=text)
        if name in found:
            raise OptionError(
                f"{option}: got {shown(name)} more than once, expected it once", option=option, value=name
            )
        found[name] = value
    return found
