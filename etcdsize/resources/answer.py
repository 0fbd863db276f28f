"""The parts of `Resources`: its figures by group, the terms of a figure, and what would help."""

from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Model

__all__ = [
    "Advice",
    "AssumptionEffect",
    "CpuResources",
    "DiskResources",
    "Figure",
    "FileResources",
    "Horizon",
    "MemoryResources",
    "NetworkResources",
    "SecondsResources",
    "Span",
    "Term",
]

# Checked by Pydantic itself: an answer has 40 figures, and a validator in Python would take most of its time.
_Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Figure(Model):
    """What a load takes: a range, and what to provide."""

    low: Annotated[_Number, Field(description="It takes at least that.")]
    likely: Annotated[_Number, Field(description="It takes most likely that.")]
    high: Annotated[_Number, Field(description="It takes at most that.")]
    need: Annotated[
        _Number,
        Field(
            description="What to provide: for the high end of what is given and of what was measured, and for the "
            "likely value of what is assumed."
        ),
    ]


class Horizon(Model):
    """When something happens, in hours from now. None: never."""

    soonest_hours: Annotated[_Number | None, Field(description="Not before. [h]")]
    likely_hours: Annotated[_Number | None, Field(description="Most likely. [h]")]
    latest_hours: Annotated[_Number | None, Field(description="Not after. [h]")]


class Span(Model):
    """A range in which something lies."""

    low: Annotated[_Number, Field(description="It is at least that.")]
    likely: Annotated[_Number, Field(description="It is most likely that.")]
    high: Annotated[_Number, Field(description="It is at most that.")]


class FileResources(Model):
    """The database file of one member."""

    in_use_bytes: Annotated[Figure, Field(description="What is in use after a compaction. [bytes]")]
    history_bytes: Annotated[
        Figure, Field(description="Replaced and deleted revisions, until a compaction removes them. [bytes]")
    ]
    high_water_bytes: Annotated[
        Figure, Field(description="The largest size of the file, which the quota has to hold. [bytes]")
    ]
    quota_bytes: Annotated[
        Figure, Field(description="The quota: the file and a quarter more, at least etcd's default of 2 GiB. [bytes]")
    ]
    full_without_compaction: Annotated[
        Horizon, Field(description="When the quota is full if nothing is compacted from now on.")
    ]
    full: Annotated[Horizon, Field(description="When the quota is full with the history that is kept.")]


class MemoryResources(Model):
    """The memory of one member."""

    index_bytes: Annotated[Figure, Field(description="The key index. [bytes]")]
    raft_log_bytes: Annotated[Figure, Field(description="The raft log's entries in memory. [bytes]")]
    connections_bytes: Annotated[Figure, Field(description="The clients' connections, without their stacks. [bytes]")]
    watches_bytes: Annotated[Figure, Field(description="Watch streams and watchers, without stacks. [bytes]")]
    leases_bytes: Annotated[Figure, Field(description="Leases and the keys attached to them. [bytes]")]
    largest_commit_bytes: Annotated[
        Figure, Field(description="The values of the largest commit, which stay in the buffers. [bytes]")
    ]
    heap_bytes: Annotated[Figure, Field(description="The heap that is live, without lists. [bytes]")]
    lists_bytes: Annotated[Figure, Field(description="Lists that are being sent. [bytes]")]
    garbage_bytes: Annotated[Figure, Field(description="What Go has not collected yet. [bytes]")]
    stacks_bytes: Annotated[Figure, Field(description="The stacks of goroutines. [bytes]")]
    defragment_bytes: Annotated[Figure, Field(description="What a defragmentation takes while it runs. [bytes]")]
    steady_bytes: Annotated[
        Figure, Field(description="What cannot be reclaimed under steady traffic, at its peak. [bytes]")
    ]
    unreclaimable_bytes: Annotated[
        Figure, Field(description="The same with a defragmentation or a compaction. [bytes]")
    ]
    page_cache_bytes: Annotated[
        Figure, Field(description="The file and the binary, which the kernel can drop and read again. [bytes]")
    ]
    limit_bytes: Annotated[Figure, Field(description="The memory limit to set: both together. [bytes]")]
    gomemlimit_bytes: Annotated[Figure, Field(description="GOMEMLIMIT, if one is set. [bytes]")]


class DiskResources(Model):
    """The disk of one member."""

    wal_bytes_per_second: Annotated[Figure, Field(description="What is written to the WAL. [bytes/s]")]
    backend_bytes_per_second: Annotated[Figure, Field(description="What is written to the database. [bytes/s]")]
    fsyncs_per_second: Annotated[Figure, Field(description="How often etcd waits for the disk. [1/s]")]
    fsync_p99_seconds: Annotated[
        Figure, Field(description="How long an fsync may take, at the 99th percentile, for this rate of writes. [s]")
    ]
    sequential_iops: Annotated[
        Figure, Field(description="Writes that the disk completes one after the other at that rate. [1/s]")
    ]
    volume_bytes: Annotated[Figure, Field(description="The size of the file system. [bytes]")]
    writes_possible_per_second: Annotated[
        Span, Field(description="How many writes its fsyncs let this number of clients complete. [1/s]")
    ]


class NetworkResources(Model):
    """The network of a cluster of three members."""

    leader_bytes_per_second: Annotated[Figure, Field(description="What a leader sends to two followers. [bytes/s]")]
    follower_bytes_per_second: Annotated[Figure, Field(description="What a follower receives. [bytes/s]")]
    clients_bytes_per_second: Annotated[
        Figure, Field(description="Between clients and members, both ways, without lists. [bytes/s]")
    ]


class CpuResources(Model):
    """The CPU of a member, in cores of the machine that the coefficients were measured on."""

    leader_cores: Annotated[
        Figure, Field(description="A leader that serves all clients, while the lists are under way. [cores]")
    ]
    follower_cores: Annotated[
        Figure, Field(description="A follower that serves all clients, while the lists are under way. [cores]")
    ]
    machine: Annotated[dict[str, str], Field(description="That machine.")]


class SecondsResources(Model):
    """How long operations on one member take."""

    restart: Annotated[Figure, Field(description="From the start of the process until it serves. [s]")]
    new_member: Annotated[Figure, Field(description="Until a new member has the data and serves. [s]")]
    snapshot: Annotated[Figure, Field(description="To save a snapshot. [s]")]
    restore: Annotated[Figure, Field(description="To restore a member's data from a snapshot. [s]")]
    defragment: Annotated[Figure, Field(description="To defragment a member, which serves nothing meanwhile. [s]")]
    compaction: Annotated[Figure, Field(description="A compaction, which runs beside the traffic. [s]")]
    list: Annotated[Figure, Field(description="The CPU time of one list. [s]")]
    lease_end: Annotated[Figure, Field(description="The end of one lease, while which nothing else is written. [s]")]


class Term(Model):
    """A part of a figure. The parts add up to it at its likely value and at its need."""

    name: Annotated[str, Field(description="What it is for.")]
    low: Annotated[float, Field(description="The least of it: below 0 where a margin may be too large.")]
    likely: Annotated[_Number, Field(description="Most likely.")]
    high: Annotated[_Number, Field(description="The most of it.")]
    need: Annotated[_Number, Field(description="What to provide for it.")]
    known: Annotated[str, Field(description="How it is known: measured, with the version, from source, or our choice.")]
    source: Annotated[str, Field(description="The coefficients, and where they come from.")]


class Advice(Model):
    """A change that helps more than a larger machine does."""

    code: Annotated[str, Field(description="A stable name for programs.")]
    text: Annotated[str, Field(description="What to change, and what that does.")]
    figure: Annotated[str, Field(description="The figure that becomes smaller, such as memory.limit_bytes.")]
    before: Annotated[_Number, Field(description="Its need now.")]
    after: Annotated[_Number, Field(description="Its need with the change.")]


class AssumptionEffect(Model):
    """What an assumption does: the needs at both ends of its range, everything else as it is."""

    field: Annotated[str, Field(description="The field that is assumed.")]
    quota_low_bytes: Annotated[_Number, Field(description="The quota at the assumption's low end. [bytes]")]
    quota_high_bytes: Annotated[_Number, Field(description="The quota at its high end. [bytes]")]
    limit_low_bytes: Annotated[_Number, Field(description="The memory limit at the assumption's low end. [bytes]")]
    limit_high_bytes: Annotated[_Number, Field(description="The memory limit at its high end. [bytes]")]
