"""Azure's own list, as `az vm list-skus` or the API of resource SKUs prints it: figures are names and texts."""

from __future__ import annotations

import functools
import re
from typing import Any

from etcdsize.catalog.entries import Entry, Shape, kind_of
from etcdsize.catalog.listing import NotOffered
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.provider_file import read_provider

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="azure",
    command="az vm list-skus",
    expected="a list, as az vm list-skus --output json prints",
    name=("name", "machine_type", "vmSize"),
    telling=("capabilities", "resourceType", "UncachedDiskIOPS"),
    lists=("value", "data"),
    announces=("nextLink",),
    unsaid=("local_nvme_gb",),
)
_ARCHITECTURES = {"x64": "x86_64", "Arm64": "arm64"}
# Standard_D2ads_v5 is of the family Dadsv5, and Standard_M8-2ms of Mms.
_SIZE = re.compile(r"Standard_([A-Z]+)[0-9]+(?:-[0-9]+)?([a-z]*)(?:_.*?)??(?:_(v[0-9]+))?")
_BURSTABLE = re.compile(r"Standard_B[0-9].*")


def machine_of(entry: Entry) -> Machine | NotOffered | str:
    """Return the machine that an entry describes, with its limits for uncached disks."""
    kind = entry.text("resourceType")
    if kind not in (None, "virtualMachines"):
        return NotOffered("not a virtual machine")
    figures = _capabilities(entry)
    # Constrained sizes have fewer vCPUs than their machine.
    vcpus = figures.vcpus("vCPUsAvailable", as_text=True) or figures.vcpus("vCPUs", as_text=True)
    memory_gib = figures.memory_gib("MemoryGB", "GiB", as_text=True)
    if vcpus is None:
        return "no number of vCPUs"
    if memory_gib is None:
        return "no memory"
    if figures.text("PremiumIO") == "False":
        return NotOffered("takes no premium disks")
    if any(isinstance(each, dict) and each.get("type") == "Location" for each in entry.items("restrictions") or ()):
        return NotOffered("not available to this subscription")
    name = entry.machine_type
    size = _SIZE.fullmatch(name)
    family = None if size is None else "".join(part or "" for part in size.groups())
    arch, lifecycle = _families().get(family, (None, None))
    stated = figures.text("CpuArchitectureType", "architecture", "arch")
    bytes_per_second = figures.number("UncachedDiskBytesPerSecond", as_text=True)
    return Machine(
        provider=SHAPE.provider,
        machine_type=name,
        family=family,
        vcpus=vcpus,
        memory_gib=memory_gib,
        concurrent_iops=figures.number("UncachedDiskIOPS", as_text=True),
        disk_mb_per_second=None if bytes_per_second is None else bytes_per_second / 1e6,
        arch=arch if stated is None else _ARCHITECTURES.get(stated),
        lifecycle=lifecycle,
        burstable=bool(_BURSTABLE.fullmatch(name)),
        gpu=figures.text("GPUs") not in (None, "0"),
        source=SHAPE.command,
    )


def _capabilities(entry: Entry) -> Entry:
    """Return the capabilities as an entry of their own; those that a --query took out stand in the entry itself."""
    listed = entry.items("capabilities")
    if listed is None:
        return entry
    found: dict[str, Any] = {}
    for index, one in enumerate(listed):
        # An export of Azure Resource Graph writes key and value.
        name = one.get("name", one.get("key")) if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(name, str):
            entry.reject(f"capabilities.{index}", f"got {kind_of(one)}, expected an object with name and value")
        if found.setdefault(name, one.get("value")) != one.get("value"):
            entry.reject(f"capabilities.{index}", f"expected {name} with one value")
    return entry.within(found)


@functools.cache
def _families() -> dict[str | None, tuple[str | None, str | None]]:
    return {machine.family: (machine.arch, machine.lifecycle) for machine in read_provider("azure").machines}
