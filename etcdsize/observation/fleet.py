"""Observe many running clusters and size them as a fleet, one row per cluster.

The observations are written row by row to a temporary file, which the fleet then sizes. So memory does not grow with
the number of clusters, and formats, columns and answers are those of the fleet.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from pydantic import Field

from etcdsize.base.checks import instance_of, list_of, names_of, text_of, true_or_false
from etcdsize.base.model import Answer
from etcdsize.base.output_file import check_output, is_stream, open_temporary
from etcdsize.base.text import one_line, shortened, shown
from etcdsize.batches.columns import ANSWERS, AUDIT_ANSWERS, has_column_for
from etcdsize.errors import InvalidWorkloadError, MissingDependencyError, OptionError
from etcdsize.observation.membership import Links
from etcdsize.observation.model import Observation
from etcdsize.observation.notices import SEVERAL_CLUSTERS
from etcdsize.observation.observe import observe_clusters
from etcdsize.observation.targets import ClusterTargets, clusters_of
from etcdsize.observation.tls import ClientTls
from etcdsize.sizing.notices import INEXACT_LOAD_DECIDES
from etcdsize.sizing.options import headroom_of, tiers_of
from etcdsize.sizing.size import inexact_deciders
from etcdsize.tiers import TierTable

try:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from etcdsize.files.compression import open_compressed
    from etcdsize.files.fleet_file import open_fleet
    from etcdsize.files.registry import find_format, formats
    from etcdsize.files.summary import FleetSummary, Problem
except ImportError as _error:
    raise MissingDependencyError(package="pyarrow", extra="fleet") from _error

__all__ = ["OBSERVED", "ObservedFleet", "observe_fleet"]

OBSERVED: dict[str, pa.DataType] = {
    "members": pa.int64(),
    "learners": pa.int64(),
    "failures_left": pa.int64(),
    "clients": pa.float64(),
    "clients_counted_by": pa.string(),
    "clients_bound": pa.string(),
    "requests_per_second": pa.float64(),
    "requests_bound": pa.string(),
    "data_bytes": pa.float64(),
    "data_bound": pa.string(),
    "total_bytes": pa.float64(),
    "quota_bytes": pa.float64(),
    "wal_fsync_p99_seconds": pa.float64(),
    "backend_commit_p99_seconds": pa.float64(),
    "peer_rtt_p99_seconds": pa.float64(),
    "etcd_version": pa.string(),
    "observed_notices": pa.string(),
    "observed_problem": pa.string(),
}
"""The columns of an observed cluster, after its labels: name -> type."""

_LOADS = {name: name for name in ("clients", "requests_per_second", "data_bytes")}
# Labels that `fleet` reads under their own names.
_KEPT = ("provider", "current_machine")
_ROWS = 1_000
_FIRST = 10
# The most problems of a cluster that a row shows, and the most characters.
_MOST_PROBLEMS = 5
_LONGEST_PROBLEM = 1_000


class ObservedFleet(Answer):
    """The result of observing many clusters."""

    clusters: Annotated[int, Field(description="Clusters that were observed. [count]")]
    complete: Annotated[int, Field(description="Clusters whose members all answered, and have a leader. [count]")]
    partial: Annotated[
        int,
        Field(
            description="Clusters with members that did not answer or were not asked, without a leader, or that are "
            "several clusters. [count]"
        ),
    ]
    unreachable: Annotated[int, Field(description="Clusters of which no member answered. [count]")]
    first_problems: Annotated[
        tuple[Problem, ...], Field(description="The first clusters that are not complete, and why.")
    ]
    one_cluster: Annotated[
        tuple[tuple[int, ...], ...],
        Field(description="Rows whose members know one another as peers: each group of rows looks like one cluster."),
    ] = ()
    several_clusters: Annotated[
        tuple[Problem, ...],
        Field(
            description="The first rows whose members belong to several clusters, so that nothing is summed, and why."
        ),
    ] = ()
    inexact_decides: Annotated[
        int, Field(description="Clusters whose tier only loads need that are upper bounds or estimates. [count]")
    ] = 0
    fleet: Annotated[FleetSummary, Field(description="What they need, counted by tier and machine.")]


def observe_fleet(
    targets: Sequence[ClusterTargets],
    output: Path | None = None,
    stream: BinaryIO | None = None,
    *,
    source: Path,
    interval: float = 10.0,
    timeout: float = 5.0,
    tls: ClientTls | None = None,
    format: str | None = None,  # noqa: A002 - the option's name
    columns: Sequence[str] | None = None,
    force: bool = False,
    progress: Callable[[int], object] | None = None,
    **options: Any,
) -> ObservedFleet:
    """Return what many running clusters need, and write one row per cluster to an output if there is one.

    Parameters
    ----------
    targets : sequence of ClusterTargets
        The clusters.
    output, stream, format, columns, force
        As for `Fleet.run`; a stream is CSV unless `format` says otherwise.
    source : Path
        The file of targets: it is named in messages, and never overwritten.
    interval, timeout, tls
        As for `observe`.
    progress : callable, optional
        Called with 1 for every cluster.
    **options
        As for `open_fleet`: provider, catalog, tiers, headroom.

    Raises
    ------
    FleetFileError
        For an output that cannot be written.
    OptionError
        For options of a wrong type or that do not fit together. It is raised before any request is made.
    """
    clusters = clusters_of(targets)
    _check_arguments(output, stream, source, format=format, columns=columns, force=force, progress=progress)
    labels = list(dict.fromkeys(name for cluster in clusters for name in cluster.labels))
    if options.get("provider") is None and not has_column_for(labels, *_KEPT):
        raise OptionError("provider: missing, and no target has the label provider; set one of them", option="provider")
    names = _label_columns(labels)
    schema = pa.schema([*((name, pa.string()) for name in names.values()), *OBSERVED.items()])
    kind = format or "csv"
    if output is not None:
        check_output(output, source, force=force)
        kind = find_format(output, format, default=formats()["csv"] if is_stream(output) else None).name
    how: dict[str, Any] = {"format": "parquet", "on_missing": "unknown", "columns": dict(_LOADS), **options}
    # Labels and problems come from the targets' file and from the members.
    written: dict[str, Any] = {"format": kind, "columns": columns, "escape": True}
    _check_options(schema, source, how, written)
    table, headroom = tiers_of(options.get("tiers", "guide")), headroom_of(options.get("headroom", 0.0))
    with contextlib.ExitStack() as stack:
        if output is not None:
            # An output that cannot be written is reported before the first request.
            stream = stack.enter_context(open_compressed(output))
        buffer = stack.enter_context(open_temporary())
        counts = _Counts()
        with pq.ParquetWriter(buffer, schema) as writer:
            rows: list[pa.RecordBatch] = []

            def convert(cluster: ClusterTargets, found: Observation | str) -> _Row:
                inexact = not isinstance(found, str) and _inexact_decides(found, table, headroom)
                return _row(cluster, found, names, schema, inexact=inexact)

            def write(row: _Row) -> None:
                counts.add(row)
                rows.append(row.batch)
                if len(rows) == _ROWS:
                    writer.write_table(pa.Table.from_batches(rows, schema))
                    rows.clear()
                if progress is not None:
                    progress(1)

            observe_clusters(clusters, convert, write, interval=interval, timeout=timeout, tls=tls)
            writer.write_table(pa.Table.from_batches(rows, schema))
        buffer.seek(0)
        with open_fleet(source, buffer, **how) as fleet:
            summary = fleet.run(None, stream, **written)
    return counts.result(summary)


def _check_arguments(output: object, stream: object, source: object, **others: Any) -> None:
    """Reject arguments of a wrong type before they are used."""
    if output is not None:
        instance_of("output", output, Path)
    if stream is not None and not callable(getattr(stream, "write", None)):
        raise OptionError(f"stream: got {shown(stream)}, expected a binary file", option="stream", value=stream)
    instance_of("source", source, Path)
    if others["format"] is not None:
        text_of("format", others["format"])
    if others["columns"] is not None and not names_of("columns", list_of("columns", others["columns"])):
        raise OptionError("columns: got none, expected one or more", option="columns")
    true_or_false("force", others["force"])
    progress = others["progress"]
    if progress is not None and not callable(progress):
        raise OptionError(f"progress: got {shown(progress)}, expected a function", option="progress", value=progress)


def _check_options(schema: pa.Schema, source: Path, how: Mapping[str, Any], written: Mapping[str, Any]) -> None:
    """Size and write an empty fleet, so that a wrong option is reported before any request is made."""
    empty = io.BytesIO()
    with pq.ParquetWriter(empty, schema):
        pass
    empty.seek(0)
    with open_fleet(source, empty, **how) as fleet:
        fleet.run(None, io.BytesIO(), **written)


def _label_columns(labels: Sequence[str]) -> dict[str, str]:
    """Return the column of every label: its own name, unless an observed or answer column has it."""
    ours = {*OBSERVED, *ANSWERS, *AUDIT_ANSWERS}
    taken = ours.union(labels)
    names = {}
    for label in labels:
        name = label
        while label in ours and name in taken:
            name = f"label_{name}"
        taken.add(name)
        names[label] = name
    return names


@dataclass(frozen=True)
class _Row:
    """One cluster, ready to be written."""

    name: str | None
    problem: str | None
    answered: bool
    member_ids: tuple[str, ...]
    other_peers: tuple[str, ...]
    mixed: bool
    """Whether its members belong to several clusters."""
    inexact: bool
    """Whether only loads that are upper bounds or estimates need its tier."""
    batch: pa.RecordBatch


def _inexact_decides(observation: Observation, table: TierTable, headroom: float) -> bool:
    """Return whether only loads that are upper bounds or estimates need the tier of a cluster."""
    try:
        workload = observation.workload()
    except InvalidWorkloadError:
        # It has no tier. The problem of its row is found where it is sized.
        return False
    return bool(inexact_deciders(workload, table.tier_codes(workload.loads, headroom)))


def _row(
    cluster: ClusterTargets,
    found: Observation | str,
    names: Mapping[str, str],
    schema: pa.Schema,
    *,
    inexact: bool,
) -> _Row:
    """Return the row of a cluster, from its observation or the reason why there is none."""
    reasons = [cluster.problem, found if isinstance(found, str) else _problem(found)]
    problem = shortened(one_line("; ".join(dict.fromkeys(filter(None, reasons)))), _LONGEST_PROBLEM) or None
    values: dict[str, Any] = {column: cluster.labels.get(name) for name, column in names.items()}
    if isinstance(found, Observation):
        values |= _observed(found)
    if inexact:
        values["observed_notices"] = ";".join(filter(None, [values["observed_notices"], INEXACT_LOAD_DECIDES.code]))
    values["observed_problem"] = problem
    members = found.members if isinstance(found, Observation) else ()
    ids = tuple(member.member_id for member in members if member.member_id is not None)
    return _Row(
        name=cluster.labels.get("cluster"),
        problem=problem,
        answered=bool(ids) or (isinstance(found, Observation) and found.is_known),
        member_ids=ids,
        other_peers=found.other_peers if isinstance(found, Observation) else (),
        mixed=isinstance(found, Observation) and any(one.code == SEVERAL_CLUSTERS.code for one in found.notices),
        inexact=inexact,
        batch=pa.RecordBatch.from_pylist([values], schema),
    )


def _observed(observation: Observation) -> dict[str, Any]:
    """Return the values of the columns of an observed cluster."""
    versions = sorted({member.version for member in observation.members if member.version is not None})
    found: dict[str, Any] = {
        "members": observation.member_count,
        "learners": (
            observation.learner_count if any(one.is_learner is not None for one in observation.members) else None
        ),
        "clients": observation.clients.count,
        "clients_counted_by": observation.clients.counted_by,
        "clients_bound": observation.clients.bound,
        "etcd_version": ";".join(versions) or None,
        "observed_notices": ";".join(dict.fromkeys(notice.code for notice in observation.notices)),
    }
    if observation.requests_per_second is not None:
        found["requests_per_second"] = round(observation.requests_per_second, 3)
    for name, kind in OBSERVED.items():
        found.setdefault(name, getattr(observation, name, None))
        if kind == pa.float64() and found[name] is not None:
            # PyArrow rejects integers that a float cannot hold exactly.
            found[name] = float(found[name])
    return found


def _problem(observation: Observation) -> str:
    """Return why it is not one whole cluster, shortened to what a table can show."""
    more = len(observation.incomplete) - _MOST_PROBLEMS
    return "; ".join(observation.incomplete[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")


class _Counts:
    """Counts clusters as they are observed."""

    def __init__(self) -> None:
        self._clusters = self._partial = self._unreachable = self._inexact = 0
        self._first: list[Problem] = []
        self._mixed: list[Problem] = []
        self._links = Links()
        self._unlinked: dict[int, tuple[str, ...]] = {}

    def add(self, row: _Row) -> None:
        self._clusters += 1
        self._inexact += row.inexact
        if row.member_ids and row.other_peers:
            self._unlinked[self._clusters] = row.member_ids
            for member_id in row.member_ids:
                self._links.join(member_id, row.other_peers)
        if row.problem is None:
            return
        if row.answered:
            self._partial += 1
        else:
            self._unreachable += 1
        problem = f"{shortened(row.name)}: {row.problem}" if row.name else row.problem
        for problems in (self._first, *([self._mixed] if row.mixed else [])):
            if len(problems) < _FIRST:
                problems.append(Problem(row=self._clusters, problem=problem))

    def result(self, fleet: FleetSummary) -> ObservedFleet:
        return ObservedFleet(
            clusters=self._clusters,
            complete=self._clusters - self._partial - self._unreachable,
            partial=self._partial,
            unreachable=self._unreachable,
            first_problems=tuple(self._first),
            one_cluster=self._one_cluster(),
            several_clusters=tuple(self._mixed),
            inexact_decides=self._inexact,
            fleet=fleet,
        )

    def _one_cluster(self) -> tuple[tuple[int, ...], ...]:
        """Return the rows that are linked by their members' peers, where there is more than one."""
        rows: dict[str, list[int]] = {}
        for row, member_ids in self._unlinked.items():
            rows.setdefault(self._links.first(member_ids[0]), []).append(row)
        return tuple(tuple(linked) for linked in rows.values() if len(linked) > 1)
