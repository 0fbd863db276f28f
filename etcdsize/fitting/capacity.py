"""The largest tier that each machine of a catalog is enough for, and why it is enough for none."""

import functools
from typing import NamedTuple

from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.machines import Machine
from etcdsize.fitting.model import FIGURES, Need, need_for
from etcdsize.fitting.rejections import UNKNOWN_LIMITS, reject_shared_cpu
from etcdsize.tiers import TierTable

__all__ = ["BELOW", "Capacity", "capacities"]

BELOW = -1
"""The index of the tier of a machine that is too small for any."""


class Capacity(NamedTuple):
    """The largest tier that a machine is enough for."""

    tier: int | None
    """The index of the largest tier, `BELOW` where it is too small for any; None where a figure is unknown."""
    reason: str
    """Why it is unknown, or why it is enough for none."""
    figure: int
    """Which of `FIGURES` it lacks most for the smallest tier, by index, where it is enough for none."""
    ratio: float
    """How many times the machine's figure the smallest tier needs."""


@functools.lru_cache(maxsize=16)
def capacities(catalog: Catalog, tiers: TierTable) -> tuple[Capacity, ...]:
    """Return the largest tier that each machine of a catalog is enough for, in the catalog's order."""
    needs = [need_for(name, tiers=tiers) for name in tiers.names]
    return tuple(_capacity(machine, needs) for machine in catalog.machines)


def _capacity(machine: Machine, needs: list[Need]) -> Capacity:
    shared = reject_shared_cpu(machine)
    if shared is not None:
        return Capacity(BELOW, shared.reason, 0, float(needs[0].vcpus))
    best: int | None = None
    closest: tuple[float, int] | None = None
    for iops, bandwidth in _known_limits(machine):
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
            # It is too small whatever its disk.
            ratio, at = max(
                (getattr(needs[0], name) / getattr(machine, name), at) for at, name in enumerate(FIGURES[:2])
            )
            return Capacity(BELOW, "", at, ratio)
        return Capacity(None, UNKNOWN_LIMITS, 0, 0.0)
    if best == BELOW and closest is not None:
        return Capacity(BELOW, "", closest[1], closest[0])
    return Capacity(best, "", 0, 0.0)


def _known_limits(machine: Machine) -> list[tuple[float, float]]:
    """Return the IOPS and the MB/s that a machine lets through to each kind of disk for which both are known."""
    found = [(limit.concurrent_iops, limit.disk_mb_per_second) for limit in machine.disk_limits]
    found = found or [(machine.concurrent_iops, machine.disk_mb_per_second)]
    return [(iops, bandwidth) for iops, bandwidth in found if iops is not None and bandwidth is not None]
