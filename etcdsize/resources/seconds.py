"""How long operations take: restart, a new member, snapshot, restore, defragmentation, compaction and lists."""

from __future__ import annotations

from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.disk import DiskSpeed
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import LoadSums
from etcdsize.resources.terms import Figures, TermKind

__all__ = ["SECONDS_TERMS", "defragment_terms", "seconds_figures", "snapshot_seconds"]

_MICROSECONDS = 1e-6
_MB = 1e6
# etcd-io/etcd server/storage/mvcc/kvstore.go, defaultCompactionBatchLimit.
_COMPACTION_BATCH = 1_000

_TOOL = TermKind("tool", ("tool_seconds",), "etcdctl or etcdutl starts")
_RESTART = (
    TermKind("read the file", (), "the disk's MB/s; etcd reads all of it (MAP_POPULATE)"),
    TermKind("index", ("restart_per_revision", "restart_per_mb")),
    TermKind("WAL", (), "what was written since the last snapshot on disk, at the disk's MB/s"),
    TermKind("start and election", ("election",), "of a lone member; one of several hears from the leader at once"),
)
SECONDS_TERMS: dict[str, tuple[TermKind, ...]] = {
    "restart": _RESTART,
    "new_member": (TermKind("receive the file", (), "read, sent and written, at the disk's MB/s"), *_RESTART),
    "snapshot": (_TOOL, TermKind("read the file", (), "the disk's MB/s"), TermKind("send it", ("snapshot_per_mb",))),
    "restore": (_TOOL, TermKind("copy the file", ("defragment_copies",)), TermKind("check it", ("restore_per_mb",))),
    "defragment": (
        TermKind("copy what is in use", ("defragment_copies",), "nothing is read or written meanwhile"),
        TermKind("insert it", ("defragment_per_mb",)),
    ),
    "compaction": (
        TermKind("batches", ("compaction_per_batch",), "of 1,000 revisions"),
        TermKind("values", ("compaction_per_mb",), "all that are stored are read"),
        TermKind("commits", ("compaction_commits", "commit_fsyncs")),
    ),
    "list": (TermKind("keys", ("cpu_list_key",)), TermKind("bytes", ("cpu_list_mb",))),
    "lease_end": (
        TermKind("keys", ("cpu_revoke", "cpu_delete_key"), "deleted in one transaction: writes wait"),
        TermKind("commit", ("commit_fsyncs",)),
    ),
}


def snapshot_seconds(sums: LoadSums, values: Coefficients, disk: DiskSpeed) -> float:
    """Return about how long a snapshot is read, from the file before anything was replaced. [s]"""
    return sums.fresh_bytes / _MB * (1 / disk.mb_per_second + values.snapshot_per_mb)


def defragment_terms(in_use_bytes: float, values: Coefficients, disk: DiskSpeed) -> tuple[float, float]:
    """Return how long a defragmentation copies and inserts what is in use. [s]"""
    megabytes = in_use_bytes / _MB
    return values.defragment_copies * megabytes / disk.mb_per_second, megabytes * values.defragment_per_mb


def seconds_figures(
    load: Load,
    sums: LoadSums,
    values: Coefficients,
    disk: DiskSpeed,
    file_bytes: float,
    in_use_bytes: float,
    entries_since_snapshot: float,
) -> Figures:
    """Return how long each operation takes on a disk. [s]"""
    read = file_bytes / _MB / disk.mb_per_second
    revisions = sums.keys + sums.history_revisions
    wal = entries_since_snapshot * (sums.entry_bytes + values.wal_record_overhead) / _MB / disk.mb_per_second
    index = revisions * values.restart_per_revision + file_bytes / _MB * values.restart_per_mb
    restart = (read, index, wal, values.election)
    batches, stored = revisions / _COMPACTION_BATCH, in_use_bytes + sums.history_bytes
    commit = values.commit_fsyncs * disk.fsync_seconds
    end = values.cpu_revoke + load.keys_per_lease * values.cpu_delete_key if load.leases else 0.0
    return {
        "restart": restart,
        "new_member": (2 * read, *restart),
        "snapshot": (values.tool_seconds, read, file_bytes / _MB * values.snapshot_per_mb),
        "restore": (values.tool_seconds, values.defragment_copies * read, file_bytes / _MB * values.restore_per_mb),
        "defragment": defragment_terms(stored, values, disk),
        "compaction": (
            batches * values.compaction_per_batch,
            stored / _MB * values.compaction_per_mb,
            batches * values.compaction_commits * commit,
        ),
        "list": (
            sums.list_keys * values.cpu_list_key * _MICROSECONDS,
            sums.list_bytes / _MB * values.cpu_list_mb * _MICROSECONDS,
        ),
        "lease_end": (end * _MICROSECONDS, commit if load.leases else 0.0),
    }
