"""The notices of rows: their codes as a column, and how many clusters of a fleet have each.

A row has the machines of the guide, and so the notices of severity warning and beyond-guide that `size` with the basis
`guide` gives for the same cluster, the one that its data is an upper bound, and one where `size` would name a machine
for the load. Other notices of severity info say something about a machine or a tier, and are the same for every cluster
that has it.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.base.notice import KINDS, NoticeKind, Severity

__all__ = ["NoticeCount", "NoticeTotals", "RowNotices"]

Mask = NDArray[np.bool_]
# Rows that a summary names for each notice (our choice).
_MOST_ROWS = 5


class NoticeCount(Model):
    """How many clusters have a notice."""

    code: Annotated[str, Field(description="The code of the notice.")]
    severity: Annotated[Severity, Field(description="How serious it is.")]
    clusters: Annotated[int, Field(description="Clusters that have it.")]
    first_rows: Annotated[tuple[int, ...], Field(description="The first of their rows, from 1 without the header.")]
    text: Annotated[str, Field(description="What these clusters have, and what to do.")]


class RowNotices:
    """The notices of the rows of one batch.

    Parameters
    ----------
    rows : int
        Rows of the batch.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._masks: dict[str, Mask] = {}

    def add(self, kind: NoticeKind, rows: Mask) -> None:
        """Add a notice to the rows where a mask is true."""
        if rows.any():
            mask = self._masks.get(kind.code)
            self._masks[kind.code] = rows if mask is None else mask | rows

    def keep(self, rows: Mask) -> None:
        """Remove every notice from the other rows, such as those that cannot be sized."""
        kept = {code: mask & rows for code, mask in self._masks.items()}
        self._masks = {code: mask for code, mask in kept.items() if mask.any()}

    def __iter__(self) -> Iterator[tuple[str, Mask]]:
        """Iterate over the codes and their rows, in alphabetical order."""
        return iter(sorted(self._masks.items()))

    def column(self) -> pa.DictionaryArray:
        """Return the codes of every row, joined by semicolons, and null where there are none."""
        codes = [code for code, _ in self]
        masks = [mask for _, mask in self]
        if len(codes) <= 1:
            valid = masks[0] if masks else np.zeros(self._rows, np.bool_)
            return _dictionary(np.zeros(self._rows, np.int32), valid, codes)
        # Every combination of codes that occurs is a number, whose bits stand for the codes.
        bits: NDArray[Any] = np.zeros(self._rows, np.uint8 if len(codes) <= 8 else np.uint32)
        for bit, mask in enumerate(masks):
            bits |= mask.view(np.uint8).astype(bits.dtype, copy=False) << bits.dtype.type(bit)
        used = np.zeros(1 << len(codes), np.bool_)
        used[bits] = True
        used[0] = False
        combinations = np.flatnonzero(used).tolist()
        place_of = np.zeros(len(used), np.int32)
        place_of[combinations] = range(len(combinations))
        texts = [";".join(code for bit, code in enumerate(codes) if number >> bit & 1) for number in combinations]
        return _dictionary(place_of[bits], bits != 0, texts)


def _dictionary(places: NDArray[np.int32], valid: Mask, texts: Sequence[str]) -> pa.DictionaryArray:
    """Return the text of every place, null where it is not valid."""
    validity = pa.py_buffer(np.packbits(valid, bitorder="little"))
    indices = pa.Array.from_buffers(pa.int32(), len(places), [validity, pa.py_buffer(places)])
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))


class NoticeTotals:
    """Counts the notices of one batch after another."""

    def __init__(self) -> None:
        self._clusters: dict[str, int] = {}
        self._first_rows: dict[str, list[int]] = {}
        self.beyond_guide: int = 0
        """Clusters with at least one notice of severity beyond-guide."""

    def count(self, notices: RowNotices, before: int) -> None:
        """Count the notices of a batch; `before` is the number of rows before it."""
        beyond: Mask | None = None
        for code, mask in notices:
            self._clusters[code] = self._clusters.get(code, 0) + int(np.count_nonzero(mask))
            first = self._first_rows.setdefault(code, [])
            if len(first) < _MOST_ROWS:
                first += (np.flatnonzero(mask)[: _MOST_ROWS - len(first)] + before + 1).tolist()
            if _severity(code) == "beyond-guide":
                beyond = mask if beyond is None else beyond | mask
        if beyond is not None:
            self.beyond_guide += int(np.count_nonzero(beyond))

    @property
    def summary(self) -> tuple[NoticeCount, ...]:
        """The notices so far, beyond-guide first, then by code."""
        counts = [
            NoticeCount(
                code=code,
                severity=_severity(code),
                clusters=clusters,
                first_rows=tuple(self._first_rows[code]),
                text=KINDS[code].clusters,
            )
            for code, clusters in self._clusters.items()
        ]
        return tuple(sorted(counts, key=lambda one: (one.severity != "beyond-guide", one.code)))


def _severity(code: str) -> Severity:
    """Return the severity of a notice of a row: the open tier is mentioned only where a load is past its last bound."""
    return "beyond-guide" if code == "open-tier" else KINDS[code].severity
