"""Run etcdsize on unintended inputs: seeded, in child processes, with every finding named.

    python -m tests.fuzz                              every target, a minute in all
    python -m tests.fuzz --times 60                   every target, for an hour
    python -m tests.fuzz files --count 50000          one target
    python -m tests.fuzz files --seed 7 --first 1234 --count 1 --folder DIR
                                                      one input again; its files stay in DIR

Exit code 1 if there is a finding.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import nullcontext
from pathlib import Path

from tests.fuzz import columns, files, options, parquet, plans, servers, tables, texts
from tests.fuzz.runner import Target, run_target, scratch
from tests.results import write_results

TARGETS: dict[str, tuple[Target, int]] = {
    "options": (options.options, 400),
    "files": (files.files, 400),
    "columns": (columns.columns, 400),
    "parquet": (parquet.parquet, 800),
    "tables": (tables.tables, 300),
    "plans": (plans.plans, 1000),
    "texts": (texts.texts, 4000),
    "servers": (servers.servers, 200),
}
"""Each target, and the number of inputs that takes some ten seconds."""


def about(name: str) -> str:
    """Return what a target attacks: the first sentence of its module."""
    return " ".join((sys.modules[TARGETS[name][0].__module__].__doc__ or "").split("\n\n")[0].split())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", metavar="TARGET", nargs="*", help=f"{', '.join(TARGETS)} (default: all)")
    parser.add_argument("--count", type=int, help="inputs for each target (default: some ten seconds' worth)")
    parser.add_argument("--times", type=float, default=1, help="run so many times the default count (default: 1)")
    parser.add_argument("--seed", type=int, default=14, help="default: 14")
    parser.add_argument("--first", type=int, default=0, help="number of the first input (default: 0)")
    parser.add_argument("--folder", type=Path, help="where inputs are made, and the last one stays")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the counts to this file")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.targets) - set(TARGETS))
    if unknown:
        parser.error(f"unknown target {unknown[0]}; expected {', '.join(TARGETS)}")
    start = time.monotonic()
    results = {}
    folder = nullcontext(arguments.folder.resolve()) if arguments.folder else scratch()
    with folder as place:
        for name in arguments.targets or TARGETS:
            target, count = TARGETS[name]
            count = arguments.count or round(count * arguments.times)
            result = run_target(
                name, target, seed=arguments.seed, first=arguments.first, count=count, folder=Path(place) / "input"
            )
            results[name] = result
            longest, slowest = result.slowest
            print(
                f"{name}: {result.inputs} inputs in {result.seconds:.0f} s; input {slowest} took {longest:.1f} s",
                flush=True,
            )
            for outcome, times in result.outcomes.most_common():
                print(f"  {times:6}  {outcome}")
            seen = set()
            for finding in result.findings:
                kind = finding["outcome"][:60]
                if kind not in seen:
                    seen.add(kind)
                    print(f"input {finding['input']}: {finding['outcome']}\n{finding['detail']}", flush=True)
    if arguments.json:
        figures = {name: {"about": about(name), **result.as_dict()} for name, result in results.items()}
        write_results(
            arguments.json,
            campaign="fuzz",
            seconds=time.monotonic() - start,
            seed=arguments.seed,
            first=arguments.first,
            targets=figures,
        )
    return 1 if any(result.findings for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
