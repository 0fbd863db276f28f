"""Combine the scrapes of a cluster's members into one `Observation`.

Figures that each member counts for itself (requests, streams) are summed. Of figures that every member has in full
(data, file size) the largest is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from etcdsize.base.checks import count_of, list_of, plain_number
from etcdsize.base.text import shown
from etcdsize.errors import OptionError
from etcdsize.observation.comparison import modelled_members
from etcdsize.observation.findings import first_full
from etcdsize.observation.member_load import load_of_status, member_load
from etcdsize.observation.membership import several_clusters
from etcdsize.observation.model import ClientCount, MemberLoad, Observation
from etcdsize.observation.notices import not_asked, observed_notices
from etcdsize.observation.profile import profile_of
from etcdsize.observation.rates import START_TOLERANCE_SECONDS, total
from etcdsize.observation.scrape import MemberStatus, Scrape
from etcdsize.resources.calibrated_model import CalibratedModel, given_model
from etcdsize.sizing.quorum import quorum
from etcdsize.workload import Certainty, Workload

__all__ = ["combine_scrapes", "seconds_between", "statuses_of"]

# A member does not answer twice within a microsecond, and none has run for thirty years (our choice).
_SHORTEST_SECONDS, _LONGEST_SECONDS = 1e-6, 10**9


def combine_scrapes(
    first: Mapping[str, Scrape | str],
    second: Mapping[str, Scrape | str] | None = None,
    *,
    seconds: float | Mapping[str, float] | None = None,
    status: Iterable[MemberStatus] = (),
    clients: float | None = None,
    sockets: int | None = None,
    model: str | Path | CalibratedModel | None = None,
) -> Observation:
    """Return the load of a cluster from scrapes of its members.

    Parameters
    ----------
    first : mapping
        Endpoint -> its scrape, or the reason why there is none. It may be empty if there is a status.
    second : mapping, optional
        Later scrapes of the same endpoints. Without them rates are averages since each member started.
    seconds : float or mapping, optional
        The time between the two scrapes, for all endpoints or by endpoint. [s] Without it rates are unknown.
    status : iterable of MemberStatus, optional
        The members' `etcdctl endpoint status`, which fills in what the metrics lack.
    clients : int or float, optional
        The number of clients, if you know it. [count]
    sockets : int, optional
        Connections to the members' client ports, if they were counted. [count]
    model : str, Path or CalibratedModel, optional
        The model that members are compared with, as `calibrate` measured it, or the path of its file. Members of
        another version of etcd are not compared. None is the model of etcdsize.

    Raises
    ------
    OptionError
        If there is neither an endpoint nor a status, if `second` has other endpoints, or if a time is below a
        microsecond or above 10^9 seconds.
    InvalidWorkloadError
        If `clients` is not a number of 0 or more.

    Examples
    --------
    >>> before = Scrape(member_id="a", calls={"KV.Range": 100}, data_bytes=20_000)
    >>> after = Scrape(member_id="a", calls={"KV.Range": 400}, data_bytes=20_000)
    >>> observation = combine_scrapes({"one": before}, {"one": after}, seconds=10)
    >>> observation.requests_per_second, observation.data_bytes, observation.clients.counted_by
    (30.0, 20000, 'unknown')
    """
    intervals = _intervals(first, second, seconds)
    statuses = {one.member_id: one for one in statuses_of(status)}
    if not first and not statuses:
        raise OptionError("first: got no endpoint, expected at least one", option="first")
    if clients is not None:
        Workload(clients=clients)  # rejects what is not a count
    pairs, duplicates = _without_duplicates({one: (scrape, (second or {}).get(one)) for one, scrape in first.items()})
    own = given_model(model)
    if sockets is not None:
        sockets = count_of("sockets", sockets, least=0)
    members = [member_load(endpoint, *pair, intervals.get(endpoint), statuses) for endpoint, pair in pairs.items()]
    scraped = {member.member_id for member in members}
    members += [load_of_status(one) for one in statuses.values() if one.member_id not in scraped]
    api_servers = sum(_is_api_server(*pair) for pair in pairs.values())
    known = {member.member_id for member in members if member.member_id is not None}
    other_peers = sorted({peer for member in members for peer in member.peers} - known)
    mixed = several_clusters(members, statuses)
    fields: dict[str, Any] = {
        "members": tuple(members),
        "scrapes": 0 if not first else 1 if second is None else 2,
        "interval_seconds": None if second is None or not intervals else max(intervals.values()),
        "clients": _clients(clients, None, None, None),
        "cluster_id": next((one.cluster_id for one in statuses.values()), None),
        # A member that is down may be one of the others' peers.
        "member_count": max(len(members) - api_servers, len(known) + len(other_peers)) or None,
        "learner_count": sum(member.is_learner is True for member in members),
        "other_peers": tuple(other_peers),
        "incomplete": tuple(_missing(members, other_peers, mixed)),
    }
    if mixed is None:
        # The connections to members that were not observed are not counted.
        fields |= _load(members, other_peers, clients, None if other_peers else sockets)
        if fields["requests_per_second"] is not None:
            fields["requests_over"] = "lifetime" if second is None else "interval"
    observation = Observation(**fields)
    if mixed is None and observation.is_known:
        profile = profile_of(observation)
        observation = observation.model_copy(
            update={"profile": profile, "members": modelled_members(observation, profile, own)}
        )
    added: dict[str, Any] = {"notices": observed_notices(observation, duplicates=duplicates, mixed=mixed)}
    if mixed is None and not api_servers and not not_asked(members, other_peers):
        added["failures_left"] = _failures_left(observation)
    return observation.model_copy(update=added)


def _load(
    members: Sequence[MemberLoad], other_peers: Sequence[str], clients: float | None, sockets: int | None
) -> dict[str, Any]:
    """Return the figures of a cluster from those of its members."""
    rates = [member.requests_per_second for member in members if member.requests_per_second is not None]
    watches, leases = (_sum(getattr(m, name) for m in members) for name in ("watch_streams", "lease_streams"))
    fields: dict[str, Any] = {
        "clients": _clients(clients, sockets, watches, leases),
        "requests_per_second": total(rates) if rates else None,
        "requests_bound": _requests_bound(members, is_part=bool(other_peers)) if rates else None,
        "calls_per_second": {
            name: total(member.calls_per_second.get(name, 0) for member in members)
            for name in sorted({name for member in members for name in member.calls_per_second})
        },
        "watch_streams": watches,
        "lease_streams": leases,
        **{name: _sum(getattr(member, name) for member in members) for name in _SUMMED},
    }
    for name in _LARGEST:
        fields[name] = max((value for m in members if (value := getattr(m, name)) is not None), default=None)
    if fields["data_bytes"] is not None:
        leaderless = all(member.has_leader is False for member in members if member.data_bytes is not None)
        fields["data_bound"] = "lower" if leaderless else "exact"
    elif fields["total_bytes"] is not None:
        fields["data_bytes"], fields["data_bound"] = fields["total_bytes"], "upper"
    compacted = [member.compacted for member in members if member.compacted is not None]
    fields["compacted"] = any(compacted) if compacted else None
    longest = max(members, key=lambda member: member.puts_since_start or 0)
    fields["average_put_bytes"] = longest.average_put_bytes
    first = first_full(members)
    if first is not None:
        fields |= {name: getattr(first, name) for name in ("quota_hours_left", "quota_hours_bound")}
    # The member with the smallest quota is the first to reject writes.
    fields["quota_bytes"] = min((m.quota_bytes for m in members if m.quota_bytes), default=None)
    return fields


_LARGEST = (
    *("data_bytes", "total_bytes", "wal_fsync_p99_seconds", "backend_commit_p99_seconds", "peer_rtt_p99_seconds"),
    *("leader_changes", "resident_bytes", "keys", "history_revisions", "writes_per_second"),
)
_SUMMED = ("watchers", "slow_watchers", "pending_proposals", "failed_proposals")


def _requests_bound(members: Sequence[MemberLoad], *, is_part: bool) -> Certainty:
    """Return whether the requests of all members are exact or a bound; `is_part` if there are other members."""
    bounds = {member.requests_bound for member in members}
    may_be_more = is_part or None in bounds or any(member.restarted for member in members)
    if not bounds.isdisjoint({"upper", "estimate"}):
        # Messages that keep leases alive are only among the calls of the leader, for all members.
        return "estimate" if may_be_more or "upper" not in bounds else "upper"
    return "lower" if may_be_more else "exact"


def _failures_left(observation: Observation) -> int | None:
    """Return how many more of a cluster's voters may fail, or None if none answers.

    Whoever does not answer is taken for a voter that failed. If it is a learner, more may fail.
    """
    voters = [member for member in observation.members if member.is_learner is not True]
    if not any(member.answered for member in voters):
        return None
    return max(observation.serving_voters - quorum(len(voters)), 0)


def _missing(members: Sequence[MemberLoad], other_peers: Sequence[str], mixed: str | None) -> Iterator[str]:
    """Yield the reasons why the members are not one whole cluster."""
    if mixed is not None:
        yield f"the endpoints are not one cluster, so nothing is summed: {mixed}; observe each cluster by itself"
    for member in members:
        if member.problem is not None:
            yield f"{member.endpoint}: {member.problem}"
    if not_asked(members, other_peers):
        yield f"the members know others that were not observed: {', '.join(other_peers)}; name all members"
    leaderless = [member.endpoint for member in members if member.has_leader is False]
    if leaderless:
        yield f"{', '.join(leaderless)}: no leader"


def statuses_of(status: Iterable[MemberStatus]) -> list[MemberStatus]:
    """Return the elements of an iterable, each of which has to be the status of a member."""
    statuses = list_of("status", status)
    for one in statuses:
        if not isinstance(one, MemberStatus):
            raise OptionError(f"status: got {shown(one)}, expected a MemberStatus", option="status", value=one)
    return statuses


def _intervals(
    first: Mapping[str, Any], second: Mapping[str, Any] | None, seconds: float | Mapping[str, float] | None
) -> dict[str, float]:
    """Return the time between the scrapes of each endpoint. [s]"""
    _check_scrapes("first", first)
    if second is None:
        return {}
    _check_scrapes("second", second)
    if set(second) != set(first):
        raise OptionError("second: got other endpoints than first, expected the same ones", option="second")
    if seconds is None:
        return {}
    intervals = {}
    for endpoint in first:
        value = seconds.get(endpoint) if isinstance(seconds, Mapping) else seconds
        intervals[endpoint] = seconds_between("seconds", value, f" for {shown(endpoint)}")
    return intervals


def seconds_between(option: str, value: object, whose: str = "") -> int | float:
    """Return the time between two scrapes of a member, and reject what is none. [s]"""
    number = plain_number(value)
    if number is not None and _SHORTEST_SECONDS <= number <= _LONGEST_SECONDS:
        return number
    raise OptionError(
        f"{option}: got {shown(value)}{whose}, expected the time between the two scrapes, from 0.000001 to "
        f"{_LONGEST_SECONDS} seconds",
        option=option,
        value=value,
    )


def _check_scrapes(option: str, scrapes: object) -> None:
    if not isinstance(scrapes, Mapping):
        raise OptionError(
            f"{option}: got {shown(scrapes)} of type {type(scrapes).__name__}, expected a mapping of scrapes",
            option=option,
            value=scrapes,
        )
    for endpoint, scrape in scrapes.items():
        if not isinstance(endpoint, str) or not isinstance(scrape, (Scrape, str)):
            raise OptionError(
                f"{option}: got {shown(scrape)} for {shown(endpoint)}, expected a Scrape or the reason for none",
                option=option,
                value=scrape,
            )


Pair = tuple[Scrape | str, Scrape | str | None]


def _without_duplicates(pairs: Mapping[str, Pair]) -> tuple[dict[str, Pair], list[tuple[str, str]]]:
    """Return each member once, and the endpoints that are left out, each with the one that is kept.

    The same endpoint is kept in whatever order they come: the one with the most scrapes, then the first by name.
    """
    by_scrapes = sorted(pairs, key=lambda endpoint: (-sum(isinstance(s, Scrape) for s in pairs[endpoint]), endpoint))
    kept: dict[object, list[str]] = {}
    duplicates = []
    for endpoint in by_scrapes:
        last = next((scrape for scrape in reversed(pairs[endpoint]) if isinstance(scrape, Scrape)), None)
        # A member is known by its ID, or else by its start: no two processes start in the same hundredth of a second.
        identity = None if last is None else last.member_id or last.started_unix_seconds
        if identity is None:
            continue
        others = kept.setdefault(identity, [])
        same = next((other for other in others if _may_be_one_process(pairs[endpoint], pairs[other])), None)
        if same is None:
            others.append(endpoint)
        else:
            duplicates.append((endpoint, same))
    dropped = {endpoint for endpoint, _ in duplicates}
    return {endpoint: pair for endpoint, pair in pairs.items() if endpoint not in dropped}, sorted(duplicates)


def _may_be_one_process(one: Pair, other: Pair) -> bool:
    """Return whether two endpoints with one ID may be one process: members that were made alike share an ID."""
    starts, others = (
        [scrape.started_unix_seconds for scrape in pair if isinstance(scrape, Scrape)] for pair in (one, other)
    )
    return any(
        start is None or again is None or abs(start - again) <= START_TOLERANCE_SECONDS
        for start in starts
        for again in others
    )


def _is_api_server(before: Scrape | str, after: Scrape | str | None) -> bool:
    return any(isinstance(one, Scrape) and one.reported_by == "api-server" for one in (before, after))


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _clients(given: float | None, sockets: int | None, watches: float | None, leases: float | None) -> ClientCount:
    """Return the number of clients by the most trustworthy count that there is."""
    if given is not None:
        return ClientCount(count=given, counted_by="given", bound="exact")
    if sockets is not None:
        return ClientCount(count=sockets, counted_by="sockets", bound="upper")
    # One client may hold watches and leases, even at different members: never add them.
    streams = max(watches or 0, leases or 0)
    if streams:
        return ClientCount(count=streams, counted_by="streams", bound="estimate")
    return ClientCount()
