"""Servers of one's own: their own disks count as they were measured, and the answer says what was not measured."""

from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import (
    Catalog,
    DiskKind,
    DiskLimit,
    Machine,
    Need,
    Price,
    Profile,
    TableError,
    audit,
    fit,
    load_tiers,
    size,
)
from etcdsize.fitting.capacity import BELOW, Capacity, capacities
from etcdsize.fitting.need import MACHINE_FIGURES
from etcdsize.reports.fit import render_fit

GUIDE = load_tiers("guide")


def server(name="r640", vcpus=32, memory_gib=128, iops=20000, bandwidth=400, sequential=2000, fsync=1.5, **more):
    return Machine(
        provider="aws", machine_type=name, vcpus=vcpus, memory_gib=memory_gib, arch="x86_64", own=True,
        concurrent_iops=iops, disk_mb_per_second=bandwidth, sequential_iops=sequential, fsync_p99_ms=fsync, **more,
    )  # fmt: skip


def catalog(*machines):
    return Catalog(name="ours", machines=machines)


class TestFit:
    """A server of one's own needs vCPUs, memory, an architecture and what its disk sustains, and nothing else."""

    @pytest.mark.parametrize("tier", GUIDE.names)
    def test_without_any_network_disk_or_price(self, tier):
        best = fit(tier, catalog(server(bare_metal=True, local_nvme_gb=960))).best
        assert (best.disk, best.concurrent_iops, best.disk_mb_per_second) == (None, 20000, 400)
        assert (best.cost.per_month, best.cost.unknown) == (None, "no price for the machine")
        assert best.limit_known
        assert str(best) == "r640 + its own disk"

    def test_a_disk_of_its_own_is_no_alternative(self):
        assert fit("small", catalog(server(local_nvme_gb=960))).local == ()

    def test_a_price_includes_the_disk(self):
        one = server(price=Price(per_hour=0.5, currency="USD", region="fra1", date="2026-11-01"))
        cost = fit("small", catalog(one)).best.cost
        assert (cost.per_month, cost.machine_per_month, cost.disk_per_month) == (365, 365, None)
        assert (cost.region, cost.date) == ("fra1", "2026-11-01")
        assert fit("small", catalog(one), region="fra1").best.cost == cost

    @pytest.mark.parametrize(
        ("one", "code", "reason"),
        [
            (server(vcpus=4), "too-little", "4 vCPUs (4 of 8)"),
            (server(iops=7000), "too-little", "500 concurrent IOPS (7000 of 7500)"),
            (server(bandwidth=100), "too-little", "25 MB/s of disk (100 of 125)"),
            (server(sequential=499), "too-little", "1 sequential IOPS (499 of 500)"),
            (server(fsync=10.5), "too-little", "a quicker fsync (p99 of 10.5 ms, at most 10 ms needed)"),
            (server(memory_gib=16, fsync=20), "too-little",
             "14 GiB of memory (16 of 30), a quicker fsync (p99 of 20 ms, at most 10 ms needed)"),
            (server(iops=None), "unknown-figure",
             "has a disk that was not measured: etcdsize catalog from-fio --help says how to measure it"),
            (server(bandwidth=None, iops=7000), "too-little", "500 concurrent IOPS (7000 of 7500)"),
            (server(shared_core=True), "shared-core", "shares its cores with other machines"),
        ],
    )  # fmt: skip
    def test_why_it_is_not_enough(self, one, code, reason):
        (rejected,) = fit("large", catalog(one)).rejected
        assert (rejected.code, rejected.reason) == (code, reason)

    def test_how_much_is_missing(self):
        (rejected,) = fit("large", catalog(server(sequential=400, fsync=12))).rejected
        assert rejected.missing == {"sequential_iops": 100, "fsync_p99_ms": 2}

    def test_exactly_enough(self):
        assert fit("large", catalog(server(iops=7500, bandwidth=125, sequential=500, fsync=10))).feasible == 1
        assert fit("medium", catalog(server(sequential=50))).feasible == 1

    def test_fsyncs_that_were_not_measured_are_not_too_slow(self):
        best = fit("large", catalog(server(sequential=None, fsync=None))).best
        assert best.disk_reason == "18 GiB of its own disk hold the data; fsync not measured"

    def test_a_load_that_needs_quicker_fsyncs(self):
        """8,000 writes a second of 20 clients: a write may take as long as the model says."""
        load = Profile(clients=20, writes_per_second=8000, keys=10_000, value_bytes=500)
        sizing = size(load)
        needed = sizing.need.fsync_p99_ms
        assert needed == sizing.resources.disk.fsync_p99_seconds.need * 1000
        assert needed < 10
        assert fit(sizing, catalog(server(fsync=needed))).feasible == 1
        (rejected,) = fit(sizing, catalog(server(fsync=needed * 1.1))).rejected
        assert "a quicker fsync" in rejected.reason
        assert fit(sizing, catalog(server())).sequential.wal_fsync_p99_ms == needed

    def test_the_report(self):
        text = render_fit(fit("small", catalog(server())))
        assert "r640 + its own disk" in text
        assert "r640: 2000 sequential IOPS, p99 of fsync 1.5 ms measured\n" in text
        assert "unknown: r640: no price for the machine\n" in text

    def test_a_sizing(self):
        sizing = size(clients=5, catalog=catalog(server()))
        assert (sizing.machine.machine_type, sizing.machine.disk, sizing.machine.own) == ("r640", None, True)


class TestRow:
    def test_only_ones_own_server_has_measured_fsyncs(self):
        with pytest.raises(TableError) as caught:
            Machine(provider="aws", machine_type="m", vcpus=2, memory_gib=8, fsync_p99_ms=2)
        assert str(caught.value) == (
            "Machine: fsync_p99_ms: got 2, expected it of a server of one's own only; add own: true if it is one"
        )

    def test_it_has_no_limits_of_network_disks(self):
        with pytest.raises(TableError) as caught:
            server(disk_limits=[DiskLimit(kind="gp3")])
        assert caught.value.field == "disk_limits"


class TestBruteForce:
    @examples(200)
    @given(
        *(st.integers(1, 3) for _ in range(2)),
        *(st.none() | st.integers(1, 3) for _ in range(3)),
        st.none() | st.sampled_from([2, 10, 10.1, 30]),
    )
    def test_it_is_enough_where_nothing_known_is_too_little(self, vcpus, memory, iops, bandwidth, sequential, fsync):
        need = Need(tier="t", vcpus=2, memory_gib=2, concurrent_iops=2, disk_mb_per_second=2, data_bytes=1)
        one = server(vcpus=vcpus, memory_gib=memory, iops=iops, bandwidth=bandwidth,
                     sequential=sequential and sequential * 25, fsync=fsync)  # fmt: skip
        short = (
            min(vcpus, memory) < 2
            or (iops is not None and iops < 2)
            or (bandwidth is not None and bandwidth < 2)
            or sequential == 1
            or (fsync is not None and fsync > 10)
        )
        found = fit(need, catalog(one))
        assert bool(found.candidates) == (not short and iops is not None and bandwidth is not None)
        if not found.candidates:
            assert found.rejected[0].code == ("too-little" if short else "unknown-figure")


class TestCapacity:
    def capacity(self, one):
        return capacities(catalog(one), GUIDE)[0]

    def test_bare_metal_counts(self):
        assert self.capacity(server(bare_metal=True)) == Capacity(3, 3)

    def test_slow_fsyncs_are_too_slow_for_any_tier(self):
        place = MACHINE_FIGURES.index("fsync_p99_ms")
        assert self.capacity(server(fsync=25)) == Capacity(BELOW, BELOW, "", place, 2.5)

    def test_few_sequential_writes_are_enough_for_medium(self):
        assert self.capacity(server(sequential=499)).tier == 1
        place = MACHINE_FIGURES.index("sequential_iops")
        assert self.capacity(server(sequential=25)) == Capacity(BELOW, BELOW, "", place, 2)

    def test_what_was_not_measured(self):
        found = self.capacity(server(vcpus=8, iops=None))
        assert (found.tier, found.most) == (None, 2)
        assert found.reason.startswith("has a disk that was not measured")
        assert self.capacity(server(iops=None, bandwidth=50)).most == 0


class TestAudit:
    def test_verdicts(self):
        fleet = audit(
            ["r640", "slow", "blank", "blank"], [50, 50, 50, 600], 100, 50e6,
            catalog=catalog(server(), server("slow", fsync=40), server("blank", 4, 16, None, None)),
        )  # fmt: skip
        assert fleet.verdicts.tolist() == ["over", "under", "unknown", "under"]
        assert (fleet[1].decided_by, fleet[1].utilization) == ("fsync_p99_ms", 4)
        assert fleet[2].reason == (
            "blank: has a disk that was not measured: etcdsize catalog from-fio --help says how to measure it"
        )

    @pytest.mark.parametrize("arch", ["x86_64", None])
    def test_a_catalog_in_which_nothing_is_enough(self, arch):
        """There are verdicts, and no recommendation."""
        small = server("tiny", 1, 2, 100, 10).model_copy(update={"arch": arch})
        fleet = audit(["tiny", "tiny"], [50, 600], 100, 50e6, catalog=catalog(small))
        assert fleet.verdicts.tolist() == ["under", "under"]
        assert fleet.recommended_machines.tolist() == [None, None]


class TestAuditOfAnUnpublishedLimit:
    """The disk of such a machine is unknown; its vCPUs and its memory may show that it is too small."""

    def test_verdicts(self):
        one = Machine(provider="aws", machine_type="s5", vcpus=4, memory_gib=16, arch="x86_64")
        fleet = audit(["s5", "s5"], [50, 600], 100, 50e6, catalog=catalog(one))
        assert fleet.verdicts.tolist() == ["unknown", "under"]
        assert fleet[0].reason == "s5: its own limit for network disks is not published"

    def test_a_recommended_machine_says_so(self):
        kind = {"included_iops": 9000, "iops_per_gib": 0, "max_iops": 9000, "included_mb_per_second": 200,
                "mb_per_second_per_gib": 0, "mb_per_second_per_iops": 0, "max_mb_per_second": 200}  # fmt: skip
        sizes = ((2, 4), (4, 16), (8, 32))
        machines = [
            Machine(provider="aws", machine_type=f"s{vcpus}", vcpus=vcpus, memory_gib=gib, arch="x86_64")
            for vcpus, gib in sizes
        ]
        ours = Catalog(
            name="ours", machines=machines, disk_kinds=[DiskKind(provider="aws", kind="ssd", media="ssd", **kind)]
        )
        one = audit(["s2"], [300], 100, 50e6, catalog=ours)[0]
        assert (one.verdict, one.recommended_machine.machine_type) == ("under", "s4")
        assert not one.recommended_machine.limit_known
        assert one.reason == "the recommended machine's own limit for network disks is not published"
