"""The metadata of a Parquet file: whatever cannot be is rejected before PyArrow sees it."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from paths import ROOT

from etcdsize import FleetFileError
from etcdsize.files.fleet_file import open_fleet
from etcdsize.files.parquet_description import read_description
from etcdsize.files.thrift import BINARY, I32, I64, LIST, STRUCT, List, read_struct, write_struct

FLEET = pa.table({"clients": [1, 2], "rps": [1, 2], "data": [1, 2], "place": [{"zone": "a"}, None]})
# Fields of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData.
SCHEMA, ROWS, GROUPS, ORDERS = 2, 3, 4, 7
COLUMNS, GROUP_ROWS = 1, 3
METADATA = 3
KIND, VALUES, BYTES, SIZE, DATA_PAGE = 1, 5, 6, 7, 9


def described(change=None, table=FLEET, **options):
    """Return a file whose description is changed."""
    written = io.BytesIO()
    pq.write_table(table, written, **options)
    data = written.getvalue()
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    description = read_struct(data[start:-8])
    if change is not None:
        change(description)
    tail = write_struct(description)
    return data[:start] + tail + len(tail).to_bytes(4, "little") + b"PAR1"


def group(description):
    return description[GROUPS][1].values[0]


def chunk(description, place=0):
    return group(description)[COLUMNS][1].values[place][METADATA][1]


def element(description, place=1):
    return description[SCHEMA][1].values[place]


def setting(owner, field, value, kind=I32):
    def change(description):
        owner(description)[field] = (kind, value)

    return change


def removing(owner, field):
    def change(description):
        del owner(description)[field]

    return change


def deep(description):
    schema = description[SCHEMA][1].values
    schema[0][5] = (I32, len(FLEET.column_names) + 1)
    schema.extend({3: (I32, 1), 4: (BINARY, b"a"), 5: (I32, 1)} for _ in range(500))
    schema.append({1: (I32, 1), 3: (I32, 1), 4: (BINARY, b"a")})


def whole(description):
    return description


def same_chunk_twice(description):
    columns = group(description)[COLUMNS][1].values
    columns[1] = {**columns[1], METADATA: (STRUCT, {**chunk(description, 1), SIZE: (I64, 250), DATA_PAGE: (I64, 4)})}
    columns[2] = {**columns[2], METADATA: (STRUCT, {**chunk(description, 2), SIZE: (I64, 250), DATA_PAGE: (I64, 4)})}
    for column in columns[1:3]:
        column[METADATA][1].pop(11, None)


IMPOSSIBLE = {
    "another type of a field": (setting(whole, ROWS, b"2", BINARY), "the field 3 of a file is of another type"),
    "no schema": (removing(whole, SCHEMA), "a file lacks the field 2"),
    "an empty schema": (setting(whole, SCHEMA, List(STRUCT, []), LIST), "it has no schema"),
    "a list of another type": (
        setting(whole, GROUPS, List(I32, [1]), LIST),
        "the field 4 of a file is of another type",
    ),
    "fewer columns than it says": (setting(lambda d: element(d, 0), 5, 9), "its schema has fewer columns than it says"),
    "more columns than it says": (setting(lambda d: element(d, 0), 5, 2), "its schema has more columns than it says"),
    "a negative number of columns": (setting(lambda d: element(d, 0), 5, -1), "it has no schema"),
    "nested too deeply": (deep, "its schema is nested more than 50 levels deep"),
    "a type that is none": (setting(element, 1, 8), 'its column "clients" has no possible type'),
    "no type": (removing(element, 1), 'its column "clients" has no possible type'),
    "a repetition that is none": (setting(element, 3, 7), 'its schema has an impossible column "clients"'),
    "a fixed width that is none": (setting(element, 1, 7), 'its column "clients" has no width'),
    "a name that is not UTF-8": (setting(element, 4, b"\xff", BINARY), "'utf-8' codec can't decode byte 0xff"),
    "two types of a column": (setting(chunk, KIND, 5), 'the column "clients" has two types'),
    "2^62 rows": (setting(whole, ROWS, 2**62, I64), "its groups of rows do not have the rows of the file"),
    "2^62 rows in a group": (
        setting(group, GROUP_ROWS, 2**62, I64),
        "a group of rows has 4,611,686,018,427,387,904 rows, expected fewer than 2^31",
    ),
    "negative rows": (setting(group, GROUP_ROWS, -1, I64), "a group of rows has -1 rows, expected fewer than 2^31"),
    "more values than rows": (
        setting(chunk, VALUES, 3, I64),
        'the column "clients" does not have one value for each row',
    ),
    "a negative size": (setting(chunk, BYTES, -1, I64), 'the column "clients" does not have one value for each row'),
    "a size that is too large": (
        setting(chunk, BYTES, 2**62, I64),
        'the column "clients" does not have one value for each row',
    ),
    "a place behind the end": (
        setting(chunk, DATA_PAGE, 10**6, I64),
        'the column "clients" does not lie within the file',
    ),
    "a place before the start": (
        setting(lambda d: chunk(d, 1), DATA_PAGE, -5, I64),
        'the column "rps" does not lie within the file',
    ),
    "columns that are the same bytes": (same_chunk_twice, "its columns overlap"),
    "a missing column": (
        lambda d: group(d)[COLUMNS][1].values.pop(),
        "a group of rows does not have the columns of the schema",
    ),
    "orders of other columns": (
        lambda d: d[ORDERS][1].values.pop(),
        "its column orders are not those of its columns",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_cannot_be_is_rejected(case):
    change, reason = IMPOSSIBLE[case]
    data = described(change)
    with pytest.raises(FleetFileError) as caught, open_fleet(Path("f.parquet"), io.BytesIO(data), provider="aws"):
        pass
    assert str(caught.value).startswith("f.parquet: not a Parquet file: ")
    assert reason in str(caught.value)


def test_an_encrypted_description_is_named():
    data = described()
    with (
        pytest.raises(FleetFileError, match="its metadata is encrypted"),
        open_fleet(Path("f.parquet"), io.BytesIO(data[:-4] + b"PARE"), provider="aws"),
    ):
        pass


@pytest.mark.parametrize(("length", "reason"), [(2**31, "larger than the file"), (0, "ends early")])
def test_the_length_of_the_metadata_is_checked(length, reason):
    data = described()
    data = data[:-8] + length.to_bytes(4, "little") + data[-4:]
    with pytest.raises(FleetFileError, match=reason), open_fleet(Path("f.parquet"), io.BytesIO(data), provider="aws"):
        pass


def test_metadata_that_is_too_large_is_rejected(monkeypatch):
    monkeypatch.setattr("etcdsize.files.parquet_description._MOST_DESCRIPTION", 100)
    with (
        pytest.raises(FleetFileError, match="its metadata is larger than 0 MiB; write it with larger row groups"),
        open_fleet(Path("f.parquet"), io.BytesIO(described()), provider="aws"),
    ):
        pass


def test_leaves_and_positions_are_those_of_pyarrow():
    table = FLEET.append_column("tags", pa.array([["x"], []]))
    data = described(table=table, row_group_size=1)
    found = read_description(len(data), lambda start, count: data[start : start + count])
    expected = pq.ParquetFile(io.BytesIO(data)).metadata
    assert [leaf.path for leaf in found.leaves] == [expected.schema.column(place).path for place in range(5)]
    assert [leaf.repeated for leaf in found.leaves] == [False, False, False, False, True]
    assert [leaf.depth for leaf in found.leaves] == [1, 1, 1, 2, 3]
    assert [len(field.leaves) for field in found.fields] == [1] * 5
    assert (found.rows, len(found.groups)) == (2, 2)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests" / "corpus" / "parquet").glob("*.parquet")), ids=lambda path: path.stem
)
def test_what_once_ended_the_process_is_rejected(path):
    with pytest.raises(FleetFileError, match="not a Parquet file"), open_fleet(path):
        pass
