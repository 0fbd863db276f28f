"""The report of a calibrated model: what was measured on your machine, beside the coefficients of etcdsize."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etcdsize.reports.layout import aligned, page
from etcdsize.resources.coefficients import load_coefficients
from etcdsize.resources.resources_text import digits_text, quantity_text

if TYPE_CHECKING:
    from etcdsize.resources.calibrated_model import CalibratedModel

__all__ = ["render_model"]


def render_model(model: CalibratedModel) -> str:
    """Return the report of a calibrated model."""
    machine = model.calibrated_machine
    rows = [
        ("etcd", model.calibrated_on),
        ("machine", f"{machine.get('cores', 'unknown')} cores of {machine.get('cpu', 'unknown')}"),
    ]
    if model.disk is not None:
        mean, p99 = (quantity_text("_seconds", one) for one in (model.disk.fsync_seconds, model.disk.fsync_p99_seconds))
        rows += [
            ("disk", f"{digits_text(model.disk.mb_per_second)} MB/s"),
            ("fsync", f"{mean} on average, 99th percentile {p99}"),
        ]
    else:
        rows.append(("disk", "unknown: there was no time for it, or the folder is in memory and has no fsyncs"))
    ours = load_coefficients(model.etcd_version).coefficients
    names = model.calibrated
    table = [("coefficient", "etcdsize", "here", "unit")]
    for name in sorted(names):
        here = model.coefficients[name]
        table.append((name, digits_text(ours[name].value), digits_text(here.value), here.unit))
    others = len(model.coefficients) - len(names)
    summary = f"{len(names)} coefficients are calibrated; the other {others} are those of etcdsize"
    return page(aligned(rows), aligned(table, right=(1, 2)) if names else (), [summary])
