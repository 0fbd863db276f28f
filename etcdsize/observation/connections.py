"""Count the client connections to a member that runs on this machine, as the operating system lists them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import psutil

__all__ = ["count_connections"]

# A client URL and a peer URL. A process that listens on more ports may have clients on any of them.
_MAX_PORTS = 2


def count_connections(port: int, started_unix_seconds: float) -> int | None:
    """Return the number of client connections to the member that listens on a port of this machine.

    Connections from the member to itself, as its JSON gateway has one, and from this process are left out.

    Parameters
    ----------
    port : int
        The member's client port.
    started_unix_seconds : float
        The start of the member's process, as its metrics report it. The process that listens may be another one: a
        tunnel to another machine, or the proxy of a container's network. [s since 1970]

    Returns
    -------
    int or None
        None if psutil is not installed or does not support this system, if the process is not visible or is another
        one, or if it may have clients on other ports too.
    """
    try:
        import psutil
    except (ImportError, NotImplementedError):
        return None
    try:
        connections = [
            _Connection(one.pid, one.status, _end(one.laddr), _end(one.raddr)) for one in psutil.net_connections("tcp")
        ]
        listening = [one for one in connections if one.status == psutil.CONN_LISTEN and one.pid is not None]
        candidates = sorted({one.pid for one in listening if one.local[1] == port and one.pid is not None})
        member = next((pid for pid in candidates if _is_member(psutil.Process(pid), started_unix_seconds)), None)
    except (psutil.Error, OSError, RuntimeError):
        return None
    if member is None:
        return None
    bound = {one.local for one in listening if one.pid == member}
    if len({bound_port for _, bound_port in bound}) > _MAX_PORTS:
        return None
    excluded = {one.local for one in connections if one.pid in (member, os.getpid())}
    # A connection that the member has not accepted yet belongs to no process.
    return sum(
        one.status == psutil.CONN_ESTABLISHED
        and one.local[1] == port
        and (one.pid == member or (one.pid is None and not bound.isdisjoint(_listeners(*one.local))))
        and one.remote not in excluded
        for one in connections
    )


class _Connection(NamedTuple):
    pid: int | None
    status: str
    local: tuple[str, int]
    remote: tuple[str, int]


def _end(address: tuple[()] | tuple[str, int]) -> tuple[str, int]:
    """Return one end of a connection, in IPv4 if it is an IPv4 address mapped to IPv6."""
    if not address:
        return "", 0
    host, port = address
    return host.removeprefix("::ffff:") if "." in host else host, port


def _listeners(host: str, port: int) -> list[tuple[str, int]]:
    """Return the addresses to listen on that accept connections to an address."""
    return [(host, port), ("0.0.0.0", port), ("::", port)]  # noqa: S104 - compared with, not bound


def _is_member(process: psutil.Process, started_unix_seconds: float) -> bool:
    """Return whether a process is an etcd that started then."""
    if "etcd" not in process.name():
        return False
    apart = process.create_time() - started_unix_seconds
    # Linux counts a start in hundredths of a second since the boot. The second of the boot may be off by one.
    return abs(apart) < 1.1 and abs(apart - round(apart)) < 0.1
