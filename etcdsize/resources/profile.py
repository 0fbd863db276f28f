"""`Profile`, a workload with everything else that is known of it: what the cluster holds and does."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import model_validator

from etcdsize.base.text import nearest, shown
from etcdsize.errors import EtcdSizeError, InvalidWorkloadError, OptionError
from etcdsize.resources.amount import AmountInput
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.contradictions import reject_contradictions
from etcdsize.resources.object_kind import ObjectKind
from etcdsize.resources.profile_fields import ProfileFields
from etcdsize.units import DIMENSIONS
from etcdsize.workload import Certainty, Workload

__all__ = ["Profile", "known_field", "with_fields"]


class Profile(ProfileFields):
    """A workload with what else is known of it. Every field is optional; None is unknown; at least one must be known.

    An amount is a number, text with the units of its field, or a range of two or three of them: `2000`, `"2k"`,
    `"1kB..3kB"`, `(200, 900)`. The three dimensions of `Workload` stay single numbers, each with its bound.

    Parameters
    ----------
    clients, requests_per_second, data_bytes : int, float or str, optional
        As in `Workload`: [count], [1/s], [bytes].
    clients_bound, requests_bound, data_bound : str
        Whether each of them is exact, as in `Workload`.
    keys : amount, optional
        Keys that exist at the same time. [count]
    key_bytes, value_bytes, largest_value_bytes : amount, optional
        The average key and value, and the largest value. [bytes]
    writes_per_second, reads_per_second : amount, optional
        Requests that write, and requests that only read. [1/s]
    puts_per_transaction : amount, optional
        Keys that a write request changes; 1 without transactions. [count]
    puts_per_commit : amount, optional
        Puts that reached etcd's file in one commit when the data was written. [count]
    revisions_per_key : amount, optional
        Revisions of a key between two compactions. [count]
    history_seconds : amount, optional
        How long a revision that has been replaced is kept. [s]
    list_keys, concurrent_lists : amount, optional
        Keys in one list, and lists at the same time. [count]
    watchers, watch_streams : amount, optional
        Watches, and the streams that carry them. [count]
    watch_events_per_second : amount, optional
        Events delivered, over all streams. [1/s]
    tls : bool, optional
        Whether clients connect with TLS.
    leases, keys_per_lease : amount, optional
        Leases that exist, and keys attached to each. [count]
    lease_ttl_seconds : amount, optional
        The time to live of a lease. [s]
    lease_revokes_per_second : amount, optional
        Leases that end. [1/s]
    objects : list of ObjectKind or mapping
        The keys by kind, instead of `keys` and `value_bytes`.
    assumptions : list of Assumption
        Fields that are assumed rather than known, such as those that a preset fills in.

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
        if self.assumptions:
            known = frozenset(_figures(self))
            for assumption in self.assumptions:
                if assumption.field not in known:
                    known_field(assumption.field, self)
        reject_contradictions(self)
        return self

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [(name, value) for name, value in super().__repr_args__() if value is not None and value != ()]

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
        return math.fsum(parts), "exact" if is_whole else "lower"
    return math.fsum(parts), "upper" if is_whole else "estimate"


_NO_LOAD = {"clients_bound", "requests_bound", "data_bound", "assumptions"}


def with_fields(load: Workload, given: Mapping[str, Any]) -> Profile:
    """Return a load with other values of some fields. What was assumed of these is no longer assumed."""
    fields = {name: getattr(load, name) for name in load.model_fields_set}
    if isinstance(load, Profile):
        fields["assumptions"] = [one for one in load.assumptions if one.field not in given]
    for dimension, bound in zip(DIMENSIONS, ("clients_bound", "requests_bound", "data_bound"), strict=True):
        if dimension in given:
            fields.pop(bound, None)
    return Profile(**{**fields, **given})


def known_field(name: str, profile: Profile) -> str:
    """Return the name of a figure of a profile: a field, or `objects.NAME.FIELD`."""
    figures = _figures(profile)
    if name in figures:
        return name
    hint = nearest(name, figures)
    raise OptionError(
        f"assume: got {shown(name)}, expected a field of Profile or objects.NAME.FIELD{hint}",
        option="assume",
        value=name,
    )


def _figures(profile: Profile) -> list[str]:
    """Return the names of all figures of a profile."""
    fields = [field for field in Profile.model_fields if field not in _NO_LOAD and field != "objects"]
    of_kinds = [field for field in ObjectKind.model_fields if field != "name"]
    return fields + [f"objects.{kind.name}.{field}" for kind in profile.objects for field in of_kinds]
