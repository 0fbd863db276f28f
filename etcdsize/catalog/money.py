"""Amounts of money: their currency, how they are printed, and sums of which each is of one currency.

Nothing is converted: amounts of two currencies are neither added up nor compared.
"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from etcdsize.base.text import shown

__all__ = ["Currency", "currency_mark", "currency_order", "money_text", "sums"]

_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _currency(text: str) -> str:
    if len(text) == 3 and _LETTERS.issuperset(text):
        return text
    raise ValueError(f"got {shown(text)}, expected a currency by its three capital letters (ISO 4217), such as USD")


Currency = Annotated[str, AfterValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]
"""A currency by its code of ISO 4217, such as USD."""


def currency_mark(currency: str) -> str:
    """Return what stands before an amount: `$` for US dollars, and otherwise the code and a space."""
    return "$" if currency == "USD" else f"{currency} "


def money_text(amount: float, currency: str) -> str:
    """Return an amount with its currency, such as `$1,234.50` or `CNY 1,234.50`."""
    return f"{currency_mark(currency)}{amount:,.2f}"


def currency_order(currencies: Iterable[str | None]) -> dict[str, int]:
    """Return the place of each currency: the most frequent first, equally frequent ones by name. None is left out.

    Examples
    --------
    >>> currency_order(["USD", "CNY", None, "CNY"])
    {'CNY': 0, 'USD': 1}
    """
    counts = Counter(currency for currency in currencies if currency is not None)
    return {currency: place for place, currency in enumerate(sorted(counts, key=lambda one: (-counts[one], one)))}


def sums(amounts: Iterable[tuple[float | None, str | None]]) -> dict[str, float]:
    """Return the sum of each currency, in alphabetical order, without the amounts that are unknown.

    Examples
    --------
    >>> sums([(1.5, "USD"), (2, "CNY"), (None, "EUR"), (1, "USD")])
    {'CNY': 2.0, 'USD': 2.5}
    """
    of: dict[str, list[float]] = {}
    for amount, currency in amounts:
        if amount is not None and currency is not None:
            of.setdefault(currency, []).append(amount)
    return {currency: math.fsum(of[currency]) for currency in sorted(of)}
