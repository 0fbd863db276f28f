"""The addresses of members, as etcdctl takes them: URLs, or host and port alone.

This module imports `errors` only.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from etcdsize.base.text import shown
from etcdsize.errors import OptionError

__all__ = ["endpoints_of"]

_EXPECTED = "expected a member's client URL such as http://10.0.0.1:2379"


def endpoints_of(texts: str | Iterable[str], *, secure: bool = False) -> tuple[str, ...]:
    """Return the URLs of members, each once.

    Parameters
    ----------
    texts : str or iterable of str
        URLs; several may be joined by commas, as etcdctl takes them. Without a scheme they are `http://`, or with
        `secure` `https://`.
    secure : bool
        Whether certificates are given.

    Raises
    ------
    OptionError
        For no address, and for one that no member can have.

    Examples
    --------
    >>> endpoints_of(["10.0.0.1:2379", "https://infra1.example:2379/"])
    ('http://10.0.0.1:2379', 'https://infra1.example:2379')
    """
    listed = [texts] if isinstance(texts, str) else list(texts)
    for text in listed:
        if not isinstance(text, str):
            raise _refusal(text, _EXPECTED)
    found = tuple(dict.fromkeys(_endpoint(one, secure=secure) for text in listed for one in text.split(",")))
    if not found:
        raise OptionError(f"endpoints: got none, {_EXPECTED}", option="endpoints")
    plain = [url for url in found if url.startswith("http://")]
    if secure and plain:
        raise _refusal(plain[0], "expected https://, as certificates are given; without them nothing is encrypted")
    return found


def _endpoint(text: str, *, secure: bool) -> str:
    if not text or not text.isprintable() or " " in text or "\\" in text:
        raise _refusal(text, _EXPECTED)
    scheme, there, _ = text.partition("://")
    if not there:
        return _endpoint(f"{'https' if secure else 'http'}://{text}", secure=secure)
    if scheme.lower() not in ("http", "https"):
        raise _refusal(text, "expected http:// or https://")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _refusal(text, _EXPECTED) from None
    if not host:
        raise _refusal(text, _EXPECTED)
    if parts.username is not None or parts.password is not None:
        raise OptionError(
            f"endpoints: got a user or a password for {shown(host)}, expected none: what is in a URL is printed",
            option="endpoints",
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _refusal(text, f"expected no path: {scheme}://{parts.netloc}; /metrics is added")
    if not port:
        raise _refusal(text, f"expected a port as well, such as {scheme}://{parts.netloc.rstrip(':')}:2379")
    return f"{scheme.lower()}://{parts.netloc.lower()}"


def _refusal(text: object, expected: str) -> OptionError:
    return OptionError(f"endpoints: got {shown(text)}, {expected}", option="endpoints", value=text)
