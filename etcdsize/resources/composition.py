"""How many keys a load has and how large they are, where the data is known: `count * (key + value)` is the data.

Known data leaves a choice: many small keys or few large ones. What pulls the figures of the model apart are the corners
of that choice. A `Box` holds the range of one kind's figures; `corners` and `between` solve for one kind, `meet` for
several.
"""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = [
    *("CLOSE", "WORST_LONE_PAIR", "WORST_PAIR"),
    *("Box", "Triple", "between", "corners", "data_of", "meet", "stretched", "worst_pages"),
]

# Keys and values of this size fill etcd's pages of 4,096 bytes worst: with their headers, two of them do not fit one
# page; with one put a commit, when a page is split at its fifth element, four do not. [bytes]
# bbolt node.go, splitIndex.
WORST_PAIR, WORST_LONE_PAIR = 1_990.0, 770.0
# Sums and quotients of floats are this exact.
CLOSE = 1e-9


class Triple(NamedTuple):
    """One choice: the number of keys, and their average key and value [bytes]."""

    number: float
    key: float
    value: float


class Box(NamedTuple):
    """The range of a number of keys, their key and value, each with a low and a high end."""

    number: tuple[float, float]
    key: tuple[float, float]
    value: tuple[float, float]


def stretched(box: Box, data: float, *, key: bool, value: bool) -> Box:
    """Return the box with the key or the value, if they are assumed, stretched until it holds the data."""
    (least, most), (key_low, key_high), (value_low, value_high) = box
    largest = data / least if least else math.inf
    smallest = data / most if most else math.inf
    if value and smallest > key_high + value_high:
        value_high = smallest - key_low
    elif key and smallest > key_high + value_high:
        key_high = smallest - value_high
    if value and largest < key_low + value_low:
        value_low = max(0.0, largest - key_high)
    if key and largest < key_low + value_low:
        key_low = max(0.0, largest - value_low)
    # Where both are given, the number gives way: less than one key, for example.
    if largest < key_low + value_low:
        least = data / (key_low + value_low)
    if smallest > key_high + value_high:
        most = data / (key_high + value_high) if key_high + value_high else most
    return Box((min(least, most), max(least, most)), (key_low, key_high), (value_low, value_high))


def corners(box: Box, data: float) -> list[Triple]:
    """Return the corners of what a box allows for the data, the most keys first."""
    (least, most), keys, values = box
    found: list[Triple] = []

    def add(count: float, key: float, value: float) -> None:
        slack = (key + value) * CLOSE
        if not (
            least * (1 - CLOSE) <= count <= most * (1 + CLOSE)
            and keys[0] - slack <= key <= keys[1] + slack
            and values[0] - slack <= value <= values[1] + slack
        ):
            return
        key, value = max(key, 0.0), max(value, 0.0)
        if not any(abs(count - other.number) <= CLOSE * count and abs(key - other.key) <= slack for other in found):
            found.append(Triple(count, key, value))

    for key in _ends(keys):
        for value in _ends(values):
            if key + value:
                add(data / (key + value), key, value)
    for count in _ends(box.number):
        if count and count < math.inf:
            pair = data / count
            for key in _ends(keys):
                add(count, key, pair - key)
            for value in _ends(values):
                add(count, pair - value, value)
    return sorted(found, reverse=True)


def worst_pages(box: Box, data: float, puts_per_commit: float) -> list[Triple]:
    """Return what fills etcd's pages worst within a box: one choice, or none if the box has no such keys."""
    pair = WORST_PAIR if puts_per_commit >= 2 else WORST_LONE_PAIR
    count, value = data / pair, pair - box.key[0]
    fits = box.number[0] <= count <= box.number[1] and box.value[0] <= value <= box.value[1]
    return [Triple(count, box.key[0], value)] if fits else []


def _ends(pair: tuple[float, float]) -> tuple[float, ...]:
    return pair if pair[0] != pair[1] else pair[:1]


def between(box: Box, data: float, count: float | None, key: float, value: float) -> Triple:
    """Return the choice for the data that is nearest to these figures: the count first, then the key."""
    if count is None:
        count = data / (key + value) if key + value else box.number[0]
    # No fewer keys than hold the data.
    pair = data / max(_within(count, box.number), data / (box.key[1] + box.value[1]))
    value = _within(pair - key, box.value)
    key = _within(pair - value, box.key)
    return Triple(data / (key + value), key, value)


def meet(data: float, start: list[Triple], low: list[Triple], high: list[Triple]) -> list[Triple]:
    """Return the kinds moved from a start towards one end until they hold the data: values first, then counts, keys."""
    end = low if data_of(start) > data else high
    spans = (
        math.fsum([one.number * (other.value - one.value) for one, other in zip(start, end)]),
        math.fsum([(other.number - one.number) * (one.key + other.value) for one, other in zip(start, end)]),
        math.fsum([other.number * (other.key - one.key) for one, other in zip(start, end)]),
    )
    lack = data - data_of(start)
    shares = []
    for span in spans:
        share = min(max(lack / span, 0.0), 1.0) if span else 0.0
        shares.append(share)
        lack -= share * span
    value, count, key = shares
    return [
        Triple(
            one.number + count * (other.number - one.number),
            one.key + key * (other.key - one.key),
            one.value + value * (other.value - one.value),
        )
        for one, other in zip(start, end)
    ]


def data_of(kinds: list[Triple]) -> float:
    """Return the keys and values of all kinds. [bytes]"""
    return math.fsum([count * (key + value) for count, key, value in kinds])


def _within(number: float, ends: tuple[float, float]) -> float:
    return min(max(number, ends[0]), ends[1])
