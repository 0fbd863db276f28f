"""Read and write gzip, zstd and bzip2 as streams, in memory that does not grow with the file."""

from __future__ import annotations

import bz2
import contextlib
import io
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

import pyarrow as pa

from etcdsize.base.output_file import open_output
from etcdsize.base.text import one_line
from etcdsize.errors import FleetFileError

__all__ = ["COMPRESSIONS", "Compression", "Decompressed", "compression_of", "open_compressed", "split_name"]

_PIECE = 64 * 1024


class Compression(NamedTuple):
    """A way to compress a file."""

    name: str
    """Its name, which is also that of its program."""
    endings: tuple[str, ...]
    """The endings of file names, in lower case."""
    start: re.Pattern[bytes]
    """What the first bytes of a file match."""


COMPRESSIONS = (
    Compression("gzip", (".gz", ".gzip"), re.compile(rb"\x1f\x8b")),
    # A frame of data, or one to skip, with which parallel compressors begin.
    Compression("zstd", (".zst", ".zstd"), re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")),
    # The mark of a block follows, or that of the end: a CSV file could begin with the first three letters.
    Compression("bzip2", (".bz2",), re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)")),
)
"""Every way to compress a file that is read and written."""


def compression_of(head: bytes) -> Compression | None:
    """Return how a file that begins with these bytes is compressed, or None."""
    return next((known for known in COMPRESSIONS if known.start.match(head)), None)


def split_name(path: Path) -> tuple[Path, Compression | None]:
    """Return the name without the ending of a compression, and the compression.

    >>> path, compression = split_name(Path("clusters.csv.gz"))
    >>> path.name, compression.name
    ('clusters.csv', 'gzip')
    """
    ending = path.suffix.lower()
    for known in COMPRESSIONS:
        if ending in known.endings:
            return path.with_suffix(""), known
    return path, None


class Decompressed(io.RawIOBase):
    """The content of a compressed stream, of all its members or frames.

    Raises `FleetFileError` where the stream is damaged or ends early: what could be read before is not the file.
    """

    def __init__(self, stream: BinaryIO | io.RawIOBase, compression: Compression, name: str) -> None:
        self._source = stream
        self._compression = compression
        self._name = name
        source = _Unclosed(stream)
        # PyArrow rejects bzip2 with an empty stream in it.
        self._stream: Any = (
            _FromBzip2(source.read)
            if compression.name == "bzip2"
            else pa.CompressedInputStream(pa.PythonFile(source, mode="r"), compression.name)
        )

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._source.fileno()

    def readinto(self, buffer: Any, /) -> int:
        """Read content into a buffer."""
        try:
            count: int = self._stream.readinto(buffer)
        except (OSError, pa.ArrowException) as error:
            # PyArrow's own errors have no number; others come from the file.
            if getattr(error, "errno", None) is not None:
                raise
            what = self._compression
            raise FleetFileError(
                f"{self._name}: damaged, or cut off: {one_line(str(error))}, expected whole {what.name}; "
                f"check it with {what.name} -t, and copy or write it again",
                file=self._name,
            ) from None
        return count


class _FromBzip2:
    """The content of all streams of a bzip2 file.

    Python's `BZ2File` ignores a damaged stream that follows a whole one.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._decompressor = bz2.BZ2Decompressor()

    def readinto(self, buffer: Any) -> int:
        """Read content into a buffer."""
        while True:
            data = b""
            if self._decompressor.eof:
                data = self._decompressor.unused_data or self._read(_PIECE)
                if not data:
                    return 0
                self._decompressor = bz2.BZ2Decompressor()
            elif self._decompressor.needs_input:
                data = self._read(_PIECE)
                if not data:
                    raise OSError("Truncated compressed stream")
            content = self._decompressor.decompress(data, len(buffer))
            if content:
                buffer[: len(content)] = content
                return len(content)


class _Unclosed:
    """Reads a stream for PyArrow, which closes what it reads."""

    closed = False

    def __init__(self, stream: BinaryIO | io.RawIOBase) -> None:
        # One system call at a time: in `read`, a signal would be delayed until a pipe has delivered everything.
        self.read = getattr(stream, "read1", stream.read)

    def close(self) -> None:
        """Leave the stream open."""


@contextlib.contextmanager
def open_compressed(path: Path) -> Iterator[BinaryIO]:
    """Open an output as `open_output` does; what is written to it is compressed if the ending of the name says so.

    The same content gives the same bytes: no time and no name is stored.
    """
    compression = split_name(path)[1]
    with open_output(path) as file:
        if compression is None:
            yield file
            return
        compressed = _Compressed(file, compression)
        yield cast("BinaryIO", compressed)
        compressed.finish()


class _Compressor(Protocol):
    def compress(self, data: Any, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Compressed:
    """Compresses what is written. Unless `finish` is called, what was written cannot be read as a whole file."""

    def __init__(self, stream: BinaryIO, compression: Compression) -> None:
        self._stream = stream
        self.fileno = stream.fileno
        self.flush = stream.flush
        self._compressor: _Compressor
        match compression.name:
            case "gzip":
                # With 31, zlib writes gzip's header, without a time.
                self._compressor = zlib.compressobj(wbits=31)
            case "bzip2":
                self._compressor = bz2.BZ2Compressor()
            case _:
                self._compressor = _Zstd()

    def write(self, data: Any, /) -> int:
        """Write content."""
        self._stream.write(self._compressor.compress(data))
        return len(data)

    def finish(self) -> None:
        """Write the end of the compressed file."""
        self._stream.write(self._compressor.flush())


class _Zstd:
    """Compresses with zstd, through PyArrow."""

    def __init__(self) -> None:
        self._parts = _Parts()
        self._stream: Any = pa.CompressedOutputStream(pa.PythonFile(self._parts, mode="w"), "zstd")

    def compress(self, data: Any, /) -> bytes:
        self._stream.write(data)
        return self._parts.take()

    def flush(self) -> bytes:
        self._stream.close()
        return self._parts.take()


class _Parts:
    """Collects what PyArrow writes."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> None:
        self._parts.append(bytes(data))

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)

    def flush(self) -> None:
        """Do nothing: everything is in memory."""

    def close(self) -> None:
        """Do nothing: what was collected is still to be taken."""
