"""The rule of one kind of network disk, and what follows from it: what a disk sustains, and how much can be bought.

Figures are computed as exact fractions of what is published. An unverified figure is None, never 0, and so is
everything that depends on it.
"""

import math
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from etcdsize.base.checks import whole_number
from etcdsize.base.model import Model, Name, NotNegative, Positive
from etcdsize.base.text import shown
from etcdsize.catalog.costs import DiskPrice
from etcdsize.catalog.figures import MB_PER_UNIT, ThroughputUnit, check_amount, exact, exact_text, number
from etcdsize.catalog.providers import Provider
from etcdsize.errors import OptionError, TableError

__all__ = ["DiskRule", "known"]


class DiskRule(Model):
    """The figures of one kind of network disk, and the limits of what can be provisioned."""

    provider: Annotated[Provider, Field(description="The provider that sells it.")]
    kind: Annotated[Name, Field(description="The provider's name for it, such as gp3.")]
    type_name: Annotated[
        Name | None, Field(description="Its name in the provider's interface, such as PremiumV2_LRS. None: the same.")
    ] = None
    media: Annotated[Literal["ssd", "hdd"], Field(description="What it is made of.")]
    min_size_gib: Annotated[
        int | None, Field(strict=True, gt=0, description="The smallest size. [GiB] None: unknown, not checked.")
    ] = None
    max_size_gib: Annotated[
        int | None, Field(strict=True, gt=0, description="The largest size. [GiB] None: unknown, not checked.")
    ] = None
    included_iops: Annotated[
        NotNegative | None, Field(description="IOPS of each disk, whatever its size. [1/s] None: unknown.")
    ] = None
    iops_per_gib: Annotated[
        NotNegative | None, Field(description="IOPS that come with each GiB. [1/s] None: unknown.")
    ] = None
    min_iops: Annotated[
        NotNegative,
        Field(description="The fewest IOPS of a disk: a floor, or the fewest that can be provisioned. [1/s]"),
    ] = 0
    max_iops: Annotated[Positive | None, Field(description="The most IOPS of a disk. [1/s] None: unknown.")] = None
    iops_provisionable: Annotated[bool, Field(description="Whether more IOPS can be provisioned.")] = False
    max_iops_per_gib: Annotated[
        Positive | None, Field(description="The most IOPS that can be provisioned for each GiB. [1/s] None: unknown.")
    ] = None
    included_mb_per_second: Annotated[
        NotNegative | None, Field(description="Throughput of each disk, whatever its size. [MB/s] None: unknown.")
    ] = None
    mb_per_second_per_gib: Annotated[
        NotNegative | None, Field(description="Throughput that comes with each GiB. [MB/s] None: unknown.")
    ] = None
    mb_per_second_per_iops: Annotated[
        NotNegative | None, Field(description="Throughput that comes with each IOPS. [MB/s] None: unknown.")
    ] = None
    max_mb_per_second: Annotated[
        Positive | None, Field(description="The most throughput of a disk. [MB/s] None: unknown.")
    ] = None
    mb_per_second_provisionable: Annotated[bool, Field(description="Whether more throughput can be provisioned.")] = (
        False
    )
    max_mb_per_second_per_iops: Annotated[
        Positive | None,
        Field(description="The most throughput that can be provisioned for each IOPS. [MB/s] None: unknown."),
    ] = None
    throughput_unit: Annotated[
        ThroughputUnit,
        Field(description="The unit in which the provider counts throughput; only whole units can be bought."),
    ] = "MB/s"
    bursts: Annotated[
        str | None, Field(description="What it reaches in a burst, which never counts. None: it does not burst.")
    ] = None
    price: Annotated[DiskPrice | None, Field(description="None: unknown.")] = None
    source: Annotated[str, Field(description="Where the rule comes from.")] = ""

    @model_validator(mode="after")
    def _check(self) -> "DiskRule":
        if self.min_size_gib is not None and self.max_size_gib is not None and self.min_size_gib > self.max_size_gib:
            raise TableError(f"got {self.max_size_gib}, expected min_size_gib or more", field="max_size_gib")
        if self.max_iops is not None and self.max_iops < max(self.min_iops, self.included_iops or 0):
            raise TableError(f"got {self.max_iops}, expected min_iops and included_iops or more", field="max_iops")
        if self.max_mb_per_second is not None and self.max_mb_per_second < (self.included_mb_per_second or 0):
            raise TableError(
                f"got {self.max_mb_per_second}, expected included_mb_per_second or more", field="max_mb_per_second"
            )
        if self.iops_provisionable and self.iops_per_gib:
            raise TableError("IOPS come with the size or can be provisioned, not both", field="iops_per_gib")
        ways = (self.mb_per_second_per_gib, self.mb_per_second_per_iops, self.mb_per_second_provisionable)
        if sum(map(bool, ways)) > 1:
            raise TableError(
                "throughput comes with the size, comes with the IOPS, or can be provisioned; expected one of these",
                field="mb_per_second_per_gib",
            )
        return self

    def _most_iops(self) -> Fraction | None:
        """Return the most IOPS that any disk of the kind sustains."""
        base, cap = self._base_iops(self.max_size_gib), known(self.max_iops)
        if base is None or cap is None:
            return None
        if not self.iops_provisionable or self.max_iops_per_gib is None:
            return base
        if self.max_size_gib is not None:
            cap = min(cap, exact(self.max_iops_per_gib) * self.max_size_gib)
        return max(base, Fraction(math.floor(cap)))

    def _most_throughput(self) -> Fraction | None:
        """Return the most MB/s that any disk of the kind sustains."""
        iops = self._most_iops()
        base, cap = self._base_throughput(self.max_size_gib, iops), known(self.max_mb_per_second)
        if base is None or cap is None:
            return None
        if not self.mb_per_second_provisionable or self.max_mb_per_second_per_iops is None:
            return base
        if iops is None:
            return None
        unit = MB_PER_UNIT[self.throughput_unit]
        return max(base, math.floor(min(cap, exact(self.max_mb_per_second_per_iops) * iops) / unit) * unit)

    def _base_iops(self, size_gib: int | None) -> Fraction | None:
        """Return the IOPS that come with a size; None is an unlimited size."""
        included, per_gib, cap = known(self.included_iops), known(self.iops_per_gib), known(self.max_iops)
        if included is None or per_gib is None or cap is None:
            return None
        if size_gib is None and per_gib:
            return cap
        return min(max(included + per_gib * (size_gib or 0), exact(self.min_iops)), cap)

    def _base_throughput(self, size_gib: int | None, iops: Fraction | None) -> Fraction | None:
        """Return the MB/s that come with a size and its IOPS; None is an unlimited size."""
        included, per_gib = known(self.included_mb_per_second), known(self.mb_per_second_per_gib)
        per_iops, cap = known(self.mb_per_second_per_iops), known(self.max_mb_per_second)
        if included is None or per_gib is None or per_iops is None or cap is None or (per_iops and iops is None):
            return None
        if size_gib is None and per_gib:
            return cap
        return min(included + per_gib * (size_gib or 0) + per_iops * (iops or 0), cap)

    def _sustained(
        self, size_gib: int, provisioned_iops: float | None, provisioned_mb_per_second: float | None
    ) -> tuple[Fraction | None, Fraction | None]:
        """Return the IOPS and the MB/s that a disk sustains, after checking that it can be bought."""
        iops = self._base_iops(size_gib)
        if provisioned_iops is not None:
            asked = check_amount("provisioned_iops", provisioned_iops)
            most = _limit(self.max_iops, self.max_iops_per_gib, Fraction(size_gib), iops)
            provisionable = self.iops_provisionable
            asked = self._check_provisioned("provisioned_iops", asked, iops, most, Fraction(1), provisionable)
            iops = None if iops is None else asked
        throughput = self._base_throughput(size_gib, iops)
        if provisioned_mb_per_second is not None:
            asked = check_amount("provisioned_mb_per_second", provisioned_mb_per_second)
            most = _limit(self.max_mb_per_second, self.max_mb_per_second_per_iops, iops, throughput)
            unit, provisionable = MB_PER_UNIT[self.throughput_unit], self.mb_per_second_provisionable
            asked = self._check_provisioned("provisioned_mb_per_second", asked, throughput, most, unit, provisionable)
            throughput = None if throughput is None else asked
        return iops, throughput

    def _whole_size(self, size_gib: int) -> int:
        """Return a size that can be bought. [GiB]"""
        least, last = self.min_size_gib or 1, self.max_size_gib
        whole = whole_number(size_gib)
        if whole is None or whole < least or (last is not None and whole > last):
            to = f" to {last}" if last is not None else ""
            raise OptionError(
                f"size_gib: got {shown(size_gib)}, expected whole GiB from {least}{to} for {self.kind}",
                option="size_gib",
                value=size_gib,
            )
        return whole

    def _check_provisioned(
        self,
        option: str,
        asked: Fraction,
        base: Fraction | None,
        most: Fraction | None,
        unit: Fraction,
        provisionable: bool,
    ) -> Fraction:
        """Return an amount in whole units, or reject what cannot be bought."""
        least = base or Fraction(0)
        # A float may be next to the whole number of units.
        whole = round(asked / unit) * unit
        bought = whole if abs(whole - asked) <= asked / 10**9 else asked
        if provisionable and (bought == least or (most is not None and bought == whole and least <= bought <= most)):
            return bought
        name, units = ("IOPS", "IOPS") if option == "provisioned_iops" else ("MB/s", self.throughput_unit)
        if not provisionable:
            expected = f"none: the {name} of {self.kind} come with the disk and cannot be provisioned"
        elif most is None:
            expected = (
                f"{exact_text(least)} {name}: how many more can be bought for this disk of {self.kind} is unknown"
            )
        else:
            expected = f"from {exact_text(least)} to {exact_text(most)} {name} for this disk of {self.kind}"
            if bought != whole:
                expected += f", in whole {units}"
        got = exact_text(bought)
        raise OptionError(f"{option}: got {got}, expected {expected}", option=option, value=number(asked))


def known(value: float | None) -> Fraction | None:
    """Return a figure as an exact fraction, or None if it is unknown."""
    return None if value is None else exact(value)


def _limit(cap: float | None, ratio: float | None, of: Fraction | None, base: Fraction | None) -> Fraction | None:
    """Return the most that can be provisioned, None where a limit is unknown."""
    if cap is None or ratio is None or of is None:
        return None
    return min(exact(cap), max(exact(ratio) * of, base or Fraction(0)))
