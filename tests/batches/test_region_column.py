"""A column of regions: each row has the prices of its own, as `size` has with the region of that row alone."""

from __future__ import annotations

import io
from pathlib import Path

import polars
import pyarrow as pa
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import (
    ColumnError,
    InvalidWorkloadError,
    MachinePrice,
    OptionError,
    Price,
    audit,
    fit,
    load_catalog,
    size,
    size_fleet,
    size_frame,
)
from etcdsize.catalog.regions import known_regions
from etcdsize.files.fleet_file import open_fleet

HEAD = "name,clients,rps,data_mb,cloud,region\n"
ANSWERS = ("machine_type", "machine_today", "cost_per_month", "currency", "price_region", "price_date")


def rows(text, **options):
    written = io.BytesIO()
    with open_fleet(Path("fleet.csv"), io.BytesIO(text.encode()), format="csv", **options) as fleet:
        summary = fleet.run(stream=written, format="jsonl")
    return [*polars.read_ndjson(written.getvalue()).to_dicts()], summary


def alone(clients, provider, region, catalog="guide"):
    """Return what `size` answers for one cluster, as a row has it."""
    sizing = size(
        clients=clients, requests_per_second=10, data_bytes=5e6, provider=provider, region=region, catalog=catalog
    )
    today = sizing.machine_today
    total = sizing.cost_per_month[provider]
    return {
        "machine_type": sizing.machine.machine_type,
        "machine_today": today.machine_type,
        "cost_per_month": None if total is None else round(total, 2),
        "currency": None if total is None else today.cost.currency,
        "price_region": today.cost.region,
        "price_date": today.cost.date,
    }


class TestRows:
    @pytest.mark.parametrize("catalog", ["guide", "current"])
    def test_each_row_is_as_the_answer_for_it_alone(self, catalog):
        places = [
            *(("aws", "eu-west-1"), ("gce", "europe-west4"), ("aws", "eu-central-1"), ("aws", "us-east-1")),
            *(("aws", "sa-east-1"), ("gce", "asia-south1"), ("aws", "eu-west-1"), ("aws", None), ("gce", None)),
        ]
        loads = [50, 400, 1400, 9000, 50, 400, 400, 50, 50]
        text = HEAD + "".join(
            f"n{row},{clients},10,5,{provider},{region or ''}\n"
            for row, (clients, (provider, region)) in enumerate(zip(loads, places, strict=True))
        )
        found, _ = rows(text, catalog=catalog)
        for row, clients, (provider, region) in zip(found, loads, places, strict=True):
            assert {name: row[name] for name in ANSWERS} == alone(clients, provider, region, catalog)
        fleet = size_fleet(
            loads, 10, 5e6, provider=[one for one, _ in places], region=[one for _, one in places], catalog=catalog
        )
        assert fleet.price_regions.tolist() == [row["price_region"] for row in found]
        assert fleet.price_dates.tolist() == [row["price_date"] for row in found]
        for one, clients, (provider, region) in zip(fleet, loads, places, strict=True):
            single = size(
                clients=clients,
                requests_per_second=10,
                data_bytes=5e6,
                provider=provider,
                region=region,
                catalog=catalog,
            )
            assert (one.machines_today, one.cost_per_month) == (single.machines_today, single.cost_per_month)

    @examples(8)
    @given(st.lists(st.sampled_from([*known_regions()["aws"], *known_regions()["gce"], ""]), min_size=1, max_size=6))
    def test_a_region_implies_the_provider(self, regions):
        found, summary = rows("clients,rps,data_mb,region\n" + "".join(f"90,10,5,{one}\n" for one in regions))
        for row, region in zip(found, regions, strict=True):
            if region:
                provider = "aws" if region in known_regions()["aws"] else "gce"
                assert {name: row[name] for name in ANSWERS} == alone(90, provider, region)
            else:
                assert row["problem"] == "region: missing"
        assert summary.not_sized == regions.count("")

    def test_the_machines_of_a_summary_have_their_regions(self):
        _, summary = rows(HEAD + "a,50,10,5,aws,eu-west-1\nb,50,10,5,gce,europe-west4\nc,50,10,5,aws,eu-central-1\n")
        assert [(one.provider, one.region, one.clusters) for one in summary.machines] == [
            ("aws", "eu-west-1", 1),
            ("aws", "eu-central-1", 1),
            ("gce", "europe-west4", 1),
        ]

    def test_a_region_that_is_not_one_of_the_provider(self):
        """The row is sized at the prices that the catalog has, and a notice says so."""
        found, summary = rows(HEAD + "a,50,10,5,aws,EMEA\nb,50,10,5,aws,europe-west4\nc,50,10,5,aws,eu-west-1\n")
        assert [row["price_region"] for row in found] == ["us-east-1", "us-east-1", "eu-west-1"]
        assert [row["notices"] for row in found] == ["unknown-region", "unknown-region", None]
        assert [row["problem"] for row in found] == [None] * 3
        ((code, clusters),) = [(one.code, one.clusters) for one in summary.notices]
        assert (code, clusters) == ("unknown-region", 2)

    def test_a_region_that_implies_no_provider(self):
        found, summary = rows("clients,rps,data_mb,region\n50,10,5,eu-wset-1\n50,10,5,cn-shanghai\n")
        assert found[0]["problem"].startswith(
            'region: got "eu-wset-1" (did you mean aws=eu-west-1?), expected a region of aws (af-south-1, '
        )
        assert (found[1]["problem"], found[1]["tier"], found[1]["machine_type"]) == (None, "small", None)
        assert summary.without_machines == {"alibaba": 1}

    def test_a_region_for_all_rows(self):
        text = "clients,rps,data_mb,region\n50,10,5,us-east-1\n"
        found, _ = rows(text, region="eu-west-1")
        assert found[0]["price_region"] == "eu-west-1"
        found, _ = rows(HEAD + "a,50,10,5,aws,x\nb,50,10,5,gce,y\n", region=["aws=eu-west-1", "gce=europe-west4"])
        assert [row["price_region"] for row in found] == ["eu-west-1", "europe-west4"]
        found, _ = rows(HEAD + "a,50,10,5,aws,x\n", unknown=["region"])
        assert (found[0]["price_region"], found[0]["notices"]) == ("us-east-1", None)
        with pytest.raises(OptionError, match=r"^region: got"):
            rows(text, region="atlantis")

    def test_numbers_are_no_regions(self):
        table = pa.table({"clients": [1], "rps": [1], "data_mb": [1], "cloud": ["aws"], "region": [1]})
        with pytest.raises(ColumnError, match="expected text"):
            size_frame(table)


class TestFrames:
    def test_a_frame(self):
        frame = polars.DataFrame(
            {"clients": [50, 400], "rps": [10, 10], "data_mb": [5, 5], "region": ["eu-central-1", "europe-west4"]}
        )
        sized = size_frame(frame).to_dicts()
        for row, provider in zip(sized, ("aws", "gce"), strict=True):
            expected = alone(row["clients"], provider, row["region"])
            assert {name: row[name] for name in ANSWERS} == expected
        given_once = size_frame(frame.drop("region"), region="eu-central-1").to_dicts()
        assert [row["price_region"] for row in given_once] == ["eu-central-1"] * 2


class TestArrays:
    def test_one_region_for_all(self):
        fleet = size_fleet([50, 400], 10, 5e6, region="eu-central-1")
        assert fleet.price_regions.tolist() == ["eu-central-1"] * 2
        assert (
            fleet[0].cost_per_month["aws"]
            == size(clients=50, requests_per_second=10, data_bytes=5e6, region="eu-central-1").cost_per_month["aws"]
        )

    def test_a_wrong_region_raises_or_is_marked(self):
        with pytest.raises(InvalidWorkloadError) as raised:
            size_fleet([50] * 3, 10, 5e6, provider="aws", region=["eu-west-1", "eu-wset-1", "eu-wset-1"])
        assert str(raised.value).startswith(
            'region[1]: got "eu-wset-1" (did you mean aws=eu-west-1?), expected a region of aws ('
        )
        assert str(raised.value).endswith(' (2 clusters); on_invalid="mark" sizes the rest')
        assert (raised.value.index, raised.value.count) == (1, 2)
        fleet = size_fleet(
            [50] * 4, 10, 5e6, provider="aws", region=["eu-west-1", "eu-wset-1", None, 7], on_invalid="mark"
        )
        assert fleet.tier_names.tolist() == ["small", None, "small", None]
        assert fleet.price_regions.tolist() == ["eu-west-1", None, "us-east-1", None]

    def test_a_provider_without_machines(self):
        fleet = size_fleet([50, 50], 10, 5e6, provider=["aws", "ovh"], region=["eu-west-1", "gra"])
        assert fleet.tier_names.tolist() == ["small", "small"]
        assert fleet.machine_types.tolist() == ["m4.large", None]


class TestAudit:
    def test_differences_are_those_of_the_rows_region(self):
        text = "name,clients,rps,data_mb,current_machine,region\n" + "".join(
            f"n,50,10,5,m6a.4xlarge,{region}\n" for region in ("", "eu-central-1", "us-east-1", "EMEA", "eu-west-3")
        )
        found, summary = rows(text)
        current = load_catalog("current")

        def saving(catalog):
            prices = [catalog.machine("aws", f"m6a.{size}").price for size in ("large", "4xlarge")]
            return None if None in prices else round((prices[0].per_hour - prices[1].per_hour) * 730 * 3, 2)

        here, there = saving(current), saving(current.in_region("eu-central-1"))
        assert [row["cost_difference_per_month"] for row in found] == [
            *(here, there, here, here),
            saving(current.in_region("eu-west-3")),
        ]
        assert {one.region for one in summary.audit.savings} >= {"us-east-1", "eu-central-1"}

    def test_the_machine_to_recommend_is_the_cheapest_of_the_rows_region(self):
        """It is that of `fit` there, and of `size`; a row without a region has the prices of the catalog."""
        places = [("aws", one) for one in ("eu-west-2", "us-east-2", "us-east-1", None)]
        places += [("gce", "asia-south1"), ("azure", "centralus"), ("gce", "europe-west4"), ("gce", None)]
        types = {"aws": "m6a.large", "gce": "n2-standard-2", "azure": "Standard_D2s_v5"}
        loads = (300, 800, 400e6)
        text = "clients,rps,data_bytes,cloud,current_machine,region\n" + "".join(
            f"300,800,400000000,{provider},{types[provider]},{region or ''}\n" for provider, region in places
        )
        found, _ = rows(text)
        audited = audit([types[provider] for provider, _ in places], *loads, region=[region for _, region in places])
        assert len({row["recommended_machine"] for row in found[:4]}) == 3
        for row, one, (provider, region) in zip(found, audited, places, strict=True):
            best = fit("medium", provider=provider, region=region).best
            now = fit("small", provider=provider, region=region, limit=None)
            (price,) = [one.machine.price for one in now.candidates if one.machine.machine_type == types[provider]]
            difference = None
            if price is not None:
                difference = round((best.machine.price.per_hour - price.per_hour) * 730 * 3, 2)
            assert (row["recommended_machine"], row["cost_difference_per_month"]) == (
                best.machine.machine_type,
                difference,
            )
            assert (row["verdict"], row["reason"]) == ("under", None)
            assert (one.recommended_machine.machine_type, one.recommended_machine.cost) == (
                best.machine.machine_type,
                best.cost,
            )
            of_one = one.cost_difference_per_month
            assert (None if of_one is None else round(of_one, 2), one.reason) == (difference, "")

    def test_one_region_of_many_clusters(self):
        audited = audit(["m6a.large"] * 2, 300, 800, 400e6, region="eu-west-2")
        assert audited.recommended_machines.tolist() == ["m5.xlarge"] * 2
        assert audited[0].recommended_machine.price.region == "eu-west-2"
        assert audit("m6a.large", 300, 800, 400e6, region=["eu-west-2", "us-east-1"]).recommended_machines.tolist() == [
            "m5.xlarge",
            "m6a.xlarge",
        ]

    def test_a_region_that_the_provider_does_not_have(self):
        types, places = ["m6a.large", "m6a.large", "n2-standard-2"], [None, "eu-wset-1", "eu-west-1"]
        with pytest.raises(InvalidWorkloadError) as raised:
            audit(types, 300, 800, 400e6, region=places)
        assert str(raised.value).startswith(
            'region[1]: got "eu-wset-1" (did you mean aws=eu-west-1?), expected a region of aws'
        )
        assert str(raised.value).endswith(' (2 clusters); on_invalid="mark" audits the rest')
        assert (raised.value.index, raised.value.count) == (1, 2)
        audited = audit(types, 300, 800, 400e6, region=places, on_invalid="mark")
        assert audited.verdicts.tolist() == ["under", "unknown", "unknown"]
        with pytest.raises(InvalidWorkloadError, match=r"^region: got the shape \(2,\), expected one name, or one"):
            audit(types, 300, 800, 400e6, region=["eu-west-1"] * 2)

    def test_the_currency_of_a_difference_is_that_of_the_rows_region(self):
        """The catalog's own prices may be in another one."""
        euros = {"currency": "EUR", "region": "own", "date": "2026-11-01"}
        listed = [
            MachinePrice(machine_type=f"m6a.{size}", price=Price(per_hour=hour, **euros))
            for size, hour in (("large", 0.1), ("xlarge", 0.2))
        ]
        ours = load_catalog("current").restrict(machine_types=["m6a.large", "m6a.xlarge"]).merge(listed)
        audited = audit(["m6a.large"] * 2, 300, 800, 400e6, region=[None, "eu-central-1"], catalog=ours)
        assert audited.difference_currencies.tolist() == ["EUR", "USD"]
        assert audited.cost_difference_per_month == pytest.approx([0.1 * 730 * 3, 0.1035 * 730 * 3])

    def test_one_region_for_all(self):
        text = "clients,rps,data_mb,current_machine\n50,10,5,m6a.4xlarge\n"
        found, summary = rows(text, region="eu-central-1")
        assert found[0]["price_region"] == "eu-central-1"
        assert summary.audit.savings[0].region == "eu-central-1"
