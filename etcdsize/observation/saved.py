"""Read what members answered and somebody saved: pages of metrics, and what `etcdctl endpoint status` printed.

Two pages are of the same member if they have its ID.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from etcdsize.errors import ScrapeError
from etcdsize.observation.endpoint_status import read_endpoint_status
from etcdsize.observation.metrics import scrape_of
from etcdsize.observation.page import Page
from etcdsize.observation.rates import START_TOLERANCE_SECONDS
from etcdsize.observation.scrape import MemberStatus, Scrape

__all__ = ["Pairs", "pair_scrapes", "read_saved"]

# A status of one member has less than a kilobyte (our choice).
_LARGEST_STATUS = 16 * 1024**2


class Pairs(NamedTuple):
    """The scrapes of members before and after, both by the name of the member; or the reason why there is none."""

    before: dict[str, Scrape | str]
    after: dict[str, Scrape | str]


def read_saved(
    name: str, parts: Iterable[bytes], *, taken_unix_seconds: float | None = None
) -> Scrape | tuple[MemberStatus, ...]:
    """Return what a saved answer holds: the metrics of one member, or the statuses of several.

    Parameters
    ----------
    name : str
        The name of the file, for messages.
    parts : iterable of bytes
        The content of the file, part by part. Of a page of metrics, only the lines that are read are kept.
    taken_unix_seconds : float, optional
        The time of the scrape. [s since 1970]

    Raises
    ------
    ScrapeError
        If it is neither.
    """
    page = Page()
    status = bytearray()
    try:
        for part in parts:
            page.add(part)
            start = page.start.lstrip()
            if start and not start.startswith("["):
                status.clear()  # It is a page, of which only the lines that are read are kept.
            elif len(status) <= _LARGEST_STATUS:
                status += part
        page.end()
        if page.start.lstrip().startswith("["):
            if len(status) > _LARGEST_STATUS:
                raise ScrapeError(f"got JSON of more than {_LARGEST_STATUS} bytes; is it the right file?")
            return read_endpoint_status(bytes(status))
        return scrape_of(page, taken_unix_seconds=taken_unix_seconds)
    except ScrapeError as error:
        raise ScrapeError(f"{name}: {error}", endpoint=error.endpoint, line=error.line, metric=error.metric) from None


def pair_scrapes(before: Mapping[str, Scrape], after: Mapping[str, Scrape]) -> Pairs:
    """Return the scrapes before and after of each member, by the name of the file after, if there is one.

    Pages are of the same member if they say so. Pages of members that share an ID are paired by the starts of their
    processes, if these agree. Other pages of one ID, and those without one, are paired in their order.

    Parameters
    ----------
    before, after : mapping
        The name of a file -> its scrape.

    Raises
    ------
    ScrapeError
        If there are not as many pages without a member's ID before as after, or if the later page of a member is older
        than the earlier one, or the same.

    Examples
    --------
    >>> one, two = Scrape(member_id="a", calls={"KV.Put": 1}), Scrape(member_id="b", calls={"KV.Put": 2})
    >>> later, last = Scrape(member_id="a", calls={"KV.Put": 3}), Scrape(member_id="b", calls={"KV.Put": 4})
    >>> pairs = pair_scrapes({"a0": one, "b0": two}, {"b1": last, "a1": later})
    >>> list(pairs.before.items()) == [("b1", two), ("a1", one)]
    True
    """
    waiting: defaultdict[str | None, list[str]] = defaultdict(list)
    for name, scrape in before.items():
        waiting[scrape.member_id].append(name)
    unnamed = [name for name, scrape in after.items() if scrape.member_id is None]
    if len(unnamed) != len(waiting[None]):
        raise ScrapeError(
            f"got {len(waiting[None])} pages before and {len(unnamed)} after without etcd_server_id, expected as many "
            "before as after, because they are paired in order; save the pages again, as members serve them",
            metric="etcd_server_id",
        )
    # Members that were made alike share an ID, but not the start of their processes.
    firsts = {name: _of_one_process(scrape, waiting[scrape.member_id], before) for name, scrape in after.items()}
    pairs = Pairs({}, {})
    for name, scrape in after.items():
        first = firsts[name]
        if first is None and waiting[scrape.member_id]:
            first = waiting[scrape.member_id].pop(0)
        if first is not None:
            _check_pair(name, scrape, first, before[first])
        pairs.before[name] = "the first scrape of this member is missing" if first is None else before[first]
        pairs.after[name] = scrape
    for name in (name for names in waiting.values() for name in names):
        pairs.before[name] = before[name]
        pairs.after[name] = "the last scrape of this member is missing"
    return pairs


def _of_one_process(last: Scrape, names: list[str], before: Mapping[str, Scrape]) -> str | None:
    """Return the name of the page before of the same member and process, and remove it; None if there is none."""
    start = last.started_unix_seconds
    if last.member_id is None or start is None:
        return None
    starts = {name: before[name].started_unix_seconds for name in names}
    shifts = {name: abs(then - start) for name, then in starts.items() if then is not None}
    nearest = min(shifts, key=lambda name: shifts[name], default=None)
    if nearest is None or shifts[nearest] > START_TOLERANCE_SECONDS:
        return None
    names.remove(nearest)
    return nearest


def _check_pair(name: str, last: Scrape, earlier: str, first: Scrape) -> None:
    """Reject a last page of a member that does not come after the first."""
    if _is_older(last, first):
        raise ScrapeError(
            f"{name}: got a page that is older than {earlier}, the page before it, expected a later one; are the two "
            "swapped?"
        )
    if _is_same(last, first):
        raise ScrapeError(
            f"{name}: got the same figures as {earlier}, the page before it, expected those of a later moment; are the "
            "two copies of one page?"
        )


def _is_older(last: Scrape, first: Scrape) -> bool:
    """Return whether the last page was served before the first: by one process, or by one that started earlier."""
    if first.started_unix_seconds is None or last.started_unix_seconds is None:
        return False
    later = last.started_unix_seconds - first.started_unix_seconds
    if abs(later) > START_TOLERANCE_SECONDS:
        return later < 0
    # The processor time of a process never falls.
    return first.cpu_seconds is not None and last.cpu_seconds is not None and last.cpu_seconds < first.cpu_seconds


def _is_same(last: Scrape, first: Scrape) -> bool:
    """Return whether two pages have the same figures; those of an API server may stay as they are."""
    first = first.model_copy(update={"taken_unix_seconds": last.taken_unix_seconds})
    return last.reported_by == "etcd" and last == first
