"""The text of one scrape: which of its lines are read, how large it may be, and what a text of another kind looks like.

etcd serves about 150 kB in 1,500 lines, none as long as a kilobyte, of which 200 are read. k3s serves the metrics of
its API server and scheduler on the same page, which is then many megabytes. So only the lines that are read are kept
while a page arrives, and the memory that it takes stays bounded.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable
from typing import Self

from etcdsize.base.text import shown
from etcdsize.errors import ScrapeError

__all__ = [
    "ACTIVE_PEERS",
    "API_SERVER_SIZES",
    "CLIENT_REQUESTS",
    "COMMIT",
    "COMPACT_REVISION",
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
    "is_prometheus_answer",
    "lines_of",
]

STARTED, HANDLED = "grpc_server_started_total", "grpc_server_handled_total"
RECEIVED = "grpc_server_msg_received_total"
CLIENT_REQUESTS = "etcd_server_client_requests_total"
WATCH_STREAMS = "etcd_debugging_mvcc_watch_stream_total"
FSYNC, COMMIT = "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"
RTT = "etcd_network_peer_round_trip_time_seconds"
ACTIVE_PEERS, KNOWN_PEERS = "etcd_network_active_peers", "etcd_network_known_peers"
COMPACT_REVISION = "etcd_debugging_mvcc_compact_revision"
"""The revision of the last compaction; -1 before the first one."""
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
    "etcd_server_proposals_pending": "pending_proposals",
    "etcd_server_proposals_failed_total": "failed_proposals",
    "etcd_server_proposals_applied_total": "applied_proposals",
    "etcd_disk_wal_write_bytes_total": "wal_bytes",
    "etcd_debugging_lease_renewed_total": "lease_renewals",
    "etcd_debugging_mvcc_keys_total": "keys",
    "etcd_debugging_mvcc_watcher_total": "watchers",
    "etcd_debugging_mvcc_slow_watcher_total": "slow_watchers",
    "etcd_debugging_mvcc_events_total": "events",
    "etcd_debugging_mvcc_current_revision": "revision",
    COMPACT_REVISION: "compact_revision",
    "etcd_mvcc_put_total": "puts",
    "etcd_mvcc_delete_total": "deletes",
    "etcd_debugging_mvcc_total_put_size_in_bytes": "put_bytes",
    "etcd_debugging_lease_granted_total": "leases_granted",
    "etcd_debugging_lease_revoked_total": "leases_revoked",
    "etcd_debugging_server_lease_expired_total": "leases_expired",
    "etcd_network_client_grpc_sent_bytes_total": "sent_bytes",
    "go_memstats_heap_alloc_bytes": "heap_bytes",
    "go_sched_gomaxprocs_threads": "usable_cores",
    "process_cpu_seconds_total": "cpu_seconds",
    "process_open_fds": "open_files",
    "process_resident_memory_bytes": "resident_bytes",
    "process_start_time_seconds": "started_unix_seconds",
}
"""Metrics of one line, without labels, and the field of a scrape that each is."""
NAMED = {"etcd_server_id": ("member_id", "server_id"), "etcd_server_version": ("version", "server_version")}
"""Metrics whose label is the value: the field of a scrape, and the label."""
_COUNTERS = (
    *(STARTED, HANDLED, RECEIVED, CLIENT_REQUESTS),
    *("etcd_server_leader_changes_seen_total", "etcd_server_proposals_failed_total"),
    *("etcd_debugging_lease_renewed_total", "process_cpu_seconds_total"),
    *("etcd_mvcc_put_total", "etcd_mvcc_delete_total", "etcd_debugging_mvcc_events_total"),
    *("etcd_debugging_lease_granted_total", "etcd_debugging_lease_revoked_total"),
    *("etcd_debugging_server_lease_expired_total", "etcd_network_client_grpc_sent_bytes_total"),
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
# What a line takes in memory besides its characters.
_BYTES_OF_A_LINE = 100
# What tells the texts of other programs apart.
_START = 2000


def lines_of(names: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of the lines of metrics, and of their types."""
    # Blanks at the start of a line mean nothing.
    return re.compile(rf"^[ \t]*(?:# TYPE )?(?:{'|'.join(sorted(names))})[ {{\t][^\n]*", re.MULTILINE)


_READ = lines_of(WANTED.union(FAMILIES))


class Page:
    """Collects the lines of one scrape that are read, while its text arrives part by part.

    Parameters
    ----------
    where : str
        The beginning of the message if there is too much of it.
    read : pattern
        The lines that are read; by default those of etcd.
    most_bytes : int
        How much of them may be in memory. [bytes]
    """

    def __init__(
        self, where: str = "metrics: got", *, read: re.Pattern[str] = _READ, most_bytes: int = _MOST_BYTES
    ) -> None:
        self._where = where
        self._read = read
        self._most_bytes = most_bytes
        self._first = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._bytes = 0
        self._kept = 0
        self._lines = 0
        self._parts: list[str] = []
        self._fresh = 0
        self.start: str = ""
        """The beginning of the text, which tells what it is."""
        self.lines: list[tuple[int, str]] = []
        """The lines that are read, each with its number in the text, without what indents them."""
        self.is_cut_off: bool = False
        """Whether the last line is one that is read, and has no end."""

    @classmethod
    def of(cls, source: object, *, read: re.Pattern[str] = _READ, most_bytes: int = _MOST_BYTES) -> Self:
        """Return the page of a whole text.

        Raises
        ------
        ScrapeError
            If it is not text, or too large.
        """
        if not isinstance(source, (str, bytes, bytearray)):
            raise ScrapeError(
                f"metrics: got {shown(source)} of type {type(source).__name__}, expected the text that etcd serves"
            )
        page = cls(read=read, most_bytes=most_bytes)
        for start in range(0, len(source), _PART):
            part = source[start : start + _PART]
            if isinstance(part, str):
                page._add_text(part, len(part))
            else:
                page.add(bytes(part))
        page.end()
        return page

    def add(self, part: bytes) -> None:
        """Add a part of the text, which is in UTF-8, or in UTF-16 or UTF-32 as PowerShell writes it.

        Raises
        ------
        ScrapeError
            If it is not text, or if there is too much of it.
        """
        if self._decoder is None:
            self._first += part
            # The first four bytes tell the encoding.
            if len(self._first) >= 4:
                self._decode_first()
        else:
            self._decode(part)

    def end(self) -> None:
        """Add the end of the text.

        Raises
        ------
        ScrapeError
            If the text ends within a character.
        """
        if self._decoder is None:
            self._decode_first()
        self._decode(b"", final=True)
        last = self._keep_lines()
        kept = len(self.lines)
        self._keep(last)
        self.is_cut_off = len(self.lines) > kept

    def _decode_first(self) -> None:
        part, self._first = self._first, b""
        self._decoder = codecs.getincrementaldecoder(json.detect_encoding(part))()
        self._decode(part)

    def _decode(self, part: bytes, *, final: bool = False) -> None:
        decoder = self._decoder
        if decoder is None:
            return
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(part, final)
        except UnicodeDecodeError as error:
            where = self._bytes - pending + error.start
            raise ScrapeError(
                f"metrics: got bytes that are not {error.encoding.upper()} (byte {where}), expected the text that etcd "
                "serves"
            ) from None
        self._add_text(text, len(part))

    def _add_text(self, text: str, length: int) -> None:
        self._bytes += length
        if self._bytes > _MOST_BYTES_OF_ALL:
            raise ScrapeError(f"{self._where} more than {_MOST_BYTES_OF_ALL} bytes; etcd's own are about 150 kB")
        self._parts.append(text if self.start else text.removeprefix("\ufeff"))
        if len(self.start) < _START:
            self.start = (self.start + text)[:_START].removeprefix("\ufeff")
        self._fresh += len(text)
        if self._fresh >= _PART:
            self._fresh = 0
            self._check(len(self._keep_lines()))

    def _keep_lines(self) -> str:
        """Keep what is read of the lines that have come as a whole, and return the beginning of the next line."""
        text = "".join(self._parts)
        end = text.rfind("\n") + 1
        self._parts = [text[end:]]
        self._keep(text[:end])
        return text[end:]

    def _keep(self, text: str) -> None:
        """Keep the lines of a text that are read."""
        counted = 0
        for found in self._read.finditer(text):
            self._lines += text.count("\n", counted, found.start())
            counted = found.start()
            line = found.group().strip(" \t\r")
            self._kept += len(line) + _BYTES_OF_A_LINE
            self.lines.append((self._lines + 1, line))
        self._lines += text.count("\n", counted)
        self._check(0)

    def _check(self, more: int) -> None:
        if self._kept + more > self._most_bytes:
            raise ScrapeError(
                f"{self._where} more than {self._most_bytes} bytes of etcd's metrics, or in one line; etcd's own are "
                "about 150 kB"
            )

    def describe(self) -> str:
        """Return what a text without any of etcd's metrics looks like, and what to do."""
        return _describe(self.start)


def _describe(text: str) -> str:
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
