"""The figures of a profile and what each of them counts, which says the units that its text may have."""

from __future__ import annotations

from typing import Literal

__all__ = ["FIELD_UNITS", "Unit"]

Unit = Literal["count", "rate", "bytes", "duration"]
"""What an amount counts: things, a rate [1/s], bytes, or a duration [s]."""

FIELD_UNITS: dict[str, Unit] = {
    "keys": "count",
    "key_bytes": "bytes",
    "value_bytes": "bytes",
    "largest_value_bytes": "bytes",
    "writes_per_second": "rate",
    "reads_per_second": "rate",
    "puts_per_transaction": "count",
    "puts_per_commit": "count",
    "revisions_per_key": "count",
    "history_seconds": "duration",
    "list_keys": "count",
    "concurrent_lists": "count",
    "watchers": "count",
    "watch_streams": "count",
    "watch_events_per_second": "rate",
    "leases": "count",
    "lease_ttl_seconds": "duration",
    "keys_per_lease": "count",
    "lease_revokes_per_second": "rate",
}
"""Every field of `Profile` that is an amount, in the order of the fields."""
