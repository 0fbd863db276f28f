"""The notices about what a load takes."""

import math

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES, quota_text
from etcdsize.resources.answer import DiskResources, Figure
from etcdsize.resources.load import Load
from etcdsize.resources.profile import Profile
from etcdsize.units import format_bytes, format_number

__all__ = ["REQUEST_TOO_LARGE", "request_notices", "resource_notices"]

QUOTA_TOO_SMALL = NoticeKind(
    "quota-too-small", "warning", "etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md"
)
FSYNC_TOO_SLOW = NoticeKind("fsync-too-slow", "warning", "etcd-io/website content/en/docs/v3.5/faq.md")
DISK_TOO_SLOW = NoticeKind("disk-too-slow", "warning", "etcd-io/website content/en/docs/v3.5/op-guide/hardware.md")
REQUEST_TOO_LARGE = NoticeKind(
    "request-too-large", "warning", "etcd-io/website content/en/docs/v3.5/dev-guide/limit.md"
)

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
    if request <= limit:
        return ()
    # A request has some bytes beside its key and its value: a kilobyte is more than enough, in whole MiB (our choice).
    enough = math.ceil((request + 1024) / _MIB) * _MIB
    return (
        REQUEST_TOO_LARGE(
            f"A key and its value take up to {format_bytes(round(request))}, and etcd refuses a request of more than "
            f"{format_bytes(limit)}. Store smaller values, for which etcd is made, or set --max-request-bytes (with "
            f"--set max-request-bytes={enough}, for example); large requests delay the others."
        ),
    )
