"""The Azure Retail Prices API, as `az rest` or curl prints its pages.

The prices of Windows, Spot, reservations and Cloud Services have the same size names.
"""

from __future__ import annotations

import re
from typing import Any

from etcdsize.base.json_text import documents
from etcdsize.catalog.costs import HOURS_A_MONTH
from etcdsize.catalog.entries import kind_of
from etcdsize.catalog.price_lists import Offer, PriceRow, Reading, not_a_price_list

__all__ = ["COMMAND", "PROVIDER", "reading_of"]

PROVIDER = "azure"
COMMAND = "az rest --method get --url https://prices.azure.com/api/retail/prices"
_EXPECTED = "an object with Items, as the Azure Retail Prices API answers"
_NOT_ON_DEMAND = re.compile(r"\b(Spot|Low Priority)\b")
_OTHER_PRODUCT = re.compile(r"\bCloud ?Services\b|\bDedicated Host\b")
_PREMIUM_V2 = re.compile(r"Premium LRS Provisioned (Capacity|IOPS|Throughput)(?: \(MBps\))?")
_ITEMS = {
    "Capacity": ("gib", ("1 GiB/Hour", "1 GB/Hour")),
    "IOPS": ("iops", ("1/Hour",)),
    "Throughput": ("mb_per_second", ("1/Hour",)),
}
_PREMIUM = re.compile(r"(P[0-9]+) LRS Disk")


def reading_of(source: object) -> Reading:
    """Return what is in the list: prices of Linux machines and of locally redundant premium disks."""
    rows: list[Offer | str] = []
    pages = continued = 0
    for document in documents(source, _EXPECTED):
        items = document.get("Items") if isinstance(document, dict) else document
        if not isinstance(items, list) and isinstance(document, dict) and "retailPrice" in document:
            items = [document]
        # Pages that jq has put into one list.
        listed = items if isinstance(items, list) and items and _is_page(items[0]) else [document]
        if not isinstance(items, list):
            raise not_a_price_list(kind_of(document), _EXPECTED)
        for page in listed:
            pages += 1
            continued += isinstance(page, dict) and bool(page.get("NextPageLink"))
            fields_of_page = page.get("Items", [page]) if isinstance(page, dict) else page
            if not isinstance(fields_of_page, list):
                raise not_a_price_list(kind_of(page), _EXPECTED)
            for fields in fields_of_page:
                rows.append(_offer(PriceRow(fields, len(rows) + 1)))
    return Reading(rows, "", pages, continued)


def _is_page(value: Any) -> bool:
    return isinstance(value, dict) and "Items" in value


def _offer(row: PriceRow) -> Offer | str:
    product, meter, sku = row.text("productName"), row.text("meterName"), row.text("skuName")
    if row.text("type") != "Consumption" or row.part("reservationTerm") is not None:
        return "not on demand"
    if any(_NOT_ON_DEMAND.search(text) for text in (meter, sku)):
        return "not on demand"
    if product.endswith("Windows"):
        return "with Windows"
    if _OTHER_PRODUCT.search(product):
        return "of another product"
    is_disk = product in ("Azure Premium SSD v2", "Premium SSD Managed Disks")
    if not is_disk and not product.startswith("Virtual Machines ") and row.text("serviceName") != "Virtual Machines":
        return "neither of a machine nor of a premium disk"
    if row.part("isPrimaryMeterRegion") is False:
        return "a repeat of a price of another region"
    amount = row.amount("retailPrice")
    if not amount:
        return "a free tier, or priced at 0"
    region, currency, unit = row.text("armRegionName"), row.text("currencyCode"), row.text("unitOfMeasure")
    if not region:
        return "without an armRegionName"
    if not is_disk:
        name = row.text("armSkuName")
        if not name:
            return "without an armSkuName"
        return row.offer("machine", name, region, currency, amount) if unit == "1 Hour" else "counted in another unit"
    if found := _PREMIUM_V2.fullmatch(meter):
        item, units = _ITEMS[found[1]]
        if unit not in units:
            return "counted in another unit"
        return row.offer(item, "premium-ssd-v2", region, currency, amount * HOURS_A_MONTH)
    if found := _PREMIUM.fullmatch(meter):
        if unit != "1/Month":
            return "counted in another unit"
        return row.offer("size", "premium-ssd", region, currency, amount, found[1])
    return "neither of a machine nor of a premium disk"
