"""Files that are made to take all memory or time, sized by real processes: each ends soon, in bounded memory."""

import json
import subprocess
import sys
import time
import zipfile

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from program import ENVIRONMENT

from etcdsize.files.compression import open_compressed

LONG = "x" * 35_000_000
"""Two of them are more than a batch takes, which is 64 MiB."""
ROWS = 300_000
SECONDS = 60
"""Some take a few seconds; a machine that does other work meanwhile may take ten times as long."""


def parquet(path, columns, **options):
    options = {"write_statistics": False, "compression": "zstd", "store_schema": False, **options}
    pq.write_table(pa.table(columns), path, write_batch_size=ROWS, **options)


def repeated(text, rows=ROWS):
    return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [text])


def dictionary(path, column):
    """Write a small file in whose column every row is the same 35 MB."""
    loads = {name: np.ones(ROWS, np.int64) for name in ("clients", "rps", "data")}
    parquet(path, {**loads, "provider": repeated("aws"), column: repeated(LONG)})
    assert path.stat().st_size < 100_000


def compressed(path, kind):
    """Write pages that become a thousand times as large."""
    loads = {name: np.ones(ROWS, np.int64) for name in ("clients", "rps", "data")}
    parquet(path, {**loads, "note": ["y" * 500] * ROWS}, compression=kind, use_dictionary=False)


def cells(path):
    """Write cells of 35 MB."""
    rows = [(1, 1, LONG, "m5.large"), (1, 1, 1, LONG), (1, 1, 1, "m5.large")]
    names = ("clients", "rps", "data", "current_machine")
    match path.suffix:
        case ".csv":
            path.write_text("\n".join(",".join(map(str, row)) for row in (names, *rows)) + "\n")
        case ".jsonl":
            path.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
        case _:
            parquet(path, {name: [str(row[place]) for row in rows] for place, name in enumerate(names)})


def columns(path):
    """Write many columns."""
    names = [*(f"column {place}" for place in range(11_000)), "clients", "rps", "data"]
    match path.suffix:
        case ".csv":
            path.write_text(f"{','.join(names)}\n" + f"{','.join('1' * len(names))}\n" * 10)
        case ".jsonl":
            path.write_text((json.dumps(dict.fromkeys(names, 1)) + "\n") * 10)
        case _:
            parquet(path, {name: np.ones(10, np.int8) for name in names}, write_statistics=False)


# The peak of a process counts that of the one which starts it, and the tests of a worker may have taken a lot.
START = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stderr=subprocess.STDOUT)
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss // 1024, file=sys.stderr)
"""


def fleet(*arguments):
    """Return the exit code, the output and the peak of memory in MiB."""
    command = [sys.executable, "-c", START, sys.executable, "-m", "etcdsize", "fleet", *map(str, arguments)]
    start = time.monotonic()
    done = subprocess.run(command, env=ENVIRONMENT, text=True, capture_output=True, check=True, timeout=2 * SECONDS)
    assert time.monotonic() - start < SECONDS
    code, peak = map(int, done.stderr.split())
    return code, done.stdout, peak


@pytest.mark.slow
class TestBombs:
    @pytest.mark.parametrize("column", ["provider", "current_machine", "data"])
    def test_rows_of_the_same_35_megabytes(self, column, tmp_path):
        dictionary(tmp_path / "in.parquet", column)
        code, out, peak = fleet(tmp_path / "in.parquet", "-o", tmp_path / "out.parquet", "--columns", "tier,problem")
        # A provider that nobody knows gets a tier; a machine gets no verdict, and data no tier.
        assert code == (0 if column == "provider" else 1)
        assert out.startswith(f"{ROWS} clusters: ")
        assert peak < 1200

    def test_they_are_not_written_as_text(self, tmp_path):
        dictionary(tmp_path / "in.parquet", "provider")
        code, out, peak = fleet(tmp_path / "in.parquet", "-o", tmp_path / "out.csv")
        assert (code, out.count("\n")) == (2, 1)
        assert "cannot be read: its rows differ too much in size" in out or "times their size" in out
        assert peak < 1000
        assert not (tmp_path / "out.csv").exists()

    @pytest.mark.parametrize("kind", ["zstd", "gzip"])
    def test_highly_compressed_pages(self, kind, tmp_path):
        compressed(tmp_path / "in.parquet", kind)
        code, out, peak = fleet(tmp_path / "in.parquet", "--provider", "aws", "-o", tmp_path / "out.csv")
        assert (code, out.split(":")[0]) == (0, f"{ROWS} clusters")
        assert peak < 1000

    @pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
    def test_cells_of_35_megabytes(self, kind, tmp_path):
        cells(tmp_path / f"in.{kind}")
        code, out, peak = fleet(tmp_path / f"in.{kind}", "-o", tmp_path / "out.parquet")
        assert code == 1
        assert "3 clusters: 2 sized, 1 not" in out
        assert len(out) < 5000
        assert peak < 1800

    @pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
    def test_many_columns(self, kind, tmp_path):
        columns(tmp_path / f"in.{kind}")
        code, out, peak = fleet(tmp_path / f"in.{kind}", "--provider", "aws", "-o", tmp_path / f"out.{kind}")
        assert (code, out.split(":")[0]) == (0, "10 clusters")
        assert peak < 800
        code, out, peak = fleet(tmp_path / f"in.{kind}", "--provider", "aws", "-o", tmp_path / "out.tsv")
        assert (code, out.count("\n")) == (2, 1)
        assert "columns to write in another format, expected at most 10,000" in out
        assert peak < 800


def packed(path, head, piece, count):
    """Write a compressed file that repeats a piece of content."""
    with open_compressed(path) as stream:
        stream.write(head)
        for _ in range(count):
            stream.write(piece)
    assert path.stat().st_size < 4 * 1024**2


def sheet(path, rows):
    """Write a workbook with these rows of XML."""
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path) as parts:
        contents = {name: parts.read(name) for name in parts.namelist()}
    name = "xl/worksheets/sheet1.xml"
    contents[name] = contents[name].replace(b"<sheetData></sheetData>", b"<sheetData/>")
    contents[name] = contents[name].replace(b"<sheetData />", b"<sheetData/>")
    contents[name] = contents[name].replace(b"<sheetData/>", b"<sheetData>" + rows + b"</sheetData>")
    assert rows in contents[name]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        for part, content in contents.items():
            parts.writestr(part, content)


MIB = 1024**2
HEADER = b"clients,rps,data,cloud\n"


@pytest.mark.slow
class TestContainers:
    """What a small file becomes is read piece by piece, and refused where a piece has no end."""

    @pytest.mark.parametrize("ending", ["gz", "zst", "bz2"])
    def test_many_rows(self, ending, tmp_path):
        # bzip2 takes ten times as long.
        pieces = 1 if ending == "bz2" else 40
        packed(tmp_path / f"in.csv.{ending}", HEADER, b"90,150,80000000,aws\n" * 50_000, pieces)
        code, out, peak = fleet(tmp_path / f"in.csv.{ending}", "-o", tmp_path / f"out.csv.{ending}")
        assert (code, out.split(":")[0]) == (0, f"{pieces * 50_000} clusters")
        assert peak < 500

    @pytest.mark.parametrize(
        ("name", "head", "piece", "message", "most"),
        [
            ("in.csv.gz", HEADER, b"x" * MIB, "line 2: a row of more than 64 MiB", 400),
            ("in.csv.zst", b"\xff\xfe", b"x\0" * MIB, "line 1: a row of more than 64 MiB", 400),
            ("in.jsonl.gz", b'{"', b"x" * MIB, "line 1: more than 64 MiB", 400),
            ("in.json.zst", b'[{"', b"x" * MIB, "row 1: more than 16 MiB", 400),
            ("in.json.zst", b'[{"a": [', b"1," * MIB, "row 1: more than 16 MiB", 2000),
            ("in.json.gz", b"[", b" " * MIB, "row 1: the file ends within the array", 160),
            ("in.json.zst", b"[", b" " * MIB, "row 1: the file ends within the array", 160),
            ("in.parquet.gz", b"PAR1\x15", b"x" * MIB, "not a Parquet file", 160),
            ("in.parquet.zst", b"PAR1\x15", b"x" * MIB, "not a Parquet file", 160),
        ],
    )
    def test_no_end(self, name, head, piece, message, most, tmp_path):
        """A hundred mebibytes, which are more than any limit; what is not kept at all is a program's own size."""
        packed(tmp_path / name, head, piece, 100)
        code, out, peak = fleet(tmp_path / name, "--provider", "aws")
        assert (code, out.count("\n")) == (2, 1)
        assert message in out
        assert peak < most

    @pytest.mark.parametrize(
        "rows",
        [
            b"<row>" + b"<c/>" * 1_000_000 + b"</row>",
            b"<row/>" * 1_100_000,
            b"<row><c><v>1</v></c></row>" * 400_000,
            b"<row>" + b'<c t="inlineStr"><is><t>x</t></is></c>' * 90_000 + b"</row>",
        ],
    )
    def test_workbooks(self, rows, tmp_path):
        sheet(tmp_path / "in.xlsx", rows)
        code, out, peak = fleet(tmp_path / "in.xlsx")
        assert (code, out.count("\n")) == (2, 1)
        assert peak < 1000
