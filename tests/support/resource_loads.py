"""Loads for the tests of the resource model."""

from __future__ import annotations

from hypothesis import strategies as st

from etcdsize.resources.load import Load, ObjectLoad

_DEFAULTS = {
    "clients": 10.0,
    "reads_per_second": 0.0,
    "puts_per_transaction": 1.0,
    "puts_per_commit": 10.0,
    "revisions_per_key": 1.0,
    "history_seconds": 600.0,
    "list_keys": 0.0,
    "concurrent_lists": 0.0,
    "watchers": 0.0,
    "watch_streams": 0.0,
    "watch_events_per_second": 0.0,
    "leases": 0.0,
    "lease_ttl_seconds": 60.0,
    "keys_per_lease": 0.0,
    "lease_revokes_per_second": 0.0,
    "tls": 0.0,
}


def one_load(count=1_000.0, key_bytes=64.0, value_bytes=1_000.0, writes=10.0, **others):
    """Return a load of one kind of keys; what is not named is little or nothing."""
    figures = {**_DEFAULTS, "largest_value_bytes": value_bytes, **others}
    return Load(
        objects=(ObjectLoad("keys", count, key_bytes, value_bytes, writes),),
        writes_per_second=writes / figures["puts_per_transaction"],
        **figures,
    )


_ranges = {
    "count": st.floats(0, 1e7),
    "key_bytes": st.floats(1, 1_000),
    "value_bytes": st.floats(0, 2e6),
    "writes": st.floats(0, 2e4),
    "clients": st.floats(0, 1e5),
    "reads_per_second": st.floats(0, 1e5),
    "puts_per_transaction": st.floats(1, 128),
    "puts_per_commit": st.floats(1, 100),
    "revisions_per_key": st.floats(1, 100),
    "history_seconds": st.floats(0, 1e6),
    "list_keys": st.floats(0, 1e6),
    "concurrent_lists": st.floats(0, 100),
    "watchers": st.floats(0, 1e6),
    "watch_streams": st.floats(0, 1e5),
    "watch_events_per_second": st.floats(0, 1e6),
    "leases": st.floats(0, 1e5),
    "lease_ttl_seconds": st.floats(1, 1e5),
    "keys_per_lease": st.floats(0, 1e4),
    "lease_revokes_per_second": st.floats(0, 1e3),
    "tls": st.sampled_from([0.0, 1.0]),
}


def loads():
    """Return a strategy of loads with one kind of keys; figures have three decimals."""
    rounded = {name: figures.map(lambda value: round(value, 3)) for name, figures in _ranges.items()}
    return st.fixed_dictionaries(rounded).map(lambda figures: one_load(**figures))
