"""JSON arrays: what is in one is what is in the lines, and what is no array of objects is named."""

import gzip
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from needs import program
from paths import DOCS
from program import ENVIRONMENT

import etcdsize.files.formats.jsonlines
import etcdsize.files.json_objects
from etcdsize import FleetFileError
from etcdsize.files.fleet_file import open_fleet
from etcdsize.files.json_objects import wrapped_in

CLUSTERS = [
    {"clients": 90, "rps": 150, "data": "80MB", "cloud": "aws", "note": "żółw\n🐢", "tags": [{"a": 1.10}]},
    {"clients": 300, "rps": 800.5, "data": 4e8, "cloud": "gce", "note": None, "tags": {}},
    {"clients": 1200, "rps": 9999, "data": "1GB", "cloud": "aws", "note": "[{", "late": True},
]
LINES = "".join(json.dumps(one) + "\n" for one in CLUSTERS).encode()
WRITTEN = {
    "compact": json.dumps(CLUSTERS, separators=(",", ":")),
    "pretty": json.dumps(CLUSTERS, indent=2, ensure_ascii=False),
    "as etcdsize writes it": "[\n" + ",\n".join(map(json.dumps, CLUSTERS)) + "\n]\n",
    "with a mark": "\ufeff\r\n " + json.dumps(CLUSTERS, indent="\t").replace("\n", "\r\n") + "\r\n\r\n",
}


def sized(text, name="clusters.json", *, to=None, **options):
    written = io.BytesIO()
    text = text.encode() if isinstance(text, str) else text
    with open_fleet(Path(name), io.BytesIO(text), **options) as fleet:
        summary = fleet.run(stream=written, format=to)
    return summary, written.getvalue()


def error_of(text, name="clusters.json", **options):
    with pytest.raises(FleetFileError) as caught:
        sized(text, name, **options)
    return str(caught.value)


class TestReading:
    """What a file holds decides, lines or an array, not whether its name ends in .json or .jsonl."""

    @pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
    @pytest.mark.parametrize(
        ("name", "kind"), [("c.json", None), ("c.jsonl", None), ("-", "json"), ("-", "jsonl"), ("-", None), ("c", None)]
    )
    def test_an_array_gives_what_its_lines_give(self, name, kind, text):
        summary, lines = sized(text, name, format=kind, to="jsonl")
        expected, wanted = sized(LINES, "clusters.jsonl")
        assert summary == expected
        assert [json.loads(line) for line in lines.splitlines()] == [json.loads(line) for line in wanted.splitlines()]

    def test_lines_under_the_name_of_an_array(self):
        assert sized(LINES, "clusters.json", to="jsonl") == sized(LINES, "clusters.jsonl")
        assert sized(b"\n" + LINES, "clusters.json", to="jsonl") == sized(LINES, "clusters.jsonl")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
    def test_other_encodings(self, encoding):
        assert sized(WRITTEN["pretty"].encode(encoding)) == sized(WRITTEN["pretty"])

    def test_numbers_keep_their_digits(self):
        values = ["1.10", "1e400", str(2**70), "-0", "0.1000000000000000055511151231257827"]
        text = (
            "[" + ",".join(f'{{"clients": 1, "rps": 2, "data": 3, "cloud": "aws", "x": {one}}}' for one in values) + "]"
        )
        _, written = sized(text, to="csv")
        assert [line.split(",")[4] for line in written.decode().splitlines()[1:]] == values
        assert all(f'"x": {one}, "tier"' in sized(text)[1].decode() for one in values)

    def test_many_rows_in_small_pieces(self, monkeypatch):
        text = json.dumps([{**CLUSTERS[0], "row": row} for row in range(200)], indent=1)
        whole = sized(text)
        for piece, rows in ((1, 7), (2, 1), (13, 50), (1000, 199), (10**6, 200)):
            monkeypatch.setattr(etcdsize.files.json_objects, "_PIECE", piece)
            monkeypatch.setattr(etcdsize.files.formats.jsonlines, "_ROWS", rows)
            assert sized(text) == whole

    def test_what_jq_and_pandas_write(self, tmp_path):
        import pandas as pd

        frame = pd.DataFrame(CLUSTERS)
        frame.to_json(tmp_path / "pandas.json", orient="records", indent=1)
        with open_fleet(tmp_path / "pandas.json") as fleet:
            assert fleet.run().clusters == 3
        made = subprocess.run([program("jq", "jq"), "-s", "."], input=LINES, capture_output=True, check=True).stdout
        assert sized(made)[0] == sized(LINES, "c.jsonl")[0]

    def test_a_pipe(self):
        run = subprocess.run(
            [sys.executable, "-m", "etcdsize", "fleet", "-", "-o", "-"],
            input=WRITTEN["pretty"].encode(),
            capture_output=True,
            env=ENVIRONMENT,
            timeout=60,
        )
        assert run.returncode == 0
        assert [one["tier"] for one in json.loads(run.stdout)] == ["small", "medium", "large"]


class TestWriting:
    """`-o x.json` writes an array that parses back, `-o x.jsonl` lines."""

    @pytest.mark.parametrize("source", [LINES, WRITTEN["pretty"].encode()], ids=["lines", "array"])
    def test_by_the_name(self, source, tmp_path):
        path = tmp_path / "in.json"
        path.write_bytes(source)
        for name in ("out.json", "out.jsonl", "out.json.gz"):
            with open_fleet(path) as fleet:
                fleet.run(tmp_path / name)
        array = json.loads((tmp_path / "out.json").read_bytes())
        assert array == [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert array == json.loads(gzip.decompress((tmp_path / "out.json.gz").read_bytes()))
        assert [{name: one[name] for name in before} for one, before in zip(array, CLUSTERS, strict=True)] == CLUSTERS

    def test_from_csv(self):
        _, written = sized("clients,rps,data,cloud\n90,150,1MB,aws\n1,1,1MB,gce\n", "c.csv", to="json")
        assert [one["tier"] for one in json.loads(written)] == ["small", "small"]

    def test_no_rows(self):
        _, written = sized("clients,rps,data,cloud\n", "c.csv", to="json")
        assert json.loads(written) == []

    def test_repeated_fields(self):
        """As in lines: among the others they stand, one of the load is rejected with its row."""
        twice = '[{"clients": 1, "rps": 2, "data": 3, "cloud": "aws", "x": 1, "x": 2}]'
        assert '"x": 1, "x": 2, "tier"' in sized(twice)[1].decode()
        assert 'clusters.json: row 1: has the field "x" more than once' in error_of(twice, to="csv")
        assert 'row 2: has the field "rps" more than once' in error_of(f'{twice[:-1]}, {twice[1:-2]}, "rps": 1}}]')

    def test_to_parquet(self):
        _, written = sized(json.dumps(CLUSTERS), to="parquet")
        assert pq.read_table(io.BytesIO(written))["tier"].to_pylist() == ["small", "medium", "large"]


class TestDamage:
    """An array that is not whole is an error, wherever it is cut."""

    @pytest.mark.parametrize("text", [WRITTEN["compact"], WRITTEN["pretty"]], ids=["compact", "pretty"])
    def test_cut_anywhere(self, text):
        content = text.encode()
        for end in range(len(content)):
            assert error_of(content[:end]).startswith("clusters.json: ")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[]", "empty, expected one JSON object per cluster"),
            ("[", "row 1: the file ends within the array; is the file whole?"),
            ("[{}", "row 1: the file ends after it, expected a comma or the end of the array; is the file whole?"),
            ("[{},", "row 2: the file ends within the array; is the file whole?"),
            ("[{}, ]", "row 1: a comma follows the last object; leave it out"),
            (
                "[{} {}]",
                'row 1: got "{" after the object, expected a comma or the end of the array; is the file whole?',
            ),
            ("[{}, 7]", 'row 2: got "7", expected a JSON object'),
            ("[{}, null]", 'row 2: got "null", expected a JSON object'),
            ('[{}, {"a": 1,}]', "row 2: not JSON: "),
            ('[{}, {"a": tru}]', "row 2: not JSON: "),
            ("[{}, {'a': 1}]", "row 2: not JSON: "),
            (b'[{}, {"a": "caf\xe9"}]', "row 2: got the byte 0xe9, expected UTF-8"),
            ("[{}, " + '{"a":' * 100_000, "row 2: nested too deeply"),
        ],
    )
    def test_what_is_wrong(self, text, message):
        assert error_of(text).startswith(f"clusters.json: {message}")

    def test_arrays_in_the_array(self):
        text = '[["clients", "rps"], [1, 2]]'
        assert error_of(text) == (
            'clusters.json: row 1: got "[\\"clients\\", \\"rps\\"]", expected a JSON object; first run: '
            "jq -r '.[] | @csv' clusters.json > clusters.csv"
        )

    def test_two_arrays(self):
        assert error_of(json.dumps(CLUSTERS) * 2, "my c.json").endswith(
            "after the array, expected one array; first run: jq -c '.[]' 'my c.json' > 'my c.jsonl'"
        )

    def test_an_object_too_long(self, monkeypatch):
        monkeypatch.setattr(etcdsize.files.json_objects, "_LONGEST_ELEMENT", 2 * 1024**2)
        long = json.dumps([{**CLUSTERS[0], "note": "x" * 5 * 1024**2}])
        assert error_of(long) == "clusters.json: row 1: more than 2 MiB, expected a JSON object"
        assert sized(json.dumps([{**CLUSTERS[0], "note": "x" * 1024**2}]))[0].clusters == 1


WRAPPED = [
    ({"items": CLUSTERS}, ".items"),
    ({"apiVersion": "v1", "kind": "List", "items": CLUSTERS}, ".items"),
    ({"meta": {"tags": [{"a": 1}], "count": 3}, "clusters": CLUSTERS, "next": None}, ".clusters"),
    ({"data": {"my clusters": CLUSTERS}}, '.data."my clusters"'),
    ({"it's": CLUSTERS}, '."it\'s"'),
    ({"$(touch x) {file}": CLUSTERS}, '."$(touch x) {file}"'),
]


class TestWrapped:
    """One object with the array in it is named, with the command that takes the array out."""

    @pytest.mark.parametrize(("document", "path"), WRAPPED, ids=[path for _, path in WRAPPED])
    @pytest.mark.parametrize("indent", [None, 2])
    @pytest.mark.parametrize("name", ["it's.json", "c.jsonl", "c.json.gz"])
    def test_it_is_named(self, name, indent, document, path, tmp_path):
        text = json.dumps(document, indent=indent).encode()
        source = tmp_path / name
        source.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        with pytest.raises(FleetFileError) as caught, open_fleet(source):
            pass
        where, command = str(caught.value).split("; first run: ")
        assert where == (
            f"{source}: got one JSON object with an array in {path}, expected an array, or an object in each line"
        )
        program("jq", "jq")
        before = set(tmp_path.iterdir())
        subprocess.run(["sh", "-c", command], check=True)
        made = max(set(tmp_path.iterdir()) - before, key=lambda made: made.suffix == ".jsonl")
        with open_fleet(made) as fleet:
            assert fleet.run().clusters == 3

    @pytest.mark.parametrize(
        "value", [{"value": [1795597200, "8e8"]}, {"values": [[1, "5"], [2.5, "8e8"], [3, "9e7"]]}]
    )
    def test_an_answer_of_prometheus(self, value, tmp_path):
        """Its command makes a row of every series, with the value, or the largest of several."""
        series = [{"metric": {"cluster": name}, **value} for name in ("a", "b")]
        source = tmp_path / "it's.json"
        source.write_text(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}}))
        with pytest.raises(FleetFileError) as caught, open_fleet(source):
            pass
        where, _, command = str(caught.value).partition("; first run: ")
        command, _, rest = command.partition("; and say ")
        assert where == (
            f"{source}: got an answer of Prometheus' query API, expected an array, or an object in each line"
        )
        assert rest == "what the value is, for example with --column data_bytes=value"
        program("jq", "jq")
        subprocess.run(["sh", "-c", command], check=True)
        how = {"columns": {"data_bytes": "value"}, "unknown": ["clients", "requests_per_second"], "provider": "aws"}
        with open_fleet(tmp_path / "it's.jsonl", **how) as fleet:
            assert fleet.run().tiers == {"small": 0, "medium": 0, "large": 2, "xlarge": 0}
        assert command.split("'")[1] in (DOCS / "observe.md").read_text()

    def test_one_cluster_with_an_array_is_a_cluster(self):
        assert sized(json.dumps(CLUSTERS[0]))[0].clusters == 1

    def test_an_object_over_several_lines(self, tmp_path):
        path = tmp_path / "c.json"
        path.write_text("".join(json.dumps(one, indent=1) + "\n" for one in CLUSTERS))
        with pytest.raises(FleetFileError) as caught, open_fleet(path):
            pass
        where, command = str(caught.value).split("; first run: ")
        assert where == f"{path}: line 1: got an object over several lines, expected one in each line"
        program("jq", "jq")
        subprocess.run(["sh", "-c", command], check=True)
        with open_fleet(tmp_path / "c.jsonl") as fleet:
            assert fleet.run().clusters == 3

    @examples(50)
    @given(st.recursive(st.integers() | st.text(), lambda some: st.lists(some) | st.dictionaries(st.text(), some)))
    def test_any_document(self, document):
        """The path leads to an array of objects."""
        path = wrapped_in(json.dumps(document))
        if path is not None:
            found = document
            for step in re.findall(r'\.(\w+|"(?:[^"\\]|\\.)*")', path):
                found = found[json.loads(step) if step.startswith('"') else step]
            assert isinstance(found[0], dict)


NAMES = st.text().map(lambda text: f"other {text}")


@examples(50)
@given(st.lists(st.dictionaries(NAMES, st.integers() | st.text() | st.booleans() | st.none())), st.integers(0, 3))
def test_any_objects_are_kept(objects, indent):
    fields = {"clients": 1, "rps": 2, "data": 3, "cloud": "aws"}
    kept = [{**one, **fields} for one in objects] or [fields]
    text = json.dumps(kept, indent=indent or None)
    back = json.loads(sized(text)[1])
    assert [{name: one[name] for name in before} for one, before in zip(back, kept, strict=True)] == kept
