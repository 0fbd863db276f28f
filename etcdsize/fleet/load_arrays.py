"""Loads of a fleet as arrays: what is not known of a row is assumed as `resources.fill` does, one case at a time.

Everything is an array of the rows of a block, or one number for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from etcdsize.fleet.block import Block
from etcdsize.fleet.key_arrays import Keys, Triples
from etcdsize.fleet.revision_arrays import Elements, Floats, elements_of, revision_arrays, runs_of, where
from etcdsize.resources.defaults import (
    DEFAULTS,
    GAPS_OF_RUNS,
    LEAST_HISTORY_SECONDS,
    LIKELY_REQUESTS,
    MOST_HISTORY_BYTES,
    MOST_HISTORY_SECONDS,
    MOST_REQUESTS,
    SHARE_OF_WRITES,
)
from etcdsize.resources.known import HIGH, LIKELY, LOW, NEED
from etcdsize.resources.load_sums import COMMITS_PER_SECOND

__all__ = ["KindArrays", "LoadArrays", "Points", "needed_loads", "points_of", "watches_of", "writes_of"]

_WRITES_A_READ = SHARE_OF_WRITES / (1 - SHARE_OF_WRITES)
_DAY = 86_400.0


class Linear(NamedTuple):
    """Figures that grow with the nodes and the pods of every row's cluster."""

    fixed: float
    per_node: float
    per_pod: float
    nodes: Floats
    pods: Floats

    @property
    def figures(self) -> Floats:
        """The figures themselves."""
        found: Floats = np.float64(self.fixed)
        for rate, amount in ((self.per_node, self.nodes), (self.per_pod, self.pods)):
            if rate:
                found = found + rate * amount
        return found if np.ndim(found) else np.full(len(self.nodes), found)


@dataclass(frozen=True, slots=True)
class Growth:
    """How the keys of one kind grow with a cluster, where they do."""

    count: Linear | None
    writes_per_second: Linear


class KindArrays(NamedTuple):
    """The keys of one kind; see `resources.load.ObjectLoad`."""

    count: Floats
    key_bytes: Floats
    value_bytes: Floats
    writes_per_second: Floats
    elements: Elements | None = None
    """Their elements, if they are known already."""
    again: Floats | None = None
    """What a write adds to the file, if it is known already. [bytes]"""
    runs: Floats | None = None
    """The share of it that leaves gaps between runs of pages, if it is known already."""
    growth: Growth | None = None


class LoadArrays(NamedTuple):
    """Loads in all figures that the needs depend on; see `resources.load.Load`."""

    kinds: list[KindArrays]
    clients: Floats
    writes_per_second: Floats
    puts_per_transaction: Floats
    puts_per_commit: Floats
    largest_value_bytes: Floats
    history_seconds: Floats
    list_keys: Floats
    concurrent_lists: Floats
    watchers: Floats
    watch_streams: Floats
    leases: Floats
    keys_per_lease: Floats
    lease_revokes_per_second: Floats
    tls: Floats


class Writes(NamedTuple):
    """The writes of a case. [1/s]"""

    requests: Floats
    puts: Floats
    rate: Floats
    """Keys that are written: the requests times their puts."""


def writes_of(block: Block, case: int) -> Writes:
    """Return the writes of a case; see `resources.writing`."""
    requests, reads = block.known("requests_per_second", 0.0), block.known("reads_per_second", 0.0)
    limited, reading = block.has("requests_per_second"), block.has("reads_per_second")
    most = np.maximum(MOST_REQUESTS, reads)
    likely = np.minimum(np.maximum(LIKELY_REQUESTS * SHARE_OF_WRITES, reads * _WRITES_A_READ), most)
    rest = where(reading, np.maximum(0.0, requests - reads), requests if case == HIGH else requests * SHARE_OF_WRITES)
    assumed = 0.0 if case == LOW else where(limited, rest, most if case == HIGH else likely)
    writes, puts = block.known("writes_per_second", assumed), block.case("puts_per_transaction", case)
    return Writes(writes, puts, writes * puts)


def load_of(block: Block, case: int, keys: Triples, writes: Writes, history: Floats | None, tls: Floats) -> LoadArrays:
    """Return the loads of a block in one case, with its keys, its writes and its history; None: what is kept likely."""
    element = elements_of(keys.key, keys.value)
    dense = dense_puts(np.maximum(1.0, writes.puts), writes.rate)
    again, runs = revision_arrays(element, dense), runs_of(element, dense)
    kind = KindArrays(*keys, writes.rate, element, again, runs)
    if history is None:
        history = block.known("history_seconds", _longest_history(writes.rate * (again * (1 + GAPS_OF_RUNS * runs))))
    clients = block.case("clients", case)
    value, largest = keys.value, block.known("largest_value_bytes", 0.0)
    _, times, most, _, _ = DEFAULTS["largest_value_bytes"]
    assumed = (0.0, np.minimum(times * value, most), most, np.minimum(times * value, most))[case]
    largest = np.maximum(value, where(block.has("largest_value_bytes"), largest, assumed))
    usual = np.minimum(DEFAULTS["list_keys"].likely, keys.number)
    watchers, streams = watches_of(block, case, clients)
    leases, attached, revokes = _leases(block, case, clients)
    return LoadArrays(
        [kind],
        clients=clients,
        writes_per_second=writes.requests,
        puts_per_transaction=writes.puts,
        puts_per_commit=block.fewest("puts_per_commit", case),
        largest_value_bytes=largest,
        history_seconds=history,
        list_keys=block.known("list_keys", (0.0, usual, keys.number, usual)[case]),
        concurrent_lists=_lists(block, case),
        watchers=watchers,
        watch_streams=streams,
        leases=leases,
        keys_per_lease=attached,
        lease_revokes_per_second=revokes,
        tls=tls,
    )


def dense_puts(puts: Floats, writes: Floats) -> Floats:
    """Return how many puts one commit has at these rates of writes; the writes of a request come together. [count]"""
    dense = np.maximum(puts, writes * (1 / COMMITS_PER_SECOND))
    return np.float64(1.0) if np.ndim(dense) and np.max(dense) <= 1 else dense


def _longest_history(written: Floats) -> Floats:
    """Return how long replaced revisions are kept where nothing is known of it; see `resources.history`. [s]

    `written` is what the writes add to the file. [bytes/s]
    """
    return np.minimum(MOST_HISTORY_SECONDS, np.maximum(LEAST_HISTORY_SECONDS, MOST_HISTORY_BYTES / written))


def _lists(block: Block, case: int) -> Floats:
    """Return the lists at the same time: none are assumed where nothing is read."""
    requests, writes = block.known("requests_per_second", np.inf), block.known("writes_per_second", 0.0)
    reading = where(block.has("reads_per_second"), block.known("reads_per_second", 0.0) > 0, requests > writes)
    low, likely, high, _, _ = DEFAULTS["concurrent_lists"]
    return block.known("concurrent_lists", where(reading, (low, likely, high, likely)[case], 0.0))


def watches_of(block: Block, case: int, clients: Floats) -> tuple[Floats, Floats]:
    """Return the watchers and their streams; see `resources.watching`."""
    watching, streaming = block.has("watchers"), block.has("watch_streams")
    watchers, streams = block.known("watchers", 0.0), block.known("watch_streams", 0.0)
    if case == LOW:
        few, alone, each = np.minimum(1.0, np.minimum(watchers, clients)), 0.0, 1
        assumed = 0.0
    else:
        each = 2 if case == HIGH else 1
        few, alone = np.minimum(watchers, each * clients), each * clients
        assumed = 20 * clients if case == HIGH else clients
    many = where(streaming, (10 if case == HIGH else 1) * streams, assumed)
    return where(watching, watchers, many), where(streaming, streams, where(watching, few, alone))


def _leases(block: Block, case: int, clients: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the leases, the keys of each, and how many end a second; see `resources.watching`."""
    leases = block.known("leases", clients if case == HIGH else 0.0)
    ttl = block.fewest("lease_ttl_seconds", case)
    ends = 0.0 if case == LOW else leases / (ttl if case == HIGH else np.maximum(_DAY, ttl))
    return leases, block.case("keys_per_lease", case), block.known("lease_revokes_per_second", ends)


class Points(NamedTuple):
    """The loads whose figures make up the ranges of a block."""

    lows: list[LoadArrays]
    likely: LoadArrays
    highs: list[LoadArrays]


def needed_loads(block: Block) -> LoadArrays:
    """Return what to provide for: what is known, and the likely value of what is assumed."""
    return _middle(block, Keys(block), NEED)


def points_of(block: Block) -> Points:
    """Return the likely loads, and those of both ends, with and without TLS."""
    keys = Keys(block)
    low_writes, high_writes = writes_of(block, LOW), writes_of(block, HIGH)
    lows, highs = keys.ends(LOW), keys.ends(HIGH)
    # Just after a compaction half of the most is left.
    low = block.known("history_seconds", LEAST_HISTORY_SECONDS / 2)
    high = block.known("history_seconds", MOST_HISTORY_SECONDS)
    without, with_tls = block.known("tls", 0.0), block.known("tls", 1.0)
    low_loads = [load_of(block, LOW, one, low_writes, low, without) for one in lows]
    high_loads = [load_of(block, HIGH, one, high_writes, high, with_tls) for one in highs]
    if not np.all(block.has("tls")):
        low_loads.append(low_loads[-1]._replace(tls=with_tls))
        high_loads.insert(0, high_loads[0]._replace(tls=without))
    return Points(low_loads, _middle(block, keys, LIKELY), high_loads)


def _middle(block: Block, keys: Keys, case: int) -> LoadArrays:
    choice, writes = keys.middle(case), writes_of(block, case)
    history = block.known("history_seconds", 0.0) if np.all(block.has("history_seconds")) else None
    return load_of(block, case, choice, writes, history, block.case("tls", case))
