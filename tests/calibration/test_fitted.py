"""What the runs of a calibration say about the disk."""

from __future__ import annotations

import pytest

from etcdsize.calibration.fitted import disk_of, fitted
from etcdsize.resources.coefficients import load_coefficients

FILE = {
    **{"defragment_seconds": [0.3], "defragment_cpu_seconds": [0.2], "in_use_mb": [60], "file_mb": [90]},
    **{"revisions": [50_000], "batches": [50], "batch_seconds": [0.02], "compaction_commits": [2]},
    **{"snapshot_seconds": [0.3], "restart_seconds": [1.5]},
}


@pytest.mark.parametrize(("fsync_seconds", "is_known"), [(1.1e-6, False), (9e-6, False), (20e-6, True), (2e-3, True)])
def test_a_folder_in_memory_is_no_disk(fsync_seconds: float, is_known: bool) -> None:
    """Its fsyncs take about a microsecond: by these, the clients would complete millions of writes a second."""
    runs = {"mb_per_second": [900], "fsync_seconds": [fsync_seconds], "fsync_p99_seconds": [1e-3], **FILE}
    assert (disk_of(runs) is not None) == is_known
    found = fitted(runs, load_coefficients("3.6"), "3.6.16", "2026-11-27")
    assert ("defragment_copies" in found) == ("restart_per_mb" in found) == is_known
