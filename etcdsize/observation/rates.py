"""Work out what one member did: the rate between two scrapes, or the average since it started from a single one.

In etcd 3.6.0 to 3.6.5, gRPC counts the calls of one client listener only. Where etcd's own counter of requests says so,
its count is used: it has every unary call, those of operators too, and no method. Messages that keep leases alive are
not among them; the leader counts the renewals of leases, through whatever member. Together they are an upper bound;
without the renewals, calls may be missing.

A counter restarts at 0 with its process. Calls between the first scrape and a restart are lost, so the rate is then a
lower bound. It is never negative, and never more than the member served.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from etcdsize.observation.scrape import Scrape
from etcdsize.workload import Certainty

__all__ = [
    "KEEP_ALIVE",
    "START_TOLERANCE_SECONDS",
    "UNARY",
    "Rates",
    "rates_between",
    "rates_since_start",
    "total",
]

UNARY = "unary"
"""The name of the calls that etcd's own counter counts, whatever their methods."""
KEEP_ALIVE = "Lease.LeaseKeepAlive"
"""The name of the messages that keep leases alive."""

START_TOLERANCE_SECONDS = 1.5
"""A smaller shift of a start is not a restart, because the clock may be set while a process runs (our choice)."""


_COUNTED = ("puts", "put_bytes", "deletes", "events", "sent_bytes", "leases_revoked", "leases_expired")
# Each write that changes something is one revision, however many keys it changes.
_STEPPED = ("revision",)


@dataclass(frozen=True)
class Rates:
    """The calls per second of one member, by service and method, and how far they can be trusted."""

    calls_per_second: Mapping[str, float] | None = None
    restarted: bool = False
    uncounted: bool = False
    has_renewals: bool = False
    leader_changes: float | None = None
    failed_proposals: float | None = None
    applied_per_second: float | None = None
    cpu_cores: float | None = None
    per_second: Mapping[str, float] = field(default_factory=dict)
    """What else was counted, by the name of the counter in `Scrape`; what is unknown is missing."""

    @property
    def requests_per_second(self) -> float | None:
        """All of the calls. None: unknown."""
        return None if self.calls_per_second is None else total(self.calls_per_second.values())

    @property
    def requests_bound(self) -> Certainty | None:
        """Whether the calls are exact, a bound, or neither. None: unknown."""
        if self.calls_per_second is None:
            return None
        if self.uncounted:
            return "upper" if self.has_renewals and not self.restarted else "estimate"
        return "lower" if self.restarted else "exact"


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

    def increase(name: str) -> float | None:
        then, now = getattr(before, name), getattr(after, name)
        return None if then is None or now is None else _increase(then, now, reset=reset)

    def rate(more: float | None) -> float | None:
        return None if more is None or seconds is None or seconds <= 0 else more / seconds

    def steps(name: str) -> float | None:
        """Return how far a number rose that a restart does not set to 0."""
        then, now = getattr(before, name), getattr(after, name)
        return None if then is None or now is None or now < then else now - then

    return Rates(
        calls_per_second=calls,
        restarted=start_moved or counter_fell,
        uncounted=not after.counts_every_call,
        # A leader that came while the member was observed counts from then on.
        has_renewals=before.is_leader is True and _counts_renewals(after),
        leader_changes=increase("leader_changes"),
        failed_proposals=increase("failed_proposals"),
        # An index of the Raft log.
        applied_per_second=rate(steps("applied_proposals")),
        cpu_cores=rate(increase("cpu_seconds")),
        per_second={name: more for name in _COUNTED if (more := rate(increase(name))) is not None}
        | {name: more for name in _STEPPED if (more := rate(steps(name))) is not None},
    )


def rates_since_start(scrape: Scrape) -> Rates:
    """Return the average rates of a member since it started; they are unknown without the time of the scrape."""
    started, taken = scrape.started_unix_seconds, scrape.taken_unix_seconds
    counts = _calls(scrape, scrape)
    calls = None
    if counts is not None and started is not None and taken is not None and taken > started:
        calls = {name: count / (taken - started) for name, count in counts.items()}
    return Rates(
        calls_per_second=calls,
        uncounted=not scrape.counts_every_call,
        has_renewals=_counts_renewals(scrape),
        leader_changes=scrape.leader_changes,
        failed_proposals=scrape.failed_proposals,
    )


def _calls(scrape: Scrape, last: Scrape) -> Mapping[str, float] | None:
    """Return the calls of a scrape, by the counter that counts more of them in the last scrape."""
    if last.counts_every_call:
        return scrape.calls
    # Before the first call, the counter has no line.
    renewals = {} if scrape.lease_renewals is None else {KEEP_ALIVE: scrape.lease_renewals}
    return {UNARY: scrape.client_requests or 0, **renewals}


def _counts_renewals(scrape: Scrape) -> bool:
    """Return whether the calls of a scrape have the renewals of leases of the whole cluster, as the leader has them."""
    return scrape.is_leader is True and not scrape.counts_every_call and scrape.lease_renewals is not None


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
