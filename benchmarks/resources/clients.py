"""Clients that wait for each answer: so many requests are under way at any time, none waits for the others' end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["keep_under_way"]


def keep_under_way(send: Callable[[int], Any], clients: int, *, requests: int = 1 << 40, seconds: float = 1e9) -> float:
    """Send requests by their numbers until there were so many, or the time is over; return how long they took. [s]

    `send` starts a request and returns gRPC's future of its answer.
    """
    free, failed = threading.Semaphore(clients), []

    def done(answer: Any) -> None:
        if answer.exception() is not None:
            failed.append(answer.exception())
        free.release()

    began = time.monotonic()
    for number in range(requests):
        free.acquire()
        if failed or time.monotonic() - began > seconds:
            free.release()
            break
        send(number).add_done_callback(done)
    for _ in range(clients):
        free.acquire()
    if failed:
        raise failed[0]
    return time.monotonic() - began
