"""What the loads of a fleet take, by the measured model: `fleet_resources` returns `FleetResources`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etcdsize.base.checks import one_of
from etcdsize.errors import InvalidWorkloadError
from etcdsize.etcd.version_names import DEFAULT_VERSION
from etcdsize.fleet.loads import array_of
from etcdsize.fleet.resource_columns import FleetResources
from etcdsize.fleet.resource_figures import RowVersions
from etcdsize.resources.calibrated_model import CalibratedModel, model_of
from etcdsize.resources.coefficients import load_coefficients
from etcdsize.sizing.options import threads_of
from etcdsize.units import DIMENSIONS

__all__ = ["FIGURES", "fleet_resources", "resources_of_rows"]

FIGURES = (
    *DIMENSIONS,
    *("keys", "key_bytes", "value_bytes", "largest_value_bytes", "writes_per_second", "reads_per_second"),
    *("puts_per_transaction", "puts_per_commit", "history_seconds", "list_keys", "concurrent_lists"),
    *("watchers", "watch_streams", "leases", "keys_per_lease", "lease_ttl_seconds", "lease_revokes_per_second"),
    *("tls", "kubernetes_nodes", "pods"),
)
"""The figures of a load that the arrays may hold."""


def fleet_resources(
    clients: ArrayLike | None = None,
    requests_per_second: ArrayLike | None = None,
    data_bytes: ArrayLike | None = None,
    *,
    keys: ArrayLike | None = None,
    key_bytes: ArrayLike | None = None,
    value_bytes: ArrayLike | None = None,
    largest_value_bytes: ArrayLike | None = None,
    writes_per_second: ArrayLike | None = None,
    reads_per_second: ArrayLike | None = None,
    puts_per_transaction: ArrayLike | None = None,
    puts_per_commit: ArrayLike | None = None,
    history_seconds: ArrayLike | None = None,
    list_keys: ArrayLike | None = None,
    concurrent_lists: ArrayLike | None = None,
    watchers: ArrayLike | None = None,
    watch_streams: ArrayLike | None = None,
    leases: ArrayLike | None = None,
    keys_per_lease: ArrayLike | None = None,
    lease_ttl_seconds: ArrayLike | None = None,
    lease_revokes_per_second: ArrayLike | None = None,
    tls: ArrayLike | None = None,
    kubernetes_nodes: ArrayLike | None = None,
    pods: ArrayLike | None = None,
    etcd_version: str = DEFAULT_VERSION,
    model: str | Path | CalibratedModel | None = None,
    on_invalid: str = "raise",
    threads: int | None = None,
) -> FleetResources:
    """Return what the load of every cluster takes of every member: quota, memory limit, volume and fsync.

    Each row is the answer of `resources_for`. NaN is an unknown figure of its row, which is assumed, and None one of
    all rows. A number counts for all rows.

    Parameters
    ----------
    clients, requests_per_second, data_bytes : array_like, shape (n,), optional
        As for `classify`: [count], [1/s], [bytes].
    keys, key_bytes, value_bytes, largest_value_bytes, writes_per_second, reads_per_second, puts_per_transaction, \
puts_per_commit, history_seconds, list_keys, concurrent_lists, watchers, watch_streams, leases, keys_per_lease, \
lease_ttl_seconds, lease_revokes_per_second : array_like, shape (n,), optional
        As the fields of `Profile`, each with its unit.
    tls : array_like of bool or float, shape (n,), optional
        Whether clients connect with TLS: booleans, or 1 and 0.
    kubernetes_nodes, pods : array_like, shape (n,), optional
        Nodes and pods of the Kubernetes cluster. [count] They count, as in `kubernetes_profile`, where nothing is known
        besides but TLS, and clients, requests and data that agree with them. Otherwise the nodes only say that an API
        server compacts every five minutes. Pods need nodes beside them.
    etcd_version, model
        As for `resources_for`.
    on_invalid : {"raise", "mark"}
        Whether a row that cannot be sized raises, or is marked in `FleetResources.invalid`.
    threads : int, optional
        Maximum number of threads; None chooses by the number of rows, and 1 starts none.

    Raises
    ------
    InvalidWorkloadError
        For figures that are negative, infinite, or contradict each other, for rows of which nothing is known, and for
        shapes that do not match.
    WorkloadTypeError
        For booleans, complex numbers, text, objects and dates.
    OptionError
        For an unknown version of etcd, a model of another one, `on_invalid` or `threads`.

    References
    ----------
    docs/resources.md: the formulas, how each coefficient is known, and how far the model is from real members.

    Examples
    --------
    >>> fleet = fleet_resources(keys=[1e6, 5.7e6], value_bytes=[3000, 1000], writes_per_second=[np.nan, 40])
    >>> (fleet.need.quota_bytes // 2**30).tolist(), fleet.need.volume_gib.tolist()
    ([7, 11], [24, 38])
    >>> fleet[1].quota_bytes == int(fleet.need.quota_bytes[1])
    True
    """
    given = locals()
    one_of("on_invalid", on_invalid, ("raise", "mark"))
    figures = {name: given[name] for name in FIGURES}
    found = resources_of_rows(figures, etcd_version, model_of(model, etcd_version), threads=threads_of(threads))
    if on_invalid == "raise" and found.invalid.any():
        _reject(found)
    return found


def resources_of_rows(
    figures: Mapping[str, ArrayLike | None],
    etcd_version: str,
    model: CalibratedModel | None,
    *,
    versions: RowVersions | None = None,
    threads: int | None = None,
) -> FleetResources:
    """Return what loads take, where the rows may have versions of etcd of their own; rows that are wrong are marked.

    A calibrated model counts for the rows of its version, and the built-in one for the others.
    """
    load_coefficients(etcd_version)
    arrays = {name: array_of(name, figure, booleans=name == "tls") for name, figure in figures.items()}
    columns = {name: array for name, array in arrays.items() if array is not None}
    rows = _rows_of(columns)
    flat = {name: column.reshape(-1) for name, column in columns.items()}
    return FleetResources(flat, rows, etcd_version, threads, model, versions)


def _rows_of(columns: Mapping[str, NDArray[Any]]) -> int:
    """Return the number of rows: that of every column that is not one number."""
    if not columns:
        raise InvalidWorkloadError(f"nothing known of the loads, expected at least one of {', '.join(FIGURES)}")
    shapes = {name: column.shape for name, column in columns.items() if column.ndim}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        got = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InvalidWorkloadError(f"got the shapes {got}; expected one axis, with one figure per cluster, or numbers")
    return len(next(iter(columns.values())).reshape(-1)) if not shapes else next(iter(shapes.values()))[0]


def _reject(found: FleetResources) -> NoReturn:
    index = int(found.invalid.argmax())
    count = int(np.count_nonzero(found.invalid))
    how_many = "" if count == 1 else f" ({count} rows cannot be sized)"
    raise InvalidWorkloadError(
        f'row {index}: {found.problem(index)}{how_many}; on_invalid="mark" sizes the rest', index=index, count=count
    )
