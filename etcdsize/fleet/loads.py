"""Check loads given as arrays, classify them, and describe the first one that cannot be sized."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etcdsize.errors import InvalidWorkloadError, WorkloadTypeError
from etcdsize.fleet.kernel import INVALID, Codes, Column, FirstInvalid, classify_columns
from etcdsize.tiers import TierTable, exact_bounds
from etcdsize.units import DIMENSIONS

__all__ = ["array_of", "broadcast", "classify_arrays", "fleet_codes", "fleet_columns", "invalid_load"]

_ACCEPTED = "an array of an integer or float dtype, or None for an unknown dimension"


def array_of(dimension: str, load: Any, *, booleans: bool = False) -> NDArray[Any] | None:
    """Return a dimension's load as an array; booleans are 1 and 0 where they are accepted.

    Raises
    ------
    WorkloadTypeError
        For anything but real numbers.
    """
    if load is None:
        return None
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(load, masked.MaskedArray) and masked.is_masked(load):
        raise WorkloadTypeError(
            f"{dimension}: got a masked array with masked values, expected {_ACCEPTED}; fill the masked values, "
            'with NaN and on_invalid="mark" for loads that are missing',
            dimension=dimension,
        )
    try:
        array = np.asarray(load)
    except ValueError as error:
        raise WorkloadTypeError(f"{dimension}: got {error}, expected {_ACCEPTED}", dimension=dimension) from None
    if booleans and array.dtype.kind == "b":
        array = array.astype(np.float64)
    if array.dtype.kind not in "iuf":
        hint = ""
        if array.dtype.kind == "O":
            hint = "; a list with None, text or integers above 2^64 - 1 is of dtype object"
        raise WorkloadTypeError(
            f"{dimension}: got dtype {array.dtype}, expected {_ACCEPTED}{hint}", dimension=dimension
        )
    return array


def broadcast(arrays: Sequence[NDArray[Any] | None]) -> tuple[int, ...]:
    """Return the shape that the known dimensions broadcast to."""
    known = {name: array.shape for name, array in zip(DIMENSIONS, arrays) if array is not None}
    if not known:
        raise InvalidWorkloadError(f"nothing known of the workload, expected at least one of {', '.join(DIMENSIONS)}")
    try:
        return np.broadcast_shapes(*known.values())
    except ValueError:
        shapes = ", ".join(f"{name} {shape}" for name, shape in known.items())
        raise InvalidWorkloadError(
            f"got shapes that do not broadcast: {shapes}; expected the same shape, or scalars"
        ) from None


def classify_arrays(
    arrays: Sequence[NDArray[Any] | None],
    shape: tuple[int, ...],
    codes: Codes,
    table: TierTable,
    headroom: float,
    threads: int | None,
    spare_loads: bool = False,
) -> FirstInvalid | None:
    """Write the codes of every row, and return the first row that cannot be sized.

    With `spare_loads`, an output that shares memory with a load is not written if a row cannot be sized, so that the
    error can still show the load.
    """
    rows = codes.size
    if rows == 0:
        return None
    bounds = exact_bounds(table, headroom)
    wide, single = [], []
    for dimension, array in enumerate(arrays):
        if array is None:
            continue
        if array.size == 1 < rows:
            single.append(Column(dimension, array.reshape(1), bounds=bounds[dimension]))
            continue
        if array.shape != shape:
            array = np.broadcast_to(array, shape)
        if array.ndim != 1 and array.flags.c_contiguous:
            array = array.reshape(-1)
        wide.append(Column(dimension, array, bounds=bounds[dimension]))
    shared = any(np.may_share_memory(codes, column.values) for column in wide)
    target = codes.reshape(-1) if codes.flags.c_contiguous else codes
    if shared:
        target = np.empty(rows, np.uint8)
    # A value that is the same for every row is classified once.
    least = np.zeros(1, np.uint8)
    found = classify_columns(single, 1, least, 1) if single else None
    if found is not None:
        if not spare_loads:
            codes.fill(INVALID)
        return FirstInvalid(0, found.dimension, rows)
    if not wide:
        # Every load is a scalar; only the providers differ between clusters.
        codes.fill(least[0])
        return None
    first = classify_columns(wide, rows, target, threads, int(least[0]))
    if shared and not (spare_loads and first is not None):
        codes[...] = target.reshape(shape)
    return first


def invalid_load(
    arrays: Sequence[NDArray[Any] | None], shape: tuple[int, ...], first: FirstInvalid
) -> InvalidWorkloadError:
    """Return the error for the first load that cannot be sized."""
    dimension = DIMENSIONS[first.dimension]
    array = arrays[first.dimension]
    assert array is not None  # noqa: S101 - an unknown dimension is never invalid
    value = np.broadcast_to(array, shape).flat[first.index] if shape else array[()]
    place = tuple(int(part) for part in np.unravel_index(first.index, shape)) if shape else None
    index = place[0] if place is not None and len(place) == 1 else place
    where = "" if index is None else f"[{index if isinstance(index, int) else ', '.join(map(str, index))}]"
    how_many = "" if first.count == 1 else f" ({first.count} loads cannot be sized)"
    return InvalidWorkloadError(
        f"{dimension}{where}: got {value}, expected a finite number of 0 or more{how_many}; "
        'on_invalid="mark" sizes the rest',
        dimension=dimension,
        index=index,
        value=value.item(),
        count=first.count,
    )


def fleet_columns(
    loads: Sequence[ArrayLike | None], other: tuple[str, tuple[int, ...]] | None = None
) -> tuple[list[NDArray[Any] | None], tuple[int, ...]]:
    """Return the loads of a fleet as columns of one shape, with one load per cluster.

    Parameters
    ----------
    loads : sequence
        One per dimension; None means unknown.
    other : tuple, optional
        The name and shape of another argument that has one value per cluster.
    """
    arrays = [array_of(name, load) for name, load in zip(DIMENSIONS, loads)]
    shape = broadcast(arrays)
    if other is not None:
        try:
            shape = np.broadcast_shapes(shape, other[1])
        except ValueError:
            raise InvalidWorkloadError(
                f"got shapes that do not broadcast: the loads {shape}, {other[0]} {other[1]}; "
                f"expected one {other[0].removesuffix('s')}, or one per cluster"
            ) from None
    if len(shape) > 1:
        raise InvalidWorkloadError(f"got loads of shape {shape}, expected one axis, with one load per cluster")
    shape = shape or (1,)
    columns = [None if array is None else np.broadcast_to(array, shape) for array in arrays]
    return columns, shape


def fleet_codes(
    columns: Sequence[NDArray[Any] | None], shape: tuple[int, ...], table: TierTable, headroom: float, on_invalid: str
) -> Codes:
    """Return the tier codes of a fleet; a load that cannot be sized raises or is marked, as `on_invalid` says."""
    codes = np.empty(shape, np.uint8)
    first = classify_arrays(columns, shape, codes, table, headroom, None)
    if first is not None and on_invalid == "raise":
        raise invalid_load(columns, shape, first)
    return codes
