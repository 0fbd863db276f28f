"""Servers that answer `observe` with anything: one line, in the time and the memory that a member may take."""

from __future__ import annotations

import gzip
import json
import socket
import time
import tracemalloc
from collections.abc import Callable

import pytest
from members import alone, captured
from servers import Handler, answering, read_request, serving

from etcdsize import observe

# Each waits for servers that misbehave.
pytestmark = pytest.mark.slow

METRICS = alone(captured(0)).encode()
TIMEOUT = 1.0
LATE = "no answer within 1 s; is it overloaded, or cut off?"
TOO_LONG = "its headers do not end; is it the client port?"
NOT_HTTP = "does not answer in HTTP; is it the client port?"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def sending(*parts: bytes, forever: bytes = b"") -> Handler:
    """Return a handler that reads the request, sends some bytes, and then others without end."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        for part in parts:
            connection.sendall(part)
        while forever:
            connection.sendall(forever)

    return handle


BOMB = gzip.compress(b"#" * 50_000_000)

SERVERS: dict[str, tuple[Handler, str | None]] = {
    "endless small chunks": (sending(CHUNKED, forever=b"1\r\n#\r\n" * 4_000), LATE),
    "endless 100 Continue": (sending(forever=b"HTTP/1.1 100 Continue\r\n\r\n" * 3_000), LATE),
    "endless 103 Early Hints": (sending(forever=b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 2_000), LATE),
    "endless small headers": (sending(OK, forever=b"A: b\r\n" * 4_000), TOO_LONG),
    "endless header": (sending(OK + b"X: ", forever=b"x" * 65_536), TOO_LONG),
    "endless status line": (sending(b"HTTP/1.1 200 ", forever=b"x" * 65_536), TOO_LONG),
    "endless extension of a chunk": (sending(CHUNKED + b"1;", forever=b"a" * 65_536), TOO_LONG),
    "endless trailers": (sending(CHUNKED + b"1\r\n#\r\n0\r\n", forever=b"T: x\r\n" * 4_000), TOO_LONG),
    "huge size of a chunk": (sending(CHUNKED + b"f" * 30 + b"\r\nabc"), NOT_HTTP),
    "large size of a chunk": (sending(CHUNKED + b"ffffffffffff\r\nabc"), "its answer was cut off"),
    "negative size of a chunk": (sending(CHUNKED + b"-5\r\nabc"), NOT_HTTP),
    "gzip bomb": (
        sending(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
        "metrics: got bytes that are not UTF-8 (byte 1), expected the text that etcd serves",
    ),
    "HTTP/0.9": (sending(METRICS), None),
    "HTTP/2": (sending(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" * 10), NOT_HTTP),
    "more announced than sent": (sending(OK + b"Content-Length: 99999\r\n\r\n" + METRICS), "its answer was cut off"),
    "less announced than sent": (
        sending(OK + b"Content-Length: %d\r\n\r\n" % (METRICS.index(b"process_start_time_seconds 1") + 30) + METRICS),
        "metrics: line 206: the last line does not end; is it cut off?",
    ),
    "negative length": (sending(OK + b"Content-Length: -1\r\n\r\n" + METRICS), "did not answer: bad Content-Length"),
    "length of 5,000 digits": (
        sending(OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n"),
        "did not answer: bad Content-Length",
    ),
    "two lengths": (
        sending(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + METRICS),
        "did not answer: conflicting Content-Length headers",
    ),
    "length and chunks": (sending(OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + METRICS), None),
    "coding of the transfer": (sending(OK + b"Transfer-Encoding: gzip\r\n\r\n" + METRICS), None),
    "redirect to itself": (
        sending(b"HTTP/1.1 301 Moved\r\nLocation: /metrics\r\n\r\n"),
        "answers 301, a redirect; use the member's own URL",
    ),
    "redirect to a file": (
        sending(b"HTTP/1.1 302 Moved\r\nLocation: file:///etc/passwd\r\n\r\n"),
        "answers 302, a redirect; use the member's own URL",
    ),
    "switch of protocols": (sending(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), None),
    "204": (sending(b"HTTP/1.1 204 No Content\r\n\r\n"), "answers 204, expected etcd's metrics"),
    "999": (sending(b"HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n"), "answers 999, expected etcd's metrics"),
    "status that is no number": (sending(b"HTTP/1.1 -1 No\r\n\r\n"), NOT_HTTP),
    "NUL in a header": (sending(OK + b"X\x00: \x00\r\n\r\n" + METRICS), NOT_HTTP),
    "TLS": (sending(b"\x15\x03\x01\x00\x02\x02\x46"), NOT_HTTP),
    "enormous metrics": (sending(OK + b"\r\n" + b"etcd_x{" + b'l="x",' * 900_000 + b"} 1\n"), "answers with more than"),
    "many lines": (sending(OK + b"\r\n" + b"\n" * 500_000), "metrics: got an empty text"),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVERS)
def test_the_answer_is_one_line_in_bounded_time_and_memory(name):
    handler, expected = SERVERS[name]
    with serving(handler) as port:
        tracemalloc.start()
        start = time.monotonic()
        (member,) = observe(f"http://127.0.0.1:{port}", interval=0, timeout=TIMEOUT).members
        took = time.monotonic() - start
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert member.problem is not None
    assert member.problem.isprintable()
    assert len(member.problem) < 300
    assert expected is None or member.problem.startswith(expected)
    assert took < 10  # a busy machine; nothing may last as long as the server sends
    assert peak < 40 * 1024**2


@pytest.mark.parametrize("wrap", [lambda data: data, lambda data: b"\x16\x03\x01" + data], ids=["HTTP", "TLS"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_answer_that_ends_anywhere(scheme: str, wrap: Callable[[bytes], bytes]):
    """The connection is closed in every part of the head, and of the body."""
    answer = wrap(OK + b"Content-Length: %d\r\nDate: Sun, 01 Nov 2099 00:00:00 GMT\r\n\r\n" % len(METRICS) + METRICS)
    ends = [*range(0, 110, 7), 500, 5_000, len(answer) - 1]
    cut = iter(ends)

    def handle(connection: socket.socket) -> None:
        if scheme == "http":
            read_request(connection)
        connection.sendall(answer[: next(cut)])

    with serving(handle) as port:
        members = [observe(f"{scheme}://127.0.0.1:{port}", interval=0, timeout=5).members[0] for _ in ends]
    assert len(members) == len(ends)
    assert all(member.problem and member.problem.isprintable() for member in members)


def test_bad_servers_do_not_delay_good_ones(run, tmp_path):
    """Those that send without end use the processor, yet every good member answers within its own timeout."""
    endless = [SERVERS[name][0] for name in ("endless small chunks", "endless 103 Early Hints")]
    with serving(answering(METRICS)) as good, serving(endless[0]) as chunks, serving(endless[1]) as hints:
        groups = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"provider": "aws"}}
            for port in (chunks, hints, chunks, hints, *[good] * 30)
        ]
        (tmp_path / "t.json").write_text(json.dumps(groups))
        code, _, _ = run(
            "observe", "--targets", str(tmp_path / "t.json"), "--interval", "0", "--timeout", "2s",
            "-o", str(tmp_path / "o.jsonl")
        )  # fmt: skip
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert code == 1
    assert [row["observed_problem"] is None for row in rows] == [False] * 4 + [True] * 30
