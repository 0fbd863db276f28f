"""Observe running clusters: fetch the metrics of every member, twice, and combine them."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar

from etcdsize.base.checks import plain_number
from etcdsize.base.text import one_line, shortened, shown
from etcdsize.errors import EtcdSizeError, OptionError
from etcdsize.etcd.urls import endpoints_of
from etcdsize.observation.combine import combine_scrapes, statuses_of
from etcdsize.observation.http import Answer, MetricsClient, run
from etcdsize.observation.model import Observation
from etcdsize.observation.scrape import MemberStatus, Scrape
from etcdsize.observation.targets import ClusterTargets, clusters_of
from etcdsize.observation.tls import ClientTls
from etcdsize.resources.calibrated_model import CalibratedModel, given_model
from etcdsize.workload import Workload

__all__ = ["Answers", "join_answers", "observe", "observe_clusters"]

# Clusters between their two scrapes: the first scrape of each is in memory.
_CLUSTERS_AT_A_TIME = 300
# An hour (our choice): a longer interval or timeout is a mistake, and a much longer one overflows the clock.
_LONGEST_SECONDS = 3600
# What a table can show of an error. [characters]
_LONGEST_REASON = 300

T = TypeVar("T")

Answers: TypeAlias = tuple[dict[str, Answer], dict[str, Answer] | None]
"""What the members of a cluster answered, and what they answered after the interval, by their URLs."""
Convert: TypeAlias = Callable[[ClusterTargets, Observation | str, Answers | None], T]


def observe(
    endpoints: str | Iterable[str],
    *,
    interval: float = 10.0,
    clients: float | None = None,
    tls: ClientTls | None = None,
    timeout: float = 5.0,
    status: Iterable[MemberStatus] = (),
    model: str | Path | CalibratedModel | None = None,
) -> Observation:
    """Return the load of a running cluster.

    The metrics of all members are fetched over HTTP at the same time, and once more after the interval.

    Parameters
    ----------
    endpoints : str or iterable of str
        The client URLs of all members; `host:2379` is `http://`, or with `tls` `https://`.
    interval : float
        The time between the two scrapes, up to an hour. [s] With 0 there is one scrape, and rates are averages since
        the members started.
    clients : int or float, optional
        The number of clients, if you know it. [count] Otherwise connections are counted if all members run on this
        machine, or else the number is estimated from open streams, or unknown.
    tls : ClientTls, optional
        The files of a TLS connection. Without them `https://` is verified with the system's CAs.
    timeout : float
        How long a member may take for one answer, from the look-up of its name to the last byte; up to an hour. [s]
    status : iterable of MemberStatus, optional
        The members' `etcdctl endpoint status`.
    model : str, Path or CalibratedModel, optional
        The model that members are compared with, as for `combine_scrapes`.

    Returns
    -------
    Observation
        A member that does not answer is not an error: the observation names it, and the reason.

    Raises
    ------
    OptionError
        For an endpoint that is not a client URL, a file that cannot be read, and any other argument of a wrong type.
    InvalidWorkloadError
        If `clients` is not a number of 0 or more.
    MissingDependencyError
        Without httpx and prometheus-client, which the extra `observe` installs.
    """
    # What is wrong is rejected before any request is made.
    urls = endpoints_of(endpoints, secure=tls is not None)
    statuses = statuses_of(status)
    if clients is not None:
        Workload(clients=clients)
    own = given_model(model)

    async def work(client: MetricsClient) -> Observation:
        first, second = await _scrape(client, urls, interval)
        sockets = _count_connections(second or first) if clients is None else None
        return _combine(first, second, status=statuses, clients=clients, sockets=sockets, model=own)

    return _run(work, interval=interval, timeout=timeout, tls=tls)


def observe_clusters(
    targets: Iterable[ClusterTargets],
    convert: Convert[T],
    report: Callable[[T], None],
    *,
    interval: float = 10.0,
    timeout: float = 5.0,
    tls: ClientTls | None = None,
    model: CalibratedModel | None = None,
) -> None:
    """Observe many clusters, a hundred members at the same time, and report each in the order of the targets.

    An error of one cluster, whatever it is, is that cluster's problem, and the others are observed all the same.

    Parameters
    ----------
    targets : iterable of ClusterTargets
        The clusters.
    convert : callable
        Called with every cluster, its observation and the answers of its members, or the reason why there is none and
        None. If it raises an error with an observation, it is called again with that error as the reason. With an
        observation it is called in a thread of its own, one cluster after the other.
    report : callable
        Called with what `convert` returned. Its errors end the run.
    interval, timeout, tls, model
        As for `observe`. Connections are not counted.

    Raises
    ------
    OptionError
        For a file that cannot be read, and for an interval or a timeout that is not a time.
    MissingDependencyError
        Without httpx and prometheus-client, which the extra `observe` installs.
    """
    clusters = clusters_of(targets)

    def combine_one(cluster: ClusterTargets, answers: Answers) -> T:
        return convert(cluster, _combine(*answers, clients=cluster.clients, model=model), answers)

    async def observe_one(client: MetricsClient, thread: ThreadPoolExecutor, cluster: ClusterTargets) -> T:
        if not cluster.endpoints:
            return convert(cluster, cluster.problem or "", None)
        reasons: list[str] = []
        with _contained(reasons):
            answers = await _scrape(client, cluster.endpoints, interval)
            # The thread that reads is not to wait for it: other members would be taken for slow.
            return await asyncio.get_running_loop().run_in_executor(thread, combine_one, cluster, answers)
        return convert(cluster, reasons[0], None)

    async def work(client: MetricsClient) -> None:
        running: collections.deque[asyncio.Task[T]] = collections.deque()
        remaining = iter(clusters)
        thread = ThreadPoolExecutor(1)
        try:
            while True:
                for cluster in itertools.islice(remaining, _CLUSTERS_AT_A_TIME - len(running)):
                    running.append(asyncio.create_task(observe_one(client, thread, cluster)))
                if not running:
                    break
                report(await running[0])
                running.popleft()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            thread.shutdown(cancel_futures=True)

    _run(work, interval=interval, timeout=timeout, tls=tls)


def join_answers(
    cluster: ClusterTargets, parts: Iterable[Answers], convert: Convert[T], model: CalibratedModel | None = None
) -> T:
    """Return what `convert` makes of a cluster whose members were observed as parts of it."""
    first: dict[str, Answer] = {}
    second: dict[str, Answer] = {}
    reasons: list[str] = []
    with _contained(reasons):
        for before, after in parts:
            first |= before
            second |= after or {}
        return convert(cluster, _combine(first, second or None, clients=cluster.clients, model=model), None)
    return convert(cluster, reasons[0], None)


@contextlib.contextmanager
def _contained(reasons: list[str]) -> Iterator[None]:
    """Add an error of one cluster, whatever it is, to the reasons why it could not be observed."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        # One of the two places that catch everything: the other clusters are not to suffer.
        reasons.append(_unforeseen(error))


def _unforeseen(error: Exception) -> str:
    """Return in one line why a cluster could not be observed."""
    if isinstance(error, EtcdSizeError):
        return shortened(str(error), _LONGEST_REASON)
    reason = shortened(one_line(f"{type(error).__name__}: {error}"), _LONGEST_REASON)
    return f"{reason}; this is a fault of etcdsize: please report it"


def _run(
    work: Callable[[MetricsClient], Coroutine[None, None, T]],
    *,
    interval: float,
    timeout: float,
    tls: ClientTls | None,
) -> T:
    """Check the options, and run work with a client."""
    _seconds("interval", interval, zero=True)
    timeout = _seconds("timeout", timeout, zero=False)
    if tls is not None and not isinstance(tls, ClientTls):
        raise OptionError(f"tls: got {shown(tls)}, expected a ClientTls", option="tls", value=tls)

    async def with_client() -> T:
        async with MetricsClient(tls, timeout) as client:
            return await work(client)

    return run(with_client())


def _seconds(option: str, value: object, *, zero: bool) -> int | float:
    number = plain_number(value)
    if number is not None and 0 <= number <= _LONGEST_SECONDS and (number or zero):
        return number
    wanted = "of 0 or more" if zero else "above 0"
    raise OptionError(
        f"{option}: got {shown(value)}, expected seconds {wanted}, and at most {_LONGEST_SECONDS}, an hour",
        option=option,
        value=value,
    )


async def _scrape(client: MetricsClient, urls: Sequence[str], interval: float) -> Answers:
    """Return the answers of a cluster's members, and those after the interval, or None if that is 0.

    Every member is asked again after an interval of its own, so that a slow one does not delay the others.
    """

    async def scrape_one(url: str) -> list[Answer]:
        first = await client.fetch(url)
        if not interval:
            return [first]
        await asyncio.sleep(max(0, first.at + interval - time.monotonic()))
        return [first, await client.fetch(url)]

    scraped = await asyncio.gather(*map(scrape_one, urls), return_exceptions=True)
    answers: dict[str, list[Answer]] = {}
    for url, found in zip(urls, scraped, strict=True):
        # A group of errors would hide that memory ran out.
        if isinstance(found, BaseException):
            raise found
        answers[url] = found
    first = {url: each[0] for url, each in answers.items()}
    return first, {url: each[1] for url, each in answers.items()} if interval else None


def _combine(
    first: Mapping[str, Answer],
    second: Mapping[str, Answer] | None,
    *,
    status: Iterable[MemberStatus] = (),
    clients: float | None = None,
    sockets: int | None = None,
    model: CalibratedModel | None = None,
) -> Observation:
    """Return the observation of one cluster from the answers of its members."""
    return combine_scrapes(
        {url: answer.result for url, answer in first.items()},
        None if second is None else {url: answer.result for url, answer in second.items()},
        seconds=None if second is None else {url: second[url].at - first[url].at for url in first},
        status=status,
        clients=clients,
        sockets=sockets,
        model=model,
    )


def _count_connections(answers: Mapping[str, Answer]) -> int | None:
    """Return the number of client connections to all members, or None if those to one cannot be counted."""
    members = {}
    for url, answer in answers.items():
        member_id = answer.result.member_id if isinstance(answer.result, Scrape) else None
        members[member_id or url] = answer
    counts = [answer.count_connections() for answer in members.values()]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
