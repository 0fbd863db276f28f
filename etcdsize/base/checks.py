"""Check arguments. An error names the argument, the value and what is accepted."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError

__all__ = ["one_of", "pairs_of", "true_or_false", "whole_number"]


def whole_number(value: Any) -> int | None:
    """Return a value as an integer, or None if it is not one."""
    if isinstance(value, bool) or getattr(value, "ndim", 0) != 0:
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def one_of(option: str, value: Any, accepted: Iterable[str]) -> str:
    """Return the value if it is one of the accepted words."""
    accepted = tuple(accepted)
    if isinstance(value, str) and value in accepted:
        return value
    raise OptionError(
        f"{option}: got {shown(value)}, expected {' or '.join(accepted)}{nearest(str(value), accepted)}",
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
            raise OptionError(f"{option}: got {shown(name)} twice, expected it once", option=option, value=name)
        found[name] = value
    return found
