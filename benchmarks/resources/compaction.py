"""What do updates and compactions leave of the file, and what does a compaction take?

Keys are written, updated and compacted several times. The file in use is compared with that of the keys written once,
and the file's length with the most that was in use.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.file_size import COMMITS, IN_USE, SIZE
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.load import committed, put_in_transactions
from etcdsize.resources.revision_bytes import fragmentation

_ROUNDS = 3
_BATCHES = "etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds_count"
_MILLISECONDS = "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds_sum"
_KEY = 64
_BATCH = 1000  # revisions
_PUTS = 100  # in a transaction, in which a key may be put once only

_LEVELS = [
    *({"value_bytes": value, "updated": share, "order": "random"} for value in (100, 600, 1000) for share in (0.3, 1)),
    {"value_bytes": 4000, "updated": 0.5, "order": "random"},
    {"value_bytes": 16_000, "updated": 0.5, "order": "random"},
    {"value_bytes": 600, "updated": 1, "order": "ordered"},
]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    usual = [row for row in rows if row.inputs["value_bytes"] >= 600]
    note = "pages that wait until a batch of 1,000 revisions is committed; at most, two batches with all their keys"
    found = measured(map(rewritten, usual), "", usual, note)
    small = [row for row in rows if row.inputs["value_bytes"] <= 1000]
    return {
        "file_rewritten": dataclasses.replace(found, high=max(2.0, found.high)),
        # Where a batch deletes nothing, it takes its pause of 10 ms alone (scheduleCompaction), and commits nothing.
        "compaction_per_batch": dataclasses.replace(
            measured([row.outputs["seconds_per_batch"] for row in small], "s", small, "in memory; at least the pause"),
            low=0.01,
        ),
        "compaction_commits": dataclasses.replace(
            measured([row.outputs["commits_per_batch"] for row in small], "", small, "none without a deletion"), low=0.0
        ),
    }


def rewritten(row: Row) -> float:
    """Return what the file had beyond the most in use, over the keys of a batch."""
    outputs = row.outputs
    beyond = outputs["file_bytes"] * (1 - 1 / outputs["file_of_most_in_use"])
    one = outputs["fresh_bytes_per_key"] * max(1.0, outputs["table_likely"])
    return max(0.0, beyond) / (min(_BATCH, outputs["keys"]) * one)


@experiment("what updates and compactions leave of the file", _LEVELS, fit=_fit)
def compaction(program: str, value_bytes: int, updated: float, order: str) -> Outputs:
    keys = min(30_000, 20_000_000 // (_KEY + value_bytes))
    value, rng = b"v" * value_bytes, random.Random(3)
    most = batches = commits = seconds = 0.0
    with Member(program, folder=MEMORY) as member:
        put_in_transactions(member, range(keys), _KEY, value, _PUTS)
        fresh = committed(member)[IN_USE]
        for _ in range(_ROUNDS):
            again = range(int(keys * updated)) if order == "ordered" else drawn(rng, keys, int(keys * updated))
            put_in_transactions(member, again, _KEY, value, _PUTS)
            before = committed(member)
            most = max(most, before[IN_USE])
            member.compact()
            after = committed(member)
            batches += after[_BATCHES] - before[_BATCHES]
            seconds += (after[_MILLISECONDS] - before[_MILLISECONDS]) / 1000
            commits += after[COMMITS] - before[COMMITS]
    left = after[IN_USE] / fresh
    low, likely, high = fragmentation(_KEY, value_bytes)
    return {
        "keys": keys,
        "fresh_bytes_per_key": fresh / keys,
        "in_use_of_fresh": left,
        "table_low": low,
        "table_likely": likely,
        "table_high": high,
        "file_of_most_in_use": after[SIZE] / most,
        "file_bytes": after[SIZE],
        "commits_per_batch": commits / batches,
        "seconds_per_batch": seconds / batches,
    }


def drawn(rng: random.Random, keys: int, count: int) -> list[int]:
    """Return keys at random, none of them twice in a transaction."""
    return [key for _ in range(count // _PUTS) for key in rng.sample(range(keys), _PUTS)]
