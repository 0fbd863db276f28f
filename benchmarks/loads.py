"""How long does it take to say what the loads of a fleet take, by the measured model?

- further: `fleet_resources` of clients, keys, value_bytes, writes_per_second and watchers; keys and writes are unknown
  in every fifth row.
- dimensions: of clients, requests_per_second and data_bytes alone.
- kubernetes: of Kubernetes clusters by nodes and pods, each with thirteen kinds of objects.
- loop: `resources_for` of the first two hundred rows of `further`, one after the other. It answers more: every figure
  with its range, and notices.

The arrays are worked on by two threads. Figures are the best of some repeats, of the clock and of the processor; each
contender in a process of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks import harness

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONTENDERS = {
    "further": ("clients", "keys", "value_bytes", "writes_per_second", "watchers"),
    "dimensions": ("clients", "requests_per_second", "data_bytes"),
    "kubernetes": ("kubernetes_nodes", "pods"),
    "loop": ("clients", "keys", "value_bytes", "writes_per_second", "watchers"),
}
LOOP_ROWS = 200
THREADS = 2


def columns(names: tuple[str, ...], rows: int) -> dict[str, NDArray[np.float64]]:
    """Return seeded columns of loads."""
    import numpy as np

    random = np.random.default_rng(20261127)

    def some(column: Any) -> Any:
        return np.where(random.random(rows) < 0.2, np.nan, column)

    makers: dict[str, Callable[[], Any]] = {
        "clients": lambda: random.integers(1, 2000, rows),
        "requests_per_second": lambda: random.uniform(600, 6000, rows),
        "data_bytes": lambda: random.uniform(1e6, 4e9, rows),
        "keys": lambda: some(random.integers(1000, 10**6, rows)),
        "value_bytes": lambda: random.uniform(10, 20_000, rows),
        "writes_per_second": lambda: some(random.uniform(0, 500, rows)),
        "watchers": lambda: random.integers(0, 5000, rows),
        "kubernetes_nodes": lambda: random.integers(1, 5000, rows),
        "pods": lambda: random.integers(1, 150_000, rows),
    }
    return {name: makers[name]() for name in names}


def prepare(name: str, rows: int) -> Callable[[], Any]:
    """Return the call to time, made ready."""
    import numpy as np

    from etcdsize import Profile, fleet_resources, resources_for

    loads = columns(CONTENDERS[name], rows)
    if name != "loop":
        return lambda: fleet_resources(**loads, threads=THREADS)
    listed = [
        {field: float(column[row]) for field, column in loads.items() if not np.isnan(column[row])}
        for row in range(min(LOOP_ROWS, rows))
    ]

    def loop() -> list[int]:
        return [resources_for(Profile(**load)).quota_bytes for load in listed]

    part = fleet_resources(**{field: column[: len(listed)] for field, column in loads.items()})
    assert loop() == part.need.quota_bytes.tolist(), "the loop and the arrays differ"
    return loop


def contend(name: str, rows: int) -> dict[str, float]:
    """Time one contender in this process."""
    call = prepare(name, rows)
    clock, processor = [], []
    for _ in range(3):
        before = time.perf_counter(), time.process_time()
        call()
        clock.append(time.perf_counter() - before[0])
        processor.append(time.process_time() - before[1])
    done = min(LOOP_ROWS, rows) if name == "loop" else rows
    return {"ns_per_row": min(clock) / done * 1e9, "processor_ns_per_row": min(processor) / done * 1e9}


def show(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [", ".join(f"{name} {version}" for name, version in figures["machine"].items())]
    lines.append(f"{'':12}{'ns/row':>12}{'processor':>12}   least to most of {figures['rounds']} rounds")
    for name, found in figures["contenders"].items():
        clock, processor = found["ns_per_row"], found["processor_ns_per_row"]
        spread = f"{clock['least']:.1f} to {clock['most']:.1f}"
        lines.append(f"{name:12}{clock['median']:12.1f}{processor['median']:12.1f}   {spread}")
    return "\n".join(lines)


def main() -> None:
    parser = harness.arguments(__doc__ or "", rows=10_000_000)
    parser.add_argument("--only", action="append", choices=tuple(CONTENDERS), help="run this alone; may be repeated")
    options = parser.parse_args()
    if options.contender:
        print(json.dumps(contend(options.contender, options.rows)))
        return
    names = options.only or tuple(CONTENDERS)
    found = harness.measure("benchmarks.loads", names, options.rounds, ["--rows", str(options.rows)])
    figures = {
        "rows": options.rows,
        "rounds": options.rounds,
        "machine": harness.machine(("etcdsize", "numpy", "pydantic")),
        "contenders": {
            name: {field: harness.spread([run[field] for run in runs]) for field in runs[0]}
            for name, runs in found.items()
        },
    }
    harness.report(figures, options.json, show)


if __name__ == "__main__":
    main()
