"""The machine types that audits and listings know beside those that the catalog `current` offers."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from etcdsize import OptionError, fit, load_catalog
from etcdsize.catalog import known_types as module
from etcdsize.catalog.known_types import known_machine, known_types, type_key
from etcdsize.catalog.loading import catalog_for

FOLDER = Path(module.__file__).parents[1] / "data" / "machines-known"
PROVIDERS = ("aws", "azure", "gce")
CURRENT, _ = catalog_for("current", None)


class TestFigures:
    @pytest.mark.parametrize(
        ("machine_type", "vcpus", "memory_gib", "arch", "iops", "mb_per_second", "lifecycle"),
        [
            ("t3.medium", 2, 4, "x86_64", 2000, 43.375, "previous"),
            ("m5n.large", 2, 8, "x86_64", 3600, 81.25, "previous"),
            ("a1.medium", 1, 2, "arm64", 2500, 37.5, "previous"),
            ("m7i-flex.large", 2, 8, "x86_64", 2500, 39.0625, "previous"),
            ("p5.48xlarge", 192, 2048, "x86_64", 260000, 10000, "current"),
            ("Standard_D2s_v3", 2, 8, "x86_64", 3200, 48, "previous"),
            ("Standard_B2ms", 2, 8, "x86_64", 1920, 22.5, "previous"),
            ("Standard_D4ads_v5", 4, 16, "x86_64", 6400, 144, "previous"),
            ("c2-standard-8", 8, 32, "x86_64", None, None, None),
            ("e2-medium", 2, 4, "x86_64", None, None, "current"),
        ],
    )
    def test_one_of_each_kind(self, machine_type, vcpus, memory_gib, arch, iops, mb_per_second, lifecycle):
        machine = known_machine(machine_type, PROVIDERS)
        assert (machine.machine_type, machine.vcpus, machine.memory_gib, machine.arch, machine.lifecycle) == (
            machine_type,
            vcpus,
            memory_gib,
            arch,
            lifecycle,
        )
        assert (machine.concurrent_iops, machine.disk_mb_per_second) == (iops, mb_per_second)
        assert machine.source.endswith(("2026-10-27", "2026-08-17"))

    @pytest.mark.parametrize(
        ("machine_type", "flags"),
        [
            ("t3.medium", {"burstable": True, "nitro": True, "cpu_baseline_percent": 20}),
            ("t4g.large", {"burstable": True, "nitro": True, "cpu_baseline_percent": None}),
            ("m3.large", {"nitro": False}),
            ("m7i-flex.large", {"flex": True, "nitro": True}),
            ("m5.metal", {"bare_metal": True, "nitro": True}),
            ("g4dn.xlarge", {"gpu": True, "nitro": True}),
            ("Standard_B2ms", {"burstable": True}),
            ("e2-micro", {"shared_core": True, "cpu_baseline_percent": 12.5}),
            ("c3-standard-192-metal", {"bare_metal": True}),
        ],
    )
    def test_flags(self, machine_type, flags):
        machine = known_machine(machine_type, PROVIDERS)
        plain = {
            "burstable": False,
            "flex": False,
            "bare_metal": False,
            "gpu": False,
            "shared_core": False,
            "nitro": None,
            "cpu_baseline_percent": None,
        }
        assert {name: getattr(machine, name) for name in plain} == plain | flags

    def test_what_a_burstable_one_sustains(self):
        sustained = {name: known_machine(name, PROVIDERS).sustained_vcpus for name in ("t3.medium", "t3.2xlarge")}
        assert sustained == {"t3.medium": 0.4, "t3.2xlarge": 3.2}
        assert known_machine("Standard_B2ms", PROVIDERS).sustained_vcpus is None
        assert known_machine("m5n.large", PROVIDERS).sustained_vcpus == 2

    def test_the_price_is_that_of_the_home_region(self):
        price = known_machine("t3.medium", PROVIDERS).price
        assert (price.per_hour, price.region, price.date) == (0.0416, "us-east-1", "2026-07-20")
        assert known_machine("Standard_D2s_v3", PROVIDERS).price.region == "eastus"

    def test_limits_of_gce_come_from_the_table_of_rules(self):
        assert known_machine("n2-highmem-96", PROVIDERS).limits_for("pd-ssd")[0] == 100000
        assert known_machine("e2-micro", PROVIDERS).limits_for("pd-ssd") == (None, None)

    @pytest.mark.parametrize(
        ("machine_type", "kind", "iops", "mib"),
        [
            ("t2a-standard-4", "pd-ssd", 20_000, 240),
            ("c2-standard-16", "pd-balanced", 4_000, 480),
            ("c2d-standard-8", "pd-ssd", 4_080, 245),
            ("z3-highmem-88", "pd-ssd", 100_000, 1_200),
            ("c4d-standard-384", "hyperdisk-balanced", 320_000, 12_500),
            ("c4d-standard-384-metal", "hyperdisk-balanced", 320_000, 10_000),
        ],
    )
    def test_the_lower_of_read_and_write_and_what_names_the_machine_first(self, machine_type, kind, iops, mib):
        limits = known_machine(machine_type, PROVIDERS).limits_for(kind)
        assert limits == (iops, pytest.approx(mib * 1.048576))


class TestNames:
    @pytest.mark.parametrize(
        ("written", "machine_type"),
        [
            ("T3.Medium", "t3.medium"),
            ("standard_d2s_v3", "Standard_D2s_v3"),
            ("STANDARD_B2MS", "Standard_B2ms"),
            ("zones/europe-west4-b/machineTypes/c2-standard-8", "c2-standard-8"),
            (
                "https://www.googleapis.com/compute/v1/projects/p/zones/us-central1-a/machineTypes/c2-standard-8",
                "c2-standard-8",
            ),
            (" t3.medium ", "t3.medium"),
        ],
    )
    def test_as_they_are_written(self, written, machine_type):
        assert known_machine(written, PROVIDERS).machine_type == machine_type

    def test_only_of_the_providers_that_are_asked(self):
        assert known_machine("t3.medium", ["gce", "azure"]) is None
        assert known_machine("t3.mediun", PROVIDERS) is None
        assert known_machine("", PROVIDERS) is None
        assert known_types("alibaba") == ()

    def test_what_the_catalog_offers_comes_from_it(self):
        assert known_machine("M5.Large", PROVIDERS) == CURRENT.machine("aws", "m5.large")


class TestEveryRow:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_each_becomes_a_machine(self, provider):
        names = known_types(provider)
        assert len(set(map(type_key, names))) == len(names)
        for name in names:
            machine = known_machine(name, [provider])
            assert (machine.provider, machine.machine_type) == (provider, name)
            assert machine.arch
            assert machine.family
            burst = machine.burst_concurrent_iops
            assert burst is None or burst > machine.concurrent_iops

    def test_no_type_is_both_offered_and_only_known(self):
        offered = {(one.provider, type_key(one.machine_type)) for one in CURRENT.machines}
        assert not offered & {(provider, type_key(name)) for provider in PROVIDERS for name in known_types(provider)}

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_a_family_has_one_lifecycle(self, provider):
        machines = [one for one in CURRENT.machines if one.provider == provider]
        machines += [known_machine(name, [provider]) for name in known_types(provider)]
        found = {(one.family, one.lifecycle) for one in machines}
        assert len(found) == len({family for family, _ in found})

    def test_all_of_ec2_are_known(self):
        offered = {one.machine_type for one in CURRENT.machines if one.provider == "aws"}
        assert len(offered.union(known_types("aws"))) == 1395

    def test_flags_are_those_that_are_read(self):
        for provider in PROVIDERS:
            with (FOLDER / f"{provider}.csv").open(encoding="utf-8", newline="") as file:
                next(file)
                flags = Counter(flag for row in csv.DictReader(file) for flag in row["flags"].split())
            assert set(flags) <= {"burstable", "flex", "metal", "gpu", "nitro", "xen", "shared"}


class TestWhereTheyAreUsed:
    def test_the_catalog_current_knows_them(self):
        assert CURRENT.machine("aws", "t3.medium").vcpus == 2
        with pytest.raises(OptionError, match="which is not among the aws machines"):
            CURRENT.machine("aws", "t3.mediun")

    def test_another_catalog_has_its_own_machines_alone(self):
        with pytest.raises(OptionError, match="not among the aws machines"):
            load_catalog("guide").machine("aws", "t3.medium")

    def test_fit_does_not_offer_them(self):
        found = fit("small", limit=None)
        names = {one.machine.machine_type for one in found.candidates} | {one.machine_type for one in found.rejected}
        assert not names.intersection(*map(known_types, PROVIDERS))

    def test_a_listing_names_them(self):
        more = CURRENT.with_known_types(["t3.medium", "M5.Large", "nonsense"])
        assert [one.machine_type for one in more.machines[len(CURRENT.machines) :]] == ["t3.medium"]

    def test_nothing_is_read_until_a_type_is_not_in_the_catalog(self):
        code = (
            "import sys; from etcdsize import load_catalog, fit; load_catalog('current').machine('aws', 'm5.large'); "
            "fit('small'); print('etcdsize.catalog.known_types' in sys.modules)"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert found.stdout == "False\n"
