"""Tier tables: the bounds of each tier, and the tier that a load needs.

`load_tiers` reads a built-in table or your own file. `TierTable.tier_codes` classifies a single load. The kernel for
arrays applies the same bounds, and tests hold the two to each other.
"""

import functools
import math
from bisect import bisect_left
from fractions import Fraction
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from etcdsize.base.checks import one_of, plain_number, share_of, whole_number
from etcdsize.base.model import Answer, Count, DateOrEmpty, Model, Name, Positive, read_table
from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError, TableError
from etcdsize.units import DIMENSIONS

__all__ = ["Bound", "ExactBound", "Tier", "TierTable", "load_tiers"]

_DATA = Path(__file__).with_name("data")
BUILT_IN = ("guide", "etcd.io")


class ExactBound(NamedTuple):
    """A bound as an exact fraction, with headroom already subtracted."""

    limit: Fraction
    inclusive: bool


class Bound(Model):
    """The limit of a tier in one dimension, and whether the limit itself still fits.

    >>> Bound(limit=100, inclusive=True).fits(100), Bound(limit=200, inclusive=False).fits(200)
    (True, False)
    """

    limit: Annotated[Positive, Field(description="The limit, in the dimension's own unit.")]
    inclusive: Annotated[
        bool, Field(strict=True, description='True means "at most": the limit itself fits. False means "below".')
    ]

    def fits(self, load: int | float) -> bool:
        """Return whether a load is within the bound.

        Raises
        ------
        OptionError
            If it is not a finite number of 0 or more.
        """
        load = _load_of(load)
        return load <= self.limit if self.inclusive else load < self.limit

    def exact(self, headroom: float = 0.0) -> ExactBound:
        """Return the bound with a share of it kept free: `limit * (1 - Fraction(str(headroom)))`.

        Raises
        ------
        OptionError
            If headroom is not in [0, 1).
        """
        headroom = share_of("headroom", headroom)
        return ExactBound(Fraction(self.limit) * (1 - Fraction(str(headroom))), self.inclusive)


def _load_of(value: object) -> int | float:
    """Return a load if it is a finite number that is not negative."""
    number = plain_number(value)
    if number is None or not 0 <= number < math.inf:
        raise OptionError(
            f"load: got {shown(value)}, expected a finite number of 0 or more", option="load", value=value
        )
    return number


class Tier(Model):
    """One tier: the load that it is for, and the size of the guide's example Kubernetes cluster."""

    name: Annotated[Name, Field(description="small, medium, large, xlarge, or a name of your own.")]
    clients: Annotated[Bound | None, Field(description="Concurrent client connections. None if unbounded.")] = None
    requests_per_second: Annotated[Bound | None, Field(description="Requests per second. None if unbounded.")] = None
    data_bytes: Annotated[Bound | None, Field(description="Data stored, in bytes. None if unbounded.")] = None
    kubernetes_nodes: Annotated[
        Count, Field(description="Nodes of the example Kubernetes cluster, read as an upper limit.")
    ]
    source: Annotated[str, Field(description="Where the figures come from.")] = ""

    def bound(self, dimension: str) -> Bound | None:
        """Return the tier's bound in a dimension, or None if it is unbounded.

        Raises
        ------
        OptionError
            For anything but the name of a dimension.
        """
        bound: Bound | None = getattr(self, one_of("dimension", dimension, DIMENSIONS))
        return bound


class TierTable(Answer):
    """Tiers from the smallest to the largest. Only the last is open: it has no bounds.

    Raises
    ------
    TableError
        Unless the names are unique, bounds and nodes increase strictly from tier to tier, every tier but the last is
        bounded in every dimension, and the last is bounded in none.
    """

    name: Annotated[Name, Field(description="The table's name.")]
    title: Annotated[str, Field(description="What the table is, in one line.")] = ""
    source: Annotated[str, Field(description="Where the figures come from.")] = ""
    date: Annotated[DateOrEmpty, Field(description="When the source was read, written like 2026-11-25.")] = ""
    tiers: Annotated[
        tuple[Tier, ...],
        Field(min_length=2, max_length=255, description="The tiers, from the smallest to the open one."),
    ]

    @model_validator(mode="after")
    def _check(self) -> "TierTable":
        names: dict[str, int] = {}
        for row, tier in enumerate(self.tiers, 1):
            if tier.name in names:
                raise TableError(
                    f"got {shown(tier.name)}, which is already the name of row {names[tier.name]}; "
                    "give each tier its own name",
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
                    f"{shown(before.name)}: nodes must increase from tier to tier",
                    row=row,
                    field="kubernetes_nodes",
                )
        return self

    def _check_bound(self, row: int, tier: Tier, before: Tier | None, dimension: str) -> None:
        bound = tier.bound(dimension)
        if row == len(self.tiers):
            if bound is not None:
                raise TableError(
                    f"got a bound in the last tier {shown(tier.name)}, expected none: every load fits the last tier",
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
                "bounds must increase from tier to tier",
                row=row,
                field=dimension,
            )

    def __hash__(self) -> int:
        # Equal tables have equal names, and hashing all fields would cost more than a sizing.
        return hash(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """The tiers' names, in order."""
        return tuple(tier.name for tier in self.tiers)

    def bounds(self, dimension: str) -> tuple[Bound, ...]:
        """Return a dimension's bounds, one for every tier but the last."""
        return tuple(bound for tier in self.tiers if (bound := tier.bound(dimension)) is not None)

    def reference(self, code: int, dimension: str) -> Bound:
        """Return the bound that utilization is relative to: the tier's own, or the last bound for the open tier.

        Raises
        ------
        OptionError
            If no tier has that index, or for anything but the name of a dimension.
        """
        index, last = whole_number(code), len(self.tiers) - 1
        if index is None or not 0 <= index <= last:
            raise OptionError(
                f"code: got {shown(code)}, expected the index of a tier, from 0 to {last}", option="code", value=code
            )
        bound = self.tiers[min(index, last - 1)].bound(dimension)
        assert bound is not None  # noqa: S101 - `_check` ensures it
        return bound

    def tier_codes(self, loads: tuple[int | float | None, ...], headroom: float = 0.0) -> tuple[int | None, ...]:
        """Return the index of the tier that each dimension of a load needs on its own, None if it is unknown.

        Parameters
        ----------
        loads : tuple of int, float or None
            Clients [count], requests per second [1/s] and data [bytes]: finite and not negative, or None if unknown.
        headroom : float
            The share of every bound to keep free, in [0, 1).

        Raises
        ------
        OptionError
            For other loads, and for a headroom outside [0, 1).

        Examples
        --------
        >>> load_tiers("guide").tier_codes((100, 200, None))
        (0, 1, None)
        """
        if not isinstance(loads, (tuple, list)) or len(loads) != len(DIMENSIONS):
            raise OptionError(
                f"loads: got {shown(loads)}, expected {', '.join(DIMENSIONS)}, each a number or None",
                option="loads",
                value=loads,
            )
        integers, floats = _thresholds(self, share_of("headroom", headroom))
        codes: list[int | None] = []
        for index, load in enumerate(loads):
            number = None if load is None else _load_of(load)
            limits = integers if isinstance(number, int) else floats
            codes.append(None if number is None else bisect_left(limits[index], number))
        return tuple(codes)


@functools.lru_cache(maxsize=64)
def exact_bounds(table: TierTable, headroom: float) -> tuple[tuple[ExactBound, ...], ...]:
    """Return the bounds of each dimension as exact fractions, with headroom subtracted."""
    return tuple(tuple(bound.exact(headroom) for bound in table.bounds(dimension)) for dimension in DIMENSIONS)


@functools.lru_cache(maxsize=64)
def _thresholds(table: TierTable, headroom: float) -> tuple[list[list[int]], list[list[float]]]:
    """Return the last integer and the last float that fit each tier, for each dimension."""
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
    """Return a tier table: a built-in one by its name, or your own from a JSON file.

    Parameters
    ----------
    name_or_path : str or Path
        `"guide"`, `"etcd.io"`, or the path of a file with the same fields as those in `etcdsize/data/`.

    Raises
    ------
    OptionError
        For a name that is neither a built-in table nor a file.
    TableError
        For a file that breaks a rule of `TierTable`. The error names the file, the row and the field.

    Examples
    --------
    >>> load_tiers("guide").names
    ('small', 'medium', 'large', 'xlarge')
    """
    if isinstance(name_or_path, str) and name_or_path in BUILT_IN:
        return _built_in(str(name_or_path))
    return read_table(TierTable, find_file("tiers", name_or_path, BUILT_IN), is_own=True)


@functools.cache
def _built_in(name: str) -> TierTable:
    return read_table(TierTable, _DATA / f"tiers-{name}.json")


def find_file(option: str, name_or_path: str | Path, built_in: tuple[str, ...]) -> Path:
    """Return the path of a user's own table, or raise an error if the name is neither built in nor a file."""
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
        found = False  # the name is too long, or a directory is not accessible
    if not found:
        raise OptionError(
            f"{option}: got {shown(str(name_or_path))}, expected {', '.join(built_in)} or the path of a JSON file"
            + nearest(str(name_or_path), built_in),
            option=option,
            value=name_or_path,
        )
    return path
