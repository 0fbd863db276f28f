"""A plan as kubeadm's ClusterConfiguration, for API servers that use the cluster as an external etcd.

From Kubernetes' documentation of kubeadm.k8s.io/v1beta4, not run.
"""

from __future__ import annotations

import json

from etcdsize.plan.cluster import ClusterPlan

__all__ = ["render_kubeadm"]


def render_kubeadm(plan: ClusterPlan) -> str:
    """Return the etcd section of the configuration, with every member."""
    lines = [
        "apiVersion: kubeadm.k8s.io/v1beta4",
        "kind: ClusterConfiguration",
        "etcd:",
        "  external:",
        "    endpoints:",
        *(f"      - {_text(url)}" for url in plan.endpoints),
    ]
    if plan.tls is not None and plan.tls.client is not None:
        files = {
            "caFile": plan.tls.client.trusted_ca_file,
            "certFile": plan.tls.client_cert_file,
            "keyFile": plan.tls.client_key_file,
        }
        lines += [f"    {key}: {_text(path)}" for key, path in files.items() if path is not None]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
