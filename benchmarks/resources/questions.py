"""The modules of the experiments: importing this registers all of them, in the order in which they are run."""

from benchmarks.resources import (
    commits,
    compaction,
    durations,
    file_size,
    idle,
    index,
    lease_end,
    processor,
    slow_sync,
    wal,
)

__all__ = ["MODULES"]

MODULES = (idle, index, file_size, wal, slow_sync, commits, compaction, lease_end, processor, durations)
