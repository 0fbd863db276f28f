"""The audit of a fleet as arrays, one for each column, computed on demand."""

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from etcdsize.base.checks import count_of
from etcdsize.base.model import Model
from etcdsize.catalog.costs import HOURS_A_MONTH, Price
from etcdsize.catalog.machines import Machine
from etcdsize.fitting.capacity import BELOW
from etcdsize.fitting.model import FIGURES
from etcdsize.fleet.auditor import NO_MACHINE, NO_TIER, Auditor
from etcdsize.fleet.kernel import INVALID, Codes
from etcdsize.fleet.sizing import position_of
from etcdsize.units import DIMENSIONS

__all__ = [
    "DECIDERS",
    "OVER",
    "RIGHT",
    "UNDER",
    "UNKNOWN",
    "VERDICTS",
    "ClusterAudit",
    "FleetAudit",
]

VERDICTS = ("under", "right", "over", "unknown")
"""The verdicts that `FleetAudit.verdict_codes` indexes."""
UNDER, RIGHT, OVER, UNKNOWN = range(4)
DECIDERS = (*DIMENSIONS, *FIGURES)
"""What `FleetAudit.decided_by` indexes: the load's dimensions, then the figures in which a machine can fall short."""

# Rows per block: the scratch fits the cache (our choice).
_BLOCK = 65_536
_PART = 1024


class ClusterAudit(Model):
    """The audit of one cluster."""

    verdict: Annotated[
        Literal["under", "right", "over", "unknown"],
        Field(description="under: too small; right; over: too big; unknown: cannot be judged."),
    ]
    reason: Annotated[
        str, Field(description="Why the verdict is unknown, or why the machine is not enough for any tier.")
    ] = ""
    machine_type: Annotated[str, Field(description="The machine in use.")]
    machine_tier: Annotated[
        str | None, Field(description="The largest tier that the machine is enough for, if any.")
    ] = None
    tier: Annotated[str | None, Field(description="The tier that the load needs.")] = None
    decided_by: Annotated[
        str | None, Field(description="The dimension, or the figure of the machine, that decided the verdict.")
    ] = None
    utilization: Annotated[
        float | None, Field(description="Load divided by the bound that decided the verdict: above 1, it is exceeded.")
    ] = None
    breaks_next: Annotated[str | None, Field(description="The dimension nearest its bound.")] = None
    recommended_machine: Annotated[Machine | None, Field(description="The recommended machine.")] = None
    usd_month_difference: Annotated[
        float | None,
        Field(description="Monthly cost of the change for all members, without the disks. [US dollars]"),
    ] = None


class FleetAudit:
    """The audit of a fleet: one array per column, each computed on first use. `fleet[i]` is one `ClusterAudit`.

    The columns are computed from the caller's arrays, which are not copied: do not change them.
    """

    def __init__(
        self,
        auditor: Auditor,
        machine_codes: NDArray[np.uint16],
        tier_codes: Codes,
        roomy_codes: Codes,
        columns: Sequence[NDArray[Any] | None],
        unknown: Sequence[NDArray[np.bool_] | None],
        names: NDArray[Any] | None = None,
    ) -> None:
        self.auditor = auditor
        """The rules of the audit: catalog, tiers, headroom, margin and members."""
        self.machine_codes: NDArray[np.uint16] = machine_codes
        """The index of every cluster's machine in the catalog, 65535 if it is not listed. uint16, shape (n,)"""
        self.tier_codes: Codes = tier_codes
        """The index of the tier that every load needs, 255 if it cannot be sized. uint8, shape (n,)"""
        self._roomy = roomy_codes
        self._columns = columns
        self._unknown = unknown
        self._names = names

    def __len__(self) -> int:
        return len(self.machine_codes)

    def __repr__(self) -> str:
        return f"<FleetAudit of {len(self)} clusters: {self.counts()}>"

    def _blocks(self) -> Iterator[slice]:
        return (slice(start, min(start + _BLOCK, len(self))) for start in range(0, len(self), _BLOCK))

    def _places(self, rows: slice) -> NDArray[np.intp]:
        """Return the row of each machine in the auditor's tables, whose last row is for machines not in the catalog."""
        return np.minimum(self.machine_codes[rows], len(self.auditor.capacities)).astype(np.intp)

    @functools.cached_property
    def verdict_codes(self) -> Codes:
        """The index of every cluster's verdict in `VERDICTS`. uint8, shape (n,)"""
        found = np.empty(len(self), np.uint8)
        for rows in self._blocks():
            has = self.auditor.tier_of[self._places(rows)]
            needs, roomy = self.tier_codes[rows], self._roomy[rows]
            here = found[rows]
            here.fill(RIGHT)
            here[has > roomy.astype(np.int16)] = OVER
            here[needs.astype(np.int16) > has] = UNDER
            here[(needs == INVALID) | (has == NO_TIER)] = UNKNOWN
        found.flags.writeable = False
        return found

    @functools.cached_property
    def verdicts(self) -> NDArray[np.object_]:
        """The verdict of every cluster: under, right, over or unknown. Array of str, shape (n,)"""
        return np.array(VERDICTS, object)[self.verdict_codes]

    @functools.cached_property
    def recommended_codes(self) -> NDArray[np.uint16]:
        """The index of the recommended machine in `auditor.machines`, 65535 for none. uint16, shape (n,)

        A machine that is right is recommended itself.
        """
        found = np.empty(len(self), np.uint16)
        first = len(self.auditor.machines) - len(self.auditor.catalog.machines)
        for rows in self._blocks():
            verdict = self.verdict_codes[rows]
            tier = np.where(verdict == OVER, self._roomy[rows], self.tier_codes[rows])
            here = found[rows]
            here[:] = self.auditor.recommended[self._places(rows), np.minimum(tier, len(self.auditor.tiers.tiers) - 1)]
            right = verdict == RIGHT
            here[right] = self.machine_codes[rows][right] + first
            here[verdict == UNKNOWN] = NO_MACHINE
        found.flags.writeable = False
        return found

    @functools.cached_property
    def recommended_machines(self) -> NDArray[np.object_]:
        """The recommended machine type, None where the verdict is unknown. Array of str, shape (n,)"""
        names = np.array([*(machine.machine_type for machine in self.auditor.machines), None], object)
        return names[np.minimum(self.recommended_codes, len(names) - 1)]

    @functools.cached_property
    def usd_month_difference(self) -> NDArray[np.float64]:
        """The monthly cost of the change for all members; negative is a saving. [US dollars] float64, shape (n,)

        The disks are not included. NaN where a price is unknown or the two prices are of different regions.
        """
        machines = self.auditor.machines
        regions = {region: code for code, region in enumerate({_region(machine.price) for machine in machines})}
        prices = np.array([np.nan if m.price is None else m.price.usd_hour for m in machines] + [np.nan], float)
        places = np.array([*(regions[_region(machine.price)] for machine in machines), -1])
        first = len(machines) - len(self.auditor.catalog.machines)
        found = np.empty(len(self))
        for rows in self._blocks():
            now = self._places(rows) + first
            then = np.minimum(self.recommended_codes[rows], len(machines)).astype(np.intp)
            here = found[rows]
            np.subtract(prices[then], prices[now], out=here)
            here *= HOURS_A_MONTH * self.auditor.members
            here[places[then] != places[now]] = np.nan
            here[self.verdict_codes[rows] == RIGHT] = 0.0
        found.flags.writeable = False
        return found

    @functools.cached_property
    def _decided(self) -> tuple[Codes, NDArray[np.float64]]:
        by, shares = np.empty(len(self), np.uint8), np.empty(len(self))
        capacity = [*self.auditor.capacities, None]
        figure = np.array([0 if one is None else one.figure + len(DIMENSIONS) for one in capacity], np.uint8)
        ratio = np.array([np.nan if one is None else one.ratio for one in capacity], float)
        for rows in self._blocks():
            places = self._places(rows)
            has = self.auditor.tier_of[places]
            base = np.where(self.verdict_codes[rows] == OVER, self._roomy[rows], np.maximum(has, 0))
            by[rows], shares[rows] = self._highest(rows, base)
            below = has == BELOW
            by[rows][below], shares[rows][below] = figure[places[below]], ratio[places[below]]
            nothing = self.verdict_codes[rows] == UNKNOWN
            by[rows][nothing], shares[rows][nothing] = INVALID, np.nan
        return by, shares

    def _highest(self, rows: slice, tiers: NDArray[Any]) -> tuple[Codes, NDArray[np.float64]]:
        """Return the dimension nearest its bound, and its utilization; the open tier uses the last bound."""
        found = np.full(len(tiers), INVALID, np.uint8)
        highest = np.full(len(tiers), -1.0)
        for index, column in enumerate(self._columns):
            if column is None:
                continue
            last = len(self.auditor.tiers.tiers) - 1
            limits = [float(self.auditor.tiers.reference(code, DIMENSIONS[index]).limit) for code in range(last + 1)]
            with np.errstate(over="ignore", invalid="ignore"):
                share = column[rows].astype(np.float64) / np.array(limits, float)[np.minimum(tiers, last)]
            np.minimum(share, np.finfo(np.float64).max, out=share)
            unknown = self._unknown[index]
            if unknown is not None:
                share[unknown[rows]] = np.nan
            np.copyto(found, np.uint8(index), where=share > highest)
            np.fmax(highest, share, out=highest)
        return found, highest

    @property
    def decided_by(self) -> Codes:
        """What decided the verdict, as an index in `DECIDERS`, 255 where it is unknown. uint8, shape (n,)

        Under and right: the dimension nearest, or furthest past, the bound of the machine's own tier. Over: the
        dimension nearest the bound of the smaller tier. For a machine that is not enough for any tier: the figure in
        which it falls short most.
        """
        return self._decided[0]

    @property
    def utilization(self) -> NDArray[np.float64]:
        """Load divided by the bound that decided; above 1 it is exceeded. NaN if unknown. float64, shape (n,)"""
        return self._decided[1]

    @functools.cached_property
    def breaks_next(self) -> Codes:
        """The dimension nearest the bound of the machine's own tier. uint8 index in the dimensions, shape (n,)

        255 where a bound is already exceeded, on the open tier, and where the verdict is unknown.
        """
        found = np.empty(len(self), np.uint8)
        last = len(self.auditor.tiers.tiers) - 1
        for rows in self._blocks():
            has = self.auditor.tier_of[self._places(rows)]
            found[rows] = self._highest(rows, np.maximum(has, 0))[0]
            verdict = self.verdict_codes[rows]
            found[rows][(has >= last) | (verdict == UNDER) | (verdict == UNKNOWN)] = INVALID
        found.flags.writeable = False
        return found

    def counts(self) -> dict[str, int]:
        """Return the number of clusters for each verdict."""
        totals = np.bincount(self.verdict_codes, minlength=len(VERDICTS))
        return {name: int(total) for name, total in zip(VERDICTS, totals)}

    @property
    def usd_month_to_save(self) -> float:
        """The monthly saving on clusters that are over, except those whose price is unknown. [US dollars]"""
        return math.fsum(self._saved(rows).sum() for rows in self._blocks())

    def _saved(self, rows: slice) -> NDArray[np.float64]:
        saved = np.where(self.verdict_codes[rows] == OVER, -self.usd_month_difference[rows], 0.0)
        saved[~(saved > 0)] = 0.0
        return saved

    def at_risk(self, most: int = 10) -> NDArray[np.intp]:
        """Return the indices of at most `most` clusters that are under, starting with the most overloaded."""
        rows = np.flatnonzero(self.verdict_codes == UNDER)
        return _first(rows, self.utilization[rows], most)

    def savings(self, most: int = 10) -> NDArray[np.intp]:
        """Return the indices of at most `most` clusters that are over, starting with the greatest saving."""
        saved = self._saved(slice(None))
        rows = np.flatnonzero(saved)
        return _first(rows, saved[rows], most)

    def __getitem__(self, index: int) -> ClusterAudit:
        position = position_of(index, len(self))
        return self._row(position, self._part(slice(position, position + 1)), 0)

    def _row(self, position: int, part: "FleetAudit", place: int) -> ClusterAudit:
        """Return the audit of a cluster, which is at `place` in a part of the fleet."""
        auditor, names = self.auditor, self.auditor.tiers.names
        machine, code = int(self.machine_codes[position]), int(self.tier_codes[position])
        known = machine != NO_MACHINE
        capacity = auditor.capacities[machine] if known else None
        name = None if self._names is None else self._names[position]
        machine_type = auditor.catalog.machines[machine].machine_type if known else str(name)
        reason = capacity.reason if capacity is not None else auditor.unknown_machine(name)
        if code == INVALID:
            reason = "the load cannot be sized"
        by, share, difference = (
            int(part.decided_by[place]),
            float(part.utilization[place]),
            float(part.usd_month_difference[place]),
        )
        target, following = int(part.recommended_codes[place]), int(part.breaks_next[place])
        return ClusterAudit(
            verdict=VERDICTS[part.verdict_codes[place]],
            reason=reason,
            machine_type=machine_type,
            machine_tier=None if capacity is None or capacity.tier in (None, BELOW) else names[capacity.tier or 0],
            tier=None if code == INVALID else names[code],
            decided_by=None if by == INVALID else DECIDERS[by],
            utilization=None if share != share else share,
            breaks_next=None if following == INVALID else DIMENSIONS[following],
            recommended_machine=None if target == NO_MACHINE else auditor.machines[target],
            usd_month_difference=None if difference != difference else difference,
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
            self.tier_codes[rows],
            self._roomy[rows],
            cut(self._columns),
            cut(self._unknown),
        )


def _region(price: Price | None) -> str | None:
    return None if price is None else price.region


def _first(rows: NDArray[np.intp], weights: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Return the rows with the greatest weights, greatest first and equal ones in order."""
    most = count_of("most", most, 0)
    if 0 < most < len(rows):
        bar = np.partition(weights, len(weights) - most)[len(weights) - most]
        keep = weights >= bar
        rows, weights = rows[keep], weights[keep]
    return rows[np.argsort(-weights, kind="stable")[:most]]
