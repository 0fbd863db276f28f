"""How fast is a fleet classified, compared with the alternatives and with memory bandwidth?

Three float64 columns, seeded, log-uniform over all four tiers. Every contender gets the same arrays and must
return the same tiers for every row before anything is timed. `etcdsize` checks every value for NaN, infinity and
negative numbers in the same pass; the others check nothing. Extra memory is the peak of NumPy's allocations besides the
output, in a separate call (0 if another allocator is used).

- etcdsize, etcdsize-1-thread: `classify`, with the number of threads that it chooses, and with one.
- etcdsize-DTYPE: the same loads in columns of that dtype.
- numpy.select: the rule as conditions, the way it is usually written.
- numpy.digitize: one call per dimension, then the maximum.
- pandas.cut: one call per dimension, then the maximum of the codes.
- polars: `when/then` on a data frame made before, two threads.
- duckdb: `CASE` on the same frame through Arrow, two threads, tiers back as NumPy.
- numba: a fused, compiled, parallel loop without validation: the stand-in for one pass over the memory.
- memory: `numpy.maximum.reduce` of each column, one thread.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks import harness

DTYPES = ("int64", "int32", "uint32", "float32")
CONTENDERS = (
    *("etcdsize", "etcdsize-1-thread", *(f"etcdsize-{dtype}" for dtype in DTYPES)),
    *("numpy.select", "numpy.digitize", "pandas.cut", "polars", "duckdb", "numba", "memory"),
)
NEEDS = {"pandas.cut": "pandas", "polars": "polars", "duckdb": "duckdb", "numba": "numba"}
REPEATS = 7


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


def pandas_cut(clients: Any, requests: Any, data: Any) -> Any:
    import pandas as pd

    last = float("inf")
    return np.maximum(
        np.maximum(
            pd.cut(clients, [-1, 100, 500, 1500, last], labels=False),
            pd.cut(requests, [0, 200, 1000, 10_000, last], labels=False, right=False),
        ),
        pd.cut(data, [-1, 100e6, 500e6, 1e9, last], labels=False),
    )


def polars(clients: Any, requests: Any, data: Any) -> Callable[[], Any]:
    import polars as pl

    frame = pl.DataFrame({"clients": clients, "requests": requests, "data": data})
    c, r, d = pl.col("clients"), pl.col("requests"), pl.col("data")
    tier = (
        pl.when((c <= 100) & (r < 200) & (d <= 100e6))
        .then(pl.lit(0, pl.UInt8))
        .when((c <= 500) & (r < 1000) & (d <= 500e6))
        .then(pl.lit(1, pl.UInt8))
        .when((c <= 1500) & (r < 10_000) & (d <= 1e9))
        .then(pl.lit(2, pl.UInt8))
        .otherwise(pl.lit(3, pl.UInt8))
    )
    return lambda: frame.select(tier.alias("tier"))["tier"].to_numpy()


def duckdb(clients: Any, requests: Any, data: Any) -> Callable[[], Any]:
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect()
    connection.execute("set threads = 2")
    connection.register("fleet", pa.table({"clients": clients, "requests": requests, "data": data}))
    query = """select (case when clients <= 100 and requests < 200 and data <= 100e6 then 0
        when clients <= 500 and requests < 1000 and data <= 500e6 then 1
        when clients <= 1500 and requests < 10000 and data <= 1e9 then 2 else 3 end)::utinyint as tier from fleet"""
    return lambda: connection.sql(query).fetchnumpy()["tier"]


def numba(clients: Any, requests: Any, data: Any) -> Callable[[], Any]:
    import numba

    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))

    @numba.njit(parallel=True)
    def loop(clients: Any, requests: Any, data: Any, out: Any) -> None:
        for i in numba.prange(len(clients)):
            c, r, d = clients[i], requests[i], data[i]
            out[i] = (
                np.uint8((c > 100) | (r >= 200) | (d > 100e6))
                + np.uint8((c > 500) | (r >= 1000) | (d > 500e6))
                + np.uint8((c > 1500) | (r >= 10_000) | (d > 1e9))
            )

    def call() -> Any:
        out = np.empty(len(clients), np.uint8)
        loop(clients, requests, data, out)
        return out

    return call


PREPARED = {"polars": polars, "duckdb": duckdb, "numba": numba}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "etcdsize-1-thread": etcdsize_1_thread,
    "numpy.select": numpy_select,
    "numpy.digitize": numpy_digitize,
    "pandas.cut": pandas_cut,
    "memory": memory,
}


def prepared(name: str, loads: Any) -> Callable[[], Any]:
    """Return the call to time; what only it needs is made before."""
    if name in PREPARED:
        return PREPARED[name](*loads)
    function = FUNCTIONS.get(name, etcdsize)
    return lambda: function(*loads)


def contend(name: str, rows: int) -> dict[str, float]:
    """Time one contender in this process: the best of some repeats, after one that does not count."""
    loads = columns(rows)
    dtype = name.removeprefix("etcdsize-")
    if dtype in DTYPES:
        # Clipped to what an int32 holds, so that no load changes its tier.
        loads = tuple(np.minimum(load, 2e9).astype(dtype) for load in loads)  # type: ignore[assignment]
    prepared(name, [load[:1000] for load in loads])()
    call = prepared(name, loads)
    tracemalloc.start()
    codes = call()
    peak = tracemalloc.get_traced_memory()[1] - (0 if codes is None else codes.nbytes)
    tracemalloc.stop()
    if codes is not None:
        np.testing.assert_array_equal(codes, numpy_select(*loads))
    codes = None
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "extra_mb": max(peak, 0) / 1e6}


def show(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [", ".join(f"{name} {version}" for name, version in figures["machine"].items())]
    lines.append(f"{figures['rows']} rows of three columns, float64 unless named, {figures['rounds']} rounds")
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
    parser.add_argument("--only", action="append", choices=CONTENDERS, help="run this contender only; may be repeated")
    options = parser.parse_args()
    if options.contender:
        print(json.dumps(contend(options.contender, options.rows)))
        return
    figures = run(options.rows, options.rounds, options.only)
    harness.report(figures, options.json, show)


def run(rows: int, rounds: int, only: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the figures of every contender that is installed."""
    contenders = [name for name in only or CONTENDERS if find_spec(NEEDS.get(name, "numpy"))]
    found = harness.measure("benchmarks.classify", contenders, rounds, ["--rows", str(rows)])
    ours = [run["seconds"] for run in found[contenders[0]]]
    return {
        "rows": rows,
        "rounds": rounds,
        "machine": harness.machine(("etcdsize", "numpy", "polars", "duckdb", "pandas", "numba")),
        "contenders": {
            name: {
                "ns_per_row": min(run["seconds"] for run in runs) / rows * 1e9,
                "extra_mb": max(run["extra_mb"] for run in runs),
                "ratio": harness.spread(harness.ratios([run["seconds"] for run in runs], ours)),
            }
            for name, runs in found.items()
        },
    }


if __name__ == "__main__":
    main()
