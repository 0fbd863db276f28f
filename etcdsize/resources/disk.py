"""The disk of one member: what is written to it, how often etcd waits for it, how fast it has to be, and its size."""

from __future__ import annotations

import math
from typing import NamedTuple

from etcdsize.etcd.fsync import WAL_FSYNC_P99_MS
from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import LoadSums
from etcdsize.resources.terms import Figures, TermKind

__all__ = [
    *("DISK_TERMS", "FREE_SHARE", "FURTHER_PUT_BYTES", "LEASE_RECORD_BYTES", "LEAVES_A_BRANCH"),
    *("SEGMENTS", "SEGMENT_BYTES", "WAL_FSYNC_P99_SECONDS"),
    *("DiskSpeed", "disk_figures", "wal_bytes_kept", "writes_possible"),
]

WAL_FSYNC_P99_SECONDS = WAL_FSYNC_P99_MS / 1000
"""What etcd recommends for any load. [s]"""

_PAGE = 4096
# A branch page of bbolt's tree holds about as many elements: 0.9 pages of 33 bytes each.
LEAVES_A_BRANCH = 111
_COMMITS_PER_SECOND = 10
# etcd-io/etcd server/storage/wal/wal.go, SegmentSizeBytes, and --max-wals; one more is allocated ahead.
SEGMENT_BYTES = 64_000_000
SEGMENTS = 5
# The share of a file system to leave free (our choice).
FREE_SHARE = 0.1
FURTHER_PUT_BYTES = 12
# A grant or a revoke of a lease in the log, with its record (server/lease/leasepb; our reading).
LEASE_RECORD_BYTES = 96

_WAL = (
    TermKind("keys and values", ("wal_margin",), "each write is appended once"),
    TermKind("records", ("wal_record_overhead",)),
    TermKind("syncs", ("wal_sync_record",)),
    TermKind("leases", (), "a record for each lease that ends, and for the one that replaces it"),
)
_BACKEND = (
    TermKind("revisions", (), "the table of bytes a revision"),
    TermKind("commits", ("commit_bytes_fixed",), "and a page for each level of the tree"),
    TermKind("rewritten leaves", (), "the last page is written again by each commit"),
)
_FSYNCS = (
    TermKind(
        "WAL", ("wal_syncs_per_write_alone", "wal_loop_seconds"), "writes that come during an fsync share the next"
    ),
    TermKind("commits", ("commit_fsyncs",)),
    TermKind("leases that end", ("commit_fsyncs", "commits_per_revoke")),
)
DISK_TERMS: dict[str, tuple[TermKind, ...]] = {
    "wal_bytes_per_second": _WAL,
    "backend_bytes_per_second": _BACKEND,
    "fsyncs_per_second": _FSYNCS,
    "fsync_p99_seconds": (
        TermKind(
            "fsync",
            ("write_wait_fsyncs",),
            "the clients that write at once, over the fsyncs that each waits for and over the writes a second; no "
            "longer than the commits of leases that end allow, and at most the 10 ms of etcd's FAQ",
        ),
    ),
    "sequential_iops": (
        TermKind("WAL", ("write_wait_fsyncs",), "one fsync after the other, as fast as the rate of writes needs"),
        TermKind("commits", ("commit_fsyncs",)),
    ),
    "volume_bytes": (
        TermKind("file", (), "at the quota: it can grow as far"),
        TermKind("snapshot", (), "a member that fell behind receives the whole file beside its own"),
        TermKind("defragmentation", (), "the new file beside the old one"),
        TermKind("WAL", (), "five segments of 64 MB, one allocated ahead, or what the raft log needs"),
        TermKind("free", (), f"{FREE_SHARE:.0%} of the file system, our choice"),
    ),
}


class DiskSpeed(NamedTuple):
    """A disk: how much it moves, and how long it takes to complete a write."""

    mb_per_second: float
    fsync_seconds: float


def disk_figures(
    load: Load,
    sums: LoadSums,
    values: Coefficients,
    quota_bytes: float,
    wal_bytes: float,
    loop_seconds: float,
    together: tuple[float, float],
) -> Figures:
    """Return the figures of the disk; `together` is the range in which the writes lie that are under way at once."""
    writes, ended = load.writes_per_second, load.lease_revokes_per_second
    puts = max(1.0, load.puts_per_transaction)
    # A pass of the raft loop writes all that came since the last one, and ends with an fsync.
    entries = (writes + ended) * values.wal_syncs_per_write_alone
    syncs = entries / (1 + entries * loop_seconds)
    commits = min(writes, _COMMITS_PER_SECOND)
    lease_commits = ended * values.commits_per_revoke
    levels = math.log(max(1.0, sums.fresh_bytes / _PAGE)) / math.log(LEAVES_A_BRANCH)
    commit_bytes = values.commit_bytes_fixed + _PAGE * levels
    commit_fsyncs, lease_fsyncs = values.commit_fsyncs * commits, values.commit_fsyncs * lease_commits
    needed = fsync_needed(load, values, together, commit_fsyncs + lease_fsyncs)
    logged = (
        sums.written_bytes_per_second,
        writes * (values.wal_record_overhead + (puts - 1) * FURTHER_PUT_BYTES),
        syncs * values.wal_sync_record,
        2 * ended * LEASE_RECORD_BYTES,
    )
    volume = (quota_bytes, quota_bytes, quota_bytes, wal_bytes)
    return {
        "wal_bytes_per_second": tuple([part * values.wal_margin for part in logged]),
        "backend_bytes_per_second": (
            sums.file_bytes_per_second,
            (commits + lease_commits) * commit_bytes,
            commits * _PAGE,
        ),
        "fsyncs_per_second": (syncs, commit_fsyncs, lease_fsyncs),
        "fsync_p99_seconds": (needed,),
        "sequential_iops": (min(writes, 1 / needed), commit_fsyncs + values.commit_fsyncs * lease_commits),
        "volume_bytes": (*volume, math.fsum(volume) * FREE_SHARE / (1 - FREE_SHARE)),
    }


def fsync_needed(load: Load, values: Coefficients, together: tuple[float, float], in_commits: float) -> float:
    """Return how long a write may take for the rate of writes to be reached. [s]

    A client that waits for its answers has one write under way. Alone, it completes one write an fsync. With others, it
    waits for the fsync that is under way and for the one that writes its own, and both write many at once:
    writes a second = clients / (fsyncs that a write waits for * seconds of an fsync).

    The fsyncs of commits come one after the other, `in_commits` a second: each lease that ends has its own.
    """
    needed = WAL_FSYNC_P99_SECONDS
    if load.writes_per_second:
        fewest, most = together
        at_once = min(max(load.clients / values.write_wait_fsyncs, fewest), most)
        needed = min(needed, at_once / load.writes_per_second)
    return min(needed, 1 / in_commits) if in_commits else needed


def writes_possible(load: Load, values: Coefficients, fsync_seconds: float) -> float:
    """Return how many writes a second the clients complete if nothing but the disk slows them; see `fsync_needed`."""
    return max(1.0, load.clients / values.write_wait_fsyncs) / fsync_seconds


def wal_bytes_kept(sums: LoadSums, values: Coefficients, snapshot_count: float) -> float:
    """Return how long the WAL gets on the disk. [bytes]"""
    since_snapshot = snapshot_count * (sums.entry_bytes + values.wal_record_overhead)
    return SEGMENT_BYTES * (1 + max(SEGMENTS, 1 + math.ceil(since_snapshot / SEGMENT_BYTES)))
