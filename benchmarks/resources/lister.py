"""List everything, again and again, in a process of its own.

`python -m benchmarks.resources.lister PORT SECONDS [stream]` prints how many lists that were. One Python process would
hand the lists of several clients to etcd one after the other.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterable

import grpc
from aetcd.rpc import rpc_pb2

from benchmarks.resources.member import channel

__all__ = ["all_keys", "slow_list"]

_RANGE = rpc_pb2.RangeRequest(key=b"/", range_end=b"0")


def all_keys(connection: grpc.Channel, *, stream: bool = False) -> int:
    """List all keys, and return the bytes of the answers; 3.7 can stream them."""
    if not stream:
        return len(connection.unary_unary("/etcdserverpb.KV/Range", _request, bytes)(_RANGE))
    chunks: Iterable[bytes] = connection.unary_stream("/etcdserverpb.KV/RangeStream", _request, bytes)(_RANGE)
    return sum(map(len, chunks))


def slow_list(port: int) -> Callable[[], None]:
    """Ask for all keys, and read nothing of the answer. Return what closes the connection."""
    body = _request(_RANGE)
    connection = socket.create_connection(("127.0.0.1", port))
    headers = b"".join(
        b"\x00" + bytes((len(name),)) + name + bytes((len(value),)) + value
        for name, value in (
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", b"/etcdserverpb.KV/Range"),
            (b":authority", b"127.0.0.1"),
            (b"content-type", b"application/grpc"),
            (b"te", b"trailers"),
        )
    )
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, b""))
    connection.sendall(_frame(1, 4, 1, headers) + _frame(0, 1, 1, b"\0" + len(body).to_bytes(4, "big") + body))
    return connection.close


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _request(request: rpc_pb2.RangeRequest) -> bytes:
    return bytes(request.SerializeToString())


def main() -> None:
    port, seconds, stream = int(sys.argv[1]), float(sys.argv[2]), "stream" in sys.argv[3:]
    connection = channel(port, own=True)
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        all_keys(connection, stream=stream)
        count += 1
    print(count)


if __name__ == "__main__":
    main()
