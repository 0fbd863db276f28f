"""The coefficients that no row gives: from etcd's source, or our choice, each with its reason."""

from __future__ import annotations

from typing import Literal

from benchmarks.resources.experiment import Coefficient

__all__ = ["given"]

_Figure = tuple[float, float, float, str, Literal["source", "choice"], str]

_ALL: dict[str, _Figure] = {
    "defragment_keys": (10_000, 10_000, 10_000, "keys", "source", "server/storage/backend/backend.go: defragLimit"),
    "defragment_copies": (
        2,
        1.5,
        2.2,
        "",
        "source",
        "the file is read, and its copy written and synced: backend.go, defrag",
    ),
    "wal_margin": (
        *(1, 0.97, 1.03, "", "choice"),
        "the rate of writes is never kept exactly: loads that nothing was fitted to wrote 0.98 to 1.00 of the sum",
    ),
    "heap_margin": (
        *(1.04, 0.98, 1.1, "", "choice"),
        "mixed loads on 3.5.30 took 0.98 to 1.10 of the sum of the parts",
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
        **{name: Coefficient(*figure) for name, figure in _ALL.items()},
        **{name: Coefficient(value, value, value, "entries", "source", source) for name, value in log.items()},
        "default_snapshot_count": Coefficient(count, count, count, "entries", "source", _DEFAULT),
    }
