"""The coefficients that no row gives: from etcd's source, or our choice, each with its reason."""

from __future__ import annotations

from typing import Literal

from benchmarks.resources.experiment import Coefficient

__all__ = ["given"]

Figure = tuple[float, float, float, str, Literal["source", "choice"], str]

_ALL: dict[str, Figure] = {  # value, low, high, unit, how, source
    "heap_margin": (
        1.08,
        1.0,
        1.16,
        "",
        "choice",
        "the parts' sum was 0.90 to 1.02 of eight mixed loads on 3.5.30",
    ),
    "list_copies": (1, 1, 1.04, "", "source", "one marshalled answer stays while a client reads it slowly"),
    "defragment_keys": (10_000, 10_000, 10_000, "keys", "source", "backend.go: defragLimit"),
    "commit_fsyncs": (2, 2, 3, "", "source", "bbolt writes pages, then the meta page; once more where the file grows"),
}

# `raft_kept_after` entries stay after a trim. Just before one, 3.4 and 3.5 keep `raft_kept_most` more than the snapshot
# count; 3.6 and later keep `raft_kept_most`, whatever the snapshot count is.
_UNTIL_3_5 = "server.go: DefaultSnapshotCatchUpEntries; trimmed once the snapshot count is exceeded"
_SINCE_3_6 = "server.go: a snapshot in memory every 100 applied entries, after which 5,000 stay"


def given(minor: str) -> dict[str, Coefficient]:
    """Return them for a minor version, such as `3.6`."""
    most, source = (5_000, _UNTIL_3_5) if minor in ("3.4", "3.5") else (5_100, _SINCE_3_6)
    log: dict[str, Figure] = {
        "raft_kept_after": (5_000, 5_000, 5_000, "entries", "source", source),
        "raft_kept_most": (most, most, most, "entries", "source", source),
    }
    return {name: Coefficient(*figure) for name, figure in {**_ALL, **log}.items()}
