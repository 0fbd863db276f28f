"""Where clusters are: a provider each, and the prices that count there.

A fleet whose clusters are in many regions has a market for each region that occurs.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from etcdsize.base.text import shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.loading import catalog_for
from etcdsize.catalog.regions import region_named, regions_of
from etcdsize.errors import OptionError
from etcdsize.sizing.options import arch_of
from etcdsize.tiers import TierTable

__all__ = ["Market", "Markets", "Place", "best_in"]


# Their numbers fit a byte, beside those that mean something else.
_MOST = 250


class Market(NamedTuple):
    """A provider, and a catalog with a machine for every tier at the prices there."""

    provider: str
    catalog: Catalog

    @property
    def region(self) -> str | None:
        """The region of the prices; None for those that the catalog has."""
        return self.catalog.regions.get(self.provider)

    @property
    def place(self) -> tuple[str, str] | None:
        """Provider and region; None for the prices that the catalog has."""
        return None if self.region is None else (self.provider, self.region)


class Place(NamedTuple):
    """Where a cluster is; or why that is not known."""

    number: int | None
    """The number of its market, None where that is not known."""
    problem: str = ""
    """Why it is not known."""
    elsewhere: str = ""
    """The provider that the region implies, if the catalog does not have any of its machines."""


class Markets:
    """The markets of a fleet, each with a number: at first one for each provider, and then those that are looked up.

    Parameters
    ----------
    asked : Catalog
        The machines, as they were asked for.
    catalog : Catalog
        The same with a machine for every tier.
    tiers : TierTable
        The bounds.
    providers : sequence of str
        The providers that a cluster can have.
    """

    def __init__(self, asked: Catalog, catalog: Catalog, tiers: TierTable, providers: Sequence[str]) -> None:
        self._asked = asked
        self._tiers = tiers
        self._providers = providers
        self._regions = asked.price_regions
        self.found: list[Market] = [Market(name, catalog) for name in providers]
        """The markets by their numbers."""
        self._numbers: dict[tuple[str, str], int] = {}

    def look_up(self, provider: int | None, region: Any) -> Place:
        """Return where a cluster is.

        Parameters
        ----------
        provider : int or None
            The number of its provider. None: the only one, or that which the region implies.
        region : str or None
            The region, as it is written. None: the prices that the catalog has.
        """
        if provider is None and len(self._providers) == 1:
            provider = 0
        if region is None:
            return Place(provider, "missing" if provider is None else "")
        if not isinstance(region, str):
            return Place(None, f"got {shown(region)} of type {type(region).__name__}, expected the name of a region")
        if provider is not None:
            name = self._providers[provider]
            found = region_named(region, name, self._regions.get(name, ()))
            if found is not None:
                return self._place(name, found)
        try:
            named = None if provider is None else (self._providers[provider],)
            ((name, found),) = regions_of(region, named, self._providers, self._regions).items()
        except OptionError as error:
            return Place(None, str(error).removeprefix("region: "))
        return self._place(name, found) if name in self._providers else Place(None, elsewhere=name)

    def _place(self, provider: str, region: str) -> Place:
        number = self._numbers.get((provider, region))
        if number is None:
            if len(self.found) >= _MOST:
                return Place(None, f"got a region more than the {_MOST} that a fleet can have, expected fewer")
            there = best_in(self._asked, self._tiers, provider, region, arch_of(self._asked))
            self.found.append(Market(provider, there))
            number = self._numbers[provider, region] = len(self.found) - 1
        return Place(number)


@functools.lru_cache(maxsize=512)
def best_in(asked: Catalog, tiers: TierTable, provider: str, region: str, arch: str | None) -> Catalog:
    """Return a catalog of the machines of one provider for every tier, at the prices of one of its regions.

    They have the architecture, if one is given; those of a catalog that assigns tiers are what it assigns.
    """
    there, _ = catalog_for(asked, provider, region)
    if there.has_tiers:
        return there
    # Imported here because it takes time to load and few callers need it.
    from etcdsize.fitting.fit import best_per_tier

    alone = there.model_copy(update={"machines": tuple(one for one in there.machines if one.provider == provider)})
    return best_per_tier(alone, tiers, arch)
