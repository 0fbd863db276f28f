"""What the experiments on the file measured on each version, against the table of bytes a revision."""

from pathlib import Path

import pytest

from benchmarks.resources.experiment import Row
from benchmarks.resources.file_size import unused_share
from etcdsize.resources.coefficients import load_coefficients
from etcdsize.resources.revision_bytes import fragmentation, revision_bytes, share_of_runs

ROWS = Path(__file__).parents[2] / "benchmarks" / "resources" / "rows"
VERSIONS = ("3.4.23", "3.5.35", "3.6.16", "3.7.3")


def rows(version: str, experiment: str) -> list[Row]:
    return [row for row in Row.read(ROWS / f"{version}.jsonl") if row.experiment == experiment]


@pytest.mark.parametrize("version", VERSIONS)
class TestAppended:
    """A file has about 75 kB besides its revisions, and each takes what the simulation says, on every version."""

    def test_the_simulation_gives_the_file_in_use(self, version: str) -> None:
        found = rows(version, "file-size")
        assert len(found) >= 40
        for row in found:
            out = row.outputs
            simulated = 75_000 + out["revisions"] * out["simulated_bytes_per_revision"]
            # What the last commit replaced still counts as used.
            replaced = 120_000 + 12 * row.inputs["value_bytes"]
            assert out["in_use_bytes"] == pytest.approx(simulated, rel=0.03, abs=replaced), row.inputs

    def test_the_table_gives_what_irregular_commits_take(self, version: str) -> None:
        """Where the element is not beside a step: the table's revisions have longer numbers than the experiment's."""
        for row in rows(version, "file-size"):
            value, puts = row.inputs["value_bytes"], row.inputs["puts_per_commit"]
            if row.inputs["commits"] == "irregular" and value != 500:
                assert row.outputs["bytes_per_revision"] == pytest.approx(revision_bytes(64, value, puts), rel=0.04)

    def test_runs_of_pages_leave_pages_between_them_unused(self, version: str) -> None:
        """Up to 17 % of the file, and less with more puts a commit; none where two elements fit on a page."""
        for row in rows(version, "file-size"):
            key, value, puts = (row.inputs[name] for name in ("key_bytes", "value_bytes", "puts_per_commit"))
            share = share_of_runs(key, value, puts)
            if value >= 500:
                assert -0.06 < unused_share(row) < 0.06 + 0.12 * share, row.inputs


@pytest.mark.parametrize("version", VERSIONS)
class TestUpdated:
    """Updates and compactions leave what the table says, or as much as before where keys are written in order."""

    def test_the_table_holds(self, version: str) -> None:
        found = rows(version, "compaction")
        assert len(found) >= 9
        for row in found:
            low, _, high = fragmentation(64, row.inputs["value_bytes"])
            if row.inputs["order"] == "ordered":
                low = high = 1.0
            assert low * 0.95 <= row.outputs["in_use_of_fresh"] <= high * 1.05, row.inputs


@pytest.mark.parametrize("version", VERSIONS)
class TestWrites:
    """What a write takes of the log and of a commit is the same on every version, but for 3.4's leases."""

    def test_a_put_takes_its_key_its_value_and_48_to_56_bytes_of_the_log(self, version: str) -> None:
        for row in rows(version, "wal"):
            if row.inputs["request"] == "put":
                assert 48 <= row.outputs["overhead_bytes"] <= 56

    def test_the_metric_counts_small_records_twice_until_3_5(self, version: str) -> None:
        twice = 2 if version.startswith(("3.4.", "3.5.")) else 1
        for row in rows(version, "wal"):
            assert row.outputs["reported_of_written"] == pytest.approx(twice, rel=0.01)

    def test_a_commit_waits_for_the_disk_two_times(self, version: str) -> None:
        for row in rows(version, "commits"):
            assert row.outputs["fsyncs_per_commit"] == pytest.approx(2, abs=0.02)

    def test_a_lease_that_ends_is_a_commit_but_in_3_4_23(self, version: str) -> None:
        """Since 3.4.30 and 3.5.12 a pending deletion commits at once; 3.4.23 is older."""
        for row in rows(version, "lease-end"):
            assert row.outputs["commits_per_revoke"] == pytest.approx(0 if version == "3.4.23" else 1, abs=0.05)
        # The answer for a minor version is for all its patches.
        commits = load_coefficients(version).coefficients["commits_per_revoke"]
        assert commits.value == commits.high == 1
        assert commits.low == pytest.approx(0 if version == "3.4.23" else 1, abs=0.05)


@pytest.mark.parametrize("version", VERSIONS)
def test_kinds_that_are_written_together_take_what_is_predicted(version: str) -> None:
    """The sum of the kinds alone is up to a quarter low."""
    found = rows(version, "file-mix")
    assert len(found) >= 8
    for row in found:
        assert row.outputs["predicted_bytes"] == pytest.approx(row.outputs["bytes"], rel=0.04), row.inputs
    assert min(row.outputs["kinds_alone_bytes"] / row.outputs["bytes"] for row in found) < 0.8
