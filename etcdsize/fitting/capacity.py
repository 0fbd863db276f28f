"""The largest tier that each machine of a catalog is enough for, and why it is enough for none."""

import functools
import math
from typing import NamedTuple

from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.machines import Machine
from etcdsize.fitting.need import FIGURES, MACHINE_FIGURES, Need, need_for
from etcdsize.fitting.own import UNMEASURED, measured_shortfalls
from etcdsize.fitting.rejections import UNKNOWN_LIMITS, reject_shared_cpu
from etcdsize.tiers import TierTable

__all__ = ["BELOW", "UNKNOWN_DISK", "Capacity", "capacities", "capacity_of", "needs_of"]

BELOW = -1
"""The index of the tier of a machine that is too small for any."""
UNKNOWN_DISK = (UNKNOWN_LIMITS, UNMEASURED)
"""The reasons of a machine of which only the disk's figures are unknown."""


class Capacity(NamedTuple):
    """The largest tier that a machine is enough for."""

    tier: int | None
    """The index of the largest tier, `BELOW` where it is too small for any; None where a figure is unknown."""
    most: int
    """The largest tier that it may be enough for, whatever its unknown figures are; `tier` where none is unknown."""
    reason: str = ""
    """Why it is unknown."""
    figure: int = 0
    """Which of `MACHINE_FIGURES` it lacks most for the smallest tier, by index, where it is enough for none."""
    ratio: float = 0.0
    """How many times the machine's figure the smallest tier needs; for an fsync, how many times as long it takes."""


@functools.lru_cache(maxsize=16)
def capacities(catalog: Catalog, tiers: TierTable) -> tuple[Capacity, ...]:
    """Return the largest tier that each machine of a catalog is enough for, in the catalog's order."""
    needs = needs_of(tiers)
    return tuple(capacity_of(machine, needs) for machine in catalog.machines)


def needs_of(tiers: TierTable) -> list[Need]:
    """Return what a member needs of a machine, for each tier of a table."""
    return [need_for(name, tiers=tiers) for name in tiers.names]


def capacity_of(machine: Machine, needs: list[Need]) -> Capacity:
    """Return the largest tier that a machine is enough for, given what each tier needs."""
    shared = reject_shared_cpu(machine)
    if shared is not None:
        return Capacity(None, len(needs) - 1, f"{shared.reason}; etcd needs its CPU all the time")
    limits = _limits(machine)
    known = [one for one in limits if None not in one]
    # Of the kinds of disk, the one with which it is enough for most; if for none, with which it lacks least.
    best = max((_enough(machine, needs, one) for one in known or limits), key=lambda one: (one.most, -one.ratio))
    if known or best.tier == BELOW:
        return best
    return Capacity(None, best.most, UNMEASURED if machine.own else UNKNOWN_LIMITS)


def _enough(machine: Machine, needs: list[Need], limits: tuple[float | None, ...]) -> Capacity:
    """Return what a machine is enough for with these limits for disks; an unknown one counts as enough."""
    figures = [math.inf if has is None else has for has in (machine.vcpus, machine.memory_gib, *limits)]
    fits = BELOW
    for index, need in enumerate(needs):
        wanted = [getattr(need, name) for name in FIGURES]
        short = [(want / has, at) for at, (has, want) in enumerate(zip(figures, wanted)) if has < want]
        short += [(one.ratio, MACHINE_FIGURES.index(one.figure)) for one in measured_shortfalls(machine, need)]
        if short:
            if index == 0:
                ratio, at = max(short)
                return Capacity(BELOW, BELOW, "", at, ratio)
            break
        fits = index
    return Capacity(fits, fits)


def _limits(machine: Machine) -> list[tuple[float | None, float | None]]:
    """Return the IOPS and the MB/s that a machine lets through to each kind of disk, or those of its own disk."""
    found = [machine.limits_for(limit.kind) for limit in machine.disk_limits]
    return found or [(machine.concurrent_iops, machine.disk_mb_per_second)]
