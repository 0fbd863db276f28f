"""Bring a member to a state in which two readings of its heap differ by what lies between them alone.

The raft log and the buffers of the last commit hold whatever was written last, which hides what the store itself takes.
`settle` fills the log with small entries and makes commits in which no key is written: at the second of these etcd
drops the buffers. It is for a member that keeps next to no log: 3.4 has no flag for the entries that it keeps, and
there the log always holds 5,000 small ones.
"""

from __future__ import annotations

import time

from aetcd.rpc import rpc_pb2

from etcdsize.calibration.member import Member

__all__ = ["entries_to_trim", "pass_entries", "settle"]


def entries_to_trim(member: Member) -> int:
    """Return how many entries push all older ones out of the log of a settled member."""
    return 5_200 if member.minor == 4 else 220


def settle(member: Member, *, entries: int | None = None) -> float:
    """Replace what the log and the buffers hold by small things, and return the live heap. [bytes]"""
    pass_entries(member, entries_to_trim(member) if entries is None else entries)
    for _ in range(3):
        # etcd commits every 100 ms where something is pending.
        granted = member.lease.LeaseGrant(rpc_pb2.LeaseGrantRequest(TTL=60))
        time.sleep(0.12)
        member.lease.LeaseRevoke(rpc_pb2.LeaseRevokeRequest(ID=granted.ID))
        time.sleep(0.12)
    return member.live_heap()


def pass_entries(member: Member, count: int, value: bytes = b"1") -> None:
    """Send entries through the log that change nothing: a put whose condition does not hold."""
    never = rpc_pb2.Compare(key=b"!never", target=rpc_pb2.Compare.VERSION, result=rpc_pb2.Compare.GREATER, version=0)
    operation = rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=b"!never", value=value))
    request = rpc_pb2.TxnRequest(compare=[never], success=[operation])
    for first in range(0, count, 64):
        waiting = [member.kv.Txn.future(request) for _ in range(min(64, count - first))]
        for each in waiting:
            each.result()
