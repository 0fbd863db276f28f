"""Fold the rows of each cluster into one: its newest row, or the newest row with the peaks of its load.

`FoldedReader` stands between a reader and the sizer. It reads the whole file once and keeps, for each cluster, the row
that is newest so far and the cells with the largest loads, so that memory grows with the clusters and not with the
rows. The rows of a file are in the order in which their clusters first appear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from etcdsize.base.text import shown
from etcdsize.batches.audit_summary import AuditedRow, WithoutVerdict
from etcdsize.batches.cells import CellRules
from etcdsize.batches.columns import FIGURES, NO_PEAKS, Columns, Source
from etcdsize.batches.loads import distinct, numbers, reads_as
from etcdsize.errors import ColumnError
from etcdsize.files.format import Reader, Rows, Wanted
from etcdsize.files.summary import FleetSummary, Folded, Problem
from etcdsize.units import DIMENSIONS

__all__ = ["Fold", "FoldedReader", "numbered"]

_PEAKED = (*DIMENSIONS, "kubernetes_nodes", *(name for name in FIGURES if name not in NO_PEAKS))
Fold = Literal["latest", "peak"]
RowT = TypeVar("RowT", AuditedRow, WithoutVerdict, Problem)
# Rows that wait before those that were replaced are dropped, and rows of a batch that is returned (our choice).
_WAITING = 65_536


class _Best:
    """For each cluster, the row of largest rank so far; of equal ones, the last."""

    def __init__(self) -> None:
        self._rank: NDArray[np.float64] = np.zeros(0)
        self._place: NDArray[np.int64] = np.zeros(0, np.int64)
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def add(self, ids: NDArray[np.int64], rank: NDArray[np.float64], clusters: int, rows: pa.Table) -> None:
        """Add rows, given the cluster and the rank of each."""
        new = clusters - len(self._rank)
        self._rank = np.append(self._rank, np.full(new, -np.inf))
        self._place = np.append(self._place, np.zeros(new, np.int64))
        order = np.lexsort((rank, ids))
        last = np.append(ids[order][1:] != ids[order][:-1], True)
        best = order[last]
        better = best[rank[best] >= self._rank[ids[best]]]
        self._rank[ids[better]] = rank[better]
        self._place[ids[better]] = self._rows + np.arange(len(better))
        self._waiting.append(rows.take(pa.array(better)))
        self._rows += len(better)
        if self._rows > 2 * clusters + _WAITING:
            self._waiting = [self.rows]
            self._place = np.arange(clusters)
            self._rows = clusters

    @property
    def rows(self) -> pa.Table:
        """The rows, by cluster."""
        return pa.concat_tables(self._waiting).take(pa.array(self._place)).combine_chunks()


@dataclass
class FoldedReader:
    """Reads a file of clusters with one row for each cluster.

    Parameters
    ----------
    inner : Reader
        The reader of the file.
    how : {"latest", "peak"}
        The newest row of each cluster, or its newest row with the largest value of each load.
    columns : Columns
        The columns of the load, of the time stamps and, if there is one, of the clusters' names.
    cells : CellRules
        How cells are read.
    """

    inner: Reader
    how: Fold
    columns: Columns
    cells: CellRules

    def __post_init__(self) -> None:
        self.names: list[str] = self.inner.names
        """The columns' names."""
        self.rows_read: int = 0
        """Rows of the file."""
        self.row_numbers: NDArray[np.int64] = np.zeros(0, np.int64)
        """The number of each cluster's newest row in the file, from 1 without the header."""
        self._ids: dict[str, int] = {}
        self._has_numbers: bool | None = None

    @property
    def work(self) -> tuple[int | None, str]:
        """The size of the file and its unit."""
        return self.inner.work

    def read(self, wanted: Wanted) -> Iterator[Rows]:
        """Yield the wanted columns of one row for each cluster."""
        positions = list(range(len(self.names)) if wanted.positions is None else wanted.positions)
        place_of = {position: place for place, position in enumerate(positions)}
        here = {key: replace(source, position=place_of[source.position]) for key, source in self.columns.items()}
        dimensions = {name: here[name] for name in _PEAKED if name in here and self.how == "peak"}
        newest, peaks = _Best(), {name: _Best() for name in dimensions}
        work = 0
        # Cells keep their text, which is what is compared and written.
        for rows in self.inner.read(replace(wanted, numbers=(), coded=())):
            loads = rows.batch if rows.loads is None else rows.loads
            ids = self._clusters(loads, here.get("name"))
            clusters = max(len(self._ids), 1)
            newest.add(ids, self._times(loads, here["timestamp"]), clusters, self._payload(rows, loads))
            for name, source in dimensions.items():
                cells = pa.table({"loads": loads.column(source.position), "batch": rows.batch.column(source.position)})
                peaks[name].add(ids, self._ranks(loads, name, source), clusters, cells)
            self.rows_read += loads.num_rows
            work += rows.work
        if self.rows_read:
            largest = {here[name].position: best.rows for name, best in peaks.items()}
            yield from self._folded(newest.rows, largest, positions, work)

    def _clusters(self, batch: pa.RecordBatch, source: Source | None) -> NDArray[np.int64]:
        """Return the number of each row's cluster; without names, all rows are one."""
        if source is None:
            return np.zeros(batch.num_rows, np.int64)
        texts, places = distinct(self.cells.clean(batch.column(source.position).cast(pa.string())))
        ids = np.array([*(self._ids.setdefault(name, len(self._ids)) for name in texts.to_pylist()), -1])
        found: NDArray[np.int64] = ids[places]
        self._reject(found < 0, source, "missing, expected the name of the row's cluster")
        return found

    def _times(self, batch: pa.RecordBatch, source: Source) -> NDArray[np.float64]:
        """Return the time of each row as a number: microseconds for time stamps, or what the column has."""
        column = batch.column(source.position)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_date(column.type):
            column = column.cast(pa.timestamp("us"))
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = self._parsed_times(column, source)
        has_numbers = not pa.types.is_timestamp(column.type)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
        elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            raise ColumnError(f"column {shown(source.name)}: got the type {column.type}, expected time stamps")
        if self._has_numbers not in (None, has_numbers):
            raise ColumnError(f"column {shown(source.name)}: got numbers and time stamps, expected only one of them")
        self._has_numbers = has_numbers
        times: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        self._reject(np.isnan(times), source, "missing, expected a time")
        return times

    def _parsed_times(self, column: pa.Array, source: Source) -> pa.Array:
        """Return text as time stamps or as numbers."""
        column = self.cells.clean(column)
        for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.float64()):
            try:
                return column.cast(kind)
            except pa.ArrowInvalid:
                continue
        texts = [text for text in column.to_pylist() if text is not None]
        # Each may be a time, of which some have a zone.
        wrong = next((text for text in texts if not _is_time(text)), texts[-1])
        raise ColumnError(
            f"column {shown(source.name)}: got {shown(wrong)}, expected times such as 2026-11-25T08:00:00Z, all with a "
            "zone or none, or numbers such as seconds"
        )

    def _ranks(self, batch: pa.RecordBatch, name: Any, source: Source) -> NDArray[np.float64]:
        """Return a load of each row as its rank: a cell that cannot be read ranks first, a missing one last."""
        load = numbers(batch.column(source.position), reads_as(name), source, self.cells)
        ranks: NDArray[np.float64] = load.values.astype(np.float64)
        with np.errstate(invalid="ignore"):
            ranks[~(ranks >= 0)] = np.inf
        ranks[list(load.problems)] = np.inf
        if load.missing is not None:
            ranks[load.missing] = -np.inf
        return ranks

    def _reject(self, wrong: NDArray[np.bool_], source: Source, reason: str) -> None:
        if wrong.any():
            row = self.rows_read + int(np.argmax(wrong)) + 1
            raise ColumnError(f"row {row}, {source.name}: {reason}; --latest and --peak need one in every row")

    def _payload(self, rows: Rows, loads: pa.RecordBatch) -> pa.Table:
        """Return what is kept of rows: what is sized, what is written, their text and their numbers."""
        columns = {f"loads {place}": column for place, column in enumerate(loads.columns)}
        columns |= {f"batch {place}": column for place, column in enumerate(rows.batch.columns)}
        if rows.records is not None:
            columns["records"] = rows.records
        columns["row"] = pa.array(np.arange(loads.num_rows) + self.rows_read + 1)
        return pa.table(columns)

    def _folded(
        self, newest: pa.Table, peaks: dict[int, pa.Table], positions: Sequence[int], work: int
    ) -> Iterator[Rows]:
        """Yield the rows of all clusters; the work of the whole file was done for the first of them."""
        self.row_numbers = newest["row"].to_numpy()
        for place, cells in peaks.items():
            for which in ("loads", "batch"):
                at = newest.column_names.index(f"{which} {place}")
                newest = newest.set_column(at, f"{which} {place}", cells[which])
        for start in range(0, newest.num_rows, _WAITING):
            part = newest.slice(start, _WAITING).combine_chunks()
            records = part["records"].chunk(0) if "records" in part.column_names else None
            yield Rows(
                _batch(part, "batch", positions), work if start == 0 else 0, records, _batch(part, "loads", positions)
            )


def _batch(rows: pa.Table, which: str, positions: Sequence[int]) -> pa.RecordBatch:
    """Return the columns of one kind, named by their positions in the file."""
    columns = [rows[f"{which} {place}"].chunk(0) for place in range(len(positions))]
    return pa.RecordBatch.from_arrays(columns, [str(position) for position in positions])


def numbered(summary: FleetSummary, reader: FoldedReader) -> FleetSummary:
    """Return the summary of a folded file, with the numbers of the rows of the file."""

    def row(number: int) -> int:
        return int(reader.row_numbers[number - 1])

    def each(rows: Sequence[RowT]) -> tuple[RowT, ...]:
        return tuple(one.model_copy(update={"row": row(one.row)}) for one in rows)

    audit = summary.audit
    if audit is not None:
        audit = audit.model_copy(
            update={
                "at_risk": each(audit.at_risk),
                "beyond": each(audit.beyond),
                "savings": each(audit.savings),
                "without_verdict": each(audit.without_verdict),
            }
        )
    source = reader.columns.get("name")
    return summary.model_copy(
        update={
            "first_problems": each(summary.first_problems),
            "notices": tuple(
                one.model_copy(update={"first_rows": tuple(map(row, one.first_rows))}) for one in summary.notices
            ),
            "audit": audit,
            "folded": Folded(how=reader.how, rows=reader.rows_read, by=None if source is None else source.name),
        }
    )


def _is_time(text: str) -> bool:
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.float64()):
        try:
            pa.scalar(text).cast(kind)
        except pa.ArrowInvalid:
            continue
        return True
    return False
