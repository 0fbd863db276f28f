"""The cheapest disk of a kind that is enough: its size, and what has to be bought beside the size."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from etcdsize.catalog.disk_figures import DiskFigures
from etcdsize.catalog.figures import exact, number

__all__ = ["Purchase", "cheapest_purchase"]

# A size of which the largest is unknown ends here (our choice). [GiB]
_ENDLESS = 2**62


class Purchase(NamedTuple):
    """A disk to buy, as the arguments of `DiskKind.figures`."""

    size_gib: int
    provisioned_iops: float | None
    provisioned_mb_per_second: float | None


def cheapest_purchase(kind: DiskFigures, size_gib: int, iops: Fraction, mb_per_second: Fraction) -> Purchase | None:
    """Return the cheapest disk that is enough, None where none is.

    A larger disk never needs more to be bought beside it, so all sizes from one on are enough. Of equally cheap disks,
    and where no price is known, it is the smallest.
    """
    sizes = _sizes(kind, size_gib)
    first = 0
    # Mostly the size for the data is enough.
    if not sizes or _purchase(kind, sizes[0], iops, mb_per_second) is None:
        first = bisect.bisect_left(sizes, True, key=lambda size: _purchase(kind, size, iops, mb_per_second) is not None)
    if first >= len(sizes):
        return None
    priced: list[tuple[bool, float, Purchase]] = []
    for size in sizes[first:]:
        purchase = _purchase(kind, size, iops, mb_per_second)
        if purchase is not None:
            price = kind._cost(*purchase)
            priced.append((price is None, price or 0, purchase))
            if not _may_be_cheaper(kind, purchase):
                break
    return min(priced, key=lambda one: one[:2])[2]


def _sizes(kind: DiskFigures, size_gib: int) -> Sequence[int]:
    """Return the sizes that hold the data."""
    if kind.sizes:
        return [size.size_gib for size in kind.sizes if size.size_gib >= size_gib]
    last = kind._largest_size
    return range(kind._next_size(size_gib), _ENDLESS if last is None else last + 1, kind.size_step_gib)


def _may_be_cheaper(kind: DiskFigures, purchase: Purchase) -> bool:
    """Return whether a larger disk can be cheaper, because it needs less to be bought or has a price of its own."""
    if kind.price is None:
        return False
    if kind.sizes:
        return True
    size, *bought = purchase
    grows = (
        kind.iops_provisionable and kind._base_iops(size, free=True) != kind._base_iops(None, free=True),
        (kind.mb_per_second_provisionable or kind.mb_per_second_per_bought_iops)
        and kind._base_throughput(size, kind._base_iops(size)) != kind._base_throughput(None, kind._base_iops(None)),
        kind.iops_per_bought_mb_per_second and kind._base_iops(size) != kind._base_iops(None),
    )
    return any(grows) and bought != [None, None]


def _purchase(kind: DiskFigures, size_gib: int, iops: Fraction, mb_per_second: Fraction) -> Purchase | None:
    """Return the least that has to be bought for a size to be enough, None where that cannot be bought."""
    base = kind._base_iops(size_gib)
    provisioned = base if base is None else _least_iops(kind, size_gib, base, iops, mb_per_second)
    most_iops = kind._most_iops(size_gib)
    if provisioned is not None and most_iops is not None and provisioned > most_iops:
        return None
    least = throughput = kind._least_throughput(size_gib, provisioned)
    if least is not None and throughput is not None and kind.mb_per_second_provisionable:
        wanted = mb_per_second
        if base is not None and iops > base and kind.iops_per_bought_mb_per_second:
            wanted = max(wanted, least + (iops - base) / exact(kind.iops_per_bought_mb_per_second))
        if wanted > least:
            throughput = kind._rounded_up(wanted, least, kind._unit)
        most = kind._most_throughput(size_gib, provisioned)
        if most is None or throughput > most:
            return None
    sustained = provisioned
    if base is not None and least is not None and throughput is not None and kind.iops_per_bought_mb_per_second:
        sustained = kind._iops_with(base, throughput - least)
    if (sustained is not None and sustained < iops) or (throughput is not None and throughput < mb_per_second):
        return None
    free = kind._base_iops(size_gib, free=True)
    buys_iops = kind.iops_provisionable and provisioned is not None and free is not None and provisioned > free
    comes = kind._base_throughput(size_gib, provisioned)
    return Purchase(
        size_gib,
        number(provisioned) if buys_iops and provisioned is not None else None,
        number(throughput) if throughput is not None and comes is not None and throughput > comes else None,
    )


def _least_iops(kind: DiskFigures, size_gib: int, base: Fraction, iops: Fraction, mb_per_second: Fraction) -> Fraction:
    """Return the fewest IOPS for a need of both; those that come with the size where more cannot be provisioned."""
    if not kind.iops_provisionable:
        return base
    least = max(base, iops)
    throughput = kind._least_throughput(size_gib, least)
    if throughput is not None and throughput < mb_per_second:
        if kind.mb_per_second_per_iops:
            per_gib = exact(kind.mb_per_second_per_gib or 0) * size_gib
            rest = mb_per_second - exact(kind.included_mb_per_second or 0) - per_gib
            least = max(least, rest / exact(kind.mb_per_second_per_iops))
        elif kind.mb_per_second_per_bought_iops:
            least += (mb_per_second - throughput) / exact(kind.mb_per_second_per_bought_iops)
        elif kind.max_mb_per_second_per_iops and kind.mb_per_second_provisionable:
            wanted = kind._rounded_up(mb_per_second, throughput, kind._unit)
            least = max(least, wanted / exact(kind.max_mb_per_second_per_iops))
    return max(base, kind._rounded_up(least, base)) if least > base else base
