"""The classifier's loop: the thresholds it compares with, its threads, and its memory."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import DTYPES, EDGES, exactly, twin

from etcdsize import INVALID, classify
from etcdsize._classify import last_fitting, pick_threads


class TestLastFitting:
    """The largest number of a dtype within a bound: it fits, and the next one does not."""

    @given(
        st.sampled_from(DTYPES),
        st.fractions(min_value=Fraction(1, 10**12), max_value=10**25)
        | st.integers(1, 2**65).map(Fraction)
        | st.floats(5e-324, 1.7e308).map(Fraction)
        | st.sampled_from(
            [Fraction(127), Fraction(128), Fraction(65504), Fraction(65505), Fraction(2**64), Fraction(1, 10**400)]
        ),
        st.booleans(),
    )
    def test_against_fractions(self, dtype, limit, inclusive):
        self.holds(dtype, limit, inclusive)

    # No limit that a table takes comes near the ends of a long double.
    @pytest.mark.parametrize("dtype", DTYPES[:-1], ids=str)
    def test_at_the_dtypes_ends(self, dtype):
        integer = dtype.kind in "iu"
        top = Fraction(int(np.iinfo(dtype).max)) if integer else exactly(np.finfo(dtype).max)
        least = Fraction(1) if integer else exactly(np.finfo(dtype).smallest_subnormal)
        for edge in (top, least):
            for limit in (edge - least, edge - least / 2, edge, edge + least / 2, edge * 2, edge * 10):
                for inclusive in (True, False):
                    if limit > 0:
                        self.holds(dtype, limit, inclusive)

    def holds(self, dtype, limit, inclusive):
        found = last_fitting(limit, inclusive, dtype)
        assert type(found) is dtype.type

        def fits(value) -> bool:
            return exactly(value) <= limit if inclusive else exactly(value) < limit

        assert fits(found)
        if dtype.kind in "iu":
            assert found == np.iinfo(dtype).max or not fits(dtype.type(int(found) + 1))
        else:
            assert found == np.finfo(dtype).max or not fits(np.nextafter(found, dtype.type(np.inf)))


def fleet(rows: int, dtype="f8") -> list[np.ndarray]:
    """Return loads that spread over all tiers, with every bound among them."""
    random = np.random.default_rng(7)
    return [
        random.choice(np.array([0, *e, e[0] + 1, e[1] - 1, e[2] * 2], float), rows).astype(dtype)
        for e in EDGES.values()
    ]


class TestThreads:
    """However the work is cut, the codes are the same; 1 never starts a thread."""

    @pytest.mark.parametrize("rows", [32_767, 32_768, 32_769, 262_145, 1_200_001])
    def test_agree(self, rows):
        loads = fleet(rows)
        alone = classify(*loads, threads=1)
        for threads in (2, 5, None, np.int64(3)):
            assert (classify(*loads, threads=threads) == alone).all()
        assert sorted(set(alone.tolist())) == [0, 1, 2, 3]
        sample = np.random.default_rng(3).integers(0, rows, 500)
        assert alone[sample].tolist() == [twin("guide", *(float(load[i]) for load in loads)) for i in sample]

    @given(st.integers(0, 70_000), st.integers(0, 70_000))
    def test_a_chunk_equals_its_part(self, one, other):
        start, stop = sorted([one, other])
        assert (classify(*(load[start:stop] for load in CHUNKED)) == CHUNKED_CODES[start:stop]).all()

    def test_one_starts_none(self, monkeypatch):
        started = []
        start = threading.Thread.start
        monkeypatch.setattr(threading.Thread, "start", lambda thread: (started.append(thread), start(thread))[1])
        loads = fleet(1_000_000)
        classify(*loads, threads=1)
        assert started == []
        classify(*loads, threads=2)
        # The calling thread is the other.
        assert len(started) == 1

    @pytest.mark.parametrize(
        ("rows", "threads", "picked"),
        [(10**9, 1, 1), (10**9, 5, 5), (100, 5, 1), (262_145, 5, 5), (100, None, 1), (0, 7, 1)],
    )
    def test_pick_threads(self, rows, threads, picked):
        assert pick_threads(rows, threads) == picked

    def test_none_stays_modest(self):
        assert 1 <= pick_threads(10**12, None) <= 8


CHUNKED = fleet(70_000)
CHUNKED_CODES = classify(*CHUNKED)


class TestMemory:
    """Besides the output: below 16 MB, whatever the input."""

    ROWS = 20_000_000

    @pytest.mark.parametrize(
        "loads",
        [
            pytest.param(lambda n: np.broadcast_to(np.float64(300), (n,)), id="broadcast"),
            pytest.param(lambda n: np.resize(np.arange(2000, dtype="f4"), n), id="contiguous"),
            pytest.param(lambda n: np.resize(np.arange(4000, dtype="u2"), 2 * n)[::2], id="strided"),
            pytest.param(lambda n: np.resize(np.arange(2000, dtype="f2"), n), id="float16"),
            pytest.param(lambda n: np.resize(np.arange(2000, dtype=">u2"), n).reshape(-1, 4).T, id="transposed"),
        ],
    )
    @pytest.mark.parametrize("threads", [1, 8])
    def test_below_16_mb(self, loads, threads):
        rows = self.ROWS if threads == 1 else 4_000_000
        clients = loads(rows)
        out = np.empty(clients.shape, np.uint8)
        assert peak(lambda: classify(clients, clients, 5, out=out, threads=threads)) < 16e6

    def test_marking_and_errors(self):
        loads = np.full(4_000_000, np.nan, "f4")
        out = np.empty(loads.shape, np.uint8)
        assert peak(lambda: classify(loads, loads, 1, out=out, on_invalid="mark", threads=1)) < 16e6
        assert (out == INVALID).all()


def peak(call) -> int:
    """Return the most memory that a call allocated at any moment. [bytes]"""
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
