"""What the formulas need of a load's keys: sums over the kinds of keys, computed once for all coefficients."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

from etcdsize.resources.load import Load
from etcdsize.resources.mixing import mixing_bytes
from etcdsize.resources.revision_bytes import element_bytes, fragmentation, revision_bytes, share_of_runs
from etcdsize.resources.size_classes import size_class

__all__ = [
    *("COMMITS_PER_SECOND", "COMPACTED_PER_DELETED", "COMPACTION_BATCH", "FURTHER_PUT_BYTES", "MOST_PUTS_PER_COMMIT"),
    *("ON_A_LEAF", "PAGE_BYTES", "REPLACED_PAGES", "REQUEST_BYTES"),
    *("LoadSums", "sums_of"),
]

# etcd-io/etcd server/storage/backend/backend.go, defaultBatchInterval and defaultBatchLimit.
COMMITS_PER_SECOND = 10
MOST_PUTS_PER_COMMIT = 10_000
# etcd-io/etcd server/storage/mvcc/kvstore.go, defaultCompactionBatchLimit; 3.4 has the same.
COMPACTION_BATCH = 1_000
# A leaf of so many revisions is never split, however long they are (go.etcd.io/bbolt node.go, splitTwo).
ON_A_LEAF = 4
PAGE_BYTES = 4096
# A commit of short revisions replaces the last leaf, two branches above it and the leaves of two more buckets.
REPLACED_PAGES = 5
# Keys that share pages with a deleted revision, where few are deleted (our choice: its own page's and a neighbour's).
COMPACTED_PER_DELETED = 50
# The marshalled request besides its keys and values (measured on 3.5.30), and what a further put of a transaction adds.
REQUEST_BYTES = 28
FURTHER_PUT_BYTES = 12
# What is left of a difference of sums and products. [1]
_ROUNDING = 1e-12


class LoadSums(NamedTuple):
    """Sums over the kinds of keys of a load."""

    keys: float
    """Keys. [count]"""
    data_bytes: float
    """Keys and values. [bytes]"""
    revisions_per_second: float
    """Puts and deletes. [1/s]"""
    written_bytes_per_second: float
    """Keys and values that are written. [bytes/s]"""
    file_bytes_per_second: float
    """What the writes add to the file. [bytes/s]"""
    fresh_bytes: float
    """The file in use after the keys were written once. [bytes]"""
    kept_bytes: tuple[float, float, float]
    """The same after updates and compactions, which leave pages half empty: low, likely and high. [bytes]"""
    history_bytes: float
    """The file in use by replaced and deleted revisions before a compaction. [bytes]"""
    run_bytes: float
    """The part of both that is on runs of pages, which leave others unused. [bytes]"""
    replaced_pages: tuple[float, float]
    """What a commit replaces beside the long revisions on the last leaf, and those. [bytes]"""
    rewritten_bytes: float
    """The largest keys that one batch of a compaction can write anew, with the half-empty pages they are on. [bytes]"""
    history_revisions: float
    """Those revisions. [count]"""
    index_key_bytes: float
    """The keys in the index, as allocated. [bytes]"""
    replaced_revisions: float
    """Revisions of keys that have a later one. [count]"""
    deleted_keys: float
    """Keys in the index that were deleted and not yet compacted. [count]"""
    deleted_key_bytes: float
    """Those keys, as allocated. [bytes]"""
    entry_bytes: float
    """An average entry of the raft log, as allocated. [bytes]"""
    list_keys: float
    """Keys in a list. [count]"""
    list_bytes: float
    """The list as it is sent: the largest keys that there are. [bytes]"""
    list_allocated_bytes: float
    """The copies of its keys and values. [bytes]"""
    batch_puts: float
    """Puts in the largest commit. [count]"""
    batch_bytes: float
    """Their keys and values. [bytes]"""
    defragment_bytes: float
    """The largest keys that one transaction of a defragmentation copies, in the file. [bytes]"""


@functools.lru_cache(maxsize=256)
def sums_of(load: Load, defragment_keys: float) -> LoadSums:
    """Return the sums over a load's kinds of keys."""
    history = load.history_seconds
    rate = math.fsum([kind.writes_per_second for kind in load.objects])
    # The data's packing in the file is a field of the profile; only the history's follows from today's rate of writes.
    puts = max(1.0, load.puts_per_transaction)
    largest_commit = min(max(puts, rate / COMMITS_PER_SECOND), MOST_PUTS_PER_COMMIT)
    data = written = file_rate = fresh = low = likely = high = 0.0
    history_bytes = replaced_revisions = index = runs = 0.0
    sizes = []
    in_file, in_writes, in_history = [], [], []
    keys = math.fsum([kind.number for kind in load.objects])
    # Where revisions_per_key was filled from the rate of writes, it adds nothing to them.
    further = load.revisions_per_key - 1 - rate * history / keys if keys else 0.0
    if further < _ROUNDING * load.revisions_per_key:
        # What rounding leaves over would count keys that are never written as written again.
        further = 0.0
    for kind in load.objects:
        count, key, value, writes = kind.number, kind.key_bytes, kind.value_bytes, kind.writes_per_second
        fresh_one = revision_bytes(key, value, load.puts_per_commit)
        # The packing of what is written follows from the kind's own rate: counting the others' as well, more writes of
        # them would make its history smaller.
        dense = max(puts, writes / COMMITS_PER_SECOND)
        again_one = revision_bytes(key, value, dense)
        replaced = writes * history + count * further
        replaced_one, packing = again_one, dense
        if further:
            # Given revisions are written while the history is kept, all at once if that is no time.
            together = replaced / history / COMMITS_PER_SECOND if history else MOST_PUTS_PER_COMMIT
            packing = max(puts, together)
            replaced_one = revision_bytes(key, value, packing)
        data += count * (key + value)
        written += writes * (key + value)
        file_rate += writes * again_one
        fresh += count * fresh_one
        index += count * size_class(key)
        if len(load.objects) > 1:
            element = element_bytes(key, value)
            in_file.append((count, element, fresh_one))
            in_writes.append((writes, element, again_one))
            in_history.append((replaced, element, replaced_one))
        best, usual, worst = fragmentation(key, value, load.puts_per_commit)
        sizes.append((key + value, count, key, value, fresh_one, fresh_one * max(1.0, usual)))
        if replaced > 0:
            replaced_revisions += replaced
            history_bytes += replaced * replaced_one
        else:
            best = usual = worst = 1.0
        runs += count * fresh_one * share_of_runs(key, value, load.puts_per_commit)
        runs += replaced * replaced_one * share_of_runs(key, value, packing)
        # Keys that are written in order, or once, stay as they are.
        low += count * fresh_one * min(1.0, best)
        if usual < 1 and count:
            # What is written again is packed better, as far as it is written again.
            usual = 1 - (1 - usual) * min(1.0, replaced / count)
        likely += count * fresh_one * usual
        high += count * fresh_one * max(1.0, worst)
    if len(load.objects) > 1:
        # Kinds of unlike size take more together than each among its like.
        extra = mixing_bytes(in_file)
        fresh, low, likely, high = (total + extra for total in (fresh, low, likely, high))
        file_rate += mixing_bytes(in_writes)
        history_bytes += mixing_bytes(in_history)
    if not data + high + history_bytes + file_rate < math.inf:
        raise OverflowError("the load is beyond all floats")
    mean = written / rate if rate else data / keys if keys else 0.0
    mean_key = index / keys if keys else 0.0
    deleted = load.lease_revokes_per_second * load.keys_per_lease * history
    if deleted:
        history_bytes += deleted * revision_bytes(mean_key, 0, 1)
    sizes.sort(reverse=True)
    listed = min(load.list_keys, keys)
    list_bytes, list_allocated = _listed(sizes, listed)
    return LoadSums(
        keys=keys,
        data_bytes=data,
        revisions_per_second=rate,
        written_bytes_per_second=written,
        file_bytes_per_second=file_rate,
        fresh_bytes=fresh,
        kept_bytes=(low, likely, high),
        history_bytes=history_bytes,
        run_bytes=runs,
        replaced_pages=_replaced([size[0] for size in sizes if size[1]]),
        rewritten_bytes=_largest(
            sizes, 5, min(COMPACTION_BATCH, COMPACTED_PER_DELETED * (replaced_revisions + deleted))
        ),
        history_revisions=replaced_revisions + deleted,
        index_key_bytes=index,
        replaced_revisions=replaced_revisions,
        deleted_keys=deleted,
        deleted_key_bytes=deleted * mean_key,
        entry_bytes=size_class(REQUEST_BYTES + puts * mean + (puts - 1) * FURTHER_PUT_BYTES),
        list_keys=listed,
        list_bytes=list_bytes,
        list_allocated_bytes=list_allocated,
        batch_puts=largest_commit,
        batch_bytes=max(largest_commit * mean, load.largest_value_bytes),
        defragment_bytes=_largest(sizes, 4, defragment_keys),
    )


_Size = tuple[float, float, float, float, float, float]


def _listed(sizes: Sequence[_Size], keys: float) -> tuple[float, float]:
    """Return the bytes of a list of the largest keys, and what it allocates. [bytes]"""
    listed = allocated = 0.0
    for pair, count, key, value, _, _ in sizes:
        part = min(keys, count)
        listed += part * pair
        allocated += part * (size_class(key) + size_class(value))
        keys -= part
        if not keys:
            break
    return listed, allocated


def _replaced(sizes: Sequence[float]) -> tuple[float, float]:
    """Return what one commit replaces: the pages of short revisions, and what the last leaf has beyond its page."""
    if not sizes:
        return 0.0, 0.0
    return REPLACED_PAGES * PAGE_BYTES, max(0.0, ON_A_LEAF * max(sizes) - PAGE_BYTES)


def _largest(sizes: Sequence[_Size], column: int, keys: float) -> float:
    """Return what the largest keys take, by a column of their sizes. [bytes]"""
    found = 0.0
    for size in sizes:
        part = min(keys, size[1])
        found += part * size[column]
        keys -= part
        if not keys:
            break
    return found
