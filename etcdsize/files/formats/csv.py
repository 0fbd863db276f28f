"""CSV and TSV. Only the load is parsed; every other cell keeps its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa

from etcdsize.files.csv_reader import CsvReader
from etcdsize.files.csv_writer import CsvWriter
from etcdsize.files.fold import FoldedReader
from etcdsize.files.format import Reader

__all__ = ["FORMATS"]


class _Csv:
    """CSV, or TSV with another delimiter."""

    seeks = False
    typed = False
    text = True
    writes = True

    def __init__(self, name: str, endings: tuple[str, ...], delimiter: str, *, chosen: bool = False) -> None:
        self.name = name
        self.endings = endings
        self._delimiter = delimiter
        self._chosen = chosen

    def delimited(self, delimiter: str) -> _Csv:
        return _Csv(self.name, self.endings, delimiter, chosen=True)

    def recognizes(self, _head: bytes, /) -> int:
        # Any text may be CSV.
        return 0

    def reader(self, stream: BinaryIO, name: str) -> CsvReader:
        return CsvReader(stream, name, self.name, self._delimiter, chosen=self._chosen)

    def writer(self, stream: BinaryIO, source: Reader, kept: Sequence[int], answers: pa.Schema) -> CsvWriter:
        delimiter, sep_line, header, newline, copies = self._delimiter, None, None, "\n", False
        whole = source.inner if isinstance(source, FoldedReader) else source
        if isinstance(whole, CsvReader) and whole.kind == self.name:
            delimiter, sep_line = whole.delimiter, whole.sep_line
        if isinstance(source, CsvReader):
            copies = source.delimiter == delimiter and list(kept) == list(range(len(source.names)))
            if copies:
                header, newline = source.header, source.newline.decode()
        names = [source.names[position] for position in kept]
        return CsvWriter(
            stream, names, answers.names, delimiter, newline=newline, sep_line=sep_line, header=header, copies=copies
        )


FORMATS = (_Csv("csv", (".csv",), ","), _Csv("tsv", (".tsv", ".tab"), "\t"))
