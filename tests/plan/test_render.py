"""Rendered plans: the whole text, and what sh, YAML and systemd read from it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from examples import examples
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from needs import program
from unit_files import unit_words

from etcdsize import ClusterPlan, Member, OptionError, PlanError, Tls, load_versions, render, settings_for, size
from etcdsize.etcd.flags import config_key, config_value, flag_text
from etcdsize.plan.format_names import FORMATS

PLAN = ClusterPlan.from_hosts(
    {"a": "10.0.0.1", "b": "node2.example"},
    tls=Tls.from_dir("/pki"),
    settings={"quota-backend-bytes": 4 * 2**30, "auto-compaction-retention": "1h", "grpc-keepalive-min-time": "1m30s"},
)
CLUSTER = "a=https://10.0.0.1:2380,b=https://node2.example:2380"

TEXTS = {
    "flags": f"""\
etcd \\
  --name=b \\
  --data-dir=/var/lib/etcd/b.etcd \\
  --initial-advertise-peer-urls=https://node2.example:2380 \\
  --listen-peer-urls=https://0.0.0.0:2380 \\
  --listen-client-urls=https://0.0.0.0:2379 \\
  --advertise-client-urls=https://node2.example:2379 \\
  --initial-cluster-token=etcd-cluster-1 \\
  --initial-cluster={CLUSTER} \\
  --initial-cluster-state=new \\
  --cert-file=/pki/server.crt \\
  --key-file=/pki/server.key \\
  --trusted-ca-file=/pki/ca.crt \\
  --client-cert-auth=true \\
  --peer-cert-file=/pki/peer.crt \\
  --peer-key-file=/pki/peer.key \\
  --peer-trusted-ca-file=/pki/ca.crt \\
  --peer-client-cert-auth=true \\
  --quota-backend-bytes=4294967296 \\
  --auto-compaction-retention=1h \\
  --grpc-keepalive-min-time=1m30s
""",
    "env": f"""\
# One member of a cluster of etcd 3.6. For systemd: EnvironmentFile=
# For sh, with the path of this file: set -a; . ./FILE; exec etcd
# etcd does not start if one of these is set as a flag too.
ETCD_NAME="b"
ETCD_DATA_DIR="/var/lib/etcd/b.etcd"
ETCD_INITIAL_ADVERTISE_PEER_URLS="https://node2.example:2380"
ETCD_LISTEN_PEER_URLS="https://0.0.0.0:2380"
ETCD_LISTEN_CLIENT_URLS="https://0.0.0.0:2379"
ETCD_ADVERTISE_CLIENT_URLS="https://node2.example:2379"
ETCD_INITIAL_CLUSTER_TOKEN="etcd-cluster-1"
ETCD_INITIAL_CLUSTER="{CLUSTER}"
ETCD_INITIAL_CLUSTER_STATE="new"
ETCD_CERT_FILE="/pki/server.crt"
ETCD_KEY_FILE="/pki/server.key"
ETCD_TRUSTED_CA_FILE="/pki/ca.crt"
ETCD_CLIENT_CERT_AUTH="true"
ETCD_PEER_CERT_FILE="/pki/peer.crt"
ETCD_PEER_KEY_FILE="/pki/peer.key"
ETCD_PEER_TRUSTED_CA_FILE="/pki/ca.crt"
ETCD_PEER_CLIENT_CERT_AUTH="true"
ETCD_QUOTA_BACKEND_BYTES="4294967296"
ETCD_AUTO_COMPACTION_RETENTION="1h"
ETCD_GRPC_KEEPALIVE_MIN_TIME="1m30s"
""",
    "config": f"""\
# etcd 3.6: etcd --config-file=FILE; flags and environment variables are then ignored.
name: "b"
data-dir: "/var/lib/etcd/b.etcd"
initial-advertise-peer-urls: "https://node2.example:2380"
listen-peer-urls: "https://0.0.0.0:2380"
listen-client-urls: "https://0.0.0.0:2379"
advertise-client-urls: "https://node2.example:2379"
initial-cluster-token: "etcd-cluster-1"
initial-cluster: "{CLUSTER}"
initial-cluster-state: "new"
quota-backend-bytes: 4294967296
auto-compaction-retention: "1h"
grpc-keepalive-min-time: 90000000000
client-transport-security:
  cert-file: "/pki/server.crt"
  key-file: "/pki/server.key"
  trusted-ca-file: "/pki/ca.crt"
  client-cert-auth: true
peer-transport-security:
  cert-file: "/pki/peer.crt"
  key-file: "/pki/peer.key"
  trusted-ca-file: "/pki/ca.crt"
  client-cert-auth: true
""",
    "systemd": f"""\
[Unit]
Description=etcd 3.6
Documentation=https://etcd.io/docs/
Wants=network-online.target
After=network-online.target local-fs.target remote-fs.target time-sync.target

[Service]
Type=notify
ExecStart=etcd \\
    --name=b \\
    --data-dir=/var/lib/etcd/b.etcd \\
    --initial-advertise-peer-urls=https://node2.example:2380 \\
    --listen-peer-urls=https://0.0.0.0:2380 \\
    --listen-client-urls=https://0.0.0.0:2379 \\
    --advertise-client-urls=https://node2.example:2379 \\
    --initial-cluster-token=etcd-cluster-1 \\
    --initial-cluster={CLUSTER} \\
    --initial-cluster-state=new \\
    --cert-file=/pki/server.crt \\
    --key-file=/pki/server.key \\
    --trusted-ca-file=/pki/ca.crt \\
    --client-cert-auth=true \\
    --peer-cert-file=/pki/peer.crt \\
    --peer-key-file=/pki/peer.key \\
    --peer-trusted-ca-file=/pki/ca.crt \\
    --peer-client-cert-auth=true \\
    --quota-backend-bytes=4294967296 \\
    --auto-compaction-retention=1h \\
    --grpc-keepalive-min-time=1m30s
Restart=always
RestartSec=10s
LimitNOFILE=40000
# Add User=etcd if that user exists and owns the data directory.

[Install]
WantedBy=multi-user.target
""",
    "kubeadm": """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
etcd:
  external:
    endpoints:
      - "https://10.0.0.1:2379"
      - "https://node2.example:2379"
    caFile: "/pki/ca.crt"
    certFile: "/pki/healthcheck-client.crt"
    keyFile: "/pki/healthcheck-client.key"
""",
}

# Text with characters that are special in sh, in YAML or in systemd.
HOSTILE = [
    "'", '"', "\\", "a\\", "$(touch x)", "`touch x`", "$HOME", "${name}", "%", "%n %%", "a b", "#a", "a #b", "a: b",
    ":",
    "- a", "-a", "--xy", "!!binary a", "*", "&a", "yes", "null", "0x1F", "1e3", "a~",
    "{a}", "[a]", "a;b", "a|b", "a&&b", ">x", "é漢😀", "\\n", "\\x41", "$$", "@a", "a'b\"c\\d$e`f%g",
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" '\"\\$`%#"), min_size=1, max_size=15)
    .map(lambda text: re.sub("[,=/]", "", text).strip())
    .filter(lambda text: text and text.isprintable() and not text.startswith("~")),
)


def plan_of(name: str, token: str, folder: str) -> ClusterPlan:
    return ClusterPlan(
        members=(Member(name=name, peer_urls="http://10.0.0.1:2380", client_urls="http://10.0.0.1:2379"),),
        token=token,
        data_dir=f"/var/lib/{folder}",
    )


def hostile(test):
    """Run a test with names, tokens and paths, and with every hostile text at least once."""
    for text in HOSTILE:
        test = example(text, text, text)(test)
    return examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])(
        given(texts, texts, texts.filter(lambda text: text not in ("..",)))(test)
    )


@pytest.mark.parametrize("form", FORMATS)
class TestWholeText:
    def test_every_format_has_this_text(self, form):
        assert render(PLAN, form, None if form == "kubeadm" else "b") == TEXTS[form]


class TestShell:
    """sh reads exactly the words and variables of the plan."""

    def read(self, script: str, folder: Path, environment: dict[str, str]) -> list[str]:
        found = subprocess.run(
            ["sh", "-c", script], capture_output=True, check=True, cwd=folder, env=environment, timeout=30
        )
        assert not found.stderr
        return found.stdout.decode().split("\0")[:-1]

    @hostile
    def test_reads_the_words_of_the_command(self, tmp_path, name, token, folder):
        plan = plan_of(name, token, folder)
        script = f"etcd() {{ printf '%s\\0' \"$@\"; }}\n{render(plan, 'flags')}"
        words = self.read(script, tmp_path, {"PATH": os.environ["PATH"]})
        assert words == [f"--{flag}={flag_text(value)}" for flag, value in plan.flags(name).items()]
        assert not list(tmp_path.iterdir())

    @hostile
    def test_reads_the_variables(self, tmp_path, name, token, folder):
        plan = plan_of(name, token, folder)
        file = tmp_path / "etcd.env"
        file.write_text(render(plan, "env"))
        found = self.read("set -a; . ./etcd.env; exec env -0", tmp_path, {"PATH": os.environ["PATH"]})
        variables = dict(pair.split("=", 1) for pair in found if pair.startswith("ETCD_"))
        assert variables == environment(plan, name)
        assert list(tmp_path.iterdir()) == [file]


def environment(plan: ClusterPlan, name: str) -> dict[str, str]:
    return {f"ETCD_{flag.upper().replace('-', '_')}": flag_text(value) for flag, value in plan.flags(name).items()}


class TestConfig:
    """YAML reads text as text and numbers as numbers, and etcd knows every key."""

    @hostile
    def test_parse_back(self, name, token, folder):
        plan = plan_of(name, token, folder)
        assert yaml.safe_load(render(plan, "config")) == plan.flags(name)

    @pytest.mark.parametrize(
        ("version", "stated"),
        [
            # etcd-io/etcd#12297
            ("3.4.23", {"enable-grpc-gateway": True, "auto-compaction-mode": "periodic"}),
            (
                "3.5",
                {
                    "auto-compaction-mode": "periodic",
                    "tls-min-version": "TLS1.2",
                    "experimental-distributed-tracing-address": "localhost:4317",
                    "experimental-distributed-tracing-service-name": "etcd",
                },
            ),
            ("3.6", {}),
            ("3.7", {}),
        ],
    )
    def test_states_the_defaults_that_a_file_would_turn_off(self, version, stated):
        plan = ClusterPlan.local(1, etcd_version=version)
        document = yaml.safe_load(render(plan, "config"))
        assert {key: value for key, value in document.items() if key not in plan.flags("infra0")} == stated

    @pytest.mark.parametrize("version", ["3.4", "3.5", "3.6", "3.7"])
    def test_holds_every_flag_with_a_config_key(self, version):
        """Values of every kind, and TLS nested as in etcd."""
        found = load_versions().version(version)
        values = {}
        for flag in found.flags:
            key = config_key(found, flag)
            if key is None:
                continue
            value = flag.defaults[version]
            try:
                plan = ClusterPlan.local(1, settings={flag.name: value}, etcd_version=version)
            except PlanError:
                continue
            document = yaml.safe_load(render(plan, "config"))
            for part in key.split("."):
                document = document[part]
            assert document == config_value(found, flag, value)
            values[flag.name] = document
        assert len(values) > 40

    @pytest.mark.parametrize(
        ("version", "flag", "value"),
        [
            ("3.5", "raft-read-timeout", "5s"),
            ("3.5.13", "client-cert-allowed-hostname", "a"),
            ("3.6", "discovery-fallback", "exit"),
            ("3.6", "client-crl-file", "/x"),
        ],
    )
    def test_rejects_flags_without_a_config_key(self, version, flag, value):
        plan = ClusterPlan.local(1, settings={flag: value}, etcd_version=version)
        assert flag in render(plan, "flags")
        with pytest.raises(OptionError) as error:
            render(plan, "config")
        assert str(error.value) == (
            f"settings: --{flag} cannot be set in a config file of etcd {version}: etcd would silently ignore it; "
            'use the format "flags" or "env"'
        )


@pytest.fixture(scope="module")
def tmpfiles():
    return program("systemd-tmpfiles", "systemd")


class TestSystemd:
    """systemd itself reads the words of the plan, from a unit and from a file of variables."""

    @pytest.mark.parametrize("plan", [PLAN, ClusterPlan.local(3, data_dir="/d")], ids=["tls", "local"])
    def test_systemd_verifies_the_unit(self, plan, tmp_path):
        verify = program("systemd-analyze", "systemd")
        for member in plan.members:
            unit = tmp_path / f"{member.name}.service"
            # systemd-analyze fails if a program is not installed, and etcd need not be on this machine.
            text = render(plan, "systemd", member.name)
            assert text.count("\nExecStart=etcd \\\n") == 1
            unit.write_text(text.replace("\nExecStart=etcd ", f"\nExecStart={program('true', 'coreutils')} "))
            found = subprocess.run([verify, "verify", unit], capture_output=True, text=True, check=False, timeout=60)
            assert (found.returncode, found.stdout, found.stderr) == (0, "", "")

    @hostile
    def test_systemd_verifies_hostile_text(self, tmp_path, name, token, folder):
        words = unit_words(render(plan_of(name, token, folder), "systemd"))
        assert words == [
            "etcd",
            *(f"--{flag}={value}" for flag, value in plan_of(name, token, folder).flags(name).items()),
        ]

    def test_unit_words_reads_commands_as_systemd_does(self, tmp_path):
        """systemd prints the name of a command that it rejects, as it has read it; in that word `$` is not special."""
        verify = program("systemd-analyze", "systemd")
        for text in HOSTILE:
            if "$" in text:
                continue
            word = next(
                line.strip(" \\")
                for line in render(plan_of(text, "t", "d"), "systemd").splitlines()
                if "--name" in line
            )
            quoted = word if word.startswith('"') else f'"{word}"'
            unit = tmp_path / "one.service"
            unit.write_text(f"[Service]\nExecStart={quoted.replace('--name=', '/*', 1)}\n")
            found = subprocess.run([verify, "verify", unit], capture_output=True, text=True, check=False, timeout=60)
            said = found.stderr.splitlines()[0].removesuffix(" is not executable: No such file or directory")
            assert said.endswith(f" /*{text}")

    @hostile
    def test_reads_the_variables_of_a_file(self, tmpfiles, tmp_path, name, token, folder):
        """systemd parses os-release and EnvironmentFile= alike, and systemd-tmpfiles writes what it read."""
        plan = plan_of(name, token, folder)
        root = tmp_path / "root"
        shutil.rmtree(root, ignore_errors=True)
        (root / "etc").mkdir(parents=True)
        wanted = {"VERSION_ID": "ETCD_NAME", "BUILD_ID": "ETCD_INITIAL_CLUSTER_TOKEN", "VARIANT_ID": "ETCD_DATA_DIR"}
        text = render(plan, "env")
        for theirs, ours in wanted.items():
            text = text.replace(f"\n{ours}=", f"\n{theirs}=")
        (root / "etc" / "os-release").write_text(text)
        rules = tmp_path / "rules.conf"
        rules.write_text("f /VERSION_ID - - - - %w\nf /BUILD_ID - - - - %B\nf /VARIANT_ID - - - - %W\n")
        subprocess.run([tmpfiles, f"--root={root}", "--create", rules], check=True, capture_output=True, timeout=60)
        for theirs, ours in wanted.items():
            assert (root / theirs).read_text() == environment(plan, name)[ours]

    @pytest.mark.parametrize("field", ["data", "tls"])
    def test_rejects_a_relative_path(self, field):
        plan = ClusterPlan.local(1) if field == "data" else ClusterPlan.local(1, data_dir="/d", tls=Tls.from_dir("pki"))
        with pytest.raises(OptionError, match=r", expected an absolute path: systemd starts etcd in /$"):
            render(plan, "systemd")


class TestKubeadm:
    def test_plain_http_has_endpoints_alone(self):
        document = yaml.safe_load(render(ClusterPlan.local(2), "kubeadm"))
        assert document["etcd"] == {
            "external": {"endpoints": ["http://127.0.0.1:2379", "http://127.0.0.1:2381"]},
        }

    def test_parse_back(self):
        document = yaml.safe_load(render(PLAN, "kubeadm"))
        assert list(document) == ["apiVersion", "kind", "etcd"]
        assert document["etcd"]["external"]["endpoints"] == list(PLAN.endpoints)


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((PLAN, "yaml"), 'format: got "yaml", expected flags, env, config, systemd, kubeadm'),
            ((PLAN, "flag", "a"), 'format: got "flag", expected flags, env, config, systemd, kubeadm; did you mean '
             '"flags"?'),
            ((PLAN, None), "format: got None, expected flags, env, config, systemd, kubeadm"),
            ((PLAN, "env"), 'member: got none, expected one of "a", "b": env is for one member'),
            ((PLAN, "env", "c"), 'member: got "c", expected "a", "b"'),
            ((PLAN, "kubeadm", "a"), 'member: got "a", but kubeadm describes the whole cluster; leave it out'),
            (("plan", "env"), 'plan: got "plan", expected a ClusterPlan'),
        ],
    )  # fmt: skip
    def test_rejects_with_a_message(self, arguments, message):
        with pytest.raises((OptionError, PlanError)) as error:
            render(*arguments)
        assert str(error.value) == message

    def test_member_may_be_left_out_for_a_plan_of_one(self):
        assert render(ClusterPlan.local(1), "flags") == render(ClusterPlan.local(1), "flags", "infra0")


def test_settings_of_every_version_can_be_written_in_every_format():
    for version in ("3.4", "3.5", "3.6", "3.7"):
        found = settings_for(size(data_bytes="4GB"), etcd_version=version, peer_rtt_ms=200)
        plan = ClusterPlan.local(1, settings=found, data_dir="/d")
        for form in FORMATS:
            assert render(plan, form)


def test_json_strings_are_yaml_strings():
    """The config file relies on it: JSON and YAML read printable text alike."""
    for text in HOSTILE:
        assert yaml.safe_load(json.dumps(text, ensure_ascii=False)) == text
