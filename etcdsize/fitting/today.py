"""Today's machine and disk for every tier: the first that `fit` recommends in the catalog `current`.

Reading that catalog and fitting it takes longer than a sizing, so the answers for the data of the guide's tiers are
stored in `data/machines-today.json`, which `python docs/generate.py` writes. They are used as long as the data files
of the providers have the sizes that they had then.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from etcdsize.catalog import providers
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.loading import catalog_for, load_catalog
from etcdsize.catalog.machines import Machine
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.tiers import TierTable

__all__ = [
    "STORED",
    "cluster_cost_per_month",
    "cost_currency",
    "cost_date",
    "cost_region",
    "fit_today",
    "machine_today",
]

STORED = Path(__file__).parents[1] / "data" / "machines-today.json"
"""`fit_today` of the guide's tiers."""


def machine_today(machine: Machine, tiers: TierTable, region: str | None = None) -> Machine | None:
    """Return what to run today in place of the machine of a tier, with its disk and cost, None where nothing is known.

    It is the machine itself, unless the source lists it and it belongs to a previous generation, as all machines of
    the guide do. Then it is the first that `fit` recommends for the tier, in a region of the provider if one is given.

    Examples
    --------
    >>> from etcdsize import load_catalog, load_tiers
    >>> guide = load_catalog("guide").machine_for("aws", "medium")
    >>> machine_today(guide, load_tiers("guide")).machine_type
    'm6a.xlarge'
    """
    if machine.lifecycle != "previous" or machine.cost is not None:
        return machine
    if machine.provider not in providers.known_providers():
        return None
    today = _catalog(tiers, providers.FOLDER) if region is None else _catalog_in(machine.provider, region, tiers)
    return None if today is None or machine.tier is None else today.find_for(machine.provider, machine.tier)


def cluster_cost_per_month(machine: Machine | None, members: int) -> float | None:
    """Return the monthly cost of all members on a machine with its disk, None where it is unknown. [currency]"""
    if machine is None or machine.cost is None or machine.cost.per_month is None:
        return None
    return machine.cost.per_month * members


def cost_currency(machine: Machine | None) -> str | None:
    """Return the currency of the monthly cost of a machine with its disk, None where that is unknown."""
    if machine is None or machine.cost is None or machine.cost.per_month is None:
        return None
    return machine.cost.currency


def cost_region(machine: Machine | None) -> str | None:
    """Return the region of what is known of the cost of a machine with its disk, None where nothing is."""
    return None if machine is None or machine.cost is None else machine.cost.region


def cost_date(machine: Machine | None) -> str | None:
    """Return the date of the older of the prices in the cost of a machine with its disk, None where there is none."""
    return None if machine is None or machine.cost is None else machine.cost.date


@functools.lru_cache(maxsize=256)
def _catalog_in(provider: str, region: str, tiers: TierTable) -> Catalog | None:
    """Return the best machines of a provider at the prices of one of its regions."""
    # Imported here because most sizings find what they need in the file.
    from etcdsize.fitting.fit import best_machines

    there, _ = catalog_for("current", provider, f"{provider}={region}")
    alone = there.model_copy(update={"machines": tuple(one for one in there.machines if one.provider == provider)})
    machines, _ = best_machines(alone, tiers, _known_tiers(tiers))
    return there.model_copy(update={"name": "today", "machines": tuple(machines)}) if machines else None


def _known_tiers(tiers: TierTable) -> list[str]:
    """Return the tiers for which the guide has a machine."""
    return [tier for tier in tiers.names if load_catalog("guide").find_for("gce", tier) is not None]


@functools.lru_cache(maxsize=16)
def _catalog(tiers: TierTable, folder: Path) -> Catalog | None:
    today = json.loads(STORED.read_bytes())
    if (
        today["files"] != _file_sizes(folder, today["files"])
        or not _data_bytes(tiers).items() <= today["data_bytes"].items()
    ):
        today = fit_today(tiers)
    return Catalog.model_validate({"name": "today", "machines": today["machines"]}) if today["machines"] else None


def fit_today(tiers: TierTable) -> dict[str, Any]:
    """Return the best machines of the catalog `current`, as JSON, for the tiers for which the guide has a machine.

    With them are the sizes of the providers' data files and the data of the tiers, from which they follow. [bytes]
    """
    # Imported here because most sizings find what they need in the file.
    from etcdsize.fitting.fit import best_machines

    wanted = _data_bytes(tiers)
    current, _ = catalog_for("current", None)
    machines, _ = best_machines(current, tiers, _known_tiers(tiers))
    return {
        "files": _file_sizes(providers.FOLDER, (f"{name}.json" for name in current.providers)),
        "data_bytes": wanted,
        "machines": [machine.model_dump(mode="json", exclude_defaults=True) for machine in machines],
    }


def _data_bytes(tiers: TierTable) -> dict[str, int | float]:
    return {
        tier.name: SUGGESTED_QUOTA_BYTES if tier.data_bytes is None else tier.data_bytes.limit for tier in tiers.tiers
    }


def _file_sizes(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Return the sizes of data files, without those that are not there. [bytes]"""
    paths = [folder / name for name in sorted(names)]
    return {path.name: path.stat().st_size for path in paths if path.is_file()}
