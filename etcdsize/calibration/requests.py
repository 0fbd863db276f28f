"""The processor time that requests take on the member that serves them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from aetcd.rpc import rpc_pb2

from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import key_of
from etcdsize.calibration.member import Member, channel

__all__ = ["ProcessorTime", "get_keys", "list_keys", "processor_time"]

_MICROSECONDS = 1e6


class ProcessorTime(NamedTuple):
    """The processor time of one of many, and how busy it kept the processor."""

    microseconds: float
    busy: float


def processor_time(member: Member, work: Callable[[], object], count: float) -> ProcessorTime:
    """Return the processor time of a piece of work, over how much it was."""
    began, cpu = time.monotonic(), member.cpu_seconds()
    work()
    busy, seconds = member.cpu_seconds() - cpu, time.monotonic() - began
    return ProcessorTime(_MICROSECONDS * busy / count, busy / seconds)


def get_keys(member: Member, keys: int, clients: int, requests: int = 5_000) -> ProcessorTime:
    """Return what a linearizable read of one key takes, of clients that read at once."""

    def work() -> None:
        keep_under_way(
            lambda number: member.kv.Range.future(rpc_pb2.RangeRequest(key=key_of(number * 7 % keys, 64))),
            clients,
            requests=requests,
        )

    return processor_time(member, work, requests)


def list_keys(member: Member, *, count_only: bool = False, times: int = 30) -> ProcessorTime:
    """Return what a list of everything takes, for each key."""
    everything = rpc_pb2.RangeRequest(key=b"\0", range_end=b"\0", count_only=count_only)
    keys = member.kv.Range(rpc_pb2.RangeRequest(key=b"\0", range_end=b"\0", count_only=True)).count
    # The answer stays bytes: to decode it takes longer than etcd does.
    with channel(member.port, own=True) as own:
        ask = own.unary_unary("/etcdserverpb.KV/Range", rpc_pb2.RangeRequest.SerializeToString, bytes)
        return processor_time(member, lambda: [ask(everything) for _ in range(times)], times * keys)
