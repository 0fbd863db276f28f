"""Excel workbooks, which are read and not written."""

from __future__ import annotations

import re
from typing import BinaryIO

from etcdsize.errors import FleetFileError
from etcdsize.files.format import POSSIBLE, SURE, Reader, Writer

__all__ = ["FORMATS"]

_ZIP = b"PK\x03\x04"
# What is in the first parts of a workbook.
_PARTS = re.compile(rb"(?s)PK\x03\x04.{26}(?:\[Content_Types\]\.xml|_rels/\.rels|xl/|docProps/)")


class _Xlsx:
    """The format of Excel since 2007. openpyxl is an extra, so it is imported when a file is opened."""

    name = "xlsx"
    endings = (".xlsx", ".xlsm")
    seeks = True
    text = False
    writes = False
    typed = False

    def __init__(self, sheet: str | None = None) -> None:
        self._sheet = sheet

    def on_sheet(self, sheet: str) -> _Xlsx:
        return _Xlsx(sheet)

    def recognizes(self, head: bytes, /) -> int:
        if not head.startswith(_ZIP):
            return 0
        return SURE if _PARTS.search(head) else POSSIBLE

    def reader(self, stream: BinaryIO, name: str) -> Reader:
        from etcdsize.files.xlsx_reader import XlsxReader

        return XlsxReader(stream, name, self._sheet)

    def writer(self, *_arguments: object) -> Writer:
        raise FleetFileError("xlsx: is only read; write another format, such as CSV")


FORMATS = (_Xlsx(),)
