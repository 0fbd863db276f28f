"""One member of a cluster to start: its name, where it is found, and where it listens.

This module imports pydantic, never numpy.
"""

from collections import Counter
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from etcdsize.base.text import shown
from etcdsize.errors import PlanError
from etcdsize.etcd.urls import Url, UrlError, parse_url
from etcdsize.plan.tls import PlanModel, check_text

__all__ = ["Member", "check_ports", "hosts_of"]


# What a file system allows, without ".etcd".
_LONGEST_NAME = 250


def _texts(value: Any) -> Any:
    """Take one text for a list of one."""
    return (value,) if isinstance(value, str) else value


Urls = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class Member(PlanModel):
    """One etcd server: its name, where it is found, and where it listens."""

    name: Annotated[str, Field(description="Its name; no two members of a cluster share one.")]
    peer_urls: Annotated[Urls, Field(description="Where the other members find it: --initial-advertise-peer-urls.")]
    client_urls: Annotated[Urls, Field(description="Where clients find it: --advertise-client-urls.")]
    listen_peer_urls: Annotated[
        Urls,
        Field(description="Where it listens for members. Left out: peer_urls, 0.0.0.0 in place of a host's name."),
    ] = ()
    listen_client_urls: Annotated[
        Urls,
        Field(description="Where it listens for clients. Left out: client_urls, 0.0.0.0 in place of a host's name."),
    ] = ()
    zone: Annotated[str | None, Field(description="What fails as one: a zone of a provider, a rack.")] = None

    @model_validator(mode="before")
    @classmethod
    def _listen_where_advertised(cls, values: Any) -> Any:
        if isinstance(values, dict):
            values = dict(values)
            for advertised, listen in (("peer_urls", "listen_peer_urls"), ("client_urls", "listen_client_urls")):
                urls = _texts(values.get(advertised))
                if not values.get(listen) and isinstance(urls, (list, tuple)):
                    values[listen] = tuple(dict.fromkeys(map(_bindable, urls)))
        return values

    @model_validator(mode="after")
    def _check(self) -> "Member":
        _check_name(self.name)
        for field in ("peer_urls", "client_urls", "listen_peer_urls", "listen_client_urls"):
            urls = getattr(self, field)
            if not urls:
                raise self._refused(field, urls, "got none, expected at least one URL such as http://10.0.0.1:2380")
            for text in urls:
                self._check_url(field, text)
            twice = [url for url, count in Counter(urls).items() if count > 1]
            if twice:
                raise self._refused(field, twice[0], f"got {shown(twice[0])} twice, expected it once")
        bound = [(field, text) for field in ("listen_peer_urls", "listen_client_urls") for text in getattr(self, field)]
        for index, (field, text) in enumerate(bound):
            for _, other in bound[:index]:
                if collide(parse_url(text), parse_url(other)):
                    raise self._refused(
                        field, text, f"got {shown(text)} beside {shown(other)}, expected ports that do not meet"
                    )
        return self

    def _check_url(self, field: str, text: str) -> None:
        try:
            url = parse_url(text)
        except UrlError as error:
            raise self._refused(field, text, str(error)) from None
        if field.startswith("listen") and not url.can_be_bound:
            raise self._refused(
                field,
                text,
                f"got {shown(text)}, expected an IP address or localhost: etcd listens on no other host names; write "
                f"{url.scheme}://0.0.0.0:{url.port} for every address of the machine",
            )
        if not field.startswith("listen") and url.is_wildcard:
            raise self._refused(
                field,
                text,
                f"got {shown(text)}, expected an address that others can reach; listen on it with listen_{field}",
            )

    def _refused(self, field: str, value: object, reason: str) -> PlanError:
        return PlanError(f"member {shown(self.name)}: {field}: {reason}", member=self.name, field=field, value=value)


def hosts_of(member: Member) -> set[str]:
    """Return the hosts that a member is found on; this machine goes by one name."""
    urls = map(parse_url, member.peer_urls + member.client_urls)
    return {"localhost" if url.is_loopback else url.host.lower() for url in urls}


def check_ports(member: Member, other: Member) -> None:
    """Refuse two members of one machine that listen on the same."""
    for field in ("listen_peer_urls", "listen_client_urls"):
        for text in getattr(member, field):
            for theirs in other.listen_peer_urls + other.listen_client_urls:
                if collide(parse_url(text), parse_url(theirs)):
                    raise PlanError(
                        f"member {shown(member.name)}: {field}: got {shown(text)}, where {shown(other.name)} of the "
                        f"same host listens on {shown(theirs)}; expected a port of its own",
                        member=member.name,
                        field=field,
                        value=text,
                    )


def _bindable(url: Any) -> Any:
    """Return a URL to listen on for one that is advertised; what is none is refused elsewhere."""
    try:
        found = parse_url(url)
    except (UrlError, AttributeError, TypeError):
        return url
    return url if found.can_be_bound else f"{found.scheme}://0.0.0.0:{found.port}"


def collide(url: Url, other: Url) -> bool:
    """Tell whether a machine cannot listen on both."""
    return url.port == other.port and (url.host == other.host or url.is_wildcard or other.is_wildcard)


def _check_name(name: str) -> None:
    check_text(name, "name")
    if len(name.encode()) > _LONGEST_NAME:
        raise PlanError(
            f"name: got {shown(name)}, expected at most {_LONGEST_NAME} bytes: a folder's name has 255, and its "
            f"data is "
            "in NAME.etcd",
            field="name",
            value=name,
        )
    marks = [mark for mark in ",=/" if mark in name]
    if marks:
        why = "the member's data lies in a folder of its name" if marks == ["/"] else "--initial-cluster is cut there"
        raise PlanError(
            f'name: got {shown(name)}, expected a name without "{marks[0]}": {why}', field="name", value=name
        )
