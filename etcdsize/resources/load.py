"""One complete point of a load: every figure is a plain float, and nothing is unknown.

`fill` makes the points of a profile. The formulas of the model see only these.
"""

from typing import NamedTuple

__all__ = ["Load", "ObjectLoad"]


class ObjectLoad(NamedTuple):
    """The keys of one kind."""

    name: str
    """The kind; "keys" if the profile has no kinds."""
    number: float
    """Keys. [count]"""
    key_bytes: float
    """The average key. [bytes]"""
    value_bytes: float
    """The average value. [bytes]"""
    writes_per_second: float
    """Puts and deletes of keys of this kind. [1/s]"""


class Load(NamedTuple):
    """A load in all its figures."""

    objects: tuple[ObjectLoad, ...]
    """The keys by kind; one kind named "keys" if the profile has no kinds."""
    clients: float
    """Concurrent client connections. [count]"""
    reads_per_second: float
    """Read requests. [1/s]"""
    writes_per_second: float
    """Write requests; a transaction is one. [1/s]"""
    puts_per_transaction: float
    """Keys that a write request changes. Times `writes_per_second`, it is the sum of the kinds' writes. [count]"""
    puts_per_commit: float
    """How many puts one commit of the backend held when the data was written. [count]"""
    largest_value_bytes: float
    """The largest value of any key. [bytes]"""
    revisions_per_key: float
    """The most revisions that a key has between two compactions, on average over the keys. [count]"""
    history_seconds: float
    """How long a revision that has been replaced is kept. [s]"""
    list_keys: float
    """Keys in one list. [count]"""
    concurrent_lists: float
    """Lists that are answered at the same time. [count]"""
    watchers: float
    """Watches on keys or ranges. [count]"""
    watch_streams: float
    """gRPC streams that carry the watches. [count]"""
    watch_events_per_second: float
    """Events delivered, over all streams. [1/s]"""
    leases: float
    """Leases that are alive. [count]"""
    lease_ttl_seconds: float
    """The time to live of a lease. [s]"""
    keys_per_lease: float
    """Keys attached to a lease. [count]"""
    lease_revokes_per_second: float
    """Leases that expire or are revoked. [1/s]"""
    tls: float
    """1 if clients connect with TLS, 0 if not."""
