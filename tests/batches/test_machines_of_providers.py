"""The machines in use of rows that name their providers: types are looked up among those of the provider."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Catalog, DiskKind, Machine, audit, size_frame

FIGURES = {"arch": "x86_64", "concurrent_iops": 90_000, "disk_mb_per_second": 900}
DISK = {
    "kind": "ssd", "media": "ssd", "included_iops": 90_000, "iops_per_gib": 0, "max_iops": 90_000,
    "included_mb_per_second": 900, "mb_per_second_per_gib": 0, "mb_per_second_per_iops": 0, "max_mb_per_second": 900,
}  # fmt: skip
TYPES = {
    "huawei": ("s3.large.2", "s3.xlarge.4", "s3.2xlarge.4", "s3.4xlarge.4"),
    "otc": ("s3.large.2", "s3.xlarge.4", "s3.2xlarge.4", "s3.4xlarge.4"),
    "alibaba": ("ecs.g7.large", "ecs.g7.xlarge", "ecs.g7.2xlarge", "ecs.g7.4xlarge"),
    "tencent": ("SA5.MEDIUM8", "SA5.LARGE16", "SA5.2XLARGE32", "SA5.4XLARGE64"),
    "我们的": ("甲", "乙", "丙", "丁"),
}
# A type of otc has twice the size of the type of huawei that has the same name.
SIZES = {name: (4, 8, 16, 32) if name == "otc" else (2, 4, 8, 16) for name in TYPES}
MINE = Catalog(
    name="mine",
    machines=[
        Machine(provider=name, machine_type=one, vcpus=vcpus, memory_gib=4 * vcpus, **FIGURES)
        for name, types in TYPES.items()
        for one, vcpus in zip(types, SIZES[name], strict=True)
    ],
    disk_kinds=[DiskKind(provider=name, **DISK) for name in TYPES],
)
LOAD = {"clients": 50, "rps": 100, "data_mb": 50}


def audited(rows, catalog=MINE, heads=("cloud", "current_machine"), **more):
    """Return the answers of rows of a provider and a machine each, with a small load."""
    columns = {name: [one[place] for one in rows] for place, name in enumerate(heads)}
    frame = pa.table({name: [value] * len(rows) for name, value in LOAD.items()} | columns | more)
    return size_frame(frame, catalog=catalog)


def column(rows, name, **options):
    return audited(rows, **options)[name].to_pylist()


class TestTypes:
    def test_two_providers_may_have_types_of_one_name(self):
        rows = [("huawei", "s3.large.2"), ("otc", "s3.large.2"), ("华为云", "S3.LARGE.2"), ("OTC", "s3.4xlarge.4")]
        found = audited(rows)
        assert found["verdict"].to_pylist() == ["right", "over", "right", "over"]
        # A smaller machine of otc has 4 vCPUs, and none has fewer.
        assert found["machine_type"].to_pylist() == ["s3.large.2"] * 4
        assert not any("another provider" in (one or "") for one in found["reason"].to_pylist())

    @pytest.mark.parametrize(
        ("provider", "name"),
        [
            ("aliyun", "ecs.g7.large"), ("阿里云", "g7.large"), ("alibaba", "ECS.G7.Large"),
            ("tencent", "SA5.MEDIUM8"), ("腾讯云", "sa5.medium8"), ("我们的", "甲"),
        ],
    )  # fmt: skip
    def test_spellings(self, provider, name):
        assert column([(provider, name)], "verdict") == ["right"]

    def test_the_prefix_is_of_alibaba_alone(self):
        """`g7.large` may be a type of any provider."""
        assert column([("tencent", "ecs.SA5.MEDIUM8")], "verdict") == ["unknown"]

    @given(st.lists(st.tuples(st.sampled_from([*TYPES]), st.integers(0, 3)), min_size=1, max_size=30))
    def test_a_row_is_judged_as_its_provider_alone_would_be(self, rows):
        named = [(name, TYPES[name][place]) for name, place in rows]
        expected = [
            audit([one], 50, 100, 50e6, provider=name, catalog=MINE).verdicts.tolist()[0] for name, one in named
        ]
        assert column(named, "verdict") == expected


class TestOthers:
    """One row never stops a fleet: what is not known of a machine is unknown, with the reason."""

    ROWS = (("我们的", "甲"), ("on-prem", "r640"), ("alibaba", "ecs.g7.larg"), (None, "甲"), ("our racks", None))

    def test_reasons(self):
        found = audited(list(self.ROWS))
        assert found["tier"].to_pylist() == ["small", "small", "small", None, "small"]
        assert found["verdict"].to_pylist() == ["right", *["unknown"] * 4]
        reasons = found["reason"].to_pylist()
        assert 'expected a machine of the catalog "mine", which has no machine of on-prem' in reasons[1]
        assert 'did you mean "ecs.g7.large"?' in reasons[2]
        assert "current_machine: missing" in reasons[4]

    def test_hostile_providers(self):
        """They get a tier and no machine, and whoever prints them escapes them."""
        hostile = ["../x", ".", "..", "a\x1b[31m", "\u202eswa", "x" * 10_000, "<script>", "a\nb", "'; DROP TABLE"]
        found = audited([(name, "甲") for name in hostile])
        assert found["tier"].to_pylist() == ["small"] * len(hostile)
        assert found["machine_type"].to_pylist() == [None] * len(hostile)
        assert set(found["notices"].to_pylist()) == {"no-machines"}

    def test_a_misspelt_provider_of_ones_own(self):
        assert 'did you mean "alibaba"?' in column([("alibabba", "ecs.g7.large")], "problem")[0]


class TestStatedFigures:
    def test_a_name_that_states_them(self):
        rows = [("on-prem", name) for name in ("2C8G", "16核64G", "1C1G", "8C")]
        found = audited(rows)
        assert found["verdict"].to_pylist() == ["right", "over", "under", "unknown"]
        assert "judged by its vCPUs and memory alone" in found["reason"].to_pylist()[0]
        assert 'got "8C", expected a machine of the catalog "mine"' in found["reason"].to_pylist()[3]

    def test_columns_of_figures_come_first(self):
        found = audited([("on-prem", "2C8G"), ("on-prem", "2C8G")], vcpus=[16.0, None], memory_gib=[64.0, None])
        assert found["verdict"].to_pylist() == ["over", "right"]

    def test_a_machine_of_the_catalog_is_judged_by_its_own(self):
        rows = [Machine(provider="mine", machine_type="2C8G", vcpus=16, memory_gib=64, **FIGURES), *MINE.machines]
        mine = Catalog(name="mine", machines=rows, disk_kinds=MINE.disk_kinds)
        assert column([("mine", "2C8G")], "verdict", catalog=mine) == ["over"]

    def test_of_arrays(self):
        found = audit(["2C8G", "16C64G", "1C1G"], 50, 100, 50e6, catalog=MINE)
        assert found.verdicts.tolist() == ["right", "over", "under"]


class TestHeads:
    """Heads that name a provider and its machine, as people write them."""

    @pytest.mark.parametrize(
        "head", ["provider", "Cloud Vendor", "cloud_service_provider", "云厂商", "云服务商", "云平台"]
    )
    def test_providers(self, head):
        found = audited([("阿里云", "ecs.g7.large")], heads=(head, "current_machine"))
        assert (found["verdict"].to_pylist(), found["machine_type"].to_pylist()) == (["right"], ["ecs.g7.large"])

    @pytest.mark.parametrize(
        "head", ["instance_type", "Flavor", "flavor_name", "shape", "instance_shape", "实例规格", "机型", "云主机规格"]
    )
    def test_machines(self, head):
        assert column([("tencent", "SA5.MEDIUM8")], "verdict", heads=("云厂商", head)) == ["right"]

    def test_figures(self):
        found = audited([("on-prem", "r640")], **{"CPU核数": [2.0], "内存(GiB)": [8.0]})
        assert found["verdict"].to_pylist() == ["right"]

    @pytest.mark.parametrize("head", ["plan", "server_type", "规格", "配置"])
    def test_what_may_be_something_else_has_to_be_chosen(self, head):
        found = audited([("tencent", "SA5.MEDIUM8")], heads=("cloud", head))
        assert "verdict" not in found.column_names


class TestManyClouds:
    """A fleet over five clouds and own servers: tiers for all, machines and verdicts for those that are known."""

    ROWS = (
        ("aws", "m5.large"), ("gcp", "n2-standard-4"), ("Azure", "standard_d4s_v5"), ("阿里云", "g7.xlarge"),
        ("腾讯云", "sa5.large8"), ("on-prem", "8C16G"), ("on-prem", "r640"), ("aws", "ecs.g7.xlarge"),
    )  # fmt: skip

    def test_the_machines_of_today(self):
        found = audited(list(self.ROWS), catalog="current")
        assert found["tier"].to_pylist() == ["small"] * len(self.ROWS)
        machines = dict(zip(self.ROWS, found["machine_type"].to_pylist()))
        assert all(machines[one] for one in self.ROWS[:3])
        assert (machines["on-prem", "8C16G"], machines["on-prem", "r640"]) == (None, None)
        verdicts = dict(zip(self.ROWS, found["verdict"].to_pylist()))
        assert all(verdicts[one] in ("right", "over") for one in (*self.ROWS[:3], ("on-prem", "8C16G")))
        assert verdicts["on-prem", "r640"] == verdicts["aws", "ecs.g7.xlarge"] == "unknown"
        reasons = dict(zip(self.ROWS, found["reason"].to_pylist()))
        assert "which has no machine of on-prem" in reasons["on-prem", "r640"]
        assert 'expected a machine of the catalog "current"' in reasons["aws", "ecs.g7.xlarge"]
        for one in (("阿里云", "g7.xlarge"), ("腾讯云", "sa5.large8")):
            assert "expected a machine" not in (reasons[one] or "")
