"""Find the columns that hold a load, by their usual names or by the names that the caller chose.

Only names are needed here, not the frame or the file that they come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from etcdsize.base.text import nearest, one_line, shortened, shown
from etcdsize.errors import ColumnError
from etcdsize.units import DIMENSIONS

__all__ = [
    "ANSWERS",
    "AUDIT_ANSWERS",
    "DATA_NAMES",
    "DATA_UNITS",
    "USUAL_NAMES",
    "Columns",
    "Source",
    "columns_to_read",
    "has_column_for",
    "pick_columns",
]

ANSWERS = ("tier", "machine_type", "forced_by", "tightest", "problem", "notices")
"""The columns that sizing adds, in order."""
AUDIT_ANSWERS = (
    *("verdict", "decided_by", "utilization", "breaks_next", "recommended_machine"),
    "usd_month_difference",
)
"""The columns that an audit adds after those, if a file names the machines in use."""

DATA_UNITS = {"": 1, "_bytes": 1, "_mb": 1000**2, "_mib": 1024**2, "_gb": 1000**3, "_gib": 1024**3}
DATA_NAMES = ("data", "db_size", "size", "data_size", "database_size", "storage")

# Name of a column -> the factor that converts a number in it.
_NAMES: dict[str, dict[str, int]] = {
    "clients": dict.fromkeys(("clients", "client_count", "num_clients", "connections"), 1),
    "requests_per_second": dict.fromkeys(
        ("requests_per_second", "rps", "qps", "requests", "request_rate", "req_per_s", "reqs_per_second"), 1
    ),
    "data_bytes": {name + unit: factor for name in DATA_NAMES for unit, factor in DATA_UNITS.items()},
    "provider": dict.fromkeys(("provider", "cloud", "cloud_provider"), 1),
    "current_machine": dict.fromkeys(("current_machine", "current_machine_type"), 1),
    "kubernetes_nodes": dict.fromkeys(("kubernetes_nodes", "k8s_nodes", "nodes", "node_count"), 1),
    "vcpus": dict.fromkeys(("vcpus", "vcpu", "vcpu_count", "cpus", "cpu_count"), 1),
    "memory_gib": dict.fromkeys(("memory_gib", "mem_gib", "ram_gib"), 1),
    "name": dict.fromkeys(("cluster", "cluster_name", "name", "cluster_id", "id"), 1),
    "timestamp": dict.fromkeys(("timestamp", "time", "ts", "datetime", "date"), 1),
}
# Looked for only if the caller asks for them: reading a column takes time.
_ON_REQUEST = ("kubernetes_nodes", "vcpus", "memory_gib", "name", "timestamp")
# Several of these in one file are usual; the first of the names above counts.
_FIRST_COUNTS = ("name", "timestamp")
USUAL_NAMES: dict[str, tuple[str, ...]] = {key: tuple(names) for key, names in _NAMES.items()}
"""What a column holds -> the names by which it is found, with underscores in place of spaces and hyphens."""
UNIT_OF_FACTOR = {1000**2: "MB", 1024**2: "MiB", 1000**3: "GB", 1024**3: "GiB"}


@dataclass(frozen=True)
class Source:
    """A column of the input."""

    position: int
    name: str
    """Its name, as messages show it."""
    factor: int = 1
    """What a number in it is multiplied by."""
    upper: bool = False
    """Whether it holds an upper bound: the size of etcd's file, of which the data in use is a part."""


Columns = dict[str, Source]
"""A key of `USUAL_NAMES` -> its column. A dimension that is not listed is unknown."""


def pick_columns(
    names: Sequence[str],
    chosen: Mapping[str, str] | None = None,
    unknown: Iterable[str] = (),
    *,
    provider_given: bool = False,
    audited: bool = False,
    also: Iterable[str] = (),
) -> Columns:
    """Return the columns that hold the load, the provider and the machine in use, and others on request.

    Parameters
    ----------
    names : sequence of str
        The names of all columns.
    chosen : mapping, optional
        A key of `USUAL_NAMES` -> the name of its column, if that is not one of the usual names.
    unknown : iterable of str
        Dimensions that are not known.
    provider_given : bool
        Whether one provider is given for all rows, so that no column is needed.
    audited : bool
        Whether to look for the machine in use.
    also : iterable of str
        Further keys of `USUAL_NAMES` to look for. Those that are not found are left out.

    Raises
    ------
    ColumnError
        For a column that is missing (with the nearest name), that occurs twice, or that sizing would add.
    """
    chosen, unknown, also = dict(chosen or {}), tuple(unknown), tuple(also)
    for key in (*chosen, *unknown):
        if key not in _NAMES or (key in unknown and key not in DIMENSIONS):
            raise ColumnError(f"got {shown(key)}, expected {', '.join(DIMENSIONS)}{nearest(key, DIMENSIONS)}")
        if key == "current_machine" and not audited:
            raise ColumnError("current_machine: a frame is not audited; pass its columns to audit()")
    columns: Columns = {}
    for key, known in _NAMES.items():
        if key in unknown:
            if key in chosen:
                raise ColumnError(f"{key}: got a column and unknown, expected one of the two")
            continue
        if (key == "provider" and provider_given) or (key == "current_machine" and not audited):
            continue
        if key in _ON_REQUEST and key not in also and key not in chosen:
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
            "replaces an existing column"
        )
    if not any(dimension in columns for dimension in DIMENSIONS):
        raise ColumnError("every dimension is unknown, expected at least one that is known")
    return columns


def has_column_for(names: Iterable[str], *keys: str) -> bool:
    """Return whether the name of a column is a usual name for one of these, such as `provider`."""
    return any(_normalize(name) in _NAMES[key] for name in names for key in keys)


def columns_to_read(columns: Columns, others: Iterable[int] = ()) -> tuple[list[int], Columns]:
    """Return the positions to read, others included, and the columns with their positions among those."""
    positions = sorted({source.position for source in columns.values()}.union(others))
    place_of = {position: place for place, position in enumerate(positions)}
    return positions, {key: replace(source, position=place_of[source.position]) for key, source in columns.items()}


def _find(names: Sequence[str], key: str, known: Mapping[str, int], chosen: str | None) -> Source | None:
    if chosen is not None:
        places = [position for position, name in enumerate(names) if name == chosen]
        if not places:
            raise ColumnError(f"{key}: has no column {shown(chosen)}{nearest(chosen, names)}{_list_names(names)}")
    else:
        places = [position for position, name in enumerate(names) if _normalize(name) in known]
        if key in _FIRST_COUNTS:
            order = list(known)
            places = sorted(places, key=lambda place: order.index(_normalize(names[place])))[:1]
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
    return Source(
        places[0],
        one_line(shortened(name)),
        known.get(_normalize(name), _unit_factor(name) if key == "data_bytes" else 1),
    )


def _normalize(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _unit_factor(name: str) -> int:
    """Return the factor for the unit that ends the name of a chosen column."""
    ending = re.search(r"_(bytes|mb|mib|gb|gib)$", _normalize(name))
    return DATA_UNITS[ending.group()] if ending else 1


def _list_names(names: Sequence[str]) -> str:
    return f"; it has {', '.join(map(shown, names[:20]))}{', …' if len(names) > 20 else ''}"


def _missing_column(names: Sequence[str], key: str, known: Mapping[str, int]) -> str:
    # A comparison takes a fraction of a millisecond.
    near = next((name for name in names[:1000] if nearest(_normalize(name), known)), None)
    hint = "" if near is None else f"; is it {shown(near)}?"
    return f"has no column for {key} (expected {', '.join(list(known)[:6])}){hint}{_list_names(names)}"
