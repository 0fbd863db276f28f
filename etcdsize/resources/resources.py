"""What a load takes of every member: `resources_for` returns `Resources`, each figure with its range and its need."""

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, computed_field, model_validator

from etcdsize.base.checks import count_of, number_of, text_of
from etcdsize.base.model import Answer, Model
from etcdsize.base.notice import Notice
from etcdsize.base.text import shown
from etcdsize.errors import InvalidWorkloadError, OptionError, WorkloadTypeError
from etcdsize.etcd.version_names import DEFAULT_VERSION
from etcdsize.resources.amount import Amount
from etcdsize.resources.answer import (
    Advice,
    AssumptionEffect,
    CpuResources,
    DiskResources,
    FileResources,
    MemoryResources,
    NetworkResources,
    SecondsResources,
    Term,
)
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.calibrated_model import CalibratedModel, model_of
from etcdsize.resources.cases import (
    DISK_MB_PER_SECOND,
    FSYNC_SECONDS,
    Asked,
    Evaluations,
    evaluate_all,
    evaluate_need,
)
from etcdsize.resources.fill import Filled, fill
from etcdsize.resources.model import GROUPS
from etcdsize.resources.notices import profile_notices, resource_notices
from etcdsize.resources.profile import Profile
from etcdsize.resources.resources_text import arithmetic_text, resources_text
from etcdsize.resources.terms_of import terms_of
from etcdsize.workload import Workload

__all__ = ["Resources", "resources_for"]


class _Derived(Model):
    """What an answer works out when it is asked for, as JSON has it."""

    assumptions: tuple[Assumption, ...] | None = None
    terms: dict[str, tuple[Term, ...]] | None = None
    advice: tuple[Advice, ...] | None = None
    assumption_effects: tuple[AssumptionEffect, ...] | None = None


class Resources(Answer):
    """What a load takes of every member, figure by figure. It converts to JSON and back without loss."""

    profile: Annotated[Profile, Field(description="The load, as it was given.")]
    etcd_version: Annotated[str, Field(description="The version of etcd, as it was given.")]
    measured_on: Annotated[
        str | None, Field(description="The patch that the coefficients were measured on. None: taken from another one.")
    ]
    model: Annotated[
        CalibratedModel | None, Field(description="The calibrated model, as it was given. None: the model of etcdsize.")
    ]
    quota_asked: Annotated[int | None, Field(description="The quota that was given. None: none was. [bytes]")]
    quota_bytes: Annotated[int, Field(description="The quota to set: the one that was given, or the need. [bytes]")]
    snapshot_count: Annotated[int, Field(description="The snapshot count, given or etcd's default. [count]")]
    snapshot_catchup_entries: Annotated[
        int,
        Field(
            description="Entries of the raft log that stay in memory when it is trimmed, given or etcd's default. "
            "[count]"
        ),
    ]
    disk_mb_per_second: Annotated[
        float | None, Field(description="The disk's bandwidth. None: unknown, so that a range counts. [MB/s]")
    ]
    fsync_seconds: Annotated[
        float | None, Field(description="How long its fsyncs take. None: unknown, so that a range counts. [s]")
    ]
    file: Annotated[FileResources, Field(description="The database file.")]
    memory: Annotated[MemoryResources, Field(description="The memory.")]
    disk: Annotated[DiskResources, Field(description="The disk.")]
    network: Annotated[NetworkResources, Field(description="The network.")]
    cpu: Annotated[CpuResources, Field(description="The CPU.")]
    seconds: Annotated[SecondsResources, Field(description="How long operations take.")]
    notices: Annotated[tuple[Notice, ...], Field(description="What to know before you rely on this answer.")]

    @model_validator(mode="wrap")
    @classmethod
    def _keep_derived(cls, value: Any, handler: Callable[[Any], "Resources"]) -> "Resources":
        """Keep what JSON has beside the fields: it is worked out only where it is missing."""
        names = _Derived.model_fields.keys() & value if isinstance(value, dict) else set()
        if not names:
            return handler(value)
        derived = _Derived.model_validate({name: value[name] for name in names})
        found = handler({name: part for name, part in value.items() if name not in names})
        found.__dict__.update({name: getattr(derived, name) for name in names})
        return found

    def _find_assumptions(self) -> tuple[Assumption, ...]:
        """What was not given, and what is taken for it."""
        return (*self._filled.assumptions, *_disk_assumptions(self._asked))

    def _find_terms(self) -> dict[str, tuple[Term, ...]]:
        """The terms of every figure, by its name, such as `memory.limit_bytes`."""
        found, table = self._evaluations, self._asked.table
        return {
            f"{group}.{figure}": terms_of(group, figure, kinds, found, table)
            for group, figures in GROUPS.items()
            for figure, kinds in figures.items()
        }

    def _find_advice(self) -> tuple[Advice, ...]:
        """Changes that help more than a larger machine does, each with its effect; none where none matters."""
        # Imported here because only some answers are asked for it.
        from etcdsize.resources.advice import advice_for

        return advice_for(self._filled.need, self._asked)

    def _find_assumption_effects(self) -> tuple[AssumptionEffect, ...]:
        """The quota and the memory limit at both ends of every assumption."""
        return tuple(self._effect(assumption) for assumption in self.assumptions if not assumption.value.is_exact)

    assumptions: ClassVar[functools.cached_property[tuple[Assumption, ...]]] = computed_field(
        description="What was not given, and what is taken for it."
    )(functools.cached_property(_find_assumptions))
    terms: ClassVar[functools.cached_property[dict[str, tuple[Term, ...]]]] = computed_field(
        description="The terms of every figure, such as memory.limit_bytes."
    )(functools.cached_property(_find_terms))
    advice: ClassVar[functools.cached_property[tuple[Advice, ...]]] = computed_field(
        description="Changes that help more than a larger machine does."
    )(functools.cached_property(_find_advice))
    assumption_effects: ClassVar[functools.cached_property[tuple[AssumptionEffect, ...]]] = computed_field(
        description="The needs at both ends of every assumption."
    )(functools.cached_property(_find_assumption_effects))

    def _effect(self, assumption: Assumption) -> AssumptionEffect:
        ends = []
        for value in (assumption.value.low, assumption.value.high):
            load, asked = self._filled.need, self._asked
            if assumption.field == "disk_mb_per_second":
                asked = asked._replace(disk_mb_per_second=value)
            elif assumption.field == "fsync_seconds":
                asked = asked._replace(fsync_seconds=value)
            else:
                load = fill(self.profile, assume={assumption.field: value}).need
            ends.append(evaluate_need(load, asked))
        low, high = ends
        return AssumptionEffect(
            field=assumption.field,
            quota_low_bytes=math.fsum(low.groups["file"]["quota_bytes"]),
            quota_high_bytes=math.fsum(high.groups["file"]["quota_bytes"]),
            limit_low_bytes=math.fsum(low.groups["memory"]["limit_bytes"]),
            limit_high_bytes=math.fsum(high.groups["memory"]["limit_bytes"]),
        )

    def arithmetic(self, figure: str) -> str:
        """Return the need of a figure as the sum of its terms, in one line.

        Parameters
        ----------
        figure : str
            Its name, such as `"memory.limit_bytes"`.

        Raises
        ------
        OptionError
            If there is no such figure.

        Examples
        --------
        >>> resources_for(Profile(keys=1000, value_bytes=1000)).arithmetic("disk.volume_bytes")
        '2.15 GB file + 2.15 GB snapshot + 2.15 GB defragmentation + 384 MB WAL + 758 MB free = 7.58 GB'
        """
        terms = self.terms.get(text_of("figure", figure))
        if terms is None:
            raise OptionError(
                f"figure: got {shown(figure)}, expected one of {', '.join(self.terms)}", option="figure", value=figure
            )
        return arithmetic_text(figure, terms)

    def explain(self) -> str:
        """Return every figure with its terms, the assumptions, the advice and the notices, as text."""
        return resources_text(self)

    @property
    def _asked(self) -> Asked:
        return Asked(
            self.etcd_version,
            self.quota_asked,
            self.snapshot_count,
            self.disk_mb_per_second,
            self.fsync_seconds,
            self.model,
            self.snapshot_catchup_entries,
        )

    @functools.cached_property
    def _filled(self) -> Filled:
        return fill(self.profile)

    @functools.cached_property
    def _evaluations(self) -> Evaluations:
        return evaluate_all(self._filled, self._asked)


_DISK_FIELDS = {"disk_mb_per_second": DISK_MB_PER_SECOND, "fsync_seconds": FSYNC_SECONDS}


def resources_for(
    profile: Workload,
    *,
    etcd_version: str = DEFAULT_VERSION,
    quota_bytes: int | None = None,
    snapshot_count: int | None = None,
    snapshot_catchup_entries: int | None = None,
    disk_mb_per_second: float | None = None,
    fsync_seconds: float | None = None,
    model: str | Path | CalibratedModel | None = None,
) -> Resources:
    """Return what a load takes of every member: file, memory, disk, network, CPU and the time of operations.

    Parameters
    ----------
    profile : Profile or Workload
        The load. What it does not know is filled or assumed; the answer lists every assumption.
    etcd_version : str
        Such as `"3.6"`, `"3.6.16"` or `"v3.6.16"`.
    quota_bytes : int, optional
        The quota, if it is set already. [bytes]
    snapshot_count : int, optional
        etcd's setting of that name; None for its default. [count]
    snapshot_catchup_entries : int, optional
        etcd's setting of that name (`experimental-snapshot-catchup-entries` from 3.5.14 to 3.6): the entries of the
        raft log that stay in memory for followers that fall behind. [count] None for its default.
    disk_mb_per_second : number, optional
        The disk's bandwidth. [MB/s] None if it is unknown, as for `fsync_seconds`: then that of the model counts, or
        else a range.
    fsync_seconds : number, optional
        How long an fsync takes on it, at the 99th percentile. [s]
    model : str, Path or CalibratedModel, optional
        What `calibrate` measured on a machine of yours, as it is or in its file. None is the model of etcdsize.

    Raises
    ------
    InvalidWorkloadError
        If a figure of what it takes is no longer a number.
    WorkloadTypeError
        For anything but a profile or a workload.
    OptionError
        For an unknown version, for figures of the disk or settings that are not above 0, for a setting that the
        version lacks, or for a model of another version.
    TableError
        If the file of the model cannot be read.

    References
    ----------
    docs/resources.md: the formulas, how each coefficient is known, and how far the model is from real members.

    Examples
    --------
    >>> found = resources_for(Profile(keys=5_700_000, value_bytes=1000, puts_per_commit=100))
    >>> found.file.in_use_bytes.need > 7.8e9, found.quota_bytes > 8 * 2**30
    (True, True)
    """
    if not isinstance(profile, Workload):
        raise WorkloadTypeError(
            f"profile: got {shown(profile)} of type {type(profile).__name__}, expected a Profile or a Workload",
            value=profile,
        )
    if not isinstance(profile, Profile):
        profile = Profile(**profile.model_dump())
    own = model_of(model, etcd_version)
    table = Asked(etcd_version, model=own).table
    count = (
        int(table.spread.likely.default_snapshot_count)
        if snapshot_count is None
        else count_of("snapshot_count", snapshot_count)
    )
    catch_up = int(table.spread.likely.raft_kept_after)
    if snapshot_catchup_entries is not None:
        catch_up = _catch_up_of(etcd_version, snapshot_catchup_entries)
    asked = Asked(
        etcd_version,
        None if quota_bytes is None else count_of("quota_bytes", quota_bytes),
        count,
        _positive("disk_mb_per_second", disk_mb_per_second),
        _positive("fsync_seconds", fsync_seconds),
        own,
        catch_up,
    ).with_disk_of_model()
    # A time that is given is a percentile; of its own fsyncs, a model knows the mean as well.
    fsync_p99 = asked.fsync_seconds
    if fsync_seconds is None and own is not None and own.disk is not None:
        fsync_p99 = own.disk.fsync_p99_seconds
    filled = fill(profile)
    try:
        found = evaluate_all(filled, asked)
        figures = _figures(found)
        # The terms add up to a whole number of bytes but for the last digits of a float.
        figures["file"]["quota_bytes"] = {end: round(value) for end, value in figures["file"]["quota_bytes"].items()}
        quota = figures["file"]["quota_bytes"]["need"] if asked.quota_bytes is None else asked.quota_bytes
        figures["file"] |= _until_full(found, quota)
        figures["disk"]["writes_possible_per_second"] = _writes_possible(found)
        file, disk = FileResources.model_validate(figures["file"]), DiskResources.model_validate(figures["disk"])
        memory = MemoryResources.model_validate(figures["memory"])
        network = NetworkResources.model_validate(figures["network"])
        cpu = CpuResources.model_validate({**figures["cpu"], "machine": table.cpu_machine})
        seconds = SecondsResources.model_validate(figures["seconds"])
    except (OverflowError, ValueError):
        # Python rounds neither infinity nor NaN, and no figure may be one of them.
        raise _too_large() from None
    # Every part is validated already; a schema of all of them takes long to build, and only JSON needs it.
    resources = Resources.model_construct(
        profile=profile,
        etcd_version=etcd_version,
        measured_on=table.measured_on,
        model=own,
        quota_asked=asked.quota_bytes,
        quota_bytes=quota,
        snapshot_count=count,
        snapshot_catchup_entries=catch_up,
        disk_mb_per_second=asked.disk_mb_per_second,
        fsync_seconds=asked.fsync_seconds,
        file=file,
        memory=memory,
        disk=disk,
        network=network,
        cpu=cpu,
        seconds=seconds,
        notices=(
            *resource_notices(
                quota,
                file.high_water_bytes,
                disk,
                disk_mb_per_second=asked.disk_mb_per_second,
                fsync_seconds=fsync_p99,
            ),
            *profile_notices(profile, filled.need),
        ),
    )
    resources.__dict__.update(_filled=filled, _evaluations=found)
    return resources


def _catch_up_of(etcd_version: str, entries: int) -> int:
    """Return the entries that stay in the raft log, if the version has a setting for them."""
    # Imported here because the table of versions takes time to load.
    from etcdsize.etcd.flags import CATCH_UP_FLAGS
    from etcdsize.etcd.versions import load_versions

    entries = count_of("snapshot_catchup_entries", entries)
    versions = load_versions()
    version = versions.version(etcd_version)
    if not any(version.has(versions.flags_by_name[name]) for name in CATCH_UP_FLAGS):
        raise OptionError(
            f"snapshot_catchup_entries: got {entries} for etcd {version}, which has no such setting and keeps 5000; "
            "leave it out, or ask for 3.5.14 or later",
            option="snapshot_catchup_entries",
            value=entries,
        )
    return entries


def _positive(option: str, value: float | None) -> float | None:
    return None if value is None else float(number_of(option, value, positive=True))


def _too_large() -> InvalidWorkloadError:
    return InvalidWorkloadError(
        "profile: what it takes is no longer a number; check the units of the load and of the disk"
    )


def _figures(found: Evaluations) -> dict[str, dict[str, Any]]:
    """Return the range and the need of every figure, by group."""
    evaluations = (found.need, found.likely, *found.ends)
    figures: dict[str, dict[str, Any]] = {}
    for group, names in GROUPS.items():
        # The figures of an evaluation stand in the order of their names.
        # The need is one of the values: the table of bytes a revision is simulated, and not quite monotone in the puts
        # a commit, so that a point between the extreme ones can take a few percent more than they do.
        # With TLS and without it, all but the memory is one and the same.
        parts = [evaluation.groups[group] for evaluation in evaluations]
        parts = [one for one, before in zip(parts, [None, *parts]) if one is not before]
        totals = [list(map(math.fsum, one.values())) for one in parts]
        needs, likely, *_ = totals
        figures[group] = {
            name: {"low": low, "likely": usual, "high": high, "need": need}
            for name, low, usual, high, need in zip(names, map(min, *totals), likely, map(max, *totals), needs)
        }
    return figures


def _writes_possible(found: Evaluations) -> dict[str, float]:
    """Return how many writes a second the disk lets the clients complete."""
    likely = found.likely.writes_possible
    values = (likely, *(end.writes_possible for end in found.ends))
    return {"low": min(values), "likely": likely, "high": max(values)}


def _until_full(found: Evaluations, quota_bytes: int) -> dict[str, dict[str, float | None]]:
    """Return when the quota is full, without compaction and with it."""

    def hours(seconds: float) -> float | None:
        return seconds / 3600 if seconds < math.inf else None

    usual = found.likely.until_full(quota_bytes)
    all_cases = [usual, *(end.until_full(quota_bytes) for end in found.ends)]
    return {
        name: {
            "soonest_hours": hours(min(case[which] for case in all_cases)),
            "likely_hours": hours(usual[which]),
            "latest_hours": hours(max(case[which] for case in all_cases)),
        }
        for which, name in enumerate(("full_without_compaction", "full"))
    }


def _disk_assumptions(asked: Asked) -> tuple[Assumption, ...]:
    return tuple(_DISK_ASSUMPTIONS[field] for field in _DISK_FIELDS if getattr(asked, field) is None)


_DISK_ASSUMPTIONS = {
    field: Assumption(
        field=field,
        value=Amount(low=values[0], likely=values[1], high=values[2]),
        why="Nobody said how fast the disk is: a slow network disk, AWS gp3 and a local SSD.",
        source="our choice; data/machines-current, write_latency of gp3, and etcd's FAQ",
    )
    for field, values in _DISK_FIELDS.items()
}
