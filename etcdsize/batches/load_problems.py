"""Which rows of a batch lack a load, or have one that is no load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etcdsize.batches.columns import Columns
from etcdsize.fleet.kernel import INVALID
from etcdsize.units import DIMENSIONS

__all__ = ["report_invalid_loads", "report_missing_loads"]


def report_missing_loads(
    columns: Columns,
    values: Sequence[NDArray[Any] | None],
    unknown: Sequence[NDArray[np.bool_] | None],
    known: NDArray[np.bool_],
    problems: dict[int, list[str]],
    *,
    missing_is_unknown: bool,
) -> None:
    """Report nulls as problems, or as unknown if another dimension of the row is known.

    Parameters
    ----------
    columns : Columns
        The columns that are read.
    values, unknown : sequence of array or None
        The values of each dimension, and where they are null. None: there is no such column, or no null.
    known : array of bool
        Where something else is known of the row: its Kubernetes nodes.
    problems : dict
        The problems of each row, to which those found are added.
    missing_is_unknown : bool
        Whether a null means that a dimension is unknown.
    """
    if "kubernetes_nodes" in columns and all(column is None for column in values):
        for row in np.flatnonzero(~known).tolist():
            problems.setdefault(row, []).append(f"{columns['kubernetes_nodes'].name}: missing")
        return
    known = known.copy()
    for index, dimension in enumerate(DIMENSIONS):
        source, mask = columns.get(dimension), unknown[index]
        if values[index] is None:
            continue
        if mask is None:
            known[:] = True
            continue
        known |= ~mask
        if source is not None and not missing_is_unknown:
            for row in np.flatnonzero(mask).tolist():
                problems.setdefault(row, []).append(f"{source.name}: missing")
    if missing_is_unknown or columns.keys().isdisjoint(DIMENSIONS):
        for row in np.flatnonzero(~known).tolist():
            problems.setdefault(row, []).append("nothing known: every dimension is missing")


def report_invalid_loads(
    columns: Columns,
    values: Sequence[NDArray[Any] | None],
    codes: NDArray[np.uint8],
    problems: dict[int, list[str]],
) -> None:
    """Report the loads that the classifier marked as invalid."""
    marked = np.flatnonzero(codes == INVALID)
    for index, dimension in enumerate(DIMENSIONS):
        column = values[index]
        if column is None or dimension not in columns or not marked.size:
            continue
        loads = column[marked]
        with np.errstate(invalid="ignore"):
            wrong = ~((loads >= 0) & np.isfinite(loads))
        name, factor = columns[dimension].name, columns[dimension].factor
        if factor != 1:
            loads = loads * factor.denominator / factor.numerator
        for row, load in zip(marked[wrong].tolist(), loads[wrong].tolist(), strict=True):
            problems.setdefault(row, []).append(f"{name}: got {load}, expected a finite number of 0 or more")
