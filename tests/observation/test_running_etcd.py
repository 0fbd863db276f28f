"""What `observe` says of real members is so: as modelled, leaked streams, fragmentation, a quota that fills."""

from __future__ import annotations

import csv
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import grpc
import pytest
from aetcd.rpc import rpc_pb2
from etcd_load import Watches
from etcds import MINORS, needed

from benchmarks.resources.lister import slow_list
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize import ComparedFigure, Observation, Scrape, combine_scrapes, observe, read_metrics, resources_for, size
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import key_of, put_in_transactions
from etcdsize.resources.profile import with_fields
from etcdsize.resources.resources_text import quantity_text

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("etcd-running")]

MIB = 2**20
PROVIDER = ("--provider", "aws")


def url(member: Member) -> str:
    return f"http://127.0.0.1:{member.port}"


def scraped(member: Member) -> Scrape:
    with urllib.request.urlopen(f"{url(member)}/metrics", timeout=30) as answer:
        return read_metrics(answer.read())


def said(observation: Observation) -> dict[str, str]:
    return {notice.code: notice.text for notice in observation.notices}


@contextmanager
def running(etcd: str, **options) -> Iterator[Member]:
    with Member(needed(etcd)[0], folder=MEMORY, **options) as member:
        yield member


@pytest.mark.parametrize("etcd", MINORS)
def test_every_metric_is_reported_by_every_version(etcd):
    """Each figure is what was done: 500 puts of 1,050 bytes, 100 of them updates, a compaction, and leases."""
    with running(etcd) as member:
        before = scraped(member)
        assert (before.compact_revision, before.keys, before.puts) == (0, 0, 0)
        put_in_transactions(member, range(400), 50, bytes(1_000), 1)
        member.compact()
        put_in_transactions(member, range(100), 50, bytes(1_000), 1)
        leases = [member.lease.LeaseGrant(rpc_pb2.LeaseGrantRequest(TTL=600)).ID for _ in range(3)]
        member.kv.Put(rpc_pb2.PutRequest(key=b"leased", value=b"", lease=leases[0]))
        member.lease.LeaseRevoke(rpc_pb2.LeaseRevokeRequest(ID=leases[0]))
        after = scraped(member)
    assert (after.keys, after.revision, after.compact_revision) == (400, 503, 401)
    assert (after.puts, after.put_bytes, after.deletes) == (501, 500 * 1_050 + 6, 1)
    assert (after.leases_granted, after.leases_revoked, after.leases_expired) == (3, 1, 0)
    assert (after.watchers, after.events) == (0, 0)
    assert after.sent_bytes > before.sent_bytes
    assert 1e6 < after.heap_bytes < 100e6
    # The low end of its memory is that of an empty etcd.
    (empty,) = combine_scrapes({"a": before}).members
    for figure in (empty.modelled.heap_bytes, empty.modelled.resident_bytes):
        assert 3.9e6 < figure.low <= figure.measured <= figure.high, figure


@pytest.mark.parametrize("etcd", MINORS)
class TestModel:
    """A healthy member lies within the model's range; a leak of streams and a list are named."""

    def test_a_healthy_member_is_as_modelled(self, etcd):
        value = bytes(1_000)
        with running(etcd) as member:
            put_in_transactions(member, range(10_000), 50, value, 50)
            member.compact()

            def send(number: int):
                return member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number % 10_000, 50), value=value))

            keep_under_way(send, 8, seconds=0.4)
            observation = observe(url(member), interval=0.2)
        (found,) = observation.members
        verdicts = {name: figure.verdict for name, figure in found.modelled if isinstance(figure, ComparedFigure)}
        assert set(verdicts.values()) == {"within"}, found.modelled
        profile = observation.profile
        assert profile.keys.likely == 10_000
        stored = next(one.value for one in profile.assumptions if one.field == "data_bytes")
        assert stored.low <= 10_000 * 1_050 <= stored.high
        assert size(profile, etcd_version=found.version).etcd_version == found.version

    def test_leaked_streams(self, etcd):
        with running(etcd) as member:
            watches = Watches(url(member))
            try:
                watches.open(500)
                deadline = time.monotonic() + 30
                while observe(url(member), interval=0).watch_streams < 500:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
                observation = observe(url(member), interval=0.2)
            finally:
                watches.close()
        assert (
            "a client that starts watches and does not cancel them leaks"
            in said(observation)["watch-streams-leak"].lower()
        )
        (found,) = observation.members
        assert observation.watchers == 500
        # They are part of the load, so that the memory is as modelled for it, or less.
        assert "above" not in (found.modelled.heap_bytes.verdict, found.modelled.resident_bytes.verdict)


@pytest.mark.parametrize("etcd", ["3.4", "3.7"])
def test_the_row_of_a_cluster_is_sized_by_all_that_was_observed(etcd, run, tmp_path):
    """5,000 keys of 1 kB that are written again: `fleet --resources` answers as the observation itself does."""
    targets, rows, sized = (str(tmp_path / name) for name in ("targets.json", "rows.csv", "sized.csv"))
    with running(etcd) as member:
        put_in_transactions(member, range(5_000), 50, bytes(1_000), 50)
        member.compact()
        Path(targets).write_text(json.dumps([{"targets": [url(member)], "labels": {"clients": "40"}}]))

        def send(number: int):
            return member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number % 5_000, 50), value=bytes(1_000)))

        observing = Thread(
            target=lambda: run("observe", "--targets", targets, *PROVIDER, "--interval", "0.5s", "-o", rows)
        )
        observing.start()
        while observing.is_alive():
            keep_under_way(send, 8, seconds=0.3)
        observation = observe(url(member), interval=0.2, clients=40)
    assert run("fleet", rows, *PROVIDER, "--resources", "-o", sized)[0] == 0
    with Path(sized).open(newline="") as file:
        (cells,) = csv.DictReader(file)
    row = {name: float(text) for name, text in cells.items() if re.fullmatch(r"[0-9]+([.][0-9]+)?", text)}
    assert [row[name] for name in ("keys", "key_bytes", "value_bytes")] == pytest.approx([5_000, 50, 1_000], rel=0.001)
    assert [row[name] for name in ("watchers", "watch_streams")] == [0, 0]
    assert row["writes_per_second"] == pytest.approx(row["requests_per_second"], rel=0.2)
    given = {
        name: row[name] for name in ("writes_per_second", "reads_per_second", "history_seconds", "requests_per_second")
    }
    # The row is answered for the version that was observed.
    resources = resources_for(with_fields(observation.profile, given), etcd_version=str(needed(etcd)[1]))
    assert row["quota_bytes"] == resources.quota_bytes
    assert row["memory_limit_bytes"] == pytest.approx(resources.memory.limit_bytes.need, rel=0.1)


@pytest.mark.parametrize("etcd", MINORS)
def test_defragmentation_frees_and_takes_what_was_said(etcd, tmp_path):
    """130 MB, of which four fifths are deleted, on a real disk.

    A second defragmentation copies as much again; the quickest counts, as other processes share the machine.
    """
    with Member(needed(etcd)[0], folder=tmp_path) as member:
        put_in_transactions(member, range(2_600), 50, bytes(50_000), 20)
        member.kv.DeleteRange(rpc_pb2.DeleteRangeRequest(key=key_of(0, 50), range_end=key_of(2_080, 50)))
        member.compact()
        time.sleep(0.5)
        observation = observe(url(member), interval=0)
        took = member.defragment()
        after = scraped(member)
        (found,) = observation.members
        seconds = found.modelled.defragment_seconds
        deadline = time.monotonic() + 30
        while took > seconds.high and time.monotonic() < deadline:
            took = min(took, member.defragment())
    freed = found.total_bytes - after.total_bytes
    expected = found.total_bytes - found.data_bytes
    assert freed == pytest.approx(expected, rel=0.05)
    assert seconds.low <= took <= seconds.high
    text = said(observation)["defragment"]
    assert f"frees about {quantity_text('_bytes', expected)}, and stops reads and writes" in text
    assert f"about {quantity_text('_seconds', seconds.likely)} (" in text


def filled(etcd: str, rate: int) -> tuple[str, Observation, float]:
    """Fill a quota of 40 MiB; return the URL, what was observed meanwhile, and the seconds from then until it was full.

    New keys of 40 kB come at a steady rate. [1/s]
    """
    value = bytes(40_000)
    with running(etcd, quota_bytes=40 * MIB) as member:
        start = time.monotonic()

        def send(number: int):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            return member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number, 50), value=value))

        keep_under_way(send, 8, requests=rate)
        caught: list[grpc.RpcError] = []
        ended: list[float] = []

        def fill() -> None:
            try:
                keep_under_way(lambda number: send(rate + number), 8, seconds=60)
            except grpc.RpcError as error:
                caught.append(error)
            ended.append(time.monotonic())

        thread = Thread(target=fill)
        thread.start()
        observation = observe(url(member), interval=2)
        asked = time.monotonic()
        thread.join()
    assert caught[0].code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    return url(member), observation, ended[0] - asked


@pytest.mark.parametrize("etcd", ["3.4", "3.6"])
def test_quota_is_full_when_predicted(etcd):
    """The hours are right within 20 %. Where a busy machine keeps the clients from a rate, they try a lower one."""
    for rate in (125, 90, 60):
        target, observation, seconds = filled(etcd, rate)
        if observation.quota_hours_left * 3600 == pytest.approx(seconds, rel=0.2):
            break
    assert observation.quota_hours_bound == "estimate"
    assert observation.quota_hours_left * 3600 == pytest.approx(seconds, rel=0.2)
    assert said(observation)["quota-fills"].startswith(f"{target}: the quota of 41.94304 MB is full in about ")


def test_lists_are_named():
    """Six clients list 60 MB and do not read it."""
    with running("3.6") as member:
        put_in_transactions(member, range(6_000), 50, bytes(10_000), 20)
        member.compact()
        quiet = observe(url(member), interval=0.2)
        ends = [slow_list(member.port) for _ in range(6)]
        try:
            deadline = time.monotonic() + 60
            while "memory-above-model" not in said(listing := observe(url(member), interval=0.2)):
                assert time.monotonic() < deadline, listing.members[0].modelled
        finally:
            for end in ends:
                end()
    assert "memory-above-model" not in said(quiet)
    assert listing.members[0].modelled.heap_bytes.verdict == "above"
    assert "lists take the rest, or large values" in said(listing)["memory-above-model"]


@pytest.mark.parametrize("etcd", ["3.4", "3.7"])
def test_lease_with_many_keys_is_named(etcd):
    """A lease with 2,000 keys ends while the member is observed."""
    with running(etcd) as member:
        lease = member.lease.LeaseGrant(rpc_pb2.LeaseGrantRequest(TTL=600)).ID
        put_in_transactions(member, range(2_000), 50, b"", 100, lease)
        before, start = scraped(member), time.monotonic()
        member.lease.LeaseRevoke(rpc_pb2.LeaseRevokeRequest(ID=lease))
        after, seconds = scraped(member), time.monotonic() - start
    observation = combine_scrapes({"a": before}, {"a": after}, seconds=seconds)
    assert said(observation)["leases-with-many-keys"].startswith("About 2,000 keys were deleted with each lease that ")
    assert (before.keys, after.keys) == (2_000, 0)
