"""The reports of an observation and of an observed fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etcdsize.base.text import in_words
from etcdsize.observation.findings import first_full, full_text
from etcdsize.observation.health import milliseconds
from etcdsize.observation.notices import without_some
from etcdsize.reports.layout import aligned, page
from etcdsize.resources.resources_text import quantity_text
from etcdsize.sizing.quorum import quorum
from etcdsize.units import format_bytes, format_number, format_percent
from etcdsize.workload import CERTAINTY_PREFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etcdsize.observation.compared import ModelledFigure
    from etcdsize.observation.fleet import ObservedFleet
    from etcdsize.observation.model import ClientCount, MemberLoad, Observation

__all__ = ["render_observation", "render_observed_fleet"]

_COUNTED_BY = {
    "given": "as given",
    "sockets": "an upper bound: the connections on this machine",
    "streams": "estimated from open streams",
    "unknown": "",
}


_MOST_ROWS = 10


def render_observation(observation: Observation) -> str:
    """Return the load, a table of the members, and the notices."""
    parts = [_head(observation), _members(observation), _model(observation.members)]
    if observation.problems:
        head = f"Members with missing figures; their requests are not counted{without_some(observation)}"
        parts.append([head, *(f"  {one.endpoint}: {one.problem}" for one in observation.problems)])
    # The members that these notices name are listed above.
    parts.append([notice.line for notice in observation.notices if notice.code != "member-unknown"])
    return page(*parts)


def _head(observation: Observation) -> list[str]:
    leaders = [member.endpoint for member in observation.members if member.is_leader]
    rows = [
        ("members", f"{_count(observation)}{_leader(leaders)}"),
        *_failures(observation),
        ("observed", _observed(observation)),
        ("clients", _clients(observation.clients)),
        ("requests", _requests(observation)),
    ]
    calls = {name: rate for name, rate in observation.calls_per_second.items() if rate}
    if calls:
        by_rate = sorted(calls.items(), key=lambda pair: (-pair[1], pair[0]))
        rows.append(("by method", ", ".join(f"{name} {_rate(rate)}" for name, rate in by_rate)))
    rows.append(("data", _data(observation)))
    streams = [
        f"{format_number(count)} {word}"
        for count, word in ((observation.watch_streams, "watch"), (observation.lease_streams, "lease"))
        if count is not None
    ]
    rows.append(("streams", ", ".join(streams) or "unknown"))
    if observation.watchers is not None:
        rows.append(("watchers", format_number(observation.watchers)))
    if observation.keys is not None:
        rows.append(("keys", format_number(observation.keys)))
    rows += _history(observation)
    if observation.resident_bytes is not None:
        rows.append(("memory", f"{format_bytes(observation.resident_bytes)} resident, of the member that uses most"))
    counts = [
        f"{format_number(count)} {words}"
        for count, words in (
            (observation.slow_watchers, "slow watchers"),
            (observation.pending_proposals, "pending proposals"),
            (observation.failed_proposals, "failed proposals"),
        )
        if count is not None
    ]
    if counts:
        rows.append(("health", ", ".join(counts)))
    return aligned(rows)


def _history(observation: Observation) -> list[tuple[str, str]]:
    """Return what is kept of the history, and when the quota is full."""
    rows = []
    revisions = observation.history_revisions
    if revisions is not None:
        count = f"{format_number(revisions)} revision{'' if revisions == 1 else 's'}"
        since = "since the last compaction" if observation.compacted else "and never compacted"
        rows.append(("history", f"{count} {since}"))
    first = first_full(observation.members)
    if first is not None:
        rows.append(("quota", f"full{full_text(first)}"))
    elif any(one.fill_bytes_per_second == 0 for one in observation.members):
        rows.append(("quota", "does not fill: nothing was written while the cluster was observed"))
    return rows


_FIGURES: dict[ModelledFigure, str] = {
    "heap_bytes": "heap",
    "resident_bytes": "memory",
    "data_bytes": "data in use",
    "total_bytes": "file",
}
_VERDICTS = {"below": "below the model", "within": "as modelled", "above": "above the model"}


def _model(members: Sequence[MemberLoad]) -> list[str]:
    """Return each figure beside the model's, of the member that is nearest to the model's high end or beyond it."""
    rows: list[tuple[str, ...]] = []
    for name, word in _FIGURES.items():
        found = [(figure, one) for one in members if one.modelled and (figure := getattr(one.modelled, name))]
        if not found:
            continue
        figure, member = max(found, key=lambda pair: pair[0].measured / max(pair[0].high, 1))
        ends = [quantity_text("_bytes", end) for end in (figure.measured, figure.low, figure.likely, figure.high)]
        rows.append((word, member.endpoint, *ends, _VERDICTS[figure.verdict]))
    if not rows:
        return []
    return aligned(
        [("worst", "member", "measured", "low", "likely", "high", "by the model"), *rows], right=(2, 3, 4, 5)
    )


def _count(observation: Observation) -> str:
    if observation.member_count is None:
        return "unknown"
    learners = observation.learner_count
    verb = "does" if learners == 1 else "do"
    return f"{observation.member_count}{f', of which {learners} {verb} not vote' if learners else ''}"


def _leader(leaders: list[str]) -> str:
    if not leaders:
        return ", leader unknown"
    return f", leader{'s' if len(leaders) > 1 else ''} {in_words(leaders)}"


def _failures(observation: Observation) -> list[tuple[str, str]]:
    """Return how many more members may fail, if some do not serve: the sizing says it of a cluster without failures."""
    left, voters = observation.failures_left, observation.voting_members
    failed = [one for one in observation.members if not one.answered or one.has_leader is False]
    if left is None or voters is None or not failed:
        return []
    serving = observation.serving_voters
    serve = f"{serving} of {voters} voters serve"
    if not all(one.answered for one in failed):
        serve += ", if those that did not answer have failed"
    if serving < quorum(voters):
        return [("failures", f"{serve}, fewer than the quorum of {quorum(voters)}: no writes")]
    more = {0: "no other", 1: "1 more"}.get(left, f"{left} more")
    return [("failures", f"{serve}; {more} may fail")]


def _observed(observation: Observation) -> str:
    if observation.scrapes == 0:
        return "not at all: endpoint statuses do not count requests"
    if observation.scrapes == 1:
        return (
            "once: requests are the average since each member started"
            if observation.requests_over == "lifetime"
            else "once"
        )
    if observation.interval_seconds is None:
        return "twice, an unknown time apart"
    return f"{format_number(round(observation.interval_seconds, 1))} s"


def _clients(clients: ClientCount) -> str:
    if clients.count is None:
        return "unknown"
    return f"{format_number(clients.count)}, {_COUNTED_BY[clients.counted_by]}"


def _requests(observation: Observation) -> str:
    if observation.requests_per_second is None:
        return "unknown"
    return f"{CERTAINTY_PREFIXES[observation.requests_bound or 'exact']}{_rate(observation.requests_per_second)}/s"


def _data(observation: Observation) -> str:
    if observation.data_bytes is None:
        return "unknown"
    bound = CERTAINTY_PREFIXES[observation.data_bound or "exact"]
    what = "the whole file" if observation.data_bound == "upper" else f"{format_bytes(observation.data_bytes)} in use"
    text = f"{bound}{what}"
    if observation.total_bytes is not None:
        text += (
            f" {'of' if observation.data_bound == 'upper' else 'in a file of'} {format_bytes(observation.total_bytes)}"
        )
        if observation.quota_bytes:
            share = format_percent(observation.total_bytes / observation.quota_bytes)
            text += f", {share} of the quota of {format_bytes(observation.quota_bytes)}"
    return text


def _rate(rate: float) -> str:
    return format_number(round(rate, 1) if rate >= 0.05 or not rate else float(f"{rate:.1g}"))


def _members(observation: Observation) -> list[str]:
    head = ("member", "etcd", "requests/s", "data", "file", "watch", "lease", "fsync p99", "commit p99", "RTT p99")
    rows: list[tuple[str, ...]] = [(*head, "status")]
    for member in observation.members:
        rows.append(
            (
                member.endpoint,
                member.version or "",
                "" if member.requests_per_second is None else _rate(member.requests_per_second),
                *("" if size is None else format_bytes(size) for size in (member.data_bytes, member.total_bytes)),
                *("" if n is None else format_number(n) for n in (member.watch_streams, member.lease_streams)),
                _wait(member, "wal_fsync"),
                _wait(member, "backend_commit"),
                _wait(member, "peer_rtt"),
                ", ".join(_status(member)),
            )
        )
    lines = aligned(rows, right=(2, 3, 4, 5, 6, 7, 8, 9))
    since_start = [member for member in observation.members if member.since_start]
    if since_start:
        reasons = in_words(dict.fromkeys(map(_why_since_start, since_start)), "or") if observation.scrapes == 2 else ""
        lines.append(f"* since the member started{', because ' if reasons else ''}{reasons}")
    return lines


def _why_since_start(member: MemberLoad) -> str:
    """Return why waits of a member that was asked twice are since it started."""
    if member.restarted:
        return "it restarted"
    too_few = "too few operations were measured in the interval"
    # One whose figures are missing may have answered once.
    return too_few if member.problem is None else f"it answered once or {too_few}"


def _wait(member: MemberLoad, kind: str) -> str:
    seconds = getattr(member, f"{kind}_p99_seconds")
    if seconds is None:
        return ""
    return milliseconds(seconds) + ("*" if kind in member.since_start else "")


def _status(member: MemberLoad) -> list[str]:
    flags = {
        "unknown": member.problem is not None and member.member_id is None,
        "partly known": member.problem is not None and member.member_id is not None,
        "restarted": member.restarted,
        "no leader": member.has_leader is False,
        "learner": member.is_learner is True,
    }
    return [status for status, applies in flags.items() if applies]


def render_observed_fleet(observed: ObservedFleet) -> str:
    """Return how many clusters answered, the first problems of the others, and the notices about versions of etcd."""
    lines = [
        f"{observed.clusters} cluster{'' if observed.clusters == 1 else 's'} observed: {observed.complete} complete, "
        f"{observed.partial} partial, {observed.unreachable} unreachable"
    ]
    missing = observed.partial + observed.unreachable
    if missing:
        more = missing - len(observed.first_problems)
        shown = f" (first {len(observed.first_problems)} shown)" if more else ""
        lines.append(f"Not complete{shown}")
        lines += [f"  row {problem.row}: {problem.problem}" for problem in observed.first_problems]
    for rows in observed.one_cluster:
        *numbers, last = [str(row) for row in rows[:_MOST_ROWS]]
        if len(rows) > _MOST_ROWS:
            numbers, last = [*numbers, last], f"{len(rows) - _MOST_ROWS} more"
        lines.append(
            f"Clusters {', '.join(numbers)} and {last} of the targets are one cluster with one row, as their members "
            "know one another: give their groups the same label cluster"
        )
    if observed.inexact_decides:
        count = observed.inexact_decides
        which = "1 cluster needs its tier" if count == 1 else f"{count} clusters need their tiers"
        lines.append(
            f"{which} only because of an estimate or an upper bound (inexact-load-decides): a smaller tier may be "
            "enough; give the label clients where you know the number"
        )
    return page(lines, [notice.line for notice in observed.notices])
