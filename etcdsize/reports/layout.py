"""Aligned columns of plain text, and figures as every report prints them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from etcdsize.units import format_number

if TYPE_CHECKING:
    from etcdsize.catalog.machines import Machine

__all__ = ["MACHINE_HEAD", "aligned", "figure_text", "machine_figures", "usd_text"]

MACHINE_HEAD = ("vCPUs", "memory (GiB)", "concurrent IOPS", "disk (MB/s)")


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return rows with aligned columns; those in `right` are right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def figure_text(value: float | None) -> str:
    """Return a figure in full, or "unknown" for None."""
    return "unknown" if value is None else format_number(value)


def usd_text(value: float | None) -> str:
    """Return US dollars and cents, or "unknown" for None."""
    return "unknown" if value is None else f"{value:,.2f}"


def machine_figures(machine: Machine) -> tuple[str, ...]:
    """Return the figures of a machine, for the columns of `MACHINE_HEAD`."""
    return (
        str(machine.vcpus),
        figure_text(machine.memory_gib),
        figure_text(machine.concurrent_iops),
        figure_text(machine.disk_mb_per_second),
    )
