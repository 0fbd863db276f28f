"""Metrics of a Kubernetes API server, written by the rules of each version; nobody here has a cluster to capture them.

The names and labels are those of kubernetes/apiserver `pkg/storage/etcd3/metrics/metrics.go` at v0.20.0, v0.24.0,
v0.28.0, v0.33.0, v0.36.0 and v0.37.0-beta.0 (read 2026-11-27).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

VERSIONS = ("1.20", "1.24", "1.28", "1.33", "1.36", "1.37")
STARTED = 1_795_580_685.02

OBJECTS = {
    "nodes": 40,
    "pods": 1200,
    "leases.coordination.k8s.io": 47,
    "secrets": 310,
    "deployments.apps": 130,
    "events": 900,
    "widgets.example.com": 70,
}
BYTES = {
    "nodes": 40 * 9000,
    "pods": 1200 * 8000,
    "leases.coordination.k8s.io": 47 * 525,
    "secrets": 310 * 1500,
    "deployments.apps": 130 * 3800,
    "events": -1,
    "widgets.example.com": 70 * 2500,
}
REQUESTS = {
    ("update", "leases.coordination.k8s.io"): 500_000,
    ("update", "pods"): 21_000,
    ("create", "pods"): 4000,
    ("delete", "pods"): 2800,
    ("create", "events"): 30_000,
    ("update", "nodes"): 40_000,
    ("get", "pods"): 9000,
    ("list", "secrets"): 700,
}


def api_server_page(
    version: str = "1.36",
    *,
    objects: Mapping[str, float | str] = OBJECTS,
    sizes: Mapping[str, float] = BYTES,
    requests: Mapping[tuple[str, str], float] = REQUESTS,
    received: Mapping[str, float] | None = None,
    files: Mapping[str, float] = {"etcd-0": 24_000_000},
    lists: Mapping[str, tuple[float, float]] | None = None,
    leases: tuple[float, float] | None = None,
    started: float = STARTED,
) -> str:
    """Return a page, in the order in which an API server writes it."""
    minor = int(version.partition(".")[2])
    lines: list[str] = ["# TYPE aggregator_discovery_aggregation_count_total counter"]
    lines += ["aggregator_discovery_aggregation_count_total 2"]
    if minor >= 34:
        lines += ["# TYPE apiserver_resource_objects gauge"]
        lines += [f"apiserver_resource_objects{{{_split(kind)}}} {count}" for kind, count in objects.items()]
        lines += ["# TYPE apiserver_resource_size_estimate_bytes gauge"]
        lines += [f"apiserver_resource_size_estimate_bytes{{{_split(kind)}}} {size}" for kind, size in sizes.items()]
    if minor >= 28 and received:
        lines += ["# TYPE apiserver_storage_events_received_total counter"]
        for kind, count in received.items():
            labels = _split(kind) if minor >= 34 else f'resource="{kind}"'
            lines += [f"apiserver_storage_events_received_total{{{labels}}} {count}"]
    lines += _lists(minor, lists or {})
    if minor >= 21:
        lines += ["# TYPE apiserver_storage_objects gauge"]
        lines += [f'apiserver_storage_objects{{resource="{kind}"}} {count}' for kind, count in objects.items()]
    if minor >= 28:
        label = "cluster" if minor == 28 else "storage_cluster_id"
        lines += ["# TYPE apiserver_storage_size_bytes gauge"]
        lines += [f'apiserver_storage_size_bytes{{{label}="{name}"}} {size}' for name, size in files.items()]
    else:
        lines += [f'etcd_db_total_size_in_bytes{{endpoint="{name}"}} {size}' for name, size in files.items()]
    if leases is not None:
        lines += ["# TYPE etcd_lease_object_counts histogram", f"etcd_lease_object_counts_sum {leases[1]}"]
        lines += [f"etcd_lease_object_counts_count {leases[0]}"]
    if minor <= 24:
        lines += ["# TYPE etcd_object_counts gauge"]
        lines += [f'etcd_object_counts{{resource="{kind}"}} {count}' for kind, count in objects.items()]
    lines += ["# TYPE etcd_request_duration_seconds histogram"]
    for (operation, kind), count in requests.items():
        labels = _request(minor, operation, kind)
        lines += [f'etcd_request_duration_seconds_bucket{{{labels},le="+Inf"}} {count}']
        lines += [f"etcd_request_duration_seconds_sum{{{labels}}} 12.5"]
        lines += [f"etcd_request_duration_seconds_count{{{labels}}} {count}"]
    if minor >= 28:
        lines += ["# TYPE etcd_requests_total counter"]
        lines += [
            f"etcd_requests_total{{{_request(minor, operation, kind)}}} {count}"
            for (operation, kind), count in requests.items()
        ]
    lines += ["# TYPE process_start_time_seconds gauge", f"process_start_time_seconds {started}"]
    lines += ["# TYPE workqueue_depth gauge", 'workqueue_depth{name="APIServiceRegistrationController"} 0']
    return "\n".join(lines) + "\n"


def _split(kind: str) -> str:
    resource, _, group = kind.partition(".")
    return f'group="{group}",resource="{resource}"'


def _request(minor: int, operation: str, kind: str) -> str:
    if minor >= 34:
        resource, _, group = kind.partition(".")
        return f'group="{group}",operation="{operation}",resource="{resource}"'
    if minor <= 25:
        kind = "*core." + kind.partition(".")[0].removesuffix("s").capitalize()
    return f'operation="{operation}",type="{kind}"'


def _lists(minor: int, lists: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    for name, index in (("fetched_objects_", 1), ("", 0)):
        for kind, counts in lists.items():
            labels = _split(kind) if minor >= 34 else f'resource="{kind}"'
            if minor >= 37:
                yield f'apiserver_storage_list_{name}total{{{labels},index="",storage="etcd"}} {counts[index]}'
                yield f'apiserver_storage_list_{name}total{{{labels},index="",storage="watchcache"}} 1e+09'
            else:
                yield f"apiserver_storage_list_{name}total{{{labels}}} {counts[index]}"
