"""How long does it take to start?

- python: the bare interpreter, `python -c ''`.
- import: `python -c 'import etcdsize'`.
- help: `etcdsize --help`.
- pydantic: a program that imports `BaseModel`, defines three models and prints one as JSON: the minimum cost of
  any answer through Pydantic.
- size: `etcdsize size --clients 300 --rps 800 --data 400MB --json`, cold.

Modules are compiled in advance, as pip does. Whole processes run in turn, so that a machine whose speed drifts slows
all of them alike; ratios are taken within a round.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks import harness

PYDANTIC = """
from pydantic import BaseModel
class Load(BaseModel):
    clients: int
    data: float
class Machine(BaseModel):
    name: str
    load: Load
class Answer(BaseModel):
    machine: Machine
    loads: list[Load]
load = Load(clients=300, data=4e8)
print(Answer(machine=Machine(name="m4.large", load=load), loads=[load]).model_dump_json())
"""
SIZE = "import sys; from etcdsize.cli import program; sys.exit(program())"
COMMANDS = {
    "python": [sys.executable, "-c", ""],
    "import": [sys.executable, "-c", "import etcdsize"],
    "help": [sys.executable, "-c", SIZE, "--help"],
    "pydantic": [sys.executable, "-c", PYDANTIC],
    "size": [
        *[sys.executable, "-c", SIZE, "size", "--clients", "300"],
        *["--rps", "800", "--data", "400MB", "--json"],
    ],
}


def show(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [", ".join(f"{name} {version}" for name, version in figures["machine"].items())]
    for name, found in figures["milliseconds"].items():
        lines.append(f"{name:10}{found['median']:8.1f} ms   {found['least']:.1f} to {found['most']:.1f}")
    beyond, ratio = figures["import_ms_over_python"], figures["size_over_pydantic"]
    lines.append(f"import over bare Python: {beyond['median']:.1f} ms ({beyond['least']:.1f} to {beyond['most']:.1f})")
    lines.append(f"size / pydantic: {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['most']:.2f})")
    return "\n".join(lines)


def main() -> None:
    parser = harness.arguments(__doc__ or "")
    parser.set_defaults(rounds=21)
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        for round_ in range(options.rounds + 1):
            for name, command in COMMANDS.items():
                start = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
                # The first round compiles, and fills the caches.
                if round_:
                    seconds[name].append(time.perf_counter() - start)
    beyond = [1000 * (a - b) for a, b in zip(seconds["import"], seconds["python"], strict=True)]
    figures = {
        "rounds": options.rounds,
        "machine": harness.machine(("etcdsize", "numpy", "pydantic")),
        "milliseconds": {name: harness.spread([1000 * value for value in found]) for name, found in seconds.items()},
        "import_ms_over_python": harness.spread(beyond),
        "size_over_pydantic": harness.spread(harness.ratios(seconds["size"], seconds["pydantic"])),
    }
    harness.report(figures, options.json, show)


if __name__ == "__main__":
    main()
