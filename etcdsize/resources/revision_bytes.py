"""How much of the file a revision takes: that depends on its size and on how many puts share a commit.

bbolt keeps revisions on pages of 4,096 bytes, and splits a page where a commit fills it. The table is written by
`python -m benchmarks.resources.revision_table`, which simulates that; the experiments hold it to real members.
"""

import functools
import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    *("FIXED_BYTES", "HALF_A_PAGE", "RevisionTable"),
    *("element_bytes", "fragmentation", "revision_bytes", "revision_tables", "share_of_runs"),
]

_FILE = Path(__file__).parents[1] / "data" / "resources" / "revision-bytes.json"
FIXED_BYTES = 16 + 17 + 3 + 4 + 4 + 1
"""The header and the key of an element, and its three numbers with their tags: revisions from 2 to 268 million."""
_LEASE = 1 + 9
# One answer asks for the same sizes many times.
_remembered = functools.lru_cache(maxsize=4096)
HALF_A_PAGE = (4096 - 16) / 2
"""Two longer elements do not fit on a page. [bytes]"""


class RevisionTable(NamedTuple):
    """Bytes by the size of an element, a row each, and by the puts of a commit."""

    sizes: Sequence[float]
    puts: Sequence[float]
    log_puts: Sequence[float]
    cells: Sequence[Sequence[float]]


def element_bytes(key_bytes: float, value_bytes: float, *, lease: bool = False) -> float:
    """Return what one revision takes on its page, before the page's own loss. [bytes]

    Source: etcd's message `mvccpb.KeyValue` and bbolt's element of a leaf.

    >>> element_bytes(64, 1000)
    1114
    """
    size = FIXED_BYTES + 1 + _length_of(key_bytes) + key_bytes
    if value_bytes:
        size += 1 + _length_of(value_bytes) + value_bytes
    return size + _LEASE if lease else size


@_remembered
def revision_bytes(key_bytes: float, value_bytes: float, puts_per_commit: float, *, lease: bool = False) -> float:
    """Return the bytes of the file that a revision takes when it is appended. [bytes]

    Values of one size are meant: a step lies where one element less fits on a page, and at 2 kB it doubles the figure.
    Commits have that number of puts on average and are irregular; with exactly so many in each, from 1.5 to 20, the
    figure may be up to half larger or a quarter smaller.

    Parameters
    ----------
    key_bytes, value_bytes : float  The length of key and value. [bytes]
    puts_per_commit : float  How many puts one commit of the backend holds; below 1 counts as 1. [count]
    lease : bool  Whether the key has a lease.

    >>> round(revision_bytes(64, 1000, 1)), round(revision_bytes(64, 1000, 100))
    (2067, 1382)
    """
    element = element_bytes(key_bytes, value_bytes, lease=lease)
    return _looked_up(revision_tables()["appended_bytes"], element, puts_per_commit)


@_remembered
def fragmentation(
    key_bytes: float, value_bytes: float, puts_per_commit: float = 100.0, *, lease: bool = False
) -> tuple[float, float, float]:
    """Return how much larger or smaller the file in use is after random updates and compactions: low, likely, high.

    The factor is that of `revision_bytes`; it is below 1 where keys that are written again fill pages better. Keys that
    are written in order, or once, have 1. The spread is over updates of 10 % to 300 % of the keys between compactions.

    >>> [round(factor, 1) for factor in fragmentation(64, 100)]
    [1.6, 1.7, 1.8]
    """
    element = element_bytes(key_bytes, value_bytes, lease=lease)
    tables = revision_tables()
    fresh = _looked_up(tables["appended_bytes"], element, puts_per_commit)
    low, likely, high = (
        _looked_up(tables[f"updated_bytes_{name}"], element, puts_per_commit) / fresh
        for name in ("low", "likely", "high")
    )
    return low, likely, high


@_remembered
def share_of_runs(key_bytes: float, value_bytes: float, puts_per_commit: float, *, lease: bool = False) -> float:
    """Return how much of the coefficient `file_runs` counts: what is unused between runs of pages. [0 to 1]

    Each commit replaces the last leaf, which is a run of pages where two elements are longer than a page. The pages
    that this frees are often too few in a row for the next run. With a hundred puts a commit, few leaves are replaced.

    >>> [round(share_of_runs(64, 4000, puts), 2) for puts in (1, 10, 30, 100)]
    [1.0, 1.0, 0.52, 0.0]
    """
    if element_bytes(key_bytes, value_bytes, lease=lease) <= HALF_A_PAGE:
        return 0.0
    return min(1.0, max(0.0, 2 - math.log10(max(1.0, puts_per_commit))))


def _length_of(number: float) -> int:
    """Return how many bytes a length takes in a message."""
    return 1 if number < 128 else 2 if number < 16_384 else 3 if number < 2_097_152 else 4


def _looked_up(table: RevisionTable, element: float, puts_per_commit: float) -> float:
    """Return a cell: the next larger size's, and between two numbers of puts the line between the logarithms."""
    largest = table.sizes[-1]
    row = table.cells[min(bisect_left(table.sizes, element), len(table.sizes) - 1)]
    puts = min(max(puts_per_commit, table.puts[0]), table.puts[-1])
    right = min(bisect_right(table.puts, puts), len(table.puts) - 1)
    left = right - 1
    share = (math.log(puts) - table.log_puts[left]) / (table.log_puts[right] - table.log_puts[left])
    # The logarithms of a few cells are taken sooner than those of all.
    first, last = math.log(row[left]), math.log(row[right])
    found = math.exp(first + share * (last - first))
    # Beyond the table two elements share a run of pages.
    return found if element <= largest else found * _run_of(element) / _run_of(largest)


def _run_of(element: float) -> int:
    return math.ceil((16 + 2 * element) / 4096)


@functools.cache
def revision_tables() -> dict[str, RevisionTable]:
    """Return the tables: `appended_bytes`, and `updated_bytes_low`, `_likely` and `_high`."""
    found: dict[str, Any] = json.loads(_FILE.read_bytes())
    sizes = found["element_bytes"]
    tables = {}
    for name, puts in [("appended_bytes", found["puts_per_commit"])] + [
        (f"updated_bytes_{name}", found["updated_puts_per_commit"]) for name in ("low", "likely", "high")
    ]:
        tables[name] = RevisionTable(sizes, puts, [math.log(one) for one in puts], found[name])
    return tables
