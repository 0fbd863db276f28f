"""Machines: their names, figures, prices and sources. An unverified figure is None, never 0."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from etcdsize.base.checks import text_of
from etcdsize.base.model import Count, Model, Name, NotNegative, Positive
from etcdsize.base.text import shown
from etcdsize.catalog.architectures import Architecture
from etcdsize.catalog.costs import Cost, Price
from etcdsize.catalog.disks import DiskLimit
from etcdsize.catalog.figures import exact, number, throughput_text
from etcdsize.catalog.providers import Provider
from etcdsize.catalog.volumes import Volume
from etcdsize.errors import TableError

__all__ = ["Disk", "Erratum", "Machine", "MachinePrice"]


class Disk(Volume):
    """The disk to which a machine's disk figures apply."""

    size_gb: Annotated[Positive, Field(description="The size, as the provider sells it. [GB]")]

    @property
    def volume_size_gib(self) -> int:
        """The size to ask for, which providers count in GiB, also where they write GB. [GiB]"""
        return math.ceil(self.size_gb)

    def __str__(self) -> str:
        provisioned = [] if self.provisioned_iops is None else [f"{self.provisioned_iops:g} IOPS"]
        if self.provisioned_mb_per_second is not None:
            provisioned.append(throughput_text(self.provisioned_mb_per_second, self.throughput_unit))
        return ", ".join([f"{self.size_gb} GB {self.kind.replace('-', ' ').upper()}", *provisioned])


class Erratum(Model):
    """A misprint in a source, and its correction."""

    field: Annotated[Name, Field(description="The field of the machine.")]
    printed: Annotated[str, Field(description="What the source prints.")]
    correct: Annotated[str, Field(description="What it should print.")]
    reason: Annotated[str, Field(description="The reason for the correction.")]
    source: Annotated[str, Field(description="Where the correction comes from.")] = ""


class MachinePrice(Model):
    """The price of one type of machine, from a list of prices."""

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
    tier: Annotated[Name | None, Field(description="The tier that the source assigns it to.")] = None
    family: Annotated[Name | None, Field(description="The provider's name of its family, such as m7i.")] = None
    vcpus: Annotated[Count, Field(description="Virtual CPUs. [count]")]
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
        Positive | None, Field(description="Concurrent disk operations that it reaches in a burst. [1/s]")
    ] = None
    burst_disk_mb_per_second: Annotated[
        Positive | None, Field(description="Disk bandwidth that it reaches in a burst. [MB/s]")
    ] = None
    disk_limits: Annotated[
        tuple[DiskLimit, ...],
        Field(
            description="Its limits by kind of network disk, where they differ. A kind without figures is one that it "
            "takes and that has the limits of any kind, if they are published. It is not known to take any other kind."
        ),
    ] = ()
    limit_known: Annotated[
        bool,
        Field(
            description="False where a fit chose the disk, and the machine's own limit for it is not published: the "
            "disk figures are then those of the disk alone."
        ),
    ] = True
    own: Annotated[
        bool,
        Field(
            description="Whether it is a server of one's own. Its disk figures are what its own disk sustains, as "
            "measured, and the disk stays with it."
        ),
    ] = False
    sequential_iops: Annotated[
        Positive | None,
        Field(description="Writes that its own disk completes one after the other. [1/s] None: not measured."),
    ] = None
    fsync_p99_ms: Annotated[
        Positive | None,
        Field(description="The 99th percentile of an fsync of its own disk. [ms] None: not measured."),
    ] = None
    disk: Annotated[Disk | None, Field(description="The disk to which the disk figures apply.")] = None
    local_nvme_gb: Annotated[
        NotNegative | None,
        Field(description="Local NVMe disks, whose data is lost when it stops. [GB] 0: none. None: unknown."),
    ] = None
    arch: Annotated[Architecture | None, Field(description="Architecture.")] = None
    lifecycle: Annotated[
        Literal["current", "previous"] | None, Field(description="Whether it belongs to the current generation.")
    ] = None
    burstable: Annotated[bool, Field(description="Whether it has its full CPU only in bursts.")] = False
    cpu_baseline_percent: Annotated[
        Positive | None,
        Field(description="What it sustains of each vCPU, if it does not have its full CPU all the time. [%]"),
    ] = None
    flex: Annotated[bool, Field(description="Whether it has its full CPU most of the time, and not always.")] = False
    shared_core: Annotated[bool, Field(description="Whether it shares its cores with other machines.")] = False
    bare_metal: Annotated[bool, Field(description="Whether it is a whole server.")] = False
    gpu: Annotated[bool, Field(description="Whether it has graphics processors.")] = False
    nitro: Annotated[
        bool | None, Field(description="Whether it is built on AWS Nitro, which some disks need. None: unknown.")
    ] = None
    price: Annotated[Price | None, Field(description="On-demand price. None: unknown.")] = None
    cost: Annotated[
        Cost | None, Field(description="What a member costs with its disk, where a fit chose the disk.")
    ] = None
    errata: Annotated[tuple[Erratum, ...], Field(description="Misprints in the source.")] = ()
    source: Annotated[str, Field(description="Where the figures come from.")] = ""

    @model_validator(mode="after")
    def _check(self) -> "Machine":
        if self.own and self.disk_limits:
            raise TableError(
                "got limits of network disks, expected none of a server of one's own; concurrent_iops and "
                "disk_mb_per_second say what its own disk sustains",
                field="disk_limits",
            )
        for field in ("sequential_iops", "fsync_p99_ms"):
            if not self.own and getattr(self, field) is not None:
                raise TableError(
                    f"got {getattr(self, field):g}, expected it of a server of one's own only; add own: true if it is "
                    "one",
                    field=field,
                )
        kinds = [limit.kind for limit in self.disk_limits]
        for index, kind in enumerate(kinds):
            if kind in kinds[:index]:
                raise TableError(
                    f"got {shown(kind)} more than once, expected each kind of disk once", field="disk_limits"
                )
        return self

    def __str__(self) -> str:
        return f"{self.machine_type} + {self.disk}" if self.disk else self.machine_type

    @property
    def sustained_vcpus(self) -> float | None:
        """How many vCPUs it has all the time; None where that is unknown. [count]

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> load_catalog("current").machine("aws", "t3.medium").sustained_vcpus
        0.4
        """
        if self.cpu_baseline_percent is not None:
            return number(exact(self.cpu_baseline_percent) * self.vcpus / 100)
        return None if self.burstable or self.flex or self.shared_core else self.vcpus

    def limits_for(self, kind: str) -> tuple[float | None, float | None]:
        """Return the IOPS and the MB/s that it lets through to one kind of network disk; None is unknown.

        Raises
        ------
        OptionError
            For a kind that is not text.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> n2 = load_catalog("current").machine("gce", "n2-standard-4")
        >>> n2.limits_for("pd-ssd"), n2.limits_for("hyperdisk-balanced")
        ((15000, 251.65824), (None, None))
        """
        text_of("kind", kind)
        if not self.disk_limits:
            return self.concurrent_iops, self.disk_mb_per_second
        for limit in self.disk_limits:
            if limit.kind == kind:
                of_kind = (limit.concurrent_iops, limit.disk_mb_per_second)
                return of_kind if of_kind != (None, None) else (self.concurrent_iops, self.disk_mb_per_second)
        return None, None
