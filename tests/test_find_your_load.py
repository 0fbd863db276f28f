"""docs/find-your-load.md on real etcd: its metrics exist, its commands run, and both mean what the page says."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from etcds import ETCDS, environment, needed, running
from needs import program
from paths import DOCS

from etcdsize import Profile, read_profile

PAGE = (DOCS / "find-your-load.md").read_text(encoding="utf-8")
CASES = (DOCS / "worked-cases.md").read_text(encoding="utf-8")
FROM_KUBERNETES = "## From Kubernetes"
"""The section with the metrics of an API server, which etcd does not have."""


class Member:
    """A running member with some keys and leases in it."""

    def __init__(self, name: str, url: str) -> None:
        self.url = url
        self.environment = environment(name) | {"ETCDCTL_API": "3", "ETCDCTL_ENDPOINTS": url}
        # More keys than the script reads at a time.
        for start in range(0, 600, 100):
            carts = [_put(f"/app/carts/{number:04}", "x" * 10) for number in range(start, start + 100)]
            self.post("kv/txn", {"success": carts})
        for number in range(3):
            self.post("kv/put", _put(f"/app/shops/{number}", "y" * 1000)["requestPut"])
        self.lease = self.shell("etcdctl lease grant 600").split()[1]
        self.shell(f"etcdctl put --lease={self.lease} plain z")

    def post(self, path: str, body: object) -> None:
        request = urllib.request.Request(f"{self.url}/v3/{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    def shell(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def metrics(self) -> dict[str, float]:
        """Return the metrics by name, added up over their labels."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        found: dict[str, float] = {}
        for name, value in re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", text, re.M):
            found[name] = found.get(name, 0) + float(value)
        return found


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _put(key: str, value: str) -> dict[str, dict[str, str]]:
    return {"requestPut": {"key": _base64(key), "value": _base64(value)}}


@pytest.fixture(scope="module", params=ETCDS)
def member(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    etcd, _ = needed(request.param)
    with running(etcd, tmp_path_factory.mktemp("member"), []) as url:
        yield Member(request.param, url)


def metrics_of(page: str) -> set[str]:
    text = re.sub(r"^```(?:python|console)\n.*?^```$", "", page, flags=re.M | re.S)
    return set(re.findall(r"\b(?:etcd|grpc_server)_[a-z]+_[a-z_]+\b", text.partition(FROM_KUBERNETES)[0]))


def test_every_field_of_a_load_has_a_row() -> None:
    fields = set(Profile.model_fields) - {"clients_bound", "requests_bound", "data_bound", "assumptions"}
    rows = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (.*?) \|", PAGE, re.M))))
    assert fields - rows == set()


@pytest.mark.slow
class TestMetrics:
    """Every metric that a page names is served by every version."""

    @pytest.mark.parametrize("page", [PAGE, CASES], ids=["find-your-load", "worked-cases"])
    def test_every_metric_exists(self, member: Member, page: str) -> None:
        names = metrics_of(page)
        assert names
        assert names - set(member.metrics()) == set()

    def test_a_write_request_is_one_revision(self, member: Member) -> None:
        before = member.metrics()
        member.post("kv/txn", {"success": [_put("a", "1"), _put("b", "22")]})
        after = member.metrics()
        change = {name: after[name] - before[name] for name in after if name in before}
        assert change["etcd_debugging_mvcc_current_revision"] == 1
        assert change["etcd_mvcc_put_total"] == 2
        assert change["etcd_debugging_mvcc_total_put_size_in_bytes"] == 5
        assert change["etcd_debugging_mvcc_keys_total"] == 2
        member.post("kv/deleterange", {"key": _base64("a"), "range_end": _base64("c")})
        assert member.metrics()["etcd_debugging_mvcc_keys_total"] == before["etcd_debugging_mvcc_keys_total"]

    def test_leases(self, member: Member) -> None:
        before = member.metrics()
        other = member.shell("etcdctl lease grant 100").split()[1]
        member.shell(f"etcdctl lease revoke {other}")
        after = member.metrics()
        assert after["etcd_debugging_lease_revoked_total"] - before["etcd_debugging_lease_revoked_total"] == 1
        assert after["etcd_debugging_lease_ttl_total_sum"] - before["etcd_debugging_lease_ttl_total_sum"] == 100


@pytest.mark.slow
class TestCommands:
    """Every command of the page runs with every version's etcdctl, and prints what the page says."""

    def test_count_the_keys(self, member: Member) -> None:
        (command,) = set(re.findall(r"^etcdctl get .*=fields$", PAGE, re.M))
        assert '"Count" : 604' in member.shell(command)
        assert '"Count" : 3' in member.shell(command.replace('""', "/app/shops/"))

    def test_two_revisions(self, member: Member) -> None:
        command = re.search(r"^etcdctl get .*sleep 60\netcdctl get .*$", PAGE, re.M)
        assert command is not None
        printed = member.shell(command[0].replace("sleep 60", "etcdctl put more 1; etcdctl del more"))
        first, last = (int(number) for number in re.findall(r'"Revision" : (\d+)', printed))
        assert last - first == 2

    def test_leases(self, member: Member) -> None:
        commands = set(re.findall(r"`(etcdctl (?:lease|member) [^`]*)`", PAGE))
        assert commands == {
            "etcdctl lease list",
            "etcdctl lease timetolive ID",
            "etcdctl lease timetolive ID --keys",
            "etcdctl member list",
        }
        printed = {command: member.shell(command.replace("ID", member.lease)) for command in commands}
        assert printed["etcdctl lease list"].splitlines()[0] == "found 1 leases"
        assert "granted with TTL(600s)" in printed["etcdctl lease timetolive ID"]
        assert "attached keys([plain])" in printed["etcdctl lease timetolive ID --keys"]
        assert member.url in printed["etcdctl member list"]

    def test_count_the_connections(self, member: Member) -> None:
        command = re.search(r"^ss .*$", PAGE, re.M)
        assert command is not None
        port = member.url.rpartition(":")[2]
        command_here = command[0].replace("2379", port)
        before = int(member.shell(command_here))
        with socket.create_connection(("127.0.0.1", int(port)), 30):
            assert int(member.shell(command_here)) == before + 1


@pytest.mark.slow
class TestMeasureKeys:
    """docs/examples/measure_keys.py: its whole output, and that it is a profile."""

    def test_output(self, member: Member) -> None:
        script = DOCS / "examples" / "measure_keys.py"
        printed = member.shell(f"{sys.executable} {script}")
        assert printed == MEASURED
        profile = read_profile(printed)
        assert [(kind.name, kind.count.likely, kind.value_bytes.likely) for kind in profile.objects] == [
            ("app/carts", 600, 10),
            ("app/shops", 3, 1000),
            ("other", 1, 1),
        ]

    def test_depth(self, member: Member) -> None:
        printed = member.shell(f"{sys.executable} {DOCS / 'examples' / 'measure_keys.py'} 1")
        assert re.findall(r"^name = (.*)\ncount = (.*)$", printed, re.M) == [('"app"', "603"), ('"other"', "1")]


MEASURED = """\
[load]
largest_value_bytes = 1000

[[load.objects]]
name = "app/carts"
count = 600
key_bytes = 15.0
value_bytes = 10.0

[[load.objects]]
name = "app/shops"
count = 3
key_bytes = 12.0
value_bytes = 1000.0

[[load.objects]]
name = "other"
count = 1
key_bytes = 5.0
value_bytes = 1.0
"""


@pytest.mark.slow
def test_fio(tmp_path: Path) -> None:
    """The command that measures the bandwidth prints it in MB/s, in brackets, and leaves its file."""
    program("fio", "fio")
    command = re.search(r"^fio .*$", PAGE, re.M)
    assert command is not None
    done = subprocess.run(
        ["bash", "-c", command[0].replace("DIR", str(tmp_path)).replace("--size=1g", "--size=4m")],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert re.search(r"WRITE: bw=\S+ \([\d.]+[kMG]?B/s\)", done.stdout), done.stdout + done.stderr
    assert [file.stat().st_size for file in tmp_path.iterdir()] == [4 * 1024**2]
