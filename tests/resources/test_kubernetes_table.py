"""The table of Kubernetes' objects: every row has a source and a date, and an own table is checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import etcdsize
from etcdsize import TableError
from etcdsize.resources.kubernetes_table import OTHERS, load_kubernetes, read_kubernetes

FILE = Path(etcdsize.__file__).parent / "data" / "resources" / "kubernetes.json"
TABLE = load_kubernetes()


@pytest.mark.parametrize("row", [*TABLE.kinds, *TABLE.figures], ids=lambda row: row.name)
def test_every_row_names_a_source_or_our_reason(row):
    sources = [row.source, *filter(None, (getattr(row, "writes_source", None), getattr(row, "count_source", None)))]
    for source in sources:
        assert source.strip(" :") != "our choice", source
    assert row.date <= TABLE.date


def test_no_short_name_is_ambiguous():
    assert len({kind.short_name for kind in TABLE.kinds}) == len(TABLE.kinds)


def test_what_is_assumed_has_a_rule_for_its_count():
    for kind in TABLE.kinds:
        rules = [kind.per_node, kind.per_pod, kind.fixed]
        assert (kind.count_source is None) <= (rules == [None, None, None]), kind.name
    assert TABLE.kinds_by_name[OTHERS].count_source


def test_an_object_of_the_table_fits_into_a_request():
    """etcd's --max-request-bytes is 1.5 MiB."""
    for kind in TABLE.kinds:
        assert kind.value_bytes.high < 1.5 * 2**20


class TestOwnTable:
    def rows(self):
        return json.loads(FILE.read_text())

    def problem_of(self, rows, path):
        path.write_text(json.dumps(rows))
        with pytest.raises(TableError) as caught:
            read_kubernetes(path)
        return str(caught.value)

    def test_a_kind_that_is_listed_twice(self, tmp_path):
        rows = self.rows()
        rows["kinds"].append(rows["kinds"][0])
        assert '"pods" is listed more than once' in self.problem_of(rows, tmp_path / "own.json")

    @pytest.mark.parametrize("field", ["source", "date", "value_bytes"])
    def test_a_row_without_a_required_field(self, tmp_path, field):
        rows = self.rows()
        del rows["kinds"][1][field]
        assert self.problem_of(rows, tmp_path / "own.json").endswith(f"row 2, {field}: missing; the field is required")

    def test_a_range_whose_ends_are_swapped(self, tmp_path):
        rows = self.rows()
        rows["kinds"][0]["value_bytes"] = {"low": 5, "likely": 4, "high": 9}
        assert "low <= likely <= high" in self.problem_of(rows, tmp_path / "own.json")
