"""The tiers' rules, and that the fast loop follows them in every dtype, layout and number of threads."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    BIG_ENDIAN,
    DIMENSIONS,
    DTYPES,
    EDGES,
    HEADROOMS,
    MB,
    arrays_of,
    exactly,
    neighbours,
    twin,
    valid_loads,
)

from etcdsize import Bound, Tier, TierTable, classify

ANY_DTYPE = st.sampled_from(DTYPES + BIG_ENDIAN)
TABLES = st.sampled_from(["guide", "etcd.io"])
SMALL, MEDIUM, LARGE, XLARGE = range(4)


def edge(limit: int, inclusive: bool, smaller: int, larger: int) -> list[tuple[float, int]]:
    """Return loads at a bound and beside it, each with the code it needs."""
    return [
        (limit - 1, smaller),
        (math.nextafter(limit, 0), smaller),
        (limit, smaller if inclusive else larger),
        (math.nextafter(limit, math.inf), larger),
        (limit + 1, larger),
    ]


def holds(table: str, dimension: int, limit: int, inclusive: bool, smaller: int) -> None:
    """Assert that a bound stands where the rule says, whatever the other two dimensions leave open."""
    for load, code in edge(limit, inclusive, smaller, smaller + 1):
        for rest in (0, None):
            loads: list[float | None] = [rest, rest, rest]
            loads[dimension] = load
            assert classify(*loads, tiers=table) == code, (table, DIMENSIONS[dimension], load)


class TestSmallCluster:
    """Guide, small cluster: at most 100 clients, below 200 requests/s, at most 100 MB.

    etcd-io/website content/en/docs/v3.5/op-guide/hardware.md: fewer than 100 clients, the rest alike.
    """

    def test_clients(self):
        holds("guide", 0, 100, True, SMALL)
        holds("etcd.io", 0, 100, False, SMALL)

    @pytest.mark.parametrize("table", ["guide", "etcd.io"])
    def test_requests_and_data(self, table):
        holds(table, 1, 200, False, SMALL)
        holds(table, 2, 100 * MB, True, SMALL)


class TestMediumCluster:
    """Guide, medium cluster: at most 500 clients, below 1000 requests/s, at most 500 MB.

    etcd-io/website content/en/docs/v3.5/op-guide/hardware.md: fewer than 500 clients, the rest alike.
    """

    def test_clients(self):
        holds("guide", 0, 500, True, MEDIUM)
        holds("etcd.io", 0, 500, False, MEDIUM)

    @pytest.mark.parametrize("table", ["guide", "etcd.io"])
    def test_requests_and_data(self, table):
        holds(table, 1, 1_000, False, MEDIUM)
        holds(table, 2, 500 * MB, True, MEDIUM)


class TestLargeCluster:
    """Guide, large cluster: at most 1500 clients, below 10000 requests/s, at most 1 GB.

    etcd-io/website content/en/docs/v3.5/op-guide/hardware.md: fewer than 1,500 clients, the rest alike.
    """

    def test_clients(self):
        holds("guide", 0, 1_500, True, LARGE)
        holds("etcd.io", 0, 1_500, False, LARGE)

    @pytest.mark.parametrize("table", ["guide", "etcd.io"])
    def test_requests_and_data(self, table):
        holds(table, 1, 10_000, False, LARGE)
        holds(table, 2, 1_000 * MB, True, LARGE)


class TestExtraLargeCluster:
    """Guide, extra-large cluster: above 1500 clients, above 10000 requests/s, may exceed 1 GB.

    Both sources leave exactly 10000 requests/s to no tier, and a load past only one bound: the larger tier.
    """

    @pytest.mark.parametrize("loads", [(1_501, 0, 0), (0, 10_000, 0), (0, 0, 1_000 * MB + 1), (1e9, 1e9, 1e15)])
    @pytest.mark.parametrize("table", ["guide", "etcd.io"])
    def test_one_bound_is_enough(self, loads, table):
        assert classify(*loads, tiers=table) == XLARGE


class TestHeadroom:
    """Headroom h makes every bound `b * (1 - h)`, exactly, with the same comparison."""

    @pytest.mark.parametrize(
        ("headroom", "fits", "past"),
        [
            (0.3, 350, math.nextafter(350, 400)),
            (0.9, 50, 51),
        ],
    )
    def test_medium_clients(self, headroom, fits, past):
        assert classify(fits, None, None, headroom=headroom) == MEDIUM
        assert classify(past, None, None, headroom=headroom) == LARGE

    def test_binary_rounding_moves_no_bound(self):
        assert classify(150, None, None, headroom=0.9) == LARGE
        assert 1500 * (1 - 0.9) < 150


class TestTwin:
    """The loop agrees with the guide's sentences written as `if`, exactly, in every dtype."""

    @given(st.data(), TABLES, HEADROOMS, st.integers(1, 12))
    def test_every_dtype(self, data, table, headroom, size):
        kept = 1 - Fraction(str(headroom))
        arrays = [
            data.draw(
                st.none() | ANY_DTYPE.flatmap(lambda dtype, e=e: arrays_of(dtype, [*e, *(x * kept for x in e)], size))
            )
            for e in EDGES.values()
        ]
        if all(array is None for array in arrays):
            arrays[0] = np.zeros(size, "i8")
        codes = classify(*arrays, tiers=table, headroom=headroom)
        rows = [[None if array is None else array[row] for array in arrays] for row in range(size)]
        assert codes.tolist() == [twin(table, *row, headroom) for row in rows]
        # A scalar equals its row.
        for row, code in zip(rows, codes):
            alone = classify(*row, tiers=table, headroom=headroom)
            assert alone == code
            assert type(alone) is np.uint8

    @pytest.mark.parametrize("dtype", DTYPES + BIG_ENDIAN, ids=str)
    @pytest.mark.parametrize("dimension", range(3))
    def test_bounds_and_extremes(self, dtype, dimension):
        values = np.array(neighbours(dtype, EDGES[DIMENSIONS[dimension]]), dtype.newbyteorder("=")).astype(dtype)
        loads: list = [None, None, None]
        for table in ("guide", "etcd.io"):
            loads[dimension] = values
            codes = classify(*loads, tiers=table)
            for value, code in zip(values, codes):
                loads[dimension] = value
                assert code == twin(table, *loads), (table, value)

    @given(st.data())
    def test_random_tables(self, data):
        table = data.draw(tables())
        dtype = data.draw(ANY_DTYPE)
        headroom = data.draw(HEADROOMS)
        loads = [data.draw(arrays_of(dtype, [b.limit for b in table.bounds(name)], 6)) for name in DIMENSIONS]
        codes = classify(*loads, tiers=table, headroom=headroom)
        kept = 1 - Fraction(str(headroom))
        for row, code in enumerate(codes):
            expected = 0
            for name, load in zip(DIMENSIONS, loads):
                exact = exactly(load[row])
                for position, tier in enumerate(table.tiers[:-1]):
                    bound = getattr(tier, name)
                    limit = Fraction(bound.limit) * kept
                    if exact > limit or (exact == limit and not bound.inclusive):
                        expected = max(expected, position + 1)
            assert code == expected

    def test_most_tiers(self):
        rows = range(1, 255)
        tiers = [
            Tier(name=f"t{n}", **{d: Bound(limit=n, inclusive=True) for d in DIMENSIONS}, kubernetes_nodes=n)
            for n in rows
        ]
        table = TierTable(name="most", tiers=(*tiers, Tier(name="open", kubernetes_nodes=255)))
        loads = np.arange(300)
        assert classify(loads, 0, None, tiers=table).tolist() == [min(max(n - 1, 0), 254) for n in range(300)]


@st.composite
def tables(draw) -> TierTable:
    """Draw a tier table with bounds of any size that it accepts."""
    count = draw(st.integers(1, 5))
    limits = {
        name: draw(
            st.lists(
                st.integers(1, 10**20)
                | st.floats(5e-324, 1e299)
                | st.sampled_from([0.5, 127, 128, 255, 65_504, 2**63]),
                min_size=count,
                max_size=count,
                unique=True,
            ).map(sorted)
        )
        for name in DIMENSIONS
    }
    tiers = [
        Tier(
            name=f"tier-{row}",
            kubernetes_nodes=row + 1,
            **{name: Bound(limit=limits[name][row], inclusive=draw(st.booleans())) for name in DIMENSIONS},
        )
        for row in range(count)
    ]
    return TierTable(name="drawn", tiers=(*tiers, Tier(name="open", kubernetes_nodes=count + 1)))


class TestLayouts:
    """How the numbers lie in memory changes nothing."""

    LOADS = np.array([0, 99, 100, 101, 499, 500, 501, 1499, 1500, 1501, 9, 7], float)
    CODES = (0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 0, 0)

    @pytest.mark.parametrize(
        "view",
        [
            pytest.param(lambda a: np.repeat(a, 3)[::3], id="strided"),
            pytest.param(lambda a: a[::-1].copy()[::-1], id="reversed"),
            pytest.param(lambda a: np.asfortranarray(np.stack([a, a], 1))[:, 0], id="fortran"),
            pytest.param(lambda a: np.frombuffer(b"x" + a.tobytes(), "u1")[1:].view(float), id="unaligned"),
            pytest.param(lambda a: np.frombuffer(a.tobytes()), id="read-only"),
            pytest.param(lambda a: a.tolist(), id="list"),
            pytest.param(lambda a: tuple(a), id="tuple"),
            pytest.param(lambda a: np.ma.array(a), id="masked array with nothing masked"),
            pytest.param(lambda a: np.rec.fromarrays([a, a], names="x,y").x, id="record"),
        ],
    )
    def test_one_axis(self, view):
        assert tuple(classify(view(self.LOADS), 0, None)) == self.CODES

    def test_memory_mapped(self, tmp_path):
        self.LOADS.tofile(tmp_path / "loads")
        loads = np.memmap(tmp_path / "loads", float, "r")
        assert tuple(classify(loads, None, loads)) == self.CODES

    @given(st.data(), ANY_DTYPE)
    def test_more_axes_broadcast(self, data, dtype):
        shape = data.draw(st.sampled_from([(3, 4), (2, 3, 4), (1, 4), (4, 1), (0, 4), (1, 1)]))
        full = data.draw(arrays_of(dtype, EDGES["clients"], math.prod(shape))).reshape(shape)
        full = data.draw(st.sampled_from([full, np.asfortranarray(full), full[::-1], full[..., ::-1]]))
        row = np.array([150, 250, 999, 10_000])
        column = np.arange(3).reshape(3, 1) * 300.0 * MB
        for loads in [
            (full, row, None),
            (full, None, 5),
            (None, row, column),
            (full, full.T if shape[-1] == 1 else row, 0),
        ]:
            codes = classify(*loads)
            arrays = np.broadcast_arrays(*(np.nan if load is None else load for load in loads))
            assert codes.shape == arrays[0].shape
            for place in np.ndindex(codes.shape):
                assert codes[place] == twin(
                    "guide", *(None if load is None else a[place] for load, a in zip(loads, arrays))
                )

    def test_no_axis(self):
        for loads in [(300, 800, 4e8), (np.array(300), 800, None), (np.float16(300), np.array(800), np.int64(4e8))]:
            code = classify(*loads)
            assert (type(code), code) == (np.uint8, 1)

    def test_empty(self):
        assert classify([], 5, None).shape == (0,)
        assert classify(np.empty((3, 0)), np.nan, None).shape == (3, 0)

    @given(st.data(), ANY_DTYPE)
    def test_integers_equal_floats(self, data, dtype):
        loads = data.draw(arrays_of(dtype, EDGES["clients"], 8))
        same = [
            wide
            for wide in DTYPES
            if all(exactly(wide.type(x)) == exactly(x) for x in loads if _holds(wide, x))
            and all(_holds(wide, x) for x in loads)
        ]
        codes = classify(loads, None, None).tolist()
        for wide in same:
            assert classify(loads.astype(wide), None, None).tolist() == codes


def _holds(dtype: np.dtype, value) -> bool:
    top = np.iinfo(dtype).max if dtype.kind in "iu" else np.finfo(dtype).max
    return exactly(value) <= (int(top) if dtype.kind in "iu" else exactly(top)) and (
        dtype.kind == "f" or exactly(value).denominator == 1
    )


class TestOut:
    """`out` takes the codes and is what comes back; it may be strided, and may lie in a load's own memory."""

    @given(st.lists(st.integers(0, 255), min_size=1, max_size=9), st.sampled_from([1, 2, -1, -3]))
    def test_strided(self, loads, step):
        whole = np.full(len(loads) * abs(step), 77, np.uint8)
        out = whole[::step]
        assert classify(loads, None, None, out=out) is out
        assert out.tolist() == [twin("guide", load, None, None) for load in loads]
        assert (whole == 77).sum() >= len(whole) - len(loads)

    def test_more_axes(self):
        loads = np.arange(0, 2400, 100).reshape(2, 3, 4)
        for out in (
            np.empty((2, 3, 4), np.uint8, "F"),
            np.empty((4, 3, 2), np.uint8).T,
            np.empty((2, 6, 4), np.uint8)[:, ::2],
        ):
            assert classify(loads, 0, 0, out=out) is out
            assert out.tolist() == classify(loads, 0, 0).tolist()

    def test_no_axis(self):
        out = np.array(9, np.uint8)
        assert classify(300, None, None, out=out) is out
        assert out == MEDIUM

    @pytest.mark.parametrize("threads", [1, 2])
    def test_in_the_memory_of_a_load(self, threads):
        loads = np.resize(np.arange(256, dtype=np.uint8), 600_000)
        expected = classify(loads.copy(), None, None)
        assert (classify(loads, None, None, out=loads, threads=threads) == expected).all()
        wide = np.resize(np.arange(2000.0), 600_000)
        expected = classify(wide.copy(), None, None)
        out = wide.view(np.uint8)[800_000:1_400_000]
        assert (classify(wide, None, None, out=out, threads=threads) == expected).all()


class TestOrder:
    """More load never gives a smaller tier, nor does more headroom."""

    @given(st.data(), ANY_DTYPE, TABLES, HEADROOMS)
    def test_more_load(self, data, dtype, table, headroom):
        for position, name in enumerate(DIMENSIONS):
            loads = [5, None, None]
            loads[position] = np.sort(data.draw(arrays_of(dtype, EDGES[name], 8)))
            assert (np.diff(classify(*loads, tiers=table, headroom=headroom).astype(int)) >= 0).all()

    @given(st.data(), ANY_DTYPE, TABLES, HEADROOMS, HEADROOMS)
    def test_more_headroom(self, data, dtype, table, one, other):
        loads = [data.draw(arrays_of(dtype, EDGES[name], 4)) for name in DIMENSIONS]
        less, more = (classify(*loads, tiers=table, headroom=h) for h in sorted([one, other]))
        assert (less <= more).all()

    @given(st.data(), TABLES)
    def test_an_unknown_dimension_never_raises_the_tier(self, data, table):
        loads = [data.draw(valid_loads(np.dtype(float), EDGES[name])) for name in DIMENSIONS]
        for position in range(3):
            fewer = [None if index == position else load for index, load in enumerate(loads)]
            assert classify(*fewer, tiers=table) <= classify(*loads, tiers=table)

    def test_negative_zero_is_zero(self):
        for kind in (np.float16, np.float32, np.float64, np.longdouble):
            assert classify(np.full(5, kind(-0.0)), kind(-0.0), kind(-0.0)).tolist() == [0] * 5
