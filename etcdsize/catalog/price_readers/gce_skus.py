"""The SKUs of Compute Engine, as Google's Cloud Billing API lists them.

No SKU is a machine type: a machine costs what its vCPUs and its memory cost, which are SKUs of its family. Memory is
counted in GiB for most families and in GB for C4D, 7% less.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from etcdsize.base.json_text import documents
from etcdsize.catalog.entries import kind_of
from etcdsize.catalog.figures import MB_PER_UNIT
from etcdsize.catalog.price_lists import Offer, PriceRow, Reading, not_a_price_list

__all__ = ["COMMAND", "PROVIDER", "reading_of"]

PROVIDER = "gce"
COMMAND = "curl https://cloudbilling.googleapis.com/v1/services/6F81-5844-456A/skus"
_EXPECTED = "an object with skus, as Google's Cloud Billing API answers"
# Anchored at both ends: Spot, custom, sole-tenancy and committed SKUs have the same words with others around them.
_MACHINE = re.compile(r"([A-Z][0-9]+[A-Z]?)(?: AMD| Arm| Predefined)? Instance (Core|Ram) running in [^:]+")
_C2 = re.compile(r"Compute optimized (?:Instance )?(Core|Ram) running in [^:]+")
_DISK = re.compile(r"(Storage|SSD backed|Balanced|Extreme) PD Capacity(?: in [^:]+)?")
_HYPERDISK = re.compile(r"Hyperdisk Balanced (Capacity|IOPS|Throughput) in (?!.*\b(?:Confidential|Pools?)\b)[^:]+")
_KINDS = {"Storage": "pd-standard", "SSD backed": "pd-ssd", "Balanced": "pd-balanced", "Extreme": "pd-extreme"}
_GB_A_GIB = Fraction(2**30, 10**9)
# What the unit of a price is, in the catalog's.
_UNITS = {
    ("vcpu", "h"): Fraction(1),
    ("memory", "GiBy.h"): Fraction(1),
    ("memory", "GBy.h"): 1 / _GB_A_GIB,
    ("gib", "GiBy.mo"): Fraction(1),
    ("gib", "GBy.mo"): 1 / _GB_A_GIB,
    ("iops", "mo"): Fraction(1),
    ("mb_per_second", "mo"): MB_PER_UNIT["MiB/s"],
}


def reading_of(source: object) -> Reading:
    """Return what is in the list. A SKU holds for all the regions that it names, each of which is an entry."""
    rows: list[Offer | str] = []
    pages = continued = 0
    for document in documents(source, _EXPECTED):
        listed = document if isinstance(document, list) and _is_page(document) else [document]
        for page in listed:
            skus = page.get("skus") if isinstance(page, dict) else page
            if not isinstance(skus, list):
                raise not_a_price_list(kind_of(page), _EXPECTED)
            pages += 1
            continued += isinstance(page, dict) and bool(page.get("nextPageToken"))
            for number, fields in enumerate(skus, 1):
                rows += _offers(PriceRow(fields, number))
    return Reading(rows, "", pages, continued)


def _is_page(document: list[Any]) -> bool:
    return bool(document) and isinstance(document[0], dict) and "skus" in document[0]


def _offers(row: PriceRow) -> list[Offer | str]:
    item, name = _what(row.text("description"))
    if not item:
        return ["neither of a predefined machine nor of a network disk"]
    if row.text("category.usageType") != "OnDemand":
        return ["not on demand"]
    infos, regions = row.part("pricingInfo"), row.part("serviceRegions")
    if not isinstance(infos, list) or not infos or not isinstance(regions, list) or not regions:
        return ["without a price or a region"]
    # The last one holds.
    info = PriceRow(infos[-1], row.row)
    unit = _UNITS.get((item, info.text("pricingExpression.usageUnit")))
    if unit is None:
        return ["counted in another unit"]
    amounts = dict(_rates(info))
    # A free allowance of the whole account comes first where there is one.
    paid = {amount: currency for amount, currency in amounts.items() if amount}
    if len(paid) != 1:
        return ["priced at 0" if not paid else "with a price for each step"]
    ((amount, currency),) = paid.items()
    return [row.offer(item, name, str(region), currency, amount / unit) for region in regions]


def _what(description: str) -> tuple[str, str]:
    """Return what a SKU is a price of: the item, and the family or the kind of disk."""
    if found := _MACHINE.fullmatch(description):
        return ("vcpu" if found[2] == "Core" else "memory"), found[1].lower()
    if found := _C2.fullmatch(description):
        return ("vcpu" if found[1] == "Core" else "memory"), "c2"
    if found := _DISK.fullmatch(description):
        return "gib", _KINDS[found[1]]
    if found := _HYPERDISK.fullmatch(description):
        return {"Capacity": "gib", "IOPS": "iops", "Throughput": "mb_per_second"}[found[1]], "hyperdisk-balanced"
    return "", ""


def _rates(info: PriceRow) -> list[tuple[Fraction, str]]:
    rates = info.part("pricingExpression.tieredRates")
    if not isinstance(rates, list) or not rates:
        info.reject("tieredRates", f"got {kind_of(rates)}, expected a list of prices")
    found = []
    for rate in rates:
        price = PriceRow(rate, info.row)
        units, nanos = price.part("unitPrice.units") or 0, price.part("unitPrice.nanos") or 0
        amount = price.exact("units", units) + price.exact("nanos", nanos) / 10**9
        found.append((amount, price.text("unitPrice.currencyCode")))
    return found
