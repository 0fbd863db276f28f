"""Machines and catalogs: what a provider sells under which name, with which figures, from which source.

`Disk`, `Erratum`, `Price`, `Machine` and `Catalog` are the models; `load_catalog` reads a built-in catalog or a
user's own file. A figure that nobody has verified is None, never zero. This module imports pydantic, never numpy.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from etcdsize._model import Model, Name, NotNegative, Positive, read_table
from etcdsize.errors import OptionError, TableError, nearest, shown
from etcdsize.tiers import find_file

__all__ = ["Catalog", "Disk", "Erratum", "Machine", "Price", "load_catalog", "provider_name"]

_DATA = Path(__file__).with_name("data")
BUILT_IN = ("guide", "guide-as-printed")

PROVIDERS = ("aws", "azure", "gce")
_ALIASES = {"gcp": "gce", "google": "gce"}


def provider_name(name: object) -> str:
    """Return the provider that a name means: aws, azure or gce; gcp and google mean gce, case does not matter.

    Raises
    ------
    OptionError
        For any other name.

    Examples
    --------
    >>> provider_name("AWS"), provider_name("gcp")
    ('aws', 'gce')
    """
    lowered = name.lower() if isinstance(name, str) else ""
    lowered = _ALIASES.get(lowered, lowered)
    if lowered not in PROVIDERS:
        raise OptionError(
            f"provider: got {shown(name)}, expected aws, azure or gce (gcp, google)"
            + nearest(lowered, (*PROVIDERS, *_ALIASES)),
            option="provider",
            value=name,
        )
    return lowered


class Disk(Model):
    """The disk that a machine's figures belong to."""

    kind: Annotated[Name, Field(description="The provider's name for the kind of disk, such as pd-ssd.")]
    size_gb: Annotated[Positive, Field(description="Size as the provider sells it. [GB]")]

    def __str__(self) -> str:
        return f"{self.size_gb} GB {self.kind.replace('-', ' ').upper()}"


class Erratum(Model):
    """A cell of a source that is printed wrong, and what it should say."""

    field: Annotated[Name, Field(description="The field of the machine.")]
    printed: Annotated[str, Field(description="What the source prints.")]
    correct: Annotated[str, Field(description="What it should print.")]
    reason: Annotated[str, Field(description="How we know.")]
    source: Annotated[str, Field(description="Where the correction comes from.")] = ""


class Price(Model):
    """An on-demand price; without region and date a price says nothing, so both are required."""

    usd_hour: Annotated[NotNegative, Field(description="[US dollars per hour]")]
    region: Annotated[Name, Field(description="The provider's name of the region.")]
    date: Annotated[Name, Field(description="When the price was read.")]
    source: Annotated[str, Field(description="Where it was read.")] = ""


class Machine(Model):
    """One row of a provider's table."""

    provider: Annotated[
        Literal["aws", "azure", "gce"], BeforeValidator(provider_name), Field(description="Who sells it.")
    ]
    machine_type: Annotated[Name, Field(description="The provider's name for it.")]
    tier: Annotated[Name | None, Field(description="The tier that the source gives it for.")] = None
    vcpus: Annotated[int, Field(strict=True, gt=0, description="Virtual CPUs. [count]")]
    memory_gib: Annotated[Positive, Field(description="Memory. [GiB]")]
    concurrent_iops: Annotated[
        Positive | None, Field(description="Concurrent disk operations that it sustains. [1/s] None: unknown.")
    ] = None
    disk_mb_per_second: Annotated[
        Positive | None, Field(description="Disk bandwidth that it sustains. [MB/s] None: unknown.")
    ] = None
    burst_concurrent_iops: Annotated[
        Positive | None, Field(description="Concurrent disk operations for a while only. [1/s]")
    ] = None
    burst_disk_mb_per_second: Annotated[
        Positive | None, Field(description="Disk bandwidth for a while only. [MB/s]")
    ] = None
    disk: Annotated[Disk | None, Field(description="The disk that the disk figures are of.")] = None
    arch: Annotated[Literal["x86_64", "arm64"] | None, Field(description="Architecture.")] = None
    lifecycle: Annotated[
        Literal["current", "previous"] | None, Field(description="Whether it is still what to buy.")
    ] = None
    price: Annotated[Price | None, Field(description="On-demand price. None: unknown.")] = None
    errata: Annotated[tuple[Erratum, ...], Field(description="Cells that the source prints wrong.")] = ()
    source: Annotated[str, Field(description="Where the figures come from.")] = ""

    def __str__(self) -> str:
        return f"{self.machine_type} + {self.disk}" if self.disk else self.machine_type


class Catalog(Model):
    """A set of machines.

    Raises
    ------
    TableError
        Unless every machine appears once, and a provider has at most one machine for a tier.
    """

    name: Annotated[Name, Field(description="The catalog's name.")]
    title: Annotated[str, Field(description="What the catalog is, in one line.")] = ""
    source: Annotated[str, Field(description="Where the figures come from.")] = ""
    date: Annotated[str, Field(description="When the source was read.")] = ""
    machines: Annotated[tuple[Machine, ...], Field(min_length=1, description="In the source's order.")]

    @model_validator(mode="after")
    def _check(self) -> Catalog:
        rows: dict[tuple[str, str, str], int] = {}
        for row, machine in enumerate(self.machines, 1):
            keys = [("machine_type", machine.machine_type)]
            if machine.tier is not None:
                keys.append(("tier", machine.tier))
            for field, value in keys:
                key = (machine.provider, field, value)
                if key in rows:
                    raise TableError(
                        f"got {machine.provider} {shown(value)}, which row {rows[key]} has already; "
                        "a machine appears once, and a provider has one machine for a tier",
                        row=row,
                        field=field,
                    )
                rows[key] = row
        return self

    def __hash__(self) -> int:
        # Equal catalogs have equal names; the full hash would cost more than a sizing.
        return hash(self.name)

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers that the catalog has machines of, in alphabetical order."""
        return tuple(sorted({machine.provider for machine in self.machines}))

    def machine_for(self, provider: str, tier: str) -> Machine:
        """Return a provider's machine for a tier.

        Raises
        ------
        OptionError
            Where the catalog has none.
        """
        machine = _by_tier(self).get((provider, tier))
        if machine is None:
            raise OptionError(_no_machine(self, provider, tier), option="catalog", value=self.name)
        return machine


def _no_machine(catalog: Catalog, provider: str, tier: str) -> str:
    tiers = [tier for (name, tier) in _by_tier(catalog) if name == provider]
    has = f"it has one for {', '.join(tiers)}" if tiers else "it gives none of them a tier"
    return f"catalog: {shown(catalog.name)} has no {provider} machine for the tier {shown(tier)}, {has}"


@functools.lru_cache(maxsize=64)
def _by_tier(catalog: Catalog) -> dict[tuple[str, str], Machine]:
    return {(machine.provider, machine.tier): machine for machine in catalog.machines if machine.tier is not None}


def load_catalog(name_or_path: str | Path) -> Catalog:
    """Return a catalog: a built-in one by name, or a user's own JSON file.

    Parameters
    ----------
    name_or_path : str or Path
        `"guide"`, `"guide-as-printed"`, or the path of a file with the same fields as those in `etcdsize/data/`.

    Raises
    ------
    OptionError
        For a name that is neither a built-in catalog nor a file.
    TableError
        For a file that breaks a rule of `Catalog`; it names file, row and field.

    Examples
    --------
    >>> [machine.machine_type for machine in load_catalog("guide").machines][:2]
    ['m4.large', 'n1-standard-2']
    """
    if isinstance(name_or_path, str) and name_or_path in BUILT_IN:
        return _built_in(str(name_or_path))
    return read_table(Catalog, find_file("catalog", name_or_path, BUILT_IN))


@functools.cache
def _built_in(name: str) -> Catalog:
    return read_table(Catalog, _DATA / f"machines-{name}.json")
