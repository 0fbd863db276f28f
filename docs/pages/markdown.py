"""Markdown tables, and figures as every table shows them."""

from __future__ import annotations

from collections.abc import Iterable

from etcdsize.units import format_number


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    head = list(head)
    lines = [head, ["---"] * len(head), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def figure(value: float | None) -> str:
    """Return a figure in full, or `unknown` for None."""
    return "unknown" if value is None else format_number(value)
