"""Shared by all benchmarks: a process per contender, and ratios with their spread.

Contenders take turns, each in a process of its own, so that a machine whose speed drifts slows all of them alike.
Ratios are taken within a round; the median is reported with the minimum and maximum.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["arguments", "best", "machine", "measure", "ratios", "report", "spread"]


def arguments(description: str, *, rows: int | None = None, once: bool = False) -> argparse.ArgumentParser:
    """Return the parser that every benchmark starts from; `once` is for those that use `best`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if rows is not None:
        parser.add_argument("--rows", type=lambda text: int(float(text)), default=rows, help=f"default: {rows}")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender runs (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    if once:
        parser.add_argument("--once", action="store_true", help="call each once, to see that it runs: no measurement")
    return parser


def best(call: Callable[[], object], *, repeats: int, once: bool) -> float:
    """Return how long a call takes at best, after one that does not count; or the first one, `once`. [s]"""
    timer = timeit.Timer(call)
    if once:
        return timer.timeit(1)
    call()
    number, _ = timer.autorange()
    return min(timer.repeat(repeat=repeats, number=number)) / number


def machine(packages: Sequence[str]) -> dict[str, str]:
    """Return the processor, the cores, and the versions."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(": ", 1)[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    found = {"cpu": model, "cores": str(os.cpu_count()), "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def measure(module: str, contenders: Sequence[str], rounds: int, extra: Sequence[str]) -> dict[str, list[Any]]:
    """Return what each contender prints as JSON, round by round."""
    found: dict[str, list[Any]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name in contenders:
            command = [sys.executable, "-m", module, "--contender", name, *extra]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name} failed:\n{done.stderr}")
            found[name].append(json.loads(done.stdout))
    return found


def ratios(of: Sequence[float], to: Sequence[float]) -> list[float]:
    """Return the ratios, round by round."""
    return [first / second for first, second in zip(of, to, strict=True)]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median, the minimum and the maximum."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def report(figures: dict[str, Any], path: Path | None, show: Callable[[dict[str, Any]], str]) -> None:
    """Print the figures, and write them where asked."""
    print(show(figures))
    if path is not None:
        path.write_text(json.dumps(figures, indent=2) + "\n")
