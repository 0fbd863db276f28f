"""The table of etcd's flags: its own rules. `test_real_flags.py` compares it with real etcd."""

from __future__ import annotations

import re

import pytest

from etcdsize import EtcdFlag, OptionError, TableError, load_versions

TABLE = load_versions()


class TestFlags:
    """A flag that a version lacks is an error that names the versions that have it."""

    @pytest.mark.parametrize(
        ("version", "name", "message"),
        [
            ("3.6", "enable-v2", 'etcd 3.6 has no flag "enable-v2"; those that have it: 3.4, 3.5'),
            (
                "3.7",
                "experimental-initial-corrupt-check",
                'etcd 3.7 has no flag "experimental-initial-corrupt-check"; those that have it: 3.4, 3.5, 3.6; '
                "instead: --feature-gates=InitialCorruptCheck=true",
            ),
            (
                "3.5.1",
                "experimental-stop-grpc-service-on-defrag",
                'etcd 3.5.1 has no flag "experimental-stop-grpc-service-on-defrag"; those that have it: 3.5 from '
                "3.5.14, 3.6",
            ),
            ("3.5", "max-learners", 'etcd 3.5 has no flag "max-learners"; those that have it: 3.6, 3.7'),
            (
                "3.5.7",
                "listen-client-http-urls",
                'etcd 3.5.7 has no flag "listen-client-http-urls"; those that have it: 3.4 from 3.4.25, 3.5 from '
                "3.5.8, 3.6, 3.7",
            ),
        ],
    )
    def test_error_names_the_versions_that_have_the_flag(self, version, name, message):
        with pytest.raises(OptionError) as caught:
            TABLE.version(version).flag(name)
        assert str(caught.value) == message

    def test_suggests_a_flag_of_a_similar_name(self):
        with pytest.raises(OptionError, match=r'did you mean "quota-backend-bytes"\?$'):
            TABLE.version("3.5").flag("quota-backend-byte")

    @pytest.mark.parametrize("name", ["", None, ["name"], "--name"])
    def test_rejects_what_is_not_a_flag(self, name):
        with pytest.raises(
            OptionError, match=r"^etcd 3\.5: got the flag .*, expected one of the \d+ that the table has"
        ):
            TABLE.version("3.5").flag(name)

    @pytest.mark.parametrize(
        ("name", "defaults"),
        [
            ("pre-vote", [False, True, True, True]),
            ("logger", ["capnslog", "zap", "zap", "zap"]),
            ("snapshot-count", [100_000, 100_000, 10_000, 10_000]),
            ("heartbeat-interval", [100] * 4),
            ("election-timeout", [1_000] * 4),
            ("auto-compaction-retention", ["0"] * 4),
            ("max-request-bytes", [1_572_864] * 4),
            ("max-txn-ops", [128] * 4),
        ],
    )
    def test_defaults_by_version(self, name, defaults):
        assert [version.flag(name).defaults[version.name] for version in TABLE.versions] == defaults

    def test_config_keys(self):
        """A key is the flag's name, or nested as for TLS. One whose key etcd would silently ignore lacks it."""
        flags = TABLE.flags_by_name
        assert flags["quota-backend-bytes"].config_key == "quota-backend-bytes"
        assert flags["peer-trusted-ca-file"].config_key == "peer-transport-security.trusted-ca-file"
        assert flags["client-crl-file"].config_key is None
        others = {flag.name: flag.config_key for flag in TABLE.flags if flag.config_key not in (None, flag.name)}
        assert {name for name, key in others.items() if "." not in key} == {"experimental-snapshot-catchup-entries"}

    def test_experimental_flags_are_gone_in_3_7(self):
        names = [flag.name for flag in TABLE.version("3.7").flags]
        assert not [name for name in names if name.startswith("experimental-")]
        assert "feature-gates" in names

    def test_defaults_have_the_type_of_their_kind(self):
        kinds = {"bool": bool, "int": int, "bytes": int, "milliseconds": int}
        for flag in TABLE.flags:
            for value in flag.defaults.values():
                assert type(value) is kinds.get(flag.kind, str), flag.name

    def test_environment_variable_of_a_flag(self):
        assert TABLE.flags_by_name["quota-backend-bytes"].environment == "ETCD_QUOTA_BACKEND_BYTES"

    def test_feature_gates_of_a_version(self):
        added = TABLE.version("3.7").feature_gates.items() - TABLE.version("3.6").feature_gates.items()
        assert dict(added) == {"FastLeaseKeepAlive": True, "PriorityRequest": False}
        assert TABLE.version("3.5").feature_gates == {}

    @pytest.mark.parametrize(
        ("broken", "message"),
        [
            ({"deprecated_in": ["3.6"]}, 'deprecated_in: got "3.6", a version that lacks the flag'),
            ({"gates": {"3.7": {"A": True}}}, 'gates: got "3.7", a version that lacks the flag'),
            ({"since": {"3.5": "3.4.1"}}, 'since: got "3.4.1", expected a patch of 3.5'),
            ({"since": {"3.5": "3.5.٣"}}, "since.3.5: got "),
            ({"deprecated_before": {"3.5": "3.6.1"}}, 'deprecated_before: got "3.6.1", expected a patch of 3.5'),
            ({"choices_since": {"3.5": {"a": "3.50.1"}}}, 'choices_since: got "3.50.1", expected a patch of 3.5'),
        ],
    )
    def test_rejects_a_flag_that_contradicts_itself(self, broken, message):
        flag = TABLE.flags_by_name["enable-v2"].model_dump()
        with pytest.raises(TableError, match=re.escape(message)):
            EtcdFlag(**flag | broken)
