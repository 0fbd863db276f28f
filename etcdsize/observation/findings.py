"""Where a running cluster parts from the measured model and what that costs, each finding with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.observation.model import MemberLoad, Observation
from etcdsize.observation.profile import largest
from etcdsize.resources.resources_text import digits_text, quantity_text
from etcdsize.units import format_bytes, format_number, format_percent

__all__ = ["finding_notices", "first_full", "full_text", "hours_text"]

_OURS = "our choice"
_MIXIN = "etcd-io/etcd contrib/mixin/alerts/alerts.libsonnet"
_MODEL = "the measured model"
_MAINTENANCE = "etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md"

_QUOTA_NEARLY_FULL = NoticeKind("quota-nearly-full", "warning", _MIXIN)
_QUOTA_FILLS = NoticeKind("quota-fills", "warning", _OURS)
_DEFRAGMENT = NoticeKind("defragment", "warning", _MIXIN)
_STREAMS_LEAK = NoticeKind("watch-streams-leak", "warning", "etcd-io/etcd#13122; our choice of the limit")
_MEMORY_ABOVE_MODEL = NoticeKind("memory-above-model", "warning", _MODEL)
_FILE_ABOVE_MODEL = NoticeKind("file-above-model", "warning", _MODEL)
_NEVER_COMPACTED = NoticeKind("never-compacted", "warning", _MAINTENANCE)
_LEASES_EXPIRE = NoticeKind("leases-expire", "warning", "etcd-io/etcd#9360; our choice of the limit")
_LEASES_WITH_MANY_KEYS = NoticeKind("leases-with-many-keys", "warning", "kubernetes/kubernetes#96836")

_MIB = 1024**2
# The mixin warns at 95 % of the quota, which leaves little time to act (our choice).
_QUOTA_SHARE = 0.8
# A long weekend (our choice). [h]
_SOON_HOURS = 72
# A smaller file is not worth the time without writes: the mixin's limit. [bytes]
_LARGE_FILE = 100 * _MIB
# Clients of etcd share one stream among the watches of a kind; more on each connection are forgotten (our choice).
_STREAMS_EACH, _MANY_STREAMS = 10, 100
# Fewer revisions matter little (our choice).
_MANY_REVISIONS = 10_000
# kubernetes/kubernetes#98257: lease_manager.go, the most that Kubernetes attaches to one.
_MANY_KEYS_OF_A_LEASE = 1_000
# The end of a lease is a commit of its own, which waits for the disk twice; half of what the disk can do (our choice).
_FSYNCS_A_LEASE, _SHARE_OF_DISK = 2, 0.5


def finding_notices(observation: Observation) -> Iterator[Notice]:
    """Return what was found about the quota, the file, the memory, the history, streams and leases of one cluster."""
    members = observation.members
    yield from _of_quota(members)
    yield from _of_fragmentation(members)
    for member in members:
        yield from _of_streams(member, observation)
        yield from _of_memory(member)
        yield from _of_file(member)
        yield from _of_leases(member)
    yield from _of_ends(observation)
    yield from _of_history(observation)


def hours_text(hours: float) -> str:
    """Return a time in minutes, hours or days.

    >>> hours_text(0.04), hours_text(1), hours_text(5000)
    ('2.4 minutes', '1 hour', '210 days')
    """
    number, unit = (hours * 60, "minute") if hours < 1 else (hours, "hour") if hours < 100 else (hours / 24, "day")
    text = format_number(float(f"{number:.2g}"))
    return f"{text} {unit}{'' if text == '1' else 's'}"


def full_text(member: MemberLoad) -> str:
    """Return when the quota of a member is full, to go on with a sentence; empty if it is unknown, or never."""
    hours = member.quota_hours_left
    if hours is None:
        return ""
    if not hours:
        return " already"
    rate = f"at the observed {quantity_text('_bytes_per_second', member.fill_bytes_per_second or 0)}"
    if member.quota_hours_bound == "estimate":
        return f" in about {hours_text(hours)} {rate}"
    return f" not before {hours_text(hours)} {rate}, and later if compaction frees some of what is written"


def _of_quota(members: Sequence[MemberLoad]) -> Iterator[Notice]:
    shares = [(m.total_bytes / m.quota_bytes, m) for m in members if m.total_bytes is not None and m.quota_bytes]
    share, member = max(shares, key=lambda pair: pair[0], default=(0.0, None))
    if member is not None and share > _QUOTA_SHARE:
        when = full_text(member)
        yield _QUOTA_NEARLY_FULL(
            f"{member.endpoint}: the database file fills {format_percent(share)} of the quota of "
            f"{format_bytes(member.quota_bytes or 0)}; when the quota is full, etcd accepts no more writes."
            f"{f' That is{when}.' if when and member.quota_hours_left else ''}"
        )
        return
    first = first_full([one for one in members if one.quota_hours_bound == "estimate"])
    if first is not None and (first.quota_hours_left or 0) < _SOON_HOURS:
        yield _QUOTA_FILLS(
            f"{first.endpoint}: the quota of {format_bytes(first.quota_bytes or 0)} is full{full_text(first)}: the "
            "writes make new keys, which compaction does not free. Delete keys, let them expire, or raise the quota."
        )


def first_full(members: Sequence[MemberLoad]) -> MemberLoad | None:
    """Return the member whose quota is full first; None if that of none is, or if it is unknown."""
    filling = [member for member in members if member.quota_hours_left is not None]
    return min(filling, key=lambda member: member.quota_hours_left or 0, default=None)


def _of_fragmentation(members: Sequence[MemberLoad]) -> Iterator[Notice]:
    for member in members:
        total, used = member.total_bytes, member.data_bytes
        if total is None or used is None or total <= _LARGE_FILE:
            continue
        modelled = None if member.modelled is None else member.modelled.total_bytes
        is_above = modelled is not None and modelled.verdict == "above" and total - used > _LARGE_FILE
        if used < total / 2 or is_above:
            share = "less than half" if used < total / 2 else format_percent(used / total)
            yield _DEFRAGMENT(
                f"{member.endpoint}: {share} of the database file is in use: etcdctl defrag frees about "
                f"{_bytes(total - used)}, and stops reads and writes on the member for "
                f"{_seconds_text(member)}. Defragment one member at a time, the leader last."
            )


def _seconds_text(member: MemberLoad) -> str:
    """Return how long a defragmentation takes, as a likely value and a range over usual disks."""
    seconds = None if member.modelled is None else member.modelled.defragment_seconds
    if seconds is None:
        return "a time that depends on the disk"
    low, likely, high = (quantity_text("_seconds", end) for end in (seconds.low, seconds.likely, seconds.high))
    return f"about {likely} ({low} to {high}, by the disk)"


def _of_streams(member: MemberLoad, observation: Observation) -> Iterator[Notice]:
    streams, files = member.watch_streams, member.open_files
    clients = observation.clients.count if observation.clients.bound in ("exact", "upper") else None
    bounds = [count for count in (files, clients) if count is not None]
    if streams is None or not bounds or streams < _MANY_STREAMS or streams < _STREAMS_EACH * max(min(bounds), 1):
        return
    number = format_number(min(bounds))
    there = f"there are {number} open files and connections"
    if clients is not None and clients == min(bounds):
        there = f"there is {number} client" if clients == 1 else f"there are {number} clients"
    memory = None if member.modelled is None else member.modelled.watch_streams_bytes
    takes = ""
    if memory is not None:
        takes = (
            f" The streams take {_bytes(memory.low)} of memory, or {_bytes(memory.high)} with TLS, and up to as much "
            "again as garbage."
        )
    yield _STREAMS_LEAK(
        f"{member.endpoint}: {format_number(streams)} watch streams are open, and {there}.{takes} A client that starts "
        "watches and does not cancel them leaks streams. Cancel the context of a watch that is no longer needed, or "
        "restart the client."
    )


def _of_memory(member: MemberLoad) -> Iterator[Notice]:
    modelled = member.modelled
    if modelled is None:
        return
    heap, resident = modelled.heap_bytes, modelled.resident_bytes
    sent = ""
    if member.sent_bytes_per_second:
        sent = f" It sent {quantity_text('_bytes_per_second', member.sent_bytes_per_second)} to clients."
    if heap is not None and heap.verdict == "above":
        yield _MEMORY_ABOVE_MODEL(
            f"{member.endpoint}: the heap has {_bytes(heap.measured)}, and keys, log, connections, "
            f"watches and garbage take at most {_bytes(heap.high)} by the model: lists take the rest, or "
            f"large values.{sent} Ask for pages (--limit), and for fewer keys at a time."
        )
    elif resident is not None and resident.verdict == "above":
        yield _MEMORY_ABOVE_MODEL(
            f"{member.endpoint}: the process has {_bytes(resident.measured)} of memory, and this load "
            f"takes at most {_bytes(resident.high)} by the model; the heap does not hold it now. Lists "
            f"that were sent a short time ago may have taken it, as Go returns memory slowly.{sent}"
        )


def _of_file(member: MemberLoad) -> Iterator[Notice]:
    used = None if member.modelled is None else member.modelled.data_bytes
    if used is not None and used.verdict == "above":
        yield _FILE_ABOVE_MODEL(
            f"{member.endpoint}: {_bytes(used.measured)} of the file are in use, and its keys and their "
            f"history take at most {_bytes(used.high)} by the model: values that were written before "
            "the member started may be larger, or keys of leases were deleted and are not compacted yet."
        )


def _of_leases(member: MemberLoad) -> Iterator[Notice]:
    rate, fsync = member.lease_expirations_per_second, member.wal_fsync_p99_seconds
    if not rate or not fsync:
        return
    most = 1 / (_FSYNCS_A_LEASE * fsync)
    if rate > _SHARE_OF_DISK * most:
        yield _LEASES_EXPIRE(
            f"{member.endpoint}: {digits_text(rate)} leases expire a second, each with a commit of its own, and the "
            f"disk completes about {digits_text(most)}/s: writes wait meanwhile. Share a lease among keys, renew "
            "leases, or give them a longer time to live."
        )


def _of_ends(observation: Observation) -> Iterator[Notice]:
    """Return the notice about leases with many keys, which are deleted in one transaction."""
    members, calls = observation.members, observation.calls_per_second
    deletes = largest(members, lambda one: one.deletes_per_second)
    revokes = largest(members, lambda one: one.lease_revokes_per_second)
    if observation.incomplete or deletes is None or not revokes:
        return
    # What clients deleted did not end with a lease.
    ended = deletes - sum(calls.get(name, 0.0) for name in ("KV.DeleteRange", "KV.Txn"))
    if ended >= _MANY_KEYS_OF_A_LEASE * revokes:
        yield _LEASES_WITH_MANY_KEYS(
            f"About {digits_text(ended / revokes)} keys were deleted with each lease that ended: that is one "
            "transaction, and all other writes wait for it. Attach fewer keys to a lease; Kubernetes attaches at most "
            "1,000."
        )


def _of_history(observation: Observation) -> Iterator[Notice]:
    revisions, keys = observation.history_revisions, observation.keys
    if revisions is None or observation.compacted is not False or revisions < _MANY_REVISIONS:
        return
    if keys is not None and revisions < 2 * keys:
        return
    of = "" if keys is None else f" of {format_number(keys)} keys"
    yield _NEVER_COMPACTED(
        f"The history was never compacted: the file holds {format_number(revisions)} revisions{of}, and grows with "
        "every write until the quota is full. Set --auto-compaction-mode and --auto-compaction-retention, or compact "
        "from outside."
    )


def _bytes(size: float) -> str:
    return quantity_text("_bytes", size)
