"""Machines and kinds of disks at other prices than a catalog's own: those of a list, or those of a region."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from etcdsize.base.text import in_words, nearest, shown
from etcdsize.catalog.disks import DiskKind, DiskKindPrice
from etcdsize.catalog.machines import Machine, MachinePrice
from etcdsize.errors import TableError

__all__ = ["at_prices_of", "with_prices"]

Priced = TypeVar("Priced", Machine, DiskKind)


def with_prices(
    catalog: str,
    machines: Sequence[Machine],
    disk_kinds: Sequence[DiskKind],
    prices: Iterable[MachinePrice | DiskKindPrice],
) -> tuple[tuple[Machine, ...], tuple[DiskKind, ...]]:
    """Return the machines and the kinds of disks of a catalog, which an error names, at the prices of a list."""
    places: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for index, machine in enumerate(machines):
        places.setdefault(("machine_type", machine.machine_type), []).append((machine.provider, index))
    for index, kind in enumerate(disk_kinds):
        places.setdefault(("disk_kind", kind.kind), []).append((kind.provider, index))
    priced, kinds, rows = list(machines), list(disk_kinds), dict[tuple[str, int], int]()
    for row, listed in enumerate(prices, 1):
        if not isinstance(listed, (MachinePrice, DiskKindPrice)):
            raise TableError(f"row {row}: got {shown(listed)}, expected a MachinePrice or a DiskKindPrice", row=row)
        if isinstance(listed, MachinePrice):
            field, name, what = "machine_type", listed.machine_type, "machine"
        else:
            field, name, what = "disk_kind", listed.kind, "kind of disk"
        found = [
            (provider, index)
            for provider, index in places.get((field, name), [])
            if listed.provider in (None, provider)
        ]
        if len(found) != 1:
            known = machines if field == "machine_type" else disk_kinds
            reason = _not_one(catalog, known, field, name, listed.provider, [provider for provider, _ in found])
            raise TableError(f"row {row}, {field}: {reason}", row=row, field=field)
        index = found[0][1]
        if (field, index) in rows:
            raise TableError(
                f"row {row}, {field}: got {shown(name)}, which is also in row {rows[field, index]}; expected one "
                f"price for each {what}",
                row=row,
                field=field,
            )
        rows[field, index] = row
        if isinstance(listed, MachinePrice):
            priced[index] = priced[index].model_copy(update={"price": listed.price})
        else:
            kinds[index] = kinds[index].model_copy(update={"price": listed.price})
    return tuple(priced), tuple(kinds)


def _not_one(
    catalog: str,
    rows: Sequence[Machine | DiskKind],
    field: str,
    name: str,
    provider: str | None,
    providers: Sequence[str],
) -> str:
    """Return why a price is not that of one machine or of one kind of disk."""
    if providers:
        return f"got {shown(name)}, which {in_words(providers)} both have; add the provider to the row"
    known = [
        one.machine_type if isinstance(one, Machine) else one.kind for one in rows if provider in (None, one.provider)
    ]
    of = f"{provider} " if provider else ""
    what = "machines" if field == "machine_type" else "disks"
    missing = f"got {shown(name)}, which is not among the {of}{what} in the catalog {shown(catalog)}"
    return f"{missing}{nearest(name, known)}"


def at_prices_of(regions: dict[str, str], row: Priced) -> Priced:
    """Return a machine or a kind of disk at the price of its provider's region, if there is one among those given."""
    region = regions.get(row.provider)
    if region is None or (row.price is not None and row.price.region == region):
        return row
    # Imported here because most answers are about no region.
    from etcdsize.catalog.regional_prices import prices_in

    listed = prices_in(row.provider, region)
    if listed is None:
        return row.model_copy(update={"price": None})
    price = listed.machine(row.machine_type) if isinstance(row, Machine) else listed.disk(row)
    return row.model_copy(update={"price": price})
