"""How long does a lone member that starts have no leader, before its first snapshot on disk and after it?

It waits for an election, which etcd's source leaves to chance. The range is that of the source; the rows give what a
start takes beside, and show that range on real members.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.settle import pass_entries

_TIMES = 15
_SNAPSHOT_COUNT = 10
_TICK_SECONDS, _ELECTION_TICKS = 0.1, 10  # --heartbeat-interval and --election-timeout by default


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    """Return the start of a member and its election.

    raft.go, resetRandomizedElectionTimeout: the election comes after 10 to 19 ticks, by chance; the first may be due
    when raft starts. server.go, adjustTicks: a member that knows to be alone skips 9 of them. 3.4 and 3.5 read the
    members from the last snapshot, and then from the log: before the first snapshot, they often know none so early.
    """
    version = rows[0].etcd_version
    skipped = _ELECTION_TICKS - 1
    longest = 2 * _ELECTION_TICKS - 1
    most = longest if version.startswith(("3.4.", "3.5.")) else longest - skipped
    # The fastest restart waited for next to nothing, so that a start takes no longer.
    start = min(row.outputs["fastest_seconds"] for row in rows)
    note = ", 1 s at most after a snapshot" if most == longest else ""
    source = (
        f"server.go, adjustTicks, and raft.go, resetRandomizedElectionTimeout: a lone member waits "
        f"0 to {most * _TICK_SECONDS:g} s by chance{note}; its start takes up to {start:.2g} s ({version})"
    )
    high = start + most * _TICK_SECONDS
    return {"election": Coefficient(*(float(f"{end:.5g}") for end in (high / 2, 0.0, high)), "s", "source", source)}


@experiment("how long a lone member that starts has no leader", [{"snapshot": False}, {"snapshot": True}], fit=_fit)
def election(program: str, snapshot: bool) -> Outputs:
    count = _SNAPSHOT_COUNT if snapshot else 10_000
    took = []
    with Member(program, snapshot_count=count, folder=MEMORY) as member:
        if snapshot:
            pass_entries(member, 10 * _SNAPSHOT_COUNT)
            time.sleep(0.5)  # it is written beside
        for _ in range(_TIMES):
            member.stop()
            member.start()
            took.append(member.start_seconds)
    return {"fastest_seconds": min(took), "median_seconds": statistics.median(took), "slowest_seconds": max(took)}
