"""What a running cluster says of its load: scrapes of its members into one observation, ready to size.

`combine_scrapes` is the arithmetic, and asks nobody: sums where each member counts its own (requests, streams), maxima
where each has all of it (data). This module imports the models; `observing` talks to the members.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from etcdsize.base.model import Model, NotNegative
from etcdsize.base.notice import Notice
from etcdsize.base.text import shown
from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.observation.notices import observed_notices
from etcdsize.observation.rates import Rates, Waits, rates_between, rates_since_start, waits_of
from etcdsize.observation.scrape import MemberStatus, Scrape
from etcdsize.workload import Workload

__all__ = ["ClientCount", "MemberLoad", "Observation", "combine_scrapes"]

Kind = Literal["wal_fsync", "backend_commit", "peer_rtt"]


class ClientCount(Model):
    """How many clients there are, and how that was found."""

    count: Annotated[NotNegative | None, Field(description="Clients. [count] None: unknown.")] = None
    rung: Annotated[
        Literal["given", "sockets", "streams", "unknown"],
        Field(
            description="given: by you. sockets: connections on the members' own machines. streams: open watch or "
            "lease streams. unknown: nothing tells."
        ),
    ] = "unknown"
    bound: Annotated[
        Literal["exact", "upper", "estimate", "unknown"],
        Field(description="exact: as given. upper: the truth is not above it. estimate: it may be on either side."),
    ] = "unknown"


class MemberLoad(Model):
    """What one member says. None is what it does not say."""

    endpoint: Annotated[str, Field(description="The URL that was asked.")]
    problem: Annotated[str | None, Field(description="Why nothing, or not all, is known of it.")] = None
    member_id: Annotated[str | None, Field(description="The member's id, in hexadecimal digits.")] = None
    version: Annotated[str | None, Field(description="The member's version of etcd.")] = None
    restarted: Annotated[bool, Field(description="Whether it started again between the two scrapes.")] = False
    requests_per_second: Annotated[
        NotNegative | None, Field(description="Calls and lease messages of clients. [1/s]")
    ] = None
    requests_bound: Annotated[
        Literal["exact", "lower"] | None, Field(description="lower: it did at least that, as it started again.")
    ] = None
    calls_per_second: Annotated[dict[str, NotNegative], Field(description="The same by service and method. [1/s]")] = (
        Field(default_factory=dict)
    )
    data_bytes: Annotated[NotNegative | None, Field(description="The part of the database in use. [bytes]")] = None
    total_bytes: Annotated[NotNegative | None, Field(description="The database's file. [bytes]")] = None
    quota_bytes: Annotated[NotNegative | None, Field(description="The quota of the file. [bytes]")] = None
    watch_streams: Annotated[NotNegative | None, Field(description="Open watch streams. [count]")] = None
    lease_streams: Annotated[NotNegative | None, Field(description="Open lease streams. [count]")] = None
    wal_fsync_p99_seconds: Annotated[
        NotNegative | None, Field(description="The log reached the disk within that in 99 % of all writes. [s]")
    ] = None
    backend_commit_p99_seconds: Annotated[
        NotNegative | None, Field(description="The database reached the disk within that, likewise. [s]")
    ] = None
    peer_rtt_p99_seconds: Annotated[
        NotNegative | None, Field(description="To the slowest other member and back, likewise. [s]")
    ] = None
    since_start: Annotated[
        tuple[Kind, ...], Field(description="Which of the three are since the member started: there was too little.")
    ] = ()
    has_leader: Annotated[bool | None, Field(description="Whether it knows a leader.")] = None
    is_leader: Annotated[bool | None, Field(description="Whether it is the leader.")] = None
    leader_changes: Annotated[NotNegative | None, Field(description="Changes of leader that it saw. [count]")] = None
    peers: Annotated[tuple[str, ...], Field(description="The ids of the members that it is connected to.")] = ()
    errors: Annotated[tuple[str, ...], Field(description="What its endpoint status says is wrong.")] = ()


class Observation(Model):
    """What a running cluster says of its load."""

    members: Annotated[tuple[MemberLoad, ...], Field(description="Every member that was asked, each once.")]
    interval_seconds: Annotated[
        NotNegative | None,
        Field(description="The time between the two scrapes. [s] None: one scrape, so rates are since the start."),
    ] = None
    clients: Annotated[ClientCount, Field(description="Clients, and how they were counted.")]
    requests_per_second: Annotated[
        NotNegative | None, Field(description="Requests of clients, summed over the members. [1/s] None: unknown.")
    ] = None
    requests_bound: Annotated[
        Literal["exact", "lower"] | None,
        Field(description="lower: there are at least that many, as a member is missing or started again."),
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
    total_bytes: Annotated[NotNegative | None, Field(description="The largest file. [bytes]")] = None
    quota_bytes: Annotated[NotNegative | None, Field(description="The smallest quota. [bytes]")] = None
    watch_streams: Annotated[NotNegative | None, Field(description="Open watch streams, summed. [count]")] = None
    lease_streams: Annotated[NotNegative | None, Field(description="Open lease streams, summed. [count]")] = None
    wal_fsync_p99_seconds: Annotated[NotNegative | None, Field(description="Of the slowest member. [s]")] = None
    backend_commit_p99_seconds: Annotated[NotNegative | None, Field(description="Of the slowest member. [s]")] = None
    peer_rtt_p99_seconds: Annotated[NotNegative | None, Field(description="Of the slowest way. [s]")] = None
    leader_changes: Annotated[
        NotNegative | None, Field(description="Changes of leader, of the member that saw most. [count]")
    ] = None
    cluster_id: Annotated[
        str | None, Field(description="The cluster's id, in hexadecimal digits; an endpoint status says it.")
    ] = None
    member_count: Annotated[
        int, Field(ge=1, description="Members that were asked or that those are connected to. [count]")
    ]
    notices: Annotated[tuple[Notice, ...], Field(description="What to beware of.")] = ()

    @property
    def problems(self) -> tuple[MemberLoad, ...]:
        """The members of which nothing, or not all, is known."""
        return tuple(member for member in self.members if member.problem is not None)

    @property
    def is_known(self) -> bool:
        """Whether anything is known to size on."""
        return any(load is not None for load in (self.clients.count, self.requests_per_second, self.data_bytes))

    def workload(self) -> Workload:
        """Return the load, to size: what is unknown stays unknown, and the answer is a lower bound.

        Raises
        ------
        InvalidWorkloadError
            Where nothing is known; it says why.
        """
        if not self.is_known:
            why = "; ".join(f"{member.endpoint}: {member.problem}" for member in self.problems)
            raise InvalidWorkloadError(f"nothing known of the workload: {why or 'no metric of a load came'}")
        # Thousandths are more than was measured; what is rounded onto a bound that is not to be reached is past it.
        requests = None if self.requests_per_second is None else round(self.requests_per_second, 3)
        return Workload(clients=self.clients.count, requests_per_second=requests, data_bytes=self.data_bytes)


def combine_scrapes(
    first: Mapping[str, Scrape | str],
    second: Mapping[str, Scrape | str] | None = None,
    *,
    seconds: float | Mapping[str, float] | None = None,
    status: Iterable[MemberStatus] = (),
    clients: float | None = None,
    sockets: int | None = None,
) -> Observation:
    """Return what scrapes of one cluster's members come to.

    Parameters
    ----------
    first : mapping
        Endpoint -> its scrape, or why there is none.
    second : mapping, optional
        The same endpoints once more. Without it rates are averages since each member started.
    seconds : float or mapping, optional
        The time between the two, for all of them or by endpoint. [s]
    status : iterable of MemberStatus, optional
        What `etcdctl endpoint status` says of the members; it fills in what the metrics lack.
    clients : int or float, optional
        How many clients there are, where you know. [count]
    sockets : int, optional
        Connections on the members' client ports, where they were counted. [count]

    Raises
    ------
    OptionError
        For no endpoint, for other endpoints the second time, and for a time that is not above 0.
    InvalidWorkloadError
        For clients that are no number of 0 or more.

    Examples
    --------
    >>> before = Scrape(member_id="a", calls={"KV.Range": 100}, data_bytes=20_000)
    >>> after = Scrape(member_id="a", calls={"KV.Range": 400}, data_bytes=20_000)
    >>> observation = combine_scrapes({"one": before}, {"one": after}, seconds=10)
    >>> observation.requests_per_second, observation.data_bytes, observation.clients.rung
    (30.0, 20000, 'unknown')
    """
    times = _times(first, second, seconds)
    if clients is not None:
        Workload(clients=clients)
    pairs = {endpoint: (one, (second or {}).get(endpoint)) for endpoint, one in first.items()}
    kept, twice = _each_once(pairs)
    statuses = {one.member_id: one for one in status}
    members = [_member(endpoint, *kept[endpoint], times, statuses) for endpoint in kept]
    members += [_of_status(one) for one in statuses.values() if one.member_id not in {m.member_id for m in members}]
    known = [member.requests_per_second for member in members if member.requests_per_second is not None]
    asked = {member.member_id for member in members}
    strangers = sorted({peer for member in members for peer in member.peers} - asked)
    whole = len(known) == len(members) and all(m.requests_bound == "exact" for m in members) and not strangers
    watches, leases = (_sum(getattr(m, name) for m in members) for name in ("watch_streams", "lease_streams"))
    fields: dict[str, Any] = {
        "members": tuple(members),
        "interval_seconds": None if second is None or not times else max(times.values()),
        # Those of members that were not asked are not among them.
        "clients": _clients(clients, None if strangers else sockets, watches, leases),
        "requests_per_second": math.fsum(known) if known else None,
        "requests_bound": None if not known else "exact" if whole else "lower",
        "requests_over": None if not known else "lifetime" if second is None else "interval",
        "calls_per_second": {
            name: math.fsum(member.calls_per_second.get(name, 0) for member in members)
            for name in sorted({name for member in members for name in member.calls_per_second})
        },
        "watch_streams": watches,
        "lease_streams": leases,
        "cluster_id": next((one.cluster_id for one in statuses.values()), None),
        # A member that is down may be one of those that the others name.
        "member_count": max(len(members), len({one for one in asked if one is not None}) + len(strangers)),
    }
    for name in _LARGEST:
        fields[name] = max((value for m in members if (value := getattr(m, name)) is not None), default=None)
    # The member with the smallest quota is the first to refuse writes.
    fields["quota_bytes"] = min((m.quota_bytes for m in members if m.quota_bytes), default=None)
    clusters = tuple(sorted({one.cluster_id for one in statuses.values()}))
    observation = Observation(**fields)
    notices = observed_notices(observation, twice=twice, strangers=strangers, clusters=clusters)
    return observation.model_copy(update={"notices": notices})


_LARGEST = (
    *("data_bytes", "total_bytes", "wal_fsync_p99_seconds", "backend_commit_p99_seconds", "peer_rtt_p99_seconds"),
    "leader_changes",
)


def _times(
    first: Mapping[str, Any], second: Mapping[str, Any] | None, seconds: float | Mapping[str, float] | None
) -> dict[str, float]:
    """Return the time between the scrapes of each endpoint."""
    if not first:
        raise OptionError("first: got no endpoint, expected one at least", option="first")
    if second is None:
        return {}
    if set(second) != set(first):
        raise OptionError("second: got other endpoints, expected those of the first", option="second")
    times = {}
    for endpoint in first:
        value = seconds.get(endpoint) if isinstance(seconds, Mapping) else seconds
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise OptionError(
                f"seconds: got {shown(value)} for {endpoint}, expected the time between the two scrapes, above 0",
                option="seconds",
                value=value,
            )
        times[endpoint] = value
    return times


Pair = tuple[Scrape | str, Scrape | str | None]


def _each_once(pairs: Mapping[str, Pair]) -> tuple[dict[str, Pair], list[tuple[str, str]]]:
    """Return each member once, and which endpoints are which other one's: what is counted twice would be doubled."""
    # The same one is kept, in whatever order they come: the one of which most is known, then the first by name.
    by_worth = sorted(pairs, key=lambda endpoint: (-sum(isinstance(s, Scrape) for s in pairs[endpoint]), endpoint))
    first_of: dict[object, str] = {}
    twice = []
    for endpoint in by_worth:
        last = next((scrape for scrape in reversed(pairs[endpoint]) if isinstance(scrape, Scrape)), None)
        # An id is of one member of a cluster; without it, no two processes start at the same hundredth of a second.
        mark = None if last is None else last.member_id or last.started_unix_seconds
        if mark is not None and first_of.setdefault(mark, endpoint) != endpoint:
            twice.append((endpoint, first_of[mark]))
    gone = {endpoint for endpoint, _ in twice}
    return {endpoint: pair for endpoint, pair in pairs.items() if endpoint not in gone}, sorted(twice)


def _member(
    endpoint: str,
    before: Scrape | str,
    after: Scrape | str | None,
    times: Mapping[str, float],
    statuses: Mapping[str, MemberStatus],
) -> MemberLoad:
    """Return what one member says."""
    scrapes = [scrape for scrape in (before, after) if isinstance(scrape, Scrape)]
    problems = [scrape for scrape in (before, after) if isinstance(scrape, str)]
    if not scrapes:
        return MemberLoad(endpoint=endpoint, problem=problems[0])
    last = scrapes[-1]
    rates = Rates(None)
    if after is None:
        rates = rates_since_start(last)
        problems += [] if rates.calls_per_second is not None else [_no_average(last)]
    elif len(scrapes) == 2:
        one, other = scrapes[0].member_id, last.member_id
        if one != other:
            problems.append(
                f"answered as member {one}, then as member {other}; name the members themselves, not what stands "
                "before them"
            )
        else:
            rates = rates_between(scrapes[0], last, times[endpoint])
            problems += [] if rates.calls_per_second is not None else ["its metrics do not count the calls of clients"]
    waits = waits_of(scrapes[0] if len(scrapes) == 2 and not rates.restarted else None, last)
    return _load(endpoint, problems, last, rates, waits, statuses.get(last.member_id or ""))


def _no_average(scrape: Scrape) -> str:
    if scrape.calls is None:
        return "its metrics do not count the calls of clients"
    return "one scrape without the time when it was taken gives no rate; give taken_unix_seconds, or a second scrape"


def _load(
    endpoint: str, problems: Sequence[str], last: Scrape, rates: Rates, waits: Waits, status: MemberStatus | None
) -> MemberLoad:
    calls = rates.calls_per_second

    def filled(name: str) -> Any:
        value = getattr(last, name)
        return getattr(status, name) if value is None and status is not None else value

    return MemberLoad(
        endpoint=endpoint,
        problem="; ".join(problems) or None,
        member_id=last.member_id,
        version=filled("version"),
        restarted=rates.restarted,
        requests_per_second=None if calls is None else math.fsum(calls.values()),
        requests_bound=None if calls is None else "lower" if rates.restarted else "exact",
        calls_per_second=dict(calls or {}),
        data_bytes=filled("data_bytes"),
        total_bytes=filled("total_bytes"),
        quota_bytes=filled("quota_bytes"),
        watch_streams=last.watch_streams,
        lease_streams=last.lease_streams,
        **{f"{kind}_p99_seconds": seconds for kind, seconds in waits.seconds.items()},
        since_start=waits.lifetime,
        has_leader=last.has_leader,
        is_leader=filled("is_leader"),
        leader_changes=rates.leader_changes,
        peers=last.peers,
        errors=() if status is None else status.errors,
    )


def _of_status(status: MemberStatus) -> MemberLoad:
    """Return what the endpoint status alone says of a member."""
    return MemberLoad(
        endpoint=status.endpoint,
        problem="its endpoint status alone is known, which counts no requests; give its metrics as well",
        member_id=status.member_id,
        version=status.version,
        data_bytes=status.data_bytes,
        total_bytes=status.total_bytes,
        quota_bytes=status.quota_bytes,
        has_leader=status.leader_id is not None,
        is_leader=status.is_leader,
        errors=status.errors,
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _clients(given: float | None, sockets: int | None, watches: float | None, leases: float | None) -> ClientCount:
    """Return the clients from the highest rung that there is."""
    if given is not None:
        return ClientCount(count=given, rung="given", bound="exact")
    if sockets is not None:
        return ClientCount(count=sockets, rung="sockets", bound="upper")
    # A client may hold both kinds, of different members: never their sum.
    streams = max(watches or 0, leases or 0)
    if streams:
        return ClientCount(count=streams, rung="streams", bound="estimate")
    return ClientCount()
