"""File formats: what is registered, and a format that is added by one module."""

import io
import json
import sys
import types
from pathlib import Path

import pyarrow as pa
import pytest

import etcdsize.files.formats
from etcdsize.files.fleet_file import open_fleet
from etcdsize.files.format import POSSIBLE, Rows, file_size
from etcdsize.files.registry import find_format, formats

CLUSTERS = [
    {"clients": "90", "rps": "150", "data_mb": "80", "cloud": "aws", "note": "007"},
    {"clients": "300", "rps": "800", "data_mb": "400", "cloud": "gcp", "note": ""},
]


class ArrayReader:
    """Reads one JSON array of objects of text."""

    def __init__(self, stream):
        self._objects = json.loads(stream.read())
        self.names = list(self._objects[0])
        self.work = len(self._objects), " clusters"

    def read(self, wanted):
        positions = range(len(self.names)) if wanted.positions is None else wanted.positions
        columns = [pa.array([one[self.names[position]] for one in self._objects]) for position in positions]
        yield Rows(pa.RecordBatch.from_arrays(columns, [str(position) for position in positions]), len(self._objects))


class ArrayWriter:
    """Writes one JSON array of objects."""

    copies = False

    def __init__(self, stream, names):
        self._stream, self._names, self._objects = stream, names, []

    def write(self, rows, answers):
        columns = [column.to_pylist() for column in (*rows.batch.columns, *answers.columns)]
        self._objects += [dict(zip(self._names, row, strict=True)) for row in zip(*columns, strict=True)]

    def close(self):
        self._stream.write(json.dumps(self._objects).encode())

    def abandon(self):
        self._objects = []


class Array:
    """A format that etcdsize does not have."""

    name = "array"
    endings = (".array",)
    typed = False
    seeks = False
    text = True
    writes = True

    def recognizes(self, head):
        return POSSIBLE if head.startswith(b"[") else 0

    def reader(self, stream, name):
        return ArrayReader(stream)

    def writer(self, stream, source, kept, answers):
        return ArrayWriter(stream, [*(source.names[position] for position in kept), *answers.names])


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Add a module to the folder of formats, for one test."""
    (tmp_path / "array.py").write_text("")
    module = types.ModuleType("etcdsize.files.formats.array")
    module.FORMATS = (Array(),)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(etcdsize.files.formats, "__path__", [*etcdsize.files.formats.__path__, str(tmp_path)])
    formats.cache_clear()
    yield
    formats.cache_clear()


def converted(text, kind, to, columns=None):
    written = io.BytesIO()
    with open_fleet(Path("fleet"), io.BytesIO(text), format=kind) as fleet:
        summary = fleet.run(stream=written, format=to, columns=columns)
    assert (summary.clusters, summary.not_sized) == (2, 0)
    return written.getvalue()


class TestAddedFormat:
    """A format is one module behind the protocol: nothing else has to know of it."""

    def test_it_is_found_by_name_and_ending(self, made_up):
        assert list(formats()) == ["csv", "tsv", "jsonl", "json", "parquet", "xlsx", "array"]
        assert find_format(Path("fleet.ARRAY"), None).name == find_format(Path("x"), "array").name == "array"

    @pytest.mark.parametrize("other", ["array", "csv", "tsv", "jsonl", "json", "parquet"])
    def test_from_it_and_to_it(self, made_up, other):
        clusters = json.dumps(CLUSTERS).encode()
        if other == "array":
            sized = json.loads(converted(clusters, "array", "array"))
        else:
            # "*" writes no answers, so that the second pass can add them.
            sized = json.loads(converted(converted(clusters, "array", other, columns=["*"]), other, "array"))
        assert [{name: one[name] for name in CLUSTERS[0]} for one in sized] == CLUSTERS
        assert [(one["tier"], one["machine_type"]) for one in sized] == [
            ("small", "m4.large"),
            ("medium", "n1-standard-4"),
        ]


class TestFileSize:
    def test_only_a_file_on_a_disk_has_one(self, tmp_path):
        path = tmp_path / "five"
        path.write_bytes(b"12345")
        with path.open("rb") as stream:
            assert file_size(stream) == 5
        assert file_size(io.BytesIO(b"12345")) is None
