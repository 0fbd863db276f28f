"""The time to recover a member."""

import pytest

from etcdsize.fitting.recovery import recovery_seconds


class TestRecovery:
    """The hardware page: 10 MB/s recover 100 MB within 15 seconds, and 100 MB/s recover 1 GB."""

    @pytest.mark.parametrize(("data", "bandwidth"), [(100e6, 10), (1e9, 100)])
    def test_the_pages_examples(self, data, bandwidth):
        assert recovery_seconds(data, bandwidth) == 15

    def test_twice_the_data_takes_twice_as_long_and_twice_the_bandwidth_half(self):
        assert recovery_seconds(8e9, 125) == 96
        assert recovery_seconds(0, 125) == 0
