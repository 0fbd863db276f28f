"""A column of Kubernetes nodes sizes rows as `size` does: the larger tier wins, and nodes alone are enough."""

import numpy as np
import pyarrow as pa
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import EDGES

from etcdsize import ColumnError, load_tiers, size
from etcdsize.batches.columns import pick_columns
from etcdsize.batches.options import BatchOptions
from etcdsize.batches.sizer import BatchSizer
from etcdsize.fleet.nodes import node_codes
from etcdsize.units import DIMENSIONS

NAMES = ("clients", "rps", "data_bytes", "kubernetes_nodes")
NODES = st.sampled_from([0, 1, 49, 50, 51, 250, 251, 1000, 1001, 3000, 3001, 2**40]) | st.integers(0, 5000)


def answers(columns, **options):
    names = list(columns)
    sizer = BatchSizer.of(BatchOptions.of(**{"provider": "aws", "catalog": "guide", **options}), names)
    return sizer(pa.record_batch(list(columns.values()), names=names)).to_pylist()


def loads():
    parts = [st.none() | st.sampled_from(edges) | st.integers(0, 2 * edges[-1]) for edges in EDGES.values()]
    return st.tuples(*parts, st.none() | NODES)


@examples(30)
@given(st.lists(loads(), max_size=20), st.sampled_from([0.0, 0.3]), st.sampled_from(["guide", "etcd.io"]))
def test_every_row_is_sized_as_one_cluster_is(rows, headroom, tiers):
    columns = {name: pa.array([row[place] for row in rows], pa.int64()) for place, name in enumerate(NAMES)}
    found = answers(columns, headroom=headroom, tiers=tiers, on_missing="unknown")
    for row, answer in zip(rows, found, strict=True):
        if row == (None, None, None, None):
            assert (answer["tier"], answer["problem"]) == (None, "nothing known: every dimension is missing")
            continue
        given_loads = dict(zip((*DIMENSIONS, "kubernetes_nodes"), row, strict=True))
        one = size(**given_loads, provider="aws", headroom=headroom, tiers=tiers, basis="guide")
        assert (answer["tier"], answer["machine_type"]) == (one.tier, one.machine.machine_type)
        assert answer["tightest"] == one.tightest
        order = (*DIMENSIONS, "kubernetes_nodes")
        assert answer["forced_by"] == ";".join(name for name in order if name in one.forced_by)
        codes = {notice.code for notice in one.notices if notice.severity != "info"}
        # A row has the machine of the guide, and says so where `size` names one for the load.
        if size(**given_loads, tiers=tiers).load_decides:
            codes.add("guide-machine")
        assert set((answer["notices"] or "").split(";")) - {""} == codes


@examples(30)
@given(st.lists(NODES | st.none(), max_size=20))
def test_nodes_alone_are_enough(nodes):
    """A file with no other figure needs no option, and a row without nodes is a problem."""
    found = answers({"Nodes": pa.array(nodes, pa.int64())})
    for count, answer in zip(nodes, found, strict=True):
        if count is None:
            assert (answer["tier"], answer["problem"]) == (None, "Nodes: missing")
            continue
        one = size(kubernetes_nodes=count, provider="aws")
        assert (answer["tier"], answer["tightest"]) == (one.tier, None)
        assert answer["forced_by"] == ";".join(one.forced_by)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint32", "int64", "uint64", "float32", "float64"])
def test_nodes_of_every_dtype(kind):
    table = load_tiers("guide")
    values = [
        value
        for value in (0, 50, 51, 127, 250, 251, 1000, 5000)
        if value <= (127 if kind == "int8" else 255 if kind == "uint8" else 5000)
    ]
    expected = [size(kubernetes_nodes=value).tier for value in values]
    assert [table.names[code] for code in node_codes(np.array(values, kind), table)] == expected


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("1.5", "nodes: got 1.5, expected a whole number of 0 or more"),
        ("-1", 'nodes: got "-1", expected a count such as "300"'),
        ("x", 'nodes: got "x", expected a count such as "300"'),
        ("2k", 'nodes: got "2k", expected a count such as "300"; did you mean "2"?'),
    ],
)
def test_a_number_that_is_none_of_nodes_is_a_problem(cell, problem):
    found = answers({"nodes": pa.array([cell, "51", "5e1"])})
    assert found[0]["problem"].startswith(problem.partition(";")[0])
    assert [row["tier"] for row in found] == [None, "medium", "small"]


def test_numbers_that_are_none_of_nodes():
    found = answers({"nodes": pa.array([-1.0, float("nan"), float("inf"), 0.5, 51.0])})
    assert [row["tier"] for row in found] == [None, None, None, None, "medium"]


class TestColumns:
    def test_it_is_found_beside_a_load(self):
        assert pick_columns(["nodes", "clients", "rps", "data"])["kubernetes_nodes"].position == 0

    def test_it_can_be_left_out(self):
        """A column `nodes` may count the members of etcd."""
        found = pick_columns(["nodes", "clients", "rps", "data"], unknown=["kubernetes_nodes"])
        assert "kubernetes_nodes" not in found

    @pytest.mark.parametrize("name", ["clinets", "requests", "size"])
    def test_a_column_that_looks_like_a_load_is_not_passed_over(self, name):
        with pytest.raises(ColumnError, match=f'is it "{name}"'):
            pick_columns(["nodes", name])

    def test_a_load_beside_it_needs_all_dimensions(self):
        with pytest.raises(ColumnError, match=r"has no column for requests_per_second .*data_bytes"):
            pick_columns(["nodes", "clients"])
