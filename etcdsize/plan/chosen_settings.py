"""Our choice of every setting: its value, the reason and the source of the reason.

Every figure names its source in etcd's documentation or code, or is marked as our choice.
"""

import math

from etcdsize.base.text import shown
from etcdsize.errors import OptionError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import is_deprecated
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES, SUGGESTED_QUOTA_BYTES, quota_for
from etcdsize.etcd.versions import EtcdVersion
from etcdsize.plan.flag_combinations import LONGEST_ELECTION_MS
from etcdsize.units import format_number

__all__ = [
    "RTTS_PER_ELECTION",
    "Chosen",
    "choose_compaction",
    "choose_quota",
    "choose_snapshot_count",
    "choose_timing",
    "rtt_of",
]

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


def choose_quota(data: float) -> Chosen:
    """Return the quota for an amount of data. [bytes]"""
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


def choose_compaction(kubernetes: bool) -> tuple[Chosen, Chosen]:
    """Return the mode and the retention of the compaction."""
    if kubernetes:
        why = "Off: the API server itself compacts every five minutes."
        source = "kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go"
        retention: Chosen = ("auto-compaction-retention", "0", why, source)
    else:
        why = (
            "History counts towards the quota, so one hour of it is kept (our choice). Without a unit, 1 also means "
            "an hour."
        )
        retention = ("auto-compaction-retention", _RETENTION, why, _MAINTENANCE)
    return ("auto-compaction-mode", "periodic", "Compaction by the age of the history.", _MAINTENANCE), retention


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
