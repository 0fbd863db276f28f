"""Flags that a user adds to settings and to a plan: how they are read, what they replace, and what is rejected."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import (
    ClusterPlan,
    EtcdSettings,
    EtcdSizeError,
    Member,
    OptionError,
    PlanError,
    Profile,
    Setting,
    Tls,
    load_versions,
    render,
    runbook,
    settings_for,
    size,
)
from etcdsize.etcd.flags import is_deprecated
from etcdsize.plan.flag_values import check_flag
from etcdsize.plan.notices import flag_notices
from etcdsize.plan.terraform import ANSWER, answer

GIB = 2**30
A_NAME = "expected a name of lower-case letters, digits and hyphens, such as max-learners"
HOSTS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
EVERY = (
    "expected an address that every machine has, because all members have the flag: write http://0.0.0.0:9 to listen "
    "on every address of each"
)
ALONE = "expected one member on each host: all members have the flag, and two on one host collide"
VERSIONS = ("3.4", "3.5", "3.6", "3.7")

names = st.sampled_from(sorted(load_versions().flags_by_name)) | st.text(max_size=9)
values = st.booleans() | st.integers() | st.text(max_size=9)


def plan(version="3.6", **flags):
    return ClusterPlan.local(
        1, etcd_version=version, extra_flags={name.replace("_", "-"): flags[name] for name in flags}
    )


def codes(found):
    return [notice.code for notice in found.notices]


class TestReading:
    """Text is read by the kind of the flag, and typed values stay as they are."""

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("quota-backend-bytes", "8GiB", 8 * GIB),
            ("quota-backend-bytes", "8589934592", 8 * GIB),
            ("max-request-bytes", "4MB", 4_000_000),
            ("max-learners", "2", 2),
            ("heartbeat-interval", "150", 150),
            ("pre-vote", "F", False),
            ("pre-vote", "true", True),
            ("corrupt-check-time", "1h30m", "1h30m"),
            ("feature-gates", "CompactHashCheck=true", "CompactHashCheck=true"),
            ("auto-compaction-retention", "5", "5"),
            ("log-outputs", "stderr", "stderr"),
            ("max-learners", 2, 2),
            ("pre-vote", False, False),
        ],
    )
    @pytest.mark.parametrize("hyphens", ["", "--"])
    def test_values_by_kind(self, name, text, value, hyphens):
        found = ClusterPlan.local(1, extra_flags={hyphens + name: text})
        assert found.extra_flags == {name: value}
        assert type(found.extra_flags[name]) is type(value)
        assert found.flags("infra0")[name] == value
        assert ClusterPlan.model_validate_json(found.model_dump_json()) == found

    @pytest.mark.parametrize("kind", [int, np.int64, np.uint8, np.int32])
    @pytest.mark.parametrize("name", ["max-learners", "brand-new"])
    def test_integers_of_numpy_are_integers(self, kind, name):
        flags = {name: kind(2)}
        settings = settings_for(size(clients=5), extra_flags=flags)
        for found in (settings.setting(name).value, ClusterPlan.local(1, extra_flags=flags).extra_flags[name]):
            assert (found, type(found)) == (2, int)
        assert f"--{name}=2" in settings.flags

    @pytest.mark.parametrize("value", [np.float64(2), np.array([2]), 2.0, np.bool_(True), None])
    def test_no_other_value_is_an_integer(self, value):
        for make in (
            lambda flags: settings_for(size(clients=5), extra_flags=flags),
            lambda flags: ClusterPlan.local(1, extra_flags=flags),
        ):
            with pytest.raises(PlanError, match=r"^extra_flags: --max-learners: got |^ClusterPlan: extra_flags"):
                make({"max-learners": value})

    @pytest.mark.parametrize("version", VERSIONS)
    def test_every_default_of_every_version_is_accepted(self, version):
        """Except an empty list of cipher suites, which etcd refuses too (run on 3.4.23 and 3.5.1)."""
        found = load_versions().version(version)
        refused = [
            flag.name
            for flag in found.flags
            if result(lambda flag=flag: check_flag(found, flag.name, flag.defaults[version])) is not None
        ]
        assert refused == ["cipher-suites"]

    @pytest.mark.parametrize("version", VERSIONS)
    def test_every_default_of_every_version_is_read_back(self, version):
        """The text of a default, as a user would write it, stands for the default."""
        count = 0
        for flag in load_versions().version(version).flags:
            value = flag.defaults[version]
            text = str(value).lower() if isinstance(value, bool) else str(value)
            found = result(
                lambda flag=flag, text=text: ClusterPlan.local(1, etcd_version=version, extra_flags={flag.name: text})
            )
            if isinstance(found, ClusterPlan):
                count += 1
                assert found.extra_flags == {flag.name: value}
        assert count > 50

    @pytest.mark.parametrize(
        ("flags", "message"),
        [
            ([], 'extra_flags: got [], expected flags and values such as {"max-learners": 2}'),
            ({"Max": 1}, 'extra_flags: got the flag "Max", ' + A_NAME),
            ({5: 1}, "extra_flags: got the flag 5, " + A_NAME),
            ({"a=b": 1}, 'extra_flags: got the flag "a=b", ' + A_NAME),
            ({"max-wals": 1, "--max-wals": 2}, 'extra_flags: got "max-wals" more than once, expected it once'),
            ({"quota-backend-bytes": "8G"}, 'extra_flags: --quota-backend-bytes: got "8G", expected bytes '
             'or a size such as "8GB" or "8GiB"; did you mean "8GB"?'),
            ({"quota-backend-bytes": "1.5B"}, 'extra_flags: --quota-backend-bytes: got "1.5B", expected an '
             'integer of bytes, 0 or more'),
            ({"max-wals": "010"}, 'extra_flags: --max-wals: got "010", expected an integer of 0 or more'),
            ({"enable-v2": True}, 'extra_flags: etcd 3.6 has no flag "enable-v2"; those that have it: 3.4, 3.5'),
            ({"experimental-compaction-batch-limit": 5, "compaction-batch-limit": 5},
             "extra_flags: --experimental-compaction-batch-limit: cannot be used with "
             "--compaction-batch-limit: it is the old name of the same setting; leave it out"),
            ({"feature-gates": "CompactHash=true"},
             'extra_flags: --feature-gates: got "CompactHash", expected a feature gate of etcd 3.6: '
             'AllAlpha, AllBeta, CompactHashCheck, InitialCorruptCheck, LeaseCheckpoint, '
             'LeaseCheckpointPersist, SetMemberLocalAddr, StopGRPCServiceOnDefrag, TxnModeWriteWithSharedBuffer; '
             'did you mean "CompactHashCheck"?'),
            ({"no-such": "a\nb"}, 'extra_flags: --no-such: got "a\\nb", expected printable text, an integer '
             'or a boolean'),
            ({"cipher-suites": ""}, 'extra_flags: --cipher-suites: got "", expected cipher suites of Go\'s crypto/tls, '
             'or no flag: etcd reads nothing as the name of a suite'),
            ({"no-such": 2**64}, 'extra_flags: --no-such: got 18446744073709551616, expected an integer of 64 bits'),
            ({"wal-dir": "../wal"}, 'extra_flags: --wal-dir: got "../wal", expected a path without ..'),
        ],
    )  # fmt: skip
    def test_messages(self, flags, message):
        with pytest.raises(PlanError) as error:
            ClusterPlan.local(1, extra_flags=flags)
        assert str(error.value) == message

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("name", "set it with Member(name=), or --host NAME=HOST on the command line"),
            ("data-dir", "set it with data_dir=, or --data-dir on the command line"),
            ("initial-cluster", "set it with members=, or --host NAME=HOST on the command line"),
            ("initial-cluster-state", "set it with state="),
            ("initial-cluster-token", "set it with token=, or --token on the command line"),
            ("cert-file", "set it with tls=, or --tls-dir on the command line"),
            ("discovery-srv", "the plan lists its members, and etcd rejects both together"),
            ("version", "etcd would print its version and exit"),
        ],
    )
    @pytest.mark.parametrize(
        "make",
        [
            lambda flags: ClusterPlan.local(1, extra_flags=flags),
            lambda flags: settings_for(size(clients=5), extra_flags=flags),
        ],
    )
    def test_flags_of_the_plan_are_rejected(self, name, reason, make):
        with pytest.raises(PlanError) as error:
            make({name: "x"})
        assert str(error.value) == (
            f'extra_flags: got "{name}", expected flags that the plan does not set itself; {reason}'
        )

    @given(st.dictionaries(names, values, max_size=4), st.sampled_from(VERSIONS))
    def test_any_flags_are_accepted_or_rejected_on_one_line(self, flags, version):
        found = result(lambda: ClusterPlan.local(1, etcd_version=version, extra_flags=flags))
        assert "\n" not in str(found)
        if isinstance(found, ClusterPlan):
            assert found.flags("infra0").items() >= found.extra_flags.items()


@pytest.mark.parametrize(
    "url", ["http://u:s3cret@h:2380", "http://u:s3cret,@h:2380", "etcd://u:s3cret@h:1", "u:s3cr et@h"]
)
def test_a_password_in_a_url_is_never_shown(url):
    """Neither in the message nor in the attributes of the error, which `--json` prints."""
    for make in (
        lambda: Member(name="a", peer_urls=url, client_urls="http://h:2379"),
        lambda: Member(name="a", peer_urls="http://h:2380", client_urls=["http://h:2379", url]),
        lambda: plan(listen_metrics_urls=url),
        lambda: plan(cors=url),
    ):
        with pytest.raises(PlanError) as caught:
            make()
        assert "not shown" in str(caught.value)
        assert "s3cr" not in repr(vars(caught.value))


@pytest.mark.parametrize("url", ["http://u:s3cr et@h:2380", "http://u:s3cr/et@h:2380", "u:s3cret@h:2380"])
@pytest.mark.parametrize(
    "shape",
    [
        lambda url: {url: 1},
        lambda url: {"a": [url]},
        lambda url: [[url]],
        lambda url: [url, 5],
        lambda url: {url},
        lambda url: url.encode(),
        lambda url: [url.encode()],
    ],
    ids=["key", "value", "list in a list", "beside a number", "set", "bytes", "list of bytes"],
)
def test_a_password_is_never_shown_whatever_holds_the_url(shape, url):
    """Not in errors of Pydantic either, which `model_validate` raises."""
    value = shape(url)
    for field in ("peer_urls", "client_urls", "listen_peer_urls", "listen_client_urls"):
        fields = {"name": "a", "peer_urls": "http://h:2380", "client_urls": "http://h:2379", field: value}
        for make in (
            lambda fields=fields: Member(**fields),
            lambda fields=fields: ClusterPlan(members=[fields]),
            lambda fields=fields: Member.model_validate(fields),
            lambda fields=fields: ClusterPlan.model_validate({"members": [fields]}),
        ):
            with pytest.raises(ValueError, match=r"got |Input should be") as caught:
                make()
            assert "s3cr" not in str(caught.value)
            assert "s3cr" not in repr(vars(caught.value))
    for make in (lambda: plan(listen_metrics_urls=value), lambda: ClusterPlan.from_hosts([value])):
        with pytest.raises(EtcdSizeError) as caught:
            make()
        assert "s3cr" not in repr(vars(caught.value))


class TestUnknown:
    """A flag that our table lacks is passed through in every format but a config file, with a notice."""

    def test_notice_and_suggestion(self):
        found = plan(**{"quota-backend-byte": "3", "brand-new": "a b$c"})
        first, second = (notice for notice in found.notices if notice.code == "unknown-flag")
        assert first.severity == "warning"
        assert first.text.startswith('Our table of etcd 3.6 has no flag "quota-backend-byte", so it is passed through')
        assert first.text.endswith('; did you mean "quota-backend-bytes"?')
        assert second.text.endswith("ignores an unknown environment variable.")

    def test_formats(self):
        found = plan(**{"brand-new": "a b$c", "brand-off": False})
        assert "  --brand-new='a b$c' \\\n  --brand-off=false\n" in render(found, "flags")
        assert 'ETCD_BRAND_NEW="a b\\$c"\n' in render(found, "env")
        absolute = ClusterPlan.local(1, data_dir="/d", extra_flags=found.extra_flags)
        assert '"--brand-new=a b$$c"' in render(absolute, "systemd")
        with pytest.raises(OptionError) as error:
            render(found, "config")
        assert str(error.value) == (
            "extra_flags: --brand-new cannot be set in a config file: our table does not have it, so its key is "
            'unknown, and etcd would silently ignore a wrong one; use the format "flags" or "env"'
        )

    @pytest.mark.parametrize("value", [2**64 - 1, -(2**63), 0])
    def test_an_integer_of_64_bits(self, value):
        assert f"--brand-new={value}" in render(plan(**{"brand-new": value}), "flags")

    @pytest.mark.parametrize(
        "value", [2**64, -(2**63) - 1, 10**5000, -(10**5000)], ids=["2**64", "-2**63-1", "10**5000", "-10**5000"]
    )
    def test_no_longer_integer(self, value):
        with pytest.raises(PlanError, match=r"^extra_flags: --brand-new: got .*, expected an integer of 64 bits$"):
            plan(**{"brand-new": value})

    @pytest.mark.parametrize(("size", "is_accepted"), [(2**63 - 1, True), (2**63, False), (-(2**63) - 1, False)])
    def test_integers_of_the_log_rotation(self, size, is_accepted):
        flags = {"log_outputs": "/log", "enable_log_rotation": True}
        found = result(lambda: plan(**flags, log_rotation_config_json=json.dumps({"maxsize": size})))
        assert isinstance(found, ClusterPlan) == is_accepted
        assert is_accepted or str(found).startswith("extra_flags: --log-rotation-config-json: got ")

    def test_settings_reject_it(self):
        """They are flags that we know."""
        with pytest.raises(PlanError, match=r"^settings: etcd 3\.6: got the flag \"brand-new\""):
            ClusterPlan.local(1, settings={"brand-new": 1})

    def test_it_stays_in_settings_of_a_sizing(self):
        settings = settings_for(size(data_bytes="4GB"), extra_flags={"brand-new": "1"})
        assert "--brand-new=1" in settings.flags
        assert "unknown-flag" in codes(settings)
        assert ClusterPlan.local(1, settings=settings).extra_flags == {"brand-new": "1"}


class TestFormats:
    """A config file has the flag under its key and with the type that the key has."""

    def test_config_keys(self):
        found = plan(feature_gates="CompactHashCheck=true", corrupt_check_time="1m", client_cert_allowed_hostname="a,b",
                     cipher_suites="TLS_AES_128_GCM_SHA256", pre_vote="false")  # fmt: skip
        document = yaml.safe_load(render(found, "config"))
        assert document["feature-gates"] == "CompactHashCheck=true"
        assert document["corrupt-check-time"] == 60_000_000_000
        assert document["client-transport-security"]["allowed-hostname"] == ["a", "b"]
        assert document["cipher-suites"] == ["TLS_AES_128_GCM_SHA256"]
        assert document["pre-vote"] is False

    def test_a_flag_without_a_key(self):
        with pytest.raises(
            OptionError, match=r"^extra_flags: --client-crl-file cannot be set in a config file of etcd"
        ):
            render(plan(client_crl_file="/x"), "config")

    def test_a_relative_path_in_a_unit(self):
        with pytest.raises(OptionError, match=r"^--peer-crl-file: got \"x\.pem\", expected an absolute path"):
            render(ClusterPlan.local(1, data_dir="/d", extra_flags={"peer-crl-file": "x.pem"}), "systemd")

    @pytest.mark.parametrize(
        ("flag", "value", "path"),
        [
            ("log-outputs", "stderr,etcd.log", "etcd.log"),
            ("log-outputs", "logs/etcd.log", "logs/etcd.log"),
            ("auth-token", "jwt,sign-method=RS256,pub-key=/a.pub,priv-key=a.key", "a.key"),
            ("auth-token", "jwt,sign-method=RS256,pub-key=a.pub", "a.pub"),
        ],
    )
    def test_a_relative_path_within_a_value_in_a_unit(self, flag, value, path):
        found = ClusterPlan.local(1, data_dir="/d", extra_flags={flag: value})
        with pytest.raises(OptionError) as error:
            render(found, "systemd")
        assert str(error.value) == f'--{flag}: got "{path}", expected an absolute path: systemd starts etcd in /'
        assert f"{flag}={value}" in render(found, "flags", "infra0")

    @pytest.mark.parametrize(
        ("flag", "value"),
        [
            ("log-outputs", "stderr,/var/log/etcd.log"),
            ("log-outputs", "file:///var/log/etcd.log,stdout"),
            ("log-outputs", "file://localhost/var/log/etcd.log"),
            ("log-outputs", "systemd/journal"),
            ("log-outputs", "default"),
            ("auth-token", "jwt,sign-method=RS256,pub-key=/a.pub,priv-key=/a.key,ttl=5m"),
            ("auth-token", "simple"),
        ],
    )
    def test_an_absolute_path_within_a_value_in_a_unit(self, flag, value):
        assert f"--{flag}={value}" in render(ClusterPlan.local(1, data_dir="/d", extra_flags={flag: value}), "systemd")

    @pytest.mark.parametrize(
        ("flag", "value", "path"),
        [
            ("log-outputs", "~/etcd.log", "~/etcd.log"),
            ("log-outputs", "stderr,../etcd.log", "../etcd.log"),
            ("auth-token", "jwt,sign-method=HS256,priv-key=~/key", "~/key"),
            ("wal-dir", "~/wal", "~/wal"),
        ],
    )
    def test_a_path_that_a_plan_rejects_is_rejected_within_a_value(self, flag, value, path):
        with pytest.raises(PlanError, match=rf'^extra_flags: --{flag}: got "{re.escape(path)}", expected a '):
            ClusterPlan.local(1, extra_flags={flag: value})


class TestPrecedence:
    """The user's value replaces that of `settings`, and everything derived follows it."""

    def test_extra_flags_override_settings(self):
        found = ClusterPlan.local(1, settings={"max-wals": 3, "max-txn-ops": 9}, extra_flags={"max-wals": 7})
        assert found.further_flags == {"max-wals": 7, "max-txn-ops": 9}
        assert found.setting("max-wals") == 7

    def test_a_plan_overrides_the_flags_of_its_settings(self):
        settings = settings_for(size(data_bytes="4GB"), extra_flags={"max-wals": 3, "max-txn-ops": 9})
        found = ClusterPlan.local(1, settings=settings, extra_flags={"--max-wals": 7})
        assert found.extra_flags == {"max-txn-ops": 9, "max-wals": 7}

    def test_combinations_are_checked_over_both(self):
        both = {"settings": {"heartbeat-interval": 300}, "extra_flags": {"election-timeout": "3s"}}
        with pytest.raises(PlanError, match=r"^extra_flags: --election-timeout: got \"3s\""):
            ClusterPlan.local(1, **both)
        assert ClusterPlan.local(1, settings=both["settings"], extra_flags={"election-timeout": 3000})

    def test_quota(self):
        found = settings_for(size(data_bytes="4GB"), extra_flags={"quota-backend-bytes": "16GiB"})
        quota = found.setting("quota-backend-bytes")
        assert (quota.value, quota.is_given, quota.is_default) == (16 * GIB, True, False)
        ours = settings_for(size(data_bytes="4GB"))
        assert quota.why == f"You set it; our choice is {ours.quota_backend_bytes}."
        # The file does not grow with its quota, but the disk has room for it.
        assert found.memory == ours.memory
        assert found.disk.quota_bytes == 16 * GIB
        assert found.disk.size_gib > 48
        assert "quota-above-suggested" in codes(found)
        assert EtcdSettings.model_validate_json(found.model_dump_json()) == found

    @pytest.mark.parametrize(("text", "gib"), [("0", 2), ("2GiB", 2), ("1GiB", 1)])
    def test_a_quota_below_the_file_has_a_notice(self, text, gib):
        found = settings_for(size(data_bytes="4GB"), extra_flags={"quota-backend-bytes": text})
        assert found.quota_backend_bytes == found.disk.quota_bytes == gib * GIB
        assert "quota-too-small" in codes(found)
        assert any(flag.startswith("--quota-backend-bytes=") for flag in found.flags)

    @pytest.mark.parametrize(
        ("quota", "text"),
        [("1", "1 B"), ("1000", "1 kB"), ("1GiB", "1 GiB"), ("3GB", "3 GB"), ("9GB", "9 GB"), ("16GiB", "16 GiB"),
         ("8589934593", "8.589934593 GB")],
    )  # fmt: skip
    def test_a_notice_has_the_quota_as_it_was_given(self, quota, text):
        found = settings_for(size(data_bytes="4GB"), extra_flags={"quota-backend-bytes": quota})
        notice = next(one for one in found.notices if one.code.startswith("quota-"))
        assert re.search(rf"quota of {re.escape(text)}(:| is )", notice.text)

    def test_a_quota_of_a_plan_has_the_same_notice(self):
        assert "quota-above-suggested" in codes(plan(quota_backend_bytes="16GiB"))

    def test_raft_log(self):
        load = Profile(clients=5, value_bytes=1000, keys=1000, writes_per_second=100)
        old = size(load, etcd_version="3.5")
        more = settings_for(old, extra_flags={"snapshot-count": 300_000})
        assert more.memory.raft_log_bytes.need > 2 * settings_for(old).memory.raft_log_bytes.need
        zero = settings_for(size(clients=5), extra_flags={"snapshot-count": 0})
        assert zero.memory == settings_for(size(clients=5)).memory
        assert zero.snapshot_count == 10_000

    def test_history(self):
        """Periodic compaction keeps up to twice the retention, for which the quota has room."""
        load = Profile(keys=1e5, value_bytes=1000, writes_per_second=200)
        short, long = (
            settings_for(size(load), extra_flags={"auto-compaction-retention": text}) for text in ("5m", "1")
        )
        assert long.file.history_bytes.need == pytest.approx(12 * short.file.history_bytes.need, rel=0.1)
        assert long.quota_backend_bytes > short.quota_backend_bytes
        assert settings_for(size(load), extra_flags={"auto-compaction-retention": "0"}).profile == load

    @pytest.mark.parametrize(
        ("given", "rtt", "expected"),
        [
            ({"heartbeat-interval": 250}, None, (250, 2500)),
            ({"heartbeat-interval": 50}, None, (50, 1000)),
            ({"heartbeat-interval": 8000}, None, (8000, 50_000)),
            ({"heartbeat-interval": 250}, 150, (250, 2500)),
            ({"election-timeout": 3000}, None, (100, 3000)),
            ({"election-timeout": 1500}, 150, (150, 1500)),
            ({"election-timeout": 900, "heartbeat-interval": 90}, 150, (90, 900)),
        ],
    )
    def test_timing(self, given, rtt, expected):
        found = settings_for(size(clients=5), peer_rtt_ms=rtt, extra_flags=given)
        assert (found.heartbeat_interval_ms, found.election_timeout_ms) == expected
        assert ("election-below-rtt" in codes(found)) == (expected[1] < 10 * (rtt or 0))

    @pytest.mark.parametrize(
        ("heartbeat", "why"),
        [
            (1, "At least ten times the round-trip time and ten heartbeats. It must be the same on all members."),
            (50, "At least ten times the round-trip time and ten heartbeats. It must be the same on all members."),
            (
                100,
                "Ten heartbeats, which is at least ten times the round-trip time. It must be the same on all members.",
            ),
            (
                5000,
                "Ten heartbeats, which is at least ten times the round-trip time. It must be the same on all members.",
            ),
            (5001, "The longest that etcd accepts, fewer than ten heartbeats. It must be the same on all members."),
        ],
    )
    def test_why_an_election_timeout_follows_a_heartbeat(self, heartbeat, why):
        found = settings_for(size(clients=5), extra_flags={"heartbeat-interval": heartbeat})
        assert found.setting("election-timeout").why == why

    def test_what_is_said_of_a_flag_of_ones_own(self):
        found = settings_for(size(clients=5), extra_flags={"heartbeat-interval": 100, "max-wals": 3})
        for name, is_default in (("heartbeat-interval", True), ("max-wals", False)):
            own = found.setting(name)
            assert (own.why, own.source) == ("You set it.", "your extra_flags, or --set")
            assert (own.is_given, own.is_default) == (True, is_default)
        ours = found.setting("election-timeout")
        assert not ours.is_given
        assert not Setting(**ours.model_dump(exclude={"is_given"})).is_given

    def test_explanation_ends_with_the_notices(self):
        found = settings_for(size(clients=5), extra_flags={"brand-new": "1"}, etcd_version="3.5.33")
        lines = found.explain().splitlines()
        assert lines[-len(found.notices) :] == [f"Notice ({one.code}): {one.text}" for one in found.notices]
        assert "unknown-flag" in codes(found)

    @pytest.mark.parametrize(
        ("heartbeat", "election"), [(100, None), (50, None), (101, 1010), (500, 5000), (8000, 50_000)]
    )
    def test_a_heartbeat_brings_the_same_election_timeout_everywhere(self, heartbeat, election):
        """With a load or without one, and in a runbook, which has no load."""
        flags = {"heartbeat-interval": heartbeat}
        alone = ClusterPlan.local(1, extra_flags=flags)
        with_load = ClusterPlan.local(1, settings=settings_for(size(clients=5), extra_flags=flags))
        for found in (alone, with_load):
            assert found.flags("infra0").get("election-timeout") == election
            assert found.setting("election-timeout") == (election or 1000)
            assert runbook(found).members == ("infra0",)
        own = flags | {"election-timeout": 6 * heartbeat}
        assert ClusterPlan.local(1, extra_flags=own).further_flags == own
        rejected = {"settings": {"election-timeout": 5 * heartbeat - 1}, "extra_flags": flags}
        with pytest.raises(PlanError, match=r"^extra_flags: --heartbeat-interval, --election-timeout: got an election"):
            ClusterPlan.local(1, **rejected)

    @pytest.mark.parametrize("heartbeat", [0, 10_001])
    def test_a_heartbeat_without_any_election_timeout(self, heartbeat):
        flags = {"heartbeat-interval": heartbeat}
        for make in (
            lambda: ClusterPlan.local(1, extra_flags=flags),
            lambda: settings_for(size(clients=5), extra_flags=flags),
        ):
            with pytest.raises(PlanError, match=r"^extra_flags: --heartbeat-interval, --election-timeout: got "):
                make()

    def test_timing_that_etcd_rejects(self):
        with pytest.raises(PlanError, match=r"^extra_flags: --heartbeat-interval, --election-timeout: got an election"):
            settings_for(size(clients=5), peer_rtt_ms=1000, extra_flags={"election-timeout": 1000})

    def test_the_mode_revision_needs_a_number_of_revisions(self):
        alone = {"auto-compaction-mode": "revision"}
        for make in (
            lambda: settings_for(size(clients=5), extra_flags=alone),
            lambda: settings_for(size(clients=5), kubernetes=True, extra_flags=alone),
            lambda: ClusterPlan.local(1, extra_flags=alone),
        ):
            with pytest.raises(PlanError) as error:
                make()
            assert str(error.value) == (
                "extra_flags: --auto-compaction-mode: got revision without --auto-compaction-retention, expected both: "
                "set the number of revisions to keep"
            )
        both = {"auto-compaction-mode": "revision", "auto-compaction-retention": "5000"}
        found = settings_for(size(clients=5), extra_flags=both)
        assert found.setting("auto-compaction-retention").value == "5000"
        # Revisions are no hours.
        assert found.profile.history_seconds is None
        off = {"auto-compaction-mode": "revision", "auto-compaction-retention": "0"}
        assert ClusterPlan.local(1, settings=settings_for(size(clients=5), kubernetes=True, extra_flags=off))

    def test_a_given_default_is_a_flag_too(self):
        found = settings_for(size(clients=5), extra_flags={"pre-vote": "true"})
        assert found.setting("pre-vote").is_default
        assert "--pre-vote=true" in found.flags


class TestNotices:
    @pytest.mark.parametrize(
        ("flags", "expected"),
        [
            ({"max-snapshots": "3"}, "deprecated-flag"),
            ({"experimental-corrupt-check-time": "5m"}, "deprecated-flag"),
            ({"unsafe-no-fsync": "true"}, "unsafe-flag"),
            ({"max-wals": "3"}, None),
            ({"unsafe-no-fsync": "false"}, None),
        ],
    )
    def test_codes(self, flags, expected):
        new = set(codes(plan(**flags))) - set(codes(plan()))
        assert new == ({expected} if expected else set())

    def test_a_deprecated_flag_names_the_new_one(self):
        (notice,) = [one for one in plan(experimental_corrupt_check_time="5m").notices if one.code == "deprecated-flag"]
        assert notice.text == (
            "etcd 3.6 warns that --experimental-corrupt-check-time is deprecated; use --corrupt-check-time instead."
        )

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("is_on", [True, False])
    def test_the_version_accepts_what_replaces_a_deprecated_flag(self, version, is_on):
        """The notice names it as an argument of etcd, with the value of the flag if it is a feature gate."""
        found = load_versions().version(version)
        for flag in found.flags:
            if not is_deprecated(found, flag) or flag.instead is None:
                continue
            given = is_on if flag.kind == "bool" else flag.defaults[version]
            (notice,) = flag_notices(found, {flag.name: given})
            name, _, value = notice.text.partition("; use --")[2].removesuffix(" instead.").partition("=")
            if value:
                assert value.endswith(f"={str(is_on).lower()}")
                check_flag(found, name, value)
            else:
                assert found.has(load_versions().flags_by_name[name])


class TestListeners:
    """Flags of all members must not meet on one machine."""

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: plan(listen_metrics_urls="http://0.0.0.0:2379"),
             '--listen-metrics-urls: got "http://0.0.0.0:2379", expected a port of its own: member "infra0" '
              'listens on "http://127.0.0.1:2379" too'),
            (lambda: plan(listen_metrics_urls="http://127.0.0.1:9,http://127.0.0.1:9"),
             '--listen-metrics-urls: got "http://127.0.0.1:9", expected a port of its own: member "infra0" '
              'listens on "http://127.0.0.1:9" too'),
            (lambda: plan(listen_metrics_urls="https://127.0.0.1:9"),
             '--listen-metrics-urls: got "https://127.0.0.1:9", expected http://: there are no client '
              'certificates; add them with tls='),
            (lambda: ClusterPlan.local(2, extra_flags={"wal-dir": "/wal"}),
             '--wal-dir: got "/wal", ' + ALONE),
            (lambda: ClusterPlan.local(2, extra_flags={"listen-metrics-urls": "http://127.0.0.1:9"}),
             '--listen-metrics-urls: got "http://127.0.0.1:9", ' + ALONE),
            (lambda: ClusterPlan.from_hosts(HOSTS, extra_flags={"listen-metrics-urls": "http://127.0.0.1:9,http://10.0.0.1:9"}),
             '--listen-metrics-urls: got "http://10.0.0.1:9", ' + EVERY),
            (lambda: ClusterPlan.from_hosts(HOSTS, extra_flags={"listen-client-http-urls": "http://10.9.9.9:9"}),
             '--listen-client-http-urls: got "http://10.9.9.9:9", ' + EVERY),
        ],
    )  # fmt: skip
    def test_collisions_are_rejected(self, make, message):
        with pytest.raises(PlanError) as error:
            make()
        assert str(error.value) == message

    def test_members_on_their_own_hosts_share_the_flags(self):
        flags = {"listen-metrics-urls": "https://127.0.0.1:2381", "wal-dir": "/wal"}
        found = ClusterPlan.from_hosts(["10.0.0.1", "10.0.0.2"], tls=Tls.from_dir("/pki"), extra_flags=flags)
        assert found.flags("infra1").items() >= flags.items()

    @pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "localhost", "[::1]"])
    def test_members_on_their_own_hosts_listen_on_what_every_machine_has(self, host):
        flags = {"listen-metrics-urls": f"http://{host}:2381"}
        assert ClusterPlan.from_hosts(HOSTS, extra_flags=flags).extra_flags == flags

    def test_a_single_member_listens_on_any_address(self):
        flags = {"listen-metrics-urls": "http://10.9.9.9:2381"}
        assert ClusterPlan.from_hosts(HOSTS[:1], extra_flags=flags).extra_flags == flags


class TestLogFolder:
    """At its first start etcd deletes everything in --wal-dir: it must hold none of a member's data."""

    @pytest.mark.parametrize(
        "folder",
        ["/", "//", "/d", "//d", "/d/", "/d/.", "/d/infra0.etcd", "/d/infra0.etcd/member", "/d/infra0.etcd/member/snap",
         "/d/infra0.etcd/member/snap/log"],
    )  # fmt: skip
    def test_rejects_a_folder_with_data(self, folder):
        with pytest.raises(PlanError) as error:
            ClusterPlan.local(1, data_dir="/d", extra_flags={"wal-dir": folder})
        assert str(error.value) == (
            f'--wal-dir: got "{folder}", expected a folder of its own: at its first start etcd deletes everything in '
            'it, here the data of "infra0"'
        )

    @pytest.mark.parametrize(
        "folder", ["/wal", "/d/wal", "/d/infra0.etcd/wal", "/d/infra0.etcd/member/wal", "d", "/dd"]
    )
    def test_accepts_any_other_folder(self, folder):
        assert ClusterPlan.local(1, data_dir="/d", extra_flags={"wal-dir": folder})

    @pytest.mark.parametrize("data_dir", [".", "./", "data", "./data"])
    @pytest.mark.parametrize("folder", [".", "./", "././", "/", "//", "/.", "DATA", "./DATA", "DATA/infra0.etcd"])
    def test_relative_folders_are_compared_too(self, data_dir, folder):
        """The working directory holds every relative path, and the root holds it."""
        with pytest.raises(PlanError, match=r"^--wal-dir: got .*, expected a folder of its own"):
            ClusterPlan.local(1, data_dir=data_dir, extra_flags={"wal-dir": folder.replace("DATA", data_dir)})

    @pytest.mark.parametrize("folder", ["wal", "./wal", "data/wal", "/wal", "/data"])
    def test_accepts_a_folder_beside_a_relative_one(self, folder):
        assert ClusterPlan.local(1, data_dir="data", extra_flags={"wal-dir": folder})

    def test_the_working_directory_holds_no_absolute_path_that_we_know_of(self):
        assert ClusterPlan.local(1, data_dir="/d", extra_flags={"wal-dir": "."})


class TestRunbook:
    def test_the_restore_follows_the_log_folder(self):
        found = ClusterPlan.local(1, data_dir="/d", extra_flags={"wal-dir": "/wal/one"})
        words = [command.words for command in runbook(found).step("snapshot-restore").commands]
        assert any("--wal-dir=/wal/one" in one for one in words)
        assert ("mv", "-T", "--", "/wal/one", "/wal/one.old-wal") in words

    @pytest.mark.parametrize(
        "folder", ["/d/a", "/d/a/", "/d/a.old", "/d/a.old/wal", "/d/a.etcd/wal", "/wal.etcd", "/wal"]
    )
    def test_the_data_and_the_log_are_moved_to_folders_of_their_own(self, folder):
        found = ClusterPlan.from_hosts({"a": "10.0.0.1"}, data_dir="/d", extra_flags={"wal-dir": folder})
        commands = runbook(found).step("snapshot-restore").commands
        moved = [command.words[-2:] for command in commands if command.words[0] == "mv"]
        assert [path for path, _ in moved] == ["/d/a.etcd", folder]
        assert len({path.rstrip("/") for pair in moved for path in pair}) == 4
        # What is in the way of the new log is only what is moved aside.
        assert not folder.startswith(tuple(f"{aside}/" for _, aside in moved))

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("kubernetes", [True, False])
    def test_an_empty_log_folder_is_none(self, version, kubernetes):
        plain, empty = (
            runbook(ClusterPlan.local(1, etcd_version=version, extra_flags=flags), kubernetes=kubernetes)
            for flags in ({}, {"wal-dir": ""})
        )
        assert empty.steps == plain.steps

    @pytest.mark.parametrize(
        ("version", "step", "flags", "rejected"),
        [
            ("3.5", "upgrade", {"enable-v2": "true"},
             'The plan sets a flag that 3.6 rejects: etcd 3.6 has no flag "enable-v2"'),
            ("3.7", "downgrade", {"feature-gates": "FastLeaseKeepAlive=false"},
             'The plan sets a flag that 3.6 rejects: --feature-gates: got "FastLeaseKeepAlive", expected a feature'),
            ("3.6", "upgrade", {"brand-new": "1"}, ""),
        ],
    )  # fmt: skip
    def test_another_version_may_reject_a_flag(self, version, step, flags, rejected):
        found = runbook(ClusterPlan.local(3, etcd_version=version, extra_flags=flags)).step(step)
        notes = [note for note in found.notes if note.startswith("The plan sets a flag ")]
        assert len(notes) == bool(rejected)
        assert all(note.startswith(rejected) for note in notes)

    def test_the_disk_to_measure_is_that_of_the_log(self):
        found = ClusterPlan.local(1, data_dir="/d", extra_flags={"wal-dir": "/wal:one"})
        assert "--directory=/wal\\:one" in runbook(found).step("fio").commands[0].words

    @pytest.mark.parametrize(
        ("flags", "end"),
        [
            ({"quota-backend-bytes": "6GiB"}, "quota-backend-bytes, which the plan sets to 6 GiB."),
            ({"quota-backend-bytes": "1"}, "quota-backend-bytes, which the plan sets to 1 B."),
            ({}, "quota-backend-bytes."),
        ],
    )
    def test_the_alarm_names_the_quota(self, flags, end):
        note = runbook(ClusterPlan.local(1, extra_flags=flags)).step("alarms").notes[0]
        assert note.endswith(f"or raise {end}")


class TestTerraform:
    def ask(self, **query):
        return answer(json.dumps({"data": "4GB", **query}))

    def test_flags_reach_settings_and_members(self):
        found = self.ask(
            set=json.dumps({"max-learners": 2, "quota-backend-bytes": "6GiB"}), hosts="a=10.0.0.1", format="flags"
        )
        assert "--max-learners=2" in found["flags"].split()
        assert found["quota_backend_bytes"] == str(6 * GIB)
        assert "--max-learners=2" in found["member_a"]
        assert "max_learners" not in found

    @pytest.mark.parametrize(("version", "count"), [("3.5", "100000"), ("3.6", "10000")])
    def test_0_stands_for_the_default_of_etcd(self, version, count):
        found = self.ask(set=json.dumps({"quota-backend-bytes": 0, "snapshot-count": 0}), etcd_version=version)
        assert (found["quota_backend_bytes"], found["snapshot_count"]) == (str(2 * GIB), count)

    def test_an_unknown_flag_replaces_no_key(self):
        """Whatever our table lacks is passed through, also if it has the name of a key of the answer."""
        names = [
            name for name in ANSWER if name.islower() and name.replace("_", "-") not in load_versions().flags_by_name
        ]
        plain = self.ask()
        found = self.ask(set=json.dumps({name.replace("_", "-"): "gold" for name in names}))
        assert {"tier", "members", "etcd_version", "format_version"} <= set(names)
        assert {name for name in found if found[name] != plain.get(name)} == {"flags", "notices"}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("max-learners=2", 'set: got "max-learners=2", expected a JSON object such as {"max-learners": 2}'),
            ("[1]", 'set: got "[1]", expected a JSON object such as {"max-learners": 2}'),
            ('{"name": "x"}', 'extra_flags: got "name", expected flags that the plan does not set itself; '
             'set it with Member(name=), or --host NAME=HOST on the command line'),
        ],
    )  # fmt: skip
    def test_messages(self, text, message):
        with pytest.raises((OptionError, PlanError)) as error:
            self.ask(set=text)
        assert str(error.value) == message

    def test_a_repeated_flag_is_rejected(self):
        with pytest.raises(OptionError, match=r"^set: .*max-wals"):
            self.ask(set='{"max-wals": 1, "max-wals": 2}')


def test_a_member_may_be_defined_by_hand():
    member = Member(name="a", peer_urls="http://10.0.0.1:2380", client_urls="http://10.0.0.1:2379")
    assert ClusterPlan(members=[member], extra_flags={"max-learners": "2"}).flags("a")["max-learners"] == 2
