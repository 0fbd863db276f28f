"""Write the coefficients of the model: what the rows of each version give, and the figures that no run gives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from benchmarks.resources.experiment import EXPERIMENTS, Coefficient, Row
from benchmarks.resources.given import given

__all__ = ["coefficients_of", "write_coefficients"]


def write_coefficients(rows: Path, data: Path) -> None:
    """Write a file for each minor version that has rows, from those of its newest patch."""
    data.mkdir(parents=True, exist_ok=True)
    for version in _newest(path.stem for path in rows.glob("*.jsonl")):
        text = json.dumps(coefficients_of(Row.read(rows / f"{version}.jsonl")), indent=1) + "\n"
        (data / f"{version.rpartition('.')[0]}.json").write_text(text)


def coefficients_of(rows: Sequence[Row]) -> dict[str, object]:
    """Return what is written for the version of these rows."""
    version = rows[0].etcd_version
    minor = version.rpartition(".")[0]
    found: dict[str, Coefficient] = dict(given(minor))
    checks = {name for name, experiment in EXPERIMENTS.items() if experiment.fit is None}
    rows = [row for row in rows if row.experiment not in checks]
    for name, experiment in EXPERIMENTS.items():
        if experiment.fit is None:
            continue
        its_rows = [row for row in rows if row.experiment == name]
        first = experiment.runs(int(minor.split(".")[1]), long=False)
        # Half an experiment fits nothing.
        if all(any(row.is_of(name, *run) for row in its_rows) for run in first):
            found.update(experiment.fit(its_rows))
    newest = max(rows, key=lambda row: row.date)
    return {
        "etcd_version": minor,
        "measured_on": version,
        "date": newest.date,
        "machine": dict(newest.machine),
        "coefficients": {name: asdict(found[name]) for name in sorted(found)},
    }


def _newest(versions: Iterable[str]) -> list[str]:
    numbered = sorted(tuple(int(part) for part in version.split(".")) for version in versions)
    return [".".join(map(str, list(patches)[-1])) for _, patches in groupby(numbered, key=lambda one: one[:2])]
