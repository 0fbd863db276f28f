"""Observe many running clusters and size them as a fleet, one row per cluster.

The observations are written row by row to a temporary file, which the fleet then sizes. So formats, columns and answers
are those of the fleet. Of a whole cluster, memory keeps only the IDs of its members. Where members are missing, which
may be in other rows, it keeps what the others answered, about 13 kB each.
"""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from pydantic import Field

from etcdsize.base.checks import instance_of, list_of, names_of, text_of, true_or_false
from etcdsize.base.model import Answer
from etcdsize.base.notice import Notice
from etcdsize.base.output_file import check_output, is_stream, open_temporary
from etcdsize.base.text import shortened, shown
from etcdsize.batches.columns import ANSWERS, AUDIT_ANSWERS, RESOURCE_ANSWERS, has_column_for
from etcdsize.errors import MissingDependencyError, OptionError
from etcdsize.observation.membership import Links
from etcdsize.observation.model import Observation
from etcdsize.observation.notices import observed_version_notices, other_version_notices
from etcdsize.observation.observe import Answers, join_answers, observe_clusters
from etcdsize.observation.rows import OBSERVED, Row, inexact_decides, row_of
from etcdsize.observation.targets import ClusterTargets, clusters_of, joined
from etcdsize.observation.tls import ClientTls
from etcdsize.resources.calibrated_model import CalibratedModel
from etcdsize.sizing.options import headroom_of, tiers_of

try:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from etcdsize.files.compression import open_compressed
    from etcdsize.files.fleet_file import open_fleet
    from etcdsize.files.registry import find_format, formats
    from etcdsize.files.summary import FleetSummary, Problem
except ImportError as _error:
    raise MissingDependencyError(package="pyarrow", extra="fleet") from _error

__all__ = ["ObservedFleet", "observe_fleet"]

_LOADS = {name: name for name in ("clients", "requests_per_second", "data_bytes")}
# Labels that `fleet` reads under their own names.
_KEPT = ("provider", "current_machine")
_ROWS = 1_000
_FIRST = 10


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
        Field(
            description="Clusters of the targets, by number, whose members know one another as peers: each of these "
            "groups is one cluster with one row."
        ),
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
    etcd_versions: Annotated[
        dict[str, int], Field(description="How many clusters have members of each version of etcd. [count]")
    ] = Field(default_factory=dict)
    notices: Annotated[
        tuple[Notice, ...], Field(description="What to know about these versions; rows have the codes of the others.")
    ] = ()
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
    model: CalibratedModel | None = None,
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
    model : CalibratedModel, optional
        The model that `calibrate` measured. Members of its version of etcd are compared with it, and it judges the
        machines of clusters that run this version. A notice counts the other clusters.
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
    if model is not None and has_column_for(labels, "current_machine"):
        # Nothing else of a row asks the model.
        how |= {"model": model, "etcd_version": model.etcd_version}
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

            def convert(cluster: ClusterTargets, found: Observation | str, answers: Answers | None) -> Row:
                inexact = not isinstance(found, str) and inexact_decides(found, table, headroom)
                return row_of(cluster, found, names, schema, inexact=inexact, answers=answers)

            def write(row: Row) -> None:
                counts.add(row)
                rows.append(row.batch)
                if len(rows) == _ROWS:
                    writer.write_table(pa.Table.from_batches(rows, schema))
                    rows.clear()
                if progress is not None:
                    progress(1)

            observe_clusters(clusters, convert, write, interval=interval, timeout=timeout, tls=tls, model=model)
            writer.write_table(pa.Table.from_batches(rows, schema))
        buffer.seek(0)
        found: dict[tuple[int, ...], Row] = {}
        reasons = counts.repeated()
        for group in counts.linked():
            named = {clusters[number - 1].labels.get("cluster") for number in group} - {None, ""}
            # Whoever gives them different names knows that they are different clusters, which may have been made alike.
            why: str | None = "they have different names; if they are one cluster, give them the same label cluster"
            if len(named) < 2:
                whole = joined([clusters[number - 1] for number in group])
                row = join_answers(whole, (counts.answers[number] for number in group), convert, model)
                if row.member_ids and not row.mixed:
                    found[group] = row
                    continue
                why = row.problem
            listed = f"{', '.join(map(str, group[:_FIRST]))}{' and more' if len(group) > _FIRST else ''}"
            for number in group:
                reasons.setdefault(number, []).append(
                    f"clusters {listed} of the targets name one another's members as peers, but have a row each: {why}"
                )
        if found or reasons:
            replaced = stack.enter_context(open_temporary())
            counts = _replace_rows(buffer, replaced, schema, found, reasons, counts, names.get("cluster"))
            buffer = replaced
            buffer.seek(0)
        with open_fleet(source, buffer, **how) as fleet:
            summary = fleet.run(None, stream, **written)
    return counts.result(summary, model)


def _replace_rows(
    source: BinaryIO,
    target: BinaryIO,
    schema: pa.Schema,
    found: Mapping[tuple[int, ...], Row],
    reasons: Mapping[int, Sequence[str]],
    counts: _Counts,
    cluster: str | None,
) -> _Counts:
    """Copy rows, with one row in place of those that are one cluster, add reasons to them, and count them anew."""
    first = {group[0]: row for group, row in found.items()}
    added = {group[0]: [one for number in group for one in reasons.get(number, ())] for group in found}
    others = {number for group in found for number in group[1:]}
    again = _Counts()
    number = 0
    with pq.ParquetWriter(target, schema) as writer:
        for batch in pq.ParquetFile(source).iter_batches(_ROWS):
            kept = []
            for index in range(batch.num_rows):
                number += 1
                if number in others:
                    continue
                row = first.get(number)
                if row is None:
                    one = batch.slice(index, 1)
                    name = None if cluster is None else one.column(cluster)[0].as_py()
                    row = counts.row(number, name, one.column("observed_problem")[0].as_py(), one)
                more = added.get(number, reasons.get(number, ()))
                if more:
                    problem = "; ".join(filter(None, (row.problem, *dict.fromkeys(more))))
                    (values,) = row.batch.to_pylist()
                    values["observed_problem"] = problem
                    row = replace(row, problem=problem, batch=pa.RecordBatch.from_pylist([values], schema))
                again.add(row)
                kept.append(row.batch)
            writer.write_table(pa.Table.from_batches(kept, schema))
    again.one_cluster = tuple(sorted(found))
    return again


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
    ours = {*OBSERVED, *ANSWERS, *AUDIT_ANSWERS, *RESOURCE_ANSWERS}
    taken = ours.union(labels)
    names = {}
    for label in labels:
        name = label
        while label in ours and name in taken:
            name = f"label_{name}"
        taken.add(name)
        names[label] = name
    return names


class _Counts:
    """Counts clusters as they are observed."""

    def __init__(self) -> None:
        self._clusters = self._partial = self._unreachable = self._inexact = 0
        self._by_versions: Counter[str] = Counter()
        self._first: list[Problem] = []
        self._mixed: list[Problem] = []
        self._states = bytearray()
        self.one_cluster: tuple[tuple[int, ...], ...] = ()
        self._links = Links()
        self._unlinked: dict[int, tuple[str, ...]] = {}
        self._whole: dict[str, int] = {}
        self.answers: dict[int, Answers] = {}
        """What the members answered of rows that lack others, which may be in other rows."""

    def add(self, row: Row) -> None:
        self._clusters += 1
        self._inexact += row.inexact
        self._by_versions[row.batch.column("etcd_version")[0].as_py() or ""] += 1
        self._states.append(row.answered | row.mixed << 1 | row.inexact << 2)
        if row.member_ids and row.other_peers:
            self._unlinked[self._clusters] = row.member_ids
            if row.answers is not None:
                self.answers[self._clusters] = row.answers
            for member_id in row.member_ids:
                self._links.join(member_id, row.other_peers)
        elif not row.mixed:
            for member_id in row.member_ids:
                self._whole.setdefault(member_id, self._clusters)
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

    def result(self, fleet: FleetSummary, model: CalibratedModel | None) -> ObservedFleet:
        versions: Counter[str] = Counter()
        for joined_ones, count in self._by_versions.items():
            versions.update(dict.fromkeys(filter(None, joined_ones.split(";")), count))
        notices = list(observed_version_notices(sorted(versions)))
        if model is not None:
            notices += other_version_notices(self._by_versions, model)
        return ObservedFleet(
            clusters=self._clusters,
            complete=self._clusters - self._partial - self._unreachable,
            partial=self._partial,
            unreachable=self._unreachable,
            first_problems=tuple(self._first),
            one_cluster=self.one_cluster,
            several_clusters=tuple(self._mixed),
            inexact_decides=self._inexact,
            etcd_versions=dict(sorted(versions.items())),
            notices=tuple(notices),
            fleet=fleet,
        )

    def row(self, number: int, name: str | None, problem: str | None, batch: pa.RecordBatch) -> Row:
        """Return a row that was counted, without its members."""
        state = self._states[number - 1]
        return Row(name, problem, bool(state & 1), (), (), None, bool(state & 2), bool(state & 4), batch)

    def repeated(self) -> dict[int, list[str]]:
        """Return why rows that lack members may be clusters that have another row, by their number."""
        found: dict[int, list[str]] = {}
        for row, member_ids in self._unlinked.items():
            member_id = next((one for one in member_ids if one in self._whole), None)
            if member_id is not None:
                found[row] = [
                    f"cluster {self._whole[member_id]} of the targets has a member {member_id} too; if they are one "
                    "cluster, it is counted twice: list it once"
                ]
        return found

    def linked(self) -> tuple[tuple[int, ...], ...]:
        """Return the rows that are linked by their members' peers, where there is more than one."""
        rows: dict[str, list[int]] = {}
        for row, member_ids in self._unlinked.items():
            rows.setdefault(self._links.first(member_ids[0]), []).append(row)
        return tuple(tuple(linked) for linked in rows.values() if len(linked) > 1)
