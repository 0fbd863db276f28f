"""Every row of a `FleetSizing` equals what `size` returns for that row alone."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import COMMON, DIMENSIONS, EDGES, HEADROOMS, arrays_of

from etcdsize import (
    INVALID,
    Bound,
    Catalog,
    InvalidWorkloadError,
    OptionError,
    Sizing,
    Tier,
    TierTable,
    WorkloadTypeError,
    classify,
    load_catalog,
    load_tiers,
    size,
    size_fleet,
    tier_for_kubernetes_nodes,
)

BITS = dict(zip(DIMENSIONS, (1, 2, 4)))
PROVIDERS = ["aws", "gce", "gcp", "Google", "AWS"]


def example_fleet(**options):
    return size_fleet(
        [90, 300, 2_000, 10], [150, 800, 15_000, 1], [80e6, 400e6, 3e9, np.nan], on_invalid="mark", **options
    )


class TestEqualsSize:
    """`fleet[i]` equals `size` of the row, and every column agrees with that sizing."""

    @examples(30)
    @given(st.data(), st.integers(1, 8), HEADROOMS, st.sampled_from(["guide", "etcd.io"]), st.integers(1, 9))
    def test_every_row_and_column(self, data, rows, headroom, tiers, members):
        loads = {
            name: data.draw(st.none() | st.sampled_from(COMMON).flatmap(lambda d, n=name: arrays_of(d, EDGES[n], rows)))
            for name in DIMENSIONS
        }
        if all(load is None for load in loads.values()):
            loads["clients"] = np.arange(rows)
        names = data.draw(st.lists(st.sampled_from(PROVIDERS), min_size=rows, max_size=rows))
        provider = data.draw(st.sampled_from([names, np.array(names, object), np.array(names), "aws", "gcp", None]))
        catalog = data.draw(st.sampled_from(["guide", "guide-as-printed"]))
        options = {"headroom": headroom, "tiers": tiers, "members": members, "catalog": catalog}
        fleet = size_fleet(*loads.values(), provider=provider, **options)
        assert len(fleet) == rows
        for row, sizing in enumerate(fleet):
            alone = {name: None if load is None else load[row] for name, load in loads.items()}
            asked = provider if provider is None or isinstance(provider, str) else names[row]
            assert sizing == fleet[row] == fleet[row - rows] == size(**alone, provider=asked, **options)
            assert sizing.tier == fleet.tier_names[row] == load_tiers(tiers).names[fleet.tier_codes[row]]
            if provider is not None:
                assert sizing.machine.machine_type == fleet.machine_types[row]
                assert sizing.machine is fleet.machines[fleet.machine_codes[row]]
            assert fleet.forced_by[row] == sum(BITS[name] for name in sizing.forced_by)
            assert DIMENSIONS[fleet.tightest[row]] == sizing.tightest
            shares = {name: fleet.utilization(name)[row] for name in DIMENSIONS}
            assert {name: share for name, share in shares.items() if not math.isnan(share)} == sizing.utilization
        assert fleet.counts() == {name: fleet.tier_names.tolist().count(name) for name in load_tiers(tiers).names}

    @examples(40)
    @given(st.lists(st.tuples(*[st.floats() | st.integers(0, 2_000).map(float)] * 3), min_size=1, max_size=8))
    def test_marked_rows_have_no_sizing(self, rows):
        columns = np.array(rows).T
        fleet = size_fleet(*columns, provider="aws", on_invalid="mark")
        assert fleet.tier_codes.tolist() == classify(*columns, on_invalid="mark").tolist()
        for index, row in enumerate(rows):
            if all(math.isfinite(load) and load >= 0 for load in row):
                assert fleet[index] == size(**dict(zip(DIMENSIONS, row)), provider="aws")
            else:
                with pytest.raises(InvalidWorkloadError) as caught:
                    fleet[index]
                assert str(caught.value) == f"cluster {index}: cannot be sized"
                assert (caught.value.index, fleet.tier_codes[index]) == (index, INVALID)
                assert fleet.tier_names[index] is fleet.machine_types[index] is None
                assert (fleet.forced_by[index], fleet.tightest[index]) == (0, INVALID)
                assert all(math.isnan(fleet.utilization(name)[index]) for name in DIMENSIONS)
        assert sum(fleet.counts().values()) == len(rows) - (fleet.tier_codes == INVALID).sum()

    def test_several_blocks(self):
        """Columns are made block by block; a fleet larger than one block has the same answers at the seams."""
        rows = 140_000
        random = np.random.default_rng(5)
        loads = [random.choice(np.array([0, *e, e[1] + 1, 3 * e[2]], float), rows) for e in EDGES.values()]
        provider = np.where(np.arange(rows) % 3 == 0, "AWS", "gcp")
        fleet = size_fleet(*loads, provider=provider, headroom=0.1)
        for row in (0, 65_535, 65_536, 131_071, 131_072, rows - 1, *random.integers(0, rows, 60).tolist()):
            sizing = size(**{n: x[row] for n, x in zip(DIMENSIONS, loads)}, provider=str(provider[row]), headroom=0.1)
            assert fleet[row] == sizing
            assert fleet.machine_types[row] == sizing.machine.machine_type
            assert fleet.forced_by[row] == sum(BITS[name] for name in sizing.forced_by)
            assert DIMENSIONS[fleet.tightest[row]] == sizing.tightest
            assert fleet.utilization("data_bytes")[row] == sizing.utilization["data_bytes"]


class TestOwnTable:
    """A user's own tiers, with bounds far from the guide's, are followed by both alike."""

    def test_loads_far_past_tiny_bounds(self):
        bound = Bound(limit=1e-9, inclusive=True)
        table = TierTable(
            name="mine",
            tiers=[
                Tier(name="small", **dict.fromkeys(DIMENSIONS, bound), kubernetes_nodes=1),
                Tier(name="xlarge", kubernetes_nodes=2),
            ],
        )
        loads = [0, 1e-9, 2e-9, 1.5, sys.float_info.max]
        fleet = size_fleet(loads, None, loads[::-1], provider="gce", tiers=table)
        assert fleet.tier_names.tolist() == ["xlarge", "xlarge", "xlarge", "xlarge", "xlarge"]
        assert fleet.forced_by.tolist() == [4, 4, 5, 1, 1]
        assert fleet.utilization("clients")[-1] == sys.float_info.max
        for row, load in enumerate(loads):
            sizing = size(clients=load, data_bytes=loads[::-1][row], provider="gce", tiers=table)
            assert fleet[row] == sizing == Sizing.model_validate_json(sizing.model_dump_json())
            assert fleet.utilization("data_bytes")[row] == sizing.utilization["data_bytes"]


class TestColumns:
    def test_example(self):
        fleet = example_fleet(provider=["aws", "gcp", "AWS", "gce"])
        assert fleet.tier_codes.tolist() == [0, 1, 3, INVALID]
        assert fleet.tier_names.tolist() == ["small", "medium", "xlarge", None]
        assert fleet.machine_types.tolist() == ["m4.large", "n1-standard-4", "m4.4xlarge", None]
        assert fleet.machine_codes.tolist() == [0, 5, 3, 8]
        assert fleet.forced_by.tolist() == [0, 1 | 2 | 4, 1 | 2 | 4, 0]
        assert fleet.tightest.tolist() == [0, 1, 2, INVALID]
        assert fleet.utilization("clients").tolist()[:3] == [0.9, 0.6, 2_000 / 1_500]
        assert fleet.counts() == {"small": 1, "medium": 1, "large": 0, "xlarge": 1}
        assert repr(fleet) == "<FleetSizing of 4 clusters: {'small': 1, 'medium': 1, 'large': 0, 'xlarge': 1}>"
        assert (fleet.headroom, fleet.members, fleet.tiers.name, fleet.catalog.name) == (0.0, 3, "guide", "guide")

    def test_dtypes_and_read_only(self):
        fleet = example_fleet(provider="aws")
        for name, dtype in [
            ("tier_codes", "u1"), ("tier_names", "O"), ("machine_types", "O"), ("machine_codes", "u2"),
            ("forced_by", "u1"), ("tightest", "u1"),
        ]:  # fmt: skip
            column = getattr(fleet, name)
            assert (column.dtype, column.shape) == (np.dtype(dtype), (4,))
            assert column is getattr(fleet, name)
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 1
        assert fleet.utilization("clients").dtype == np.float64

    def test_utilization_of_an_unknown_dimension_raises(self):
        with pytest.raises(OptionError) as caught:
            example_fleet().utilization("client")
        assert str(caught.value) == (
            'dimension: got "client", expected clients, requests_per_second or data_bytes; did you mean "clients"?'
        )

    def test_scalars_broadcast(self):
        fleet = size_fleet([50, 600], 5, None, provider="aws")
        assert fleet.tier_names.tolist() == ["small", "large"]
        assert len(size_fleet(5, 5, 5, provider=["aws", "gce", "gce"])) == 3
        assert len(size_fleet(5, 5, 5)) == 1

    def test_empty(self):
        for provider in ("aws", [], None):
            fleet = size_fleet([], [], [], provider=provider)
            assert (len(fleet), list(fleet), fleet.counts()) == (0, [], dict.fromkeys(load_tiers("guide").names, 0))
            assert fleet.forced_by.shape == fleet.tightest.shape == fleet.utilization("clients").shape == (0,)
            if provider is not None:
                assert fleet.machine_types.tolist() == []

    @pytest.mark.parametrize("index", [4, -5, 10**30])
    def test_out_of_range(self, index):
        with pytest.raises(IndexError, match=f"^index {index} is out of range for a fleet of 4 clusters$"):
            example_fleet()[index]

    @pytest.mark.parametrize("index", [slice(0, 2), 1.0, "1", None, (0, 1), [0]])
    def test_not_an_index(self, index):
        with pytest.raises(OptionError, match=r"^index: got .*, expected an integer$"):
            example_fleet()[index]

    def test_numpy_index(self):
        assert example_fleet()[np.uint8(1)].tier == "medium"


class TestProvider:
    """One name, or one per cluster, in any spelling; a misspelt one is invalid, never guessed, any other has a tier."""

    def test_unknown_raises(self):
        with pytest.raises(InvalidWorkloadError) as caught:
            size_fleet([1, 2, 3, 4], 1, 1, provider=["aws", "awz", "oracle", "amazom"])
        error = caught.value
        assert str(error) == (
            'provider[1]: got "awz", expected the name of a provider; did you mean "aws"? (2 clusters); '
            'on_invalid="mark" sizes the rest'
        )
        assert (error.dimension, error.index, error.value, error.count) == ("provider", 1, "awz", 2)

    @pytest.mark.parametrize("other", ["oracle", "Azure", "Microsoft Azure", "on-prem", "阿里云", "rack 7"])
    def test_one_without_machines_has_a_tier(self, other):
        fleet = size_fleet([1, 300, 2], 1, 1e6, provider=["aws", other, "EKS"])
        assert fleet.tier_names.tolist() == ["small", "medium", "small"]
        assert fleet.machine_types.tolist() == ["m4.large", None, "m4.large"]
        assert (fleet[1].tier, fleet[1].machines, fleet[1].cost_per_month) == ("medium", {}, {})
        assert [notice.code for notice in fleet[1].notices] == ["dedicated-machine", "no-machines"]
        assert fleet[1].notices[-1].text == (
            'The catalog "guide" has no machine of the cluster\'s provider, so the answer is the tier and its needs.'
        )

    def test_the_number_of_its_column_does_not_matter(self):
        names = ["aws", "gce", "azure", "ibm"] * 20_000
        fleet = size_fleet(np.full(80_000, 300), 1, 1, provider=names)
        assert fleet.machine_types.tolist() == ["m4.xlarge", "n1-standard-4", None, None] * 20_000

    @pytest.mark.parametrize("bad", ["asw", "azur", "gogle cloud", "", " ", None, math.nan, 5, b"aws"])
    def test_unknown_marks(self, bad):
        provider = np.array(["aws", bad, "gce"], object)
        fleet = size_fleet([1, 2, 300], 1, 1, provider=provider, on_invalid="mark")
        assert fleet.tier_codes.tolist() == [0, INVALID, 1]
        assert fleet.machine_types.tolist() == ["m4.large", None, "n1-standard-4"]
        with pytest.raises(InvalidWorkloadError):
            fleet[1]

    def test_one_misspelt_name_is_an_option(self):
        with pytest.raises(OptionError, match=r'^provider: got "awz"'):
            size_fleet([1], 1, 1, provider="awz", on_invalid="mark")

    def test_one_name_without_machines_has_tiers(self):
        fleet = size_fleet([1, 300], 1, 1e6, provider="our racks")
        assert fleet.tier_names.tolist() == ["small", "medium"]
        assert fleet.machine_types.tolist() == [None, None]
        assert [notice.code for notice in fleet[0].notices] == ["dedicated-machine", "no-machines"]

    def test_none_gives_tiers_without_one_machine(self):
        fleet = example_fleet()
        assert fleet.tier_names.tolist() == ["small", "medium", "xlarge", None]
        assert list(fleet[0].machines) == ["aws", "gce"]
        with pytest.raises(OptionError) as caught:
            _ = fleet.machine_types
        assert str(caught.value) == (
            'provider: got none, expected one name, or one per cluster, because the catalog "guide" has machines of '
            "aws, gce"
        )

    def test_none_is_enough_where_the_catalog_has_one(self):
        machines = [machine for machine in load_catalog("guide").machines if machine.provider == "gce"]
        fleet = example_fleet(catalog=Catalog(name="mine", machines=machines))
        assert fleet.machine_types.tolist() == ["n1-standard-2", "n1-standard-4", "n1-standard-16", None]


class TestInvalidArguments:
    def test_invalid_loads_raise(self):
        with pytest.raises(InvalidWorkloadError, match=r"^data_bytes\[3\]: got nan"):
            size_fleet([90, 300, 2_000, 10], 1, [80e6, 400e6, 3e9, np.nan], provider="aws")
        with pytest.raises(WorkloadTypeError, match=r"^clients: got dtype bool"):
            size_fleet([True], 1, 1)
        with pytest.raises(InvalidWorkloadError, match=r"^nothing known of the workload"):
            size_fleet(None, None, None)

    def test_shapes_must_broadcast(self):
        with pytest.raises(InvalidWorkloadError, match=r"^got shapes that do not broadcast: clients \(2,\), data_"):
            size_fleet([1, 2], None, [1, 2, 3])
        with pytest.raises(InvalidWorkloadError) as caught:
            size_fleet([1, 2], 1, 1, provider=["aws"] * 3)
        assert str(caught.value) == (
            "got shapes that do not broadcast: the loads (2,), provider (3,); expected one provider, or one per cluster"
        )
        with pytest.raises(InvalidWorkloadError) as caught:
            size_fleet(np.ones((2, 2)), 1, 1)
        assert str(caught.value) == "got loads of shape (2, 2), expected one axis, with one load per cluster"

    @pytest.mark.parametrize(
        "options", [{"headroom": 1}, {"members": 0}, {"tiers": "x"}, {"catalog": "x"}, {"on_invalid": "x"}]
    )
    def test_an_invalid_option_raises(self, options):
        with pytest.raises(OptionError) as caught:
            size_fleet([1], 1, 1, **options)
        assert [caught.value.option] == list(options)


class TestKubernetesNodes:
    """Guide: the examples are clusters of 50, 250, 1000 and 3000 nodes; read as at most."""

    NODES = (0, 50, 51, 250, 251, 1_000, 1_001, 3_000, 3_001, 10**9)
    TIERS = ("small", "small", "medium", "medium", "large", "large", "xlarge", "xlarge", "xlarge", "xlarge")

    @pytest.mark.parametrize("tiers", ["guide", "etcd.io"])
    def test_bounds(self, tiers):
        for nodes, tier in zip(self.NODES, self.TIERS):
            name = tier_for_kubernetes_nodes(nodes, tiers=tiers)
            assert (type(name), name) == (str, tier)
            assert size(kubernetes_nodes=nodes, tiers=tiers).tier == tier
        assert tuple(tier_for_kubernetes_nodes(self.NODES, tiers=tiers)) == self.TIERS

    @pytest.mark.parametrize("dtype", COMMON, ids=str)
    def test_arrays(self, dtype):
        assert tier_for_kubernetes_nodes(np.array([[0, 50], [51, 100]], dtype)).tolist() == [
            ["small", "small"],
            ["medium", "medium"],
        ]
        assert tier_for_kubernetes_nodes(np.array([], dtype)).tolist() == []

    def test_part_of_a_node_counts(self):
        assert tier_for_kubernetes_nodes([50.5, 50.0]).tolist() == ["medium", "small"]

    @pytest.mark.parametrize("nodes", [-1, math.nan, math.inf, [5, -3]])
    def test_invalid(self, nodes):
        with pytest.raises(InvalidWorkloadError, match=r"^kubernetes_nodes: got .*, expected a number of 0 or more$"):
            tier_for_kubernetes_nodes(nodes)

    @pytest.mark.parametrize("nodes", [None, True, "50", [None], 1j])
    def test_types(self, nodes):
        with pytest.raises(WorkloadTypeError, match=r"^kubernetes_nodes: got "):
            tier_for_kubernetes_nodes(nodes)
