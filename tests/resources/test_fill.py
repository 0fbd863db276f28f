"""A filled profile is complete, consistent, and honest about what it assumed."""

from __future__ import annotations

import math

import pytest
from examples import examples
from hypothesis import assume, example, given
from hypothesis import strategies as st
from strategies import result

from etcdsize import Amount, InvalidWorkloadError, OptionError, Profile
from etcdsize.resources.assumption import Assumption
from etcdsize.resources.fields import FIELD_UNITS
from etcdsize.resources.fill import Filled, fill
from etcdsize.resources.load import Load

FIGURES = [field for field in Load._fields if field != "objects"]
# Less of these takes more; see `Known.fewest_first`.
FEWEST_FIRST = {"puts_per_commit", "lease_ttl_seconds"}
OF_KEYS = ("number", "key_bytes", "value_bytes", "writes_per_second")


def figures(load: Load) -> dict[str, float]:
    """Return every figure of a load by its name, and the sums over its kinds."""
    found = {name: getattr(load, name) for name in FIGURES}
    found["keys"] = sum(kind.number for kind in load.objects)
    found["data"] = sum(kind.number * (kind.key_bytes + kind.value_bytes) for kind in load.objects)
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

    @examples(60)
    @given(loads())
    @example({"data_bytes": 0})
    @example({"data_bytes": 0.5})
    @example({"data_bytes": 0, "keys": 0})
    @example({"data_bytes": 500, "keys": 10})
    @example({"data_bytes": 1e9, "keys": 10, "value_bytes": 1e8})
    @example({"data_bytes": 1e9, "data_bound": "upper", "keys": [10, 1e6], "value_bytes": [5, 9]})
    @example({"keys": 0, "requests_per_second": 0})
    @example({"tls": True})
    @example({"data_bytes": 8e9, "data_bound": "upper", "keys": 0})
    @example({"data_bytes": 8e9, "keys": [0, 0, 10]})
    @example({"data_bytes": 8e9, "data_bound": "estimate", "objects": [{"name": "a", "count": 0, "value_bytes": 5}]})
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

    @examples(60)
    @given(loads())
    def test_likely_and_need_are_within_the_points(self, fields):
        assume(fields.get("data_bytes", 1e9) > 1e5)  # less is less than a key, whose size then gives way
        filled = fill(profile_of(fields))
        ends = ranges(filled)
        for load in (filled.likely, filled.need):
            for name, number in figures(load).items():
                # What is divided by the keys has its ends at other keys.
                if name != "revisions_per_key" and not name.endswith("writes_per_second"):
                    low, high = ends[name]
                    assert low * (1 - 1e-6) - 1e-6 <= number <= high * (1 + 1e-6) + 1e-6, name

    @examples(60)
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

    @examples(60)
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

    @examples(60)
    @given(loads(), st.data())
    def test_a_known_figure_narrows(self, fields, data):
        a_known_figure_narrows(fields, data)

    @pytest.mark.slow
    @examples(500)
    @given(loads(), st.data())
    def test_a_known_figure_narrows_for_many(self, fields, data):
        a_known_figure_narrows(fields, data)


def a_known_figure_narrows(fields, data) -> None:
    fields = {name: field for name, field in fields.items() if not name.endswith("_bound")}
    assume(fields.get("data_bytes", 1e9) > 1e5)  # less is less than a key, whose size then gives way
    wide = fill(profile_of(fields))
    assumed = [one for one in wide.assumptions if "." not in one.field and one.field not in fields]
    assume(assumed)
    one = data.draw(st.sampled_from(assumed))
    if one.field == "tls":
        value = data.draw(st.booleans())
    else:
        ends = one.value.low, one.value.high
        value = data.draw(st.floats(*ends) | st.sampled_from(ends))
    narrow = fill(profile_of({**fields, one.field: value}))
    outer = ranges(wide)
    for name, (low, high) in ranges(narrow).items():
        # Neither the average over the keys nor the shares of kinds have their ends at the corners.
        if name != "revisions_per_key" and not (name.startswith("kind") and name.endswith("writes_per_second")):
            assert outer[name][0] * (1 - 1e-6) - 1e-6 <= low, (one.field, name)
            assert high <= outer[name][1] * (1 + 1e-6) + 1e-6, (one.field, name)


class TestEvents:
    """Events that are not given are those of every write to every stream, at most a million a second."""

    def high(self, **load):
        return max(point.watch_events_per_second for point in fill(Profile(**load)).points)

    def test_known_writes_and_streams_are_multiplied(self):
        assert self.high(writes_per_second=50, puts_per_transaction=1, watch_streams=200) == 10_000

    def test_two_high_ends_that_are_assumed_are_not(self):
        assert self.high(clients=9_000) == self.high(clients=9_000, writes_per_second=10_000) == 1e6

    def test_more_is_taken_as_it_is_given(self):
        assert self.high(clients=9_000, watch_events_per_second=2e6) == 2e6


class TestMore:
    """More of one figure never lowers another, at the high end and for the need.

    Known totals are shared out, and are the exception: more reads among the same requests are fewer writes, and more
    keys in the same data are smaller ones.
    """

    @examples(60)
    @given(loads(), st.data())
    def test_more_never_lowers(self, fields, data):
        more_never_lowers(fields, data)

    @pytest.mark.slow
    @examples(500)
    @given(loads(), st.data())
    def test_more_never_lowers_for_many(self, fields, data):
        more_never_lowers(fields, data)

    @given(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(1, 1e5))
    def test_more_writes_never_keep_less_history(self, rate, further, value):
        before, after = (
            fill(Profile(keys=1e6, key_bytes=50, value_bytes=value, writes_per_second=one, puts_per_transaction=1))
            for one in (rate, rate + further)
        )
        for one, other in zip(before.points, after.points):
            assert one.history_seconds * rate <= other.history_seconds * (rate + further) * 1.6
        assert 600 <= after.need.history_seconds <= 7_200


def more_never_lowers(fields, data) -> None:
    names = [name for name in fields if name in FIELD_UNITS and name not in FEWEST_FIRST | {"revisions_per_key"}]
    names += [name for name in ("clients", "requests_per_second", "data_bytes") if name in fields]
    if "requests_per_second" in fields:
        names = [name for name in names if name not in ("reads_per_second", "writes_per_second")]
    if "keys" not in fields and "objects" not in fields:
        names = [name for name in names if name not in ("key_bytes", "value_bytes")]
    if "objects" in fields:
        names = [name for name in names if name not in ("puts_per_transaction", "writes_per_second")]
    assume(names)
    name = data.draw(st.sampled_from(names))
    old, further = fields[name], data.draw(st.floats(0, 1e4))
    new = [part + further for part in old] if isinstance(old, list) else old + further
    before, after = fill(profile_of(fields)), fill(profile_of({**fields, name: new}))
    apart = {*FEWEST_FIRST, "revisions_per_key", "history_seconds"}
    highs = ((name, ranges(before)[name][1], ranges(after)[name][1]) for name in ranges(before))
    needs = ((name, figures(before.need)[name], figures(after.need)[name]) for name in figures(before.need))
    for figure, one, other in (*highs, *needs):
        assert figure in apart or one <= other * (1 + 1e-6) + 1e-6, (name, figure)


class TestAssume:
    """`assume` sets one figure to a number, whether it was given or not."""

    def test_a_figure_that_was_not_given(self):
        filled = fill(Profile(clients=5), {"history_seconds": 60, "tls": 0, "data_bytes": 5e6})
        assert {load.history_seconds for load in filled.points} == {60}
        assert {load.tls for load in filled.points} == {0}
        assert all(near(figures(load)["data"], 5e6) for load in filled.points)
        assert not {"history_seconds", "tls", "data_bytes"} & {one.field for one in filled.assumptions}

    def test_a_figure_of_a_kind(self):
        kinds = [{"name": "a.b", "count": 5, "value_bytes": "10..20"}, {"name": "c", "count": 5, "value_bytes": 7}]
        filled = fill(Profile(objects=kinds, writes_per_second=9), {"objects.a.b.value_bytes": 3})
        assert {load.objects[0].value_bytes for load in filled.points} == {3}
        filled = fill(
            Profile(objects=kinds, writes_per_second=9, puts_per_transaction=1), {"objects.c.writes_per_second": 8}
        )
        assert [[kind.writes_per_second for kind in load.objects] for load in filled.points] == [[1, 8]] * len(
            filled.points
        )

    @examples(60)
    @given(loads(), st.data())
    def test_every_assumption_can_be_set_to_its_ends(self, fields, data):
        profile = profile_of(fields)
        one = data.draw(st.sampled_from(fill(profile).assumptions))
        for end in (one.value.low, one.value.high):
            filled = fill(profile, {one.field: end})
            assert all(math.isfinite(number) for number in figures(filled.likely).values())
            if hasattr(filled.likely, one.field):
                largest = max(kind.value_bytes for kind in filled.likely.objects)
                assert near(getattr(filled.likely, one.field), max(end, largest) if "largest" in one.field else end)

    def test_the_own_assumptions_of_a_profile(self):
        """What a preset fills in is likely, not given: the need does not use its high end."""
        preset = Assumption(field="clients", value=Amount.of((3, 5, 30)), why="It usually is.", source="our choice")
        filled = fill(Profile(clients=5, clients_bound="estimate", assumptions=[preset]))
        assert ranges(filled)["clients"] == (3, 30)
        assert (filled.need.clients, [one.field for one in filled.assumptions].count("clients")) == (5, 1)
        kinds = [{"name": "pods", "count": "1..2..9", "value_bytes": "1..2..9", "writes_per_second": 1}]
        preset = [assumed("watchers"), assumed("objects.pods.count")]
        filled = fill(Profile(objects=kinds, watchers="10..20..90", watch_streams="1..5", assumptions=preset))
        assert (filled.need.watchers, filled.need.watch_streams) == (20, 5)
        assert (filled.need.objects[0].number, filled.need.objects[0].value_bytes) == (2, 9)
        assert filled.assumptions[:2] == tuple(preset)
        overridden = fill(Profile(watchers="10..20..90", assumptions=[assumed("watchers")]), {"watchers": 30})
        assert "watchers" not in {one.field for one in overridden.assumptions}

    @pytest.mark.parametrize(
        ("given_assume", "message"),
        [
            (
                {"watcher": 5},
                'assume: got "watcher", expected a field of Profile or objects.NAME.FIELD; did you mean "watchers"?',
            ),
            ({"watchers": -1}, "watchers: got -1, expected a finite number of 0 or more"),
            ([5], "assume: got [5], expected a mapping of names to numbers"),
        ],
    )
    def test_wrong_ones_are_rejected(self, given_assume, message):
        with pytest.raises(OptionError) as caught:
            fill(Profile(clients=5), given_assume)
        assert str(caught.value) == message

    def test_figures_that_are_no_figures(self):
        with pytest.raises(InvalidWorkloadError) as caught:
            fill(Profile(data_bytes=1e300))
        assert str(caught.value) == "data_bytes: got 1e+300, expected at most 1e+50; check its unit"
        assert figures(fill(Profile(data_bytes=5e-324)).need)["data"] == 0

    def test_only_a_profile_can_be_filled(self):
        with pytest.raises(OptionError, match=r"^profile: got 5 of type int, expected Profile$"):
            fill(5)


class TestExamples:
    """What follows from a few common profiles."""

    def test_the_three_dimensions_alone(self):
        filled = fill(Profile(clients=300, requests_per_second=2_000, data_bytes=4e8))
        likely = filled.likely
        assert (likely.clients, likely.reads_per_second, likely.writes_per_second) == (300, 1_800, 200)
        assert [(kind.name, round(kind.number), kind.value_bytes) for kind in likely.objects] == [
            ("keys", 380_952, 1_000)
        ]
        assert likely.history_seconds == pytest.approx(2**31 / 200 / 1_400, rel=0.1)
        assert filled.need == likely
        found = ranges(filled)
        assert found["writes_per_second"] == (0, 2_000)
        assert found["keys.value_bytes"] == (100, 20_000)
        assert found["history_seconds"] == (300, 7_200)
        fields = {one.field for one in filled.assumptions}
        assert {"value_bytes", "key_bytes", "writes_per_second", "reads_per_second", "history_seconds"} <= fields
        assert not {"clients", "data_bytes", "keys"} & fields

    def test_data_and_keys_give_the_value(self):
        filled = fill(Profile(data_bytes=1e8, keys=1e5, key_bytes=50))
        assert {load.objects[0].value_bytes for load in filled.points} == {950}
        assert "value_bytes" not in {one.field for one in filled.assumptions}

    def test_keys_and_value_give_the_data(self):
        filled = fill(Profile(keys=1e5, key_bytes=50, value_bytes="950..1950"))
        assert ranges(filled)["data"] == (1e8, 2e8)
        assert figures(filled.need)["data"] == 2e8

    def test_data_and_value_give_the_keys(self):
        filled = fill(Profile(data_bytes=1e8, key_bytes=50, value_bytes=950))
        assert {load.objects[0].number for load in filled.points} == {1e5}

    def test_no_data_takes_no_more_than_little(self):
        none, little = (fill(Profile(clients=5, data_bytes=data)) for data in (0, 1))
        for one, other in zip((*none.points, none.need), (*little.points, little.need)):
            assert one.objects[0].value_bytes <= other.objects[0].value_bytes <= 1

    def test_bounds_of_the_dimensions(self):
        bounds = {"upper": (0, 400), "lower": (400, 800), "estimate": (200, 800), "exact": (400, 400)}
        for bound, ends in bounds.items():
            filled = fill(Profile(clients=400, clients_bound=bound))
            assert ranges(filled)["clients"] == ends
            assert (filled.likely.clients, filled.need.clients) == (400, 400)
            assert ("clients" in {one.field for one in filled.assumptions}) == (bound in ("lower", "estimate"))

    def test_reads_and_requests_give_the_writes(self):
        filled = fill(Profile(requests_per_second=1_000, reads_per_second="700..900"))
        assert ranges(filled)["writes_per_second"] == (0, 300)
        assert (filled.likely.writes_per_second, filled.need.writes_per_second) == (200, 100)

    def test_the_writes_of_kinds(self):
        kinds = [
            {"name": "a", "count": 100, "value_bytes": 5, "writes_per_second": "2..4"},
            {"name": "b", "count": 86_400, "value_bytes": 5},
        ]
        filled = fill(Profile(objects=kinds))
        assert [kind.writes_per_second for kind in filled.likely.objects] == [3, 1]
        assert [kind.writes_per_second for kind in filled.need.objects] == [4, 1]
        assert [kind.writes_per_second for kind in filled.points[-1].objects] == [4, 1_440]
        filled = fill(Profile(objects=kinds, writes_per_second=10, puts_per_transaction=2))
        assert [kind.writes_per_second for kind in filled.need.objects] == [4, 16]
        filled = fill(Profile(objects=kinds[:1], writes_per_second=10))
        assert filled.need.puts_per_transaction == 0.4


def assumed(field: str) -> Assumption:
    return Assumption(field=field, value=Amount.of(5), why="It usually is.", source="our choice")
