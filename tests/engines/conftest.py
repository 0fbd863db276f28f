"""Engines on processes of their own, and a fleet to size on them."""

import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from engine_runs import ROWS, comparable, part

from etcdsize import size_frame

FILES = 20


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
        # Compiling less starts faster, and these runs are short.
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
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


@pytest.fixture(scope="session")
def fleet(tmp_path_factory):
    """A folder of Parquet: files of unlike sizes, one of them empty."""
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
