"""The options for cells hold in every format: for text, and never for numbers that a format has of its own."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etcdsize.batches.cells import MISSING_WORDS
from etcdsize.files.fleet_file import open_fleet

FORMATS = ["csv", "tsv", "jsonl", "json", "parquet", "parquet with dictionaries"]
NAMES = ["name", "clients", "rps", "data", "provider", "current_machine"]


def encoded(rows, kind):
    """Return rows of text as a file."""
    if kind in ("csv", "tsv"):
        text = io.StringIO(newline="")
        csv.writer(text, delimiter="," if kind == "csv" else "\t").writerows([NAMES, *rows])
        return text.getvalue().encode()
    objects = [dict(zip(NAMES, row, strict=True)) for row in rows]
    if kind == "json":
        return json.dumps(objects).encode()
    if kind == "jsonl":
        return "\n".join(map(json.dumps, objects)).encode()
    found = pa.Table.from_pylist(objects)
    written = io.BytesIO()
    if kind != "parquet":
        found = pa.table({name: found[name].dictionary_encode() for name in NAMES})
    pq.write_table(found, written)
    return written.getvalue()


def sized(content, kind, **options):
    """Return the summary, and the rows as they are written to JSON lines."""
    written = io.BytesIO()
    with open_fleet(Path("fleet"), io.BytesIO(content), format=kind.split()[0], **options) as fleet:
        summary = fleet.run(stream=written, format="jsonl")
    return summary, [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("kind", FORMATS)
class TestText:
    def test_marks_and_units(self, kind):
        rows = [
            ["a", "90", "150,5", "0,08 GB", "aws", "m6a.large"],
            ["b", "1.200", "9.500", "500.000.000", "aws", "m6a.large"],
        ]
        summary, found = sized(encoded(rows, kind), kind, decimal=",", thousands=".")
        assert [row["tier"] for row in found] == ["small", "large"]
        assert [[row[name] for name in NAMES] for row in found] == rows, "the cells are written as they were"
        assert summary.not_sized == 0

    def test_without_the_options_the_problem_names_them(self, kind):
        summary, [row] = sized(encoded([["a", "90", "1.234,5", "8MB", "aws", "m6a.large"]], kind), kind)
        assert summary.not_sized == 1
        assert '--decimal "," --thousands "." reads it as 1234.5' in row["problem"]

    @pytest.mark.parametrize("word", [*MISSING_WORDS, "N/A", "None", "keine Angabe", "-1"])
    def test_words_for_a_missing_value(self, kind, word):
        options = {"na": ["KEINE ANGABE", "-1"], "on_missing": "unknown"}
        padded = f" {word}\u00a0"
        rows = [
            ["a", padded, "150", "8MB", "aws", "m6a.large"],
            ["b", "90", padded, "8MB", padded, "m6a.large"],
            ["c", "90", "150", "8MB", "aws", padded],
        ]
        summary, found = sized(encoded(rows, kind), kind, **options)
        assert [row["tier"] for row in found] == ["small", None, "small"]
        assert "provider: missing" in found[1]["problem"]
        assert "current_machine: missing" in " ".join(one.reason for one in summary.audit.without_verdict)
        assert [[row[name] for name in NAMES] for row in found] == rows

    def test_padding(self, kind):
        rows = [["a", " 90", "\t150 ", "\u00a08 MB", " AWS ", " m6a.large "]]
        summary, found = sized(encoded(rows, kind), kind)
        assert summary.not_sized == 0
        assert found[0]["tier"] == "small"
        assert summary.audit.verdicts["unknown"] == 0
        assert [found[0][name] for name in NAMES] == rows[0]


class TestNumbers:
    """1.234 in JSON or Parquet is a bit more than 1, whatever separates thousands in text."""

    @pytest.mark.parametrize("kind", ["json", "jsonl", "parquet"])
    def test_marks_are_those_of_text(self, kind):
        rows = [{"clients": 1.234, "rps": 150.5, "data": 80_000_000.0, "text": 1.5}]
        content = json.dumps(rows if kind == "json" else rows[0]).encode()
        if kind == "parquet":
            written = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(rows), written)
            content = written.getvalue()
        _, found = sized(content, kind, decimal=",", thousands=".", provider="aws")
        assert (found[0]["tier"], found[0]["problem"]) == ("small", None)
        written = io.BytesIO()
        with open_fleet(Path("fleet"), io.BytesIO(content), format=kind, decimal=",", provider="aws") as fleet:
            fleet.run(stream=written, format="csv", columns=["clients", "rps", "text", "tier"])
        assert written.getvalue() == b"clients,rps,text,tier\n1.234,150.5,1.5,small\n"

    @pytest.mark.parametrize("kind", ["json", "jsonl"])
    def test_beside_text_in_one_field(self, kind):
        rows = [{"clients": one, "rps": 1, "data": 1} for one in (90, "1.200", 1e3, 1.5, "1,5", "1.5")]
        content = json.dumps(rows) if kind == "json" else "\n".join(map(json.dumps, rows))
        options = {"decimal": ",", "thousands": ".", "provider": "aws"}
        _, found = sized(content.encode(), kind, **options)
        assert [row["tier"] for row in found] == ["small", "large", "large", "small", "small", None]

    @pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet"])
    def test_a_number_that_means_missing(self, kind):
        """In CSV it is found although whole numbers are read without their text."""
        loads = {"clients": [-1, 90], "rps": [9999, 5], "data": [5, 5]}
        rows = pa.table(loads).to_pylist()
        written = io.BytesIO()
        if kind == "parquet":
            pq.write_table(pa.table(loads), written)
        elif kind == "csv":
            written.write(b"clients,rps,data\n-1,9999,5\n90,5,5\n")
        else:
            written.write((json.dumps(rows) if kind == "json" else "\n".join(map(json.dumps, rows))).encode())
        _, found = sized(written.getvalue(), kind, na=["-1", "9999"], provider="aws")
        assert [row["problem"] for row in found] == ["clients: missing; rps: missing", None]
