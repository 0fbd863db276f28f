"""A progress bar on standard error."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from etcdsize.base.text import one_line

__all__ = ["progress_bar"]


@contextlib.contextmanager
def progress_bar(total: int | None, unit: str, name: str) -> Iterator[Callable[[int], object] | None]:
    """Show a bar, and yield a function to call with the work done by every batch, or None if no bar can be shown.

    A bar needs a terminal on standard error, and tqdm.
    """
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield None
        return
    # With the delay, short runs show no bar.
    with tqdm(
        total=total, unit=unit, unit_scale=True, desc=one_line(name), file=sys.stderr, leave=False, delay=0.5
    ) as bar:
        yield bar.update
