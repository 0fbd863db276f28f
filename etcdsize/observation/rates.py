"""Work out what one member did: the rate between two scrapes, or the average since it started from a single one.

In etcd 3.6.0 to 3.6.5, gRPC counts the calls of one client listener only. Where etcd's own counter of requests says so,
its count is used: it has every unary call and no method. That is a lower bound, because messages that keep leases alive
are not among them.

A counter restarts at 0 with its process. Calls between the first scrape and a restart are lost, so the rate is then a
lower bound. It is never negative, and never more than the member served.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from etcdsize.observation.scrape import Histogram, Scrape

__all__ = [
    "START_TOLERANCE_SECONDS",
    "UNARY",
    "Rates",
    "Waits",
    "rates_between",
    "rates_since_start",
    "total",
    "waits_between",
]

UNARY = "unary"
"""The name of the calls that etcd's own counter counts, whatever their methods."""

START_TOLERANCE_SECONDS = 1.5
"""A smaller shift of a start is not a restart, because the clock may be set while a process runs (our choice)."""
# With fewer durations, one in a hundred is less than one (our choice).
_ENOUGH_DURATIONS = 100


@dataclass(frozen=True)
class Rates:
    """The calls per second of one member, by service and method, and how far they can be trusted."""

    calls_per_second: Mapping[str, float] | None = None
    restarted: bool = False
    uncounted: bool = False
    leader_changes: float | None = None

    @property
    def requests_per_second(self) -> float | None:
        """All of the calls. None: unknown."""
        return None if self.calls_per_second is None else total(self.calls_per_second.values())

    @property
    def requests_bound(self) -> Literal["exact", "lower"] | None:
        """Whether the calls are exact or a lower bound. None: unknown."""
        if self.calls_per_second is None:
            return None
        return "lower" if self.restarted or self.uncounted else "exact"


@dataclass(frozen=True)
class Waits:
    """The p99 of what one member waited for, in seconds by kind, and the kinds that are since its start."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    since_start: tuple[str, ...] = ()


def total(values: Iterable[float]) -> float:
    """Return the sum of numbers that are not negative. It is infinite if no float is that large."""
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf


def rates_between(before: Scrape, after: Scrape, seconds: float | None) -> Rates:
    """Return the rates of a member between two scrapes.

    Parameters
    ----------
    before, after : Scrape
        Two scrapes of the same member.
    seconds : float or None
        The time between them. [s] None: the rates are unknown.
    """
    start_moved = _start_moved(before, after)
    counter_fell = _counter_fell(before, after)
    # Both signs together are a restart: everything that is counted now came after the first scrape. A single one may be
    # a clock that was set, or a start that is not reported: only what exceeds the first count surely came after it.
    reset = start_moved and counter_fell
    calls: dict[str, float] | None = None
    earlier, later = _calls(before, after), _calls(after, after)
    if earlier is not None and later is not None and seconds is not None and seconds > 0:
        calls = {name: _increase(earlier.get(name, 0), count, reset=reset) / seconds for name, count in later.items()}
    changes: float | None = None
    if before.leader_changes is not None and after.leader_changes is not None:
        changes = _increase(before.leader_changes, after.leader_changes, reset=reset)
    return Rates(calls, start_moved or counter_fell, not after.counts_every_call, changes)


def rates_since_start(scrape: Scrape) -> Rates:
    """Return the average rates of a member since it started; they are unknown without the time of the scrape."""
    started, taken = scrape.started_unix_seconds, scrape.taken_unix_seconds
    counts = _calls(scrape, scrape)
    calls = None
    if counts is not None and started is not None and taken is not None and taken > started:
        calls = {name: count / (taken - started) for name, count in counts.items()}
    return Rates(calls, False, not scrape.counts_every_call, scrape.leader_changes)


def _calls(scrape: Scrape, last: Scrape) -> Mapping[str, float] | None:
    """Return the calls of a scrape, by the counter that counts more of them in the last scrape."""
    if last.counts_every_call:
        return scrape.calls
    return None if scrape.client_requests is None else {UNARY: scrape.client_requests}


def _start_moved(before: Scrape, after: Scrape) -> bool:
    """Return whether the process reports another start time."""
    one, other = before.started_unix_seconds, after.started_unix_seconds
    return one is not None and other is not None and abs(other - one) > START_TOLERANCE_SECONDS


def _counter_fell(before: Scrape, after: Scrape) -> bool:
    """Return whether a counter, which only rises while a process runs, is lower than before."""
    pairs = [
        (before.cpu_seconds, after.cpu_seconds),
        (before.leader_changes, after.leader_changes),
        (before.client_requests, after.client_requests),
    ]
    if before.calls is not None and after.calls is not None:
        pairs += [(count, after.calls.get(name, 0)) for name, count in before.calls.items()]
    return any(one is not None and other is not None and other < one for one, other in pairs)


def _increase(before: float, after: float, *, reset: bool) -> float:
    return after if reset or after < before else after - before


def waits_between(before: Scrape | None, after: Scrape) -> Waits:
    """Return the p99 of WAL fsyncs, backend commits and round trips to peers.

    They cover the time between the scrapes if enough was measured in it, else the time since the member started.
    """
    kinds: dict[str, list[tuple[Histogram | None, Histogram | None]]] = {
        "wal_fsync": [(before.wal_fsync if before else None, after.wal_fsync)],
        "backend_commit": [(before.backend_commit if before else None, after.backend_commit)],
        "peer_rtt": [(before.peer_rtt.get(to) if before else None, now) for to, now in after.peer_rtt.items()],
    }
    slowest: dict[str, float] = {}
    since_start = []
    for kind, pairs in kinds.items():
        measured: list[tuple[float, bool]] = []
        for then, now in pairs:
            between = now.since(then) if now is not None and then is not None else None
            enough = between is not None and between.count >= _ENOUGH_DURATIONS
            seconds = (between if enough and between else now).quantile(0.99) if now else None
            if seconds is not None:
                measured.append((seconds, not enough))
        if measured:
            # A write may have to wait for the slowest peer.
            slowest[kind], is_since_start = max(measured)
            if is_since_start:
                since_start.append(kind)
    return Waits(slowest, tuple(since_start))
