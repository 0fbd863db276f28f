"""How long a write to a network disk takes, as its provider publishes it or as somebody measured it."""

from typing import Annotated

from pydantic import Field, model_validator

from etcdsize.base.model import DateOrEmpty, Model, Name, Positive
from etcdsize.errors import TableError

__all__ = ["WriteLatency"]


class WriteLatency(Model):
    """How long a write to one kind of network disk takes, and what the figures are.

    Raises
    ------
    TableError
        Where no figure is given, or they do not rise.

    Examples
    --------
    >>> from etcdsize import load_catalog
    >>> io2 = load_catalog("current").disk_kind("aws", "io2").write_latency
    >>> io2.high_ms, io2.sequential_iops, io2.statistic
    (0.5, 2000, 'average of 16 KiB')
    """

    low_ms: Annotated[Positive | None, Field(description="The shortest. [ms] None: unknown.")] = None
    usual_ms: Annotated[
        Positive | None, Field(description="The usual one. [ms] None: unknown, only the range or the longest is.")
    ] = None
    high_ms: Annotated[Positive | None, Field(description="The longest. [ms] None: unknown.")] = None
    statistic: Annotated[Name, Field(description="What the figures are, such as `average of 4 KiB, one at a time`.")]
    date: Annotated[DateOrEmpty, Field(description="When the figures were published or measured.")] = ""
    source: Annotated[str, Field(description="Where the figures come from.")] = ""

    @model_validator(mode="after")
    def _check(self) -> "WriteLatency":
        figures = [figure for figure in (self.low_ms, self.usual_ms, self.high_ms) if figure is not None]
        if self.usual_ms is None and self.high_ms is None:
            raise TableError("got neither usual_ms nor high_ms, expected one of them", field="usual_ms")
        if figures != sorted(figures):
            raise TableError("expected low_ms, usual_ms and high_ms in rising order", field="high_ms")
        return self

    @property
    def decisive_ms(self) -> float:
        """The usual latency, or the longest where only that is known. [ms]"""
        # One of the two is known.
        return self.usual_ms if self.usual_ms is not None else self.high_ms or 0.0

    @property
    def sequential_iops(self) -> int:
        """How many writes a second complete one after the other at that latency. [1/s]"""
        return round(1000 / self.decisive_ms)

    @property
    def milliseconds(self) -> str:
        """The figures as text, such as `2 ms (1.2 to 4)`, `0.3 to 0.5 ms` or `0.5 ms at most`."""
        low, usual, high = self.low_ms, self.usual_ms, self.high_ms
        if usual is not None:
            return f"{usual:g} ms" + ("" if low is None or high is None else f" ({low:g} to {high:g})")
        return f"{high:g} ms at most" if low is None else f"{low:g} to {high:g} ms"
