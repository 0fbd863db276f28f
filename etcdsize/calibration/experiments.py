"""The short form of the experiments: each starts a member of its own, and returns what it measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aetcd.rpc import rpc_pb2

from etcdsize.calibration.disk_speed import disk_mb_per_second, forget, timed
from etcdsize.calibration.guard import Guard
from etcdsize.calibration.load import committed, put_in_transactions
from etcdsize.calibration.member import Member, version_of
from etcdsize.calibration.requests import get_keys, list_keys
from etcdsize.calibration.settle import pass_entries, settle
from etcdsize.calibration.write_rate import WriteRate, write_rate
from etcdsize.resources.size_classes import size_class

__all__ = ["EXPERIMENTS", "Experiment", "Measured", "restart"]

Measured = dict[str, float]
"""What was measured, by the name of a coefficient, or of what `fitted` makes coefficients of."""

_KEY = 64
_MB = 1e6
_BATCH = 1_000
# How often what takes little time is repeated: the least counts, because other programs only add to it.
_TIMES = 5
_SNAPSHOT_COUNT = 100
# The share of the time in which the log waits for the disk, from which on the disk decides the rate of writes (our
# choice).
_DISK_DECIDES = 0.5


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is measured, in words, and the function that measures it: its arguments are the program and a folder."""

    about: str
    measure: Callable[[str, Path], Measured]


def _disk(_program: str, folder: Path) -> Measured:
    guard = Guard(folder)
    try:
        return {"mb_per_second": disk_mb_per_second(guard.folder)}
    finally:
        guard.close()


def _writes(program: str, folder: Path) -> Measured:
    with Member(program, folder=folder) as member:
        alone = write_rate(member, 1, seconds=2)
        few, many = (_best(write_rate(member, clients, seconds=1.5) for _ in range(2)) for clients in (8, 32))
        large = write_rate(member, 32, seconds=2, value_bytes=10_000)
    found = {
        "fsync_seconds": (few.fsync_seconds + many.fsync_seconds) / 2,
        "fsync_p99_seconds": max(few.fsync_p99_seconds, many.fsync_p99_seconds),
        "cpu_put": many.cpu_microseconds,
        "cpu_put_kb": max(0.0, large.cpu_microseconds - many.cpu_microseconds) / 9.9,
        "cpu_put_alone": max(0.0, alone.cpu_microseconds - many.cpu_microseconds),
    }
    if min(few.disk_share, many.disk_share) >= _DISK_DECIDES:
        found["write_wait_fsyncs"] = (few.waits + many.waits) / 2
        found["wal_loop_seconds"] = many.loop_seconds
    return found


def _best(rates: Iterable[WriteRate]) -> WriteRate:
    """Return the highest of some rates: other programs only lower them."""
    return max(rates, key=lambda one: one.writes_per_second)


def _empty_member(program: str, folder: Path) -> Measured:
    keys = 20_000
    with _settled(program, folder) as member:
        # With a snapshot on disk, every version waits one tick at least and ten at most for its election.
        pass_entries(member, _SNAPSHOT_COUNT + 20)
        found = {"empty_restart_seconds": min(restart(member) for _ in range(_TIMES))}
        time.sleep(1)
        found["heap_base"] = member.live_heap()
        found["stack_base"] = member.metrics()["go_memstats_stack_inuse_bytes"]
        before = settle(member)
        put_in_transactions(member, range(keys), _KEY, b"0123456789", 500)
        found["index_per_key"] = (settle(member) - before) / keys - size_class(_KEY)
    return found


def restart(member: Member) -> float:
    """Restart a member whose files the page cache does not hold, and return how long that takes. [s]"""
    member.stop()
    forget(member.data_dir)
    member.start()
    return member.start_seconds


def _settled(program: str, folder: Path) -> Member:
    """Return a member that keeps as little of its log as its version can."""
    kept = None if version_of(program).startswith("3.4.") else 1
    return Member(program, snapshot_count=_SNAPSHOT_COUNT, catch_up=kept, folder=folder)


def _stored_file(program: str, folder: Path) -> Measured:
    keys, value = 60_000, b"v" * 1_000
    again = [number for number in range(keys) if number % 5 in (0, 2)]
    # Few entries stay in the WAL, which a restart reads.
    with Member(program, snapshot_count=10, folder=folder) as member:
        put_in_transactions(member, range(keys), _KEY, value, 500)
        put_in_transactions(member, again, _KEY, value, 500)
        before = committed(member)
        seconds = timed(member.compact)
        batches = (keys + len(again)) / _BATCH
        found = {
            "batches": batches,
            "batch_seconds": seconds / batches,
            "compaction_commits": (committed(member)[_COMMITS] - before[_COMMITS]) / batches,
        }
        size = committed(member)
        found["in_use_mb"] = size[_IN_USE] / _MB
        cpu = member.cpu_seconds()
        found["defragment_seconds"] = min(member.defragment() for _ in range(_TIMES))
        found["defragment_cpu_seconds"] = (member.cpu_seconds() - cpu) / _TIMES
        found["file_mb"] = member.metrics()[_SIZE] / _MB
        forget(member.data_dir)
        found["snapshot_seconds"] = timed(lambda: _read_snapshot(member))
        found["restart_seconds"] = min(restart(member) for _ in range(_TIMES))
        found["revisions"] = keys
    return found


_SIZE, _IN_USE = "etcd_mvcc_db_total_size_in_bytes", "etcd_mvcc_db_total_size_in_use_in_bytes"
_COMMITS = "etcd_disk_backend_commit_duration_seconds_count"


def _read_snapshot(member: Member) -> None:
    for _ in member.maintenance.Snapshot(rpc_pb2.SnapshotRequest()):
        pass


def _reads(program: str, folder: Path) -> Measured:
    keys = 20_000
    with Member(program, folder=folder) as member:
        put_in_transactions(member, range(keys), _KEY, b"v" * 100, 500)
        # What was loaded fills the buffers of a commit, which 3.4 copies for each read.
        member.stop()
        member.start()
        found = {"cpu_get": get_keys(member, keys, 64, requests=3_000).microseconds}
        key = list_keys(member, times=20).microseconds
        put_in_transactions(member, range(keys), _KEY, b"v" * 2_000, 500)
        a_byte = max(0.0, list_keys(member, times=10).microseconds - key) / 1_900
    found["cpu_list_mb"] = a_byte * _MB
    found["cpu_list_key"] = max(0.0, key - (_KEY + 100) * a_byte)
    return found


EXPERIMENTS: Mapping[str, Experiment] = {
    "disk": Experiment("how fast the disk writes", _disk),
    "writes": Experiment("the rate of writes, their fsyncs and their CPU", _writes),
    "member": Experiment("an empty member, and a key in the index", _empty_member),
    "file": Experiment("compaction, defragmentation, snapshot and restart", _stored_file),
    "reads": Experiment("the CPU of reads and lists", _reads),
}
"""The experiments in the order in which they run: what matters most comes first."""
