"""DigitalOcean's own list, as `doctl compute size list -o json` or the API prints it.

It has no architecture, and does not say what a machine lets through to volumes.
"""

from __future__ import annotations

import re

from etcdsize.catalog.entries import Entry, Shape
from etcdsize.catalog.listing import NotOffered
from etcdsize.catalog.machines import Machine

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="digitalocean",
    command="doctl compute size list",
    expected="a list, as doctl compute size list -o json prints",
    name=("slug", "machine_type"),
    telling=("slug", "price_monthly"),
    lists=("sizes",),
    announces=("links.pages.next",),
    unsaid=("arch", "lifecycle"),
)
# General purpose, CPU-optimized, memory-optimized and storage-optimized. All others share their CPUs, or may.
_DEDICATED = re.compile(r"(g|gd|c|c2|m|m3|m6|so|so1_5)-.*")


def machine_of(entry: Entry) -> Machine | NotOffered | str:
    """Return the machine that an entry describes. Its memory is in MiB."""
    vcpus = entry.vcpus("vcpus")
    memory_gib = entry.memory_gib("memory", "MiB")
    if vcpus is None:
        return "no number of vCPUs"
    if memory_gib is None:
        return "no memory"
    if entry.flag("available") is False:
        return NotOffered("not available")
    name = entry.machine_type
    return Machine(
        provider=SHAPE.provider,
        machine_type=name,
        family=name.partition("-")[0],
        vcpus=vcpus,
        memory_gib=memory_gib,
        shared_core=not _DEDICATED.fullmatch(name),
        source=SHAPE.command,
    )
