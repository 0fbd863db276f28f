"""A workload accepts and rejects the same numbers as the arrays do."""

from __future__ import annotations

import datetime
import enum
import json
import math
from decimal import Decimal
from fractions import Fraction

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import DIMENSIONS, DTYPES

from etcdsize import EtcdSizeError, InvalidWorkloadError, Workload, WorkloadTypeError, classify

NUMBER = "expected a number of 0 or more"


class Three(enum.IntEnum):
    THREE = 3


SCALARS = (
    st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from([True, False, None, 1j, "5", "", b"5", Decimal(5), Fraction(1), Three.THREE, object(), {}, -0.0])
    | st.sampled_from([0, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1])
    | st.sampled_from([dtype for dtype in DTYPES if dtype.kind == "f"]).flatmap(
        lambda dtype: st.sampled_from(
            [dtype.type(x) for x in (0, -0.0, 1.5, -1, "nan", "inf", "-inf")]
            + [np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal]
        )
    )
    | st.sampled_from([dtype for dtype in DTYPES if dtype.kind in "iu"]).flatmap(
        lambda dtype: st.sampled_from([np.iinfo(dtype).min, np.iinfo(dtype).max]).map(dtype.type)
    )
    | st.sampled_from(
        [
            np.bool_(True),
            np.complex64(1),
            np.str_("5"),
            np.bytes_(b"5"),
            np.datetime64("2026-01-01"),
            np.timedelta64(1, "s"),
            datetime.timedelta(1),
            np.array(5),
            np.array(5.0),
            np.array(True),
        ]
    )
)


def outcome(call) -> str:
    """Return whether a call succeeds, or the kind of error that it raises."""
    try:
        call()
    except WorkloadTypeError:
        return "type"
    except InvalidWorkloadError:
        return "invalid"
    return "accepted"


class TestEqualsArrays:
    """Models and arrays accept the same values, except text for data and rates, and the digits of a long double."""

    @given(SCALARS)
    @example(2**64)
    def test_clients(self, value):
        expected = outcome(lambda: classify(value, 1, 1))
        found = outcome(lambda: Workload(clients=value, data_bytes=1))
        if isinstance(value, np.longdouble) and expected == "accepted" and float(value) != value:
            expected = "invalid"
        if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
            # To NumPy such an integer is an object.
            assert (expected, found) == ("type", "invalid")
        else:
            assert found == expected

    @given(SCALARS.filter(lambda value: not isinstance(value, str)), st.sampled_from(DIMENSIONS))
    def test_every_dimension_alike(self, value, dimension):
        if value is not None:
            assert outcome(lambda: Workload(**{dimension: value})) == outcome(lambda: Workload(clients=value))

    @pytest.mark.parametrize("dtype", DTYPES, ids=str)
    def test_numpy_scalars_become_python_numbers(self, dtype):
        workload = Workload(clients=dtype.type(5), requests_per_second=np.array(7, dtype))
        assert workload.loads == (5, 7, None)
        kind = float if dtype.kind == "f" else int
        assert [type(load) for load in workload.loads[:2]] == [kind, kind]

    def test_negative_zero_is_zero(self):
        assert str(Workload(clients=-0.0).clients) == "0.0"
        assert str(Workload(clients=np.float16(-0.0)).clients) == "0.0"

    def test_a_long_double_that_no_float_holds(self):
        one = np.longdouble(1) + np.finfo(np.longdouble).eps
        if float(one) == one:
            pytest.skip("long double is float64 here")
        with pytest.raises(
            InvalidWorkloadError, match=r"^clients: got .*, which has more digits than a float64 can hold"
        ):
            Workload(clients=one)


class TestText:
    """Sizes and rates may also be text; clients may not."""

    def test_sizes_and_rates_are_parsed(self):
        assert Workload(requests_per_second="2.5k", data_bytes="8 GiB").loads == (None, 2_500, 8 * 2**30)
        assert Workload(requests_per_second=np.str_("2k")).loads == (None, 2_000, None)

    @pytest.mark.parametrize(
        ("field", "text", "message"),
        [
            (
                "data_bytes",
                "1,000MB",
                'data_bytes: got "1,000MB", expected bytes or a size such as "8GB" or "8GiB"; did you mean "1000MB"?',
            ),
            (
                "requests_per_second",
                "800 rps",
                'requests_per_second: got "800 rps", expected requests per second such as "800", "2.5k" or "800/s"; '
                'did you mean "800"?',
            ),
            (
                "data_bytes",
                "30000000TB",
                "data_bytes: got 30000000000000000000, expected at most 2^64 - 1 for an integer",
            ),
        ],
    )
    def test_unreadable_text_is_rejected(self, field, text, message):
        with pytest.raises(InvalidWorkloadError) as caught:
            Workload(**{field: text})
        assert str(caught.value) == message
        assert caught.value.dimension == field

    def test_clients_must_not_be_text(self):
        with pytest.raises(WorkloadTypeError) as caught:
            Workload(clients="300")
        assert str(caught.value) == f'clients: got "300", {NUMBER}, not text'


class TestInvalid:
    """The message names the dimension, the value and what is accepted; the same values are attributes."""

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (-1, f"clients: got -1, {NUMBER}"),
            (math.nan, f"clients: got nan, {NUMBER}"),
            (math.inf, f"clients: got inf, {NUMBER}"),
            (-math.inf, f"clients: got -inf, {NUMBER}"),
            (2**64, "clients: got 18446744073709551616, expected at most 2^64 - 1 for an integer"),
        ],
    )
    def test_numbers_out_of_range_are_rejected(self, value, message):
        with pytest.raises(InvalidWorkloadError) as caught:
            Workload(clients=value)
        assert str(caught.value) == message
        assert caught.value.dimension == "clients"
        assert caught.value.value is value

    def test_an_integer_too_long_to_print(self):
        with pytest.raises(InvalidWorkloadError) as caught:
            Workload(clients=10**5_000)
        assert str(caught.value) == (
            "clients: got a number too long to print, of type int, expected at most 2^64 - 1 for an integer"
        )

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (True, f"data_bytes: got True of type bool, {NUMBER} or a size such as \"8GB\""),
            ([5], f"data_bytes: got [5] of type list, {NUMBER} or a size such as \"8GB\""),
            (np.bool_(1), f"data_bytes: got np.True_ of type bool, {NUMBER} or a size such as \"8GB\""),
        ],
    )  # fmt: skip
    def test_other_types_are_rejected(self, value, message):
        with pytest.raises(WorkloadTypeError) as caught:
            Workload(data_bytes=value)
        assert str(caught.value) == message
        assert isinstance(caught.value, TypeError)
        assert isinstance(caught.value, EtcdSizeError)

    def test_at_least_one_dimension_must_be_known(self):
        for fields in ({}, dict.fromkeys(DIMENSIONS)):
            with pytest.raises(InvalidWorkloadError) as caught:
                Workload(**fields)
            assert str(caught.value) == (
                "nothing known of the workload, expected at least one of clients, requests_per_second, data_bytes"
            )

    @pytest.mark.parametrize(
        ("field", "hint"),
        [
            ("clint", '; did you mean "clients"?'),
            ("request_per_second", '; did you mean "requests_per_second"?'),
            ("data_byte", '; did you mean "data_bytes"?'),
            ("zzz", ""),
        ],
    )
    def test_an_unknown_field_is_rejected_with_the_nearest(self, field, hint):
        with pytest.raises(InvalidWorkloadError) as caught:
            Workload(**{"clients": 1, field: 5})
        assert str(caught.value) == (
            f"Workload: {field}: unknown field; expected clients, requests_per_second, data_bytes, "
            f"clients_bound, requests_bound, data_bound{hint}"
        )

    def test_a_workload_cannot_be_changed(self):
        with pytest.raises(ValueError, match="frozen"):
            Workload(clients=1).clients = 2


class TestJson:
    """A workload converts to JSON and back with the same types of number, and its JSON matches the schema."""

    LOADS = st.none() | st.integers(0, 2**64 - 1) | st.floats(0, allow_infinity=False)

    @given(LOADS, LOADS, LOADS)
    def test_round_trip(self, clients, requests, data):
        if clients is requests is data is None:
            return
        workload = Workload(clients=clients, requests_per_second=requests, data_bytes=data)
        text = workload.model_dump_json()
        back = Workload.model_validate_json(text)
        assert back == workload
        assert hash(back) == hash(workload)
        assert [type(load) for load in back.loads] == [type(load) for load in workload.loads]
        jsonschema.validate(json.loads(text), Workload.model_json_schema())

    @pytest.mark.parametrize("broken", [{"clients": -1}, {"clients": "5"}, {"clients": True}, {"client": 1}])
    def test_the_schema_rejects_an_invalid_workload(self, broken):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, Workload.model_json_schema())
