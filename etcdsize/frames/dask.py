"""Size Dask data frames: the workers size one partition at a time.

Dask is imported when a frame is sized. The workers need etcdsize with the extra `dask`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, Unpack

import pyarrow as pa

from etcdsize.batches.answers import answer_schema
from etcdsize.batches.options import BatchOptions, SizeOptions
from etcdsize.errors import InvalidWorkloadError, MissingDependencyError, WorkloadTypeError
from etcdsize.frames.size_frame import add_partition, size_with_options

__all__ = ["size_dataframe"]

FrameT = TypeVar("FrameT")


def size_dataframe(ddf: FrameT, **options: Unpack[SizeOptions]) -> FrameT:
    """Return a Dask data frame with the answer columns added.

    All but numbers, `problem` and `notices` are categories, known up front.

    The frame stays lazy: nothing is computed by this call. It checks columns and options, and it reads the tables,
    which are sent to the workers with the graph.

    Parameters
    ----------
    ddf : dask.dataframe.DataFrame
        One row per cluster, or per cluster and time. Index, divisions, partitions and all other columns are kept.
    provider, columns, unknown, on_missing, catalog, tiers, headroom, margin, answers, na, decimal, thousands
        As for `size_frame`.
    resources, etcd_version, model
        As for `size_frame`.
    on_invalid : {"mark", "raise"}
        Whether a row that cannot be sized gets empty answers and a problem, or raises when the frame is computed. Dask
        raises the `InvalidWorkloadError` of the first partition to fail; its message has the partition and the row,
        both counted from 0.

    Returns
    -------
    dask.dataframe.DataFrame

    Raises
    ------
    ColumnError
        For columns that are missing, repeated, of a type without numbers, or named like an answer.
    WorkloadTypeError
        For anything but a Dask data frame.
    MissingDependencyError
        If Dask is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> import dask.dataframe as dd
    >>> fleet = dd.from_pandas(pd.DataFrame({"clients": [90, 300], "rps": [150, 800], "data_mb": [80, 400]}))
    >>> size_dataframe(fleet, provider="aws")["machine_type"].compute().tolist()
    ['m4.large', 'm4.xlarge']
    """
    try:
        from dask import delayed
        from dask.dataframe import DataFrame
    except ImportError as error:
        raise MissingDependencyError(package="dask", extra="dask") from error
    if not isinstance(ddf, DataFrame):
        raise WorkloadTypeError(f"ddf: got {type(ddf).__name__}, expected a dask.dataframe.DataFrame")
    checked = BatchOptions.of(ddf.columns, **options)
    # As a value of their own in the graph, the options are sent once instead of with every partition.
    sent = delayed(checked, pure=True, traverse=False)
    # Size Dask's sample of every type, so that a column without numbers is reported now and not by a worker.
    sample = size_with_options(replace(checked, raise_problems=False), ddf._meta_nonempty)
    sized: FrameT = ddf.map_partitions(_size_partition, sent, meta=_typed(sample, checked).iloc[:0])
    return sized


def _size_partition(part: Any, options: BatchOptions, partition_info: dict[str, Any]) -> Any:
    """Return a partition with its answers. This runs in a worker."""
    try:
        return _typed(size_with_options(options, part), options)
    except InvalidWorkloadError as error:
        raise add_partition(error, partition_info["number"]) from None


def _typed(part: Any, options: BatchOptions) -> Any:
    """Convert answers of any text to strings, because Dask writes strings as text and knows all categories.

    Whole numbers become a type that has nulls, so that partitions with and without them have one type.
    """
    kinds = dict.fromkeys(("problem", "notices", "reason"), "string[pyarrow]")
    kinds |= {field.name: "Int64" for field in answer_schema(options.answers) if pa.types.is_integer(field.type)}
    return part.astype({name: kind for name, kind in kinds.items() if name in options.answers})
