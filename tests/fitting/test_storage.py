"""The disk that a member needs, part by part, and the time to recover it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import OptionError, storage_for
from etcdsize.etcd.quota import quota_for
from etcdsize.fitting.storage import recovery_seconds

GIB = 2**30


class TestQuota:
    """The quota is at least 2 GiB, leaves room above the data, and never silently exceeds the suggested 8 GiB."""

    @pytest.mark.parametrize(
        ("data", "gib"),
        [(0, 2), (1.6 * GIB, 2), (1.6 * GIB + 1, 3), (6.4 * GIB, 8), (7 * GIB, 8), (8 * GIB, 8), (8 * GIB + 1, 11)],
    )
    def test_the_quota_for_some_data(self, data, gib):
        assert quota_for(data) == gib * GIB

    @given(st.floats(0, 1e15))
    def test_holds_the_data(self, data):
        quota = quota_for(data)
        assert quota >= max(data, 2 * GIB)
        assert quota % GIB == 0
        assert quota <= 8 * GIB or data > 8 * GIB


class TestStorage:
    @given(st.floats(0, 1e13), st.floats(0, 1e13))
    def test_the_size_is_the_sum_of_the_parts(self, one, other):
        storage = storage_for(one)
        parts = (
            storage.quota_bytes
            + storage.wal_bytes
            + storage.snapshot_bytes
            + storage.defragment_bytes
            + storage.free_bytes
        )
        assert storage.size_gib == math.ceil(parts / GIB)
        assert storage.free_bytes >= 0.099 * parts
        assert (storage.size_gib <= storage_for(other).size_gib) or one > other

    def test_the_parts_computed_by_hand(self):
        """Three times 2 GiB, 7 segments of 64 MB, 100,000 entries of 10 kB, and a tenth free."""
        storage = storage_for(100e6)
        assert storage.wal_bytes == 7 * 64_000_000 + 1_000_000_000
        used = 3 * 2 * GIB + storage.wal_bytes
        assert storage.size_gib == math.ceil(used / 0.9 / GIB) == 9
        assert storage.free_bytes == math.ceil(used / 0.9) - used

    @pytest.mark.parametrize("data", [-1, math.nan, math.inf, "5", True])
    def test_what_is_not_an_amount_is_rejected(self, data):
        with pytest.raises(OptionError, match=r"^data_bytes: got .*, expected a finite number of 0 or more$"):
            storage_for(data)

    def test_explain(self):
        """Rounded to hundredths of a GiB."""
        assert storage_for(20e9).explain() == (
            "24 GiB quota + 1.35 GiB WAL + 24 GiB snapshot + 24 GiB to defragment + 8.15 GiB free = 82 GiB"
        )


class TestRecovery:
    """The hardware page: 10 MB/s recover 100 MB within 15 seconds, and 100 MB/s recover 1 GB."""

    @pytest.mark.parametrize(("data", "bandwidth"), [(100e6, 10), (1e9, 100)])
    def test_the_pages_examples(self, data, bandwidth):
        assert recovery_seconds(data, bandwidth) == 15
