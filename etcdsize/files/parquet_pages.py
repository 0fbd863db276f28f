"""Check the page headers of a Parquet file, and choose how many rows fit into memory.

A page header says how much memory a page needs. PyArrow allocates that before it reads the page, so a damaged header,
or a page that was made to be large, is rejected here first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from etcdsize.base.text import shown
from etcdsize.files.parquet_description import (
    BYTE_ARRAY,
    CODEC,
    DECOMPRESSED,
    GROUP_ROWS,
    VALUES,
    Leaf,
    chunk_of,
    is_dictionary,
)
from etcdsize.files.thrift import I32, STRUCT, Shape, Struct, begin_struct, check_struct

__all__ = ["BATCH_BYTES", "Expansion", "Page", "Pages", "read_pages", "rows_per_batch"]

# DuckDB writes pages of up to 100 MiB, other writers of about 1 MiB.
_MOST_PAGE = 128 * 1024**2
# Texts of a dictionary that are looked at. No writer makes larger ones.
_MOST_TEXTS = 256 * 1024
# A header has the smallest and the largest value of its page, which may be long text.
_FIRST_READ, _MOST_HEADER = 256, 1024**2
_AHEAD = 4 * 1024**2

BATCH_BYTES = 64 * 1024**2
"""Bytes per batch: a batch of wide rows has fewer of them."""
# Data may be much smaller in a file, but not that much smaller and that large (our choice).
_MOST_EXPANDED, _MOST_TIMES = 64 * 1024**3, 1000
# Batches with fewer rows than these, from one group of rows: a batch takes a fraction of a millisecond (our choice).
_MOST_BATCHES, _FEWEST_ROWS = 64 * 1024, 1024

# Fields by number, from apache/parquet-format src/main/thrift/parquet.thrift. Of PageHeader:
_TYPE, _BYTES, _COMPRESSED, _CHECKSUM = 1, 2, 3, 4
# Of DataPageHeader and DictionaryPageHeader; of DataPageHeaderV2:
_VALUES, _ENCODING, _ENCODING_V2 = 1, 2, 4
# The types of pages that have values, and the fields of PageHeader that describe them.
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_PAGES = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
_SHAPES = {
    _DATA: Shape("page", {_VALUES: I32, _ENCODING: I32, 3: I32, 4: I32, 5: STRUCT}, (_VALUES, _ENCODING, 3, 4)),
    _DICTIONARY: Shape("dictionary", {_VALUES: I32, _ENCODING: I32}, (_VALUES, _ENCODING)),
    _DATA_V2: Shape("page", {**dict.fromkeys(range(1, 7), I32), 8: STRUCT}, (_VALUES, 2, 3, _ENCODING_V2, 5, 6)),
}
_HEADER = Shape(
    "page header",
    {_TYPE: I32, _BYTES: I32, _COMPRESSED: I32, _CHECKSUM: I32, **{_PAGES[kind]: _SHAPES[kind] for kind in _PAGES}},
    (_TYPE, _BYTES, _COMPRESSED),
)
# DELTA_BYTE_ARRAY: a value repeats the beginning of the value before it.
_PREFIXES = 7


class Page(NamedTuple):
    """What a page of a column needs in memory."""

    values: int
    """Values. [count]"""
    size: int
    """The size of the page, of its values in memory, and of a dictionary before it. [bytes]"""
    repeated: int
    """The most that its text takes, where each value repeats text of the dictionary. [bytes]"""
    guessed: int
    """An amount for text that repeats parts of other text, whose size is not known in advance. [bytes]"""


Pages = Sequence[Sequence[Page]]
"""The pages of a column in each of several groups of rows."""


def read_pages(metadata: Struct, leaf: Leaf, read_at: Callable[[int, int], bytes]) -> list[Page]:
    """Check the pages of a column in a group of rows, and return what they need.

    Parameters
    ----------
    metadata : Struct
        The metadata of the column in the group.
    leaf : Leaf
        The column.
    read_at : callable
        Returns bytes of the file.

    Raises
    ------
    ValueError
        For pages that are not possible, or too large.
    """
    start, size = chunk_of(metadata)
    left, end = metadata[VALUES][1], start + size
    read_at = _ReadAhead(read_at, end)
    pages: list[Page] = []
    longest = before = 0
    while left:
        header, length = _header(leaf, start, end, read_at)
        kind, large, small = (header[field][1] for field in (_TYPE, _BYTES, _COMPRESSED))
        content = start + length
        start = content + small
        if small < 0 or large < 0 or start > end:
            raise ValueError(f"a page of the column {shown(leaf.path)} does not fit the file")
        if large > _MOST_PAGE:
            raise ValueError(
                f"a page of the column {shown(leaf.path)} has {large:,} bytes, expected at most "
                f"{_MOST_PAGE // 1024**2} MiB; write the file with smaller pages"
            )
        if kind not in _PAGES:
            continue
        if _PAGES[kind] not in header:
            raise ValueError(f"a page of the column {shown(leaf.path)} lacks its description")
        page: Struct = header[_PAGES[kind]][1]
        count = page[_VALUES][1]
        if kind == _DICTIONARY:
            before = large
            if leaf.kind == BYTE_ARRAY:
                longest = large // _DISCOUNT
                if count <= _MOST_TEXTS and metadata[CODEC][1] in DECOMPRESSED:
                    longest = _longest(DECOMPRESSED[metadata[CODEC][1]], read_at(content, small), large)
            continue
        if not 0 <= count <= left:
            raise ValueError(
                f"the pages of the column {shown(leaf.path)} do not have the values that its metadata says"
            )
        left -= count
        encoding = page[_ENCODING_V2 if kind == _DATA_V2 else _ENCODING][1]
        pages.append(
            Page(
                values=count,
                size=before + large + count * max(leaf.width, 8),
                repeated=count * longest if is_dictionary(encoding) else 0,
                guessed=count * large // _DISCOUNT if leaf.kind == BYTE_ARRAY and encoding == _PREFIXES else 0,
            )
        )
        before = 0
    return pages


# A value is nearly never as long as its whole page, so that the longest that it can be counts for less: a batch of
# such values needs at most sixteen times its limit, a gigabyte (our choice).
_DISCOUNT = 16


def _longest(codec: str | None, page: bytes, size: int) -> int:
    """Return the length of the longest text of a dictionary. [bytes]"""
    text = page if codec is None else pa.decompress(page, size, codec, asbytes=True)
    longest = at = 0
    while at + 4 <= len(text):
        length = int.from_bytes(text[at : at + 4], "little")
        longest = max(longest, length)
        at += 4 + length
    return min(longest, size)


class _ReadAhead:
    """Reads many bytes of a chunk at a time: after each read, Python's other threads go first."""

    def __init__(self, read_at: Callable[[int, int], bytes], end: int) -> None:
        self._read_at = read_at
        self._end = end
        self._start = 0
        self._data = b""

    def __call__(self, start: int, count: int) -> bytes:
        place = start - self._start
        if place + count > len(self._data):
            self._data = self._read_at(start, min(max(count, _AHEAD), self._end - start))
            self._start, place = start, 0
        return self._data[place : place + count]


def _header(leaf: Leaf, start: int, end: int, read_at: Callable[[int, int], bytes]) -> tuple[Struct, int]:
    """Return the page header at a position, and its size. [bytes]"""
    size = _FIRST_READ
    while True:
        data = read_at(start, min(size, end - start))
        try:
            header, length = begin_struct(data)
            check_struct(header, _HEADER)
            return header, length
        except EOFError as error:
            if size >= end - start or size >= _MOST_HEADER:
                raise ValueError(f"a page of the column {shown(leaf.path)}: {error}") from None
            size *= 16
        except ValueError as error:
            raise ValueError(f"a page of the column {shown(leaf.path)}: {error}") from None


def rows_per_batch(groups: Sequence[Struct], columns: Sequence[Pages], coded: Sequence[bool], most: int) -> int:
    """Return how many rows to read at a time, or 0 if there are too many light rows beside heavy ones.

    Parameters
    ----------
    groups : sequence of Struct
        Groups of rows that are read one after the other.
    columns : sequence of Pages
        For each column, its pages in each group.
    coded : sequence of bool
        Whether text of a column stays in its dictionary.
    most : int
        Rows that are enough at a time. [count]
    """
    rows = [group[GROUP_ROWS][1] for group in groups]
    total = sum(rows)
    weights = [
        [page.size + page.guessed + (0 if is_coded else page.repeated) for pages in column for page in pages]
        for column, is_coded in zip(columns, coded)
    ]
    if sum(map(sum, weights)) <= BATCH_BYTES:
        return most
    starts = np.cumsum([0, *rows])
    places, sums = [], []
    for column, weight in zip(columns, weights):
        # A column that has several values in a row is spread evenly over its rows.
        values = [np.cumsum([page.values for page in pages]) for pages in column]
        spread = [start + ends * (count / max(ends[-1], 1)) for start, count, ends in zip(starts, rows, values)]
        places.append(np.concatenate([[0.0], *spread]))
        sums.append(np.cumsum([0.0, *weight]))
    # A page is read as a whole, whatever the number of rows.
    limit = max(BATCH_BYTES, min(max(map(max, weights)), _MOST_PAGE))
    count = most
    while count > 1:
        edges = np.arange(0, total + count, count).clip(max=total)
        weighed = sum((np.interp(edges, place, summed) for place, summed in zip(places, sums)), np.zeros(len(edges)))
        if np.diff(weighed).max(initial=0) <= limit:
            break
        count //= 2
        if total // count > _MOST_BATCHES and count < _FEWEST_ROWS:
            return 0
    return count


class Expansion:
    """Adds up what a file's pages become, and rejects a file that is made to become enormous."""

    def __init__(self) -> None:
        self._stored = self._expanded = 0

    def add(self, chunks: Iterable[Struct], columns: Sequence[Pages], coded: Sequence[bool]) -> None:
        """Add columns of groups of rows, as `rows_per_batch` takes them, with the metadata of their chunks.

        Raises
        ------
        ValueError
            If the file becomes many times as large as it is.
        """
        self._stored += sum(chunk_of(chunk).size for chunk in chunks)
        for column, is_coded in zip(columns, coded):
            for pages in column:
                self._expanded += sum(page.size + (0 if is_coded else page.repeated) for page in pages)
        if self._expanded > _MOST_EXPANDED and self._expanded > self._stored * _MOST_TIMES:
            raise ValueError(
                f"its columns take more than {_MOST_EXPANDED // 1024**3} GiB and {_MOST_TIMES:,} times their size; "
                "read fewer columns"
            )
