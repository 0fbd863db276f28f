"""How long a member takes to recover, by etcd's hardware page."""

__all__ = ["RECOVERY_FACTOR", "recovery_seconds"]

RECOVERY_FACTOR = 1.5
"""etcd-io/website content/en/docs/v3.5/op-guide/hardware.md: 10 MB/s recover 100 MB, and 100 MB/s 1 GB, in 15 s."""


def recovery_seconds(data_bytes: float, mb_per_second: float) -> float:
    """Return about how long a member takes to recover an amount of data at a disk's bandwidth. [s]

    Examples
    --------
    >>> recovery_seconds(100e6, 10), recovery_seconds(1e9, 100)
    (15.0, 15.0)
    """
    return RECOVERY_FACTOR * data_bytes / (mb_per_second * 1e6)
