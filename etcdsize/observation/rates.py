"""From two scrapes of one member to what it did between them; from one, to what it did on average since it started.

A counter starts again at 0 with its process. What was counted before a restart that nobody saw is lost, so the rest is
a lower bound; it is never negative, and never more than what was done. This module imports `scrapes` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etcdsize.observation.scrape import Histogram, Scrape

__all__ = ["Rates", "Waits", "rates_between", "rates_since_start", "waits_of"]

# The clock of the machine may be set while a process runs, and its start is told by that clock: less of a move is no
# restart (our choice).
_MOVED_SECONDS = 1.5
# Of fewer durations a hundredth is less than one (our choice).
_ENOUGH = 100


@dataclass(frozen=True)
class Rates:
    """What one member did a second, by service and method, and how far that can be trusted."""

    calls_per_second: Mapping[str, float] | None
    restarted: bool = False
    leader_changes: float | None = None


@dataclass(frozen=True)
class Waits:
    """The p99 of what a member waited for, in seconds, and which of them are since its start."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    lifetime: tuple[str, ...] = ()


def rates_between(before: Scrape, after: Scrape, seconds: float) -> Rates:
    """Return what a member did a second between two scrapes.

    Parameters
    ----------
    before, after : Scrape
        Of the same member.
    seconds : float
        The time between them. [s]
    """
    moved = _moved(before, after)
    fell = _fell(before, after)
    then = before.calls or {}
    calls: dict[str, float] | None = None
    if after.calls is not None and before.calls is not None and seconds > 0:
        # Both signs together are a restart, and then all that is counted came after the first scrape. One alone may be
        # a clock that was set, or a start that is not told: then what is above the first count did come after it.
        anew = moved and fell
        calls = {name: _increase(then.get(name, 0), count, anew=anew) / seconds for name, count in after.calls.items()}
    return Rates(calls, moved or fell, _changes(before, after, anew=moved and fell))


def rates_since_start(scrape: Scrape) -> Rates:
    """Return what a member did a second on average since it started; unknown without the time of the scrape."""
    started, taken = scrape.started_unix_seconds, scrape.taken_unix_seconds
    if scrape.calls is None or started is None or taken is None or not taken > started:
        return Rates(None, False, scrape.leader_changes)
    calls = {name: count / (taken - started) for name, count in scrape.calls.items()}
    return Rates(calls, False, scrape.leader_changes)


def _moved(before: Scrape, after: Scrape) -> bool:
    """Return whether the process says that it started at another time."""
    one, other = before.started_unix_seconds, after.started_unix_seconds
    return one is not None and other is not None and abs(other - one) > _MOVED_SECONDS


def _fell(before: Scrape, after: Scrape) -> bool:
    """Return whether something that only rises fell."""
    pairs = [(before.cpu_seconds, after.cpu_seconds), (before.leader_changes, after.leader_changes)]
    if before.calls is not None and after.calls is not None:
        pairs += [(count, after.calls.get(name, 0)) for name, count in before.calls.items()]
    return any(one is not None and other is not None and other < one for one, other in pairs)


def _increase(before: float, after: float, *, anew: bool) -> float:
    return after if anew or after < before else after - before


def _changes(before: Scrape, after: Scrape, *, anew: bool) -> float | None:
    if before.leader_changes is None or after.leader_changes is None:
        return None
    return _increase(before.leader_changes, after.leader_changes, anew=anew)


def waits_of(before: Scrape | None, after: Scrape) -> Waits:
    """Return the p99 of log, database and network: of the interval where enough was measured, else since the start."""
    kinds: dict[str, list[tuple[Histogram | None, Histogram | None]]] = {
        "wal_fsync": [(before.wal_fsync if before else None, after.wal_fsync)],
        "backend_commit": [(before.backend_commit if before else None, after.backend_commit)],
        "peer_rtt": [(before.peer_rtt.get(to) if before else None, now) for to, now in after.peer_rtt.items()],
    }
    found: dict[str, float] = {}
    lifetime = []
    for kind, pairs in kinds.items():
        told: list[tuple[float, bool]] = []
        for then, now in pairs:
            between = now.since(then) if now is not None and then is not None else None
            recent = between is not None and between.count >= _ENOUGH
            seconds = (between if recent and between else now).quantile(0.99) if now else None
            if seconds is not None:
                told.append((seconds, not recent))
        if told:
            # The slowest way to another member is what a write may have to wait for.
            found[kind], old = max(told)
            if old:
                lifetime.append(kind)
    return Waits(found, tuple(lifetime))
