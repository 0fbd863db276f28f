"""The prices of machines and disks in every region for which a list of prices is published.

`data/prices/<provider>.csv` has rows of several kinds, by the first cell: `currency`; `source`, with a number, a date
and a text; `home`, the region in which most types have a price; `types`, the names of the machine types; and for every
region the prices of these types in their order, a row for each source, and rows of disks. Only the rows of a region
that is asked for are read.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from etcdsize.catalog.costs import DiskPrice, Price, PriceStep
from etcdsize.catalog.regions import known_regions

if TYPE_CHECKING:
    from etcdsize.catalog.disks import DiskKind

__all__ = ["RegionalPrices", "home_region", "priced_nearby", "prices_in", "region_of_list"]

_FOLDER = Path(__file__).parents[1] / "data" / "prices"
_DISK = "disk"


class _Head(NamedTuple):
    """What holds for all regions of a provider."""

    currency: str
    home: str
    sources: tuple[tuple[str, str], ...]
    """Date and text of each source."""
    types: tuple[str, ...]


class ListedDisk(NamedTuple):
    """The prices of a month of one kind of disk."""

    source: int
    """The number of the source."""
    per_gib: float | None
    per_iops: float | None
    """Of each above those included."""
    per_mb_per_second: float | None
    """Of each above those included."""
    per_size: tuple[tuple[int, float], ...] = ()
    """Size in GiB and price, where the sizes have prices of their own."""


class RegionalPrices(NamedTuple):
    """The prices of a provider in one region."""

    region: str
    currency: str
    sources: tuple[tuple[str, str], ...]
    machines: dict[str, tuple[float, int]]
    """Machine type -> price of an hour, and the number of its source."""
    disks: dict[str, ListedDisk]
    """Kind of disk -> its prices."""

    def machine(self, machine_type: str) -> Price | None:
        """Return the price of a machine, None where it is unknown."""
        found = self.machines.get(machine_type)
        if found is None:
            return None
        date, source = self.sources[found[1]]
        return Price(per_hour=found[0], currency=self.currency, region=self.region, date=date, source=source)

    def disk(self, kind: DiskKind) -> DiskPrice | None:
        """Return the price of a kind of disk, None where it is unknown."""
        found = self.disks.get(kind.kind)
        if found is None:
            return None
        date, source = self.sources[found.source]
        per_iops = found.per_iops
        return DiskPrice(
            per_gib_month=found.per_gib,
            per_size_month=tuple(PriceStep(up_to=size, per_month=price) for size, price in found.per_size) or None,
            per_iops_month=None if per_iops is None else (PriceStep(up_to=None, per_month=per_iops),),
            per_mb_per_second_month=found.per_mb_per_second,
            currency=self.currency,
            region=self.region,
            date=date,
            source=source,
        )


@functools.lru_cache(maxsize=256)
def prices_in(provider: str, region: str) -> RegionalPrices | None:
    """Return the prices of a provider in a region; None if no list of its prices is known.

    Examples
    --------
    >>> prices_in("aws", "eu-central-1").machine("m6a.large").per_hour
    0.1035
    """
    lines = _lines(provider)
    return None if lines is None else region_of_list(lines, region)


def region_of_list(lines: Sequence[str], region: str) -> RegionalPrices:
    """Return the prices of one region of a list of prices, which is given by its lines."""
    head = _head(tuple(lines[: _rows_of_head(lines)]))
    machines: dict[str, tuple[float, int]] = {}
    disks: dict[str, ListedDisk] = {}
    for _, of, *cells in csv.reader(line for line in lines if line.startswith(f"{region},")):
        if of == _DISK:
            kind, number, *prices = cells[:5]
            sizes = tuple((int(size), float(price)) for size, _, price in (cell.partition(":") for cell in cells[5:]))
            per_gib, per_iops, per_mb_per_second = map(_number, prices)
            disks[kind] = ListedDisk(int(number), per_gib, per_iops, per_mb_per_second, sizes)
        else:
            machines.update((name, (float(cell), int(of))) for name, cell in zip(head.types, cells) if cell)
    return RegionalPrices(region, head.currency, head.sources, machines, disks)


def home_region(provider: str) -> str | None:
    """Return the region in which most types of a provider have a price, None if it has no list of prices."""
    lines = _lines(provider)
    return None if lines is None else _head(tuple(lines[: _rows_of_head(lines)])).home


def priced_nearby(provider: str, region: str, machine_type: str) -> tuple[str, ...]:
    """Return the other regions on the continent of a region in which a machine has a price.

    Examples
    --------
    >>> priced_nearby("aws", "eu-west-3", "m8i.2xlarge")
    ('eu-central-1', 'eu-south-2')
    """
    regions = known_regions().get(provider, {})
    if region not in regions:
        return ()
    nearby = [name for name, one in regions.items() if one.continent == regions[region].continent and name != region]
    lists = ((name, prices_in(provider, name)) for name in nearby)
    return tuple(name for name, prices in lists if prices is not None and machine_type in prices.machines)


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


@functools.cache
def _lines(provider: str) -> tuple[str, ...] | None:
    if provider not in {path.stem for path in _FOLDER.iterdir()}:
        return None
    return tuple((_FOLDER / f"{provider}.csv").read_text(encoding="utf-8").splitlines())


def _rows_of_head(lines: Sequence[str]) -> int:
    return next(place for place, line in enumerate(lines, 1) if line.startswith("types,"))


@functools.lru_cache(maxsize=16)
def _head(lines: tuple[str, ...]) -> _Head:
    rows = list(csv.reader(lines))
    fields = {kind: cells[0] for kind, *cells in rows}
    sources = tuple((date, text) for kind, *cells in rows if kind == "source" for _, date, text in (cells,))
    return _Head(fields["currency"], fields["home"], sources, tuple(rows[-1][1:]))
