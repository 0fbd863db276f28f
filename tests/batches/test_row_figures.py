"""The measured model in files and frames: `resources` adds what `fleet_resources` answers for every row."""

from __future__ import annotations

import io
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from calibrated import model_with

from etcdsize import (
    ColumnError,
    FleetFileError,
    OptionError,
    Profile,
    fleet_resources,
    resources_for,
    size_frame,
)
from etcdsize.batches.columns import ANSWERS, FIGURES, RESOURCE_ANSWERS, pick_columns
from etcdsize.files.fleet_file import open_fleet

MODEL = model_with(names=("heap_base", "index_per_key"))
LOAD = ["clients", "rps", "data_bytes"]
# A column -> the figure that it holds, and what one of its numbers is multiplied by.
NAMES = {
    "keys": ("keys", 1),
    "num_keys": ("keys", 1),
    "key_count": ("keys", 1),
    "Value Size (kB)": ("value_bytes", 1000),
    "value_bytes": ("value_bytes", 1),
    "avg_value_size": ("value_bytes", 1),
    "key_bytes": ("key_bytes", 1),
    "largest_value_mb": ("largest_value_bytes", 10**6),
    "writes_per_second": ("writes_per_second", 1),
    "writes_per_minute": ("writes_per_second", 1 / 60),
    "reads/s": ("reads_per_second", 1),
    "history_seconds": ("history_seconds", 1),
    "list_keys": ("list_keys", 1),
    "concurrent_lists": ("concurrent_lists", 1),
    "watchers": ("watchers", 1),
    "watch_streams": ("watch_streams", 1),
    "leases": ("leases", 1),
    "keys_per_lease": ("keys_per_lease", 1),
    "lease_revokes_per_second": ("lease_revokes_per_second", 1),
    "lease_ttl_seconds": ("lease_ttl_seconds", 1),
    "puts_per_transaction": ("puts_per_transaction", 1),
    "puts_per_commit": ("puts_per_commit", 1),
    "tls": ("tls", 1),
    "pods": ("pods", 1),
}
FLEET = """cluster,clients,rps,data_mb,nodes,keys,value_bytes,writes_per_second,watchers,pods,note
a,10,200,300,,100000,3kB,5,40,,007
b,20,100,20,,,,,,,x
c,5,,,500,,,,,15000,y
d,10,200,300,,10,3kB,,,,too few keys
e,10,200,300,,many,,,,,no count
f,10,200,300,,-4,,,,,negative
g,10,200,300,,,,,,9,no nodes
"""


def run(text=FLEET, kind="csv", **options):
    written = io.BytesIO()
    columns = options.pop("written", None)
    text = text.encode() if isinstance(text, str) else text
    defaults = {"provider": "aws", "on_missing": "unknown", "resources": True, **options}
    with open_fleet(Path(f"fleet.{kind}"), io.BytesIO(text), format=kind, **defaults) as fleet:
        summary = fleet.run(stream=written, columns=columns)
    return summary, written.getvalue().decode() if kind != "parquet" else written.getvalue()


class TestColumns:
    @pytest.mark.parametrize("name", NAMES)
    def test_each_figure_is_found_by_its_names_and_units(self, name):
        key, factor = NAMES[name]
        found = pick_columns([*LOAD, name], provider_given=True, resources=True)[key]
        assert (found.position, float(found.factor)) == (3, factor)
        assert key not in pick_columns([*LOAD, name], provider_given=True)
        assert key not in pick_columns([*LOAD, name], unknown=[key], provider_given=True, resources=True)
        assert pick_columns([*LOAD, "x"], {key: "x"}, provider_given=True)[key].position == 3

    def test_every_figure_has_a_name(self):
        assert {key for key, _ in NAMES.values()} == set(FIGURES)

    def test_a_unit_of_something_else_is_refused(self):
        assert "keys" not in pick_columns([*LOAD, "keys (MB)"], provider_given=True, resources=True)
        with pytest.raises(ColumnError, match='writes_per_second: the name of the column "w_mb" states the unit'):
            pick_columns([*LOAD, "w_mb"], {"writes_per_second": "w_mb"}, provider_given=True)

    def test_a_column_that_the_answer_adds_is_refused(self):
        with pytest.raises(ColumnError, match="if it is the quota that runs now, call it running_quota_bytes"):
            pick_columns([*LOAD, "quota_bytes"], provider_given=True, resources=True)
        assert len(pick_columns([*LOAD, "quota_bytes"], provider_given=True)) == 3


class TestFiles:
    def test_complete_output(self):
        _, written = run(written=["cluster", "note", *RESOURCE_ANSWERS, "problem"])
        assert written.splitlines() == [
            "cluster,note,quota_bytes,memory_limit_bytes,volume_gib,fsync_p99_needed_ms,problem",
            *self.expected(),
        ]

    def expected(self):
        """What the arrays answer, written as the file's cells are."""
        nan = np.nan
        fleet = fleet_resources(
            [10, 20, 5],
            [200, 100, nan],
            [300e6, 20e6, nan],
            kubernetes_nodes=[nan, nan, 500],
            keys=[100_000, nan, nan],
            value_bytes=[3000, nan, nan],
            writes_per_second=[5, nan, nan],
            watchers=[40, nan, nan],
            pods=[nan, nan, 15_000],
        )
        need = fleet.need
        for at, start in enumerate(("a,007", "b,x", "c,y")):
            fsync = f"{need.fsync_p99_needed_ms[at]:.4f}".rstrip("0").rstrip(".")
            limit = int(np.ceil(need.memory_limit_bytes[at]))
            yield f"{start},{need.quota_bytes[at]},{limit},{need.volume_gib[at]},{fsync},"
        nothing = ",,,,"
        why = "the number of keys times the size of a key and its value; correct one of them"
        yield f'd,too few keys{nothing},"data_bytes: got 300 MB, expected at most 32.56 kB, or 3 times that in ' + (
            f"etcd's file: {why}\""
        )
        yield f'e,no count{nothing},"keys: got ""many"", expected a count such as ""300"""'
        yield f'f,negative{nothing},"keys: got ""-4"", expected a count such as ""300"""'
        yield f'g,no nodes{nothing},"pods: got 9, expected kubernetes_nodes as well"'

    @pytest.mark.parametrize("model", [None, model_with(factor=30, names=("index_per_key",))])
    def test_each_row_is_answered_for_the_version_of_its_cluster(self, model):
        """As `observe` names it; a calibrated model counts for its own version, 3.6."""
        names = {"3.5.30": "3.5", "v3.4.23": "3.4", "3.6.16": "3.6", "3.7.1;3.5.1": "3.5", "": "3.6", "5.0;x": "3.6"}
        rows = "".join(f'10,50,90,1e5,5,"{name}"\n' for name in names)
        text = f"clients,rps,data_mb,keys,writes_per_second,etcd_version\n{rows}"
        _, written = run(text, written=list(RESOURCE_ANSWERS), model=model)
        load = Profile(clients=10, requests_per_second=50, data_bytes=90e6, keys=1e5, writes_per_second=5)
        answers = []
        for version in names.values():
            own = model if version == "3.6" else None
            found = resources_for(load, etcd_version=version, model=own)
            answers.append((found.quota_bytes, int(np.ceil(found.memory.limit_bytes.need))))
        assert [tuple(map(int, row.split(",")[:2])) for row in written.splitlines()[1:]] == answers
        assert len(set(answers)) == 3

    def test_the_versions_of_a_frame(self):
        load = {"clients": [10] * 3, "rps": [50] * 3, "data_bytes": [90e6] * 3, "keys": [1e5] * 3}
        texts, numbers, nothing = (
            size_frame(pl.DataFrame({**load, "etcd_version": versions}), provider="aws", resources=True)
            for versions in (["3.5.30", "3.4.1", None], [3.5, 3.4, None], [None] * 3)
        )
        assert texts["memory_limit_bytes"].to_list() == numbers["memory_limit_bytes"].to_list()
        assert len(set(texts["memory_limit_bytes"])) == 3
        assert nothing["memory_limit_bytes"][0] == texts["memory_limit_bytes"][2]
        wrong = pl.DataFrame({**load, "etcd_version": [["3.5"]] * 3})
        with pytest.raises(ColumnError, match=r'column "etcd_version": got the type .*list.*, expected text'):
            size_frame(wrong, provider="aws", resources=True)

    def test_rows_with_a_problem_are_counted_without_an_output(self):
        with open_fleet(
            Path("f.csv"),
            io.BytesIO(FLEET.encode()),
            format="csv",
            provider="aws",
            on_missing="unknown",
            resources=True,
        ) as fleet:
            summary = fleet.run()
        assert summary.not_sized == 4
        assert [problem.cluster for problem in summary.first_problems] == ["d", "e", "f", "g"]

    def test_without_the_option_nothing_is_read_or_added(self):
        summary, written = run(resources=False)
        assert summary.not_sized == 0
        assert written.splitlines()[0].endswith(",note," + ",".join(ANSWERS))

    @pytest.mark.parametrize("kind", ["jsonl", "parquet"])
    def test_other_formats(self, kind):
        table = pa.table({"clients": [10, 20], "rps": [5, 5], "data_mb": [3, 3], "keys": [1000, None]})
        text = io.BytesIO()
        if kind == "parquet":
            pq.write_table(table, text)
        else:
            text.write(b'{"clients":10,"rps":5,"data_mb":3,"keys":1000}\n{"clients":20,"rps":5,"data_mb":3}\n')
        _, written = run(text.getvalue(), kind)
        need = fleet_resources([10, 20], 5, 3e6, keys=[1000, np.nan]).need
        if kind == "parquet":
            found = pq.read_table(io.BytesIO(written))
            assert found["quota_bytes"].to_pylist() == need.quota_bytes.tolist()
            assert found["volume_gib"].type == pa.int64()
        else:
            assert f'"quota_bytes": {need.quota_bytes[0]}' in written.splitlines()[0]

    def test_the_peak_of_each_figure_counts(self):
        rows = "cluster,time,clients,rps,data_mb,keys,watchers\na,1,10,5,3,1000,7\na,2,10,5,3,900,9\n"
        _, written = run(rows, fold="peak", written=["keys", "watchers", "quota_bytes"])
        assert written.splitlines()[1].startswith("1000,9,")

    def test_yes_and_no(self):
        rows = ["yes", "No", "TRUE", "0", "", "n/a", "maybe"]
        text = "clients,rps,data_mb,watch_streams,tls\n" + "".join(f"5,5,5,45000,{tls}\n" for tls in rows)
        _, written = run(text, written=["tls", "memory_limit_bytes", "problem"])
        found = [line.split(",", 2) for line in written.splitlines()[1:]]
        assert [tls for tls, _, _ in found] == rows
        need = fleet_resources(5, 5, 5e6, watch_streams=45_000, tls=[1, 0, 1, 0, np.nan, np.nan]).need
        assert [limit for _, limit, _ in found[:-1]] == [str(int(np.ceil(one))) for one in need.memory_limit_bytes]
        assert found[-1][1:] == ["", '"tls: got ""maybe"", expected yes or no"']

    @pytest.mark.parametrize(
        "column",
        [
            pa.array([True, False, None]),
            pa.array([True, False, None]).dictionary_encode(),
            pa.array([1, 0, None]),
            pa.array([1.0, 0.0, None]),
            pa.array(["true", "no", "?"]).dictionary_encode(),
            pa.array(["1", "0", None], pa.large_string()),
        ],
        ids=lambda column: str(column.type),
    )
    def test_every_type_of_yes_and_no(self, column):
        frame = pa.table({"clients": [5] * 3, "rps": [5] * 3, "data_mb": [5] * 3, "streams": [9000] * 3, "tls": column})
        found = size_frame(frame, provider="aws", resources=True)["memory_limit_bytes"].to_pylist()
        need = fleet_resources(5, 5, 5e6, watch_streams=9000, tls=[1, 0, np.nan]).need
        assert found == [int(np.ceil(one)) for one in need.memory_limit_bytes]
        with pytest.raises(ColumnError, match='column "tls": got the type date32'):
            size_frame(frame.set_column(4, "tls", pa.array([1, 2, 3], pa.date32())), provider="aws", resources=True)

    def test_the_newest_row_says_what_has_no_peak(self):
        rows = "cluster,time,clients,rps,data_mb,tls,lease_ttl,puts_per_commit,leases\na,1,5,5,5,no,60,100,1\n"
        rows += "a,2,5,5,5,yes,10,1,1\n"
        _, written = run(rows, fold="peak", written=["tls", "lease_ttl", "puts_per_commit"])
        assert written.splitlines()[1] == "yes,10,1"

    @pytest.mark.parametrize("options", [{"etcd_version": "3.4"}, {"model": MODEL}, {}])
    def test_a_version_and_a_model(self, options):
        text = "clients,rps,data_mb,keys,current_machine\n50,100,50,40000,m6a.large\n"
        for machine in (True, False):
            answers = ["quota_bytes", "memory_limit_bytes"]
            _, written = run(text if machine else text.replace("current", "old"), written=answers, **options)
            need = fleet_resources([50], 100, 50e6, keys=40_000, **options).need
            assert written.splitlines()[1] == f"{need.quota_bytes[0]},{int(np.ceil(need.memory_limit_bytes[0]))}"

    def test_a_model_that_nothing_asks_is_refused(self):
        expected = "expected resources as well, or a column with the machines in use"
        with pytest.raises(OptionError, match=f"model: got one that was calibrated on etcd 3.6.16, {expected}"):
            run(resources=False, model=MODEL)
        with pytest.raises(OptionError, match=f'etcd_version: got "3.5", {expected}'):
            run(resources=False, etcd_version="3.5")
        with pytest.raises(OptionError, match=r"calibrate etcd 3\.5, or ask for etcd 3.6"):
            run(etcd_version="3.5", model=MODEL)
        with pytest.raises(OptionError, match="expected a file that etcdsize calibrate wrote"):
            run(model="none.json")

    def test_a_wrong_option(self):
        with pytest.raises(OptionError, match="resources: got 1, expected True or False"):
            run(resources=1)
        with pytest.raises(FleetFileError, match="call it running_quota_bytes"):
            run("clients,rps,data_mb,quota_bytes\n1,1,1,1\n")


class TestFrames:
    COLUMNS: ClassVar = {
        "clients": [10, 20],
        "rps": [5, 5],
        "data_mb": [1, 3],
        "keys": [1000, 5],
        "value_bytes": [700, 600_000],
    }

    @pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
    def test_each_library(self, library):
        sized = size_frame(library(self.COLUMNS), provider="aws", resources=True)
        need = fleet_resources([10, 20], 5, [1e6, 3e6], keys=[1000, 5], value_bytes=[700, 600_000]).need
        assert list(sized["quota_bytes"].to_numpy()) == need.quota_bytes.tolist()
        assert list(sized["memory_limit_bytes"].to_numpy()) == np.ceil(need.memory_limit_bytes).tolist()
        assert list(sized["volume_gib"].to_numpy()) == need.volume_gib.tolist()
        assert list(sized["fsync_p99_needed_ms"].to_numpy()) == np.round(need.fsync_p99_needed_ms, 4).tolist()

    @pytest.mark.parametrize("options", [{"etcd_version": "3.4"}, {"model": MODEL}])
    @pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
    def test_a_row_is_the_answer_for_one_cluster(self, library, options):
        streams, tls = [45_000, 45_000, 9], [True, False, None]
        frame = {"clients": [5, 6, 7], "rps": [5, 5, 5], "data_mb": [1, 1, 1], "watch_streams": streams, "tls": tls}
        sized = size_frame(library(frame), provider="aws", resources=True, **options)
        for row, limit in enumerate(sized["memory_limit_bytes"].to_numpy()):
            load = Profile(
                clients=5 + row, requests_per_second=5, data_bytes=1e6, watch_streams=streams[row], tls=tls[row]
            )
            expected = resources_for(load, **options).memory.limit_bytes.need
            assert limit == pytest.approx(expected, abs=10)

    def test_keys_and_sizes_count_before_the_size_of_the_file(self):
        """The file is an upper bound, which holds what was deleted too; data in use that contradicts is a problem."""
        frame = {"clients": [5], "rps": [5], "db_size": [2e9], "keys": [1e5], "key_bytes": [50], "value_bytes": [1000]}
        (row,) = size_frame(pa.table(frame), provider="aws", resources=True).to_pylist()
        load = Profile(clients=5, requests_per_second=5, keys=1e5, key_bytes=50, value_bytes=1000)
        assert (row["problem"], row["tier"]) == (None, "xlarge")
        assert row["quota_bytes"] == resources_for(load).quota_bytes
        frame["data_bytes"] = frame.pop("db_size")
        (row,) = size_frame(pa.table(frame), provider="aws", resources=True).to_pylist()
        assert row["problem"].startswith("data_bytes: got 2 GB, expected at most 105 MB")

    def test_only_some_answers(self):
        sized = size_frame(pa.table(self.COLUMNS), provider="aws", resources=True, answers=["volume_gib"])
        assert sized.column_names == [*self.COLUMNS, "volume_gib"]

    def test_a_polars_nan_is_no_figure(self):
        frame = pl.DataFrame({**self.COLUMNS, "keys": [1000.0, float("nan")]})
        sized = size_frame(frame, provider="aws", resources=True)
        assert sized["problem"].to_list() == [None, "keys: got nan, expected a finite number of 0 or more"]
        assert sized["quota_bytes"].to_list()[1] is None
