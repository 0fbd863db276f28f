"""How many writes a second a member completes for clients that wait for their answers, and what its disk takes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aetcd.rpc import rpc_pb2

from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import key_of
from etcdsize.calibration.member import Member

__all__ = ["WriteRate", "write_rate"]

_SYNC = "etcd_disk_wal_fsync_duration_seconds"
_COMMIT = "etcd_disk_backend_commit_duration_seconds"
_WARM_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class WriteRate:
    """What clients that write at once leave in the metrics, over the seconds that they wrote."""

    clients: int
    writes_per_second: float
    syncs_per_second: float
    fsync_seconds: float
    fsync_p99_seconds: float
    commits_per_second: float
    commit_seconds: float
    cpu_microseconds: float
    """The processor time of a write. [us]"""

    @property
    def waits(self) -> float:
        """How many fsyncs a write waits for. [count]"""
        return self.clients / (self.writes_per_second * self.fsync_seconds)

    @property
    def disk_share(self) -> float:
        """The share of the time in which the log waits for the disk. [1]"""
        return self.syncs_per_second * self.fsync_seconds

    @property
    def loop_seconds(self) -> float:
        """What a pass of the raft loop takes beside its fsync. [s]"""
        return max(0.0, 1 / self.syncs_per_second - 1 / self.writes_per_second - self.fsync_seconds)


def write_rate(member: Member, clients: int, *, seconds: float = 3, value_bytes: int = 100) -> WriteRate:
    """Return the rate of clients that put a thousand keys of 64 bytes again and again."""
    value = b"v" * value_bytes

    def send(number: int) -> Any:
        return member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number % 1000, 64), value=value))

    keep_under_way(send, clients, seconds=_WARM_SECONDS)
    before, first, cpu = member.metrics(), member.revision(), member.cpu_seconds()
    took = keep_under_way(send, clients, seconds=seconds)
    busy, found, writes = member.cpu_seconds() - cpu, member.metrics(), member.revision() - first
    added = {name: found[name] - before.get(name, 0.0) for name in found if name.startswith((_SYNC, _COMMIT))}
    return WriteRate(
        clients=clients,
        writes_per_second=writes / took,
        syncs_per_second=added[f"{_SYNC}_count"] / took,
        fsync_seconds=added[f"{_SYNC}_sum"] / added[f"{_SYNC}_count"],
        fsync_p99_seconds=_quantile(added, 0.99),
        commits_per_second=added[f"{_COMMIT}_count"] / took,
        commit_seconds=added[f"{_COMMIT}_sum"] / max(1.0, added[f"{_COMMIT}_count"]),
        cpu_microseconds=busy / writes * 1e6,
    )


def _quantile(added: Mapping[str, float], share: float) -> float:
    """Return a quantile of the fsyncs, interpolated in its bucket as Prometheus does. [s]"""
    bounds = [
        (float(found[1].replace("+Inf", "inf")), count)
        for name, count in added.items()
        if (found := re.fullmatch(rf'{_SYNC}_bucket{{le="(.+)"}}', name))
    ]
    bounds.sort()
    rank, below, below_count = share * bounds[-1][1], 0.0, 0.0
    for bound, count in bounds:
        if count >= rank:
            return (
                below if bound == math.inf else below + (bound - below) * (rank - below_count) / (count - below_count)
            )
        below, below_count = bound, count
    return below
