"""The tables of every bound and figure: tiers, machines, disks, needs, latencies and errata."""

from __future__ import annotations

from collections.abc import Iterable

import etcdsize
from etcdsize.catalog.loading import BUILT_IN as CATALOGS
from etcdsize.catalog.money import currency_mark
from etcdsize.fitting.fsync import fsync_need_for, sequential_iops_for
from pages.markdown import figure, table


def tier_table(name: str) -> str:
    """Return a table of every bound of a tier table."""
    tiers = etcdsize.load_tiers(name)

    def bound(bound: etcdsize.Bound | None) -> str:
        if bound is None:
            return "open"
        return f"{'at most' if bound.inclusive else 'below'} {bound.limit:,}"

    head = ["tier", "clients", "requests_per_second", "data_bytes", "kubernetes_nodes", "source"]
    rows = [
        [
            tier.name,
            bound(tier.clients),
            bound(tier.requests_per_second),
            bound(tier.data_bytes),
            f"{tier.kubernetes_nodes:,}",
            tier.source,
        ]
        for tier in tiers.tiers
    ]
    return f"{tiers.title}. Source: {tiers.source}. Read on {tiers.date}.\n\n" + table(head, rows)


def catalog_table(name: str) -> str:
    """Return a table of every figure of a catalog and its errata, or of its families if its machines have no tier."""
    catalog = etcdsize.load_catalog(name)
    if not any(machine.tier for machine in catalog.machines):
        return family_table(name)

    head = [
        "tier",
        "provider",
        "machine_type",
        "vcpus",
        "memory_gib",
        "concurrent_iops",
        "disk_mb_per_second",
        "disk",
        "arch",
        "lifecycle",
        "erratum",
        "source",
    ]
    rows = [
        [
            machine.tier or "none",
            machine.provider,
            machine.machine_type,
            machine.vcpus,
            figure(machine.memory_gib),
            figure(machine.concurrent_iops),
            figure(machine.disk_mb_per_second),
            machine.disk or "not stated",
            machine.arch or "unknown",
            machine.lifecycle or "unknown",
            ", ".join(erratum.field for erratum in machine.errata) or "none",
            machine.source,
        ]
        for machine in catalog.machines
    ]
    return f"{catalog.title}. Source: {catalog.source}. Read on {catalog.date}.\n\n" + table(head, rows)


def family_table(name: str) -> str:
    """Return a table of the families of a catalog, followed by its sources and its unknown figures."""
    catalog = etcdsize.load_catalog(name)
    families: dict[tuple[str, str], list[etcdsize.Machine]] = {}
    for machine in catalog.machines:
        families.setdefault((machine.provider, machine.family or "none"), []).append(machine)
    head = ["provider", "family", "machines", "arch", "lifecycle", "vcpus", "GiB per vCPU", "concurrent_iops"]
    head += ["disk_mb_per_second", "local_nvme_gb", "per_hour", "currency"]
    rows = []
    for (provider, family), machines in families.items():
        caps = [machine.limits_for("pd-ssd" if machine.disk_limits else "") for machine in machines]
        rows.append(
            [
                provider,
                family,
                len(machines),
                machines[0].arch,
                machines[0].lifecycle,
                spread(machine.vcpus for machine in machines),
                spread((machine.memory_gib / machine.vcpus for machine in machines), 3),
                spread(iops for iops, _ in caps),
                spread((throughput for _, throughput in caps), 2),
                spread(machine.local_nvme_gb for machine in machines),
                spread((machine.price and machine.price.per_hour for machine in machines), 4),
                ", ".join(sorted({machine.price.currency for machine in machines if machine.price})),
            ]
        )
    return (
        f"{catalog.title}. Source: {catalog.source}. Read on {catalog.date}.\n\n"
        + table(head, rows)
        + "\n\nThe guide's machines, with their figures in this catalog:\n\n"
        + _guide_rows(catalog)
        + "\n\nThe sources:\n\n"
        + "\n".join(f"- {line}" for line in _sources(catalog))
        + "\n\nUnknown:\n\n"
        + "\n".join(f"- {line}" for line in _unknown(catalog))
    )


def _guide_rows(catalog: etcdsize.Catalog) -> str:
    """Return a table of the guide's machines with their figures in a catalog."""
    head = ["tier", "machine", "lifecycle", "concurrent_iops", "disk_mb_per_second", "disk", "per_hour", "currency"]
    rows = []
    for named in etcdsize.load_catalog("guide").machines:
        machine = catalog.machine(named.provider, named.machine_type)
        disk = "pd-ssd" if machine.disk_limits else "any"
        iops, throughput = machine.limits_for(disk)
        price = (figure(machine.price.per_hour), machine.price.currency) if machine.price else ("unknown", "")
        rows.append(
            [named.tier, machine.machine_type, machine.lifecycle, figure(iops), figure(throughput), disk, *price]
        )
    return table(head, rows)


def _sources(catalog: etcdsize.Catalog) -> list[str]:
    """Return every source of a catalog's figures and prices, with the number of machines that depend on it."""
    counts: dict[str, int] = {}
    for machine in catalog.machines:
        lines = [f"{machine.provider}, figures: {machine.source}"]
        lines += dict.fromkeys(
            f"{machine.provider}, disk limits: {limit.source}" for limit in machine.disk_limits if limit.source
        )
        if machine.price:
            lines.append(
                f"{machine.provider}, prices of {machine.price.region}, {machine.price.date}: {machine.price.source}"
            )
        for line in lines:
            counts[line] = counts.get(line, 0) + 1
    return [f"{line} ({count} machine{'s' if count > 1 else ''})" for line, count in sorted(counts.items())]


def _unknown(catalog: etcdsize.Catalog) -> list[str]:
    """Return the unknown figures of a catalog, by family."""
    missing: dict[str, dict[str, None]] = {"price": {}, "limits for network disks": {}}
    for machine in catalog.machines:
        family = f"{machine.provider} {machine.family}"
        if machine.price is None:
            missing["price"][family] = None
        if not any(limit.concurrent_iops for limit in machine.disk_limits) and machine.concurrent_iops is None:
            missing["limits for network disks"][family] = None
    return [f"{what}: {', '.join(families)}" for what, families in missing.items() if families]


def spread(values: Iterable[float | None], digits: int | None = None) -> str:
    """Return the lowest and the highest figure, and whether some are unknown."""
    values = list(values)
    known = [value if digits is None else round(value, digits) for value in values if value is not None]
    if not known:
        return "unknown"
    text = figure(min(known)) if min(known) == max(known) else f"{figure(min(known))}–{figure(max(known))}"
    return text if len(known) == len(values) else f"{text}, some unknown"


def disk_table(catalog: str) -> str:
    """Return a table of the rules of a catalog's network disks."""
    head = ["provider", "kind", "size_gib", "IOPS", "MB/s", "bursts (not counted)", "a write takes", "price", "source"]
    rows = []
    for kind in etcdsize.load_catalog(catalog).disk_kinds:
        name = f"{kind.kind} ({kind.media})"
        latency, bursts = kind.write_latency, kind.bursts or "no"
        takes = "unknown"
        if latency is not None:
            takes = f"{latency.milliseconds} ({latency.statistic}); {latency.date}: {latency.source}"
        rows.append(
            [kind.provider, name, _size(kind), _iops(kind), _throughput(kind), bursts, takes, _price(kind), kind.source]
        )
    return table(head, rows)


def _size(kind: etcdsize.DiskKind) -> str:
    if kind.sizes:
        return ", ".join(figure(size.size_gib) for size in kind.sizes)
    ends = (kind.min_size_gib, kind.max_size_gib)
    text = "unknown" if ends == (None, None) else " to ".join(map(figure, ends))
    return text if kind.size_step_gib == 1 else f"{text}, in steps of {figure(kind.size_step_gib)}"


def _iops(kind: etcdsize.DiskKind) -> str:
    if kind.sizes:
        return ", ".join(figure(size.concurrent_iops) for size in kind.sizes)
    text = f"{figure(kind.included_iops)} + {figure(kind.iops_per_gib)} per GiB"
    if kind.min_iops:
        text += f", at least {figure(kind.min_iops)}"
    if kind.max_base_iops is not None:
        text += f", at most {figure(kind.max_base_iops)} with the size and {figure(kind.max_iops)} in all"
    else:
        text += f", at most {figure(kind.max_iops)}"
    if kind.iops_provisionable:
        text += f"; provisionable, at most {figure(kind.max_iops_per_gib)} per GiB{_from(kind)}"
    if kind.iops_per_bought_mb_per_second:
        text += f"; {figure(kind.iops_per_bought_mb_per_second)} per bought MB/s"
    if kind.nitro is not None:
        most, ratio = figure(kind.nitro.max_iops), figure(kind.nitro.max_iops_per_gib)
        text += f"; on Nitro machines at most {most}, {ratio} per GiB"
    return text


def _throughput(kind: etcdsize.DiskKind) -> str:
    if kind.sizes:
        return ", ".join(figure(size.disk_mb_per_second) for size in kind.sizes)
    text = f"{figure(kind.included_mb_per_second)} + {figure(kind.mb_per_second_per_gib)} per GiB"
    if kind.mb_per_second_per_iops:
        text += f" + {figure(kind.mb_per_second_per_iops)} per IOPS"
    if kind.min_mb_per_second:
        text += f", at least {figure(kind.min_mb_per_second)}"
    if kind.max_base_mb_per_second is not None:
        most, in_all = figure(kind.max_base_mb_per_second), figure(kind.max_mb_per_second)
        text += f", at most {most} with the size and {in_all} in all"
    else:
        text += f", at most {figure(kind.max_mb_per_second)}"
    if kind.mb_per_second_provisionable:
        text += "; provisionable"
        if kind.min_mb_per_second_per_iops:
            text += f", at least {figure(kind.min_mb_per_second_per_iops)} per IOPS"
        if kind.max_base_mb_per_second is None:
            text += f", at most {figure(kind.max_mb_per_second_per_iops)} per IOPS"
        text += _from(kind)
    if kind.mb_per_second_per_bought_iops:
        text += f"; {figure(kind.mb_per_second_per_bought_iops)} per bought IOPS"
    return text


def _from(kind: etcdsize.DiskKind) -> str:
    least = kind.min_bought_size_gib
    return "" if least is None else f", from {figure(least)} GiB on"


def _price(kind: etcdsize.DiskKind) -> str:
    price = kind.price
    if price is None:
        return "unknown"
    mark = currency_mark(price.currency)
    parts = [f"{mark}{figure(price.per_gib_month)} per GiB"] if price.per_gib_month is not None else []
    parts += [f"{mark}{figure(step.per_month)} up to {figure(step.up_to)} GiB" for step in price.per_size_month or ()]
    for step in price.per_iops_month or ():
        parts.append(
            f"{mark}{figure(step.per_month)} per IOPS" + (f" up to {figure(step.up_to)}" if step.up_to else "")
        )
    if price.per_mb_per_second_month is not None:
        parts.append(f"{mark}{figure(price.per_mb_per_second_month)} per MB/s")
    return f"{', '.join(parts)}, each per month; {price.region}, {price.date}: {price.source}"


def errata_table() -> str:
    """Return a table of the errata of all catalogs, each listed once."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in CATALOGS:
        for machine in etcdsize.load_catalog(name).machines:
            for erratum in machine.errata:
                cell = (
                    f"{machine.tier}, {machine.provider}",
                    erratum.field,
                    erratum.printed,
                    erratum.correct,
                    erratum.reason,
                    erratum.source,
                )
                found.setdefault(cell, []).append(name)
    head = ["row", "field", "printed", "correct", "evidence", "source", "listed in"]
    return table(head, [[*cell, ", ".join(names)] for cell, names in found.items()])


def needs_table() -> str:
    """Return a table of the needs of a member of each tier."""
    needs = [etcdsize.need_for(tier) for tier in etcdsize.load_tiers("guide").names]
    head = ["tier", "vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second", "data_bytes", "sequential IOPS"]
    rows = [
        [
            need.tier,
            need.vcpus,
            figure(need.memory_gib),
            figure(need.concurrent_iops),
            figure(need.disk_mb_per_second),
            f"{need.data_bytes:,}",
            sequential_iops_for(need.vcpus),
            need.source,
        ]
        for need in needs
    ]
    return table([*head, "source"], rows)


def latencies_table() -> str:
    """Return a table of the latencies of writes to network disks."""
    head = ["provider", "kinds", "low_ms", "usual_ms", "high_ms", "writes per second", "source"]
    rows = [
        [
            one.provider,
            ", ".join(one.kinds),
            figure(one.low_ms),
            figure(one.usual_ms),
            figure(one.high_ms),
            one.sequential_iops,
            one.source,
        ]
        for one in fsync_need_for(8).expected
    ]
    return table(head, rows)
