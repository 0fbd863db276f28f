"""Histograms and endpoint statuses: the rules of the models, and quantiles as PromQL computes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Histogram, MemberStatus, TableError

BOUNDS = tuple(0.001 * 2**power for power in range(14))


def histogram(*counts: int) -> Histogram:
    return Histogram(upper_bounds_seconds=BOUNDS, counts=counts)


class TestHistogram:
    """Bounds rise; counts never fall; there is one more count than bounds, that of all."""

    @pytest.mark.parametrize(
        ("bounds", "counts", "message"),
        [
            ((2, 1), (0, 0, 0), "upper_bounds_seconds: expected bounds that rise"),
            ((1, 1), (0, 0, 0), "upper_bounds_seconds: expected bounds that rise"),
            ((1, 2), (0, 0), "counts: got 2, expected one more than bounds"),
            ((1,), (2, 1), "counts: expected counts that never fall: each has those before it"),
        ],
    )
    def test_inconsistent_buckets_are_rejected(self, bounds, counts, message):
        with pytest.raises(TableError) as caught:
            Histogram(upper_bounds_seconds=bounds, counts=counts)
        assert str(caught.value) == f"Histogram: {message}"

    def test_quantile(self):
        """98 of 100 within 8 ms and all within 16: the 99th is half way between."""
        assert histogram(0, 0, 0, *[98], *[100] * 11).quantile(0.99) == pytest.approx(0.012)

    def test_quantile_in_the_first_bucket_starts_at_zero(self):
        assert histogram(*[100] * 15).quantile(0.5) == pytest.approx(0.0005)

    def test_quantile_beyond_the_last_bound_is_the_last_bound(self):
        assert histogram(*[0] * 14, 10).quantile(0.99) == pytest.approx(8.192)

    def test_nothing_measured(self):
        assert histogram(*[0] * 15).quantile(0.99) is None
        assert Histogram(upper_bounds_seconds=(), counts=(5,)).quantile(0.99) is None

    @given(st.lists(st.integers(0, 50), min_size=15, max_size=15), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
    def test_quantile_is_within_the_bucket_of_its_rank(self, each, share):
        """The slow twin: write every duration down as its bucket, sort, and take the one of that rank."""
        counts = [sum(each[: place + 1]) for place in range(15)]
        found = histogram(*counts).quantile(share)
        buckets = [place for place, count in enumerate(each) for _ in range(count)]
        if not buckets:
            assert found is None
            return
        rank = share * len(buckets)
        place = next(place for place in range(15) if counts[place] >= rank)
        lower = BOUNDS[place - 1] if place else 0
        assert lower - 1e-12 <= found <= (BOUNDS[place] if place < 14 else BOUNDS[-1]) + 1e-12

    def test_since(self):
        before, after = histogram(*[1] * 15), histogram(*[3] * 15)
        assert after.since(before) == histogram(*[2] * 15)

    def test_since_another_process_or_other_bounds(self):
        before, after = histogram(*[3] * 15), histogram(*[1] * 15)
        assert after.since(before) is None
        assert after.since(Histogram(upper_bounds_seconds=(1,), counts=(0, 0))) is None
        # Some buckets fell and others rose: no difference of one process.
        assert histogram(5, *[9] * 14).since(histogram(0, *[8] * 14)) is None


def test_a_leader():
    fields = {"endpoint": "http://127.0.0.1:2379", "cluster_id": "1"}
    assert MemberStatus(**fields, member_id="a", leader_id="a").is_leader
    assert not MemberStatus(**fields, member_id="a", leader_id="b").is_leader
    assert not MemberStatus(**fields, member_id="a").is_leader
