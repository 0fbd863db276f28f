"""The audit agrees with a slow twin, does not flap, computes price differences, and reports unknown machines."""

from __future__ import annotations

import functools
import itertools
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LIMITS, twin

from etcdsize import InvalidWorkloadError, OptionError, audit, classify, fit, load_catalog, load_tiers, need_for, size
from etcdsize.catalog.loading import catalog_for
from etcdsize.fleet.audit import audit_codes
from etcdsize.fleet.auditor import NO_MACHINE, Auditor
from etcdsize.fleet.verdicts import DECIDERS
from etcdsize.units import DIMENSIONS

CURRENT, _ = catalog_for("current", None)
TIERS = ("small", "medium", "large", "xlarge")
AUDITOR = Auditor(CURRENT, load_tiers("guide"), provider=None, headroom=0.0, margin=0.2, members=3)
TYPES = [machine.machine_type for machine in CURRENT.machines]
NEEDS = [need_for(tier) for tier in TIERS]
KINDS = st.sampled_from(["exact", "exact", "lower", "upper", "estimate"])
LOADS = st.tuples(
    st.sampled_from([0, 79, 80, 81, 100, 101, 399, 400, 401, 500, 501, 1200, 1201, 1500, 1501, 9000]),
    st.sampled_from([0, 159, 160, 199, 200, 799, 800, 999, 1000, 7999, 8000, 9999, 10_000]),
    st.sampled_from([0, 80e6, 80e6 + 1, 100e6, 100e6 + 1, 400e6, 500e6, 800e6, 1e9, 1e9 + 1, 5e9]),
)


def enough(machine, need) -> bool | None:
    """Return whether a machine is enough for a tier, None where a figure is unknown: figure by figure."""
    answers = []
    limits = [(limit.concurrent_iops, limit.disk_mb_per_second) for limit in machine.disk_limits]
    for iops, bandwidth in limits or [(machine.concurrent_iops, machine.disk_mb_per_second)]:
        if iops is None or bandwidth is None:
            answers.append(None)
        else:
            answers.append(
                machine.vcpus >= need.vcpus
                and machine.memory_gib >= need.memory_gib
                and iops >= need.concurrent_iops
                and bandwidth >= need.disk_mb_per_second
            )
    if True in answers:
        return True
    return None if None in answers else False


def tiers_of_machine(machine) -> tuple[int, int]:
    """Return the largest tier that a machine is enough for, and the largest that it may be enough for; -1 for none."""
    sure = possible = -1
    for index, need in enumerate(NEEDS):
        found = enough(machine, need)
        if found is True and sure == index - 1:
            sure = index
        if machine.vcpus >= need.vcpus and machine.memory_gib >= need.memory_gib and found is not False:
            possible = max(possible, index)
    return sure, possible


# More of each dimension than any table has a bound for.
MUCH = 1e15
EXACT = ("exact", "exact", "exact")


def worlds(load, kinds, partial):
    """Return every load that a cluster may have: as much as is given, as little as nothing, or very much."""
    choices = []
    for value, kind in zip(load, kinds, strict=True):
        possible = {"exact": [value], "lower": [value, MUCH], "upper": [0, value], "estimate": [0, value, MUCH]}
        choices.append([*possible.get(kind, [0, MUCH]), *([MUCH] if partial else [])])
    return itertools.product(*choices)


@functools.cache
def verdict_in(load, has, margin, headroom):
    """Return the verdict where load and machine are known exactly, by the sentences of the documentation."""
    needed = twin("guide", *load, headroom)
    if needed > has:
        return "under"
    if has == 3 and twin("guide", *load) == 3:
        return "beyond"
    roomy = twin("guide", *load, float(1 - (1 - Fraction(str(headroom))) * (1 - Fraction(str(margin)))))
    return "over" if has > roomy else "right"


def verdict_by_the_rules(machine, load, margin=0.2, headroom=0.0, kinds=EXACT, partial=False):
    """Return the verdict that is true whatever the unknown part of the load and of the machine is."""
    sure, possible = tiers_of_machine(machine)
    found = {
        verdict_in(each, has, margin, headroom)
        for each in worlds(load, kinds, partial)
        for has in range(sure, possible + 1)
    }
    if sure != possible:
        # Its limits for disks are unknown: only what is too small for certain has a verdict.
        return "under" if found == {"under"} else "unknown"
    if len(found) == 1:
        return found.pop()
    return "right" if found == {"right", "over"} else "unknown"


class TestVerdicts:
    @given(
        st.lists(st.tuples(st.sampled_from(range(len(TYPES))), LOADS), min_size=1, max_size=30),
        st.sampled_from([0.0, 0.2, 0.5]),
        st.sampled_from([0.0, 0.1]),
    )
    def test_agrees_with_the_slow_twin(self, rows, margin, headroom):
        loads = [np.array([load[index] for _, load in rows], float) for index in range(3)]
        fleet = audit([TYPES[place] for place, _ in rows], *loads, margin=margin, headroom=headroom)
        expected = [verdict_by_the_rules(CURRENT.machines[place], load, margin, headroom) for place, load in rows]
        assert fleet.verdicts.tolist() == expected
        counts = fleet.counts()
        assert [expected.count(verdict) for verdict in counts] == list(counts.values())
        for index, one in enumerate(fleet):
            assert one.verdict == expected[index]
            assert one.recommended_machine is None or one.recommended_machine.arch == (
                CURRENT.machines[rows[index][0]].arch
            )
            if fleet.recommended_machines[index] is not None:
                assert one.recommended_machine.machine_type == fleet.recommended_machines[index]

    @given(
        st.lists(
            st.tuples(st.sampled_from(range(len(TYPES))), LOADS, st.tuples(KINDS, KINDS, KINDS), st.booleans()),
            min_size=1, max_size=30,
        ),
        st.sampled_from([0.0, 0.2]),
        st.sampled_from([0.0, 0.1]),
    )  # fmt: skip
    def test_bounds_agree_with_every_load_that_is_possible(self, rows, margin, headroom):
        """A verdict is given only where it holds whatever the unknown part of the load is."""
        loads = [np.array([load[index] for _, load, _, _ in rows], float) for index in range(3)]
        kinds = [np.array([kinds[index] for _, _, kinds, _ in rows]) for index in range(3)]
        fleet = audit(
            [TYPES[place] for place, _, _, _ in rows],
            *loads,
            lower={name: (of == "lower") | (of == "estimate") for name, of in zip(DIMENSIONS, kinds, strict=True)},
            upper={name: (of == "upper") | (of == "estimate") for name, of in zip(DIMENSIONS, kinds, strict=True)},
            partial=[partial for _, _, _, partial in rows],
            margin=margin,
            headroom=headroom,
        )
        for index, ((place, load, of, partial), one) in enumerate(zip(rows, fleet, strict=True)):
            machine = CURRENT.machines[place]
            expected = verdict_by_the_rules(machine, load, margin, headroom, of, partial)
            assert (one.verdict, one.verdict) == (expected, fleet.verdicts[index]), (machine, load, of, partial)
            assert one.reason == fleet.reasons[index]
            assert one.reason or expected not in ("unknown", "beyond")
            if expected in ("under", "beyond"):
                decided = DECIDERS.index(one.decided_by)
                assert decided > 2 or of[decided] in ("exact", "lower")
                assert one.utilization >= 1 or headroom

    @given(st.sampled_from(range(len(TYPES))), LOADS, st.sets(st.sampled_from(DIMENSIONS), max_size=2))
    def test_unknown_dimensions_agree_with_every_load_that_is_possible(self, place, load, missing):
        arrays = [None if name in missing else [float(part)] for name, part in zip(DIMENSIONS, load, strict=True)]
        kinds = tuple("unknown" if name in missing else "exact" for name in DIMENSIONS)
        one = audit([TYPES[place]], *arrays)[0]
        assert one.verdict == verdict_by_the_rules(CURRENT.machines[place], load, kinds=kinds)
        assert all(f"{name} is unknown" in one.reason for name in missing) or one.verdict != "unknown"

    @given(st.sampled_from(range(len(TYPES))), LOADS)
    def test_a_recommended_machine_is_right(self, place, load):
        """A machine that was just resized as recommended is right, or there is none that is."""
        arrays = [np.array([float(part)]) for part in load]
        one = audit([TYPES[place]], *arrays)[0]
        if one.verdict in ("under", "over") and one.recommended_machine is not None:
            again = audit([one.recommended_machine.machine_type], *arrays)[0]
            past = "past the last published bound" in one.reason
            # Of some machines the limits for disks are not published.
            best = one.recommended_machine
            known = CURRENT.machine(best.provider, best.machine_type).limits_for(best.disk.kind)
            assert again.verdict == ("unknown" if None in known else "beyond" if past else "right")

    @given(st.sampled_from(range(len(TYPES))), LOADS)
    def test_another_machine_than_the_usual_has_a_reason(self, place, load):
        machine = CURRENT.machines[place]
        one = audit([TYPES[place]], *([float(part)] for part in load))[0]
        usual = size(**dict(zip(DIMENSIONS, load, strict=True)), provider=machine.provider, catalog="current").machine
        if one.recommended_machine is None or one.recommended_machine.machine_type != usual.machine_type:
            assert one.reason
        elif one.verdict in ("right", "over"):
            assert not one.reason

    def test_over_only_with_a_margin(self):
        """m5.xlarge is enough for medium; 80 clients leave a fifth of small free, 81 do not."""
        fleet = audit(["m5.xlarge"] * 3, [80, 81, 101], 1, 1)
        assert fleet.verdicts.tolist() == ["over", "right", "right"]
        assert audit(["m5.xlarge"], [100], 1, 1, margin=0).verdicts.tolist() == ["over"]

    def test_under_as_soon_as_a_bound_is_passed(self):
        assert audit(["m5.large"] * 2, [100, 101], 1, 1).verdicts.tolist() == ["right", "under"]

    def test_burst_is_not_counted(self):
        """m6i.large: 3600 IOPS sustained, 40000 in a burst; medium needs 4500."""
        one = CURRENT.machine("aws", "m6i.large")
        assert (one.concurrent_iops, one.burst_concurrent_iops) == (3600, 40000)
        assert audit(["m6i.large"], [300], 1, 1).verdicts.tolist() == ["under"]

    @pytest.mark.parametrize("kind", [object, "U20"])
    def test_machine_types_in_any_array(self, kind):
        assert audit(np.array(["m5.large", "m5.xlarge"], kind), 10, 1, 1).verdicts.tolist() == ["right", "over"]

    def test_names_in_any_case(self):
        assert audit(["standard_d2s_v5", "M5.LARGE"], 10, 1, 1).verdicts.tolist() == ["right", "right"]

    def test_the_guides_machines_are_right_for_their_tiers(self):
        """The guide's machines are right for their own tiers; no bound says for how much the largest is."""
        guide = load_catalog("guide")
        clients = {"small": 90, "medium": 450, "large": 1400, "xlarge": 5000}
        fleet = audit(
            [m.machine_type for m in guide.machines], [clients[m.tier] for m in guide.machines], 1, 1, catalog=guide
        )
        assert fleet.verdicts.tolist() == ["beyond" if m.tier == "xlarge" else "right" for m in guide.machines]
        assert [one.machine_tier for one in fleet] == [m.tier for m in guide.machines]

    def test_an_empty_fleet(self):
        fleet = audit(np.array([], object), np.array([]), np.array([]), np.array([]))
        assert (len(fleet), fleet.verdicts.tolist(), fleet.savings_per_month) == (0, [], {})
        assert fleet.at_risk().tolist() == fleet.savings().tolist() == []

    def test_blocks_agree_with_their_rows(self):
        rows = 150_000
        random = np.random.default_rng(5)
        codes = random.integers(0, len(TYPES), rows).astype(np.uint16)
        loads = [10 ** random.uniform(low, high, rows) for low, high in ((0.5, 3.7), (0.5, 4.5), (6, 9.5))]
        fleet = audit_codes(AUDITOR, codes, loads, classify(*loads))
        for row in [0, 65_535, 65_536, 131_071, 131_072, rows - 1, *random.integers(0, rows, 50).tolist()]:
            alone = audit([TYPES[codes[row]]], *(load[row : row + 1] for load in loads))[0]
            assert fleet[row] == alone
            by, following = fleet.decided_by[row], fleet.breaks_next[row]
            assert (None if by == 255 else DECIDERS[by]) == alone.decided_by
            assert (None if following == 255 else DECIDERS[following]) == alone.breaks_next
            assert math.isclose(fleet.utilization[row], alone.utilization or math.nan) or alone.utilization in (None, 0)


class TestWhatDecided:
    def test_under_names_the_dimension_furthest_past_its_bound(self):
        """The dimension furthest past its bound of the machine's own tier, and by how much."""
        one = audit(["m5.large"], [150], [600], [50e6])[0]
        assert (one.decided_by, one.utilization) == ("requests_per_second", 3.0)
        assert (one.machine_tier, one.tier, one.breaks_next) == ("small", "medium", None)

    def test_right_names_the_dimension_nearest_its_bound(self):
        one = audit(["m5.xlarge"], [300], [900], [100e6])[0]
        assert (one.verdict, one.decided_by, one.utilization) == ("right", "requests_per_second", 0.9)
        assert one.breaks_next == "requests_per_second"

    def test_over_refers_to_the_smaller_tier(self):
        one = audit(["m5.4xlarge"], [50], [20], [70e6])[0]
        assert (one.verdict, one.decided_by, one.utilization) == ("over", "data_bytes", 0.7)

    def test_the_open_tier_breaks_at_nothing(self):
        one = audit(["m5.4xlarge"], [5000], [20], [70e6])[0]
        assert (one.verdict, one.breaks_next, one.decided_by) == ("beyond", None, "clients")
        assert one.utilization == 5000 / LIMITS["large"][0]
        assert one.recommended_machine is None
        assert one.reason == (
            "the load is past the last published bound, and no larger machine is listed: split the cluster"
        )

    def test_under_goes_before_beyond(self):
        small, largest = audit(["m6a.2xlarge", "m6a.4xlarge"], 1, 1, [40e9, 40e9])
        assert (small.verdict, small.recommended_machine.machine_type) == ("under", "m6a.4xlarge")
        assert small.reason == (
            "the load is past the last published bound: no figure says that the recommended machine is enough"
        )
        assert (largest.verdict, largest.utilization, largest.decided_by) == ("beyond", 40.0, "data_bytes")

    def test_the_last_bound_is_the_published_one(self):
        """With headroom a load may need the largest tier, and yet be within the last published bound."""
        fleet = audit(["m6a.4xlarge"] * 3, [1350, 1351, 1501], 1, 1, headroom=0.1, margin=0)
        assert fleet.verdicts.tolist() == ["over", "right", "beyond"]

    def test_too_small_for_any_tier(self):
        """n1-standard-1: 1 vCPU where the smallest tier needs 2, 3.75 GiB where it needs 7.5."""
        one = audit(["n1-standard-1"], [1], 1, 1)[0]
        assert (one.verdict, one.machine_tier) == ("under", None)
        assert (one.decided_by, one.utilization) == ("memory_gib", 2.0)

    def test_unknown_dimension(self):
        one = audit(["m5.large"], [150], None, None)[0]
        assert (one.verdict, one.decided_by) == ("under", "clients")


class TestMoney:
    def test_difference_computed_by_hand(self):
        """The machines alone, 730 hours, all members; the disks are left as they are."""
        now, then = CURRENT.machine("aws", "m5.4xlarge"), fit("small", provider="aws").best.machine
        fleet = audit(["m5.4xlarge", "m5.large"], [10, 300], 1, 1, members=5)
        assert fleet[0].recommended_machine.machine_type == then.machine_type
        saved = 5 * 730 * (now.price.per_hour - then.price.per_hour)
        assert fleet.cost_difference_per_month[0] == pytest.approx(-saved)
        assert fleet.savings_per_month == {"USD": pytest.approx(saved)}
        assert (fleet[0].difference_currency, fleet.difference_currencies.tolist()) == ("USD", ["USD", "USD"])
        assert fleet.cost_difference_per_month[1] > 0

    def test_right_costs_nothing(self):
        assert audit(["m5.large"], [90], 1, 1).cost_difference_per_month.tolist() == [0.0]

    def test_an_unknown_price_gives_nan(self):
        """r9g has no price."""
        fleet = audit(["r9g.4xlarge"], [10], 1, 1)
        assert fleet.verdicts.tolist() == ["over"]
        assert math.isnan(fleet.cost_difference_per_month[0])
        assert fleet[0].cost_difference_per_month is None
        assert (fleet[0].difference_currency, fleet.savings_per_month) == (None, {})

    def test_prices_of_two_regions_are_not_compared(self):
        moved = CURRENT.machines[0].price.model_copy(update={"region": "eu-west-1", "per_hour": 9.0})
        machines = [
            machine.model_copy(update={"price": moved}) if machine.machine_type == "m5.4xlarge" else machine
            for machine in CURRENT.machines
        ]
        fleet = audit(["m5.4xlarge"], [10], 1, 1, catalog=CURRENT.model_copy(update={"machines": tuple(machines)}))
        assert math.isnan(fleet.cost_difference_per_month[0])

    def test_rankings_start_with_the_worst(self):
        clients = [101, 5000, 10, 300, 20, 10]
        fleet = audit(["m5.large", "m5.large", "m5.4xlarge", "m5.large", "m5.2xlarge", "m5.4xlarge"], clients, 1, 1)
        assert fleet.at_risk().tolist() == [1, 3, 0]
        assert fleet.at_risk(2).tolist() == [1, 3]
        assert fleet.at_risk(0).tolist() == fleet.savings(0).tolist() == []
        with pytest.raises(OptionError, match=r"^most: got -1, expected an integer of 0 or more$"):
            fleet.at_risk(-1)
        # Of equals, the earlier.
        assert fleet.savings().tolist() == [2, 5, 4]
        assert fleet.savings(1).tolist() == [2]


class TestCatalogWithoutSmaller:
    def test_the_machine_that_is_too_large_stays(self):
        ours = load_catalog("current").restrict(machine_types=["m8i.4xlarge"])
        one = audit(["m8i.4xlarge"], [90], 150, 80e6, catalog=ours)[0]
        assert (one.verdict, one.recommended_machine.machine_type) == ("over", "m8i.4xlarge")
        assert one.reason == (
            "the catalog has no smaller machine of this provider and architecture that is enough, so the current one "
            "is kept"
        )


class TestInvalidArguments:
    def test_an_unknown_machine_raises(self):
        with pytest.raises(InvalidWorkloadError) as caught:
            audit(["m5.large", "m5.lage", "x"], 1, 1, 1)
        assert str(caught.value) == (
            'machine_types[1]: got "m5.lage", expected a machine of the catalog "current"; did you mean "m5.large"? '
            '(2 clusters); on_invalid="mark" audits the rest'
        )
        assert (caught.value.index, caught.value.count) == (1, 2)

    def test_mark_leaves_unknown_machines_without_a_verdict(self):
        fleet = audit(["m5.large", "m5.lage", None, "m5.large"], [1, 1, 1, -1], 1, 1, on_invalid="mark")
        assert fleet.verdicts.tolist() == ["right", "unknown", "unknown", "unknown"]
        assert fleet.machine_codes[1] == NO_MACHINE
        assert fleet.recommended_machines.tolist() == ["m5.large", None, None, None]
        assert [one.reason for one in fleet] == [
            "the current machine is enough, so it is kept",
            'got "m5.lage", expected a machine of the catalog "current"; did you mean "m5.large"?',
            "missing",
            "the cluster cannot be sized",
        ]
        assert [one.machine_type for one in fleet] == ["m5.large", "m5.lage", "None", "m5.large"]

    def test_a_machine_without_disk_figures(self):
        one = audit(["c4-standard-4"], [1], 1, 1)[0]
        assert (one.verdict, one.reason) == (
            "unknown",
            "c4-standard-4: its own limit for network disks is not published",
        )
        assert audit(["c4-standard-4"], [501], 1, 1)[0].verdict == "under"

    def test_an_invalid_load_raises_or_is_marked(self):
        with pytest.raises(InvalidWorkloadError, match=r"^clients\[1\]: got nan"):
            audit(["m5.large"] * 2, [1, math.nan], 1, 1)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"margin": 1}, "margin: got 1, expected a number from 0 to below 1"),
            ({"margin": "x"}, "margin: got "),
            ({"headroom": 2}, "headroom: got 2"),
            ({"members": 0}, "members: got 0"),
            ({"on_invalid": "skip"}, "on_invalid: got "),
            ({"provider": "awz"}, "provider: got "),
            ({"catalog": "today"}, "catalog: got "),
        ],
    )
    def test_an_invalid_option_raises(self, options, message):
        with pytest.raises(OptionError) as caught:
            audit(["m5.large"], 1, 1, 1, **options)
        assert str(caught.value).startswith(message)

    @pytest.mark.parametrize("names", [[1, 2], np.array([1.5]), [True]])
    def test_machine_types_must_be_text(self, names):
        with pytest.raises(OptionError, match=r"^machine_types: got dtype "):
            audit(names, 1, 1, 1)

    def test_shapes_must_broadcast(self):
        with pytest.raises(InvalidWorkloadError, match="expected one machine_type, or one per cluster"):
            audit(["m5.large"] * 3, [1, 2], 1, 1)

    def test_a_provider_limits_the_machines(self):
        assert audit(["e2-standard-2"], 1, 1, 1, provider="gcp").verdicts.tolist() == ["right"]
        with pytest.raises(InvalidWorkloadError):
            audit(["e2-standard-2"], 1, 1, 1, provider="aws")

    def test_index_must_be_in_range(self):
        fleet = audit(["m5.large"], 1, 1, 1)
        assert fleet[-1] == fleet[0]
        with pytest.raises(IndexError):
            fleet[1]
        with pytest.raises(OptionError):
            fleet["a"]


def test_a_cluster_audit_round_trips_through_json():
    one = audit(["m5.large"], [300], 1, 1)[0]
    assert type(one).model_validate_json(one.model_dump_json()) == one
    assert pickle.loads(pickle.dumps(one)) == one


def test_an_auditor_pickles():
    auditor = pickle.loads(pickle.dumps(AUDITOR))
    loads = [np.array([300.0])] * 3
    codes = np.array([auditor.code_of("m5.large")], np.uint16)
    assert audit_codes(auditor, codes, loads, classify(*loads)).verdicts.tolist() == ["under"]


def test_custom_tiers():
    table = load_tiers("etcd.io")
    assert audit(["m5.large"], [100], 1, 1, tiers=table).verdicts.tolist() == ["under"]
