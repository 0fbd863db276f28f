"""What a load itself needs of a machine and a disk, by the measured model, beside what the guide gives its tier.

This is the one place that turns figures of the model into those of a machine.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES, quota_text
from etcdsize.fitting.need import DiskNeed, Need
from etcdsize.resources.resources import resources_for
from etcdsize.resources.resources_text import cores_text, quantity_text
from etcdsize.tiers import TierTable
from etcdsize.units import DIMENSIONS
from etcdsize.workload import Workload

if TYPE_CHECKING:
    from etcdsize.resources.resources import Resources

__all__ = [
    "LEAST_VCPUS",
    "SYSTEM_GIB",
    "disk_need",
    "disk_need_for",
    "file_text",
    "load_need",
    "memory_text",
    "tier_disk",
]

SYSTEM_GIB = 1
"""What the operating system, its services and the monitoring take beside etcd (our choice). [GiB]"""
LEAST_VCPUS = 2
"""etcd-io/website content/en/docs/v3.5/op-guide/hardware.md: typical clusters need two to four cores. [count]"""
_GIB = 2**30
# How many parts of a figure a line names, and the smallest share of it (our choices).
_PARTS = 3
_LEAST_SHARE = 0.01
# A count of a model is below 2^63.
_MOST = 2**62


def load_need(tier: str, data_bytes: float, resources: Resources) -> Need:
    """Return what a load needs of a machine; `tier` is the guide's tier for it.

    The CPU is what a leader takes that serves all clients, in whole vCPUs. The memory is the limit of the process and a
    GiB for the system. The disk completes the fsyncs, and takes what is written.
    """
    disk = resources.disk
    cores = resources.cpu.leader_cores.need
    written = disk.wal_bytes_per_second.need + disk.backend_bytes_per_second.need
    return Need(
        tier=tier,
        vcpus=max(LEAST_VCPUS, _whole(cores)),
        memory_gib=math.ceil(resources.memory.limit_bytes.need / _GIB * 10) / 10 + SYSTEM_GIB,
        concurrent_iops=max(1, _whole(disk.fsyncs_per_second.need)),
        disk_mb_per_second=max(1, _whole(written / 1e6)),
        fsync_p99_ms=disk.fsync_p99_seconds.need * 1000,
        data_bytes=data_bytes,
        disk=disk_need(resources),
        because={
            "vcpus": f"{cores_text(cores)} of the machine that the model was measured on",
            "memory_gib": f"{memory_text(resources)} plus {SYSTEM_GIB} GiB for the system",
            "concurrent_iops": "an fsync each",
            "disk_mb_per_second": "the log and the database",
        },
        source=f"the {'measured' if resources.model is None else 'calibrated'} model, etcd {resources.etcd_version}",
    )


def disk_need(resources: Resources) -> DiskNeed:
    """Return the disk that a load needs."""
    quota, volume = resources.quota_bytes, resources.disk.volume_bytes.need
    size = math.ceil(volume / _GIB)
    rest = quantity_text("_bytes", volume - 3 * quota)
    because = (
        f"{quota_text(quota)} quota, the same again for a snapshot and a defragmentation, {rest} for WAL and free space"
    )
    return DiskNeed(size_gib=size, quota_bytes=quota, because=f"{because}: {size} GiB")


@functools.lru_cache(maxsize=64)
def disk_need_for(data_bytes: float, clients: float | None = None, requests: float | None = None) -> DiskNeed:
    """Return the disk that a load needs of which nothing else is known; `requests` are those per second."""
    load = Workload(clients=clients, requests_per_second=requests, data_bytes=data_bytes)
    return disk_need(resources_for(load))


def tier_disk(tier: str, tiers: TierTable) -> DiskNeed:
    """Return the disk for the largest load of a tier, so that a cluster can grow within it."""
    code = tiers.names.index(tier)
    clients, requests = (tiers.reference(code, name).limit for name in DIMENSIONS[:2])
    bound = tiers.tiers[code].data_bytes
    return disk_need_for(SUGGESTED_QUOTA_BYTES if bound is None else bound.limit, clients, requests)


def memory_text(resources: Resources) -> str:
    """Return the memory limit of the process with its largest parts, in one line."""
    memory = resources.memory
    parts = {
        "file": resources.file.high_water_bytes.need,
        "index": memory.index_bytes.need,
        "raft log": memory.raft_log_bytes.need,
        "connections": memory.connections_bytes.need,
        "watches": memory.watches_bytes.need,
        "leases": memory.leases_bytes.need,
        "largest commit": memory.largest_commit_bytes.need,
        "lists": memory.lists_bytes.need,
        "garbage": memory.garbage_bytes.need,
        "stacks": memory.stacks_bytes.need,
    }
    return _parts_text(memory.limit_bytes.need, parts)


def file_text(resources: Resources) -> str:
    """Return how large the file gets, with its largest parts, in one line."""
    file = resources.file
    parts = {"in use": file.in_use_bytes.need, "history": file.history_bytes.need}
    return _parts_text(file.high_water_bytes.need, parts)


def _parts_text(total: float, parts: Mapping[str, float]) -> str:
    """Return an amount of bytes with its largest parts, such as `3.5 GB (2.6 GB lists, 900 MB file)`."""
    largest = dict(sorted(parts.items(), key=lambda part: -part[1])[:_PARTS])
    largest["other"] = total - math.fsum(largest.values())
    named = [f"{quantity_text('_bytes', size)} {name}" for name, size in largest.items() if size > _LEAST_SHARE * total]
    return f"{quantity_text('_bytes', total)} ({', '.join(named)})"


def _whole(value: float) -> int:
    """Return a number rounded up, as a count."""
    return min(math.ceil(value), _MOST)
