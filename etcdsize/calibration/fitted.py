"""From what the experiments measured to the coefficients of the model."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from etcdsize.resources.calibrated_model import CalibratedDisk
from etcdsize.resources.coefficients import Coefficient, CoefficientTable

__all__ = ["disk_of", "fitted"]

Runs = Mapping[str, Sequence[float]]
"""What the runs of an experiment measured, by name."""

_AS_MEASURED = {
    "cpu_put": "32 clients, values of 100 B",
    "cpu_put_kb": "values of 10 kB",
    "cpu_put_alone": "one client, beside what a write of many takes",
    "cpu_get": "64 clients, linearizable",
    "cpu_list_mb": "values of 2 kB",
    "cpu_list_key": "values of 100 B",
    "heap_base": "live heap of an idle member",
    "stack_base": "an idle member",
    "index_per_key": "keys of 64 B in order, beside the key's size class",
    "write_wait_fsyncs": "8 and 32 clients",
    "wal_loop_seconds": "32 clients",
}
# How far a figure that was measured so few times may be off (our choice): heaps are steady, time is not.
_STEADY, _UNSTEADY = 1.05, 1.25
_HEAPS = {"heap_base", "stack_base", "index_per_key"}
# No disk takes less for an fsync; in a folder in memory, it takes about a microsecond (our choice). [s]
_SHORTEST_FSYNC = 10e-6


class _Known(NamedTuple):
    """Values of a coefficient, one for each run, and what they are of."""

    values: Sequence[float]
    note: str


def disk_of(runs: Runs) -> CalibratedDisk | None:
    """Return the disk, if both its bandwidth and its fsyncs were measured, and the folder was on a disk."""
    if not {"mb_per_second", "fsync_seconds"} <= runs.keys() or min(runs["fsync_seconds"]) < _SHORTEST_FSYNC:
        return None
    names = ("mb_per_second", "fsync_seconds", "fsync_p99_seconds")
    # Other programs only slow it down.
    bandwidth, fsync, p99 = max(runs[names[0]]), min(runs[names[1]]), min(runs[names[2]])
    return CalibratedDisk(
        mb_per_second=_rounded(bandwidth), fsync_seconds=_rounded(fsync), fsync_p99_seconds=_rounded(max(fsync, p99))
    )


def fitted(runs: Runs, ours: CoefficientTable, version: str, date: str) -> dict[str, Coefficient]:
    """Return the coefficients that the runs give; what was not measured is not among them."""
    known = {name: _Known(runs[name], note) for name, note in _AS_MEASURED.items() if name in runs}
    disk = disk_of(runs)
    if disk is not None and "file_mb" in runs:
        known |= _durations(runs, ours, disk)
    return {
        name: _coefficient(name, one, ours.coefficients[name].unit, f"calibrated on {version}, {date}: {one.note}")
        for name, one in known.items()
    }


def _durations(runs: Runs, ours: CoefficientTable, disk: CalibratedDisk) -> dict[str, _Known]:
    """Return the coefficients of operations: with the disk that was measured, they give the time that was measured."""
    values = ours.spread.likely
    each = [dict(zip(_OF_THE_FILE, run)) for run in zip(*(runs[name] for name in _OF_THE_FILE))]
    a_mb = 1 / disk.mb_per_second
    # The shortest of several restarts waits for a tick, whatever is stored.
    start = min(runs.get("empty_restart_seconds", [ours.spread.low.election]))
    commit = values.commit_fsyncs * disk.fsync_seconds
    found: dict[str, list[float]] = {name: [] for name in _FROM_THE_FILE}
    for run in each:
        # The processor's part of a defragmentation, and what the disk adds.
        took, in_use = run["defragment_seconds"], run["in_use_mb"]
        busy = min(took, run["defragment_cpu_seconds"])
        found["defragment_per_mb"].append(busy / in_use)
        found["defragment_copies"].append((took - busy) / in_use / a_mb)
        # A batch waits for its commits. Where that is more than all of it took, commits wait for less.
        waits = min(run["compaction_commits"] * commit, run["batch_seconds"])
        found["compaction_commits"].append(waits / commit)
        # What the values take is ours.
        scan = run["file_mb"] * values.compaction_per_mb / run["batches"]
        found["compaction_per_batch"].append(max(0.0, run["batch_seconds"] - waits - scan))
        found["snapshot_per_mb"].append(max(0.0, run["snapshot_seconds"] / run["file_mb"] - a_mb))
        # Two costs cannot be told apart in one file: both are as much more as the restart is.
        expected = run["revisions"] * values.restart_per_revision + run["file_mb"] * values.restart_per_mb
        share = max(0.0, run["restart_seconds"] - start - run["file_mb"] * a_mb) / expected
        found["restart_per_revision"].append(values.restart_per_revision * share)
        found["restart_per_mb"].append(values.restart_per_mb * share)
    size = f"a file of {each[0]['file_mb']:.0f} MB, what the disk takes is counted apart"
    return {name: _Known(one, size) for name, one in found.items()}


_OF_THE_FILE = (
    "defragment_seconds",
    "defragment_cpu_seconds",
    "in_use_mb",
    "file_mb",
    "revisions",
    "batches",
    "batch_seconds",
    "compaction_commits",
    "snapshot_seconds",
    "restart_seconds",
)
_FROM_THE_FILE = (
    "defragment_per_mb",
    "defragment_copies",
    "compaction_commits",
    "compaction_per_batch",
    "snapshot_per_mb",
    "restart_per_revision",
    "restart_per_mb",
)


def _coefficient(name: str, known: _Known, unit: str, source: str) -> Coefficient:
    is_heap, count = name in _HEAPS, len(known.values)
    # Other programs only add to times.
    chosen, how = (statistics.median(known.values), "median") if is_heap else (min(known.values), "least")
    margin = _STEADY if is_heap else _UNSTEADY
    return Coefficient(
        value=_rounded(chosen),
        low=_rounded(min(known.values) / margin),
        high=_rounded(max(known.values) * margin),
        unit=unit,
        how="calibrated",
        source=f"{source}; the {how} of {count}, the range is our choice",
    )


def _rounded(value: float) -> float:
    """Return a value in five digits."""
    return float(f"{value:.5g}")
