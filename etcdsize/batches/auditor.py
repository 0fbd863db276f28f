"""Audit the machines that a column of a record batch names.

A `BatchSizer` has a `BatchAudit` if a column names the machines in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from etcdsize.base.text import Suggestions
from etcdsize.batches.audit_summary import AuditSummary, AuditTotals
from etcdsize.batches.cells import CellRules
from etcdsize.batches.cluster_names import ClusterNames
from etcdsize.batches.columns import Columns
from etcdsize.batches.implied_loads import Loads
from etcdsize.batches.loads import numbers, texts_of
from etcdsize.catalog.providers import find_provider
from etcdsize.fleet.audit import audit_codes
from etcdsize.fleet.auditor import NO_MACHINE, Auditor, Figures
from etcdsize.fleet.bounds import Bounds, Mask, Part
from etcdsize.fleet.fleet_audit import FleetAudit
from etcdsize.fleet.kernel import Codes
from etcdsize.fleet.load_fit import Running
from etcdsize.fleet.machine_names import stated_figures
from etcdsize.fleet.reasons import NOTES, reason_text
from etcdsize.fleet.resource_columns import FleetResources
from etcdsize.fleet.verdicts import DECIDERS, UNKNOWN, VERDICTS
from etcdsize.units import DIMENSIONS

__all__ = ["BatchAudit", "Machines", "dictionary"]

# The code of a provider that the catalog of the answers does not have.
_NO_PROVIDER = 253
# What `observe` writes of each figure -> whether the true one may be less, and whether it may be more.
_BOUNDS = {"exact": (False, False), "upper": (True, False), "lower": (False, True)}


@dataclass
class Machines:
    """The machines in use, of the rows of a batch."""

    codes: NDArray[np.uint16]
    """The index of each in the catalog, or the code of one that is not in it."""
    places: NDArray[np.int64]
    """The place of each row's name among the distinct ones."""
    reasons: dict[int, str]
    """Why the machine of a place has no verdict, unless the row states its vCPUs and its memory."""
    stated: NDArray[np.float64] | None = None
    """The vCPUs and the memory that the names themselves state, shape (n, 2), NaN for none; None if none does."""
    elsewhere: NDArray[np.bool_] | None = None
    """Where the machine is of another provider than the row; None if the rows do not name theirs."""


class BatchAudit:
    """Audits one record batch after another and keeps totals.

    Parameters
    ----------
    auditor : Auditor
        The rules of the audit.
    columns : Columns
        The columns of a batch.
    cells : CellRules
        How cells are written.
    """

    def __init__(self, auditor: Auditor, columns: Columns, cells: CellRules) -> None:
        self.auditor = auditor
        """The rules of the audit."""
        self._columns = columns
        self._cells = cells
        self._totals = AuditTotals(auditor)
        self._types: list[str] = []
        self._place_of: NDArray[np.int32] = np.empty(0, np.int32)
        self._list_types()
        self._suggestions = Suggestions()

    def _list_types(self) -> None:
        """List the types that can be recommended, each once, as categories are: one may be recommended and in use."""
        types = [machine.machine_type for machine in self.auditor.machines]
        self._types = list(dict.fromkeys(types))
        place_of = {name: place for place, name in enumerate(self._types)}
        self._place_of = np.array([*map(place_of.__getitem__, types), len(self._types)], np.int32)

    def machines(self, batch: pa.RecordBatch) -> Machines:
        """Return the machines that a batch names."""
        source = self._columns["current_machine"]
        texts, places = self._texts(batch, "current_machine")
        names: list[tuple[Any, str | None]] = [(name, None) for name in (*texts.to_pylist(), None)]
        if "provider" in self._columns:
            # Types of two providers may have the same name.
            labels, labelled = self._texts(batch, "provider")
            providers = [*map(find_provider, labels.to_pylist()), None]
            pairs = pa.array(places * len(providers) + labelled).dictionary_encode()
            split = (divmod(pair, len(providers)) for pair in pairs.dictionary.to_pylist())
            names, places = [(names[name][0], providers[of]) for name, of in split], pairs.indices.to_numpy()
        lookup = np.array([self.auditor.code_of(*name) for name in names], np.uint16)
        capacities = self.auditor.capacities
        reasons = {
            place: f"{source.name}: {self.auditor.reason_unknown(names[place][0], int(code), names[place][1])}"
            for place, code in enumerate(lookup)
            if code == NO_MACHINE or capacities[code].tier is None
        }
        stated = [stated_figures(name) if isinstance(name, str) else None for name, _ in names]
        figures = np.array([one or (np.nan, np.nan) for one in stated])[places] if any(stated) else None
        return Machines(lookup[places], places.astype(np.int64), reasons, figures)

    def _texts(self, batch: pa.RecordBatch, key: str) -> tuple[pa.Array, NDArray[np.int64]]:
        """Return the distinct texts of a column, and the place of each row's."""
        return texts_of(batch, self._columns[key], self._cells)

    def provider_codes(self, codes: NDArray[np.uint16], providers: tuple[str, ...], invalid: int) -> NDArray[np.uint8]:
        """Return the index of each machine's provider, or `invalid` where the provider is not listed."""
        machines = self.auditor.catalog.machines
        code_of = {name: code for code, name in enumerate(providers)}
        of = [code_of.get(machine.provider, invalid) for machine in machines]
        return np.array([*of, invalid], np.uint8)[np.minimum(codes, len(machines))]

    def compare_providers(self, machines: Machines, codes: NDArray[np.uint8], providers: tuple[str, ...]) -> None:
        """Note the machines of another provider than their row."""
        of = self.provider_codes(machines.codes, providers, _NO_PROVIDER)
        machines.elsewhere = (of != codes) & (machines.codes != NO_MACHINE)

    def audit(
        self,
        batch: pa.RecordBatch,
        machines: Machines,
        loads: Loads,
        codes: Codes,
        load_codes: Codes,
        resources: FleetResources | None = None,
        running: Running | None = None,
        markets: NDArray[np.uint16] | None = None,
    ) -> FleetAudit:
        """Return the audit of a batch.

        Parameters
        ----------
        batch : RecordBatch
            The batch.
        machines : Machines
            Its machines.
        loads : Loads
            The loads.
        codes : array of uint8
            The tier that each row needs.
        load_codes : array of uint8
            The tier that its load needs, without the Kubernetes nodes.
        resources : FleetResources, optional
            What the loads take by the measured model, where a column has more than the dimensions.
        running : Running, optional
            How each cluster runs, where a column says so.
        markets : array of uint16, optional
            The auditor's number of each row's market, if a column names the regions.
        """
        return audit_codes(
            self.auditor,
            machines.codes,
            loads.values,
            load_codes,
            loads.unknown,
            tiers=codes,
            bounds=self._bounds(batch, loads),
            figures=self._figures(batch, machines),
            resources=resources,
            running=running,
            markets=markets,
        )

    def _bounds(self, batch: pa.RecordBatch, loads: Loads) -> Bounds | None:
        """Return what is known of the loads, None where everything is known exactly."""
        parts = []
        for dimension, column, missing, implied in zip(DIMENSIONS, loads.values, loads.unknown, loads.implied):
            source = self._columns.get(dimension)
            if column is None:
                parts.append(Part(unknown=True))
                continue
            less: Mask = False
            more: Mask = False
            if source is not None:
                less, more = self._bound(batch, f"{dimension.partition('_')[0]}_bound")
                less = source.upper or less
            if implied is not None:
                less, more = np.logical_and(less, ~implied.rows), np.logical_or(more, implied.lower)
            parts.append(Part(less, more, False if missing is None else missing))
        partial: Mask = False
        if "observed_problem" in self._columns:
            texts, places = self._texts(batch, "observed_problem")
            partial = np.array([*(text is not None for text in texts.to_pylist()), False])[places]
        if partial is False and not any(mask is not False for part in parts for mask in part):
            return None
        return Bounds(parts, partial, batch.num_rows)

    def _bound(self, batch: pa.RecordBatch, key: str) -> tuple[Mask, Mask]:
        """Return where the figures of a dimension may be less, and where they may be more."""
        if key not in self._columns:
            return False, False
        texts, places = self._texts(batch, key)
        # A figure without a word is exact; one with another word, such as estimate, may be less or more.
        words = [_BOUNDS.get(text or "exact", (True, True)) for text in (*texts.to_pylist(), None)]
        less, more = np.array(words, np.bool_).T
        return less[places], more[places]

    def _figures(self, batch: pa.RecordBatch, machines: Machines) -> Figures | None:
        """Return what the stated vCPUs and memory say, None if neither both columns nor the names state them."""
        columns = self._columns_of_figures(batch)
        if machines.stated is not None:
            named = machines.stated.T
            columns = [*named] if columns is None else [np.where(np.isnan(a), b, a) for a, b in zip(columns, named)]
        return None if columns is None else self.auditor.figures(*columns)

    def _columns_of_figures(self, batch: pa.RecordBatch) -> list[NDArray[np.float64]] | None:
        columns = []
        for key in ("vcpus", "memory_gib"):
            source = self._columns.get(key)
            if source is None:
                return None
            # Both are plain numbers, as a number of clients is.
            load = numbers(batch.column(source.position), "clients", source, self._cells, self._suggestions)
            values = load.values.astype(np.float64)
            with np.errstate(invalid="ignore"):
                values[~((values > 0) & np.isfinite(values))] = np.nan
            values[list(load.problems)] = np.nan
            columns.append(values)
        return columns

    def report(self, audit: FleetAudit, machines: Machines, problems: dict[int, list[str]]) -> None:
        """Add the problem of each row whose machine gets no verdict."""
        for row in np.flatnonzero(audit.unjudged).tolist():
            problems.setdefault(row, []).append(machines.reasons[int(machines.places[row])])

    def count(self, audit: FleetAudit, machines: Machines, before: int, names: ClusterNames) -> None:
        """Count the clusters of a batch; `before` is the number of rows before it."""
        rows = np.flatnonzero(audit.verdict_codes == UNKNOWN)
        texts, places = self._reasons(audit, machines, rows)
        self._totals.count(audit, texts[places], before, names)

    def _reasons(
        self, audit: FleetAudit, machines: Machines, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
        """Return the distinct reasons of some rows, and the place of each row's among them."""
        codes = audit.reason_codes[rows]
        if machines.elsewhere is not None:
            codes = codes | np.multiply(machines.elsewhere[rows], NOTES["provider"].bit, dtype=np.int64)
        # The place of the machine's name counts where the machine is why there is no verdict, from 1.
        names = np.where(audit.unjudged[rows], machines.places[rows] + 1, 0)
        columns = [pa.array(one).dictionary_encode() for one in (codes, audit.doubt_codes[rows], names)]
        ids = np.zeros(len(rows), np.int64)
        for column in columns:
            ids = ids * len(column.dictionary) + column.indices.to_numpy()
        encoded = pa.array(ids).dictionary_encode()
        _, firsts = np.unique(encoded.indices.to_numpy(), return_index=True)
        texts = []
        for code, doubt, name in zip(*(column.take(pa.array(firsts)).to_pylist() for column in columns)):
            reason = reason_text(code, self.auditor.margin, doubt)
            texts.append("; ".join(filter(None, (reason, machines.reasons[name - 1] if name else ""))))
        return np.array([*texts, ""], object)[:-1], encoded.indices.to_numpy()

    def column(self, answer: str, audit: FleetAudit, machines: Machines) -> pa.Array:
        """Return an answer for every cluster, null where it is unknown."""
        if answer == "verdict":
            return dictionary(audit.verdict_codes, VERDICTS)
        if answer == "reason":
            texts, places = self._reasons(audit, machines, np.arange(len(audit)))
            # Without a reason the cell is empty.
            return pa.array([text or None for text in texts], pa.string()).take(pa.array(places))
        if answer == "decided_by":
            return dictionary(audit.decided_by, DECIDERS)
        if answer == "breaks_next":
            return dictionary(audit.breaks_next, DIMENSIONS)
        if answer == "recommended_machine":
            if len(self._place_of) <= len(self.auditor.machines):
                # The auditor has looked up types or regions that it did not have.
                self._list_types()
            return dictionary(self._place_of[np.minimum(audit.recommended_codes, len(self._place_of) - 1)], self._types)
        if answer == "utilization":
            return pa.array(np.round(audit.utilization, 4), from_pandas=True)
        if answer == "difference_currency":
            return dictionary(audit.currency_codes, audit.currency_names)
        return pa.array(np.round(audit.cost_difference_per_month, 2), from_pandas=True)

    def no_column(self, answer: str) -> pa.Array:
        """Return an answer for no rows, with the usual categories."""
        texts = {
            "verdict": VERDICTS,
            "decided_by": DECIDERS,
            "breaks_next": DIMENSIONS,
            "recommended_machine": self._types,
            "difference_currency": self.auditor.prices.currencies,
        }
        if answer in texts:
            return dictionary(np.empty(0, np.uint8), texts[answer])
        return pa.array([], pa.string() if answer == "reason" else pa.float64())

    @property
    def summary(self) -> AuditSummary:
        """The summary of all clusters so far."""
        return self._totals.summary


def dictionary(codes: NDArray[Any], names: Sequence[str], bad: Any = None) -> pa.DictionaryArray:
    """Return the names of codes; null for a code without a name, and in the bad rows."""
    nothing = codes >= len(names)
    if bad is not None:
        nothing |= bad
    mask = nothing if nothing.any() else None
    places = codes.astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(places, mask=mask), pa.array(list(names), pa.string()))
