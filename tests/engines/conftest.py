"""Engines on processes of their own, and a fleet to size on them."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etcdsize import load_catalog, load_tiers, size_frame

ROWS = 10_000_000
FILES = 20
OPTIONS = [
    {},
    {"provider": "aws"},
    {"provider": "gcp", "on_missing": "unknown"},
    {"on_missing": "unknown", "headroom": 0.3},
    {"provider": "aws", "unknown": ["requests_per_second"]},
    {"provider": "aws", "columns": {"clients": "rps", "requests_per_second": "clients"}},
    {"provider": "aws", "answers": ["problem", "tier"]},
    {"tiers": "etcd.io", "answers": ["tier"]},
    {"tiers": load_tiers("guide"), "catalog": load_catalog("guide-as-printed")},
    {"answers": []},
]
"""What a frame can be sized with; each engine must say what one machine says."""
RECIPES = Path(__file__).parents[2] / "docs" / "recipes"


@pytest.fixture(scope="session")
def spark_environment():
    """What the pip-installed PySpark needs to start a cluster on this machine."""
    import pyspark

    return {
        **os.environ,
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_HOSTNAME": "localhost",
    }


@pytest.fixture(scope="session")
def spark(spark_environment):
    """A Spark cluster of two executors, each a process of its own with Python workers of its own."""
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        for name, value in spark_environment.items():
            patch.setenv(name, value)
        session = (
            SparkSession.builder.master("local-cluster[2,1,1024]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("OFF")
        yield session
        session.stop()


@pytest.fixture(scope="session")
def dask_client():
    """A Dask cluster of two worker processes."""
    from dask.distributed import Client

    with Client(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as client:
        yield client


def part(start: int, rows: int, seed: int) -> pa.Table:
    """Return rows of every kind: nulls, NaN, negatives, infinities, every provider and none."""
    random = np.random.default_rng(seed)
    clients, requests, data = (
        10 ** random.uniform(low, high, rows) for low, high in ((0.5, 3.7), (0.5, 4.5), (6, 9.5))
    )
    for column in (clients, requests):
        for value in (np.nan, np.inf, -1.0, -0.0):
            column[random.integers(0, max(rows, 1), rows // 10_000)] = value
    clouds = np.array(["aws", "gce", "gcp", "AWS", "azure", "moon", None], object)
    return pa.table(
        {
            "cluster": pa.array(np.arange(start, start + rows)),
            "clients": pa.array(clients, mask=random.random(rows) < 0.001),
            "rps": pa.array(requests),
            "data_bytes": pa.array(data.astype(np.int64), mask=random.random(rows) < 0.001),
            "provider": pa.array(clouds[random.choice(7, rows, p=[0.4, 0.3, 0.2, 0.09, 0.008, 0.001, 0.001])]),
        }
    )


@pytest.fixture(scope="session")
def fleet(tmp_path_factory):
    """A folder of Parquet: ten million rows in files of unlike sizes, one of them empty."""
    folder = tmp_path_factory.mktemp("lake") / "fleet"
    folder.mkdir()
    cuts = np.sort(np.random.default_rng(1).integers(0, ROWS, FILES - 2))
    starts = [0, *cuts.tolist(), ROWS, ROWS]
    for number, (start, stop) in enumerate(pairwise(starts)):
        pq.write_table(part(start, stop - start, number), folder / f"part-{number:03}.parquet")
    return folder


@pytest.fixture(scope="session")
def expected(fleet):
    """The same, sized on one machine."""
    return comparable(size_frame(pq.read_table(fleet)))


def comparable(table: pa.Table) -> pa.Table:
    """Return a table in the order of its clusters, categories as text."""
    texts = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_text = name == "provider" or pa.types.is_dictionary(column.type) or pa.types.is_null(column.type)
        texts[name] = column.cast(pa.string()) if is_text or pa.types.is_large_string(column.type) else column
    table = pa.table(texts)
    return table.sort_by("cluster").combine_chunks()


def assert_same(table: pa.Table, expected: pa.Table) -> None:
    """Hold every row of every column to the other's."""
    table = comparable(table)
    assert table.column_names == expected.column_names
    assert table.num_rows == expected.num_rows
    for name in expected.column_names:
        got, want = table[name].combine_chunks(), expected[name].combine_chunks()
        # NaN is not equal to itself: compare its bits.
        if pa.types.is_floating(want.type):
            assert got.is_null().equals(want.is_null()), name
            got, want = (np.asarray(side.fill_null(0)).view(np.uint64) for side in (got, want))
            assert np.array_equal(got, want), name
        else:
            assert got.equals(want), name


def check_run(process: subprocess.Popen, sized: Path, expected: pa.Table) -> None:
    """Hold what a recipe wrote, and the summary that it printed, to what one machine says."""
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 1, errors[-2000:]
    assert (sized / "_SUCCESS").exists()
    assert_same(pq.read_table(sized).replace_schema_metadata(), expected)
    summary = json.loads(out.splitlines()[-1])
    counts = {row["values"]: row["counts"] for row in expected["tier"].value_counts().to_pylist()}
    assert summary == {
        "clusters": ROWS,
        "not_sized": counts.pop(None),
        "tiers": {name: counts[name] for name in load_tiers("guide").names},
    }


def descendants(pid: int) -> list[tuple[int, str]]:
    """Return every process below one, with its command line."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                line = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            found += [(int(child), line), *descendants(int(child))]
    return found
