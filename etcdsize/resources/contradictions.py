"""Reject a profile whose fields cannot all be true. A range counts with the end that contradicts least."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn

from etcdsize.base.text import in_words, shown
from etcdsize.errors import InvalidWorkloadError
from etcdsize.units import format_bytes, format_number

if TYPE_CHECKING:
    from etcdsize.resources.amount import Amount
    from etcdsize.resources.profile_fields import ProfileFields

__all__ = ["DIFFERENCE", "MOST_KEY_BYTES", "PAGES", "ROUNDING", "reject_contradictions"]

# Figures that were measured at different moments differ a little (our choice).
DIFFERENCE = 1.1
# The data may be what is in use in etcd's file, where pages that are not full and the history take up to about three
# times the keys and values (our choice; an average key takes 1.02 to 2.5 times its own size there).
PAGES = 3.0
# Sums of decimal fractions are not exact.
ROUNDING = 1 + 1e-9
MOST_KEY_BYTES = 256.0


def reject_contradictions(profile: ProfileFields) -> None:
    """Raise an InvalidWorkloadError for the first fields that contradict each other."""
    if profile.objects:
        _check_kinds(profile)
    if profile.requests_per_second is not None and profile.requests_bound in ("exact", "upper"):
        _check_requests(profile, profile.requests_per_second)
    if profile.data_bytes is not None:
        _check_data(profile, profile.data_bytes)
    _check_parts(profile)
    _check_leases(profile)
    _check_watches(profile)


def _reject(field: str, got: object, expected: str, why: str) -> NoReturn:
    raise InvalidWorkloadError(f"{field}: got {got}, expected {expected}: {why}", dimension=field, value=got)


def _check_kinds(profile: ProfileFields) -> None:
    for field, amount, own in (("keys", profile.keys, "a count"), ("value_bytes", profile.value_bytes, "values")):
        if amount is not None:
            _reject(field, amount, "none", f"every kind of objects has {own} of its own; leave it out")
    names = [kind.name for kind in profile.objects]
    for row, name in enumerate(names):
        if name in names[:row]:
            _reject("objects", f"{shown(name)} more than once", "each kind once", "add up the counts")
    writes, puts = profile.writes_per_second, profile.puts_per_transaction
    kinds = [kind.writes_per_second for kind in profile.objects if kind.writes_per_second is not None]
    if writes is None or puts is None or not kinds:
        return
    why = "writes_per_second times puts_per_transaction; correct one of them"
    low, high = math.fsum(kind.low for kind in kinds), math.fsum(kind.high for kind in kinds)
    if low > writes.high * puts.high * DIFFERENCE:
        _reject("objects", f"{low:g} writes/s of all kinds", f"at most {writes.high * puts.high:g}", why)
    if len(kinds) == len(profile.objects) and high * DIFFERENCE < writes.low * puts.low:
        _reject("objects", f"{high:g} writes/s of all kinds", f"at least {writes.low * puts.low:g}", why)


def _check_requests(profile: ProfileFields, requests: float) -> None:
    writes, reads = profile.writes, profile.reads_per_second
    total = (reads.low if reads else 0) + (writes.low if writes else 0)
    if total > requests * ROUNDING:
        parts = [f"{amount} {what}" for amount, what in ((reads, "reads"), (writes, "writes")) if amount is not None]
        why = f"{in_words(parts)} a second; correct one of them"
        _reject("requests_per_second", format_number(requests), f"at least {total:g}", why)


def _check_data(profile: ProfileFields, data: float) -> None:
    low = high = 0.0
    for count, key, value in profile.pairs:
        if count is None:
            high = 0.0 if key and value and not key.high + value.high else math.inf
            break
        low += count.low * ((key.low if key else 0) + (value.low if value else 0))
        if count.high:
            high += count.high * ((key.high if key else MOST_KEY_BYTES) + value.high) if value else math.inf
    why = "the number of keys times the size of a key and its value; correct one of them"
    if low > data * DIFFERENCE and profile.data_bound in ("exact", "upper"):
        _reject("data_bytes", format_bytes(data), f"at least {_bytes_text(low)}", why)
    if not high and data and profile.data_bound in ("exact", "lower"):
        _reject("data_bytes", format_bytes(data), "0", "there are no keys, or empty ones; correct one of them")
    if high * PAGES < data and profile.data_bound in ("exact", "lower"):
        most = f"at most {_bytes_text(high)}, or {PAGES:g} times that in etcd's file"
        _reject("data_bytes", format_bytes(data), most, why)


def _bytes_text(size: float) -> str:
    """Return a size in at most six digits."""
    return format_bytes(float(f"{size:g}"))


def _check_parts(profile: ProfileFields) -> None:
    """Reject a part that is larger than the whole."""
    largest, lists = profile.largest_value_bytes, profile.list_keys
    if largest is not None:
        for value in (profile.value_bytes, *(kind.value_bytes for kind in profile.objects)):
            if value is not None and largest.high < value.low:
                _reject("largest_value_bytes", largest, f"at least {value.low:g}", "the average value is as large")
    most = _most_keys(profile)
    if lists is not None and lists.low > most:
        _reject("list_keys", lists, f"at most {most:g}", "there are no more keys; correct one of them")


def _most_keys(profile: ProfileFields) -> float:
    if profile.objects:
        return math.fsum(kind.count.high for kind in profile.objects)
    return profile.keys.high if profile.keys is not None else math.inf


def _check_leases(profile: ProfileFields) -> None:
    leases, attached = profile.leases, profile.keys_per_lease
    for field in ("lease_ttl_seconds", "keys_per_lease", "lease_revokes_per_second"):
        amount: Amount | None = getattr(profile, field)
        if leases is None and amount is not None:
            _reject(field, amount, "leases as well", "how many leases there are is unknown; give leases")
    if leases is None:
        return
    most = _most_keys(profile)
    if attached is not None and leases.low * attached.low > most * ROUNDING:
        why = f"{leases} leases would have more than the {most:g} keys there are; correct one of them"
        _reject("keys_per_lease", attached, f"at most {most / leases.low:g}", why)


def _check_watches(profile: ProfileFields) -> None:
    watchers, streams, events = profile.watchers, profile.watch_streams, profile.watch_events_per_second
    if watchers is not None and streams is not None and watchers.low > 0 == streams.high:
        _reject("watch_streams", streams, "at least 1", f"{watchers} watchers need a stream")
    for field, amount in (("watchers", watchers), ("watch_streams", streams)):
        if amount is not None and events is not None and events.low > 0 == amount.high:
            _reject(field, amount, "at least 1", f"{events} events a second are delivered to a watch")
