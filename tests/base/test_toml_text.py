"""TOML: its table, and a message for everything that is not TOML."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import TableError
from etcdsize.base.toml_text import table_of


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("", {}),
        ("a = 'é'", {"a": "é"}),
        (bytearray(b"a = 1"), {"a": 1}),
        (b"[load]\r\nkeys = 4_000 # kept\r\n", {"load": {"keys": 4000}}),
        (b"\xef\xbb\xbfa = 1", {"a": 1}),
        ("a = 'é'".encode("utf-16"), {"a": "é"}),
        (b"# " + b"." * 1000 + b"\na = 1", {"a": 1}),
    ],
)
def test_a_document_is_a_table(source: str | bytes, found: dict) -> None:
    assert table_of(source) == found


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"[load", "not TOML: expected ']' at the end of a table declaration, at the end"),
        (b"a = \n", "not TOML: invalid value, line 1, column 5"),
        (b"a = 1 b = 2", "not TOML: expected newline or end of document after a statement, line 1, column 7"),
        (b"a = 1\na = 2\nb = 3", "not TOML: a field or a table is in it more than once, line 2, column 6"),
        (b"[load]\n[load]\n", "not TOML: a field or a table is in it more than once, line 2, column 6"),
        (b"a = " + b"[" * 100_000, "not TOML: it is nested too deeply"),
        (b"a = " + b"9" * 5_000, "not TOML: it has a number of more than 4300 digits"),
        (b".".join([b"a"] * 100_000) + b" = 1", "not TOML as it is read here: a line has more than 100 dots"),
        (b"\x80\x81", "not text: byte 0 is not utf-8"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "not TOML: invalid statement, line 1, column 1"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_other_text_is_rejected(source: bytes, message: str) -> None:
    start = time.monotonic()
    with pytest.raises(TableError) as caught:
        table_of(source)
    assert str(caught.value) == message
    assert time.monotonic() - start < 5


@given(st.text().map(str.encode) | st.binary())
def test_any_bytes_give_a_table_or_one_line(source: bytes) -> None:
    message = ""
    try:
        table = table_of(source)
    except TableError as error:
        table, message = {}, str(error)
    assert isinstance(table, dict)
    assert len(message.splitlines()) <= 1
