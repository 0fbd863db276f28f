"""The fit: it misses no cheaper machine, offers none that is too small, and accounts for every machine."""

from __future__ import annotations

import math
import pickle

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from today import cost_per_month

from etcdsize import (
    Catalog,
    DiskChoice,
    DiskKind,
    DiskLimit,
    DiskPrice,
    Fit,
    Machine,
    Need,
    OptionError,
    Price,
    Profile,
    Sizing,
    TableError,
    TierTable,
    fit,
    load_catalog,
    load_tiers,
    need_for,
    size,
    size_fleet,
)
from etcdsize.catalog.loading import catalog_for
from etcdsize.catalog.machines import Disk
from etcdsize.fitting.disks import Shortfall
from etcdsize.fitting.fit import best_per_tier
from etcdsize.fitting.load_need import disk_need_for, tier_disk
from etcdsize.fitting.matches import best_machine, with_disk
from etcdsize.fitting.model import disk_of
from etcdsize.fitting.rejections import total_shortfall

CURRENT, _ = catalog_for("current", None)
# The disks of the tiers, which the model computes.
SIZES = {tier: tier_disk(tier, load_tiers("guide")).size_gib for tier in ("small", "medium", "large", "xlarge")}
TIERS = ("small", "medium", "large", "xlarge")


FIGURES = {
    "small": (2, 7.5, 1500, 25, 100e6),
    "medium": (4, 15, 4500, 75, 500e6),
    "large": (8, 30, 7500, 125, 1e9),
    "xlarge": (16, 60, 15000, 250, 8 * 2**30),
}


class TestNeed:
    """A need is the least that the guide calls enough: its GCE row, which exceeds its AWS row in no figure."""

    @pytest.mark.parametrize("tier", TIERS)
    def test_is_the_gce_row(self, tier):
        need = need_for(tier)
        found = (need.vcpus, need.memory_gib, need.concurrent_iops, need.disk_mb_per_second, need.data_bytes)
        assert found == FIGURES[tier]

    @pytest.mark.parametrize("tier", TIERS)
    def test_never_exceeds_the_aws_row(self, tier):
        need, aws = need_for(tier), load_catalog("guide").machine_for("aws", tier)
        for name in ("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second"):
            assert getattr(need, name) <= getattr(aws, name)

    def test_names_its_source(self):
        for tier in TIERS:
            assert need_for(tier).source == load_catalog("guide").machine_for("gce", tier).source

    def test_an_unknown_tier_is_rejected(self):
        with pytest.raises(OptionError) as caught:
            need_for("smal")
        assert str(caught.value) == (
            'tier: got "smal", expected one that the table "guide" has: small, medium, large, xlarge; did you mean '
            '"small"?'
        )
        assert (caught.value.option, caught.value.value) == ("tier", "smal")


def price(usd, region="r1", date="2026-01-02"):
    return None if usd is None else Price(per_hour=usd, currency="USD", region=region, date=date)


def machine(name, vcpus, memory, iops, bandwidth, usd=1.0, **more):
    return Machine(
        provider=more.pop("provider", "aws"),
        machine_type=name,
        family=more.pop("family", "f"),
        vcpus=vcpus,
        memory_gib=memory,
        concurrent_iops=iops,
        disk_mb_per_second=bandwidth,
        arch=more.pop("arch", "x86_64"),
        price=price(usd, more.pop("region", "r1")),
        **more,
    )


def plain_disk(kind="ssd", usd=0.1, region="r1", **more):
    figures = {"included_iops": 0, "iops_per_gib": 30, "max_iops": 30_000, "included_mb_per_second": 0,
               "mb_per_second_per_gib": 1, "mb_per_second_per_iops": 0, "max_mb_per_second": 500, "media": "ssd",
               "max_size_gib": 1000}  # fmt: skip
    cost = None if usd is None else DiskPrice(per_gib_month=usd, currency="USD", region=region, date="2026-01-01")
    return DiskKind(provider=more.pop("provider", "aws"), kind=kind, price=cost, **{**figures, **more})


def catalog(*machines, disks=None):
    return Catalog(name="mine", machines=machines, disk_kinds=[plain_disk()] if disks is None else disks)


ENOUGH = machine("enough", 4, 16, 5000, 100)


class TestRejected:
    """Every machine that is not a candidate has a reason, with how much of each figure is missing."""

    def reason(self, one, what="medium", disks=None, **options):
        found = fit(what, catalog(one, disks=disks), **options)
        assert found.candidates == ()
        assert found.feasible == 0
        (rejected,) = found.rejected
        assert (rejected.provider, rejected.machine_type) == (one.provider, one.machine_type)
        return rejected.code, rejected.reason

    @pytest.mark.parametrize(
        ("one", "code", "reason"),
        [
            (machine("m", 2, 16, 5000, 100), "too-little", "2 vCPUs (2 of 4)"),
            (machine("m", 4, 8, 5000, 100), "too-little", "7 GiB of memory (8 of 15)"),
            (machine("m", 4, 16, 3600, 56.25), "too-little",
             "900 concurrent IOPS (3600 of 4500), 18.75 MB/s of disk (56.25 of 75)"),
            (machine("m", 4, 16, 3600, 100, burst_concurrent_iops=18750), "burst-only",
             "900 concurrent IOPS (3600 of 4500, more only in a burst)"),
            (machine("m", 2, 16, 3600, 100, burst_concurrent_iops=18750), "too-little",
             "2 vCPUs (2 of 4), 900 concurrent IOPS (3600 of 4500, more only in a burst)"),
            (machine("m", 4, 16, 3600, 50, burst_concurrent_iops=18750), "too-little",
             "900 concurrent IOPS (3600 of 4500, more only in a burst), 25 MB/s of disk (50 of 75)"),
            (machine("m", 4, 16, None, 60), "too-little", "15 MB/s of disk (60 of 75)"),
            (machine("m", 4, 16, 5000, 100, shared_core=True), "shared-core", "shares its cores with other machines"),
            (machine("m", 4, 16, 5000, 100, burstable=True), "burstable", "has its full CPU only in bursts"),
            (machine("m", 4, 16, 5000, 100, bare_metal=True), "bare-metal", "is a whole server"),
            (machine("m", 4, 16, 5000, 100, arch="arm64"), "architecture", "is arm64, requested: x86_64"),
            (machine("m", 4, 16, 5000, 100, arch=None), "architecture",
             "is of an unknown architecture, requested: x86_64"),
        ],
    )  # fmt: skip
    def test_reasons(self, one, code, reason):
        assert self.reason(one) == (code, reason)

    def test_how_much_is_missing(self):
        (rejected,) = fit("medium", catalog(machine("m", 4, 8, 3600, 56.25))).rejected
        assert rejected.missing == {"memory_gib": 7, "concurrent_iops": 900, "disk_mb_per_second": 18.75}

    def test_a_burst_that_is_just_enough(self):
        one = machine("m", 4, 16, 3600, 100, burst_concurrent_iops=4500)
        assert self.reason(one) == ("burst-only", "900 concurrent IOPS (3600 of 4500, more only in a burst)")
        code, _ = self.reason(machine("m", 4, 16, 3600, 100, burst_concurrent_iops=4499))
        assert code == "too-little"

    def test_the_kind_of_disk_with_which_the_least_is_missing(self):
        """Then the one with which the fewest figures are unknown."""
        disks = [plain_disk("a"), plain_disk("b"), plain_disk("c")]

        def limited(*limits):
            kinds = [DiskLimit(kind=k, concurrent_iops=i, disk_mb_per_second=b) for k, (i, b) in zip("abc", limits)]
            return machine("m", 4, 16, None, None, disk_limits=kinds)

        nearest = limited((100, 100), (4000, 100), (200, 100))
        assert self.reason(nearest, disks=disks) == ("too-little", "500 concurrent IOPS (4000 of 4500)")
        known = limited((None, 74), (100, 100), (None, 70))
        assert self.reason(known, disks=disks) == ("too-little", "4400 concurrent IOPS (100 of 4500)")
        unknown = limited((None, 74), (100, None), (None, 70))
        assert self.reason(unknown, disks=disks) == ("too-little", "1 MB/s of disk (74 of 75)")

    def test_a_machine_takes_the_kinds_for_which_it_has_limits(self):
        limited = machine("m", 4, 16, None, None, disk_limits=[DiskLimit(kind="a"), DiskLimit(kind="b")])
        disks = [plain_disk("c"), plain_disk("a", max_iops=3000)]
        assert self.reason(limited, disks=disks) == (
            "no-disk", "is known to take a and b only; a reaches at most 3000 IOPS, 4500 needed"
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("disks", "code", "reason"),
        [
            ([], "local-disk-only", "the catalog has no network disk of aws; it has local NVMe"),
            ([plain_disk(max_iops=3000)], "no-disk", "ssd reaches at most 3000 IOPS, 4500 needed"),
        ],
    )
    def test_only_a_local_disk(self, disks, code, reason):
        """Where the provider has no network disk at all; a machine that lacks a published limit has one."""
        assert self.reason(machine("m", 4, 16, None, None, local_nvme_gb=75), disks=disks) == (code, reason)

    def test_too_little_and_no_disk_either(self):
        disks = [plain_disk("a", max_iops=3000), plain_disk("b", media="hdd")]
        assert self.reason(machine("m", 2, 16, 5000, 100), disks=disks) == (
            "too-little",
            "2 vCPUs (2 of 4); a reaches at most 3000 IOPS, 4500 needed; b is a spinning disk; etcd needs the latency "
            "of an SSD",
        )
        assert self.reason(ENOUGH, disks=disks) == (
            "no-disk",
            "a reaches at most 3000 IOPS, 4500 needed; b is a spinning disk; etcd needs the latency of an SSD",
        )

    def test_a_spinning_disk_does_not_hide_the_next_kind(self):
        assert (
            fit("medium", catalog(ENOUGH, disks=[plain_disk("a", media="hdd"), plain_disk("b")])).best.disk.kind == "b"
        )

    def test_a_kind_of_disk_that_one_of_two_providers_has(self):
        other = machine("o", 4, 16, 5000, 100, provider="gce")
        disks = [plain_disk("a"), plain_disk("b", provider="gce")]
        (rejected,) = fit("medium", catalog(ENOUGH, other, disks=disks), disk="a").rejected
        assert (rejected.machine_type, rejected.code) == ("o", "no-disk")
        assert rejected.reason == "the catalog has no network disk a of gce"

    @pytest.mark.parametrize(("family", "requested"), [("g", "g"), (["g", "h"], "g, h"), (("h", "g"), "h, g")])
    def test_families_that_were_not_requested(self, family, requested):
        others = [machine("o", 4, 16, 5000, 100, family=name) for name in "gh"]
        others[1] = others[1].model_copy(update={"machine_type": "p"})
        unknown = machine("u", 4, 16, 5000, 100, family=None)
        found = {
            one.machine_type: one for one in fit("medium", catalog(unknown, ENOUGH, *others), family=family).rejected
        }
        assert found["u"].reason == f"is in the family unknown, requested: {requested}"
        assert found["enough"].reason == f"is in the family f, requested: {requested}"

    def test_a_family_that_was_not_requested(self):
        found = fit("medium", catalog(ENOUGH, machine("o", 4, 16, 5000, 100, family="g")), family="g")
        assert [c.machine.machine_type for c in found.candidates] == ["o"]
        assert [(r.code, r.reason) for r in found.rejected] == [("family", "is in the family f, requested: g")]

    @pytest.mark.parametrize(
        ("disks", "reason"),
        [
            ([], "the catalog has no network disk of aws"),
            ([plain_disk(media="hdd")], "ssd is a spinning disk; etcd needs the latency of an SSD"),
            ([plain_disk(max_iops=3000)], "ssd reaches at most 3000 IOPS, 4500 needed"),
            ([plain_disk(max_mb_per_second=None)], "the throughput of ssd is unknown"),
        ],
    )
    def test_no_disk_is_enough(self, disks, reason):
        assert self.reason(ENOUGH, disks=disks) == ("no-disk", reason)

    def test_limits_by_kind_of_disk_replace_the_general_ones(self):
        """A machine has a lower limit for one kind of disk than for others."""
        limited = machine(
            "m", 4, 16, None, None, disk_limits=[DiskLimit(kind="ssd", concurrent_iops=4499, disk_mb_per_second=100)]
        )
        assert self.reason(limited) == ("too-little", "1 concurrent IOPS (4499 of 4500)")

    def test_the_nearest_machine_is_named_where_none_is_enough(self):
        found = fit("medium", catalog(machine("a", 1, 4, 100, 10), machine("b", 4, 14, 5000, 100), ENOUGH), family="f")
        assert found.nearest is None
        found = fit("medium", catalog(machine("a", 1, 4, 100, 10), machine("b", 4, 14, 5000, 100)))
        assert (found.nearest.machine.machine_type, found.nearest.missing) == ("b", "1 GiB of memory (14 of 15)")
        with pytest.raises(OptionError) as caught:
            _ = found.best
        assert str(caught.value) == (
            'fit: no machine in the catalog "mine" is enough for the tier "medium"; the nearest, b, lacks 1 GiB of '
            "memory (14 of 15)"
        )

    def test_an_architecture_by_its_other_name(self):
        """Not the one whose name is nearer: amd64 is not arm64."""
        for other, name in (("amd64", "x86_64"), ("aarch64", "arm64")):
            assert fit("small", provider="aws", arch=other) == fit("small", provider="aws", arch=name)

    def test_a_machine_that_lacks_a_disk_alone_is_named_before_the_nearest(self):
        """It is not memory that is missing here, but what the disk sustains."""
        volume = DiskKind(provider="aws", kind="volume", media="ssd", included_iops=9000, iops_per_gib=0, max_iops=9000)
        found = fit("medium", catalog(machine("a", 4, 14, 5000, 100), machine("b", 4, 16, 5000, 100), disks=[volume]))
        assert found.nearest is None
        assert found.why_none() == (
            'no machine in the catalog "mine" is enough for the tier "medium": b lacks a disk: the throughput of '
            "volume is unknown"
        )

    def test_the_nearest_machine_lacks_the_smallest_share(self):
        """Two small shares are less than one large one; of equal ones, the first by name."""
        machines = [
            machine("far", 2, 16, 5000, 100), machine("near", 4, 14.9, 4499, 100), machine("farther", 1, 16, 5000, 100)
        ]  # fmt: skip
        assert fit("medium", catalog(*machines)).nearest.machine.machine_type == "near"
        equal = [machine(name, 2, 16, 5000, 100) for name in ("b", "a", "c")]
        assert fit("medium", catalog(*equal)).nearest.machine.machine_type == "a"

    def test_how_far_a_machine_is_from_being_enough(self):
        assert total_shortfall([]) == 0
        assert total_shortfall([Shortfall("vcpus", 2, 4), Shortfall("memory_gib", 6, 8)]) == 0.75

    def test_a_reason_of_each_kind_is_listed_once(self):
        """The first machine of each kind stands for it, in the catalog's order."""
        machines = [
            machine("a", 4, 16, 5000, 100, arch="arm64"),
            machine("b", 4, 16, 5000, 100, burstable=True),
            machine("c", 4, 16, 5000, 100, arch="arm64"),
        ]
        assert fit("medium", catalog(*machines)).why_none() == (
            'no machine in the catalog "mine" is enough for the tier "medium": a is arm64, requested: x86_64; b has '
            "its full CPU only in bursts"
        )

    def test_a_catalog_without_machines_of_the_provider(self):
        found = fit("medium", catalog(ENOUGH)).model_copy(update={"candidates": (), "rejected": ()})
        assert found.why_none() == (
            'no machine in the catalog "mine" is enough for the tier "medium": it has none of the requested providers'
        )

    def test_reasons_are_listed_where_no_machine_is_near(self):
        found = fit("medium", catalog(machine("a", 4, 16, 5000, 100, arch="arm64")))
        assert found.nearest is None
        assert found.why_none().endswith('enough for the tier "medium": a is arm64, requested: x86_64')


class TestCandidates:
    def test_the_arithmetic(self):
        """Computed by hand: 9 GiB to hold, 150 GiB for 4500 IOPS at 30 per GiB, 0.10 per GiB, 730 hours."""
        best = fit("medium", catalog(ENOUGH)).best
        assert (best.disk.kind, best.disk.size_gib) == ("ssd", 150)
        assert (best.concurrent_iops, best.disk_mb_per_second) == (4500, 100)
        assert best.cost.machine_per_month == 730
        assert best.cost.disk_per_month == 15
        assert best.cost.per_month == 745
        assert (best.cost.region, best.cost.date) == ("r1", "2026-01-01")
        assert best.recovery_seconds == pytest.approx(1.5 * 500e6 / 100e6)
        assert best.excess == pytest.approx((4 / 4 + 16 / 15 + 5000 / 4500 + 100 / 75) / 4 - 1)
        assert str(best) == "enough + 150 GB SSD"
        assert best.disk_reason == f"{SIZES['medium']} GiB hold the data; ssd needs 150 GiB for 4500 IOPS and 75 MB/s"

    @pytest.mark.parametrize(
        ("tier", "kind", "reason"),
        [
            ("small", "gp3", ""),
            ("medium", "gp3", "; 4500 IOPS are provisioned, 3000 are included"),
            ("medium", "gp2", "; gp2 needs 1500 GiB for 4500 IOPS and 75 MB/s"),
            ("xlarge", "gp3", "; 15000 IOPS are provisioned, 3000 are included; 239 MiB/s are provisioned, 125 MiB/s "
             "are included"),
        ],
    )  # fmt: skip
    def test_the_reason_for_the_size_of_a_disk(self, tier, kind, reason):
        assert fit(tier, provider="aws", disk=kind).best.disk_reason == f"{SIZES[tier]} GiB hold the data{reason}"

    def test_exactly_enough(self):
        found = fit("medium", catalog(machine("exact", *FIGURES["medium"][:4])))
        assert (found.best.concurrent_iops, found.best.disk_mb_per_second, found.best.excess) == (4500, 75, 0)

    def test_the_smallest_size_of_a_disk(self):
        best = fit("medium", catalog(ENOUGH, disks=[plain_disk(min_size_gib=200)])).best
        assert best.disk.size_gib == 200
        assert best.disk_reason == f"{SIZES['medium']} GiB hold the data; the smallest ssd has 200 GiB"

    def test_nothing_is_cheaper_than_what_is_free(self):
        disks = [plain_disk("cheap", 0.005), plain_disk("free", 0)]
        for usd in (0.0, None):
            best = fit("medium", catalog(machine("m", 4, 16, 5000, 100, usd), disks=disks)).best
            assert (best.disk.kind, best.cost.disk_per_month) == ("free", 0)
        machines = [machine("cheap", 4, 16, 5000, 100, 0.001), machine("free", 4, 16, 5000, 100, 0.0)]
        found = fit("medium", catalog(*machines, disks=disks)).candidates
        assert [one.machine.machine_type for one in found] == ["free", "cheap"]

    def test_of_equal_machines_a_previous_generation_comes_last(self):
        old, new = (
            machine(n, 4, 16, 5000, 100, None, lifecycle=cycle) for n, cycle in (("a", "previous"), ("b", "current"))
        )
        found = fit("medium", catalog(old, new)).candidates
        assert [one.machine.machine_type for one in found] == ["b", "a"]

    def test_candidates_are_ordered_by_price_then_by_excess(self):
        found = fit(
            "medium",
            catalog(
                machine("huge-unknown", 64, 256, 9000, 400, None),
                machine("dear", 4, 16, 5000, 100, 2.0),
                machine("unknown", 4, 16, 5000, 100, None),
                machine("cheap", 8, 32, 5000, 100, 0.5),
            ),
        )
        assert [c.machine.machine_type for c in found.candidates] == ["cheap", "dear", "unknown", "huge-unknown"]
        assert [c.cost.per_month is None for c in found.candidates] == [False, False, True, True]
        assert found.candidates[2].cost.unknown == "no price for the machine"

    def test_unknown_totals_are_ordered_by_what_the_machine_alone_costs(self):
        """As in a region for which no price of a disk is known."""
        machines = [machine(str(usd), 4, 16, 5000, 100, usd) for usd in (3.0, None, 1.0, 2.0)]
        found = fit("medium", catalog(*machines, disks=[plain_disk(usd=None)])).candidates
        assert [one.machine.machine_type for one in found] == ["1.0", "2.0", "3.0", "None"]

    @pytest.mark.parametrize(
        ("disk", "region", "unknown"),
        [
            (plain_disk(usd=None), None, "no price for the disk"),
            (plain_disk(region="r2"), None, "the machine is priced in r1, the disk in r2"),
            (plain_disk(region="r2"), "r2", "no price for the machine in r2"),
            (plain_disk(region="r2"), "r1", "no price for the disk in r1"),
            (plain_disk(included_iops=100, iops_per_gib=0, max_iops=9000, iops_provisionable=True,
                        max_iops_per_gib=500), None, "a part of the disk's price is unknown"),
        ],
    )  # fmt: skip
    def test_an_unknown_part_makes_the_cost_unknown(self, disk, region, unknown):
        """A total with an unknown part is unknown; an unknown price never counts as zero."""
        best = fit("medium", catalog(ENOUGH, disks=[disk]), region=region).best
        assert best.cost.per_month is None
        assert best.cost.unknown == unknown

    def test_the_known_part_of_an_unknown_cost(self):
        """A part that is priced in another region is left out."""
        costs = [
            fit("medium", catalog(ENOUGH, disks=[plain_disk(region=of)]), region=asked).best.cost
            for of, asked in (("r2", None), ("r2", "r2"), ("r1", None))
        ]
        assert [(c.machine_per_month, c.disk_per_month, c.region, c.date) for c in costs] == [
            (730, None, "r1", "2026-01-02"),
            (None, 15, "r2", "2026-01-01"),
            (730, 15, "r1", "2026-01-01"),
        ]

    def test_the_cheapest_disk_where_the_total_is_unknown(self):
        disks = [plain_disk("dear", 0.3), plain_disk("cheap", 0.1)]
        best = fit("medium", catalog(machine("m", 4, 16, 5000, 100, None), disks=disks)).best
        assert (best.disk.kind, best.cost.per_month) == ("cheap", None)

    @pytest.mark.parametrize("usd", [1.0, None])
    @pytest.mark.parametrize("order", [1, -1])
    def test_a_disk_of_unknown_price_comes_after_the_dearest_known_one(self, usd, order):
        """What is unknown is not zero; with or without a price of the machine, in either order of the catalog."""
        disks = [plain_disk("unknown", None), plain_disk("known", 9.0)][::order]
        best = fit("medium", catalog(machine("m", 4, 16, 5000, 100, usd), disks=disks)).best
        assert best.disk.kind == "known"

    def test_the_first_of_two_equal_disks(self):
        disks = [plain_disk("b"), plain_disk("a")]
        assert fit("medium", catalog(ENOUGH, disks=disks)).best.disk.kind == "b"

    def test_a_total_counts_before_the_price_of_the_disk_alone(self):
        """The cheaper disk has its price in another region than the machine."""
        disks = [plain_disk("elsewhere", 0.01, region="r2"), plain_disk("here", 0.5)]
        best = fit("medium", catalog(ENOUGH, disks=disks)).best
        assert (best.disk.kind, best.cost.per_month) == ("here", 730 + 75)

    def test_newest_leaves_out_previous_generations(self):
        machines = [machine("old", 4, 16, 5000, 100, 0.5, lifecycle="previous"), ENOUGH]
        assert fit("medium", catalog(*machines)).best.machine.machine_type == "old"
        found = fit("medium", catalog(*machines), newest=True)
        assert found.best.machine.machine_type == "enough"
        assert [(rejected.code, rejected.reason) for rejected in found.rejected] == [
            ("previous-generation", "is a previous generation, requested: the newest")
        ]

    def test_local_nvme_is_only_an_alternative(self):
        one = machine("local", 4, 16, 100, 10, 0.1, local_nvme_gb=300)
        small = machine("small", 4, 16, 100, 10, 0.1, local_nvme_gb=9)
        found = fit("medium", catalog(one, small, ENOUGH))
        assert (found.local[0].region, found.local[0].date) == ("r1", "2026-01-02")
        assert [c.machine.machine_type for c in found.candidates] == ["enough"]
        (local,) = found.local
        assert (local.machine.machine_type, local.per_month) == ("local", 73)
        assert local.label.startswith("300 GB of local NVMe: ")
        assert "lost when the machine stops" in local.label

    def test_local_nvme_is_listed_cheapest_first(self):
        """Unknown prices come last; equal ones by name."""
        prices = {"dear": 2.0, "unknown": None, "cheap": 0.001, "b": 1.0, "a": 1.0, "free": 0.0}
        machines = [machine(name, 4, 16, 100, 10, usd, local_nvme_gb=300) for name, usd in prices.items()]
        found = fit("medium", catalog(*machines), limit=None).local
        assert [one.machine.machine_type for one in found] == ["free", "cheap", "a", "b", "dear", "unknown"]
        assert [one.per_month for one in found] == [0, 0.73, 730, 730, 1460, None]
        assert [one.machine.machine_type for one in fit("medium", catalog(*machines), limit=2).local] == [
            "free",
            "cheap",
        ]

    def test_local_nvme_has_to_hold_the_data(self):
        """A GiB is 1,073,741,824 bytes; the provider counts gigabytes."""
        enough = SIZES["medium"] * 1.073741824
        for gigabytes, count in ((enough, 1), (enough - 1e-9, 0)):
            one = machine("local", 4, 16, 5000, 100, local_nvme_gb=gigabytes)
            assert len(fit("medium", catalog(one)).local) == count

    def test_the_whole_label_of_local_nvme(self):
        (local,) = fit("medium", catalog(machine("m", 4, 16, 100, 10, None, local_nvme_gb=300))).local
        assert local.label == (
            "300 GB of local NVMe: lower latency than a network disk, but its data is lost when the machine stops, and "
            "no catalog states its IOPS: measure them"
        )
        assert (local.per_month, local.region, local.date) == (None, None, None)

    def test_a_local_price_of_another_region_counts_as_unknown(self):
        machines = [machine("m", 4, 16, 100, 10, 1.0, local_nvme_gb=300), machine("o", 4, 16, 9, 9, 1.0, region="r2")]
        (local,) = fit("medium", catalog(*machines), region="r2").local
        assert (local.per_month, local.region, local.date) == (None, None, None)

    def test_the_limit_of_candidates(self):
        many = [machine(f"m{i}", 4, 16, 5000, 100, 1 + i) for i in range(8)]
        assert len(fit("medium", catalog(*many)).candidates) == 5
        assert fit("medium", catalog(*many)).feasible == 8
        assert len(fit("medium", catalog(*many), limit=None).candidates) == 8
        for wrong in (0, -1, 2.0, True, "5"):
            with pytest.raises(OptionError, match=r"^limit: got "):
                fit("medium", catalog(*many), limit=wrong)

    def test_a_requested_kind_of_disk(self):
        disks = [plain_disk("a", 0.1), plain_disk("b", 0.2)]
        assert fit("medium", catalog(ENOUGH, disks=disks)).best.disk.kind == "a"
        assert fit("medium", catalog(ENOUGH, disks=disks), disk="b").best.disk.kind == "b"
        with pytest.raises(OptionError, match=r'^disk: got "c", expected one of the catalog "mine": a, b$'):
            fit("medium", catalog(ENOUGH, disks=disks), disk="c")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"provider": "ibm"}, "provider: got "),
            ({"provider": "gce"}, "provider: got "),
            ({"arch": "x86"}, "arch: got "),
            ({"family": "m99"}, "family: got "),
            ({"region": "mars"}, 'region: got "mars", expected a region of aws (af-south-1, ap-east-1, '),
            ({"provider": []}, "provider: got no name"),
            ({"newest": "yes"}, 'newest: got "yes", expected True or False'),
            ({"arch": 5}, "arch: got 5, expected x86_64, arm64 or any"),
            ({"family": 5}, "family: got 5"),
        ],
    )
    def test_an_unknown_option_is_rejected(self, options, message):
        with pytest.raises(OptionError) as caught:
            fit("medium", catalog(ENOUGH), **options)
        assert str(caught.value).startswith(message)

    @pytest.mark.parametrize("arch", ["any", None])
    def test_any_architecture(self, arch):
        machines = [machine(f"m{n}", 4, 16, 5000, 100, arch=of) for n, of in enumerate(("arm64", "x86_64", None))]
        assert fit("medium", catalog(*machines), arch=arch).feasible == 3

    @pytest.mark.parametrize("what", [None, 5, object(), load_tiers("guide")])
    def test_an_argument_that_is_not_a_need_is_rejected(self, what):
        with pytest.raises(OptionError, match=r"^what: got .*, expected a tier's name, a Sizing or a Need$"):
            fit(what)

    def test_a_sizing_with_more_data_has_a_larger_disk(self):
        small, large = (fit(size(clients=5000, data_bytes=data), provider="aws") for data in (1e9, 40e9))
        assert small.need.data_bytes == 8 * 2**30
        assert small.disk.size_gib < large.disk.size_gib
        # The quota, a snapshot and a defragmentation of as much.
        assert large.disk.size_gib > 3 * large.disk.quota_bytes / 2**30 > 3 * 40e9 / 2**30
        assert large.best.disk.size_gib >= large.disk.size_gib

    def test_a_sizing_keeps_its_provider_and_its_table(self):
        assert {c.machine.provider for c in fit(size(clients=5, provider="gce"), limit=None).candidates} == {"gce"}
        tiers = load_tiers("guide").model_dump()
        tiers["tiers"][0]["data_bytes"]["limit"] = 450e6
        # It bears the name of the built-in table, and is not taken for it.
        mine = TierTable(**tiers)
        assert fit("small", tiers=mine).need.data_bytes == 450e6
        sizing = size(clients=5, tiers=mine)
        assert fit(sizing).need.data_bytes == 450e6
        with pytest.raises(OptionError, match=r"^tiers: cannot be used with a Sizing, which has its own figures"):
            fit(sizing, tiers=mine)

    def test_more_data_than_etcd_suggests_needs_memory_for_the_file(self):
        """The guide's machine is for 8 GiB of data at most."""
        sizing = size(data_bytes=100e9)
        assert fit(sizing).need.memory_gib == sizing.needs["load"].memory_gib > 100
        assert fit(size(data_bytes=8e9)).need.memory_gib == 60

    def test_a_users_own_need(self):
        need = Need(
            tier="mine", vcpus=3, memory_gib=10, concurrent_iops=1, disk_mb_per_second=1, data_bytes=1, source="me"
        )
        assert fit(need, catalog(ENOUGH)).best.disk.size_gib == disk_need_for(1).size_gib
        with pytest.raises(TableError):
            Need(tier="mine", vcpus=0, memory_gib=10, concurrent_iops=1, disk_mb_per_second=1, data_bytes=1)

    @pytest.mark.parametrize("tier", TIERS)
    def test_todays_machines_are_all_accounted_for(self, tier):
        """Every machine in the catalog is a candidate or is rejected with a reason."""
        found = fit(tier, arch=None, limit=None)
        assert len(found.candidates) == found.feasible
        assert len(found.candidates) + len(found.rejected) == len(CURRENT.machines)
        told = {(c.machine.provider, c.machine.machine_type) for c in found.candidates}
        told |= {(r.provider, r.machine_type) for r in found.rejected}
        assert len(told) == len(CURRENT.machines)
        ranks = [(not c.limit_known, c.cost.per_month) for c in found.candidates if c.cost.per_month is not None]
        assert ranks == sorted(ranks)
        assert all(c.cost.region and c.cost.date for c in found.candidates if c.cost.per_month is not None)
        assert Fit.model_validate_json(found.model_dump_json()) == found
        assert pickle.loads(pickle.dumps(found)) == found


def limit(figure):
    """Return a machine's own limit; one that is not published counts as enough."""
    return math.inf if figure is None else figure


SOME = st.sampled_from([1, 2, 3, 4, 7.5, 8])
MACHINES = st.lists(
    st.builds(
        lambda vcpus, memory, iops, bandwidth, usd, burst, arch: {
            "vcpus": vcpus, "memory": memory, "iops": iops, "bandwidth": bandwidth, "usd": usd, "arch": arch,
            "burst_concurrent_iops": burst,
        },
        st.integers(1, 4), SOME, st.none() | st.integers(50, 400), st.none() | st.integers(5, 40),
        st.none() | st.sampled_from([0.001, 0.01, 0.02, 0.05]), st.none() | st.just(1000),
        st.sampled_from(["x86_64", "arm64"]),
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


@st.composite
def kinds(draw, name):
    """Return a kind of disk with few sizes, so that all of them can be tried."""
    bought = draw(st.booleans())
    rising = [{"per_month": 0.03, "up_to": 150}, {"per_month": 0.01, "up_to": None}]
    steps = draw(st.sampled_from([None, [{"per_month": 0.02, "up_to": None}], rising]))
    cost = draw(st.none() | st.sampled_from([0.05, 0.1, 1]))
    return DiskKind(
        provider="aws",
        kind=name,
        media="ssd",
        min_size_gib=draw(st.sampled_from([1, 12])),
        max_size_gib=draw(st.sampled_from([12, 30, 45])),
        included_iops=draw(st.sampled_from([0, 100])),
        iops_per_gib=0 if bought else draw(st.sampled_from([0, 3, 10])),
        max_iops=draw(st.sampled_from([200, 350])),
        iops_provisionable=bought,
        max_iops_per_gib=draw(st.sampled_from([5, 20])) if bought else None,
        included_mb_per_second=draw(st.sampled_from([0, 10])),
        mb_per_second_per_gib=draw(st.sampled_from([0, 1])),
        mb_per_second_per_iops=0,
        max_mb_per_second=draw(st.sampled_from([20, 40])),
        price=None
        if cost is None
        else DiskPrice(per_gib_month=cost, currency="USD", per_iops_month=steps, region="r1", date="2026-01-01"),
    )


class TestBruteForce:
    """The fit agrees with a search over every machine, kind, size and provisioning."""

    @examples(100)
    @given(
        MACHINES, st.tuples(kinds("a"), kinds("b")), st.integers(1, 4), SOME, st.integers(60, 380), st.integers(5, 38)
    )
    def test_nothing_cheaper_is_missed_nothing_too_small_offered(self, rows, disks, vcpus, memory, iops, bandwidth):
        machines = [
            machine(f"m{i}", row["vcpus"], row["memory"], row["iops"], row["bandwidth"], row["usd"],
                    arch=row["arch"], burst_concurrent_iops=row["burst_concurrent_iops"])
            for i, row in enumerate(rows)
        ]  # fmt: skip
        need = Need(tier="t", vcpus=vcpus, memory_gib=memory, concurrent_iops=iops, disk_mb_per_second=bandwidth,
                    data_bytes=1)  # fmt: skip
        least = disk_need_for(1).size_gib
        found = fit(need, catalog(*machines, disks=disks), limit=None)
        offered = {c.machine.machine_type: c for c in found.candidates}
        disk_costs = []
        for kind in disks:
            for gib in range(max(least, kind.min_size_gib), kind.max_size_gib + 1):
                for asked in [None, *(range(60, 381) if kind.iops_provisionable else ())]:
                    if asked is not None and (
                        asked < max(iops, kind.included_iops) or asked > min(kind.max_iops, kind.max_iops_per_gib * gib)
                    ):
                        continue
                    sustained, throughput = kind.figures(gib, asked)
                    if sustained >= iops and throughput >= bandwidth:
                        disk_costs.append(kind.per_month(gib, asked))
                        if asked is not None:
                            break
        cheapest = {}
        for one in machines:
            enough = (
                one.arch == "x86_64"
                and one.vcpus >= vcpus
                and one.memory_gib >= memory
                and limit(one.concurrent_iops) >= iops
                and limit(one.disk_mb_per_second) >= bandwidth
            )
            totals = [(cost, one.price) for cost in disk_costs] if enough else []
            if totals:
                known = [one.price.per_month + disk for disk, cost in totals if disk is not None and cost is not None]
                cheapest[one.machine_type] = min(known, default=None)
        assert set(offered) == set(cheapest)
        for name, total in cheapest.items():
            if total is None:
                assert offered[name].cost.per_month is None
            else:
                assert offered[name].cost.per_month == pytest.approx(total)
            assert offered[name].concurrent_iops >= iops
            assert offered[name].disk_mb_per_second >= bandwidth
        published = {one.machine_type for one in machines if None not in (one.concurrent_iops, one.disk_mb_per_second)}
        assert all(one.limit_known == (name in published) for name, one in offered.items())
        first = {name for name in cheapest if name in published} or set(cheapest)
        known = [cheapest[name] for name in first if cheapest[name] is not None]
        if known:
            assert found.best.machine.machine_type in first
            assert found.best.cost.per_month == pytest.approx(min(known))
        assert len(found.rejected) + found.feasible == len(machines)
        first = best_machine(need, catalog(*machines, disks=disks), "aws", "x86_64", "t")
        assert first == (with_disk(found.best, "t") if found.candidates else None)


class TestLimitNotPublished:
    """A machine whose own limit is not published: its figures are the disk's, and it comes after all others."""

    UNKNOWN = machine("unknown", 4, 16, None, None, 0.1)

    def test_its_figures_are_those_of_the_disk(self):
        best = fit("medium", catalog(self.UNKNOWN)).best
        assert (best.limit_known, best.concurrent_iops, best.disk_mb_per_second) == (False, 4500, 150)
        assert (best.disk.kind, best.cost.per_month, best.excess) == ("ssd", 0.1 * 730 + 15, (1 + 16 / 15) / 2 - 1)
        assert best.disk_reason.endswith(
            "; the machine's own limit is not published, so the figures are those of the disk alone"
        )

    def test_it_comes_after_all_that_are_known(self):
        dear = machine("dear", 64, 256, 9000, 400, 9)
        unpriced = machine("unpriced", 4, 16, 9000, 400, None)
        ours = catalog(self.UNKNOWN, dear, unpriced)
        found = fit("medium", ours).candidates
        assert [one.machine.machine_type for one in found] == ["dear", "unpriced", "unknown"]
        assert best_machine(need_for("medium"), ours, "aws", None, "medium").machine_type == "dear"
        assert [one.limit_known for one in found] == [True, True, False]

    def test_a_figure_that_is_known_counts(self):
        """IBM publishes the bandwidth of a machine, and not its IOPS."""
        best = fit("medium", catalog(machine("m", 4, 16, None, 80))).best
        assert (best.limit_known, best.concurrent_iops, best.disk_mb_per_second) == (False, 4500, 80)

    def test_a_kind_whose_limit_is_published_comes_first(self):
        limits = [DiskLimit(kind="cheap"), DiskLimit(kind="ssd", concurrent_iops=4500, disk_mb_per_second=75)]
        disks = [plain_disk("cheap", 0.001), plain_disk("other", 0.0001), plain_disk("ssd")]
        one = machine("m", 4, 16, None, None, disk_limits=limits)
        best = fit("medium", catalog(one, disks=disks)).best
        assert (best.disk.kind, best.limit_known) == ("ssd", True)
        best = fit("large", catalog(machine("m", 8, 32, None, None, disk_limits=limits), disks=disks)).best
        assert (best.disk.kind, best.limit_known) == ("cheap", False)

    def test_its_local_disk_is_an_alternative_besides(self):
        found = fit("medium", catalog(machine("m", 4, 16, None, None, local_nvme_gb=75)))
        assert [one.machine.machine_type for one in found.local] == ["m"]
        assert found.feasible == 1

    def test_a_sizing_says_so(self):
        ours = catalog(machine("unknown", 4, 16, None, None))
        sizing = size(clients=5, catalog=ours)
        assert not sizing.machine.limit_known
        (notice,) = [one for one in sizing.notices if one.code == "limit-not-published"]
        assert (notice.severity, notice.text) == (
            "info",
            "aws unknown: the machine's own limit for network disks is not published. Its disk figures are those of "
            "the disk alone; the machine may let through less.",
        )
        known = size(clients=5, catalog=catalog(ENOUGH))
        assert "limit-not-published" not in [one.code for one in known.notices]
        assert type(sizing).model_validate_json(sizing.model_dump_json()) == sizing


class TestInAnswers:
    """`size` and `size_fleet` use the best machine for each tier, computed once."""

    def test_size(self):
        sizing = size(clients=300, requests_per_second=800, data_bytes="400MB", catalog="current", members=5)
        for provider in ("aws", "gce", "azure"):
            best = fit("medium", provider=provider).best
            chosen = sizing.machines[provider]
            assert (chosen.machine_type, chosen.disk.kind) == (best.machine.machine_type, best.disk.kind)
            assert chosen.cost == best.cost
            total = best.cost.per_month
            assert sizing.cost_per_month[provider] == (None if total is None else 5 * total)
        assert sizing.catalog == "current"
        assert type(sizing).model_validate_json(sizing.model_dump_json()) == sizing
        codes = {notice.code for notice in sizing.notices}
        assert "measure-disk" in codes

    def test_a_price_is_explained_with_its_region_and_date(self):
        explanation = size(clients=300, catalog="current", provider="aws").explain()
        assert (
            f"On aws, the cluster costs ${cost_per_month('aws', 'medium'):,.2f} a month (us-east-1, 2026-07-20)."
            in explanation
        )

    def test_fleet(self):
        fleet = size_fleet([1, 300, 9, -1], 1, 1, provider=["aws", "gcp", "azure", "aws"], catalog="current",
                           on_invalid="mark", members=3)  # fmt: skip
        one, two = (fit(tier, provider=name).best for tier, name in (("small", "aws"), ("medium", "gce")))
        assert fleet.machine_types.tolist()[:2] == [one.machine.machine_type, two.machine.machine_type]
        assert fleet.cost_per_month[:2].tolist() == [3 * one.cost.per_month, 3 * two.cost.per_month]
        assert [math.isnan(cost) for cost in fleet.cost_per_month[2:]] == [False, True]
        assert fleet[1].cost_per_month == {"gce": 3 * two.cost.per_month}

    def test_the_guide_has_no_prices(self):
        """A cluster costs what the machine of today costs."""
        assert all(machine.cost is None for machine in size(clients=1).machines.values())
        cost = fit("small", provider="aws").best.cost.per_month
        assert size(clients=1).cost_per_month["aws"] == cost * 3
        assert size_fleet([1], 1, 1, provider="aws", members=5).cost_per_month[0] == cost * 5

    def test_a_catalog_in_which_no_machine_is_enough(self):
        """The tier is given, and what the load takes, with the reason; also where what the load takes decides."""
        ours = catalog(machine("tiny", 1, 1, 10, 1))
        for load in ({}, {"keys": 1000}, {"data_bytes": 20e9}):
            sizing = size(Profile(clients=1, **load), catalog=ours)
            assert (sizing.machines, sizing.machines_today, sizing.cost_per_month) == ({}, {}, {})
            assert sizing.need.vcpus >= 2
            (notice,) = [notice for notice in sizing.notices if notice.code == "no-machine-fits"]
            assert notice.text.startswith(
                f'aws: no machine in the catalog "mine" is enough for the tier "{sizing.machine_tier}"; the nearest, '
                "tiny, lacks "
            )
            with pytest.raises(OptionError, match=r"^machine: got none: .* that is enough; the notices say why"):
                _ = sizing.machine
            assert Sizing.model_validate_json(sizing.model_dump_json()) == sizing

    @pytest.mark.parametrize("provider", ["scaleway", "digitalocean"])
    def test_a_provider_of_which_no_machine_is_enough(self, provider):
        """One and many clusters get the same tier, without a machine."""
        clients = [50, 300, 1000, 5000]
        fleet = size_fleet(clients, 1, 1, catalog="current", provider=provider)
        for index, count in enumerate(clients):
            sizing = size(clients=count, requests_per_second=1, data_bytes=1, provider=provider)
            assert (sizing.tier, sizing.machines, sizing.lacks_machine) == (fleet.tier_names[index], {}, True)
            assert fleet.machine_types[index] is None
            texts = [notice.text for notice in sizing.notices if notice.code == "no-machine-fits"]
            assert texts[0].startswith(f'{provider}: no machine in the catalog "current" is enough for the tier ')
            assert texts == [notice.text for notice in fleet[index].notices if notice.code == "no-machine-fits"]

    def test_a_catalog_with_machines_for_some_tiers(self):
        """A tier with a sufficient machine has it; for another, a notice says what the nearest one lacks."""
        ours = CURRENT.restrict(machine_types=["m8i.large", "m8i.xlarge"])
        assert size(clients=5, catalog=ours).machine.machine_type == "m8i.large"
        (reason,) = [one.text for one in size(clients=1000, catalog=ours).notices if one.code == "no-machine-fits"]
        assert reason.startswith(
            'aws: no machine in the catalog "current" is enough for the tier "large"; the nearest, m8i.xlarge, lacks '
            "4 vCPUs (4 of 8)"
        )
        fleet = size_fleet([5, 1000, 300], 1, 1, catalog=ours)
        assert fleet.machine_types.tolist() == ["m8i.large", None, "m8i.xlarge"]
        assert fleet.tier_names.tolist() == ["small", "large", "medium"]
        assert math.isnan(fleet.cost_per_month[1])
        assert not math.isnan(fleet.cost_per_month[2])

    def test_an_arm64_catalog(self):
        """arm64 has to be requested, and a catalog that has nothing else counts as a request."""
        ours = CURRENT.restrict(families=["m8gd", "m9g"])
        assert size(clients=5, catalog=ours).machine.arch == "arm64"

    def test_more_data_than_the_disk_is_for(self):
        """The disk is that of the tier where the guide decides, and that of the load where the load does."""
        for basis, said in (("guide", True), ("larger", False), ("measured", False)):
            sizing = size(data_bytes=20e9, catalog="current", provider="aws", basis=basis)
            assert ("disk-for-less-data" in {notice.code for notice in sizing.notices}) is said
            assert (sizing.machine.disk.volume_size_gib < sizing.need.disk.size_gib) is said

    def test_the_best_machine_of_a_tier(self):
        """It has its disk, the lower of its own and the disk's figures, and its cost; no limits by kind of disk."""
        limits = [DiskLimit(kind="ssd", concurrent_iops=20_000, disk_mb_per_second=400)]
        one = machine("m", 16, 60, None, None, disk_limits=limits)
        best = best_per_tier(catalog(one), load_tiers("guide")).machine_for("aws", "small")
        candidate = fit("small", catalog(one)).best
        assert best == one.model_copy(
            update={
                "tier": "small",
                "disk": Disk(kind="ssd", size_gb=50),
                "concurrent_iops": 1500,
                "disk_mb_per_second": 50,
                "disk_limits": (),
                "cost": candidate.cost,
            }
        )

    def test_the_disk_of_a_tier_holds_the_data_of_the_users_table(self):
        tiers = load_tiers("guide").model_dump()
        tiers["tiers"][2]["data_bytes"]["limit"] = 100e9
        best = best_per_tier(catalog(machine("m", 64, 256, 20_000, 400)), TierTable(**tiers))
        assert best.machine_for("aws", "large").disk.size_gb == tier_disk("large", TierTable(**tiers)).size_gib > 300

    def test_no_machine_for_any_tier(self):
        best = best_per_tier(catalog(machine("tiny", 1, 1, 10, 1)), load_tiers("guide"))
        assert (best.machines, best.providers) == ((), ("aws",))
        with pytest.raises(OptionError, match=r"^catalog: aws: no machine in the catalog") as caught:
            best.machine_for("aws", "small")
        assert (caught.value.option, caught.value.value) == ("catalog", "mine")

    def test_a_disk_keeps_what_is_provisioned(self):
        choice = DiskChoice(
            kind="gp3", size_gib=20, provisioned_iops=4000, provisioned_mb_per_second=262.144, throughput_unit="MiB/s"
        )
        assert disk_of(choice) == Disk(
            kind="gp3", size_gb=20, provisioned_iops=4000, provisioned_mb_per_second=262.144, throughput_unit="MiB/s"
        )

    def test_the_best_machines_are_computed_once(self):
        assert best_per_tier(CURRENT, load_tiers("guide")) is best_per_tier(CURRENT, load_tiers("guide"))


class TestRegions:
    """With a region, every price is of that region; a machine without one is last."""

    @pytest.mark.parametrize(
        ("region", "provider", "tier", "best", "machine", "disk"),
        [
            (
                "eu-central-1",
                "aws",
                "medium",
                "m6a.xlarge + 11 GB GP3, 4500 IOPS",
                0.207 * 730,
                11 * 0.0952 + 1500 * 0.006,
            ),
            ("europe-west4", "gce", "large", "e2-standard-8 + 50 GB PD SSD", 0.29508816 * 730, 50 * 0.187),
            ("westeurope", "azure", "small", "Standard_D2as_v5 + 8 GB PREMIUM SSD V2", 0.104 * 730, 8 * 0.0949),
        ],
    )
    def test_figures_by_hand(self, region, provider, tier, best, machine, disk):
        found = fit(tier, region=region)
        cost = found.best.cost
        assert str(found.best) == best
        assert {one.machine.provider for one in found.candidates} == {provider}
        assert (cost.machine_per_month, cost.disk_per_month) == (pytest.approx(machine), pytest.approx(disk))
        assert cost.per_month == pytest.approx(machine + disk)
        assert cost.region == region

    @pytest.mark.parametrize("region", ["eu-west-3", "asia-southeast3", "chilecentral", "cn-north-1"])
    def test_what_has_no_price_there_is_unknown_and_last(self, region):
        candidates = fit("small", region=region, arch="any", limit=None).candidates
        known = [one.cost.per_month is not None for one in candidates]
        assert candidates
        assert known == sorted(known, reverse=True)
        for one in candidates:
            assert one.cost.region in (region, None)
            if one.machine.price is None:
                assert f"no price for the machine in {region}" in one.cost.unknown

    def test_a_suggestion_stays_on_the_continent(self):
        found = fit("large", region="eu-west-3", family="m8i", limit=None).candidates
        unknown = {one.machine.machine_type: one.cost.unknown for one in found}
        assert unknown["m8i.2xlarge"] == (
            "no price for the machine in eu-west-3; the machine has one on the same continent, in eu-central-1 and "
            "eu-south-2"
        )
        assert unknown["m8i.4xlarge"] == "no price for the machine in eu-west-3"
