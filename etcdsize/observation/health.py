"""Notices about the health of members: what they wait for and why, memory, watchers, keys and proposals.

A slow p99 of the disk is not always that of a slow disk: the time also passes while the process waits for a CPU, and a
large write takes longer than a small one. So the other figures of the member are weighed before a disk is called slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.base.text import in_words
from etcdsize.observation.model import MemberLoad, Observation
from etcdsize.units import format_bytes, format_number

__all__ = ["health_notices", "milliseconds", "wait_notices"]

_OURS = "our choice"
_FAQ = "etcd-io/website content/en/docs/v3.5/faq.md"
_HARDWARE = "etcd-io/website content/en/docs/v3.5/op-guide/hardware.md"
_METRICS = "etcd-io/website content/en/docs/v3.5/metrics/_index.md"
_MIXIN = "etcd-io/etcd contrib/mixin/alerts/alerts.libsonnet"

_SLOW_WAL_FSYNC = NoticeKind("slow-wal-fsync", "warning", _FAQ)
_SLOW_BACKEND_COMMIT = NoticeKind("slow-backend-commit", "warning", _FAQ)
_SLOW_COMMITS_ALONE = NoticeKind("slow-commits-alone", "warning", "etcd-io/etcd#10711")
_LARGE_WRITES = NoticeKind("large-writes", "warning", _OURS)
_CPU_AT_LIMIT = NoticeKind("cpu-at-limit", "warning", _OURS)
_SLOW_NETWORK = NoticeKind("slow-network", "warning", _MIXIN)
_RESIDENT_MEMORY = NoticeKind("resident-memory", "warning", _HARDWARE)
_MANY_KEYS = NoticeKind("many-keys", "warning", _HARDWARE)
_SLOW_WATCHERS = NoticeKind("slow-watchers", "warning", _OURS)
_WATCH_STREAMS_GROW = NoticeKind("watch-streams-grow", "warning", _OURS)
_PENDING_PROPOSALS = NoticeKind("pending-proposals", "warning", _METRICS)
_FAILED_PROPOSALS = NoticeKind("failed-proposals", "warning", _MIXIN)

# What a member waits for, and the p99 at which that is long: the FAQ's limits, and that of the mixin. [s]
_WAITS: dict[str, tuple[str, float]] = {
    "wal_fsync": ("a WAL fsync", 0.010),
    "backend_commit": ("a backend commit", 0.025),
    "peer_rtt": ("the round trip to another member", 0.150),
}
# The least bandwidth of the guide's machines, 25 MB/s, writes this in the 10 ms that the FAQ allows (our choice).
_LARGE_BYTES = 250_000
# The CPU of a process that uses this share of its cores is at its limit (our choice).
_CPU_SHARE = 0.9
# "Typically 8GB is enough", and 16 to 64 GB with millions of keys.
_TYPICAL_BYTES, _MANY = 8 * 10**9, 1_000_000
# A write that waits for a second waits ten times as long as one that etcd logs as slow (our choice).
_PENDING_SECONDS = 1
# Clients open a few streams at any time (our choice).
_MORE_STREAMS = 10


def wait_notices(members: Sequence[MemberLoad]) -> Iterator[Notice]:
    """Return the notices about what members wait for, weighed by what else they report."""
    for member in members:
        yield from _of_disk(member)
    for member in members:
        if _is_long(member, "peer_rtt"):
            yield _SLOW_NETWORK(f"{_expected(member, 'peer_rtt')}: the network is slow.")


def _of_disk(member: MemberLoad) -> Iterator[Notice]:
    slow = [kind for kind in ("wal_fsync", "backend_commit") if _is_long(member, kind)]
    waits = in_words(_wait(member, kind) for kind in slow)
    if _cpu_is_at_limit(member):
        text = (
            f"{member.endpoint}: the process used {_core_count(member.cpu_cores)} of the {_cores(member.usable_cores)} "
            "that it may use: give it more cores, or spread the load."
        )
        if slow:
            text += f" {waits.capitalize()}, which includes waits for the CPU and does not show a slow disk."
        yield _CPU_AT_LIMIT(text)
        return
    if slow and member.bytes_per_fsync is not None and member.bytes_per_fsync >= _LARGE_BYTES:
        yield _LARGE_WRITES(
            f"{member.endpoint}: {waits}, but each fsync writes {_bytes(member.bytes_per_fsync)} on "
            "average. So much takes long on a good disk as well, so the times do not show a slow disk: compare them "
            "with the disk's bandwidth, or store smaller values."
        )
        return
    if "wal_fsync" in slow:
        yield _SLOW_WAL_FSYNC(f"{_expected(member, 'wal_fsync')}: {_cause(member, 'wal_fsync')}.")
    if "backend_commit" not in slow:
        return
    text = _expected(member, "backend_commit")
    if "wal_fsync" in slow:
        yield _SLOW_BACKEND_COMMIT(f"{text}: {_cause(member, 'backend_commit')}.")
    elif member.wal_fsync_p99_seconds is None:
        yield _SLOW_COMMITS_ALONE(
            f"{text}. Whether the disk is slow is unknown: fewer than 100 WAL fsyncs were measured."
        )
    else:
        yield _SLOW_COMMITS_ALONE(
            f"{text}, but {_wait(member, 'wal_fsync')}, so the disk is not slow. A commit takes long if it writes "
            "many or large values, if the process waits for the CPU, or if the WAL has a disk of its own (--wal-dir) "
            "and that of the database is slow."
        )


def _cpu_is_at_limit(member: MemberLoad) -> bool:
    return bool(
        member.cpu_cores is not None and member.usable_cores and member.cpu_cores >= _CPU_SHARE * member.usable_cores
    )


def _cause(member: MemberLoad, kind: str) -> str:
    """Return why a disk's wait is long, as far as the member's figures tell."""
    if kind in member.since_start or member.cpu_cores is None:
        return "the disk was slow, or the CPU was at its limit, which is not known for the time since the start"
    if member.usable_cores is None and member.cpu_cores >= _CPU_SHARE:
        return (
            f"the disk is slow, unless the process may use no more than the {_cores(member.cpu_cores)} that it used, "
            "which etcd reports only since 3.6"
        )
    return "the disk is slow"


def _is_long(member: MemberLoad, kind: str) -> bool:
    seconds = _p99(member, kind)
    return seconds is not None and seconds >= _WAITS[kind][1]


def _expected(member: MemberLoad, kind: str) -> str:
    """Return how long a wait is, and how long it should be."""
    return f"{member.endpoint}: {_wait(member, kind)}, expected below {milliseconds(_WAITS[kind][1])}"


def _wait(member: MemberLoad, kind: str) -> str:
    since = " since it started" if kind in member.since_start else ""
    return f"{_WAITS[kind][0]} takes {milliseconds(_p99(member, kind) or 0)} (p99{since})"


def _p99(member: MemberLoad, kind: str) -> float | None:
    seconds: float | None = getattr(member, f"{kind}_p99_seconds")
    return seconds


def milliseconds(seconds: float) -> str:
    """Return a duration in milliseconds, with three digits.

    >>> milliseconds(0.00198), milliseconds(0.025), milliseconds(8.192)
    ('1.98 ms', '25 ms', '8190 ms')
    """
    return f"{format_number(float(f'{seconds * 1000:.3g}'))} ms"


def _cores(count: float | None) -> str:
    text = _core_count(count)
    return f"{text} core{'' if text == '1' else 's'}"


def _core_count(count: float | None) -> str:
    return format_number(round(count or 0, 1))


def _bytes(size: float) -> str:
    return format_bytes(float(f"{size:.3g}"))


def health_notices(observation: Observation) -> Iterator[Notice]:
    """Return the notices about memory, keys, watchers and proposals of one cluster."""
    for member in observation.members:
        if member.resident_bytes is not None and member.resident_bytes > _TYPICAL_BYTES:
            yield _RESIDENT_MEMORY(
                f"{member.endpoint}: its process uses {_bytes(member.resident_bytes)} of memory, more than the 8 GB "
                "that are typically enough: choose a machine with more memory than that."
            )
    if observation.keys is not None and observation.keys >= _MANY:
        yield _MANY_KEYS(
            f"There are {format_number(observation.keys)} keys, and etcd holds an index of all of them in memory: with "
            "millions of keys, its hardware page asks for 16 to 64 GB."
        )
    if observation.scrapes < 2:
        # A single scrape cannot tell what lasts or grows.
        return
    for member in observation.members:
        if not member.restarted:
            yield from _of_interval(member, observation.interval_seconds)


def _of_interval(member: MemberLoad, seconds: float | None) -> Iterator[Notice]:
    during = "between the two scrapes" if seconds is None else f"within {format_number(round(seconds, 1))} s"
    if member.slow_watchers:
        count = member.slow_watchers
        yield _SLOW_WATCHERS(
            f"{member.endpoint}: {_count(count, 'watcher')} {'lags' if count == 1 else 'lag'} behind in both scrapes: "
            "a client does not read its events fast enough. Events wait in memory, and those that are compacted before "
            "they are read are lost to it."
        )
    before, now = member.watch_streams_before, member.watch_streams
    files_before, files = member.open_files_before, member.open_files
    if before is not None and now is not None and files_before is not None and files is not None:
        more = now - before
        if more >= _MORE_STREAMS and files - files_before < more / 2:
            yield _WATCH_STREAMS_GROW(
                f"{member.endpoint}: watch streams grew from {format_number(before)} to {format_number(now)} {during}, "
                f"while open files and connections went from {format_number(files_before)} to {format_number(files)}: "
                "clients open streams on the connections that they have, and may not close them. This rests on two "
                "scrapes: observe for longer, and see whether the streams go on growing."
            )
    rate = member.applied_per_second
    if member.pending_proposals and rate is not None and member.pending_proposals >= rate * _PENDING_SECONDS:
        wait = "none was applied" if not rate else f"{format_number(float(f'{rate:.3g}'))}/s were applied"
        yield _PENDING_PROPOSALS(
            f"{member.endpoint}: {_count(member.pending_proposals, 'write')} or more waited to be committed in both "
            f"scrapes, and {wait}: the load is too high, or there is no quorum."
        )
    if member.failed_proposals:
        yield _FAILED_PROPOSALS(
            f"{member.endpoint}: {_count(member.failed_proposals, 'write')} failed {during}: they timed out, their "
            "clients gave up, or there was no leader."
        )


def _count(count: float, what: str) -> str:
    return f"{format_number(count)} {what}{'' if count == 1 else 's'}"
