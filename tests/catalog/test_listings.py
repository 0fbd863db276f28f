"""What each provider's list says of a machine: real samples, and every field that is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from etcdsize import Dropped, TableError, load_catalog, read_listing

DATA = Path(__file__).parents[1] / "data"


def sample(name: str):
    return json.loads((DATA / f"{name}.json").read_text())


def rows(imported) -> dict:
    return {
        machine.machine_type: (machine.family, machine.vcpus, machine.memory_gib, machine.arch)
        for machine in imported.catalog.machines
    }


def only(origin: str, **fields):
    (machine,) = read_listing(origin, [fields]).catalog.machines
    return machine


SIZE = {"name": "Standard_D2s_v9", "resourceType": "virtualMachines"}
FIGURES = {"vCPUs": "2", "MemoryGB": "8", "PremiumIO": "True"}


class TestAz:
    """Figures are texts in a list of capabilities; it is the one list that has the limits for disks."""

    def one(self, *, restrictions=(), name="Standard_D2s_v9", key="name", **figures):
        listed = [{key: name, "value": value} for name, value in (FIGURES | figures).items() if value is not None]
        return SIZE | {"name": name, "capabilities": listed, "restrictions": list(restrictions)}

    def test_the_sample(self):
        imported = read_listing("az", sample("az-vm-list-skus"), date="2026-11-27")
        assert {
            machine.machine_type: (
                *(machine.family, machine.vcpus, machine.memory_gib, machine.arch),
                *(machine.concurrent_iops, machine.disk_mb_per_second),
            )
            for machine in imported.catalog.machines
        } == {
            "Standard_D2s_v3": ("Dsv3", 2, 8, "x86_64", 3200, 48),
            "Standard_D4s_v3": ("Dsv3", 4, 16, "x86_64", 6400, 96),
            "Standard_D2as_v6": ("Dasv6", 2, 8, "x86_64", 4000, 90),
            "Standard_D16plds_v5": ("Dpldsv5", 16, 32, "arm64", 25600, 600),
        }
        assert imported.catalog.providers == ("azure",)
        assert imported.catalog.disk_kinds == tuple(
            kind for kind in load_catalog("current").disk_kinds if kind.provider == "azure"
        )

    def test_a_constrained_size_has_the_vcpus_that_are_available(self):
        (machine,) = read_listing(
            "az", [self.one(name="Standard_M8-2ms", vCPUs="8", vCPUsAvailable="2")]
        ).catalog.machines
        assert (machine.vcpus, machine.family) == (2, "Mms")

    def test_memory_may_be_half_a_gib_and_limits_may_be_missing(self):
        (machine,) = read_listing("az", [self.one(name="Standard_B1ls", MemoryGB="0.5")]).catalog.machines
        assert (machine.memory_gib, machine.concurrent_iops, machine.burstable) == (0.5, None, True)

    def test_gpus(self):
        sizes = [self.one(name=f"Standard_N{number}s_v9", GPUs=str(number)) for number in (0, 1)]
        assert [machine.gpu for machine in read_listing("az", sizes).catalog.machines] == [False, True]

    def test_an_export_of_the_resource_graph_writes_key_and_value(self):
        (machine,) = read_listing("az", {"data": [self.one(key="key")]}).catalog.machines
        assert (machine.vcpus, machine.memory_gib) == (2, 8)

    def test_what_cannot_be_had_is_not_offered(self):
        region = {"type": "Location", "reasonCode": "NotAvailableForSubscription"}
        zone = {"type": "Zone", "reasonCode": "NotAvailableForSubscription"}
        imported = read_listing(
            "az",
            [
                self.one(restrictions=[zone]),
                self.one(name="Standard_E2s_v9", restrictions=[region]),
                self.one(name="Standard_D2_v9", PremiumIO="False"),
                {"name": "Premium_LRS", "resourceType": "disks", "capabilities": []},
            ],
        )
        assert list(rows(imported)) == ["Standard_D2s_v9"]
        assert imported.not_offered == (
            Dropped(machine_type="Standard_E2s_v9", reason="not available to this subscription"),
            Dropped(machine_type="Standard_D2_v9", reason="takes no premium disks"),
            Dropped(machine_type="Premium_LRS", reason="not a virtual machine"),
        )
        assert imported.dropped == ()

    def test_limits_that_the_list_lacks_are_those_of_our_own_row_of_the_same_machine(self):
        ours = load_catalog("current").machine("azure", "Standard_D2s_v5")
        (machine,) = read_listing("az", [self.one(name="Standard_D2s_v5")]).catalog.machines
        assert machine.disk_mb_per_second == ours.disk_mb_per_second is not None
        (machine,) = read_listing("az", [self.one(name="Standard_D2s_v5", MemoryGB="16")]).catalog.machines
        assert machine.disk_mb_per_second is None

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ({"capabilities": [{"name": "vCPUs", "value": "2"}, {"name": "vCPUs", "value": "4"}]},
             "capabilities.1: expected vCPUs with one value"),
            ({"capabilities": ["vCPUs"]}, "capabilities.0: got text, expected an object with name and value"),
            ({"capabilities": {"vCPUs": "2"}}, "capabilities: got an object, expected a list"),
            ({"capabilities": [{"name": "vCPUs", "value": "-2"}]},
             'vCPUs: got "-2", expected a whole number above 0'),
            ({"capabilities": [{"name": "vCPUs", "value": "2"}, {"name": "MemoryGB", "value": "8e3"}]},
             'MemoryGB: got "8e3", expected a number above 0'),
            ({"resourceType": 3}, "resourceType: got 3, expected text"),
        ],
    )  # fmt: skip
    def test_an_impossible_value_is_rejected(self, entry, message):
        with pytest.raises(TableError) as caught:
            read_listing("az", [SIZE | entry])
        assert str(caught.value) == f"row 1 (Standard_D2s_v9), {message}"


class TestAliyun:
    def test_the_sample(self):
        (machine,) = read_listing("aliyun", sample("aliyun-describe-instance-types")).catalog.machines
        assert (machine.provider, machine.machine_type, machine.family) == ("alibaba", "ecs.g6.large", "g6")
        assert (machine.vcpus, machine.memory_gib, machine.local_nvme_gb) == (2, 8, 0)

    def test_the_sample_has_the_disk_limits_of_our_own_row(self):
        (machine,) = read_listing("aliyun", sample("aliyun-describe-instance-types")).catalog.machines
        ours = load_catalog("current").machine("alibaba", "ecs.g6.large")
        assert (machine.concurrent_iops, machine.disk_mb_per_second) == (10_000, 125)
        assert (machine.disk_limits, machine.arch) == (ours.disk_limits, "x86_64")
        other = only("aliyun", InstanceTypeId="ecs.g6.large", CpuCoreCount=4, MemorySize=8)
        assert (other.concurrent_iops, other.disk_limits, other.arch) == (None, (), None)

    def test_the_rules_of_its_disks_come_with_it(self):
        catalog = read_listing("aliyun", sample("aliyun-describe-instance-types")).catalog
        assert catalog.disk_kinds == tuple(
            kind for kind in load_catalog("current").disk_kinds if kind.provider == "alibaba"
        )

    @pytest.mark.parametrize(
        ("fields", "field", "value"),
        [
            ({"CpuArchitecture": "ARM"}, "arch", "arm64"),
            ({"CpuArchitecture": "X86"}, "arch", "x86_64"),
            ({}, "arch", None),
            ({"InstanceFamilyLevel": "CreditEntryLevel"}, "burstable", True),
            ({"InstanceFamilyLevel": "EntryLevel"}, "shared_core", True),
            ({"InstanceTypeFamily": "ecs.t6"}, "burstable", True),
            ({"InstanceTypeFamily": "ecs.e"}, "shared_core", True),
            ({"InstanceTypeFamily": "ecs.ebmg7"}, "bare_metal", True),
            ({"GPUAmount": 1}, "gpu", True),
            ({"GPUAmount": 0}, "gpu", False),
            ({"LocalStorageCategory": "local_ssd_pro", "LocalStorageAmount": 2}, "local_nvme_gb", None),
            ({"LocalStorageAmount": 0}, "local_nvme_gb", 0),
        ],
    )
    def test_a_field_becomes_a_figure(self, fields, field, value):
        machine = only("aliyun", InstanceTypeId="ecs.x9.large", CpuCoreCount=2, MemorySize=8.0, **fields)
        assert getattr(machine, field) == value


class TestTencent:
    """CPU in one call, Cpu in the other; LARGE has four vCPUs."""

    def test_the_sample_of_each_call(self):
        imported = read_listing("tencent", sample("tccli-describe-instance-type-configs"))
        assert {name: row[:3] for name, row in rows(imported).items()} == {
            "S6.LARGE8": ("S6", 4, 8),
            "S6.MEDIUM8": ("S6", 2, 8),
            "S6.2XLARGE16": ("S6", 8, 16),
        }
        imported = read_listing("tencent", sample("tccli-describe-zone-instance-config-infos"))
        assert rows(imported) == {"S2.SMALL1": ("S2", 1, 1, "x86_64")}

    def test_a_row_a_zone_and_a_way_to_pay_is_one_machine(self):
        row = sample("tccli-describe-zone-instance-config-infos")["InstanceTypeQuotaSet"][0]
        others = [
            row | {"Zone": "ap-guangzhou-7"},
            row | {"InstanceChargeType": "PREPAID"},
            row | {"Status": "SOLD_OUT"},
        ]
        imported = read_listing("tencent", {"InstanceTypeQuotaSet": [row, *others]})
        assert (imported.imported, imported.repeats, imported.not_offered) == (1, 3, ())

    def test_a_type_that_is_sold_out_everywhere_is_not_offered(self):
        row = sample("tccli-describe-zone-instance-config-infos")["InstanceTypeQuotaSet"][0]
        other = row | {"InstanceType": "S2.LARGE8", "Status": "SOLD_OUT"}
        imported = read_listing("tencent", {"InstanceTypeQuotaSet": [row, other]})
        assert imported.not_offered == (Dropped(machine_type="S2.LARGE8", reason="sold out"),)

    @pytest.mark.parametrize(
        ("name", "fields", "arch"),
        [
            ("SR1.LARGE8", {}, "arm64"),
            ("X9.LARGE8", {}, None),
            ("X9.LARGE8", {"CpuType": "AMD EPYC Bergamo"}, "x86_64"),
            ("X9.LARGE8", {"CpuType": "IntelX"}, None),
        ],
    )
    def test_the_architecture(self, name, fields, arch):
        assert only("tencent", InstanceType=name, CPU=4, Memory=8, **fields).arch == arch


class TestHuawei:
    """vcpus is a text, ram is in MiB; given up and sold-out flavors are listed too."""

    def one(self, name="c9.2xlarge.2", **extra):
        return {"name": name, "vcpus": "8", "ram": 16384, "os_extra_specs": extra}

    def test_the_sample_calls_an_x86_flavor_arm64_so_its_architecture_is_unknown(self):
        (machine,) = read_listing("huawei", sample("hcloud-ecs-list-flavors")).catalog.machines
        assert (machine.machine_type, machine.vcpus, machine.memory_gib, machine.family) == (
            "c3.2xlarge.2",
            8,
            16,
            "c3",
        )
        assert (machine.arch, machine.local_nvme_gb, machine.concurrent_iops) == (None, 0, None)

    @pytest.mark.parametrize(
        ("name", "extra", "arch"),
        [
            ("c9.large.2", {}, "x86_64"),
            ("kc9.large.2", {"ecs:instance_architecture": "arm64"}, "arm64"),
            ("kc9.large.2", {}, None),
        ],
    )
    def test_both_signs_of_an_architecture_have_to_agree(self, name, extra, arch):
        (machine,) = read_listing("huawei", {"flavors": [self.one(name, **extra)]}).catalog.machines
        assert machine.arch == arch

    @pytest.mark.parametrize(
        ("extra", "reason"),
        [
            ({"cond:operation:status": "abandon"}, "given up"),
            ({"cond:operation:status": "sellout"}, "sold out"),
            ({"cond:operation:status": "obt_sellout"}, "sold out"),
            ({"cond:operation:status": "normal", "cond:operation:az": "az0(sellout), az1(sellout)"}, "sold out"),
            ({"cond:operation:status": "abandon", "cond:operation:az": "az0(normal), az1(sellout)"}, None),
            ({"cond:operation:status": "promotion"}, None),
        ],
    )
    def test_the_state_in_a_zone_goes_before_that_of_the_flavor(self, extra, reason):
        imported = read_listing("huawei", {"flavors": [self.one("s9.large.2"), self.one(**extra)]})
        assert [one.reason for one in imported.not_offered] == ([] if reason is None else [reason])

    def test_unreadable_zones_are_rejected(self):
        with pytest.raises(
            TableError, match=r"cond:operation:az: expected zones with their states, such as az1\(normal\)$"
        ):
            read_listing("huawei", {"flavors": [self.one(**{"cond:operation:az": "az0"})]})


class TestOpenstack:
    def test_the_sample_counts_memory_in_mib(self):
        imported = read_listing("openstack", sample("openstack-flavor-list"), provider="ovh")
        found = {machine.machine_type: (machine.vcpus, machine.memory_gib) for machine in imported.catalog.machines}
        assert found["eg-7"] == (2, 7000 / 1024)
        assert found["hg-15"] == (4, 15000 / 1024)
        assert all(machine.arch is None for machine in imported.catalog.machines)

    def test_names_are_free(self):
        machines = read_listing("openstack", [{"Name": "通用 8C16G", "VCPUs": 8, "RAM": 16384}]).catalog.machines
        assert [machine.machine_type for machine in machines] == ["通用 8C16G"]

    @pytest.mark.parametrize("name", ["", " a", "a\x1b[31m", "a\nb", "x" * 201, "\u202eabc"])
    def test_a_name_that_controls_a_terminal_is_rejected(self, name):
        with pytest.raises(TableError, match=r"^row 1, Name: got .*, expected the name of a machine type$"):
            read_listing("openstack", [{"Name": name, "VCPUs": 8, "RAM": 16384}])

    def test_a_flavor_of_a_known_provider_gets_what_we_know_of_it(self):
        """Most lists do not say that a machine shares its CPU; a size of such a family that we do not have does too."""
        ours = load_catalog("current").machine("otc", "x2.large.2")
        flavors = [
            {"Name": "x2.large.2", "VCPUs": 2, "RAM": 4096},
            {"Name": "x2.99xlarge.2", "VCPUs": 396, "RAM": 8192},
        ]
        known, unknown = read_listing("openstack", flavors, provider="otc").catalog.machines
        assert (known.concurrent_iops, known.arch, known.burstable) == (ours.concurrent_iops, "x86_64", True)
        assert (unknown.concurrent_iops, unknown.arch, unknown.burstable) == (None, None, True)
        assert not any(one.burstable for one in read_listing("openstack", flavors).catalog.machines)


class TestOci:
    """An OCPU is two vCPUs on x86; what it is on Ampere was not verified, and a flexible shape has no size."""

    def shape(self, name="VM.Standard2.4", processor="2.0 GHz Intel® Xeon® Platinum 8167M", **fields):
        return {"shape": name, "ocpus": 4.0, "memory-in-gbs": 60.0, "processor-description": processor} | fields

    def test_the_sample_is_an_ampere_shape(self):
        imported = read_listing("oci", {"data": [*sample("oci-compute-shape-list")["data"], self.shape()]})
        assert imported.dropped == (
            Dropped(
                machine_type="BM.Standard.A1.160", reason="no verified number of vCPUs for an OCPU of its processor"
            ),
        )
        assert rows(imported) == {"VM.Standard2.4": ("VM.Standard2", 8, 60, "x86_64")}

    def test_the_answer_of_the_api_has_other_names(self):
        entry = {
            "shape": "BM.X9.64",
            "ocpus": 64.0,
            "memoryInGBs": 1024.0,
            "processorDescription": "2.55 GHz AMD EPYC™",
        }
        (machine,) = read_listing("oci", [entry | {"isFlexible": False}]).catalog.machines
        assert (machine.vcpus, machine.memory_gib, machine.bare_metal) == (128, 1024, True)

    def test_flexible_and_shared_shapes(self):
        flexible = self.shape("VM.Standard.E4.Flex", **{"is-flexible": True})
        shared = self.shape("VM.Standard.E2.1.Micro", **{"is-subcore": True, "ocpus": 1.0, "memory-in-gbs": 1.0})
        imported = read_listing("oci", {"data": [flexible, shared]})
        assert [machine.shared_core for machine in imported.catalog.machines] == [True]
        assert imported.not_offered[0].reason == "flexible: its size is chosen when it is created"

    def test_a_row_an_availability_domain_is_one_machine(self):
        shapes = [self.shape(**{"availability-domain": f"AD-{number}"}) for number in (1, 2, 3)]
        assert read_listing("oci", {"data": shapes}).repeats == 2


class TestDoctl:
    def test_the_sample_shares_its_cpus(self):
        imported = read_listing("doctl", sample("doctl-compute-size-list"))
        found = {m.machine_type: (m.vcpus, m.memory_gib, m.shared_core) for m in imported.catalog.machines}
        assert found == {"s-1vcpu-1gb": (1, 1, True), "512mb": (1, 0.5, True)}

    @pytest.mark.parametrize(("slug", "shared"), [("g-2vcpu-8gb", False), ("c-4", False), ("s-4vcpu-8gb", True)])
    def test_the_dedicated_ones(self, slug, shared):
        assert only("doctl", slug=slug, vcpus=2, memory=8192).shared_core is shared

    def test_a_size_that_is_not_available(self):
        sizes = [{"slug": f"g-{n}vcpu-8gb", "vcpus": n, "memory": 8192, "available": n == 2} for n in (2, 4)]
        assert read_listing("doctl", {"sizes": sizes}).not_offered[0].reason == "not available"


class TestHetzner:
    def test_the_sample(self):
        imported = read_listing("hetzner", sample("hcloud-server-type-list"))
        assert rows(imported) == {
            "ccx13": ("ccx", 2, 8, "x86_64"),
            "cax11": ("cax", 2, 4, "arm64"),
            "cx11": ("cx", 1, 2, "x86_64"),
        }
        machines = imported.catalog.machines
        assert [machine.shared_core for machine in machines] == [False, True, True]
        assert [machine.lifecycle for machine in machines] == [None, None, "previous"]
