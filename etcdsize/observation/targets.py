"""Read the clusters to observe from a file in the format of Prometheus' file-based service discovery."""

from __future__ import annotations

import re
from typing import Annotated, Any, NoReturn

from pydantic import Field

from etcdsize.base.json_text import documents
from etcdsize.base.model import Model, NotNegative
from etcdsize.base.text import shown
from etcdsize.errors import OptionError, TableError, UnitError
from etcdsize.etcd.urls import endpoints_of
from etcdsize.units import parse_count

__all__ = ["ClusterTargets", "read_targets"]

_EXPECTED = 'a list such as [{"targets": ["10.0.0.1:2379"], "labels": {"cluster": "orders"}}]'
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class ClusterTargets(Model):
    """One cluster to observe."""

    endpoints: Annotated[tuple[str, ...], Field(min_length=1, description="The client URLs of its members.")]
    labels: Annotated[dict[str, str], Field(description="Its labels, except those that begin with __.")]
    clients: Annotated[NotNegative | None, Field(description="Its clients, if a label gives them. [count]")] = None


def read_targets(source: object, *, secure: bool = False) -> tuple[ClusterTargets, ...]:
    """Return the clusters of a file in the format of Prometheus' file-based service discovery.

    Groups with the same label `cluster` are one cluster; every other group is a cluster of its own.

    Parameters
    ----------
    source : str, bytes or list
        Text, or parsed JSON.
    secure : bool
        Whether targets without the label `__scheme__` are `https://`.

    Raises
    ------
    TableError
        If it is not such a list; the message names row and field.

    Examples
    --------
    >>> (cluster,) = read_targets('[{"targets": ["10.0.0.1:2379"], "labels": {"cluster": "orders", "clients": "300"}}]')
    >>> cluster.endpoints, cluster.labels, cluster.clients
    (('http://10.0.0.1:2379',), {'cluster': 'orders', 'clients': '300'}, 300)
    """
    found = documents(source)
    if len(found) != 1 or not isinstance(found[0], list) or not found[0]:
        raise TableError(f"got {shown(source)}, expected {_EXPECTED}")
    clusters: dict[object, ClusterTargets] = {}
    for row, fields in enumerate(found[0], 1):
        one = _cluster(fields, row, secure=secure)
        key = one.labels.get("cluster") or row
        existing = clusters.get(key)
        clusters[key] = one if existing is None else _merge(existing, one, row)
    return tuple(clusters.values())


def _cluster(fields: Any, row: int, *, secure: bool) -> ClusterTargets:
    if not isinstance(fields, dict):
        _reject(row, None, f"got {shown(fields)}, expected an object with targets")
    unknown = sorted(set(fields) - {"targets", "labels"})
    if unknown:
        _reject(row, unknown[0], "unknown field; expected targets and labels")
    targets, labels = fields.get("targets"), fields.get("labels") or {}
    if not isinstance(targets, list) or not targets or not all(isinstance(one, str) for one in targets):
        _reject(row, "targets", f'got {shown(targets)}, expected a list such as ["10.0.0.1:2379"]')
    if not isinstance(labels, dict):
        _reject(row, "labels", f"got {shown(labels)}, expected an object")
    for name, value in labels.items():
        if not _LABEL.fullmatch(name) or not isinstance(value, str):
            _reject(row, f"labels.{name}", f"got {shown(value)}, expected a label name with a text value")
    scheme = labels.get("__scheme__", "https" if secure else "http")
    if scheme not in ("http", "https"):
        _reject(row, "labels.__scheme__", f"got {shown(scheme)}, expected http or https")
    path = labels.get("__metrics_path__", "/metrics")
    if path != "/metrics":
        _reject(row, "labels.__metrics_path__", f"got {shown(path)}, expected /metrics, where etcd serves them")
    try:
        endpoints = endpoints_of([one if "://" in one else f"{scheme}://{one}" for one in targets])
    except OptionError as error:
        _reject(row, "targets", str(error).removeprefix("endpoints: "))
    clients = None
    if "clients" in labels:
        try:
            clients = parse_count(labels["clients"])
        except UnitError as error:
            _reject(row, "labels.clients", str(error))
    kept = {name: value for name, value in labels.items() if not name.startswith("__")}
    return ClusterTargets(endpoints=endpoints, labels=kept, clients=clients)


def _merge(one: ClusterTargets, other: ClusterTargets, row: int) -> ClusterTargets:
    """Merge two groups of one cluster; labels that differ keep both values."""
    if one.clients != other.clients and None not in (one.clients, other.clients):
        _reject(
            row, "labels.clients", "differs from an earlier group of the same cluster; give the same number in each"
        )
    labels = dict(one.labels)
    for name, value in other.labels.items():
        values = labels.get(name, value).split(";")
        labels[name] = ";".join(dict.fromkeys([*values, value]))
    return ClusterTargets(
        endpoints=tuple(dict.fromkeys([*one.endpoints, *other.endpoints])),
        labels=labels,
        clients=one.clients if one.clients is not None else other.clients,
    )


def _reject(row: int, field: str | None, reason: str) -> NoReturn:
    raise TableError(f"row {row}{f', {field}' if field else ''}: {reason}", row=row, field=field)
