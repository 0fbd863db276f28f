"""The experiments of benchmarks/resources: a run leaves one row, and the coefficients are what the rows give."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from etcds import needed
from paths import ROOT

from benchmarks.resources import idle
from benchmarks.resources.__main__ import DATA, ROWS, main
from benchmarks.resources.coefficients import coefficients_of
from benchmarks.resources.experiment import EXPERIMENTS, Row
from benchmarks.resources.questions import MODULES


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks.resources", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def row(experiment, version="3.6.16", date="2026-11-27", **outputs):
    return Row(experiment, {}, 0, outputs, version, {"sha256": "0"}, date, {"cpu": "one"}, 1.0)


class TestCommand:
    def test_without_names_it_lists_every_experiment(self):
        listed = run().splitlines()
        assert [line.split()[0] for line in listed] == sorted(EXPERIMENTS)
        assert all(len(line) <= 120 for line in listed)

    def test_an_unknown_name_is_refused_with_the_known_ones(self):
        command = [sys.executable, "-m", "benchmarks.resources", "idel"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert f"idel: is no experiment; choose from {', '.join(sorted(EXPERIMENTS))}" in done.stderr

    @pytest.mark.slow(seconds=3)
    def test_a_run_leaves_one_row_and_is_not_run_again(self, tmp_path, monkeypatch):
        """The member settles for no time, as how much it takes is not asked here."""
        (etcd, _), rows, data = needed("3.6"), str(tmp_path / "rows"), tmp_path / "data"
        monkeypatch.setattr(idle.time, "sleep", lambda seconds, sleep=time.sleep: sleep(min(seconds, 0.1)))
        main(["idle", "--etcd", etcd, "--rows", rows])
        (file,) = Path(rows).iterdir()
        written = file.read_bytes()
        main(["idle", "--etcd", etcd, "--rows", rows])
        assert file.read_bytes() == written
        (first,) = Row.read(file)
        assert (first.experiment, first.inputs, first.repeat) == ("idle", {}, 0)
        assert file.stem == first.etcd_version

        main(["idle", "--etcd", etcd, "--rows", rows, "--again", "--fit", "--data", str(data)])
        (second,) = Row.read(file)
        assert second != first
        written = json.loads((data / "3.6.json").read_text())
        assert written == json.loads(json.dumps(coefficients_of([second])))
        assert written["coefficients"]["heap_base"]["value"] == pytest.approx(second.outputs["heap_bytes"], rel=1e-4)


class TestCoefficients:
    def test_a_measured_one_is_the_median_with_the_least_and_the_most(self):
        memory = {"stack_bytes": 2.0, "anonymous_bytes": 9.0, "mapped_bytes": 3.0, "program_bytes": 4.0}
        rows = [row("idle", heap_bytes=heap, **memory) for heap in (7.0, 5.0, 6.0)]
        found = coefficients_of(rows)["coefficients"]["heap_base"]
        assert (found["low"], found["value"], found["high"], found["how"]) == (5, 6, 7, "measured")
        assert found["source"].startswith("measured on 3.6.16, 2026-11-27")

    @pytest.mark.parametrize(("version", "most"), [("3.4.23", 5_000), ("3.5.35", 5_000), ("3.6.16", 5_100)])
    def test_what_no_row_gives_has_its_source(self, version, most):
        found = coefficients_of([row("nothing", version)])["coefficients"]
        assert found["raft_kept_most"]["value"] == most
        assert all(each["how"] in ("source", "choice") and each["source"] for each in found.values())

    def test_rows_that_check_the_model_make_no_coefficient(self):
        memory = {"stack_bytes": 2.0, "anonymous_bytes": 9.0, "mapped_bytes": 3.0, "program_bytes": 4.0}
        rows = [row("idle", heap_bytes=6.0, **memory)]
        assert coefficients_of([*rows, row("validation", date="2026-11-28", heap_bytes=9.0)]) == coefficients_of(rows)

    def test_the_short_form_runs_some_of_the_levels_once(self):
        levels = list(EXPERIMENTS["validation"].levels(6))
        assert len(levels) >= 12
        assert EXPERIMENTS["validation"].runs(6, long=False) == [(level, 0) for level in levels[:3]]
        assert EXPERIMENTS["validation"].runs(6, long=True) == [(level, 0) for level in levels]

    def test_every_experiment_answers_one_question_in_one_line(self):
        assert MODULES
        assert all(each.question and "\n" not in each.question for each in EXPERIMENTS.values())


VERSIONS = [path.stem for path in sorted(ROWS.glob("*.jsonl"))]


@pytest.mark.parametrize("version", VERSIONS)
class TestCommittedRows:
    """The rows of the long form, and the coefficients that are written from them."""

    def test_every_experiment_ran_at_every_level(self, version):
        rows = Row.read(ROWS / f"{version}.jsonl")
        missing = [
            (name, inputs)
            for name, experiment in EXPERIMENTS.items()
            for inputs in experiment.levels(int(version.split(".")[1]))
            if not any(row.is_of(name, inputs, 0) for row in rows)
        ]
        assert missing == []

    def test_each_run_has_one_row_with_its_version_program_date_and_machine(self, version):
        rows = Row.read(ROWS / f"{version}.jsonl")
        runs = [json.dumps([row.experiment, row.inputs, row.repeat], sort_keys=True) for row in rows]
        assert len(set(runs)) == len(runs)
        assert {row.etcd_version for row in rows} == {version}
        assert all(row.binary["sha256"] and row.date and row.machine["cpu"] for row in rows)

    def test_each_run_took_about_two_minutes_at_most(self, version):
        """Two minutes on an idle machine; this one also did other work."""
        slow = [(row.experiment, row.seconds) for row in Row.read(ROWS / f"{version}.jsonl") if row.seconds > 150]
        assert slow == []

    def test_the_data_is_what_the_rows_give(self, version):
        written = json.loads((DATA / f"{version.rpartition('.')[0]}.json").read_text())
        assert written == json.loads(json.dumps(coefficients_of(Row.read(ROWS / f"{version}.jsonl"))))

    def test_the_raft_log_keeps_as_many_entries_as_the_source_says(self, version):
        """3.4 and 3.5 trim to 5,000 once the snapshot count is exceeded; 3.6 and later every 100, whatever it is."""
        rows = [row for row in Row.read(ROWS / f"{version}.jsonl") if row.experiment == "raft-kept"]
        assert {row.inputs["snapshot_count"] for row in rows} == {1_000, 4_000}
        for each in rows:
            most = 5_000 + each.inputs["snapshot_count"] if version < "3.6" else 5_100
            assert each.outputs["most_entries"] == pytest.approx(most, rel=0.15)
            assert each.outputs["least_entries"] == pytest.approx(5_000, rel=0.15)
