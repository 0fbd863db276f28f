"""Write an output file that appears under its name only when it is complete."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from etcdsize.errors import FleetFileError

__all__ = ["check_output", "open_output", "report_write_errors"]


def check_output(path: Path, source: Path | None, *, force: bool) -> None:
    """Reject an output that would overwrite something or cannot be created.

    Raises
    ------
    FleetFileError
        If the path is a directory or the input itself, if its directory does not exist, or if the file exists and
        `force` is false.
    """
    if path.is_dir():
        raise FleetFileError(f"{path}: is a directory, expected the name of a file", file=str(path))
    if not path.parent.is_dir():
        raise FleetFileError(f"{path}: there is no directory {path.parent}; create it first", file=str(path))
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise FleetFileError(f"{path}: is also the input; give the output another name", file=str(path))
    if path.is_file() and not force:
        raise FleetFileError(f"{path}: already exists; use --force to replace it", file=str(path))


@contextlib.contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """Open an output for writing, and put it in place when the block ends without an error.

    The output is written to a temporary file in the same directory, flushed to disk and renamed. A full disk or a
    killed process therefore leaves an existing file unchanged. A device or a pipe is written directly.
    """
    # Follow a symbolic link, so that its target is replaced and not the link itself.
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with target.open("wb") as stream:
            yield stream
        return
    # Shortened, because the name may already be as long as the file system allows.
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
def report_write_errors(path: Path) -> Iterator[None]:
    """Add the file's name to an OSError, such as that of a full disk, which does not name it."""
    try:
        yield
    except OSError as error:
        raise FleetFileError(f"{path}: cannot be written: {error.strerror or error}", file=str(path)) from error


def _umask() -> int:
    """Return the umask of the process, which can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
