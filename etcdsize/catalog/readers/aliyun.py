"""Alibaba Cloud's own list, as `aliyun ecs DescribeInstanceTypes` prints it.

It does not say what a machine lets through to disks.
"""

from __future__ import annotations

import re

from etcdsize.catalog.entries import Entry, Shape
from etcdsize.catalog.machines import Machine

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="alibaba",
    command="aliyun ecs DescribeInstanceTypes",
    expected="an object with InstanceTypes.InstanceType, as aliyun ecs DescribeInstanceTypes prints",
    name=("InstanceTypeId", "machine_type"),
    telling=("InstanceTypeId", "CpuCoreCount", "InstanceTypeFamily"),
    lists=("InstanceTypes.InstanceType",),
    announces=("NextToken",),
    unsaid=("arch", "lifecycle", "local_nvme_gb"),
)
_ARCHITECTURES = {"X86": "x86_64", "ARM": "arm64"}
# The level of a family says it in newer answers.
_BURSTABLE = re.compile(r"t[0-9].*")
_SHARED = ("e", "u1", "n4", "xn4", "s6")
_WHOLE_SERVER = ("ebm", "scc")


def machine_of(entry: Entry) -> Machine | str:
    """Return the machine that an entry describes."""
    vcpus = entry.vcpus("CpuCoreCount")
    memory_gib = entry.memory_gib("MemorySize", "GiB")
    if vcpus is None:
        return "no number of vCPUs"
    if memory_gib is None:
        return "no memory"
    family = (entry.text("InstanceTypeFamily") or entry.machine_type.rpartition(".")[0]).removeprefix("ecs.")
    level = entry.text("InstanceFamilyLevel")
    stated = entry.text("CpuArchitecture", "architecture", "arch")
    # Old answers leave the amount out where there are none.
    has_local = bool(entry.part("LocalStorageAmount")) or bool(entry.text("LocalStorageCategory"))
    says_local = entry.part("LocalStorageAmount") is not None or entry.part("LocalStorageCategory") is not None
    return Machine(
        provider=SHAPE.provider,
        machine_type=entry.machine_type,
        family=family or None,
        vcpus=vcpus,
        memory_gib=memory_gib,
        local_nvme_gb=0 if says_local and not has_local else None,
        arch=None if stated is None else _ARCHITECTURES.get(stated),
        burstable=level == "CreditEntryLevel" or bool(_BURSTABLE.fullmatch(family)),
        shared_core=level == "EntryLevel" or family in _SHARED,
        gpu=entry.count("GPUAmount") > 0,
        bare_metal=family.startswith(_WHOLE_SERVER),
        source=SHAPE.command,
    )
