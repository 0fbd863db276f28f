"""The load of one member, from its scrapes and its endpoint status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from etcdsize.observation.filling import Filling, filling_between
from etcdsize.observation.model import MemberLoad
from etcdsize.observation.rates import Rates, rates_between, rates_since_start
from etcdsize.observation.scrape import MemberStatus, Scrape
from etcdsize.observation.waits import waits_between

__all__ = ["load_of_status", "member_load"]


def member_load(
    endpoint: str,
    before: Scrape | str,
    after: Scrape | str | None,
    interval: float | None,
    statuses: Mapping[str, MemberStatus],
) -> MemberLoad:
    """Return the load of one member from its scrapes, filled in from its endpoint status."""
    scrapes = [scrape for scrape in (before, after) if isinstance(scrape, Scrape)]
    problems = [problem for problem in (before, after) if isinstance(problem, str)]
    if not scrapes:
        return MemberLoad(endpoint=endpoint, problem=problems[0], answered=False)
    last = scrapes[-1]
    rates = Rates()
    if after is None:
        rates = rates_since_start(last)
        if rates.calls_per_second is None and last.calls is not None:
            problems.append(f"{_why_no_average(last)}; add a second scrape")
    elif len(scrapes) == 2:
        if scrapes[0].member_id == last.member_id:
            rates = rates_between(scrapes[0], last, interval)
        else:
            problems.append(
                f"answered as member {scrapes[0].member_id}, then as member {last.member_id}; use the members' own "
                "URLs, not that of a load balancer"
            )
        if interval is None and last.calls is not None:
            problems.append("the time between its two scrapes is unknown, which gives no rate; give it in seconds")
    if rates.calls_per_second is None and not problems:
        problems.append(
            "the metrics of an API server, which report only the size of etcd's file; add those of etcd's members"
            if last.reported_by == "api-server"
            else "its metrics do not count client calls"
        )
    earlier = scrapes[0] if len(scrapes) == 2 and scrapes[0].member_id == last.member_id else None
    compared = (last,) if after is None else (earlier, last)
    waits = waits_between(None if rates.restarted else earlier, last)
    status = statuses.get(last.member_id or "")

    def filled(name: str) -> Any:
        value = getattr(last, name)
        return getattr(status, name) if value is None and status is not None else value

    filling = Filling()
    if earlier is not None and not rates.restarted:
        filling = filling_between(earlier, last, interval, filled("quota_bytes"))

    return MemberLoad(
        endpoint=endpoint,
        problem="; ".join(problems) or None,
        # The status is of a member that answers, even if a page of it was not saved.
        answered=status is not None or not isinstance(before if after is None else after, str),
        member_id=last.member_id,
        version=filled("version"),
        restarted=rates.restarted,
        requests_per_second=rates.requests_per_second,
        requests_bound=rates.requests_bound,
        calls_per_second=dict(rates.calls_per_second or {}),
        data_bytes=filled("data_bytes"),
        total_bytes=filled("total_bytes"),
        quota_bytes=filled("quota_bytes"),
        watch_streams=last.watch_streams,
        lease_streams=last.lease_streams,
        **{f"{kind}_p99_seconds": seconds for kind, seconds in waits.seconds.items()},
        since_start=waits.since_start,
        bytes_per_fsync=waits.bytes_per_fsync,
        cpu_cores=rates.cpu_cores,
        usable_cores=last.usable_cores,
        resident_bytes=last.resident_bytes,
        heap_bytes=last.heap_bytes,
        shares_process=last.shares_process,
        open_files=last.open_files,
        open_files_before=earlier.open_files if earlier is not None else None,
        keys=last.keys,
        history_revisions=_difference(last.revision, last.compact_revision),
        compacted=None if last.compact_revision is None else last.compact_revision > 0,
        writes_per_second=rates.per_second.get("revision"),
        puts_per_second=rates.per_second.get("puts"),
        put_bytes_per_second=rates.per_second.get("put_bytes"),
        deletes_per_second=rates.per_second.get("deletes"),
        puts_since_start=last.puts,
        average_put_bytes=_average(last.put_bytes, last.puts),
        leases_since_start=_difference(last.leases_granted, last.leases_revoked),
        lease_revokes_per_second=rates.per_second.get("leases_revoked"),
        lease_expirations_per_second=rates.per_second.get("leases_expired"),
        watchers=last.watchers,
        events_per_second=rates.per_second.get("events"),
        sent_bytes_per_second=rates.per_second.get("sent_bytes"),
        fill_bytes_per_second=filling.bytes_per_second,
        quota_hours_left=filling.hours_left,
        quota_hours_bound=filling.hours_bound,
        slow_watchers=_fewer("slow_watchers", *compared),
        watch_streams_before=earlier.watch_streams if earlier is not None else None,
        pending_proposals=_fewer("pending_proposals", *compared),
        failed_proposals=rates.failed_proposals,
        applied_per_second=rates.applied_per_second,
        has_leader=last.has_leader,
        is_leader=filled("is_leader"),
        is_learner=filled("is_learner"),
        leader_changes=rates.leader_changes,
        counts_every_call=last.counts_every_call,
        peers=last.peers,
        errors=() if status is None else status.errors,
    )


def _why_no_average(scrape: Scrape) -> str:
    """Return why a single scrape gives no rate."""
    if scrape.taken_unix_seconds is None:
        return (
            "a single scrape gives no rate without its time, which is unknown if the scrape was saved, or if the "
            "clocks of the member and of this machine differ"
        )
    if scrape.started_unix_seconds is None:
        return "a single scrape gives no rate without the start of the member's process, which it does not report"
    return "it was scraped before it started, by its own clock, which gives no rate"


def _difference(one: float | None, other: float | None) -> float | None:
    """Return how much larger the first is; 0 if it is not, as two metrics are not read at the same moment."""
    return None if one is None or other is None else max(one - other, 0)


def _average(total: float | None, count: float | None) -> float | None:
    return None if total is None or count is None or count < 1 else total / count


def _fewer(name: str, *scrapes: Scrape | None) -> float | None:
    """Return the smallest figure of scrapes, or None if one of them is missing or lacks it."""
    figures: list[Any] = [None if scrape is None else getattr(scrape, name) for scrape in scrapes]
    return None if None in figures else min(figures)


def load_of_status(status: MemberStatus) -> MemberLoad:
    """Return what the endpoint status alone reports of a member."""
    return MemberLoad(
        endpoint=status.endpoint,
        problem="only its endpoint status is known, which does not count requests; add its metrics",
        member_id=status.member_id,
        version=status.version,
        data_bytes=status.data_bytes,
        total_bytes=status.total_bytes,
        quota_bytes=status.quota_bytes,
        has_leader=status.leader_id is not None,
        is_leader=status.is_leader,
        is_learner=status.is_learner,
        errors=status.errors,
    )
