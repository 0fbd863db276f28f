"""The quota of etcd's database: which one to set, and etcd's own figures."""

import math

from etcdsize.base.checks import number_of
from etcdsize.units import format_bytes

__all__ = ["DEFAULT_QUOTA_BYTES", "LARGEST_QUOTA_BYTES", "SUGGESTED_QUOTA_BYTES", "quota_for", "quota_text"]

_GIB = 1024**3
SUGGESTED_QUOTA_BYTES = 8 * 1024**3
"""The maximum quota that etcd suggests; above it etcd starts with a warning. [bytes]"""

DEFAULT_QUOTA_BYTES = 2 * _GIB
"""etcd's quota if none is set. [bytes] etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md"""
LARGEST_QUOTA_BYTES = 2**45
"""The maximum quota with which etcd starts, 32 TiB. [bytes]"""
# When etcd opens its data it maps a tenth more than the quota (server/mvcc/backend/backend.go), and panics if that
# fails. Go since 1.26 puts its heap anywhere in the 2**47 bytes there are: of that much, one half is always free for
# this quota, while 2**46 failed now and then (a power of two is our choice).

# The share of the quota that the data may fill (our choice). The file also holds deleted data until it is defragmented,
# so with more data etcd's own alerts fire soon.
_FILLED = 0.8


def quota_for(data_bytes: float) -> int:
    """Return the quota to set for an amount of data, in whole GiB. [bytes]

    The data fills at most four fifths of the quota. The quota is at least etcd's default of 2 GiB, and at most the
    suggested 8 GiB as long as the data itself fits.

    Raises
    ------
    OptionError
        Unless `data_bytes` is a finite number of 0 or more, and below 1e300.

    Examples
    --------
    >>> [quota_for(data) // 1024**3 for data in (100e6, 2e9, 8e9, 20e9)]
    [2, 3, 8, 24]
    """
    data_bytes = number_of("data_bytes", data_bytes)
    wanted = math.ceil(data_bytes / _FILLED / _GIB) * _GIB
    if data_bytes <= SUGGESTED_QUOTA_BYTES:
        wanted = min(wanted, SUGGESTED_QUOTA_BYTES)
    return max(wanted, DEFAULT_QUOTA_BYTES)


def quota_text(quota_bytes: int) -> str:
    """Return a quota for a message: in GiB if it is a whole number of them, otherwise as exactly as it is.

    >>> quota_text(8 * 1024**3), quota_text(5_000_000_000), quota_text(1)
    ('8 GiB', '5 GB', '1 B')
    """
    return format_bytes(quota_bytes) if quota_bytes % _GIB else f"{quota_bytes // _GIB} GiB"
