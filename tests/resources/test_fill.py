"""A filled profile is complete, consistent, and honest about what it assumed."""

from __future__ import annotations

import dataclasses
import math

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from strategies import result

from etcdsize import Amount, Profile
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.fields import FIELD_UNITS
from etcdsize.resources.fill import Filled, fill
from etcdsize.resources.load import Load

FIGURES = [field.name for field in dataclasses.fields(Load) if field.name != "objects"]
# Less of these takes more; see `Known.fewest_first`.
FEWEST_FIRST = {"puts_per_commit", "lease_ttl_seconds"}
OF_KEYS = ("count", "key_bytes", "value_bytes", "writes_per_second")


def figures(load: Load) -> dict[str, float]:
    """Return every figure of a load by its name, and the sums over its kinds."""
    found = {name: getattr(load, name) for name in FIGURES}
    found["keys"] = sum(kind.count for kind in load.objects)
    found["data"] = sum(kind.count * (kind.key_bytes + kind.value_bytes) for kind in load.objects)
    for kind in load.objects:
        found |= {f"{kind.name}.{name}": getattr(kind, name) for name in OF_KEYS}
    return found


def ranges(filled: Filled) -> dict[str, tuple[float, float]]:
    """Return the range of every figure over the points."""
    points = [figures(point) for point in filled.points]
    return {name: (min(point[name] for point in points), max(point[name] for point in points)) for name in points[0]}


def amounts(low: float, high: float):
    """Return exact amounts and ranges between two ends."""
    numbers = st.floats(low, high)
    return numbers | st.lists(numbers, min_size=2, max_size=3).map(sorted)


FIELDS = {
    "clients": st.integers(0, 5_000),
    "requests_per_second": st.floats(40_000, 1e5),
    "data_bytes": st.floats(0, 1e11),
    "keys": amounts(0, 1e7),
    "key_bytes": amounts(0, 500),
    "value_bytes": amounts(0, 1e6),
    "largest_value_bytes": amounts(1e6, 2e6),
    "writes_per_second": amounts(0, 20_000),
    "reads_per_second": amounts(0, 20_000),
    "puts_per_transaction": amounts(0.1, 50),
    "puts_per_commit": amounts(1, 500),
    "revisions_per_key": amounts(1, 100),
    "history_seconds": amounts(0, 1e5),
    "list_keys": amounts(0, 1e6),
    "concurrent_lists": amounts(0, 20),
    "watchers": amounts(1, 1e5),
    "watch_streams": amounts(1, 1e4),
    "watch_events_per_second": amounts(0, 1e6),
    "tls": st.booleans(),
    "leases": amounts(0, 1e5),
    "lease_ttl_seconds": amounts(1, 1e5),
    "keys_per_lease": amounts(0, 50),
    "lease_revokes_per_second": amounts(0, 1_000),
    "clients_bound": st.sampled_from(["exact", "upper", "lower", "estimate"]),
    "requests_bound": st.sampled_from(["exact", "upper", "lower", "estimate"]),
    "data_bound": st.sampled_from(["exact", "upper", "lower", "estimate"]),
}
KINDS = st.lists(
    st.fixed_dictionaries(
        {"count": amounts(1, 1e6), "value_bytes": amounts(0, 1e5)},
        optional={"key_bytes": amounts(0, 300), "writes_per_second": amounts(0, 5_000)},
    ),
    min_size=1,
    max_size=3,
).map(lambda kinds: [{"name": f"kind {row}", **kind} for row, kind in enumerate(kinds)])


@st.composite
def loads(draw) -> dict[str, object]:
    """Return the fields of a profile; those that easily contradict each other are seldom together."""
    names = draw(st.sets(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=8))
    if "leases" not in names:
        names -= {"lease_ttl_seconds", "keys_per_lease", "lease_revokes_per_second"}
    if draw(st.booleans()):
        names -= {"keys", "value_bytes"}
        fields = {"objects": draw(KINDS)}
    else:
        fields = {}
    if fields or "keys" in names:
        names -= {"data_bytes", "list_keys", "keys_per_lease"}
    if fields and "puts_per_transaction" in names:
        names.discard("writes_per_second")
    return fields | {name: draw(FIELDS[name]) for name in sorted(names)}


def profile_of(fields: dict[str, object]) -> Profile:
    """Return the profile of some fields, and give up on those that contradict each other."""
    profile = result(lambda: Profile(**fields))
    assume(isinstance(profile, Profile))
    return profile


def near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)


class TestEveryProfile:
    """Whatever is known: every point is finite and consistent, and low, likely, need and high are in order."""

    @settings(max_examples=60)
    @given(loads())
    @example({"data_bytes": 0})
    @example({"data_bytes": 0.5})
    @example({"data_bytes": 0, "keys": 0})
    @example({"data_bytes": 500, "keys": 10})
    @example({"data_bytes": 1e9, "keys": 10, "value_bytes": 1e8})
    @example({"data_bytes": 1e9, "data_bound": "upper", "keys": [10, 1e6], "value_bytes": [5, 9]})
    @example({"keys": 0, "requests_per_second": 0})
    @example({"tls": True})
    def test_points_are_consistent(self, fields):
        profile = profile_of(fields)
        filled = fill(profile)
        for load in (*filled.points, filled.likely, filled.need):
            found = figures(load)
            assert all(0 <= number < math.inf for number in found.values()), found
            rate = load.writes_per_second * load.puts_per_transaction
            assert near(sum(kind.writes_per_second for kind in load.objects), rate)
            assert load.largest_value_bytes >= max(kind.value_bytes for kind in load.objects) * (1 - 1e-9)
            assert load.tls in (0, 1)
            assert load.revisions_per_key >= 1
        assert len(filled.points) <= 8

    @settings(max_examples=60)
    @given(loads())
    def test_likely_and_need_are_within_the_points(self, fields):
        filled = fill(profile_of(fields))
        ends = ranges(filled)
        for load in (filled.likely, filled.need):
            for name, number in figures(load).items():
                # What is divided by the keys has its ends at other keys.
                if name != "revisions_per_key" and not name.endswith("writes_per_second"):
                    low, high = ends[name]
                    assert low * (1 - 1e-6) - 1e-6 <= number <= high * (1 + 1e-6) + 1e-6, name

    @settings(max_examples=60)
    @given(
        amounts(1, 1e7).map(Amount.of),
        amounts(0, 300).map(Amount.of),
        amounts(1, 1e5).map(Amount.of),
        st.floats(0, 1),
        st.sets(st.sampled_from(["keys", "key_bytes", "value_bytes", "objects"])),
    )
    @example(Amount.of(1), Amount.of(0), Amount.of(1), 0, {"key_bytes"})
    def test_known_data_is_that_of_every_point(self, count, key, value, share, names):
        low, high = count.low * (key.low + value.low), count.high * (key.high + value.high)
        data = low + share * (high - low)
        fields = {"keys": count, "key_bytes": key, "value_bytes": value}
        kinds = [{"name": "a", "count": count, "key_bytes": key, "value_bytes": value}]
        kinds.append({"name": "b", "count": count, "key_bytes": key, "value_bytes": 0})
        fields = {"objects": kinds} if "objects" in names else {name: fields[name] for name in names}
        filled = fill(profile_of({**fields, "data_bytes": data}))
        for load in (*filled.points, filled.likely, filled.need):
            found = figures(load)["data"]
            assert math.isclose(found, data, rel_tol=1e-6) or ("objects" in names and found > data)

    @settings(max_examples=60)
    @given(loads())
    def test_every_assumption_is_a_figure_that_was_not_given(self, fields):
        profile = profile_of(fields)
        for one in fill(profile).assumptions:
            assert isinstance(one, Assumption)
            assert one.why
            assert one.source
            if one.field.startswith("objects."):
                continue
            given_exactly = getattr(profile, one.field) is not None
            assert not given_exactly or one.field in ("clients", "requests_per_second", "data_bytes")

    def test_what_is_given_exactly_is_one_point(self):
        fields = {name: 5 for name in FIELD_UNITS if name not in ("value_bytes", "largest_value_bytes")}
        profile = Profile(clients=3, tls=False, value_bytes=10, largest_value_bytes=20, **{**fields, "leases": 1})
        filled = fill(profile)
        assert filled.assumptions == ()
        assert len(set(filled.points)) == 1
        assert filled.points[0] == filled.likely == filled.need


class TestUnknown:
    """An unknown field widens and never narrows: a figure within what was assumed for it gives points within."""

    @settings(max_examples=60)
    @given(loads(), st.data())
    def test_a_known_figure_narrows(self, fields, data):
        fields = {name: field for name, field in fields.items() if not name.endswith("_bound")}
        profile = profile_of(fields)
        wide = fill(profile)
        assumed = [one for one in wide.assumptions if "." not in one.field and one.field not in fields]
        assume(assumed)
        one = data.draw(st.sampled_from(assumed))
        if one.field == "tls":
            value = data.draw(st.booleans())
        else:
            value = data.draw(
                st.floats(one.value.low, one.value.high) | st.sampled_from([one.value.low, one.value.high])
            )
        assume(value or one.field != "puts_per_transaction")
        narrow = fill(profile_of({**fields, one.field: value}))
        outer, inner = ranges(wide), ranges(narrow)
        for name, (low, high) in inner.items():
            # Neither the average over the keys nor the shares of kinds have their ends at the corners.
            if name != "revisions_per_key" and not (name.startswith("kind") and name.endswith("writes_per_second")):
                assert outer[name][0] * (1 - 1e-6) - 1e-6 <= low, (one.field, name)
                assert high <= outer[name][1] * (1 + 1e-6) + 1e-6, (one.field, name)
