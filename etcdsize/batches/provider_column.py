"""The column of a batch that names the provider of each cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from etcdsize.base.text import shortened
from etcdsize.batches.cells import CellRules
from etcdsize.batches.columns import Source
from etcdsize.batches.loads import texts_of
from etcdsize.catalog.providers import find_provider, misspelt_provider
from etcdsize.fleet.kernel import INVALID
from etcdsize.fleet.sizing import ELSEWHERE

__all__ = ["ProviderColumn"]

# Providers without machines that a summary names (our choice).
_MOST_PROVIDERS = 10


class ProviderColumn:
    """Reads one batch after another.

    Parameters
    ----------
    source : Source
        The column.
    cells : CellRules
        How cells are written.
    providers : sequence of str
        The providers with machines.
    """

    def __init__(self, source: Source, cells: CellRules, providers: Sequence[str]) -> None:
        self._source = source
        self._cells = cells
        self._providers = providers

    def read(self, batch: pa.RecordBatch, elsewhere: Counter[str], problems: dict[int, list[str]]) -> NDArray[np.uint8]:
        """Return the index of each row's provider, `ELSEWHERE` for one without machines, `INVALID` for none.

        The rows of providers without machines are counted, and the problem of each row without a provider is added.
        """
        source = self._source
        texts, codes = texts_of(batch, source, self._cells)
        wrong: dict[int, str] = {}
        others: dict[int, str] = {}
        lookup = np.full(len(texts) + 1, INVALID, np.uint8)
        code_of = {name: code for code, name in enumerate(self._providers)}
        for code, name in enumerate(texts.to_pylist()):
            provider = find_provider(name)
            known = code_of.get(provider or "")
            problem = misspelt_provider(name, self._providers) if name else "missing"
            if known is not None:
                lookup[code] = known
            elif problem:
                wrong[code] = f"{source.name}: {problem}"
            else:
                lookup[code] = ELSEWHERE
                others[code] = provider or shortened(name)
        wrong[len(lookup) - 1] = f"{source.name}: missing"
        found: NDArray[np.uint8] = lookup[codes]
        if others:
            counts = np.bincount(codes, minlength=len(lookup))
            for code, name in others.items():
                if name in elsewhere or len(elsewhere) < _MOST_PROVIDERS:
                    elsewhere[name] += int(counts[code])
        for row in np.flatnonzero(found == INVALID).tolist():
            problems.setdefault(row, []).append(wrong[int(codes[row])])
        return found
