"""The largest tier that a machine is enough for, and what a machine that is too small for any lacks most."""

from __future__ import annotations

import pytest

from etcdsize import Catalog, DiskLimit, Machine, OptionError, TierTable, load_tiers
from etcdsize.fitting.capacity import BELOW, Capacity, capacities

GUIDE = load_tiers("guide")
# The guide's GCE rows: vCPUs, GiB, IOPS, MB/s.
NEEDS = [(2, 7.5, 1500, 25), (4, 15, 4500, 75), (8, 30, 7500, 125), (16, 60, 15000, 250)]
UNKNOWN = "its own limit for network disks is not published"


def capacity(vcpus, memory, iops, bandwidth, *, tiers=GUIDE, limits=(), **more) -> Capacity:
    kinds = [DiskLimit(kind=f"k{n}", concurrent_iops=i, disk_mb_per_second=b) for n, (i, b) in enumerate(limits)]
    machine = Machine(
        provider="aws", machine_type="m", vcpus=vcpus, memory_gib=memory, concurrent_iops=iops,
        disk_mb_per_second=bandwidth, disk_limits=kinds, **more,
    )  # fmt: skip
    (found,) = capacities(Catalog(name="mine", machines=[machine]), tiers)
    return found


class TestTier:
    """A machine is enough for a tier where each of its four figures is at least the tier's."""

    @pytest.mark.parametrize("tier", range(4))
    def test_exactly_enough(self, tier):
        assert capacity(*NEEDS[tier]) == Capacity(tier, tier)

    @pytest.mark.parametrize("tier", range(1, 4))
    @pytest.mark.parametrize("figure", range(4))
    def test_a_little_less_of_one_figure(self, tier, figure):
        figures = list(NEEDS[tier])
        figures[figure] -= 1
        assert capacity(*figures) == Capacity(tier - 1, tier - 1)

    def test_a_machine_of_one_tier_and_the_disk_of_another(self):
        assert capacity(16, 60, 4500, 75).tier == 1
        assert capacity(4, 15, 15000, 250).tier == 1

    def test_in_the_order_of_the_catalog(self):
        machines = [
            Machine(
                provider="aws", machine_type=f"m{n}", vcpus=v, memory_gib=m, concurrent_iops=i, disk_mb_per_second=b
            )
            for n, (v, m, i, b) in enumerate(reversed(NEEDS))
        ]
        assert [one.tier for one in capacities(Catalog(name="mine", machines=machines), GUIDE)] == [3, 2, 1, 0]

    def test_a_tier_that_the_guide_has_no_machine_for(self):
        tiers = GUIDE.model_dump()
        tiers["tiers"][0]["name"] = "tiny"
        with pytest.raises(OptionError) as caught:
            capacity(2, 8, 1500, 25, tiers=TierTable(**tiers))
        assert str(caught.value).startswith('tier: got "tiny", expected one that the guide has a machine for: small, ')


def test_below_is_below_every_tier():
    assert BELOW < 0


class TestBelow:
    """A machine that is too small for any tier: the figure of which the smallest tier needs most times as much."""

    @pytest.mark.parametrize(
        ("figures", "figure", "ratio"),
        [
            ((1, 7.5, 1500, 25), 0, 2),
            ((2, 3, 1500, 25), 1, 2.5),
            ((2, 7.5, 500, 25), 2, 3),
            ((2, 7.5, 1500, 5), 3, 5),
            ((1, 3, 500, 5), 3, 5),
            ((1, 1.5, 500, 12.5), 1, 5),
            # Of equal ones, the last.
            ((1, 3.75, 1500, 25), 1, 2),
            # A machine that is large otherwise.
            ((64, 256, 750, 500), 2, 2),
        ],
    )
    def test_what_it_lacks_most(self, figures, figure, ratio):
        assert capacity(*figures) == Capacity(BELOW, BELOW, "", figure, ratio)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"shared_core": True}, "shares its cores with other machines"),
            ({"burstable": True}, "has its full CPU only in bursts"),
            ({"flex": True}, "has its full CPU most of the time, not always"),
        ],
    )
    def test_a_cpu_that_cannot_be_relied_on(self, change, reason):
        """It is unknown, however large it is: nobody knows how much of its CPU it has."""
        for figures in ((64, 256, 20_000, 500), (1, 1, 10, 1)):
            found = capacity(*figures, **change)
            assert found == Capacity(None, 3, f"{reason}; etcd needs its CPU all the time")


class TestKindsOfDisk:
    """The limits of the kind of disk with which it is enough for most; a kind with an unknown limit does not count."""

    @pytest.mark.parametrize(
        ("limits", "expected"),
        [
            ([(1500, 25), (7500, 125)], Capacity(2, 2)),
            ([(7500, 125), (1500, 25)], Capacity(2, 2)),
            ([(1500, 25), (7500, None)], Capacity(0, 0)),
            ([(None, 125), (1500, 25)], Capacity(0, 0)),
            ([(100, 25), (7500, 125)], Capacity(2, 2)),
            ([(1500, 25), (100, 25)], Capacity(0, 0)),
            # Too small with each: what it lacks with the one that is nearest.
            ([(300, 25), (500, 25)], Capacity(BELOW, BELOW, "", 2, 3.0)),
            ([(500, 25), (300, 25)], Capacity(BELOW, BELOW, "", 2, 3.0)),
            ([(300, 25), (1500, 10)], Capacity(BELOW, BELOW, "", 3, 2.5)),
        ],
    )
    def test_the_best_of_them(self, limits, expected):
        assert capacity(16, 60, None, None, limits=limits) == expected

    def test_they_replace_the_general_limits(self):
        assert capacity(16, 60, 15000, 250, limits=[(1500, 25)]).tier == 0


class TestUnknown:
    """A machine whose limits are unknown is unknown, unless it is too small whatever its disk."""

    @pytest.mark.parametrize(("iops", "bandwidth"), [(None, None), (15000, None), (None, 250)])
    def test_unknown_limits(self, iops, bandwidth):
        """Its vCPUs and its memory say for which tier it is enough at most."""
        assert capacity(16, 60, iops, bandwidth) == Capacity(None, 3, UNKNOWN)
        assert capacity(16, 15, iops, bandwidth) == Capacity(None, 1, UNKNOWN)
        assert capacity(2, 7.5, iops, bandwidth) == Capacity(None, 0, UNKNOWN)
        assert capacity(16, 60, None, None, limits=[(iops, bandwidth)]) == Capacity(None, 3, UNKNOWN)

    @pytest.mark.parametrize(
        ("vcpus", "memory", "figure", "ratio"),
        [(1, 7.5, 0, 2), (2, 5, 1, 1.5), (1, 5, 0, 2), (1, 2.5, 1, 3), (1, 60, 0, 2)],
    )
    def test_too_small_whatever_its_disk(self, vcpus, memory, figure, ratio):
        assert capacity(vcpus, memory, None, None) == Capacity(BELOW, BELOW, "", figure, ratio)


class TestKindsWithoutFigures:
    """A kind of disk without figures has the machine's general ones."""

    def test_general_figures(self):
        assert capacity(16, 60, 4500, 75, limits=[(None, None)]) == Capacity(1, 1)
        assert capacity(16, 60, None, None, limits=[(None, None)]) == Capacity(None, 3, UNKNOWN)

    def test_other_figures_replace_them(self):
        assert capacity(16, 60, 4500, 75, limits=[(None, None), (15000, 250)]).tier == 3
        assert capacity(16, 60, 15000, 250, limits=[(4500, None)]).tier is None
