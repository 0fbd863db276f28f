"""How much heap and stack do connections, watch streams and watchers take, without TLS and with it?"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc
from aetcd.rpc import rpc_pb2
from aetcd.rpc.rpc_pb2_grpc import KVStub, WatchStub

from benchmarks.resources.experiment import Coefficient, Inputs, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY

__all__ = ["Watch"]

_WATCHERS = 2_000


class Watch:
    """A watch stream that stays open until it is closed."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._requests: queue.SimpleQueue[rpc_pb2.WatchRequest | None] = queue.SimpleQueue()
        self._answers: Any = WatchStub(channel).Watch(self._sent())

    def _sent(self) -> Iterator[rpc_pb2.WatchRequest]:
        while (request := self._requests.get()) is not None:
            yield request

    def create(self, ranges: Sequence[tuple[bytes, bytes]], *, prev_kv: bool = False) -> None:
        """Create a watcher for each pair of a key and a range's end, and wait until all are there."""
        for key, end in ranges:
            wanted = rpc_pb2.WatchCreateRequest(key=key, range_end=end, prev_kv=prev_kv)
            self._requests.put(rpc_pb2.WatchRequest(create_request=wanted))
        for _ in ranges:
            if not next(self._answers).created:
                raise RuntimeError("a watcher was not created")

    def read(self, events: int) -> None:
        """Read so many events."""
        while events > 0:
            events -= len(next(self._answers).events)

    def drain(self) -> threading.Thread:
        """Read all events until the watch is closed; return the thread that does."""

        def read() -> None:
            with contextlib.suppress(grpc.RpcError):
                for _ in self._answers:
                    pass

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        self._requests.put(None)
        self._answers.cancel()


def _levels(minor: int) -> list[Inputs]:
    ways = ["plain", "tls", *(["plain-split", "tls-split"] if minor >= 5 else [])]
    return [{"way": way, "streams": streams} for way in ways for streams in (1, 10)]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def of(name: str, *ways: str) -> list[float]:
        return [row.outputs[name] for row in rows if row.inputs["way"] in ways]

    found: dict[str, Coefficient] = {}
    for prefix, way in (("", "plain"), ("tls_", "tls"), ("split_", "plain-split"), ("tls_split_", "tls-split")):
        for what in ("connection", "stream"):
            for memory in ("heap", "stack"):
                values = of(f"{what}_{memory}", way)
                if values:
                    found[f"{what}_{prefix}{memory}"] = measured(values, "B", rows, "idle, after one request")
    for what in ("own_key", "same_range", "own_range"):
        values = [row.outputs[f"watcher_{what}"] for row in rows]
        found[f"watcher_{what}"] = measured(values, "B", rows, "keys of 24 bytes")
    return found


@experiment("heap and stack of connections, watch streams and watchers, by TLS", _levels, fit=_fit)
def connections(program: str, way: str, streams: int) -> Outputs:
    count = 200 if streams == 1 else 60
    with Member(program, folder=MEMORY, tls=way.startswith("tls"), split=way.endswith("split")) as member:
        found: Outputs = {}
        channels = [member.connect() for _ in range(4)]
        _ask(channels)
        heap, stack = _memory(member)

        more = [member.connect() for _ in range(count)]
        _ask(more)
        after_heap, after_stack = _memory(member)
        found["connection_heap"], found["connection_stack"] = (after_heap - heap) / count, (after_stack - stack) / count
        heap, stack = after_heap, after_stack

        watches = [Watch(each) for each in more for _ in range(streams)]
        for number, watch in enumerate(watches):
            watch.create([(b"/one/%019d" % number, b"")])
        after_heap, after_stack = _memory(member)
        total = count * streams
        found["stream_heap"], found["stream_stack"] = (after_heap - heap) / total, (after_stack - stack) / total

        ranges: dict[str, Callable[[int], tuple[bytes, bytes]]] = {
            "own_key": lambda number: (b"/own/%019d" % number, b""),
            "same_range": lambda _: (b"/same/", b"/same0"),
            "own_range": lambda number: (b"/range/%016d/" % number, b"/range/%016d0" % number),
        }
        for name, made in ranges.items():
            watches.append(Watch(channels[0]))
            watches[-1].create([made(-1 if name == "same_range" else _WATCHERS)])
            heap, _ = _memory(member)
            watches[-1].create([made(number) for number in range(_WATCHERS)])
            found[f"watcher_{name}"] = (_memory(member)[0] - heap) / _WATCHERS
        for watch in watches:
            watch.close()
        for each in (*channels, *more):
            each.close()
    return found


def _ask(channels: Sequence[grpc.Channel]) -> None:
    for each in channels:
        KVStub(each).Range(rpc_pb2.RangeRequest(key=b"none"))


def _memory(member: Member) -> tuple[float, float]:
    heap = member.live_heap()
    return heap, member.metrics()["go_memstats_stack_inuse_bytes"]
