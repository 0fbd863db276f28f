"""Arrays and bounds in, tier codes out: the hot loop.

A load is past a bound exactly when it is above the last number of its own dtype that still fits. So the bound is
cast, once, and the data never; one comparison serves "at most" and "below" alike. The code of a row is the number
of bounds that any of its dimensions is past.

The work goes block by block through a scratch that fits the cache, and the same pass finds what cannot be sized:
as unsigned integers, every negative, NaN or infinite number is above every finite one.

This module imports numpy and `errors`; it never sees a model.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["INVALID", "Column", "FirstInvalid", "classify_columns", "last_fitting", "pick_threads"]

INVALID = 255
"""The code of a row that cannot be sized."""

_BLOCK = 32_768
# One thread's share of the rows: below it a thread costs more than it saves (our choice, measured at 2 cores).
_ROWS_PER_THREAD = 250_000
# More threads only wait for the memory, and each holds a scratch (our choice).
_MOST_THREADS = 8
_BLOCKS_PER_TURN = 8

Array = NDArray[Any]
Codes = NDArray[np.uint8]


@dataclass(frozen=True, order=True, slots=True)
class FirstInvalid:
    """The first row that cannot be sized, and how many there are."""

    index: int
    dimension: int
    count: int


def last_fitting(limit: Fraction, inclusive: bool, dtype: np.dtype[Any]) -> Any:
    """Return the largest number of a dtype that is within a bound, clipped to the dtype's range.

    Parameters
    ----------
    limit : Fraction
        Above 0.
    inclusive : bool
        Whether the limit itself fits.
    dtype : dtype
        Any real integer or float dtype, in native byte order.
    """
    kind = dtype.type
    if dtype.kind in "iu":
        whole = limit.__floor__() if inclusive else limit.__ceil__() - 1
        return kind(min(whole, int(np.iinfo(dtype).max)))
    largest = np.finfo(dtype).max
    if limit > _exactly(largest) or (limit == _exactly(largest) and inclusive):
        return largest
    # Through long double, so that the start is at most a few steps off in every dtype.
    start = np.longdouble(str(limit.numerator)) / np.longdouble(str(limit.denominator))
    value = kind(start)
    while _exactly(value) > limit or (_exactly(value) == limit and not inclusive):
        value = np.nextafter(value, kind(-1))
    while True:
        above = np.nextafter(value, kind(np.inf))
        if not np.isfinite(above) or _exactly(above) > limit or (_exactly(above) == limit and not inclusive):
            return value
        value = above


def _exactly(value: Any) -> Fraction:
    return Fraction(*value.as_integer_ratio())


@dataclass(slots=True)
class Column:
    """One dimension of the load, ready for the loop."""

    dimension: int
    values: Array
    thresholds: Array = field(init=False)
    work_dtype: np.dtype[Any] = field(init=False)
    bits: np.dtype[Any] | None = field(init=False)
    last_valid_bits: Any = field(init=False)
    direct: bool = field(init=False)
    bounds: Sequence[tuple[Fraction, bool]]

    def __post_init__(self) -> None:
        native = self.values.dtype.newbyteorder("=")
        # NumPy compares float16 one by one through float32; a widened block is exact and faster.
        self.work_dtype = np.dtype(np.float32) if native == np.float16 else native
        self.thresholds = _thresholds(tuple(self.bounds), self.work_dtype)
        self.bits, self.last_valid_bits = None, None
        size = self.work_dtype.itemsize
        if self.work_dtype.kind == "i":
            self.bits = np.dtype(f"u{size}")
            self.last_valid_bits = int(np.iinfo(self.work_dtype).max)
        elif self.work_dtype.kind == "f" and size in (4, 8):
            self.bits = np.dtype(f"u{size}")
            self.last_valid_bits = int(np.finfo(self.work_dtype).max.view(self.bits))
        values = self.values
        self.direct = bool(
            values.ndim == 1 and values.dtype == self.work_dtype and values.flags.c_contiguous and values.flags.aligned
        )

    def block(self, start: int, stop: int, scratch: Array | None) -> Array:
        """Return rows start to stop, contiguous, in the working dtype."""
        if self.direct:
            return self.values[start:stop]
        assert scratch is not None  # noqa: S101 - the worker made it for every column that is not direct
        block = scratch[: stop - start]
        # `flat` seeks to the start and copies one block, whatever the shape and the strides.
        rows = self.values[start:stop] if self.values.ndim == 1 else self.values.flat[start:stop]
        np.copyto(block, rows)
        return block

    def invalid(self, block: Array) -> NDArray[np.bool_] | None:
        """Return which rows of a block cannot be sized, None where all can."""
        if self.work_dtype.kind == "u":
            return None
        if self.bits is not None and np.maximum.reduce(block.view(self.bits)) <= self.last_valid_bits:
            return None
        if self.work_dtype.kind == "i":
            return np.less(block, 0)
        # Exact, for the blocks that the bits made suspicious: -0.0 is a zero, NaN fails every comparison.
        mask = np.greater_equal(block, 0)
        mask &= np.less_equal(block, np.finfo(self.work_dtype).max)
        np.logical_not(mask, out=mask)
        return mask if mask.any() else None


_THRESHOLDS: dict[tuple[object, np.dtype[Any]], Array] = {}


def _thresholds(bounds: tuple[tuple[Fraction, bool], ...], dtype: np.dtype[Any]) -> Array:
    """Return the last fitting numbers of a dtype, as a column."""
    found = _THRESHOLDS.get((bounds, dtype))
    if found is None:
        found = np.array([last_fitting(limit, inclusive, dtype) for limit, inclusive in bounds], dtype)[:, None]
        if len(_THRESHOLDS) >= 256:
            _THRESHOLDS.clear()
        _THRESHOLDS[bounds, dtype] = found
    return found


def pick_threads(rows: int, threads: int | None) -> int:
    """Return how many threads to use: what was asked, or what the size of the work and the machine suggest."""
    turns = max(1, -(-rows // (_BLOCK * _BLOCKS_PER_TURN)))
    if threads is not None:
        return min(threads, turns)
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return max(1, min(cores, _MOST_THREADS, turns, rows // _ROWS_PER_THREAD))


def classify_columns(
    columns: Sequence[Column], rows: int, out: Codes, threads: int | None, least: int = 0
) -> FirstInvalid | None:
    """Write the code of every row into `out` and return the first row that cannot be sized, None where all can.

    Parameters
    ----------
    columns : sequence of Column
        At least one; each with `rows` elements in C order.
    rows : int
        How many rows there are.
    out : array, uint8
        Of `rows` elements in C order, any strides; must not share memory with a column.
    threads : int or None
        None picks a number; 1 starts none.
    least : int
        The code that no row falls below.
    """
    workers = pick_threads(rows, threads)
    if workers == 1:
        found = [_work(columns, rows, out, least, iter((0,)), rows)]
    else:
        step = _BLOCK * _BLOCKS_PER_TURN
        turns = itertools.count(0, step)
        with ThreadPoolExecutor(workers) as pool:
            found = list(pool.map(lambda _: _work(columns, rows, out, least, turns, step), range(workers)))
    invalid = [item for item in found if item is not None]
    if not invalid:
        return None
    first = min(invalid)
    return FirstInvalid(first.index, first.dimension, sum(item.count for item in invalid))


def _work(
    columns: Sequence[Column], rows: int, out: Codes, least: int, turns: Iterator[int], step: int
) -> FirstInvalid | None:
    """Classify the turns that this worker draws until none is left."""
    bounds = len(columns[0].thresholds)
    block = max(1024, min(_BLOCK, 16 * _BLOCK // bounds))
    block = min(block, rows) or 1
    past = np.empty((bounds, block), np.bool_)
    also_past = np.empty((bounds, block), np.bool_) if len(columns) > 1 else past
    copies = [None if column.direct else np.empty(block, column.work_dtype) for column in columns]
    flat = out.ndim == 1
    codes = out if flat else np.empty(block, np.uint8)
    first: FirstInvalid | None = None
    count = 0
    for turn in turns:
        if turn >= rows:
            break
        for start in range(turn, min(turn + step, rows), block):
            stop = min(start + block, turn + step, rows)
            here = codes[start:stop] if flat else codes[: stop - start]
            either, other = past[:, : stop - start], also_past[:, : stop - start]
            bad: NDArray[np.bool_] | None = None
            for position, column in enumerate(columns):
                values = column.block(start, stop, copies[position])
                mask = column.invalid(values)
                if mask is not None and mask.any():
                    at = start + int(mask.argmax())
                    if first is None or (at, column.dimension) < (first.index, first.dimension):
                        first = FirstInvalid(at, column.dimension, 0)
                    bad = mask if bad is None else np.logical_or(bad, mask, out=bad)
                if position == 0:
                    np.greater(values, column.thresholds, out=either)
                else:
                    np.greater(values, column.thresholds, out=other)
                    np.logical_or(either, other, out=either)
            np.add.reduce(either.view(np.uint8), axis=0, out=here)
            if least:
                np.maximum(here, least, out=here)
            if bad is not None:
                here[bad] = INVALID
                count += int(np.count_nonzero(bad))
            if not flat:
                out.flat[start:stop] = here
    return None if first is None else FirstInvalid(first.index, first.dimension, count)
