"""Oracle Cloud's own list of shapes, as `oci compute shape list` or the API prints it: a row an availability domain.

It does not say what a machine lets through to block volumes.
"""

from __future__ import annotations

import re

from etcdsize.catalog.entries import Entry, Shape
from etcdsize.catalog.listing import NotOffered
from etcdsize.catalog.machines import Machine

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="oci",
    command="oci compute shape list",
    expected="an object with data, as oci compute shape list prints",
    name=("shape", "machine_type"),
    telling=("ocpus", "memory-in-gbs", "memoryInGBs"),
    lists=("data",),
    announces=("opc-next-page",),
    unsaid=("lifecycle", "local_nvme_gb"),
)
_X86 = re.compile(r"\b(Intel|AMD)\b")
_VCPUS_AN_OCPU = 2


def machine_of(entry: Entry) -> Machine | NotOffered | str:
    """Return the machine that an entry describes: an OCPU is two vCPUs on x86, and unverified on Ampere."""
    if entry.field("is-flexible")[1] is True:
        return NotOffered("flexible: its size is chosen when it is created")
    ocpus = entry.number("ocpus")
    memory_gib = entry.memory_gib("memory-in-gbs", "GiB", "memoryingbs")
    if ocpus is None:
        return "no number of OCPUs"
    if memory_gib is None:
        return "no memory"
    processor = entry.text("processor-description", "processordescription") or ""
    if not _X86.search(processor):
        return "no verified number of vCPUs for an OCPU of its processor"
    vcpus = ocpus * _VCPUS_AN_OCPU
    if vcpus != int(vcpus):
        return "no whole number of vCPUs"
    name = entry.machine_type
    return Machine(
        provider=SHAPE.provider,
        machine_type=name,
        family=name.rpartition(".")[0] or None,
        vcpus=int(vcpus),
        memory_gib=memory_gib,
        arch="x86_64",
        shared_core=entry.field("is-subcore")[1] is True,
        gpu=entry.count("gpus") > 0,
        bare_metal=name.startswith("BM."),
        source=SHAPE.command,
    )
