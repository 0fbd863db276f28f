"""How many writes a second does a disk allow, by the time of its fdatasync and the clients that write at once?

strace delays each fdatasync of a member whose data lies in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.clients import keep_under_way
from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.load import key_of
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY

_SYNC = "etcd_disk_wal_fsync_duration_seconds"
_COMMIT = "etcd_disk_backend_commit_duration_seconds"
_CPU_BOUND = 2500  # writes a second: what strace and a client in Python reach whatever the disk

_LEVELS = [{"delay_ms": delay, "clients": clients} for delay in (2, 5, 10) for clients in (1, 8, 32)]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    slow = [row for row in rows if row.outputs["writes_per_second"] < _CPU_BOUND]
    alone = [row for row in slow if row.inputs["clients"] == 1]
    together = [row for row in slow if row.inputs["clients"] > 1]
    many = [row for row in slow if row.inputs["clients"] == 32]
    note = "fdatasync delayed by 2 to 10 ms, the least of the repeats"
    return {
        "write_wait_fsyncs": measured(_waits(together), "", together, f"8 and 32 clients, {note}"),
        "write_wait_fsyncs_alone": measured(_waits(alone), "", alone, f"one client, {note}"),
        # The least of all: a longer pass lets more writes share an fsync.
        "wal_loop_seconds": measured([min(_pass(row) for row in many)], "s", many, f"the least, 32 clients, {note}"),
    }


def _waits(rows: Sequence[Row]) -> list[float]:
    """Return how many fsyncs a write waits for, on each level; other programs only add to it."""
    found: dict[tuple[float, float], float] = {}
    for row in rows:
        level = row.inputs["delay_ms"], row.inputs["clients"]
        waits = row.inputs["clients"] / (row.outputs["writes_per_second"] * row.outputs["fsync_seconds"])
        found[level] = min(waits, found.get(level, waits))
    return list(found.values())


def _pass(row: Row) -> float:
    """Return what a pass of the raft loop takes beside its fsync. [s]"""
    between = 1 / row.outputs["syncs_per_second"] - 1 / row.outputs["writes_per_second"]
    return max(0.0, between - row.outputs["fsync_seconds"])


@experiment("writes a second that a disk allows, by its fdatasync", _LEVELS, fit=_fit, repeats=3)
def slow_sync(program: str, delay_ms: int, clients: int) -> Outputs:
    strace = shutil.which("strace")
    if strace is None:
        raise SystemExit("strace: not found; it delays fdatasync, and its package has the same name")
    delay = f"inject=fdatasync:delay_exit={delay_ms * 1000}"
    wrapper = [strace, "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", delay]
    value = b"v" * 100
    with Member(program, wrapper=wrapper, folder=MEMORY) as member:

        def send(number: int) -> Any:
            return member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number % 1000, 64), value=value))

        keep_under_way(send, clients, seconds=0.5)
        before, first = member.metrics(), member.revision()
        seconds = keep_under_way(send, clients, seconds=3)
        found, writes = member.metrics(), member.revision() - first
    added = {name: found[name] - before[name] for name in found if name.startswith((_SYNC, _COMMIT))}
    return {
        "writes_per_second": writes / seconds,
        "syncs_per_second": added[f"{_SYNC}_count"] / seconds,
        "fsync_seconds": added[f"{_SYNC}_sum"] / added[f"{_SYNC}_count"],
        "commits_per_second": added[f"{_COMMIT}_count"] / seconds,
        "commit_seconds": added[f"{_COMMIT}_sum"] / added[f"{_COMMIT}_count"],
    }
