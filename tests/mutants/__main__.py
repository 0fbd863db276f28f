"""The command: run the mutants of some modules, print the score of each and what survived."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import tomllib
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.results import write_results

from .operators import Mutant, mutants_of, sample
from .runner import SURVIVED, TIMEOUT, Room, run

EQUIVALENT = Path(__file__).with_name("equivalent.toml")


def _files_of(folder: str, names: str = "*.py") -> tuple[str, ...]:
    """Return the files of a sub-package whose names match, relative to the project's folder."""
    top = Path(__file__).parents[2]
    return tuple(sorted(path.relative_to(top).as_posix() for path in (top / folder).glob(names)))


ROOMS = (
    # What twenty million rows take in memory takes long.
    Room("fleet/kernel", ("etcdsize/fleet/kernel.py",),
         ("tests/fleet/test_kernel.py", "tests/fleet/test_classify.py", "tests/fleet/test_classify_invalid.py"),
         ("-k", "not TestMemory")),
    Room("tiers", ("etcdsize/tiers.py",), ("tests/test_tiers.py",)),
    Room("units", ("etcdsize/units.py",), ("tests/test_units.py",)),
    Room("sizing", _files_of("etcdsize/sizing"), ("tests/sizing",)),
    Room("fitting", _files_of("etcdsize/fitting"), ("tests/fitting",)),
    Room("catalog/disks", _files_of("etcdsize/catalog", "disk*.py"), ("tests/catalog/test_disks.py",)),
    # What a real etcd makes of the settings takes long, and says nothing about the code.
    Room("plan/settings", ("etcdsize/plan/chosen_settings.py", "etcdsize/plan/settings.py"),
         ("tests/plan/test_settings.py", "tests/plan/test_extra_flags.py"), ("-k", "not real_etcd")),
)  # fmt: skip


@dataclass
class Score:
    """What became of the mutants of a room."""

    mutants: int
    """All that there are; those that were run may be a sample."""
    run: int = 0
    killed: int = 0
    timeouts: int = 0
    equivalent: int = 0
    survivors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """The share of those that a test can notice which a test noticed. [%]"""
        noticeable = self.run - self.equivalent
        return 100 * (self.killed + self.timeouts) / noticeable if noticeable else 100.0

    def after(self, earlier: dict[str, Any]) -> Score:
        """Return the score of an earlier run with its survivors run again, which are the mutants of this one.

        Raises
        ------
        ValueError
            If they are others, or if there are now other mutants.
        """
        if (self.mutants, self.run) != (earlier["mutants"], len(earlier["survivors"])):
            raise ValueError(f"got {self.run} of {self.mutants} mutants, expected all survivors of the earlier run")
        return replace(
            self,
            run=earlier["run"],
            killed=earlier["killed"] + self.killed,
            timeouts=earlier["timeouts"] + self.timeouts,
            equivalent=earlier["equivalent"] + self.equivalent,
            seconds=earlier["seconds"] + self.seconds,
        )

    def __str__(self) -> str:
        return (
            f"{self.share:.1f}% of {self.run - self.equivalent} ({self.mutants} mutants, {self.run} run: "
            f"{self.killed} killed, {self.timeouts} timed out, {self.equivalent} equivalent, "
            f"{len(self.survivors)} survived; {self.seconds:.0f} s)"
        )


def read_equivalent(text: str) -> dict[tuple[str, str, str], str]:
    """Return the reason of each mutant that no test can notice, by file, function and text."""
    return {
        (entry["file"], entry["function"], _bare(mutant)): entry["reason"]
        for entry in tomllib.loads(text).get("equivalent", [])
        for mutant in entry["mutants"]
    }


def key_of(mutant: Mutant) -> tuple[str, str, str]:
    return mutant.file, mutant.function, _bare(mutant.text)


def _bare(text: str) -> str:
    # Versions of Python quote the same text differently.
    return re.sub(r"[\s'\"\\]", "", text)


def _unnumbered(line: str) -> str:
    """Return a printed mutant without the number of its line, which changes above it move."""
    return re.sub(r":[0-9]+: ", ": ", line, count=1)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    names = [room.name for room in ROOMS]
    parser.add_argument("module", nargs="*", help=f"which modules: {', '.join(names)}; all by default")
    parser.add_argument("--sample", type=int, metavar="N", help="run only N mutants of each module, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0, help="what the sample is drawn by (0)")
    parser.add_argument(
        "--again",
        type=Path,
        metavar="FILE",
        help="run only what an earlier run printed to this file; a file of --json counts the others as they were",
    )
    parser.add_argument("--at-least", type=float, default=95.0, metavar="PERCENT", help="exit 1 below this score (95)")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write the counts and the survivors to a file; it keeps what it has of modules that are not run",
    )
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.module) - set(names):
        parser.error(f"module: got {', '.join(sorted(unknown))}, expected {', '.join(names)}")

    mutants = {room: [one for file in room.files for one in mutants_of(file, Path(file).read_text())] for room in ROOMS}
    equivalent = read_equivalent(EQUIVALENT.read_text())
    stale = equivalent.keys() - {key_of(one) for room in mutants.values() for one in room}
    for file, function, text in sorted(stale):
        print(f"{EQUIVALENT.name}: {file}: {function}: no mutant reads {text}; remove it, or write it anew")
    if stale:
        return 2

    printed = None
    if chosen.again is not None:
        printed = {_unnumbered(line.strip()) for line in chosen.again.read_text().splitlines()}
    scores: dict[str, Score] = {}
    wrong: list[str] = []
    for room in ROOMS:
        if chosen.module and room.name not in chosen.module:
            continue
        start = time.perf_counter()
        again = [one for one in mutants[room] if printed is None or _unnumbered(str(one)) in printed]
        selected = sample(again, chosen.sample, chosen.seed)
        score = scores[room.name] = Score(len(mutants[room]), len(selected))
        outcomes: Counter[str] = Counter()
        survivors = []
        for mutant, outcome in run(room, selected, lambda one: key_of(one) in equivalent):
            if key_of(mutant) in equivalent:
                score.equivalent += 1
                if outcome != SURVIVED:
                    wrong.append(f"{mutant}: listed as equivalent, but a test notices it")
                continue
            outcomes[outcome] += 1
            if outcome == SURVIVED:
                print(f"  {mutant}", flush=True)
                survivors.append(mutant)
            if sys.stderr.isatty():
                print(f"\r{room.name}: {outcomes.total()} of {len(selected)}", end="\r", file=sys.stderr)
        score.killed, score.timeouts = outcomes["killed"], outcomes[TIMEOUT]
        score.survivors = [str(one) for one in sorted(survivors, key=lambda one: (one.file, one.line))]
        score.seconds = time.perf_counter() - start
        print(f"{room.name}: {score}", flush=True)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    if chosen.json:
        earlier = {}
        if (chosen.module or chosen.again) and chosen.json.exists():
            earlier = json.loads(chosen.json.read_text())["modules"]
        if chosen.again:
            scores = {name: score.after(earlier[name]) for name, score in scores.items()}
        found = earlier | {name: asdict(score) | {"share": score.share} for name, score in scores.items()}
        write_results(
            chosen.json,
            campaign="mutants",
            seconds=sum(score["seconds"] for score in found.values()),
            seed=chosen.seed,
            sample=chosen.sample,
            modules={name: found[name] for name in names if name in found},
        )
    return 2 if wrong else int(any(score.share < chosen.at_least for score in scores.values()))


if __name__ == "__main__":
    sys.exit(main())
