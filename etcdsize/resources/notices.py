"""The notices about what a load takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.etcd.plausible import (
    LARGEST_KNOWN_BYTES,
    MOST_KNOWN_CLIENTS,
    MOST_KNOWN_NODES,
    MOST_KNOWN_REQUESTS,
    MOST_PODS_A_NODE,
    SMALLEST_PLAUSIBLE_BYTES,
)
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES, quota_text
from etcdsize.units import DIMENSIONS, format_bytes, format_number

if TYPE_CHECKING:
    from etcdsize.resources.answer import DiskResources, Figure
    from etcdsize.resources.load import Load
    from etcdsize.resources.profile import Profile

__all__ = [
    "FRACTIONAL_CLIENTS",
    "IMPLAUSIBLE_CLIENTS",
    "IMPLAUSIBLE_NODES",
    "IMPLAUSIBLE_REQUESTS",
    "IMPLAUSIBLY_LARGE",
    "IMPLAUSIBLY_SMALL",
    "REQUEST_TOO_LARGE",
    "implausible_nodes",
    "implausible_notices",
    "implausible_objects",
    "profile_notices",
    "request_notices",
    "resource_notices",
]

QUOTA_TOO_SMALL = NoticeKind(
    "quota-too-small", "warning", "etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md"
)
FSYNC_TOO_SLOW = NoticeKind("fsync-too-slow", "warning", "etcd-io/website content/en/docs/v3.5/faq.md")
DISK_TOO_SLOW = NoticeKind("disk-too-slow", "warning", "etcd-io/website content/en/docs/v3.5/op-guide/hardware.md")
REQUEST_TOO_LARGE = NoticeKind(
    "request-too-large", "warning", "etcd-io/website content/en/docs/v3.5/dev-guide/limit.md"
)
IMPLAUSIBLY_SMALL = NoticeKind(
    "implausibly-small",
    "warning",
    "our choice",
    "less data than an empty etcd file: are these megabytes in a column of bytes?",
)
IMPLAUSIBLY_LARGE = NoticeKind(
    "implausibly-large",
    "warning",
    'CNCF, "Performance optimization of etcd in web scale data scenario", 2019-05-09',
    f"more data than any etcd is known to hold, {format_bytes(LARGEST_KNOWN_BYTES)}: are these bytes in a column of "
    "megabytes?",
)
IMPLAUSIBLE_REQUESTS = NoticeKind(
    "implausible-requests",
    "warning",
    "etcd-io/website content/en/docs/v3.5/op-guide/performance.md",
    f"more requests than any etcd is known to serve, {MOST_KNOWN_REQUESTS:,}/s: is this a total, or a rate per minute?",
)
IMPLAUSIBLE_CLIENTS = NoticeKind(
    "implausible-clients",
    "warning",
    "etcd-io/website content/en/docs/v3.5/benchmarks/etcd-3-watch-memory-benchmark.md",
    f"more clients than etcd aims to support, {MOST_KNOWN_CLIENTS:,}: is this another figure?",
)
FRACTIONAL_CLIENTS = NoticeKind(
    "fractional-clients",
    "warning",
    "our choice",
    "a fraction of a client: are thousands written with a dot? --decimal , --thousands . reads 1.200 as 1200",
)
IMPLAUSIBLE_NODES = NoticeKind(
    "implausible-nodes",
    "warning",
    'AWS, "Under the hood: Amazon EKS ultra scale clusters", 2025-07-16',
    f"more nodes than any Kubernetes cluster is known to have, {MOST_KNOWN_NODES:,}: is this another figure?",
)
IMPLAUSIBLE_PODS = NoticeKind("implausible-pods", "warning", "our choice")

_MIB = 1024**2
_MAX_REQUEST_BYTES = 1_572_864
"""etcd's --max-request-bytes if none is set. etcd-io/etcd server/embed/config.go, DefaultMaxRequestBytes"""


def resource_notices(
    quota_bytes: int,
    high_water: Figure,
    disk: DiskResources,
    *,
    disk_mb_per_second: float | None,
    fsync_seconds: float | None,
) -> tuple[Notice, ...]:
    """Return the notices about a quota and a disk for a load."""
    notices: list[Notice] = []
    if quota_bytes > SUGGESTED_QUOTA_BYTES:
        # Imported here because the table of versions takes time to load.
        from etcdsize.etcd.notices import quota_notices

        notices.extend(quota_notices(quota_bytes))
    if quota_bytes < high_water.need:
        notices.append(
            QUOTA_TOO_SMALL(
                f"The database file grows to {high_water.need / 1e9:.3g} GB, beyond the quota of "
                f"{quota_text(quota_bytes)}: etcd raises the alarm NOSPACE and rejects writes."
            )
        )
    needed = disk.fsync_p99_seconds.need
    if fsync_seconds is not None and fsync_seconds > needed:
        notices.append(
            FSYNC_TOO_SLOW(
                f"An fsync of {format_number(fsync_seconds * 1000)} ms is too slow for this load: its 99th percentile "
                f"may be at most {needed * 1000:.3g} ms."
            )
        )
    written = (disk.wal_bytes_per_second.need + disk.backend_bytes_per_second.need) / 1e6
    if disk_mb_per_second is not None and disk_mb_per_second < written:
        notices.append(
            DISK_TOO_SLOW(
                f"A disk of {format_number(disk_mb_per_second)} MB/s is too slow for this load: its writes to the log "
                f"and to the database file take {written:.3g} MB/s."
            )
        )
    return tuple(notices)


def request_notices(profile: Profile, need: Load, max_request_bytes: int | None = None) -> tuple[Notice, ...]:
    """Return the notice about a value that etcd refuses, with etcd's limit for a request if none is given.

    A largest value that is assumed does not count: nobody said that there is such a value.
    """
    limit = _MAX_REQUEST_BYTES if max_request_bytes is None else max_request_bytes
    request = max(kind.key_bytes + kind.value_bytes for kind in need.objects)
    if profile.largest_value_bytes is not None:
        request = max(request, need.largest_value_bytes + min(kind.key_bytes for kind in need.objects))
    what, instead = "A key and its value take", "Store smaller values, for which etcd is made,"
    transaction = _transaction_bytes(need)
    if request <= limit < transaction:
        puts = format_number(round(need.puts_per_transaction, 2))
        what, instead = f"The {puts} puts of a transaction take", "Put fewer keys or smaller values into a transaction,"
        request = transaction
    if request <= limit:
        return ()
    # A request has some bytes beside its key and its value: a kilobyte is more than enough, in whole MiB (our choice).
    enough = math.ceil((request + 1024) / _MIB) * _MIB
    return (
        REQUEST_TOO_LARGE(
            f"{what} up to {format_bytes(round(request))}, and etcd refuses a request of more than "
            f"{format_bytes(limit)}. {instead} or set --max-request-bytes (with --set max-request-bytes={enough}, for "
            "example); large requests delay the others."
        ),
    )


def _transaction_bytes(need: Load) -> float:
    """Return the keys and values that an average transaction puts. [bytes]"""
    rate = math.fsum(kind.writes_per_second for kind in need.objects)
    if not rate:
        return need.puts_per_transaction * max(kind.key_bytes + kind.value_bytes for kind in need.objects)
    written = math.fsum(kind.writes_per_second * (kind.key_bytes + kind.value_bytes) for kind in need.objects)
    return need.puts_per_transaction * written / rate


def implausible_notices(clients: float | None, requests: float | None, data: float | None) -> list[Notice]:
    """Return the notices about figures outside the range of real etcds, and about a fraction of a client."""
    notices = []
    if data is not None and 0 < data < SMALLEST_PLAUSIBLE_BYTES:
        notices.append(
            IMPLAUSIBLY_SMALL(
                f"{format_number(data)} bytes of data is less than an empty etcd file: are these megabytes?"
            )
        )
    if clients is not None and clients % 1:
        notices.append(
            FRACTIONAL_CLIENTS(
                f"{format_number(clients)} clients is not a whole number: are thousands written with a dot?"
            )
        )
    if clients is not None and clients > MOST_KNOWN_CLIENTS:
        notices.append(
            IMPLAUSIBLE_CLIENTS(
                f"{format_number(clients)} clients are more than the tens of thousands that etcd aims to support: is "
                "this another figure?"
            )
        )
    if requests is not None and requests > MOST_KNOWN_REQUESTS:
        notices.append(
            IMPLAUSIBLE_REQUESTS(
                f"{format_number(requests)} requests/s are more than the {MOST_KNOWN_REQUESTS:,} that etcd serves in "
                "its own benchmarks: is this a total, or a rate per minute?"
            )
        )
    if data is not None and data > LARGEST_KNOWN_BYTES:
        notices.append(
            IMPLAUSIBLY_LARGE(
                f"{format_bytes(data)} of data is more than any etcd is known to hold, "
                f"{format_bytes(LARGEST_KNOWN_BYTES)}: are these bytes, read as a larger unit?"
            )
        )
    return notices


def implausible_nodes(nodes: float | None, pods: float | None = None) -> tuple[Notice, ...]:
    """Return the notices about more nodes, or pods on each of them, than any Kubernetes cluster is known to have."""
    notices = []
    if nodes is not None and nodes > MOST_KNOWN_NODES:
        notices.append(
            IMPLAUSIBLE_NODES(
                f"{format_number(nodes)} nodes are more than the {MOST_KNOWN_NODES:,} of the largest Kubernetes "
                "clusters: is this another figure?"
            )
        )
    if nodes is not None and pods is not None and pods > nodes * MOST_PODS_A_NODE:
        notices.append(
            IMPLAUSIBLE_PODS(
                f"{format_number(pods)} pods on {format_number(nodes)} nodes are more than {MOST_PODS_A_NODE:,} on "
                "each node, and a node runs 110 by default: is one of the two another figure?"
            )
        )
    return tuple(notices)


def profile_notices(profile: Profile, need: Load) -> tuple[Notice, ...]:
    """Return the notices about a load itself: its implausible figures, and a value that etcd refuses."""
    assumed = {one.field for one in profile.assumptions}
    loads = [None if name in assumed else load for name, load in zip(DIMENSIONS, profile.loads)]
    return (*implausible_notices(*loads), *implausible_objects(profile), *request_notices(profile, need))


def implausible_objects(profile: Profile) -> tuple[Notice, ...]:
    """Return the notices about the nodes and the pods among the objects of a load."""
    counts = {kind.name: kind.count.likely for kind in profile.objects if kind.name in ("nodes", "pods")}
    return implausible_nodes(counts.get("nodes"), counts.get("pods"))
