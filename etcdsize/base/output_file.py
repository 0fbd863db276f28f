"""Write an output file that appears under its name only when it is complete."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from etcdsize.base.unfinished import unfinished
from etcdsize.errors import FleetFileError

__all__ = [
    "check_output",
    "complete_file",
    "is_standard_output",
    "is_stream",
    "open_output",
    "open_temporary",
    "part_of",
    "report_write_errors",
    "status_of",
]

# The most symbolic links that Linux follows in one path.
_MOST_LINKS = 40


def check_output(path: Path, source: Path | None, *, force: bool) -> None:
    """Reject an output that would overwrite something or cannot be created.

    Raises
    ------
    FleetFileError
        If the path is a directory or the input itself, if its directory does not exist, or if the file exists and
        `force` is false.
    """
    with report_write_errors(path):
        status = status_of(path)
        if status is None:
            folder = status_of(path.parent)
            if folder is None or not stat.S_ISDIR(folder.st_mode):
                raise FleetFileError(f"{path}: there is no directory {path.parent}; create it first", file=str(path))
            return
        if stat.S_ISDIR(status.st_mode):
            raise FleetFileError(f"{path}: is a directory, expected the name of a file", file=str(path))
        if source is not None and _is_file(status, source):
            raise FleetFileError(f"{path}: is also the input; give the output another name", file=str(path))
        if not force and not is_stream(path):
            raise FleetFileError(f"{path}: already exists; use --force to replace it", file=str(path))


@contextlib.contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """Open an output for writing, and put it in place when the block ends without an error.

    The output is written to a temporary file in the same directory, flushed to disk and renamed. A full disk or a
    killed process therefore leaves an existing file unchanged. A stream is written directly.
    """
    if is_stream(path):
        with report_write_errors(path):
            # Opening the path of a descriptor would truncate a file to which the shell appends.
            known = _descriptor_of(path)
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC) if known is None else os.dup(known)
        with io.BufferedWriter(_File(descriptor, path)) as stream:
            yield stream
        return
    # Follow a symbolic link, so that its target is replaced and not the link itself.
    target = Path(os.path.realpath(path))
    part = part_of(target)
    with unfinished(str(part)):
        with complete_file(part, target, path) as stream:
            yield stream
        with report_write_errors(path):
            part.replace(target)


@contextlib.contextmanager
def open_temporary() -> Iterator[BinaryIO]:
    """Open a file without a name, for reading and writing, in the directory for temporary files.

    Raises
    ------
    FleetFileError
        If there is no such directory; and later, when it is full.
    """
    try:
        folder = Path(tempfile.gettempdir())
    except OSError as error:
        raise FleetFileError(f"{error.strerror}; set TMPDIR to a directory that can be written") from error
    with report_write_errors(folder), tempfile.TemporaryFile(buffering=0, dir=folder) as file:
        descriptor = os.dup(file.fileno())
    with io.BufferedRandom(_File(descriptor, folder, "r+b")) as stream:
        yield stream


@contextlib.contextmanager
def report_write_errors(path: Path) -> Iterator[None]:
    """Add the file's name to an OSError, such as that of a full disk, which does not name it.

    A pipe whose reader went away is no error of the output: commands end quietly then.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FleetFileError(f"{path}: cannot be written: {error.strerror or error}", file=str(path)) from error


def is_standard_output(name: str | None) -> bool:
    """Return whether the name of an output stands for standard output: `-`, `/dev/stdout` or `/dev/fd/1`."""
    return name is not None and (name == "-" or _descriptor_of(Path(name)) == 1)


def is_stream(path: Path) -> bool:
    """Return whether an output is a pipe, a device or an open descriptor, which is written as it comes."""
    with report_write_errors(path):
        status = status_of(path)
    if status is None or stat.S_ISREG(status.st_mode):
        return _descriptor_of(path) is not None
    return not stat.S_ISDIR(status.st_mode)


def status_of(path: Path) -> os.stat_result | None:
    """Return the status of a file, or None if there is none."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        # A path with a null character or with half of a surrogate pair.
        raise OSError(errno.EINVAL, str(error)) from error


def part_of(target: Path) -> Path:
    """Return a hidden name beside a target, for a file or a directory that is not complete yet."""
    # Shortened, because the name may already be as long as the file system allows.
    return target.parent / f".{target.name[:40]}.{os.urandom(8).hex()}.part"


@contextlib.contextmanager
def complete_file(part: Path, target: Path, path: Path) -> Iterator[BinaryIO]:
    """Create a file; when the block ends, flush it to disk with the attributes of the target that it will replace.

    Errors name `path`.
    """
    with report_write_errors(path):
        old = status_of(target)
        # What replaces a private file is never open to others.
        mode = 0o666 if old is None else 0o600
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with io.BufferedWriter(_File(descriptor, path)) as stream:
        yield stream
        stream.flush()
        with report_write_errors(path):
            if old is not None:
                _keep_attributes(descriptor, target, old)
            os.fsync(descriptor)


class _File(io.FileIO):
    """A file that is written. Its errors name the path by which the user knows it."""

    def __init__(self, descriptor: int, path: Path, mode: str = "wb") -> None:
        super().__init__(descriptor, mode)
        self._path = path

    def write(self, data: Any, /) -> int:
        """Write to the file."""
        with report_write_errors(self._path):
            return super().write(data)


def _keep_attributes(descriptor: int, target: Path, old: os.stat_result) -> None:
    """Give a new file the owner, group, mode and extended attributes, ACL included, of the one that it replaces.

    Only root can give a file to another user. Otherwise it belongs to whoever runs the command; if the group cannot be
    kept either, the new file gives no one more access than the old one.
    """
    mode = stat.S_IMODE(old.st_mode)
    for owner in (old.st_uid, -1):
        try:
            os.fchown(descriptor, owner, old.st_gid)
            break
        except OSError:
            mode &= 0o777
    else:
        both = mode & (mode >> 3) & 0o007
        os.fchmod(descriptor, mode & 0o700 | both << 3 | both)
        return
    os.fchmod(descriptor, mode)
    if sys.platform != "linux":
        return
    # Not every file system has extended attributes, and only root may set some of them.
    with contextlib.suppress(OSError):
        kept = set(os.listxattr(target))
        for name in kept.union(os.listxattr(descriptor)):
            with contextlib.suppress(OSError):
                if name in kept:
                    os.setxattr(descriptor, name, os.getxattr(target, name))
                else:
                    # The directory gave it to the new file.
                    os.removexattr(descriptor, name)


def _is_file(status: os.stat_result, other: Path) -> bool:
    """Return whether a status is that of another path."""
    try:
        return os.path.samestat(status, other.stat())
    except (OSError, ValueError):
        return False


def _descriptor_of(path: Path) -> int | None:
    """Return the open descriptor that a path such as `/dev/stdout` or `/dev/fd/63` stands for, or None."""
    folders = ("/dev/fd", f"/proc/{os.getpid()}/fd")
    with contextlib.suppress(OSError, ValueError):
        for _ in range(_MOST_LINKS):
            folder = os.path.realpath(path.parent)
            if folder in folders and path.name.isdecimal():
                return int(path.name)
            path = Path(folder, path.readlink())
    return None
