"""One member of a plan: its name, the URLs it advertises, and the URLs it listens on."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from etcdsize.base.text import shown
from etcdsize.errors import PlanError
from etcdsize.etcd.urls import Url, UrlError, parse_url
from etcdsize.plan.tls import PlanModel, check_text

__all__ = ["Member", "collide", "hosts_of"]

# What file systems allow, less ".etcd". [bytes]
_LONGEST_NAME = 250


def _texts(value: Any) -> Any:
    """Turn one text into a list of one."""
    return (value,) if isinstance(value, str) else value


Urls = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class Member(PlanModel):
    """One etcd server: its name, the URLs it advertises, and the URLs it listens on.

    Parameters
    ----------
    name : str
        Its name, unique in the cluster.
    peer_urls, client_urls : str or sequence of str
        One URL or several, such as `"http://10.0.0.1:2380"`: where other members reach it, and where clients do.
    listen_peer_urls, listen_client_urls : str or sequence of str, optional
        Where it listens, with IP addresses or localhost. By default where it is reached, with 0.0.0.0 in place of a
        host name.
    zone : str, optional
        Where members fail together, such as a provider's zone or a rack.

    Raises
    ------
    PlanError
        For a name or a URL that etcd would reject, and for URLs that share a port of the machine.

    Examples
    --------
    >>> member = Member(name="a", peer_urls="http://a.example:2380", client_urls=["http://10.0.0.1:2379"])
    >>> member.peer_urls, member.listen_peer_urls
    (('http://a.example:2380',), ('http://0.0.0.0:2380',))
    """

    name: Annotated[str, Field(description="Its name, unique in the cluster.")]
    peer_urls: Annotated[Urls, Field(description="Where other members reach it: --initial-advertise-peer-urls.")]
    client_urls: Annotated[Urls, Field(description="Where clients reach it: --advertise-client-urls.")]
    listen_peer_urls: Annotated[
        Urls,
        Field(description="Where it listens for members. Default: peer_urls, with 0.0.0.0 in place of a host name."),
    ] = ()
    listen_client_urls: Annotated[
        Urls,
        Field(description="Where it listens for clients. Default: client_urls, with 0.0.0.0 in place of a host name."),
    ] = ()
    zone: Annotated[
        str | None, Field(description="Where members fail together, such as a provider's zone or a rack.")
    ] = None

    if TYPE_CHECKING:
        # Type checkers know the fields only as they are read.
        def __init__(
            self,
            *,
            name: str,
            peer_urls: str | Sequence[str],
            client_urls: str | Sequence[str],
            listen_peer_urls: str | Sequence[str] = ...,
            listen_client_urls: str | Sequence[str] = ...,
            zone: str | None = None,
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _listen_where_advertised(cls, values: Any) -> Any:
        if isinstance(values, dict):
            values = dict(values)
            for advertised, listen in (("peer_urls", "listen_peer_urls"), ("client_urls", "listen_client_urls")):
                urls = _texts(values.get(advertised))
                # Pydantic rejects what is no text.
                is_listed = isinstance(urls, (list, tuple)) and all(isinstance(url, str) for url in urls)
                if is_listed and not values.get(listen):
                    values[listen] = tuple(dict.fromkeys(map(_bindable, urls)))
        return values

    @model_validator(mode="after")
    def _check(self) -> "Member":
        _check_name(self.name)
        if self.zone is not None:
            check_text(self.zone, "zone", member=self.name)
        for field in ("peer_urls", "client_urls", "listen_peer_urls", "listen_client_urls"):
            urls = getattr(self, field)
            if not urls:
                raise self._rejected(field, urls, "got none, expected at least one URL such as http://10.0.0.1:2380")
            for text in urls:
                self._check_url(field, text)
            repeated = [url for url, count in Counter(urls).items() if count > 1]
            if repeated:
                raise self._rejected(field, repeated[0], f"got {shown(repeated[0])} more than once; list it once")
        bound = [(field, text) for field in ("listen_peer_urls", "listen_client_urls") for text in getattr(self, field)]
        for index, (field, text) in enumerate(bound):
            for _, other in bound[:index]:
                url = parse_url(text)
                if collide(url, parse_url(other)):
                    raise self._rejected(
                        field,
                        text,
                        f"got {shown(text)}, and it listens on {shown(other)} too: both use port {url.port}; give each "
                        "URL its own port",
                    )
        return self

    def _check_url(self, field: str, text: str) -> None:
        try:
            url = parse_url(text)
        except UrlError as error:
            raise self._rejected(field, text, str(error)) from None
        if field.startswith("listen") and not url.can_be_bound:
            raise self._rejected(
                field,
                text,
                f"got {shown(text)}, expected an IP address or localhost: etcd cannot listen on other host names; "
                f"write {url.scheme}://0.0.0.0:{url.port} to listen on every address of the machine",
            )
        if not field.startswith("listen") and url.is_wildcard:
            raise self._rejected(
                field,
                text,
                f"got {shown(text)}, expected an address that others can reach; listen on it with listen_{field}",
            )

    def _rejected(self, field: str, value: object, reason: str) -> PlanError:
        if isinstance(value, str) and "@" in value:
            value = None  # It may hold a password.
        return PlanError(f"member {shown(self.name)}: {field}: {reason}", member=self.name, field=field, value=value)


def hosts_of(member: Member) -> set[str]:
    """Return the hosts that a member advertises; every loopback address counts as localhost."""
    urls = map(parse_url, member.peer_urls + member.client_urls)
    return {"localhost" if url.is_loopback else url.host.lower() for url in urls}


def _bindable(url: str) -> str:
    """Return the URL to listen on for an advertised URL. The text is returned as it is if it is not a URL."""
    try:
        found = parse_url(url)
    except UrlError:
        return url
    return url if found.can_be_bound else f"{found.scheme}://0.0.0.0:{found.port}"


def collide(url: Url, other: Url) -> bool:
    """Return whether one machine cannot listen on both."""
    return url.port == other.port and (url.host == other.host or url.is_wildcard or other.is_wildcard)


def _check_name(name: str) -> None:
    check_text(name, "name")
    if len(name.encode()) > _LONGEST_NAME:
        raise PlanError(
            f"name: got {shown(name)}, expected at most {_LONGEST_NAME} bytes: the data is in a folder NAME.etcd, and "
            "a folder's name has at most 255",
            field="name",
            value=name,
        )
    marks = [mark for mark in ",=/" if mark in name]
    if marks:
        why = "the member's data is in a folder of that name" if marks == ["/"] else "--initial-cluster is split there"
        raise PlanError(
            f'name: got {shown(name)}, expected a name without "{marks[0]}": {why}', field="name", value=name
        )
