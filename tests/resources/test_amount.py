"""An amount is a number, or a range in the grammar of the units."""

from __future__ import annotations

import json
import math

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import result

from etcdsize.errors import EtcdSizeError, InvalidWorkloadError, OptionError, UnitError, WorkloadTypeError
from etcdsize.resources.amount import Amount

NUMBERS = st.floats(0, 1e300, exclude_max=True)
UNITS = ("count", "rate", "bytes", "duration")
ACCEPTED = {
    "count": 'a count such as "300", "2.5k" or "5.7M", or a range such as "200..900"',
    "rate": 'requests per second such as "800", "2.5k" or "800/s", or a range such as "2k..5k"',
    "bytes": 'bytes or a size such as "8GB" or "8GiB", or a range such as "1kB..3kB"',
    "duration": 'seconds or a duration such as "10s", "500ms", "5m" or "1h", or a range such as "1h..2h"',
}


def amount(low: float, likely: float, high: float) -> Amount:
    return Amount(low=low, likely=likely, high=high)


class TestText:
    """`low..high` or `low..likely..high`, with the units of the field; the middle of two numbers is likely."""

    @pytest.mark.parametrize(
        ("text", "unit", "expected"),
        [
            ("200", "count", (200, 200, 200)),
            ("200..900", "count", (200, 550, 900)),
            ("200..400..900", "count", (200, 400, 900)),
            ("1k..5.7M", "count", (1_000, 2_850_500, 5_700_000)),
            ("1kB..3kB", "bytes", (1_000, 2_000, 3_000)),
            ("1 KiB..3 kB", "bytes", (1_024, 2_012, 3_000)),
            ("0..3kB", "bytes", (0, 1_500, 3_000)),
            ("2k..5k", "rate", (2_000, 3_500, 5_000)),
            ("500/s..2k/s", "rate", (500, 1_250, 2_000)),
            ("1h..2h", "duration", (3_600, 5_400, 7_200)),
            ("5m..450s..10m", "duration", (300, 450, 600)),
            ("1e3..2e3", "count", (1_000, 1_500, 2_000)),
            ("0.5...6", "count", None),
            (".5..1.5", "count", (0.5, 1, 1.5)),
            ("7..7", "count", (7, 7, 7)),
        ],
    )
    def test_ranges(self, text, unit, expected):
        if expected is None:
            with pytest.raises(UnitError):
                Amount.of(text, unit)
        else:
            assert Amount.of(text, unit) == amount(*expected)
            assert Amount.of(np.str_(text), unit) == amount(*expected)

    @pytest.mark.parametrize(
        ("text", "unit", "suggestion"),
        [
            ("1,000MB", "bytes", "1000MB"),
            ("1,000MB..2,000MB", "bytes", "1000MB..2000MB"),
            # One byte or one kilobyte?
            ("1..3kB", "bytes", "1kB..3kB"),
            ("0..1..3kB", "bytes", "0..1kB..3kB"),
            ("1kB..3", "bytes", None),
            ("900..200", "count", "200..900"),
            ("3kB..1kB", "bytes", "1kB..3kB"),
            ("200-900", "count", "200..900"),
            ("200–900", "count", "200..900"),
            ("200…900", "count", "200..900"),
            ("200 .. 900", "count", "200..900"),
            ("200 to 900", "count", "200..900"),
            # From 1. to 3, or from 1 to .3?
            ("1...3", "count", "1..3"),
            ("1..2..3..4", "count", None),
            ("200..", "count", None),
            ("..900", "count", None),
            ("..", "count", None),
            ("", "count", None),
            ("-5", "count", None),
            ("1e-5-2", "count", "1e-5..2"),
            ("1..2k", "count", "1k..2k"),
            ("5 m", "count", "5M"),
            ("5kB", "count", "5k"),
            ("5min..10min", "duration", "5m..10m"),
            ("nan", "count", None),
            ("9" * 10**6, "count", None),
            ("5.." + "9" * 330, "count", None),
            (".." * 10**6, "count", None),
            (" " * 10**6, "count", None),
        ],
        ids=lambda value: str(value)[:16],
    )
    def test_other_text_is_rejected_with_a_suggestion(self, text, unit, suggestion):
        with pytest.raises(UnitError) as caught:
            Amount.of(text, unit)
        shown = text if len(text) <= 60 else text[:57] + "..."
        hint = f'; did you mean "{suggestion}"?' if suggestion else ""
        assert str(caught.value) == f'got "{shown}", expected {ACCEPTED[unit]}{hint}'
        assert (caught.value.text, caught.value.suggestion) == (text, suggestion)
        assert suggestion is None or Amount.of(suggestion, unit)

    @pytest.mark.parametrize("unit", UNITS)
    @given(st.text() | st.text("0123456789.,-_ekMGBishm/ ", max_size=16))
    def test_any_text(self, unit, text):
        found = result(Amount.of, text, unit)
        if isinstance(found, UnitError):
            assert found.suggestion is None or Amount.of(found.suggestion, unit)
        elif isinstance(found, EtcdSizeError):
            assert "below 1e300" in str(found)
        else:
            assert 0 <= found.low <= found.likely <= found.high < math.inf


class TestOtherForms:
    """A number, two or three numbers or texts, a mapping of the three values, an amount."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (5, (5, 5, 5)),
            (2.5, (2.5, 2.5, 2.5)),
            (-0.0, (0, 0, 0)),
            (np.float32(2.5), (2.5, 2.5, 2.5)),
            (np.int64(5), (5, 5, 5)),
            (10**299, (1e299, 1e299, 1e299)),
            ((1, 3), (1, 2, 3)),
            ([1, 2.5, 9], (1, 2.5, 9)),
            (("1kB", "3kB"), (1_000, 2_000, 3_000)),
            ({"low": 1, "likely": 2, "high": 9}, (1, 2, 9)),
            (amount(1, 2, 9), (1, 2, 9)),
        ],
    )
    def test_accepted(self, value, expected):
        found = Amount.of(value, "bytes")
        assert found == amount(*expected)
        assert [type(number) for number in (found.low, found.likely, found.high)] == [float] * 3
        assert str(found.low) != "-0.0"

    @pytest.mark.parametrize(
        ("value", "error", "message"),
        [
            (-1, InvalidWorkloadError, "got -1, expected a number of 0 or more"),
            (math.nan, InvalidWorkloadError, "got nan, expected a number of 0 or more"),
            (math.inf, InvalidWorkloadError, "got inf, expected a number of 0 or more, and below 1e300"),
            (True, WorkloadTypeError, "got True of type bool, expected a number of 0 or more"),
            (None, WorkloadTypeError, "got None of type NoneType, expected a number of 0 or more"),
            ([1], InvalidWorkloadError, "got [1], expected low and high, or low, likely and high"),
            ([3, 1], InvalidWorkloadError, "got [3, 1], expected ascending numbers"),
            ([1, "2..3"], UnitError, None),
            ([1, [2]], WorkloadTypeError, "got [2] of type list, expected a number of 0 or more"),
            ({"low": 1}, InvalidWorkloadError, 'got the fields "low", expected low, likely and high'),
            ({"low": 2, "likely": 1, "high": 3}, InvalidWorkloadError, "got [2, 1, 3], expected ascending numbers"),
        ],
    )
    def test_rejected(self, value, error, message):
        with pytest.raises(error) as caught:
            Amount.of(value)
        assert message is None or str(caught.value) == message

    def test_an_unknown_unit(self):
        with pytest.raises(OptionError, match=r'^unit: got "byte", expected .*; did you mean "bytes"\?$'):
            Amount.of("5", "byte")

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ((3, 2, 1), "got 3, 2, 1, expected low <= likely <= high"),
            ((-1, 2, 3), "Amount: low: got -1, expected a finite number of 0 or more"),
        ],
    )
    def test_the_constructor_checks_too(self, values, message):
        with pytest.raises(InvalidWorkloadError) as caught:
            amount(*values)
        assert str(caught.value) == message


class TestRoundTrip:
    """Text and JSON give the amount back, in every unit."""

    @given(st.lists(NUMBERS, min_size=3, max_size=3).map(sorted), st.sampled_from(UNITS))
    @example([0.0, 0.0, 5e-324], "bytes")
    @example([1.0, 1.5, 2.0], "rate")
    def test_text(self, numbers, unit):
        one = amount(*numbers)
        assert Amount.of(str(one), unit) == one
        middle = Amount.of((numbers[0], numbers[2]))
        assert Amount.of(str(middle), unit) == middle
        assert str(middle).count("..") == (0 if numbers[0] == numbers[2] else 1)
        assert one.is_exact == (numbers[0] == numbers[2])

    @given(st.lists(NUMBERS, min_size=3, max_size=3).map(sorted))
    def test_json(self, numbers):
        one = amount(*numbers)
        text = one.model_dump_json()
        assert Amount.model_validate_json(text) == one
        assert Amount.of(json.loads(text)) == one
        jsonschema.validate(json.loads(text), Amount.model_json_schema())
        assert hash(Amount.model_validate_json(text)) == hash(one)

    @given(st.lists(st.floats() | st.integers(), min_size=1, max_size=4))
    def test_any_numbers_give_an_ordered_amount_or_an_error(self, numbers):
        try:
            found = Amount.of(numbers)
        except EtcdSizeError:
            return
        assert 0 <= found.low <= found.likely <= found.high < 1e300
