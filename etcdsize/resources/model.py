"""One evaluation of the model: from a point of a load and one value of every coefficient to all figures."""

from __future__ import annotations

import math
from typing import NamedTuple

from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.cpu import CPU_TERMS, cpu_figures
from etcdsize.resources.disk import DISK_TERMS, DiskSpeed, disk_figures, wal_bytes_kept, writes_possible
from etcdsize.resources.file_size import FILE_TERMS, file_figures, seconds_until_full
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import LoadSums
from etcdsize.resources.memory import MEMORY_TERMS, memory_figures
from etcdsize.resources.network import NETWORK_TERMS, network_figures
from etcdsize.resources.seconds import SECONDS_TERMS, seconds_figures, snapshot_seconds
from etcdsize.resources.terms import Figures, TermKind

__all__ = ["GROUPS", "Case", "Evaluation", "evaluate", "file_of", "memory_of", "with_tls"]

GROUPS: dict[str, dict[str, tuple[TermKind, ...]]] = {
    "file": FILE_TERMS,
    "memory": MEMORY_TERMS,
    "disk": DISK_TERMS,
    "network": NETWORK_TERMS,
    "cpu": CPU_TERMS,
    "seconds": SECONDS_TERMS,
}
"""The terms of every figure, by group."""


class Case(NamedTuple):
    """What an evaluation assumes besides the load: one end of each range, or what lies between."""

    number: int
    """0: the low end. 1: likely. 2: the high end."""
    values: Coefficients
    disk: DiskSpeed
    """For how long operations take: the fast end at the low end."""
    loop_seconds: float
    """A pass of the raft loop with its fsync, for how many writes share one: the slow end at the low end."""
    entries: float
    """Entries in the raft log in memory. [count]"""
    watcher: float
    """The heap of a watcher. [bytes]"""
    snapshot_count: float
    """Entries between two snapshots on disk. [count]"""
    entries_since_snapshot: float
    """Entries since the last of them. [count]"""
    quota_bytes: float | None
    """The quota, if it is given."""
    together: tuple[float, float]
    """How many writes are under way at once: at the low end any number, at the high end one, and else one or more."""


class Evaluation(NamedTuple):
    """All figures of one case, by group."""

    groups: dict[str, Figures]
    sums: LoadSums
    writes_possible: float
    """Writes a second that the disk lets the clients complete. [1/s]"""

    def until_full(self, quota_bytes: float) -> tuple[float, float]:
        """Return when a quota is full, without compaction and with it. [s] Infinity: never."""
        return seconds_until_full(self.groups["file"], self.sums, quota_bytes)


def evaluate(load: Load, sums: LoadSums, case: Case) -> Evaluation:
    """Return all figures of a load in one case."""
    values = case.values
    file = file_of(load, sums, case)
    in_use = math.fsum(file["in_use_bytes"])
    length = math.fsum(file["high_water_bytes"])
    quota = math.fsum(file["quota_bytes"]) if case.quota_bytes is None else case.quota_bytes
    since = case.entries_since_snapshot if load.writes_per_second else min(case.entries_since_snapshot, sums.keys)
    groups = {
        "file": file,
        "memory": memory_of(load, sums, case, length),
        "disk": disk_figures(
            load,
            sums,
            values,
            quota,
            wal_bytes_kept(sums, values, case.snapshot_count),
            case.loop_seconds,
            case.together,
        ),
        "network": network_figures(load, sums, values),
        "cpu": cpu_figures(load, sums, values),
        "seconds": seconds_figures(load, sums, values, case.disk, length, in_use, since),
    }
    return Evaluation(groups, sums, writes_possible(load, values, case.disk.fsync_seconds))


def with_tls(evaluation: Evaluation, load: Load, case: Case) -> Evaluation:
    """Return an evaluation for a load that differs in its TLS alone, which counts in the memory and nowhere else."""
    length = math.fsum(evaluation.groups["file"]["high_water_bytes"])
    memory = memory_of(load, evaluation.sums, case, length)
    return Evaluation({**evaluation.groups, "memory": memory}, evaluation.sums, evaluation.writes_possible)


def file_of(load: Load, sums: LoadSums, case: Case) -> Figures:
    """Return the figures of the file in one case."""
    values = case.values
    kept = sums.kept_bytes[case.number]
    # Between updates the packing of the keys changes, and the file keeps the size of the worst moment.
    largest = max(kept, sums.kept_bytes[2] if case.number else sums.fresh_bytes)
    return file_figures(load, sums, values, kept, largest, snapshot_seconds(sums, values, case.disk))


def memory_of(load: Load, sums: LoadSums, case: Case, file_bytes: float) -> Figures:
    """Return the figures of the memory in one case, with a file of this length."""
    # Where nothing is written any more, what is there was written once.
    entries = case.entries if load.writes_per_second else min(case.entries, sums.keys)
    return memory_figures(load, sums, case.values, entries, case.watcher, file_bytes)
