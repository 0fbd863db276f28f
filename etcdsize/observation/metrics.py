"""Read the metrics of one member, which etcd serves under `/metrics` in Prometheus' text format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn, TextIO, cast

from etcdsize.base.text import shown
from etcdsize.errors import EtcdSizeError, MissingDependencyError, ScrapeError
from etcdsize.observation.scrape import Histogram, Scrape

__all__ = ["read_metrics"]

_STARTED, _HANDLED = "grpc_server_started_total", "grpc_server_handled_total"
_RECEIVED = "grpc_server_msg_received_total"
_FSYNC, _COMMIT = "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"
_RTT = "etcd_network_peer_round_trip_time_seconds"
_PEERS = "etcd_network_active_peers"
_SINGLE = {
    "etcd_mvcc_db_total_size_in_use_in_bytes": "data_bytes",
    "etcd_mvcc_db_total_size_in_bytes": "total_bytes",
    "etcd_server_quota_backend_bytes": "quota_bytes",
    "etcd_server_has_leader": "has_leader",
    "etcd_server_is_leader": "is_leader",
    "etcd_server_leader_changes_seen_total": "leader_changes",
    "process_cpu_seconds_total": "cpu_seconds",
    "process_start_time_seconds": "started_unix_seconds",
}
_NAMED = {"etcd_server_id": ("member_id", "server_id"), "etcd_server_version": ("version", "server_version")}
_COUNTERS = (_STARTED, _HANDLED, _RECEIVED, "etcd_server_leader_changes_seen_total", "process_cpu_seconds_total")
_HISTOGRAMS = (_FSYNC, _COMMIT, _RTT)
_FAMILIES = {
    **dict.fromkeys((*_SINGLE, *_NAMED, _PEERS), "gauge"),
    **dict.fromkeys(_COUNTERS, "counter"),
    **dict.fromkeys(_HISTOGRAMS, "histogram"),
}
# Of a histogram, only the buckets are needed.
_WANTED = {f"{name}_bucket" if kind == "histogram" else name for name, kind in _FAMILIES.items()}
_NAME = re.compile(r"[^\s{]*")
_ID = re.compile(r"[0-9a-f]{1,16}")
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

# etcd serves about 150 kB in 1,500 lines, none as long as a kilobyte, of which 200 are read here. A much larger text is
# not etcd's, and would take long to read.
MAX_BYTES = 4 * 1024**2
_MOST_LINES_OF_ALL = 200_000
_MOST_LINES = 10_000
_LONGEST_LINE = 4096
# etcd's counters and sizes have 64 bits, so sums of them never leave the range of floats.
_TOO_LARGE = 2**64
# The services below have 20 methods together.
_MOST_METHODS = 100
# Of these, which are half of all lines, only the streams are needed.
_STREAMS_ONLY = (_HANDLED, _RECEIVED)

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

    Parameters
    ----------
    source : str or bytes
        The text that the member serves under `/metrics`.
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
    text = _text(source)
    found = _Found()
    lines = _Lines(text)
    for sample in lines.samples():
        found.add(sample.name, sample.labels, sample.value, lines.number)
    if not lines.any_etcd:
        _reject(_not_etcd(text))
    if text[-1] != "\n":
        _reject("the last line does not end; is it cut off?", line=text.count("\n") + 1)
    if "started_unix_seconds" not in found.fields:
        _reject(
            "process_start_time_seconds is missing, which etcd writes last; is the text cut off?",
            metric="process_start_time_seconds",
        )
    return found.scrape(taken_unix_seconds)


def _text(source: str | bytes) -> str:
    if not isinstance(source, (str, bytes, bytearray)):
        _reject(f"got {shown(source)} of type {type(source).__name__}, expected the text that etcd serves")
    if len(source) > MAX_BYTES:
        _reject(f"got {len(source)} bytes, expected at most {MAX_BYTES}; etcd's own are about 150 kB")
    if isinstance(source, str):
        text = source
    else:
        try:
            text = bytes(source).decode()
        except UnicodeDecodeError as error:
            _reject(f"got bytes that are not UTF-8 (byte {error.start}), expected the text that etcd serves")
    lines = text.count("\n")
    if lines > _MOST_LINES_OF_ALL:
        _reject(f"got {lines} lines, expected at most {_MOST_LINES_OF_ALL}; etcd's own are about 1,500")
    return text


def _not_etcd(text: str) -> str:
    """Return what a text without any of etcd's metrics looks like."""
    start = text.lstrip("\ufeff \t\r\n")[:2000].lower()
    if not start:
        return "got an empty text, expected the metrics of etcd"
    if start.startswith(("<!doctype", "<html", "<head", "<?xml", "<body", "<h1", "<title")):
        return "got a web page, expected the metrics of etcd; check the URL"
    if start.startswith(("{", "[")):
        return "got JSON, expected the metrics of etcd, which are text; fetch /metrics"
    if re.match(r"# (help|type) ", start) or re.match(r"[a-z_:][a-z0-9_:]*(\{[^\n]*\})? [-+0-9.e]+", start):
        return "got the metrics of another program, expected the metrics of etcd; check the URL"
    return f"got {shown(text[:60])}, expected the metrics of etcd"


def _reject(reason: str, *, line: int | None = None, metric: str | None = None) -> NoReturn:
    where = "metrics" if line is None else f"metrics: line {line}"
    named = f", {metric}" if metric is not None and metric not in reason else ""
    raise ScrapeError(f"{where}{named}: {reason}", line=line, metric=metric)


class _Lines:
    """Iterates over the lines that are needed, and keeps the number of the current one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.number = 0
        self.any_etcd = False
        self._wanted = 0

    def samples(self) -> Iterator[Any]:
        try:
            from prometheus_client.parser import text_fd_to_metric_families
        except ImportError as error:
            raise MissingDependencyError(package="prometheus-client", extra="observe") from error
        try:
            # Without "# TYPE" lines the parser yields each sample as soon as it has read its line. Its type asks for a
            # file, but it only iterates over lines.
            for family in text_fd_to_metric_families(cast("TextIO", self)):
                yield from family.samples
        except ScrapeError:
            raise
        except (ValueError, IndexError):
            line = self._text.split("\n")[self.number - 1]
            _reject(f"got {shown(line)}, expected a metric, its labels and a number", line=self.number)

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(self._text.split("\n"), 1):
            if line.startswith("# TYPE "):
                self._check_type(line, number)
                continue
            match = _NAME.match(line)
            name = match.group() if match else ""
            if name not in _WANTED or (name in _STREAMS_ONLY and not ('Watch"' in line or 'LeaseKeepAlive"' in line)):
                continue
            if len(line) > _LONGEST_LINE:
                _reject(f"got {len(line)} characters, expected at most {_LONGEST_LINE}", line=number, metric=name)
            self._wanted += 1
            if self._wanted > _MOST_LINES:
                _reject(f"got more than {_MOST_LINES} lines of metrics, of which one member has about 200", line=number)
            self.any_etcd = self.any_etcd or name.startswith(("etcd_", "grpc_"))
            self.number = number
            yield line

    def _check_type(self, line: str, number: int) -> None:
        words = line.split()
        wanted = _FAMILIES.get(words[2]) if len(words) == 4 else None
        if wanted is not None and words[3] not in (wanted, "untyped"):
            _reject(f"got the type {shown(words[3])}, expected {wanted}", line=number, metric=words[2])


class _Found:
    """Collects the samples of one text."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.calls: dict[str, int | float] = {}
        self.streams: dict[str, dict[str, int | float]] = {_STARTED: {}, _HANDLED: {}}
        self.buckets: dict[tuple[str, str], dict[float, int | float]] = {}
        self.peers: list[str] = []
        self._seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()

    def add(self, name: str, labels: dict[str, str], value: int | float, line: int) -> None:
        key = (name, tuple(sorted(labels.items())))
        if key in self._seen:
            _reject("appears more than once, expected each metric once", line=line, metric=name)
        self._seen.add(key)
        if isinstance(value, float) and abs(value) < 2**53 and value == int(value):
            value = int(value)  # a quota comes as 2.147483648e+09
        # NaN fails every comparison.
        if not 0 <= value < math.inf:
            _reject(f"got {shown(value)}, expected a finite number of 0 or more", line=line, metric=name)
        if value >= _TOO_LARGE:
            _reject(f"got {shown(value)}, expected less than 2^64, as etcd counts in 64 bits", line=line, metric=name)
        if name in _SINGLE:
            field = _SINGLE[name]
            if field.endswith("_bytes") and value % 1:
                _reject(f"got {shown(value)}, expected a whole number of bytes", line=line, metric=name)
            if labels:
                # A federation serves the metrics of many members in one text.
                _reject(
                    "got labels, expected none; use the metrics that one member serves itself", line=line, metric=name
                )
            self.fields[field] = bool(value) if field in ("has_leader", "is_leader") else value
        elif name in _NAMED:
            self._add_name(name, labels, value, line)
        elif name == _PEERS:
            if value and _ID.fullmatch(labels.get("Remote", "")):
                self.peers.append(labels["Remote"])
        elif name in (_STARTED, _HANDLED, _RECEIVED):
            self._add_calls(name, labels, value, line)
        else:
            self._add_bucket(name, labels, value, line)

    def _add_name(self, name: str, labels: dict[str, str], value: int | float, line: int) -> None:
        field, label = _NAMED[name]
        text = labels.get(label, "")
        if not value:
            return
        if not text or len(text) > 100 or not text.isprintable() or field in self.fields:
            _reject(f"got {shown(text)}, expected one {label}", line=line, metric=name)
        if field == "member_id" and not _ID.fullmatch(text):
            _reject(f"got {shown(text)}, expected hexadecimal digits", line=line, metric=name)
        self.fields[field] = text

    def _add_calls(self, name: str, labels: dict[str, str], value: int | float, line: int) -> None:
        call = labels.get("grpc_service", ""), labels.get("grpc_method", "")
        if name == _RECEIVED:
            if call == _KEEP_ALIVE:
                self.calls["Lease.LeaseKeepAlive"] = value
            return
        if call in (_WATCH, _KEEP_ALIVE):
            # Handled calls are counted by status code.
            streams = self.streams[name]
            streams[call[1]] = streams.get(call[1], 0) + value
        elif name == _STARTED and (call[0] in _SERVICES or call == _AUTHENTICATE):
            if not _METHOD.fullmatch(call[1]):
                _reject(f"got grpc_method={shown(call[1])}, expected the name of a method", line=line, metric=name)
            method = f"{_SERVICES.get(call[0], 'Auth')}.{call[1]}"
            self.calls[method] = self.calls.get(method, 0) + value
            if len(self.calls) > _MOST_METHODS:
                _reject(f"got more than {_MOST_METHODS} methods, of which etcd has 20", line=line, metric=name)

    def _add_bucket(self, name: str, labels: dict[str, str], value: int | float, line: int) -> None:
        try:
            bound = float(labels.get("le", ""))
        except ValueError:
            bound = math.nan
        if not bound > 0:
            _reject(f"got le={shown(labels.get('le'))}, expected a number above 0", line=line, metric=name)
        to = labels.get("To", "")
        if to and not _ID.fullmatch(to):
            _reject(f"got To={shown(to)}, expected hexadecimal digits", line=line, metric=name)
        self.buckets.setdefault((name.removesuffix("_bucket"), to), {})[bound] = value

    def scrape(self, taken_unix_seconds: float | None) -> Scrape:
        """Return the collected samples as a `Scrape`."""
        kept = {key: self._histogram(*key) for key in sorted(self.buckets)}
        if self.streams[_STARTED]:
            for method, field in (("Watch", "watch_streams"), ("LeaseKeepAlive", "lease_streams")):
                if method in self.streams[_STARTED]:
                    # The two counters are not read at the same moment, so their difference may be below 0.
                    ended = self.streams[_HANDLED].get(method, 0)
                    self.fields[field] = max(self.streams[_STARTED][method] - ended, 0)
        try:
            return Scrape(
                **self.fields,
                taken_unix_seconds=taken_unix_seconds,
                calls=dict(sorted(self.calls.items())) or None,
                peers=tuple(sorted(self.peers)),
                wal_fsync=kept.get((_FSYNC, "")),
                backend_commit=kept.get((_COMMIT, "")),
                peer_rtt={to: histogram for (name, to), histogram in kept.items() if name == _RTT},
            )
        except EtcdSizeError as error:
            _reject(str(error).removeprefix("Scrape: "))

    def _histogram(self, name: str, to: str) -> Histogram:
        buckets = self.buckets[name, to]
        if math.inf not in buckets:
            _reject('its last bucket, le="+Inf", is missing; is it cut off?', metric=name)
        bounds = sorted(buckets)
        try:
            return Histogram(upper_bounds_seconds=tuple(bounds[:-1]), counts=tuple(buckets[bound] for bound in bounds))
        except EtcdSizeError as error:
            _reject(str(error).removeprefix("Histogram: "), metric=name)
