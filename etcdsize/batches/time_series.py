"""Notice files in which several rows are one cluster at different times."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etcdsize.base.text import shown
from etcdsize.batches.columns import Columns
from etcdsize.batches.loads import distinct

__all__ = ["TimeSeries"]

# Names that are remembered while none is repeated (our choice).
_MOST_NAMES = 1_000_000


class TimeSeries:
    """Looks for rows of one cluster at several times: a name that repeats, or no names and a time that varies.

    Parameters
    ----------
    columns : Columns
        The columns of a batch; without one of time stamps nothing is looked for.
    """

    def __init__(self, columns: Columns) -> None:
        self._name = columns.get("name")
        self._time = columns.get("timestamp")
        self._seen: set[object] = set()
        self.found: bool = False
        """Whether there are such rows."""

    def look_at(self, batch: pa.RecordBatch) -> None:
        """Look at the rows of a batch."""
        if self._time is None or self.found or not batch.num_rows or len(self._seen) > _MOST_NAMES:
            return
        if self._name is None:
            self._seen.update(pc.unique(batch.column(self._time.position)).to_pylist())
            self.found = len(self._seen) > 1
            return
        texts, places = distinct(batch.column(self._name.position).cast(pa.string()))
        names = [name for name in texts.to_pylist() if name]
        given = np.array([*(bool(name) for name in texts.to_pylist()), False])
        self.found = len(names) < int(np.count_nonzero(given[places])) or not self._seen.isdisjoint(names)
        self._seen.update(names)

    @property
    def text(self) -> str:
        """What the rows are, and what to do; empty if there are no such rows."""
        if not self.found or self._time is None:
            return ""
        time = shown(self._time.name)
        if self._name is None:
            what = f"The column {time} varies and no column names the clusters: are these rows of one cluster?"
        else:
            name = shown(self._name.name)
            what = f"Names in the column {name} repeat beside a column {time}: a cluster has several rows."
        return f"{what} Each row was sized: --latest sizes the newest row of each cluster, --peak its largest figures"
