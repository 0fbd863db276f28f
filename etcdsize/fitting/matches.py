"""The machines that are enough for a need, each with its cheapest disk: their order, and the first of them."""

import functools
import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from etcdsize.base.text import in_words
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.costs import Cost
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.money import currency_order
from etcdsize.fitting.disks import (
    LIMIT_NOT_PUBLISHED,
    DiskOptions,
    PricedDisk,
    cheapest_disk,
    disk_options,
    disk_reason,
    disks_taken,
)
from etcdsize.fitting.load_need import disk_need_for
from etcdsize.fitting.model import Candidate, disk_of
from etcdsize.fitting.need import FIGURES, DiskNeed, Need
from etcdsize.fitting.own import own_cost, own_disk_reason
from etcdsize.fitting.recovery import recovery_seconds
from etcdsize.fitting.rejections import reject_insufficient, reject_unrequested, reject_unsuitable, shortfalls

__all__ = ["Match", "best_machine", "disk_for", "in_order", "match_of", "with_disk"]


class Match(NamedTuple):
    """A machine that is enough, with its disk; only the first few become a `Candidate`."""

    machine: Machine
    disk: PricedDisk | None
    """None: its own disk."""
    concurrent_iops: float
    disk_mb_per_second: float
    limit_known: bool
    excess: float
    per_month: float | None

    @property
    def currency(self) -> str | None:
        """The currency of the total, None where that is unknown."""
        price = self.machine.price
        return None if price is None or self.per_month is None else price.currency

    def rank(self, order: Mapping[str, int]) -> tuple[object, ...]:
        """Known limits first; then totals, by currency, the lowest first; then prices of machines; then the excess.

        Of those that are equal in all of this, a previous generation comes last.
        """
        machine, price, currency = self.machine, self.per_month, self.currency
        place = -1 if currency is None else order[currency]
        alone = machine.price if price is None else None
        of_machine = (alone is None, "" if alone is None else alone.currency, 0.0 if alone is None else alone.per_hour)
        names = (machine.lifecycle == "previous", machine.provider, machine.machine_type)
        return (not self.limit_known, price is None, place, price or 0.0, *of_machine, self.excess, *names)

    def candidate(self, need: Need, size_gib: int, region: str | None) -> Candidate:
        """Return the machine with its disk, and why the disk is that one."""
        if self.disk is None:
            choice, reason = None, own_disk_reason(self.machine, size_gib)
            cost = own_cost(self.machine.price, region)
        else:
            kind, choice, _ = self.disk
            reason = disk_reason(kind, choice, need, size_gib)
            reason += "" if self.limit_known else f"; {LIMIT_NOT_PUBLISHED}"
            cost = Cost.of(self.machine.price, choice.per_month, kind.price, region)
        if region is not None and self.machine.price is None:
            cost = cost.model_copy(update={"unknown": cost.unknown + _priced_nearby(self.machine, region)})
        return Candidate(
            machine=self.machine,
            disk=choice,
            disk_reason=reason,
            limit_known=self.limit_known,
            concurrent_iops=self.concurrent_iops,
            disk_mb_per_second=self.disk_mb_per_second,
            cost=cost,
            excess=self.excess,
            recovery_seconds=recovery_seconds(need.data_bytes, self.disk_mb_per_second),
        )


def match_of(machine: Machine, need: Need, disks: DiskOptions) -> Match:
    """Return a machine that is enough with the cheapest disk, and the figures that a member gets."""
    disk: PricedDisk | None = None
    sustained: tuple[float | None, float | None] = (None, None)
    limits = (machine.concurrent_iops, machine.disk_mb_per_second)
    if not machine.own:
        disk = cheapest_disk(machine, need, disks_taken(machine, disks))
        limits = machine.limits_for(disk.kind.kind)
        sustained = (disk.choice.concurrent_iops, disk.choice.disk_mb_per_second)
    # The disk's are known, or those of the machine's own disk.
    iops, bandwidth = (
        min(float(figure) for figure in pair if figure is not None) for pair in zip(limits, sustained, strict=True)
    )
    figures = zip(FIGURES, (machine.vcpus, machine.memory_gib, *limits), strict=True)
    shares = [figure / getattr(need, name) for name, figure in figures if figure is not None]
    price = own_cost(machine.price, None).per_month if disk is None else disk.per_month
    return Match(machine, disk, iops, bandwidth, None not in limits, math.fsum(shares) / len(shares) - 1, price)


def _priced_nearby(machine: Machine, region: str) -> str:
    """Return where on the continent of a region a machine has a price; an empty string if nowhere."""
    # Imported here because most answers are about no region.
    from etcdsize.catalog.regional_prices import priced_nearby

    nearby = priced_nearby(machine.provider, region, machine.machine_type)
    return f"; the machine has one on the same continent, in {in_words(nearby[:3])}" if nearby else ""


def in_order(matches: Iterable[Match]) -> list[Match]:
    """Return the machines that are enough in the order in which `fit` has them."""
    found = list(matches)
    order = currency_order(match.currency for match in found)
    return sorted(found, key=lambda one: one.rank(order))


def disk_for(need: Need) -> DiskNeed:
    """Return the disk of a need: its own, or what the measured model says of its data."""
    return disk_need_for(need.data_bytes) if need.disk is None else need.disk


def best_machine(need: Need, catalog: Catalog, provider: str, arch: str | None, tier: str) -> Machine | None:
    """Return the first machine that `fit` has for a need, with its disk, as that of a tier; None where none is enough.

    Every machine that is not enough has a reason in the answer of `fit`. Without them it is found in less time.
    """
    figures = tuple((name, getattr(need, name)) for name in (*FIGURES, "fsync_p99_ms"))
    return _best_machine(figures, disk_for(need).size_gib, catalog, provider, arch, tier)


@functools.lru_cache(maxsize=256)
def _best_machine(
    figures: tuple[tuple[str, float], ...], size_gib: int, catalog: Catalog, provider: str, arch: str | None, tier: str
) -> Machine | None:
    need = Need.model_validate({"tier": tier, "data_bytes": 0, **dict(figures)})
    disks = {nitro: disk_options(catalog, provider, None, size_gib, need, nitro=nitro) for nitro in (False, True)}
    suitable = [
        machine
        for machine in catalog.machines
        if machine.provider == provider
        and not shortfalls(machine, need, FIGURES[:2])
        and reject_unrequested(machine, arch, None, newest=False) is None
        and reject_unsuitable(machine) is None
    ]
    one_currency = len({machine.price.currency for machine in suitable if machine.price is not None}) == 1
    matches: list[Match] = []
    lowest = math.inf
    for machine in sorted(suitable, key=_own_cost_per_month):
        if _own_cost_per_month(machine) > lowest:
            # It and all that follow cost more without a disk than one that is enough costs with its disk.
            break
        for_it = disks[machine.nitro is True]
        if reject_insufficient(machine, need, for_it) is None:
            match = match_of(machine, need, for_it)
            matches.append(match)
            if one_currency and match.limit_known and match.per_month is not None:
                lowest = min(lowest, match.per_month)
    matches = in_order(matches)
    return with_disk(matches[0].candidate(need, size_gib, catalog.regions.get(provider)), tier) if matches else None


def _own_cost_per_month(machine: Machine) -> float:
    """Return what a machine costs in a month without a network disk, infinite where that is unknown."""
    return math.inf if machine.price is None else machine.price.per_month


def with_disk(candidate: Candidate, tier: str) -> Machine:
    """Return a candidate as the machine of a tier, with its disk, the figures that a member gets, and the cost."""
    return candidate.machine.model_copy(
        update={
            "tier": tier,
            "disk": None if candidate.disk is None else disk_of(candidate.disk),
            "limit_known": candidate.limit_known,
            "concurrent_iops": candidate.concurrent_iops,
            "disk_mb_per_second": candidate.disk_mb_per_second,
            "disk_limits": (),
            "cost": candidate.cost,
        }
    )
