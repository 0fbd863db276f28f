"""Where clusters are: a provider each, and the prices that count there.

A fleet whose clusters are in many regions has a market for each region that occurs.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from etcdsize.catalog.catalog import Catalog, catalog_for
from etcdsize.sizing.options import arch_of, with_tiers
from etcdsize.tiers import TierTable

__all__ = ["Market", "Markets"]


class Market(NamedTuple):
    """A provider, and a catalog with a machine for every tier at the prices there."""

    provider: str
    catalog: Catalog

    @property
    def region(self) -> str | None:
        """The region of the prices; None for those that the catalog has."""
        return self.catalog.regions.get(self.provider)


class Markets:
    """The markets of a fleet, each with a number: at first one for each provider, and then those that are looked up.

    Parameters
    ----------
    catalog : Catalog
        The machines, as they were asked for.
    tiers : TierTable
        The bounds.
    """

    def __init__(self, catalog: Catalog, tiers: TierTable) -> None:
        self._asked = catalog
        self._tiers = tiers
        fitted = with_tiers(catalog, tiers)
        self.catalog: Catalog = fitted
        """The catalog with a machine for every tier."""
        self.found: list[Market] = [Market(provider, fitted) for provider in fitted.providers]
        """The markets by their numbers."""
        self._numbers: dict[tuple[str, str | None], int] = {
            (market.provider, market.region): number for number, market in enumerate(self.found)
        }

    def number(self, provider: str, region: str | None) -> int:
        """Return the number of the market of a provider that the catalog has, in one of its regions."""
        number = self._numbers.get((provider, region))
        if number is None:
            self.found.append(Market(provider, _catalog_in(self._asked, self._tiers, provider, region)))
            number = self._numbers[provider, region] = len(self.found) - 1
        return number


@functools.lru_cache(maxsize=256)
def _catalog_in(asked: Catalog, tiers: TierTable, provider: str, region: str | None) -> Catalog:
    """Return a catalog of the machines of one provider for every tier, at the prices of one of its regions."""
    there, _ = catalog_for(asked, provider, region)
    if there.has_tiers:
        return there
    # Imported here because it takes time to load and few callers need it.
    from etcdsize.fitting.fit import best_per_tier

    alone = there.model_copy(update={"machines": tuple(one for one in there.machines if one.provider == provider)})
    return best_per_tier(alone, tiers, arch_of(asked))
