"""Read the clusters to observe from files in the format of Prometheus' file-based service discovery, JSON or YAML."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NoReturn

from pydantic import Field, model_validator

from etcdsize.base.checks import list_of
from etcdsize.base.json_text import documents
from etcdsize.base.model import Model, NotNegative
from etcdsize.base.text import decoded, shortened, shown
from etcdsize.base.yaml_text import yaml_documents
from etcdsize.errors import OptionError, TableError, UnitError
from etcdsize.etcd.urls import endpoints_of
from etcdsize.printable import HIDDEN
from etcdsize.units import parse_count

__all__ = ["ClusterTargets", "clusters_of", "join_targets", "joined", "read_targets"]

_EXPECTED = 'a list such as [{"targets": ["10.0.0.1:2379"], "labels": {"cluster": "orders"}}]'
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# A list of mappings, after comments and the start of a document; the first may have an anchor. No two repetitions in a
# row match the same character: the time is linear.
_YAML = re.compile(
    r"\ufeff?(?:[ \t]*(?:#[^\n]*|---[^\n]*)?\r?\n)*[ \t]*"
    r"(?:-[ \t\r\n]+(?:(?:#[^\n]*\n|&\S+(?=\s))[ \t\r\n]*)*(?:\{[ \t\r\n]*)?['\"\w]+[ \t]*:|\[\s*\{\s*\w+\s*:)"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class ClusterTargets(Model):
    """One cluster to observe."""

    endpoints: Annotated[
        tuple[str, ...], Field(description="The client URLs of its members. Empty only if there is a problem.")
    ]
    labels: Annotated[dict[str, str], Field(description="Its labels, except those that begin with __.")]
    clients: Annotated[NotNegative | None, Field(description="Its clients, if a label gives them. [count]")] = None
    problem: Annotated[str | None, Field(description="What is wrong with its part of the file.")] = None

    @model_validator(mode="after")
    def _check(self) -> ClusterTargets:
        if not self.endpoints and self.problem is None:
            raise TableError("got none, expected at least one", field="endpoints")
        return self


def clusters_of(targets: object) -> list[ClusterTargets]:
    """Return the elements of an iterable, each of which has to be a cluster."""
    clusters = list_of("targets", targets)
    for one in clusters:
        if not isinstance(one, ClusterTargets):
            raise OptionError(f"targets: got {shown(one)}, expected a ClusterTargets", option="targets", value=one)
    return clusters


def read_targets(source: object, *, secure: bool = False) -> tuple[ClusterTargets, ...]:
    """Return the clusters of a file in the format of Prometheus' file-based service discovery.

    Groups with the same label `cluster` are one cluster; every other group is a cluster of its own. A group that is
    wrong is a problem of its own cluster: the others can be observed all the same.

    Parameters
    ----------
    source : str, bytes or list
        Text in JSON or YAML, which may hold several documents, or parsed JSON. In YAML, every value is text, as it is
        to Prometheus.
    secure : bool
        Whether targets without the label `__scheme__` are `https://`.

    Raises
    ------
    TableError
        If it is not such a list, or has no cluster without a problem; the message names row and field.
    MissingDependencyError
        For YAML without pyyaml, which the extra `observe` installs.

    Examples
    --------
    >>> (cluster,) = read_targets('[{"targets": ["10.0.0.1:2379"], "labels": {"cluster": "orders", "clients": "300"}}]')
    >>> cluster.endpoints, cluster.labels, cluster.clients
    (('http://10.0.0.1:2379',), {'cluster': 'orders', 'clients': '300'}, 300)
    """
    return join_targets({"": source}, secure=secure)


def join_targets(sources: Mapping[str, object], *, secure: bool = False) -> tuple[ClusterTargets, ...]:
    """Return the clusters of several files, as `read_targets` does of one: groups of a cluster may be in any of them.

    Parameters
    ----------
    sources : mapping
        The name of a file -> its content. Messages name it, unless it is empty.
    secure : bool
        As for `read_targets`.
    """
    clusters: dict[object, _Cluster] = {}
    errors = []
    number = 0
    for name, source in sources.items():
        try:
            groups = _groups(source)
        except TableError as error:
            raise _of_file(name, error) from None
        for row, fields in enumerate(groups, 1):
            number += 1
            labels = _usable_labels(fields)
            cluster = clusters.setdefault(labels.get("cluster") or number, _Cluster())
            cluster.add_labels(labels)
            try:
                cluster.add(row, *_group(fields, row, secure=secure))
            except TableError as error:
                errors.append(_of_file(name, error))
                cluster.problems.append(str(errors[-1]))
    if all(cluster.problems for cluster in clusters.values()):
        raise errors[0]
    return tuple(cluster.targets() for cluster in clusters.values())


def _of_file(name: str, error: TableError) -> TableError:
    if not name:
        return error
    return TableError(f"{name}: {error}", file=name, row=error.row, field=error.field)


def _groups(source: object) -> list[Any]:
    """Return the groups in all documents of a text."""
    try:
        found = documents(source)
    except TableError:
        text = source
        if isinstance(source, (bytes, bytearray)):
            with contextlib.suppress(UnicodeDecodeError):
                text = decoded(bytes(source))
        if not isinstance(text, str) or _YAML.match(text) is None:
            raise
        found = yaml_documents(text)
    for document in found or [None]:
        if not isinstance(document, list) or not document:
            raise TableError(f"got {_shown(document if found else source)}, expected {_EXPECTED}")
    return [group for document in found for group in document]


def joined(clusters: Sequence[ClusterTargets]) -> ClusterTargets:
    """Return the cluster that several of the targets are, as their members know one another."""
    found = _Cluster()
    for one in clusters:
        found.add_labels(one.labels)
        if one.problem is not None:
            found.problems.append(one.problem)
    numbers = {one.clients for one in clusters if one.clients is not None}
    if len(numbers) > 1:
        found.problems.append("labels.clients: differs between groups of one cluster; give the same number in each")
    return ClusterTargets(
        endpoints=tuple(dict.fromkeys(url for one in clusters for url in one.endpoints)),
        labels=found.labels,
        clients=numbers.pop() if len(numbers) == 1 else None,
        problem="; ".join(found.problems) or None,
    )


class _Cluster:
    """Collects the groups of one cluster."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._endpoints: dict[str, None] = {}
        self._labels: dict[str, dict[str, None]] = {}
        self._clients: float | None = None

    def add_labels(self, labels: Mapping[str, str]) -> None:
        """Add the labels of a group; labels that differ keep every value."""
        for name, value in labels.items():
            self._labels.setdefault(name, {})[value] = None

    def add(self, row: int, endpoints: Iterable[str], clients: float | None) -> None:
        """Add the members of a group."""
        self._endpoints.update(dict.fromkeys(endpoints))
        if clients is not None and self._clients not in (None, clients):
            _reject(
                row, "labels.clients", "differs from an earlier group of the same cluster; give the same number in each"
            )
        self._clients = clients if clients is not None else self._clients

    @property
    def labels(self) -> dict[str, str]:
        """The labels of all groups."""
        return {name: ";".join(values) for name, values in self._labels.items()}

    def targets(self) -> ClusterTargets:
        """Return the cluster."""
        return ClusterTargets(
            endpoints=tuple(self._endpoints),
            labels=self.labels,
            clients=self._clients,
            problem="; ".join(self.problems) or None,
        )


def _group(fields: Any, row: int, *, secure: bool) -> tuple[tuple[str, ...], float | None]:
    """Return the endpoints of a group, and its clients if a label gives them."""
    if not isinstance(fields, dict):
        _reject(row, None, f"got {_shown(fields)}, expected an object with targets")
    for name in fields:
        if name not in ("targets", "labels"):
            _reject(row, _named(name), "unknown field; expected targets and labels")
    targets, labels = fields.get("targets"), _labels(fields)
    if not isinstance(targets, list) or not targets:
        _reject(row, "targets", f'got {_shown(targets)}, expected a list such as ["10.0.0.1:2379"]')
    for number, one in enumerate(targets, 1):
        if not isinstance(one, str):
            _reject(row, "targets", f'got {_shown(one)} as target {number}, expected text such as "10.0.0.1:2379"')
    if not isinstance(labels, dict):
        _reject(row, "labels", f"got {_shown(labels)}, expected an object")
    for name, value in labels.items():
        if not _is_label(name, value):
            _reject(row, f"labels.{_named(name)}", f"got {_shown(value)}, expected a label name with a text value")
    scheme = labels.get("__scheme__", "https" if secure else "http")
    if scheme not in ("http", "https"):
        _reject(row, "labels.__scheme__", f"got {_shown(scheme)}, expected http or https")
    path = labels.get("__metrics_path__", "/metrics")
    if path != "/metrics":
        _reject(row, "labels.__metrics_path__", f"got {_shown(path)}, expected /metrics, where etcd serves them")
    try:
        endpoints = endpoints_of([one if "://" in one else f"{scheme}://{one}" for one in targets])
    except OptionError as error:
        _reject(row, "targets", str(error).removeprefix("endpoints: "))
    clients = None
    if "clients" in labels:
        try:
            clients = parse_count(labels["clients"])
        except UnitError as error:
            hidden = "@" in labels["clients"]
            _reject(row, "labels.clients", f"got {HIDDEN}, expected a count" if hidden else str(error))
    return endpoints, clients


def _shown(value: object) -> str:
    """Return a value as a message shows it, without what may be a URL with a password: other values only by type."""
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "[]"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("latin-1")
    # What has an @ may be a URL with a password.
    return HIDDEN if isinstance(value, str) and "@" in value else shown(value)


def _named(name: object) -> str:
    """Return the name of a field as a message shows it."""
    return HIDDEN if "@" in str(name) else shortened(str(name))


def _labels(fields: Mapping[str, Any]) -> Any:
    """Return the labels of a group, without those that are null."""
    labels = fields.get("labels") or {}
    return {name: value for name, value in labels.items() if value is not None} if isinstance(labels, dict) else labels


def _is_label(name: object, value: object) -> bool:
    """Return whether Prometheus accepts a label; half of a surrogate pair is not text."""
    return (
        isinstance(name, str)
        and _LABEL.fullmatch(name) is not None
        and isinstance(value, str)
        and not _SURROGATE.search(value)
    )


def _usable_labels(fields: Any) -> dict[str, str]:
    """Return the labels of a group that become columns."""
    labels = fields.get("labels") if isinstance(fields, dict) else None
    pairs = labels.items() if isinstance(labels, dict) else ()
    return {name: value for name, value in pairs if _is_label(name, value) and not name.startswith("__")}


def _reject(row: int, field: str | None, reason: str) -> NoReturn:
    raise TableError(f"row {row}{f', {field}' if field else ''}: {reason}", row=row, field=field)
