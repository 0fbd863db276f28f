"""The rules for flags that all members share: more URLs to listen on, and a folder. On one machine they collide.

etcd refuses them when it listens, or when it locks the folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from etcdsize.base.text import shown
from etcdsize.errors import PlanError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.urls import parse_url
from etcdsize.plan.flag_values import LISTENERS, urls_of
from etcdsize.plan.members import Member, collide, hosts_of
from etcdsize.plan.tls import Tls

__all__ = ["check_listeners"]


def check_listeners(members: Sequence[Member], tls: Tls | None, flags: Mapping[str, Value]) -> None:
    """Reject a URL that a member or its neighbour on the machine listens on, and a log that several would write."""
    found = {name: urls_of(flags[name]) for name in LISTENERS if flags.get(name)}
    has_certificates = tls is not None and tls.client is not None
    for name, urls in found.items():
        for text in urls:
            if parse_url(text).is_tls and not has_certificates:
                raise _rejected(name, text, "http://: there are no client certificates; add them with tls=")
    for member in members:
        taken = [*member.listen_peer_urls, *member.listen_client_urls]
        for name, urls in found.items():
            for text in urls:
                other = next((one for one in taken if collide(parse_url(text), parse_url(one))), None)
                if other is not None:
                    raise _rejected(
                        name, text, f"a port of its own: member {shown(member.name)} listens on {shown(other)} too"
                    )
                taken.append(text)
    alone = [*found, *(["wal-dir"] if flags.get("wal-dir") else [])]
    hosts = [hosts_of(member) for member in members]
    shared = any(hosts[index] & before for index in range(len(hosts)) for before in hosts[:index])
    if alone and shared:
        raise _rejected(
            alone[0], flags[alone[0]], "one member on each host: all members have the flag, and two on one host collide"
        )


def _rejected(name: str, value: object, expected: str) -> PlanError:
    return PlanError(f"--{name}: got {shown(value)}, expected {expected}", field=name, value=value)
