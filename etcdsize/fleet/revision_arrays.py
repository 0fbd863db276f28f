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

__all__ = [
    *("Elements", "Floats", "Mask", "Packing"),
    *("elements_of", "packing_of", "revision_arrays", "runs_of", "size_classes", "where"),
]

Floats: TypeAlias = Any
"""An array of float64 with the rows of a block, or one number for all of them."""
Mask: TypeAlias = Any
"""An array of booleans with the rows of a block, or one for all of them."""

_PAGE, _HEADER = 4096, 16
_UPDATED = ("updated_bytes_low", "updated_bytes_likely", "updated_bytes_high")
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
    beyond: Floats | None
    """How many times the pages of the table's largest each takes, at least once; None where none is beyond it."""


class Packing(NamedTuple):
    """What keys that were written with so many puts a commit take of the file."""

    fresh: Floats
    """A key that was written once. [bytes]"""
    rewritten: Floats
    """A key that a compaction writes anew, with the half-empty page that it is on. [bytes]"""
    factor: Floats
    """How much more or less they take after updates, at one end or likely."""


class _Grid(NamedTuple):
    """A table with its cells in one line, so that one index finds each."""

    puts: NDArray[np.float64]
    log_puts: NDArray[np.float64]
    logs: NDArray[np.float64]
    slopes: NDArray[np.float64]
    columns: int


@functools.cache
def _grid(name: str) -> _Grid:
    table: RevisionTable = revision_tables()[name]
    log_puts, logs = np.array(table.log_puts), np.array([[math.log(cell) for cell in row] for row in table.cells])
    slopes = np.zeros_like(logs)
    slopes[:, :-1] = np.diff(logs, axis=1) / np.diff(log_puts)
    return _Grid(np.array(table.puts, np.float64), log_puts, logs.ravel(), slopes.ravel(), len(log_puts))


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
    of_value = 1 + _length_of(value_bytes) + value_bytes
    if not np.min(value_bytes) > 0:
        of_value = where(value_bytes != 0, of_value, 0.0)
    size = FIXED_BYTES + 1 + _length_of(key_bytes) + key_bytes + of_value
    rows = _row_of_size()
    last = len(rows) - 1
    is_beyond = bool(np.max(size) > last)
    whole = np.ceil(np.minimum(size, last) if is_beyond else size)
    # Beyond the table two elements share a run of pages.
    beyond = np.maximum(1.0, _run_of(size) / _run_of(np.float64(last))) if is_beyond else None
    return Elements(size, rows[whole.astype(np.intp)], beyond)


def _length_of(number: Floats) -> Any:
    """Return how many bytes a length takes in a message."""
    least, most = np.min(number), np.max(number)
    length: Any = 1.0
    for bound in (128, 16_384, 2_097_152):
        if least >= bound:
            length = length + 1.0
        elif most >= bound:
            length = length + (number >= bound)
    return length


def revision_arrays(elements: Elements, puts_per_commit: Floats, name: str = "appended_bytes") -> Floats:
    """Return the bytes of the file that each revision takes, by one of the tables. [bytes]"""
    if np.ndim(puts_per_commit) == 0:
        found = _column(name, float(puts_per_commit))[elements.row]
    else:
        grid = _grid(name)
        puts = np.minimum(np.maximum(puts_per_commit, grid.puts[0]), grid.puts[-1])
        # Bytes are added several times as fast as what indexes an array.
        passed = np.zeros(len(puts), np.uint8)
        for bound in grid.puts[1:-1]:
            passed += (puts >= bound).view(np.uint8)
        left = passed.astype(np.intp)
        cell = elements.row * grid.columns + left
        found = np.exp(grid.logs[cell] + grid.slopes[cell] * (np.log(puts) - grid.log_puts[left]))
    return found if elements.beyond is None else found * elements.beyond


def packing_of(elements: Elements, puts_per_commit: Floats, index: int) -> Packing:
    """Return what the keys take at the low end (0), likely (1) or at the high end (2)."""
    if np.ndim(puts_per_commit) == 0:
        found = Packing(*(column[elements.row] for column in _packing(float(puts_per_commit), index)))
        if elements.beyond is None:
            return found
        return found._replace(fresh=found.fresh * elements.beyond, rewritten=found.rewritten * elements.beyond)
    fresh, updated, usual = (revision_arrays(elements, puts_per_commit, name) for name in _names(index))
    return _packed(fresh, updated, usual, index)


@functools.lru_cache(maxsize=64)
def _packing(puts_per_commit: float, index: int) -> Packing:
    """Return what the keys of every row take, for one number of puts a commit."""
    fresh, updated, usual = (_column(name, puts_per_commit) for name in _names(index))
    return _packed(fresh, updated, usual, index)


def _names(index: int) -> tuple[str, str, str]:
    return "appended_bytes", _UPDATED[index], "updated_bytes_likely"


def _packed(fresh: Floats, updated: Floats, usual: Floats, index: int) -> Packing:
    factor = updated / fresh
    if index != 1:
        factor = (np.minimum if index == 0 else np.maximum)(1.0, factor)
    return Packing(fresh, np.maximum(fresh, usual), factor)


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
    return share if np.all(is_long) else share * is_long


def size_classes(count: Floats) -> Floats:
    """Return what allocations take; see `resources.size_classes.size_class`. [bytes]"""
    classes = _class_of_eighth()
    eighth = np.ceil(count * (1 / _STEP))
    last = len(classes) - 1
    if np.max(eighth) <= last:
        return classes[np.asarray(eighth).astype(np.intp)]
    small = classes[np.minimum(eighth, last).astype(np.intp)]
    return where(eighth <= last, small, np.ceil(count / PAGE_BYTES) * PAGE_BYTES)
