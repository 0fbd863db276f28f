"""Check the arguments that choose how to size, for one cluster and for many."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from etcdsize.base.checks import count_of, plain_number
from etcdsize.base.text import shown
from etcdsize.catalog.catalog import Catalog, load_catalog
from etcdsize.errors import OptionError
from etcdsize.tiers import TierTable, load_tiers

__all__ = [
    "catalog_of",
    "headroom_of",
    "margin_of",
    "members_of",
    "threads_of",
    "tiers_of",
]


def tiers_of(tiers: str | Path | TierTable) -> TierTable:
    """Return the tier table: as it is, or loaded by its name or path."""
    return tiers if isinstance(tiers, TierTable) else load_tiers(tiers)


def catalog_of(catalog: str | Path | Catalog, tiers: TierTable) -> Catalog:
    """Return the catalog with a machine for every tier: the one that it assigns, or else the best fit."""
    found = catalog if isinstance(catalog, Catalog) else load_catalog(catalog)
    if found.has_tiers:
        return found
    # Imported here because it takes time to load and few callers need it.
    from etcdsize.fitting.fit import best_per_tier

    # arm64 is opt-in, and choosing a catalog without any x86_64 machine opts in.
    return best_per_tier(
        found, tiers, "x86_64" if any(machine.arch == "x86_64" for machine in found.machines) else None
    )


def headroom_of(value: Any) -> float:
    """Return the headroom, the share of every bound to keep free, as a float in [0, 1)."""
    return _share("headroom", value)


def margin_of(value: Any) -> float:
    """Return the margin, the share of a smaller tier's bounds that must stay free, as a float in [0, 1)."""
    return _share("margin", value)


def _share(option: str, value: Any) -> float:
    number = plain_number(value)
    if number is None and isinstance(value, (Decimal, Fraction)):
        # A signalling NaN has no float.
        with contextlib.suppress(ValueError, OverflowError):
            number = float(value)
    if number is not None and 0 <= number < 1:
        return number + 0.0  # -0.0 becomes 0
    hint = (
        f"; for {shown(value)} percent use {value / 100:g}" if type(value) in (int, float) and 1 <= value < 100 else ""
    )
    raise OptionError(
        f"{option}: got {shown(value)}, expected a number from 0 to below 1{hint}", option=option, value=value
    )


def members_of(value: Any) -> int:
    """Return the number of members. [count]"""
    return count_of("members", value)


def threads_of(value: Any) -> int | None:
    """Return the number of threads, or None to choose one that suits the work. [count]"""
    return None if value is None else count_of("threads", value)
