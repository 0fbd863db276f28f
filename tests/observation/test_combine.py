"""From scrapes to a load: never negative, never doubled, in whatever order; what is unknown stays unknown."""

from __future__ import annotations

import contextlib
import json
import math
import pickle
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import member
from servers import answering, serving

from etcdsize import (
    EtcdSizeError,
    Histogram,
    InvalidWorkloadError,
    Observation,
    OptionError,
    Scrape,
    Sizing,
    Workload,
    combine_scrapes,
    read_endpoint_status,
    read_metrics,
    size,
)
from etcdsize.reports.observation import render_observation
from etcdsize.reports.sizing import render_sizing

OBSERVED = Path(__file__).parents[2] / "docs" / "examples" / "observed"


def captured(when: str) -> dict[str, Scrape]:
    return {
        name: read_metrics((OBSERVED / f"{name}-{when}.txt").read_text()) for name in ("infra0", "infra1", "infra2")
    }


def codes(observation: Observation) -> list[str]:
    return [notice.code for notice in observation.notices]


def texts(observation: Observation | Sizing, code: str) -> list[str]:
    return [notice.text for notice in observation.notices if notice.code == code]


def scrape(member: str = "a", ranges: int = 0, **fields) -> Scrape:
    known = {"started_unix_seconds": 1000, "calls": {"KV.Range": ranges}, "version": "3.6.16", "has_leader": True}
    return Scrape(member_id=member, **(known | fields))


class TestCaptured:
    """Six clients did 40 requests a second each, nine watched, three kept a lease alive: 240.3 requests a second."""

    status = read_endpoint_status((OBSERVED / "status.json").read_text())
    observation = combine_scrapes(captured("before"), captured("after"), seconds=10.012, status=status)

    def test_requests(self):
        assert self.observation.requests_per_second == pytest.approx(240.3, rel=0.01)
        assert (self.observation.requests_bound, self.observation.requests_over) == ("exact", "interval")
        calls = self.observation.calls_per_second
        for method in ("Put", "Range", "Txn"):
            assert calls[f"KV.{method}"] == pytest.approx(80, rel=0.01)
        assert calls["Lease.LeaseKeepAlive"] == pytest.approx(0.3, rel=0.01)

    def test_data_is_that_of_the_member_that_has_most(self):
        members = self.observation.members
        assert self.observation.data_bytes == max(member.data_bytes for member in members)
        assert self.observation.data_bytes < sum(member.data_bytes for member in members)
        assert self.observation.quota_bytes == 2**31

    def test_streams_are_summed_and_never_added_to_one_another(self):
        assert (self.observation.watch_streams, self.observation.lease_streams) == (9, 3)
        clients = self.observation.clients
        assert (clients.count, clients.counted_by, clients.bound) == (9, "streams", "estimate")

    def test_waits(self):
        assert 0.001 < self.observation.wal_fsync_p99_seconds < 0.002
        assert self.observation.members[0].since_start == ("backend_commit",)
        # 46 seconds are too few for a hundred round trips.
        assert self.observation.peer_rtt_p99_seconds is None

    def test_notices(self):
        assert codes(self.observation) == [
            *("short-observation", "clients-estimated", "etcd-support-ends", "etcd-unsafe-patch")
        ]
        assert self.observation.cluster_id == "29a3eebdf6d85d8c"
        assert (self.observation.member_count, self.observation.problems) == (3, ())

    def test_it_is_sized(self):
        sizing = size(self.observation.workload(), provider="aws")
        assert (sizing.tier, sizing.forced_by) == ("medium", ("requests_per_second",))

    def test_it_turns_to_json_and_back(self):
        assert Observation.model_validate_json(self.observation.model_dump_json()) == self.observation
        assert pickle.loads(pickle.dumps(self.observation)) == self.observation

    def test_the_order_does_not_matter(self):
        before, after = captured("before"), captured("after")
        turned = combine_scrapes(
            dict(reversed(before.items())), dict(reversed(after.items())), seconds=dict.fromkeys(before, 10.012)
        )
        for name in ("requests_per_second", "data_bytes", "clients", "calls_per_second", "wal_fsync_p99_seconds"):
            assert getattr(turned, name) == getattr(self.observation, name)


# What a member did, written down event by event: the time of each call, and of each start of its process.
HORIZON = 100
lives = st.tuples(st.lists(st.integers(0, HORIZON), max_size=60), st.sets(st.integers(1, HORIZON), max_size=3))


def counted(calls: list[int], starts: set[int], at: int, *, reports_start: bool) -> Scrape:
    """Return what the member's own counter says at a time: the calls since its last start."""
    start = max((one for one in starts if one <= at), default=-1000)
    # The processor time of a process rises all the time.
    return Scrape(
        member_id="a",
        started_unix_seconds=10_000 + start if reports_start else None,
        calls={"KV.Put": sum(start <= call <= at for call in calls)},
        cpu_seconds=(at - start) / 1000 if reports_start else None,
    )


class TestRates:
    """A counter starts again at 0 with its process."""

    @given(lives, st.integers(0, HORIZON - 1), st.integers(1, HORIZON), st.booleans())
    def test_against_what_was_done(self, life, first, length, told):
        """The slow twin counts every call between the two scrapes. Without a restart the rate is exact; with one it is
        a lower bound. It is never negative, and never more than what was done."""
        calls, starts = life
        last = min(first + length, HORIZON)
        before, after = (
            counted(calls, starts, first, reports_start=told),
            counted(calls, starts, last, reports_start=told),
        )
        (member,) = combine_scrapes({"a": before}, {"a": after}, seconds=last - first).members
        done = sum(first < call <= last for call in calls)
        rate = member.requests_per_second * (last - first)
        again = any(first < start <= last for start in starts)
        assert -1e-9 <= rate <= done + 1e-9
        if not again:
            assert rate == pytest.approx(done)
            assert (member.restarted, member.requests_bound) == (False, "exact")
        if member.restarted:
            assert again
            assert member.requests_bound == "lower"
        if again and told:
            # A process that starts within a second and a half of another did little in between.
            gap = max(s for s in starts if s <= last) - max((s for s in starts if s <= first), default=-1000)
            assert member.restarted or gap <= 1.5

    @given(st.lists(lives, min_size=1, max_size=5), st.randoms())
    def test_members_are_summed_in_any_order(self, all_lives, random):
        names = [f"m{number}" for number in range(len(all_lives))]
        first = {name: counted(*life, 20, reports_start=True) for name, life in zip(names, all_lives, strict=True)}
        second = {name: counted(*life, 80, reports_start=True) for name, life in zip(names, all_lives, strict=True)}
        first, second = (
            {name: one.model_copy(update={"member_id": name}) for name, one in half.items()} for half in (first, second)
        )
        one = combine_scrapes(first, second, seconds=60)
        assert one.requests_per_second == pytest.approx(sum(m.requests_per_second for m in one.members))
        random.shuffle(names)
        other = combine_scrapes({n: first[n] for n in names}, {n: second[n] for n in names}, seconds=60)
        assert other.requests_per_second == one.requests_per_second

    def test_a_clock_that_was_set_is_no_restart_that_doubles(self):
        """The start moved, and nothing fell: what is above the first count did come after it, and no more."""
        before = scrape(ranges=1_000_000, cpu_seconds=500)
        after = scrape(ranges=1_000_050, cpu_seconds=501, started_unix_seconds=5_000)
        (member,) = combine_scrapes({"a": before}, {"a": after}, seconds=10).members
        assert (member.requests_per_second, member.requests_bound, member.restarted) == (5, "lower", True)

    def test_a_clock_that_is_set_by_a_second_is_none_at_all(self):
        (member,) = combine_scrapes(
            {"a": scrape(ranges=100)}, {"a": scrape(ranges=200, started_unix_seconds=1001)}, seconds=10
        ).members
        assert (member.requests_per_second, member.restarted) == (10, False)

    def test_one_counter_that_falls_leaves_the_others_their_difference(self):
        before = scrape(calls={"KV.Put": 5, "KV.Range": 1_000_000})
        after = scrape(calls={"KV.Put": 3, "KV.Range": 1_000_010})
        (member,) = combine_scrapes({"a": before}, {"a": after}, seconds=1).members
        assert member.calls_per_second == {"KV.Put": 3, "KV.Range": 10}
        assert member.restarted

    def test_a_restart_is_named(self):
        observation = combine_scrapes(
            {"http://a:2379": scrape(ranges=500), "http://b:2379": scrape("b", 500)},
            {"http://a:2379": scrape(ranges=60, started_unix_seconds=2000), "http://b:2379": scrape("b", 700)},
            seconds=10,
        )
        assert observation.requests_per_second == 26
        assert observation.requests_bound == "lower"
        (text,) = texts(observation, "member-restarted")
        assert text.startswith("http://a:2379: restarted while it was observed, or its clock was set. Its")

    @pytest.mark.parametrize(("applied", "rate"), [(1_000_300, 30), (1_000_000, 0), (999_999, None), (None, None)])
    @pytest.mark.parametrize("again", [{}, {"started_unix_seconds": 2000, "cpu_seconds": 1}], ids=["stays", "restarts"])
    def test_index_that_is_applied_goes_on_after_a_restart(self, applied, rate, again):
        """etcd sets it to the index of the Raft log; it falls only if the member was made anew."""
        before = scrape(applied_proposals=1_000_000, cpu_seconds=50)
        after = scrape(applied_proposals=applied, **({"cpu_seconds": 51} | again))
        (member,) = combine_scrapes({"a": before}, {"a": after}, seconds=10).members
        assert member.applied_per_second == rate

    def test_a_method_that_is_new(self):
        after = scrape(calls={"KV.Range": 10, "KV.RangeStream": 5})
        (member,) = combine_scrapes({"a": scrape(ranges=10)}, {"a": after}, seconds=5).members
        assert member.calls_per_second == {"KV.Range": 0, "KV.RangeStream": 1}


class TestOneScrape:
    """One scrape gives an average since the start, and says so."""

    def test_lifetime(self):
        observation = combine_scrapes({"a": scrape(ranges=5_000, taken_unix_seconds=2_000)})
        assert (observation.requests_per_second, observation.requests_over) == (5, "lifetime")
        assert observation.interval_seconds is None
        assert "lifetime-average" in codes(observation)

    def test_without_the_time_there_is_no_rate(self):
        observation = combine_scrapes({"a": scrape(ranges=5_000, data_bytes=50)})
        assert (observation.requests_per_second, observation.requests_bound, observation.requests_over) == (None,) * 3
        (text,) = texts(observation, "member-unknown")
        assert "a single scrape gives no rate without its time" in text
        assert observation.workload().data_bytes == 50

    @pytest.mark.parametrize("taken", [1_000, 500])
    def test_a_clock_behind_the_start_gives_no_rate(self, taken):
        assert combine_scrapes({"a": scrape(taken_unix_seconds=taken)}).requests_per_second is None


class TestMissingMembers:
    """A member that is missing is named, the rest answers, and the answer is a lower bound."""

    def test_down_the_second_time(self):
        first = {"a": scrape(ranges=10, data_bytes=7), "b": scrape("b", 10, data_bytes=900)}
        observation = combine_scrapes(first, {"a": scrape(ranges=60, data_bytes=8), "b": "is down"}, seconds=10)
        assert (observation.requests_per_second, observation.requests_bound) == (5, "lower")
        # What it said at first is still the most that any member said.
        assert observation.data_bytes == 900
        assert [member.endpoint for member in observation.problems] == ["b"]

    def test_down_the_first_time(self):
        second = {"a": scrape(ranges=60), "b": scrape("b", 1_000_000)}
        observation = combine_scrapes({"a": scrape(ranges=10), "b": "is down"}, second, seconds=10)
        assert observation.requests_per_second == 5

    def test_all_are_down(self):
        observation = combine_scrapes({"a": "is down", "b": "is cut off"}, {"a": "is down", "b": "?"}, seconds=10)
        assert not observation.is_known
        with pytest.raises(InvalidWorkloadError) as caught:
            observation.workload()
        assert str(caught.value) == "the workload is unknown: a: is down; b: is cut off"

    def test_members_that_were_not_asked(self):
        one = scrape(peers=("b", "c"))
        observation = combine_scrapes({"a": one}, {"a": one}, seconds=10)
        assert (observation.requests_bound, observation.member_count) == ("lower", 3)
        assert texts(observation, "member-not-asked")[0].startswith(
            "The members are connected to 2 others that were not observed: b, c."
        )

    def test_one_that_does_not_answer_may_be_the_one_that_was_not_asked(self):
        one = scrape(peers=("b", "c"))
        asked = {"a": one, "b": "is cut off", "c": "is cut off"}
        observation = combine_scrapes(asked, asked, seconds=10)
        assert observation.member_count == 3
        assert "member-not-asked" not in codes(observation)

    def test_a_load_balancer(self):
        observation = combine_scrapes({"lb": scrape("a", 10)}, {"lb": scrape("b", 1_000_000)}, seconds=10)
        assert observation.requests_per_second is None
        assert "answered as member a, then as member b" in observation.problems[0].problem


class TestSameMemberTwice:
    """localhost and 127.0.0.1 may be one member: it is counted once."""

    @given(st.permutations(["one", "two", "three"]))
    def test_never_doubled(self, names):
        first = {name: scrape(ranges=10, watch_streams=4) for name in names}
        second = {name: scrape(ranges=60, watch_streams=4) for name in names}
        observation = combine_scrapes(first, second, seconds=10)
        assert (observation.requests_per_second, observation.watch_streams, observation.member_count) == (5, 4, 1)
        assert [member.endpoint for member in observation.members] == ["one"]
        assert texts(observation, "same-member-twice") == [
            "three is the same member as one; it is counted once.",
            "two is the same member as one; it is counted once.",
        ]

    def test_the_one_that_answered_twice_is_kept(self):
        first = {"one": scrape(ranges=10), "two": scrape(ranges=10)}
        observation = combine_scrapes(first, {"one": "is down", "two": scrape(ranges=60)}, seconds=10)
        assert (observation.requests_per_second, observation.requests_bound) == (5, "exact")

    def test_without_an_id_by_its_start(self):
        half = {name: scrape(None, 10) for name in ("one", "two")}
        assert len(combine_scrapes(half, half, seconds=10).members) == 1


class TestClients:
    """The most trustworthy count is used: given, sockets, streams, unknown; each has its bound."""

    one = scrape(watch_streams=7, lease_streams=9)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"clients": 40, "sockets": 30}, (40, "given", "exact")),
            ({"sockets": 30}, (30, "sockets", "upper")),
            ({"sockets": 0}, (0, "sockets", "upper")),
            ({}, (9, "streams", "estimate")),
        ],
    )
    def test_the_most_trustworthy_count_is_used(self, options, expected):
        clients = combine_scrapes({"a": self.one}, {"a": self.one}, seconds=1, **options).clients
        assert (clients.count, clients.counted_by, clients.bound) == expected

    def test_no_stream_is_not_no_client(self):
        one = scrape(watch_streams=0, lease_streams=0)
        observation = combine_scrapes({"a": one}, {"a": one}, seconds=1)
        assert (observation.clients.count, observation.clients.counted_by) == (None, "unknown")
        assert "clients-unknown" in codes(observation)
        sizing = size(observation.workload())
        assert "unknown-dimension" in [notice.code for notice in sizing.notices]


MIB = 1024**2


class TestNotices:
    """What to beware of, each by its own sign."""

    def of(self, second: dict, first: dict | None = None, seconds: float = 10) -> Observation:
        return combine_scrapes(first or second, second, seconds=seconds)

    @pytest.mark.parametrize(
        ("fields", "code", "text"),
        [
            ({"has_leader": False}, "no-leader", "a: has no leader, so it accepts no writes."),
            (
                {"total_bytes": 1_900 * MIB, "data_bytes": 1_800 * MIB, "quota_bytes": 2048 * MIB},
                "quota-nearly-full",
                "a: the database file fills 92.8% of the quota of 2.147483648 GB; when the "
                "quota is full, etcd accepts no more writes.",
            ),
            ({"total_bytes": 101 * MIB, "data_bytes": 50 * MIB}, "defragment", None),
            ({"version": "3.5.1"}, "etcd-unsafe-patch", None),
            ({"version": "3.5.1"}, "etcd-support-ends", "etcd 3.5 is supported until 2027-07."),
            ({"version": "3.5.99"}, "etcd-newer-patch", None),
            ({"version": "3.4.23"}, "etcd-out-of-support", None),
            (
                {"version": "3.3.10"},
                "etcd-unknown-version",
                "etcd 3.3.10 is not one of the known versions, 3.4, 3.5, 3.6, 3.7: its metrics may mean something "
                "else.",
            ),
        ],
    )
    def test_one_member(self, fields, code, text):
        observation = self.of({"a": scrape(**fields)})
        assert code in codes(observation)
        assert text is None or texts(observation, code) == [text]

    @pytest.mark.parametrize(
        "fields",
        [
            {"total_bytes": 1_600 * MIB, "data_bytes": 1_600 * MIB, "quota_bytes": 2048 * MIB},
            {"total_bytes": 99 * MIB, "data_bytes": 1 * MIB},
            {},
        ],
    )
    def test_nothing_to_say(self, fields):
        assert codes(self.of({"a": scrape(**fields)})) == ["short-observation", "clients-unknown"]

    def test_what_two_patches_of_a_version_share_is_said_once(self):
        one, other = scrape("a", peers=("b",), version="3.5.34"), scrape("b", peers=("a",), version="3.5.35")
        assert codes(self.of({"a": one, "b": other})).count("etcd-support-ends") == 1

    def test_a_leader_that_changed(self):
        observation = self.of({"a": scrape(leader_changes=5)}, {"a": scrape(leader_changes=3)})
        assert texts(observation, "leader-changed") == [
            "The leader changed 2 times while the cluster was observed: check the disks and the network."
        ]

    @pytest.mark.parametrize(
        ("one", "other", "what"),
        [
            ({"version": "3.6.15"}, {"version": "3.6.16"}, "versions 3.6.15 and 3.6.16"),
            ({"quota_bytes": 2e9}, {"quota_bytes": 8e9}, "quotas of 2 GB and 8 GB"),
            ({"data_bytes": 100e6}, {"data_bytes": 200e6}, "data in use from 100 MB to 200 MB"),
        ],
    )
    def test_members_that_disagree(self, one, other, what):
        peers = {"a": {"peers": ("b",)}, "b": {"peers": ("a",)}}
        observation = self.of({"a": scrape("a", **peers["a"] | one), "b": scrape("b", **peers["b"] | other)})
        assert texts(observation, "members-disagree") == [f"The members disagree: {what}."]

    def test_members_that_differ_a_little_agree(self):
        for least, most in ((100e6, 110e6), (80e6, 100e6), (1e6, 1e6 + 16 * 2**20)):
            one, other = scrape("a", data_bytes=least, peers=("b",)), scrape("b", data_bytes=most, peers=("a",))
            assert "members-disagree" not in codes(self.of({"a": one, "b": other}))


class TestStatus:
    """The endpoint status fills in what the metrics lack, names the cluster, and adds members that have no metrics."""

    @staticmethod
    def status(member: int, cluster: int = 1, **fields):
        header = {"cluster_id": cluster, "member_id": member}
        return read_endpoint_status(
            [{"Endpoint": f"http://s{member}:2379", "Status": {"header": header, "version": "3.5.33", **fields}}]
        )

    def test_fills_in(self):
        one = scrape("a", data_bytes=None, total_bytes=5)
        (member,) = combine_scrapes(
            {"x": one}, {"x": one}, seconds=1, status=self.status(10, dbSizeInUse=70, dbSize=90, errors=["NOSPACE"])
        ).members
        assert (member.data_bytes, member.total_bytes, member.errors) == (70, 5, ("NOSPACE",))

    def test_adds_members(self):
        one = scrape("a", 5)
        observation = combine_scrapes({"x": one}, {"x": one}, seconds=1, status=self.status(11, dbSizeInUse=70))
        assert (observation.data_bytes, observation.requests_bound) == (70, "lower")
        assert observation.problems[0].endpoint == "http://s11:2379"

    def test_two_clusters(self):
        one = scrape("a")
        status = [*self.status(10), *self.status(11, cluster=2)]
        observation = combine_scrapes({"x": one}, {"x": one}, seconds=1, status=status)
        (text,) = texts(observation, "several-clusters")
        assert "they belong to 2 clusters: http://s10:2379; http://s11:2379. Observe each cluster by itself" in text
        assert not observation.is_known


class TestInexactLoads:
    """A load that is an upper bound or an estimate is shown as one, and never decides a tier in silence."""

    QUIET: ClassVar[dict] = {"calls": {"KV.Range": 0}, "data_bytes": 20_000, "total_bytes": 50_000_000}

    def sizing(self, **options) -> Sizing:
        before = Scrape(member_id="a", watch_streams=150, **self.QUIET)
        return size(combine_scrapes({"a": before}, {"a": before}, seconds=10, **options).workload())

    @pytest.mark.parametrize(
        ("options", "line", "forced"),
        [
            ({}, "about 150 clients  ", "clients (an estimate) alone; the rest needs small"),
            ({"sockets": 150}, "at most 150 clients  ", "clients (an upper bound) alone; the rest needs small"),
        ],
    )
    def test_50_clients_that_were_counted_as_150(self, options, line, forced):
        sizing = self.sizing(**options)
        assert (sizing.tier, sizing.forced_by) == ("medium", ("clients",))
        text = render_sizing(sizing)
        assert f"\n{line}" in text
        assert f"\nforced by  {forced}\n" in text
        (notice,) = [notice for notice in sizing.notices if notice.code == "inexact-load-decides"]
        assert notice.text.startswith(
            f"Only {forced.partition(' alone')[0]} needs the tier medium; the rest needs small:"
        )
        assert sizing.explain().startswith(
            f"{line.strip().capitalize()}, 0 requests/s and 20 kB of data need the medium"
        )

    @pytest.mark.parametrize(
        ("workload", "result"),
        [
            ({"clients": 150, "clients_bound": "estimate"}, "may be too low or too high"),
            ({"clients": 150, "clients_bound": "upper"}, "may be too low or too high"),
            ({"clients": 150, "clients_bound": "lower"}, "is a lower bound"),
            ({"clients": 150}, "is a lower bound"),
            ({"clients": 50, "clients_bound": "estimate"}, "is a lower bound"),
            ({"clients": 150, "clients_bound": "estimate", "data_bytes": "400MB"}, "is a lower bound"),
        ],
    )
    def test_a_tier_is_a_lower_bound_if_the_loads_that_need_it_are_none_that_may_be_lower(self, workload, result):
        (text,) = texts(size(Workload(**workload)), "unknown-dimension")
        assert text.endswith(f" The other dimensions decide, so the tier {result}.")

    @pytest.mark.parametrize("options", [{"clients": 150}, {"sockets": 50}])
    def test_exact_load_or_smallest_tier_has_no_notice(self, options):
        assert "inexact-load-decides" not in [notice.code for notice in self.sizing(**options).notices]

    @given(
        st.lists(st.sampled_from([0, 50, 300, 5_000, 10**10]), min_size=3, max_size=3),
        st.lists(st.sampled_from(["exact", "upper", "lower", "estimate"]), min_size=3, max_size=3),
    )
    def test_notice_is_there_if_the_tier_could_be_smaller(self, loads, bounds):
        """The slow twin sizes the cluster again with as little as the inexact loads may be."""
        names = ("clients", "requests_per_second", "data_bytes")
        workload = Workload(
            **dict(zip(names, loads, strict=True)),
            **dict(zip(("clients_bound", "requests_bound", "data_bound"), bounds, strict=True)),
        )
        sizing = size(workload)
        least = [0 if bound in ("upper", "estimate") else load for load, bound in zip(loads, bounds, strict=True)]
        smaller = size(**dict(zip(names, least, strict=True))).tier != sizing.tier
        assert ("inexact-load-decides" in [notice.code for notice in sizing.notices]) == smaller

    def test_file_that_stands_for_the_data(self):
        one = Scrape(member_id="a", calls={"KV.Range": 0}, total_bytes=400_000_000)
        sizing = size(combine_scrapes({"a": one}, {"a": one}, seconds=10, clients=5).workload())
        assert "\nat most 400 MB of data  " in render_sizing(sizing)
        assert "inexact-load-decides" in [notice.code for notice in sizing.notices]

    def test_lower_bound(self):
        one = Scrape(member_id="a", peers=("b",), calls={"KV.Range": 0})
        two = Scrape(member_id="a", peers=("b",), calls={"KV.Range": 90_000})
        sizing = size(combine_scrapes({"a": one}, {"a": two}, seconds=10).workload())
        assert "\nat least 9000 requests/s  " in render_sizing(sizing)


class TestRejectedArguments:
    one = scrape()

    @pytest.mark.parametrize("seconds", [0, 1e-320, 9e-7, 1e9 + 1, -1, math.nan, math.inf, "10", True, {"a": 0}, {}])
    def test_seconds(self, seconds):
        accepted = "expected the time between the two scrapes, from 0.000001 to 1000000000 seconds"
        with pytest.raises(OptionError, match=rf'^seconds: got .* for "a", {accepted}$'):
            combine_scrapes({"a": self.one}, {"a": self.one}, seconds=seconds)

    @pytest.mark.parametrize("seconds", [1e-6, 1, 10**9])
    def test_the_shortest_and_the_longest_time(self, seconds):
        found = combine_scrapes({"a": self.one}, {"a": self.one}, seconds=seconds)
        assert found.interval_seconds == seconds

    @pytest.mark.parametrize("clients", [-1, math.nan, "5", True])
    def test_clients(self, clients):
        with pytest.raises(InvalidWorkloadError, match=r"^clients: got "):
            combine_scrapes({"a": self.one}, clients=clients)

    def test_unknown_time_gives_no_rate(self):
        observation = combine_scrapes({"a": self.one}, {"a": self.one})
        assert (observation.requests_per_second, observation.scrapes, observation.interval_seconds) == (None, 2, None)
        assert observation.problems[0].problem.startswith("the time between its two scrapes is unknown")

    def test_no_endpoint(self):
        with pytest.raises(OptionError, match=r"^first: got no endpoint, expected at least one$"):
            combine_scrapes({})

    def test_other_endpoints(self):
        with pytest.raises(OptionError, match=r"^second: got other endpoints than first, expected the same ones$"):
            combine_scrapes({"a": self.one}, {"b": self.one}, seconds=1)

    def test_a_time_that_is_missing(self):
        with pytest.raises(OptionError, match=r'^seconds: got None for "b"'):
            combine_scrapes({"a": self.one, "b": self.one}, {"a": self.one, "b": self.one}, seconds={"a": 1})


class TestAnyScrapes:
    """Whatever the models accept gives an observation that can be rendered and sized, or an error of etcdsize."""

    COUNT = st.integers(0, 10**299) | st.floats(0, 9e299) | st.sampled_from([5e-324, 9e299, 2**53 + 1])
    UNKNOWN = st.none() | COUNT
    NAME = st.text(max_size=4) | st.sampled_from(["a", "b"])

    @staticmethod
    def histogram(pair: tuple[list[float], list[float]]) -> Histogram:
        bounds = sorted(set(pair[0]))
        return Histogram(upper_bounds_seconds=tuple(bounds), counts=tuple(sorted(pair[1][: len(bounds) + 1])))

    HISTOGRAM = st.tuples(st.lists(st.floats(1e-300, 9e299), max_size=3), st.lists(COUNT, min_size=4, max_size=4)).map(
        histogram.__func__
    )
    SCRAPE = st.builds(
        Scrape,
        member_id=st.none() | NAME,
        version=st.none() | NAME,
        started_unix_seconds=UNKNOWN,
        taken_unix_seconds=UNKNOWN,
        calls=st.none() | st.dictionaries(NAME, COUNT, max_size=3),
        reported_by=st.sampled_from(["etcd", "etcd", "etcd", "api-server"]),
        unary_calls=UNKNOWN,
        client_requests=UNKNOWN,
        is_leader=st.none() | st.booleans(),
        is_learner=st.none() | st.booleans(),
        cpu_seconds=UNKNOWN,
        watch_streams=UNKNOWN,
        lease_streams=UNKNOWN,
        data_bytes=UNKNOWN,
        total_bytes=UNKNOWN,
        quota_bytes=UNKNOWN,
        leader_changes=UNKNOWN,
        has_leader=st.none() | st.booleans(),
        peers=st.lists(NAME, max_size=2).map(tuple),
        wal_fsync=st.none() | HISTOGRAM,
        peer_rtt=st.dictionaries(NAME, HISTOGRAM, max_size=2),
    )

    @given(
        st.lists(st.tuples(SCRAPE | NAME, SCRAPE | NAME), min_size=1, max_size=3),
        st.booleans(),
        st.floats(1e-6, 1e9),
        UNKNOWN,
    )
    def test_they_end_in_no_other_error(self, pairs, twice, seconds, clients):
        first = {f"e{number}": pair[0] for number, pair in enumerate(pairs)}
        second = {f"e{number}": pair[1] for number, pair in enumerate(pairs)} if twice else None
        with contextlib.suppress(EtcdSizeError):
            observation = combine_scrapes(first, second, seconds=seconds, clients=clients)
            assert render_observation(observation).endswith("\n")
            assert observation.incomplete or not observation.problems
            assert (observation.requests_bound is None) == (observation.requests_per_second is None)
            assert (observation.data_bound is None) == (observation.data_bytes is None)
            if observation.is_known:
                voting = observation.voting_members
                assert voting is None or 1 <= voting <= observation.member_count
                assert size(observation.workload(), members=voting or 3).explain()


class TestBoundOfTheData:
    """The file is an upper bound of the data in use: it also holds what compaction freed."""

    def test_data_in_use_is_exact(self):
        one = scrape(data_bytes=5, total_bytes=9)
        observation = combine_scrapes({"a": one}, {"a": one}, seconds=1)
        assert (observation.data_bytes, observation.data_bound) == (5, "exact")
        assert "data-at-most" not in codes(observation)

    def test_file_alone_is_an_upper_bound(self, run):
        text = member("a1", data_bytes=None, leader=True)
        one = read_metrics(text)
        observation = combine_scrapes({"a": one}, {"a": one}, seconds=1)
        assert (observation.data_bytes, observation.data_bound) == (50_000_000, "upper")
        assert observation.workload().data_bytes == 50_000_000
        assert texts(observation, "data-at-most")[0].startswith("The data in use is unknown. The size of the database")
        with serving(answering(text)) as port:
            _, out, _ = run("observe", f"127.0.0.1:{port}", "--interval", "0.1s", "--json")
        assert json.loads(out)["observation"]["data_bound"] == "upper"

    @pytest.mark.parametrize(
        ("status", "data", "bound"),
        [
            ({"dbSize": 90, "dbSizeInUse": 70}, 70, "exact"),
            ({"dbSize": 90}, 90, "upper"),
            ({}, None, None),
        ],
    )
    def test_db_size_of_etcdctl_is_the_file(self, status, data, bound):
        one = scrape("a")
        statuses = TestStatus.status(10, leader=10, **status)
        observation = combine_scrapes({"x": one}, {"x": one}, seconds=1, status=statuses)
        assert (observation.data_bytes, observation.data_bound) == (data, bound)

    def test_one_member_that_reports_it_is_enough(self):
        one = {"a": scrape("a", total_bytes=90), "b": scrape("b", data_bytes=40, total_bytes=80)}
        observation = combine_scrapes(one, one, seconds=1)
        assert (observation.data_bytes, observation.data_bound, observation.total_bytes) == (40, "exact", 90)

    def test_without_a_leader_it_is_a_lower_bound(self):
        one = scrape(data_bytes=5, has_leader=False)
        assert combine_scrapes({"a": one}, {"a": one}, seconds=1).data_bound == "lower"

    @pytest.mark.parametrize("other", [{"reported_by": "api-server", "total_bytes": 9}, {"has_leader": True}])
    def test_page_without_the_data_makes_it_no_more_exact(self, other):
        """What it says of a leader is not of the data that the members without one lack."""
        scrapes = {f"m{number}": scrape(f"a{number}", data_bytes=5, has_leader=False) for number in range(3)}
        scrapes |= {"x": Scrape(calls={"KV.Put": 1}, **other)}
        observation = combine_scrapes(scrapes, scrapes, seconds=1)
        assert (observation.data_bytes, observation.data_bound) == (5, "lower")
