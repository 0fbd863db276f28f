"""How many bytes do puts, reads and watch events take on the network, and how many does an idle cluster?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from aetcd.rpc import rpc_pb2

from benchmarks.resources.connections import Watch
from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.load import key_of, put_at_once

_KEY = 32
_PUTS = 2_000
_GETS = 1_000
_FOLLOWERS = 2


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def of(name: str) -> list[float]:
        return [row.outputs[name] for row in rows]

    puts = [row.outputs["peer_bytes_a_put"] / _FOLLOWERS - row.inputs["value_bytes"] - _KEY for row in rows]
    events = [row.outputs["event_bytes"] - row.inputs["value_bytes"] - _KEY for row in rows]
    return {
        "peer_per_put": measured(puts, "B", rows, "sent by the leader to a follower, beside key and value"),
        "peer_idle_leader": measured(of("idle_leader_bytes_per_second"), "B/s", rows, "three members"),
        "peer_idle_follower": measured(of("idle_follower_bytes_per_second"), "B/s", rows, "three members"),
        "watch_event_overhead": measured(events, "B", rows, "an event alone in its message, beside key and value"),
        "read_overhead": measured(
            [row.outputs["answer_bytes_a_get"] - row.inputs["value_bytes"] - _KEY for row in rows], "B", rows
        ),
        "peer_per_read": measured(of("peer_bytes_a_get"), "B", rows, "between all members, for a linearizable read"),
    }


@experiment(
    "bytes on the network: puts, reads, events, and an idle cluster of three",
    [{"value_bytes": size} for size in (100, 1_000, 10_000)],
    fit=_fit,
)
def network(program: str, value_bytes: int) -> Outputs:
    value = bytes(value_bytes)
    with ExitStack() as stack:
        members = three_members(program, stack)
        leader = leader_of(members)
        followers = [member for member in members if member is not leader]
        put_at_once(leader, range(64), _KEY, value, 16)
        found: Outputs = {}

        sent = [_peer_bytes(member) for member in (leader, *followers)]
        time.sleep(10)
        sent = [_peer_bytes(member) - before for member, before in zip((leader, *followers), sent)]
        found["idle_leader_bytes_per_second"] = sent[0] / 10
        found["idle_follower_bytes_per_second"] = max(sent[1:]) / 10

        before = _peer_bytes(leader)
        put_at_once(leader, range(_PUTS), _KEY, value, 16)
        found["peer_bytes_a_put"] = (_peer_bytes(leader) - before) / _PUTS

        watch = Watch(leader.channel)
        watch.create([(b"/r/", b"/r0")])
        found["event_bytes"] = _event_bytes(leader, watch, value)
        previous = Watch(leader.channel)
        previous.create([(b"/r/", b"/r0")], prev_kv=True)
        with_both = _event_bytes(leader, previous, value)
        found["event_bytes_with_prev_kv"] = with_both - found["event_bytes"]
        for each in (watch, previous):
            each.close()

        peers, clients = sum(map(_peer_bytes, members)), _client_bytes(leader)
        for _ in range(_GETS):
            leader.kv.Range(rpc_pb2.RangeRequest(key=key_of(1, _KEY)))
        found["peer_bytes_a_get"] = (sum(map(_peer_bytes, members)) - peers) / _GETS
        found["answer_bytes_a_get"] = (_client_bytes(leader) - clients) / _GETS
    return found


def _event_bytes(member: Member, watch: Watch, value: bytes) -> float:
    """Return what the member sends its clients for a put one at a time, without the put's own answer."""
    count = 300
    before = _client_bytes(member)
    for number in range(count):
        member.kv.Put(rpc_pb2.PutRequest(key=key_of(number, _KEY), value=value))
        watch.read(1)
    sent = _client_bytes(member) - before
    answer = rpc_pb2.PutResponse(header=member.kv.Range(rpc_pb2.RangeRequest(key=b"none")).header)
    return sent / count - len(answer.SerializeToString())


def three_members(program: str, stack: ExitStack, folder: Path | None = MEMORY) -> list[Member]:
    """Start three members in one cluster; `folder` has their data directories, None for that of temporary files."""
    members = []
    for _ in range(3):
        members.append(Member(program, folder=folder))
        stack.callback(members[-1].__exit__)
    cluster = ",".join(f"{member.name}=http://127.0.0.1:{member.peer_port}" for member in members)
    for member in members:
        # etcd takes the last of repeated flags.
        member.command.append(f"--initial-cluster={cluster}")
        member.launch()
    for member in members:
        member.wait()
    return members


def leader_of(members: Sequence[Member]) -> Member:
    return next(member for member in members if member.metrics()["etcd_server_is_leader"] == 1)


def _peer_bytes(member: Member) -> float:
    samples = member.metrics().items()
    return sum(value for name, value in samples if name.startswith("etcd_network_peer_sent_bytes_total{"))


def _client_bytes(member: Member) -> float:
    return member.metrics()["etcd_network_client_grpc_sent_bytes_total"]
