"""The figures of the measured model in the columns of a batch, and what the loads of its rows take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from etcdsize.base.text import Suggestions, shown
from etcdsize.batches.cells import CellRules
from etcdsize.batches.columns import ETCD_VERSION, FIGURES, OBSERVED_PROBLEM, RUNNING, YES_OR_NO, Columns
from etcdsize.batches.loads import distinct, is_text, numbers, reads_as, truths
from etcdsize.errors import ColumnError
from etcdsize.etcd.version_names import version_names
from etcdsize.fleet.nodes import KubernetesNodes
from etcdsize.fleet.resource_figures import RowVersions
from etcdsize.resources.calibrated_model import CalibratedModel
from etcdsize.units import DIMENSIONS

if TYPE_CHECKING:
    from etcdsize.fleet.load_fit import Running
    from etcdsize.fleet.resource_columns import FleetResources

__all__ = ["RowFigures", "resource_column"]


class RowFigures:
    """Reads the figures of a load beside its dimensions and its nodes.

    Parameters
    ----------
    columns : Columns
        The columns of a batch.
    cells : CellRules
        How cells are written.
    suggestions : mapping
        How many suggestions are left for each column.
    etcd_version, model
        As for `fleet_resources`.
    """

    def __init__(
        self,
        columns: Columns,
        cells: CellRules,
        suggestions: Mapping[str, Suggestions],
        etcd_version: str,
        model: CalibratedModel | None,
    ) -> None:
        self._columns = {key: columns[key] for key in (*FIGURES, *RUNNING) if key in columns}
        data = columns.get("data_bytes")
        # The size of the file, or what observe found in use, which is keys, history and pages that are not full.
        self._data_holds_more = data is not None and (data.upper or OBSERVED_PROBLEM in columns)
        self._version_column = columns.get(ETCD_VERSION)
        self._cells = cells
        self._suggestions = suggestions
        self._etcd_version = etcd_version
        self._model = model

    @property
    def are_there(self) -> bool:
        """Whether a column has such a figure."""
        return bool(self._columns)

    def of_loads(self, batch: pa.RecordBatch, problems: dict[int, list[str]]) -> dict[str, NDArray[np.float64]]:
        """Return the figures of the loads of a batch, NaN where they are unknown."""
        return {key: self.read(batch, key, problems) for key in self._columns if key not in RUNNING}

    def resources(
        self,
        batch: pa.RecordBatch,
        further: Mapping[str, NDArray[np.float64]],
        values: Sequence[NDArray[Any] | None],
        unknown: Sequence[NDArray[np.bool_] | None],
        nodes: KubernetesNodes | None,
        problems: dict[int, list[str]],
    ) -> FleetResources:
        """Return what the loads of a batch take, and add the problem of each row that the model cannot size.

        An empty cell is an unknown figure, which is assumed. Keys and their sizes count before data that holds more.
        """
        # Imported here because most files and frames need no figures of the model.
        from etcdsize.fleet.fleet_resources import resources_of_rows

        figures: dict[str, Any] = {
            name: _known(column, mask) for name, column, mask in zip(DIMENSIONS, values, unknown) if column is not None
        }
        if nodes is not None:
            figures["kubernetes_nodes"] = _known(nodes.values, nodes.unknown)
        figures |= further
        if self._data_holds_more and {"keys", "value_bytes"} <= further.keys():
            counted = ~np.isnan(further["keys"] + further["value_bytes"])
            figures["data_bytes"] = np.where(counted, np.nan, figures["data_bytes"])
        found = resources_of_rows(figures, self._etcd_version, self._model, versions=self._versions(batch))
        for row in np.flatnonzero(found.invalid).tolist():
            if row not in problems:
                problems[row] = [found.problem(row)]
        return found

    def _versions(self, batch: pa.RecordBatch) -> RowVersions | None:
        """Return the versions of etcd that a column names, None where there is no such column.

        Of several versions of one cluster the oldest counts. Where none is known, the one that was given does.
        """
        if self._version_column is None:
            return None
        column = batch.column(self._version_column.position)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (is_text(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
            raise ColumnError(f"column {shown(self._version_column.name)}: got the type {kind}, expected text")
        texts, places = distinct(column)
        names = (self._etcd_version, *version_names())
        found = [_oldest_place(text or "") for text in texts.to_pylist()]
        return RowVersions(names, np.array([*found, 0], np.uint8)[places])

    def running(self, batch: pa.RecordBatch, problems: dict[int, list[str]]) -> Running:
        """Return how each cluster runs, where columns say so."""
        # Imported here because few files say how a cluster runs.
        from etcdsize.fleet.load_fit import Running

        return Running(*(self.read(batch, key, problems) if key in self._columns else None for key in RUNNING))

    def read(self, batch: pa.RecordBatch, key: str, problems: dict[int, list[str]]) -> NDArray[np.float64]:
        """Return a figure of every row, NaN where it is unknown, and add the problem of each cell that is none."""
        source = self._columns[key]
        column = batch.column(source.position)
        if key == YES_OR_NO:
            load = truths(column, source, self._cells)
        else:
            load = numbers(column, reads_as(key), source, self._cells, self._suggestions[key])
        for row, problem in load.problems.items():
            problems.setdefault(row, []).append(problem)
        missing = np.zeros(len(load.values), np.bool_) if load.missing is None else load.missing
        with np.errstate(invalid="ignore"):
            wrong = ~((load.values >= 0) & np.isfinite(load.values)) & ~missing
        for row in np.flatnonzero(wrong).tolist():
            problems.setdefault(row, []).append(
                f"{source.name}: got {load.values[row]}, expected a finite number of 0 or more"
            )
        return _known(load.values, missing | wrong).astype(np.float64, copy=False)


def _oldest_place(versions: str) -> int:
    """Return the place of the oldest of some versions of etcd among the minor ones, from 1; 0 if none is known."""
    minors = (".".join(one.strip().removeprefix("v").split(".")[:2]) for one in versions.split(";"))
    return min((version_names().index(one) + 1 for one in minors if one in version_names()), default=0)


def _known(column: NDArray[Any], unknown: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return figures with NaN where they are unknown."""
    return column if unknown is None or not unknown.any() else np.where(unknown, np.nan, column.astype(np.float64))


def resource_column(field: pa.Field, found: FleetResources, bad: NDArray[np.bool_] | None) -> pa.Array:
    """Return an answer of the measured model, null for a row that cannot be sized."""
    column = getattr(found.need, field.name)
    nothing = found.invalid if bad is None else found.invalid | bad
    if field.name == "fsync_p99_needed_ms":
        column = np.round(column, 4)
    elif field.name == "memory_limit_bytes":
        # Where it is known, it is below 2^63.
        column = np.where(nothing, 0, np.ceil(column)).astype(np.int64)
    return pa.array(column, field.type, mask=nothing if nothing.any() else None)
