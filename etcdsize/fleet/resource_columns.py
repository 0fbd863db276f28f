"""What the loads of a fleet take as arrays, by the measured model: `FleetResources`.

The rows are worked on in blocks, so that the scratch fits the cache, whatever the number of rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from etcdsize.base.checks import count_of
from etcdsize.errors import EtcdSizeError, OptionError
from etcdsize.fleet.block import Block
from etcdsize.fleet.bounds import Mask
from etcdsize.fleet.cpu_arrays import leader_cores, serving_of
from etcdsize.fleet.kernel import pick_threads
from etcdsize.fleet.kubernetes_arrays import Clusters
from etcdsize.fleet.load_arrays import LoadArrays, Points, needed_loads, points_of
from etcdsize.fleet.member_figures import GIB, DiskFigures, MemberFigures, disk_figures, member_figures
from etcdsize.fleet.resource_figures import FleetDemands, FleetFigures, RowVersions
from etcdsize.fleet.revision_arrays import Floats
from etcdsize.fleet.row_checks import wrong_rows
from etcdsize.fleet.row_profile import BESIDE_NODES, profile_of
from etcdsize.fleet.sizing import position_of
from etcdsize.resources.calibrated_model import CalibratedModel
from etcdsize.resources.cases import Asked, CaseSet, cases_of
from etcdsize.resources.coefficients import minor_version
from etcdsize.resources.known import HIGH, LIKELY, LOW, NEED
from etcdsize.resources.model import Case
from etcdsize.resources.resources import Resources, resources_for
from etcdsize.sizing.load_profile import KUBERNETES_HISTORY_SECONDS
from etcdsize.units import DIMENSIONS

__all__ = ["FleetResources"]

# Rows per block: fewer than ten of a block's arrays are in use at a time (our choice, measured with 2 MiB of cache).
_BLOCK = 16_384
# Rows among which those are put together that know the same, and how many are put together (our choice, measured too).
_GROUPED, _FEWEST = 8 * _BLOCK, 1024
Place: TypeAlias = slice | NDArray[np.intp]
"""The rows of a block."""
# A quota that is so near to a step is that of the single answer, which may round to the other side. [1]
_NEAR = 1e-11
# No quota of etcd is as large (etcd.quota): a need that is cannot be sized, and a high end counts as that.
_LARGEST_QUOTA = 2.0**62
# Less counts as nothing, as for the single answer.
_SMALLEST = 1e-9


class _Ends(NamedTuple):
    low: FleetFigures
    high: FleetFigures
    lowest: FleetDemands
    highest: FleetDemands
    needed: FleetDemands


class FleetResources:
    """What the loads of a fleet take of every member: the needs, and, once they are asked for, both ends."""

    def __init__(
        self,
        columns: Mapping[str, NDArray[Any]],
        rows: int,
        etcd_version: str,
        threads: int | None,
        model: CalibratedModel | None = None,
        versions: RowVersions | None = None,
    ) -> None:
        self._columns = columns
        self._versions = versions
        self._rows = rows
        self._threads = threads
        self.etcd_version: str = etcd_version
        """The version of etcd, as it was given, for rows without a version of their own."""
        self.model: CalibratedModel | None = model
        """The calibrated model, for the rows of its version. None: the model of etcdsize."""
        self.invalid: NDArray[np.bool_] = np.zeros(rows, np.bool_)
        """Rows that cannot be sized. bool, shape (n,)"""
        self._need = _empty(rows)
        self._compute(self._need_of_block)

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, index: int) -> Resources:
        """Return the whole answer for one cluster.

        Raises
        ------
        InvalidWorkloadError
            If it cannot be sized.
        """
        return self._answer(position_of(index, len(self)))

    def _answer(self, position: int) -> Resources:
        version = self.etcd_version if self._versions is None else self._versions.names[self._versions.codes[position]]
        profile = profile_of(self._figures(position))
        return resources_for(profile, etcd_version=version, model=self._model_of(version))

    def _model_of(self, version: str) -> CalibratedModel | None:
        """Return the calibrated model, if it is of this version."""
        own = self.model
        return None if own is None or own.etcd_version != minor_version(version) else own

    def _figures(self, index: int) -> dict[str, float]:
        """Return what is known of one cluster."""
        figures = {name: float(column[index if len(column) > 1 else 0]) for name, column in self._columns.items()}
        return {name: figure for name, figure in figures.items() if not np.isnan(figure)}

    def _without(self, unknown: Mapping[str, Mask]) -> FleetResources:
        """Return the same with figures that are unknown where a mask is true."""
        columns = dict(self._columns)
        for name in unknown.keys() & columns.keys():
            column = np.broadcast_to(columns[name], self._rows)
            columns[name] = np.where(unknown[name], np.nan, column.astype(np.float64))
        return FleetResources(columns, self._rows, self.etcd_version, self._threads, self.model, self._versions)

    def problem(self, index: int) -> str:
        """Return why a row cannot be sized; empty if it can.

        Raises
        ------
        OptionError
            For what is no row.
        """
        if count_of("index", index, 0) >= len(self):
            raise OptionError(f"index: got {index}, expected one of {len(self)} rows, from 0", option="index")
        try:
            self._answer(index)
        except EtcdSizeError as error:
            return str(error)
        return "" if not self.invalid[index] else "what it takes is no longer a number; check the units of the load"

    @property
    def need(self) -> FleetFigures:
        """What to provide: for what is known, and for the likely value of what is assumed."""
        return self._need

    @property
    def low(self) -> FleetFigures:
        """What the clusters take at least."""
        return self._ends.low

    @property
    def high(self) -> FleetFigures:
        """What the clusters take at most."""
        return self._ends.high

    @property
    def _lowest(self) -> FleetDemands:
        """What an audit compares besides, at least."""
        return self._ends.lowest

    @property
    def _highest(self) -> FleetDemands:
        """What an audit compares besides, at most."""
        return self._ends.highest

    @property
    def _needed(self) -> FleetDemands:
        """What an audit compares besides, to provide for."""
        return self._ends.needed

    @functools.cached_property
    def _knows_further(self) -> NDArray[np.bool_]:
        """Where more is known than clients, requests, data and nodes. bool, shape (n,)"""
        known = np.zeros(self._rows, np.bool_)
        for name, column in self._columns.items():
            if name not in (*DIMENSIONS, "kubernetes_nodes"):
                known |= ~np.isnan(column)
        return known

    def _knows(self, name: str, rows: NDArray[np.intp]) -> Mask:
        """Return which of some rows know a figure."""
        column = self._columns.get(name)
        if column is None:
            return False
        known: Mask = ~np.isnan(column[rows] if len(column) > 1 else column[0])
        return known

    @functools.cached_property
    def _ends(self) -> _Ends:
        demands = [FleetDemands(*(np.empty(self._rows) for _ in FleetDemands._fields)) for _ in range(3)]
        ends = _Ends(_empty(self._rows), _empty(self._rows), *demands)
        self._compute(lambda rows, cases: self._ends_of_block(rows, cases, ends))
        return ends

    def _compute(self, work: Callable[[Place, CaseSet], None]) -> None:
        """Do some work on all blocks."""
        names = (self.etcd_version,) if self._versions is None else self._versions.names
        cases = [cases_of(Asked(name, model=self._model_of(name)).with_disk_of_model()) for name in names]
        starts = iter(range(0, self._rows, _GROUPED))

        def run() -> None:
            # NaN and infinity are rows that cannot be sized, or figures that a mask leaves out.
            with np.errstate(all="ignore"):
                for start in starts:
                    for place in self._blocks(slice(start, min(start + _GROUPED, self._rows))):
                        for part, version in self._by_version(place):
                            work(part, cases[version])

        workers = pick_threads(self._rows, self._threads)
        if workers == 1:
            run()
            return
        with ThreadPoolExecutor(workers - 1) as pool:
            others = [pool.submit(run) for _ in range(workers - 1)]
            run()
            for other in others:
                other.result()

    def _blocks(self, rows: slice) -> Iterator[Place]:
        """Yield some rows in blocks whose rows know the same figures, so that no figure is chosen row by row.

        Rows that share what they know with few others are left among those that differ the least.
        """
        groups: list[NDArray[np.intp]] | None = None
        for column in self._columns.values():
            if len(column) == 1 or column.dtype.kind != "f":
                continue
            known = ~np.isnan(column[rows])
            if known.all() or not known.any():
                continue
            groups = [np.arange(len(known))] if groups is None else groups
            groups = [part for group in groups for part in _split(group, known)]
        if groups is None:
            yield from (slice(at, min(at + _BLOCK, rows.stop)) for at in range(rows.start, rows.stop, _BLOCK))
            return
        for group in groups:
            group += rows.start
            yield from (group[at : at + _BLOCK] for at in range(0, len(group), _BLOCK))

    def _by_version(self, place: Place) -> Iterator[tuple[Place, int]]:
        """Yield the rows of a block that run the same version of etcd, with its index."""
        if self._versions is None:
            yield place, 0
            return
        codes = self._versions.codes[place]
        for code in np.unique(codes).tolist():
            yield _some(place, codes == code), code

    def _parts(self, place: Place) -> Iterator[tuple[Place, _Loads]]:
        """Yield the loads of a block, Kubernetes clusters apart, each with its rows."""
        size = place.stop - place.start if isinstance(place, slice) else len(place)
        columns = {
            name: np.float64(column[0]) if len(column) == 1 else column[place].astype(np.float64, copy=False)
            for name, column in self._columns.items()
        }
        raw = Block(columns)
        wrong = wrong_rows(raw)
        if wrong.any():
            self.invalid[place] |= wrong
            columns = {name: np.where(wrong, np.nan, column) for name, column in columns.items()}
        columns = {name: _tidy(column) for name, column in columns.items()}
        nodes, pods = columns.pop("kubernetes_nodes", None), columns.pop("pods", None)
        if nodes is None:
            yield place, _Loads(Block(columns))
            return
        unknown = np.full(size, np.nan)
        served = ~np.isnan(nodes)
        history = columns.get("history_seconds", np.float64(np.nan))
        columns["history_seconds"] = np.where(
            served & np.isnan(history), float(KUBERNETES_HISTORY_SECONDS), np.broadcast_to(history, size)
        )
        is_cluster = np.broadcast_to(served & ~wrong, size).copy()
        for name in columns:
            if name not in BESIDE_NODES and raw.has(name).any():
                is_cluster &= ~raw.has(name)
        if is_cluster.any():
            given = [nodes, unknown if pods is None else pods]
            given += [columns.get(name, unknown) for name in (*DIMENSIONS, "tls")]
            found = [np.broadcast_to(column, size)[is_cluster] for column in given]
            contradict = Clusters(*found).contradict()
            if contradict.any():
                # What was measured counts before what nodes suggest.
                is_cluster[np.flatnonzero(is_cluster)[contradict]] = False
                found = [column[~contradict] for column in found]
            if len(found[0]):
                yield _some(place, is_cluster), _Loads(Clusters(*found))
        if not is_cluster.all():
            others = {name: np.broadcast_to(one, size)[~is_cluster] for name, one in columns.items()}
            yield _some(place, ~is_cluster), _Loads(Block(others))

    def _need_of_block(self, place: Place, cases: CaseSet) -> None:
        for part, loads in self._parts(place):
            found = member_figures(loads.need, cases.need)
            ratio = found.wanted_bytes / GIB
            _write(self._need, part, found[:4])
            # At 8 GiB exactly, many files have the same quota, without any rounding.
            whole = np.rint(ratio)
            near = (abs(ratio - whole) < _NEAR * ratio) & (ratio != whole) & (ratio < _LARGEST_QUOTA / GIB)
            if np.any(near):
                rows = np.arange(part.start, part.stop) if isinstance(part, slice) else part
                for at in rows[np.broadcast_to(near, rows.shape)].tolist():
                    if not self.invalid[at]:
                        self._need.quota_bytes[at] = self._answer(at).quota_bytes
        # What is no number cannot be sized.
        unsized = ~np.isfinite(self._need.memory_limit_bytes[place])
        unsized |= self._need.quota_bytes[place] == _LARGEST_QUOTA
        if unsized.any():
            self.invalid[place] |= unsized
        self._clear(self._need, place)

    def _clear(self, out: FleetFigures, place: Place) -> None:
        """Clear the figures of the rows of a block that cannot be sized."""
        invalid = self.invalid[place]
        if invalid.any():
            rows = _some(place, invalid)
            out.quota_bytes[rows] = out.volume_gib[rows] = 0
            out.memory_limit_bytes[rows] = out.fsync_p99_needed_ms[rows] = np.nan

    def _ends_of_block(self, place: Place, cases: CaseSet, ends: _Ends) -> None:
        figures, demands = (ends.low, ends.high), (ends.lowest, ends.highest, ends.needed)
        for part, loads in self._parts(place):
            points = loads.points
            found = [
                loads.found(one, case, number)
                for one, case, number in (
                    (loads.need, cases.need, NEED),
                    (points.likely, cases.likely, LIKELY),
                    *((one, cases.low, LOW) for one in points.lows),
                    *((one, cases.high, HIGH) for one in points.highs),
                )
            ]
            for out, besides, combine in zip(figures, demands, (np.minimum, np.maximum)):
                _write(out, part, [functools.reduce(combine, each) for each in zip(*(one.member[:4] for one in found))])
                for column, each in zip(besides, zip(*map(_demands, found))):
                    column[part] = functools.reduce(combine, each)
            for column, figure in zip(demands[2], _demands(found[0])):
                column[part] = figure
        for out in figures:
            self._clear(out, place)


class _Found(NamedTuple):
    """The figures of a block in one case."""

    member: MemberFigures
    disk: DiskFigures
    leader_cores: Floats


def _demands(found: _Found) -> FleetDemands:
    member, disk, cores = found
    raft, streams, lists = member.memory[1:]
    other = member.memory_limit_bytes - raft - streams - lists
    return FleetDemands(member.file_bytes, *disk, member.wal_bytes, raft, streams, lists, other, cores)


class _Loads(NamedTuple):
    """The loads of the rows of a block that are computed alike."""

    rows: Block | Clusters

    @property
    def need(self) -> LoadArrays:
        return needed_loads(self.rows) if isinstance(self.rows, Block) else self.rows.needed_loads()

    @property
    def points(self) -> Points:
        return points_of(self.rows) if isinstance(self.rows, Block) else self.rows.points_of()

    def found(self, load: LoadArrays, case: Case, number: int) -> _Found:
        """Return the figures of these loads in a case."""
        member = member_figures(load, case)
        serves = serving_of(self.rows, load, number) if isinstance(self.rows, Block) else self.rows.serving_of(number)
        cores = leader_cores(load, serves, member.sums, case.values)
        return _Found(member, disk_figures(load, member.sums, case), cores)


def _empty(rows: int) -> FleetFigures:
    return FleetFigures._make(np.empty(rows, dtype) for dtype in (np.int64, np.float64, np.int64, np.float64))


def _tidy(column: Any) -> Any:
    """Return a column without figures that are so small that they count as nothing."""
    small = column < _SMALLEST
    return np.where(small, 0.0, column) if small.any() else column


def _split(group: NDArray[np.intp], known: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of a group that know a figure and those that do not; all of them if either are few."""
    here = known[group]
    those = np.count_nonzero(here)
    if min(those, len(group) - those) < _FEWEST:
        yield group
        return
    yield group[here]
    yield group[~here]


def _some(place: Place, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the rows of a block where a mask is true."""
    rows = np.flatnonzero(chosen)
    return rows + place.start if isinstance(place, slice) else place[rows]


def _write(out: FleetFigures, place: Place, figures: Sequence[Floats]) -> None:
    """Write quota, memory, volume [bytes] and fsync [s] of some rows."""
    quota, memory, volume, fsync = figures
    out.quota_bytes[place] = np.fmin(quota, _LARGEST_QUOTA)
    out.memory_limit_bytes[place] = memory
    out.volume_gib[place] = np.fmin(np.ceil(volume / GIB), _LARGEST_QUOTA)
    out.fsync_p99_needed_ms[place] = fsync * 1000
