"""Loads that the tests write to a real etcd, each exactly as its profile says."""

from __future__ import annotations

import random
from dataclasses import dataclass

from aetcd.rpc import rpc_pb2
from etcds import QUICK

from benchmarks.resources.member import Member
from etcdsize import Profile
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import key_of

_COMMITS_PER_SECOND = 10
_UNDER_WAY = 32


@dataclass(frozen=True)
class RealLoad:
    """Keys that are written once, and updates of keys chosen at random."""

    name: str
    keys: int
    value_bytes: int
    key_bytes: int = 40
    puts: int = 1
    """Puts in each transaction; one is a request of its own."""
    per_commit: int = 10
    """Puts in each commit of the database file."""
    updates: int = 0
    kept: int = 0
    """The updates between two compactions. Each compacts to the revision of the compaction before, as etcd does."""
    lists: int = 0
    """Clients that list all keys, again and again."""

    @property
    def data_bytes(self) -> int:
        return self.keys * (self.key_bytes + self.value_bytes)

    @property
    def profile(self) -> Profile:
        writes = _COMMITS_PER_SECOND * self.per_commit / self.puts if self.updates else 0
        return Profile(
            clients=1 + self.lists,
            keys=self.keys,
            key_bytes=self.key_bytes,
            value_bytes=self.value_bytes,
            largest_value_bytes=self.value_bytes,
            writes_per_second=writes,
            reads_per_second=0,
            puts_per_transaction=self.puts,
            puts_per_commit=self.per_commit,
            history_seconds=2 * self.kept / (writes * self.puts) if self.updates else 0,
            list_keys=self.keys if self.lists else 0,
            concurrent_lists=self.lists,
            watchers=0,
            watch_streams=0,
            watch_events_per_second=0,
            leases=0,
            tls=False,
        )

    @property
    def flags(self) -> list[str]:
        """The flags with which etcd commits as densely as the profile says, however fast the machine is."""
        flags = {"backend-batch-limit": self.per_commit, "backend-batch-interval": "10s", **QUICK}
        return [f"--{flag}={value}" for flag, value in flags.items()]

    def write(self, member: Member) -> None:
        """Write everything; a refusal of etcd is raised."""
        self.fill(member)
        self.update(member)

    def fill(self, member: Member) -> None:
        """Write each key once."""
        self._put(member, [range(first, first + self.puts) for first in range(0, self.keys, self.puts)])

    def update(self, member: Member) -> None:
        """Write keys again, and compact as often as the profile says."""
        order, compacted = random.Random(7), member.revision()
        for _ in range(0, self.updates, self.kept or 1):
            chosen = [order.sample(range(self.keys), self.puts) for _ in range(self.kept // self.puts)]
            self._put(member, chosen)
            member.compact(compacted)
            compacted = member.revision()

    def _put(self, member: Member, requests: list[range] | list[list[int]]) -> None:
        value = bytes(self.value_bytes)

        def send(number: int):
            puts = [rpc_pb2.PutRequest(key=key_of(key, self.key_bytes), value=value) for key in requests[number]]
            if self.puts == 1:
                return member.kv.Put.future(puts[0])
            return member.kv.Txn.future(
                rpc_pb2.TxnRequest(success=[rpc_pb2.RequestOp(request_put=each) for each in puts])
            )

        keep_under_way(send, _UNDER_WAY, requests=len(requests))


def stored_keys(member: Member) -> int:
    """Return how many keys a member holds."""
    return int(member.kv.Range(rpc_pb2.RangeRequest(key=b"/", range_end=b"0", count_only=True)).count)
