"""Find out what an input is, by its name and by its first bytes, and open what a format can read of it."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from etcdsize.base.output_file import open_temporary
from etcdsize.errors import FleetFileError
from etcdsize.files.compression import Decompressed, compression_of, split_name
from etcdsize.files.foreign import conversion, foreign_by_content, foreign_by_name, unpacking
from etcdsize.files.format import SURE, Format, Reader, file_size
from etcdsize.files.registry import format_named, format_of_name, formats, unknown_format, with_delimiter, with_sheet
from etcdsize.files.utf16 import FromUtf16, is_utf16, unmarked_utf16

__all__ = ["Counted", "Source", "open_source"]

# Enough for every mark: that of tar stands at byte 257.
_HEAD = 1024
_BUFFER = 1024**2


class Source(NamedTuple):
    """An input whose format is known."""

    format: Format
    reader: Reader
    file: Counted | None
    """The bytes of the file, where the format reads other bytes."""
    size: int | None
    """The size of the file, None for a pipe or a folder. [bytes]"""
    on_disk: bool
    """Whether reading never waits for another program."""


class Counted(io.RawIOBase):
    """A stream that counts what is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count: int = 0
        """What has been read. [bytes]"""

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def readinto(self, buffer: Any, /) -> int:
        """Read bytes into a buffer."""
        data = _read_some(self._stream, len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class _Ahead(io.RawIOBase):
    """A stream of which some bytes were already read."""

    def __init__(self, head: bytes, stream: BinaryIO | io.RawIOBase) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def readinto(self, buffer: Any, /) -> int:
        """Read bytes into a buffer."""
        if not self._head and isinstance(self._stream, io.RawIOBase):
            return self._stream.readinto(buffer) or 0
        data = self._head[: len(buffer)] or _read_some(self._stream, len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _read_some(stream: BinaryIO | io.RawIOBase, count: int) -> bytes:
    # One system call at a time: in `read`, a signal would be delayed until a pipe has delivered everything.
    data: bytes | None = getattr(stream, "read1", stream.read)(count)
    return data or b""


def _look(stream: BinaryIO | io.RawIOBase) -> tuple[bytes, BinaryIO]:
    """Return the first bytes of a stream, and a stream of which they have not been read."""
    start = stream.tell() if stream.seekable() else None
    head = b""
    while len(head) < _HEAD and (more := _read_some(stream, _HEAD - len(head))):
        head += more
    if start is not None:
        stream.seek(start)
        return head, cast("BinaryIO", stream)
    return head, io.BufferedReader(_Ahead(head, stream), _BUFFER)


@contextlib.contextmanager
def open_source(
    path: Path,
    stream: BinaryIO | None,
    name: str,
    option: str | None,
    *,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Iterator[Source]:
    """Open an input, and find its format.

    Parameters
    ----------
    path : Path
        The file, whose ending may tell the format; a folder of Parquet files; or `-` for standard input.
    stream : binary file or None
        The stream to read instead of opening `path`.
    name : str
        What messages call the input.
    option : str or None
        The name of the format, if it is given.
    delimiter : str, optional
        The character between cells, if it is given.
    sheet : str, optional
        The sheet of a workbook, if it is given.

    Raises
    ------
    FleetFileError
        For an input whose format is not known or not read, or is not the one that its name says; and for one that
        cannot be read.
    """
    with contextlib.ExitStack() as stack:
        if stream is None and path.is_dir():
            kind = _chosen(format_named("parquet"), delimiter, sheet)
            yield Source(kind, _folder_reader(path, name, option), None, None, True)
            return
        if stream is None:
            stream = stack.enter_context(path.open("rb"))
        size = file_size(stream)
        kind, stream, file = _decode(path, stream, name, option)
        kind = _chosen(kind, delimiter, sheet)
        if kind.seeks and not stream.seekable():
            kept = stack.enter_context(open_temporary())
            shutil.copyfileobj(stream, kept)
            stream, file, size = kept, None, file_size(kept)
        yield Source(kind, kind.reader(stream, name), file, size, size is not None)


def _chosen(kind: Format, delimiter: str | None, sheet: str | None) -> Format:
    """Return a format with what was chosen for it."""
    kind = kind if delimiter is None else with_delimiter(kind, delimiter)
    return kind if sheet is None else with_sheet(kind, sheet)


def _decode(path: Path, stream: BinaryIO, name: str, option: str | None) -> tuple[Format, BinaryIO, Counted | None]:
    """Return the format of an input, what the format reads of it, and the bytes of the file if they are others."""
    inner, claimed = split_name(path)
    kind = format_of_name(inner) if option is None else format_named(option)
    head, stream = _look(stream)
    file: Counted | None = None
    compression = compression_of(head)
    if compression is not None:
        file = Counted(stream)
        head, stream = _look(Decompressed(file, compression, name))
        within = compression_of(head)
        if within is not None:
            raise FleetFileError(
                f"{name}: is compressed twice, with {within.name} and {compression.name}, expected once; first run: "
                f"{unpacking(path, compression)}",
                file=name,
            )
    elif claimed is not None and option is None:
        raise FleetFileError(
            f"{name}: {'begins as something else' if head else 'empty'}, expected {claimed.name}, as its name says; "
            f"check it with {claimed.name} -t, or rename it to what it is",
            file=name,
        )
    if is_utf16(head) and (kind is None or kind.text):
        file = file or Counted(stream)
        head, stream = _look(FromUtf16(file if compression is None else stream, name))
    return _format(kind, head, path, name), stream, file


def _folder_reader(folder: Path, name: str, option: str | None) -> Reader:
    if option not in (None, "parquet"):
        raise FleetFileError(
            f"{name}: a folder, expected a file for the format {option}; a folder is read if it holds Parquet files",
            file=name,
        )
    # PyArrow's Parquet module is slow to load.
    from etcdsize.files.parquet_folder import ParquetFolder

    return ParquetFolder(folder, name)


def _format(kind: Format | None, head: bytes, path: Path, name: str) -> Format:
    """Return the format of a file that begins with these bytes, given the one that its name or the user says."""
    if kind is not None and kind.recognizes(head):
        return kind
    accepted = ", ".join(formats()) if kind is None else kind.name
    found = next((known for known in formats().values() if known.recognizes(head) == SURE), None)
    if kind is None and found is not None:
        return found
    if found is not None:
        raise FleetFileError(
            f"{name}: got {found.name}, expected {accepted}; give the format {found.name}, or rename the file",
            file=name,
        )
    foreign = foreign_by_content(head)
    if foreign is not None:
        raise FleetFileError(
            f"{name}: got {foreign.title}, expected {accepted}; first run: {conversion(path, foreign.command)}",
            file=name,
        )
    encoding = unmarked_utf16(head)
    if encoding is not None and (kind is None or kind.text):
        raise FleetFileError(
            f"{name}: looks like {encoding} without a byte order mark, expected UTF-8; first run: "
            f"{conversion(path, f'iconv -f {encoding} -t UTF-8 {{file}} > {{new}}')}",
            file=name,
        )
    if kind is not None:
        return kind
    foreign = foreign_by_name(split_name(path)[0])
    if foreign is not None:
        raise FleetFileError(
            f"{name}: the name says {foreign.title}, expected {accepted}; first run: "
            f"{conversion(path, foreign.command)}; if it is something else, give its format",
            file=name,
        )
    raise unknown_format(path)
