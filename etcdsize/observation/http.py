"""One member of a cluster is asked for its metrics over HTTP: the one module that talks to a network.

Nothing takes longer than the timeout, and whatever goes wrong is said in one line. httpx is imported when it is needed.
"""

from __future__ import annotations

import asyncio
import email.utils
import socket
import ssl
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from etcdsize.base.text import one_line, shown
from etcdsize.errors import MissingDependencyError, ScrapeError
from etcdsize.observation.metrics import read_metrics
from etcdsize.observation.scrape import Scrape
from etcdsize.observation.sockets import count_sockets

if TYPE_CHECKING:
    import httpx

__all__ = ["MEMBERS_AT_A_TIME", "Answer", "Asker", "run"]

MEMBERS_AT_A_TIME = 100
"""How many members are asked at one moment: each is a connection, and its answer is in memory."""

# What `read_metrics` takes at most; what goes on is not read to its end.
_MOST_BYTES = 4 * 1024**2

T = TypeVar("T")


class Answer:
    """What one member answered, or why it did not, and when."""

    def __init__(self, said: Scrape | str, at: float, port: int | None = None) -> None:
        self.said = said
        self.at = at
        self._port = port

    def sockets(self) -> int | None:
        """Return the connections to it, None where it does not run here."""
        if self._port is None or not isinstance(self.said, Scrape) or self.said.started_unix_seconds is None:
            return None
        return count_sockets(self._port, self.said.started_unix_seconds)


class Asker:
    """Asks members for their metrics, so many at a time, each no longer than the timeout."""

    def __init__(self, context: ssl.SSLContext, timeout: float) -> None:
        try:
            import httpx
        except ImportError as error:
            raise MissingDependencyError(package="httpx", extra="observe") from error
        read_metrics(_PROBE)  # Without prometheus-client no answer can be read: say so before anybody is asked.
        self._httpx = httpx
        self._timeout = timeout
        self._places = asyncio.Semaphore(MEMBERS_AT_A_TIME)
        # A connection is closed after its answer: one that is kept may be that of a process that is no more.
        self._client = httpx.AsyncClient(
            verify=context,
            timeout=None,  # noqa: S113 - asyncio's timeout is for all of it, these are for each part
            limits=httpx.Limits(max_connections=MEMBERS_AT_A_TIME, max_keepalive_connections=0),
            trust_env=False,
            follow_redirects=False,
            headers={"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "identity", "User-Agent": "etcdsize"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    async def ask(self, url: str) -> Answer:
        """Return what the member at a URL answers, or why it does not."""
        async with self._places:
            start = time.monotonic()
            opened: list[Any] = []
            try:
                async with asyncio.timeout(self._timeout):
                    text, at, taken, port = await self._fetched(f"{url}/metrics", opened)
            except TimeoutError:
                # httpcore leaves a connection open that hangs while TLS is agreed on.
                for stream in opened:
                    await stream.aclose()
                return Answer(f"no answer within {self._timeout:g} s; is it overloaded, or cut off?", start)
            except (self._httpx.HTTPError, self._httpx.InvalidURL, OSError, UnicodeError) as error:
                return Answer(_why(error, url), start)
            except ScrapeError as error:
                return Answer(str(error), start)
            try:
                return Answer(read_metrics(text, taken_unix_seconds=taken), at, port)
            except ScrapeError as error:
                return Answer(str(error), at)

    async def _fetched(self, url: str, opened: list[Any]) -> tuple[bytes, float, float, int | None]:
        """Return the text, when it was asked for, when it was given by the member, and its port if it is ours.

        A member counts when it is asked. Its answer may wait here until others are read, and says nothing of that.
        """
        at = time.monotonic()

        async def note(event: str, told: dict[str, Any]) -> None:
            nonlocal at
            if event == "connection.connect_tcp.complete":
                opened.append(told["return_value"])
            elif event == "http11.send_request_headers.complete":
                at = time.monotonic()

        async with self._client.stream("GET", url, extensions={"trace": note}) as response:
            port = _own_port(response)
            parts: list[bytes] = []
            length = 0
            async for part in response.aiter_raw():
                length += len(part)
                if length > _MOST_BYTES:
                    raise ScrapeError(
                        f"answers with more than {_MOST_BYTES} bytes, expected the metrics of etcd, which are about "
                        "150 kB"
                    )
                parts.append(part)
            text = b"".join(parts)
            if response.status_code != 200:
                raise ScrapeError(_status(response.status_code, text))
            return text, at, _taken(response), port


_PROBE = 'etcd_server_id{server_id="1"} 1\nprocess_start_time_seconds 1\n'


def _taken(response: httpx.Response) -> float:
    """Return when an answer was given: by the member's own clock, as its start is, where it tells it."""
    try:
        return email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return time.time()


def _own_port(response: httpx.Response) -> int | None:
    """Return the port of a member whose connection has both ends on this machine."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        return None
    server, client = (stream.get_extra_info(name) for name in ("server_addr", "client_addr"))
    return server[1] if server and client and server[0] == client[0] else None


def _status(code: int, text: bytes) -> str:
    if code == 400 and b"HTTPS server" in text:
        return "speaks TLS; say https://"
    if code in (401, 403):
        return f"answers {code}: something before it asks who you are; name the member itself"
    if code == 404:
        return "answers 404: it has no /metrics; is it the port of clients, or of --listen-metrics-urls?"
    if 300 <= code < 400:
        return f"answers {code}, a redirection; name the member itself"
    said = one_line(text[:60].decode("utf-8", "replace").strip())
    return f"answers {code}{': ' + said if said else ''}, expected the metrics of etcd"


def _why(error: Exception, url: str) -> str:
    """Return in one line why a member did not answer."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            reason = (one.verify_message or "it cannot be verified").rstrip(".")
            hint = "; give the CA that signed it with --cacert" if one.verify_code in _UNKNOWN_CA else ""
            return f"its certificate is not trusted: {reason}{hint}"
        # Some names are refused before anybody is asked for them.
        if isinstance(one, (socket.gaierror, UnicodeError)) or type(one).__name__ == "InvalidURL":
            return f"there is no such host: {shown(urlsplit(url).hostname)}"
    said = one_line(" ".join(str(one) for one in causes))
    for signs, reason in _REASONS:
        if any(sign in said for sign in signs):
            return reason
    if any(isinstance(one, ConnectionRefusedError) for one in causes) or "All connection attempts failed" in said:
        return "nothing listens there; is it down, or is the port another one?"
    if (
        any(isinstance(one, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)) for one in causes)
        or "Server disconnected" in said
    ):
        # A member that speaks TLS alone ends a connection without it in silence.
        other = "does it speak TLS? then say https://" if url.startswith("http://") else "does it speak TLS?"
        return f"ended the connection without an answer; {other}; is it the port of clients?"
    return f"did not answer: {one_line(str(error)) or type(error).__name__}"


# X509_V_ERR_: a certificate that signed itself, or whose signer is not known.
_UNKNOWN_CA = (18, 19, 20, 21)
_REASONS = (
    (("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER", "UNKNOWN_PROTOCOL"), "does not speak TLS; say http://"),
    (
        ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "HANDSHAKE_FAILURE", "UNKNOWN_CA"),
        "wants a certificate of the client that it trusts; give --cert and --key",
    ),
    (("without sending complete message",), "its answer was cut off"),
    (("illegal", "alformed"), "does not answer in HTTP; is it the port of clients?"),
)


class _Loop(asyncio.SelectorEventLoop):
    """Looks hosts up in threads that nobody waits for: a name server that hangs must not hold the end up."""

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
                    return  # closed meanwhile

        threading.Thread(target=look_up, daemon=True).start()
        return await found


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what asynchronous work comes to, also where a loop runs already, as in a notebook."""

    def alone() -> T:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            return runner.run(work)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return alone()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(alone).result()
