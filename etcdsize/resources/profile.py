"""`Profile`, a workload with everything else that is known of it: what the cluster holds and does."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from etcdsize.base.text import nearest, shown
from etcdsize.errors import EtcdSizeError, InvalidWorkloadError, OptionError, WorkloadTypeError
from etcdsize.resources.amount import Amount, AmountInput
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.contradictions import reject_contradictions
from etcdsize.resources.object_kind import AMOUNT_SCHEMA, ObjectKind, reads
from etcdsize.workload import Certainty, Workload

__all__ = ["Profile", "known_field"]


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


class Profile(Workload):
    """A workload with what else is known of it. Every field is optional; None is unknown; at least one must be known.

    An amount is a number, text with the units of its field, or a range of two or three of them: `2000`, `"2k"`,
    `"1kB..3kB"`, `(200, 900)`. The three dimensions of `Workload` stay single numbers, each with its bound.

    Raises
    ------
    InvalidWorkloadError
        For numbers that are negative, NaN or infinite, unreadable text, fields that contradict each other, nothing
        known, or an unknown field.
    WorkloadTypeError
        For booleans and other values that are no amounts.

    Examples
    --------
    >>> profile = Profile(keys="200000..300000", key_bytes=50, value_bytes="1kB", writes_per_second=40)
    >>> profile.loads, profile.certainties[1:]
    ((None, 40.0, 315000000.0), ('lower', 'upper'))
    """

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
        reads("puts_per_transaction", positive=True),
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

    if TYPE_CHECKING:
        # Type checkers know the fields only as they are read.
        def __init__(
            self,
            *,
            clients: float | None = None,
            requests_per_second: float | str | None = None,
            data_bytes: float | str | None = None,
            clients_bound: Certainty = "exact",
            requests_bound: Certainty = "exact",
            data_bound: Certainty = "exact",
            keys: AmountInput | None = None,
            key_bytes: AmountInput | None = None,
            value_bytes: AmountInput | None = None,
            largest_value_bytes: AmountInput | None = None,
            writes_per_second: AmountInput | None = None,
            reads_per_second: AmountInput | None = None,
            puts_per_transaction: AmountInput | None = None,
            puts_per_commit: AmountInput | None = None,
            revisions_per_key: AmountInput | None = None,
            history_seconds: AmountInput | None = None,
            list_keys: AmountInput | None = None,
            concurrent_lists: AmountInput | None = None,
            watchers: AmountInput | None = None,
            watch_streams: AmountInput | None = None,
            watch_events_per_second: AmountInput | None = None,
            tls: bool | None = None,
            leases: AmountInput | None = None,
            lease_ttl_seconds: AmountInput | None = None,
            keys_per_lease: AmountInput | None = None,
            lease_revokes_per_second: AmountInput | None = None,
            objects: Sequence[ObjectKind | Mapping[str, Any]] = (),
            assumptions: Sequence[Assumption] = (),
        ) -> None: ...

    error_type: ClassVar[type[EtcdSizeError]] = InvalidWorkloadError

    @model_validator(mode="after")
    def _check(self) -> "Profile":
        # Only the fields that were given are looked at: a profile has more than thirty.
        if not any(getattr(self, field) not in (None, ()) for field in self.model_fields_set - _NO_LOAD):
            raise InvalidWorkloadError("nothing known of the load, expected at least one field of Profile")
        for assumption in self.assumptions:
            known_field(assumption.field, self)
        reject_contradictions(self)
        return self

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [(name, value) for name, value in super().__repr_args__() if value is not None and value != ()]

    @property
    def writes(self) -> Amount | None:
        """Write requests: as given, or else what follows from the writes of all kinds of `objects`. [1/s]"""
        puts = self.puts_per_transaction
        kinds = [kind.writes_per_second for kind in self.objects if kind.writes_per_second is not None]
        if self.writes_per_second is not None or not kinds or len(kinds) < len(self.objects) or puts is None:
            return self.writes_per_second
        return Amount(
            low=sum(writes.low for writes in kinds) / puts.high,
            likely=sum(writes.likely for writes in kinds) / puts.likely,
            high=sum(writes.high for writes in kinds) / puts.low,
        )

    @property
    def pairs(self) -> list[tuple[Amount | None, Amount | None, Amount | None]]:
        """The count, the key's and the value's size of every kind; of all keys, if there are no kinds."""
        if not self.objects:
            return [(self.keys, self.key_bytes, self.value_bytes)]
        return [(kind.count, kind.key_bytes or self.key_bytes, kind.value_bytes) for kind in self.objects]

    @property
    def loads(self) -> tuple[int | float | None, int | float | None, int | float | None]:
        """The three dimensions: as given, or else what follows from the other fields, at its high end."""
        return self.clients, self._requests[0], self._data[0]

    @property
    def certainties(self) -> tuple[Certainty, Certainty, Certainty]:
        """How exact each of the three is: what follows from a range is an upper bound, from a part a lower one."""
        return self.clients_bound, self._requests[1], self._data[1]

    @property
    def _requests(self) -> tuple[int | float | None, Certainty]:
        if self.requests_per_second is not None:
            return self.requests_per_second, self.requests_bound
        parts = [part for part in (self.reads_per_second, self.writes) if part is not None]
        return _total([part.high for part in parts], [part.is_exact for part in parts], is_whole=len(parts) == 2)

    @property
    def _data(self) -> tuple[int | float | None, Certainty]:
        if self.data_bytes is not None:
            return self.data_bytes, self.data_bound
        known = [(count, key, value) for count, key, value in self.pairs if count is not None and value is not None]
        return _total(
            [count.high * (value.high + (key.high if key else 0)) for count, key, value in known],
            [count.is_exact and value.is_exact and (key is None or key.is_exact) for count, key, value in known],
            is_whole=all(key is not None for _, key, _ in known),
        )


def _total(parts: list[float], are_exact: list[bool], *, is_whole: bool) -> tuple[float | None, Certainty]:
    """Return the sum of the parts that are known, and what it is to the true sum."""
    if not parts:
        return None, "exact"
    if all(are_exact):
        return sum(parts), "exact" if is_whole else "lower"
    return sum(parts), "upper" if is_whole else "estimate"


_NO_LOAD = {"clients_bound", "requests_bound", "data_bound", "assumptions"}


def known_field(name: str, profile: Profile) -> str:
    """Return the name of a figure of a profile: a field, or `objects.NAME.FIELD`."""
    if name in Profile.model_fields and name not in _NO_LOAD and name != "objects":
        return name
    figures = [
        f"objects.{kind.name}.{figure}"
        for kind in profile.objects
        for figure in ObjectKind.model_fields
        if figure != "name"
    ]
    if name in figures:
        return name
    fields = [field for field in Profile.model_fields if field not in _NO_LOAD and field != "objects"]
    hint = nearest(name, fields + figures)
    raise OptionError(
        f"assume: got {shown(name)}, expected a field of Profile or objects.NAME.FIELD{hint}",
        option="assume",
        value=name,
    )
