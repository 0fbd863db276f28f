"""One member of etcd on this machine: a process of its own with its metrics, its memory and its gRPC services."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
from aetcd.rpc import rpc_pb2
from aetcd.rpc.rpc_pb2_grpc import KVStub, LeaseStub, MaintenanceStub, WatchStub

from benchmarks.resources.certificate import write_certificate

__all__ = ["Member", "channel", "free_ports", "programs", "version_of"]

_BUILT = Path(__file__).parents[2] / "tests" / "support"


def programs() -> dict[str, str]:
    """Return the etcds to measure, by version: those that `make etcds` builds, and the first one on the path."""
    found = [str(path) for path in sorted(_BUILT.glob("etcd-?.?/bin/etcd"))]
    on_path = shutil.which("etcd")
    if on_path is not None:
        found.append(on_path)
    return {version_of(program): program for program in reversed(found)}


def version_of(program: str) -> str:
    """Return the version that an etcd prints of itself, such as `3.6.16`."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    found = re.search(r"^etcd Version: ([0-9.]+)", said, re.M)
    if found is None:
        raise SystemExit(f"{program}: is no etcd; --version prints {said[:200]!r}")
    return found[1]


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def channel(port: int, *, own: bool = False, credentials: grpc.ChannelCredentials | None = None) -> grpc.Channel:
    """Return a connection; gRPC shares one among all channels of a process unless it is `own`."""
    options: list[tuple[str, int]] = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    if own:
        options.append(("grpc.use_local_subchannel_pool", 1))
    address = f"127.0.0.1:{port}"
    if credentials is not None:
        return grpc.secure_channel(address, credentials, options=options)
    return grpc.insecure_channel(address, options=options)


class Member:
    """A cluster of one member, in a new directory that is removed at the end. Use it in a `with` statement.

    Parameters
    ----------
    program : str
        The etcd.
    flags : sequence of str
        Further flags.
    snapshot_count, catch_up : int, optional
        When the raft log is trimmed, and how many entries stay. 3.4, and 3.5 before 3.5.14, keep 5,000.
    folder : Path, optional
        Where the data directory is made; by default in the system's directory for temporary files.
    environment : mapping, optional
        Further variables, such as `GOMEMLIMIT`.
    wrapper : sequence of str
        What starts etcd, such as strace with its options.
    tls : bool
        Clients connect with TLS, to a certificate that signs itself.
    split : bool
        HTTP has a port of its own, so that gRPC does not run inside Go's HTTP server. From 3.5.
    """

    def __init__(
        self,
        program: str,
        flags: Sequence[str] = (),
        *,
        snapshot_count: int = 10_000,
        catch_up: int | None = None,
        quota_bytes: int = 8 << 30,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        tls: bool = False,
        split: bool = False,
    ) -> None:
        self.program = program
        self.version = version_of(program)
        self.port, self.peer_port, http_port = free_ports(3)
        self._http = f"http://127.0.0.1:{http_port}" if split else f"http{'s' * tls}://127.0.0.1:{self.port}"
        self._tls = tls
        self._root = Path(tempfile.mkdtemp(prefix="etcdsize-", dir=folder))
        self.data_dir = self._root / "data"
        self._environment = dict(environment or {})
        client, peer = f"http{'s' * tls}://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer_port}"
        self._command = [*wrapper, program, f"--data-dir={self.data_dir}", "--name=one", "--enable-pprof"]
        self._command += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
        self._command += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
        self._command += [f"--initial-cluster=one={peer}", "--log-level=error", "--logger=zap"]
        self._command += [f"--quota-backend-bytes={quota_bytes}", f"--snapshot-count={snapshot_count}"]
        self._command += ["--max-request-bytes=20000000", "--max-txn-ops=10000"]
        if catch_up is not None:
            self._command.append(f"--{self._catch_up_flag}={catch_up}")
        if tls:
            self._certificate, key = write_certificate(self._root)
            self._command += [f"--cert-file={self._certificate}", f"--key-file={key}"]
        if split:
            self._command.append(f"--listen-client-http-urls={self._http}")
        self._command += flags
        self._process: subprocess.Popen[bytes] | None = None
        self.start_seconds = 0.0

    @property
    def _catch_up_flag(self) -> str:
        return "snapshot-catchup-entries" if self.minor >= 6 else "experimental-snapshot-catchup-entries"

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1])

    def __enter__(self) -> Member:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._root, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The process of etcd itself, also where a wrapper started it."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0]) if self._command[0] != self.program and children else self._process.pid

    @property
    def log(self) -> str:
        return (self._root / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it, without waiting: a member of a larger cluster serves once others run."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
        self._began = time.monotonic()
        with (self._root / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env={**clean, **self._environment})

    def wait(self) -> None:
        """Wait until it serves, and connect."""
        assert self._process is not None
        while not self.is_healthy():
            if self._process.poll() is not None:
                raise RuntimeError(f"etcd {self.version} ended with {self._process.returncode}: {self.log[-500:]}")
            if time.monotonic() > self._began + 300:
                raise RuntimeError(f"etcd {self.version} is not healthy after 300 s: {self.log[-500:]}")
            time.sleep(0.01)
        self.start_seconds = time.monotonic() - self._began
        self.channel = self.connect()
        self.kv, self.lease = KVStub(self.channel), LeaseStub(self.channel)
        self.maintenance, self.watch = MaintenanceStub(self.channel), WatchStub(self.channel)

    def connect(self) -> grpc.Channel:
        """Return a connection of its own."""
        if not self._tls:
            return channel(self.port, own=True)
        return channel(self.port, own=True, credentials=grpc.ssl_channel_credentials(self._certificate.read_bytes()))

    def is_healthy(self) -> bool:
        try:
            return bool(json.loads(self._get("/health", 5)).get("health") == "true")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self) -> None:
        """End it, and wait for it."""
        if self._process is None:
            return
        if hasattr(self, "channel"):
            self.channel.close()
        if self._process.poll() is None:
            os.kill(self.pid, 15)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def wait_for_end(self, seconds: float = 60) -> int:
        """Wait until it has ended by itself, and return its exit code: minus the signal that killed it."""
        assert self._process is not None
        return self._process.wait(seconds)

    def _get(self, path: str, timeout: float = 120) -> bytes:
        # The certificate is its own.
        trusting = ssl._create_unverified_context()
        with urllib.request.urlopen(self._http + path, timeout=timeout, context=trusting) as answer:
            return bytes(answer.read())

    def metrics(self) -> dict[str, float]:
        """Return every sample of the page of metrics, by its name with its labels."""
        lines = (line.rpartition(" ") for line in self._get("/metrics").decode().splitlines() if line[:1] not in "#")
        return {name: float(value) for name, _, value in lines}

    def collect_garbage(self) -> None:
        """Make Go collect its garbage, twice: what a first collection frees may hold more."""
        for _ in range(2):
            self._get("/debug/pprof/heap?gc=1")

    def memory(self) -> dict[str, int]:
        """Return what the kernel knows of its memory. [bytes]"""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        names = ("VmRSS", "VmHWM", "RssAnon", "RssFile", "RssShmem")
        return {name: int(fields[name].split()[0]) * 1024 for name in names}

    def written_bytes(self) -> int:
        """Return how much it has handed to the file system so far. [bytes]"""
        lines = Path(f"/proc/{self.pid}/io").read_text().splitlines()
        return int(dict(line.split(": ") for line in lines)["wchar"])

    def cpu_seconds(self) -> float:
        """Return the processor time that it has taken so far. [s]"""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def live_heap(self) -> float:
        """Return the heap without garbage. [bytes]"""
        self.collect_garbage()
        return self.metrics()["go_memstats_heap_alloc_bytes"]

    def report(self) -> dict[str, Any]:
        """Return the figures that most experiments keep, after a collection of the garbage. [bytes, counts, seconds]"""
        self.collect_garbage()
        found, memory = self.metrics(), self.memory()
        return {
            "heap_bytes": found["go_memstats_heap_alloc_bytes"],
            "stack_bytes": found["go_memstats_stack_inuse_bytes"],
            "goroutines": found["go_goroutines"],
            "file_bytes": found["etcd_mvcc_db_total_size_in_bytes"],
            "in_use_bytes": found["etcd_mvcc_db_total_size_in_use_in_bytes"],
            "anonymous_bytes": memory["RssAnon"],
            "mapped_bytes": memory["RssFile"],
            "commits": found["etcd_disk_backend_commit_duration_seconds_count"],
            "wal_fsyncs": found["etcd_disk_wal_fsync_duration_seconds_count"],
            "wal_bytes": found["etcd_disk_wal_write_bytes_total"],
            "cpu_seconds": self.cpu_seconds(),
            "allocated_bytes": found["go_memstats_alloc_bytes_total"],
        }

    def revision(self) -> int:
        """Return the current revision of the store."""
        return int(self.kv.Range(rpc_pb2.RangeRequest(key=b"\0")).header.revision)

    def compact(self, revision: int | None = None) -> None:
        """Compact the history up to a revision, by default all of it, and wait until it is done."""
        wanted = self.revision() if revision is None else revision
        self.kv.Compact(rpc_pb2.CompactionRequest(revision=wanted, physical=True))

    def defragment(self) -> float:
        """Defragment the file, and return how long that took. [s]"""
        began = time.monotonic()
        self.maintenance.Defragment(rpc_pb2.DefragmentRequest())
        return time.monotonic() - began
