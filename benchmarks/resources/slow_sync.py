"""How many writes a second does a disk allow, by the time of its fdatasync and the clients that write at once?

strace delays each fdatasync of a member whose data lies in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.write_rate import write_rate

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
    with Member(program, wrapper=wrapper, folder=MEMORY) as member:
        return asdict(write_rate(member, clients))
