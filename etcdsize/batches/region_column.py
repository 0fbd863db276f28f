"""The column of a batch that says in which region of a provider each cluster is."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from etcdsize.base.text import Suggestions, in_words, shown
from etcdsize.batches.cells import CellRules
from etcdsize.batches.columns import Source
from etcdsize.batches.loads import texts_of
from etcdsize.fleet.kernel import INVALID
from etcdsize.fleet.sizing import ELSEWHERE
from etcdsize.sizing.markets import Markets

__all__ = ["RegionColumn", "Regions"]


class Regions(NamedTuple):
    """Where the clusters of a batch are."""

    markets: NDArray[np.uint8]
    """The number of each row's market, `ELSEWHERE` for a provider without machines, `INVALID` for none."""
    unknown: NDArray[np.bool_]
    """Where the region is not one of the row's provider."""


class RegionColumn:
    """Reads one batch after another.

    Parameters
    ----------
    source : Source
        The column.
    cells : CellRules
        How cells are written.
    markets : Markets
        The markets, to which those of the regions are added.
    """

    def __init__(self, source: Source, cells: CellRules, markets: Markets) -> None:
        self._source = source
        self._cells = cells
        self._markets = markets
        self._providers = tuple(market.provider for market in markets.found)
        self._suggestions = Suggestions()

    def read(
        self,
        batch: pa.RecordBatch,
        providers: NDArray[np.uint8] | None,
        elsewhere: Counter[str],
        problems: dict[int, list[str]],
    ) -> Regions:
        """Return the markets of the rows, and add the problem of each row whose provider is not known.

        `providers` has the index of each row's provider among those of the markets. None: there is one provider, or
        the regions imply it.
        """
        texts, places = texts_of(batch, self._source, self._cells)
        names: list[str | None] = [*texts.to_pylist(), None]
        given = np.full(len(places), 0 if len(self._providers) == 1 else INVALID, np.int64)
        if providers is not None:
            given = providers.astype(np.int64)
        # Each pair of a provider and a region is looked up once.
        pairs, rows = np.unique(given * len(names) + places, return_inverse=True)
        markets = np.empty(len(pairs), np.uint8)
        unknown = np.zeros(len(pairs), np.bool_)
        for number, pair in enumerate(pairs.tolist()):
            code, at = divmod(pair, len(names))
            if providers is not None and code in (INVALID, ELSEWHERE):
                markets[number] = code
                continue
            provider = None if code == INVALID else code
            place = self._markets.look_up(provider, names[at])
            if place.number is not None:
                markets[number] = place.number
            elif provider is not None:
                # Only the prices depend on it.
                markets[number], unknown[number] = provider, True
            else:
                markets[number] = ELSEWHERE if place.elsewhere else INVALID
                here = np.flatnonzero(rows == number)
                if place.elsewhere:
                    elsewhere[place.elsewhere] += len(here)
                problem = self._problem(names[at], place.problem)
                for row in here.tolist() if place.problem else ():
                    problems.setdefault(row, []).append(problem)
        return Regions(markets[rows], unknown[rows])

    def _problem(self, name: str | None, problem: str) -> str:
        """Return why a region implies no provider; the first ones get a suggestion."""
        if name is not None and not self._suggestions.take():
            problem = f"got {shown(name)}, expected a region of {in_words(self._providers, 'or')}"
        return f"{self._source.name}: {problem}"
