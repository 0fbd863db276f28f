"""What the objects of Kubernetes take in etcd, and how often they are written: the rows of a data file."""

import functools
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from etcdsize.base.model import Date, Model, Name, read_table
from etcdsize.base.text import shown
from etcdsize.errors import TableError
from etcdsize.resources.amount import Amount

__all__ = [
    *("EVENTS", "LEASES", "NODES", "OTHERS", "PODS"),
    *("KubernetesFigure", "KubernetesKind", "KubernetesTable", "load_kubernetes", "read_kubernetes"),
]

EVENTS, LEASES, NODES, PODS = "events", "leases.coordination.k8s.io", "nodes", "pods"
OTHERS = "others"
"""The row of all built-in objects that have no row with a count of their own."""

_Text = Annotated[str, Field(min_length=1)]

_FILE = Path(__file__).parents[1] / "data" / "resources" / "kubernetes.json"


class KubernetesKind(Model):
    """A kind of objects: how large they are, how many there are if nothing is known, and how often they are written."""

    name: Annotated[Name, Field(description='The plural name and the group, such as "deployments.apps".')]
    key_bytes: Annotated[Amount, Field(description="The key. [bytes]")]
    value_bytes: Annotated[Amount, Field(description="The object as it is stored. [bytes]")]
    source: Annotated[_Text, Field(description="The source of the size.")]
    per_node: Annotated[Amount | None, Field(description="Objects for each node. [count]")] = None
    per_pod: Annotated[Amount | None, Field(description="Objects for each pod. [count]")] = None
    fixed: Annotated[Amount | None, Field(description="Objects that every cluster has. [count]")] = None
    count_source: Annotated[
        _Text | None, Field(description="The source of the count. None: the kind is not assumed, it is only counted.")
    ] = None
    writes_per_pod_start: Annotated[Amount | None, Field(description="Writes for each pod that starts. [count]")] = None
    writes_per_day: Annotated[
        Amount | None, Field(description="Writes of each object a day. None: as many as of any object. [1/day]")
    ] = None
    writes_source: Annotated[_Text, Field(description="The source of the writes.")]
    date: Annotated[Date, Field(description="When the sources were read.")]

    @property
    def short_name(self) -> str:
        """The name without the group."""
        return self.name.partition(".")[0]


class KubernetesFigure(Model):
    """A figure that is no property of one kind."""

    name: Name
    value: Amount
    unit: Name
    source: _Text
    date: Date


class KubernetesTable(Model):
    """Every default of `kubernetes_profile`, each with its source."""

    date: Annotated[Date, Field(description="When the table was made.")]
    kinds: Annotated[tuple[KubernetesKind, ...], Field(min_length=1)]
    figures: Annotated[tuple[KubernetesFigure, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> "KubernetesTable":
        seen: set[str] = set()
        names = [kind.name for kind in self.kinds] + [figure.name for figure in self.figures]
        for row, name in enumerate(names, 1):
            if name in seen:
                raise TableError(f"{shown(name)} is listed more than once", row=row, field="name")
            seen.add(name)
        return self

    @functools.cached_property
    def kinds_by_name(self) -> dict[str, KubernetesKind]:
        """The kinds by their names, with and without the group."""
        return {kind.short_name: kind for kind in self.kinds} | {kind.name: kind for kind in self.kinds}

    @functools.cached_property
    def figures_by_name(self) -> dict[str, KubernetesFigure]:
        """The figures by their names."""
        return {figure.name: figure for figure in self.figures}


def load_kubernetes() -> KubernetesTable:
    """Return the built-in table.

    Examples
    --------
    >>> table = load_kubernetes()
    >>> table.kinds_by_name["deployments"].name, table.figures_by_name["list_page"].value.likely
    ('deployments.apps', 10000.0)
    """
    return _built_in()


@functools.cache
def _built_in() -> KubernetesTable:
    return read_kubernetes(_FILE)


def read_kubernetes(file: Path) -> KubernetesTable:
    """Return the table in a file.

    Raises
    ------
    TableError
        If it cannot be read. The message names the file, the row and the field.
    """
    return read_table(KubernetesTable, file)
