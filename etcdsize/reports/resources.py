"""The report of what a load takes: its figures, how they are known, what was assumed, and what would help."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from etcdsize.etcd.quota import quota_text
from etcdsize.reports.layout import aligned, page
from etcdsize.reports.load import field_text, profile_text
from etcdsize.resources.model import GROUPS
from etcdsize.resources.resources_text import digits_text, model_text, quantity_text, writes_text

if TYPE_CHECKING:
    from etcdsize.resources.answer import Horizon
    from etcdsize.resources.assumption import Assumption
    from etcdsize.resources.resources import Resources

__all__ = ["render_resources"]

_TITLES = {
    "file": "database file",
    "memory": "memory",
    "disk": "disk",
    "network": "network",
    "cpu": "CPU",
    "seconds": "time",
}
_LABELS = {
    "file.in_use_bytes": "in use after a compaction",
    "file.history_bytes": "history",
    "file.high_water_bytes": "at its largest",
    "file.quota_bytes": "quota needed",
    "memory.index_bytes": "key index",
    "memory.raft_log_bytes": "raft log",
    "memory.connections_bytes": "connections",
    "memory.watches_bytes": "watches",
    "memory.leases_bytes": "leases",
    "memory.largest_commit_bytes": "largest commit",
    "memory.heap_bytes": "live heap",
    "memory.lists_bytes": "lists",
    "memory.garbage_bytes": "garbage",
    "memory.stacks_bytes": "stacks",
    "memory.defragment_bytes": "during defragmentation",
    "memory.steady_bytes": "not reclaimable, under load",
    "memory.unreclaimable_bytes": "not reclaimable, at peak",
    "memory.page_cache_bytes": "page cache",
    "memory.limit_bytes": "limit to set",
    "memory.gomemlimit_bytes": "GOMEMLIMIT",
    "disk.wal_bytes_per_second": "written to the WAL",
    "disk.backend_bytes_per_second": "written to the file",
    "disk.fsyncs_per_second": "fsyncs",
    "disk.fsync_p99_seconds": "fsync, 99th percentile, at most",
    "disk.sequential_iops": "sequential IOPS",
    "disk.volume_bytes": "volume",
    "network.leader_bytes_per_second": "leader to its followers",
    "network.follower_bytes_per_second": "to a follower",
    "network.clients_bytes_per_second": "clients, without lists",
    "cpu.leader_cores": "leader",
    "cpu.follower_cores": "follower",
    "seconds.restart": "restart",
    "seconds.new_member": "new member",
    "seconds.snapshot": "snapshot",
    "seconds.restore": "restore",
    "seconds.defragment": "defragmentation, requests wait",
    "seconds.compaction": "compaction",
    "seconds.list": "CPU of a list",
    "seconds.lease_end": "end of a lease, writes wait",
}
_SHORT = {"file.quota_bytes": "quota", "memory.limit_bytes": "memory limit"}
_HEAD = ("low", "likely", "high", "provide", "evidence")
# Assumptions that are listed without --explain (our choice).
_MOST = 10


def render_resources(resources: Resources, *, explain: bool = False) -> str:
    """Return the report of what a load takes; `explain` adds the terms of every figure, and every assumption."""
    parts = [_head(resources), *(_group(resources, group) for group in GROUPS)]
    if explain:
        parts += [list(_terms(resources, group)) for group in GROUPS]
    parts += [_assumptions(resources, explain), _advice(resources)]
    return page(*parts, [notice.line for notice in resources.notices])


def _head(resources: Resources) -> list[str]:
    rows = [
        ("etcd", f"{resources.etcd_version} ({model_text(resources)})"),
        ("load", profile_text(resources.profile)),
        ("quota", quota_text(resources.quota_bytes) + (" (given)" if resources.quota_asked is not None else "")),
        ("memory limit", quantity_text("memory.limit_bytes", resources.memory.limit_bytes.need)),
        ("volume", quantity_text("disk.volume_bytes", resources.disk.volume_bytes.need)),
    ]
    rows += [
        ("full without compaction", _horizon(resources.file.full_without_compaction)),
        ("full with compaction", _horizon(resources.file.full)),
    ]
    return aligned(rows)


def _title(resources: Resources, group: str) -> str:
    """Return the title of a group. Lists keep cores busy only while they are under way, and count as if they were."""
    lists = [term.high for term in resources.terms["cpu.leader_cores"] if term.name == "lists"]
    return "CPU during lists" if group == "cpu" and any(lists) else _TITLES[group]


def _group(resources: Resources, group: str) -> list[str]:
    """Return a table of the figures of a group."""
    rows: list[tuple[str, ...]] = [(_title(resources, group), *_HEAD)]
    for figure in GROUPS[group]:
        name = f"{group}.{figure}"
        found = getattr(getattr(resources, group), figure)
        values = (found.low, found.likely, found.high, found.need)
        known = dict.fromkeys(way for term in resources.terms[name] if term.high for way in term.known.split(", "))
        rows.append((_LABELS[name], *(_text(name, value) for value in values), ", ".join(known)))
    lines = aligned(rows, right=(1, 2, 3, 4))
    if group == "disk" and resources.fsync_seconds is not None:
        fsync = quantity_text("_seconds", resources.fsync_seconds)
        lines.append(f"with fsyncs of {fsync}, the clients complete up to {writes_text(resources.disk)}")
    if group == "cpu":
        machine = resources.cpu.machine
        lines.append(f"measured on {machine.get('cores', 'unknown')} cores of {machine.get('cpu', 'unknown')}")
    return lines


def _terms(resources: Resources, group: str) -> Iterator[str]:
    """Yield what to provide for every figure of a group, term by term, with the sources."""
    for figure in GROUPS[group]:
        name = f"{group}.{figure}"
        need = getattr(getattr(resources, group), figure).need
        yield f"{_TITLES[group]}, {_LABELS[name]}: {_text(name, need)}"
        for term in resources.terms[name]:
            if term.high:
                yield f"  {term.name}: {_text(name, term.need)}, {term.known}"
                yield from _wrapped(term.source, "    ")


def _text(name: str, value: float) -> str:
    """Return a value of a figure in three digits. A quota is in GiB, as etcd's defaults are."""
    return f"{digits_text(value / 2**30)} GiB" if name == "file.quota_bytes" else quantity_text(name, value)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, 100, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _assumptions(resources: Resources, explain: bool) -> list[str]:
    """Return what was assumed, that with the largest effect first, and what it does."""
    effects = {one.field: one for one in resources.assumption_effects}

    def effect(field: str) -> tuple[float, str]:
        one = effects.get(field)
        if one is None:
            return 0.0, "none: no other value is likely"
        changes = (
            ("file.quota_bytes", one.quota_low_bytes, one.quota_high_bytes),
            ("memory.limit_bytes", one.limit_low_bytes, one.limit_high_bytes),
        )
        words = [
            f"{_SHORT[name]} {_text(name, low)} to {_text(name, high)}"
            for name, low, high in changes
            if _text(name, low) != _text(name, high)
        ]
        size = max(abs(high - low) / max(low, high, 1.0) for _, low, high in changes)
        return size, ", ".join(words) or "none on the quota or the memory limit"

    found = sorted(resources.assumptions, key=lambda one: -effect(one.field)[0])
    shown = found if explain else found[:_MOST]
    rows = [("assumed", "value", "effect")]
    rows += [(one.field, _amount(one), effect(one.field)[1]) for one in shown]
    lines = aligned(rows) if shown else []
    if len(found) > len(shown):
        lines.append(f"and {len(found) - len(shown)} more with a smaller effect; --explain lists them")
    for one in found if explain else ():
        lines += [f"{one.field}:", *_wrapped(f"{one.why} [{one.source}]", "  ")]
    return lines


def _amount(assumption: Assumption) -> str:
    """Return the value of an assumption as a range, in the units of its field."""
    value = assumption.value
    ends = (value.low,) if value.is_exact else (value.low, value.likely, value.high)
    return field_text(assumption.field, ends)


def _advice(resources: Resources) -> list[str]:
    lines = []
    for advice in resources.advice:
        before, after = (quantity_text(advice.figure, value) for value in (advice.before, advice.after))
        group = advice.figure.partition(".")[0]
        lines += _wrapped(f"advice: {advice.text} [{advice.code}]", "")
        lines.append(f"  {_TITLES[group]}, {_LABELS[advice.figure]}: {before} to {after}")
    return lines


def _horizon(horizon: Horizon) -> str:
    soonest, likely, latest = (
        "never" if hours is None else quantity_text("seconds.", hours * 3600)
        for hours in (horizon.soonest_hours, horizon.likely_hours, horizon.latest_hours)
    )
    return soonest if soonest == likely == latest else f"{likely} ({soonest} to {latest})"
