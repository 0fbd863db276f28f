"""Network disks as rules: what a disk of a size sustains, what it costs, and the smallest one that is enough.

`DiskKind` is the rule of one kind of disk, `DiskLimit` is what a machine lets through to one kind, and `DiskChoice` is
a disk to buy. Only what a disk sustains counts, never what it reaches in a burst. Figures are computed as exact
fractions of what is published. An unverified figure is None, never 0, and so is everything that depends on it.
"""

import math
from fractions import Fraction
from typing import Annotated, ClassVar

from pydantic import Field

from etcdsize.base.model import Model, Name, NotNegative, Positive
from etcdsize.catalog.costs import cost_of_iops, cost_of_throughput
from etcdsize.catalog.disk_rule import DiskRule, known
from etcdsize.catalog.figures import MB_PER_UNIT, check_amount, exact, exact_text, number
from etcdsize.catalog.money import Currency
from etcdsize.catalog.volumes import Volume

__all__ = ["DiskChoice", "DiskKind", "DiskLimit"]


class DiskLimit(Model):
    """The most that a machine lets through to one kind of network disk, whatever the disk can do.

    Without figures, it says that the machine takes this kind, and that the limit is not published.
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


class DiskKind(DiskRule):
    """The rule of one kind of network disk: what each size sustains, what can be provisioned above that, and the price.

    Without provisioning, a disk sustains `included + per GiB * size`, at least the floor and at most the cap; its
    throughput also includes what comes with each IOPS. More can be provisioned, where the kind allows it, in whole
    IOPS and whole units of throughput, within the caps and ratios. Where a cap or a ratio is unknown, so is how many
    more can be bought, and none is assumed.

    Raises
    ------
    TableError
        Where IOPS both come with the size and can be provisioned, or throughput comes in two ways: then there would
        be no single cheapest disk.

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
        size = self._whole_size(size_gib)
        iops, throughput = self._sustained(size, provisioned_iops, provisioned_mb_per_second)
        if self.price is None:
            return None
        total = exact(self.price.per_gib_month) * size
        for provisionable, included_figure, sustained, cost_of in (
            (self.iops_provisionable, self.included_iops, iops, cost_of_iops),
            (self.mb_per_second_provisionable, self.included_mb_per_second, throughput, cost_of_throughput),
        ):
            if provisionable:
                if included_figure is None or sustained is None:
                    return None
                extra = cost_of(self.price, exact(included_figure), sustained)
                if extra is None:
                    return None
                total += extra
        return number(total)

    def smallest(
        self, size_gib: float, concurrent_iops: float | None = None, mb_per_second: float | None = None
    ) -> DiskChoice | str:
        """Return the cheapest disk of this kind that is enough, or the reason why none is.

        Its size, IOPS and throughput are each the least that is enough. No other disk of this kind that is enough
        has less of any of them, so none is cheaper.

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
        size = max(math.ceil(check_amount("size_gib", size_gib, positive=True)), self.min_size_gib or 1)
        if self.max_size_gib is not None and size > self.max_size_gib:
            return f"{self.kind} has at most {self.max_size_gib} GiB, {size} needed"
        iops = throughput = Fraction(0)
        if concurrent_iops is not None:
            iops = check_amount("concurrent_iops", concurrent_iops)
            most = self._most_iops()
            if most is None:
                return f"the IOPS of {self.kind} are unknown"
            if iops > most:
                unknown = self.iops_provisionable and self.max_iops_per_gib is None
                return self._too_little("IOPS", most, iops, limit_unknown=unknown)
        if mb_per_second is not None:
            throughput = check_amount("mb_per_second", mb_per_second)
            most = self._most_throughput()
            if most is None:
                return f"the throughput of {self.kind} is unknown"
            if throughput > most:
                unknown = self.mb_per_second_provisionable and self.max_mb_per_second_per_iops is None
                return self._too_little("MB/s", most, throughput, limit_unknown=unknown)
        bought = self._least(size, iops, throughput)
        sustained_iops, sustained_throughput = self.figures(*bought)
        return DiskChoice(
            kind=self.kind,
            type_name=self.type_name,
            size_gib=bought[0],
            provisioned_iops=bought[1],
            included_iops=self.included_iops if self.iops_provisionable else None,
            provisioned_mb_per_second=bought[2],
            included_mb_per_second=self.included_mb_per_second if self.mb_per_second_provisionable else None,
            throughput_unit=self.throughput_unit,
            concurrent_iops=sustained_iops,
            disk_mb_per_second=sustained_throughput,
            per_month=self.per_month(*bought),
            currency=None if self.price is None else self.price.currency,
        )

    def _least(self, size: int, iops: Fraction, throughput: Fraction) -> tuple[int, int | None, float | None]:
        """Return the least size, IOPS to provision and MB/s to provision for a need within the kind's limits."""
        provisioned_iops, provisioned_throughput = None, None
        included = known(self.included_mb_per_second)
        if included is not None and throughput > included:
            if self.mb_per_second_per_iops:
                iops = max(iops, (throughput - included) / exact(self.mb_per_second_per_iops))
            elif self.mb_per_second_per_gib:
                size = max(size, math.ceil((throughput - included) / exact(self.mb_per_second_per_gib)))
            elif self.max_mb_per_second_per_iops:
                unit = MB_PER_UNIT[self.throughput_unit]
                throughput = math.ceil(throughput / unit) * unit
                iops = max(iops, throughput / exact(self.max_mb_per_second_per_iops))
                provisioned_throughput = number(throughput)
        included = known(self.included_iops)
        if included is not None:
            least = max(included, exact(self.min_iops))
            if self.iops_provisionable:
                if max(iops, least) > included:
                    provisioned_iops = math.ceil(max(iops, least))
                if iops > least and self.max_iops_per_gib:
                    size = max(size, math.ceil(math.ceil(iops) / exact(self.max_iops_per_gib)))
            elif iops > least and self.iops_per_gib:
                size = max(size, math.ceil((iops - included) / exact(self.iops_per_gib)))
        return size, provisioned_iops, provisioned_throughput

    def _too_little(self, unit: str, most: Fraction, needed: Fraction, *, limit_unknown: bool) -> str:
        has, wants = exact_text(most), exact_text(needed)
        if limit_unknown:
            return f"{self.kind} includes {has} {unit}, {wants} needed; how many more can be bought is unknown"
        return f"{self.kind} reaches at most {has} {unit}, {wants} needed"
