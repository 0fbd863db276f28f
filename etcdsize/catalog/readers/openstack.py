"""The flavors of an OpenStack, as `openstack flavor list -f json` or Nova's API prints them.

OVH, Open Telekom Cloud, CTYun and private clouds have such a list. Names are free, and it has no architecture and no
figures of disks.
"""

from __future__ import annotations

from etcdsize.catalog.entries import Entry, Shape
from etcdsize.catalog.machines import Machine

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="openstack",
    command="openstack flavor list",
    expected="a list, as openstack flavor list -f json prints",
    name=("Name",),
    telling=("Ephemeral", "OS-FLV-EXT-DATA:ephemeral", "Is Public"),
    lists=("flavors",),
    announces=("flavors_links",),
    free_names=True,
    other_providers=True,
    unsaid=("family", "arch", "lifecycle", "local_nvme_gb"),
)


def machine_of(entry: Entry) -> Machine | str:
    """Return the machine that an entry describes. RAM is in MiB."""
    vcpus = entry.vcpus("VCPUs", as_text=True)
    memory_gib = entry.memory_gib("RAM", "MiB")
    if vcpus is None:
        return "no number of vCPUs"
    if memory_gib is None:
        return "no memory"
    return Machine(
        provider=SHAPE.provider,
        machine_type=entry.machine_type,
        vcpus=vcpus,
        memory_gib=memory_gib,
        source=SHAPE.command,
    )
