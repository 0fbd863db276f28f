"""Read a column with the number of nodes of the Kubernetes cluster that etcd serves."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from etcdsize.base.text import Suggestions
from etcdsize.batches.cells import CellRules
from etcdsize.batches.columns import Source
from etcdsize.batches.loads import numbers
from etcdsize.fleet.nodes import KubernetesNodes
from etcdsize.tiers import TierTable

__all__ = ["read_nodes"]


def read_nodes(
    column: pa.Array,
    source: Source,
    tiers: TierTable,
    cells: CellRules,
    suggestions: Suggestions,
    problems: dict[int, list[str]],
) -> KubernetesNodes:
    """Return the nodes of every row, and add the problem of each row whose number is none of nodes.

    A missing number is no problem: not every etcd serves Kubernetes.
    """
    load = numbers(column, "clients", source, cells, suggestions)
    for row, problem in load.problems.items():
        problems.setdefault(row, []).append(problem)
    values = load.values
    if values.dtype.kind != "u":
        wrong = values < 0
        if values.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                wrong = ~((values >= 0) & (values < 2**64) & (values == np.floor(values)))
        if load.missing is not None:
            wrong &= ~load.missing
        if wrong.any():
            for row in np.flatnonzero(wrong).tolist():
                problems.setdefault(row, []).append(
                    f"{source.name}: got {values[row]}, expected a whole number of 0 or more"
                )
            values = np.where(wrong, 0, values)
    return KubernetesNodes(values, load.missing, tiers)
