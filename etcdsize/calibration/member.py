"""One member of etcd on this machine: a process of its own with its metrics and its gRPC services."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
from aetcd.rpc import rpc_pb2
from aetcd.rpc.rpc_pb2_grpc import ClusterStub, KVStub, LeaseStub, MaintenanceStub, WatchStub

from etcdsize.base.text import one_line, shortened
from etcdsize.calibration.guard import Guard
from etcdsize.errors import CalibrationError

__all__ = ["Member", "channel", "free_ports", "version_of"]

_LARGEST_VERSION_BYTES = 65_536
_VERSION_SECONDS = 30
# What etcd sets aside at once for each file of its log (etcd server/storage/wal/wal.go: SegmentSizeBytes).
_SEGMENT_BYTES = 64_000_000
# gRPC and HTTP would otherwise ask a proxy for 127.0.0.1.
_CHANNEL = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
)


def version_of(program: str) -> str:
    """Return the version that an etcd prints of itself, such as `3.6.16`.

    Raises
    ------
    CalibrationError
        If it cannot be run, prints no version, or does not end.
    """
    found = re.search(r"^etcd Version: (\S+)", _printed([program, "--version"]), re.M)
    if found is None:
        raise CalibrationError(
            f"{program}: got a program whose --version prints no version, expected an etcd", program=program
        )
    return found[1]


def _printed(command: Sequence[str]) -> str:
    """Return what a program prints before it ends. A program that prints or takes too much is killed."""
    program = command[0]
    try:
        # In a group of its own, so that what it starts is killed with it.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CalibrationError(
            f"{program}: cannot be run: {reason}; give the path of an etcd", program=program
        ) from error
    text, deadline = b"", time.monotonic() + _VERSION_SECONDS
    with process:
        try:
            assert process.stdout is not None
            while len(text) < _LARGEST_VERSION_BYTES:
                if not select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                    raise CalibrationError(
                        f"{program}: got a program whose --version does not end within {_VERSION_SECONDS} s, "
                        "expected an etcd",
                        program=program,
                    )
                part = os.read(process.stdout.fileno(), _LARGEST_VERSION_BYTES)
                if not part:
                    break
                text += part
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return text.decode(errors="replace")


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


def channel(port: int, *, own: bool = False, credentials: Any = None) -> Any:
    """Return a connection; gRPC shares one among all channels of a process unless it is `own`."""
    options = [*_CHANNEL, *([("grpc.use_local_subchannel_pool", 1)] if own else [])]
    address = f"127.0.0.1:{port}"
    if credentials is not None:
        return grpc.secure_channel(address, credentials, options=options)
    return grpc.insecure_channel(address, options=options)


def _last_words(log: str) -> str:
    """Return what a log says last of an error; etcd's own lines are JSON."""
    lines = [line for line in log.splitlines() if line.strip()]
    for line in reversed(lines):
        with contextlib.suppress(ValueError):
            parts = json.loads(line)
            if isinstance(parts, dict) and "error" in parts:
                return f"{parts.get('msg')}: {parts['error']}"
    return next((line for line in reversed(lines) if "panic" in line), lines[-1] if lines else "")


class Member:
    """A cluster of one member, in a new folder that is removed at the end. Use it in a `with` statement.

    Parameters
    ----------
    program : str
        The etcd, or a script that runs one.
    flags : sequence of str
        Further flags.
    snapshot_count, catch_up : int, optional
        When the raft log is trimmed, and how many entries stay. 3.4, and 3.5 before 3.5.14, keep 5,000.
    quota_bytes : int
        The quota.
    folder : Path, optional
        Where its folder is made; by default in the system's directory for temporary files.
    environment : mapping, optional
        Further variables, such as `GOMEMLIMIT`.
    wrapper : sequence of str
        What starts etcd, such as strace with its options.
    """

    scheme: str = "http"
    """How clients connect."""
    start_limit_seconds: float = 120.0
    """How long it may take until it serves (our choice). [s]"""

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
    ) -> None:
        self.program: str = program
        self.version: str = version_of(program)
        self.port: int
        self.peer_port: int
        self.port, self.peer_port = free_ports(2)
        self.http_port: int = self.port
        self._guard = Guard(Path(tempfile.gettempdir()) if folder is None else folder)
        self.folder: Path = self._guard.folder
        self.data_dir: Path = self.folder / "data"
        self._environment = dict(environment or {})
        # A name that no other member has.
        self.name: str = self.folder.name
        client, peer = f"{self.scheme}://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer_port}"
        self.command: list[str] = [
            *wrapper,
            program,
            f"--data-dir={self.data_dir}",
            f"--name={self.name}",
            "--enable-pprof",
        ]
        self.command += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
        self.command += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
        self.command += [f"--initial-cluster={self.name}={peer}", "--log-level=error", "--logger=zap"]
        self.command += [f"--quota-backend-bytes={quota_bytes}", f"--snapshot-count={snapshot_count}"]
        self.command += ["--max-request-bytes=20000000", "--max-txn-ops=10000"]
        if catch_up is not None:
            self.command.append(f"--{self._catch_up_flag}={catch_up}")
        self.command += flags
        self._process: subprocess.Popen[bytes] | None = None
        self.channel: Any = None
        self.start_seconds: float = 0.0
        # gRPC's services, once it serves.
        self.kv: Any = None
        self.lease: Any = None
        self.maintenance: Any = None
        self.watch: Any = None

    @property
    def _catch_up_flag(self) -> str:
        return "snapshot-catchup-entries" if self.minor >= 6 else "experimental-snapshot-catchup-entries"

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1])

    def __enter__(self) -> Any:
        try:
            self.start()
        except BaseException as error:
            self.__exit__(type(error), error)
            raise
        return self

    def __exit__(self, _type: object = None, error: object = None, _traceback: object = None) -> None:
        ended = None
        if isinstance(error, (grpc.RpcError, OSError, http.client.HTTPException)) and self._has_ended():
            ended = self.failed("ended while it was measured")
        try:
            self.stop()
        finally:
            self._guard.close()
        if ended is not None:
            raise ended from None

    def _has_ended(self) -> bool:
        """Return whether the process has ended; it may take a moment after its connections."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
        return self._process is not None and self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The process of etcd itself, also where a wrapper or a script started it."""
        assert self._process is not None
        found = self._process.pid
        while children := Path(f"/proc/{found}/task/{found}/children").read_text().split():
            found = int(children[0])
        return found

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it, without waiting: a member of a larger cluster serves once others run."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
        self._began = time.monotonic()
        with (self.folder / "log").open("ab") as log:
            self._process = self._guard.start(self.command, log, {**clean, **self._environment})

    def wait(self) -> None:
        """Wait until it serves, and connect."""
        assert self._process is not None
        while not self.is_healthy():
            if self._process.poll() is not None:
                raise self.failed("does not start")
            if time.monotonic() > self._began + self.start_limit_seconds:
                raise self.failed(f"does not serve within {self.start_limit_seconds:.0f} s")
            time.sleep(0.01)
        self.start_seconds = time.monotonic() - self._began
        self.channel = self.connect()
        self.kv, self.lease = KVStub(self.channel), LeaseStub(self.channel)
        self.maintenance, self.watch = MaintenanceStub(self.channel), WatchStub(self.channel)
        self._check_name()

    def _check_name(self) -> None:
        """Make sure that it is this member that answers: nothing may be written to another one."""
        members = ClusterStub(self.channel).MemberList(rpc_pb2.MemberListRequest()).members
        if self.name not in [member.name for member in members]:
            raise self.failed(f"does not answer on port {self.port}: another member does")

    def failed(self, what: str) -> CalibrationError:
        """Return an error that says what happened, how the process ended, and what it logged last."""
        code = None if self._process is None else self._process.poll()
        text = f"{self.program}: {what}"
        if code is not None:
            text += f": it was ended by signal {-code}" if code < 0 else f": it ended with exit code {code}"
        with contextlib.suppress(OSError):
            logged = _last_words(self.log)
            if logged:
                text += f"; it logged: {shortened(one_line(logged), 300)}"
            # Where it has no space it may log nothing, and what it set aside is free again once it has ended.
            full = "no space left on device" in logged
            if full or (code is not None and shutil.disk_usage(self.folder).free < _SEGMENT_BYTES):
                text += f"; the disk is {'full' if full else 'nearly full'}: free some space"
        return CalibrationError(text, program=self.program)

    def connect(self) -> Any:
        """Return a connection of its own."""
        return channel(self.port, own=True)

    def is_healthy(self) -> bool:
        try:
            return bool(json.loads(self._get("/health", 5)).get("health") == "true")
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def stop(self) -> None:
        """End it, and wait for it."""
        if self._process is None:
            return
        if self.channel is not None:
            self.channel.close()
            if self._process.poll() is None:
                os.kill(self.pid, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(60)
        self.channel = None
        # All that it started, and itself where it does not end or has never served.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._guard.ended()
        self._process = None

    def wait_for_end(self, seconds: float = 60) -> int:
        """Wait until it has ended by itself, and return its exit code: minus the signal that killed it."""
        assert self._process is not None
        return self._process.wait(seconds)

    def http_connection(self, timeout: float) -> http.client.HTTPConnection:
        """Return a connection to what it serves by HTTP."""
        return http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout)

    def _get(self, path: str, timeout: float = 120) -> bytes:
        with contextlib.closing(self.http_connection(timeout)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read()

    def metrics(self) -> dict[str, float]:
        """Return every sample of the page of metrics, by its name with its labels."""
        lines = (line.rpartition(" ") for line in self._get("/metrics").decode().splitlines() if line[:1] not in "#")
        return {name: float(value) for name, _, value in lines}

    def collect_garbage(self) -> None:
        """Make Go collect its garbage, twice: what a first collection frees may hold more."""
        for _ in range(2):
            self._get("/debug/pprof/heap?gc=1")

    def cpu_seconds(self) -> float:
        """Return the processor time that it has taken so far. [s]"""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def live_heap(self) -> float:
        """Return the heap without garbage. [bytes]"""
        self.collect_garbage()
        return self.metrics()["go_memstats_heap_alloc_bytes"]

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
