"""Dask gives the answers of one machine for every row, whatever happens to its workers."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pyarrow as pa
import pytest
from calibrated import model_with
from engine_runs import OPTIONS, RECIPES, assert_same, check_run, comparable, descendants, keys_of, part
from row_answers import ANSWERS

from etcdsize import (
    ColumnError,
    InvalidWorkloadError,
    OptionError,
    Profile,
    WorkloadTypeError,
    resources_for,
    size_frame,
)
from etcdsize.frames.dask import size_dataframe


@pytest.fixture(scope="module")
def small():
    return part(0, 20_000, 5).to_pandas(types_mapper=pd.ArrowDtype).set_index("cluster")


def frame(small, partitions=7):
    import dask.dataframe as dd

    return dd.from_pandas(small, npartitions=partitions)


def arrow(pandas):
    return pa.Table.from_pandas(pandas.reset_index(), preserve_index=False).replace_schema_metadata()


@pytest.mark.parametrize("options", OPTIONS, ids=keys_of)
def test_agrees_with_one_machine(dask_client, small, options):
    sized = size_dataframe(frame(small), **options).compute()
    assert_same(arrow(sized), comparable(arrow(size_frame(small, **options))))


def test_the_schema_and_the_categories_are_known_and_nothing_runs(small):
    def refuse(part):
        raise AssertionError("computed")

    ddf = frame(small)
    sized = size_dataframe(ddf.map_partitions(refuse, meta=small.iloc[:0]))
    assert list(sized.columns) == [*small.columns, *ANSWERS]
    assert sized["tier"].cat.categories.tolist() == ["small", "medium", "large", "xlarge"]
    assert sized.divisions == ddf.divisions
    pd.testing.assert_series_equal(sized.dtypes, size_dataframe(ddf).compute(scheduler="sync").dtypes)


def test_units_in_names_and_nodes():
    import dask.dataframe as dd

    rows = {
        "Clients": [90, 90, 9],
        "QPS/min": [59_999, 60_000, 1],
        "Database": [80.0, 90.0, 1.0],
        "nodes": [None, 50, 251],
    }
    ddf = dd.from_pandas(pd.DataFrame(rows), npartitions=2)
    options = {"provider": "aws", "columns": {"data_mb": "Database"}, "answers": ["tier", "forced_by"]}
    sized = size_dataframe(ddf, **options).compute(scheduler="sync")
    assert sized["tier"].tolist() == ["medium", "large", "large"]
    assert sized["forced_by"].tolist() == ["requests_per_second", "requests_per_second", "kubernetes_nodes"]


def test_the_options_are_sent_once(small):
    graph = size_dataframe(frame(small)).optimize().dask
    assert sum("BatchOptions" in str(key) for key in graph) == 1
    assert not any(
        "BatchOptions(" in str(getattr(task, "args", "")) for key, task in graph.items() if "_sized" in str(key)
    )


def test_the_frame_is_unchanged(small):
    before = small.copy(deep=True)
    ddf = frame(small)
    size_dataframe(ddf).compute(scheduler="sync")
    assert list(ddf.columns) == list(before.columns)
    pd.testing.assert_frame_equal(small, before)


def test_empty_partitions_and_empty_frames(small):
    few = frame(small)
    few = few[few.index < 3]
    assert_same(arrow(size_dataframe(few).compute(scheduler="sync")), comparable(arrow(size_frame(small.iloc[:3]))))
    none = size_dataframe(few[few.index < 0]).compute(scheduler="sync")
    assert len(none) == 0
    assert list(none.columns)[-len(ANSWERS) :] == ANSWERS


def test_numpy_columns_and_unknown_divisions():
    plain = part(0, 20_000, 5).to_pandas().set_index("cluster")
    ddf = frame(plain).clear_divisions()
    assert_same(arrow(size_dataframe(ddf).compute(scheduler="sync")), comparable(arrow(size_frame(plain))))


def test_cells_are_read_as_on_one_machine(dask_client):
    cells = {"clients": [" 90 ", "1.200", "n/a"], "rps": ["150,5", "9", "9"], "data_gb": ["0,08", "1", "1"]}
    options = {"provider": "aws", "decimal": ",", "thousands": ".", "na": ["x"], "on_missing": "unknown"}
    sized = size_dataframe(frame(pd.DataFrame(cells), 2), **options).compute()
    assert sized["tier"].tolist() == ["small", "large", "large"]


def test_raise_keeps_our_error(dask_client):
    fleet = pd.DataFrame({"clients": [1] * 10, "rps": [1] * 10, "data_bytes": [1] * 10})
    fleet.loc[[7, 8], "clients"] = -7
    sized = size_dataframe(frame(fleet, 2), provider="aws", on_invalid="raise")
    with pytest.raises(InvalidWorkloadError) as caught:
        sized.compute()
    assert str(caught.value) == (
        'partition 1, row 2: clients: got -7, expected a finite number of 0 or more; on_invalid="mark" sizes the rest'
    )
    assert (caught.value.index, caught.value.count) == (2, 2)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["clients", "rps"], "has no column for data_bytes"),
        (["clients", "rps", "data", "tier"], 'has a column "tier", which the answer adds'),
    ],
)
def test_columns_are_checked_before_anything_runs(columns, message):
    with pytest.raises(ColumnError, match=message):
        size_dataframe(frame(pd.DataFrame({name: [1] for name in columns}), 1), provider="aws")


def test_types_options_and_frames_are_checked(small):
    dates = pd.DataFrame({"clients": pd.to_datetime(["2026-11-24"]), "rps": [1], "data": [1]})
    with pytest.raises(ColumnError, match=r'^column "clients": got the type timestamp'):
        size_dataframe(frame(dates, 1), provider="aws")
    with pytest.raises(OptionError, match=r'^on_invalid: got "ignore", expected mark or raise'):
        size_dataframe(frame(small), on_invalid="ignore")
    with pytest.raises(WorkloadTypeError, match=r"^ddf: got DataFrame, expected a dask.dataframe.DataFrame"):
        size_dataframe(small)


class TestRecipe:
    """`python docs/recipes/dask_fleet.py`, as it stands, on a folder of files."""

    def start(self, *arguments):
        command = [sys.executable, str(RECIPES / "dask_fleet.py"), *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_equals_one_machine(self, fleet, expected, tmp_path):
        sized = tmp_path / "sized"
        check_run(self.start(fleet, sized), sized, expected)
        again = self.start(fleet, sized)
        _, errors = again.communicate(timeout=60)
        assert again.returncode == 2
        assert "exists already (complete)" in errors

    def test_a_killed_worker_changes_nothing(self, fleet, expected, tmp_path):
        sized = tmp_path / "sized"
        process = self.start(fleet, sized)
        deadline = time.monotonic() + 120
        while not list(sized.glob("part*")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        workers = [pid for pid, line in descendants(process.pid) if "spawn_main" in line or "multiprocessing" in line]
        os.kill(workers[-1], signal.SIGKILL)
        assert not (sized / "_SUCCESS").exists()
        check_run(process, sized, expected)


def test_what_a_load_takes_by_the_measured_model():
    import dask.dataframe as dd

    rows = {"clients": [5, 9, -1, 7], "rps": 50, "data_mb": 300, "keys": [1e5, None, 4, 9e4], "value_bytes": 3000}
    fleet = pd.DataFrame(rows)
    ddf = dd.from_pandas(fleet, npartitions=2)
    sized = size_dataframe(ddf, provider="aws", resources=True)
    found = sized.compute(scheduler="sync")
    pd.testing.assert_series_equal(sized.dtypes, found.dtypes)
    alone = size_frame(fleet, provider="aws", resources=True)
    for name in ("quota_bytes", "memory_limit_bytes", "volume_gib"):
        assert found[name].tolist()[:2] == alone[name].tolist()[:2]
        assert found[name].isna().tolist() == [False, False, True, False]
    assert found["fsync_p99_needed_ms"].tolist()[3] == alone["fsync_p99_needed_ms"].tolist()[3]


@pytest.mark.parametrize("options", [{"etcd_version": "3.5"}, {"model": model_with(names=("heap_base",))}], ids=keys_of)
def test_another_version_a_model_and_tls(options):
    import dask.dataframe as dd

    rows = {"clients": 5, "rps": 50, "data_mb": 300, "watch_streams": 45_000, "tls": [True, False]}
    sized = size_dataframe(dd.from_pandas(pd.DataFrame(rows), npartitions=2), provider="aws", resources=True, **options)
    for tls, limit in sized[["tls", "memory_limit_bytes"]].compute(scheduler="sync").itertuples(index=False):
        load = Profile(clients=5, requests_per_second=50, data_bytes=3e8, watch_streams=45_000, tls=bool(tls))
        assert limit == pytest.approx(resources_for(load, **options).memory.limit_bytes.need, abs=10)
