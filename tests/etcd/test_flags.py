"""Values of flags: which ones etcd accepts, how Go reads durations, and how values are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import OptionError, load_versions
from etcdsize.etcd.flags import check_value, config_value, flag_text, nanoseconds

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
         ("9" * 20 + "h", None)],
    )  # fmt: skip
    def test_reads_durations_as_go_does(self, text, expected):
        assert nanoseconds(text) == expected

    def test_config_file_has_nanoseconds(self):
        assert config_value(VERSION.flag("grpc-keepalive-min-time"), "1m30s") == 90 * 10**9


class TestValues:
    @pytest.mark.parametrize("flag", VERSION.flags, ids=lambda flag: flag.name)
    def test_accepts_every_default(self, flag):
        default = flag.defaults["3.5"]
        if flag.kind == "duration" and default == "":
            with pytest.raises(OptionError):
                check_value(VERSION, flag, default)
        else:
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
        assert config_value(VERSION.flag("log-outputs"), "stderr,/var/log/etcd") == ["stderr", "/var/log/etcd"]
        assert config_value(VERSION.flag("log-outputs"), "") == []
