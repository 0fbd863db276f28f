"""What does a commit of the backend write, and how often does it wait for the disk?"""

from __future__ import annotations

import itertools
import math
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.resources import pages
from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.file_size import COMMITS, EACH_TRANSACTION, IN_USE, put_until
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.load import put_in_transactions

_LEAVES_A_BRANCH = 111
_CALL = re.compile(r"(pwrite64|fdatasync)\b.* = (\d+)")  # of a thread that others interrupt, the line of its end
_KEY, _VALUE = 64, 100

_LEVELS = [{"keys": keys, "puts_per_commit": puts} for keys in (0, 20_000, 100_000) for puts in (1, 10, 100)]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    note = "beside the revisions, the last leaf, and a page for each level of the tree"
    return {
        "commit_bytes_fixed": measured([max(0.0, row.outputs["fixed_bytes"]) for row in rows], "B", rows, note),
        "commit_fsyncs": measured([row.outputs["fsyncs_per_commit"] for row in rows], "", rows),
    }


@experiment("bytes and syncs of a commit of the backend", _LEVELS, fit=_fit)
def commits(program: str, keys: int, puts_per_commit: int) -> Outputs:
    strace = shutil.which("strace")
    if strace is None:
        raise SystemExit("strace: not found; it counts what is written, and its package has the same name")
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        wrapper = [strace, "-f", "-qq", "--seccomp-bpf", "-o", str(trace), "-e", "trace=pwrite64,fdatasync"]
        with Member(program, EACH_TRANSACTION, wrapper=wrapper, folder=MEMORY) as member:
            put_in_transactions(member, range(keys), _KEY, b"v" * _VALUE, 1000)
            before, first = member.metrics(), trace.read_text()
            end = keys + 300 * puts_per_commit
            put_until(member, keys, end, _KEY, b"v" * _VALUE, itertools.repeat(puts_per_commit))
            found, after = member.metrics(), trace.read_text()
    count = found[COMMITS] - before[COMMITS]
    calls = [_CALL.search(line) for line in after[len(first) :].splitlines()]
    written = sum(int(call[2]) for call in calls if call and call[1] == "pwrite64") / count
    syncs = sum(1 for call in calls if call and call[1] == "fdatasync")
    entries = found["etcd_disk_wal_fsync_duration_seconds_count"] - before["etcd_disk_wal_fsync_duration_seconds_count"]
    levels = math.log(max(1.0, found[IN_USE] / pages.PAGE)) / math.log(_LEAVES_A_BRANCH)
    element = pages.element_bytes(_KEY, _VALUE, revision=end)
    revisions = puts_per_commit * pages.appended_bytes(element, itertools.repeat(puts_per_commit), 10_000)
    return {
        "bytes_per_commit": written,
        "fixed_bytes": written - revisions - pages.PAGE - pages.PAGE * levels,
        "fsyncs_per_commit": (syncs - entries) / count,
        "in_use_bytes": found[IN_USE],
    }
