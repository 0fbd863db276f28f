"""Exact arithmetic on published figures, and the texts of figures."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from etcdsize import OptionError
from etcdsize.catalog.figures import check_amount, exact, exact_text, number, rounded_text, throughput_text


def test_a_figure_is_the_published_decimal():
    assert exact(0.005) == Fraction(5, 1000) != Fraction(0.005)
    assert exact(3) == 3


def test_a_whole_fraction_is_an_integer():
    assert [repr(number(value)) for value in (Fraction(6, 2), Fraction(1, 4))] == ["3", "0.25"]
    assert exact_text(Fraction(7, 2)) == "3.5"


@pytest.mark.parametrize("value", [-1, math.nan, math.inf, True, "5", None])
def test_an_amount_is_a_finite_number_of_0_or_more(value):
    with pytest.raises(OptionError, match=r"^size: got .+, expected a finite number of 0 or more$") as caught:
        check_amount("size", value)
    assert caught.value.option == "size"


def test_a_positive_amount_is_above_0():
    assert check_amount("size", 0) == 0
    with pytest.raises(OptionError, match=r"^size: got 0, expected a finite number above 0$"):
        check_amount("size", 0, positive=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (throughput_text(131.072, "MiB/s"), "125 MiB/s"),
        (throughput_text(56.25, "MB/s"), "56.25 MB/s"),
        (rounded_text(18.754), "18.75"),
        (rounded_text(4500.0), "4500"),
        (rounded_text(2_000_000), "2000000"),
    ],
)
def test_texts(text, expected):
    assert text == expected
