"""CSV and TSV for spreadsheets: text of ours that they would run is escaped; cells of the user pass unchanged."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etcdsize import load_catalog
from etcdsize.files.fleet_file import open_fleet

FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")']
PLAIN = ["", "a=b", "a-1", "'=1", " =1", "1", "ü", "5"]


def rows_of(written, delimiter):
    return list(csv.DictReader(io.StringIO(written.decode(), newline=""), delimiter=delimiter))


def parquet(columns):
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


def sized(source, kind, to, **options):
    written = io.BytesIO()
    escape = options.pop("escape", False)
    with open_fleet(Path("fleet"), io.BytesIO(source), format=kind, **options) as fleet:
        fleet.run(stream=written, format=to, escape=escape)
    return written.getvalue()


@pytest.fixture
def catalog(tmp_path):
    """Return a catalog whose machines have names that a spreadsheet would run."""
    found = load_catalog("guide").model_dump(mode="json")
    for machine in found["machines"]:
        machine["machine_type"] = "=" + machine["machine_type"]
    path = tmp_path / "own.json"
    path.write_text(json.dumps(found | {"name": "own"}))
    return path


@pytest.mark.parametrize(("to", "delimiter"), [("csv", ","), ("tsv", "\t")])
class TestFormulas:
    """An apostrophe before a cell that begins with = + - @, a tab or a carriage return makes a spreadsheet show it."""

    def test_machine_names_of_a_catalog_of_ones_own(self, to, delimiter, catalog):
        source = parquet({"clients": [1], "rps": [1], "data": [1], "cloud": ["aws"]})
        [row] = rows_of(sized(source, "parquet", to, catalog=catalog), delimiter)
        assert row["machine_type"] == "'=m4.large"
        assert row["tier"] == "small"

    def test_problems_that_begin_with_the_name_of_a_column(self, to, delimiter):
        source = parquet({"=clients": ["x", "1"], "rps": [1, 1], "data": [1, 1]})
        columns = {"clients": "=clients"}
        first, second = rows_of(sized(source, "parquet", to, columns=columns, provider="aws"), delimiter)
        assert first["problem"].startswith("'=clients: got ")
        assert (first["=clients"], second["problem"]) == ("x", "")

    def test_columns_that_are_ours(self, to, delimiter):
        """Of an observed fleet: its labels and problems come from elsewhere."""
        cells = FORMULAS + PLAIN
        numbers = [-1.5] * len(cells)
        loads = dict.fromkeys(("clients", "rps", "data"), [1] * len(cells))
        coded = pa.array(cells).dictionary_encode()
        source = parquet({**loads, "label": cells, "coded": coded, "number": numbers})
        rows = rows_of(sized(source, "parquet", to, provider="aws", escape=True), delimiter)
        for name in ("label", "coded"):
            assert [row[name] for row in rows] == [f"'{cell}" for cell in FORMULAS] + PLAIN
        assert [row["number"] for row in rows] == ["-1.5"] * len(cells)

    def test_cells_of_the_user_pass_unchanged(self, to, delimiter):
        cells = FORMULAS + PLAIN
        source = parquet({**dict.fromkeys(("clients", "rps", "data"), [1] * len(cells)), "note": cells})
        assert [row["note"] for row in rows_of(sized(source, "parquet", to, provider="aws"), delimiter)] == cells
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter).writerows(
            [["clients", "rps", "data", "=note"], *([1, 1, 1, c] for c in cells)]
        )
        rows = rows_of(sized(text.getvalue().encode(), to, to, provider="aws"), delimiter)
        assert [row["=note"] for row in rows] == cells

    def test_savings_stay_numbers(self, to, delimiter):
        source = parquet({"clients": [70], "rps": [150], "data": [80e6], "current_machine": ["m6a.4xlarge"]})
        [row] = rows_of(sized(source, "parquet", to), delimiter)
        assert float(row["cost_difference_per_month"]) < 0


class TestDecimalMark:
    """The numbers of answers have the decimal mark that the file's own numbers have."""

    LINES = "name;clients;rps;data in MB;current_machine\na;70;150,5;80,5;m6a.4xlarge\nb;90;10;80;m6a.xlarge\n"

    @pytest.mark.parametrize("to", ["csv", "tsv"])
    def test_decimal_comma(self, to):
        comma = sized(self.LINES.encode(), "csv", to, decimal=",")
        point = sized(self.LINES.replace(",", ".").encode(), "csv", to)
        numbers = ("cost_per_month", "utilization", "cost_difference_per_month")
        delimiter = ";" if to == "csv" else "\t"
        for one, other in zip(rows_of(comma, delimiter), rows_of(point, delimiter), strict=True):
            for name in numbers:
                assert one[name].replace(",", ".") == other[name]
        assert "," in one["cost_per_month"]
        assert "." not in one["utilization"]

    def test_numbers_of_other_formats_stay_numbers(self):
        [row, _] = map(json.loads, sized(self.LINES.encode(), "csv", "jsonl", decimal=",").splitlines())
        assert isinstance(row["cost_per_month"], float)


@pytest.mark.parametrize("to", ["jsonl", "parquet"])
def test_other_formats_keep_the_text(to, catalog):
    source = parquet({"clients": [1], "rps": [1], "data": [1], "cloud": ["aws"], "label": ["=1"]})
    written = sized(source, "parquet", to, catalog=catalog, escape=True)
    row = json.loads(written) if to == "jsonl" else pq.read_table(io.BytesIO(written)).to_pylist()[0]
    assert (row["machine_type"], row["label"]) == ("=m4.large", "=1")
