"""How many commits of the backend does the end of a lease take, and how much processor time?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured, undisturbed
from benchmarks.resources.file_size import COMMITS, IN_USE
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import committed, put_in_transactions

_LEVELS = [
    {"leases": leases, "keys_per_lease": keys} for leases, keys in ((1000, 0), (1000, 1), (1000, 10), (100, 100))
]
_MICROSECONDS = 1e6


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    bare = [row for row in rows if row.inputs["keys_per_lease"] == 0]
    keyed = [row for row in rows if row.inputs["keys_per_lease"] >= 10]
    many = [row for row in rows if row.inputs["leases"] > 100]
    revoke = min(row.outputs["cpu_revoke_us"] for row in bare)
    each = [max(0.0, row.outputs["cpu_revoke_us"] - revoke) / row.inputs["keys_per_lease"] for row in keyed]
    return {
        "commits_per_revoke": _commits(rows),
        "cpu_grant": undisturbed([row.outputs["cpu_grant_us"] for row in many], "us", many, "16 at once"),
        "cpu_keepalive": undisturbed([row.outputs["cpu_keepalive_us"] for row in many], "us", many, "one stream"),
        "cpu_revoke": undisturbed([row.outputs["cpu_revoke_us"] for row in bare], "us", bare, "no keys, 16 at once"),
        "cpu_delete_key": undisturbed(each, "us", keyed, "with its lease"),
        "lease_file": measured([row.outputs["lease_bytes_of_file"] for row in many], "B", many),
    }


def _commits(rows: Sequence[Row]) -> Coefficient:
    found = measured([row.outputs["commits_per_revoke"] for row in rows], "", rows)
    *minor, patch = map(int, rows[0].etcd_version.split("."))
    if minor > [3, 4] or patch >= 30:
        return found
    # The answer for 3.4 is for all its patches.
    note = "one since 3.4.30: mvcc/backend/batch_tx.go commits at once where a deletion is pending"
    return dataclasses.replace(found, value=1.0, high=1.0, how="source", source=f"{found.source}; {note}")


@experiment("commits and processor time that a lease takes", _LEVELS, fit=_fit, repeats=3)
def lease_end(program: str, leases: int, keys_per_lease: int) -> Outputs:
    with Member(program, folder=MEMORY) as member:
        empty = committed(member)
        began = member.cpu_seconds()
        numbers = range(1, leases + 1)
        for_each(lambda number: member.lease.LeaseGrant.future(rpc_pb2.LeaseGrantRequest(ID=number, TTL=3600)), leases)
        granted = member.cpu_seconds()
        with_leases = committed(member)
        for number in numbers if keys_per_lease else ():
            first = number * keys_per_lease
            put_in_transactions(member, range(first, first + keys_per_lease), 64, b"v" * 100, keys_per_lease, number)
        before_alive = member.cpu_seconds()
        renewals = max(5000, leases)
        answers = member.lease.LeaseKeepAlive(_renewals(numbers, renewals))
        assert sum(1 for _ in answers) == renewals
        alive = member.cpu_seconds()
        before = committed(member)
        before_revoke = member.cpu_seconds()
        for_each(lambda number: member.lease.LeaseRevoke.future(rpc_pb2.LeaseRevokeRequest(ID=number)), leases)
        revoked = member.cpu_seconds()
        after = member.metrics()
    return {
        "commits_per_revoke": (after[COMMITS] - before[COMMITS]) / leases,
        "cpu_grant_us": _MICROSECONDS * (granted - began) / leases,
        "cpu_keepalive_us": _MICROSECONDS * (alive - before_alive) / renewals,
        "cpu_revoke_us": _MICROSECONDS * (revoked - before_revoke) / leases,
        "lease_bytes_of_file": max(0.0, with_leases[IN_USE] - empty[IN_USE]) / leases,
    }


def for_each(send: Any, leases: int) -> None:
    """Send a request for each lease, 16 at once: etcd revokes as many at once when they expire."""
    keep_under_way(lambda number: send(number + 1), 16, requests=leases)


def _renewals(numbers: range, count: int) -> Iterator[rpc_pb2.LeaseKeepAliveRequest]:
    for number in range(count):
        yield rpc_pb2.LeaseKeepAliveRequest(ID=numbers[number % len(numbers)])
