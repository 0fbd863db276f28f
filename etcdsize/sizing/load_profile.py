"""The load of a sizing as the measured model sees it: a workload, a profile, or that of Kubernetes nodes."""

import contextlib
from typing import Any

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.errors import InvalidWorkloadError
from etcdsize.resources.profile import Profile, with_fields
from etcdsize.workload import Workload

__all__ = ["KUBERNETES_HISTORY_SECONDS", "SHORTEST_HISTORY_SECONDS", "nodes_left_out", "profile_for"]

NODES_LEFT_OUT = NoticeKind("nodes-left-out", "warning", "our choice")

KUBERNETES_HISTORY_SECONDS = 600
"""kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go: every five minutes, to the
revision of five minutes before. [s]"""
SHORTEST_HISTORY_SECONDS = 120
"""What the shortest retention that our settings choose, a minute, keeps of the history: up to twice as much. [s]"""


def profile_for(workload: Workload | None, kubernetes_nodes: int | None, kubernetes: bool = False) -> Workload:
    """Return the load with everything that is known of it.

    What was measured counts before what nodes suggest: where the two contradict each other, the nodes only say that an
    API server compacts, as `kubernetes` does. A profile is taken as it is, but for a history that is shorter than etcd
    keeps with our settings: a quota for less would be too small.
    """
    by_server = kubernetes or kubernetes_nodes is not None
    if isinstance(workload, Profile):
        history = workload.history_seconds
        if history is None or history.high >= SHORTEST_HISTORY_SECONDS or by_server:
            return workload
        return with_fields(workload, {"history_seconds": SHORTEST_HISTORY_SECONDS})
    if workload is not None and not by_server:
        return workload
    measured = _measured(workload)
    if kubernetes_nodes is not None:
        nodes = _nodes_profile(kubernetes_nodes)
        if not measured:
            return nodes
        with contextlib.suppress(InvalidWorkloadError):
            return with_fields(nodes, measured)
    return Profile(**measured, history_seconds=KUBERNETES_HISTORY_SECONDS)


def nodes_left_out(workload: Workload | None, kubernetes_nodes: int | None) -> Notice | None:
    """Return the notice that a load contradicts what nodes suggest, so that `profile_for` leaves the nodes out."""
    measured = _measured(workload)
    if kubernetes_nodes is None or isinstance(workload, Profile) or not measured:
        return None
    try:
        with_fields(_nodes_profile(kubernetes_nodes), measured)
    except InvalidWorkloadError as error:
        nodes = "node" if kubernetes_nodes == 1 else "nodes"
        return NODES_LEFT_OUT(
            f"A cluster of {kubernetes_nodes} Kubernetes {nodes} does not explain the load, so the model leaves the "
            f"nodes out: {error}."
        )
    return None


def _measured(workload: Workload | None) -> dict[str, Any]:
    """Return the fields of a load that are known."""
    fields = () if workload is None else workload.model_fields_set
    return {name: value for name in fields if (value := getattr(workload, name)) is not None}


def _nodes_profile(nodes: int) -> Profile:
    # Imported here because most loads are no clusters of Kubernetes.
    from etcdsize.resources.kubernetes import kubernetes_profile

    return kubernetes_profile(nodes)
