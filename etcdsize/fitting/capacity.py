"""The largest tier that each machine of a catalog is enough for, and what it lacks for the next.

This module imports the models, never numpy.
"""

import functools
from typing import NamedTuple

from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.machines import Machine
from etcdsize.fitting.model import FIGURES, Need, need_for
from etcdsize.tiers import TierTable

__all__ = ["BELOW", "Capacity", "capacities"]

CPU_MEMORY = FIGURES[:2]
BELOW = -1
"""The index of the tier of a machine that is too small for any."""


class Capacity(NamedTuple):
    """What a machine is enough for."""

    tier: int | None
    """The index of the largest tier, `BELOW` where it is too small for any; None where a figure is unknown."""
    reason: str
    """Why it is unknown, or why it is enough for none."""
    figure: int
    """Which of `FIGURES` it lacks most for the smallest tier, where it is enough for none."""
    ratio: float
    """How many times as much of it the smallest tier needs."""


@functools.lru_cache(maxsize=16)
def capacities(catalog: Catalog, tiers: TierTable) -> tuple[Capacity, ...]:
    """Return what every machine of a catalog is enough for, in the catalog's order."""
    needs = [need_for(name, tiers=tiers) for name in tiers.names]
    return tuple(_capacity(machine, needs) for machine in catalog.machines)


def _capacity(machine: Machine, needs: list[Need]) -> Capacity:
    # A machine whose CPU is full for a while only has none to count on.
    if machine.burstable or machine.shared_core:
        why = "shares its cores with others" if machine.shared_core else "has its full CPU only for a while"
        return Capacity(BELOW, why, 0, float(needs[0].vcpus))
    best: int | None = None
    closest: tuple[float, int] | None = None
    for iops, bandwidth in _through(machine):
        figures = (machine.vcpus, machine.memory_gib, iops, bandwidth)
        fits = BELOW
        for index, need in enumerate(needs):
            wanted = [getattr(need, name) for name in FIGURES]
            short = [(want / has, at) for at, (has, want) in enumerate(zip(figures, wanted)) if has < want]
            if short:
                if index == 0:
                    lacks = max(short)
                    closest = lacks if closest is None else min(closest, lacks)
                break
            fits = index
        best = fits if best is None else max(best, fits)
    if best is None:
        if machine.vcpus < needs[0].vcpus or machine.memory_gib < needs[0].memory_gib:
            # Whatever the disk, it is too small.
            ratio, at = max(
                (getattr(needs[0], name) / getattr(machine, name), at) for at, name in enumerate(FIGURES[:2])
            )
            return Capacity(BELOW, "", at, ratio)
        return Capacity(None, "what it lets through to network disks is unknown", 0, 0.0)
    if best == BELOW and closest is not None:
        return Capacity(BELOW, "", closest[1], closest[0])
    return Capacity(best, "", 0, 0.0)


def _through(machine: Machine) -> list[tuple[float, float]]:
    """Return the IOPS and the MB/s that a machine lets through, for every kind of disk where both are known."""
    found = [(limit.concurrent_iops, limit.disk_mb_per_second) for limit in machine.disk_limits]
    found = found or [(machine.concurrent_iops, machine.disk_mb_per_second)]
    return [(iops, bandwidth) for iops, bandwidth in found if iops is not None and bandwidth is not None]
