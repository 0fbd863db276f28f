"""The reports of tier tables, of the machines of a catalog, and of an imported listing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from etcdsize.base.text import in_words
from etcdsize.catalog.figures import vcpus_text
from etcdsize.reports.layout import MACHINE_HEAD, aligned, figure_text, machine_figures, page
from etcdsize.sizing.answer import bound_text
from etcdsize.units import DIMENSIONS, format_bytes, format_number

if TYPE_CHECKING:
    from etcdsize.catalog.catalog import Catalog
    from etcdsize.catalog.costs import Price
    from etcdsize.catalog.disks import DiskKindPrice
    from etcdsize.catalog.listing import Imported
    from etcdsize.catalog.machines import Machine, MachinePrice
    from etcdsize.catalog.price_lists import Priced
    from etcdsize.tiers import Tier, TierTable

__all__ = ["render_import", "render_machines", "render_priced", "render_prices", "render_tiers"]


def _beyond(table: TierTable, dimension: str) -> str:
    """Return the loads of the open tier, such as `above 1,500`."""
    last = table.bounds(dimension)[-1]
    limit = format_bytes(last.limit) if dimension == "data_bytes" else format_number(last.limit)
    return f"above {limit}" if last.inclusive else f"{limit} or more"


def render_tiers(table: TierTable) -> str:
    """Return a tier table."""
    rows: list[tuple[str, ...]] = [("tier", "clients", "requests/s", "data", "example: Kubernetes")]

    def cells(tier: Tier) -> tuple[str, ...]:
        bounds = [(name, tier.bound(name)) for name in DIMENSIONS]
        return tuple(_beyond(table, name) if bound is None else bound_text(name, bound) for name, bound in bounds)

    rows += [(tier.name, *cells(tier), f"{tier.kubernetes_nodes} nodes") for tier in table.tiers]
    return page([table.title], aligned(rows), _source(table.source, table.date))


def render_machines(catalog: Catalog, machines: Sequence[Machine]) -> str:
    """Return a table of machines, with their prices if any has a family or a price.

    A figure with an erratum is marked, and the erratum is explained below the table.
    """
    if any(machine.family is not None or machine.price is not None for machine in machines):
        return _priced_machines(catalog, machines)
    rows: list[tuple[str, ...]] = [("tier", "provider", "machine", *MACHINE_HEAD)]
    footnotes: list[str] = []
    for machine in machines:
        marks = {}
        for erratum in machine.errata:
            footnotes.append(
                f"{'*' * (len(footnotes) + 1)} {machine.provider}, {machine.tier}, {erratum.field}: printed "
                f"{erratum.printed}, should be {erratum.correct}: {erratum.reason} ({erratum.source})"
            )
            marks[erratum.field] = "*" * len(footnotes)
        figures = zip(
            ("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second"), machine_figures(machine), strict=True
        )
        rows.append(
            (
                machine.tier or "",
                machine.provider,
                f"{machine}{marks.get('machine_type', '')}",
                *(f"{figure}{marks.get(name, '')}" for name, figure in figures),
            )
        )
    table = aligned(rows, right=(3, 4, 5, 6))
    return page([catalog.title], table, footnotes, _source(catalog.source, catalog.date))


def _priced_machines(catalog: Catalog, machines: Sequence[Machine]) -> str:
    currencies = {machine.price.currency for machine in machines if machine.price is not None}
    unit = next(iter(currencies), "USD") if len(currencies) < 2 else "price"
    head = ("provider", "machine", "arch", *MACHINE_HEAD, "of disk", "NVMe (GB)", f"{unit}/hour", "region", "read on")
    rows: list[tuple[str, ...]] = [(*head, "note")]
    for machine in machines:
        kind = machine.disk_limits[0].kind if machine.disk_limits else "any"
        iops, throughput = machine.limits_for(kind)
        price = machine.price
        rows.append(
            (
                machine.provider,
                str(machine),
                machine.arch or "unknown",
                str(machine.vcpus),
                figure_text(machine.memory_gib),
                figure_text(iops),
                figure_text(throughput),
                "" if iops is None and throughput is None else kind,
                figure_text(machine.local_nvme_gb),
                *((_hour(price, unit), price.region, price.date) if price else ("unknown", "", "")),
                ", ".join(_notes(machine)),
            )
        )
    return page([catalog.title], aligned(rows, right=(3, 4, 5, 6, 8, 9)), _source(catalog.source, catalog.date))


def _hour(price: Price, unit: str) -> str:
    return figure_text(price.per_hour) if unit == price.currency else f"{price.currency} {figure_text(price.per_hour)}"


def _notes(machine: Machine) -> list[str]:
    flags = {
        "own server": machine.own,
        "previous generation": machine.lifecycle == "previous",
        "burstable": machine.burstable,
        "flex": machine.flex,
        "shared core": machine.shared_core,
        "bare metal": machine.bare_metal,
        "GPU": machine.gpu,
    }
    notes = [note for note, applies in flags.items() if applies]
    if machine.cpu_baseline_percent is not None:
        notes.append(f"sustains {vcpus_text(machine.sustained_vcpus or 0)}")
    return notes


def render_import(imported: Imported) -> str:
    """Return the report of an import, which accounts for every entry and counts machines that are unknown or unfit."""
    machines = imported.catalog.machines
    counts = [f"{imported.imported} imported", f"{len(imported.dropped)} dropped"]
    if imported.repeats:
        counts.append(f"{imported.repeats} repeated")
    if imported.not_offered:
        counts.append(f"{len(imported.not_offered)} not offered")
    lines = [f"{imported.found} entr{'y' if imported.found == 1 else 'ies'}: {', '.join(counts)}"]
    for what, entries in (("dropped", imported.dropped), ("not offered", imported.not_offered)):
        reasons: dict[str, dict[str, None]] = {}
        for entry in entries:
            reasons.setdefault(entry.reason, {})[entry.machine_type] = None
        for reason, found in reasons.items():
            names = list(found)
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            lines.append(f"{what}, {reason}: {', '.join(names[:5])}{more}")
    flags = {
        "burstable": [machine.burstable for machine in machines],
        "flex": [machine.flex for machine in machines],
        "shared core": [machine.shared_core for machine in machines],
        "with GPUs": [machine.gpu for machine in machines],
        "bare metal": [machine.bare_metal for machine in machines],
        "disk figures unknown": [
            machine.concurrent_iops is None and not any(limit.concurrent_iops for limit in machine.disk_limits)
            for machine in machines
        ],
        "architecture unknown": [machine.arch is None for machine in machines],
        "price unknown": [machine.price is None for machine in machines],
    }
    flagged = [f"{sum(each)} {label}" for label, each in flags.items() if any(each)]
    if flagged:
        lines.append(f"imported: {', '.join(flagged)}")
    # Whatever a disk is needed for, its figures have to be known.
    known = {kind.provider for kind in imported.catalog.disk_kinds if not isinstance(kind.smallest(1, 1, 1), str)}
    lacking = [provider for provider in imported.catalog.providers if provider not in known]
    if lacking:
        lines.append(
            f"the catalog has no network disk of {in_words(lacking)} with known figures; fit needs one, or a machine "
            "whose disk you measured: docs/machines.md says how to add either"
        )
    if imported.truncated:
        lines.append("warning: pages are missing: the last one says that more follow; import all of them together")
    return page(lines)


def render_priced(priced: Priced) -> str:
    """Return the report of a price list, which accounts for every entry."""
    machines = sum(machine.provider == priced.provider for machine in priced.catalog.machines)
    disks = f", {in_words(priced.disk_kinds)}" if priced.disk_kinds else ", no disk"
    where = f"{priced.provider}, {priced.region}, {priced.currency}"
    lines = [
        f"{where}: {priced.machines} of {machines} machines priced{disks}",
        f"{priced.found} entr{'y' if priced.found == 1 else 'ies'}: {priced.used} used, {priced.found - priced.used} "
        "left out",
    ]
    lines += [f"left out, {one.reason}: {one.entries}" for one in priced.left_out]
    if priced.truncated:
        lines.append("warning: pages are missing: the last one says that more follow; read all of them together")
    return page(lines)


def render_prices(prices: Sequence[MachinePrice | DiskKindPrice]) -> str:
    """Return the report of a user's own list of prices."""
    disks = sum(hasattr(price, "kind") for price in prices)
    plural = "" if len(prices) == 1 else "s"
    return page([f"{len(prices)} price{plural}: {len(prices) - disks} of machines, {disks} of disks"])


def _source(source: str, date: str) -> list[str]:
    read = f", read on {date}" if date else ""
    return [f"Source: {source}{read}"] if source else []
