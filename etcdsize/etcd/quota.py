"""The size of etcd's database: the quota to set, and the figures that etcd itself gives."""

import math

__all__ = ["DEFAULT_QUOTA_BYTES", "SMALLEST_PLAUSIBLE_BYTES", "SUGGESTED_QUOTA_BYTES", "quota_for"]

_GIB = 1024**3
SUGGESTED_QUOTA_BYTES = 8 * 1024**3
"""etcd's suggested maximum for the quota; etcd warns above it and starts. [bytes]"""

SMALLEST_PLAUSIBLE_BYTES = 16_384
"""An empty etcd file is larger; less means megabytes in a bytes column (our choice of the bound). [bytes]"""

DEFAULT_QUOTA_BYTES = 2 * _GIB
"""etcd's quota where none is set. [bytes] etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md"""
# The share of the quota that the data may fill (our choice): above it etcd's own alerts come soon, as the file also
# holds what was deleted and not yet defragmented.
_FILLED = 0.8


def quota_for(data_bytes: float) -> int:
    """Return the quota to set for so much data, in whole GiB. [bytes]

    At least etcd's default of 2 GiB, so that the data fills four fifths of it at most; not past the suggested 8 GiB
    while the data itself fits.

    Examples
    --------
    >>> [quota_for(data) // 1024**3 for data in (100e6, 2e9, 8e9, 20e9)]
    [2, 3, 8, 24]
    """
    wanted = math.ceil(data_bytes / _FILLED / _GIB) * _GIB
    if data_bytes <= SUGGESTED_QUOTA_BYTES:
        wanted = min(wanted, SUGGESTED_QUOTA_BYTES)
    return max(wanted, DEFAULT_QUOTA_BYTES)
