"""Huawei Cloud's own list, as `hcloud ECS ListFlavors` of KooCLI prints it.

Hetzner's program is called hcloud too. The list also has flavors that are sold out or given up, and does not say what a
machine lets through to disks.
"""

from __future__ import annotations

import re

from etcdsize.catalog.entries import Entry, Shape
from etcdsize.catalog.listing import NotOffered
from etcdsize.catalog.machines import Machine

__all__ = ["SHAPE", "machine_of"]

SHAPE = Shape(
    provider="huawei",
    command="hcloud ECS ListFlavors",
    expected="an object with flavors, as hcloud ECS ListFlavors of Huawei Cloud prints",
    name=("name", "id", "flavor_id", "machine_type"),
    telling=("os_extra_specs",),
    lists=("flavors", "body.flavors"),
    other_providers=True,
    unsaid=("arch", "lifecycle"),
)
_ZONE = re.compile(r"\s*[\w-]+\(([a-z_]+)\)\s*")
_OFFERED = ("normal", "obt", "promotion")


def machine_of(entry: Entry) -> Machine | NotOffered | str:
    """Return the machine that an entry describes."""
    vcpus = entry.vcpus("vcpus", as_text=True)
    memory_gib = entry.memory_gib("ram", "MiB")
    if vcpus is None:
        return "no number of vCPUs"
    if memory_gib is None:
        return "no memory"
    extra = _extra_specs(entry)
    if extra.text("cond:operation:az"):
        # It holds for the zones that it names, whatever the flavor's own status.
        states = [_state(extra, zone) for zone in str(extra.text("cond:operation:az")).split(",")]
    else:
        states = [extra.text("cond:operation:status") or "normal"]
    if not any(state in _OFFERED for state in states):
        return NotOffered("given up" if "abandon" in states else "sold out")
    name = entry.machine_type
    disks = [extra.text("quota:local_disk"), extra.text("quota:nvme_ssd")]
    return Machine(
        provider=SHAPE.provider,
        machine_type=name,
        family=name.partition(".")[0],
        vcpus=vcpus,
        memory_gib=memory_gib,
        local_nvme_gb=None if any(disks) or extra is entry else 0,
        arch=_arch(extra, name),
        burstable=name.startswith("t6."),
        bare_metal=name.startswith("physical."),
        source=SHAPE.command,
    )


def _extra_specs(entry: Entry) -> Entry:
    extra = entry.part("os_extra_specs")
    if extra is None:
        return entry
    if not isinstance(extra, dict):
        entry.reject("os_extra_specs", "expected an object")
    return entry.within(extra)


def _state(entry: Entry, zone: str) -> str:
    found = _ZONE.fullmatch(zone)
    if found is None:
        entry.reject("cond:operation:az", "expected zones with their states, such as az1(normal)")
    return found[1]


def _arch(extra: Entry, name: str) -> str | None:
    """Return the architecture: flavors with Kunpeng processors say arm64 and their names begin with k.

    An example in Huawei's own reference calls an x86 flavor arm64, so both signs have to agree.
    """
    says_arm = (extra.text("ecs:instance_architecture") or "").startswith("arm")
    if says_arm != name.startswith("k"):
        return None
    return "arm64" if says_arm else "x86_64"
