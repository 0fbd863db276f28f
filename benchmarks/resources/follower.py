"""How much processor time does a put take on a follower, and on a leader that has followers?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, undisturbed
from benchmarks.resources.network import leader_of, three_members
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import key_of

_MICROSECONDS = 1e6
_PUTS = 4000


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    note = "64 clients of the leader, values of 100 B"
    return {"cpu_put_follower": undisturbed([row.outputs["follower_cpu_us"] for row in rows], "us", rows, note)}


@experiment("processor time of a put on leader and follower", [{"value_bytes": 100}], fit=_fit, repeats=3)
def follower(program: str, value_bytes: int) -> Outputs:
    value = b"v" * value_bytes
    with ExitStack() as stack:
        members = three_members(program, stack)
        leader = leader_of(members)
        others = [member for member in members if member is not leader]
        before = [member.cpu_seconds() for member in (leader, *others)]
        keep_under_way(
            lambda number: leader.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number, 64), value=value)),
            64,
            requests=_PUTS,
        )
        after = [member.cpu_seconds() for member in (leader, *others)]
    own, *theirs = (_MICROSECONDS * (now - then) / _PUTS for now, then in zip(after, before, strict=True))
    return {"leader_cpu_us": own, "follower_cpu_us": sum(theirs) / len(theirs)}
