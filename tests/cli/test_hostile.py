"""One line for one mistake: each row is a command that a hostile or mistyped value used to end badly.

The messages are those of the option or the file at fault, never that of the outermost frame.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time

import pytest
from program import ENVIRONMENT

from etcdsize import load_catalog, load_tiers

# Each starts programs of its own.
pytestmark = pytest.mark.slow

HUGE = "9" * 330
SHOWN = f"{'9' * 57}..."
RANGE = "--data: got {}, expected at most 1e+50; check its unit"
FRACTION = 'expected a fraction from 0 to below 1 such as "0.3" or "30%"'
HOUR = "and at most 3600, an hour"
UTF8 = "expected text in utf-8"
BYTES = "\udcff"

OPTIONS = [
    ("fit --data 1e308", RANGE.format("1e+308")),
    ("fit --data 1.7e308", RANGE.format("1.7e+308")),
    ("bootstrap --local 1 --data 1e308", RANGE.format("1e+308")),
    ("bootstrap --local 1 --data 1.7e308", RANGE.format("1.7e+308")),
    (f"fit --tier small --members {HUGE}", f"--members: got {SHOWN}, expected an integer of 1 or more, and below 2^64"),
    (f"size --clients 5 --members {HUGE}", f"--members: got {SHOWN}, expected an integer of 1 or more, and below 2^64"),
    (f"fit --tier small --limit {HUGE}", f"--limit: got {SHOWN}, expected an integer of 1 or more, and below 2^64"),
    (f"size --clients 5 --headroom {HUGE}%", f'--headroom: got "{SHOWN}", {FRACTION}'),
    (f"size --clients 5 --headroom {'9' * 390}%", f'--headroom: got "{SHOWN}", {FRACTION}'),
    (f"fit --clients 5 --headroom {'9' * 390}%", f'--headroom: got "{SHOWN}", {FRACTION}'),
    (f"fleet f.csv --margin {'9' * 390}%", f'--margin: got "{SHOWN}", {FRACTION}'),
    (f"size --clients {'9' * 5000}", f'--clients: got "{SHOWN}", expected a count such as "300"'),
    (f"size --clients {'x' * 100_000}", f'--clients: got "{"x" * 57}...", expected a count such as "300"'),
    (f"observe 127.0.0.1:1 --interval {HUGE}", f"--interval: got {SHOWN}, expected seconds of 0 or more, {HOUR}"),
    (f"observe 127.0.0.1:1 --timeout {HUGE}", f"--timeout: got {SHOWN}, expected seconds above 0, {HOUR}"),
    ("observe 127.0.0.1:1 --interval 1.1h", f"--interval: got 3960, expected seconds of 0 or more, {HOUR}"),
    (
        f"observe 127.0.0.1:1 --timeout {'9' * 390}ms",
        f'--timeout: got "{SHOWN}", expected seconds or a duration such as "10s", "500ms", "5m" or "1h"',
    ),
    (f"bootstrap --local 1 --token {BYTES}", f'--token: got "\\udcff", {UTF8}'),
    (f"bootstrap --host {BYTES}=10.0.0.1", f'--host: got "\\udcff=10.0.0.1", {UTF8}'),
    (f"bootstrap --host a=1.2.3.4 --zone a={BYTES}", f'--zone: got "a=\\udcff", {UTF8}'),
    (f"bootstrap --local 1 --data-dir {BYTES}", f'--data-dir: got "\\udcff", {UTF8}'),
    (f"runbook --local 1 --snapshot {BYTES}", f'--snapshot: got "\\udcff", {UTF8}'),
    (f"size --clients 5 --provider {BYTES}", f'--provider: got "\\udcff", {UTF8}'),
    (f"size --clients {BYTES}", f'--clients: got "\\udcff", {UTF8}'),
    (f"fleet f.csv --column clients={BYTES}", f'--column: got "clients=\\udcff", {UTF8}'),
    (f"fleet f.csv --columns {BYTES}", f'--columns: got "\\udcff", {UTF8}'),
    (f"observe http://{BYTES}:1", f'URL: got "http://\\udcff:1", {UTF8}'),
    (f"observe a:1 --cacert {BYTES}", "--cacert: \\udcff: cannot be read: No such file or directory"),
    ("observe a:1 --cacert \0", "--cacert: \\x00: cannot be read: embedded null byte"),
    ("catalog import --from aws \0 -o -", "\\x00: cannot be read: embedded null byte"),
    (f"catalog import --from aws {BYTES} -o -", "\\udcff: cannot be read: No such file or directory"),
    ("catalog import --from aws /dev/zero -o -", "/dev/zero: has more than 512 MiB; is it the right file?"),
    ("observe --targets /dev/zero", "/dev/zero: has more than 512 MiB; is it the right file?"),
    ("tiers --tiers sparse.json", "sparse.json: has more than 64 MiB; is it the right file?"),
    ("size --clients 5 --catalog sparse.json", "sparse.json: has more than 64 MiB; is it the right file?"),
    ("machines --catalog vcpus.json", "vcpus.json: row 1, vcpus: "),
    ("fit --tier small --catalog vcpus.json", "vcpus.json: row 1, vcpus: "),
    ("tiers --tiers nodes.json", "nodes.json: row 1, kubernetes_nodes: "),
    (f"{BYTES}", 'unknown command "\\udcff"'),
    (f"size --{BYTES}", "unknown option --\\udcff"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.csv").write_text("clients,rps,data,provider\n1,2,3,aws\n")
    catalog = json.loads(load_catalog("guide").model_dump_json()) | {"name": "own"}
    catalog["machines"][0]["vcpus"] = 10**400
    (tmp_path / "vcpus.json").write_text(json.dumps(catalog))
    table = json.loads(load_tiers("guide").model_dump_json()) | {"name": "own"}
    table["tiers"][0]["kubernetes_nodes"] = 10**400
    (tmp_path / "nodes.json").write_text(json.dumps(table))
    with (tmp_path / "sparse.json").open("wb") as file:
        file.truncate(2**40)
    return tmp_path


@pytest.mark.parametrize(("line", "message"), OPTIONS, ids=[ascii(line[:60]) for line, _ in OPTIONS])
def test_an_option(run, folder, line, message):
    start = time.monotonic()
    code, out, err = run(*line.split(" "))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.partition(": ")[2].startswith(message)
    assert "fault of etcdsize" not in err
    assert time.monotonic() - start < 20


QUERIES = [
    ({"data": "1.7e308"}, RANGE.format("1.7e+308").replace("--data", "data_bytes")),
    ({"headroom": f"{'9' * 390}%"}, f'headroom: got "{SHOWN}", {FRACTION}'),
    ({"members": HUGE}, f"members: got {SHOWN}, expected an integer of 1 or more, and below 2^64"),
    ({"peer_rtt_ms": HUGE}, f"peer_rtt_ms: got {SHOWN}, "),
    ({"hosts": "a=1.2.3.4", "token": "\ud800"}, 'token: got "\\ud800", '),
    ({"hosts": "a=1.2.3.4", "data_dir": "\0"}, 'data_dir: got "\\x00", '),
    ({"hosts": "\ud800=1.2.3.4"}, ""),
    ({"catalog": "\ud800"}, 'catalog: got "\\ud800", '),
    ({"catalog": "\0"}, 'catalog: got "\\x00", '),
    ({"provider": "\ud800"}, 'provider: got "\\ud800", '),
    ({"etcd_version": "\ud800"}, 'etcd_version: got "\\ud800", '),
    ({"\ud800": "x"}, 'query: got the key "\\ud800", '),
]


@pytest.mark.parametrize(("query", "message"), QUERIES, ids=[ascii(query)[:60] for query, _ in QUERIES])
def test_a_query_of_terraform(run, monkeypatch, query, message):
    text = json.dumps({"clients": "5", **query})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, out, err = run("terraform-external")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"etcdsize: {message}")
    assert "fault of etcdsize" not in err


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_targets_with_half_of_a_surrogate_pair(run, tmp_path, monkeypatch, form):
    targets = '[{"targets": ["127.0.0.1:1"], "labels": {"cluster": "\\ud800", "provider": "aws"}}]'
    (tmp_path / "targets.json").write_text(targets)
    monkeypatch.chdir(tmp_path)
    code, _, err = run("observe", "--targets", "targets.json", "--interval", "0", "-o", f"out.{form}")
    assert code in (1, 2)
    assert "fault of etcdsize" not in err


def test_enormous_figures_of_an_own_catalog(run, tmp_path, monkeypatch):
    """Integers that no machine word holds are sized, audited and printed as any other."""
    catalog = json.loads(load_catalog("current").restrict(machine_types=["m8i.large", "m8i.xlarge"]).model_dump_json())
    catalog["name"] = "own"
    for machine in catalog["machines"]:
        machine["price"]["per_hour"] = 2**70
        machine["memory_gib"] = 2**80
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.json").write_text(json.dumps(catalog))
    (tmp_path / "f.csv").write_text("clients,rps,data,provider,current_machine\n1,2,3,aws,m8i.large\n")
    own = ["--catalog", "own.json"]
    assert run("fleet", "f.csv", *own, "-o", "out.csv")[0] == 0
    for words in (["size", "--clients", "5"], ["fit", "--tier", "small"], ["machines"]):
        for form in ([], ["--json"]):
            assert run(*words, *own, *form)[0] == 0


class TestNamesThatAreBytes:
    """A file may have any name that the system allows; messages show it escaped."""

    @pytest.fixture
    def shell(self, tmp_path):
        (tmp_path / os.fsdecode(b"\xff.csv")).write_text("clients,rps,data,provider\n1,2,3,aws\n")
        (tmp_path / os.fsdecode(b"\xff.json")).write_text(load_catalog("guide").model_dump_json())
        targets = '[{"targets": ["127.0.0.1:1"], "labels": {"cluster": "c", "provider": "aws"}}]'
        (tmp_path / os.fsdecode(b"\xff.targets")).write_text(targets)

        def shell(line, code, **environment):
            line = line.replace("@", "$'\\xff'").replace("etcdsize", f"'{sys.executable}' -m etcdsize", 1)
            done = subprocess.run(
                ["bash", "-c", line], cwd=tmp_path, env=ENVIRONMENT | environment, capture_output=True, check=False
            )
            assert done.returncode == code, done.stderr
            assert b"\xff" not in done.stdout + done.stderr
            return done.stderr.decode()

        return shell

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("etcdsize fleet @.csv -o @.out.csv", 0),
            ("etcdsize machines --catalog @.json", 0),
            ("etcdsize observe --targets @.targets --interval 0 -o @.observed.csv", 1),
            ("etcdsize bootstrap --local 1 -o @.d", 0),
        ],
    )
    def test_are_read_and_written(self, shell, line, code):
        shell(line, code)
        shell(line.replace(" -o @", " -o @C"), code, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    def test_are_shown_escaped(self, shell):
        assert shell("etcdsize fleet @.csv -o @.csv", 2) == (
            "etcdsize: \\udcff.csv: is also the input; give the output another name\n"
        )
