"""Client connections to a member on this machine are counted; they are unknown if it cannot be that member."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest
from etcds import ETCDS, free_ports, is_healthy, needed, running

from etcdsize import read_metrics
from etcdsize.observation.connections import count_connections

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the process of a connection is visible on Linux")


@pytest.fixture(scope="module", params=ETCDS)
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
    while count_connections(port, started) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert count_connections(port, started) == 0
    client = subprocess.Popen([sys.executable, "-c", CONNECT, str(port)], stdout=subprocess.PIPE)
    client.stdout.readline()
    assert count_connections(port, started) == 7
    client.kill()
    client.communicate()


def test_our_own_connections_are_not_counted(member):
    port, started = member
    with socket.create_connection(("127.0.0.1", port)):
        assert count_connections(port, started) == 0


@pytest.mark.parametrize("apart", [-60, -0.5, 0.5, 5])
def test_a_process_that_started_at_another_time_is_another_one(member, apart):
    port, started = member
    assert count_connections(port, started + apart) is None


@pytest.mark.parametrize("apart", [-1, 1])
def test_the_second_of_the_boot_may_be_one_off(member, apart):
    port, started = member
    assert count_connections(port, started + apart) is not None


def test_unknown_if_the_listener_is_not_etcd():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert count_connections(server.getsockname()[1], time.time()) is None


def test_unknown_if_nothing_listens():
    assert count_connections(free_ports(1)[0], time.time()) is None


def test_another_users_process_cannot_be_seen(member, another_user):
    assert count_connections(*member) is None


def test_more_ports_may_have_more_clients(tmp_path):
    """Of three ports it listens on, nobody can tell which are the clients'."""
    etcd, _ = needed("3.5.1")
    (more,) = free_ports(1)
    with running(etcd, tmp_path, [f"--listen-metrics-urls=http://127.0.0.1:{more}"]) as url:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            started = read_metrics(answer.read()).started_unix_seconds
        assert count_connections(int(url.rpartition(":")[2]), started) is None
    shutil.rmtree(tmp_path)


def test_connections_to_a_wildcard_address_over_ipv4_and_ipv6(tmp_path):
    """Clients of IPv4 are mapped to IPv6 there; the count is the same."""
    etcd, _ = needed("3.5.1")
    client, peer = free_ports(2)
    command = [
        etcd, "--name=one", f"--data-dir={tmp_path / 'data'}", f"--listen-client-urls=http://0.0.0.0:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}", f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}", f"--initial-cluster=one=http://127.0.0.1:{peer}",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not is_healthy(f"http://127.0.0.1:{client}"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with urllib.request.urlopen(f"http://127.0.0.1:{client}/metrics", timeout=10) as answer:
            started = read_metrics(answer.read()).started_unix_seconds
        clients = subprocess.Popen([sys.executable, "-c", CONNECT, str(client)], stdout=subprocess.PIPE)
        clients.stdout.readline()
        assert count_connections(client, started) == 7
        # While the member hangs, new connections wait to be accepted: they are clients too.
        process.send_signal(signal.SIGSTOP)
        waiting = subprocess.Popen([sys.executable, "-c", CONNECT, str(client)], stdout=subprocess.PIPE)
        waiting.stdout.readline()
        assert count_connections(client, started) == 14
        for one in (clients, waiting):
            one.kill()
            one.communicate()
    finally:
        process.kill()
        process.wait()
    shutil.rmtree(tmp_path)


def test_unknown_without_proc(member, monkeypatch):
    monkeypatch.setattr(psutil, "PROCFS_PATH", "/no/such/folder")
    assert count_connections(*member) is None


def test_unknown_without_psutil(member, monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert count_connections(*member) is None


def test_unknown_without_permission(member, monkeypatch):
    """As on macOS, where only root may list the connections of other processes."""

    def deny(_kind):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", deny)
    assert count_connections(*member) is None
