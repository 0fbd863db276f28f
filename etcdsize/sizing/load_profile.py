"""The load of a sizing as the measured model sees it: a workload, a profile, or that of Kubernetes nodes."""

from typing import Any

from etcdsize.errors import InvalidWorkloadError
from etcdsize.resources.profile import Profile, with_fields
from etcdsize.workload import Workload

__all__ = ["KUBERNETES_HISTORY_SECONDS", "SHORTEST_HISTORY_SECONDS", "profile_for"]

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
    measured: dict[str, Any] = {}
    if workload is not None:
        measured = {name: getattr(workload, name) for name in workload.model_fields_set}
        measured = {name: value for name, value in measured.items() if value is not None}
    if kubernetes_nodes is not None:
        # Imported here because most loads are no clusters of Kubernetes.
        from etcdsize.resources.kubernetes import kubernetes_profile

        nodes = kubernetes_profile(kubernetes_nodes)
        if not measured:
            return nodes
        try:
            return with_fields(nodes, measured)
        except InvalidWorkloadError:
            pass
    return Profile(**measured, history_seconds=KUBERNETES_HISTORY_SECONDS)
