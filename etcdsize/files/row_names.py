"""The names of the clusters in a few rows of a file, read after the file was sized.

A summary names ten rows with a problem. Reading the names of all clusters along with their loads would take longer than
looking these ten up, if there are any.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from etcdsize.batches.cells import CellRules
from etcdsize.batches.cluster_names import ClusterNames
from etcdsize.batches.columns import Source
from etcdsize.files.format import Reader, Wanted

__all__ = ["names_of_rows"]


def names_of_rows(reader: Reader, source: Source, rows: Collection[int], cells: CellRules) -> dict[int, str | None]:
    """Return the names of the clusters in some rows.

    Parameters
    ----------
    reader : Reader
        A reader at the beginning of the file.
    source : Source
        The column with the names.
    rows : collection of int
        Numbers of rows, counted from 1.
    cells : CellRules
        How cells are written.
    """
    left = sorted(rows)
    return dict(_found(reader, source, left, cells))


def _found(reader: Reader, source: Source, left: list[int], cells: CellRules) -> Iterator[tuple[int, str | None]]:
    before = 0
    for part in reader.read(Wanted([source.position])):
        names = ClusterNames(part.batch.column(0), cells)
        while left and left[0] <= before + part.batch.num_rows:
            row = left.pop(0)
            yield row, names.of(row - before - 1)
        if not left:
            return
        before += part.batch.num_rows
