"""How long do a restart, a defragmentation, a snapshot, a restore and a compaction take, by the size of the file?

The data lies on the disk of the directory for temporary files, whose speed is measured beside it; the file is in the
page cache. Other programs slow all of this: the load average stands in each row. The coefficients are processor time,
or what an operation takes beside the disk: the model adds what the disk takes.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, least, measured, undisturbed, widened
from benchmarks.resources.file_size import IN_USE, SIZE
from benchmarks.resources.member import Member
from etcdsize.calibration.disk_speed import disk_mb_per_second, timed
from etcdsize.calibration.load import committed, put_in_transactions

_MB = 1e6
# How often the disk moves the file: a snapshot reads it, a restore and a defragmentation read and write it.
_SNAPSHOT_COPIES, _COPIES = 1, 2
_CHOSEN = "the range is our choice"
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
    tool = [row.outputs[f"{name}_seconds"] for name in ("snapshot", "restore") for row in empty]
    copying = _beside_the_disk("defragment", full, _COPIES)
    saving = _beside_the_disk("snapshot", full, _SNAPSHOT_COPIES, statistics.median(tool))
    restoring = _beside_the_disk("restore", full, _COPIES, statistics.median(tool))
    beside = f"beside the disk, which is added, at most the processor time; {_CHOSEN}"
    return {
        "restart_per_revision": undisturbed([a_revision * one for one in spread], "s", full, note),
        "restart_per_mb": undisturbed([a_mb * one for one in spread], "s", full, note),
        "defragment_per_mb": widened(_up_to(least(_busy("defragment", full), "s", full, note), copying)),
        "tool_seconds": widened(measured(tool, "s", empty, f"of an empty member; {_CHOSEN}")),
        "snapshot_per_mb": widened(_up_to(measured(saving, "s", full, beside), _busy("snapshot", full))),
        "restore_per_mb": widened(_up_to(measured(restoring, "s", full, beside), _busy("restore", full))),
        "compaction_per_mb": _scanned(full),
    }


def _beside_the_disk(name: str, rows: Sequence[Row], copies: int, tool: float = 0.0) -> list[float]:
    """Return what an operation took beside its tool and the disk. [s/MB]"""
    waited = []
    for row in rows:
        disk = copies * _mb(row) / row.outputs["disk_mb_per_second"]
        waited.append(max(0.0, row.outputs[f"{name}_seconds"] - tool - disk) / _mb(row))
    return waited


def _busy(name: str, rows: Sequence[Row]) -> list[float]:
    """Return the processor time of an operation. [s/MB]"""
    return [row.outputs[f"{name}_cpu_seconds"] / _mb(row) for row in rows]


def _up_to(found: Coefficient, values: Sequence[float]) -> Coefficient:
    """Return it with a range that holds these values as well."""
    return dataclasses.replace(found, high=max(found.high, float(f"{max(values):.5g}")))


def _scanned(rows: Sequence[Row]) -> Coefficient:
    """Return what a compaction takes for a megabyte of the values that it reads, beside that for a revision. [s/MB]"""
    first, second = sorted(rows, key=_mb)[-2:]
    _, a_mb = _solved(first, second, *(row.outputs["compaction_seconds"] for row in (first, second)))
    note = f"two files with values of unlike size, nothing deleted; {_CHOSEN}"
    return widened(measured([a_mb], "s", [first, second], note))


def _mb(row: Row) -> float:
    return row.outputs["file_bytes"] / _MB


def _two_costs(rows: Sequence[Row], start: float) -> tuple[float, float]:
    """Return the seconds a revision and a megabyte of the two largest files, which have values of unlike size."""
    first, second = sorted(rows, key=_mb)[-2:]
    return _solved(first, second, *(max(0.0, row.outputs["restart_cpu_seconds"] - start) for row in (first, second)))


def _solved(first: Row, second: Row, t1: float, t2: float) -> tuple[float, float]:
    """Return the seconds a revision and a megabyte that give two rows what they took."""
    (n1, m1), (n2, m2) = ((row.outputs["keys"], _mb(row)) for row in (first, second))
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
