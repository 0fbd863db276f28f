"""The connections to a member that runs on this machine: counted in Linux' /proc, without asking anybody.

This module imports the standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["count_sockets"]

_PROC = Path("/proc")
_ESTABLISHED, _LISTEN = "01", "0A"
# A client URL and a peer URL: where a process listens on more, clients may be on another one.
_PORTS = 2


class _Socket(NamedTuple):
    local: str
    remote: str
    state: str
    inode: str

    @property
    def port(self) -> int:
        return int(self.local.rpartition(":")[2], 16)


def count_sockets(port: int, started_unix_seconds: float) -> int | None:
    """Return the connections of clients to the member that listens on a port of this machine.

    Connections of the member to itself, which its JSON gateway has, and those of this process are left out.

    Parameters
    ----------
    port : int
        The member's client port.
    started_unix_seconds : float
        When the member's process started, as its metrics say: what listens may be a tunnel to another machine, or the
        end of a container's network. [s since 1970]

    Returns
    -------
    int or None
        None where the process cannot be seen, is another one, or may have clients on other ports as well.
    """
    try:
        sockets = list(_sockets())
        listening = {one.inode for one in sockets if one.state == _LISTEN and one.port == port}
        found = _owner(listening)
        if found is None:
            return None
        pid, own = found
        if not _is_it(pid, started_unix_seconds):
            return None
        if len({one.port for one in sockets if one.state == _LISTEN and one.inode in own}) > _PORTS:
            return None
        ours = own | _inodes(_PROC / "self")
    except OSError:
        return None
    ends = {one.local for one in sockets if one.inode in ours}
    # One that was not accepted yet has no inode.
    return sum(
        one.state == _ESTABLISHED and one.port == port and one.inode in own | {"0"} and one.remote not in ends
        for one in sockets
    )


def _sockets() -> Iterator[_Socket]:
    for name in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / name).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            words = line.split()
            yield _Socket(_plain(words[1]), _plain(words[2]), words[3], words[9])


def _plain(address: str) -> str:
    """Return an address as it is in IPv4, where it is one of those in IPv6."""
    host, _, port = address.partition(":")
    return f"{host[24:] if host.startswith('0000000000000000FFFF0000') else host}:{port}"


def _inodes(process: Path) -> set[str]:
    found = set()
    for entry in (process / "fd").iterdir():
        try:
            link = str(entry.readlink())
        except FileNotFoundError:
            continue
        if link.startswith("socket:["):
            found.add(link[8:-1])
    return found


def _owner(inodes: set[str]) -> tuple[Path, set[str]] | None:
    """Return the process that has one of these sockets open, and all its sockets; None where it cannot be seen."""
    for process in _PROC.iterdir():
        if not process.name.isdigit():
            continue
        try:
            own = _inodes(process)
        except OSError:
            continue  # another user's, or gone
        if own & inodes:
            return process, own
    return None


def _is_it(process: Path, started_unix_seconds: float) -> bool:
    """Return whether a process is an etcd that started then; Linux tells starts in hundredths of a second."""
    if "etcd" not in (process / "comm").read_text():
        return False
    words = (process / "stat").read_text().rpartition(")")[2].split()
    boot = next(line for line in (_PROC / "stat").read_text().splitlines() if line.startswith("btime"))
    started = int(boot.split()[1]) + int(words[19]) / os.sysconf("SC_CLK_TCK")
    apart = started - started_unix_seconds
    # The second of the boot is worked out anew each time, and may be one off.
    return abs(apart) < 1.1 and abs(apart - round(apart)) < 0.1
