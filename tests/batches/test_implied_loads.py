"""Requests and data that follow from further columns, in rows in which they are unknown: the tier is that of `size`."""

from __future__ import annotations

import pyarrow as pa
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import ColumnError, Profile, size, size_frame

FIGURES = ("keys", "key_bytes", "value_bytes", "reads_per_second", "writes_per_second")
CELLS = st.none() | st.sampled_from([0.0, 1.0, 40.0, 300.0, 2000.0, 1e5])


def answers(rows, *names, **options):
    frame = pa.table({name: pa.array([row.get(name) for row in rows], options.pop(name, None)) for name in names})
    return size_frame(frame, provider="aws", resources=True, **options).to_pylist()


def column(name, value, *names, **options):
    return [row[name] for row in answers([value], *names, **options)]


@examples(10)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(("clients", "data_bytes", *FIGURES), CELLS)), min_size=1))
def test_a_row_has_the_tier_of_the_single_answer(rows):
    for row, found in zip(rows, answers(rows, "clients", "data_bytes", *FIGURES, on_missing="unknown")):
        known = {name: value for name, value in row.items() if value is not None}
        try:
            single = size(Profile(**known), provider="aws", basis="guide")
        except ValueError:
            single = None
        if single is None or set(single.workload.loads) == {None}:
            assert (bool(found["problem"]), found["tier"]) == (True, None)
            continue
        assert (found["problem"], found["tier"]) == (None, single.tier)
        assert set((found["forced_by"] or "").split(";")) - {""} == set(single.forced_by)
        assert found["quota_bytes"] == single.resources.quota_bytes
        partly = "lower" in single.workload.certainties or None in single.workload.loads
        assert ("unknown-dimension" in (found["notices"] or "")) == partly


def test_figures_alone_are_a_load():
    """1,000 keys of 3 MB are 3 GB, even if the file lacks all three of the guide's columns."""
    (row,) = answers([{"keys": 1000, "value_bytes": 3e6, "writes_per_second": 1}], "keys", "value_bytes", FIGURES[4])
    assert (row["tier"], row["forced_by"], row["problem"]) == ("xlarge", "data_bytes", None)
    with pytest.raises(ColumnError, match="has no column for clients"):
        answers([{"keys": 1000}], "keys")


def test_a_row_without_any_figure_has_a_problem():
    rows = answers([{"keys": 1e5, "value_bytes": 100}, {}, {"keys": 5}], "keys", "value_bytes")
    assert [row["problem"] is None for row in rows] == [True, False, False]
    assert rows[2]["problem"] == "nothing known: every dimension is missing"


def test_an_empty_cell_stays_a_problem_unless_it_is_unknown():
    row = {"clients": 3, "keys": 1000, "value_bytes": 3e6, "data_bytes": None}
    names = ("clients", "data_bytes", "keys", "value_bytes")
    options = {"data_bytes": pa.float64(), "unknown": ["requests_per_second"]}
    assert column("problem", row, *names, **options) == ["data_bytes: missing"]
    assert column("tier", row, *names, on_missing="unknown", **options) == ["xlarge"]


def test_without_the_model_they_are_not_read():
    frame = pa.table({"clients": [3], "keys": [1000], "value_bytes": [3e6]})
    unknown = ["requests_per_second", "data_bytes"]
    assert size_frame(frame, provider="aws", unknown=unknown)["tier"].to_pylist() == ["small"]


@pytest.mark.parametrize(
    ("key_bytes", "verdict", "reason"),
    [(50, "over", None), (None, "unknown", "data_bytes is a lower bound: it may need a larger machine")],
)
def test_an_audit_counts_a_part_of_the_data_as_a_lower_bound(key_bytes, verdict, reason):
    row = {"clients": 5, "rps": 5, "keys": 1000, "key_bytes": key_bytes, "value_bytes": 100, "vm_size": "m6a.4xlarge"}
    (found,) = answers([row], *row, unknown=["data_bytes"], key_bytes=pa.float64())
    assert (found["verdict"], found["reason"]) == (verdict, reason)


def test_an_audit_sees_the_data_that_follows():
    row = {"clients": 5, "rps": 5, "keys": 1000, "value_bytes": 1e6, "vm_size": "m6a.large"}
    assert column("verdict", row, *row, unknown=["data_bytes"]) == ["under"]
