"""The load that a Kubernetes cluster puts on etcd, from its nodes, its pods and its objects.

What is not given is taken from the table of `kubernetes_table`, and every such figure is an assumption with its source.
"""

from collections.abc import Mapping

from etcdsize.base.checks import count_of, number_of, true_or_false
from etcdsize.base.text import shown
from etcdsize.errors import OptionError
from etcdsize.resources.amount import AmountInput
from etcdsize.resources.kubernetes_cluster import cluster_profile
from etcdsize.resources.kubernetes_objects import amount_of, objects_of
from etcdsize.resources.profile import Profile

__all__ = ["kubernetes_profile"]


def kubernetes_profile(
    nodes: AmountInput,
    pods: AmountInput | None = None,
    objects: Mapping[str, AmountInput | Mapping[str, AmountInput]] | None = None,
    *,
    apiservers: int = 3,
    events: bool = True,
    rollout_seconds: float | None = None,
) -> Profile:
    """Return the load of a Kubernetes cluster.

    Every count may be a number, or a range such as `"200..900"` or `"200..400..900"`: low, likely and high.

    Parameters
    ----------
    nodes : number, str or Amount
        Nodes. [count]
    pods : number, str or Amount, optional
        Pods. [count] Without it, 10 to 110 a node, 30 likely.
    objects : mapping, optional
        Kind of objects -> their number. [count] A kind is the plural name, with or without its group: `"secrets"`,
        `"deployments.apps"`. What the table of kinds does not know needs its size: `{"widgets.example.com": {"count":
        4000, "value_bytes": "3kB"}}`. Such a mapping may also have `key_bytes` and `writes_per_second`, for any kind;
        what it lacks, and kinds that are not named, are assumed.
    apiservers : int
        API servers. [count] Each has a connection and a watch for each resource.
    events : bool
        Whether this etcd stores events. False if they have an etcd of their own.
    rollout_seconds : float, optional
        The time in which all pods are replaced, for the load meanwhile. [s] Without it, a pod is replaced once a day.

    Returns
    -------
    Profile
        Its `assumptions` list what was not given, each with its source.

    Raises
    ------
    OptionError
        For a count that is none, an unknown kind without its size, or a number of pods or nodes among the objects.

    Examples
    --------
    >>> profile = kubernetes_profile(1000, 30_000, {"secrets": 4000, "widgets.example.com": {"count": 200,
    ...     "value_bytes": "3kB"}})
    >>> for kind in profile.objects:
    ...     if kind.name in ("pods", "secrets", "widgets.example.com"):
    ...         print(kind.name, kind.count.likely, kind.value_bytes.likely)
    pods 30000.0 10300.0
    secrets 4000.0 2000.0
    widgets.example.com 200.0 3000.0

    References
    ----------
    Every default has its source in `etcdsize/data/resources/kubernetes.json`; docs/kubernetes-load.md lists them.
    """
    given = objects_of(objects)
    return cluster_profile(
        nodes=amount_of("nodes", nodes, "count"),
        pods=None if pods is None else amount_of("pods", pods, "count"),
        given=given,
        apiservers=count_of("apiservers", apiservers),
        events=true_or_false("events", events),
        rollout_seconds=_rollout(rollout_seconds),
    )


def _rollout(seconds: object) -> float | None:
    if seconds is None:
        return None
    option = "rollout_seconds"
    number = float(number_of(option, seconds))
    if number < 1:
        raise OptionError(f"{option}: got {shown(seconds)}, expected at least a second", option=option, value=seconds)
    return number
