"""Thrift's compact protocol: what real files hold is read and written again to the byte."""

import io

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize.files.thrift import (
    BINARY,
    BYTE,
    DOUBLE,
    FALSE,
    I16,
    I32,
    I64,
    LIST,
    MAP,
    SET,
    STRUCT,
    TRUE,
    UUID,
    List,
    read_struct,
    write_struct,
)

PLAIN = {
    I16: st.integers(-(2**15), 2**15 - 1),
    I32: st.integers(-(2**31), 2**31 - 1),
    I64: st.integers(-(2**63), 2**63 - 1),
    BINARY: st.binary(max_size=300),
    BYTE: st.binary(min_size=1, max_size=1),
    DOUBLE: st.binary(min_size=8, max_size=8),
    UUID: st.binary(min_size=16, max_size=16),
}


def elements(kind, structs):
    """Return values as they stand in a list."""
    if kind in (TRUE, FALSE):
        return st.sampled_from([TRUE, FALSE])
    return structs if kind == STRUCT else PLAIN[kind]


def typed(structs):
    kinds = st.sampled_from([*PLAIN, TRUE, STRUCT])

    def lists(kind):
        return st.builds(List, st.just(kind), st.lists(elements(kind, structs), max_size=20))

    def maps(pair):
        key, value = pair
        items = st.lists(st.tuples(elements(key, structs), elements(value, structs)), min_size=1, max_size=20)
        return st.tuples(st.just(key << 4 | value), items)

    return st.one_of(
        *(st.tuples(st.just(kind), values) for kind, values in PLAIN.items()),
        st.sampled_from([(TRUE, True), (FALSE, False)]),
        st.tuples(st.just(STRUCT), structs),
        st.tuples(st.sampled_from([LIST, SET]), kinds.flatmap(lists)),
        st.tuples(st.just(MAP), st.tuples(kinds, kinds).flatmap(maps) | st.just((0, []))),
    )


STRUCTS = st.recursive(
    st.just({}), lambda inner: st.dictionaries(st.integers(-(2**15), 2**15 - 1), typed(inner), max_size=5)
)


class TestRoundTrip:
    @given(STRUCTS)
    def test_any_structure(self, struct):
        assert read_struct(write_struct(struct)) == struct

    @pytest.mark.parametrize("by", ["pyarrow", "polars", "duckdb"])
    def test_what_real_files_hold(self, by, tmp_path):
        table = pa.table({"a": [1, None], "b": [["x"], []], "c": [{"d": 1.5}, None], "e": [True, False]})
        path = tmp_path / "real.parquet"
        if by == "pyarrow":
            pq.write_table(table, path)
        elif by == "polars":
            polars.from_arrow(table).write_parquet(path)
        else:
            duckdb.connect().from_arrow(table).write_parquet(str(path))
        data = path.read_bytes()
        description = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
        found = read_struct(description)
        assert write_struct(found) == description
        assert found[3][1] == pq.ParquetFile(io.BytesIO(data)).metadata.num_rows


class TestMalformed:
    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_rejected(self, data):
        try:
            found = read_struct(data)
        except ValueError:
            return
        assert read_struct(write_struct(found)) == found

    @pytest.mark.parametrize(
        "data", [b"", b"\x15", b"\x18\x7f", b"\x1c" * 100_000, b"\x1f\x00", b"\x19\xfc\xff\xff\x7f"]
    )
    def test_a_truncated_or_too_deep_structure_is_rejected(self, data):
        with pytest.raises(ValueError, match="not a Thrift structure"):
            read_struct(data)
