"""From the hosts of a cluster to its members."""

from collections.abc import Iterable, Mapping
from typing import Any

from etcdsize.base.checks import list_of, whole_number
from etcdsize.base.text import shown
from etcdsize.errors import PlanError
from etcdsize.plan.members import Member
from etcdsize.plan.tls import Tls

__all__ = ["integer_of", "member_at", "name_hosts"]


def name_hosts(hosts: Iterable[str] | Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the name and the host of every member; those without a name are infra0, infra1 and so on."""
    if isinstance(hosts, Mapping):
        return list(hosts.items())
    if isinstance(hosts, str):
        raise PlanError(f"hosts: got {shown(hosts)}, expected a list of hosts such as [{shown(hosts)}]", field="hosts")
    named = []
    for index, host in enumerate(list_of("hosts", hosts)):
        if not isinstance(host, str):
            raise PlanError(f'hosts: got {shown(host)}, expected text such as "a=10.0.0.1"', field="hosts", value=host)
        name, equals, address = host.partition("=")
        named.append((name, address) if equals else (f"infra{index}", host))
    return named


def member_at(
    name: str, host: str, client_port: int, peer_port: int, tls: Tls | None, zone: str | None = None
) -> Member:
    """Return the member on a host, with the scheme that the certificates ask for."""
    if isinstance(host, str) and ":" in host and not host.startswith("["):
        host = f"[{host}]"  # An IPv6 address. Member rejects anything else in brackets.
    if tls is not None and not isinstance(tls, Tls):
        raise PlanError(f"tls: got {shown(tls)} of type {type(tls).__name__}, expected a Tls", field="tls", value=tls)
    scheme = {side: "https" if tls is not None and getattr(tls, side) else "http" for side in ("client", "peer")}
    return Member(
        name=name,
        client_urls=(f"{scheme['client']}://{host}:{client_port}",),
        peer_urls=(f"{scheme['peer']}://{host}:{peer_port}",),
        zone=zone,
    )


def integer_of(value: Any, option: str, least: int, most: int) -> int:
    """Return an integer that is within its bounds."""
    number = whole_number(value)
    if number is not None and least <= number <= most:
        return number
    raise PlanError(
        f"{option}: got {shown(value)}, expected an integer from {least} to {most}", field=option, value=value
    )
