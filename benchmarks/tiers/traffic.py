"""The clients: each has a connection of its own, and requests are due at a steady rate, however slow others were.

It is a process of its own, so that its processor time and etcd's can be told apart. It prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import time

import grpc.aio
from aetcd.rpc import rpc_pb2
from aetcd.rpc.rpc_pb2_grpc import KVStub

from etcdsize.calibration.load import key_of

_TICK_SECONDS = 0.001
_MILLISECONDS = 1e3


class Traffic:
    """The requests of all clients, and how long each took since it was due."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._value = bytes(options.value_bytes)
        self._order = random.Random(7)
        self.reads: list[float] = []
        self.writes: list[float] = []
        self.failed = 0

    async def run(self) -> dict[str, float]:
        """Send the requests of so many seconds, and wait for the last answer."""
        options, address = self._options, f"127.0.0.1:{self._options.port}"
        async with contextlib.AsyncExitStack() as stack:
            own = (("grpc.use_local_subchannel_pool", 1),)
            channels = [
                await stack.enter_async_context(grpc.aio.insecure_channel(address, options=own))
                for _ in range(options.clients)
            ]
            await asyncio.gather(*(channel.channel_ready() for channel in channels))
            clients = [KVStub(channel) for channel in channels]
            cpu, began = time.process_time(), time.perf_counter()
            total = int(options.requests * options.seconds)
            sent, under_way = 0, set[asyncio.Task[None]]()
            while sent < total:
                until = min(total, int((time.perf_counter() - began) * options.requests) + 1)
                for number in range(sent, until):
                    task = asyncio.ensure_future(
                        self._request(clients[number % len(clients)], began + number / options.requests)
                    )
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                sent = until
                await asyncio.sleep(_TICK_SECONDS)
            await asyncio.gather(*under_way)
            took = time.perf_counter() - began
        return {
            "seconds": took,
            "requests_per_second": total / took,
            "failed": self.failed,
            "client_cores": (time.process_time() - cpu) / took,
            **_percentiles("read", self.reads),
            **_percentiles("write", self.writes),
        }

    async def _request(self, client: KVStub, due: float) -> None:
        key = key_of(self._order.randrange(self._options.keys), self._options.key_bytes)
        try:
            if self._order.random() < self._options.write_share:
                await client.Put(rpc_pb2.PutRequest(key=key, value=self._value))
                self.writes.append(time.perf_counter() - due)
            else:
                await client.Range(rpc_pb2.RangeRequest(key=key))
                self.reads.append(time.perf_counter() - due)
        except grpc.aio.AioRpcError:
            # Such as a time limit of etcd's that has passed, or a leader that has lost its office.
            self.failed += 1


def _percentiles(kind: str, seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    at = {"p50": 0.5, "p99": 0.99, "longest": 1.0}
    last = len(ordered) - 1
    return {f"{kind}_{name}_ms": _MILLISECONDS * ordered[int(share * last)] for name, share in at.items() if ordered}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tiers.traffic", description=__doc__)
    for name in ("port", "clients", "keys", "key-bytes", "value-bytes"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("requests", "write-share", "seconds"):
        parser.add_argument(f"--{name}", type=float, required=True)
    print(json.dumps(asyncio.run(Traffic(parser.parse_args()).run())))


if __name__ == "__main__":
    main()
