"""Does the model hold for loads that it was not fitted to? Writes docs/resources-validated.md.

    python -m benchmarks.resources.validated

The rows are those of the experiments `validation` and `validation-seconds`; the predictions are made anew.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from benchmarks.resources.experiment import Row
from benchmarks.resources.validation import COMPARED, predicted
from benchmarks.resources.validation_seconds import SECONDS_COMPARED, predicted_seconds
from etcdsize import Amount
from etcdsize.resources.resources_text import quantity_text

__all__ = ["PAGE", "Figure", "tables", "validated"]

ROWS = Path(__file__).parent / "rows"
PAGE = Path(__file__).parents[2] / "docs" / "resources-validated.md"

_BOUNDS: dict[str, tuple[float, float] | None] = {
    "high_water_bytes": (-0.05, 0.05),
    "in_use_bytes": (-0.05, 0.05),
    "wal_bytes_per_second": (-0.05, 0.05),
    "heap_bytes": (-0.10, 0.10),
    "peak_bytes": (-0.10, 0.35),
    **dict.fromkeys(SECONDS_COMPARED),
}
"""How far the likely value should lie from what is measured; what depends on the machine has its range alone."""

_QUIET = 3.0
"""The load average up to which seconds count: the client and etcd itself make two (our choice)."""

_NAMES = {
    "high_water_bytes": "file at its largest",
    "in_use_bytes": "file in use",
    "wal_bytes_per_second": "written to the WAL",
    "heap_bytes": "live heap",
    "peak_bytes": "not reclaimable, under load",
    "restart_seconds": "restart",
    "compaction_seconds": "compaction",
    "defragment_seconds": "defragmentation",
    "snapshot_seconds": "snapshot",
    "restore_seconds": "restore",
    "cores": "CPU of the member",
}


@dataclass(frozen=True)
class Figure:
    """A figure that was measured, beside what the model predicts."""

    version: str
    load: str
    name: str
    """As the run calls it."""
    path: str
    """As the model calls it."""
    measured: float
    predicted: Amount
    is_disturbed: bool
    """Whether it is seconds that were measured while other programs kept the machine busy, which lengthens them."""

    @property
    def deviation(self) -> float:
        """By how much the likely value is above what was measured, as a share of it."""
        return self.predicted.likely / self.measured - 1

    @property
    def is_close(self) -> bool | None:
        """Whether the deviation is within the bound of the figure; None for a figure without a bound."""
        bound = _BOUNDS[self.name]
        return None if bound is None else bound[0] <= self.deviation <= bound[1]

    @property
    def is_inside(self) -> bool:
        """Whether what was measured lies in the predicted range."""
        return self.predicted.low <= self.measured <= self.predicted.high

    @property
    def line(self) -> str:
        """The row of the table."""
        measured, low, likely, high = (
            quantity_text(self.path, value)
            for value in (self.measured, self.predicted.low, self.predicted.likely, self.predicted.high)
        )
        load = f"{self.load}, disturbed" if self.is_disturbed else self.load
        cells = [load, _NAMES[self.name], measured, likely, f"{low} to {high}", f"{self.deviation:+.1%}"]
        return f"| {' | '.join([*cells, 'yes' if self.is_inside else '**no**'])} |"


def validated() -> Iterator[Figure]:
    """Return every figure of every row, by version."""
    for file in sorted(ROWS.glob("*.jsonl")):
        for row in Row.read(file):
            for name, path, expected in _figures(row):
                disturbed = path.startswith("seconds.") and row.outputs.get("load_average", math.inf) > _QUIET
                yield Figure(row.etcd_version, row.inputs["name"], name, path, row.outputs[name], expected, disturbed)


def _figures(row: Row) -> Iterator[tuple[str, str, Amount]]:
    if row.experiment == "validation":
        found, paths = predicted(row.etcd_version, row.inputs), COMPARED
    elif row.experiment == "validation-seconds":
        found, paths = predicted_seconds(row.etcd_version, row.inputs, row.outputs), SECONDS_COMPARED
    else:
        return
    for name, path in paths.items():
        yield name, path, found[name]


def tables(figures: Sequence[Figure]) -> Mapping[str, str]:
    """Return the tables of the page by their names."""
    return {
        "summary": _summary(figures),
        "loads": _by_version(figures, COMPARED),
        "seconds": _by_version(figures, SECONDS_COMPARED),
    }


def _summary(figures: Sequence[Figure]) -> str:
    head = "| figure | bound of the deviation | within the bound | inside the predicted range | deviation |"
    lines = [head, "|---|---|---|---|---|"]
    figures = [one for one in figures if not one.is_disturbed]
    for name, bound in _BOUNDS.items():
        found = [one for one in figures if one.name == name]
        if not found:
            continue
        within = _share(found, lambda one: bool(one.is_close)) if bound else ""
        text = f"{bound[0]:+.0%} to {bound[1]:+.0%}" if bound else ""
        least, most = min(one.deviation for one in found), max(one.deviation for one in found)
        inside = _share(found, lambda one: one.is_inside)
        cells = [_NAMES[name], text, within, inside, f"{least:+.1%} to {most:+.1%}"]
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    within = _share([one for one in figures if one.is_close is not None], lambda one: bool(one.is_close))
    lines.append(f"| all | | {within} | {_share(figures, lambda one: one.is_inside)} | |")
    return "\n".join(lines)


def _share(figures: Sequence[Figure], holds: Callable[[Figure], bool]) -> str:
    return f"{sum(map(holds, figures))} of {len(figures)}"


def _by_version(figures: Sequence[Figure], names: Mapping[str, str]) -> str:
    parts = []
    chosen = [one for one in figures if one.name in names]
    for version, group in groupby(chosen, key=lambda one: one.version):
        head = (
            "| load | figure | measured | predicted, likely | predicted range | deviation | inside the range |\n"
            "|---|---|---|---|---|---|---|"
        )
        parts.append(f"### etcd {version}\n\n{head}\n" + "\n".join(one.line for one in group))
    return "\n\n".join(parts)


def page(text: str, figures: Sequence[Figure]) -> str:
    """Return the page with its tables written anew."""
    for name, table in tables(figures).items():
        text = re.sub(
            rf"(?<=<!-- begin {name} -->\n).*?(?=<!-- end {name} -->)",
            lambda _, table=table: f"\n{table}\n\n",
            text,
            flags=re.DOTALL,
        )
    return text


def main() -> None:
    """Write the tables into the page."""
    figures = list(validated())
    PAGE.write_text(page(PAGE.read_text(), figures))
    for one in figures:
        if not one.is_inside and not one.is_disturbed:
            print(f"outside its range: {one.version} {one.line}")
    print(_summary(figures))


if __name__ == "__main__":
    main()
