"""Compare the machine of every cluster with its load: `audit` returns a `FleetAudit`, one array for each column."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from etcdsize.base.checks import one_of
from etcdsize.base.model import Model
from etcdsize.catalog.catalog import Catalog, load_catalog
from etcdsize.catalog.costs import HOURS_A_MONTH, Price
from etcdsize.catalog.machines import Machine
from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.fitting.capacity import BELOW
from etcdsize.fitting.model import FIGURES
from etcdsize.fleet.auditor import NO_MACHINE, NO_TIER, Auditor
from etcdsize.fleet.classify import look_up_codes
from etcdsize.fleet.kernel import INVALID, Codes
from etcdsize.fleet.loads import classify_arrays, fleet_codes, fleet_columns
from etcdsize.fleet.sizing import position_of
from etcdsize.sizing.options import headroom_of, margin_of, members_of, tiers_of
from etcdsize.tiers import TierTable
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
    "audit",
    "audit_codes",
]

VERDICTS = ("under", "right", "over", "unknown")
"""What `FleetAudit.verdict_codes` counts."""
UNDER, RIGHT, OVER, UNKNOWN = range(4)
DECIDERS = (*DIMENSIONS, *FIGURES)
"""What `FleetAudit.decided_by` counts: a dimension of the load, or a figure of a machine that is too small for any."""

# Rows at a time: the scratch stays within the cache (our choice).
_BLOCK = 65_536


class ClusterAudit(Model):
    """The audit of one cluster."""

    verdict: Annotated[
        Literal["under", "right", "over", "unknown"],
        Field(description="under: too small; right; over: too big; unknown: cannot be told."),
    ]
    reason: Annotated[str, Field(description="Why it is unknown, or why its machine is enough for no tier.")] = ""
    machine_type: Annotated[str, Field(description="The machine that runs now.")]
    machine_tier: Annotated[str | None, Field(description="The largest tier that it is enough for. None: none.")] = None
    tier: Annotated[str | None, Field(description="The tier that the load needs.")] = None
    decided_by: Annotated[str | None, Field(description="The dimension, or the machine's figure, that decided.")] = None
    utilization: Annotated[
        float | None, Field(description="Its share of the bound that decided: above 1, it is past it.")
    ] = None
    breaks_next: Annotated[str | None, Field(description="The dimension that is nearest its bound.")] = None
    recommended_machine: Annotated[Machine | None, Field(description="The machine to run on.")] = None
    usd_month_difference: Annotated[
        float | None,
        Field(description="What the change costs a month, all members, the disks left as they are. [US dollars]"),
    ] = None


class FleetAudit:
    """The audit of a fleet: one array a column, made when it is first asked for. `fleet[i]` is one `ClusterAudit`.

    The columns are made from the caller's arrays, which are not copied: leave them as they are.
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
        """How it was audited: catalog, tiers, headroom, margin, members."""
        self.machine_codes: NDArray[np.uint16] = machine_codes
        """The index of every cluster's machine in the catalog, 65535 where it is not there. uint16, shape (n,)"""
        self.tier_codes: Codes = tier_codes
        """The index of the tier that every load needs, 255 where it cannot be sized. uint8, shape (n,)"""
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
        """Return the machines' places in tables that have one more for those that are not in the catalog."""
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
        """The index of the machine to run on in `auditor.machines`, 65535 for none. uint16, shape (n,)

        Where a machine is right it is itself.
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
        """The machine type to run on, None where nothing can be told. Array of str, shape (n,)"""
        names = np.array([*(machine.machine_type for machine in self.auditor.machines), None], object)
        return names[np.minimum(self.recommended_codes, len(names) - 1)]

    @functools.cached_property
    def usd_month_difference(self) -> NDArray[np.float64]:
        """What the change costs a month, all members; less than 0 is saved. [US dollars] float64, shape (n,)

        The disks are left as they are. NaN where a price is unknown or the two are of different regions.
        """
        machines = self.auditor.machines
        regions = {region: code for code, region in enumerate({_region(machine.price) for machine in machines})}
        prices = np.array([np.nan if m.price is None else m.price.usd_hour for m in machines] + [np.nan])
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
        ratio = np.array([np.nan if one is None else one.ratio for one in capacity])
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
        """Return the dimension nearest its bound of these tiers, and its share; of the open tier, the last bound."""
        found = np.full(len(tiers), INVALID, np.uint8)
        highest = np.full(len(tiers), -1.0)
        for index, column in enumerate(self._columns):
            if column is None:
                continue
            last = len(self.auditor.tiers.tiers) - 1
            limits = [float(self.auditor.tiers.reference(code, DIMENSIONS[index]).limit) for code in range(last + 1)]
            with np.errstate(over="ignore", invalid="ignore"):
                share = column[rows].astype(np.float64) / np.array(limits)[np.minimum(tiers, last)]
            np.minimum(share, np.finfo(np.float64).max, out=share)
            unknown = self._unknown[index]
            if unknown is not None:
                share[unknown[rows]] = np.nan
            np.copyto(found, np.uint8(index), where=share > highest)
            np.fmax(highest, share, out=highest)
        return found, highest

    @property
    def decided_by(self) -> Codes:
        """What decided, as an index in `DECIDERS`, 255 where nothing can be told. uint8, shape (n,)

        Under and right: the dimension nearest the bound of the machine's own tier, or past it; over: nearest the
        bound of the smaller tier; where a machine is enough for no tier: the figure that it lacks most.
        """
        return self._decided[0]

    @property
    def utilization(self) -> NDArray[np.float64]:
        """The share of the bound that decided; above 1 it is past it. NaN where nothing can be told. float64, (n,)"""
        return self._decided[1]

    @functools.cached_property
    def breaks_next(self) -> Codes:
        """The dimension nearest the bound of the machine's own tier. uint8 index in the dimensions, shape (n,)

        255 where a bound is passed already, on the open tier, and where nothing can be told.
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
        """Return how many clusters there are of each verdict."""
        totals = np.bincount(self.verdict_codes, minlength=len(VERDICTS))
        return {name: int(total) for name, total in zip(VERDICTS, totals)}

    @property
    def usd_month_to_save(self) -> float:
        """What the clusters that are over would save a month; those of unknown price left out. [US dollars]"""
        return float(sum(self._saved(rows).sum() for rows in self._blocks()))

    def _saved(self, rows: slice) -> NDArray[np.float64]:
        saved = np.where(self.verdict_codes[rows] == OVER, -self.usd_month_difference[rows], 0.0)
        saved[~(saved > 0)] = 0.0
        return saved

    def at_risk(self, most: int = 10) -> NDArray[np.intp]:
        """Return the clusters that are under, those furthest past a bound first. Indices, shape (at most `most`,)"""
        rows = np.flatnonzero(self.verdict_codes == UNDER)
        return _first(rows, self.utilization[rows], most)

    def savings(self, most: int = 10) -> NDArray[np.intp]:
        """Return the clusters that would save most. Indices, shape (at most `most`,)"""
        saved = self._saved(slice(None))
        rows = np.flatnonzero(saved)
        return _first(rows, saved[rows], most)

    def __getitem__(self, index: int) -> ClusterAudit:
        position = position_of(index, len(self))
        one = self._part(position)
        auditor, names = self.auditor, self.auditor.tiers.names
        place, code = int(self.machine_codes[position]), int(self.tier_codes[position])
        known = place != NO_MACHINE
        capacity = auditor.capacities[place] if known else None
        name = None if self._names is None else self._names[position]
        machine_type = auditor.catalog.machines[place].machine_type if known else str(name)
        reason = capacity.reason if capacity is not None else auditor.unknown_machine(name)
        if code == INVALID:
            reason = "the load cannot be sized"
        by, share, difference = int(one.decided_by[0]), float(one.utilization[0]), float(one.usd_month_difference[0])
        target, following = int(one.recommended_codes[0]), int(one.breaks_next[0])
        return ClusterAudit(
            verdict=VERDICTS[one.verdict_codes[0]],
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
        return (self[index] for index in range(len(self)))

    def _part(self, position: int) -> "FleetAudit":
        """Return the audit of one cluster alone."""
        rows = slice(position, position + 1)

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
    """Return the rows of the greatest weights, greatest first; of equals, the earlier."""
    if len(rows) > most:
        bar = np.partition(weights, len(weights) - most)[len(weights) - most]
        keep = weights >= bar
        rows, weights = rows[keep], weights[keep]
    return rows[np.argsort(-weights, kind="stable")[:most]]


def audit_codes(
    auditor: Auditor,
    machine_codes: NDArray[np.uint16],
    columns: Sequence[NDArray[Any] | None],
    tier_codes: Codes,
    unknown: Sequence[NDArray[np.bool_] | None] = (None, None, None),
    names: NDArray[Any] | None = None,
) -> FleetAudit:
    """Return the audit of clusters whose machines and tiers are given as indices. All arguments are checked already."""
    roomy = np.empty(tier_codes.shape, np.uint8)
    classify_arrays(columns, roomy.shape, roomy, auditor.tiers, auditor.margin_headroom, None)
    return FleetAudit(auditor, machine_codes, tier_codes, roomy, columns, unknown, names)


def audit(
    machine_types: ArrayLike,
    clients: ArrayLike | None,
    requests_per_second: ArrayLike | None,
    data_bytes: ArrayLike | None,
    *,
    provider: str | None = None,
    catalog: str | Path | Catalog = "current",
    tiers: str | Path | TierTable = "guide",
    headroom: float = 0.0,
    margin: float = 0.2,
    members: int = 3,
    on_invalid: str = "raise",
) -> FleetAudit:
    """Return whether the machines that clusters run on are too small, right or too big.

    A machine is as large as the largest tier that it is enough for, by what it sustains (see `fit`). A cluster is
    `under` as soon as its load is past a bound of that tier, and `over` only where it would fit a smaller tier and
    leave a margin of it free, so that a resize does not have to be undone the next day.

    Parameters
    ----------
    machine_types : array_like of str, shape (n,)
        The provider's name of the machine that each cluster's members run on.
    clients : array_like, shape (n,), or None
        Concurrent client connections. [count] Scalars broadcast; None is an unknown dimension.
    requests_per_second : array_like, shape (n,), or None
        Requests per second. [1/s]
    data_bytes : array_like, shape (n,), or None
        Data stored. [bytes]
    provider : str, optional
        The provider of every machine; None looks a type up in all of the catalog.
    catalog : str, Path or Catalog
        The machines that run now, and those to recommend.
    tiers, headroom, members
        As for `size`.
    margin : float
        The share of the smaller tier's bounds to leave free, in [0, 1).
    on_invalid : {"raise", "mark"}
        Whether a load that cannot be sized or an unknown machine raises, or is marked `unknown`.

    Raises
    ------
    InvalidWorkloadError, WorkloadTypeError, OptionError
        As for `size_fleet`; `InvalidWorkloadError` also for a machine that the catalog lacks, with the nearest.

    Notes
    -----
    The difference of price is between the machines, all members, in one region; the disks are left as they are.

    Examples
    --------
    >>> fleet = audit(["m6a.large", "m6a.4xlarge", "m6a.large"], [70, 70, 400], 150, 80e6)
    >>> fleet.verdicts.tolist()
    ['right', 'over', 'under']
    >>> fleet.recommended_machines.tolist()
    ['m6a.large', 'm6a.large', 'm6a.xlarge']
    >>> one = fleet[2]
    >>> one.decided_by, one.utilization, one.tier
    ('clients', 4.0, 'medium')
    """
    one_of("on_invalid", on_invalid, ("raise", "mark"))
    auditor = Auditor(
        catalog if isinstance(catalog, Catalog) else load_catalog(catalog),
        tiers_of(tiers),
        provider=provider,
        headroom=headroom_of(headroom),
        margin=margin_of(margin),
        members=members_of(members),
    )
    names = np.asarray(machine_types)
    if names.dtype.kind not in "OUT":
        raise OptionError(
            f"machine_types: got dtype {names.dtype}, expected names of machines", option="machine_types", value=None
        )
    columns, shape = fleet_columns((clients, requests_per_second, data_bytes), ("machine_types", names.shape))
    needs = fleet_codes(columns, shape, auditor.tiers, auditor.headroom, on_invalid)
    names = np.broadcast_to(names, shape)
    codes = look_up_codes(names, auditor.code_of, np.uint16)
    if on_invalid == "raise" and len(codes) and codes.max() == NO_MACHINE:
        index = int((codes == NO_MACHINE).argmax())
        count = int(np.count_nonzero(codes == NO_MACHINE))
        raise InvalidWorkloadError(
            f"machine_types[{index}]: {auditor.unknown_machine(names[index])}"
            f'{"" if count == 1 else f" ({count} clusters)"}; on_invalid="mark" audits the rest',
            dimension="machine_types",
            index=index,
            value=str(names[index]),
            count=count,
        )
    return audit_codes(auditor, codes, columns, needs, names=names)
