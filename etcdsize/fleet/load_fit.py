"""Whether machines hold what loads take by the measured model, beside the guide's tiers.

A machine is too small where even the low end does not fit it, and a smaller one is enough only where the high end fits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from etcdsize.catalog.machines import Machine
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES
from etcdsize.fitting.load_need import SYSTEM_GIB
from etcdsize.fleet.auditor import NO_MACHINE, Auditor, Figures
from etcdsize.fleet.kernel import INVALID, Codes
from etcdsize.fleet.resource_columns import FleetDemands, FleetFigures, FleetResources
from etcdsize.fleet.verdicts import DECIDERS

__all__ = ["SHORT", "LoadFit", "Running", "load_fit"]

_GIB = 2.0**30
# etcd-io/website content/en/docs/v3.5/op-guide/hardware.md: concurrent IOPS are typically ten times as many.
_CONCURRENT_A_SEQUENTIAL = 10.0
# etcd-io/etcd server/embed/config.go, DefaultWarningApplyDuration: etcd warns of what takes longer to apply. [s]
_SLOW_APPLY_SECONDS = 0.1

SHORT = {
    name: 1 << place
    for place, name in enumerate(
        (
            *("values", "streams", "lists", "memory", "expirations", "disk", "bandwidth"),
            *("quota", "lease", "throughput", "volume"),
        )
    )
}
"""What does not fit, as bits: the first four are of the memory, named by what takes most of it, the next two of the
disk's writes one after the other."""
_OF_MACHINE = sum(SHORT[name] for name in ("values", "streams", "lists", "memory", "expirations", "disk", "bandwidth"))


class Running(NamedTuple):
    """How clusters run: one figure per cluster, NaN where it is unknown, and None where all are."""

    quota_bytes: NDArray[np.float64] | None = None
    """The quota; 0 is etcd's default. [bytes]"""
    volume_gib: NDArray[np.float64] | None = None
    """The size of a member's volume. [GiB]"""
    disk_mb_per_second: NDArray[np.float64] | None = None
    """What the volume takes. [MB/s]"""


class LoadFit(NamedTuple):
    """What does not fit in each row of a fleet."""

    short: NDArray[np.uint16]
    """The bits of `SHORT`. uint16, shape (n,)"""
    decider: Codes
    """What is exceeded most, as an index in `DECIDERS`; 255 for nothing. uint8, shape (n,)"""
    share: NDArray[np.float64]
    """How many times the machine's figure it takes. float64, shape (n,)"""
    target: Codes
    """The tier whose machine holds the need, from the guide's tier on; 255 for none. uint8, shape (n,)"""
    too_large: NDArray[np.bool_]
    """Where the high end does not fit the machine of the smaller tier. bool, shape (n,)"""

    @property
    def needs_machine(self) -> NDArray[np.bool_]:
        """Where a larger machine is needed, and not only other settings or keys."""
        needs: NDArray[np.bool_] = (self.short & _OF_MACHINE) != 0
        return needs

    def cut(self, rows: slice) -> LoadFit:
        """Return the same of some of the rows."""
        return LoadFit._make(column[rows] for column in self)


def load_fit(
    auditor: Auditor,
    machine_codes: NDArray[np.uint16],
    figures: Figures | None,
    tiers: Codes,
    roomy: Codes,
    resources: FleetResources,
    least: FleetResources,
    running: Running,
) -> LoadFit:
    """Return what does not fit.

    Parameters
    ----------
    auditor : Auditor
        The rules of the audit.
    machine_codes : array of uint16, shape (n,)
        The index of every cluster's machine in the catalog.
    figures : Figures or None
        What the stated vCPUs and memory say.
    tiers, roomy : array of uint8, shape (n,)
        The tier that each cluster needs, and the one that it needs with a margin to spare.
    resources, least : FleetResources
        What the loads take, and what they take if every dimension that may be less is unknown.
    running : Running
        How the clusters run.
    """
    places = np.minimum(machine_codes, len(auditor.capacities)).astype(np.intp)
    machines = auditor.catalog.machines
    memory = np.array([*(one.memory_gib for one in machines), np.nan])[places]
    if figures is not None:
        memory = np.where(np.isnan(memory), figures.memory_gib, memory)
    iops = np.array([*map(_sequential_iops, machines), np.nan])[places]
    bandwidth = np.array([*map(_mb_per_second, machines), np.nan])[places]
    known, low = resources._knows_further, least._lowest
    with np.errstate(invalid="ignore", divide="ignore"):
        nothing = np.zeros(len(places))
        quota, volume, speed = running
        written = low.written_bytes / 1e6
        shares = np.stack(
            [
                np.where(known, (least.low.memory_limit_bytes / _GIB + SYSTEM_GIB) / memory, 0.0),
                np.where(known, low.sequential_iops / iops, 0.0),
                np.where(known, written / bandwidth, 0.0),
                nothing if speed is None else written / speed,
                nothing if volume is None else (low.file_bytes + low.wal_bytes) / _GIB / volume,
                nothing if quota is None else low.file_bytes / np.where(quota == 0, float(DEFAULT_QUOTA_BYTES), quota),
                np.where(known, low.lease_end_seconds / _SLOW_APPLY_SECONDS, 0.0),
            ]
        )
        shares[np.isnan(shares)] = 0.0
        over = shares > 1
        largest = np.argmax(np.stack([low.raft_bytes, low.streams_bytes, low.lists_bytes, low.other_bytes]), axis=0)
        bits = np.array([SHORT[name] for name in ("values", "streams", "lists", "memory")], np.uint16)
        of_leases = low.lease_iops > low.sequential_iops / 2
        disk = np.where(of_leases, SHORT["expirations"], SHORT["disk"])
        short = np.where(over[0], bits[largest], 0).astype(np.uint16)
        short |= np.where(over[1], disk, 0).astype(np.uint16)
        for one, name in zip(over[2:], ("bandwidth", "throughput", "volume", "quota", "lease")):
            short |= np.multiply(one, SHORT[name], dtype=np.uint16)
        short[resources.invalid | least.invalid] = 0
        worst = shares.argmax(axis=0)
        return LoadFit(
            short,
            np.where(short != 0, _DECIDERS[worst], INVALID).astype(np.uint8),
            shares.max(axis=0),
            _target(auditor, places, tiers, resources),
            known & _is_too_large(auditor, places, roomy, resources),
        )


# What is exceeded, in the order of the shares.
_EXCEEDED = (
    *("memory_gib", "concurrent_iops", "disk_mb_per_second", "disk_mb_per_second"),
    *("volume_gib", "quota_bytes", "keys_per_lease"),
)
_DECIDERS = np.array([DECIDERS.index(name) for name in _EXCEEDED], np.uint8)


def _sequential_iops(machine: Machine) -> float:
    """Return how many writes the machine lets a disk complete one after the other, NaN if that is unknown. [1/s]"""
    if machine.sequential_iops is not None:
        return machine.sequential_iops
    limits = [machine.limits_for(limit.kind)[0] for limit in machine.disk_limits] or [machine.concurrent_iops]
    return max((limit / _CONCURRENT_A_SEQUENTIAL for limit in limits if limit is not None), default=np.nan)


def _mb_per_second(machine: Machine) -> float:
    """Return how much the machine lets a disk take, NaN if that is unknown. [MB/s]"""
    limits = [limit.disk_mb_per_second for limit in machine.disk_limits] or [machine.disk_mb_per_second]
    return max((limit for limit in limits if limit is not None), default=np.nan)


class _Offered(NamedTuple):
    """What the machines that an audit recommends have, by their codes; nothing for none."""

    memory_gib: NDArray[np.float64]
    iops: NDArray[np.float64]
    mb_per_second: NDArray[np.float64]

    def hold(self, codes: NDArray[np.uint16], figures: FleetFigures, demands: FleetDemands) -> Any:
        at = np.minimum(codes, len(self.memory_gib) - 1).astype(np.intp)
        holds = self.memory_gib[at] >= figures.memory_limit_bytes / _GIB + SYSTEM_GIB
        holds &= self.iops[at] >= demands.sequential_iops
        return holds & (self.mb_per_second[at] >= demands.written_bytes / 1e6)


def _offered(auditor: Auditor) -> _Offered:
    return _Offered(
        np.array([*(one.memory_gib for one in auditor.machines), -1.0]),
        np.array([*map(_sequential_iops, auditor.machines), -1.0]),
        np.array([*map(_mb_per_second, auditor.machines), -1.0]),
    )


def _target(auditor: Auditor, places: NDArray[np.intp], tiers: Codes, resources: FleetResources) -> Codes:
    offered = _offered(auditor)
    found = np.full(len(places), INVALID, np.uint8)
    for tier in range(len(auditor.tiers.tiers)):
        holds = offered.hold(auditor.recommended[places, tier], resources.need, resources._needed)
        np.copyto(found, np.uint8(tier), where=holds & (found == INVALID) & (tiers <= tier))
    return found


def _is_too_large(
    auditor: Auditor, places: NDArray[np.intp], roomy: Codes, resources: FleetResources
) -> NDArray[np.bool_]:
    codes = auditor.recommended[places, np.minimum(roomy, len(auditor.tiers.tiers) - 1)]
    fits = _offered(auditor).hold(codes, resources.high, resources._highest)
    # Without a smaller machine nothing is recommended.
    too_large: NDArray[np.bool_] = ~fits & (codes != NO_MACHINE)
    return too_large
