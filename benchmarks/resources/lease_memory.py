"""How much heap does a lease take, and a key that is attached to one?"""

from __future__ import annotations

from collections.abc import Sequence

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.settled import settle, settled
from etcdsize.calibration.load import put_in_transactions


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    one, many = ([row for row in rows if row.inputs["keys_per_lease"] == keys] for keys in (1, 10))
    return {
        "lease": measured([row.outputs["lease_bytes"] for row in rows], "B", rows),
        "lease_key_one": measured(
            [row.outputs["attached_key_bytes"] for row in one], "B", rows, "beside a plain key of 32 B"
        ),
        "lease_key_many": measured(
            [row.outputs["attached_key_bytes"] for row in many], "B", rows, "10 a lease, of 32 B"
        ),
    }


@experiment(
    "heap of a lease and of a key attached to it", [{"keys_per_lease": keys} for keys in (1, 10)], fit=_fit, repeats=2
)
def lease_memory(program: str, keys_per_lease: int) -> Outputs:
    count = 10_000 if keys_per_lease == 1 else 4_000
    keys = count * keys_per_lease
    with settled(program) as member:
        _grant(member, 200)
        before = settle(member)
        granted = _grant(member, count)
        with_leases = settle(member)
        put_in_transactions(member, range(keys), 32, b"0123456789", 500)
        with_keys = settle(member)
        for number, lease in enumerate(granted):
            numbers = range(keys + number * keys_per_lease, keys + (number + 1) * keys_per_lease)
            put_in_transactions(member, numbers, 32, b"0123456789", keys_per_lease, lease)
        with_attached = settle(member)
    plain = (with_keys - with_leases) / keys
    return {
        "lease_bytes": (with_leases - before) / count,
        "plain_key_bytes": plain,
        "attached_key_bytes": (with_attached - with_keys) / keys - plain,
    }


def _grant(member: Member, count: int) -> list[int]:
    granted: list[int] = []
    request = rpc_pb2.LeaseGrantRequest(TTL=3_600)
    for _ in range(0, count, 50):
        waiting = [member.lease.LeaseGrant.future(request) for _ in range(50)]
        granted += [each.result().ID for each in waiting]
    return granted
