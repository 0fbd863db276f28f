"""The reader of a user's own list of prices, as CSV."""

from __future__ import annotations

import csv
import io
import re
from typing import NoReturn

from etcdsize.base.model import date_of
from etcdsize.base.text import nearest, shown
from etcdsize.catalog.costs import DiskPrice, Price, PriceStep
from etcdsize.catalog.disks import DiskKindPrice
from etcdsize.catalog.machines import MachinePrice
from etcdsize.errors import EtcdSizeError, TableError

__all__ = ["read_prices"]

_OF_A_MACHINE = ("machine_type", "price_per_hour")
_OF_A_DISK = ("disk_kind", "price_per_gib_month")
_MORE_OF_A_DISK = ("price_per_iops_month", "price_per_mb_per_second_month")
_OF_EACH = ("currency", "region", "date")
_REQUIRED = (*_OF_A_MACHINE, *_OF_EACH)
_COLUMNS = (*_REQUIRED, "provider", "source", *_OF_A_DISK, *_MORE_OF_A_DISK)
_RENAMED = dict.fromkeys(("price_usd_hour", "usd_hour", "usd_per_hour"), "price_per_hour")
_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?")


def read_prices(text: str | bytes) -> tuple[MachinePrice | DiskKindPrice, ...]:
    r"""Return the prices of a CSV with the columns machine_type, price_per_hour, currency, region and date.

    A row is the price of a machine, or of a kind of disk in the columns disk_kind, price_per_gib_month and, where more
    can be provisioned, price_per_iops_month and price_per_mb_per_second_month.

    Parameters
    ----------
    text : str or bytes
        UTF-8. The columns may be in any order; those of disks, `provider` and `source` are optional, and no others are
        accepted. A date is written like 2026-11-25, and a currency like USD.

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
    prices: list[MachinePrice | DiskKindPrice] = []
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
                f"{name}: unknown column; call it {_RENAMED[name]}, and put the currency into a column currency",
                field=name,
            )
        if name not in _COLUMNS:
            raise TableError(
                f"{shown(name)}: unknown column; expected {', '.join(_COLUMNS)}{nearest(name, _COLUMNS)}", field=name
            )
        if header.count(name) > 1:
            raise TableError(f"{name}: got the column more than once, expected it once", field=name)
    disks = "disk_kind" in header
    machines = "machine_type" in header or not disks
    for name in (*(_OF_A_MACHINE if machines else ()), *(_OF_A_DISK if disks else ()), *_OF_EACH):
        if name not in header:
            raise TableError(f"{name}: missing; the column is required", field=name)


def _price(header: list[str], cells: list[str], row: int) -> MachinePrice | DiskKindPrice:
    if len(cells) != len(header):
        raise TableError(f"row {row}: got {len(cells)} cells, expected {len(header)} as in the header", row=row)
    fields = dict(zip(header, cells, strict=True))
    is_disk = bool(fields.get("disk_kind")) or "machine_type" not in header
    own, other = (_OF_A_DISK, _OF_A_MACHINE) if is_disk else (_OF_A_MACHINE, (*_OF_A_DISK, *_MORE_OF_A_DISK))
    for name, cell in fields.items():
        if not cell and name in (*own, *_OF_EACH):
            _reject(row, name, "missing")
        if cell and name in other:
            what = "kind of disk" if is_disk else "machine"
            _reject(row, name, f"got {shown(cell)}, expected none in the row of a {what}")
        if not cell.isprintable() or cell != cell.strip():
            _reject(row, name, f"got {shown(cell)}, expected printable text without spaces around it")
    try:
        date_of(fields["date"])
    except ValueError as error:
        _reject(row, "date", str(error))
    about = {name: fields.get(name, "") for name in (*_OF_EACH, "source")}
    provider = fields.get("provider") or None
    names = (*_OF_A_DISK[1:], *_MORE_OF_A_DISK) if is_disk else _OF_A_MACHINE[1:]
    amounts = [_amount(row, name, fields.get(name, "")) for name in names]
    try:
        if not is_disk:
            price = Price(per_hour=amounts[0], **about)
            return MachinePrice(provider=provider, machine_type=fields["machine_type"], price=price)
        per_gib, per_iops, per_mb_per_second = amounts
        of_disk = DiskPrice(
            per_gib_month=per_gib,
            per_iops_month=None if per_iops is None else (PriceStep(up_to=None, per_month=per_iops),),
            per_mb_per_second_month=per_mb_per_second,
            **about,
        )
        return DiskKindPrice(provider=provider, kind=fields["disk_kind"], price=of_disk)
    except EtcdSizeError as error:
        field = getattr(error, "field", None)
        _reject(row, field or "provider", str(error).rpartition(f"{field}: " if field else "provider: ")[2])


def _amount(row: int, name: str, cell: str) -> float | None:
    """Return the price in a cell, None for an empty one; a price of 0 is a mistake."""
    if not cell:
        return None
    if not _PRICE.fullmatch(cell) or not float(cell):
        expected = (
            'a price per hour such as "0.096"' if name == "price_per_hour" else 'a price per month such as "0.08"'
        )
        _reject(row, name, f"got {shown(cell)}, expected {expected}")
    return int(cell) if cell.isdigit() else float(cell)


def _reject(row: int, field: str, reason: str) -> NoReturn:
    raise TableError(f"row {row}, {field}: {reason}", row=row, field=field)
