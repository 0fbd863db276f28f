"""Find out whether the members that were observed are one cluster, and whether they are the whole of it.

No metric has the cluster's ID. But every member names the others that it knows, and so do endpoint statuses: members
that are linked so belong together. IDs are hashes of names and URLs, without the time, so members of two clusters that
were made alike may have the same ID. A cluster has one leader, so two leaders are a sign of two clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from etcdsize.observation.model import MemberLoad
from etcdsize.observation.scrape import MemberStatus

__all__ = ["Links", "several_clusters"]


class Links:
    """Names that are linked to one another, directly or through others."""

    def __init__(self) -> None:
        self._next: dict[str, str] = {}

    def first(self, name: str) -> str:
        """Return the name that stands for all that are linked with a name."""
        while (following := self._next.setdefault(name, name)) != name:
            self._next[name] = self._next[following]
            name = following
        return name

    def join(self, name: str, others: Iterable[str]) -> None:
        """Link a name with others."""
        for other in others:
            self._next[self.first(other)] = self.first(name)


def several_clusters(members: Sequence[MemberLoad], statuses: Mapping[str, MemberStatus]) -> str | None:
    """Return why the members cannot be of one cluster, or None.

    Parameters
    ----------
    members : sequence of MemberLoad
        Every member that was observed.
    statuses : mapping
        Member's ID -> its endpoint status.
    """
    links = Links()
    endpoint_of: dict[str, str] = {}
    for member in members:
        if member.member_id is None:
            continue
        other = endpoint_of.setdefault(member.member_id, member.endpoint)
        if other != member.endpoint:
            return (
                f"{other} and {member.endpoint} are two processes with the member ID {member.member_id}, as members of "
                "clusters that were made alike are"
            )
        links.join(member.member_id, member.peers)
    clusters: dict[str, list[str]] = {}
    for status in statuses.values():
        links.join(status.member_id, (f"cluster {status.cluster_id}",))
        clusters.setdefault(status.cluster_id, []).append(status.endpoint)
    if len(clusters) > 1:
        return _listed(clusters)
    clusters.clear()
    for member in members:
        if member.member_id is None:
            continue
        # A member without a leader may have lost the others. One that names no peer may not report them.
        has_peers = member.has_leader is not False and (member.peers or member.is_leader)
        if has_peers or member.member_id in statuses:
            clusters.setdefault(links.first(member.member_id), []).append(member.endpoint)
    if len(clusters) > 1:
        return _listed(clusters)
    # A member that did not answer again may have led before another did.
    leaders = [member.endpoint for member in members if member.is_leader and member.answered]
    if len(leaders) < 2:
        return None
    return (
        f"{', '.join(leaders)} lead at the same time, as members of several clusters do; if the leader changed between "
        "their scrapes, observe them again"
    )


def _listed(clusters: Mapping[str, Sequence[str]]) -> str:
    return f"they belong to {len(clusters)} clusters: {'; '.join(', '.join(one) for one in clusters.values())}"
