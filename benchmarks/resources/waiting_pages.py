"""How many commits' replaced pages does the file hold beside what is in use, while writers keep etcd busy?

A commit may write a page again only after the readers that began before it have closed. etcd closes them beside its
next commit (server/storage/backend/batch_tx.go, unsafeCommit), and falls behind where commits follow each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.file_size import EACH_TRANSACTION, IN_USE, SIZE
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import committed, key_of

_KEYS = 6_000
_PAGES = 5
"""What a commit of small revisions replaces: the leaf, two branches above it, and the leaves of two other buckets."""


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    waiting = [row.outputs["waiting_bytes"] / (_PAGES * 4096) for row in rows]
    return {"file_waiting": measured(waiting, "commits", rows, "a commit each put, 1 to 32 writers at once")}


@experiment(
    "pages of the file that wait for readers", [{"clients": clients} for clients in (1, 8, 32)], fit=_fit, repeats=3
)
def waiting_pages(program: str, clients: int) -> Outputs:
    with Member(program, EACH_TRANSACTION, folder=MEMORY) as member:

        def send(number: int) -> Any:
            return member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number, 40), value=b"v" * 16))

        keep_under_way(send, clients, requests=_KEYS)
        found = committed(member)
    return {"waiting_bytes": found[SIZE] - found[IN_USE], "in_use_bytes": found[IN_USE]}
