"""What the measured model's figures are as those of a machine and a disk, computed by hand from figures of ours."""

from __future__ import annotations

import pytest
from calibrated import model_with

from etcdsize import Need, Profile, Workload, load_tiers, resources_for
from etcdsize.fitting.load_need import (
    disk_need,
    disk_need_for,
    file_text,
    load_need,
    memory_text,
    tier_disk,
)
from etcdsize.fitting.need import DiskNeed
from etcdsize.resources.answer import DiskResources, Figure, FileResources, MemoryResources

GIB = 2**30
GUIDE = load_tiers("guide")
PLAIN = resources_for(Profile(keys=1000, value_bytes=1000), etcd_version="3.6")


def figure(need):
    """Return a figure of which only the need is this."""
    return Figure(low=need / 4, likely=need / 2, high=need * 2, need=need)


def resources(*, quota=2 * GIB, cores=0.5, memory=None, disk=None, file=None):
    """Return what a load takes with these needs; what is not named is 0, but for a disk of 8 GiB and 10 ms."""

    def figures(model, needs):
        return {name: figure((needs or {}).get(name, 0)) for name in model.model_fields}

    return PLAIN.model_copy(
        update={
            "quota_bytes": quota,
            "cpu": PLAIN.cpu.model_copy(update={"leader_cores": figure(cores)}),
            "memory": MemoryResources.model_construct(**figures(MemoryResources, memory)),
            "disk": DiskResources.model_construct(
                **figures(DiskResources, {"volume_bytes": 8 * GIB, "fsync_p99_seconds": 0.01, **(disk or {})})
            ),
            "file": FileResources.model_construct(**figures(FileResources, file)),
        }
    )


class TestLoadNeed:
    """Whole vCPUs, at least two; memory to a tenth of a GiB, and one for the system; an operation for each fsync."""

    def test_every_figure_with_its_reason(self):
        found = load_need(
            "medium",
            5e8,
            resources(
                cores=3.2,
                memory={"limit_bytes": 3.21 * GIB, "index_bytes": 2e9, "garbage_bytes": 4e8},
                disk={
                    "fsyncs_per_second": 120.4,
                    "fsync_p99_seconds": 0.0025,
                    "wal_bytes_per_second": 1.5e6,
                    "backend_bytes_per_second": 2.2e6,
                    "volume_bytes": 7.58e9,
                },
                file={"high_water_bytes": 9e8},
            ),
        )
        assert found == Need(
            tier="medium",
            vcpus=4,
            memory_gib=4.3,
            concurrent_iops=121,
            disk_mb_per_second=4,
            fsync_p99_ms=2.5,
            data_bytes=5e8,
            disk=DiskNeed(
                size_gib=8,
                quota_bytes=2 * GIB,
                because="2 GiB quota, the same again for a snapshot and a defragmentation, 1.14 GB for WAL and free "
                "space: 8 GiB",
            ),
            because={
                "vcpus": "3.2 cores of the machine that the model was measured on",
                "memory_gib": "3.45 GB (2 GB index, 900 MB file, 400 MB garbage, 147 MB other) plus 1 GiB for the "
                "system",
                "concurrent_iops": "an fsync each",
                "disk_mb_per_second": "the log and the database",
            },
            source="the measured model, etcd 3.6",
        )

    @pytest.mark.parametrize(("cores", "vcpus"), [(0, 2), (2, 2), (2.01, 3), (3, 3)])
    def test_whole_vcpus_and_at_least_two(self, cores, vcpus):
        assert load_need("small", 0, resources(cores=cores, memory={"limit_bytes": GIB})).vcpus == vcpus

    @pytest.mark.parametrize(("gib", "memory_gib"), [(1, 2), (1.1, 2.1), (1.11, 2.2), (0.01, 1.1)])
    def test_memory_is_rounded_up_to_a_tenth(self, gib, memory_gib):
        found = load_need("small", 0, resources(memory={"limit_bytes": gib * GIB}))
        assert found.memory_gib == pytest.approx(memory_gib)

    @pytest.mark.parametrize(
        ("written", "mb_per_second"), [(0, 1), (0.4e6, 1), (0.5e6, 1), (0.51e6, 2), (1e6, 2), (1.01e6, 3)]
    )
    def test_whole_mb_per_second_and_at_least_one(self, written, mb_per_second):
        """The log and the database are written to the same disk."""
        both = {"wal_bytes_per_second": written, "backend_bytes_per_second": written}
        assert load_need("small", 0, resources(disk=both)).disk_mb_per_second == mb_per_second

    def test_the_source_says_whether_the_model_is_ones_own(self):
        model = model_with("3.6.16")
        for own, words in ((None, "measured"), (model, "calibrated")):
            found = resources_for(Profile(keys=1000, value_bytes=1000), etcd_version="3.6.16", model=own)
            assert load_need("small", 0, found).source == f"the {words} model, etcd 3.6.16"

    def test_at_least_one_operation(self):
        assert load_need("small", 0, resources()).concurrent_iops == 1

    def test_no_count_is_larger_than_a_model_takes(self):
        disk = {"fsyncs_per_second": 1e30, "wal_bytes_per_second": 1e36}
        found = load_need("small", 0, resources(cores=1e30, disk=disk))
        assert (found.vcpus, found.concurrent_iops, found.disk_mb_per_second) == (2**62, 2**62, 2**62)


class TestDisk:
    """The volume of the model in whole GiB; three times the quota of it, and the rest, are named."""

    @pytest.mark.parametrize(("volume", "size"), [(8 * GIB, 8), (8 * GIB + 1, 9), (7 * GIB + 0.5, 8)])
    def test_whole_gib(self, volume, size):
        found = disk_need(resources(disk={"volume_bytes": volume}))
        assert (found.size_gib, found.quota_bytes) == (size, 2 * GIB)

    def test_the_arithmetic(self):
        found = disk_need(resources(quota=5_000_000_000, disk={"volume_bytes": 17e9}))
        assert found.because == (
            "5 GB quota, the same again for a snapshot and a defragmentation, 2 GB for WAL and free space: 16 GiB"
        )

    def test_a_load_of_which_little_is_known(self):
        """What is unknown is assumed, as for any other load."""
        cases = [
            ((4e9,), Workload(data_bytes=4e9)),
            ((4e9, 50_000.0), Workload(clients=50_000, data_bytes=4e9)),
            ((4e9, None, 50_000.0), Workload(requests_per_second=50_000, data_bytes=4e9)),
        ]
        found = [disk_need_for(*given) for given, _ in cases]
        assert found == [disk_need(resources_for(load)) for _, load in cases]
        assert found[0] != found[2]

    @pytest.mark.parametrize(
        ("tier", "load"),
        [
            ("small", (100e6, 100, 200)),
            ("medium", (500e6, 500, 1_000)),
            ("large", (1e9, 1_500, 10_000)),
            ("xlarge", (8 * GIB, 1_500, 10_000)),
        ],
    )
    def test_that_of_a_tier_is_for_its_largest_load(self, tier, load):
        """The open tier has the last bounds, and the 8 GiB that etcd suggests at most."""
        assert tier_disk(tier, GUIDE) == disk_need_for(*load)

    def test_the_largest_load_of_a_tier_needs_more_than_its_data_alone(self):
        assert tier_disk("large", GUIDE).size_gib > disk_need_for(1e9).size_gib


class TestParts:
    """An amount with its three largest parts, and the rest; what is at most a hundredth of it is left out."""

    @pytest.mark.parametrize(
        ("part", "name"),
        [
            ("index_bytes", "index"),
            ("raft_log_bytes", "raft log"),
            ("connections_bytes", "connections"),
            ("watches_bytes", "watches"),
            ("leases_bytes", "leases"),
            ("largest_commit_bytes", "largest commit"),
            ("lists_bytes", "lists"),
            ("garbage_bytes", "garbage"),
            ("stacks_bytes", "stacks"),
        ],
    )
    def test_every_part_of_the_memory(self, part, name):
        found = memory_text(resources(memory={"limit_bytes": 1e8, part: 6e7}))
        assert found == f"100 MB (60 MB {name}, 40 MB other)"

    def test_the_file_is_a_part_of_the_memory(self):
        found = memory_text(resources(memory={"limit_bytes": 1e8}, file={"high_water_bytes": 1e8}))
        assert found == "100 MB (100 MB file)"

    @pytest.mark.parametrize(
        ("parts", "text"),
        [
            ((1, 40, 30, 20), "100 MB (40 MB connections, 30 MB watches, 20 MB leases, 10 MB other)"),
            ((30, 20, 10, 40), "100 MB (40 MB leases, 30 MB raft log, 20 MB connections, 10 MB other)"),
            ((60, 39, 0, 0), "100 MB (60 MB raft log, 39 MB connections)"),
            ((60, 38, 1, 0), "100 MB (60 MB raft log, 38 MB connections)"),
            ((60, 37, 1, 1), "100 MB (60 MB raft log, 37 MB connections, 2 MB other)"),
            ((60, 38, 1.5, 0), "100 MB (60 MB raft log, 38 MB connections, 1.5 MB watches)"),
        ],
    )
    def test_the_largest_come_first(self, parts, text):
        names = ("raft_log_bytes", "connections_bytes", "watches_bytes", "leases_bytes")
        needs = {name: 1e6 * part for name, part in zip(names, parts, strict=True)}
        assert memory_text(resources(memory={"limit_bytes": 1e8, **needs})) == text

    def test_the_file(self):
        needs = {"high_water_bytes": 1e8, "in_use_bytes": 3e7, "history_bytes": 6e7}
        assert file_text(resources(file=needs)) == "100 MB (60 MB history, 30 MB in use, 10 MB other)"
