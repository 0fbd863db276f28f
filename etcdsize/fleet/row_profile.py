"""The load of one row of a fleet as a profile, from which the single answer follows."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from etcdsize.errors import EtcdSizeError, InvalidWorkloadError
from etcdsize.resources.kubernetes import kubernetes_profile
from etcdsize.resources.profile import Profile, with_fields
from etcdsize.sizing.load_profile import KUBERNETES_HISTORY_SECONDS
from etcdsize.units import DIMENSIONS

__all__ = ["BESIDE_NODES", "profile_of"]

BESIDE_NODES = {*DIMENSIONS, "tls"}
"""The figures beside which the nodes of a Kubernetes cluster still say what it holds and does."""


def profile_of(figures: Mapping[str, float]) -> Profile:
    """Return the load of one cluster of a fleet, from what is known of it.

    Nodes and pods count where nothing else is known but TLS, and clients, requests and data that agree with them.
    Otherwise they only say that an API server compacts.

    Raises
    ------
    InvalidWorkloadError
        For a figure that is none, and for figures that contradict each other.
    """
    load: dict[str, Any] = dict(figures)
    nodes, pods = load.pop("kubernetes_nodes", None), load.pop("pods", None)
    if load.get("tls") in (0, 1):
        load["tls"] = bool(load["tls"])
    if nodes is None:
        if pods is not None:
            raise InvalidWorkloadError(
                f"pods: got {pods:g}, expected kubernetes_nodes as well", dimension="pods", value=pods
            )
        return Profile(**load)
    try:
        cluster = kubernetes_profile(nodes, pods)
    except EtcdSizeError as error:
        raise InvalidWorkloadError(
            error.message.replace("nodes:", "kubernetes_nodes:", 1), dimension="kubernetes_nodes", value=nodes
        ) from None
    if not load:
        return cluster
    if set(load) <= BESIDE_NODES:
        # What was measured counts before what nodes suggest.
        with contextlib.suppress(InvalidWorkloadError):
            return with_fields(cluster, load)
    return Profile(**{"history_seconds": KUBERNETES_HISTORY_SECONDS, **load})
