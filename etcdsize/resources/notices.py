"""The notices about what a load takes."""

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES, quota_text
from etcdsize.resources.answer import Figure
from etcdsize.units import format_number

__all__ = ["resource_notices"]

QUOTA_TOO_SMALL = NoticeKind(
    "quota-too-small", "warning", "etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md"
)
FSYNC_TOO_SLOW = NoticeKind("fsync-too-slow", "warning", "etcd-io/website content/en/docs/v3.5/faq.md")


def resource_notices(
    quota_bytes: int, high_water: Figure, fsync_seconds: float | None, needed: Figure
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
    if fsync_seconds is not None and fsync_seconds > needed.need:
        notices.append(
            FSYNC_TOO_SLOW(
                f"An fsync of {format_number(fsync_seconds * 1000)} ms is too slow for this load: its 99th percentile "
                f"may be at most {needed.need * 1000:.3g} ms."
            )
        )
    return tuple(notices)
