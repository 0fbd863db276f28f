"""Does the model agree with what people reported of their clusters? Writes docs/resources-checked.md.

    python -m benchmarks.resources.reported

The rows are in reported.json: what the source says, the load that it names, and the figure of the model that it is
compared with. Rows that name too little for a prediction are not in it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etcdsize import Horizon, Profile, resources_for
from etcdsize.resources.resources_text import quantity_text

ROWS = Path(__file__).parent / "reported.json"
PAGE = Path(__file__).parents[2] / "docs" / "resources-checked.md"
FACTOR = 1.25
"""How far outside the predicted range a reported figure may lie and still agree (our choice)."""


@dataclass(frozen=True)
class Checked:
    """A reported figure beside the predicted one."""

    row: dict[str, Any]
    low: float
    likely: float
    high: float

    @property
    def agrees(self) -> bool:
        """Whether the reported range meets the predicted one."""
        least, most = self.row["reported"]
        return bool(least <= self.high * FACTOR and most >= self.low / FACTOR)

    @property
    def line(self) -> str:
        """The row of the table."""
        name = self.row["figures"][0]
        low, likely, high = (_text(name, value) for value in (self.low, self.likely, self.high))
        predicted = likely if low == high else f"{likely} ({low} to {high})"
        cells = [
            self.row["source"],
            self.row["says"],
            predicted,
            "yes" if self.agrees else "**no**",
            self.row["remark"],
        ]
        return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def checked_rows() -> Iterator[Checked]:
    """Return every reported figure with what the model predicts for the load that its source names."""
    for row in json.loads(ROWS.read_text()):
        found = resources_for(Profile(**row["profile"]), etcd_version=row["version"], **row["asked"])
        ends = [_ends(getattr(getattr(found, group), name)) for group, name in map(_split, row["figures"])]
        # The first figure is there; of the others, such as garbage and the file in memory, some or all may be.
        yield Checked(row, ends[0][0], math.fsum(end[1] for end in ends), math.fsum(end[2] for end in ends))


def _split(figure: str) -> tuple[str, str]:
    group, _, name = figure.partition(".")
    return group, name


def _ends(found: Any) -> tuple[float, float, float]:
    if isinstance(found, Horizon):
        hours = (found.soonest_hours, found.likely_hours, found.latest_hours)
        low, likely, high = (float("inf") if one is None else one for one in hours)
        return low, likely, high
    return found.low, found.likely, found.high


def _text(figure: str, value: float) -> str:
    return f"{value:.3g} h" if figure.startswith("file.full") else quantity_text(figure, value)


def main() -> None:
    """Write the table into the page."""
    checked = list(checked_rows())
    head = ["| source | reported | predicted: likely (low to high) | agrees | remark |", "|---|---|---|---|---|"]
    table = "\n".join([*head, *(one.line for one in checked)])
    text = re.sub(
        r"(?<=<!-- begin table -->\n).*?(?=<!-- end table -->)",
        lambda _: f"{table}\n",
        PAGE.read_text(),
        flags=re.DOTALL,
    )
    PAGE.write_text(text)
    print(f"{sum(one.agrees for one in checked)} of {len(checked)} agree")


if __name__ == "__main__":
    main()
