"""The guide's catalogs: every cell of its tables, and the rules that every catalog must follow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

import etcdsize
from etcdsize import (
    Catalog,
    Disk,
    Erratum,
    EtcdSizeError,
    Machine,
    OptionError,
    Price,
    TableError,
    load_catalog,
    size,
    size_fleet,
)
from etcdsize.base.json_text import reject_repeats
from etcdsize.catalog.providers import provider_name

TIERS = ("small", "medium", "large", "xlarge")
FIGURES = ("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second")


def cells(catalog: str) -> list[tuple]:
    return [
        (
            m.tier,
            m.provider,
            m.machine_type,
            *(getattr(m, figure) for figure in FIGURES),
            m.disk and (m.disk.kind, m.disk.size_gb),
        )
        for m in load_catalog(catalog).machines
    ]


class TestGuide:
    """Guide, the four machine tables: provider, type, vCPUs, memory, concurrent IOPS, disk bandwidth; two misprints.

    The small GCE row prints n1-standard-1 (etcd-io/etcd commit cb3a38944 corrects it to n1-standard-2), the medium GCE
    row prints 5 vCPUs (etcd-io/website content/en/docs/v3.5/op-guide/hardware.md: 4).
    """

    def test_every_cell_corrected(self):
        assert cells("guide") == [
            ("small", "aws", "m4.large", 2, 8, 3_600, 56.25, None),
            ("small", "gce", "n1-standard-2", 2, 7.5, 1_500, 25, ("pd-ssd", 50)),
            ("medium", "aws", "m4.xlarge", 4, 16, 6_000, 93.75, None),
            ("medium", "gce", "n1-standard-4", 4, 15, 4_500, 75, ("pd-ssd", 150)),
            ("large", "aws", "m4.2xlarge", 8, 32, 8_000, 125, None),
            ("large", "gce", "n1-standard-8", 8, 30, 7_500, 125, ("pd-ssd", 250)),
            ("xlarge", "aws", "m4.4xlarge", 16, 64, 16_000, 250, None),
            ("xlarge", "gce", "n1-standard-16", 16, 60, 15_000, 250, ("pd-ssd", 500)),
        ]

    def test_every_cell_as_printed(self):
        assert cells("guide-as-printed") == [
            ("small", "aws", "m4.large", 2, 8, 3_600, 56.25, None),
            ("small", "gce", "n1-standard-1+50GB PD SSD", 2, 7.5, 1_500, 25, None),
            ("medium", "aws", "m4.xlarge", 4, 16, 6_000, 93.75, None),
            ("medium", "gce", "n1-standard-4+150GB PD SSD", 5, 15, 4_500, 75, None),
            ("large", "aws", "m4.2xlarge", 8, 32, 8_000, 125, None),
            ("large", "gce", "n1-standard-8+250GB PD SSD", 8, 30, 7_500, 125, None),
            ("xlarge", "aws", "m4.4xlarge", 16, 64, 16_000, 250, None),
            ("xlarge", "gce", "n1-standard-16+500GB PD SSD", 16, 60, 15_000, 250, None),
        ]

    @pytest.mark.parametrize("catalog", ["guide", "guide-as-printed"])
    def test_errata_are_listed(self, catalog):
        told = {
            (m.provider, m.tier): [(e.field, e.printed, e.correct) for e in m.errata]
            for m in load_catalog(catalog).machines
            if m.errata
        }
        assert told == {
            ("gce", "small"): [("machine_type", "n1-standard-1", "n1-standard-2")],
            ("gce", "medium"): [("vcpus", "5", "4")],
        }
        for machine in load_catalog(catalog).machines:
            assert all(erratum.reason and erratum.source for erratum in machine.errata)

    def test_the_two_catalogs_differ_only_in_the_errata_and_the_disk(self):
        differ = set()
        for one, other in zip(load_catalog("guide").machines, load_catalog("guide-as-printed").machines, strict=True):
            for field in Machine.model_fields:
                if getattr(one, field) != getattr(other, field):
                    differ.add((one.provider, one.tier, field))
        assert differ == {
            *(("gce", tier, "machine_type") for tier in TIERS),
            *(("gce", tier, "disk") for tier in TIERS),
            ("gce", "medium", "vcpus"),
        }

    def test_printed_types_include_the_disk(self):
        for one, other in zip(load_catalog("guide").machines, load_catalog("guide-as-printed").machines, strict=True):
            if one.disk and one.tier != "small":
                assert other.machine_type == f"{one.machine_type}+{one.disk.size_gb}GB PD SSD"
                assert str(one) == f"{one.machine_type} + {one.disk.size_gb} GB PD SSD"


class TestInvariants:
    """Rules that hold for all of the guide's rows."""

    @pytest.mark.parametrize("catalog", ["guide", "guide-as-printed"])
    def test_each_tier_has_one_machine(self, catalog):
        found = load_catalog(catalog)
        assert found.name == catalog
        assert found.providers == ("aws", "gce")
        assert [(m.tier, m.provider) for m in found.machines] == [(t, p) for t in TIERS for p in ("aws", "gce")]
        assert found.title
        assert found.date
        assert all(m.source.startswith("the guide, section") for m in found.machines)
        assert all((m.arch, m.lifecycle, m.price) == ("x86_64", "previous", None) for m in found.machines)

    @pytest.mark.parametrize("catalog", ["guide", "guide-as-printed"])
    def test_figures_never_decrease_with_the_tier(self, catalog):
        for provider in ("aws", "gce"):
            chosen = [load_catalog(catalog).machine_for(provider, tier) for tier in TIERS]
            for figure in FIGURES:
                figures = [getattr(machine, figure) for machine in chosen]
                assert figures == sorted(set(figures))

    def test_gce_rows_never_exceed_aws_rows(self):
        for tier in TIERS:
            aws, gce = (load_catalog("guide").machine_for(provider, tier) for provider in ("aws", "gce"))
            assert all(getattr(gce, figure) <= getattr(aws, figure) for figure in FIGURES)

    def test_gce_disk_figures_follow_the_size(self):
        for machine in load_catalog("guide").machines:
            if machine.disk:
                assert machine.concurrent_iops == 30 * machine.disk.size_gb
                assert machine.disk_mb_per_second == min(0.5 * machine.disk.size_gb, 250)

    def test_aws_bandwidth_is_decimal(self):
        megabits = [m.disk_mb_per_second * 8 for m in load_catalog("guide").machines if m.provider == "aws"]
        assert megabits == [450, 750, 1_000, 2_000]


class TestProviderName:
    """Known providers, and the words that people use for them; case, hyphens and underscores do not matter there."""

    @pytest.mark.parametrize(
        ("name", "provider"),
        [
            *((name, "aws") for name in ("aws", "AWS", " aws", "Amazon Web Services", "amazon", "EC2", "EKS")),
            *((name, "gce") for name in ("gce", "GCP", "Google", "Google Cloud", "google-cloud-platform", "GKE")),
            *((name, "gce") for name in ("Google Compute Engine", "google_cloud")),
            *((name, "azure") for name in ("Azure", "Microsoft Azure", "microsoft", "AKS")),
            *((name, "alibaba") for name in ("alibaba", "Alibaba Cloud", "AliCloud", "aliyun", "阿里云", "ACK")),
            *((name, "tencent") for name in ("tencent", "TencentCloud", "qcloud", "腾讯云", "TKE")),
            *((name, "huawei") for name in ("Huawei Cloud", "huaweicloud", "华为云")),
            *((name, "oci") for name in ("OCI", "Oracle Cloud", "oracle")),
            *((name, "hetzner") for name in ("hcloud", "Hetzner Cloud")),
            ("ＡＷＳ", "aws"),
        ],
    )
    def test_a_name_in_any_case_or_an_alias(self, name, provider):
        assert provider_name(name) == provider

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("on-prem", "on-prem"),
            ("Our Racks", "our-racks"),
            ("我们的", "我们的"),
            ("rz_1.eu", "rz_1.eu"),
            ("azur", "azur"),
            ("7", "7"),
            ("Straße", "straße"),
            ("हिन्दी", "हिन्दी"),
            ("x" * 64, "x" * 64),
        ],
    )
    def test_any_other_name_is_kept_in_lower_case(self, name, kept):
        assert provider_name(name) == kept

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("", '""'),
            (" ", '" "'),
            (None, "None"),
            (5, "5"),
            (b"aws", "b'aws'"),
            (float("nan"), "nan"),
            ("../x", '"../x"'),
            (".", '"."'),
            ("..", '".."'),
            ("a/b", '"a/b"'),
            ("a\\b", '"a\\b"'),
            ("-rf", '"-rf"'),
            ("a\nb", '"a\\nb"'),
            ("a\x1b[31mb", '"a\\x1b[31mb"'),
            ("a\x00", '"a\\x00"'),
            ("a\u202eb", '"a\\u202eb"'),
            ("a\u200bb", '"a\\u200bb"'),
            ("<b>", '"<b>"'),
        ],
    )
    def test_what_is_no_name_is_rejected(self, name, shown):
        with pytest.raises(OptionError) as caught:
            provider_name(name)
        assert str(caught.value).startswith(f"provider: got {shown}, expected a name of at most 64 letters, digits")
        assert caught.value.option == "provider"

    def test_a_long_name_is_rejected_and_shortened(self):
        with pytest.raises(OptionError) as caught:
            provider_name("x" * 10_000)
        assert len(str(caught.value)) < 400

    @given(st.text(max_size=70) | st.text("aA-_. é我İǅﬁ②\u0301\u202e/", max_size=20))
    def test_a_name_is_fit_for_a_path_a_terminal_and_a_page(self, name):
        kept = result(provider_name, name)
        if isinstance(kept, EtcdSizeError):
            assert len(str(kept).splitlines()) == 1
            return
        assert provider_name(kept) == kept
        assert kept == kept.lower()
        assert kept.isprintable()
        assert 0 < len(kept) <= 64
        assert not set(kept).intersection("/\\ <>&\"'`$;|:*?")
        assert kept.strip(".-_")


def machine(**fields) -> dict:
    return {"provider": "aws", "machine_type": "m7i.large", "tier": "small", "vcpus": 2, "memory_gib": 8} | fields


SECOND = machine(provider="gce", machine_type="c4-standard-2")
ONCE = "expected each machine once, and one machine of a provider for each tier"
REFUSED = {
    "twice": (
        [machine(), machine(tier=None)], 2, "machine_type",
        'got aws "m7i.large", which is also in row 1; ' + ONCE),
    "two for a tier": (
        [machine(), SECOND, machine(machine_type="m7i.xlarge")], 3, "tier",
        'got aws "small", which is also in row 1; ' + ONCE),
    "none": ([], None, "machines", "got 0 rows, expected at least 1"),
    "unknown field": (
        [machine(), machine(machine_type="x", tier="medium", memory_gb=8)], 2, "memory_gb",
        'unknown field; expected one of the 30 fields of Machine that docs/api.md lists; did you mean "memory_gib"?'),
    "no provider's name": (
        [machine(provider="../oracle")], 1, "provider",
        'got "../oracle", expected a name of at most 64 letters, digits, spaces, hyphens, underscores and dots that '
        "begins with a letter or a digit, such as aws or our-racks"),
    "no vCPUs": ([machine(vcpus=0)], 1, "vcpus", "got 0, expected greater than 0"),
    "part of a vCPU": ([machine(vcpus=0.5)], 1, "vcpus", "got 0.5, expected a valid integer"),
    "text": ([machine(memory_gib="8")], 1, "memory_gib", 'got "8", expected a finite number above 0'),
    "zero for unknown": ([machine(concurrent_iops=0)], 1, "concurrent_iops", "got 0, expected a finite number above 0"),
    "NaN": ([machine(disk_mb_per_second=float("nan"))], 1, "disk_mb_per_second",
            "got nan, expected a finite number above 0"),
    "architecture": ([machine(arch="amd64")], 1, "arch", "got \"amd64\", expected 'x86_64' or 'arm64'"),
    "lifecycle": ([machine(lifecycle="old")], 1, "lifecycle", "got \"old\", expected 'current' or 'previous'"),
    "a price without a date": (
        [SECOND, machine(price={"per_hour": 1, "currency": "USD", "region": "eu-west-1"})], 2, "price.date",
        "missing; the field is required"),
    "a negative price": (
        [machine(price={"per_hour": -1, "currency": "USD", "region": "eu-west-1", "date": "2026-01-01"})], 1,
        "price.per_hour",
        "got -1, expected a finite number of 0 or more"),
    "an erratum without a reason": (
        [machine(errata=[{"field": "vcpus", "printed": "5", "correct": "4"}])], 1, "errata.0.reason",
        "missing; the field is required"),
    "a disk without a size": ([machine(disk={"kind": "gp3"})], 1, "disk.size_gb", "missing; the field is required"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("from_file", [False, True])
def test_a_broken_catalog_is_rejected(case, from_file, tmp_path):
    machines, row, field, reason = REFUSED[case]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"name": "mine", "machines": machines}))
    with pytest.raises(TableError) as caught:
        load_catalog(file) if from_file else Catalog(name="mine", machines=machines)
    error = caught.value
    where = ", ".join([*([f"row {row}"] if row else []), field])
    assert str(error) == f"{file if from_file else 'Catalog'}: {where}: {reason}"
    assert (error.file, error.row, error.field) == (str(file) if from_file else None, row, field)


class TestLoad:
    """A catalog by name or by the path of a file; a user's own file has the same fields and the same checks."""

    @pytest.mark.parametrize(
        ("name", "hint"),
        [("giude", '; did you mean "guide"?'), ("as-printed", '; did you mean "guide-as-printed"?'), ("x", "")],
    )
    def test_an_unknown_name_is_rejected_with_a_suggestion(self, name, hint):
        with pytest.raises(OptionError) as caught:
            load_catalog(name)
        assert (
            str(caught.value)
            == f'catalog: got "{name}", expected guide, guide-as-printed, current or the path of a JSON file{hint}'
        )

    def test_a_repeated_field_in_a_users_own_file_is_rejected(self, tmp_path):
        file = tmp_path / "mine.json"
        file.write_text(
            json.dumps({"name": "mine", "machines": [machine()]}).replace('"vcpus":', '"vcpus": 1, "vcpus":')
        )
        with pytest.raises(TableError) as caught:
            load_catalog(file)
        assert str(caught.value) == f'{file}: not JSON: an object has the field "vcpus" more than once'

    def test_built_in_files_have_no_repeated_field(self):
        for path in (Path(etcdsize.__file__).parent / "data").rglob("*.json"):
            reject_repeats(path.read_bytes())

    def test_a_users_own_file(self, tmp_path):
        file = tmp_path / "mine.json"
        full = machine(
            provider="GCP",
            concurrent_iops=3_000,
            burst_concurrent_iops=20_000,
            burst_disk_mb_per_second=1_250,
            disk={"kind": "hyperdisk-balanced", "size_gb": 100},
            arch="arm64",
            lifecycle="current",
            price={
                "per_hour": 0.1,
                "currency": "USD",
                "region": "europe-west1",
                "date": "2026-07-01",
                "source": "the price list",
            },
            errata=[{"field": "vcpus", "printed": "3", "correct": "2", "reason": "a slip"}],
            source="our own measurement",
        )
        file.write_text(json.dumps({"name": "mine", "machines": [full, machine(tier=None)]}))
        catalog = load_catalog(str(file))
        assert catalog.providers == ("aws", "gce")
        found = catalog.machines[0]
        assert (found.provider, found.disk, found.price) == (
            "gce",
            Disk(kind="hyperdisk-balanced", size_gb=100),
            Price(per_hour=0.1, currency="USD", region="europe-west1", date="2026-07-01", source="the price list"),
        )
        assert found.errata == (Erratum(field="vcpus", printed="3", correct="2", reason="a slip"),)
        assert Catalog.model_validate_json(catalog.model_dump_json()) == catalog
        sizing = size(clients=5, catalog=file, provider="google")
        assert sizing.machine == found
        assert "previous-generation" not in {notice.code for notice in sizing.notices}
        assert "unknown MB/s" in sizing.explain()

    def test_a_tier_without_a_machine(self):
        """It is given all the same, with the reason; whoever asks for the machine itself gets an error."""
        catalog = Catalog(name="mine", machines=[machine(), machine(provider="gce", tier=None)])
        for provider, has in [("aws", "it has machines for small"), ("gce", "it assigns no gce machine to a tier")]:
            why = f'the catalog "mine" has no {provider} machine for the tier "medium"; {has}'
            sizing = size(clients=300, catalog=catalog, provider=provider)
            assert (sizing.tier, sizing.machines, sizing.machines_today) == ("medium", {}, {})
            (notice,) = [notice for notice in sizing.notices if notice.code == "no-machine-fits"]
            assert notice.text.startswith(f"{why}. The answer therefore has only the tier and its needs. ")
            with pytest.raises(OptionError) as caught:
                catalog.machine_for(provider, "medium")
            assert str(caught.value) == f"catalog: {why}"
            fleet = size_fleet([5, 300], 1, 1, catalog=catalog, provider=provider)
            assert fleet.tier_names.tolist() == ["small", "medium"]
            assert fleet.machine_types[1] is None
            assert [notice for notice in fleet[1].notices if notice.code == "no-machine-fits"] == [notice]

    def test_a_built_in_catalog_is_loaded_once(self):
        assert load_catalog("guide") is load_catalog("guide")
