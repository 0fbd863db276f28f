"""How much processor time do the members of a cluster of three take: idle, for a request alone, and for many at once?

A write passes through the raft loop, and a linearizable read through a round of the leader's heartbeats. Requests that
come while a pass is under way share the next one. So a request alone takes a whole pass, and the more there are, the
less each takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured, undisturbed
from benchmarks.resources.network import leader_of, three_members
from etcdsize.calibration.clients import keep_evenly, keep_under_way
from etcdsize.calibration.load import key_of, put_in_transactions

_KEYS = 20_000
_KEY_BYTES, _VALUE_BYTES = 50, 100
_SECONDS = 6
_CLIENTS = 64
_ALONE, _SOME, _MANY = 100, 1_000, 0
"""Requests a second: few enough to be alone, as many as begin to share passes, and 0 for as many as are answered."""

_LEVELS = [
    {"request": "none", "rate": 0},
    *({"request": request, "rate": rate} for request in ("get", "put") for rate in (_ALONE, _SOME, _MANY)),
]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def of(request: str, rate: int) -> list[Row]:
        return [row for row in rows if (row.inputs["request"], row.inputs["rate"]) == (request, rate)]

    def least(request: str, rate: int, figure: str) -> float:
        return min(row.outputs[figure] for row in of(request, rate))

    idle_rows = of("none", 0)
    idle = max(row.outputs["leader_us"] for row in idle_rows)
    found = {
        "cpu_idle": undisturbed([max(row.outputs.values()) for row in idle_rows], "us/s", idle_rows, "three members")
    }
    passes = {}
    for request in ("get", "put"):
        alone = of(request, _ALONE)
        note = f"{_ALONE} a second, evenly, beside what one of many takes"
        for member, name in (("leader_us", f"cpu_{request}_alone"), ("follower_us", f"cpu_{request}_alone_follower")):
            many = least(request, _MANY, member)
            values = [max(0.0, row.outputs[member] - idle / _ALONE - many) for row in alone]
            found[name] = undisturbed(values, "us", alone, note)
        extra = least(request, _SOME, "leader_us") - idle / _SOME - least(request, _MANY, "leader_us")
        passes[request] = _SOME * extra / found[f"cpu_{request}_alone"].value
    note = "reads and writes at 1,000 a second"
    found["passes_per_second"] = measured([*passes.values()], "1/s", [*of("get", _SOME), *of("put", _SOME)], note)
    return found


@experiment("processor time of a cluster of three: idle, requests alone and many", _LEVELS, fit=_fit, repeats=2)
def cluster_processor(program: str, request: str, rate: int) -> Outputs:
    with ExitStack() as stack:
        members = three_members(program, stack)
        put_in_transactions(leader_of(members), range(_KEYS), _KEY_BYTES, bytes(_VALUE_BYTES), 100)
        for member in members:
            # What was loaded fills the buffers of a commit, which 3.4 copies for each read.
            member.stop()
            member.start()
        leader = leader_of(members)
        ordered = [leader, *(member for member in members if member is not leader)]
        time.sleep(1)
        before = [member.cpu_seconds() for member in ordered]
        count = _work(request, rate, lambda number: _send(leader, request, number))
        used = [member.cpu_seconds() - earlier for member, earlier in zip(ordered, before, strict=True)]
    own, *theirs = (1e6 * seconds / count for seconds in used)
    return {"leader_us": own, "follower_us": sum(theirs) / len(theirs)}


def _work(request: str, rate: int, send: Callable[[int], Any]) -> float:
    """Make the load, and return how many requests it was; of no load, its seconds."""
    if request == "none":
        time.sleep(_SECONDS)
        return _SECONDS
    if rate:
        keep_evenly(send, rate, _SECONDS)
        return rate * _SECONDS
    requests = 8_000
    keep_under_way(send, _CLIENTS, requests=requests)
    return requests


def _send(leader: Any, request: str, number: int) -> Any:
    key = key_of(number * 7 % _KEYS, _KEY_BYTES)
    if request == "get":
        return leader.kv.Range.future(rpc_pb2.RangeRequest(key=key))
    return leader.kv.Put.future(rpc_pb2.PutRequest(key=key, value=bytes(_VALUE_BYTES)))
