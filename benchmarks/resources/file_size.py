"""How many bytes of file does a revision take, by its size and by the puts that share a commit?"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterator, Sequence

from aetcd.rpc import rpc_pb2

from benchmarks.resources import pages, revision_table
from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.load import key_of

SIZE, IN_USE = "etcd_mvcc_db_total_size_in_bytes", "etcd_mvcc_db_total_size_in_use_in_bytes"
COMMITS = "etcd_disk_backend_commit_duration_seconds_count"
MOST_REVISIONS = 16_000  # their numbers take two bytes in a message

# A commit after each transaction: its puts are then those of a commit. The interval never ends before.
EACH_TRANSACTION = ("--backend-batch-limit=1", "--backend-batch-interval=1h")

_LEVELS = [
    *(
        {"key_bytes": 64, "value_bytes": value, "puts_per_commit": puts, "commits": "regular"}
        for value in (16, 100, 500, 1000, 2000, 4000, 16_000, 100_000)
        for puts in (1, 3, 10, 30, 100)
    ),
    *(
        {"key_bytes": key, "value_bytes": 1000, "puts_per_commit": puts, "commits": "regular"}
        for key in (16, 256)
        for puts in (1, 100)
    ),
    *(
        {"key_bytes": 64, "value_bytes": value, "puts_per_commit": puts, "commits": "irregular"}
        for value in (500, 800, 1000)
        for puts in (1.5, 3, 10)
    ),
]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    small = [row for row in rows if row.inputs["value_bytes"] <= 1000]
    runs = [row for row in rows if row.inputs["value_bytes"] >= 2000 and row.inputs["puts_per_commit"] <= 3]
    note = "free pages between runs of pages, values of 2 kB and more, up to 10 puts a commit; none beside small values"
    unused = measured([max(0.0, unused_share(row)) for row in runs], "", runs, note)
    return {
        "file_fixed": measured([max(0.0, row.outputs["fixed_bytes"]) for row in small], "B", small),
        "file_runs": dataclasses.replace(unused, low=0.0),
    }


def unused_share(row: Row) -> float:
    """Return how much longer the file is than what is in use, as a share of this."""
    return row.outputs["file_bytes_per_revision"] / row.outputs["bytes_per_revision"] - 1


@experiment("bytes of file a revision takes", _LEVELS, fit=_fit)
def file_size(program: str, key_bytes: int, value_bytes: int, puts_per_commit: float, commits: str) -> Outputs:
    revisions = min(MOST_REVISIONS, max(500, 4_000_000 // (key_bytes + value_bytes)), int(4000 * puts_per_commit))
    batches = numbers_of_puts(puts_per_commit, commits)
    value = b"v" * value_bytes
    with Member(program, EACH_TRANSACTION, folder=MEMORY) as member:
        half = put_until(member, 0, revisions // 2, key_bytes, value, batches)
        at_half = member.metrics()
        whole = put_until(member, half, revisions, key_bytes, value, batches)
        found = member.metrics()
    added = {name: found[name] - at_half[name] for name in (SIZE, IN_USE, COMMITS)}
    element = pages.element_bytes(key_bytes, value_bytes, revision=MOST_REVISIONS)
    simulated = pages.appended_bytes(element, numbers_of_puts(puts_per_commit, commits), 10_000)
    return {
        "revisions": whole,
        "file_bytes": found[SIZE],
        "in_use_bytes": found[IN_USE],
        "bytes_per_revision": added[IN_USE] / (whole - half),
        "file_bytes_per_revision": added[SIZE] / (whole - half),
        "puts_per_commit": (whole - half) / added[COMMITS],
        "simulated_bytes_per_revision": simulated,
        "fixed_bytes": found[IN_USE] - whole * simulated,
    }


def numbers_of_puts(mean: float, commits: str) -> Iterator[int]:
    """Return the number of puts of each commit: always the same, or drawn from Poisson's distribution without 0."""
    if commits == "regular":
        return itertools.repeat(int(mean))
    return revision_table.irregular(mean, random.Random(5))


def put_until(member: Member, first: int, end: int, key_bytes: int, value: bytes, batches: Iterator[int]) -> int:
    """Put keys in order in transactions of these numbers of puts, until `end` is reached; return the next number."""
    answers = []
    while first < end:
        puts = next(batches)
        operations = [
            rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key_of(number, key_bytes), value=value))
            for number in range(first, first + puts)
        ]
        answers.append(member.kv.Txn.future(rpc_pb2.TxnRequest(success=operations)))
        first += puts
        if len(answers) == 8:
            for answer in answers:
                answer.result()
            answers = []
    for answer in answers:
        answer.result()
    return first
