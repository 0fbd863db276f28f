"""The text of one scrape: which of its lines are read, how large it may be, and what a text of another kind looks like.

etcd serves about 150 kB in 1,500 lines, none as long as a kilobyte, of which 200 are read. k3s serves the metrics of
its API server and scheduler on the same page, which is then many megabytes. So a large page is reduced to the lines
that are read while it arrives, and the memory that it takes stays bounded.
"""

from __future__ import annotations

import re

from etcdsize.base.text import decoded, shown
from etcdsize.errors import ScrapeError

__all__ = [
    "ACTIVE_PEERS",
    "API_SERVER_SIZES",
    "CLIENT_REQUESTS",
    "COMMIT",
    "FAMILIES",
    "FSYNC",
    "HANDLED",
    "KNOWN_PEERS",
    "NAMED",
    "RECEIVED",
    "RTT",
    "SINGLE",
    "STARTED",
    "WANTED",
    "WATCH_STREAMS",
    "Page",
    "describe",
    "text_of",
]

STARTED, HANDLED = "grpc_server_started_total", "grpc_server_handled_total"
RECEIVED = "grpc_server_msg_received_total"
CLIENT_REQUESTS = "etcd_server_client_requests_total"
WATCH_STREAMS = "etcd_debugging_mvcc_watch_stream_total"
FSYNC, COMMIT = "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"
RTT = "etcd_network_peer_round_trip_time_seconds"
ACTIVE_PEERS, KNOWN_PEERS = "etcd_network_active_peers", "etcd_network_known_peers"
API_SERVER_SIZES = (
    *("apiserver_storage_size_bytes", "apiserver_storage_db_total_size_in_bytes"),
    "etcd_db_total_size_in_bytes",
)
"""The size of etcd's file as a Kubernetes API server reports it: since 1.28, since 1.26, and before."""
SINGLE = {
    "etcd_mvcc_db_total_size_in_use_in_bytes": "data_bytes",
    "etcd_mvcc_db_total_size_in_bytes": "total_bytes",
    "etcd_server_quota_backend_bytes": "quota_bytes",
    "etcd_server_has_leader": "has_leader",
    "etcd_server_is_leader": "is_leader",
    "etcd_server_is_learner": "is_learner",
    "etcd_server_leader_changes_seen_total": "leader_changes",
    "process_cpu_seconds_total": "cpu_seconds",
    "process_start_time_seconds": "started_unix_seconds",
}
"""Metrics of one line, without labels, and the field of a scrape that each is."""
NAMED = {"etcd_server_id": ("member_id", "server_id"), "etcd_server_version": ("version", "server_version")}
"""Metrics whose label is the value: the field of a scrape, and the label."""
_COUNTERS = (
    *(STARTED, HANDLED, RECEIVED, CLIENT_REQUESTS),
    *("etcd_server_leader_changes_seen_total", "process_cpu_seconds_total"),
)
_GAUGES = (*SINGLE, *NAMED, ACTIVE_PEERS, KNOWN_PEERS, WATCH_STREAMS, *API_SERVER_SIZES)
FAMILIES = {
    **dict.fromkeys(_GAUGES, "gauge"),
    **dict.fromkeys(_COUNTERS, "counter"),
    **dict.fromkeys((FSYNC, COMMIT, RTT), "histogram"),
}
"""Every family that is read, and its type."""
# Of a histogram, only the buckets are needed.
WANTED = frozenset(f"{name}_bucket" if kind == "histogram" else name for name, kind in FAMILIES.items())
"""The names of the lines that are read."""

# How much of a page may be in memory, and how much may come: a large API server serves some ten megabytes (our choice).
_MOST_BYTES = 4 * 1024**2
_MOST_BYTES_OF_ALL = 256 * 1024**2
_PART = 64 * 1024
# What tells the texts of other programs apart.
_START = 2000
_NOT_READ = re.compile(
    rb"^(?!(?:# TYPE )?(?:%s)[ {\t])[^\n]+" % "|".join(sorted(WANTED.union(FAMILIES))).encode(), re.MULTILINE
)


class Page:
    """Collects the text of one scrape, part by part. A large text is reduced to the lines that are read.

    Parameters
    ----------
    where : str
        The beginning of the message if there is too much of it.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._kept = bytearray()
        self._length = 0

    def add(self, part: bytes) -> None:
        """Add a part of the text.

        Raises
        ------
        ScrapeError
            If there is too much of it.
        """
        self._kept += part
        self._length += len(part)
        if self._length > _MOST_BYTES_OF_ALL:
            raise ScrapeError(f"{self._where} more than {_MOST_BYTES_OF_ALL} bytes; etcd's own are about 150 kB")
        if len(self._kept) > _MOST_BYTES:
            self._reduce()
        if len(self._kept) > _MOST_BYTES:
            raise ScrapeError(
                f"{self._where} more than {_MOST_BYTES} bytes of etcd's metrics, or in one line; etcd's own are about "
                "150 kB"
            )

    def _reduce(self) -> None:
        """Empty the lines that are not read, so that the others keep their numbers. The start and the end stay."""
        start = self._kept.find(b"\n", _START) + 1
        end = self._kept.rfind(b"\n") + 1
        if start:
            self._kept[start:end] = _NOT_READ.sub(b"", self._kept[start:end])

    @property
    def content(self) -> bytes:
        """The text so far. Lines that are not read may be empty."""
        return bytes(self._kept)


def text_of(source: str | bytes) -> str:
    """Return the text of a scrape, without the lines that are not read if it is large.

    Raises
    ------
    ScrapeError
        If it is not text, or too large.
    """
    if not isinstance(source, (str, bytes, bytearray)):
        raise ScrapeError(
            f"metrics: got {shown(source)} of type {type(source).__name__}, expected the text that etcd serves"
        )
    try:
        text = source if isinstance(source, str) else decoded(bytes(source))
    except UnicodeDecodeError as error:
        raise ScrapeError(
            f"metrics: got bytes that are not {error.encoding.upper()} (byte {error.start}), expected the text that "
            "etcd serves"
        ) from None
    # Windows ends lines with both.
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if len(text) <= _MOST_BYTES:
        return text
    page = Page("metrics: got")
    for start in range(0, len(text), _PART):
        page.add(text[start : start + _PART].encode(errors="surrogatepass"))
    return page.content.decode(errors="surrogatepass")


def describe(text: str) -> str:
    """Return what a text without any of etcd's metrics looks like, and what to do."""
    start = text[:_START].lstrip().lower()
    if not start:
        return "got an empty text, expected the metrics of etcd"
    if start.startswith(("<!doctype", "<html", "<head", "<?xml", "<body", "<h1", "<title")):
        return "got a web page, expected the metrics of etcd; check the URL"
    if is_prometheus_answer(start):
        return (
            "got an answer of Prometheus' query API, expected the metrics of etcd; fetch /metrics of the members, or "
            "convert the answer with jq as docs/observe.md shows"
        )
    if start.startswith(("{", "[")):
        return "got JSON, expected the metrics of etcd, which are text; fetch /metrics"
    if re.search(r"^(?:# (?:help|type) )?(?:apiserver|apiextensions|aggregator)_", start, re.MULTILINE):
        return (
            "got the metrics of an API server without the size of etcd's file (apiserver_storage_size_bytes); fetch "
            "/metrics of etcd's members"
        )
    if re.match(r"# (help|type) ", start) or re.match(r"[a-z_:][a-z0-9_:]*(\{[^\n]*\})? [-+0-9.e]+", start):
        return "got the metrics of another program, expected the metrics of etcd; check the URL"
    return f"got {shown(text[:60])}, expected the metrics of etcd"


def is_prometheus_answer(start: str) -> bool:
    """Return whether a text begins as an answer of Prometheus' query API does."""
    return re.match(r'\s*\{\s*"status"\s*:\s*"(?:success|error)"', start) is not None
