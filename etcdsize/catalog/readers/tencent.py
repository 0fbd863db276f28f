"""Tencent Cloud's own list, as two calls of `tccli cvm` print it: one has a row a zone, the other one a way to pay too.

Neither says what a machine lets through to disks. The API wraps the same answer in `Response`.
"""

from __future__ import annotations

import re

from etcdsize.catalog.entries import Entry, Shape
from etcdsize.catalog.listing import NotOffered
from etcdsize.catalog.machines import Machine

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="tencent",
    command="tccli cvm DescribeInstanceTypeConfigs",
    expected=(
        "an object with InstanceTypeConfigSet or InstanceTypeQuotaSet, as tccli cvm DescribeInstanceTypeConfigs or "
        "DescribeZoneInstanceConfigInfos prints"
    ),
    name=("InstanceType", "machine_type"),
    telling=("FPGA", "Fpga", "InstanceChargeType"),
    lists=("InstanceTypeConfigSet", "InstanceTypeQuotaSet"),
    unsaid=("arch", "lifecycle", "local_nvme_gb"),
)
_ARM = re.compile(r"SR[0-9].*")
_X86 = re.compile(r"\b(Intel|AMD)\b")


def machine_of(entry: Entry) -> Machine | NotOffered | str:
    """Return the machine that an entry describes."""
    # CPU in one call, Cpu in the other.
    vcpus = entry.vcpus("CPU")
    memory_gib = entry.memory_gib("Memory", "GiB")
    if vcpus is None:
        return "no number of vCPUs"
    if memory_gib is None:
        return "no memory"
    if entry.text("Status") == "SOLD_OUT":
        return NotOffered("sold out")
    family = entry.text("InstanceFamily") or entry.machine_type.partition(".")[0]
    return Machine(
        provider=SHAPE.provider,
        machine_type=entry.machine_type,
        family=family,
        vcpus=vcpus,
        memory_gib=memory_gib,
        arch="arm64" if _ARM.fullmatch(family) else "x86_64" if _X86.search(entry.text("CpuType") or "") else None,
        gpu=entry.count("GpuCount") > 0 or entry.count("GPU") > 0,
        bare_metal=family.startswith("BM"),
        source=SHAPE.command,
    )
