"""Standard input, standard output and files, as the commands use them.

What a program reads is UTF-8 whatever the locale: `write_data`, and rows by `standard_output`. What a person reads is
in the encoding of the stream, and what that lacks is escaped: `write_text` and `report`.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, TypeVar

from etcdsize.base.text import one_line, safe_json
from etcdsize.errors import EtcdSizeError, FleetFileError, TableError

if TYPE_CHECKING:
    from etcdsize.base.model import Answer

__all__ = [
    "content",
    "of_file",
    "parts",
    "reject_own_output",
    "report",
    "standard_input",
    "standard_output",
    "title",
    "write_answer",
    "write_data",
    "write_json",
    "write_text",
]

T = TypeVar("T")

# What is read as a whole (our choice): a million clusters to observe take 200 MB. A device may have no end.
_LARGEST_MIB = 512


def content(name: str, *, largest_mib: int = _LARGEST_MIB) -> bytes:
    """Return the content of a file, or of standard input for `-`."""
    read: list[bytes] = []
    for part in parts(name):
        read.append(part)
        if len(read) > largest_mib:
            name = title(name)
            raise TableError(f"{name}: has more than {largest_mib} MiB; is it the right file?", file=name)
    return b"".join(read)


def parts(name: str) -> Iterator[bytes]:
    """Yield the content of a file, or of standard input for `-`, in parts of at most a mebibyte."""
    try:
        with contextlib.nullcontext(standard_input()) if name == "-" else Path(name).open("rb") as stream:
            while part := stream.read(2**20):
                yield part
    except EtcdSizeError:
        raise
    except (OSError, ValueError) as error:
        raise TableError(f"{title(name)}: cannot be read: {_reason(error)}", file=title(name)) from error


def of_file(name: str, work: Callable[[], T]) -> T:
    """Return the result of `work`, which reads a file's content; add the file's name to its errors."""
    try:
        return work()
    except TableError as error:
        name = title(name)
        raise TableError(f"{name}: {error}", file=name, row=error.row, field=error.field) from None


def standard_input() -> BinaryIO:
    """Return standard input, unless it is closed."""
    if sys.stdin is None:
        raise FleetFileError("standard input: cannot be read: it is closed", file="standard input")
    with contextlib.suppress(OSError):
        # The program at the other end may have changed it.
        os.set_blocking(sys.stdin.fileno(), True)
    return sys.stdin.buffer


def reject_own_output(*sources: str, output: str | None = None) -> None:
    """Reject an output, or a standard output, that is one of these inputs; `-` is standard input.

    A command that reads what it writes may never end, and its input is damaged.
    """
    for source in sources:
        name, found = title(source), _identity(sys.stdin if source == "-" else source)
        if found is None:
            continue
        if found == _identity(sys.stdout):
            raise FleetFileError(f"{name}: is both the input and standard output; write to another file", file=name)
        if output not in (None, "-") and found == _identity(output):
            raise FleetFileError(f"{output}: is also the input; give the output another name", file=output)


def _identity(source: str | TextIO | None) -> tuple[int, int] | None:
    """Return what identifies the regular file of this name, or behind this stream; None for anything else."""
    if source is None:
        return None
    try:
        found = os.stat(source if isinstance(source, str) else source.fileno())  # noqa: PTH116 - a stream has no path
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


@contextlib.contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Open standard output for bytes. Everything is written when the block ends, and errors name it."""
    if sys.stdout is None:
        raise _cannot_be_written(OSError(errno.EBADF, os.strerror(errno.EBADF)))
    with _opened(sys.stdout) as stream:
        yield stream


def write_data(text: str, *, aside: bool = False) -> None:
    """Write what a program reads. It goes to standard error if `aside`, because rows are on standard output."""
    _write(text.encode(), aside)


def write_json(text: str, *, aside: bool = False) -> None:
    """Write JSON, as `write_data` does. A terminal may show it, so it has no character that controls one."""
    write_data(safe_json(text), aside=aside)


def write_answer(answer: Answer, *, aside: bool = False) -> None:
    """Write an answer as JSON, as `write_json` does."""
    write_json(answer.model_dump_json(indent=2) + "\n", aside=aside)


def write_text(text: str, *, aside: bool = False) -> None:
    """Write what a person reads, as `write_data` does."""
    stream = sys.stderr if aside else sys.stdout
    _write(text.encode(getattr(stream, "encoding", None) or "utf-8", "backslashreplace"), aside)


def report(line: str) -> None:
    """Write one line to standard error."""
    write_text(f"{one_line(line)}\n", aside=True)


def _write(data: bytes, aside: bool) -> None:
    if not aside:
        with standard_output() as stream:
            stream.write(data)
    elif sys.stderr is not None:
        # There is nowhere to report that standard error cannot be written.
        with contextlib.suppress(FleetFileError, OSError), _opened(sys.stderr) as stream:
            stream.write(data)


@contextlib.contextmanager
def _opened(stream: TextIO) -> Iterator[BinaryIO]:
    """Open a standard stream for bytes, past its encoding and, with PYTHONUNBUFFERED, its partial writes."""
    stream.flush()
    try:
        number = stream.fileno()
    except OSError:
        # A program that runs a command collects its output.
        collected = io.BytesIO()
        yield getattr(stream, "buffer", collected)
        stream.write(collected.getvalue().decode())
        return
    with io.BufferedWriter(_Standard(number, "w", closefd=False)) as buffered:
        yield buffered


class _Standard(io.FileIO):
    """A standard stream. An error names it; a reader that went away is a BrokenPipeError."""

    def write(self, data: Any, /) -> int:
        """Write to the stream."""
        try:
            written = super().write(data)
            if written is None:
                # A program that shares the stream does not want to wait for it.
                os.set_blocking(self.fileno(), True)
                written = super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _cannot_be_written(error) from error
        return written


def _cannot_be_written(error: OSError) -> FleetFileError:
    return FleetFileError(f"standard output: cannot be written: {_reason(error)}", file="standard output")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def title(name: str) -> str:
    """Return what messages call an input: its name, or what `-` stands for."""
    return "standard input" if name == "-" else name
