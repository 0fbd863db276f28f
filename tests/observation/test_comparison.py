"""Memory and file of a member beside the model's, and what is said where they part."""

from __future__ import annotations

import statistics
import time

import pytest
from calibrated import model_with, write_model
from observations import observed

from etcdsize import (
    Histogram,
    ModelledMember,
    Observation,
    OptionError,
    Scrape,
    combine_scrapes,
    resources_for,
)
from etcdsize.observation.comparison import compared, modelled_members
from etcdsize.reports.observation import render_observation
from etcdsize.resources.coefficients import load_coefficients
from etcdsize.resources.profile import with_fields

MB, GB = 10**6, 10**9
QUIET = {"watchers": 5, "watch_streams": 5, "open_files": 40, "quota_bytes": 2 * GB}
USUAL = {**QUIET, "heap_bytes": 20 * MB, "resident_bytes": 60 * MB}


def modelled(after: dict, **options) -> ModelledMember:
    (member,) = observed(after, **options).members
    return member.modelled


def said(observation: Observation) -> dict[str, str]:
    return {notice.code: notice.text for notice in observation.notices}


FINDINGS = {
    *("watch-streams-leak", "memory-above-model", "file-above-model", "never-compacted", "defragment", "quota-fills"),
    *("leases-expire", "leases-with-many-keys", "quota-nearly-full"),
}


class TestFigures:
    """Each figure lies below, within or above the range of the model for the member's own load."""

    @pytest.mark.parametrize(
        ("measured", "low", "high", "verdict"),
        [(1, 2, 3, "below"), (2, 2, 3, "within"), (3, 2, 3, "within"), (4, 2, 3, "above")],
    )
    def test_verdict(self, measured, low, high, verdict):
        assert compared(measured, [(low, (low + high) / 2, high)]).verdict == verdict

    def test_a_quiet_member_is_as_modelled(self):
        found = modelled(USUAL)
        assert found.etcd_version == "3.6.16"
        verdicts = {
            name: getattr(found, name).verdict for name in ("heap_bytes", "resident_bytes", "data_bytes", "total_bytes")
        }
        assert set(verdicts.values()) == {"within"}, found
        assert FINDINGS.isdisjoint(said(observed(USUAL)))

    def test_ends_are_in_order(self):
        found = modelled(USUAL)
        for figure in (found.heap_bytes, found.resident_bytes, found.data_bytes, found.total_bytes):
            assert 0 <= figure.low <= figure.likely <= figure.high

    def test_limit_is_that_of_the_profile(self):
        observation = observed(USUAL)
        resources = resources_for(observation.profile, etcd_version="3.6.16")
        assert observation.members[0].modelled.memory_limit_bytes == resources.memory.limit_bytes.need

    def test_figures_are_those_of_the_model_for_the_load_of_the_member(self):
        """What `resources_for` says of that load, with the history of now, its own watches, and no lists."""
        observation = observed({**USUAL, "leases_granted": 10})
        found, history = observation.members[0].modelled, [0.0, 300.0, 600.0]
        rate = observation.profile.writes_per_second.likely
        given = {
            "revisions_per_key": [1 + number / 1_000 for number in history],
            "history_seconds": [number / rate for number in history],
            "watchers": 5,
            "watch_streams": 5,
            "concurrent_lists": 0,
        }
        load = with_fields(observation.profile, {**given, "clients": 40, "clients_bound": "upper"})
        resources = resources_for(load, etcd_version="3.6.16")
        heap, garbage, memory = resources.memory.heap_bytes, resources.memory.garbage_bytes, resources.memory
        assert found.heap_bytes.likely == pytest.approx(heap.likely + garbage.likely / 2)
        assert found.heap_bytes.high == pytest.approx(heap.high + garbage.high)
        outside = 3 * MB + resources.memory.page_cache_bytes.high - resources.file.high_water_bytes.high
        assert found.resident_bytes.high == pytest.approx(memory.unreclaimable_bytes.high + outside)
        used, kept = resources.file.in_use_bytes, resources.file.history_bytes
        assert found.data_bytes.low == pytest.approx(used.low + kept.low)
        assert found.data_bytes.high == pytest.approx(used.high + kept.high)
        assert found.total_bytes.low == pytest.approx(used.low)
        assert found.total_bytes.high == pytest.approx(resources.file.high_water_bytes.high)

    @pytest.mark.parametrize(("revisions", "keys"), [(0, 1_000), (400, 1_000), (90_000, 1_000), (90_000, 300_000)])
    def test_least_memory_is_that_of_one_point_and_has_an_empty_etcd(self, revisions, keys):
        """The low ends of single terms lie at different points: many small keys, or few large ones."""
        fields = {**USUAL, "keys": keys, "revision": 5_000 + revisions, "compact_revision": 5_000}
        found = modelled(fields)
        low = load_coefficients("3.6").spread.low
        empty = 0.75 * low.heap_margin * low.heap_base
        assert empty + 0.9 * keys * low.index_per_key <= found.heap_bytes.low <= found.heap_bytes.likely
        assert found.resident_bytes.low == pytest.approx(found.heap_bytes.low + low.anon_base)

    def test_member_without_keys_has_at_least_an_empty_etcd(self):
        found = modelled({**USUAL, "keys": None, "heap_bytes": 3 * MB, "resident_bytes": 6 * MB})
        low = load_coefficients("3.6").spread.low
        assert found.heap_bytes.low >= 0.75 * low.heap_margin * low.heap_base
        assert (found.heap_bytes.verdict, found.resident_bytes.verdict) == ("below", "below")

    def test_members_are_not_read_at_one_moment(self):
        """One has been compacted, the others not yet: the range of the file spans both."""
        known = {**USUAL, "has_leader": True, "version": "3.5.35", "data_bytes": 2 * MB, "total_bytes": 3 * MB}
        more = {"keys": 1_000, "puts": 1_000, "put_bytes": 1_050_000, "revision": 9_000}
        scrapes = {
            name: Scrape(
                member_id=name, peers=("a", "b"), calls={"KV.Put": 1}, compact_revision=compacted, **known, **more
            )
            for name, compacted in (("a", 9_000), ("b", 4_000))
        }
        one, other = combine_scrapes(scrapes).members
        alone = combine_scrapes({"a": scrapes["a"]}).members[0]
        assert one.modelled.data_bytes.model_copy(update={"measured": 0}) == other.modelled.data_bytes.model_copy(
            update={"measured": 0}
        )
        assert one.modelled.data_bytes.high > 3 * alone.modelled.data_bytes.high

    def test_more_streams_take_more(self):
        few, many = (modelled({**USUAL, "watch_streams": count, "watchers": count}) for count in (10, 5_000))
        assert many.heap_bytes.low > few.heap_bytes.low + 4_000 * 10_000

    @pytest.mark.parametrize("version", [None, "3.3.10", "x"])
    def test_without_a_known_version_there_is_none(self, version):
        assert modelled({**USUAL, "version": version}) is None

    def test_memory_of_a_process_that_others_share_is_not_compared(self):
        found = modelled({**USUAL, "shares_process": True})
        assert (found.heap_bytes, found.resident_bytes) == (None, None)
        assert found.total_bytes is not None

    @pytest.mark.parametrize("missing", ["keys", "revision", "compact_revision"])
    def test_file_is_not_compared_without_what_it_holds(self, missing):
        found = modelled({**USUAL, missing: None})
        assert (found.data_bytes, found.total_bytes) == (None, None)
        assert found.heap_bytes is not None

    def test_each_member_has_its_own(self):
        scrapes = {}
        for name, other, streams in (("a", "b", 10), ("b", "a", 2_000)):
            known = {
                "member_id": name,
                "peers": (other,),
                "has_leader": True,
                "version": "3.5.35",
                "calls": {"KV.Put": 1},
            }
            scrapes[name] = Scrape(**known, **USUAL | {"watchers": streams, "watch_streams": streams, "data_bytes": MB})
        one, other = combine_scrapes(scrapes).members
        assert other.modelled.heap_bytes.low > one.modelled.heap_bytes.low + 1_900 * 10_000

    def test_cases_count_together(self):
        """What was written before may be of other sizes."""
        found = compared(5, [(2, 3, 4), (1, 5, 9)])
        assert (found.low, found.likely, found.high, found.verdict) == (1, 3, 9, "within")


class TestFindings:
    """Where a member parts from the model, a notice says why, and what to do."""

    def test_streams_that_leak(self):
        text = said(observed({**USUAL, "watch_streams": 45_000, "watchers": 45_000}))["watch-streams-leak"]
        assert text.startswith(
            "a: 45000 watch streams are open, and there are 40 open files and connections. The streams take "
        )
        assert text.endswith("or restart the client.")

    def test_streams_of_one_client(self):
        """The client is in the singular."""
        one = observed({**USUAL, "watch_streams": 450, "watchers": 450}, clients=1)
        assert said(one)["watch-streams-leak"].startswith("a: 450 watch streams are open, and there is 1 client. ")

    @pytest.mark.parametrize(
        ("streams", "files", "clients", "leaks"),
        [
            (400, 40, None, True),
            (399, 40, None, False),
            (99, 5, None, False),
            (400, 500, 40, True),
            (400, 500, 41, False),
        ],
    )
    def test_streams_of_as_many_clients_do_not(self, streams, files, clients, leaks):
        fields = {**USUAL, "watch_streams": streams, "watchers": streams, "open_files": files}
        assert ("watch-streams-leak" in said(observed(fields, clients=clients))) == leaks

    def test_heap_above_the_model_is_that_of_lists(self):
        text = said(observed({**USUAL, "heap_bytes": 5 * GB, "sent_bytes": 10 * GB}, {"sent_bytes": 0}))[
            "memory-above-model"
        ]
        assert text.startswith("a: the heap has 5 GB, and keys, log, connections, watches and garbage take at most ")
        assert text.endswith(" It sent 1 GB/s to clients. Ask for pages (--limit), and for fewer keys at a time.")

    def test_memory_above_the_model_that_is_no_heap(self):
        text = said(observed({**USUAL, "resident_bytes": 9 * GB}))["memory-above-model"]
        assert "the process has 9 GB of memory" in text
        assert "Go returns memory slowly" in text

    def test_fragmentation(self):
        fields = {**USUAL, "keys": 300_000, "data_bytes": 600 * MB, "total_bytes": 1_800 * MB}
        text = said(observed(fields))["defragment"]
        assert text.startswith(
            "a: less than half of the database file is in use: etcdctl defrag frees about 1.2 GB, and stops reads and "
            "writes on the member for about "
        )

    def test_file_above_the_model_is_fragmented_before_half_of_it_is_free(self):
        """A thousand keys of 1 kB, in a file of 1 GB of which 600 MB are in use."""
        fields = {**USUAL, "keys": 300_000, "data_bytes": 600 * MB, "total_bytes": 1_100 * MB}
        observation = observed(fields)
        assert observation.members[0].modelled.total_bytes.verdict == "above"
        assert "55% of the database file is in use" in said(observation)["defragment"].replace("54.5%", "55%")

    def test_history_that_was_never_compacted(self):
        fields = {**USUAL, "compact_revision": 0, "revision": 90_000, "data_bytes": 150 * MB, "total_bytes": 150 * MB}
        assert said(observed(fields))["never-compacted"] == (
            "The history was never compacted: the file holds 90000 revisions of 1000 keys, and grows with every write "
            "until the quota is full. Set --auto-compaction-mode and --auto-compaction-retention, or compact from "
            "outside."
        )

    @pytest.mark.parametrize("more", [{"compact_revision": 1}, {"revision": 9_999}, {"keys": 80_000}])
    def test_history_that_was_compacted_or_is_short(self, more):
        fields = {**USUAL, "compact_revision": 0, "revision": 90_000, "data_bytes": 150 * MB, "total_bytes": 150 * MB}
        assert "never-compacted" not in said(observed(fields | more))

    def test_quota_that_fills_with_new_keys(self):
        before = {"data_bytes": 500 * MB, "total_bytes": 500 * MB, "keys": 400_000, "puts": 0, "put_bytes": 0}
        after = {
            "data_bytes": 510 * MB,
            "total_bytes": 510 * MB,
            "keys": 408_000,
            "puts": 8_000,
            "put_bytes": 8_400_000,
        }
        observation = observed({**USUAL, **after}, {**USUAL, **before})
        assert observation.quota_hours_left == pytest.approx(1_490 / 3600)
        assert said(observation)["quota-fills"].startswith(
            "a: the quota of 2 GB is full in about 25 minutes at the observed 1 MB/s: the writes make new keys"
        )
        assert "quota      full in about 25 minutes at the observed 1 MB/s\n" in render_observation(observation)

    def test_quota_that_compaction_may_free_has_no_notice_but_a_bound(self):
        observation = observed({**USUAL, "data_bytes": 30 * MB, "total_bytes": 30 * MB})
        assert observation.quota_hours_bound == "lower"
        assert "quota-fills" not in said(observation)
        when = "not before 12 minutes at the observed 2.8 MB/s, and later if compaction frees some of what is written"
        assert f"quota      full {when}\n" in render_observation(observation)

    def test_expirations_beyond_the_disk(self):
        slow, none = (Histogram(upper_bounds_seconds=(0.004, 0.008), counts=(0, count, count)) for count in (1000, 0))
        fields = {**USUAL, "wal_fsync": slow, "leases_expired": 4_000}
        text = said(observed(fields, {"wal_fsync": none, "leases_expired": 0}))["leases-expire"]
        assert text.startswith(
            "a: 400 leases expire a second, each with a commit of its own, and the disk completes about 6"
        )

    def test_leases_with_many_keys(self):
        fields = {**USUAL, "deletes": 20_000, "leases_revoked": 10, "leases_granted": 100, "revision": 5_210}
        assert said(observed(fields))["leases-with-many-keys"].startswith(
            "About 2,000 keys were deleted with each lease"
        )

    def test_deletions_of_clients_are_none_of_leases(self):
        calls = {"calls": {"KV.DeleteRange": 0}}, {"calls": {"KV.DeleteRange": 20_000}}
        fields = {**USUAL, **calls[1], "deletes": 20_000, "leases_revoked": 10, "leases_granted": 100}
        assert "leases-with-many-keys" not in said(observed(fields, calls[0]))


class TestCalibratedModel:
    """Members are compared with a model of the user's own, if they run the version that it is for."""

    def test_seconds_are_those_of_its_disk(self):
        usual, own = (modelled(USUAL, model=model).defragment_seconds for model in (None, model_with("3.6.16")))
        assert usual.low < own.low < own.high
        assert own.likely > 2 * 2 / 40

    def test_heap_is_that_of_its_coefficients(self):
        usual, own = (modelled(USUAL, model=model) for model in (None, model_with("3.6.16", 3, ("index_per_key",))))
        assert own.heap_bytes.high > usual.heap_bytes.high
        assert own.memory_limit_bytes > usual.memory_limit_bytes

    def test_another_version_is_not_compared(self):
        assert modelled(USUAL, model=model_with("3.5.35")) is None

    def test_it_is_read_from_its_file(self, tmp_path):
        own = model_with("3.6.16")
        file = write_model(tmp_path / "my-model.json", own)
        found = [modelled(USUAL, model=model) for model in (own, file, str(file))]
        assert found[0] == found[1] == found[2] != modelled(USUAL)
        with pytest.raises(OptionError, match="model: got 5, expected a file that etcdsize calibrate wrote"):
            modelled(USUAL, model=5)


@pytest.mark.bench
def test_a_cluster_is_compared_within_two_milliseconds():
    """Three members, half of the clusters with two kinds of keys; no load is like another, so none is remembered."""
    took = []
    for number in range(1, 101):
        keys, larger = 1_000 + 100 * number, 5 if number % 2 else 1
        before = {"keys": keys, "data_bytes": 2_000 * keys, "total_bytes": 3_000 * keys}
        after = {**before, "put_bytes": 1_050_000 + 200 * 1_050 * larger}
        observation = observed({**USUAL, **after}, {**USUAL, **before})
        (member,) = observation.members
        members = [
            member.model_copy(update={"open_files": 40 + other, "history_revisions": 500 + other}) for other in range(3)
        ]
        cluster = observation.model_copy(update={"members": tuple(members)})
        assert len(observation.profile.objects) == (2 if number % 2 else 0)
        start = time.process_time()
        modelled_members(cluster, observation.profile, None)
        took.append(time.process_time() - start)
    assert statistics.median(took) < 0.002


def test_report_names_the_worst_member_of_each_figure():
    lines = render_observation(observed(USUAL)).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("worst "))
    assert lines[start].split() == ["worst", "member", "measured", "low", "likely", "high", "by", "the", "model"]
    assert [line.split("  ")[0] for line in lines[start + 1 : start + 5]] == ["heap", "memory", "data in use", "file"]
    assert all(line.endswith("as modelled") for line in lines[start + 1 : start + 5])


def test_quota_that_is_full_already():
    full = {"total_bytes": 2 * GB, "data_bytes": GB, "quota_bytes": 2 * GB}
    observation = observed({**USUAL, **full}, full)
    assert "quota      full already\n" in render_observation(observation)
    assert said(observation)["quota-nearly-full"] == (
        "a: the database file fills 100% of the quota of 2 GB; when the quota is full, etcd accepts no more writes."
    )
