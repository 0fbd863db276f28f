"""When the quota is full, at the rate at which the file of a member fills."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Scrape, combine_scrapes
from etcdsize.observation.filling import Filling, filling_between
from etcdsize.observation.findings import hours_text

GB = 10**9


def between(before: dict, after: dict, *, seconds: float | None = 10, quota: float | None = 2 * GB) -> Filling:
    return filling_between(Scrape(**before), Scrape(**after), seconds, quota)


class TestRate:
    """The growth of what is in use counts; where that cannot be measured, what the puts take."""

    def test_growth(self):
        found = between({"data_bytes": GB, "total_bytes": 1.5 * GB}, {"data_bytes": 1.1 * GB, "total_bytes": 1.5 * GB})
        assert found == Filling(10_000_000, 0.9 * GB / 10_000_000 / 3600, "lower")

    def test_file_counts_where_the_part_in_use_is_unknown(self):
        assert between({"total_bytes": 1 * GB}, {"total_bytes": 1.1 * GB}).bytes_per_second == 10_000_000

    @pytest.mark.parametrize("after", [1 * GB, 1 * GB + 40_000, 0.5 * GB])
    def test_puts_count_where_the_growth_is_small_or_a_compaction_freed_some(self, after):
        puts = {"puts": 100, "put_bytes": 100_000}, {"puts": 200, "put_bytes": 205_000}
        found = between({"data_bytes": 1 * GB, **puts[0]}, {"data_bytes": after, **puts[1]})
        assert 100 * 1_050 < found.bytes_per_second * 10 < 100 * 2_200

    def test_nothing_written_never_fills(self):
        same = {"data_bytes": 1 * GB, "puts": 100, "put_bytes": 100_000}
        assert between(same, same) == Filling(0)

    @pytest.mark.parametrize("how", [{"seconds": None}, {"seconds": 0}])
    def test_unknown_without_a_time(self, how):
        assert between({"data_bytes": 1 * GB}, {"data_bytes": 1.1 * GB}, **how) == Filling()

    def test_unknown_without_the_puts(self):
        assert between({"data_bytes": 1 * GB}, {"data_bytes": 1 * GB}) == Filling()

    def test_hours_are_unknown_without_a_quota(self):
        assert between({"data_bytes": 1 * GB}, {"data_bytes": 1.1 * GB}, quota=None) == Filling(10_000_000)

    def test_full_already(self):
        assert between({"data_bytes": 2 * GB}, {"data_bytes": 2.1 * GB}).hours_left == 0
        # etcd counts the whole file, however much of it is free, and accepts nothing that would fill it.
        full = {"data_bytes": 1 * GB, "total_bytes": 2 * GB, "puts": 5, "put_bytes": 50}
        assert between(full, full) == Filling(0, 0, "estimate")

    @given(st.integers(0, 10**12), st.integers(0, 10**12), st.floats(1e-3, 1e6), st.integers(1, 10**12))
    def test_never_negative(self, before, after, seconds, quota):
        found = between({"data_bytes": before}, {"data_bytes": after}, seconds=seconds, quota=quota)
        assert found.bytes_per_second is None or found.bytes_per_second > 0
        assert found.hours_left is None or found.hours_left >= 0


class TestBound:
    """Keys that are written again are freed by a compaction, so that the hours are a lower bound."""

    @pytest.mark.parametrize(
        ("keys", "bound"), [((0, 1000), "estimate"), ((0, 900), "estimate"), ((0, 899), "lower"), ((500, 500), "lower")]
    )
    def test_of_new_keys_it_is_an_estimate(self, keys, bound):
        before = {"data_bytes": 0, "puts": 0, "put_bytes": 0, "keys": keys[0]}
        after = {"data_bytes": 2_000_000, "puts": 1000, "put_bytes": 1_000_000, "keys": keys[1]}
        assert between(before, after).hours_bound == bound

    def test_without_the_keys_it_is_a_lower_bound(self):
        assert between({"data_bytes": 0}, {"data_bytes": 2_000_000}).hours_bound == "lower"


class TestObservation:
    """The first member whose quota is full counts for the cluster."""

    @staticmethod
    def scrape(member: str, used: float, start: float = 1) -> Scrape:
        peers = tuple({"a", "b"} - {member})
        known = {"calls": {"KV.Put": 1}, "has_leader": True, "started_unix_seconds": start, "peers": peers}
        return Scrape(member_id=member, data_bytes=used, total_bytes=used, quota_bytes=2 * GB, **known)

    def test_the_first_member(self):
        first = {"a": self.scrape("a", 1 * GB), "b": self.scrape("b", 1 * GB)}
        second = {"a": self.scrape("a", 1.1 * GB), "b": self.scrape("b", 1.2 * GB)}
        observation = combine_scrapes(first, second, seconds=3600)
        assert [round(one.quota_hours_left, 6) for one in observation.members] == [9, 4]
        assert observation.quota_hours_left == pytest.approx(4)
        assert observation.quota_hours_bound == "lower"

    def test_one_scrape_gives_none(self):
        assert combine_scrapes({"a": self.scrape("a", 1 * GB)}).quota_hours_left is None

    def test_none_after_a_restart(self):
        pair = {"a": self.scrape("a", 1 * GB)}, {"a": self.scrape("a", 1.1 * GB, start=100)}
        assert combine_scrapes(*pair, seconds=10).members[0].fill_bytes_per_second is None


@pytest.mark.parametrize(
    ("hours", "text"), [(0.02, "1.2 minutes"), (1, "1 hour"), (31.4, "31 hours"), (99.9, "100 hours"), (240, "10 days")]
)
def test_hours_text(hours, text):
    assert hours_text(hours) == text
