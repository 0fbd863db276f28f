"""The four cases of an answer: the low end of everything, the likely value, the high end, and what to provide for."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

from etcdsize.resources.amount import Amount
from etcdsize.resources.calibrated_model import CalibratedModel
from etcdsize.resources.coefficients import CoefficientTable, load_coefficients
from etcdsize.resources.disk import DiskSpeed
from etcdsize.resources.fill import Filled
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import sums_of
from etcdsize.resources.model import Case, Evaluation, evaluate, with_tls
from etcdsize.resources.seconds import defragment_terms

__all__ = [
    "DISK_MB_PER_SECOND",
    "FSYNC_SECONDS",
    "Asked",
    "CaseSet",
    "Evaluations",
    "cases_of",
    "defragment_seconds",
    "evaluate_all",
    "evaluate_need",
    "points_of",
    "stream_bytes",
]

DISK_MB_PER_SECOND = (50.0, 125.0, 500.0)
"""A disk that nobody knows: low, likely and high (our choice: a small network disk, AWS gp3, a local SSD). [MB/s]"""
FSYNC_SECONDS = (0.0005, 0.002, 0.010)
"""How long its fsyncs take (our choice: a local SSD, AWS gp3, the most that etcd's FAQ accepts). [s]"""


class Asked(NamedTuple):
    """What is asked besides the load. None: unknown, or etcd's default."""

    etcd_version: str
    quota_bytes: int | None = None
    snapshot_count: int | None = None
    disk_mb_per_second: float | None = None
    fsync_seconds: float | None = None
    model: CalibratedModel | None = None
    snapshot_catchup_entries: int | None = None

    @property
    def table(self) -> CoefficientTable:
        """The coefficients: those of a model, or ours for the version."""
        return load_coefficients(self.etcd_version) if self.model is None else self.model

    def with_disk_of_model(self) -> Asked:
        """Return the same with the disk of the model, where none is given."""
        disk = None if self.model is None else self.model.disk
        if disk is None:
            return self
        bandwidth, fsync = self.disk_mb_per_second, self.fsync_seconds
        return self._replace(
            disk_mb_per_second=disk.mb_per_second if bandwidth is None else bandwidth,
            fsync_seconds=disk.fsync_seconds if fsync is None else fsync,
        )


class Evaluations(NamedTuple):
    """The evaluations behind an answer."""

    ends: tuple[Evaluation, ...]
    """At the extreme points: those of the low end with the low coefficients, the others with the high ones."""
    likely: Evaluation
    need: Evaluation


class CaseSet(NamedTuple):
    """What the four cases assume besides the load."""

    low: Case
    likely: Case
    high: Case
    need: Case


def points_of(filled: Filled, asked: Asked) -> list[tuple[Load, Case]]:
    """Return the points whose figures make up a range, each with its case: the likely one, and then both ends."""
    cases, lows = cases_of(asked), filled.lows
    return [
        (filled.likely, cases.likely),
        *((point, cases.low) for point in filled.points[:lows]),
        *((point, cases.high) for point in filled.points[lows:]),
    ]


def evaluate_all(filled: Filled, asked: Asked) -> Evaluations:
    """Return the evaluations of a filled profile."""
    cases = cases_of(asked)
    ends = (*_of_end(filled.points[: filled.lows], cases.low), *_of_end(filled.points[filled.lows :], cases.high))
    return Evaluations(ends, _evaluate(filled.likely, cases.likely), _evaluate(filled.need, cases.need))


def _of_end(points: Sequence[Load], case: Case) -> list[Evaluation]:
    """Return the evaluations of one end's points, of which two with and without TLS follow each other."""
    found: list[Evaluation] = []
    before: list[object] = []
    for point in points:
        # The last field is TLS.
        *others, _ = point
        found.append(with_tls(found[-1], point, case) if others == before else _evaluate(point, case))
        before = others
    return found


def evaluate_need(load: Load, asked: Asked) -> Evaluation:
    """Return what to provide for a load."""
    return _evaluate(load, cases_of(asked).need)


def defragment_seconds(in_use_bytes: float, asked: Asked) -> Amount:
    """Return how long the defragmentation of a file takes that has so much in use. [s]"""
    cases = cases_of(asked)
    low, likely, high = (
        math.fsum(defragment_terms(in_use_bytes, case.values, case.disk))
        for case in (cases.low, cases.likely, cases.high)
    )
    return Amount(low=low, likely=likely, high=high)


def stream_bytes(streams: float, asked: Asked) -> Amount:
    """Return what watch streams take of memory, without TLS and with it, and without garbage. [bytes]"""
    one = asked.table.spread.likely
    ends = sorted((one.stream_heap + one.stream_stack, one.stream_tls_heap + one.stream_tls_stack))
    return Amount.of([streams * end for end in ends])


def _evaluate(load: Load, case: Case) -> Evaluation:
    return evaluate(load, sums_of(load, case.values.defragment_keys), case)


@functools.lru_cache(maxsize=256)
def cases_of(asked: Asked) -> CaseSet:
    """Return what the four cases assume besides the load."""
    low, likely, high = asked.table.spread
    speeds = DISK_MB_PER_SECOND if asked.disk_mb_per_second is None else (asked.disk_mb_per_second,) * 3
    fsyncs = FSYNC_SECONDS if asked.fsync_seconds is None else (asked.fsync_seconds,) * 3
    count = likely.default_snapshot_count if asked.snapshot_count is None else float(asked.snapshot_count)
    kept = likely.raft_kept_after if asked.snapshot_catchup_entries is None else float(asked.snapshot_catchup_entries)
    most = kept + likely.raft_kept_most - likely.raft_kept_after + likely.raft_kept_per_snapshot_count * count
    fast, usual, slow = (DiskSpeed(*pair) for pair in zip(reversed(speeds), fsyncs))

    def case(
        index: int,
        disk: DiskSpeed,
        loop: float,
        entries: float,
        watcher: float,
        since: float,
        together: tuple[float, float] = (1.0, math.inf),
    ) -> Case:
        values = (low, likely, high)[index]
        return Case(index, values, disk, loop, entries, watcher, count, since, asked.quota_bytes, together)

    # How many writes are under way at once is only known to be one or more: the clients say what is likely.
    every, alone = (math.inf, math.inf), (1.0, 1.0)
    return CaseSet(
        low=case(0, fast, fsyncs[2] + high.wal_loop_seconds, kept, low.watcher_same_range, 0.0, every),
        likely=case(
            1, usual, fsyncs[1] + likely.wal_loop_seconds, (kept + most) / 2, likely.watcher_own_key, count / 2
        ),
        high=case(2, slow, fsyncs[0] + low.wal_loop_seconds, most, high.watcher_own_range, count, alone),
        need=case(2, usual, fsyncs[1] + low.wal_loop_seconds, most, high.watcher_own_range, count),
    )
