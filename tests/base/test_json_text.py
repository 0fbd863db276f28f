"""Strict JSON: several documents in a row, and a message for everything that is not JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import TableError
from etcdsize.base.json_text import documents


class TestDocuments:
    """One document or several in a row, as text or bytes; anything parsed is one document."""

    @pytest.mark.parametrize(
        ("source", "found"),
        [
            ("", []),
            (" \r\n\t", []),
            ("5", [5]),
            ('{"a": 1}\n{"a": 2}', [{"a": 1}, {"a": 2}]),
            ('[1] [2][3]\n"x"', [[1], [2], [3], "x"]),
            ("\ufeff[]", [[]]),
            (b"[1]", [[1]]),
            (bytearray(b"[1]"), [[1]]),
            ("[1]".encode("utf-16"), [[1]]),
            ({"a": 1}, [{"a": 1}]),
            ([1, 2], [[1, 2]]),
            (None, [None]),
        ],
    )
    def test_in_order(self, source, found):
        assert documents(source) == found

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("[1", "not JSON: Expecting ',' delimiter, line 1, column 3; is the file cut off?"),
            ('{"a": "b', "not JSON: Unterminated string starting at, line 1, column 7; is the file cut off?"),
            ("[1]\n[2,,3]", "not JSON: Expecting value, line 2, column 4"),
            ("[NaN]", "not JSON: NaN is not a number"),
            ("-Infinity", "not JSON: -Infinity is not a number"),
            ('{"a": 1, "b": 2, "a": 3}', 'not JSON: an object has the field "a" more than once'),
            ("[" * 100_000, "not JSON: it is nested too deeply"),
            ("9" * 5_000, "not JSON: it has a number of more than 4300 digits"),
            (b"\x80", "not text: byte 0 is not utf-8"),
        ],
        ids=lambda value: str(value)[:12],
    )
    def test_other_text_is_rejected(self, source, message):
        with pytest.raises(TableError) as caught:
            documents(source)
        assert str(caught.value) == message

    @given(st.text() | st.binary())
    def test_any_text_gives_documents_or_one_line(self, source):
        message = ""
        try:
            documents(source)
        except TableError as error:
            message = str(error)
        assert len(message.splitlines()) <= 1
