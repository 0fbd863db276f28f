"""Read the name of a column: its words, and the unit that it states.

`DB Size (MB)`, `db_size_mb` and `DbSizeMB` are the same words with the same unit, which counts wherever it stands in
the name. Something that stands in the place of a unit but is not a unit that we know is kept, so that the numbers are
not read in another unit. Values are not read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from etcdsize.base.text import in_words
from etcdsize.units import BYTE_UNITS

__all__ = [
    *("BYTE_KEYS", "BYTE_UNIT_NAMES", "COUNTED_PER", "GIB_KEYS", "RATE_KEYS", "SPEED_KEYS", "TIME_NAMES"),
    *("ColumnName", "Unit", "read_name"),
]

GIB_KEYS = ("memory_gib", "running_volume_gib")
"""What is in GiB: plain numbers, whose unit the column's name states."""
BYTE_KEYS = ("data_bytes", "key_bytes", "value_bytes", "largest_value_bytes", "running_quota_bytes", *GIB_KEYS)
"""What is in bytes, of all that a column may hold."""
SPEED_KEYS = ("running_disk_mb_per_second",)
"""What is in MB/s."""
RATE_KEYS = ("requests_per_second", "writes_per_second", "reads_per_second", "lease_revokes_per_second")
"""What is a rate."""
COUNTED_PER = {
    "keys_per_lease": "per lease",
    "puts_per_transaction": "per transaction",
    "puts_per_commit": "per commit",
}
"""What is counted for each of something, which its name says in the place of a unit."""
# What looks like a unit, but is what these count.
_COUNTS = {"keys": "keys", "list_keys": "keys", **COUNTED_PER}

BYTE_UNIT_NAMES = ("kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")
"""The units of bytes that a name can state, besides bytes themselves."""
TIME_NAMES = ("second", "minute", "hour", "day")
"""What a name can count requests by."""

_PREFIXES = {"k": "kB", "m": "MB", "g": "GB", "t": "TB", "ki": "KiB", "mi": "MiB", "gi": "GiB", "ti": "TiB"}
_PREFIXES |= dict(zip(("kilo", "mega", "giga", "tera", "kibi", "mebi", "gibi", "tebi"), BYTE_UNIT_NAMES, strict=True))
_BYTE_WORDS = {"byte": "B", "bytes": "B"}
_BYTE_WORDS |= {unit.lower(): unit for unit in BYTE_UNIT_NAMES}
_BYTE_WORDS |= {prefix + word: unit for prefix, unit in _PREFIXES.items() for word in ("byte", "bytes")}
# These have other meanings too: they are units only in the place of one.
_SHORT_BYTE_WORDS = {"b": "B", "ki": "KiB", "mi": "MiB", "gi": "GiB", "ti": "TiB"}

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_TIMES = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "second"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "day", "days"), "day"),
}
# Words that are a rate by themselves: what they count by, and in thousands or not.
_RATES = {
    **dict.fromkeys(("rps", "qps"), ("second", 1)),
    **dict.fromkeys(("rpm", "qpm"), ("minute", 1)),
    **dict.fromkeys(("krps", "kqps"), ("second", 1000)),
}
_SCALES = {"k": 1000, "thousand": 1000, "thousands": 1000, "million": 10**6, "millions": 10**6}
# Requests in thousands, written as one word. Millions are not: an m before a word may mean anything.
_SCALED = re.compile(r"([km])(?:reqs?|requests|ops|queries)|m[rq]ps")

# Words of counts before "per second", which are no unit.
_COUNTED = {*("requests", "request", "reqs", "req", "queries", "query", "calls", "ops", "operations", "r", "q", "1")}
# Words in brackets, or after a slash, that say what is measured or how, and not in which unit.
_PLAIN = {
    *("clients", "client", "connections", "conns", "data", "db", "database", "size", "etcd", "file", "total"),
    *("avg", "average", "mean", "median", "max", "maximum", "peak", "p50", "p90", "p95", "p99", "current", "now"),
    *("used", "in_use", "allocated", "estimated", "est", "approx", "number", "count", "no", "and", "of", "cluster"),
}
# A row is a cluster, so "per cluster" changes nothing; "per member" does.
_WHOLE = ("cluster", "etcd")
# The end of a name that looks like a unit, but is none that we know: bits, petabytes, percent, blocks, a lone prefix.
_LIKE_A_UNIT = re.compile(
    r"[kmgtpezy]i?b(?:s|its?|ps|ytes?)?[0-9]*|[kmgt]i?|megs?|gigs?|octets?|bits?|bps"
    r"|blocks?|pages?|sectors?|keys|objects|pct|percent|%|ratio|share|fraction"
    r"|x[0-9]+|1?000s?|hundreds?|dozens?|m[mn]|mio|bn|billions?"
)
# The end of a name of requests that looks like a time, without "per".
_LIKE_A_TIME = re.compile(
    r"[0-9]*(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|months?)|[a-z]+ly"
)

_PIECE = re.compile(r"[^\W_]+|[^\w\s.,:;#=-]")
_CAMEL = re.compile(r"[KMGT]i?[Bb](?:ytes?)?(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^A-Za-z]+")
_GLUED_BYTES = re.compile(r"(.{2,}?)([kmgt]i?b|[kmgt]?bytes?)")
_GLUED_TIME = re.compile(r"(.{2,}?)per(seconds?|sec|minutes?|min|hours?|hr|days?)")


@dataclass(frozen=True)
class Unit:
    """A unit, as messages show it, and what a number in it is multiplied by."""

    text: str
    factor: Fraction


@dataclass(frozen=True)
class ColumnName:
    """The words of a name without those of its unit, and the units that it states."""

    words: tuple[str, ...]
    byte_units: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    scale: int = 1
    unknown: str | None = None
    """What stands in the place of a unit and is none that we know."""
    doubtful: str | None = None
    """What may be a unit, if the name states no other."""

    @property
    def compact(self) -> str:
        """The words without anything between them: `DB size` is `dbsize`."""
        return "".join(self.words)

    def unit(self, dimension: str) -> Unit | str | None:
        """Return the unit that the name states for a dimension, None if it states none.

        Text is what the name states instead of a unit of this dimension, or two units at once.
        """
        if self.unknown is not None and self.unknown != _COUNTS.get(dimension):
            return self.unknown
        if dimension in BYTE_KEYS:
            found = self._bytes()
        elif dimension in RATE_KEYS:
            found = self._rate()
        elif dimension in SPEED_KEYS:
            found = self._speed()
        else:
            stated = [
                *(unit for unit in self.byte_units if unit != "B"),
                *(f"per {time}" for time in self.times),
                *(("k",) if self.scale != 1 else ()),
            ]
            return stated[0] if stated else None
        return found or self.doubtful

    def _bytes(self) -> Unit | str | None:
        if self.times or self.scale != 1:
            return f"per {self.times[0]}" if self.times else "k"
        if len(self.byte_units) > 1:
            return in_words(self.byte_units)
        return Unit(self.byte_units[0], Fraction(BYTE_UNITS[self.byte_units[0]])) if self.byte_units else None

    def _speed(self) -> Unit | str | None:
        if self.scale != 1 or len(self.byte_units) > 1 or self.times not in ((), ("second",)):
            return in_words((*self.byte_units, *(f"per {time}" for time in self.times))) or "k"
        if not self.byte_units or not self.times:
            return self.byte_units[0] if self.byte_units else "per second" if self.times else None
        return Unit(f"{self.byte_units[0]}/s", Fraction(BYTE_UNITS[self.byte_units[0]], 10**6))

    def _rate(self) -> Unit | str | None:
        if self.byte_units:
            return self.byte_units[0]
        explicit = self.times or tuple(dict.fromkeys(_RATES[word][0] for word in self.words if word in _RATES))
        scale = self.scale * max((_RATES[word][1] for word in self.words if word in _RATES), default=1)
        if len(explicit) > 1:
            return in_words(f"per {time}" for time in explicit)
        if not explicit:
            if self.words and self.words[-1] not in _PLAIN and _LIKE_A_TIME.fullmatch(self.words[-1]):
                return self.words[-1]
            return None if scale == 1 else Unit(f"{_SCALE_TEXT[scale]}requests per second", Fraction(scale))
        return Unit(f"{_SCALE_TEXT.get(scale, '')}requests per {explicit[0]}", Fraction(scale, _SECONDS[explicit[0]]))


_SCALE_TEXT = {1000: "thousands of ", 10**6: "millions of "}


@dataclass(frozen=True)
class _Word:
    text: str
    is_clear: bool
    """Whether it stands in brackets, where names put units."""


def read_name(name: str) -> ColumnName:
    """Return the words and the unit of a name.

    Examples
    --------
    >>> read_name("DB Size (MB)").words, read_name("DB Size (MB)").unit("data_bytes")
    (('db', 'size'), Unit(text='MB', factor=Fraction(1000000, 1)))
    >>> read_name("QPS/min").unit("requests_per_second")
    Unit(text='requests per minute', factor=Fraction(1, 60))
    >>> read_name("Data (blocks)").unit("data_bytes")
    'blocks'
    """
    words = _split(name)
    found = _Reading()
    place = 0
    while place < len(words):
        place += found.take(words, place)
    return ColumnName(
        tuple(found.stem),
        tuple(dict.fromkeys(found.byte_units)),
        tuple(dict.fromkeys(found.times)),
        found.scale,
        found.unknown,
        found.doubtful,
    )


class _Reading:
    """What was found in a name so far."""

    def __init__(self) -> None:
        self.stem: list[str] = []
        self.byte_units: list[str] = []
        self.times: list[str] = []
        self.scale = 1
        self.unknown: str | None = None
        self.doubtful: str | None = None

    def take(self, words: list[_Word], place: int) -> int:
        """Read the word at a place, and return how many words were read."""
        word, is_last = words[place], place + 1 == len(words)
        after = None if is_last else words[place + 1].text
        if word.text in ("per", "/") and after is not None and after[0].isalnum():
            before = words[place - 1].text if place else ""
            return self._take_per(word.text, after, is_divided=before[-1:].isalnum())
        if word.text == "in" and after is not None:
            return self._take_in(after, is_end=place + 2 == len(words))
        unit = _BYTE_WORDS.get(word.text)
        if unit is None and (word.is_clear or (is_last and self.stem)):
            unit = _SHORT_BYTE_WORDS.get(word.text)
        if unit is not None:
            before = words[place - 1].text if place else ""
            if unit == "B" and before in _PREFIXES:
                # `M bytes` was written for `Mbytes`.
                unit = _PREFIXES[before]
                self.stem.pop()
            elif before.isdigit():
                self.unknown = self.unknown or f"{before} {unit}"
            self.byte_units.append(unit)
            return 1
        if word.text in _PREFIXES and after in ("b", "byte", "bytes"):
            self.stem.append(word.text)
            return 1
        scaled = _SCALED.fullmatch(word.text)
        if scaled is not None and scaled[1] == "k":
            self.scale *= 1000
        elif scaled is not None:
            self.unknown = word.text
        if word.text in _SCALES and (word.text != "k" or word.is_clear or is_last or _counts(after)):
            self.scale *= _SCALES[word.text]
        elif word.is_clear and word.text in _RATES:
            time, scale = _RATES[word.text]
            self.times.append(time)
            self.scale *= scale
        elif not (word.is_clear and word.text in _COUNTED and any(each.text in ("/", "per") for each in words)):
            ends_like_a_unit = is_last and self.stem and _LIKE_A_UNIT.fullmatch(word.text)
            if word.text not in _PLAIN and (word.is_clear or ends_like_a_unit):
                self._doubt(word.text)
            self.stem.append(word.text)
        return 1

    def _take_per(self, word: str, after: str, *, is_divided: bool) -> int:
        if word == "/" and not is_divided:
            # As in http://…
            return 1
        if after in _TIMES:
            self.times.append(_TIMES[after])
        elif word == "/" and (after in _BYTE_WORDS or after in _SHORT_BYTE_WORDS):
            self.byte_units.append(_BYTE_WORDS.get(after) or _SHORT_BYTE_WORDS[after])
        elif word == "/" and after in _PLAIN:
            return 1
        elif after not in _WHOLE:
            self.unknown = f"per {after}"
        return 2

    def _take_in(self, after: str, *, is_end: bool) -> int:
        unit = _BYTE_WORDS.get(after) or _SHORT_BYTE_WORDS.get(after)
        if unit is not None:
            self.byte_units.append(unit)
            return 2
        if after == "use":
            self.stem.append("in_use")
            return 2
        if is_end and not (after in _PLAIN or after in _RATES or after in _SCALES):
            self._doubt(after)
        return 1

    def _doubt(self, text: str) -> None:
        """Keep what may be a unit. A number always is in doubt: `(x1000)` changes what another unit means."""
        if text != "1" and (_LIKE_A_UNIT.fullmatch(text) or any(character.isdigit() for character in text)):
            self.unknown = self.unknown or text
        self.doubtful = self.doubtful or text


def _counts(word: str | None) -> bool:
    """Return whether a word goes on with what is counted, so that a `k` before it means thousands."""
    return word in ("per", "/", *_COUNTED, *_RATES)


def _split(name: str) -> list[_Word]:
    """Return the words of a name; in `DbSizeGB` and `dbsizegb` the unit is a word too."""
    words: list[_Word] = []
    depth = 0
    for piece in _PIECE.findall(name):
        if piece in "([{":
            depth += 1
        elif piece in ")]}":
            depth = max(depth - 1, 0)
        else:
            words += (_Word(text, depth > 0) for text in _pieces(piece))
    return words


def _pieces(word: str) -> list[str]:
    """Return the words that are written as one: `DbSizeGB`, `dbsizegb`, `requestspersecond`."""
    lowered = word.lower()
    if lowered in _BYTE_WORDS or lowered in _RATES or lowered in _SHORT_BYTE_WORDS:
        return [lowered]
    parts = (
        [lowered]
        if word in (lowered, word.upper()) or not word.isascii()
        else [part.lower() for part in _CAMEL.findall(word)]
    )
    last = parts[-1]
    glued = None if last in _BYTE_WORDS else _GLUED_BYTES.fullmatch(last) or _GLUED_TIME.fullmatch(last)
    if glued is None:
        return parts
    return [*parts[:-1], glued[1], *(("per",) if glued.re is _GLUED_TIME else ()), glued[2]]
