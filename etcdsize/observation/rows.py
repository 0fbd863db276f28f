"""The row of an observed cluster: its columns, and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etcdsize.base.text import one_line, shortened
from etcdsize.errors import InvalidWorkloadError, MissingDependencyError
from etcdsize.observation.model import Observation
from etcdsize.observation.notices import SEVERAL_CLUSTERS
from etcdsize.observation.observe import Answers
from etcdsize.observation.profile import profile_of
from etcdsize.observation.stored_data import key_and_value
from etcdsize.observation.targets import ClusterTargets
from etcdsize.sizing.notices import INEXACT_LOAD_DECIDES
from etcdsize.sizing.size import inexact_deciders
from etcdsize.tiers import TierTable

try:
    import pyarrow as pa
except ImportError as _error:
    raise MissingDependencyError(package="pyarrow", extra="fleet") from _error

__all__ = ["OBSERVED", "Row", "inexact_decides", "row_of"]

# What the profile of a cluster has beyond its dimensions and its keys, by the names by which `fleet` reads it.
_FIGURES = (
    *("key_bytes", "value_bytes", "writes_per_second", "reads_per_second", "history_seconds"),
    *("watchers", "watch_streams", "leases", "lease_revokes_per_second"),
)

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
    "running_quota_bytes": pa.float64(),
    "quota_hours_left": pa.float64(),
    "quota_hours_bound": pa.string(),
    "keys": pa.float64(),
    "history_revisions": pa.float64(),
    **dict.fromkeys(_FIGURES, pa.float64()),
    "resident_bytes": pa.float64(),
    "modelled_memory_limit_bytes": pa.float64(),
    "modelled_memory": pa.string(),
    "wal_fsync_p99_seconds": pa.float64(),
    "backend_commit_p99_seconds": pa.float64(),
    "peer_rtt_p99_seconds": pa.float64(),
    "etcd_version": pa.string(),
    "observed_notices": pa.string(),
    "observed_problem": pa.string(),
}
"""The columns of an observed cluster, after its labels: name -> type."""

# The most problems of a cluster that a row shows, and the most characters.
_MOST_PROBLEMS = 5
_LONGEST_PROBLEM = 1_000


@dataclass(frozen=True)
class Row:
    """One cluster, ready to be written."""

    name: str | None
    problem: str | None
    answered: bool
    member_ids: tuple[str, ...]
    other_peers: tuple[str, ...]
    answers: Answers | None
    """What its members answered, if there are others that were not asked."""
    mixed: bool
    """Whether its members belong to several clusters."""
    inexact: bool
    """Whether only loads that are upper bounds or estimates need its tier."""
    batch: pa.RecordBatch


def inexact_decides(observation: Observation, table: TierTable, headroom: float) -> bool:
    """Return whether only loads that are upper bounds or estimates need the tier of a cluster."""
    try:
        workload = observation.workload()
    except InvalidWorkloadError:
        # It has no tier. The problem of its row is found where it is sized.
        return False
    return bool(inexact_deciders(workload, table.tier_codes(workload.loads, headroom)))


def row_of(
    cluster: ClusterTargets,
    found: Observation | str,
    names: Mapping[str, str],
    schema: pa.Schema,
    *,
    inexact: bool,
    answers: Answers | None,
) -> Row:
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
    return Row(
        name=cluster.labels.get("cluster"),
        problem=problem,
        answered=bool(ids) or (isinstance(found, Observation) and found.is_known),
        member_ids=ids,
        other_peers=found.other_peers if isinstance(found, Observation) else (),
        answers=answers if isinstance(found, Observation) and found.other_peers else None,
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
    found |= _modelled(observation) | _figures(observation)
    if observation.requests_per_second is not None:
        found["requests_per_second"] = round(observation.requests_per_second, 3)
    for name, kind in OBSERVED.items():
        found.setdefault(name, getattr(observation, name, None))
        if kind == pa.float64() and found[name] is not None:
            # PyArrow rejects integers that a float cannot hold exactly.
            found[name] = float(found[name])
    return found


def _figures(observation: Observation) -> dict[str, Any]:
    """Return the likely values of what `fleet` reads besides the dimensions.

    How large keys and values are is known where the average put explains the data.
    """
    found: dict[str, Any] = dict.fromkeys(_FIGURES) | {"running_quota_bytes": observation.quota_bytes}
    profile = observation.profile
    if profile is None:
        return found
    if profile.objects:
        # A row has keys of one size.
        profile = profile_of(observation, by_kind=False)
    for name in _FIGURES:
        amount = getattr(profile, name)
        found[name] = None if amount is None else amount.likely
    stored = next((one.value for one in profile.assumptions if one.field == "data_bytes"), None)
    if stored is not None and stored.is_exact and observation.keys:
        found["key_bytes"], found["value_bytes"] = key_and_value(stored.likely / observation.keys)
    return found


def _modelled(observation: Observation) -> dict[str, Any]:
    """Return the memory limit by the model, and where the memory lies of the member that is nearest to it or above."""
    limits = [one.modelled.memory_limit_bytes for one in observation.members if one.modelled is not None]
    memory = [
        one.modelled.resident_bytes
        for one in observation.members
        if one.modelled is not None and one.modelled.resident_bytes is not None
    ]
    worst = max(memory, key=lambda figure: figure.measured / max(figure.high, 1), default=None)
    return {
        "modelled_memory_limit_bytes": max(limits, default=None),
        "modelled_memory": None if worst is None else worst.verdict,
    }


def _problem(observation: Observation) -> str:
    """Return why it is not one whole cluster, shortened to what a table can show."""
    more = len(observation.incomplete) - _MOST_PROBLEMS
    return "; ".join(observation.incomplete[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
