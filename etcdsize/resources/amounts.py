"""Sums, products and extremes of amounts, which are those of their low, likely and high values."""

import math
from collections.abc import Callable, Iterable

from etcdsize.resources.amount import Amount

__all__ = ["NOTHING", "largest_of", "product_of", "quotient_of", "smallest_of", "sum_of"]

NOTHING = Amount(low=0, likely=0, high=0)


def sum_of(amounts: Iterable[Amount]) -> Amount:
    """Return the sum of amounts.

    >>> print(sum_of([Amount.of("1..2"), Amount.of(5)]))
    6..7
    """
    # Since Python 3.12, `sum` rounds otherwise than before.
    return _combined(amounts, math.fsum)


def largest_of(amounts: Iterable[Amount]) -> Amount:
    """Return the largest low, likely and high value."""
    return _combined(amounts, max)


def smallest_of(amounts: Iterable[Amount]) -> Amount:
    """Return the smallest low, likely and high value."""
    return _combined(amounts, min)


def product_of(amount: Amount, *factors: Amount | float) -> Amount:
    """Return the product of an amount and further amounts or numbers.

    >>> print(product_of(Amount.of("1..2"), 10, Amount.of("2..3")))
    20..37.5..60
    """
    low, likely, high = amount.low, amount.likely, amount.high
    for factor in factors:
        if isinstance(factor, Amount):
            low, likely, high = low * factor.low, likely * factor.likely, high * factor.high
        else:
            low, likely, high = low * factor, likely * factor, high * factor
    return Amount(low=low, likely=likely, high=high)


def quotient_of(amount: Amount, divisor: Amount) -> Amount:
    """Return a quotient, whose low value is that of the largest divisor.

    >>> print(quotient_of(Amount.of("100..200"), Amount.of("1..4..5")))
    20..37.5..200
    """
    return Amount(low=amount.low / divisor.high, likely=amount.likely / divisor.likely, high=amount.high / divisor.low)


def _combined(amounts: Iterable[Amount], combine: Callable[[list[float]], float]) -> Amount:
    rows = list(amounts)
    return Amount(
        low=combine([row.low for row in rows]),
        likely=combine([row.likely for row in rows]),
        high=combine([row.high for row in rows]),
    )
