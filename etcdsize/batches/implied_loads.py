"""What further columns say about the requests and the data of rows in which these are unknown, as `Profile.loads` does.

Reads and writes are requests, and keys times their sizes are data. A part of them is a lower bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from etcdsize.units import DIMENSIONS

__all__ = ["Implied", "Loads", "implied_dimensions", "with_implied"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Implied(NamedTuple):
    """The rows of which one dimension follows from other figures."""

    rows: Mask
    """Which they are."""
    lower: Mask
    """Which of them have only a lower bound."""


class Loads(NamedTuple):
    """The loads of a batch: for each dimension its values, where they are unknown, and where they are implied."""

    values: list[NDArray[Any] | None]
    unknown: list[Mask | None]
    implied: tuple[Implied | None, Implied | None, Implied | None] = (None, None, None)


def implied_dimensions(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the dimensions that follow from columns, whole or in part."""
    there = set(columns)
    found = {
        "requests_per_second": not there.isdisjoint(("reads_per_second", "writes_per_second")),
        "data_bytes": {"keys", "value_bytes"} <= there,
    }
    return tuple(name for name in DIMENSIONS if found.get(name))


def with_implied(loads: Loads, figures: Mapping[str, Floats]) -> Loads:
    """Return loads with what further figures say of their unknown rows.

    Parameters
    ----------
    loads : Loads
        The loads, None for a dimension without a column.
    figures : mapping
        A key of `batches.columns.FIGURES` -> its figures, NaN where they are unknown.
    """
    values, unknown = list(loads.values), list(loads.unknown)
    implied: list[Implied | None] = [None, None, None]
    for name in implied_dimensions(figures):
        index = DIMENSIONS.index(name)
        column, missing = values[index], unknown[index]
        if column is not None and missing is None:
            continue
        found, is_whole = (_requests if name == "requests_per_second" else _data)(figures)
        rows = np.isfinite(found) if missing is None else np.isfinite(found) & missing
        if rows.any():
            values[index] = np.where(rows, found, 0.0 if column is None else column)
            left = ~rows if missing is None else missing & ~rows
            unknown[index] = left if left.any() else None
            implied[index] = Implied(rows, rows & ~is_whole)
    return Loads(values, unknown, (implied[0], implied[1], implied[2]))


def _requests(figures: Mapping[str, Floats]) -> tuple[Floats, Mask]:
    """Return reads and writes, NaN where neither is known, and where both are."""
    parts = [figures[name] for name in ("reads_per_second", "writes_per_second") if name in figures]
    known = [~np.isnan(part) for part in parts]
    total = sum(np.where(there, part, 0.0) for part, there in zip(parts, known))
    is_whole = np.logical_and.reduce(known) if len(parts) == 2 else np.zeros(len(parts[0]), np.bool_)
    return np.where(np.logical_or.reduce(known), total, np.nan), is_whole


def _data(figures: Mapping[str, Floats]) -> tuple[Floats, Mask]:
    """Return keys times their sizes, NaN where keys or values are unknown, and where the size of a key is known."""
    key = figures.get("key_bytes", np.full_like(figures["keys"], np.nan))
    with np.errstate(over="ignore"):
        return figures["keys"] * (figures["value_bytes"] + np.nan_to_num(key)), ~np.isnan(key)
