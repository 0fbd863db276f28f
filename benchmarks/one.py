"""How long does one answer take, warm?

- size: `etcdsize.size` of one workload, all providers, with notices: a whole `Sizing`.
- classify: `etcdsize.classify` of one workload: the tier's code alone.
- classify-1-row: the same for arrays of one element.
- size_fleet-10k: `etcdsize.size_fleet` of 10,000 clusters, microseconds for all of them.
- service-capacity-modeling: Netflix's package plans one ZooKeeper ensemble (`plan_certain`, us-east-1), its
  closest match to etcd. It does more: it finds the cheapest AWS machines and disks under a model of latency and cost.
  It does not model clients, etcd or other providers, and it sizes one cluster at a time. It is skipped if it is not
  installed.

Figures are the best of several repeats in microseconds per call, with each contender in a process of its own.
"""

from __future__ import annotations

import importlib.util
import json
from typing import Any

from benchmarks import harness

CONTENDERS = ("size", "classify", "classify-1-row", "size_fleet-10k", "service-capacity-modeling")


def prepare(name: str) -> Any:
    """Return the call to time, made ready."""
    import etcdsize

    if name == "size":
        return lambda: etcdsize.size(clients=300, requests_per_second=800, data_bytes=4e8)
    if name == "classify":
        return lambda: etcdsize.classify(300, 800, 4e8)
    import numpy as np

    if name == "classify-1-row":
        one = [np.array([load]) for load in (300.0, 800.0, 4e8)]
        return lambda: etcdsize.classify(*one)
    if name == "size_fleet-10k":
        from benchmarks.classify import columns

        many = columns(10_000)
        return lambda: etcdsize.size_fleet(*many, provider="aws")
    from service_capacity_modeling.capacity_planner import planner
    from service_capacity_modeling.interface import CapacityDesires, DataShape, QueryPattern, certain_int

    desires = CapacityDesires(
        service_tier=1,
        query_pattern=QueryPattern(
            estimated_read_per_second=certain_int(600), estimated_write_per_second=certain_int(200)
        ),
        data_shape=DataShape(estimated_state_size_gib=certain_int(1)),
    )
    return lambda: planner.plan_certain(model_name="org.netflix.zookeeper", region="us-east-1", desires=desires)


def contend(name: str, once: bool) -> dict[str, float]:
    """Time one contender in this process."""
    return {"microseconds": harness.best(prepare(name), repeats=5, once=once) * 1e6}


def show(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [", ".join(f"{name} {version}" for name, version in figures["machine"].items())]
    lines.append(f"{'':28}{'us/call':>10}   least to most of {figures['rounds']} rounds")
    for name, found in figures["contenders"].items():
        lines.append(f"{name:28}{found['median']:10.1f}   {found['least']:.1f} to {found['most']:.1f}")
    return "\n".join(lines)


def main() -> None:
    options = harness.arguments(__doc__ or "", once=True).parse_args()
    if options.contender:
        print(json.dumps(contend(options.contender, options.once)))
        return
    contenders = [
        name
        for name in CONTENDERS
        if name != "service-capacity-modeling" or importlib.util.find_spec("service_capacity_modeling")
    ]
    found = harness.measure("benchmarks.one", contenders, options.rounds, ["--once"] * options.once)
    figures = {
        "rounds": options.rounds,
        "machine": harness.machine(("etcdsize", "numpy", "pydantic", "service-capacity-modeling")),
        "contenders": {name: harness.spread([run["microseconds"] for run in runs]) for name, runs in found.items()},
    }
    harness.report(figures, options.json, show)


if __name__ == "__main__":
    main()
