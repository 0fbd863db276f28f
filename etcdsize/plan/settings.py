"""From a sizing to etcd's settings: the flags to set for one version, each with its reason and its source.

Every figure names its source in etcd's documentation or code, or is marked as our choice.
"""

import math
from typing import Annotated

from pydantic import Field

from etcdsize.base.checks import text_of, true_or_false
from etcdsize.base.model import Answer, Model, NotNegative
from etcdsize.base.notice import Notice
from etcdsize.base.text import one_line, shown
from etcdsize.errors import OptionError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import is_deprecated
from etcdsize.etcd.notices import version_notices
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES, SUGGESTED_QUOTA_BYTES, quota_for
from etcdsize.etcd.version_names import DEFAULT_VERSION
from etcdsize.etcd.versions import EtcdVersion, load_versions
from etcdsize.fitting.storage import ENTRY_BYTES
from etcdsize.plan.notices import settings_notices
from etcdsize.sizing.size import Sizing
from etcdsize.units import format_number

__all__ = ["EtcdSettings", "Memory", "Setting", "settings_for"]

_GIB = 1024**3
_DOCS = "etcd-io/website content/en/docs/v3.5/"
_LIMITS = _DOCS + "dev-guide/limit.md"
_MAINTENANCE = _DOCS + "op-guide/maintenance.md"
_TUNING = _DOCS + "tuning.md"

# How long history is kept outside Kubernetes (our choice). The maintenance page suggests 1h if the same keys are
# often written, and 10h in general. History counts towards the quota, so we use the shorter one.
_RETENTION = "1h"
# The tuning page: a heartbeat of 0.5 to 1.5 times the largest average RTT, so we use the RTT, and an election timeout
# of at least ten times the RTT. etcd requires five heartbeats; ten is the ratio of its defaults.
_ELECTION_PER_HEARTBEAT = 10
_LEAST_HEARTBEAT_MS = 100
_LONGEST_ELECTION_MS = 50_000

# etcd-io/etcd server/etcdserver/server.go, DefaultSnapshotCatchUpEntries: the entries that are kept after a snapshot of
# the log, for slow members.
_CATCH_UP_ENTRIES = 5_000
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
            default = self.etcd_version.flag(name).defaults[self.etcd_version.name]
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
        """The changed settings as arguments for etcd, such as `--heartbeat-interval=150`."""
        return tuple(f"--{setting.name}={setting.value}" for setting in self.changed)

    @property
    def quota_backend_bytes(self) -> int:
        """The maximum size of the database. [bytes]"""
        return self._integer("quota-backend-bytes")

    @property
    def snapshot_count(self) -> int:
        """The number of raft log entries between two snapshots. [count]"""
        return self._integer("snapshot-count")

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
            lines.append(f"--{setting.name}={setting.value}{default}: {setting.why} [{setting.source}]")
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

    Raises
    ------
    OptionError
        If the version is unknown, or the RTT is too long for any election timeout.

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
    rtt = _rtt_of(peer_rtt_ms)
    clients, data, assumed = _loads(sizing)

    chosen = [
        _quota(data),
        _snapshot_count(version),
        *_compaction(kubernetes or sizing.kubernetes_nodes is not None),
        *_timing(rtt),
    ]
    settings = {}
    for name, value, why, source in chosen:
        default = version.flag(name).defaults[version.name]
        # 0 means 2 GiB.
        same = value == (default or DEFAULT_QUOTA_BYTES if name == "quota-backend-bytes" else default)
        settings[name] = Setting(name=name, value=value, why=why, source=source, is_default=same)
    quota, entries = int(settings["quota-backend-bytes"].value), int(settings["snapshot-count"].value)
    memory = _memory(quota, entries, clients)
    machines = sizing.machines.values()
    return EtcdSettings(
        etcd_version=version,
        settings=settings,
        memory=memory,
        clients=clients,
        data_bytes=data,
        notices=version_notices(version) + settings_notices(quota, memory.memory_gib, machines, assumed),
    )


_Chosen = tuple[str, int | str, str, str]


def _rtt_of(value: object) -> float | None:
    if value is None:
        return None
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not 0 <= number < math.inf:
        raise OptionError(
            f"peer_rtt_ms: got {shown(value)}, expected a finite number of milliseconds, 0 or more",
            option="peer_rtt_ms",
            value=value,
        )
    longest = _LONGEST_ELECTION_MS // _ELECTION_PER_HEARTBEAT
    if number > longest:
        raise OptionError(
            f"peer_rtt_ms: got {shown(value)}, expected at most {longest}: the election timeout must be ten times the "
            f"round-trip time, and etcd accepts at most {_LONGEST_ELECTION_MS} ms; place the members closer together",
            option="peer_rtt_ms",
            value=value,
        )
    return number


def _loads(sizing: Sizing) -> tuple[float, float, list[str]]:
    """Return clients and data, and the names of those that were taken from the tier."""
    clients, _, data = (None, None, None) if sizing.workload is None else sizing.workload.loads
    assumed = [name for name, load in (("clients", clients), ("data_bytes", data)) if load is None]
    return (
        sizing.bounds["clients"].limit if clients is None else clients,
        sizing.tier_data_bytes if data is None else data,
        assumed,
    )


def _quota(data: float) -> _Chosen:
    quota = quota_for(data)
    gib = f"{quota // _GIB} GiB"
    if quota > SUGGESTED_QUOTA_BYTES:
        why = f"{gib}, more than the maximum of 8 GiB that etcd suggests, to have room for the data."
    elif quota == SUGGESTED_QUOTA_BYTES:
        why = f"{gib}, the maximum that etcd suggests."
    elif quota == DEFAULT_QUOTA_BYTES:
        why = f"{gib}, etcd's default: the data fills at most four fifths of it (our choice)."
    else:
        why = f"{gib}: the data fills at most four fifths of it (our choice)."
    return "quota-backend-bytes", quota, why, _LIMITS


def _snapshot_count(version: EtcdVersion) -> _Chosen:
    flag = version.flag("snapshot-count")
    count = flag.defaults[version.name]
    why = "Log entries kept until a snapshot: more need more memory, fewer leave slow members behind."
    if is_deprecated(version, flag):
        why += f" etcd {version} warns if it is set, so leave it out."
    return (
        "snapshot-count",
        int(count),
        why,
        f"{_MAINTENANCE}; the default is in etcd-io/etcd server/etcdserver/server.go",
    )


def _compaction(kubernetes: bool) -> tuple[_Chosen, _Chosen]:
    if kubernetes:
        why = "Off: the API server itself compacts every five minutes."
        source = "kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go"
        retention: _Chosen = ("auto-compaction-retention", "0", why, source)
    else:
        why = (
            "History counts towards the quota, so one hour of it is kept (our choice). Without a unit, 1 also means "
            "an hour."
        )
        retention = ("auto-compaction-retention", _RETENTION, why, _MAINTENANCE)
    return ("auto-compaction-mode", "periodic", "Compaction by the age of the history.", _MAINTENANCE), retention


def _timing(rtt: float | None) -> tuple[_Chosen, _Chosen]:
    heartbeat = max(_LEAST_HEARTBEAT_MS, math.ceil(rtt or 0))
    if rtt is None:
        why = "The default, for members on one network; set peer_rtt_ms if they are further apart."
    elif heartbeat > _LEAST_HEARTBEAT_MS:
        why = f"The round-trip time between members, {format_number(rtt)} ms."
    else:
        why = f"A round-trip time of {format_number(rtt)} ms needs no more than the default, the minimum (our choice)."
    election = heartbeat * _ELECTION_PER_HEARTBEAT
    reason = "Ten heartbeats, which is at least ten times the round-trip time. It must be the same on all members."
    return ("heartbeat-interval", heartbeat, why, _TUNING), ("election-timeout", election, reason, _TUNING)


def _memory(quota: int, entries: int, clients: float) -> Memory:
    index = quota * _INDEX_BYTES // _KEY_VALUE_BYTES
    raft = (entries + _CATCH_UP_ENTRIES) * ENTRY_BYTES
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
