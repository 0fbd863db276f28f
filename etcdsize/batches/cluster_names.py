"""The names of the clusters of a batch, looked up only for the rows that a summary lists."""

from __future__ import annotations

import pyarrow as pa

from etcdsize.base.text import shortened
from etcdsize.batches.cells import CellRules

__all__ = ["ClusterNames"]


class ClusterNames:
    """The names of the clusters of a batch.

    Parameters
    ----------
    column : Array or None
        The column with the names; without one no cluster has a name.
    cells : CellRules
        How cells are written.
    """

    def __init__(self, column: pa.Array | None, cells: CellRules) -> None:
        self._column = column
        self._cells = cells

    def of(self, row: int) -> str | None:
        """Return the shortened name of a cluster, or None if its cell is empty."""
        value = None if self._column is None else self._column[row].as_py()
        name = value if isinstance(value, str) or value is None else str(value)
        (name,) = self._cells.clean(pa.array([name], pa.string())).to_pylist()
        return shortened(name) if name else None
