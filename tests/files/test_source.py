"""What an input is: by its name, by its content, and by a name that its content contradicts."""

import io
import json
import lzma
import os
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest
from needs import program

from etcdsize import FleetFileError
from etcdsize.files.fleet_file import open_fleet
from etcdsize.files.foreign import FOREIGN, conversion, foreign_by_content
from etcdsize.files.registry import formats

TABLE = pa.table({"clients": [90, 300], "rps": [150, 800], "data": [80, 400], "cloud": ["aws", "gce"]})
CSV = "clients,rps,data,cloud\n90,150,80,aws\n300,800,400,gce\n"
JSONL = "".join(json.dumps(row) + "\n" for row in TABLE.to_pylist())


def parquet():
    written = io.BytesIO()
    pq.write_table(TABLE, written)
    return written.getvalue()


def error_of(path, stream=None, **options):
    with pytest.raises(FleetFileError) as caught, open_fleet(path, stream, **options):
        pass
    assert str(caught.value).startswith("standard input: " if str(path) == "-" else f"{path}: ")
    return str(caught.value)


def sqlite(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE clusters (clients, rps, data, cloud)")
        database.execute("INSERT INTO clusters VALUES (90, 150, 80, 'aws')")
    database.close()


def tar(path):
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("clusters.csv")
        member.size = len(CSV)
        archive.addfile(member, io.BytesIO(CSV.encode()))


def tar_gz(path):
    tar(path.with_suffix(""))
    with path.open("wb") as output:
        subprocess.run(["gzip", "-c", path.with_suffix("")], check=True, stdout=output)


def packed(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("clusters.csv", CSV)


def xz(path):
    path.write_bytes(lzma.compress(CSV.encode()))


def duck(path):
    with duckdb.connect(path) as database:
        database.execute("CREATE TABLE clusters AS SELECT 90 AS clients")


WRITERS = {
    "clusters.orc": ("an ORC file", lambda path: pa.orc.write_table(TABLE, path)),
    "clusters.feather": ("an Arrow file", lambda path: pa.feather.write_feather(TABLE, path)),
    "polars.arrow": ("an Arrow file", lambda path: polars.from_arrow(TABLE).write_ipc(path)),
    "avro.avro": ("an Avro file", lambda path: polars.from_arrow(TABLE).write_avro(path)),
    "clusters.sqlite": ("an SQLite database", sqlite),
    "clusters.duckdb": ("a DuckDB database", duck),
    "clusters.csv.tar": ("a tar archive", tar),
    "clusters.tar.gz": ("a tar archive", tar_gz),
    "clusters.csv.zip": ("a zip archive", packed),
    "clusters.csv.xz": ("an xz file", xz),
    "clusters.html": ("an HTML page", lambda path: TABLE.to_pandas().to_html(path)),
    "clusters.yaml": ("a YAML file", lambda path: path.write_text("---\n- clients: 90\n  rps: 150\n")),
    "list.yml": ("a YAML file", lambda path: path.write_text("# ours\n- clients: 90\n  rps: 150\n")),
}


@pytest.mark.parametrize("name", WRITERS)
class TestForeign:
    """What is not read is named for what it is, by its content and by its name, with the command that converts it."""

    def test_by_content(self, name, tmp_path):
        title, write = WRITERS[name]
        path = tmp_path / name
        write(path)
        content = path.read_bytes()
        for other, format_ in (
            ("clusters", None),
            ("clusters.csv", None),
            ("-", None),
            ("-", "jsonl"),
            ("x", "parquet"),
        ):
            message = error_of(Path(other), io.BytesIO(content), format=format_)
            assert f": got {title}, expected " in message
            assert "; first run: " in message

    def test_by_name(self, name, tmp_path):
        title, _ = WRITERS[name]
        message = error_of(Path(name.removesuffix(".gz")), io.BytesIO(b"nothing that is known"))
        assert f": the name says {title}, expected csv, " in message
        assert message.endswith("; if it is something else, give its format")


@pytest.mark.parametrize(
    "name", ["clusters.orc", "clusters.feather", "polars.arrow", "clusters.csv.tar", "clusters.csv.xz"]
)
def test_the_command_converts_it(name, tmp_path):
    """What the command in the message writes is sized, whatever the file is called."""
    path = tmp_path / f"it's {name}"
    WRITERS[name][1](path)
    command = error_of(path).split("; first run: ")[1]
    program(command.split()[0], "xz-utils, tar")
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-c", command], check=True, env={**os.environ, "PATH": paths})
    (made,) = set(tmp_path.iterdir()) - {path}
    with open_fleet(made) as fleet:
        assert fleet.run().clusters == 2


class TestContent:
    """The format is found by the content where that is sure; text may be anything, so that CSV is never guessed."""

    @pytest.mark.parametrize(
        ("content", "kind"),
        [(parquet(), "parquet"), (JSONL.encode(), "jsonl"), (b"\xef\xbb\xbf " + JSONL.encode(), "jsonl")],
    )
    @pytest.mark.parametrize("name", ["-", "clusters", "clusters.data"])
    def test_found(self, name, content, kind):
        with open_fleet(Path(name), io.BytesIO(content)) as fleet:
            assert fleet.opened.format.name == kind
            assert fleet.run().clusters == 2

    @pytest.mark.parametrize(
        "content", [b"", CSV.encode(), b"{x", b"[1, 2]", b"PAR1,clients\n", b"ORC,clients\n", b"BZh9,a\n"]
    )
    def test_not_sure(self, content):
        for name, said in (("clusters", "clusters"), ("-", "standard input or output")):
            with pytest.raises(FleetFileError) as caught, open_fleet(Path(name), io.BytesIO(content)):
                pass
            assert str(caught.value) == (
                f"{said}: the name does not say the format; give the format, one of {', '.join(formats())}"
            )

    @pytest.mark.parametrize(
        ("name", "content", "kind"),
        [
            ("clusters.csv", parquet(), "parquet"),
            ("clusters.jsonl", parquet(), "parquet"),
            ("clusters.tsv", JSONL.encode(), "jsonl"),
            ("clusters.parquet", JSONL.encode(), "jsonl"),
        ],
    )
    def test_a_name_that_the_content_contradicts(self, name, content, kind):
        said = name.split(".")[1]
        assert error_of(Path(name), io.BytesIO(content)) == (
            f"{name}: got {kind}, expected {said}; give the format {kind}, or rename the file"
        )
        with open_fleet(Path(name), io.BytesIO(content), format=kind) as fleet:
            assert fleet.run().clusters == 2

    @pytest.mark.parametrize(
        "header",
        ["ORC", "FEA1", "ARROW1", "PAR1", "BZh91", "Rar!", "7z", "Obj", "PK", "name,id,DUCK", "x" * 257 + "ustar"],
    )
    def test_text_that_begins_like_a_mark(self, header):
        """Marks of printable letters count only where control characters follow."""
        text = f"{header},clients,rps,data,cloud\n{',' * header.count(',')},90,150,80,aws\n"
        with open_fleet(Path("clusters.csv"), io.BytesIO(text.encode())) as fleet:
            assert fleet.run().not_sized == 0


class TestConversion:
    @pytest.mark.parametrize("known", FOREIGN, ids=lambda known: known.title)
    def test_names_are_words_of_the_shell(self, known, tmp_path):
        path = tmp_path / "a'b $(touch harmed) `x`;.csv"
        command = conversion(path, known.command)
        assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0
        subprocess.run(["sh", "-c", f"true {command.replace('>', '')}"], check=True, cwd=tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_written_over_what_is_read(self):
        assert conversion(Path("d/clusters.csv"), "x {file} > {csv}") == "x d/clusters.csv > d/new-clusters.csv"
        assert conversion(Path("clusters"), "x {file} > {stem}") == "x clusters > new-clusters"
        assert conversion(Path("-"), "x {file} > {stem}") == "x FILE > new-FILE"

    def test_nothing_is_recognized_in_nothing(self):
        assert foreign_by_content(b"") is None
