"""Hetzner Cloud's own list, as `hcloud server-type list -o json` or the API prints it.

Huawei Cloud's program is called hcloud too. The list does not say what a machine's disks sustain.
"""

from __future__ import annotations

from etcdsize.catalog.entries import Entry, Shape
from etcdsize.catalog.machines import Machine

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="hetzner",
    command="hcloud server-type list",
    expected="a list, as hcloud server-type list -o json of Hetzner Cloud prints",
    name=("name", "server_type", "machine_type"),
    telling=("cpu_type", "storage_type"),
    lists=("server_types",),
    announces=("meta.pagination.next_page",),
    unsaid=("lifecycle",),
)
_ARCHITECTURES = {"x86": "x86_64", "arm": "arm64"}


def machine_of(entry: Entry) -> Machine | str:
    """Return the machine that an entry describes. Its cores are vCPUs."""
    vcpus = entry.vcpus("cores")
    memory_gib = entry.memory_gib("memory", "GiB")
    if vcpus is None:
        return "no number of vCPUs"
    if memory_gib is None:
        return "no memory"
    stated = entry.text("architecture", "arch")
    deprecated = bool(entry.flag("deprecated")) or entry.part("deprecation") is not None
    return Machine(
        provider=SHAPE.provider,
        machine_type=entry.machine_type,
        family=entry.machine_type.rstrip("0123456789") or None,
        vcpus=vcpus,
        memory_gib=memory_gib,
        arch=None if stated is None else _ARCHITECTURES.get(stated),
        lifecycle="previous" if deprecated else None,
        shared_core=entry.text("cpu_type") != "dedicated",
        source=SHAPE.command,
    )
