"""How much memory does a compaction take for each revision that it keeps?"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.sampled import Sampled
from benchmarks.resources.settled import MEMORY, settle
from etcdsize.calibration.load import put_in_transactions


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    values = [row.outputs["allocated_bytes"] / row.inputs["keys"] for row in rows]
    return {"compaction_map": measured(values, "B", rows, "allocated for each revision that is kept")}


@experiment("memory that a compaction takes", [{"keys": keys} for keys in (50_000, 100_000, 150_000)], fit=_fit)
def compaction_memory(program: str, keys: int) -> Outputs:
    with Member(program, folder=MEMORY) as member:
        put_in_transactions(member, range(keys), 50, b"0123456789", 500)
        settle(member, entries=0)
        before = member.report()
        with Sampled(member, 0.005) as sampled:
            member.compact()
            allocated = member.metrics()["go_memstats_alloc_bytes_total"]
    return {
        "allocated_bytes": allocated - before["allocated_bytes"],
        "more_bytes": sampled.most - before["anonymous_bytes"],
    }
