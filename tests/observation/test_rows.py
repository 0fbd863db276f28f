"""The rows of `observe --targets` are read by `fleet` as they are: what each cluster takes follows from its row."""

from __future__ import annotations

import csv
import json

import pytest
from members import member
from servers import answering, serving

from etcdsize import Profile, resources_for
from etcdsize.batches.columns import ANSWERS, RESOURCE_ANSWERS
from etcdsize.observation.rows import OBSERVED

READ = ("clients", "requests_per_second", "data_bytes", "keys", "key_bytes", "value_bytes", "writes_per_second")
READ += ("reads_per_second", "history_seconds", "watchers", "watch_streams", "leases", "lease_revokes_per_second")
STORED = {
    **{"debugging_mvcc_keys_total": 20_000, "debugging_mvcc_current_revision": 50_000},
    **{"debugging_mvcc_compact_revision": 40_000, "mvcc_put_total": 45_000, "mvcc_delete_total": 0},
    **{"debugging_mvcc_total_put_size_in_bytes": 45_000 * 1_050, "debugging_mvcc_watcher_total": 70},
    **{"debugging_mvcc_watch_stream_total": 7, "debugging_lease_granted_total": 9, "debugging_lease_revoked_total": 0},
}


@pytest.fixture
def observed(run, tmp_path):
    """A function that writes the rows of two clusters, of which one does not answer."""

    def write(name: str, **stored: int) -> None:
        lines = "".join(f"etcd_{name} {value}\n" for name, value in {**STORED, **stored}.items())
        with serving(answering(member("a1", leader=True, data_bytes=33_000_000, more=lines))) as port:
            groups = [
                {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": "orders", "clients": "40"}},
                {"targets": ["127.0.0.1:1"], "labels": {"cluster": "dead"}},
            ]
            (tmp_path / "c.json").write_text(json.dumps(groups))
            words = ["--targets", str(tmp_path / "c.json"), "--interval", "0.1s", "--provider", "aws"]
            assert run("observe", *words, "-o", str(tmp_path / name))[0] == 1

    return write


def rows_of(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_rows_are_sized_again_by_all_that_was_observed(run, observed, tmp_path, kind):
    observed(f"rows.{kind}")
    observed("first.csv")
    words = [str(tmp_path / f"rows.{kind}"), "--provider", "aws", "--missing", "unknown", "--resources"]
    code, _, err = run("fleet", *words, "-o", str(tmp_path / "again.csv"))
    assert err == ""
    (row, dead), (first, _) = rows_of(tmp_path / "again.csv"), rows_of(tmp_path / "first.csv")
    assert code == 1
    assert list(row) == ["cluster", "label_clients", *OBSERVED, *ANSWERS, *RESOURCE_ANSWERS]
    assert [row[name] for name in ("cluster", "tier", "machine_type")] == ["orders", "small", "m4.large"]
    assert [row[name] and float(row[name]) for name in READ] == [first[name] and float(first[name]) for name in READ]
    found = resources_for(Profile(**{name: float(row[name]) for name in READ if row[name]}))
    assert {name for name in READ if not row[name]} == {"history_seconds"}  # nothing is written
    assert row["quota_bytes"] == str(found.quota_bytes)
    assert float(row["memory_limit_bytes"]) == pytest.approx(found.memory.limit_bytes.need, abs=1)
    assert (dead["quota_bytes"], dead["problem"]) == ("", "nothing known: every dimension is missing")


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_each_format_has_each_answer_once(run, observed, tmp_path, kind):
    observed(f"rows.{kind}")
    words = [str(tmp_path / f"rows.{kind}"), "--provider", "gce", "--missing", "unknown"]
    run("fleet", *words, "-o", str(tmp_path / f"again.{kind}"))
    run("fleet", str(tmp_path / f"again.{kind}"), *words[1:], "-o", str(tmp_path / "last.jsonl"))
    rows = [json.loads(line) for line in (tmp_path / "last.jsonl").read_text().splitlines()]
    assert [list(row) for row in rows] == [["cluster", "label_clients", *OBSERVED, *ANSWERS]] * 2
    assert rows[0]["machine_type"].startswith("n1-")


def test_figures_are_those_of_the_profile(observed, tmp_path):
    observed("rows.csv")
    row, _ = rows_of(tmp_path / "rows.csv")
    assert [float(row[name]) for name in ("keys", "key_bytes", "value_bytes", "leases")] == [20_000, 50, 1_000, 9]
    assert [float(row[name]) for name in ("watchers", "watch_streams", "running_quota_bytes")] == [70, 7, 2**31]


@pytest.mark.parametrize("machine", [None, "m6a.large"])
def test_a_few_keys_with_a_long_history_are_sized(run, observed, tmp_path, machine):
    """What is in use is many times what the keys are."""
    observed("rows.csv", debugging_mvcc_keys_total=100, debugging_mvcc_compact_revision=26_000)
    row, _ = rows_of(tmp_path / "rows.csv")
    assert (row["keys"], row["value_bytes"], row["data_bytes"]) == ("100", "1000", "33000000")
    if machine is not None:
        text = (tmp_path / "rows.csv").read_text().splitlines()
        (tmp_path / "rows.csv").write_text(f"{text[0]},vm_size\n{text[1]},{machine}\n")
    words = [str(tmp_path / "rows.csv"), "--provider", "aws", "--missing", "unknown", "--resources"]
    run("fleet", *words, "-o", str(tmp_path / "again.csv"))
    found = rows_of(tmp_path / "again.csv")[0]
    assert (found["tier"], found["problem"]) == ("small", "")
    known = {name: float(row[name]) for name in READ if row[name] and name != "data_bytes"}
    assert found["quota_bytes"] == str(resources_for(Profile(**known)).quota_bytes)
    assert found.get("verdict", "right") == "right"


def test_chosen_columns_may_be_all_with_new_answers(run, observed, tmp_path):
    observed("rows.csv")
    words = [str(tmp_path / "rows.csv"), "--provider", "aws", "--missing", "unknown", "--columns", "*,tier"]
    run("fleet", *words, "-o", str(tmp_path / "again.csv"))
    assert list(rows_of(tmp_path / "again.csv")[0]) == ["cluster", "label_clients", *OBSERVED, "tier"]


def test_answers_in_other_files_are_not_replaced(run, tmp_path):
    (tmp_path / "sized.csv").write_text("clients,rps,data_mb,tier\n1,1,1,small\n")
    code, _, err = run("fleet", str(tmp_path / "sized.csv"), "--provider", "aws")
    assert code == 2
    assert 'has a column "tier", which the answer adds' in err
