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

# Rows at a time: one column of a block and the scratch stay in a core's cache, and NumPy's calls are long enough that
# threads seldom meet between them (our choice, measured on 2 cores with 2 MiB of cache each).
_BLOCK = 65_536
_BLOCK_OF_THREADS = 131_072
_SMALLEST_BLOCK = 1024
# All threads' scratch together. [bytes]
_SCRATCH = 12 * 1024**2
# One thread's share of the rows: below it a thread costs more than it saves (our choice, measured on 2 cores).
_ROWS_PER_THREAD = 250_000
# More threads only wait for the memory (our choice).
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
    """One dimension of the load, ready for the loop."""

    dimension: int
    values: Array
    bounds: tuple[tuple[Fraction, bool], ...]
    thresholds: Array = field(init=False)
    """The last fitting numbers, as a column."""
    work_dtype: np.dtype[Any] = field(init=False)
    narrower: tuple[tuple[int, np.dtype[Any], Array], ...] = field(init=False)
    """Dtypes that are faster to compare: the largest number that each takes, and the thresholds in it."""
    bits: np.dtype[Any] | None = field(init=False)
    last_valid_bits: int = field(init=False)
    direct: bool = field(init=False)
    """Whether blocks are views of the values."""

    def __post_init__(self) -> None:
        values = self.values
        native = values.dtype.newbyteorder("=")
        # NumPy compares float16 one by one through float32; a widened block is exact and faster.
        work = self.work_dtype = np.dtype(np.float32) if native == np.float16 else native
        self.thresholds = _thresholds(self.bounds, work)
        self.narrower = _narrower(self.bounds, work)
        self.bits, self.last_valid_bits = None, 0
        if work.kind in "iu":
            self.bits = np.dtype(f"u{work.itemsize}")
            self.last_valid_bits = int(np.iinfo(work).max)
        elif work.itemsize in (4, 8):
            self.bits = np.dtype(f"u{work.itemsize}")
            self.last_valid_bits = int(np.finfo(work).max.view(self.bits))
        self.direct = bool(
            values.ndim == 1 and values.dtype == work and values.flags.c_contiguous and values.flags.aligned
        )

    @property
    def scratch_bytes(self) -> int:
        """How much scratch a row takes."""
        return (0 if self.direct else self.work_dtype.itemsize) + (8 if self.narrower else 0)

    def block(self, start: int, stop: int, scratch: Array | None) -> Array:
        """Return rows start to stop, contiguous, in the working dtype."""
        if scratch is None:
            return self.values[start:stop]
        block = scratch[: stop - start]
        # `flat` seeks to the start and copies one block, whatever the shape and the strides.
        rows = self.values[start:stop] if self.values.ndim == 1 else self.values.flat[start:stop]
        np.copyto(block, rows)
        return block

    def highest(self, block: Array) -> int:
        """Return the highest of a block as unsigned integers: above the last valid one, something may be invalid."""
        if self.bits is None:
            return 1
        if self.work_dtype.kind == "u" and not self.narrower:
            return 0
        return int(np.maximum.reduce(block.view(self.bits)))

    def invalid(self, block: Array) -> NDArray[np.bool_]:
        """Return which rows of a block cannot be sized: -0.0 is a zero, NaN fails every comparison."""
        if self.work_dtype.kind in "iu":
            return np.less(block, 0)
        mask = np.greater_equal(block, 0)
        mask &= np.less_equal(block, np.finfo(self.work_dtype).max)
        return np.logical_not(mask, out=mask)

    def past(self, block: Array, highest: int, scratch: Array | None, out: NDArray[np.bool_]) -> None:
        """Write which bounds every row is past, in the narrowest dtype that takes the whole block."""
        for most, dtype, thresholds in self.narrower:
            if highest <= most and scratch is not None:
                narrow = scratch.view(dtype)[: len(block)]
                np.copyto(narrow, block, casting="unsafe")
                np.greater(narrow, thresholds, out=out)
                return
        np.greater(block, self.thresholds, out=out)


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


def _narrower(
    bounds: tuple[tuple[Fraction, bool], ...], dtype: np.dtype[Any]
) -> tuple[tuple[int, np.dtype[Any], Array], ...]:
    """Return the dtypes in which integers of 8 bytes compare exactly and faster.

    A block whose highest number fits loses nothing in a smaller integer. float64 may round what is above 2^53, but
    never across a bound below it.
    """
    if dtype.kind not in "iu" or dtype.itemsize != 8:
        return ()
    top = int(last_fitting(*bounds[-1], dtype))
    return tuple(
        (most, np.dtype(kind), _thresholds(bounds, dtype).astype(kind))
        for kind, most in ((np.int16, 2**15 - 1), (np.int32, 2**31 - 1), (np.float64, 2**64 - 1))
        if top <= min(most, 2**53)
    )


def pick_threads(rows: int, threads: int | None) -> int:
    """Return how many threads to use: what was asked, or what the size of the work and the machine suggest."""
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
    a_row = 2 * len(columns[0].thresholds) + sum(column.scratch_bytes for column in columns)
    block = min(_BLOCK if workers == 1 else _BLOCK_OF_THREADS, _SCRATCH // (workers * a_row), -(-rows // workers))
    block = max(block, min(rows, _SMALLEST_BLOCK))
    starts = itertools.count(0, block)
    if workers == 1:
        found = [_work(columns, rows, out, least, starts, block)]
    else:
        # The calling thread works as well.
        with ThreadPoolExecutor(workers - 1) as pool:
            others = [pool.submit(_work, columns, rows, out, least, starts, block) for _ in range(workers - 1)]
            found = [_work(columns, rows, out, least, starts, block), *(other.result() for other in others)]
    invalid = [item for item in found if item is not None]
    if not invalid:
        return None
    first = min(invalid)
    return FirstInvalid(first.index, first.dimension, sum(item.count for item in invalid))


def _work(
    columns: Sequence[Column], rows: int, out: Codes, least: int, starts: Iterator[int], block: int
) -> FirstInvalid | None:
    """Classify the blocks that this worker draws until none is left."""
    bounds = len(columns[0].thresholds)
    past = np.empty((bounds, block), np.bool_)
    also_past = np.empty((bounds, block), np.bool_) if len(columns) > 1 else past
    copies = [None if column.direct else np.empty(block, column.work_dtype) for column in columns]
    narrow = np.empty(block, np.float64) if any(column.narrower for column in columns) else None
    flat = out.ndim == 1
    codes = out if flat else np.empty(block, np.uint8)
    first: FirstInvalid | None = None
    count = 0
    for start in starts:
        if start >= rows:
            break
        stop = min(start + block, rows)
        here = codes[start:stop] if flat else codes[: stop - start]
        either, other = past[:, : stop - start], also_past[:, : stop - start]
        bad: NDArray[np.bool_] | None = None
        for position, column in enumerate(columns):
            values = column.block(start, stop, copies[position])
            highest = column.highest(values)
            if highest > column.last_valid_bits and (mask := column.invalid(values)).any():
                at = start + int(mask.argmax())
                if first is None or (at, column.dimension) < (first.index, first.dimension):
                    first = FirstInvalid(at, column.dimension, 0)
                bad = mask if bad is None else np.logical_or(bad, mask, out=bad)
            column.past(values, highest, narrow, other if position else either)
            if position:
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
