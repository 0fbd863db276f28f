"""Load on a real etcd: requests to its JSON gateway, and watch streams on a connection that speaks a little HTTP/2."""

from __future__ import annotations

import base64
import json
import socket
import struct
import urllib.request
from urllib.parse import urlsplit


def post(url: str, path: str, body: dict) -> None:
    """Send one request to the JSON gateway of a member."""
    request = urllib.request.Request(f"{url}{path}", data=json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def put(url: str, key: str, value: bytes) -> None:
    post(url, "/v3/kv/put", {"key": _base64(key.encode()), "value": _base64(value)})


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


class Watches:
    """One HTTP/2 connection with a watch of the key `k` on every stream. Nothing that the server sends is read."""

    _HEADERS, _DATA, _SETTINGS, _END_HEADERS = 1, 0, 4, 4

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._connection = socket.create_connection((target.hostname, target.port), timeout=30)
        self._connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(self._SETTINGS, 0, 0, b""))
        # The server discards a stream that comes before it has sent its settings.
        self._connection.recv(4096)
        self._connection.sendall(self._frame(self._SETTINGS, 1, 0, b""))
        fields = {
            **{":method": "POST", ":scheme": "http", ":path": "/etcdserverpb.Watch/Watch", ":authority": target.netloc},
            **{"content-type": "application/grpc", "te": "trailers"},
        }
        # Each field as a literal that is not indexed, name and value without Huffman coding.
        self._block = b"".join(
            b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
            for name, value in fields.items()
        )
        self._next = 1

    @staticmethod
    def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload

    def open(self, count: int) -> None:
        """Open so many streams, each with one watch."""
        create = b"\x0a\x03\x0a\x01k"  # WatchRequest{create_request: WatchCreateRequest{key: "k"}}
        message = b"\0" + struct.pack("!I", len(create)) + create
        for _ in range(count):
            frames = self._frame(self._HEADERS, self._END_HEADERS, self._next, self._block)
            self._connection.sendall(frames + self._frame(self._DATA, 0, self._next, message))
            self._next += 2

    def close(self) -> None:
        self._connection.close()
