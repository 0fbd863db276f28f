"""The needs of a fleet's rows: the arithmetic of `resources`' formulas for quota, memory, volume and fsync, in arrays.

The coefficients, the table and the constants are those of the single answer, and a test holds both to each other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES, SUGGESTED_QUOTA_BYTES
from etcdsize.fleet.load_arrays import LoadArrays
from etcdsize.fleet.revision_arrays import Floats, where
from etcdsize.fleet.sum_arrays import Sums, sums_of
from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.disk import (
    FREE_SHARE,
    FURTHER_PUT_BYTES,
    LEASE_RECORD_BYTES,
    LEAVES_A_BRANCH,
    SEGMENT_BYTES,
    SEGMENTS,
    WAL_FSYNC_P99_SECONDS,
)
from etcdsize.resources.file_size import APPLIED_BYTES, LEAST_HEADROOM, QUOTA_HEADROOM
from etcdsize.resources.load_sums import COMMITS_PER_SECOND, ON_A_LEAF, PAGE_BYTES, REPLACED_PAGES
from etcdsize.resources.model import Case

__all__ = ["GIB", "DiskFigures", "MemberFigures", "Memory", "disk_figures", "member_figures"]

GIB = 2.0**30


class MemberFigures(NamedTuple):
    """What the loads take of every member, in one case."""

    quota_bytes: Floats
    """The quota, in whole GiB. [bytes]"""
    memory_limit_bytes: Floats
    volume_bytes: Floats
    fsync_p99_seconds: Floats
    wanted_bytes: Floats
    """The quota before it is rounded up. [bytes]"""
    file_bytes: Floats
    """The largest size of the file."""
    memory: Memory
    """What the memory is made of, but for the file."""
    wal_bytes: Floats
    """The write-ahead log on the disk."""
    sums: Sums
    """What the other figures follow from."""


class Memory(NamedTuple):
    """Parts of the memory that cannot be reclaimed. [bytes]"""

    total: Floats
    raft: Floats
    streams: Floats
    lists: Floats


class DiskFigures(NamedTuple):
    """What the loads ask of a disk, in one case."""

    sequential_iops: Floats
    """Writes that it completes one after the other. [1/s]"""
    lease_iops: Floats
    """Those of them that the ends of leases cause. [1/s]"""
    lease_end_seconds: Floats
    """How long the end of one lease takes. [s]"""
    written_bytes: Floats
    """What the log and the file are written. [bytes/s]"""


def member_figures(load: LoadArrays, case: Case) -> MemberFigures:
    """Return what the loads of a block take in one case."""
    values = case.values
    sums = sums_of(load, case.number, values.defragment_keys)
    length = _file_length(load, sums, case)
    wanted = np.maximum(_wanted_quota(length), sums.data_bytes)
    quota = np.maximum(float(DEFAULT_QUOTA_BYTES), np.ceil(wanted / GIB) * GIB)
    entries: Floats = case.entries
    if not np.min(load.writes_per_second) > 0:
        entries = where(load.writes_per_second == 0, np.minimum(case.entries, sums.keys), case.entries)
    memory = _unreclaimable(load, sums, values, entries, case.watcher)
    since_snapshot = case.snapshot_count * (sums.entry_bytes + values.wal_record_overhead)
    segments = 1 + np.maximum(SEGMENTS, 1 + np.ceil(since_snapshot / SEGMENT_BYTES))
    wal = SEGMENT_BYTES * segments
    volume = 3 * quota + wal
    return MemberFigures(
        quota,
        memory.total + (length + values.binary_bytes),
        volume + volume * FREE_SHARE / (1 - FREE_SHARE),
        _fsync_needed(load, case),
        wanted,
        length,
        memory,
        wal,
        sums,
    )


def disk_figures(load: LoadArrays, sums: Sums, case: Case) -> DiskFigures:
    """Return what the loads of a block ask of a disk; see `resources.disk` and `resources.seconds`."""
    values = case.values
    commits, of_leases = _commit_fsyncs(load, values)
    end = (values.cpu_revoke + load.keys_per_lease * values.cpu_delete_key) * 1e-6
    return DiskFigures(
        np.minimum(load.writes_per_second, 1 / _fsync_needed(load, case)) + (commits + of_leases),
        of_leases,
        where(load.leases > 0, end + values.commit_fsyncs * case.disk.fsync_seconds, 0.0),
        _written_bytes(load, sums, case),
    )


def _written_bytes(load: LoadArrays, sums: Sums, case: Case) -> Floats:
    """Return what the log and the file are written; see `resources.disk.disk_figures`. [bytes/s]"""
    values, writes, ended = case.values, load.writes_per_second, load.lease_revokes_per_second
    entries = (writes + ended) * values.wal_syncs_per_write_alone
    syncs = entries / (1 + entries * case.loop_seconds)
    puts = np.maximum(1.0, load.puts_per_transaction)
    records = writes * (values.wal_record_overhead + (puts - 1) * FURTHER_PUT_BYTES)
    logged = sums.written_bytes_per_second + records + syncs * values.wal_sync_record + 2 * ended * LEASE_RECORD_BYTES
    levels = np.log(np.maximum(1.0, sums.fresh_bytes / PAGE_BYTES)) / math.log(LEAVES_A_BRANCH)
    commits = np.minimum(writes, float(COMMITS_PER_SECOND))
    pages = (commits + ended * values.commits_per_revoke) * (values.commit_bytes_fixed + PAGE_BYTES * levels)
    return logged * values.wal_margin + sums.file_bytes_per_second + pages + commits * PAGE_BYTES


def _commit_fsyncs(load: LoadArrays, values: Coefficients) -> tuple[Floats, Floats]:
    """Return the fsyncs of the commits of writes and of leases that end. [1/s]"""
    commits = values.commit_fsyncs * np.minimum(load.writes_per_second, float(COMMITS_PER_SECOND))
    return commits, values.commit_fsyncs * (load.lease_revokes_per_second * values.commits_per_revoke)


def _fsync_needed(load: LoadArrays, case: Case) -> Floats:
    """Return how long a write may take; see `resources.disk.fsync_needed`. [s]"""
    commits, of_leases = _commit_fsyncs(load, case.values)
    fewest, most = case.together
    at_once = np.minimum(np.maximum(load.clients / case.values.write_wait_fsyncs, fewest), most)
    # Without any write or any commit this is infinity: at least one write is under way at once.
    needed = np.minimum(WAL_FSYNC_P99_SECONDS, at_once / load.writes_per_second)
    return np.minimum(needed, 1 / (commits + of_leases))


def _wanted_quota(file_bytes: Floats) -> Floats:
    roomy = np.minimum(file_bytes * (1 + QUOTA_HEADROOM), float(SUGGESTED_QUOTA_BYTES))
    return np.maximum(file_bytes * (1 + LEAST_HEADROOM), roomy)


def _file_length(load: LoadArrays, sums: Sums, case: Case) -> Floats:
    """Return the largest size of the file; see `resources.file_size.file_figures`. [bytes]"""
    values = case.values
    history = sums.history_bytes * values.file_margin
    kept = (
        np.maximum(sums.kept_bytes, sums.fresh_bytes) * values.file_margin
        + values.lease_file * load.leases
        + values.file_fixed
    )
    rewritten = values.file_rewritten * sums.rewritten_bytes
    waiting = _waiting_bytes(load, sums, values)
    seconds = sums.fresh_bytes / 1e6 * (1 / case.disk.mb_per_second + values.snapshot_per_mb)
    reads = sums.file_bytes_per_second * seconds
    return kept + history + rewritten + values.file_runs * sums.run_bytes + waiting + reads


def _waiting_bytes(load: LoadArrays, sums: Sums, values: Coefficients) -> Floats:
    """Return the pages that commits have replaced and cannot use again yet; see `resources.file_size`. [bytes]"""
    puts = np.maximum(1.0, load.puts_per_transaction)
    commits = values.file_waiting * np.minimum(1.0, puts / load.puts_per_commit)
    leaf = np.maximum(0.0, ON_A_LEAF * sums.largest_pair_bytes - PAGE_BYTES)
    short: Floats = float(REPLACED_PAGES * PAGE_BYTES)
    if not np.min(sums.keys) > 0:
        short = where(sums.keys > 0, short, 0.0)
    return commits * short + np.minimum(commits * leaf, np.maximum(float(APPLIED_BYTES), leaf))


def _unreclaimable(load: LoadArrays, sums: Sums, values: Coefficients, entries: Floats, watcher: float) -> Memory:
    """Return the memory that cannot be reclaimed; see `resources.memory.memory_figures`. [bytes]"""
    tls = load.tls
    connection = values.connection_heap + tls * (values.connection_tls_heap - values.connection_heap)
    stream = values.stream_heap + tls * (values.stream_tls_heap - values.stream_heap)
    connection_stack = values.connection_stack + tls * (values.connection_tls_stack - values.connection_stack)
    stream_stack = values.stream_stack + tls * (values.stream_tls_stack - values.stream_stack)
    raft = entries * (sums.entry_bytes + values.raft_entry)
    live = (
        values.heap_base
        + (sums.keys * values.index_per_key + sums.index_key_bytes)
        + sums.replaced_revisions * values.revision_array
        + raft
        + load.watchers * watcher
        + (sums.batch_bytes + sums.batch_puts * values.batch_overhead_per_put)
    )
    if np.any(load.leases):
        live = live + _leases(load, sums, values)
    if np.any(sums.deleted_keys):
        live = live + (sums.deleted_keys * (values.index_per_key + values.tombstone) + sums.deleted_key_bytes)
    grown = values.heap_margin * values.garbage_factor
    streams = load.watch_streams * (stream * grown + stream_stack)
    lists = (load.concurrent_lists * values.list_peak_factor) * (
        sums.list_allocated_bytes + values.list_copies * sums.list_bytes + sums.list_keys * values.list_per_key
    )
    others = values.stack_base + values.anon_base + load.clients * (connection * grown + connection_stack)
    steady = live * grown + (others + streams + lists)
    compaction: Floats = values.compaction_map * sums.keys
    if not np.min(sums.replaced_revisions) > 0:
        compaction = where(sums.replaced_revisions + sums.deleted_keys > 0, compaction, 0.0)
    busy = np.maximum(values.defragment_factor * sums.defragment_bytes, compaction)
    return Memory(steady + np.maximum(0.0, busy - lists), raft * grown, streams, lists)


def _leases(load: LoadArrays, sums: Sums, values: Coefficients) -> Floats:
    leases = load.leases
    keys = where(leases > 0, np.minimum(load.keys_per_lease, sums.keys / leases), 0.0)
    further = (10 * values.lease_key_many - values.lease_key_one) / 9
    each = further * keys + (values.lease_key_one - further) * np.minimum(keys, 1.0)
    return leases * values.lease + leases * each
