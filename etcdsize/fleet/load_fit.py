"""Whether machines hold what loads take by the measured model, beside the guide's tiers.

A machine is too small where even the low end does not fit it, and a smaller one is enough only where the high end fits.
Where only the low end fits, the machine stays, and the reason says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from etcdsize.catalog.machines import Machine
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES
from etcdsize.fitting.load_need import SYSTEM_GIB
from etcdsize.fleet.auditor import NO_MACHINE, Auditor, Figures
from etcdsize.fleet.doubts import DOUBTS, Doubtful, columns_of, doubt_codes
from etcdsize.fleet.kernel import INVALID, Codes
from etcdsize.fleet.resource_columns import FleetResources
from etcdsize.fleet.resource_figures import FleetDemands, FleetFigures
from etcdsize.fleet.revision_arrays import Mask
from etcdsize.fleet.row_profile import BESIDE_NODES
from etcdsize.fleet.verdicts import DECIDERS

__all__ = ["SHORT", "LoadFit", "Running", "load_fit"]

_GIB = 2.0**30
# etcd-io/website content/en/docs/v3.5/op-guide/hardware.md: concurrent IOPS are typically ten times as many.
_CONCURRENT_A_SEQUENTIAL = 10.0
# etcd-io/etcd server/embed/config.go, DefaultWarningApplyDuration: etcd warns of what takes longer to apply. [ms]
_SLOW_APPLY_MS = 100.0
# Rows per block: the scratch fits the cache (our choice).
_BLOCK = 65_536

SHORT = {
    name: 1 << place
    for place, name in enumerate(
        (
            *("values", "streams", "lists", "memory", "expirations", "disk", "bandwidth"),
            *("quota", "lease", "throughput", "volume", "processor"),
        )
    )
}
"""What does not fit, as bits: the first four are of the memory, named by what takes most of it, the next two of the
disk's writes one after the other."""
_OF_SETTINGS = sum(SHORT[name] for name in ("quota", "lease", "throughput", "volume"))


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
    """The tier whose machine holds the need, from the guide's tier on; 255 for none. uint8, shape (n,)

    Where nothing further is known of the load, it is the guide's.
    """
    too_large: NDArray[np.bool_]
    """Where the high end does not fit the machine of the smaller tier. bool, shape (n,)"""
    doubt: NDArray[np.int64]
    """What fits at the low end only, for `doubt_text`; 0 for nothing. int64, shape (n,)"""
    other_doubt: NDArray[np.int64]
    """The same without the figures of the machine. int64, shape (n,)"""

    @property
    def needs_machine(self) -> NDArray[np.bool_]:
        """Where a larger machine is needed, and not only other settings or keys."""
        needs: NDArray[np.bool_] = (self.short & ~np.uint16(_OF_SETTINGS)) != 0
        return needs

    @property
    def may_outgrow(self) -> NDArray[np.bool_]:
        """Where a figure of the machine is in doubt."""
        outgrown: NDArray[np.bool_] = self.doubt != self.other_doubt
        return outgrown

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
    markets: NDArray[np.uint16] | None = None,
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
    markets : array of uint16, shape (n,), optional
        The number of each cluster's market. None: the prices of the catalog count.
    """
    rows = len(machine_codes)
    dtypes = (np.uint16, np.uint8, np.float64, np.uint8, np.bool_, np.int64, np.int64)
    fit = LoadFit._make(np.zeros(rows, dtype) for dtype in dtypes)
    machines, offered = _offered(auditor.catalog.machines, np.nan), _offered(auditor.machines, -1.0)
    for start in range(0, rows, _BLOCK):
        at = slice(start, min(start + _BLOCK, rows))
        places = np.minimum(machine_codes[at], len(auditor.capacities)).astype(np.intp)
        has = machines.of(places)
        if figures is not None:
            memory = np.where(np.isnan(has.memory_gib), figures.memory_gib[at], has.memory_gib)
            has = has._replace(memory_gib=memory, vcpus=np.where(np.isnan(has.vcpus), figures.vcpus[at], has.vcpus))
        here, known = fit.cut(at), resources._knows_further[at] & ~resources.invalid[at]
        with np.errstate(invalid="ignore", divide="ignore"):
            _compare(here, has, running, resources, least, at)
        here.target[:] = np.minimum(tiers[at], len(auditor.tiers.tiers) - 1)
        market = 0 if markets is None else markets[at]
        np.copyto(here.target, _target(auditor, offered, market, places, tiers[at], resources, at), where=known)
        codes = auditor.recommended(market, places, np.minimum(roomy[at], len(auditor.tiers.tiers) - 1))
        # The high end of the processor is a peak of ten lists at the same time: what to provide counts.
        fits = offered.hold(codes, resources.high, resources._highest, resources._needed.leader_cores, at)
        # Without a smaller machine nothing is recommended.
        here.too_large[:] = resources._knows_further[at] & ~fits & (codes != NO_MACHINE)
    return fit


# What is exceeded, in the order in which figures are compared: what the verdict names it.
_EXCEEDED = {
    "memory": "memory_gib",
    "disk": "concurrent_iops",
    "bandwidth": "disk_mb_per_second",
    "processor": "vcpus",
    "throughput": "disk_mb_per_second",
    "volume": "volume_gib",
    "quota": "quota_bytes",
    "lease": "keys_per_lease",
}
_DECIDERS = np.array([DECIDERS.index(name) for name in _EXCEEDED.values()], np.uint8)
_PARTS_OF_MEMORY = ("values", "streams", "lists", "memory")
# A memory in doubt is named by what it takes most beyond its low end.
_DOUBTS = np.array([tuple(DOUBTS).index(name) for name in _EXCEEDED])
# The first four are of the machine.
_MACHINE_FIGURES = 4


class _Ends(NamedTuple):
    """What the loads of some rows take of each figure, in the order of `_EXCEEDED`."""

    low: list[Any]
    need: list[Any]


def _compare(
    out: LoadFit, has: _Offered, running: Running, resources: FleetResources, least: FleetResources, at: slice
) -> None:
    """Fill in what does not fit, and what fits at the low end only, of the rows `at`."""
    takes = _Ends(
        _amounts(least.low, least._lowest, least._lowest.leader_cores[at], at),
        # A machine has whole vCPUs.
        _amounts(resources.need, resources._needed, np.ceil(resources._needed.leader_cores[at]), at),
    )
    wrong = (resources.invalid | least.invalid)[at]
    bounds = [np.where(wrong, np.nan, bound) for bound in _bounds(has, running, resources._knows_further[at], at)]
    shares = np.stack([_shares(amount, bound) for amount, bound in zip(takes.low, bounds)])
    over, low = shares > 1, least._lowest
    largest = np.argmax(np.stack(_parts_of_memory(low, at)), axis=0)
    memory = np.array([SHORT[name] for name in _PARTS_OF_MEMORY], np.uint16)[largest]
    of_leases = low.lease_iops[at] > low.sequential_iops[at] / 2
    disk = np.where(of_leases, SHORT["expirations"], SHORT["disk"])
    for one, bit in zip(over, (memory, disk, *(SHORT[name] for name in tuple(_EXCEEDED)[2:]))):
        out.short[:] |= np.where(one, bit, 0).astype(np.uint16)
    out.decider[:] = np.where(out.short != 0, _DECIDERS[shares.argmax(axis=0)], INVALID)
    out.share[:] = shares.max(axis=0)
    needed = [_shares(amount, bound) for amount, bound in zip(takes.need, bounds)]
    doubtful = (np.stack(needed) > 1) & ~over
    rows = np.flatnonzero(doubtful.any(axis=0))
    if not rows.size:
        return
    out.doubt[rows] = _doubt_codes(takes, bounds, doubtful, resources, at.start, rows)
    of_machine = doubtful[:_MACHINE_FIGURES].any(axis=0)
    out.other_doubt[:] = np.where(of_machine, 0, out.doubt)
    doubtful[:_MACHINE_FIGURES] = False
    rows = np.flatnonzero(of_machine & doubtful.any(axis=0))
    if rows.size:
        out.other_doubt[rows] = _doubt_codes(takes, bounds, doubtful, resources, at.start, rows)


def _amounts(figures: FleetFigures, demands: FleetDemands, vcpus: NDArray[np.float64], at: slice) -> list[Any]:
    written = demands.written_bytes[at] / 1e6
    return [
        figures.memory_limit_bytes[at] / _GIB + SYSTEM_GIB,
        demands.sequential_iops[at],
        written,
        vcpus,
        written,
        (demands.file_bytes[at] + demands.wal_bytes[at]) / _GIB,
        demands.file_bytes[at] / _GIB,
        demands.lease_end_seconds[at] * 1000,
    ]


def _bounds(has: _Offered, running: Running, known: NDArray[np.bool_], at: slice) -> list[Any]:
    """Return what there is of each figure, NaN where it is unknown or does not count."""
    quota, volume, speed = (np.nan if column is None else column[at] for column in running)
    return [
        *(np.where(known, bound, np.nan) for bound in has),
        speed,
        volume,
        np.where(quota == 0, float(DEFAULT_QUOTA_BYTES), quota) / _GIB,
        np.where(known, _SLOW_APPLY_MS, np.nan),
    ]


def _shares(amount: Any, bound: Any) -> Any:
    share = amount / bound
    return np.where(np.isnan(share), 0.0, share)


def _parts_of_memory(demands: FleetDemands, at: Any) -> list[Any]:
    return [demands.raft_bytes[at], demands.streams_bytes[at], demands.lists_bytes[at], demands.other_bytes[at]]


def _doubt_codes(
    takes: _Ends,
    bounds: Sequence[Any],
    doubtful: NDArray[np.bool_],
    resources: FleetResources,
    start: int,
    chosen: NDArray[np.intp],
) -> NDArray[np.int64]:
    """Return the doubts of some rows of a block: of each the figure that is furthest from fitting."""
    doubtful, places, rows = doubtful[:, chosen], np.arange(len(chosen)), chosen + start
    low, need = (np.stack([amount[chosen] for amount in amounts]) for amounts in takes)
    has = np.stack([bound[chosen] for bound in bounds])
    worst = np.where(doubtful, need / has, 0.0).argmax(axis=0)
    needed, lowest = (_parts_of_memory(demands, rows) for demands in (resources._needed, resources._lowest))
    part = np.argmax([most - few for most, few in zip(needed, lowest)], axis=0)
    doubtful[worst, places] = False
    return doubt_codes(
        Doubtful(
            figure=np.where(worst == 0, part, _DOUBTS[worst]),
            low=low[worst, places],
            need=need[worst, places],
            beside=[*doubtful],
            of_nodes=np.broadcast_to(_are_of_nodes(resources, rows), len(rows)),
            empty={name: np.logical_not(_follows(resources, name, rows)) for name in columns_of()},
        )
    )


# Two figures from which another follows.
_FOLLOWS = {
    "writes_per_second": [("requests_per_second", "reads_per_second")],
    "value_bytes": [("keys", "data_bytes")],
    "keys": [("data_bytes", "value_bytes")],
    "data_bytes": [("keys", "value_bytes")],
}


def _follows(resources: FleetResources, name: str, rows: NDArray[np.intp]) -> Mask:
    """Return which of some rows know a figure, or others from which it follows."""
    known = resources._knows(name, rows)
    for one, other in _FOLLOWS.get(name, ()):
        known = known | (resources._knows(one, rows) & resources._knows(other, rows))
    return known


def _are_of_nodes(resources: FleetResources, rows: NDArray[np.intp]) -> Mask:
    """Return which of some rows have the load that their Kubernetes nodes say."""
    found = resources._knows("kubernetes_nodes", rows)
    for name in resources._columns:
        if name not in (*BESIDE_NODES, "kubernetes_nodes", "pods"):
            found = found & np.logical_not(resources._knows(name, rows))
    return found


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
    """What machines have, by their codes, the last entry for none."""

    memory_gib: NDArray[np.float64]
    iops: NDArray[np.float64]
    mb_per_second: NDArray[np.float64]
    vcpus: NDArray[np.float64]

    def of(self, codes: NDArray[Any]) -> _Offered:
        at = np.minimum(codes, len(self.memory_gib) - 1).astype(np.intp)
        return _Offered._make(column[at] for column in self)

    def hold(
        self,
        codes: NDArray[np.uint16],
        figures: FleetFigures,
        demands: FleetDemands,
        cores: NDArray[np.float64],
        rows: slice,
    ) -> Any:
        """Return where machines hold what the loads of some rows take."""
        memory, iops, mb_per_second, vcpus = self.of(codes)
        holds = memory >= figures.memory_limit_bytes[rows] / _GIB + SYSTEM_GIB
        holds &= iops >= demands.sequential_iops[rows]
        holds &= vcpus >= cores[rows]
        return holds & (mb_per_second >= demands.written_bytes[rows] / 1e6)


def _offered(machines: Sequence[Machine], nothing: float) -> _Offered:
    disks = (map(_sequential_iops, machines), map(_mb_per_second, machines))
    figures = ([one.memory_gib for one in machines], *disks, [one.vcpus for one in machines])
    return _Offered._make(np.array([*figure, nothing], float) for figure in figures)


def _target(
    auditor: Auditor,
    offered: _Offered,
    market: NDArray[np.uint16] | int,
    places: NDArray[np.intp],
    tiers: Codes,
    resources: FleetResources,
    rows: slice,
) -> Codes:
    found, needed = np.full(len(places), INVALID, np.uint8), resources._needed
    for tier in range(len(auditor.tiers.tiers)):
        codes = auditor.recommended(market, places, tier)
        holds = offered.hold(codes, resources.need, needed, needed.leader_cores, rows)
        np.copyto(found, np.uint8(tier), where=holds & (found == INVALID) & (tiers <= tier))
    return found
