"""The measured tiers: the page says what the rows say, and a cluster carries a small load."""

from __future__ import annotations

import pytest
from etcds import needed

from benchmarks.tiers import carried as measuring
from benchmarks.tiers.carried import LEVELS, carried, predicted
from benchmarks.tiers.page import PAGE, ROWS, rows_of, table_of

MEASURED = rows_of(ROWS)


def test_every_minor_version_has_the_three_tiers():
    assert {(row.etcd_version.rpartition(".")[0], row.inputs["tier"]) for row in MEASURED} == {
        (version, level["tier"]) for version in ("3.4", "3.5", "3.6", "3.7") for level in LEVELS
    }


def test_the_small_and_the_medium_tier_are_carried_in_full():
    """Of the large one, as much as the machine carries."""
    for row in MEASURED:
        if row.inputs["tier"] != "large":
            assert row.outputs["asked_per_second"] == row.inputs["requests"][-1]


def test_the_page_has_every_row():
    page = PAGE.read_text()
    assert table_of(ROWS, page) == page


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: f"{row.etcd_version} {row.inputs['tier']}")
def test_the_tiers_are_carried_and_take_about_what_is_predicted(row):
    """The members of a cluster share two cores with their clients, so that half as much more is no surprise."""
    found, model = row.outputs, predicted(row.etcd_version, row.inputs, row.outputs)
    assert found["requests_per_second"] >= 0.98 * found["asked_per_second"]
    assert model.cpu.leader_cores.low / 1.5 <= found["leader_cores"] <= 1.5 * model.cpu.leader_cores.high
    assert found["leader_memory_bytes"] <= 1.5 * model.memory.limit_bytes.high
    assert model.file.high_water_bytes.low <= found["file_bytes"] <= model.file.high_water_bytes.high


@pytest.mark.slow
def test_a_cluster_carries_a_small_load(monkeypatch):
    etcd, _ = needed("3.6")
    monkeypatch.setattr(measuring, "SECONDS", 2)
    monkeypatch.setattr(measuring, "_FLUSHING", 500)  # the length of the raft log matters to the memory alone
    found = carried(etcd, clients=10, requests=[50], data_bytes=1_000_000)
    assert found["requests_per_second"] == pytest.approx(50, rel=0.05)
    assert 0 < found["read_p50_ms"] <= found["read_p99_ms"] <= found["read_longest_ms"]
    assert 0 < found["follower_cores"] < found["leader_cores"] < 1
