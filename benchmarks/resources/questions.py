"""The modules of the experiments: importing this registers all of them."""

import importlib

__all__ = ["MODULES"]

_NAMES = (
    "batch",
    "cluster_processor",
    "commits",
    "compaction",
    "compaction_memory",
    "connections",
    "defragmentation",
    "durations",
    "election",
    "file_mix",
    "file_size",
    "follower",
    "garbage",
    "idle",
    "index",
    "lease_end",
    "lease_memory",
    "lists",
    "network",
    "processor",
    "raft_log",
    "slow_sync",
    "validation",
    "validation_seconds",
    "waiting_pages",
    "wal",
)
MODULES = tuple(importlib.import_module(f"benchmarks.resources.{name}") for name in _NAMES)
