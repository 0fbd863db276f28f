"""Does a cluster of three members carry the load that is the guide's bound of a tier?

The loads of the small and the medium tier run for half a minute each on every etcd that `make etcds` built and on the
first one on the path, and the large one as far as this machine carries it. A run appends its row to rows/VERSION.jsonl;
what has a row is not run again. Then docs/tiers-measured.md is written from all rows.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from benchmarks.resources.__main__ import run_experiment
from benchmarks.resources.experiment import Experiment
from benchmarks.resources.member import programs, version_of
from benchmarks.tiers.carried import LEVELS, carried
from benchmarks.tiers.page import PAGE, ROWS, table_of

EXPERIMENT = Experiment("tiers", "what the load of a tier takes", carried, lambda _: LEVELS, 1, None, None)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tiers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tiers", nargs="*", metavar="TIER", help="small, medium or large; default: all")
    parser.add_argument("--etcd", nargs="*", metavar="PATH", help="no path: run nothing, and write the page")
    parser.add_argument("--again", action="store_true", help="also run what has a row; the old row is replaced")
    parser.add_argument("--rows", type=Path, default=ROWS, metavar="DIR", help="where the rows are")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="the page with the table")
    options = parser.parse_args(arguments)
    names = options.tiers or [level["tier"] for level in LEVELS]
    experiment = dataclasses.replace(EXPERIMENT, levels=lambda _: [level for level in LEVELS if level["tier"] in names])
    chosen = programs() if options.etcd is None else {version_of(path): path for path in options.etcd}
    for version, program in chosen.items():
        run_experiment(experiment, program, version, options.rows, long=True, again=options.again)
    options.page.write_text(table_of(options.rows, options.page.read_text()))


if __name__ == "__main__":
    main()
