"""A running cluster is observed: every member is asked for its metrics, twice, all at once.

`_asking` talks to the members; the arithmetic is that of `observations`. This module imports both, when it is used.
"""

from __future__ import annotations

import asyncio
import collections
import itertools
import math
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.base.text import shown
from etcdsize.errors import OptionError
from etcdsize.etcd.urls import endpoints_of
from etcdsize.observation.http import Answer, Asker, run
from etcdsize.observation.model import Observation, combine_scrapes
from etcdsize.observation.scrape import MemberStatus, Scrape
from etcdsize.observation.targets import ClusterTargets
from etcdsize.workload import Workload

__all__ = ["ClientTls", "observe", "observe_clusters"]

# Clusters between their two scrapes: what was said first is in memory.
_CLUSTERS_AT_A_TIME = 300


class ClientTls(Model):
    """The files of an encrypted connection, as etcdctl takes them.

    Examples
    --------
    >>> ClientTls(cacert="ca.crt", cert="client.crt", key="client.key").cacert
    'ca.crt'
    """

    cacert: Annotated[str | None, Field(description="The CA that signed the members' certificates. PEM.")] = None
    cert: Annotated[str | None, Field(description="The client's certificate, where members ask for one. PEM.")] = None
    key: Annotated[str | None, Field(description="The key of that certificate. PEM, not encrypted.")] = None

    def context(self) -> ssl.SSLContext:
        """Return what verifies members with these files.

        Raises
        ------
        OptionError
            For a file that cannot be read, a certificate without its key, or a key without its certificate.
        """
        for one, other in (("cert", "key"), ("key", "cert")):
            if getattr(self, one) is not None and getattr(self, other) is None:
                raise OptionError(f"{one}: got it without {other}, expected both", option=one)
        context: ssl.SSLContext = _loaded("cacert", self.cacert, lambda: ssl.create_default_context(cafile=self.cacert))
        # Since 3.13 Python refuses certificates without an identifier of their CA's key, which etcdctl takes.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.cert is not None:
            _loaded("cert", self.cert, lambda: context.load_cert_chain(self.cert or "", self.key, _no_password))
        return context


def _loaded(option: str, file: str | None, work: Any) -> Any:
    try:
        return work()
    except ssl.SSLError as error:
        reason = (error.reason or "not PEM").replace("_", " ").lower()
        raise OptionError(
            f"{option}: {file}: not a certificate in PEM, or not that of the key: {reason}", option=option, value=file
        ) from None
    except OSError as error:
        raise OptionError(f"{option}: {file}: cannot be read: {error.strerror}", option=option, value=file) from error


def _no_password() -> str:
    raise OptionError("key: is encrypted, expected one that is not; nobody is asked for a password", option="key")


def observe(
    endpoints: str | Iterable[str],
    *,
    interval: float = 10.0,
    clients: float | None = None,
    tls: ClientTls | None = None,
    timeout: float = 5.0,
    status: Iterable[MemberStatus] = (),
) -> Observation:
    """Return what a running cluster says of its load.

    Every member is asked for its metrics over HTTP, all at once, and once more after the interval.

    Parameters
    ----------
    endpoints : str or iterable of str
        The client URLs of all members; `host:2379` is `http://`, or with `tls` `https://`.
    interval : float
        The time between the two scrapes. [s] 0 asks once: rates are then averages since the members started.
    clients : int or float, optional
        How many clients there are, where you know. [count] Else they are counted on the members' own machines where
        this runs there, or estimated from open streams, or unknown.
    tls : ClientTls, optional
        The files of an encrypted connection. Without it `https://` is verified with the system's own CAs.
    timeout : float
        How long one member may take for one answer, all in all. [s]
    status : iterable of MemberStatus, optional
        What `etcdctl endpoint status` says of the members.

    Returns
    -------
    Observation
        A member that does not answer is named in it; it is no error.

    Raises
    ------
    OptionError
        For an address that no member can have, and for files that cannot be read.
    InvalidWorkloadError
        For clients that are no number of 0 or more.
    MissingDependencyError
        Without httpx and prometheus-client, which the extra `observe` brings.
    """
    urls = endpoints_of(endpoints, secure=tls is not None)
    interval, timeout = _seconds("interval", interval, least=0), _seconds("timeout", timeout)
    if clients is not None:
        Workload(clients=clients)  # refuses what is no number, before anybody is asked
    context = (tls or ClientTls()).context()
    answers = Answers(urls)

    async def work() -> None:
        async with Asker(context, timeout) as asker:
            await answers.ask(asker, interval)

    run(work())
    return answers.combined(status=status, clients=clients)


def _seconds(option: str, value: float, least: float | None = None) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0 or (least is None and value == 0):
        wanted = "above 0" if least is None else "of 0 or more"
        raise OptionError(f"{option}: got {shown(value)}, expected seconds {wanted}", option=option, value=value)
    return float(value)


def observe_clusters(
    targets: Iterable[ClusterTargets],
    take: Callable[[ClusterTargets, Observation], None],
    *,
    interval: float = 10.0,
    timeout: float = 5.0,
    tls: ClientTls | None = None,
) -> None:
    """Observe many clusters, a hundred members at a time, and give each in the order of the targets.

    Parameters
    ----------
    targets : iterable of ClusterTargets
        The clusters.
    take : callable
        Called with every cluster and its observation; a cluster that is dead has one as well.
    interval, timeout, tls
        As for `observe`. Clients are never counted by sockets.

    Raises
    ------
    OptionError
        For files that cannot be read, and for times that cannot be.
    MissingDependencyError
        Without httpx and prometheus-client, which the extra `observe` brings.
    """
    interval, timeout = _seconds("interval", interval, least=0), _seconds("timeout", timeout)
    context = (tls or ClientTls()).context()

    async def one(asker: Asker, cluster: ClusterTargets) -> Observation:
        answers = Answers(cluster.endpoints)
        await answers.ask(asker, interval)
        return answers.combined(clients=cluster.clients, look=False)

    async def work() -> None:
        waiting: collections.deque[tuple[ClusterTargets, asyncio.Task[Observation]]] = collections.deque()
        coming = iter(targets)
        async with Asker(context, timeout) as asker:
            try:
                while True:
                    for cluster in itertools.islice(coming, _CLUSTERS_AT_A_TIME - len(waiting)):
                        waiting.append((cluster, asyncio.create_task(one(asker, cluster))))
                    if not waiting:
                        break
                    first, task = waiting[0]
                    take(first, await task)
                    waiting.popleft()
            finally:
                for _, task in waiting:
                    task.cancel()
                await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)

    run(work())


class Answers:
    """What the members of one cluster answered, once or twice."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._first: dict[str, Answer | None] = dict.fromkeys(urls)
        self._second: dict[str, Answer] = {}

    async def ask(self, asker: Asker, interval: float) -> None:
        """Ask every member, and after the interval once more; each by its own time, so that none waits for another."""

        async def one(url: str) -> None:
            before = self._first[url] = await asker.ask(url)
            if interval:
                await asyncio.sleep(max(0, before.at + interval - time.monotonic()))
                self._second[url] = await asker.ask(url)

        async with asyncio.TaskGroup() as group:
            for url in self._first:
                group.create_task(one(url))

    def combined(
        self, *, status: Iterable[MemberStatus] = (), clients: float | None = None, look: bool = True
    ) -> Observation:
        """Return what they come to; `look` for connections on this machine."""
        first = {url: answer for url, answer in self._first.items() if answer is not None}
        second = {url: self._second[url] for url in first} if self._second else None
        return combine_scrapes(
            {url: answer.said for url, answer in first.items()},
            None if second is None else {url: answer.said for url, answer in second.items()},
            seconds=None if second is None else {url: second[url].at - first[url].at for url in first},
            status=status,
            clients=clients,
            sockets=_sockets(second or first) if look and clients is None else None,
        )


def _sockets(answers: Mapping[str, Answer]) -> int | None:
    """Return the connections of all members, each once; None where those of one cannot be counted."""
    members = {}
    for url, answer in answers.items():
        member = answer.said.member_id if isinstance(answer.said, Scrape) else None
        members[member or url] = answer
    counts = [answer.sockets() for answer in members.values()]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
