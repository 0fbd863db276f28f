"""Go's size classes: what an allocation really takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize.resources.size_classes import size_class


class TestSizeClasses:
    """An allocation takes the smallest class that holds it; above 32 KiB it takes whole pages of 8 KiB."""

    @pytest.mark.parametrize(
        ("count", "taken"),
        [(0, 0), (1, 8), (8, 8), (9, 16), (64, 64), (65, 80), (32_768, 32_768), (32_769, 40_960), (33_064, 40_960)],
    )
    def test_known_classes(self, count, taken):
        assert size_class(count) == taken

    @given(st.floats(0, 1e12), st.floats(0, 1e12))
    def test_a_class_holds_what_it_is_for_and_never_shrinks(self, one, other):
        assert size_class(one) >= one
        assert (size_class(one) <= size_class(other)) == (one <= other) or size_class(one) == size_class(other)

    @given(st.floats(1025, 1e12))
    def test_the_loss_is_at_most_a_fifth_from_a_kilobyte_on(self, count):
        assert size_class(count) <= 1.2 * count + 1 or count > 32_768
