"""The load of a running cluster, as its members report it."""

from typing import Annotated, Literal

from pydantic import Field

from etcdsize.base.model import Model, NotNegative
from etcdsize.base.notice import Notice
from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.etcd.versions import load_versions
from etcdsize.observation.compared import ModelledMember
from etcdsize.resources.profile import Profile
from etcdsize.workload import Certainty, Workload

__all__ = ["ClientCount", "HoursBound", "MemberLoad", "Observation"]

HoursBound = Literal["estimate", "lower"]
_HOURS_BOUND = Field(
    description="estimate: the puts made new keys, which stay. lower: not before that, as compaction may free some of "
    "what was written."
)

WaitKind = Literal["wal_fsync", "backend_commit", "peer_rtt"]


class ClientCount(Model):
    """How many clients there are, and how they were counted."""

    count: Annotated[NotNegative | None, Field(description="Clients. [count] None: unknown.")] = None
    counted_by: Annotated[
        Literal["given", "sockets", "streams", "unknown"],
        Field(
            description="given: by you. sockets: connections to members on this machine. streams: open watch or lease "
            "streams. unknown: they were not counted."
        ),
    ] = "unknown"
    bound: Annotated[
        Literal["exact", "upper", "estimate", "unknown"],
        Field(description="exact: as given. upper: there are at most that many. estimate: too high or too low."),
    ] = "unknown"


class MemberLoad(Model):
    """The load of one member. None is what it does not report."""

    endpoint: Annotated[str, Field(description="The URL it was observed at.")]
    problem: Annotated[str | None, Field(description="Why it is unknown or only partly known.")] = None
    answered: Annotated[bool, Field(description="Whether it answered when it was last asked.")] = True
    member_id: Annotated[str | None, Field(description="The member's ID, in hexadecimal digits.")] = None
    version: Annotated[str | None, Field(description="The member's version of etcd.")] = None
    restarted: Annotated[bool, Field(description="Whether it restarted between the two scrapes.")] = False
    requests_per_second: Annotated[NotNegative | None, Field(description="Client calls and lease messages. [1/s]")] = (
        None
    )
    requests_bound: Annotated[
        Certainty | None,
        Field(
            description="lower: it served at least that many, as it restarted. upper: at most, as gRPC does not count "
            "every call. estimate: too high or too low."
        ),
    ] = None
    calls_per_second: Annotated[dict[str, NotNegative], Field(description="The same by service and method. [1/s]")] = (
        Field(default_factory=dict)
    )
    data_bytes: Annotated[NotNegative | None, Field(description="The part of the database in use. [bytes]")] = None
    total_bytes: Annotated[NotNegative | None, Field(description="The size of the database file. [bytes]")] = None
    quota_bytes: Annotated[NotNegative | None, Field(description="The quota of the file. [bytes]")] = None
    watch_streams: Annotated[NotNegative | None, Field(description="Open watch streams. [count]")] = None
    lease_streams: Annotated[NotNegative | None, Field(description="Open lease streams. [count]")] = None
    wal_fsync_p99_seconds: Annotated[NotNegative | None, Field(description="The p99 of a WAL fsync. [s]")] = None
    backend_commit_p99_seconds: Annotated[NotNegative | None, Field(description="The p99 of a backend commit. [s]")] = (
        None
    )
    peer_rtt_p99_seconds: Annotated[
        NotNegative | None, Field(description="The p99 of the round trip to the slowest peer. [s]")
    ] = None
    since_start: Annotated[
        tuple[WaitKind, ...],
        Field(
            description="Which of these three are since the member started, as it restarted, answered once, or the "
            "interval had too few."
        ),
    ] = ()
    bytes_per_fsync: Annotated[
        NotNegative | None, Field(description="What a WAL fsync writes on average, in the time of its p99. [bytes]")
    ] = None
    cpu_cores: Annotated[
        NotNegative | None, Field(description="Cores that its process used between the two scrapes. [count]")
    ] = None
    usable_cores: Annotated[
        NotNegative | None, Field(description="Cores that it may use at once, which etcd reports since 3.6. [count]")
    ] = None
    resident_bytes: Annotated[NotNegative | None, Field(description="Memory of its process. [bytes]")] = None
    open_files: Annotated[
        NotNegative | None, Field(description="Open files and connections of its process. [count]")
    ] = None
    open_files_before: Annotated[NotNegative | None, Field(description="The same in the first scrape. [count]")] = None
    heap_bytes: Annotated[
        NotNegative | None,
        Field(description="The heap of its process, with garbage that is not yet collected. [bytes]"),
    ] = None
    shares_process: Annotated[
        bool, Field(description="Whether other programs run in its process, so that memory is not that of etcd alone.")
    ] = False
    keys: Annotated[NotNegative | None, Field(description="Keys. [count]")] = None
    history_revisions: Annotated[
        NotNegative | None, Field(description="Revisions since the last compaction, or since the first one. [count]")
    ] = None
    compacted: Annotated[bool | None, Field(description="Whether its history was ever compacted.")] = None
    writes_per_second: Annotated[
        NotNegative | None,
        Field(description="Writes of the whole cluster that changed something, each a revision. [1/s]"),
    ] = None
    puts_per_second: Annotated[NotNegative | None, Field(description="Puts of the whole cluster. [1/s]")] = None
    put_bytes_per_second: Annotated[
        NotNegative | None, Field(description="The keys and values of these puts. [bytes/s]")
    ] = None
    deletes_per_second: Annotated[
        NotNegative | None, Field(description="Deletions of the whole cluster, each of a key or a range. [1/s]")
    ] = None
    puts_since_start: Annotated[
        NotNegative | None, Field(description="Puts of the whole cluster since it started. [count]")
    ] = None
    average_put_bytes: Annotated[
        NotNegative | None, Field(description="The average key and value of these puts. [bytes]")
    ] = None
    leases_since_start: Annotated[
        NotNegative | None,
        Field(description="Leases granted since it started that have not ended; there may be older ones. [count]"),
    ] = None
    lease_revokes_per_second: Annotated[
        NotNegative | None, Field(description="Leases that ended, in the whole cluster. [1/s]")
    ] = None
    lease_expirations_per_second: Annotated[
        NotNegative | None, Field(description="Leases that expired, which only the leader counts. [1/s]")
    ] = None
    watchers: Annotated[NotNegative | None, Field(description="Watches on keys or ranges. [count]")] = None
    events_per_second: Annotated[NotNegative | None, Field(description="Events sent to watchers. [1/s]")] = None
    sent_bytes_per_second: Annotated[NotNegative | None, Field(description="What it sent to clients. [bytes/s]")] = None
    fill_bytes_per_second: Annotated[
        NotNegative | None, Field(description="How fast its file fills, before compaction. [bytes/s]")
    ] = None
    quota_hours_left: Annotated[
        NotNegative | None,
        Field(description="When the quota is full at that rate. [h] None: unknown, or never, as nothing is written."),
    ] = None
    quota_hours_bound: Annotated[HoursBound | None, _HOURS_BOUND] = None
    modelled: Annotated[
        ModelledMember | None,
        Field(description="The same figures by the measured model. None: its version or its load is unknown."),
    ] = None
    slow_watchers: Annotated[
        NotNegative | None,
        Field(description="Watchers that lag behind, of the scrape that has fewer: any may for a moment. [count]"),
    ] = None
    watch_streams_before: Annotated[
        NotNegative | None, Field(description="Open watch streams in the first scrape. [count]")
    ] = None
    pending_proposals: Annotated[
        NotNegative | None,
        Field(description="Writes that wait to be committed and applied, of the scrape that has fewer. [count]"),
    ] = None
    failed_proposals: Annotated[
        NotNegative | None,
        Field(description="Writes that failed between the two scrapes, or since it started. [count]"),
    ] = None
    applied_per_second: Annotated[
        NotNegative | None, Field(description="Writes of the whole cluster that it applied. [1/s]")
    ] = None
    has_leader: Annotated[bool | None, Field(description="Whether it knows a leader.")] = None
    is_leader: Annotated[bool | None, Field(description="Whether it is the leader.")] = None
    is_learner: Annotated[bool | None, Field(description="Whether it is a learner, which does not vote.")] = None
    leader_changes: Annotated[NotNegative | None, Field(description="Leader changes that it saw. [count]")] = None
    counts_every_call: Annotated[
        bool, Field(description="Whether its requests are counted by method; if not, by etcd's own counter of calls.")
    ] = True
    peers: Annotated[
        tuple[str, ...],
        Field(description="The IDs of the members that it is connected to, and since 3.6 of those that are down too."),
    ] = ()
    errors: Annotated[tuple[str, ...], Field(description="The errors in its endpoint status.")] = ()


class Observation(Model):
    """The load of a running cluster."""

    members: Annotated[tuple[MemberLoad, ...], Field(description="Every member that was observed, once.")]
    scrapes: Annotated[
        int,
        Field(ge=0, le=2, description="How often members were scraped. [count] 0: only endpoint statuses are known."),
    ] = 1
    interval_seconds: Annotated[
        NotNegative | None,
        Field(description="The time between the two scrapes. [s] None: there is one scrape, or the time is unknown."),
    ] = None
    clients: Annotated[ClientCount, Field(description="Clients, and how they were counted.")]
    requests_per_second: Annotated[
        NotNegative | None, Field(description="Client requests, summed over the members. [1/s] None: unknown.")
    ] = None
    requests_bound: Annotated[
        Certainty | None,
        Field(
            description="lower: there are at least that many, as a member is missing or restarted. upper: there are at "
            "most that many, as gRPC does not count every call of a member. estimate: both, or messages that keep "
            "leases alive are not counted, so too high or too low."
        ),
    ] = None
    requests_over: Annotated[
        Literal["interval", "lifetime"] | None,
        Field(description="lifetime: the average since each member started, which hides every peak."),
    ] = None
    calls_per_second: Annotated[dict[str, NotNegative], Field(description="Requests by service and method. [1/s]")] = (
        Field(default_factory=dict)
    )
    data_bytes: Annotated[
        NotNegative | None, Field(description="Data in use, of the member that has most. [bytes] None: unknown.")
    ] = None
    data_bound: Annotated[
        Literal["exact", "upper", "lower"] | None,
        Field(
            description="upper: it is the size of the file, as the part in use is unknown. lower: no member has a "
            "leader, so there may be data that they lack."
        ),
    ] = None
    total_bytes: Annotated[NotNegative | None, Field(description="The largest database file. [bytes]")] = None
    quota_bytes: Annotated[NotNegative | None, Field(description="The smallest quota. [bytes]")] = None
    watch_streams: Annotated[NotNegative | None, Field(description="Open watch streams, summed. [count]")] = None
    lease_streams: Annotated[NotNegative | None, Field(description="Open lease streams, summed. [count]")] = None
    wal_fsync_p99_seconds: Annotated[NotNegative | None, Field(description="Of the slowest member. [s]")] = None
    backend_commit_p99_seconds: Annotated[NotNegative | None, Field(description="Of the slowest member. [s]")] = None
    peer_rtt_p99_seconds: Annotated[NotNegative | None, Field(description="Of the slowest pair of members. [s]")] = None
    resident_bytes: Annotated[
        NotNegative | None, Field(description="Memory of the process that uses most. [bytes]")
    ] = None
    keys: Annotated[NotNegative | None, Field(description="Keys, of the member that has most. [count]")] = None
    history_revisions: Annotated[
        NotNegative | None, Field(description="Revisions since the last compaction, of the member with most. [count]")
    ] = None
    compacted: Annotated[bool | None, Field(description="Whether the history was ever compacted.")] = None
    writes_per_second: Annotated[
        NotNegative | None, Field(description="Writes that changed something. [1/s] None: unknown.")
    ] = None
    average_put_bytes: Annotated[
        NotNegative | None,
        Field(description="The key and value of a put, on average since the member started that saw most. [bytes]"),
    ] = None
    watchers: Annotated[NotNegative | None, Field(description="Watches on keys or ranges, summed. [count]")] = None
    quota_hours_left: Annotated[
        NotNegative | None,
        Field(description="When the first quota is full. [h] None: unknown, or never, as nothing is written."),
    ] = None
    quota_hours_bound: Annotated[HoursBound | None, _HOURS_BOUND] = None
    slow_watchers: Annotated[NotNegative | None, Field(description="Watchers that lag behind, summed. [count]")] = None
    pending_proposals: Annotated[
        NotNegative | None, Field(description="Writes that wait to be committed and applied, summed. [count]")
    ] = None
    failed_proposals: Annotated[
        NotNegative | None,
        Field(description="Writes that failed between the two scrapes, or since the start, summed. [count]"),
    ] = None
    leader_changes: Annotated[
        NotNegative | None, Field(description="Leader changes, of the member that saw most. [count]")
    ] = None
    profile: Annotated[
        Profile | None,
        Field(
            description="The load with everything else that the members report. What follows from several figures is "
            "among its assumptions. None: nothing is known."
        ),
    ] = None
    cluster_id: Annotated[
        str | None, Field(description="The cluster's ID, in hexadecimal digits, from the endpoint status.")
    ] = None
    member_count: Annotated[
        int | None,
        Field(
            ge=1,
            description="Members that were observed, and others that those are connected to. [count] None: unknown, as "
            "only API servers were asked.",
        ),
    ]
    learner_count: Annotated[int, Field(ge=0, description="Learners among them, which do not vote. [count]")] = 0
    failures_left: Annotated[
        int | None,
        Field(
            ge=0,
            description="Voters that may still fail while the cluster writes, if those that did not answer have "
            "failed. [count] None: unknown, as members were not asked or none answers.",
        ),
    ] = None
    other_peers: Annotated[
        tuple[str, ...], Field(description="The IDs of members that were not observed, but that others know.")
    ] = ()
    incomplete: Annotated[
        tuple[str, ...],
        Field(
            description="Why this is not one whole cluster: members that did not answer or were not asked, no leader, "
            "members of several clusters. Empty if it is."
        ),
    ] = ()
    notices: Annotated[tuple[Notice, ...], Field(description="Everything worth knowing about the figures.")] = ()

    @property
    def problems(self) -> tuple[MemberLoad, ...]:
        """The members that are unknown or only partly known."""
        return tuple(member for member in self.members if member.problem is not None)

    @property
    def is_known(self) -> bool:
        """Whether at least one dimension of the load is known."""
        return any(load is not None for load in (self.clients.count, self.requests_per_second, self.data_bytes))

    @property
    def voting_members(self) -> int | None:
        """The members that vote. [count] None: unknown."""
        return None if self.member_count is None else max(self.member_count - self.learner_count, 1)

    @property
    def serving_voters(self) -> int:
        """The observed members that vote, answered and have a leader. [count]"""
        voters = (member for member in self.members if member.is_learner is not True)
        return sum(member.answered and member.has_leader is not False for member in voters)

    @property
    def etcd_version(self) -> str | None:
        """The version of etcd, if all members that report one run the same, and we know it. None otherwise."""
        versions = {member.version for member in self.members if member.version is not None}
        if len(versions) != 1:
            return None
        (version,) = versions
        try:
            load_versions().version(version)
        except OptionError:
            return None
        return version

    def workload(self) -> Workload:
        """Return the load as a workload to size. Unknown dimensions stay unknown, and a larger tier may be needed.

        Raises
        ------
        InvalidWorkloadError
            If nothing is known; the message says why.
        """
        if not self.is_known:
            why = "; ".join(self.incomplete)
            raise InvalidWorkloadError(f"the workload is unknown: {why or 'the metrics do not report it'}")
        # The measurement is no finer than a thousandth. A rate that rounds up to an exclusive bound is past it.
        requests = None if self.requests_per_second is None else round(self.requests_per_second, 3)
        clients_bound = self.clients.bound
        return Workload(
            clients=self.clients.count,
            requests_per_second=requests,
            data_bytes=self.data_bytes,
            clients_bound="exact" if clients_bound == "unknown" else clients_bound,
            requests_bound=self.requests_bound or "exact",
            data_bound=self.data_bound or "exact",
        )
