"""The load of a Kubernetes cluster: public figures, more never takes less, and every default has a source."""

from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from wrong_values import WRONG, is_ours

from etcdsize import Amount, OptionError, Profile, kubernetes_profile, resources_for
from etcdsize.resources.fill import fill
from etcdsize.resources.kubernetes_table import load_kubernetes
from etcdsize.resources.model import GROUPS
from etcdsize.resources.revision_bytes import revision_bytes

CORNERS = ("low", "likely", "high")
# The high ends of these are those of a cluster with little of something.
OTHER_WAY = {"puts_per_commit", "lease_ttl_seconds"}


def kind(profile: Profile, name: str):
    return next(one for one in profile.objects if one.name.partition(".")[0] == name)


def writes(profile: Profile, corner: str = "likely") -> float:
    return sum(getattr(one.writes_per_second, corner) for one in profile.objects)


def amounts(profile: Profile) -> dict[str, Amount]:
    """Return every amount of a profile by its name."""
    found = {name: getattr(profile, name) for name in type(profile).model_fields}
    for one in profile.objects:
        found |= {f"{one.name}.{name}": getattr(one, name) for name in type(one).model_fields}
    return {name: value for name, value in found.items() if isinstance(value, Amount)}


class TestPublicFigures:
    """What others measured of Kubernetes' etcd."""

    def test_pods_of_a_large_cluster(self):
        """155,000 pods of 10.15 kB are 1,571 MB of objects (kubernetes/test-infra#36900), 1.9 GB in the file."""
        profile = kubernetes_profile(5000, 155_000, {"pods": {"value_bytes": 10_150}})
        pods = kind(profile, "pods")
        assert pods.count.likely * pods.value_bytes.likely == pytest.approx(1.571e9, rel=0.01)
        for puts_per_commit in (1, 10, 100):
            in_file = 155_000 * revision_bytes(pods.key_bytes.likely, pods.value_bytes.likely, puts_per_commit)
            assert in_file == pytest.approx(1.9e9, rel=0.02)

    def test_history_of_node_leases(self):
        """1,115 renewals a second are 290 MB of history in 300 s (NVIDIA/NVSentinel#1789)."""
        leases = kind(kubernetes_profile(11_150), "leases")
        assert leases.writes_per_second.low == pytest.approx(1115, rel=0.01)
        history = 1115 * 300 * revision_bytes(leases.key_bytes.likely, leases.value_bytes.likely, 100)
        assert history == pytest.approx(290e6, rel=0.1)

    def test_a_thousand_quiet_nodes_write_120_times_a_second(self):
        profile = kubernetes_profile(1000)
        assert writes(profile) == pytest.approx(120, rel=0.1)
        assert kind(profile, "leases").writes_per_second.likely / writes(profile) == pytest.approx(0.87, abs=0.03)

    @pytest.mark.parametrize("nodes", [100, 1000, 5000])
    def test_nodes_renew_leases_and_report_their_status(self, nodes):
        """KEP-0009: a lease every 10 s, a status every 5 minutes."""
        profile = kubernetes_profile(nodes, apiservers=3)
        assert kind(profile, "leases").writes_per_second.low == pytest.approx((nodes + 3) / 10 + 3 / 2)
        assert kind(profile, "nodes").writes_per_second.likely == pytest.approx(nodes / 300)

    def test_connections_of_many_custom_resources(self):
        """1,878 custom resource definitions make 1,937 connections (kubernetes/kubernetes#111622)."""
        profile = kubernetes_profile(10, objects={"customresourcedefinitions": 1878}, apiservers=1)
        assert profile.clients == 1937
        assert profile.watchers.low == profile.watch_streams.low == 1937

    def test_pods_of_the_largest_supported_cluster(self):
        """5,000 nodes have at most 150,000 pods, and a node has at most 110 (Kubernetes, large clusters)."""
        assert kind(kubernetes_profile(5000), "pods").count == Amount.of("50000..150000..550000")

    def test_compaction_keeps_5_to_10_minutes(self):
        assert kubernetes_profile(5).history_seconds == Amount.of("300..600..600")

    def test_lists_come_in_pages(self):
        assert kubernetes_profile(5000).list_keys.high == 10_000
        assert kubernetes_profile(1, 20, {"others": 0, "replicasets": 0}).list_keys.likely < 200

    def test_at_worst_all_api_servers_start_at_once(self):
        assert kubernetes_profile(5, apiservers=3).concurrent_lists == Amount.of("1..2..12")

    def test_events_share_leases(self):
        """A lease a minute and API server for an hour, or one for 1,000 events."""
        quiet, busy = (
            kubernetes_profile(1000, objects={"events": 500}),
            kubernetes_profile(1000, objects={"events": 5e6}),
        )
        assert quiet.leases.likely == 183
        assert quiet.keys_per_lease.likely == pytest.approx(500 / 183)
        assert quiet.lease_revokes_per_second.likely == pytest.approx(3 / 60)
        assert busy.leases.likely == 5000
        assert busy.keys_per_lease.likely == 1000
        assert kubernetes_profile(1000, objects={"events": 20}).leases.likely == 20


class TestRollout:
    """All pods are replaced within a time: each start is written, and etcd keeps its events and its history."""

    PODS = 50_000

    def of(self, seconds: float | None, **more) -> Profile:
        return kubernetes_profile(1_000, self.PODS, rollout_seconds=seconds, **more)

    @pytest.mark.parametrize("seconds", [60, 600, 7_200])
    def test_each_pod_starts_once(self, seconds):
        table = load_kubernetes().kinds_by_name
        pods, events = (kind(self.of(seconds), name).writes_per_second.likely for name in ("pods", "events"))
        a_start = table["pods"].writes_per_pod_start.likely
        assert pods == pytest.approx(a_start * self.PODS / seconds, rel=0.01, abs=1)
        assert events > table["events"].writes_per_pod_start.likely * self.PODS / seconds

    @pytest.mark.parametrize(("seconds", "share"), [(60, 1), (3_600, 1), (7_200, 0.5)])
    def test_events_are_kept_for_an_hour(self, seconds, share):
        quiet = kind(self.of(None), "events").count.likely
        kept = kind(self.of(seconds), "events").count.likely
        a_start = load_kubernetes().kinds_by_name["events"].writes_per_pod_start.likely
        assert kept == pytest.approx(share * a_start * self.PODS, abs=quiet)

    def test_the_history_is_no_longer_than_the_rollout(self):
        assert self.of(120).history_seconds == Amount.of(120)
        assert self.of(600).history_seconds == self.of(None).history_seconds == Amount.of("300..600..600")

    def test_the_file_holds_the_rollout_however_fast_it_is(self):
        quiet, *files = (
            resources_for(self.of(seconds)).file.high_water_bytes.need for seconds in (None, 600, 300, 120)
        )
        assert min(files) > 4 * quiet
        assert max(files) < 1.2 * min(files)

    def test_a_rollout_is_at_least_the_usual_load(self):
        quiet, rollout = self.of(None), self.of(3_600)
        assert all(writes(rollout, corner) >= writes(quiet, corner) for corner in CORNERS[:2])
        for one, other in zip(rollout.objects, quiet.objects, strict=True):
            assert one.count.likely >= other.count.likely

    def test_a_slow_one_is_the_usual_replacement(self):
        """A day, as is assumed of each pod."""
        assert self.of(86_400).objects[0].writes_per_second.likely == pytest.approx(
            self.of(None).objects[0].writes_per_second.likely
        )


class TestGiven:
    def test_what_is_given_is_not_assumed(self):
        profile = kubernetes_profile(
            "40..50..60", "1000..2000", {"secrets": {"count": 4000, "value_bytes": "1kB..3kB"}}
        )
        assert kind(profile, "nodes").count == Amount.of("40..50..60")
        assert kind(profile, "pods").count == Amount.of("1000..1500..2000")
        assert kind(profile, "secrets").value_bytes == Amount.of("1000..3000")
        assumed = {one.field for one in profile.assumptions}
        assert not assumed & {"objects.pods.count", "objects.secrets.count", "objects.secrets.value_bytes"}
        assert assumed >= {"objects.pods.value_bytes", "objects.secrets.key_bytes", "objects.configmaps.count"}

    def test_names_with_and_without_their_group(self):
        assert kubernetes_profile(5, objects={"deployments": 7}) == kubernetes_profile(
            5, objects={"deployments.apps": 7}
        )

    def test_kinds_that_are_only_counted_take_the_table_s_size(self):
        jobs = kind(kubernetes_profile(5, objects={"jobs": 3000}), "jobs")
        assert jobs.value_bytes == load_kubernetes().kinds_by_name["jobs"].value_bytes

    def test_a_custom_resource_is_watched(self):
        widgets = {"widgets.example.com": {"count": 200_000, "value_bytes": "1kB", "writes_per_second": 4}}
        few = {"customresourcedefinitions": 0}
        with_one, without = kubernetes_profile(5, objects=few | widgets), kubernetes_profile(5, objects=few)
        assert with_one.clients == without.clients + 3
        assert kind(with_one, "widgets").writes_per_second == Amount.of(4)
        assert with_one.list_keys.likely == 10_000

    def test_a_large_value_is_the_largest(self):
        profile = kubernetes_profile(5, objects={"models.example.com": {"count": 3, "value_bytes": "1.4MB"}})
        assert profile.largest_value_bytes.low == 1.4e6

    def test_events_in_an_etcd_of_their_own(self):
        together, apart = kubernetes_profile(1000), kubernetes_profile(1000, events=False)
        assert not [one for one in apart.objects if one.name == "events"]
        assert apart.leases == Amount.of(0)
        assert writes(apart) < writes(together)
        assert apart.clients == together.clients - 3
        assert not [one for one in apart.assumptions if "event" in one.field and one.field != "watch_events_per_second"]

    def test_amounts_in_every_form(self):
        given = {
            "count": {"low": 1, "likely": 5, "high": 6},
            "key_bytes": 40,
            "value_bytes": "2kB",
            "writes_per_second": "2k/s",
        }
        profile = kubernetes_profile(5, objects={"a.example.com": given, "secrets": {"low": 1, "likely": 5, "high": 6}})
        one = kind(profile, "a")
        assert (one.count, one.key_bytes) == (Amount.of("1..5..6"), Amount.of(40))
        assert (one.value_bytes, one.writes_per_second) == (Amount.of(2000), Amount.of(2000))
        assert kind(profile, "secrets").count == Amount.of("1..5..6")

    def test_a_custom_resource_of_which_only_size_and_number_are_known(self):
        profile = kubernetes_profile(5, objects={"a.example.com": {"count": 86_400, "value_bytes": 500}})
        assert kind(profile, "a").key_bytes == Amount.of("50..70..150")
        assert kind(profile, "a").writes_per_second == Amount.of("0..24..1440")
        assumed = {one.field for one in profile.assumptions if "example" in one.field}
        assert assumed == {"objects.a.example.com.key_bytes", "objects.a.example.com.writes_per_second"}

    def test_counts_that_follow_from_nodes_and_pods(self):
        profile = kubernetes_profile(70, 1000, apiservers=3)
        assert kind(profile, "leases").count == Amount.of("76..81..113")
        assert kind(profile, "others").count == Amount.of("396..770..3570")
        assert kind(profile, "replicasets").count == Amount.of("22..304..2040")

    def test_connections_are_an_estimate_unless_the_resources_are_known(self):
        assert kubernetes_profile(5).clients_bound == "estimate"
        profile = kubernetes_profile(5, objects={"customresourcedefinitions": 20}, apiservers=1, events=False)
        assert profile.watchers == Amount.of("78..78..84")

    def test_zero_objects_are_left_out(self):
        assert not [one for one in kubernetes_profile(5, objects={"secrets": 0}).objects if one.name == "secrets"]


class TestAssumptions:
    @pytest.mark.parametrize("events", [True, False])
    def test_every_figure_is_given_or_an_assumption_with_its_source(self, events):
        profile = kubernetes_profile(1000, events=events)
        assumed = {one.field for one in profile.assumptions}
        of_profile = {name for name in amounts(profile) if "." not in name}
        if not events:
            of_profile -= {"leases"}
        assert of_profile <= assumed
        of_kinds = {f"objects.{name}" for name in amounts(profile) if "." in name} - {"objects.nodes.count"}
        assert of_kinds <= assumed
        assert all(one.source.strip() and one.why for one in profile.assumptions)

    def test_their_values_are_those_of_the_profile(self):
        profile = kubernetes_profile(1000)
        found = {f"objects.{name}" if "." in name else name: value for name, value in amounts(profile).items()}
        for one in profile.assumptions:
            if one.field not in ("clients", "tls"):
                assert one.value == found[one.field], one.field


class TestMoreNeverTakesLess:
    COUNTS = st.integers(0, 10**6)
    RANGES = st.lists(COUNTS, min_size=3, max_size=3).map(lambda three: Amount.of(tuple(sorted(three))))

    def compare(self, less: Profile, more: Profile):
        larger = amounts(more)
        for name, amount in amounts(less).items():
            for corner in CORNERS:
                assert getattr(amount, corner) <= getattr(larger[name], corner), (name, corner)
        assert (less.clients or 0) <= (more.clients or 0)

    @examples(30)
    @given(COUNTS, COUNTS, COUNTS, st.booleans())
    def test_nodes(self, nodes, further, pods, events):
        self.compare(kubernetes_profile(nodes, events=events), kubernetes_profile(nodes + further, events=events))
        self.compare(kubernetes_profile(nodes, pods), kubernetes_profile(nodes + further, pods))

    @examples(30)
    @given(COUNTS, COUNTS, COUNTS, st.booleans())
    def test_pods(self, nodes, pods, further, events):
        self.compare(
            kubernetes_profile(nodes, pods, events=events), kubernetes_profile(nodes, pods + further, events=events)
        )

    @examples(30)
    @given(COUNTS, COUNTS, st.sampled_from(["secrets", "events", "customresourcedefinitions", "jobs", "leases"]))
    def test_objects(self, count, further, name):
        less = kubernetes_profile(100, objects={name: count})
        more = kubernetes_profile(100, objects={name: count + further})
        if count:
            self.compare(less, more)

    @examples(30)
    @given(st.integers(1, 50), st.integers(0, 50))
    def test_api_servers(self, apiservers, further):
        """But more leases share the same events."""
        less, more = (kubernetes_profile(100, apiservers=count) for count in (apiservers, apiservers + further))
        shared = {"keys_per_lease": Amount.of(0)}
        self.compare(less.model_copy(update=shared), more.model_copy(update=shared))

    @examples(30)
    @given(RANGES, RANGES)
    def test_ranges_stay_in_order(self, nodes, pods):
        for amount in amounts(kubernetes_profile(nodes, pods)).values():
            assert amount.low <= amount.likely <= amount.high

    @examples(30)
    @given(st.integers(0, 2_000), st.integers(0, 20_000), st.integers(1, 6), st.integers(1, 6))
    def test_more_api_servers_lower_no_end(self, nodes, pods, servers, more):
        """They share the events among more leases, but at worst all come through one of them."""
        before, after = (
            resources_for(kubernetes_profile(nodes, pods, apiservers=count)) for count in (servers, servers + more)
        )
        # An average entry of the log becomes smaller with more small writes, and with it what it is part of.
        of_entries = {"raft_log_bytes", "heap_bytes", "steady_bytes", "unreclaimable_bytes", "limit_bytes"}
        of_entries |= {"garbage_bytes", "gomemlimit_bytes", "restart", "new_member", "fsync_p99_seconds"}
        for group, names in GROUPS.items():
            for name in names.keys() - of_entries:
                for end in ("low", "high"):
                    less, greater = (getattr(getattr(getattr(one, group), name), end) for one in (before, after))
                    assert greater >= less * (1 - 1e-9), (name, end)


class TestFilled:
    """A filled profile has the figures of the cluster, and what is assumed stands in its need with its likely value."""

    @pytest.mark.parametrize("nodes", [100, 1000, 5000])
    def test_need_has_the_likely_value_of_what_is_assumed(self, nodes):
        profile = kubernetes_profile(nodes, "20000..30000")
        filled = fill(profile)
        pods = next(one for one in filled.need.objects if one.name == "pods")
        assert (pods.number, pods.value_bytes) == (30_000, 10_300)
        assert filled.need.history_seconds == 600
        assert filled.need.tls == 1
        assert filled.likely.writes_per_second == pytest.approx(writes(profile))
        assert {one.field for one in filled.assumptions} >= {one.field for one in profile.assumptions}

    @examples(30)
    @given(st.integers(0, 10**5), st.integers(0, 10**5))
    def test_more_nodes_never_take_less(self, nodes, further):
        less, more = fill(kubernetes_profile(nodes)), fill(kubernetes_profile(nodes + further))
        for one, other in ((less.likely, more.likely), (less.need, more.need), (less.points[-1], more.points[-1])):
            assert one.writes_per_second <= other.writes_per_second * (1 + 1e-12)
            assert sum(kind.number for kind in one.objects) <= sum(kind.number for kind in other.objects) * (1 + 1e-12)
            assert one.watch_events_per_second <= other.watch_events_per_second * (1 + 1e-12)


class TestResources:
    """What the cluster takes grows with it, without a step."""

    @examples(20)
    @given(st.integers(0, 10**4), st.integers(0, 10**4))
    def test_more_nodes_never_take_less(self, nodes, further):
        less, more = resources_for(kubernetes_profile(nodes)), resources_for(kubernetes_profile(nodes + further))
        assert less.quota_bytes <= more.quota_bytes
        assert less.memory.limit_bytes.need <= more.memory.limit_bytes.need * (1 + 1e-9)
        assert less.file.high_water_bytes.need <= more.file.high_water_bytes.need * (1 + 1e-9)
        assert less.disk.fsyncs_per_second.need <= more.disk.fsyncs_per_second.need * (1 + 1e-9)

    def test_a_cluster_of_one_node(self):
        """An idle cluster of one node takes 143 MB (rancher/rke2#3103)."""
        limit = resources_for(kubernetes_profile(1, 20, apiservers=1)).memory.limit_bytes
        assert limit.low < 143e6 < limit.high

    def test_one_more_node_is_no_step(self):
        less, more = (resources_for(kubernetes_profile(nodes)) for nodes in (1000, 1001))
        assert more.memory.limit_bytes.need == pytest.approx(less.memory.limit_bytes.need, rel=0.01)
        assert more.quota_bytes == less.quota_bytes


class TestRejected:
    def problem_of(self, *arguments, **options) -> str:
        with pytest.raises(OptionError) as caught:
            kubernetes_profile(*arguments, **options)
        return str(caught.value)

    def test_a_kind_without_a_size(self):
        problem = self.problem_of(5, objects={"secret": 5})
        assert problem.startswith("objects, secret: got a kind whose size is unknown, expected one of leases, events, ")
        assert problem.endswith('as in {"count": 4000, "value_bytes": "3kB"}; did you mean "secrets"?')

    @pytest.mark.parametrize("name", ["pods", "nodes"])
    def test_pods_and_nodes_have_arguments(self, name):
        assert f"the number is the argument {name}" in self.problem_of(5, objects={name: 5})

    def test_a_field_that_does_not_exist(self):
        problem = self.problem_of(5, objects={"secrets": {"count": 5, "value_byte": 5}})
        assert problem == (
            'objects, secrets: got the field "value_byte", expected count, value_bytes, key_bytes, writes_per_second; '
            'did you mean "value_bytes"?'
        )

    def test_a_kind_twice(self):
        assert "given twice" in self.problem_of(5, objects={"deployments": 5, "deployments.apps": 5})

    def test_a_kind_without_a_count(self):
        assert "count is missing" in self.problem_of(5, objects={"widgets.example.com": {"value_bytes": 5}})
        assert "count is missing" in self.problem_of(5, objects={"jobs": {"value_bytes": 5}})

    def test_an_amount_that_is_none(self):
        assert self.problem_of("a few").startswith('nodes: got "a few", expected a count')
        assert self.problem_of(5, "10..5").startswith('pods: got "10..5", expected ')
        assert self.problem_of(5, objects={"secrets": {"count": 5, "value_bytes": "2 GBs"}}).startswith(
            'objects, secrets, value_bytes: got "2 GBs", expected '
        )
        assert self.problem_of(2**64) == f"nodes: got {2**64}, expected less than 2^64"

    def test_the_option_is_named(self):
        with pytest.raises(OptionError) as caught:
            kubernetes_profile(5, objects={"secrets": {"count": "x"}})
        assert caught.value.option == "objects"

    def test_a_rollout_that_takes_no_time(self):
        assert self.problem_of(5, rollout_seconds=0) == "rollout_seconds: got 0, expected at least a second"
        assert self.problem_of(5, rollout_seconds="10m").startswith(
            'rollout_seconds: got "10m", expected a finite number'
        )

    def test_no_api_server(self):
        assert self.problem_of(5, apiservers=0) == "apiservers: got 0, expected an integer of 1 or more"

    @pytest.mark.parametrize("wrong", WRONG)
    def test_wrong_values_in_objects(self, wrong):
        value = WRONG[wrong]
        is_ours(lambda: kubernetes_profile(5, objects={"secrets": value}))
        is_ours(lambda: kubernetes_profile(5, objects={"a.example.com": {"count": 5, "value_bytes": value}}))
        is_ours(lambda: kubernetes_profile(5, objects={"a.example.com": {"count": value, "value_bytes": 5}}))
        if isinstance(value, (str, bytes, int, float, tuple)):
            is_ours(lambda: kubernetes_profile(5, objects={value: 5}))
