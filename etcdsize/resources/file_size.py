"""The database file: what is in use, what the history adds, how large the file gets, and the quota that holds it."""

from __future__ import annotations

import math

from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES, SUGGESTED_QUOTA_BYTES
from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import LoadSums
from etcdsize.resources.terms import Figures, TermKind

__all__ = ["APPLIED_BYTES", "FILE_TERMS", "LEAST_HEADROOM", "QUOTA_HEADROOM", "file_figures", "seconds_until_full"]

QUOTA_HEADROOM = 0.25
"""How much larger than the file the quota is, as a share of it (our choice: it leaves time to act on an alert)."""
LEAST_HEADROOM = 0.05
"""How much larger it is at least, where more would pass the 8 GiB that etcd suggests.

Our choice: on real etcds, the files of 22 loads on 3.6 and of some on 3.4, 3.5 and 3.7 stayed within it. A load of
50 kB values in transactions filled 102 % of the file to provide for.
"""

_GIB = 2**30
# etcd-io/etcd server/etcdserver/raft.go, maxSizePerMsg: entries that are applied at once; a leaf has four of them.
APPLIED_BYTES = 4 * 2**20
_PACKING = "the table of bytes a revision: simulated, and measured within 3 %"

_IN_USE = (
    TermKind("keys", ("file_margin",), _PACKING),
    TermKind(
        "fragmentation", ("file_margin",), "pages that updates leave half empty: simulated, and measured within 5 %"
    ),
    TermKind("leases", ("lease_file",)),
    TermKind("fixed", ("file_fixed",)),
)
_HISTORY = TermKind("history", ("file_margin",), f"replaced and deleted revisions; {_PACKING}")
FILE_TERMS: dict[str, tuple[TermKind, ...]] = {
    "in_use_bytes": _IN_USE,
    "history_bytes": (_HISTORY,),
    "high_water_bytes": (
        TermKind("in use", (), "see in_use_bytes"),
        TermKind(
            "at the worst moment",
            ("file_margin",),
            "the file keeps its largest size: the keys as they were first written, or as updates left them at worst",
        ),
        _HISTORY,
        TermKind(
            "compaction",
            ("file_rewritten",),
            "pages that a batch of 1,000 revisions writes anew before the old ones are free: server/storage/mvcc, "
            "scheduleCompaction",
        ),
        TermKind("between runs of pages", ("file_runs",), "of values of 2 kB and more"),
        TermKind(
            "waiting pages",
            ("file_waiting",),
            "a page that a commit replaces is free once the readers before it have closed: "
            "server/storage/backend/batch_tx.go, unsafeCommit; etcd closes them while it commits, and applies up to a "
            "MiB of writes in a row",
        ),
        TermKind("reads", (), "pages that a snapshot keeps while others are written: the writes of its seconds"),
    ),
    "quota_bytes": (
        TermKind("file", (), "see high_water_bytes"),
        TermKind("headroom", (), f"{QUOTA_HEADROOM:.0%} of the file, less near 8 GiB", "choice"),
        TermKind(
            "rounding",
            (),
            "to whole GiB, and at least etcd's default of 2 GiB: a smaller quota saves nothing",
            "choice",
        ),
    ),
}


def file_figures(
    load: Load,
    sums: LoadSums,
    values: Coefficients,
    kept_bytes: float,
    largest_bytes: float,
    snapshot_seconds: float,
) -> Figures:
    """Return the figures of the file; `kept_bytes` is what the keys take after updates and compactions.

    `largest_bytes` is what they have taken at most so far.
    """
    kept_bytes *= values.file_margin
    history = sums.history_bytes * values.file_margin
    packed = min(sums.fresh_bytes * values.file_margin, kept_bytes)
    in_use = (packed, kept_bytes - packed, values.lease_file * load.leases, values.file_fixed)
    kept = math.fsum(in_use)
    high_water = (
        kept,
        largest_bytes * values.file_margin - kept_bytes,
        history,
        values.file_rewritten * sums.rewritten_bytes,
        values.file_runs * sums.run_bytes,
        _waiting_bytes(load, sums, values),
        sums.file_bytes_per_second * snapshot_seconds,
    )
    length = math.fsum(high_water)
    wanted = max(_wanted_quota(length), sums.data_bytes)
    rounded = max(DEFAULT_QUOTA_BYTES, math.ceil(wanted / _GIB) * _GIB)
    return {
        "in_use_bytes": in_use,
        "history_bytes": (history,),
        "high_water_bytes": high_water,
        "quota_bytes": (length, wanted - length, rounded - wanted),
    }


def _waiting_bytes(load: Load, sums: LoadSums, values: Coefficients) -> float:
    """Return the pages that commits have replaced, and that no commit can use again yet. [bytes]"""
    commits = values.file_waiting * min(1.0, max(1.0, load.puts_per_transaction) / load.puts_per_commit)
    pages, leaf = sums.replaced_pages
    # The writes that are applied in a row are at most so long, and each replaces the leaf that the one before it wrote.
    return commits * pages + min(commits * leaf, max(APPLIED_BYTES, leaf))


def _wanted_quota(file_bytes: float) -> float:
    """Return a quota with headroom for a file, within the 8 GiB that etcd suggests as long as the file fits. [bytes]"""
    return max(file_bytes * (1 + LEAST_HEADROOM), min(file_bytes * (1 + QUOTA_HEADROOM), float(SUGGESTED_QUOTA_BYTES)))


def seconds_until_full(figures: Figures, sums: LoadSums, quota_bytes: float) -> tuple[float, float]:
    """Return when the writes fill the quota from the file in use: without compaction, and with it. [s]

    Infinity: never.
    """
    room = max(0.0, quota_bytes - math.fsum(figures["in_use_bytes"]))
    rate = sums.file_bytes_per_second
    alone = room / rate if rate else math.inf if room else 0.0
    return alone, math.inf if math.fsum(figures["high_water_bytes"]) <= quota_bytes else alone
