"""Cells cut by NumPy are those that Python's csv module cuts, and its numbers are Python's."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize.files import csv_cells
from etcdsize.files.csv_cells import PAD, Cells

# Digits, what stands next to them in ASCII, and bytes with the high bit.
CELL = st.text(st.sampled_from("0123456789/:.-+ eEx\x00\x7fäü"), max_size=20) | st.from_regex(
    "[0-9]{1,20}", fullmatch=True
)


def padded(block: bytes) -> np.ndarray:
    return np.frombuffer(bytearray(bytes(range(40, 40 + PAD)) + block), np.uint8)


def cut(block: bytes, delimiter: str, columns: int, newline: bytes = b"\n") -> Cells | None:
    return csv_cells.cut(padded(block), delimiter, columns, newline)


def joined(found: tuple[np.ndarray, np.ndarray]) -> list[str]:
    text, offsets = found
    return [bytes(text[start:stop]).decode() for start, stop in pairwise(offsets)]


@given(
    rows=st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1)),
    delimiter=st.sampled_from(",\t"),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_cells_rows_and_numbers(rows, delimiter, end):
    block = "".join(delimiter.join(row) + end for row in rows).encode()
    text = padded(block)
    cells = csv_cells.cut(text, delimiter, len(rows[0]), end.encode())
    assert cells is not None
    assert len(cells) == len(rows)
    assert joined((text, cells.rows())) == [end + delimiter.join(row) for row in rows]
    if len(rows[0]) > 1:
        lines = [delimiter.join(row).encode() for row in rows]
        first, last = cells.outer_bytes()
        assert bytes(first) == bytes(line[0] for line in lines)
        assert bytes(last) == bytes(line[-1] for line in lines)
    for column, texts in enumerate(zip(*rows, strict=True)):
        assert joined(cells.texts(column)) == list(texts)
        numbers = cells.numbers(column)
        if all(text.isascii() and text.isdigit() and len(text) <= 16 for text in texts):
            assert numbers is not None
            assert numbers.tolist() == [int(text) for text in texts]
        else:
            assert numbers is None


@given(text=st.text(st.sampled_from('0,\t\r\n"a'), max_size=30), width=st.integers(1, 3))
def test_what_is_cut_is_cut_as_csv_cuts_it(text, width):
    """Whatever the text: the plain case is cut alike, everything else is left to another way."""
    cells = cut(text.encode(), ",", width)
    if cells is None:
        return
    expected = [row or [""] for row in csv.reader(io.StringIO(text, newline=""))]
    assert [joined(cells.texts(column)) for column in range(width)] == [
        list(column) for column in zip(*expected, strict=True)
    ]


@pytest.mark.parametrize(
    "block",
    [
        b'1,2\n3,"4"\n',  # a quote
        b"1,2\n3,4",  # no line end
        b"1,2\n3\n",  # too few cells
        b"1,2\n3,4,5\n",  # too many
        b"1,2,3\n4\n",  # as many as there should be, in the wrong rows
        b"1,2\n\n3,4\n",  # a blank line
        b"1,2\r\n3,4\n",  # two line ends
        b"1,2\r\n3,4\r\n",  # another line end than the header's
        b"1,2\r3,4\n",
        b"1\r,2\n3,4\n",  # a return that ends nothing
        b"",
    ],
)
def test_what_is_not_plain(block):
    assert cut(block, ",", 2) is None


def test_sixteen_digits_and_no_more():
    cells = cut(b"9999999999999999,0000000000000001,12345678,123456789,10000000000000000\n", ",", 5)
    assert cells is not None
    assert [found.tolist() for column in range(4) if (found := cells.numbers(column)) is not None] == [
        [9_999_999_999_999_999],
        [1],
        [12_345_678],
        [123_456_789],
    ]
    assert cells.numbers(4) is None
