"""`Resources` as text: every figure with its range, its need and its terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from etcdsize.base.text import one_line
from etcdsize.resources.model import GROUPS

if TYPE_CHECKING:
    from etcdsize.resources.answer import DiskResources, Figure, Horizon, Term

__all__ = [
    "arithmetic_text",
    "cores_text",
    "digits_text",
    "figure_text",
    "model_text",
    "quantity_text",
    "resources_text",
    "writes_text",
]

_TITLES = {
    "file": "File",
    "memory": "Memory",
    "disk": "Disk",
    "network": "Network",
    "cpu": "CPU",
    "seconds": "Time",
}
# No figure of a real cluster is larger (our choice).
_HUGE = 1e9


def quantity_text(figure: str, value: float) -> str:
    """Return a value of a figure in three digits, with the unit that the figure's name says.

    >>> quantity_text("memory.limit_bytes", 1_234_567_890), quantity_text("disk.fsync_p99_seconds", 0.0021)
    ('1.23 GB', '2.1 ms')
    """
    if figure.endswith("_bytes"):
        return _bytes_text(value)
    if figure.endswith("_bytes_per_second"):
        return f"{_bytes_text(value)}/s"
    if figure.endswith("_seconds") or figure.startswith("seconds."):
        return _seconds_text(value)
    if figure.endswith("_cores"):
        return cores_text(value)
    return (
        f"{digits_text(value)}/s" if figure.endswith("_per_second") or figure.endswith("_iops") else digits_text(value)
    )


def cores_text(value: float) -> str:
    """Return a number of cores in two digits, without an exponent unless it is huge.

    >>> cores_text(0.034), cores_text(1), cores_text(1567.8)
    ('0.034 cores', '1 core', '1,568 cores')
    """
    text = digits_text(value) if value >= 99.5 else f"{value:.2g}"
    return f"{text} core{'' if text == '1' else 's'}"


def _bytes_text(value: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size * 0.9995:
            return f"{digits_text(value / size)} {unit}"
    return f"{digits_text(value)} B"


def _seconds_text(value: float) -> str:
    if value >= 7200:
        return f"{digits_text(value / 3600)} h"
    return f"{digits_text(value)} s" if value >= 0.9995 or not value else f"{digits_text(value * 1000)} ms"


def digits_text(value: float) -> str:
    """Return a number in three digits, without an exponent unless it is huge."""
    if value >= _HUGE:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}" if value >= 1e-4 or not value else f"{value:.0e}"


def figure_text(name: str, figure: Figure) -> str:
    """Return a figure in one line: its likely value, its range, and its need."""
    low, likely, high, need = (
        quantity_text(name, value) for value in (figure.low, figure.likely, figure.high, figure.need)
    )
    spread = f" ({low} to {high})" if low != high else ""
    return f"{likely}{spread}, provide {need}"


def arithmetic_text(name: str, terms: Sequence[Term]) -> str:
    """Return the need of a figure as the sum of its terms."""
    parts = [f"{quantity_text(name, term.need)} {term.name}" for term in terms if term.need] or ["0"]
    return f"{' + '.join(parts)} = {quantity_text(name, math.fsum(term.need for term in terms))}"


def resources_text(resources: Any) -> str:
    """Return every figure of `Resources` with its terms, the assumptions, the advice and the notices, a line each."""
    # It has no type here, because two modules would import each other.
    lines = [f"etcd {resources.etcd_version} ({model_text(resources)})."]
    for group, figures in GROUPS.items():
        lines.append(f"{_TITLES[group]}:")
        for figure in figures:
            name = f"{group}.{figure}"
            found = getattr(getattr(resources, group), figure)
            lines.append(f"  {_words(figure)}: {figure_text(name, found)}")
            terms = [term for term in resources.terms[name] if term.need or term.high]
            for term in terms if len(resources.terms[name]) > 1 else []:
                lines.append(f"    {term.name}: {quantity_text(name, term.need)} ({term.known})")
        if group == "file":
            lines.append(f"  full without compaction: {_horizon_text(resources.file.full_without_compaction)}")
            lines.append(f"  full with compaction: {_horizon_text(resources.file.full)}")
        if group == "disk" and resources.fsync_seconds is not None:
            lines.append(f"  writes possible: {writes_text(resources.disk)}")
    for assumption in resources.assumptions:
        lines.append(f"Assumed: {assumption.field} {assumption.value}. {assumption.why} [{assumption.source}]")
    for effect in resources.assumption_effects:
        quota = f"{_bytes_text(effect.quota_low_bytes)} to {_bytes_text(effect.quota_high_bytes)}"
        limit = f"{_bytes_text(effect.limit_low_bytes)} to {_bytes_text(effect.limit_high_bytes)}"
        lines.append(f"Effect of {effect.field}: quota {quota}, memory limit {limit}.")
    for advice in resources.advice:
        change = f"{quantity_text(advice.figure, advice.before)} to {quantity_text(advice.figure, advice.after)}"
        lines.append(f"Advice ({advice.code}): {advice.text} {advice.figure}: from {change}.")
    lines.extend(f"Notice ({notice.code}): {notice.text}" for notice in resources.notices)
    return "\n".join(map(one_line, lines))


def model_text(resources: Any) -> str:
    """Return what the coefficients of `Resources` are known from, such as `measured on 3.6.16`."""
    measured = f"measured on {resources.measured_on}" if resources.measured_on else "from source, not run"
    model = resources.model
    return measured if model is None else f"calibrated on {model.calibrated_on}, the rest {measured}"


def writes_text(disk: DiskResources) -> str:
    """Return how many writes a second a disk lets the clients complete."""
    span = disk.writes_possible_per_second
    low, likely, high = map(digits_text, (span.low, span.likely, span.high))
    return f"{likely} writes a second ({low} to {high})"


def _horizon_text(horizon: Horizon) -> str:
    soonest, likely, latest = (
        "never" if hours is None else _seconds_text(hours * 3600)
        for hours in (horizon.soonest_hours, horizon.likely_hours, horizon.latest_hours)
    )
    return soonest if soonest == likely == latest else f"{likely} ({soonest} to {latest})"


def _words(figure: str) -> str:
    for ending in ("_bytes", "_seconds", "_cores"):
        figure = figure.removesuffix(ending)
    return figure.replace("_bytes_per_second", " a second").replace("_per_second", " a second").replace("_", " ")
