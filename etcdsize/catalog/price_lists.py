"""From a provider's price list to a catalog with its prices, and what became of each entry.

A list has many prices that are not those of a machine on demand: other ways to pay, licences, free tiers. A reader
returns an `Offer` for each price that is, and a reason for every other entry. Of two different prices for one thing,
none is taken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Annotated, Any, NamedTuple, NoReturn

from pydantic import Field, model_validator

from etcdsize.base.model import Model, Name, date_of
from etcdsize.base.text import in_words, nearest, shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.costs import DiskPrice, Price, PriceStep
from etcdsize.catalog.disks import DiskKind
from etcdsize.catalog.entries import GET_THE_LIST, counted, kind_of
from etcdsize.catalog.figures import number
from etcdsize.catalog.listing import Count
from etcdsize.catalog.machines import Machine
from etcdsize.errors import OptionError, TableError

__all__ = ["LeftOut", "Offer", "PriceRow", "Priced", "Reading", "apply_prices", "not_a_price_list"]

_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
# No machine and no disk costs more than this (our choice).
_MOST = 10**9
_OTHER_REGION = "of another region"
_NOT_IN_THE_CATALOG = "of what is not in the catalog"
_TWO_PRICES = "of what has two different prices"


class Offer(NamedTuple):
    """One price of a list, in a catalog's terms."""

    item: str
    """machine, vcpu or memory (an hour; memory by the GiB), gib, iops or mb_per_second of a disk (a month), or size."""
    name: str
    """The machine type, its family, or the kind of disk."""
    region: str
    currency: str
    amount: Fraction
    step: int | str | None = None
    """The last IOPS at this price, or the name of the size; None: no limit."""


class Reading(NamedTuple):
    """What is in a price list: for each entry an offer, or the reason why it gives none."""

    rows: list[Offer | str]
    date: str = ""
    """When the provider published the list; empty where it does not say."""
    pages: int = 1
    continued: int = 0


class LeftOut(Model):
    """Entries of a price list that gave no price, and the reason."""

    reason: Annotated[str, Field(description="Why they gave none.")]
    entries: Annotated[Count, Field(description="How many there are. [count]")]


class Priced(Model):
    """A catalog with the prices of a list, and what became of each entry of the list."""

    catalog: Annotated[Catalog, Field(description="The catalog; what the list has no price for keeps its own.")]
    provider: Annotated[Name, Field(description="The provider whose list it is.")]
    region: Annotated[Name, Field(description="The region of the prices.")]
    currency: Annotated[Name, Field(description="The currency of the prices.")]
    machines: Annotated[Count, Field(description="Machines with a price of the list. [count]")]
    disk_kinds: Annotated[tuple[str, ...], Field(description="Kinds of disk with a price of the list.")] = ()
    found: Annotated[Count, Field(description="Entries in the list. [count]")]
    used: Annotated[Count, Field(description="Entries whose price is in the catalog. [count]")]
    left_out: Annotated[tuple[LeftOut, ...], Field(description="The other entries, by reason.")] = ()
    truncated: Annotated[bool, Field(description="Whether pages are missing.")] = False

    @model_validator(mode="after")
    def _check(self) -> Priced:
        if self.used + sum(one.entries for one in self.left_out) != self.found:
            raise TableError(f"got {self.found}, expected the sum of used and left out entries", field="found")
        return self


def not_a_price_list(got: str, expected: str) -> TableError:
    """Return the error about something else than a price list."""
    return TableError(f"not a price list: got {got}, expected {expected}; {GET_THE_LIST}, or name another kind of list")


class PriceRow:
    """One entry of a price list: its fields by path, checked when they are read."""

    def __init__(self, fields: object, row: int) -> None:
        self.row = row
        if not isinstance(fields, dict):
            self.reject("", f"got {kind_of(fields)}, expected an object")
        self._fields: dict[Any, Any] = fields

    def reject(self, field: str, reason: str) -> NoReturn:
        """Raise the error that names row and field."""
        raise TableError(f"row {self.row}{', ' if field else ''}{field}: {reason}", row=self.row, field=field or None)

    def part(self, path: str) -> Any:
        """Return the value at a path, None where there is none."""
        value: Any = self._fields
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def text(self, path: str) -> str:
        """Return the text at a path, empty where there is none."""
        value = self.part(path)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.reject(path, f"got {shown(value)}, expected text")
        return value

    def amount(self, path: str) -> Fraction:
        """Return the number of 0 or more at a path, which may be written as text."""
        return self.exact(path, self.part(path))

    def exact(self, field: str, value: Any) -> Fraction:
        """Return a number of 0 or more, which may be written as text."""
        if isinstance(value, str) and _AMOUNT.fullmatch(value):
            return Fraction(value)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < _MOST:
            self.reject(field, f"got {'nothing' if value is None else shown(value)}, expected a price of 0 or more")
        return Fraction(str(value))

    def offer(
        self, item: str, name: str, region: str, currency: str, amount: Fraction, step: int | str | None = None
    ) -> Offer:
        """Return an offer whose names are fit to print."""
        for field, value in (("name", name), ("region", region)):
            if not value or len(value) > 200 or not value.isprintable() or value != value.strip():
                self.reject(field, f"got {shown(value)}, expected printable text")
        if not _CURRENCY.fullmatch(currency):
            self.reject("currency", f"got {shown(currency)}, expected three capital letters such as USD")
        return Offer(item, name, region, currency, amount, step)


def apply_prices(
    readings: Sequence[Reading], catalog: Catalog, *, provider: str, region: str | None, date: str, source: str
) -> Priced:
    """Return a catalog with the prices that a list has for a provider's machines and disks in a region."""
    rows = [row for reading in readings for row in reading.rows]
    offers = {index: row for index, row in enumerate(rows) if isinstance(row, Offer)}
    reasons = {index: row for index, row in enumerate(rows) if isinstance(row, str)}
    region = _region(region, {offer.region for offer in offers.values()}, Counter(reasons.values()))
    reasons |= {index: _OTHER_REGION for index, offer in offers.items() if offer.region != region}
    here = {index: offer for index, offer in offers.items() if offer.region == region}
    currencies = {offer.currency for offer in here.values()}
    if len(currencies) > 1:
        raise TableError(f"got prices in {in_words(sorted(currencies))}, expected one currency; ask for a list in one")
    prices = _Prices(here)
    try:
        date = date and date_of(date)
    except ValueError as error:
        raise OptionError(f"date: {error}", option="date", value=date) from None
    dated = min((reading.date for reading in readings if reading.date), default=date)
    if not dated:
        raise OptionError("date: got none, expected the day on which the list was made", option="date", value=date)
    about = {"currency": currencies.pop(), "region": region, "date": dated, "source": source}
    machines = list(catalog.machines)
    priced_machines = 0
    for index, machine in enumerate(machines):
        amount = prices.of_machine(machine) if machine.provider == provider else None
        if amount is not None:
            machines[index] = machine.model_copy(update={"price": Price(per_hour=number(amount), **about)})
            priced_machines += 1
    kinds = list(catalog.disk_kinds)
    priced_kinds = []
    for index, kind in enumerate(kinds):
        price = prices.of_disk(kind, about) if kind.provider == provider else None
        if price is not None:
            kinds[index] = kind.model_copy(update={"price": price})
            priced_kinds.append(kind.kind)
    for index in here:
        if index not in prices.used:
            reasons[index] = _TWO_PRICES if index in prices.disputed else _NOT_IN_THE_CATALOG
    counts = Counter(reasons.values())
    return Priced(
        catalog=catalog.model_copy(update={"machines": tuple(machines), "disk_kinds": tuple(kinds)}),
        provider=provider,
        region=region,
        currency=about["currency"],
        machines=priced_machines,
        disk_kinds=tuple(priced_kinds),
        found=len(rows),
        used=len(prices.used),
        left_out=tuple(LeftOut(reason=reason, entries=count) for reason, count in counts.most_common()),
        truncated=all(reading.continued >= reading.pages for reading in readings),
    )


def _region(region: str | None, listed: Iterable[str], reasons: Counter[str]) -> str:
    """Return the region that is asked for, or the only one of the list."""
    names = sorted(listed)
    if not names:
        most = reasons.most_common(1)
        why = f", of which {most[0][1]} {'is' if most[0][1] == 1 else 'are'} {most[0][0]}" if most else ""
        raise TableError(
            f"no usable price: got {counted(reasons.total())}{why}, expected prices on demand of machines or disks; "
            f"{GET_THE_LIST}"
        )
    if region is None and len(names) == 1:
        return names[0]
    if region not in names:
        some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        got = "none" if region is None else shown(region)
        near = "" if region is None else nearest(str(region), names).removeprefix("; ")
        meant = f" ({near})" if near else ""
        raise OptionError(
            f"region: got {got}{meant}, expected one of the list's regions: {some}", option="region", value=region
        )
    return str(region)


_Steps = dict[int | str | None, tuple[Fraction, list[int]]]
"""The amount of each step of a price, and the entries that have it."""


class _Prices:
    """The prices of one region, by what they are for. It notes which entries were used."""

    def __init__(self, offers: dict[int, Offer]) -> None:
        self.used: set[int] = set()
        self.disputed: set[int] = set()
        every: dict[tuple[str, str], dict[int | str | None, dict[Fraction, list[int]]]] = {}
        for index, offer in offers.items():
            amounts = every.setdefault((offer.item, offer.name), {}).setdefault(offer.step, {})
            amounts.setdefault(offer.amount, []).append(index)
        self._found: dict[tuple[str, str], _Steps] = {}
        for what, steps in every.items():
            if any(len(amounts) > 1 for amounts in steps.values()):
                self.disputed.update(index for each in steps.values() for found in each.values() for index in found)
            else:
                self._found[what] = {step: next(iter(amounts.items())) for step, amounts in steps.items()}

    def _amounts(self, item: str, name: str | None) -> _Steps:
        return self._found.get((item, name or ""), {})

    def _use(self, *found: _Steps) -> None:
        self.used.update(index for steps in found for _, entries in steps.values() for index in entries)

    def of_machine(self, machine: Machine) -> Fraction | None:
        """Return a machine's price of an hour: its own, or that of its vCPUs and its memory."""
        own = self._amounts("machine", machine.machine_type)
        if own:
            self._use(own)
            return own[None][0]
        vcpu, memory = self._amounts("vcpu", machine.family), self._amounts("memory", machine.family)
        if not vcpu or not memory or not _is_vcpus_and_memory_alone(machine):
            return None
        self._use(vcpu, memory)
        return vcpu[None][0] * machine.vcpus + memory[None][0] * Fraction(str(machine.memory_gib))

    def of_disk(self, kind: DiskKind, about: dict[str, str]) -> DiskPrice | None:
        """Return the price of a kind of disk, or None if the list lacks a price that it needs."""
        if kind.sizes:
            sizes = self._amounts("size", kind.kind)
            if any(size.name not in sizes for size in kind.sizes):
                return None
            self._use({size.name: sizes[size.name] for size in kind.sizes})
            steps_of_size = (PriceStep(up_to=one.size_gib, per_month=number(sizes[one.name][0])) for one in kind.sizes)
            return DiskPrice(per_size_month=tuple(steps_of_size), **about)
        gib = self._amounts("gib", kind.kind)
        if not gib:
            return None
        iops, throughput = self._amounts("iops", kind.kind), self._amounts("mb_per_second", kind.kind)
        steps = sorted(iops.items(), key=lambda one: (one[0] is None, one[0] or 0))
        if steps and steps[-1][0] is not None:
            steps, iops = [], {}
        self._use(gib, iops, throughput)
        return DiskPrice(
            per_gib_month=number(gib[None][0]),
            per_iops_month=tuple(PriceStep(up_to=up_to, per_month=number(one)) for up_to, (one, _) in steps) or None,
            per_mb_per_second_month=number(throughput[None][0]) if throughput else None,
            **about,
        )


def _is_vcpus_and_memory_alone(machine: Machine) -> bool:
    """Return whether a machine of Google costs what its vCPUs and its memory do.

    Local disks and GPUs are charged besides. Machines that share a core pay for a part of it, custom ones other prices.
    """
    name = machine.machine_type
    has_more = machine.local_nvme_gb != 0 or re.match(r"[ag][0-9]", name) or "custom" in name
    return not machine.shared_core and not has_more
