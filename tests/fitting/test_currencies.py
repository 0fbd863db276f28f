"""Prices of two currencies: neither is said to be cheaper, and each currency has a total of its own."""

import io
import itertools
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Catalog, DiskKind, DiskPrice, Machine, Need, Price, audit, fit, load_tiers, size, size_fleet
from etcdsize.files.fleet_file import open_fleet
from etcdsize.fitting.matches import best_machine, with_disk
from etcdsize.reports.fit import render_fit
from etcdsize.reports.fleet import render_fleet
from etcdsize.reports.sizing import render_sizing
from etcdsize.reports.tables import render_machines

FIGURES = {"memory_gib": 16, "concurrent_iops": 5_000, "disk_mb_per_second": 100, "arch": "x86_64"}
AT = {"region": "r", "date": "2026-11-01"}
CURRENCIES = ("USD", "CNY", "EUR")
NEED = Need(tier="t", vcpus=4, memory_gib=16, concurrent_iops=300, disk_mb_per_second=10, data_bytes=1)


def machine(name, per_hour, currency, provider="aws", **more):
    price = None if currency is None else Price(per_hour=per_hour, currency=currency, **AT)
    return Machine(provider=provider, machine_type=name, price=price, **{"vcpus": 4} | FIGURES | more)


def disk(kind, per_gib_month, currency, provider="aws"):
    price = None if currency is None else DiskPrice(per_gib_month=per_gib_month, currency=currency, **AT)
    return DiskKind(
        provider=provider, kind=kind, media="ssd", max_size_gib=1000, included_iops=5000, iops_per_gib=0, max_iops=5000,
        included_mb_per_second=100, mb_per_second_per_gib=0, mb_per_second_per_iops=0, max_mb_per_second=100,
        price=price,
    )  # fmt: skip


def cost_in(machine, disk, gib):
    """Return the total of a machine and a disk, None for prices of two currencies."""
    if machine.price is None or disk.price is None or machine.price.currency != disk.price.currency:
        return None
    return 730 * machine.price.per_hour + gib * disk.price.per_gib_month


class TestFit:
    @given(
        st.lists(
            st.tuples(st.sampled_from([0.1, 1, 7]), st.none() | st.sampled_from(CURRENCIES)), min_size=1, max_size=6
        ),
        st.lists(
            st.tuples(st.sampled_from([0, 0.1, 9]), st.none() | st.sampled_from(CURRENCIES)), min_size=1, max_size=3
        ),
    )
    def test_each_currency_is_ranked_by_itself(self, machines, disks):
        rows = [machine(f"m{place}", *one) for place, one in enumerate(machines)]
        kinds = [disk(f"d{place}", *one) for place, one in enumerate(disks)]
        ours = Catalog(name="mine", machines=rows, disk_kinds=kinds)
        found = fit(NEED, ours, limit=None)
        assert best_machine(NEED, ours, "aws", "x86_64", "small") == with_disk(found.best, "small")
        assert found.feasible == len(rows)
        totals = {
            row.machine_type: min(
                (total for kind in kinds if (total := cost_in(row, kind, found.disk.size_gib)) is not None),
                default=None,
            )
            for row in rows
        }
        for one in found.candidates:
            assert one.cost.per_month == (None if totals[one.machine.machine_type] is None else pytest.approx(
                totals[one.machine.machine_type]))  # fmt: skip
            if one.cost.per_month is not None:
                assert one.cost.currency == one.machine.price.currency == one.disk.currency
        priced = [one.cost for one in found.candidates if one.cost.per_month is not None]
        assert all(one.cost.per_month is not None for one in found.candidates[: len(priced)])
        groups = [(name, list(costs)) for name, costs in itertools.groupby(priced, key=lambda cost: cost.currency)]
        assert len({name for name, _ in groups}) == len(groups)
        counts = [len(costs) for _, costs in groups]
        assert counts == sorted(counts, reverse=True)
        for _, costs in groups:
            assert [cost.per_month for cost in costs] == sorted(cost.per_month for cost in costs)

    def test_the_currency_of_most_machines_comes_first(self):
        """1 USD is not below 9 CNY here: two machines are priced in CNY."""
        rows = [machine("dollar", 1, "USD"), machine("b", 9, "CNY"), machine("a", 8, "CNY"), machine("none", 0, None)]
        kinds = [disk("dollars", 0.1, "USD"), disk("yuan", 0.5, "CNY")]
        ours = Catalog(name="mine", machines=rows, disk_kinds=kinds)
        found = fit(NEED, ours)
        assert [one.machine.machine_type for one in found.candidates] == ["a", "b", "dollar", "none"]
        assert best_machine(NEED, ours, "aws", None, "small").machine_type == "a"
        assert [one.disk.kind for one in found.candidates] == ["yuan", "yuan", "dollars", "dollars"]
        report = render_fit(found)
        assert "one currency after the other, each with the cheapest first" in report
        assert "member (cost/month)" in report
        assert f"CNY {730 * 8 + 0.5 * found.disk.size_gib:,.2f}" in report
        assert f"${730 + 0.1 * found.disk.size_gib:,.2f}" in report

    def test_one_other_currency_stands_in_the_head(self):
        found = fit(NEED, Catalog(name="mine", machines=[machine("a", 8, "CNY")], disk_kinds=[disk("d", 1, "CNY")]))
        report = render_fit(found)
        assert "member (CNY/month)" in report
        assert "cheapest first" in report
        assert "$" not in report

    def test_the_machine_alone_is_said_in_its_currency(self):
        found = fit(NEED, Catalog(name="mine", machines=[machine("a", 1, "EUR")], disk_kinds=[disk("d", 1, "CNY")]))
        assert found.best.cost.unknown == "the machine is priced in EUR, the disk in CNY"
        assert "the machine alone costs EUR 730.00 a month (r, 2026-11-01)" in render_fit(found)

    def test_local_alternatives(self):
        rows = [
            machine("a", 1, "USD", local_nvme_gb=500),
            machine("b", 9, "CNY", local_nvme_gb=500),
            machine("c", 8, "CNY", local_nvme_gb=500),
        ]
        found = fit(NEED, Catalog(name="mine", machines=rows, disk_kinds=[disk("d", 1, "CNY")]))
        assert [one.machine.machine_type for one in found.local] == ["c", "b", "a"]
        assert [one.currency for one in found.local] == ["CNY", "CNY", "USD"]
        assert "machine (cost/month)" in render_fit(found)


def two_currencies():
    """Return a catalog of machines for each tier: those of aws are priced in USD, those of gce in CNY."""
    rows, kinds = [], []
    for provider, currency in (("aws", "USD"), ("gce", "CNY")):
        kinds.append(disk(f"{provider}-disk", 0.1, currency, provider).model_copy(
            update={"included_iops": 20_000, "max_iops": 20_000, "included_mb_per_second": 500,
                    "max_mb_per_second": 500}))  # fmt: skip
        rows += [
            machine(f"{provider}.{vcpus}", vcpus, currency, provider, vcpus=vcpus, memory_gib=4 * vcpus,
                    concurrent_iops=20_000, disk_mb_per_second=500)
            for vcpus in (2, 4, 8, 16)
        ]  # fmt: skip
    return Catalog(name="mine", machines=rows, disk_kinds=kinds)


class TestSizings:
    def test_each_provider_has_its_currency(self):
        sizing = size(clients=90, requests_per_second=150, data_bytes="80MB", catalog=two_currencies())
        assert sizing.currency == {"aws": "USD", "gce": "CNY"}
        assert type(sizing).model_validate_json(sizing.model_dump_json()) == sizing
        costs = {name: sizing.machines[name].cost.per_month for name in ("aws", "gce")}
        assert sizing.cost_per_month == {name: 3 * cost for name, cost in costs.items()}
        report = render_sizing(sizing)
        assert "3 members (cost/month)" in report
        assert f"CNY {3 * costs['gce']:,.2f}" in report
        assert f"${3 * costs['aws']:,.2f}" in report
        assert f"On gce, the cluster costs CNY {3 * costs['gce']:,.2f} a month" in sizing.explain()

    def test_a_fleet_has_the_same_columns(self):
        fleet = size_fleet([90, 90], [150, 150], [8e7, 8e7], provider=["aws", "gce"], catalog=two_currencies())
        assert fleet.currencies.tolist() == ["USD", "CNY"]
        assert [fleet[row].currency for row in (0, 1)] == [{"aws": "USD"}, {"gce": "CNY"}]

    def test_the_list_of_machines(self):
        catalog = two_currencies()
        report = render_machines(catalog, catalog.machines)
        assert "price/hour" in report
        assert "CNY 16" in report
        assert "CNY/hour" in render_machines(catalog, catalog.machines[4:])


FLEET = """\
cluster,clients,rps,data_mb,cloud,current_machine
a,90,150,80,aws,aws.16
b,90,150,80,gce,gce.16
c,90,150,80,gce,gce.8
d,90,150,80,aws,aws.2
e,9000,150,80,gce,gce.2
"""


class TestFleets:
    """A fleet has a total for each currency, and never one of all."""

    def sized(self, text=FLEET, to="csv"):
        written = io.BytesIO()
        with open_fleet(Path("fleet.csv"), io.BytesIO(text.encode()), catalog=two_currencies()) as fleet:
            return fleet.run(stream=written, format=to), written.getvalue().decode()

    def test_totals(self):
        summary, written = self.sized()
        rows = [line.split(",") for line in written.splitlines()]
        column = {name: [row[rows[0].index(name)] for row in rows[1:]] for name in rows[0]}
        assert column["currency"] == ["USD", "CNY", "CNY", "USD", "CNY"]
        assert column["difference_currency"] == ["USD", "CNY", "CNY", "USD", "CNY"]
        for currency in ("USD", "CNY"):
            mine = [place for place, name in enumerate(column["currency"]) if name == currency]
            assert summary.cost_per_month[currency] == pytest.approx(
                sum(float(column["cost_per_month"][place]) for place in mine)
            )
            saved = [-float(column["cost_difference_per_month"][place]) for place in mine]
            assert summary.audit.savings_per_month[currency] == pytest.approx(sum(one for one in saved if one > 0))

    def test_savings_are_ranked_for_each_currency(self):
        summary, _ = self.sized()
        assert [(row.cluster, row.currency) for row in summary.audit.savings] == [
            ("b", "CNY"), ("c", "CNY"), ("a", "USD"),
        ]  # fmt: skip

    def test_the_report(self):
        report = render_fleet(self.sized()[0])
        yuan, dollars = 3 * 730 * (12 + 4), 3 * 730 * 12
        assert f"largest saving first: CNY {yuan:,.2f} and ${dollars:,.2f} a month in total" in report
        assert f"CNY -{3 * 730 * 12:,.2f}" in report
        assert f"USD -{dollars:,.2f}" in report
        assert "cost/month" in report

    @given(
        st.lists(st.tuples(st.sampled_from(["aws", "gce"]), st.sampled_from([2, 4, 8, 16])), min_size=1, max_size=30)
    )
    def test_the_audit_keeps_them_apart(self, fleet):
        names = [f"{provider}.{vcpus}" for provider, vcpus in fleet]
        found = audit(names, [10] * len(names), 1, 1, catalog=two_currencies())
        saved = {"USD": 0.0, "CNY": 0.0}
        for provider, vcpus in fleet:
            saved["USD" if provider == "aws" else "CNY"] += 3 * 730 * (vcpus - 2)
        assert found.savings_per_month == {
            currency: pytest.approx(amount) for currency, amount in sorted(saved.items()) if amount
        }
        assert found.difference_currencies.tolist() == ["USD" if name == "aws" else "CNY" for name, _ in fleet]

    def test_machines_of_two_currencies_have_no_difference(self):
        """One provider sells both, for different money: what a change saves is unknown."""
        catalog = two_currencies()
        yuan = Price(per_hour=99, currency="CNY", **AT)
        rows = [
            row.model_copy(update={"price": yuan}) if row.machine_type == "aws.16" else row for row in catalog.machines
        ]
        mixed = catalog.model_copy(update={"machines": tuple(rows)})
        found = audit(["aws.16"], [10], 1, 1, catalog=mixed)
        assert found.verdicts.tolist() == ["over"]
        assert math.isnan(found.cost_difference_per_month[0])
        assert (found[0].difference_currency, found.savings_per_month, found.savings().size) == (None, {}, 0)


def test_the_tiers_of_the_guide_are_all_there():
    """The catalog of these tests has a machine for each tier, so that no test passes for want of one."""
    catalog = two_currencies()
    for provider in catalog.providers:
        for tier in load_tiers("guide").names:
            assert fit(tier, catalog, provider=provider).candidates
