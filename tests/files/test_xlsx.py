"""Excel workbooks: every value as the program shows it, and files that are made to take all memory."""

import csv
import datetime
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from program import ENVIRONMENT

import etcdsize.files.xlsx_archive
import etcdsize.files.xlsx_reader
from etcdsize import FleetFileError, MissingDependencyError, OptionError
from etcdsize.files.fleet_file import open_fleet

HEADER = ["name", "clients", "rps", "data_mb", "cloud", "note"]
ROWS = [
    ["a", 90, 150.5, 80, "aws", "007"],
    ["b", 300, 800, 400.25, "gce", None],
    ["c", 1200, 9999, 1000, "aws", 'żółw\n🐢, "x"'],
]
TIERS = ["small", "medium", "large"]


def workbook(*rows, title="Fleet"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    return book


def saved(book):
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def sized(content, to="csv", name="clusters.xlsx", **options):
    written = io.BytesIO()
    with open_fleet(Path(name), io.BytesIO(content), **options) as fleet:
        summary = fleet.run(stream=written, format=to)
    return summary, written.getvalue()


def table(content, **options):
    """Return the rows of a sized workbook."""
    return list(csv.DictReader(io.StringIO(sized(content, **options)[1].decode(), newline="")))


def error_of(content, **options):
    with pytest.raises(FleetFileError) as caught:
        sized(content, **options)
    assert str(caught.value).startswith("clusters.xlsx: ")
    return str(caught.value).removeprefix("clusters.xlsx: ")


def by_xlsxwriter(*rows):
    """Write a workbook with shared texts, as Excel does."""
    written = io.BytesIO()
    with xlsxwriter.Workbook(written) as book:
        sheet = book.add_worksheet("Fleet")
        for place, row in enumerate(rows):
            sheet.write_row(place, 0, row)
    return written.getvalue()


def changed(content, part, change):
    """Return a workbook in which one part is changed."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return written.getvalue()


BOOK = saved(workbook(HEADER, *ROWS))
SHARED = by_xlsxwriter(HEADER, *ROWS)
SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


class TestValues:
    @pytest.mark.parametrize("to", ["csv", "tsv", "jsonl", "json", "parquet"])
    def test_to_every_format(self, to):
        summary, written = sized(BOOK, to)
        assert (summary.clusters, summary.not_sized) == (3, 0)
        if to == "parquet":
            rows = pq.read_table(io.BytesIO(written)).to_pylist()
        elif to in ("json", "jsonl"):
            rows = json.loads(written) if to == "json" else list(map(json.loads, written.splitlines()))
        else:
            text = io.StringIO(written.decode(), newline="")
            rows = list(csv.DictReader(text, delimiter="," if to == "csv" else "\t"))
        texts = [["" if cell is None else str(cell) for cell in row] for row in ROWS]
        assert [[row[name] or "" for name in HEADER] for row in rows] == texts
        assert [row["tier"] for row in rows] == TIERS

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (90.0, "90"),
            (0.1, "0.1"),
            (10**15, "1000000000000000"),
            ("007", "007"),
            ("1.10", "1.10"),
            (True, "TRUE"),
            (False, "FALSE"),
            (datetime.date(2026, 1, 2), "2026-01-02"),
            (datetime.datetime(2026, 1, 2), "2026-01-02"),
            (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),
            (datetime.time(3, 4, 5), "03:04:05"),
            (datetime.timedelta(days=1, hours=2, minutes=3, seconds=4), "26:03:04"),
            ("#N/A", "#N/A"),
            ("=HYPERLINK(1)", ""),
        ],
    )
    def test_other_columns(self, value, text):
        """Formulas come as their stored values, and openpyxl stores none: an empty cell."""
        assert table(saved(workbook(HEADER, [*ROWS[0][:5], value])))[0]["note"] == text

    def test_a_formula_with_its_value(self):
        book = saved(workbook(HEADER, ["a", "=45*2", *ROWS[0][2:]]))
        assert table(book)[0]["problem"] == "clients: missing"
        with_value = changed(
            book, SHEET, lambda text: text.replace(b"<v></v>", b"<v>90</v>").replace(b"<v />", b"<v>90</v>")
        )
        assert table(with_value)[0]["clients"] == "90"

    @pytest.mark.parametrize(
        ("cell", "problem"), [(True, 'clients: got "TRUE"'), ("x", 'clients: got "x"'), (-1, "clients: got")]
    )
    def test_problems(self, cell, problem):
        row = table(saved(workbook(HEADER, ["a", cell, *ROWS[0][2:]])))[0]
        assert row["tier"] == ""
        assert problem in row["problem"]

    @pytest.mark.parametrize("mixed", [False, True])
    def test_numbers_have_no_decimal_mark(self, mixed):
        """Marks of text do not touch them, also in a column that has text as well."""
        rows = [["a", 90, 1.234, 80, "aws", ""], *([["b", "1.200", "1,5", 80, "aws", ""]] if mixed else [])]
        content = saved(workbook(HEADER, *rows))
        plain, _ = sized(content, columns={"requests_per_second": "rps"}, decimal=",", thousands=".")
        assert plain.tiers["small"] == 1
        assert (plain.clusters, plain.not_sized) == (len(rows), 0)
        summary, _ = sized(saved(workbook(HEADER, ["a", 90, 199.9, 80.5, "aws", ""])), decimal=",", thousands=".")
        assert summary.tiers["small"] == 1

    @examples(40)
    @given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(0, 1e9)), min_size=1, max_size=5))
    def test_any_numbers_as_in_csv(self, loads):
        rows = [["a", clients, rate, 1, "aws", "x"] for clients, rate in loads]
        text = io.StringIO(newline="")
        csv.writer(text).writerows([HEADER, *rows])
        assert sized(saved(workbook(HEADER, *rows)))[0] == sized(text.getvalue().encode(), name="clusters.csv")[0]

    @pytest.mark.slow
    def test_many_rows_in_batches(self, monkeypatch):
        content = saved(workbook(HEADER, *([*ROWS[row % 3][:5], row] for row in range(300))))
        whole = sized(content)
        assert whole[0].clusters == 300
        for rows in (1, 7, 299, 300):
            monkeypatch.setattr(etcdsize.files.xlsx_reader, "_ROWS", rows)
            assert sized(content) == whole


class TestSheets:
    def book(self):
        book = workbook(["nothing"], title="Cover")
        book.active.sheet_state = "hidden"
        for title, row in (("2025", ROWS[0]), ("2026", ROWS[1])):
            sheet = book.create_sheet(title)
            sheet.append(HEADER)
            sheet.append(row)
        return saved(book)

    def test_the_first_that_is_not_hidden(self):
        with open_fleet(Path("c.xlsx"), io.BytesIO(self.book())) as fleet:
            assert fleet.notes == ('c.xlsx: read the sheet "2025", not "Cover", "2026"; choose another with --sheet',)
            assert fleet.run().tiers["small"] == 1

    def test_one_by_its_name(self):
        with open_fleet(Path("c.xlsx"), io.BytesIO(self.book()), sheet="2026") as fleet:
            assert fleet.notes == ()
            assert fleet.run().tiers["medium"] == 1

    def test_one_that_does_not_exist(self):
        assert error_of(self.book(), sheet="20026") == (
            'has no sheet "20026", expected one of "Cover", "2025", "2026"; did you mean "2026"?'
        )

    def test_one_of_another_format(self, tmp_path):
        (tmp_path / "c.csv").write_text("clients\n1\n")
        for path in (tmp_path / "c.csv", tmp_path):
            with pytest.raises(OptionError, match=r'^sheet: got "a" for the format \w+, which has no sheets; leave it'):
                open_fleet(path, sheet="a").__enter__()

    def test_the_command_line(self, tmp_path):
        (tmp_path / "c.xlsx").write_bytes(self.book())

        def run(*words):
            command = [sys.executable, "-m", "etcdsize", "fleet", "c.xlsx", *words]
            return subprocess.run(command, env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, timeout=60)

        assert run("--json").stderr.startswith('etcdsize: c.xlsx: read the sheet "2025", not ')
        assert run("--sheet", "2026", "-o", "-").stdout.startswith("name,clients,rps,data_mb,cloud,note,tier,")
        refused = run("-o", "sized.xlsx")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.splitlines()[-1] == (
            "etcdsize: sized.xlsx: xlsx is read and not written, expected one of csv, tsv, jsonl, json, parquet; write "
            "CSV, which spreadsheets open"
        )


class TestTables:
    def test_blank_rows_and_columns_are_none(self):
        book = workbook([None] * 3, [None, *HEADER], [], [None, *ROWS[0]], [None, " "], [None, *ROWS[1]])
        book.active["Z99"] = ""
        book.active["A50"].font = openpyxl.styles.Font(bold=True)
        summary, _ = sized(saved(book))
        assert (summary.clusters, summary.not_sized) == (2, 0)

    def test_merged_header_cells(self):
        book = workbook(
            ["name", "load", None, None, "cloud"], [None, "clients", "rps", "data_mb"], ["a", 90, 150, 80, "aws"]
        )
        book.active.merge_cells("B1:D1")
        assert error_of(saved(book), columns={"clients": "load"}, unknown=["requests_per_second", "data_bytes"]) == (
            "cell C2: got a value in a column without a name, expected one in C1; row 1 has to name every column: undo "
            "merged cells, and remove titles above the table"
        )

    def test_a_title_above_the_table(self):
        book = workbook(["clients"], HEADER, *ROWS)
        book.active.merge_cells("A1:F1")
        message = error_of(saved(book), provider="aws", unknown=["requests_per_second", "data_bytes"])
        assert message.startswith("cell B2: got a value in a column without a name, expected one in B1")

    def test_a_size_of_the_sheet_that_is_wrong(self):
        """Some programs write it wrong, and it would cut off rows and columns."""
        book = changed(BOOK, SHEET, lambda text: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', text))
        assert sized(book) == sized(BOOK)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (rb'<row r="3"', b'<row r="2"'),
            (rb'<row r="3"', b'<row r="1"'),
            (rb'r="C3"', b'r="B3"'),
            (rb'r="C3"', b'r="A3"'),
            (rb'r="C3"', b'r="XFD3"'),
        ],
        ids=["row twice", "row too late", "cell twice", "cell too late", "cell too early"],
    )
    def test_no_row_and_no_cell_is_lost_for_its_place(self, old, new):
        book = changed(BOOK, SHEET, lambda text: re.sub(old, new, text, count=1))
        assert book != BOOK
        assert re.match(r"row \d: the row or one of its cells is out of order or repeated; open", error_of(book))

    @pytest.mark.parametrize("rows", [[], [[]], [["", " "]]])
    def test_nothing(self, rows):
        assert error_of(saved(workbook(*rows))) == (
            'the sheet "Fleet" is empty, expected a header and one row per cluster'
        )

    def test_a_header_alone(self):
        assert sized(saved(workbook(HEADER)))[0].clusters == 0

    def test_names_that_are_no_text(self):
        assert sized(saved(workbook([*HEADER[:5], 2026], *ROWS)))[1].startswith(b"name,clients,rps,data_mb,cloud,2026,")


class TestSources:
    def test_what_xlsxwriter_writes(self):
        assert sized(SHARED) == sized(BOOK)

    def test_what_pandas_writes(self, tmp_path):
        frame = pd.DataFrame(ROWS, columns=HEADER)
        frame.to_excel(tmp_path / "c.xlsx", index=False)
        with open_fleet(tmp_path / "c.xlsx") as fleet:
            summary = fleet.run()
        assert summary.tiers == {"small": 1, "medium": 1, "large": 1, "xlarge": 0}

    def test_without_openpyxl(self, monkeypatch):
        for name in [name for name in sys.modules if name.partition(".")[0] == "openpyxl"]:
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingDependencyError, match=r"^openpyxl is not installed; run: pip install 'etcdsize"):
            sized(BOOK)

    def test_a_pipe_and_another_name(self):
        run = subprocess.run(
            [sys.executable, "-m", "etcdsize", "fleet", "-", "-o", "-"],
            input=BOOK,
            env=ENVIRONMENT,
            capture_output=True,
            timeout=60,
        )
        assert (run.returncode, run.stdout) == (0, sized(BOOK)[1])

    def test_a_name_that_says_csv(self):
        with pytest.raises(FleetFileError, match=r"^c\.csv: got xlsx, expected csv; give the format xlsx, or"):
            sized(BOOK, name="c.csv")

    def test_cut_anywhere(self):
        """Never silently shorter: the list of parts is at the end."""
        for end in range(0, len(BOOK), 7):
            assert error_of(BOOK[:end])

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text[: len(text) // 2],
            lambda text: text.replace(b"<v>0</v>", b"<v>999999</v>"),
            lambda text: text.replace(b'r="B2"', b'r="%"'),
            lambda text: text.replace(b"<v>90</v>", b"<v>ninety</v>"),
            lambda text: text.replace(b"<v>90</v>", b"<v>&amp;</v>"),
            lambda text: text.replace(b'<c r="B2"', b'<c r="B2" t="d"'),
        ],
    )
    def test_damaged_sheets(self, change):
        assert "open it and save it again, or save it as CSV" in error_of(changed(SHARED, SHEET, change))

    def test_a_part_whose_check_sum_is_wrong(self):
        place = BOOK.index(SHEET.encode()) + len(SHEET) + 100
        assert error_of(BOOK[:place] + bytes([BOOK[place] ^ 1]) + BOOK[place + 1 :])


def repeated(element, count, head=b"", tail=b""):
    """Return a change that puts many elements into a sheet."""
    return lambda text: text.replace(b"</sheetData>", head + element * count + tail + b"</sheetData>")


class TestBombs:
    """Parts that would take too much memory are refused before they are read. The limits here are a 64th."""

    @pytest.fixture(autouse=True)
    def _smaller(self, monkeypatch):
        for name in ("_MOST_WHOLE", "_LONGEST", "_MOST_BETWEEN", "_MOST", "_MOST_TEXT", "_PIECE"):
            module = etcdsize.files.xlsx_archive
            monkeypatch.setattr(module, name, getattr(module, name) // 64)

    LONG, BETWEEN, MANY = (
        "has a row or a text of more than",
        "MiB besides rows and texts",
        "more rows or texts than fit",
    )
    HIDDEN, NESTED = "contains something other than rows and texts", "has rows or texts nested in each other"

    @pytest.mark.parametrize(
        ("part", "change", "reason"),
        [
            (SHEET, repeated(b"<c><v>1</v></c>", 8_000, b"<row>", b"</row>"), LONG),
            (SHEET, repeated(b"<a/>", 80_000), BETWEEN),
            (SHEET, repeated(b"<row/><a/>      ", 30_000), BETWEEN),
            (SHEET, repeated(b"<row/>", 70_000), MANY),
            (SHEET, repeated(b"<row>", 20_000), NESTED),
            (SHEET, repeated(b"<!-- </row> -->", 8_000, b"<row>", b"</row>"), HIDDEN),
            (SHEET, repeated(b"<![CDATA[</row>]]>", 8_000, b"<row>", b"</row>"), HIDDEN),
            (SHEET, repeated(b'<row a=">/>"></row>', 8_000, b"<a/>" * 80_000), BETWEEN),
            (SHEET, lambda text: text.decode().encode("utf-16") + b"\0" * 90_000, HIDDEN),
            (SHEET, lambda text: b"<?xml version='1.0' encoding='cp037'?>" + b" " * 90_000, HIDDEN),
            ("xl/styles.xml", lambda text: text.replace(b"<fonts", b"<a/>" * 80_000 + b"<fonts"), BETWEEN),
            ("xl/workbook.xml", lambda text: text + b" " * 300_000, LONG),
            (TEXTS, lambda text: text.replace(b"<t>", b"<t>" + b"x" * 90_000, 1), LONG),
            (TEXTS, lambda text: text.replace(b"</sst>", b"<si><t>x</t></si>" * 70_000 + b"</sst>"), MANY),
            (TEXTS, lambda text: text.replace(b"</sst>", (b"<si>" + b"x" * 60_000 + b"</si>") * 80 + b"</sst>"), MANY),
        ],
    )
    def test_refused(self, part, change, reason):
        message = error_of(changed(SHARED, part, change))
        assert reason in message
        assert message.endswith("; open it and save it again, or save it as CSV")

    @pytest.mark.slow
    def test_large_parts_are_read(self):
        rows = [[f"cluster {row}", row % 1000, row % 700, row % 900, "aws", "x" * 30] for row in range(2_000)]
        for content in (saved(workbook(HEADER, *rows)), by_xlsxwriter(HEADER, *rows)):
            with zipfile.ZipFile(io.BytesIO(content)) as parts:
                assert parts.getinfo(SHEET).file_size > 2 * etcdsize.files.xlsx_archive._MOST_WHOLE
            assert sized(content)[0].clusters == 2_000

    def test_entities(self):
        """Expat's own limit; without it, a few lines become gigabytes."""
        entities = b'<!DOCTYPE a [<!ENTITY b "%s">' % (b"x" * 1000)
        for place in range(8):
            entities += b'<!ENTITY b%d "%s">' % (place, (b"&b%d;" % (place - 1) if place else b"&b;") * 50)
        value = (b"<v>90</v>", b"<v>&b7;</v>")
        assert error_of(changed(BOOK, SHEET, lambda text: entities + b"]>" + text.replace(*value)))

    def test_a_row_far_away(self):
        far = changed(BOOK, SHEET, repeated(b'<row r="999999999"><c r="A999999999"><v>1</v></c></row>', 1))
        assert error_of(far) == "more than 1,048,576 rows, the limit of Excel; save it as CSV"

    def test_a_long_cell(self):
        long = changed(SHARED, TEXTS, lambda text: text.replace(b"<t>a</t>", b"<t>%s</t>" % (b"a" * 40_000)))
        assert error_of(long) == "cell A2: 40,000 characters, expected at most 32,767, as Excel has them"
