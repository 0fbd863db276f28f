"""CSV and TSV: cells that are not read keep their value, answers are those of `size`, and errors name their line."""

import csv
import io
import json
from itertools import product
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from today import cells

import etcdsize.files.csv_reader
import etcdsize.files.csv_writer
from etcdsize import EtcdSizeError, FleetFileError, size
from etcdsize.batches.cells import PADDING
from etcdsize.batches.columns import ANSWERS
from etcdsize.files.fleet_file import open_fleet
from etcdsize.units import DIMENSIONS, parse_count

HEADER = "clients,rps,data,cloud,note\n"
ROW = "1,2,3MB,aws,"
ADDED = list(ANSWERS)
KNOWN = ["tier", "machine_type", "forced_by", "tightest", "problem"]
SMALL = f"small,m4.large,,data_bytes,{cells('aws', 'small')},,"


def sized(text, kind="csv", to=None, **options):
    """Return the summary and the file that is written."""
    written = io.BytesIO()
    text = text.encode() if isinstance(text, str) else text
    with open_fleet(Path("fleet.csv"), io.BytesIO(text), format=kind, **options) as fleet:
        summary = fleet.run(stream=written, format=to)
    return summary, written.getvalue()


def table(written, delimiter=","):
    return list(csv.reader(io.StringIO(written.decode(), newline=""), delimiter=delimiter))


def error_of(text, **options):
    with pytest.raises(FleetFileError) as caught:
        sized(text, **options)
    return caught.value


def answer(clients, requests, data, provider):
    """Return the answers of `size` for a row of text, as a file has them; None if it cannot be sized.

    A provider without machines gets none.
    """
    if "" in (clients, requests, data, provider):
        return None
    known = provider.lower() in ("aws", "gcp", "google", "gce")
    try:
        one = size(
            clients=parse_count(clients),
            requests_per_second=requests,
            data_bytes=data,
            provider=provider if known else "aws",
        )
    except EtcdSizeError:
        return None
    forced_by = ";".join(name for name in DIMENSIONS if name in one.forced_by)
    return [one.tier, one.machine.machine_type if known else "", forced_by, one.tightest, ""]


CELLS = ["007", "NA", "1.10", "0x1F", str(2**70), "2024-02-30", " a ", "", "żółw 集群 🐢", "null", "-0", "1e5", "=1+1"]
QUOTED = ['"a,b"', '"a\nb"', '"a\r\nb"', '"a\rb"', '"say ""hi"""', '""', '" "', '""""', '"007"', '"a\n\n\nb"']


class TestOtherCells:
    """Every cell that is not of the load keeps its value; a record is written unchanged."""

    @pytest.mark.parametrize("cell", [*CELLS, *QUOTED, '5" disk', 'a"b"c', ' "x', "a\x00b", "\ufeff", "\x1f", "\u2028"])
    def test_record_is_unchanged(self, cell):
        summary, written = sized(f"{HEADER}{ROW}{cell}\n{ROW}end\n")
        assert written.decode() == (
            f"clients,rps,data,cloud,note,{','.join(ADDED)}\n{ROW}{cell},{SMALL}\n{ROW}end,{SMALL}\n"
        )
        assert summary.clusters == 2

    @pytest.mark.parametrize("cell", [*CELLS, *QUOTED, '5" disk', "tab\there"])
    def test_value_survives_tsv_and_back(self, cell):
        text = f"{HEADER}{ROW}{cell}\n"
        _, tsv = sized(text, to="tsv")
        assert [row[:5] for row in table(tsv, "\t")] == table(text.encode())
        lines = [row[:5] for row in table(tsv, "\t")]
        again = io.StringIO(newline="")
        csv.writer(again, delimiter="\t", lineterminator="\r\n").writerows(lines)
        _, back = sized(again.getvalue(), "tsv", to="csv")
        assert [row[:5] for row in table(back)] == table(text.encode())

    def test_duplicate_and_blank_headers_among_the_others(self):
        _, written = sized("x,,clients,x,rps,,data,cloud\n1,2,3,4,5,6,7MB,aws\n")
        assert table(written)[1][:8] == ["1", "2", "3", "4", "5", "6", "7MB", "aws"]
        assert table(written)[0][:8] == ["x", "", "clients", "x", "rps", "", "data", "cloud"]

    def test_headers_are_unquoted(self):
        _, written = sized('"clients","r\nps","db ""size""",cloud\n1,2,3,aws\n',
                           columns={"requests_per_second": "r\nps", "data_bytes": 'db "size"'})  # fmt: skip
        assert table(written)[1][4:8] == ["small", "m4.large", "", "clients"]

    def test_long_cells(self):
        """Longer than the 128 KiB that Python's csv module takes."""
        long = "x" * 300_000
        _, written = sized(f"clients,rps,data,cloud,{long}\n1,2,3,aws,{long}\n")
        assert written.count(long.encode()) == 2
        assert error_of(f"{HEADER}{ROW}x\n{ROW}{long},y\n").line == 3


class TestLineEnds:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("last", [True, False], ids=["ended", "no newline at the end"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "BOM"])
    def test_line_ends(self, end, last, mark):
        text = end.join([mark + HEADER.strip(), f"{ROW}a", f'{ROW}"b{end}c"', f"{ROW}d"]) + end * last
        summary, written = sized(text)
        assert summary.clusters == 3
        assert [row[4] for row in table(written)] == ["note", "a", f"b{end}c", "d"]
        assert written.startswith(b"clients,")
        assert (b"notices\r\n" in written) == (end == "\r\n")

    def test_mixed_line_ends(self):
        summary, written = sized(f"{HEADER}{ROW}a\r\n{ROW}b\r{ROW}c\n{ROW}d")
        assert summary.clusters == 4
        assert [row[4] for row in table(written)] == ["note", "a", "b", "c", "d"]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_blank_lines_are_no_rows(self, end):
        text = end.join(["", "  ", HEADER.strip(), "", f"{ROW}a", "", "", f"{ROW}b", "", ""])
        summary, written = sized(text)
        assert summary.clusters == 2
        assert [row[4] for row in table(written)] == ["note", "a", "b"]

    def test_one_column(self):
        """An empty line of a file of one column is an empty cell."""
        summary, written = sized("rps\r\n5\r\n\r\n7\r\n", provider="aws", unknown=["clients", "data_bytes"])
        assert [row[0] for row in table(written)] == ["rps", "5", "", "7"]
        assert [(problem.row, problem.problem) for problem in summary.first_problems] == [(2, "rps: missing")]
        error = error_of("rps\n5\n\n7\n8,9\n", provider="aws", unknown=["clients", "data_bytes"])
        assert error.line == 5

    @pytest.mark.parametrize("text", [HEADER, HEADER.strip(), f"\ufeff{HEADER}\n\n"])
    def test_a_header_alone_is_a_fleet_of_none(self, text):
        summary, written = sized(text)
        assert (summary.clusters, summary.not_sized) == (0, 0)
        assert written.decode() == f"clients,rps,data,cloud,note,{','.join(ADDED)}\n"

    @pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "\ufeff\r\n \r", "   ", "\r"])
    def test_an_empty_file(self, text):
        assert str(error_of(text)) == "fleet.csv: empty, expected a header and one row per cluster"

    def test_many_blank_lines_are_skipped_at_once(self):
        assert sized("\n" * 3_000_000 + HEADER + ROW + "\n")[0].clusters == 1
        assert error_of("\n" * 3_000_000 + HEADER + "1\n").line == 3_000_002


class TestWritten:
    """Any reader of CSV finds as many rows and columns as were written."""

    @pytest.mark.parametrize("kind", ["csv", "tsv"])
    @pytest.mark.parametrize("columns", [["tier"], ["note"]])
    def test_an_empty_cell_of_a_single_column_is_a_row(self, columns, kind):
        """A blank line is not: it would be skipped, and the rows after it would move up."""
        written = io.BytesIO()
        with open_fleet(Path("fleet.csv"), io.BytesIO(f"{HEADER}1,,3,aws,\n{ROW}x\n".encode())) as fleet:
            fleet.run(stream=written, format=kind, columns=columns)
        last = "small" if columns == ["tier"] else "x"
        assert table(written.getvalue()) == [columns, [""], [last]]

    @pytest.mark.parametrize("name", ["a\nb", "a\rb", "a,b", 'a"b', "a\tb"])
    def test_names_are_quoted_where_cells_are(self, name):
        line = json.dumps({"clients": "1", "rps": "2", "data": "3", "cloud": "aws", name: "x"})
        _, written = sized(line, kind="jsonl", to="csv")
        assert table(written)[0][:5] == ["clients", "rps", "data", "cloud", name]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_machines_of_digits_alone_are_text(kind):
    """Only columns of the load are read as numbers."""
    text = "clients,rps,data,cloud,current_machine\n5,5,5,aws,120\n".replace(",", "\t" if kind == "tsv" else ",")
    with open_fleet(Path("fleet"), io.BytesIO(text.encode()), format=kind) as fleet:
        assert fleet.run().audit.verdicts["unknown"] == 1
    assert sized(text, kind, to="csv")[0].clusters == 1


class TestMalformed:
    """What cannot be split into rows is rejected with the line of the file, counted from 1 with the header."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (f"{HEADER}{ROW}\n1,2\n", 'line 3: got 2 cells, expected 5 as in the header: "1,2"'),
            (f'{HEADER}{ROW}"a\n\nb"\n\n{ROW}x,y\n', f'line 6: got 6 cells, expected 5 as in the header: "{ROW}x,y"'),
            (f'{HEADER}{ROW}"a\rb\r\nc"\r{ROW},\r', f'line 5: got 6 cells, expected 5 as in the header: "{ROW},"'),
            (f"\n\n{HEADER}\n{ROW}\n  x\n", 'line 6: got 1 cells, expected 5 as in the header: "  x"'),
            (f"\n{HEADER},\n,,,,\n{ROW}\n1,2\n", 'line 6: got 2 cells, expected 5 as in the header: "1,2"'),
            (f"{HEADER}{ROW}\n\x00\n", 'line 3: got 1 cells, expected 5 as in the header: "\\x00"'),
        ],
    )  # fmt: skip
    def test_a_row_with_too_few_or_too_many_cells_is_rejected(self, text, message):
        error = error_of(text)
        assert str(error) == f"fleet.csv: {message}"
        assert f"line {error.line}:" in message

    def test_a_quote_inside_a_cell_quotes_nothing(self):
        """After a space, a quote is text, and the comma within it parts two cells."""
        assert table(sized(f'{HEADER}1, "2,3",4,5\n')[1])[1][:5] == ["1", ' "2', '3"', "4", "5"]

    CLOSE = "a quote is opened in this row and not closed before the end of the file; close it"
    TEXT = (
        "a quote is opened in this row, and text follows where it is closed; close it where the cell ends, and "
        'double a quote that belongs to the cell, as in "5"" disk"'
    )

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ('"clients,rps,data,cloud\n1,2,3,aws\n', 1, CLOSE),
            (f'{HEADER}{ROW}"a\n{ROW}b\n', 2, CLOSE),
            (f'{HEADER}{ROW}"a\nb"\n{ROW}"c\n{ROW}\n', 4, CLOSE),
            (f'{HEADER}{ROW}a\n{ROW}"', 3, CLOSE),
            (f'{HEADER}{ROW}a\n{ROW}"b""', 3, CLOSE),
            # Without this refusal, the rows up to the next quote would be one cell, and their clusters lost.
            (f'{HEADER}{ROW}"a\n{ROW}b\n{ROW}"c"\n{ROW}d\n', 2, TEXT),
            (f'{HEADER}{ROW}\n{ROW}"a"b\n', 3, TEXT),
            (f'{HEADER}{ROW}\n{ROW}"a"b', 3, TEXT),
            (f'{HEADER}"1" ,2,3,aws,\n', 2, TEXT),
            (f'clients,"rps"x,data,cloud\n{ROW}\n', 1, TEXT),
        ],
    )
    def test_a_misplaced_quote_is_rejected(self, text, line, reason):
        error = error_of(text)
        assert str(error) == f"fleet.csv: line {line}: {reason}"
        assert error.line == line

    @pytest.mark.parametrize(
        ("text", "line", "byte"),
        [
            (HEADER.encode() + b"\xff,2,3,aws,x\n", 2, "ff"),
            (HEADER.encode() + ROW.encode() + b'"a\n\nb"\r\n' + ROW.encode() + b"caf\xe9\n", 5, "e9"),
            (b"clients,rps,data,cloud,caf\xe9\n", 1, "e9"),
            (HEADER.encode() + ROW.encode() + b"cut \xe2\x82", 2, "e2"),
            (HEADER.encode() + ROW.encode() + b"surrogate \xed\xa0\x80\n", 2, "ed"),
        ],
    )
    def test_not_utf_8(self, text, line, byte):
        assert str(error_of(text)) == (
            f"fleet.csv: line {line}: got the byte 0x{byte}, expected UTF-8; convert the file first, "
            "with iconv for example"
        )

    def test_a_record_too_long(self, monkeypatch):
        monkeypatch.setattr(etcdsize.files.csv_reader, "_LONGEST_RECORD", 1024**2)
        monkeypatch.setattr(etcdsize.files.csv_reader, "_CHUNK", 64 * 1024)
        fits = f"{HEADER}{ROW}a\n{ROW}{'x' * 1_000_000}\n"
        assert sized(fits)[0].clusters == 2
        assert str(error_of(fits + f'{ROW}"' + "x\n" * 1_000_000)) == (
            "fleet.csv: line 4: a row of more than 1 MiB; is a quote not closed?"
        )

    def test_an_unclosed_quote_in_a_long_file_is_found_in_time(self):
        """The rows after it are looked at again with every chunk; that must not take minutes."""
        text = HEADER + f'{ROW}"open\n' + f"{ROW}closed\n" * 1_500_000
        assert error_of(text).line == 2


NASTY = (
    '\ufeff\r\nclients,"rps",data,cloud,"no\r\nte"\r\n'
    '1,2,3MB,aws,"a ""b"" c"\r\n\r\n"500","2.5k",1GB,GCP,\r\n300,,400MB,azure,5" disk\r\n'
    '\ufeff7,8,9,aws,"x\r\r\n\n,"\r\n10,20,30,gce,żółw\n70,8,9,nowhere,""\r70,8,9,aws,"""end"""'
)


@pytest.mark.parametrize("few", [1, 10, 100, 10_000])
def test_answers_are_the_same_however_they_are_joined(few, monkeypatch):
    loads = product((1, 501, "x"), (1, 5000), ("1MB", "5GB"), ("aws", "gce", ""))
    rows = [",".join(map(str, load)) + ",n\n" for load in loads]
    expected = sized(HEADER + "".join(rows))[1]
    monkeypatch.setattr(etcdsize.files.csv_writer, "_MOST_COMBINED", few)
    assert sized(HEADER + "".join(rows))[1] == expected
    assert len(expected.splitlines()) == 37


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("body", ["\n", "\r\n", "\r"])
def test_a_record_ends_as_the_header_does(newline, body):
    text = HEADER.replace("\n", newline) + (ROW + body) * 3
    written = sized(text)[1].decode()
    assert written == newline.join([HEADER.rstrip() + "," + ",".join(ADDED), *[f"{ROW},{SMALL}"] * 3, ""])


def test_arrow_reads_memory_of_its_own():
    """Arrow's threads may free it while the interpreter ends; memory of Python's aborted the process then."""
    text = "żółw".encode()
    buffer = etcdsize.files.csv_reader._to_arrow_buffer(text)
    assert buffer.to_pybytes() == text
    assert buffer.is_mutable, "bytes are not"


class TestChunks:
    """Where the file is cut for reading changes nothing."""

    @pytest.mark.parametrize("chunk", [*range(1, 30), 64, 100])
    def test_every_boundary(self, chunk, monkeypatch):
        whole = sized(NASTY)
        assert whole[0].clusters == 7
        assert [row[4] for row in table(whole[1])[-2:]] == ["", '"end"']
        as_tsv = sized(NASTY, to="tsv")
        monkeypatch.setattr(etcdsize.files.csv_reader, "_CHUNK", chunk)
        assert sized(NASTY) == whole
        assert sized(NASTY, to="tsv") == as_tsv

    @given(
        st.lists(st.sampled_from([*'",\r\n', '""', "a", "1", "\ufeff", '"\n', '",']), max_size=25), st.integers(1, 9)
    )
    def test_any_text(self, parts, chunk):
        """The same rows, or the same error, whatever the cut."""
        text = ("clients,x\r\n" + "".join(parts)).encode()

        def outcome():
            try:
                return sized(text, provider="aws", unknown=["requests_per_second", "data_bytes"])
            except FleetFileError as error:
                return str(error)

        whole = outcome()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(etcdsize.files.csv_reader, "_CHUNK", chunk)
            assert outcome() == whole

    @given(st.lists(st.sampled_from([*'",\n', '""', "a", "1", '"\n', '",', ',"', "x\n"]), max_size=25))
    def test_cells_are_those_of_pythons_csv_module(self, parts):
        """What is not rejected has the cells that Python reads."""
        text = "clients,x\n" + "".join(parts)
        try:
            _, written = sized(text, provider="aws", unknown=["requests_per_second", "data_bytes"], to="tsv")
        except FleetFileError:
            return
        assert [row[:2] for row in table(written, "\t")] == [
            row for row in table(text.encode()) if any(cell.strip(PADDING) for cell in row)
        ]


LOADS = st.sampled_from(["0", "99", "100", "101", "200", "0199", "500", "1e3", "1500.5", ".5", "10000", "", "x", "-1"])
SIZES = LOADS | st.sampled_from(["100MB", "0.1GB", "100000001", "8 GiB", "1,000MB", "400 mb"])
CLOUDS = st.sampled_from(["aws", "AWS", "gcp", "google", "azure", "", "nowhere", "gce"])
OTHERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    [*CELLS, "\r\n", '"', ",", "\t"]
)
ROWS = st.lists(st.tuples(OTHERS, LOADS, OTHERS, LOADS, SIZES, CLOUDS, OTHERS), max_size=12)


@examples(40)
@given(
    ROWS,
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["csv", "tsv"]),
    st.sampled_from([None, "csv", "tsv"]),
    st.sampled_from([1, 7, 50, 2**22]),
)
def test_any_table_is_sized_and_kept(rows, quoting, end, kind, to, chunk):
    """Whatever Python writes: the other cells as they were, the rows in order, the answers those of `size`."""
    if end == "\n":
        # Python before 3.13 leaves a carriage return unquoted, and then cannot read it.
        rows = [[cell.replace("\r", "\n") for cell in row] for row in rows]
    header = ["a", "clients", "a", "rps", "data", "cloud", ""]
    text = io.StringIO(newline="")
    delimiter = {"csv": ",", "tsv": "\t"}
    csv.writer(text, delimiter=delimiter[kind], quoting=quoting, lineterminator=end).writerows([header, *rows])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(etcdsize.files.csv_reader, "_CHUNK", chunk)
        summary, written = sized(text.getvalue(), kind, to=to)
    rows = [row for row in rows if any(cell.strip(PADDING) for cell in row)]
    got = table(written, delimiter[to or kind])
    assert [row[:7] for row in got] == [header, *map(list, rows)]
    expected = [answer(*(row[place] for place in (1, 3, 4, 5))) for row in rows]
    for found, wanted in zip(got[1:], expected, strict=True):
        got = dict(zip(ADDED, found[7:], strict=True))
        assert [got[name] for name in KNOWN] == wanted if wanted else got["problem"] and not got["tier"]
    assert summary.clusters == len(rows)
    assert summary.not_sized == expected.count(None)
