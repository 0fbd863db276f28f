"""The kinds of file that `etcdsize fleet` recognizes and does not read."""

from __future__ import annotations

import re
from pathlib import Path

from etcdsize.files.foreign import FOREIGN, conversion
from pages.markdown import table


def foreign_table() -> str:
    """Return a table of the kinds of file that are not read, with the command that converts each."""
    rows = []
    for known in FOREIGN:
        path = Path(f"clusters{known.endings[0] if known.endings else '.csv'}")
        if "{stem}" in known.command:
            path = Path(f"clusters.csv{path.suffix}")
        command = re.sub(r"([|])", r"\\\1", conversion(path, known.command))
        rows.append([known.title, ", ".join(f"`{ending}`" for ending in known.endings), f"`{command}`"])
    return table(["what it is", "endings", "what converts it"], rows)
