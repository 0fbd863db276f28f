"""The table of the coefficients of the resource model."""

from __future__ import annotations

from collections.abc import Mapping

import etcdsize
from etcdsize.etcd.version_names import DEFAULT_VERSION
from etcdsize.resources.coefficients import Coefficient, load_coefficients
from pages.markdown import table


def coefficients_table() -> str:
    """Return a table of every coefficient on every version, with its range."""
    names = [version.name for version in etcdsize.load_versions().versions]
    tables = {name: load_coefficients(name) for name in names}
    newest = tables[DEFAULT_VERSION]
    ran = [f"{each.measured_on} ({_machine_text(each.machine)}; {each.date})" for each in tables.values()]
    rows = []
    for name in sorted({name for each in tables.values() for name in each.coefficients}):
        found = {version: each.coefficients.get(name) for version, each in tables.items()}
        said = newest.coefficients.get(name) or next(one for one in found.values() if one is not None)
        rows.append([f"`{name}`", said.unit, *map(_cell, found.values()), said.source])
    head = ["coefficient", "unit", *names, f"on {DEFAULT_VERSION}"]
    return f"Measured on {'; '.join(ran)}.\n\n{table(head, rows)}"


def _machine_text(machine: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in machine.items())


def _cell(one: Coefficient | None) -> str:
    if one is None:
        return "does not apply"
    low, value, high = (f"{each:,.0f}" if each >= 1_000 else f"{each:.3g}" for each in (one.low, one.value, one.high))
    return value if low == high else f"{value} ({low}..{high})"
