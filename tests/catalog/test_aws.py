"""The reader of AWS's list of instance types: each field, each error, and no input that ends in a traceback."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import Dropped, EtcdSizeError, Imported, TableError, load_catalog, read_listing
from etcdsize.catalog.listing import combine

TEXT = (Path(__file__).parents[1] / "data" / "aws-describe-instance-types.json").read_text()
TYPES = json.loads(TEXT)["InstanceTypes"]
BY_NAME = {fields["InstanceType"]: fields for fields in TYPES}


def page(*types, **more) -> str:
    return json.dumps({"InstanceTypes": list(types)} | more)


def one(name: str = "m5.large", **changes) -> dict:
    """Return an entry of the sample with some fields replaced, by path."""
    fields = copy.deepcopy(BY_NAME[name])
    for path, value in changes.items():
        *steps, last = path.split("__")
        part = fields
        for step in steps:
            part = part[step]
        if value is ...:
            del part[last]
        else:
            part[last] = value
    return fields


def read_one(name: str = "m5.large", **changes):
    (machine,) = read_listing("aws", page(one(name, **changes))).catalog.machines
    return machine


class TestCaptured:
    """Real output of the aws command, with AWS's own figures."""

    def test_each_type_of_the_sample_becomes_a_machine(self):
        imported = read_listing("aws", TEXT, date="2026-11-25")
        assert (imported.found, imported.imported, imported.dropped, imported.repeats) == (15, 15, (), 0)
        assert (imported.pages, imported.truncated) == (1, False)
        rows = {
            machine.machine_type: (
                *(machine.family, machine.vcpus, machine.memory_gib, machine.arch, machine.lifecycle),
                *(machine.concurrent_iops, machine.disk_mb_per_second),
                *(machine.burst_concurrent_iops, machine.burst_disk_mb_per_second, machine.local_nvme_gb),
            )
            for machine in imported.catalog.machines
        }
        assert rows == {
            "c3.large": ("c3", 2, 3.75, "x86_64", "previous", None, None, None, None, 0),
            "c5n.large": ("c5n", 2, 5.25, "x86_64", "current", 4_000, 81.25, 20_000, 593.75, 0),
            "d2.xlarge": ("d2", 4, 30.5, "x86_64", "previous", 6_000, 93.75, None, None, 0),
            "d3.xlarge": ("d3", 4, 32, "x86_64", "current", 5_000, 106.25, 15_000, 350, 0),
            "i4i.large": ("i4i", 2, 16, "x86_64", "previous", 2_500, 78.125, 40_000, 1_250, 468),
            "m4.large": ("m4", 2, 8, "x86_64", "previous", 3_600, 56.25, None, None, 0),
            "m4.xlarge": ("m4", 4, 16, "x86_64", "previous", 6_000, 93.75, None, None, 0),
            "m4.2xlarge": ("m4", 8, 32, "x86_64", "previous", 8_000, 125, None, None, 0),
            "m4.4xlarge": ("m4", 16, 64, "x86_64", "previous", 16_000, 250, None, None, 0),
            "m5.large": ("m5", 2, 8, "x86_64", "previous", 3_600, 81.25, 18_750, 593.75, 0),
            "m7g.large": ("m7g", 2, 8, "arm64", "previous", 3_600, 78.75, 40_000, 1_250, 0),
            "m7i-flex.large": ("m7i-flex", 2, 8, "x86_64", "current", 2_500, 39.0625, 40_000, 1_250, 0),
            "mac2.metal": ("mac2", 8, 16, None, "current", 55_000, 1_250, None, None, 0),
            "t2.micro": ("t2", 1, 1, "x86_64", "current", None, None, None, None, 0),
            "t8i.nano": ("t8i", 2, 0.5, "x86_64", "current", 250, 5.375, 20_000, 625, 0),
        }
        flags = {m.machine_type for m in imported.catalog.machines if m.burstable}
        assert flags == {"t2.micro", "t8i.nano"}
        assert [m.machine_type for m in imported.catalog.machines if m.flex] == ["m7i-flex.large"]
        assert [m.machine_type for m in imported.catalog.machines if m.bare_metal] == ["mac2.metal"]
        assert not any(m.shared_core or m.price or m.disk_limits or m.tier for m in imported.catalog.machines)

    def test_the_catalog_has_its_name_date_and_the_providers_disks(self):
        catalog = read_listing("aws", TEXT, date="2026-11-25").catalog
        assert (catalog.name, catalog.date, catalog.providers) == ("aws-imported", "2026-11-25", ("aws",))
        assert [kind.kind for kind in catalog.disk_kinds] == ["gp3", "gp2", "io2", "io1"]
        assert catalog.disk_kind("aws", "gp3") == load_catalog("current").disk_kind("aws", "gp3")

    def test_the_guide_and_the_current_catalog_agree_with_aws(self):
        """The guide's four AWS rows and the catalog `current` have AWS's own figures."""
        catalog = read_listing("aws", TEXT).catalog
        for named in load_catalog("guide").machines:
            if named.provider == "aws":
                machine = catalog.machine("aws", named.machine_type)
                for field in ("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second", "arch", "lifecycle"):
                    assert getattr(machine, field) == getattr(named, field)
                today = load_catalog("current").machine("aws", named.machine_type)
                assert today.model_copy(update={"price": None, "source": machine.source}) == machine


class TestShapes:
    """One page, pages one after the other, lists of pages or of types; text, bytes or parsed."""

    @pytest.mark.parametrize(
        ("source", "pages"),
        [
            (page(*TYPES), 1),
            (page(*TYPES).encode(), 1),
            ("\ufeff" + page(*TYPES), 1),
            (page(*TYPES).encode("utf-8-sig"), 1),
            (page(*TYPES).encode("utf-16"), 1),
            (json.loads(page(*TYPES)), 1),
            (json.dumps(TYPES), 1),
            (TYPES, 1),
            (page(*TYPES[:5], NextToken="x") + page(*TYPES[5:]), 2),
            (page(*TYPES[:5], NextToken="x") + "\n\n" + page(*TYPES[5:]) + "\n", 2),
            (json.dumps([json.loads(page(*TYPES[:5], NextToken="x")), json.loads(page(*TYPES[5:]))]), 2),
            (page(*TYPES[:5], NextToken="x") + page(*TYPES[5:9], NextToken="y") + page(*TYPES[9:], NextToken=None), 3),
            (page(*TYPES[:5], NextToken="x") + json.dumps(TYPES[5:]), 2),
        ],
    )
    def test_every_shape_gives_the_same_machines(self, source, pages):
        imported = read_listing("aws", source)
        whole = read_listing("aws", TEXT)
        assert imported.catalog == whole.catalog
        assert (imported.found, imported.pages, imported.truncated) == (15, pages, False)

    @pytest.mark.parametrize(
        "source",
        [page(*TYPES, NextToken="x"), page(*TYPES[:5], NextToken="x") + page(*TYPES[5:], NextToken="y")],
    )
    def test_missing_pages_are_reported(self, source):
        assert read_listing("aws", source).truncated

    def test_pages_in_separate_files_are_combined(self):
        parts = [page(*TYPES[:5], NextToken="x"), page(*TYPES[5:9], NextToken="y"), page(*TYPES[9:])]
        read = [read_listing("aws", part) for part in parts]
        assert [part.truncated for part in read] == [True, True, False]
        whole = combine(read)
        assert whole.catalog == read_listing("aws", TEXT).catalog
        assert (whole.found, whole.imported, whole.pages, whole.truncated) == (15, 15, 3, False)
        assert combine(read[:2]).truncated
        again = combine([*read, read[0]])
        assert (again.found, again.imported, again.repeats) == (20, 15, 5)

    def test_two_files_with_different_figures_are_rejected(self):
        other = read_listing("aws", page(one(VCpuInfo__DefaultVCpus=4)))
        with pytest.raises(TableError) as caught:
            combine([read_listing("aws", TEXT), other])
        message = "m5.large, vcpus: got 4, but an earlier file has 2 for the same type"
        assert str(caught.value) == message


class TestFields:
    """Each field that is used: missing or null is unknown, an unused field is ignored, a wrong value is rejected."""

    @pytest.mark.parametrize(
        ("changes", "field", "value"),
        [
            ({"EbsInfo": ..., "InstanceType": "x9z.large"}, "concurrent_iops", None),
            ({"EbsInfo": None, "InstanceType": "x9z.large"}, "disk_mb_per_second", None),
            ({"EbsInfo__EbsOptimizedInfo": ..., "InstanceType": "x9z.large"}, "burst_concurrent_iops", None),
            ({"EbsInfo__EbsOptimizedInfo__BaselineIops": None}, "concurrent_iops", None),
            ({"EbsInfo__EbsOptimizedInfo__BaselineIops": ...}, "burst_concurrent_iops", 18_750),
            ({"EbsInfo__EbsOptimizedInfo__MaximumIops": ...}, "burst_concurrent_iops", None),
            ({"EbsInfo__EbsOptimizedInfo__BaselineThroughputInMBps": ...}, "disk_mb_per_second", 81.25),
            ({"EbsInfo__EbsOptimizedInfo__MaximumIops": 3600}, "burst_concurrent_iops", None),
            ({"ProcessorInfo": ...}, "arch", None),
            ({"ProcessorInfo__SupportedArchitectures": ["i386", "x86_64"]}, "arch", "x86_64"),
            ({"ProcessorInfo__SupportedArchitectures": ["i386"]}, "arch", None),
            ({"ProcessorInfo__SupportedArchitectures": []}, "arch", None),
            ({"BareMetal": ...}, "bare_metal", False),
            ({"BareMetal": True}, "bare_metal", True),
            ({"BareMetal": ..., "InstanceType": "m5.metal"}, "bare_metal", True),
            ({"BareMetal": ..., "InstanceType": "m8i.metal-48xl"}, "bare_metal", True),
            ({"BurstablePerformanceSupported": ...}, "burstable", False),
            ({"BurstablePerformanceSupported": True}, "burstable", True),
            ({"InstanceType": "t9x.large"}, "burstable", True),
            ({"InstanceType": "trn2.3xlarge"}, "burstable", False),
            ({"InstanceType": "c7i-flex.large"}, "flex", True),
            ({"InstanceType": "c7i-flex.large"}, "burstable", False),
            ({"GpuInfo": {"Gpus": []}}, "gpu", True),
            ({}, "gpu", False),
            ({"CurrentGeneration": ..., "InstanceType": "x9z.large"}, "lifecycle", None),
            ({"CurrentGeneration": True, "InstanceType": "x9z.large"}, "lifecycle", "current"),
            ({"CurrentGeneration": False, "InstanceType": "x9z.large"}, "lifecycle", "previous"),
            ({"CurrentGeneration": False, "InstanceType": "m8i.large"}, "lifecycle", "current"),
            ({"InstanceStorageSupported": ...}, "local_nvme_gb", None),
            ({"InstanceStorageSupported": True}, "local_nvme_gb", None),
            ({"InstanceStorageInfo": {"Disks": [], "NvmeSupport": "required"}}, "local_nvme_gb", 0),
            ({"InstanceStorageInfo": {"Disks": [{"SizeInGB": 9, "Count": 3, "Type": "ssd"}],
                                      "NvmeSupport": "supported"}}, "local_nvme_gb", 27),
            ({"InstanceStorageInfo": {"Disks": [{"SizeInGB": 9, "Count": 3, "Type": "ssd"}]}}, "local_nvme_gb", None),
            ({"InstanceStorageInfo": {"Disks": [{"SizeInGB": 9, "Type": "hdd"}], "NvmeSupport": "required"}},
             "local_nvme_gb", 0),
            ({"InstanceStorageInfo": {"Disks": [{"SizeInGB": 9, "Type": "ssd"}], "NvmeSupport": "unsupported"}},
             "local_nvme_gb", 0),
            ({"MemoryInfo__SizeInMiB": 5_376}, "memory_gib", 5.25),
            ({"SomethingNew": {"deep": [1]}}, "vcpus", 2),
        ],
    )  # fmt: skip
    def test_a_field_becomes_a_figure(self, changes, field, value):
        found = getattr(read_one(**changes), field)
        assert (type(found), found) == (type(value), value)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"VCpuInfo": ...}, "no number of vCPUs"),
            ({"VCpuInfo__DefaultVCpus": None}, "no number of vCPUs"),
            ({"MemoryInfo": ...}, "no memory"),
        ],
    )
    def test_a_type_without_vcpus_or_memory_is_dropped(self, changes, reason):
        imported = read_listing("aws", page(one(**changes), one("m4.large")))
        assert imported.dropped == (Dropped(machine_type="m5.large", reason=reason),)
        assert (imported.found, imported.imported) == (2, 1)

    @pytest.mark.parametrize(
        ("changes", "field", "reason"),
        [
            ({"VCpuInfo__DefaultVCpus": 0}, "VCpuInfo.DefaultVCpus", "got 0, expected a whole number above 0"),
            ({"VCpuInfo__DefaultVCpus": -2}, "VCpuInfo.DefaultVCpus", "got -2, expected a whole number above 0"),
            ({"VCpuInfo__DefaultVCpus": "2"}, "VCpuInfo.DefaultVCpus", 'got "2", expected a whole number above 0'),
            ({"VCpuInfo__DefaultVCpus": 2.0}, "VCpuInfo.DefaultVCpus", "got 2.0, expected a whole number above 0"),
            ({"VCpuInfo__DefaultVCpus": True}, "VCpuInfo.DefaultVCpus", "got True, expected a whole number above 0"),
            ({"VCpuInfo__DefaultVCpus": 10**12}, "VCpuInfo.DefaultVCpus",
             "got 1000000000000, expected a whole number above 0"),
            ({"VCpuInfo": 2}, "VCpuInfo", "got a number, expected an object"),
            ({"MemoryInfo__SizeInMiB": 0}, "MemoryInfo.SizeInMiB", "got 0, expected a whole number above 0"),
            ({"EbsInfo__EbsOptimizedInfo__BaselineIops": 0}, "EbsInfo.EbsOptimizedInfo.BaselineIops",
             "got 0, expected a number above 0"),
            ({"EbsInfo__EbsOptimizedInfo__BaselineIops": 1e308}, "EbsInfo.EbsOptimizedInfo.BaselineIops",
             "got 1e+308, expected a number above 0"),
            ({"EbsInfo__EbsOptimizedInfo__MaximumIops": 3599}, "EbsInfo.EbsOptimizedInfo.MaximumIops",
             "got 3599, expected the baseline 3600 or more"),
            ({"EbsInfo__EbsOptimizedInfo__BaselineThroughputInMBps": "81"},
             "EbsInfo.EbsOptimizedInfo.BaselineThroughputInMBps", 'got "81", expected a number above 0'),
            ({"EbsInfo": "supported"}, "EbsInfo", "got text, expected an object"),
            ({"EbsInfo__EbsOptimizedInfo": []}, "EbsInfo.EbsOptimizedInfo", "got a list, expected an object"),
            ({"ProcessorInfo__SupportedArchitectures": "arm64"}, "ProcessorInfo.SupportedArchitectures",
             "got text, expected a list"),
            ({"BareMetal": "false"}, "BareMetal", 'got "false", expected true or false'),
            ({"CurrentGeneration": 1}, "CurrentGeneration", "got 1, expected true or false"),
            ({"InstanceStorageInfo": {"Disks": [{"Type": "ssd"}]}}, "InstanceStorageInfo.Disks.0",
             "expected SizeInGB and Count as whole numbers above 0"),
            ({"InstanceStorageInfo": {"Disks": [{"SizeInGB": 5, "Type": "tape"}]}}, "InstanceStorageInfo.Disks.0",
             "expected an object with the Type ssd or hdd"),
            ({"InstanceStorageInfo": {"Disks": [{"SizeInGB": 5, "Type": "ssd"}], "NvmeSupport": 1}},
             "InstanceStorageInfo.NvmeSupport", "got 1, expected text"),
        ],
    )  # fmt: skip
    def test_an_impossible_figure_is_rejected(self, changes, field, reason):
        with pytest.raises(TableError) as caught:
            read_listing("aws", page(one("m4.large"), one(**changes)))
        assert str(caught.value) == f"row 2 (m5.large), {field}: {reason}"
        assert (caught.value.row, caught.value.field) == (2, field)

    @pytest.mark.parametrize("name", ["", "m5 large", "m5\ud800", "x" * 101, "m5\n", "мм5.large"])
    def test_an_impossible_name_is_rejected(self, name):
        with pytest.raises(TableError, match=r"^row 1, InstanceType: got .*, expected the name of a machine type$"):
            read_listing("aws", [one(InstanceType=name)])

    def test_rows_are_counted_across_pages(self):
        with pytest.raises(TableError, match=r"^row 4 \(m5\.large\), VCpuInfo\.DefaultVCpus: "):
            read_listing("aws", page(*TYPES[:3], NextToken="x") + page(one(VCpuInfo__DefaultVCpus=0)))


class TestRepeats:
    def test_an_equal_repeat_is_counted(self):
        imported = read_listing("aws", page(one(), one("m4.large"), one()))
        assert (imported.found, imported.imported, imported.repeats) == (3, 2, 1)

    def test_a_repeat_with_another_figure_is_rejected(self):
        with pytest.raises(TableError) as caught:
            read_listing("aws", page(one(), one(MemoryInfo__SizeInMiB=4_096)))
        assert str(caught.value) == "row 2 (m5.large), memory_gib: got 4, but row 1 has 8 for the same type"
        with pytest.raises(TableError, match=r"concurrent_iops: got unknown, but row 1 has 3600 for the same type$"):
            read_listing("aws", page(one(), one(EbsInfo__EbsOptimizedInfo__BaselineIops=None)))


DEEP = "[" * 200_000
NO_LISTING = [
    ("", "no usable machine: got 0 entries, expected what aws ec2 describe-instance-types prints"),
    (" \n", "no usable machine: got 0 entries, expected what aws ec2 describe-instance-types prints"),
    ("[]", "no usable machine: got 0 entries, expected what aws ec2 describe-instance-types prints"),
    (page(), "no usable machine: got 0 entries, expected what aws ec2 describe-instance-types prints"),
    (page(one(VCpuInfo=None)), "no usable machine: got 1 entry (1 dropped, the first with no number of vCPUs), "
     "expected what aws ec2 describe-instance-types prints"),
    ("{}", "not a listing: got an object, expected an object with InstanceTypes, as aws ec2 describe-instance-types "
     "prints"),
    ("null", "not a listing: got nothing, expected an object"),
    ("3", "not a listing: got a number, expected an object"),
    ('"x"', "not a listing: got text, expected an object"),
    ("true", "not a listing: got true or false, expected an object"),
    ("[3]", "not a listing: got a list whose first entry is a number, expected an object"),
    ("[[{}]]", "not a listing: got a list whose first entry is a list, expected an object"),
    ('{"InstanceTypes": {}}', "not a listing: got an object, expected an object"),
    ('{"InstanceTypes": [3]}', "row 1: got a number, expected an object"),
    ('{"InstanceTypes": [{}]}', "row 1, InstanceType: missing, expected the name of a machine type"),
    ('[{"name": "n1-standard-1", "guestCpus": 1}]', "not a listing: got a list, expected an object with "
     "InstanceTypes, as aws ec2 describe-instance-types prints; it looks like the list of gcloud"),
    (TEXT[:-20], "not JSON: Unterminated string starting at, line 981, column 7; is the file cut off?"),
    (TEXT[:2_000], "not JSON: "),
    ("{", "not JSON: Expecting property name enclosed in double quotes, line 1, column 2; is the file cut off?"),
    ('{"InstanceTypes": [NaN]}', "not JSON: NaN is not a number"),
    ('{"InstanceTypes": [-Infinity]}', "not JSON: -Infinity is not a number"),
    ('{"a": 1, "a": 2}', 'not JSON: an object has the field "a" more than once'),
    ('{"InstanceTypes": [' + "9" * 5_000 + "]}", "not JSON: it has a number of more than 4300 digits"),
    (DEEP, "not JSON: it is nested too deeply"),
    (b"\xff{}", "not text: byte 0 is not utf-8"),
    (b"{\x00\x00\xd8", "not text: byte 2 is not utf-16-le"),
    (None, "not a listing: got nothing, expected an object"),
    (object(), "not a listing: got object, expected an object"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "message"), NO_LISTING, ids=range(len(NO_LISTING)))
def test_input_that_is_not_a_listing_is_rejected(source, message):
    with pytest.raises(TableError) as caught:
        read_listing("aws", source)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).splitlines()) == 1


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["ssd", "required", "x86_64", "m4.large", 10**400, 1e308, -1, 0, [], {}, [[]], [{}], [3]]),
)
JSON = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["InstanceTypes", "InstanceType", "NextToken", "EbsInfo"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def paths(value, above=()):
    yield above
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from paths(part, (*above, key))


SAMPLE = {"InstanceTypes": [BY_NAME["m4.large"], BY_NAME["i4i.large"], BY_NAME["mac2.metal"]]}
PATHS = [path for path in paths(SAMPLE) if path]


def is_sound(imported: Imported | EtcdSizeError) -> None:
    """Assert that an error is one line, or that a catalog survives its own JSON and all entries are counted."""
    if isinstance(imported, EtcdSizeError):
        assert len(str(imported).splitlines()) == 1
        return
    assert imported.imported + len(imported.dropped) + imported.repeats == imported.found
    assert Imported.model_validate_json(imported.model_dump_json()) == imported


class TestAnything:
    """Every input ends in a catalog or in one of our errors, on one line."""

    @given(st.data())
    def test_a_mutated_sample(self, data):
        sample = copy.deepcopy(SAMPLE)
        for _ in range(data.draw(st.integers(1, 3))):
            *steps, last = data.draw(st.sampled_from(PATHS))
            part = sample
            try:
                for step in steps:
                    part = part[step]
                if data.draw(st.booleans()):
                    part[last] = data.draw(VALUES)
                else:
                    del part[last]
            except (KeyError, IndexError, TypeError):
                continue
        text = json.dumps(sample) if data.draw(st.booleans()) else sample
        is_sound(result(read_listing, "aws", text))

    @given(JSON)
    def test_any_json(self, document):
        is_sound(result(read_listing, "aws", document))

    @given(st.binary(max_size=60) | st.text(max_size=60) | st.text('[]{},:"0123456789 eE.-nultrfasNI\\d', max_size=60))
    def test_any_text(self, text):
        with pytest.raises(EtcdSizeError) as caught:
            read_listing("aws", text)
        assert len(str(caught.value).splitlines()) == 1

    @given(st.integers(1, len(TEXT) - 3))
    def test_a_sample_that_is_cut_off(self, length):
        with pytest.raises(TableError):
            read_listing("aws", TEXT[:length])
