"""Observe many clusters in one run: each is a row, a dead cluster does not affect the others, and memory is bounded."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import io
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from calibrated import model_with, write_model
from members import alone, captured, member
from row_answers import ANSWERS
from servers import answering, serving
from signals import restore_signals

from etcdsize.cli import main
from etcdsize.observation.rows import OBSERVED

HERE = Path(__file__).parents[1] / "support"
METRICS = alone(captured(0))


@pytest.fixture
def run(capsysbinary):
    def run(*arguments):
        try:
            code = main(["observe", *map(str, arguments)])
        except SystemExit as left:
            code = left.code
        printed = capsysbinary.readouterr()
        return code, printed.out.decode(), printed.err.decode()

    return run


@pytest.fixture
def few(tmp_path):
    """Three clusters: one answers, one has a member that is down, and one does not answer."""
    with serving(answering(METRICS)) as port:
        groups = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": "good", "provider": "gcp", "clients": "300"}},
            {"targets": [f"127.0.0.1:{port}", "127.0.0.1:1"], "labels": {"cluster": "part", "provider": "aws"}},
            {"targets": ["127.0.0.1:1"], "labels": {"cluster": "dead", "tier": "gold", "provider": "aws"}},
        ]
        file = tmp_path / "clusters.json"
        file.write_text(json.dumps(groups))
        yield file


def rows_of(path: Path) -> list[dict[str, object]]:
    """Return the rows of a file of any format, as text."""
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
    elif path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        with path.open(newline="") as file:
            return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))

    def text(value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return "" if value is None else str(value)

    return [{name: text(value) for name, value in row.items()} for row in rows]


class TestRows:
    def test_each_cluster_is_one_row(self, run, few, tmp_path):
        code, out, err = run("--targets", few, "--interval", "0.1s", "-o", tmp_path / "out.csv")
        assert (code, err) == (1, "")
        good, part, dead = rows_of(tmp_path / "out.csv")
        assert list(good) == ["cluster", "provider", "label_clients", "label_tier", *OBSERVED, *ANSWERS]
        assert (good["cluster"], good["clients"], good["clients_counted_by"]) == ("good", "300", "given")
        assert (good["members"], good["requests_bound"], good["observed_problem"]) == ("1", "exact", "")
        assert (good["tier"], good["machine_type"], good["problem"]) == ("medium", "n1-standard-4", "")
        assert "lifetime-average" not in good["observed_notices"].split(";")
        assert part["observed_problem"] == (
            "http://127.0.0.1:1: nothing listens there; is the member down, or the port wrong?"
        )
        assert (part["tier"], part["clients_bound"]) == ("small", "estimate")
        assert (dead["label_tier"], dead["tier"], dead["clients"], dead["data_bytes"]) == ("gold", "", "", "")
        assert dead["problem"] == "nothing known: every dimension is missing"
        assert out.startswith(
            "3 clusters observed: 1 complete, 1 partial, 1 unreachable\nNot complete\n  row 2: part: http"
        )
        assert "\n\n3 clusters: 2 sized, 1 not\n" in out

    def test_tier_that_an_estimate_decides_is_named(self, run, tmp_path):
        """150 streams may be 50 clients: the row and the summary say so."""
        streams = (
            'grpc_server_started_total{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"}'
        )
        text = member("a1", leader=True, more=f"{streams} 150\netcd_debugging_mvcc_watch_stream_total 150\n")
        ended = streams.replace("started", "handled").replace("{", '{grpc_code="OK",') + " 0\n"
        with serving(answering(ended + text)) as port:
            groups = [
                {"targets": [f"127.0.0.1:{port}"]},
                {"targets": [f"127.0.0.1:{port}"], "labels": {"clients": "150"}},
            ]
            (tmp_path / "c.json").write_text(json.dumps(groups))
            options = ("--targets", tmp_path / "c.json", "--interval", "0.1s", "--provider", "aws")
            code, out, _ = run(*options, "-o", tmp_path / "o.csv")
            summary = json.loads(run(*options, "--json")[1])
        one, other = rows_of(tmp_path / "o.csv")
        assert (code, one["tier"], one["forced_by"], one["clients_bound"]) == (0, "medium", "clients", "estimate")
        assert "inexact-load-decides" in one["observed_notices"].split(";")
        assert "inexact-load-decides" not in other["observed_notices"]
        assert "\n1 cluster needs its tier only because of an estimate or an upper bound (inexact-load-decides)" in out
        assert summary["inexact_decides"] == 1

    def test_memory_stands_beside_the_model(self, run, tmp_path):
        """The figures of the larger member, and the verdict of the one that is nearest to the model's range."""
        stored = {"keys_total": 20_000, "current_revision": 50_000, "compact_revision": 40_000}
        lines = "".join(f"etcd_debugging_mvcc_{name} {value}\n" for name, value in stored.items())
        small, large = (
            member(name, peers=(other,), leader=name == "a1", more=f"{lines}process_resident_memory_bytes {memory}\n")
            for name, other, memory in (("a1", "b2", 80e6), ("b2", "a1", 90e9))
        )
        with serving(answering(small)) as one, serving(answering(large)) as other:
            (tmp_path / "c.json").write_text(json.dumps([{"targets": [f"127.0.0.1:{port}" for port in (one, other)]}]))
            options = ("--targets", tmp_path / "c.json", "--interval", "0.1s", "--provider", "aws")
            run(*options, "-o", tmp_path / "o.csv")
        (row,) = rows_of(tmp_path / "o.csv")
        assert (row["keys"], row["history_revisions"], row["quota_hours_left"]) == ("20000", "10000", "")
        assert (float(row["resident_bytes"]), row["modelled_memory"]) == (90e9, "above")
        assert 50e6 < float(row["modelled_memory_limit_bytes"]) < 5e9
        assert "memory-above-model" in row["observed_notices"].split(";")

    def test_a_calibrated_model_counts_for_the_clusters_of_its_version(self, run, tmp_path):
        """The other ones are not compared, their machines are judged by the built-in model, and a notice says so."""
        stored = {"keys_total": 20_000, "current_revision": 50_000, "compact_revision": 40_000}
        lines = "".join(f"etcd_debugging_mvcc_{name} {value}\n" for name, value in stored.items())
        lines += "process_resident_memory_bytes 80e6\n"
        model = write_model(tmp_path / "my-model.json", model_with("3.6.16", 40, ("index_per_key", "heap_base")))
        with contextlib.ExitStack() as stack:
            groups = []
            for version in ("3.6.16", "3.5.30"):
                page = member("a1", leader=True, version=version, more=lines)
                port = stack.enter_context(serving(answering(page)))
                labels = {"cluster": version, "current_machine": "m5.large", "clients": "10"}
                groups.append({"targets": [f"127.0.0.1:{port}"], "labels": labels})
            (tmp_path / "c.json").write_text(json.dumps(groups))
            options = ("--targets", tmp_path / "c.json", "--interval", "0.1s")
            run(*options, "-o", tmp_path / "ours.csv")
            _, out, err = run(*options, "--model", model, "-o", tmp_path / "own.csv")
            (tmp_path / "d.json").write_text(json.dumps([{"targets": groups[0]["targets"]}]))
            alike = run("--targets", tmp_path / "d.json", "--interval", "0", "--provider", "aws", "--model", model)[1]
        assert err == ""
        ours, own = rows_of(tmp_path / "ours.csv"), rows_of(tmp_path / "own.csv")
        limit = "modelled_memory_limit_bytes"
        assert float(own[0][limit]) > 2 * float(ours[0][limit])
        assert (ours[1][limit] != "", own[1][limit]) == (True, "")
        assert (
            "1 cluster runs another version of etcd than 3.6, for which the model was calibrated: their members "
            "are not compared with a model, and the built-in model judges their machines. [model-of-another-version]"
        ) in out
        assert "model-of-another-version" not in alike

    def test_what_is_to_know_of_a_version_is_said_once(self, run, tmp_path):
        """Three clusters run 3.5.1, and one of them 3.6.14 too: a single cluster's observation says the same."""
        newer = answering(member("a1", leader=True, version="3.6.14"))
        with serving(answering(METRICS)) as port, serving(newer) as other:
            old, new = f"127.0.0.1:{port}", f"127.0.0.1:{other}"
            groups = [{"targets": [old]}, {"targets": [old]}, {"targets": [old, new]}, {"targets": ["127.0.0.1:1"]}]
            (tmp_path / "c.json").write_text(json.dumps([one | {"labels": {"provider": "aws"}} for one in groups]))
            out = run("--targets", tmp_path / "c.json", "--interval", "0")[1]
            summary = json.loads(run("--targets", tmp_path / "c.json", "--interval", "0", "--json")[1])
            single = run(old, "--interval", "0")[1] + run(new, "--interval", "0")[1]
        said = [line for line in out.splitlines() if "[etcd-" in line]
        assert [line.rpartition("[")[2] for line in said] == ["etcd-support-ends]", *["etcd-unsafe-patch]"] * 2]
        assert set(said) == {line for line in single.splitlines() if "[etcd-" in line}
        assert summary["etcd_versions"] == {"3.5.1": 3, "3.6.14": 1}
        assert [len(notice["details"]) for notice in summary["notices"]] == [0, 17, 2]

    @pytest.mark.parametrize("kind", ["tsv", "jsonl", "parquet"])
    def test_formats_hold_the_same_rows(self, run, few, tmp_path, kind):
        first, other = tmp_path / "out.csv", tmp_path / f"out.{kind}"
        assert run("--targets", few, "--interval", "0.1s", "-o", first)[0] == 1
        assert run("--targets", few, "--interval", "0.1s", "-o", other)[0] == 1
        assert rows_of(other) == rows_of(first)

    def test_parquet_columns_are_typed(self, run, few, tmp_path):
        run("--targets", few, "--interval", "0", "-o", tmp_path / "out.parquet")
        schema = pq.read_schema(tmp_path / "out.parquet")
        assert {name: schema.field(name).type for name in OBSERVED} == OBSERVED

    def test_chosen_columns_go_to_standard_output(self, run, few):
        code, out, err = run("--targets", few, "--interval", "0", "-o", "-", "--columns", "cluster,data_bytes,tier")
        assert code == 1
        assert out == "cluster,data_bytes,tier\ngood,1110016,medium\npart,1110016,small\ndead,,\n"
        assert err.startswith("3 clusters observed")

    def test_json_counts_clusters_and_tiers(self, run, few):
        code, out, _ = run("--targets", few, "--interval", "0", "--json")
        summary = json.loads(out)
        assert (code, summary["clusters"], summary["complete"], summary["partial"], summary["unreachable"]) == (
            1,
            3,
            1,
            1,
            1,
        )
        assert summary["fleet"]["tiers"] == {"small": 1, "medium": 1, "large": 0, "xlarge": 0}

    def test_targets_are_read_from_standard_input(self, few):
        command = [sys.executable, "-m", "etcdsize", "observe", "--targets", "-", "--interval", "0"]
        done = subprocess.run(command, input=few.read_bytes(), capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (1, b"")
        assert done.stdout.startswith(b"3 clusters observed")

    def test_labels_with_the_name_of_a_column_are_renamed(self, run, few):
        """The columns of etcdsize keep their names, and no label is read as part of the load."""
        groups = json.loads(few.read_text())[:1]
        labels = {"clients": "5", "label_clients": "7", "verdict": "v", "size": "big", "rps": "x", "cloud": "aws"}
        groups[0]["labels"] = labels
        few.write_text(json.dumps(groups))
        code, out, _ = run("--targets", few, "--interval", "0", "-o", "-", "--output-format", "jsonl")
        row = json.loads(out)
        kept = {name: row[name] for name in ("label_label_clients", "label_clients", "label_verdict", "size", "rps")}
        assert kept == {
            "label_label_clients": "5", "label_clients": "7", "label_verdict": "v", "size": "big", "rps": "x",
        }  # fmt: skip
        assert (code, row["clients"], row["data_bytes"], row["machine_type"]) == (0, 5, 1_110_016, "m4.large")

    def test_exit_code_is_0_when_all_clusters_answer(self, run, few, tmp_path):
        groups = json.loads(few.read_text())[:1]
        few.write_text(json.dumps(groups))
        assert run("--targets", few, "--interval", "0", "-o", tmp_path / "out.csv", "--provider", "aws")[0] == 0
        assert rows_of(tmp_path / "out.csv")[0]["machine_type"] == "m4.xlarge"

    def test_current_machines_are_audited(self, run, few, tmp_path):
        groups = json.loads(few.read_text())[:1]
        groups[0]["labels"] = {"current_machine": "m5.xlarge", "clients": "300"}
        few.write_text(json.dumps(groups))
        assert run("--targets", few, "--interval", "0", "-o", tmp_path / "out.csv")[0] == 0
        assert rows_of(tmp_path / "out.csv")[0]["verdict"] == "right"


class TestRejected:
    """Errors are one line, come before the first request, and leave an existing file as it is."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["a:1"], "--targets: cannot be used with URL; choose one of the two"),
            (
                ["--clients", "5"],
                "--targets: cannot be used with --clients; set the label clients of each cluster instead",
            ),
            (["--provider", "aws", "--provider", "gce"], "--provider: got 2 providers, expected one with --targets"),
            (
                ["--provider", "alibab"],
                '--provider: got "alibab", expected the name of a provider; did you mean "alibaba"?',
            ),
            (["-o", "old.csv"], "old.csv: already exists; use --force to replace it"),
            (["-o", "out.xlsx"], "out.xlsx: xlsx is read and not written, expected one of csv, tsv"),
            (["-o", "clusters.json", "--force"], "clusters.json: is also the input; give the output another name"),
            (["-o", "out.csv", "--columns", "cluster,tire"], 'clusters.json: has no column "tire"'),
            (["-o", "-", "--output-format", "xml"], '--output-format: got "xml", expected csv, tsv, jsonl, json or '),
            (["--cacert", "/no/such"], "--cacert: /no/such: cannot be read: No such file or directory"),
            (["--interval", "-1"], '--interval: got "-1", expected seconds or a duration'),
        ],
    )  # fmt: skip
    def test_invalid_options_are_rejected(self, run, few, tmp_path, monkeypatch, arguments, message):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "old.csv").write_text("old")
        start = time.monotonic()
        code, out, err = run("--targets", "clusters.json", "--interval", "30s", *arguments)
        assert (code, out) == (2, "")
        assert err.startswith(f"etcdsize: {message}")
        assert len(err.splitlines()) == 1
        assert time.monotonic() - start < 5
        assert (tmp_path / "old.csv").read_text() == "old"
        assert not (tmp_path / "out.csv").exists()

    def test_missing_provider_is_rejected(self, run, few):
        few.write_text(json.dumps([{"targets": ["127.0.0.1:1"]}]))
        assert run("--targets", few) == (
            2,
            "",
            "etcdsize: --provider: missing, and no target has the label provider; set one of them\n",
        )

    @pytest.mark.parametrize(
        ("package", "extra"), [("pyarrow", "fleet"), ("httpx", "observe"), ("prometheus_client", "observe")]
    )
    def test_missing_extra_is_named(self, few, package, extra):
        code = (
            f"import sys; sys.modules['{package}'] = None; from etcdsize.cli import main; sys.exit(main(sys.argv[1:]))"
        )
        command = [sys.executable, "-c", code, "observe", "--targets", few, "--interval", "0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        message = f"etcdsize: {package.replace('_', '-')} is not installed; run: pip install 'etcdsize[{extra}]'\n"
        assert done.stderr == message

    def test_invalid_and_missing_files_of_targets_are_rejected(self, run, tmp_path):
        (tmp_path / "c.json").write_text("[]")
        assert run("--targets", tmp_path / "c.json")[2].startswith(f"etcdsize: {tmp_path}/c.json: got ")
        assert run("--targets", tmp_path / "none")[2] == (
            f"etcdsize: {tmp_path}/none: cannot be read: No such file or directory\n"
        )

    @pytest.mark.parametrize("option", ["--output=x.csv", "--columns=tier", "--force", "--output-format=csv"])
    def test_options_of_rows_need_targets(self, run, option):
        code, out, err = run("a:1", option)
        assert (code, out) == (2, "")
        assert (
            err == f"etcdsize: {option.partition('=')[0]}: cannot be used without --targets; one cluster has no rows\n"
        )

    def test_full_disk_is_named(self, run, few):
        code, _, err = run("--targets", few, "--interval", "0", "-o", "/dev/full", "--output-format", "csv", "--force")
        assert code == 2
        assert err == "etcdsize: /dev/full: cannot be written: No space left on device\n"

    @pytest.mark.slow
    def test_interrupt_leaves_no_file(self, tmp_path):
        out, targets, asked = tmp_path / "out.csv", tmp_path / "clusters.json", threading.Event()

        def answer(connection):
            answering(METRICS)(connection)
            asked.set()

        with serving(answer) as port:
            targets.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"], "labels": {"provider": "aws"}}]))
            command = [sys.executable, "-m", "etcdsize", "observe", "--targets", targets, "-o", out, "--interval", "1m"]
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=restore_signals
            )
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            printed = process.communicate(timeout=60)
        assert (process.returncode, printed) == (130, ("", "etcdsize: interrupted\n"))
        assert not out.exists()


@contextmanager
def simulated(clusters: int):
    """Run simulated clusters of three members; yield the text of their targets file and the process."""
    process = subprocess.Popen(
        [sys.executable, HERE / "simulated.py", str(clusters)], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline(), process
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


PEAK = """
import resource, sys
from etcdsize.cli import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""


def observed(targets: str, folder: Path, *arguments: str) -> tuple[list[dict], int, float]:
    """Return the rows of a run, its peak memory in MiB and its duration in seconds."""
    (folder / "clusters.json").write_text(targets)
    out = folder / "out.csv"
    words = ["observe", "--targets", str(folder / "clusters.json"), "-o", str(out), "--force", *arguments]
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *words], capture_output=True, text=True, check=False, timeout=300
    )
    took = time.monotonic() - start
    assert done.returncode == 1, done.stderr
    return rows_of(out), int(done.stderr), took


class TestThousand:
    """1,000 clusters of three members, observed in one run; every hundredth has a member that is down, one that hangs,
    or none that answers."""

    # Beside the tests that compare times, of which the longest waits for a slow disk.
    @pytest.mark.bench
    @pytest.mark.xdist_group("a thousand clusters")
    def test_rows_are_right_and_memory_is_bounded(self, tmp_path):
        with simulated(100) as (targets, _):
            _, little, _ = observed(targets, tmp_path, "--interval", "1s", "--timeout", "3s")
        with simulated(1_000) as (targets, process):
            rows, most, took = observed(targets, tmp_path, "--interval", "5s", "--timeout", "6s")
            process.terminate()
            connections = int(process.stdout.read())
        assert [row["cluster"] for row in rows] == [f"c{number:04}" for number in range(1_000)]
        errors = []
        for number, row in enumerate(rows):
            kind = number % 100
            assert bool(row["observed_problem"]) == (kind in (7, 8, 9))
            if kind == 9:
                assert (row["tier"], row["requests_per_second"]) == ("", "")
                continue
            members = 2 if kind in (7, 8) else 3
            assert row["requests_bound"] == ("exact" if members == 3 else "lower")
            expected = members * (10 + number)
            errors.append(abs(float(row["requests_per_second"]) - expected) / (expected + 20))
            assert row["clients"] == str(3 * members)
        # A busy machine answers some scrapes late: half a second is a tenth of the interval.
        assert max(errors) < 0.25
        assert sorted(errors)[len(errors) * 95 // 100] < 0.05
        # A hundred members are scraped at a time; the server may see a connection end after the next one begins.
        assert connections < 200
        # Ten times as many clusters need only the memory of the first scrapes that are waiting for their second.
        assert most < little + 60
        assert took < 240

    @pytest.mark.slow(seconds=3)
    def test_terminal_shows_a_progress_bar(self, tmp_path):
        with simulated(20) as (targets, _):
            (tmp_path / "clusters.json").write_text(targets)
            master, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
            command = [sys.executable, "-m", "etcdsize", "observe", "--targets", "clusters.json"]
            with subprocess.Popen(
                [*command, "--interval", "0.5s", "--timeout", "1s"], cwd=tmp_path, stderr=slave, stdout=subprocess.PIPE
            ) as process:
                os.close(slave)
                shown = io.BytesIO()
                while True:
                    try:
                        part = os.read(master, 65536)
                    except OSError:
                        break
                    if not part:
                        break
                    shown.write(part)
                process.communicate()
            os.close(master)
        text = shown.getvalue().decode()
        assert "clusters.json:" in text
        assert "/20.0 [" in text or "/20 [" in text
        assert " clusters/s" in text
