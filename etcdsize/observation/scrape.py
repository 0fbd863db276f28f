"""The metrics of one member at one moment, and its endpoint status, as models."""

import itertools
from typing import Annotated, Literal

from pydantic import Field, model_validator

from etcdsize.base.checks import plain_number
from etcdsize.base.model import Model, NotNegative, Positive
from etcdsize.base.text import shown
from etcdsize.errors import OptionError, TableError

__all__ = ["Histogram", "MemberStatus", "Scrape"]

# The two counters of calls are not read at the same moment, and one of them also counts calls that are refused
# (our choice).
_MISSED_CALLS, _MISSED_SHARE = 10, 0.01


class Histogram(Model):
    """A histogram of durations, as Prometheus counts them.

    Raises
    ------
    TableError
        If the bounds do not rise, or the counts fall.
    """

    upper_bounds_seconds: Annotated[
        tuple[Positive, ...], Field(description="The upper bounds of the buckets, rising. [s]")
    ]
    counts: Annotated[
        tuple[NotNegative, ...],
        Field(description="Durations up to each bound, and last the number of all. [count]"),
    ]

    @model_validator(mode="after")
    def _check(self) -> "Histogram":
        bounds, counts = self.upper_bounds_seconds, self.counts
        if any(one >= other for one, other in itertools.pairwise(bounds)):
            raise TableError("expected bounds that rise", field="upper_bounds_seconds")
        if len(counts) != len(bounds) + 1:
            raise TableError(f"got {len(counts)}, expected one more than bounds", field="counts")
        if any(one > other for one, other in itertools.pairwise(counts)):
            raise TableError("expected counts that never fall: each has those before it", field="counts")
        return self

    @property
    def count(self) -> int | float:
        """The number of durations."""
        return self.counts[-1]

    def since(self, before: "Histogram") -> "Histogram | None":
        """Return the durations since an earlier histogram, or None if that is not of the same process."""
        if not isinstance(before, Histogram):
            raise OptionError(f"before: got {shown(before)}, expected a Histogram", option="before", value=before)
        if before.upper_bounds_seconds != self.upper_bounds_seconds:
            return None
        counts = tuple(now - then for now, then in zip(self.counts, before.counts))
        if any(one > other for one, other in zip((0, *counts), counts)):
            return None
        return Histogram(upper_bounds_seconds=self.upper_bounds_seconds, counts=counts)

    def quantile(self, share: float) -> float | None:
        """Return the duration that a share of all durations did not exceed, or None if there are none. [s]

        It is interpolated linearly within a bucket, as by PromQL's `histogram_quantile`; beyond the last bound it is
        the last bound.

        Examples
        --------
        >>> Histogram(upper_bounds_seconds=(0.008, 0.016), counts=(98, 100, 100)).quantile(0.99)
        0.012
        """
        number = plain_number(share)
        if number is None or not 0 <= number <= 1:
            raise OptionError(f"share: got {shown(share)}, expected a number from 0 to 1", option="share", value=share)
        if not self.count:
            return None
        rank = number * self.count
        below, lower = 0.0, 0.0
        for bound, count in zip(self.upper_bounds_seconds, self.counts):
            if count >= rank:
                within = count - below
                return lower + (bound - lower) * ((rank - below) / within) if within else float(bound)
            below, lower = float(count), float(bound)
        return lower if self.upper_bounds_seconds else None


class Scrape(Model):
    """The metrics of one member at one moment. None is what they do not report."""

    reported_by: Annotated[
        Literal["etcd", "api-server"],
        Field(description="api-server: a Kubernetes API server, which reports the size of etcd's file alone."),
    ] = "etcd"
    member_id: Annotated[str | None, Field(description="The member's ID, in hexadecimal digits.")] = None
    version: Annotated[str | None, Field(description="The member's version of etcd.")] = None
    started_unix_seconds: Annotated[
        NotNegative | None, Field(description="The start of its process, by its own clock. [s since 1970]")
    ] = None
    taken_unix_seconds: Annotated[
        NotNegative | None,
        Field(description="The time of the scrape, by the member's clock. [s since 1970]"),
    ] = None
    calls: Annotated[
        dict[str, NotNegative] | None,
        Field(description="Client calls and messages since the process started, by service and method. [count]"),
    ] = None
    unary_calls: Annotated[
        NotNegative | None,
        Field(description="Calls of all services that are no streams, as gRPC counts them. [count]"),
    ] = None
    client_requests: Annotated[
        NotNegative | None,
        Field(description="The same calls, as etcd's own counter counts them. [count]"),
    ] = None
    cpu_seconds: Annotated[
        NotNegative | None, Field(description="Processor time since the process started; it falls on a restart. [s]")
    ] = None
    usable_cores: Annotated[
        NotNegative | None, Field(description="Cores that Go lets the process use at once; since 3.6. [count]")
    ] = None
    resident_bytes: Annotated[NotNegative | None, Field(description="Memory of the process. [bytes]")] = None
    open_files: Annotated[NotNegative | None, Field(description="Open files and connections. [count]")] = None
    heap_bytes: Annotated[
        NotNegative | None,
        Field(description="The heap of the process, with garbage that is not yet collected. [bytes]"),
    ] = None
    shares_process: Annotated[
        bool, Field(description="Whether other programs run in the same process, as the API server of k3s does.")
    ] = False
    keys: Annotated[NotNegative | None, Field(description="Keys. [count]")] = None
    revision: Annotated[NotNegative | None, Field(description="The current revision. [count]")] = None
    compact_revision: Annotated[
        NotNegative | None,
        Field(description="The revision up to which the history was compacted; 0 before the first compaction. [count]"),
    ] = None
    puts: Annotated[
        NotNegative | None, Field(description="Puts of the whole cluster since the process started. [count]")
    ] = None
    put_bytes: Annotated[NotNegative | None, Field(description="Their keys and values. [bytes]")] = None
    deletes: Annotated[
        NotNegative | None, Field(description="Deletions of a key or a range since the process started. [count]")
    ] = None
    events: Annotated[
        NotNegative | None, Field(description="Events sent to watchers since the process started. [count]")
    ] = None
    sent_bytes: Annotated[
        NotNegative | None, Field(description="Bytes sent to clients since the process started. [bytes]")
    ] = None
    leases_granted: Annotated[
        NotNegative | None, Field(description="Leases granted since the process started. [count]")
    ] = None
    leases_revoked: Annotated[
        NotNegative | None, Field(description="Leases that ended since the process started. [count]")
    ] = None
    leases_expired: Annotated[
        NotNegative | None,
        Field(description="Leases that the leader saw expire since its process started. [count]"),
    ] = None
    lease_renewals: Annotated[
        NotNegative | None,
        Field(description="Renewals of leases, which the leader counts for all members, since it started. [count]"),
    ] = None
    pending_proposals: Annotated[
        NotNegative | None, Field(description="Writes that wait until they are committed and applied. [count]")
    ] = None
    failed_proposals: Annotated[
        NotNegative | None, Field(description="Writes that failed since the process started. [count]")
    ] = None
    applied_proposals: Annotated[
        NotNegative | None, Field(description="Writes of the whole cluster that it has applied. [count]")
    ] = None
    wal_bytes: Annotated[
        NotNegative | None, Field(description="Bytes written to the WAL since the process started. [bytes]")
    ] = None
    watchers: Annotated[NotNegative | None, Field(description="Watches on keys or ranges. [count]")] = None
    slow_watchers: Annotated[
        NotNegative | None, Field(description="Watchers that lag behind the latest revision. [count]")
    ] = None
    watch_streams: Annotated[NotNegative | None, Field(description="Open watch streams. [count]")] = None
    lease_streams: Annotated[NotNegative | None, Field(description="Open lease streams. [count]")] = None
    data_bytes: Annotated[NotNegative | None, Field(description="The part of the database in use. [bytes]")] = None
    total_bytes: Annotated[NotNegative | None, Field(description="The size of the database file. [bytes]")] = None
    quota_bytes: Annotated[NotNegative | None, Field(description="The quota of the file. [bytes]")] = None
    has_leader: Annotated[bool | None, Field(description="Whether it knows a leader.")] = None
    is_leader: Annotated[bool | None, Field(description="Whether it is the leader.")] = None
    is_learner: Annotated[bool | None, Field(description="Whether it is a learner, which does not vote.")] = None
    leader_changes: Annotated[
        NotNegative | None, Field(description="Leader changes that it saw since the process started. [count]")
    ] = None
    peers: Annotated[
        tuple[str, ...],
        Field(description="The IDs of the members that it is connected to, and since 3.6 of those that are down too."),
    ] = ()
    wal_fsync: Annotated[Histogram | None, Field(description="Durations of WAL fsyncs.")] = None
    backend_commit: Annotated[Histogram | None, Field(description="Durations of backend commits.")] = None
    peer_rtt: Annotated[
        dict[str, Histogram], Field(description="Durations of round trips to other members, by their ID.")
    ] = Field(default_factory=dict)

    @property
    def counts_every_call(self) -> bool:
        """Whether gRPC counts every call. In etcd 3.6.0 to 3.6.5 it misses those of all client listeners but one."""
        own = self.client_requests or 0
        return own - (self.unary_calls or 0) <= max(_MISSED_CALLS, _MISSED_SHARE * own)


class MemberStatus(Model):
    """The `etcdctl endpoint status` of one member. None is what it does not report."""

    endpoint: Annotated[str, Field(description="The member's client URL.")]
    member_id: Annotated[str, Field(description="The member's ID, in hexadecimal digits.")]
    cluster_id: Annotated[str, Field(description="The cluster's ID, in hexadecimal digits.")]
    version: Annotated[str | None, Field(description="The member's version of etcd.")] = None
    data_bytes: Annotated[NotNegative | None, Field(description="The part of the database in use. [bytes]")] = None
    total_bytes: Annotated[NotNegative | None, Field(description="The size of the database file. [bytes]")] = None
    quota_bytes: Annotated[
        NotNegative | None, Field(description="The quota of the file, reported since 3.6. [bytes]")
    ] = None
    leader_id: Annotated[str | None, Field(description="The leader's ID. None: there is no leader.")] = None
    is_learner: Annotated[bool, Field(description="Whether it is a learner, which does not vote.")] = False
    errors: Annotated[tuple[str, ...], Field(description="The errors that it reports, such as an alarm.")] = ()

    @property
    def is_leader(self) -> bool:
        """Whether it is the leader."""
        return self.leader_id == self.member_id
