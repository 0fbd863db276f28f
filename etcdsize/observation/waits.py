"""Work out how long a member waits for its disk and for its peers, and how much it writes at a time.

One in a hundred durations is longer than a p99. So a hundred durations are needed at least: those between two scrapes,
or else those since the member started. With fewer, the p99 is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etcdsize.observation.scrape import Histogram, Scrape

__all__ = ["Waits", "waits_between"]

# With fewer durations, one in a hundred is less than one (our choice).
_ENOUGH_DURATIONS = 100


@dataclass(frozen=True)
class Waits:
    """What one member waited for."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    """The p99 in seconds, by kind. A kind of which too few were measured is missing."""
    since_start: tuple[str, ...] = ()
    """The kinds that are since the member started."""
    bytes_per_fsync: float | None = None
    """The bytes that a WAL fsync wrote on average, in the time of its p99."""


def waits_between(before: Scrape | None, after: Scrape) -> Waits:
    """Return the p99 of WAL fsyncs, backend commits and round trips to peers.

    They cover the time between the scrapes if enough was measured in it, else the time since the member started.

    Parameters
    ----------
    before, after : Scrape
        Two scrapes of the same process. Without the first, everything is since the start.
    """
    kinds: dict[str, list[tuple[Histogram | None, Histogram | None]]] = {
        "wal_fsync": [(before.wal_fsync if before else None, after.wal_fsync)],
        "backend_commit": [(before.backend_commit if before else None, after.backend_commit)],
        "peer_rtt": [(before.peer_rtt.get(to) if before else None, now) for to, now in after.peer_rtt.items()],
    }
    slowest: dict[str, float] = {}
    since_start = []
    bytes_per_fsync = None
    for kind, pairs in kinds.items():
        measured: list[tuple[float, bool]] = []
        for then, now in pairs:
            if now is None:
                continue
            between = None if then is None else now.since(then)
            is_since_start = between is None or between.count < _ENOUGH_DURATIONS
            durations = now if is_since_start or between is None else between
            seconds = durations.quantile(0.99) if durations.count >= _ENOUGH_DURATIONS else None
            if seconds is None:
                continue
            measured.append((seconds, is_since_start))
            if kind == "wal_fsync":
                written = _written(None if is_since_start else before, after)
                bytes_per_fsync = None if written is None else written / durations.count
        if measured:
            # A write may have to wait for the slowest peer.
            slowest[kind], is_since_start = max(measured)
            if is_since_start:
                since_start.append(kind)
    return Waits(slowest, tuple(since_start), bytes_per_fsync)


def _written(before: Scrape | None, after: Scrape) -> float | None:
    """Return the bytes written to the WAL between two scrapes, or without the first since the start."""
    if after.wal_bytes is None:
        return None
    if before is None:
        return after.wal_bytes
    return None if before.wal_bytes is None else max(after.wal_bytes - before.wal_bytes, 0)
