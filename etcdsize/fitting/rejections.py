"""Why a machine is no candidate: it was not requested, it does not suit etcd, or it has too little of something."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from etcdsize.catalog.figures import rounded_text
from etcdsize.catalog.machines import Machine
from etcdsize.fitting.disks import DiskOptions, Shortfall, disk_shortfalls
from etcdsize.fitting.model import Reason
from etcdsize.fitting.need import FIGURES, Need

__all__ = [
    *("UNKNOWN_LIMITS", "Rejection", "reject_insufficient", "reject_shared_cpu", "reject_unrequested"),
    *("reject_unsuitable", "shortfalls", "total_shortfall"),
]

UNKNOWN_LIMITS = "its limits for network disks are unknown"
_WORDS = {
    "vcpus": "vCPUs",
    "memory_gib": "GiB of memory",
    "concurrent_iops": "concurrent IOPS",
    "disk_mb_per_second": "MB/s of disk",
}


class Rejection(NamedTuple):
    """Why a machine is no candidate."""

    code: Reason
    reason: str
    shortfalls: tuple[Shortfall, ...] = ()
    missing: str = ""
    """How much of each figure is missing, where the machine lacks something."""


def reject_unrequested(
    machine: Machine, arch: str | None, families: Sequence[str] | None, newest: bool
) -> Rejection | None:
    """Return why a machine is not one of those requested, None where it is."""
    if families is not None and machine.family not in families:
        return Rejection("family", f"is in the family {machine.family or 'unknown'}, requested: {', '.join(families)}")
    if arch not in (None, "any") and machine.arch != arch:
        return Rejection("architecture", f"is {machine.arch or 'of an unknown architecture'}, requested: {arch}")
    if newest and machine.lifecycle == "previous":
        return Rejection("previous-generation", "is a previous generation, requested: the newest")
    return None


def reject_unsuitable(machine: Machine) -> Rejection | None:
    """Return why etcd should not run on a machine, whatever the load; None where it can."""
    if machine.bare_metal:
        return Rejection("bare-metal", "is a whole server")
    return reject_shared_cpu(machine)


def reject_shared_cpu(machine: Machine) -> Rejection | None:
    """Return why a machine's CPU cannot be relied on, None where it can."""
    if machine.shared_core:
        return Rejection("shared-core", "shares its cores with other machines")
    if machine.burstable:
        return Rejection("burstable", "has its full CPU only in bursts")
    return None


def reject_insufficient(machine: Machine, need: Need, disks: DiskOptions) -> Rejection | None:
    """Return why a machine is not enough for a need, None where it is."""
    short = shortfalls(machine, need, FIGURES[:2])
    # Of the kinds of disk, the one with which the fewest figures are unknown and the least is missing.
    by_kind = [disk_shortfalls(machine, kind.kind, need) for kind, _ in disks.sufficient]
    disk_short, unknown = min(by_kind, key=lambda one: (one[1], total_shortfall(one[0])), default=([], False))
    short += disk_short
    if short:
        bursts = [_reaches_in_a_burst(machine, one) for one in short]
        code: Reason = "burst-only" if len(short) == len(disk_short) and all(bursts) else "too-little"
        missing = ", ".join(_missing_text(one, burst) for one, burst in zip(short, bursts))
        text = ", ".join(_reason_text(one, need, burst) for one, burst in zip(short, bursts))
        why_no_disk = "" if disks.sufficient else f"; {'; '.join(disks.rejections)}"
        return Rejection(code, text + why_no_disk, tuple(short), missing + why_no_disk)
    if not disks.sufficient:
        return Rejection("no-disk", "; ".join(disks.rejections))
    if unknown:
        if machine.local_nvme_gb:
            return Rejection("local-disk-only", f"{UNKNOWN_LIMITS}; it has local NVMe")
        return Rejection("unknown-figure", UNKNOWN_LIMITS)
    return None


def _missing_text(short: Shortfall, burst: bool) -> str:
    """Return how much of a figure a machine lacks."""
    figure, has, needed = short
    only = ", more only in a burst" if burst else ""
    return f"{rounded_text(needed - has)} {_WORDS[figure]} ({rounded_text(has)} of {rounded_text(needed)}{only})"


def _reason_text(short: Shortfall, need: Need, burst: bool) -> str:
    """Return the same, or what the load takes of the figure where the load decides it."""
    figure, has, needed = short
    if figure not in need.because:
        return _missing_text(short, burst)
    only = ", and more only in a burst" if burst else ""
    return (
        f"the load takes {rounded_text(needed)} {_WORDS[figure]} ({need.because[figure]}); this has "
        f"{rounded_text(has)}{only}"
    )


def shortfalls(machine: Machine, need: Need, figures: Iterable[str]) -> list[Shortfall]:
    """Return the figures of which a machine has too little."""
    found = ((name, getattr(machine, name), getattr(need, name)) for name in figures)
    return [Shortfall(name, has, needed) for name, has, needed in found if has is not None and has < needed]


def total_shortfall(short: Iterable[Shortfall]) -> float:
    """Return the missing shares of the needed figures, added up: how far a machine is from being enough."""
    return math.fsum(1 - one.has / one.needed for one in short)


def _reaches_in_a_burst(machine: Machine, short: Shortfall) -> bool:
    most = getattr(machine, f"burst_{short.figure}", None)
    return most is not None and most >= short.needed
