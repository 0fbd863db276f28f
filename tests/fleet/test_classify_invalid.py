"""`classify` rejects loads that cannot be sized, types that are not numbers, and invalid arguments."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import DIMENSIONS, DTYPES, twin

from etcdsize import INVALID, EtcdSizeError, InvalidWorkloadError, OptionError, WorkloadTypeError, classify
from etcdsize.fleet import kernel

SIGNED = [dtype for dtype in DTYPES if dtype.kind in "if"]
MARK = '; on_invalid="mark" sizes the rest'


def invalid_load_error(*loads, **options) -> InvalidWorkloadError:
    with pytest.raises(InvalidWorkloadError) as caught:
        classify(*loads, **options)
    return caught.value


class TestRaise:
    """Invalid is NaN, infinite or negative. The error names the first row, its dimension and value, and how many."""

    @pytest.mark.parametrize("dtype", SIGNED, ids=str)
    def test_in_every_dtype(self, dtype):
        bad = [-1, np.iinfo(dtype).min] if dtype.kind == "i" else [-1, -5e-8, math.nan, -math.nan, math.inf, -math.inf]
        for order in "<>":
            for value in bad:
                loads = np.array([1, 2, value, 3, value], dtype.newbyteorder(order))
                error = invalid_load_error(loads, 1, 1)
                assert (error.dimension, error.index, error.count) == ("clients", 2, 2)
                assert error.value == loads[2].item() or math.isnan(loads[2])
                assert classify(loads, 1, 1, on_invalid="mark").tolist() == [0, 0, INVALID, 0, INVALID]

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1, -1e-320])
    def test_scalar(self, value):
        error = invalid_load_error(1, value, 1)
        assert str(error) == f"requests_per_second: got {value}, expected a finite number of 0 or more{MARK}"
        assert (error.dimension, error.index, error.count) == ("requests_per_second", None, 1)
        code = classify(1, value, 1, on_invalid="mark")
        assert (type(code), code) == (np.uint8, INVALID)

    def test_message_names_place_value_and_accepted(self):
        assert str(invalid_load_error([1, 2], [1, 2], [5, -3])) == (
            f"data_bytes[1]: got -3, expected a finite number of 0 or more{MARK}"
        )
        assert str(invalid_load_error([[1.0, 2], [np.nan, -1]], 1, 1)) == (
            f"clients[1, 0]: got nan, expected a finite number of 0 or more (2 loads cannot be sized){MARK}"
        )

    def test_first_row_then_first_dimension(self):
        error = invalid_load_error([1, 2, -1, 4], [1, -5.0, np.nan, 4], [1, np.inf, -7, 9])
        assert (error.dimension, error.index, error.value, error.count) == ("requests_per_second", 1, -5.0, 2)

    def test_one_row_counts_once(self):
        assert invalid_load_error([np.nan], [np.nan], [-1]).count == 1
        assert invalid_load_error([np.nan, 1], [np.nan, -1], [-1, -1]).count == 2

    def test_several_axes(self):
        loads = np.ones((3, 4, 5))
        loads[1, 2, 3] = loads[2, 0, 0] = np.nan
        for view, index in [(loads, (1, 2, 3)), (np.asfortranarray(loads), (1, 2, 3)), (loads.T, (0, 0, 2))]:
            error = invalid_load_error(view, 1, np.ones(view.shape[-1]))
            assert (error.index, error.count) == (index, 2)
            assert type(error.index[0]) is int

    def test_a_broadcast_scalar_spoils_every_row(self):
        error = invalid_load_error(np.ones((2, 3)), np.nan, 1)
        assert (error.dimension, error.index, error.count) == ("requests_per_second", (0, 0), 6)
        assert classify(np.ones((2, 3)), np.nan, 1, on_invalid="mark").tolist() == [[INVALID] * 3] * 2

    def test_a_broadcast_row(self):
        error = invalid_load_error(np.ones((2, 1)), [1, np.nan, 1], None)
        assert (error.dimension, error.index, error.count) == ("requests_per_second", (0, 1), 2)

    @pytest.mark.parametrize("threads", [1, 2, 5])
    def test_threads(self, threads):
        rows = 1_300_000
        clients, requests = np.ones(rows), np.ones(rows, "i4")
        clients[[700_000, 900_000, rows - 1]] = np.nan, -1, np.inf
        requests[[650_001, 900_000]] = -1
        error = invalid_load_error(clients, requests, None, threads=threads)
        assert (error.dimension, error.index, error.value, error.count) == ("requests_per_second", 650_001, -1, 4)
        codes = classify(clients, requests, None, threads=threads, on_invalid="mark")
        assert np.flatnonzero(codes).tolist() == [650_001, 700_000, 900_000, rows - 1]
        assert set(codes[codes != 0].tolist()) == {INVALID}

    def test_the_first_load_of_all_threads(self, monkeypatch):
        """Each thread takes one block and finds its first load invalid; whichever took the first block, it counts."""
        work = kernel._work

        def take_one_block(columns, rows, out, least, starts, block, skip):
            return work(columns, rows, out, least, iter([next(starts)]), block, skip)

        monkeypatch.setattr(kernel, "_work", take_one_block)
        assert invalid_load_error(np.full(1_000_000, -1.0), None, None, threads=2).index == 0

    @pytest.mark.parametrize("threads", [1, 2])
    def test_the_value_is_shown_though_out_lies_upon_it(self, threads):
        loads = np.array([1.0, -1.0])
        assert invalid_load_error(loads, 1, 1, out=loads.view(np.uint8)[14:], threads=threads).value == -1.0
        one = np.array([-2.0])
        assert invalid_load_error(one, [1, 2, 3], 1, out=one.view(np.uint8)[5:], threads=threads).value == -2.0


class TestMark:
    """`mark` writes 255 for what cannot be sized, and sizes the rest as if it were alone."""

    @given(
        st.lists(
            st.tuples(*[st.floats(allow_subnormal=True) | st.sampled_from([100, 200, 1e8, math.nan, -0.0])] * 3),
            min_size=1,
        ),
        st.sampled_from(["guide", "etcd.io"]),
    )
    def test_rest_is_sized(self, rows, table):
        columns = np.array(rows).T
        codes = classify(*columns, tiers=table, on_invalid="mark")
        ok = [all(math.isfinite(load) and load >= 0 for load in row) for row in rows]
        assert codes.tolist() == [twin(table, *row) if fine else INVALID for row, fine in zip(rows, ok)]
        if not all(ok):
            error = invalid_load_error(*columns, tiers=table)
            assert (error.index, error.count) == (ok.index(False), ok.count(False))
            bad = [math.isfinite(load) and load >= 0 for load in rows[error.index]]
            assert error.dimension == DIMENSIONS[bad.index(False)]

    def test_into_out(self):
        whole = np.zeros(8, np.uint8)
        classify([1, -1, 600, np.nan], 1, 1, on_invalid="mark", out=whole[::2])
        assert whole.tolist() == [0, 0, INVALID, 0, 2, 0, INVALID, 0]


class TestTypes:
    """A type that is not accepted raises an EtcdSizeError that is also a TypeError and lists the accepted types."""

    ACCEPTED = "expected an array of an integer or float dtype, or None for an unknown dimension"

    @pytest.mark.parametrize(
        "load",
        [
            True,
            [True, False],
            np.array([True]),
            1j,
            [1 + 0j],
            "5",
            ["5", "6"],
            b"5",
            [1, "2"],
            np.array([b"5"]),
            [1, None],
            2**64,
            [1, 2**64],
            -(2**63) - 1,
            Decimal(5),
            Fraction(1, 2),
            [Decimal(5)],
            pytest.param(object(), id="object()"),
            {},
            pytest.param({1, 2}, id="{1, 2}"),
            datetime.date(2026, 1, 1),
            np.datetime64("2026-01-01"),
            np.array(["2026-01-01"], "M8[s]"),
            np.timedelta64(5, "s"),
            np.array([(1, 2.0)], "i4,f8"),
            [[1], [1, 2]],
            np.ma.array([1, 2], mask=[False, True]),
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("dimension", range(3))
    def test_an_unsupported_type_raises(self, load, dimension):
        loads: list = [1, 1, 1]
        loads[dimension] = load
        for on_invalid in ("raise", "mark"):
            with pytest.raises(WorkloadTypeError) as caught:
                classify(*loads, on_invalid=on_invalid)
            error = caught.value
            assert isinstance(error, EtcdSizeError)
            assert isinstance(error, TypeError)
            assert error.dimension == DIMENSIONS[dimension]
            assert str(error).startswith(f"{DIMENSIONS[dimension]}: got ")
            assert self.ACCEPTED in str(error)
            assert "\n" not in str(error)

    def test_message_names_dtype_and_accepted(self):
        with pytest.raises(WorkloadTypeError) as caught:
            classify([1, None], 1, 1)
        assert str(caught.value) == (
            f"clients: got dtype object, {self.ACCEPTED}; "
            "a list with None, text or integers above 2^64 - 1 is of dtype object"
        )
        with pytest.raises(WorkloadTypeError) as caught:
            classify(1, np.array([True]), 1)
        assert str(caught.value) == f"requests_per_second: got dtype bool, {self.ACCEPTED}"
        with pytest.raises(WorkloadTypeError) as caught:
            classify(1, 1, np.ma.masked_invalid([1.0, np.nan]))
        assert str(caught.value) == (
            f"data_bytes: got a masked array with masked values, {self.ACCEPTED}; fill the masked values, with NaN and "
            'on_invalid="mark" for loads that are missing'
        )

    def test_all_unknown(self):
        with pytest.raises(InvalidWorkloadError) as caught:
            classify(None, None, None)
        assert str(caught.value) == (
            "nothing known of the workload, expected at least one of clients, requests_per_second, data_bytes"
        )

    def test_shapes(self):
        with pytest.raises(InvalidWorkloadError) as caught:
            classify([1, 2, 3], None, np.ones((2, 2)))
        assert str(caught.value) == (
            "got shapes that do not broadcast: clients (3,), data_bytes (2, 2); expected the same shape, or scalars"
        )


class TestOptions:
    """An invalid argument raises an OptionError that names it and says what is accepted."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"out": np.zeros(3, np.int8)},
                "out: got int8 of shape (3,), expected a writeable uint8 array of shape (3,)",
            ),
            (
                {"out": np.zeros(2, np.uint8)},
                "out: got uint8 of shape (2,), expected a writeable uint8 array of shape (3,)",
            ),
            (
                {"out": np.frombuffer(b"abc", np.uint8)},
                "out: got uint8 of shape (3,), read-only, expected a writeable uint8 array of shape (3,)",
            ),
            ({"out": [0, 0, 0]}, "out: got list, expected a writeable uint8 array of shape (3,)"),
            ({"threads": 0}, "threads: got 0, expected an integer of 1 or more"),
            ({"threads": -2}, "threads: got -2, expected an integer of 1 or more"),
            ({"threads": True}, "threads: got True, expected an integer of 1 or more"),
            ({"threads": 2.0}, "threads: got 2.0, expected an integer of 1 or more"),
            ({"threads": "2"}, 'threads: got "2", expected an integer of 1 or more'),
            ({"headroom": 1}, "headroom: got 1, expected a number from 0 to below 1; for 1 percent use 0.01"),
            ({"headroom": 30}, "headroom: got 30, expected a number from 0 to below 1; for 30 percent use 0.3"),
            ({"headroom": -0.1}, "headroom: got -0.1, expected a number from 0 to below 1"),
            ({"headroom": math.nan}, "headroom: got nan, expected a number from 0 to below 1"),
            ({"headroom": None}, "headroom: got None, expected a number from 0 to below 1"),
            ({"on_invalid": "Mark"}, 'on_invalid: got "Mark", expected raise or mark; did you mean "mark"?'),
            ({"on_invalid": None}, "on_invalid: got None, expected raise or mark"),
            (
                {"tiers": "giude"},
                'tiers: got "giude", expected guide, etcd.io or the path of a JSON file; did you mean "guide"?',
            ),
            ({"tiers": 5}, "tiers: got 5, expected guide, etcd.io or the path of a JSON file"),
        ],
        ids=repr,
    )
    def test_an_invalid_option_raises(self, options, message):
        with pytest.raises(OptionError) as caught:
            classify([1, 2, 3], 1, 1, **options)
        assert str(caught.value) == message
        assert [caught.value.option] == list(options)

    def test_an_unfit_out_is_left_alone(self):
        out = np.full(2, 7, np.uint8)
        with pytest.raises(OptionError):
            classify([1, 2, 3], 1, 1, out=out)
        assert out.tolist() == [7, 7]
