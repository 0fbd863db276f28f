"""The prices of Google Cloud in `pricing.yml` of Cyclenerd/google-cloud-pricing-cost-calculator, made every week.

The price of a type with local disks is that of the same type without them, as seen for c4a-standard-16-lssd on
2025-03-06, so it is not taken.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from etcdsize.base.text import decoded
from etcdsize.base.yaml_text import yaml_documents
from etcdsize.catalog.entries import kind_of
from etcdsize.catalog.price_lists import Offer, PriceRow, Reading, not_a_price_list
from etcdsize.errors import TableError

__all__ = ["COMMAND", "PROVIDER", "reading_of"]

PROVIDER = "gce"
COMMAND = "curl https://raw.githubusercontent.com/Cyclenerd/google-cloud-pricing-cost-calculator/master/pricing.yml"
_EXPECTED = "an object with compute.instance, as pricing.yml of Cyclenerd/google-cloud-pricing-cost-calculator has"
_KINDS = {"ssd": "pd-ssd", "balanced": "pd-balanced", "hdd": "pd-standard"}
_CURRENCY = "USD"


def reading_of(source: object) -> Reading:
    """Return what is in the file: an entry for each machine type or kind of disk in each region."""
    if isinstance(source, (bytes, bytearray)):
        try:
            source = decoded(bytes(source))
        except UnicodeDecodeError as error:
            raise TableError(f"not text: byte {error.start} is not {error.encoding}") from None
    found = yaml_documents(source, extra="prices") if isinstance(source, str) else [source]
    if len(found) != 1 or not isinstance(_at(found[0], "compute", "instance"), dict):
        got = kind_of(found[0]) if len(found) == 1 else f"{len(found)} documents"
        raise not_a_price_list(got, _EXPECTED)
    rows: list[Offer | str] = []
    for item, part, field in (("machine", "instance", "hour"), ("gib", "storage", "month")):
        listed = _at(found[0], "compute", part)
        for name, fields in listed.items() if isinstance(listed, dict) else ():
            costs = _at(fields, "cost")
            for region, cost in costs.items() if isinstance(costs, dict) else ():
                rows.append(_offer(PriceRow(cost, len(rows) + 1), item, str(name), str(region), field))
    return Reading(rows, _date(_at(found[0], "about", "timestamp")))


def _offer(row: PriceRow, item: str, name: str, region: str, field: str) -> Offer | str:
    kind = name if item == "machine" else _KINDS.get(name)
    if kind is None:
        return "neither of a machine nor of a network disk"
    if row.part(field) is None:
        return "without a price on demand"
    if name.endswith("-lssd"):
        return "without its local disks"
    amount = row.amount(field)
    return row.offer(item, kind, region, _CURRENCY, amount) if amount else "priced at 0"


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _date(timestamp: object) -> str:
    """Return the day on which the file was made."""
    if not isinstance(timestamp, str) or not re.fullmatch(r"[0-9]{1,10}", timestamp):
        return ""
    return datetime.datetime.fromtimestamp(int(timestamp), datetime.UTC).date().isoformat()
