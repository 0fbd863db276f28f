"""Compare the memory and the file of each member with those of the measured model for the same load.

The model is asked without lists: they come and go, and what they take is what a member has beyond the model. The low
end is that of a member that has just started, whose raft log and last commit are still short.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.observation.compared import ComparedFigure, ModelledMember, Verdict
from etcdsize.observation.model import MemberLoad, Observation
from etcdsize.observation.profile import profile_of
from etcdsize.resources.amount import Amount
from etcdsize.resources.calibrated_model import CalibratedModel
from etcdsize.resources.cases import Asked, defragment_seconds, stream_bytes
from etcdsize.resources.coefficients import load_coefficients, minor_version
from etcdsize.resources.profile import Profile, with_fields
from etcdsize.resources.resources import Resources, resources_for

__all__ = ["compared", "modelled_members"]


def modelled_members(
    observation: Observation, profile: Profile, model: CalibratedModel | None
) -> tuple[MemberLoad, ...]:
    """Return the members of a cluster, each with what the model gives for its part of the load."""
    profiles = [profile]
    if profile.objects:
        # The raft log may hold what was written before, of other sizes.
        profiles.append(profile_of(observation, by_kind=False))
    versions = {
        one.version for one in observation.members if one.version is not None and _is_modelled(one.version, model)
    }
    try:
        # What the whole load takes is the same for all members of a version.
        whole = {version: resources_for(profile, etcd_version=version, model=model) for version in versions}
        return tuple(
            member.model_copy(update={"modelled": _modelled(member, profiles, whole[member.version])})
            if member.version in whole
            else member
            for member in observation.members
        )
    except InvalidWorkloadError:
        # Figures that no etcd reports can be too large together; the sizing says so.
        return observation.members


def _modelled(member: MemberLoad, profiles: Sequence[Profile], whole: Resources) -> ModelledMember:
    """Return what the model gives for a member, with what it gives for the whole load."""
    version, model = whole.etcd_version, whole.model
    cases = [resources_for(_of_member(member, each), etcd_version=version, model=model) for each in profiles]
    figures: dict[str, Any] = {}
    if member.heap_bytes is not None and not member.shares_process:
        figures["heap_bytes"] = compared(member.heap_bytes, map(_heap, cases))
    if member.resident_bytes is not None and not member.shares_process:
        figures["resident_bytes"] = compared(member.resident_bytes, (_resident(member, case) for case in cases))
    if _has_keys(profiles[0]) and member.history_revisions is not None:
        if member.data_bytes is not None:
            figures["data_bytes"] = compared(member.data_bytes, map(_in_use, cases))
        if member.total_bytes is not None:
            figures["total_bytes"] = compared(member.total_bytes, map(_file, cases))
    asked = Asked(version, disk_mb_per_second=whole.disk_mb_per_second, model=model)
    if member.data_bytes is not None:
        figures["defragment_seconds"] = defragment_seconds(member.data_bytes, asked)
    if member.watch_streams is not None:
        figures["watch_streams_bytes"] = stream_bytes(member.watch_streams, asked)
    limit = whole.memory.limit_bytes.need
    return ModelledMember(etcd_version=version, memory_limit_bytes=limit, **figures)


_Range = tuple[float, float, float]


def compared(measured: float, ranges: Iterable[_Range]) -> ComparedFigure:
    """Return a figure beside the ranges of all cases together; the first case is the likely one."""
    lows, likely, highs = zip(*ranges)
    low, high = min(lows), max(highs)
    verdict: Verdict = "below" if measured < low else "above" if measured > high else "within"
    return ComparedFigure(measured=measured, low=low, likely=likely[0], high=high, verdict=verdict)


def _has_keys(profile: Profile) -> bool:
    return profile.keys is not None or bool(profile.objects)


def _is_modelled(version: str, model: CalibratedModel | None) -> bool:
    """Return whether there is a model of a version of etcd: the one that is given, or ours."""
    try:
        load_coefficients(version)
    except OptionError:
        return False
    return model is None or model.etcd_version == minor_version(version)


def _of_member(member: MemberLoad, profile: Profile) -> Profile:
    """Return the load of one member: its own watches, no more clients than open files, no lists, and its history."""
    given: dict[str, Any] = {"concurrent_lists": 0, "clients_bound": "exact"}
    if (
        member.watchers is not None
        and member.watch_streams is not None
        and (member.watch_streams or not member.watchers)
    ):
        given |= {"watchers": member.watchers, "watch_streams": member.watch_streams}
    most = [count for count in (profile.clients, member.open_files) if count is not None]
    if profile.clients_bound == "estimate":
        most = most[1:]
    if most:
        given |= {"clients": min(most), "clients_bound": "upper"}
    if _has_keys(profile) and member.keys and member.history_revisions is not None:
        keys, revisions = member.keys, member.history_revisions
        # Some or none of the revisions since the last compaction are those of keys that exist.
        replaced = (max(0.0, revisions - keys), revisions)
        rate = None if profile.writes_per_second is None else profile.writes_per_second.likely
        given |= {
            "revisions_per_key": Amount.of([1 + number / keys for number in replaced]),
            "history_seconds": Amount.of([number / rate for number in replaced]) if rate else 0.0,
        }
    return with_fields(profile, given)


def _heap(resources: Resources) -> _Range:
    """Return the heap: what is live, and up to as much garbage, half of it likely."""
    memory = resources.memory
    likely = memory.heap_bytes.likely + memory.garbage_bytes.likely / 2
    return _least_heap(resources), likely, memory.heap_bytes.high + memory.garbage_bytes.high


def _least_heap(resources: Resources) -> float:
    """Return what the heap of a member that has just started has at least: its log and last commit are short."""
    memory = resources.memory
    return math.fsum(
        part.low for part in (memory.index_bytes, memory.connections_bytes, memory.watches_bytes, memory.leases_bytes)
    )


def _resident(member: MemberLoad, resources: Resources) -> _Range:
    """Return the memory of the process: from a file that nobody has read yet to one that is mapped as a whole."""
    memory, file = resources.memory, resources.file.high_water_bytes
    likely, high = (
        getattr(memory.page_cache_bytes, end)
        + (0.0 if member.total_bytes is None else member.total_bytes - getattr(file, end))
        for end in ("likely", "high")
    )
    return (
        _least_heap(resources),
        memory.steady_bytes.likely - memory.garbage_bytes.likely / 2 + likely,
        memory.unreclaimable_bytes.high + high,
    )


def _in_use(resources: Resources) -> _Range:
    """Return what is in use of the file with the revisions that it has now."""
    use, history = resources.file.in_use_bytes, resources.file.history_bytes
    return use.low + history.low, use.likely + history.likely, use.high + history.high


def _file(resources: Resources) -> _Range:
    """Return the file: as large as with the revisions that it has now."""
    length = resources.file.high_water_bytes
    return resources.file.in_use_bytes.low, length.likely, length.high
