"""The rules for the members of a plan: names, URLs, ports, zones and schemes that work together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from etcdsize.base.text import shown
from etcdsize.errors import PlanError
from etcdsize.etcd.urls import parse_url
from etcdsize.plan.members import Member, collide, hosts_of
from etcdsize.plan.tls import Tls

__all__ = ["check_members"]


def check_members(members: Sequence[Member], tls: Tls | None) -> None:
    """Reject members that etcd would reject together, or whose URLs, ports or zones contradict each other."""
    if not members:
        raise PlanError("members: got none, expected at least one", field="members")
    _check_names(members)
    _check_urls_are_unique(members)
    hosts = [hosts_of(member) for member in members]
    for index, member in enumerate(members):
        for before, other in enumerate(members[:index]):
            if hosts[index] & hosts[before]:
                _check_ports(member, other)
    _check_zones(members)
    for member in members:
        _check_schemes(member, "peer", tls is not None and tls.peer is not None)
        _check_schemes(member, "client", tls is not None and tls.client is not None)


def _check_names(members: Sequence[Member]) -> None:
    for name, count in Counter(member.name for member in members).items():
        if count > 1:
            raise PlanError(
                f"members: got the name {shown(name)} {count} times, expected unique names: etcd treats members of "
                "one name as one member",
                member=name,
                field="name",
                value=name,
            )


def _check_urls_are_unique(members: Sequence[Member]) -> None:
    for field in ("peer_urls", "client_urls"):
        owner: dict[str, str] = {}
        for member in members:
            for url in getattr(member, field):
                if owner.setdefault(url, member.name) != member.name:
                    raise _rejected(
                        member,
                        field,
                        url,
                        f"got {shown(url)}, which {shown(owner[url])} already uses; give each member its own URL",
                    )


def _check_ports(member: Member, other: Member) -> None:
    """Reject two members on one host that listen on the same port."""
    for field in ("listen_peer_urls", "listen_client_urls"):
        for text in getattr(member, field):
            for theirs in other.listen_peer_urls + other.listen_client_urls:
                if collide(parse_url(text), parse_url(theirs)):
                    raise _rejected(
                        member,
                        field,
                        text,
                        f"got {shown(text)}, but {shown(other.name)} on the same host listens on {shown(theirs)}; "
                        "give each member its own port",
                    )


def _check_zones(members: Sequence[Member]) -> None:
    without = [member for member in members if member.zone is None]
    if without and len(without) < len(members):
        raise _rejected(
            without[0], "zone", None, "missing, but other members have one; set it for all members or for none"
        )


def _check_schemes(member: Member, side: str, has_certificates: bool) -> None:
    """Reject http where there are certificates, and https where there are none."""
    scheme = "https" if has_certificates else "http"
    for field in (f"{side}_urls", f"listen_{side}_urls"):
        for text in getattr(member, field):
            if parse_url(text).scheme != scheme:
                remedy = (
                    f"tls has {side} certificates, so every {side} URL must be https"
                    if has_certificates
                    else f"there are no {side} certificates; add them with tls=, or use http for every member"
                )
                raise _rejected(member, field, text, f"got {shown(text)}, expected {scheme}://: {remedy}")


def _rejected(member: Member, field: str, value: object, reason: str) -> PlanError:
    return PlanError(f"member {shown(member.name)}: {field}: {reason}", member=member.name, field=field, value=value)
