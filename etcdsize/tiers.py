"""Tier tables: which tier a load needs, by bounds that are data.

`Bound`, `Tier` and `TierTable` are the models; `load_tiers` reads a built-in table or a user's own file. The one
rule for a single load is `TierTable.tier_codes`; the arrays' kernel applies the same bounds and is held to it by
tests. This module imports pydantic, never numpy.
"""

import functools
import math
from bisect import bisect_left
from fractions import Fraction
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from etcdsize.base.model import Model, Name, Positive, read_table
from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError, TableError
from etcdsize.units import DIMENSIONS

__all__ = ["Bound", "ExactBound", "Tier", "TierTable", "load_tiers"]

_DATA = Path(__file__).with_name("data")
BUILT_IN = ("guide", "etcd.io")


class ExactBound(NamedTuple):
    """A bound as an exact fraction, headroom already taken off."""

    limit: Fraction
    inclusive: bool


class Bound(Model):
    """A limit of a tier, and whether the limit itself still fits.

    >>> Bound(limit=100, inclusive=True).fits(100), Bound(limit=200, inclusive=False).fits(200)
    (True, False)
    """

    limit: Annotated[Positive, Field(description="The limit, in the dimension's own unit.")]
    inclusive: Annotated[
        bool, Field(strict=True, description='True: "at most", the limit itself fits. False: "below".')
    ]

    def fits(self, load: int | float) -> bool:
        """Return whether a load is within the bound."""
        return load <= self.limit if self.inclusive else load < self.limit

    def exact(self, headroom: float = 0.0) -> ExactBound:
        """Return the bound with a share of it kept free: `limit * (1 - Fraction(str(headroom)))`."""
        return ExactBound(Fraction(self.limit) * (1 - Fraction(str(headroom))), self.inclusive)


class Tier(Model):
    """One tier: the load it is for, and the Kubernetes cluster that the guide gives as its example."""

    name: Annotated[Name, Field(description="small, medium, large, xlarge, or a table's own name.")]
    clients: Annotated[Bound | None, Field(description="Concurrent client connections. None: open.")] = None
    requests_per_second: Annotated[Bound | None, Field(description="Requests per second. None: open.")] = None
    data_bytes: Annotated[Bound | None, Field(description="Data stored, in bytes. None: open.")] = None
    kubernetes_nodes: Annotated[
        int, Field(strict=True, gt=0, description="Nodes of the example Kubernetes cluster, read as at most.")
    ]
    source: Annotated[str, Field(description="Where the figures come from.")] = ""

    def bound(self, dimension: str) -> Bound | None:
        """Return the tier's bound in a dimension, None where it is open."""
        bound: Bound | None = getattr(self, dimension)
        return bound


class TierTable(Model):
    """Tiers in rising order, of which the last alone is open.

    Raises
    ------
    TableError
        Unless names are unique, the bounds and the nodes rise strictly tier by tier, all tiers but the last are
        bounded in every dimension, and the last is open in every one.
    """

    name: Annotated[Name, Field(description="The table's name.")]
    title: Annotated[str, Field(description="What the table is, in one line.")] = ""
    source: Annotated[str, Field(description="Where the figures come from.")] = ""
    date: Annotated[str, Field(description="When the source was read.")] = ""
    tiers: Annotated[
        tuple[Tier, ...], Field(min_length=2, max_length=255, description="From the smallest to the open one.")
    ]

    @model_validator(mode="after")
    def _check(self) -> "TierTable":
        names: dict[str, int] = {}
        for row, tier in enumerate(self.tiers, 1):
            if tier.name in names:
                raise TableError(
                    f"got {shown(tier.name)}, which row {names[tier.name]} has already; names must be unique",
                    row=row,
                    field="name",
                )
            names[tier.name] = row
            before = self.tiers[row - 2] if row > 1 else None
            for dimension in DIMENSIONS:
                self._check_bound(row, tier, before, dimension)
            if before is not None and tier.kubernetes_nodes <= before.kubernetes_nodes:
                raise TableError(
                    f"got {tier.kubernetes_nodes}, expected more than the {before.kubernetes_nodes} of "
                    f"{shown(before.name)}: the nodes must rise tier by tier",
                    row=row,
                    field="kubernetes_nodes",
                )
        return self

    def _check_bound(self, row: int, tier: Tier, before: Tier | None, dimension: str) -> None:
        bound = tier.bound(dimension)
        if row == len(self.tiers):
            if bound is not None:
                raise TableError(
                    f"got a bound in the last tier {shown(tier.name)}, expected none: the last tier takes every load",
                    row=row,
                    field=dimension,
                )
            return
        if bound is None:
            raise TableError(
                f"got no bound in {shown(tier.name)}, expected one: only the last tier is open",
                row=row,
                field=dimension,
            )
        below = before.bound(dimension) if before is not None else None
        if below is not None and bound.limit <= below.limit:
            raise TableError(
                f"got {bound.limit}, expected more than the {below.limit} of {shown(before.name if before else '')}: "
                "the bounds must rise tier by tier",
                row=row,
                field=dimension,
            )

    def __hash__(self) -> int:
        # Equal tables have equal names; the full hash would cost more than a sizing.
        return hash(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """The tiers' names, in order."""
        return tuple(tier.name for tier in self.tiers)

    def bounds(self, dimension: str) -> tuple[Bound, ...]:
        """Return a dimension's bounds, one for every tier but the last."""
        return tuple(bound for tier in self.tiers if (bound := tier.bound(dimension)) is not None)

    def reference(self, code: int, dimension: str) -> Bound:
        """Return the bound that utilization is relative to: the tier's own, or the last there is on the open tier."""
        bound = self.tiers[min(code, len(self.tiers) - 2)].bound(dimension)
        assert bound is not None  # noqa: S101 - `_check` has seen to it
        return bound

    def tier_codes(self, loads: tuple[int | float | None, ...], headroom: float = 0.0) -> tuple[int | None, ...]:
        """Return, for each dimension alone, the index of the tier that a single load needs; None where unknown.

        Parameters
        ----------
        loads : tuple of int, float or None
            Clients [count], requests per second [1/s], data [bytes]; None is unknown. Finite, not negative.
        headroom : float
            The share of every bound to keep free, in [0, 1).

        Examples
        --------
        >>> load_tiers("guide").tier_codes((100, 200, None))
        (0, 1, None)
        """
        integers, floats = _thresholds(self, headroom)
        return tuple(
            None if load is None else bisect_left((integers if isinstance(load, int) else floats)[index], load)
            for index, load in enumerate(loads)
        )


@functools.lru_cache(maxsize=64)
def exact_bounds(table: TierTable, headroom: float) -> tuple[tuple[ExactBound, ...], ...]:
    """Return every dimension's bounds as exact fractions, headroom taken off."""
    return tuple(tuple(bound.exact(headroom) for bound in table.bounds(dimension)) for dimension in DIMENSIONS)


@functools.lru_cache(maxsize=64)
def _thresholds(table: TierTable, headroom: float) -> tuple[list[list[int]], list[list[float]]]:
    """Return, per dimension, the last integers and the last floats that each tier still takes."""
    bounds = exact_bounds(table, headroom)
    return (
        [[math.floor(b) if inclusive else math.ceil(b) - 1 for b, inclusive in row] for row in bounds],
        [[_last_float(*bound) for bound in row] for row in bounds],
    )


def _last_float(limit: Fraction, inclusive: bool) -> float:
    nearest_float = float(limit)
    fits = nearest_float <= limit if inclusive else nearest_float < limit
    return nearest_float if fits else math.nextafter(nearest_float, -math.inf)


def load_tiers(name_or_path: str | Path) -> TierTable:
    """Return a tier table: a built-in one by name, or a user's own JSON file.

    Parameters
    ----------
    name_or_path : str or Path
        `"guide"`, `"etcd.io"`, or the path of a file with the same fields as those in `etcdsize/data/`.

    Raises
    ------
    OptionError
        For a name that is neither a built-in table nor a file.
    TableError
        For a file that breaks a rule of `TierTable`; it names file, row and field.

    Examples
    --------
    >>> load_tiers("guide").names
    ('small', 'medium', 'large', 'xlarge')
    """
    if isinstance(name_or_path, str) and name_or_path in BUILT_IN:
        return _built_in(str(name_or_path))
    return read_table(TierTable, find_file("tiers", name_or_path, BUILT_IN))


@functools.cache
def _built_in(name: str) -> TierTable:
    return read_table(TierTable, _DATA / f"tiers-{name}.json")


def find_file(option: str, name_or_path: str | Path, built_in: tuple[str, ...]) -> Path:
    """Return the path of a user's own table, or refuse a name that is neither built in nor a file."""
    if not isinstance(name_or_path, (str, Path)):
        raise OptionError(
            f"{option}: got {shown(name_or_path)}, expected {', '.join(built_in)} or the path of a JSON file",
            option=option,
            value=name_or_path,
        )
    path = Path(name_or_path)
    try:
        found = path.is_file()
    except OSError:
        found = False  # a name too long for a file, or a folder that may not be looked into
    if not found:
        raise OptionError(
            f"{option}: got {shown(str(name_or_path))}, expected {', '.join(built_in)} or the path of a JSON file"
            + nearest(str(name_or_path), built_in),
            option=option,
            value=name_or_path,
        )
    return path
