"""Bring a member to a state in which two readings of its heap differ by what lies between them alone.

The raft log and the buffers of the last commit hold whatever was written last, which hides what the store itself takes.
`settled` starts a member that keeps next to no log, and `settle` replaces what the log and the buffers hold by the same
small things each time. 3.4 has no flag for the entries that it keeps: there the log always holds 5,000 small ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.member import Member, version_of

__all__ = ["MEMORY", "settle", "settled"]

# What is measured here is the heap: a disk would only slow the load.
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None

_SLOTS = 10_000  # the most puts that a commit has
_SETTLED = [b"!%05d" % number for number in range(_SLOTS)]


def settled(program: str, flags: Sequence[str] = (), **options: Any) -> Member:
    """Return a member that keeps as little of its log as its version can; enter it, then call `settle` five times."""
    kept = None if version_of(program).startswith("3.4.") else 1
    return Member(program, flags, snapshot_count=100, catch_up=kept, folder=MEMORY, **options)


def settle(member: Member, times: int = 1) -> float:
    """Fill the buffers and the log with small things, and return the live heap. [bytes]

    Call it five times at first: then three more rewrite the same keys without growing the arrays of their revisions.
    """
    for _ in range(times):
        puts = [rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, value=b"1")) for key in _SETTLED]
        member.kv.Txn(rpc_pb2.TxnRequest(success=puts))
    pass_entries(member, 5_500 if member.minor == 4 else 300)
    return member.live_heap()


def pass_entries(member: Member, count: int) -> None:
    """Send entries through the log that change nothing: a put whose condition does not hold."""
    never = rpc_pb2.Compare(key=b"!never", target=rpc_pb2.Compare.VERSION, result=rpc_pb2.Compare.GREATER, version=0)
    request = rpc_pb2.TxnRequest(
        compare=[never], success=[rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=b"!never", value=b"1"))]
    )
    waiting: list[Any] = []
    for _ in range(count):
        waiting.append(member.kv.Txn.future(request))
        if len(waiting) == 64:
            for each in waiting:
                each.result()
            waiting = []
    for each in waiting:
        each.result()
