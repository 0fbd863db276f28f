"""The reader of Google Cloud's list of machine types: fields, zones, disk limits by rule, and each error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import Dropped, EtcdSizeError, Imported, TableError, load_catalog, read_listing

TEXT = (Path(__file__).parents[1] / "data" / "gcloud-machine-types.json").read_text()
LIST = json.loads(TEXT)
MIB = 1.048576


def entry(name: str = "n2-standard-4", **changes) -> dict:
    found = {"name": name, "guestCpus": 4, "memoryMb": 16_384, "zone": "us-central1-a", "isSharedCpu": False}
    found |= {"architecture": "X86_64", "id": "5", "kind": "compute#machineType"}
    return {key: value for key, value in (found | changes).items() if value is not ...}


def read_one(name: str = "n2-standard-4", **changes):
    (machine,) = read_listing("gcloud", [entry(name, **changes)]).catalog.machines
    return machine


class TestList:
    """The list in the shape of the API's reference: older and newer entries, zones by name and by URL."""

    def test_each_type_of_the_sample_becomes_a_machine(self):
        imported = read_listing("gcloud", TEXT, date="2026-11-25")
        assert (imported.found, imported.imported, imported.dropped, imported.repeats) == (31, 15, (), 16)
        assert not imported.truncated
        rows = {
            machine.machine_type: (
                *(machine.family, machine.vcpus, machine.memory_gib, machine.arch, machine.lifecycle),
                machine.local_nvme_gb,
                machine.limits_for("pd-ssd") if machine.disk_limits else None,
            )
            for machine in imported.catalog.machines
        }
        assert rows == {
            "n1-standard-1": ("n1", 1, 3.75, "x86_64", "previous", 0, (15_000, 213.909504)),
            "n1-highcpu-16": ("n1", 16, 14_746 / 1_024, "x86_64", "previous", 0, (20_000, 1_048.576)),
            "n1-standard-96": ("n1", 96, 360, "x86_64", "previous", 0, None),
            "e2-medium": ("e2", 2, 4, "x86_64", "current", 0, (10_000, 209.7152)),
            "e2-micro": ("e2", 2, 1, "x86_64", "current", 0, None),
            "e2-standard-2": ("e2", 2, 8, "x86_64", "current", 0, (15_000, 251.65824)),
            "n2-standard-4": ("n2", 4, 16, "x86_64", "previous", 0, (15_000, 251.65824)),
            "n4-standard-2": ("n4", 2, 8, "x86_64", "current", 0, (None, None)),
            "f1-micro": ("f1", 1, 614 / 1_024, None, "previous", 0, None),
            "c3-standard-22-lssd": ("c3", 22, 88, "x86_64", "previous", 1_500, (25_000, 838.8608)),
            "c3-standard-192-metal": ("c3", 192, 768, "x86_64", "previous", 0, None),
            "t2a-standard-1": ("t2a", 1, 4, "arm64", None, 0, (20_000, 213.909504)),
            "c4a-standard-1": ("c4a", 1, 4, "arm64", "current", 0, (None, None)),
            "z3-highmem-88": ("z3", 88, 704, "x86_64", None, None, (100_000, 1_258.2912)),
            "a2-highgpu-1g": ("a2", 12, 85, "x86_64", None, 0, None),
        }
        machines = imported.catalog.machines
        assert [m.machine_type for m in machines if m.shared_core] == ["e2-medium", "e2-micro", "f1-micro"]
        assert [m.machine_type for m in machines if m.bare_metal] == ["c3-standard-192-metal"]
        assert all(m.concurrent_iops is m.disk_mb_per_second is m.price is None for m in machines)

    def test_the_catalog_has_its_name_date_and_the_providers_disks(self):
        catalog = read_listing("gcloud", TEXT, date="2026-11-25").catalog
        assert (catalog.name, catalog.date, catalog.providers) == ("gce-imported", "2026-11-25", ("gce",))
        kinds = ["pd-ssd", "pd-balanced", "pd-standard", "hyperdisk-balanced"]
        assert [kind.kind for kind in catalog.disk_kinds] == kinds

    def test_an_import_agrees_with_the_current_catalog(self):
        """Each GCE row of `current`, written as the list writes it, is imported unchanged."""
        rows = [machine for machine in load_catalog("current").machines if machine.provider == "gce"]
        listed = [
            {
                "name": machine.machine_type,
                "guestCpus": machine.vcpus,
                "memoryMb": int(machine.memory_gib * 1_024),
                "architecture": {"x86_64": "X86_64", "arm64": "ARM64"}[machine.arch],
                **(
                    {"bundledLocalSsds": {"partitionCount": machine.local_nvme_gb // 375, "defaultInterface": "NVME"}}
                    if machine.local_nvme_gb
                    else {}
                ),
            }
            for machine in rows
        ]
        found = read_listing("gcloud", listed).catalog.machines
        for machine, row in zip(found, rows, strict=True):
            assert machine == row.model_copy(update={"price": None, "source": machine.source})


class TestFields:
    @pytest.mark.parametrize(
        ("name", "changes", "field", "value"),
        [
            ("n2-standard-4", {"architecture": ...}, "arch", "x86_64"),
            ("n2-standard-4", {"architecture": None}, "arch", "x86_64"),
            ("n2-standard-4", {"architecture": "ARCHITECTURE_UNSPECIFIED"}, "arch", "x86_64"),
            ("n2-standard-4", {"architecture": "RISCV"}, "arch", None),
            ("q9-standard-4", {"architecture": ...}, "arch", None),
            ("q9-standard-4", {}, "lifecycle", None),
            ("n4-standard-4", {"deprecated": {"state": "DEPRECATED"}}, "lifecycle", "previous"),
            ("n4-standard-4", {"deprecated": {"state": "ACTIVE"}}, "lifecycle", "current"),
            ("n4-standard-4", {"deprecated": None}, "lifecycle", "current"),
            ("c3-standard-4-lssd", {}, "local_nvme_gb", None),
            ("c3-standard-4-lssd", {"bundledLocalSsds": {"partitionCount": 1}}, "local_nvme_gb", 375),
            ("c3d-standard-8-lssd", {"bundledLocalSsds": {"partitionCount": 2, "defaultInterface": "NVME"}},
             "local_nvme_gb", 750),
            ("c3-standard-4-lssd", {"bundledLocalSsds": {"partitionCount": 1, "defaultInterface": "SCSI"}},
             "local_nvme_gb", 0),
            ("z3-highmem-14", {"bundledLocalSsds": {"partitionCount": 1}}, "local_nvme_gb", None),
            ("n2-standard-4", {"bundledLocalSsds": None}, "local_nvme_gb", 0),
            ("n2-standard-4", {"isSharedCpu": ...}, "shared_core", False),
            ("e2-small", {"isSharedCpu": ...}, "shared_core", True),
            ("n2-standard-4", {"zone": 7, "somethingNew": [1]}, "vcpus", 4),
        ],
    )  # fmt: skip
    def test_a_field_becomes_a_figure(self, name, changes, field, value):
        found = getattr(read_one(name, **changes), field)
        assert (type(found), found) == (type(value), value)

    @pytest.mark.parametrize(
        ("name", "vcpus", "kind", "limits"),
        [
            ("n1-standard-1", 1, "pd-ssd", (15_000, 204 * MIB)),
            ("n1-standard-8", 8, "pd-balanced", (15_000, 800 * MIB)),
            # The sources disagree: the lower of each; from 64 on there is none.
            ("n1-standard-16", 16, "pd-ssd", (20_000, 1_000 * MIB)),
            ("n1-standard-32", 32, "pd-ssd", (20_000, 1_000 * MIB)),
            ("n1-standard-32", 32, "pd-balanced", (50_000, 1_200 * MIB)),
            ("n1-standard-64", 64, "pd-ssd", (None, None)),
            ("n2-highmem-16", 16, "pd-ssd", (25_000, 1_200 * MIB)),
            ("n2-standard-128", 128, "pd-ssd", (100_000, 1_200 * MIB)),
            ("n2-standard-128", 128, "pd-balanced", (80_000, 1_200 * MIB)),
            ("e2-standard-16", 16, "pd-ssd", (25_000, 1_000 * MIB)),
            ("c3-standard-176", 176, "pd-ssd", (80_000, 1_200 * MIB)),
            ("c3-standard-5", 5, "pd-ssd", (None, None)),
            ("t2d-standard-60", 60, "pd-ssd", (60_000, 1_200 * MIB)),
            ("t2d-standard-61", 61, "pd-ssd", (None, None)),
            ("n4-standard-4", 4, "pd-ssd", (None, None)),
            ("n2-standard-4", 4, "hyperdisk-balanced", (None, None)),
        ],
    )
    def test_disk_limits(self, name, vcpus, kind, limits):
        found = read_one(name, guestCpus=vcpus).limits_for(kind)
        assert found[0] == limits[0]
        assert found[1] == (limits[1] if limits[1] is None else pytest.approx(limits[1], rel=1e-12))

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [({"guestCpus": ...}, "no number of vCPUs"), ({"memoryMb": None}, "no memory")],
    )
    def test_a_type_without_vcpus_or_memory_is_dropped(self, changes, reason):
        imported = read_listing("gcloud", [entry(**changes), entry("n2-standard-8", guestCpus=8)])
        assert imported.dropped == (Dropped(machine_type="n2-standard-4", reason=reason),)

    @pytest.mark.parametrize(
        ("changes", "field", "reason"),
        [
            ({"guestCpus": 0}, "guestCpus", "got 0, expected a whole number above 0"),
            ({"guestCpus": "4"}, "guestCpus", 'got "4", expected a whole number above 0'),
            ({"guestCpus": 1e308}, "guestCpus", "got 1e+308, expected a whole number above 0"),
            ({"memoryMb": -1}, "memoryMb", "got -1, expected a whole number above 0"),
            ({"memoryMb": True}, "memoryMb", "got True, expected a whole number above 0"),
            ({"isSharedCpu": "no"}, "isSharedCpu", 'got "no", expected true or false'),
            ({"architecture": 64}, "architecture", "got 64, expected text"),
            ({"deprecated": "yes"}, "deprecated", "got text, expected an object"),
            ({"bundledLocalSsds": {"partitionCount": "1"}}, "bundledLocalSsds.partitionCount",
             'got "1", expected a whole number above 0'),
        ],
    )  # fmt: skip
    def test_an_impossible_figure_is_rejected(self, changes, field, reason):
        with pytest.raises(TableError) as caught:
            read_listing("gcloud", [entry("n2-standard-2"), entry(**changes)])
        assert str(caught.value) == f"row 2 (n2-standard-4), {field}: {reason}"
        assert (caught.value.row, caught.value.field) == (2, field)


class TestZones:
    """The list has a type once for each zone; together they are one machine."""

    def test_repeats_in_other_zones_are_counted(self):
        zones = ["us-central1-a", "https://www.googleapis.com/compute/v1/projects/p/zones/us-central1-b", None]
        imported = read_listing("gcloud", [entry(zone=zone) for zone in zones])
        assert (imported.found, imported.imported, imported.repeats) == (3, 1, 2)

    def test_several_lists_are_read_as_one(self):
        imported = read_listing("gcloud", json.dumps([entry()]) + "\n" + json.dumps([entry(), entry("n2-x")]))
        assert (imported.found, imported.imported, imported.repeats, imported.truncated) == (3, 2, 1, False)

    @pytest.mark.parametrize("states", [("DEPRECATED", None), (None, "DEPRECATED")])
    def test_a_type_deprecated_in_one_zone_only_is_current(self, states):
        listed = [entry("n4-standard-4", deprecated=state and {"state": state}) for state in states]
        assert read_listing("gcloud", listed).catalog.machines[0].lifecycle == "current"

    def test_different_figures_for_a_type_are_rejected(self):
        with pytest.raises(TableError) as caught:
            read_listing("gcloud", [entry(), entry("n2-x"), entry(memoryMb=8_192)])
        assert str(caught.value) == "row 3 (n2-standard-4), memory_gib: got 8, but row 1 has 16 for the same type"


EXPECTED = "a list, as gcloud compute machine-types list --format=json prints"
NO_LISTING = [
    ("", "no usable machine: got 0 entries, expected what gcloud compute machine-types list prints"),
    ("[]", "no usable machine: got 0 entries, expected what gcloud compute machine-types list prints"),
    ("{}", f"not a listing: got an object, expected {EXPECTED}"),
    ("[3]", f"not a listing: got a list whose first entry is a number, expected {EXPECTED}"),
    ("[{}]", f"not a listing: got a list whose first entry has no name, expected {EXPECTED}"),
    ('{"InstanceTypes": []}', f"not a listing: got an object, expected {EXPECTED}; it looks like the list of aws"),
    (
        '[{"InstanceType": "m5.large", "VCpuInfo": {}}]',
        f"not a listing: got a list whose first entry has no name, expected {EXPECTED}; it looks like the list of aws",
    ),
    ('[{"name": "n2-a"}, 3]', "row 2: got a number, expected an object"),
    ('[{"name": null}]', "row 1, name: missing, expected the name of a machine type"),
    ('[{"name": "n2\\ud800"}]', 'row 1, name: got "n2\\ud800", expected the name of a machine type'),
    (TEXT[:3_000], "not JSON: "),
    ("[[" * 100_000, "not JSON: it is nested too deeply"),
    (b"\xff\xfe[", "not text: byte 2 is not utf-16"),
    ('[{"name": "n2-a", "guestCpus": Infinity}]', "not JSON: Infinity is not a number"),
]


@pytest.mark.parametrize(("source", "message"), NO_LISTING, ids=range(len(NO_LISTING)))
def test_input_that_is_not_a_listing_is_rejected(source, message):
    with pytest.raises(TableError) as caught:
        read_listing("gcloud", source)
    assert str(caught.value).startswith(message)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([10**400, 1e308, 0, -1, [], {}, {"partitionCount": 3}, {"state": "DELETED"}, "n1-standard-16"]),
)
FIELDS = ["name", "guestCpus", "memoryMb", "isSharedCpu", "architecture", "bundledLocalSsds", "deprecated", "zone"]


class TestAnything:
    """Every input ends in a catalog or in one of our errors, on one line."""

    @given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES), max_size=4), st.booleans())
    def test_a_mutated_sample(self, changes, parsed):
        listed = [LIST[index] | change for index, change in enumerate(changes)]
        imported = result(read_listing, "gcloud", listed if parsed else json.dumps(listed))
        if isinstance(imported, EtcdSizeError):
            assert len(str(imported).splitlines()) == 1
        else:
            assert imported.imported + len(imported.dropped) + imported.repeats == imported.found
            assert Imported.model_validate_json(imported.model_dump_json()) == imported

    @given(st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3), max_leaves=5))
    def test_any_json(self, document):
        with pytest.raises(EtcdSizeError) as caught:
            read_listing("gcloud", [document])
        assert len(str(caught.value).splitlines()) == 1

    @given(st.binary(max_size=60) | st.text(max_size=60))
    def test_any_text(self, text):
        with pytest.raises(EtcdSizeError) as caught:
            read_listing("gcloud", text)
        assert len(str(caught.value).splitlines()) == 1
