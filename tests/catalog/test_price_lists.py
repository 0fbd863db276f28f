"""Price lists of providers: which of their many prices are those of a Linux machine or of a disk on demand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import (
    DiskPrice,
    EtcdSizeError,
    OptionError,
    Price,
    PriceStep,
    TableError,
    load_catalog,
    read_listing,
    read_price_list,
)
from etcdsize.catalog.price_lists import Priced
from etcdsize.catalog.registry import price_readers

DATA = Path(__file__).parents[1] / "data"
DATE = "2026-11-27"
CURRENT = load_catalog("current")
FILES = {
    "aws-prices": "aws-get-products-ec2.json",
    "azure-prices": "azure-retail-prices-vm.json",
    "cyclenerd": "cyclenerd-pricing.yml",
    "gce-skus": "gce-skus-hyperdisk-iops.json",
}


def sample(name: str):
    return json.loads((DATA / f"{name}.json").read_text())


def priced(origin: str, source, *, region: str | None = None, catalog=CURRENT) -> Priced:
    return read_price_list(origin, source, catalog, region=region, date=DATE)


def left_out(found: Priced) -> dict[str, int]:
    return {one.reason: one.entries for one in found.left_out}


def test_there_are_these_readers():
    assert list(price_readers()) == ["aws-prices", "azure-prices", "cyclenerd", "gce-skus"]


class TestAws:
    """Without six filters a type has several prices: by system, software, tenancy, reservation and licence."""

    def product(
        self, name="m5.large", *, usd="0.0960000000", unit="Hrs", currency="USD", region="eu-west-1", **changes
    ):
        entry = json.loads(sample("aws-get-products-ec2")["PriceList"][0])
        entry["product"]["attributes"] |= {"instanceType": name, "regionCode": region} | changes
        ((term,),) = (entry["terms"]["OnDemand"].values(),)
        ((dimension,),) = (term["priceDimensions"].values(),)
        dimension |= {"unit": unit, "pricePerUnit": {currency: usd}}
        return entry

    def volume(self, usage, usd, unit, **changes):
        entry = self.product(usd=usd, unit=unit, **changes)
        entry["product"]["productFamily"] = "Storage"
        attributes = entry["product"]["attributes"]
        for name in ("operatingSystem", "tenancy", "capacitystatus", "operation", "preInstalledSw", "instanceType"):
            del attributes[name]
        attributes["usagetype"] = f"EU-EBS:Volume{usage}"
        return entry

    def test_the_sample(self):
        found = priced("aws-prices", sample("aws-get-products-ec2"))
        price = found.catalog.machine("aws", "m5.large").price
        assert price == Price(
            per_hour=0.096,
            currency="USD",
            region="us-east-1",
            date="2026-11-01",
            source="aws pricing get-products",
        )
        assert (found.found, found.used, found.machines, found.left_out) == (1, 1, 1, ())
        # It announces another page.
        assert found.truncated

    def test_a_row_of_old_times_has_no_region_code(self):
        with pytest.raises(TableError) as caught:
            priced("aws-prices", sample("aws-get-products-ebs-2017"))
        assert str(caught.value).startswith(
            "no usable price: got 1 entry, of which 1 is without a regionCode, expected prices on demand "
        )

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"tenancy": "Dedicated"}, "of another tenancy"),
            ({"tenancy": "Host", "usd": "0"}, "of another tenancy"),
            ({"operatingSystem": "Windows"}, "of another operating system"),
            ({"operatingSystem": "RHEL"}, "of another operating system"),
            ({"preInstalledSw": "SQL Web"}, "with software"),
            ({"capacitystatus": "UnusedCapacityReservation"}, "of a capacity reservation"),
            ({"capacitystatus": "AllocatedCapacityReservation"}, "of a capacity reservation"),
            ({"operation": "RunInstances:0002"}, "with a licence"),
            ({"marketoption": "CapacityBlock"}, "not on demand"),
            ({"locationType": "AWS Local Zone"}, "outside of a region"),
            ({"usd": "0.0000000000"}, "priced at 0"),
            ({"unit": "Quantity"}, "counted in another unit"),
            ({"region": ""}, "without a regionCode"),
        ],
    )
    def test_other_prices_of_the_type_are_left_out(self, changes, reason):
        other = {"usd": "0.1060000000"} | changes
        found = priced("aws-prices", {"PriceList": [json.dumps(self.product(**other)), json.dumps(self.product())]})
        assert found.catalog.machine("aws", "m5.large").price.per_hour == 0.096
        assert left_out(found) == {reason: 1}

    def test_two_prices_that_nothing_tells_apart_are_both_left_out(self):
        others = [self.product(usd="0.2"), self.product(), self.product("m5.xlarge", usd="0.192")]
        found = priced("aws-prices", [self.product(), *others])
        assert found.catalog.machine("aws", "m5.large").price == CURRENT.machine("aws", "m5.large").price
        assert left_out(found) == {"of what has two different prices": 3}
        assert found.catalog.machine("aws", "m5.xlarge").price.per_hour == 0.192

    def test_the_forms_of_the_list(self):
        entries = [self.product(), self.product("m5.xlarge", usd="0.192")]
        texts = [json.dumps(entry) for entry in entries]
        whole = priced("aws-prices", {"PriceList": texts})
        assert whole.machines == 2
        for source in (
            {"PriceList": entries},
            texts,
            "\n".join(texts),
            "\n".join(map(json.dumps, texts)),
            json.dumps({"PriceList": texts[:1], "NextToken": "x"}) + json.dumps({"PriceList": texts[1:]}),
        ):
            assert priced("aws-prices", source) == whole

    def test_an_offer_file_of_a_region(self):
        entry = self.product()
        file = {
            "publicationDate": "2026-11-02T00:00:00Z",
            "products": {"SKU": entry["product"], "SKU2": {"productFamily": "Data Transfer", "attributes": {}}},
            "terms": {"OnDemand": {"SKU": entry["terms"]["OnDemand"]}, "Reserved": {}},
        }
        found = priced("aws-prices", file)
        assert (found.catalog.machine("aws", "m5.large").price.date, found.truncated) == ("2026-11-02", False)
        assert left_out(found) == {"neither of a machine nor of a network disk": 1}

    def test_volumes_with_their_steps_in_the_units_of_the_catalog(self):
        found = priced(
            "aws-prices",
            [
                self.volume("Usage.gp3", "0.088", "GB-Mo"),
                self.volume("P-IOPS.gp3", "0.0055", "IOPS-Mo"),
                self.volume("P-Throughput.gp3", "45.056", "GiBps-mo"),
                self.volume("Usage.io2", "0.138", "GB-month"),
                self.volume("P-IOPS.io2", "0.072", "IOPS-Mo"),
                self.volume("P-IOPS.io2.tier2", "0.0504", "IOPS-Mo"),
                self.volume("P-IOPS.io2.tier3", "0.03528", "IOPS-Mo"),
                self.volume("Usage.piops", "0.138", "GB-Mo"),
                self.volume("IOUsage", "0.05", "IOs"),
            ],
        )
        about = {"currency": "USD", "region": "eu-west-1", "date": "2026-11-01", "source": "aws pricing get-products"}
        assert found.catalog.disk_kind("aws", "gp3").price == DiskPrice(
            per_gib_month=0.088,
            per_iops_month=(PriceStep(up_to=None, per_month=0.0055),),
            # 45.056 for 1 GiB/s is 0.044 for 1 MiB/s.
            per_mb_per_second_month=float(0.044 / 1.048576),
            **about,
        )
        assert found.catalog.disk_kind("aws", "io2").price.per_iops_month == (
            PriceStep(up_to=32_000, per_month=0.072),
            PriceStep(up_to=64_000, per_month=0.0504),
            PriceStep(up_to=None, per_month=0.03528),
        )
        assert found.catalog.disk_kind("aws", "io1").price == DiskPrice(per_gib_month=0.138, **about)
        assert found.disk_kinds == ("gp3", "io2", "io1")
        assert left_out(found) == {"neither of a machine nor of a network disk": 1}

    def test_china_has_prices_in_another_currency(self):
        catalog = read_price_list(
            "aws-prices", [self.product(currency="CNY", usd="0.9", region="cn-north-1")], CURRENT, date=DATE
        ).catalog
        assert catalog.machine("aws", "m5.large").price.currency == "CNY"

    def test_a_list_of_several_regions_asks_for_one(self):
        source = [self.product(), self.product(usd="0.1", region="eu-west-3")]
        with pytest.raises(OptionError) as caught:
            priced("aws-prices", source)
        assert str(caught.value) == "region: got none, expected one of the list's regions: eu-west-1, eu-west-3"
        with pytest.raises(OptionError, match=r'^region: got "eu-west-2" \(did you mean "eu-west-[13]"\?\), expected '):
            priced("aws-prices", source, region="eu-west-2")
        found = priced("aws-prices", source, region="eu-west-3")
        assert found.catalog.machine("aws", "m5.large").price.per_hour == 0.1
        assert left_out(found) == {"of another region": 1}

    def test_moto_s_and_our_own_catalog_takes_them(self):
        types = read_listing("aws", (DATA / "aws-describe-instance-types.json").read_text()).catalog
        found = priced("aws-prices", [self.product()], catalog=types)
        assert (found.machines, found.catalog.name) == (1, "aws-imported")


class TestAzure:
    """Windows, Spot, reservations and free tiers have the same size names."""

    VM = sample("azure-retail-prices-vm")["Items"][0]

    def disk(self, meter, price, unit, *, product="Azure Premium SSD v2", least=0):
        return self.VM | {
            "productName": product,
            "meterName": meter,
            "skuName": "Premium LRS",
            "serviceName": "Storage",
            "armSkuName": "",
            "unitOfMeasure": unit,
            "retailPrice": price,
            "tierMinimumUnits": least,
        }

    def test_the_sample_has_one_price_of_linux_on_demand(self):
        found = priced("azure-prices", sample("azure-retail-prices-vm"))
        price = found.catalog.machine("azure", "Standard_D2s_v5").price
        assert (price.per_hour, price.currency, price.region, price.date) == (0.115, "USD", "westeurope", DATE)
        assert left_out(found) == {"not on demand": 2, "with Windows": 1}
        assert not found.truncated

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"meterName": "D2s v5 Low Priority"}, "not on demand"),
            ({"skuName": "D2s v5 Spot"}, "not on demand"),
            ({"type": "DevTestConsumption"}, "not on demand"),
            ({"productName": "Dsv5 Series CloudServices"}, "of another product"),
            ({"productName": "Dsv5 Series Cloud Services"}, "of another product"),
            ({"productName": "Dsv5 Series Dedicated Host"}, "of another product"),
            ({"retailPrice": 0}, "a free tier, or priced at 0"),
            ({"isPrimaryMeterRegion": False}, "a repeat of a price of another region"),
            ({"serviceName": "Storage", "productName": "Files"}, "neither of a machine nor of a premium disk"),
            ({"unitOfMeasure": "1/Month"}, "counted in another unit"),
            ({"armSkuName": ""}, "without an armSkuName"),
            ({"armRegionName": ""}, "without an armRegionName"),
        ],
    )
    def test_other_prices_of_the_size_are_left_out(self, changes, reason):
        found = priced("azure-prices", {"Items": [self.VM | {"retailPrice": 0.5} | changes, self.VM]})
        assert found.catalog.machine("azure", "Standard_D2s_v5").price.per_hour == 0.115
        assert left_out(found) == {reason: 1}

    def test_premium_ssd_v2_by_the_hour_above_its_free_tier(self):
        (free,) = sample("azure-retail-prices-premium-v2")["Items"]
        found = priced(
            "azure-prices",
            [
                free | {"armRegionName": "westeurope", "currencyCode": "USD"},
                self.disk("Premium LRS Provisioned Capacity", 0.000125, "1 GiB/Hour"),
                self.disk("Premium LRS Provisioned IOPS", 0.0000075, "1/Hour", least=3000),
                self.disk("Premium LRS Provisioned Throughput (MBps)", 0.00006, "1/Hour", least=125),
                self.disk("Premium ZRS Provisioned Capacity", 0.0002, "1 GiB/Hour"),
            ],
        )
        price = found.catalog.disk_kind("azure", "premium-ssd-v2").price
        assert price.per_gib_month == pytest.approx(0.000125 * 730, rel=1e-12)
        assert price.per_iops_month == (PriceStep(up_to=None, per_month=0.005475),)
        assert price.per_mb_per_second_month == pytest.approx(0.0438, rel=1e-12)
        assert left_out(found) == {
            "a free tier, or priced at 0": 1,
            "neither of a machine nor of a premium disk": 1,
        }

    def test_premium_ssd_has_a_price_for_each_of_its_sizes(self):
        kind = CURRENT.disk_kind("azure", "premium-ssd")
        assert len(kind.sizes) == 11
        items = [
            self.disk(
                f"{size.name} LRS Disk", round(size.size_gib * 0.2, 2), "1/Month", product="Premium SSD Managed Disks"
            )
            for size in kind.sizes
        ]
        others = [
            self.disk("P1 LRS Disk", 0.6, "1/Month", product="Premium SSD Managed Disks"),
            self.disk("P10 ZRS Disk", 29, "1/Month", product="Premium SSD Managed Disks"),
            self.disk("P10 LRS Disk Mount", 0.9, "1/Month", product="Premium SSD Managed Disks"),
        ]
        found = priced("azure-prices", [*items, *others])
        price = found.catalog.disk_kind("azure", "premium-ssd").price
        assert [(step.up_to, step.per_month) for step in price.per_size_month] == [
            (size.size_gib, pytest.approx(size.size_gib * 0.2, abs=0.01)) for size in kind.sizes
        ]
        assert left_out(found) == {
            "neither of a machine nor of a premium disk": 2,
            "of what is not in the catalog": 1,
        }
        found = priced("azure-prices", items[1:])
        assert found.catalog.disk_kind("azure", "premium-ssd").price == kind.price
        assert found.used == 0

    def test_pages(self):
        pages = [{"Items": [self.VM], "NextPageLink": "more"}, {"Items": [], "NextPageLink": None}]
        for source in ("".join(map(json.dumps, pages)), json.dumps(pages), json.dumps(self.VM)):
            assert not priced("azure-prices", source).truncated
        assert priced("azure-prices", pages[:1]).truncated


class TestGce:
    """No SKU is a machine type: a machine costs its vCPUs and its memory."""

    def sku(self, description, price, unit, *, regions=("europe-west3",), usage="OnDemand", free=False):
        entry = sample("gce-skus-hyperdisk-iops")["skus"][0]
        entry |= {"description": description, "serviceRegions": list(regions)}
        entry["category"]["usageType"] = usage
        expression = entry["pricingInfo"][0]["pricingExpression"]
        expression["usageUnit"] = unit
        nanos = round(price % 1 * 1e9)
        rate = {"startUsageAmount": 0, "unitPrice": {"currencyCode": "USD", "units": str(int(price)), "nanos": nanos}}
        none = {"startUsageAmount": 0, "unitPrice": {"currencyCode": "USD", "units": "0", "nanos": 0}}
        expression["tieredRates"] = [none, rate] if free else [rate]
        return entry

    # Google's own prices of E2 in Frankfurt (cloud.google.com/skus, C921-088E-792A and 7D80-F9E4-6A44).
    E2 = (0.0281037, 0.00376602)

    def e2(self):
        core, ram = self.E2
        return [
            self.sku("E2 Instance Core running in Frankfurt", core, "h"),
            self.sku("E2 Instance Ram running in Frankfurt", ram, "GiBy.h"),
        ]

    def test_a_machine_costs_its_vcpus_and_its_memory(self):
        found = priced("gce-skus", {"skus": self.e2()})
        price = found.catalog.machine("gce", "e2-standard-4").price
        assert price.per_hour == pytest.approx(4 * self.E2[0] + 16 * self.E2[1], rel=1e-12)
        assert (price.region, price.date, found.used) == ("europe-west3", DATE, 2)
        families = {
            machine.family for machine in found.catalog.machines if machine.price and machine.price.date == DATE
        }
        assert families == {"e2"}

    @pytest.mark.parametrize(
        "description",
        [
            "Spot Preemptible E2 Instance Core running in Frankfurt",
            "E2 Custom Instance Core running in Frankfurt",
            "Custom E2 Instance Core running in Frankfurt",
            "E2 Sole Tenancy Instance Core running in Frankfurt",
            "Commitment v1: E2 Cpu in Frankfurt for 1 Year",
            "E2 Instance Core running in Frankfurt: DWS",
            "Hyperdisk Balanced High Availability Capacity in Frankfurt",
            "Hyperdisk Balanced Storage Pools Advanced Capacity in Frankfurt",
            "Hyperdisk Balanced Capacity in Frankfurt in Confidential Mode",
            "Regional Balanced PD Capacity in Frankfurt",
            "Storage PD Snapshot in Frankfurt",
        ],
    )
    def test_other_skus_of_nearly_the_same_name_are_left_out(self, description):
        found = priced("gce-skus", {"skus": [*self.e2(), self.sku(description, 0.5, "h")]})
        assert left_out(found) == {"neither of a predefined machine nor of a network disk": 1}

    def test_a_usage_type_that_is_not_on_demand_is_left_out(self):
        other = self.sku("E2 Instance Core running in Frankfurt", 0.01, "h", usage="Preemptible")
        assert left_out(priced("gce-skus", {"skus": [*self.e2(), other]})) == {"not on demand": 1}

    def test_memory_in_gb_is_7_percent_less_than_in_gib(self):
        """C4D is counted in GB: 31 GiB are 33.3 GB."""
        catalog = read_listing("gcloud", [{"name": "c4d-standard-8", "guestCpus": 8, "memoryMb": 31744}]).catalog
        skus = [
            self.sku("C4D Instance Core running in Frankfurt", 0.0327035, "h"),
            self.sku("C4D Instance Ram running in Frankfurt", 0.003495578, "GBy.h"),
        ]
        found = priced("gce-skus", {"skus": skus}, catalog=catalog)
        expected = 8 * 0.0327035 + 31 * 2**30 / 1e9 * 0.003495578
        assert found.catalog.machines[0].price.per_hour == pytest.approx(expected, rel=1e-9)
        assert found.catalog.machines[0].price.per_hour > 1.02 * (8 * 0.0327035 + 31 * 0.003495578)

    @pytest.mark.parametrize(
        ("name", "description", "family"),
        [
            ("c2-standard-4", "Compute optimized {} running in Frankfurt", "c2"),
            ("n1-standard-4", "N1 Predefined Instance {} running in Frankfurt", "n1"),
            ("n2d-standard-4", "N2D AMD Instance {} running in Frankfurt", "n2d"),
            ("c4a-standard-4", "C4A Arm Instance {} running in Frankfurt", "c4a"),
        ],
    )
    def test_names_of_families_are_not_regular(self, name, description, family):
        catalog = read_listing("gcloud", [{"name": name, "guestCpus": 4, "memoryMb": 16384}]).catalog
        skus = [self.sku(description.format("Core"), 0.03, "h"), self.sku(description.format("Ram"), 0.004, "GiBy.h")]
        found = priced("gce-skus", {"skus": skus}, catalog=catalog)
        assert found.catalog.machines[0].price.per_hour == pytest.approx(0.184)

    @pytest.mark.parametrize(
        "machine",
        [
            {"name": "e2-medium", "guestCpus": 2, "memoryMb": 4096},
            {"name": "e2-custom-4-8192", "guestCpus": 4, "memoryMb": 8192},
            {"name": "e2-standard-4-lssd", "guestCpus": 4, "memoryMb": 8192},
        ],
    )
    def test_a_machine_that_costs_more_or_less_than_its_parts_has_no_price(self, machine):
        catalog = read_listing("gcloud", [machine]).catalog
        found = priced("gce-skus", {"skus": self.e2()}, catalog=catalog)
        assert found.catalog.machines[0].price is None
        assert left_out(found) == {"of what is not in the catalog": 2}

    def test_disks_and_their_free_allowance(self):
        skus = [
            self.sku("Balanced PD Capacity in Frankfurt", 0.12, "GiBy.mo"),
            self.sku("SSD backed PD Capacity", 0.204, "GiBy.mo"),
            self.sku("Storage PD Capacity in Frankfurt", 0.048, "GiBy.mo", free=True),
        ]
        found = priced("gce-skus", {"skus": skus})
        prices = {kind.kind: kind.price for kind in found.catalog.disk_kinds if kind.kind in found.disk_kinds}
        assert {kind: price.per_gib_month for kind, price in prices.items()} == {
            kind: amount
            for kind, amount in (("pd-ssd", 0.204), ("pd-balanced", 0.12), ("pd-standard", 0.048))
            if kind in {one.kind for one in CURRENT.disk_kinds}
        }

    def test_the_sample_is_the_price_of_iops_alone(self):
        found = priced("gce-skus", sample("gce-skus-hyperdisk-iops"))
        assert (found.region, found.used) == ("southamerica-west1", 0)
        assert left_out(found) == {"of what is not in the catalog": 1}

    def test_a_sku_holds_for_each_of_its_regions(self):
        skus = self.e2()
        skus[0]["serviceRegions"] = ["us-central1", "europe-west3"]
        found = priced("gce-skus", {"skus": skus}, region="europe-west3")
        assert (found.found, found.used, left_out(found)) == (3, 2, {"of another region": 1})

    def test_pages(self):
        first, second = (
            {"skus": [sku], "nextPageToken": token} for sku, token in zip(self.e2(), ("x", ""), strict=True)
        )
        for source in (json.dumps(first) + json.dumps(second), json.dumps([first, second])):
            found = priced("gce-skus", source)
            assert (found.used, found.truncated) == (2, False)
        assert priced("gce-skus", first).truncated

    def test_unknown_units_and_steps_are_left_out(self):
        steps = self.sku("E2 Instance Core running in Frankfurt", 0.03, "h")
        rates = steps["pricingInfo"][0]["pricingExpression"]["tieredRates"]
        rates.append({"startUsageAmount": 9, "unitPrice": {"currencyCode": "USD", "units": "0", "nanos": 1}})
        skus = [*self.e2(), steps, self.sku("E2 Instance Ram running in Frankfurt", 0.03, "By.h")]
        assert left_out(priced("gce-skus", {"skus": skus})) == {
            "with a price for each step": 1,
            "counted in another unit": 1,
        }


class TestCyclenerd:
    TEXT = (DATA / "cyclenerd-pricing.yml").read_text()

    def test_the_sample(self):
        found = priced("cyclenerd", self.TEXT, region="europe-west4")
        price = found.catalog.machine("gce", "c4a-standard-2").price
        assert (price.per_hour, price.currency, price.date) == (0.094288, "USD", "2025-03-06")
        assert found.catalog.disk_kind("gce", "pd-balanced").price.per_gib_month == 0.11
        reasons = left_out(found)
        assert reasons["without its local disks"] == 1
        assert reasons["of another region"] == 2
        assert reasons["neither of a machine nor of a network disk"] == 1

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("a: [", "not YAML: "),
            ("a: 1", "not a price list: got an object, expected an object with compute.instance, "),
            ("compute:\n  instance: &a\n    m: *a\n", "not plain YAML: "),
            ("compute:\n  instance: {}\n  instance: {}\n", "not YAML: an object has the field "),
            ("compute:\n  instance:\n    m1:\n      cost:\n        r:\n          hour: 1e5\n",
             'row 1, hour: got "1e5", expected a price of 0 or more'),
            ("---\na\n---\nb\n", "not a price list: got 2 documents"),
            (b"\xff\xfe\x00", "not text: byte "),
        ],
    )  # fmt: skip
    def test_a_damaged_file_gives_one_clear_line(self, source, message):
        with pytest.raises(TableError) as caught:
            priced("cyclenerd", source)
        assert str(caught.value).startswith(message)


class TestErrors:
    def test_two_currencies_are_not_mixed(self):
        one = TestAzure.VM
        with pytest.raises(
            TableError, match=r"^got prices in EUR and USD, expected one currency; ask for a list in one$"
        ):
            priced("azure-prices", [one, one | {"currencyCode": "EUR", "armSkuName": "Standard_D4s_v5"}])

    def test_a_list_without_a_date_needs_one(self):
        with pytest.raises(OptionError, match=r"^date: got none, expected the day on which the list was made$"):
            read_price_list("azure-prices", sample("azure-retail-prices-vm"), CURRENT)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"retailPrice": -1}, "row 1, retailPrice: got -1, expected a price of 0 or more"),
            ({"retailPrice": 10**12}, "row 1, retailPrice: got 1000000000000, expected a price of 0 or more"),
            ({"retailPrice": None}, "row 1, retailPrice: got nothing, expected a price of 0 or more"),
            ({"retailPrice": "1e3"}, 'row 1, retailPrice: got "1e3", expected a price of 0 or more'),
            ({"armSkuName": "a\x1b[31m"}, 'row 1, name: got "a\\x1b[31m", expected printable text'),
            ({"armRegionName": "eu\n"}, 'row 1, region: got "eu\\n", expected printable text'),
            ({"currencyCode": "$"}, 'row 1, currency: got "$", expected three capital letters such as USD'),
            ({"productName": 3}, "row 1, productName: got 3, expected text"),
        ],
    )
    def test_an_impossible_value_is_rejected_with_its_row(self, changes, message):
        with pytest.raises(TableError) as caught:
            priced("azure-prices", [TestAzure.VM | changes])
        assert str(caught.value) == message

    @pytest.mark.parametrize("origin", ["aws-prices", "azure-prices", "gce-skus"])
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("", "no usable price: got 0 entries, expected "),
            ("{}", "not a price list: got an object, expected "),
            ("[" * 100_000, "not JSON: it is nested too deeply"),
            ('{"a": 1, "a": 2}', 'not JSON: an object has the field "a" more than once'),
            ('{"Items": [', "not JSON: "),
        ],
    )
    def test_a_damaged_file_gives_one_clear_line(self, origin, source, message):
        with pytest.raises(TableError) as caught:
            priced(origin, source)
        assert str(caught.value).startswith(message)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([10**400, 1e308, -1, [], {}, [[]], [{}], "2.5", "9" * 400, "x\x1b[31m", "\ud800", "Linux"]),
)


FEW = CURRENT.restrict(machine_types=["m5.large", "Standard_D2s_v5", "e2-standard-4"])


def places(value: object, path: tuple = ()) -> list[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def changed(value, path: tuple, new):
    if not path:
        return new
    if isinstance(value, list):
        return [changed(part, path[1:], new) if index == path[0] else part for index, part in enumerate(value)]
    return value | {path[0]: changed(value[path[0]], path[1:], new)}


@pytest.mark.parametrize("origin", ["aws-prices", "azure-prices", "gce-skus"])
class TestAnything:
    """Every input ends in prices or in one of our errors, on one line."""

    @given(data=st.data())
    def test_a_mutated_sample(self, origin, data):
        document = json.loads((DATA / FILES[origin]).read_text())
        if origin == "aws-prices":
            document["PriceList"] = [json.loads(entry) for entry in document["PriceList"]]
        for _ in range(data.draw(st.integers(1, 3))):
            document = changed(document, data.draw(st.sampled_from(places(document))), data.draw(VALUES))
        found = result(lambda: priced(origin, document, catalog=FEW))
        if isinstance(found, EtcdSizeError):
            assert len(str(found).splitlines()) == 1
        else:
            assert found.used + sum(one.entries for one in found.left_out) == found.found
            assert Priced.model_validate_json(found.model_dump_json()) == found

    @given(text=st.binary(max_size=60) | st.text(max_size=60))
    def test_any_text(self, origin, text):
        with pytest.raises(EtcdSizeError) as caught:
            priced(origin, text)
        assert len(str(caught.value).splitlines()) == 1


@given(st.text(alphabet="a:&*- []{}\n\"'|1", max_size=60))
def test_any_yaml(text):
    with pytest.raises(EtcdSizeError) as caught:
        priced("cyclenerd", text)
    assert len(str(caught.value).splitlines()) == 1
