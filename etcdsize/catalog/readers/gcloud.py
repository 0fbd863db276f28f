"""Google Cloud's own list, as `gcloud compute machine-types list --format=json` or the Compute API prints it.

The list has each type once for each zone. It does not cover network disks: a machine's limits for them come from a
table of rules, and are unknown for a family that is not in it.
"""

from __future__ import annotations

import functools

from etcdsize.catalog.disks import DiskLimit
from etcdsize.catalog.entries import Entry, Shape
from etcdsize.catalog.gce_limits import disk_limits
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.provider_file import read_provider

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="gce",
    command="gcloud compute machine-types list",
    expected="a list, as gcloud compute machine-types list --format=json prints",
    name=("name", "machine_type", "type"),
    telling=("guestCpus", "memoryMb", "maximumPersistentDisks", "selfLink"),
    lists=("items", "items.*.machineTypes"),
    announces=("nextPageToken",),
)
_SHARED_CORE = ("f1-micro", "g1-small", "e2-micro", "e2-small", "e2-medium")
# One bundled partition has 375 GB in these families; it may be larger in others.
_PARTITION_GB = {"c3": 375, "c3d": 375}
_ARCHITECTURES = {"X86_64": "x86_64", "ARM64": "arm64"}


def machine_of(entry: Entry) -> Machine | str:
    """Return the machine that an entry describes."""
    vcpus = entry.vcpus("guestCpus")
    # The field is called memoryMb, but counts MiB.
    memory_gib = entry.memory_gib("memoryMb", "MiB")
    if vcpus is None:
        return "no number of vCPUs"
    if memory_gib is None:
        return "no memory"
    name = entry.machine_type
    family = name.partition("-")[0]
    shared_core = bool(entry.flag("isSharedCpu")) or name in _SHARED_CORE
    arch, lifecycle = _families().get(family, (None, None))
    stated = entry.text("architecture")
    state = entry.text("deprecated.state")
    return Machine(
        provider="gce",
        machine_type=name,
        family=family,
        vcpus=vcpus,
        memory_gib=memory_gib,
        disk_limits=disk_limits(family, name, vcpus, shared_core=shared_core) or _kinds_alone(family),
        local_nvme_gb=_local_nvme(entry, family),
        arch=arch if stated in (None, "ARCHITECTURE_UNSPECIFIED") else _ARCHITECTURES.get(stated),
        lifecycle="previous" if state not in (None, "ACTIVE") else lifecycle,
        shared_core=shared_core,
        gpu=bool(entry.items("accelerators")),
        bare_metal=name.endswith("-metal"),
        source=SHAPE.command,
    )


def _local_nvme(entry: Entry, family: str) -> float | None:
    """Return the local disks that come with the type; those that can be added to it do not count."""
    partitions = entry.whole("bundledLocalSsds.partitionCount")
    interface = entry.text("bundledLocalSsds.defaultInterface")
    if partitions is None:
        return None if entry.machine_type.endswith("-lssd") else 0
    if interface not in (None, "NVME"):
        return 0
    size = _PARTITION_GB.get(family)
    return None if size is None else size * partitions


@functools.cache
def _families() -> dict[str | None, tuple[str | None, str | None]]:
    """Return architecture and lifecycle by family: the list has no lifecycle, and no architecture for some."""
    return {machine.family: (machine.arch, machine.lifecycle) for machine in read_provider("gce").machines}


@functools.cache
def _kinds_alone(family: str) -> tuple[DiskLimit, ...]:
    """Return the kinds of disk that a family takes, where that is all that our own rows of it say."""
    rows = [machine for machine in read_provider("gce").machines if machine.family == family]
    limits = [limit for machine in rows for limit in machine.disk_limits]
    if any(limit.concurrent_iops is not None for limit in limits):
        return ()
    return tuple(DiskLimit(kind=kind) for kind in dict.fromkeys(limit.kind for limit in limits))
