"""One tier's load on three members: what the clients see, and what the members take."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Outputs
from benchmarks.resources.member import Member
from benchmarks.resources.network import leader_of, three_members
from benchmarks.resources.sampled import Sampled
from etcdsize import Profile, Resources, resources_for
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import key_of, put_in_transactions

__all__ = ["LEVELS", "SECONDS", "carried", "predicted"]

KEY_BYTES, VALUE_BYTES = 50, 1_000
WRITE_SHARE = 0.1
"""One request in ten writes: our choice, as the guide does not say, and the model's where nothing else is known."""
SECONDS = 30
_STEP_SECONDS = 8
_CARRIED_SHARE = 0.98
_PUTS = 100
_SNAPSHOT_COUNT = 10_000
_FLUSHING = 16_000
"""Single writes that push the large transactions of the loading out of the raft log, at any version's length."""

LEVELS: Sequence[Mapping[str, Any]] = (
    {"tier": "small", "clients": 100, "requests": [200], "data_bytes": 100_000_000},
    {"tier": "medium", "clients": 500, "requests": [1_000], "data_bytes": 500_000_000},
    {
        "tier": "large",
        "clients": 1_500,
        "requests": [1_000, 2_000, 4_000, 6_000, 8_000, 10_000],
        "data_bytes": 1_000_000_000,
    },
)
"""The bounds of the guide's tiers. Where there are several rates, each is tried until one is not carried."""


def carried(program: str, clients: int, requests: Sequence[int], data_bytes: int, **_: str) -> Outputs:
    """Return what a cluster takes of the load of a tier, all clients on its leader."""
    keys = data_bytes // (KEY_BYTES + VALUE_BYTES)
    with ExitStack() as stack:
        # On the disk, for its fsyncs are a part of the question.
        members = three_members(program, stack, folder=None)
        put_in_transactions(leader_of(members), range(keys), KEY_BYTES, bytes(VALUE_BYTES), _PUTS)
        _settle(members, keys)
        found: Outputs = {}
        for rate in requests:
            tried = _under_traffic(members, keys, clients, rate, SECONDS if len(requests) == 1 else _STEP_SECONDS)
            if tried["failed"] or tried["requests_per_second"] < _CARRIED_SHARE * rate:
                return {**(found or tried), "not_carried_per_second": rate}
            found = tried
    return found


def _settle(members: Sequence[Member], keys: int) -> None:
    """Leave the cluster as a steady load of single writes does, and its members as after a rolling restart."""
    leader, value = leader_of(members), bytes(VALUE_BYTES)
    keep_under_way(
        lambda number: leader.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number % keys, KEY_BYTES), value=value)),
        64,
        requests=_FLUSHING,
    )
    leader.compact()
    for member in members:
        member.stop()
        member.start()


def _under_traffic(members: Sequence[Member], keys: int, clients: int, rate: int, seconds: float) -> Outputs:
    leader = leader_of(members)
    followers = [member for member in members if member is not leader]
    options = {
        "port": leader.port,
        "clients": clients,
        "keys": keys,
        "key-bytes": KEY_BYTES,
        "value-bytes": VALUE_BYTES,
        "requests": rate,
        "write-share": WRITE_SHARE,
        "seconds": seconds,
    }
    command = [
        sys.executable,
        "-m",
        "benchmarks.tiers.traffic",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    before = leader.metrics()
    cpu = [member.cpu_seconds() for member in (leader, *followers)]
    with Sampled(leader) as memory, Sampled(followers[0]) as followers_memory:
        said = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds * 4 + 60).stdout
    clients_saw: Outputs = json.loads(said)
    took = clients_saw["seconds"]
    used = [(member.cpu_seconds() - earlier) / took for member, earlier in zip((leader, *followers), cpu, strict=True)]
    after = leader.metrics()
    fsyncs = ("etcd_disk_wal_fsync_duration_seconds_count", "etcd_disk_backend_commit_duration_seconds_count")
    return {
        **clients_saw,
        "asked_per_second": rate,
        "leader_cores": used[0],
        "follower_cores": max(used[1:]),
        "leader_memory_bytes": memory.most,
        "follower_memory_bytes": followers_memory.most,
        "file_bytes": after["etcd_mvcc_db_total_size_in_bytes"],
        "wal_fsyncs_per_second": (after[fsyncs[0]] - before[fsyncs[0]]) / took,
        "commits_per_second": (after[fsyncs[1]] - before[fsyncs[1]]) / took,
        "wal_fsync_p99_ms": 1e3 * _percentile(before, after, "etcd_disk_wal_fsync_duration_seconds_bucket", 0.99),
    }


def _percentile(before: Mapping[str, float], after: Mapping[str, float], name: str, share: float) -> float:
    """Return the bound of the histogram's bucket that the share falls into."""
    counts = {
        float(sample.split('le="')[1].split('"')[0]): count - before.get(sample, 0)
        for sample, count in after.items()
        if sample.startswith(name + "{")
    }
    total = max(counts.values())
    return min(bound for bound, count in counts.items() if count >= share * total)


def predicted(version: str, inputs: Mapping[str, Any], measured: Mapping[str, float]) -> Resources:
    """Return what the model says of the load, at the rate that was carried."""
    rate = measured["requests_per_second"]
    writes = WRITE_SHARE * rate
    return resources_for(
        Profile(
            clients=inputs["clients"],
            keys=inputs["data_bytes"] // (KEY_BYTES + VALUE_BYTES),
            key_bytes=KEY_BYTES,
            value_bytes=VALUE_BYTES,
            largest_value_bytes=VALUE_BYTES,
            writes_per_second=writes,
            reads_per_second=rate - writes,
            puts_per_transaction=1,
            puts_per_commit=_PUTS,
            # Nothing is compacted in the run.
            history_seconds=measured["seconds"],
            watchers=0,
            watch_streams=0,
            watch_events_per_second=0,
            leases=0,
            list_keys=0,
            concurrent_lists=0,
            tls=False,
        ),
        etcd_version=version,
        snapshot_count=_SNAPSHOT_COUNT,
        fsync_seconds=measured["wal_fsync_p99_ms"] / 1e3,
    )
