"""What keys and values are, from the average put, the keys, the revisions and the file in use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize.observation.stored_data import key_and_value, stored_data
from etcdsize.resources.revision_bytes import revision_bytes

COUNT = st.integers(1, 10**9)
BYTES = st.floats(1, 1e8)


def in_file(pair: float, puts_per_commit: float = 10) -> float:
    return revision_bytes(*key_and_value(pair), puts_per_commit)


class TestStoredData:
    """Puts that explain the file say how large the keys are; otherwise the file says between which sizes they are."""

    @given(COUNT, st.integers(0, 10**9), st.floats(1, 1e10), st.none() | st.floats(0, 1e8))
    def test_it_is_never_more_than_the_file_has_in_use_or_the_puts_were(self, keys, revisions, used, put):
        found = stored_data(keys, revisions, used, put)
        assert 0 <= found.value.low <= found.value.likely <= found.value.high
        assert found.value.high <= max(used, keys * (put or 0)) * (1 + 1e-9)

    @given(COUNT, st.floats(0, 3), BYTES, st.sampled_from([1, 3, 10, 100]))
    def test_puts_of_one_size_are_found_whatever_the_packing(self, keys, share, pair, puts_per_commit):
        revisions = round(keys * share)
        # Each key was written once since the last compaction or before it.
        used = 70_000 + max(keys, revisions) * in_file(pair, puts_per_commit)
        found = stored_data(keys, revisions, used, pair)
        assert found.value.is_exact
        assert found.value.likely == keys * pair

    def test_large_keys_beside_small_writes(self):
        """Kubernetes: 30,000 objects of 10 kB, and 54,000 writes of leases of 450 bytes."""
        used = 70_000 + 30_000 * in_file(10_000, 1) + 54_000 * in_file(450)
        found = stored_data(30_000, 54_000, used, 450)
        assert found.value.low == 30_000 * 450
        assert 0.7 * 300e6 < found.value.likely < 1.6 * 300e6
        assert found.value.high > 300e6
        assert found.why == "the average put explains less than the part of the file in use: some keys are larger"

    @pytest.mark.parametrize("written", [450, 60])
    def test_puts_of_several_sizes_leave_what_the_history_does_not_take(self, written):
        """The average since the start has large puts and small ones; now only small ones come."""
        used = 70_000 + 30_000 * in_file(10_000) + 54_000 * in_file(written)
        found = stored_data(30_000, 54_000, used, 5_000, written)
        assert found.value.low < 300e6 < found.value.high
        assert 0.7 * 300e6 < found.value.likely < 1.6 * 300e6

    def test_small_keys_beside_large_writes(self):
        """A million small keys, and one that is written again and again with a megabyte."""
        used = 70_000 + 1e6 * in_file(100) + 100 * 1e6
        found = stored_data(1_000_000, 100, used, 1e6)
        assert found.value.low == 0
        assert 30e6 < found.value.likely < 300e6
        assert found.value.high <= used

    def test_large_keys_beside_small_writes_that_have_ended(self):
        """1,000 keys of 100 kB were written three times, and then 6,000 small ones that are gone."""
        used = 70_000 + 1_000 * in_file(100_000) + 9_000 * in_file(60)
        found = stored_data(1_000, 9_000, used, (3_000 * 100_000 + 6_000 * 60) / 9_000)
        assert found.value.low < 100e6 < found.value.high <= used

    def test_without_a_put_the_file_is_shared_by_its_revisions(self):
        found = stored_data(1_000, 0, 1_400_000, None)
        assert (found.value.low, found.value.likely, found.value.high) == pytest.approx((560_000, 1e6, 1.4e6))

    @pytest.mark.parametrize(("keys", "used"), [(0, 20_480), (10, 0)])
    def test_without_keys_or_a_file_it_is_unknown(self, keys, used):
        assert stored_data(keys, 5, used, 100) is None
