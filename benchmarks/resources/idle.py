"""What does a member take that holds nothing and serves nobody?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    def of(*names: str) -> list[float]:
        return [row.outputs[name] for row in rows for name in names]

    beside = [row.outputs["anonymous_bytes"] - row.outputs["heap_bytes"] - row.outputs["stack_bytes"] for row in rows]
    return {
        "heap_base": measured(of("heap_bytes"), "B", rows, "live heap of an idle member"),
        "stack_base": measured(of("stack_bytes"), "B", rows),
        "anon_base": measured(beside, "B", rows, "anonymous memory beside the live heap and stacks"),
        "binary_bytes": measured(of("mapped_bytes", "program_bytes"), "B", rows, "mapped of it, and its whole file"),
    }


@experiment("memory of an idle member: heap, stacks, binary", [{}], fit=_fit, repeats=3)
def idle(program: str) -> Outputs:
    with Member(program, folder=MEMORY) as member:
        time.sleep(3)
        found = member.report()
    found["program_bytes"] = Path(program).stat().st_size
    return found
