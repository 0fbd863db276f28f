"""What ails a real etcd is named: a slow disk made by strace, slow watchers, streams that grow, waiting proposals."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from etcd_load import Watches, put
from etcds import MINORS, needed, running, unplanned
from needs import leave_out, program

from etcdsize import Observation, Scrape, combine_scrapes, observe, read_metrics

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("etcd-health")]


def scraped(url: str) -> Scrape:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        return read_metrics(answer.read())


def during(url: str, work: Callable[[], object]) -> Observation:
    """Return what a member reports of the time in which a function ran."""
    before, start = scraped(url), time.monotonic()
    work()
    return combine_scrapes({url: before}, {url: scraped(url)}, seconds=time.monotonic() - start)


def codes(observation: Observation) -> set[str]:
    return {notice.code for notice in observation.notices}


DISK = {"slow-wal-fsync", "slow-backend-commit", "slow-commits-alone", "large-writes", "cpu-at-limit"}


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """A folder in memory, whose writes are fast however busy the disk is."""
    folder = Path(f"/dev/shm/etcdsize-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError:
        leave_out("/dev/shm cannot be written; it needs Linux and a file system in memory")
    yield folder
    shutil.rmtree(folder)


def wrapped(folder: Path, command: str) -> str:
    """Return a program that runs etcd by a command, in the same process."""
    script = folder / "etcd"
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    script.chmod(0o755)
    return str(script)


def delayed(folder: Path, etcd: str, microseconds: int) -> str:
    """Return an etcd whose every fdatasync takes so much longer: a slow disk."""
    strace = program("strace", "strace")
    return wrapped(
        folder,
        f"{strace} -D -f --quiet=all --seccomp-bpf -o /dev/null --trace=fdatasync "
        f"--inject=fdatasync:delay_exit={microseconds} {etcd}",
    )


class TestDisk:
    """A disk is called slow if it is, and not if something else takes the time."""

    @staticmethod
    def small_puts(url: str) -> Observation:
        def work() -> None:
            for number in range(110):  # a p99 needs 100
                put(url, "k", b"%d" % number)

        return during(url, work)

    def test_slow_disk_is_named(self, memory_folder):
        etcd = delayed(memory_folder, needed("3.6")[0], 15_000)
        with running(etcd, memory_folder, []) as url:
            observation = self.small_puts(url)
        assert codes(observation) & DISK == {"slow-wal-fsync"}
        assert observation.wal_fsync_p99_seconds > 0.015
        (text,) = [notice.text for notice in observation.notices if notice.code == "slow-wal-fsync"]
        assert text.endswith(" (p99), expected below 10 ms: the disk is slow.")

    def test_fast_disk_is_not(self, memory_folder):
        with running(needed("3.6")[0], memory_folder, []) as url:
            observation = self.small_puts(url)
        assert codes(observation) & DISK == set()
        assert observation.wal_fsync_p99_seconds < 0.01

    def test_large_values_are_no_slow_disk(self, memory_folder):
        etcd = delayed(memory_folder, needed("3.6")[0], 15_000)
        value = os.urandom(400_000)
        with running(etcd, memory_folder, []) as url:
            observation = during(url, lambda: [put(url, "k", value) for _ in range(110)])
        assert codes(observation) & DISK == {"large-writes"}
        assert observation.members[0].bytes_per_fsync > 250_000


@pytest.fixture(params=MINORS)
def member(request, tmp_path) -> Iterator[str]:
    with running(needed(request.param)[0], tmp_path, []) as url:
        yield url
    shutil.rmtree(tmp_path)


def wait_for(url: str, **figures: int) -> Scrape:
    deadline = time.monotonic() + 30
    while True:
        scrape = scraped(url)
        if all(getattr(scrape, name) >= least for name, least in figures.items()):
            return scrape
        assert time.monotonic() < deadline, scrape
        time.sleep(0.1)


def test_keys_watch_streams_and_slow_watchers(member):
    """40 watch streams on one connection that reads nothing, and 400 events of 2 kB for each."""
    observation = during(member, lambda: [put(member, f"key-{number}", b"v") for number in range(25)])
    assert (observation.keys, observation.slow_watchers, observation.watch_streams) == (25, 0, 0)
    assert 5e6 < observation.resident_bytes < 5e8
    assert {"slow-watchers", "watch-streams-grow", "resident-memory", "many-keys"}.isdisjoint(codes(observation))
    watches = Watches(member)
    try:

        def leak() -> None:
            watches.open(40)
            wait_for(member, watch_streams=40)

        assert "watch-streams-grow" in codes(during(member, leak))
        for _ in range(400):
            put(member, "k", b"v" * 2000)
        wait_for(member, slow_watchers=1)
        observation = observe(member, interval=0.3)
        assert 1 <= observation.slow_watchers <= 40
        assert "slow-watchers" in codes(observation)
        assert "watch-streams-grow" not in codes(observation)
    finally:
        watches.close()


@contextmanager
def waiting_puts(url: str, count: int) -> Iterator[None]:
    """Send puts whose answers nobody waits for; they are given up when the block ends."""
    body = '{"key": "aw==", "value": "dg=="}'
    connections = [http.client.HTTPConnection(urlsplit(url).netloc, timeout=30) for _ in range(count)]
    for connection in connections:
        connection.request("POST", "/v3/kv/put", body)
    yield
    for connection in connections:
        connection.close()


def test_pending_and_failed_proposals(tmp_path):
    """The follower hangs, so nothing is committed until the leader steps down after an election timeout."""
    flags = ["--heartbeat-interval=300", "--election-timeout=3000"]
    with unplanned(needed("3.6")[0], tmp_path, 2, flags) as members:
        leads = {one.endpoint: one.is_leader for one in observe([one.client for one in members], interval=0).members}
        leader, follower = sorted(members, key=lambda one: not leads[one.client])
        follower.process.send_signal(signal.SIGSTOP)
        try:
            with waiting_puts(leader.client, 20):
                wait_for(leader.client, pending_proposals=20)
                pending = during(leader.client, lambda: time.sleep(0.1))
                before, start = scraped(leader.client), time.monotonic()
            wait_for(leader.client, failed_proposals=20)
            failed = combine_scrapes(
                {leader.client: before},
                {leader.client: scraped(leader.client)},
                seconds=time.monotonic() - start,
            )
        finally:
            follower.process.send_signal(signal.SIGCONT)
    shutil.rmtree(tmp_path)
    assert pending.pending_proposals == 20
    assert "pending-proposals" in codes(pending)
    assert failed.failed_proposals == 20
    assert "failed-proposals" in codes(failed)
