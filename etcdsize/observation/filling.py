"""When the quota of a member is full at the rate at which its file fills."""

from __future__ import annotations

from dataclasses import dataclass

from etcdsize.observation.model import HoursBound
from etcdsize.observation.scrape import Scrape
from etcdsize.observation.stored_data import key_and_value
from etcdsize.resources.revision_bytes import revision_bytes

__all__ = ["Filling", "filling_between"]

# A commit frees pages and takes others, so that less is no measure of what was written (our choice).
_LEAST_GROWTH_BYTES = 1_000_000
_COMMITS_PER_SECOND = 10


@dataclass(frozen=True)
class Filling:
    """How fast the file of a member fills, and when the quota is full. None: unknown; for the hours, also never."""

    bytes_per_second: float | None = None
    hours_left: float | None = None
    hours_bound: HoursBound | None = None


def filling_between(before: Scrape, after: Scrape, seconds: float | None, quota_bytes: float | None) -> Filling:
    """Return how fast the file of a member fills between two scrapes of one process.

    The pages that a compaction freed are filled first, so what counts is the part of the file that is in use. Where it
    grew too little to be measured, or a compaction freed some of it, what the puts take counts. The hours are a lower
    bound where keys were written again or deleted: compaction frees that. A file as large as the quota is full already.

    Parameters
    ----------
    before, after : Scrape
        Two scrapes of the same process.
    seconds : float or None
        The time between them. [s] None: the rate is unknown.
    quota_bytes : float or None
        The quota of the file. [bytes]
    """
    if seconds is None or seconds <= 0:
        return Filling()
    used_before, used = (one.total_bytes if one.data_bytes is None else one.data_bytes for one in (before, after))
    growth = None if used is None or used_before is None else used - used_before
    if growth is None or growth < _LEAST_GROWTH_BYTES:
        growth = _written(before, after, seconds)
    rate = None if growth is None else growth / seconds
    if quota_bytes and after.total_bytes is not None and after.total_bytes >= quota_bytes:
        return Filling(rate, 0.0, "estimate")
    if rate is None:
        return Filling()
    if not rate or used is None or not quota_bytes:
        return Filling(rate)
    return Filling(rate, max(0.0, quota_bytes - used) / rate / 3600, _bound(before, after))


def _written(before: Scrape, after: Scrape, seconds: float) -> float | None:
    """Return what the puts between two scrapes take of the file. [bytes]"""
    if before.puts is None or after.puts is None or before.put_bytes is None or after.put_bytes is None:
        return None
    puts, size = after.puts - before.puts, after.put_bytes - before.put_bytes
    if puts < 1 or size < 0:
        return 0.0 if not puts else None
    return puts * revision_bytes(*key_and_value(size / puts), puts / seconds / _COMMITS_PER_SECOND)


def _bound(before: Scrape, after: Scrape) -> HoursBound:
    """Return what the hours are: lower where compaction may free something of what was written."""
    figures = (before.puts, after.puts, before.keys, after.keys)
    if None in figures:
        return "lower"
    puts_before, puts, keys_before, keys = (figure or 0 for figure in figures)
    # Every put made a new key, as far as two metrics that are not read at the same moment tell.
    return "estimate" if keys - keys_before >= 0.9 * (puts - puts_before) > 0 else "lower"
