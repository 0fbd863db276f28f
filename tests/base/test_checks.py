"""Arguments: what is accepted, and the message for what is not."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import OptionError
from etcdsize.base.checks import one_of, pairs_of, true_or_false, whole_number


class TestWholeNumber:
    """An integer of Python or NumPy, and never a boolean, a float or text."""

    @given(st.integers())
    def test_every_integer_is_itself(self, value):
        assert whole_number(value) == value

    @pytest.mark.parametrize("value", [np.int8(3), np.uint64(3), np.array(3)])
    def test_numpy_integers_become_python_integers(self, value):
        found = whole_number(value)
        assert (type(found), found) == (int, 3)

    @pytest.mark.parametrize(
        "value", [True, np.bool_(1), 3.0, np.float64(3), "3", None, [3], np.array([3]), Decimal(3)]
    )
    def test_other_values_are_none(self, value):
        assert whole_number(value) is None


class TestOneOf:
    """One word of a list; for another, the message names the nearest."""

    def test_accepts_a_listed_word(self):
        assert one_of("on_invalid", "mark", ("raise", "mark")) == "mark"

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("marks", '"marks", expected raise or mark; did you mean "mark"?'),
            (5, "5, expected raise or mark"),
            (np.array([1]), "array([1]), expected raise or mark"),
        ],
    )
    def test_other_values_are_rejected(self, value, shown):
        with pytest.raises(OptionError) as caught:
            one_of("on_invalid", value, ("raise", "mark"))
        assert str(caught.value) == f"on_invalid: got {shown}"
        assert (caught.value.option, caught.value.value is value) == ("on_invalid", True)


class TestTrueOrFalse:
    """A boolean, and never a number that stands for one."""

    def test_accepts_booleans(self):
        assert [true_or_false("newest", value) for value in (True, False)] == [True, False]

    @pytest.mark.parametrize("value", [0, 1, None, "yes"])
    def test_other_values_are_rejected(self, value):
        with pytest.raises(OptionError, match=r"^newest: got .*, expected True or False$"):
            true_or_false("newest", value)


class TestPairsOf:
    """Texts of a name, an equals sign and a value, each name once."""

    def test_names_and_values(self):
        assert pairs_of("--host", ["a=10.0.0.1", "b=x=y"], "NAME=HOST") == {"a": "10.0.0.1", "b": "x=y"}

    @pytest.mark.parametrize("text", ["a", "=10.0.0.1", "a=", "="])
    def test_incomplete_pairs_are_rejected(self, text):
        with pytest.raises(OptionError) as caught:
            pairs_of("--host", [text], "NAME=HOST")
        assert str(caught.value) == f'--host: got "{text}", expected NAME=HOST'

    def test_a_repeated_name_is_rejected(self):
        with pytest.raises(OptionError) as caught:
            pairs_of("--host", ["a=1", "a=2"], "NAME=HOST")
        assert str(caught.value) == '--host: got "a" more than once, expected it once'
