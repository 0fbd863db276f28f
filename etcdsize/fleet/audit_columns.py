"""The columns of the audit of a fleet as arrays, each computed when it is first used."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from etcdsize.catalog.costs import HOURS_A_MONTH
from etcdsize.fitting.capacity import BELOW
from etcdsize.fleet.auditor import NO_MACHINE, NO_TIER, Auditor, Figures, PriceTables
from etcdsize.fleet.bounds import MAY_BE_MORE, Bounds, Part
from etcdsize.fleet.kernel import INVALID, Codes
from etcdsize.fleet.load_fit import LoadFit
from etcdsize.fleet.loads import classify_arrays
from etcdsize.fleet.verdicts import BEYOND, OVER, RIGHT, UNDER, UNKNOWN, VERDICTS
from etcdsize.units import DIMENSIONS

__all__ = ["AuditColumns", "Needs"]

# Rows per block: the scratch fits the cache (our choice).
_BLOCK = 65_536


class Needs(NamedTuple):
    """The tiers that the loads of a fleet need, as indices; 255 for a load that cannot be sized."""

    tiers: Codes
    """The tier of every cluster."""
    loads: Codes
    """The tier that its load needs; `tiers` unless something else counts, such as Kubernetes nodes."""
    least: Codes
    """The tier that it needs at least, if every load that may be less is left out; `loads` where none may be less."""
    roomy: Codes
    """The tier that it needs with a margin to spare."""


class AuditColumns:
    """The columns of the audit of a fleet. They are computed from the caller's arrays, which are not copied."""

    def __init__(
        self,
        auditor: Auditor,
        machine_codes: NDArray[np.uint16],
        needs: Needs,
        columns: Sequence[NDArray[Any] | None],
        unknown: Sequence[NDArray[np.bool_] | None],
        *,
        bounds: Bounds | None = None,
        figures: Figures | None = None,
        names: NDArray[Any] | None = None,
        fit: LoadFit | None = None,
        markets: NDArray[np.uint16] | None = None,
    ) -> None:
        self.auditor = auditor
        """The rules of the audit: catalog, tiers, headroom, margin and members."""
        self.machine_codes: NDArray[np.uint16] = machine_codes
        """The index of every cluster's machine in the catalog, 65535 if it is not known. uint16, shape (n,)"""
        self.tier_codes: Codes = needs.tiers
        """The index of the tier that every load needs, 255 if it cannot be sized. uint8, shape (n,)"""
        self._needs = needs
        self._columns = columns
        self._unknown = unknown
        self._bounds = bounds
        self._figures = figures
        self._names = names
        self._fit = fit
        # The number of every cluster's market, whose prices count. None: the prices of the catalog.
        self._markets = markets

    def __len__(self) -> int:
        return len(self.machine_codes)

    def _blocks(self) -> Iterator[slice]:
        return (slice(start, min(start + _BLOCK, len(self))) for start in range(0, len(self), _BLOCK))

    def _places(self, rows: slice) -> NDArray[np.intp]:
        """Return the row of each machine in the auditor's tables, whose last row is for machines not in the catalog."""
        return np.minimum(self.machine_codes[rows], len(self.auditor.capacities)).astype(np.intp)

    def _market(self, rows: slice) -> NDArray[np.uint16] | int:
        """Return the numbers of the clusters' markets, or the one of all of them."""
        return 0 if self._markets is None else self._markets[rows]

    def _has(self, rows: slice, places: NDArray[np.intp]) -> NDArray[np.int8]:
        """Return the largest tier that each machine is enough for, `NO_TIER` where that is unknown."""
        has: NDArray[np.int8] = self.auditor.tier_of[places]
        if self._figures is not None:
            stated = self._figures.tiers[rows]
            np.copyto(has, stated, where=stated != NO_TIER)
        return has

    @functools.cached_property
    def _machine_tiers(self) -> NDArray[np.int8]:
        return self._has(slice(None), self._places(slice(None)))

    @functools.cached_property
    def _past_last_bound(self) -> NDArray[np.bool_]:
        """Where a load that cannot be less is past the last published bound. bool, shape (n,)"""
        columns = self._columns if self._bounds is None else self._bounds.least(self._columns)
        return self._past(self._needs.least, columns)

    def _past(self, codes: Codes, columns: Sequence[NDArray[Any] | None]) -> NDArray[np.bool_]:
        """Return where a load is past the last published bound, which is without headroom."""
        last = len(self.auditor.tiers.tiers) - 1
        past: NDArray[np.bool_] = codes == last
        if self.auditor.headroom and past.any():
            rows = np.flatnonzero(past)
            exact = np.empty(rows.size, np.uint8)
            columns = [None if column is None else column[rows] for column in columns]
            classify_arrays(columns, (rows.size,), exact, self.auditor.tiers, 0.0, 1)
            past[rows] = exact == last
        return past

    @functools.cached_property
    def verdict_codes(self) -> Codes:
        """The index of every cluster's verdict in `VERDICTS`. uint8, shape (n,)"""
        found = np.empty(len(self), np.uint8)
        last = len(self.auditor.tiers.tiers) - 1
        past = self._past_last_bound
        may_be_past = past if self._bounds is None else self._past(self._needs.loads, self._columns)
        is_certain = self._bounds is None and self._needs.tiers is self._needs.loads
        for rows in self._blocks():
            places = self._places(rows)
            has = self._has(rows, places)
            # As signed numbers 255, which is no tier, is below all of them; a table with machines has few tiers.
            tiers, _, least, roomy = (codes[rows].view(np.int8) for codes in self._needs)
            here = found[rows]
            here.fill(RIGHT)
            np.copyto(here, OVER, where=has > roomy)
            if not is_certain:
                np.copyto(here, UNKNOWN, where=(tiers > has) | (may_be_past[rows] & (has == last)))
            if self._bounds is not None:
                np.copyto(here, UNKNOWN, where=MAY_BE_MORE[self._bounds.states[rows]])
            beyond = has == last
            beyond &= past[rows]
            np.copyto(here, BEYOND, where=beyond)
            np.copyto(here, UNDER, where=least > has)
            unknown = np.flatnonzero(has == NO_TIER)
            if unknown.size:
                too_small = least[unknown] > self.auditor.most_of[places[unknown]]
                here[unknown] = np.where(too_small, UNDER, UNKNOWN)
            if self._fit is not None:
                np.copyto(here, RIGHT, where=(here == OVER) & self._fit.too_large[rows])
                np.copyto(here, UNDER, where=self._fit.short[rows] != 0)
            np.copyto(here, UNKNOWN, where=tiers < 0)
        found.flags.writeable = False
        return found

    @functools.cached_property
    def verdicts(self) -> NDArray[np.object_]:
        """The verdict of every cluster: under, beyond, right, over or unknown. Array of str, shape (n,)"""
        return np.array(VERDICTS, object)[self.verdict_codes]

    @functools.cached_property
    def recommended_codes(self) -> NDArray[np.uint16]:
        """The index of the recommended machine in `auditor.machines`, 65535 for none. uint16, shape (n,)

        A machine that is right is recommended itself; beyond the last published bound none is.
        """
        found = np.empty(len(self), np.uint16)
        own = self.auditor.own_codes
        for rows in self._blocks():
            verdict, places = self.verdict_codes[rows], self._places(rows)
            here = found[rows]
            here[:] = self.auditor.recommended(self._market(rows), places, self._target(rows))
            np.copyto(here, own[places], where=verdict == RIGHT)
            if self._fit is not None:
                fit = self._fit.cut(rows)
                np.copyto(here, NO_MACHINE, where=(verdict == UNDER) & (fit.target == INVALID))
                # Where only settings or keys have to change, the machine stays.
                enough = self._needs.least[rows].view(np.int8) <= self._has(rows, places)
                np.copyto(here, own[places], where=(fit.short != 0) & ~fit.needs_machine & enough)
            np.copyto(here, NO_MACHINE, where=(verdict == UNKNOWN) | (verdict == BEYOND))
        found.flags.writeable = False
        return found

    def _target(self, rows: slice) -> Codes:
        """Return the tier of the machine to recommend: with a margin to spare if it is smaller than the current one."""
        tier = np.where(self.verdict_codes[rows] == OVER, self._needs.roomy[rows], self.tier_codes[rows])
        if self._fit is not None:
            larger = self._fit.needs_machine[rows] | (self.verdict_codes[rows] == UNDER)
            tier = np.where(larger, self._fit.target[rows], tier)
        return np.minimum(tier, len(self.auditor.tiers.tiers) - 1)

    @functools.cached_property
    def recommended_machines(self) -> NDArray[np.object_]:
        """The recommended machine type, None where `reasons` says why there is none. Array of str, shape (n,)"""
        names = np.array([*(machine.machine_type for machine in self.auditor.machines), None], object)
        return names[np.minimum(self.recommended_codes, len(names) - 1)]

    @functools.cached_property
    def cost_difference_per_month(self) -> NDArray[np.float64]:
        """The monthly cost of the change for all members; negative is a saving. [currency] float64, shape (n,)

        The disks are not included. NaN where a price is unknown, or the two are of different regions or currencies.
        `currency_codes` has the currency of each.
        """
        found = np.empty(len(self))
        per_hour, kind = self._prices.per_hour, self._prices.kind
        for rows in self._blocks():
            market, now = self._market(rows), self._current(rows)
            then = np.minimum(self.recommended_codes[rows], per_hour.shape[1] - 1)
            here = found[rows]
            np.subtract(per_hour[market, then], per_hour[market, now], out=here)
            here *= HOURS_A_MONTH * self.auditor.members
            here[kind[market, then] != kind[market, now]] = np.nan
            here[self.verdict_codes[rows] == RIGHT] = 0.0
        found.flags.writeable = False
        return found

    @functools.cached_property
    def _prices(self) -> PriceTables:
        return self.auditor.prices

    def _current(self, rows: slice) -> NDArray[np.uint16]:
        """Return the column of each cluster's own machine in the tables of prices."""
        none = self._prices.per_hour.shape[1] - 1
        codes: NDArray[np.uint16] = np.minimum(self.auditor.own_codes[self._places(rows)], none)
        return codes

    @functools.cached_property
    def currency_codes(self) -> NDArray[np.uint16]:
        """The index of the currency of each difference in `currency_names`. uint16, shape (n,)

        It is their number where the difference is unknown, or 0 of a machine without a price.
        """
        found = np.empty(len(self), np.uint16)
        for rows in self._blocks():
            found[rows] = self._prices.currency[self._market(rows), self._current(rows)]
            found[rows][np.isnan(self.cost_difference_per_month[rows])] = len(self.currency_names)
        found.flags.writeable = False
        return found

    @property
    def currency_names(self) -> tuple[str, ...]:
        """The currencies of the machines' prices."""
        return self._prices.currencies

    @functools.cached_property
    def difference_currencies(self) -> NDArray[np.object_]:
        """The currency of each difference, None where there is none. Array of str, shape (n,)"""
        return np.array([*self.currency_names, None], object)[self.currency_codes]

    @functools.cached_property
    def _decided(self) -> tuple[Codes, NDArray[np.float64]]:
        by, shares = np.empty(len(self), np.uint8), np.empty(len(self))
        capacity = [*self.auditor.capacities, None]
        figure = np.array([0 if one is None else one.figure + len(DIMENSIONS) for one in capacity], np.uint8)
        ratio = np.array([np.nan if one is None else one.ratio for one in capacity], float)
        for rows in self._blocks():
            places, verdict = self._places(rows), self.verdict_codes[rows]
            has = self._has(rows, places)
            most = np.where(has == NO_TIER, self.auditor.most_of[places], has)
            base = np.where(verdict == OVER, self._needs.roomy[rows].view(np.int8), np.maximum(most, 0))
            by[rows], shares[rows] = self._highest(rows, base, only_least=verdict <= BEYOND)
            below = most == BELOW
            by[rows][below], shares[rows][below] = figure[places[below]], ratio[places[below]]
            if self._figures is not None:
                stated = self._figures.cut(rows)
                below = stated.tiers == BELOW
                by[rows][below] = stated.figure[below] + len(DIMENSIONS)
                shares[rows][below] = stated.ratio[below]
            if self._fit is not None:
                short = self._fit.short[rows] != 0
                by[rows][short], shares[rows][short] = self._fit.decider[rows][short], self._fit.share[rows][short]
            nothing = verdict == UNKNOWN
            by[rows][nothing], shares[rows][nothing] = INVALID, np.nan
        return by, shares

    def _highest(
        self, rows: slice, tiers: NDArray[Any], only_least: NDArray[np.bool_] | None = None
    ) -> tuple[Codes, NDArray[np.float64]]:
        """Return the dimension nearest its bound, and its utilization; the open tier uses the last bound.

        Where `only_least`, a load that may be less does not count.
        """
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
            part = Part() if self._bounds is None else self._bounds.parts[index]
            if only_least is not None and part.less is not False:
                share[only_least & (part.less if part.less is True else part.less[rows])] = np.nan
            np.copyto(found, np.uint8(index), where=share > highest)
            np.fmax(highest, share, out=highest)
        return found, highest

    @property
    def decided_by(self) -> Codes:
        """What decided the verdict, as an index in `DECIDERS`, 255 where it is unknown. uint8, shape (n,)

        Under, beyond and right: the dimension nearest, or furthest past, the bound of the machine's own tier. Over: the
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
            has = self._has(rows, self._places(rows))
            found[rows] = self._highest(rows, np.maximum(has, 0))[0]
            verdict = self.verdict_codes[rows]
            found[rows][(has >= last) | (verdict == UNDER) | (verdict == UNKNOWN)] = INVALID
        found.flags.writeable = False
        return found
