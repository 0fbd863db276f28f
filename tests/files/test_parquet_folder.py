"""A folder of Parquet files is one file, with the columns that its folders stand for."""

import datetime
import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from program import ENVIRONMENT

from etcdsize import FleetFileError
from etcdsize.files.fleet_file import open_fleet

CLUSTERS = pa.table(
    {
        "name": ["a", "b", "c", "d"],
        "clients": [90, 300, 1200, 50],
        "rps": [150.0, 800.0, 9999.0, 20.0],
        "data": [80, 400_000_000, 1_000_000_000, 5_000_000],
        "region": ["eu/1", "us", "eu/1", None],
        "provider": ["aws", "gce", "aws", "aws"],
    }
)
TIERS = {"a": "small", "b": "medium", "c": "large", "d": "small"}
OTHER = ["name", "clients", "rps", "data"]


def by_arrow(folder):
    pq.write_to_dataset(CLUSTERS, folder, partition_cols=["region", "provider"])


def by_pandas(folder):
    CLUSTERS.to_pandas().to_parquet(folder, partition_cols=["region", "provider"], index=False)


def by_duckdb(folder):
    clusters = CLUSTERS  # noqa: F841 - DuckDB finds it by its name
    duckdb.sql(f"COPY (FROM clusters) TO '{folder}' (FORMAT parquet, PARTITION_BY (region, provider))")


def like_spark(folder):
    """Write what Spark leaves: marks of success, check sums, and a file for each task."""
    by_arrow(folder)
    (folder / "_SUCCESS").touch()
    (folder / "_temporary" / "0").mkdir(parents=True)
    (folder / "_temporary" / "0" / "part-9.parquet").write_bytes(b"half")
    for path in list(folder.rglob("*.parquet")):
        (path.parent / f".{path.name}.crc").write_bytes(b"crc\0")


WRITERS = pytest.mark.parametrize("write", [by_arrow, by_pandas, by_duckdb, like_spark])


def sized(folder, to="parquet", **options):
    written = io.BytesIO()
    with open_fleet(folder, **options) as fleet:
        total, unit = fleet.work
        done = []
        summary = fleet.run(stream=written, format=to, progress=done.append)
    assert (sum(done), unit) == (total, " rows")
    return summary, written.getvalue()


def error_of(folder, **options):
    with pytest.raises(FleetFileError) as caught, open_fleet(folder, **options) as fleet:
        fleet.run()
    return str(caught.value)


@WRITERS
class TestWriters:
    def test_the_columns_of_the_folders_are_read_and_written(self, write, tmp_path):
        write(tmp_path / "clusters")
        summary, written = sized(tmp_path / "clusters")
        assert (summary.clusters, summary.not_sized) == (4, 0)
        table = pq.read_table(io.BytesIO(written))
        rows = {row["name"]: row for row in table.to_pylist()}
        assert {name: row["tier"] for name, row in rows.items()} == TIERS
        assert {name: rows[name]["machine_type"][:2] for name in "ab"} == {"a": "m4", "b": "n1"}
        expected = {row["name"]: row for row in CLUSTERS.to_pylist()}
        assert {name: {key: row[key] for key in expected[name]} for name, row in rows.items()} == expected
        assert table.column_names[:6] == [*OTHER, "region", "provider"]
        assert table.schema.field("region").type == pa.string()

    def test_to_csv(self, write, tmp_path):
        write(tmp_path / "clusters")
        _, written = sized(tmp_path / "clusters", to="csv")
        header, *lines = written.decode().splitlines()
        assert header.startswith("name,clients,rps,data,region,provider,tier,")
        assert {line.split(",")[0]: line.split(",")[4] for line in lines} == {
            "a": "eu/1",
            "b": "us",
            "c": "eu/1",
            "d": "",
        }


class TestOrder:
    def test_rows_come_in_the_order_of_the_names(self, tmp_path):
        for place in (10, 9, 2, 1):
            pq.write_table(CLUSTERS.slice(place % 4, 1), tmp_path / f"part-{place:02}.parquet")
        _, written = sized(tmp_path)
        assert pq.read_table(io.BytesIO(written))["name"].to_pylist() == ["b", "c", "b", "c"]

    def test_columns_in_another_order(self, tmp_path):
        pq.write_table(CLUSTERS, tmp_path / "a.parquet")
        pq.write_table(CLUSTERS.select(CLUSTERS.column_names[::-1]), tmp_path / "b.parquet")
        _, written = sized(tmp_path)
        table = pq.read_table(io.BytesIO(written))
        assert (
            table.select(CLUSTERS.column_names).slice(0, 4).to_pydict()
            == table.select(CLUSTERS.column_names).slice(4).to_pydict()
        )

    def test_a_load_that_only_the_folders_have(self, tmp_path):
        folder = tmp_path / "clients=90" / "rps=150" / "data_mb=80" / "provider=aws"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"name": ["a", "b"]}), folder / "part.parquet")
        assert sized(tmp_path)[0].tiers["small"] == 2

    def test_a_column_that_the_files_have_as_well(self, tmp_path):
        """Polars writes it into the files too: what the files have counts."""
        frame = polars.from_arrow(CLUSTERS.slice(0, 3))
        frame.write_parquet(polars.PartitionBy(tmp_path / "clusters", key="provider", include_key=True), mkdir=True)
        _, written = sized(tmp_path / "clusters")
        assert pq.read_table(io.BytesIO(written)).column_names[:6] == CLUSTERS.column_names

    def test_one_file_is_copied_as_it_is_and_a_folder_is_not(self, tmp_path):
        pq.write_table(CLUSTERS, tmp_path / "a.parquet", row_group_size=1)
        _, written = sized(tmp_path)
        assert pq.read_table(io.BytesIO(written)).select(CLUSTERS.column_names).equals(CLUSTERS)

    @pytest.mark.slow
    def test_many_files_need_few_descriptors(self, tmp_path):
        pq.write_table(CLUSTERS, tmp_path / "first.parquet")
        for place in range(300):
            os.link(tmp_path / "first.parquet", tmp_path / f"{place}.parquet")
        fleet = shlex.join([sys.executable, "-m", "etcdsize", "fleet", str(tmp_path)])
        run = subprocess.run(
            ["sh", "-c", f"ulimit -n 64; exec {fleet}"],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.stdout.startswith("1204 clusters: 1204 sized"), run.stderr


class TestRefused:
    """One message, which names the file."""

    def write(self, path, table):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)

    @pytest.mark.parametrize(
        ("change", "what"),
        [
            (lambda table: table.drop_columns("rps"), 'no column "rps", expected it'),
            (lambda table: table.append_column("x", [[1] * 4]), 'a column "x", expected the columns'),
            (
                lambda table: table.set_column(1, "clients", table["clients"].cast(pa.int32())),
                'the column "clients" as int32, expected int64',
            ),
            (
                lambda table: table.set_column(4, "region", pa.nulls(4)),
                'the column "region" as null, expected string',
            ),
        ],
    )
    def test_another_schema(self, change, what, tmp_path):
        self.write(tmp_path / "a.parquet", CLUSTERS)
        self.write(tmp_path / "b.parquet", change(CLUSTERS))
        assert error_of(tmp_path) == (
            f"{tmp_path / 'b.parquet'}: has {what} as in {tmp_path / 'a.parquet'}; write all files with one schema"
        )

    def test_other_folders(self, tmp_path):
        self.write(tmp_path / "a=1" / "a.parquet", CLUSTERS)
        self.write(tmp_path / "b=1" / "a.parquet", CLUSTERS)
        assert "has the folders b=…, expected a=… as in" in error_of(tmp_path)
        self.write(tmp_path / "a.parquet", CLUSTERS)
        assert "has the folders a=…, expected none as in" in error_of(tmp_path)

    @pytest.mark.parametrize("inner", ["eu", "=eu", "a=1/a=2"])
    def test_a_folder_that_names_no_column(self, inner, tmp_path):
        self.write(tmp_path / inner / "a.parquet", CLUSTERS)
        assert error_of(tmp_path) == (
            f"{tmp_path / inner}: a folder in a folder of Parquet files, expected the name of a column and its value, "
            "such as region=eu; rename it, or size it by itself"
        )

    def test_a_link_to_itself(self, tmp_path):
        self.write(tmp_path / "a.parquet", CLUSTERS)
        (tmp_path / "a=1").symlink_to(tmp_path)
        assert error_of(tmp_path).startswith(f"{tmp_path / 'a=1' / 'a=1'}: a folder in a folder")

    def test_nothing_in_it(self, tmp_path):
        (tmp_path / "_SUCCESS").touch()
        (tmp_path / "a=1").mkdir()
        assert error_of(tmp_path) == (
            f"{tmp_path}: a folder without files, expected Parquet files in it, such as part-0.parquet"
        )

    def test_another_file(self, tmp_path):
        self.write(tmp_path / "a.parquet", CLUSTERS)
        (tmp_path / "notes.txt").write_text("ours")
        assert error_of(tmp_path) == (
            f"{tmp_path / 'notes.txt'}: not a Parquet file, expected nothing else in a folder that is read; move it "
            "away, or size it by itself"
        )

    def test_another_format(self, tmp_path):
        assert error_of(tmp_path, format="csv") == (
            f"{tmp_path}: a folder, expected a file for the format csv; a folder is read if it holds Parquet files"
        )

    @pytest.mark.parametrize("damage", ["empty", "cut", "page"])
    def test_every_file_is_checked(self, damage, tmp_path):
        """The last of many is checked as a single file is, and no output appears."""
        for place in range(3):
            self.write(tmp_path / "in" / f"part-{place}.parquet", CLUSTERS)
        last = tmp_path / "in" / "part-2.parquet"
        content = last.read_bytes()
        # The header of the first page comes right after the mark.
        harmed = {"empty": b"", "cut": content[:-9], "page": content[:4] + b"\xff" * 8 + content[12:]}[damage]
        last.write_bytes(harmed)
        with pytest.raises(FleetFileError) as caught, open_fleet(tmp_path / "in") as fleet:
            fleet.run(tmp_path / "out.parquet")
        assert str(caught.value).startswith(f"{last}: ")
        assert [path.name for path in tmp_path.iterdir()] == ["in"]

    @pytest.mark.parametrize(
        ("entry", "title", "hint"),
        [
            ("_delta_log/0.json", "a Delta Lake table", "duckdb -c"),
            ("metadata/v1.metadata.json", "an Apache Iceberg table", "duckdb -c"),
            (".hoodie/hoodie.properties", "an Apache Hudi table", "write its current rows to one Parquet file first"),
        ],
    )
    def test_a_table_with_deleted_rows(self, entry, title, hint, tmp_path):
        """Its files hold rows that are no longer in it: to read them all is wrong."""
        self.write(tmp_path / "a.parquet", CLUSTERS)
        (tmp_path / entry).parent.mkdir()
        (tmp_path / entry).touch()
        message = error_of(tmp_path)
        assert message.startswith(f"{tmp_path}: got {title}, whose files may hold rows that were deleted, expected")
        assert hint in message

    def test_an_output_in_it(self, tmp_path):
        self.write(tmp_path / "in" / "a=1" / "a.parquet", CLUSTERS)
        (tmp_path / "link").symlink_to(tmp_path / "in" / "a=1")
        for output in (tmp_path / "in" / "out.parquet", tmp_path / "link" / "out.csv"):
            with open_fleet(tmp_path / "in") as fleet, pytest.raises(FleetFileError) as caught:
                fleet.run(output)
            assert str(caught.value) == f"{output}: is in the input folder {tmp_path / 'in'}; write elsewhere"


def test_the_command_line(tmp_path):
    by_arrow(tmp_path / "clusters")
    command = [sys.executable, "-m", "etcdsize", "fleet", "clusters", "-o", "sized.csv.gz"]
    run = subprocess.run(command, env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("4 clusters: 4 sized")
    assert Path(tmp_path, "sized.csv.gz").stat().st_size


def test_other_columns_keep_their_types(tmp_path):
    others = {
        "when": pa.array([datetime.datetime(2026, 1, 2, 3)] * 4, pa.timestamp("ns")),
        "nested": [{"a": [1]}, None, {"a": []}, {"a": None}],
        "coded": pa.array(["x", "y", "x", None]).dictionary_encode(),
    }
    table = pa.table({**{name: CLUSTERS[name] for name in CLUSTERS.column_names}, **others})
    pyarrow.dataset.write_dataset(
        table, tmp_path, format="parquet", partitioning=["region"], partitioning_flavor="hive"
    )
    _, written = sized(tmp_path)
    back = {row["name"]: row for row in pq.read_table(io.BytesIO(written)).to_pylist()}
    for row in table.to_pylist():
        assert {name: back[row["name"]][name] for name in others} == {name: row[name] for name in others}
