"""Read UTF-16, which PowerShell and Excel's "Unicode text" write, as UTF-8."""

from __future__ import annotations

import codecs
import io
from typing import Any, BinaryIO

from etcdsize.errors import FleetFileError

__all__ = ["FromUtf16", "is_utf16", "unmarked_utf16"]

_PIECE = 1024**2


def is_utf16(head: bytes) -> bool:
    """Return whether a file that begins with these bytes says that it is UTF-16."""
    return head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not head.startswith(codecs.BOM_UTF32_LE)


def unmarked_utf16(head: bytes) -> str | None:
    """Return the name of the encoding of bytes that look like UTF-16 without a byte order mark, or None.

    Nearly every character of a header or of JSON is ASCII, and its other byte is then 0.
    """
    for name, zeros, others in (("UTF-16LE", head[1::2], head[::2]), ("UTF-16BE", head[::2], head[1::2])):
        if len(zeros) > 1 and 0 not in others and zeros.count(0) * 2 > len(zeros):
            return name
    return None


class FromUtf16(io.RawIOBase):
    """The text of a UTF-16 stream that begins with a byte order mark, as UTF-8 without one.

    Raises `FleetFileError`, with the line, for what is not UTF-16, also half a character at the end.
    """

    def __init__(self, stream: BinaryIO | io.RawIOBase, name: str) -> None:
        self._source = stream
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._text = memoryview(b"")
        self._ended = False
        self._line = 1

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._source.fileno()

    def readinto(self, buffer: Any, /) -> int:
        """Read text into a buffer."""
        while not self._text and not self._ended:
            self._read_more()
        count = min(len(buffer), len(self._text))
        buffer[:count] = self._text[:count]
        self._text = self._text[count:]
        return count

    def _read_more(self) -> None:
        data = getattr(self._source, "read1", self._source.read)(_PIECE)
        self._ended = not data
        try:
            text = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            line = self._line + error.object[: error.start].decode(error.encoding, "replace").count("\n")
            what = (
                "the middle of a character" if self._ended else f"the bytes 0x{error.object[error.start :][:2].hex()}"
            )
            raise FleetFileError(
                f"{self._name}: line {line}: got {what}{' at the end' if self._ended else ''}, expected UTF-16, as the "
                "file begins; copy or export it again",
                file=self._name,
                line=line,
            ) from None
        self._line += text.count("\n")
        self._text = memoryview(text.encode())
