"""Connections to a member on this machine: counted in /proc, and unknown where it cannot be that member."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from etcds import MINORS, free_ports, needed, running

from etcdsize import read_metrics
from etcdsize.observation import sockets
from etcdsize.observation.sockets import count_sockets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux'")


@pytest.fixture(scope="module", params=MINORS)
def member(request, tmp_path_factory):
    etcd, _ = needed(request.param)
    folder = tmp_path_factory.mktemp("member")
    with running(etcd, folder, []) as url:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            started = read_metrics(answer.read()).started_unix_seconds
        yield int(url.rpartition(":")[2]), started
    shutil.rmtree(folder)


CONNECT = """
import socket, sys, time
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(7)]
print(flush=True)
time.sleep(60)
"""


def test_clients_are_counted_and_etcds_own_gateway_is_not(member):
    port, started = member
    # Connections that were made to look for its health may be on their way out.
    deadline = time.monotonic() + 10
    while count_sockets(port, started) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert count_sockets(port, started) == 0
    client = subprocess.Popen([sys.executable, "-c", CONNECT, str(port)], stdout=subprocess.PIPE)
    client.stdout.readline()
    assert count_sockets(port, started) == 7
    client.kill()
    client.communicate()


def test_our_own_connections_are_not_counted(member):
    port, started = member
    with socket.create_connection(("127.0.0.1", port)):
        assert count_sockets(port, started) == 0


@pytest.mark.parametrize("apart", [-60, -0.5, 0.5, 5])
def test_a_process_that_started_at_another_time_is_another_one(member, apart):
    port, started = member
    assert count_sockets(port, started + apart) is None


@pytest.mark.parametrize("apart", [-1, 1])
def test_the_second_of_the_boot_may_be_one_off(member, apart):
    port, started = member
    assert count_sockets(port, started + apart) is not None


def test_what_listens_is_no_etcd():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert count_sockets(server.getsockname()[1], time.time()) is None


def test_nothing_listens():
    assert count_sockets(free_ports(1)[0], time.time()) is None


def test_another_users_process_cannot_be_seen(member, another_user):
    assert count_sockets(*member) is None


def test_more_ports_may_have_more_clients(tmp_path):
    """Of three ports it listens on, nobody can tell which are the clients'."""
    etcd, _ = needed("3.5")
    (more,) = free_ports(1)
    with running(etcd, tmp_path, [f"--listen-metrics-urls=http://127.0.0.1:{more}"]) as url:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            started = read_metrics(answer.read()).started_unix_seconds
        assert count_sockets(int(url.rpartition(":")[2]), started) is None
    shutil.rmtree(tmp_path)


def test_no_proc(monkeypatch):
    monkeypatch.setattr(sockets, "_PROC", Path("/no/such/folder"))
    assert count_sockets(2379, time.time()) is None
