"""What does a load take of etcd's memory, disk, network and processor?

Without names, the experiments are listed. Those that are named are run, one after the other, each run at most two
minutes. A run appends its row to rows/VERSION.jsonl; one whose row is there is not run again. `--all` is the long form:
every experiment, with every level and repeat. `--fit` reads the rows and writes etcdsize/data/resources/3.X.json.

The data lies where TMPDIR says, except that of experiments on memory, which lies in /dev/shm.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.resources.coefficients import write_coefficients
from benchmarks.resources.experiment import EXPERIMENTS, Experiment, Inputs, Row, binary_of, this_machine, today
from benchmarks.resources.member import programs, version_of
from benchmarks.resources.questions import MODULES

ROWS = Path(__file__).parent / "rows"
DATA = Path(__file__).parents[2] / "etcdsize" / "data" / "resources"

assert MODULES


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.resources",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="an experiment")
    parser.add_argument("--etcd", nargs="+", metavar="PATH", help="default: what `make etcds` built, and the path's")
    parser.add_argument("--all", action="store_true", help="the long form: every experiment, or all of those named")
    parser.add_argument("--again", action="store_true", help="also run what has a row; the old row is replaced")
    parser.add_argument("--rows", type=Path, default=ROWS, metavar="DIR", help="where the rows are")
    parser.add_argument("--fit", action="store_true", help="write the coefficients that the rows give")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="where the coefficients are written")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - EXPERIMENTS.keys())
    if unknown:
        parser.error(f"{unknown[0]}: is no experiment; choose from {', '.join(sorted(EXPERIMENTS))}")
    if not (options.names or options.all or options.fit):
        for name in sorted(EXPERIMENTS):
            print(f"{name:24}{EXPERIMENTS[name].question}")
        return
    chosen = {version_of(path): path for path in options.etcd} if options.etcd else programs()
    if not chosen and (options.names or options.all):
        parser.error("there is no etcd to measure; build them with `make etcds`, or name one with --etcd")
    for version, program in chosen.items() if options.names or options.all else ():
        for name in options.names or sorted(EXPERIMENTS):
            run_experiment(EXPERIMENTS[name], program, version, options.rows, long=options.all, again=options.again)
    if options.fit:
        write_coefficients(options.rows, options.data)


def run_experiment(
    experiment: Experiment, program: str, version: str, folder: Path, *, long: bool, again: bool
) -> None:
    """Run what has no row yet, and append its row."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{version}.jsonl"
    for inputs, repeat in experiment.runs(int(version.split(".")[1]), long=long):
        rows = Row.read(file)
        others = [row for row in rows if not row.is_of(experiment.name, inputs, repeat)]
        if len(others) < len(rows) and not again:
            continue
        row = run(experiment, program, version, inputs, repeat)
        if len(others) < len(rows):
            file.write_text("".join(each.as_line() for each in others))
        with file.open("a") as out:
            out.write(row.as_line())


def run(experiment: Experiment, program: str, version: str, inputs: Inputs, repeat: int) -> Row:
    """Run one level once, with what it does on standard error."""
    told = ", ".join(f"{name} {value}" for name, value in inputs.items())
    print(f"{version} {experiment.name}: {told} ({repeat + 1} of {experiment.repeats})", file=sys.stderr, flush=True)
    began = time.monotonic()
    outputs = experiment.measure(program, **inputs)
    seconds = round(time.monotonic() - began, 1)
    print(f"    {seconds} s: {outputs}", file=sys.stderr, flush=True)
    if seconds > 120:
        print("    this run takes more than two minutes", file=sys.stderr)
    binary = binary_of(program)
    return Row(experiment.name, inputs, repeat, outputs, version, binary, today(), this_machine(), seconds)


if __name__ == "__main__":
    main()
