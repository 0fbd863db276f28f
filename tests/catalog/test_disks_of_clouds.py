"""The disks of the clouds beside AWS, GCE and Azure: each size against the formula that the provider prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import DiskKind, load_catalog

CURRENT = load_catalog("current")
MIB = 1.048576


class Printed(NamedTuple):
    """A rule as its page prints it; `c` is the size."""

    iops: Callable[[int], float]
    mb_per_second: Callable[[int], float]
    sizes: range
    unit: float = 1
    """One unit of throughput. [MB/s]"""


PRINTED = {
    # Alibaba Cloud, block storage performance: min{1800 + 50c, 50000} and so on.
    ("alibaba", "essd-pl0"): Printed(
        lambda c: min(1_800 + 12 * c, 10_000), lambda c: min(100 + 0.25 * c, 180), range(1, 65_537)),
    ("alibaba", "essd-pl1"): Printed(
        lambda c: min(1_800 + 50 * c, 50_000), lambda c: min(120 + 0.5 * c, 350), range(20, 65_537)),
    ("alibaba", "essd-pl2"): Printed(
        lambda c: min(1_800 + 50 * c, 100_000), lambda c: min(120 + 0.5 * c, 750), range(461, 65_537)),
    ("alibaba", "essd-pl3"): Printed(
        lambda c: min(1_800 + 50 * c, 1_000_000), lambda c: min(120 + 0.5 * c, 4_000), range(1_261, 65_537)),
    ("alibaba", "essd-autopl"): Printed(
        lambda c: max(min(1_800 + 50 * c, 50_000), 3_000), lambda c: max(min(120 + 0.5 * c, 350), 125),
        range(1, 65_537)),
    ("alibaba", "essd-entry"): Printed(
        lambda c: min(1_800 + 8 * c, 6_000), lambda c: min(100 + 0.15 * c, 150), range(10, 32_769)),
    ("alibaba", "regional-essd"): Printed(
        lambda c: min(1_800 + 50 * c, 50_000), lambda c: min(120 + 0.5 * c, 350), range(10, 65_537)),
    ("alibaba", "ssd"): Printed(
        lambda c: min(1_800 + 30 * c, 25_000), lambda c: min(120 + 0.5 * c, 300), range(20, 32_769)),
    ("alibaba", "ultra-disk"): Printed(
        lambda c: min(1_800 + 8 * c, 5_000), lambda c: min(100 + 0.15 * c, 140), range(20, 32_769)),
    # Tencent Cloud, types of cloud disks: sizes in steps of 10 GB.
    ("tencent", "premium"): Printed(
        lambda c: min(1_800 + 8 * c, 6_000), lambda c: min(100 + 0.15 * c, 150), range(10, 32_001, 10)),
    ("tencent", "balanced-ssd"): Printed(
        lambda c: min(1_800 + 15 * c, 10_000), lambda c: min(100 + 0.2 * c, 190), range(20, 32_001, 10)),
    ("tencent", "ssd"): Printed(
        lambda c: min(1_800 + 30 * c, 26_000), lambda c: min(120 + 0.2 * c, 260), range(20, 32_001, 10)),
    ("tencent", "enhanced-ssd"): Printed(
        lambda c: min(1_800 + 50 * c, 50_000), lambda c: min(120 + 0.5 * c, 350), range(20, 32_001, 10)),
    ("tencent", "tremendous-ssd"): Printed(
        lambda c: min(4_000 + 100 * c, 50_000), lambda c: min(120 + 0.5 * c, 350), range(20, 32_001, 10)),
    # Huawei Cloud and Open Telekom Cloud, EVS: throughput in MiB/s.
    ("huawei", "extreme-ssd"): Printed(
        lambda c: min(1_800 + 50 * c, 128_000), lambda c: min(120 + 0.5 * c, 1_000), range(10, 32_769), MIB),
    ("huawei", "ultra-high-io"): Printed(
        lambda c: min(1_800 + 50 * c, 50_000), lambda c: min(120 + 0.5 * c, 350), range(10, 32_769), MIB),
    ("huawei", "general-purpose-ssd"): Printed(
        lambda c: min(1_800 + 12 * c, 20_000), lambda c: min(100 + 0.5 * c, 250), range(10, 32_769), MIB),
    ("otc", "extreme-ssd"): Printed(
        lambda c: min(1_800 + 50 * c, 100_000), lambda c: min(120 + 0.5 * c, 1_000), range(1, 32_769), MIB),
    ("otc", "ultra-high-io"): Printed(
        lambda c: min(100 + 50 * c, 20_000), lambda c: min(120 + 0.5 * c, 350), range(1, 32_769), MIB),
    ("otc", "general-purpose-ssd"): Printed(
        lambda c: min(1_800 + 12 * c, 20_000), lambda c: min(100 + 0.5 * c, 250), range(1, 32_769), MIB),
    ("otc", "high-io"): Printed(
        lambda c: min(100 + 2 * c, 3_000), lambda c: min(100 + 0.15 * c, 150), range(1, 32_769), MIB),
    # Oracle Cloud, block volume performance: 60 IOPS and 480 KB/s a GB.
    ("oci", "balanced"): Printed(
        lambda c: min(60 * c, 25_000), lambda c: min(0.48 * c, 480), range(50, 32_769)),
    ("oci", "ultra-high-performance"): Printed(
        lambda c: min(225 * c, 300_000), lambda c: min(1.8 * c, 2_680), range(50, 32_769)),
    # IBM Cloud VPC, profiles: IOPS a GB, at least 3000, and the throughput of each IOPS.
    ("ibm", "general-purpose"): Printed(
        lambda c: min(max(3 * c, 3_000), 48_000), lambda c: min(min(max(3 * c, 3_000), 48_000) * 0.016384, 670),
        range(10, 16_001)),
    ("ibm", "5iops-tier"): Printed(
        lambda c: min(max(5 * c, 3_000), 48_000), lambda c: min(min(max(5 * c, 3_000), 48_000) * 0.016384, 768),
        range(10, 9_601)),
    ("ibm", "10iops-tier"): Printed(
        lambda c: min(max(10 * c, 3_000), 48_000), lambda c: min(min(max(10 * c, 3_000), 48_000) * 0.262144, 1_024),
        range(10, 4_801)),
}  # fmt: skip
# Of these something is unknown, so none is chosen.
UNKNOWN = {
    ("huawei", "general-purpose-ssd-v2"): (None, None),
    ("huawei", "extreme-ssd-v2"): (None, None),
    ("oci", "higher-performance"): (None, None),
    ("digitalocean", "volume"): (None, None),
    ("scaleway", "sbs-5k"): (5_000, None),
    ("scaleway", "sbs-15k"): (15_000, None),
    ("scaleway", "b-ssd"): (5_000, None),
}
BUY_MORE = {("alibaba", "essd-autopl"), ("tencent", "enhanced-ssd"), ("tencent", "tremendous-ssd")}


def kind_of(name: tuple[str, str]) -> DiskKind:
    return CURRENT.disk_kind(*name)


def test_every_kind_is_tested_here():
    others = {(kind.provider, kind.kind) for kind in CURRENT.disk_kinds if kind.provider not in ("aws", "azure", "gce")}
    assert others == {*PRINTED, *UNKNOWN}


@pytest.mark.parametrize("name", PRINTED)
def test_every_size_has_the_printed_figures(name):
    kind, printed = kind_of(name), PRINTED[name]
    sizes = [*printed.sizes[:60], *printed.sizes[60 :: max(1, len(printed.sizes) // 200)], printed.sizes[-1]]
    for size in sizes:
        expected = (printed.iops(size), pytest.approx(printed.mb_per_second(size) * printed.unit, rel=1e-9))
        assert kind.figures(size) == expected, size


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_unknown(name):
    kind = kind_of(name)
    assert kind.figures(100) == UNKNOWN[name]
    assert isinstance(kind.smallest(20, 1_500, 25), str)


@examples(60)
@given(
    st.sampled_from([name for name in PRINTED if name not in BUY_MORE]),
    st.integers(1, 600),
    st.integers(0, 30_000),
    st.integers(0, 400),
)
def test_the_smallest_is_the_first_size_that_is_enough(name, size, iops, mb_per_second):
    kind, printed = kind_of(name), PRINTED[name]
    enough = (
        c
        for c in printed.sizes
        if c >= size and printed.iops(c) >= iops and printed.mb_per_second(c) * printed.unit >= mb_per_second - 1e-9
    )
    expected = next(enough, None)
    found = kind.smallest(size, iops, mb_per_second)
    assert expected == (None if isinstance(found, str) else found.size_gib)


@examples(60)
@given(st.integers(1, 600), st.integers(0, 110_000), st.integers(0, 1_200))
def test_autopl_without_a_price_is_the_smallest_for_which_enough_can_be_bought(size, iops, mb_per_second):
    """From 4 GiB on, [1, min{1000c - baseline, 50000}] more IOPS, each with 16/1024 MB/s."""
    printed = PRINTED["alibaba", "essd-autopl"]

    def bought(c):
        base, throughput = printed.iops(c), printed.mb_per_second(c)
        more = max(iops - base, -(-(mb_per_second - throughput) * 64 // 1), 0)
        return more if more <= (0 if c < 4 else max(0, min(1_000 * c - base, 50_000))) else None

    expected = next((c for c in printed.sizes if c >= size and bought(c) is not None), None)
    found = kind_of(("alibaba", "essd-autopl")).smallest(size, iops, mb_per_second)
    if expected is None:
        assert isinstance(found, str)
        return
    more = bought(expected)
    assert (found.size_gib, found.volume_iops) == (expected, more or None)


@examples(60)
@given(
    st.sampled_from([("enhanced-ssd", 50_000, 650), ("tremendous-ssd", 950_000, 3_650)]),
    st.integers(1, 600),
    st.integers(0, 110_000),
    st.integers(0, 1_100),
)
def test_tencents_bought_throughput_brings_iops(of, size, iops, mb_per_second):
    """Beyond 460 GB more MB/s can be bought; each brings 128 IOPS, up to a limit."""
    name, most_iops, most = of
    printed = PRINTED["tencent", name]

    def bought(c):
        base, throughput = printed.iops(c), printed.mb_per_second(c)
        if iops - base > most_iops:
            return None
        more = max(-(-(iops - base) // 128), -(-(mb_per_second - throughput) // 1), 0)
        return more if more <= (most if c > 460 else 0) else None

    expected = next((c for c in printed.sizes if c >= size and bought(c) is not None), None)
    kind = kind_of(("tencent", name)).model_copy(update={"price": None})
    found = kind.smallest(size, iops, mb_per_second)
    if expected is None:
        assert isinstance(found, str)
        return
    assert (found.size_gib, found.volume_throughput_mb_s) == (expected, bought(expected) or None)


class TestPricesAndLatencies:
    @pytest.mark.parametrize(
        ("name", "per_gib", "currency", "region"),
        [
            (("alibaba", "essd-pl0"), 0.73, "CNY", "cn-hangzhou"),  # 0.001 an hour
            (("alibaba", "essd-pl1"), 1.533, "CNY", "cn-hangzhou"),  # 0.0021
            (("tencent", "premium"), 0.073, "USD", "ap-guangzhou"),  # 0.0001
            (("tencent", "balanced-ssd"), 0.1095, "USD", "ap-guangzhou"),  # 0.00015
            (("tencent", "ssd"), 0.219, "USD", "ap-guangzhou"),  # 0.0003
            (("tencent", "enhanced-ssd"), 0.219, "USD", "ap-guangzhou"),
            (("tencent", "tremendous-ssd"), 0.219, "USD", "ap-guangzhou"),
        ],
    )
    def test_prices_by_the_hour(self, name, per_gib, currency, region):
        price = kind_of(name).price
        assert (price.per_gib_month, price.currency, price.region) == (per_gib, currency, region)
        assert (price.per_iops_month, price.per_mb_per_second_month) == (None, None)
        assert "times 730" in price.source

    def test_the_others_have_none(self):
        priced = {(kind.provider, kind.kind) for kind in CURRENT.disk_kinds if kind.price is not None}
        assert {provider for provider, _ in priced} == {"alibaba", "aws", "azure", "gce", "tencent"}

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            (("alibaba", "essd-pl0"), "0.3 to 0.5 ms"), (("alibaba", "essd-pl1"), "0.2 ms"),
            (("alibaba", "essd-autopl"), "0.2 ms"), (("alibaba", "essd-entry"), "1 to 3 ms"),
            (("alibaba", "ssd"), "0.5 to 2 ms"), (("tencent", "premium"), "0.8 to 5 ms"),
            (("tencent", "ssd"), "0.5 to 3 ms"), (("tencent", "enhanced-ssd"), "0.3 to 1 ms"),
            (("tencent", "tremendous-ssd"), "0.1 to 0.5 ms"), (("huawei", "extreme-ssd"), "1 ms at most"),
            (("huawei", "ultra-high-io"), "1 ms"), (("otc", "ultra-high-io"), "1 to 3 ms"),
            (("otc", "high-io"), "6 to 10 ms"), (("otc", "general-purpose-ssd"), "1 ms"),
        ],
    )  # fmt: skip
    def test_how_long_a_write_takes(self, name, text):
        latency = kind_of(name).write_latency
        assert latency.milliseconds == text
        assert latency.source

    @pytest.mark.parametrize(
        "name", [("huawei", "general-purpose-ssd"), ("alibaba", "regional-essd"), ("oci", "balanced"),
                 ("ibm", "general-purpose"), ("scaleway", "sbs-5k"), ("digitalocean", "volume")]
    )  # fmt: skip
    def test_what_nobody_published_is_unknown(self, name):
        assert kind_of(name).write_latency is None
