"""After a calibration on a slow disk, what a load takes there is predicted within 30 %."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

import pytest
from etcds import needed
from needs import leave_out

from etcdsize import Profile, calibrate, resources_for
from etcdsize.calibration.disk_speed import forget, timed
from etcdsize.calibration.load import committed, put_in_transactions
from etcdsize.calibration.member import Member
from etcdsize.calibration.write_rate import write_rate

DELAY_MS = 5
KEYS, REPLACED, KEY, VALUE = 40_000, 20_000, 64, 1_500


def slow_etcd(folder: Path, etcd: str) -> Path:
    """Return a script that runs an etcd with every fdatasync delayed."""
    strace = shutil.which("strace")
    if strace is None:
        leave_out("strace: not found; it delays fdatasync, and its package has the same name")
    file = folder / "slow-etcd"
    delay = f"-e trace=fdatasync -e inject=fdatasync:delay_exit={DELAY_MS * 1000}"
    file.write_text(f'#!/bin/sh\nexec {strace} -f -qq --seccomp-bpf -o /dev/null {delay} {etcd} "$@"\n')
    file.chmod(0o755)
    return file


@pytest.mark.slow
def test_writes_and_seconds_are_predicted_within_30_percent(tmp_path: Path) -> None:
    etcd, _ = needed("3.6")
    slow = str(slow_etcd(tmp_path, etcd))
    model = calibrate(slow, date="2026-11-27", data_dir=tmp_path, minutes=0.9)
    assert model.disk is not None
    assert model.disk.fsync_seconds > DELAY_MS / 1000
    assert {"write_wait_fsyncs", "election", "defragment_per_mb", "compaction_per_batch"} <= set(model.calibrated)

    # The last 200 s of the writes are history.
    load = Profile(
        keys=KEYS,
        key_bytes=KEY,
        value_bytes=VALUE,
        clients=16,
        writes_per_second=REPLACED / 200,
        history_seconds=200,
        puts_per_commit=500,
    )
    found = resources_for(load, etcd_version=model.etcd_version, snapshot_count=10, model=model)
    predicted = {
        "writes a second": found.disk.writes_possible_per_second.likely,
        "restart": found.seconds.restart.likely,
        "defragment": found.seconds.defragment.likely,
        "compaction": found.seconds.compaction.likely,
    }
    with Member(slow, snapshot_count=10, folder=tmp_path) as member:
        measured = {"writes a second": write_rate(member, 16).writes_per_second}
    with Member(slow, snapshot_count=10, folder=tmp_path) as member:
        put_in_transactions(member, range(KEYS), KEY, b"v" * VALUE, 500)
        put_in_transactions(member, range(0, KEYS, KEYS // REPLACED), KEY, b"w" * VALUE, 500)
        committed(member)
        measured["restart"] = statistics.median(restart(member) for _ in range(3))
        measured["defragment"] = statistics.median(member.defragment() for _ in range(3))
        measured["compaction"] = timed(member.compact)
    assert measured == {name: pytest.approx(value, rel=0.3) for name, value in predicted.items()}


def restart(member: Member) -> float:
    """Restart a member whose file the page cache does not hold, and return how long it took. [s]"""
    member.stop()
    forget(member.data_dir)
    member.start()
    return member.start_seconds
