"""The answer for one cluster: tier, machines, reasons, and the JSON contract."""

from __future__ import annotations

import json
import math
import sys

import jsonschema
import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import DIMENSIONS, EDGES, HEADROOMS, twin

from etcdsize import (
    InvalidWorkloadError,
    OptionError,
    Profile,
    Sizing,
    TierTable,
    Workload,
    WorkloadTypeError,
    load_tiers,
    size,
)

CODES = ("small", "medium", "large", "xlarge")


def loads(dimension: str) -> st.SearchStrategy:
    near = [
        near for edge in EDGES[dimension] for near in (edge - 1, edge, edge + 1, float(edge), math.nextafter(edge, 0))
    ]
    anything = st.integers(0, 2**64 - 1) | st.floats(0, sys.float_info.max)
    return st.none() | st.sampled_from(near) | st.integers(0, 20_000) | anything


@st.composite
def questions(draw) -> dict:
    """Draw the arguments of a sizing."""
    asked = {name: draw(loads(name)) for name in DIMENSIONS}
    asked["kubernetes_nodes"] = draw(st.none() | st.integers(0, 4_000))
    if all(value is None for value in asked.values()):
        asked["clients"] = 5
    return asked | {
        "provider": draw(st.sampled_from([None, "aws", "gcp", ["gce", "aws"]])),
        "catalog": draw(st.sampled_from(["guide", "guide-as-printed"])),
        "tiers": draw(st.sampled_from(["guide", "etcd.io"])),
        "headroom": draw(HEADROOMS),
        "members": draw(st.integers(1, 9)),
    }


class TestAnswer:
    """A load past any bound of a tier needs the next tier, every dimension that needs it on its own forces it, and
    utilization is relative to the tier's own bound."""

    def test_the_explanation_says_what_the_rest_needs(self):
        one = size(clients=120, requests_per_second=900, data_bytes="1.3GiB")
        assert one.explain().splitlines()[1] == "The data alone needs this tier; the rest needs medium."

    @given(questions())
    def test_agrees_with_the_slow_twin(self, asked):
        sizing = size(**asked)
        measured = {name: asked[name] for name in DIMENSIONS if asked[name] is not None}
        alone = {
            name: twin(asked["tiers"], *(load if d == name else None for d in DIMENSIONS), asked["headroom"])
            for name, load in measured.items()
        }
        nodes = asked["kubernetes_nodes"]
        if nodes is not None:
            alone["kubernetes_nodes"] = 0 if nodes <= 50 else 1 if nodes <= 250 else 2 if nodes <= 1_000 else 3
        code = max(alone.values())
        assert sizing.tier == CODES[code]
        assert set(sizing.forced_by) == ({name for name in alone if alone[name] == code} if code else set())
        assert sizing.tier_alone == {name: CODES[each] for name, each in alone.items()}
        rest = [each for name, each in alone.items() if name not in sizing.forced_by]
        decides = len(sizing.forced_by) == 1 and bool(rest)
        assert sizing.tier_of_the_rest == (CODES[max(rest)] if decides else None)

        assert sizing.utilization == {
            name: min(float(load) / EDGES[name][min(code, 2)], sys.float_info.max) for name, load in measured.items()
        }
        assert sizing.headroom == {name: 1 - share for name, share in sizing.utilization.items()}
        worst_first = [sizing.utilization[name] for name in sizing.forced_by if name != "kubernetes_nodes"]
        assert worst_first == sorted(worst_first, reverse=True)
        if measured:
            assert sizing.utilization[sizing.tightest] == max(sizing.utilization.values())
            assert sizing.workload.loads == tuple(asked[name] for name in DIMENSIONS)
        else:
            assert sizing.workload is sizing.tightest is None
        assert {name: bound.limit for name, bound in sizing.bounds.items()} == {
            name: EDGES[name][min(code, 2)] for name in DIMENSIONS
        }
        assert sizing.is_open_tier is (code == 3)
        assert sizing.headroom_asked == asked["headroom"]
        assert (sizing.tiers, sizing.catalog, sizing.members) == (asked["tiers"], asked["catalog"], asked["members"])
        assert sizing.quorum + sizing.failure_tolerance == sizing.members
        assert all(machine.tier == sizing.tier for machine in sizing.machines.values())

    def test_every_field_of_one_answer(self):
        sizing = size(clients=300, requests_per_second=800, data_bytes="400MB")
        assert sizing.workload == Workload(clients=300, requests_per_second=800, data_bytes=400_000_000)
        assert (sizing.tier, sizing.members, sizing.quorum, sizing.failure_tolerance) == ("medium", 3, 2, 1)
        assert sizing.utilization == {"clients": 0.6, "requests_per_second": 0.8, "data_bytes": 0.8}
        assert sizing.headroom == {"clients": 0.4, "requests_per_second": 1 - 0.8, "data_bytes": 1 - 0.8}
        assert sizing.forced_by == ("requests_per_second", "data_bytes", "clients")
        assert sizing.tightest == "requests_per_second"
        assert {name: machine.machine_type for name, machine in sizing.machines.items()} == {
            "aws": "m4.xlarge",
            "gce": "n1-standard-4",
        }
        assert sizing == size(sizing.workload)

    def test_forced_by_names_the_dimensions_highest_utilization_first(self):
        assert size(clients=101, requests_per_second=5, data_bytes=5).forced_by == ("clients",)
        assert size(clients=101, requests_per_second=5, data_bytes=5e9).forced_by == ("data_bytes",)
        assert size(clients=501, requests_per_second=9_999, data_bytes=5).forced_by == (
            "requests_per_second",
            "clients",
        )
        assert size(clients=100, requests_per_second=199, data_bytes=1e8).forced_by == ()
        assert size(clients=80, headroom=0.3).forced_by == ("clients",)

    def test_utilization_ignores_headroom(self):
        sizing = size(clients=80, requests_per_second=10, headroom=0.3)
        assert (sizing.tier, sizing.utilization) == ("medium", {"clients": 0.16, "requests_per_second": 0.01})

    @pytest.mark.parametrize(
        ("asked", "tier_data", "need_data"),
        [
            ({"clients": 300}, 500_000_000, 500_000_000),
            ({"clients": 300, "data_bytes": 5}, 500_000_000, 500_000_000),
            ({"kubernetes_nodes": 300}, 10**9, 10**9),
            ({"clients": 5_000}, 8 * 2**30, 8 * 2**30),
            ({"data_bytes": 9 * 2**30}, 8 * 2**30, 9 * 2**30),
        ],
    )
    def test_the_need_holds_the_most_data_of_the_tier_or_of_the_load(self, asked, tier_data, need_data):
        sizing = size(**asked)
        assert sizing.tier_data_bytes == tier_data
        assert (sizing.need.tier, sizing.need.data_bytes) == (sizing.tier, need_data)

    def test_a_load_of_which_no_dimension_is_known_has_the_smallest_tier(self):
        found = size(Profile(tls=True))
        assert (found.tier, found.tier_alone, found.tightest) == ("small", {}, None)

    def test_utilization_is_finite(self):
        """JSON has no infinity."""
        tiers = load_tiers("guide").model_dump()
        for tier, clients in zip(tiers["tiers"], (0.1, 0.2, 0.5)):
            tier["clients"]["limit"] = clients
        sizing = size(clients=sys.float_info.max, tiers=TierTable(**tiers))
        assert sizing.utilization == {"clients": sys.float_info.max}

    def test_open_tier_is_relative_to_the_last_bound(self):
        assert size(clients=3_000).utilization == {"clients": 2.0}
        assert size(clients=3_000).headroom == {"clients": -1.0}

    @examples(50)
    @given(questions())
    def test_the_explanation_names_tier_machines_and_notices(self, asked):
        sizing = size(**asked)
        text = sizing.explain()
        assert f"the {sizing.tier} tier." in text
        for part in (*(m.machine_type for m in sizing.machines.values()), *(notice.text for notice in sizing.notices)):
            assert part in text


class TestArguments:
    def test_numpy_scalars_equal_python_numbers(self):
        plain = size(clients=300, requests_per_second=800, data_bytes=4e8, members=5, headroom=0.25, kubernetes_nodes=9)
        assert plain == size(
            clients=np.int16(300),
            requests_per_second=np.float32(800),
            data_bytes=np.array(4e8),
            members=np.uint8(5),
            headroom=np.float16(0.25),
            kubernetes_nodes=np.int64(9),
        )

    @pytest.mark.parametrize(
        ("provider", "names"),
        [
            (None, ["aws", "gce"]),
            ("AWS", ["aws"]),
            ("google", ["gce"]),
            (["gcp", "aws"], ["gce", "aws"]),
            (["gcp", "GCE", "Google"], ["gce"]),
        ],
    )
    def test_providers_by_name_and_alias(self, provider, names):
        assert list(size(clients=1, provider=provider).machines) == names

    def test_machine_needs_a_single_provider(self):
        assert size(clients=1, provider="aws").machine.machine_type == "m4.large"
        with pytest.raises(OptionError) as caught:
            _ = size(clients=1).machine
        assert str(caught.value) == (
            "machine: got 2 machines, one for each provider (aws, gce), expected one; "
            'use machines["aws"], for example, or call size(..., provider="aws")'
        )

    @pytest.mark.parametrize("name", DIMENSIONS)
    def test_a_workload_and_dimensions_exclude_each_other(self, name):
        with pytest.raises(OptionError) as caught:
            size(Workload(clients=1), **{name: 5})
        assert str(caught.value) == "workload: got a workload and dimensions by name, expected only one of them"

    def test_nothing_known_or_no_workload(self):
        with pytest.raises(InvalidWorkloadError, match=r"^nothing known of the workload"):
            size()
        with pytest.raises(WorkloadTypeError) as caught:
            size({"clients": 5})
        assert str(caught.value) == (
            "workload: got {'clients': 5} of type dict, expected a Workload; or pass clients=, requests_per_second= "
            "and data_bytes= by name"
        )

    @pytest.mark.parametrize(
        ("asked", "error", "message"),
        [
            ({"clients": -1}, InvalidWorkloadError, "clients: got -1, expected a number of 0 or more"),
            ({"clients": True}, WorkloadTypeError, "clients: got True of type bool, expected a number of 0 or more"),
            ({"members": 0}, OptionError, "members: got 0, expected an integer of 1 or more"),
            ({"members": 2.5}, OptionError, "members: got 2.5, expected an integer of 1 or more"),
            ({"members": True}, OptionError, "members: got True, expected an integer of 1 or more"),
            (
                {"headroom": 1},
                OptionError,
                "headroom: got 1, expected a number from 0 to below 1; for 1 percent use 0.01",
            ),
            (
                {"provider": "azuer"},
                OptionError,
                'provider: got "azuer", expected the name of a provider; did you mean "azure"?',
            ),
            (
                {"catalog": "giude"},
                OptionError,
                'catalog: got "giude", expected guide, guide-as-printed, current or the path of a JSON file; '
                'did you mean "guide"?',
            ),
        ],
    )
    def test_invalid_arguments_are_rejected(self, asked, error, message):
        with pytest.raises(error) as caught:
            size(**{"clients": 1} | asked)
        assert str(caught.value) == message


class TestKubernetesNodes:
    """Nodes alone give a sizing without a workload; with a measured load as well, the larger tier wins."""

    def test_nodes_without_a_load(self):
        sizing = size(kubernetes_nodes=200)
        assert (sizing.tier, sizing.workload, sizing.kubernetes_nodes) == ("medium", None, 200)
        assert sizing.utilization == sizing.headroom == {}
        assert sizing.bounds == {name: load_tiers("guide").tiers[1].bound(name) for name in DIMENSIONS}
        assert (sizing.forced_by, sizing.tightest) == (("kubernetes_nodes",), None)
        assert size(kubernetes_nodes=0).forced_by == ()

    @pytest.mark.parametrize(
        ("clients", "nodes", "tier", "forced_by"),
        [
            (600, 60, "large", ("clients",)),
            (60, 600, "large", ("kubernetes_nodes",)),
            (600, 600, "large", ("clients", "kubernetes_nodes")),
            (6, 6, "small", ()),
        ],
    )
    def test_the_larger_tier_wins(self, clients, nodes, tier, forced_by):
        sizing = size(clients=clients, kubernetes_nodes=nodes)
        assert (sizing.tier, sizing.forced_by, sizing.tightest) == (tier, forced_by, "clients")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"headroom": 30}, "headroom: got 30, expected a number from 0 to below 1; for 30 percent use 0.3"),
            ({"members": 2.5}, "members: got 2.5, expected an integer of 1 or more"),
        ],
    )
    def test_options_are_checked_without_a_load_too(self, options, message):
        with pytest.raises(OptionError) as caught:
            size(kubernetes_nodes=5, **options)
        assert str(caught.value) == message

    @pytest.mark.parametrize("nodes", [-1, 2**64])
    def test_numbers_out_of_range_are_rejected(self, nodes):
        with pytest.raises(
            InvalidWorkloadError, match=rf"^kubernetes_nodes: got {nodes}, expected an integer of 0 or more$"
        ):
            size(kubernetes_nodes=nodes)

    @pytest.mark.parametrize("nodes", [True, "50", 50.0, math.nan, [50], np.array([50]), np.bool_(1)])
    def test_other_types_are_rejected(self, nodes):
        with pytest.raises(
            WorkloadTypeError, match=r"^kubernetes_nodes: got .* of type .*, expected an integer of 0 or more$"
        ):
            size(kubernetes_nodes=nodes)


class TestJson:
    """JSON round-trips to an equal object, and the schema is the contract for other tools."""

    SCHEMA = jsonschema.Draft202012Validator(Sizing.model_json_schema(mode="serialization"))

    @examples(60)
    @given(questions())
    def test_round_trip_through_json(self, asked):
        sizing = size(**asked)
        text = sizing.model_dump_json()
        assert Sizing.model_validate_json(text) == sizing
        assert Sizing.model_validate(sizing.model_dump()) == Sizing.model_validate(sizing) == sizing
        self.SCHEMA.validate(json.loads(text))

    @pytest.mark.parametrize(
        "change",
        [
            {"tightest": "nodes"},
            {"members": 0},
            {"forced_by": ["client"]},
            {"headroom_asked": 1},
            {"tier": None},
            {"extra": 1},
            {"utilization": {"client": 1}},
        ],
        ids=str,
    )
    def test_the_schema_rejects_a_changed_answer(self, change):
        answer = json.loads(size(clients=5).model_dump_json()) | change
        with pytest.raises(jsonschema.ValidationError):
            self.SCHEMA.validate(answer)
        with pytest.raises(ValueError, match="validation error"):
            Sizing.model_validate(answer)

    def test_an_answer_cannot_be_changed(self):
        with pytest.raises(ValueError, match="frozen"):
            size(clients=5).tier = "xlarge"
