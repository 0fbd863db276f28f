"""Reports as lines of plain text, aligned columns, and figures as every report prints them.

A report is a list of parts, and a part a list of lines. Lines are put together only here, where each is made safe to
print, so that no text from outside can begin a line of its own or control the terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from etcdsize.base.text import one_line
from etcdsize.catalog.money import currency_mark, money_text
from etcdsize.units import format_number

if TYPE_CHECKING:
    from etcdsize.catalog.machines import Machine

__all__ = ["MACHINE_HEAD", "aligned", "figure_text", "machine_figures", "money_columns", "page"]

# No figure of a real cluster is larger (our choice).
_HUGE = 1e9
MACHINE_HEAD = ("vCPUs", "memory (GiB)", "concurrent IOPS", "disk (MB/s)")


def page(*parts: Iterable[str]) -> str:
    """Return a report: parts of one or more lines, with an empty line between two. Empty parts are left out."""
    texts = ("\n".join(map(one_line, lines)) for lines in parts)
    return "\n\n".join(filter(None, texts)) + "\n"


def aligned(rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return rows as lines with aligned columns; those in `right` are right-aligned."""
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]

    def padded(index: int, cell: str) -> str:
        room = " " * (widths[index] - _width(cell))
        return room + cell if index in right else cell + room

    return ["  ".join(padded(index, cell) for index, cell in enumerate(row)).rstrip() for row in rows]


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: letters such as 阿 take two, and marks on a letter none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def figure_text(value: float | None) -> str:
    """Return a figure in full unless it is huge, or "unknown" for None."""
    if value is None:
        return "unknown"
    return f"{value:.3g}" if value >= _HUGE else format_number(value)


def money_columns(amounts: Iterable[tuple[float | None, str | None]]) -> tuple[str, list[str]]:
    """Return the unit of a column of money, such as `$` or `CNY`, and its cells.

    With several currencies the unit is `cost`, and each cell names its own. Cells of unknown amounts say so; their
    currency is the unit where no amount is known, and `cost` if no currency is known either.
    """
    given = list(amounts)
    known = [None if amount is None or currency is None else (amount, currency) for amount, currency in given]
    currencies = {one[1] for one in known if one is not None} or {currency for _, currency in given if currency}
    if len(currencies) != 1:
        return "cost", ["unknown" if one is None else money_text(*one) for one in known]
    unit = currency_mark(*currencies).strip()
    return unit, ["unknown" if one is None else f"{one[0]:,.2f}" for one in known]


def machine_figures(machine: Machine) -> tuple[str, ...]:
    """Return the figures of a machine, for the columns of `MACHINE_HEAD`."""
    return (
        str(machine.vcpus),
        figure_text(machine.memory_gib),
        figure_text(machine.concurrent_iops),
        figure_text(machine.disk_mb_per_second),
    )
