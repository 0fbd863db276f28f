"""How fast a disk writes a large file, and files that the page cache no longer holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["disk_mb_per_second", "forget", "timed"]

_MB = 1e6
_MEBIBYTES = 200


def timed(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes. [s]"""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def disk_mb_per_second(folder: Path) -> float:
    """Return how fast the disk of a folder writes a file of 200 MiB. [MB/s] The file is removed."""
    file, block = folder / "speed", os.urandom(1 << 20)

    def write() -> None:
        with file.open("wb") as out:
            for _ in range(_MEBIBYTES):
                out.write(block)
            out.flush()
            os.fdatasync(out.fileno())

    try:
        return _MEBIBYTES * len(block) / _MB / timed(write)
    finally:
        file.unlink(missing_ok=True)


def forget(folder: Path) -> None:
    """Let the page cache drop the files of a folder, so that the disk reads them again."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as stream:
                os.fdatasync(stream.fileno())
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
