"""Find the columns that hold a load, by their usual names or by the names that the caller chose.

Only names are needed here, not the frame or the file that they come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from etcdsize.base.text import in_words, nearest, one_line, shortened, shown
from etcdsize.batches.column_names import (
    BYTE_KEYS,
    BYTE_UNIT_NAMES,
    GIB_KEYS,
    RATE_KEYS,
    SPEED_KEYS,
    TIME_NAMES,
    ColumnName,
    Unit,
    read_name,
)
from etcdsize.batches.implied_loads import implied_dimensions
from etcdsize.batches.missing_columns import PYTHON, Options, find_hints, report_missing
from etcdsize.batches.usual_names import USUAL_NAMES, Names
from etcdsize.errors import ColumnError
from etcdsize.units import DIMENSIONS

__all__ = [
    "ANSWERS",
    "AUDIT_ANSWERS",
    "ETCD_VERSION",
    "FIGURES",
    "NO_PEAKS",
    "NUMBERS",
    "OBSERVED_PROBLEM",
    "RESOURCE_ANSWERS",
    "RUNNING",
    "USUAL_NAMES",
    "YES_OR_NO",
    "Columns",
    "Source",
    "columns_to_read",
    "earlier_answers",
    "has_column_for",
    "pick_columns",
]

ANSWERS = (
    *("tier", "machine_type", "forced_by", "tightest", "machine_today", "cost_per_month", "currency"),
    *("price_region", "price_date", "problem", "notices"),
)
"""The columns that sizing adds, in order."""
AUDIT_ANSWERS = (
    *("verdict", "reason", "decided_by", "utilization", "breaks_next", "recommended_machine"),
    *("cost_difference_per_month", "difference_currency"),
)
"""The columns that an audit adds after those, if a file names the machines in use."""
RESOURCE_ANSWERS = ("quota_bytes", "memory_limit_bytes", "volume_gib", "fsync_p99_needed_ms")
"""The columns that the measured model adds after all others, if they are asked for."""

FIGURES = (
    *("keys", "key_bytes", "value_bytes", "largest_value_bytes", "writes_per_second", "reads_per_second"),
    *("puts_per_transaction", "puts_per_commit", "history_seconds", "list_keys", "concurrent_lists"),
    *("watchers", "watch_streams", "leases", "keys_per_lease", "lease_ttl_seconds", "lease_revokes_per_second"),
    *("tls", "pods"),
)
"""The keys of `USUAL_NAMES` that only the measured model reads; each is a figure of `fleet_resources`."""
NO_PEAKS = ("puts_per_commit", "lease_ttl_seconds", "tls")
"""Those of which the largest is not what takes most."""
YES_OR_NO = "tls"
"""The one that is yes or no."""
RUNNING = ("running_quota_bytes", "running_volume_gib", "running_disk_mb_per_second")
"""How a cluster runs, which an audit compares with what its load takes: its quota, and a member's volume."""
NUMBERS = (
    *(*DIMENSIONS, "kubernetes_nodes", "vcpus", "memory_gib"),
    *(name for name in FIGURES if name != YES_OR_NO),
    *RUNNING,
)
"""The keys of `USUAL_NAMES` whose columns hold numbers."""

# Looked for only if the caller asks for them: reading a column takes time.
_ON_REQUEST = ("vcpus", "memory_gib", "name", "timestamp")
# What `observe` writes of its own figures, which an audit reads by these very names.
OBSERVED_PROBLEM = "observed_problem"
"""The column by which a file of `observe` is known."""
_OBSERVED = ("clients_bound", "requests_bound", "data_bound", OBSERVED_PROBLEM)
ETCD_VERSION = "etcd_version"
"""The version of etcd that `observe` writes: the measured model of a row is that of its version."""
_UNKNOWN = (*DIMENSIONS, "kubernetes_nodes")
_FURTHER = (*FIGURES, *RUNNING, "region")
_LEFT_OUT = (*_UNKNOWN, *_FURTHER)
_OR_A_FIGURE = " or a further figure such as keys"
# What is measured where etcd's file is: more than the data in use.
_FILE_WORDS = {"db", "database", "dbsize", "databasesize", "size", "file", "backend"}
_NOT_FILE_WORDS = {"data", "datasize", "in_use", "used", "inuse", "logical"}
_ACCEPTED = {
    **dict.fromkeys(BYTE_KEYS, f"bytes, {in_words(BYTE_UNIT_NAMES, 'or')}"),
    **dict.fromkeys(SPEED_KEYS, "MB/s, or another unit of bytes per second"),
    **dict.fromkeys(RATE_KEYS, f"requests per {in_words(TIME_NAMES, 'or')}, or thousands of them"),
}
_RENAMED = {
    "machine_type": "; if it names the machine that runs now, call it current_machine",
    "quota_bytes": "; if it is the quota that runs now, call it running_quota_bytes",
    "volume_gib": "; if it is the volume that runs now, call it running_volume_gib",
}


@dataclass(frozen=True)
class Source:
    """A column of the input."""

    position: int
    name: str
    """Its name, as messages show it."""
    factor: int | Fraction = 1
    """What a number in it is multiplied by."""
    unit: str | None = None
    """The unit of its numbers, as messages show it, unless it is the dimension's own."""
    upper: bool = False
    """Whether it holds an upper bound: the size of etcd's file, of which the data in use is a part."""


Columns = dict[str, Source]
"""A key of `USUAL_NAMES`, or a name that `observe` writes -> its column. A dimension that is not listed is unknown."""


def pick_columns(
    names: Sequence[str],
    chosen: Mapping[str, str] | None = None,
    unknown: Iterable[str] = (),
    *,
    provider_given: bool = False,
    region_given: bool = False,
    audited: bool = False,
    resources: bool = False,
    also: Iterable[str] = (),
    providers: Sequence[str] = (),
    spelling: Options = PYTHON,
) -> Columns:
    """Return the columns that hold the load, the provider and the machine in use, and others on request.

    Parameters
    ----------
    names : sequence of str
        The names of all columns.
    chosen : mapping, optional
        A key of `USUAL_NAMES` -> the name of its column, if that is not one of the usual names. A key may state the
        unit of the column: `data_mb`, `requests_per_minute`, `memory_gb`.
    unknown : iterable of str
        Dimensions that are not known. `kubernetes_nodes` among them, or a figure of the measured model, leaves out a
        column of that name.
    provider_given : bool
        Whether one provider is given for all rows, so that no column is needed.
    region_given : bool
        Whether the region of all rows is given, so that a column of it is not read.
    audited : bool
        Whether to look for the machine in use, for its vCPUs and memory, for the figures of the measured model, the
        quota and the volume that run, and for what `observe` writes of its figures.
    resources : bool
        Whether to look for the figures of the measured model and for what `observe` writes, and to add the model's
        answers.
    also : iterable of str
        Further keys of `USUAL_NAMES` to look for. Those that are not found are left out.
    providers : sequence of str
        The providers to choose from, if a column is needed unless one provider is given.
    spelling : Options
        How to write an option in a message.

    Raises
    ------
    ColumnError
        For a column that is missing (with the nearest name), that occurs more than once, or that sizing would add; and
        for one whose name states a unit that is not known, or not the one that the caller states.
    """
    unknown, also = tuple(unknown), tuple(also)
    for key in unknown:
        if key not in _LEFT_OUT:
            raise ColumnError(
                f"got {shown(key)}, expected {', '.join(_UNKNOWN)}{_OR_A_FIGURE}{nearest(key, _LEFT_OUT)}"
            )
    wanted = _chosen(chosen or {})
    read = Names(names)
    columns: Columns = {}
    missing: list[str] = []
    for key in USUAL_NAMES:
        if key in unknown:
            if key in wanted:
                raise ColumnError(f"{key}: got a column and unknown, expected one of the two")
            continue
        if key not in wanted and (
            (key == "provider" and provider_given)
            or (key == "region" and region_given)
            or (key in ("current_machine", *RUNNING) and not audited)
            or (key in FIGURES and not (audited or resources))
            or (key in _ON_REQUEST and key not in also and not (audited and key in ("vcpus", "memory_gib")))
        ):
            continue
        name, stated = wanted.get(key, (None, None))
        found = _find(read, key, name, stated)
        if found is not None:
            columns[key] = found
        elif key in DIMENSIONS or (key == "provider" and providers and not audited):
            missing.append(key)
    if "region" in columns and "provider" in missing:
        # The region of a row implies its provider.
        missing.remove("provider")
    if audited or resources:
        columns |= {name: Source(names.index(name), name) for name in _OBSERVED if name in names}
    if (audited or resources) and ETCD_VERSION in names:
        columns[ETCD_VERSION] = Source(names.index(ETCD_VERSION), ETCD_VERSION)
    implied = implied_dimensions(columns)
    loads = [key for key in missing if key in DIMENSIONS]
    # What follows from figures needs no column, and beside it or nodes nothing else does, unless some column looks like
    # one of a load.
    enough = ("kubernetes_nodes" in columns or implied) and columns.keys().isdisjoint(DIMENSIONS)
    spare = loads if enough else [key for key in loads if key in implied]
    if spare and not any(find_hints(read, key, spelling) for key in spare):
        missing = [key for key in missing if key not in spare]
    if missing:
        raise report_missing(read, missing, providers, spelling)
    added = (
        *ANSWERS,
        *(AUDIT_ANSWERS if "current_machine" in columns else ()),
        *(RESOURCE_ANSWERS if resources else ()),
    )
    taken = [name for name in names if name in added]
    if taken:
        hint = _RENAMED.get(taken[0], "")
        raise ColumnError(
            f"has a column {shown(taken[0])}, which the answer adds; rename it or leave it out: an answer never "
            f"replaces an existing column{hint}"
        )
    if columns.keys().isdisjoint(_UNKNOWN) and not implied:
        raise ColumnError("every dimension is unknown, expected at least one that is known")
    return columns


def has_column_for(names: Iterable[str], *keys: str) -> bool:
    """Return whether the name of a column is a usual name for one of these, such as `provider`."""
    read = Names(list(names))
    return any(read.usual(key) for key in keys)


def earlier_answers(names: Sequence[str], added: Iterable[str]) -> frozenset[int]:
    """Return the positions of the answers in a file that `observe` wrote: sized again, it has new ones instead."""
    if OBSERVED_PROBLEM not in names:
        return frozenset()
    ours = set(added)
    return frozenset(place for place, name in enumerate(names) if name in ours)


def columns_to_read(columns: Columns, others: Iterable[int] = ()) -> tuple[list[int], Columns]:
    """Return the positions to read, others included, and the columns with their positions among those."""
    positions = sorted({source.position for source in columns.values()}.union(others))
    place_of = {position: place for place, position in enumerate(positions)}
    return positions, {key: replace(source, position=place_of[source.position]) for key, source in columns.items()}


def _chosen(chosen: Mapping[str, str]) -> dict[str, tuple[str, Unit | None]]:
    """Return what the caller chose: a key of `USUAL_NAMES` -> the column's name and the unit that the caller states."""
    found: dict[str, tuple[str, Unit | None]] = {}
    for asked, name in chosen.items():
        key, unit = (asked, None) if asked in USUAL_NAMES else _stated_unit(asked)
        if key in found:
            raise ColumnError(f"{key}: got {shown(found[key][0])} and {shown(name)}, expected one column")
        found[key] = name, unit
    return found


def _stated_unit(asked: str) -> tuple[str, Unit]:
    """Return the key and the unit in what a caller asks for, such as `data_mb` or `requests_per_minute`."""
    read = read_name(asked)
    for key, word in (("data_bytes", "data"), ("requests_per_second", "requests"), ("memory_gib", "memory")):
        unit = read.unit(key)
        if read.words == (word,) and isinstance(unit, Unit):
            return key, unit
    raise ColumnError(
        f"got {shown(asked)}, expected {', '.join(key for key in USUAL_NAMES if key not in _FURTHER)}{_OR_A_FIGURE}, "
        f"or one of them with a unit such as data_mb or requests_per_minute{nearest(asked, USUAL_NAMES)}"
    )


def _find(read: Names, key: str, chosen: str | None, stated: Unit | None) -> Source | None:
    places = read.usual(key) if chosen is None else read.chosen(key, chosen)
    if len(places) > 1:
        names = [read.names[place] for place in places]
        raise ColumnError(
            f"{key}: has {in_words(map(shown, names))}, expected one column; choose it by name"
            if len(set(names)) > 1
            else f"{key}: has the column {shown(names[0])} {len(places)} times, expected it once"
        )
    if not places:
        return None
    place = places[0]
    name = one_line(shortened(read.names[place]))
    unit = _unit(read.read(place), key, name, stated)
    factor = Fraction(1) if unit is None else unit.factor
    if key in GIB_KEYS and unit is not None:
        factor /= 2**30
    return Source(
        place,
        name,
        factor if factor.denominator != 1 else int(factor),
        None if unit is None or factor == 1 else unit.text,
        key == "data_bytes" and _is_file(read.read(place)),
    )


def _unit(read: ColumnName, key: str, name: str, stated: Unit | None) -> Unit | None:
    """Return the unit of a column, which its name or the caller states."""
    if key not in NUMBERS:
        return None
    unit = read.unit(key)
    if isinstance(unit, str):
        raise ColumnError(
            f"{key}: the name of the column {shown(name)} states the unit {shown(unit)}, expected "
            f"{_ACCEPTED.get(key, 'none, because it is a count')}; rename the column, with the unit of its numbers"
        )
    if stated is not None and unit is not None and stated.factor != unit.factor:
        raise ColumnError(
            f"{key}: got {stated.text} for the column {shown(name)}, whose name states {unit.text}, expected one unit; "
            f"choose it as {key} to go by its name, or rename it"
        )
    return unit if stated is None else stated


def _is_file(read: ColumnName) -> bool:
    words = set(read.words)
    return not words.isdisjoint(_FILE_WORDS) and words.isdisjoint(_NOT_FILE_WORDS)
