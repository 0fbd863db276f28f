"""The machines of clouds beside AWS, GCE and Azure: a figure of every family, invariants of every row, and the fit."""

from __future__ import annotations

import itertools
import math

import pytest

from etcdsize import Machine, fit, load_catalog, need_for
from etcdsize.catalog.loading import catalog_for
from etcdsize.catalog.provider_file import read_provider

COUNTS = {
    "alibaba": 150, "digitalocean": 5, "huawei": 54, "ibm": 53, "oci": 10, "otc": 219, "scaleway": 20, "tencent": 155,
}  # fmt: skip
FILES = {name: read_provider(name) for name in COUNTS}
MACHINES = [machine for file in FILES.values() for machine in file.machines]
FAMILIES = {
    key: list(machines)
    for key, machines in itertools.groupby(
        sorted(MACHINES, key=lambda one: (one.provider, one.family, one.vcpus, one.memory_gib)),
        key=lambda one: (one.provider, one.family),
    )
}
# One of the middle of each family: vCPUs, GiB, IOPS and MB/s that it sustains, and what an hour costs.
SAMPLES = [
    ("alibaba", "ecs.g9i.3xlarge", 12, 48, 80000, 625, None),
    ("alibaba", "ecs.g8i.3xlarge", 12, 48, 80000, 625, 3.1395),
    ("alibaba", "ecs.c8i.3xlarge", 12, 24, 80000, 625, 2.446194),
    ("alibaba", "ecs.r8i.3xlarge", 12, 96, 80000, 625, 4.177328),
    ("alibaba", "ecs.g8a.2xlarge", 8, 32, 45000, 312.5, 2.0416),
    ("alibaba", "ecs.g8ae.2xlarge", 8, 32, 60000, 375, 2.3056),
    ("alibaba", "ecs.r8ae.2xlarge", 8, 64, 60000, 375, 3.1005),
    ("alibaba", "ecs.g8y.2xlarge", 8, 32, 50000, 375, 1.6),
    ("alibaba", "ecs.c8y.2xlarge", 8, 16, 50000, 375, 1.067733),
    ("alibaba", "ecs.r8y.2xlarge", 8, 64, 50000, 375, 2.17035),
    ("alibaba", "ecs.g7.3xlarge", 12, 48, 70000, 500, 3.1395),
    ("alibaba", "ecs.c7.3xlarge", 12, 24, 70000, 500, 2.446194),
    ("alibaba", "ecs.r7.3xlarge", 12, 96, 70000, 500, 4.177328),
    ("alibaba", "ecs.g7a.2xlarge", 8, 32, 30000, 250, 1.76),
    ("alibaba", "ecs.c7a.2xlarge", 8, 16, 30000, 250, 1.173),
    ("alibaba", "ecs.g9a.2xlarge", 8, 32, None, 500, None),
    ("alibaba", "ecs.g9ae.2xlarge", 8, 32, None, 500, None),
    ("alibaba", "ecs.g6.3xlarge", 12, 48, 30000, 312.5, 3),
    ("alibaba", "ecs.c6.3xlarge", 12, 24, 30000, 312.5, 2.34),
    ("alibaba", "ecs.r6.3xlarge", 12, 96, 30000, 312.5, 3.98),
    ("alibaba", "ecs.g6e.2xlarge", 8, 32, 50000, 250, 2.2),
    ("alibaba", "ecs.c6e.2xlarge", 8, 16, 50000, 250, 1.642),
    ("alibaba", "ecs.r6e.2xlarge", 8, 64, 50000, 250, 2.917),
    ("alibaba", "ecs.g6a.2xlarge", 8, 32, 30000, 250, 1.76),
    ("alibaba", "ecs.c6a.2xlarge", 8, 16, 30000, 250, 1.173),
    ("alibaba", "ecs.r6a.2xlarge", 8, 64, 30000, 250, 2.385),
    ("tencent", "S6.2XLARGE32", 8, 32, None, None, None),
    ("tencent", "SA3.2XLARGE32", 8, 32, None, None, None),
    ("tencent", "SR1.2XLARGE32", 8, 32, None, None, None),
    ("tencent", "S5.4XLARGE32", 16, 32, None, None, None),
    ("tencent", "SA2.2XLARGE16", 8, 16, None, None, None),
    ("tencent", "S4.4XLARGE32", 16, 32, None, None, None),
    ("tencent", "M6.2XLARGE64", 8, 64, None, None, None),
    ("tencent", "M5.3XLARGE96", 12, 96, None, None, None),
    ("tencent", "MA2.2XLARGE64", 8, 64, None, None, None),
    ("tencent", "M4.3XLARGE144", 12, 144, None, None, None),
    ("tencent", "C6.LARGE8", 4, 8, None, None, None),
    ("tencent", "C5.2XLARGE32", 8, 32, None, None, None),
    ("tencent", "S8.2XLARGE16", 8, 16, None, None, None),
    ("tencent", "S9.2XLARGE16", 8, 16, None, None, None),
    ("tencent", "SA9.2XLARGE16", 8, 16, None, None, None),
    ("tencent", "SA5.2XLARGE32", 8, 32, None, None, None),
    ("tencent", "SA4.2XLARGE32", 8, 32, None, None, None),
    ("tencent", "M8.2XLARGE64", 8, 64, None, None, None),
    ("tencent", "MA5.4XLARGE128", 16, 128, None, None, None),
    ("huawei", "s6.2xlarge.2", 8, 16, None, None, None),
    ("huawei", "s7.2xlarge.2", 8, 16, None, None, None),
    ("huawei", "c6.2xlarge.4", 8, 32, None, None, None),
    ("huawei", "c7.2xlarge.4", 8, 32, None, None, None),
    ("huawei", "m6.2xlarge.8", 8, 64, None, None, None),
    ("huawei", "m7.2xlarge.8", 8, 64, None, None, None),
    ("huawei", "x1.8u.16g", 8, 16, None, None, None),
    ("otc", "x2.2slarge.3", 6, 18, 16000, 100, None),
    ("otc", "s9.2xlarge.2", 8, 16, None, None, None),
    ("otc", "s7n.large.4", 2, 8, None, 50, None),
    ("otc", "s3.large.4", 2, 8, None, None, None),
    ("otc", "s2.large.4", 2, 8, None, None, None),
    ("otc", "x1.2slarge.3", 6, 18, None, None, None),
    ("otc", "x2e.2slarge.3", 6, 18, 22500, 218.75, None),
    ("otc", "c9.large.4", 2, 8, None, None, None),
    ("otc", "c7n.large.4", 2, 8, None, 187.5, None),
    ("otc", "c4.large.4", 2, 8, None, None, None),
    ("otc", "c3.large.4", 2, 8, None, 125, None),
    ("otc", "x1e.2slarge.3", 6, 18, None, None, None),
    ("otc", "x2m.2slarge.8", 6, 48, 22500, 218.75, None),
    ("otc", "x1m.2slarge.8", 6, 48, 20000, 156.25, None),
    ("otc", "m9.2xlarge.8", 8, 64, None, None, None),
    ("otc", "m7n.3xlarge.8", 12, 96, None, 500, None),
    ("otc", "m4.4xlarge.8", 16, 128, None, None, None),
    ("otc", "m3.2xlarge.8", 8, 64, None, 250, None),
    ("oci", "VM.Standard.E4.Flex$_8_64", 8, 64, None, None, 0.196),
    ("digitalocean", "g-16vcpu-64gb", 16, 64, None, None, 0.75),
    ("digitalocean", "s-8vcpu-16gb", 8, 16, None, None, 0.14732),
    ("scaleway", "POP2-8C-32G", 8, 32, None, 1675.04, None),
    ("scaleway", "POP2-HC-8C-16G", 8, 16, None, 1675.04, None),
    ("scaleway", "POP2-HM-8C-64G", 8, 64, None, 1675.04, None),
    ("scaleway", "COPARM1-8C-32G", 8, 32, None, 335.54, None),
    ("ibm", "bx2-8x32", 8, 32, None, 450.875, None),
    ("ibm", "bx2d-8x32", 8, 32, None, 450.875, None),
    ("ibm", "cx2-8x16", 8, 16, None, 450.875, None),
    ("ibm", "cx2d-8x16", 8, 16, None, 450.875, None),
    ("ibm", "mx2-8x64", 8, 64, None, 450.875, None),
    ("ibm", "mx2d-8x64", 8, 64, None, 450.875, None),
    ("ibm", "bx2a-8x32", 8, 32, None, 450.875, None),
    ("ibm", "bx3d-16x80", 16, 80, None, 950.875, None),
    ("ibm", "cx3d-16x40", 16, 40, None, 950.875, None),
    ("ibm", "mx3d-16x160", 16, 160, None, 950.875, None),
]
TIERS = ("small", "medium", "large", "xlarge")


@pytest.mark.parametrize(("provider", "name", "vcpus", "memory", "iops", "bandwidth", "price"), SAMPLES)
def test_a_machine_of_every_family(provider, name, vcpus, memory, iops, bandwidth, price):
    machine = load_catalog("current").machine(provider, name)
    assert (machine.vcpus, machine.memory_gib) == (vcpus, memory)
    assert (machine.concurrent_iops, machine.disk_mb_per_second) == (iops, bandwidth)
    assert (machine.price and machine.price.per_hour) == price


def test_every_family_has_a_sample():
    sampled = {load_catalog("current").machine(provider, name).family for provider, name, *_ in SAMPLES}
    assert sampled == {family for _, family in FAMILIES}
    assert {name: len(file.machines) for name, file in FILES.items()} == COUNTS


class TestInvariants:
    """What holds for every row."""

    def test_sources_architectures_and_names(self):
        for machine in MACHINES:
            assert machine.source
            assert machine.family
            assert machine.arch == ("arm64" if machine.family in ("g8y", "c8y", "r8y", "SR1", "COPARM1") else "x86_64")
            assert (machine.bare_metal, machine.own) == (False, False)

    def test_bursts_are_above_what_is_sustained(self):
        for machine in MACHINES:
            for name in ("concurrent_iops", "disk_mb_per_second"):
                sustained, burst = getattr(machine, name), getattr(machine, f"burst_{name}")
                assert None in (sustained, burst) or burst > sustained

    @pytest.mark.parametrize("family", FAMILIES, ids=str)
    def test_figures_never_decrease_within_a_family(self, family):
        for less, more in itertools.pairwise(FAMILIES[family]):
            if more.memory_gib >= less.memory_gib:
                for name in ("concurrent_iops", "disk_mb_per_second"):
                    if None not in (getattr(less, name), getattr(more, name)):
                        assert getattr(less, name) <= getattr(more, name), (name, less.machine_type, more.machine_type)
                if less.price and more.price:
                    assert less.price.per_hour <= more.price.per_hour

    def test_alibabas_names_say_the_vcpus(self):
        vcpus = {"large": 2, "xlarge": 4} | {f"{n}xlarge": 4 * n for n in (2, 3, 4, 6, 8)}
        for machine in FILES["alibaba"].machines:
            ecs, family, size = machine.machine_type.split(".")
            assert (ecs, family, vcpus[size]) == ("ecs", machine.family, machine.vcpus)

    def test_tencents_names_say_vcpus_and_memory(self):
        for machine in FILES["tencent"].machines:
            family, size = machine.machine_type.split(".")
            name = size.rstrip("0123456789")
            vcpus = {"MEDIUM": 2, "LARGE": 4}.get(name) or 4 * int(name.removesuffix("XLARGE"))
            assert (family, vcpus, int(size.removeprefix(name))) == (machine.family, machine.vcpus, machine.memory_gib)

    def test_huaweis_names_say_vcpus_and_memory(self):
        for machine in (*FILES["huawei"].machines, *FILES["otc"].machines):
            family, size, last = machine.machine_type.split(".")
            assert family == machine.family
            if family == "x1" and machine.provider == "huawei":
                assert (size, last) == (f"{machine.vcpus}u", f"{machine.memory_gib}g")
                continue
            assert machine.memory_gib / machine.vcpus == int(last)
            if "slarge" not in size and machine.family[0] != "x":
                vcpus = {"large": 2, "xlarge": 4}.get(size) or 4 * int(size.removesuffix("xlarge"))
                assert machine.vcpus == vcpus

    def test_shared_cpus_are_marked(self):
        """Huawei's s and Flexus X share their CPU, and Open Telekom Cloud's general-purpose machines burst."""
        shared = {(one.provider, one.family) for one in MACHINES if one.shared_core}
        assert shared == {("huawei", "s6"), ("huawei", "s7"), ("huawei", "x1"), ("digitalocean", "s")}
        bursts = {(one.provider, one.family) for one in MACHINES if one.burstable}
        assert bursts == {("otc", name) for name in ("s2", "s3", "s7n", "s9", "x1", "x2")}

    def test_prices(self):
        found = {(m.provider, m.price.currency, m.price.region, m.price.date) for m in MACHINES if m.price}
        assert found == {
            ("alibaba", "CNY", "cn-hangzhou", "2024-12-30"),
            ("oci", "USD", "eu-amsterdam-1", "2026-11-26"),
            ("digitalocean", "USD", "nyc1", "2026-11-26"),
        }
        assert all("names no currency" in m.price.source for m in FILES["alibaba"].machines if m.price)
        # Every price of Oracle is 0.025 for an OCPU and 0.0015 for a GB.
        for machine in FILES["oci"].machines:
            assert machine.price.per_hour == pytest.approx(machine.vcpus / 2 * 0.025 + machine.memory_gib * 0.0015)

    def test_the_kinds_of_disk_that_a_machine_takes(self):
        for machine in MACHINES:
            kinds = [limit.kind for limit in machine.disk_limits]
            if machine.provider == "tencent":
                assert kinds[:3] == ["premium", "balanced-ssd", "ssd"]
                assert kinds[3:] in ([], ["enhanced-ssd"])
            elif machine.provider != "alibaba":
                assert not kinds
            else:
                older = ["ssd", "ultra-disk"] if "ssd" in kinds else []
                assert kinds == ["essd-pl0", "essd-pl1", "essd-pl2", "essd-pl3", "essd-autopl", *older]

    def test_lifecycle(self):
        current = {key for key, machines in FAMILIES.items() if machines[0].lifecycle == "current"}
        assert {family for provider, family in current if provider == "alibaba"} == {
            *("g9i", "g9a", "g9ae", "g8y", "c8i", "c8y", "r8i", "r8ae", "r8y"),
        }
        assert {family for provider, family in current if provider == "tencent"} == {
            *("S9", "SA9", "SR1", "M8", "MA5", "C6"),
        }
        assert {family for provider, family in current if provider == "huawei"} == {"s7", "c7", "m7", "x1"}
        # A newer one than c7a is sold, but not among our rows.
        assert FAMILIES["alibaba", "c7a"][0].lifecycle is None


def test_share_alike_rows_are_not_shipped():
    """The rows of Hetzner and OVH that we know are CC BY-SA: a user imports them."""
    assert {"hetzner", "ovh"}.isdisjoint(load_catalog("current").providers)


class TestFit:
    """The fit of every provider beside a search over its machines and kinds of disks."""

    @pytest.mark.parametrize("provider", COUNTS)
    @pytest.mark.parametrize("tier", TIERS)
    def test_brute_force(self, provider, tier):
        need = need_for(tier)
        catalog, _ = catalog_for("current", provider)
        found = fit(tier, "current", provider=provider, limit=None)
        size = found.disk.size_gib
        enough = [
            kind.kind
            for kind in catalog.disk_kinds
            if kind.media != "hdd"
            and not isinstance(kind.smallest(size, need.concurrent_iops, need.disk_mb_per_second), str)
        ]
        expected = {}
        for machine in FILES[provider].machines:
            limits = self.best_limits(machine, need, enough)
            fits = machine.vcpus >= need.vcpus and machine.memory_gib >= need.memory_gib and machine.arch == "x86_64"
            if fits and not (machine.shared_core or machine.burstable) and limits is not None:
                expected[machine.machine_type] = limits
        assert {one.machine.machine_type: one.limit_known for one in found.candidates} == expected
        known = [one.limit_known for one in found.candidates]
        assert known == sorted(known, reverse=True)
        assert found.feasible + found.rejected_count == COUNTS[provider]
        for one in found.candidates:
            assert one.concurrent_iops >= need.concurrent_iops
            assert one.disk_mb_per_second >= need.disk_mb_per_second
            assert ("not published" in one.disk_reason) != one.limit_known

    def best_limits(self, machine: Machine, need, enough) -> bool | None:
        """Return whether one of the disks that are enough is so with a known limit, or one at all; None for none."""
        known = []
        for kind in enough:
            named = [limit.kind for limit in machine.disk_limits]
            if named and kind not in named:
                continue
            iops, bandwidth = machine.concurrent_iops, machine.disk_mb_per_second
            if (iops or math.inf) >= need.concurrent_iops and (bandwidth or math.inf) >= need.disk_mb_per_second:
                known.append(None not in (iops, bandwidth))
        return max(known, default=None)
