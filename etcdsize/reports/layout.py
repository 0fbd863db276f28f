"""Columns of plain text and their figures: what the renderers share.

This module imports `units`.
"""

from __future__ import annotations

from collections.abc import Sequence

from etcdsize.units import format_number

__all__ = ["MACHINE_HEAD", "aligned", "figure_text", "usd_text"]

MACHINE_HEAD = ("vCPUs", "memory (GiB)", "concurrent IOPS", "disk (MB/s)")


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return rows with aligned columns; those in `right` to the right."""
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
    """Return a figure in full, or that it is unknown."""
    return "unknown" if value is None else format_number(value)


def usd_text(value: float | None) -> str:
    """Return US dollars and cents, or that they are unknown."""
    return "unknown" if value is None else f"{value:,.2f}"
