"""How much memory do lists take: allocated, held for a slow client, and at most while several clients list at once?"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.resources.experiment import Coefficient, Inputs, Outputs, Row, experiment, measured
from benchmarks.resources.lister import all_keys, slow_list
from benchmarks.resources.member import Member
from benchmarks.resources.sampled import Sampled
from benchmarks.resources.settled import MEMORY, settle
from etcdsize.calibration.load import put_in_transactions
from etcdsize.resources.size_classes import size_class

_KEY = 50
_LIST_BYTES = 30_000_000


def _fit_lists(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def beside(row: Row) -> float:
        value = row.inputs["value_bytes"]
        sent, copied = _KEY + value, size_class(_KEY) + size_class(value)
        return row.outputs["allocated_bytes"] / row.outputs["keys"] - float(sent + copied)

    unary = [row for row in rows if not row.inputs["stream"]]
    streamed = [row for row in rows if row.inputs["stream"]]
    held = [row.outputs["held_bytes"] / row.outputs["answer_bytes"] for row in unary]
    small = [beside(row) for row in unary if row.inputs["value_bytes"] <= 5_000]
    found = {
        "list_per_key": measured(small, "B", rows, "allocated beside key and value, as stored and as sent"),
        "list_copies": measured(held, "", rows, "of the answer's bytes, held while a client does not read"),
    }
    if streamed:
        allocated = [beside(row) for row in streamed if row.inputs["value_bytes"] <= 5_000]
        found["list_stream_per_key"] = measured(allocated, "B", rows, "allocated by RangeStream, in all")
    return found


def _list_levels(minor: int) -> list[Inputs]:
    kinds = (False, True) if minor >= 7 else (False,)
    return [{"value_bytes": size, "stream": stream} for stream in kinds for size in (500, 5_000, 100_000)]


@experiment("bytes that a list allocates, and holds for a slow client", _list_levels, fit=_fit_lists)
def lists(program: str, value_bytes: int, *, stream: bool) -> Outputs:
    keys = _LIST_BYTES // value_bytes
    with Member(program, folder=MEMORY) as member:
        _fill(member, keys, value_bytes)
        answer = all_keys(member.channel, stream=stream)
        allocated = -member.metrics()["go_memstats_alloc_bytes_total"]
        for _ in range(3):
            all_keys(member.channel, stream=stream)
        allocated += member.metrics()["go_memstats_alloc_bytes_total"]
        before = member.live_heap()
        closing = [] if stream else [slow_list(member.port) for _ in range(3)]
        time.sleep(2)
        held = member.live_heap() - before
        for close in closing:
            close()
    return {"keys": keys, "answer_bytes": answer, "allocated_bytes": allocated / 3, "held_bytes": held / 3}


def _fit_peaks(rows: Sequence[Row]) -> dict[str, Coefficient]:
    plain = [row for row in rows if not row.inputs["stream"] and not row.inputs["memory_limit_mib"]]
    streamed = [row for row in rows if row.inputs["stream"]]
    found = {
        "list_peak_factor": measured(
            [_peak(row) / row.inputs["clients"] / row.outputs["allocated_bytes"] for row in plain],
            "",
            rows,
            "of what the concurrent lists allocate, beside the idle member's anonymous memory",
        )
    }
    if streamed:
        found["list_stream_peak"] = measured(
            [_peak(row) / row.inputs["clients"] for row in streamed], "B", rows, "a client that lists by RangeStream"
        )
    return found


def _peak(row: Row) -> float:
    return row.outputs["most_anonymous_bytes"] - row.outputs["idle_anonymous_bytes"]


def _peak_levels(minor: int) -> list[Inputs]:
    levels = [(500, 1), (500, 4), (5_000, 1), (5_000, 4), (5_000, 8)]
    found: list[Inputs] = [
        {"value_bytes": size, "clients": clients, "stream": False, "memory_limit_mib": 0} for size, clients in levels
    ]
    found.append({"value_bytes": 5_000, "clients": 4, "stream": False, "memory_limit_mib": 150})
    if minor >= 7:
        found += [
            {"value_bytes": 5_000, "clients": clients, "stream": True, "memory_limit_mib": 0} for clients in (4, 8)
        ]
    return found


@experiment("peak memory of concurrent lists, and what GOMEMLIMIT does to it", _peak_levels, fit=_fit_peaks)
def list_peaks(program: str, value_bytes: int, clients: int, *, stream: bool, memory_limit_mib: int) -> Outputs:
    environment = {"GOMEMLIMIT": f"{memory_limit_mib}MiB"} if memory_limit_mib else {}
    keys = _LIST_BYTES // value_bytes
    with Member(program, folder=MEMORY, environment=environment) as member:
        _fill(member, keys, value_bytes)
        allocated = -member.metrics()["go_memstats_alloc_bytes_total"]
        all_keys(member.channel, stream=stream)
        allocated += member.metrics()["go_memstats_alloc_bytes_total"]
        member.stop()
        member.start()
        live = member.live_heap()
        idle = member.memory()["RssAnon"]
        cpu = member.cpu_seconds()
        command = [sys.executable, "-m", "benchmarks.resources.lister", str(member.port), "12", *["stream"] * stream]
        with Sampled(member) as sampled:
            listing = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(clients)]
            counts = [int(each.communicate(timeout=100)[0]) for each in listing]
        cpu = member.cpu_seconds() - cpu
    return {
        "keys": keys,
        "allocated_bytes": allocated,
        "live_heap_bytes": live,
        "idle_anonymous_bytes": idle,
        "most_anonymous_bytes": sampled.most,
        "lists": sum(counts),
        "cpu_seconds": cpu,
    }


def _fill(member: Member, keys: int, value_bytes: int) -> None:
    put_in_transactions(member, range(keys), _KEY, bytes(value_bytes), min(500, 5_000_000 // value_bytes))
    settle(member, entries=0)
