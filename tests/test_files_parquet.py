"""Parquet: typed columns in, the same columns out; a file that is broken is refused."""

import datetime
import io
import json
import os
import random
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import etcdsize.files.parquet
from etcdsize import FleetFileError
from etcdsize.fleet import open_fleet

ADDED = ["tier", "machine_type", "forced_by", "tightest", "problem"]
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
        assert kinds == [pa.dictionary(pa.int32(), pa.string())] * 4 + [pa.string()]

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
        monkeypatch.setattr(etcdsize.files.parquet, "_BATCH_BYTES", limit)
        rows = 5000
        table = pa.table({"clients": range(rows), "rps": [1] * rows, "data": [1] * rows, "x": ["y" * 50] * rows})
        progress = []
        with open_fleet(Path("f.parquet"), io.BytesIO(parquet(table, row_group_size=700)), provider="aws") as fleet:
            assert fleet.work == (rows, " rows")
            written = io.BytesIO()
            summary = fleet.run(stream=written, progress=progress.append)
        assert sum(progress) == rows
        assert (len(progress) > 4) == (limit == 1)
        assert summary.tiers == {"small": 101, "medium": 400, "large": 1000, "xlarge": 3499}
        assert rows_of(written.getvalue())["clients"].to_pylist() == list(range(rows))


class TestAsText:
    def test_csv(self):
        others = {
            name: OTHERS[name] for name in ("int8", "uint64", "decimal", "date", "flag", "large", "kind", "nothing")
        }
        _, written = sized(parquet({**others, **LOADS}), to="csv")
        first, second, third = (line.rsplit(",", 5)[0] for line in written.decode().splitlines()[1:])
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


class TestRefused:
    @pytest.mark.parametrize("source", [b"PAR1", b"not parquet at all", b"PAR1" * 100])
    def test_not_parquet(self, source):
        with pytest.raises(FleetFileError, match=r"^fleet\.parquet: not a Parquet file: "):
            sized(source)

    def test_empty(self):
        with pytest.raises(FleetFileError) as caught:
            sized(b"")
        assert str(caught.value) == "fleet.parquet: empty, expected a Parquet file"

    def test_a_type_that_is_no_load(self):
        with pytest.raises(FleetFileError) as caught:
            sized(parquet({**LOADS, "clients": [True, False, True]}))
        assert str(caught.value) == 'fleet.parquet: column "clients": got the type bool, expected numbers or text'

    def test_damage(self):
        """A file with bytes changed is read or refused; nothing else happens."""
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
