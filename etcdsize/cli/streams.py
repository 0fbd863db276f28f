"""Standard input, standard output and files, as the commands use them."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from etcdsize.base.text import one_line
from etcdsize.errors import FleetFileError, TableError

__all__ = ["check_standard_output", "content", "of_file", "report", "standard_input", "write"]

T = TypeVar("T")


def content(name: str) -> bytes:
    """Return the content of a file, or of standard input for `-`."""
    if name == "-":
        return standard_input().read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise TableError(f"{name}: cannot be read: {error.strerror}", file=name) from error


def of_file(name: str, work: Callable[[], T]) -> T:
    """Return the result of `work`, which reads a file's content; add the file's name to its errors."""
    try:
        return work()
    except TableError as error:
        name = "standard input" if name == "-" else name
        raise TableError(f"{name}: {error}", file=name, row=error.row, field=error.field) from None


def standard_input() -> BinaryIO:
    """Return standard input, unless it is closed."""
    if sys.stdin is None:
        raise FleetFileError("standard input: cannot be read: it is closed", file="standard input")
    return sys.stdin.buffer


def check_standard_output(source: str) -> None:
    """Reject a standard output that is closed, or that is the input file, which the command would read forever."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(sys.stdout.fileno()), Path(source).stat()) and Path(source).is_file():
            raise FleetFileError(f"{source}: is both the input and standard output; write to another file", file=source)


def write(text: str) -> None:
    """Write to standard output."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    sys.stdout.write(text)


def report(line: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"{one_line(line)}\n")
