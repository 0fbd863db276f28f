"""How long operations take: an election that etcd leaves to chance, and what the disk and the processor add."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.resources.experiment import Row
from etcdsize import Profile, resources_for
from etcdsize.resources.cases import Asked, evaluate_need
from etcdsize.resources.coefficients import load_coefficients
from etcdsize.resources.fill import fill

ROWS = sorted((Path(__file__).parents[2] / "benchmarks" / "resources" / "rows").glob("*.jsonl"))


def rows_of(file, experiment):
    return [row for row in Row.read(file) if row.experiment == experiment]


def evaluated(row):
    """Return the seconds of a member that holds what a run stored, on the disk that was measured beside it."""
    found = resources_for(
        Profile(
            keys=row.outputs["keys"],
            key_bytes=64,
            value_bytes=row.inputs["value_bytes"],
            writes_per_second=0,
            history_seconds=0,
            puts_per_commit=1_000,
        ),
        etcd_version=row.etcd_version,
        disk_mb_per_second=row.outputs["disk_mb_per_second"],
        fsync_seconds=row.outputs["disk_sync_seconds"],
    )
    return found.seconds


class TestElection:
    """A lone member waits 0 to 1 s for its election: 3.4 and 3.5 up to 1.9 s before their first snapshot."""

    @pytest.mark.parametrize(("version", "most"), [("3.4", 1.9), ("3.5", 1.9), ("3.6", 1.0), ("3.7", 1.0)])
    def test_its_range_is_that_of_the_source(self, version, most):
        found = load_coefficients(version).coefficients["election"]
        assert found.how == "source"
        assert found.low == 0
        assert most < found.high < most + 0.3
        assert found.value == pytest.approx(found.high / 2, rel=1e-4)

    @pytest.mark.parametrize("file", ROWS, ids=lambda file: file.stem)
    def test_every_restart_that_was_measured_lies_in_it(self, file):
        rows = rows_of(file, "election")
        election = load_coefficients(file.stem).coefficients["election"]
        assert {row.inputs["snapshot"] for row in rows} == {False, True}
        for row in rows:
            assert election.low <= row.outputs["fastest_seconds"] < row.outputs["slowest_seconds"] <= election.high

    def test_before_the_first_snapshot_old_versions_wait_a_second_longer(self):
        for file in ROWS:
            fastest = {row.inputs["snapshot"]: row.outputs["fastest_seconds"] for row in rows_of(file, "election")}
            assert (fastest[False] > 1) == file.stem.startswith(("3.4.", "3.5.")), file.stem


class TestOperations:
    """What a run took lies in the range of the model for what it stored."""

    @pytest.mark.parametrize("name", ["snapshot", "restore", "defragment", "compaction"])
    @pytest.mark.parametrize("file", ROWS, ids=lambda file: file.stem)
    def test_every_run_lies_in_the_range(self, file, name):
        for row in rows_of(file, "durations"):
            if not row.inputs["megabytes"]:
                continue  # a compaction of nothing takes no batch
            figure, took = getattr(evaluated(row), name), row.outputs[f"{name}_seconds"]
            assert figure.low <= took <= figure.high, row.inputs

    @pytest.mark.parametrize("name", ["snapshot", "restore"])
    def test_a_tool_takes_time_even_if_nothing_is_stored(self, name):
        for file in ROWS:
            (row,) = [row for row in rows_of(file, "durations") if not row.inputs["megabytes"]]
            figure = getattr(evaluated(row), name)
            assert figure.low <= row.outputs[f"{name}_seconds"] <= figure.high, file.stem

    def test_a_compaction_reads_the_values(self):
        def compaction(value):
            load = fill(Profile(keys=100_000, value_bytes=value, writes_per_second=0, history_seconds=0)).need
            return math.fsum(evaluate_need(load, Asked("3.6")).groups["seconds"]["compaction"])

        assert compaction(20_000) > compaction(200) + 0.2
