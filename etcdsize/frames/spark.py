"""Size Apache Spark data frames: the executors size one batch at a time.

PySpark is imported when a frame is sized. The executors need etcdsize with the extra `spark`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TypeVar, Unpack

import pyarrow as pa

from etcdsize.base.text import shown
from etcdsize.batches.answers import answer_schema
from etcdsize.batches.columns import NUMBERS, YES_OR_NO
from etcdsize.batches.options import BatchOptions, SizeOptions
from etcdsize.batches.sizer import BatchSizer
from etcdsize.errors import ColumnError, InvalidWorkloadError, MissingDependencyError, WorkloadTypeError
from etcdsize.frames.size_frame import add_partition, append_answers, reject_repeated_names

__all__ = ["size_dataframe"]

FrameT = TypeVar("FrameT")


def size_dataframe(df: FrameT, **options: Unpack[SizeOptions]) -> FrameT:
    """Return a Spark data frame with the answer columns; all but cost_per_month are text: Spark has no categories.

    The frame stays lazy, and a streaming frame keeps streaming: no rows are read by this call or collected on the
    driver. It checks columns and options, and it reads the tables, which are sent to the executors with the query.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        One row per cluster, or per cluster and time. Order, partitions and all other columns are kept.
    provider, columns, unknown, on_missing, catalog, tiers, headroom, margin, answers, na, decimal, thousands
        As for `size_frame`. NaN is a number that cannot be sized, not a null.
    resources, etcd_version, model
        As for `size_frame`.
    on_invalid : {"mark", "raise"}
        Whether a row that cannot be sized gets null answers and a problem, or fails the query. Spark's error then
        contains our message, with the partition and the row, both counted from 0.

    Returns
    -------
    pyspark.sql.DataFrame

    Raises
    ------
    ColumnError
        For columns that are missing, repeated, of a type without numbers, or named like an answer.
    WorkloadTypeError
        For anything but a Spark data frame.
    MissingDependencyError
        If PySpark is not installed.

    Examples
    --------
    >>> from pyspark.sql import SparkSession
    >>> spark = SparkSession.builder.master("local[1]").getOrCreate()
    >>> fleet = spark.createDataFrame([(300, 800, 400), (90, 150, -1)], "clients int, rps int, data_mb int")
    >>> for row in size_dataframe(fleet, provider="aws", answers=["tier", "problem"]).collect():
    ...     print(row.tier, row.problem)
    medium None
    None data_mb: got -1.0, expected a finite number of 0 or more
    """
    try:
        from pyspark.sql import DataFrame
        from pyspark.sql.types import (
            BooleanType,
            DoubleType,
            LongType,
            NullType,
            NumericType,
            StringType,
            StructField,
            StructType,
        )
    except ImportError as error:
        raise MissingDependencyError(package="pyspark", extra="spark") from error
    if not isinstance(df, DataFrame):
        raise WorkloadTypeError(f"df: got {type(df).__name__}, expected a pyspark.sql.DataFrame")
    schema = df.schema
    checked = BatchOptions.of(schema.names, **options)
    reject_repeated_names(schema.names)
    _reject_ambiguous_case(df, schema.names, checked.answers)
    # Report a column of the wrong type now, not from an executor.
    for key, source in checked.columns(schema.names).items():
        kind = schema.fields[source.position].dataType
        accepted = "numbers or text" if key in NUMBERS else "yes or no" if key == YES_OR_NO else "text"
        kinds = {"text": (), "numbers or text": (NumericType,), "yes or no": (NumericType, BooleanType)}[accepted]
        if not isinstance(kind, (StringType, NullType, *kinds)):
            raise ColumnError(f"column {shown(source.name)}: got the type {kind.simpleString()}, expected {accepted}")
    numeric = {pa.float64(): DoubleType(), pa.int64(): LongType()}
    fields = [StructField(one.name, numeric.get(one.type, StringType())) for one in answer_schema(checked.answers)]
    sized: FrameT = df.mapInArrow(partial(_size_partition, checked), StructType([*schema.fields, *fields]))
    return sized


def _reject_ambiguous_case(df: Any, names: list[str], answers: Iterable[str]) -> None:
    """Reject a column whose name differs from an answer's in case only, unless Spark distinguishes case."""
    if df.sparkSession.conf.get("spark.sql.caseSensitive", "false") == "true":
        return
    taken = [name for name in names if name.lower() in answers and name not in answers]
    if taken:
        raise ColumnError(
            f'has a column "{taken[0]}", which Spark cannot tell from the answer "{taken[0].lower()}"; rename it'
        )


def _size_partition(options: BatchOptions, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a partition with their answers. This runs in an executor."""
    sizer = None
    for batch in batches:
        sizer = sizer or BatchSizer.of(options, batch.schema.names)
        try:
            answers = sizer(batch)
        except InvalidWorkloadError as error:
            from pyspark import TaskContext

            raise add_partition(error, TaskContext.get().partitionId()) from None
        # Spark has no categories.
        fields = [
            field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in answers.schema
        ]
        yield append_answers(batch, answers.cast(pa.schema(fields)))
