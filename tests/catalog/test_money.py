"""Money: currencies are never converted, never added up and never compared with each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Catalog, Cost, DiskPrice, Price, TableError, load_catalog
from etcdsize.catalog.money import currency_mark, currency_order, money_text, sums

CURRENCIES = st.sampled_from(["USD", "CNY", "EUR", "JPY"])


class TestCurrency:
    """A currency is its three capital letters of ISO 4217."""

    @pytest.mark.parametrize("currency", ["USD", "CNY", "XAU"])
    def test_a_code_is_accepted(self, currency):
        assert Price(per_hour=1, currency=currency, region="r", date="2026-11-01").currency == currency

    @pytest.mark.parametrize("currency", ["usd", "US", "USDT", "", "$", "元", "ＵＳＤ", "U1D", "USD\n", "US\u202e"])
    def test_anything_else_is_rejected(self, currency):
        with pytest.raises(TableError, match=r"Price: currency: .* expected a currency by its three capital letters"):
            Price(per_hour=1, currency=currency, region="r", date="2026-11-01")

    def test_a_price_needs_one(self):
        with pytest.raises(TableError, match=r"^Price: currency: missing; the field is required$"):
            Price(per_hour=1, region="r", date="2026-11-01")

    def test_so_does_the_amount_of_a_cost(self):
        with pytest.raises(TableError, match=r"^Cost: currency: missing; an amount needs its currency, such as USD$"):
            Cost(per_month=1)
        assert Cost(per_month=None).currency is None


class TestText:
    def test_dollars_have_their_sign_and_others_their_code(self):
        assert (money_text(1234.5, "USD"), money_text(1234.5, "CNY")) == ("$1,234.50", "CNY 1,234.50")
        assert (currency_mark("USD"), currency_mark("EUR")) == ("$", "EUR ")


class TestSums:
    @given(st.lists(st.tuples(st.none() | st.integers(0, 1000), st.none() | CURRENCIES)))
    def test_each_currency_by_itself(self, amounts):
        known = [(amount, currency) for amount, currency in amounts if None not in (amount, currency)]
        expected = {
            name: sum(amount for amount, currency in known if currency == name) for name in {one[1] for one in known}
        }
        assert sums(amounts) == expected
        assert list(sums(amounts)) == sorted(expected)

    @given(st.lists(st.none() | CURRENCIES))
    def test_the_most_frequent_comes_first(self, currencies):
        order = currency_order(currencies)
        named = sorted(order, key=order.__getitem__)
        assert set(named) == set(currencies) - {None}
        assert named == sorted(named, key=lambda one: (-currencies.count(one), one))


class TestCost:
    """A machine and a disk add up only in one region and one currency."""

    @given(CURRENCIES, CURRENCIES, st.sampled_from("rs"), st.sampled_from("rs"))
    def test_only_equal_currencies_are_added_up(self, one, other, region, disk_region):
        machine = Price(per_hour=1, currency=one, region=region, date="2026-11-02")
        disk = DiskPrice(per_gib_month=1, currency=other, region=disk_region, date="2026-11-01")
        cost = Cost.of(machine, 20, disk, None)
        if one == other and region == disk_region:
            assert (cost.per_month, cost.disk_per_month, cost.date, cost.unknown) == (750, 20, "2026-11-01", "")
        else:
            assert (cost.per_month, cost.disk_per_month, cost.date) == (None, None, "2026-11-02")
            assert (f"the machine is priced in {one}, the disk in {other}" in cost.unknown) == (one != other)
        assert (cost.machine_per_month, cost.currency, cost.region) == (730, one, region)

    def test_a_disk_alone_keeps_its_own(self):
        disk = DiskPrice(per_gib_month=1, currency="CNY", region="r", date="2026-11-01")
        cost = Cost.of(None, 20, disk, None)
        assert (cost.per_month, cost.disk_per_month, cost.currency) == (None, 20, "CNY")


class TestFormerNames:
    """A catalog with a former name is refused with the name of today."""

    @pytest.mark.parametrize(
        ("change", "field", "now"),
        [
            ({"price": {"usd_hour": 1, "region": "r", "date": "2026-11-01"}}, "machines.price.usd_hour", "per_hour"),
            ({"cost": {"usd_month": 1}}, "machines.cost.usd_month", "per_month"),
            ({"cost": {"per_month": 1, "disk_usd_month": 1}}, "machines.cost.disk_usd_month", "disk_per_month"),
        ],
    )
    def test_of_a_machine(self, change, field, now):
        machine = load_catalog("guide").machines[0].model_dump() | change
        with pytest.raises(TableError) as caught:
            Catalog(name="mine", machines=[machine])
        assert f"row 1, {field.removeprefix('machines.')}: unknown field; it is now {now}" in str(caught.value)
        assert "with currency beside it" in str(caught.value)

    @pytest.mark.parametrize(
        ("price", "field", "now"),
        [
            ({"usd_gib_month": 1, "region": "r", "date": "2026-11-01"}, "usd_gib_month", "per_gib_month"),
            (
                {"per_gib_month": 1, "usd_iops_month": [], "region": "r", "date": "2026-11-01"},
                *("usd_iops_month", "per_iops_month"),
            ),
            (
                {"per_gib_month": 1, "usd_mb_per_second_month": 1, "region": "r", "date": "2026-11-01"},
                *("usd_mb_per_second_month", "per_mb_per_second_month"),
            ),
        ],
    )
    def test_of_a_disk(self, price, field, now):
        kind = load_catalog("current").disk_kinds[0].model_dump() | {"price": price}
        with pytest.raises(TableError) as caught:
            Catalog(name="mine", machines=load_catalog("guide").machines, disk_kinds=[kind])
        assert f"price.{field}: unknown field; it is now {now}, with currency beside it" in str(caught.value)

    def test_of_a_step(self):
        steps = [{"up_to": None, "usd_month": 1}]
        price = {"per_gib_month": 1, "per_iops_month": steps, "currency": "USD", "region": "r", "date": "2026-11-01"}
        with pytest.raises(TableError, match=r"usd_month: unknown field; it is now per_month"):
            DiskPrice(**price)
