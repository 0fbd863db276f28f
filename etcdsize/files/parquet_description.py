"""Read the metadata of a Parquet file and check that it is possible, before PyArrow sees it.

PyArrow ends the process for some impossible metadata, and it allocates what a size in a file says. So types, counts,
sizes and positions are checked here, and other modules ask this description and not PyArrow's own. The file's
metadata, FileMetaData in the specification, is called its description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from etcdsize.base.text import shown
from etcdsize.files.thrift import BINARY, I16, I32, I64, STRUCT, Shape, Struct, check_struct, read_struct

__all__ = ["Chunk", "Description", "Field", "Leaf", "chunk_of", "is_dictionary", "read_description"]

MAGIC = b"PAR1"
# A description is held in memory, in about forty times its size. One of 16 MiB describes some 100,000 parts of columns.
_MOST_DESCRIPTION = 16 * 1024**2
# No writer makes larger groups: 2^20 rows are usual.
_MOST_ROWS = 2**31
# Of a column in a group of rows: a terabyte.
_MOST_BYTES = 2**40
# Groups within groups of the schema; PyArrow reads them recursively. A map in a list in a struct needs five.
_DEEPEST = 50

# Fields by number, from apache/parquet-format src/main/thrift/parquet.thrift. Of FileMetaData:
SCHEMA, ROWS, GROUPS, KEY_VALUES, CREATED_BY, ORDERS = 2, 3, 4, 5, 6, 7
# Of SchemaElement:
_TYPE, _WIDTH, _REPETITION, _NAME, CHILDREN = 1, 2, 3, 4, 5
# Of RowGroup:
COLUMNS, GROUP_BYTES, GROUP_ROWS, SORTING, GROUP_OFFSET, GROUP_COMPRESSED = 1, 2, 3, 4, 5, 6
# Of ColumnChunk; INDEXES are the positions of indexes:
FILE_PATH, CHUNK_OFFSET, METADATA, INDEXES, CRYPTO = 1, 2, 3, (4, 5, 6, 7), 8
# Of ColumnMetaData; PLACES are the positions of an index page and a Bloom filter:
CHUNK_TYPE, ENCODINGS, CODEC, VALUES = 1, 2, 4, 5
BYTES, COMPRESSED, DATA_PAGE, DICTIONARY_PAGE, PLACES = 6, 7, 9, 11, (10, 14, 15)

BYTE_ARRAY, _FIXED_ARRAY = 6, 7
# Bytes of a value, by its physical type: a boolean, integers and floats; text has no fixed width.
_WIDTHS = (1, 4, 8, 12, 4, 8, 0, None)
_REQUIRED, _OPTIONAL, _REPEATED = 0, 1, 2
CODECS = {0: "none", 1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4"}
"""The names of the codecs that PyArrow can write, by number."""
DECOMPRESSED: dict[int, str | None] = {0: None, 1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}
"""The names of the codecs that PyArrow can read by themselves, by number; None for no compression."""
# PLAIN_DICTIONARY and RLE_DICTIONARY.
_DICTIONARIES = (2, 8)


_PAIR = Shape("key", {1: BINARY, 2: BINARY}, (1,))
_ELEMENT = Shape(
    "column",
    {
        _TYPE: I32,
        _WIDTH: I32,
        _REPETITION: I32,
        _NAME: BINARY,
        CHILDREN: I32,
        6: I32,
        7: I32,
        8: I32,
        9: I32,
        10: STRUCT,
    },
    (_NAME,),
)
_CHUNK_METADATA = Shape(
    "column's data",
    {
        **{CHUNK_TYPE: I32, ENCODINGS: [I32], 3: [BINARY], CODEC: I32, VALUES: I64, BYTES: I64, COMPRESSED: I64},
        **{8: [_PAIR], DATA_PAGE: I64, 10: I64, DICTIONARY_PAGE: I64, 12: STRUCT, 13: [STRUCT], 14: I64, 15: I32},
        **{16: STRUCT, 17: STRUCT},
    },
    (CHUNK_TYPE, ENCODINGS, 3, CODEC, VALUES, BYTES, COMPRESSED, DATA_PAGE),
)
_CHUNK = Shape(
    "column in a row group",
    {
        **{FILE_PATH: BINARY, CHUNK_OFFSET: I64, METADATA: _CHUNK_METADATA, 4: I64, 5: I32, 6: I64, 7: I32},
        **{CRYPTO: STRUCT, 9: BINARY},
    },
    (CHUNK_OFFSET,),
)
_GROUP = Shape(
    "row group",
    {
        **{COLUMNS: [_CHUNK], GROUP_BYTES: I64, GROUP_ROWS: I64, SORTING: [STRUCT], GROUP_OFFSET: I64},
        **{GROUP_COMPRESSED: I64, 7: I16},
    },
    (COLUMNS, GROUP_BYTES, GROUP_ROWS),
)
_FILE = Shape(
    "file",
    {
        **{1: I32, SCHEMA: [_ELEMENT], ROWS: I64, GROUPS: [_GROUP], KEY_VALUES: [_PAIR], CREATED_BY: BINARY},
        **{ORDERS: [STRUCT], 8: STRUCT, 9: BINARY},
    },
    (1, SCHEMA, ROWS, GROUPS),
)


class Leaf(NamedTuple):
    """A column of values, which may be nested in a column of the file."""

    path: str
    """The names that lead to it, separated by dots."""
    kind: int
    """The number of its physical type."""
    width: int
    """The size of a value, 0 for text. [bytes]"""
    depth: int
    """1 if it is a column of the file itself."""
    repeated: bool
    """Whether a row may have several values."""


class Field(NamedTuple):
    """A column of the file: its schema elements, and the leaves in it."""

    elements: list[Struct]
    leaves: list[Leaf]


class Chunk(NamedTuple):
    """The position of a column chunk in the file."""

    start: int
    size: int


class Description(NamedTuple):
    """The description of a file, whose parts fit each other and the file."""

    struct: Struct
    fields: list[Field]
    leaves: list[Leaf]
    groups: list[Struct]
    rows: int
    end: int
    """The position where the description starts, and pages end."""


def read_description(size: int, read_at: Callable[[int, int], bytes]) -> Description:
    """Return the description of a file.

    Parameters
    ----------
    size : int
        The size of the file. [bytes]
    read_at : callable
        Returns the bytes of the file from a position on, and as many as the second argument says.

    Raises
    ------
    ValueError
        For a file that is not a Parquet file, or whose description is not possible.
    """
    tail = read_at(max(size - 8, 0), 8)
    if size < 12 or tail[4:] != MAGIC or read_at(0, 4) != MAGIC:
        encrypted = "; its metadata is encrypted" if tail[4:] == b"PARE" else ""
        raise ValueError(f"it does not start and end with {MAGIC.decode()}{encrypted}")
    length = int.from_bytes(tail[:4], "little")
    end = size - 8 - length
    if end < len(MAGIC):
        raise ValueError("its metadata would be larger than the file")
    if length > _MOST_DESCRIPTION:
        raise ValueError(
            f"its metadata is larger than {_MOST_DESCRIPTION // 1024**2} MiB; write it with larger row groups or "
            "fewer columns"
        )
    struct = read_struct(read_at(end, length))
    check_struct(struct, _FILE)
    fields = list(_fields(struct[SCHEMA][1].values))
    leaves = [leaf for field in fields for leaf in field.leaves]
    groups: list[Struct] = struct[GROUPS][1].values
    for group in groups:
        _check_group(group, leaves, end)
    if ORDERS in struct and len(struct[ORDERS][1].values) != len(leaves):
        raise ValueError("its column orders are not those of its columns")
    rows: int = struct[ROWS][1]
    if rows != sum(group[GROUP_ROWS][1] for group in groups):
        raise ValueError("its groups of rows do not have the rows of the file")
    # Otherwise a small file could make a large one of its copies.
    columns = [column for group in groups for column in group[COLUMNS][1].values]
    if (
        sum(column[METADATA][1][COMPRESSED][1] for column in columns if METADATA in column and FILE_PATH not in column)
        > end
    ):
        raise ValueError("its columns overlap")
    return Description(struct, fields, leaves, groups, rows, end)


def _fields(elements: list[Struct]) -> Iterator[Field]:
    """Yield every column of the file."""
    if not elements or elements[0].get(CHILDREN, (I32, 0))[1] < 0:
        raise ValueError("it has no schema")
    at = 1

    def leaves(path: tuple[str, ...], repeated: bool) -> Iterator[Leaf]:
        nonlocal at
        if at == len(elements):
            raise ValueError("its schema has fewer columns than it says")
        if len(path) > _DEEPEST:
            raise ValueError(f"its schema is nested more than {_DEEPEST} levels deep")
        element = elements[at]
        at += 1
        path = (*path, element[_NAME][1].decode())
        repetition = element.get(_REPETITION, (I32, _REQUIRED))[1]
        children = element.get(CHILDREN, (I32, 0))[1]
        if repetition not in (_REQUIRED, _OPTIONAL, _REPEATED) or children < 0:
            raise ValueError(f"its schema has an impossible column {shown(path[-1])}")
        repeated = repeated or repetition == _REPEATED
        if children:
            for _ in range(children):
                yield from leaves(path, repeated)
            return
        kind = element.get(_TYPE, (I32, -1))[1]
        if not 0 <= kind < len(_WIDTHS):
            raise ValueError(f"its column {shown(path[-1])} has no possible type")
        width = _WIDTHS[kind]
        if width is None:
            width = element.get(_WIDTH, (I32, -1))[1]
            if width < 0:
                raise ValueError(f"its column {shown(path[-1])} has no width")
        yield Leaf(".".join(path), kind, width, len(path), repeated)

    for _ in range(elements[0].get(CHILDREN, (I32, 0))[1]):
        first = at
        found = list(leaves((), False))
        yield Field(elements[first:at], found)
    if at != len(elements):
        raise ValueError("its schema has more columns than it says")


def _check_group(group: Struct, leaves: list[Leaf], end: int) -> None:
    columns: list[Struct] = group[COLUMNS][1].values
    rows = group[GROUP_ROWS][1]
    if not 0 <= rows < _MOST_ROWS:
        raise ValueError(f"a group of rows has {rows:,} rows, expected fewer than 2^31")
    if len(columns) != len(leaves):
        raise ValueError("a group of rows does not have the columns of the schema")
    for leaf, column in zip(leaves, columns):
        if METADATA not in column:
            continue
        metadata = column[METADATA][1]
        values, size = metadata[VALUES][1], metadata[BYTES][1]
        if metadata[CHUNK_TYPE][1] != leaf.kind:
            raise ValueError(f"the column {shown(leaf.path)} has two types")
        if not 0 <= size < _MOST_BYTES or values < 0 or (values != rows and not leaf.repeated):
            raise ValueError(f"the column {shown(leaf.path)} does not have one value for each row")
        if FILE_PATH in column or CRYPTO in column:
            continue
        chunk = chunk_of(metadata)
        if not rows and chunk.size >= 0:
            continue
        within = len(MAGIC) <= chunk.start <= metadata[DATA_PAGE][1] <= chunk.start + chunk.size <= end
        if not within:
            raise ValueError(f"the column {shown(leaf.path)} does not lie within the file")


def chunk_of(metadata: Struct) -> Chunk:
    """Return the position of a column chunk with this metadata."""
    start = metadata[DATA_PAGE][1]
    dictionary = metadata.get(DICTIONARY_PAGE, (I64, 0))[1]
    return Chunk(dictionary if 0 < dictionary < start else start, metadata[COMPRESSED][1])


def is_dictionary(encoding: int) -> bool:
    """Return whether an encoding refers to a dictionary."""
    return encoding in _DICTIONARIES
