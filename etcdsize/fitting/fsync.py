"""How fast etcd needs writes to complete one after the other, what is known of that, and how to measure it.

etcd waits for each write of its log. The IOPS that providers publish are concurrent. The hardware page says that they
can be ten times those that etcd sees. How long a write takes does not follow from them: some providers publish it for a
kind of disk, and for others it is unknown.
"""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.catalog.disks import DiskKind
from etcdsize.catalog.write_latency import WriteLatency
from etcdsize.etcd.fsync import FIO, WAL_FSYNC_P99_MS

__all__ = ["ExpectedLatency", "FsyncNeed", "fsync_need_for", "sequential_iops_for"]


class ExpectedLatency(WriteLatency):
    """How long a write to a kind of disk takes."""

    provider: Annotated[str, Field(description="The provider that sells it.")]
    kind: Annotated[str, Field(description="The provider's name for it.")]


class FsyncNeed(Model):
    """How fast a disk must complete writes one after the other, and how to measure it."""

    needed_iops: Annotated[
        int, Field(description="Sequential IOPS: 50, or 500 under a heavy load (8 vCPUs and more). [1/s]")
    ]
    wal_fsync_p99_ms: Annotated[float, Field(description="What the 99th percentile of fsync should stay below. [ms]")]
    backend_commit_p99_ms: Annotated[
        float, Field(description="What the 99th percentile of a commit of the database should stay below. [ms]")
    ]
    fio: Annotated[str, Field(description="The command that measures it; DIR is on the disk of etcd's data.")]
    expected: Annotated[
        tuple[ExpectedLatency, ...],
        Field(
            description="How long a write to each kind of disk takes, where that was published or measured: at 2 ms, "
            "about 500 writes a second complete one after the other."
        ),
    ]
    source: Annotated[str, Field(description="Where the needs come from.")]


def sequential_iops_for(vcpus: int) -> int:
    """Return how many writes one after the other a member's disk must complete. [1/s]

    A member with eight vCPUs or more counts as under a heavy load (our choice): the hardware page recommends eight and
    more for such clusters.

    Examples
    --------
    >>> sequential_iops_for(4), sequential_iops_for(8)
    (50, 500)
    """
    return 50 if vcpus < 8 else 500


def fsync_need_for(vcpus: int, kinds: Iterable[DiskKind] = ()) -> FsyncNeed:
    """Return how fast a member's disk must complete writes one after the other.

    Parameters
    ----------
    vcpus : int
        The vCPUs that the member needs. [count]
    kinds : iterable of DiskKind
        The kinds of disk whose latencies to include, where they are known.

    Examples
    --------
    >>> from etcdsize import load_catalog
    >>> fsync_need_for(4, [load_catalog("current").disk_kind("aws", "gp3")]).expected[0].usual_ms
    2
    """
    return FsyncNeed(
        needed_iops=sequential_iops_for(vcpus),
        wal_fsync_p99_ms=WAL_FSYNC_P99_MS,
        backend_commit_p99_ms=25,
        fio=FIO,
        expected=tuple(
            ExpectedLatency(provider=kind.provider, kind=kind.kind, **dict(kind.write_latency))
            for kind in kinds
            if kind.write_latency is not None
        ),
        source="etcd-io/website content/en/docs/v3.5/op-guide/hardware.md (50 and 500 sequential IOPS), faq.md (p99)",
    )
