"""Sizes, rates, counts, fractions and durations as text: what is parsed, exactly, and what is rejected."""

from __future__ import annotations

import math
import sys
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etcdsize import OptionError, UnitError, format_bytes, parse_bytes, parse_duration, parse_fraction, parse_rate
from etcdsize.units import (
    BYTE_UNITS,
    DIMENSIONS,
    accepted_cell,
    cell_suggestion,
    cell_value,
    format_number,
    format_percent,
    parse_count,
    parse_many,
    parse_option,
    parse_whole,
)

PARSERS = (parse_bytes, parse_rate, parse_count, parse_many, parse_fraction, parse_duration)
BYTES = 'bytes or a size such as "8GB" or "8GiB"'
RATE = 'requests per second such as "800", "2.5k" or "800/s"'
COUNT = 'a count such as "300"'
FRACTION = 'a fraction from 0 to below 1 such as "0.3" or "30%"'
DURATION = 'seconds or a duration such as "10s", "500ms", "5m" or "1h"'


UNITS = {
    "": 1, "B": 1,
    "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip


class TestBytes:
    """A plain decimal number, at most one space, at most one unit; MB is 10^6, MiB and Mi are 2^20."""

    def test_units_and_their_bytes(self):
        assert {"": 1} | BYTE_UNITS == UNITS

    @pytest.mark.parametrize("unit", UNITS)
    def test_every_unit(self, unit):
        for space in ("", " ") if unit else ("",):
            for number, value in [("0", 0), ("1", 1), ("007", 7), ("400", 400), ("18446744073709551615", 2**64 - 1)]:
                read = parse_bytes(f"{number}{space}{unit}")
                assert read == value * UNITS[unit]
                assert type(read) is int

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1.5GB", 1_500_000_000),
            ("0.1MB", 100_000),
            (".5KiB", 512),
            ("5.", 5),
            ("1e3", 1_000),
            ("1E+3 MB", 10**9),
            ("1.5e-1kB", 150),
            ("0.5", 0.5),
            ("1.1B", 1.1),
            ("0.0001KiB", 0.1024),
            ("0.0MB", 0),
            ("0e9", 0),
            ("1e300", 1e300),
            ("5e-324", 5e-324),
        ],
    )
    def test_decimals(self, text, value):
        read = parse_bytes(text)
        assert read == value
        assert type(read) is (int if value < 2**64 and value == int(value) else float)

    @pytest.mark.parametrize(
        ("text", "suggestion"),
        [
            ("1,000MB", "1000MB"),
            ("1_000 MB", "1000MB"),
            ("1 000 000", "1000000"),
            ("1'000GB", "1000GB"),
            ("8m", "8MB"),
            ("8g", "8GB"),
            ("8bit", "1B"),
            ("16 bits", "2B"),
            ("9bit", None),
            ("8 GBs", "8GB"),
            ("8gb", "8GB"),
            ("8 gib", "8GiB"),
            ("5 bytes", "5B"),
            ("+5", "5"),
            ("8  GB", "8GB"),
            (" 8GB", "8GB"),
            ("8GB ", "8GB"),
            ("8GB\n", "8GB"),
            ("8 ", "8"),
            ("-5", None),
            ("-5MB", None),
            ("1e999", None),
            ("1e300TB", None),
            ("9e299 TB", None),
            ("", None),
            ("MB", None),
            ("nan", None),
            ("inf", None),
            ("0x10", None),
            ("1e5e5", None),
            ("８GB", None),
            ("5 parsecs", None),
            ("5 years", None),
        ],
    )
    def test_rejected_with_a_suggestion(self, text, suggestion):
        with pytest.raises(UnitError) as caught:
            parse_bytes(text)
        hint = f'; did you mean "{suggestion}"?' if suggestion else ""
        shown = text.replace("\n", "\\n")
        assert str(caught.value) == f'got "{shown}", expected {BYTES}{hint}'
        assert (caught.value.text, caught.value.accepted, caught.value.suggestion) == (text, BYTES, suggestion)

    @pytest.mark.parametrize(
        ("text", "suggestion"),
        [
            ("1.000.000", "1000000"),
            ("1.000.000 MB", "1000000MB"),
            ("12.345.678.901", "12345678901"),
            ("1.2.3GB", None),
            ("1.000.00", None),
            ("1.000.0000", None),
            ("1..5MB", None),
            ("1.5.MB", None),
        ],
    )
    def test_two_dots_are_rejected(self, text, suggestion):
        """They are suggested as marks of thousands where they can be nothing else."""
        assert suggestion_for(parse_bytes, text) == suggestion

    @pytest.mark.parametrize("text", ["1,5GB", "1.000,5MB", "1,00,000 GB", "5 MB 7", "1_5GB", "5GB2"])
    def test_no_digit_is_dropped_for_a_suggestion(self, text):
        """A decimal comma is an option of the files, never a guess."""
        assert suggestion_for(parse_bytes, text) is None

    @pytest.mark.parametrize(
        ("text", "suggestion"),
        [
            ("5 byte", "5B"),
            ("5 b", "5B"),
            ("8k", "8KB"),
            ("8 t", "8TB"),
            ("8 Gs", "8GB"),
            ("8 Kis", "8Ki"),
            ("16 bit", "2B"),
            ("1000000000000000000 bits", "125000000000000000B"),  # 19 digits
            ("10000000000000000000 bits", None),
            ("8e3 bits", None),
            ("8E3 bits", None),
        ],
    )
    def test_a_unit_that_is_nearly_one(self, text, suggestion):
        assert suggestion_for(parse_bytes, text) == suggestion


class TestLimits:
    """No float needs more than 400 characters; from 2^64 on, a number with an exponent is a float."""

    def test_the_longest_text(self):
        assert parse_bytes("0" * 399 + "7") == 7
        assert suggestion_for(parse_bytes, "0" * 400 + "7") is None
        assert suggestion_for(parse_bytes, "+" + "1" * 399) == "1" * 399
        assert suggestion_for(parse_bytes, "+" + "1" * 400) is None

    @pytest.mark.parametrize(
        ("text", "value", "kind"),
        [
            ("18446744073709551615e0", 2**64 - 1, int),
            ("18446744073709551616e0", 2.0**64, float),
            ("18446744073709551616E0", 2.0**64, float),
            ("2e19", 2e19, float),
            ("18446744073709551616", 2**64, int),
            ("18446744073709551616.0", 2**64, int),
        ],
    )
    def test_where_an_exponent_gives_a_float(self, text, value, kind):
        read = parse_bytes(text)
        assert (read, type(read)) == (value, kind)

    @pytest.mark.parametrize(
        ("text", "value"), [("1e-310 kB", 1e-307), ("1e-301 MB", 1e-295), ("1e-400", 0), ("0e-400 TB", 0)]
    )
    def test_numbers_below_1e_300(self, text, value):
        assert parse_bytes(text) == pytest.approx(value, rel=1e-12, abs=0)

    def test_a_fraction_above_the_largest_float(self):
        """It is rejected even if it is nearer to that float than to anything else."""
        largest = int(sys.float_info.max)
        assert parse_bytes(f"{largest - 1}.5") == sys.float_info.max
        assert suggestion_for(parse_bytes, f"{largest}.5") is None

    def test_numbers_are_exact_from_1e_300_on(self):
        number = "1.000000000000000064e-300"  # nearer to the float of 1e-300 than to any other
        assert parse_bytes(f"{number} GB") == float(Fraction(number) * 10**9) != 1e-300 * 1e9


def suggestion_for(parse, text):
    """Return the suggestion in the error for a text that is rejected."""
    with pytest.raises(UnitError) as caught:
        parse(text)
    return caught.value.suggestion


class TestRateCountFraction:
    """Rates may have k, M and /s, fractions %, durations ms, s, m and h; counts have no unit."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("800", 800),
            ("800/s", 800),
            ("800 /s", 800),
            ("2.5k", 2_500),
            ("2.5 k/s", 2_500),
            ("1M", 10**6),
            ("1M/s", 10**6),
        ],
    )
    def test_rates(self, text, value):
        assert parse_rate(text) == value

    @pytest.mark.parametrize(
        ("parse", "accepted", "text", "suggestion"),
        [
            (parse_rate, RATE, "800 rps", "800"),
            (parse_rate, RATE, "800qps", "800"),
            (parse_rate, RATE, "800req/s", "800"),
            (parse_rate, RATE, "800/sec", "800"),
            (parse_rate, RATE, "2K", "2k"),
            (parse_rate, RATE, "1m", "1M"),
            (parse_rate, RATE, "1,000", "1000"),
            (parse_rate, RATE, "-1", None),
            (parse_rate, RATE, "8MB", "8M"),
            (parse_count, COUNT, "1,000", "1000"),
            (parse_count, COUNT, "10 ", "10"),
            (parse_count, COUNT, "5k", None),
            (parse_count, COUNT, "five", None),
            (parse_fraction, FRACTION, "30", "30%"),
            (parse_fraction, FRACTION, "1", "1%"),
            (parse_fraction, FRACTION, "100%", None),
            (parse_fraction, FRACTION, "130", None),
            (parse_fraction, FRACTION, "-0.1", None),
            (parse_fraction, FRACTION, "30 percent", None),
            (parse_fraction, FRACTION, "+30%", "30%"),
            (parse_fraction, FRACTION, "+100%", None),
            (parse_fraction, FRACTION, "+150%", None),
            (parse_rate, RATE, "2K/s", "2k/s"),
            (parse_rate, RATE, "2m/s", "2M/s"),
            (parse_rate, RATE, "2k rps", "2k"),
            (parse_duration, DURATION, "+5", "5"),
            (parse_duration, DURATION, "10sec", "10s"),
            (parse_duration, DURATION, "5 Minutes", "5m"),
            (parse_duration, DURATION, "1m30s", None),
            (parse_duration, DURATION, "-1s", None),
            (parse_duration, DURATION, "", None),
        ],
    )
    def test_rejected_with_a_suggestion(self, parse, accepted, text, suggestion):
        with pytest.raises(UnitError) as caught:
            parse(text)
        hint = f'; did you mean "{suggestion}"?' if suggestion else ""
        assert str(caught.value) == f'got "{text}", expected {accepted}{hint}'
        assert caught.value.suggestion == suggestion

    @pytest.mark.parametrize(
        ("unit", "words"),
        [
            ("ms", "MS msec millisecond milliseconds"),
            ("s", "S sec secs second seconds"),
            ("m", "M min mins minute minutes"),
            ("h", "H hr hrs hour hours"),
        ],
    )
    def test_words_for_durations(self, unit, words):
        for word in words.split():
            for space in ("", " "):
                assert suggestion_for(parse_duration, f"5{space}{word}") == f"5{unit}"
        assert parse_duration(f"5{unit}") == 5 * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]

    def test_cells(self):
        """A cell of a file is read as its dimension."""
        assert DIMENSIONS == ("clients", "requests_per_second", "data_bytes")
        cells = {"clients": ("5", COUNT, "5,000"), "requests_per_second": ("5/s", RATE, "5rps")}
        cells["data_bytes"] = ("5B", BYTES, "5 bytes")
        for dimension, (text, accepted, wrong) in cells.items():
            assert cell_value(dimension, text) == 5
            assert cell_value(dimension, wrong) is None
            suggestion = cell_suggestion(dimension, wrong)
            assert suggestion is not None
            assert cell_value(dimension, suggestion) is not None
            assert accepted_cell(dimension) == accepted

    def test_whole_numbers(self):
        assert (parse_whole("300"), parse_whole("1e3")) == (300, 1000)
        for text in ("2.5", "1e300"):
            with pytest.raises(UnitError) as caught:
                parse_whole(text)
            assert str(caught.value) == f'got "{text}", expected a whole number'
            assert (caught.value.text, caught.value.accepted) == (text, "a whole number")

    @pytest.mark.parametrize("parse", PARSERS)
    @pytest.mark.parametrize("value", [5, None, b"5"])
    def test_what_is_not_text_is_rejected(self, parse, value):
        with pytest.raises(UnitError) as caught:
            parse(value)
        message = f"got {value} of type {type(value).__name__}, expected text: {caught.value.accepted}"
        assert str(caught.value) == message

    def test_an_option(self):
        assert parse_option("data", "5kB", parse_bytes) == 5000
        assert parse_option("data", None, parse_bytes) is None
        with pytest.raises(OptionError) as caught:
            parse_option("data", "5 kBs", parse_bytes)
        assert str(caught.value) == f'data: got "5 kBs", expected {BYTES}; did you mean "5kB"?'
        assert (caught.value.option, caught.value.value) == ("data", "5 kBs")
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize(
        ("text", "value"),
        [("0", 0), ("0.3", 0.3), ("30%", 0.3), ("30 %", 0.3), ("0.1%", 0.001), ("99.9%", 0.999), (".5", 0.5)],
    )
    def test_fractions(self, text, value):
        read = parse_fraction(text)
        assert read == value
        assert type(read) is float

    def test_many(self):
        assert (parse_many("300"), parse_many("2.5k"), parse_many("5.7 M")) == (300, 2_500, 5_700_000)
        with pytest.raises(UnitError) as caught:
            parse_many("5K")
        assert str(caught.value) == 'got "5K", expected a count such as "300", "2.5k" or "5.7M"; did you mean "5k"?'

    def test_counts(self):
        assert (parse_count("300"), parse_count("1e3"), parse_count("0.5")) == (300, 1_000, 0.5)


class TestExact:
    """Decimal digits are exact: the result is the float nearest to the true value, never a product of rounded ones."""

    @given(
        st.integers(0, 10**20),
        st.text("0123456789", max_size=20),
        st.none() | st.integers(-40, 40),
        st.sampled_from(list(BYTE_UNITS)),
        st.booleans(),
    )
    def test_against_fractions(self, whole, decimals, exponent, unit, space):
        number = f"{whole}.{decimals}" + ("" if exponent is None else f"e{exponent}")
        value = Fraction(number.replace(".e", "e").removesuffix(".")) * BYTE_UNITS[unit]
        read = parse_bytes(f"{number}{' ' * space}{unit}")
        if isinstance(read, int):
            assert read == value
        else:
            assert read == float(value)
            assert value.denominator > 1 or value >= 2**64

    @given(st.integers(0, 2**64 - 1) | st.floats(0, sys.float_info.max))
    @example(sys.float_info.max)
    @example(5e-324)
    @example(-0.0)
    @example(2**64 - 1)
    def test_printed_and_read_back(self, value):
        for text in (format_bytes(value), format_number(value)):
            read = parse_bytes(text)
            # A float is printed with the fewest digits that identify it, so it reads back as it was.
            assert type(value)(read) == value
            assert parse_bytes(text.replace(" ", "")) == read

    @given(st.floats(0, 1, exclude_max=True))
    def test_fractions_read_back(self, share):
        assert parse_fraction(repr(share)) == share


class TestHostile:
    """Any text gives, in an instant, a finite number or a UnitError whose suggestion is itself accepted."""

    @pytest.mark.parametrize("parse", PARSERS)
    @given(
        st.text()
        | st.text("0123456789.,_+-eE %kKMGTiBbs/", max_size=12)
        | st.from_regex(r"[0-9]{1,4}([.,][0-9]{1,4}){0,2}(e-?[0-9]{1,9})? ?[a-zA-Z%/]{0,8}", fullmatch=True)
    )
    def test_any_text(self, parse, text):
        value, error = attempt(parse, text)
        if error is None:
            assert 0 <= value < math.inf
            assert type(value) in (int, float)
        else:
            assert len(str(error).splitlines()) == 1
            assert error.suggestion is None or parse(error.suggestion) >= 0, error

    @pytest.mark.parametrize("parse", PARSERS)
    @pytest.mark.parametrize(
        "text",
        [
            "9" * 10**6,
            "0" * 10**6,
            "1e999999999",
            "1e-999999999",
            "0." + "0" * 10**6,
            " " * 10**6,
            "1" + ",000" * 99,
            "1e" + "9" * 390,
        ],
        ids=lambda text: text[:12],
    )
    def test_enormous_text_is_rejected_at_once(self, parse, text):
        start = time.perf_counter()
        value, error = attempt(parse, text)
        assert value == 0 if error is None else len(str(error)) < 500
        assert time.perf_counter() - start < 0.5


def attempt(parse, text):
    """Return the value, or the error."""
    try:
        return parse(text), None
    except UnitError as error:
        return None, error


class TestFormat:
    """Sizes are printed in the largest decimal unit that they fill, without loss."""

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (400_000_000, "400 MB"),
            (2_147_483_648, "2.147483648 GB"),
            (1.5e12, "1.5 TB"),
            (10**18, f"{10**18} B"),
            (0.5, "0.5 B"),
            (np.float64(4e8), "400 MB"),
            (-0.0, "0 B"),
            (1e18, "1e+18 B"),
            (999_999_999_999_999_999, "999999.999999999999 TB"),
        ],
    )
    def test_bytes(self, value, text):
        assert format_bytes(value) == text

    @pytest.mark.parametrize("value", [-1, -0.5, math.inf, math.nan, True, "5", None])
    def test_what_is_not_a_size_is_rejected(self, value):
        with pytest.raises(OptionError, match=r"^value: got .*, expected a finite number of 0 or more$") as caught:
            format_bytes(value)
        assert caught.value.option == "value"

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (800, "800"),
            (0.5, "0.5"),
            (100.0, "100"),
            (1e300, "1e+300"),
            (2**64, str(2**64)),
            (np.float64(7.5), "7.5"),
            (1e16, "1e+16"),
            (9.5e15, "9500000000000000"),
            (-0.0, "0"),
            (Decimal(10**17), "100000000000000000"),
            (Decimal("1.50"), "1.5"),
        ],
    )
    def test_numbers(self, value, text):
        assert format_number(value) == text

    @pytest.mark.parametrize(
        ("share", "text"),
        [
            (0, "0%"),
            (0.8, "80%"),
            (0.1234, "12.3%"),
            (0.99999, "99.9%"),
            (1, "100%"),
            (1.00001, "100.1%"),
            (9.664, "966.4%"),
            (1e6, "1e+08%"),
            (999_999.9, "99999990%"),
            (1e300, "1e+302%"),
        ],
    )
    def test_percent(self, share, text):
        assert format_percent(share) == text
