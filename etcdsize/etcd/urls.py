"""A URL as etcd takes it for a member: scheme, host, port and nothing more.

It stays the text that came: etcd compares URLs as text, and a slash that something added would be refused.

This module imports `errors`.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import NamedTuple

from etcdsize.base.text import shown
from etcdsize.errors import EtcdSizeError

__all__ = ["Url", "UrlError", "parse_url"]

_FORM = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://(.*)", re.S)
_HOST = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(.*))?", re.S)
# RFC 1123, and the underscore that container networks use.
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_WHERE = "the scheme http or https, a host and a port, such as http://10.0.0.1:2380"


class UrlError(EtcdSizeError):
    """Text that is no URL of a member; the caller knows whose it is."""


class Url(NamedTuple):
    """The parts of a URL."""

    scheme: str
    host: str
    port: int

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The address that the host is; None for a name."""
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
        """Whether etcd listens on it: an address, or localhost."""
        return self.address is not None or self.host == "localhost"


@functools.lru_cache(maxsize=4096)
def parse_url(text: str) -> Url:
    """Return the parts of a URL, or say what is wrong with it and what to write instead."""
    if text != text.strip() or any(character.isspace() for character in text):
        raise _refused(text, "without any space", "".join(text.split()))
    if not text.isascii() or not text.isprintable():
        raise _refused(text, "printable ASCII; write a host of another script in its xn-- form")
    if "," in text:
        raise _refused(text, "one URL; give several as a list")
    form = _FORM.fullmatch(text)
    if form is None:
        raise _refused(text, _WHERE, f"http://{text}" if _HOST.fullmatch(text) and ":" in text else None)
    scheme, rest = form.groups()
    if scheme not in ("http", "https"):
        lower = scheme.lower()
        raise _refused(text, "http:// or https://", f"{lower}://{rest}" if lower in ("http", "https") else None)
    for mark, what in (("/", "a path"), ("?", "a query"), ("#", "a fragment"), ("@", "a user")):
        if mark in rest:
            bare = rest.rpartition("@")[2] if mark == "@" else rest.partition(mark)[0]
            found = "a slash at the end" if (mark, rest) == ("/", f"{bare}/") else what
            raise _refused(text, f"no more than scheme, host and port, so not {found}", f"{scheme}://{bare}")
    parts = _HOST.fullmatch(rest)
    if parts is None or not parts[1] or parts[1] == "[]":
        hint = f"{scheme}://[{rest.rpartition(':')[0]}]:{rest.rpartition(':')[2]}" if _is_bare_ipv6(rest) else None
        raise _refused(text, _WHERE, hint)
    host, port = parts.groups()
    if port is None:
        raise _refused(text, "a port as well", f"{text}:2379 for clients, {text}:2380 for members")
    if not _PORT.fullmatch(port) or int(port) > 65_535:
        raise _refused(text, "a port from 1 to 65535")
    if host.startswith("["):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise _refused(text, "an IPv6 address in brackets, without a zone")
    elif not _is_ipv4(host):
        labels = host.removesuffix(".").split(".")
        if not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253:
            raise _refused(text, "an IP address or a host name of letters, digits, hyphens and dots")
        if labels[-1].isdigit():
            raise _refused(text, "an IPv4 address of four numbers from 0 to 255, without leading zeros")
    return Url(scheme, host, int(port))


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _is_bare_ipv6(rest: str) -> bool:
    host, _, port = rest.rpartition(":")
    return bool(_PORT.fullmatch(port)) and _is_ipv6(host)


def _refused(text: str, expected: str, instead: str | None = None) -> UrlError:
    hint = f"; write {instead}" if instead else ""
    return UrlError(f"got {shown(text)}, expected {expected}{hint}")
