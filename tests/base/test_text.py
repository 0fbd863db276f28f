"""Text in error messages: values on one line, and the nearest known word."""

from __future__ import annotations

import json
import math
import time
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize.base.text import Suggestions, markdown_code, markdown_text, nearest, one_line, safe_json, shortened, shown


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

    def test_a_word_of_megabytes_takes_no_time(self):
        start = time.monotonic()
        assert nearest("x" * 20_000_000, ["x" * 1_000]) == ""
        assert time.monotonic() - start < 1

    def test_suggests_the_known_spelling(self):
        assert nearest("gib", ["GiB"]) == '; did you mean "GiB"?'
        assert nearest("x", []) == ""


UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")


class TestSafeText:
    """What is printed stays on one line, and nothing in it controls a terminal, moves text or hides."""

    @pytest.mark.parametrize(
        ("text", "printed"),
        [
            ("a\x1b[31m\x9bb\x7f", r"a\x1b[31m\x9bb\x7f"),
            ("a\r\n\u2028\u2029\x85b", r"a\r\n\u2028\u2029\x85b"),
            ("a\u202eb\u2066\u200f\u061c", r"a\u202eb\u2066\u200f\u061c"),
            ("a\u200b\u200d\u2060\ufeff\xad\u180eb", r"a\u200b\u200d\u2060\ufeff\xad\u180eb"),
            ("a\U000e0041\ud800", r"a\U000e0041\ud800"),
            ("大阪 café\u3000😀\xa0|`", "大阪 café\u3000😀\xa0|`"),
        ],
    )
    def test_of_characters(self, text, printed):
        assert one_line(text) == printed
        assert one_line(printed) == printed

    @given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Ll", "Zs"])))
    def test_of_any_text(self, text):
        left = {character for character in one_line(text) if unicodedata.category(character) in UNSAFE}
        # Signs of some scripts, and the controls of musical notes, neither move nor hide text.
        assert all(unicodedata.name(character).startswith(KEPT) for character in left)
        assert len(one_line(text).splitlines()) <= 1

    @given(st.text(st.characters(exclude_categories=[])))
    def test_json_is_read_back_as_the_same_text(self, text):
        written = safe_json(json.dumps({"a": text}, indent=2, ensure_ascii=False))
        assert json.loads(written) == {"a": text}
        assert all(one_line(line) == line for line in written.split("\n"))

    @pytest.mark.parametrize(("length", "end"), [(60, "x"), (61, "...")])
    def test_long_text_is_shortened(self, length, end):
        text = shortened("x" * length)
        assert len(text) == 60
        assert text.endswith(end)


KEPT = ("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "SHORTHAND", "MUSICAL")


class TestMarkdown:
    """Text is shown as it is: what could be markup becomes code."""

    @pytest.mark.parametrize(
        "text",
        ["3 members: a_b, c-d", "etcd 3.5.1 (run on 3.5.1)", "--flag=a, etcd/etcd#5", ""],
    )
    def test_plain_text_is_unchanged(self, text):
        assert markdown_text(text) == text

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("*a*", "`*a*`"),
            ("a`b", "``a`b``"),
            ("`a`", "`` `a` ``"),
            ("<b>", "`<b>`"),
            ("[a](b)", "`[a](b)`"),
            ("a|b", "`a|b`"),
            ("&lt;", "`&lt;`"),
            ("_a_", "`_a_`"),
            ("http://a", "`http://a`"),
            ("www.a.b", "`www.a.b`"),
            ("a@b.c", "`a@b.c`"),
            ("# a", "`# a`"),
            ("- a", "`- a`"),
            ("1. a", "`1. a`"),
            ("---", "`---`"),
            ("a\n# b", r"`a\n# b`"),
        ],
    )
    def test_markup_is_code(self, text, code):
        assert markdown_text(text) == markdown_code(text) == code


class TestSuggestions:
    """A search takes time that grows with the words, so that it is bounded."""

    def test_the_first_hundred_are_granted(self):
        suggestions = Suggestions()
        assert [suggestions.take() for _ in range(102)] == [True] * 100 + [False] * 2

    def test_long_words_are_not_compared(self):
        assert nearest("a" * 100, ["a" * 100]) != ""
        assert nearest("a" * 60_000_000, ["a" * 60_000_000, "b"]) == ""
        assert nearest("abc", ["x" * 60_000_000, "abd"]) == '; did you mean "abd"?'

    def test_many_known_words_are_not_compared(self):
        assert nearest("word", (f"word{place}" for place in range(10**9))) == '; did you mean "word9"?'
