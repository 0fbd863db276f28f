"""The summary of an audit: how many clusters have each verdict, and the worst of them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.batches.cluster_names import ClusterNames
from etcdsize.catalog.costs import Price
from etcdsize.catalog.money import Currency, sums
from etcdsize.fleet.verdicts import OVER, UNKNOWN, VERDICTS

if TYPE_CHECKING:
    from etcdsize.fleet.auditor import Auditor
    from etcdsize.fleet.fleet_audit import FleetAudit

__all__ = ["AuditSummary", "AuditTotals", "AuditedRow", "WithoutVerdict"]

_MOST = 10


class AuditedRow(Model):
    """A cluster that is at risk, or that would cost less on a smaller machine."""

    row: Annotated[int, Field(description="Row number, counted from 1 without the header.")]
    cluster: Annotated[str | None, Field(description="The name of the cluster, if a column has it.")] = None
    current_machine: Annotated[str, Field(description="The machine in use.")]
    tier: Annotated[str, Field(description="The tier that the load needs.")]
    decided_by: Annotated[str | None, Field(description="The dimension, or the figure of the machine, that decided.")]
    utilization: Annotated[float | None, Field(description="Load divided by the bound that decided.")]
    recommended_machine: Annotated[str | None, Field(description="The recommended machine.")]
    reason: Annotated[str, Field(description="Why it has this verdict and this machine, where that is not plain.")] = ""
    cost_difference_per_month: Annotated[
        float | None, Field(description="Monthly cost of the change, None if unknown. [currency]")
    ]
    currency: Annotated[Currency | None, Field(description="The currency of that cost.")] = None
    region: Annotated[str | None, Field(description="The region of the prices.")] = None
    date: Annotated[str | None, Field(description="The date of the older of the two prices.")] = None


class WithoutVerdict(Model):
    """Why some clusters have no verdict."""

    reason: Annotated[str, Field(description="Why.")]
    clusters: Annotated[int, Field(description="Clusters without a verdict for this reason.")]
    row: Annotated[int, Field(description="The first of their rows, counted from 1 without the header.")]
    cluster: Annotated[str | None, Field(description="The name of that cluster, if a column has it.")] = None


class AuditSummary(Model):
    """The audit of the machines that a fleet runs on."""

    verdicts: Annotated[dict[str, int], Field(description="Clusters by verdict: under, beyond, right, over, unknown.")]
    at_risk: Annotated[tuple[AuditedRow, ...], Field(description="Clusters that are under, most overloaded first.")]
    beyond: Annotated[
        tuple[AuditedRow, ...],
        Field(description="Clusters on the largest machine and past the last published bound, furthest past first."),
    ] = ()
    savings: Annotated[
        tuple[AuditedRow, ...],
        Field(description="Clusters that are over, one currency after the other, each with the greatest saving first."),
    ]
    savings_per_month: Annotated[
        dict[Currency, float],
        Field(description="Monthly saving on the clusters that are over and have known prices, by currency."),
    ]
    over_without_price: Annotated[int, Field(description="Clusters that are over but whose saving is unknown.")]
    without_verdict: Annotated[
        tuple[WithoutVerdict, ...], Field(description="The first reasons why clusters have no verdict.")
    ]
    margin: Annotated[float, Field(description="Headroom that a smaller tier must still have.")]
    catalog: Annotated[str, Field(description="The name of the catalog.")]


class AuditTotals:
    """Counts the verdicts of one batch after another, and keeps the worst clusters."""

    def __init__(self, auditor: Auditor) -> None:
        self._auditor = auditor
        self._verdicts: NDArray[np.int64] = np.zeros(len(VERDICTS), np.int64)
        self._saved: list[tuple[float, str]] = []
        self._without_price = 0
        # Savings are listed for each currency.
        self._lists: dict[tuple[str, str | None], list[tuple[float, AuditedRow]]] = {}
        self._without: dict[str, tuple[int, int, str | None]] = {}

    def count(self, audit: FleetAudit, reasons: NDArray[np.object_], before: int, names: ClusterNames) -> None:
        """Count the clusters of a batch.

        Parameters
        ----------
        audit : FleetAudit
            The audit of the batch.
        reasons : array of str
            The reasons of the clusters that have no verdict, in their order.
        before : int
            Rows before the batch.
        names : ClusterNames
            The names of its clusters.
        """
        codes = audit.verdict_codes
        self._verdicts += np.bincount(codes, minlength=len(VERDICTS))
        totals = sums((*self._saved, *((saved, name) for name, saved in audit.savings_per_month.items())))
        self._saved = [(saved, name) for name, saved in totals.items()]
        self._without_price += int(np.count_nonzero(np.isnan(audit.cost_difference_per_month[codes == OVER])))
        for name, rows, weights in (
            ("at_risk", audit.at_risk(_MOST), audit.utilization),
            ("beyond", audit.beyond(_MOST), audit.utilization),
            ("savings", audit.savings(_MOST), -audit.cost_difference_per_month),
        ):
            for row in rows:
                listed = self._row(audit, int(row), before, names)
                of = listed.currency if name == "savings" else None
                self._lists.setdefault((name, of), []).append((float(weights[row]), listed))
        for kept in self._lists.values():
            kept.sort(key=lambda one: -one[0])
            del kept[_MOST:]
        self._count_unknown(np.flatnonzero(codes == UNKNOWN), reasons, before, names)

    def _count_unknown(
        self, rows: NDArray[np.intp], reasons: NDArray[np.object_], before: int, names: ClusterNames
    ) -> None:
        seen: dict[str, int] = {}
        first: dict[str, int] = {}
        for place, reason in enumerate(reasons.tolist()):
            seen[reason] = seen.get(reason, 0) + 1
            first.setdefault(reason, place)
        for reason, count in seen.items():
            if reason in self._without:
                clusters, row, name = self._without[reason]
                self._without[reason] = clusters + count, row, name
            elif len(self._without) < _MOST:
                row = int(rows[first[reason]])
                self._without[reason] = count, before + row + 1, names.of(row)

    def _row(self, audit: FleetAudit, index: int, before: int, names: ClusterNames) -> AuditedRow:
        # Imported here because the summary of a fleet that is not audited has no such rows.
        from etcdsize.fleet.fleet_audit import prices_of

        one = audit[index]
        now, then = prices_of(audit, index)
        known = one.cost_difference_per_month is not None
        return AuditedRow(
            row=before + index + 1,
            cluster=names.of(index),
            current_machine=one.machine_type,
            tier=str(one.tier),
            decided_by=one.decided_by,
            utilization=one.utilization,
            recommended_machine=None if one.recommended_machine is None else one.recommended_machine.machine_type,
            reason=one.reason,
            cost_difference_per_month=one.cost_difference_per_month,
            currency=one.difference_currency,
            region=then.region if known and then is not None else None,
            date=_older(now, then) if known else None,
        )

    def _listed(self, name: str) -> tuple[AuditedRow, ...]:
        lists = sorted((of or "", kept) for (listed, of), kept in self._lists.items() if listed == name)
        return tuple(row for _, kept in lists for _, row in kept)

    @property
    def summary(self) -> AuditSummary:
        """The summary of all clusters so far."""
        return AuditSummary(
            verdicts={name: int(count) for name, count in zip(VERDICTS, self._verdicts)},
            at_risk=self._listed("at_risk"),
            beyond=self._listed("beyond"),
            savings=self._listed("savings"),
            savings_per_month={name: saved for saved, name in self._saved},
            over_without_price=self._without_price,
            without_verdict=tuple(
                WithoutVerdict(reason=reason, clusters=clusters, row=row, cluster=name)
                for reason, (clusters, row, name) in self._without.items()
            ),
            margin=self._auditor.margin,
            catalog=self._auditor.catalog.name,
        )


def _older(one: Price | None, other: Price | None) -> str | None:
    return min((price.date for price in (one, other) if price is not None), default=None)
