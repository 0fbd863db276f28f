"""The memory of one member: the heap term by term, what cannot be reclaimed, the page cache, and the limit to set."""

from __future__ import annotations

import math

from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import LoadSums
from etcdsize.resources.terms import Figures, TermKind

__all__ = ["MEMORY_TERMS", "memory_figures"]

# The share of the limit, without the file, that Go may use before it collects garbage more often (our choice).
_GOMEMLIMIT_SHARE = 0.9

_INDEX = (
    TermKind("keys", ("index_per_key",), "and the key itself, in Go's size classes"),
    TermKind("revisions", ("revision_array",)),
    TermKind("deleted keys", ("index_per_key", "tombstone")),
)
_RAFT = TermKind(
    "raft log",
    ("raft_entry", "raft_kept_after", "raft_kept_most", "raft_kept_per_snapshot_count", "default_snapshot_count"),
)
_CONNECTIONS = TermKind(
    "connections", ("connection_heap", "connection_tls_heap"), "the stacks are counted among the stacks"
)
_WATCHES = (
    TermKind("watch streams", ("stream_heap", "stream_tls_heap")),
    TermKind("watchers", ("watcher_same_range", "watcher_own_key", "watcher_own_range")),
)
_LEASES = (TermKind("leases", ("lease",)), TermKind("keys of leases", ("lease_key_one", "lease_key_many")))
_BATCH = TermKind("largest commit", ("batch_overhead_per_put",), "its values stay in memory until they are overwritten")
_LISTS = TermKind("lists", ("list_per_key", "list_copies"), "the largest keys that there are")
_STACKS = TermKind(
    "stacks", ("stack_base", "connection_stack", "connection_tls_stack", "stream_stack", "stream_tls_stack")
)
_DEFRAGMENT = TermKind(
    "defragmentation", ("defragment_keys", "defragment_factor"), "the largest keys in one transaction"
)
_FILE = TermKind("file", (), "see file.high_water_bytes: it is mapped into memory")
_BINARY = TermKind("binary", ("binary_bytes",))


def _seen(figure: str) -> TermKind:
    """Return the term that is a figure of its own."""
    return TermKind(figure.removesuffix("_bytes").replace("_", " "), (), f"see {figure}")


MEMORY_TERMS: dict[str, tuple[TermKind, ...]] = {
    "index_bytes": _INDEX,
    "raft_log_bytes": (_RAFT,),
    "connections_bytes": (_CONNECTIONS,),
    "watches_bytes": _WATCHES,
    "leases_bytes": _LEASES,
    "largest_commit_bytes": (_BATCH,),
    "heap_bytes": (
        TermKind("empty etcd", ("heap_base",)),
        _seen("index_bytes"),
        _RAFT,
        _CONNECTIONS,
        _seen("watches_bytes"),
        _seen("leases_bytes"),
        _BATCH,
        TermKind("margin", ("heap_margin",)),
    ),
    "lists_bytes": (_LISTS,),
    "garbage_bytes": (
        TermKind("of the heap", ("garbage_factor",), "Go collects when the heap has doubled (GOGC=100)"),
        TermKind("of lists", ("list_peak_factor",)),
    ),
    "stacks_bytes": (_STACKS,),
    "defragment_bytes": (_DEFRAGMENT,),
    "steady_bytes": (
        _seen("heap_bytes"),
        _LISTS,
        _seen("garbage_bytes"),
        _STACKS,
        TermKind("outside the heap", ("anon_base",)),
    ),
    "unreclaimable_bytes": (
        _seen("steady_bytes"),
        TermKind(
            "defragmentation or compaction",
            ("defragment_keys", "defragment_factor", "compaction_map"),
            "what the larger of the two takes beyond the lists, which wait for it",
        ),
    ),
    "page_cache_bytes": (_FILE, _BINARY),
    "limit_bytes": (_seen("unreclaimable_bytes"), _FILE, _BINARY),
    "gomemlimit_bytes": (TermKind("unreclaimable", (), f"{_GOMEMLIMIT_SHARE:.0%} of unreclaimable_bytes", "choice"),),
}


def memory_figures(
    load: Load, sums: LoadSums, values: Coefficients, entries: float, watcher: float, file_bytes: float
) -> Figures:
    """Return the figures of the memory; `entries` is the length of the raft log, `watcher` the bytes of a watcher."""
    index = (
        sums.keys * values.index_per_key + sums.index_key_bytes,
        sums.replaced_revisions * values.revision_array,
        sums.deleted_keys * (values.index_per_key + values.tombstone) + sums.deleted_key_bytes,
    )
    raft = entries * (sums.entry_bytes + values.raft_entry)
    tls = load.tls
    connection = values.connection_heap + tls * (values.connection_tls_heap - values.connection_heap)
    stream = values.stream_heap + tls * (values.stream_tls_heap - values.stream_heap)
    connection_stack = values.connection_stack + tls * (values.connection_tls_stack - values.connection_stack)
    stream_stack = values.stream_stack + tls * (values.stream_tls_stack - values.stream_stack)
    connections = load.clients * connection
    watches = (load.watch_streams * stream, load.watchers * watcher)
    attached = min(load.keys_per_lease, sums.keys / load.leases) if load.leases else 0.0
    leases = (load.leases * values.lease, load.leases * _keys_of_lease(attached, values))
    batch = sums.batch_bytes + sums.batch_puts * values.batch_overhead_per_put
    parts = (values.heap_base, math.fsum(index), raft, connections, math.fsum(watches), math.fsum(leases), batch)
    live = math.fsum(parts)
    heap = (*parts, (values.heap_margin - 1) * live)
    live *= values.heap_margin
    # A list as it is allocated: the copies of its keys and values, the message, and what goes with each key.
    one = sums.list_allocated_bytes + values.list_copies * sums.list_bytes + sums.list_keys * values.list_per_key
    lists = load.concurrent_lists * one
    garbage = ((values.garbage_factor - 1) * live, (values.list_peak_factor - 1) * lists)
    stacks = values.stack_base + load.clients * connection_stack + load.watch_streams * stream_stack
    defragment = values.defragment_factor * sums.defragment_bytes
    compaction = values.compaction_map * sums.keys if sums.history_revisions else 0.0
    steady = (live, lists, math.fsum(garbage), stacks, values.anon_base)
    peak = (math.fsum(steady), max(0.0, max(defragment, compaction) - lists - garbage[1]))
    unreclaimable = math.fsum(peak)
    cache = (file_bytes, values.binary_bytes)
    return {
        "index_bytes": index,
        "raft_log_bytes": (raft,),
        "connections_bytes": (connections,),
        "watches_bytes": watches,
        "leases_bytes": leases,
        "largest_commit_bytes": (batch,),
        "heap_bytes": heap,
        "lists_bytes": (lists,),
        "garbage_bytes": garbage,
        "stacks_bytes": (stacks,),
        "defragment_bytes": (defragment,),
        "steady_bytes": steady,
        "unreclaimable_bytes": peak,
        "page_cache_bytes": cache,
        "limit_bytes": (unreclaimable, *cache),
        "gomemlimit_bytes": (_GOMEMLIMIT_SHARE * unreclaimable,),
    }


def _keys_of_lease(keys: float, values: Coefficients) -> float:
    """Return what the keys of one lease take: the first costs more than the others. [bytes]"""
    further = (10 * values.lease_key_many - values.lease_key_one) / 9
    return further * keys + (values.lease_key_one - further) * min(keys, 1.0)
