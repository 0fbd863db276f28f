"""Machine types that people run and that no catalog has to offer: for audits, and to look up what a type is.

`data/machines-known/<provider>.csv` has date and source in its first row, a header in the second, and then a type a
row. A file is read when a type is not among the machines of a catalog, and a row becomes a `Machine` when it is looked
up. The types that the catalog `current` has are in its own files alone.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable
from pathlib import Path

from etcdsize.catalog import providers as providers_folder
from etcdsize.catalog.gce_limits import disk_limits
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.provider_file import read_provider
from etcdsize.catalog.regional_prices import home_region, prices_in

__all__ = ["known_machine", "known_types", "type_key"]

_FOLDER = Path(__file__).parents[1] / "data" / "machines-known"
# The management console writes it, and files of other services leave it out.
_PREFIXES: dict[str | None, str] = {"alibaba": "ecs."}
_FIGURES = (
    *("concurrent_iops", "disk_mb_per_second", "burst_concurrent_iops", "burst_disk_mb_per_second"),
    *("local_nvme_gb", "cpu_baseline_percent"),
)


def type_key(machine_type: str, provider: str | None = None) -> str:
    """Return a machine type as it is compared: in lower case, and without the address of which it is the end.

    Those of a provider may have a prefix that people leave out, as Alibaba's have.

    Examples
    --------
    >>> type_key("Standard_D2s_v3"), type_key("zones/europe-west4-b/machineTypes/n2-standard-4")
    ('standard_d2s_v3', 'n2-standard-4')
    >>> type_key("ecs.g7.large", "alibaba")
    'g7.large'
    """
    return machine_type.rpartition("/")[2].strip().lower().removeprefix(_PREFIXES.get(provider, ""))


def known_machine(machine_type: str, providers: Iterable[str]) -> Machine | None:
    """Return a machine that one of some providers has, however its name is written; None if none has it.

    Its price is that of the region in which most types of the provider have one.

    Examples
    --------
    >>> machine = known_machine("T3.medium", ["aws"])
    >>> machine.machine_type, machine.vcpus, machine.sustained_vcpus
    ('t3.medium', 2, 0.4)
    """
    for provider in providers:
        key = type_key(machine_type, provider)
        offered = _offered(providers_folder.FOLDER, provider).get(key)
        if offered is not None:
            return offered
        if key in _rows(provider):
            return _machine(provider, key)
    return None


def known_types(provider: str) -> tuple[str, ...]:
    """Return the names of the types of a provider that its catalog does not offer."""
    return tuple(row["machine_type"] for row in _rows(provider).values())


@functools.cache
def _offered(folder: Path, provider: str) -> dict[str, Machine]:
    """Return the machines of a provider's data file by their keys; none for a provider without such a file."""
    if provider not in {path.stem for path in folder.iterdir()}:
        return {}
    return {type_key(machine.machine_type, provider): machine for machine in read_provider(provider).machines}


@functools.lru_cache(maxsize=4096)
def _machine(provider: str, key: str) -> Machine:
    row = _rows(provider)[key]
    flags = row["flags"].split()
    figures = {name: _number(row[name]) for name in _FIGURES}
    vcpus, shared_core = int(row["vcpus"]), "shared" in flags
    home = home_region(provider)
    prices = None if home is None else prices_in(provider, home)
    return Machine(
        provider=provider,
        machine_type=row["machine_type"],
        family=row["family"],
        vcpus=vcpus,
        memory_gib=_number(row["memory_gib"]),
        disk_limits=disk_limits(row["family"], key, vcpus, shared_core=shared_core) if provider == "gce" else (),
        arch=row["arch"] or None,
        lifecycle=row["lifecycle"] or None,
        burstable="burstable" in flags,
        flex="flex" in flags,
        shared_core=shared_core,
        bare_metal="metal" in flags,
        gpu="gpu" in flags,
        nitro=True if "nitro" in flags else False if "xen" in flags else None,
        price=None if prices is None else prices.machine(row["machine_type"]),
        source=row["source"],
        **figures,
    )


def _number(cell: str) -> float | None:
    return None if not cell else int(cell) if cell.isdigit() else float(cell)


@functools.cache
def _rows(provider: str) -> dict[str, dict[str, str]]:
    """Return the rows of a provider's file by their keys; none for a provider without a file."""
    if provider not in {path.stem for path in _FOLDER.iterdir()}:
        return {}
    with (_FOLDER / f"{provider}.csv").open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        _, date, source = next(lines)
        head = next(lines)
        rows = [dict(zip(head, cells, strict=True)) for cells in lines]
    return {type_key(row["machine_type"], provider): row | {"source": f"{source}, {date}"} for row in rows}
