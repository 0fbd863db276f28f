"""What a load takes: the answer, its JSON, its explanation, its rules and its refusals."""

from __future__ import annotations

import json
import math
import pickle
import time

import pytest
from examples import examples
from hypothesis import example, given
from hypothesis import strategies as st

from etcdsize import (
    InvalidWorkloadError,
    OptionError,
    Profile,
    Resources,
    Workload,
    WorkloadTypeError,
    resources_for,
    settings_for,
    size,
)
from etcdsize.resources.answer import Figure
from etcdsize.resources.model import GROUPS

GIB = 2**30
VERSIONS = ["3.4", "3.5", "3.6", "3.7"]
NAMES = [(group, name) for group, names in GROUPS.items() for name in names]
MILLION = Profile(keys=5.7e6, value_bytes=1000, writes_per_second=100)


def figure(resources, group, name):
    return getattr(getattr(resources, group), name)


def figures(resources):
    return {f"{group}.{name}": figure(resources, group, name) for group, name in NAMES}


class TestAnswer:
    """Every figure has a range with a likely value, and a need."""

    @pytest.mark.parametrize("version", VERSIONS)
    def test_every_figure_is_there_in_order(self, version):
        for name, found in figures(resources_for(MILLION, etcd_version=version)).items():
            assert isinstance(found, Figure)
            assert 0 <= found.low <= found.likely <= found.high, name
            assert found.low <= found.need <= found.high, name

    # The first: the updated file is smaller with one put a commit, the most for other figures, than with ten.
    @example(1e6, 10, 100, None, None)
    @given(
        st.floats(1, 1e9),
        st.floats(1, 500),
        st.floats(0, 2e6),
        st.none() | st.floats(0, 1e4),
        st.none() | st.floats(1, 1000),
    )
    def test_the_need_is_within_the_range(self, keys, key_bytes, value_bytes, writes, puts):
        load = Profile(
            keys=keys, key_bytes=key_bytes, value_bytes=value_bytes, writes_per_second=writes, puts_per_commit=puts
        )
        for name, found in figures(resources_for(load)).items():
            assert found.low <= found.likely <= found.high, name
            assert found.low <= found.need <= found.high, name

    def test_five_million_keys_of_a_kilobyte_get_a_quota_that_holds_them(self):
        found = resources_for(MILLION)
        assert found.quota_bytes > 7.9e9
        assert found.quota_bytes % GIB == 0
        assert found.file.in_use_bytes.need > 5.7e6 * 1_378
        assert [notice.code for notice in found.notices] == ["quota-above-suggested"]

    def test_a_given_quota_is_the_one_that_fills(self):
        found = resources_for(MILLION, quota_bytes=2 * GIB)
        assert (found.quota_asked, found.quota_bytes) == (2 * GIB, 2 * GIB)
        assert found.file.full.likely_hours == 0
        assert [notice.code for notice in found.notices] == ["quota-too-small"]
        assert found.disk.volume_bytes.need < resources_for(MILLION).disk.volume_bytes.need

    def test_a_given_snapshot_count_counts_before_3_6(self):
        load = Profile(keys=1000, value_bytes=10_000, writes_per_second=100)
        logs = {
            (version, count): resources_for(load, etcd_version=version, snapshot_count=count).memory.raft_log_bytes.need
            for version in ("3.5", "3.6")
            for count in (10_000, 100_000)
        }
        assert logs["3.5", 100_000] > 6 * logs["3.5", 10_000]
        assert logs["3.6", 100_000] == logs["3.6", 10_000]

    def test_a_given_disk_narrows_every_time(self):
        unknown, known = resources_for(MILLION), resources_for(MILLION, disk_mb_per_second=125, fsync_seconds=0.002)
        for name in GROUPS["seconds"]:
            wide, narrow = figure(unknown, "seconds", name), figure(known, "seconds", name)
            assert wide.low <= narrow.low <= narrow.high <= wide.high
        fields = {assumption.field for assumption in unknown.assumptions}
        assert {"disk_mb_per_second", "fsync_seconds"} == fields - {one.field for one in known.assumptions}

    def test_a_slow_disk_is_reported(self):
        load = Profile(keys=1000, clients=2, writes_per_second=1000)
        found = resources_for(load, fsync_seconds=0.02)
        assert "fsync-too-slow" in [notice.code for notice in found.notices]
        assert "fsync-too-slow" not in [notice.code for notice in resources_for(load, fsync_seconds=0.0001).notices]

    def test_a_disk_with_too_little_bandwidth_is_reported(self):
        load = Profile(keys=1000, value_bytes=10_000, writes_per_second=1000)
        needed = resources_for(load).disk
        written = (needed.wal_bytes_per_second.need + needed.backend_bytes_per_second.need) / 1e6
        for bandwidth, codes in ((written * 0.99, ["disk-too-slow"]), (written * 1.01, [])):
            notices = resources_for(load, disk_mb_per_second=bandwidth).notices
            assert [notice.code for notice in notices] == codes

    @pytest.mark.parametrize(
        ("load", "codes"),
        [
            (Profile(keys=100, value_bytes="2MB"), ["request-too-large"]),
            (Profile(keys=100, value_bytes="1kB..2MB"), ["request-too-large"]),
            (Profile(keys=100, value_bytes=1000, largest_value_bytes="5MB"), ["request-too-large"]),
            (Profile(keys=100, key_bytes=100, value_bytes=1_572_764), []),
            (Profile(keys=100, key_bytes=100, value_bytes=1_572_765), ["request-too-large"]),
            # The largest value that is assumed is as large as etcd accepts.
            (Profile(keys=100, value_bytes="1MB"), []),
            (Profile(data_bytes="1GB"), []),
        ],
    )
    def test_a_value_that_etcd_refuses_is_reported(self, load, codes):
        found = [notice for notice in resources_for(load).notices if notice.code == "request-too-large"]
        assert [notice.code for notice in found] == codes
        assert all("--set max-request-bytes=" in notice.text for notice in found)
        assert [notice for notice in size(load).notices if notice.code == "request-too-large"] == found
        assert [notice for notice in settings_for(size(load)).notices if notice.code == "request-too-large"] == found

    def test_a_workload_is_a_profile_of_which_less_is_known(self):
        workload = Workload(clients=100, requests_per_second=200, data_bytes="100MB")
        profile = Profile(clients=100, requests_per_second=200, data_bytes="100MB")
        assert resources_for(workload) == resources_for(profile)

    def test_nothing_fills_the_quota_that_the_answer_gives(self):
        found = resources_for(Profile(keys=1e5, value_bytes=500, writes_per_second=50, history_seconds=600))
        assert found.file.full.likely_hours is None
        assert found.file.full_without_compaction.likely_hours > 1


class TestTerms:
    """The terms add up to their figure, and say how they are known."""

    @pytest.mark.parametrize("version", VERSIONS)
    def test_terms_add_up(self, version):
        found = resources_for(MILLION, etcd_version=version)
        assert list(found.terms) == list(figures(found))
        for name, whole in figures(found).items():
            terms = found.terms[name]
            for end in ("likely", "need"):
                total = math.fsum(getattr(term, end) for term in terms)
                assert total == pytest.approx(getattr(whole, end), rel=1e-9, abs=1), name
            assert all(term.known for term in terms)

    def test_the_arithmetic_is_one_line(self):
        text = resources_for(MILLION).arithmetic("memory.limit_bytes")
        assert text.count("+") == 2
        assert " unreclaimable + " in text
        assert "\n" not in text

    def test_an_unknown_figure_is_refused(self):
        with pytest.raises(OptionError, match=r'figure: got "memory.limit", expected one of file.in_use_bytes, '):
            resources_for(MILLION).arithmetic("memory.limit")

    def test_explain_names_every_figure_and_how_it_is_known(self):
        found = resources_for(Profile(keys=1e5, value_bytes=5e5, writes_per_second=10), etcd_version="3.5")
        text = found.explain()
        for word in ("quota:", "raft log:", "limit:", "fsync p99:", "defragment:", "Assumed:", "Effect of", "Advice ("):
            assert word in text
        assert text.isprintable() or all(line.isprintable() for line in text.split("\n"))


class TestJson:
    """JSON has the figures, their terms, the assumptions and the advice, and comes back as it was."""

    @pytest.mark.parametrize("version", VERSIONS)
    def test_both_ways(self, version):
        found = resources_for(MILLION, etcd_version=version)
        text = found.model_dump_json()
        assert Resources.model_validate_json(text) == found
        assert Resources.model_validate_json(text).model_dump_json() == text
        assert Resources.model_validate(json.loads(text)).terms == found.terms
        assert pickle.loads(pickle.dumps(found)) == found

    def test_what_json_has_besides_is_kept_and_not_worked_out_again(self):
        parts = json.loads(resources_for(MILLION).model_dump_json())
        parts["advice"] = [
            {"code": "a-test", "text": "Do it.", "figure": "memory.limit_bytes", "before": 2, "after": 1}
        ]
        assert [one.code for one in Resources.model_validate(parts).advice] == ["a-test"]

    def test_unknown_fields_are_refused(self):
        parts = json.loads(resources_for(MILLION).model_dump_json())
        with pytest.raises(ValueError, match="surprise"):
            Resources(**parts, surprise=1)


class TestAssumptions:
    """Every assumption has its effect on the quota and on the memory limit."""

    def test_effects_are_those_of_the_ends(self):
        found = resources_for(Profile(keys=1e5, value_bytes=2_000))
        effects = {effect.field: effect for effect in found.assumption_effects}
        assert set(effects) == {one.field for one in found.assumptions if not one.value.is_exact}
        history = effects["history_seconds"]
        assert history.quota_low_bytes <= history.quota_high_bytes
        assert history.limit_low_bytes < history.limit_high_bytes
        lists = effects["concurrent_lists"]
        assert lists.quota_low_bytes == lists.quota_high_bytes

    @pytest.mark.parametrize(
        "field",
        ["value_bytes", "key_bytes", "writes_per_second", "watch_streams", "history_seconds", "clients", "watchers"],
    )
    def test_a_field_that_becomes_known_never_widens(self, field):
        given_fields = {"keys": 1e5, "value_bytes": 1_000, "writes_per_second": 50, "watch_streams": 10}
        unknown = {name: value for name, value in given_fields.items() if name != field}
        wide = resources_for(Profile(**unknown))
        (likely,) = (one.value.likely for one in wide.assumptions if one.field == field)
        narrow = resources_for(Profile(**unknown, **{field: likely}))
        for group, name in NAMES:
            less, more = figure(wide, group, name), figure(narrow, group, name)
            assert less.low <= more.low * (1 + 1e-9) + 1e-9, name
            assert more.high <= less.high * (1 + 1e-9) + 1e-9, name


class TestMoreTakesMore:
    """More of what is given never takes less."""

    FIELDS = ("keys", "value_bytes", "writes_per_second", "reads_per_second", "watchers", "leases", "history_seconds")

    @given(st.sampled_from(FIELDS), st.floats(1, 10), st.sampled_from(VERSIONS))
    def test_no_need_is_smaller(self, field, factor, version):
        start = {
            "keys": 1e5,
            "key_bytes": 50,
            "value_bytes": 1_000,
            "writes_per_second": 50,
            "reads_per_second": 100,
            "watchers": 100,
            "watch_streams": 100,
            "watch_events_per_second": 100,
            "leases": 100,
            "lease_ttl_seconds": 60,
            "keys_per_lease": 1,
            "lease_revokes_per_second": 0,
            "history_seconds": 600,
            "puts_per_transaction": 1,
            "puts_per_commit": 5,
        }
        before = figures(resources_for(Profile(**start), etcd_version=version))
        after = figures(resources_for(Profile(**{**start, field: start[field] * factor}), etcd_version=version))
        # How long an fsync may take is a bound on the disk: it becomes shorter.
        before.pop("disk.fsync_p99_seconds")
        for name, found in before.items():
            for end in ("low", "likely", "high", "need"):
                assert getattr(after[name], end) >= getattr(found, end) * (1 - 1e-9), (name, end)


def magnitudes(least, most):
    """Return a strategy of numbers of every magnitude between two."""
    return st.floats(math.log10(least), math.log10(most)).map(lambda exponent: 10**exponent)


class TestMoreWrites:
    """More writes never take less, whether the history is given, as a time or as revisions of a key, or assumed.

    The exception is the likely file in use: keys that are written again may be packed better.
    """

    @examples(100)
    @given(
        magnitudes(1e2, 1e6),
        magnitudes(10, 1e5),
        st.none() | magnitudes(1, 200),
        st.none() | st.sampled_from([0.0, 60.0, 600.0, 7_200.0]),
        st.sampled_from([1, 10, 100, 1_000]),
        st.sampled_from([1, 5]),
        magnitudes(0.1, 3e3),
        magnitudes(1, 30),
    )
    # Runs of pages leave less unused where more puts share a commit: with revisions that are given, and with 2 GiB of
    # history that are assumed.
    @example(46_800.0, 7_820.0, 100.0, 60.0, 100, 1, 107.0, 10.0)
    @example(15_100.0, 4_021.0, None, None, 1_000, 1, 54.9, 10.0)
    @example(995_831.0, 896.0, 5.0, None, 1, 1, 62.8, 10.0)
    def test_take_no_less(self, keys, value, revisions, history, per_commit, per_transaction, writes, factor):
        load = {
            "keys": keys,
            "value_bytes": value,
            "revisions_per_key": revisions,
            "history_seconds": history,
            "puts_per_commit": per_commit,
            "puts_per_transaction": per_transaction,
        }
        before, after = (
            figures(resources_for(Profile(**load, writes_per_second=rate))) for rate in (writes, writes * factor)
        )
        # How long an fsync may take is a bound on the disk: it becomes shorter.
        before.pop("disk.fsync_p99_seconds")
        for name, found in before.items():
            ends = ("low", "high", "need") if name == "file.in_use_bytes" else ("low", "likely", "high", "need")
            for end in ends:
                assert getattr(after[name], end) >= getattr(found, end) * (1 - 1e-9), (name, end)


# Of each figure of a load, what the others are multiplied with; a size has keys beside it, whose number stays.
USUAL = {
    "clients": 100, "keys": 1e5, "key_bytes": 50, "value_bytes": 1_000, "largest_value_bytes": 5_000,
    "writes_per_second": 50, "reads_per_second": 100, "watchers": 100, "watch_streams": 100,
    "watch_events_per_second": 100, "leases": 100, "keys_per_lease": 1, "lease_revokes_per_second": 1,
    "list_keys": 1_000, "concurrent_lists": 2, "history_seconds": 600,
}  # fmt: skip
BESIDE = {
    **dict.fromkeys(("key_bytes", "value_bytes", "list_keys"), "keys"),
    **dict.fromkeys(("keys_per_lease", "lease_revokes_per_second"), "leases"),
}


class TestEnds:
    """Whatever is known of a load, more of a figure lowers neither end of any figure that it takes.

    The exceptions are those of etcd itself: how long an fsync may take is a bound on the disk, and with a given number
    of keys that are attached to leases, more keys may not fit.
    """

    @given(
        st.sampled_from([*USUAL]),
        st.sets(st.sampled_from([*USUAL])),
        st.lists(st.floats(0.1, 10), min_size=len(USUAL), max_size=len(USUAL)),
        st.floats(1, 30),
        st.sampled_from(VERSIONS),
    )
    # More writes shortened the history that was assumed, and more clients lowered the sequential IOPS.
    @example("writes_per_second", {"leases", "lease_revokes_per_second"}, [10.0] * 16, 30.0, "3.6")
    @example("clients", {"writes_per_second"}, [10.0] * 16, 30.0, "3.6")
    def test_no_end_falls(self, field, known, factors, times, version):
        names = {field, *known}
        names |= {BESIDE[name] for name in names if name in BESIDE}
        start = {name: usual * factor for (name, usual), factor in zip(USUAL.items(), factors) if name in names}
        try:
            less, more = Profile(**start), Profile(**{**start, field: start[field] * times})
        except InvalidWorkloadError:
            # A list or leases with more keys than there are.
            return
        before, after = (figures(resources_for(load, etcd_version=version)) for load in (less, more))
        before.pop("disk.fsync_p99_seconds")
        for name, found in before.items():
            for end in ("low", "high"):
                assert getattr(after[name], end) >= getattr(found, end) * (1 - 1e-9) - 1e-9, (name, end)


class TestAdvice:
    """What helps more than a larger machine: only where it matters, each with what it saves."""

    def codes(self, profile, **options):
        return {one.code: one for one in resources_for(profile, **options).advice}

    def test_large_values_are_split(self):
        found = self.codes(Profile(keys=100, value_bytes=3e6, writes_per_second=0.85), etcd_version="3.5")
        split = found["split-large-values"]
        assert split.figure == "memory.limit_bytes"
        assert split.after < split.before / 3
        assert {"upgrade-for-raft-log", "lower-snapshot-count"} < set(found)

    def test_the_log_of_3_6_is_not_an_upgrade_for_3_6(self):
        found = self.codes(Profile(keys=100, value_bytes=3e6, writes_per_second=0.85), etcd_version="3.6")
        assert not {"upgrade-for-raft-log", "lower-snapshot-count"} & set(found)

    def test_a_long_history_is_shortened(self):
        profile = Profile(keys=1e5, value_bytes=2_000, writes_per_second=100, history_seconds="2h")
        assert self.codes(profile)["shorter-history"].figure == "file.high_water_bytes"

    def test_lists_come_in_pages(self):
        profile = Profile(keys=1e5, value_bytes=20_000, list_keys=1e5, concurrent_lists=5, writes_per_second=1)
        assert next(iter(self.codes(profile))) == "lists-in-pages"

    def test_lists_are_streams_where_etcd_has_them(self):
        """3.7 measured: a client that lists takes 53 MB at most, however long the list is."""
        load = {"keys": 1e5, "value_bytes": 20_000, "writes_per_second": 1}
        profile = Profile(**load, list_keys=1e5, concurrent_lists=5)
        streamed = self.codes(profile, etcd_version="3.7")["lists-as-streams"]
        without = resources_for(Profile(**load, list_keys=0, concurrent_lists=0), etcd_version="3.7")
        assert streamed.before > 10e9
        assert streamed.after == pytest.approx(without.memory.limit_bytes.need + 5 * 53e6, rel=0.02)
        assert "lists-as-streams" not in self.codes(profile, etcd_version="3.6")

    def test_fewer_keys_share_a_lease(self):
        profile = Profile(keys=2e5, value_bytes=500, leases=1, keys_per_lease=150_000, writes_per_second=10)
        assert self.codes(profile)["fewer-keys-per-lease"].after < 1

    def test_events_move_to_an_etcd_of_their_own(self):
        objects = [
            {"name": "events", "count": 400_000, "value_bytes": 900, "writes_per_second": 200},
            {"name": "pods", "count": 10_000, "value_bytes": 10_000, "writes_per_second": 5},
        ]
        assert "events-apart" in self.codes(Profile(objects=objects, history_seconds=600))

    def test_a_small_load_gets_none(self):
        assert self.codes(Profile(keys=1000, value_bytes=500, writes_per_second=1, history_seconds=600)) == {}


class TestRefusals:
    """What cannot be used is refused, with what is accepted."""

    @pytest.mark.parametrize("wrong", [None, 5, {"keys": 5}, "3 keys"])
    def test_only_a_profile_or_a_workload(self, wrong):
        with pytest.raises(WorkloadTypeError, match="expected a Profile or a Workload"):
            resources_for(wrong)

    @pytest.mark.parametrize("option", ["quota_bytes", "snapshot_count", "disk_mb_per_second", "fsync_seconds"])
    @pytest.mark.parametrize("wrong", [0, -1, math.nan, True, "1GB"])
    def test_options(self, option, wrong):
        with pytest.raises(OptionError, match=f"{option}: got"):
            resources_for(MILLION, **{option: wrong})

    @pytest.mark.parametrize(
        "load",
        [Workload(clients=1.7e308), Workload(requests_per_second=1.7e308), Workload(clients=9, data_bytes=1.7e308)],
    )
    def test_a_load_beyond_all_numbers(self, load):
        with pytest.raises(InvalidWorkloadError, match=r"check (its unit|the units of)"):
            resources_for(load)

    def test_a_disk_that_moves_nothing(self):
        with pytest.raises(InvalidWorkloadError, match="no longer a number; check the units"):
            resources_for(MILLION, disk_mb_per_second=1e-305)


@pytest.mark.bench
class TestSpeed:
    """One answer takes at most 300 microseconds, once the coefficients are loaded.

    The least of many counts, as nothing else of a machine does: 270 to 290 on two shared cores, beside other programs,
    where a loop of Python takes 145. Held: 2.2 times that loop in the same run.
    """

    def test_a_warm_answer(self):
        resources_for(MILLION)
        ours = min(seconds(lambda: resources_for(MILLION)) for _ in range(2_000))
        assert ours <= 2.2 * min(seconds(lambda: [number * number % 7 for number in range(5_000)]) for _ in range(500))


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
