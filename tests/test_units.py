"""Sizes, rates, counts, fractions and durations as text: what is parsed, exactly, and what is rejected."""

from __future__ import annotations

import math
import sys
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etcdsize import UnitError, format_bytes, parse_bytes, parse_duration, parse_fraction, parse_rate
from etcdsize.units import BYTE_UNITS, format_number, format_percent, parse_count

PARSERS = (parse_bytes, parse_rate, parse_count, parse_fraction, parse_duration)
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

    @pytest.mark.parametrize("text", ["1.2.3GB", "1.000.000", "1..5MB", "1.000,5MB"])
    def test_two_dots_are_rejected(self, text):
        with pytest.raises(UnitError):
            parse_bytes(text)


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
        ("text", "value"),
        [("0", 0), ("0.3", 0.3), ("30%", 0.3), ("30 %", 0.3), ("0.1%", 0.001), ("99.9%", 0.999), (".5", 0.5)],
    )
    def test_fractions(self, text, value):
        read = parse_fraction(text)
        assert read == value
        assert type(read) is float

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
        ],
    )
    def test_bytes(self, value, text):
        assert format_bytes(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [(800, "800"), (0.5, "0.5"), (100.0, "100"), (1e300, "1e+300"), (2**64, str(2**64)), (np.float64(7.5), "7.5")],
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
            (1e300, "1e+302%"),
        ],
    )
    def test_percent(self, share, text):
        assert format_percent(share) == text
