"""From a sizing to etcd's settings: the flags to set for one version, each with its reason and its source.

Every figure is etcd's own, with its place, or marked as our choice. This module imports the models, never numpy.
"""

import math
from typing import Annotated

from pydantic import Field

from etcdsize.base.checks import true_or_false
from etcdsize.base.model import Model, NotNegative
from etcdsize.base.notice import Notice
from etcdsize.base.text import shown
from etcdsize.errors import OptionError
from etcdsize.etcd.notices import version_notices
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES, SUGGESTED_QUOTA_BYTES, quota_for
from etcdsize.etcd.version_names import DEFAULT_VERSION
from etcdsize.etcd.versions import EtcdVersion, Value, load_versions
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

# How long history is kept outside Kubernetes (our choice): the maintenance page names 1h where the same keys are
# often written and 10h in general; history counts towards the quota, so the shorter.
_RETENTION = "1h"
# The tuning page: 0.5 to 1.5 times the largest average RTT, so once; the election at least ten times the RTT. etcd
# itself asks for five heartbeats; ten is the ratio of its defaults.
_ELECTION_PER_HEARTBEAT = 10
_LEAST_HEARTBEAT_MS = 100
_LONGEST_ELECTION_MS = 50_000

# etcd-io/etcd server/etcdserver/server.go, DefaultSnapshotCatchUpEntries: what a snapshot of the log leaves for slow
# members.
_CATCH_UP_ENTRIES = 5_000
# Of a key in etcd's index, which is in memory: 300 bytes for every kilobyte of the database (our choice: keys of 45
# bytes took about 250 in 3.5.1, by our measurement; values of about a kilobyte).
_INDEX_BYTES = 300
_KEY_VALUE_BYTES = 1_000
# etcd-io/website content/en/docs/v3.5/benchmarks/etcd-3-watch-memory-benchmark.md, as measured there: a connection, a
# watch stream, a watch. Ten streams a client with ten watches each (our choice; the page aims at O(10) and O(100)).
_CONNECTION_BYTES, _STREAM_BYTES, _WATCH_BYTES = 17_000, 18_000, 350
_STREAMS, _WATCHES = 10, 10


class Setting(Model):
    """One flag to set, and why."""

    name: Annotated[str, Field(description="The flag, without its two hyphens.")]
    value: Annotated[Value, Field(description="What to set it to.")]
    why: Annotated[str, Field(description="The reason.")]
    source: Annotated[str, Field(description="Where the reason comes from.")]
    is_default: Annotated[bool, Field(description="Whether this version of etcd does the same where it is not set.")]


class Memory(Model):
    """The memory to give to one member's process, part by part; it is an estimate, and mostly our choice."""

    database_bytes: Annotated[int, Field(description="The database at its largest, the quota: etcd maps all of it.")]
    index_bytes: Annotated[int, Field(description="The index of keys, at 300 bytes for a kilobyte (our choice).")]
    raft_bytes: Annotated[
        int, Field(description="Entries of the raft log, kept until a snapshot, of 10 kB each (our choice). [bytes]")
    ]
    clients_bytes: Annotated[
        int, Field(description="Connections, with ten watch streams and a hundred watches each (our choice). [bytes]")
    ]
    garbage_bytes: Annotated[
        int, Field(description="As much as the last three: Go collects when the heap has doubled (its GOGC is 100).")
    ]
    memory_bytes: Annotated[int, Field(description="All of it. [bytes]")]
    memory_gib: Annotated[int, Field(description="All of it, in whole GiB. [GiB]")]

    def explain(self) -> str:
        """Return the arithmetic in one line.

        Examples
        --------
        >>> from etcdsize import settings_for, size
        >>> settings_for(size(clients=100, data_bytes="100MB")).memory.explain()
        '2 GiB database + 0.6 GiB index + 0.98 GiB raft log + 0.02 GiB clients + 1.6 GiB garbage = 6 GiB'
        """
        parts = [
            (self.database_bytes, "database"),
            (self.index_bytes, "index"),
            (self.raft_bytes, "raft log"),
            (self.clients_bytes, "clients"),
            (self.garbage_bytes, "garbage"),
        ]
        said = " + ".join(f"{round(count / _GIB, 2):g} GiB {name}" for count, name in parts)
        return f"{said} = {self.memory_gib} GiB"


class EtcdSettings(Model):
    """What to set on every member of a cluster; the same on all of them."""

    etcd_version: Annotated[EtcdVersion, Field(description="The version that the settings are for.")]
    settings: Annotated[dict[str, Setting], Field(description="Every setting by its flag's name.")]
    memory: Annotated[Memory, Field(description="The memory to give to the process.")]
    clients: Annotated[NotNegative, Field(description="The clients that they were worked out for. [count]")]
    data_bytes: Annotated[NotNegative, Field(description="The data that they were worked out for. [bytes]")]
    notices: Annotated[tuple[Notice, ...], Field(description="What to beware of.")]

    def setting(self, name: str) -> Setting:
        """Return one setting.

        Parameters
        ----------
        name : str
            The flag, without its two hyphens.

        Raises
        ------
        OptionError
            For a flag that this version of etcd lacks, naming those that have it, and for one that is left as it is.

        Examples
        --------
        >>> from etcdsize import settings_for, size
        >>> settings_for(size(data_bytes="4GB"), etcd_version="3.6").setting("max-snapshots")
        Traceback (most recent call last):
        etcdsize.errors.OptionError: settings: "max-snapshots" is left at the default of etcd 3.6, 5; set are \
quota-backend-bytes, snapshot-count, auto-compaction-mode, auto-compaction-retention, heartbeat-interval, \
election-timeout
        """
        found = self.settings.get(name)
        if found is None:
            default = self.etcd_version.flag(name).defaults[self.etcd_version.name]
            raise OptionError(
                f"settings: {shown(name)} is left at the default of etcd {self.etcd_version}, {shown(default)}; "
                f"set are {', '.join(self.settings)}",
                option="name",
                value=name,
            )
        return found

    @property
    def changed(self) -> tuple[Setting, ...]:
        """The settings that are not this version's defaults."""
        return tuple(setting for setting in self.settings.values() if not setting.is_default)

    @property
    def flags(self) -> tuple[str, ...]:
        """Those that are not defaults as arguments of etcd, such as `--heartbeat-interval=150`."""
        return tuple(f"--{setting.name}={setting.value}" for setting in self.changed)

    @property
    def quota_backend_bytes(self) -> int:
        """The most that the database may take. [bytes]"""
        return self._integer("quota-backend-bytes")

    @property
    def snapshot_count(self) -> int:
        """How many entries are kept until a snapshot of the raft log. [count]"""
        return self._integer("snapshot-count")

    @property
    def heartbeat_interval_ms(self) -> int:
        """How often the leader tells the others that it is there. [ms]"""
        return self._integer("heartbeat-interval")

    @property
    def election_timeout_ms(self) -> int:
        """How long a member waits for the leader before it stands for election. [ms]"""
        return self._integer("election-timeout")

    def explain(self) -> str:
        """Return every setting with its reason, the memory, and what to beware of."""
        said = [f"etcd {self.etcd_version} ({self.etcd_version.evidence})."]
        for setting in self.settings.values():
            default = " (the default)" if setting.is_default else ""
            said.append(f"--{setting.name}={setting.value}{default}: {setting.why} [{setting.source}]")
        said.append(f"Memory for the process: {self.memory.explain()}.")
        said.extend(f"Notice ({notice.code}): {notice.text}" for notice in self.notices)
        return "\n".join(said)

    def _integer(self, name: str) -> int:
        return int(self.settings[name].value)


def settings_for(
    sizing: Sizing,
    *,
    etcd_version: str = DEFAULT_VERSION,
    kubernetes: bool = False,
    peer_rtt_ms: float | None = None,
) -> EtcdSettings:
    """Return what to set on every member of a cluster, with reasons and sources.

    Parameters
    ----------
    sizing : Sizing
        The answer of `size`. Where it does not know data or clients, the most that its tier takes counts.
    etcd_version : str
        Such as `"3.5"`, `"3.5.33"` or `"v3.5.33"`.
    kubernetes : bool
        Whether the cluster serves Kubernetes, whose API server compacts the history itself. A sizing by Kubernetes
        nodes always does.
    peer_rtt_ms : number, optional
        The largest average round-trip time between two members. [ms] None keeps etcd's defaults, for one network.

    Raises
    ------
    OptionError
        For a version that is not known, or an RTT that no election timeout can meet.

    References
    ----------
    etcd-io/website content/en/docs/v3.5/tuning.md, op-guide/maintenance.md, dev-guide/limit.md

    Examples
    --------
    >>> from etcdsize import size
    >>> found = settings_for(size(clients=300, data_bytes="4GB"), peer_rtt_ms=150)
    >>> found.quota_backend_bytes, found.heartbeat_interval_ms, found.election_timeout_ms, found.memory.memory_gib
    (5368709120, 150, 1500, 11)
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

    asked = [
        _quota(data),
        _snapshot_count(version),
        *_compaction(kubernetes or sizing.kubernetes_nodes is not None),
        *_timing(rtt),
    ]
    settings = {}
    for name, value, why, source in asked:
        default = version.flag(name).defaults[version.name]
        # 0 is how etcd says 2 GiB.
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


_Asked = tuple[str, int | str, str, str]


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
            f"peer_rtt_ms: got {shown(value)}, expected at most {longest}: the election timeout is to be ten times the "
            f"round-trip time, and etcd takes {_LONGEST_ELECTION_MS} ms at most; put the members nearer to each other",
            option="peer_rtt_ms",
            value=value,
        )
    return number


def _loads(sizing: Sizing) -> tuple[float, float, list[str]]:
    """Return clients and data, and which of the two were taken from the tier."""
    clients, _, data = (None, None, None) if sizing.workload is None else sizing.workload.loads
    assumed = [name for name, load in (("clients", clients), ("data_bytes", data)) if load is None]
    return (
        sizing.bounds["clients"].limit if clients is None else clients,
        sizing.tier_data_bytes if data is None else data,
        assumed,
    )


def _quota(data: float) -> _Asked:
    quota = quota_for(data)
    gib = f"{quota // _GIB} GiB"
    if quota > SUGGESTED_QUOTA_BYTES:
        why = f"{gib}, room over the data, and more than the 8 GiB that etcd suggests as the most."
    elif quota == SUGGESTED_QUOTA_BYTES:
        why = f"{gib}, the most that etcd suggests."
    elif quota == DEFAULT_QUOTA_BYTES:
        why = f"{gib}, what etcd does with 0: the data fills four fifths of it at most (our choice)."
    else:
        why = f"{gib}: the data fills four fifths of it at most (our choice)."
    return "quota-backend-bytes", quota, why, _LIMITS


def _snapshot_count(version: EtcdVersion) -> _Asked:
    flag = version.flag("snapshot-count")
    count = flag.defaults[version.name]
    why = "Entries kept in memory until a snapshot of the log; more take more memory, fewer leave slow members behind."
    if version.name in flag.deprecated_in:
        why += f" etcd {version.name} warns where it is set, so leave it out."
    return (
        "snapshot-count",
        int(count),
        why,
        f"{_MAINTENANCE}; the default is in etcd-io/etcd server/etcdserver/server.go",
    )


def _compaction(kubernetes: bool) -> tuple[_Asked, _Asked]:
    if kubernetes:
        why = "Off: the API server compacts every five minutes itself."
        source = "kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go"
        retention: _Asked = ("auto-compaction-retention", "0", why, source)
    else:
        why = (
            "History counts towards the quota, so an hour of it is kept (our choice); with its unit, as 1 means hours."
        )
        retention = ("auto-compaction-retention", _RETENTION, why, _MAINTENANCE)
    return ("auto-compaction-mode", "periodic", "History by its age.", _MAINTENANCE), retention


def _timing(rtt: float | None) -> tuple[_Asked, _Asked]:
    heartbeat = max(_LEAST_HEARTBEAT_MS, math.ceil(rtt or 0))
    if rtt is None:
        why = "The default, for members on one network; give peer_rtt_ms where they are not."
    elif heartbeat > _LEAST_HEARTBEAT_MS:
        why = f"The round-trip time between members, {format_number(rtt)} ms."
    else:
        why = (
            f"A round-trip time of {format_number(rtt)} ms needs no more than the default, and never less (our choice)."
        )
    election = heartbeat * _ELECTION_PER_HEARTBEAT
    reason = "Ten heartbeats, and so at least ten times the round-trip time; the same on all members."
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
