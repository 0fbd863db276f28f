"""Audit the machines that a column of a record batch names, and summarize the result.

A `BatchSizer` has a `BatchAudit` if a column names the machines in use.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.base.text import shown
from etcdsize.batches.cells import CellRules
from etcdsize.batches.columns import Source
from etcdsize.batches.loads import distinct, is_text
from etcdsize.catalog.costs import Price
from etcdsize.errors import ColumnError
from etcdsize.fleet.auditor import NO_MACHINE, Auditor
from etcdsize.fleet.fleet_audit import DECIDERS, OVER, UNKNOWN, VERDICTS, FleetAudit
from etcdsize.units import DIMENSIONS

__all__ = ["AuditSummary", "AuditedRow", "BatchAudit", "dictionary"]

_MOST = 10


class AuditedRow(Model):
    """A cluster that is at risk, or that would cost less on a smaller machine."""

    row: Annotated[int, Field(description="Row number, counted from 1 without the header.")]
    current_machine: Annotated[str, Field(description="The machine in use.")]
    tier: Annotated[str, Field(description="The tier that the load needs.")]
    decided_by: Annotated[str | None, Field(description="The dimension, or the figure of the machine, that decided.")]
    utilization: Annotated[float | None, Field(description="Load divided by the bound that decided.")]
    recommended_machine: Annotated[str | None, Field(description="The recommended machine.")]
    usd_month_difference: Annotated[
        float | None, Field(description="Monthly cost of the change, None if unknown. [US dollars]")
    ]
    region: Annotated[str | None, Field(description="The region of the prices.")] = None
    date: Annotated[str | None, Field(description="The date of the older of the two prices.")] = None


class AuditSummary(Model):
    """The audit of the machines that a fleet runs on."""

    verdicts: Annotated[dict[str, int], Field(description="Clusters by verdict: under, right, over, unknown.")]
    at_risk: Annotated[tuple[AuditedRow, ...], Field(description="Clusters that are under, most overloaded first.")]
    savings: Annotated[tuple[AuditedRow, ...], Field(description="Clusters that are over, greatest saving first.")]
    usd_month_to_save: Annotated[
        float,
        Field(description="Monthly saving on the clusters that are over and have known prices. [US dollars]"),
    ]
    over_without_price: Annotated[int, Field(description="Clusters that are over but whose saving is unknown.")]
    first_unknown: Annotated[tuple[str, ...], Field(description="The first machines without a verdict, and why.")]
    margin: Annotated[float, Field(description="Headroom that a smaller tier must still have.")]
    catalog: Annotated[str, Field(description="The name of the catalog.")]


class BatchAudit:
    """Audits one record batch after another and keeps totals."""

    def __init__(self, auditor: Auditor) -> None:
        self.auditor = auditor
        """The rules of the audit."""
        self.verdict_counts: NDArray[np.int64] = np.zeros(len(VERDICTS), np.int64)
        """Clusters by verdict."""
        self._saved = 0.0
        self._without_price = 0
        self._at_risk: list[tuple[float, AuditedRow]] = []
        self._savings: list[tuple[float, AuditedRow]] = []
        self._unknown: dict[str, None] = {}
        self._types = [machine.machine_type for machine in auditor.machines]

    def look_up(self, column: pa.Array, source: Source, cells: CellRules) -> tuple[NDArray[np.uint16], dict[int, str]]:
        """Return the index of each machine in the catalog, and the problem of each row without a verdict."""
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (is_text(kind) or pa.types.is_null(kind)):
            raise ColumnError(f"column {shown(source.name)}: got the type {kind}, expected text")
        texts, places = distinct(column)
        names = [*cells.clean(texts).to_pylist(), None]
        lookup = np.array([self.auditor.code_of(name) for name in names], np.uint16)
        codes: NDArray[np.uint16] = lookup[places]
        capacities = self.auditor.capacities
        reasons = {
            place: f"{source.name}: {self.auditor.reason_unknown(names[place], int(code))}"
            for place, code in enumerate(lookup)
            if code == NO_MACHINE or capacities[code].tier is None
        }
        if not reasons:
            return codes, {}
        without_verdict = np.zeros(len(names), np.bool_)
        without_verdict[list(reasons)] = True
        wrong = {row: reasons[int(places[row])] for row in np.flatnonzero(without_verdict[places]).tolist()}
        for text in dict.fromkeys(wrong.values()):
            if len(self._unknown) < _MOST:
                self._unknown[text] = None
        return codes, wrong

    def provider_codes(self, codes: NDArray[np.uint16], providers: tuple[str, ...], invalid: int) -> NDArray[np.uint8]:
        """Return the index of each machine's provider, or `invalid` where the provider is not listed."""
        machines = self.auditor.catalog.machines
        code_of = {name: code for code, name in enumerate(providers)}
        of = [code_of.get(machine.provider, invalid) for machine in machines]
        return np.array([*of, invalid], np.uint8)[np.minimum(codes, len(machines))]

    def count(self, audit: FleetAudit, before: int) -> None:
        """Count the clusters of a batch; `before` is the number of rows before it."""
        self.verdict_counts += np.bincount(audit.verdict_codes, minlength=len(VERDICTS))
        self._saved += audit.usd_month_to_save
        over = audit.verdict_codes == OVER
        self._without_price += int(np.count_nonzero(np.isnan(audit.usd_month_difference[over])))
        for kept, rows, weights in (
            (self._at_risk, audit.at_risk(_MOST), audit.utilization),
            (self._savings, audit.savings(_MOST), -audit.usd_month_difference),
        ):
            kept += [(float(weights[row]), self._row(audit, int(row), before)) for row in rows]
            kept.sort(key=lambda one: -one[0])
            del kept[_MOST:]

    def _row(self, audit: FleetAudit, index: int, before: int) -> AuditedRow:
        one = audit[index]
        now = self.auditor.catalog.machines[int(audit.machine_codes[index])].price
        then = None if one.recommended_machine is None else one.recommended_machine.price
        known = one.usd_month_difference is not None
        return AuditedRow(
            row=before + index + 1,
            current_machine=one.machine_type,
            tier=str(one.tier),
            decided_by=one.decided_by,
            utilization=one.utilization,
            recommended_machine=None if one.recommended_machine is None else one.recommended_machine.machine_type,
            usd_month_difference=one.usd_month_difference,
            region=then.region if known and then is not None else None,
            date=_older(now, then) if known else None,
        )

    def column(self, answer: str, audit: FleetAudit) -> pa.Array:
        """Return an answer for every cluster, null where it is unknown."""
        if answer == "verdict":
            return dictionary(audit.verdict_codes, VERDICTS)
        if answer == "decided_by":
            return dictionary(audit.decided_by, DECIDERS)
        if answer == "breaks_next":
            return dictionary(audit.breaks_next, DIMENSIONS)
        if answer == "recommended_machine":
            return dictionary(audit.recommended_codes, self._types)
        if answer == "utilization":
            return pa.array(np.round(audit.utilization, 4), from_pandas=True)
        return pa.array(np.round(audit.usd_month_difference, 2), from_pandas=True)

    @property
    def summary(self) -> AuditSummary:
        """The summary of all clusters so far."""
        return AuditSummary(
            verdicts={name: int(count) for name, count in zip(VERDICTS, self.verdict_counts)},
            at_risk=tuple(row for _, row in self._at_risk),
            savings=tuple(row for _, row in self._savings),
            usd_month_to_save=self._saved,
            over_without_price=self._without_price,
            first_unknown=tuple(self._unknown),
            margin=self.auditor.margin,
            catalog=self.auditor.catalog.name,
        )

    @property
    def unknown(self) -> int:
        """The number of clusters without a verdict."""
        return int(self.verdict_counts[UNKNOWN])


def dictionary(codes: NDArray[Any], names: Sequence[str], bad: Any = None) -> pa.DictionaryArray:
    """Return the names of codes; null for a code without a name, and in the bad rows."""
    nothing = codes >= len(names)
    if bad is not None:
        nothing |= bad
    mask = nothing if nothing.any() else None
    places = codes.astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(places, mask=mask), pa.array(list(names), pa.string()))


def _older(one: Price | None, other: Price | None) -> str | None:
    return min((price.date for price in (one, other) if price is not None), default=None)
