"""How often the keys of a profile are written: write requests, keys that each changes, and the kinds' shares."""

from __future__ import annotations

import math
from typing import NamedTuple

from etcdsize.resources.known import CASES, Cases, Known

__all__ = ["Writing", "writing_of"]

_MINUTE, _DAY = 60.0, 86_400.0


class Writing(NamedTuple):
    """The writes in each of the four cases."""

    requests: Cases
    """Write requests. [1/s]"""
    puts: Cases
    """Keys that each of them changes. [count]"""
    kinds: list[list[float]]
    """By case, the puts and deletes of every kind. [1/s]"""


def writing_of(known: Known, requests: Cases | None, reads: Cases | None, counts: list[Cases]) -> Writing:
    """Return the writes of a profile; `counts` are those of its kinds of keys."""
    objects = known.profile.objects
    puts = known.given("puts_per_transaction")
    rates: list[Cases | None] = [
        known.of_kind(kind.name, "writes_per_second", kind.writes_per_second) for kind in objects
    ] or [None]
    writes = known.given("writes_per_second")
    if not any(kind.writes_per_second for kind in objects):
        writes = writes or known.writes(requests, reads)
    if writes is None:
        return _of_kinds(known, puts, _complete(known, rates, counts))
    if puts is None and None not in rates:
        sums = [math.fsum([rate[case] for rate in rates if rate]) for case in CASES]
        puts = Cases(*[total / request if request else 1.0 for total, request in zip(sums, writes)])
    puts = puts or known.default("puts_per_transaction")
    if len(rates) == 1:
        return Writing(writes, puts, [[writes[case] * puts[case]] for case in CASES])
    kinds = [
        _filled_up(writes[case] * puts[case], [rate and rate[case] for rate in rates], [one[case] for one in counts])
        for case in CASES
    ]
    for kind, rate, shares in zip(objects, rates, zip(*kinds)):
        if rate is None:
            name = f"objects.{kind.name}.writes_per_second"
            known.note(name, Cases(*shares), "the writes of kinds that have none of their own, shared by counts")
    return Writing(writes, puts, kinds)


def _complete(known: Known, rates: list[Cases | None], counts: list[Cases]) -> list[Cases]:
    """Return the kinds' rates; a kind without one is written rarely."""
    complete = []
    for kind, rate, count in zip(known.profile.objects, rates, counts):
        if rate is None:
            rate = Cases(0.0, count.likely / _DAY, count.high / _MINUTE, count.need / _DAY)
            why = "a key is written between never and once a minute, likely once a day"
            known.note(f"objects.{kind.name}.writes_per_second", rate, why)
        complete.append(rate)
    return complete


def _of_kinds(known: Known, puts: Cases | None, rates: list[Cases]) -> Writing:
    """Return the writes where the kinds alone say how many there are: more keys a request are fewer requests."""
    low, likely, high, need = puts or known.default("puts_per_transaction")
    puts = Cases(high, likely, low, low if need == high else likely)
    kinds = [[rate[case] for rate in rates] for case in CASES]
    requests = Cases(*[math.fsum(kinds[case]) / puts[case] if puts[case] else 0.0 for case in CASES])
    return Writing(requests, puts, kinds)


def _filled_up(total: float, rates: list[float | None], counts: list[float]) -> list[float]:
    """Return the kinds' rates with the sum that is given: what is left goes to the kinds without a rate."""
    known = math.fsum([rate for rate in rates if rate is not None])
    lacking = [count if rate is None else 0.0 for count, rate in zip(counts, rates)]
    if None in rates and known <= total:
        return [share if rate is None else rate for share, rate in zip(_shared(total - known, lacking), rates)]
    if not known:
        return _shared(total, counts)
    return [(rate or 0.0) * total / known for rate in rates]


def _shared(total: float, counts: list[float]) -> list[float]:
    """Return a total shared out by counts."""
    whole = math.fsum(counts)
    return [total * count / whole if whole else total / len(counts) for count in counts]
