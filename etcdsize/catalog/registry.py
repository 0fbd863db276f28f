"""The readers of providers' listings that there are: every module of `catalog/readers/`."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable
from importlib import import_module

from etcdsize.catalog import readers as folder
from etcdsize.catalog.listing import Imported

__all__ = ["listing_readers"]


@functools.cache
def listing_readers() -> dict[str, Callable[..., Imported]]:
    """Return every reader by the name that `catalog import --from` calls it."""
    modules = [import_module(f"{folder.__name__}.{found.name}") for found in pkgutil.iter_modules(folder.__path__)]
    return {module.NAME: module.read for module in modules}
