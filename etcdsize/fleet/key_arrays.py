"""The keys of a fleet's rows, where the data, the counts or the sizes are known: `resources.choices`, for arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from etcdsize.fleet.block import Block
from etcdsize.fleet.revision_arrays import Floats, Mask, where
from etcdsize.resources.composition import CLOSE, WORST_LONE_PAIR, WORST_PAIR
from etcdsize.resources.known import HIGH, LOW

__all__ = ["Keys", "Triples"]


class Triples(NamedTuple):
    """A choice for every row: the number of keys, and their average key and value [bytes]."""

    number: Floats
    key: Floats
    value: Floats


class _Boxes(NamedTuple):
    least: Floats
    most: Floats
    key_low: Floats
    key_high: Floats
    value_low: Floats
    value_high: Floats


class Keys:
    """The choices of keys that the rows of a block leave."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._counted, self._sized = block.has("keys"), block.has("data_bytes")
        self._count = block.known("keys", 0.0)
        self._key = block.known("key_bytes", 0.0)
        self._value = block.known("value_bytes", 0.0)
        self._ends = _Boxes(
            block.known("keys", 1.0),
            block.known("keys", np.inf),
            *(block.case(name, case) for name in ("key_bytes", "value_bytes") for case in (LOW, HIGH)),
        )
        self._is_plain = self._counted & ~self._sized
        """Where the count and the sizes are the choice: nothing is known of the data."""

    def middle(self, case: int) -> Triples:
        """Return the choice of the likely case or of the need."""
        key, value = self._block.case("key_bytes", case), self._block.case("value_bytes", case)
        plain = Triples(self._count, key, value)
        if np.all(self._is_plain):
            return plain
        data = self._data(case)
        box = self._box(data)
        pair = key + value
        number = self._block.known("keys", where(pair > 0, data / pair, box.least))
        pair = data / np.maximum(_within(number, box.least, box.most), data / (box.key_high + box.value_high))
        value = _within(pair - key, box.value_low, box.value_high)
        key = _within(pair - value, box.key_low, box.key_high)
        return self._completed(Triples(data / (key + value), key, value), data, plain)

    def ends(self, case: int) -> list[Triples]:
        """Return the choices of an end: the one with the most keys first, and the one with the largest last."""
        plain = Triples(self._count, self._block.case("key_bytes", case), self._block.case("value_bytes", case))
        if np.all(self._is_plain):
            return [plain]
        data = self._data(case)
        box = self._box(data)
        first, most_bytes_of_keys, last = _corners(box, data)
        found = [first, last]
        if case == HIGH:
            puts = self._block.fewest("puts_per_commit", HIGH)
            found = [first, _worst_pages(box, data, puts, first), most_bytes_of_keys, last]
        return [self._completed(one, data, plain) for one in found]

    def _data(self, case: int) -> Floats:
        """Return the data: within what counts and sizes say, where these are known."""
        data = self._block.case("data_bytes", case)
        has_key, has_value = self._block.has("key_bytes"), self._block.has("value_bytes")
        pair = self._key + self._value
        if np.any(self._counted):
            least = self._count * pair
            most = where(has_key & has_value, least, where(self._count > 0, np.inf, 0.0))
            data = where(self._counted, np.minimum(np.maximum(data, least), most), data)
        # Empty keys are no data, however many.
        empty = has_key & has_value & (pair == 0)
        return where(empty, 0.0, data) if np.any(empty) else data

    def _box(self, data: Floats) -> _Boxes:
        """Return the box of every row, stretched until it holds the data; see `composition.stretched`."""
        least, most, key_low, key_high, value_low, value_high = self._ends
        free_key, free_value = ~self._block.has("key_bytes"), ~self._block.has("value_bytes")
        largest, smallest = data / least, data / most
        over = smallest > key_high + value_high
        if np.any(over):
            value_high = where(over & free_value, smallest - key_low, value_high)
            key_high = where(over & ~free_value & free_key, smallest - value_high, key_high)
        under = largest < key_low + value_low
        if np.any(under):
            value_low = where(under & free_value, np.maximum(0.0, largest - key_high), value_low)
            under = largest < key_low + value_low
            key_low = where(under & free_key, np.maximum(0.0, largest - value_low), key_low)
            under = largest < key_low + value_low
            least = where(under, data / (key_low + value_low), least)
        if np.any(over):
            over = (smallest > key_high + value_high) & (key_high + value_high > 0)
            most = where(over, data / (key_high + value_high), most)
        return _Boxes(np.minimum(least, most), np.maximum(least, most), key_low, key_high, value_low, value_high)

    def _completed(self, found: Triples, data: Floats, plain: Triples) -> Triples:
        """Return a choice with the rows that hold nothing, and with those that leave no choice."""
        nothing = ~(data > 0)
        if np.any(nothing):
            counted = self._counted & (self._count > 0)
            empty = Triples(
                where(counted, self._count, 0.0), where(counted, 0.0, self._key), where(counted, 0.0, self._value)
            )
            found = Triples(*(where(nothing, one, other) for one, other in zip(empty, found)))
        return Triples(*(where(self._is_plain, one, other) for one, other in zip(plain, found)))


def _within(number: Floats, low: Floats, high: Floats) -> Floats:
    return np.minimum(np.maximum(number, low), high)


class _Corner(NamedTuple):
    fits: Mask
    at: Triples


def _corners(box: _Boxes, data: Floats) -> tuple[Triples, Triples, Triples]:
    """Return the corner with the most keys, the one with the most bytes of keys, and the one with the fewest keys.

    See `composition.corners`: of corners that are all but the same, the first counts.
    """
    found: list[_Corner] = []

    def add(count: Floats, key: Floats, value: Floats, exists: Mask) -> None:
        slack = (key + value) * CLOSE
        fits = (
            exists
            & (box.least * (1 - CLOSE) <= count)
            & (count <= box.most * (1 + CLOSE))
            & (box.key_low - slack <= key)
            & (key <= box.key_high + slack)
            & (box.value_low - slack <= value)
            & (value <= box.value_high + slack)
        )
        if not np.any(fits):
            return
        key, value = np.maximum(key, 0.0), np.maximum(value, 0.0)
        for other in found:
            fits = fits & ~(
                other.fits & (abs(count - other.at.number) <= CLOSE * count) & (abs(key - other.at.key) <= slack)
            )
        found.append(_Corner(fits, Triples(count, key, value)))

    for key in (box.key_low, box.key_high):
        for value in (box.value_low, box.value_high):
            add(data / (key + value), key, value, key + value > 0)
    for count in (box.least, box.most):
        pair, exists = data / count, (count > 0) & (count < np.inf)
        for key in (box.key_low, box.key_high):
            add(count, key, pair - key, exists)
        for value in (box.value_low, box.value_high):
            add(count, pair - value, value, exists)
    none = Triples(0.0, 0.0, 0.0)
    if not found:
        return none, none, none
    first = last = found[0].at
    is_any = found[0].fits
    for corner in found[1:]:
        first = _chosen(corner.fits & (~is_any | _is_above(corner.at, first)), corner.at, first)
        last = _chosen(corner.fits & (~is_any | _is_above(last, corner.at)), corner.at, last)
        is_any = is_any | corner.fits
    most = first
    for corner in found:
        more = corner.fits & (corner.at.number * corner.at.key > most.number * most.key)
        most = _chosen(more, corner.at, most)
    return first, most, last


def _is_above(one: Triples, other: Triples) -> Mask:
    """Return where a choice comes after another one in the order of tuples."""
    return (one.number > other.number) | (
        (one.number == other.number) & ((one.key > other.key) | ((one.key == other.key) & (one.value > other.value)))
    )


def _chosen(mask: Mask, one: Triples, other: Triples) -> Triples:
    return Triples(*(where(mask, first, second) for first, second in zip(one, other)))


def _worst_pages(box: _Boxes, data: Floats, puts_per_commit: Floats, otherwise: Triples) -> Triples:
    """Return what fills etcd's pages worst, where a box has such keys; see `composition.worst_pages`."""
    pair = where(puts_per_commit >= 2, WORST_PAIR, WORST_LONE_PAIR)
    count, value = data / pair, pair - box.key_low
    fits = (box.least <= count) & (count <= box.most) & (box.value_low <= value) & (value <= box.value_high)
    return _chosen(fits, Triples(count, box.key_low, value), otherwise)
