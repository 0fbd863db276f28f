"""The load of a Kubernetes cluster from what is known of it; the rest is taken from the table of `kubernetes_table`.

Every such figure is an assumption with its source.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from etcdsize.resources.amount import Amount
from etcdsize.resources.amounts import NOTHING, largest_of, product_of, quotient_of, smallest_of, sum_of
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.kubernetes_objects import GivenObjects
from etcdsize.resources.kubernetes_table import EVENTS, LEASES, NODES, PODS, KubernetesKind, load_kubernetes
from etcdsize.resources.object_kind import ObjectKind
from etcdsize.resources.profile import Profile

__all__ = ["cluster_profile"]

_DAY = 86_400
_CUSTOM_RESOURCES = "customresourcedefinitions.apiextensions.k8s.io"
_KEY_SOURCE = "kubernetes/kubernetes#132355: 50 B on average; by kind our choice"


def cluster_profile(
    *,
    nodes: Amount,
    pods: Amount | None,
    given: Mapping[str, GivenObjects],
    apiservers: int,
    events: bool = True,
    rollout_seconds: float | None = None,
    are_all_given: bool = False,
    resources: int | None = None,
    known: Mapping[str, Amount] | None = None,
) -> Profile:
    """Return the load of a cluster from what is known of it.

    Parameters
    ----------
    nodes, pods : Amount
        Nodes and pods. [count]
    given : mapping
        Kind of objects, with its group -> what is known of it.
    apiservers : int
        API servers. [count]
    events : bool
        Whether this etcd stores events.
    rollout_seconds : float, optional
        The time in which all pods are replaced. [s]
    are_all_given : bool
        Whether kinds that are not given have no objects.
    resources : int, optional
        Resources that an API server watches. [count]
    known : mapping, optional
        Field of the profile -> its value, instead of a default.
    """
    cluster = _Cluster(nodes, pods, given, apiservers, events, rollout_seconds, are_all_given)
    return cluster.profile(resources, known or {})


class _Cluster:
    """Collects the kinds of a cluster and what is assumed of them."""

    def __init__(
        self,
        nodes: Amount,
        pods: Amount | None,
        given: Mapping[str, GivenObjects],
        apiservers: int,
        events: bool,
        rollout: float | None,
        are_all_given: bool,
    ) -> None:
        self._table = load_kubernetes()
        self._assumptions: list[Assumption] = []
        self._nodes = nodes
        self._given = dict(given)
        self._apiservers = apiservers
        self._events = events
        self._are_all_given = are_all_given
        if pods is None:
            per_node = "pods_per_node"
            pods = product_of(nodes, self._figure(per_node))
            self._assume("objects.pods.count", pods, per_node, "pods of a node times nodes")
        self._pods = pods
        for name, amount in ((NODES, nodes), (PODS, self._pods)):
            self._given[name] = replace(self._given.get(name, GivenObjects()), count=amount)
        self._rollout = None if rollout is None else Amount.of(rollout)
        # How often each pod is replaced. [1/s]
        starts = product_of(self._figure("pod_starts_per_day"), 1 / _DAY) if rollout is None else Amount.of(1 / rollout)
        self._pod_starts = product_of(self._pods, starts)

    def profile(self, resources: int | None, known: Mapping[str, Amount]) -> Profile:
        kinds = [
            kind for kind in (*map(self._known_kind, self._table.kinds), *self._custom_kinds()) if kind is not None
        ]
        watched = Amount.of(resources) if resources is not None else self._resources(kinds)
        fields: dict[str, Any] = {
            # The dimension of a workload is one number.
            "clients": round(watched.likely * self._apiservers),
            "clients_bound": "exact" if watched.is_exact else "estimate",
            "tls": bool(self._assume("tls", self._figure("tls"), "tls", "API servers connect with TLS").likely),
            "objects": tuple(kinds),
            "puts_per_transaction": self._assume(
                "puts_per_transaction",
                self._figure("puts_per_transaction"),
                "puts_per_transaction",
                "an API server writes one object a request",
            ),
            **self._watches(kinds, watched),
            **(self._leases(kinds, known.get("keys_per_lease")) if self._events else {"leases": Amount.of(0)}),
            **self._rest(kinds),
            **{name: value for name, value in known.items() if name != "keys_per_lease"},
        }
        present = {f"objects.{kind.name}" for kind in kinds}
        assumptions = [
            one
            for one in self._assumptions
            if one.field not in known
            and (not one.field.startswith("objects.") or one.field.rpartition(".")[0] in present)
        ]
        return Profile(**fields, assumptions=tuple(assumptions))

    def _figure(self, name: str) -> Amount:
        return self._table.figures_by_name[name].value

    def _assume(self, field: str, value: Amount, figure: str, why: str) -> Amount:
        """Record an assumption that rests on a figure of the table, and return its value."""
        self._record(field, value, why, self._table.figures_by_name[figure].source)
        return value

    def _record(self, field: str, value: Amount, why: str, source: str) -> None:
        self._assumptions.append(Assumption(field=field, value=value, why=why, source=source))

    # The kinds.

    def _known_kind(self, kind: KubernetesKind) -> ObjectKind | None:
        """Return a kind of the table, or None if the cluster has no such objects."""
        given = self._given.get(kind.name)
        if kind.name == EVENTS and not self._events:
            return None
        if given is None and (self._are_all_given or kind.count_source is None):
            return None
        given = given or GivenObjects()
        place = f"objects.{kind.name}"
        count = given.count
        if count is None:
            count = self._count(kind)
            self._record(f"{place}.count", count, "nothing is said of them", kind.count_source or "our choice")
        if not count.high:
            return None
        value, key = given.value_bytes, given.key_bytes
        if value is None:
            value = kind.value_bytes
            self._record(f"{place}.value_bytes", value, "the usual size of an object", kind.source)
        if key is None:
            key = kind.key_bytes
            self._record(f"{place}.key_bytes", key, "the usual length of a key", _KEY_SOURCE)
        writes = given.writes_per_second
        if writes is None:
            writes = self._writes(kind, count)
            why = "the usual rate of writes" if self._rollout is None else "the rate while all pods are replaced"
            self._record(f"{place}.writes_per_second", writes, why, kind.writes_source)
        return ObjectKind(name=kind.name, count=count, key_bytes=key, value_bytes=value, writes_per_second=writes)

    def _custom_kinds(self) -> Iterable[ObjectKind | None]:
        """Return the kinds that the table does not have."""
        for name, given in self._given.items():
            if name in self._table.kinds_by_name or given.count is None or not given.count.high:
                continue
            place = f"objects.{name}"
            value, key, writes = given.value_bytes, given.key_bytes, given.writes_per_second
            if value is None:
                value = self._figure("custom_resource_bytes")
                self._assume(f"{place}.value_bytes", value, "custom_resource_bytes", "its size is not reported")
            if key is None:
                key = self._figure("custom_resource_key_bytes")
                self._assume(f"{place}.key_bytes", key, "custom_resource_key_bytes", "the usual length of a key")
            if writes is None:
                figure = "custom_resource_writes_per_day"
                writes = product_of(given.count, self._figure(figure), 1 / _DAY)
                self._assume(f"{place}.writes_per_second", writes, figure, "the usual rate of writes")
            yield ObjectKind(name=name, count=given.count, key_bytes=key, value_bytes=value, writes_per_second=writes)

    def _count(self, kind: KubernetesKind) -> Amount:
        if kind.name == EVENTS:
            return self._kept_events()
        terms = [kind.fixed or NOTHING]
        if kind.per_node is not None:
            terms.append(product_of(kind.per_node, self._nodes))
        if kind.per_pod is not None:
            terms.append(product_of(kind.per_pod, self._pods))
        if kind.name == LEASES:
            terms += [Amount.of(self._apiservers), self._figure("leader_election_leases")]
        return sum_of(terms)

    def _writes(self, kind: KubernetesKind, count: Amount) -> Amount:
        """Return the writes of a kind. [1/s]"""
        if kind.name == EVENTS:
            given = self._given.get(EVENTS)
            new = quotient_of(count, self._figure("event_seconds")) if given and given.count else self._new_events()
            return product_of(new, self._figure("event_writes"))
        if kind.name == LEASES:
            renewed = quotient_of(
                sum_of([self._nodes, Amount.of(self._apiservers)]), self._figure("node_lease_seconds")
            )
            elected = quotient_of(self._figure("leader_election_leases"), self._figure("leader_election_seconds"))
            return sum_of([renewed, elected])
        per_day = kind.writes_per_day or self._figure("writes_per_object_day")
        terms = [product_of(count, per_day, 1 / _DAY)]
        if kind.writes_per_pod_start is not None:
            terms.append(product_of(kind.writes_per_pod_start, self._pod_starts))
        return sum_of(terms)

    def _new_events(self) -> Amount:
        """Return the events that are created. [1/s]"""
        return sum_of(self._event_rates())

    def _event_rates(self) -> tuple[Amount, Amount]:
        """Return the events of pods that start, and the others. [1/s]"""
        of_starts = self._table.kinds_by_name[EVENTS].writes_per_pod_start or NOTHING
        per_hour = product_of(self._pods, self._figure("events_per_pod_hour"), 1 / 3600)
        return product_of(self._pod_starts, of_starts), per_hour

    def _kept_events(self) -> Amount:
        """Return the events that are stored: those of a rollout that is over sooner are all that there are."""
        seconds = self._figure("event_seconds")
        if self._rollout is None:
            return product_of(self._new_events(), seconds)
        of_starts, others = self._event_rates()
        return sum_of([product_of(of_starts, smallest_of([self._rollout, seconds])), product_of(others, seconds)])

    # The API servers.

    def _resources(self, kinds: Iterable[ObjectKind]) -> Amount:
        """Return the resources that an API server watches: those of Kubernetes, and the custom ones. [count]"""
        custom = {kind.name for kind in kinds if kind.name not in self._table.kinds_by_name}
        defined = next((kind.count for kind in kinds if kind.name == _CUSTOM_RESOURCES), NOTHING)
        least = Amount.of(len(custom))
        own = self._figure("built_in_resources")
        built_in = own if self._events else Amount(low=own.low - 1, likely=own.likely - 1, high=own.high - 1)
        return sum_of([built_in, largest_of([defined, least])])

    def _watches(self, kinds: Iterable[ObjectKind], resources: Amount) -> dict[str, Amount]:
        why = f"{self._apiservers} API servers watch each resource through a connection of its own"
        watches = product_of(resources, self._apiservers)
        cached = sum_of([_writes_of(kind) for kind in kinds if kind.name != EVENTS])
        # With the previous value, an event has the bytes of two.
        events = product_of(cached, 2 * self._apiservers)
        readers = self._figure("event_watchers")
        for kind in kinds:
            if kind.name == EVENTS:
                watches = sum_of([watches, readers])
                events = sum_of([events, product_of(_writes_of(kind), readers, 2)])
        self._assume("clients", product_of(resources, self._apiservers), "built_in_resources", why)
        self._assume("watchers", watches, "built_in_resources", why)
        self._assume("watch_streams", watches, "built_in_resources", "each watch has a stream of its own")
        self._assume(
            "watch_events_per_second",
            events,
            "previous_values",
            f"every write reaches {self._apiservers} API servers with the previous value, so it counts twice",
        )
        return {"watchers": watches, "watch_streams": watches, "watch_events_per_second": events}

    def _leases(self, kinds: Iterable[ObjectKind], per_lease: Amount | None) -> dict[str, Amount]:
        """Return the leases of the events: each API server shares one for a minute, or for 1,000 objects."""
        count = next((kind.count for kind in kinds if kind.name == EVENTS), NOTHING)
        ttl = sum_of([self._figure("event_seconds"), self._figure("event_lease_seconds")])
        if per_lease is not None:
            leases = quotient_of(count, per_lease)
        else:
            at_most = quotient_of(count, self._figure("event_lease_objects"))
            one_server = quotient_of(ttl, self._figure("event_lease_seconds"))
            by_time = Amount(
                low=one_server.low,
                likely=one_server.likely * self._apiservers,
                high=one_server.high * self._apiservers,
            )
            leases = largest_of([at_most, smallest_of([by_time, count])])
            # Not the quotient of the two, which rounding could make smaller for more events. At worst all events come
            # through one API server, however many there are.
            alone = smallest_of([count, Amount.of(1)])
            shared = Amount(
                low=alone.low,
                likely=max(alone.likely, count.likely / by_time.likely),
                high=max(alone.high, count.high / one_server.low),
            )
            per_lease = smallest_of([self._figure("event_lease_objects"), shared])
        self._assume(
            "leases", leases, "event_lease_seconds", "an API server shares a lease among the events of a minute"
        )
        self._assume("keys_per_lease", per_lease, "event_lease_objects", "at most 1,000 events share a lease")
        self._assume("lease_ttl_seconds", ttl, "event_seconds", "events are kept for an hour")
        ends = quotient_of(leases, ttl)
        self._assume(
            "lease_revokes_per_second", ends, "event_seconds", "no lease of events is renewed, so each expires"
        )
        return {
            "leases": leases,
            "keys_per_lease": per_lease,
            "lease_ttl_seconds": ttl,
            "lease_revokes_per_second": ends,
        }

    def _rest(self, kinds: Iterable[ObjectKind]) -> dict[str, Amount]:
        kinds = tuple(kinds)
        writes = sum_of(map(_writes_of, kinds))
        figure = self._figure
        history, why = figure("history_seconds"), "an API server compacts every 5 minutes"
        if self._rollout is not None:
            history = smallest_of([self._rollout, history])
            why += "; of a rollout that is over sooner nothing else is in the history"
        return {
            "history_seconds": self._assume("history_seconds", history, "history_seconds", why),
            "reads_per_second": self._assume(
                "reads_per_second",
                product_of(writes, figure("reads_per_write")),
                "reads_per_write",
                "watch caches answer most reads",
            ),
            "list_keys": self._assume(
                "list_keys",
                smallest_of([figure("list_page"), largest_of([kind.count for kind in kinds])]),
                "list_page",
                "a starting API server lists each resource in pages",
            ),
            "concurrent_lists": self._assume(
                "concurrent_lists",
                product_of(figure("lists_at_start"), Amount(low=1, likely=1, high=self._apiservers)),
                "lists_at_start",
                "API servers are restarted one after the other; at worst all start at the same time",
            ),
            "puts_per_commit": self._assume(
                "puts_per_commit", figure("puts_per_commit"), "puts_per_commit", "how densely the data was written"
            ),
            "largest_value_bytes": self._assume(
                "largest_value_bytes",
                largest_of([figure("largest_value_bytes"), *(kind.value_bytes for kind in kinds)]),
                "largest_value_bytes",
                "a secret, a config map or a custom resource may be large",
            ),
        }


def _writes_of(kind: ObjectKind) -> Amount:
    return kind.writes_per_second or NOTHING
