"""The outputs that are still being written, under temporary names.

A process that is stopped by a signal ends at once: it removes these and runs nothing else.
"""

from __future__ import annotations

import contextlib
import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["remove_unfinished", "unfinished"]

_paths: set[str] = set()


@contextlib.contextmanager
def unfinished(path: str) -> Iterator[None]:
    """Remove a file or a directory unless the block, which creates and renames it, ends without an error."""
    # It is recorded before it exists, so that there is no moment at which it could be left behind.
    _paths.add(path)
    try:
        yield
    except BaseException:
        _remove(path)
        raise
    finally:
        _paths.discard(path)


def remove_unfinished() -> None:
    """Remove everything that is still being written."""
    for path in tuple(_paths):
        _remove(path)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        if os.path.isdir(path):  # noqa: PTH112 - pathlib takes 10 ms to load
            import shutil

            shutil.rmtree(path)
        else:
            os.unlink(path)  # noqa: PTH108
