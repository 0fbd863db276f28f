"""Fetch the metrics of members over HTTP. Of the whole package, this module alone asks others over the network.

No request takes longer than the timeout, and every failure becomes one line that says what happened. httpx is imported
when it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import re
import socket
import ssl
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from etcdsize.base.text import one_line, shortened, shown
from etcdsize.errors import MissingDependencyError, ScrapeError
from etcdsize.observation.connections import count_connections
from etcdsize.observation.metrics import read_metrics, scrape_of
from etcdsize.observation.page import Page
from etcdsize.observation.scrape import Scrape
from etcdsize.observation.tls import ClientTls

if TYPE_CHECKING:
    import httpx

__all__ = ["MAX_REQUESTS", "Answer", "MetricsClient", "run"]

MAX_REQUESTS = 100
"""How many members are asked at the same time: each takes a connection, and memory for its answer."""

T = TypeVar("T")


class Answer:
    """The metrics that a member answered with, or the reason why there are none, and the time of the request."""

    def __init__(self, result: Scrape | str, at: float, local_port: int | None = None) -> None:
        self.result = result
        self.at = at
        self._local_port = local_port

    def count_connections(self) -> int | None:
        """Return the number of client connections to the member, or None if it does not run on this machine."""
        if self._local_port is None or not isinstance(self.result, Scrape) or self.result.started_unix_seconds is None:
            return None
        return count_connections(self._local_port, self.result.started_unix_seconds)


class MetricsClient:
    """Fetches the metrics of members: up to `MAX_REQUESTS` at the same time, each within the timeout."""

    def __init__(self, tls: ClientTls | None, timeout: float) -> None:
        context = (tls or ClientTls()).context()
        try:
            import httpx
        except ImportError as error:
            raise MissingDependencyError(package="httpx", extra="observe") from error
        read_metrics(_PROBE)  # fails without prometheus-client, before any request is made
        self._httpx = httpx
        self._timeout = timeout
        self._slots = asyncio.Semaphore(MAX_REQUESTS)
        # No connection is reused: the process at its other end may have been replaced.
        self._client = httpx.AsyncClient(
            verify=context,
            timeout=None,  # noqa: S113 - asyncio's timeout covers the whole request, httpx's each of its parts
            limits=httpx.Limits(max_connections=MAX_REQUESTS, max_keepalive_connections=0),
            trust_env=False,
            follow_redirects=False,
            headers={"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "identity", "User-Agent": "etcdsize"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    async def fetch(self, url: str) -> Answer:
        """Return the metrics of the member at a URL, or the reason why there are none."""
        async with self._slots:
            start = time.monotonic()
            streams: list[Any] = []
            try:
                async with asyncio.timeout(self._timeout):
                    page, at, taken, port = await self._download(f"{url}/metrics", streams)
            except TimeoutError:
                # httpcore does not close a connection that hangs in the TLS handshake.
                for stream in streams:
                    await stream.aclose()
                return Answer(f"no answer within {self._timeout:g} s; is it overloaded, or cut off?", start)
            except (self._httpx.HTTPError, self._httpx.InvalidURL, OSError, UnicodeError) as error:
                return Answer(_reason(error, url), start)
            except ScrapeError as error:
                return Answer(str(error), start)
            try:
                return Answer(scrape_of(page, taken_unix_seconds=taken), at, port)
            except ScrapeError as error:
                return Answer(str(error), at)

    async def _download(self, url: str, streams: list[Any]) -> tuple[Page, float, float | None, int | None]:
        """Return the page, the time of the request, the member's own time, and its port if it runs on this machine.

        The time of the request is when the member read its counters. Its answer may have to wait here for others.
        """
        at = time.monotonic()

        async def trace(event: str, details: dict[str, Any]) -> None:
            nonlocal at
            if event == "connection.connect_tcp.complete":
                streams.append(details["return_value"])
            elif event == "http11.send_request_headers.complete":
                at = time.monotonic()

        async with self._client.stream("GET", url, extensions={"trace": trace}) as response:
            port = _local_port(response)
            if response.status_code != 200:
                text = b""
                async for part in response.aiter_raw():
                    text += part
                    if len(text) >= _START_OF_AN_ERROR:
                        break
                raise ScrapeError(_status_reason(response.status_code, text))
            page = Page("answers with")
            async for part in response.aiter_raw():
                page.add(part)
                # Thousands of small chunks may have come at once: let the others and the timeout have their turn.
                await asyncio.sleep(0)
            page.end()
            return page, at, _taken(response.headers.get("Date", "")), port


_START_OF_AN_ERROR = 2000
_PROBE = 'etcd_server_id{server_id="1"} 1\nprocess_start_time_seconds 1\n'


# How far the clocks of a member and of this machine may be apart (our choice).
_CLOCKS_APART_SECONDS = 3600
# As RFC 9110 has it. email.utils would read much more, some of it in the local time zone.
_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


def _taken(date: str) -> float | None:
    """Return the time of an answer by the member's clock, as its start is by that clock too. None: it is unknown.

    Without a date it is the time by our clock. If the two differ by much, one of them is wrong, and so may be the age
    of the member's process.
    """
    now = time.time()
    if not _DATE.fullmatch(date):
        return now
    try:
        taken = email.utils.parsedate_to_datetime(date).timestamp()
    except ValueError:
        return now
    return taken if abs(taken - now) <= _CLOCKS_APART_SECONDS else None


def _local_port(response: httpx.Response) -> int | None:
    """Return the port of a member if both ends of the connection to it are on this machine."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        return None
    server, client = (stream.get_extra_info(name) for name in ("server_addr", "client_addr"))
    return server[1] if server and client and server[0] == client[0] else None


def _status_reason(code: int, text: bytes) -> str:
    if code == 400 and b"HTTPS server" in text:
        return "serves TLS; use https://"
    if code in (401, 403):
        return f"answers {code}: a proxy in front of it wants a login; use the member's own URL"
    if code == 404:
        return "answers 404: it has no /metrics; use a client URL, or one of --listen-metrics-urls"
    if 300 <= code < 400:
        return f"answers {code}, a redirect; use the member's own URL"
    start = one_line(text[:60].decode("utf-8", "replace").strip())
    return f"answers {code}{': ' + start if start else ''}, expected etcd's metrics"


def _reason(error: Exception, url: str) -> str:
    """Return in one line why a member did not answer."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            reason = one_line(one.verify_message or "it cannot be verified").rstrip(".")
            hint = "; give the CA that signed it with --cacert" if one.verify_code in _UNKNOWN_CA else ""
            return f"its certificate is not trusted: {reason}{hint}"
        # Some names are rejected before they are looked up.
        if isinstance(one, (socket.gaierror, UnicodeError)) or type(one).__name__ == "InvalidURL":
            return f"no such host: {shown(urlsplit(url).hostname)}"
    text = one_line(" ".join(str(one) for one in causes))
    for signs, reason in _REASONS:
        if any(sign in text for sign in signs):
            return reason
    if any(isinstance(one, ConnectionRefusedError) for one in causes) or "All connection attempts failed" in text:
        return "nothing listens there; is the member down, or the port wrong?"
    closed = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
    if any(isinstance(one, closed) for one in causes) or "Server disconnected" in text:
        # A member that serves only TLS closes a plain connection without a word.
        hint = "if it serves TLS, use https://" if url.startswith("http://") else "does it serve TLS?"
        return f"closed the connection without an answer; {hint}; is it the client port?"
    return f"did not answer: {shortened(one_line(str(error)), 200) or type(error).__name__}"


# X509_V_ERR_: a self-signed certificate, or one whose issuer is unknown.
_UNKNOWN_CA = (18, 19, 20, 21)
_REASONS = (
    (
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER", "UNKNOWN_PROTOCOL"),
        "does not serve TLS; use http://",
    ),
    (
        ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "HANDSHAKE_FAILURE", "UNKNOWN_CA"),
        "requires a client certificate that it trusts; give --cert and --key",
    ),
    (("without sending complete message",), "its answer was cut off"),
    (("Receive buffer too long",), "its headers do not end; is it the client port?"),
    (("illegal", "alformed"), "does not answer in HTTP; is it the client port?"),
)


class _Loop(asyncio.SelectorEventLoop):
    """Looks up hosts in daemon threads, so that a name server that hangs does not delay the end of the program."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        found: asyncio.Future[Any] = self.create_future()

        def settle(value: Any, error: BaseException | None) -> None:
            if found.done():
                return
            if error is None:
                found.set_result(value)
            else:
                found.set_exception(error)

        def look_up() -> None:
            value: Any = None
            error: BaseException | None = None
            try:
                value = socket.getaddrinfo(host, port, **options)
            except (OSError, UnicodeError) as caught:
                error = caught
            if not self.is_closed():
                try:
                    self.call_soon_threadsafe(settle, value, error)
                except RuntimeError:
                    return  # the loop was closed in between

        threading.Thread(target=look_up, daemon=True).start()
        return await found


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine and return its result, even if a loop is running already, as in a notebook."""
    running: list[asyncio.Task[Any]] = []

    async def recorded() -> T:
        running.extend(filter(None, [asyncio.current_task()]))
        return await work

    def run_alone() -> T:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            return runner.run(recorded())

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run_alone()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(run_alone)
        try:
            return answer.result()
        except BaseException:
            # After Ctrl-C the thread must not wait for members. Its loop is closed if it is the work that failed.
            for task in running:
                with contextlib.suppress(RuntimeError):
                    task.get_loop().call_soon_threadsafe(task.cancel)
            raise
