"""Check the arguments that choose how to size, for one cluster and for many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from etcdsize.base.checks import count_of, share_of
from etcdsize.catalog.catalog import Catalog
from etcdsize.tiers import TierTable, load_tiers

__all__ = [
    "arch_of",
    "headroom_of",
    "margin_of",
    "members_of",
    "threads_of",
    "tiers_of",
    "with_tiers",
]


def tiers_of(tiers: str | Path | TierTable) -> TierTable:
    """Return the tier table: as it is, or loaded by its name or path."""
    return tiers if isinstance(tiers, TierTable) else load_tiers(tiers)


def with_tiers(found: Catalog, tiers: TierTable) -> Catalog:
    """Return the catalog with a machine for every tier: the one that it assigns, or else the best fit."""
    if found.has_tiers:
        return found
    # Imported here because it takes time to load and few callers need it.
    from etcdsize.fitting.fit import best_per_tier

    return best_per_tier(found, tiers, arch_of(found))


def arch_of(catalog: Catalog) -> str | None:
    """Return the architecture to choose from a catalog; None for any.

    arm64 is opt-in, and choosing a catalog without any x86_64 machine opts in.
    """
    return "x86_64" if any(machine.arch == "x86_64" for machine in catalog.machines) else None


def headroom_of(value: Any) -> float:
    """Return the headroom, the share of every bound to keep free, as a float in [0, 1)."""
    return share_of("headroom", value)


def margin_of(value: Any) -> float:
    """Return the margin, the share of a smaller tier's bounds that must stay free, as a float in [0, 1)."""
    return share_of("margin", value)


def members_of(value: Any) -> int:
    """Return the number of members. [count]"""
    return count_of("members", value)


def threads_of(value: Any) -> int | None:
    """Return the number of threads, or None to choose one that suits the work. [count]"""
    return None if value is None else count_of("threads", value)
