"""The file formats that there are: every module of `files/formats/`."""

from __future__ import annotations

import functools
import pkgutil
from importlib import import_module
from pathlib import Path

from etcdsize.base.checks import one_of
from etcdsize.errors import FleetFileError
from etcdsize.files import formats as folder
from etcdsize.files.format import Format

__all__ = ["find_format", "formats"]


@functools.cache
def formats() -> dict[str, Format]:
    """Return every format by its name."""
    modules = (import_module(f"{folder.__name__}.{found.name}") for found in pkgutil.iter_modules(folder.__path__))
    return {known.name: known for module in modules for known in module.FORMATS}


def find_format(path: Path, option: str | None) -> Format:
    """Return the format of a file: the one that was asked for, or the one that its name ends with.

    Raises
    ------
    FleetFileError
        Where neither says which format it is.
    """
    known = formats()
    if option is not None:
        return known[one_of("format", option, known)]
    ending = path.suffix.lower()
    for candidate in known.values():
        if ending in candidate.endings:
            return candidate
    name = "standard input or output" if str(path) == "-" else str(path)
    raise FleetFileError(
        f"{name}: the name does not say the format; give the format, one of {', '.join(known)}", file=str(path)
    )
