"""The report of a fleet: counts, machines, costs, the audit of the machines that run now, and problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from etcdsize.base.text import in_words, one_line, shown
from etcdsize.batches.missing_columns import COMMAND_LINE
from etcdsize.catalog.money import currency_mark, money_text
from etcdsize.catalog.providers import known_providers
from etcdsize.reports.layout import aligned, money_columns, page
from etcdsize.units import DIMENSIONS, format_percent

if TYPE_CHECKING:
    from etcdsize.batches.audit_summary import AuditedRow, AuditSummary, WithoutVerdict
    from etcdsize.batches.row_notices import NoticeCount
    from etcdsize.catalog.machines import Disk
    from etcdsize.files.summary import FleetSummary, Folded, MachineCount

__all__ = ["render_fleet"]


def render_fleet(summary: FleetSummary) -> str:
    """Return the report of a fleet, with clusters counted by tier, by machine and by problem."""
    sized = summary.clusters - summary.not_sized
    parts = [
        [f"{_clusters(summary.clusters)}: {sized} sized, {summary.not_sized} not"],
        aligned([("tier", "clusters"), *((tier, str(count)) for tier, count in summary.tiers.items())], right=(1,)),
    ]
    if summary.machines:
        parts.append(_machines(summary.machines))
        if summary.cost_per_month:
            parts.append([_total(summary)])
    if summary.audit is not None:
        parts += _audit(summary.audit, summary.members)
    notes = []
    if summary.folded is not None:
        notes.append(_folded(summary.folded, summary.clusters))
    if summary.time_series:
        notes.append(f"{summary.time_series}.")
    if summary.headroom_asked:
        notes.append(f"{format_percent(summary.headroom_asked)} of every bound is kept free as headroom.")
    if summary.unknown:
        decides = "The other dimensions decide, so larger tiers may be needed."
        if len(summary.unknown) == len(DIMENSIONS):
            decides = "The number of Kubernetes nodes decides, which is an estimate."
        notes.append(f"Unknown: {', '.join(summary.unknown)}. {decides}")
    for name in summary.unused_machine_columns:
        option = COMMAND_LINE.column("current_machine", name)
        notes.append(
            f"The column {shown(name)} looks like the machines in use, but is not used; add {option} if it is."
        )
    beyond = [one for one in summary.notices if one.severity == "beyond-guide"]
    # A dimension that is unknown for every cluster has been mentioned.
    mentioned = ("unknown-dimension",) if summary.unknown else ()
    notes += _with_notices([one for one in summary.notices if one not in beyond and one.code not in mentioned])
    if summary.without_machines:
        notes.append(f"No machines of {_providers(summary.without_machines)}")
    parts.append(notes)
    if beyond:
        clusters = _clusters(summary.beyond_guide)
        head = f"Beyond the guide: {clusters}; no published figure says that the machine is enough"
        parts.append([head, *(f"  {line}" for line in _with_notices(beyond))])
    if summary.unfit:
        parts.append([f"No machine for {_clusters(summary.not_fitted)}", *(f"  {why}" for why in summary.unfit)])
    if summary.first_problems:
        more = summary.not_sized - len(summary.first_problems)
        first = f" (first {len(summary.first_problems)} shown)" if more else ""
        lines = [f"Not sized: {_clusters(summary.not_sized)}{first}"]
        lines += [f"  {_place(problem.row, problem.cluster)}: {problem.problem}" for problem in summary.first_problems]
        parts.append(lines)
    return page(*parts)


def _providers(clusters: Mapping[str, int]) -> str:
    """Return the providers without machines, each with its clusters, and the catalog that has its machines."""
    found = []
    for name, count in clusters.items():
        current = ', the catalog "current" has some (--catalog current)' if name in known_providers() else ""
        found.append(f"{one_line(name)}: {_clusters(count)}{current}")
    return "; ".join(found)


def _folded(folded: Folded, clusters: int) -> str:
    """Return how many rows became how many clusters, and what was sized of each."""
    rows = f"{folded.rows} row{'' if folded.rows == 1 else 's'}"
    of_each = "the newest row" if folded.how == "latest" else "the largest value of every figure"
    if folded.by is None:
        return (
            f"{rows} are one cluster, of which {of_each} is sized: no column names the clusters (--column name=NAME "
            "chooses one)."
        )
    return f"{rows} are {_clusters(clusters)} by the column {shown(folded.by)}: {of_each} of each is sized."


def _machines(machines: Sequence[MachineCount]) -> list[str]:
    """Return how many clusters need each machine, what to run today in its place, and the costs of that."""
    same = all((m.machine_today, m.disk_today) == (m.machine_type, m.disk) for m in machines)
    priced = any(m.region for m in machines)
    unit, costs = money_columns((m.cost_per_month, m.currency) for m in machines)
    head = ("provider", "tier", "machine", "clusters", "machine today", f"{unit}/month", "region, date")
    rows = [head]
    for m, cost in zip(machines, costs):
        with_disk = _with_disk(m.machine_type, m.disk if same else None)
        today = _with_disk(m.machine_today or "unknown", m.disk_today)
        where = ", ".join(filter(None, (m.region, m.date)))
        rows.append((m.provider, m.tier, with_disk, str(m.clusters), today, cost, where))
    kept = [0, 1, 2, 3, *([] if same else [4]), *([5, 6] if priced else [])]
    right = [place for place, column in enumerate(kept) if column in (3, 5)]
    unknown = dict.fromkeys(f"{m.provider} {m.machine_today}" for m in machines if not m.limit_known)
    limits = [f"{name}: its own limit is not published; its figures are those of the disk alone" for name in unknown]
    return [*aligned([[row[column] for column in kept] for row in rows], right=right), *limits]


def _with_disk(machine: str, disk: Disk | None) -> str:
    return machine if disk is None else f"{machine} + {disk}"


def _total(summary: FleetSummary) -> str:
    left = summary.clusters_without_cost
    text = f"{_sums(summary.cost_per_month)} a month in total, with {summary.members} members per cluster"
    if left:
        text += f"; without {_clusters(left)} whose cost is unknown"
    return text


def _sums(of: Mapping[str, float]) -> str:
    """Return the sum of each currency, such as `$1,200.00 and CNY 350.00`."""
    return in_words([money_text(amount, currency) for currency, amount in of.items()])


def _with_notices(notices: Sequence[NoticeCount]) -> list[str]:
    return [f"{_clusters(one.clusters)} with {_text(one)}" for one in notices]


def _text(notice: NoticeCount) -> str:
    more = ", ..." if notice.clusters > len(notice.first_rows) else ""
    rows = f"row{'s' if notice.clusters > 1 else ''} {', '.join(map(str, notice.first_rows))}{more}"
    return f"{notice.text} ({rows}) [{notice.code}]"


def _audit(audit: AuditSummary, members: int) -> list[list[str]]:
    """Return the parts of the report that compare the machines in use with the load."""
    parts = [["Machines in use", *aligned([(name, _clusters(count)) for name, count in audit.verdicts.items()])]]
    if audit.at_risk:
        more = audit.verdicts["under"] - len(audit.at_risk)
        head = f"Undersized, most overloaded first{f' ({more} more not shown)' if more else ''}"
        parts.append([head, *_audited(audit.at_risk, "of its machine's bound")])
    if audit.beyond:
        more = audit.verdicts["beyond"] - len(audit.beyond)
        head = f"Past the last published bound on the largest machine{f' ({more} more not shown)' if more else ''}"
        parts.append([head, *_audited(audit.beyond, "of that bound")])
    if audit.savings:
        head = (
            f"Oversized, largest saving first: {_sums(audit.savings_per_month)} a month in total, with {members} "
            "members per cluster and the disks unchanged"
        )
        parts.append([head, *_audited(audit.savings, "of the smaller tier")])
    if audit.over_without_price:
        parts.append([f"{_clusters(audit.over_without_price)} oversized, with an unknown price, not in the total"])
    if audit.without_verdict:
        parts.append(["Without a verdict", *map(_without_verdict, audit.without_verdict)])
    return parts


def _without_verdict(one: WithoutVerdict) -> str:
    first = "first " if one.clusters > 1 else ""
    return f"  {one_line(one.reason)} ({_clusters(one.clusters)}: {first}{_place(one.row, one.cluster)})"


def _place(row: int, cluster: str | None) -> str:
    """Return the row of a cluster with its name, if it has one."""
    return f"row {row}" if cluster is None else f"row {row}, {one_line(cluster)}"


def _audited(rows: Sequence[AuditedRow], share_head: str) -> list[str]:
    currencies = {row.currency for row in rows if row.currency is not None} or {"USD"}
    unit = currency_mark(*currencies).strip() if len(currencies) == 1 else "cost"
    head = ("row", "cluster", "runs on", "needs", "decided by", share_head, "recommended", f"{unit}/month")
    table = [(*head, "region, date")]
    for row in rows:
        utilization = "" if row.utilization is None else format_percent(row.utilization)
        difference = "unknown" if row.cost_difference_per_month is None else f"{row.cost_difference_per_month:+,.2f}"
        if len(currencies) > 1 and row.currency is not None:
            difference = f"{row.currency} {difference}"
        where = ", ".join(filter(None, (row.region, row.date)))
        table.append(
            (str(row.row), one_line(row.cluster or ""), row.current_machine, row.tier, row.decided_by or "",
             utilization, row.recommended_machine or "none", difference, where)
        )  # fmt: skip
    if not any(row.cluster for row in rows):
        return aligned([(one[0], *one[2:]) for one in table], right=(0, 4, 6))
    return aligned(table, right=(0, 5, 7))


def _clusters(count: int) -> str:
    return f"{count} cluster{'' if count == 1 else 's'}"
