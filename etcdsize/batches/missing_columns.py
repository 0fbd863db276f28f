"""Say which columns are missing, and which option to add for each.

A column is suggested only for what it would be read as. If its name states no unit, the message asks for the unit.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from etcdsize.base.text import in_words, nearest, one_line, shown
from etcdsize.batches.column_names import Unit
from etcdsize.batches.usual_names import AMBIGUOUS, USUAL_NAMES, Names, list_names
from etcdsize.errors import ColumnError
from etcdsize.units import DIMENSIONS

__all__ = ["COMMAND_LINE", "PYTHON", "Options", "find_hints", "report_missing"]

# The keys to choose from for a column whose name states no unit.
_KEYS = {
    "clients": ("clients",),
    "requests_per_second": ("requests_per_second", "requests_per_minute"),
    "data_bytes": ("data_bytes", "data_mb", "data_gib"),
}
_EXAMPLES = {
    "clients": "clients, connections",
    "requests_per_second": "rps, qps, requests_per_minute",
    "data_bytes": "data, db_size, data_mb, data_gib",
    "provider": "provider, cloud",
}
# A longer name is not repeated in an option: it would not be readable.
_LONGEST_NAME = 100
# Comparing a name with the usual ones takes a fraction of a millisecond.
_MOST_COMPARED = 1000
_MOST_HINTS = 3


class Options(NamedTuple):
    """How a message writes the options: as those of the command line, or as arguments in Python."""

    is_python: bool

    def column(self, key: str, name: str) -> str:
        """Return the option that chooses a column."""
        if self.is_python:
            return f'columns={{"{key}": {shown(name)}}}'
        return f"--column {shlex.quote(f'{key}={one_line(name)}')}"

    def unknown(self, keys: Iterable[str]) -> str:
        """Return the option for dimensions that are not known."""
        if self.is_python:
            return f"unknown=[{', '.join(map(shown, keys))}]"
        return " ".join(f"--unknown {key}" for key in keys)

    def provider(self, providers: Sequence[str]) -> str:
        """Return the option for one provider of all rows."""
        return f'provider="{providers[0]}"' if self.is_python else f"--provider {providers[0]}"


PYTHON = Options(is_python=True)
COMMAND_LINE = Options(is_python=False)


def report_missing(read: Names, missing: Sequence[str], providers: Sequence[str], options: Options) -> ColumnError:
    """Return the error for the columns that are missing, with what to add for each."""
    dimensions = [key for key in missing if key in DIMENSIONS]
    what = ", ".join(f"{key} (expected {_EXAMPLES[key]})" for key in missing)
    hints = {key: find_hints(read, key, options) for key in dimensions}
    steps = [hint for found in hints.values() for hint in found]
    chosen = [options.column(key, "NAME") for key, found in hints.items() if not found]
    if chosen:
        steps.append(f"add {', '.join(chosen)}")
    if dimensions:
        steps.append(f"add {options.unknown(dimensions)} for what is not known")
    if len(dimensions) < len(missing):
        others = f", or another of {', '.join(providers)}," if len(providers) > 1 else ""
        steps.append(f"add {options.provider(providers)}{others} for all rows")
    return ColumnError(f"has no column for {'; '.join([what, *steps])}{list_names(read.names)}")


def find_hints(read: Names, key: str, options: Options) -> list[str]:
    """Return the columns that may hold a dimension, each with the option that takes it."""
    hints = []
    for stem, other in AMBIGUOUS.get(key, {}).items():
        for place in read.places_of(stem, key):
            if _can_be_chosen(read, place, key):
                hints.append(f"{_choices(read, place, key, options)} (it may be {other})")
    if not hints:
        known = [name.replace("_", "") for name in USUAL_NAMES[key]]
        taken = {place for other in USUAL_NAMES for place in read.usual(other)}
        for place in range(min(len(read.names), _MOST_COMPARED)):
            if place in taken or not _can_be_chosen(read, place, key):
                continue
            if nearest(read.read(place).compact, known):
                hints.append(_choices(read, place, key, options))
                break
    return hints[:_MOST_HINTS]


def _can_be_chosen(read: Names, place: int, key: str) -> bool:
    """Return whether an option can name a column, and its unit is not one that we do not know."""
    return len(read.names[place]) <= _LONGEST_NAME and not isinstance(read.read(place).unit(key), str)


def _choices(read: Names, place: int, key: str, options: Options) -> str:
    """Return the options that take a column as a dimension: one if its unit is known, otherwise one for each unit."""
    name, unit = read.names[place], read.read(place).unit(key)
    if key == "clients":
        return f"is it {shown(name)}? Then add {options.column(key, name)}"
    if isinstance(unit, Unit):
        return f"is it {shown(name)}? Then add {options.column(_stating(key, unit), name)}"
    choices = [options.column(each, name) for each in _KEYS[key]]
    return f"is it {shown(name)}? Then add its unit: {in_words(choices, 'or')}, for example"


def _stating(key: str, unit: Unit) -> str:
    """Return the key that states the same unit as the name of a column, such as `data_gb`, or the key itself."""
    if key == "data_bytes" and unit.text != "B":
        return f"data_{unit.text.lower()}"
    return unit.text.replace(" ", "_") if unit.text.startswith("requests per ") else key
