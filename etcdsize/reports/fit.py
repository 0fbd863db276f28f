"""The report of a fit: the need, the machines that meet it with their prices, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from etcdsize.catalog.money import money_text
from etcdsize.fitting.own import measured_text
from etcdsize.fitting.recovery import RECOVERY_FACTOR
from etcdsize.reports.layout import MACHINE_HEAD, aligned, figure_text, money_columns, page
from etcdsize.reports.sizing import forced_by_text
from etcdsize.sizing.notices import member_notices
from etcdsize.units import format_bytes, format_percent

if TYPE_CHECKING:
    from etcdsize.catalog.costs import Cost, Price
    from etcdsize.catalog.machines import Machine
    from etcdsize.catalog.write_latency import WriteLatency
    from etcdsize.fitting.model import Candidate, Fit, LocalCandidate
    from etcdsize.sizing.answer import Sizing

__all__ = ["render_fit"]

# These notices are about the machines of the sizing itself, which are not the candidates of the fit.
_MACHINE_NOTICES = (
    *("erratum", "previous-generation", "data-above-memory", "disk-for-less-data", "unknown-cost"),
    "load-above-machine",
    "limit-not-published",
    # The fit has this one itself.
    "measure-disk",
)


def render_fit(fit: Fit, sizing: Sizing | None = None, *, members: int = 3, rejected: bool = False) -> str:
    """Return the report of a fit. A sizing, if there is one, overrides `members` with its own number.

    With `rejected`, the report lists each rejected machine with its reason; otherwise it counts them by reason.
    """
    if sizing is not None:
        members = sizing.members
    parts = [_head(fit, sizing, members)]
    if fit.candidates:
        parts += [*_candidates(fit, members), _unknown(fit.candidates)]
    else:
        why = fit.why_none()
        parts.append([f"{why[:1].upper()}{why[1:]}."])
    parts += [_disk(fit), *_local(fit.local), *_rejected(fit, rejected)]
    notices = member_notices(members) if sizing is None else sizing.notices
    if sizing is not None:
        notices = (*notices, sizing.comparison)
    parts.append([notice.line for notice in notices if notice.code not in _MACHINE_NOTICES])
    return page(*parts)


def _head(fit: Fit, sizing: Sizing | None, members: int) -> list[str]:
    need = fit.need
    lines = [("tier", need.tier)]
    if sizing is not None:
        lines.append(("forced by", forced_by_text(sizing)))
        if sizing.headroom_asked:
            lines.append(("headroom asked", format_percent(sizing.headroom_asked)))
    lines.append(("members", str(members)))
    figures = (
        f"{figure_text(need.vcpus)} vCPU{'s' if need.vcpus > 1 else ''}",
        f"{figure_text(need.memory_gib)} GiB of memory",
        f"{figure_text(need.concurrent_iops)} concurrent IOPS",
        f"{figure_text(need.disk_mb_per_second)} MB/s",
    )
    lines.append(("each needs", f"{', '.join(figures)}, room for {format_bytes(need.data_bytes)} of data"))
    lines += [(f"  {name}", why) for name, why in need.because.items()]
    if need.source:
        lines.append(("source", need.source))
    return aligned(lines)


def _candidates(fit: Fit, members: int) -> list[list[str]]:
    count = f"{len(fit.candidates)} of the {fit.feasible}" if len(fit.candidates) < fit.feasible else str(fit.feasible)
    title = f"{count} sufficient machine{'s' if fit.feasible > 1 else ''} in the catalog {fit.catalog}"
    costs = [(one.cost.per_month, one.cost.currency) for one in fit.candidates]
    unit, of_one = money_columns(costs)
    _, of_all = money_columns((None if cost is None else cost * members, currency) for cost, currency in costs)
    cluster_head = f"{members} member{'s' if members > 1 else ''} ({unit}/month)"
    head = (
        "provider",
        "machine",
        "arch",
        *MACHINE_HEAD,
        f"member ({unit}/month)",
        cluster_head,
        "region, date",
        "note",
    )
    rows: list[tuple[str, ...]] = [head]
    for candidate, member, cluster in zip(fit.candidates, of_one, of_all):
        machine, cost = candidate.machine, candidate.cost
        rows.append(
            (
                machine.provider,
                str(candidate),
                machine.arch or "unknown",
                str(machine.vcpus),
                figure_text(machine.memory_gib),
                figure_text(candidate.concurrent_iops),
                figure_text(candidate.disk_mb_per_second),
                member,
                cluster,
                "" if cost.per_month is None else _where(cost),
                "; ".join(
                    [
                        *(["previous generation"] if machine.lifecycle == "previous" else []),
                        *([] if candidate.limit_known else ["its own limit is not published"]),
                    ]
                ),
            )
        )
    several = len({currency for cost, currency in costs if cost is not None}) > 1
    order = "one currency after the other, each with the cheapest first" if several else "cheapest first"
    return [
        [f"{title}, {order}, with the figures for each member:"],
        aligned(rows, right=(3, 4, 5, 6, 7, 8)),
    ]


def _where(price: Cost | Price) -> str:
    return ", ".join(filter(None, (price.region, price.date)))


def _unknown(candidates: Iterable[Candidate]) -> list[str]:
    """Return, for each candidate whose cost is unknown, why it is unknown and the part that is known."""
    lines = []
    for candidate in candidates:
        cost = candidate.cost
        if cost.per_month is None:
            alone = ""
            if cost.machine_per_month is not None and cost.currency is not None:
                amount = money_text(cost.machine_per_month, cost.currency)
                alone = f"; the machine alone costs {amount} a month ({_where(cost)})"
            lines.append(f"unknown: {candidate.machine.machine_type}: {cost.unknown}{alone}")
    return lines


def _disk(fit: Fit) -> list[str]:
    """Return the arithmetic of the disk, the time to recover a member, and the fsync latency that etcd needs."""
    lines = [("disk", fit.disk.because)]
    lines += [("", why) for why in dict.fromkeys(f"{_disk_name(one)}: {one.disk_reason}" for one in fit.candidates)]
    if fit.candidates:
        times = sorted(round(candidate.recovery_seconds) or 1 for candidate in fit.candidates)
        spread = f"{times[0]} s" if times[0] == times[-1] else f"{times[0]} to {times[-1]} s"
        data = format_bytes(fit.need.data_bytes)
        lines.append(
            ("recovery", f"{data} in about {spread}: {RECOVERY_FACTOR} times as long as the disk takes to transfer it")
        )
    needs = fit.sequential
    limits = f"wal_fsync below {needs.wal_fsync_p99_ms:.3g} ms, backend_commit below {needs.backend_commit_p99_ms:g} ms"
    lines.append(("sequential", f"{needs.needed_iops} IOPS; p99 of {limits}; no catalog states them"))
    lines += [
        ("", f"{one.machine.machine_type}: {measured_text(one.machine)}") for one in fit.candidates if not one.disk
    ]
    disks = [(one.machine.provider, one.disk) for one in fit.candidates if one.disk is not None]
    for provider, kind in dict.fromkeys((provider, disk.kind) for provider, disk in disks):
        known = [one for one in needs.expected if (one.provider, one.kind) == (provider, kind)]
        most = max(disk.concurrent_iops or 0 for of, disk in disks if (of, disk.kind) == (provider, kind))
        lines.append(("", f"{kind}: {_expected(known[0], most) if known else 'unknown'}"))
    lines.append(("measure", needs.fio))
    return aligned(lines)


def _disk_name(candidate: Candidate) -> str:
    return candidate.machine.machine_type if candidate.disk is None else candidate.disk.kind


def _expected(latency: WriteLatency, concurrent_iops: float) -> str:
    """Return how many writes one after the other are expected of a disk, and why they are fewer than its IOPS."""
    count = f"{latency.sequential_iops}{'' if latency.usual_ms is not None else ' or more'}"
    takes = f"a write takes {latency.milliseconds}: {latency.statistic}"
    if latency.sequential_iops >= concurrent_iops:
        return f"about {count} expected: {takes}"
    return (
        f"its {figure_text(concurrent_iops)} IOPS are for writes at the same time; one after the other about {count} "
        f"are expected, because {takes}"
    )


def _local(local: Iterable[LocalCandidate]) -> list[list[str]]:
    local = list(local)
    if not local:
        return []
    rows: list[tuple[str, ...]] = []
    unit, costs = money_columns((one.per_month, one.currency) for one in local)
    for one, cost in zip(local, costs):
        price = one.machine.price if one.per_month is not None else None
        rows.append((*_machine(one.machine), cost, "" if price is None else _where(price)))
    figures = ("vCPUs", "memory (GiB)", "NVMe (GB)", f"machine ({unit}/month)")
    head = ("provider", "machine", "arch", *figures, "region, date")
    title = (
        "Alternatives with local NVMe: its latency is lower than that of a network disk, but its data is lost when the "
        "machine stops, and no catalog states its IOPS:"
    )
    return [[title], aligned([head, *rows], right=(3, 4, 5, 6))]


def _machine(machine: Machine) -> tuple[str, ...]:
    figures = (str(machine.vcpus), figure_text(machine.memory_gib), figure_text(machine.local_nvme_gb))
    return (machine.provider, machine.machine_type, machine.arch or "unknown", *figures)


def _rejected(fit: Fit, listed: bool) -> list[list[str]]:
    if not fit.rejected_count:
        return []
    reasons = ", ".join(f"{count} {reason.replace('-', ' ')}" for reason, count in fit.rejected_by_reason.items())
    text = f"rejected: {fit.rejected_count} of {fit.rejected_count + fit.feasible} machines: {reasons}"
    if not listed:
        return [[text]]
    rows = [(one.provider, one.machine_type, one.code, one.reason) for one in fit.rejected]
    return [[text], aligned([("provider", "machine", "reason", "details"), *rows])]
