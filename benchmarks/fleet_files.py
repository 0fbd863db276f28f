"""How fast is a file of clusters sized, Parquet to Parquet and CSV to CSV, compared with Polars and DuckDB?

The file has four columns: cluster (text), clients, requests_per_second (int64), data_bytes (int64), seeded. Every
contender reads it, adds the tier and writes it again, in a process of its own, with the same codec. Their tiers agree
on every row before anything is quoted.

- etcdsize-tier: `etcdsize fleet IN -o OUT --columns '*,tier'`: every value is checked, and rows that cannot be sized
  are kept.
- etcdsize-all: all columns (tier, machine_type, forced_by, tightest, machine_today, cost_per_month, problem, notices).
- polars: `scan -> with_columns(when/then) -> sink`, the streaming engine; CSV with every column as text but the three
  that are compared.
- duckdb: `copy (select *, case ... end) to`; CSV with every column as text likewise.

Polars and DuckDB check nothing, do not report invalid rows, and do not guarantee that a file appears only when it is
complete. Memory is the peak of the process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import harness

CONTENDERS = ("etcdsize-tier", "etcdsize-all", "polars", "duckdb")
CASE = """case when clients <= 100 and requests_per_second < 200 and data_bytes <= 100000000 then 'small'
  when clients <= 500 and requests_per_second < 1000 and data_bytes <= 500000000 then 'medium'
  when clients <= 1500 and requests_per_second < 10000 and data_bytes <= 1000000000 then 'large'
  else 'xlarge' end"""


def make(path: Path, rows: int, kind: str) -> None:
    """Write the seeded file, a million rows at a time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    random = np.random.default_rng(20261123)
    schema = pa.schema(
        [("cluster", pa.string()), *((n, pa.int64()) for n in ("clients", "requests_per_second", "data_bytes"))]
    )
    options = pyarrow.csv.WriteOptions(quoting_style="none")
    with (
        pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=False)
        if kind == "parquet"
        else pyarrow.csv.CSVWriter(path, schema, write_options=options)
    ) as writer:
        for start in range(0, rows, 1_000_000):
            count = min(1_000_000, rows - start)
            names = pa.array(np.arange(start, start + count)).cast(pa.string())
            names = pa.compute.binary_join_element_wise("cluster-", names, "")
            loads = [
                (10 ** random.uniform(low, high, count)).astype(np.int64)
                for low, high in ((0.5, 3.7), (0.5, 4.5), (6, 9.5))
            ]
            writer.write_table(pa.Table.from_arrays([names, *map(pa.array, loads)], schema=schema))


def etcdsize(source: Path, target: Path, columns: str | None) -> None:
    from etcdsize.cli import program

    arguments = ["fleet", str(source), "-o", str(target), "--force", "--provider", "aws", "--json"]
    if program(arguments + (["--columns", columns] if columns else [])):
        raise SystemExit("etcdsize failed")


def polars(source: Path, target: Path) -> None:
    import polars as pl

    frame = pl.scan_parquet(source) if source.suffix == ".parquet" else pl.scan_csv(source, infer_schema=False)
    clients, requests, data = (pl.col(name).cast(pl.Int64) for name in ("clients", "requests_per_second", "data_bytes"))
    tier = (
        pl.when((clients <= 100) & (requests < 200) & (data <= 100_000_000))
        .then(pl.lit("small"))
        .when((clients <= 500) & (requests < 1000) & (data <= 500_000_000))
        .then(pl.lit("medium"))
        .when((clients <= 1500) & (requests < 10_000) & (data <= 1_000_000_000))
        .then(pl.lit("large"))
        .otherwise(pl.lit("xlarge"))
    )
    sized = frame.with_columns(tier=tier)
    if source.suffix == ".parquet":
        sized.sink_parquet(target, compression="snappy")
    else:
        sized.sink_csv(target)


def duckdb(source: Path, target: Path) -> None:
    import duckdb

    if source.suffix == ".parquet":
        query = f"select *, {CASE} as tier from read_parquet('{source}')"
        options = "format parquet, compression snappy"
    else:
        case = CASE
        for name in ("clients", "requests_per_second", "data_bytes"):
            case = case.replace(f"{name} <", f"cast({name} as bigint) <")
        query = f"select *, {case} as tier from read_csv('{source}', all_varchar = true)"
        options = "format csv, header"
    duckdb.sql(f"copy ({query}) to '{target}' ({options})")


def contend(name: str, source: Path, target: Path) -> dict[str, float]:
    """Run one contender in this process."""
    start = time.perf_counter()
    if name == "etcdsize-tier":
        etcdsize(source, target, "*,tier")
    elif name == "etcdsize-all":
        etcdsize(source, target, None)
    else:
        {"polars": polars, "duckdb": duckdb}[name](source, target)
    return {
        "seconds": time.perf_counter() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def agree(files: list[Path]) -> None:
    """Check that every contender wrote the same tiers."""
    import pyarrow.csv
    import pyarrow.parquet as pq

    def tiers(path: Path) -> Any:
        if path.suffix == ".parquet":
            return pq.read_table(path, columns=["tier"])["tier"].cast("string").combine_chunks()
        options = pyarrow.csv.ConvertOptions(include_columns=["tier"])
        return pyarrow.csv.read_csv(path, convert_options=options)["tier"].combine_chunks()

    first = tiers(files[0])
    for path in files[1:]:
        if not tiers(path).equals(first):
            raise SystemExit(f"{path.name} differs from {files[0].name}")


def show(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [", ".join(f"{name} {version}" for name, version in figures["machine"].items())]
    lines.append(f"{figures['rows']} rows, {figures['format']}, {figures['rounds']} rounds")
    lines.append(f"{'':16}{'Mrows/s':>9}{'peak MB':>9}   etcdsize-tier is faster by (least to most)")
    for name, found in figures["contenders"].items():
        ratio = found["ratio"]
        lines.append(
            f"{name:16}{found['mrows_per_second']:9.2f}{found['peak_mb']:9.0f}"
            f"   {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['most']:.2f})"
        )
    return "\n".join(lines)


def main() -> None:
    parser = harness.arguments(__doc__ or "", rows=20_000_000)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--folder", type=Path, help="where the files go (default: a temporary folder)")
    parser.add_argument("--only", action="append", choices=CONTENDERS, help="run this contender only; may be repeated")
    parser.add_argument("--source", type=Path, help=__import__("argparse").SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        target = options.source.with_name(f"{options.contender}.{options.format}")
        # What the command prints is not the figure.
        print(json.dumps(_quietly(options.contender, options.source, target)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        source = Path(folder) / f"in.{options.format}"
        making = (
            f"from benchmarks.fleet_files import *; make(Path({str(source)!r}), {options.rows}, {options.format!r})"
        )
        subprocess.run([sys.executable, "-c", making], check=True)
        contenders = options.only or CONTENDERS
        extra = ["--format", options.format, "--source", str(source)]
        found = harness.measure("benchmarks.fleet_files", contenders, options.rounds, extra)
        agree([source.with_name(f"{name}.{options.format}") for name in contenders])
    ours = [run["seconds"] for run in found[contenders[0]]]
    figures = {
        "rows": options.rows,
        "format": options.format,
        "rounds": options.rounds,
        "machine": harness.machine(("etcdsize", "numpy", "pyarrow", "polars", "duckdb")),
        "contenders": {
            name: {
                "mrows_per_second": options.rows / min(run["seconds"] for run in runs) / 1e6,
                "peak_mb": max(run["peak_mb"] for run in runs),
                "ratio": harness.spread(harness.ratios([run["seconds"] for run in runs], ours)),
            }
            for name, runs in found.items()
        },
    }
    harness.report(figures, options.json, show)


def _quietly(name: str, source: Path, target: Path) -> dict[str, float]:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        return contend(name, source, target)


if __name__ == "__main__":
    main()
