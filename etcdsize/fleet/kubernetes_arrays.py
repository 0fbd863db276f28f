"""The loads of Kubernetes clusters, from arrays of nodes and pods: `resources.kubernetes_profile`, row by row.

Every count and every rate of `kubernetes_profile` is a sum of a constant, a part for each node and a part for each pod.
So these three are taken from profiles of small clusters, and the table of kinds stays the only place that has them.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from etcdsize.fleet.cpu_arrays import Serving
from etcdsize.fleet.load_arrays import Growth, KindArrays, Linear, LoadArrays, Points
from etcdsize.fleet.revision_arrays import Floats, Mask, where
from etcdsize.resources.amount import Amount
from etcdsize.resources.contradictions import DIFFERENCE, PAGES, ROUNDING
from etcdsize.resources.known import HIGH, LIKELY, LOW, NEED
from etcdsize.resources.kubernetes import kubernetes_profile
from etcdsize.resources.kubernetes_table import EVENTS, load_kubernetes

__all__ = ["Clusters"]

_ENDS = ("low", "likely", "high", "likely")
"""The end of an assumption in every case."""


_Figure = tuple[float, float, float]
"""A figure of a cluster: a constant, a part for each node and one for each pod."""


class _Kind(NamedTuple):
    name: str
    number: _Figure
    key_bytes: float
    value_bytes: float
    writes: _Figure


class _Composition(NamedTuple):
    """The kinds of a cluster and its other figures, at one end of the table."""

    kinds: list[_Kind]
    figures: dict[str, float]
    """The figures that no cluster changes, by the field of `Profile`."""
    reads: _Figure
    watch_events: _Figure
    lease_ttl_seconds: float
    watchers_without_events: float
    reads_per_write: float
    pods_per_node: float


@functools.cache
def _composition(case: int) -> _Composition:
    end = _ENDS[case]

    def at(amount: Amount | None) -> float:
        return 0.0 if amount is None else float(getattr(amount, end))

    one, more_nodes, more_pods = (kubernetes_profile(nodes, pods) for nodes, pods in ((1, 1), (2, 1), (1, 2)))

    def linear(values: list[float]) -> _Figure:
        first, of_nodes, of_pods = values
        per_node, per_pod = of_nodes - first, of_pods - first
        return first - per_node - per_pod, per_node, per_pod

    kinds = [
        _Kind(
            rows[0].name,
            linear([at(row.count) for row in rows]),
            at(rows[0].key_bytes),
            at(rows[0].value_bytes),
            linear([at(row.writes_per_second) for row in rows]),
        )
        for rows in zip(one.objects, more_nodes.objects, more_pods.objects)
    ]
    presets = {assumption.field: at(assumption.value) for assumption in one.assumptions}
    figures = load_kubernetes().figures_by_name
    return _Composition(
        kinds,
        {name: presets[name] for name in _FIXED},
        linear([at(row.reads_per_second) for row in (one, more_nodes, more_pods)]),
        linear([at(row.watch_events_per_second) for row in (one, more_nodes, more_pods)]),
        presets["lease_ttl_seconds"],
        at(kubernetes_profile(1, 0).watchers),
        at(figures["reads_per_write"].value),
        at(figures["pods_per_node"].value),
    )


_FIXED = (
    *("clients", "watchers", "history_seconds", "concurrent_lists", "puts_per_commit", "puts_per_transaction"),
    *("largest_value_bytes", "tls"),
)


class _Triples(NamedTuple):
    """The keys of all kinds: rows of kinds, and a column for each cluster or one for all."""

    number: Floats
    key: Floats
    value: Floats


class Clusters:
    """The Kubernetes clusters of a block, with what else is known of them.

    Parameters
    ----------
    nodes, pods, clients, requests, data, tls : array, shape (n,)
        The figures; NaN: unknown. The nodes are known.
    """

    def __init__(
        self, nodes: Floats, pods: Floats, clients: Floats, requests: Floats, data: Floats, tls: Floats
    ) -> None:
        self._nodes, self._pods, self._clients, self._requests, self._data = nodes, pods, clients, requests, data
        self._tls = tls

    def contradict(self) -> Mask:
        """Return where the requests or the data contradict the cluster; see `resources.contradictions`."""
        if np.isnan(self._requests).all() and np.isnan(self._data).all():
            return np.zeros(len(self._nodes), np.bool_)
        low, high = self._kinds(LOW), self._kinds(HIGH)
        writes = _sum([kind.writes_per_second for kind in low])
        reads = writes * _composition(LOW).reads_per_write
        found = reads + writes > self._requests * ROUNDING
        least, most = _data_of(_triples(low)), _data_of(_triples(high))
        return found | (least > self._data * DIFFERENCE) | (most * PAGES < self._data)

    def needed_loads(self) -> LoadArrays:
        """Return what to provide for."""
        return self._middle(NEED)

    def serving_of(self, case: int) -> Serving:
        """Return what the API servers ask for besides, in a case."""
        composition, pods = _composition(case), self._pods_of(case)
        reads, events = (
            Linear(*figure, self._nodes, pods).figures for figure in (composition.reads, composition.watch_events)
        )
        return Serving(reads, events, np.float64(composition.lease_ttl_seconds))

    def points_of(self) -> Points:
        """Return the likely loads, and those of both ends."""
        low, high = self._kinds(LOW), self._kinds(HIGH)
        counts = [[kind.count for kind in kinds] for kinds in (low, high)]
        lows, highs = [low], [high]
        if not np.all(np.isnan(self._data)):
            few, many = _triples(low), _triples(high)
            starts = (_Triples(many.number, few.key, few.value), _Triples(few.number, many.key, many.value))
            lows, highs = ([self._met(kinds, start, few, many) for start in starts] for kinds in (low, high))
        return Points(
            [self._load(LOW, kinds, counts[0]) for kinds in lows],
            self._middle(LIKELY),
            [self._load(HIGH, kinds, counts[1]) for kinds in highs],
        )

    def _middle(self, case: int) -> LoadArrays:
        kinds = self._kinds(case)
        counts = [kind.count for kind in kinds]
        if not np.all(np.isnan(self._data)):
            kinds = self._met(kinds, _triples(kinds), _triples(self._kinds(LOW)), _triples(self._kinds(HIGH)))
        return self._load(case, kinds, counts)

    def _pods_of(self, case: int) -> Floats:
        return where(np.isnan(self._pods), self._nodes * _composition(case).pods_per_node, self._pods)

    def _kinds(self, case: int) -> list[KindArrays]:
        nodes, pods = self._nodes, self._pods_of(case)
        found = []
        for kind in _composition(case).kinds:
            count, writes = Linear(*kind.number, nodes, pods), Linear(*kind.writes, nodes, pods)
            key, value = np.float64(kind.key_bytes), np.float64(kind.value_bytes)
            found.append(KindArrays(count.figures, key, value, writes.figures, growth=Growth(count, writes)))
        return found

    def _met(self, kinds: list[KindArrays], start: _Triples, low: _Triples, high: _Triples) -> list[KindArrays]:
        """Return kinds that hold the data where it is known; see `composition.meet`."""
        data = np.minimum(np.maximum(self._data, _data_of(low)), _data_of(high))
        known = ~np.isnan(self._data)
        lack = data - _data_of(start)
        is_low = lack < 0
        end = _Triples(*(where(is_low, one, other) for one, other in zip(low, high)))
        spans = (
            (start.number * (end.value - start.value)).sum(axis=0),
            ((end.number - start.number) * (start.key + end.value)).sum(axis=0),
            (end.number * (end.key - start.key)).sum(axis=0),
        )
        shares = []
        for span in spans:
            share = where(span != 0, np.minimum(np.maximum(lack / span, 0.0), 1.0), 0.0)
            shares.append(share)
            lack = lack - share * span
        value, number, key = shares
        met = _Triples(
            start.number + number * (end.number - start.number),
            start.key + key * (end.key - start.key),
            start.value + value * (end.value - start.value),
        )
        return [
            KindArrays(
                where(known, met.number[row], kind.count),
                where(known, met.key[row], kind.key_bytes),
                where(known, met.value[row], kind.value_bytes),
                kind.writes_per_second,
                growth=None if kind.growth is None else Growth(None, kind.growth.writes_per_second),
            )
            for row, kind in enumerate(kinds)
        ]

    def _load(self, case: int, kinds: list[KindArrays], counts: list[Floats]) -> LoadArrays:
        """Return the loads of a case; `counts` are those of the kinds before they were made to hold the data."""
        composition = _composition(case)
        figures = composition.figures
        of_events = next(at for at, kind in enumerate(composition.kinds) if kind.name == EVENTS)
        watchers = where(self._pods_of(HIGH) > 0, figures["watchers"], composition.watchers_without_events)
        leases, attached, ends = _leases(case, counts[of_events])
        listed = np.minimum(load_kubernetes().figures_by_name["list_page"].value.likely, np.maximum.reduce(counts))
        largest = np.float64(figures["largest_value_bytes"])
        for kind in kinds:
            largest = np.maximum(largest, kind.value_bytes)
        requests = _sum([kind.writes_per_second for kind in kinds])
        puts = figures["puts_per_transaction"]
        fewest = _composition({LOW: HIGH, HIGH: LOW}.get(case, case)).figures["puts_per_commit"]
        return LoadArrays(
            kinds,
            clients=where(np.isnan(self._clients), figures["clients"], self._clients),
            writes_per_second=requests / puts,
            puts_per_transaction=puts,
            puts_per_commit=fewest,
            largest_value_bytes=largest,
            history_seconds=figures["history_seconds"],
            list_keys=listed,
            concurrent_lists=figures["concurrent_lists"],
            watchers=watchers,
            watch_streams=watchers,
            leases=leases,
            keys_per_lease=attached,
            lease_revokes_per_second=ends,
            tls=where(np.isnan(self._tls), figures["tls"], self._tls),
        )


def _leases(case: int, events: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the leases of the events, the events of each, and how many end a second; see `resources.kubernetes`."""
    figures = load_kubernetes().figures_by_name
    # The four are single numbers: `quotient_of` has nothing to turn around.
    seconds, most = (figures[name].value.likely for name in ("event_lease_seconds", "event_lease_objects"))
    ttl = figures["event_seconds"].value.likely + seconds
    one_server = ttl / seconds
    by_time = one_server if case == LOW else one_server * _API_SERVERS
    leases = np.maximum(events / most, np.minimum(by_time, events))
    shared = np.minimum(events, 1.0)
    if case != LOW:
        # At worst all events come through one API server.
        shared = np.maximum(shared, events / (one_server if case == HIGH else by_time))
    return leases, np.minimum(most, shared), leases / ttl


_API_SERVERS = 3
"""The default of `kubernetes_profile`."""


def _sum(parts: list[Floats]) -> Floats:
    return functools.reduce(np.add, parts)


def _triples(kinds: list[KindArrays]) -> _Triples:
    return _Triples(
        np.stack([kind.count for kind in kinds]),
        np.array([[kind.key_bytes] for kind in kinds]),
        np.array([[kind.value_bytes] for kind in kinds]),
    )


def _data_of(keys: _Triples) -> Floats:
    """Return the keys and values of all kinds. [bytes]"""
    return (keys.number * (keys.key + keys.value)).sum(axis=0)
