"""The parts of an `.xlsx` file, checked before openpyxl reads them.

A small file may become enormous. openpyxl reads rows and shared texts one by one, and everything else as a whole; and
it keeps an empty element in memory for each of them. So a part has to be small, or to consist of rows or texts that
are.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from typing import Any

__all__ = ["Archive"]

# All limits are our choice, far above what programs write: a workbook of 64,000 styles has less than 4 MiB of them.
_MOST_WHOLE = 4 * 1024**2
# Of one row or one text; Excel's rows have up to 16,384 cells.
_LONGEST = 4 * 1024**2
# What is not in rows or texts, such as merged cells and conditional formats.
_MOST_BETWEEN = 16 * 1024**2
# Rows of a sheet, of which Excel has 1,048,576, and shared texts, which stay in memory.
_MOST = 4 * 1024**2
_MOST_TEXT = 256 * 1024**2
_PIECE = 1024**2

_TAG = re.compile(rb"<(/?)(?:[\w.-]+:)?(row|si)(?=[\s/>])([^>]*)>")
# Within these, what looks like a tag is none.
_HIDING = re.compile(rb"<!|\0|<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8|us-ascii)|<\?(?!xml\s)", re.IGNORECASE)


class Archive(zipfile.ZipFile):
    """A file of parts. Opening one raises `BadZipFile` if it would take too much memory."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self._checked: set[str] = set()

    def open(self, name: Any, mode: Any = "r", pwd: bytes | None = None, *, force_zip64: bool = False) -> Any:
        """Open a part, once it has been checked."""
        info = self.getinfo(name if isinstance(name, str) else name.filename)
        if info.filename not in self._checked:
            self._checked.add(info.filename)
            if info.file_size > _MOST_WHOLE:
                with super().open(info) as part:
                    _check(info.filename, part.read)
        return super().open(name, mode, pwd, force_zip64=force_zip64)


def _check(name: str, read: Callable[[int], bytes]) -> None:
    """Check the sizes of what a part holds. A tag that is broken in two is found in the next piece."""
    count = total = between = 0
    opened: int | None = None
    # The position of the buffer in the part, and the end of the last tag.
    start = last = 0
    text = b""
    is_texts = False
    while piece := read(_PIECE):
        text += piece
        if _HIDING.search(text):
            raise zipfile.BadZipFile(f"its part {name} contains something other than rows and texts")
        end = 0
        for tag in _TAG.finditer(text):
            end = tag.end()
            place = start + tag.start()
            is_texts = is_texts or tag[2] == b"si"
            if tag[1]:
                opened = None
            elif opened is not None:
                raise zipfile.BadZipFile(f"its part {name} has rows or texts nested in each other")
            else:
                count += 1
                between += place - last
                opened = None if tag[3].endswith(b"/") else place
            last = start + end
        # A tag that is not complete stays in the buffer.
        kept = max(end, text.rfind(b"<"))
        total += kept
        start, text = start + kept, text[kept:]
        since = start + len(text) - last
        if (opened is not None and since > _LONGEST) or len(text) > _LONGEST:
            raise zipfile.BadZipFile(f"its part {name} has a row or a text of more than {_LONGEST // 1024**2} MiB")
        if between + (since if opened is None else 0) > _MOST_BETWEEN:
            raise zipfile.BadZipFile(
                f"its part {name} has more than {_MOST_BETWEEN // 1024**2} MiB besides rows and texts"
            )
        if count > _MOST or (is_texts and total > _MOST_TEXT):
            raise zipfile.BadZipFile(f"its part {name} has more rows or texts than fit into memory")
