"""What a load may be said to have besides its dimensions, by name: options of the command line and keys of a query."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LOAD_OPTIONS", "LoadOption"]


class LoadOption(NamedTuple):
    """A field of `Profile` that has an option of its own. Its unit is that of the field."""

    name: str
    """The option, without its two hyphens."""
    metavar: str
    help: str


LOAD_OPTIONS: dict[str, LoadOption] = {
    "keys": LoadOption("keys", "N", "keys stored, e.g. 40000, or a range such as 20000..60000"),
    "key_bytes": LoadOption("key-size", "SIZE", "average key, e.g. 60 or 40..90"),
    "value_bytes": LoadOption("value-size", "SIZE", "average value, e.g. 1kB or 200..900"),
    "largest_value_bytes": LoadOption("largest-value", "SIZE", "largest value of any key"),
    "writes_per_second": LoadOption("writes", "RATE", "write requests per second, e.g. 50 or 20..200"),
    "reads_per_second": LoadOption("reads", "RATE", "read requests per second"),
    "history_seconds": LoadOption(
        "history",
        "TIME",
        "how long a replaced revision is kept, e.g. 10m or 1h..2h; without Kubernetes, less than 2m counts as 2m",
    ),
    "list_keys": LoadOption("list-keys", "N", "keys that one list returns"),
    "concurrent_lists": LoadOption("lists", "N", "lists that a member serves at the same time"),
    "watchers": LoadOption("watchers", "N", "watches on keys or ranges"),
    "watch_streams": LoadOption("streams", "N", "gRPC streams that carry the watches"),
    "leases": LoadOption("leases", "N", "live leases"),
}
"""The amounts, by the field of `Profile`."""
