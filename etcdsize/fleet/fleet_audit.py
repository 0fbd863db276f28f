"""The audit of a fleet as arrays, one for each column, computed on demand."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etcdsize.base.checks import count_of
from etcdsize.catalog.costs import Price
from etcdsize.fitting.capacity import BELOW
from etcdsize.fleet.audit_columns import Needs
from etcdsize.fleet.audit_reasons import AuditReasons
from etcdsize.fleet.auditor import NO_MACHINE, NO_TIER
from etcdsize.fleet.kernel import INVALID
from etcdsize.fleet.sizing import position_of
from etcdsize.fleet.verdicts import BEYOND, DECIDERS, OVER, UNDER, VERDICTS, ClusterAudit
from etcdsize.units import DIMENSIONS

__all__ = ["FleetAudit", "prices_of"]

_PART = 1024


class FleetAudit(AuditReasons):
    """The audit of a fleet: one array per column, each computed on first use. `fleet[i]` is one `ClusterAudit`.

    The columns are computed from the caller's arrays, which are not copied: do not change them.
    """

    def __repr__(self) -> str:
        return f"<FleetAudit of {len(self)} clusters: {self.counts()}>"

    def counts(self) -> dict[str, int]:
        """Return the number of clusters for each verdict."""
        totals = np.bincount(self.verdict_codes, minlength=len(VERDICTS))
        return {name: int(total) for name, total in zip(VERDICTS, totals)}

    @property
    def savings_per_month(self) -> dict[str, float]:
        """The monthly saving on clusters that are over by currency, without those whose price is unknown. [currency]"""
        names = self.currency_names
        parts = [
            np.bincount(self.currency_codes[rows], self._saved(rows), len(names) + 1)[:-1] for rows in self._blocks()
        ]
        saved = map(math.fsum, zip(*parts)) if parts else ()
        return {name: total for name, total in zip(names, saved) if total}

    def _saved(self, rows: slice) -> NDArray[np.float64]:
        saved = np.where(self.verdict_codes[rows] == OVER, -self.cost_difference_per_month[rows], 0.0)
        saved[~(saved > 0)] = 0.0
        return saved

    def at_risk(self, most: int = 10) -> NDArray[np.intp]:
        """Return the indices of at most `most` clusters that are under, starting with the most overloaded."""
        rows = np.flatnonzero(self.verdict_codes == UNDER)
        return _first(rows, self.utilization[rows], most)

    def beyond(self, most: int = 10) -> NDArray[np.intp]:
        """Return the indices of at most `most` clusters that are beyond, starting with the furthest past a bound."""
        rows = np.flatnonzero(self.verdict_codes == BEYOND)
        return _first(rows, self.utilization[rows], most)

    def savings(self, most: int = 10) -> NDArray[np.intp]:
        """Return the indices of at most `most` clusters of each currency that are over, the greatest saving first."""
        saved = self._saved(slice(None))
        rows = np.flatnonzero(saved)
        codes = self.currency_codes[rows]
        of_each = [rows[codes == code] for code in range(len(self.currency_names))]
        return np.concatenate([_first(found, saved[found], most) for found in of_each] or [rows])

    def __getitem__(self, index: int) -> ClusterAudit:
        position = position_of(index, len(self))
        return self._row(position, self._part(slice(position, position + 1)), 0)

    def _row(self, position: int, part: "FleetAudit", place: int) -> ClusterAudit:
        """Return the audit of a cluster, which is at `place` in a part of the fleet."""
        auditor, names = self.auditor, self.auditor.tiers.names
        machine, code = int(self.machine_codes[position]), int(self.tier_codes[position])
        known = machine != NO_MACHINE
        has = int(part._machine_tiers[place])
        name = None if self._names is None else self._names[position]
        machine_type = auditor.catalog.machines[machine].machine_type if known else str(name)
        by, share, difference = (
            int(part.decided_by[place]),
            float(part.utilization[place]),
            float(part.cost_difference_per_month[place]),
        )
        target, following = int(part.recommended_codes[place]), int(part.breaks_next[place])
        return ClusterAudit(
            verdict=VERDICTS[part.verdict_codes[place]],
            reason=str(part.reasons[place]),
            machine_type=machine_type,
            machine_tier=None if has in (BELOW, NO_TIER) else names[has],
            tier=None if code == INVALID else names[code],
            decided_by=None if by == INVALID else DECIDERS[by],
            utilization=None if share != share else share,
            breaks_next=None if following == INVALID else DIMENSIONS[following],
            recommended_machine=None if target == NO_MACHINE else auditor.machines[target],
            cost_difference_per_month=None if difference != difference else difference,
            difference_currency=part.difference_currencies[place],
        )

    def __iter__(self) -> Iterator[ClusterAudit]:
        # The tables of a part take a millisecond, so that a part has many clusters.
        for start in range(0, len(self), _PART):
            rows = slice(start, min(start + _PART, len(self)))
            part = self._part(rows)
            for position in range(rows.start, rows.stop):
                yield self._row(position, part, position - start)

    def _part(self, rows: slice) -> "FleetAudit":
        """Return the audit of some of the clusters."""

        def cut(columns: Sequence[NDArray[Any] | None]) -> list[NDArray[Any] | None]:
            return [None if column is None else column[rows] for column in columns]

        return FleetAudit(
            self.auditor,
            self.machine_codes[rows],
            Needs(*(codes[rows] for codes in self._needs)),
            cut(self._columns),
            cut(self._unknown),
            bounds=None if self._bounds is None else self._bounds.cut(rows),
            figures=None if self._figures is None else self._figures.cut(rows),
            names=None if self._names is None else self._names[rows],
            fit=None if self._fit is None else self._fit.cut(rows),
            markets=None if self._markets is None else self._markets[rows],
        )


def prices_of(audit: FleetAudit, position: int) -> tuple[Price | None, Price | None]:
    """Return the prices of a cluster's machine and of the recommended one in its region, None where unknown."""
    auditor = audit.auditor
    prices = auditor.prices_in(0 if audit._markets is None else int(audit._markets[position]))
    now = auditor.own_codes[audit._places(slice(position, position + 1))[0]]
    then = audit.recommended_codes[position]
    current, recommended = (None if code == NO_MACHINE else prices[code] for code in (now, then))
    return current, recommended


def _first(rows: NDArray[np.intp], weights: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Return the rows with the greatest weights, greatest first and equal ones in order."""
    most = count_of("most", most, 0)
    if 0 < most < len(rows):
        bar = np.partition(weights, len(weights) - most)[len(weights) - most]
        keep = weights >= bar
        rows, weights = rows[keep], weights[keep]
    return rows[np.argsort(-weights, kind="stable")[:most]]
