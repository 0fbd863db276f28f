"""The needs of a fleet's rows: the arithmetic of `resources`' formulas for quota, memory, volume and fsync, in arrays.

The coefficients, the table and the constants are those of the single answer, and a test holds both to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES, SUGGESTED_QUOTA_BYTES
from etcdsize.fleet.load_arrays import KindArrays, LoadArrays
from etcdsize.fleet.revision_arrays import Elements, Floats, elements_of, revision_arrays, runs_of, size_classes, where
from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.disk import FREE_SHARE, SEGMENT_BYTES, SEGMENTS, WAL_FSYNC_P99_SECONDS
from etcdsize.resources.file_size import APPLIED_BYTES, LEAST_HEADROOM, QUOTA_HEADROOM
from etcdsize.resources.load_sums import (
    COMMITS_PER_SECOND,
    COMPACTED_PER_DELETED,
    COMPACTION_BATCH,
    FURTHER_PUT_BYTES,
    MOST_PUTS_PER_COMMIT,
    ON_A_LEAF,
    REPLACED_PAGES,
    REQUEST_BYTES,
)
from etcdsize.resources.mixing import CUT_SHORT_BYTES, FILLED_BYTES, HEADER_BYTES, PAGE_BYTES, SMALL_BYTES
from etcdsize.resources.model import Case

__all__ = ["GIB", "DiskFigures", "MemberFigures", "Memory", "disk_figures", "member_figures"]

GIB = 2.0**30
_UPDATED = ("updated_bytes_low", "updated_bytes_likely", "updated_bytes_high")


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


class _Sums(NamedTuple):
    """Sums over the kinds of keys; see `resources.load_sums.LoadSums`."""

    keys: Floats
    data_bytes: Floats
    file_bytes_per_second: Floats
    fresh_bytes: Floats
    kept_bytes: Floats
    history_bytes: Floats
    run_bytes: Floats
    largest_pair_bytes: Floats
    """The largest key with its value. [bytes]"""
    rewritten_bytes: Floats
    history_revisions: Floats
    index_key_bytes: Floats
    replaced_revisions: Floats
    deleted_keys: Floats
    deleted_key_bytes: Floats
    entry_bytes: Floats
    list_keys: Floats
    list_bytes: Floats
    list_allocated_bytes: Floats
    batch_puts: Floats
    batch_bytes: Floats
    defragment_bytes: Floats


def member_figures(load: LoadArrays, case: Case) -> MemberFigures:
    """Return what the loads of a block take in one case."""
    values = case.values
    sums = _sums_of(load, case.number, values.defragment_keys)
    length = _file_length(load, sums, case)
    wanted = np.maximum(_wanted_quota(length), sums.data_bytes)
    quota = np.maximum(float(DEFAULT_QUOTA_BYTES), np.ceil(wanted / GIB) * GIB)
    quiet = load.writes_per_second == 0
    entries = where(quiet, np.minimum(case.entries, sums.keys), case.entries)
    memory = _unreclaimable(load, sums, values, entries, case.watcher)
    since_snapshot = case.snapshot_count * (sums.entry_bytes + values.wal_record_overhead)
    segments = 1 + np.maximum(SEGMENTS, 1 + np.ceil(since_snapshot / SEGMENT_BYTES))
    volume = 3 * quota + SEGMENT_BYTES * segments
    return MemberFigures(
        quota,
        memory.total + (length + values.binary_bytes),
        volume + volume * FREE_SHARE / (1 - FREE_SHARE),
        _fsync_needed(load, case),
        wanted,
        length,
        memory,
    )


def disk_figures(load: LoadArrays, case: Case) -> DiskFigures:
    """Return what the loads of a block ask of a disk; see `resources.disk` and `resources.seconds`."""
    values = case.values
    commits, of_leases = _commit_fsyncs(load, values)
    end = (values.cpu_revoke + load.keys_per_lease * values.cpu_delete_key) * 1e-6
    return DiskFigures(
        np.minimum(load.writes_per_second, 1 / _fsync_needed(load, case)) + (commits + of_leases),
        of_leases,
        where(load.leases > 0, end + values.commit_fsyncs * case.disk.fsync_seconds, 0.0),
    )


def _commit_fsyncs(load: LoadArrays, values: Coefficients) -> tuple[Floats, Floats]:
    """Return the fsyncs of the commits of writes and of leases that end. [1/s]"""
    commits = values.commit_fsyncs * np.minimum(load.writes_per_second, float(COMMITS_PER_SECOND))
    return commits, values.commit_fsyncs * (load.lease_revokes_per_second * values.commits_per_revoke)


def _fsync_needed(load: LoadArrays, case: Case) -> Floats:
    """Return how long a write may take; see `resources.disk.fsync_needed`. [s]"""
    commits, of_leases = _commit_fsyncs(load, case.values)
    fewest, most = case.together
    at_once = np.minimum(np.maximum(load.clients / case.values.write_wait_fsyncs, fewest), most)
    needed = np.minimum(WAL_FSYNC_P99_SECONDS, at_once / load.writes_per_second)
    needed = where(load.writes_per_second == 0, WAL_FSYNC_P99_SECONDS, needed)
    # Without any commit this is infinity.
    return np.minimum(needed, 1 / (commits + of_leases))


def _wanted_quota(file_bytes: Floats) -> Floats:
    roomy = np.minimum(file_bytes * (1 + QUOTA_HEADROOM), float(SUGGESTED_QUOTA_BYTES))
    return np.maximum(file_bytes * (1 + LEAST_HEADROOM), roomy)


def _file_length(load: LoadArrays, sums: _Sums, case: Case) -> Floats:
    """Return the largest size of the file; see `resources.file_size.file_figures`. [bytes]"""
    values = case.values
    history = sums.history_bytes * values.file_margin
    kept = sums.kept_bytes * values.file_margin + values.lease_file * load.leases + values.file_fixed
    rewritten = values.file_rewritten * sums.rewritten_bytes
    waiting = _waiting_bytes(load, sums, values)
    seconds = sums.fresh_bytes / 1e6 * (1 / case.disk.mb_per_second + values.snapshot_per_mb)
    reads = sums.file_bytes_per_second * seconds
    return kept + history + rewritten + values.file_runs * sums.run_bytes + waiting + reads


def _waiting_bytes(load: LoadArrays, sums: _Sums, values: Coefficients) -> Floats:
    """Return the pages that commits have replaced and cannot use again yet; see `resources.file_size`. [bytes]"""
    puts = np.maximum(1.0, load.puts_per_transaction)
    commits = values.file_waiting * np.minimum(1.0, puts / load.puts_per_commit)
    leaf = np.maximum(0.0, ON_A_LEAF * sums.largest_pair_bytes - PAGE_BYTES)
    short = where(sums.keys > 0, float(REPLACED_PAGES * PAGE_BYTES), 0.0)
    return commits * short + np.minimum(commits * leaf, np.maximum(float(APPLIED_BYTES), leaf))


def _unreclaimable(load: LoadArrays, sums: _Sums, values: Coefficients, entries: Floats, watcher: float) -> Memory:
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
        + (sums.deleted_keys * (values.index_per_key + values.tombstone) + sums.deleted_key_bytes)
        + raft
        + load.clients * connection
        + (load.watch_streams * stream + load.watchers * watcher)
        + _leases(load, sums, values)
        + (sums.batch_bytes + sums.batch_puts * values.batch_overhead_per_put)
    ) * values.heap_margin
    lists = load.concurrent_lists * (
        sums.list_allocated_bytes + values.list_copies * sums.list_bytes + sums.list_keys * values.list_per_key
    )
    of_lists = (values.list_peak_factor - 1) * lists
    stacks = values.stack_base + load.clients * connection_stack + load.watch_streams * stream_stack
    steady = live * values.garbage_factor + (lists + of_lists) + stacks + values.anon_base
    compaction = where(sums.history_revisions > 0, values.compaction_map * sums.keys, 0.0)
    busy = np.maximum(values.defragment_factor * sums.defragment_bytes, compaction)
    grown = values.heap_margin * values.garbage_factor
    return Memory(
        steady + np.maximum(0.0, busy - lists - of_lists),
        raft * grown,
        load.watch_streams * (stream * grown + stream_stack),
        lists + of_lists,
    )


def _leases(load: LoadArrays, sums: _Sums, values: Coefficients) -> Floats:
    leases = load.leases
    if np.ndim(leases) == 0 and not leases:
        return 0.0
    keys = where(leases > 0, np.minimum(load.keys_per_lease, sums.keys / leases), 0.0)
    further = (10 * values.lease_key_many - values.lease_key_one) / 9
    each = further * keys + (values.lease_key_one - further) * np.minimum(keys, 1.0)
    return leases * values.lease + leases * each


def _sums_of(load: LoadArrays, index: int, defragment_keys: float) -> _Sums:
    """Return the sums over the kinds of keys; see `resources.load_sums.sums_of`."""
    history, kinds = load.history_seconds, load.kinds
    rate, keys = _total([kind.writes_per_second for kind in kinds]), _total([kind.count for kind in kinds])
    puts = np.maximum(1.0, load.puts_per_transaction)
    largest_commit = np.minimum(np.maximum(puts, rate / COMMITS_PER_SECOND), float(MOST_PUTS_PER_COMMIT))
    data = written = file_rate = fresh = kept = history_bytes = index_bytes = runs = replaced_revisions = 0.0
    elements, fresh_ones, again_ones, rewritten_ones = [], [], [], []
    largest: Floats = 0.0
    for count, key, value, writes in kinds:
        element = elements_of(key, value)
        pair = key + value
        dense = np.maximum(puts, writes / COMMITS_PER_SECOND)
        if np.ndim(dense) and dense.max() <= 1:
            dense = np.float64(1.0)
        fresh_one, again_one = revision_arrays(element, load.puts_per_commit), revision_arrays(element, dense)
        replaced = writes * history
        data = data + count * pair
        written = written + writes * pair
        file_rate = file_rate + writes * again_one
        in_file, in_history = count * fresh_one, replaced * again_one
        fresh = fresh + in_file
        history_bytes = history_bytes + in_history
        replaced_revisions = replaced_revisions + replaced
        index_bytes = index_bytes + count * size_classes(key)
        runs = runs + (in_file * runs_of(element, load.puts_per_commit) + in_history * runs_of(element, dense))
        kept = kept + in_file * _fragmentation(index, element, load.puts_per_commit, fresh_one, replaced, count)
        updated = revision_arrays(element, load.puts_per_commit, "updated_bytes_likely")
        rewritten_ones.append(np.maximum(fresh_one, updated))
        largest = np.maximum(largest, where(count > 0, pair, 0.0))
        elements.append(element)
        fresh_ones.append(fresh_one)
        again_ones.append(again_one)
    if len(kinds) > 1:
        counts = [kind.count for kind in kinds]
        rates = [kind.writes_per_second for kind in kinds]
        extra = _mixing(counts, elements, fresh_ones)
        fresh, kept = fresh + extra, kept + extra
        # The history is written at these rates too, for its seconds.
        extra = _mixing(rates, elements, again_ones)
        file_rate, history_bytes = file_rate + extra, history_bytes + extra * history
    mean = where(rate > 0, written / rate, where(keys > 0, data / keys, 0.0))
    mean_key = where(keys > 0, index_bytes / keys, 0.0)
    deleted = load.lease_revokes_per_second * load.keys_per_lease * history
    if np.any(deleted):
        history_bytes = history_bytes + deleted * revision_arrays(elements_of(mean_key, np.float64(0.0)), 1.0)
    listed = np.minimum(load.list_keys, keys)
    copied = np.minimum(defragment_keys, keys)
    compacted = np.minimum(float(COMPACTION_BATCH), COMPACTED_PER_DELETED * (replaced_revisions + deleted))
    list_bytes, list_allocated, defragment, rewritten = _largest(
        kinds, fresh_ones, rewritten_ones, listed, copied, compacted
    )
    return _Sums(
        keys=keys,
        data_bytes=data,
        file_bytes_per_second=file_rate,
        fresh_bytes=fresh,
        kept_bytes=kept,
        history_bytes=history_bytes,
        run_bytes=runs,
        largest_pair_bytes=largest,
        rewritten_bytes=rewritten,
        history_revisions=replaced_revisions + deleted,
        index_key_bytes=index_bytes,
        replaced_revisions=replaced_revisions,
        deleted_keys=deleted,
        deleted_key_bytes=deleted * mean_key,
        entry_bytes=size_classes(REQUEST_BYTES + puts * mean + (puts - 1) * FURTHER_PUT_BYTES),
        list_keys=listed,
        list_bytes=list_bytes,
        list_allocated_bytes=list_allocated,
        batch_puts=largest_commit,
        batch_bytes=np.maximum(largest_commit * mean, load.largest_value_bytes),
        defragment_bytes=defragment,
    )


def _total(parts: Sequence[Floats]) -> Floats:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _fragmentation(
    index: int, element: Elements, puts_per_commit: Floats, fresh_one: Floats, replaced: Floats, count: Floats
) -> Floats:
    """Return how much more or less the keys take after updates, at one end or likely."""
    if not np.any(replaced > 0):
        return 1.0
    factor = revision_arrays(element, puts_per_commit, _UPDATED[index]) / fresh_one
    if index == 0:
        factor = np.minimum(1.0, factor)
    elif index == 2:
        factor = np.maximum(1.0, factor)
    else:
        # What is written again is packed better, as far as it is written again.
        part = np.minimum(1.0, replaced / count)
        factor = where((factor < 1) & (count > 0), 1 - (1 - factor) * part, factor)
    return where(replaced > 0, factor, 1.0)


def _largest(
    kinds: Sequence[KindArrays],
    in_file: Sequence[Floats],
    rewritten: Sequence[Floats],
    listed: Floats,
    copied: Floats,
    compacted: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return what the largest keys take: in a list, allocated by it, in a defragmentation, in a compaction. [bytes]"""
    found = [(*kind[:3], *own) for kind, own in zip(kinds, zip(in_file, rewritten))]
    if len(found) > 1:
        found = _by_size(found)
    list_bytes = allocated = defragment = again = 0.0
    for count, key, value, own, updated in found:
        part = np.minimum(listed, count)
        list_bytes = list_bytes + part * (key + value)
        allocated = allocated + part * (size_classes(key) + size_classes(value))
        listed = listed - part
        part = np.minimum(copied, count)
        defragment = defragment + part * own
        copied = copied - part
        part = np.minimum(compacted, count)
        again = again + part * updated
        compacted = compacted - part
    return list_bytes, allocated, defragment, again


def _by_size(found: list[tuple[Floats, ...]]) -> list[tuple[Floats, ...]]:
    """Return kinds of keys by their sizes, the largest first."""
    if not any(np.ndim(part) for _, key, value, *_ in found for part in (key, value)):
        return sorted(found, key=lambda one: one[1] + one[2], reverse=True)
    parts = [np.stack(np.broadcast_arrays(*column)) for column in zip(*found)]
    order = np.argsort(-(parts[1] + parts[2]), axis=0, kind="stable")
    return list(zip(*(np.take_along_axis(part, order, axis=0) for part in parts)))


def _mixing(weights: Sequence[Floats], elements: Sequence[Elements], own: Sequence[Floats]) -> Floats:
    """Return what kinds of unlike size take beside their own; see `resources.mixing.mixing_bytes`."""
    total, few, small_bytes, found = _total(weights), 0.0, 0.0, 0.0
    large = [element.size > FILLED_BYTES for element in elements]
    beside = [_run(element.size + SMALL_BYTES) + CUT_SHORT_BYTES for element in elements]
    for weight, its_own, is_large in zip(weights, own, large):
        if not np.all(is_large):
            few = few + where(is_large, 0.0, weight)
            small_bytes = small_bytes + where(is_large, 0.0, weight * its_own)
    for one, is_large in enumerate(large):
        if not np.any(is_large):
            continue
        found = found + where(is_large, weights[one] * (few * (beside[one] - own[one]) - small_bytes), 0.0)
        for other in range(one):
            both_large = is_large & large[other]
            if np.any(both_large):
                pair = _run(elements[one].size + elements[other].size)
                extra = np.maximum(np.maximum(pair, beside[one]), beside[other]) - own[one] - own[other]
                found = found + where(both_large, weights[one] * weights[other] * extra, 0.0)
    return where(total > 0, found / total, 0.0)


def _run(content: Floats) -> Floats:
    return np.ceil((HEADER_BYTES + content) / PAGE_BYTES) * PAGE_BYTES
