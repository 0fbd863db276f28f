"""How much of the last large commit stays in memory?"""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY, settle
from etcdsize.calibration.load import put_in_transactions

_KEY = 32


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    # A large value takes whole pages of Go's heap besides.
    small = [row for row in rows if row.inputs["value_bytes"] < 10_000]
    beside = [row.outputs["kept_bytes"] / row.inputs["puts"] - row.inputs["value_bytes"] - _KEY for row in small]
    return {"batch_overhead_per_put": measured(beside, "B", rows, "kept of the largest commit, beside key and value")}


@experiment(
    "heap that the largest commit leaves behind",
    [{"puts": puts, "value_bytes": size} for puts, size in ((4_000, 1_000), (1_000, 4_000), (200, 30_000))],
    fit=_fit,
)
def batch(program: str, puts: int, value_bytes: int) -> Outputs:
    with Member(program, folder=MEMORY) as member:
        put_in_transactions(member, range(puts), _KEY, bytes(value_bytes), puts)
        time.sleep(0.5)
        with_buffers = member.live_heap()
        kept = with_buffers - settle(member, entries=0)
    return {"kept_bytes": kept}
