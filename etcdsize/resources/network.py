"""The network of a leader, of a follower and of the clients."""

from __future__ import annotations

from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import LoadSums
from etcdsize.resources.terms import Figures, TermKind

__all__ = ["NETWORK_TERMS", "network_figures"]

_FOLLOWERS = 2
"""Followers of a cluster of three members (our choice: what most clusters have)."""
# A request or its answer without key and value: headers of gRPC and of etcd (our reading; retries are not counted).
_REQUEST_BYTES = 60
# How many linearizable reads a second ask the other members alone; those that come meanwhile ask together (our choice).
_ALONE_PER_SECOND = 1_000

_WRITES = (
    TermKind("keys and values", (), "as they are written"),
    TermKind("messages", ("peer_per_put",)),
    TermKind("reads", ("peer_per_read",), "linearizable reads; many share one message"),
)
NETWORK_TERMS: dict[str, tuple[TermKind, ...]] = {
    "leader_bytes_per_second": (*_WRITES, TermKind("idle", ("peer_idle_leader",))),
    "follower_bytes_per_second": (*_WRITES, TermKind("idle", ("peer_idle_follower",))),
    "clients_bytes_per_second": (
        TermKind("writes", (), "the requests and their answers"),
        TermKind("reads", ("read_overhead",), "of an average key, beside the lists"),
        TermKind("watch events", ("watch_event_overhead",), "of an average write"),
    ),
}


def network_figures(load: Load, sums: LoadSums, values: Coefficients) -> Figures:
    """Return the figures of the network: leader and follower with peers, all members together with clients."""
    written, writes = sums.written_bytes_per_second, load.writes_per_second
    rate = sums.revisions_per_second
    stored = sums.data_bytes / sums.keys if sums.keys else 0.0
    event = written / rate if rate else stored
    messages = writes * values.peer_per_put
    asking = min(load.reads_per_second, _ALONE_PER_SECOND) * values.peer_per_read
    return {
        "leader_bytes_per_second": (_FOLLOWERS * written, _FOLLOWERS * messages, asking, values.peer_idle_leader),
        "follower_bytes_per_second": (written, messages, asking, values.peer_idle_follower),
        "clients_bytes_per_second": (
            written + writes * 2 * _REQUEST_BYTES,
            load.reads_per_second * (stored + values.read_overhead + _REQUEST_BYTES),
            load.watch_events_per_second * (event + values.watch_event_overhead),
        ),
    }
