"""Calls of several client listeners: gRPC of etcd 3.6.4 counts those of one, before and after that those of all."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.request

import pytest
from etcds import LoneMember, etcdctl, free_ports, needed

from etcdsize import Observation, Scrape, combine_scrapes, read_metrics

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("etcd-uncounted")]

PUTS = 20
"""How often etcdctl writes to each of the two listeners. The JSON gateways of both may use the same one."""


def scraped(url: str) -> Scrape:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        return read_metrics(answer.read())


@pytest.fixture(params=["3.5", "3.6.4", "3.6", "3.7"])
def observed(request, tmp_path):
    """The version, what its member with two client URLs reports of a known load, and the seconds that it took."""
    *clients, peer = (f"http://127.0.0.1:{port}" for port in free_ports(3))
    flags = [f"--{what}-client-urls={','.join(clients)}" for what in ("listen", "advertise")]
    flags += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=m={peer}"]
    member = LoneMember(needed(request.param)[0], tmp_path, ["--name=m", *flags], clients[0])
    member.start()
    try:
        member.wait()
        before, start = scraped(clients[0]), time.monotonic()
        puts = [
            subprocess.Popen([etcdctl("3.6"), f"--endpoints={url}", "put", "key", "value"], stdout=subprocess.DEVNULL)
            for url in clients
            for _ in range(PUTS)
        ]
        assert [put.wait(60) for put in puts] == [0] * 2 * PUTS
        after, seconds = scraped(clients[0]), time.monotonic() - start
    finally:
        member.kill()
    yield request.param, combine_scrapes({"m": before}, {"m": after}, seconds=seconds), seconds
    shutil.rmtree(tmp_path)


def test_calls_of_every_listener_are_counted(observed):
    version: str
    observation: Observation
    version, observation, seconds = observed
    assert observation.requests_per_second * seconds == pytest.approx(2 * PUTS)
    is_named = "calls-not-counted" in {notice.code for notice in observation.notices}
    if version == "3.6.4":
        by_method = {"unary": 2 * PUTS, "Lease.LeaseKeepAlive": 0}
        assert (observation.requests_bound, is_named) == ("upper", True)
    else:
        by_method = {"KV.Put": 2 * PUTS}
        assert (observation.requests_bound, is_named) == ("exact", False)
    for method, count in by_method.items():
        assert observation.calls_per_second[method] * seconds == pytest.approx(count)
