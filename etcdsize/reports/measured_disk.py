"""The report of a disk that fio measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etcdsize.etcd.fsync import WAL_FSYNC_P99_MS
from etcdsize.reports.layout import aligned, figure_text, page

if TYPE_CHECKING:
    from etcdsize.catalog.fio import MeasuredDisk

__all__ = ["render_measured_disk"]


def render_measured_disk(disk: MeasuredDisk) -> str:
    """Return what a disk sustains, beside what etcd needs of it."""
    rows = [
        ("concurrent IOPS", disk.concurrent_iops, ""),
        ("disk (MB/s)", disk.disk_mb_per_second, ""),
        ("sequential IOPS", disk.sequential_iops, "etcd needs 50, and 500 with 8 vCPUs and more"),
        ("p99 of fsync (ms)", disk.fsync_p99_ms, f"etcd needs {WAL_FSYNC_P99_MS:g} or less, and a load may need less"),
    ]
    lines = [(name, "not measured" if has is None else figure_text(has), note) for name, has, note in rows]
    return page(aligned([*lines, *([("measured with", disk.fio, "")] if disk.fio else [])]))
