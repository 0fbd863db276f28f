"""The memory: held to a slow twin written from the sentences of the facts, and to what was measured."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from etcds import needed as etcd_needed
from hypothesis import given
from hypothesis import strategies as st
from resource_loads import loads, one_load

from etcdsize.calibration.member import Member
from etcdsize.calibration.settle import pass_entries
from etcdsize.resources.cases import Asked, evaluate_need
from etcdsize.resources.coefficients import load_coefficients
from etcdsize.resources.load_sums import sums_of
from etcdsize.resources.memory import memory_figures
from etcdsize.resources.size_classes import size_class

SPREAD = load_coefficients("3.5").spread
MB = 1e6


def figures(load, entries=100.0, watcher=343.0, values=SPREAD.likely):
    found = memory_figures(load, sums_of(load, 10_000), values, entries, watcher, 0.0)
    return {name: math.fsum(terms) for name, terms in found.items()}


def live_heap(load, entries, watcher, values):
    """Return the live heap, sentence by sentence, for a load with one kind of keys."""
    (kind,) = load.objects
    # An empty etcd.
    heap = values.heap_base
    # The index holds each key, and a revision more for each one that was replaced and is kept.
    heap += kind.number * (values.index_per_key + size_class(kind.key_bytes))
    replaced = kind.writes_per_second * load.history_seconds
    if load.revisions_per_key - 1 > replaced / kind.number if kind.number else False:
        replaced = kind.number * (load.revisions_per_key - 1)
    heap += replaced * values.revision_array
    # A deleted key stays in it until the compaction.
    deleted = load.lease_revokes_per_second * load.keys_per_lease * load.history_seconds
    if kind.number:
        heap += deleted * (values.index_per_key + values.tombstone + size_class(kind.key_bytes))
    else:
        heap += deleted * (values.index_per_key + values.tombstone)
    # The raft log holds requests: all puts of a transaction, and 28 bytes, in one allocation.
    pair = kind.key_bytes + kind.value_bytes if kind.writes_per_second or kind.number else 0
    request = load.puts_per_transaction * pair + 28 + 12 * (load.puts_per_transaction - 1)
    heap += entries * (size_class(request) + values.raft_entry)
    # Connections, streams and watchers.
    if load.tls:
        heap += load.clients * values.connection_tls_heap + load.watch_streams * values.stream_tls_heap
    else:
        heap += load.clients * values.connection_heap + load.watch_streams * values.stream_heap
    heap += load.watchers * watcher
    # A lease costs more for its first key than for the others; ten keys cost ten times `lease_key_many`.
    heap += load.leases * values.lease
    if load.leases:
        keys = min(load.keys_per_lease, kind.number / load.leases)
        further = (10 * values.lease_key_many - values.lease_key_one) / 9
        first = values.lease_key_one - further
        heap += load.leases * (further * keys + first * min(1, keys))
    # The values of the largest commit stay in the buffers.
    puts = max(load.puts_per_transaction, kind.writes_per_second / 10, 1)
    puts = min(puts, 10_000)
    heap += max(puts * pair, load.largest_value_bytes) + puts * values.batch_overhead_per_put
    return heap * values.heap_margin


class TestHeap:
    """The live heap is the sum of its parts."""

    @given(loads(), st.floats(0, 105_000), st.sampled_from(SPREAD))
    def test_agrees_with_its_slow_twin(self, load, entries, values):
        found = figures(load, entries, 343.0, values)
        assert found["heap_bytes"] == pytest.approx(live_heap(load, entries, 343.0, values), rel=1e-9)

    @pytest.mark.parametrize(("key_bytes", "a_key"), [(16, 184), (32, 200), (64, 232), (256, 424)])
    def test_ran_on_3_5_30_the_index(self, key_bytes, a_key):
        load = one_load(count=100_000, key_bytes=key_bytes, writes=0)
        assert figures(load)["index_bytes"] == pytest.approx(100_000 * a_key, rel=0.03)

    @pytest.mark.parametrize(("keys", "a_key"), [(1, 296), (10, 124)])
    def test_ran_on_3_5_35_leases(self, keys, a_key):
        load = one_load(count=1e6, leases=1_000, keys_per_lease=keys)
        assert figures(load)["leases_bytes"] == pytest.approx(1_000 * (434 + keys * a_key), rel=0.03)

    def test_a_lease_cannot_have_more_keys_than_there_are(self):
        some = one_load(count=1_000, leases=100, keys_per_lease=10)
        many = one_load(count=1_000, leases=100, keys_per_lease=1e6)
        assert figures(some)["leases_bytes"] == figures(many)["leases_bytes"]


class TestUnreclaimable:
    """Go lets the heap double before it collects; lists double too, and stacks do not."""

    @given(loads())
    def test_is_the_heap_and_the_lists_twice_the_stacks_and_the_rest(self, load):
        found = figures(load)
        values = SPREAD.likely
        twice = values.garbage_factor * found["heap_bytes"] + values.list_peak_factor * found["lists_bytes"]
        assert found["steady_bytes"] == pytest.approx(twice + found["stacks_bytes"] + SPREAD.likely.anon_base)
        assert found["unreclaimable_bytes"] >= found["steady_bytes"] * (1 - 1e-12)
        assert found["gomemlimit_bytes"] == pytest.approx(0.9 * found["unreclaimable_bytes"])

    def test_five_lists_of_a_gigabyte(self):
        # etcd-io/etcd#19766: five clients that list 10,000 keys of 100 kB took 19.1 GiB.
        load = one_load(count=10_000, value_bytes=100_000, list_keys=10_000, concurrent_lists=5)
        low, _, high = (figures(load, values=values)["steady_bytes"] for values in SPREAD)
        assert low < 19.1 * 2**30 < high

    def test_lists_hold_the_largest_keys(self):
        small = one_load(count=10_000, value_bytes=100, list_keys=1_000, concurrent_lists=1)
        large = one_load(count=1_000, value_bytes=50_000, list_keys=1_000, concurrent_lists=1)
        both = small._replace(objects=(*small.objects, *large.objects))
        assert figures(both)["lists_bytes"] == figures(large)["lists_bytes"] > figures(small)["lists_bytes"]


class TestRaftLog:
    """3.4 and 3.5 keep 5,000 entries and what the snapshot count allows; 3.6 and later keep 5,100."""

    @pytest.mark.parametrize(
        ("version", "snapshot_count", "entries"),
        [
            ("3.4", None, 105_000),
            ("3.5", None, 105_000),
            ("3.5", 10_000, 15_000),
            ("3.5", 100, 5_100),
            ("3.6", None, 5_100),
            ("3.6", 100_000, 5_100),
            ("3.7", None, 5_100),
        ],
    )
    def test_entries_at_worst(self, version, snapshot_count, entries):
        values = load_coefficients(version).spread.high
        load = one_load(value_bytes=1_000, writes=10)
        needed = evaluate_need(load, Asked(version, snapshot_count=snapshot_count)).groups["memory"]["raft_log_bytes"]
        assert math.fsum(needed) == pytest.approx(entries * (size_class(1_092) + values.raft_entry))

    @pytest.mark.parametrize(
        ("version", "kept", "entries"),
        [("3.5", 500, 100_500), ("3.6", 500, 600), ("3.6", 5_000, 5_100), ("3.7", 1, 101), ("3.7", 20_000, 20_100)],
    )
    def test_entries_that_are_kept_for_followers_that_fall_behind(self, version, kept, entries):
        values = load_coefficients(version).spread.high
        load = one_load(value_bytes=1_000, writes=10)
        asked = Asked(version, snapshot_catchup_entries=kept)
        needed = evaluate_need(load, asked).groups["memory"]["raft_log_bytes"]
        assert math.fsum(needed) == pytest.approx(entries * (size_class(1_092) + values.raft_entry))

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["3.5", "3.6"])
    def test_a_member_that_keeps_fewer_takes_less_heap(self, name):
        etcd, version = etcd_needed(name)
        heaps, values = {}, load_coefficients(name).spread.likely
        for kept in (100, 3_000):
            with Member(etcd, snapshot_count=100, catch_up=kept, folder=Path("/dev/shm")) as member:
                pass_entries(member, 4_000, bytes(10_000))
                heaps[kept] = member.live_heap()
        expected = 2_900 * (size_class(10_000 + 28) + values.raft_entry)
        assert heaps[3_000] - heaps[100] == pytest.approx(expected, rel=0.1), version

    def test_nothing_that_is_never_written_is_in_it(self):
        idle = evaluate_need(one_load(count=10, writes=0), Asked("3.5")).groups["memory"]["raft_log_bytes"]
        assert math.fsum(idle) < 20_000
