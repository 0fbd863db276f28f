"""Why a machine is no candidate: what was not asked for, what etcd should not run on, and what is too little.

This module imports the models, never numpy.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from etcdsize.catalog.disks import DiskChoice, DiskKind
from etcdsize.catalog.machines import Machine
from etcdsize.fitting.model import FIGURES, Need, Reason

__all__ = ["Why", "distance", "filtered", "judged", "lacks", "number_text", "through", "unfit_anywhere"]

_WORDS = {
    "vcpus": "vCPUs",
    "memory_gib": "GiB of memory",
    "concurrent_iops": "concurrent IOPS",
    "disk_mb_per_second": "MB/s of disk",
}


class Why(NamedTuple):
    """Why a machine is no candidate."""

    code: Reason
    reason: str
    missing: tuple[tuple[str, float, float], ...] = ()
    """The figures of which it has too little: what it has, what is needed."""


def filtered(machine: Machine, arch: str | None, families: Sequence[str] | None, newest: bool) -> Why | None:
    """Return why a machine is not what was asked for."""
    if families is not None and machine.family not in families:
        return Why("family", f"is of the family {machine.family or 'unknown'}, asked for {', '.join(families)}")
    if arch not in (None, "any") and machine.arch != arch:
        return Why("architecture", f"is {machine.arch or 'of an unknown architecture'}, asked for {arch}")
    if newest and machine.lifecycle == "previous":
        return Why("previous-generation", "is of a previous generation, asked for the newest")
    return None


def unfit_anywhere(machine: Machine) -> Why | None:
    """Return why etcd should not run on a machine, whatever the load."""
    if machine.bare_metal:
        return Why("bare-metal", "is a whole server")
    if machine.shared_core:
        return Why("shared-core", "shares its cores with others")
    if machine.burstable:
        return Why("burstable", "has its full CPU only for a while")
    return None


def lacks(machine: Machine, need: Need, figures: Iterable[str]) -> list[tuple[str, float, float]]:
    """Return the figures of which a machine has too little: what it has, what is needed."""
    found = ((name, getattr(machine, name), getattr(need, name)) for name in figures)
    return [(name, has, wanted) for name, has, wanted in found if has is not None and has < wanted]


def judged(
    machine: Machine, need: Need, chosen: Sequence[tuple[DiskKind, DiskChoice]], refused: Sequence[str]
) -> Why | None:
    """Return why a machine is not enough, None where it is."""
    short = lacks(machine, need, FIGURES[:2])
    # Of the kinds of disk, the one with which least is unknown, and least is missing.
    kinds = [through(machine, kind.kind, need) for kind, _ in chosen]
    best = min(kinds, key=lambda one: (one[1], distance(one[0])), default=([], False))
    short += best[0]
    if short:
        code: Reason = "too-little"
        if len(short) == len(best[0]) and all(_bursts(machine, name, wanted) for name, _, wanted in short):
            code = "burst-only"
        text = ", ".join(
            f"{number_text(wanted - has)} {_WORDS[name]} ({number_text(has)} of {number_text(wanted)}"
            f"{', more only in a burst' if _bursts(machine, name, wanted) else ''})"
            for name, has, wanted in short
        )
        more = "" if chosen else f"; {'; '.join(refused)}"
        return Why(code, text + more, tuple(short))
    if not chosen:
        return Why("no-disk", "; ".join(refused))
    if best[1]:
        if machine.local_nvme_gb:
            return Why("local-disk-only", "what it lets through to network disks is unknown; it has local NVMe")
        return Why("unknown-figure", "what it lets through to network disks is unknown")
    return None


def through(machine: Machine, kind: str, need: Need) -> tuple[list[tuple[str, float, float]], bool]:
    """Return what a machine lacks with one kind of disk, and whether a figure is unknown."""
    limits = machine.limits_for(kind)
    wanted = (need.concurrent_iops, need.disk_mb_per_second)
    lacks = [
        (name, has, asked) for name, has, asked in zip(FIGURES[2:], limits, wanted) if has is not None and has < asked
    ]
    return lacks, None in limits


def _bursts(machine: Machine, figure: str, wanted: float) -> bool:
    most = getattr(machine, f"burst_{figure}", None)
    return most is not None and most >= wanted


def distance(short: Sequence[tuple[str, float, float]]) -> float:
    return sum(1 - has / wanted for _, has, wanted in short)


def number_text(value: float) -> str:
    return f"{round(value, 2):g}" if value < 1e6 else f"{value:.0f}"
