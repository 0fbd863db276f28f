"""The rules of an audit: how large each machine of a catalog is, and what to recommend in its place.

An `Auditor` works them out once; `audit` applies them to a fleet. A machine is judged by its sustained performance,
never by its burst performance.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from etcdsize.base.text import Suggestions
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.costs import Price
from etcdsize.catalog.known_types import type_key
from etcdsize.catalog.loading import usual_providers
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.providers import provider_name
from etcdsize.fitting.capacity import BELOW, UNKNOWN_DISK, Capacity, capacities, capacity_of, needs_of
from etcdsize.fitting.fit import best_per_tier
from etcdsize.fitting.need import FIGURES
from etcdsize.fleet.machine_names import unknown_machine
from etcdsize.sizing.options import with_tiers
from etcdsize.tiers import TierTable

__all__ = ["NO_MACHINE", "NO_TIER", "Auditor", "Figures"]

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
        """The catalog, and after its machines the known types that were looked up."""
        self.headroom: float = headroom
        """The share of every bound that is kept free."""
        self.margin: float = margin
        """The headroom that a smaller tier must still have."""
        self.margin_headroom: float = float(1 - (1 - Fraction(str(headroom))) * (1 - Fraction(str(margin))))
        """Headroom and margin combined, as the headroom of a smaller tier."""
        self.members: int = members
        """Members of every cluster."""
        # A machine is replaced by one of the same architecture, because container images are built for one.
        self._places: dict[tuple[str, str | None], list[int]] = {}
        wanted: list[Machine] = []
        for arch, best in _best_machines(self.catalog, self.tiers):
            for name in best.providers:
                self._places[name, arch] = []
                for tier in self.tiers.names:
                    machine = best.find_for(name, tier)
                    self._places[name, arch].append(NO_MACHINE if machine is None else len(wanted))
                    wanted += [] if machine is None else [machine]
        self._wanted = tuple(wanted)
        self._only = None if provider is None else provider_name(provider)
        self._candidates = tuple(one for one in catalog.machines if self._only in (None, one.provider))
        self._suggestions = Suggestions()
        self._unknown: dict[tuple[str, str | None], str] = {}
        self._prices: dict[tuple[str, str, int], tuple[Price | None, ...]] = {}
        # By provider; by None those whose provider need not be named.
        self._code_of: dict[tuple[str | None, str], int] = {}
        unnamed = catalog.default_providers or catalog.providers
        for code, machine in enumerate(catalog.machines):
            for of in (machine.provider, *([None] if machine.provider in unnamed else [])):
                self._code_of.setdefault((of, machine.machine_type), code)
                self._code_of.setdefault((of, type_key(machine.machine_type, of)), code)
        needs = needs_of(self.tiers)
        self._tier_needs = needs
        self._needs = [np.array([getattr(need, name) for need in needs], float) for name in FIGURES[:2]]
        # Sizing a tier gives the usual machine of the provider, whatever the architecture of the current one.
        usual, names = with_tiers(self.catalog, self.tiers), self.tiers.names
        self._identity: dict[tuple[str, str] | None, int] = {None: 0}
        self._usual_of = {
            provider: [self._number(usual.find_for(provider, name)) for name in names] for provider in catalog.providers
        }
        self.capacities: tuple[Capacity, ...] = capacities(self.catalog, self.tiers)
        """The largest tier that each machine of the catalog is enough for."""
        self._tabulate()

    def _number(self, machine: Machine | None) -> int:
        """Return a number for a type of a provider, 0 for none."""
        key = None if machine is None else (machine.provider, machine.machine_type)
        return self._identity.setdefault(key, len(self._identity))

    def _tabulate(self) -> None:
        """Make the tables of all machines. In each, the last entry is for machines that are not known."""
        machines, names = self.catalog.machines, self.tiers.names
        self.machines: tuple[Machine, ...] = (*self._wanted, *machines)
        """The machines that `FleetAudit.recommended_codes` indexes: those to recommend, then the catalog's."""
        self.limit_unknown: NDArray[np.bool_] = np.array([*(not one.limit_known for one in self.machines), False])
        """Whether the limit of each of `machines` for its disk is not published."""
        priced = {machine.price.currency for machine in self.machines if machine.price is not None}
        self.currency_names: tuple[str, ...] = tuple(sorted(priced))
        """The currencies of their prices."""
        found = [NO_TIER if one.tier is None else one.tier for one in self.capacities]
        self.tier_of: NDArray[np.int8] = np.array([*found, NO_TIER], np.int8)
        """The index of the largest tier that each machine is enough for."""
        self.most_of: NDArray[np.int8] = np.array([*(one.most for one in self.capacities), NO_TIER], np.int8)
        """The index of the largest tier that it may be enough for."""
        self.by_figures: NDArray[np.bool_] = np.array([*(one.reason in UNKNOWN_DISK for one in self.capacities), True])
        """Whether the vCPUs and the memory that a row states may decide: nothing else of the machine is known."""
        places, nowhere = self._places, [NO_MACHINE] * len(names)
        rows = [places.get((one.provider, one.arch), places.get((one.provider, None), nowhere)) for one in machines]
        self.recommended: NDArray[np.uint16] = np.array([*rows, nowhere], np.uint16)
        """The code of the machine to recommend, by machine and tier."""
        self.identities: NDArray[np.int32] = np.array([*map(self._number, self.machines), 0], np.int32)
        """A number for each of `machines`, equal for the same type of a provider; 0 for none, and last."""
        none = [0] * len(names)
        self.usual: NDArray[np.int32] = np.array(
            [*(self._usual_of.get(one.provider, none) for one in machines), none], np.int32
        )
        """The number of the machine that sizing gives for a tier, by machine and tier."""

    def code_of(self, machine_type: Any, provider: str | None = None) -> int:
        """Return the index of a machine in the catalog, to which a known type is added; `NO_MACHINE` for any other.

        A type is first looked up among those of the provider, if one is named: several may have a type of that name.
        Codes that were returned before stay valid.
        """
        if not isinstance(machine_type, str):
            return NO_MACHINE
        provider = provider if self._only is None else self._only
        code = self._find(machine_type, provider)
        if code is None and provider is not None and self._only is None:
            code = self._find(machine_type, None)
        return NO_MACHINE if code is None else code

    def _find(self, machine_type: str, provider: str | None) -> int | None:
        """Return the code of a type of a provider, or for None of one whose provider need not be named."""
        key = type_key(machine_type, provider)
        code = self._code_of.get((provider, machine_type), self._code_of.get((provider, key)))
        if code is None:
            machine = self.catalog.find_known_type(machine_type, usual_providers() if provider is None else (provider,))
            if machine is None:
                return None
            code = self._code_of[provider, key] = len(self.capacities)
            self.catalog = self.catalog.model_copy(update={"machines": (*self.catalog.machines, machine)})
            self.capacities = (*self.capacities, capacity_of(machine, self._tier_needs))
            self._tabulate()
        return code

    def prices_in(self, place: tuple[str, str] | None) -> tuple[Price | None, ...]:
        """Return the prices of `machines` in a region of a provider; None for those that the catalog has."""
        if place is None:
            return tuple(machine.price for machine in self.machines)
        key = (*place, len(self.machines))
        if key not in self._prices:
            there = self.catalog.model_copy(update={"machines": self.machines, "disk_kinds": ()})
            found = there.in_region(f"{place[0]}={place[1]}").machines
            self._prices[key] = tuple(machine.price for machine in found)
        return self._prices[key]

    def unknown_machine(self, machine_type: Any, provider: str | None = None) -> str:
        """Return the problem of a machine that is not in the catalog; the first ones get a suggestion."""
        if machine_type is None or machine_type == "" or machine_type != machine_type:
            return "missing"
        name, provider = str(machine_type), provider if self._only is None else self._only
        if (name, provider) in self._unknown:
            return self._unknown[name, provider]
        if not self._suggestions.take():
            return unknown_machine(name, self.catalog, (), provider)
        candidates = (one for one in self._candidates if provider in (None, one.provider))
        self._unknown[name, provider] = unknown_machine(name, self.catalog, candidates, provider)
        return self._unknown[name, provider]

    def reason_unknown(self, machine_type: Any, code: int, provider: str | None = None) -> str:
        """Return why a machine gets no verdict."""
        if code == NO_MACHINE:
            return self.unknown_machine(machine_type, provider)
        return f"{self.catalog.machines[code].machine_type}: {self.capacities[code].reason}"

    def figures(self, vcpus: NDArray[np.float64], memory_gib: NDArray[np.float64]) -> "Figures":
        """Return how large machines are by their vCPUs and memory alone, which are NaN where they are unknown."""
        fits = [np.searchsorted(need, has, side="right") for need, has in zip(self._needs, (vcpus, memory_gib))]
        with np.errstate(divide="ignore"):
            ratios = [need[0] / has for need, has in zip(self._needs, (vcpus, memory_gib))]
        tiers = (np.minimum(*fits) + BELOW).astype(np.int8)
        tiers[np.isnan(vcpus) | np.isnan(memory_gib)] = NO_TIER
        return Figures(tiers, (ratios[1] > ratios[0]).astype(np.uint8), np.maximum(*ratios), memory_gib)


class Figures(NamedTuple):
    """What the vCPUs and the memory that rows state say of their machines."""

    tiers: NDArray[np.int8]
    """The largest tier that they are enough for, `BELOW` for none; `NO_TIER` where they do not count."""
    figure: NDArray[np.uint8]
    """Which of the two the smallest tier needs most of, in comparison."""
    ratio: NDArray[np.float64]
    """How many times this figure it needs."""
    memory_gib: NDArray[np.float64]
    """The memory, NaN where it is unknown. [GiB]"""

    def cut(self, rows: slice) -> "Figures":
        """Return the same of some of the rows."""
        return Figures._make(column[rows] for column in self)


def _best_machines(catalog: Catalog, tiers: TierTable) -> Iterator[tuple[str | None, Catalog]]:
    """Yield the machines to recommend for each architecture; None means a catalog that assigns tiers itself."""
    if catalog.has_tiers:
        yield None, catalog
        return
    for arch in sorted({machine.arch for machine in catalog.machines if machine.arch is not None}, reverse=True):
        yield arch, best_per_tier(catalog, tiers, arch)
