"""AWS's price list of EC2, as `aws pricing get-products` prints it, or an offer file of a region.

The list has several prices of a type: by operating system, software, tenancy, capacity reservation and licence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from etcdsize.base.json_text import documents
from etcdsize.catalog.entries import kind_of
from etcdsize.catalog.figures import MB_PER_UNIT
from etcdsize.catalog.price_lists import Offer, PriceRow, Reading, not_a_price_list

__all__ = ["COMMAND", "PROVIDER", "reading_of"]

PROVIDER = "aws"
COMMAND = "aws pricing get-products"
_EXPECTED = f"an object with PriceList, as {COMMAND} prints, or an offer file with products and terms"
# What the price of a plain Linux machine on demand has, and why an entry with something else is left out.
_PLAIN = {
    "operatingSystem": ("Linux", "of another operating system"),
    "preInstalledSw": ("NA", "with software"),
    "tenancy": ("Shared", "of another tenancy"),
    "capacitystatus": ("Used", "of a capacity reservation"),
    "operation": ("RunInstances", "with a licence"),
    "marketoption": ("OnDemand", "not on demand"),
    "locationType": ("AWS Region", "outside of a region"),
}
_VOLUME = re.compile(r"(?:[A-Z0-9]+-)?EBS:Volume(Usage|P-IOPS|P-Throughput)\.(gp2|gp3|io2|piops)(?:\.(tier2|tier3))?")
_ITEMS = {"Usage": "gib", "P-IOPS": "iops", "P-Throughput": "mb_per_second"}
# io2 has a usage type for each step (docs.aws.amazon.com/ebs/latest/userguide/provisioned-iops.html).
_STEPS = {("io2", None): 32_000, ("io2", "tier2"): 64_000}
# What the price is for, in the catalog's unit.
_UNITS = {
    ("gib", "gb-mo"): Fraction(1),
    ("gib", "gb-month"): Fraction(1),
    ("iops", "iops-mo"): Fraction(1),
    ("mb_per_second", "gibps-mo"): 1024 * MB_PER_UNIT["MiB/s"],
    ("mb_per_second", "mibps-mo"): MB_PER_UNIT["MiB/s"],
}


def reading_of(source: object) -> Reading:
    """Return what is in the list. Its entries are JSON in texts; those of an offer file are objects."""
    rows: list[Offer | str] = []
    dates: list[str] = []
    pages = continued = 0
    for document in documents(source, _EXPECTED):
        entries, announces = _entries(document)
        pages += 1
        continued += announces
        for fields in entries:
            row = PriceRow(fields, len(rows) + 1)
            rows.append(_offer(row))
            dates.append(row.text("publicationDate")[:10])
    dated = min((date for date in dates if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", date)), default="")
    return Reading(rows, dated, pages, continued)


def _entries(document: Any) -> tuple[Iterator[Any], bool]:
    """Return the entries of a page, and whether it announces another one."""
    if isinstance(document, dict) and isinstance(document.get("PriceList"), list):
        return map(_parsed, document["PriceList"]), bool(document.get("NextToken"))
    if isinstance(document, dict) and isinstance(document.get("products"), dict):
        return _of_an_offer_file(document), False
    if isinstance(document, list):
        return map(_parsed, document), False
    if isinstance(document, str) or (isinstance(document, dict) and "product" in document):
        return iter([_parsed(document)]), False
    raise not_a_price_list(kind_of(document), _EXPECTED)


def _parsed(entry: Any) -> Any:
    if not isinstance(entry, str):
        return entry
    found = documents(entry)
    return found[0] if len(found) == 1 else None


def _of_an_offer_file(document: dict[str, Any]) -> Iterator[Any]:
    terms = document.get("terms")
    on_demand = terms.get("OnDemand") if isinstance(terms, dict) else None
    for sku, product in document["products"].items():
        of_sku = on_demand.get(sku) if isinstance(on_demand, dict) else None
        date = document.get("publicationDate")
        yield {"product": product, "terms": {"OnDemand": of_sku}, "publicationDate": date}


def _offer(row: PriceRow) -> Offer | str:
    family = row.text("product.productFamily")
    usage = row.text("product.attributes.usagetype")
    volume = _VOLUME.fullmatch(usage)
    if not family.startswith("Compute Instance") and volume is None:
        return "neither of a machine nor of a network disk"
    for name, (plain, reason) in _PLAIN.items():
        value = row.text(f"product.attributes.{name}")
        is_wanted = value == plain or (not value and (volume is not None or name in ("marketoption", "locationType")))
        if not is_wanted and (volume is None or name == "locationType"):
            return reason
    region = row.text("product.attributes.regionCode")
    if not region:
        return "without a regionCode"
    dimensions = list(_dimensions(row))
    if len(dimensions) != 1:
        return "without one price on demand"
    unit, currency, value = dimensions[0]
    amount = row.exact(f"pricePerUnit.{currency}", value)
    if not amount:
        return "priced at 0"
    if volume is None:
        if unit.lower() not in ("hrs", "hours"):
            return "counted in another unit"
        return row.offer("machine", row.text("product.attributes.instanceType"), region, currency, amount)
    item, kind, tier = _ITEMS[volume[1]], volume[2], volume[3]
    size = _UNITS.get((item, unit.lower()))
    if size is None:
        return "counted in another unit"
    step = _STEPS.get((kind, tier)) if item == "iops" else None
    return row.offer(item, "io1" if kind == "piops" else kind, region, currency, amount / size, step)


def _dimensions(row: PriceRow) -> Iterator[tuple[str, str, Any]]:
    """Yield unit, currency and price of each price on demand."""
    terms = row.part("terms.OnDemand")
    for term in terms.values() if isinstance(terms, dict) else ():
        dimensions = term.get("priceDimensions") if isinstance(term, dict) else None
        for dimension in dimensions.values() if isinstance(dimensions, dict) else ():
            prices = dimension.get("pricePerUnit") if isinstance(dimension, dict) else None
            for currency, value in prices.items() if isinstance(prices, dict) else ():
                yield str(dimension.get("unit")), currency, value
