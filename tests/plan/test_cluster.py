"""A plan: the flags of each member, what it rejects, and its notices."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invalid_plans import INVALID
from strategies import result

from etcdsize import ClusterPlan, EtcdSizeError, Member, PlanError, Tls, TlsFiles, load_versions, settings_for, size
from etcdsize.etcd.notices import version_notices
from etcdsize.etcd.version_names import DEFAULT_VERSION

GUIDE = {
    "infra0": ("http://127.0.0.1:2379", "http://127.0.0.1:2380"),
    "infra1": ("http://127.0.0.1:2381", "http://127.0.0.1:2382"),
    "infra2": ("http://127.0.0.1:2383", "http://127.0.0.1:2384"),
}


def hosts(*names, **more):
    return ClusterPlan.from_hosts([f"{name}=10.0.0.{index}" for index, name in enumerate(names, 1)], **more)


class TestGuide:
    """Guide, install: infra0 to infra2; clients at 2379, 2381, 2383; members at 2380, 2382, 2384."""

    def test_members_have_the_ports_of_the_guide(self):
        plan = ClusterPlan.local(3)
        assert {member.name: (*member.client_urls, *member.peer_urls) for member in plan.members} == GUIDE

    @pytest.mark.parametrize("name", GUIDE)
    def test_members_have_the_eight_flags_of_the_guide(self, name):
        client, peer = GUIDE[name]
        flags = ClusterPlan.local(3).flags(name)
        assert flags.pop("data-dir") == f"./{name}.etcd"
        assert flags == {
            "name": name,
            "initial-advertise-peer-urls": peer,
            "listen-peer-urls": peer,
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "initial-cluster-token": "etcd-cluster-1",
            "initial-cluster": "infra0=http://127.0.0.1:2380,infra1=http://127.0.0.1:2382,infra2=http://127.0.0.1:2384",
            "initial-cluster-state": "new",
        }

    def test_data_folder_has_the_name_of_the_member(self):
        assert ClusterPlan.local(1, data_dir="/tmp/x").flags("infra0")["data-dir"] == "/tmp/x/infra0.etcd"


class TestLocal:
    @pytest.mark.parametrize("count", [1, 2, 5, 100])
    def test_ports_are_unique(self, count):
        plan = ClusterPlan.local(count, base_port=30_000)
        urls = [url for member in plan.members for url in member.peer_urls + member.client_urls]
        assert len(set(urls)) == 2 * count

    @pytest.mark.parametrize("count", [0, 101, True, "3", 3.0, None])
    def test_rejects_an_invalid_number_of_members(self, count):
        with pytest.raises(PlanError, match=r"^members: got .*, expected an integer from 1 to 100$"):
            ClusterPlan.local(count)

    def test_rejects_ports_above_65535(self):
        assert ClusterPlan.local(3, base_port=65_530).members[2].peer_urls == ("http://127.0.0.1:65535",)
        with pytest.raises(PlanError, match=r"^base_port: got 65531, expected an integer from 1 to 65530$"):
            ClusterPlan.local(3, base_port=65_531)


class TestFromHosts:
    """One member on each host, with the usual ports on all of them."""

    def test_names_hosts_that_have_no_name(self):
        plan = ClusterPlan.from_hosts(["a=10.0.0.1", "node2.example", "[fd00::3]", "d=fd00::4"])
        assert [(member.name, *member.client_urls) for member in plan.members] == [
            ("a", "http://10.0.0.1:2379"),
            ("infra1", "http://node2.example:2379"),
            ("infra2", "http://[fd00::3]:2379"),
            ("d", "http://[fd00::4]:2379"),
        ]

    def test_accepts_a_mapping(self):
        assert ClusterPlan.from_hosts({"a": "10.0.0.1"}) == ClusterPlan.from_hosts(["a=10.0.0.1"])

    def test_listens_on_the_address_or_for_a_name_on_all_addresses(self):
        plan = ClusterPlan.from_hosts(["10.0.0.1", "node2.example", "localhost"])
        assert [member.listen_peer_urls for member in plan.members] == [
            ("http://10.0.0.1:2380",),
            ("http://0.0.0.0:2380",),
            ("http://localhost:2380",),
        ]

    @pytest.mark.parametrize(
        ("invalid", "message"),
        [
            ("10.0.0.1", 'hosts: got "10.0.0.1", expected a list of hosts such as ["10.0.0.1"]'),
            ([1], 'hosts: got 1, expected text such as "a=10.0.0.1"'),
            ([], "members: got none, expected at least one"),
            (["=10.0.0.1"], 'name: got "", expected printable text without spaces at either end'),
            (["a="], 'member "a": peer_urls: got "http://:2380", expected the scheme http or https, a host and a port, '
             "such as http://10.0.0.1:2380"),
            (["a=10.0.0.1:2380"], 'member "a": peer_urls: got "http://[10.0.0.1:2380]:2380", expected an IPv6 address '
             "in brackets, without a zone"),
            (["a=10.0.0.1", "b=10.0.0.1"], 'member "b": peer_urls: got "http://10.0.0.1:2380", which "a" already uses; '
             "give each member its own URL"),
        ],
    )  # fmt: skip
    def test_rejects_invalid_hosts(self, invalid, message):
        with pytest.raises(PlanError) as error:
            ClusterPlan.from_hosts(invalid)
        assert str(error.value) == message

    def test_rejects_a_zone_for_an_unknown_member(self):
        with pytest.raises(PlanError, match=r'^zones: got "aa", expected "a", "b"; did you mean "a"\?$'):
            hosts("a", "b", zones={"aa": "1"})

    def test_urls_are_https_with_certificates(self):
        plan = hosts("a", tls=Tls.from_dir("/pki"))
        assert (plan.members[0].client_urls, plan.members[0].peer_urls) == (
            ("https://10.0.0.1:2379",),
            ("https://10.0.0.1:2380",),
        )

    def test_certificates_for_clients_alone(self):
        files = TlsFiles(cert_file="/c", key_file="/k", client_cert_auth=False)
        plan = hosts("a", tls=Tls(client=files))
        assert (*plan.members[0].client_urls, *plan.members[0].peer_urls) == (
            "https://10.0.0.1:2379",
            "http://10.0.0.1:2380",
        )
        flags = plan.flags("a")
        assert (flags["cert-file"], flags["key-file"]) == ("/c", "/k")
        assert not {"trusted-ca-file", "client-cert-auth", "peer-cert-file"} & set(flags)


class TestSettings:
    """A plan accepts the settings of a sizing, or flags."""

    def test_accepts_the_settings_of_a_sizing(self):
        found = settings_for(size(data_bytes="4GB"), etcd_version="3.6.14", peer_rtt_ms=150)
        plan = hosts("a", settings=found)
        assert str(plan.etcd_version) == "3.6.14"
        assert plan.settings == {setting.name: setting.value for setting in found.changed}
        assert list(plan.flags("a").items())[-4:] == list(plan.settings.items())

    @pytest.mark.parametrize("kind", [np.int64, np.uint16, np.int32])
    def test_accepts_integers_of_numpy(self, kind):
        """They become Python's, so that the plan is written as JSON as any other."""
        plain = hosts("a", settings={"heartbeat-interval": 200, "election-timeout": 2000})
        plan = hosts("a", settings={"heartbeat-interval": kind(200), "election-timeout": kind(2000)})
        assert plan == plain
        assert plan.model_dump_json() == plain.model_dump_json()
        assert {type(value) for value in plan.settings.values()} == {int}

    @pytest.mark.parametrize("value", [np.float64(200), np.bool_(True), np.array([200]), 200.0, None])
    def test_no_other_value_becomes_an_integer(self, value):
        with pytest.raises(PlanError, match=r"settings"):
            hosts("a", settings={"heartbeat-interval": value, "election-timeout": 2000})

    def test_settings_must_be_for_the_same_minor_version(self):
        found = settings_for(size(data_bytes="4GB"), etcd_version="3.5")
        assert str(hosts("a", settings=found, etcd_version="3.5.33").etcd_version) == "3.5.33"

    @pytest.mark.parametrize("version", [5, 3.6, [], b"3.6", "9"])
    def test_a_wrong_version_is_rejected_with_settings_too(self, version):
        expected = r"^etcd_version: got .*, expected one of 3\.4, 3\.5, 3\.6, 3\.7, also with its patch"
        for settings in (None, settings_for(size(clients=5))):
            with pytest.raises(PlanError, match=expected):
                hosts("a", settings=settings, etcd_version=version)
        with pytest.raises(PlanError, match=r"date: missing"):
            hosts("a", settings=settings_for(size(clients=5)), etcd_version={"name": "3.6"})

    def test_accepts_flags(self):
        assert hosts("a", settings={"log-level": "warn", "pre-vote": True}).flags("a")["log-level"] == "warn"

    def test_every_setting_of_every_version_fits_a_plan(self):
        for version in ("3.4", "3.5", "3.6", "3.7"):
            hosts("a", settings=settings_for(size(data_bytes="8GB"), etcd_version=version, peer_rtt_ms=5000))


class TestInvalidPlans:
    """A plan rejects what etcd rejects, and what etcd accepts but nobody intends; the message has the remedy."""

    @pytest.mark.parametrize("row", INVALID, ids=lambda row: row.code)
    def test_message_and_pickling(self, row):
        with pytest.raises(EtcdSizeError) as error:
            row.plan()
        text = str(error.value)
        assert text == row.message or text.partition(": ")[2] == row.message
        assert isinstance(error.value, PlanError)
        assert "\n" not in text
        assert str(pickle.loads(pickle.dumps(error.value))) == text

    def test_every_row_has_either_flags_or_what_etcd_does(self):
        assert len(INVALID) >= 40
        assert len({row.code for row in INVALID}) == len(INVALID)
        for row in INVALID:
            assert bool(row.etcd) != bool(row.etcd_does), row.code

    def test_error_names_member_field_and_value(self):
        with pytest.raises(PlanError) as error:
            Member(name="a", peer_urls="http://a:1/", client_urls="http://a:2")
        assert (error.value.member, error.value.field, error.value.value) == ("a", "peer_urls", "http://a:1/")

    @given(st.dictionaries(st.sampled_from(list(ClusterPlan.model_fields)), st.one_of(
        st.none(), st.integers(), st.text(), st.lists(st.text()), st.dictionaries(st.text(), st.text())
    )))  # fmt: skip
    def test_any_values_are_accepted_or_rejected_on_one_line(self, values):
        found = result(lambda: ClusterPlan(**values))
        assert "\n" not in str(found)

    @given(st.text(max_size=30))
    def test_any_url_is_accepted_or_rejected_on_one_line(self, text):
        for url in (text, f"http://{text}", f"http://{text}:2380", f"http://10.0.0.1:{text}"):
            found = result(lambda url: Member(name="a", peer_urls=url, client_urls="http://10.0.0.1:2379"), url)
            assert "\n" not in str(found)

    def test_rejects_an_unknown_member(self):
        with pytest.raises(PlanError, match=r'^member: got "infra3", expected "infra0", "infra1", "infra2"; did you'):
            ClusterPlan.local(3).flags("infra3")


class TestNotices:
    """A notice is about a plan that etcd accepts, but that an operator should know about."""

    @pytest.mark.parametrize(
        ("plan", "expected"),
        [
            (lambda: ClusterPlan.local(3), ["members-share-host"]),
            (lambda: ClusterPlan.local(1), ["no-failure-tolerance"]),
            (lambda: ClusterPlan.local(4), ["even-members", "members-share-host"]),
            (lambda: hosts("a", "b", "c", tls=Tls.from_dir("/pki")), []),
            (lambda: hosts("a", "b", "c"), ["plain-http"]),
            (lambda: ClusterPlan.from_hosts(["127.0.0.1", "10.0.0.2", "10.0.0.3"], tls=Tls.from_dir("/pki")),
             ["loopback-address"]),
            (lambda: hosts("a", "b", "c", tls=Tls.from_dir("/pki"), zones={"a": "1", "b": "2", "c": "3"}), []),
            (lambda: hosts("a", "b", "c", tls=Tls.from_dir("/pki"), zones={"a": "1", "b": "2", "c": "2"}),
             ["zones-not-spread"]),
            (lambda: hosts("a", "b", "c", "d", "e", tls=Tls.from_dir("/pki"),
                           zones={"a": "1", "b": "1", "c": "2", "d": "2", "e": "3"}), []),
            (lambda: hosts("a", tls=Tls.from_dir("/pki"), zones={"a": "1"}), ["no-failure-tolerance"]),
            (lambda: hosts("a", "b", "c", tls=Tls.from_dir("/pki"), settings={"election-timeout": 1050}),
             ["election-not-multiple"]),
            (lambda: hosts("a", "b", "c", tls=Tls.from_dir("/pki"), etcd_version="3.4"),
             ["etcd-out-of-support", "etcd-unsafe-patch"]),
            (lambda: hosts("a", "b", "c", tls=Tls.from_dir("/pki"), etcd_version="3.6.1"),
             ["etcd-unsafe-patch"]),
        ],
    )  # fmt: skip
    def test_codes_of_notices(self, plan, expected):
        found = plan()
        default = version_notices(load_versions().version(DEFAULT_VERSION))
        assert [notice.code for notice in found.notices if notice not in default] == expected

    def test_notice_names_the_shared_host(self):
        plan = ClusterPlan(members=[
            Member(name="a", peer_urls="https://n1:2380", client_urls="https://n1:2379"),
            Member(name="b", peer_urls="https://n1:2382", client_urls="https://n1:2381"),
            Member(name="c", peer_urls="https://n2:2380", client_urls="https://n2:2379"),
        ], tls=Tls.from_dir("/pki"))  # fmt: skip
        notice = plan.notices[0]
        assert notice.text == "Several members are on n1: they fail together."


class TestModel:
    @pytest.mark.parametrize(
        "plan",
        [
            ClusterPlan.local(3),
            hosts("a", "b", tls=Tls.from_dir("/p"), zones={"a": "1", "b": "2"}, etcd_version="3.6.1"),
        ],
        ids=["local", "hosts"],
    )
    def test_json_round_trip(self, plan):
        assert ClusterPlan.model_validate_json(plan.model_dump_json()) == plan

    def test_urls_are_not_rewritten(self):
        """Pydantic's own URL type adds a slash, which etcd rejects."""
        assert Member(name="a", peer_urls="http://A.example:1", client_urls="http://a:2").peer_urls == (
            "http://A.example:1",
        )

    def test_endpoints_are_all_client_urls(self):
        assert ClusterPlan.local(2).endpoints == ("http://127.0.0.1:2379", "http://127.0.0.1:2381")

    def test_certificate_files_are_not_opened(self, tmp_path):
        assert Tls.from_dir(str(tmp_path / "none")).client.cert_file == str(Path(tmp_path, "none", "server.crt"))
