"""The rules of an audit: how large each machine of a catalog is, and what to recommend in its place.

An `Auditor` works them out once; `audit` applies them to a fleet. A machine is judged by its sustained performance,
never by its burst performance.
"""

from collections.abc import Iterable, Sequence
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
from etcdsize.sizing.markets import best_in
from etcdsize.sizing.options import arch_of
from etcdsize.tiers import TierTable

__all__ = ["NO_MACHINE", "NO_TIER", "Auditor", "Figures", "PriceTables"]

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
        self._asked = catalog
        self._listed: list[Machine] = []
        self._identity: dict[tuple[str, str] | None, int] = {None: 0}
        # A machine is replaced by one of the same architecture, because container images are built for one.
        archs = sorted({machine.arch for machine in catalog.machines if machine.arch is not None}, reverse=True)
        self._archs: tuple[str | None, ...] = (None,) if catalog.has_tiers else tuple(archs)
        self._markets: dict[tuple[str, str] | None, _Market] = {None: self._market(None)}
        self._own: list[int] = []
        self._list_own(catalog.machines)
        self._only = None if provider is None else provider_name(provider)
        self._candidates = tuple(one for one in catalog.machines if self._only in (None, one.provider))
        self._suggestions = Suggestions()
        self._unknown: dict[tuple[str, str | None], str] = {}
        self._tables: PriceTables | None = None
        self._prices: dict[tuple[str, str], list[Price | None]] = {}
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
        self.capacities: tuple[Capacity, ...] = capacities(self.catalog, self.tiers)
        """The largest tier that each machine of the catalog is enough for."""
        self._tabulate()

    def _market(self, place: tuple[str, str] | None) -> "_Market":
        """Return what to recommend at the prices of a region of a provider, None for those that the catalog has."""
        names = self.tiers.names
        recommended: dict[tuple[str, str | None], list[int]] = {}
        for arch in self._archs:
            best = self._best(place, arch)
            for provider in best.providers:
                found = [best.find_for(provider, tier) for tier in names]
                recommended[provider, arch] = [NO_MACHINE if one is None else self._list(one) for one in found]
        # Sizing a tier gives the usual machine of the provider, whatever the architecture of the current one.
        usual = self._best(place, arch_of(self._asked))
        numbers = {name: [self._number(usual.find_for(name, tier)) for tier in names] for name in usual.providers}
        return _Market(recommended, numbers)

    def _best(self, place: tuple[str, str] | None, arch: str | None) -> Catalog:
        if place is not None:
            return best_in(self._asked, self.tiers, *place, arch)
        return self._asked if self._asked.has_tiers else best_per_tier(self._asked, self.tiers, arch)

    def _list(self, machine: Machine) -> int:
        """Return the code of a machine in `machines`, to which it is added."""
        self._listed.append(machine)
        return len(self._listed) - 1

    def _list_own(self, machines: Iterable[Machine]) -> None:
        """Add machines of the catalog to `machines`."""
        self._own += [self._list(machine) for machine in machines]

    def _number(self, machine: Machine | None) -> int:
        """Return a number for a type of a provider, 0 for none."""
        key = None if machine is None else (machine.provider, machine.machine_type)
        return self._identity.setdefault(key, len(self._identity))

    def _tabulate(self) -> None:
        """Make the tables of all machines. In each, the last entry is for machines that are not known."""
        machines, names, markets = self.catalog.machines, self.tiers.names, self._markets.values()
        self.machines: tuple[Machine, ...] = tuple(self._listed)
        """The machines that `FleetAudit.recommended_codes` indexes: those to recommend, and the catalog's."""
        self.own_codes: NDArray[np.uint16] = np.array([*self._own, NO_MACHINE], np.uint16)
        """The code of each machine of the catalog among `machines`."""
        self.limit_unknown: NDArray[np.bool_] = np.array([*(not one.limit_known for one in self.machines), False])
        """Whether the limit of each of `machines` for its disk is not published."""
        found = [NO_TIER if one.tier is None else one.tier for one in self.capacities]
        self.tier_of: NDArray[np.int8] = np.array([*found, NO_TIER], np.int8)
        """The index of the largest tier that each machine is enough for."""
        self.most_of: NDArray[np.int8] = np.array([*(one.most for one in self.capacities), NO_TIER], np.int8)
        """The index of the largest tier that it may be enough for."""
        self.by_figures: NDArray[np.bool_] = np.array([*(one.reason in UNKNOWN_DISK for one in self.capacities), True])
        """Whether the vCPUs and the memory that a row states may decide: nothing else of the machine is known."""
        groups = {group: place for place, group in enumerate({(one.provider, one.arch): None for one in machines})}
        found = [groups[one.provider, one.arch] for one in machines]
        self._group_of: NDArray[np.intp] = np.array([*found, len(groups)], np.intp)
        default, nothing = self._markets[None], [NO_MACHINE] * len(names)
        of_groups = [[*(one.recommended_for(group, default, nothing) for group in groups), nothing] for one in markets]
        # By market, group of machines and tier.
        self._recommended: NDArray[np.uint16] = np.array(of_groups, np.uint16)
        none = [0] * len(names)
        numbers = [
            [*(one.usual.get(name, default.usual.get(name, none)) for name, _ in groups), none] for one in markets
        ]
        self._usual: NDArray[np.int32] = np.array(numbers, np.int32)
        self.identities: NDArray[np.int32] = np.array([*map(self._number, self.machines), 0], np.int32)
        """A number for each of `machines`, equal for the same type of a provider; 0 for none, and last."""

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
            self._list_own([machine])
            self._tabulate()
        return code

    def recommended(self, markets: Any, places: NDArray[np.intp], tiers: Any) -> NDArray[np.uint16]:
        """Return the codes of the machines to recommend.

        Parameters
        ----------
        markets : array of uint16 or int
            The numbers of the markets whose prices count.
        places : array of intp
            The machines in use: their places in the catalog, its length for one that is not in it.
        tiers : array of uint8 or int
            The tiers that the clusters need.
        """
        codes: NDArray[np.uint16] = self._recommended[markets, self._group_of[places], tiers]
        return codes

    def usual(self, markets: Any, places: NDArray[np.intp], tiers: Any) -> NDArray[np.int32]:
        """Return the numbers in `identities` of the machines that sizing gives; the parameters are the same."""
        numbers: NDArray[np.int32] = self._usual[markets, self._group_of[places], tiers]
        return numbers

    def market_numbers(self, places: Iterable[tuple[str, str] | None]) -> NDArray[np.uint16]:
        """Return the numbers of markets: regions, each after its provider, or None for the prices of the catalog.

        What to recommend in a region is found once, when it is first asked for. Codes that were returned before stay
        valid.
        """
        places = list(places)
        new = [place for place in dict.fromkeys(places) if place not in self._markets]
        for place in new:
            self._markets[place] = self._market(place)
        if new:
            self._tabulate()
        numbers = {place: number for number, place in enumerate(self._markets)}
        return np.array([numbers[place] for place in places], np.uint16)

    def prices_in(self, market: int) -> Sequence[Price | None]:
        """Return the prices of `machines` in a market, by its number."""
        place = tuple(self._markets)[market]
        if place is None:
            return [machine.price for machine in self.machines]
        found = self._prices.setdefault(place, [])
        more = self.machines[len(found) :]
        if more:
            there = self.catalog.model_copy(update={"machines": more, "disk_kinds": ()})
            found += [machine.price for machine in there._at_prices_of(dict([place])).machines]
        return found

    @property
    def prices(self) -> "PriceTables":
        """The prices of `machines` in every market."""
        if self._tables is None or self._tables.per_hour.shape != (len(self._markets), len(self.machines) + 1):
            self._tables = PriceTables.of([self.prices_in(market) for market in range(len(self._markets))])
        return self._tables

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
        return Figures(tiers, (ratios[1] > ratios[0]).astype(np.uint8), np.maximum(*ratios), vcpus, memory_gib)


class _Market(NamedTuple):
    """What to recommend at the prices of a region, or at those of the catalog."""

    recommended: dict[tuple[str, str | None], list[int]]
    """The code of the machine for each tier, `NO_MACHINE` for none, by provider and architecture; None is any."""
    usual: dict[str, list[int]]
    """The number of the machine that sizing gives for each tier, by provider."""

    def recommended_for(self, group: tuple[str, str | None], default: "_Market", nothing: list[int]) -> list[int]:
        """Return the codes for a provider and an architecture: those of the default for another provider's region."""
        keys = (group, (group[0], None))
        return next(
            (one.recommended[key] for one in (self, default) for key in keys if key in one.recommended), nothing
        )


class PriceTables(NamedTuple):
    """The prices of machines by market and machine; the last machine is none."""

    per_hour: NDArray[np.float64]
    """NaN where it is unknown. [currency/h]"""
    kind: NDArray[np.int32]
    """A number for the region and the currency: two prices with the same can be compared. -1 where it is unknown."""
    currency: NDArray[np.uint16]
    """The index in `currencies`, their number where it is unknown."""
    currencies: tuple[str, ...]
    """The currencies, in alphabetical order."""

    @classmethod
    def of(cls, prices: Sequence[Sequence[Price | None]]) -> "PriceTables":
        """Return the tables of the prices in each market."""
        every = {(price.region, price.currency) for row in prices for price in row if price is not None}
        kinds = {kind: number for number, kind in enumerate(sorted(every))}
        names = tuple(sorted({currency for _, currency in every}))
        of_kind = [*(names.index(currency) for _, currency in kinds), len(names)]
        kind = np.array(
            [[*(-1 if one is None else kinds[one.region, one.currency] for one in row), -1] for row in prices], np.int32
        )
        per_hour = [[*(np.nan if one is None else one.per_hour for one in row), np.nan] for row in prices]
        return cls(np.array(per_hour, float), kind, np.array(of_kind, np.uint16)[kind], names)


class Figures(NamedTuple):
    """What the vCPUs and the memory that rows state say of their machines."""

    tiers: NDArray[np.int8]
    """The largest tier that they are enough for, `BELOW` for none; `NO_TIER` where they do not count."""
    figure: NDArray[np.uint8]
    """Which of the two the smallest tier needs most of, in comparison."""
    ratio: NDArray[np.float64]
    """How many times this figure it needs."""
    vcpus: NDArray[np.float64]
    """The vCPUs, NaN where they are unknown. [count]"""
    memory_gib: NDArray[np.float64]
    """The memory, NaN where it is unknown. [GiB]"""

    def cut(self, rows: slice) -> "Figures":
        """Return the same of some of the rows."""
        return Figures._make(column[rows] for column in self)
