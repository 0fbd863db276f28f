"""Write a directory of files, each of which is complete before any of them appears."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from etcdsize.base.output_file import complete_file, part_of, report_write_errors, status_of
from etcdsize.base.unfinished import unfinished
from etcdsize.errors import FleetFileError

__all__ = ["write_folder"]


def write_folder(folder: Path, files: Mapping[str, bytes], *, force: bool) -> tuple[str, ...]:
    """Write files into a directory, and return the names of those that were written.

    A directory that does not exist appears with all its files at once. In one that exists, each file is replaced at
    once, after all of them are complete. A file that already has its content is left alone.

    Raises
    ------
    FleetFileError
        If a file exists with other content and `force` is false: the error says of each file whether it exists. If
        something cannot be written; what exists then stays, unless a file could not be renamed after others were.
    """
    with report_write_errors(folder):
        status = status_of(folder)
        target = Path(os.path.realpath(folder))
        if status is None:
            parent = status_of(target.parent)
            if parent is None or not stat.S_ISDIR(parent.st_mode):
                raise FleetFileError(
                    f"{folder}: there is no directory {folder.parent}; create it first", file=str(folder)
                )
        elif not stat.S_ISDIR(status.st_mode):
            raise FleetFileError(f"{folder}: is not a directory, expected the name of one", file=str(folder))
    if status is None:
        _write_new(folder, target, files)
        return tuple(files)
    return _write_into(folder, files, force=force)


def _write_new(folder: Path, target: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a new directory, and give it its name when they are complete."""
    part = part_of(target)
    with report_write_errors(folder), unfinished(str(part)):
        part.mkdir()
        for name, content in files.items():
            with complete_file(part / name, target / name, folder / name) as stream:
                stream.write(content)
        part.rename(target)


def _write_into(folder: Path, files: Mapping[str, bytes], *, force: bool) -> tuple[str, ...]:
    """Write the files into a directory that exists."""
    found = {name: _has_content(folder / name, content) for name, content in files.items()}
    if not force and False in found.values():
        raise _would_replace(folder, found)
    wanted = tuple(name for name, same in found.items() if not same)
    with contextlib.ExitStack() as stack:
        complete = []
        for name in wanted:
            # Follow a symbolic link, so that its target is replaced and not the link itself.
            target = Path(os.path.realpath(folder / name))
            part = part_of(target)
            stack.enter_context(unfinished(str(part)))
            with complete_file(part, target, folder / name) as stream:
                stream.write(files[name])
            complete.append((name, part, target))
        for name, part, target in complete:
            with report_write_errors(folder / name):
                part.replace(target)
    return wanted


def _has_content(path: Path, content: bytes) -> bool | None:
    """Return whether a file has this content already, or None if there is no file."""
    with report_write_errors(path):
        status = status_of(path)
        if status is None:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise FleetFileError(f"{path}: is not a file; remove it or choose another directory", file=str(path))
        try:
            return status.st_size == len(content) and path.read_bytes() == content
        except PermissionError:
            # What cannot be read counts as different.
            return False


def _would_replace(folder: Path, found: Mapping[str, bool | None]) -> FleetFileError:
    """Return the error for files that exist with other content; it says of the others whether they exist."""
    other, same, missing = ([name for name in found if found[name] is state] for state in (False, True, None))
    rest = {"up to date": same, "missing": missing}
    details = "; ".join(f"{what}: {', '.join(names)}" for what, names in rest.items() if names)
    exist, them = ("exists", "it") if len(other) == 1 else ("exist", "them")
    return FleetFileError(
        f"{folder}: {', '.join(other)} already {exist} with other content{details and f' ({details})'}; "
        f"use --force to replace {them}",
        file=str(folder / other[0]),
    )
