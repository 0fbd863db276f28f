"""The table of bytes a revision, and Go's size classes, for arrays: the same cells as for one number.

An argument is an array of the rows of a block, or one number for all of them. Sizes become rows of the table by their
whole bytes, because all sizes of the table are whole.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from etcdsize.resources.revision_bytes import FIXED_BYTES, HALF_A_PAGE, RevisionTable, revision_tables
from etcdsize.resources.size_classes import LARGEST_CLASS, PAGE_BYTES, size_class

__all__ = ["Elements", "Floats", "Mask", "elements_of", "revision_arrays", "runs_of", "size_classes", "where"]

Floats: TypeAlias = Any
"""An array of float64 with the rows of a block, or one number for all of them."""
Mask: TypeAlias = Any
"""An array of booleans with the rows of a block, or one for all of them."""

_PAGE, _HEADER = 4096, 16
# All size classes are multiples of it.
_STEP = 8


def where(mask: Mask, one: Floats, other: Floats) -> Floats:
    """Return one where a mask is true and the other where it is not, without a copy where it is the same for all."""
    if np.ndim(mask) == 0:
        return one if mask else other
    return np.where(mask, one, other)


class Elements(NamedTuple):
    """The elements that revisions are on their pages."""

    size: Floats
    """Their length. [bytes]"""
    row: Any
    """The row of each in the table, as an integer."""
    is_beyond: bool
    """Whether one is larger than the table."""


class _Grid(NamedTuple):
    """A table with its cells in one line, so that one index finds each."""

    puts: NDArray[np.float64]
    log_puts: NDArray[np.float64]
    logs: NDArray[np.float64]
    slopes: NDArray[np.float64]
    columns: int
    largest: float


@functools.cache
def _grid(name: str) -> _Grid:
    table: RevisionTable = revision_tables()[name]
    log_puts, logs = np.array(table.log_puts), np.array(table.logs)
    slopes = np.zeros_like(logs)
    slopes[:, :-1] = np.diff(logs, axis=1) / np.diff(log_puts)
    return _Grid(
        np.array(table.puts, np.float64), log_puts, logs.ravel(), slopes.ravel(), len(log_puts), table.sizes[-1]
    )


@functools.cache
def _row_of_size() -> NDArray[np.intp]:
    """Return the row of each whole size: that of the next size in the table."""
    sizes = revision_tables()["appended_bytes"].sizes
    return np.searchsorted(sizes, np.arange(int(sizes[-1]) + 1)).astype(np.intp)


@functools.cache
def _class_of_eighth() -> NDArray[np.float64]:
    """Return the size class of each multiple of eight bytes."""
    return np.array([size_class(count) for count in range(0, LARGEST_CLASS + 1, _STEP)], np.float64)


def elements_of(key_bytes: Floats, value_bytes: Floats) -> Elements:
    """Return the elements of keys and values; see `resources.revision_bytes.element_bytes`."""
    size = FIXED_BYTES + 1 + _length_of(key_bytes) + key_bytes
    size = size + where(value_bytes != 0, 1 + _length_of(value_bytes) + value_bytes, 0.0)
    rows = _row_of_size()
    last = len(rows) - 1
    return Elements(size, rows[np.minimum(np.ceil(size), last).astype(np.intp)], bool(np.max(size) > last))


def _length_of(number: Floats) -> Any:
    """Return how many bytes a length takes in a message."""
    length = 1.0 + (number >= 128)
    most = np.max(number)
    if most >= 16_384:
        length = length + (number >= 16_384)
    return length + (number >= 2_097_152) if most >= 2_097_152 else length


def revision_arrays(elements: Elements, puts_per_commit: Floats, name: str = "appended_bytes") -> Floats:
    """Return the bytes of the file that each revision takes, by one of the tables. [bytes]"""
    grid = _grid(name)
    if np.ndim(puts_per_commit) == 0:
        found = _column(name, float(puts_per_commit))[elements.row]
    else:
        puts = np.minimum(np.maximum(puts_per_commit, grid.puts[0]), grid.puts[-1])
        # Bytes are added several times as fast as what indexes an array.
        passed = np.zeros(len(puts), np.uint8)
        for bound in grid.puts[1:-1]:
            passed += (puts >= bound).view(np.uint8)
        left = passed.astype(np.intp)
        cell = elements.row * grid.columns + left
        found = np.exp(grid.logs[cell] + grid.slopes[cell] * (np.log(puts) - grid.log_puts[left]))
    if not elements.is_beyond:
        return found
    # Beyond the table two elements share a run of pages.
    return where(
        elements.size <= grid.largest, found, found * _run_of(elements.size) / _run_of(np.float64(grid.largest))
    )


@functools.lru_cache(maxsize=64)
def _column(name: str, puts_per_commit: float) -> NDArray[np.float64]:
    """Return the bytes of every row for one number of puts a commit."""
    grid = _grid(name)
    puts = min(max(puts_per_commit, grid.puts[0]), grid.puts[-1])
    left = min(int(np.searchsorted(grid.puts, puts, side="right")), grid.columns - 1) - 1
    step = math.log(puts) - grid.log_puts[left]
    found: NDArray[np.float64] = np.exp(grid.logs[left :: grid.columns] + grid.slopes[left :: grid.columns] * step)
    return found


def _run_of(element: Floats) -> Floats:
    return np.ceil((_HEADER + 2 * element) / _PAGE)


def runs_of(elements: Elements, puts_per_commit: Floats) -> Floats:
    """Return how much of the coefficient `file_runs` counts; see `resources.revision_bytes.share_of_runs`."""
    is_long = elements.size > HALF_A_PAGE
    if not np.any(is_long):
        return 0.0
    share = np.minimum(1.0, np.maximum(0.0, 2 - np.log10(np.maximum(1.0, puts_per_commit))))
    return where(is_long, share, 0.0)


def size_classes(count: Floats) -> Floats:
    """Return what allocations take; see `resources.size_classes.size_class`. [bytes]"""
    classes = _class_of_eighth()
    eighth = np.ceil(count * (1 / _STEP))
    last = len(classes) - 1
    if np.max(eighth) <= last:
        return classes[np.asarray(eighth).astype(np.intp)]
    small = classes[np.minimum(eighth, last).astype(np.intp)]
    return where(eighth <= last, small, np.ceil(count / PAGE_BYTES) * PAGE_BYTES)
