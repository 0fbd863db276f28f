"""Which clusters of a fleet have which notices: those that `size` gives for the load of each, as masks of rows.

The notices about machines themselves, and the other notices of severity info, are left out: they are the same for
every cluster with that machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etcdsize.base.notice import NoticeKind
from etcdsize.etcd.plausible import (
    LARGEST_KNOWN_BYTES,
    MOST_KNOWN_CLIENTS,
    MOST_KNOWN_NODES,
    MOST_KNOWN_REQUESTS,
    SMALLEST_PLAUSIBLE_BYTES,
)
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.fleet.kernel import last_fitting
from etcdsize.fleet.loads import classify_arrays
from etcdsize.fleet.sizing import ELSEWHERE, FleetSizing
from etcdsize.resources.notices import (
    FRACTIONAL_CLIENTS,
    IMPLAUSIBLE_CLIENTS,
    IMPLAUSIBLE_NODES,
    IMPLAUSIBLE_REQUESTS,
    IMPLAUSIBLY_LARGE,
    IMPLAUSIBLY_SMALL,
)
from etcdsize.sizing.notices import (
    BEYOND_SUGGESTED_QUOTA,
    DATA_ABOVE_MEMORY,
    DISK_FOR_LESS_DATA,
    KUBERNETES_ESTIMATE,
    NO_MACHINES,
    OPEN_TIER,
    UNKNOWN_DIMENSION,
)

__all__ = ["load_decides", "load_notice_rows"]

Mask = NDArray[np.bool_]
Loads = NDArray[Any]


def load_notice_rows(fleet: FleetSizing) -> Iterator[tuple[NoticeKind, Mask]]:
    """Yield the kinds of notices about the loads of a fleet, each with the clusters that have it.

    A mask may include clusters that cannot be sized; they have no notices.
    """
    if not len(fleet):
        return
    clients, requests, data = fleet._columns
    if isinstance(fleet._providers, np.ndarray):
        yield NO_MACHINES, fleet._providers == ELSEWHERE
    unknown = _unknown(fleet)
    if unknown is not None:
        yield UNKNOWN_DIMENSION, unknown
    # A load that is NaN is not sized, so it may be compared in either way.
    with np.errstate(invalid="ignore"):
        if clients is not None:
            if clients.dtype.kind == "f":
                yield FRACTIONAL_CLIENTS, clients != np.floor(clients)
            yield from _if_any(IMPLAUSIBLE_CLIENTS, clients, MOST_KNOWN_CLIENTS)
        if requests is not None:
            yield from _if_any(IMPLAUSIBLE_REQUESTS, requests, MOST_KNOWN_REQUESTS)
        if data is not None:
            if not data.min() >= SMALLEST_PLAUSIBLE_BYTES:
                yield IMPLAUSIBLY_SMALL, (data > 0) & (data < SMALLEST_PLAUSIBLE_BYTES)
            yield from _notices_of_much_data(fleet, data)
    yield OPEN_TIER, _past_last_bound(fleet)
    if fleet._nodes is not None:
        known = fleet._nodes.known
        yield KUBERNETES_ESTIMATE, known
        if _may_exceed(fleet._nodes.values, MOST_KNOWN_NODES):
            yield IMPLAUSIBLE_NODES, known & _above(fleet._nodes.values, MOST_KNOWN_NODES)


def load_decides(fleet: FleetSizing, knows_further: Mask | None) -> Mask:
    """Return where `size` names a machine for the load, and the row has that of the guide.

    Parameters
    ----------
    fleet : FleetSizing
        The rows.
    knows_further : array of bool, or None
        Where more is known of the load than clients, requests, data and nodes; None: nowhere.
    """
    clients, requests, data = fleet._columns
    found = np.zeros(len(fleet), np.bool_) if knows_further is None else knows_further.copy()
    if not len(fleet):
        return found
    if data is not None and _may_exceed(data, SUGGESTED_QUOTA_BYTES):
        found |= _above(data, SUGGESTED_QUOTA_BYTES)
    if fleet._nodes is not None:
        found |= fleet._nodes.past_last_example
    last = len(fleet.tiers.tiers) - 1
    rows = np.flatnonzero((fleet.tier_codes == last) & ~found)
    if rows.size and not (clients is None and requests is None):
        # Data past the last bound, and up to what etcd suggests, has the guide's machine in `size` as well.
        codes = np.empty(rows.size, np.uint8)
        columns = [None if column is None else column[rows] for column in (clients, requests, None)]
        classify_arrays(columns, (rows.size,), codes, fleet.tiers, 0.0, 1)
        found[rows] = codes == last
    return found


def _if_any(kind: NoticeKind, loads: Loads, limit: float) -> Iterator[tuple[NoticeKind, Mask]]:
    """Yield a notice about the loads above a limit if there is one."""
    if _may_exceed(loads, limit):
        yield kind, _above(loads, limit)


def _may_exceed(loads: Loads, limit: float) -> bool:
    """Return whether a load may be above a limit: one pass for the maximum is much faster than a comparison."""
    return not loads.max().item() <= limit


def _above(loads: Loads, limit: float) -> Mask:
    """Return where a load is above a limit, exactly in its own dtype."""
    above: Mask = loads > last_fitting(Fraction(limit), True, loads.dtype.newbyteorder("="))
    return above


def _unknown(fleet: FleetSizing) -> Mask | None:
    """Return where some dimension is unknown and another is not; None where nothing is unknown."""
    masks = [
        np.ones(len(fleet), np.bool_) if column is None else mask
        for column, mask in zip(fleet._columns, fleet._unknown)
    ]
    if not any(mask is not None for mask in masks):
        return None
    unknown, everything = np.zeros(len(fleet), np.bool_), np.ones(len(fleet), np.bool_)
    for mask in masks:
        if mask is None:
            everything[:] = False
        else:
            unknown |= mask
            everything &= mask
    return unknown & ~everything


def _notices_of_much_data(fleet: FleetSizing, data: Loads) -> Iterator[tuple[NoticeKind, Mask]]:
    """Yield where there is more data than etcd suggests or the machine and its disk are for."""
    pairs = [[one for one in pair if one is not None] for pair in zip(fleet.machines, fleet.machines_today)]
    memory = np.array([min(one.memory_gib for one in pair) * 2**30 for pair in pairs] + [np.inf])
    least = min(SUGGESTED_QUOTA_BYTES, memory.min())
    if not _may_exceed(data, least):
        return
    yield IMPLAUSIBLY_LARGE, _above(data, LARGEST_KNOWN_BYTES)
    above = _above(data, SUGGESTED_QUOTA_BYTES)
    yield BEYOND_SUGGESTED_QUOTA, above
    near = np.flatnonzero(_above(data, least))
    codes = fleet.machine_codes
    mask = np.zeros(len(fleet), np.bool_)
    mask[near] = data[near] > memory[codes[near]]
    yield DATA_ABOVE_MEMORY, mask
    with_disk = np.array([any(one.cost and one.disk for one in pair) for pair in pairs] + [False])
    yield DISK_FOR_LESS_DATA, above & with_disk[codes]


def _past_last_bound(fleet: FleetSizing) -> Mask:
    """Return where a load is past the last bound of the tiers: on the open tier, unless headroom brought it there."""
    last = len(fleet.tiers.tiers) - 1
    past: Mask = fleet.tier_codes == last
    if (fleet.headroom or fleet._nodes is not None) and past.any():
        rows = np.flatnonzero(past)
        codes = np.empty(rows.size, np.uint8)
        columns = [None if column is None else column[rows] for column in fleet._columns]
        classify_arrays(columns, (rows.size,), codes, fleet.tiers, 0.0, 1)
        past[rows] = codes == last
    if fleet._nodes is not None:
        past |= fleet._nodes.past_last_example
    return past
