"""One evaluation of the model: more of anything never takes less, and every figure has its terms."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from resource_loads import loads, one_load

from etcdsize.resources.cases import Asked, cases_of, evaluate_all, evaluate_need
from etcdsize.resources.coefficients import Coefficients
from etcdsize.resources.fill import Filled
from etcdsize.resources.load import Load
from etcdsize.resources.load_sums import sums_of
from etcdsize.resources.model import GROUPS, evaluate, with_tls

VERSIONS = ["3.4", "3.5", "3.6", "3.7"]
FIELDS = [field for field in Load._fields if field != "objects"]
OBJECT_FIELDS = ["number", "key_bytes", "value_bytes", "writes_per_second"]
# A shorter time to live is more work.
INVERSE = {"lease_ttl_seconds"}
# TLS on the shared port takes less memory for a connection, and more for a stream. Puts that share a commit are packed
# more densely, and then leave more holes when they are updated.
NOT_ORDERED = {"tls", "puts_per_commit"}


def needs(load, version="3.6"):
    groups = evaluate_need(load, Asked(version)).groups
    return {f"{group}.{name}": math.fsum(terms) for group, figures in groups.items() for name, terms in figures.items()}


def with_more(load, field, more):
    """Return the load with more of a field, and with what follows from it."""
    if field in OBJECT_FIELDS:
        (kind,) = load.objects
        kind = kind._replace(**{field: more(getattr(kind, field))})
        changed = load._replace(objects=(kind,))
        if field == "writes_per_second":
            return changed._replace(writes_per_second=kind.writes_per_second / load.puts_per_transaction)
        if field == "value_bytes":
            return changed._replace(largest_value_bytes=max(load.largest_value_bytes, kind.value_bytes))
        return changed
    changed = load._replace(**{field: more(getattr(load, field))})
    if field == "puts_per_transaction":
        # As many requests, each with more puts.
        (kind,) = load.objects
        rate = changed.writes_per_second * changed.puts_per_transaction
        return changed._replace(objects=(kind._replace(writes_per_second=rate),))
    return changed


class TestMoreTakesMore:
    """More of anything never takes less."""

    @given(
        loads(),
        st.sampled_from([name for name in (*FIELDS, *OBJECT_FIELDS) if name not in NOT_ORDERED]),
        st.floats(1, 10),
        st.floats(0, 100),
        st.sampled_from(VERSIONS),
    )
    @example(one_load(writes=5.0), "writes_per_second", 1.5, 0.0, "3.6")
    @example(one_load(history_seconds=0.0, revisions_per_key=2.0), "writes_per_second", 1.0, 1.0, "3.4")
    @example(one_load(value_bytes=2_000.0), "value_bytes", 1.03, 0.0, "3.6")
    def test_no_figure_is_smaller(self, load, field, factor, added, version):
        if field == "largest_value_bytes" or (field == "writes_per_second" and load.writes_per_second == 0):
            added += 1
        if field == "puts_per_transaction":
            # Given revisions a key are the whole history, which larger transactions only pack more densely.
            load = load._replace(revisions_per_key=1.0)
        before, after = (
            needs(load, version),
            needs(with_more(load, field, lambda value: value * factor + added), version),
        )
        if field in INVERSE:
            before, after = after, before
        # The time that a write may take is a bound on the disk, not something that the load takes: it falls with the
        # rate, and with more clients at once, more writes share an fsync.
        before["disk.fsync_p99_seconds"], after["disk.fsync_p99_seconds"] = 0, 0
        if field == "clients":
            before["disk.sequential_iops"] = 0
        smaller = {name: (before[name], after[name]) for name in before if after[name] < before[name] * (1 - 1e-9)}
        assert smaller == {}

    @given(loads(), st.floats(1, 10))
    def test_a_higher_rate_never_allows_a_slower_disk(self, load, factor):
        more = with_more(load, "writes_per_second", lambda rate: rate * factor)
        assert needs(more)["disk.fsync_p99_seconds"] <= needs(load)["disk.fsync_p99_seconds"] * (1 + 1e-9)

    def test_fields_are_all_varied(self):
        assert {*FIELDS} == {*Load._fields} - {"objects"}


class TestCases:
    """The likely value lies between the ends, whatever the load and the version."""

    @given(loads(), st.sampled_from(VERSIONS))
    def test_low_is_at_most_likely_is_at_most_high(self, load, version):
        found = evaluate_all(Filled((load, load), 1, load, load, (), ()), Asked(version))
        (low, high), likely = found.ends, found.likely
        for group, names in GROUPS.items():
            for name in set(names) - {"fsync_p99_seconds", "quota_bytes"}:
                values = [math.fsum(end.groups[group][name]) for end in (low, likely, high)]
                assert values[0] <= values[1] * (1 + 1e-9), name
                assert values[1] <= values[2] * (1 + 1e-9), name

    @pytest.mark.parametrize("version", VERSIONS)
    def test_every_figure_has_its_terms(self, version):
        groups = evaluate_need(one_load(), Asked(version)).groups
        assert {group: list(figures) for group, figures in groups.items()} == {
            group: list(kinds) for group, kinds in GROUPS.items()
        }
        for group, figures in groups.items():
            for name, terms in figures.items():
                assert len(terms) == len(GROUPS[group][name]), name

    def test_every_coefficient_is_behind_a_term(self):
        used = {
            name
            for kinds in GROUPS.values()
            for terms in kinds.values()
            for term in terms
            for name in term.coefficients
        }
        assert used == set(Coefficients._fields)


class TestDisk:
    """The rate of writes says how fast the disk has to be, and clients at once share its fsyncs."""

    def test_six_thousand_puts_a_second_need_no_six_thousand_iops(self):
        found = needs(one_load(writes=6_000.0, clients=64.0))
        assert found["disk.sequential_iops"] < 1_000
        assert 0.001 < found["disk.fsync_p99_seconds"] < 0.01

    def test_a_lone_client_waits_for_each_of_its_writes(self):
        assert needs(one_load(writes=500.0, clients=1.0))["disk.fsync_p99_seconds"] == pytest.approx(1 / 500)

    def test_an_idle_cluster_needs_what_the_faq_says(self):
        assert needs(one_load(writes=0.0))["disk.fsync_p99_seconds"] == 0.010
        assert needs(one_load(writes=0.0))["disk.fsyncs_per_second"] == 0

    @pytest.mark.parametrize(("clients", "measured"), [(1, 58), (128, 2_453), (256, 4_628)])
    def test_rates_that_a_spinning_disk_reached(self, clients, measured):
        # etcd-io/etcd#7960: 64-byte keys on a disk of 7,200 turns a minute, which completes a write in 17 ms.
        load = one_load(writes=float(measured), clients=float(clients))
        likely = evaluate_all(Filled((load, load), 1, load, load, (), ()), Asked("3.5"))
        allowed = [math.fsum(end.groups["disk"]["fsync_p99_seconds"]) for end in likely.ends]
        assert min(allowed) <= 0.0173

    def test_leases_that_end_bound_how_long_an_fsync_may_take(self):
        # Each has a commit of its own, of two fsyncs, beside those of one write a second.
        ending = one_load(writes=1.0, clients=1_000.0, leases=1e5, lease_revokes_per_second=200.0)
        assert needs(ending)["disk.fsync_p99_seconds"] == pytest.approx(1 / (2 * 200 + 2), rel=0.01)
        few = ending._replace(lease_revokes_per_second=1.0)
        assert needs(few)["disk.fsync_p99_seconds"] == 0.010
        # The writes themselves may need more still.
        alone = one_load(writes=1_000.0, clients=1.0, leases=1e5, lease_revokes_per_second=200.0)
        assert needs(alone)["disk.fsync_p99_seconds"] == pytest.approx(1 / 1_000)

    def test_the_end_of_leases_is_a_commit_each(self):
        found = needs(one_load(writes=0.0, leases=1_000.0, lease_revokes_per_second=100.0))
        assert found["disk.fsyncs_per_second"] >= 200


class TestTls:
    """TLS counts in the memory alone, so that a point without it has the other figures of the point with it."""

    @given(loads(), st.sampled_from(VERSIONS))
    def test_is_evaluated_as_any_other_load(self, load, version):
        case = cases_of(Asked(version)).high
        sums = sums_of(load, case.values.defragment_keys)
        plain, encrypted = load._replace(tls=0.0), load._replace(tls=1.0)
        assert with_tls(evaluate(plain, sums, case), encrypted, case) == evaluate(encrypted, sums, case)
