"""What helps more than a larger machine: each change is computed by the model itself, on the load that it leaves."""

import math
from collections.abc import Callable
from typing import NamedTuple

from etcdsize.resources.answer import Advice
from etcdsize.resources.cases import Asked, evaluate_need
from etcdsize.resources.load import Load
from etcdsize.resources.model import Evaluation

__all__ = ["advice_for"]

# A change matters if it saves a third of a figure, and at least so much (our choice).
_SHARE = 1 / 3
_LEAST = {
    "memory.limit_bytes": 128e6,
    "file.high_water_bytes": 256e6,
    "cpu.leader_cores": 0.25,
    "seconds.lease_end": 0.1,
}
# Our choices: what etcd handles without effort, and what Kubernetes' API server does.
_SMALL_VALUE_BYTES = 10_000
_SHORT_HISTORY_SECONDS = 600
_PAGE_KEYS = 500
_KEYS_PER_LEASE = 1_000
_SNAPSHOT_COUNT = 10_000
_EVENTS = "events"


class _Changed(NamedTuple):
    """A load and settings after a change, and the figure that it is for."""

    text: str
    figure: str
    load: Load
    asked: Asked
    beside: float = 0.0
    """What the change takes of the figure beside that load."""


def advice_for(load: Load, asked: Asked) -> tuple[Advice, ...]:
    """Return the changes that matter for a load, those with the largest effect first."""
    before = evaluate_need(load, asked)
    found = []
    for code, change in _CHANGES.items():
        changed = change(load, asked)
        if changed is None:
            continue
        now = _figure(before, changed.figure)
        then = _figure(evaluate_need(changed.load, changed.asked), changed.figure) + changed.beside
        if now - then >= max(_SHARE * now, _LEAST[changed.figure]):
            found.append(Advice(code=code, text=changed.text, figure=changed.figure, before=now, after=then))
    return tuple(sorted(found, key=lambda one: one.after / one.before))


def _figure(evaluation: Evaluation, name: str) -> float:
    group, _, figure = name.partition(".")
    return math.fsum(evaluation.groups[group][figure])


def _split_large_values(load: Load, asked: Asked) -> _Changed | None:
    parts = 1.0
    objects = []
    for kind in load.objects:
        pieces = max(1.0, kind.value_bytes / _SMALL_VALUE_BYTES)
        parts = max(parts, pieces)
        objects.append(
            kind._replace(
                number=kind.number * pieces,
                value_bytes=kind.value_bytes / pieces,
                writes_per_second=kind.writes_per_second * pieces,
            )
        )
    if parts == 1:
        return None
    was = math.fsum(kind.writes_per_second for kind in load.objects)
    now = math.fsum(kind.writes_per_second for kind in objects)
    changed = load._replace(
        objects=tuple(objects),
        writes_per_second=load.writes_per_second * (now / was if was else 1.0),
        largest_value_bytes=min(load.largest_value_bytes, _SMALL_VALUE_BYTES),
    )
    return _Changed(
        "Split large values into keys of at most 10 kB, or keep them outside etcd: the raft log holds thousands of "
        "entries in memory, whatever their size.",
        "memory.limit_bytes",
        changed,
        asked,
    )


def _shorten_history(load: Load, asked: Asked) -> _Changed | None:
    if load.history_seconds <= _SHORT_HISTORY_SECONDS:
        return None
    return _Changed(
        "Keep ten minutes of history: compact every five minutes.",
        "file.high_water_bytes",
        load._replace(history_seconds=float(_SHORT_HISTORY_SECONDS), revisions_per_key=1.0),
        asked,
    )


def _list_in_pages(load: Load, asked: Asked) -> _Changed | None:
    if load.list_keys <= _PAGE_KEYS:
        return None
    return _Changed(
        "List in pages of 500 keys: a member holds every list in memory until its client has read it.",
        "memory.limit_bytes",
        load._replace(list_keys=float(_PAGE_KEYS)),
        asked,
    )


def _stream_lists(load: Load, asked: Asked) -> _Changed | None:
    streamed = asked.table.coefficients.get("list_stream_peak")
    if streamed is None or not load.list_keys:
        return None
    return _Changed(
        "List with RangeStream, as Kubernetes does from 1.37: etcd sends the list in chunks and never holds all of it.",
        "memory.limit_bytes",
        load._replace(list_keys=0.0, concurrent_lists=0.0),
        asked,
        beside=load.concurrent_lists * streamed.high,
    )


def _fewer_keys_per_lease(load: Load, asked: Asked) -> _Changed | None:
    if load.keys_per_lease <= _KEYS_PER_LEASE or not load.leases:
        return None
    more = load.keys_per_lease / _KEYS_PER_LEASE
    changed = load._replace(
        keys_per_lease=float(_KEYS_PER_LEASE),
        leases=load.leases * more,
        lease_revokes_per_second=load.lease_revokes_per_second * more,
    )
    return _Changed(
        "Attach at most 1,000 keys to a lease: when it ends, all are deleted in one transaction, and writes wait.",
        "seconds.lease_end",
        changed,
        asked,
    )


def _move_events(load: Load, asked: Asked) -> _Changed | None:
    rest = tuple(kind for kind in load.objects if kind.name != _EVENTS)
    if not rest or len(rest) == len(load.objects):
        return None
    left = math.fsum(kind.writes_per_second for kind in rest)
    all_writes = math.fsum(kind.writes_per_second for kind in load.objects)
    changed = load._replace(
        objects=rest,
        writes_per_second=load.writes_per_second * (left / all_writes if all_writes else 1.0),
    )
    return _Changed(
        "Keep events in an etcd of their own (--etcd-servers-overrides of the API server).",
        "file.high_water_bytes",
        changed,
        asked,
    )


def _upgrade(load: Load, asked: Asked) -> _Changed | None:
    if not asked.table.spread.likely.raft_kept_per_snapshot_count:
        return None
    return _Changed(
        "Upgrade to etcd 3.6: its raft log keeps some 5,000 entries in memory, whatever the snapshot count is.",
        "memory.limit_bytes",
        load,
        asked._replace(etcd_version="3.6", snapshot_count=None, model=None),
    )


def _lower_snapshot_count(load: Load, asked: Asked) -> _Changed | None:
    values = asked.table.spread.likely
    count = values.default_snapshot_count if asked.snapshot_count is None else asked.snapshot_count
    if not values.raft_kept_per_snapshot_count or count <= _SNAPSHOT_COUNT:
        return None
    return _Changed(
        "Set --snapshot-count=10000: the raft log in memory is trimmed ten times as often as by default.",
        "memory.limit_bytes",
        load,
        asked._replace(snapshot_count=_SNAPSHOT_COUNT),
    )


_CHANGES: dict[str, Callable[[Load, Asked], _Changed | None]] = {
    "split-large-values": _split_large_values,
    "shorter-history": _shorten_history,
    "lists-in-pages": _list_in_pages,
    "lists-as-streams": _stream_lists,
    "fewer-keys-per-lease": _fewer_keys_per_lease,
    "events-apart": _move_events,
    "upgrade-for-raft-log": _upgrade,
    "lower-snapshot-count": _lower_snapshot_count,
}
