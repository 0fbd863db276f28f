"""Prices of machines and disks, and what a member costs in a month.

Every price has a currency, a region and a date. An unknown price is None, never 0, and so is every total that depends
on it. Nothing is converted: the cost of a machine and a disk of two currencies is unknown.
"""

from fractions import Fraction
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from etcdsize.base.checks import instance_of, number_of, text_of
from etcdsize.base.model import Date, Model, Name, NotNegative, Positive
from etcdsize.catalog.figures import exact
from etcdsize.catalog.money import Currency
from etcdsize.errors import TableError

__all__ = [
    *("HOURS_A_MONTH", "Cost", "DiskPrice", "Price", "PriceStep"),
    *("monthly_total", "cost_of_iops", "cost_of_size", "cost_of_throughput"),
]

HOURS_A_MONTH = 730
"""The hours that providers count in a month (365 * 24 / 12)."""


class Price(Model):
    """An on-demand price. It is meaningless without its currency, region and date, so all are required."""

    renamed: ClassVar[dict[str, str]] = {"usd_hour": "per_hour, with currency beside it"}

    per_hour: Annotated[NotNegative, Field(description="[currency per hour]")]
    currency: Annotated[Currency, Field(description="The currency of the price, such as USD.")]
    region: Annotated[Name, Field(description="The provider's name of the region.")]
    date: Annotated[Date, Field(description="When the price was read, written like 2026-11-25.")]
    source: Annotated[str, Field(description="Where it was read.")] = ""

    @property
    def per_month(self) -> float:
        """The price of 730 hours. [currency]"""
        return self.per_hour * HOURS_A_MONTH


class PriceStep(Model):
    """The price of each provisioned IOPS up to a number of them, or of a disk up to a size, in the disk's currency."""

    renamed: ClassVar[dict[str, str]] = {"usd_month": "per_month"}

    up_to: Annotated[Positive | None, Field(description="The last IOPS [1/s] or GiB at this price. None: no limit.")]
    per_month: Annotated[NotNegative, Field(description="[currency per IOPS and month, or per disk and month]")]


class DiskPrice(Model):
    """The price of a kind of disk. It is meaningless without its currency, region and date, so all are required."""

    renamed: ClassVar[dict[str, str]] = {
        "usd_gib_month": "per_gib_month, with currency beside it",
        "usd_iops_month": "per_iops_month, with currency beside it",
        "usd_mb_per_second_month": "per_mb_per_second_month, with currency beside it",
    }
    per_gib_month: Annotated[
        NotNegative | None, Field(description="[currency per GiB and month] None: the sizes have prices of their own.")
    ] = None
    per_size_month: Annotated[
        tuple[PriceStep, ...] | None,
        Field(description="The price of a disk up to each of some sizes, in rising order. None: the price is by GiB."),
    ] = None
    per_iops_month: Annotated[
        tuple[PriceStep, ...] | None,
        Field(description="The price of each provisioned IOPS above those included, in rising steps. None: unknown."),
    ] = None
    per_mb_per_second_month: Annotated[
        NotNegative | None,
        Field(description="Each MB/s above those included. [currency per MB/s and month] None: unknown."),
    ] = None
    currency: Annotated[Currency, Field(description="The currency of all these prices, such as USD.")]
    region: Annotated[Name, Field(description="The provider's name of the region.")]
    date: Annotated[Date, Field(description="When the price was read, written like 2026-11-25.")]
    source: Annotated[str, Field(description="Where it was read.")] = ""

    @model_validator(mode="after")
    def _check(self) -> "DiskPrice":
        if (self.per_gib_month is None) == (self.per_size_month is None):
            raise TableError("missing; expected either per_gib_month or per_size_month", field="per_gib_month")
        sizes = [step.up_to or 0 for step in self.per_size_month or ()]
        if self.per_size_month == () or 0 in sizes or sizes != sorted(set(sizes)):
            raise TableError("expected one or more steps, each with an up_to, which rises", field="per_size_month")
        if self.per_iops_month == ():
            raise TableError(
                "got no step, expected one or more; leave the field out where the price is unknown",
                field="per_iops_month",
            )
        ends = [step.up_to for step in self.per_iops_month or ()]
        limits = [end for end in ends if end is not None]
        if ends and (ends[-1] is not None or len(limits) != len(ends) - 1 or limits != sorted(set(limits))):
            raise TableError("expected steps whose up_to rises, and a last step without one", field="per_iops_month")
        return self


class Cost(Model):
    """The monthly cost of a member with its disk. The total is unknown where a part of it is."""

    renamed: ClassVar[dict[str, str]] = {
        "usd_month": "per_month, with currency beside it",
        "machine_usd_month": "machine_per_month, with currency beside it",
        "disk_usd_month": "disk_per_month, with currency beside it",
    }

    per_month: Annotated[NotNegative | None, Field(description="Machine and disk. [currency] None: unknown.")]
    machine_per_month: Annotated[NotNegative | None, Field(description="The machine, 730 hours. [currency]")] = None
    disk_per_month: Annotated[NotNegative | None, Field(description="The disk. [currency]")] = None
    currency: Annotated[Currency | None, Field(description="The currency of these amounts. None: there is none.")] = (
        None
    )
    region: Annotated[str | None, Field(description="The region of the prices.")] = None
    date: Annotated[Date | None, Field(description="When the older of the two prices was read.")] = None
    unknown: Annotated[str, Field(description="Why the total is unknown; empty where it is known.")] = ""

    @model_validator(mode="after")
    def _check(self) -> "Cost":
        amounts = (self.per_month, self.machine_per_month, self.disk_per_month)
        if self.currency is None and any(amount is not None for amount in amounts):
            raise TableError("missing; an amount needs its currency, such as USD", field="currency")
        return self

    @classmethod
    def of(
        cls, machine: Price | None, disk_per_month: float | None, disk: DiskPrice | None, region: str | None
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
        if disk_per_month is not None:
            disk_per_month = number_of("disk_per_month", disk_per_month)
        total, unknown = monthly_total(machine, disk_per_month, disk, region)
        of = region or (machine.region if machine is not None else disk.region if disk is not None else None)
        # A part of another region or currency is left out: it would stand beside the wrong one.
        hours = machine if machine is not None and machine.region == of else None
        month = disk if disk is not None and disk.region == of and disk_per_month is not None else None
        if hours is not None and month is not None and hours.currency != month.currency:
            month = None
        prices = [price for price in (hours, month) if price is not None]
        return cls(
            per_month=total,
            machine_per_month=None if hours is None else hours.per_month,
            disk_per_month=None if month is None else disk_per_month,
            currency=prices[0].currency if prices else None,
            region=of if prices else None,
            date=min((price.date for price in prices), default=None),
            unknown="; ".join(unknown),
        )


def monthly_total(
    machine: Price | None, disk_per_month: float | None, disk: DiskPrice | None, region: str | None
) -> tuple[float | None, list[str]]:
    """Return the monthly cost of a machine and a disk, or None and the reasons why it is unknown. [currency]"""
    unknown = []
    for what, price in (("machine", machine), ("disk", disk)):
        if price is None:
            unknown.append(f"no price for the {what}{f' in {region}' if region else ''}")
        elif region is not None and price.region != region:
            unknown.append(f"the {what} is priced in {price.region}")
    if machine is not None and disk is not None and not unknown and machine.region != disk.region:
        unknown.append(f"the machine is priced in {machine.region}, the disk in {disk.region}")
    if machine is not None and disk is not None and machine.currency != disk.currency:
        unknown.append(f"the machine is priced in {machine.currency}, the disk in {disk.currency}")
    if disk is not None and disk_per_month is None:
        unknown.append("a part of the disk's price is unknown")
    if unknown or machine is None or disk_per_month is None:
        return None, unknown
    return machine.per_month + disk_per_month, []


def cost_of_size(price: DiskPrice, size_gib: int) -> Fraction | None:
    """Return what a size costs in a month without more IOPS or throughput, None where that is unknown. [currency]"""
    if price.per_gib_month is not None:
        return exact(price.per_gib_month) * size_gib
    steps = price.per_size_month or ()
    return next((exact(step.per_month) for step in steps if step.up_to is None or size_gib <= step.up_to), None)


def cost_of_iops(price: DiskPrice, included: Fraction, iops: Fraction) -> Fraction | None:
    """Return what the IOPS above those included cost in a month, None where that is unknown. [currency]"""
    if iops > included and price.per_iops_month is None:
        return None
    total, start = Fraction(0), included
    for step in price.per_iops_month or ():
        end = iops if step.up_to is None else min(iops, exact(step.up_to))
        if end > start:
            total += (end - start) * exact(step.per_month)
            start = end
    return total


def cost_of_throughput(price: DiskPrice, included: Fraction, throughput: Fraction) -> Fraction | None:
    """Return what the MB/s above those included cost in a month, None where that is unknown. [currency]"""
    if throughput <= included:
        return Fraction(0)
    if price.per_mb_per_second_month is None:
        return None
    return exact(price.per_mb_per_second_month) * (throughput - included)
