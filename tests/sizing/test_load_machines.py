"""The machines where the load decides them: those of the smallest tier that is enough, or the first that `fit` has."""

from __future__ import annotations

import pytest

from etcdsize import Catalog, Machine, Need, Price, fit, load_catalog, load_tiers
from etcdsize.fitting.fit import best_per_tier
from etcdsize.sizing.load_machines import machines_for_load

TIERS = load_tiers("guide")
GUIDE, CURRENT = load_catalog("guide"), load_catalog("current")


def need(vcpus=2, memory_gib=7.5, iops=1500, bandwidth=25):
    """Return a need of the guide's figures for the tier small, or with more of some."""
    return Need(
        tier="small", vcpus=vcpus, memory_gib=memory_gib, concurrent_iops=iops, disk_mb_per_second=bandwidth,
        data_bytes=1e8, because={"memory_gib": "lists"},
    )  # fmt: skip


def found_for(one, *, asked=GUIDE, catalog=GUIDE, providers=("aws", "gce"), code=0, basis="larger"):
    return machines_for_load(one, asked, catalog, providers, TIERS, code, basis)


def types(pairs):
    return {provider: machine.machine_type for provider, machine in pairs}


class TestTier:
    """The smallest tier whose machine has enough of everything, and never one below the guide's unless asked."""

    @pytest.mark.parametrize(
        ("one", "code", "basis", "tier"),
        [
            (need(), 0, "larger", "small"),
            (need(3), 0, "larger", "medium"),
            (need(2, 30.1), 0, "larger", "xlarge"),
            (need(2, 15, 4500, 75), 0, "larger", "medium"),
            (need(2, 7.5, 4501), 0, "larger", "large"),
            (need(2, 7.5, 1500, 126), 0, "larger", "xlarge"),
            (need(), 2, "larger", "large"),
            (need(3), 2, "measured", "medium"),
            (need(3), 0, "measured", "medium"),
            # Enough for none.
            (need(99), 0, "larger", "xlarge"),
            (need(99), 1, "measured", "xlarge"),
        ],
    )
    def test_the_tier_and_its_machines(self, one, code, basis, tier):
        name, machines = found_for(one, code=code, basis=basis)
        assert name == tier
        assert machines.chosen == tuple((provider, GUIDE.machine_for(provider, tier)) for provider in ("aws", "gce"))


class TestToday:
    """In place of a previous generation, the first machine that is enough for the load; any other machine is kept."""

    @pytest.mark.parametrize("one", [need(), need(3, 20)])
    def test_in_place_of_a_machine_of_the_guide(self, one):
        name, machines = found_for(one)
        for provider, machine in machines.today:
            best = fit(one, CURRENT, provider=provider).best
            assert (machine.machine_type, machine.cost, machine.tier) == (best.machine.machine_type, best.cost, name)
        assert [provider for provider, _ in machines.today] == ["aws", "gce"]

    @pytest.mark.parametrize("lifecycle", ["current", None])
    def test_another_machine_is_kept(self, lifecycle):
        machines = [one.model_copy(update={"lifecycle": lifecycle}) for one in GUIDE.machines]
        ours = Catalog(name="ours", machines=machines)
        _, found = found_for(need(), asked=ours, catalog=ours)
        assert found.today == found.chosen

    def test_a_machine_of_a_catalog_that_was_fitted_is_kept(self):
        """It may be a previous generation, and is the cheapest that is enough all the same."""
        fitted = best_per_tier(CURRENT, TIERS)
        old = fitted.model_copy(
            update={"machines": tuple(one.model_copy(update={"lifecycle": "previous"}) for one in fitted.machines)}
        )
        _, found = found_for(need(), asked=old, catalog=old, providers=("aws",))
        assert found.today == found.chosen

    def test_no_machine_of_today_is_enough(self):
        _, found = found_for(need(4_000))
        assert found.today == ()


def machine(name, arch="x86_64", vcpus=4):
    return Machine(
        provider="aws", machine_type=name, vcpus=vcpus, memory_gib=16, concurrent_iops=9_000, disk_mb_per_second=400,
        arch=arch, price=Price(per_hour=vcpus, currency="USD", region="us-east-1", date="2026-01-02"),
    )  # fmt: skip


class TestCatalogWithoutTiers:
    """The first machine that `fit` has for the load; arm64 only where there is nothing else."""

    def find(self, *machines, **options):
        ours = Catalog(name="ours", machines=machines, disk_kinds=CURRENT.disk_kinds)
        return found_for(need(3, 10), asked=ours, catalog=ours, providers=("aws",), **options)

    def test_the_best_fit_with_its_disk_and_cost(self):
        name, found = self.find(machine("b", vcpus=8), machine("a"), machine("c", vcpus=8))
        assert types(found.chosen) == {"aws": "a"}
        assert found.today == found.chosen
        ((_, one),) = found.chosen
        assert (name, one.tier) == ("medium", "medium")
        assert one.cost.machine_per_month == 4 * 730
        assert one.disk is not None

    def test_arm64(self):
        _, found = self.find(machine("arm", "arm64"), machine("x", vcpus=8))
        assert types(found.chosen) == {"aws": "x"}
        _, found = self.find(machine("arm", "arm64"))
        assert types(found.chosen) == {"aws": "arm"}

    def test_by_its_name(self):
        one = need(3, 10)
        _, found = found_for(one, asked=CURRENT, catalog=CURRENT, providers=("gce", "aws"))
        best = {provider: fit(one, CURRENT, provider=provider).best.machine for provider in ("gce", "aws")}
        assert types(found.chosen) == {provider: each.machine_type for provider, each in best.items()}


class TestTooLittle:
    """A machine that is known to have less of something is named, once."""

    def notice(self, one, **options):
        _, found = found_for(one, **options)
        notices = [each for each in found.notices if each.code == "load-above-machine"]
        assert len(notices) <= 1
        assert found.notices[-1:] == tuple(notices) or not notices
        # Those about the machines themselves stay.
        assert "dedicated-machine" in {each.code for each in found.notices}
        return notices[0].text if notices else None

    def test_enough(self):
        assert self.notice(need()) is None
        assert self.notice(need(16, 60, 15_000, 250)) is None

    def test_too_little_of_one_figure(self):
        """The tier's machine of AWS has 64 GiB."""
        assert self.notice(need(2, 61)) == (
            "Each member needs 2 vCPUs, 61 GiB of memory, 1500 concurrent IOPS, 25 MB/s (lists): n1-standard-16 has "
            "less. etcdsize fit looks for machines that are enough."
        )

    def test_too_little_of_both_providers(self):
        assert ": m4.4xlarge and n1-standard-16 have less. " in self.notice(need(17))

    def test_an_unknown_figure_is_not_too_little(self):
        machines = [
            each.model_copy(update={"concurrent_iops": None, "lifecycle": "current"}) for each in GUIDE.machines
        ]
        ours = Catalog(name="ours", machines=machines)
        assert self.notice(need(2, 7.5, 99_999), asked=ours, catalog=ours) is None

    def test_a_machine_that_stays_is_named_once(self):
        machines = [each.model_copy(update={"lifecycle": "current"}) for each in GUIDE.machines]
        ours = Catalog(name="ours", machines=machines)
        assert ": m4.4xlarge and n1-standard-16 have less. " in self.notice(need(17), asked=ours, catalog=ours)
