"""The most anonymous memory that a member takes while something is done to it."""

from __future__ import annotations

import threading
from types import TracebackType

from benchmarks.resources.member import Member

__all__ = ["Sampled"]


class Sampled:
    """Read the anonymous memory of a member every 20 ms in the body of a `with` statement; `most` is the largest."""

    def __init__(self, member: Member, every_seconds: float = 0.02) -> None:
        self.most = self.first = member.memory()["RssAnon"]
        self._member, self._every = member, every_seconds
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while not self._done.wait(self._every):
            self.most = max(self.most, self._member.memory()["RssAnon"])

    def __enter__(self) -> Sampled:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
