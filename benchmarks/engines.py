"""What does it cost to size many files on Spark or Dask, compared with one machine and the engine's own expressions?

A folder of Parquet (cluster, clients, requests_per_second, data_bytes) is read, given its tier, and written to another
folder. Every contender runs in a process of its own on a cluster of its own, one or two workers with one core each;
starting the cluster and a first run, which warms it, are not timed. All write the same tiers, which is checked.

- one-machine: `etcdsize fleet`'s own way, file by file.
- spark-N, dask-N: `size_dataframe` with N workers, `tier` alone.
- spark-native-N, dask-native-N: the same tiers as the engine's own `when/otherwise`, or comparisons of columns.

The native contenders check nothing, report no problems and implement one rule.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import fleet_files, harness

DOCS = Path(__file__).parent.parent / "docs"
FILES = 8
CONTENDERS = (
    "one-machine",
    *(
        f"{engine}{native}-{workers}"
        for engine in ("spark", "dask")
        for native in ("", "-native")
        for workers in (1, 2)
    ),
)

PAGE = """\
# Scale

How to size more rows than one machine should read, and what it costs. The figures were written by
`python -m benchmarks.engines --docs` on {date}.

## When to use what

- Up to a few hundred million rows, or whenever they fit on one disk: `etcdsize fleet`. Its memory does not grow with
  the file.
- Rows that are already in a data frame: [`size_frame`](frames.md).
- Data that Spark or Dask already reads, or more rows than one machine should read:
  `etcdsize.frames.spark.size_dataframe` or `etcdsize.frames.dask.size_dataframe`. They are lazy, know their schema up
  front and send options and tables once. Every row gets the answer that one machine would give, even if a worker is
  lost.
- Only the tier, for rows that are known to be clean: on Spark the engine's own expression is fastest, because no row
  leaves the JVM. You then maintain the rule yourself, and rows that are NaN, negative or missing are not reported.

```text
pip install 'etcdsize[spark]'   # and Java 17
spark-submit docs/recipes/spark_fleet.py FLEET SIZED --provider aws

pip install 'etcdsize[dask]'
python docs/recipes/dask_fleet.py FLEET SIZED --provider aws
```

Both recipes ([Spark](recipes/spark_fleet.py), [Dask](recipes/dask_fleet.py)) read a folder of Parquet, write another,
and print a summary counted from the output. A run is complete when the folder contains `_SUCCESS`.

etcdsize must be installed where the workers run. On Spark the answers are text, because it has no categories; on Dask
all but `problem` are categories. With `on_invalid="raise"`, Dask raises our `InvalidWorkloadError` and Spark a
`PythonException` that contains our message; both name the partition and the row, counted from 0. Spark sends every
column of the frame to Python, so select the ones that you need. `spark.sql.execution.arrow.maxRecordsPerBatch` is
10,000 by default; 100,000 saves some calls.

## Measured

{machine}.

{rows} rows in {files} files, `tier` alone, Parquet to Parquet, best of {rounds} rounds; every worker has one core.
Workers, driver and disk share the {cores} cores of one machine, so two workers are less than twice as fast as they
would be on machines of their own, and no network is involved. Core-seconds are seconds times workers (for one-machine,
times the cores it may use).

{table}

## On paper

Extrapolated from the measured cost per row, not measured: no stragglers, no network, no object store.

{paper}

A row was {bytes_in:.1f} bytes of Parquet before and {bytes_out:.1f} after (snappy, four columns and the tier), so
10^9 rows are {bytes_in:.0f} GB in and {bytes_out:.0f} GB out, and 10^12 rows {bytes_in:.0f} TB and {bytes_out:.0f} TB.
"""


def make(folder: Path, rows: int) -> None:
    """Write the seeded fleet as a folder of files."""
    import pyarrow.parquet as pq

    folder.mkdir()
    whole = folder.parent / "whole.parquet"
    fleet_files.make(whole, rows, "parquet")
    table = pq.read_table(whole)
    whole.unlink()
    size = -(-rows // FILES)
    for number in range(FILES):
        pq.write_table(table.slice(number * size, size), folder / f"part-{number:03}.parquet")


def one_machine(source: Path, target: Path) -> None:
    from etcdsize.files.fleet_file import open_fleet

    target.mkdir()
    for path in sorted(source.glob("*.parquet")):
        with open_fleet(path, provider="aws") as fleet:
            fleet.run(target / path.name, columns=("*", "tier"))


def spark(workers: int, *, native: bool) -> tuple[Callable[[Path, Path], None], Callable[[], None]]:
    import pyspark
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f

    os.environ |= {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_HOSTNAME": "localhost",
    }
    session = (
        SparkSession.builder.master(f"local-cluster[{workers},1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "100000")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")

    def run(source: Path, target: Path) -> None:
        frame = session.read.parquet(str(source))
        if native:
            frame = frame.withColumn("tier", f.expr(fleet_files.CASE))
        else:
            from etcdsize.frames.spark import size_dataframe

            frame = size_dataframe(frame, provider="aws", answers=["tier"])
        frame.write.parquet(str(target))

    return run, session.stop


def dask(workers: int, *, native: bool) -> tuple[Callable[[Path, Path], None], Callable[[], None]]:
    import dask.dataframe as dd
    from dask.distributed import Client

    client = Client(n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0")

    def run(source: Path, target: Path) -> None:
        frame = dd.read_parquet(source, dtype_backend="pyarrow")
        if native:
            clients, requests, data = frame["clients"], frame["requests_per_second"], frame["data_bytes"]
            above = [
                (clients > c) | (requests >= r) | (data > d)
                for c, r, d in ((100, 200, 100e6), (500, 1000, 500e6), (1500, 10_000, 1e9))
            ]
            code = above[0].astype("int8") + above[1].astype("int8") + above[2].astype("int8")
            names = {0: "small", 1: "medium", 2: "large", 3: "xlarge"}
            frame["tier"] = code.map(names, meta=("tier", "string[pyarrow]"))
        else:
            from etcdsize.frames.dask import size_dataframe

            frame = size_dataframe(frame, provider="aws", answers=["tier"])
        frame.to_parquet(target, write_index=False)

    return run, client.close


def contend(name: str, source: Path, target: Path) -> dict[str, Any]:
    """Run one contender in this process."""
    workers = int(name[-1]) if name[-1].isdigit() else 0
    run, stop = one_machine, lambda: None
    if workers:
        run, stop = {"spark": spark, "dask": dask}[name.split("-")[0]](workers, native="native" in name)
    run(source, target.with_name("first"))
    start = time.perf_counter()
    run(source, target)
    seconds = time.perf_counter() - start
    stop()
    return {"seconds": seconds, "written": str(target)}


def agree(folders: list[Path]) -> None:
    """Check that every contender wrote the same tiers."""
    import pyarrow.parquet as pq

    def tiers(folder: Path) -> Any:
        table = pq.read_table(folder, columns=["cluster", "tier"])
        texts = {name: table[name].cast("string") for name in table.column_names}
        return type(table).from_pydict(texts).sort_by("cluster")["tier"].combine_chunks()

    first = tiers(folders[0])
    for folder in folders[1:]:
        if not tiers(folder).equals(first):
            raise SystemExit(f"{folder.name} differs from {folders[0].name}")


def table(figures: dict[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| contender | million rows/s | ns/row | core-seconds for a million rows | times as long as one machine |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, found in figures["contenders"].items():
        ratio = found["ratio"]
        lines.append(
            f"| {name} | {1000 / found['ns_per_row']:.2f} | {found['ns_per_row']:.0f} "
            f"| {found['core_ns_per_row'] / 1000:.2f} "
            f"| {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['most']:.2f}) |"
        )
    return "\n".join(lines)


def page(figures: dict[str, Any]) -> str:
    """Return `docs/scale.md`."""
    import datetime

    paper = ["| | 10^9 rows, core-hours | 10^12 rows, core-hours |", "| --- | --- | --- |"]
    for name in ("one-machine", "spark-2", "spark-native-2", "dask-2", "dask-native-2"):
        hours = figures["contenders"][name]["core_ns_per_row"] / 3600
        paper.append(f"| {name} | {hours:.2f} | {hours * 1000:.0f} |")
    into, out = (figures[key] / figures["rows"] for key in ("bytes_in", "bytes_out"))
    machine = figures["machine"]
    return PAGE.format(
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        machine=", ".join(f"{name} {version}" for name, version in machine.items()),
        rows=f"{figures['rows']:,}",
        files=FILES,
        rounds=figures["rounds"],
        cores=machine["cores"],
        table=table(figures),
        paper="\n".join(paper),
        bytes_in=into,
        bytes_out=out,
    )


def main() -> None:
    parser = harness.arguments(__doc__ or "", rows=10_000_000)
    parser.add_argument("--only", action="append", choices=CONTENDERS, help="run this contender only; may be repeated")
    parser.add_argument("--docs", action="store_true", help="write docs/scale.md")
    parser.add_argument("--folder", type=Path, help="where the files go (default: a temporary folder)")
    parser.add_argument("--source", type=Path, help=__import__("argparse").SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        target = Path(tempfile.mkdtemp(prefix=f"{options.contender}-", dir=options.source.parent)) / options.contender
        print(json.dumps(contend(options.contender, options.source, target)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        source = Path(folder) / "fleet"
        make(source, options.rows)
        contenders = options.only or CONTENDERS
        found = harness.measure("benchmarks.engines", contenders, options.rounds, ["--source", str(source)])
        written = [Path(found[name][0]["written"]) for name in contenders]
        agree(written)
        sizes = [sum(path.stat().st_size for path in place.glob("*.parquet")) for place in (source, written[0])]
    ours = [run["seconds"] for run in found[contenders[0]]]
    figures: dict[str, Any] = {
        "rows": options.rows,
        "rounds": options.rounds,
        "bytes_in": sizes[0],
        "bytes_out": sizes[1],
        "machine": harness.machine(("etcdsize", "pyspark", "dask", "pandas", "pyarrow", "numpy")),
        "contenders": {},
    }
    for name, runs in found.items():
        best = min(run["seconds"] for run in runs) / options.rows * 1e9
        cores = int(name[-1]) if name[-1].isdigit() else os.cpu_count() or 1
        ratio = harness.spread(harness.ratios([run["seconds"] for run in runs], ours))
        figures["contenders"][name] = {"ns_per_row": best, "core_ns_per_row": best * cores, "ratio": ratio}
    harness.report(figures, options.json, table)
    if options.docs:
        (DOCS / "scale.md").write_text(page(figures))


if __name__ == "__main__":
    main()
