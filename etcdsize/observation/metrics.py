"""Read the metrics of one member, which etcd serves under `/metrics` in Prometheus' text format."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from etcdsize.base.text import shown
from etcdsize.errors import EtcdSizeError
from etcdsize.observation.page import (
    ACTIVE_PEERS,
    API_SERVER_SIZES,
    CLIENT_REQUESTS,
    COMMIT,
    COMPACT_REVISION,
    FAMILIES,
    FSYNC,
    HANDLED,
    KNOWN_PEERS,
    NAMED,
    RECEIVED,
    RTT,
    SINGLE,
    STARTED,
    WANTED,
    WATCH_STREAMS,
    Page,
)
from etcdsize.observation.samples import Samples, reject
from etcdsize.observation.scrape import Histogram, Scrape

__all__ = ["read_metrics", "scrape_of"]

_ID = re.compile(r"[0-9a-f]{1,16}")
_FLAGS = ("has_leader", "is_leader", "is_learner")
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

# One member has about 200.
_MOST_LINES = 10_000
# etcd's counters and sizes have 64 bits, so sums of them never leave the range of floats.
_TOO_LARGE = 2**64
# The services below have 20 methods together.
_MOST_METHODS = 100
# Of these, which are half of all lines, only the streams are needed.
_STREAMS_ONLY = (HANDLED, RECEIVED)

# The services that clients call. Maintenance and Cluster are for operators.
_SERVICES = {
    "etcdserverpb.KV": "KV",
    "etcdserverpb.Lease": "Lease",
    "v3electionpb.Election": "Election",
    "v3lockpb.Lock": "Lock",
}
_KEEP_ALIVE = ("etcdserverpb.Lease", "LeaseKeepAlive")
_AUTHENTICATE = ("etcdserverpb.Auth", "Authenticate")
_WATCH = ("etcdserverpb.Watch", "Watch")


def read_metrics(source: str | bytes, *, taken_unix_seconds: float | None = None) -> Scrape:
    """Return the metrics of one member as a `Scrape`.

    A page that other programs share, such as that of k3s, is read as well. Of a Kubernetes API server's metrics, the
    size of etcd's file is read, which is all that they report of etcd.

    Parameters
    ----------
    source : str or bytes
        The text that the member serves under `/metrics`, in UTF-8, or in UTF-16 as PowerShell writes it. Lines may be
        indented, end as on Windows, and stand between those of another text, such as a fence of Markdown.
    taken_unix_seconds : float, optional
        The time of the scrape, by the member's clock. [s since 1970] Without it, a single scrape gives no rate.

    Returns
    -------
    Scrape
        A missing metric is None.

    Raises
    ------
    ScrapeError
        If the text is not etcd's metrics, is cut off, or has an impossible value; the message names line and metric.
    MissingDependencyError
        Without prometheus-client, which the extra `observe` installs.

    Examples
    --------
    >>> text = '''etcd_server_id{server_id="8a0ad4f01f6260c3"} 1
    ... grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 40
    ... process_start_time_seconds 1.79558068502e+09
    ... '''
    >>> scrape = read_metrics(text)
    >>> scrape.member_id, scrape.calls, scrape.data_bytes
    ('8a0ad4f01f6260c3', {'KV.Range': 40}, None)
    """
    return scrape_of(Page.of(source), taken_unix_seconds=taken_unix_seconds)


def scrape_of(page: Page, *, taken_unix_seconds: float | None = None) -> Scrape:
    """Return the metrics of one member, whose page has arrived, as `read_metrics` does."""
    found = _Found()
    lines = Samples(page.lines, FAMILIES, WANTED, most_lines=_MOST_LINES, is_needed=_is_needed)
    for sample in lines.samples():
        found.add(sample.name, sample.labels, sample.value, lines.number)
    if not found.of_etcd and not found.api_server_bytes:
        reject(page.describe())
    if page.is_cut_off:
        reject("the last line does not end; is it cut off?", line=page.lines[-1][0])
    if "started_unix_seconds" not in found.fields:
        reject(
            "process_start_time_seconds is missing, which etcd writes last; is the text cut off?",
            metric="process_start_time_seconds",
        )
    return found.scrape(taken_unix_seconds)


def _is_needed(name: str, line: str) -> bool:
    return name not in _STREAMS_ONLY or 'Watch"' in line or 'LeaseKeepAlive"' in line


class _Found:
    """Collects the samples of one text."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.calls: dict[str, int | float] = {}
        self.streams: dict[str, dict[str, int | float]] = {STARTED: {}, HANDLED: {}}
        self.buckets: dict[tuple[str, str], dict[float, int | float]] = {}
        self.peers: set[str] = set()
        self.of_etcd = False
        self.api_server_bytes: int | float = 0
        self._unary_calls: int | float | None = None
        self._client_requests: int | float | None = None
        self._watch_streams: int | float | None = None
        self._seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()

    def add(self, name: str, labels: Mapping[str, str], value: int | float, line: int) -> None:
        key = (name, tuple(sorted(labels.items())))
        if key in self._seen:
            reject("appears more than once, expected each metric once", line=line, metric=name)
        self._seen.add(key)
        if isinstance(value, float) and abs(value) < 2**53 and value == int(value):
            value = int(value)  # a quota comes as 2.147483648e+09
        if name == COMPACT_REVISION and value == -1:
            value = 0  # nothing has been compacted
        # NaN fails every comparison.
        if not 0 <= value < math.inf:
            reject(f"got {shown(value)}, expected a finite number of 0 or more", line=line, metric=name)
        if value >= _TOO_LARGE:
            reject(f"got {shown(value)}, expected less than 2^64, as etcd counts in 64 bits", line=line, metric=name)
        self.of_etcd = self.of_etcd or not name.startswith(("go_", "process_", *API_SERVER_SIZES))
        if name in SINGLE:
            field = SINGLE[name]
            if field.endswith("_bytes") and value % 1:
                reject(f"got {shown(value)}, expected a whole number of bytes", line=line, metric=name)
            if labels:
                # A federation serves the metrics of many members in one text.
                reject(
                    "got labels, expected none; use the metrics that one member serves itself", line=line, metric=name
                )
            self.fields[field] = bool(value) if field in _FLAGS else value
        elif name in NAMED:
            self._add_name(name, labels, value, line)
        elif name in (ACTIVE_PEERS, KNOWN_PEERS):
            if value and _ID.fullmatch(labels.get("Remote", "")):
                self.peers.add(labels["Remote"])
        elif name in API_SERVER_SIZES:
            # One for each cluster or member that it stores in; the largest is a bound for each of them.
            self.api_server_bytes = max(self.api_server_bytes, value)
        elif name == CLIENT_REQUESTS:
            if labels.get("type") == "unary":
                self._client_requests = (self._client_requests or 0) + value
        elif name == WATCH_STREAMS:
            self._watch_streams = value
        elif name in (STARTED, HANDLED, RECEIVED):
            self._add_calls(name, labels, value, line)
        else:
            self._add_bucket(name, labels, value, line)

    def _add_name(self, name: str, labels: Mapping[str, str], value: int | float, line: int) -> None:
        field, label = NAMED[name]
        text = labels.get(label, "")
        if not value:
            return
        if not text or len(text) > 100 or not text.isprintable() or field in self.fields:
            reject(f"got {shown(text)}, expected one {label}", line=line, metric=name)
        if field == "member_id" and not _ID.fullmatch(text):
            reject(f"got {shown(text)}, expected hexadecimal digits", line=line, metric=name)
        self.fields[field] = text

    def _add_calls(self, name: str, labels: Mapping[str, str], value: int | float, line: int) -> None:
        call = labels.get("grpc_service", ""), labels.get("grpc_method", "")
        if name == STARTED and labels.get("grpc_type") == "unary":
            self._unary_calls = (self._unary_calls or 0) + value
        if name == RECEIVED:
            if call == _KEEP_ALIVE:
                self.calls["Lease.LeaseKeepAlive"] = value
            return
        if call in (_WATCH, _KEEP_ALIVE):
            # Handled calls are counted by status code.
            streams = self.streams[name]
            streams[call[1]] = streams.get(call[1], 0) + value
        elif name == STARTED and (call[0] in _SERVICES or call == _AUTHENTICATE):
            if not _METHOD.fullmatch(call[1]):
                reject(f"got grpc_method={shown(call[1])}, expected the name of a method", line=line, metric=name)
            method = f"{_SERVICES.get(call[0], 'Auth')}.{call[1]}"
            self.calls[method] = self.calls.get(method, 0) + value
            if len(self.calls) > _MOST_METHODS:
                reject(f"got more than {_MOST_METHODS} methods, of which etcd has 20", line=line, metric=name)

    def _add_bucket(self, name: str, labels: Mapping[str, str], value: int | float, line: int) -> None:
        try:
            bound = float(labels.get("le", ""))
        except ValueError:
            bound = math.nan
        if not bound > 0:
            reject(f"got le={shown(labels.get('le'))}, expected a number above 0", line=line, metric=name)
        to = labels.get("To", "")
        if to and not _ID.fullmatch(to):
            reject(f"got To={shown(to)}, expected hexadecimal digits", line=line, metric=name)
        self.buckets.setdefault((name.removesuffix("_bucket"), to), {})[bound] = value

    def scrape(self, taken_unix_seconds: float | None) -> Scrape:
        """Return the collected samples as a `Scrape`."""
        if not self.of_etcd:
            return self._api_server(taken_unix_seconds)
        kept = {key: self._histogram(*key) for key in sorted(self.buckets)}
        for method, field in (("Watch", "watch_streams"), ("LeaseKeepAlive", "lease_streams")):
            started, ended = (self.streams[name].get(method) for name in (STARTED, HANDLED))
            # Without the counter of those that ended, which k3s may lack, it is unknown how many are open.
            if started is not None and (ended is not None or not started):
                # The two counters are not read at the same moment, so their difference may be below 0.
                self.fields[field] = max(started - (ended or 0), 0)
        try:
            scrape = Scrape(
                **self.fields,
                taken_unix_seconds=taken_unix_seconds,
                shares_process=bool(self.api_server_bytes),
                calls=dict(sorted(self.calls.items())) or None,
                unary_calls=self._unary_calls,
                client_requests=self._client_requests,
                peers=tuple(sorted(self.peers - {self.fields.get("member_id")})),
                wal_fsync=kept.get((FSYNC, "")),
                backend_commit=kept.get((COMMIT, "")),
                peer_rtt={to: histogram for (name, to), histogram in kept.items() if name == RTT},
            )
        except EtcdSizeError as error:
            reject(str(error).removeprefix("Scrape: "))
        if not scrape.counts_every_call:
            return scrape.model_copy(update={"watch_streams": self._watch_streams, "lease_streams": None})
        if scrape.watch_streams is None:
            return scrape.model_copy(update={"watch_streams": self._watch_streams})
        return scrape

    def _api_server(self, taken_unix_seconds: float | None) -> Scrape:
        return Scrape(
            reported_by="api-server",
            total_bytes=self.api_server_bytes,
            started_unix_seconds=self.fields.get("started_unix_seconds"),
            taken_unix_seconds=taken_unix_seconds,
        )

    def _histogram(self, name: str, to: str) -> Histogram:
        buckets = self.buckets[name, to]
        if math.inf not in buckets:
            reject('its last bucket, le="+Inf", is missing; is it cut off?', metric=name)
        bounds = sorted(buckets)
        try:
            return Histogram(upper_bounds_seconds=tuple(bounds[:-1]), counts=tuple(buckets[bound] for bound in bounds))
        except EtcdSizeError as error:
            reject(str(error).removeprefix("Histogram: "), metric=name)
