"""Machines and catalogs: what a provider sells under which name, with which figures, from which source.

`Disk`, `Erratum`, `Price`, `Machine` and `Catalog` are the models; `load_catalog` reads a built-in catalog or a
user's own file. A figure that nobody has verified is None, never zero. The rules of network disks are in `disks`.
This module imports pydantic, never numpy.
"""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from etcdsize._model import Model, Name, NotNegative, Positive, read_table
from etcdsize.disks import DiskKind, DiskLimit, DiskPrice
from etcdsize.errors import OptionError, TableError, nearest, shown
from etcdsize.providers import provider_name
from etcdsize.tiers import find_file

__all__ = [
    "Catalog",
    "Cost",
    "Disk",
    "Erratum",
    "Machine",
    "MachinePrice",
    "Price",
    "Unfit",
    "load_catalog",
    "provider_name",
]

_DATA = Path(__file__).with_name("data")
HOURS_A_MONTH = 730
"""As the providers count a month (365 * 24 / 12)."""
BUILT_IN = ("guide", "guide-as-printed", "current")


_ARCHITECTURES = {"amd64": "x86_64", "aarch64": "arm64"}


def throughput_text(mb_per_second: float, unit: str) -> str:
    """Return a throughput as a provider counts it, in MB/s or MiB/s."""
    return f"{round(mb_per_second * 1e6 / 2**20 if unit == 'MiB/s' else mb_per_second, 2):g} {unit}"


class Disk(Model):
    """The disk that a machine's figures belong to."""

    kind: Annotated[Name, Field(description="The provider's name for the kind of disk, such as pd-ssd.")]
    size_gb: Annotated[Positive, Field(description="Size as the provider sells it. [GB]")]
    provisioned_iops: Annotated[Positive | None, Field(description="IOPS to ask for. [1/s] None: those included.")] = (
        None
    )
    provisioned_mb_per_second: Annotated[
        Positive | None, Field(description="Throughput to ask for. [MB/s] None: that included.")
    ] = None
    throughput_unit: Annotated[
        Literal["MB/s", "MiB/s"], Field(description="What the provider counts throughput in.")
    ] = "MB/s"

    def __str__(self) -> str:
        asked = [] if self.provisioned_iops is None else [f"{self.provisioned_iops:g} IOPS"]
        if self.provisioned_mb_per_second is not None:
            asked.append(throughput_text(self.provisioned_mb_per_second, self.throughput_unit))
        return ", ".join([f"{self.size_gb} GB {self.kind.replace('-', ' ').upper()}", *asked])


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

    @property
    def usd_month(self) -> float:
        """The price of 730 hours. [US dollars]"""
        return self.usd_hour * HOURS_A_MONTH


class Cost(Model):
    """What a member costs a month, with its disk: unknown where a part is, and why."""

    usd_month: Annotated[NotNegative | None, Field(description="Machine and disk. [US dollars] None: unknown.")]
    machine_usd_month: Annotated[NotNegative | None, Field(description="The machine, 730 hours. [US dollars]")] = None
    disk_usd_month: Annotated[NotNegative | None, Field(description="The disk. [US dollars]")] = None
    region: Annotated[str | None, Field(description="Where it costs that.")] = None
    date: Annotated[str | None, Field(description="When the older of the two prices was read.")] = None
    unknown: Annotated[str, Field(description="Why the whole is unknown; empty where it is known.")] = ""

    @classmethod
    def of(
        cls, machine: Price | None, disk_usd_month: float | None, disk: DiskPrice | None, region: str | None
    ) -> "Cost":
        """Return the cost of a machine and a disk, as far as both prices are of the region that is asked for."""
        total, unknown = monthly_total(machine, disk_usd_month, disk, region)
        of = region or (machine.region if machine is not None else disk.region if disk is not None else None)
        # A part that is of another region is not told: it would stand beside the wrong one.
        hours = machine if machine is not None and machine.region == of else None
        month = disk if disk is not None and disk.region == of and disk_usd_month is not None else None
        dates = [price.date for price in (hours, month) if price is not None]
        return cls(
            usd_month=total,
            machine_usd_month=None if hours is None else hours.usd_month,
            disk_usd_month=None if month is None else disk_usd_month,
            region=of if dates else None,
            date=min(dates, default=None),
            unknown="; ".join(unknown),
        )


def monthly_total(
    machine: Price | None, disk_usd_month: float | None, disk: DiskPrice | None, region: str | None
) -> tuple[float | None, list[str]]:
    """Return what a machine and a disk cost a month, None where a part is unknown, and why it is. [US dollars]"""
    unknown = []
    for what, price in (("machine", machine), ("disk", disk)):
        if price is None:
            unknown.append(f"no price of the {what}")
        elif region is not None and price.region != region:
            unknown.append(f"the price of the {what} is of {price.region}")
    if machine is not None and disk is not None and not unknown and machine.region != disk.region:
        unknown.append(f"the price of the machine is of {machine.region}, that of the disk of {disk.region}")
    if disk is not None and disk_usd_month is None:
        unknown.append("a part of the disk's price is unknown")
    if unknown or machine is None or disk_usd_month is None:
        return None, unknown
    return machine.usd_month + disk_usd_month, []


class MachinePrice(Model):
    """The price of one type of machine, as a list of prices gives it."""

    provider: Annotated[
        Literal["aws", "azure", "gce"] | None,
        BeforeValidator(lambda name: None if name is None else provider_name(name)),
        Field(description="Who sells it. None: the provider that has the type."),
    ] = None
    machine_type: Annotated[Name, Field(description="The provider's name for it.")]
    price: Annotated[Price, Field(description="Its on-demand price.")]


class Machine(Model):
    """One row of a provider's table."""

    provider: Annotated[
        Literal["aws", "azure", "gce"], BeforeValidator(provider_name), Field(description="Who sells it.")
    ]
    machine_type: Annotated[Name, Field(description="The provider's name for it.")]
    tier: Annotated[Name | None, Field(description="The tier that the source gives it for.")] = None
    family: Annotated[Name | None, Field(description="The provider's name of its family, such as m7i.")] = None
    vcpus: Annotated[int, Field(strict=True, gt=0, description="Virtual CPUs. [count]")]
    memory_gib: Annotated[Positive, Field(description="Memory. [GiB]")]
    concurrent_iops: Annotated[
        Positive | None,
        Field(description="Concurrent operations that it sustains on network disks of any kind. [1/s] None: unknown."),
    ] = None
    disk_mb_per_second: Annotated[
        Positive | None,
        Field(description="Bandwidth that it sustains to network disks of any kind. [MB/s] None: unknown."),
    ] = None
    burst_concurrent_iops: Annotated[
        Positive | None, Field(description="Concurrent disk operations for a while only. [1/s]")
    ] = None
    burst_disk_mb_per_second: Annotated[
        Positive | None, Field(description="Disk bandwidth for a while only. [MB/s]")
    ] = None
    disk_limits: Annotated[
        tuple[DiskLimit, ...],
        Field(
            description="What it lets through to one kind of disk, where that differs; other kinds are unknown then."
        ),
    ] = ()
    disk: Annotated[Disk | None, Field(description="The disk that the disk figures are of.")] = None
    local_nvme_gb: Annotated[
        NotNegative | None,
        Field(description="Local NVMe disks, which do not outlive a stop. [GB] 0: none. None: unknown."),
    ] = None
    arch: Annotated[Literal["x86_64", "arm64"] | None, Field(description="Architecture.")] = None
    lifecycle: Annotated[
        Literal["current", "previous"] | None, Field(description="Whether it is still what to buy.")
    ] = None
    burstable: Annotated[bool, Field(description="Whether its CPU is full only for a while.")] = False
    shared_core: Annotated[bool, Field(description="Whether it shares its cores with others.")] = False
    bare_metal: Annotated[bool, Field(description="Whether it is a whole server.")] = False
    price: Annotated[Price | None, Field(description="On-demand price. None: unknown.")] = None
    cost: Annotated[
        Cost | None, Field(description="What a member costs with its disk, where the disk was worked out.")
    ] = None
    errata: Annotated[tuple[Erratum, ...], Field(description="Cells that the source prints wrong.")] = ()
    source: Annotated[str, Field(description="Where the figures come from.")] = ""

    @model_validator(mode="after")
    def _check(self) -> "Machine":
        kinds = [limit.kind for limit in self.disk_limits]
        for index, kind in enumerate(kinds):
            if kind in kinds[:index]:
                raise TableError(f"got {shown(kind)} twice, expected every kind of disk once", field="disk_limits")
        return self

    def __str__(self) -> str:
        return f"{self.machine_type} + {self.disk}" if self.disk else self.machine_type

    def limits_for(self, kind: str) -> tuple[float | None, float | None]:
        """Return the IOPS and the MB/s that it lets through to one kind of network disk, None for unknown.

        Examples
        --------
        >>> n2 = load_catalog("current").machine("gce", "n2-standard-4")
        >>> n2.limits_for("pd-ssd"), n2.limits_for("hyperdisk-balanced")
        ((15000, 251.65824), (None, None))
        """
        if not self.disk_limits:
            return self.concurrent_iops, self.disk_mb_per_second
        for limit in self.disk_limits:
            if limit.kind == kind:
                return limit.concurrent_iops, limit.disk_mb_per_second
        return None, None


class Unfit(Model):
    """A tier for which a provider of a catalog has no machine that is enough."""

    provider: Annotated[str, Field(description="The provider.")]
    tier: Annotated[str, Field(description="The tier.")]
    reason: Annotated[str, Field(description="Why none is enough; what the nearest lacks.")]


class Catalog(Model):
    """A set of machines, and the kinds of network disks that go with them.

    Raises
    ------
    TableError
        Unless every machine and every kind of disk appears once, and a provider has at most one machine for a tier.
    """

    name: Annotated[Name, Field(description="The catalog's name.")]
    title: Annotated[str, Field(description="What the catalog is, in one line.")] = ""
    source: Annotated[str, Field(description="Where the figures come from.")] = ""
    date: Annotated[str, Field(description="When the source was read.")] = ""
    machines: Annotated[tuple[Machine, ...], Field(min_length=1, description="In the source's order.")]
    disk_kinds: Annotated[tuple[DiskKind, ...], Field(description="The rules of network disks.")] = ()
    unfit: Annotated[
        tuple[Unfit, ...],
        Field(description="Tiers that no machine was enough for, where machines were fitted to tiers."),
    ] = ()

    @model_validator(mode="after")
    def _check(self) -> "Catalog":
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
        kinds = [(kind.provider, kind.kind) for kind in self.disk_kinds]
        for index, found in enumerate(kinds):
            if found in kinds[:index]:
                raise TableError(
                    f"got {found[0]} {shown(found[1])} twice, expected every kind of disk once", field="disk_kinds"
                )
        return self

    def __hash__(self) -> int:
        # Equal catalogs have equal names; the full hash would cost more than a sizing.
        return hash(self.name)

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers that the catalog has machines of, in alphabetical order."""
        found = {machine.provider for machine in self.machines}
        return tuple(sorted(found.union(unfit.provider for unfit in self.unfit)))

    @property
    def has_tiers(self) -> bool:
        """Whether it says which machine is for which tier."""
        return bool(_by_tier(self))

    def machine(self, provider: str, machine_type: str) -> Machine:
        """Return a machine by the provider's name for it.

        Raises
        ------
        OptionError
            Where the catalog has none; it names the nearest.

        Examples
        --------
        >>> load_catalog("current").machine("aws", "m8i.large").memory_gib
        8
        """
        machines = {machine.machine_type: machine for machine in self.machines if machine.provider == provider}
        if machine_type not in machines:
            raise OptionError(
                f"machine_type: got {shown(machine_type)}, which is no {provider} machine of the catalog "
                f"{shown(self.name)}{nearest(str(machine_type), machines)}",
                option="machine_type",
                value=machine_type,
            )
        return machines[machine_type]

    def disk_kind(self, provider: str, kind: str) -> DiskKind:
        """Return the rule of a kind of network disk.

        Raises
        ------
        OptionError
            Where the catalog has none.

        Examples
        --------
        >>> load_catalog("current").disk_kind("aws", "gp3").included_iops
        3000
        """
        kinds = {found.kind: found for found in self.disk_kinds if found.provider == provider}
        if kind not in kinds:
            has = ", ".join(kinds) or "none"
            raise OptionError(
                f"disk kind: got {shown(kind)}, expected one of those that the catalog {shown(self.name)} has for "
                f"{provider}: {has}{nearest(str(kind), kinds)}",
                option="kind",
                value=kind,
            )
        return kinds[kind]

    def merge(self, prices: Iterable[MachinePrice]) -> "Catalog":
        """Return the catalog with these prices in the place of its own; the other machines keep theirs.

        Raises
        ------
        TableError
            For a type that the catalog does not have or has of two providers, and for one that comes twice; it names
            the row.

        Examples
        --------
        >>> price = Price(usd_hour=0.09, region="eu-west-1", date="2026-11-01", source="our contract")
        >>> prices = [MachinePrice(machine_type="m8i.large", price=price)]
        >>> load_catalog("current").merge(prices).machine("aws", "m8i.large").price.usd_hour
        0.09
        """
        places: dict[str, list[tuple[str, int]]] = {}
        for index, machine in enumerate(self.machines):
            places.setdefault(machine.machine_type, []).append((machine.provider, index))
        machines, rows = list(self.machines), dict[int, int]()
        for row, listed in enumerate(prices, 1):
            found = [
                (provider, index)
                for provider, index in places.get(listed.machine_type, [])
                if listed.provider in (None, provider)
            ]
            if len(found) != 1:
                raise TableError(
                    _not_one(self, listed, row, [name for name, _ in found]), row=row, field="machine_type"
                )
            index = found[0][1]
            if index in rows:
                raise TableError(
                    f"row {row}, machine_type: got {shown(listed.machine_type)}, which row {rows[index]} has already; "
                    "a machine has one price",
                    row=row,
                    field="machine_type",
                )
            rows[index] = row
            machines[index] = machines[index].model_copy(update={"price": listed.price})
        return self.model_copy(update={"machines": tuple(machines)})

    def restrict(
        self,
        machine_types: str | Iterable[str] | None = None,
        families: str | Iterable[str] | None = None,
        architectures: str | Iterable[str] | None = None,
        regions: str | Iterable[str] | None = None,
    ) -> "Catalog":
        """Return the catalog with those machines only that are of one of each of these.

        Parameters
        ----------
        machine_types, families, architectures : str or iterable of str, optional
            Names as the catalog has them; None for all. amd64 means x86_64, and aarch64 means arm64.
        regions : str or iterable of str, optional
            Regions of the price: machines that are priced in none of them, or not at all, are left out.

        Raises
        ------
        OptionError
            For a name that no machine of the catalog has, with the nearest; and where no machine is left.

        Examples
        --------
        >>> small = load_catalog("current").restrict(families=["m8i", "m9g"], architectures="x86_64")
        >>> [machine.machine_type for machine in small.machines][:2]
        ['m8i.large', 'm8i.xlarge']
        """
        left = self.machines
        asked = []
        for option, names, field in (
            ("machine_types", machine_types, "machine_type"),
            ("families", families, "family"),
            ("architectures", architectures, "arch"),
            ("regions", regions, "region"),
        ):
            if names is None:
                continue
            wanted = (names,) if isinstance(names, str) else tuple(names)
            if field == "arch":
                wanted = tuple(_ARCHITECTURES.get(name, name) for name in wanted)
            _check_names(self, option, wanted, {_cell(machine, field) for machine in self.machines})
            left = tuple(machine for machine in left if _cell(machine, field) in wanted)
            asked.append(f"{option} {', '.join(wanted)}")
        if not left:
            raise OptionError(
                f"catalog: {shown(self.name)} has no machine that is of all of these: {'; '.join(asked)}",
                option="catalog",
                value=self.name,
            )
        return self.model_copy(update={"machines": left})

    def find_for(self, provider: str, tier: str) -> Machine | None:
        """Return a provider's machine for a tier, None where the catalog has none; `machine_for` says why."""
        return _by_tier(self).get((provider, tier))

    def machine_for(self, provider: str, tier: str) -> Machine:
        """Return a provider's machine for a tier.

        Raises
        ------
        OptionError
            Where the catalog has none.
        """
        machine = self.find_for(provider, tier)
        if machine is None:
            raise OptionError(_no_machine(self, provider, tier), option="catalog", value=self.name)
        return machine


def _cell(machine: Machine, field: str) -> str | None:
    if field == "region":
        return machine.price.region if machine.price else None
    cell: str | None = getattr(machine, field)
    return cell


def _check_names(catalog: Catalog, option: str, wanted: Sequence[str], known: set[str | None]) -> None:
    names = sorted(name for name in known if name is not None)
    if not wanted:
        raise OptionError(f"{option}: got no name, expected one or more", option=option, value=wanted)
    for name in wanted:
        if name not in names:
            some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "none"
            raise OptionError(
                f"{option}: got {shown(name)}, expected what the catalog {shown(catalog.name)} has: {some}"
                + nearest(str(name), names),
                option=option,
                value=name,
            )


def _not_one(catalog: Catalog, listed: MachinePrice, row: int, providers: Sequence[str]) -> str:
    where = f"row {row}, machine_type: got {shown(listed.machine_type)}, "
    if providers:
        return f"{where}which {' and '.join(providers)} have both; give the provider as well"
    known = [machine.machine_type for machine in catalog.machines if listed.provider in (None, machine.provider)]
    of = f"{listed.provider} " if listed.provider else ""
    return f"{where}which is no {of}machine of the catalog {shown(catalog.name)}{nearest(listed.machine_type, known)}"


def providers_of(catalog: Catalog, provider: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the providers that an argument names, all of the catalog's for None."""
    if provider is None:
        return catalog.providers
    names = (provider,) if isinstance(provider, str) or not isinstance(provider, Iterable) else tuple(provider)
    if not names:
        raise OptionError(
            f"provider: got no name, expected one or more of {', '.join(catalog.providers)}",
            option="provider",
            value=provider,
        )
    chosen = tuple(dict.fromkeys(map(provider_name, names)))
    for name in chosen:
        if name not in catalog.providers:
            raise OptionError(
                f"provider: got {shown(name)}, expected one of the catalog {shown(catalog.name)}: "
                f"{', '.join(catalog.providers)}",
                option="provider",
                value=name,
            )
    return chosen


def _no_machine(catalog: Catalog, provider: str, tier: str) -> str:
    for unfit in catalog.unfit:
        if (unfit.provider, unfit.tier) == (provider, tier):
            return f"catalog: {unfit.reason}"
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
        `"guide"`, `"guide-as-printed"`, `"current"`, or the path of a file with the same fields as those in
        `etcdsize/data/`.

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
