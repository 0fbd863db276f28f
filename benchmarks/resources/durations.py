"""How long do a restart, a defragmentation, a snapshot, a restore and a compaction take, by the size of the file?

The data lies on the disk of the directory for temporary files, whose speed is measured beside it; the file is in the
page cache. Other programs slow all of this: the load average stands in each row, and the coefficients are processor
time, to which the model adds what the disk takes.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, undisturbed
from benchmarks.resources.file_size import IN_USE, SIZE
from benchmarks.resources.member import Member
from etcdsize.calibration.disk_speed import disk_mb_per_second, timed
from etcdsize.calibration.load import committed, put_in_transactions

_MB = 1e6
_LEVELS = [
    {"value_bytes": 1000, "megabytes": 0},
    {"value_bytes": 1000, "megabytes": 100},
    {"value_bytes": 1000, "megabytes": 400},
    {"value_bytes": 10_000, "megabytes": 1000},
]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    empty = [row for row in rows if not row.inputs["megabytes"]]
    full = [row for row in rows if row.inputs["megabytes"]]
    note = "processor time; the disk's is added"
    start = statistics.median(row.outputs["restart_cpu_seconds"] for row in empty)
    a_revision, a_mb = _two_costs(full, start)
    # What each restart took, over what these two costs give for it.
    spread = [max(0.0, row.outputs["restart_cpu_seconds"] - start) / _given(row, a_revision, a_mb) for row in full]
    found = {
        "election": undisturbed([row.outputs["restart_seconds"] for row in empty], "s", empty, "an empty member"),
        "restart_per_revision": undisturbed([a_revision * one for one in spread], "s", full, note),
        "restart_per_mb": undisturbed([a_mb * one for one in spread], "s", full, note),
    }
    for name in ("defragment", "snapshot", "restore"):
        each = [row.outputs[f"{name}_cpu_seconds"] / _mb(row) for row in full]
        found[f"{name}_per_mb"] = undisturbed(each, "s", full, note)
    return found


def _mb(row: Row) -> float:
    return row.outputs["file_bytes"] / _MB


def _two_costs(rows: Sequence[Row], start: float) -> tuple[float, float]:
    """Return the seconds a revision and a megabyte of the two largest files, which have values of unlike size."""
    first, second = sorted(rows, key=_mb)[-2:]
    (n1, m1, t1), (n2, m2, t2) = (
        (row.outputs["keys"], _mb(row), max(0.0, row.outputs["restart_cpu_seconds"] - start)) for row in (first, second)
    )
    determinant = n1 * m2 - n2 * m1
    a_revision = max(0.0, (t1 * m2 - t2 * m1) / determinant)
    a_mb = max(0.0, (n1 * t2 - n2 * t1) / determinant)
    return a_revision, a_mb


def _given(row: Row, a_revision: float, a_mb: float) -> float:
    return max(1e-9, row.outputs["keys"] * a_revision + _mb(row) * a_mb)


@experiment("seconds of a restart, defragmentation, snapshot, restore and compaction", _LEVELS, fit=_fit)
def durations(program: str, value_bytes: int, megabytes: int) -> Outputs:
    keys = int(megabytes * _MB / (64 + value_bytes))
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, Member(program) as member:
        folder = Path(name)
        put_in_transactions(member, range(keys), 64, b"v" * value_bytes, max(1, 1_000_000 // (64 + value_bytes)))
        size = committed(member)
        found: Outputs = {
            "keys": keys,
            "file_bytes": size[SIZE],
            "in_use_bytes": size[IN_USE],
            "load_average": load,
            **disk_speed(folder),
        }
        member.stop()
        member.start()
        found["restart_seconds"], found["restart_cpu_seconds"] = member.start_seconds, member.cpu_seconds()

        def server(name: str, work: Callable[[], object]) -> None:
            cpu = member.cpu_seconds()
            found[f"{name}_seconds"] = timed(work)
            found[f"{name}_cpu_seconds"] = member.cpu_seconds() - cpu

        saved = folder / "saved.db"
        tools = Path(program).parent
        save = [str(tools / "etcdctl"), f"--endpoints=127.0.0.1:{member.port}", "snapshot", "save", str(saved)]
        restore = str(tools / ("etcdctl" if member.minor == 4 else "etcdutl"))
        server("compaction", member.compact)
        server("defragment", member.defragment)
        server("snapshot", lambda: run(save))
        before = os.times()
        found["restore_seconds"] = timed(
            lambda: run([restore, "snapshot", "restore", str(saved), f"--data-dir={folder / 'restored'}"])
        )
        after = os.times()
        found["restore_cpu_seconds"] = (
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    return found


def disk_speed(folder: Path) -> Outputs:
    """Return how fast the disk writes a large file, and how long it takes to sync a small write."""
    rate, syncs = disk_mb_per_second(folder), []
    with (folder / "speed").open("wb", buffering=0) as out:
        for _ in range(100):
            out.write(os.urandom(4096))
            syncs.append(timed(lambda: os.fdatasync(out.fileno())))
    return {"disk_mb_per_second": rate, "disk_sync_seconds": statistics.median(syncs)}


def run(command: Sequence[str]) -> None:
    """Run one of etcd's tools."""
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "ETCDCTL_API": "3"}, timeout=120)
