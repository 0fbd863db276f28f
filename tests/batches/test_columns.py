"""The columns of a load are found by their names, or chosen; missing and repeated columns are rejected."""

import pytest

from etcdsize import ColumnError
from etcdsize.batches.columns import ANSWERS, pick_columns
from etcdsize.batches.options import BatchOptions
from etcdsize.units import DIMENSIONS

MB, MIB, GB, GIB = 10**6, 2**20, 10**9, 2**30


class TestPickColumns:
    NAMES = ("clients", "rps", "data", "provider")

    @pytest.mark.parametrize(
        "name", ["clients", "client_count", "num_clients", "connections", " Num-Clients", "CLIENTS"]
    )
    def test_clients(self, name):
        assert pick_columns([name, *self.NAMES[1:]])["clients"].name == name

    @pytest.mark.parametrize(
        "name",
        ["requests_per_second", "rps", "qps", "requests", "request_rate", "req_per_s", "reqs_per_second",
         "Requests per  second", "requests-per-second"],
    )  # fmt: skip
    def test_requests(self, name):
        assert pick_columns(["x", "clients", "data", name])["requests_per_second"].position == 3

    @pytest.mark.parametrize("name", ["data", "db_size", "size", "data_size", "database_size", "storage", "DB Size"])
    @pytest.mark.parametrize(
        ("unit", "factor"), [("", 1), ("_bytes", 1), ("_mb", MB), ("-MiB", MIB), (" GB", GB), ("_gib", GIB)]
    )
    def test_data(self, name, unit, factor):
        assert pick_columns(["clients", "rps", name + unit])["data_bytes"].factor == factor

    @pytest.mark.parametrize("name", ["provider", "cloud", "Cloud Provider"])
    def test_provider(self, name):
        assert pick_columns(["clients", "rps", "data", name])["provider"].name == name
        assert "provider" not in pick_columns(["clients", "rps", "data", name], provider_given=True)

    @pytest.mark.parametrize(
        ("key", "name"),
        [("kubernetes_nodes", "K8s Nodes"), ("vcpus", "vCPUs"), ("memory_gib", "mem-gib"), ("timestamp", "ts")],
    )
    def test_others_are_found_on_request(self, key, name):
        assert key not in pick_columns([*self.NAMES, name])
        assert pick_columns([*self.NAMES, name], also=[key])[key].position == 4
        assert key not in pick_columns(self.NAMES, also=[key])

    def test_the_first_of_several_names_of_a_cluster_counts(self):
        assert pick_columns(["id", "name", *self.NAMES, "cluster"], also=["name"])["name"].position == 6
        assert pick_columns(["id", "name", *self.NAMES], also=["name"])["name"].position == 1
        assert pick_columns(["id", *self.NAMES], {"name": "id"})["name"].position == 0

    def test_chosen(self):
        picked = pick_columns(
            ["clients", "c", "rps", "data", "etcd_GiB", "cloud", "who"],
            {"clients": "c", "data_bytes": "etcd_GiB", "provider": "who"},
        )
        assert [picked[key].position for key in ("clients", "data_bytes", "provider")] == [1, 4, 6]
        assert picked["data_bytes"].factor == GIB

    @pytest.mark.parametrize(
        ("names", "options", "message"),
        [
            (
                ["clinets", "rps", "data"],
                {},
                "has no column for clients (expected clients, client_count, num_clients, connections); "
                'is it "clinets"?; it has "clinets", "rps", "data"',
            ),
            (
                ["clients", "rps", "x"],
                {},
                "has no column for data_bytes (expected data, data_bytes, data_mb, data_mib, data_gb, data_gib); "
                'it has "clients", "rps", "x"',
            ),
            (["clients", "clients", "rps", "data"], {}, 'clients: has the column "clients" 2 times, expected it once'),
            (
                ["clients", "rps", "QPS", "data"],
                {},
                'requests_per_second: has "rps" and "QPS", expected one column; choose it by name',
            ),
            (
                ["clients", "rps", "data", "cloud", "provider"],
                {},
                'provider: has "cloud" and "provider", expected one column; choose it by name',
            ),
            (
                ["clients", "rps", "data", "tier"],
                {},
                'has a column "tier", which the answer adds; rename it or leave it out: an answer never replaces an '
                "existing column",
            ),
            (
                ["conn_cuont", "rps", "data"],
                {"chosen": {"clients": "conn_count"}},
                'clients: has no column "conn_count"; did you mean "conn_cuont"?; it has "conn_cuont", "rps", "data"',
            ),
            (
                ["c", "c", "rps", "data"],
                {"chosen": {"clients": "c"}},
                'clients: has the column "c" 2 times, expected it once',
            ),
            (["clients"], {"unknown": DIMENSIONS}, "every dimension is unknown, expected at least one that is known"),
            (
                ["clients", "rps", "data"],
                {"unknown": ["clients"], "chosen": {"clients": "clients"}},
                "clients: got a column and unknown, expected one of the two",
            ),
            (
                ["clients", "rps", "data"],
                {"unknown": ["client"]},
                'got "client", expected clients, requests_per_second, data_bytes; did you mean "clients"?',
            ),
            (
                ["clients"],
                {"unknown": ["provider"]},
                'got "provider", expected clients, requests_per_second, data_bytes',
            ),
        ],
    )  # fmt: skip
    def test_missing_and_ambiguous_columns_are_rejected(self, names, options, message):
        with pytest.raises(ColumnError) as caught:
            pick_columns(names, **options)
        assert str(caught.value) == message

    def test_no_provider(self):
        options = BatchOptions.of(
            provider=None,
            columns=None,
            unknown=(),
            on_missing="problem",
            on_invalid="mark",
            catalog="guide",
            tiers="guide",
            headroom=0.0,
            answers=ANSWERS,
        )
        with pytest.raises(ColumnError) as caught:
            options.columns(["clients", "rps", "data"])
        assert str(caught.value) == (
            "provider: has no column for it (expected provider or cloud), and no provider was given; "
            "give one of aws, gce"
        )
