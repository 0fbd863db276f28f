"""The coefficients that no row gives: from etcd's source, or our choice, each with its reason.

Some were measured on 3.5.30 before there were rows. A row that gives one of the same name replaces it.
"""

from __future__ import annotations

from typing import Literal

from benchmarks.resources.experiment import Coefficient

__all__ = ["given"]

_RAN = "measured on 3.5.30, 2026-11-26"
_TAKEN_OVER = f"{_RAN}; not run on this version"

# Value, low, high, unit.
_ON_3_5_30: dict[str, tuple[float, float, float, str]] = {
    "compaction_map": (210, 180, 240, "B"),
    "heap_margin": (1.04, 0.98, 1.1, ""),
    "file_fixed": (36864, 24576, 49152, "B"),
    "file_overhead_compaction": (0.06, 0.03, 0.1, ""),
    "lease_file": (80, 70, 90, "B"),
    "wal_record_overhead": (52, 48, 56, "B"),
    "wal_sync_record": (38.5, 38, 40, "B"),
    "wal_syncs_per_write_alone": (1, 1, 1, ""),
    "wal_loop_seconds": (0.0003, 0.0001, 0.0005, "s"),
    "commit_bytes_fixed": (16900, 15000, 19000, "B"),
    "commit_fsyncs": (2, 2, 2.2, "fsyncs"),
    "cpu_put": (120, 60, 250, "us"),
    "cpu_put_kb": (5, 2.5, 10, "us"),
    "cpu_put_alone_factor": (3, 1, 3.5, ""),
    "cpu_put_follower": (55, 27, 110, "us"),
    "cpu_get": (100, 50, 200, "us"),
    "cpu_list_key": (2.3, 1.2, 4.6, "us"),
    "cpu_list_mb": (1400, 700, 2800, "us"),
    "cpu_event": (12, 6, 24, "us"),
    "cpu_event_kb": (2.5, 1.2, 5, "us"),
    "cpu_keepalive": (56, 28, 112, "us"),
    "cpu_grant": (120, 60, 240, "us"),
    "cpu_revoke": (800, 400, 1600, "us"),
    "cpu_delete_key": (100, 30, 150, "us"),
    "restart_per_revision": (2.3e-06, 1.4e-06, 5e-06, "s"),
    "restart_per_mb": (0.0023, 0.0015, 0.004, "s"),
    "election": (1.3, 0.7, 2, "s"),
    "defragment_per_mb": (0.003, 0.002, 0.005, "s"),
    "defragment_copies": (2, 1.5, 2.2, ""),
    "compaction_per_batch": (0.0116, 0.01, 0.014, "s"),
    "compaction_commits": (1.5, 1, 2, "commits"),
    "snapshot_per_mb": (0.002, 0.001, 0.005, "s"),
    "restore_per_mb": (0.003, 0.002, 0.006, "s"),
}

_Figure = tuple[float, float, float, str, Literal["source", "choice"], str]

_ALL: dict[str, _Figure] = {
    "defragment_keys": (10_000, 10_000, 10_000, "keys", "source", "server/storage/backend/backend.go: defragLimit"),
    "write_wait_fsyncs": (
        *(2, 1.5, 4, "fsyncs", "choice"),
        "half of the fsync under way and all of its own make 1.5; etcd-io/etcd#7960 (3.1, a disk) has 3.2 to 4.1",
    ),
    "list_busy": (
        *(0.3, 0.1, 1, "", "choice"),
        "1.4 ms a MB and 2.3 us a key of CPU beside 8 ms a MB on a network of 1 Gbit/s, at a kilobyte a key",
    ),
}

# `raft_kept_after` entries stay after a trim. Just before one, there are `raft_kept_most` and, for each one of the
# snapshot count, `raft_kept_per_snapshot_count` more.
_UNTIL_3_5 = "server/etcdserver/server.go: DefaultSnapshotCatchUpEntries; trimmed once the snapshot count is exceeded"
_SINCE_3_6 = "server/etcdserver/server.go: memorySnapshotCount: trimmed every 100 entries, whatever the snapshot count"
_DEFAULT = "server/etcdserver/server.go: DefaultSnapshotCount"


def given(minor: str) -> dict[str, Coefficient]:
    """Return them for a minor version, such as `3.6`."""
    trims_at_count = minor in ("3.4", "3.5")
    log = {
        "raft_kept_after": 5_000,
        "raft_kept_most": 5_000 if trims_at_count else 5_100,
        "raft_kept_per_snapshot_count": 1 if trims_at_count else 0,
    }
    count = 100_000 if trims_at_count else 10_000
    source = _UNTIL_3_5 if trims_at_count else _SINCE_3_6
    return {
        **{
            name: Coefficient(*figure, *(("measured", _RAN) if minor == "3.5" else ("source", _TAKEN_OVER)))
            for name, figure in _ON_3_5_30.items()
        },
        **{name: Coefficient(*figure) for name, figure in _ALL.items()},
        **{name: Coefficient(value, value, value, "entries", "source", source) for name, value in log.items()},
        "default_snapshot_count": Coefficient(count, count, count, "entries", "source", _DEFAULT),
    }
