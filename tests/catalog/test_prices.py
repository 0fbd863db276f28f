"""A list of prices as CSV: what is read, and each error with its row and column."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import (
    DiskKindPrice,
    DiskPrice,
    EtcdSizeError,
    MachinePrice,
    Price,
    PriceStep,
    TableError,
    load_catalog,
    read_prices,
)

HEAD = "machine_type,price_per_hour,currency,region,date"


def text(*rows: str, head: str = HEAD) -> str:
    return "\n".join([head, *rows]) + "\n"


class TestRead:
    def test_every_column(self):
        listed = text(
            "m8i.large,0.09,USD,eu-west-1,2026-11-01,AWS,our contract",
            "n2-standard-2,1,USD,europe-west1,2026-11-02,,",
            head=f"{HEAD},provider,source",
        )
        assert read_prices(listed) == (
            MachinePrice(
                provider="aws",
                machine_type="m8i.large",
                price=Price(
                    per_hour=0.09, currency="USD", region="eu-west-1", date="2026-11-01", source="our contract"
                ),
            ),
            MachinePrice(
                machine_type="n2-standard-2",
                price=Price(per_hour=1, currency="USD", region="europe-west1", date="2026-11-02"),
            ),
        )

    @pytest.mark.parametrize(
        "listed",
        [
            text("m8i.large,0.09,USD,eu-west-1,2026-11-01"),
            text("m8i.large,0.09,USD,eu-west-1,2026-11-01").encode(),
            "\ufeff" + text("m8i.large,0.09,USD,eu-west-1,2026-11-01"),
            text("m8i.large,0.09,USD,eu-west-1,2026-11-01").replace("\n", "\r\n"),
            text("", '"m8i.large","0.09","USD","eu-west-1","2026-11-01"', ""),
            "date,region,currency,price_per_hour,machine_type\n2026-11-01,eu-west-1,USD,0.09,m8i.large",
        ],
    )
    def test_equivalent_files_give_the_same_prices(self, listed):
        price = Price(per_hour=0.09, currency="USD", region="eu-west-1", date="2026-11-01")
        assert read_prices(listed) == (MachinePrice(machine_type="m8i.large", price=price),)

    def test_prices_merge_into_a_catalog(self):
        merged = load_catalog("current").merge(read_prices(text("r9g.large,0.2,USD,eu-west-1,2026-11-01")))
        assert merged.machine("aws", "r9g.large").price.per_hour == 0.2


DISKS = "disk_kind,price_per_gib_month,price_per_iops_month,price_per_mb_per_second_month"


class TestDisks:
    """A row is the price of a machine or of a kind of disk."""

    def test_machines_and_disks_in_one_file(self):
        listed = text(
            "m8i.large,0.09,EUR,eu-west-1,2026-11-01,,,,",
            ",,EUR,eu-west-1,2026-11-01,gp3,0.08,0.005,0.04",
            ",,EUR,eu-west-1,2026-11-01,gp2,0.1,,",
            head=f"{HEAD},{DISKS}",
        )
        about = {"currency": "EUR", "region": "eu-west-1", "date": "2026-11-01"}
        gp3 = DiskPrice(
            per_gib_month=0.08,
            per_iops_month=(PriceStep(up_to=None, per_month=0.005),),
            per_mb_per_second_month=0.04,
            **about,
        )
        assert read_prices(listed) == (
            MachinePrice(machine_type="m8i.large", price=Price(per_hour=0.09, **about)),
            DiskKindPrice(kind="gp3", price=gp3),
            DiskKindPrice(kind="gp2", price=DiskPrice(per_gib_month=0.1, **about)),
        )
        merged = load_catalog("current").merge(read_prices(listed))
        assert merged.machine("aws", "m8i.large").price.currency == "EUR"
        assert merged.disk_kind("aws", "gp3").price == gp3
        assert merged.disk_kind("aws", "io2") == load_catalog("current").disk_kind("aws", "io2")

    def test_disks_alone_need_no_columns_of_machines(self):
        listed = "disk_kind,price_per_gib_month,currency,region,date,provider\ngp3,1,EUR,eu-west-1,2026-11-01,AWS\n"
        (price,) = read_prices(listed)
        assert (price.provider, price.kind, price.price.per_gib_month) == ("aws", "gp3", 1)

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (["gp9,1"], 'row 1, disk_kind: got "gp9", which is not among the disks in the catalog "current"; did you'),
            (
                ["gp3,1", "gp3,1"],
                'row 2, disk_kind: got "gp3", which is also in row 1; expected one price for each kind',
            ),
        ],
    )
    def test_a_price_that_is_not_of_one_kind_is_rejected(self, rows, message):
        head = "disk_kind,price_per_gib_month,currency,region,date"
        listed = read_prices(text(*(f"{row},EUR,eu-west-1,2026-11-01" for row in rows), head=head))
        with pytest.raises(TableError) as caught:
            load_catalog("current").merge(listed)
        assert str(caught.value).startswith(message)


SOUND = "m8i.large,0.09,USD,eu-west-1,2026-11-01"
PRICE = 'a price per hour such as "0.096"'
REFUSED = [
    ("", None, None, "empty, expected a header with machine_type, price_per_hour, currency, region, date"),
    ("\n", None, None, "empty, expected a header with machine_type, price_per_hour, currency, region, date"),
    (HEAD, None, None, "got 0 rows, expected at least 1"),
    (text(SOUND, head="machine_type,price,region,date"), None, "price",
     '"price": unknown column; expected machine_type, price_per_hour, currency, region, date, provider, source, '
     'disk_kind'),
    (text(SOUND, head="machine_type,price_per_hours,currency,region,date"), None, "price_per_hours",
     '"price_per_hours": unknown column; expected machine_type, price_per_hour, currency, region, date, provider, '
     'source, disk_kind, price_per_gib_month, price_per_iops_month, price_per_mb_per_second_month; did you mean '
     '"price_per_hour"?'),
    (text(SOUND, head="machine_type,price_per_hour,currency,region,region"), None, "region",
     "region: got the column more than once, expected it once"),
    ("machine_type,price_per_hour,currency,date\n", None, "region", "region: missing; the column is required"),
    (text(SOUND, "m8i.large,0.09,USD,eu-west-1"), 2, None, "row 2: got 4 cells, expected 5 as in the header"),
    (text(SOUND, SOUND + ",x"), 2, None, "row 2: got 6 cells, expected 5 as in the header"),
    (text(SOUND, ",0.09,USD,eu-west-1,2026-11-01"), 2, "machine_type", "row 2, machine_type: missing"),
    (text(SOUND, "x,,USD,eu-west-1,2026-11-01"), 2, "price_per_hour", "row 2, price_per_hour: missing"),
    *(
        (text(SOUND, f"x,{price},USD,eu-west-1,2026-11-01"), 2, "price_per_hour",
         f'row 2, price_per_hour: got "{price}", expected {PRICE}')
        for price in ["$0.09", "-1", "nan", "inf", "1e3", "1e308", "0x1", "0", "0.000", "1.", ".5", "1_0", "١"]
    ),
    (text(SOUND, "x,1,USD,eu-west-1,2026-13-01"), 2, "date",
     'row 2, date: got "2026-13-01", expected a date such as "2026-11-25"'),
    (text(SOUND, "x,1,USD,eu-west-1,2026-W48-3"), 2, "date",
     'row 2, date: got "2026-W48-3", expected a date such as "2026-11-25"'),
    (text(SOUND, "x,1,USD,eu-west-1,20261101"), 2, "date",
     'row 2, date: got "20261101", expected a date such as "2026-11-25"'),
    (text("x,1,USD, eu,2026-11-01"), 1, "region",
     'row 1, region: got " eu", expected printable text without spaces around it'),
    (text("x,1,USD,e\x00u,2026-11-01"), 1, "region",
     'row 1, region: got "e\\x00u", expected printable text without spaces around it'),
    (text("x" * 201 + ",1,USD,eu,2026-11-01"), 1, "machine_type", 'row 1, machine_type: got "xxx'),
    (text("x,1,USD,eu,2026-11-01,../mars", head=HEAD + ",provider"), 1, "provider",
     'row 1, provider: got "../mars", expected a name of at most 64 letters, digits'),
    (text('"x,1,USD,eu,2026-11-01'), None, None, "line 2: not CSV: unexpected end of data"),
    (text('"x"y,1,USD,eu,2026-11-01'), None, None, "line 2: not CSV: ',' expected after '\"'"),
    (text("x" * 200_000 + ",1,USD,eu,2026-11-01"), None, None,
     "line 2: not CSV: field larger than field limit (131072)"),
    *(
        (text(SOUND, f"x,1,{currency},eu,2026-11-01"), 2, "currency",
         f'row 2, currency: got "{currency}", expected a currency by its three capital letters (ISO 4217), such as USD')
        for currency in ["usd", "US", "USDT", "$", "元", "ＵＳＤ", "U1D"]
    ),
    (text(SOUND, "x,1,,eu,2026-11-01"), 2, "currency", "row 2, currency: missing"),
    ("machine_type,price_usd_hour,region,date\n", None, "price_usd_hour",
     "price_usd_hour: unknown column; call it price_per_hour, and put the currency into a column currency"),
    ("machine_type,usd_hour,region,date\n", None, "usd_hour",
     "usd_hour: unknown column; call it price_per_hour, and put the currency into a column currency"),
    (text("x,1,USD,eu,2026-11-01,gp3,1", head=f"{HEAD},disk_kind,price_per_gib_month"), 1, "machine_type",
     'row 1, machine_type: got "x", expected none in the row of a kind of disk'),
    (text("x,1,USD,eu,2026-11-01,,1", head=f"{HEAD},disk_kind,price_per_gib_month"), 1, "price_per_gib_month",
     'row 1, price_per_gib_month: got "1", expected none in the row of a machine'),
    (text(",,USD,eu,2026-11-01,gp3,", head=f"{HEAD},disk_kind,price_per_gib_month"), 1, "price_per_gib_month",
     "row 1, price_per_gib_month: missing"),
    (text(",,USD,eu,2026-11-01,gp3,0", head=f"{HEAD},disk_kind,price_per_gib_month"), 1, "price_per_gib_month",
     'row 1, price_per_gib_month: got "0", expected a price per month such as "0.08"'),
    ("disk_kind,currency,region,date\n", None, "price_per_gib_month",
     "price_per_gib_month: missing; the column is required"),
    (HEAD.encode() + b"\n\xff,1,USD,eu,2026-11-01", None, None, "not text: byte 49 is not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("listed", "row", "field", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_broken_file_is_rejected_with_row_and_column(listed, row, field, message):
    with pytest.raises(TableError) as caught:
        read_prices(listed)
    assert str(caught.value).startswith(message)
    assert (caught.value.row, caught.value.field) == (row, field)
    assert len(str(caught.value).splitlines()) == 1


CELLS = st.one_of(st.text(max_size=8), st.sampled_from(["m8i.large", "0.09", "eu-west-1", "2026-11-01", "aws", ""]))


class TestAnything:
    """Every input ends in prices or in one of our errors, on one line."""

    @given(st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=3), st.permutations(HEAD.split(",")))
    def test_any_rows(self, rows, head):
        out = io.StringIO()
        csv.writer(out).writerows([head, *rows])
        prices = result(read_prices, out.getvalue())
        if isinstance(prices, EtcdSizeError):
            assert len(str(prices).splitlines()) == 1
        else:
            assert all(listed.price.per_hour > 0 for listed in prices)

    @given(st.binary(max_size=80) | st.text(max_size=80))
    def test_any_text(self, listed):
        with pytest.raises(EtcdSizeError) as caught:
            read_prices(listed)
        assert len(str(caught.value).splitlines()) == 1
