"""The CPU of a leader and of a follower, in cores of the machine on which the coefficients were measured."""

from __future__ import annotations

from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import LoadSums
from etcdsize.resources.terms import Figures, TermKind

__all__ = ["CPU_TERMS", "KEEPALIVES_PER_TTL", "cpu_figures"]

_MICROSECONDS = 1e-6
# Clients renew a lease when a third of its time has passed (client/v3/lease.go).
KEEPALIVES_PER_TTL = 3

_IDLE = TermKind("idle", ("cpu_idle",), "heartbeats and ticks of a cluster of three")
_SHARED = "requests that come at the same time share a pass"
_SERVED = (
    TermKind("reads", ("cpu_get",)),
    TermKind("reads alone", ("cpu_get_alone", "passes_per_second"), _SHARED),
    TermKind("lists", ("list_busy",), "as if they were under way at this moment: a peak"),
    TermKind("watch events", ("cpu_event", "cpu_event_kb")),
    TermKind("leases", ("cpu_keepalive", "cpu_grant", "cpu_revoke", "cpu_delete_key")),
)
CPU_TERMS: dict[str, tuple[TermKind, ...]] = {
    "leader_cores": (
        _IDLE,
        TermKind("writes", ("cpu_put", "cpu_put_kb")),
        TermKind("writes alone", ("cpu_put_alone", "passes_per_second"), _SHARED),
        *_SERVED,
    ),
    "follower_cores": (
        _IDLE,
        TermKind("writes", ("cpu_put_follower",)),
        TermKind("writes alone", ("cpu_put_alone_follower", "passes_per_second"), _SHARED),
        *_SERVED,
    ),
}


def cpu_figures(load: Load, sums: LoadSums, values: Coefficients) -> Figures:
    """Return the cores that a leader and a follower keep busy, if it serves all the clients."""
    rate, written = sums.revisions_per_second, sums.written_bytes_per_second
    stored = sums.data_bytes / sums.keys if sums.keys else 0.0
    event_kb = (written / rate if rate else stored) / 1000
    idle = _MICROSECONDS * values.cpu_idle
    writes = rate * values.cpu_put + written / 1000 * values.cpu_put_kb
    alone = _MICROSECONDS * min(load.writes_per_second, values.passes_per_second)
    reads_alone = min(load.reads_per_second, values.passes_per_second)
    ended = load.lease_revokes_per_second
    kept = load.leases * KEEPALIVES_PER_TTL / load.lease_ttl_seconds if load.leases else 0.0
    served = (
        _MICROSECONDS * load.reads_per_second * values.cpu_get,
        _MICROSECONDS * reads_alone * values.cpu_get_alone,
        load.concurrent_lists * values.list_busy if sums.list_keys else 0.0,
        _MICROSECONDS * load.watch_events_per_second * (values.cpu_event + event_kb * values.cpu_event_kb),
        _MICROSECONDS
        * (
            kept * values.cpu_keepalive
            + ended * (values.cpu_grant + values.cpu_revoke + load.keys_per_lease * values.cpu_delete_key)
        ),
    )
    return {
        "leader_cores": (idle, _MICROSECONDS * writes, alone * values.cpu_put_alone, *served),
        "follower_cores": (
            idle,
            _MICROSECONDS * rate * values.cpu_put_follower,
            alone * values.cpu_put_alone_follower,
            *served,
        ),
    }
