"""The tables of what the objects of Kubernetes take."""

from __future__ import annotations

from etcdsize.resources.amount import Amount
from etcdsize.resources.kubernetes_table import KubernetesKind, load_kubernetes
from pages.markdown import table


def kinds_table() -> str:
    """Return the kinds of objects, with their sizes and counts."""
    head = ["kind", "object, bytes", "key, bytes", "how many, if unknown", "source of the size"]
    rows = []
    for kind in load_kubernetes().kinds:
        rows.append([f"`{kind.name}`", _range(kind.value_bytes), _range(kind.key_bytes), _count(kind), kind.source])
    return table(head, rows)


def writes_table() -> str:
    """Return how often the objects that are assumed are written."""
    rows = []
    for kind in load_kubernetes().kinds:
        if kind.count_source is not None:
            per_start = "" if kind.writes_per_pod_start is None else _range(kind.writes_per_pod_start)
            per_day = "" if kind.writes_per_day is None else _range(kind.writes_per_day)
            rows.append([f"`{kind.name}`", per_start, per_day, kind.writes_source])
    return table(["kind", "writes when a pod starts", "writes of an object a day", "source"], rows)


def figures_table() -> str:
    """Return the figures that belong to no kind."""
    rows = [[f"`{one.name}`", _range(one.value), one.unit, one.source] for one in load_kubernetes().figures]
    return table(["figure", "value", "unit", "source"], rows)


def _range(amount: Amount) -> str:
    values = [f"{value:,.6g}" for value in (amount.low, amount.likely, amount.high)]
    return values[0] if amount.is_exact else " .. ".join(values)


def _count(kind: KubernetesKind) -> str:
    if kind.count_source is None:
        return "none"
    terms = []
    if kind.per_node is not None:
        terms.append(f"{_range(kind.per_node)} a node")
    if kind.per_pod is not None:
        terms.append(f"{_range(kind.per_pod)} a pod")
    if kind.fixed is not None:
        terms.append(_range(kind.fixed))
    return "; ".join([" and ".join(terms), kind.count_source]) if terms else kind.count_source
