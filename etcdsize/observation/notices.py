"""Notices about an observation: a member that is missing, a slow disk, a nearly full quota and the like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.base.text import in_words, one_line
from etcdsize.errors import OptionError
from etcdsize.etcd.notices import version_notices
from etcdsize.etcd.versions import load_versions
from etcdsize.observation.findings import finding_notices
from etcdsize.observation.health import health_notices, wait_notices
from etcdsize.observation.model import MemberLoad, Observation
from etcdsize.observation.rates import KEEP_ALIVE
from etcdsize.resources.calibrated_model import CalibratedModel
from etcdsize.sizing.notices import DATA_AT_MOST
from etcdsize.units import format_bytes, format_number
from etcdsize.workload import CERTAINTY_WORDS

__all__ = [
    "SEVERAL_CLUSTERS",
    "not_asked",
    "observed_notices",
    "observed_version_notices",
    "other_version_notices",
    "without_some",
]

_OURS = "our choice"
_MIXIN = "etcd-io/etcd contrib/mixin/alerts/alerts.libsonnet"
_METRICS = "etcd-io/website content/en/docs/v3.5/metrics/latest"
_API_SERVER = "kubernetes/apiserver pkg/storage/etcd3/metrics/metrics.go"

_MEMBER_UNKNOWN = NoticeKind("member-unknown", "warning", _OURS)
_MEMBER_RESTARTED = NoticeKind("member-restarted", "warning", _OURS)
_MEMBER_ERROR = NoticeKind("member-error", "warning", "etcdctl endpoint status")
_MEMBER_NOT_ASKED = NoticeKind("member-not-asked", "warning", _METRICS)
_SAME_MEMBER = NoticeKind("same-member-twice", "info", _METRICS)
_LIFETIME_AVERAGE = NoticeKind("lifetime-average", "warning", _OURS)
_SHORT_OBSERVATION = NoticeKind("short-observation", "info", _OURS)
_CLIENTS_ESTIMATED = NoticeKind("clients-estimated", "warning", _METRICS)
_CLIENTS_AT_MOST = NoticeKind("clients-at-most", "info", _OURS)
_CLIENTS_UNKNOWN = NoticeKind("clients-unknown", "warning", _METRICS)
_NO_LEADER = NoticeKind("no-leader", "warning", _MIXIN)
_LEADER_CHANGED = NoticeKind("leader-changed", "warning", _MIXIN)
SEVERAL_CLUSTERS = NoticeKind("several-clusters", "warning", _METRICS)
_CALLS_NOT_COUNTED = NoticeKind("calls-not-counted", "warning", "etcd-io/etcd#20871")
_MEMBERS_DISAGREE = NoticeKind("members-disagree", "warning", _OURS)
_UNKNOWN_VERSION = NoticeKind("etcd-unknown-version", "warning", _OURS)
_MODEL_OF_ANOTHER_VERSION = NoticeKind("model-of-another-version", "warning", _OURS)
_RATES_UNKNOWN = NoticeKind("rates-unknown", "warning", _OURS)
_OBJECTS_UNKNOWN = NoticeKind("objects-unknown", "warning", _API_SERVER)
_API_SERVERS_MISSING = NoticeKind("api-servers-missing", "warning", _OURS)
_OPERATIONS_UNKNOWN = NoticeKind("operations-unknown", "warning", _API_SERVER)
_SEVERAL_ETCDS = NoticeKind("several-etcds", "info", _API_SERVER)

_MIB = 1024**2
# The same data takes slightly different space on each member (our choice).
_DATA_SPREAD, _DATA_SPREAD_BYTES = 0.2, 16 * _MIB


def observed_notices(
    observation: Observation,
    *,
    duplicates: Sequence[tuple[str, str]] = (),
    mixed: str | None = None,
) -> tuple[Notice, ...]:
    """Return the notices about an observation.

    Parameters
    ----------
    observation : Observation
        The observation, without notices.
    duplicates : sequence of pairs
        Endpoints that belong to the same member as another endpoint, each with that endpoint.
    mixed : str, optional
        Why the members cannot be of one cluster, if they cannot.
    """
    members = observation.members
    if mixed is not None:
        # What holds of one cluster, such as that its members agree, does not hold of several.
        return (
            *_of_members(observation, duplicates),
            *_of_clusters(mixed),
            *wait_notices(members),
            *observed_version_notices(_versions(members)),
        )
    return (
        *_of_members(observation, duplicates),
        *_of_figures(observation),
        *_of_leaders(observation),
        *finding_notices(observation),
        *wait_notices(members),
        *health_notices(observation),
        *_of_disagreement(members),
        *observed_version_notices(_versions(members)),
    )


def _of_members(observation: Observation, duplicates: Sequence[tuple[str, str]]) -> Iterator[Notice]:
    members, other_peers = observation.members, observation.other_peers
    result = without_some(observation)
    for member in members:
        if member.problem is not None:
            yield _MEMBER_UNKNOWN(
                f"{member.endpoint}: {one_line(member.problem)}. Its requests are not counted{result}."
            )
        if member.restarted:
            yield _MEMBER_RESTARTED(
                f"{member.endpoint}: restarted while it was observed, or its clock was set. Its requests before that "
                f"are lost{result}."
            )
        for error in member.errors:
            yield _MEMBER_ERROR(f"{member.endpoint}: its endpoint status reports: {one_line(error)}.")
    if not_asked(members, other_peers):
        yield _MEMBER_NOT_ASKED(
            f"The members are connected to {len(other_peers)} others that were not observed: {', '.join(other_peers)}. "
            f"Each member counts only its own requests{result}: observe all members."
        )
    for endpoint, other in duplicates:
        yield _SAME_MEMBER(f"{endpoint} is the same member as {other}; it is counted once.")


def without_some(observation: Observation) -> str:
    """Return what the rate of a cluster is without some of its requests, to go on with a sentence about these.

    It is a lower bound only where the other requests are not too many.
    """
    bound = observation.requests_bound
    return "" if bound is None else f", so the rate of requests is {CERTAINTY_WORDS[bound]}"


def not_asked(members: Sequence[MemberLoad], other_peers: Sequence[str]) -> bool:
    """Return whether there are peers that were not asked: members that did not answer may be among them."""
    return len(other_peers) > sum(member.member_id is None for member in members)


def _of_clusters(mixed: str) -> Iterator[Notice]:
    yield SEVERAL_CLUSTERS(
        f"The endpoints are not one cluster, so nothing is summed: {mixed}. Observe each cluster by itself; in a file "
        "of targets, give each its own label cluster."
    )


def _of_figures(observation: Observation) -> Iterator[Notice]:
    uncounted = [member for member in observation.members if not member.counts_every_call]
    if uncounted:
        # The leader counts them for all members.
        has_renewals = any(member.is_leader and KEEP_ALIVE in member.calls_per_second for member in uncounted)
        keep_alives = "the renewals that the leader counts" if has_renewals else "not among them"
        bound = ", an upper bound: it" if observation.requests_bound == "upper" else ", which"
        yield _CALLS_NOT_COUNTED(
            f"{', '.join(member.endpoint for member in uncounted)}: gRPC does not count every call, as in etcd 3.6.0 "
            f"to 3.6.5 with several client URLs. Requests are etcd's own count of calls{bound} does not distinguish "
            "methods, and includes calls of operators and health checks. Messages that keep leases alive are "
            f"{keep_alives}: upgrade to 3.6.6 or later."
        )
    if observation.data_bound == "upper":
        yield DATA_AT_MOST(
            "The data in use is unknown. The size of the database file stands for it, which is an upper bound: the "
            "file also holds what compaction freed."
        )
    if observation.requests_over == "lifetime":
        yield _LIFETIME_AVERAGE(
            "Requests are the average since each member started, which hides every peak: scrape twice, when the "
            "cluster is busiest."
        )
    elif observation.requests_over == "interval" and observation.interval_seconds is not None:
        seconds = round(observation.interval_seconds, 1)
        yield _SHORT_OBSERVATION(
            f"Requests were counted over {format_number(seconds)} second{'' if seconds == 1 else 's'}: observe when "
            "the cluster is busiest, or leave headroom."
        )
    clients = observation.clients
    if clients.counted_by == "streams" and clients.count is not None:
        yield _CLIENTS_ESTIMATED(
            f"Clients are estimated from {format_number(clients.count)} open streams. A client without a watch or a "
            "lease is missed, and a client with several is counted several times: give the number if you know it."
        )
    if clients.counted_by == "sockets":
        yield _CLIENTS_AT_MOST(
            "Clients are counted by the connections to the members' client ports. This is an upper bound: one client "
            "may hold several connections, and monitoring holds some."
        )
    if clients.counted_by == "unknown":
        yield _CLIENTS_UNKNOWN(
            "Clients are unknown: etcd does not count them, and no stream is open to estimate them from. Give the "
            "number if you know it."
        )


def _of_leaders(observation: Observation) -> Iterator[Notice]:
    without = [member.endpoint for member in observation.members if member.has_leader is False]
    if without:
        one = len(without) == 1
        yield _NO_LEADER(
            f"{', '.join(without)}: {'has' if one else 'have'} no leader, so {'it accepts' if one else 'they accept'} "
            "no writes."
        )
    changes = observation.leader_changes
    if observation.scrapes == 2 and changes and not any(m.restarted for m in observation.members):
        yield _LEADER_CHANGED(
            f"The leader changed {format_number(changes)} time{'' if changes == 1 else 's'} while the cluster was "
            "observed: check the disks and the network."
        )


def _of_disagreement(members: Sequence[MemberLoad]) -> Iterator[Notice]:
    differences = []
    versions = _versions(members)
    if len(versions) > 1:
        differences.append(f"versions {in_words(versions)}")
    quotas = sorted({member.quota_bytes for member in members if member.quota_bytes})
    if len(quotas) > 1:
        differences.append(f"quotas of {in_words(format_bytes(quota) for quota in quotas)}")
    data = [member.data_bytes for member in members if member.data_bytes is not None]
    if data and max(data) - min(data) > max(_DATA_SPREAD * max(data), _DATA_SPREAD_BYTES):
        differences.append(f"data in use from {format_bytes(min(data))} to {format_bytes(max(data))}")
    if differences:
        yield _MEMBERS_DISAGREE(f"The members disagree: {'; '.join(differences)}.")


def _versions(members: Sequence[MemberLoad]) -> list[str]:
    return sorted({member.version for member in members if member.version is not None})


def observed_version_notices(versions: Iterable[str]) -> tuple[Notice, ...]:
    """Return the notices about the versions that members run, each once: two patches may have the same one."""
    return tuple(dict.fromkeys(_of_each_version(versions)))


def _of_each_version(versions: Iterable[str]) -> Iterator[Notice]:
    for text in versions:
        try:
            version = load_versions().version(text)
        except OptionError:
            known = ", ".join(one.name for one in load_versions().versions)
            yield _UNKNOWN_VERSION(
                f"etcd {one_line(text)} is not one of the known versions, {known}: its metrics may mean something else."
            )
            continue
        for notice in version_notices(version):
            if notice.code == "etcd-not-run":
                yield notice.model_copy(
                    update={"text": f"etcd {version.name} was not run: the meaning of its metrics is from its source."}
                )
            else:
                yield notice


def other_version_notices(clusters: Mapping[str, int], model: CalibratedModel) -> tuple[Notice, ...]:
    """Return the notice about clusters of another version of etcd than that of a model.

    `clusters` counts clusters by the versions of their members, which are joined with semicolons.
    """

    def is_other(version: str) -> bool:
        return not version.removeprefix("v").startswith(f"{model.etcd_version}.")

    count = sum(number for versions, number in clusters.items() if versions and any(map(is_other, versions.split(";"))))
    if not count:
        return ()
    runs = "1 cluster runs" if count == 1 else f"{count} clusters run"
    return (
        _MODEL_OF_ANOTHER_VERSION(
            f"{runs} another version of etcd than {model.etcd_version}, for which the model was calibrated: their "
            "members are not compared with a model, and the built-in model judges their machines."
        ),
    )


def api_server_notices(
    *,
    rates_unknown: str | None,
    uncounted: Sequence[str],
    unknown_operations: Sequence[str],
    pages: int,
    apiservers: int,
    etcds: int,
) -> Iterator[Notice]:
    """Yield the notices about the load that API servers report.

    Parameters
    ----------
    rates_unknown : str, optional
        Why the requests are unknown, in a sentence; None if they are known.
    uncounted : sequence of str
        Kinds whose objects no API server could count.
    unknown_operations : sequence of str
        Operations on etcd that are neither reads nor writes as far as we know.
    pages, apiservers : int
        API servers whose pages are given, and of the cluster. [count]
    etcds : int
        Clusters of etcd that the API servers store in. [count]
    """
    if rates_unknown is not None:
        yield _RATES_UNKNOWN(rates_unknown)
    elif pages < apiservers:
        yield _API_SERVERS_MISSING(
            f"These are the metrics of {pages} of the {apiservers} API servers. Each server sees most writes of the "
            "others as events of its watches. Reads, and writes that no server watches, such as those of events, are "
            "counted here alone: the others are assumed to send as many."
        )
    if uncounted:
        yield _OBJECTS_UNKNOWN(
            f"The API servers could not count these objects, or have not yet: {_few(uncounted)}. Those of usual kinds "
            "are assumed, and the others are left out."
        )
    if unknown_operations:
        yield _OPERATIONS_UNKNOWN(
            f"We do not know whether these operations read or write, so their requests are left out: "
            f"{_few(unknown_operations)}."
        )
    if etcds > 1:
        yield _SEVERAL_ETCDS(
            f"The API servers use {etcds} etcd clusters, and the load is the sum of all. If events have an etcd of "
            "their own, leave them out."
        )


def _few(names: Sequence[str]) -> str:
    """Return the first of several names."""
    shown = ", ".join(one_line(name) for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
