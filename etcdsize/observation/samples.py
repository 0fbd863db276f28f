"""The samples on the lines of a page of metrics, in Prometheus' text format."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TextIO, cast

from etcdsize.base.text import shown
from etcdsize.errors import MissingDependencyError, ScrapeError

__all__ = ["Samples", "reject"]

_NAME = re.compile(r"[^\s{]*")
# OpenMetrics ends the line of a bucket with an example of what is in it. Only the first of several blanks begins it, so
# that the time is linear.
_EXEMPLAR = re.compile(r'^((?:[^"#]|"(?:[^"\\]|\\.)*")*?)(?<![ \t])[ \t]+# \{.*$')
_LONGEST_LINE = 4096
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
# What stands in a line where its number is not asked for.
_ANY_NUMBER = 123_456_789


class Sample(NamedTuple):
    """What a line says."""

    name: str
    labels: Mapping[str, str]
    value: int | float


def reject(reason: str, *, line: int | None = None, metric: str | None = None) -> NoReturn:
    """Raise the error of a page of metrics."""
    where = "metrics" if line is None else f"metrics: line {line}"
    named = f", {metric}" if metric is not None and metric not in reason else ""
    raise ScrapeError(f"{where}{named}: {reason}", line=line, metric=metric)


class Samples:
    """Iterates over the lines that are needed, and keeps the number of the current one.

    Parameters
    ----------
    lines : sequence
        The lines, each with its number.
    families : mapping
        Family -> its type.
    wanted : collection
        The names of the lines that are needed.
    most_lines : int
        How many of them there may be. [count]
    is_needed : callable, optional
        Whether a line with such a name is needed, from its name and the line.
    """

    def __init__(
        self,
        lines: Sequence[tuple[int, str]],
        families: Mapping[str, str],
        wanted: Collection[str],
        *,
        most_lines: int,
        is_needed: Callable[[str, str], bool] | None = None,
    ) -> None:
        self._lines = lines
        self._families = families
        self._names = wanted
        self._most_lines = most_lines
        self._is_needed = is_needed
        self.number: int = 0
        self._wanted = 0

    def samples(self) -> Iterator[Sample]:
        """Yield the samples.

        Raises
        ------
        ScrapeError
            If a line is not in the format, or if there are too many.
        MissingDependencyError
            Without prometheus-client.
        """
        # Every line may be one that is known, so that nothing else asks for the parser.
        _parser()
        for line in self._needed():
            try:
                sample = _sample_of(line)
            except (ValueError, IndexError):
                reject(f"got {shown(line)}, expected a metric, its labels and a number", line=self.number)
            if sample is not None:
                yield sample

    def _needed(self) -> Iterator[str]:
        for number, line in self._lines:
            if line.startswith("# TYPE "):
                self._check_type(line, number)
                continue
            match = _NAME.match(line)
            name = match.group() if match else ""
            if name not in self._names or not (self._is_needed is None or self._is_needed(name, line)):
                continue
            if len(line) > _LONGEST_LINE:
                reject(f"got {len(line)} characters, expected at most {_LONGEST_LINE}", line=number, metric=name)
            self._wanted += 1
            if self._wanted > self._most_lines:
                reject(f"got more than {self._most_lines} lines of metrics; is it one page?", line=number)
            self.number = number
            yield line

    def _check_type(self, line: str, number: int) -> None:
        words = line.split()
        wanted = self._families.get(words[2]) if len(words) == 4 else None
        if wanted is not None and words[3] not in (wanted, "untyped", "unknown"):
            reject(f"got the type {shown(words[3])}, expected {wanted}", line=number, metric=words[2])


def _sample_of(line: str) -> Sample | None:
    """Return the sample on a line, or None for a line without a sample. A malformed line raises a ValueError."""
    head, _, number = line.strip().rpartition(" ")
    if _NUMBER.fullmatch(number):
        # All pages have the same names and labels, so that most of them have been parsed before.
        named = _named(head)
        if named is not None:
            return Sample(*named, int(number) if number.isdigit() else float(number))
    found = _parsed(_EXEMPLAR.sub(r"\1", line))
    return None if found is None else Sample(found.name, found.labels, found.value)


@functools.lru_cache(maxsize=4096)
def _named(head: str) -> tuple[str, Mapping[str, str]] | None:
    """Return the name and the labels before the number of a line; None if there is anything else, or nothing valid."""
    if "#" in head:
        return None
    try:
        sample = _parsed(f"{head} {_ANY_NUMBER}")
    except (ValueError, IndexError):
        return None
    if sample is None or sample.value != _ANY_NUMBER or sample.timestamp is not None:
        return None
    return sample.name, sample.labels


def _parser() -> Callable[[TextIO], Iterable[Any]]:
    """Return prometheus-client's parser, which is loaded where it is used first."""
    try:
        from prometheus_client.parser import text_fd_to_metric_families
    except ImportError as error:
        raise MissingDependencyError(package="prometheus-client", extra="observe") from error
    return text_fd_to_metric_families


def _parsed(line: str) -> Any:
    """Return what prometheus-client reads of a line."""
    # Its type asks for a file, but it only iterates over lines.
    families = _parser()(cast("TextIO", [line]))
    return next((sample for family in families for sample in family.samples), None)
