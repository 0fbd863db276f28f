"""The columns of a load are found by their names, or chosen; missing and repeated columns are rejected."""

import re
from fractions import Fraction

import pytest

from etcdsize import ColumnError
from etcdsize.batches.columns import ANSWERS, pick_columns
from etcdsize.batches.missing_columns import COMMAND_LINE
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
        ["requests_per_second", "rps", "qps", "request_rate", "req_per_s", "reqs_per_second", "Requests per  second",
         "requests-per-second", "QPS/s", "etcd_qps", "etcd_request_rate"],
    )  # fmt: skip
    def test_requests(self, name):
        assert pick_columns(["x", "clients", "data", name])["requests_per_second"].position == 3

    @pytest.mark.parametrize(
        "name", ["data", "db_size", "data_size", "database_size", "DB Size", "etcd_db_size", "DB Size in use", "dbSize"]
    )
    @pytest.mark.parametrize(
        ("unit", "factor"),
        [
            ("", 1),
            ("_bytes", 1),
            ("_mb", MB),
            ("-MiB", MIB),
            (" GB", GB),
            ("_gib", GIB),
            (" (kB)", 1000),
            ("/TiB", 2**40),
        ],
    )
    def test_data(self, name, unit, factor):
        assert pick_columns(["clients", "rps", name + unit])["data_bytes"].factor == factor

    @pytest.mark.parametrize(("name", "factor"), [("requests_per_minute", 60), ("QPS/h", 3600), ("RPM", 60)])
    def test_requests_by_another_time(self, name, factor):
        assert pick_columns(["clients", "data", name])["requests_per_second"].factor == Fraction(1, factor)

    @pytest.mark.parametrize(
        ("name", "is_upper"),
        [
            *((name, True) for name in ("db_size", "DB SIZE", "dbSize", "etcd_db_size_mb", "Database size (GB)")),
            *((name, True) for name in ("size_mb", "db_gb", "etcd_mvcc_db_total_size_in_bytes")),
            *((name, False) for name in ("data", "data_size_gb", "data_bytes", "DB SIZE IN USE", "dbSizeInUse")),
        ],
    )  # fmt: skip
    def test_the_file_is_an_upper_bound_of_the_data(self, name, is_upper):
        assert pick_columns(["clients", "rps", name])["data_bytes"].upper is is_upper
        assert pick_columns(["clients", "rps", name], {"data_bytes": name})["data_bytes"].upper is is_upper

    @pytest.mark.parametrize("name", ["instance_type", "Current Instance Type", "vm_size", "VM type", "flavor"])
    def test_machine(self, name):
        assert pick_columns([*self.NAMES, name], audited=True)["current_machine"].position == 4

    @pytest.mark.parametrize(
        ("key", "plain", "other"),
        [
            ("current_machine", "current_machine", "flavor"),
            ("kubernetes_nodes", "k8s_nodes", "nodes"),
            ("data_bytes", "data_mb", "size_gb"),
        ],
    )
    def test_a_name_that_may_mean_something_else_counts_only_alone(self, key, plain, other):
        names = [name for name in self.NAMES if name != "data" or key != "data_bytes"]
        assert pick_columns([*names, other, plain], audited=True)[key].name == plain
        assert pick_columns([*names, other], audited=True)[key].name == other

    @pytest.mark.parametrize("name", ["provider", "cloud", "Cloud Provider"])
    def test_provider(self, name):
        assert pick_columns(["clients", "rps", "data", name])["provider"].name == name
        assert "provider" not in pick_columns(["clients", "rps", "data", name], provider_given=True)

    @pytest.mark.parametrize(
        ("key", "name"),
        [("vcpus", "vCPUs"), ("memory_gib", "mem-gib"), ("timestamp", "ts")],
    )
    def test_others_are_found_on_request(self, key, name):
        assert key not in pick_columns([*self.NAMES, name])
        assert pick_columns([*self.NAMES, name], also=[key])[key].position == 4
        assert key not in pick_columns(self.NAMES, also=[key])

    def test_the_first_of_several_names_of_a_cluster_counts(self):
        assert pick_columns(["id", "name", *self.NAMES, "cluster"], also=["name"])["name"].position == 6
        assert pick_columns(["id", "name", *self.NAMES], also=["name"])["name"].position == 1
        assert pick_columns(["id", *self.NAMES], {"name": "id"})["name"].position == 0

    @pytest.mark.parametrize(
        ("names", "dimension", "key"),
        [
            (("clients", "rps", "data", "size", "storage_gb", "requests"), None, None),
            (("clients", "rps", "size"), "data_bytes", "data_bytes=size"),
            (("clients", "rps", "storage"), "data_bytes", "data_mb=storage"),
            (("clients", "rps", "Storage (GB)"), "data_bytes", "'data_gb=Storage (GB)'"),
            (("clients", "data", "requests"), "requests_per_second", "requests_per_second=requests"),
            (("clients", "data", "etcd_requests"), "requests_per_second", "requests_per_minute=etcd_requests"),
        ],
    )  # fmt: skip
    def test_names_that_say_too_little_are_asked_about(self, names, dimension, key):
        """They are other columns like any other where the dimension has a column of its own."""
        if dimension is None:
            assert [source.position for source in pick_columns(names).values()] == [0, 1, 2]
            return
        with pytest.raises(ColumnError, match=f"has no column for {dimension} ") as caught:
            pick_columns(names, spelling=COMMAND_LINE)
        assert f"--column {key}" in str(caught.value)
        assert f"--unknown {dimension}" in str(caught.value)

    @pytest.mark.parametrize(
        "name", ["Data (blocks)", "database (pages)", "db_size_pct", "Datas", "date", "requests_5m"]
    )
    def test_a_column_is_suggested_only_with_its_unit(self, name):
        with pytest.raises(ColumnError) as caught:
            pick_columns(["clients", name], spelling=COMMAND_LINE)
        suggested = str(caught.value).partition("; it has")[0]
        if name == "Datas":
            assert "--column data_bytes=Datas, --column data_mb=Datas or --column data_gib=Datas" in suggested
        else:
            assert name not in suggested

    def test_a_suggestion_is_quoted_for_the_shell(self):
        with pytest.raises(ColumnError, match=re.escape("--column 'clients=client $(x)'")):
            pick_columns(["client $(x)", "rps", "data"], spelling=COMMAND_LINE)

    @pytest.mark.parametrize(
        ("key", "name", "factor"),
        [
            ("data_mb", "x", MB),
            ("data_gib", "x", GIB),
            ("data_mb", "db (MB)", MB),
            ("data_bytes", "db (MB)", MB),
            ("requests_per_minute", "x", Fraction(1, 60)),
            ("requests_per_second", "QPS/min", Fraction(1, 60)),
            ("memory_gb", "x", Fraction(10**9, 2**30)),
            ("memory_gib", "RAM (MiB)", Fraction(1, 1024)),
        ],
    )
    def test_the_caller_or_the_name_states_the_unit(self, key, name, factor):
        found = pick_columns([*self.NAMES, name], {key: name})
        assert [source.factor for source in found.values() if source.position == 4] == [factor]

    def test_spaces_around_a_header_are_none_of_its_name(self):
        assert pick_columns([" c", "rps", "data"], {"clients": "c"})["clients"].position == 0

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
                'has no column for clients (expected clients, connections); is it "clinets"? Then add '
                'columns={"clients": "clinets"}; add unknown=["clients"] for what is not known; it has "clinets", '
                '"rps", "data"',
            ),
            (
                ["clients", "x"],
                {},
                "has no column for requests_per_second (expected rps, qps, requests_per_minute), data_bytes (expected "
                'data, db_size, data_mb, data_gib); add columns={"requests_per_second": "NAME"}, columns='
                '{"data_bytes": "NAME"}; add unknown=["requests_per_second", "data_bytes"] for what is not known; it '
                'has "clients", "x"',
            ),
            (
                ["clients", "rps", "x"],
                {"providers": ["aws", "gce"], "spelling": COMMAND_LINE},
                "has no column for data_bytes (expected data, db_size, data_mb, data_gib), provider (expected "
                "provider, cloud); add --column data_bytes=NAME; add --unknown data_bytes for what is not known; add "
                '--provider aws, or another of aws, gce, for all rows; it has "clients", "rps", "x"',
            ),
            (
                ["clients", "rps", "Data (blocks)"],
                {"chosen": {"data_mb": "Data (blocks)"}},
                'data_bytes: the name of the column "Data (blocks)" states the unit "blocks", expected bytes, kB, MB, '
                "GB, TB, KiB, MiB, GiB or TiB; rename the column, with the unit of its numbers",
            ),
            (
                ["clients", "rps (M)", "data"],
                {"chosen": {"requests_per_second": "rps (M)"}},
                'requests_per_second: the name of the column "rps (M)" states the unit "m", expected requests per '
                "second, minute, hour or day, or thousands of them; rename the column, with the unit of its numbers",
            ),
            (
                ["clients (k)", "rps", "data"],
                {"chosen": {"clients": "clients (k)"}},
                'clients: the name of the column "clients (k)" states the unit "k", expected none, because it is a '
                "count; rename the column, with the unit of its numbers",
            ),
            (
                ["clients", "rps", "db_size_gb"],
                {"chosen": {"data_mb": "db_size_gb"}},
                'data_bytes: got MB for the column "db_size_gb", whose name states GB, expected one unit; choose it as '
                "data_bytes to go by its name, or rename it",
            ),
            (
                ["clients", "rps", "x", "y"],
                {"chosen": {"data_mb": "x", "data_bytes": "y"}},
                'data_bytes: got "x" and "y", expected one column',
            ),
            (
                ["clients", "rps", "x"],
                {"chosen": {"data_blocks": "x"}},
                'got "data_blocks", expected clients, requests_per_second, data_bytes, provider, current_machine, '
                "kubernetes_nodes, vcpus, memory_gib, name, timestamp or a further figure such as keys, or one of them "
                'with a unit such as data_mb or requests_per_minute; did you mean "data_bytes"?',
            ),
            (
                ["clients", "rps", "data", "machine_type"],
                {},
                'has a column "machine_type", which the answer adds; rename it or leave it out: an answer never '
                "replaces an existing column; if it names the machine that runs now, call it current_machine",
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
                'got "client", expected clients, requests_per_second, data_bytes, kubernetes_nodes or a further '
                'figure such as keys; did you mean "clients"?',
            ),
            (
                ["clients"],
                {"unknown": ["provider"]},
                'got "provider", expected clients, requests_per_second, data_bytes, kubernetes_nodes or a further '
                'figure such as keys',
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
            'has no column for provider (expected provider, cloud); add provider="aws", or another of aws, gce, for '
            'all rows; it has "clients", "rps", "data"'
        )
