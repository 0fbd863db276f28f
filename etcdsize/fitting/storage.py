"""How much disk a member needs, part by part, and how long it takes to recover."""

import math
from typing import Annotated

from pydantic import Field

from etcdsize.base.checks import number_of
from etcdsize.base.model import Model
from etcdsize.etcd.quota import quota_for

__all__ = [
    "ENTRY_BYTES",
    "RECOVERY_FACTOR",
    "Storage",
    "recovery_seconds",
    "storage_for",
]

_GIB = 1024**3
# etcd-io/etcd server/storage/wal/wal.go, SegmentSizeBytes, and --max-wals; one more is being written, and one is
# allocated ahead.
_SEGMENT_BYTES = 64_000_000
_SEGMENTS = 5 + 2
# The raft log keeps its entries until a snapshot: 100,000 in 3.4 and 3.5, 10,000 since 3.6. The larger number counts,
# because the disk is chosen before the version.
_ENTRIES = 100_000
ENTRY_BYTES = 10_000
"""The size of an entry of the raft log (our choice: that of a Kubernetes object). [bytes]"""
# The share of a file system to leave free (our choice).
_FREE = 0.1

RECOVERY_FACTOR = 1.5
"""etcd-io/website content/en/docs/v3.5/op-guide/hardware.md: 10 MB/s recover 100 MB, and 100 MB/s 1 GB, in 15 s."""


class Storage(Model):
    """The disk that a member needs for its data, part by part. The operating system is on another disk."""

    data_bytes: Annotated[float, Field(description="The data that the disk is for. [bytes]")]
    quota_bytes: Annotated[int, Field(description="The largest size of the database. [bytes]")]
    wal_bytes: Annotated[int, Field(description="The write-ahead log. [bytes]")]
    snapshot_bytes: Annotated[int, Field(description="A snapshot of the whole database from the leader. [bytes]")]
    defragment_bytes: Annotated[int, Field(description="The new file during a defragmentation. [bytes]")]
    free_bytes: Annotated[int, Field(description="Free space that the file system should keep. [bytes]")]
    size_gib: Annotated[int, Field(description="The sum, rounded up to whole GiB. [GiB]")]

    def explain(self) -> str:
        """Return the arithmetic on one line.

        Examples
        --------
        >>> storage_for(400e6).explain()
        '2 GiB quota + 1.35 GiB WAL + 2 GiB snapshot + 2 GiB to defragment + 0.82 GiB free = 9 GiB'
        """
        parts = [
            (self.quota_bytes, "quota"),
            (self.wal_bytes, "WAL"),
            (self.snapshot_bytes, "snapshot"),
            (self.defragment_bytes, "to defragment"),
            (self.free_bytes, "free"),
        ]
        return " + ".join(f"{round(count / _GIB, 2):g} GiB {name}" for count, name in parts) + f" = {self.size_gib} GiB"


def storage_for(data_bytes: float) -> Storage:
    """Return the disk that a member needs for an amount of data.

    Parameters
    ----------
    data_bytes : number
        [bytes]

    Raises
    ------
    OptionError
        Unless `data_bytes` is a finite number of 0 or more.

    Examples
    --------
    >>> storage_for(400e6).size_gib, storage_for(8e9).size_gib
    (9, 29)
    """
    data_bytes = number_of("data_bytes", data_bytes)
    quota = quota_for(data_bytes)
    wal = _SEGMENTS * _SEGMENT_BYTES + _ENTRIES * ENTRY_BYTES
    used = quota + wal + quota + quota
    size = math.ceil(used / (1 - _FREE) / _GIB)
    return Storage(
        data_bytes=data_bytes,
        quota_bytes=quota,
        wal_bytes=wal,
        snapshot_bytes=quota,
        defragment_bytes=quota,
        free_bytes=math.ceil(used / (1 - _FREE)) - used,
        size_gib=size,
    )


def recovery_seconds(data_bytes: float, mb_per_second: float) -> float:
    """Return about how long a member takes to recover an amount of data at a disk's bandwidth. [s]

    Examples
    --------
    >>> recovery_seconds(100e6, 10), recovery_seconds(1e9, 100)
    (15.0, 15.0)
    """
    return RECOVERY_FACTOR * data_bytes / (mb_per_second * 1e6)
