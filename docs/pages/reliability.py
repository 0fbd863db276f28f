"""The counts of the campaigns, from the files that they wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pages.markdown import table

CAMPAIGNS = Path(__file__).resolve().parents[1] / "campaigns"


def fuzzing() -> str:
    """Return what came of the inputs of every target."""
    found = _results("fuzz")
    rows = []
    for name, target in found["targets"].items():
        counts = dict.fromkeys(("done", "incomplete", "rejected"), 0)
        for outcome, times in target["outcomes"].items():
            ending = _ENDINGS.get(outcome.rpartition(": ")[2])
            if ending is not None:
                counts[ending] += times
        cells = [f"`{name}`", target["about"], _number(target["inputs"]), *map(_number, counts.values())]
        rows.append([*cells, len(target["findings"]), _number(round(target["seconds"]))])
    head = ["target", "what is attacked", "inputs", "exit 0, or read", "exit 1", "exit 2, or an error of ours"]
    return _head(found) + table([*head, "findings", "seconds"], rows)


_ENDINGS = {
    "exit 0": "done",
    "read": "done",
    "exit 1": "incomplete",
    "exit 2": "rejected",
    "refused": "rejected",
}


def kills() -> str:
    """Return what was left of the outputs of every command that was killed."""
    found = _results("kills")
    rows = [
        [name, command["runs"], _listed(command["outcomes"]), len(command["findings"])]
        for name, command in found["commands"].items()
    ]
    signals = f"Signals: {_listed(found['signals'])}.\n\n"
    return _head(found) + signals + table(["command", "kills", "what was left", "findings"], rows)


def mutation() -> str:
    """Return the score of every module, and the mutants that survived."""
    found = _results("mutants")
    rows = []
    for name, module in found["modules"].items():
        cells = [module[count] for count in ("mutants", "run", "killed", "timeouts", "equivalent")]
        rows.append([f"`{name}`", *map(_number, cells), len(module["survivors"]), f"{module['share']:.1f}%"])
    head = ["module", "mutants", "run", "killed", "timed out", "equivalent", "survived", "score"]
    survivors = [f"- `{line}`" for module in found["modules"].values() for line in module["survivors"]]
    listed = "\n\nThese survived:\n\n" + "\n".join(survivors) if survivors else "\n\nNone survived."
    return _head(found) + table(head, rows) + listed


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{times:,} {name}" for name, times in counts.items())


def _results(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CAMPAIGNS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _head(found: dict[str, Any]) -> str:
    """Return when, how long and on what a campaign ran, as a paragraph."""
    machine = ", ".join(f"{name} {version}" for name, version in found["machine"].items())
    minutes = max(round(found["seconds"] / 60), 1)
    return (
        f"Run on {found['date']} with the seed {found['seed']}, in {minutes} minute{'s' if minutes > 1 else ''}.\n"
        f"Machine: {machine}.\n\n"
    )


def _number(count: int) -> str:
    return f"{count:,}"
