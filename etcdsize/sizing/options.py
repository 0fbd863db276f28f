"""The arguments that choose how to size: checked once, in one place, for one cluster and for many.

This module imports the models' modules, never numpy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from etcdsize.base.checks import whole_number
from etcdsize.base.text import shown
from etcdsize.catalog.catalog import Catalog, load_catalog
from etcdsize.errors import OptionError
from etcdsize.tiers import TierTable, load_tiers

__all__ = [
    "catalog_of",
    "headroom_of",
    "members_of",
    "threads_of",
    "tiers_of",
]


def tiers_of(tiers: str | Path | TierTable) -> TierTable:
    """Return the tier table that an argument names."""
    return tiers if isinstance(tiers, TierTable) else load_tiers(tiers)


def catalog_of(catalog: str | Path | Catalog, tiers: TierTable) -> Catalog:
    """Return the catalog that an argument names, with a machine for every tier: its own, or the one that fits best."""
    found = catalog if isinstance(catalog, Catalog) else load_catalog(catalog)
    if found.has_tiers:
        return found
    # Few ask for it, and it takes time to load.
    from etcdsize.fitting.fit import fitted

    # arm64 has to be asked for, and a catalog without anything else asks for it.
    return fitted(found, tiers, "x86_64" if any(machine.arch == "x86_64" for machine in found.machines) else None)


def headroom_of(value: Any) -> float:
    """Return the share of every bound to keep free."""
    if value.__class__ is float and 0.0 <= value < 1.0:
        return value + 0.0
    # A NumPy scalar counts; its bool, text and complex numbers do not.
    kind = getattr(getattr(value, "dtype", None), "kind", "f")
    if not isinstance(value, (bool, str)) and hasattr(value, "__float__") and kind in "iuf":
        try:
            number = float(value) if getattr(value, "ndim", 0) == 0 else -1.0
        except (OverflowError, ValueError):
            number = -1.0  # an integer beyond every float, a signalling Decimal
        if 0 <= number < 1:
            return number + 0.0
    hint = (
        f"; for {shown(value)} percent say {value / 100:g}" if type(value) in (int, float) and 1 <= value < 100 else ""
    )
    raise OptionError(
        f"headroom: got {shown(value)}, expected a number from 0 to below 1{hint}", option="headroom", value=value
    )


def members_of(value: Any) -> int:
    """Return how many members the cluster has."""
    return _whole("members", value)


def threads_of(value: Any) -> int | None:
    """Return how many threads may work, None for a number that suits the work."""
    return None if value is None else _whole("threads", value)


def _whole(option: str, value: Any) -> int:
    if value.__class__ is int and value >= 1:
        return value
    number = whole_number(value)
    if number is not None and number >= 1:
        return number
    raise OptionError(f"{option}: got {shown(value)}, expected an integer of 1 or more", option=option, value=value)
