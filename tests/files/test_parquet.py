"""Parquet: typed columns in, the same columns out; a broken file is rejected."""

import datetime
import io
import json
import os
import random
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import etcdsize.files.parquet_copy
import etcdsize.files.parquet_pages
from etcdsize import FleetFileError
from etcdsize.batches.columns import ANSWERS
from etcdsize.files.fleet_file import open_fleet

ADDED = list(ANSWERS)
LOADS = {
    "clients": [1, 300, 2],
    "rps": [1.5, None, 9e3],
    "db_size": ["3MB", "1GB", "x"],
    "cloud": ["aws", "gcp", "gce"],
}


def parquet(table, **options):
    written = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), written, **options)
    return written.getvalue()


def sized(source, to=None, **options):
    written = io.BytesIO()
    with open_fleet(Path("fleet.parquet"), io.BytesIO(source), **options) as fleet:
        summary = fleet.run(stream=written, format=to)
    return summary, written.getvalue()


def rows_only(source, **options):
    """Return the summary of a run that writes nothing and reads the load alone."""
    with open_fleet(Path("fleet.parquet"), io.BytesIO(source), **options) as fleet:
        return fleet.run()


def rows_of(written):
    return pq.read_table(io.BytesIO(written))


OTHERS = {
    "int8": pa.array([1, None, -3], pa.int8()),
    "uint64": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "float16": pa.array([1.5, float("nan"), None], pa.float16()),
    "decimal": pa.array([Decimal("1.10"), None, Decimal("-9.99")], pa.decimal128(20, 2)),
    "date": pa.array([datetime.date(2026, 1, 2), None, None], pa.date32()),
    "when": pa.array([1, 2, None], pa.timestamp("ns", tz="Europe/Warsaw")),
    "took": pa.array([1, 2, None], pa.duration("ms")),
    "flag": pa.array([True, None, False]),
    "bytes": pa.array([b"\xff", b"", None]),
    "large": pa.array(["żółw", "", None], pa.large_string()),
    "kind": pa.array(["a", "b", None]).dictionary_encode(),
    "list": pa.array([[1, None], [], None]),
    "nested": pa.array([{"rps": 1, "x": {"clients": [1]}}, None, {"rps": None, "x": None}]),
    "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "nothing": pa.nulls(3),
    "rps.x": pa.array([1, 2, 3]),
}


@pytest.fixture(params=["copied", "written anew"])
def way(request, monkeypatch):
    """Columns are copied as they are, or where they cannot be, encoded again: the same table comes of both."""
    if request.param == "written anew":
        monkeypatch.setattr(etcdsize.files.parquet_copy, "_MOST_ROWS_OF_GROUP", 0)
    return request.param


@pytest.mark.usefixtures("way")
class TestOtherColumns:
    """Every other column keeps its type and its values, the file its metadata."""

    def test_types_and_values(self):
        table = pa.table({**OTHERS, **LOADS}).replace_schema_metadata({"owner": "platform"})
        summary, written = sized(parquet(table))
        found = rows_of(written)
        assert found.column_names == [*table.column_names, *ADDED]
        assert found.select(table.column_names).schema.equals(table.schema, check_metadata=False)
        for name in table.column_names:
            assert found[name].combine_chunks().equals(table[name].combine_chunks()) or name == "float16", name
        assert str(found["float16"]) == str(table["float16"])
        assert found.schema.metadata[b"owner"] == b"platform"
        assert found["tier"].to_pylist() == ["small", None, None]
        assert found["problem"].to_pylist() == [
            None, "rps: missing", 'db_size: got "x", expected bytes or a size such as "8GB" or "8GiB"'
        ]  # fmt: skip
        assert (summary.clusters, summary.not_sized) == (3, 2)

    def test_answers_are_text(self):
        schema = rows_of(sized(parquet(LOADS))[1]).schema
        kinds = [schema.field(name).type for name in ADDED]
        coded = pa.dictionary(pa.int32(), pa.string())
        others = {"problem": pa.string(), "cost_per_month": pa.float64()}
        assert kinds == [others.get(name, coded) for name in ADDED]

    def test_names_that_are_there_twice_or_look_like_paths(self):
        """Columns go by position, so another column of the same name, or a path, is never taken for the load."""
        arrays = [[9, 9], [1, 2], [{"rps": 7}, {"rps": 8}], [300, 4], [5, 6], ["aws", "gcp"], [8, 8]]
        names = ["x", "clients", "s", "s.rps", "db_size", "cloud", "x"]
        source = parquet(pa.table(list(map(pa.array, arrays)), names=names))
        summary, written = sized(source, columns={"requests_per_second": "s.rps"})
        assert summary.tiers == {"small": 1, "medium": 1, "large": 0, "xlarge": 0}
        assert [column.to_pylist() for column in pq.ParquetFile(io.BytesIO(written)).read().columns[:7]] == arrays
        assert rows_only(source, columns={"requests_per_second": "s.rps"}) == summary

    def test_no_rows(self):
        table = pa.table(LOADS).slice(0, 0)
        summary, written = sized(parquet(table))
        assert summary.clusters == 0
        assert rows_of(written).schema.names == [*LOADS, *ADDED]
        assert sized(parquet(table), to="csv")[1].decode() == ",".join([*LOADS, *ADDED]) + "\n"

    @pytest.mark.parametrize("limit", [1, 1024**2])
    def test_row_groups_and_batches(self, limit, monkeypatch):
        monkeypatch.setattr(etcdsize.files.parquet_pages, "BATCH_BYTES", limit)
        rows = 5000
        table = pa.table({"clients": range(rows), "rps": [1] * rows, "data": [1] * rows, "x": ["y" * 50] * rows})
        progress = []
        with open_fleet(Path("f.parquet"), io.BytesIO(parquet(table, row_group_size=700)), provider="aws") as fleet:
            assert fleet.work == (rows, " rows")
            written = io.BytesIO()
            summary = fleet.run(stream=written, progress=progress.append)
        assert sum(progress) == rows
        assert (len(progress) > 8) == (limit == 1)
        assert summary.tiers == {"small": 101, "medium": 400, "large": 1000, "xlarge": 3499}
        assert rows_of(written.getvalue())["clients"].to_pylist() == list(range(rows))


def writers():
    """Return a file as each library writes it, and its rows."""
    table = pa.table({**{name: OTHERS[name] for name in ("decimal", "large", "list", "date")}, **LOADS})
    table = pa.concat_tables([table] * 500).combine_chunks()
    polars_file = io.BytesIO()
    polars.from_arrow(table).write_parquet(polars_file, row_group_size=333, compression="zstd")
    connection = duckdb.connect()
    connection.register("fleet", table)
    with tempfile.TemporaryDirectory() as folder:
        connection.sql("select * from fleet").write_parquet(f"{folder}/duck.parquet", row_group_size=2048)
        duckdb_file = Path(folder, "duck.parquet").read_bytes()
    kept = {"row_group_size": 400, "write_page_index": True, "sorting_columns": [pq.SortingColumn(4)]}
    return {
        "pyarrow": parquet(table, **kept),
        "pyarrow v1, plain": parquet(table, version="1.0", use_dictionary=False, store_schema=False),
        "pyarrow v2 pages, brotli": parquet(table, data_page_version="2.0", compression="brotli", row_group_size=77),
        "polars": polars_file.getvalue(),
        "duckdb": duckdb_file,
    }


WRITERS = writers()


def chunk_bytes(data, group, column):
    """Return the bytes of one column of one group of rows."""
    told = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(group).column(column)
    start = told.data_page_offset if told.dictionary_page_offset is None else told.dictionary_page_offset
    return data[start : start + told.total_compressed_size]


class TestCopied:
    """From Parquet to Parquet the columns are copied byte for byte, whoever wrote the file."""

    @pytest.mark.parametrize("by", WRITERS)
    def test_bytes_and_statistics(self, by):
        source = WRITERS[by]
        _, written = sized(source)
        before, after = (pq.ParquetFile(io.BytesIO(data)).metadata for data in (source, written))
        assert after.created_by == before.created_by
        assert after.num_row_groups == before.num_row_groups
        for group in range(before.num_row_groups):
            for column in range(before.num_columns):
                assert chunk_bytes(written, group, column) == chunk_bytes(source, group, column)
                one, other = (m.row_group(group).column(column) for m in (before, after))
                assert one.encodings == other.encodings
                assert (one.statistics and one.statistics.to_dict()) == (
                    other.statistics and other.statistics.to_dict()
                )
            assert after.row_group(group).total_byte_size == sum(
                after.row_group(group).column(column).total_uncompressed_size for column in range(after.num_columns)
            )

    @pytest.mark.parametrize("by", WRITERS)
    @pytest.mark.parametrize("columns", [None, ["*", "tier"], ["cloud", "list", "problem", "clients"], ["list"]])
    def test_every_reader_reads_it(self, by, columns, tmp_path):
        path = tmp_path / "sized.parquet"
        (tmp_path / "fleet.parquet").write_bytes(WRITERS[by])
        with open_fleet(tmp_path / "fleet.parquet") as fleet:
            fleet.run(path, columns=columns)
        expected = rows_of(WRITERS[by])
        names = [*expected.column_names, *ADDED] if columns is None else columns
        kept = [name for name in names if name in expected.column_names]
        added = [name for name in ADDED if name in names or (columns and "tier" in columns and name == "tier")]
        kept = expected.column_names if columns and "*" in columns else kept
        found = pq.read_table(path)
        assert found.column_names == [*kept, *added]
        for name in kept:
            assert found[name].combine_chunks().equals(expected[name].combine_chunks()), name
        tiers = [["small", None, None][row % 3] for row in range(1500)]
        if "tier" in added:
            assert found["tier"].to_pylist() == tiers
        assert polars.read_parquet(path).to_arrow().select(kept).to_pydict() == expected.select(kept).to_pydict()
        rows = duckdb.connect().sql(f"select * from read_parquet('{path}')").to_arrow_table()
        assert rows.select(kept).to_pydict() == expected.select(kept).to_pydict()
        if added:
            assert rows[added[0]].to_pylist() == polars.read_parquet(path)[added[0]].to_list()
        # A filter that uses the statistics finds the rows.
        if "clients" in kept:
            assert pq.read_table(path, filters=[("clients", "=", 300)]).num_rows == 500

    def test_what_no_longer_holds_is_left_out(self):
        """Indexes lie elsewhere in a file, and Spark's own list of columns lacks the answers."""
        spark = "org.apache.spark.sql.parquet.row.metadata"
        table = pa.table(LOADS).replace_schema_metadata({spark: "{}", "owner": "platform"})
        _, written = sized(parquet(table, write_page_index=True, bloom_filter_options={"clients": {"ndv": 10}}))
        told = pq.ParquetFile(io.BytesIO(written)).metadata
        assert spark.encode() not in told.metadata
        assert told.metadata[b"owner"] == b"platform"
        assert not told.row_group(0).column(0).has_offset_index
        assert told.row_group(0).column(0).to_dict()["bloom_filter_offset"] is None

    @pytest.mark.parametrize("rows", [(0,), (0, 2, 0, 0, 1), (3, 0)])
    def test_groups_without_rows(self, rows):
        written = io.BytesIO()
        table = pa.table({"clients": [1, 2, 300], "rps": [1, 1, 1], "data": [1, 1, 1]})
        with pq.ParquetWriter(written, table.schema) as writer:
            at = 0
            for count in rows:
                writer.write_table(table.slice(at, count))
                at += count
        found = rows_of(sized(written.getvalue(), provider="aws")[1])
        assert found["tier"].to_pylist() == ["small", "small", "medium"][:at]

    def test_one_thread_or_many(self, tmp_path):
        """Files are read and written by threads; a stream in memory by one."""
        (tmp_path / "fleet.parquet").write_bytes(WRITERS["pyarrow"])
        with open_fleet(tmp_path / "fleet.parquet") as fleet:
            fleet.run(tmp_path / "sized.parquet")
        assert (tmp_path / "sized.parquet").read_bytes() == sized(WRITERS["pyarrow"])[1]

    def test_a_file_truncated_while_it_is_copied(self, tmp_path):
        source, target = tmp_path / "fleet.parquet", tmp_path / "sized.parquet"
        source.write_bytes(WRITERS["polars"])
        target.write_text("old")
        with open_fleet(source) as fleet:
            batches = fleet.reader.read

            def cut(*arguments):
                found = list(batches(*arguments))
                os.truncate(source, 300)
                yield from found

            fleet.reader.read = cut
            with pytest.raises(FleetFileError) as caught:
                fleet.run(target, force=True)
        assert str(caught.value) == f"{source}: cannot be read: it ends early"
        assert target.read_text() == "old"


class TestAsText:
    def test_typed_columns_as_csv(self):
        others = {
            name: OTHERS[name] for name in ("int8", "uint64", "decimal", "date", "flag", "large", "kind", "nothing")
        }
        _, written = sized(parquet({**others, **LOADS}), to="csv")
        first, second, third = (line.rsplit(",", len(ADDED))[0] for line in written.decode().splitlines()[1:])
        assert first == f"1,{2**64 - 1},1.10,2026-01-02,true,żółw,a,,1,1.5,3MB,aws"
        assert second == ",0,,,,,b,,300,,1GB,gcp"
        assert third.startswith("-3,,-9.99,,false,,,,2,9000,x,gce")

    def test_json_lines(self):
        names = ("int8", "uint64", "decimal", "flag", "large", "kind", "list", "nested", "nothing", "float16")
        extra = {"deep": pa.array([[float("nan"), 1.0], None, []]), "ns": pa.array([1, 2, None], pa.timestamp("ns"))}
        _, written = sized(parquet({**{name: OTHERS[name] for name in names}, **extra, **LOADS}), to="jsonl")
        first = json.loads(written.decode().splitlines()[0], parse_constant=pytest.fail)
        assert {name: first[name] for name in (*names, *extra)} == {
            "int8": 1, "uint64": 2**64 - 1, "decimal": "1.10", "flag": True, "large": "żółw", "kind": "a",
            "list": [1, None], "nested": {"rps": 1, "x": {"clients": [1]}}, "nothing": None, "float16": 1.5,
            "deep": [None, 1.0], "ns": "1970-01-01 00:00:00.000000001",
        }  # fmt: skip
        assert json.loads(written.decode().splitlines()[1])["float16"] is None

    @pytest.mark.parametrize(
        ("name", "to", "kind"), [("list", "csv", "list<element: int64>"), ("bytes", "csv", "binary"),
                                 ("bytes", "jsonl", "binary"), ("nested", "tsv", "struct<")]
    )  # fmt: skip
    def test_what_text_cannot_hold(self, name, to, kind):
        with pytest.raises(FleetFileError) as caught:
            sized(parquet({**LOADS, name: OTHERS[name]}), to=to)
        assert str(caught.value).startswith(f'column "{name}": {kind}')
        assert str(caught.value).endswith("write Parquet instead")


class TestMalformed:
    @pytest.mark.parametrize("source", [b"PAR1", b"not parquet at all", b"PAR1" * 100])
    def test_another_format_is_rejected(self, source):
        with pytest.raises(FleetFileError, match=r"^fleet\.parquet: not a Parquet file: "):
            sized(source)

    def test_an_empty_file_is_rejected(self):
        with pytest.raises(FleetFileError) as caught:
            sized(b"")
        assert str(caught.value) == "fleet.parquet: empty, expected a Parquet file"

    def test_a_column_of_another_type_is_rejected(self):
        with pytest.raises(FleetFileError) as caught:
            sized(parquet({**LOADS, "clients": [True, False, True]}))
        assert str(caught.value) == 'fleet.parquet: column "clients": got the type bool, expected numbers or text'

    def test_a_damaged_file_is_read_or_rejected(self):
        """A file with bytes changed is read or rejected; nothing else happens."""
        source = parquet({**LOADS, **{name: OTHERS[name] for name in ("list", "large")}}, compression="none")
        draw = random.Random(1)
        refused = 0
        for _ in range(300):
            damaged = bytearray(source)
            for _ in range(draw.choice([1, 3, 10])):
                damaged[draw.randrange(4, len(damaged) - 8)] = draw.randrange(256)
            try:
                sized(bytes(damaged))
            except FleetFileError:
                refused += 1
        assert refused > 20
        for length in range(0, len(source), 37):
            with pytest.raises(FleetFileError):
                sized(source[:length])


def test_from_a_pipe():
    """The description of a Parquet file is at its end; a pipe is kept until then."""
    source = parquet(LOADS)
    end, start = os.pipe()
    os.write(start, source)
    os.close(start)
    with os.fdopen(end, "rb") as stream, open_fleet(Path("-"), stream, format="parquet") as fleet:
        assert fleet.run().clusters == 3
