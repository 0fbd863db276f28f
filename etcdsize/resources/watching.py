"""The watches and the leases of a profile's clients, in the four cases."""

from __future__ import annotations

from etcdsize.resources.defaults import MOST_EVENTS
from etcdsize.resources.known import HIGH, LIKELY, LOW, NEED, Cases, Known

__all__ = ["leases_of", "watches_of"]

_DAY = 86_400.0
_EVENTS = (
    "a key that is written is watched by none up to all of the streams, likely by one; a member delivers up to a "
    "million events a second"
)
_WATCH = "etcd-io/etcd client/v3/watch.go, one stream for each kind of context; our choice"


def watches_of(known: Known, clients: Cases, rates: Cases) -> tuple[Cases, Cases, Cases]:
    """Return the watchers, their streams and the events delivered to them; `rates` are the keys written. [1/s]"""
    watchers, streams = known.given("watchers"), known.given("watch_streams")
    if streams is None:
        why = "the watches of a client share one stream, or two"
        if watchers is None:
            streams = known.note(
                "watch_streams", Cases(0.0, clients.likely, 2 * clients.high, clients.need), why, _WATCH
            )
            cases = Cases(0.0, clients.likely, 20 * clients.high, clients.need)
            watchers = known.note("watchers", cases, "a stream carries up to ten watches, likely one")
        else:
            most = [min(watch, times * client) for watch, times, client in zip(watchers, (1, 1, 2, 1), clients)]
            cases = Cases(min(1.0, most[LOW]), most[LIKELY], most[HIGH], most[NEED])
            streams = known.note("watch_streams", cases, why, _WATCH)
    elif watchers is None:
        cases = Cases(streams.low, streams.likely, 10 * streams.high, streams.need)
        watchers = known.note("watchers", cases, "a stream carries up to ten watches, likely one")
    events = known.given("watch_events_per_second")
    if events is None:
        likely, need = (rates[case] * min(1.0, streams[case]) for case in (LIKELY, NEED))
        # Two high ends that are assumed multiply to what no member delivers.
        high = min(rates.high * max(1.0, streams.high), MOST_EVENTS) if streams.high else 0.0
        cases = Cases(0.0, likely, max(high, likely, need), need)
        events = known.note("watch_events_per_second", cases, _EVENTS)
    return watchers, streams, events


def leases_of(known: Known, clients: Cases) -> tuple[Cases, Cases, Cases, Cases]:
    """Return the leases, their time to live, the keys of each, and how many end a second."""
    leases = known.given("leases")
    if leases is None:
        # Without leases the other three say nothing, so that they are no assumptions.
        cases = Cases(0.0, 0.0, clients.high, 0.0)
        leases = known.note("leases", cases, "likely none; at most one for each client")
        ttl, attached = known.fewest_first("lease_ttl_seconds", noted=False), known.unnoted("keys_per_lease")
        return leases, ttl, attached, _revokes(leases, ttl)
    ttl, attached = known.fewest_first("lease_ttl_seconds"), known.given_or_default("keys_per_lease")
    revokes = known.given("lease_revokes_per_second")
    if revokes is None:
        why = "up to all leases end when they expire; those that clients renew likely end once a day"
        revokes = known.note("lease_revokes_per_second", _revokes(leases, ttl), why)
    return leases, ttl, attached, revokes


def _revokes(leases: Cases, ttl: Cases) -> Cases:
    likely, need = (leases[case] / max(_DAY, ttl[case]) for case in (LIKELY, NEED))
    return Cases(0.0, likely, leases.high / ttl[HIGH], need)
