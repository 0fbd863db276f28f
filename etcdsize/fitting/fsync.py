"""What no catalog says of a disk: how many writes it takes one after the other, and how to measure that.

etcd waits for every write of its log. The IOPS that providers publish are concurrent ones; the hardware page says that
they can be ten times those that etcd sees. This module imports pydantic, never numpy.
"""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from etcdsize.base.model import Model, Name, Positive, read_table
from etcdsize.catalog.providers import provider_name

__all__ = ["FIO", "SequentialDisk", "WriteLatency", "sequential_disk"]

FIO = "fio --name=etcd --directory=DIR --rw=write --ioengine=sync --fdatasync=1 --size=22m --bs=2300"
"""Writes as etcd's log does, each with fdatasync; DIR is on the disk of etcd's data (sizes: our choice)."""


class WriteLatency(Model):
    """How long a write takes on some kinds of network disk."""

    provider: Annotated[Literal["aws", "azure", "gce"], BeforeValidator(provider_name), Field(description="Who.")]
    kinds: Annotated[tuple[Name, ...], Field(min_length=1, description="The kinds of disk.")]
    low_ms: Annotated[Positive | None, Field(description="[ms] None: unknown.")] = None
    usual_ms: Annotated[Positive, Field(description="[ms]")]
    high_ms: Annotated[Positive | None, Field(description="[ms] None: unknown.")] = None
    source: Annotated[str, Field(description="Where the figures come from.")]

    @property
    def sequential_iops(self) -> int:
        """How many writes one after the other take a second. [1/s]"""
        return round(1000 / self.usual_ms)


class _Latencies(Model):
    name: Name
    title: str = ""
    date: str = ""
    latencies: tuple[WriteLatency, ...]


class SequentialDisk(Model):
    """How fast a disk has to be for writes one after the other, and how to measure it."""

    needed_iops: Annotated[
        int, Field(description="Sequential IOPS: 50, and 500 under a heavy load: 8 vCPUs and more. [1/s]")
    ]
    wal_fsync_p99_ms: Annotated[float, Field(description="What the slowest hundredth of fsync should stay below.")]
    backend_commit_p99_ms: Annotated[float, Field(description="Likewise for a commit of the database. [ms]")]
    fio: Annotated[str, Field(description="The command that measures it; DIR is on the disk of etcd's data.")]
    expected: Annotated[
        tuple[WriteLatency, ...], Field(description="What others measured: about 500 writes a second at 2 ms.")
    ]
    source: Annotated[str, Field(description="Where the needs come from.")]


def sequential_disk(vcpus: int, providers: Iterable[str] | None = None) -> SequentialDisk:
    """Return what the disk of a member has to do one write after the other.

    Parameters
    ----------
    vcpus : int
        What the member needs. [count] From eight on it is under a heavy load (our choice): that is what the hardware
        page gives to such clusters.
    providers : iterable of str, optional
        Whose disks to tell of; None for all.

    Examples
    --------
    >>> sequential_disk(4).needed_iops, sequential_disk(8).needed_iops
    (50, 500)
    """
    wanted = None if providers is None else set(providers)
    return SequentialDisk(
        needed_iops=50 if vcpus < 8 else 500,
        wal_fsync_p99_ms=10,
        backend_commit_p99_ms=25,
        fio=FIO,
        expected=tuple(one for one in _latencies() if wanted is None or one.provider in wanted),
        source="etcd-io/website content/en/docs/v3.5/op-guide/hardware.md (50 and 500 sequential IOPS), faq.md (p99)",
    )


@functools.cache
def _latencies() -> tuple[WriteLatency, ...]:
    return read_table(_Latencies, Path(__file__).parents[1] / "data" / "write-latency.json").latencies
