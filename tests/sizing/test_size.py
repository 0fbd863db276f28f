"""The answer for one cluster: tier, machines, reasons, and the JSON contract."""

from __future__ import annotations

import json
import math
import sys

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import DIMENSIONS, EDGES, HEADROOMS, twin

from etcdsize import InvalidWorkloadError, OptionError, Sizing, Workload, WorkloadTypeError, load_tiers, size

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
    """Past any bound of a tier, the next tier; what alone needs it forces it; utilization is of the tier's
    own bound."""

    @given(questions())
    def test_follows_the_guide(self, asked):
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

    def test_in_full(self):
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

    def test_forced_by(self):
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

    def test_open_tier_is_relative_to_the_last_bound(self):
        assert size(clients=3_000).utilization == {"clients": 2.0}
        assert size(clients=3_000).headroom == {"clients": -1.0}


class TestArguments:
    def test_numpy_scalars(self):
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
    def test_providers(self, provider, names):
        assert list(size(clients=1, provider=provider).machines) == names

    def test_machine(self):
        assert size(clients=1, provider="aws").machine.machine_type == "m4.large"
        with pytest.raises(OptionError) as caught:
            _ = size(clients=1).machine
        assert str(caught.value) == (
            "machine: got 2 machines, one a provider (aws, gce); expected one: take machines[\"aws\"] for "
            "example, or ask "
            'size(..., provider="aws")'
        )  # fmt: skip

    @pytest.mark.parametrize("name", DIMENSIONS)
    def test_a_workload_and_dimensions(self, name):
        with pytest.raises(OptionError) as caught:
            size(Workload(clients=1), **{name: 5})
        assert str(caught.value) == "workload: got a workload and dimensions by name, expected one of the two"

    def test_no_workload(self):
        with pytest.raises(InvalidWorkloadError, match=r"^nothing known of the workload"):
            size()
        with pytest.raises(WorkloadTypeError) as caught:
            size({"clients": 5})
        assert str(caught.value) == (
            "workload: got {'clients': 5} of type dict, expected a Workload, or clients=, requests_per_second= and "
            "data_bytes= by name"
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
                "headroom: got 1, expected a number from 0 to below 1; for 1 percent say 0.01",
            ),
            (
                {"provider": "azure"},
                OptionError,
                'provider: got "azure", expected one of the catalog "guide": aws, gce',
            ),
            (
                {"catalog": "giude"},
                OptionError,
                'catalog: got "giude", expected guide, guide-as-printed, current or the path of a JSON file; '
                'did you mean "guide"?',
            ),
        ],
    )
    def test_refused(self, asked, error, message):
        with pytest.raises(error) as caught:
            size(**{"clients": 1} | asked)
        assert str(caught.value) == message


class TestKubernetesNodes:
    """Nodes alone give a sizing without workload; with measured loads too, the larger tier wins."""

    def test_alone(self):
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
    def test_the_larger_wins(self, clients, nodes, tier, forced_by):
        sizing = size(clients=clients, kubernetes_nodes=nodes)
        assert (sizing.tier, sizing.forced_by, sizing.tightest) == (tier, forced_by, "clients")

    @pytest.mark.parametrize("nodes", [-1, 2**64])
    def test_invalid(self, nodes):
        with pytest.raises(
            InvalidWorkloadError, match=rf"^kubernetes_nodes: got {nodes}, expected an integer of 0 or more$"
        ):
            size(kubernetes_nodes=nodes)

    @pytest.mark.parametrize("nodes", [True, "50", 50.0, math.nan, [50], np.array([50]), np.bool_(1)])
    def test_types(self, nodes):
        with pytest.raises(
            WorkloadTypeError, match=r"^kubernetes_nodes: got .* of type .*, expected an integer of 0 or more$"
        ):
            size(kubernetes_nodes=nodes)


class TestJson:
    """JSON round-trips to an equal object, and the schema is the contract for other tools."""

    SCHEMA = jsonschema.Draft202012Validator(Sizing.model_json_schema())

    @settings(max_examples=60)
    @given(questions())
    def test_round_trip(self, asked):
        sizing = size(**asked)
        text = sizing.model_dump_json()
        assert Sizing.model_validate_json(text) == sizing
        assert Sizing.model_validate(sizing.model_dump()) == sizing
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
    def test_the_schema_refuses(self, change):
        answer = json.loads(size(clients=5).model_dump_json()) | change
        with pytest.raises(jsonschema.ValidationError):
            self.SCHEMA.validate(answer)
        with pytest.raises(ValueError, match="validation error"):
            Sizing.model_validate(answer)

    def test_frozen(self):
        with pytest.raises(ValueError, match="frozen"):
            size(clients=5).tier = "xlarge"


class TestExplain:
    """All of it in a few plain sentences."""

    def test_every_provider(self):
        assert size(clients=300, requests_per_second=800, data_bytes="400MB").explain() == "\n".join(
            [
                "300 clients, 800 requests/s and 400 MB of data need the tier medium.",
                "Requests per second, data and clients each alone need it.",
                "Utilization: clients 60% of at most 500; requests per second 80% of below 1000; data 80% of at "
                "most 500 MB. "
                "The tightest: requests per second.",
                "Machines for each member: m4.xlarge (4 vCPUs, 16 GiB, 6000 concurrent IOPS, 93.75 MB/s) on aws; "
                "n1-standard-4 + 150 GB PD SSD (4 vCPUs, 15 GiB, 4500 concurrent IOPS, 75 MB/s) on gce.",
                "3 members: quorum 2, failure tolerance 1.",
                "Notice (erratum): gce n1-standard-4, vcpus: the guide prints 5, which should be 4: an "
                "n1-standard-4 has 4 "
                "vCPUs.",
                "Notice (previous-generation): m4.xlarge and n1-standard-4: a previous generation; still what "
                "the guide "
                "prints, no longer what to buy.",
                "Notice (dedicated-machine): The guide's machines run nothing but etcd, and its figures are a "
                "start, not "
                "hard rules: test with a load like your own.",
            ]
        )

    def test_beyond_the_guide(self):
        sizing = size(clients=2_000, data_bytes=9 * 2**30, provider="gcp", headroom=0.3, members=4)
        assert sizing.explain() == "\n".join(
            [
                "2000 clients and 9.663676416 GB of data need the tier xlarge.",
                "Data and clients each alone need it.",
                "Utilization: clients 133.3% of at most 1500; data 966.4% of at most 1 GB. The tightest: data.",
                "30% of every bound was kept free.",
                "Machine for each member: n1-standard-16 + 500 GB PD SSD (16 vCPUs, 60 GiB, 15000 concurrent IOPS, "
                "250 MB/s) on gce.",
                "4 members: quorum 3, failure tolerance 1.",
                "Notice (even-members): 4 members tolerate no more failures than 3.",
                "Notice (previous-generation): n1-standard-16: a previous generation; still what the guide prints, no "
                "longer what to buy.",
                "Notice (dedicated-machine): The guide's machines run nothing but etcd, and its figures are a "
                "start, not "
                "hard rules: test with a load like your own.",
                "Notice (unknown-dimension): Unknown: requests_per_second. The rest decides, so the tier is a "
                "lower bound.",
                "Notice (beyond-suggested-quota): 9.663676416 GB of data is above the 8 GiB that etcd suggests "
                "as the most.",
                "Notice (open-tier): xlarge has no upper bound, and clients, data_bytes exceed the last figure "
                "there is: no "
                "published figure says that its machine is enough. Utilization is relative to that last figure.",
            ]
        )

    def test_nodes_alone(self):
        assert size(kubernetes_nodes=200, provider="aws").explain() == "\n".join(
            [
                "A Kubernetes cluster of 200 nodes needs the tier medium.",
                "Kubernetes nodes alone need it.",
                "Machine for each member: m4.xlarge (4 vCPUs, 16 GiB, 6000 concurrent IOPS, 93.75 MB/s) on aws.",
                "3 members: quorum 2, failure tolerance 1.",
                "Notice (previous-generation): m4.xlarge: a previous generation; still what the guide prints, "
                "no longer "
                "what to buy.",
                "Notice (dedicated-machine): The guide's machines run nothing but etcd, and its figures are a "
                "start, not "
                "hard rules: test with a load like your own.",
                "Notice (kubernetes-estimate): Nodes are a proxy, not a measurement: etcd's clients are the API "
                "servers. "
                "The examples (small 50, medium 250, large 1000, xlarge 3000) are read as at most; measure "
                "clients, requests "
                "and data.",
            ]
        )

    @settings(max_examples=50)
    @given(questions())
    def test_says_all_of_it(self, asked):
        sizing = size(**asked)
        text = sizing.explain()
        assert f"the tier {sizing.tier}." in text
        for said in (*(m.machine_type for m in sizing.machines.values()), *(notice.text for notice in sizing.notices)):
            assert said in text
