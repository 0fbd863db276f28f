"""Sums over the kinds of keys of a fleet's loads, in arrays: the arithmetic of `resources.load_sums`.

Most loads have one kind of keys, and the sums over it are computed as for one load, to the last digit: a size class is
a step. The kinds of a Kubernetes cluster grow with its nodes and pods, so that a sum over them with the same weights in
every row does so too.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from etcdsize.fleet.load_arrays import KindArrays, Linear, LoadArrays, dense_puts
from etcdsize.fleet.revision_arrays import (
    Elements,
    Floats,
    elements_of,
    packing_of,
    revision_arrays,
    runs_of,
    size_classes,
    where,
)
from etcdsize.resources.load_sums import (
    COMMITS_PER_SECOND,
    COMPACTED_PER_DELETED,
    COMPACTION_BATCH,
    FURTHER_PUT_BYTES,
    MOST_PUTS_PER_COMMIT,
    REQUEST_BYTES,
)
from etcdsize.resources.mixing import CUT_SHORT_BYTES, FILLED_BYTES, HEADER_BYTES, PAGE_BYTES, SMALL_BYTES

__all__ = ["Sums", "sums_of"]


class Sums(NamedTuple):
    """Sums over the kinds of keys; see `resources.load_sums.LoadSums`."""

    keys: Floats
    data_bytes: Floats
    written_bytes_per_second: Floats
    file_bytes_per_second: Floats
    fresh_bytes: Floats
    kept_bytes: Floats
    history_bytes: Floats
    run_bytes: Floats
    largest_pair_bytes: Floats
    """The largest key with its value. [bytes]"""
    rewritten_bytes: Floats
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


def sums_of(load: LoadArrays, index: int, defragment_keys: float) -> Sums:
    """Return the sums over the kinds of keys; see `resources.load_sums.sums_of`."""
    history, kinds = load.history_seconds, load.kinds
    counts, rates = [kind.count for kind in kinds], [kind.writes_per_second for kind in kinds]
    rate, keys = _weighted(kinds, "writes_per_second"), _weighted(kinds, "count")
    puts = np.maximum(1.0, load.puts_per_transaction)
    elements = [kind.elements or elements_of(kind.key_bytes, kind.value_bytes) for kind in kinds]
    # Likely, too, the file has the size of the worst moment: it keeps it while the packing of the keys changes.
    packings = [packing_of(element, load.puts_per_commit, 2 if index else 0) for element in elements]
    dense = [dense_puts(puts, writes) for writes in rates]
    again = [
        revision_arrays(element, together) if kind.again is None else kind.again
        for kind, element, together in zip(kinds, elements, dense)
    ]
    pairs = [kind.key_bytes + kind.value_bytes for kind in kinds]
    fresh_ones = [packing.fresh for packing in packings]
    data, written = _weighted(kinds, "count", pairs), _weighted(kinds, "writes_per_second", pairs)
    file_rate, fresh = _weighted(kinds, "writes_per_second", again), _weighted(kinds, "count", fresh_ones)
    index_bytes = _weighted(kinds, "count", [size_classes(kind.key_bytes) for kind in kinds])
    replaced_revisions, history_bytes = rate * history, file_rate * history
    factors = [_fragmentation(packing.factor, writes, history) for packing, writes in zip(packings, rates)]
    kept = _weighted(kinds, "count", [one * factor for one, factor in zip(fresh_ones, factors)])
    in_file = [_part(runs_of(element, load.puts_per_commit), one) for element, one in zip(elements, fresh_ones)]
    in_writes = [
        _part(runs_of(element, together) if kind.runs is None else kind.runs, one)
        for kind, element, together, one in zip(kinds, elements, dense, again)
    ]
    runs = _weighted(kinds, "count", in_file) + _weighted(kinds, "writes_per_second", in_writes) * history
    if len(kinds) > 1:
        extra = _mixing(kinds, "count", elements, fresh_ones)
        fresh, kept = fresh + extra, kept + extra
        # The history is written at these rates too, for its seconds.
        extra = _mixing(kinds, "writes_per_second", elements, again)
        file_rate, history_bytes = file_rate + extra, history_bytes + extra * history
    mean = written / rate
    if not np.min(rate) > 0:
        mean = where(rate > 0, mean, where(keys > 0, data / keys, 0.0))
    deleted: Floats = load.lease_revokes_per_second * load.keys_per_lease * history
    deleted_key_bytes: Floats = 0.0
    if np.any(deleted):
        mean_key = where(keys > 0, index_bytes / keys, 0.0)
        history_bytes = history_bytes + deleted * revision_arrays(elements_of(mean_key, np.float64(0.0)), 1.0)
        deleted_key_bytes = deleted * mean_key
    listed = np.minimum(load.list_keys, keys)
    copied = np.minimum(defragment_keys, keys)
    compacted = np.minimum(float(COMPACTION_BATCH), COMPACTED_PER_DELETED * (replaced_revisions + deleted))
    taken = _largest(kinds, fresh_ones, [packing.rewritten for packing in packings], (listed, copied, compacted))
    largest_commit = np.minimum(np.maximum(puts, rate * (1 / COMMITS_PER_SECOND)), float(MOST_PUTS_PER_COMMIT))
    return Sums(
        keys=keys,
        data_bytes=data,
        written_bytes_per_second=written,
        file_bytes_per_second=file_rate,
        fresh_bytes=fresh,
        kept_bytes=kept,
        history_bytes=history_bytes,
        run_bytes=runs,
        largest_pair_bytes=_largest_pair(counts, pairs),
        rewritten_bytes=taken.rewritten,
        index_key_bytes=index_bytes,
        replaced_revisions=replaced_revisions,
        deleted_keys=deleted,
        deleted_key_bytes=deleted_key_bytes,
        entry_bytes=size_classes(REQUEST_BYTES + puts * mean + (puts - 1) * FURTHER_PUT_BYTES),
        list_keys=listed,
        list_bytes=taken.listed,
        list_allocated_bytes=taken.allocated,
        batch_puts=largest_commit,
        batch_bytes=np.maximum(largest_commit * mean, load.largest_value_bytes),
        defragment_bytes=taken.copied,
    )


def _weighted(kinds: Sequence[KindArrays], field: str, weights: Sequence[Floats] | None = None) -> Floats:
    """Return the sum of a field over kinds of keys, each with a weight."""
    total: Floats = None
    fixed = per_node = per_pod = 0.0
    growth: Linear | None = None
    for number, kind in enumerate(kinds):
        weight = 1.0 if weights is None else weights[number]
        if np.ndim(weight) == 0:
            if not weight:
                continue
            grown = None if kind.growth is None else getattr(kind.growth, field)
            if grown is not None:
                # A sum of what grows with the same clusters grows with them.
                growth = grown
                fixed += weight * growth.fixed
                per_node += weight * growth.per_node
                per_pod += weight * growth.per_pod
                continue
        part = getattr(kind, field)
        if weights is not None:
            part = part * weight
        total = part if total is None else total + part
    if growth is not None:
        part = growth._replace(fixed=fixed, per_node=per_node, per_pod=per_pod).figures
        total = part if total is None else total + part
    return np.float64(0.0) if total is None else total


def _part(share: Floats, whole: Floats) -> Floats:
    """Return a share of something, as one number if it is nothing in any row."""
    return 0.0 if np.ndim(share) == 0 and not share else share * whole


def _fragmentation(factor: Floats, writes: Floats, history: Floats) -> Floats:
    """Return how much more or less the keys take after updates, at one end."""
    if np.min(writes) > 0 and np.min(history) > 0:
        return factor
    return where(writes * history > 0, factor, 1.0) if np.any(writes * history > 0) else 1.0


def _largest_pair(counts: Sequence[Floats], pairs: Sequence[Floats]) -> Floats:
    """Return the largest key with its value, of the kinds that there are. [bytes]"""
    found = [pair if np.min(count) > 0 else where(count > 0, pair, 0.0) for count, pair in zip(counts, pairs)]
    single = [one for one in found if np.ndim(one) == 0]
    arrays = [one for one in found if np.ndim(one)]
    return functools.reduce(np.maximum, arrays + ([np.float64(max(single))] if single else []))


class _Taken(NamedTuple):
    """What the largest keys take. [bytes]"""

    listed: Floats
    """In a list."""
    allocated: Floats
    """Allocated by it."""
    copied: Floats
    """Of the file, in a transaction of a defragmentation."""
    rewritten: Floats
    """Written anew by a batch of a compaction."""


def _largest(
    kinds: Sequence[KindArrays],
    in_file: Sequence[Floats],
    rewritten: Sequence[Floats],
    amounts: tuple[Floats, Floats, Floats],
) -> _Taken:
    """Return what the largest keys take; `amounts` are how many are listed, copied and compacted."""
    found = [(*kind[:3], *own) for kind, own in zip(kinds, zip(in_file, rewritten))]
    if len(found) > 1:
        found = _by_size(found)
    listed, copied, compacted = amounts
    counts = [one[0] for one in found]
    sizes = [(key + value, size_classes(key) + size_classes(value)) for _, key, value, _, _ in found]
    return _Taken(
        *_first(counts, listed, sizes),
        *_first(counts, copied, [(one[3],) for one in found]),
        *_first(counts, compacted, [(one[4],) for one in found]),
    )


def _first(counts: Sequence[Floats], keys: Floats, weights: Sequence[tuple[Floats, ...]]) -> list[Floats]:
    """Return the sum of each weight of so many keys, those of the first kinds first."""
    totals: list[Floats] = []
    for number, count in enumerate(counts):
        part = np.minimum(keys, count)
        parts = [part * weight for weight in weights[number]]
        totals = [total + one for total, one in zip(totals, parts)] if totals else parts
        if number + 1 < len(counts):
            keys = keys - part
            if not np.max(keys) > 0:
                break
    return totals


def _by_size(found: list[tuple[Floats, ...]]) -> list[tuple[Floats, ...]]:
    """Return kinds of keys by their sizes, the largest first."""
    if not any(np.ndim(part) for _, key, value, *_ in found for part in (key, value)):
        return sorted(found, key=lambda one: one[1] + one[2], reverse=True)
    parts = [np.stack(np.broadcast_arrays(*column)) for column in zip(*found)]
    order = np.argsort(-(parts[1] + parts[2]), axis=0, kind="stable")
    return list(zip(*(np.take_along_axis(part, order, axis=0) for part in parts)))


def _mixing(kinds: Sequence[KindArrays], field: str, elements: Sequence[Elements], own: Sequence[Floats]) -> Floats:
    """Return what kinds of unlike size take beside their own; see `resources.mixing.mixing_bytes`."""
    weights = [getattr(kind, field) for kind in kinds]
    total, found = _weighted(kinds, field), 0.0
    large = [element.size > FILLED_BYTES for element in elements]
    beside = [_run(element.size + SMALL_BYTES) + CUT_SHORT_BYTES for element in elements]
    small = [where(is_large, 0.0, 1.0) for is_large in large]
    few = _weighted(kinds, field, small)
    small_bytes = _weighted(kinds, field, [_part(share, its_own) for share, its_own in zip(small, own)])
    for one, is_large in enumerate(large):
        if not np.any(is_large):
            continue
        extras: list[Floats] = [0.0] * len(kinds)
        for other in range(one):
            both_large = is_large & large[other]
            if np.any(both_large):
                pair = _run(elements[one].size + elements[other].size)
                extra = np.maximum(np.maximum(pair, beside[one]), beside[other]) - own[one] - own[other]
                extras[other] = where(both_large, extra, 0.0)
        beside_others = few * (beside[one] - own[one]) - small_bytes + _weighted(kinds, field, extras)
        found = found + where(is_large, weights[one] * beside_others, 0.0)
    return found / total if np.min(total) > 0 else where(total > 0, found / total, 0.0)


def _run(content: Floats) -> Floats:
    return np.ceil((HEADER_BYTES + content) / PAGE_BYTES) * PAGE_BYTES
