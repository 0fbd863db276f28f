"""The reader of a user's own list of prices, as CSV."""

from __future__ import annotations

import csv
import io
import re
from typing import NoReturn

from etcdsize.base.model import date_of
from etcdsize.base.text import nearest, shown
from etcdsize.catalog.costs import Price
from etcdsize.catalog.machines import MachinePrice
from etcdsize.errors import EtcdSizeError, TableError

__all__ = ["read_prices"]

_REQUIRED = ("machine_type", "price_per_hour", "currency", "region", "date")
_COLUMNS = (*_REQUIRED, "provider", "source")
_RENAMED = {"price_usd_hour": "price_per_hour"}
_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?")


def read_prices(text: str | bytes) -> tuple[MachinePrice, ...]:
    r"""Return the prices of a CSV with the columns machine_type, price_per_hour, currency, region and date.

    Parameters
    ----------
    text : str or bytes
        UTF-8. The columns may be in any order; `provider` and `source` are optional, and no others are accepted. A
        date is written like 2026-11-25, and a currency like USD.

    Raises
    ------
    TableError
        For anything else. The message names the row, counted from 1 without the header, and the column.

    Examples
    --------
    >>> text = "machine_type,price_per_hour,currency,region,date\nm8i.large,0.09,USD,eu-west-1,2026-11-01\n"
    >>> read_prices(text)[0].price.per_hour
    0.09
    """
    if isinstance(text, (bytes, bytearray)):
        try:
            text = bytes(text).decode("utf-8")
        except UnicodeDecodeError as error:
            raise TableError(f"not text: byte {error.start} is not UTF-8") from None
    if not isinstance(text, str):
        raise TableError(f"got {shown(text)} of type {type(text).__name__}, expected the text of a CSV")
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    prices: list[MachinePrice] = []
    try:
        header = next(rows, None)
        if not header:
            raise TableError(f"empty, expected a header with {', '.join(_REQUIRED)}")
        _check_header(header)
        for cells in rows:
            if cells:
                prices.append(_price(header, cells, len(prices) + 1))
    except csv.Error as error:
        raise TableError(f"line {rows.line_num}: not CSV: {error}") from None
    if not prices:
        raise TableError("got 0 rows, expected at least 1")
    return tuple(prices)


def _check_header(header: list[str]) -> None:
    for name in header:
        if name in _RENAMED:
            raise TableError(
                f"{name}: unknown column; it is now {_RENAMED[name]}, with the column currency beside it",
                field=name,
            )
        if name not in _COLUMNS:
            raise TableError(
                f"{shown(name)}: unknown column; expected {', '.join(_COLUMNS)}{nearest(name, _COLUMNS)}", field=name
            )
        if header.count(name) > 1:
            raise TableError(f"{name}: got the column more than once, expected it once", field=name)
    for name in _REQUIRED:
        if name not in header:
            raise TableError(f"{name}: missing; the column is required", field=name)


def _price(header: list[str], cells: list[str], row: int) -> MachinePrice:
    if len(cells) != len(header):
        raise TableError(f"row {row}: got {len(cells)} cells, expected {len(header)} as in the header", row=row)
    fields = dict(zip(header, cells, strict=True))
    for name, cell in fields.items():
        if not cell and name in _REQUIRED:
            _reject(row, name, "missing")
        if not cell.isprintable() or cell != cell.strip():
            _reject(row, name, f"got {shown(cell)}, expected printable text without spaces around it")
    per_hour = fields["price_per_hour"]
    if not _PRICE.fullmatch(per_hour) or not float(per_hour):
        _reject(row, "price_per_hour", f'got {shown(per_hour)}, expected a price per hour such as "0.096"')
    try:
        date_of(fields["date"])
    except ValueError as error:
        _reject(row, "date", str(error))
    try:
        return MachinePrice(
            provider=fields.get("provider") or None,
            machine_type=fields["machine_type"],
            price=Price(
                per_hour=int(per_hour) if per_hour.isdigit() else float(per_hour),
                currency=fields["currency"],
                region=fields["region"],
                date=fields["date"],
                source=fields.get("source", ""),
            ),
        )
    except EtcdSizeError as error:
        field = getattr(error, "field", None)
        _reject(row, field or "provider", str(error).rpartition(f"{field}: " if field else "provider: ")[2])


def _reject(row: int, field: str, reason: str) -> NoReturn:
    raise TableError(f"row {row}, {field}: {reason}", row=row, field=field)
