"""How much heap does a key take in the index, with its revisions and generations?"""

from __future__ import annotations

import random
from collections.abc import Sequence

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.settled import settle, settled
from etcdsize.calibration.load import key_of, put_in_transactions
from etcdsize.resources.size_classes import size_class


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def bare(row: Row) -> float:
        return row.outputs["key_bytes_of_heap"] - size_class(row.inputs["key_bytes"])

    once = [row for row in rows if row.inputs["revisions"] == 1 and row.inputs["generations"] == 1]
    ordered = {row.inputs["key_bytes"]: bare(row) for row in once if row.inputs["order"] == "ordered"}
    at_random = {row.inputs["key_bytes"]: bare(row) for row in once if row.inputs["order"] == "random"}
    found = {
        "index_per_key": measured([*ordered.values()], "B", rows, "keys in order, beside the key's size class"),
        "index_random_share": measured(
            [at_random[size] / ordered[size] for size in at_random if size in ordered],
            "",
            rows,
            "random order to order",
        ),
    }
    base = ordered.get(64)
    rewritten = [row for row in rows if row.inputs["revisions"] > 1]
    if base is not None and rewritten:
        found["revision_array"] = measured(
            [(bare(row) - base) / (row.inputs["revisions"] - 1) for row in rewritten], "B", rows, "a replaced revision"
        )
    many = [row for row in rows if row.inputs["generations"] > 1]
    if base is not None and many:
        found["generation"] = measured(
            [(bare(row) - base) / (row.inputs["generations"] - 1) for row in many], "B", rows, "each beyond the first"
        )
        found["tombstone"] = measured([row.outputs["tombstone_bytes"] for row in many], "B", rows)
    return found


_LEVELS = [
    *(
        {"key_bytes": size, "order": order, "revisions": 1, "generations": 1}
        for size in (16, 64, 256)
        for order in ("ordered", "random")
    ),
    *({"key_bytes": 64, "order": "ordered", "revisions": count, "generations": 1} for count in (2, 4, 8, 17)),
    *({"key_bytes": 64, "order": "ordered", "revisions": 1, "generations": count} for count in (2, 4)),
]


@experiment("heap a key takes in the index", _LEVELS, fit=_fit)
def index(program: str, key_bytes: int, order: str, revisions: int, generations: int) -> Outputs:
    keys = 50_000 if revisions * generations == 1 else 20_000
    numbers = list(range(keys))
    if order == "random":
        random.Random(1).shuffle(numbers)
    found: Outputs = {"keys": keys}
    with settled(program) as member:
        before = settle(member)
        for generation in range(generations):
            for _ in range(revisions):
                put_in_transactions(member, numbers, key_bytes, b"0123456789", 500)
            if generation == 0 and generations > 1:
                alive = settle(member)
            if generation < generations - 1:
                delete(member, numbers, key_bytes)
            if generation == 0 and generations > 1:
                found["tombstone_bytes"] = (settle(member) - alive) / keys
        found["key_bytes_of_heap"] = (settle(member) - before) / keys
        member.compact()
        found["heap_after_compaction_bytes"] = member.live_heap()
        member.stop()
        member.start()
        found["heap_after_restart_bytes"] = member.live_heap()
    return found


def delete(member: Member, numbers: Sequence[int], key_bytes: int) -> None:
    """Delete keys one by one, many in each transaction."""
    for first in range(0, len(numbers), 500):
        keys = [key_of(number, key_bytes) for number in numbers[first : first + 500]]
        operations = [rpc_pb2.RequestOp(request_delete_range=rpc_pb2.DeleteRangeRequest(key=key)) for key in keys]
        member.kv.Txn(rpc_pb2.TxnRequest(success=operations))
