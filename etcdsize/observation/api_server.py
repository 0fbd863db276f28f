"""Read the metrics of a Kubernetes API server: its objects, their sizes, and its requests to etcd.

The names are those of `pkg/storage/etcd3/metrics/metrics.go` in kubernetes/apiserver, of versions 0.20 to 0.37.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from etcdsize.base.text import shown
from etcdsize.observation.page import API_SERVER_SIZES, Page, is_prometheus_answer, lines_of
from etcdsize.observation.samples import Samples, reject

__all__ = ["READ_OPERATIONS", "WRITE_OPERATIONS", "ApiServerPage", "read_api_server_page"]

WRITE_OPERATIONS = ("create", "update", "delete")
"""The operations on etcd that write. An update that meets a newer revision writes nothing, but is counted."""
READ_OPERATIONS = ("get", "list", "listWithCount", "listOnlyKeys", "listStream", "getCurrentResourceVersion")
"""The operations on etcd that read."""

# The newest first: Kubernetes 1.34, 1.21, and before.
_COUNTS = ("apiserver_resource_objects", "apiserver_storage_objects", "etcd_object_counts")
_SIZES = "apiserver_resource_size_estimate_bytes"
_REQUESTS, _DURATIONS = "etcd_requests_total", "etcd_request_duration_seconds"
_RECEIVED = "apiserver_storage_events_received_total"
_LISTS, _LISTED = "apiserver_storage_list_total", "apiserver_storage_list_fetched_objects_total"
_LEASED = "etcd_lease_object_counts"
_STARTED = "process_start_time_seconds"
# Only etcd itself has it; k3s serves both on one page.
_OF_ETCD = "etcd_server_has_leader"
_FAMILIES = {
    **dict.fromkeys((*_COUNTS, _SIZES, *API_SERVER_SIZES, _STARTED, _OF_ETCD), "gauge"),
    **dict.fromkeys((_REQUESTS, _RECEIVED, _LISTS, _LISTED), "counter"),
    **dict.fromkeys((_DURATIONS, _LEASED), "histogram"),
}
_WANTED = frozenset(
    {name for name, kind in _FAMILIES.items() if kind != "histogram"}
    | {f"{_DURATIONS}_count", f"{_LEASED}_count", f"{_LEASED}_sum"}
)
_READ = lines_of(_WANTED.union(_FAMILIES))

# An API server with two thousand custom resources has about 25,000 such lines (our choice).
_MOST_LINES = 200_000
_MOST_BYTES = 64 * 1024**2
_TOO_LARGE = 2**64
_LONGEST_KIND = 317


@dataclass(frozen=True, slots=True)
class ApiServerPage:
    """What one API server reports at one moment."""

    started_unix_seconds: float
    """The start of its process. [s since 1970]"""
    objects: dict[str, float | None]
    """Kind -> the number of its objects; None is what the API server could not count. [count]"""
    object_bytes: dict[str, float | None]
    """Kind -> the size of all its objects. [bytes]"""
    file_bytes: dict[str, float]
    """Cluster of etcd -> the size of its file. [bytes]"""
    requests: dict[tuple[str, str], float]
    """Operation and kind -> requests to etcd since the start. [count]"""
    received: dict[str, float]
    """Kind -> changes that etcd reported since the start. [count]"""
    lists: dict[str, tuple[float, float]]
    """Kind -> lists that etcd answered since the start, and the objects in them. [count]"""
    leases: tuple[float, float] | None
    """Leases that were replaced since the start, and the objects that were attached to them. [count]"""


def read_api_server_page(source: object) -> ApiServerPage:
    """Return what an API server's metrics report.

    Raises
    ------
    ScrapeError
        If the text is not an API server's metrics, is cut off, or has an impossible value.
    MissingDependencyError
        Without prometheus-client, which the extra `observe` installs.
    """
    page = Page.of(source, read=_READ, most_bytes=_MOST_BYTES)
    found = _Found()
    lines = Samples(page.lines, _FAMILIES, _WANTED, most_lines=_MOST_LINES)
    for sample in lines.samples():
        found.add(sample.name, sample.labels, sample.value, lines.number)
    if not found.counts:
        reject(_describe(page, found))
    if page.is_cut_off:
        reject("the last line does not end; is it cut off?", line=page.lines[-1][0])
    if found.started is None:
        reject(
            f"{_STARTED} is missing, which an API server writes after all that is read; is the text cut off? Keep that "
            "line if you select some of them",
            metric=_STARTED,
        )
    return found.page()


class _Found:
    """Collects the samples of one text."""

    def __init__(self) -> None:
        self.started: float | None = None
        self.is_of_etcd = False
        self.counts: dict[str, dict[str, float | None]] = {}
        self._sizes: dict[str, float | None] = {}
        self._files: dict[str, dict[str, float]] = {}
        self._requests: dict[str, dict[tuple[str, str], float]] = {}
        self._received: dict[str, float] = {}
        self._lists: dict[str, dict[str, float]] = {_LISTS: {}, _LISTED: {}}
        self._leased: dict[str, float] = {}
        self._seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()

    def add(self, name: str, labels: Mapping[str, str], value: float, line: int) -> None:
        key = (name, tuple(sorted(labels.items())))
        if key in self._seen:
            reject("appears more than once, expected each metric once", line=line, metric=name)
        self._seen.add(key)
        known: float | None = value
        if value == -1 and (name in _COUNTS or name == _SIZES):
            known = None
        elif not 0 <= value < math.inf:
            reject(f"got {shown(value)}, expected a finite number of 0 or more", line=line, metric=name)
        elif value >= _TOO_LARGE:
            reject(f"got {shown(value)}, expected less than 2^64", line=line, metric=name)
        if name == _STARTED:
            self.started = value
        elif name == _OF_ETCD:
            self.is_of_etcd = True
        elif name in API_SERVER_SIZES:
            cluster = labels.get("storage_cluster_id") or labels.get("cluster") or labels.get("endpoint") or "etcd"
            self._files.setdefault(name, {})[_printable(cluster, line, name)] = value
        elif name.startswith(_LEASED):
            self._leased[name] = value
        else:
            self._add_of_kind(name, labels, known, value, line)

    def _add_of_kind(self, name: str, labels: Mapping[str, str], known: float | None, value: float, line: int) -> None:
        # Lists that the API server answers from its own cache do not reach etcd.
        if labels.get("storage", "etcd") != "etcd":
            return
        kind = _printable(_kind_of(labels), line, name)
        if name in _COUNTS:
            self.counts.setdefault(name, {})[kind] = known
        elif name == _SIZES:
            self._sizes[kind] = known
        elif name in (_REQUESTS, f"{_DURATIONS}_count"):
            self._requests.setdefault(name, {})[labels.get("operation", ""), kind] = value
        elif name == _RECEIVED:
            self._received[kind] = value
        else:
            # Since 1.37 they are also counted by index.
            self._lists[name][kind] = self._lists[name].get(kind, 0) + value

    def page(self) -> ApiServerPage:
        """Return the collected samples."""
        sums, counts = self._leased.get(f"{_LEASED}_sum"), self._leased.get(f"{_LEASED}_count")
        lists = self._lists
        return ApiServerPage(
            started_unix_seconds=self.started or 0,
            objects=next(self.counts[name] for name in _COUNTS if name in self.counts),
            object_bytes=self._sizes,
            file_bytes=next((self._files[name] for name in API_SERVER_SIZES if name in self._files), {}),
            requests=self._requests.get(_REQUESTS) or self._requests.get(f"{_DURATIONS}_count", {}),
            received=self._received,
            lists={kind: (count, lists[_LISTED].get(kind, 0)) for kind, count in lists[_LISTS].items()},
            leases=None if sums is None or not counts else (counts, sums),
        )


def _kind_of(labels: Mapping[str, str]) -> str:
    """Return the plural name of a kind with its group; before 1.34 one label has both."""
    resource = labels.get("resource") or labels.get("type", "")
    group = labels.get("group")
    return f"{resource}.{group}" if group else resource


def _printable(text: str, line: int, name: str) -> str:
    if not text or len(text) > _LONGEST_KIND or not text.isprintable() or text.strip() != text:
        reject(f"got {shown(text)}, expected the name of a resource", line=line, metric=name)
    return text


def _describe(page: Page, found: _Found) -> str:
    """Return what a text without any count of objects is, and what to do."""
    counts = "the counts of objects (apiserver_resource_objects, before Kubernetes 1.34 apiserver_storage_objects)"
    start = page.start.lstrip().lower()
    if found.is_of_etcd or re.search(
        r"^(?:# (?:help|type) )?etcd_(?:server|debugging|mvcc|cluster)_", start, re.MULTILINE
    ):
        return "got the metrics of etcd itself, expected those of an API server; use observe, or read_metrics"
    if not start:
        return "got an empty text, expected the metrics of a Kubernetes API server"
    if is_prometheus_answer(start):
        return "got an answer of Prometheus' query API, expected the metrics of a Kubernetes API server"
    if start.startswith(("<!doctype", "<html", "<head", "<?xml", "<body")):
        return "got a web page, expected the metrics of a Kubernetes API server; check the URL"
    if start.startswith(("{", "[")):
        return (
            "got JSON, expected the metrics of a Kubernetes API server, which are text: kubectl get --raw /metrics; "
            "does the user have the permission to get them?"
        )
    of_api_server = any(line.startswith(("apiserver_", "etcd_request")) for _, line in page.lines)
    if of_api_server or re.search(
        r"^(?:# (?:help|type) )?(?:apiserver|aggregator|apiextensions)_", start, re.MULTILINE
    ):
        return f"got metrics of an API server without {counts}, expected all metrics of kube-apiserver"
    if re.match(r"# (help|type) ", start) or re.match(r"[a-z_:][a-z0-9_:]*(\{[^\n]*\})? [-+0-9.e]+", start):
        return "got the metrics of another program, expected those of a Kubernetes API server; check the URL"
    return f"got {shown(page.start[:60])}, expected the metrics of a Kubernetes API server"
