"""After a calibration on a slow disk, what a load takes there is predicted within 30 %.

A restart is within 30 % of its range: it waits for an election, which takes up to a second by chance.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from etcds import needed
from needs import leave_out

from etcdsize import Profile, calibrate, resources_for
from etcdsize.calibration.disk_speed import timed
from etcdsize.calibration.experiments import restart
from etcdsize.calibration.load import committed, put_in_transactions
from etcdsize.calibration.member import Member
from etcdsize.calibration.write_rate import write_rate

DELAY_MS = 5
KEYS, REPLACED, KEY, VALUE = 40_000, 20_000, 64, 1_500
CLIENTS = 16
# The last 200 s of the writes are history.
LOAD = Profile(
    keys=KEYS,
    key_bytes=KEY,
    value_bytes=VALUE,
    clients=CLIENTS,
    writes_per_second=REPLACED / 200,
    history_seconds=200,
    puts_per_commit=500,
)
# Few entries stay in the log, which a restart reads.
SNAPSHOT_COUNT = 10
TIMES = 5


def slow_etcd(folder: Path, etcd: str) -> str:
    """Return a script that runs an etcd with every fdatasync delayed."""
    strace = shutil.which("strace")
    if strace is None:
        leave_out("strace: not found; it delays fdatasync, and its package has the same name")
    file = folder / "slow-etcd"
    delay = f"-e trace=fdatasync -e inject=fdatasync:delay_exit={DELAY_MS * 1000}"
    file.write_text(f'#!/bin/sh\nexec {strace} -f -qq --seccomp-bpf -o /dev/null {delay} {shlex.quote(etcd)} "$@"\n')
    file.chmod(0o755)
    return str(file)


def predicted(slow: str, folder: Path) -> dict[str, tuple[float, float, float]]:
    """Return what a calibrated model gives for the load: low, likely and high."""
    model = calibrate(slow, date="2026-11-27", data_dir=folder, minutes=0.75)
    assert model.disk is not None
    assert model.disk.fsync_seconds > DELAY_MS / 1000
    assert {"write_wait_fsyncs", "restart_per_mb", "defragment_per_mb", "compaction_per_batch"} <= set(model.calibrated)
    found = resources_for(LOAD, etcd_version=model.etcd_version, snapshot_count=SNAPSHOT_COUNT, model=model)
    assert found.disk.writes_possible_per_second is not None
    figures = {
        "writes a second": found.disk.writes_possible_per_second,
        "restart": found.seconds.restart,
        "defragment": found.seconds.defragment,
        "compaction": found.seconds.compaction,
    }
    return {name: (figure.low, figure.likely, figure.high) for name, figure in figures.items()}


def measured(slow: str, folder: Path) -> dict[str, float]:
    """Return what the load takes; of several times the best, because other programs only slow it down."""
    # A snapshot each few entries would take fsyncs of its own.
    with Member(slow, folder=folder) as member:
        found = {"writes a second": max(write_rate(member, CLIENTS, seconds=1.5).writes_per_second for _ in range(4))}
    with Member(slow, snapshot_count=SNAPSHOT_COUNT, folder=folder) as member:
        put_in_transactions(member, range(KEYS), KEY, b"v" * VALUE, 500)
        put_in_transactions(member, range(0, KEYS, KEYS // REPLACED), KEY, b"w" * VALUE, 500)
        committed(member)
        found["restart"] = min(restart(member) for _ in range(TIMES))
        found["defragment"] = min(member.defragment() for _ in range(TIMES))
        found["compaction"] = timed(member.compact)
    return found


@pytest.mark.bench
def test_writes_and_seconds_are_predicted_within_30_percent(tmp_path: Path) -> None:
    slow = slow_etcd(tmp_path, needed("3.6")[0])
    expected, found = predicted(slow, tmp_path), measured(slow, tmp_path)
    both = {name: (found[name], *expected[name]) for name in found}
    outside = [name for name, (value, low, _, high) in both.items() if not 0.7 * low <= value <= 1.3 * high]
    assert not outside, both
    for name in ("writes a second", "defragment", "compaction"):
        assert found[name] == pytest.approx(expected[name][1], rel=0.3), both
