"""Text in error messages: values on one line, and the nearest known word."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize.base.text import nearest, shown


class TestShown:
    """A value in a message is short and on one line."""

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("8 GBs", '"8 GBs"'),
            ('a "b"', r'"a \"b\""'),
            ("a\nb\r\t\0\x1b\x7f\x85\u2028\u2029", r'"a\nb\r\t\x00\x1b\x7f\x85\u2028\u2029"'),
            ("x" * 60, '"' + "x" * 60 + '"'),
            ("x" * 61, '"' + "x" * 57 + '..."'),
            (5, "5"),
            (math.nan, "nan"),
            (np.float64(1.5), "1.5"),
            (None, "None"),
            (True, "True"),
            (10**80, "1" + "0" * 56 + "..."),
            (np.array([[1], [2]]), "array([[1], [2]])"),
        ],
    )
    def test_quoted_escaped_and_shortened(self, value, text):
        assert shown(value) == text

    def test_an_integer_that_python_refuses_to_print(self):
        assert (
            shown(10**5_000) == shown([10**5_000]).replace("list", "int") == "a number too long to print, of type int"
        )

    @given(st.text() | st.binary() | st.floats() | st.integers() | st.lists(st.text()))
    def test_any_value_is_one_line(self, value):
        assert len(shown(value).splitlines()) == 1
        assert shown(value).isprintable() or isinstance(value, str)


class TestNearest:
    """The suggestion is a known word in its known spelling, or nothing."""

    @pytest.mark.parametrize(
        ("word", "hint"),
        [("gide", '; did you mean "guide"?'), ("ETCD.IO", '; did you mean "etcd.io"?'), ("", ""), ("zzz", "")],
    )
    def test_suggests_the_nearest_word(self, word, hint):
        assert nearest(word, ["guide", "etcd.io"]) == hint

    def test_suggests_the_known_spelling(self):
        assert nearest("gib", ["GiB"]) == '; did you mean "GiB"?'
        assert nearest("x", []) == ""
