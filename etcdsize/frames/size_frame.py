"""Size data frames of pandas, Polars, PyArrow and other libraries that narwhals supports.

`size_frame` returns the same kind of frame with the answer columns added. No frame library is imported to find out
which kind it is. Distributed engines have modules of their own.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from etcdsize.batches.columns import columns_to_read
from etcdsize.errors import ColumnError, InvalidWorkloadError, MissingDependencyError, WorkloadTypeError
from etcdsize.etcd.version_names import DEFAULT_VERSION

try:
    import narwhals as nw
    import pyarrow as pa

    from etcdsize.batches.answers import answer_schema
    from etcdsize.batches.options import BatchOptions
    from etcdsize.batches.sizer import BatchSizer
except ImportError as _error:
    raise MissingDependencyError(package=_error.name or "pyarrow", extra="frames") from _error

if TYPE_CHECKING:
    from etcdsize.catalog.catalog import Catalog
    from etcdsize.resources.calibrated_model import CalibratedModel
    from etcdsize.tiers import TierTable

__all__ = ["size_frame"]

FrameT = TypeVar("FrameT")

# Rows per batch: the scratch stays small compared to the frame (our choice).
_ROWS = 256 * 1024


def size_frame(
    frame: FrameT,
    *,
    provider: str | None = None,
    region: str | Iterable[str] | None = None,
    columns: Mapping[str, str] | None = None,
    unknown: Iterable[str] = (),
    on_missing: str = "problem",
    on_invalid: str = "mark",
    catalog: str | Path | Catalog | None = None,
    tiers: str | Path | TierTable = "guide",
    headroom: float = 0.0,
    margin: float = 0.2,
    answers: Iterable[str] | None = None,
    na: Iterable[str] = (),
    decimal: str = ".",
    thousands: str | None = None,
    resources: bool = False,
    etcd_version: str = DEFAULT_VERSION,
    model: str | Path | CalibratedModel | None = None,
) -> FrameT:
    """Return the frame with the answer columns added.

    They are tier, machine_type, forced_by, tightest, machine_today, cost_per_month (three members), currency,
    price_region, price_date, problem and notices.

    If a column names the machines in use, they are audited, and the columns of the audit follow: verdict, reason,
    decided_by, utilization, breaks_next, recommended_machine, cost_difference_per_month, difference_currency.

    With `resources`, the columns of the measured model follow, as in `fleet_resources`: quota_bytes,
    memory_limit_bytes, volume_gib, fsync_p99_needed_ms.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame, polars.LazyFrame, pyarrow.Table, pyarrow.RecordBatch,
            pyarrow.RecordBatchReader, or another eager frame that narwhals supports
        One row per cluster. It is not changed; order, index and all other columns are kept.
    provider : str, optional
        The provider of every row, such as aws, alibaba or one of your own; None reads it from a column.
    region : str or iterable of str, optional
        The region whose prices count for every row, as for `size`; None reads it from a column `region`, if there is
        one.
    columns : mapping, optional
        Dimension, "provider", "kubernetes_nodes", "current_machine", or a figure of the measured model such as "keys"
        -> the name of its column, if that is not one of the usual names. A dimension may have a unit, if the name
        states none: `{"data_mb": "Database"}`.
    unknown : iterable of str
        Dimensions that the frame does not have; or further columns to leave out.
    on_missing : {"problem", "unknown"}
        What a null means: a problem of its row, or an unknown dimension. Only in pandas is NaN a null.
    on_invalid : {"mark", "raise"}
        Whether a row that cannot be sized gets empty answers and a problem, or raises.
    catalog : str, Path, Catalog or None
        As for `size`. None means `"guide"`, or `"current"` if a column names the machines in use.
    tiers, headroom
        As for `size`.
    margin : float
        As for `audit`.
    answers : iterable of str, optional
        The answer columns to add; None means all. Columns that are left out cost nothing.
    na : iterable of str
        More words for a missing value, beside n/a, na, -, null, none, unknown, ? and #n/a, in any case.
    decimal : {".", ","}
        The decimal mark in columns of text.
    thousands : {",", ".", " ", "'", "_"}, optional
        The mark between groups of three digits in columns of text. None accepts no such mark.
    resources : bool
        Whether to add what the load takes of every member, by the measured model. It reads the columns keys, key_bytes,
        value_bytes, largest_value_bytes, writes_per_second, reads_per_second, puts_per_transaction, puts_per_commit,
        history_seconds, list_keys, concurrent_lists, watchers, watch_streams, leases, keys_per_lease,
        lease_ttl_seconds, lease_revokes_per_second, tls (booleans, or yes and no) and pods, where there are such. A
        null among them is assumed.
    etcd_version, model
        As for `resources_for`. They need `resources`, or a column that names the machines in use. A column
        `etcd_version` names the version of each row. The model is used for the rows of its version, and the built-in
        one for the others.

    Returns
    -------
    The same kind of frame. Answers are numbers (cost_per_month, utilization, cost_difference_per_month, those of the
    model), text (problem, reason), and otherwise dictionary or categorical columns.
    A LazyFrame stays lazy, and a reader sizes each batch when it is requested.

    Raises
    ------
    ColumnError
        For columns that are missing, repeated, of a type without numbers, or named like an answer.
    InvalidWorkloadError
        With `on_invalid="raise"`, for the first row that cannot be sized.
    WorkloadTypeError
        For anything but a supported frame.

    Examples
    --------
    >>> import pyarrow as pa
    >>> fleet = pa.table({"clients": [90, 300], "rps": [150, 800], "data_mb": [80, 400], "cloud": ["aws", "gcp"]})
    >>> size_frame(fleet, answers=["tier", "machine_type"]).select(["tier", "machine_type"]).to_pylist()
    [{'tier': 'small', 'machine_type': 'm4.large'}, {'tier': 'medium', 'machine_type': 'n1-standard-4'}]
    """
    options = BatchOptions.of(
        names_of_frame(frame),
        provider=provider,
        region=region,
        columns=columns,
        unknown=unknown,
        on_missing=on_missing,
        on_invalid=on_invalid,
        catalog=catalog,
        tiers=tiers,
        headroom=headroom,
        margin=margin,
        answers=answers,
        na=na,
        decimal=decimal,
        thousands=thousands,
        resources=resources,
        etcd_version=etcd_version,
        model=model,
    )
    sized: FrameT = size_with_options(options, frame)
    return sized


def size_with_options(options: BatchOptions, frame: Any) -> Any:
    """Return a frame of any kind with its answers."""
    if isinstance(frame, pa.RecordBatch):
        return append_answers(frame, BatchSizer.of(options, frame.schema.names)(frame))
    if isinstance(frame, pa.RecordBatchReader):
        sizer = BatchSizer.of(options, frame.schema.names)
        schema = pa.schema([*frame.schema, *sizer.schema], metadata=frame.schema.metadata)
        return pa.RecordBatchReader.from_batches(schema, (append_answers(batch, sizer(batch)) for batch in frame))
    if _is_lazy(frame):
        empty = size_with_options(options, sys.modules["polars"].DataFrame(schema=frame.collect_schema()))
        return frame.map_batches(lambda part: size_with_options(options, part), schema=empty.schema, streamable=True)
    return _size_eager(options, *_wrapped(frame))


def names_of_frame(frame: Any) -> list[Any]:
    """Return the names of the columns of a frame of any kind."""
    if isinstance(frame, (pa.RecordBatch, pa.RecordBatchReader)):
        return list(frame.schema.names)
    return list(frame.collect_schema().names()) if _is_lazy(frame) else _wrapped(frame)[1]


def _is_lazy(frame: Any) -> bool:
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(frame, polars.LazyFrame)


def _wrapped(frame: Any) -> tuple[nw.DataFrame[Any], list[str]]:
    """Return an eager frame as narwhals sees it, and the names of its columns."""
    try:
        wrapped = nw.from_native(frame, eager_only=True)
        return wrapped, wrapped.columns
    except (TypeError, nw.exceptions.NarwhalsError) as error:
        if isinstance(error, nw.exceptions.DuplicateError):
            raise ColumnError(f"frame: {error}; every column needs a name of its own") from None
        raise WorkloadTypeError(
            f"frame: got {type(frame).__name__}, expected a data frame of pandas, Polars, PyArrow or another library "
            "that narwhals supports eagerly"
        ) from None


def append_answers(batch: pa.RecordBatch, answers: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with its answers after its own columns."""
    return pa.RecordBatch.from_arrays(
        [*batch.columns, *answers.columns],
        schema=pa.schema([*batch.schema, *answers.schema], metadata=batch.schema.metadata),
    )


def _size_eager(options: BatchOptions, frame: nw.DataFrame[Any], names: list[str]) -> Any:
    """Return an eager frame with its answers. Only the columns of the load are converted to Arrow."""
    reject_repeated_names(names)
    positions, columns = columns_to_read(options.columns(names))
    sizer = BatchSizer(options, columns, answer_schema(options.answers))
    arrays = [_to_arrow(frame, names[position]) for position in positions]
    load = pa.Table.from_arrays(arrays, names=[str(position) for position in positions])
    # A frame without rows gets all categories, whatever the types of its columns.
    batches = [sizer(batch) for batch in load.to_batches(max_chunksize=_ROWS)] or [sizer.no_answers()]
    table = pa.Table.from_batches(batches, schema=sizer.schema)
    added = nw.DataFrame.from_arrow(table, backend=frame.implementation)
    return frame.with_columns(*(added[name] for name in added.columns)).to_native()


def add_partition(error: InvalidWorkloadError, number: int) -> InvalidWorkloadError:
    """Return an error with the number of the partition added to its message."""
    return InvalidWorkloadError(f"partition {number}, {error}", index=error.index, count=error.count)


def reject_repeated_names(names: Iterable[Any]) -> None:
    """Reject repeated names, which are ambiguous."""
    repeated = sorted(str(name) for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise ColumnError(f"frame: has several columns {', '.join(repeated)}; every column needs a name of its own")


def _to_arrow(frame: nw.DataFrame[Any], name: str) -> pa.Array | pa.ChunkedArray:
    """Return a column as Arrow data, without a copy if it holds numbers and no nulls."""
    series = frame[name]
    try:
        return series.to_native() if frame.implementation.is_pyarrow() else series.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ColumnError(
            f'column "{name}": got mixed or unknown values ({str(error).splitlines()[0]}), expected numbers or text'
        ) from None
    except OverflowError:
        raise ColumnError(f'column "{name}": has an integer of more than 64 bits, expected at most 2^64 - 1') from None
