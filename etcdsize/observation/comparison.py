"""Compare the memory and the file of each member with those of the measured model for the same load.

The model is asked without lists: they come and go, and what they take is what a member has beyond the model. The low
end is that of a member that has just started, whose raft log and last commit are still short.

The load is filled and the file evaluated once for a cluster; of each member, only its memory is worked out, with its
own watches and connections.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.observation.compared import ComparedFigure, ModelledMember, Verdict
from etcdsize.observation.model import MemberLoad, Observation
from etcdsize.observation.profile import profile_of
from etcdsize.resources.calibrated_model import CalibratedModel
from etcdsize.resources.cases import Asked, cases_of, defragment_seconds, points_of, stream_bytes
from etcdsize.resources.coefficients import load_coefficients, minor_version
from etcdsize.resources.fill import Filled, fill
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import LoadSums, sums_of
from etcdsize.resources.model import Case, file_of, memory_of
from etcdsize.resources.profile import Profile

__all__ = ["compared", "modelled_members"]


def modelled_members(
    observation: Observation, profile: Profile, model: CalibratedModel | None
) -> tuple[MemberLoad, ...]:
    """Return the members of a cluster, each with what the model gives for its part of the load."""
    members = observation.members
    versions = {one.version for one in members if one.version is not None and _is_modelled(one.version, model)}
    if not versions:
        return members
    profiles = [profile]
    if profile.objects:
        # The raft log may hold what was written before, of other sizes.
        profiles.append(profile_of(observation, by_kind=False))
    try:
        loads = [fill(one) for one in profiles]
        history = _history_of(observation, profile)
        models = {version: _Model(profile, loads, history, version, model) for version in versions}
        return tuple(
            member.model_copy(update={"modelled": models[member.version].of(member)})
            if member.version in models
            else member
            for member in members
        )
    except (InvalidWorkloadError, OverflowError):
        # Figures that no etcd reports can be too large together; the sizing says so.
        return members


# The heap of an empty etcd in its first second, as a share of the one that it settles at (measured on 3.4 to 3.7: 4.3
# MB and 5.4 MB; the margin is our choice).
_STARTED = 0.75

_Range = tuple[float, float, float]
"""The low end, the likely value and the high end of a figure."""


class _Point(NamedTuple):
    """A point of the load of a cluster: what it takes of the file, and what its memory follows from."""

    load: Load
    sums: LoadSums
    case: Case
    least: float
    """The keys in the file, without any history. [bytes]"""
    in_use: float
    """The keys and their history. [bytes]"""
    length: float
    """The file. [bytes]"""


class _Model:
    """What the model gives for the members of a cluster that run one version."""

    def __init__(
        self,
        profile: Profile,
        loads: Sequence[Filled],
        history: tuple[dict[str, Any], ...] | None,
        version: str,
        model: CalibratedModel | None,
    ) -> None:
        self._profile = profile
        self._asked = Asked(version, model=model).with_disk_of_model()
        self._has_history = history is not None
        # The likely point of the first load comes first.
        self._points = [
            _point(load if history is None else load._replace(**history[case.number]), case)
            for filled in loads
            for load, case in points_of(filled, self._asked)
        ]
        need = _point(loads[0].need, cases_of(self._asked).need)
        self._limit = _finite(math.fsum(memory_of(need.load, need.sums, need.case, need.length)["limit_bytes"]))

    def of(self, member: MemberLoad) -> ModelledMember:
        """Return what the model gives for a member."""
        figures: dict[str, Any] = {}
        if not member.shares_process and (member.heap_bytes is not None or member.resident_bytes is not None):
            heaps, processes = zip(
                *(_memory(_of_member(point, member, self._profile), member) for point in self._points)
            )
            if member.heap_bytes is not None:
                figures["heap_bytes"] = compared(member.heap_bytes, heaps)
            if member.resident_bytes is not None:
                figures["resident_bytes"] = compared(member.resident_bytes, processes)
        if self._has_history and member.history_revisions is not None:
            if member.data_bytes is not None:
                used = ((point.in_use, point.in_use, point.in_use) for point in self._points)
                figures["data_bytes"] = compared(member.data_bytes, used)
            if member.total_bytes is not None:
                files = ((point.least, point.length, point.length) for point in self._points)
                figures["total_bytes"] = compared(member.total_bytes, files)
        if member.data_bytes is not None:
            figures["defragment_seconds"] = defragment_seconds(member.data_bytes, self._asked)
        if member.watch_streams is not None:
            figures["watch_streams_bytes"] = stream_bytes(member.watch_streams, self._asked)
        return ModelledMember(etcd_version=self._asked.etcd_version, memory_limit_bytes=self._limit, **figures)


def compared(measured: float, ranges: Iterable[_Range]) -> ComparedFigure:
    """Return a figure beside the ranges of all points together; the first point is the likely one."""
    lows, likely, highs = zip(*ranges)
    low, high = min(lows), _finite(max(highs))
    verdict: Verdict = "below" if measured < low else "above" if measured > high else "within"
    return ComparedFigure(measured=measured, low=low, likely=likely[0], high=high, verdict=verdict)


def _finite(figure: float) -> float:
    if not figure < math.inf:
        raise OverflowError("the load is beyond all floats")
    return figure


def _is_modelled(version: str, model: CalibratedModel | None) -> bool:
    """Return whether there is a model of a version of etcd: the one that is given, or ours."""
    try:
        load_coefficients(version)
    except OptionError:
        return False
    return model is None or model.etcd_version == minor_version(version)


def _point(load: Load, case: Case) -> _Point:
    """Return a point with what it takes of the file."""
    sums = sums_of(load, case.values.defragment_keys)
    file = file_of(load, sums, case)
    least = math.fsum(file["in_use_bytes"])
    return _Point(
        load, sums, case, least, least + math.fsum(file["history_bytes"]), math.fsum(file["high_water_bytes"])
    )


def _history_of(observation: Observation, profile: Profile) -> tuple[dict[str, Any], ...] | None:
    """Return the history that the members hold now: the fields of a load, low, likely and high. None: unknown.

    All members apply the same writes and compactions, though not at the same moment.
    """
    if profile.keys is None and not profile.objects:
        return None
    counts = [(one.keys, one.history_revisions) for one in observation.members if one.keys]
    known = [(keys, revisions) for keys, revisions in counts if revisions is not None]
    if not known:
        return None
    # Some or none of the revisions since the last compaction are those of keys that exist.
    low = min(max(0.0, revisions - keys) for keys, revisions in known)
    high = max(revisions for _, revisions in known)
    keys = max(keys for keys, _ in known)
    rate = None if profile.writes_per_second is None else profile.writes_per_second.likely
    return tuple(
        {"revisions_per_key": 1 + replaced / keys, "history_seconds": replaced / rate if rate else 0.0}
        for replaced in (low, (low + high) / 2, high)
    )


def _of_member(point: _Point, member: MemberLoad, profile: Profile) -> _Point:
    """Return a point with the load of one member: its own watches, no more clients than open files, and no lists."""
    given: dict[str, Any] = {"concurrent_lists": 0.0}
    watchers, streams = member.watchers, member.watch_streams
    if watchers is not None and streams is not None and (streams or not watchers):
        given |= {"watchers": watchers, "watch_streams": streams}
    most = [member.open_files, profile.clients if profile.clients_bound != "estimate" else None]
    known = [count for count in most if count is not None]
    if known:
        given["clients"] = min(known) if point.case.number else 0.0
    return point._replace(load=point.load._replace(**given))


def _memory(point: _Point, member: MemberLoad) -> tuple[_Range, _Range]:
    """Return the heap, and the memory of the process, of a member at one point of its load.

    The least heap is that of a member that has just started, whose log and last commit are short. What is live has up
    to as much garbage beside it, half of it likely. Of the file, nothing has been read yet, or all of it.
    """
    file_bytes = point.length if member.total_bytes is None else member.total_bytes
    figures = memory_of(point.load, point.sums, point.case, file_bytes)
    base, index, _, connections, watches, leases, *_ = figures["heap_bytes"]
    started = math.fsum((_STARTED * base, index, connections, watches, leases)) * point.case.values.heap_margin
    live, garbage = math.fsum(figures["heap_bytes"]), math.fsum(figures["garbage_bytes"])
    cache = math.fsum(figures["page_cache_bytes"])
    likely = math.fsum(figures["steady_bytes"]) - garbage / 2 + cache
    highest = math.fsum(figures["unreclaimable_bytes"]) + cache
    outside = point.case.values.anon_base
    return (started, live + garbage / 2, live + garbage), (started + outside, likely, highest)
