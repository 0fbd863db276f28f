"""What members wait for is weighed before a disk is called slow, and what else ails them is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import member

from etcdsize import Histogram, Observation, Scrape, combine_scrapes, read_metrics
from etcdsize.reports.observation import render_observation

GB = 10**9
BOUNDS = (0.001, 0.008, 0.016, 0.064, 0.4)


def durations(seconds: float, count: int = 1000) -> Histogram:
    """Return a histogram of so many durations, all in the bucket of one."""
    return Histogram(upper_bounds_seconds=BOUNDS, counts=(*(count * (bound >= seconds) for bound in BOUNDS), count))


ZERO = {
    **{"wal_fsync": durations(1, 0), "backend_commit": durations(1, 0), "wal_bytes": 0, "cpu_seconds": 0},
    **{"failed_proposals": 0, "applied_proposals": 0, "open_files": 40, "watch_streams": 5},
}


def observed(after: dict, before: dict | None = None, *, seconds: float | None = 10) -> Observation:
    """Return the observation of a member between two scrapes; what is not said stays 0."""
    known = {"member_id": "a", "calls": {"KV.Put": 1}, "has_leader": True, "started_unix_seconds": 1}
    first, second = (Scrape(**known | ZERO | fields) for fields in (before or {}, after))
    return combine_scrapes({"a": first}, {"a": second}, seconds=seconds)


def said(observation: Observation) -> dict[str, str]:
    usual = ("short-observation", "clients-estimated", "clients-unknown", "lifetime-average", "member-unknown")
    return {notice.code: notice.text for notice in observation.notices if notice.code not in usual}


SLOW_FSYNC, FAST_FSYNC = {"wal_fsync": durations(0.05)}, {"wal_fsync": durations(0.0005)}
SLOW_COMMIT = {"backend_commit": durations(0.3)}
QUIET = {"cpu_seconds": 5, "usable_cores": 4, "wal_bytes": 1000 * 4096}


class TestHundredDurations:
    """A p99 needs a hundred durations at least: of the interval, else since the start, else it is unknown."""

    @given(st.integers(0, 300), st.integers(0, 300), st.sampled_from(["wal_fsync", "backend_commit", "peer_rtt"]))
    def test_with_fewer_it_is_unknown(self, before, more, kind):
        def of(count: int) -> dict:
            histogram = durations(0.3, count)
            return {kind: {"b": histogram} if kind == "peer_rtt" else histogram}

        observation = observed(of(before + more), of(before))
        (one,) = observation.members
        seconds = getattr(one, f"{kind}_p99_seconds")
        assert (seconds is None) == (before + more < 100)
        assert (kind in one.since_start) == (more < 100 <= before + more)
        assert getattr(observation, f"{kind}_p99_seconds") == seconds
        named = any(code.startswith("slow-") for code in said(observation))
        assert named == (before + more >= 100)

    def test_of_the_interval_where_enough_was_measured(self):
        slow_before = {"wal_fsync": durations(0.3, 5000)}
        total = Histogram(upper_bounds_seconds=BOUNDS, counts=(100, 100, 100, 100, 5100, 5100))
        observation = observed({"wal_fsync": total}, slow_before)
        assert observation.wal_fsync_p99_seconds < 0.001
        assert said(observation) == {}

    def test_peers_with_too_few_round_trips_are_left_out(self):
        observation = observed({"peer_rtt": {"b": durations(0.3, 99), "c": durations(0.005, 100)}})
        assert observation.peer_rtt_p99_seconds < 0.008

    def test_slow_network(self):
        rtt = {"b": durations(0.005), "c": durations(0.3)}
        assert said(observed({"peer_rtt": rtt}, {"peer_rtt": {name: durations(1, 0) for name in rtt}})) == {
            "slow-network": "a: the round trip to another member takes 397 ms (p99), expected below 150 ms: the "
            "network is slow."
        }


class TestSlowDisk:
    """A disk is called slow only where its fsyncs are slow, small, and not waiting for a CPU."""

    def test_slow_fsyncs_are_those_of_a_slow_disk(self):
        assert said(observed(QUIET | SLOW_FSYNC)) == {
            "slow-wal-fsync": "a: a WAL fsync takes 63.5 ms (p99), expected below 10 ms: the disk is slow."
        }

    def test_slow_commits_with_slow_fsyncs_are_too(self):
        assert said(observed(QUIET | SLOW_FSYNC | SLOW_COMMIT)) == {
            "slow-wal-fsync": "a: a WAL fsync takes 63.5 ms (p99), expected below 10 ms: the disk is slow.",
            "slow-backend-commit": "a: a backend commit takes 397 ms (p99), expected below 25 ms: the disk is slow.",
        }

    def test_slow_commits_with_fast_fsyncs_are_not(self):
        (text,) = said(observed(QUIET | FAST_FSYNC | SLOW_COMMIT)).values()
        assert text.startswith(
            "a: a backend commit takes 397 ms (p99), expected below 25 ms, but a WAL fsync takes 0.99 ms (p99), so the "
            "disk is not slow."
        )
        assert set(said(observed(QUIET | FAST_FSYNC | SLOW_COMMIT))) == {"slow-commits-alone"}

    def test_slow_commits_without_fsyncs_are_unexplained(self):
        few = QUIET | SLOW_COMMIT | {"wal_fsync": durations(0.05, 99)}
        assert said(observed(few)) == {
            "slow-commits-alone": "a: a backend commit takes 397 ms (p99), expected below 25 ms. Whether the disk is "
            "slow is unknown: fewer than 100 WAL fsyncs were measured."
        }

    @pytest.mark.parametrize("waits", [SLOW_FSYNC, FAST_FSYNC | SLOW_COMMIT, SLOW_FSYNC | SLOW_COMMIT])
    def test_large_writes_are_not(self, waits):
        texts = said(observed(QUIET | waits | {"wal_bytes": 1000 * 250_000}))
        assert set(texts) == {"large-writes"}
        assert "each fsync writes 250 kB on average" in texts["large-writes"]
        assert set(said(observed(QUIET | waits | {"wal_bytes": 1000 * 249_000}))) != {"large-writes"}

    @pytest.mark.parametrize("waits", [SLOW_FSYNC, FAST_FSYNC | SLOW_COMMIT, SLOW_FSYNC | SLOW_COMMIT])
    def test_cpu_at_its_limit_is_not(self, waits):
        texts = said(observed(QUIET | waits | {"cpu_seconds": 37, "usable_cores": 4}))
        assert set(texts) == {"cpu-at-limit"}
        assert texts["cpu-at-limit"].startswith("a: the process used 3.7 of the 4 cores that it may use: ")
        assert texts["cpu-at-limit"].endswith("which includes waits for the CPU and does not show a slow disk.")

    def test_cpu_at_its_limit_is_named_by_itself(self):
        assert said(observed({"cpu_seconds": 36, "usable_cores": 4})) == {
            "cpu-at-limit": "a: the process used 3.6 of the 4 cores that it may use: give it more cores, or spread the "
            "load."
        }
        assert said(observed({"cpu_seconds": 35, "usable_cores": 4})) == {}

    @pytest.mark.parametrize(
        ("fields", "cause"),
        [
            ({"cpu_seconds": 8, "usable_cores": None}, "the disk is slow."),
            *(
                (
                    {"cpu_seconds": seconds, "usable_cores": None},
                    f"the disk is slow, unless the process may use no more than the {cores} that it used, which etcd "
                    "reports only since 3.6.",
                )
                for seconds, cores in ((19, "1.9 cores"), (10, "1 core"))
            ),
            (
                {"cpu_seconds": None},
                "the disk was slow, or the CPU was at its limit, which is not known for the time since the start.",
            ),
        ],
    )
    def test_what_is_unknown_of_the_cpu_is_said(self, fields, cause):
        (text,) = said(observed(QUIET | SLOW_FSYNC | fields)).values()
        assert text.endswith(f"expected below 10 ms: {cause}")

    def test_one_scrape_knows_nothing_of_the_cpu(self):
        one = Scrape(member_id="a", calls={"KV.Put": 1}, **QUIET | SLOW_FSYNC)
        texts = said(combine_scrapes({"a": one}))
        assert texts["slow-wal-fsync"] == (
            "a: a WAL fsync takes 63.5 ms (p99 since it started), expected below 10 ms: the disk was slow, or the CPU "
            "was at its limit, which is not known for the time since the start."
        )

    @given(
        *(st.sampled_from([0.0005, 0.007, 0.01, 0.05, 0.3]) for _ in range(2)),
        st.sampled_from([0, 20, 36, 40]),
        st.sampled_from([4096, 250_000, 10**6]),
    )
    def test_slow_twin(self, fsync, commit, cpu, size):
        """The rule once more: a disk is slow if fsyncs are, and neither the CPU nor the size of a write explains it."""
        fields = {"wal_fsync": durations(fsync), "backend_commit": durations(commit)}
        observation = observed(fields | {"cpu_seconds": cpu, "usable_cores": 4, "wal_bytes": 1000 * size})
        is_slow = observation.wal_fsync_p99_seconds >= 0.01 and cpu < 36 and size < 250_000
        assert any(text.endswith(": the disk is slow.") for text in said(observation).values()) == is_slow


class TestOtherFigures:
    """Memory, keys, watchers, streams and proposals: read, reported, and named where something is wrong."""

    PAGE = """\
etcd_server_proposals_pending 7
etcd_server_proposals_failed_total 3
etcd_server_proposals_applied_total 900
etcd_disk_wal_write_bytes_total 9000
etcd_debugging_lease_renewed_total 11
etcd_debugging_mvcc_keys_total 12345
etcd_debugging_mvcc_slow_watcher_total 2
go_sched_gomaxprocs_threads 4
process_open_fds 31
process_resident_memory_bytes 5.0331648e+07
"""

    def test_they_are_read_from_the_page(self):
        scrape = read_metrics(member("a1", leader=True, more=self.PAGE))
        assert (scrape.pending_proposals, scrape.failed_proposals, scrape.applied_proposals) == (7, 3, 900)
        assert (scrape.wal_bytes, scrape.lease_renewals, scrape.keys, scrape.slow_watchers) == (9000, 11, 12345, 2)
        assert (scrape.usable_cores, scrape.open_files, scrape.resident_bytes) == (4, 31, 50_331_648)

    def test_they_are_reported(self):
        scrape = read_metrics(member("a1", leader=True, more=self.PAGE))
        report = render_observation(combine_scrapes({"a": scrape}, {"a": scrape}, seconds=1))
        assert "\nkeys      12345\n" in report
        assert "\nmemory    50.331648 MB resident, of the member that uses most\n" in report
        assert "\nhealth    2 slow watchers, 7 pending proposals, 0 failed proposals\n" in report

    def test_without_them_they_are_unknown(self):
        scrape = read_metrics(member("a1", leader=True))
        observation = combine_scrapes({"a": scrape}, {"a": scrape}, seconds=1)
        for name in ("resident_bytes", "keys", "slow_watchers", "pending_proposals", "failed_proposals"):
            assert getattr(observation, name) is None
        report = render_observation(observation)
        assert not any(word in report for word in ("\nkeys", "\nmemory ", "\nhealth"))

    @pytest.mark.parametrize(
        ("after", "before", "code", "text"),
        [
            (
                {"resident_bytes": 9 * GB},
                {},
                "resident-memory",
                "a: its process uses 9 GB of memory, more than the 8 GB that are typically enough: choose a machine "
                "with more memory than that.",
            ),
            ({"keys": 1_000_000}, {}, "many-keys", None),
            ({"slow_watchers": 3}, {"slow_watchers": 1}, "slow-watchers", None),
            ({"watch_streams": 85, "open_files": 41}, {}, "watch-streams-grow", None),
            ({"watch_streams": 15, "open_files": 44}, {}, "watch-streams-grow", None),
            # As many wait as are applied in a second.
            ({"pending_proposals": 20, "applied_proposals": 200}, {"pending_proposals": 20}, "pending-proposals", None),
            ({"cpu_seconds": 36, "usable_cores": 4}, {}, "cpu-at-limit", None),
            (
                {"pending_proposals": 30},
                {"pending_proposals": 25},
                "pending-proposals",
                "a: 25 writes or more waited to be committed in both scrapes, and none was applied: the load is too "
                "high, or there is no quorum.",
            ),
            ({"pending_proposals": 30, "applied_proposals": 200}, {"pending_proposals": 25}, "pending-proposals", None),
            (
                {"failed_proposals": 2},
                {},
                "failed-proposals",
                "a: 2 writes failed within 10 s: they timed out, their clients gave up, or there was no leader.",
            ),
        ],
    )
    def test_notice(self, after, before, code, text):
        texts = said(observed(after, before))
        assert set(texts) == {code}
        assert text in (None, texts[code])

    @pytest.mark.parametrize(
        ("after", "before"),
        [
            ({"resident_bytes": 8 * GB, "keys": 999_999}, {}),
            # A watcher that starts in the past lags for a moment.
            ({"slow_watchers": 0}, {"slow_watchers": 9}),
            ({"slow_watchers": 9}, {"slow_watchers": 0}),
            # New clients open connections.
            ({"watch_streams": 85, "open_files": 120}, {}),
            ({"watch_streams": 14}, {}),
            ({"watch_streams": 15, "open_files": 45}, {}),
            ({"pending_proposals": 19, "applied_proposals": 200}, {"pending_proposals": 19}),
            ({"cpu_seconds": 35.9, "usable_cores": 4}, {}),
            # Writes that are under way, and are done soon.
            ({"pending_proposals": 5, "applied_proposals": 2000}, {"pending_proposals": 9}),
            ({"pending_proposals": 0}, {"pending_proposals": 9}),
        ],
    )
    def test_nothing_to_say(self, after, before):
        assert said(observed(after, before)) == {}

    def test_two_scrapes_tell_what_happened_without_the_time_between_them(self):
        after = {"failed_proposals": 2, "slow_watchers": 3, "watch_streams": 85, "open_files": 41, "leader_changes": 4}
        texts = said(observed(after, {"slow_watchers": 1, "leader_changes": 3}, seconds=None))
        assert set(texts) == {"failed-proposals", "slow-watchers", "watch-streams-grow", "leader-changed"}
        assert texts["failed-proposals"].startswith("a: 2 writes failed between the two scrapes: they timed out")
        assert "watch streams grew from 5 to 85 between the two scrapes, while" in texts["watch-streams-grow"]

    def test_one_scrape_does_not_tell_what_lasts_or_grows(self):
        fields = {"slow_watchers": 9, "pending_proposals": 9, "failed_proposals": 9, "watch_streams": 900}
        assert said(combine_scrapes({"a": Scrape(member_id="a", calls={"KV.Put": 1}, **fields)})) == {}

    @pytest.mark.parametrize("missing", ["first", "second"])
    def test_member_of_which_one_scrape_is_missing(self, missing):
        """What was seen once may not last. If every member is scraped once, its figures are known all the same."""
        one = Scrape(member_id="a", calls={"KV.Put": 1}, slow_watchers=9, pending_proposals=9)
        scrapes = {"first": {"a": one}, "second": {"a": one}} | {missing: {"a": "is down"}}
        observation = combine_scrapes(**scrapes, seconds=10)
        assert (observation.slow_watchers, observation.pending_proposals) == (None, None)
        assert said(observation) == {}
        once = combine_scrapes({"a": one})
        assert (once.slow_watchers, once.pending_proposals) == (9, 9)

    def test_a_restart_in_between_says_nothing_of_growth(self):
        after = {"started_unix_seconds": 500, "watch_streams": 90, "failed_proposals": 5}
        assert set(said(observed(after))) == {"member-restarted"}
