"""Plain text for a person at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from etcdsize.base.text import one_line
from etcdsize.reports.layout import MACHINE_HEAD, aligned, figure_text, usd_text
from etcdsize.sizing.size import bound_text, load_text
from etcdsize.units import DIMENSIONS, format_bytes, format_number, format_percent

if TYPE_CHECKING:
    from etcdsize.batches.auditor import AuditedRow, AuditSummary
    from etcdsize.catalog.catalog import Catalog
    from etcdsize.catalog.listing import Imported
    from etcdsize.catalog.machines import Machine
    from etcdsize.files.summary import FleetSummary
    from etcdsize.sizing.size import Sizing
    from etcdsize.tiers import Tier, TierTable

__all__ = ["render_fleet", "render_import", "render_machines", "render_sizing", "render_tiers"]


def _figures(machine: Machine) -> tuple[str, ...]:
    return (
        str(machine.vcpus),
        figure_text(machine.memory_gib),
        figure_text(machine.concurrent_iops),
        figure_text(machine.disk_mb_per_second),
    )


def render_sizing(sizing: Sizing) -> str:
    """Return the answer for one cluster."""
    parts = [_sizing_head(sizing)]
    if sizing.workload is not None and sizing.utilization:
        rows = [("load", "bound", "utilization", "headroom")]
        for name, load in zip(DIMENSIONS, sizing.workload.loads, strict=True):
            if load is None:
                rows.append((f"{name} unknown", "", "", ""))
                continue
            rows.append(
                (
                    load_text(name, load),
                    bound_text(name, sizing.bounds[name]),
                    format_percent(sizing.utilization[name]),
                    _share_left(sizing.headroom[name]),
                )
            )
        parts.append(aligned(rows, right=(2, 3)))
    machines = [
        ("provider", "machine", *MACHINE_HEAD),
        *((name, str(machine), *_figures(machine)) for name, machine in sizing.machines.items()),
    ]
    parts.append(aligned(machines, right=(2, 3, 4, 5)))
    if sizing.usd_month:
        parts.append(_costs(sizing))
    if sizing.notices:
        parts.append("\n".join(notice.line for notice in sizing.notices))
    return "\n\n".join(parts) + "\n"


def _costs(sizing: Sizing) -> str:
    """Return what the cluster costs on every provider, with region and date."""
    rows: list[tuple[str, ...]] = [
        ("provider", "machine ($/month)", "disk ($/month)", f"{sizing.members} members ($/month)", "region, date")
    ]
    for name, machine in sizing.machines.items():
        cost = machine.cost
        if cost is not None:
            where = ", ".join(filter(None, (cost.region, cost.date)))
            parts = (cost.machine_usd_month, cost.disk_usd_month, sizing.usd_month.get(name))
            rows.append((name, *map(usd_text, parts), where))
    return aligned(rows, right=(1, 2, 3))


def _sizing_head(sizing: Sizing) -> str:
    lines = [("tier", sizing.tier)]
    if sizing.kubernetes_nodes is not None:
        lines.append(("Kubernetes nodes", str(sizing.kubernetes_nodes)))
    lines.append(("forced by", ", ".join(sizing.forced_by) or "nothing: it is the smallest tier"))
    if sizing.tightest is not None:
        lines.append(("tightest", sizing.tightest))
    if sizing.headroom_asked:
        lines.append(("headroom asked", format_percent(sizing.headroom_asked)))
    lines.append(
        ("members", f"{sizing.members} (quorum {sizing.quorum}, failure tolerance {sizing.failure_tolerance})")
    )
    return aligned(lines)


def _share_left(headroom: float) -> str:
    return format_percent(headroom) if headroom >= 0 else "none"


def _beyond(table: TierTable, dimension: str) -> str:
    """Return what the open tier is for."""
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
    return "\n\n".join(filter(None, [table.title, aligned(rows), _source(table.source, table.date)])) + "\n"


def render_machines(catalog: Catalog, machines: Sequence[Machine]) -> str:
    """Return machines of a catalog, errata marked and told; where it has families or prices, with those."""
    if any(machine.family is not None or machine.price is not None for machine in machines):
        return _priced_machines(catalog, machines)
    rows: list[tuple[str, ...]] = [("tier", "provider", "machine", *MACHINE_HEAD)]
    told: list[str] = []
    for machine in machines:
        wrong = {}
        for erratum in machine.errata:
            told.append(
                f"{'*' * (len(told) + 1)} {machine.provider}, {machine.tier}, {erratum.field}: printed "
                f"{erratum.printed}, should be {erratum.correct}: {erratum.reason} ({erratum.source})"
            )
            wrong[erratum.field] = "*" * len(told)
        figures = zip(("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second"), _figures(machine), strict=True)
        rows.append(
            (
                machine.tier or "",
                machine.provider,
                f"{machine}{wrong.get('machine_type', '')}",
                *(f"{figure}{wrong.get(name, '')}" for name, figure in figures),
            )
        )
    parts = [catalog.title, aligned(rows, right=(3, 4, 5, 6)), "\n".join(told), _source(catalog.source, catalog.date)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _priced_machines(catalog: Catalog, machines: Sequence[Machine]) -> str:
    head = ("provider", "machine", "arch", *MACHINE_HEAD, "of disk", "NVMe (GB)", "USD/hour", "region", "read on")
    rows: list[tuple[str, ...]] = [(*head, "beware")]
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
                *((figure_text(price.usd_hour), price.region, price.date) if price else ("unknown", "", "")),
                ", ".join(_beware(machine)),
            )
        )
    parts = [catalog.title, aligned(rows, right=(3, 4, 5, 6, 8, 9)), _source(catalog.source, catalog.date)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _beware(machine: Machine) -> list[str]:
    flags = {
        "previous generation": machine.lifecycle == "previous",
        "burstable": machine.burstable,
        "shared core": machine.shared_core,
        "bare metal": machine.bare_metal,
    }
    return [word for word, said in flags.items() if said]


def render_import(imported: Imported) -> str:
    """Return the account of an import: every entry, and what is unknown or unfit among the machines."""
    machines = imported.catalog.machines
    counts = [f"{imported.imported} imported", f"{len(imported.dropped)} dropped"]
    if imported.repeats:
        counts.append(f"{imported.repeats} repeats of those")
    lines = [f"{imported.found} entr{'y' if imported.found == 1 else 'ies'}: {', '.join(counts)}"]
    reasons: dict[str, list[str]] = {}
    for gone in imported.dropped:
        reasons.setdefault(gone.reason, []).append(gone.machine_type)
    for reason, names in reasons.items():
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        lines.append(f"dropped, {reason}: {', '.join(names[:5])}{more}")
    said = {
        "burstable": [machine.burstable for machine in machines],
        "shared core": [machine.shared_core for machine in machines],
        "bare metal": [machine.bare_metal for machine in machines],
        "disk figures unknown": [not machine.disk_limits and machine.concurrent_iops is None for machine in machines],
        "architecture unknown": [machine.arch is None for machine in machines],
        "price unknown": [machine.price is None for machine in machines],
    }
    known = [f"{sum(each)} {what}" for what, each in said.items() if any(each)]
    if known:
        lines.append(f"imported: {', '.join(known)}")
    if imported.truncated:
        lines.append("warning: pages are missing: the last one says that more follow; import all of them together")
    return "\n".join(lines) + "\n"


def _source(source: str, date: str) -> str:
    read = f", read on {date}" if date else ""
    return f"Source: {source}{read}" if source else ""


def render_fleet(summary: FleetSummary) -> str:
    """Return what a fleet needs, counted."""
    sized = summary.clusters - summary.not_sized
    parts = [
        f"{_clusters(summary.clusters)}: {sized} sized, {summary.not_sized} not",
        aligned([("tier", "clusters"), *((tier, str(count)) for tier, count in summary.tiers.items())], right=(1,)),
    ]
    if summary.machines:
        rows: list[tuple[str, ...]] = [("provider", "tier", "machine", "clusters")]
        rows += [(m.provider, m.tier, m.machine_type, str(m.clusters)) for m in summary.machines]
        if any(m.region for m in summary.machines):
            rows[0] += ("$/month", "region, date")
            rows[1:] = [
                (
                    *(*row[:2], f"{m.machine_type} + {m.disk}", row[3]),
                    *(usd_text(m.usd_month), ", ".join(filter(None, (m.region, m.date)))),
                )
                for row, m in zip(rows[1:], summary.machines, strict=True)
            ]
        parts.append(aligned(rows, right=(3, 4)))
        if summary.usd_month is not None:
            parts.append(f"${usd_text(summary.usd_month)} a month in all, {summary.members} members a cluster")
    if summary.audit is not None:
        parts += _audit(summary.audit, summary.members)
    notes = []
    if summary.headroom_asked:
        notes.append(f"{format_percent(summary.headroom_asked)} of every bound was kept free.")
    if summary.unknown:
        notes.append(f"Unknown: {', '.join(summary.unknown)}. The rest decides, so every tier is a lower bound.")
    if summary.implausibly_small:
        notes.append(
            f"{_clusters(summary.implausibly_small)} with less data than an empty etcd file: are these megabytes in a "
            "column of bytes?"
        )
    if notes:
        parts.append("\n".join(notes))
    if summary.unfit:
        lines = [f"No machine for {_clusters(summary.not_fitted)}", *(f"  {one_line(why)}" for why in summary.unfit)]
        parts.append("\n".join(lines))
    if summary.first_problems:
        more = summary.not_sized - len(summary.first_problems)
        lines = [f"Not sized: {_clusters(summary.not_sized)}{'; the first of them' if more else ''}"]
        lines += [f"  row {problem.row}: {one_line(problem.problem)}" for problem in summary.first_problems]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _audit(audit: AuditSummary, members: int) -> list[str]:
    """Return what there is to say of the machines that a fleet runs on."""
    parts = [
        "\n".join(
            [
                "Machines that run now",
                aligned([(name, _clusters(count)) for name, count in audit.verdicts.items()]),
            ]
        )
    ]
    if audit.at_risk:
        more = audit.verdicts["under"] - len(audit.at_risk)
        parts.append(
            f"At risk, the worst first{f'; {more} more' if more else ''}\n"
            + _audited(audit.at_risk, "of its machine's bound")
        )
    if audit.savings:
        parts.append(
            f"Too big, the dearest first: ${usd_text(audit.usd_month_to_save)} a month to save, {members} members a "
            "cluster, the disks left as they are\n" + _audited(audit.savings, "of the smaller tier")
        )
    if audit.over_without_price:
        parts.append(f"{_clusters(audit.over_without_price)} too big and of unknown price")
    if audit.first_unknown:
        parts.append(
            "\n".join(
                ["Machines of which nothing can be told", *(f"  {one_line(text)}" for text in audit.first_unknown)]
            )
        )
    return parts


def _audited(rows: Sequence[AuditedRow], share: str) -> str:
    table = [("row", "runs on", "needs", "decided by", share, "recommended", "$/month", "region, date")]
    for row in rows:
        utilization = "" if row.utilization is None else format_percent(row.utilization)
        difference = "unknown" if row.usd_month_difference is None else f"{row.usd_month_difference:+,.2f}"
        where = ", ".join(filter(None, (row.region, row.date)))
        table.append(
            (str(row.row), row.current_machine, row.tier, row.decided_by or "", utilization,
             row.recommended_machine or "none", difference, where)
        )  # fmt: skip
    return aligned(table, right=(0, 4, 6))


def _clusters(count: int) -> str:
    return f"{count} cluster{'' if count == 1 else 's'}"
