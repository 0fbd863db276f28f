"""The table of flags and real etcd agree: neither has a flag, default, key or feature gate that the other lacks.

etcd says what it has in four ways: in `--help`; by warning of variables `ETCD_...` that stand for no flag; by rejecting
a value of the wrong type in a config file, where it silently ignores keys that it does not know; and in its log.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from etcds import ETCDS, free_ports, needed

from etcdsize import EtcdFlag, EtcdVersion, load_versions
from etcdsize.etcd.flags import choices, config_key, config_value, flag_text, is_deprecated

TABLE = load_versions()
HELP_IS_WRONG = {"3.7": {"discovery", "discovery-proxy"}}
"""Flags in the `--help` of versions that reject them."""
UNSAID = {
    *("bootstrap-defrag-threshold-megabytes", "client-cert-file", "client-key-file", "compaction-sleep-interval"),
    *("config-file", "downgrade-check-time", "enable-grpc-gateway", "enable-lease-checkpoint-persist", "log-output"),
    *("memory-mlock", "peer-client-cert-file", "peer-client-key-file", "raft-read-timeout", "raft-write-timeout"),
    *("snapshot-catchup-entries", "stop-grpc-service-on-defrag", "unsafe-no-fsync", "version"),
}
"""Flags, without `experimental-`, whose default the help of a version leaves out. The log has some of them."""
LOGGED_AS = {
    "experimental-downgrade-check-time": "downgrade-check-interval",
    "downgrade-check-time": "downgrade-check-interval",
    "experimental-snapshot-catchup-entries": "snapshot-catchup-entries",
}
"""The names under which etcd logs some flags; it logs all others under their own."""
KEYS_WITHOUT_FLAG = {
    "grpc-additional-server-options",
    "client-transport-security.allowed-cn",
    "client-transport-security.skip-client-san-verification",
    "discovery-config.client.max-request-bytes",
    "discovery-config.client.max-recv-bytes",
    "discovery-config.client.secure.server-name",
    "discovery-config.client.auth.token",
}
"""Keys of config files that no flag stands for."""
# No directory can be made there, so etcd reads all of its flags, and stops.
NOWHERE = "/dev/null/nowhere"
# etcd 3.4 warns only of other values than the default; its logger of that name is deprecated itself.
WARNED_VALUES = {"debug": True, "log-output": "stderr", "log-package-levels": "etcdmain=INFO", "logger": "zap"}
TYPES = {
    "bool": {"bool"},
    "bytes": {"int64", "uint"},
    "duration": {"time.Duration"},
    "int": {"int", "uint", "uint32", "uint64"},
    "milliseconds": {"uint"},
}
"""The types in Go of the values in config files; all others are text, or lists of it."""
TEXT = {"string", "config.V2DeprecationEnum"}


@pytest.mark.parametrize("name", ETCDS)
class TestFlags:
    """The table has the flags of etcd, and no others, with their defaults and values."""

    def test_help_and_table_have_the_same_flags_with_the_same_defaults(self, name):
        etcd, version = needed(name)
        flags = {flag.name: flag for flag in version.flags}
        helped = flags_of_help(etcd)
        assert len(helped) > 70
        assert set(helped) - set(flags) == HELP_IS_WRONG.get(version.name, set())
        unsaid = {name for name, flag in flags.items() if not (helped.get(name) or flag.ignored)}
        assert {name.removeprefix("experimental-") for name in unsaid} <= UNSAID
        wrong = {}
        for flag in flags.values():
            default = flag.defaults[version.name]
            # The help leaves some defaults out, and one is a name.
            said = helped.get(flag.name) or flag_text(default)
            said = {"math.MaxUint32": str(2**32 - 1)}.get(said.strip("'"), said.strip("'"))
            if flag.kind == "duration" and not said:
                # etcd accepts no empty duration.
                said = "0s"
            if said != flag_text(default):
                wrong[flag.name] = (said, default)
        assert not wrong

    def test_etcd_has_the_flags_of_the_table_and_no_others(self, name):
        """Every name that the program contains is tried: of the table, of the help, of config keys, and after `--`."""
        etcd, version = needed(name)
        program = Path(etcd).read_bytes()
        found = {text.decode() for text in re.findall(rb"--([a-z][a-z0-9-]+[a-z0-9])", program)}
        tried = {flag.name for flag in TABLE.flags} | set(flags_of_help(etcd)) | keys_in(program) | found
        # etcd reads this variable as a file; the test of config keys uses the flag.
        tried -= {"config-file"}
        assert len(tried) > 200
        # etcd takes the variable of --version for a mistake of its own.
        known = {flag.name for flag in version.flags} - {"config-file", "version"}
        assert flags_among(etcd, tried - {"version"}) == known

    def test_every_flag_is_accepted_with_its_default(self, name):
        """Go reads flags in order, so the first undefined flag must be the one that no etcd has."""
        etcd, version = needed(name)
        said = run(etcd, *(argument(flag, version) for flag in version.flags), "--no-such-flag")
        assert "flag provided but not defined: -no-such-flag" in said

    def test_etcd_accepts_the_choices_of_the_table_and_no_others(self, name):
        etcd, version = needed(name)
        chosen = {flag.name: known for flag in version.flags if (known := choices(version, flag)) is not None}
        assert {"initial-cluster-state", "logger", "metrics", "discovery-fallback"} <= set(chosen)
        # etcd takes any other value of these for the first.
        taken = {"metrics", "backend-bbolt-freelist-type", "experimental-backend-bbolt-freelist-type"}
        accepted: dict[str, set[str]] = {flag: set() for flag in chosen if flag not in taken}
        said_of = paragraphs_of_help(etcd)
        asked = []
        for flag in accepted:
            values = {value for known in TABLE.flags_by_name[flag].choices.values() for value in known}
            # In the help, a value is in quotes or in a list.
            values |= set(re.findall(r"[A-Za-z][\w.-]*\w(?=['|,;)]|\.$)", said_of.get(flag, "")))
            asked += [(flag, value) for value in sorted(values | {"no-such"})]
        for (flag, value), said in zip(
            asked, at_once([[etcd, f"--data-dir={NOWHERE}", f"--{flag}={value}"] for flag, value in asked]), strict=True
        ):
            if reaches_the_data(said):
                accepted[flag].add(value)
        assert accepted == {flag: set(chosen[flag]) for flag in accepted}

    def test_etcd_warns_of_the_flags_that_the_table_calls_deprecated(self, name):
        etcd, version = needed(name)
        # An empty list of endpoints is one endpoint.
        left_out = ("config-file", "version", "data-dir", "discovery-endpoints")
        flags = [flag for flag in version.flags if flag.name not in left_out]
        warned = set()
        for group in apart(flags):
            said = run(etcd, *(argument(flag, version) for flag in group), f"--data-dir={NOWHERE}")
            assert reaches_the_data(said), said
            warned |= set(re.findall(r"--([a-z0-9-]+) is deprecated", said))
            warned |= set(re.findall(r"Deprecated '--([a-z-]+)[=']", said))
        assert warned == {flag.name for flag in flags if is_deprecated(version, flag)}

    def test_feature_gates_are_those_of_the_help_with_their_defaults(self, name):
        etcd, version = needed(name)
        said = re.findall(r"^\s+([A-Za-z]+)=true\|false \([A-Z]+ - default=(true|false)\)$", run(etcd, "--help"), re.M)
        assert {gate: default == "true" for gate, default in said} == version.feature_gates
        assert bool(said) == (version.name not in ("3.4", "3.5"))


@pytest.mark.parametrize("name", ETCDS)
class TestConfigFiles:
    """The table has the keys of etcd's config files, and no others, with the types and defaults of their values."""

    @pytest.mark.slow
    def test_every_key_is_read_as_its_kind(self, name, tmp_path):
        """A map is of the wrong type for every key that etcd knows; it ignores all others."""
        etcd, version = needed(name)
        flags = [flag for flag in version.flags if flag.config_key is not None]
        commands = []
        for number, flag in enumerate(flags):
            file = tmp_path / f"{number}.json"
            file.write_text(json.dumps(nested({"data-dir": NOWHERE, flag.config_key: {"a": "b"}})))
            commands.append([etcd, f"--config-file={file}"])
        wrong = {}
        for flag, said in zip(flags, at_once(commands), strict=True):
            found = re.search(r"cannot unmarshal object into Go .* of type ([\w\[\]]+(?:\.\w+)?)", said)
            expected = {None}
            if config_key(version, flag) is not None:
                in_list = isinstance(config_value(version, flag, ""), list)
                expected = TYPES.get(flag.kind, {"[]string"} if in_list else TEXT)
            if (found and found[1]) not in expected:
                wrong[flag.name] = (said, expected)
        assert not wrong

    def test_etcd_ignores_every_other_key(self, name, tmp_path):
        """Each name that a field of the program has in JSON is tried, in every section."""
        etcd, version = needed(name)
        keys = {key for flag in version.flags if (key := config_key(version, flag)) is not None} | KEYS_WITHOUT_FLAG
        sections = {key.rpartition(".")[0] for key in keys} | {"", "discovery-config"}
        names = keys_in(Path(etcd).read_bytes())
        assert {key for key in keys if "." not in key} - KEYS_WITHOUT_FLAG <= names
        others = {f"{section}.{name}".lstrip(".") for section in sections for name in names} - keys - sections
        assert len(others) > 1000
        file = tmp_path / "etcd.json"
        file.write_text(json.dumps(nested({"data-dir": NOWHERE, **{key: [[1]] for key in others}})))
        said = run(etcd, f"--config-file={file}")
        assert reaches_the_data(said), said

    def test_every_default_is_accepted(self, name, tmp_path):
        etcd, version = needed(name)
        flags = [flag for flag in version.flags if config_key(version, flag) and flag.name != "data-dir"]
        for group in apart(flags):
            found = {
                config_key(version, flag): config_value(version, flag, flag.defaults[version.name]) for flag in group
            }
            file = tmp_path / "etcd.json"
            file.write_text(json.dumps(nested({"data-dir": NOWHERE, **found})))
            said = run(etcd, f"--config-file={file}")
            assert reaches_the_data(said), said

    def test_an_empty_file_means_the_defaults(self, name, tmp_path):
        """etcd logs what it starts with. Flags that the table calls off without their key have no default in a file."""
        etcd, version = needed(name)
        given: dict[str, str] = {"name": "one", "logger": "zap"}
        for flag, port in zip(("peer", "client"), free_ports(2), strict=True):
            given[f"listen-{flag}-urls"] = f"http://127.0.0.1:{port}"
        given |= {"advertise-client-urls": given["listen-client-urls"]}
        given |= {"initial-advertise-peer-urls": given["listen-peer-urls"]}
        given |= {"initial-cluster": f"one={given['listen-peer-urls']}"}
        file = tmp_path / "etcd.json"
        file.write_text(json.dumps({**given, "data-dir": str(tmp_path / "file")}))
        by_flags = started(
            [etcd, *(f"--{flag}={value}" for flag, value in given.items()), f"--data-dir={tmp_path}/flags"]
        )
        by_file = started([etcd, f"--config-file={file}"])
        names = {flag.name: LOGGED_AS.get(flag.name, flag.name) for flag in version.flags}
        left_out = {*given, "data-dir"}
        compared = {flag: key for flag, key in names.items() if key in by_flags and flag not in left_out}
        assert len(compared) > 14
        for flag, key in compared.items():
            logged = by_flags[key]
            assert as_logged(version.flag(flag), version) in (logged, str(logged).removesuffix("s")), flag
        off = {flag for flag in compared if version.name in version.flag(flag).no_config_default_in}
        assert {flag for flag, key in compared.items() if by_file[key] != by_flags[key]} == off


def flags_of_help(etcd: str) -> dict[str, str]:
    """Return the flags in `--help` with the text of their defaults."""
    return dict(re.findall(r"^  --([a-z0-9-]+)(?: (\S.*))?$", run(etcd, "--help"), re.M))


def paragraphs_of_help(etcd: str) -> dict[str, str]:
    """Return what `--help` says about each flag."""
    return dict(re.findall(r"^  --([a-z0-9-]+).*\n((?:    .*\n)+)", run(etcd, "--help"), re.M))


def keys_in(program: bytes) -> set[str]:
    """Return the names that the fields of a Go program have in JSON."""
    return {text.decode() for text in re.findall(rb'json:"([a-z][a-z0-9-]*)[",]', program)}


def flags_among(etcd: str, names: Iterable[str]) -> set[str]:
    """Return the names that are flags: etcd warns of variables that stand for none."""
    ordered = sorted(names)
    found = set()
    # The log leaves out most of more than 100 equal messages a second.
    for start in range(0, len(ordered), 90):
        asked = {f"ETCD_{name.upper().replace('-', '_')}": name for name in ordered[start : start + 90]}
        # No number is a word, so etcd does not start.
        said = run(etcd, environment={"ETCD_MAX_WALS": "no-such", **dict.fromkeys(asked, "no-such")})
        assert "for ETCD_" in said, said
        unknown = set(re.findall(r"unrecognized environment variable.*?(ETCD_[A-Z0-9_.]+)=no-such", said))
        found |= {name for variable, name in asked.items() if variable not in unknown}
    return found


def apart(flags: Sequence[EtcdFlag]) -> Iterator[list[EtcdFlag]]:
    """Yield all flags in two groups, as etcd rejects a flag together with the one that replaces it."""
    replacing = {flag.instead for flag in flags}
    yield [flag for flag in flags if flag.name not in replacing and flag.kind != "features"]
    yield [flag for flag in flags if flag.instead is None]


def argument(flag: EtcdFlag, version: EtcdVersion) -> str:
    return f"--{flag.name}={flag_text(WARNED_VALUES.get(flag.name, flag.defaults[version.name]))}"


def as_logged(flag: EtcdFlag, version: EtcdVersion) -> object:
    """Return the default of a flag as etcd logs it."""
    default = flag.defaults[version.name]
    if flag.name == "quota-backend-bytes":
        return 2 * 2**30
    if flag.kind == "milliseconds":
        return {100: "100ms", 1000: "1s"}[int(default)]
    if flag.name in ("cors", "host-whitelist"):
        return [default]
    return [] if flag.kind == "urls" else default


def nested(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with these keys, where a dot stands for a map."""
    document: dict[str, Any] = {}
    for key, value in keys.items():
        *sections, last = key.split(".")
        section = document
        for part in sections:
            section = section.setdefault(part, {})
        section[last] = value
    return document


def reaches_the_data(said: str) -> bool:
    """Return whether etcd had no objection to its flags, and tried to read its data in `NOWHERE`."""
    return re.search(r"(error listing|failed to list) data dir", said) is not None


def started(command: Sequence[str]) -> dict[str, Any]:
    """Start etcd, and return what it logs about its settings."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said = []
        try:
            for line in process.stderr or ():
                said.append(line)
                if '"starting an etcd server"' in line:
                    found: dict[str, Any] = json.loads(line)
                    return found
        finally:
            process.kill()
    pytest.fail("".join(said))


def at_once(commands: Sequence[Sequence[str]]) -> list[str]:
    """Run commands side by side, and return what each says."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda command: run(*command), commands))


def run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=30, env={"PATH": "/bin", **(environment or {})}
    )
    return done.stdout + done.stderr
