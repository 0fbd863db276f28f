"""What the answers say of the machine of today: the first that `fit` recommends for a tier."""

from __future__ import annotations

from etcdsize import fit

MEMBERS = 3


def machine_today(provider: str, tier: str) -> str:
    return fit(tier, provider=provider).best.machine.machine_type


def disk_gb(provider: str, tier: str) -> float:
    """Return the size of the disk of the machine of today, which depends on the measured model. [GB]"""
    return fit(tier, provider=provider).best.disk.size_gib


def cost_per_month(provider: str, tier: str) -> float:
    """Return the monthly cost of a cluster, rounded to cents as in files. [US dollars]"""
    return round(MEMBERS * fit(tier, provider=provider).best.cost.per_month, 2)


def priced(provider: str, tier: str) -> tuple[str, str]:
    """Return the region and the date of the cost."""
    cost = fit(tier, provider=provider).best.cost
    return cost.region, cost.date


def cells(provider: str, tier: str) -> str:
    """Return both, with currency, region and date, as they are in a file of comma-separated values."""
    return f"{machine_today(provider, tier)},{cost_per_month(provider, tier)},USD,{','.join(priced(provider, tier))}"
