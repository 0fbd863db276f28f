"""Why a machine is no candidate: it was not requested, it does not suit etcd, or it has too little of something."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from etcdsize.base.text import in_words
from etcdsize.catalog.figures import rounded_text, vcpus_text
from etcdsize.catalog.machines import Machine
from etcdsize.fitting.disks import DiskOptions, Shortfall, disk_shortfalls, disks_taken
from etcdsize.fitting.model import Reason
from etcdsize.fitting.need import FIGURES, Need
from etcdsize.fitting.own import UNMEASURED, measured_shortfalls

__all__ = [
    *("UNKNOWN_LIMITS", "Rejection", "reject_insufficient", "reject_shared_cpu", "reject_unrequested"),
    *("reject_unsuitable", "shortfalls", "total_shortfall"),
]

UNKNOWN_LIMITS = "its own limit for network disks is not published"
_WORDS = {
    "vcpus": "vCPUs",
    "memory_gib": "GiB of memory",
    "concurrent_iops": "concurrent IOPS",
    "disk_mb_per_second": "MB/s of disk",
    "sequential_iops": "sequential IOPS",
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
    if machine.bare_metal and not machine.own:
        return Rejection("bare-metal", "is a whole server")
    return reject_shared_cpu(machine)


def reject_shared_cpu(machine: Machine) -> Rejection | None:
    """Return why a machine's CPU cannot be relied on, None where it can."""
    sustained = machine.sustained_vcpus
    only = "" if sustained is None else f" and sustains {vcpus_text(sustained)}"
    if machine.shared_core:
        return Rejection("shared-core", f"shares its cores with other machines{only}")
    if machine.burstable:
        return Rejection("burstable", f"has its full CPU only in bursts{only}")
    if machine.flex:
        return Rejection("burstable", f"has its full CPU most of the time, not always{only}")
    return None


def reject_insufficient(machine: Machine, need: Need, disks: DiskOptions) -> Rejection | None:
    """Return why a machine is not enough for a need, None where it is."""
    if machine.own:
        return _reject_own(machine, need)
    short = shortfalls(machine, need, FIGURES[:2])
    taken = disks_taken(machine, disks)
    by_kind = [disk_shortfalls(machine, kind.kind, need) for kind, _ in taken]
    disk_short: list[Shortfall] = []
    if by_kind and all(of_kind for of_kind, _ in by_kind):
        # Of the kinds of disk, the one with which the fewest figures are unknown and the least is missing.
        disk_short, _ = min(by_kind, key=lambda one: (one[1], total_shortfall(one[0])))
    short += disk_short
    why_no_disk = "" if taken else _why_no_disk(machine, disks)
    if short:
        bursts = [_reaches_in_a_burst(machine, one) for one in short]
        is_burst = len(short) == len(disk_short) and all(bursts)
        return _too_little(short, need, bursts, "burst-only" if is_burst else "too-little", why_no_disk)
    if not taken:
        # Without any network disk in the catalog, the local one is what there is.
        is_local = bool(machine.local_nvme_gb) and not disks.in_catalog
        return Rejection("local-disk-only" if is_local else "no-disk", why_no_disk)
    return None


def _reject_own(machine: Machine, need: Need) -> Rejection | None:
    """Return why a server of one's own is not enough with its own disk, None where it is."""
    short = [*shortfalls(machine, need, FIGURES), *measured_shortfalls(machine, need)]
    if short:
        return _too_little(short, need, [False] * len(short), "too-little", "")
    if machine.concurrent_iops is None or machine.disk_mb_per_second is None:
        return Rejection("unknown-figure", UNMEASURED)
    return None


def _why_no_disk(machine: Machine, disks: DiskOptions) -> str:
    kinds = [limit.kind for limit in machine.disk_limits]
    why = [reason for kind, reason in disks.rejections.items() if not kind or not kinds or kind in kinds]
    if kinds and disks.in_catalog:
        why.insert(0, f"is known to take {in_words(kinds)} only")
    elif machine.local_nvme_gb and not disks.in_catalog:
        why.append("it has local NVMe")
    return "; ".join(why)


def _too_little(
    short: Sequence[Shortfall], need: Need, bursts: Sequence[bool], code: Reason, why_no_disk: str
) -> Rejection:
    also = f"; {why_no_disk}" if why_no_disk else ""
    missing = ", ".join(_missing_text(one, burst) for one, burst in zip(short, bursts))
    text = ", ".join(_reason_text(one, need, burst) for one, burst in zip(short, bursts))
    return Rejection(code, text + also, tuple(short), missing + also)


def _missing_text(short: Shortfall, burst: bool) -> str:
    """Return how much of a figure a machine lacks."""
    figure, has, needed = short
    if figure == "fsync_p99_ms":
        return f"a quicker fsync (p99 of {rounded_text(has)} ms, at most {rounded_text(needed)} ms needed)"
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
    return math.fsum(one.share for one in short)


def _reaches_in_a_burst(machine: Machine, short: Shortfall) -> bool:
    most = getattr(machine, f"burst_{short.figure}", None)
    return most is not None and most >= short.needed
