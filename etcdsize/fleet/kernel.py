"""The classifier's inner loop: it turns arrays and bounds into tier codes.

A load exceeds a bound exactly when it is above the largest number of its own dtype that still fits. So each bound is
cast once and the data never is, and one comparison covers both "at most" and "below". The code of a row is the number
of bounds that any of its dimensions exceeds.

The loop works in blocks whose scratch fits the cache. The same pass finds the rows that cannot be sized: viewed as
unsigned integers, negative numbers, NaN and infinity are all above every finite number.
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

# Rows per block: one column of a block and the scratch fit a core's cache. Threads use larger blocks, so that they
# seldom compete for the lock between NumPy calls (our choice, measured on 2 cores with 2 MiB of cache each).
_BLOCK = 32_768
_BLOCK_OF_THREADS = 131_072
_SMALLEST_BLOCK = 1024
# A cache line: comparing a block that starts in the middle of one is a quarter slower (measured, AVX-512). [bytes]
_LINE = 64
# The scratch of all threads together. [bytes]
_SCRATCH = 12 * 1024**2
# Fewest rows per thread: below this a thread costs more than it saves (our choice, measured on 2 cores).
_ROWS_PER_THREAD = 250_000
# More threads would only wait for memory (our choice).
_MOST_THREADS = 8

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
    """One dimension of the load, prepared for the loop.

    Integers of 4 or 8 bytes are reinterpreted as floats, which NumPy compares in half the time: non-negative floats
    sort in the order of their bits, up to infinity. Integers whose bits would be NaN are compared as integers.
    """

    dimension: int
    values: Array
    bounds: tuple[tuple[Fraction, bool], ...]
    thresholds: Array = field(init=False)
    """The largest number within each bound, as a column."""
    work_dtype: np.dtype[Any] = field(init=False)
    bits: np.dtype[Any] | None = field(init=False)
    """Unsigned integers of the same size, if the loop looks for the largest bit pattern of a block."""
    last_valid_bits: int = field(init=False)
    floats: np.dtype[Any] | None = field(init=False)
    """Floats of the same size, if integers are compared as floats."""
    last_float_bits: int = field(init=False)
    direct: bool = field(init=False)
    """Whether a block is a view of the values instead of a copy."""

    def __post_init__(self) -> None:
        values = self.values
        native = values.dtype.newbyteorder("=")
        # NumPy compares float16 through float32, one number at a time; widening a block is exact and faster.
        work = self.work_dtype = np.dtype(np.float32) if native == np.float16 else native
        self.thresholds = _thresholds(self.bounds, work)
        self.bits, self.last_valid_bits = None, 0
        self.floats, self.last_float_bits = None, 0
        wide = work.itemsize in (4, 8)
        if work.kind in "iu":
            if wide:
                self.floats = np.dtype(f"f{work.itemsize}")
                unsigned = np.dtype(f"u{work.itemsize}")
                self.last_float_bits = int(np.array(np.inf, self.floats).view(unsigned))
                if int(self.thresholds[-1, 0]) > self.last_float_bits:
                    self.floats = None
            if self.floats is not None or work.kind == "i":
                self.bits = np.dtype(f"u{work.itemsize}")
            self.last_valid_bits = int(np.iinfo(work).max)
        elif wide:
            self.bits = np.dtype(f"u{work.itemsize}")
            self.last_valid_bits = int(np.finfo(work).max.view(self.bits))
        self.direct = bool(
            values.ndim == 1 and values.dtype == work and values.flags.c_contiguous and values.flags.aligned
        )

    def fill(self, start: int, stop: int, block: Array) -> None:
        """Copy rows start to stop into a block, in the working dtype."""
        # `flat` seeks to the start and copies one block, whatever the shape and strides.
        np.copyto(block, self.values[start:stop] if self.values.ndim == 1 else self.values.flat[start:stop])

    def invalid(self, block: Array) -> NDArray[np.bool_]:
        """Return which rows of a block cannot be sized. -0.0 counts as zero; NaN fails every comparison."""
        if self.work_dtype.kind in "iu":
            return np.less(block, 0)
        mask = np.greater_equal(block, 0)
        mask &= np.less_equal(block, np.finfo(self.work_dtype).max)
        return np.logical_not(mask, out=mask)


_THRESHOLDS: dict[tuple[object, np.dtype[Any]], Array] = {}


def _thresholds(bounds: tuple[tuple[Fraction, bool], ...], dtype: np.dtype[Any]) -> Array:
    """Return the largest number of a dtype within each bound, as a column."""
    found = _THRESHOLDS.get((bounds, dtype))
    if found is None:
        found = np.array([last_fitting(limit, inclusive, dtype) for limit, inclusive in bounds], dtype)[:, None]
        if len(_THRESHOLDS) >= 256:
            _THRESHOLDS.clear()
        _THRESHOLDS[bounds, dtype] = found
    return found


def pick_threads(rows: int, threads: int | None) -> int:
    """Return how many threads to use: the number requested, or one that suits the input and the machine."""
    most = max(1, rows // _SMALLEST_BLOCK)
    if threads is not None:
        return min(threads, most)
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return max(1, min(cores, _MOST_THREADS, rows // _ROWS_PER_THREAD))


def classify_columns(
    columns: Sequence[Column], rows: int, out: Codes, threads: int | None, least: int = 0
) -> FirstInvalid | None:
    """Write the code of every row to `out`. Return the first row that cannot be sized, or None.

    Parameters
    ----------
    columns : sequence of Column
        At least one column, each with `rows` elements in C order.
    rows : int
        Number of rows.
    out : array, uint8
        Has `rows` elements in C order, with any strides, and shares no memory with a column.
    threads : int or None
        None chooses a number; 1 starts none.
    least : int
        The lowest code to return.
    """
    workers = pick_threads(rows, threads)
    a_row = 2 * len(columns[0].thresholds) + 1 + sum(0 if c.direct else c.work_dtype.itemsize for c in columns)
    block = min(_BLOCK if workers == 1 else _BLOCK_OF_THREADS, _SCRATCH // (workers * a_row), -(-rows // workers))
    # A block consists of whole cache lines.
    block = max(_up_to_line(block), min(_up_to_line(rows), _SMALLEST_BLOCK))
    # The first rows form a block of their own, so that later blocks of the first column start at a cache line.
    skip = _rows_to_line(columns[0].values) if columns[0].direct and rows > block else 0
    starts = itertools.chain(range(0, skip, _LINE), itertools.count(skip, block))
    if workers == 1:
        found = [_work(columns, rows, out, least, starts, block, skip)]
    else:
        # The calling thread does its share.
        with ThreadPoolExecutor(workers - 1) as pool:
            others = [pool.submit(_work, columns, rows, out, least, starts, block, skip) for _ in range(workers - 1)]
            found = [_work(columns, rows, out, least, starts, block, skip), *(other.result() for other in others)]
    invalid = [item for item in found if item is not None]
    if not invalid:
        return None
    first = min(invalid)
    return FirstInvalid(first.index, first.dimension, sum(item.count for item in invalid))


def _up_to_line(rows: int) -> int:
    """Round a number of rows up so that it fills whole cache lines, whatever the size of an element."""
    return -(-rows // _LINE) * _LINE


def _rows_to_line(values: Array) -> int:
    """Return how many rows precede the first one that starts a cache line."""
    before: int = -values.__array_interface__["data"][0] % _LINE
    return before // values.itemsize if before % values.itemsize == 0 else 0


class _Lane:
    """One worker's view of a column: the values, or the worker's copy of a block, in every dtype that it needs."""

    __slots__ = (
        *("bits", "column", "compared", "copy", "last_compared_bits", "last_valid_bits", "thresholds", "unseen"),
        "values",
    )

    def __init__(self, column: Column, block: int) -> None:
        self.column = column
        self.copy = None if column.direct else np.empty(block, column.work_dtype)
        self.values = column.values if self.copy is None else self.copy
        self.bits = None if column.bits is None else self.values.view(column.bits)
        self.last_valid_bits = column.last_valid_bits
        # Used if the largest bit pattern is not computed: unsigned integers are all valid, long doubles all checked.
        self.unseen = 0 if column.work_dtype.kind == "u" else 1
        self.compared, self.thresholds = self.values, column.thresholds
        self.last_compared_bits = 2**64
        # If the processor flushes subnormal floats to zero (a mode that other libraries can set for a thread), small
        # integers cannot be compared as floats.
        if column.floats is not None and _SMALLEST * 1.0 > 0:
            self.compared, self.thresholds = self.values.view(column.floats), column.thresholds.view(column.floats)
            self.last_compared_bits = column.last_float_bits


_SMALLEST = 5e-324


def _work(
    columns: Sequence[Column], rows: int, out: Codes, least: int, starts: Iterator[int], block: int, skip: int
) -> FirstInvalid | None:
    """Classify blocks until none is left; the rows before `skip` form one block.

    Between two NumPy calls a thread holds the interpreter lock, and another thread that needs it waits far longer than
    a call takes. So there is little Python in this loop, and threads work on large blocks.
    """
    bounds = len(columns[0].thresholds)
    scratch = [np.empty(bounds * block, np.bool_) for _ in columns[:2]]
    lanes = [_Lane(column, block) for column in columns]
    flat = out.ndim == 1
    codes = out if flat else np.empty(block, np.uint8)
    first: FirstInvalid | None = None
    count = 0
    size = 0
    for start in starts:
        if start >= rows:
            break
        stop = skip if start < skip else min(start + block, rows)
        if stop - start != size:
            size = stop - start
            either, other = scratch[0][: bounds * size], scratch[-1][: bounds * size]
            by_bound, other_by_bound = either.reshape(bounds, size), other.reshape(bounds, size)
            levels = list(by_bound.view(np.uint8))
            in_copy = slice(0, size)
        here = slice(start, stop)
        bad: NDArray[np.bool_] | None = None
        target = by_bound
        for lane in lanes:
            place = here
            if lane.copy is not None:
                place = in_copy
                lane.column.fill(start, stop, lane.copy[place])
            compared, thresholds = lane.compared, lane.thresholds
            highest = lane.unseen if lane.bits is None else int(np.maximum.reduce(lane.bits[place]))
            if highest > lane.last_valid_bits and (mask := lane.column.invalid(lane.values[place])).any():
                at = start + int(mask.argmax())
                if first is None or (at, lane.column.dimension) < (first.index, first.dimension):
                    first = FirstInvalid(at, lane.column.dimension, 0)
                bad = mask if bad is None else np.logical_or(bad, mask, bad)
            if highest > lane.last_compared_bits:
                compared, thresholds = lane.values, lane.column.thresholds
            np.greater(compared[place], thresholds, target)
            if target is other_by_bound:
                np.logical_or(either, other, either)
            target = other_by_bound
        row = codes[here if flat else in_copy]
        if bounds == 1:
            row[:] = levels[0]
        else:
            np.add(levels[0], levels[1], row)
            for level in levels[2:]:
                np.add(row, level, row)
        if least:
            np.maximum(row, least, out=row)
        if bad is not None:
            row[bad] = INVALID
            count += int(np.count_nonzero(bad))
        if not flat:
            out.flat[start:stop] = row
    return None if first is None else FirstInvalid(first.index, first.dimension, count)
