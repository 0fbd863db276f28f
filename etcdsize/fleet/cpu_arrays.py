"""The processor that the loads of a fleet take, in arrays: the arithmetic of `resources.cpu`."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from etcdsize.fleet.block import Block
from etcdsize.fleet.load_arrays import LoadArrays, watches_of, writes_of
from etcdsize.fleet.revision_arrays import Floats, where
from etcdsize.fleet.sum_arrays import Sums
from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.cpu import KEEPALIVES_PER_TTL
from etcdsize.resources.defaults import LIKELY_REQUESTS, MOST_EVENTS, MOST_REQUESTS, SHARE_OF_WRITES
from etcdsize.resources.known import HIGH, LIKELY, LOW

__all__ = ["Serving", "leader_cores", "serving_of"]

_MICROSECONDS = 1e-6


class Serving(NamedTuple):
    """What the processor depends on besides the figures of `LoadArrays`."""

    reads_per_second: Floats
    watch_events_per_second: Floats
    lease_ttl_seconds: Floats


def serving_of(block: Block, load: LoadArrays, case: int) -> Serving:
    """Return what the loads of a block serve in a case."""
    return Serving(_reads(block, load, case), _events(block, load, case), block.fewest("lease_ttl_seconds", case))


def _reads(block: Block, load: LoadArrays, case: int) -> Floats:
    """Return the reads; see `resources.known.Known.reads`."""
    if case == LOW:
        return block.known("reads_per_second", 0.0)
    requests = block.known("requests_per_second", 0.0)
    if case == HIGH:
        rest = requests - block.known("writes_per_second", 0.0)
        likely: Floats = np.maximum(MOST_REQUESTS, load.writes_per_second)
    else:
        rest = requests - load.writes_per_second
        most = np.maximum(MOST_REQUESTS, writes_of(block, HIGH).requests)
        share = (1 - SHARE_OF_WRITES) / SHARE_OF_WRITES
        least = LIKELY_REQUESTS * (1 - SHARE_OF_WRITES)
        likely = np.minimum(np.maximum(least, load.writes_per_second * share), most)
    assumed = where(block.has("requests_per_second"), np.maximum(0.0, rest), likely)
    return block.known("reads_per_second", assumed)


def _events(block: Block, load: LoadArrays, case: int) -> Floats:
    """Return the events delivered to watches; see `resources.watching`."""
    if case == LOW:
        return np.float64(0.0)
    (kind,) = load.kinds
    if case != HIGH:
        return kind.writes_per_second * np.minimum(1.0, load.watch_streams)
    _, streams = watches_of(block, LIKELY, block.case("clients", LIKELY))
    likely = writes_of(block, LIKELY).rate * np.minimum(1.0, streams)
    most = np.minimum(kind.writes_per_second * np.maximum(1.0, load.watch_streams), MOST_EVENTS)
    return np.maximum(likely, where(load.watch_streams > 0, most, 0.0))


def leader_cores(load: LoadArrays, serving: Serving, sums: Sums, values: Coefficients) -> Floats:
    """Return the cores that a leader keeps busy which serves all clients; see `resources.cpu.cpu_figures`."""
    rate: Floats = functools.reduce(np.add, [kind.writes_per_second for kind in load.kinds])
    written, ended = sums.written_bytes_per_second, load.lease_revokes_per_second
    stored = where(sums.keys > 0, sums.data_bytes / sums.keys, 0.0)
    event_kb = where(rate > 0, written / rate, stored) / 1000
    reads = serving.reads_per_second
    kept = where(load.leases > 0, load.leases * KEEPALIVES_PER_TTL / serving.lease_ttl_seconds, 0.0)
    busy = (
        values.cpu_idle
        + rate * values.cpu_put
        + written / 1000 * values.cpu_put_kb
        + np.minimum(load.writes_per_second, values.passes_per_second) * values.cpu_put_alone
        + reads * values.cpu_get
        + np.minimum(reads, values.passes_per_second) * values.cpu_get_alone
        + serving.watch_events_per_second * (values.cpu_event + event_kb * values.cpu_event_kb)
        + kept * values.cpu_keepalive
        + ended * (values.cpu_grant + values.cpu_revoke + load.keys_per_lease * values.cpu_delete_key)
    )
    lists = where(sums.list_keys > 0, load.concurrent_lists * values.list_busy, 0.0)
    return _MICROSECONDS * busy + lists
