"""A member that keeps next to no log, so that two readings of its heap differ by what lies between them alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.resources.member import Member, version_of
from etcdsize.calibration.settle import entries_to_trim, pass_entries, settle

__all__ = ["MEMORY", "entries_to_trim", "pass_entries", "settle", "settled"]

# What is measured here is the heap: a disk would only slow the load.
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


def settled(program: str, flags: Sequence[str] = (), **options: Any) -> Member:
    """Return a member that keeps as little of its log as its version can."""
    kept = None if version_of(program).startswith("3.4.") else 1
    return Member(program, flags, snapshot_count=100, catch_up=kept, folder=MEMORY, **options)
