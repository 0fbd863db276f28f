"""Values of flags: which ones etcd accepts, how Go reads durations, and how values are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import OptionError, load_versions
from etcdsize.etcd.flags import (
    check_value,
    choices,
    config_key,
    config_value,
    flag_text,
    is_deprecated,
    nanoseconds,
)

VERSION = load_versions().version("3.5")


class TestDurations:
    """etcd's flags accept durations in Go's notation; its config file accepts nanoseconds."""

    @given(st.integers(0, 10**6), st.sampled_from(["ns", "us", "ms", "s", "m", "h"]))
    def test_converts_every_unit_to_nanoseconds(self, count, unit):
        each = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}[unit]
        assert nanoseconds(f"{count}{unit}") == (count * each if count * each < 2**63 else None)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("1h30m", 5_400 * 10**9), ("1.5s", 1_500_000_000), (".5s", 500_000_000), ("0", 0), ("1us500ns", 1500),
         ("5", None), ("", None), ("-1s", None), ("1d", None), ("1 s", None), ("s", None), ("1e3s", None),
         ("9" * 20 + "h", None), ("9" * 5000 + "s", None), ("0." + "9" * 5000 + "s", None), ("1" * 26 + "s", None),
         ("0000001.50000s", 1_500_000_000), ("0.0000000000000001h", 0), ("٣s", None), ("1.٣s", None), ("３s", None)],
    )  # fmt: skip
    def test_reads_durations_as_go_does(self, text, expected):
        assert nanoseconds(text) == expected

    def test_config_file_has_nanoseconds(self):
        assert config_value(VERSION, VERSION.flag("grpc-keepalive-min-time"), "1m30s") == 90 * 10**9


class TestValues:
    @pytest.mark.parametrize("flag", VERSION.flags, ids=lambda flag: flag.name)
    def test_accepts_every_default(self, flag):
        default = flag.defaults["3.5"]
        assert check_value(VERSION, flag, default) == default

    @pytest.mark.parametrize("flag", VERSION.flags, ids=lambda flag: flag.name)
    @pytest.mark.parametrize("value", [None, 1.5, b"x", ("a",), "a\nb", float("nan")], ids=repr)
    def test_rejects_values_that_no_flag_accepts(self, flag, value):
        with pytest.raises(OptionError, match=rf"^--{flag.name}: got "):
            check_value(VERSION, flag, value)

    @pytest.mark.parametrize(
        ("value", "text"), [(True, "true"), (False, "false"), (2**33, "8589934592"), ("a b", "a b")]
    )
    def test_writes_values_as_the_text_of_a_flag(self, value, text):
        assert flag_text(value) == text

    def test_config_file_has_lists(self):
        assert config_value(VERSION, VERSION.flag("log-outputs"), "stderr,/var/log/etcd") == ["stderr", "/var/log/etcd"]
        assert config_value(VERSION, VERSION.flag("log-outputs"), "") == []


class TestPatches:
    """What a patch changes about a flag. A version without a patch does what its newest patch does."""

    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("snapshot-count", "3.5.35", False), ("snapshot-count", "3.6.0", True), ("snapshot-count", "3.6.7", True),
            ("snapshot-count", "3.6.8", False), ("snapshot-count", "3.6", False), ("snapshot-count", "3.7.0", False),
            ("proxy", "3.4", False), ("proxy", "3.5.17", False), ("proxy", "3.5.18", True), ("proxy", "3.5", True),
            ("max-snapshots", "3.6.0", True), ("max-snapshots", "3.7", True), ("max-snapshots", "3.5", False),
        ],
    )  # fmt: skip
    def test_deprecated_flags(self, name, text, expected):
        version = load_versions().version(text)
        assert is_deprecated(version, version.flag(name)) == expected

    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("socket-reuse-port", "3.5.9", None), ("socket-reuse-port", "3.5.10", "socket-options.reuse-port"),
            ("peer-cert-allowed-cn", "3.4", None), ("peer-cert-allowed-cn", "3.5.13", None),
            ("peer-cert-allowed-cn", "3.5.14", "peer-transport-security.allowed-cn"),
            ("peer-cert-allowed-cn", "3.6.0", "peer-transport-security.allowed-cn"),
            ("discovery-fallback", "3.5", "discovery-fallback"), ("discovery-fallback", "3.7", None),
            ("discovery-key", "3.7", "discovery-config.client.secure.key"), ("client-crl-file", "3.7", None),
        ],
    )  # fmt: skip
    def test_keys_of_config_files(self, name, text, expected):
        version = load_versions().version(text)
        assert config_key(version, version.flag(name)) == expected

    @pytest.mark.parametrize(("text", "expected"), [("3.5.14", "a"), ("3.5.15", ["a"]), ("3.6.0", ["a"])])
    def test_allowed_names_are_text_in_one_patch_and_lists_since(self, text, expected):
        version = load_versions().version(text)
        assert config_value(version, version.flag("peer-cert-allowed-cn"), "a") == expected

    @pytest.mark.parametrize(
        ("text", "count"), [("3.5.31", 4), ("3.5.32", 5), ("3.6.12", 3), ("3.6.13", 4), ("3.6", 4), ("3.7.0", 4)]
    )
    def test_values_of_a_later_patch(self, text, count):
        version = load_versions().version(text)
        flag = version.flag("v2-deprecation")
        known = choices(version, flag)
        assert len(known) == count
        for value in flag.choices["3.5"]:
            if value in known:
                assert check_value(version, flag, value) == value
            else:
                with pytest.raises(OptionError, match=r"^--v2-deprecation: got "):
                    check_value(version, flag, value)

    def test_no_value_is_a_choice_too(self):
        flag = VERSION.flag("tls-max-version")
        assert check_value(VERSION, flag, "") == ""
        with pytest.raises(OptionError, match=r"expected nothing, TLS1\.2 or TLS1\.3; did you mean"):
            check_value(VERSION, flag, "TLS1.1")
