"""Which columns hold a load: found by the names that people give them, or by those that were chosen.

This module sees names only, never a frame or a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from etcdsize.base.text import nearest, shown
from etcdsize.errors import ColumnError
from etcdsize.units import DIMENSIONS

__all__ = ["ANSWERS", "AUDIT_ANSWERS", "Columns", "Source", "columns_to_read", "has_column_for", "pick_columns"]

ANSWERS = ("tier", "machine_type", "forced_by", "tightest", "problem")
"""The columns that an answer adds, in order."""
AUDIT_ANSWERS = (
    *("verdict", "decided_by", "utilization", "breaks_next", "recommended_machine"),
    "usd_month_difference",
)
"""The columns that an audit adds besides, where a file says which machine runs now."""

_DATA_UNITS = {"": 1, "_bytes": 1, "_mb": 1000**2, "_mib": 1024**2, "_gb": 1000**3, "_gib": 1024**3}
_DATA_NAMES = ("data", "db_size", "size", "data_size", "database_size", "storage")

# Name of a column -> what a number in it is multiplied by.
_NAMES: dict[str, dict[str, int]] = {
    "clients": dict.fromkeys(("clients", "client_count", "num_clients", "connections"), 1),
    "requests_per_second": dict.fromkeys(
        ("requests_per_second", "rps", "qps", "requests", "request_rate", "req_per_s", "reqs_per_second"), 1
    ),
    "data_bytes": {name + unit: factor for name in _DATA_NAMES for unit, factor in _DATA_UNITS.items()},
    "provider": dict.fromkeys(("provider", "cloud", "cloud_provider"), 1),
    "current_machine": dict.fromkeys(("current_machine", "current_machine_type"), 1),
}
UNIT_OF_FACTOR = {1000**2: "MB", 1024**2: "MiB", 1000**3: "GB", 1024**3: "GiB"}


@dataclass(frozen=True)
class Source:
    """Where a dimension stands: the column's position and name, and the bytes that a number in it means."""

    position: int
    name: str
    factor: int = 1


Columns = dict[str, Source]
"""Dimension, or "provider", -> where it stands. A dimension that is not in it is unknown."""


def pick_columns(
    names: Sequence[str],
    chosen: Mapping[str, str] | None = None,
    unknown: Iterable[str] = (),
    *,
    provider_given: bool = False,
    audited: bool = False,
) -> Columns:
    """Return the columns that hold the load, the provider, and the machine that runs now.

    Parameters
    ----------
    names : sequence of str
        The names that there are.
    chosen : mapping, optional
        Dimension or "provider" -> the name of its column, where the name is not one that we know.
    unknown : iterable of str
        Dimensions that nobody has the figures of.
    provider_given : bool
        Whether one provider stands for all, so that no column is needed.
    audited : bool
        Whether the machine that runs now is looked for.

    Raises
    ------
    ColumnError
        For a column that is missing (with the nearest there is), there twice, or one of the answer's.
    """
    chosen, unknown = dict(chosen or {}), tuple(unknown)
    for key in (*chosen, *unknown):
        if key not in _NAMES or (key in unknown and key not in DIMENSIONS):
            raise ColumnError(f"got {shown(key)}, expected {', '.join(DIMENSIONS)}{nearest(key, DIMENSIONS)}")
        if key == "current_machine" and not audited:
            raise ColumnError("current_machine: a frame is not audited; audit() takes its columns")
    columns: Columns = {}
    for key, known in _NAMES.items():
        if key in unknown:
            if key in chosen:
                raise ColumnError(f"{key}: got a column and unknown, expected one of the two")
            continue
        if (key == "provider" and provider_given) or (key == "current_machine" and not audited):
            continue
        found = _find(names, key, known, chosen.get(key))
        if found is not None:
            columns[key] = found
        elif key in DIMENSIONS:
            raise ColumnError(_missing_column(names, key, known))
    added = (*ANSWERS, *AUDIT_ANSWERS) if "current_machine" in columns else ANSWERS
    taken = [name for name in names if name in added]
    if taken:
        raise ColumnError(
            f"has a column {shown(taken[0])}, which the answer adds; rename it or leave it out: an answer never "
            "replaces what is there"
        )
    if not any(dimension in columns for dimension in DIMENSIONS):
        raise ColumnError("every dimension is unknown, expected at least one that is known")
    return columns


def has_column_for(names: Iterable[str], *keys: str) -> bool:
    """Return whether a column holds one of these, such as `provider`, by its name."""
    return any(_normalize(name) in _NAMES[key] for name in names for key in keys)


def columns_to_read(columns: Columns, others: Iterable[int] = ()) -> tuple[list[int], Columns]:
    """Return the positions that are needed, others included, and where the columns stand among those alone."""
    positions = sorted({source.position for source in columns.values()}.union(others))
    return positions, {
        key: replace(source, position=positions.index(source.position)) for key, source in columns.items()
    }


def _find(names: Sequence[str], key: str, known: Mapping[str, int], chosen: str | None) -> Source | None:
    if chosen is not None:
        places = [position for position, name in enumerate(names) if name == chosen]
        if not places:
            raise ColumnError(f"{key}: has no column {shown(chosen)}{nearest(chosen, names)}{_list_names(names)}")
    else:
        places = [position for position, name in enumerate(names) if _normalize(name) in known]
    if len(places) > 1:
        listed = " and ".join(shown(names[place]) for place in places)
        raise ColumnError(
            f"{key}: has {listed}, expected one column; choose it by name"
            if len({names[place] for place in places}) > 1
            else f"{key}: has the column {shown(names[places[0]])} {len(places)} times, expected it once"
        )
    if not places:
        return None
    name = names[places[0]]
    return Source(places[0], name, known.get(_normalize(name), _unit_factor(name) if key == "data_bytes" else 1))


def _normalize(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _unit_factor(name: str) -> int:
    """Return the factor of a column that was chosen by name, from the unit that ends it."""
    ending = re.search(r"_(bytes|mb|mib|gb|gib)$", _normalize(name))
    return _DATA_UNITS[ending.group()] if ending else 1


def _list_names(names: Sequence[str]) -> str:
    return f"; it has {', '.join(map(shown, names[:20]))}{', …' if len(names) > 20 else ''}"


def _missing_column(names: Sequence[str], key: str, known: Mapping[str, int]) -> str:
    near = [name for name in names for hint in (nearest(_normalize(name), known),) if hint]
    hint = f"; is it {shown(near[0])}?" if near else ""
    return f"has no column for {key} (expected {', '.join(list(known)[:6])}){hint}{_list_names(names)}"
