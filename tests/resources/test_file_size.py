"""The file: held to sums written out from its sentences, and to what was measured."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resource_loads import loads, one_load

from benchmarks.resources.pages import Store
from benchmarks.resources.revision_table import irregular
from etcdsize.resources.cases import Asked, cases_of
from etcdsize.resources.coefficients import load_coefficients
from etcdsize.resources.file_size import file_figures, seconds_until_full
from etcdsize.resources.load_sums import sums_of
from etcdsize.resources.model import file_of
from etcdsize.resources.revision_bytes import element_bytes, fragmentation, revision_bytes

LIKELY = load_coefficients("3.5").spread.likely
GIB = 2**30


def figures(load, *, index=1, seconds=0.0):
    sums = sums_of(load, 10_000)
    kept = sums.kept_bytes[index]
    return file_figures(load, sums, LIKELY, kept, kept, seconds), sums


def total(load, figure, **options):
    return math.fsum(figures(load, **options)[0][figure])


def quota_in_sentences(file_bytes, data_bytes):
    """A quarter above the file, but no more than 8 GiB while the file and a twentieth fit; never below the data."""
    quota = file_bytes * 1.25
    if quota > 8 * GIB:
        quota = 8 * GIB if file_bytes * 1.05 <= 8 * GIB else file_bytes * 1.05
    quota = max(quota, data_bytes, 2 * GIB)
    return math.ceil(quota / GIB) * GIB


def waiting_in_sentences(pair_bytes, puts_a_commit):
    """Each commit replaces five pages, of which one is the last leaf; that has up to four long revisions."""
    commits = LIKELY.file_waiting / puts_a_commit
    return commits * (5 * 4096 + max(0, 4 * pair_bytes - 4096))


class TestFile:
    """In use: every key once, as packed. The high-water mark: and the history, and what compactions add."""

    @pytest.mark.parametrize("value", [100, 1_000, 10_000])
    def test_keys_that_are_written_once_take_their_revision_bytes(self, value):
        load = one_load(count=100_000, value_bytes=value, writes=0, puts_per_commit=100)
        assert total(load, "in_use_bytes") == pytest.approx(
            100_000 * revision_bytes(64, value, 100) + LIKELY.file_fixed, rel=1e-3
        )
        assert total(load, "history_bytes") == 0
        high_water = total(load, "in_use_bytes") + waiting_in_sentences(64 + value, puts_a_commit=100)
        if value < 4_000:
            assert total(load, "high_water_bytes") == pytest.approx(high_water)
        else:
            assert total(load, "high_water_bytes") >= high_water

    def test_runs_of_pages_do_not_fit_into_every_gap(self):
        load = one_load(count=100_000, value_bytes=10_000, writes=0, puts_per_commit=1)
        runs = LIKELY.file_runs * 100_000 * revision_bytes(64, 10_000, 1)
        waiting = waiting_in_sentences(10_064, puts_a_commit=1)
        assert total(load, "high_water_bytes") == pytest.approx(total(load, "in_use_bytes") + runs + waiting)

    @pytest.mark.parametrize("count", [300, 1_000, 50_000])
    def test_a_compaction_writes_keys_anew_before_it_frees_a_page(self, count):
        """Up to 1,000, which are a batch; the same of a large file is next to nothing."""
        load = one_load(count=count, value_bytes=1_000, writes=0, puts_per_commit=100)
        updated = load._replace(revisions_per_key=2.0)
        added = total(updated, "high_water_bytes") - total(load, "high_water_bytes")
        history = total(updated, "history_bytes")
        again = total(updated, "in_use_bytes") - total(load, "in_use_bytes")
        one = revision_bytes(64, 1_000, 100) * fragmentation(64, 1_000, 100)[1]
        assert added == pytest.approx(history + again + LIKELY.file_rewritten * min(count, 1_000) * one)

    def test_what_waits_for_readers_is_at_most_what_is_applied_in_a_row(self):
        large = total(one_load(count=1, value_bytes=1_000_000, writes=0, puts_per_commit=1), "high_water_bytes")
        assert large < 4 * 1_000_064 * 2.5

    def test_history_is_what_is_written_while_it_is_kept(self):
        load = one_load(count=1_000, value_bytes=1_000, writes=50, history_seconds=600)
        assert total(load, "history_bytes") == pytest.approx(50 * 600 * revision_bytes(64, 1_000, 5))

    def test_given_revisions_a_key_count_where_they_are_more_than_the_rate_gives(self):
        load = one_load(count=1_000, value_bytes=1_000, writes=0, revisions_per_key=4, history_seconds=100)
        # They are written at 30 a second, and so three to a commit.
        assert total(load, "history_bytes") == pytest.approx(3_000 * revision_bytes(64, 1_000, 3))

    def test_ran_on_3_5_30_one_and_a_half_million_keys_of_a_kilobyte(self):
        # 1,559,100 keys of 37 bytes with 1,000 bytes each, in transactions of 100, filled a quota of 2,148.5 MB.
        load = one_load(count=1_559_100, key_bytes=37, value_bytes=1_000, writes=0, puts_per_commit=100)
        assert total(load, "in_use_bytes") == pytest.approx(2_148.5e6, rel=0.03)

    @given(loads())
    def test_the_quota_agrees_with_its_sentences(self, load):
        found, sums = figures(load)
        length = math.fsum(found["high_water_bytes"])
        expected = quota_in_sentences(length, sums.data_bytes)
        # A float next to a whole GiB may fall on either side of it.
        assert abs(math.fsum(found["quota_bytes"]) - expected) <= max(GIB + 1, 1e-12 * expected)

    @given(loads(), st.sampled_from([0, 1, 2]))
    def test_the_quota_holds_the_file_and_the_data(self, load, index):
        found, sums = figures(load, index=index)
        assert math.fsum(found["quota_bytes"]) >= max(
            1.049 * math.fsum(found["high_water_bytes"]), sums.data_bytes, 2 * GIB
        )


class TestWorstMoment:
    """The file keeps its largest size: with its keys as they were first written, or as updates left them at worst."""

    KEYS, UPDATED = 2_000, 1_000

    @pytest.mark.parametrize(
        ("value", "puts"), [(60, 30.0), (240, 20.0), (520, 25.0), (900, 1.0), (1_400, 12.0), (2_300, 6.0), (6_000, 8.0)]
    )
    def test_it_is_that_of_the_simulation(self, value, puts):
        order = random.Random(5)
        store, commits = Store(int(element_bytes(50, value))), irregular(puts, order)
        store.put(range(self.KEYS), commits)
        largest, before = 0.0, store.revision
        for _ in range(8):
            store.put((order.randrange(self.KEYS) for _ in range(self.UPDATED)), commits)
            largest = max(largest, store.bytes())
            # To where the compaction before ended: up to twice as much history as is written between two.
            store.compact(before)
            before = store.revision
        seconds = 2 * self.UPDATED / (10 * puts)
        load = one_load(self.KEYS, 50.0, float(value), 10 * puts, puts_per_commit=puts, history_seconds=seconds)
        case = cases_of(Asked("3.6")).likely
        found = file_of(load, sums_of(load, case.values.defragment_keys), case)["high_water_bytes"]
        in_use, worst, history, *_ = found
        assert in_use + worst + history == pytest.approx(largest, rel=0.06)

    def test_updates_that_pack_keys_better_do_not_shrink_it(self):
        load = one_load(10_000, 50.0, 900.0, 20.0, puts_per_commit=1.0)
        for case in cases_of(Asked("3.6"))[:3]:
            sums = sums_of(load, case.values.defragment_keys)
            in_use, worst, *_ = file_of(load, sums, case)["high_water_bytes"]
            assert in_use + worst >= sums.fresh_bytes * case.values.file_margin
        assert sums.kept_bytes[1] < 0.85 * sums.fresh_bytes


class TestUntilFull:
    """Without compaction the writes fill what is free; with it, only where the history does not fit."""

    def test_hours_are_the_room_over_the_rate(self):
        load = one_load(count=1_000_000, value_bytes=1_000, writes=100, history_seconds=600)
        found, sums = figures(load)
        room = 4 * GIB - math.fsum(found["in_use_bytes"])
        alone, kept = seconds_until_full(found, sums, 4 * GIB)
        assert alone == pytest.approx(room / (100 * revision_bytes(64, 1_000, 10)))
        assert kept == math.inf

    def test_a_quota_below_the_history_is_full_while_it_grows(self):
        load = one_load(count=1_000, value_bytes=100_000, writes=100, history_seconds=3_600)
        found, sums = figures(load)
        alone, kept = seconds_until_full(found, sums, 2 * GIB)
        assert kept == alone
        assert 0 < kept < 3_600

    def test_a_quota_below_the_keys_is_full_now_and_without_writes_never_fills(self):
        load = one_load(count=1_000_000, value_bytes=1_000, writes=0)
        found, sums = figures(load)
        assert seconds_until_full(found, sums, GIB) == (0, 0)
        assert seconds_until_full(found, sums, 4 * GIB) == (math.inf, math.inf)
