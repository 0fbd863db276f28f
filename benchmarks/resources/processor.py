"""How much processor time does a request take on the member that serves it?

It is the time of the process, so that what else the machine does moves it little. Requests come over one connection
without TLS.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.clients import keep_under_way
from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.load import key_of, put, put_in_transactions
from benchmarks.resources.member import Member, channel
from benchmarks.resources.settled import MEMORY

_MICROSECONDS = 1e6
_KEYS = 20_000

_LEVELS = [
    *({"request": "put", "value_bytes": value, "clients": 64} for value in (100, 10_000)),
    {"request": "put", "value_bytes": 100, "clients": 1},
    {"request": "get", "value_bytes": 100, "clients": 64},
    *({"request": "list", "value_bytes": value, "clients": 1} for value in (100, 5000)),
    {"request": "count", "value_bytes": 100, "clients": 1},
    *({"request": "event", "value_bytes": value, "clients": 20} for value in (100, 5000)),
]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def of(request: str, value: int, clients: int | None = None) -> list[Row]:
        return [
            row
            for row in rows
            if (row.inputs["request"], row.inputs["value_bytes"]) == (request, value)
            and clients in (None, row.inputs["clients"])
        ]

    def times(found: Sequence[Row]) -> list[float]:
        return [row.outputs["cpu_us"] for row in found]

    puts, large, alone = of("put", 100, 64), of("put", 10_000), of("put", 100, 1)
    lists, long_lists = of("list", 100), of("list", 5000)
    events, long_events = of("event", 100), of("event", 5000)
    found: dict[str, Coefficient] = {}
    if puts and large and alone:
        put = statistics.median(times(puts))
        found["cpu_put"] = measured(times(puts), "us", puts, "64 clients, a value of 100 B")
        found["cpu_put_kb"] = measured([max(0.0, one - put) / 9.9 for one in times(large)], "us", large)
        found["cpu_put_alone_factor"] = measured([max(1.0, one / put) for one in times(alone)], "", alone)
    if of("get", 100):
        found["cpu_get"] = measured(times(of("get", 100)), "us", of("get", 100), "64 clients, linearizable")
    if lists and long_lists:
        # An element and a megabyte: two lengths of values give both.
        key, both = statistics.median(times(lists)), statistics.median(times(long_lists))
        a_byte = max(0.0, both - key) / 4900
        spread = [one / both for one in times(long_lists)]
        found["cpu_list_mb"] = measured([a_byte * 1e6 * one for one in spread], "us", long_lists)
        found["cpu_list_key"] = measured([max(0.0, one - 164 * a_byte) for one in times(lists)], "us", lists)
        found["list_busy"] = measured([row.outputs["busy"] for row in [*lists, *long_lists]], "", [*lists, *long_lists])
    if events and long_events:
        event = statistics.median(times(events))
        found["cpu_event"] = measured(times(events), "us", events, "20 streams")
        found["cpu_event_kb"] = measured([max(0.0, one - event) / 4.9 for one in times(long_events)], "us", long_events)
    if of("count", 100):
        found["cpu_count_key"] = measured(times(of("count", 100)), "us", of("count", 100))
    return found


@experiment("processor time of a request", _LEVELS, fit=_fit, repeats=3)
def processor(program: str, request: str, value_bytes: int, clients: int) -> Outputs:
    value = b"v" * value_bytes
    with Member(program, folder=MEMORY) as member:
        if request == "put":
            return _timed(member, lambda: _puts(member, value, clients), 5000 if clients > 1 else 2000)
        if request == "event":
            return _events(member, value, clients)
        put_in_transactions(member, range(_KEYS if value_bytes < 1000 else _KEYS // 10), 64, value, 500)
        if request == "get":
            return _timed(member, lambda: _gets(member, clients), 5000)
        return _lists(member, request)


def _timed(member: Member, work: Callable[[], Any], count: float) -> Outputs:
    """Return the processor time of a piece of work, over how much it was. [us]"""
    began, cpu = time.monotonic(), member.cpu_seconds()
    work()
    busy, seconds = member.cpu_seconds() - cpu, time.monotonic() - began
    return {"cpu_us": _MICROSECONDS * busy / count, "busy": busy / seconds}


def _puts(member: Member, value: bytes, clients: int) -> None:
    requests = 5000 if clients > 1 else 2000
    keep_under_way(
        lambda number: member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number, 64), value=value)),
        clients,
        requests=requests,
    )


def _gets(member: Member, clients: int) -> None:
    keep_under_way(
        lambda number: member.kv.Range.future(rpc_pb2.RangeRequest(key=key_of(number * 7 % _KEYS, 64))),
        clients,
        requests=5000,
    )


def _lists(member: Member, request: str) -> Outputs:
    everything = rpc_pb2.RangeRequest(key=b"\0", range_end=b"\0", count_only=request == "count")
    keys = member.kv.Range(rpc_pb2.RangeRequest(key=b"\0", range_end=b"\0", count_only=True)).count
    # The answer stays bytes: to decode it takes longer than etcd does.
    with channel(member.port, own=True) as own:
        ask = own.unary_unary("/etcdserverpb.KV/Range", rpc_pb2.RangeRequest.SerializeToString, bytes)
        times = 100 if request == "count" else 30
        return _timed(member, lambda: [ask(everything) for _ in range(times)], times * keys)


def _events(member: Member, value: bytes, streams: int) -> Outputs:
    puts, ended = 1000, threading.Event()
    request = rpc_pb2.WatchRequest(create_request=rpc_pb2.WatchCreateRequest(key=b"/", range_end=b"0"))
    received = [0] * streams

    def read(number: int, stream: Any) -> None:
        for _ in stream:
            received[number] += 1
            if ended.is_set():
                return

    def requests() -> Iterator[rpc_pb2.WatchRequest]:
        yield request
        ended.wait()

    with channel(member.port, own=True) as own:
        watch = own.stream_stream("/etcdserverpb.Watch/Watch", rpc_pb2.WatchRequest.SerializeToString, bytes)
        readers = [threading.Thread(target=read, args=(number, watch(requests()))) for number in range(streams)]
        for reader in readers:
            reader.start()
        while min(received) < 1:
            time.sleep(0.01)
        before = _timed(member, lambda: _put_under(member, b"0", value, puts), puts)["cpu_us"]
        found = _timed(member, lambda: _put_under(member, b"/", value, puts), puts)
        ended.set()
        put(member, b"/last", b"")
        for reader in readers:
            reader.join()
    return {"cpu_us": max(0.0, found["cpu_us"] - before) / streams, "busy": found["busy"]}


def _put_under(member: Member, prefix: bytes, value: bytes, puts: int) -> None:
    def send(number: int) -> Any:
        return member.kv.Put.future(rpc_pb2.PutRequest(key=prefix + key_of(number, 63), value=value))

    keep_under_way(send, 16, requests=puts)
    time.sleep(0.3)
