"""The quota of etcd's database: etcd's own figures."""

from etcdsize.units import format_bytes

__all__ = ["DEFAULT_QUOTA_BYTES", "LARGEST_QUOTA_BYTES", "SUGGESTED_QUOTA_BYTES", "quota_text"]

_GIB = 1024**3
# No quota is larger (our choice).
_HUGE = 10**9 * _GIB
SUGGESTED_QUOTA_BYTES = 8 * 1024**3
"""The maximum quota that etcd suggests; above it etcd starts with a warning. [bytes]"""

DEFAULT_QUOTA_BYTES = 2 * _GIB
"""etcd's quota if none is set. [bytes] etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md"""
LARGEST_QUOTA_BYTES = 2**45
"""The maximum quota with which etcd starts, 32 TiB. [bytes]"""
# When etcd opens its data it maps a tenth more than the quota (server/mvcc/backend/backend.go), and panics if that
# fails. Go since 1.26 puts its heap anywhere in the 2**47 bytes there are: of that much, one half is always free for
# this quota, while 2**46 failed now and then (a power of two is our choice).


def quota_text(quota_bytes: int) -> str:
    """Return a quota for a message: in GiB if it is a whole number of them, otherwise as exactly as it is.

    >>> quota_text(8 * 1024**3), quota_text(5_000_000_000), quota_text(1)
    ('8 GiB', '5 GB', '1 B')
    """
    if quota_bytes >= _HUGE:
        return f"{quota_bytes / _GIB:.3g} GiB"
    return format_bytes(quota_bytes) if quota_bytes % _GIB else f"{quota_bytes // _GIB} GiB"
