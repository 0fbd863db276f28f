"""What to beware of in an observation: a member that is missing, a slow disk, a full quota, and the like.

Stable codes, as in `notices`. This module imports the models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from etcdsize.base.notice import Notice
from etcdsize.base.text import one_line
from etcdsize.errors import OptionError
from etcdsize.etcd.notices import version_notices
from etcdsize.etcd.versions import load_versions
from etcdsize.units import format_bytes, format_number, format_percent

if TYPE_CHECKING:
    from etcdsize.observation.model import MemberLoad, Observation

__all__ = ["observed_notices"]

_OURS = "our choice"
_FAQ = "etcd-io/website content/en/docs/v3.5/faq.md"
_MIXIN = "etcd-io/etcd contrib/mixin/alerts/alerts.libsonnet"
_METRICS = "etcd-io/website content/en/docs/v3.5/metrics/latest"

_MIB = 1024**2
# The mixin warns at 95 % of the quota; there is little left to do then (our choice).
_SHARE = 0.8
# What the same data takes differs a little from member to member (our choice).
_APART, _APART_BYTES = 0.2, 16 * _MIB


def observed_notices(
    observation: Observation,
    *,
    twice: Sequence[tuple[str, str]] = (),
    strangers: Sequence[str] = (),
    clusters: Sequence[str] = (),
) -> tuple[Notice, ...]:
    """Return what is to be said of an observation.

    Parameters
    ----------
    observation : Observation
        What was observed, without notices.
    twice : sequence of pairs
        Endpoints that are a member which another endpoint gave already, and that endpoint.
    strangers : sequence of str
        Ids of members that those asked are connected to.
    clusters : sequence of str
        Ids of the clusters that endpoint status names.
    """
    members = observation.members
    return (
        *_of_members(members, strangers, twice),
        *_of_figures(observation),
        *_of_leaders(observation),
        *_of_data(members),
        *_of_waits(members),
        *_of_disagreement(members, clusters),
        *_of_versions(members),
    )


def _of_members(
    members: Sequence[MemberLoad], strangers: Sequence[str], twice: Sequence[tuple[str, str]]
) -> Iterator[Notice]:
    for member in members:
        if member.problem is not None:
            yield Notice(
                code="member-unknown",
                severity="warning",
                text=f"{member.endpoint}: {one_line(member.problem)}. Its requests are not counted, so the load is a "
                "lower bound.",
                source=_OURS,
            )
        if member.restarted:
            yield Notice(
                code="member-restarted",
                severity="warning",
                text=f"{member.endpoint}: started again while it was observed, or its clock was set. What it did "
                "before that is lost, so the load is a lower bound.",
                source=_OURS,
            )
        for error in member.errors:
            yield Notice(
                code="member-error",
                severity="warning",
                text=f"{member.endpoint}: says of itself: {one_line(error)}.",
                source="etcdctl endpoint status",
            )
    # Those that did not answer may be some of them.
    unasked = len(strangers) - sum(member.member_id is None for member in members)
    if unasked > 0:
        yield Notice(
            code="member-not-asked",
            severity="warning",
            text=f"The members are connected to {len(strangers)} more, not asked: {', '.join(strangers)}. "
            "Each counts its own requests, so the load is a lower bound: ask all of them.",
            source=_METRICS,
        )
    for endpoint, other in twice:
        yield Notice(
            code="same-member-twice",
            severity="info",
            text=f"{endpoint} is the same member as {other}; it is counted once.",
            source=_METRICS,
        )


def _of_figures(observation: Observation) -> Iterator[Notice]:
    if observation.requests_over == "lifetime":
        yield Notice(
            code="lifetime-average",
            severity="warning",
            text="Requests are the average since each member started, which hides every peak: observe twice, when the "
            "cluster is busiest.",
            source=_OURS,
        )
    elif observation.requests_over == "interval" and observation.interval_seconds is not None:
        seconds = round(observation.interval_seconds, 1)
        yield Notice(
            code="short-observation",
            severity="info",
            text=f"Requests are those of {format_number(seconds)} second{'' if seconds == 1 else 's'}: observe when "
            "the cluster is busiest, or leave headroom.",
            source=_OURS,
        )
    count = observation.clients.count
    if observation.clients.rung == "streams" and count is not None:
        yield Notice(
            code="clients-estimated",
            severity="warning",
            text=f"Clients are the open streams, {format_number(count)}: an estimate. A client without a watch or a "
            "lease is not in it, and one with several is in it several times: give the number where you know it.",
            source=_METRICS,
        )
    if observation.clients.rung == "sockets":
        yield Notice(
            code="clients-at-most",
            severity="info",
            text="Clients are the connections to the members' ports: an upper bound, as one client may hold several, "
            "and monitoring holds some.",
            source=_OURS,
        )
    if observation.clients.rung == "unknown":
        yield Notice(
            code="clients-unknown",
            severity="warning",
            text="etcd counts no clients, and no stream is open to tell: give the number where you know it.",
            source=_METRICS,
        )


def _of_leaders(observation: Observation) -> Iterator[Notice]:
    without = [member.endpoint for member in observation.members if member.has_leader is False]
    if without:
        yield Notice(
            code="no-leader",
            severity="warning",
            text=f"{', '.join(without)}: {'knows' if len(without) == 1 else 'know'} no leader, so nothing is written "
            "there.",
            source=_MIXIN,
        )
    changes = observation.leader_changes
    if observation.interval_seconds is not None and changes and not any(m.restarted for m in observation.members):
        yield Notice(
            code="leader-changed",
            severity="warning",
            text=f"The leader changed {format_number(changes)} time{'' if changes == 1 else 's'} while the cluster was "
            "observed: look at disk and network.",
            source=_MIXIN,
        )


def _of_data(members: Sequence[MemberLoad]) -> Iterator[Notice]:
    shares = [(m.total_bytes / m.quota_bytes, m) for m in members if m.total_bytes is not None and m.quota_bytes]
    if shares:
        share, member = max(shares, key=lambda pair: pair[0])
        if share > _SHARE:
            yield Notice(
                code="quota-nearly-full",
                severity="warning",
                text=f"{member.endpoint}: the file takes {format_percent(share)} of the quota of "
                f"{format_bytes(member.quota_bytes or 0)}; where it is full, etcd takes no more writes.",
                source=_MIXIN,
            )
    loose = [
        member.endpoint
        for member in members
        if member.total_bytes is not None
        and member.data_bytes is not None
        and member.total_bytes > 100 * _MIB
        and member.data_bytes < member.total_bytes / 2
    ]
    if loose:
        yield Notice(
            code="defragment",
            severity="warning",
            text=f"{', '.join(loose)}: less than half of the file is in use: defragment one member at a time, the "
            "leader last.",
            source=_MIXIN,
        )


def _of_waits(members: Sequence[MemberLoad]) -> Iterator[Notice]:
    for wait in _WAITS:
        for member in members:
            seconds = getattr(member, f"{wait.kind}_p99_seconds")
            if seconds is None or seconds < wait.bar_seconds:
                continue
            when = ", since it started" if wait.kind in member.since_start else ""
            yield Notice(
                code=wait.code,
                severity="warning",
                text=f"{member.endpoint}: {wait.says[0]} {milliseconds(seconds)} to {wait.says[1]} (p99{when}), "
                f"expected below {milliseconds(wait.bar_seconds)}: {wait.says[2]}.",
                source=wait.source,
            )


class _Wait(NamedTuple):
    """What a member waits for: the bar for its p99, and how that is said."""

    code: str
    kind: str
    bar_seconds: float
    says: tuple[str, str, str]
    source: str


# The FAQ's bars for the first two; the mixin warns of round trips above the third.
_WAITS = (
    _Wait(
        code="slow-wal-fsync",
        kind="wal_fsync",
        bar_seconds=0.010,
        says=("the log takes", "reach the disk", "a slow disk"),
        source=_FAQ,
    ),
    _Wait(
        code="slow-backend-commit",
        kind="backend_commit",
        bar_seconds=0.025,
        says=("the database takes", "reach the disk", "a slow disk"),
        source=_FAQ,
    ),
    _Wait(
        code="slow-network",
        kind="peer_rtt",
        bar_seconds=0.150,
        says=("a message takes", "reach another member and come back", "a slow network"),
        source=_MIXIN,
    ),
)


def milliseconds(seconds: float) -> str:
    """Return a duration in milliseconds, with three digits.

    >>> milliseconds(0.00198), milliseconds(0.025), milliseconds(8.192)
    ('1.98 ms', '25 ms', '8190 ms')
    """
    return f"{format_number(float(f'{seconds * 1000:.3g}'))} ms"


def _of_disagreement(members: Sequence[MemberLoad], clusters: Sequence[str]) -> Iterator[Notice]:
    said = []
    versions = sorted({member.version for member in members if member.version is not None})
    if len(versions) > 1:
        said.append(f"versions {' and '.join(versions)}")
    quotas = sorted({member.quota_bytes for member in members if member.quota_bytes})
    if len(quotas) > 1:
        said.append(f"quotas of {' and '.join(format_bytes(quota) for quota in quotas)}")
    data = [member.data_bytes for member in members if member.data_bytes is not None]
    if data and max(data) - min(data) > max(_APART * max(data), _APART_BYTES):
        said.append(f"from {format_bytes(min(data))} to {format_bytes(max(data))} of data in use")
    if len(clusters) > 1:
        said.append(f"the clusters {' and '.join(clusters)}")
    elif _are_strangers(members):
        said.append("no connections to one another, as if they were of several clusters")
    if said:
        yield Notice(
            code="members-disagree",
            severity="warning",
            text=f"The members disagree: {'; '.join(said)}.",
            source=_OURS,
        )


def _are_strangers(members: Sequence[MemberLoad]) -> bool:
    """Return whether a member that has connections has none to the others that were asked."""
    known = {member.member_id for member in members if member.member_id is not None}
    alone = [m for m in members if m.member_id in known and not known & set(m.peers) and m.has_leader]
    return len(known) > 1 and bool(alone)


def _of_versions(members: Sequence[MemberLoad]) -> Iterator[Notice]:
    for text in sorted({member.version for member in members if member.version is not None}):
        try:
            version = load_versions().version(text)
        except OptionError:
            known = ", ".join(one.name for one in load_versions().versions)
            yield Notice(
                code="etcd-unknown-version",
                severity="warning",
                text=f"etcd {one_line(text)} is none of those that we know, {known}: its metrics may mean something "
                "else.",
                source=_OURS,
            )
            continue
        yield from (notice for notice in version_notices(version) if notice.code != "etcd-not-run")
        if version.ran is None:
            yield Notice(
                code="etcd-not-run",
                severity="info",
                text=f"etcd {version.name}: what its metrics mean is from source, not run.",
                source=_OURS,
            )
