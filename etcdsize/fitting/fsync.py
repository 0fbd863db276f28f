"""How fast etcd needs writes to complete one after the other, and how to measure that, because no catalog states it.

etcd waits for each write of its log. The IOPS that providers publish are concurrent. The hardware page says that they
can be ten times those that etcd sees.
"""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.catalog.provider_file import WriteLatency, read_provider
from etcdsize.catalog.providers import known_providers
from etcdsize.etcd.fsync import FIO, WAL_FSYNC_P99_MS

__all__ = ["FsyncNeed", "fsync_need_for", "sequential_iops_for"]


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
        tuple[WriteLatency, ...],
        Field(description="Published or measured latencies: at 2 ms, about 500 writes a second."),
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


def fsync_need_for(vcpus: int, providers: Iterable[str] | None = None) -> FsyncNeed:
    """Return how fast a member's disk must complete writes one after the other.

    Parameters
    ----------
    vcpus : int
        The vCPUs that the member needs. [count]
    providers : iterable of str, optional
        The providers whose disks' latencies to include; None for all.

    Examples
    --------
    >>> fsync_need_for(4, ["aws"]).expected[0].usual_ms
    2
    """
    known = known_providers()
    names = known if providers is None else [name for name in known if name in set(providers)]
    return FsyncNeed(
        needed_iops=sequential_iops_for(vcpus),
        wal_fsync_p99_ms=WAL_FSYNC_P99_MS,
        backend_commit_p99_ms=25,
        fio=FIO,
        expected=tuple(latency for name in names for latency in read_provider(name).write_latencies),
        source="etcd-io/website content/en/docs/v3.5/op-guide/hardware.md (50 and 500 sequential IOPS), faq.md (p99)",
    )
