"""Data frames in, the same with the answer's columns added: pandas, Polars, PyArrow, and what narwhals supports.

`size_frame` gives back the caller's own kind of frame. No frame library is imported to find out which one it is. The
engines that spread a frame over processes have modules of their own beside this one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from etcdsize.batches.columns import ANSWERS, columns_to_read
from etcdsize.errors import ColumnError, InvalidWorkloadError, MissingDependencyError, WorkloadTypeError

try:
    import narwhals as nw
    import pyarrow as pa

    from etcdsize.batches.sizer import BatchOptions, BatchSizer, answer_schema
except ImportError as _error:
    raise MissingDependencyError(package=_error.name or "pyarrow", extra="frames") from _error

if TYPE_CHECKING:
    from etcdsize.catalog.catalog import Catalog
    from etcdsize.tiers import TierTable

__all__ = ["size_frame"]

FrameT = TypeVar("FrameT")

# Rows at a time: the answers' scratch stays small beside the frame (our choice).
_ROWS = 256 * 1024


def size_frame(
    frame: FrameT,
    *,
    provider: str | None = None,
    columns: Mapping[str, str] | None = None,
    unknown: Iterable[str] = (),
    on_missing: str = "problem",
    on_invalid: str = "mark",
    catalog: str | Path | Catalog = "guide",
    tiers: str | Path | TierTable = "guide",
    headroom: float = 0.0,
    answers: Iterable[str] = ANSWERS,
) -> FrameT:
    """Return the frame with the answer's columns added: tier, machine_type, forced_by, tightest, problem.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame, polars.LazyFrame, pyarrow.Table, pyarrow.RecordBatch,
            pyarrow.RecordBatchReader, or another eager frame that narwhals supports
        One row a cluster. It is not altered; order, index and all other columns stay.
    provider : str, optional
        aws, azure or gce (gcp, google) for every row; None where a column says.
    columns : mapping, optional
        Dimension or "provider" -> the column's name, where it is not one that we know.
    unknown : iterable of str
        Dimensions that the frame lacks.
    on_missing : {"problem", "unknown"}
        What a null is: a problem of its row, or an unknown dimension of it. NaN is a null in pandas alone.
    on_invalid : {"mark", "raise"}
        Whether a row that cannot be sized has empty answers and its problem, or raises.
    catalog, tiers, headroom
        As for `size`.
    answers : iterable of str
        Which of the columns to add; the others cost nothing.

    Returns
    -------
    The caller's own kind of frame. Tier, machine type, forced_by and tightest are dictionary or categorical columns.
    A LazyFrame stays lazy, and a reader gives its batches as they are asked for.

    Raises
    ------
    ColumnError
        For columns that are missing, there twice, of a type that holds no numbers, or already an answer's.
    InvalidWorkloadError
        With `on_invalid="raise"`, for the first row that cannot be sized.
    WorkloadTypeError
        For what is not a frame.

    Examples
    --------
    >>> import pyarrow as pa
    >>> fleet = pa.table({"clients": [90, 300], "rps": [150, 800], "data_mb": [80, 400], "cloud": ["aws", "gcp"]})
    >>> size_frame(fleet, answers=["tier", "machine_type"]).select(["tier", "machine_type"]).to_pylist()
    [{'tier': 'small', 'machine_type': 'm4.large'}, {'tier': 'medium', 'machine_type': 'n1-standard-4'}]
    """
    options = BatchOptions.of(
        provider=provider,
        columns=columns,
        unknown=unknown,
        on_missing=on_missing,
        on_invalid=on_invalid,
        catalog=catalog,
        tiers=tiers,
        headroom=headroom,
        answers=answers,
    )
    sized: FrameT = size_with_options(options, frame)
    return sized


def size_with_options(options: BatchOptions, frame: Any) -> Any:
    """Return a frame with the answers, by its kind."""
    if isinstance(frame, pa.RecordBatch):
        return append_answers(frame, options.sizer(frame.schema.names)(frame))
    if isinstance(frame, pa.RecordBatchReader):
        sizer = options.sizer(frame.schema.names)
        schema = pa.schema([*frame.schema, *sizer.schema], metadata=frame.schema.metadata)
        return pa.RecordBatchReader.from_batches(schema, (append_answers(batch, sizer(batch)) for batch in frame))
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(frame, polars.LazyFrame):
        empty = size_with_options(options, polars.DataFrame(schema=frame.collect_schema()))
        return frame.map_batches(lambda part: size_with_options(options, part), schema=empty.schema, streamable=True)
    try:
        wrapped = nw.from_native(frame, eager_only=True)
        names = wrapped.columns
    except (TypeError, nw.exceptions.NarwhalsError) as error:
        if isinstance(error, nw.exceptions.DuplicateError):
            raise ColumnError(f"frame: {error}; every column needs a name of its own") from None
        raise WorkloadTypeError(
            f"frame: got {type(frame).__name__}, expected a data frame of pandas, Polars, PyArrow or another library "
            "that narwhals supports eagerly"
        ) from None
    return _size_eager(options, wrapped, names)


def append_answers(batch: pa.RecordBatch, answers: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with its answers after its own columns."""
    return pa.RecordBatch.from_arrays(
        [*batch.columns, *answers.columns],
        schema=pa.schema([*batch.schema, *answers.schema], metadata=batch.schema.metadata),
    )


def _size_eager(options: BatchOptions, frame: nw.DataFrame[Any], names: list[str]) -> Any:
    """Return an eager frame with the answers; only the load's columns are handed to Arrow."""
    reject_repeated_names(names)
    positions, columns = columns_to_read(options.columns(names))
    sizer = BatchSizer(options, columns, answer_schema(options.answers))
    arrays = [_to_arrow(frame, names[position]) for position in positions]
    load = pa.Table.from_arrays(arrays, names=[str(position) for position in positions])
    # A frame of no rows has all categories too; its columns need not have types of their own.
    batches = [sizer(batch) for batch in load.to_batches(max_chunksize=_ROWS)] or [sizer.no_answers()]
    table = pa.Table.from_batches(batches, schema=sizer.schema)
    added = nw.DataFrame.from_arrow(table, backend=frame.implementation)
    return frame.with_columns(*(added[name] for name in added.columns)).to_native()


def add_partition(error: InvalidWorkloadError, number: int) -> InvalidWorkloadError:
    """Return an error of an engine's process with the partition in its message."""
    return InvalidWorkloadError(f"partition {number}, {error}", index=error.index, count=error.count)


def reject_repeated_names(names: Iterable[Any]) -> None:
    """Refuse names that are there twice: nothing could say which column is meant."""
    listed = list(names)
    repeated = sorted({str(name) for name in listed if listed.count(name) > 1})
    if repeated:
        raise ColumnError(f"frame: has several columns {', '.join(repeated)}; every column needs a name of its own")


def _to_arrow(frame: nw.DataFrame[Any], name: str) -> pa.Array | pa.ChunkedArray:
    """Return a column as Arrow, without a copy where it holds numbers and no nulls."""
    series = frame[name]
    try:
        return series.to_native() if frame.implementation.is_pyarrow() else series.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ColumnError(
            f'column "{name}": got mixed or unknown values ({str(error).splitlines()[0]}), expected numbers or text'
        ) from None
