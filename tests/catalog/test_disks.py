"""Network disks as rules: figures computed by hand, prices, and the smallest disk against every other one."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st

from etcdsize import (
    DiskChoice,
    DiskKind,
    DiskLimit,
    DiskPrice,
    Machine,
    OptionError,
    PriceStep,
    TableError,
    load_catalog,
)

MIB = 1.048576
CURRENT = load_catalog("current")
KINDS = {kind.kind: kind for kind in CURRENT.disk_kinds}
KINDS["io2 on Nitro"] = KINDS["io2"].on_nitro()
GP3, GP2, IO1 = (KINDS[name] for name in ("gp3", "gp2", "io1"))


class TestFigures:
    """What a disk sustains, computed by hand. MB are 10^6 bytes; AWS and GCE count MiB of 1.048576 MB."""

    @pytest.mark.parametrize(
        ("kind", "asked", "iops", "mb_per_second"),
        [
            ("gp3", (50,), 3_000, 125 * MIB),
            ("gp3", (1,), 3_000, 125 * MIB),
            ("gp3", (100, 4_000), 4_000, 125 * MIB),
            ("gp3", (160, 80_000, 2_000 * MIB), 80_000, 2_000 * MIB),
            ("gp2", (1,), 100, 25 * MIB),
            ("gp2", (33,), 100, 25 * MIB),
            ("gp2", (34,), 102, 25.5 * MIB),
            ("gp2", (50,), 150, 37.5 * MIB),
            ("gp2", (333,), 999, 249.75 * MIB),
            ("gp2", (334,), 1_002, 250 * MIB),
            ("gp2", (1_200,), 3_600, 250 * MIB),
            ("gp2", (16_384,), 16_000, 250 * MIB),
            ("io2", (4,), 100, 25.6 * MIB),
            ("io2", (100, 16_000), 16_000, 4_000 * MIB),
            ("io2 on Nitro", (100, 100_000), 100_000, 4_000 * MIB),
            ("io2 on Nitro", (256, 256_000), 256_000, 4_000 * MIB),
            ("io1", (100, 1_000), 1_000, 250 * MIB),
            ("io1", (100, 5_000), 5_000, 500 * MIB),
            ("pd-ssd", (50,), 7_500, 264 * MIB),
            ("pd-balanced", (100,), 3_600, 168 * MIB),
            ("pd-standard", (500,), None, None),
            ("hyperdisk-balanced", (4,), 3_000, 140 * MIB),
            ("hyperdisk-balanced", (50,), 3_000, 140 * MIB),
            ("hyperdisk-balanced", (320, 160_000), 160_000, 625 * MIB),  # 160000 / 256
            ("hyperdisk-balanced", (320, 160_000, 2_400 * MIB), 160_000, 2_400 * MIB),
            ("hyperdisk-balanced", (72, 35_840), 35_840, 140 * MIB),
            ("hyperdisk-balanced", (72, 35_841), 35_841, 141 * MIB),
            ("hyperdisk-balanced", (100, 4_000, 1_000 * MIB), 4_000, 1_000 * MIB),
            ("premium-ssd", (1,), 120, 25),
            ("premium-ssd", (32,), 120, 25),
            ("premium-ssd", (33,), 240, 50),
            ("premium-ssd", (1_024,), 5_000, 200),
            ("premium-ssd", (32_767,), 20_000, 900),
            ("premium-ssd-v2", (10, 5_000, 1_200), 5_000, 1_200),
        ],
    )
    def test_sustained_figures(self, kind, asked, iops, mb_per_second):
        found = KINDS[kind].figures(*asked)
        assert found[0] == iops
        assert found[1] == (mb_per_second if mb_per_second is None else pytest.approx(mb_per_second, rel=1e-12))

    def test_a_burst_never_counts(self):
        assert GP2.bursts
        assert GP2.figures(50) == (150, 39.3216)

    @pytest.mark.parametrize(
        ("kind", "asked", "message"),
        [
            ("gp3", (0,), "size_gib: got 0, expected whole GiB from 1 to 65536 for gp3"),
            ("gp3", (1.5,), "size_gib: got 1.5, expected whole GiB from 1 to 65536 for gp3"),
            ("gp3", (True,), "size_gib: got True, expected whole GiB from 1 to 65536 for gp3"),
            ("gp3", ("9",), 'size_gib: got "9", expected whole GiB from 1 to 65536 for gp3'),
            ("io2", (3,), "size_gib: got 3, expected whole GiB from 4 to 65536 for io2"),
            ("pd-ssd", (0,), "size_gib: got 0, expected whole GiB from 1 for pd-ssd"),
            ("gp3", (10, 2_999), "provisioned_iops: got 2999, expected from 3000 to 5000 IOPS for this disk of gp3"),
            ("gp3", (10, 5_001), "provisioned_iops: got 5001, expected from 3000 to 5000 IOPS for this disk of gp3"),
            ("gp3", (4, 3_001), "provisioned_iops: got 3001, expected from 3000 to 3000 IOPS for this disk of gp3"),
            ("gp3", (999, 80_001),
             "provisioned_iops: got 80001, expected from 3000 to 80000 IOPS for this disk of gp3"),
            ("gp3", (10, None, 787), "provisioned_mb_per_second: got 787, expected from 131.072 to 786.432 MB/s "
             "for this disk of gp3, in whole MiB/s"),
            ("gp3", (10, math.nan), "provisioned_iops: got nan, expected a finite number of 0 or more"),
            ("gp3", (10, None, -1), "provisioned_mb_per_second: got -1, expected a finite number of 0 or more"),
            ("gp2", (10, 200), "provisioned_iops: got 200, expected none: the IOPS of gp2 come with the disk "
             "and cannot be provisioned"),
            ("gp2", (10, None, 9),
             "provisioned_mb_per_second: got 9, expected none: the MB/s of gp2 come with the disk and cannot be "
             "provisioned"),
            ("io1", (10, 501), "provisioned_iops: got 501, expected from 100 to 500 IOPS for this disk of io1"),
            ("io1", (10, 400.5), "provisioned_iops: got 400.5, expected from 100 to 500 IOPS for this disk of io1, in "
             "whole IOPS"),
            ("gp3", (10, None, 200), "provisioned_mb_per_second: got 200, expected from 131.072 to 786.432 MB/s "
             "for this disk of gp3, in whole MiB/s"),
            ("premium-ssd-v2", (10, 5_000, 1_200.5), "provisioned_mb_per_second: got 1200.5, expected from 125 to 1250 "
             "MB/s for this disk of premium-ssd-v2, in whole MB/s"),
            ("hyperdisk-balanced", (3,), "size_gib: got 3, expected whole GiB from 4 to 65536 for hyperdisk-balanced"),
            ("hyperdisk-balanced", (4, 3_001),
             "provisioned_iops: got 3001, expected from 3000 to 3000 IOPS for this disk of hyperdisk-balanced"),
            ("hyperdisk-balanced", (7, 3_501),
             "provisioned_iops: got 3501, expected from 3000 to 3500 IOPS for this disk of hyperdisk-balanced"),
            ("hyperdisk-balanced", (320, 160_001),
             "provisioned_iops: got 160001, expected from 3000 to 160000 IOPS for this disk of hyperdisk-balanced"),
            ("hyperdisk-balanced", (320, 160_000, 624 * MIB), "provisioned_mb_per_second: got 654.311424, expected "
             "from 655.36 to 2516.5824 MB/s for this disk of hyperdisk-balanced"),
            ("hyperdisk-balanced", (50, None, 751 * MIB), "provisioned_mb_per_second: got 787.480576, expected "
             "from 146.80064 to 786.432 MB/s for this disk of hyperdisk-balanced"),
            ("premium-ssd", (32_768,), "size_gib: got 32768, expected whole GiB from 1 to 32767 for premium-ssd"),
            ("io2", (100, 50_001), "provisioned_iops: got 50001, expected from 100 to 32000 IOPS for this disk of io2"),
        ],
    )  # fmt: skip
    def test_a_disk_that_cannot_be_bought_is_rejected(self, kind, asked, message):
        for work in (KINDS[kind].figures, KINDS[kind].per_month):
            with pytest.raises(OptionError) as caught:
                work(*asked)
            assert str(caught.value) == message


KIND = {"provider": "aws", "kind": "k", "media": "ssd"}
BOUGHT = KIND | {"included_iops": 0, "iops_per_gib": 0, "max_iops": 9, "iops_provisionable": True}
BOUGHT |= {"included_mb_per_second": 2, "mb_per_second_per_gib": 0, "mb_per_second_per_iops": 0, "max_mb_per_second": 9}
PRICE = {"per_gib_month": 1, "currency": "USD", "region": "r", "date": "2026-01-01"}


class TestUnknownFigures:
    """What is unknown is neither 0 nor without a limit, and what depends on it is unknown as well."""

    @pytest.mark.parametrize("unknown", ["included_iops", "max_iops"])
    def test_iops(self, unknown):
        kind = DiskKind(**BOUGHT | {unknown: None, "max_iops_per_gib": 3, "price": PRICE})
        assert kind.figures(5) == (None, 2)
        assert kind.figures(5, 0) == (None, 2)
        assert kind.per_month(5) is None
        assert kind.smallest(5, 1, 1) == "the IOPS of k are unknown"
        assert kind.smallest(5, None, 1).size_gib == 5

    @pytest.mark.parametrize("unknown", ["included_mb_per_second", "max_mb_per_second"])
    def test_throughput(self, unknown):
        kind = DiskKind(
            **BOUGHT | {unknown: None, "mb_per_second_provisionable": True, "max_mb_per_second_per_iops": 1},
            price=PRICE | {"per_iops_month": [{"up_to": None, "per_month": 1}]},
        )
        assert kind.figures(5) == (0, None)
        assert kind.per_month(5) is None
        assert kind.smallest(5, 0, 1) == "the throughput of k is unknown"

    def test_zero_iops_bring_no_throughput(self):
        assert DiskKind(**BOUGHT | {"mb_per_second_per_iops": 1}).figures(5) == (0, 2)
        assert DiskKind(**BOUGHT | {"mb_per_second_per_iops": 1, "max_iops_per_gib": 1}).figures(5, 3) == (3, 5)

    def test_no_size_is_too_small_to_buy_nothing(self):
        """Half an IOPS for each GiB: one GiB has none."""
        kind = DiskKind(**BOUGHT | {"max_iops_per_gib": 0.5})
        assert kind.figures(1) == (0, 2)
        assert kind.figures(2, 1) == (1, 2)
        with pytest.raises(OptionError, match="got 1, expected from 0 to 0 IOPS"):
            kind.figures(1, 1)


class TestWholeUnits:
    """A part of a unit cannot be bought; a float beside a whole number of units is that number."""

    def test_a_float_beside_a_whole_number(self):
        assert GP3.figures(10, 4_000.0000032)[0] == 4_000
        assert GP3.figures(10, 3_999.9999968)[0] == 4_000
        with pytest.raises(OptionError, match="in whole IOPS"):
            GP3.figures(10, 4_000.0000048)

    def test_the_last_that_is_beside_a_whole_number(self):
        """A thousand-millionth of the amount away."""
        more = {"included_iops": 0.5, "max_base_iops": 1, "max_iops": 9e8, "mb_per_second_per_bought_iops": 1e-9}
        kind = DiskKind(**BOUGHT | more)
        assert kind.figures(1, 500_000_000)[0] == 500_000_000.5
        with pytest.raises(OptionError, match="in whole IOPS"):
            kind.figures(1, 499_999_999)

    def test_the_most_is_rounded_down(self):
        kind = DiskKind(
            **BOUGHT
            | {"max_size_gib": 3, "max_iops_per_gib": 1.5, "max_mb_per_second": 6.5}
            | {"mb_per_second_provisionable": True, "max_mb_per_second_per_iops": 4}
        )
        assert kind.smallest(1, 4.5, 1) == "k reaches at most 4 IOPS, 4.5 needed"
        assert kind.smallest(1, 1, 6.5) == "k reaches at most 6 MB/s, 6.5 needed"


class TestPrice:
    """The size, plus what is provisioned above what is included; unknown where a part is."""

    @pytest.mark.parametrize(
        ("kind", "asked", "usd"),
        [
            ("gp3", (50,), 4),  # 50 * 0.08
            ("gp3", (50, 3_600), 7),  # and 600 * 0.005
            ("gp3", (100, 4_000, 250 * MIB), 18),  # 8 + 5 + 125 * 0.04
            ("gp2", (1_200,), 120),
            ("io2", (4,), 7),  # 0.5 + 100 * 0.065: the least there is costs as well
            ("io2 on Nitro", (100, 40_000), 2_460.5),  # 12.5 + 32000 * 0.065 + 8000 * 0.046
            ("io2 on Nitro", (200, 70_000), 3_769),  # 25 + 2080 + 32000 * 0.046 + 6000 * 0.032
            ("io1", (30, 300), 23.25),
            ("pd-ssd", (50,), 8.5),
            ("pd-balanced", (50,), 5),
            ("pd-standard", (50,), None),
            ("hyperdisk-balanced", (50,), 4),
            ("hyperdisk-balanced", (100, 5_000, 200 * MIB), 20.4),  # 8 + 2000 * 0.005 + 60 * 0.04
            ("hyperdisk-balanced", (320, 160_000), 830),  # 25.6 + 157000 * 0.005 + 485 * 0.04
            ("premium-ssd-v2", (50,), 4.015),
            ("premium-ssd-v2", (50, 4_000, 225), 13.14),  # 4.015 + 1000 * 0.00511 + 100 * 0.04015
            ("premium-ssd", (1,), 5.2795),
            ("premium-ssd", (100,), 19.71),  # billed as P10
            ("premium-ssd", (128,), 19.71),
            ("premium-ssd", (129,), 38.012142),
        ],
    )
    def test_prices_computed_by_hand(self, kind, asked, usd):
        assert KINDS[kind].per_month(*asked) == usd

    def test_an_unknown_part_makes_the_price_unknown(self):
        price = DiskPrice(per_gib_month=0.08, currency="USD", region="us-east-1", date="2026-11-25")
        kind = GP3.model_copy(update={"price": price})
        assert kind.per_month(50) == 4
        assert kind.per_month(50, 3_000) == 4
        assert kind.per_month(50, 3_001) is None
        assert kind.per_month(50, None, 126 * MIB) is None


class TestSmallest:
    """The least size, IOPS and MB/s that are enough, or the reason why none are."""

    def test_a_disk_that_delivers_the_iops_of_m4_large(self):
        """The guide's m4.large has 3600 IOPS and 56.25 MB/s; a disk has to deliver them as well."""
        assert GP2.smallest(20, 3_600, 56.25) == DiskChoice(
            kind="gp2",
            size_gib=1_200,
            throughput_unit="MiB/s",
            concurrent_iops=3_600,
            disk_mb_per_second=262.144,
            per_month=120,
            currency="USD",
        )
        assert GP3.smallest(20, 3_600, 56.25) == DiskChoice(
            kind="gp3",
            size_gib=20,
            provisioned_iops=3_600,
            included_iops=3_000,
            included_mb_per_second=131.072,
            throughput_unit="MiB/s",
            concurrent_iops=3_600,
            disk_mb_per_second=131.072,
            per_month=4.6,
            currency="USD",
        )
        assert GP3.smallest(4, 3_600).size_gib == 8  # 500 IOPS a GiB

    @pytest.mark.parametrize(
        ("kind", "need", "expected"),
        [
            ("gp3", (19.5, 3_000, 125), (20, None, None)),
            ("gp3", (20, 3_000, 125 * MIB), (20, None, None)),  # exactly what is included
            ("gp3", (20, 3_001, 125 * MIB), (20, 3_001, None)),
            ("gp3", (1, 3_000, 1), (1, None, None)),  # the ratio holds for what is bought, not for what is included
            ("gp3", (20, 3_000.5, 1), (20, 3_001, None)),  # only whole IOPS can be bought
            ("gp3", (1, 3_000.5, 1), (7, 3_001, None)),
            ("gp3", (20, 3_000, 131.073), (20, None, 126 * MIB)),
            ("gp3", (20, 1, 1_000), (20, 3_816, 954 * MIB)),  # 1000 MB/s are 953.7 MiB/s, at 0.25 an IOPS
            ("gp3", (1, None, 2_000 * MIB), (16, 8_000, 2_000 * MIB)),
            ("gp3", (1, 80_000), (160, 80_000, None)),
            ("gp2", (1, 100.5), (34, None, None)),
            ("gp2", (1, None, 100 * MIB), (134, None, None)),  # 400 IOPS of 256 KiB
            ("gp2", (1, 0, 0), (1, None, None)),
            ("io2", (1, 1, 1), (4, 100, None)),
            ("io2", (1, 2_000, 1), (4, 2_000, None)),
            ("io2", (1, 2_001, 1), (5, 2_001, None)),
            ("io2", (1, None, 4_000 * MIB), (32, 15_625, None)),
            ("io2 on Nitro", (1, None, 4_000 * MIB), (16, 15_625, None)),
            ("io2 on Nitro", (1, 256_000), (256, 256_000, None)),
            ("io1", (1, None, 500 * MIB), (40, 2_000, None)),
            ("pd-ssd", (50, 15_000, 100), (300, None, None)),
            ("pd-ssd", (50, 6_000, 240 * MIB + 50), (100, None, None)),
            ("pd-balanced", (50, 15_000, 100), (2_000, None, None)),
            ("hyperdisk-balanced", (1, 3_000, 140), (4, None, None)),
            ("hyperdisk-balanced", (20, 3_000, 140), (20, None, None)),
            ("hyperdisk-balanced", (1, 3_001, 1), (7, 3_001, None)),  # 500 IOPS a GiB
            ("hyperdisk-balanced", (20, 7_500, 250), (20, 7_500, 239 * MIB)),
            ("hyperdisk-balanced", (20, 1, 1_000), (20, 3_816, 954 * MIB)),  # a quarter MiB/s an IOPS
            ("hyperdisk-balanced", (20, 160_000, 1), (320, 160_000, 625 * MIB)),
            ("premium-ssd", (20, 100, 1), (32, None, None)),
            ("premium-ssd", (20, 121, 1), (64, None, None)),
            ("premium-ssd", (20, 4_500, 75), (1_024, None, None)),
            ("premium-ssd", (20, 1, 800), (32_767, None, None)),
            ("premium-ssd-v2", (20, 3_000, 125.5), (20, None, 126)),
        ],
    )  # fmt: skip
    def test_disks_computed_by_hand(self, kind, need, expected):
        found = KINDS[kind].smallest(*need)
        assert isinstance(found, DiskChoice)
        size, iops, throughput = expected
        assert (found.kind, found.size_gib, found.provisioned_iops) == (KINDS[kind].kind, size, iops)
        assert found.provisioned_mb_per_second == (throughput if throughput is None else pytest.approx(throughput))
        asked = (found.size_gib, found.provisioned_iops, found.provisioned_mb_per_second)
        assert (found.concurrent_iops, found.disk_mb_per_second) == KINDS[kind].figures(*asked)
        assert found.per_month == KINDS[kind].per_month(*asked)

    @pytest.mark.parametrize(
        ("kind", "need", "reason"),
        [
            ("gp2", (20, 20_000, 1), "gp2 reaches at most 16000 IOPS, 20000 needed"),
            ("gp2", (20, 1, 300), "gp2 reaches at most 262.144 MB/s, 300 needed"),
            ("gp2", (16_384.5, 1, 1), "gp2 has at most 16384 GiB, 16385 needed"),
            ("gp3", (20, 80_000.5, 1), "gp3 reaches at most 80000 IOPS, 80000.5 needed"),
            ("gp3", (20, 1, 2_100), "gp3 reaches at most 2097.152 MB/s, 2100 needed"),
            ("io1", (20, 64_001, 1), "io1 reaches at most 64000 IOPS, 64001 needed"),
            ("pd-standard", (20, 1, 1), "the IOPS of pd-standard are unknown"),
            ("pd-standard", (20, None, 1), "the throughput of pd-standard is unknown"),
            ("hyperdisk-balanced", (20, 160_001, 1), "hyperdisk-balanced reaches at most 160000 IOPS, 160001 needed"),
            ("hyperdisk-balanced", (20, 1, 2_600),
             "hyperdisk-balanced reaches at most 2516.5824 MB/s, 2600 needed"),
            ("io2", (20, 32_001, 1), "io2 reaches at most 32000 IOPS, 32001 needed"),
            ("premium-ssd", (20, 20_001, 1), "premium-ssd reaches at most 20000 IOPS, 20001 needed"),
            ("premium-ssd", (32_768, 1, 1), "premium-ssd has at most 32767 GiB, 32768 needed"),
        ],
    )  # fmt: skip
    def test_the_reason_why_no_disk_is_enough(self, kind, need, reason):
        assert KINDS[kind].smallest(*need) == reason

    def test_it_keeps_the_name_in_the_interface_of_the_provider(self):
        """Where that is another one."""
        assert KINDS["premium-ssd-v2"].smallest(20).type_name == KINDS["premium-ssd-v2"].type_name == "PremiumV2_LRS"
        assert GP3.smallest(20).type_name is None

    def test_a_figure_that_is_not_needed_may_be_unknown(self):
        found = KINDS["pd-standard"].smallest(20)
        assert (found.size_gib, found.concurrent_iops, found.disk_mb_per_second, found.per_month) == (20, *[None] * 3)

    @pytest.mark.parametrize(
        ("need", "message"),
        [
            ((0,), "size_gib: got 0, expected a finite number above 0"),
            ((math.inf,), "size_gib: got inf, expected a finite number above 0"),
            ((True,), "size_gib: got True, expected a finite number above 0"),
            ((5, -1), "concurrent_iops: got -1, expected a finite number of 0 or more"),
            ((5, "9"), 'concurrent_iops: got "9", expected a finite number of 0 or more'),
            ((5, 1, math.nan), "mb_per_second: got nan, expected a finite number of 0 or more"),
            ((5, 1, 1e308), "mb_per_second: got 1e+308, expected a finite number of 0 or more, and below 1e300"),
        ],
    )
    def test_an_impossible_need_is_rejected(self, need, message):
        with pytest.raises(OptionError) as caught:
            GP3.smallest(*need)
        assert str(caught.value) == message


AUTOPL = DiskKind(
    provider="aws", kind="autopl", media="ssd", min_size_gib=1, max_size_gib=65_536,
    included_iops=1_800, iops_per_gib=50, min_iops=3_000, max_base_iops=50_000, max_iops=100_000,
    iops_provisionable=True, max_iops_per_gib=1_000, min_bought_size_gib=4,
    included_mb_per_second=120, mb_per_second_per_gib=0.5, mb_per_second_per_iops=0, min_mb_per_second=125,
    max_base_mb_per_second=350, max_mb_per_second=1131.25, mb_per_second_per_bought_iops=0.015625,
)  # fmt: skip
HSSD = DiskKind(
    provider="aws", kind="hssd", media="ssd", min_size_gib=20, max_size_gib=32_000, size_step_gib=10,
    included_iops=1_800, iops_per_gib=50, max_base_iops=50_000, max_iops=100_000,
    included_mb_per_second=120, mb_per_second_per_gib=0.5, mb_per_second_per_iops=0, max_base_mb_per_second=350,
    max_mb_per_second=1_000, mb_per_second_provisionable=True, iops_per_bought_mb_per_second=128,
    min_bought_size_gib=461,
)  # fmt: skip


class TestWithTheSizeAndBought:
    """ESSD AutoPL: IOPS by size, and bought ones that bring 16 KB/s each. Tencent: bought MB/s bring 128 IOPS each.

    The figures with the size are those that the two pages print: Alibaba Cloud, ESSD AutoPL disks (2026-01-08), and
    Tencent Cloud, Enhanced SSD Performance (2023-09-22).
    """

    @pytest.mark.parametrize(
        ("kind", "asked", "iops", "mb_per_second"),
        [
            (AUTOPL, (1,), 3_000, 125),  # max{min{1800 + 50, 50000}, 3000}; max{min{120 + 0.5, 350}, 125}
            (AUTOPL, (9,), 3_000, 125),
            (AUTOPL, (10,), 3_000, 125),
            (AUTOPL, (24,), 3_000, 132),
            (AUTOPL, (25,), 3_050, 132.5),
            (AUTOPL, (460,), 24_800, 350),
            (AUTOPL, (964,), 50_000, 350),
            (AUTOPL, (4, 4_000), 4_000, 125 + 15.625),  # 1000 IOPS are bought
            (AUTOPL, (100, 56_800), 56_800, 170 + 781.25),
            (AUTOPL, (1_000, 100_000), 100_000, 1_131.25),
            (HSSD, (460,), 24_800, 350),
            (HSSD, (960,), 49_800, 350),
            (HSSD, (970,), 50_000, 350),
            (HSSD, (470, None, 450), 25_300 + 12_800, 450),
            (HSSD, (470, None, 1_000), 25_300 + 50_000, 1_000),  # not 650 * 128
            (HSSD, (970, None, 1_000), 100_000, 1_000),
        ],
    )
    def test_sustained_figures(self, kind, asked, iops, mb_per_second):
        assert kind.figures(*asked) == (iops, mb_per_second)

    @pytest.mark.parametrize(
        ("kind", "asked", "expected"),
        [
            (AUTOPL, (3, 3_001), "from 3000 to 3000 IOPS"),
            (AUTOPL, (4, 4_001), "from 3000 to 4000 IOPS"),
            (AUTOPL, (100, 56_801), "from 6800 to 56800 IOPS"),
            (AUTOPL, (100, None, 171), "none: the MB/s of autopl come with the disk"),
            (HSSD, (20, 3_000), "none: the IOPS of hssd come with the disk"),
            (HSSD, (460, None, 351), "from 350 to 350 MB/s"),
            (HSSD, (470, None, 1_001), "from 350 to 1000 MB/s"),
            (HSSD, (470, None, 350.5), "in whole MB/s"),
            (HSSD, (465,), "expected whole GiB from 20 to 32000 in steps of 10 for hssd"),
        ],
    )
    def test_a_disk_that_cannot_be_bought_is_rejected(self, kind, asked, expected):
        with pytest.raises(OptionError) as caught:
            kind.figures(*asked)
        assert expected in str(caught.value)

    @pytest.mark.parametrize(
        ("kind", "need", "expected"),
        [
            (AUTOPL, (9, 3_000, 125), (9, None, None)),
            (AUTOPL, (1, 3_001, 1), (4, 3_001, None)),
            (AUTOPL, (1, 7_500, 125), (8, 7_500, None)),
            (AUTOPL, (20, 1, 200), (20, 7_480, None)),  # 130 come with the size, 70 need 4480 IOPS beyond 3000
            (AUTOPL, (1, 100_000, 1), (1 + 963, 100_000, None)),
            (HSSD, (1, 2_000, 1), (20, None, None)),
            (HSSD, (21, 2_000, 1), (30, None, None)),
            (HSSD, (20, 15_000, 250), (270, None, None)),
            (HSSD, (20, 1, 351), (470, None, 351)),
            (HSSD, (20, 25_301, 1), (470, None, 351)),
            (HSSD, (20, 76_000, 1), (490, None, 739)),  # 26300 with the size; 49700 / 128
        ],
    )
    def test_the_smallest(self, kind, need, expected):
        found = kind.smallest(*need)
        assert (found.size_gib, found.provisioned_iops, found.provisioned_mb_per_second) == expected

    def test_the_interface_asks_for_what_is_bought(self):
        """CreateDisk of Alibaba: ProvisionedIops. CreateDisks of Tencent: ThroughputPerformance."""
        assert AUTOPL.smallest(25, 4_000).volume_iops == 950
        assert AUTOPL.smallest(25, 3_000).volume_iops is None
        assert HSSD.smallest(470, 1, 450).volume_throughput_mb_s == 100
        assert HSSD.smallest(470, 1, 1).volume_throughput_mb_s is None

    @pytest.mark.parametrize(("per_iops", "expected"), [(0.001, (20, 10_000)), (1, (164, None)), (None, (164, None))])
    def test_what_costs_less(self, per_iops, expected):
        """10,000 IOPS come with 164 GiB, or are bought for a smaller disk; an unknown price is never the lower one."""
        steps = None if per_iops is None else [PriceStep(up_to=None, per_month=per_iops)]
        price = DiskPrice(
            per_gib_month=0.1, per_iops_month=steps, **{k: PRICE[k] for k in ("currency", "region", "date")}
        )
        found = AUTOPL.model_copy(update={"price": price}).smallest(20, 10_000)
        assert (found.size_gib, found.provisioned_iops) == expected

    def test_sizes_with_prices_of_their_own(self):
        """A larger size can be cheaper; a size without a price is never the cheapest."""
        sizes = [{"size_gib": n, "concurrent_iops": n, "disk_mb_per_second": 1} for n in (4, 8, 16)]
        steps = [{"up_to": 4, "per_month": 7}, {"up_to": 8, "per_month": 5}]
        price = {k: PRICE[k] for k in ("currency", "region", "date")} | {"per_size_month": steps}
        kind = DiskKind(**KIND, sizes=sizes, price=price)
        assert [kind.per_month(n) for n in (4, 5, 9)] == [7, 5, None]
        assert (kind.smallest(1).size_gib, kind.smallest(1, 9).size_gib) == (8, 16)


def steps(parts: tuple[int, float, float]) -> list[PriceStep]:
    up_to, first, beyond = parts
    return [PriceStep(up_to=up_to, per_month=first), PriceStep(up_to=None, per_month=beyond)]


def price_of(draw) -> DiskPrice | None:
    """A price, of which what is bought beside the size may be unknown."""
    if draw(st.integers(0, 9)) == 0:
        return None
    usd = st.sampled_from([0, 0.005, 0.08, 1])
    return DiskPrice(
        per_gib_month=draw(usd),
        per_iops_month=draw(st.none() | st.tuples(st.integers(1, 9), usd, usd).map(steps)),
        per_mb_per_second_month=draw(st.none() | usd),
        currency="USD",
        region="r",
        date="2026-11-25",
    )


WAYS = ("size", "iops", "bought", "size and bought", "with bought IOPS", "brings IOPS", "none")


@st.composite
def kinds(draw, *, unknown: bool = False, only: tuple[str, ...] = WAYS) -> DiskKind:
    """A small kind of disk, with few sizes and few steps, so that all of its disks can be tried."""
    ratios = st.none() if unknown and draw(st.booleans()) else st.nothing()
    few = st.integers(0, 4)
    included, floor, throughput = draw(few), draw(few), draw(few)
    way = draw(st.sampled_from(only))
    buys_iops = way == "with bought IOPS" or (way != "brings IOPS" and draw(st.booleans()))
    buys_throughput = way in ("bought", "size and bought", "brings IOPS")
    brings = way in ("with bought IOPS", "brings IOPS")
    most_iops = draw(st.integers(max(included, floor, 1), 9))
    most = draw(st.integers(max(throughput, 1), 6))
    base_iops = st.integers(max(included, floor, 1), most_iops)
    base_throughput = st.integers(max(throughput, 1), most)
    if not brings:
        base_iops, base_throughput = st.none() | base_iops, st.none() | base_throughput
    ratio = draw(ratios | st.sampled_from([0.5, 1, 2])) if buys_throughput and way != "brings IOPS" else None
    forced = ratio is not None and throughput > 1 and most >= most_iops / 4
    return DiskKind(
        provider="aws",
        kind="k",
        media="ssd",
        min_size_gib=draw(st.none() | st.integers(1, 3)),
        max_size_gib=draw(st.integers(3, 7)),
        size_step_gib=draw(st.integers(1, 3)),
        min_bought_size_gib=draw(st.none() | st.integers(1, 6)),
        included_iops=included,
        iops_per_gib=draw(st.sampled_from([0, 0.5, 1, 2])),
        min_iops=floor,
        max_base_iops=draw(base_iops),
        max_iops=most_iops,
        iops_provisionable=buys_iops,
        max_iops_per_gib=draw(ratios | st.sampled_from([1, 1.5, 3])) if buys_iops else None,
        included_mb_per_second=throughput,
        mb_per_second_per_gib=draw(st.sampled_from([0.5, 1])) if way in ("size", "size and bought") else 0,
        mb_per_second_per_iops=draw(st.sampled_from([0.25, 1])) if way == "iops" else 0,
        mb_per_second_per_bought_iops=draw(st.sampled_from([0.25, 1])) if way == "with bought IOPS" else 0,
        min_mb_per_second=draw(st.sampled_from([0, 0.5, 1])),
        max_base_mb_per_second=draw(base_throughput),
        max_mb_per_second=most,
        mb_per_second_provisionable=buys_throughput,
        min_mb_per_second_per_iops=draw(st.sampled_from([0, 0.25])) if forced else 0,
        max_mb_per_second_per_iops=ratio,
        iops_per_bought_mb_per_second=draw(st.sampled_from([0.5, 2])) if way == "brings IOPS" else 0,
        throughput_unit="MB/s" if brings else draw(st.sampled_from(["MB/s", "MiB/s"])),
        price=price_of(draw),
    )


def every_disk(kind: DiskKind):
    """Yield every disk of a kind that can be bought, with its figures."""
    unit = 1 if kind.throughput_unit == "MB/s" else MIB
    iops = [None, *(n / 2 for n in range(20))] if kind.iops_provisionable else [None]
    throughputs = [None, *(round(n * unit / 2, 6) for n in range(17))] if kind.mb_per_second_provisionable else [None]
    for size in range(kind.min_size_gib or 1, kind.max_size_gib + 1, kind.size_step_gib):
        for asked in itertools.product([size], iops, throughputs):
            try:
                yield asked, kind.figures(*asked)
            except OptionError:
                continue


def sold(kind: DiskKind, choice: DiskChoice) -> tuple[float, float]:
    """Return the IOPS and the MB/s of the disk that a provider sells if it is asked for a choice.

    An interface asks either for all IOPS and MB/s of a disk, or for those beyond what the size has.
    """
    asked = choice.volume_iops, choice.volume_throughput_mb_s or choice.volume_throughput_mib_s
    unit = Fraction(1) if kind.throughput_unit == "MB/s" else Fraction(str(MIB))
    own = [Fraction(str(figure)) for figure in kind.figures(choice.size_gib)]
    if not kind.asks_for_bought:
        if asked[0] is not None:
            assert asked[0] >= own[0]
            own = [Fraction(str(f)) for f in kind.figures(choice.size_gib, asked[0] if asked[0] > own[0] else None)]
        return float(own[0]), float(own[1] if asked[1] is None else max(own[1], asked[1] * unit))
    bought_iops, bought_mb_per_second = asked[0] or 0, (asked[1] or 0) * unit
    throughput = own[1] + bought_mb_per_second + Fraction(str(kind.mb_per_second_per_bought_iops)) * bought_iops
    more = bought_iops + Fraction(str(kind.iops_per_bought_mb_per_second)) * bought_mb_per_second
    left = kind.max_iops - (kind.max_base_iops or 0)
    return float(own[0] + (min(more, left) if bought_mb_per_second else more)), float(
        min(throughput, Fraction(str(kind.max_mb_per_second)))
    )


class TestAgainstEveryDisk:
    """`smallest` finds a disk wherever one is enough, and no other sufficient disk is cheaper or smaller."""

    @given(kinds(), st.integers(1, 8), st.none() | st.integers(0, 10), st.none() | st.sampled_from([0, 1, 2.5, 4, 6]))
    def test_no_sufficient_disk_is_cheaper(self, kind, size, iops, throughput):
        enough = [
            (asked, kind.per_month(*asked))
            for asked, (has_iops, has_throughput) in every_disk(kind)
            if asked[0] >= size
            and (iops is None or has_iops >= iops)
            and (throughput is None or has_throughput >= throughput)
        ]
        found = kind.smallest(size, iops, throughput)
        if isinstance(found, str):
            assert not enough, found
            return
        assert found.size_gib >= size
        assert iops is None or found.concurrent_iops >= iops
        assert throughput is None or found.disk_mb_per_second >= throughput
        prices = {usd for _, usd in enough}
        assert found.per_month == min(prices - {None}, default=None)
        assert found.size_gib == min(asked[0] for asked, usd in enough if usd == found.per_month)

    @given(
        st.lists(
            st.tuples(st.integers(1, 9), st.integers(1, 9), st.none() | st.integers(0, 9)), min_size=1, max_size=5
        ),
        st.integers(1, 12),
        st.integers(0, 10),
        st.integers(0, 10),
    )
    def test_sizes_with_figures_and_prices_of_their_own(self, rows, size, iops, throughput):
        """The cheapest size that is enough, the smallest of equally cheap ones; one without a price comes last."""
        rows = list(zip(sorted(row[0] for row in rows), sorted(row[1] for row in rows), (row[2] for row in rows)))
        sizes = [
            {"size_gib": 2 * at, "concurrent_iops": row[0], "disk_mb_per_second": row[1]}
            for at, row in enumerate(rows, 1)
        ]
        steps = [{"up_to": 2 * at, "per_month": row[2]} for at, row in enumerate(rows, 1) if row[2] is not None]
        price = PRICE | {"per_gib_month": None, "per_size_month": steps} if len(steps) == len(rows) else None
        kind = DiskKind(**KIND, sizes=sizes, price=price)
        enough = [
            (row[2] if price else 0, 2 * at)
            for at, row in enumerate(rows, 1)
            if 2 * at >= size and row[0] >= iops and row[1] >= throughput
        ]
        found = kind.smallest(size, iops, throughput)
        assert (None if isinstance(found, str) else found.size_gib) == min(enough, default=(0, None))[1]

    @given(kinds(unknown=True))
    def test_whatever_can_be_bought_is_found(self, kind):
        """A size, IOPS and throughput that `figures` allows are enough for what it says they sustain."""
        for (size, *_), (iops, throughput) in every_disk(kind):
            if throughput is not None and iops is not None:
                found = kind.smallest(size, iops, throughput)
                assert isinstance(found, DiskChoice), found

    @given(kinds(only=("with bought IOPS", "brings IOPS")), st.integers(1, 8), st.integers(0, 10), st.integers(0, 6))
    def test_what_the_interface_is_asked_for_gives_the_disk(self, kind, size, iops, throughput):
        found = kind.smallest(size, iops, throughput)
        if isinstance(found, DiskChoice):
            assert sold(kind, found) == (found.concurrent_iops, found.disk_mb_per_second)

    @pytest.mark.parametrize("kind", CURRENT.disk_kinds, ids=lambda kind: kind.kind)
    def test_what_the_interface_of_a_provider_is_asked_for_gives_the_disk(self, kind):
        for size, iops, throughput in itertools.product((1, 25, 465), (0, 3_001, 15_000, 90_000), (0, 126, 700)):
            found = kind.smallest(size, iops, throughput)
            if isinstance(found, DiskChoice):
                assert sold(kind, found) == (found.concurrent_iops, found.disk_mb_per_second)

    def test_an_amount_next_to_whole_units_is_those_units(self):
        assert GP3.figures(160, 80_000, 3 * 50 * MIB) == (80_000, 157.2864)

    @examples(40)
    @given(
        st.sampled_from(CURRENT.disk_kinds),
        st.floats(0.1, 500),
        st.integers(0, 90_000),
        st.floats(0, 2_500),
    )
    def test_the_kinds_of_the_current_catalog(self, kind, size, iops, throughput):
        found = kind.smallest(size, iops, throughput)
        if isinstance(found, str):
            assert "needed" in found or "unknown" in found
            return
        assert found.size_gib >= size
        assert found.concurrent_iops >= iops
        assert found.disk_mb_per_second >= throughput
        if kind.throughput_unit == "MiB/s" and found.provisioned_mb_per_second is not None:
            assert Fraction(str(found.provisioned_mb_per_second)) % Fraction(str(MIB)) == 0
        if found.size_gib > max(math.ceil(size), kind.min_size_gib or 1):
            # No smaller size is as good: none is enough, whatever is bought, or it costs more, as far as is known.
            smaller = kind.model_copy(update={"max_size_gib": found.size_gib - 1})
            if kind.sizes:
                sizes = [one for one in kind.sizes if one.size_gib < found.size_gib]
                smaller = kind.model_copy(update={"sizes": sizes})
            assert not smaller.sizes == kind.sizes != ()
            best = smaller.smallest(size, iops, throughput)
            if isinstance(best, DiskChoice):
                assert found.per_month is not None
                assert best.per_month is None or best.per_month > found.per_month

    @given(st.sampled_from(CURRENT.disk_kinds), st.integers(0, 2_000), st.integers(0, 2_000))
    def test_more_size_never_gives_less(self, kind, one, other):
        assume(one < other)
        least, step = kind.min_size_gib or 1, kind.size_step_gib
        smaller, larger = (kind.figures(least + count * step) for count in (one, other))
        for less, more in zip(smaller, larger, strict=True):
            assert less is None or less <= more


REFUSED = {
    "throughput of every IOPS that can be provisioned too": (
        {"mb_per_second_per_iops": 1, "mb_per_second_provisionable": True},
        "mb_per_second_per_iops: throughput comes with every IOPS, with those bought, or can be provisioned; expected "
        "one of these"),
    "throughput of bought IOPS without any": (
        {"mb_per_second_per_bought_iops": 1},
        "mb_per_second_per_bought_iops: expected iops_provisionable and max_base_iops with it"),
    "IOPS of bought throughput without any": (
        {"iops_per_bought_mb_per_second": 1, "mb_per_second_provisionable": True},
        "iops_per_bought_mb_per_second: expected mb_per_second_provisionable and max_base_mb_per_second with it"),
    "IOPS of bought throughput that can be provisioned too": (
        {"iops_per_bought_mb_per_second": 1, "mb_per_second_provisionable": True, "max_base_mb_per_second": 1,
         "iops_provisionable": True},
        "iops_per_bought_mb_per_second: cannot be used with iops_provisionable"),
    "a least throughput of the IOPS that cannot be bought": (
        {"min_mb_per_second_per_iops": 1},
        "min_mb_per_second_per_iops: expected mb_per_second_provisionable with it"),
    "a least throughput of the IOPS without any that is included": (
        {"min_mb_per_second_per_iops": 1, "mb_per_second_provisionable": True},
        "min_mb_per_second_per_iops: expected included_mb_per_second of 1 MB/s or more with it"),
    "a least throughput of the IOPS beside the most": (
        {"min_mb_per_second_per_iops": 1, "mb_per_second_provisionable": True, "included_mb_per_second": 1,
         "max_mb_per_second_per_iops": 1.5},
        "min_mb_per_second_per_iops: expected half of max_mb_per_second_per_iops or less"),
    "a least throughput of the IOPS above the cap": (
        {"min_mb_per_second_per_iops": 1, "mb_per_second_provisionable": True, "included_mb_per_second": 1,
         "mb_per_second_per_gib": 0, "mb_per_second_per_iops": 0, "max_iops": 9, "max_mb_per_second": 8},
        "min_mb_per_second_per_iops: expected no more for max_iops than max_mb_per_second"),
    "more with the size than the cap": (
        {"max_base_iops": 5, "max_iops": 4}, "max_base_iops: got 5, expected from 0 to max_iops"),
    "less with the size than is included": (
        {"max_base_mb_per_second": 1, "included_mb_per_second": 2},
        "max_base_mb_per_second: got 1, expected from 2 to max_mb_per_second"),
    "no IOPS by size, which differ": (
        {"included_iops": 3, "max_iops": 4},
        "iops_per_gib: missing, although included_iops and max_iops differ; expected the figure, 0 where there is "
        "none"),
    "no throughput by size, which differs": (
        {"included_mb_per_second": 3, "max_mb_per_second": 4, "mb_per_second_per_iops": 0},
        "mb_per_second_per_gib: missing, although included_mb_per_second and max_mb_per_second differ; expected the "
        "figure, 0 where there is none"),
    "sizes that do not rise": (
        {"sizes": [{"size_gib": n, "concurrent_iops": 1, "disk_mb_per_second": 1} for n in (2, 2)]},
        "sizes: expected sizes whose size_gib rises"),
    "sizes whose figures fall": (
        {"sizes": [{"size_gib": n, "concurrent_iops": 5 - n, "disk_mb_per_second": 1} for n in (2, 3)]},
        "sizes: expected sizes whose concurrent_iops does not fall"),
    "sizes beside other figures": (
        {"sizes": [{"size_gib": 2, "concurrent_iops": 1, "disk_mb_per_second": 1}], "included_iops": 3},
        "included_iops: cannot stand beside sizes, which have their own figures"),
    "no largest size": ({"max_size_gib": 0}, "max_size_gib: got 0, expected greater than 0"),
    "no smallest size": ({"min_size_gib": 0}, "min_size_gib: got 0, expected greater than 0"),
    "a smallest size that is not whole": ({"min_size_gib": 1.0}, "min_size_gib: got 1.0, expected a valid integer"),
    "a largest size that is not whole": ({"max_size_gib": "1"}, 'max_size_gib: got "1", expected a valid integer'),
    "sizes": ({"min_size_gib": 4, "max_size_gib": 3}, "max_size_gib: got 3, expected min_size_gib or more"),
    "a floor above the cap": (
        {"min_iops": 4, "max_iops": 3}, "max_iops: got 3, expected min_iops and included_iops or more"),
    "more included than the cap": (
        {"included_mb_per_second": 4, "max_mb_per_second": 3},
        "max_mb_per_second: got 3, expected included_mb_per_second or more"),
    "a zero for unknown": ({"max_iops": 0}, "max_iops: got 0, expected a finite number above 0"),
    "media": ({"media": "tape"}, "media: got \"tape\", expected 'ssd' or 'hdd'"),
    "a price without a date": (
        {"price": {"per_gib_month": 1, "currency": "USD", "region": "r"}},
        "price.date: missing; the field is required"),
    "steps that do not rise": (
        {"price": PRICE | {"per_iops_month": [
            {"up_to": 5, "per_month": 1}, {"up_to": 5, "per_month": 1}, {"up_to": None, "per_month": 1}]}},
        "per_iops_month: expected steps whose up_to rises, and a last step without one"),
    "no step": ({"price": PRICE | {"per_iops_month": []}},
        "per_iops_month: got no step, expected one or more; leave the field out where the price is unknown"),
    "a date of another form": (
        {"price": PRICE | {"date": "25.11.2026"}},
        'price.date: got "25.11.2026", expected a date such as "2026-11-25"'),
    "steps without an end": (
        {"price": PRICE | {"per_iops_month": [{"up_to": 5, "per_month": 1}]}},
        "per_iops_month: expected steps whose up_to rises, and a last step without one"),
    "a step without an end before others": (
        {"price": PRICE | {"per_iops_month": [{"up_to": None, "per_month": 1}] * 2}},
        "per_iops_month: expected steps whose up_to rises, and a last step without one"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_impossible_rule_is_rejected(case):
    fields, message = REFUSED[case]
    with pytest.raises(TableError) as caught:
        DiskKind(**KIND | fields)
    assert str(caught.value) == f"DiskKind: {message}"


class TestConstantDisks:
    """A figure by GiB or by IOPS may be left out where the least and the most of a disk agree: it is 0."""

    @pytest.mark.parametrize("floor", [{"included_iops": 5}, {"included_iops": 0, "min_iops": 5}])
    def test_the_same_whatever_the_size(self, floor):
        kind = DiskKind(**KIND, **floor, max_iops=5, included_mb_per_second=4, max_mb_per_second=4)
        assert (kind.iops_per_gib, kind.mb_per_second_per_gib, kind.mb_per_second_per_iops) == (0, 0, 0)
        assert kind.figures(1) == kind.figures(900) == (5, 4)
        assert kind.smallest(7, 5, 4).size_gib == 7
        assert DiskKind(**kind.model_dump()) == kind

    def test_what_is_unknown_stays_unknown(self):
        assert DiskKind(**KIND, included_iops=5).iops_per_gib is None
        assert DiskKind(**KIND, max_iops=5, max_mb_per_second=5).mb_per_second_per_iops is None


class TestRules:
    """A rule that leaves fields out, and one at the edge of what is possible."""

    def test_what_is_left_out(self):
        kind = DiskKind(**KIND)
        assert (kind.min_iops, kind.throughput_unit, kind.source) == (0, "MB/s", "")
        assert (kind.iops_provisionable, kind.mb_per_second_provisionable) == (False, False)
        assert DiskLimit(kind="k").source == ""
        assert DiskChoice(kind="k", size_gib=1).throughput_unit == "MB/s"

    def test_one_size_only(self):
        assert DiskKind(**KIND | {"min_size_gib": 1, "max_size_gib": 1}).smallest(1).size_gib == 1

    def test_a_cap_below_one(self):
        kind = DiskKind(**KIND | {"max_iops": 0.5, "max_mb_per_second": 0.5})
        assert (kind.max_iops, kind.max_mb_per_second) == (0.5, 0.5)

    @pytest.mark.parametrize("size", [1.0, "1", True, 0])
    def test_a_choice_has_whole_gib(self, size):
        with pytest.raises(TableError, match=r"^DiskChoice: size_gib: "):
            DiskChoice(kind="k", size_gib=size)


FIELDS = {"provider": "gce", "machine_type": "x", "vcpus": 2, "memory_gib": 8}
FIELDS |= {"concurrent_iops": 9, "disk_mb_per_second": 8}


class TestLimitsOfAMachine:
    """Limits by kind of disk replace the general ones; those for other kinds are then unknown."""

    def test_a_general_limit_holds_for_every_kind(self):
        assert Machine(**FIELDS).limits_for("pd-ssd") == (9, 8)

    def test_limits_by_kind(self):
        limits = [DiskLimit(kind="pd-ssd", concurrent_iops=5), DiskLimit(kind="pd-balanced", disk_mb_per_second=4)]
        machine = Machine(**FIELDS, disk_limits=limits)
        assert machine.limits_for("pd-ssd") == (5, None)
        assert machine.limits_for("pd-balanced") == (None, 4)
        assert machine.limits_for("hyperdisk-balanced") == (None, None)

    def test_a_repeated_kind_is_rejected(self):
        with pytest.raises(TableError) as caught:
            Machine(**FIELDS, disk_limits=[DiskLimit(kind="a"), DiskLimit(kind="a")])
        message = 'Machine: disk_limits: got "a" more than once, expected each kind of disk once'
        assert str(caught.value) == message
