"""The known providers, and how one data file makes another provider known."""

from __future__ import annotations

import json
import shutil

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import OptionError, TableError, fit, load_catalog, size, size_fleet
from etcdsize.catalog import providers
from etcdsize.catalog.known_types import known_machine, known_types
from etcdsize.catalog.provider_file import read_folder, read_provider
from etcdsize.catalog.providers import known_providers, misspelt_provider, provider_name
from etcdsize.catalog.regional_prices import home_region, prices_in

MACHINES = [
    {"provider": "nimbus", "machine_type": f"n.{vcpus}", "vcpus": vcpus, "memory_gib": 4 * vcpus,
     "concurrent_iops": 20_000, "disk_mb_per_second": 500, "arch": "x86_64",
     "price": {"per_hour": vcpus / 100, "currency": "USD", "region": "north", "date": "2026-11-01"}}
    for vcpus in (2, 4, 8, 16)
]  # fmt: skip
DISK = {
    "provider": "nimbus", "kind": "cloud-ssd", "media": "ssd", "write_latency": {"usual_ms": 4, "statistic": "made up"},
    "included_iops": 20_000, "iops_per_gib": 0,
    "max_iops": 20_000, "included_mb_per_second": 400, "mb_per_second_per_gib": 0, "mb_per_second_per_iops": 0,
    "max_mb_per_second": 400,
    "price": {"per_gib_month": 0.1, "currency": "USD", "region": "north", "date": "2026-11-01"},
}  # fmt: skip
NIMBUS = {
    "provider": "nimbus",
    "title": "Nimbus",
    "aliases": ["nim", "雨云"],
    "disk_kinds": [DISK],
    "machines": MACHINES,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with copies of three data files, from which providers are read during the test."""
    copy = tmp_path / "machines-current"
    copy.mkdir()
    for name in ("aws", "azure", "gce"):
        shutil.copy(providers.FOLDER / f"{name}.json", copy)
    monkeypatch.setattr(providers, "FOLDER", copy)
    return copy


@pytest.fixture
def nimbus(folder):
    (folder / "nimbus.json").write_text(json.dumps(NIMBUS), encoding="utf-8")


class TestKnownProviders:
    def test_each_has_its_own_file(self):
        files = read_folder(providers.FOLDER)
        assert {"aws", "azure", "gce"} <= set(known_providers()) == {file.provider for file in files}
        assert [file.provider for file in files[:3]] == ["aws", "gce", "azure"]

    def test_no_name_means_two_providers(self):
        names = [name for file in read_folder(providers.FOLDER) for name in (file.provider, *file.aliases)]
        assert len(names) == len(set(names))
        assert names == [name.lower() for name in names]

    def test_a_canonical_name_reads_no_file(self, folder):
        for name in known_providers():
            (folder / f"{name}.json").write_text("not JSON")
        assert [provider_name(name) for name in ("aws", "GCE", "Azure")] == ["aws", "gce", "azure"]


@pytest.mark.usefixtures("nimbus")
class TestOneMoreDataFile:
    """One data file makes a provider known everywhere: its machines, its disks, its aliases and its latencies."""

    @pytest.mark.parametrize("name", ["nimbus", "NIMBUS", "Nim", "雨云"])
    def test_its_name_and_aliases(self, name):
        assert provider_name(name) == "nimbus"

    def test_a_misspelt_name_is_rejected(self):
        with pytest.raises(OptionError) as caught:
            size(clients=1, provider="nimbos")
        assert str(caught.value) == ('provider: got "nimbos", expected the name of a provider; did you mean "nimbus"?')

    def test_the_current_catalog_has_its_machines_last(self):
        catalog = load_catalog("current")
        assert catalog.providers == ("aws", "azure", "gce", "nimbus")
        assert catalog.default_providers == ("aws", "azure", "gce")
        assert catalog.title == "Today's machines of AWS, GCE, Azure and Nimbus, with prices"
        assert [machine.machine_type for machine in catalog.machines[-4:]] == ["n.2", "n.4", "n.8", "n.16"]
        assert catalog.disk_kind("nimbus", "cloud-ssd").figures(50) == (20_000, 400)

    def test_fit_chooses_its_machines(self):
        found = fit("large", provider="nim")
        assert str(found.best) == f"n.8 + {found.disk.size_gib} GB CLOUD SSD"
        assert found.best.cost.region == "north"
        assert [latency.usual_ms for latency in found.sequential.expected] == [4]

    def test_size_and_size_fleet_accept_it(self):
        sizing = size(clients=300, provider="nim", catalog="current")
        assert (sizing.machine.provider, sizing.machine.machine_type) == ("nimbus", "n.4")
        fleet = size_fleet([90, 300], None, None, provider=["雨云", "aws"], catalog="current")
        assert [list(sizing.machines) for sizing in fleet] == [["nimbus"], ["aws"]]

    def test_an_answer_has_it_only_once_it_is_named(self):
        for catalog in ("current", load_catalog("current")):
            assert list(size(clients=300, catalog=catalog).machines) == ["aws", "azure", "gce"]
            assert {one.machine.provider for one in fit("small", catalog, limit=None).candidates} <= {
                "aws",
                "azure",
                "gce",
            }
            assert list(size(clients=300, catalog=catalog, provider=["nim", "aws"]).machines) == ["nimbus", "aws"]

    def test_it_needs_no_catalog_to_be_named(self):
        """The guide has no machines of it, and `current` has some."""
        assert (size(clients=300, provider="nim").catalog, size(clients=300, provider="aws").catalog) == (
            "current",
            "guide",
        )
        assert size_fleet([300], None, None, provider="nim").machine_types.tolist() == ["n.4"]

    def test_no_file_of_another_provider_is_read(self, folder):
        for name in ("aws", "azure", "gce"):
            (folder / f"{name}.json").write_text("{}")
        assert size(clients=300, provider="nimbus", catalog="current").machine.machine_type == "n.4"

    def test_a_users_own_catalog_accepts_its_alias(self, tmp_path):
        file = tmp_path / "mine.json"
        file.write_text(json.dumps({"name": "mine", "machines": [MACHINES[0] | {"provider": "NIM"}]}))
        assert load_catalog(file).providers == ("nimbus",)


class TestBrokenDataFile:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"provider": "aws", "disk_kinds": [], "machines": [MACHINES[0] | {"provider": "aws"}]},
             'provider: got "aws", expected "nimbus", as the file is named'),
            ({"machines": [*MACHINES[:1], MACHINES[1] | {"provider": "aws"}]},
             'row 2, machines.provider: got "aws", expected "nimbus", whose file this is'),
            ({"disk_kinds": [DISK | {"provider": "gcp"}]},
             'row 1, disk_kinds.provider: got "gce", expected "nimbus", whose file this is'),
            ({"machines": []}, "machines: got 0 rows, expected at least 1"),
        ],
        ids=["the file of another provider", "a machine of another", "a disk of another", "no machine"],
    )  # fmt: skip
    def test_the_error_names_file_and_field(self, folder, changes, message):
        file = folder / "nimbus.json"
        file.write_text(json.dumps(NIMBUS | changes), encoding="utf-8")
        with pytest.raises(TableError) as caught:
            read_provider("nimbus")
        assert str(caught.value) == f"{file}: {message}"


def edits_by_the_rule(one: str, other: str) -> int:
    """Return the edits between two words by their definition: the cheapest way to treat the first letters."""
    if not one or not other:
        return len(one) + len(other)
    swapped = len(one) > 1 and len(other) > 1 and one[:2] == other[1] + other[0]
    return min(
        edits_by_the_rule(one[1:], other) + 1,
        edits_by_the_rule(one, other[1:]) + 1,
        edits_by_the_rule(one[1:], other[1:]) + (one[0] != other[0]),
        edits_by_the_rule(one[2:], other[2:]) + 1 if swapped else len(one) + len(other),
    )


KNOWN = [
    *(word for file in read_folder(providers.FOLDER) for word in (file.provider, *file.aliases)),
    *(
        "alibaba",
        "oci",
        "ibm",
        "do",
        "tencent",
        "ack",
        "cce",
        "ecs",
        "tke",
        "oracle",
        "vultr",
        "hetzner",
        "linode",
        "huawei",
    ),
    *(
        "aliyun",
        "qcloud",
        "hcloud",
        "ctyun",
        "otc",
        "ovh",
        "ionos",
        "akamai",
        "vmware",
        "vsphere",
        "阿里",
        "华为",
        "腾讯",
    ),
    *("阿里云", "华为云", "腾讯云", "天翼云", "火山引擎"),
]


class TestMisspeltProvider:
    """A word within two edits of a known name is a typing error; any other is the name of another provider."""

    @examples(50)
    @given(st.sampled_from(["aws", "gcp", "eks", "azure", "oci", "ibm", "alibaba"]), st.data())
    def test_agrees_with_the_definition(self, word, data):
        letters = list(word)
        for _ in range(data.draw(st.integers(0, 3))):
            place = data.draw(st.integers(0, len(letters)))
            letters[place : place + data.draw(st.integers(0, 1))] = data.draw(st.sampled_from(["", "x", "a", "s", "z"]))
        typed = "".join(letters)
        expected = (
            typed
            and typed not in KNOWN
            and any(
                edits_by_the_rule(typed, known) <= 2 and 2 * edits_by_the_rule(typed, known) < len(known)
                for known in KNOWN
                if len(known) < 8
            )
        )
        found = misspelt_provider(typed)
        assert bool(found) >= bool(expected)
        if not expected:
            assert not found or len(found.rpartition(" mean ")[2]) > 8

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("asw", "aws"), ("gpc", "gcp"), ("azzure", "azure"), ("Amazon Web Service", "amazon web services"),
            ("alibab", "alibaba"), ("aliyum", "aliyun"), ("tencnet", "tencent"),
        ],
    )  # fmt: skip
    def test_the_suggestion_is_the_nearest(self, typed, meant):
        assert misspelt_provider(typed) == f'got "{typed}", expected the name of a provider; did you mean "{meant}"?'

    def test_the_providers_of_ones_own_catalog_count(self):
        assert misspelt_provider("our-rakcs", ["our-racks"]).endswith('did you mean "our racks"?')
        assert misspelt_provider("awss", ["awss"]) == ""

    @pytest.mark.parametrize(
        "name",
        [
            *("alibaba", "OCI", "aliyun", "阿里云", "on-prem", "rack 7", "Hetzner", "x" * 10_000),
            *("idc", "dc", "mine", "我们的", "lab", "own", "ecs", "cce", "ack", "tke", "kvm", "cvm", "uat", "prod"),
        ],
    )
    def test_another_provider_is_none(self, name):
        assert misspelt_provider(name) == ""


def test_no_alias_means_two_providers():
    others = json.loads((providers.FOLDER.parent / "other-providers.json").read_text(encoding="utf-8"))
    files = read_folder(providers.FOLDER)
    meanings = {(alias, name) for name, of in others.items() for alias in (name, *of)}
    meanings |= {(alias, file.provider) for file in files for alias in (file.provider, *file.aliases)}
    assert len({alias for alias, _ in meanings}) == len(meanings) > 50
    assert all(alias == providers._word(alias) for alias, _ in meanings)


class TestPaths:
    """No name of a provider becomes a part of a path, unless it is that of a data file."""

    @pytest.mark.parametrize("name", ["../prices/aws", "..", "/etc/passwd", "x" * 10_000, "a\x00b", "aws/../gce"])
    def test_a_hostile_name_finds_nothing(self, name):
        assert known_machine("m5.large", [name]) is None
        assert known_types(name) == ()
        assert (home_region(name), prices_in(name, "eu-west-1")) == (None, None)
        with pytest.raises(OptionError):
            load_catalog("current").machine(name, "m5.large")
        assert load_catalog("guide").find_for(name, "small") is None

    def test_a_catalog_is_asked_by_any_spelling(self):
        catalog = load_catalog("current")
        assert catalog.machine("Google Cloud", "n2-standard-4") is catalog.machine("gce", "n2-standard-4")
        assert catalog.disk_kind("Amazon", "gp3") is catalog.disk_kind("aws", "gp3")
        assert load_catalog("guide").machine_for("GCP", "small").machine_type == "n1-standard-2"
