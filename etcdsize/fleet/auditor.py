"""Is what runs now too small or too big? `audit` compares every cluster's machine with its load, all at once.

`Auditor` is how to, worked out once; the answers are a `fleet_audit.FleetAudit`. A machine is judged by what it
sustains. This module imports numpy and the models.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etcdsize.base.checks import one_of
from etcdsize.base.text import nearest, shown
from etcdsize.catalog.catalog import Catalog, load_catalog
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.providers import provider_name
from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.fitting.capacity import Capacity, capacities
from etcdsize.fitting.fit import best_per_tier
from etcdsize.fleet.audit import NO_MACHINE, NO_TIER, FleetAudit
from etcdsize.fleet.classify import classify, looked_up
from etcdsize.fleet.kernel import Codes
from etcdsize.fleet.loads import fleet_codes, fleet_columns
from etcdsize.sizing.options import headroom_of, members_of, tiers_of
from etcdsize.tiers import TierTable

__all__ = ["Auditor", "audit"]


class Auditor:
    """How to audit, worked out once.

    Parameters
    ----------
    catalog : str, Path or Catalog
        The machines that run now, and those to recommend.
    tiers : str, Path or TierTable
        The bounds.
    provider : str, optional
        The provider of every machine; None looks a type up in all of the catalog.
    headroom : float
        The share of every bound to keep free, in [0, 1).
    margin : float
        The share of the smaller tier's bounds that a cluster has to leave free to be `over`, in [0, 1).
    members : int
        Members of every cluster. [count]
    """

    def __init__(
        self,
        catalog: str | Path | Catalog = "current",
        tiers: str | Path | TierTable = "guide",
        *,
        provider: str | None = None,
        headroom: float = 0.0,
        margin: float = 0.2,
        members: int = 3,
    ) -> None:
        self.tiers: TierTable = tiers_of(tiers)
        """The tier table."""
        self.catalog: Catalog = catalog if isinstance(catalog, Catalog) else load_catalog(catalog)
        """The machines that run now."""
        self.headroom: float = headroom_of(headroom)
        """The share of every bound kept free."""
        self.margin: float = self.margin_of(margin)
        """The share of a smaller tier's bounds that has to stay free."""
        self.margin_headroom: float = float(1 - (1 - Fraction(str(self.headroom))) * (1 - Fraction(str(self.margin))))
        """The share of every bound that a smaller tier has to leave free."""
        self.members: int = members_of(members)
        """Members of every cluster."""
        # What a machine is replaced by has its architecture: images are built for one.
        tiers_in_all = len(self.tiers.names)
        place_of: dict[tuple[str, str | None], list[int]] = {}
        wanted: list[Machine] = []
        for arch, best in _wanted(self.catalog, self.tiers):
            for name in best.providers:
                places = place_of[name, arch] = []
                for tier in self.tiers.names:
                    machine = best.find_for(name, tier)
                    places.append(NO_MACHINE if machine is None else len(wanted))
                    wanted += [] if machine is None else [machine]
        self.machines: tuple[Machine, ...] = (*wanted, *self.catalog.machines)
        """What `FleetAudit.recommended_codes` counts: the machines to recommend, then the catalog's."""
        only = None if provider is None else provider_name(provider)
        self._code_of: dict[str, int] = {}
        for code, machine in enumerate(self.catalog.machines):
            if only is None or machine.provider == only:
                self._code_of.setdefault(machine.machine_type, code)
                # Azure's names are the same in any case.
                self._code_of.setdefault(machine.machine_type.lower(), code)
        self.capacities: tuple[Capacity, ...] = capacities(self.catalog, self.tiers)
        """What every machine of the catalog is enough for."""
        found = [NO_TIER if one.tier is None else one.tier for one in self.capacities]
        self.tier_of: NDArray[np.int8] = np.array([*found, NO_TIER], np.int8)
        """The index of the largest tier that every machine is enough for; the last is of those that are not there."""
        nowhere = [NO_MACHINE] * tiers_in_all
        rows = [
            place_of.get((one.provider, one.arch), place_of.get((one.provider, None), nowhere))
            for one in self.catalog.machines
        ]
        # By machine and tier; the last row is of those that are not in the catalog.
        self.recommended: NDArray[np.uint16] = np.array([*rows, nowhere], np.uint16)

    @staticmethod
    def margin_of(margin: Any) -> float:
        """Return the share of a smaller tier's bounds to leave free, checked."""
        try:
            return headroom_of(margin)
        except OptionError as error:
            raise OptionError(str(error).replace("headroom", "margin", 1), option="margin", value=margin) from None

    def code_of(self, machine_type: Any) -> int:
        """Return the index of a machine in the catalog, `NO_MACHINE` where it is not there."""
        if not isinstance(machine_type, str):
            return NO_MACHINE
        return self._code_of.get(machine_type, self._code_of.get(machine_type.lower(), NO_MACHINE))

    def unknown_type(self, machine_type: Any) -> str:
        """Return what to say of a machine that is not in the catalog."""
        if machine_type is None or machine_type == "" or machine_type != machine_type:
            return "missing"
        near = nearest(str(machine_type), [machine.machine_type for machine in self.catalog.machines])
        return f"got {shown(machine_type)}, expected a machine of the catalog {shown(self.catalog.name)}{near}"

    def why_unknown(self, machine_type: Any, code: int) -> str:
        """Return why nothing can be told of a machine."""
        if code == NO_MACHINE:
            return self.unknown_type(machine_type)
        return f"{self.catalog.machines[code].machine_type}: {self.capacities[code].reason}"

    def __call__(
        self,
        machine_codes: NDArray[np.uint16],
        columns: Sequence[NDArray[Any] | None],
        unknown: Sequence[NDArray[np.bool_] | None] = (None, None, None),
        needs: Codes | None = None,
    ) -> FleetAudit:
        """Return the audit of clusters whose machines are given as indices in the catalog.

        `needs` are the tiers that the loads need, where they are known already.
        """
        needs, roomy = (
            classify(*columns, tiers=self.tiers, headroom=headroom, on_invalid="mark") if found is None else found
            for headroom, found in ((self.headroom, needs), (self.margin_headroom, None))
        )
        return FleetAudit(self, machine_codes, needs, roomy, columns, unknown)


def _wanted(catalog: Catalog, tiers: TierTable) -> Iterator[tuple[str | None, Catalog]]:
    """Give the machines to recommend, by architecture; None where the catalog itself says which is for which tier."""
    if catalog.has_tiers:
        yield None, catalog
        return
    refused: OptionError | None = None
    found_one = False
    for arch in sorted({machine.arch for machine in catalog.machines if machine.arch is not None}, reverse=True):
        try:
            best = best_per_tier(catalog, tiers, arch)
        except OptionError as error:
            refused = refused or error
            continue
        found_one = True
        yield arch, best
    if refused is not None and not found_one:
        raise refused


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
    auditor = Auditor(catalog, tiers, provider=provider, headroom=headroom, margin=margin, members=members)
    names = np.asarray(machine_types)
    if names.dtype.kind not in "OUT":
        raise OptionError(
            f"machine_types: got dtype {names.dtype}, expected names of machines", option="machine_types", value=None
        )
    columns, shape = fleet_columns((clients, requests_per_second, data_bytes), ("machine_types", names.shape))
    needs = fleet_codes(columns, shape, auditor.tiers, auditor.headroom, on_invalid)
    names = np.broadcast_to(names, shape)
    codes = looked_up(names, auditor.code_of, np.uint16)
    if on_invalid == "raise" and len(codes) and codes.max() == NO_MACHINE:
        index = int((codes == NO_MACHINE).argmax())
        count = int(np.count_nonzero(codes == NO_MACHINE))
        raise InvalidWorkloadError(
            f"machine_types[{index}]: {auditor.unknown_type(names[index])}"
            f'{"" if count == 1 else f" ({count} clusters)"}; on_invalid="mark" audits the rest',
            dimension="machine_types",
            index=index,
            value=str(names[index]),
            count=count,
        )
    found = auditor(codes, columns, needs=needs)
    found._names = names
    return found
