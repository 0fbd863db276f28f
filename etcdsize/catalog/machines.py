"""Machines: what a provider sells under which name, with which figures and prices, from which source.

`Disk`, `Erratum`, `Price`, `Cost` and `Machine` are the models. A figure that nobody has verified is None, never zero.
The rules of network disks are in `disks`, sets of machines in `catalogs`. This module imports pydantic, never numpy.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from etcdsize.base.model import Model, Name, NotNegative, Positive
from etcdsize.base.text import shown
from etcdsize.catalog.disks import DiskLimit, DiskPrice
from etcdsize.catalog.providers import provider_name
from etcdsize.errors import TableError

__all__ = [
    *("HOURS_A_MONTH", "Cost", "Disk", "Erratum", "Machine", "MachinePrice", "Price", "monthly_total", "provider_name"),
    "throughput_text",
]

HOURS_A_MONTH = 730
"""As the providers count a month (365 * 24 / 12)."""


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
        >>> from etcdsize import load_catalog
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
