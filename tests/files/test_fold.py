"""Rows of one cluster at several times: reported, or folded into the newest row or the peak of each figure."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

import etcdsize.files.csv_reader
import etcdsize.files.fold
from etcdsize import FleetFileError, size
from etcdsize.files.fleet_file import open_fleet

HEADER = "cluster,ts,clients,rps,data,cloud,note\n"
ROWS = (
    HEADER
    + """\
a,2026-11-01 00:00,10,900,80MB,aws,old
b,2026-11-01 00:00,300,10,20MB,gcp,x
a,2026-11-01 00:02,90,20,60MB,aws,newest
a,2026-11-01 00:01,20,15,600MB,aws,middle
b,2026-11-01 00:05,,10,30MB,gcp,"y,z"
"""
)


def run(text, kind="csv", *, to=None, **options):
    """Return the summary and the written text of a fleet."""
    written = io.BytesIO()
    text = text.encode() if isinstance(text, str) else text
    with open_fleet(Path(f"f.{kind}"), io.BytesIO(text), **{"on_missing": "unknown"} | options) as fleet:
        return fleet.run(stream=written, format=to), written.getvalue()


def cells(written, *names, delimiter=","):
    rows = csv.DictReader(io.StringIO(written.decode(), newline=""), delimiter=delimiter)
    return [tuple(row[name] for name in names) for row in rows]


class TestReported:
    """A column of time stamps with several rows a cluster: the summary says so, and what to do."""

    @pytest.mark.parametrize(
        ("text", "start"),
        [
            (ROWS, 'Names in the column "cluster" repeat beside a column "ts": a cluster has several rows.'),
            (
                "timestamp,data\n2026-11-01 00:00,1MB\n2026-11-01 00:01,1MB\n",
                'The column "timestamp" varies and no column names the clusters: are these rows of one cluster?',
            ),
        ],
    )
    def test_summary(self, text, start):
        unknown = [] if text is ROWS else ["clients", "requests_per_second"]
        summary, _ = run(text, unknown=unknown, provider="aws")
        assert summary.time_series == (
            f"{start} Each row was sized: --latest sizes the newest row of each cluster, --peak its largest figures"
        )
        assert summary.folded is None

    @pytest.mark.parametrize(
        "text",
        [
            ROWS.replace(",ts,", ",note2,"),
            HEADER + "a,2026-11-01,1,1,1MB,aws,\nb,2026-11-02,1,1,1MB,aws,\n",
            "timestamp,clients,rps,data,cloud\n2026-11-01,1,1,1MB,aws\n2026-11-01,2,1,1MB,aws\n",
            HEADER + ",2026-11-01,1,1,1MB,aws,\n,2026-11-02,1,1,1MB,aws,\n",
        ],
        ids=["no time", "every name once", "one time", "no name given"],
    )
    def test_nothing_to_report(self, text):
        assert run(text)[0].time_series == ""

    def test_a_name_that_repeats_in_a_later_batch(self, monkeypatch):
        monkeypatch.setattr(etcdsize.files.csv_reader, "_CHUNK", 60)
        rows = "".join(f"c{row},2026-11-01,1,1,1MB,aws,\n" for row in range(50))
        assert run(HEADER + rows)[0].time_series == ""
        assert run(f"{HEADER}{rows}c0,2026-11-02,1,1,1MB,aws,\n")[0].time_series.startswith("Names")


class TestLatest:
    """The newest row of each cluster, as it is; of equal times, the last."""

    def test_rows_are_copied(self):
        summary, written = run(ROWS, fold="latest")
        assert [line.split(",small,")[0] for line in written.decode().splitlines()[1:]] == [
            "a,2026-11-01 00:02,90,20,60MB,aws,newest",
            'b,2026-11-01 00:05,,10,30MB,gcp,"y,z"',
        ]
        assert (summary.clusters, summary.folded.rows, summary.folded.how, summary.folded.by) == (
            2,
            5,
            "latest",
            "cluster",
        )
        assert summary.time_series == ""

    def test_rows_have_the_numbers_of_the_file(self):
        summary, _ = run(ROWS, fold="latest", on_missing="problem")
        assert [(one.row, one.problem) for one in summary.first_problems] == [(5, "clients: missing")]

    def test_audited_rows_have_the_numbers_of_the_file(self):
        text = (
            "cluster,time,clients,rps,data,current_machine\n"
            + """\
x,2026-01-01,1,1,1MB,m5.large
x,2026-01-02,1,1,1MB,m5.4xlarge
y,2026-01-02,900,1,1MB,m5.large
y,2026-01-01,900,1,1MB,m5.4xlarge
"""
        )
        audit = run(text, fold="latest")[0].audit
        assert [(one.row, one.current_machine) for one in audit.at_risk] == [(3, "m5.large")]
        assert [(one.row, one.current_machine) for one in audit.savings] == [(2, "m5.4xlarge")]

    @pytest.mark.parametrize(
        ("older", "newer"),
        [
            ("2026-01-02", "2026-01-10"),
            ("2026-01-02T10:00:00Z", "2026-01-02T09:30:00-01:00"),
            ("2026-01-02 10:00:00.1", "2026-01-02 10:00:00.2"),
            ("999", "1000"),
            ("2026-01-01", "2026-01-01"),
        ],
    )
    def test_times(self, older, newer):
        for first, second, kept in ((older, newer, "second"), (newer, older, "first")):
            text = f"{HEADER}a,{first},1,1,1MB,aws,first\na,{second},1,1,1MB,aws,second\n"
            expected = "second" if older == newer else kept
            assert cells(run(text, fold="latest")[1], "note") == [(expected,)]

    def test_times_of_arrow(self):
        times = [pa.scalar(20_000 + day, pa.int32()).cast(pa.date32()) for day in (3, 1, 2)]
        for kind in (pa.date32(), pa.timestamp("ns"), pa.timestamp("s", "UTC"), pa.int64()):
            column = pa.array([3, 1, 2]) if kind == pa.int64() else pa.array(times, pa.date32()).cast(kind)
            table = pa.table({"name": ["a"] * 3, "time": column, "clients": [1, 2, 3], "x": [[1], [2], [3]]})
            source = io.BytesIO()
            pq.write_table(table, source)
            options = {"unknown": ["requests_per_second", "data_bytes"], "provider": "aws", "fold": "latest"}
            _, written = run(source.getvalue(), "parquet", **options)
            found = pq.read_table(io.BytesIO(written))
            assert found.select(table.column_names).to_pylist() == table.slice(0, 1).to_pylist()

    def test_the_whole_file_is_one_cluster_without_names(self):
        text = "timestamp,clients,rps,data,cloud\n2026-11-02,1,1,1MB,aws\n2026-11-01,2,1,1MB,aws\n"
        summary, written = run(text, fold="latest")
        assert cells(written, "clients") == [("1",)]
        assert (summary.clusters, summary.folded.by) == (1, None)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (
                "cluster,clients,rps,data,cloud\na,1,1,1,aws\n",
                "has no column of time stamps (expected",
            ),
            (
                f"{HEADER}a,01/11/2026,1,1,1MB,aws,\n",
                'column "ts": got "01/11/2026", expected times such',
            ),
            (f"{HEADER}a,2026-11-01,1,1,1MB,aws,\na,,1,1,1,aws,\n", "row 2, ts: missing, expected a time"),
            (
                f"{HEADER}n/a,2026-11-01,1,1,1MB,aws,\n",
                "row 1, cluster: missing, expected the name of the row",
            ),
            (f"{HEADER}a,2026-11-01T00:00Z,1,1,1,aws,\na,2026-11-01,1,1,1,aws,\n", 'column "ts": got'),
        ],
    )
    @pytest.mark.parametrize("how", ["latest", "peak"])
    def test_what_cannot_be_folded_is_refused(self, text, reason, how):
        with pytest.raises(FleetFileError) as caught:
            run(text, fold=how)
        assert str(caught.value).startswith(f"f.csv: {reason}")


class TestPeak:
    """The largest value of every figure of a cluster; its other cells are those of the newest row."""

    @pytest.mark.parametrize("to", ["csv", "tsv", "jsonl", "parquet"])
    def test_every_format(self, to):
        summary, written = run(ROWS, fold="peak", to=to)
        names = ("cluster", "clients", "rps", "data", "note", "tier")
        if to == "parquet":
            found = [tuple(row[name] for name in names) for row in pq.read_table(io.BytesIO(written)).to_pylist()]
        elif to == "jsonl":
            found = [tuple(json.loads(line)[name] for name in names) for line in written.splitlines()]
        else:
            found = cells(written, *names, delimiter="," if to == "csv" else "\t")
        assert found == [
            ("a", "90", "900", "600MB", "newest", "large"),
            ("b", "300", "10", "30MB", "y,z", "medium"),
        ]
        assert (summary.folded.how, summary.folded.rows) == ("peak", 5)

    def test_the_delimiter_stays(self):
        text = ROWS.replace('"y,z"', "y").replace(",", ";")
        assert cells(run(text, fold="peak")[1], "clients", delimiter=";") == [("90",), ("300",)]

    def test_nodes_of_kubernetes(self):
        text = "name,time,kubernetes_nodes\na,2026-01-01,900\na,2026-01-02,10\n"
        unknown = ["clients", "requests_per_second", "data_bytes"]
        assert cells(run(text, fold="peak", provider="aws", unknown=unknown)[1], "tier") == [("large",)]

    def test_a_cell_that_cannot_be_read_is_not_lost(self):
        text = f"{HEADER}a,2026-11-01,x,1,1MB,aws,\na,2026-11-02,5,1,1MB,aws,\n"
        summary, _ = run(text, fold="peak")
        assert [one.row for one in summary.first_problems] == [2]
        assert summary.first_problems[0].problem.startswith('clients: got "x"')


LOAD = st.none() | st.integers(0, 2_000)
HISTORY = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 20), LOAD, LOAD, LOAD), min_size=1, max_size=60)


@pytest.mark.parametrize("how", ["latest", "peak"])
@examples(50)
@given(history=HISTORY, chunk=st.sampled_from([40, 200, 2**20]), waiting=st.sampled_from([1, 5, 65_536]))
def test_agrees_with_a_loop(how, history, chunk, waiting):
    """Whatever the batches: the answers are those of `size` for what a loop over the rows keeps."""
    kept: dict[str, list] = {}
    for name, time, *loads in history:
        before = kept.get(name)
        newest = before is None or time >= before[0]
        peaks = [max((load for load in pair if load is not None), default=None)
                 for pair in zip(before[2] if before else loads, loads, strict=True)]  # fmt: skip
        row = [time, loads] if newest else before[:2]
        kept[name] = [*row, peaks]
    text = "name,time,clients,rps,data_mb\n" + "".join(
        ",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in history
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(etcdsize.files.csv_reader, "_CHUNK", chunk)
        patched.setattr(etcdsize.files.fold, "_WAITING", waiting)
        summary, written = run(text, fold=how, provider="aws")
    expected = []
    for name, (_, loads, peaks) in kept.items():
        clients, requests, data = loads if how == "latest" else peaks
        known = any(load is not None for load in (clients, requests, data))
        tier = (
            size(clients=clients, requests_per_second=requests, data_bytes=None if data is None else data * 10**6).tier
            if known
            else ""
        )
        expected.append((name, tier))
    assert cells(written, "name", "tier") == expected
    assert (summary.clusters, summary.folded.rows) == (len(kept), len(history))
