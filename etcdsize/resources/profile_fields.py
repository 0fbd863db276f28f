"""The fields of `Profile`: what each of them means and accepts."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from etcdsize.base.text import shown
from etcdsize.errors import InvalidWorkloadError, WorkloadTypeError
from etcdsize.resources.amount import Amount
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.object_kind import AMOUNT_SCHEMA, ObjectKind, reads
from etcdsize.workload import Workload

__all__ = ["ProfileFields"]


def _true_or_false(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise WorkloadTypeError(f"tls: got {shown(value)}, expected true or false", dimension="tls", value=value)


def _kinds(value: Any) -> tuple[ObjectKind, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise WorkloadTypeError(
            f"objects: got {shown(value)}, expected a list of kinds", dimension="objects", value=value
        )
    kinds: list[ObjectKind] = []
    for row, item in enumerate(value, 1):
        if not isinstance(item, (ObjectKind, Mapping)):
            raise WorkloadTypeError(
                f"objects, row {row}: got {shown(item)}, expected a kind with name, count and value_bytes",
                dimension="objects",
                value=item,
            )
        try:
            kinds.append(
                item if isinstance(item, ObjectKind) else ObjectKind(**{str(name): item[name] for name in item})
            )
        except InvalidWorkloadError as error:
            raise type(error)(
                f"objects, row {row}: {error.message.removeprefix('ObjectKind: ')}",
                dimension=f"objects.{error.dimension or ''}".rstrip("."),
                value=error.value,
            ) from None
    return tuple(kinds)


class ProfileFields(Workload):
    """What may be known of a load; `Profile` checks that it fits together."""

    keys: Annotated[
        Amount | None,
        reads("keys"),
        AMOUNT_SCHEMA,
        Field(description="Keys that exist at the same time. [count]"),
    ] = None
    key_bytes: Annotated[
        Amount | None,
        reads("key_bytes"),
        AMOUNT_SCHEMA,
        Field(description="The average key, also of `objects` without one of their own. [bytes]"),
    ] = None
    value_bytes: Annotated[
        Amount | None, reads("value_bytes"), AMOUNT_SCHEMA, Field(description="The average value. [bytes]")
    ] = None
    largest_value_bytes: Annotated[
        Amount | None,
        reads("largest_value_bytes"),
        AMOUNT_SCHEMA,
        Field(description="The largest value of any key. [bytes]"),
    ] = None
    writes_per_second: Annotated[
        Amount | None,
        reads("writes_per_second"),
        AMOUNT_SCHEMA,
        Field(description="Write requests: puts, deletes, and transactions that write, each counted once. [1/s]"),
    ] = None
    reads_per_second: Annotated[
        Amount | None,
        reads("reads_per_second"),
        AMOUNT_SCHEMA,
        Field(description="Read requests: a key, a range or a transaction that only reads. [1/s]"),
    ] = None
    puts_per_transaction: Annotated[
        Amount | None,
        reads("puts_per_transaction", least=0.001),
        AMOUNT_SCHEMA,
        Field(description="Keys that a write request changes, on average; 1 without transactions. [count]"),
    ] = None
    puts_per_commit: Annotated[
        Amount | None,
        reads("puts_per_commit", least=1),
        AMOUNT_SCHEMA,
        Field(
            description="Puts that reached etcd's file in one commit when the data was written, on average. etcd "
            "commits ten times a second: up to ten puts a second give 1, and a bulk load gives up to 10,000. [count]"
        ),
    ] = None
    revisions_per_key: Annotated[
        Amount | None,
        reads("revisions_per_key", least=1),
        AMOUNT_SCHEMA,
        Field(description="Revisions of a key between two compactions, the current one included. [count]"),
    ] = None
    history_seconds: Annotated[
        Amount | None,
        reads("history_seconds"),
        AMOUNT_SCHEMA,
        Field(description="How long etcd keeps a revision that has been replaced, until it compacts it. [s]"),
    ] = None
    list_keys: Annotated[
        Amount | None,
        reads("list_keys"),
        AMOUNT_SCHEMA,
        Field(description="Keys in one answer to a list. [count]"),
    ] = None
    concurrent_lists: Annotated[
        Amount | None,
        reads("concurrent_lists"),
        AMOUNT_SCHEMA,
        Field(description="Lists that a member answers at the same time. [count]"),
    ] = None
    watchers: Annotated[
        Amount | None,
        reads("watchers"),
        AMOUNT_SCHEMA,
        Field(description="Watches on a key or a range. [count]"),
    ] = None
    watch_streams: Annotated[
        Amount | None,
        reads("watch_streams"),
        AMOUNT_SCHEMA,
        Field(description="gRPC streams that carry the watches. [count]"),
    ] = None
    watch_events_per_second: Annotated[
        Amount | None,
        reads("watch_events_per_second"),
        AMOUNT_SCHEMA,
        Field(description="Events that are delivered to watches, over all streams. [1/s]"),
    ] = None
    tls: Annotated[
        bool | None,
        PlainValidator(_true_or_false),
        WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
        Field(description="Whether clients connect with TLS."),
    ] = None
    leases: Annotated[
        Amount | None,
        reads("leases"),
        AMOUNT_SCHEMA,
        Field(description="Leases that exist at the same time. [count]"),
    ] = None
    lease_ttl_seconds: Annotated[
        Amount | None,
        reads("lease_ttl_seconds", least=1),
        AMOUNT_SCHEMA,
        Field(description="The time to live of a lease. [s]"),
    ] = None
    keys_per_lease: Annotated[
        Amount | None,
        reads("keys_per_lease"),
        AMOUNT_SCHEMA,
        Field(description="Keys that are attached to a lease, on average. [count]"),
    ] = None
    lease_revokes_per_second: Annotated[
        Amount | None,
        reads("lease_revokes_per_second"),
        AMOUNT_SCHEMA,
        Field(description="Leases that expire or are revoked. [1/s]"),
    ] = None
    objects: Annotated[
        tuple[ObjectKind, ...],
        BeforeValidator(_kinds),
        Field(description="The keys by kind, instead of `keys` and `value_bytes`."),
    ] = ()
    assumptions: Annotated[
        tuple[Assumption, ...],
        Field(description="Fields that are assumed rather than known, such as those that a preset fills in."),
    ] = ()

    @property
    def writes(self) -> Amount | None:
        """Write requests: as given, or else what follows from the writes of all kinds of `objects`. [1/s]"""
        puts = self.puts_per_transaction
        kinds = [kind.writes_per_second for kind in self.objects if kind.writes_per_second is not None]
        if self.writes_per_second is not None or not kinds or len(kinds) < len(self.objects) or puts is None:
            return self.writes_per_second
        return Amount(
            low=math.fsum(writes.low for writes in kinds) / puts.high,
            likely=math.fsum(writes.likely for writes in kinds) / puts.likely,
            high=math.fsum(writes.high for writes in kinds) / puts.low,
        )

    @property
    def pairs(self) -> list[tuple[Amount | None, Amount | None, Amount | None]]:
        """The count, the key's and the value's size of every kind; of all keys, if there are no kinds."""
        if not self.objects:
            return [(self.keys, self.key_bytes, self.value_bytes)]
        return [(kind.count, kind.key_bytes or self.key_bytes, kind.value_bytes) for kind in self.objects]
