"""The observation of a member with everything that etcd reports, between two scrapes."""

from __future__ import annotations

from etcdsize import Observation, Scrape, combine_scrapes

_MB = 10**6
# 1,000 keys of 1 kB, and 400 revisions since the last compaction.
_STORED = {"data_bytes": 2 * _MB, "total_bytes": 3 * _MB, "keys": 1_000, "revision": 5_000, "compact_revision": 4_600}
BEFORE = {
    **_STORED,
    **{"puts": 1_000, "put_bytes": 1_050_000, "deletes": 0, "events": 0, "watchers": 0, "watch_streams": 0},
    **{"leases_granted": 0, "leases_revoked": 0},
}
_AFTER = {**BEFORE, "revision": 5_200, "puts": 1_200, "put_bytes": 1_260_000}


def observed(after: dict | None = None, before: dict | None = None, *, seconds: float = 10, **options) -> Observation:
    """Return the observation of one member that was scraped twice."""
    known = {"member_id": "a", "version": "3.6.16", "has_leader": True, "started_unix_seconds": 1}
    calls = {"calls": {"KV.Put": 0, "KV.Range": 0}}, {"calls": {"KV.Put": 200, "KV.Range": 100}}
    first, second = (
        Scrape(**known | each | (more or {}))
        for each, more in ((BEFORE | calls[0], before), (_AFTER | calls[1], after))
    )
    return combine_scrapes({"a": first}, {"a": second}, seconds=seconds, **options)
