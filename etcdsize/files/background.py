"""Read and write in threads while the rows in between are sized."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from etcdsize.files.format import Rows

__all__ = ["in_background", "read_ahead"]


def read_ahead(batches: Generator[Rows]) -> Generator[Rows]:
    """Yield batches while a thread reads the next one."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (rows := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield rows


@contextlib.contextmanager
def in_background(write: Callable[..., None]) -> Iterator[Callable[..., None]]:
    """Yield a function that writes in a thread. An error is raised by the next call, or at the end."""
    with ThreadPoolExecutor(1) as writer:
        last: Future[None] | None = None

        def write_later(*batch: object) -> None:
            nonlocal last
            if last is not None:
                last.result()
            last = writer.submit(write, *batch)

        yield write_later
        if last is not None:
            last.result()
