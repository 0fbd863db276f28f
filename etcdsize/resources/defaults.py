"""What is assumed for a figure of a load of which nothing is known, and why.

The ranges are wide on purpose. A narrower one needs a figure of the cluster.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "DEFAULTS",
    "GAPS_OF_RUNS",
    "LEAST_HISTORY_SECONDS",
    "LIKELY_REQUESTS",
    "MOST_EVENTS",
    "MOST_HISTORY_BYTES",
    "MOST_HISTORY_SECONDS",
    "MOST_REQUESTS",
    "SHARE_OF_WRITES",
    "Default",
]

_OURS = "our choice"
_GUIDE = "the guide's bounds of a small and of a large cluster; our choice to take them"


class Default(NamedTuple):
    """What is assumed for a figure, and why."""

    low: float
    likely: float
    high: float
    why: str
    source: str = _OURS


DEFAULTS: dict[str, Default] = {
    "clients": Default(
        1, 100, 1_500, "clients is not given: a small cluster has up to 100, a large one up to 1,500", _GUIDE
    ),
    "data_bytes": Default(
        1e6,
        100e6,
        2.0 * 2**30,
        "neither data_bytes nor keys is given: a small cluster has up to 100 MB, and etcd's default quota allows 2 GiB",
        "the guide; etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md; our choice of the low end",
    ),
    "key_bytes": Default(
        16,
        50,
        256,
        "keys have 50 bytes on average in Kubernetes, and 16 to 256 in measurements of etcd",
        "kubernetes/kubernetes#132355; our choice of the ends",
    ),
    "value_bytes": Default(
        100,
        1_000,
        20_000,
        "averages reach from 100 bytes to the 10 to 20 kB of Kubernetes' pods",
        "kubernetes/kubernetes#22332 for the high end; our choice",
    ),
    "puts_per_transaction": Default(1, 1, 3, "a write changes one key unless transactions change several"),
    "puts_per_commit": Default(
        1,
        10,
        100,
        "etcd commits ten times a second: slow writers put one key into a commit, which takes most, busy ones many",
        "etcd-io/etcd server/storage/backend/backend.go, defaultBatchInterval; our choice of the ends",
    ),
    "concurrent_lists": Default(
        0,
        1,
        10,
        "one list at a time is usual, and ten lists of everything have been reported",
        "kubernetes/kubernetes#107325 for the high end; our choice",
    ),
    "list_keys": Default(0, 1_000, 0, "lists usually have up to 1,000 keys, and without a limit they have all keys"),
    "largest_value_bytes": Default(
        0,
        10,
        1.5 * 2**20,
        "the largest value is ten times the average, and etcd accepts requests of up to 1.5 MiB",
        "etcd-io/etcd server/embed/config.go, DefaultMaxRequestBytes, for the high end; our choice",
    ),
    "tls": Default(0, 1, 1, "clients usually connect with TLS"),
    "keys_per_lease": Default(1, 1, 10, "a lease usually has one key"),
    "lease_ttl_seconds": Default(10, 60, 3_600, "leases live from ten seconds to an hour; short ones take more"),
}
"""The assumptions by field. The high end of `list_keys` is all keys; the likely `largest_value_bytes` is a factor."""

SHARE_OF_WRITES = 0.1
"""Writes among requests of which nothing else is known (our choice)."""
MOST_REQUESTS, LIKELY_REQUESTS = 10_000.0, 200.0
"""Requests that are unknown: a small cluster of the guide has below 200 a second, a large one below 10,000. [1/s]"""

MOST_HISTORY_BYTES = 2.0 * 2**30
"""The history that is kept by default where the writes are many: compaction then comes more often. [bytes] Our choice:
as much as etcd's default quota."""
MOST_EVENTS = 1e6
"""The watch events that are assumed at most, however many keys are written and streams there are. [1/s] Our choice: at
the 6 to 12 us that each takes (measured), as many keep the guide's largest machine, of 16 vCPUs, busy."""
GAPS_OF_RUNS = 0.2
"""What history of long values leaves unused between its pages, as a share of it, where few puts share a commit: it
counts in those bytes. [1] Our choice: more than the coefficient `file_runs`, so that more writes never keep less."""
MOST_HISTORY_SECONDS, LEAST_HISTORY_SECONDS = 7_200.0, 600.0
"""The most history that is kept with a compaction each hour, and what is kept in any case, as Kubernetes does. [s]"""
