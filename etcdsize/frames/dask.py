"""Data frames of Dask: sized partition by partition by its workers.

Dask is imported when a frame is sized. etcdsize, with the extra `dask`, must be installed where the workers run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, Unpack

from etcdsize.batches.sizer import BatchOptions, SizeOptions
from etcdsize.errors import InvalidWorkloadError, MissingDependencyError, WorkloadTypeError
from etcdsize.frames.size_frame import add_partition, size_with_options

__all__ = ["size_dataframe"]

FrameT = TypeVar("FrameT")


def size_dataframe(ddf: FrameT, **options: Unpack[SizeOptions]) -> FrameT:
    """Return a Dask data frame with the answer's columns added; all but `problem` are categories, known up front.

    It stays lazy: nothing is read or computed here. Columns and options are checked here; the tables are read here
    and sent to the workers with the graph.

    Parameters
    ----------
    ddf : dask.dataframe.DataFrame
        One row a cluster, or a cluster at a time. Index, divisions, partitions and all other columns stay.
    provider, columns, unknown, on_missing, catalog, tiers, headroom, answers
        As for `size_frame`.
    on_invalid : {"mark", "raise"}
        Whether a row that cannot be sized has empty answers and its problem, or raises when the frame is computed:
        the `InvalidWorkloadError` of the first partition to fail, with the partition and the row in its message; both
        are counted from 0.

    Returns
    -------
    dask.dataframe.DataFrame

    Raises
    ------
    ColumnError
        For columns that are missing, there twice, of a type that holds no numbers, or already an answer's.
    WorkloadTypeError
        For what is not a Dask data frame.
    MissingDependencyError
        Without Dask.

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
    checked = BatchOptions.of(**options)
    # As a value of their own in the graph, the options are sent once instead of with every partition.
    sent = delayed(checked, pure=True, traverse=False)
    # Dask's own sample of every type: a column that holds no numbers is told now, and not by a worker.
    sample = size_with_options(replace(checked, raise_problems=False), ddf._meta_nonempty)
    sized: FrameT = ddf.map_partitions(_size_partition, sent, meta=_problems_as_text(sample).iloc[:0])
    return sized


def _size_partition(part: Any, options: BatchOptions, partition_info: dict[str, Any]) -> Any:
    """Return a partition with its answers: this runs in a worker."""
    try:
        return _problems_as_text(size_with_options(options, part))
    except InvalidWorkloadError as error:
        raise add_partition(error, partition_info["number"]) from None


def _problems_as_text(part: Any) -> Any:
    """Return a partition with its problems as text where pandas knows mere objects: Dask writes text as text."""
    return part.astype({"problem": "string[pyarrow]"}) if part.dtypes.get("problem") == "object" else part
