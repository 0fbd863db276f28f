"""`observe` on servers that misbehave: each member gets one line, never a traceback, within the timeout."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
import threading
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from certificates import Certificates
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from members import aged
from servers import answering, read_request, serving

from etcdsize import ClientTls, MissingDependencyError, Observation, OptionError, observe, read_metrics

DOCS = Path(__file__).parents[2] / "docs" / "examples" / "observed"
METRICS = (DOCS / "infra0-before.txt").read_text()
LATER = (DOCS / "infra0-after.txt").read_text()


def problem(port: int, scheme: str = "http", **options) -> str | None:
    (member,) = observe(f"{scheme}://127.0.0.1:{port}", **{"interval": 0, "timeout": 5} | options).members
    return member.problem


class TestAnswers:
    def test_rate_is_computed_from_two_scrapes(self):
        texts = iter([METRICS, LATER])

        def next_text(connection: socket.socket) -> None:
            answering(next(texts))(connection)

        with serving(next_text) as port:
            start = time.monotonic()
            observation = observe(f"http://127.0.0.1:{port}", interval=0.2)
            took = time.monotonic() - start
        # The counters rose by 10 seconds' worth of requests in a fifth of a second.
        assert observation.requests_per_second == pytest.approx(802 / observation.interval_seconds, rel=0.001)
        assert 0.15 < observation.interval_seconds < took
        # The process that listens is not etcd, so its connections are not counted as clients.
        assert observation.clients.counted_by == "streams"

    def test_members_are_scraped_concurrently(self):
        def slow(connection: socket.socket) -> None:
            time.sleep(0.5)
            answering(METRICS)(connection)

        with serving(slow) as port:
            urls = [f"http://127.0.0.{number}:{port}" for number in range(1, 21)]
            with serving_many(urls[1:], slow):
                start = time.monotonic()
                observe(urls, interval=0)
                assert time.monotonic() - start < 3

    def test_lifetime_is_measured_by_the_members_clock(self):
        """Both process_start_time_seconds and the Date header of the answer come from the member's clock."""
        text = aged(METRICS, 1000)
        ahead = formatdate(time.time() + 1000, usegmt=True)
        for date, seconds in ((ahead, 2000), ("soon", 1000)):
            with serving(answering(text, headers=f"Date: {date}\r\n")) as port:
                (member,) = observe(f"http://127.0.0.1:{port}", interval=0).members
            calls = sum(read_metrics(text).calls.values())
            assert member.requests_per_second == pytest.approx(calls / seconds, rel=0.05)

    @pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 01 Nov 2099 00:00:00 GMT",
                                      "Wed, 31 Dec 1969 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"])  # fmt: skip
    def test_clock_that_differs_from_ours_gives_no_average(self, date):
        """The age of a process may be wrong then, and so may the average be. Two scrapes need no clock."""
        with serving(answering(METRICS, headers=f"Date: {date}\r\n")) as port:
            observation = observe(f"http://127.0.0.1:{port}", interval=0)
            twice = observe(f"http://127.0.0.1:{port}", interval=0.1)
        assert (observation.requests_per_second, observation.data_bytes) == (None, 1_110_016)
        assert "the clocks of the member and of this machine differ" in observation.problems[0].problem
        assert (twice.requests_per_second, twice.problems) == (0, ())

    def test_observe_runs_inside_an_event_loop(self):
        """A notebook has a running event loop."""

        async def work() -> Observation:
            with serving(answering(METRICS)) as port:
                return observe(f"http://127.0.0.1:{port}", interval=0)

        assert asyncio.run(work()).problems == ()

    def test_ctrl_c_inside_an_event_loop_does_not_wait(self):
        """An exception in the main thread stands for that of Ctrl-C."""

        def interrupt(number, frame):
            raise KeyboardInterrupt

        def answer(connection: socket.socket) -> None:
            answering(METRICS)(connection)
            os.kill(os.getpid(), signal.SIGALRM)

        async def work() -> Observation:
            with serving(answer) as port:
                return observe(f"http://127.0.0.1:{port}", interval=60)

        before = signal.signal(signal.SIGALRM, interrupt)
        start = time.monotonic()
        try:
            with pytest.raises(KeyboardInterrupt):
                asyncio.run(work())
        finally:
            signal.signal(signal.SIGALRM, before)
        assert time.monotonic() - start < 20

    def test_proxies_are_ignored(self, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
        with serving(answering(METRICS)) as port:
            assert problem(port) is None

    def test_request_is_a_plain_get_of_metrics(self):
        requests = []

        def note(connection: socket.socket) -> None:
            requests.append(read_request(connection).decode())
            connection.sendall(b"HTTP/1.1 500 no\r\n\r\n")

        with serving(note) as port:
            problem(port)
        assert requests[0].startswith("GET /metrics HTTP/1.1\r\n")
        assert "Accept-Encoding: identity\r\n" in requests[0]


def serving_many(urls, handler):
    """Serve on more addresses of the loopback, each at the port of its URL."""
    import contextlib

    stack = contextlib.ExitStack()
    for url in urls:
        host, _, port = url.removeprefix("http://").partition(":")
        stack.enter_context(serving(handler, address=host, port=int(port)))
    return stack


def drip(connection: socket.socket) -> None:
    """Answer one byte at a time, so that no single read takes long."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"#")
        time.sleep(0.05)


def flood(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"#" * 65536)


def endless_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: " + b"x" * 60000 + b"\r\n")


def cut(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc")


HTML = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>"
NOT_HTTP = "closed the connection without an answer; if it serves TLS, use https://; is it the client port?"
LONG = "no answer within 0.3 s; is it overloaded, or cut off?"


class TestMisbehaving:
    @pytest.mark.parametrize(
        ("handler", "expected"),
        [
            (
                answering(HTML),
                "metrics: got a web page, expected the metrics of etcd; check the URL",
            ),
            (answering(HTML, "502 Bad Gateway"), f"answers 502: {HTML[:60]}, expected etcd's metrics"),
            (answering("", "503 Unavailable"), "answers 503, expected etcd's metrics"),
            (
                answering("404 page not found\n", "404 Not Found"),
                "answers 404: it has no /metrics; use a client URL, or one of --listen-metrics-urls",
            ),
            (
                answering("", "401 Unauthorized"),
                "answers 401: a proxy in front of it wants a login; use the member's own URL",
            ),
            (
                answering("", "302 Found", "Location: http://127.0.0.1:1/\r\n"),
                "answers 302, a redirect; use the member's own URL",
            ),
            (
                answering("Client sent an HTTP request to an HTTPS server.\n", "400 Bad Request"),
                "serves TLS; use https://",
            ),
            (answering(""), "metrics: got an empty text, expected the metrics of etcd"),
            (
                answering(b"\xff\xff"),
                "metrics: got bytes that are not UTF-8 (byte 0), expected the text that etcd serves",
            ),
            (
                answering(METRICS[: METRICS.index("process_start_time_seconds 1") + 30]),
                "metrics: line 254: the last line does not end; is it cut off?",
            ),
            (
                answering(METRICS + "etcd_server_has_leader NaN\n"),
                "metrics: line ",
            ),
            (cut, "its answer was cut off"),
            (
                flood,
                "answers with more than 4194304 bytes of etcd's metrics, or in one line; etcd's own are about 150 kB",
            ),
            (lambda connection: None, NOT_HTTP),
            (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), None),
            (endless_headers, None),
            (lambda connection: connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46"), None),
        ],
    )  # fmt: skip
    def test_problem_is_one_line(self, handler, expected):
        with serving(handler) as port:
            start = time.monotonic()
            came = problem(port)
            assert time.monotonic() - start < 6
        assert came is not None
        assert len(came.splitlines()) == 1
        assert expected is None or came.startswith(expected)

    @pytest.mark.parametrize(
        "handler",
        [
            lambda connection: time.sleep(20),
            lambda connection: (read_request(connection), time.sleep(20)),
            drip,
        ],
        ids=["no request read", "no answer", "one byte at a time"],
    )
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_hanging_server_is_left_after_the_timeout(self, handler, scheme):
        with serving(handler) as port:
            start = time.monotonic()
            came = problem(port, scheme, timeout=0.3)
            took = time.monotonic() - start
        assert took < 10  # a busy machine; the server holds on for longer
        if scheme == "http":
            assert came == LONG

    def test_full_accept_queue_ends_in_a_timeout(self):
        """The server listens but accepts no connection, so the kernel drops packets."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            port = listener.getsockname()[1]
            others = []
            for _ in range(4):
                other = socket.socket()
                other.setblocking(False)
                other.connect_ex(("127.0.0.1", port))
                others.append(other)
            assert problem(port, timeout=0.3) == LONG
            for other in others:
                other.close()

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_any_bytes_are_reported_in_one_line(self, scheme):
        """Random bytes, with and without HTTP headers around them."""
        sent = [b""]

        def handle(connection: socket.socket) -> None:
            if scheme == "http":
                read_request(connection)
            connection.sendall(sent[0])

        with serving(handle) as port:

            @given(
                st.binary(max_size=100)
                | st.binary(max_size=60).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest)
                | st.binary(max_size=60).map(lambda rest: b"HTTP/1.1 200 OK\r\n\r\n" + rest)
                | st.binary(max_size=60).map(
                    lambda rest: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + rest
                )
            )
            @examples(60)
            def check(answer):
                sent[0] = answer
                came = problem(port, scheme, timeout=2)
                assert came is not None
                assert len(came.splitlines()) == 1

            check()

    def test_closed_port_is_named(self):
        assert problem(1) == "nothing listens there; is the member down, or the port wrong?"

    @pytest.mark.parametrize("host", ["a..b", "xn--", "[v1.x]", "%41", "x" * 70 + ".invalid"])
    def test_invalid_host_name_is_rejected(self, host):
        with pytest.raises(OptionError, match=r"^endpoints: got "):
            observe(f"http://{host}:2379", interval=0)

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "256.256.256.256"])
    def test_unknown_host_is_named(self, host):
        (member,) = observe(f"http://{host}:2379", interval=0).members
        assert member.problem.startswith('no such host: "')

    def test_hanging_name_server_costs_no_more_than_the_timeout(self, monkeypatch):
        """The thread of the look-up is abandoned, and delays nothing."""
        asked, released = threading.Event(), threading.Event()

        def hang(*_arguments, **_options):
            asked.set()
            released.wait(20)
            raise socket.gaierror(-3, "try again")

        monkeypatch.setattr(socket, "getaddrinfo", hang)
        start = time.monotonic()
        (member,) = observe("http://etcd.example:2379", interval=0, timeout=0.3).members
        assert time.monotonic() - start < 10
        released.set()
        assert asked.is_set()
        assert member.problem == LONG

    def test_member_that_is_down_does_not_affect_the_others(self):
        with serving(answering(METRICS)) as port:
            observation = observe([f"127.0.0.1:{port}", "127.0.0.1:1"], interval=0.1)
        assert [member.problem is None for member in observation.members] == [True, False]
        assert observation.requests_bound == "lower"

    def test_run_takes_at_most_the_interval_and_two_timeouts(self):
        with serving(lambda connection: time.sleep(20)) as port:
            start = time.monotonic()
            observation = observe(f"127.0.0.1:{port}", interval=0.2, timeout=0.3)
            assert time.monotonic() - start < 0.2 + 2 * 0.3 + 10
        assert not observation.is_known


class TestTls:
    @pytest.fixture
    def certificates(self, tmp_path):
        return Certificates(tmp_path)

    @staticmethod
    def context(files: tuple[str, str]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        return context

    def test_self_signed_certificate_needs_to_be_given_as_ca(self, certificates):
        files = certificates.issue("own", self_signed=True)
        with serving(answering(METRICS), self.context(files)) as port:
            assert problem(port, "https") == (
                "its certificate is not trusted: self-signed certificate; give the CA that signed it with --cacert"
            )
            assert problem(port, "https", tls=ClientTls(cacert=files[0])) is None

    def test_certificate_of_a_given_ca_is_trusted(self, certificates):
        with serving(answering(METRICS), self.context(certificates.issue("server"))) as port:
            assert problem(port, "https", tls=ClientTls(cacert=certificates.ca)) is None

    def test_certificate_for_another_host_is_rejected(self, certificates):
        files = certificates.issue("server", hosts=["127.0.0.2"])
        with serving(answering(METRICS), self.context(files)) as port:
            assert problem(port, "https", tls=ClientTls(cacert=certificates.ca)) == (
                "its certificate is not trusted: IP address mismatch, certificate is not valid for '127.0.0.1'"
            )

    def test_http_to_a_tls_port_is_named(self, certificates):
        with serving(answering(METRICS), self.context(certificates.issue("server"))) as port:
            assert problem(port, "http") == NOT_HTTP

    def test_tls_to_an_http_port_is_named(self):
        with serving(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
            assert problem(port, "https") == "does not serve TLS; use http://"

    @pytest.mark.parametrize(
        ("files", "message"),
        [
            ({"cert": "{folder}/server.crt"}, "cert: cannot be used without key; give both"),
            ({"key": "{folder}/server.key"}, "key: cannot be used without cert; give both"),
            ({"cacert": "{folder}/none"}, "cacert: {folder}/none: cannot be read: No such file or directory"),
            (
                {"cert": "{folder}/none", "key": "{folder}/server.key"},
                "cert: {folder}/none: cannot be read: No such file or directory",
            ),
            (
                {"cacert": "{folder}/server.key"},
                "cacert: {folder}/server.key: expected a certificate in PEM, and the key that belongs to it: ",
            ),
            (
                {"cert": "{folder}/server.crt", "key": "{folder}/client.key"},
                "cert: {folder}/server.crt: expected a certificate in PEM, and the key that belongs to it: key "
                "values mismatch",
            ),
            (
                {"cert": "{folder}/server.crt", "key": "{folder}/locked.key"},
                "key: is encrypted, expected a key without a password",
            ),
        ],
    )
    def test_unusable_certificate_files_are_rejected(self, files, message, certificates, tmp_path):
        certificates.issue("server")
        certificates.issue("client")
        certificates.lock("locked")
        given = {name: file.format(folder=tmp_path) for name, file in files.items()}
        with pytest.raises(OptionError) as caught:
            observe("https://127.0.0.1:1", interval=0, tls=ClientTls(**given))
        assert str(caught.value).startswith(message.format(folder=tmp_path))


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"interval": -1}, "interval: got -1, expected seconds of 0 or more, and at most 3600, an hour"),
            ({"interval": float("nan")}, "interval: got nan, expected seconds of 0 or more, and at most 3600, an hour"),
            ({"interval": "10s"}, 'interval: got "10s", expected seconds of 0 or more, and at most 3600, an hour'),
            ({"interval": True}, "interval: got True, expected seconds of 0 or more, and at most 3600, an hour"),
            ({"timeout": 0}, "timeout: got 0, expected seconds above 0, and at most 3600, an hour"),
            (
                {"interval": 10**400},
                f"interval: got 1{'0' * 56}..., expected seconds of 0 or more, and at most 3600, an hour",
            ),
            (
                {"interval": 3601},
                "interval: got 3601, expected seconds of 0 or more, and at most 3600, an hour",
            ),
            ({"timeout": 3600.5}, "timeout: got 3600.5, expected seconds above 0, and at most 3600, an hour"),
            ({"timeout": float("inf")}, "timeout: got inf, expected seconds above 0, and at most 3600, an hour"),
        ],
    )
    def test_invalid_interval_and_timeout_are_rejected(self, options, message):
        with pytest.raises(OptionError) as caught:
            observe("http://127.0.0.1:1", **options)
        assert str(caught.value) == message

    @pytest.mark.parametrize(
        ("module", "package"), [("httpx", "httpx"), ("prometheus_client.parser", "prometheus-client")]
    )
    def test_missing_extra_is_named(self, module, package, monkeypatch):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingDependencyError) as caught:
            observe("http://127.0.0.1:1", interval=0)
        assert str(caught.value) == f"{package} is not installed; run: pip install 'etcdsize[observe]'"
