"""What is sent to a member: keys of a given length, single puts, transactions of many, puts of many clients at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from aetcd.rpc import rpc_pb2

from etcdsize.calibration.member import Member

__all__ = ["committed", "key_of", "put", "put_at_once", "put_in_transactions"]

Value = bytes | Callable[[int], bytes]


def key_of(number: int, length: int) -> bytes:
    """Return a key of so many bytes; keys are ordered as their numbers are."""
    if length < 13:
        return b"%0*d" % (length, number)
    return (b"/r/%09d/" % number).ljust(length, b"x")


def put(member: Member, key: bytes, value: bytes, lease: int = 0) -> None:
    """Put one key, and wait for the answer."""
    member.kv.Put(rpc_pb2.PutRequest(key=key, value=value, lease=lease))


def put_in_transactions(
    member: Member, numbers: Iterable[int], key_bytes: int, value: Value, puts: int, lease: int = 0
) -> None:
    """Put keys by their numbers, so many in each transaction."""
    for batch in _batches(numbers, puts):
        operations = [
            rpc_pb2.RequestOp(
                request_put=rpc_pb2.PutRequest(key=key_of(number, key_bytes), value=_value(value, number), lease=lease)
            )
            for number in batch
        ]
        member.kv.Txn(rpc_pb2.TxnRequest(success=operations))


def put_at_once(member: Member, numbers: Iterable[int], key_bytes: int, value: Value, concurrent: int) -> None:
    """Put keys by their numbers in single requests, so many of them in flight."""
    for batch in _batches(numbers, concurrent):
        answers = [
            member.kv.Put.future(rpc_pb2.PutRequest(key=key_of(number, key_bytes), value=_value(value, number)))
            for number in batch
        ]
        for answer in answers:
            answer.result()


def committed(member: Member) -> dict[str, float]:
    """Return the metrics after two commits: the first one frees what the last transaction replaced."""
    for _ in range(2):
        put(member, b"!", b"")
        time.sleep(0.15)
    return member.metrics()


def _value(value: Value, number: int) -> bytes:
    return value if isinstance(value, bytes) else value(number)


def _batches(numbers: Iterable[int], size: int) -> Iterator[Sequence[int]]:
    batch: list[int] = []
    for number in numbers:
        batch.append(number)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
