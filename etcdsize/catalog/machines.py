"""Machines: what a provider sells under which name, with which figures and prices, from which source.

`Disk`, `Erratum`, `Price`, `Cost` and `Machine` are the models. A figure that nobody has verified is None, never zero.
The rules of network disks are in `disks`, sets of machines in `catalogs`. This module imports pydantic, never numpy.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from etcdsize.base.model import Model, Name, NotNegative, Positive
from etcdsize.base.text import shown
from etcdsize.catalog.costs import Cost, Price
from etcdsize.catalog.disks import DiskLimit
from etcdsize.catalog.figures import ThroughputUnit, throughput_text
from etcdsize.catalog.providers import Provider
from etcdsize.errors import TableError

__all__ = ["Disk", "Erratum", "Machine", "MachinePrice"]


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
        ThroughputUnit, Field(description="The unit in which the provider counts throughput.")
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


class MachinePrice(Model):
    """The price of one type of machine, as a list of prices gives it."""

    provider: Annotated[
        Provider | None,
        Field(description="The provider that sells it. None: the one that has the type."),
    ] = None
    machine_type: Annotated[Name, Field(description="The provider's name for it.")]
    price: Annotated[Price, Field(description="Its on-demand price.")]


class Machine(Model):
    """One row of a provider's table."""

    provider: Annotated[Provider, Field(description="The provider that sells it.")]
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
