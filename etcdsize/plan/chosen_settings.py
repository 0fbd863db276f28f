"""Our choice of every setting: its value, the reason and the source of the reason.

Every figure names its source in etcd's documentation or code, or is marked as our choice.
"""

import math

from etcdsize.base.text import shown
from etcdsize.errors import OptionError, UnitError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import is_deprecated
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES, SUGGESTED_QUOTA_BYTES, quota_text
from etcdsize.etcd.versions import EtcdVersion
from etcdsize.fitting.load_need import file_text
from etcdsize.plan.flag_combinations import LONGEST_ELECTION_MS
from etcdsize.resources.resources import Resources
from etcdsize.sizing.load_profile import SHORTEST_HISTORY_SECONDS
from etcdsize.units import format_number, parse_duration

__all__ = [
    "RTTS_PER_ELECTION",
    "Chosen",
    "choose_compaction",
    "choose_quota",
    "choose_snapshot_count",
    "choose_timing",
    "history_kept",
    "retention_seconds",
    "rtt_of",
]

_DOCS = "etcd-io/website content/en/docs/v3.5/"
_LIMITS = _DOCS + "dev-guide/limit.md"
_MAINTENANCE = _DOCS + "op-guide/maintenance.md"
_TUNING = _DOCS + "tuning.md"

_HOUR = 3600
# A shorter retention compacts all the time, and no history is kept longer than a century (our choices). [s]
_LEAST_RETENTION, _MOST_RETENTION = SHORTEST_HISTORY_SECONDS // 2, 100 * 365 * 24 * _HOUR
# The tuning page: a heartbeat of 0.5 to 1.5 times the largest average RTT, so we use the RTT, and an election timeout
# of at least ten times the RTT. etcd requires five heartbeats; ten is the ratio of its defaults.
RTTS_PER_ELECTION = 10
_LEAST_HEARTBEAT_MS = 100


Chosen = tuple[str, int | str, str, str]


def rtt_of(value: object) -> float | None:
    """Return a round-trip time, or None if none is known. [ms]"""
    if value is None:
        return None
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not 0 <= number < math.inf:
        raise OptionError(
            f"peer_rtt_ms: got {shown(value)}, expected a finite number of milliseconds, 0 or more",
            option="peer_rtt_ms",
            value=value,
        )
    longest = LONGEST_ELECTION_MS // RTTS_PER_ELECTION
    if number > longest:
        raise OptionError(
            f"peer_rtt_ms: got {shown(value)}, expected at most {longest}: the election timeout must be ten times the "
            f"round-trip time, and etcd accepts at most {LONGEST_ELECTION_MS} ms; place the members closer together",
            option="peer_rtt_ms",
            value=value,
        )
    return number


def choose_quota(resources: Resources) -> Chosen:
    """Return the quota for what the load takes. [bytes]"""
    quota = int(resources.file.quota_bytes.need)
    why = f"{quota_text(quota)} for a file of {file_text(resources)}"
    if quota == DEFAULT_QUOTA_BYTES:
        why += ": etcd's default, which is enough."
    elif quota > SUGGESTED_QUOTA_BYTES:
        why += ": more than the maximum of 8 GiB that etcd suggests, to have room for the load."
    else:
        why += ", with some room to grow (our choice)."
    return "quota-backend-bytes", quota, why, _LIMITS


def choose_snapshot_count(version: EtcdVersion) -> Chosen:
    """Return the number of log entries between two snapshots."""
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


def choose_compaction(kubernetes: bool, resources: Resources) -> tuple[Chosen, Chosen]:
    """Return the mode and the retention of the compaction."""
    mode: Chosen = ("auto-compaction-mode", "periodic", "Compaction by the age of the history.", _MAINTENANCE)
    if kubernetes:
        why = "Off: the API server itself compacts every five minutes."
        source = "kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go"
        return mode, ("auto-compaction-retention", "0", why, source)
    seconds = _retention_for(_history_seconds(resources))
    kept = _duration(history_kept(seconds))
    why = f"This keeps at most {kept} of history, for which the quota has room. A number without a unit would be hours."
    return mode, ("auto-compaction-retention", _duration(seconds), why, _MAINTENANCE)


def history_kept(retention_seconds: float) -> float:
    """Return how much history periodic compaction keeps at most. [s]

    It compacts to the revision of `retention_seconds` ago, that often, but at least once an hour (etcd-io/etcd
    server/etcdserver/api/v3compactor/periodic.go).
    """
    return retention_seconds + min(retention_seconds, _HOUR)


def retention_seconds(text: str) -> float | None:
    """Return a retention as seconds: a duration of Go, or a number of hours; None for any other text."""
    if text.isdecimal():
        return float(text) * _HOUR
    try:
        return parse_duration(text)
    except UnitError:
        return None


def _history_seconds(resources: Resources) -> float:
    """Return the history that the file has room for. [s]"""
    assumed = {one.field: one.value for one in resources.assumptions}.get("history_seconds")
    given = resources.profile.history_seconds
    # What is assumed counts with its likely value, and what is given with its high end.
    return assumed.likely if assumed is not None else 0.0 if given is None else given.high


def _retention_for(history_seconds: float) -> int:
    """Return the retention that keeps at most this much history, a minute or more. [s]"""
    half = history_seconds / 2 if history_seconds <= 2 * _HOUR else history_seconds - _HOUR
    return max(_LEAST_RETENTION, math.floor(min(half, _MOST_RETENTION)))


def _duration(seconds: float) -> str:
    """Return whole seconds as Go writes them, in the largest unit that is exact."""
    for unit, size in (("h", _HOUR), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def choose_timing(rtt: float | None, given: Value | None) -> tuple[Chosen, Chosen]:
    """Return the heartbeat interval, and the election timeout for it or for the one that the user gave."""
    heartbeat = max(_LEAST_HEARTBEAT_MS, math.ceil(rtt or 0))
    if rtt is None:
        why = "The default, for members on one network; set peer_rtt_ms if they are further apart."
    elif heartbeat > _LEAST_HEARTBEAT_MS:
        why = f"The round-trip time between members, {format_number(rtt)} ms."
    else:
        why = f"A round-trip time of {format_number(rtt)} ms needs no more than the default, the minimum (our choice)."
    chosen = "heartbeat-interval", heartbeat, why, _TUNING
    # The election timeout follows the heartbeat that is used. One of the wrong kind is rejected later.
    used = given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else heartbeat
    election = min(used * RTTS_PER_ELECTION, LONGEST_ELECTION_MS)
    reason = "Ten heartbeats, which is at least ten times the round-trip time. It must be the same on all members."
    if used < heartbeat:
        election = max(election, heartbeat * RTTS_PER_ELECTION)
        reason = "At least ten times the round-trip time and ten heartbeats. It must be the same on all members."
    elif election < used * RTTS_PER_ELECTION:
        reason = "The longest that etcd accepts, fewer than ten heartbeats. It must be the same on all members."
    return chosen, ("election-timeout", election, reason, _TUNING)
