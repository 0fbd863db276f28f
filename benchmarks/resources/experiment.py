"""What an experiment is, the rows that its runs leave, and the coefficients that are read from them.

An experiment registers itself in `EXPERIMENTS`:

    @experiment("Bytes of heap a key.", levels=[{"key_bytes": 16}, {"key_bytes": 64}], fit=fitted)
    def index(program: str, key_bytes: int) -> Outputs: ...
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import json
import re
import statistics
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.harness import machine

__all__ = [
    "EXPERIMENTS",
    "Coefficient",
    "Experiment",
    "Inputs",
    "Outputs",
    "Row",
    "binary_of",
    "experiment",
    "least",
    "measured",
    "undisturbed",
    "widened",
]

Inputs = Mapping[str, Any]
Outputs = dict[str, float]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A figure of the model: how it is known, and in which range it was seen."""

    value: float
    low: float
    high: float
    unit: str
    how: Literal["measured", "source", "choice"]
    source: str


@dataclass(frozen=True, slots=True)
class Row:
    """What one run gave."""

    experiment: str
    inputs: Inputs
    repeat: int
    outputs: Outputs
    etcd_version: str
    binary: Mapping[str, str]
    date: str
    machine: Mapping[str, str]
    seconds: float

    def is_of(self, name: str, inputs: Inputs, repeat: int) -> bool:
        """Say whether it is the row of this run."""
        return (self.experiment, dict(self.inputs), self.repeat) == (name, dict(inputs), repeat)

    def as_line(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def read(cls, file: Path) -> list[Row]:
        """Return the rows of a file; none where there is no such file yet."""
        return [cls(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


Fit = Callable[[Sequence[Row]], Mapping[str, Coefficient]]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A question, and the runs that answer it: one for each level, and so many of each in the long form.

    One without `fit` checks the model: no coefficient is made of its rows.
    """

    name: str
    question: str
    measure: Callable[..., Outputs]
    levels: Callable[[int], Iterable[Inputs]]
    repeats: int
    short: int | None
    fit: Fit | None

    def runs(self, minor: int, *, long: bool) -> list[tuple[Inputs, int]]:
        """Return the inputs of each run on etcd 3.minor, and which repeat it is."""
        levels = list(self.levels(minor))[: None if long else self.short]
        return [(inputs, repeat) for repeat in range(self.repeats if long else 1) for inputs in levels]


EXPERIMENTS: dict[str, Experiment] = {}


def experiment(
    question: str,
    levels: Sequence[Inputs] | Callable[[int], Iterable[Inputs]],
    *,
    fit: Fit | None = None,
    repeats: int = 1,
    short: int | None = None,
) -> Callable[[Callable[..., Outputs]], Callable[..., Outputs]]:
    """Register a function as an experiment under its own name; it takes the program, and a level's inputs by name.

    Parameters
    ----------
    question : str
        What it answers, in one line.
    levels : sequence of mappings, or a function
        The inputs of each run; a function gets the minor version, 4 for etcd 3.4.
    fit : function
        Makes coefficients of the experiment's rows on one version; none where the rows check the model instead.
    repeats : int
        How often each level is run in the long form: more than once for what the garbage collector's timing moves.
    short : int
        How many of the levels are run in the short form; default all.
    """

    def register(measure: Callable[..., Outputs]) -> Callable[..., Outputs]:
        name = measure.__name__.replace("_", "-")
        chosen = levels if callable(levels) else lambda _: levels
        EXPERIMENTS[name] = Experiment(name, question, measure, chosen, repeats, short, fit)
        return measure

    return register


def measured(values: Iterable[float], unit: str, rows: Sequence[Row], note: str = "") -> Coefficient:
    """Return the median of what was measured, with the least and the most of it, and what it was measured on."""
    found = sorted(values)
    days = sorted({row.date for row in rows})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    source = f"measured on {rows[0].etcd_version}, {when}" + (f": {note}" if note else "")
    return Coefficient(
        *(float(f"{each:.5g}") for each in (statistics.median(found), found[0], found[-1])), unit, "measured", source
    )


def undisturbed(values: Iterable[float], unit: str, rows: Sequence[Row], note: str) -> Coefficient:
    """Return the least of what was measured, with a range that is wider than the rows."""
    return widened(least(values, unit, rows, note))


def least(values: Iterable[float], unit: str, rows: Sequence[Row], note: str) -> Coefficient:
    """Return the least of what was measured, as other programs only add to it."""
    found = measured(values, unit, rows, f"{note}; the least of {len(rows)}, the range is our choice")
    return dataclasses.replace(found, value=found.low)


def widened(found: Coefficient) -> Coefficient:
    """Return it with half as much again at each end of its range: a few rows of one machine do not show all of it."""
    low, high = (float(f"{each:.5g}") for each in (found.low / 1.5, found.high * 1.5))
    return dataclasses.replace(found, low=low, high=high)


@functools.cache
def binary_of(program: str) -> dict[str, str]:
    """Return what identifies a program: its SHA-256, and the Go that it was built with."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    found = re.search(r"^Go Version: (\S+)", said, re.M)
    return {"sha256": hashlib.sha256(Path(program).read_bytes()).hexdigest(), "go": found[1] if found else "unknown"}


@functools.cache
def this_machine() -> dict[str, str]:
    """Return the processor, the cores, and the versions of what makes the load."""
    return machine(["grpcio"])


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
