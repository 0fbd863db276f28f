"""The sizing of a fleet: one array per column, each computed on first use."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from etcdsize.base.checks import one_of
from etcdsize.base.text import shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.machines import Machine
from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.fitting.today import cluster_cost_per_month, cost_currency, cost_date, cost_region, machine_today
from etcdsize.fleet.kernel import INVALID, Codes, Column, classify_columns
from etcdsize.fleet.nodes import KubernetesNodes
from etcdsize.sizing.answer import Sizing
from etcdsize.sizing.markets import Market
from etcdsize.sizing.notices import no_machines_notice
from etcdsize.sizing.size import size
from etcdsize.tiers import TierTable, exact_bounds
from etcdsize.units import DIMENSIONS

__all__ = ["ELSEWHERE", "FleetSizing", "position_of"]

ELSEWHERE = 254
"""The code of a provider of which the catalog has no machine."""

ArrayT = TypeVar("ArrayT", bound=NDArray[Any])

# Rows per block: the scratch fits the cache (our choice).
_BLOCK = 65_536


class FleetSizing:
    """The sizing of a fleet: one array per column, each computed on first use.

    `fleet[i]` is the `Sizing` that `size` returns for that cluster; it raises `InvalidWorkloadError` for a cluster that
    cannot be sized. The columns are computed from the caller's arrays, which are not copied: do not change them.
    """

    def __init__(
        self,
        columns: Sequence[NDArray[Any] | None],
        codes: Codes,
        providers: str | Codes | None,
        catalog: Catalog,
        tiers: TierTable,
        headroom: float,
        members: int,
        unknown: Sequence[NDArray[np.bool_] | None] = (None, None, None),
        nodes: KubernetesNodes | None = None,
        markets: Sequence[Market] | None = None,
    ) -> None:
        self._columns = columns
        self._unknown = unknown
        self._nodes = nodes
        self._providers = providers
        # What the codes of `providers` mean. None: the catalog's providers.
        self._markets = markets
        self.catalog = catalog
        """The catalog."""
        self.tiers = tiers
        """The tier table."""
        self.headroom = headroom
        """The share of every bound that is kept free."""
        self.members = members
        """Members of every cluster."""
        codes.flags.writeable = False
        self.tier_codes: Codes = codes
        """The index of every cluster's tier in `tiers`, 255 where it cannot be sized. uint8, shape (n,)"""

    def __len__(self) -> int:
        return len(self.tier_codes)

    def __repr__(self) -> str:
        return f"<FleetSizing of {len(self)} clusters: {self.counts()}>"

    def __getitem__(self, index: int) -> Sizing:
        position = position_of(index, len(self))
        if self.tier_codes[position] == INVALID:
            raise InvalidWorkloadError(f"cluster {position}: cannot be sized", index=position)
        loads: dict[str, Any] = {
            name: None if column is None or (unknown is not None and unknown[position]) else column[position]
            for name, column, unknown in zip(DIMENSIONS, self._columns, self._unknown)
        }
        provider, catalog, elsewhere = self._providers, self.catalog, False
        if provider is not None and not isinstance(provider, str):
            code = provider[position]
            elsewhere = code == ELSEWHERE
            if elsewhere:
                provider, catalog = (
                    None,
                    self.catalog.model_copy(update={"machines": (), "unfit": (), "default_providers": ()}),
                )
            else:
                provider, catalog = self._one_each[code]
        sizing = size(
            **loads,
            kubernetes_nodes=None if self._nodes is None else self._nodes.of(position),
            provider=provider,
            catalog=catalog,
            tiers=self.tiers,
            headroom=self.headroom,
            members=self.members,
        )
        if elsewhere:
            sizing = sizing.model_copy(update={"notices": (*sizing.notices, no_machines_notice(self.catalog))})
        return sizing

    def __iter__(self) -> Iterator[Sizing]:
        return (self[index] for index in range(len(self)))

    @cached_property
    def tier_names(self) -> NDArray[np.object_]:
        """The tier of every cluster, None where it cannot be sized. Array of str, shape (n,)"""
        names = np.full(256, None, dtype=object)
        names[: len(self.tiers.names)] = self.tiers.names
        return _read_only(names[self.tier_codes])

    @cached_property
    def machine_types(self) -> NDArray[np.object_]:
        """The machine of every cluster, None where it cannot be sized. Array of str, shape (n,)

        Raises `OptionError` if no provider was given and the catalog has several.
        """
        types = np.full(len(self.machines) + 1, None, dtype=object)
        types[:-1] = [machine.machine_type for machine in self.machines]
        return _read_only(types[self.machine_codes])

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        """The machines that `machine_codes` indexes: by provider, then by tier."""
        return tuple(machine for _, machine in self._machines_there)

    @cached_property
    def _machines_there(self) -> list[tuple[Market, Machine]]:
        found: list[tuple[Market, Machine]] = []
        for market in self._one_each:
            for tier in self.tiers.names:
                machine = market.catalog.find_for(market.provider, tier)
                if machine is not None:
                    found.append((market, machine))
        return found

    @cached_property
    def machines_today(self) -> tuple[Machine | None, ...]:
        """What to run today in place of each of `machines`: often the same; None where that is unknown."""
        return tuple(machine_today(machine, self.tiers, market.region) for market, machine in self._machines_there)

    @property
    def _one_each(self) -> Sequence[Market]:
        """The markets in which a cluster can be."""
        if self._markets is not None:
            return self._markets
        if self._providers is None and len(self.catalog.providers) > 1:
            raise OptionError(
                f"provider: got none, expected one name, or one per cluster, because the catalog "
                f"{shown(self.catalog.name)} has machines of {', '.join(self.catalog.providers)}",
                option="provider",
                value=None,
            )
        names = (self._providers,) if isinstance(self._providers, str) else self.catalog.providers
        return [Market(name, self.catalog) for name in names]

    @cached_property
    def machine_codes(self) -> NDArray[np.uint16]:
        """The index of every cluster's machine in `machines`, `len(machines)` if it has none. uint16"""
        offsets = np.full((256, 256), len(self.machines), np.uint16)
        code = 0
        for row, market in enumerate(self._one_each):
            for column, tier in enumerate(self.tiers.names):
                if market.catalog.find_for(market.provider, tier) is not None:
                    offsets[row, column] = code
                    code += 1
        if self._providers is None or isinstance(self._providers, str):
            return _read_only(offsets[0][self.tier_codes])
        return _read_only(offsets[self._providers, self.tier_codes])

    @cached_property
    def cost_per_month(self) -> NDArray[np.float64]:
        """The monthly cost of every cluster: all members with their disks. [currency] float64, shape (n,)

        It is the cost of `machines_today`, NaN where it is unknown or the cluster cannot be sized. Beside it are
        `currencies`, `price_regions` and `price_dates`.
        """
        totals = [cluster_cost_per_month(machine, self.members) for machine in self.machines_today]
        of_code = np.array([np.nan if total is None else total for total in totals] + [np.nan], float)
        return _read_only(of_code[self.machine_codes])

    @cached_property
    def currencies(self) -> NDArray[np.object_]:
        """The currency of every cost, None where it is unknown. Array of str, shape (n,)"""
        names = np.array([*map(cost_currency, self.machines_today), None], object)
        return _read_only(names[self.machine_codes])

    @cached_property
    def price_regions(self) -> NDArray[np.object_]:
        """The region of every cost, None where there is none. Array of str, shape (n,)"""
        names = np.array([*(cost_region(machine) for machine in self.machines_today), None], object)
        return _read_only(names[self.machine_codes])

    @cached_property
    def price_dates(self) -> NDArray[np.object_]:
        """The date of the older of the prices in every cost, None where there is none. Array of str, shape (n,)"""
        names = np.array([*(cost_date(machine) for machine in self.machines_today), None], object)
        return _read_only(names[self.machine_codes])

    @cached_property
    def forced_by(self) -> Codes:
        """What needs the tier on its own. uint8 bits, shape (n,): 1 clients, 2 requests, 4 data, 8 Kubernetes nodes."""
        bits = np.zeros(len(self), np.uint8)
        bounds = exact_bounds(self.tiers, self.headroom)
        for start in range(0, len(self), _BLOCK):
            codes = self.tier_codes[start : start + _BLOCK]
            forcing = (codes != 0) & (codes != INVALID)
            alone = np.empty(len(codes), np.uint8)
            for bit, column in enumerate(self._columns):
                if column is None:
                    continue
                block = Column(bit, column[start : start + _BLOCK], bounds[bit])
                classify_columns([block], len(codes), alone, 1)
                bits[start : start + _BLOCK] |= ((alone == codes) & forcing).view(np.uint8) << bit
            if self._nodes is not None:
                needed = self._nodes.codes[start : start + _BLOCK]
                bits[start : start + _BLOCK] |= ((needed == codes) & forcing).view(np.uint8) << len(DIMENSIONS)
        return _read_only(bits)

    @cached_property
    def tightest(self) -> Codes:
        """The dimension nearest its bound. uint8 index, shape (n,): 0 clients, 1 requests, 2 data; 255 invalid."""
        nearest = np.empty(len(self), np.uint8)
        for start in range(0, len(self), _BLOCK):
            rows = slice(start, start + _BLOCK)
            here = nearest[rows]
            highest = np.full(len(here), -1.0)
            here.fill(INVALID)
            for index, column in enumerate(self._columns):
                if column is not None:
                    share = self._utilization(index, rows)
                    # NaN, an unknown load, never compares higher.
                    np.copyto(here, np.uint8(index), where=share > highest)
                    np.fmax(highest, share, out=highest)
        return _read_only(nearest)

    def utilization(self, dimension: str) -> NDArray[np.float64]:
        """Return the load divided by its tier's bound, without headroom. float64, shape (n,)

        NaN where the load is invalid or unknown. On the open tier it is relative to the last bound.

        Raises
        ------
        OptionError
            For anything but the name of a dimension.
        """
        one_of("dimension", dimension, DIMENSIONS)
        shares = np.empty(len(self))
        for start in range(0, len(self), _BLOCK):
            rows = slice(start, start + _BLOCK)
            shares[rows] = self._utilization(DIMENSIONS.index(dimension), rows)
        return shares

    def _utilization(self, index: int, rows: slice) -> NDArray[np.float64]:
        codes, column = self.tier_codes[rows], self._columns[index]
        if column is None:
            return np.full(len(codes), np.nan)
        limits = np.full(256, np.nan)
        for code in range(len(self.tiers.tiers)):
            limits[code] = float(self.tiers.reference(code, DIMENSIONS[index]).limit)
        with np.errstate(over="ignore", invalid="ignore"):
            shares: NDArray[np.float64] = column[rows].astype(np.float64) / limits[codes]
        np.minimum(shares, np.finfo(np.float64).max, out=shares)
        unknown = self._unknown[index]
        if unknown is not None:
            shares[unknown[rows]] = np.nan
        return shares

    def counts(self) -> dict[str, int]:
        """Return how many clusters need each tier, in the table's order. The remaining clusters cannot be sized."""
        totals = np.zeros(256, np.int64)
        for start in range(0, len(self), _BLOCK):
            totals += np.bincount(self.tier_codes[start : start + _BLOCK], minlength=256)
        return {name: int(total) for name, total in zip(self.tiers.names, totals)}


def position_of(index: Any, clusters: int) -> int:
    """Return the position, counted from 0, of an index that may be negative."""
    try:
        return range(clusters)[operator.index(index)]
    except TypeError:
        raise OptionError(f"index: got {shown(index)}, expected an integer", option="index", value=index) from None
    except IndexError:
        raise IndexError(f"index {index} is out of range for a fleet of {clusters} clusters") from None


def _read_only(array: ArrayT) -> ArrayT:
    array.flags.writeable = False
    return array
