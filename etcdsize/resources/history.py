"""How long replaced revisions are kept where a profile does not say: an hour's compaction, unless that is too much.

Compaction each r seconds keeps r to 2r of history. Compaction each hour is the rule; where the writes fill 2 GiB in
less than two hours it comes more often, down to each five minutes. So the history grows with the writes, stays at
2 GiB, and grows again: more writes never keep less. Where the revisions of a key say that more is kept, it stays at
that. The ends of the range do not depend on the writes: how often a
cluster compacts is not known, whatever it writes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from etcdsize.resources.choices import Choices
from etcdsize.resources.composition import Triple
from etcdsize.resources.defaults import (
    GAPS_OF_RUNS,
    LEAST_HISTORY_SECONDS,
    MOST_HISTORY_BYTES,
    MOST_HISTORY_SECONDS,
)
from etcdsize.resources.known import LIKELY, NEED, Cases, Known
from etcdsize.resources.revision_bytes import revision_bytes, share_of_runs
from etcdsize.resources.writing import Writing

__all__ = ["history_of"]

_COMMITS_PER_SECOND = 10
_WHY = (
    "compaction each hour keeps one to two hours of history, and the file keeps the size of the most; where 2 GiB are "
    "written in less than two hours, compaction comes more often, down to each five minutes; without compaction the "
    "file grows until the quota is full"
)
_SOURCE = "etcd-io/etcd server/etcdserver/api/v3compactor/periodic.go; the hour and the 2 GiB are our choice"


def history_of(known: Known, choices: Choices, writing: Writing) -> Cases:
    """Return how long a revision that has been replaced is kept. [s]"""
    given = known.given("history_seconds")
    if given is not None:
        return given

    revisions = known.given("revisions_per_key")

    def given_bytes(case: int, kinds: list[Triple]) -> float:
        """Return the history of the revisions that are given, written in two hours. [bytes]"""
        if revisions is None:
            return 0.0
        further = max(0.0, revisions[case] - 1)
        rates = [further * kind.number / MOST_HISTORY_SECONDS for kind in kinds]
        return MOST_HISTORY_SECONDS * _bytes_per_second(rates, kinds, writing.puts[case])

    def longest(case: int, kinds: list[Triple]) -> float:
        written = _bytes_per_second(writing.kinds[case], kinds, writing.puts[case])
        if written * MOST_HISTORY_SECONDS <= MOST_HISTORY_BYTES:
            return MOST_HISTORY_SECONDS
        most = max(MOST_HISTORY_BYTES, given_bytes(case, kinds))
        return min(MOST_HISTORY_SECONDS, max(LEAST_HISTORY_SECONDS, most / written))

    # Just after a compaction half of the most is left.
    low, high = LEAST_HISTORY_SECONDS / 2, MOST_HISTORY_SECONDS
    cases = Cases(low, longest(LIKELY, choices.likely), high, longest(NEED, choices.need))
    return known.note("history_seconds", cases, _WHY, _SOURCE)


def _bytes_per_second(rates: Sequence[float], kinds: Sequence[Triple], puts: float) -> float:
    """Return what puts of kinds of keys add to the file, with what they leave unused. [bytes/s]"""
    written = []
    for rate, kind in zip(rates, kinds):
        dense = max(1.0, puts, rate / _COMMITS_PER_SECOND)
        gaps = 1 + GAPS_OF_RUNS * share_of_runs(kind.key, kind.value, dense)
        written.append(rate * (revision_bytes(kind.key, kind.value, dense) * gaps))
    return math.fsum(written)
