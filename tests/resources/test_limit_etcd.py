"""A member in a memory cgroup lives with the limit that we give, and dies of half of what cannot be reclaimed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from etcds import ETCDS, needed
from needs import leave_out
from paths import ROOT
from real_loads import RealLoad, stored_keys

from benchmarks.resources.member import Member
from etcdsize import resources_for

SNAPSHOT_COUNT = 10_000
UPDATED = RealLoad("1 kB updated", 30_000, 1_000, puts=20, per_commit=100, updates=20_000, kept=10_000)
LISTED = RealLoad("60 kB listed", 1_500, 60_000, updates=1_500, kept=750, lists=2)
LOADS = [UPDATED, LISTED]
RUNS = [*(("3.6", load) for load in LOADS), *((etcd, UPDATED) for etcd in ETCDS if etcd not in ("3.6", "3.5.1"))]


class Cgroup:
    """A memory cgroup of version 1 or 2. What runs in it has no swap."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._second = (folder / "memory.max").exists()

    def limit(self, limit_bytes: int) -> None:
        (self.folder / ("memory.max" if self._second else "memory.limit_in_bytes")).write_text(str(limit_bytes))
        swap = self.folder / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")
        if not self._second:
            (self.folder / "memory.swappiness").write_text("0")

    @property
    def killed(self) -> int:
        """How many processes the OOM killer has killed in it."""
        text = (self.folder / ("memory.events" if self._second else "memory.oom_control")).read_text()
        return int(dict(line.split() for line in text.splitlines())["oom_kill"])

    @property
    def wrapper(self) -> list[str]:
        """The command that enters it and becomes the program of its arguments."""
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh"]


@contextmanager
def cgroup(limit_bytes: float) -> Iterator[Cgroup]:
    """Return a new cgroup with a limit, which is removed at the end."""
    first, second = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    given = second / "cgroup.subtree_control"
    parent = second if given.exists() and "memory" in given.read_text().split() else first
    if not os.access(parent, os.W_OK) or not (parent / "cgroup.procs").exists():
        leave_out("no memory cgroup can be made here; run the tests as root, or delegate one")
    folder = parent / f"etcdsize-{uuid.uuid4().hex}"
    folder.mkdir()
    try:
        found = Cgroup(folder)
        found.limit(int(limit_bytes))
        yield found
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    # The kernel lets go of a process that has ended a little later.
    until = time.monotonic() + 10
    while True:
        try:
            return folder.rmdir()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def run(member: Member, load: RealLoad) -> None:
    """Write, then compact and defragment while clients list everything."""
    load.write(member)
    command = [sys.executable, "-m", "benchmarks.resources.lister", str(member.port), "1"]
    listers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(load.lists)]
    try:
        member.compact()
        member.defragment()
        lists = [lister.communicate(timeout=60)[0] for lister in listers]
        assert stored_keys(member) == load.keys
        assert all(int(count) > 0 for count in lists)
    finally:
        for lister in listers:
            lister.kill()
            lister.communicate()


def limited(etcd: str, load: RealLoad, group: Cgroup, folder: Path) -> Member:
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        # Its files are memory of the cgroup, and cannot be given back.
        leave_out(f"{folder} is in memory; pass --basetemp on a disk")
    return Member(needed(etcd)[0], load.flags, snapshot_count=SNAPSHOT_COUNT, folder=folder, wrapper=group.wrapper)


@pytest.mark.slow
class TestLimit:
    """Linux: at its limit a cgroup gives back page cache; what cannot be reclaimed must fit, or a process is killed."""

    @pytest.mark.parametrize(("etcd", "load"), RUNS, ids=[f"{etcd}: {load.name}" for etcd, load in RUNS])
    def test_with_our_limit_it_lives(self, etcd, load, tmp_path):
        with cgroup(memory_of(etcd, load).limit_bytes.need) as group, limited(etcd, load, group, tmp_path) as member:
            run(member, load)
            assert group.killed == 0
            assert member.is_healthy()

    @pytest.mark.parametrize("load", LOADS, ids=[load.name for load in LOADS])
    def test_with_half_of_what_cannot_be_reclaimed_it_is_killed(self, load, tmp_path):
        limit = memory_of("3.6", load).unreclaimable_bytes.likely / 2
        with cgroup(limit) as group, limited("3.6", load, group, tmp_path) as member:
            with pytest.raises(grpc.RpcError):
                run(member, load)
            assert member.wait_for_end() == -signal.SIGKILL
            assert group.killed == 1


def memory_of(etcd: str, load: RealLoad):
    """Return the model's memory for a load."""
    version = str(needed(etcd)[1])
    return resources_for(load.profile, etcd_version=version, snapshot_count=SNAPSHOT_COUNT).memory
