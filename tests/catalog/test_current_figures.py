"""The figures of today's machines and disks that two sources agree on, family by family, as they were read."""

from __future__ import annotations

import pytest

from etcdsize import load_catalog
from etcdsize.catalog.gce_limits import disk_limits

CURRENT = load_catalog("current")
MIB = 1.048576

# GCE, Hyperdisk Balanced, by vCPUs: IOPS and MiB/s. The page of Hyperdisk Balanced as quoted on 2026-07-28, which
# agrees with the report of 2026-06-08 on its highly available kind; C4: hyperdisk-perf-limits as quoted in 2026.
HYPERDISK = {
    "c4d": {2: (22_500, 400), 4: (50_000, 400), 8: (50_000, 800), 16: (75_000, 1_200), 32: (75_000, 1_600),
            48: (75_000, 1_600), 64: (160_000, 2_400), 96: (160_000, 3_125), 192: (240_000, 6_250),
            384: (320_000, 12_500)},
    "c4": {192: (320_000, 10_000), 288: (320_000, 12_500)},
}  # fmt: skip

# Azure, Premium SSD v2, by vCPUs: IOPS and MB/s. The page of each series in MicrosoftDocs/azure-compute-docs.
PREMIUM_V2 = {
    "Dasv6": {
        2: (4_000, 90), 4: (7_600, 180), 8: (15_200, 360), 16: (30_400, 720), 32: (57_600, 1_440),
        48: (86_400, 2_160), 64: (115_200, 2_880),
    },
    "Dasv7": {
        2: (4_400, 136), 4: (8_800, 273), 8: (17_600, 547), 16: (35_200, 1_095), 32: (70_400, 2_191),
        48: (105_600, 3_291), 64: (140_800, 4_382),
    },
    "Dpsv6": {
        2: (4_163, 124), 4: (8_333, 248), 8: (16_666, 496), 16: (33_331, 992), 32: (66_662, 1_984),
        48: (99_994, 2_976), 64: (133_325, 3_969),
    },
    "Dsv6": {
        2: (4_167, 124), 4: (8_333, 248), 8: (16_667, 496), 16: (33_333, 992), 32: (66_667, 1_984),
        48: (100_000, 2_976), 64: (133_333, 3_969),
    },
    "Dsv7": {
        2: (5_000, 135), 4: (10_000, 270), 8: (20_000, 540), 16: (40_000, 1_080), 32: (80_000, 2_160),
        48: (120_000, 3_285), 64: (160_000, 4_320),
    },
    "Easv6": {
        2: (4_000, 90), 4: (7_600, 180), 8: (15_200, 360), 16: (30_400, 720), 20: (38_000, 900), 32: (57_600, 1_440),
        48: (86_400, 2_160), 64: (115_200, 2_880),
    },
    "Esv6": {
        2: (4_167, 124), 4: (8_333, 248), 8: (16_667, 496), 16: (33_333, 992), 20: (41_667, 1_240),
        32: (66_667, 1_984), 48: (100_000, 2_976), 64: (133_333, 3_969),
    },
}  # fmt: skip

# Azure, Premium SSD: where the page of the series and the list of sizes agree.
PREMIUM = {
    "Dasv6": {
        2: (4_000, 90), 4: (7_600, 180), 8: (15_200, 360), 16: (30_400, 720), 32: (57_600, 1_440),
        48: (86_400, 2_160), 64: (115_200, 2_880),
    },
    "Dasv7": {
        2: (4_000, 118), 4: (8_000, 234), 8: (16_000, 468), 16: (32_000, 936), 32: (64_000, 1_872),
        48: (96_000, 2_808), 64: (128_000, 3_744),
    },
    "Dpsv6": {
        2: (3_750, 106), 4: (6_400, 212), 8: (12_800, 424), 16: (25_600, 848), 32: (51_200, 1_696),
        48: (76_800, 2_544), 64: (102_400, 3_392),
    },
    "Dsv5": {2: (3_750, 85), 4: (6_400, 145), 8: (12_800, 290), 16: (25_600, 600), 32: (51_200, 865)},
    "Dsv6": {
        2: (3_750, 106), 4: (6_400, 212), 8: (12_800, 424), 16: (25_600, 848), 32: (51_200, 1_696),
        48: (76_800, 2_544), 64: (102_400, 3_392),
    },
    "Easv6": {
        4: (7_600, 180), 8: (15_200, 360), 16: (30_400, 720), 20: (38_000, 900), 32: (57_600, 1_440),
        48: (86_400, 2_160), 64: (115_200, 2_880),
    },
    "Esv6": {
        2: (3_750, 106), 4: (6_400, 212), 8: (12_800, 424), 16: (25_600, 848), 20: (32_000, 1_060),
        32: (51_200, 1_696), 48: (76_800, 2_544), 64: (102_400, 3_392),
    },
}  # fmt: skip

# AWS, which DescribeInstanceTypes (moto 5.2.5) and flexera agree on: IOPS and MB/s sustained, and local NVMe in GB.
NEW_ON_AWS = {
    "medium": (2_500, 47.5, 59), "large": (3_600, 95, 118), "xlarge": (6_000, 187.5, 237),
    "2xlarge": (12_000, 375, 474), "4xlarge": (24_000, 750, 950), "8xlarge": (48_000, 1_500, 1_900),
}  # fmt: skip
PRICES = {
    ("aws", "c9gd.large"): 0.1068, ("aws", "m9gd.large"): 0.1257, ("aws", "m9gd.8xlarge"): 2.0112,
    ("azure", "Standard_D2as_v5"): 0.086, ("azure", "Standard_D2as_v7"): 0.0908, ("azure", "Standard_E2s_v6"): 0.132,
    ("azure", "Standard_D64s_v7"): 4.234, ("azure", "Standard_E64s_v6"): 4.234,
    ("gce", "n4-standard-2"): 0.0907, ("gce", "n4-highmem-8"): 0.47608, ("gce", "n4a-standard-4"): 0.154,
    ("gce", "n4d-highcpu-16"): 0.57168, ("gce", "c4-standard-8"): 0.39534, ("gce", "c4a-highmem-4"): 0.23576,
    ("gce", "c4d-standard-8"): 0.377981788, ("gce", "e2-highmem-4"): 0.18079932, ("gce", "t2d-standard-48"): 2.027808,
}  # fmt: skip


class TestMachines:
    @pytest.mark.parametrize(
        ("family", "vcpus"), [(family, vcpus) for family in HYPERDISK for vcpus in HYPERDISK[family]]
    )
    def test_what_gce_lets_through_to_hyperdisk_balanced(self, family, vcpus):
        """The sizes that are offered, and all that an import or an audit knows."""
        iops, mib = HYPERDISK[family][vcpus]
        (limit,) = disk_limits(family, f"{family}-standard-{vcpus}", vcpus, shared_core=False)
        assert (limit.kind, limit.concurrent_iops) == ("hyperdisk-balanced", iops)
        assert limit.disk_mb_per_second == pytest.approx(mib * MIB)
        offered = [m for m in CURRENT.machines if (m.provider, m.family, m.vcpus) == ("gce", family, vcpus)]
        assert bool(offered) == (vcpus <= 64)
        assert all(machine.disk_limits == (limit,) for machine in offered)

    @pytest.mark.parametrize("family", ["n4", "n4a", "n4d", "c4", "c4a"])
    def test_what_google_has_not_published_is_unknown(self, family):
        machines = [m for m in CURRENT.machines if (m.provider, m.family) == ("gce", family)]
        assert {m.limits_for("hyperdisk-balanced") for m in machines} == {(None, None)}

    @pytest.mark.parametrize(
        ("table", "kind", "family"),
        [
            *((PREMIUM_V2, "premium-ssd-v2", family) for family in PREMIUM_V2),
            *((PREMIUM, "premium-ssd", family) for family in PREMIUM),
        ],
    )
    def test_what_azure_lets_through_to_premium_disks(self, table, kind, family):
        found = {m.vcpus: m.limits_for(kind) for m in CURRENT.machines if (m.provider, m.family) == ("azure", family)}
        assert {vcpus: found[vcpus] for vcpus in table[family]} == table[family]

    @pytest.mark.parametrize("family", ["c9gd", "m9gd", "r9gd"])
    def test_the_newest_with_local_disks(self, family):
        found = {m.machine_type.partition(".")[2]: m for m in CURRENT.machines if m.family == family}
        assert {
            size: (m.concurrent_iops, m.disk_mb_per_second, m.local_nvme_gb) for size, m in found.items()
        } == NEW_ON_AWS
        assert all(m.arch == "arm64" and m.lifecycle == "current" for m in found.values())
        per_vcpu = {"c": 2, "m": 4, "r": 8}[family[0]]
        assert all(m.memory_gib == m.vcpus * per_vcpu for m in found.values())

    @pytest.mark.parametrize(("provider", "machine_type"), PRICES)
    def test_prices(self, provider, machine_type):
        assert CURRENT.machine(provider, machine_type).price.per_hour == PRICES[provider, machine_type]

    def test_nitro(self):
        """Xen carries the m4, c4, r4 and i3."""
        xen = {machine.family for machine in CURRENT.machines if machine.nitro is False}
        assert xen == {"m4", "c4", "r4", "i3"}
        assert all((machine.nitro is None) == (machine.provider != "aws") for machine in CURRENT.machines)


PREMIUM_TIERS = (
    ("P4", 32, 120, 25, 5.2795), ("P6", 64, 240, 50, 10.207), ("P10", 128, 500, 100, 19.71),
    ("P15", 256, 1_100, 125, 38.012142), ("P20", 512, 2_300, 150, 73.22), ("P30", 1_024, 5_000, 200, 135.17),
    ("P40", 2_048, 7_500, 250, 259.0457), ("P50", 4_096, 7_500, 250, 495.5657), ("P60", 8_192, 16_000, 500, 946.08),
    ("P70", 16_384, 18_000, 750, 1_802.06), ("P80", 32_767, 20_000, 900, 3_604.11),
)  # fmt: skip


class TestDisks:
    def test_premium_ssd(self):
        kind = CURRENT.disk_kind("azure", "premium-ssd")
        assert [size.name for size in kind.sizes] == [name for name, *_ in PREMIUM_TIERS]
        for _, size, *figures, price in PREMIUM_TIERS:
            assert [*kind.figures(size), kind.per_month(size)] == [*figures, price]

    @pytest.mark.parametrize(
        ("provider", "kind", "per_gib", "per_iops", "per_unit"),
        [
            ("azure", "premium-ssd-v2", 0.0803, 0.00511, 0.04015),
            ("gce", "hyperdisk-balanced", 0.08, 0.005, 0.04),
            ("aws", "gp3", 0.08, 0.005, 0.04),
        ],
    )
    def test_prices_of_what_is_provisioned(self, provider, kind, per_gib, per_iops, per_unit):
        price = CURRENT.disk_kind(provider, kind).price
        unit = 1 if provider == "azure" else MIB
        assert (price.per_gib_month, price.per_iops_month[0].per_month) == (per_gib, per_iops)
        assert price.per_mb_per_second_month * unit == pytest.approx(per_unit)

    def test_io2_by_tiers(self):
        steps = CURRENT.disk_kind("aws", "io2").price.per_iops_month
        assert [(step.up_to, step.per_month) for step in steps] == [(32_000, 0.065), (64_000, 0.046), (None, 0.032)]
