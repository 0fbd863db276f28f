"""What a member needs: the guide's rows by tier, and the larger of two needs, figure by figure."""

from __future__ import annotations

import pytest

from etcdsize import Need, OptionError, TableError, TierTable, load_tiers, need_for
from etcdsize.fitting.need import FIGURES, DiskNeed, find_guide_need, larger_disk, larger_need, need_of_tier

GUIDE = load_tiers("guide")


def disk(size_gib):
    return DiskNeed(size_gib=size_gib, quota_bytes=1, because="of what it holds")


def need(vcpus=4, memory_gib=15, iops=4500, bandwidth=75, **more):
    fields = {"tier": "medium", "data_bytes": 5e8, "source": "the guide", **more}
    return Need(
        vcpus=vcpus, memory_gib=memory_gib, concurrent_iops=iops, disk_mb_per_second=bandwidth, **fields
    )  # fmt: skip


class TestTiers:
    """A tier needs what the guide's row says, and a disk for its bound of data; for 8 GiB where data is unbounded."""

    @pytest.mark.parametrize(
        ("tier", "data"), [("small", 100e6), ("medium", 500e6), ("large", 1e9), ("xlarge", 8 * 2**30)]
    )
    def test_data(self, tier, data):
        assert need_for(tier).data_bytes == data
        assert need_for(tier, tiers="guide") == need_for(tier, tiers=GUIDE) == need_for(tier)

    def test_data_of_another_table(self):
        tiers = GUIDE.model_dump()
        tiers["tiers"][0]["data_bytes"]["limit"] = 450e6
        assert need_for("small", tiers=TierTable(**tiers)).data_bytes == 450e6
        assert (
            need_of_tier("small", 7)
            == find_guide_need("small", 7)
            == need_for("small").model_copy(update={"data_bytes": 7})
        )

    @pytest.mark.parametrize(
        ("tier", "message"),
        [
            ("larg", '"larg", expected one that the table "guide" has: small, medium, large, xlarge; did you mean '
             '"large"?'),
            (5, '5, expected one that the table "guide" has: small, medium, large, xlarge'),
            (None, 'None, expected one that the table "guide" has: small, medium, large, xlarge'),
        ],
    )  # fmt: skip
    def test_a_tier_that_the_table_does_not_have(self, tier, message):
        with pytest.raises(OptionError) as caught:
            need_for(tier)
        assert str(caught.value) == f"tier: got {message}"
        assert (caught.value.option, caught.value.value) == ("tier", tier)

    def test_a_tier_that_the_guide_does_not_have(self):
        tiers = GUIDE.model_dump()
        tiers["tiers"][0]["name"] = "smal"
        with pytest.raises(OptionError) as caught:
            need_for("smal", tiers=TierTable(**tiers))
        assert str(caught.value) == (
            'tier: got "smal", expected one that the guide has a machine for: small, medium, large, xlarge; did you '
            'mean "small"?'
        )
        assert find_guide_need("smal", 5) is None


class TestLarger:
    """In each figure the larger of two needs, with the reasons and the source of the load only where it needs more."""

    GUIDE = need(disk=disk(20))

    def load(self, *figures, **more):
        because = {"memory_gib": "lists", "vcpus": "requests", "disk_mb_per_second": "the log"}
        return need(*figures, **{"tier": "small", "source": "the model", "because": because, **more})

    def test_the_load_needs_more_of_some(self):
        load = self.load(3, 20.5, 9000, 75, data_bytes=9e8, disk=disk(30))
        assert larger_need(self.GUIDE, load) == need(
            4, 20.5, 9000, 75, data_bytes=9e8, disk=disk(30), because={"memory_gib": "lists"},
            source="the guide; the model",
        )  # fmt: skip

    def test_the_iops_are_the_loads_where_its_writes_are_known(self):
        load = self.load(3, 20.5, 90, 75, because={"concurrent_iops": "an fsync each"})
        found = larger_need(self.GUIDE, load, writes_known=True)
        assert (found.vcpus, found.memory_gib, found.concurrent_iops, found.disk_mb_per_second) == (4, 20.5, 90, 75)
        assert (found.because, found.source) == ({"concurrent_iops": "an fsync each"}, "the guide; the model")

    def test_the_load_needs_more_of_none(self):
        load = self.load(4, 15, 4500, 75, data_bytes=1, disk=disk(10))
        assert larger_need(self.GUIDE, load) == self.GUIDE.model_copy(update={"disk": larger_disk(self.GUIDE, load)})

    def test_the_load_needs_more_of_all(self):
        load = self.load(5, 16, 4501, 76)
        assert larger_need(self.GUIDE, load) == need(
            5, 16, 4501, 76, disk=disk(20), source="the model",
            because={"vcpus": "requests", "memory_gib": "lists", "disk_mb_per_second": "the log"},
        )  # fmt: skip

    @pytest.mark.parametrize("figure", FIGURES)
    def test_one_figure_of_which_the_load_needs_more(self, figure):
        load = self.load(**{"vcpus": 1, "memory_gib": 1, "iops": 1, "bandwidth": 1}).model_copy(update={figure: 99_999})
        found = larger_need(self.GUIDE, load)
        assert {name: getattr(found, name) for name in FIGURES} == {
            name: 99_999 if name == figure else getattr(self.GUIDE, name) for name in FIGURES
        }
        assert found.source == "the guide; the model"
        assert list(found.because) == [figure] * (figure in load.because)

    @pytest.mark.parametrize(
        ("one", "other", "larger"),
        [
            (disk(1), disk(2), disk(2)),
            (disk(2), disk(2), disk(2)),
            (None, disk(1), disk(1)),
            (disk(1), None, disk(1)),
            (None, None, None),
        ],
    )
    def test_the_larger_disk(self, one, other, larger):
        assert larger_disk(need(disk=one), need(disk=other)) == larger

    def test_the_larger_disk_of_the_tier_has_the_quota_of_the_load(self):
        guide, load = need(disk=disk(20)), need(disk=DiskNeed(size_gib=9, quota_bytes=7, because="9 GiB"))
        assert larger_disk(guide, load) == DiskNeed(
            size_gib=20, quota_bytes=7, because="9 GiB; 20 GiB have room for the largest load of medium"
        )


class TestModels:
    """A disk has a GiB or more and a quota of a byte or more; a need may lack a disk, a reason and a source."""

    def test_the_smallest_disk(self):
        assert disk(1).size_gib == 1
        for fields in ({"size_gib": 0}, {"quota_bytes": 0}):
            with pytest.raises((TableError, ValueError), match="greater than or equal to 1"):
                DiskNeed(**{"size_gib": 1, "quota_bytes": 1, "because": "", **fields})

    def test_what_may_be_left_out(self):
        found = Need(tier="t", vcpus=1, memory_gib=1, concurrent_iops=1, disk_mb_per_second=1, data_bytes=0)
        assert (found.disk, found.because, found.source) == (None, {}, "")
