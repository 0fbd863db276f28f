"""How much processor time does a request take on the member that serves it?

It is the time of the process, so that what else the machine does moves it little. Requests come over one connection
without TLS.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, undisturbed
from benchmarks.resources.member import Member, channel
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import key_of, put, put_in_transactions
from etcdsize.calibration.requests import ProcessorTime, get_keys, list_keys, processor_time

_KEYS = 20_000

_LEVELS = [
    *({"request": "put", "value_bytes": value, "clients": 64} for value in (100, 10_000)),
    {"request": "get", "value_bytes": 100, "clients": 64},
    *({"request": "list", "value_bytes": value, "clients": 1} for value in (100, 5000)),
    {"request": "count", "value_bytes": 100, "clients": 1},
    *({"request": "event", "value_bytes": value, "clients": 20} for value in (100, 5000)),
]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def of(request: str, value: int) -> list[Row]:
        return [row for row in rows if (row.inputs["request"], row.inputs["value_bytes"]) == (request, value)]

    def times(found: Sequence[Row]) -> list[float]:
        return [row.outputs["cpu_us"] for row in found]

    puts, large = of("put", 100), of("put", 10_000)
    lists, long_lists = of("list", 100), of("list", 5000)
    events, long_events = of("event", 100), of("event", 5000)
    put, event, key = min(times(puts)), min(times(events)), min(times(lists))
    # Two lengths of values give what a key and what a megabyte take.
    a_byte = max(0.0, min(times(long_lists)) - key) / 4900
    return {
        "cpu_put": undisturbed(times(puts), "us", puts, "64 clients, values of 100 B"),
        "cpu_put_kb": undisturbed([max(0.0, one - put) / 9.9 for one in times(large)], "us", large, "10 kB"),
        "cpu_get": undisturbed(times(of("get", 100)), "us", of("get", 100), "64 clients, linearizable"),
        "cpu_list_mb": undisturbed(
            [a_byte * 1e6 * one / min(times(long_lists)) for one in times(long_lists)], "us", long_lists, "5 kB a key"
        ),
        "cpu_list_key": undisturbed([max(0.0, one - 164 * a_byte) for one in times(lists)], "us", lists, "100 B"),
        "cpu_event": undisturbed(times(events), "us", events, "20 streams, values of 100 B"),
        "cpu_event_kb": undisturbed(
            [max(0.0, one - event) / 4.9 for one in times(long_events)], "us", long_events, "5 kB"
        ),
        "cpu_count_key": undisturbed(times(of("count", 100)), "us", of("count", 100), "100 B"),
    }


@experiment("processor time of a request", _LEVELS, fit=_fit, repeats=3)
def processor(program: str, request: str, value_bytes: int, clients: int) -> Outputs:
    value = b"v" * value_bytes
    with Member(program, folder=MEMORY) as member:
        if request == "put":
            return _outputs(processor_time(member, lambda: _puts(member, value, clients), 5000))
        if request == "event":
            return _events(member, value, clients)
        put_in_transactions(member, range(_KEYS if value_bytes < 1000 else _KEYS // 10), 64, value, 500)
        # What was loaded fills the buffers of a commit, which 3.4 copies for each read.
        member.stop()
        member.start()
        if request == "get":
            return _outputs(get_keys(member, _KEYS, clients))
        counts = request == "count"
        return _outputs(list_keys(member, count_only=counts, times=100 if counts else 30))


def _outputs(found: ProcessorTime) -> Outputs:
    return {"cpu_us": found.microseconds, "busy": found.busy}


def _puts(member: Member, value: bytes, clients: int) -> None:
    keep_under_way(
        lambda number: member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number, 64), value=value)),
        clients,
        requests=5000,
    )


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
        before = processor_time(member, lambda: _put_under(member, b"0", value, puts), puts)
        found = processor_time(member, lambda: _put_under(member, b"/", value, puts), puts)
        ended.set()
        put(member, b"/last", b"")
        for reader in readers:
            reader.join()
    return {"cpu_us": max(0.0, found.microseconds - before.microseconds) / streams, "busy": found.busy}


def _put_under(member: Member, prefix: bytes, value: bytes, puts: int) -> None:
    def send(number: int) -> Any:
        return member.kv.Put.future(rpc_pb2.PutRequest(key=prefix + key_of(number, 63), value=value))

    keep_under_way(send, 16, requests=puts)
    time.sleep(0.3)
