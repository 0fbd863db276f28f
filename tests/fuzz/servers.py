"""What a member answers to `observe`: status lines, headers, bodies, metrics. One bad member takes no other cluster."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import socket
import threading
from functools import cache
from pathlib import Path
from random import Random

from tests.fuzz.material import damaged, number, text
from tests.fuzz.outcome import command
from tests.fuzz.texts import metrics_lines, metrics_text


class Members:
    """Three members, each on a port of its own, with the answers that an input gives them, the last one repeated."""

    def __init__(self) -> None:
        self.answers: list[list[bytes]] = [[b""], [b""], [b""]]
        self.ports = [self._listen(place) for place in range(3)]

    def _listen(self, place: int) -> int:
        listening = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                connection, _ = listening.accept()
                # The client may close first.
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(2)
                    connection.recv(65536)
                    left = self.answers[place]
                    connection.sendall(left.pop(0) if len(left) > 1 else left[0])
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        return int(listening.getsockname()[1])


@cache
def members() -> Members:
    """Return the members of this process."""
    # Reading the certificates of the system takes as long as the rest of a command.
    os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = os.devnull
    return Members()


def sound(body: bytes | None = None) -> bytes:
    body = b"".join(metrics_lines()) if body is None else body
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


DATES = (
    "Wed, 31 Dec 1969 23:59:59 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 +1400",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Fri, 31 Feb 2026 00:00:00 GMT",
    "Fri, 27 Nov 2026 00:00:00 +9999999",
    "Fri, 27 Nov 2026 00:00:00 GMT",
    "27 Nov 99999999999 00:00:00",
    "",
    "x" * 70000,
)
STATUS = (
    "200 OK",
    "200",
    "204 No Content",
    "301 Moved",
    "401 x",
    "404 \x1b[31m",
    "500 é",
    "999 x",
    "100 Continue",
    "0 x",
    "abc",
    "200 " + "x" * 70000,
)
HEADERS = (
    "Transfer-Encoding: chunked",
    "Content-Length: 5",
    "Content-Length: 99999999999999999999",
    "Content-Length: -1",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Encoding: gzip",
    "Location: http://127.0.0.1:1/metrics",
    "Content-Type: text/html; charset=utf-16",
    "Set-Cookie: a=\x1b[31m",
    "X: \x00",
    "no colon",
    " folded: yes",
)


def answer(random: Random) -> bytes:
    """Return what a member sends."""
    body = metrics_text(random, metrics_lines())
    if random.random() < 0.1:
        body = random.choice(
            (b"", b"<html>", b"{}", text(random).encode("utf-8", "replace"), b"\xff" * 100, b"a 1\n" * 1000)
        )
    if random.random() < 0.3:
        return sound(body)
    status = random.choice(STATUS) if random.random() < 0.3 else "200 OK"
    head = [f"HTTP/{random.choice(('1.1', '1.1', '1.1', '1.0', '2', '9.9'))} {status}"]
    if random.random() < 0.7:
        head.append(f"Content-Length: {len(body)}")
    if random.random() < 0.6:
        head.append(f"Date: {random.choice(DATES)}")
    head += random.sample(HEADERS, random.choice((0, 0, 1, 2)))
    if random.random() < 0.1:
        head.append(f"{random.choice(('Date', 'Content-Length', 'Age'))}: {number(random)}")
    if "Transfer-Encoding: chunked" in head and random.random() < 0.7:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    sent = "\r\n".join(head).encode("utf-8", "replace") + b"\r\n\r\n" + body
    return damaged(random, sent) if random.random() < 0.2 else sent


def servers(random: Random, folder: Path) -> str:
    """Observe one cluster, or several of which one has a bad member."""
    asked = members()
    urls = [f"127.0.0.1:{port}" for port in asked.ports]
    how = ["--interval", random.choice(("0", "0", "5ms")), "--timeout", "1s"]
    if random.random() < 0.4:
        asked.answers = [[answer(random) if random.random() < 0.7 else sound() for _ in range(2)] for _ in urls]
        shown = random.choice(([], ["--json"], ["--clients", "300"]))
        return f"one: {command(['observe', *urls[: random.choice((1, 3))], *how, *shown]).outcome}"
    asked.answers = [[answer(random), answer(random)], [sound()], [sound()]]
    labels = {"cluster": text(random), "provider": random.choice(("aws", "gce", "nobody", "=x"))}
    if random.random() < 0.1:
        labels["current_machine"] = random.choice(("m5.large", text(random)))
    groups = [
        {"targets": [urls[0]], "labels": labels},
        *({"targets": [url], "labels": {"cluster": f"sound {url}", "provider": "aws"}} for url in urls[1:]),
    ]
    (folder / "clusters.json").write_bytes(json.dumps(groups).encode())
    ran = command(["observe", "--targets", "clusters.json", "-o", "out.csv", *how])
    if ran.code == 2:
        assert "clusters.json" in ran.err, f"a bad member ended all: {ran.err}"
        return "many: exit 2"
    with (folder / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # Their pages are of one member, so those that know it are one cluster.
    for url in urls[1:]:
        found = [row for row in rows if f"sound {url}" in row["cluster"].split(";")]
        assert len(found) == 1, f"{url}: {len(found)} rows of a sound cluster"
        assert found[0]["tier"], f"a sound cluster without an answer: {found[0]}"
    return f"many: {ran.outcome}"
