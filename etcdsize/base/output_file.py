"""An output file that appears under its name only when it is complete.

This module imports the standard library and `errors` only.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from etcdsize.errors import FleetFileError

__all__ = ["check_output", "naming", "open_output"]


def check_output(path: Path, source: Path | None, *, force: bool) -> None:
    """Refuse an output that would destroy something.

    Raises
    ------
    FleetFileError
        For a directory, the input itself, a folder that is not there, or an existing file without `force`.
    """
    if path.is_dir():
        raise FleetFileError(f"{path}: is a directory, expected the name of a file", file=str(path))
    if not path.parent.is_dir():
        raise FleetFileError(f"{path}: there is no directory {path.parent}", file=str(path))
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise FleetFileError(f"{path}: is the input as well; give the output another name", file=str(path))
    if path.is_file() and not force:
        raise FleetFileError(f"{path}: exists already; --force replaces it", file=str(path))


@contextlib.contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to; it takes its name when the block ends without an error.

    What is written goes to a temporary file beside it, which is flushed to the disk and renamed, so a full disk or
    a killed run leaves an old file as it was. A device or a pipe is written to directly, never replaced.
    """
    # A link keeps pointing at its file: the file is what is replaced.
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with target.open("wb") as stream:
            yield stream
        return
    # Cut, as a name that may just be as long as it is leaves no room.
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with open(handle, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.chmod(stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say of what file it is that it cannot be written: a full disk does not."""
    try:
        yield
    except OSError as error:
        raise FleetFileError(f"{path}: cannot be written: {error.strerror or error}", file=str(path)) from error


def _umask() -> int:
    """Return the process's mask; there is no way to read it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
