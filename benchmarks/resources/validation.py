"""Does the model hold for loads that no coefficient was fitted to?

`validation` measures a load on a member, and `predicted` gives the model's figures for it, by the same names. No
coefficient is made of these rows: they check the model.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.connections import Watch
from benchmarks.resources.experiment import Outputs, experiment
from benchmarks.resources.member import Member
from benchmarks.resources.sampled import Sampled
from benchmarks.resources.settled import MEMORY
from benchmarks.resources.wal import records
from etcdsize import Amount, Profile, Resources, resources_for
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import key_of, put_in_transactions

__all__ = ["COMPARED", "WORKLOADS", "predicted", "profile_of", "validation"]

SNAPSHOT_COUNT = 1_000
"""Small, so that a run of a minute fills the raft log as a long one does."""
_FSYNC_SECONDS = 0.0001
"""The log lies in memory, where an fsync takes next to nothing."""
_UNDER_WAY = 32

COMPARED = {
    "high_water_bytes": "file.high_water_bytes",
    "in_use_bytes": "file.in_use_bytes",
    "wal_bytes_per_second": "disk.wal_bytes_per_second",
    "heap_bytes": "memory.heap_bytes",
    "peak_bytes": "memory.steady_bytes",
}
"""What a run measures, and the model's figure that predicts it."""


def _workload(
    name: str,
    keys: int,
    value_bytes: int,
    *,
    key_bytes: int = 50,
    writes: int = 100,
    updates: float = 3,
    kept: float = 0.25,
    puts: int = 1,
    clients: int = 1,
    streams: int = 0,
    watch_all: bool = False,
    lists: int = 0,
) -> dict[str, Any]:
    """Return the inputs of a run: `updates` and `kept`, the updates between two compactions, are shares of the keys.

    Each stream watches a key of its own, or all of them.
    """
    return {
        "name": name,
        "keys": keys,
        "key_bytes": key_bytes,
        "value_bytes": value_bytes,
        "writes_per_second": writes,
        "updates": int(keys * updates),
        "kept": int(keys * kept),
        "puts": puts,
        "clients": clients,
        "streams": streams,
        "watch_all": watch_all,
        "lists": lists,
    }


WORKLOADS = [
    _workload("small values", 30_000, 60, key_bytes=24, writes=300),
    _workload("a registry", 9_000, 240, writes=200, clients=80, streams=80),
    _workload("half a kilobyte", 20_000, 520, writes=250, kept=0.4),
    _workload("written slowly", 8_000, 900, writes=10, kept=0.5),
    _workload("a kilobyte and a half", 15_000, 1_400, key_bytes=80, writes=120),
    _workload("beside a page", 10_000, 2_300, writes=60, kept=0.3, clients=10, streams=30),
    _workload("pods", 6_000, 6_000, key_bytes=62, writes=80, kept=0.4, clients=4, streams=8, watch_all=True),
    _workload("large pods", 2_000, 14_000, key_bytes=62, writes=50, kept=0.5, streams=6, watch_all=True),
    _workload("a hundred kilobytes", 300, 100_000, writes=20, updates=5, kept=1.5),
    _workload("a long history", 3_000, 3_100, writes=150, updates=12, kept=3),
    _workload("transactions", 40_000, 350, writes=40, puts=12),
    _workload("listed", 12_000, 800, writes=50, lists=2),
]


def profile_of(inputs: Mapping[str, Any]) -> Profile:
    """Return the profile of a run: what its clients know, and nothing that etcd has reported."""
    puts = inputs["writes_per_second"] * inputs["puts"]
    return Profile(
        clients=inputs["clients"],
        keys=inputs["keys"],
        key_bytes=inputs["key_bytes"],
        value_bytes=inputs["value_bytes"],
        largest_value_bytes=inputs["value_bytes"],
        writes_per_second=inputs["writes_per_second"],
        reads_per_second=0,
        puts_per_transaction=inputs["puts"],
        puts_per_commit=_per_commit(inputs),
        # The most that is kept is what was written since the compaction before the last.
        history_seconds=2 * inputs["kept"] / puts,
        watch_streams=inputs["streams"],
        watchers=inputs["streams"],
        watch_events_per_second=puts * inputs["streams"] / (1 if inputs["watch_all"] else inputs["keys"]),
        list_keys=inputs["keys"] if inputs["lists"] else 0,
        concurrent_lists=inputs["lists"],
        leases=0,
        tls=False,
    )


def predicted(version: str, inputs: Mapping[str, Any]) -> dict[str, Amount]:
    """Return the model's figures, by the names that a run measures."""
    found = resources_for(
        profile_of(inputs), etcd_version=version, snapshot_count=SNAPSHOT_COUNT, fsync_seconds=_FSYNC_SECONDS
    )
    return {name: _figure(found, path) for name, path in COMPARED.items()}


def _figure(found: Resources, path: str) -> Amount:
    group, _, name = path.partition(".")
    figure = getattr(getattr(found, group), name)
    return Amount(low=figure.low, likely=figure.likely, high=figure.high)


def _per_commit(inputs: Mapping[str, Any]) -> int:
    """Return how many puts there are in a commit: etcd commits ten times a second."""
    return max(1, inputs["writes_per_second"] * inputs["puts"] // 10)


@experiment("how far the model is from loads that no coefficient was fitted to", WORKLOADS, short=3)
def validation(program: str, seconds: float = 60, **inputs: Any) -> Outputs:
    """Return what a member takes of a load of `WORKLOADS`, after so many seconds of steady traffic."""
    keys, key_bytes, puts = inputs["keys"], inputs["key_bytes"], inputs["puts"]
    value = bytes(inputs["value_bytes"])
    order = random.Random(7)
    # Written as fast as etcd takes it, but committed as densely as at its own rate. The whole log is kept, to be read.
    flags = [f"--backend-batch-limit={_per_commit(inputs)}", "--max-wals=0"]
    found: Outputs = {}
    with Member(program, flags, snapshot_count=SNAPSHOT_COUNT, folder=MEMORY) as member, ExitStack() as open_streams:

        def update(_: int) -> Any:
            chosen = [key_of(order.randrange(keys), key_bytes) for _ in range(puts)]
            if puts == 1:
                return member.kv.Put.future(rpc_pb2.PutRequest(key=chosen[0], value=value))
            # A transaction must not write a key more than once.
            operations = [
                rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, value=value)) for key in sorted(set(chosen))
            ]
            return member.kv.Txn.future(rpc_pb2.TxnRequest(success=operations))

        if puts == 1:
            keep_under_way(
                lambda number: member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number, key_bytes), value=value)),
                _UNDER_WAY,
                requests=keys,
            )
        else:
            put_in_transactions(member, range(keys), key_bytes, value, puts)
        compacted, written, high_water = member.revision(), 0, 0.0
        while written < inputs["updates"]:
            count = min(inputs["kept"], inputs["updates"] - written)
            keep_under_way(update, _UNDER_WAY, requests=-(-count // puts))
            written += count
            high_water = max(high_water, member.metrics()["etcd_mvcc_db_total_size_in_bytes"])
            member.compact(compacted)
            compacted = member.revision()
        high_water = max(high_water, member.metrics()["etcd_mvcc_db_total_size_in_bytes"])
        member.compact()
        _let_commit(member)
        found["high_water_bytes"] = high_water
        found["in_use_bytes"] = member.metrics()["etcd_mvcc_db_total_size_in_use_in_bytes"]
        # The garbage of this fast load is not that of the steady traffic.
        member.stop()
        member.start()
        for number in range(inputs["clients"]):
            connection = member.connect()
            open_streams.callback(connection.close)
            for _ in range(-(-(inputs["streams"] - number) // inputs["clients"])):
                watch = Watch(connection)
                own = key_of(number, key_bytes)
                watch.create([(b"/", b"0") if inputs["watch_all"] else (own, b"")])
                open_streams.callback(watch.drain().join)
                open_streams.callback(watch.close)
        # In a long run the log is full.
        keep_under_way(update, _UNDER_WAY, requests=5_200 + SNAPSHOT_COUNT)
        log_before = sum(size for _, size in records(member.data_dir))
        with Sampled(member) as sampled:
            took = _steady(member, update, inputs["writes_per_second"], seconds, inputs["lists"])
        log_after = sum(size for _, size in records(member.data_dir))
        found["wal_bytes_per_second"] = (log_after - log_before) / took
        found["peak_bytes"] = sampled.most
        found["heap_bytes"] = member.live_heap()
    return found


def _steady(member: Member, update: Any, writes_per_second: int, seconds: float, lists: int) -> float:
    """Send writes one by one at their rate, and lists one after the other; return how long that took. [s]"""
    command = [sys.executable, "-m", "benchmarks.resources.lister", str(member.port), str(seconds)]
    listers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(lists)]
    try:
        began = time.monotonic()
        waiting: deque[Any] = deque()
        for number in range(int(seconds * writes_per_second)):
            waiting.append(update(number))
            if len(waiting) > _UNDER_WAY:
                waiting.popleft().result()
            time.sleep(max(0.0, began + (number + 1) / writes_per_second - time.monotonic()))
        for answer in waiting:
            answer.result()
        return time.monotonic() - began
    finally:
        for lister in listers:
            lister.terminate()
            lister.wait()


def _let_commit(member: Member) -> None:
    """Wait until etcd has committed what is pending, and has freed its pages."""
    for _ in range(3):
        member.kv.Put(rpc_pb2.PutRequest(key=b"!", value=b"1"))
        time.sleep(0.15)
