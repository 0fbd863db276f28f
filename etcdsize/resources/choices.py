"""The keys that a profile allows in each of the four cases: which of them, where the data is known, is a choice."""

from __future__ import annotations

import math
from typing import NamedTuple

from etcdsize.resources.composition import Box, Triple, between, corners, data_of, meet, stretched, worst_pages
from etcdsize.resources.known import CASES, HIGH, LIKELY, LOW, NEED, Cases, Known, exactly

__all__ = ["Choices", "choices_of"]


class Choices(NamedTuple):
    """Keys by kind: for the ends each choice that pulls figures of the model apart, and one for the other cases.

    Of the choices of an end, the first has the most keys and the last the largest.
    """

    names: list[str]
    low: list[list[Triple]]
    likely: list[Triple]
    high: list[list[Triple]]
    need: list[Triple]
    counts: list[Cases]
    """The kinds' counts, whatever the data; those of a single kind may be unknown, and are 1 then."""


def choices_of(known: Known, puts_per_commit: float) -> Choices:
    """Return the keys that a profile allows; `puts_per_commit` is that of the high end."""
    data = known.dimension("data_bytes", "data_bound")
    if known.profile.objects:
        return _of_kinds(known, data)
    count, key, value = known.given("keys"), known.given("key_bytes"), known.given("value_bytes")
    if count is None:
        # Without data there are no keys, and so no sizes to assume.
        assumed = known.unnoted if data is not None and not data.high else known.default
        keys, values = key or assumed("key_bytes"), value or assumed("value_bytes")
        data = data or known.default("data_bytes")
        if not keys.high + values.high:
            data = exactly(0.0)  # empty keys are no data, however many
        return _of_data(data, None, keys, values, (key, value), puts_per_commit)
    if data is None:
        keys, values = key or known.default("key_bytes"), value or known.default("value_bytes")
        low, likely, high, need = (Triple(count[case], keys[case], values[case]) for case in CASES)
        return Choices(["keys"], [[low]], [likely], [[high]], [need], [count])
    # What follows from the data and the other two is no assumption.
    keys = key or (known.unnoted("key_bytes") if value else known.default("key_bytes"))
    values = value or known.unnoted("value_bytes")
    # The data may be a bound, or what is in use in etcd's file: counts and sizes that say otherwise know better.
    least = count.low * ((key.low if key else 0.0) + (value.low if value else 0.0))
    most = count.high * (key.high + value.high) if key and value else math.inf if count.high else 0.0
    data = Cases(*[min(max(case, least), most) for case in data])
    return _of_data(data, count, keys, values, (key, value), puts_per_commit)


def _of_data(
    data: Cases,
    count: Cases | None,
    keys: Cases,
    values: Cases,
    given: tuple[Cases | None, Cases | None],
    puts_per_commit: float,
) -> Choices:
    """Return the keys of known data."""
    whole = Box((count.low, count.high) if count else (1.0, math.inf), (keys.low, keys.high), (values.low, values.high))
    boxes = {amount: stretched(whole, amount, key=not given[0], value=not given[1]) for amount in dict.fromkeys(data)}
    found = {amount: corners(boxes[amount], amount) for amount in dict.fromkeys((data.low, data.high)) if amount}

    def nothing(case: int) -> Triple:
        # No keys, or empty ones if there have to be some. What is written has no size then either, unless it is given.
        if count and count.low:
            return Triple(count.low, 0.0, 0.0)
        key, value = given
        return Triple(0.0, key[case] if key else 0.0, value[case] if value else 0.0)

    def middle(case: int) -> Triple:
        amount = data[case]
        if not amount:
            return nothing(case)
        return between(boxes[amount], amount, count and count[case], keys[case], values[case])

    low, high = [nothing(LOW)], [nothing(HIGH)]
    if data.low:
        low = list(dict.fromkeys((found[data.low][0], found[data.low][-1])))
    if data.high:
        ends = found[data.high]
        pages = worst_pages(boxes[data.high], data.high, puts_per_commit)
        most_bytes_of_keys = max(ends, key=lambda one: one.number * one.key)
        high = list(dict.fromkeys((ends[0], *pages, most_bytes_of_keys, ends[-1])))
    return Choices(
        ["keys"],
        [[one] for one in low],
        [middle(LIKELY)],
        [[one] for one in high],
        [middle(NEED)],
        [count or exactly(1.0)],
    )


def _of_kinds(known: Known, data: Cases | None) -> Choices:
    objects = known.profile.objects
    keys = [known.of_kind(kind.name, "key_bytes", kind.key_bytes) for kind in objects]
    if None in keys:
        usual = known.given_or_default("key_bytes")
        keys = [key or usual for key in keys]
    counts = [known.of_kind(kind.name, "count", kind.count) for kind in objects]
    values = [known.of_kind(kind.name, "value_bytes", kind.value_bytes) for kind in objects]
    kinds = [(count, key, value) for count, key, value in zip(counts, keys, values) if count and key and value]
    low, likely, high, need = (
        [Triple(count[case], key[case], value[case]) for count, key, value in kinds] for case in CASES
    )
    lows, highs = [low], [high]
    if data is not None:
        least, most = data_of(low), data_of(high)
        data = Cases(*[min(max(case, least), most) for case in data])
        few = [Triple(one.number, other.key, other.value) for one, other in zip(low, high)]
        many = [Triple(other.number, one.key, one.value) for one, other in zip(low, high)]
        lows, highs = (
            [meet(data[case], start, low, high) for start in ((many, few) if low != high else (low,))]
            for case in (LOW, HIGH)
        )
        likely, need = meet(data.likely, likely, low, high), meet(data.need, need, low, high)
    names = [kind.name for kind in objects]
    return Choices(names, lows, likely, highs, need, [count for count, _, _ in kinds])
