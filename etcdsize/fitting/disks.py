"""Which network disk goes with a machine: the smallest one of each kind that is enough, and the cheapest of those."""

from collections.abc import Sequence
from typing import NamedTuple

from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.costs import monthly_total
from etcdsize.catalog.disks import DiskChoice, DiskKind
from etcdsize.catalog.figures import rounded_text, throughput_text
from etcdsize.catalog.machines import Machine
from etcdsize.fitting.need import FIGURES, Need

__all__ = [
    *(
        "LIMIT_NOT_PUBLISHED",
        "DiskOptions",
        "PricedDisk",
        "Shortfall",
        "cheapest_disk",
        "disk_options",
        "disk_reason",
        "disk_shortfalls",
    ),
    "disks_taken",
]


LIMIT_NOT_PUBLISHED = "the machine's own limit is not published, so the figures are those of the disk alone"


class Shortfall(NamedTuple):
    """A figure of which a machine has too little, or fsyncs that take it too long."""

    figure: str
    has: float
    needed: float

    @property
    def missing(self) -> float:
        """How much is missing, or by how much it is too long."""
        return abs(self.needed - self.has)

    @property
    def share(self) -> float:
        """The missing share of what is needed, from 0 to 1."""
        return 1 - min(self.has, self.needed) / max(self.has, self.needed)

    @property
    def ratio(self) -> float:
        """How many times what the machine has is needed, or how many times as long an fsync takes."""
        return max(self.has, self.needed) / min(self.has, self.needed)


class DiskOptions(NamedTuple):
    """The disks of a provider that are enough for a need, and why its other kinds are not."""

    sufficient: list[tuple[DiskKind, DiskChoice]]
    """The smallest disk of each kind that is enough."""
    rejections: dict[str, str]
    """Why each of the other kinds is not; why there is no kind at all, under an empty name."""
    in_catalog: bool
    """Whether the catalog has any network disk of the provider."""


class PricedDisk(NamedTuple):
    """A disk, and what a machine costs with it."""

    kind: DiskKind
    choice: DiskChoice
    per_month: float | None


def disk_options(
    catalog: Catalog, provider: str, disk: str | None, size_gib: int, need: Need, *, nitro: bool
) -> DiskOptions:
    """Return the disks of a provider that are enough for a need, of one kind, or of all kinds for None.

    Machines of AWS's Nitro system have more of some kinds.
    """
    options = DiskOptions([], {}, any(kind.provider == provider for kind in catalog.disk_kinds))
    for sold in catalog.disk_kinds:
        if sold.provider != provider or (disk is not None and sold.kind != disk):
            continue
        kind = sold.on_nitro() if nitro else sold
        if kind.media == "hdd":
            options.rejections[kind.kind] = f"{kind.kind} is a spinning disk; etcd needs the latency of an SSD"
            continue
        smallest = kind.smallest(size_gib, need.concurrent_iops, need.disk_mb_per_second)
        if isinstance(smallest, str):
            options.rejections[kind.kind] = smallest
        else:
            options.sufficient.append((kind, smallest))
    if not options.sufficient and not options.rejections:
        named = "" if disk is None else f"{disk} "
        options.rejections[""] = f"the catalog has no network disk {named}of {provider}"
    return options


def disks_taken(machine: Machine, disks: DiskOptions) -> list[tuple[DiskKind, DiskChoice]]:
    """Return those of the sufficient disks that a machine is known to take: any, unless it has limits by kind."""
    kinds = [limit.kind for limit in machine.disk_limits]
    return [one for one in disks.sufficient if not kinds or one[0].kind in kinds]


def disk_shortfalls(machine: Machine, kind: str, need: Need) -> tuple[list[Shortfall], bool]:
    """Return what a machine lacks with one kind of disk, and whether a figure is unknown."""
    limits = machine.limits_for(kind)
    needed = (need.concurrent_iops, need.disk_mb_per_second)
    return [
        Shortfall(figure, has, wanted)
        for figure, has, wanted in zip(FIGURES[2:], limits, needed)
        if has is not None and has < wanted
    ], None in limits


def cheapest_disk(machine: Machine, need: Need, taken: Sequence[tuple[DiskKind, DiskChoice]]) -> PricedDisk:
    """Return the disk with which a machine is enough and cheapest; there has to be one.

    A disk for which the machine's own limits are published comes before one for which they are not.
    """
    ranked: list[tuple[tuple[object, ...], PricedDisk]] = []
    own = None if machine.price is None else machine.price.currency
    order = list(dict.fromkeys((own, *(choice.currency for _, choice in taken))))
    for kind, choice in taken:
        short, unknown = disk_shortfalls(machine, kind.kind, need)
        if not short:
            total, _ = monthly_total(machine.price, choice.per_month, kind.price, None)
            # Where the total is unknown, the disk's own price still shows which is cheapest, in whatever region.
            alone = (choice.per_month is None, order.index(choice.currency), choice.per_month or 0.0)
            rank = (unknown, total is None, total or 0.0, *alone, len(ranked))
            ranked.append((rank, PricedDisk(kind, choice, total)))
    return min(ranked, key=lambda one: one[0])[1]


def disk_reason(kind: DiskKind, choice: DiskChoice, need: Need, size_gib: int) -> str:
    """Return why a disk has its size and what is provisioned for it."""
    reasons = [f"{size_gib} GiB hold the data"]
    next_size = _size_for(kind, size_gib)
    if choice.size_gib > next_size:
        wanted = f"{rounded_text(need.concurrent_iops)} IOPS and {rounded_text(need.disk_mb_per_second)} MB/s"
        reasons.append(f"{kind.kind} needs {choice.size_gib} GiB for {wanted}")
    elif choice.size_gib > size_gib:
        smallest = "smallest" if _size_for(kind, 1) == next_size else "next"
        reasons.append(f"the {smallest} {kind.kind} has {choice.size_gib} GiB")
    if choice.provisioned_iops is not None:
        included = "" if choice.included_iops is None else f", {rounded_text(choice.included_iops)} are included"
        reasons.append(f"{rounded_text(choice.provisioned_iops)} IOPS are provisioned{included}")
    if choice.provisioned_mb_per_second is not None:
        unit, base = choice.throughput_unit, choice.included_mb_per_second
        included = "" if base is None else f", {throughput_text(base, unit)} are included"
        reasons.append(f"{throughput_text(choice.provisioned_mb_per_second, unit)} are provisioned{included}")
    return "; ".join(reasons)


def _size_for(kind: DiskKind, size_gib: int) -> int:
    """Return the size of the smallest disk of a kind that holds this much. [GiB]"""
    disk = kind.smallest(size_gib)
    return size_gib if isinstance(disk, str) else disk.size_gib
