"""How fast is a fleet classified, beside what a reader would try instead, and beside the memory itself?

Three float64 columns, seeded, log-uniform over all four tiers. Every contender gets the same arrays and gives uint8
codes; they agree with the guide's rule on every row before anything is timed. `etcdsize` checks every value for NaN,
infinity and negatives in the same pass; the others check nothing. Extra memory is what NumPy allocates at most,
besides the output, in a call of its own.

- etcdsize, etcdsize-1-thread: `classify`, with as many threads as it picks, and with one.
- numpy.select: the rule as conditions, the way it is usually written.
- numpy.digitize: one call a dimension, then the maximum.
- memory: one pass over the three columns (`numpy.maximum.reduce` of each): no contender can be faster than reading.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import harness

CONTENDERS = ("etcdsize", "etcdsize-1-thread", "numpy.select", "numpy.digitize", "memory")
REPEATS = 5


def columns(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return clients, requests per second and data: log-uniform, so that every tier is met."""
    random = np.random.default_rng(20261123)
    return (
        10 ** random.uniform(0.5, 3.7, rows),
        10 ** random.uniform(0.5, 4.5, rows),
        10 ** random.uniform(6, 9.5, rows),
    )


def etcdsize(clients: Any, requests: Any, data: Any) -> Any:
    from etcdsize import classify

    return classify(clients, requests, data)


def etcdsize_1_thread(clients: Any, requests: Any, data: Any) -> Any:
    from etcdsize import classify

    return classify(clients, requests, data, threads=1)


def numpy_select(clients: Any, requests: Any, data: Any) -> Any:
    conditions = [
        (clients <= 100) & (requests < 200) & (data <= 100e6),
        (clients <= 500) & (requests < 1000) & (data <= 500e6),
        (clients <= 1500) & (requests < 10_000) & (data <= 1e9),
    ]
    return np.select(conditions, [np.uint8(0), np.uint8(1), np.uint8(2)], np.uint8(3))


def numpy_digitize(clients: Any, requests: Any, data: Any) -> Any:
    return np.maximum(
        np.maximum(np.digitize(clients, [100, 500, 1500], right=True), np.digitize(requests, [200, 1000, 10_000])),
        np.digitize(data, [100e6, 500e6, 1e9], right=True),
    ).astype(np.uint8)


def memory(clients: Any, requests: Any, data: Any) -> Any:
    for column in (clients, requests, data):
        np.maximum.reduce(column)
    return None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "etcdsize": etcdsize,
    "etcdsize-1-thread": etcdsize_1_thread,
    "numpy.select": numpy_select,
    "numpy.digitize": numpy_digitize,
    "memory": memory,
}


def contend(name: str, rows: int) -> dict[str, float]:
    """Time one contender in this process: the best of some repeats, after one that does not count."""
    loads = columns(rows)
    contender = FUNCTIONS[name]
    contender(*(load[:1000] for load in loads))
    tracemalloc.start()
    codes = contender(*loads)
    peak = tracemalloc.get_traced_memory()[1] - (0 if codes is None else codes.nbytes)
    tracemalloc.stop()
    if codes is not None:
        np.testing.assert_array_equal(codes, numpy_select(*loads))
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        contender(*loads)
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "extra_mb": peak / 1e6}


def show(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [", ".join(f"{name} {version}" for name, version in figures["machine"].items())]
    lines.append(f"{figures['rows']} rows of three float64 columns, {figures['rounds']} rounds")
    lines.append(f"{'':20}{'ns/row':>10}{'Mrows/s':>10}{'extra MB':>10}   etcdsize is faster by (least to most)")
    for name, found in figures["contenders"].items():
        ratio = found["ratio"]
        lines.append(
            f"{name:20}{found['ns_per_row']:10.2f}{1000 / found['ns_per_row']:10.0f}{found['extra_mb']:10.1f}"
            f"   {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['most']:.2f})"
        )
    return "\n".join(lines)


def main() -> None:
    parser = harness.arguments(__doc__ or "", rows=10_000_000)
    options = parser.parse_args()
    if options.contender:
        print(json.dumps(contend(options.contender, options.rows)))
        return
    found = harness.measure("benchmarks.classify", CONTENDERS, options.rounds, ["--rows", str(options.rows)])
    ours = [run["seconds"] for run in found["etcdsize"]]
    figures = {
        "rows": options.rows,
        "rounds": options.rounds,
        "machine": harness.machine(("etcdsize", "numpy")),
        "contenders": {
            name: {
                "ns_per_row": min(run["seconds"] for run in runs) / options.rows * 1e9,
                "extra_mb": max(run["extra_mb"] for run in runs),
                "ratio": harness.spread(harness.ratios([run["seconds"] for run in runs], ours)),
            }
            for name, runs in found.items()
        },
    }
    harness.report(figures, options.json, show)


if __name__ == "__main__":
    main()
