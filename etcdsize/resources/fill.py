"""From a profile to complete points of a load: what is not given is filled from what is, or assumed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from etcdsize.base.checks import instance_of, number_of
from etcdsize.base.text import shown
from etcdsize.errors import OptionError
from etcdsize.resources.amount import Amount
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.choices import Choices, choices_of
from etcdsize.resources.composition import Triple
from etcdsize.resources.defaults import DEFAULTS
from etcdsize.resources.history import history_of
from etcdsize.resources.known import HIGH, LIKELY, LOW, NEED, Cases, Known, Note, exactly
from etcdsize.resources.load import Load, ObjectLoad
from etcdsize.resources.profile import Profile, known_field
from etcdsize.resources.watching import leases_of, watches_of
from etcdsize.resources.writing import writing_of

__all__ = ["Filled", "fill"]


class Filled(NamedTuple):
    """A profile in which nothing is unknown: the extreme points that it allows, and two in between."""

    points: tuple[Load, ...]
    """The extreme points, those of the low end first. A figure's range is that over the points."""
    lows: int
    """How many of them are at the low end."""
    likely: Load
    """Every figure at its likely value."""
    need: Load
    """What is given at its high end, what is assumed at its likely value."""
    preset: tuple[Assumption, ...]
    """The profile's own assumptions."""
    notes: tuple[Note, ...]
    """The others, which become an `Assumption` when they are asked for."""

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What was not given, those of the profile first."""
        return self.preset + tuple(
            Assumption(field=name, value=Amount(low=low, likely=likely, high=high), why=why, source=source)
            for name, low, likely, high, why, source in self.notes
        )


def fill(profile: Profile, assume: Mapping[str, float] | None = None) -> Filled:
    """Return the complete points of a profile, and what was assumed for them.

    Parameters
    ----------
    profile : Profile
        What is known.
    assume : mapping from str to float, optional
        A number for each of some figures, whether they are given or not; for the effect of an assumption. The names are
        those of assumptions: a field of `Profile`, or `objects.NAME.FIELD`.

    Raises
    ------
    OptionError
        For what is no profile, an unknown name, and what is no number of 0 or more.

    Examples
    --------
    >>> filled = fill(Profile(keys=1000, key_bytes=50, value_bytes="1kB..3kB", writes_per_second=2))
    >>> [point.objects[0].value_bytes for point in filled.points[::3]], filled.need.objects[0].value_bytes
    ([1000.0, 3000.0], 3000.0)
    """
    known = Known(instance_of("profile", profile, Profile), _checked(profile, assume))
    clients = known.dimension("clients", "clients_bound") or known.default("clients")
    requests, reads = known.dimension("requests_per_second", "requests_bound"), known.given("reads_per_second")
    puts_per_commit = known.fewest_first("puts_per_commit")
    choices = choices_of(known, puts_per_commit.high)
    writing = writing_of(known, requests, reads, choices.counts)
    reads = reads or known.reads(requests, writing.requests)
    rates = Cases(*map(math.fsum, writing.kinds))
    history = history_of(known, choices, writing)
    watchers, streams, events = watches_of(known, clients, rates)
    leases, ttl, attached, revokes = leases_of(known, clients)
    lists, listed = known.given("concurrent_lists"), known.given("list_keys")
    if lists is None:
        lists = known.default("concurrent_lists") if reads.high else exactly(0.0)
    revisions, largest = known.given("revisions_per_key"), known.given("largest_value_bytes")
    tls = known.tls()

    # By case, the fields of a load that are the same for all choices of keys, before and after those that are not.
    before = list(zip(clients, reads, writing.requests, writing.puts, puts_per_commit))
    after = list(zip(lists, watchers, streams, events, leases, ttl, attached, revokes))

    def load(case: int, kinds: list[Triple], tls: float) -> Load:
        keys = math.fsum([kind.number for kind in kinds])
        value = max([kind.value for kind in kinds])
        between = (
            max(value, largest[case]) if largest else _largest(case, value),
            revisions[case] if revisions else 1 + rates[case] * history[case] / max(1.0, keys),
            history[case],
            listed[case] if listed else _listed(case, keys),
        )
        objects = tuple(map(ObjectLoad, choices.names, *zip(*kinds), writing.kinds[case]))
        return Load(objects, *(*before[case], *between, *after[case], tls))

    ends = list(_ends(choices, tls))
    points = [load(case, kinds, with_tls) for case, kinds, with_tls in ends]
    likely, need = load(LIKELY, choices.likely, tls.likely), load(NEED, choices.need, tls.need)
    if largest is None:
        _note_range(known, "largest_value_bytes", [one.largest_value_bytes for one in (*points, likely)])
    if listed is None and lists.high:
        _note_range(known, "list_keys", [one.list_keys for one in (*points, likely)])
    lows = sum([case == LOW for case, _, _ in ends])
    return Filled(tuple(points), lows, likely, need, _preset(profile, assume), tuple(known.notes))


def _checked(profile: Profile, assume: Mapping[str, float] | None) -> dict[str, float]:
    if not assume:
        return {}
    if not isinstance(assume, Mapping):
        message = f"assume: got {shown(assume)}, expected a mapping of names to numbers"
        raise OptionError(message, option="assume", value=assume)
    return {known_field(name, profile): number_of(name, number) + 0.0 for name, number in assume.items()}


def _preset(profile: Profile, assume: Mapping[str, float] | None) -> tuple[Assumption, ...]:
    if not assume:
        return profile.assumptions
    return tuple(assumption for assumption in profile.assumptions if assumption.field not in assume)


def _ends(choices: Choices, tls: Cases) -> Iterator[tuple[int, list[Triple], float]]:
    """Yield the choices of both ends, each case with and without TLS if it is unknown."""
    for kinds in choices.low:
        yield LOW, kinds, tls.low
    if tls.low != tls.high:
        yield LOW, choices.low[-1], tls.high
        yield HIGH, choices.high[0], tls.low
    for kinds in choices.high:
        yield HIGH, kinds, tls.high


def _largest(case: int, value: float) -> float:
    """Return the largest value that is assumed beside an average."""
    _, times, most, _, _ = DEFAULTS["largest_value_bytes"]
    return max(value, most if case == HIGH else 0.0 if case == LOW else min(times * value, most))


def _listed(case: int, keys: float) -> float:
    """Return the keys in a list that are assumed beside all keys."""
    usual = min(DEFAULTS["list_keys"].likely, keys)
    return (0.0, usual, keys, usual)[case]


def _note_range(known: Known, name: str, numbers: list[float]) -> None:
    """Note a figure that was assumed anew for each point, the likely one last."""
    _, _, _, why, source = DEFAULTS[name]
    known.note(name, Cases(min(numbers), numbers[-1], max(numbers), numbers[-1]), why, source)
