"""How much heap does the raft log take: bytes an entry, and how many entries stay?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY, pass_entries, settle
from etcdsize.calibration.load import put_at_once, put_in_transactions
from etcdsize.resources.size_classes import size_class

_KEY = 6
_REQUEST = 28  # what a put's entry holds beside key and value


def _fit_entry(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def beside(row: Row) -> float:
        return row.outputs["entry_bytes_of_heap"] - size_class(row.outputs["key_value_bytes"] + _REQUEST)

    small = [row for row in rows if row.inputs["value_bytes"] <= 10_000]
    sizes = [row.outputs["key_value_bytes"] for row in rows]
    allocated = [row.outputs["allocated_bytes"] for row in rows]
    a_byte, a_put = np.polyfit(sizes, allocated, 1, w=[1 / each for each in allocated])
    shares = [row.outputs["allocated_bytes"] / row.outputs["key_value_bytes"] for row in rows]
    return {
        "raft_entry": measured([beside(row) for row in small], "B", rows, "over the size class of key + value + 28"),
        "put_allocated": measured([min(allocated), float(a_put)], "B", rows, "a put without its bytes"),
        "put_allocated_per_byte": measured([float(a_byte), min(shares), shares[-1]], "", rows, "a byte of the value"),
    }


@experiment(
    "heap an entry of the raft log takes, by its size",
    [{"value_bytes": size} for size in (10, 1_000, 10_000, 33_000, 100_000, 1_000_000)],
    fit=_fit_entry,
)
def raft_entry(program: str, value_bytes: int) -> Outputs:
    entries = min(4_000, 100_000_000 // value_bytes)
    with Member(program, snapshot_count=1_000_000, folder=MEMORY) as member:
        # The arrays of revisions grow at the fifth and the ninth put of a key.
        for _ in range(5):
            put_in_transactions(member, range(entries), _KEY, b"1", 500)
        # What the connection holds at this load is no part of the log.
        put_at_once(member, range(300), _KEY, bytes(value_bytes), 32)
        before = settle(member, entries=0)
        allocated = member.metrics()["go_memstats_alloc_bytes_total"]
        put_at_once(member, range(entries), _KEY, bytes(value_bytes), 32)
        allocated = member.metrics()["go_memstats_alloc_bytes_total"] - allocated
        heap = settle(member, entries=0) - before
    return {
        "entries": entries,
        "key_value_bytes": _KEY + value_bytes,
        "entry_bytes_of_heap": heap / entries,
        "allocated_bytes": allocated / entries,
    }


@experiment(
    "entries that the raft log keeps, by the snapshot count",
    [{"snapshot_count": count} for count in (1_000, 4_000)],
)
def raft_kept(program: str, snapshot_count: int) -> Outputs:
    def heaps(entries: int, step: int) -> list[float]:
        found = []
        for _ in range(0, entries, step):
            pass_entries(member, step, value)
            found.append(member.live_heap())
        return found

    value = bytes(2_000)
    with Member(program, snapshot_count=snapshot_count, folder=MEMORY) as member:
        pass_entries(member, 100, value)
        before = member.live_heap()
        heaps(1_000, 1_000)
        # Up to the first trim nothing leaves the log.
        entry = (heaps(2_000, 1_000)[-1] - before) / 3_000
        heaps(5_000 + 2 * snapshot_count, 5_000)
        kept = [(heap - before) / entry + 100 for heap in heaps(snapshot_count + 1_000, 250)]
        member.stop()
        member.start()
        after = member.live_heap()
    return {
        "entry_bytes_of_heap": entry,
        "most_entries": max(kept),
        "least_entries": min(kept),
        "entries_after_restart": (after - before) / entry + 100,
    }
