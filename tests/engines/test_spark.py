"""Spark gives the answers of one machine for every row, whatever happens to its executors."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from calibrated import model_with
from engine_runs import OPTIONS, RECIPES, assert_same, check_run, comparable, descendants, keys_of, part
from row_answers import ANSWERS

from etcdsize import ColumnError, OptionError, Profile, WorkloadTypeError, resources_for, size_frame
from etcdsize.frames.spark import size_dataframe


def arrow(df):
    return comparable(df.toArrow())


@pytest.fixture(scope="module")
def small(spark, tmp_path_factory):
    """A thousand rows in seven partitions, and the answers of one machine."""
    path = tmp_path_factory.mktemp("small") / "fleet.parquet"
    table = part(0, 20_000, 5)
    pq.write_table(table, path)
    return spark.read.parquet(str(path)).repartition(7), table


@pytest.mark.parametrize("options", OPTIONS, ids=keys_of)
def test_agrees_with_one_machine(small, options):
    df, table = small
    sized = size_dataframe(df, **options)
    assert_same(sized.toArrow(), comparable(size_frame(table, **options)))


def test_the_schema_is_known_and_nothing_runs(spark, small):
    tracker = spark.sparkContext.statusTracker()
    before = len(tracker.getJobIdsForGroup(None))
    sized = size_dataframe(small[0], provider="aws")
    assert sized.schema.names == [*small[0].schema.names, *ANSWERS]
    assert sized.schema.fields[: len(small[0].schema)] == small[0].schema.fields
    kinds = {field.name: field.dataType.simpleString() for field in sized.schema.fields[-len(ANSWERS) :]}
    assert kinds == dict.fromkeys(ANSWERS, "string") | {"cost_per_month": "double"}
    assert len(tracker.getJobIdsForGroup(None)) == before
    sized.count()
    assert len(tracker.getJobIdsForGroup(None)) > before


def test_empty_partitions_and_empty_frames(spark, small):
    df, table = small
    few = df.where("cluster < 3").repartition(16)
    assert_same(size_dataframe(few).toArrow(), comparable(size_frame(table.slice(0, 3))))
    none = size_dataframe(df.where("cluster < 0"))
    assert none.toArrow().num_rows == 0
    assert none.schema.names[-len(ANSWERS) :] == ANSWERS


def test_other_columns_of_every_type_stay(spark):
    df = spark.sql(
        "select 1 as clients, cast(2.50 as decimal(10, 2)) as rps, 3L as data_bytes, date'2026-11-24' as day, "
        "timestamp'2026-11-24 01:02:03' as seen, array(1, null) as list, named_struct('a', 1, 'b', 'x') as both, "
        "map('k', 1.5) as map, cast('bytes' as binary) as raw, cast(null as string) as nothing, true as yes"
    )
    sized = size_dataframe(df, provider="aws")
    assert sized.select(df.columns).collect() == df.collect()
    assert sized.first().tier == "small"


def test_units_in_names_and_nodes(spark):
    df = spark.createDataFrame(
        [(90, 59_999, 80.0, None), (90, 60_000, 90.0, 50), (9, 1, 1.0, 251)],
        "Clients int, `QPS/min` int, `DB Size (MB)` double, nodes int",
    )
    sized = size_dataframe(df, provider="aws", answers=["tier", "forced_by"])
    assert [(row.tier, row.forced_by) for row in sized.collect()] == [
        ("medium", "requests_per_second"), ("large", "requests_per_second"), ("large", "kubernetes_nodes"),
    ]  # fmt: skip
    with pytest.raises(ColumnError, match="states the unit"):
        size_dataframe(df.withColumnRenamed("DB Size (MB)", "x (blocks)"), columns={"data_mb": "x (blocks)"})


def test_cells_are_read_as_on_one_machine(spark):
    rows = [(" 90 ", "150,5", "0,08"), ("1.200", "9", "1"), ("n/a", "9", "1")]
    df = spark.createDataFrame(rows, "clients string, rps string, data_gb string")
    sized = size_dataframe(df, provider="aws", decimal=",", thousands=".", na=["x"], on_missing="unknown")
    assert [row.tier for row in sized.collect()] == ["small", "large", "large"]


def test_raise_names_partition_and_row(spark):
    from pyspark.errors import PythonException

    rows = [(number, 1, 1) for number in range(10)]
    rows[7] = (-7, 1, 1)
    df = spark.createDataFrame(spark.sparkContext.parallelize(rows, 2), "clients int, rps int, data_bytes int")
    sized = size_dataframe(df, provider="aws", on_invalid="raise")
    with pytest.raises(PythonException) as caught:
        sized.collect()
    assert (
        "InvalidWorkloadError: partition 1, row 2: clients: got -7, expected a finite number of 0 or more; "
        'on_invalid="mark" sizes the rest' in str(caught.value)
    )


@pytest.mark.parametrize(
    ("schema", "error", "message"),
    [
        ("clients boolean, rps int, data int", ColumnError, 'column "clients": got the type boolean, expected numbers'),
        ("clients int, rps int", ColumnError, 'has no column for data_bytes'),
        ("clients date, rps int, data int", ColumnError, 'column "clients": got the type date, expected numbers'),
        ("clients int, rps int, data int, data int", ColumnError, "has several columns data"),
        ("clients int, rps int, data int, tier int", ColumnError, 'has a column "tier", which the answer adds'),
        ("clients int, rps int, data int, Tier int", ColumnError, 'has a column "Tier", which Spark cannot tell'),
    ],
)  # fmt: skip
def test_columns_are_checked_before_anything_runs(spark, schema, error, message):
    with pytest.raises(error, match=message):
        size_dataframe(spark.createDataFrame([], schema), provider="aws")


def test_case_distinguishes_columns_if_spark_is_configured_so(spark):
    df = spark.createDataFrame([(1, 2, 3, 4)], "clients int, rps int, data int, Tier int")
    spark.conf.set("spark.sql.caseSensitive", "true")
    try:
        assert size_dataframe(df, provider="aws").first()["tier"] == "small"
    finally:
        spark.conf.unset("spark.sql.caseSensitive")


def test_options_and_frames_are_checked(spark, small):
    with pytest.raises(OptionError, match=r'^on_invalid: got "ignore", expected mark or raise'):
        size_dataframe(small[0], on_invalid="ignore")
    with pytest.raises(ColumnError, match="has no column for provider"):
        size_dataframe(small[0].drop("provider"))
    with pytest.raises(WorkloadTypeError, match=r"^df: got Table, expected a pyspark.sql.DataFrame"):
        size_dataframe(pa.table({}))


class TestRecipe:
    """`spark-submit docs/recipes/spark_fleet.py`, as it stands, on a folder of files."""

    def start(self, environment, *arguments):
        command = [str(Path(environment["SPARK_HOME"]) / "bin" / "spark-submit"), "--master", "local-cluster[2,1,1024]"]
        command += ["--conf", "spark.ui.enabled=false", "--conf", "spark.driver.bindAddress=127.0.0.1"]
        command += [str(RECIPES / "spark_fleet.py"), *map(str, arguments)]
        environment = {**environment, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_equals_one_machine(self, spark_environment, fleet, expected, tmp_path):
        sized = tmp_path / "sized"
        check_run(self.start(spark_environment, fleet, sized), sized, expected)
        again = self.start(spark_environment, fleet, sized)
        # spark-submit prints what the script prints on either stream.
        out, errors = again.communicate(timeout=300)
        assert again.returncode == 2
        assert "sized already exists; --force replaces it" in out
        assert "Traceback" not in out + errors

    def test_a_killed_executor_changes_nothing(self, spark_environment, fleet, expected, tmp_path):
        sized = tmp_path / "sized"
        process = self.start(spark_environment, fleet, sized)
        deadline = time.monotonic() + 120
        while not list(sized.glob("_temporary/0/task_*")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        executors = [pid for pid, line in descendants(process.pid) if "CoarseGrainedExecutorBackend" in line]
        assert len(executors) == 2
        os.kill(executors[0], signal.SIGKILL)
        assert not (sized / "_SUCCESS").exists()
        check_run(process, sized, expected)


def test_a_file_that_spark_wrote(spark, small, tmp_path):
    """The command copies Spark's columns byte for byte, and Spark sees the answers beside them."""
    df, _ = small
    # NaN is not equal to itself, so rows with one could not be compared.
    comparable = df.where("not isnan(clients) and not isnan(rps)")
    written = comparable.limit(5000).selectExpr("*", "timestamp_seconds(cluster) as seen", "array(cluster, 1) as parts")
    written.coalesce(1).write.parquet(str(tmp_path / "spark"))
    (source,) = (tmp_path / "spark").glob("*.parquet")
    target = tmp_path / "sized.parquet"
    command = [sys.executable, "-m", "etcdsize", "fleet", str(source), "-o", str(target), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    sized = spark.read.parquet(str(target))
    assert sized.schema.names == [*written.schema.names, *ANSWERS]
    assert sized.select(written.columns).collect() == spark.read.parquet(str(source)).collect()
    table = pq.read_table(source)
    assert [row.tier for row in sized.select("tier").collect()] == size_frame(table)["tier"].to_pylist()


def test_what_a_load_takes_by_the_measured_model(spark):
    rows = [(5, 50, 300, 100_000, 3000), (9, 50, 300, None, 3000), (-1, 50, 300, 4, 3000)]
    df = spark.createDataFrame(rows, "clients int, rps int, data_mb int, keys long, value_bytes int")
    sized = size_dataframe(df, provider="aws", resources=True)
    kinds = {field.name: field.dataType.simpleString() for field in sized.schema.fields[-4:]}
    assert kinds == {
        "quota_bytes": "bigint",
        "memory_limit_bytes": "bigint",
        "volume_gib": "bigint",
        "fsync_p99_needed_ms": "double",
    }
    alone = size_frame(df.toArrow(), provider="aws", resources=True).select(list(kinds))
    assert sized.select(*kinds).toArrow().to_pylist() == alone.to_pylist()


@pytest.mark.parametrize("options", [{"etcd_version": "3.5"}, {"model": model_with(names=("heap_base",))}], ids=keys_of)
def test_another_version_a_model_and_tls(spark, options):
    rows = [(5, 50, 300, 45_000, True), (5, 50, 300, 45_000, False), (5, 50, 300, 45_000, None)]
    df = spark.createDataFrame(rows, "clients int, rps int, data_mb int, watch_streams int, tls boolean")
    sized = size_dataframe(df, provider="aws", resources=True, answers=["memory_limit_bytes"], **options)
    for row in sized.collect():
        load = Profile(clients=5, requests_per_second=50, data_bytes=3e8, watch_streams=45_000, tls=row.tls)
        expected = resources_for(load, **options).memory.limit_bytes.need
        assert row.memory_limit_bytes == pytest.approx(expected, abs=10)
    with pytest.raises(ColumnError, match='column "tls": got the type binary, expected yes or no'):
        size_dataframe(df.withColumn("tls", df.tls.cast("string").cast("binary")), provider="aws", resources=True)
