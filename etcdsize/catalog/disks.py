"""Network disks as rules: what a disk of a size sustains, what it costs, and the smallest one that is enough.

`DiskKind` is the rule of one kind of disk, `DiskLimit` what a machine lets through to one kind, `DiskChoice` an
answer. Only what a disk sustains counts; what it can do for a while does not. A figure that nobody has verified is
None, never 0, and what rests on it is None too. The arithmetic is in `_disk_rules`. This module imports pydantic,
never numpy.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from etcdsize.base.model import Model, Name, NotNegative, Positive
from etcdsize.catalog import disk_rules
from etcdsize.catalog.providers import provider_name
from etcdsize.errors import TableError

__all__ = ["DiskChoice", "DiskKind", "DiskLimit", "DiskPrice", "PriceStep"]


class DiskLimit(Model):
    """What a machine lets through to one kind of network disk, whatever the disk can do."""

    kind: Annotated[Name, Field(description="The provider's name for the kind of disk, such as pd-ssd.")]
    concurrent_iops: Annotated[
        Positive | None, Field(description="Concurrent disk operations that it sustains. [1/s] None: unknown.")
    ] = None
    disk_mb_per_second: Annotated[
        Positive | None, Field(description="Disk bandwidth that it sustains. [MB/s] None: unknown.")
    ] = None
    source: Annotated[str, Field(description="Where the figures come from.")] = ""


class PriceStep(Model):
    """The price of one provisioned IOPS, up to a number of them."""

    up_to: Annotated[Positive | None, Field(description="The last IOPS that costs this. [1/s] None: every further.")]
    usd_month: Annotated[NotNegative, Field(description="[US dollars per IOPS and month]")]


class DiskPrice(Model):
    """What a kind of disk costs; without region and date a price says nothing, so both are required."""

    usd_gib_month: Annotated[NotNegative, Field(description="[US dollars per GiB and month]")]
    usd_iops_month: Annotated[
        tuple[PriceStep, ...] | None,
        Field(description="Every provisioned IOPS above those included, in rising steps. None: unknown."),
    ] = None
    usd_mb_per_second_month: Annotated[
        NotNegative | None,
        Field(description="Every MB/s above those included. [US dollars per MB/s and month] None: unknown."),
    ] = None
    region: Annotated[Name, Field(description="The provider's name of the region.")]
    date: Annotated[Name, Field(description="When the price was read.")]
    source: Annotated[str, Field(description="Where it was read.")] = ""

    @model_validator(mode="after")
    def _check(self) -> "DiskPrice":
        ends = [step.up_to for step in self.usd_iops_month or ()]
        limits = [end for end in ends if end is not None]
        if ends and (ends[-1] is not None or len(limits) != len(ends) - 1 or limits != sorted(set(limits))):
            raise TableError("expected steps that rise, the last of them without up_to", field="usd_iops_month")
        return self


class DiskChoice(Model):
    """A disk to buy: a kind, its size, what to provision, what it then sustains, and what it costs."""

    kind: Annotated[Name, Field(description="The provider's name for the kind of disk.")]
    size_gib: Annotated[int, Field(strict=True, gt=0, description="[GiB]")]
    provisioned_iops: Annotated[Positive | None, Field(description="IOPS to ask for. [1/s] None: those included.")] = (
        None
    )
    provisioned_mb_per_second: Annotated[
        Positive | None, Field(description="Throughput to ask for. [MB/s] None: that included.")
    ] = None
    throughput_unit: Annotated[
        Literal["MB/s", "MiB/s"], Field(description="What the provider counts throughput in.")
    ] = "MB/s"
    concurrent_iops: Annotated[
        NotNegative | None, Field(description="Concurrent disk operations that it sustains. [1/s] None: unknown.")
    ] = None
    disk_mb_per_second: Annotated[
        NotNegative | None, Field(description="Disk bandwidth that it sustains. [MB/s] None: unknown.")
    ] = None
    usd_month: Annotated[NotNegative | None, Field(description="[US dollars per month] None: unknown.")] = None


class DiskKind(Model):
    """One kind of network disk as a rule: what a size of it sustains, what may be bought besides, and the price.

    What a disk sustains without asking is `included + per GiB * size`, at least the floor and at most the cap; its
    throughput is besides that what comes with every IOPS. What is provisionable may be asked for above that, within
    the caps and ratios.

    Raises
    ------
    TableError
        Where IOPS both come with the size and may be provisioned, or throughput comes in two ways: then there would
        be no single cheapest disk.

    Examples
    --------
    >>> from etcdsize import load_catalog
    >>> gp2 = load_catalog("current").disk_kind("aws", "gp2")
    >>> gp2.figures(50)
    (150, 39.3216)
    >>> choice = gp2.smallest(20, 3600, 56.25)
    >>> choice.size_gib, choice.concurrent_iops, choice.usd_month
    (1200, 3600, 120)
    >>> gp2.smallest(20, 20000, 56.25)
    'gp2 reaches at most 16000 IOPS, 20000 needed'
    """

    provider: Annotated[
        Literal["aws", "azure", "gce"], BeforeValidator(provider_name), Field(description="Who sells it.")
    ]
    kind: Annotated[Name, Field(description="The provider's name for it, such as gp3.")]
    media: Annotated[Literal["ssd", "hdd"], Field(description="What it is made of.")]
    min_size_gib: Annotated[
        int | None, Field(strict=True, gt=0, description="The smallest size. [GiB] None: unknown, not checked.")
    ] = None
    max_size_gib: Annotated[
        int | None, Field(strict=True, gt=0, description="The largest size. [GiB] None: unknown, not checked.")
    ] = None
    included_iops: Annotated[
        NotNegative | None, Field(description="IOPS of every disk, whatever its size. [1/s] None: unknown.")
    ] = None
    iops_per_gib: Annotated[
        NotNegative | None, Field(description="IOPS that come with every GiB. [1/s] None: unknown.")
    ] = None
    min_iops: Annotated[
        NotNegative, Field(description="The least IOPS of a disk: a floor, or the least to ask for. [1/s]")
    ] = 0
    max_iops: Annotated[Positive | None, Field(description="The most IOPS of a disk. [1/s] None: unknown.")] = None
    iops_provisionable: Annotated[bool, Field(description="Whether more IOPS may be bought.")] = False
    max_iops_per_gib: Annotated[
        Positive | None, Field(description="The most IOPS to buy for a GiB. [1/s] None: unknown.")
    ] = None
    included_mb_per_second: Annotated[
        NotNegative | None, Field(description="Throughput of every disk. [MB/s] None: unknown.")
    ] = None
    mb_per_second_per_gib: Annotated[
        NotNegative | None, Field(description="Throughput that comes with every GiB. [MB/s] None: unknown.")
    ] = None
    mb_per_second_per_iops: Annotated[
        NotNegative | None, Field(description="Throughput that comes with every IOPS. [MB/s] None: unknown.")
    ] = None
    max_mb_per_second: Annotated[
        Positive | None, Field(description="The most throughput of a disk. [MB/s] None: unknown.")
    ] = None
    mb_per_second_provisionable: Annotated[bool, Field(description="Whether more throughput may be bought.")] = False
    max_mb_per_second_per_iops: Annotated[
        Positive | None, Field(description="The most throughput to buy for an IOPS. [MB/s] None: unknown.")
    ] = None
    throughput_unit: Annotated[
        Literal["MB/s", "MiB/s"],
        Field(description="What the provider counts throughput in; whole ones are bought."),
    ] = "MB/s"
    bursts: Annotated[
        str | None, Field(description="What it can do for a while. Never counted. None: it does not burst.")
    ] = None
    price: Annotated[DiskPrice | None, Field(description="None: unknown.")] = None
    source: Annotated[str, Field(description="Where the rule comes from.")] = ""

    @model_validator(mode="after")
    def _check(self) -> "DiskKind":
        if self.min_size_gib is not None and self.max_size_gib is not None and self.min_size_gib > self.max_size_gib:
            raise TableError(f"got {self.max_size_gib}, expected min_size_gib or more", field="max_size_gib")
        if self.max_iops is not None and self.max_iops < max(self.min_iops, self.included_iops or 0):
            raise TableError(f"got {self.max_iops}, expected min_iops and included_iops or more", field="max_iops")
        if self.max_mb_per_second is not None and self.max_mb_per_second < (self.included_mb_per_second or 0):
            raise TableError(
                f"got {self.max_mb_per_second}, expected included_mb_per_second or more", field="max_mb_per_second"
            )
        if self.iops_provisionable and self.iops_per_gib:
            raise TableError("IOPS come with the size or are bought, not both", field="iops_per_gib")
        ways = (self.mb_per_second_per_gib, self.mb_per_second_per_iops, self.mb_per_second_provisionable)
        if sum(map(bool, ways)) > 1:
            raise TableError(
                "throughput comes with the size, or with the IOPS, or is bought; one of them",
                field="mb_per_second_per_gib",
            )
        return self

    def figures(
        self,
        size_gib: int,
        provisioned_iops: float | None = None,
        provisioned_mb_per_second: float | None = None,
    ) -> tuple[float | None, float | None]:
        """Return the IOPS and the MB/s that a disk sustains, None for what is unknown; bursts never count.

        Parameters
        ----------
        size_gib : int
            [GiB]
        provisioned_iops : number, optional
            What is asked for; the least there is where it is not given. [1/s]
        provisioned_mb_per_second : number, optional
            Likewise. [MB/s]

        Raises
        ------
        OptionError
            For a size or a provisioning that cannot be bought.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> load_catalog("current").disk_kind("aws", "gp3").figures(50)
        (3000, 131.072)
        """
        return disk_rules.figures(self, size_gib, provisioned_iops, provisioned_mb_per_second)

    def usd_month(
        self,
        size_gib: int,
        provisioned_iops: float | None = None,
        provisioned_mb_per_second: float | None = None,
    ) -> float | None:
        """Return what a disk costs, in US dollars per month; None where a part of the price is unknown.

        The parameters and the errors are those of `figures`.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> load_catalog("current").disk_kind("aws", "gp3").usd_month(100, 4000)
        13
        """
        return disk_rules.usd_month(self, size_gib, provisioned_iops, provisioned_mb_per_second)

    def smallest(
        self, size_gib: float, concurrent_iops: float | None = None, mb_per_second: float | None = None
    ) -> DiskChoice | str:
        """Return the cheapest disk of this kind that is enough, or the reason why none is.

        Size, IOPS and throughput are each the least that is enough. No other disk of this kind that is enough has
        less of any, so none is cheaper.

        Parameters
        ----------
        size_gib : number
            What it has to hold; rounded up to whole GiB. [GiB]
        concurrent_iops : number, optional
            What it has to sustain; None where it does not matter. [1/s]
        mb_per_second : number, optional
            Likewise. [MB/s]

        Raises
        ------
        OptionError
            For a need that is not a finite number, above 0 for the size and 0 or more for the rest.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> choice = load_catalog("current").disk_kind("aws", "gp3").smallest(50, 3600, 56.25)
        >>> choice.size_gib, choice.provisioned_iops, choice.usd_month
        (50, 3600, 7)
        """
        found = disk_rules.smallest(self, size_gib, concurrent_iops, mb_per_second)
        if isinstance(found, str):
            return found
        iops, throughput = self.figures(*found)
        return DiskChoice(
            kind=self.kind,
            size_gib=found[0],
            provisioned_iops=found[1],
            provisioned_mb_per_second=found[2],
            throughput_unit=self.throughput_unit,
            concurrent_iops=iops,
            disk_mb_per_second=throughput,
            usd_month=self.usd_month(*found),
        )
