"""Settings from a sizing: their bounds, reasons and sources, and a real etcd that starts with them."""

from __future__ import annotations

import itertools
import json
import re
import urllib.request
from fractions import Fraction

import pytest
from calibrated import model_with
from etcds import ETCDS, needed, running
from hypothesis import assume, given
from hypothesis import strategies as st

from etcdsize import (
    ClusterPlan,
    EtcdSettings,
    OptionError,
    PlanError,
    Profile,
    TierTable,
    Tls,
    Workload,
    load_tiers,
    load_versions,
    resources_for,
    settings_for,
    size,
)
from etcdsize.etcd.flags import is_deprecated
from etcdsize.etcd.quota import quota_text
from etcdsize.fitting.load_need import file_text
from etcdsize.plan.chosen_settings import choose_quota, history_kept, retention_seconds
from etcdsize.resources.answer import Figure

GIB = 2**30
VERSIONS = ("3.4", "3.5", "3.6", "3.7")
TIERS = {
    "small": {"clients": 100, "requests_per_second": 199, "data_bytes": "100MB"},
    "medium": {"clients": 500, "requests_per_second": 999, "data_bytes": "500MB"},
    "large": {"clients": 1_500, "requests_per_second": 9_999, "data_bytes": "1GB"},
    "xlarge": {"clients": 3_000, "requests_per_second": 20_000, "data_bytes": "8GB"},
}

versions = st.sampled_from([*VERSIONS, "3.4.23", "3.5.1", "v3.5.33", "3.6.14", "3.7.0"])
# For twice as much, etcd still starts.
data = st.one_of(st.integers(0, 8 * 10**12), st.floats(0, 8e12), st.sampled_from([8 * GIB - 1, 8 * GIB, 8 * GIB + 1]))
rtts = st.one_of(st.none(), st.floats(0, 5_000), st.integers(0, 5_000))


def codes(found: EtcdSettings) -> list[str]:
    return [notice.code for notice in found.notices]


class TestQuota:
    """That of the model: at least 2 GiB, more than the file, and above the 8 GiB that etcd suggests with a notice."""

    @given(data, versions)
    def test_quota_stays_within_its_bounds(self, data, version):
        found = settings_for(size(data_bytes=data), etcd_version=version)
        quota = found.quota_backend_bytes
        assert type(quota) is int
        assert quota >= 2 * GIB
        assert quota >= max(data, found.file.high_water_bytes.need)
        assert (quota > 8 * GIB) == ("quota-above-suggested" in codes(found))

    @pytest.mark.parametrize("load", ["100MB", "2GB", "8GB", "20GB"])
    def test_is_that_of_the_model(self, load):
        sizing = size(data_bytes=load)
        quota = settings_for(sizing).setting("quota-backend-bytes")
        assert quota.value == resources_for(sizing.workload).quota_bytes
        assert quota.is_default == (load == "100MB")

    @pytest.mark.parametrize(
        ("load", "why"),
        [
            ("100MB", r"2 GiB for a file of \d+ MB \(.* in use.*\): etcd's default, which is enough\."),
            ("2GB", r"\d GiB for a file of [\d.]+ GB \(.* in use.*\), with some room to grow \(our choice\)\."),
            (
                "20GB",
                r"\d+ GiB for a file of [\d.]+ GB \(.* in use.*\): more than the maximum of 8 GiB that etcd suggests, "
                r"to have room for the load\.",
            ),
        ],
    )
    def test_the_reason(self, load, why):
        assert re.fullmatch(why, settings_for(size(data_bytes=load)).setting("quota-backend-bytes").why)

    @pytest.mark.parametrize(
        ("quota", "why"),
        [
            (2 * GIB, ": etcd's default, which is enough."),
            (2 * GIB + 1, ", with some room to grow (our choice)."),
            (8 * GIB, ", with some room to grow (our choice)."),
            (8 * GIB + 1, ": more than the maximum of 8 GiB that etcd suggests, to have room for the load."),
        ],
    )
    def test_the_reason_at_its_bounds(self, quota, why):
        found = resources_for(Workload(data_bytes="4GB"))
        figure = Figure(low=1, likely=1, high=9e10, need=quota)
        ours = found.model_copy(update={"file": found.file.model_copy(update={"quota_bytes": figure})})
        name, value, reason, _ = choose_quota(ours)
        assert (name, value) == ("quota-backend-bytes", quota)
        assert reason == f"{quota_text(quota)} for a file of {file_text(found)}{why}"

    def test_quota_above_8_gib_has_a_notice(self):
        notice = next(n for n in settings_for(size(data_bytes="20GB")).notices if n.code == "quota-above-suggested")
        assert notice.severity == "beyond-guide"
        assert notice.source == "etcd-io/website content/en/docs/v3.5/dev-guide/limit.md"

    @pytest.mark.parametrize("data", ["20GB", "1TB", "10TB"])
    def test_the_notice_says_that_etcd_starts(self, data):
        """A plan accepts the quota."""
        found = settings_for(size(data_bytes=data))
        (notice,) = [one for one in found.notices if one.code == "quota-above-suggested"]
        assert notice.text.endswith("; etcd starts with a warning.")
        assert ClusterPlan.local(1, settings=found).setting("quota-backend-bytes") == found.quota_backend_bytes <= 2**45

    def test_the_largest_quota_with_which_etcd_starts(self):
        least, most = 1e12, 1e14
        while (quota := resources_for(Workload(data_bytes=(least + most) / 2)).quota_bytes) != 2**45:
            least, most = ((least + most) / 2, most) if quota < 2**45 else (least, (least + most) / 2)
        assert settings_for(size(data_bytes=(least + most) / 2)).quota_backend_bytes == 2**45

    @pytest.mark.parametrize("data", ["34TB", "100TB"])
    def test_a_load_for_which_no_etcd_starts(self, data):
        """Unless the user sets a quota."""
        sizing = size(data_bytes=data)
        quota = resources_for(sizing.workload).quota_bytes
        with pytest.raises(PlanError) as caught:
            settings_for(sizing)
        assert str(caught.value) == (
            f"quota-backend-bytes: got {quota_text(quota)} for this load, expected at most 32768 GiB, with which etcd "
            "starts; split the data among several clusters"
        )
        assert (caught.value.field, caught.value.value) == ("quota-backend-bytes", quota)
        with pytest.raises(
            PlanError, match=r"^extra_flags: --quota-backend-bytes: got 70368744177664, expected at most"
        ):
            settings_for(sizing, extra_flags={"quota-backend-bytes": 2**46})
        own = settings_for(sizing, extra_flags={"quota-backend-bytes": 2**45})
        assert own.quota_backend_bytes == 2**45
        assert "quota of 32768 GiB is " in " ".join(notice.text for notice in own.notices)


class TestTiming:
    """Heartbeat: 0.5 to 1.5 times the RTT, at least 100 ms. Election: 10 RTTs, 5 heartbeats, 1000 to 50000 ms."""

    @given(rtts, versions)
    def test_timing_stays_within_its_bounds(self, rtt, version):
        found = settings_for(size(clients=5), etcd_version=version, peer_rtt_ms=rtt)
        heartbeat, election = found.heartbeat_interval_ms, found.election_timeout_ms
        assert type(heartbeat) is type(election) is int
        assert heartbeat >= 100
        assert 1_000 <= election <= 50_000
        assert election >= 5 * heartbeat
        assert election % heartbeat == 0
        exact = Fraction(rtt or 0)
        assert election >= 10 * exact
        assert heartbeat >= exact / 2
        assert heartbeat == 100 or heartbeat <= exact * 3 / 2

    @pytest.mark.parametrize(
        ("rtt", "heartbeat", "election"),
        [
            (None, 100, 1_000),
            (0, 100, 1_000),
            (100, 100, 1_000),
            (100.1, 101, 1_010),
            (130, 130, 1_300),
            (5_000, 5_000, 50_000),
        ],
    )
    def test_figures(self, rtt, heartbeat, election):
        found = settings_for(size(clients=5), peer_rtt_ms=rtt)
        assert (found.heartbeat_interval_ms, found.election_timeout_ms) == (heartbeat, election)
        is_default = {name: found.setting(name).is_default for name in ("heartbeat-interval", "election-timeout")}
        assert set(is_default.values()) == {heartbeat == 100}

    @pytest.mark.parametrize(
        ("rtt", "heartbeat", "why"),
        [
            (None, 100, "The default, for members on one network; set peer_rtt_ms if they are further apart."),
            (0, 100, "A round-trip time of 0 ms needs no more than the default, the minimum (our choice)."),
            (99.5, 100, "A round-trip time of 99.5 ms needs no more than the default, the minimum (our choice)."),
            (100, 100, "A round-trip time of 100 ms needs no more than the default, the minimum (our choice)."),
            (100.5, 101, "The round-trip time between members, 100.5 ms."),
        ],
    )
    def test_the_reason(self, rtt, heartbeat, why):
        found = settings_for(size(clients=5), peer_rtt_ms=rtt).setting("heartbeat-interval")
        assert (found.value, found.why) == (heartbeat, why)

    def test_the_whole_message_for_an_rtt_that_is_too_long(self):
        with pytest.raises(OptionError) as caught:
            settings_for(size(clients=5), peer_rtt_ms=5_000.5)
        assert str(caught.value) == (
            "peer_rtt_ms: got 5000.5, expected at most 5000: the election timeout must be ten times the round-trip "
            "time, and etcd accepts at most 50000 ms; place the members closer together"
        )

    @given(st.floats(5_000, 1e9, exclude_min=True))
    def test_rejects_an_rtt_above_the_longest_election(self, rtt):
        with pytest.raises(
            OptionError, match="expected at most 5000: the election timeout must be ten times"
        ) as caught:
            settings_for(size(clients=5), peer_rtt_ms=rtt)
        assert (caught.value.option, caught.value.value) == ("peer_rtt_ms", rtt)

    @pytest.mark.parametrize("rtt", [-1, -0.5, float("nan"), float("inf"), "10", True, [10]])
    def test_rejects_what_is_not_an_rtt(self, rtt):
        with pytest.raises(OptionError, match=r"^peer_rtt_ms: got .*, expected a finite number of milliseconds"):
            settings_for(size(clients=5), peer_rtt_ms=rtt)


class TestCompaction:
    """Off for Kubernetes, whose API server compacts; otherwise periodic, with a unit: a bare number means hours."""

    def test_off_for_kubernetes(self):
        for found in (settings_for(size(clients=5), kubernetes=True), settings_for(size(kubernetes_nodes=5))):
            retention = found.setting("auto-compaction-retention")
            assert (retention.value, retention.is_default) == ("0", True)
            assert "API server" in retention.why

    def test_periodic_otherwise(self):
        found = settings_for(size(clients=5))
        retention = found.setting("auto-compaction-retention")
        assert (retention.value, retention.is_default) == ("1h", False)
        assert retention.why == (
            "This keeps at most 2h of history, for which the quota has room. A number without a unit would be hours."
        )
        assert found.setting("auto-compaction-mode").value == "periodic"

    @pytest.mark.parametrize(
        ("history", "retention", "kept"),
        [
            (120, "1m", "2m"),
            (121, "1m", "2m"),
            (122, "61s", "122s"),
            (600, "5m", "10m"),
            ("1m..10m", "5m", "10m"),
            (7_199, "3599s", "7198s"),
            (7_200, "1h", "2h"),
            (7_201, "3601s", "7201s"),
            ("3h", "2h", "3h"),
            (1e12, "876000h", "876001h"),
        ],
    )
    def test_the_longest_retention_that_keeps_no_more_than_that_history(self, history, retention, kept):
        """At most a century: etcd compacts to the revision of that long ago, that often, but at least every hour."""
        load = Profile(keys=1, value_bytes=1, writes_per_second=1e-9, history_seconds=history)
        found = settings_for(size(load)).setting("auto-compaction-retention")
        assert found.value == retention
        assert found.why == (
            f"This keeps at most {kept} of history, for which the quota has room. A number without a unit would be "
            "hours."
        )

    @pytest.mark.parametrize(
        ("text", "seconds"), [("1", 3_600), ("0", 0), ("90s", 90), ("5m", 300), ("1h", 3_600), ("1h30m", None)]
    )
    def test_a_retention_as_seconds(self, text, seconds):
        """A number without a unit means hours."""
        assert retention_seconds(text) == seconds

    @pytest.mark.parametrize(("retention", "kept"), [(60, 120), (3_600, 7_200), (3_601, 7_201), (86_400, 90_000)])
    def test_how_much_a_retention_keeps(self, retention, kept):
        assert history_kept(retention) == kept

    @pytest.mark.parametrize("history", [0, 119.5, "10s..1m"])
    def test_the_quota_has_room_for_what_the_shortest_retention_keeps(self, history):
        """No retention of ours keeps less than two minutes of history, so that less is not counted."""
        load = {"keys": 1e3, "value_bytes": 1e6, "writes_per_second": 900}
        short, two_minutes = (
            settings_for(size(Profile(**load, history_seconds=seconds))) for seconds in (history, 120)
        )
        assert short == two_minutes
        retention = short.setting("auto-compaction-retention")
        assert retention.value == "1m"
        assert retention.why.startswith("This keeps at most 2m of history, for which the quota has room.")
        assert short.file.history_bytes.need >= 900 * 120 * 1e6
        assert short.quota_backend_bytes > short.file.history_bytes.need

    def test_a_short_history_counts_as_given_where_etcd_keeps_no_more(self):
        sizing = size(Profile(keys=1e3, value_bytes=1e6, writes_per_second=900, history_seconds=0))
        assert settings_for(sizing, kubernetes=True).file.history_bytes.need == 0
        own = settings_for(sizing, extra_flags={"auto-compaction-retention": "10s"})
        assert own.profile.history_seconds.high == 20
        assert own.setting("auto-compaction-retention").why == "You set it; our choice is 1m."

    @pytest.mark.parametrize("kubernetes", [None, 1, "yes"])
    def test_rejects_what_is_not_a_boolean(self, kubernetes):
        with pytest.raises(OptionError, match=r"^kubernetes: got .*, expected True or False$"):
            settings_for(size(clients=5), kubernetes=kubernetes)


class TestSnapshotCount:
    """The version's default: 100,000 in 3.4 and 3.5, 10,000 since 3.6. 3.6.0 to 3.6.7 warn if it is set."""

    @pytest.mark.parametrize(
        ("version", "count"), [("3.4", 100_000), ("3.5", 100_000), ("3.6.7", 10_000), ("3.6", 10_000), ("3.7", 10_000)]
    )
    def test_is_the_default_of_the_version(self, version, count):
        found = settings_for(size(clients=5), etcd_version=version)
        assert found.snapshot_count == count
        assert found.setting("snapshot-count").is_default
        assert ("leave it out" in found.setting("snapshot-count").why) == (version == "3.6.7")

    def test_the_reason_where_it_is_deprecated(self):
        assert settings_for(size(clients=5), etcd_version="3.6.1").setting("snapshot-count").why == (
            "Log entries kept until a snapshot: more need more memory, fewer leave slow members behind. etcd 3.6.1 "
            "warns if it is set, so leave it out."
        )


class TestMemory:
    """The limit of the process that the model gives for the version and the settings."""

    @given(data, st.floats(0, 1e6), versions)
    def test_is_that_of_the_model(self, data, clients, version):
        sizing = size(clients=clients, data_bytes=data)
        found = settings_for(sizing, etcd_version=version)
        assert found.memory == resources_for(sizing.workload, etcd_version=version).memory
        limit = found.memory.limit_bytes.need
        assert limit > found.file.high_water_bytes.need
        assert (found.memory_gib - 1) * GIB < limit <= found.memory_gib * GIB

    def test_a_model_of_ones_own(self):
        """That of the sizing counts."""
        model = model_with("3.6.16")
        sizing = size(clients=100, data_bytes="4GB", etcd_version="3.6.16", model=model)
        found = settings_for(sizing)
        assert found.memory == resources_for(sizing.workload, etcd_version="3.6.16", model=model).memory
        assert found.memory != resources_for(sizing.workload, etcd_version="3.6.16").memory

    def test_raft_log_is_larger_before_3_6(self):
        sizing = size(clients=100, data_bytes="100MB")
        old, new = (settings_for(sizing, etcd_version=version).memory.raft_log_bytes.need for version in ("3.5", "3.6"))
        assert old > 10 * new

    def test_a_large_request_is_accepted_where_the_user_allows_it(self):
        sizing = size(Profile(keys=10, value_bytes=2e6))
        for limit, count in ((None, 1), (1_900_000, 1), (2_097_152, 0)):
            given = {} if limit is None else {"max-request-bytes": limit}
            notices = settings_for(sizing, extra_flags=given).notices
            assert [notice.code for notice in notices].count("request-too-large") == count

    def test_depends_on_the_users_snapshot_count(self):
        sizing = size(clients=100, data_bytes="100MB", etcd_version="3.5")
        less = settings_for(sizing, extra_flags={"snapshot-count": 10_000})
        assert less.memory.raft_log_bytes.need < settings_for(sizing).memory.raft_log_bytes.need / 5

    @pytest.mark.parametrize(
        ("version", "given", "entries"),
        [
            ("3.5", {"experimental-snapshot-catchup-entries": 500}, 500),
            ("3.6", {"experimental-snapshot-catchup-entries": 500}, 500),
            ("3.6", {"snapshot-catchup-entries": 500}, 500),
            ("3.7", {"snapshot-catchup-entries": 500}, 500),
            # 0 is the default, as etcd has it.
            ("3.7", {"snapshot-catchup-entries": 0}, 5_000),
        ],
    )
    def test_depends_on_the_entries_that_the_user_keeps_for_slow_followers(self, version, given, entries):
        sizing = size(Profile(keys=1_000, value_bytes=50_000, writes_per_second=5), etcd_version=version)
        found = settings_for(sizing, extra_flags=given).memory
        resources = resources_for(sizing.profile, etcd_version=version, snapshot_catchup_entries=entries)
        assert found == resources.memory
        assert (found.limit_bytes.need < settings_for(sizing).memory.limit_bytes.need - 100e6) == (entries < 5_000)

    @pytest.mark.parametrize("tier", TIERS)
    @pytest.mark.parametrize("version", VERSIONS)
    def test_fits_the_machines_of_the_guide(self, tier, version):
        sizing = size(**TIERS[tier])
        assert sizing.tier == tier
        found = settings_for(sizing, etcd_version=version)
        assert found.memory_gib <= min(machine.memory_gib for machine in sizing.machines.values())
        assert "memory-above-machine" not in codes(found)

    def test_notice_if_it_exceeds_the_memory_of_a_machine(self):
        found = settings_for(size(data_bytes="60GB", provider="aws"))
        notice = next(notice for notice in found.notices if notice.code == "memory-above-machine")
        assert notice.severity == "beyond-guide"
        assert notice.text.startswith("The load needs ")
        assert notice.text.endswith("more than m4.4xlarge (64 GiB).")


class TestDisk:
    """The disk that the sizing needs, with the quota of the settings."""

    @pytest.mark.parametrize("asked", [{"clients": 5}, {"data_bytes": 20e9}, {"data_bytes": 20e9, "basis": "measured"}])
    def test_is_that_of_the_sizing(self, asked):
        sizing = size(**asked)
        assert settings_for(sizing).disk == sizing.need.disk

    def test_is_that_of_the_tier_where_it_is_larger(self):
        sizing = size(clients=1_000, requests_per_second=1, data_bytes=1e6)
        assert settings_for(sizing).disk == sizing.need.disk != sizing.needs["load"].disk

    def test_has_room_for_a_quota_of_ones_own(self):
        found = settings_for(size(clients=5), extra_flags={"quota-backend-bytes": "100GiB"}).disk
        assert found.quota_bytes == 100 * GIB
        assert found.size_gib > 300


class TestVersions:
    """Unsupported, unsafe and untested versions have notices; unknown versions are rejected."""

    @pytest.mark.parametrize(
        ("version", "expected"),
        [
            ("3.4", ["etcd-out-of-support", "etcd-unsafe-patch"]),
            ("3.4.23", ["etcd-out-of-support", "etcd-unsafe-patch"]),
            ("3.5", ["etcd-support-ends"]),
            ("3.5.1", ["etcd-support-ends", "etcd-unsafe-patch"]),
            ("v3.5.34", ["etcd-support-ends"]),
            ("3.5.99", ["etcd-support-ends", "etcd-newer-patch"]),
            ("3.6", []),
            ("3.6.14", ["etcd-unsafe-patch"]),
            ("3.7.2", []),
        ],
    )
    def test_notices_of_a_version(self, version, expected):
        found = settings_for(size(**TIERS["small"]), etcd_version=version)
        assert codes(found) == [*expected, "guide-and-load"]
        assert all(notice.source for notice in found.notices)

    def test_rejects_an_unknown_version(self):
        with pytest.raises(OptionError, match=r'^etcd_version: got "3\.3", expected one of 3\.4, 3\.5, 3\.6, 3\.7'):
            settings_for(size(clients=5), etcd_version="3.3")

    @pytest.mark.parametrize("version", VERSIONS)
    def test_error_names_the_versions_that_have_a_flag(self, version):
        found = settings_for(size(clients=5), etcd_version=version)
        lacking = {"3.4": "max-learners", "3.5": "feature-gates", "3.6": "enable-v2", "3.7": "discovery-proxy"}[version]
        having = ", ".join(load_versions().flags_by_name[lacking].versions)
        with pytest.raises(OptionError, match=f"^etcd {version} has no flag .*; those that have it: {having}$"):
            found.setting(lacking)

    @pytest.mark.parametrize("version", VERSIONS)
    def test_no_patch_lacks_or_warns_of_what_a_plan_sets(self, version):
        newest = int(load_versions().version(version).newest_patch.rpartition(".")[2])
        for patch in [version, *(f"{version}.{number}" for number in range(newest + 1))]:
            found = settings_for(size(data_bytes="4GB"), etcd_version=patch, peer_rtt_ms=150)
            plan = ClusterPlan.local(3, settings=found, tls=Tls.from_dir("/pki"))
            for name in plan.flags("infra0"):
                assert not is_deprecated(plan.etcd_version, plan.etcd_version.flag(name)), (patch, name)

    def test_error_for_a_name_that_is_not_text(self):
        with pytest.raises(OptionError, match=r"^name: got 5"):
            settings_for(size(clients=5)).setting(5)

    def test_error_for_a_flag_that_keeps_its_default(self):
        with pytest.raises(
            OptionError, match=r'^settings: "max-txn-ops" keeps the default of etcd 3\.6, 128; the settings are'
        ):
            settings_for(size(clients=5)).setting("max-txn-ops")


class TestModel:
    """Every setting has a reason and a source, and says whether it is the version's default; JSON keeps all of it."""

    @given(data, versions, rtts, st.booleans())
    def test_every_setting_is_complete(self, data, version, rtt, kubernetes):
        found = settings_for(size(data_bytes=data), etcd_version=version, peer_rtt_ms=rtt, kubernetes=kubernetes)
        for name, setting in found.settings.items():
            assert setting.name == name
            assert setting.why
            assert setting.source
            flag = found.etcd_version.flag(name)
            default = flag.defaults[found.etcd_version.name]
            assert setting.is_default == (setting.value == default or (default == 0 and setting.value == 2 * GIB))
            assert type(setting.value) is type(default)
        assert [setting.name for setting in found.changed] == [flag.split("=")[0][2:] for flag in found.flags]
        assert EtcdSettings.model_validate_json(found.model_dump_json()) == found

    def test_explain_has_every_reason_and_source(self):
        found = settings_for(size(clients=100, data_bytes="100MB"), etcd_version="3.6.16", kubernetes=True)
        quota, comparison = found.setting("quota-backend-bytes").why, found.notices[-1].text
        assert found.explain() == EXPLAINED.format(quota, found.memory_because, comparison)

    def test_explain_marks_only_the_defaults(self):
        lines = settings_for(size(clients=100, data_bytes="4GB")).explain().splitlines()
        quota = settings_for(size(clients=100, data_bytes="4GB")).quota_backend_bytes
        assert lines[1].startswith(f"--quota-backend-bytes={quota}: {quota // GIB} GiB for a file of ")
        assert lines[2].startswith("--snapshot-count=10000 (the default): ")
        assert lines[4].startswith("--auto-compaction-retention=1h: This keeps ")

    def test_the_flags_are_the_settings_that_differ_from_the_defaults(self):
        found = settings_for(size(clients=100, data_bytes="4GB"), peer_rtt_ms=150)
        assert found.flags == (
            f"--quota-backend-bytes={found.quota_backend_bytes}",
            "--auto-compaction-retention=1h",
            "--heartbeat-interval=150",
            "--election-timeout=1500",
        )

    @pytest.mark.parametrize(
        ("asked", "assumed"),
        [
            ({"clients": 5}, {"requests_per_second", "data_bytes"}),
            ({"data_bytes": 5e7}, {"clients", "requests_per_second"}),
            ({"requests_per_second": 5}, {"clients", "data_bytes"}),
        ],
    )
    def test_lists_what_was_assumed(self, asked, assumed):
        found = settings_for(size(**asked))
        assert found.assumptions == resources_for(Workload(**asked)).assumptions
        assert not set(asked) & {one.field for one in found.assumptions}

    @pytest.mark.parametrize("sizing", [4_000_000, "4GB", None, TIERS["small"]])
    def test_rejects_what_is_not_a_sizing(self, sizing):
        with pytest.raises(OptionError, match=r"^sizing: got .*, expected the answer of size\(\)$"):
            settings_for(sizing)

    def test_the_tiers_bounds_are_no_load(self):
        """What is unknown is assumed by the model, whatever the table of tiers is."""
        tiers = load_tiers("guide").model_dump()
        tiers["tiers"][0]["clients"]["limit"] = 150
        guide, own, etcd_io = (
            settings_for(size(requests_per_second=5, tiers=table)) for table in ("guide", TierTable(**tiers), "etcd.io")
        )
        assert guide.memory == own.memory == etcd_io.memory

    @given(data)
    def test_more_data_never_needs_less(self, data):
        assume(data >= 1)
        less, more = (settings_for(size(data_bytes=load)) for load in (data, data * 2 + 1))
        assert less.quota_backend_bytes <= more.quota_backend_bytes
        assert less.memory.limit_bytes.need <= more.memory.limit_bytes.need


@pytest.mark.parametrize(("minor", "tier"), list(zip(ETCDS, itertools.cycle(TIERS), strict=False)))
def test_real_etcd_starts_with_the_settings(minor, tier, tmp_path):
    """Every setting is passed, not only those that differ from the default; etcd then logs the values."""
    etcd, version = needed(minor)
    found = settings_for(size(**TIERS[tier]), etcd_version=str(version), peer_rtt_ms=130)
    flags = [f"--{setting.name}={setting.value}" for setting in found.settings.values()]
    with running(etcd, tmp_path, flags) as client:
        with urllib.request.urlopen(f"{client}/version", timeout=10) as answer:
            assert json.load(answer)["etcdserver"] == str(version)
        with urllib.request.urlopen(f"{client}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    (quota,) = [line for line in text.splitlines() if line.startswith("etcd_server_quota_backend_bytes ")]
    assert float(quota.split()[1]) == found.quota_backend_bytes
    log = (tmp_path / "log").read_text()
    assert "1.3s" in log or "1300" in log


EXPLAINED = """\
etcd 3.6.16 (run on 3.6.16).
--quota-backend-bytes=2147483648 (the default): {} [etcd-io/website content/en/docs/v3.5/dev-guide/limit.md]
--snapshot-count=10000 (the default): Log entries kept until a snapshot: more need more memory, fewer \
leave slow members behind. \
[etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md; the default is in etcd-io/etcd \
server/etcdserver/server.go]
--auto-compaction-mode=periodic (the default): Compaction by the age of the history. \
[etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md]
--auto-compaction-retention=0 (the default): Off: the API server itself compacts every five minutes. \
[kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go]
--heartbeat-interval=100 (the default): The default, for members on one network; set peer_rtt_ms if they are further \
apart. [etcd-io/website content/en/docs/v3.5/tuning.md]
--election-timeout=1000 (the default): Ten heartbeats, which is at least ten times the round-trip time. It must be the \
same on all members. [etcd-io/website content/en/docs/v3.5/tuning.md]
Memory for the process: {}.
Notice (guide-and-load): {}"""
