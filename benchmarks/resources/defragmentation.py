"""How much memory does a defragmentation take beside what the member has anyway?"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.sampled import Sampled
from benchmarks.resources.settled import MEMORY, settle
from etcdsize.calibration.load import put_in_transactions

_AT_ONCE = 10_000


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    factors = [
        row.outputs["more_bytes"] / (row.outputs["in_use_bytes"] * min(1, _AT_ONCE / row.inputs["keys"]))
        for row in rows
    ]
    return {"defragment_factor": measured(factors, "", rows, "of the bytes in use, or of those of 10,000 keys")}


@experiment(
    "anonymous memory that a defragmentation takes",
    [{"keys": keys, "value_bytes": size} for keys, size in ((60_000, 1_000), (20_000, 5_000), (1_000, 100_000))],
    fit=_fit,
    repeats=2,
)
def defragmentation(program: str, keys: int, value_bytes: int) -> Outputs:
    with Member(program, folder=MEMORY) as member:
        put_in_transactions(member, range(keys), 50, bytes(value_bytes), min(500, 5_000_000 // value_bytes))
        settle(member, entries=0)
        # A new process holds no log and no garbage.
        member.stop()
        member.start()
        report = member.report()
        with Sampled(member, 0.005) as sampled:
            seconds = member.defragment()
    return {
        "in_use_bytes": report["in_use_bytes"],
        "more_bytes": sampled.most - report["anonymous_bytes"],
        "seconds": seconds,
    }
