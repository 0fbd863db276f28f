"""Which versions of etcd there are, and which one is the default.

Every version is one file of `data/etcd` with its name, such as `3.6.json`. The command line's help lists them
without reading a file.
"""

from __future__ import annotations

import functools
from pathlib import Path

__all__ = ["DEFAULT_VERSION", "FOLDER", "version_files", "version_names", "version_order"]

DEFAULT_VERSION = "3.6"
"""The version for which settings and plans are made if none is named."""

FOLDER = Path(__file__).parents[1] / "data" / "etcd"
"""The files of the versions, such as `3.6.json`."""


@functools.cache
def version_names() -> tuple[str, ...]:
    """Return the minor versions of etcd, oldest first."""
    return tuple(path.stem for path in version_files(FOLDER))


def version_files(folder: Path) -> list[Path]:
    """Return the files of versions in a folder, oldest version first."""
    return sorted(folder.glob("[0-9]*.json"), key=lambda path: version_order(path.stem))


def version_order(name: str) -> list[int]:
    """Return what orders minor versions by their age."""
    return [int(part) for part in name.split(".")]
