"""How much more than the live heap does a member take at most, under a minute of steady traffic?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.sampled import Sampled
from benchmarks.resources.settled import MEMORY, pass_entries
from etcdsize.calibration.load import key_of, put_in_transactions

_SECONDS = 60


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def factor(row: Row) -> float:
        beside = row.outputs["stack_bytes"] + row.outputs["anonymous_beside_bytes"]
        return (row.outputs["most_anonymous_bytes"] - beside) / row.outputs["live_heap_bytes"]

    note = (
        "peak under a minute of traffic; 1 just after a collection, at most a twentieth above the largest (our choice)"
    )
    found = measured(map(factor, rows), "", rows, note)
    return {"garbage_factor": replace(found, low=1.0, high=float(f"{1.05 * found.high:.5g}"))}


@experiment(
    "peak anonymous memory under steady traffic, to the live heap",
    [
        {"keys": 20_000, "value_bytes": 500, "puts_per_second": 200, "gets_per_second": 100},
        {"keys": 100_000, "value_bytes": 1_000, "puts_per_second": 100, "gets_per_second": 0},
        {"keys": 5_000, "value_bytes": 10_000, "puts_per_second": 200, "gets_per_second": 0},
    ],
    fit=_fit,
)
def garbage(program: str, keys: int, value_bytes: int, puts_per_second: int, gets_per_second: int) -> Outputs:
    with Member(program, snapshot_count=1_000, folder=MEMORY) as member:
        idle = member.report()
        put_in_transactions(member, range(keys), 50, bytes(value_bytes), 100)
        # What the load left in the log and in freed memory is no part of the traffic.
        pass_entries(member, 6_500)
        member.stop()
        member.start()
        with Sampled(member) as sampled:
            _steady(member, keys, bytes(value_bytes), puts_per_second, gets_per_second)
            stacks = member.metrics()["go_memstats_stack_inuse_bytes"]
        live = member.live_heap()
    return {
        "most_anonymous_bytes": sampled.most,
        "live_heap_bytes": live,
        "stack_bytes": stacks,
        "anonymous_beside_bytes": idle["anonymous_bytes"] - idle["heap_bytes"] - idle["stack_bytes"],
    }


def _steady(member: Member, keys: int, value: bytes, puts_per_second: int, gets_per_second: int) -> None:
    began = time.monotonic()
    for tick in range(_SECONDS * 10):
        first = tick * puts_per_second // 10
        waiting = [
            member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number % keys, 50), value=value))
            for number in range(first, first + puts_per_second // 10)
        ]
        waiting += [
            member.kv.Range.future(rpc_pb2.RangeRequest(key=key_of(number % keys, 50)))
            for number in range(gets_per_second // 10)
        ]
        for each in waiting:
            each.result()
        time.sleep(max(0.0, began + (tick + 1) / 10 - time.monotonic()))
