"""Prices of machines and disks, and what a member costs in a month.

Every price has a region and a date. An unknown price is None, never 0, and so is every total that depends on it.
"""

from fractions import Fraction
from typing import Annotated

from pydantic import Field, model_validator

from etcdsize.base.checks import instance_of, number_of, text_of
from etcdsize.base.model import Date, Model, Name, NotNegative, Positive
from etcdsize.catalog.figures import exact
from etcdsize.errors import TableError

__all__ = [
    *("HOURS_A_MONTH", "Cost", "DiskPrice", "Price", "PriceStep"),
    *("monthly_total", "usd_month_of_iops", "usd_month_of_throughput"),
]

HOURS_A_MONTH = 730
"""The hours that providers count in a month (365 * 24 / 12)."""


class Price(Model):
    """An on-demand price. It is meaningless without its region and date, so both are required."""

    usd_hour: Annotated[NotNegative, Field(description="[US dollars per hour]")]
    region: Annotated[Name, Field(description="The provider's name of the region.")]
    date: Annotated[Date, Field(description="When the price was read, written like 2026-11-25.")]
    source: Annotated[str, Field(description="Where it was read.")] = ""

    @property
    def usd_month(self) -> float:
        """The price of 730 hours. [US dollars]"""
        return self.usd_hour * HOURS_A_MONTH


class PriceStep(Model):
    """The price of each provisioned IOPS, up to a number of them."""

    up_to: Annotated[Positive | None, Field(description="The last IOPS at this price. [1/s] None: no limit.")]
    usd_month: Annotated[NotNegative, Field(description="[US dollars per IOPS and month]")]


class DiskPrice(Model):
    """The price of a kind of disk. It is meaningless without its region and date, so both are required."""

    usd_gib_month: Annotated[NotNegative, Field(description="[US dollars per GiB and month]")]
    usd_iops_month: Annotated[
        tuple[PriceStep, ...] | None,
        Field(description="The price of each provisioned IOPS above those included, in rising steps. None: unknown."),
    ] = None
    usd_mb_per_second_month: Annotated[
        NotNegative | None,
        Field(description="Each MB/s above those included. [US dollars per MB/s and month] None: unknown."),
    ] = None
    region: Annotated[Name, Field(description="The provider's name of the region.")]
    date: Annotated[Date, Field(description="When the price was read, written like 2026-11-25.")]
    source: Annotated[str, Field(description="Where it was read.")] = ""

    @model_validator(mode="after")
    def _check(self) -> "DiskPrice":
        if self.usd_iops_month == ():
            raise TableError(
                "got no step, expected one or more; leave the field out where the price is unknown",
                field="usd_iops_month",
            )
        ends = [step.up_to for step in self.usd_iops_month or ()]
        limits = [end for end in ends if end is not None]
        if ends and (ends[-1] is not None or len(limits) != len(ends) - 1 or limits != sorted(set(limits))):
            raise TableError("expected steps whose up_to rises, and a last step without one", field="usd_iops_month")
        return self


class Cost(Model):
    """The monthly cost of a member with its disk. The total is unknown where a part of it is."""

    usd_month: Annotated[NotNegative | None, Field(description="Machine and disk. [US dollars] None: unknown.")]
    machine_usd_month: Annotated[NotNegative | None, Field(description="The machine, 730 hours. [US dollars]")] = None
    disk_usd_month: Annotated[NotNegative | None, Field(description="The disk. [US dollars]")] = None
    region: Annotated[str | None, Field(description="The region of the prices.")] = None
    date: Annotated[Date | None, Field(description="When the older of the two prices was read.")] = None
    unknown: Annotated[str, Field(description="Why the total is unknown; empty where it is known.")] = ""

    @classmethod
    def of(
        cls, machine: Price | None, disk_usd_month: float | None, disk: DiskPrice | None, region: str | None
    ) -> "Cost":
        """Return the cost of a machine and a disk in a region, None for whichever region both are priced in.

        Raises
        ------
        OptionError
            For prices that are not a `Price` and a `DiskPrice`, a cost that is not a number of 0 or more, and a region
            that is not text.
        """
        machine = None if machine is None else instance_of("machine", machine, Price)
        disk = None if disk is None else instance_of("disk", disk, DiskPrice)
        region = None if region is None else text_of("region", region)
        if disk_usd_month is not None:
            disk_usd_month = number_of("disk_usd_month", disk_usd_month)
        total, unknown = monthly_total(machine, disk_usd_month, disk, region)
        of = region or (machine.region if machine is not None else disk.region if disk is not None else None)
        # A part priced in another region is left out: it would stand beside the wrong region.
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
    """Return the monthly cost of a machine and a disk, or None and the reasons why it is unknown. [US dollars]"""
    unknown = []
    for what, price in (("machine", machine), ("disk", disk)):
        if price is None:
            unknown.append(f"no price for the {what}")
        elif region is not None and price.region != region:
            unknown.append(f"the {what} is priced in {price.region}")
    if machine is not None and disk is not None and not unknown and machine.region != disk.region:
        unknown.append(f"the machine is priced in {machine.region}, the disk in {disk.region}")
    if disk is not None and disk_usd_month is None:
        unknown.append("a part of the disk's price is unknown")
    if unknown or machine is None or disk_usd_month is None:
        return None, unknown
    return machine.usd_month + disk_usd_month, []


def usd_month_of_iops(price: DiskPrice, included: Fraction, iops: Fraction) -> Fraction | None:
    """Return what the IOPS above those included cost in a month, None where that is unknown. [US dollars]"""
    if iops > included and price.usd_iops_month is None:
        return None
    total, start = Fraction(0), included
    for step in price.usd_iops_month or ():
        end = iops if step.up_to is None else min(iops, exact(step.up_to))
        if end > start:
            total += (end - start) * exact(step.usd_month)
            start = end
    return total


def usd_month_of_throughput(price: DiskPrice, included: Fraction, throughput: Fraction) -> Fraction | None:
    """Return what the MB/s above those included cost in a month, None where that is unknown. [US dollars]"""
    if throughput <= included:
        return Fraction(0)
    if price.usd_mb_per_second_month is None:
        return None
    return exact(price.usd_mb_per_second_month) * (throughput - included)
