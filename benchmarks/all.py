"""Run every benchmark, and write the figures that `docs/performance.md` shows.

`python -m benchmarks.all` prints; `--json FILE` keeps the figures; `--docs` writes `docs/performance.md` and its plot
(matplotlib, of the extra `bench`). Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import classify, fleet_files, loads, machines, one, start

DOCS = Path(__file__).parent.parent / "docs"

PAGE = """\
# Performance

Written by `python -m benchmarks.all --docs` on {date}.

{machine}.

**What these figures do not show.** They were measured on one small, shared machine, so only the ratios within a run are
meaningful; each is the median of its rounds, with the minimum and maximum. The loads are random and log-uniform, so
every block contains every tier; a real fleet is mostly small, and no contender benefits from that here. The other
classifiers validate nothing, while `etcdsize` finds NaN, infinity and negative loads in the same pass. Files are in the
system's cache; on a slow disk all contenders are alike. We wrote the contenders as their manuals suggest; somebody who
knows one of them better may make it faster.

## Classify

{classify_rows} rows of three columns: nanoseconds per row, and time relative to `etcdsize`.

![Nanoseconds per row, by contender](performance.svg)

{classify}

From {few} to {many} rows a row costs {flat:.2f} times as much.

## Files

{file_rows} rows of cluster, clients, requests_per_second, data_bytes; the same codec. `etcdsize-tier` adds only
the tier, as the contenders do; `etcdsize-all` adds all columns.

Parquet to Parquet:

{parquet}

CSV to CSV:

{csv}

From Parquet to Parquet `etcdsize` decodes only the load, copies the bytes of all columns and encodes its answers; the
others decode and encode everything. Memory does not grow with the file: 200 million rows of Parquet took at most 189 MB
for the tier alone and 223 MB for all columns (measured on 2026-11-25 with `--rows 2e8`).

## One answer

Microseconds per call, warm. service-capacity-modeling plans one ZooKeeper ensemble, its closest match to etcd. It does
more (it finds the cheapest AWS machine under a latency model), but it does not model etcd.

{one}

## Machines

Microseconds per call. `load` reads the catalog of today's machines. `import` reads all EC2 types that a local moto
server lists, about 1,400. `fit` searches all machines for one tier, with a reason for every machine that is not enough.
`size-current` is one answer from that catalog. The planner of service-capacity-modeling is the closest match to `fit`:
it does more (intervals, several volumes) and less (one provider, no etcd).

{machine_calls}

Nanoseconds per row, {machine_rows} rows. `audit` takes the names of machines and computes all columns. `audit-verdicts`
computes the verdicts of machines that are already looked up. `loop` finds the same verdicts row by row in Python.

{machine_audits}

## What loads take

Nanoseconds per row, {load_rows} rows, on two threads: of the clock, and of the processor. `further` is
`fleet_resources` of clients, keys, values, writes and watchers; keys and writes are unknown in every fifth row;
`dimensions` of clients, requests and data alone; `kubernetes` of nodes and pods, which are thirteen kinds of objects
each. `loop` is `resources_for`, one load after the other; it answers more: every figure with its range.

{loads}

## Start

Milliseconds for whole processes. `pydantic` is a program that imports `BaseModel`, defines three models and prints one
as JSON: the minimum cost of any answer through Pydantic.

{start}
"""


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ratio(found: dict[str, float]) -> str:
    """Return a ratio with its spread."""
    return f"{found['median']:.2f} ({found['least']:.2f} to {found['most']:.2f})"


def page(figures: dict[str, Any]) -> str:
    """Return the page."""
    loop, small, large = figures["classify"], figures["few"], figures["many"]
    machine = {**loop["machine"], **figures["parquet"]["machine"], **figures["one"]["machine"]}

    def per_row(found: dict[str, Any]) -> float:
        return float(found["contenders"]["etcdsize"]["ns_per_row"])

    def files(found: dict[str, Any]) -> str:
        return table(
            ["contender", "million rows/s", "peak MB", "times as long as etcdsize-tier"],
            [
                [name, f"{got['mrows_per_second']:.2f}", f"{got['peak_mb']:.0f}", ratio(got["ratio"])]
                for name, got in found["contenders"].items()
            ],
        )

    return PAGE.format(
        date=figures["date"],
        machine=", ".join(f"{name} {version}" for name, version in machine.items()),
        classify_rows=f"{loop['rows']:,}",
        classify=table(
            ["contender", "ns/row", "million rows/s", "extra MB", "times as long as etcdsize"],
            [
                [
                    name,
                    f"{got['ns_per_row']:.2f}",
                    f"{1000 / got['ns_per_row']:.0f}",
                    f"{got['extra_mb']:.1f}",
                    ratio(got["ratio"]),
                ]
                for name, got in loop["contenders"].items()
            ],
        ),
        few=f"{small['rows']:,}",
        many=f"{large['rows']:,}",
        flat=per_row(large) / per_row(small),
        file_rows=f"{figures['parquet']['rows']:,}",
        parquet=files(figures["parquet"]),
        csv=files(figures["csv"]),
        one=table(["call", "microseconds"], [[name, ratio(got)] for name, got in figures["one"]["contenders"].items()]),
        machine_calls=table(
            ["call", "microseconds"], [[name, ratio(got)] for name, got in figures["machines"]["calls"].items()]
        ),
        machine_rows=f"{figures['machines']['rows']:,}",
        machine_audits=table(
            ["audit", "ns/row"], [[name, ratio(got)] for name, got in figures["machines"]["rows_of"].items()]
        ),
        load_rows=f"{figures['loads']['rows']:,}",
        loads=table(
            ["load", "ns/row", "processor ns/row"],
            [
                [name, ratio(got["ns_per_row"]), ratio(got["processor_ns_per_row"])]
                for name, got in figures["loads"]["contenders"].items()
            ],
        ),
        start=table(
            ["program", "milliseconds"],
            [
                *([name, ratio(got)] for name, got in figures["start"]["milliseconds"].items()),
                ["import over bare Python", ratio(figures["start"]["import_ms_over_python"])],
                ["size / pydantic, a ratio", ratio(figures["start"]["size_over_pydantic"])],
            ],
        ),
    )


def plot(figures: dict[str, Any], path: Path) -> None:
    """Draw the classifier's contenders."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "etcdsize"
    from matplotlib import pyplot

    contenders = figures["classify"]["contenders"]
    names = list(contenders)[::-1]
    values = [contenders[name]["ns_per_row"] for name in names]
    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    bars = axes.barh(names, values, color=["#2a6f97" if "etcdsize" in name else "#adb5bd" for name in names])
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.set_xlabel("nanoseconds a row (less is better)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    parser.add_argument("--docs", action="store_true", help="write docs/performance.md and its plot")
    parser.add_argument("--file-rows", type=lambda text: int(float(text)), default=20_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    figures: dict[str, Any] = {"date": datetime.datetime.now(tz=datetime.UTC).date().isoformat()}
    with tempfile.TemporaryDirectory() as folder:

        def run(name: str, module: Any, *arguments: str) -> None:
            file = Path(folder) / f"{name}.json"
            command = [sys.executable, "-m", module.__name__, *arguments, "--json", str(file)]
            subprocess.run(command, check=True)
            figures[name] = json.loads(file.read_text())

        rounds = ("--rounds", str(options.rounds))
        run("classify", classify, *rounds)
        run("few", classify, "--rows", "1e5", "--only", "etcdsize", *rounds)
        run("many", classify, "--rows", "1e8", "--only", "etcdsize", "--rounds", "2")
        files = ("--rows", str(options.file_rows), "--rounds", str(max(2, options.rounds // 2)))
        run("parquet", fleet_files, *files)
        run("csv", fleet_files, "--format", "csv", *files)
        run("one", one, "--rounds", str(max(2, options.rounds // 2)))
        run("machines", machines, "--rounds", str(max(2, options.rounds // 2)))
        run("loads", loads, "--rounds", str(max(2, options.rounds // 2)))
        run("start", start)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    if options.docs:
        (DOCS / "performance.md").write_text(page(figures))
        plot(figures, DOCS / "performance.svg")


if __name__ == "__main__":
    main()
