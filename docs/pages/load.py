"""What the resource model assumes of a load."""

from __future__ import annotations

from etcdsize.resources.defaults import DEFAULTS
from etcdsize.units import format_number
from pages.markdown import table

# The parts of the load in which the ends are no numbers of their own.
ENDS = {"list_keys": ("0", "1000", "all keys"), "largest_value_bytes": ("the average", "10 times that", "1572864")}


def defaults() -> str:
    """Return a table of what is assumed for each figure of which nothing is known."""
    rows = []
    for name, default in DEFAULTS.items():
        numbers = ENDS.get(name) or tuple(map(format_number, (default.low, default.likely, default.high)))
        rows.append([f"`{name}`", *numbers, default.why, default.source])
    return table(["field", "low", "likely", "high", "why", "source"], rows)
