"""AWS's own list of instance types, as `aws ec2 describe-instance-types` prints it."""

from __future__ import annotations

import functools
import re

from etcdsize.catalog.architectures import ARCHITECTURES
from etcdsize.catalog.entries import Entry, Shape, quotient
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.provider_file import read_provider

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="aws",
    command="aws ec2 describe-instance-types",
    expected="an object with InstanceTypes, as aws ec2 describe-instance-types prints",
    name=("InstanceType", "Type", "Name", "machine_type"),
    telling=("VCpuInfo", "MemoryInfo", "EbsInfo", "ProcessorInfo"),
    lists=("InstanceTypes",),
    announces=("NextToken",),
)
# BurstablePerformanceSupported is false for t8i.
_BURSTABLE = re.compile(r"t[0-9].*")


def machine_of(entry: Entry) -> Machine | str:
    """Return the machine that an entry describes. EBS figures that it does not have are unknown."""
    vcpus = entry.vcpus("VCpuInfo.DefaultVCpus")
    memory_gib = entry.memory_gib("MemoryInfo.SizeInMiB", "MiB")
    if vcpus is None:
        return "no number of vCPUs"
    if memory_gib is None:
        return "no memory"
    family, _, size = entry.machine_type.partition(".")
    iops, burst_iops = _baseline_and_burst(entry, "Iops", None)
    throughput, burst_throughput = _baseline_and_burst(entry, "ThroughputInMBps", "BandwidthInMbps")
    return Machine(
        provider="aws",
        machine_type=entry.machine_type,
        family=family,
        vcpus=vcpus,
        memory_gib=memory_gib,
        concurrent_iops=iops,
        disk_mb_per_second=throughput,
        burst_concurrent_iops=burst_iops,
        burst_disk_mb_per_second=burst_throughput,
        local_nvme_gb=_local_nvme(entry),
        arch=_arch(entry),
        lifecycle=_lifecycle(entry, family),
        burstable=bool(entry.flag("BurstablePerformanceSupported")) or bool(_BURSTABLE.fullmatch(family)),
        flex=family.endswith("-flex"),
        gpu=entry.part("GpuInfo") is not None,
        bare_metal=bool(entry.flag("BareMetal")) or size.startswith("metal"),
        nitro=_nitro(entry),
        source=SHAPE.command,
    )


def _baseline_and_burst(entry: Entry, what: str, megabits: str | None) -> tuple[float | None, float | None]:
    """Return what a machine sustains, and its maximum where that is higher."""
    figures = []
    for kind in ("Baseline", "Maximum"):
        figure = entry.number(f"EbsInfo.EbsOptimizedInfo.{kind}{what}", f"ebs{kind}{what}")
        if figure is None and megabits is not None:
            bits = entry.number(f"EbsInfo.EbsOptimizedInfo.{kind}{megabits}")
            figure = None if bits is None else quotient(bits, 8)
        figures.append(figure)
    baseline, most = figures
    if baseline is not None and most is not None and most < baseline:
        entry.reject(f"EbsInfo.EbsOptimizedInfo.Maximum{what}", f"got {most}, expected the baseline {baseline} or more")
    return baseline, None if most == baseline else most


def _nitro(entry: Entry) -> bool | None:
    """Return whether a machine is of the Nitro system; bare metal has no hypervisor, and is not told."""
    hypervisor = entry.text("Hypervisor")
    return None if hypervisor is None else hypervisor == "nitro"


def _local_nvme(entry: Entry) -> float | None:
    """Return the NVMe storage: old instance stores are SSDs without NVMe, or spinning disks."""
    disks = entry.items("InstanceStorageInfo.Disks")
    if disks is None:
        return 0 if entry.flag("InstanceStorageSupported") is False else None
    total = 0
    for index, fields in enumerate(disks):
        if not isinstance(fields, dict) or fields.get("Type") not in ("ssd", "hdd"):
            entry.reject(f"InstanceStorageInfo.Disks.{index}", "expected an object with the Type ssd or hdd")
        size, count = fields.get("SizeInGB"), fields.get("Count", 1)
        if any(not isinstance(part, int) or isinstance(part, bool) or not 0 < part < 10**9 for part in (size, count)):
            entry.reject(f"InstanceStorageInfo.Disks.{index}", "expected SizeInGB and Count as whole numbers above 0")
        total += size * count if fields["Type"] == "ssd" else 0
    nvme = entry.text("InstanceStorageInfo.NvmeSupport")
    if not total or nvme == "unsupported":
        return 0
    return None if nvme is None else total


def _arch(entry: Entry) -> str | None:
    """Return the architecture, None for that of a Mac, which is neither of the two."""
    listed = entry.items("ProcessorInfo.SupportedArchitectures")
    if listed is None:
        # A --query may have chosen one of them.
        listed = [entry.text("SupportedArchitecture", "architecture", "arch")]
    return next((arch for arch in ARCHITECTURES if arch in listed), None)


def _lifecycle(entry: Entry, family: str) -> str | None:
    """Return our own reading where there is one: AWS's flag is false for r7g and true for m7g."""
    flag = entry.flag("CurrentGeneration")
    known = _lifecycles().get(family)
    return known or (None if flag is None else "current" if flag else "previous")


@functools.cache
def _lifecycles() -> dict[str | None, str | None]:
    return {machine.family: machine.lifecycle for machine in read_provider("aws").machines}
