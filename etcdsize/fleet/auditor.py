"""The rules of an audit: how large each machine of a catalog is, and what to recommend in its place.

An `Auditor` works them out once; `audit` applies them to a fleet. A machine is judged by its sustained performance,
never by its burst performance.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etcdsize.base.text import Suggestions, nearest, shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.providers import provider_name
from etcdsize.errors import OptionError
from etcdsize.fitting.capacity import Capacity, capacities
from etcdsize.fitting.fit import best_per_tier
from etcdsize.tiers import TierTable

__all__ = ["NO_MACHINE", "NO_TIER", "Auditor"]

NO_MACHINE = 65_535
"""The code of a machine that is not in the catalog."""
NO_TIER = 127
"""The tier index of a machine with an unknown figure."""


class Auditor:
    """The rules of an audit. All arguments are checked already.

    Parameters
    ----------
    catalog : Catalog
        The machines in use, and the ones to recommend.
    tiers : TierTable
        The bounds.
    provider : str, optional
        The provider of every machine; None looks up a machine type in the whole catalog.
    headroom : float
        The share of every bound to keep free, in [0, 1).
    margin : float
        The headroom that a smaller tier must still have before a cluster is reported as `over`, in [0, 1).
    members : int
        Members of every cluster. [count]
    """

    def __init__(
        self,
        catalog: Catalog,
        tiers: TierTable,
        *,
        provider: str | None,
        headroom: float,
        margin: float,
        members: int,
    ) -> None:
        self.tiers: TierTable = tiers
        """The tier table."""
        self.catalog: Catalog = catalog
        """The catalog of machines in use."""
        self.headroom: float = headroom
        """The share of every bound that is kept free."""
        self.margin: float = margin
        """The headroom that a smaller tier must still have."""
        self.margin_headroom: float = float(1 - (1 - Fraction(str(headroom))) * (1 - Fraction(str(margin))))
        """Headroom and margin combined, as the headroom of a smaller tier."""
        self.members: int = members
        """Members of every cluster."""
        # A machine is replaced by one of the same architecture, because container images are built for one.
        tiers_in_all = len(self.tiers.names)
        place_of: dict[tuple[str, str | None], list[int]] = {}
        wanted: list[Machine] = []
        for arch, best in _best_machines(self.catalog, self.tiers):
            for name in best.providers:
                places = place_of[name, arch] = []
                for tier in self.tiers.names:
                    machine = best.find_for(name, tier)
                    places.append(NO_MACHINE if machine is None else len(wanted))
                    wanted += [] if machine is None else [machine]
        self.machines: tuple[Machine, ...] = (*wanted, *self.catalog.machines)
        """The machines that `FleetAudit.recommended_codes` indexes: those to recommend, then the catalog's."""
        self._suggestions = Suggestions()
        self._nearest: dict[str, str] = {}
        only = None if provider is None else provider_name(provider)
        self._code_of: dict[str, int] = {}
        for code, machine in enumerate(self.catalog.machines):
            if only is None or machine.provider == only:
                self._code_of.setdefault(machine.machine_type, code)
                # Azure's names are not case-sensitive.
                self._code_of.setdefault(machine.machine_type.lower(), code)
        self.capacities: tuple[Capacity, ...] = capacities(self.catalog, self.tiers)
        """The largest tier that each machine of the catalog is enough for."""
        found = [NO_TIER if one.tier is None else one.tier for one in self.capacities]
        self.tier_of: NDArray[np.int8] = np.array([*found, NO_TIER], np.int8)
        """The index of that tier for each machine; the last entry is for machines that are not in the catalog."""
        nowhere = [NO_MACHINE] * tiers_in_all
        rows = [
            place_of.get((one.provider, one.arch), place_of.get((one.provider, None), nowhere))
            for one in self.catalog.machines
        ]
        # Indexed by machine and tier; the last row is for machines that are not in the catalog.
        self.recommended: NDArray[np.uint16] = np.array([*rows, nowhere], np.uint16)

    def code_of(self, machine_type: Any) -> int:
        """Return the index of a machine in the catalog, or `NO_MACHINE`."""
        if not isinstance(machine_type, str):
            return NO_MACHINE
        return self._code_of.get(machine_type, self._code_of.get(machine_type.lower(), NO_MACHINE))

    def unknown_machine(self, machine_type: Any) -> str:
        """Return the problem of a machine that is not in the catalog; the first ones get a suggestion."""
        if machine_type is None or machine_type == "" or machine_type != machine_type:
            return "missing"
        name = str(machine_type)
        if name not in self._nearest and self._suggestions.take():
            self._nearest[name] = nearest(name, (machine.machine_type for machine in self.catalog.machines))
        near = self._nearest.get(name, "")
        return f"got {shown(machine_type)}, expected a machine of the catalog {shown(self.catalog.name)}{near}"

    def reason_unknown(self, machine_type: Any, code: int) -> str:
        """Return why a machine gets no verdict."""
        if code == NO_MACHINE:
            return self.unknown_machine(machine_type)
        return f"{self.catalog.machines[code].machine_type}: {self.capacities[code].reason}"


def _best_machines(catalog: Catalog, tiers: TierTable) -> Iterator[tuple[str | None, Catalog]]:
    """Yield the machines to recommend for each architecture; None means a catalog that assigns tiers itself."""
    if catalog.has_tiers:
        yield None, catalog
        return
    first_error: OptionError | None = None
    found_any = False
    for arch in sorted({machine.arch for machine in catalog.machines if machine.arch is not None}, reverse=True):
        try:
            best = best_per_tier(catalog, tiers, arch)
        except OptionError as error:
            first_error = first_error or error
            continue
        found_any = True
        yield arch, best
    if first_error is not None and not found_any:
        raise first_error
