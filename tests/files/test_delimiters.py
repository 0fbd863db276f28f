"""The delimiter of a file: found in the header, named by Excel's line, or chosen; and rows of empty cells."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st

import etcdsize.files.csv_reader
from etcdsize import FleetFileError, OptionError
from etcdsize.batches.cells import PADDING
from etcdsize.batches.columns import ANSWERS
from etcdsize.files.delimiters import DELIMITERS, Splitter, find_delimiter, sep_delimiter
from etcdsize.files.fleet_file import open_fleet

ROWS = [
    ["name", "clients", "rps", "data", "cloud"],
    ["a", "90", "150", "80MB", "aws"],
    ["b", "1200", "9", "1GB", "gce"],
]


def sized(text, name="fleet.csv", to=None, columns=None, **options):
    """Return the summary and the file that is written."""
    written = io.BytesIO()
    with open_fleet(Path(name), io.BytesIO(text.encode() if isinstance(text, str) else text), **options) as fleet:
        summary = fleet.run(stream=written, format=to, columns=columns)
    return summary, written.getvalue().decode()


def table(text, delimiter):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def joined(rows, delimiter, end="\n"):
    return "".join(delimiter.join(row) + end for row in rows)


def error_of(text, **options):
    with pytest.raises(FleetFileError) as caught:
        sized(text, **options)
    return str(caught.value)


class TestFound:
    @pytest.mark.parametrize("delimiter", DELIMITERS)
    @pytest.mark.parametrize("name", ["fleet.csv", "fleet.tsv"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("mark", ["", "\ufeff", "sep=?", '"sep=?"', "\ufeffsep=?", "\ufeffSEP=?"])
    def test_every_delimiter_in_every_file(self, delimiter, name, end, mark):
        text = mark.replace("?", delimiter) + (end if "sep" in mark.lower() else "") + joined(ROWS, delimiter, end)
        summary, written = sized(text, name)
        assert (summary.clusters, summary.not_sized) == (2, 0)
        first, *rest = written.splitlines()
        if "sep" in mark.lower():
            assert first == mark.strip("\ufeff").replace("?", delimiter)
            first, *rest = rest
        assert first == delimiter.join([*ROWS[0], *ANSWERS])
        assert [line.split(delimiter)[:6] for line in rest] == [[*ROWS[1], "small"], [*ROWS[2], "large"]]
        # What was written is read again, with the answers as other columns.
        others = [f"x{place}" for place in range(len(ANSWERS))]
        again, _ = sized(written.replace(delimiter.join(ANSWERS), delimiter.join(others)), name)
        assert again.tiers == summary.tiers

    @pytest.mark.parametrize("delimiter", DELIMITERS)
    def test_delimiters_inside_quotes_do_not_count(self, delimiter):
        others = "".join(DELIMITERS.replace(delimiter, "")) * 3
        header = delimiter.join([f'"{others}"', "clients", '"rps"', "data", f'"{delimiter}\n{others}"'])
        summary, written = sized(f"{header}\n{delimiter.join(['x', '90', '150', '8MB', ''])}\n", provider="aws")
        assert summary.tiers["small"] == 1
        assert table(written, delimiter)[0][0] == others

    @pytest.mark.parametrize("name", ["fleet.csv", "fleet.tsv"])
    @pytest.mark.parametrize("cell", ["5", "5;6", "a,b"])
    def test_a_single_column_stays_one(self, name, cell):
        """Only the header tells."""
        known = {"unknown": ["clients", "data_bytes"], "provider": "aws"}
        text = f'rps\n"{cell}"\n'
        summary, written = sized(text, name, **known)
        assert summary.clusters == 1
        delimiter = "," if name == "fleet.csv" else "\t"
        assert table(written, delimiter)[1][0] == cell

    def test_the_most_frequent_one_counts(self):
        summary, written = sized("region, zone;clients;rps;data\nx;90;150;8MB\n", provider="aws")
        assert summary.tiers["small"] == 1
        assert table(written, ";")[0][0] == "region, zone"

    def test_tabs_count_in_a_file_that_is_called_tsv(self):
        assert sized("a, b, c, d\tclients\trps\tdata\nx\t90\t150\t8MB\n", "fleet.tsv", provider="aws")[0].clusters == 1

    @pytest.mark.parametrize("name", ["fleet.csv", "fleet.tsv"])
    def test_an_ambiguous_header_is_refused(self, name):
        text = "\n\nclients;rps,data\n"
        assert error_of(text, name=name).endswith(
            'line 3: the header has 1 times ";" and 1 times "," between its cells, expected one delimiter; '
            "choose it with --delimiter"
        )
        with pytest.raises(FleetFileError, match="has no column for clients"):
            sized(text, name, delimiter=",")

    def test_a_header_that_ends_elsewhere_with_its_own_delimiter_is_refused(self):
        assert "choose it with --delimiter" in error_of('a,b,c;"d\ne",f\n')

    @given(st.lists(st.sampled_from([*DELIMITERS, '"', '""', "a", "b c", ' "']), min_size=1, max_size=12).map("".join))
    def test_what_is_found_splits_as_python_splits(self, header):
        assume(Splitter(DELIMITERS).record.fullmatch(header.encode() + b"\n"))
        found, counts = find_delimiter(header.encode(), ",")
        if found is None:
            assert len(counts) > 1
            return
        cells = [cell.decode() for cell in Splitter(found).cells(header.encode())]
        plain = [cell[1:-1].replace('""', '"') if cell.startswith('"') else cell for cell in cells]
        assert plain == next(csv.reader([header], delimiter=found))


class TestChosen:
    @pytest.mark.parametrize(
        ("option", "delimiter"), [(",", ","), (";", ";"), ("|", "|"), ("\t", "\t"), ("tab", "\t"), ("\\t", "\t")]
    )
    def test_it_settles_an_ambiguous_header(self, option, delimiter):
        others = DELIMITERS.replace(delimiter, "") * 2
        header = delimiter.join([f"x{others}", "clients", "rps", "data"])
        summary, written = sized(f"{header}\n{delimiter.join('1234')}\n", delimiter=option, provider="aws")
        assert summary.clusters == 1
        assert written.startswith(header + delimiter)

    @pytest.mark.parametrize("option", ["", ":", ";;", " ", "TAB", "\n", '"'])
    def test_what_separates_no_cells_is_rejected(self, option):
        with pytest.raises(OptionError, match=r'delimiter: got ".*", expected ",", ";", "|" or "tab"'):
            sized(joined(ROWS, ","), delimiter=option)

    @pytest.mark.parametrize("kind", ["jsonl", "parquet"])
    def test_a_format_without_delimiters_rejects_it(self, kind):
        rows = [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]
        content = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), content)
        text = "\n".join(map(json.dumps, rows)).encode() if kind == "jsonl" else content.getvalue()
        with pytest.raises(OptionError) as caught:
            sized(text, "fleet", format=kind, delimiter=";")
        assert str(caught.value) == (f'delimiter: got ";" for the format {kind}, which has no delimiters; leave it out')


class TestSepLine:
    """Excel writes `sep=;` before the header and reads it; it names the delimiter."""

    @pytest.mark.parametrize(
        ("line", "named"),
        [("sep=;", ";"), ('"sep=,"', ","), ("SEP=\t", "\t"), ("sep=", ""), ("sep=:", ":"), ("sep=a", None),
         ("sep=;;", None), ("sep=;,", None), ("separator", None), ('"sep=;', None)],
    )  # fmt: skip
    def test_what_it_names(self, line, named):
        assert sep_delimiter(line) == named

    def test_it_goes_before_the_header(self):
        assert sized("sep=;\n" + joined([["a,b,c,d,e", *ROWS[0]], ["", *ROWS[1]]], ";"))[0].clusters == 1

    def test_a_chosen_delimiter_goes_before_it(self):
        """The line would then mislead whoever reads the output."""
        summary, written = sized("sep=;\n" + joined(ROWS, ","), delimiter=",")
        assert summary.clusters == 2
        assert written.startswith("name,clients")
        assert sized("sep=\n" + joined(ROWS, "|"), delimiter="|")[1].startswith("name|clients")

    @pytest.mark.parametrize("line", ["sep=", "sep=:", "\ufeffsep=", '"sep="'])
    def test_a_line_that_names_none_is_refused(self, line):
        shown = line.strip("\ufeff").replace('"', '\\"')
        assert error_of(f"{line}\r\n{joined(ROWS, ';')}") == (
            f'fleet.csv: line 1: got "{shown}", expected sep= and one of "," ";" "|" or a tab; '
            "choose one of those with --delimiter"
        )

    def test_alone_it_is_an_empty_file(self):
        assert error_of("sep=;\r\n") == "fleet.csv: empty, expected a header and one row per cluster"

    def test_lines_are_counted_with_it(self):
        assert "line 4: got 1 cells" in error_of(f"sep=;\n{joined(ROWS[:2], ';')}x\n")

    def test_some_columns_keep_it_and_another_format_does_not(self):
        text = "sep=;\r\n" + joined(ROWS, ";", "\r\n")
        assert sized(text, columns=["name", "tier"])[1] == "sep=;\nname;tier\na;small\nb;large\n"
        assert sized(text, to="tsv", columns=["name", "tier"])[1] == "name\ttier\na\tsmall\nb\tlarge\n"


class TestWritten:
    @pytest.mark.parametrize("delimiter", DELIMITERS)
    @pytest.mark.parametrize("kind", ["csv", "tsv"])
    def test_another_format_has_its_own_delimiter(self, delimiter, kind):
        other = {"csv": "tsv", "tsv": "csv"}[kind]
        _, written = sized(joined(ROWS, delimiter), f"fleet.{kind}", to=other)
        assert [row[:5] for row in table(written, {"csv": ",", "tsv": "\t"}[other])] == ROWS

    @pytest.mark.parametrize("delimiter", DELIMITERS)
    def test_cells_with_the_delimiter_are_quoted(self, delimiter):
        """Several dimensions are joined by a semicolon."""
        text = joined([ROWS[0], ["a", "300", "900", "80MB", "aws"]], delimiter)
        _, written = sized(text)
        row = dict(zip(*table(written, delimiter), strict=True))
        assert row["forced_by"] == "clients;requests_per_second"

    @pytest.mark.parametrize("name", ["a;b;c;d;e;f;g;h;i;j;k;l", "a|b", "a\tb", "a,b"])
    def test_a_name_that_looks_delimited_is_quoted(self, name):
        line = json.dumps({name: "x", "clients": "1", "rps": "2", "data": "3", "cloud": "aws"})
        _, written = sized(line, "fleet.jsonl", to="csv", columns=["*"])
        assert sized(written)[0].tiers["small"] == 1


BLANK = st.lists(st.sampled_from(["", " ", "\t", "\u00a0", '""', '" "', " \t"]), min_size=1, max_size=7)


class TestBlankRows:
    """A row of empty cells is a blank line: it is not counted and not written, and lines are counted with it."""

    @given(
        chunk=st.sampled_from([3, 40, 2**22]),
        delimiter=st.sampled_from(DELIMITERS),
        load=st.sampled_from(["90", "1.5", "n/a"]),
        blanks=st.lists(BLANK, max_size=4),
        place=st.integers(0, 2),
    )
    def test_they_are_left_out(self, chunk, delimiter, load, blanks, place):
        """Whatever the rows hold, and however the file is cut."""
        rows = [["", load, "5", "1.5", "aws"], ["x", load, "", "8MB", "aws"]]
        empty = [delimiter.join(cells) for cells in blanks]
        lines = [delimiter.join(row) for row in rows]
        text = "\n".join([delimiter.join(ROWS[0]), *lines[:place], *empty, *lines[place:]]) + "\n"
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(etcdsize.files.csv_reader, "_CHUNK", chunk)
            summary, written = sized(text)
            expected = sized("\n".join([delimiter.join(ROWS[0]), *lines]) + "\n")
        assert (summary, written) == expected
        assert summary.clusters == 2

    @pytest.mark.parametrize("cells", ['","', "x", "-", "n/a", "\u2003", "\x00", '"\n"'])
    def test_a_row_with_anything_in_it_is_a_row(self, cells):
        summary, written = sized(f"note,clients,rps,data,cloud\n{cells},,,,\n")
        assert (summary.clusters, summary.not_sized) == (1, 1)
        assert len(table(written, ",")) == 2

    @pytest.mark.parametrize("first", [";;;;", " ; ;", "\u00a0", "\ufeff;;", "\t\n,,,\n|"])
    def test_before_the_header(self, first):
        """A spreadsheet that begins with empty rows."""
        assert sized(f"{first}\n{joined(ROWS, ';')}")[0].clusters == 2
        assert f"line {first.count(chr(10)) + 3}: got 1 cells" in error_of(f"{first}\n{joined(ROWS[:1], ';')}x\n")

    def test_nothing_else_is_an_empty_file(self):
        assert error_of(";;;\n,,\n \t") == "fleet.csv: empty, expected a header and one row per cluster"
        assert sized(joined(ROWS[:1], ";") + ";;;;\n")[0].clusters == 0

    def test_problems_are_counted_without_them_and_lines_with_them(self):
        text = joined([ROWS[0], [""] * 5, ["a", "x", "1", "1", "aws"]], ";")
        summary, _ = sized(text)
        assert summary.first_problems[0].row == 1
        assert "line 4: got 2 cells" in error_of(text + "1;2\n")

    def test_a_single_column_has_no_blank_lines(self):
        known = {"unknown": ["clients", "data_bytes"], "provider": "aws"}
        summary, written = sized("rps\n5\n \n7\n", **known)
        assert summary.clusters == 3
        assert [row[0] for row in table(written, ",")[1:]] == ["5", " ", "7"]


CELL = st.text(st.sampled_from('90.,;|\t "x\n\u00a0é'), max_size=5) | st.sampled_from(["90", "1,5", "n/a", ""])


@examples(40)
@given(
    rows=st.lists(st.lists(CELL, min_size=4, max_size=4), max_size=8),
    delimiter=st.sampled_from(DELIMITERS),
    end=st.sampled_from(["\n", "\r\n"]),
    to=st.sampled_from([None, "csv", "tsv", "jsonl"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_every_cell_of_every_row_is_kept(rows, delimiter, end, to, quoting):
    """Whatever Python writes with any delimiter: every row that has something in it, cell by cell."""
    text = io.StringIO(newline="")
    header = ["note", "clients", "rps", "data"]
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([header, *rows])
    summary, written = sized(text.getvalue(), to=to, provider="aws")
    expected = [row for row in rows if any(cell.strip(PADDING) for cell in row)]
    assert summary.clusters == len(expected)
    if to == "jsonl":
        got = [[json.loads(line)[name] for name in header] for line in written.splitlines()]
    else:
        got = [row[:4] for row in table(written, "\t" if to == "tsv" else delimiter)[1:]]
    assert got == expected
