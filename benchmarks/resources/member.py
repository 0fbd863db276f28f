"""A member to measure as the calibration has it, with TLS, its memory, and the etcds that there are."""

from __future__ import annotations

import http.client
import shutil
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc

from benchmarks.resources.certificate import write_certificate
from etcdsize.calibration import member
from etcdsize.calibration.member import channel, free_ports, version_of

__all__ = ["Member", "channel", "free_ports", "programs", "version_of"]

_BUILT = Path(__file__).parents[2] / "tests" / "support"


def programs() -> dict[str, str]:
    """Return the etcds to measure, by version: those that `make etcds` builds, and the first one on the path."""
    found = [str(path) for path in sorted(_BUILT.glob("etcd-?.?/bin/etcd"))]
    on_path = shutil.which("etcd")
    if on_path is not None:
        found.append(on_path)
    return {version_of(program): program for program in reversed(found)}


class Member(member.Member):
    """A cluster of one member, in a new folder that is removed at the end. Use it in a `with` statement.

    Parameters
    ----------
    program : str
        The etcd.
    flags : sequence of str
        Further flags.
    tls : bool
        Clients connect with TLS, to a certificate that signs itself.
    split : bool
        HTTP has a port of its own, so that gRPC does not run inside Go's HTTP server. From 3.5.
    options
        As for the calibration's member.
    """

    start_limit_seconds = 300.0

    def __init__(
        self, program: str, flags: Sequence[str] = (), *, tls: bool = False, split: bool = False, **options: Any
    ) -> None:
        self._tls, self._split = tls, split
        self.scheme = "https" if tls else "http"
        super().__init__(program, **options)
        if tls:
            self._certificate, key = write_certificate(self.folder)
            self.command += [f"--cert-file={self._certificate}", f"--key-file={key}"]
        if split:
            (self.http_port,) = free_ports(1)
            self.command.append(f"--listen-client-http-urls=http://127.0.0.1:{self.http_port}")
        self.command += flags

    def connect(self) -> Any:
        """Return a connection of its own."""
        if not self._tls:
            return super().connect()
        return channel(self.port, own=True, credentials=grpc.ssl_channel_credentials(self._certificate.read_bytes()))

    def http_connection(self, timeout: float) -> http.client.HTTPConnection:
        """Return a connection to what it serves by HTTP."""
        if not self._tls or self._split:
            return super().http_connection(timeout)
        # The certificate is its own.
        trusting = ssl._create_unverified_context()
        return http.client.HTTPSConnection("127.0.0.1", self.http_port, timeout=timeout, context=trusting)

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
