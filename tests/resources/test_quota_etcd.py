"""The quota that we set holds the load on a real etcd; one of nine tenths of the data's own size does not."""

from __future__ import annotations

import grpc
import pytest
from aetcd.rpc import rpc_pb2
from etcds import ETCDS, needed
from real_loads import RealLoad, stored_keys

from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize import resources_for, settings_for, size
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES
from etcdsize.resources.file_size import LEAST_HEADROOM

LOADS = [
    RealLoad("16 B", 6_000, 16),
    RealLoad("16 B in transactions", 30_000, 16, puts=100, per_commit=100),
    RealLoad("60 B updated", 2_500, 60, key_bytes=24, updates=5_000, kept=1_250),
    RealLoad("100 B", 3_000, 100),
    RealLoad("100 B in transactions", 30_000, 100, puts=50, per_commit=50),
    RealLoad("300 B updated in transactions", 10_000, 300, puts=10, updates=20_000, kept=4_000),
    RealLoad("1 kB, a commit each", 2_000, 1_000, per_commit=1),
    RealLoad("1 kB, 100 a commit", 4_000, 1_000, per_commit=100),
    RealLoad("1 kB in transactions", 10_000, 1_000, puts=20, per_commit=20),
    RealLoad("1 kB updated in transactions", 5_000, 1_000, puts=20, per_commit=20, updates=15_000, kept=2_500),
    RealLoad("2 kB, a commit each", 1_500, 2_000, per_commit=1),
    RealLoad("2.3 kB updated", 1_500, 2_300, updates=3_000, kept=750),
    RealLoad("4 kB", 2_000, 4_000),
    RealLoad("4 kB with a long history", 500, 4_000, updates=4_000, kept=1_000),
    RealLoad("8 kB updated in transactions", 1_500, 8_000, puts=5, updates=6_000, kept=1_000),
    RealLoad("10 kB, 100 a commit", 1_500, 10_000, per_commit=100),
    RealLoad("16 kB updated", 1_000, 16_000, updates=3_000, kept=500),
    RealLoad("30 kB, a commit each", 500, 30_000, per_commit=1),
    RealLoad("8 kB in transactions", 2_400, 8_000, puts=4, per_commit=4),
    RealLoad("100 kB updated, a commit each", 200, 100_000, per_commit=1, updates=900, kept=300),
    RealLoad("16 B, a commit each", 6_000, 16, per_commit=1),
    RealLoad("50 kB updated in transactions", 600, 50_000, puts=4, per_commit=4, updates=1_200, kept=300),
]
# One patch of every other minor version.
OTHERS = [(etcd, LOADS[9]) for etcd in ETCDS if etcd not in ("3.6", "3.5.1")]
RUNS = [*(("3.6", load) for load in LOADS), *OTHERS]
LARGE = RealLoad("1 MB, 2.2 GB in all", 2_150, 1_000_000)


def member(etcd: str, load: RealLoad, quota_bytes: int, **options: int) -> Member:
    return Member(needed(etcd)[0], load.flags, quota_bytes=quota_bytes, folder=MEMORY, **options)


def alarms(running: Member) -> list[int]:
    """Return the alarms that a member lists."""
    asked = rpc_pb2.AlarmRequest(action=rpc_pb2.AlarmRequest.GET)
    return [each.alarm for each in running.maintenance.Alarm(asked).alarms]


@pytest.mark.slow
class TestOurQuota:
    """Maintenance guide: beyond the quota of the backend, etcd raises the alarm NOSPACE and refuses all writes."""

    @pytest.mark.parametrize(("etcd", "load"), RUNS, ids=[f"{etcd}: {load.name}" for etcd, load in RUNS])
    def test_the_quota_for_its_file_holds_the_whole_load(self, etcd, load):
        version = str(needed(etcd)[1])
        found = resources_for(load.profile, etcd_version=version)
        assert load.data_bytes < found.file.high_water_bytes.need < found.quota_bytes / (1 + LEAST_HEADROOM)
        with member(etcd, load, int(found.file.high_water_bytes.need * (1 + LEAST_HEADROOM))) as running:
            load.write(running)
            assert stored_keys(running) == load.keys
            assert running.revision() == 1 + (load.keys + load.updates) // load.puts
            assert alarms(running) == []

    @pytest.mark.parametrize("load", LOADS, ids=[load.name for load in LOADS])
    def test_nine_tenths_of_the_data_stop_it(self, load):
        with member("3.6", load, load.data_bytes * 9 // 10) as running:
            with pytest.raises(grpc.RpcError) as caught:
                load.write(running)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "database space exceeded" in caught.value.details()
            assert alarms(running) == [rpc_pb2.NOSPACE]
            assert stored_keys(running) < load.keys

    def test_the_quota_that_settings_write_for_two_gigabytes_holds_them(self):
        quota = settings_for(size(LARGE.profile), etcd_version="3.6").quota_backend_bytes
        assert quota > DEFAULT_QUOTA_BYTES
        # Its raft log would hold everything a second time.
        with member("3.6", LARGE, quota, snapshot_count=100, catch_up=10) as running:
            LARGE.write(running)
            assert stored_keys(running) == LARGE.keys
            assert alarms(running) == []
            assert running.metrics()["etcd_mvcc_db_total_size_in_bytes"] > DEFAULT_QUOTA_BYTES
