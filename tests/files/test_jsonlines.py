"""JSON Lines: the other fields keep their value, and an error names the line that is not an object."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from today import cost_per_month, machine_today

import etcdsize.files.formats.jsonlines
import etcdsize.files.json_objects
from etcdsize import FleetFileError
from etcdsize.batches.columns import ANSWERS
from etcdsize.files.fleet_file import open_fleet

START = '{"clients": 1, "rps": 2, "data": "3MB", "cloud": "aws"'
SMALL = (
    ', "tier": "small", "machine_type": "m4.large", "forced_by": "", "tightest": "data_bytes", '
    f'"machine_today": "{machine_today("aws", "small")}", "cost_per_month": {cost_per_month("aws", "small")}, '
    '"currency": "USD", "price_region": "us-east-1", "price_date": "2026-07-20", "problem": null, "notices": null}'
)


def sized(text, to=None, **options):
    written = io.BytesIO()
    text = text.encode() if isinstance(text, str) else text
    with open_fleet(Path("fleet.jsonl"), io.BytesIO(text), **options) as fleet:
        summary = fleet.run(stream=written, format=to)
    return summary, written.getvalue()


def chosen(text, columns):
    written = io.BytesIO()
    with open_fleet(Path("fleet.jsonl"), io.BytesIO(text.encode())) as fleet:
        fleet.run(stream=written, columns=columns)
    return written.getvalue()


def read(text):
    """Return an object with its numbers as they are written."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def error_of(text, **options):
    with pytest.raises(FleetFileError) as caught:
        sized(text, **options)
    return caught.value


def objects(written):
    return [json.loads(line) for line in written.decode().splitlines()]


VALUES = [
    "1.10", "1e400", str(2**70), "-0", "1E5", "0.1000000000000000055511151231257827", "true", "null", '"żółw 集群 🐢"',
    r'"\u00e9\n\"\\"', r'"\ud83d\udc22"', r'"\ud800"',
    '{"a": {"b": [1.10, {}, []]}}', "[]", "{}", '""', '"{"', "NaN", "-Infinity",
]  # fmt: skip


class TestOtherFields:
    """Every object is written unchanged, with the answers after it."""

    @pytest.mark.parametrize("value", VALUES)
    def test_object_is_unchanged(self, value):
        text = f'{START}, "x": {value}}}\n'
        summary, written = sized(text)
        assert written.decode() == f'{START}, "x": {value}{SMALL}\n'
        assert summary.clusters == 1

    @pytest.mark.parametrize("value", VALUES)
    def test_chosen_fields_keep_their_values(self, value):
        text = f'{START}, "other": {value}, "left": 1}}\n{START}}}\n'
        if "ud800" in value:
            with pytest.raises(FleetFileError, match=r"line 1: the field .other. has half of a surrogate pair"):
                chosen(text, ["other"])
            return
        kept, missing = chosen(text, ["other", "clients", "tier"]).decode().splitlines()
        assert read(kept) == read(f'{{"other": {value}, "clients": 1, "tier": "small"}}')
        assert missing == '{"other": null, "clients": 1, "tier": "small"}'

    def test_a_chosen_field_that_is_repeated(self):
        text = f'{START}, "other": 1, "other": 2}}\n'
        with pytest.raises(FleetFileError, match='line 1: has the field "other" more than once, expected it once'):
            chosen(text, ["other", "tier"])
        assert chosen(text, ["clients"]) == b'{"clients": 1}\n'

    def test_fields_that_some_lines_lack(self):
        text = f'{START}}}\n{START}, "x": 1}}\n{{}}\n  {{"y": 2 }}  \n'
        summary, written = sized(text)
        assert written.decode().splitlines()[:2] == [START + SMALL, START + ', "x": 1' + SMALL]
        missing = "clients: missing; rps: missing; data: missing; cloud: missing"
        nothing = dict.fromkeys(ANSWERS) | {"problem": missing}
        assert objects(written)[2:] == [nothing, {"y": 2, **nothing}]
        assert summary.not_sized == 2

    def test_duplicate_fields(self):
        """Among the others they stand; one of the load is rejected, and so is one that CSV would lose."""
        text = f'{START}}}\n{START}, "x": 1, "x": 2}}\n'
        assert f'{START}, "x": 1, "x": 2{SMALL}' in sized(text)[1].decode()
        assert str(error_of(text, to="csv")) == (
            'fleet.jsonl: line 2: has the field "x" more than once, expected it once'
        )
        assert str(error_of(f'{START}}}\n{START}, "clients": 900}}\n')) == (
            'fleet.jsonl: line 2: has the field "clients" more than once, expected it once'
        )

    def test_blank_lines_bom_and_crlf(self):
        summary, written = sized(f"\ufeff{START}}}\r\n\r\n \n{START}}}")
        assert written.decode() == f"{START}{SMALL}\n" * 2
        assert summary.clusters == 2

    def test_many_lines(self, monkeypatch):
        text = "".join(f'{START}, "x": {row}}}\n' for row in range(50))
        whole = sized(text)
        for rows in (1, 7, 49, 50, 51):
            monkeypatch.setattr(etcdsize.files.formats.jsonlines, "_ROWS", rows)
            assert sized(text) == whole

    def test_to_csv_by_value(self):
        """Text and numbers as they stand, the rest as JSON; what CSV has no word for is empty."""
        values = {value: json.loads(value, parse_float=Decimal) for value in VALUES if value != r'"\ud800"'}
        text = "".join(f'{START}, "x": {value}}}\n' for value in values)
        _, written = sized(text, to="csv")
        rows = list(csv.reader(io.StringIO(written.decode(), newline="")))
        for row, (value, meant) in zip(rows[1:], values.items(), strict=True):
            if isinstance(meant, str) or value == "null":
                assert row[4] == (meant or "")
            elif isinstance(meant, (dict, list, bool)):
                assert json.loads(row[4], parse_float=Decimal) == meant
            else:
                assert row[4] == value

    def test_to_parquet(self):
        _, written = sized(f'{START}, "x": {{"a": 1.10}}}}\n{START}}}\n', to="parquet")
        table = pq.read_table(io.BytesIO(written))
        assert table["x"].to_pylist() == ['{"a": 1.10}', None]
        assert table["clients"].to_pylist() == ["1", "1"]
        assert table["tier"].to_pylist() == ["small", "small"]

    def test_a_field_that_comes_late(self, monkeypatch):
        monkeypatch.setattr(etcdsize.files.formats.jsonlines, "_ROWS", 2)
        text = f'{START}}}\n{START}}}\n{START}, "late": 1}}\n'
        assert objects(sized(text)[1])[2]["late"] == 1
        assert str(error_of(text, to="csv")) == (
            'fleet.jsonl: line 3: has the field "late", which the first 2 lines do not have; '
            "write JSON lines to keep every field"
        )


class TestLoads:
    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            ("NaN", 'clients: got "NaN", expected a count such as "300"'),
            ("-Infinity", 'clients: got "-Infinity", expected a count such as "300"'),
            ("-5", 'clients: got "-5", expected a count such as "300"'),
            ("true", 'clients: got "true", expected a count such as "300"'),
            ("[1]", 'clients: got "[1]", expected a count such as "300"'),
            ("null", "clients: missing"),
            ('""', "clients: missing"),
            (str(2**64), f'clients: got "{2**64}", expected at most 2^64 - 1 for an integer'),
            ("1e3", None),
            ('"300"', None),
        ],
    )
    def test_load(self, value, problem):
        _, written = sized(f'{{"clients": {value}, "cloud": "aws"}}\n', unknown=["requests_per_second", "data_bytes"])
        assert objects(written)[0]["problem"] == problem


class TestMalformed:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("[1, 2]", 'got "[1, 2]", expected a JSON object'),
            ("1", 'got "1", expected a JSON object'),
            ("null", 'got "null", expected a JSON object'),
            ("{", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
            (f"{START}}} {{}}", "not JSON: Extra data: line 1 column 57 (char 56)"),
            ('{"a": ' * 100_000, "nested too deeply"),
            (r'{"clients": "\ud800"}', 'the field "clients" has half of a surrogate pair, which UTF-8 cannot hold'),
            ("x" * 2000, "more than 0 MiB, expected a JSON object"),
        ],
    )
    def test_a_malformed_line_is_rejected(self, line, reason, monkeypatch):
        if reason.startswith("more than"):
            monkeypatch.setattr(etcdsize.files.json_objects, "_LONGEST_LINE", 1000)
        error = error_of(f"{START}}}\n\n{line}\n")
        assert str(error) == f"fleet.jsonl: line 3: {reason}"
        assert error.line == 3

    def test_a_field_that_the_answer_adds(self, monkeypatch):
        """It is rejected by its name, and by its line where only a later line has it."""
        late = f'{START}}}\n\n{START}, "tier": 1}}\n'
        assert str(error_of(late)).startswith('fleet.jsonl: has a column "tier", which the answer adds; rename it or')
        monkeypatch.setattr(etcdsize.files.formats.jsonlines, "_ROWS", 1)
        error = error_of(late)
        assert (str(error), error.line) == (
            'fleet.jsonl: line 3: has a field "tier", which the answer adds; rename it or leave it out',
            3,
        )

    def test_not_utf_8(self):
        assert str(error_of(START.encode() + b', "x": "caf\xe9"}\n')) == (
            "fleet.jsonl: line 1: got the byte 0xe9, expected UTF-8"
        )

    @pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "\ufeff \n"])
    def test_empty(self, text):
        assert str(error_of(text)) == "fleet.jsonl: empty, expected one JSON object per cluster"

    def test_a_name_that_is_no_text(self):
        assert str(error_of(START + r', "\ud800": 1}')).endswith(
            "has half of a surrogate pair, which UTF-8 cannot hold"
        )

    def test_csv_with_two_columns_of_a_name(self):
        with (
            open_fleet(Path("fleet.csv"), io.BytesIO(b"clients,rps,data,x,x\n"), provider="aws") as fleet,
            pytest.raises(FleetFileError) as caught,
        ):
            fleet.run(stream=io.BytesIO(), format="jsonl")
        assert str(caught.value) == (
            "fleet.csv: has several columns x, which one JSON object cannot hold; write CSV or Parquet"
        )


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@examples(50)
@given(st.lists(st.dictionaries(st.text().map("X{}".format), NESTED, max_size=4), max_size=8))
def test_any_fields_are_kept(others):
    """Whatever else the objects hold comes back equal, in the same order."""
    loads = {"clients": 1, "rps": 2, "data": 3, "cloud": "aws"}
    text = "".join(json.dumps({**other, **loads}) + "\n" for other in [*others, {}])
    summary, written = sized(text)
    assert summary.clusters == len(others) + 1
    for found, other in zip(objects(written), others, strict=False):
        assert list(found)[: len(other) + 4] == [*other, *loads]
        assert {name: found[name] for name in other} == other
        assert found["tier"] == "small"
