"""What the loads of a fleet take, and the versions of etcd that the clusters run: tuples of arrays, a row each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FleetDemands", "FleetFigures", "RowVersions"]


class FleetFigures(NamedTuple):
    """What every cluster takes, a row each. All are 0 or NaN where a row cannot be sized."""

    quota_bytes: NDArray[np.int64]
    """The quota to set; at the high end, 2^62 stands for all above. [bytes] int64, shape (n,)"""
    memory_limit_bytes: NDArray[np.float64]
    """The memory limit to set for a member. [bytes] float64, shape (n,)"""
    volume_gib: NDArray[np.int64]
    """The size of a member's volume. [GiB] int64, shape (n,)"""
    fsync_p99_needed_ms: NDArray[np.float64]
    """How long an fsync may take, at the 99th percentile, for the rate of writes. [ms] float64, shape (n,)"""


class FleetDemands(NamedTuple):
    """What an audit compares with a machine besides. All are float64 arrays of shape (n,)."""

    file_bytes: NDArray[np.float64]
    sequential_iops: NDArray[np.float64]
    lease_iops: NDArray[np.float64]
    lease_end_seconds: NDArray[np.float64]
    written_bytes: NDArray[np.float64]
    """What the disk is written. [bytes/s]"""
    wal_bytes: NDArray[np.float64]
    raft_bytes: NDArray[np.float64]
    streams_bytes: NDArray[np.float64]
    lists_bytes: NDArray[np.float64]
    other_bytes: NDArray[np.float64]
    """The rest of the memory limit."""
    leader_cores: NDArray[np.float64]
    """What a leader keeps busy that serves all clients."""


class RowVersions(NamedTuple):
    """The versions of etcd that the clusters of a fleet run."""

    names: tuple[str, ...]
    codes: NDArray[np.uint8]
    """The index of every cluster's version in `names`. uint8, shape (n,)"""
