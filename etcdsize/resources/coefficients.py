"""The model's coefficients: one file a version in `data/resources`, written by the experiments and never by hand.

Each has a likely value, the range in which it lies, its unit, and how it is known: measured on a version, calibrated on
a machine of the user's, read in etcd's source, or our choice.
"""

import functools
import json
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from etcdsize.base.model import Date, Model, Name, NotNegative
from etcdsize.errors import TableError
from etcdsize.etcd.version_names import version_files, version_names, version_order

__all__ = ["Coefficient", "CoefficientTable", "Coefficients", "Spread", "load_coefficients", "minor_version"]

_FOLDER = Path(__file__).parents[1] / "data" / "resources"


class Coefficients(NamedTuple):
    """One value for every coefficient: [bytes] where nothing else is said."""

    # Memory.
    heap_base: float
    """The heap of an empty etcd."""
    anon_base: float
    """Anonymous memory outside the heap and the stacks."""
    stack_base: float
    """The stacks of an empty etcd."""
    index_per_key: float
    """The index's part of a key, besides the key itself."""
    revision_array: float
    """A replaced revision in the index's lists of revisions, which grow by doubling."""
    tombstone: float
    """A deleted key in the index, until it is compacted."""
    raft_entry: float
    """An entry of the raft log, besides its data."""
    raft_kept_after: float
    """Entries that stay when the raft log is trimmed. [count]"""
    raft_kept_most: float
    """Entries just before it is trimmed, besides those that the snapshot count allows. [count]"""
    raft_kept_per_snapshot_count: float
    """How many entries more each one of the snapshot count allows: 1, or 0 where it does not matter. [count]"""
    default_snapshot_count: float
    """etcd's default of snapshot-count. [count]"""
    connection_heap: float
    connection_stack: float
    connection_tls_heap: float
    connection_tls_stack: float
    stream_heap: float
    stream_stack: float
    stream_tls_heap: float
    stream_tls_stack: float
    watcher_own_key: float
    watcher_same_range: float
    watcher_own_range: float
    lease: float
    lease_key_one: float
    """A key attached to a lease of its own."""
    lease_key_many: float
    """A key of a lease with ten keys."""
    list_per_key: float
    """What a list allocates for a key, besides its bytes."""
    list_copies: float
    """How often the heap holds the bytes of a list that is being sent."""
    batch_overhead_per_put: float
    compaction_map: float
    """A revision that a compaction keeps, while it runs."""
    garbage_factor: float
    """How far the heap grows beyond what is live before it is collected."""
    list_peak_factor: float
    """How far lists grow beyond that."""
    heap_margin: float
    """The measured heap over what the terms add up to."""
    defragment_keys: float
    """Keys that one transaction of a defragmentation copies. [count]"""
    defragment_factor: float
    """The heap that such a transaction takes, over its bytes."""
    binary_bytes: float
    # The file and the disk.
    file_fixed: float
    file_rewritten: float
    """What a compaction writes anew before it frees a page, over the keys of one of its batches. [1]"""
    file_waiting: float
    """Commits whose replaced pages wait for readers to close, where each write is a commit. [count]"""
    file_margin: float
    """The revisions measured in the file over what the table gives."""
    file_runs: float
    """What stays free between revisions of whole pages, as a share of them. [1]"""
    lease_file: float
    wal_margin: float
    """What is measured in the write-ahead log over what the terms add up to."""
    wal_record_overhead: float
    wal_sync_record: float
    wal_syncs_per_write_alone: float
    wal_loop_seconds: float
    """What a pass of the raft loop takes besides its fsync. [s]"""
    write_wait_fsyncs: float
    """How many fsyncs a write waits for while others write. [count]"""
    commit_bytes_fixed: float
    commit_fsyncs: float
    commits_per_revoke: float
    """Commits that the end of a lease causes at once. [count]"""
    # The network.
    peer_per_put: float
    peer_per_read: float
    """What members send each other for a linearizable read that shares it with no other."""
    peer_idle_leader: float
    peer_idle_follower: float
    watch_event_overhead: float
    read_overhead: float
    # The CPU. [microseconds]
    cpu_idle: float
    """What a member of three takes without any load, each second."""
    cpu_put: float
    """A write that shares its pass through the raft loop with many."""
    cpu_put_kb: float
    cpu_put_alone: float
    """What a write that has a pass of its own takes besides."""
    cpu_put_follower: float
    cpu_put_alone_follower: float
    cpu_get: float
    """A linearizable read that shares its round of heartbeats with many."""
    cpu_get_alone: float
    """What a read that has a round of its own takes besides."""
    passes_per_second: float
    """How many passes there are at most, however many requests come. [1/s]"""
    cpu_list_key: float
    cpu_list_mb: float
    list_busy: float
    """The share of a core that a list keeps busy while it is sent. [1]"""
    cpu_event: float
    cpu_event_kb: float
    cpu_keepalive: float
    cpu_grant: float
    cpu_revoke: float
    cpu_delete_key: float
    # How long operations take. [seconds]
    restart_per_revision: float
    restart_per_mb: float
    election: float
    """The start of a process, and the wait for an election."""
    defragment_per_mb: float
    defragment_copies: float
    compaction_per_batch: float
    compaction_per_mb: float
    compaction_commits: float
    tool_seconds: float
    """Starting etcdctl or etcdutl, with what takes as long however much is stored."""
    snapshot_per_mb: float
    restore_per_mb: float


_NAMES = Coefficients._fields


class Coefficient(Model):
    """One coefficient of the model."""

    value: Annotated[NotNegative, Field(description="The likely value.")]
    low: Annotated[NotNegative, Field(description="The low end of its range.")]
    high: Annotated[NotNegative, Field(description="The high end of its range.")]
    unit: Annotated[str, Field(description="The unit; B is bytes.")]
    how: Annotated[
        Literal["measured", "calibrated", "source", "choice"],
        Field(
            description="Measured by etcdsize, calibrated on a machine of yours, read in etcd's source, or our choice."
        ),
    ]
    source: Annotated[Name, Field(description="The experiment, the file in etcd's source, or the reason.")]

    @model_validator(mode="after")
    def _check(self) -> "Coefficient":
        if not self.low <= self.value <= self.high:
            raise TableError(f"got {self.low}..{self.value}..{self.high}, expected low <= value <= high", field="value")
        return self


class CoefficientTable(Model):
    """The coefficients for one minor version of etcd."""

    etcd_version: Annotated[Name, Field(description="The minor version, such as 3.6.")]
    measured_on: Annotated[
        str | None, Field(description="The patch that the experiments ran. None: they have not run on this version.")
    ]
    date: Annotated[Date, Field(description="When the file was written.")]
    machine: Annotated[dict[str, str], Field(description="The machine that the experiments ran on.")]
    coefficients: Annotated[dict[Name, Coefficient], Field(description="The coefficients by name.")]

    @model_validator(mode="after")
    def _check(self) -> "CoefficientTable":
        missing = [name for name in _NAMES if name not in self.coefficients]
        if missing:
            raise TableError(
                f"lacks {', '.join(missing)}; write the file again with this version of etcdsize", field="coefficients"
            )
        return self

    @property
    def cpu_machine(self) -> dict[str, str]:
        """The machine whose cores the figures of the CPU count."""
        return self.machine

    @functools.cached_property
    def spread(self) -> "Spread":
        """The low, the likely and the high value of every coefficient."""
        found = self.coefficients
        return Spread(
            Coefficients(**{name: float(found[name].low) for name in _NAMES}),
            Coefficients(**{name: float(found[name].value) for name in _NAMES}),
            Coefficients(**{name: float(found[name].high) for name in _NAMES}),
        )


class Spread(NamedTuple):
    """The coefficients at both ends of their ranges and between."""

    low: Coefficients
    likely: Coefficients
    high: Coefficients


def load_coefficients(etcd_version: str) -> CoefficientTable:
    """Return the coefficients for a version of etcd, such as `"3.6"` or `"3.6.16"`.

    Raises
    ------
    OptionError
        If the version is not known.

    Examples
    --------
    >>> load_coefficients("3.6").coefficients["default_snapshot_count"].value
    10000
    """
    return _built_in(minor_version(etcd_version))


def minor_version(etcd_version: str) -> str:
    """Return the minor version of a version of etcd, such as `3.6` of `v3.6.16`.

    Raises
    ------
    OptionError
        If the version is not known.
    """
    if isinstance(etcd_version, str) and etcd_version in version_names():
        return etcd_version
    # Imported here because the table of versions takes time to load.
    from etcdsize.etcd.versions import load_versions

    return load_versions().version(etcd_version).name


@functools.cache
def _built_in(name: str) -> CoefficientTable:
    file = _FOLDER / f"{name}.json"
    if file.exists():
        return _read(file)
    # The experiments have not run on this version: what was measured on the newest one before it stands in.
    older = [one for one in version_files(_FOLDER) if version_order(one.stem) < version_order(name)][-1]
    table = _read(older)
    found = {
        key: one if one.how == "choice" else _taken_over(one, older.stem) for key, one in table.coefficients.items()
    }
    return table.model_copy(update={"etcd_version": name, "measured_on": None, "coefficients": found})


def _read(file: Path) -> CoefficientTable:
    """Return one of our own tables. A test validates them: Pydantic would take longer for it than an answer does."""
    raw: dict[str, Any] = json.loads(file.read_bytes())
    found = {name: Coefficient.model_construct(**one) for name, one in raw["coefficients"].items()}
    return CoefficientTable.model_construct(**{**raw, "coefficients": found})


def _taken_over(coefficient: Coefficient, version: str) -> Coefficient:
    return coefficient.model_copy(
        update={"how": "source", "source": f"taken over from {version}, and not run: {coefficient.source}"}
    )
