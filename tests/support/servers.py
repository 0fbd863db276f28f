"""Servers on 127.0.0.1 whose answers, valid or not, each test chooses."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Handler = Callable[[socket.socket], None]


@contextmanager
def serving(
    handler: Handler, context: ssl.SSLContext | None = None, address: str = "127.0.0.1", port: int = 0
) -> Iterator[int]:
    """Run a server that passes every connection to a function; yield its port."""

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            # The client may close the connection first.
            with contextlib.suppress(OSError):
                handler(self.request)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False
        request_queue_size = 1024

        def get_request(self):
            connection, peer = super().get_request()
            if context is not None:
                connection.settimeout(5)
                connection = context.wrap_socket(connection, server_side=True)
            return connection, peer

        def handle_error(self, request, client_address):
            pass

    with Server((address, port), Connection) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def read_request(connection: socket.socket) -> bytes:
    """Return the request of a client, up to the empty line."""
    request = b""
    while b"\r\n\r\n" not in request:
        part = connection.recv(65536)
        if not part:
            break
        request += part
    return request


def answering(text: str | bytes, status: str = "200 OK", headers: str = "") -> Handler:
    """Return a handler that answers every request with this text."""
    body = text.encode() if isinstance(text, str) else text

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        connection.sendall(head.encode() + body)

    return handle
