"""Which need decides the machine: the guide's for the tier, or the load's by the measured model."""

from __future__ import annotations

from typing import ClassVar

import pytest
from calibrated import model_with, write_model
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import (
    Catalog,
    InvalidWorkloadError,
    Machine,
    OptionError,
    Price,
    Profile,
    Sizing,
    TierTable,
    Workload,
    fit,
    kubernetes_profile,
    load_catalog,
    load_tiers,
    resources_for,
    size,
)
from etcdsize.fitting.load_need import disk_need_for, load_need
from etcdsize.fitting.need import FIGURES, DiskNeed, larger_disk, need_of_tier
from etcdsize.resources.amount import Amount
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.profile import with_fields
from etcdsize.sizing.basis import BASES, compare_needs, further_fields, load_above_machines, need_by, tier_for
from etcdsize.units import format_number

PLAIN = {"clients": 300, "requests_per_second": 800, "data_bytes": 400e6}
# Large values fill the raft log of 3.5, which no machine of the tier has room for.
HEAVY = Profile(**PLAIN, value_bytes="100kB", writes_per_second=80)


class TestWhatDecides:
    """With clients, requests and data alone the guide decides; once a further field is known, the larger need does."""

    @pytest.mark.parametrize(
        ("load", "basis", "decides"),
        [
            (PLAIN, "larger", False),
            (PLAIN, "guide", False),
            (PLAIN, "measured", True),
            (HEAVY, "larger", True),
            (HEAVY, "guide", False),
            (HEAVY, "measured", True),
            ({"kubernetes_nodes": 1_000}, "larger", False),
            ({"kubernetes_nodes": 1_000}, "measured", True),
            # Past the most data that etcd suggests, the guide has no figure.
            ({"data_bytes": 9e9}, "larger", True),
            ({"data_bytes": 8e9}, "larger", False),
            ({"data_bytes": 8 * 2**30}, "larger", False),
            ({"data_bytes": 8 * 2**30 + 1}, "larger", True),
            # Past the last bound of another dimension too.
            ({"clients": 1_501}, "larger", True),
            ({"clients": 1_500, "data_bytes": 2e9}, "larger", False),
            ({"clients": 1e9}, "guide", False),
            ({"requests_per_second": 10_000}, "larger", True),
            ({"requests_per_second": 9_999}, "larger", False),
            ({"kubernetes_nodes": 3_001}, "larger", True),
            ({"kubernetes_nodes": 3_000}, "larger", False),
        ],
    )
    def test_the_load_counts(self, load, basis, decides):
        sizing = size(load, basis=basis) if isinstance(load, Profile) else size(**load, basis=basis)
        assert sizing.load_decides == decides
        guide, measured = sizing.needs["guide"], sizing.needs["load"]
        if basis == "measured":
            assert sizing.need == measured
        for name in FIGURES:
            larger = max(getattr(guide, name), getattr(measured, name))
            if name == "concurrent_iops" and load is HEAVY:
                # Its writes are known.
                larger = measured.concurrent_iops
            expected = {"measured": getattr(measured, name), "guide": getattr(guide, name)}
            assert getattr(sizing.need, name) == expected.get(basis, larger if decides else getattr(guide, name))

    @examples(30)
    @given(st.sampled_from(BASES), st.floats(1, 3e5), st.floats(0, 500))
    def test_the_larger_need_is_the_larger_in_every_figure(self, basis, value, writes):
        """But in the IOPS, which are the load's: its writes are known."""
        load = Profile(clients=50, data_bytes=1e9, value_bytes=value, writes_per_second=writes)
        need, needs = size(load, basis=basis).need, size(load).needs
        for name in FIGURES:
            both = [getattr(one, name) for one in needs.values()]
            assert min(both) <= getattr(need, name) <= max(both)
            if basis == "larger":
                of_load = name == "concurrent_iops"
                assert getattr(need, name) == (needs["load"].concurrent_iops if of_load else max(both))
        assert need.disk.size_gib >= needs["load"].disk.size_gib

    def test_a_load_without_a_number(self):
        """Where the guide decides, its need counts; where the load does, the error says why there is none."""
        guide = size(data_bytes=1e299, basis="guide")
        assert (guide.load_decides, list(guide.needs)) == (False, ["guide"])
        assert guide.need == guide.needs["guide"]
        sizing = size(data_bytes=1e299)
        assert sizing.load_decides
        with pytest.raises(InvalidWorkloadError, match=r"^data_bytes: got 1e\+299, expected at most 1e\+50"):
            _ = sizing.need

    def test_the_tier_is_always_the_guides(self):
        assert {size(**PLAIN, basis=basis).tier for basis in BASES} == {"medium"}
        assert size(HEAVY).tier == "medium"

    @pytest.mark.parametrize("basis", ["large", None, 5, True])
    def test_any_other_basis_is_rejected(self, basis):
        with pytest.raises(OptionError, match=r"^basis: got .*, expected larger, guide or measured"):
            size(clients=5, basis=basis)

    def test_an_unknown_version_is_rejected(self):
        with pytest.raises(OptionError, match=r'^etcd_version: got "3\.3", expected one of 3\.4, 3\.5, 3\.6, 3\.7'):
            size(clients=5, etcd_version="3.3")


class TestMachines:
    """The machine is that of the smallest tier that is enough, and today's the first that `fit` recommends."""

    def test_a_load_that_takes_more_gets_a_larger_machine(self):
        old = size(HEAVY, etcd_version="3.5", provider="aws")
        assert old.needs["load"].memory_gib > old.needs["guide"].memory_gib
        assert (old.tier, old.machine_tier) == ("medium", "xlarge")
        best = fit(old).best
        today = old.machine_today
        assert (today.machine_type, today.disk.size_gb) == (best.machine.machine_type, best.disk.size_gib)
        assert old.cost_per_month["aws"] == pytest.approx(3 * best.cost.per_month)

    def test_a_load_that_takes_less_keeps_the_guides_machine_unless_measured_is_asked(self):
        load = Profile(**PLAIN, value_bytes=200)
        assert size(load).machine_tier == "medium"
        assert size(load, basis="measured").machine_tier == "small"

    def test_a_load_above_every_machine_of_the_guide_is_said(self):
        sizing = size(Profile(clients=5, value_bytes="3MB", writes_per_second=1, keys=10), etcd_version="3.5")
        (notice,) = [one for one in sizing.notices if one.code == "load-above-machine"]
        assert notice.severity == "beyond-guide"
        assert sizing.is_beyond_guide
        assert "GiB of memory" in notice.text

    def test_a_catalog_without_tiers_is_fitted_to_the_load(self):
        sizing = size(HEAVY, etcd_version="3.5", catalog="current", provider="aws")
        assert sizing.machine.memory_gib >= sizing.need.memory_gib
        assert sizing.machines == sizing.machines_today

    @pytest.mark.parametrize("load", [{"clients": 1e8}, {"data_bytes": "20TB"}, {"requests_per_second": 1e6}])
    def test_a_load_above_every_machine_of_a_catalog_without_tiers_has_the_tiers_machine(self, load):
        sizing = size(**load, catalog="current", provider="aws")
        assert fit(sizing, provider="aws").feasible == 0
        assert sizing.machine == size(clients=5_000, basis="guide", catalog="current", provider="aws").machine
        (notice,) = [one for one in sizing.notices if one.code == "load-above-machine"]
        assert f": {sizing.machine.machine_type} has less. " in notice.text

    def test_json_has_both_needs_and_comes_back(self):
        for sizing in (size(**PLAIN), size(HEAVY), size(kubernetes_nodes=5, basis="measured")):
            assert Sizing.model_validate_json(sizing.model_dump_json()) == sizing
            assert list(sizing.model_dump()["needs"]) == ["guide", "load"]


class TestComparison:
    """One line says which need decides and why, and where the two differ."""

    @pytest.mark.parametrize(
        ("sizing", "why"),
        [
            (size(**PLAIN), "The guide decides, because only clients, requests and data are known. "),
            (size(kubernetes_nodes=5), "The guide decides, because only the number of nodes is known. "),
            (
                size(kubernetes_nodes=5, clients=9),
                "The guide decides, because only clients, requests, data and the number of nodes are known. ",
            ),
            (
                size(kubernetes_nodes=10, data_bytes=5e9),
                "The guide decides, because only clients, requests, data and the number of nodes are known. "
                "A cluster of 10 Kubernetes nodes does not explain the load, so the model leaves the nodes out: "
                "data_bytes: got 5 GB, expected at most 121.193 MB, or 3 times that in etcd's file: the number of keys "
                "times the size of a key and its value; correct one of them. ",
            ),
            (size(**PLAIN, basis="guide"), "The guide decides, as asked. "),
            (size(**PLAIN, basis="measured"), "The load decides, as asked. "),
            (
                size(HEAVY),
                "The larger need decides, because value_bytes and writes_per_second are known. ",
            ),
            (
                size(data_bytes=9e9),
                "The larger need decides, because the data is past the 8 GiB that etcd suggests as a maximum. ",
            ),
            (size(clients=1e9), "The larger need decides, because the load is past the last bound of the tiers. "),
        ],
    )
    def test_says_why(self, sizing, why):
        notice = sizing.comparison
        assert notice.code == "guide-and-load"
        assert notice.text.startswith(why + "Memory for the load: ")
        assert "\n" not in notice.line
        assert sizing.explain().splitlines()[-1] == f"Notice (guide-and-load): {notice.text}"

    def test_warns_where_the_guide_decides_and_the_load_takes_more(self):
        more = size(HEAVY, basis="guide", etcd_version="3.5").comparison
        assert more.severity == "warning"
        assert ", and the load needs more: " in more.text
        assert size(**PLAIN).comparison.severity == "info"

    @pytest.mark.parametrize(
        ("load", "past"),
        [
            ({"clients": 2_000, "data_bytes": 8 * 2**30}, "the load is past the last bound of the tiers. "),
            ({"clients": 2_000, "data_bytes": 8 * 2**30 + 1}, "the data is past the 8 GiB that etcd suggests as a "),
            ({"data_bytes": 8 * 2**30 + 1}, "the data is past the 8 GiB that etcd suggests as a maximum. "),
            ({"kubernetes_nodes": 4_000}, "the load is past the last bound of the tiers. "),
        ],
    )
    def test_past_what_the_load_is(self, load, past):
        assert size(**load).comparison.text.startswith(f"The larger need decides, because {past}")

    @pytest.mark.parametrize("load", [{"clients": 1e9}, {"requests_per_second": 1e7}, {"data_bytes": 1e15}])
    def test_a_load_past_the_last_bound_gets_no_machine_that_is_too_small(self, load):
        """`fit` looks for the larger need, and `size` says where the guide has no machine for it."""
        sizing = size(**load)
        assert any(getattr(sizing.need, name) > getattr(sizing.needs["guide"], name) for name in FIGURES)
        assert sizing.comparison.severity == "info"
        assert "load-above-machine" in {notice.code for notice in sizing.notices}
        for one in fit(sizing).candidates:
            assert all(getattr(one.machine, name) >= getattr(sizing.need, name) for name in FIGURES)


def machine(name, memory_gib):
    return Machine(
        provider="aws", machine_type=name, family="f", vcpus=16, memory_gib=memory_gib, concurrent_iops=90_000,
        disk_mb_per_second=4_000, arch="x86_64",
        price=Price(per_hour=1, currency="USD", region="r1", date="2026-01-02"),
    )  # fmt: skip


class TestRejected:
    """A machine with less memory than the load takes is rejected with that reason."""

    def test_the_reason(self):
        sizing = size(HEAVY, etcd_version="3.5", basis="measured")
        need = sizing.need
        catalog = Catalog(name="mine", machines=[machine("m", 8)], disk_kinds=[])
        (rejected,) = fit(sizing, catalog).rejected
        assert rejected.code == "too-little"
        assert rejected.reason.startswith(f"the load takes {need.memory_gib:g} GiB of memory (")
        assert "); this has 8; " in rejected.reason


class TestWords:
    """What is said of two needs, in whole texts, and which need counts where one of them is missing."""

    GUIDE = need_of_tier("medium", 0)
    MORE: ClassVar = {"vcpus": 9, "memory_gib": 20.5, "concurrent_iops": 9_000, "disk_mb_per_second": 400}
    LOAD = GUIDE.model_copy(update={**MORE, "because": {"memory_gib": "1 GiB index = 20.5 GiB"}})

    def test_the_load_takes_more(self):
        found = compare_needs({"guide": self.GUIDE, "load": self.LOAD}, "larger", False, Workload(clients=5), None)
        has = format_number(self.GUIDE.memory_gib)
        assert (found.text, found.severity) == (
            "The guide decides, because only clients, requests and data are known. Memory for the load: 1 GiB "
            f"index = 20.5 GiB; the guide's machine for medium has {has} GiB of memory, and the load needs more: 9 "
            "vCPUs, 20.5 GiB of memory, 9000 concurrent IOPS, 400 MB/s.",
            "warning",
        )

    def test_one_known_field(self):
        found = compare_needs({"guide": self.GUIDE, "load": self.LOAD}, "larger", True, Profile(keys=5), None)
        assert found.text.startswith("The larger need decides, because keys is known. Memory for the load: ")
        assert found.severity == "info"

    def test_the_guide_has_no_machine(self):
        load = self.LOAD.model_copy(update={"tier": "huge"})
        found = compare_needs({"load": load}, "larger", True, Workload(clients=5), None)
        assert (found.text, found.severity) == (
            "The load decides, because the guide has no machine for huge. Memory for the load: 1 GiB index = 20.5 GiB.",
            "info",
        )

    def test_the_load_is_no_number(self):
        found = compare_needs({"guide": self.GUIDE}, "larger", False, Workload(clients=5), None)
        assert (found.text, found.severity) == (
            "The load is so large that what it takes is no longer a number.",
            "warning",
        )

    def test_need_that_counts_where_one_is_missing(self):
        guide = self.GUIDE.model_copy(update={"memory_gib": 1})
        for basis in BASES:
            assert need_by("medium", basis, {"guide": guide}, True) == guide
            assert need_by("medium", basis, {"load": self.LOAD}, False) == self.LOAD
            assert need_by("medium", basis, {}, True) == need_of_tier("medium", 0)

    def test_machines_with_too_little(self):
        one, two = (load_above_machines(self.LOAD, names).text for names in (["a"], ["a", "b"]))
        needs = "Each member needs 9 vCPUs, 20.5 GiB of memory, 9000 concurrent IOPS, 400 MB/s (1 GiB index = 20.5 GiB)"
        assert one == f"{needs}: a has less. etcdsize fit looks for machines that are enough."
        assert two == f"{needs}: a and b have less. etcdsize fit looks for machines that are enough."
        bare = load_above_machines(self.LOAD.model_copy(update={"because": {}}), ["a"]).text
        assert bare.startswith("Each member needs 9 vCPUs, 20.5 GiB of memory, 9000 concurrent IOPS, 400 MB/s: a has ")


class TestFurtherFields:
    """The fields that are known besides clients, requests and data, in the order of a profile."""

    ASSUMED = Assumption(field="keys", value=Amount(low=5, likely=5, high=5), why="it is", source="our choice")

    @pytest.mark.parametrize(
        ("load", "known"),
        [
            (None, ()),
            (Workload(clients=5, clients_bound="upper"), ()),
            (Profile(clients=5, requests_per_second=1, data_bytes=1, data_bound="upper"), ()),
            (Profile(tls=False, keys=5, clients=5), ("keys", "tls")),
            (Profile(keys=5, value_bytes=None, objects=()), ("keys",)),
            (Profile(keys=5, assumptions=[ASSUMED]), ("keys",)),
        ],
    )
    def test_known(self, load, known):
        assert further_fields(load) == known


class TestNeedThatDecides:
    """The load's where it is asked for, the larger where the load counts, else the guide's with the larger disk."""

    GUIDE = need_of_tier("medium", 5e8).model_copy(
        update={"disk": DiskNeed(size_gib=20, quota_bytes=1, because="the guide's")}
    )
    LOAD = GUIDE.model_copy(
        update={"vcpus": 9, "memory_gib": 1, "disk": DiskNeed(size_gib=30, quota_bytes=1, because="the load's")}
    )

    @pytest.mark.parametrize(
        ("basis", "decides", "vcpus", "memory_gib", "size_gib"),
        [
            ("measured", True, 9, 1, 30),
            ("measured", False, 9, 1, 30),
            ("larger", True, 9, 15, 30),
            ("larger", False, 4, 15, 30),
            ("guide", False, 4, 15, 30),
        ],
    )
    def test_figures_and_disk(self, basis, decides, vcpus, memory_gib, size_gib):
        found = need_by("medium", basis, {"guide": self.GUIDE, "load": self.LOAD}, decides)
        assert (found.vcpus, found.memory_gib, found.disk.size_gib) == (vcpus, memory_gib, size_gib)

    @pytest.mark.parametrize("decides", [False, True])
    def test_a_smaller_disk_of_the_load_has_the_quota_alone(self, decides):
        load = self.LOAD.model_copy(update={"disk": DiskNeed(size_gib=10, quota_bytes=7, because="the load's")})
        found = need_by("medium", "larger", {"guide": self.GUIDE, "load": load}, decides)
        because = "the load's; 20 GiB have room for the largest load of medium"
        assert found.disk == DiskNeed(size_gib=20, quota_bytes=7, because=because)


class TestTierForNeed:
    """The smallest tier whose machine in the guide has enough of every figure."""

    @pytest.mark.parametrize("index", range(4))
    @pytest.mark.parametrize("figure", FIGURES)
    def test_exactly_enough_and_a_little_more(self, index, figure):
        table = load_tiers("guide")
        need = need_of_tier(table.names[index], 0)
        assert tier_for(need, table) == index
        more = need.model_copy(update={figure: getattr(need, figure) * 1.001})
        assert tier_for(more, table) == (index + 1 if index < 3 else None)

    def test_a_tier_that_the_guide_does_not_have_is_passed_over(self):
        tiers = load_tiers("guide").model_dump()
        tiers["tiers"][0]["name"] = "tiny"
        assert tier_for(need_of_tier("small", 0), TierTable(**tiers)) == 1


class TestSeverity:
    """A load that needs more than the guide's machine is a warning, unless the machine is chosen for it."""

    MEDIUM = need_of_tier("medium", 0)
    MORE = MEDIUM.model_copy(update={"memory_gib": 15.1, "because": {"memory_gib": "lists"}})
    SAME = MEDIUM.model_copy(update={"because": {"memory_gib": "lists"}})

    @pytest.mark.parametrize(
        ("load", "basis", "decides", "workload", "severity"),
        [
            (MORE, "guide", False, Profile(keys=5), "warning"),
            (MORE, "larger", False, Workload(clients=5), "warning"),
            (MORE, "larger", True, Workload(clients=1e9), "info"),
            (MORE, "larger", True, None, "info"),
            (MORE, "larger", True, Profile(keys=5), "info"),
            (MORE, "measured", True, Workload(clients=5), "info"),
            (MORE, "measured", True, Profile(keys=5), "info"),
            (SAME, "guide", False, Profile(keys=5), "info"),
            (SAME, "larger", True, None, "info"),
        ],
    )
    def test_severity(self, load, basis, decides, workload, severity):
        found = compare_needs({"guide": self.MEDIUM, "load": load}, basis, decides, workload, None)
        assert (found.severity, found.source) == (severity, "our choice")
        assert ("and the load needs more: 15.1 GiB of memory." in found.text) == (load is self.MORE)
        assert found.text.endswith("; the guide's machine for medium has 15 GiB of memory.") == (load is self.SAME)


class TestNeeds:
    """The guide's need is for the largest load of the tier, the load's is that of the model for its own data."""

    @pytest.mark.parametrize(
        ("asked", "data", "disk_for"),
        [
            ({"clients": 300}, 500e6, (500e6, 500, 1_000)),
            ({"clients": 300, "data_bytes": 4e8}, 4e8, (500e6, 500, 1_000)),
            ({"clients": 5_000, "data_bytes": 3}, 3, (8 * 2**30, 1_500, 10_000)),
            ({"kubernetes_nodes": 300}, 1e9, (1e9, 1_500, 10_000)),
        ],
    )
    @pytest.mark.parametrize("version", ["3.5", "3.6.16", "v3.7.0"])
    def test_both(self, asked, data, disk_for, version):
        sizing = size(**asked, etcd_version=version)
        assert sizing.etcd_version == version.removeprefix("v")
        resources = resources_for(sizing.profile, etcd_version=version)
        assert sizing.resources == resources_for(sizing.profile, etcd_version=sizing.etcd_version)
        assert sizing.needs["load"] == load_need(sizing.tier, data, resources).model_copy(
            update={"source": f"the measured model, etcd {sizing.etcd_version}"}
        )
        guide = need_of_tier(sizing.tier, sizing.tier_data_bytes).model_copy(update={"disk": disk_need_for(*disk_for)})
        # One answer has one quota: that of the load.
        disk = larger_disk(guide, sizing.needs["load"])
        assert sizing.needs["guide"] == guide.model_copy(update={"disk": disk})
        assert disk.size_gib == max(guide.disk.size_gib, sizing.needs["load"].disk.size_gib)
        assert disk.quota_bytes == sizing.resources.quota_bytes

    def test_a_model_of_ones_own(self):
        model = model_with("3.6.16")
        sizing = size(clients=300, data_bytes=4e8, etcd_version="3.6.16", model=model)
        assert sizing.resources == resources_for(sizing.profile, etcd_version="3.6.16", model=model)
        assert sizing.needs["load"] == load_need("medium", 4e8, sizing.resources)
        assert sizing.needs["load"].source == "the calibrated model, etcd 3.6.16"

    def test_a_model_from_a_file(self, tmp_path):
        file = write_model(tmp_path / "model.json")
        for source in (file, str(file), model_with()):
            assert size(clients=5, etcd_version="3.6.16", model=source).model == model_with()
        with pytest.raises(OptionError, match=r"3\.5"):
            size(clients=5, etcd_version="3.5", model=file)

    def test_a_tier_that_the_guide_does_not_have(self):
        tiers = load_tiers("guide").model_dump()
        tiers["tiers"][0]["name"] = "tiny"
        machines = [one.model_copy(update={"tier": "tiny"}) for one in load_catalog("guide").machines[:2]]
        sizing = size(clients=5, tiers=TierTable(**tiers), catalog=Catalog(name="ours", machines=machines))
        assert list(sizing.needs) == ["load"]
        assert sizing.need == sizing.needs["load"]


class TestNodesOfAPreset:
    """Beside its nodes, what a preset of Kubernetes assumes does not count for the tier; what is given does."""

    def test_the_tier_is_that_of_the_nodes(self):
        preset = kubernetes_profile(20)
        assert set(size(preset).tier_alone) == {"clients", "requests_per_second", "data_bytes"}
        assert size(preset, kubernetes_nodes=20).tier_alone == {"kubernetes_nodes": "small"}
        own = size(with_fields(preset, {"clients": 5_000}), kubernetes_nodes=20)
        assert own.tier_alone == {"clients": "xlarge", "kubernetes_nodes": "small"}

    def test_a_load_without_assumptions_counts_as_a_whole(self):
        found = size(Profile(keys=5, value_bytes=5, clients=200), kubernetes_nodes=20)
        assert set(found.tier_alone) == {"clients", "data_bytes", "kubernetes_nodes"}
