"""The modules of the experiments: importing this registers all of them."""

from benchmarks.resources import (
    batch,
    commits,
    compaction,
    compaction_memory,
    connections,
    defragmentation,
    durations,
    file_size,
    follower,
    garbage,
    idle,
    index,
    lease_end,
    lease_memory,
    lists,
    network,
    processor,
    raft_log,
    slow_sync,
    wal,
)

__all__ = ["MODULES"]

MODULES = (
    batch,
    commits,
    compaction,
    compaction_memory,
    connections,
    defragmentation,
    durations,
    file_size,
    follower,
    garbage,
    idle,
    index,
    lease_end,
    lease_memory,
    lists,
    network,
    processor,
    raft_log,
    slow_sync,
    wal,
)
