"""The URLs of members, as etcd and as etcdctl accept them.

`parse_url` accepts what etcd accepts in a plan. etcd compares URLs as text, so a URL is never rewritten: etcd would
reject an added slash. `endpoints_of` accepts what etcdctl accepts as endpoints: several URLs joined by commas, with or
without a scheme and a slash at the end.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple, cast

from etcdsize.base.checks import list_of
from etcdsize.base.text import shown
from etcdsize.errors import EtcdSizeError, OptionError

__all__ = ["Url", "UrlError", "endpoints_of", "parse_url", "reject_user"]

_URL = re.compile(
    r"(?:(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://)?(?P<address>[^/?#]*)(?P<rest>.*)",
    re.S,
)
_ADDRESS = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?", re.S)
# RFC 1123, and the underscore that container networks use.
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_LARGEST_PORT = 65_535
_EXPECTED_URL = "the scheme http or https, a host and a port, such as http://10.0.0.1:2380"
_EXPECTED_ENDPOINT = "expected a member's client URL such as http://10.0.0.1:2379"
_USER = "got a user or a password (text with @, not shown), expected none: what is in a URL is printed"
_AFTER_THE_PORT = {"/": "a path", "?": "a query", "#": "a fragment"}


class UrlError(EtcdSizeError):
    """The text is not a URL that a member can have. The caller adds whose URL it is."""


class Url(NamedTuple):
    """A member's URL: its scheme, host and port."""

    scheme: str
    host: str
    port: int

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The host as an IP address, None if it is a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def is_loopback(self) -> bool:
        return self.host.lower() == "localhost" or (self.address is not None and self.address.is_loopback)

    @property
    def is_wildcard(self) -> bool:
        return self.address is not None and self.address.is_unspecified

    @property
    def can_be_bound(self) -> bool:
        """Whether etcd can listen on it: it is an IP address, or localhost."""
        return self.address is not None or self.host == "localhost"


class _Parts(NamedTuple):
    """The parts of a URL before they are checked. A missing part is None."""

    scheme: str | None
    address: str
    host: str | None
    port: str | None
    rest: str


def _split(text: str) -> _Parts:
    """Split a URL. The host is None if it cannot be told from the port, as in an IPv6 address without brackets."""
    url = cast("re.Match[str]", _URL.fullmatch(text))  # The pattern matches every text.
    address = _ADDRESS.fullmatch(url["address"])
    host, port = (None, None) if address is None else (address["host"], address["port"])
    return _Parts(url["scheme"], url["address"], host, port, url["rest"])


def reject_user(text: str) -> None:
    """Reject text that may hold a user and a password, without showing it.

    Call it before any other check and before text is split: a password may have commas, spaces and slashes.
    """
    if "@" in text:
        raise UrlError(_USER)


@functools.lru_cache(maxsize=4096)
def parse_url(text: str) -> Url:
    """Return the parts of a URL that etcd accepts for a member.

    Raises
    ------
    UrlError
        For any other text, with what to write instead where that is clear.
    """
    reject_user(text)
    if text != text.strip() or any(character.isspace() for character in text):
        raise _rejected(text, "without any space", "".join(text.split()))
    if not text.isascii() or not text.isprintable():
        raise _rejected(text, "printable ASCII; write a host of another script in its xn-- form")
    if "," in text:
        raise _rejected(text, "one URL; give several as a list")
    scheme, address, host, port, rest = _split(text)
    if scheme is None:
        raise _rejected(text, _EXPECTED_URL, None if port is None else f"http://{text}")
    if scheme not in ("http", "https"):
        lower = scheme.lower()
        hint = f"{lower}{text[len(scheme) :]}" if lower in ("http", "https") else None
        raise _rejected(text, "http:// or https://", hint)
    if rest:
        found = "a slash at the end" if rest == "/" else _AFTER_THE_PORT[rest[0]]
        raise _rejected(text, f"no more than scheme, host and port, so not {found}", f"{scheme}://{address}")
    if host in (None, "", "[]"):
        before, _, last = address.rpartition(":")
        bare_ipv6 = _port_of(last) is not None and _is_ipv6(before)
        raise _rejected(text, _EXPECTED_URL, f"{scheme}://[{before}]:{last}" if bare_ipv6 else None)
    if port is None:
        raise _rejected(text, "a port as well", f"{text}:2379 for clients, {text}:2380 for members")
    number = _port_of(port)
    if number is None or port.startswith("0"):
        raise _rejected(text, f"a port from 1 to {_LARGEST_PORT}")
    if host.startswith("["):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise _rejected(text, "an IPv6 address in brackets, without a zone")
    elif not _is_ipv4(host):
        if not _is_host_name(host):
            raise _rejected(text, "an IP address or a host name of letters, digits, hyphens and dots")
        if host.removesuffix(".").rpartition(".")[2].isdigit():
            raise _rejected(text, "an IPv4 address of four numbers from 0 to 255, without leading zeros")
    return Url(scheme, host, number)


def endpoints_of(texts: str | Iterable[str], *, secure: bool = False) -> tuple[str, ...]:
    """Return the URLs of members without duplicates, each as scheme, host and port.

    Parameters
    ----------
    texts : str or iterable of str
        URLs, as etcdctl accepts them: several may be joined by commas. A URL without a scheme gets `http://`, or with
        `secure` `https://`.
    secure : bool
        Whether the connections use certificates.

    Raises
    ------
    OptionError
        If there is no URL, and for one that no member can have.

    Examples
    --------
    >>> endpoints_of(["10.0.0.1:2379", "https://infra1.example:2379/"])
    ('http://10.0.0.1:2379', 'https://infra1.example:2379')
    """
    listed = [texts] if isinstance(texts, (str, bytes)) else list_of("endpoints", texts)
    for text in listed:
        if not isinstance(text, str):
            # It may hold a password: only its type is shown.
            raise OptionError(
                f"endpoints: got a value of type {type(text).__name__}, {_EXPECTED_ENDPOINT}", option="endpoints"
            )
        if "@" in text:
            raise OptionError(f"endpoints: {_USER}", option="endpoints")
    found = tuple(dict.fromkeys(_endpoint(one, secure) for text in listed for one in text.split(",")))
    if not found:
        raise OptionError(f"endpoints: got none, {_EXPECTED_ENDPOINT}", option="endpoints")
    plain = [url for url in found if url.startswith("http://")]
    if secure and plain:
        raise _rejected_endpoint(
            plain[0], "expected https://, as certificates are given; without them nothing is encrypted"
        )
    return found


def _endpoint(text: str, secure: bool) -> str:
    if not text.isprintable() or " " in text or "\\" in text:
        raise _rejected_endpoint(text, _EXPECTED_ENDPOINT)
    scheme, address, host, port, rest = _split(text)
    scheme = scheme or ("https" if secure else "http")
    if scheme.lower() not in ("http", "https"):
        raise _rejected_endpoint(text, "expected http:// or https://")
    if not host or not (_is_ipv6(host[1:-1], zone=True) if host.startswith("[") else _is_host_name(host)):
        raise _rejected_endpoint(text, _EXPECTED_ENDPOINT)
    if rest not in ("", "/"):
        raise _rejected_endpoint(text, f"expected no path: {scheme}://{address}; /metrics is added")
    if port in (None, "", "0"):
        raise _rejected_endpoint(text, f"expected a port as well, such as {scheme}://{host}:2379")
    if _port_of(port) is None:
        raise _rejected_endpoint(text, _EXPECTED_ENDPOINT)
    return f"{scheme}://{address}".lower()


def _is_host_name(host: str) -> bool:
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split("."))


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _is_ipv6(host: str, zone: bool = False) -> bool:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return zone or address.scope_id is None


def _port_of(text: str) -> int | None:
    """Return a port from 1 to 65535, None for any other text."""
    if not re.fullmatch(r"[0-9]+", text) or len(text) > 20:
        return None
    return int(text) if 1 <= int(text) <= _LARGEST_PORT else None


def _rejected(text: str, expected: str, instead: str | None = None) -> UrlError:
    hint = f"; write {instead}" if instead else ""
    return UrlError(f"got {shown(text)}, expected {expected}{hint}")


def _rejected_endpoint(text: object, expected: str) -> OptionError:
    return OptionError(f"endpoints: got {shown(text)}, {expected}", option="endpoints", value=text)
