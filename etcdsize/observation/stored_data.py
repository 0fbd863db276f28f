"""How much keys and values of a running cluster are, which etcd does not report.

It reports the average put since a member started, how many keys there are, how many revisions since the last
compaction, and how much of the file is in use, which is pages that are not full and the history too. Where puts of the
average size explain the file, the keys are that large. Otherwise what is stored and what is written differ, as in
Kubernetes, where most writes are small leases; then the file says between which sizes the keys are.
"""

from __future__ import annotations

from etcdsize.resources.amount import Amount
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.revision_bytes import fragmentation, revision_bytes

__all__ = ["are_alike", "key_and_value", "stored_data"]

# The average key (kubernetes/kubernetes#132355); it matters little here how the bytes of a put are shared.
_KEY_BYTES = 50.0
# Puts in a commit: of busy writers, usual ones, and slow ones, whose puts take most of the file (our choice).
_BUSY, _USUAL, _SLOW = 100.0, 10.0, 1.0
# What a revision takes of the file in proportion to its key and value, where both are unknown: usually and at most
# (our choice from the table of bytes a revision).
_USUAL_PACKING, _MOST_PACKING = 1.4, 2.5
# The table of bytes a revision is simulated, and measured within 3 %.
_CLOSE = 1.05
# What the file has in use besides its revisions (measured on 3.4 to 3.7: 68 to 73 kB).
_FIXED_BYTES = 70_000
# Puts of half or twice the size are like others (our choice).
_LIKE = 2.0
_SOURCE = "etcd's metrics of puts, keys, revisions and the file; the table of bytes a revision"


def stored_data(
    keys: float, revisions: float, used_bytes: float, put_bytes: float | None, written_bytes: float | None = None
) -> Assumption | None:
    """Return what the keys and values are, as an assumption of `data_bytes`; None if nothing tells it.

    Parameters
    ----------
    keys, revisions : float
        Keys, and revisions since the last compaction, which are some of these keys or their history. [count]
    used_bytes : float
        The part of the file in use. [bytes]
    put_bytes : float or None
        The key and value of an average put since the member started. [bytes] None: unknown.
    written_bytes : float or None
        Those of an average put of now. [bytes] None: unknown.
    """
    if keys < 1 or not used_bytes:
        return None
    pages = max(0.0, used_bytes - _FIXED_BYTES)
    if put_bytes is None or put_bytes < 1:
        # Between all of the revisions and none of them are keys that exist.
        fewest, most = max(keys, revisions), keys + revisions
        pairs = used_bytes / most / _MOST_PACKING, used_bytes / most / _USUAL_PACKING, used_bytes / fewest
        why = "the part of the file in use, shared by its revisions: there was no put since the member started"
    elif written_bytes is not None and written_bytes >= 1 and not are_alike(written_bytes, put_bytes):
        pairs = _beside(keys, revisions, pages, written_bytes)
        why = "the part of the file in use without the history: what is written is of several sizes"
    else:
        pairs, why = _alike(keys, revisions, pages, put_bytes)
    low, likely, high = (keys * pair for pair in pairs)
    return Assumption(field="data_bytes", value=Amount(low=low, likely=likely, high=high), why=why, source=_SOURCE)


def _alike(keys: float, revisions: float, pages: float, put_bytes: float) -> tuple[tuple[float, float, float], str]:
    """Return an average key with its value where keys may be like the average put, and why. [bytes]"""
    least, usual, most = _in_file(put_bytes)
    if pages + _FIXED_BYTES < max(keys, revisions) * least:
        # The history may be of small puts, and the keys nearly all of the file.
        shared = min(put_bytes, (pages + _FIXED_BYTES) / max(keys, revisions))
        high = max(shared, pages / keys)
        likely = min(shared, (pages + _FIXED_BYTES) / (keys + revisions) / (usual / put_bytes))
        why = "the average put since the member started would take more than the part of the file in use"
        return (0.0, likely, high), why
    if pages <= (keys + revisions) * most:
        why = "keys as large as the average put since the member started, which explains the part of the file in use"
        return (put_bytes, put_bytes, put_bytes), why
    _, likely, high = (max(put_bytes, pair) for pair in _beside(keys, revisions, pages, put_bytes))
    why = "the average put explains less than the part of the file in use: some keys are larger"
    return (put_bytes, likely, high), why


def _beside(keys: float, revisions: float, pages: float, put_bytes: float) -> tuple[float, float, float]:
    """Return an average key with its value where the history is of puts of another size. [bytes]"""
    least, usual, most = _in_file(put_bytes)
    history = revisions * most, revisions / 2 * usual, max(0.0, revisions - keys) * least
    largest = pages / keys
    if largest < 1:
        return 0.0, largest, largest
    # Keys and values take no less of the file than their own bytes.
    packings = (*(size / largest for size in reversed(_in_file(largest)[1:])), 1.0)
    low, likely, high = (max(0.0, pages - kept) / keys / max(1.0, more) for kept, more in zip(history, packings))
    return low, max(low, likely), max(low, likely, high)


def are_alike(pair_bytes: float, other_bytes: float) -> bool:
    """Return whether two averages of key and value are of one size."""
    return other_bytes / _LIKE <= pair_bytes <= other_bytes * _LIKE


def key_and_value(pair_bytes: float) -> tuple[float, float]:
    """Return a usual key, and the value that is the rest of both. [bytes]"""
    key = min(pair_bytes, _KEY_BYTES)
    return key, pair_bytes - key


def _in_file(pair_bytes: float) -> tuple[float, float, float]:
    """Return what a revision with this key and value takes of the file: the least, what is usual, and the most. [bytes]

    Updates and compactions leave pages that are fuller or emptier.
    """
    key, value = key_and_value(pair_bytes)
    ends = []
    for puts in (_SLOW, _USUAL, _BUSY):
        best, _, worst = fragmentation(key, value, puts)
        fresh = revision_bytes(key, value, puts)
        ends += [fresh * min(1.0, best), fresh * max(1.0, worst)]
    return min(ends) / _CLOSE, revision_bytes(key, value, _USUAL), max(ends) * _CLOSE
