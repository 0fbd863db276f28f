"""The sums over a load's kinds of keys: kinds of unlike size take more of the file together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resource_loads import one_load

from etcdsize.resources.fill import fill
from etcdsize.resources.kubernetes import kubernetes_profile
from etcdsize.resources.load import ObjectLoad
from etcdsize.resources.load_sums import sums_of
from etcdsize.resources.mixing import mixing_bytes
from etcdsize.resources.profile import with_fields
from etcdsize.resources.revision_bytes import element_bytes, fragmentation, revision_bytes

LEASES = ObjectLoad("leases", 5_000.0, 52.0, 450.0, 500.0)
PODS = ObjectLoad("pods", 100_000.0, 62.0, 5_000.0, 50.0)


def with_kinds(*kinds, **others):
    load = one_load(**others)
    rate = sum(kind.writes_per_second for kind in kinds)
    return load._replace(objects=kinds, writes_per_second=rate)


class TestMixing:
    """A mix takes what its kinds take, and what is lost where they meet."""

    def test_data_and_history_of_a_mix(self):
        sums = sums_of(with_kinds(LEASES, PODS, puts_per_commit=10.0), 10_000)
        own = [revision_bytes(kind.key_bytes, kind.value_bytes, 10) for kind in (LEASES, PODS)]
        sizes = [element_bytes(kind.key_bytes, kind.value_bytes) for kind in (LEASES, PODS)]
        counts = list(zip((5_000, 100_000), sizes, own))
        assert sums.fresh_bytes == pytest.approx(5_000 * own[0] + 100_000 * own[1] + mixing_bytes(counts))
        alone = [sums_of(with_kinds(kind), 10_000).file_bytes_per_second for kind in (LEASES, PODS)]
        assert sums.file_bytes_per_second > sum(alone)

    def test_a_list_takes_the_largest_keys_and_so_does_a_defragmentation(self):
        sums = sums_of(with_kinds(LEASES, PODS, list_keys=10_000.0), 10_000)
        assert sums.list_bytes == 10_000 * 5_062
        assert sums.defragment_bytes == pytest.approx(10_000 * revision_bytes(62, 5_000, 10))

    def test_a_list_is_at_most_all_keys(self):
        sums = sums_of(with_kinds(LEASES, list_keys=1e9), 10_000)
        assert sums.list_keys == 5_000


class TestUpdates:
    """Updates leave pages half empty, or pack them better where one put made a commit."""

    @pytest.mark.parametrize(("value", "puts", "is_more"), [(100.0, 100.0, True), (900.0, 1.0, False)])
    def test_what_is_likely_in_use_after_all_keys_were_updated(self, value, puts, is_more):
        load = one_load(count=10_000.0, value_bytes=value, writes=100.0, history_seconds=600.0, puts_per_commit=puts)
        sums = sums_of(load, 10_000)
        low, likely, high = sums.kept_bytes
        assert low <= likely <= high
        assert (likely > sums.fresh_bytes) == is_more
        assert likely == pytest.approx(sums.fresh_bytes * fragmentation(64, value, puts)[1])

    def test_few_updates_pack_few_keys_better(self):
        load = one_load(count=100_000.0, value_bytes=900.0, writes=0.1, history_seconds=100.0, puts_per_commit=1.0)
        sums = sums_of(load, 10_000)
        assert sums.kept_bytes[1] == pytest.approx(sums.fresh_bytes, rel=1e-4)


class TestKindsNeverTakeLess:
    """More keys of a kind, or larger ones, never take less of the file, whatever the others are."""

    kinds = st.lists(
        st.tuples(st.floats(1, 1e6), st.floats(1, 300), st.floats(0, 3e4), st.floats(0, 1e3)), min_size=2, max_size=4
    )

    @given(kinds, st.integers(0, 3), st.sampled_from(["number", "value_bytes"]), st.floats(1, 5))
    def test_of_the_file(self, figures, which, field, factor):
        kinds = [ObjectLoad(f"kind {number}", *each) for number, each in enumerate(figures)]
        chosen = kinds[which % len(kinds)]
        more = chosen._replace(**{field: getattr(chosen, field) * factor})
        before = sums_of(with_kinds(*kinds), 10_000)
        after = sums_of(with_kinds(*(more if kind is chosen else kind for kind in kinds)), 10_000)
        assert after.fresh_bytes >= before.fresh_bytes * (1 - 1e-9)
        assert after.history_bytes >= before.history_bytes * (1 - 1e-9)
        assert after.list_bytes >= before.list_bytes * (1 - 1e-9)
        assert after.index_key_bytes >= before.index_key_bytes * (1 - 1e-9)


def test_a_kind_that_is_never_written_stays_as_it_is_whatever_the_rounding():
    """Revisions that were filled from the rate of writes add nothing to it, down to the last digit."""
    point = fill(with_fields(kubernetes_profile(1000), {"data_bytes": 1_882_870_342.0})).points[0]
    assert 0.0 in [kind.writes_per_second for kind in point.objects]
    filled, alone = sums_of(point, 10_000), sums_of(point._replace(revisions_per_key=1.0), 10_000)
    assert filled.kept_bytes == pytest.approx(alone.kept_bytes, rel=1e-12)
