"""From a sizing to etcd's settings: the flags to set for one version, each with its reason and its source.

Every figure names its source in etcd's documentation or code, or is marked as our choice.
"""

import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from etcdsize.base.checks import text_of, true_or_false
from etcdsize.base.model import Answer, Model, NotNegative
from etcdsize.base.notice import Notice
from etcdsize.base.text import one_line, shown
from etcdsize.errors import OptionError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import flag_text
from etcdsize.etcd.notices import version_notices
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES
from etcdsize.etcd.version_names import DEFAULT_VERSION
from etcdsize.etcd.versions import EtcdVersion, load_versions
from etcdsize.fitting.storage import ENTRY_BYTES
from etcdsize.plan.chosen_settings import (
    RTTS_PER_ELECTION,
    choose_compaction,
    choose_quota,
    choose_snapshot_count,
    choose_timing,
    rtt_of,
)
from etcdsize.plan.flag_combinations import setting_of
from etcdsize.plan.flag_rules import check_flags, read_extra_flags
from etcdsize.plan.notices import flag_notices, load_notices, settings_notices, timing_notices
from etcdsize.sizing.size import Sizing

__all__ = ["EtcdSettings", "Memory", "Setting", "settings_for"]

_GIB = 1024**3
_GIVEN = "your extra_flags, or --set"

# etcd-io/etcd server/etcdserver/server.go, DefaultSnapshotCatchUpEntries: the entries that are kept after a snapshot of
# the log, for slow members.
_CATCH_UP_ENTRIES = 5_000
_CATCH_UP_FLAGS = ("snapshot-catchup-entries", "experimental-snapshot-catchup-entries")
# etcd's index of keys is in memory: 300 bytes for each kilobyte of the database (our choice: we measured about 250
# bytes for a key of 45 bytes on 3.5.1, with values of about a kilobyte).
_INDEX_BYTES = 300
_KEY_VALUE_BYTES = 1_000
# etcd-io/website content/en/docs/v3.5/benchmarks/etcd-3-watch-memory-benchmark.md, as measured there: a connection, a
# watch stream, a watch. Ten streams a client with ten watches each (our choice; the page aims at O(10) and O(100)).
_CONNECTION_BYTES, _STREAM_BYTES, _WATCH_BYTES = 17_000, 18_000, 350
_STREAMS, _WATCHES = 10, 10


class Setting(Model):
    """One flag to set, with the reason."""

    name: Annotated[str, Field(description="The flag, without its two hyphens.")]
    value: Annotated[Value, Field(description="Its value.")]
    why: Annotated[str, Field(description="The reason.")]
    source: Annotated[str, Field(description="The source of the reason.")]
    is_default: Annotated[bool, Field(description="Whether this version of etcd does the same without it.")]
    is_given: Annotated[bool, Field(description="Whether it is one of `extra_flags`, and not our choice.")] = False


class Memory(Model):
    """An estimate of the memory that one member's process needs, part by part; most figures are our choice."""

    database_bytes: Annotated[int, Field(description="The database at its maximum, the quota: etcd maps all of it.")]
    index_bytes: Annotated[
        int, Field(description="The index of keys: 300 bytes for each kilobyte of the database (our choice).")
    ]
    raft_bytes: Annotated[
        int, Field(description="The raft log entries kept until a snapshot, at 10 kB each (our choice). [bytes]")
    ]
    clients_bytes: Annotated[
        int,
        Field(description="The connections, each with ten watch streams and a hundred watches (our choice). [bytes]"),
    ]
    garbage_bytes: Annotated[
        int, Field(description="As much as the last three: Go collects garbage when the heap has doubled (GOGC=100).")
    ]
    memory_bytes: Annotated[int, Field(description="The sum. [bytes]")]
    memory_gib: Annotated[int, Field(description="The sum, rounded up to whole GiB. [GiB]")]

    def explain(self) -> str:
        """Return the calculation in one line.

        Examples
        --------
        >>> from etcdsize import settings_for, size
        >>> settings_for(size(clients=100, data_bytes="100MB")).memory.explain()
        '2 GiB database + 0.6 GiB index + 0.14 GiB raft log + 0.02 GiB clients + 0.76 GiB garbage = 4 GiB'
        """
        parts = [
            (self.database_bytes, "database"),
            (self.index_bytes, "index"),
            (self.raft_bytes, "raft log"),
            (self.clients_bytes, "clients"),
            (self.garbage_bytes, "garbage"),
        ]
        terms = " + ".join(f"{round(count / _GIB, 2):g} GiB {name}" for count, name in parts)
        return f"{terms} = {self.memory_gib} GiB"


class EtcdSettings(Answer):
    """The settings for a cluster, the same for every member."""

    etcd_version: Annotated[EtcdVersion, Field(description="The version of etcd that they are for.")]
    settings: Annotated[dict[str, Setting], Field(description="The settings, by the flag's name.")]
    memory: Annotated[Memory, Field(description="The memory that the process needs.")]
    clients: Annotated[NotNegative, Field(description="The clients that they are for. [count]")]
    data_bytes: Annotated[NotNegative, Field(description="The data that they are for. [bytes]")]
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

    def explain(self) -> str:
        """Return every setting with its reason, the memory and the notices, as text."""
        lines = [f"etcd {self.etcd_version} ({self.etcd_version.evidence})."]
        for setting in self.settings.values():
            default = " (the default)" if setting.is_default else ""
            lines.append(f"--{setting.name}={flag_text(setting.value)}{default}: {setting.why} [{setting.source}]")
        lines.append(f"Memory for the process: {self.memory.explain()}.")
        lines.extend(f"Notice ({notice.code}): {notice.text}" for notice in self.notices)
        return "\n".join(map(one_line, lines))

    def _integer(self, name: str) -> int:
        return int(self.settings[name].value)


def settings_for(
    sizing: Sizing,
    *,
    etcd_version: str = DEFAULT_VERSION,
    kubernetes: bool = False,
    peer_rtt_ms: float | None = None,
    extra_flags: Mapping[str, Value] | None = None,
) -> EtcdSettings:
    """Return the settings for every member of a cluster, with reasons and sources.

    Parameters
    ----------
    sizing : Sizing
        The answer of `size`. If it does not know data or clients, the tier's upper bound counts.
    etcd_version : str
        Such as `"3.6"`, `"3.6.16"` or `"v3.6.16"`.
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
        If the version is unknown, or the RTT is too long for any election timeout.
    PlanError
        If etcd would refuse one of `extra_flags`, or a plan sets it itself.

    References
    ----------
    etcd-io/website content/en/docs/v3.5/tuning.md, op-guide/maintenance.md, dev-guide/limit.md

    Examples
    --------
    >>> from etcdsize import size
    >>> found = settings_for(size(clients=300, data_bytes="4GB"), peer_rtt_ms=150)
    >>> found.quota_backend_bytes, found.heartbeat_interval_ms, found.election_timeout_ms, found.memory.memory_gib
    (5368709120, 150, 1500, 9)
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
    version = load_versions().version(etcd_version)
    given = read_extra_flags({} if extra_flags is None else extra_flags)
    rtt = rtt_of(peer_rtt_ms)
    clients, data, assumed = _loads(sizing)

    chosen = [
        choose_quota(data),
        choose_snapshot_count(version),
        *choose_compaction(kubernetes or sizing.kubernetes_nodes is not None),
        *choose_timing(rtt, given.get("heartbeat-interval")),
    ]
    ours = {name: _setting(version, name, value, why, source) for name, value, why, source in chosen}
    check_flags(version, _without_given(ours, given), given)
    settings = dict(ours)
    for name, value in given.items():
        why = _why_given(ours.get(name), value)
        settings[name] = _setting(version, name, value, why, _GIVEN, is_given=True)
    found = {name: setting.value for name, setting in settings.items()}
    quota = int(found["quota-backend-bytes"]) or DEFAULT_QUOTA_BYTES
    entries = int(found["snapshot-count"]) or int(setting_of(version, {}, "snapshot-count"))
    kept = next((int(found[name]) for name in _CATCH_UP_FLAGS if name in found), 0) or _CATCH_UP_ENTRIES
    heartbeat, election = int(found["heartbeat-interval"]), int(found["election-timeout"])
    memory = _memory(quota, entries + kept, clients)
    machines = sizing.machines.values()
    return EtcdSettings(
        etcd_version=version,
        settings=settings,
        memory=memory,
        clients=clients,
        data_bytes=data,
        notices=(
            *version_notices(version),
            *settings_notices(quota, memory.memory_gib, machines, assumed),
            *load_notices(quota, data, election, rtt, RTTS_PER_ELECTION),
            *flag_notices(version, given),
            *timing_notices(heartbeat, election),
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
    without = {*given, "quota-backend-bytes"}
    # Our retention is a time.
    if given.get("auto-compaction-mode") == "revision":
        without.add("auto-compaction-retention")
    # A plan checks our quota: for more data than any etcd holds, it is larger than etcd accepts.
    return {name: one.value for name, one in ours.items() if name not in without}


def _loads(sizing: Sizing) -> tuple[float, float, list[str]]:
    """Return clients and data, and the names of those that were taken from the tier."""
    clients, _, data = (None, None, None) if sizing.workload is None else sizing.workload.loads
    assumed = [name for name, load in (("clients", clients), ("data_bytes", data)) if load is None]
    return (
        sizing.bounds["clients"].limit if clients is None else clients,
        sizing.tier_data_bytes if data is None else data,
        assumed,
    )


def _memory(quota: int, entries: int, clients: float) -> Memory:
    index = quota * _INDEX_BYTES // _KEY_VALUE_BYTES
    raft = entries * ENTRY_BYTES
    each = _CONNECTION_BYTES + _STREAMS * (_STREAM_BYTES + _WATCHES * _WATCH_BYTES)
    connected = math.ceil(clients) * each
    heap = index + raft + connected
    total = quota + heap + heap
    return Memory(
        database_bytes=quota,
        index_bytes=index,
        raft_bytes=raft,
        clients_bytes=connected,
        garbage_bytes=heap,
        memory_bytes=total,
        memory_gib=-(-total // _GIB),
    )
