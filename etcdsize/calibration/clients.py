"""Clients of two kinds: those that wait for each answer, so many at any time, and those that come at a steady rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["keep_evenly", "keep_under_way"]


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


def keep_evenly(send: Callable[[int], Any], per_second: float, seconds: float) -> float:
    """Send requests by their numbers at equal distances, whether or not others are answered; return the time. [s]"""
    began = time.monotonic()
    answers = []
    for number in range(int(per_second * seconds)):
        time.sleep(max(0.0, began + number / per_second - time.monotonic()))
        answers.append(send(number))
    for answer in answers:
        answer.result()
    return time.monotonic() - began
