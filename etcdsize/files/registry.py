"""Find the file formats: every module of `files/formats/` lists its own."""

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


def find_format(path: Path, option: str | None, *, default: Format | None = None) -> Format:
    """Return the requested format, or the one that the ending of a file's name stands for, or the default.

    Raises
    ------
    FleetFileError
        If the format is not given, the name does not tell it, and there is no default.
    """
    known = formats()
    if option is not None:
        return known[one_of("format", option, known)]
    ending = path.suffix.lower()
    for candidate in known.values():
        if ending in candidate.endings:
            return candidate
    if default is not None:
        return default
    name = "standard input or output" if str(path) == "-" else str(path)
    raise FleetFileError(
        f"{name}: the name does not say the format; give the format, one of {', '.join(known)}", file=str(path)
    )
