"""Network disks as rules: what a disk of a size sustains, what it costs, and the smallest one that is enough.

`DiskKind` is the rule of one kind of disk, `DiskLimit` is what a machine lets through to one kind, and `DiskChoice` is
a disk to buy. Only what a disk sustains counts, never what it reaches in a burst. Figures are computed as exact
fractions of what is published. An unverified figure is None, never 0, and so is everything that depends on it.
"""

import functools
import math
from fractions import Fraction
from typing import Annotated, ClassVar

from pydantic import Field

from etcdsize.base.model import Model, Name, NotNegative, Positive
from etcdsize.catalog.costs import DiskPrice
from etcdsize.catalog.disk_figures import DiskFigures
from etcdsize.catalog.disk_purchase import Purchase, cheapest_purchase
from etcdsize.catalog.figures import check_amount, exact_text, number
from etcdsize.catalog.money import Currency
from etcdsize.catalog.providers import Provider
from etcdsize.catalog.volumes import Volume

__all__ = ["DiskChoice", "DiskKind", "DiskKindPrice", "DiskLimit"]


class DiskLimit(Model):
    """The most that a machine lets through to one kind of network disk, whatever the disk can do.

    Without figures, it says that the machine takes this kind, with the limits that it has for any kind.
    """

    kind: Annotated[Name, Field(description="The provider's name for the kind of disk, such as pd-ssd.")]
    concurrent_iops: Annotated[
        Positive | None, Field(description="Concurrent disk operations that it sustains. [1/s] None: unknown.")
    ] = None
    disk_mb_per_second: Annotated[
        Positive | None, Field(description="Disk bandwidth that it sustains. [MB/s] None: unknown.")
    ] = None
    source: Annotated[str, Field(description="Where the figures come from.")] = ""


class DiskChoice(Volume):
    """A disk to buy: its kind and size, what to provision, what it then sustains, and what it costs.

    Examples
    --------
    >>> from etcdsize import load_catalog
    >>> choice = load_catalog("current").disk_kind("aws", "gp3").smallest(50, 4500, 100)
    >>> choice.volume_type, choice.volume_size_gib, choice.volume_iops, choice.volume_throughput_mib_s
    ('gp3', 50, 4500, 125)
    """

    renamed: ClassVar[dict[str, str]] = {"usd_month": "per_month"}

    size_gib: Annotated[int, Field(strict=True, gt=0, description="[GiB]")]
    concurrent_iops: Annotated[
        NotNegative | None, Field(description="Concurrent disk operations that it sustains. [1/s] None: unknown.")
    ] = None
    disk_mb_per_second: Annotated[
        NotNegative | None, Field(description="Disk bandwidth that it sustains. [MB/s] None: unknown.")
    ] = None
    per_month: Annotated[NotNegative | None, Field(description="[currency per month] None: unknown.")] = None
    currency: Annotated[Currency | None, Field(description="The currency of the price. None: no price.")] = None

    @property
    def volume_size_gib(self) -> int:
        """The size to ask for. [GiB]"""
        return self.size_gib


class DiskKind(DiskFigures):
    """The rule of one kind of network disk: what each size sustains, what can be bought beyond that, and the price.

    A disk sustains `included + per GiB * size`, at least the floor and at most the cap; its throughput also includes
    what comes with each IOPS. More can be bought, where the kind allows it, in whole IOPS and whole units of
    throughput, within the caps and ratios. Where neither a ratio nor a cap of what comes with the size is known, nor is
    how much more can be bought, and none is assumed. A kind that is sold in `sizes` has the figures of these instead.

    Raises
    ------
    TableError
        Where figures contradict each other, where one is left out that the others do not imply, and where throughput
        both comes with every IOPS and can be bought: then there would be no single cheapest disk.

    Examples
    --------
    >>> from etcdsize import load_catalog
    >>> gp2 = load_catalog("current").disk_kind("aws", "gp2")
    >>> gp2.figures(50)
    (150, 39.3216)
    >>> choice = gp2.smallest(20, 3600, 56.25)
    >>> choice.size_gib, choice.concurrent_iops, choice.per_month
    (1200, 3600, 120)
    >>> gp2.smallest(20, 20000, 56.25)
    'gp2 reaches at most 16000 IOPS, 20000 needed'
    """

    def figures(
        self,
        size_gib: int,
        provisioned_iops: float | None = None,
        provisioned_mb_per_second: float | None = None,
    ) -> tuple[float | None, float | None]:
        """Return the IOPS and the MB/s that a disk sustains; None where a figure is unknown.

        Parameters
        ----------
        size_gib : int
            The disk's size. [GiB]
        provisioned_iops : number, optional
            The IOPS to provision; by default the fewest that the disk can have. [1/s]
        provisioned_mb_per_second : number, optional
            The throughput to provision; by default the least that the disk can have. [MB/s]

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
        size = self._whole_size(size_gib)
        iops, throughput = self._sustained(size, provisioned_iops, provisioned_mb_per_second)
        return None if iops is None else number(iops), None if throughput is None else number(throughput)

    def per_month(
        self,
        size_gib: int,
        provisioned_iops: float | None = None,
        provisioned_mb_per_second: float | None = None,
    ) -> float | None:
        """Return what a disk costs per month, in the currency of its price; None where a part of that is unknown.

        The parameters and the errors are those of `figures`.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> load_catalog("current").disk_kind("aws", "gp3").per_month(100, 4000)
        13
        """
        return self._cost(self._whole_size(size_gib), provisioned_iops, provisioned_mb_per_second)

    def smallest(
        self, size_gib: float, concurrent_iops: float | None = None, mb_per_second: float | None = None
    ) -> DiskChoice | str:
        """Return the cheapest disk of this kind that is enough, or the reason why none is.

        No other disk of this kind that is enough costs less; of equally cheap ones, and where the price is unknown, it
        is the smallest, with the least bought beside its size.

        Parameters
        ----------
        size_gib : number
            What the disk has to hold; rounded up to whole GiB. [GiB]
        concurrent_iops : number, optional
            The IOPS that it has to sustain; None where they do not matter. [1/s]
        mb_per_second : number, optional
            The throughput that it has to sustain; None where it does not matter. [MB/s]

        Raises
        ------
        OptionError
            For a need that is not a finite number, above 0 for the size and 0 or more for the rest.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> choice = load_catalog("current").disk_kind("aws", "gp3").smallest(50, 3600, 56.25)
        >>> choice.size_gib, choice.provisioned_iops, choice.per_month
        (50, 3600, 7)
        """
        wanted = math.ceil(check_amount("size_gib", size_gib, positive=True))
        if self._largest_size is not None and wanted > self._largest_size:
            return f"{self.kind} has at most {self._largest_size} GiB, {wanted} needed"
        iops = throughput = Fraction(0)
        if concurrent_iops is not None:
            iops = check_amount("concurrent_iops", concurrent_iops)
            most = self._most_iops(self._largest_size)
            if most is None:
                return f"the IOPS of {self.kind} are unknown"
            if iops > most:
                unknown = self.iops_provisionable and not self._limits_iops
                return self._too_little("IOPS", most, iops, limit_unknown=unknown)
        if mb_per_second is not None:
            throughput = check_amount("mb_per_second", mb_per_second)
            most = self._most_throughput(self._largest_size, self._most_iops(self._largest_size))
            if most is None:
                return f"the throughput of {self.kind} is unknown"
            if throughput > most:
                unknown = self.mb_per_second_provisionable and not self._limits_throughput
                return self._too_little("MB/s", most, throughput, limit_unknown=unknown)
        choice = _cheapest(self, wanted, iops, throughput)
        return f"{self.kind} has no size that is enough" if choice is None else choice

    def _choice(self, bought: Purchase) -> DiskChoice:
        """Return a purchase with its figures and its price."""
        iops, throughput = self._sustained(*bought)
        free = self._base_iops(bought.size_gib, free=True) if self.iops_provisionable else None
        included = self._base_throughput(bought.size_gib, iops) if self.mb_per_second_provisionable else None
        return DiskChoice(
            kind=self.kind,
            type_name=self.type_name,
            size_gib=bought.size_gib,
            provisioned_iops=bought.provisioned_iops,
            included_iops=None if free is None else number(free),
            provisioned_mb_per_second=bought.provisioned_mb_per_second,
            included_mb_per_second=None if included is None else number(included),
            throughput_unit=self.throughput_unit,
            asks_for_bought=self.asks_for_bought,
            concurrent_iops=None if iops is None else number(iops),
            disk_mb_per_second=None if throughput is None else number(throughput),
            per_month=self.per_month(*bought),
            currency=None if self.price is None else self.price.currency,
        )

    def _too_little(self, unit: str, most: Fraction, needed: Fraction, *, limit_unknown: bool) -> str:
        has, wants = exact_text(most), exact_text(needed)
        if limit_unknown:
            return f"{self.kind} includes {has} {unit}, {wants} needed; how many more can be bought is unknown"
        return f"{self.kind} reaches at most {has} {unit}, {wants} needed"


@functools.lru_cache(maxsize=1024)
def _cheapest(kind: DiskKind, size_gib: int, iops: Fraction, mb_per_second: Fraction) -> DiskChoice | None:
    bought = cheapest_purchase(kind, size_gib, iops, mb_per_second)
    return None if bought is None else kind._choice(bought)


class DiskKindPrice(Model):
    """The price of one kind of disk, from a list of prices."""

    provider: Annotated[
        Provider | None,
        Field(description="The provider that sells it. None: the one that has the kind."),
    ] = None
    kind: Annotated[Name, Field(description="The provider's name for it.")]
    price: Annotated[DiskPrice, Field(description="Its price.")]
