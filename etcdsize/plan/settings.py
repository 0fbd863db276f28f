"""From a sizing to etcd's settings: the flags to set for one version, each with its reason and its source.

Every figure names its source in etcd's documentation or code, or is marked as our choice.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from etcdsize.base.checks import text_of, true_or_false
from etcdsize.base.model import Answer, Model
from etcdsize.base.notice import Notice
from etcdsize.base.text import one_line, shown
from etcdsize.errors import OptionError, PlanError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import CATCH_UP_FLAGS, flag_text
from etcdsize.etcd.notices import version_notices
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES, LARGEST_QUOTA_BYTES, quota_text
from etcdsize.etcd.versions import EtcdVersion, load_versions
from etcdsize.fitting.load_need import disk_need, load_need, memory_text
from etcdsize.fitting.need import DiskNeed
from etcdsize.plan.chosen_settings import (
    RTTS_PER_ELECTION,
    choose_compaction,
    choose_quota,
    choose_snapshot_count,
    choose_timing,
    history_kept,
    retention_seconds,
    rtt_of,
)
from etcdsize.plan.flag_combinations import setting_of
from etcdsize.plan.flag_rules import check_flags, read_extra_flags
from etcdsize.plan.notices import election_notices, flag_notices, memory_notices, timing_notices
from etcdsize.resources.answer import FileResources, MemoryResources
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.fill import fill
from etcdsize.resources.notices import REQUEST_TOO_LARGE, request_notices
from etcdsize.resources.profile import Profile, with_fields
from etcdsize.resources.resources import Resources, resources_for
from etcdsize.sizing.answer import Sizing, needs_with
from etcdsize.sizing.basis import compare_needs, need_by
from etcdsize.sizing.load_profile import profile_for
from etcdsize.workload import Workload

__all__ = ["EtcdSettings", "Setting", "settings_for"]

_GIB = 1024**3
_GIVEN = "your extra_flags, or --set"


class Setting(Model):
    """One flag to set, with the reason."""

    name: Annotated[str, Field(description="The flag, without its two hyphens.")]
    value: Annotated[Value, Field(description="Its value.")]
    why: Annotated[str, Field(description="The reason.")]
    source: Annotated[str, Field(description="The source of the reason.")]
    is_default: Annotated[bool, Field(description="Whether this version of etcd does the same without it.")]
    is_given: Annotated[bool, Field(description="Whether it is one of `extra_flags`, and not our choice.")] = False


class EtcdSettings(Answer):
    """The settings for a cluster, the same for every member."""

    etcd_version: Annotated[EtcdVersion, Field(description="The version of etcd that they are for.")]
    settings: Annotated[dict[str, Setting], Field(description="The settings, by the flag's name.")]
    profile: Annotated[Profile, Field(description="The load that they are for.")]
    assumptions: Annotated[tuple[Assumption, ...], Field(description="What was not given, and what is taken for it.")]
    file: Annotated[FileResources, Field(description="The database file, as far as the load takes it.")]
    memory: Annotated[MemoryResources, Field(description="The memory of the process, with the limit to set.")]
    memory_because: Annotated[str, Field(description="The memory limit and what it is made of, in one line.")]
    disk: Annotated[DiskNeed, Field(description="The size of the disk.")]
    notices: Annotated[tuple[Notice, ...], Field(description="Warnings and remarks.")]

    def setting(self, name: str) -> Setting:
        """Return one setting by name.

        Parameters
        ----------
        name : str
            The flag, without its two hyphens.

        Raises
        ------
        OptionError
            If this version of etcd lacks the flag, or the settings leave it at its default.

        Examples
        --------
        >>> from etcdsize import settings_for, size
        >>> settings_for(size(data_bytes="4GB"), etcd_version="3.6").setting("max-snapshots")
        Traceback (most recent call last):
        etcdsize.errors.OptionError: settings: "max-snapshots" keeps the default of etcd 3.6, 5; the settings are \
quota-backend-bytes, snapshot-count, auto-compaction-mode, auto-compaction-retention, heartbeat-interval, \
election-timeout
        """
        found = self.settings.get(text_of("name", name))
        if found is None:
            default = setting_of(self.etcd_version, {}, name)
            raise OptionError(
                f"settings: {shown(name)} keeps the default of etcd {self.etcd_version}, {shown(default)}; "
                f"the settings are {', '.join(self.settings)}",
                option="name",
                value=name,
            )
        return found

    @property
    def changed(self) -> tuple[Setting, ...]:
        """The settings that differ from this version's defaults."""
        return tuple(setting for setting in self.settings.values() if not setting.is_default)

    @property
    def flags(self) -> tuple[str, ...]:
        """The settings that are changed or given as arguments for etcd, such as `--heartbeat-interval=150`."""
        return tuple(
            f"--{setting.name}={flag_text(setting.value)}"
            for setting in self.settings.values()
            if setting.is_given or not setting.is_default
        )

    @property
    def quota_backend_bytes(self) -> int:
        """The maximum size of the database. [bytes]"""
        return self._integer("quota-backend-bytes") or DEFAULT_QUOTA_BYTES

    @property
    def snapshot_count(self) -> int:
        """The number of raft log entries between two snapshots. [count]"""
        return self._integer("snapshot-count") or int(setting_of(self.etcd_version, {}, "snapshot-count"))

    @property
    def heartbeat_interval_ms(self) -> int:
        """The interval of the leader's heartbeats. [ms]"""
        return self._integer("heartbeat-interval")

    @property
    def election_timeout_ms(self) -> int:
        """How long a member waits for a heartbeat before it starts an election. [ms]"""
        return self._integer("election-timeout")

    @property
    def memory_gib(self) -> int:
        """The memory limit of the process, rounded up. [GiB]"""
        return -(-int(self.memory.limit_bytes.need) // _GIB)

    def explain(self) -> str:
        """Return every setting with its reason, the memory and the notices, as text."""
        lines = [f"etcd {self.etcd_version} ({self.etcd_version.evidence})."]
        for setting in self.settings.values():
            default = " (the default)" if setting.is_default else ""
            lines.append(f"--{setting.name}={flag_text(setting.value)}{default}: {setting.why} [{setting.source}]")
        lines.append(f"Memory for the process: {self.memory_because}.")
        lines.extend(f"Notice ({notice.code}): {notice.text}" for notice in self.notices)
        return "\n".join(map(one_line, lines))

    def _integer(self, name: str) -> int:
        return int(self.settings[name].value)


def settings_for(
    sizing: Sizing,
    *,
    etcd_version: str | None = None,
    kubernetes: bool = False,
    peer_rtt_ms: float | None = None,
    extra_flags: Mapping[str, Value] | None = None,
) -> EtcdSettings:
    """Return the settings for every member of a cluster, with reasons and sources.

    Parameters
    ----------
    sizing : Sizing
        The answer of `size`. The quota and the memory are those that its load takes by the measured model, or by the
        calibrated model of the sizing; it lists what it assumes.
    etcd_version : str, optional
        Such as `"3.6"`, `"3.6.16"` or `"v3.6.16"`. None is the version of the sizing.
    kubernetes : bool
        Whether the cluster serves Kubernetes, whose API server compacts the history itself. This is implied for a
        sizing by Kubernetes nodes.
    peer_rtt_ms : number, optional
        The largest average round-trip time between two members. [ms] With None, etcd's defaults for one network stay.
    extra_flags : mapping of str to bool, int or str, optional
        Flags of your own and their values, as in `ClusterPlan`. They replace our choice, and what follows from it:
        ten heartbeats make an election timeout, and the quota is part of the memory.

    Raises
    ------
    OptionError
        If the version is unknown, or not that of the sizing's model, or the RTT is too long for any election timeout.
    PlanError
        If etcd would refuse one of `extra_flags`, or a plan sets it itself.

    References
    ----------
    etcd-io/website content/en/docs/v3.5/tuning.md, op-guide/maintenance.md, dev-guide/limit.md

    Examples
    --------
    >>> from etcdsize import size
    >>> found = settings_for(size(clients=300, data_bytes="4GB"), peer_rtt_ms=150)
    >>> found.heartbeat_interval_ms, found.election_timeout_ms
    (150, 1500)
    >>> [setting.name for setting in found.changed]
    ['quota-backend-bytes', 'auto-compaction-retention', 'heartbeat-interval', 'election-timeout']
    """
    if not isinstance(sizing, Sizing):
        raise OptionError(
            f"sizing: got {shown(sizing)} of type {type(sizing).__name__}, expected the answer of size()",
            option="sizing",
            value=sizing,
        )
    true_or_false("kubernetes", kubernetes)
    version = load_versions().version(sizing.etcd_version if etcd_version is None else etcd_version)
    given = read_extra_flags({} if extra_flags is None else extra_flags)
    rtt = rtt_of(peer_rtt_ms)
    by_server = kubernetes or sizing.kubernetes_nodes is not None
    resources = resources_for(
        _with_given_history(profile_for(sizing.workload, sizing.kubernetes_nodes, kubernetes), given),
        etcd_version=str(version),
        quota_bytes=_count_given(given, "quota-backend-bytes"),
        snapshot_count=_count_given(given, "snapshot-count"),
        snapshot_catchup_entries=_catch_up_given(version, given),
        model=sizing.model,
    )

    if "quota-backend-bytes" not in given and resources.quota_bytes > LARGEST_QUOTA_BYTES:
        raise PlanError(
            f"quota-backend-bytes: got {quota_text(resources.quota_bytes)} for this load, expected at most "
            f"{quota_text(LARGEST_QUOTA_BYTES)}, with which etcd starts; split the data among several clusters",
            field="quota-backend-bytes",
            value=resources.quota_bytes,
        )
    chosen = [
        choose_quota(resources),
        choose_snapshot_count(version),
        *choose_compaction(by_server, resources),
        *choose_timing(rtt, given.get("heartbeat-interval")),
    ]
    ours = {name: _setting(version, name, value, why, source) for name, value, why, source in chosen}
    check_flags(version, _without_given(ours, given), given)
    settings = dict(ours)
    for name, value in given.items():
        why = _why_given(ours.get(name), value)
        settings[name] = _setting(version, name, value, why, _GIVEN, is_given=True)
    found = {name: setting.value for name, setting in settings.items()}
    heartbeat, election = int(found["heartbeat-interval"]), int(found["election-timeout"])
    needs = needs_with(sizing, load_need(sizing.tier, sizing.needs["load"].data_bytes, resources))
    disk = need_by(sizing.tier, sizing.basis, needs, sizing.load_decides).disk
    return EtcdSettings(
        etcd_version=version,
        settings=settings,
        profile=resources.profile,
        assumptions=resources.assumptions,
        file=resources.file,
        memory=resources.memory,
        memory_because=memory_text(resources),
        disk=disk_need(resources) if disk is None else disk,
        notices=(
            *version_notices(version),
            *_notices_with_limit(resources, given),
            *memory_notices(needs["load"], sizing.machines.values(), resources),
            *election_notices(election, rtt, RTTS_PER_ELECTION),
            *flag_notices(version, given),
            *timing_notices(heartbeat, election),
            compare_needs(needs, sizing.basis, sizing.load_decides, sizing.workload, sizing.kubernetes_nodes),
        ),
    )


def _setting(version: EtcdVersion, name: str, value: Value, why: str, source: str, is_given: bool = False) -> Setting:
    if name == "quota-backend-bytes":
        # 0 means 2 GiB.
        is_default = (value or DEFAULT_QUOTA_BYTES) == DEFAULT_QUOTA_BYTES
    else:
        is_default = name in load_versions().flags_by_name and value == setting_of(version, {}, name)
    return Setting(name=name, value=value, why=why, source=source, is_default=is_default, is_given=is_given)


def _why_given(ours: Setting | None, value: Value) -> str:
    """Return the reason of a setting that the user chose."""
    if ours is None or ours.value == value:
        return "You set it."
    return f"You set it; our choice is {flag_text(ours.value)}."


def _without_given(ours: Mapping[str, Setting], given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values of our settings that hold beside the user's own."""
    without = set(given)
    # Our retention is a time.
    if given.get("auto-compaction-mode") == "revision":
        without.add("auto-compaction-retention")
    return {name: one.value for name, one in ours.items() if name not in without}


def _count_given(given: Mapping[str, Value], name: str) -> int | None:
    """Return a count that the user chose; None where there is none, for etcd's default, and for what is refused."""
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_QUOTA_BYTES:
        return None
    return value or (DEFAULT_QUOTA_BYTES if name == "quota-backend-bytes" else None)


def _catch_up_given(version: EtcdVersion, given: Mapping[str, Value]) -> int | None:
    """Return the entries of the raft log for slow followers that the user chose, by the flags that the version has."""
    known = load_versions().flags_by_name
    found = [_count_given(given, name) for name in CATCH_UP_FLAGS if name in given and version.has(known[name])]
    return found[0] if found else None


def _notices_with_limit(resources: Resources, given: Mapping[str, Value]) -> tuple[Notice, ...]:
    """Return the notices about the load, with the limit for a request that the user chose."""
    limit = _count_given(given, "max-request-bytes")
    if limit is None:
        return resources.notices
    others = [notice for notice in resources.notices if notice.code != REQUEST_TOO_LARGE.code]
    return (*others, *request_notices(resources.profile, fill(resources.profile).need, limit))


def _with_given_history(profile: Workload, given: Mapping[str, Value]) -> Workload:
    """Return the load with the history that the user's own retention keeps."""
    retention = given.get("auto-compaction-retention")
    if given.get("auto-compaction-mode", "periodic") != "periodic" or not isinstance(retention, str):
        return profile
    seconds = retention_seconds(retention)
    if not seconds:
        return profile
    return with_fields(profile, {"history_seconds": (seconds, history_kept(seconds))})
