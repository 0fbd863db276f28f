"""Known data leaves a choice of keys; its corners enclose every other choice."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from etcdsize.resources.composition import Box, Triple, between, corners, data_of, meet, stretched, worst_pages

PAIRS = st.tuples(st.floats(1, 1e4), st.floats(1, 1e4)).map(lambda pair: (min(pair), max(pair)))
SHARES = st.floats(0, 1)


def inside(pair: tuple[float, float], share: float) -> float:
    return pair[0] + share * (pair[1] - pair[0])


def close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6)


class TestCorners:
    """Every corner holds the data and lies in the box; no choice in it has more or fewer keys, or more key bytes."""

    @given(PAIRS, PAIRS, PAIRS, SHARES, SHARES, SHARES)
    def test_any_choice_lies_between_them(self, number, key, value, first, second, third):
        chosen = Triple(inside(number, first), inside(key, second), inside(value, third))
        data = data_of([chosen])
        found = corners(Box(number, key, value), data)
        for corner in found:
            assert close(data_of([corner]), data)
            for figure, (low, high) in zip(corner, (number, key, value)):
                assert low * (1 - 1e-6) - 1e-6 <= figure <= high * (1 + 1e-6) + 1e-6
        assert found[-1].number * (1 - 1e-6) <= chosen.number <= found[0].number * (1 + 1e-6)
        assert chosen.number * chosen.key <= max(one.number * one.key for one in found) * (1 + 1e-6)
        assert min(one.value for one in found) * (1 - 1e-6) - 1e-3 <= chosen.value
        assert chosen.value <= max(one.value for one in found) * (1 + 1e-6) + 1e-3

    def test_unknown_sizes(self):
        found = corners(Box((1, math.inf), (10, 90), (10, 110)), 2_000)
        assert found == [(100, 10, 10), (20, 90, 10), (2_000 / 120, 10, 110), (10, 90, 110)]

    def test_what_is_known_exactly_is_one_corner(self):
        assert corners(Box((10, 10), (20, 20), (80, 80)), 1_000) == [(10, 20, 80)]

    @given(PAIRS, PAIRS, PAIRS, st.floats(1, 1e9), st.booleans(), st.booleans(), st.booleans())
    def test_a_box_is_stretched_until_it_holds_the_data(self, number, key, value, data, any_key, any_value, any_number):
        number = (1, math.inf) if any_number else number
        box = stretched(Box(number, key, value), data, key=any_key, value=any_value)
        for corner in corners(box, data):
            assert close(data_of([corner]), data)
        assert corners(box, data)
        for pair, (low, high), may_change in ((box.key, key, any_key), (box.value, value, any_value)):
            assert may_change or pair == (low, high)
            assert pair[0] <= low
            assert pair[1] >= high

    @pytest.mark.parametrize(("puts", "pair"), [(1, 770), (1.9, 770), (2, 1_990), (100, 1_990)])
    def test_the_worst_pages(self, puts, pair):
        assert worst_pages(Box((1, math.inf), (50, 60), (0, 9_999)), 1e6, puts) == [(1e6 / pair, 50, pair - 50)]
        assert worst_pages(Box((1, math.inf), (50, 60), (0, 700)), 1e6, puts) == []
        assert worst_pages(Box((1, 9), (50, 60), (0, 9_999)), 1e6, puts) == []


class TestBetween:
    """A choice near what is wished for, which holds the data and lies in the box."""

    @given(PAIRS, PAIRS, PAIRS, st.lists(SHARES, min_size=6, max_size=6), st.booleans())
    def test_it_holds_the_data(self, number, key, value, shares, any_number):
        ends = (number, key, value)
        data = data_of([Triple(*map(inside, ends, shares[:3]))])
        wish = [inside(pair, share) for pair, share in zip(ends, shares[3:])]
        found = between(Box(*ends), data, None if any_number else wish[0], wish[1], wish[2])
        assert close(data_of([found]), data)
        for figure, (low, high) in zip(found, ends):
            assert low * (1 - 1e-6) <= figure <= high * (1 + 1e-6)

    def test_the_wish_is_kept_where_it_can_be(self):
        box = Box((1, 1_000), (10, 90), (10, 1_000))
        assert between(box, 10_000, 100, 40, 999) == (100, 40, 60)
        assert between(box, 10_000, None, 40, 60) == (100, 40, 60)


class TestMeet:
    """Several kinds are moved towards one end until they hold the data."""

    @given(st.lists(st.tuples(PAIRS, PAIRS, PAIRS), min_size=1, max_size=4), SHARES, st.data())
    def test_they_hold_the_data(self, kinds, share, data):
        low = [Triple(number[0], key[0], value[0]) for number, key, value in kinds]
        high = [Triple(number[1], key[1], value[1]) for number, key, value in kinds]
        start = [Triple(*(inside(pair, data.draw(SHARES)) for pair in kind)) for kind in kinds]
        wanted = inside((data_of(low), data_of(high)), share)
        assume(wanted > 0)
        found = meet(wanted, start, low, high)
        assert close(data_of(found), wanted)
        for one, kind in zip(found, kinds):
            for figure, (least, most) in zip(one, kind):
                assert least * (1 - 1e-6) <= figure <= most * (1 + 1e-6)

    def test_values_move_first(self):
        low, high = [Triple(10, 10, 10)], [Triple(20, 20, 50)]
        assert meet(400, [Triple(10, 10, 10)], low, high) == [(10, 10, 30)]
        assert meet(900, [Triple(10, 10, 10)], low, high) == [(15, 10, 50)]
        assert meet(1_400, [Triple(10, 10, 10)], low, high) == [(20, 20, 50)]
        assert meet(200, [Triple(20, 20, 50)], low, high) == [(10, 10, 10)]
