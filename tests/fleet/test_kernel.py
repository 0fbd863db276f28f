"""The classifier's loop: the thresholds it compares with, its threads, and its memory."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import threading
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from needs import leave_out
from strategies import DTYPES, EDGES, exactly, twin

from etcdsize import INVALID, TierTable, classify, load_tiers
from etcdsize.fleet import kernel
from etcdsize.fleet.kernel import last_fitting, pick_threads


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

    @pytest.mark.parametrize("inclusive", [True, False])
    @pytest.mark.parametrize(
        "limit",
        [
            Fraction(361028671887667586935190, 24180916146141931476353),
            Fraction(625127360020914095670341, 904290071192484487989945),
        ],
    )
    def test_where_the_quotient_of_long_doubles_is_too_low(self, limit, inclusive):
        """Both parts of the fraction have more digits than a long double."""
        self.holds(np.dtype("longdouble"), limit, inclusive)

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


class TestThresholds:
    """Thresholds are computed once for the same bounds and dtype, and the memory for them is bounded."""

    BOUNDS = ((Fraction(10), True), (Fraction(20), False))

    def test_computed_once(self):
        first = kernel._thresholds(self.BOUNDS, np.dtype("i4"))
        assert first.tolist() == [[10], [19]]
        assert first.dtype == np.int32
        assert kernel._thresholds(self.BOUNDS, np.dtype("i4")) is first
        assert kernel._thresholds(self.BOUNDS, np.dtype("u4")).dtype == np.uint32

    def test_at_most_256_are_kept(self):
        for limit in range(1, 600):
            found = kernel._thresholds(((Fraction(limit), True),), np.dtype("i8"))
            assert found.tolist() == [[limit]]
            assert len(kernel._THRESHOLDS) <= 256
        # All but the newest went at once, so that a fleet with one table keeps its thresholds for long.
        kernel._THRESHOLDS.clear()
        for limit in range(1, 257):
            kernel._thresholds(((Fraction(limit), True),), np.dtype("i8"))
        assert len(kernel._THRESHOLDS) == 256


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

    @pytest.mark.parametrize(
        ("cores", "rows", "picked"),
        [(3, 10**9, 3), (64, 10**9, 8), (8, 499_999, 1), (8, 500_000, 2), (8, 1_250_000, 5), (1, 10**9, 1)],
    )
    def test_none_suits_the_processors_of_this_process_and_the_rows(self, cores, rows, picked, monkeypatch):
        ours = {0: set(range(cores))}
        monkeypatch.setattr(os, "sched_getaffinity", ours.get, raising=False)
        assert pick_threads(rows, None) == picked

    @pytest.mark.parametrize(("cores", "picked"), [(5, 5), (None, 1)])
    def test_a_system_without_affinity(self, cores, picked, monkeypatch):
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: cores)
        assert pick_threads(10**9, None) == picked


class TestColumns:
    """The loop alone, on columns as `classify` prepares them and as it does not."""

    @staticmethod
    def codes(values, *, dimension=0, least=0):
        bounds = ((Fraction(10), True), (Fraction(20), False))
        out = np.empty(values.shape, np.uint8)
        first = kernel.classify_columns([kernel.Column(dimension, values, bounds)], values.size, out, 1, least)
        return out.tolist(), first

    @pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "f2", "f4", "f8", "g"])
    def test_zero_and_one_are_valid_beside_what_is_not(self, dtype):
        values = np.array([0, 1, -1, 10, 11, 19, 20], dtype)
        invalid = kernel.FirstInvalid(2, 1, 1)
        assert self.codes(values, dimension=1) == ([0, 0, INVALID, 0, 1, 1, 2], invalid)

    @pytest.mark.parametrize("dtype", ["i2", "u2", "i8", "f4", "f8", "g"])
    def test_an_array_of_two_dimensions(self, dtype):
        values = np.array([[0, 10, 11], [19, 20, 21]], dtype)
        for one in (values, np.asfortranarray(values), np.repeat(values, 2, axis=1)[:, ::2]):
            assert self.codes(one) == ([[0, 0, 1], [1, 2, 2]], None)

    def test_the_lowest_code(self):
        assert self.codes(np.array([0, 11, 20.0]), least=1) == ([1, 1, 2], None)


CHUNKED = fleet(70_000)
CHUNKED_CODES = classify(*CHUNKED)


class TestIntegersAsFloats:
    """Integers of 4 and 8 bytes are compared as the floats that their bits are, where that is exact."""

    @pytest.mark.parametrize("dtype", ["i4", "i8", "u4", "u8"])
    @pytest.mark.parametrize("headroom", [0.0, 0.9999])
    def test_around_every_infinity(self, dtype, headroom):
        top = int(np.iinfo(dtype).max)
        around = (0x7F800000, 0x7FF00000, 0x7FF0000000000000, top)
        loads = np.array([n for a in around for n in (a - 1, a, a + 1) if n <= top] + [0, 1, 2, 99, 100, 101], dtype)
        for block in (loads, loads[loads < 0x7F800000], loads[:1]):
            codes = classify(block, None, None, headroom=headroom)
            assert codes.tolist() == [twin("guide", load, None, None, headroom) for load in block]

    @pytest.mark.parametrize("dtype", ["u4", "u8", "i4"])
    def test_a_bound_beyond_infinity(self, dtype):
        table = load_tiers("guide").model_dump()
        limits = (0x7F800001, 0x7FF0000000000001, 2**64 - 1)
        for tier, limit in zip(table["tiers"], limits):
            tier["clients"]["limit"] = limit
        top = int(np.iinfo(dtype).max)
        loads = np.array([n for limit in limits for n in (limit - 1, limit, limit + 1) if n <= top] + [top, 0], dtype)
        codes = classify(loads, None, None, tiers=TierTable(**table))
        assert codes.tolist() == [sum(int(load) > limit for limit in limits) for load in loads]

    def test_where_the_smallest_floats_are_zeros(self):
        """A library built for speed alone may have put the thread into that mode; it is one of each thread."""
        if platform.machine() not in ("x86_64", "AMD64") or platform.libc_ver()[0] != "glibc":
            leave_out("the mode is set through glibc on x86-64")
        libm = ctypes.CDLL("libm.so.6")
        found = {}

        def work():
            state = (ctypes.c_uint32 * 8)()
            assert libm.fegetenv(state) == 0
            state[7] |= 0x8040  # MXCSR: denormals are zeros, and results are flushed
            assert libm.fesetenv(state) == 0
            found["mode"] = bool(np.any(np.array([5], "i8").view("f8") > 0.0))
            for dtype in ("i4", "i8", "u4", "u8"):
                loads = np.array([90, 300, 2000], dtype)
                found[dtype] = classify(loads, loads, loads, threads=1).tolist()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert found == {"mode": False} | {dtype: [0, 1, 3] for dtype in ("i4", "i8", "u4", "u8")}


class TestBlocks:
    """A block fits the cache, the blocks of all threads fit 12 MiB, and each consists of whole lines of 64 rows."""

    @staticmethod
    def cut(monkeypatch, values, columns, bounds, threads):
        """Return the rows of a block and of the first one, which ends where a cache line starts; 0 without one."""
        seen = set()
        work = kernel._work

        def spy(columns, rows, out, least, starts, block, skip):
            seen.add((block, skip))
            return work(columns, rows, out, least, starts, block, skip)

        monkeypatch.setattr(kernel, "_work", spy)
        limits = tuple((Fraction(limit), True) for limit in range(1, bounds + 1))
        prepared = [kernel.Column(number, values, limits) for number in range(columns)]
        kernel.classify_columns(prepared, len(values), np.empty(len(values), np.uint8), threads)
        (found,) = seen
        return found

    @pytest.mark.parametrize(
        ("rows", "columns", "bounds", "threads", "block"),
        [
            (100, 3, 3, 1, 128),
            (2_000, 3, 3, 1, 2_048),
            (1_000_000, 3, 3, 1, 32_768),
            (1_000_000, 3, 3, 2, 131_072),
            (3_000, 3, 3, 2, 1_536),
            (2_049, 3, 3, 2, 1_088),
            (2_048, 3, 3, 2, 1_024),
            # 12 MiB for 254 bounds twice, and the code, of each row: 24,720 rows, in whole lines.
            (100_000, 2, 254, 1, 24_768),
            (100_000, 2, 254, 8, 3_136),
        ],
    )
    def test_rows_of_a_block(self, rows, columns, bounds, threads, block, monkeypatch):
        assert self.cut(monkeypatch, aligned(rows), columns, bounds, threads) == (block, 0)

    def test_a_copy_takes_its_part_of_the_memory(self, monkeypatch):
        """Three columns of 8 bytes, 3 bounds twice and the code: 31 bytes a row for each of 8 threads."""
        values = np.repeat(aligned(600_000), 2)[::2]
        assert self.cut(monkeypatch, values, 3, 3, 8) == (50_752, 0)

    @pytest.mark.parametrize(("first", "skip"), [(0, 0), (1, 7), (3, 5), (7, 1), (8, 0)])
    def test_the_first_block_ends_where_a_cache_line_starts(self, first, skip, monkeypatch):
        values = aligned(100_000)[first:]
        assert kernel._rows_to_line(values) == skip
        assert self.cut(monkeypatch, values, 2, 3, 1) == (32_768, skip)
        # A single block has no second one that could start there.
        assert self.cut(monkeypatch, values[:32_768], 2, 3, 1) == (32_768, 0)

    def test_numbers_that_no_cache_line_starts_with(self):
        beside = np.frombuffer(aligned(64).tobytes() + b"12345678", np.uint8)
        start = -beside.__array_interface__["data"][0] % 64 + 1
        assert kernel._rows_to_line(beside[start : start + 8].view("f8")) == 0


def aligned(rows: int) -> np.ndarray:
    """Return zeros that start at a cache line."""
    spare = np.zeros(rows + 8)
    start = -spare.__array_interface__["data"][0] % 64 // 8
    return spare[start : start + rows]


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
    @pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.slow), 8])
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
