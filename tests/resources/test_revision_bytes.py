import itertools
import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.resources import pages, revision_table
from etcdsize.resources.revision_bytes import element_bytes, fragmentation, revision_bytes

KEYS = st.integers(1, 300)
VALUES = st.one_of(st.integers(0, 5000), st.integers(0, 3_000_000))
PUTS = st.floats(1, 2000)


class TestElement:
    """An element is a header, a key of 17 bytes, and etcd's message with the key, the value and four numbers."""

    @given(st.integers(1, 3000), VALUES, st.booleans())
    def test_is_that_of_the_simulation(self, key: int, value: int, lease: bool) -> None:
        assert element_bytes(key, value, lease=lease) == pages.element_bytes(key, value, lease=lease)


class TestAppended:
    """The table is the simulation of bbolt's pages, with commits of irregular size."""

    @pytest.mark.parametrize("puts", [1, 1.3, 2, 3.5, 7, 12, 40, 100, 700])
    @pytest.mark.parametrize(
        ("key", "value", "within"),
        [(16, 0, 0.015), (64, 16, 0.015), (64, 100, 0.015), (40, 300, 0.02), (64, 500, 0.02), (64, 700, 0.02)]
        + [(64, value, 0.02) for value in (800, 803, 1000, 1100, 1107, 1925, 1926, 4000, 16_000, 100_000)],
    )
    def test_agrees_with_the_simulation(self, key: int, value: int, within: float, puts: float) -> None:
        """Both between the table's numbers of puts and on them: the interpolation is at most 2 % off."""
        commits = revision_table.irregular(puts, random.Random(1))
        revisions = 40_000 if puts < 50 else 100_000
        simulated = pages.appended_bytes(pages.element_bytes(key, value), commits, revisions)
        assert revision_bytes(key, value, puts) == pytest.approx(simulated, rel=within)

    @pytest.mark.parametrize("puts", [1.5, 2, 3, 4, 5, 6, 8, 10, 20, 30])
    @pytest.mark.parametrize("value", [200, 400, 500, 600, 803, 1000, 1500, 3000])
    def test_regular_commits_differ_by_what_is_stated(self, value: int, puts: float) -> None:
        regular = itertools.cycle([math.floor(puts), math.ceil(puts)])
        simulated = pages.appended_bytes(pages.element_bytes(64, value), regular, 5000)
        assert 0.75 <= simulated / revision_bytes(64, value, puts) <= 1.5

    @given(KEYS, VALUES, PUTS, st.integers(0, 3000))
    def test_more_bytes_never_take_less(self, key: int, value: int, puts: float, more: int) -> None:
        assert revision_bytes(key, value + more, puts) >= revision_bytes(key, value, puts)
        assert revision_bytes(key + more, value, puts) >= revision_bytes(key, value, puts)
        assert revision_bytes(key, value, puts, lease=True) >= revision_bytes(key, value, puts)

    @given(KEYS, VALUES, PUTS, st.floats(1, 100))
    def test_more_puts_a_commit_take_less_each_and_not_less_in_all(
        self, key: int, value: int, puts: float, times: float
    ) -> None:
        few, many = revision_bytes(key, value, puts), revision_bytes(key, value, puts * times)
        assert few * (1 - 1e-9) <= many * times
        assert many <= few * (1 + 1e-9)

    @given(KEYS, VALUES, PUTS)
    def test_never_below_the_element(self, key: int, value: int, puts: float) -> None:
        assert revision_bytes(key, value, puts) > element_bytes(key, value)

    def test_fewer_puts_than_one_a_commit_count_as_one(self) -> None:
        assert revision_bytes(64, 1000, 0.2) == revision_bytes(64, 1000, 1)


class TestUpdated:
    """Random updates and compactions leave pages partly empty: the table is the simulation of that."""

    @given(KEYS, VALUES, PUTS)
    def test_low_likely_high_are_in_order(self, key: int, value: int, puts: float) -> None:
        low, likely, high = fragmentation(key, value, puts)
        assert 0.7 < low <= likely <= high < 1.9

    @given(KEYS, VALUES, PUTS, st.integers(0, 3000))
    def test_more_bytes_never_take_less(self, key: int, value: int, puts: float, more: int) -> None:
        def left(size: int) -> list[float]:
            return [factor * revision_bytes(key, size, puts) for factor in fragmentation(key, size, puts)]

        assert all(larger >= smaller * (1 - 1e-9) for larger, smaller in zip(left(value + more), left(value)))

    @pytest.mark.slow
    @pytest.mark.parametrize("puts", [1, 4, 100])
    @pytest.mark.parametrize("value", [16, 100, 500, 803, 1000, 1500, 2100, 4000])
    def test_the_simulation_lies_within(self, value: int, puts: float) -> None:
        """With another seed and another share of updates than the table's."""
        element, keys, rng = pages.element_bytes(64, value), 3000, random.Random(2)
        store, commits = pages.Store(element), revision_table.irregular(puts, rng)
        store.put(range(keys), commits)
        for _ in range(8):
            store.put((rng.randrange(keys) for _ in range(int(keys * 0.6))), commits)
            store.compact()
        low, _, high = fragmentation(64, value, puts)
        left = store.bytes() / keys / revision_bytes(64, value, puts)
        assert low * 0.97 <= left <= high * 1.03


@given(st.sampled_from(revision_table.PUTS_A_COMMIT))
def test_the_table_s_means_are_those_asked_for(mean: float) -> None:
    puts, weights = revision_table.chances(mean)
    assert float((puts * weights).sum()) == pytest.approx(mean, rel=1e-3)


class TestScript:
    """The committed table is what the script writes."""

    @pytest.mark.parametrize("element", [131, 611, 917, 1223, 4088, 8184])
    @pytest.mark.parametrize("puts", [1, 2, 10, 100])
    def test_appended_bytes(self, element: int, puts: float) -> None:
        table = json.loads(revision_table.FILE.read_bytes())
        row = table["appended_bytes"][table["element_bytes"].index(element)]
        assert row[table["puts_per_commit"].index(puts)] == round(revision_table.appended(element, puts), 1)

    @pytest.mark.slow
    @pytest.mark.parametrize("element", [611, 4088])
    def test_updated_bytes(self, element: int) -> None:
        """Rows never fall with the size, so that one may be larger than what was simulated for it."""
        table = json.loads(revision_table.FILE.read_bytes())
        number = table["element_bytes"].index(element)
        found = revision_table.kept(element, 4)
        for name, simulated in (("low", min(found)), ("high", max(found))):
            cell = table[f"updated_bytes_{name}"][number][table["updated_puts_per_commit"].index(4)]
            assert simulated - 0.1 <= cell <= simulated * 1.05
