"""The profile of a running cluster: what its members report, and nothing that they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from observations import BEFORE, observed

from etcdsize import Profile, Scrape, combine_scrapes, resources_for, size

MB = 10**6


def assumed(profile: Profile, field: str):
    return next((one.value for one in profile.assumptions if one.field == field), None)


class TestProfile:
    """Everything that is reported is in the profile."""

    def test_workload_is_part_of_it(self):
        observation = observed(clients=30)
        workload, profile = observation.workload(), observation.profile
        assert (profile.loads, profile.certainties) == (workload.loads, workload.certainties)

    def test_keys_and_their_size(self):
        profile = observed().profile
        assert profile.keys.likely == 1_000
        # The puts have 1,050 bytes, and explain the file; the tier is that of the file in use, as before.
        assert assumed(profile, "data_bytes").likely == 1_050_000
        assert profile.data_bytes == 2 * MB

    def test_small_writes_beside_large_keys_are_a_kind_of_their_own(self):
        """Kubernetes: leases of 450 bytes are written, and objects of 1 kB are stored."""
        profile = observed({"put_bytes": 1_050_000 + 200 * 450}).profile
        written, others = profile.objects
        assert profile.keys is None
        assert (written.key_bytes.likely + written.value_bytes.likely, written.writes_per_second.likely) == (450, 20)
        assert (written.count.likely + others.count.likely, others.writes_per_second.likely) == (1_000, 0)
        stored = sum(one.count.likely * (50 + one.value_bytes.likely) for one in (written, others))
        assert stored == pytest.approx(assumed(profile, "data_bytes").likely)
        alike = observed({"put_bytes": 1_050_000 + 200 * 1_050}).profile
        entries = [resources_for(one).memory.raft_log_bytes.likely for one in (profile, alike)]
        assert entries[0] < entries[1] * 0.7

    def test_large_writes_beside_small_keys_too(self):
        profile = observed({"put_bytes": 1_050_000 + 200 * 1_000_000}).profile
        written, others = profile.objects
        assert written.value_bytes.likely == 1_000_000 - 50
        assert written.count.likely < 1
        assert resources_for(profile).memory.raft_log_bytes.likely > 1e9
        assert others.count.likely == pytest.approx(1_000, abs=1)

    def test_writes_and_reads(self):
        profile = observed().profile
        assert (profile.writes_per_second.likely, profile.reads_per_second.likely) == (20, 10)
        assert profile.puts_per_transaction.likely == 1

    def test_transactions(self):
        """Of 200 transactions in 10 s, 50 wrote four keys each."""
        calls = {"calls": {"KV.Txn": 0, "KV.Range": 0}}, {"calls": {"KV.Txn": 200, "KV.Range": 100}}
        profile = observed({**calls[1], "revision": 5_050}, calls[0]).profile
        assert (profile.writes_per_second.likely, profile.puts_per_transaction.likely) == (5, 4)
        assert (profile.reads_per_second.low, profile.reads_per_second.high) == (10, 25)

    def test_ends_of_leases_are_no_write_requests(self):
        ends = {"deletes": 100, "leases_revoked": 100, "leases_granted": 160, "revision": 5_300}
        profile = observed(ends).profile
        assert (profile.writes_per_second.low, profile.writes_per_second.high) == (20, 30)
        assert profile.lease_revokes_per_second.likely == 10
        assert (profile.leases.low, profile.leases.high) == (60, 120)
        assert assumed(profile, "leases") == profile.leases

    def test_history(self):
        """600 revisions at 20 a second are 30 s; just before a periodic compaction there are twice as many."""
        profile = observed().profile
        assert (profile.history_seconds.low, profile.history_seconds.high) == (30, 60)
        assert assumed(profile, "history_seconds") == profile.history_seconds

    def test_watches(self):
        watches = {"watchers": 50, "watch_streams": 20, "events": 1_000}
        profile = observed(watches).profile
        found = profile.watchers, profile.watch_streams, profile.watch_events_per_second
        assert [one.likely for one in found] == [50, 20, 100]

    def test_watches_are_summed_over_the_members(self):
        pairs = {}
        for name, other, count in (("a", "b", 10), ("b", "a", 5)):
            known = {"member_id": name, "peers": (other,), "has_leader": True, "calls": {"KV.Range": 1}}
            pairs[name] = Scrape(**known, **BEFORE | {"watchers": 2 * count, "watch_streams": count})
        profile = combine_scrapes(pairs, pairs, seconds=10).profile
        assert (profile.watchers.likely, profile.watch_streams.likely) == (30, 15)

    def test_tls_of_https_members(self):
        scrape = Scrape(member_id="a", calls={"KV.Range": 1}, **BEFORE)
        for scheme, tls in (("https", True), ("http", None)):
            assert (
                combine_scrapes({f"{scheme}://a:1": scrape}, {f"{scheme}://a:1": scrape}, seconds=1).profile.tls is tls
            )

    def test_sizing_is_that_of_the_profile(self):
        observation = observed({"watchers": 50, "watch_streams": 20})
        sizing = size(observation.profile, etcd_version=observation.etcd_version, provider="aws")
        assert sizing.load_decides
        assert "keys" in sizing.comparison.text
        assert sizing.tier == size(observation.workload()).tier


class TestUnknown:
    """What is not reported stays unknown."""

    @pytest.mark.parametrize(
        ("missing", "fields"),
        [
            ("keys", {"keys"}),
            ("compact_revision", {"keys", "history_seconds"}),
            ("watchers", {"watchers", "watch_streams"}),
            ("watch_streams", {"watchers", "watch_streams"}),
            ("events", {"watch_events_per_second"}),
            ("puts", {"puts_per_transaction"}),
        ],
    )
    def test_a_metric_that_is_missing(self, missing, fields):
        profile = observed({"watchers": 1, "watch_streams": 1, missing: None}).profile
        assert all(getattr(profile, field) is None for field in fields)

    def test_writes_of_a_single_scrape(self):
        scrape = Scrape(member_id="a", calls={"KV.Put": 1}, started_unix_seconds=1, taken_unix_seconds=11, **BEFORE)
        profile = combine_scrapes({"a": scrape}).profile
        assert (profile.writes_per_second, profile.reads_per_second, profile.history_seconds) == (None, None, None)
        assert profile.keys.likely == 1_000

    def test_history_that_was_never_compacted(self):
        assert observed({"compact_revision": 0}).profile.history_seconds is None

    def test_sums_of_a_part_of_the_cluster(self):
        profile = observed({"peers": ("b",), "watchers": 5, "watch_streams": 5}).profile
        assert (profile.watchers, profile.writes_per_second, profile.reads_per_second) == (None, None, None)

    def test_nothing(self):
        assert combine_scrapes({"a": "no answer"}).profile is None


class TestAnyFigures:
    """Whatever members report at two moments fits together in a profile that can be sized."""

    FIGURE = st.none() | st.integers(0, 2**64 - 1) | st.integers(0, 1_000)
    NAMES = (*BEFORE, "open_files", "sent_bytes", "leases_expired", "quota_bytes", "resident_bytes", "heap_bytes")
    SCRAPE = st.fixed_dictionaries(dict.fromkeys(NAMES, FIGURE))
    CALLS = st.dictionaries(st.sampled_from(["KV.Put", "KV.Range", "KV.Txn", "KV.DeleteRange"]), st.integers(0, 10**6))

    @given(SCRAPE, SCRAPE, CALLS, CALLS, st.none() | st.integers(0, 10**6), st.floats(1e-6, 1e9))
    def test_they_are_sized(self, before, after, calls, more, clients, seconds):
        calls = {"calls": calls}, {"calls": {name: calls.get(name, 0) + more.get(name, 0) for name in {*calls, *more}}}
        observation = observed(after | calls[1], before | calls[0], seconds=seconds, clients=clients)
        if observation.is_known:
            profile = observation.profile
            assert profile.loads == observation.workload().loads
            assert size(profile, etcd_version="3.6.16").tier == size(observation.workload()).tier
