"""The fit of every provider of the current catalog, beside a search of all its machines with all its disks."""

from __future__ import annotations

import functools

import pytest

from etcdsize import fit, load_catalog, load_tiers, need_for
from etcdsize.fitting.load_need import tier_disk

CURRENT = load_catalog("current")


@functools.cache
def disks(provider, tier, nitro):
    """Return each kind of SSD of a provider with its smallest disk that is enough."""
    need, size = need_for(tier), tier_disk(tier, load_tiers("guide")).size_gib
    kinds = [kind.on_nitro() if nitro else kind for kind in CURRENT.disk_kinds if kind.provider == provider]
    found = [
        (kind, kind.smallest(size, need.concurrent_iops, need.disk_mb_per_second))
        for kind in kinds
        if kind.media == "ssd"
    ]
    return [(kind, choice) for kind, choice in found if not isinstance(choice, str)]


def pairs(provider, tier):
    """Yield each machine that is enough with each disk that is, and the monthly price, None where it is unknown."""
    need = need_for(tier)
    for machine in CURRENT.machines:
        if machine.provider != provider or machine.arch != "x86_64":
            continue
        if machine.burstable or machine.shared_core or machine.bare_metal or machine.flex:
            continue
        if machine.vcpus < need.vcpus or machine.memory_gib < need.memory_gib:
            continue
        for kind, choice in disks(provider, tier, bool(machine.nitro)):
            if machine.disk_limits and kind.kind not in [limit.kind for limit in machine.disk_limits]:
                continue
            limits = machine.limits_for(kind.kind)
            needed = (need.concurrent_iops, need.disk_mb_per_second)
            if any(has is not None and has < wanted for has, wanted in zip(limits, needed, strict=True)):
                continue
            total = None
            if machine.price and choice.per_month is not None:
                at = {(price.region, price.currency) for price in (machine.price, kind.price)}
                total = machine.price.per_month + choice.per_month if len(at) == 1 else None
            yield machine.machine_type, None not in limits, total


@pytest.mark.parametrize("tier", ["small", "large"])
@pytest.mark.parametrize("provider", CURRENT.providers)
def test_no_machine_is_missed_and_none_is_cheaper(provider, tier):
    enough = list(pairs(provider, tier))
    found = fit(tier, provider=provider, limit=None)
    assert {one.machine.machine_type for one in found.candidates} == {name for name, *_ in enough}
    known = {name for name, is_known, _ in enough if is_known}
    assert {one.machine.machine_type for one in found.candidates if one.limit_known} == known
    for one in found.candidates:
        totals = [
            total
            for name, is_known, total in enough
            if name == one.machine.machine_type and is_known == one.limit_known and total is not None
        ]
        assert one.cost.per_month == (pytest.approx(min(totals)) if totals else None)
    if found.candidates:
        # Those with published limits first, then by price.
        assert found.best.limit_known == bool(known)
        prices = [one.cost.per_month for one in found.candidates if one.limit_known == found.best.limit_known]
        priced = [price for price in prices if price is not None]
        assert prices == sorted(priced) + [None] * (len(prices) - len(priced))


class TestTodaysGenerationOfGce:
    """Every family of the current generation can be chosen with Hyperdisk Balanced, and has a cost."""

    @pytest.mark.parametrize("family", ["n4", "n4d", "c4", "c4d"])
    def test_each_family(self, family):
        best = fit("large", provider="gce", family=family, newest=True).best
        assert (best.machine.family, best.disk.kind, best.limit_known) == (
            family, "hyperdisk-balanced", family == "c4d"
        )  # fmt: skip
        assert best.disk.provisioned_iops == 7_500
        assert best.cost.per_month == pytest.approx(best.machine.price.per_month + best.disk.size_gib * 0.08 + 22.5)

    @pytest.mark.parametrize("family", ["n4a", "c4a"])
    def test_arm64(self, family):
        assert fit("small", provider="gce", family=family, arch="arm64").best.disk.kind == "hyperdisk-balanced"

    def test_the_newest(self):
        found = fit("medium", provider="gce", newest=True, limit=None).candidates
        assert {one.machine.family for one in found} == {"e2", "t2d", "n4", "n4d", "c4", "c4d"}
