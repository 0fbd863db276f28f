"""The profile of a running cluster: everything that its members report of its load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from etcdsize.observation.model import MemberLoad, Observation
from etcdsize.observation.rates import total
from etcdsize.observation.stored_data import are_alike, key_and_value, stored_data
from etcdsize.resources.amount import Amount
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.object_kind import ObjectKind
from etcdsize.resources.profile import Profile

__all__ = ["largest", "profile_of"]

_SOURCE = "etcd's metrics"
# Reads by method; a transaction may read or write.
_READS = ("KV.Range", "KV.RangeStream")
_TRANSACTION = "KV.Txn"
# How many of the keys are those that are written, where they are of another size, and at most that share of the data
# (our choice: what matters is the size of what is written, and of all that is stored).
_SHARE_WRITTEN = 0.1
# How much more of the file data takes than its own bytes, as far as `Profile` accepts it.
_PAGES = 3.0


def profile_of(observation: Observation, *, by_kind: bool = True) -> Profile:
    """Return the load of a cluster of which something is known, with everything that its members report.

    With `by_kind`, keys that are written are a kind of their own where what is written is of another size.
    """
    workload = observation.workload()
    fields: dict[str, Any] = {name: getattr(workload, name) for name in type(workload).model_fields}
    members = [member for member in observation.members if member.member_id is not None or member.answered]
    # A sum over some of the members is that of a part of the load.
    is_whole = not observation.incomplete
    assumptions: list[Assumption] = []
    if observation.keys:
        stored = _stored(observation)
        if stored is not None and observation.data_bytes is not None:
            fields["keys"] = observation.keys
            assumptions.append(stored)
    fields |= _writes(observation, assumptions) if is_whole else {}
    if by_kind:
        _add_kinds(observation, fields, assumptions)
    fields |= _watches(observation) if is_whole else {}
    _add_leases(members, fields, assumptions)
    if members and all(member.endpoint.startswith("https://") for member in members):
        fields["tls"] = True
    return Profile(**fields, assumptions=assumptions)


def _stored(observation: Observation) -> Assumption | None:
    """Return what keys and values are, by the member that has most of the data."""
    members = [one for one in observation.members if None not in (one.data_bytes, one.keys, one.history_revisions)]
    member = max(members, key=lambda one: one.data_bytes or 0, default=None)
    if member is None:
        return None
    return stored_data(
        observation.keys or 0,
        member.history_revisions or 0,
        member.data_bytes or 0,
        observation.average_put_bytes,
        _written(observation),
    )


def _written(observation: Observation) -> float | None:
    """Return the key and value of an average put of now, by the member that saw most. [bytes] None: unknown."""
    member = max(observation.members, key=lambda one: one.puts_per_second or 0.0)
    puts, size = member.puts_per_second, member.put_bytes_per_second
    return size / puts if puts and size else None


def _add_kinds(observation: Observation, fields: dict[str, Any], assumptions: list[Assumption]) -> None:
    """Split the keys into those that are written and the others, where what is written now is of another size.

    What is written decides the log and the history, and what is stored the file. In Kubernetes most writes are small
    leases beside large objects.
    """
    stored = next((one.value for one in assumptions if one.field == "data_bytes"), None)
    if stored is None or "keys" not in fields:
        return
    writes, puts = fields.get("writes_per_second"), fields.get("puts_per_transaction")
    pair, keys = _written(observation), fields["keys"]
    if writes is None or puts is None or pair is None or are_alike(pair, stored.likely / keys):
        return
    count = min(keys, stored.likely / pair) * _SHARE_WRITTEN
    others = [key_and_value(max(0.0, data - count * pair) / (keys - count))[1] for data in _ends(stored)]
    if stored.high * _PAGES < fields["data_bytes"]:
        # Nearly all of the file is history, and what else is stored matters little.
        return
    key, value = key_and_value(pair)
    rates = Amount.of([end * puts for end in _ends(writes)])
    fields["objects"] = (
        ObjectKind(name="written", count=count, key_bytes=key, value_bytes=value, writes_per_second=rates),
        ObjectKind(name="others", count=keys - count, value_bytes=Amount.of(others), writes_per_second=0),
    )
    del fields["keys"]
    why = "what is written now is of another size than what is stored: a tenth of the keys, or of the data, is written"
    for name, amount in (("written.count", Amount.of(count)), ("others.value_bytes", Amount.of(others))):
        assumptions.append(Assumption(field=f"objects.{name}", value=amount, why=why, source="our choice"))


def _ends(amount: Amount) -> tuple[float, float, float]:
    return amount.low, amount.likely, amount.high


def _writes(observation: Observation, assumptions: list[Assumption]) -> dict[str, Any]:
    """Return the writes, the keys that each changes, the reads, and how long history is kept."""
    revisions, requests = observation.writes_per_second, observation.requests_per_second
    if revisions is None or requests is None:
        return {}
    puts = largest(observation.members, lambda one: one.puts_per_second)
    deletes = largest(observation.members, lambda one: one.deletes_per_second)
    revokes = largest(observation.members, lambda one: one.lease_revokes_per_second)
    # The end of a lease that has keys is a revision and deletions, and no request. Two counters are not read at one
    # moment, so that the writes may seem to be more than all requests.
    ended = min(revokes or 0.0, deletes or 0.0)
    requests = round(requests, 3)
    low, high = (min(max(0.0, revisions - part), requests) for part in (ended, 0.0))
    fields: dict[str, Any] = {"writes_per_second": Amount(low=low, likely=low, high=high)}
    if puts is not None and revisions:
        # A deletion is of one key at least where it changes something, and its number of keys is not counted.
        fields["puts_per_transaction"] = max(0.001, (puts + (deletes or 0.0)) / revisions)
    calls = observation.calls_per_second
    if any(name in calls for name in _READS) and all(one.counts_every_call for one in observation.members):
        reads = total(calls.get(name, 0.0) for name in _READS)
        most = max(0.0, requests - low)
        fields["reads_per_second"] = Amount.of(
            sorted((min(reads, most), min(reads + max(0.0, calls.get(_TRANSACTION, 0.0) - low), most)))
        )
    kept = observation.history_revisions
    if kept and revisions and observation.compacted:
        now = kept / revisions
        assumptions.append(
            Assumption(
                field="history_seconds",
                value=Amount(low=now, likely=1.5 * now, high=2 * now),
                why="the revisions since the last compaction at the observed rate; periodic compaction keeps up to "
                "twice as many just before the next one",
                source="etcd-io/etcd server/etcdserver/api/v3compactor/periodic.go",
            )
        )
        fields["history_seconds"] = assumptions[-1].value
    return fields


def _watches(observation: Observation) -> dict[str, Any]:
    """Return the watches and their streams."""
    watchers, streams = observation.watchers, observation.watch_streams
    if watchers is None or streams is None or (watchers and not streams):
        return {}
    fields: dict[str, Any] = {"watchers": watchers, "watch_streams": streams}
    events = [one.events_per_second for one in observation.members]
    if watchers and None not in events:
        fields["watch_events_per_second"] = total(rate for rate in events if rate is not None)
    return fields


def _add_leases(members: Sequence[MemberLoad], fields: dict[str, Any], assumptions: list[Assumption]) -> None:
    """Add the leases: those from before the members started are not counted."""
    least = largest(members, lambda one: one.leases_since_start)
    if not least:
        return
    fields["leases"] = Amount(low=least, likely=least, high=2 * least)
    assumptions.append(
        Assumption(
            field="leases",
            value=fields["leases"],
            why="granted since the member started, without those that ended: a lower bound, as leases from before are "
            "not counted; there may be up to twice as many",
            source=_SOURCE,
        )
    )
    revokes = largest(members, lambda one: one.lease_revokes_per_second)
    if revokes is not None:
        fields["lease_revokes_per_second"] = revokes


def largest(members: Sequence[MemberLoad], figure: Callable[[MemberLoad], float | None]) -> float | None:
    """Return the largest figure of all members, of what each of them has in full; None if none reports it."""
    return max((value for member in members if (value := figure(member)) is not None), default=None)
