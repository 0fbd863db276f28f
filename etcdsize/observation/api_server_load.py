"""The load of etcd as the API servers of Kubernetes see it, which is all that a managed cluster shows."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from etcdsize.base.checks import count_of, number_of, true_or_false
from etcdsize.base.model import Count, Model, NotNegative, Positive
from etcdsize.base.notice import Notice
from etcdsize.base.text import shown
from etcdsize.errors import OptionError, ScrapeError
from etcdsize.observation.api_server import READ_OPERATIONS, WRITE_OPERATIONS, ApiServerPage, read_api_server_page
from etcdsize.observation.notices import api_server_notices
from etcdsize.observation.rates import START_TOLERANCE_SECONDS
from etcdsize.resources.amount import Amount
from etcdsize.resources.kubernetes_cluster import cluster_profile
from etcdsize.resources.kubernetes_objects import GivenObjects
from etcdsize.resources.kubernetes_table import EVENTS, LEASES, NODES, OTHERS, PODS, load_kubernetes
from etcdsize.resources.profile import Profile

__all__ = ["ApiServerLoad", "read_apiserver_metrics"]

# Kubernetes makes them itself.
_IN_EVERY_CLUSTER = ("namespaces", "configmaps")

Source = str | bytes
"""The text of one page."""


class ApiServerLoad(Model):
    """The load of a Kubernetes cluster's etcd, as its API servers report it."""

    profile: Annotated[Profile, Field(description="The load; `assumptions` lists what the API servers do not report.")]
    apiservers: Annotated[Count, Field(description="API servers of the cluster. [count]")]
    file_bytes: Annotated[
        dict[str, NotNegative],
        Field(description="The size of etcd's file, by the API servers' name of the etcd cluster. [bytes]"),
    ]
    interval_seconds: Annotated[
        Positive | None, Field(description="The time over which requests were counted. None: they are unknown. [s]")
    ] = None
    notices: Annotated[tuple[Notice, ...], Field(description="What to know before you rely on it.")] = ()


class _Rates(NamedTuple):
    """What happened between two pages of every API server."""

    writes: dict[str, Amount]
    """Kind -> its writes. [1/s]"""
    uncounted: float
    """Writes of kinds whose objects are not counted. [1/s]"""
    uncounted_kinds: int
    reads: float
    """Reads. [1/s]"""
    unknown_operations: tuple[str, ...]
    has_kinds: bool
    """Whether writes are counted by kind; before Kubernetes 1.26 they are counted by types of Go."""


def read_apiserver_metrics(
    pages: Source | Sequence[Source] | Mapping[str, Source],
    before: Source | Sequence[Source] | Mapping[str, Source] | None = None,
    *,
    seconds: float | None = None,
    apiservers: int | None = None,
    events: bool = True,
) -> ApiServerLoad:
    """Return the load of a Kubernetes cluster's etcd from the metrics of its API servers.

    A managed cluster shows no others. The counts and sizes of objects are the same on every API server; requests are
    summed.

    Parameters
    ----------
    pages : str, bytes, sequence or mapping
        What `kubectl get --raw /metrics` prints: one page, or one of each API server, in their order or by name.
    before : str, bytes, sequence or mapping, optional
        Earlier pages of the same API servers. Without them, rates are unknown, and assumed as by `kubernetes_profile`.
    seconds : float, optional
        The time between the two. [s]
    apiservers : int, optional
        API servers of the cluster, if there are more than pages. [count]
    events : bool
        Whether this etcd stores events. False if they have an etcd of their own.

    Returns
    -------
    ApiServerLoad

    Raises
    ------
    ScrapeError
        If a page is not an API server's, is cut off or has an impossible value, or if the pages do not belong together.
    OptionError
        If `before` and `seconds` are not given together, or there are fewer API servers than pages.
    MissingDependencyError
        Without prometheus-client, which the extra `observe` installs.

    Examples
    --------
    >>> page = '''apiserver_resource_objects{group="",resource="nodes"} 40
    ... apiserver_resource_objects{group="",resource="pods"} 1200
    ... apiserver_resource_size_estimate_bytes{group="",resource="pods"} 9.6e+06
    ... apiserver_storage_size_bytes{storage_cluster_id="etcd-0"} 2.4e+07
    ... process_start_time_seconds 1.79558068502e+09
    ... '''
    >>> load = read_apiserver_metrics(page, apiservers=3)
    >>> pods = next(kind for kind in load.profile.objects if kind.name == "pods")
    >>> print(pods.count, pods.value_bytes, load.file_bytes)
    1200 8000 {'etcd-0': 24000000.0}
    """
    true_or_false("events", events)
    if (before is None) != (seconds is None):
        raise OptionError(
            "seconds: expected the time between the pages before and after together with before, or neither",
            option="seconds",
            value=seconds,
        )
    texts = _named("pages", pages)
    last = {name: _read(name, text) for name, text in texts.items()}
    _reject_copies(last)
    count = len(last) if apiservers is None else count_of("apiservers", apiservers)
    if count < len(last):
        raise OptionError(
            f"apiservers: got {count}, expected at least the {len(last)} whose pages are given",
            option="apiservers",
            value=apiservers,
        )
    rates: _Rates | None = None
    unknown: str | None = (
        "One set of metrics does not show the rate of requests, so it is assumed. Fetch the metrics again some minutes "
        "later, and pass both."
    )
    if before is not None:
        interval = number_of("seconds", seconds, positive=True)
        first = {name: _read(f"{name}, before", text) for name, text in _named("before", before).items()}
        _reject_copies(first, ", before")
        rates, unknown = _known_rates(_pairs(first, last), interval, count / len(last))
    objects = _objects(last.values())
    files = {cluster: max(page.file_bytes.get(cluster, 0) for page in last.values()) for cluster in _clusters(last)}
    return ApiServerLoad(
        profile=_profile(list(last.values()), objects, rates, count, events),
        apiservers=count,
        file_bytes=files,
        interval_seconds=None if rates is None else seconds,
        notices=tuple(
            api_server_notices(
                rates_unknown=unknown,
                uncounted=[kind for kind, number in objects.items() if number is None],
                unknown_operations=() if rates is None else rates.unknown_operations,
                pages=len(last),
                apiservers=count,
                etcds=len(files) if events else 0,
            )
        ),
    )


def _known_rates(
    pairs: Mapping[str, tuple[ApiServerPage, ApiServerPage]], seconds: float, share: float
) -> tuple[_Rates | None, str | None]:
    """Return the rates between two pages of each API server, and why they are unknown, or unknown by kind.

    `share` is the number of API servers for each whose pages are given.
    """
    others = [name for name, (then, now) in pairs.items() if _is_of_another_process(name, then, now)]
    if others:
        return None, (
            f"{len(others)} of {len(pairs)} API servers ({others[0]} is the first) restarted between the two pages, or "
            "the pages are of different API servers. So the requests are unknown and assumed: take two new pages."
        )
    if not all(now.requests for _, now in pairs.values()):
        return None, "The pages have no counts of requests to etcd, so they are unknown and assumed."
    rates = _rates(list(pairs.values()), seconds, share)
    if rates.has_kinds:
        return rates, None
    return rates, (
        "Before Kubernetes 1.26, requests are counted by types of Go, so the writes of each kind are unknown and "
        "assumed."
    )


def _named(option: str, pages: object) -> dict[str, Source]:
    """Return the texts by their names."""
    if isinstance(pages, (str, bytes)):
        return {"page": pages}
    if isinstance(pages, Mapping):
        named = {str(name): text for name, text in pages.items()}
    elif isinstance(pages, Sequence):
        named = {f"page {number}": text for number, text in enumerate(pages, 1)}
    else:
        named = {}
    if not named or not all(isinstance(text, (str, bytes)) for text in named.values()):
        raise OptionError(
            f"{option}: got {shown(pages)} of type {type(pages).__name__}, expected a text of metrics, or several",
            option=option,
            value=pages,
        )
    return named


def _read(name: str, text: Source) -> ApiServerPage:
    try:
        return read_api_server_page(text)
    except ScrapeError as error:
        raise ScrapeError(f"{name}: {error}", line=error.line, metric=error.metric) from None


def _reject_copies(pages: Mapping[str, ApiServerPage], when: str = "") -> None:
    """Reject two pages of one API server, of which a load balancer may serve several."""
    names: dict[float, str] = {}
    for name, page in pages.items():
        other = names.setdefault(page.started_unix_seconds, name)
        if other != name:
            raise ScrapeError(
                f"{name}{when}: is of the same API server as {other}, because its process started at the same time; "
                "expected one page of each API server"
            )


def _pairs(
    first: Mapping[str, ApiServerPage], last: Mapping[str, ApiServerPage]
) -> dict[str, tuple[ApiServerPage, ApiServerPage]]:
    """Return the pages before and after of each API server.

    Pages are of one API server if its process started at the same time. The others are paired by name if the names
    agree, else in order.
    """
    if len(first) != len(last):
        raise ScrapeError(
            f"got {len(first)} pages before and {len(last)} after, expected one before and one after of each API server"
        )
    waiting = dict(first)
    pairs: dict[str, tuple[ApiServerPage, ApiServerPage]] = {}
    for name, page in last.items():
        distance = {one: abs(then.started_unix_seconds - page.started_unix_seconds) for one, then in waiting.items()}
        nearest = min(distance, key=lambda one: distance[one], default=None)
        if nearest is not None and distance[nearest] <= START_TOLERANCE_SECONDS:
            pairs[name] = waiting.pop(nearest), page
    for name, page in last.items():
        if name not in pairs:
            pairs[name] = waiting.pop(name if name in waiting else next(iter(waiting))), page
    return pairs


def _is_of_another_process(name: str, then: ApiServerPage, now: ApiServerPage) -> bool:
    """Return whether the two pages are not of one process.

    Raises
    ------
    ScrapeError
        If the later page is the older one, or the same.
    """
    if abs(now.started_unix_seconds - then.started_unix_seconds) > START_TOLERANCE_SECONDS:
        return True
    if any(now.requests.get(key, 0) < count for key, count in then.requests.items()):
        raise ScrapeError(
            f"{name}: got a page that is older than the page before it, expected a later one; are the two swapped?"
        )
    if then == now:
        raise ScrapeError(f"{name}: got the same figures before and after, expected those of a later moment")
    return False


def _objects(pages: Iterable[ApiServerPage]) -> dict[str, float | None]:
    """Return the number of objects of each kind; each API server counts them at another moment."""
    objects: dict[str, float | None] = {}
    for page in pages:
        for kind, number in page.objects.items():
            known = [one for one in (objects.get(kind), number) if one is not None]
            objects[kind] = max(known, default=None)
    has_none = [kind for kind in _IN_EVERY_CLUSTER if objects.get(kind) == 0]
    if has_none or (objects.get(NODES) == 0 and objects.get(PODS)):
        # In a new cluster, an API server has counted some kinds at its start alone, when there were none.
        usual = load_kubernetes().kinds_by_name
        objects |= {
            kind: None
            for kind, number in objects.items()
            if number == 0 and kind in usual and usual[kind].count_source is not None
        }
    return objects


def _clusters(pages: Mapping[str, ApiServerPage]) -> list[str]:
    return sorted({cluster for page in pages.values() for cluster in page.file_bytes})


def _rates(pairs: Sequence[tuple[ApiServerPage, ApiServerPage]], seconds: float, share: float) -> _Rates:
    requests: dict[tuple[str, str], float] = {}
    received: dict[str, float] = {}
    for then, now in pairs:
        for key, count in now.requests.items():
            requests[key] = requests.get(key, 0) + (count - then.requests.get(key, 0)) / seconds
        for kind, count in now.received.items():
            rate = max(count - then.received.get(kind, 0), 0) / seconds
            received[kind] = max(received.get(kind, 0), rate)
    counted = {kind for _, page in pairs for kind in page.objects}
    writes: dict[str, float] = dict.fromkeys(counted, 0)
    for (operation, kind), rate in requests.items():
        if operation in WRITE_OPERATIONS:
            writes[kind] = writes.get(kind, 0) + rate
    amounts = {}
    for kind, rate in writes.items():
        # What an API server receives is what was written, by whichever API server. Events are watched by many. Where
        # nothing is received, those whose pages are not given are taken to write as much.
        seen = rate * share if kind == EVENTS else received.get(kind, rate * share)
        amounts[kind] = Amount(low=min(rate, seen), likely=seen, high=max(rate, seen))
    others = {kind for kind in amounts if kind not in counted}
    return _Rates(
        writes={kind: amount for kind, amount in amounts.items() if kind in counted},
        uncounted=math.fsum(amounts[kind].high for kind in others),
        uncounted_kinds=sum(amounts[kind].high > 0 for kind in others),
        reads=math.fsum(rate for (operation, _), rate in requests.items() if operation in READ_OPERATIONS),
        unknown_operations=tuple(
            sorted({operation for operation, _ in requests} - set(READ_OPERATIONS) - set(WRITE_OPERATIONS))
        ),
        has_kinds=not any(kind.startswith("*") for _, kind in requests),
    )


def _profile(
    pages: Sequence[ApiServerPage],
    objects: Mapping[str, float | None],
    rates: _Rates | None,
    apiservers: int,
    events: bool,
) -> Profile:
    writes = rates.writes if rates is not None and rates.has_kinds else {}
    given = {
        kind: GivenObjects(
            count=None if number is None else Amount.of(number),
            value_bytes=_value_bytes(kind, pages),
            writes_per_second=writes.get(kind),
        )
        for kind, number in objects.items()
    }
    known: dict[str, Amount] = {}
    if rates is not None:
        if rates.has_kinds and rates.uncounted_kinds:
            given[OTHERS] = GivenObjects(
                count=Amount.of(rates.uncounted_kinds), writes_per_second=Amount.of(rates.uncounted)
            )
        all_reads = rates.reads * apiservers / len(pages)
        known["reads_per_second"] = Amount(low=rates.reads, likely=all_reads, high=all_reads)
    nodes, leases = objects.get(NODES), objects.get(LEASES)
    if nodes is None and leases is None:
        raise ScrapeError(
            "pages: got neither the number of nodes nor that of leases, expected one of them; is the page complete, "
            "and did the API server start some minutes ago?"
        )
    pods = objects.get(PODS)
    longest = max((listed / lists for page in pages for lists, listed in page.lists.values() if lists), default=None)
    if longest is not None:
        page_keys = load_kubernetes().figures_by_name["list_page"].value.likely
        usual = min(page_keys, max((number or 0 for number in objects.values()), default=0))
        known["list_keys"] = Amount(low=min(longest, usual), likely=usual, high=max(longest, usual))
    leased = [page.leases for page in pages if page.leases is not None and page.leases[1]]
    if leased:
        known["keys_per_lease"] = Amount.of(sum(keys for _, keys in leased) / sum(count for count, _ in leased))
    return cluster_profile(
        # Every node has a lease, but not every lease is that of a node.
        nodes=Amount(low=0, likely=leases or 0, high=leases or 0) if nodes is None else Amount.of(nodes),
        pods=None if pods is None else Amount.of(pods),
        given=given,
        apiservers=apiservers,
        events=events,
        are_all_given=True,
        resources=len(objects) - (not events and EVENTS in objects),
        known=known,
    )


def _value_bytes(kind: str, pages: Iterable[ApiServerPage]) -> Amount | None:
    """Return the average size of an object, or None if no API server reports it. [bytes]"""
    averages = []
    for page in pages:
        size, number = page.object_bytes.get(kind), page.objects.get(kind)
        if size and number:
            averages.append(size / number)
    return Amount.of(max(averages)) if averages else None
