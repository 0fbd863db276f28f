"""The report of a sizing: tier, load, machines, costs and notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from etcdsize.etcd.quota import quota_text
from etcdsize.reports.layout import MACHINE_HEAD, aligned, figure_text, machine_figures, money_columns, page
from etcdsize.resources.resources_text import quantity_text
from etcdsize.sizing.answer import bound_text, load_text
from etcdsize.units import DIMENSIONS, format_percent
from etcdsize.workload import CERTAINTY_WORDS, Certainty

if TYPE_CHECKING:
    from etcdsize.catalog.machines import Machine
    from etcdsize.resources.answer import Figure
    from etcdsize.sizing.answer import Sizing

__all__ = ["forced_by_text", "render_sizing"]


def render_sizing(sizing: Sizing) -> str:
    """Return the report of one cluster."""
    parts = [_sizing_head(sizing)]
    if sizing.workload is not None and sizing.utilization:
        rows = [("load", "bound", "utilization", "headroom", "tier alone")]
        loads = zip(DIMENSIONS, sizing.workload.loads, sizing.workload.certainties, strict=True)
        for name, load, certainty in loads:
            if load is None:
                rows.append((f"{name} unknown", "", "", "", ""))
                continue
            if name not in sizing.utilization:
                # What nodes suggest of a dimension is no load to size by.
                continue
            rows.append(
                (
                    load_text(name, load, certainty),
                    bound_text(name, sizing.bounds[name]),
                    format_percent(sizing.utilization[name]),
                    _share_left(sizing.headroom[name]),
                    sizing.tier_alone[name],
                )
            )
        parts.append(aligned(rows, right=(2, 3)))
    parts.append(_needs(sizing))
    if sizing.machines:
        parts.append(_machines("machine", sizing.machines))
    if any(machine != sizing.machines_today.get(name) for name, machine in sizing.machines.items()):
        parts.append(_machines("machine today", sizing.machines_today))
    if sizing.cost_per_month:
        parts.append(_costs(sizing))
    parts.append([notice.line for notice in (*sizing.notices, sizing.comparison)])
    return page(*parts)


def _needs(sizing: Sizing) -> list[str]:
    """Return what each member needs by the guide and for the load, and what the load likely takes."""
    head = ("each member needs", *MACHINE_HEAD, "disk (GiB)")
    rows: list[tuple[str, ...]] = [head]
    for name, need in sizing.needs.items():
        words = f"the guide, {need.tier}" if name == "guide" else f"the load, etcd {sizing.etcd_version}"
        figures = (need.vcpus, need.memory_gib, need.concurrent_iops, need.disk_mb_per_second)
        disk = "" if need.disk is None else str(need.disk.size_gib)
        rows.append((words, *map(figure_text, figures), disk))
    if "load" not in sizing.needs:
        return aligned(rows, right=(1, 2, 3, 4, 5))
    memory, file = map(_range_text, (sizing.resources.memory.limit_bytes, sizing.resources.file.high_water_bytes))
    quota = quota_text(sizing.resources.quota_bytes)
    likely = f"The load likely takes {memory} of memory and a file of {file}; its quota is {quota}."
    return [*aligned(rows, right=(1, 2, 3, 4, 5)), likely]


def _range_text(figure: Figure) -> str:
    """Return what a figure likely is, and its range."""
    likely, low, high = (quantity_text("_bytes", value) for value in (figure.likely, figure.low, figure.high))
    return f"{likely} ({low} to {high})"


def _machines(head: str, machines: Mapping[str, Machine]) -> list[str]:
    rows = [
        ("provider", head, *MACHINE_HEAD),
        *((name, str(machine), *machine_figures(machine)) for name, machine in machines.items()),
    ]
    return aligned(rows, right=(2, 3, 4, 5))


def _costs(sizing: Sizing) -> list[str]:
    """Return the costs of the cluster on every provider's machine of today, with region and date of the prices."""
    costs = {name: machine.cost for name, machine in sizing.machines_today.items() if machine.cost is not None}
    totals = {name: (sizing.cost_per_month.get(name), cost.currency) for name, cost in costs.items()}
    amounts = [
        *((cost.machine_per_month, cost.currency) for cost in costs.values()),
        *((cost.disk_per_month, cost.currency) for cost in costs.values()),
        *totals.values(),
    ]
    # One unit for all three columns.
    unit, cells = money_columns(amounts)
    of_each = zip(*(cells[start : start + len(costs)] for start in range(0, len(cells), len(costs))))
    cluster = f"{sizing.members} member{'s' if sizing.members > 1 else ''}"
    heads = [f"{what} ({unit}/month)" for what in ("machine", "disk", cluster)]
    rows = [["provider", "machine", *heads, "region, date"]]
    for (name, cost), parts in zip(costs.items(), of_each):
        machine = sizing.machines_today[name].machine_type
        rows.append([name, machine, *parts, ", ".join(filter(None, (cost.region, cost.date)))])
    return aligned(rows, right=(2, 3, 4))


def _sizing_head(sizing: Sizing) -> list[str]:
    lines = [("tier", sizing.tier)]
    if sizing.kubernetes_nodes is not None:
        nodes = f"{sizing.kubernetes_nodes} ({sizing.tier_alone['kubernetes_nodes']} alone)"
        lines.append(("Kubernetes nodes", nodes))
    lines.append(("forced by", forced_by_text(sizing)))
    if sizing.machine_tier != sizing.tier:
        lines.append(("machines of", f"{sizing.machine_tier}, enough for the load"))
    if sizing.tightest is not None:
        lines.append(("tightest", sizing.tightest))
    if sizing.headroom_asked:
        lines.append(("headroom asked", format_percent(sizing.headroom_asked)))
    lines.append(
        ("members", f"{sizing.members} (quorum {sizing.quorum}, failure tolerance {sizing.failure_tolerance})")
    )
    return aligned(lines)


def forced_by_text(sizing: Sizing) -> str:
    """Return the dimensions that need the tier, and what the others need if one decides alone."""
    if not sizing.forced_by:
        return "nothing: it is the smallest tier"
    rest = "" if sizing.tier_of_the_rest is None else f" alone; the rest needs {sizing.tier_of_the_rest}"
    certainties: dict[str, Certainty] = (
        {} if sizing.workload is None else dict(zip(DIMENSIONS, sizing.workload.certainties, strict=True))
    )

    def named(dimension: str) -> str:
        certainty = certainties.get(dimension, "exact")
        return dimension if certainty == "exact" else f"{dimension} ({CERTAINTY_WORDS[certainty]})"

    return ", ".join(map(named, sizing.forced_by)) + rest


def _share_left(headroom: float) -> str:
    return format_percent(headroom) if headroom >= 0 else "none"
