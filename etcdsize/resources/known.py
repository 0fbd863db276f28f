"""The figures of a profile in their four cases: low, likely, high, and need.

The need is the high end of what is given and the likely value of what is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from etcdsize.base.text import shown
from etcdsize.errors import InvalidWorkloadError
from etcdsize.resources.amount import Amount
from etcdsize.resources.defaults import DEFAULTS, LIKELY_REQUESTS, MOST_REQUESTS, SHARE_OF_WRITES
from etcdsize.resources.object_kind import LARGEST_FIGURE
from etcdsize.resources.profile import Profile

__all__ = ["CASES", "HIGH", "LIKELY", "LOW", "NEED", "Cases", "Known", "Note", "exactly"]

LOW, LIKELY, HIGH, NEED = CASES = range(4)


class Cases(NamedTuple):
    """A figure in its four cases."""

    low: float
    likely: float
    high: float
    need: float


class Note(NamedTuple):
    """An assumption, before it becomes an `Assumption`."""

    field: str
    low: float
    likely: float
    high: float
    why: str
    source: str


def exactly(number: float) -> Cases:
    """Return a figure that is known exactly."""
    return Cases(number, number, number, number)


class Known:
    """The figures of a profile, and a note of each that was assumed."""

    __slots__ = ("assume", "notes", "presets", "profile")

    def __init__(self, profile: Profile, assume: Mapping[str, float]) -> None:
        self.profile: Profile = profile
        self.assume: Mapping[str, float] = assume
        self.presets: dict[str, Amount] = {assumption.field: assumption.value for assumption in profile.assumptions}
        self.notes: list[Note] = []

    def given(self, name: str) -> Cases | None:
        """Return a figure that is given, or None."""
        if name in self.assume:
            return exactly(self.assume[name])
        amount = getattr(self.profile, name)
        if amount is None:
            return None
        return _cases(amount, is_preset=name in self.presets)

    def note(self, name: str, cases: Cases, why: str, source: str = "our choice") -> Cases:
        """Return a figure that is assumed, and note it."""
        low, likely, high, _ = cases
        self.notes.append(Note(name, min(low, likely, high), likely, max(low, likely, high), why, source))
        return cases

    def default(self, name: str) -> Cases:
        """Return the default of a figure, and note it."""
        low, likely, high, why, source = DEFAULTS[name]
        self.notes.append(Note(name, low, likely, high, why, source))
        return Cases(low, likely, high, likely)

    def unnoted(self, name: str) -> Cases:
        """Return the default of a figure that follows from others: only where they leave a choice does it matter."""
        low, likely, high, _, _ = DEFAULTS[name]
        return Cases(low, likely, high, likely)

    def of_kind(self, kind: str, name: str, amount: Amount | None) -> Cases | None:
        """Return a figure of a kind of keys, or None if it is unknown."""
        if self.assume or self.presets:
            name = f"objects.{kind}.{name}"
            if name in self.assume:
                return exactly(self.assume[name])
        if amount is None:
            return None
        return _cases(amount, is_preset=name in self.presets)

    def given_or_default(self, name: str) -> Cases:
        """Return a figure, or its default."""
        return self.given(name) or self.default(name)

    def fewest_first(self, name: str, *, noted: bool = True) -> Cases:
        """Return a figure, or its default, of which less takes more: the high end has its lowest value."""
        low, likely, high, need = self.given(name) or (self.default(name) if noted else self.unnoted(name))
        return Cases(high, likely, low, low if need == high else likely)

    def tls(self) -> Cases:
        """Return whether clients connect with TLS, 1 or 0."""
        if "tls" in self.assume or self.profile.tls is None:
            return exactly(self.assume["tls"]) if "tls" in self.assume else self.default("tls")
        return exactly(float(self.profile.tls))

    def dimension(self, name: str, bound: str) -> Cases | None:
        """Return one of the guide's three dimensions, or None if it is unknown."""
        if name in self.assume:
            return exactly(self.assume[name])
        load = getattr(self.profile, name)
        if load is None:
            return None
        number = float(load)
        if number > LARGEST_FIGURE:
            raise InvalidWorkloadError(
                f"{name}: got {shown(load)}, expected at most {LARGEST_FIGURE:g}; check its unit",
                dimension=name,
                value=load,
            )
        if number < _SMALLEST:
            number = 0.0
        preset = self.presets.get(name)
        if preset is not None:
            return Cases(preset.low, preset.likely, preset.high, preset.likely)
        certainty = getattr(self.profile, bound)
        if certainty == "exact":
            return exactly(number)
        if certainty == "upper":
            return Cases(0.0, number, number, number)
        cases = Cases(number if certainty == "lower" else number / 2, number, 2 * number, number)
        why = f"{name} is given as {_CERTAINTIES[certainty]}: it may be up to twice as much"
        return self.note(name, cases, why)

    def writes(self, requests: Cases | None, reads: Cases | None) -> Cases:
        """Return the write requests, which are neither given nor follow from the kinds."""
        if requests is None:
            likely, need, most = LIKELY_REQUESTS * SHARE_OF_WRITES, LIKELY_REQUESTS * SHARE_OF_WRITES, MOST_REQUESTS
            if reads is not None:
                most = max(most, reads.high)
                likely, need = (min(max(likely, case * _WRITES_A_READ), most) for case in (reads.likely, reads.need))
            why = f"a tenth of the requests write; {_UNKNOWN_REQUESTS}"
            return self.note("writes_per_second", Cases(0.0, likely, most, need), why)
        if reads is not None:
            return self.note("writes_per_second", _rest(requests, reads), "at most the requests that do not read")
        likely, need = requests.likely * SHARE_OF_WRITES, requests.need * SHARE_OF_WRITES
        why = "between none and all of the requests write, likely a tenth of them"
        return self.note("writes_per_second", Cases(0.0, likely, requests.high, need), why)

    def reads(self, requests: Cases | None, writes: Cases) -> Cases:
        """Return the reads, which are not given."""
        if requests is not None:
            return self.note("reads_per_second", _rest(requests, writes), "at most the requests that do not write")
        most = max(MOST_REQUESTS, writes.high)
        least = LIKELY_REQUESTS * (1 - SHARE_OF_WRITES)
        likely, need = (min(max(least, case / _WRITES_A_READ), most) for case in (writes.likely, writes.need))
        why = f"nine reads for each write; {_UNKNOWN_REQUESTS}"
        return self.note("reads_per_second", Cases(0.0, likely, most, need), why)


# Less is nothing: what is divided by it would be no number (our choice).
_SMALLEST = 1e-9
_UNKNOWN_REQUESTS = "requests_per_second is not given: small clusters have below 200, large ones below 10,000"
_CERTAINTIES = {"lower": "a lower bound", "estimate": "an estimate"}
_WRITES_A_READ = SHARE_OF_WRITES / (1 - SHARE_OF_WRITES)


def _cases(amount: Amount, *, is_preset: bool) -> Cases:
    """Return what is given, or what a preset assumed."""
    low, likely, high = amount.low, amount.likely, amount.high
    if low < _SMALLEST:
        low, likely, high = (number if number >= _SMALLEST else 0.0 for number in (low, likely, high))
    return Cases(low, likely, high, likely if is_preset else high)


def _rest(whole: Cases, part: Cases) -> Cases:
    """Return the requests besides a part of them; some may be neither reads nor writes."""
    return Cases(
        0.0,
        max(0.0, whole.likely - part.likely),
        max(0.0, whole.high - part.low),
        max(0.0, whole.need - part.need),
    )
