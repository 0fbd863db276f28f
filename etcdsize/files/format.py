"""Files of clusters: one module per format, and the output that appears only when it is complete.

A reader has `names`, the columns' names, and gives `Rows`, batch by batch; a writer takes them with their answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

__all__ = ["Rows"]


@dataclass(frozen=True)
class Rows:
    """Some rows of a file.

    `batch` holds the columns that were asked for, by position in the file. `work` says how much of the file they are:
    bytes of text, or rows of Parquet. `records` holds each row as it stands in the file, for a writer of the same
    format, or None; those of CSV have the line end before them.
    """

    batch: pa.RecordBatch
    work: int
    records: pa.StringArray | None = None
