"""The rules for flags that depend on the members: more URLs to listen on, and the folder of the log.

All members share them, so on one machine they collide: etcd ends when it listens, or when it locks the folder.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from etcdsize.base.text import shown
from etcdsize.errors import PlanError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.urls import parse_url
from etcdsize.plan.flag_values import LISTENERS, urls_of
from etcdsize.plan.members import Member, collide, hosts_of
from etcdsize.plan.tls import Tls

__all__ = ["check_listeners", "check_log_folder"]


def check_listeners(members: Sequence[Member], tls: Tls | None, flags: Mapping[str, Value]) -> None:
    """Reject a URL that is taken or that only one of several machines has, and a log that several members write."""
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
    for name, urls in found.items() if len(members) > 1 else ():
        for text in urls:
            url = parse_url(text)
            if not (url.is_wildcard or url.is_loopback):
                raise _rejected(
                    name,
                    text,
                    "an address that every machine has, because all members have the flag: write "
                    f"{url.scheme}://0.0.0.0:{url.port} to listen on every address of each",
                )


def check_log_folder(data_dirs: Mapping[str, str], flags: Mapping[str, Value]) -> None:
    """Reject a folder for the log that holds a member's data, or lies in its database's: etcd empties it at first.

    `data_dirs` has the data folder of each member, by the member's name. Run on 3.4.23, 3.6.16 and 3.7.3: etcd deletes
    the database that it has just made, and most often ends.
    """
    if not flags.get("wal-dir"):
        return
    log = str(flags["wal-dir"])
    for name, folder in data_dirs.items():
        database = f"{folder}/member/snap"
        if _is_within(database, log) or _is_within(log, database):
            raise _rejected(
                "wal-dir",
                flags["wal-dir"],
                "a folder of its own: at its first start etcd deletes everything in it, here the data of "
                f"{shown(name)}",
            )


def _is_within(path: str, folder: str) -> bool:
    """Return whether a path is a folder or lies in it, as far as the paths tell. The root holds relative paths too."""
    inner, outer = _normal(path), _normal(folder)
    if outer == "/" or (outer == "." and not inner.startswith("/")):
        return True
    return f"{inner}/".startswith(f"{outer}/")


def _normal(path: str) -> str:
    # POSIX lets two slashes at the start mean something else, and so normpath keeps them. Linux reads them as one.
    return posixpath.normpath(path.replace("//", "/", 1) if path.startswith("//") else path)


def _rejected(name: str, value: object, expected: str) -> PlanError:
    return PlanError(f"--{name}: got {shown(value)}, expected {expected}", field=name, value=value)
