"""Flags that a user adds, held to the real etcd: what a plan rejects etcd rejects, and what it accepts starts."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import NamedTuple

import pytest
from certificates import certificates
from etcds import ETCDS, QUICK, free_base_port, is_healthy, needed

from etcdsize import ClusterPlan, EtcdSizeError, Tls
from etcdsize.etcd.flags import flag_text

OLD = ("3.4", "3.5.1", "3.5")
NEW = ("3.6", "3.7")
JWT = "jwt,sign-method=HS256,priv-key=FOLDER/key"
SUITE = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
FILE = {"log-outputs": "FOLDER/one.log"}
ROTATED = FILE | {"enable-log-rotation": "true"}


class Row(NamedTuple):
    """Flags beside those of one member, and the etcds that reject them."""

    flags: dict[str, str]
    rejected_by: tuple[str, ...] = ETCDS
    tls: bool = False


# FOLDER is a folder of the test, and PORT a free port. A flag that an etcd lacks is rejected too.
REJECTED = (
    Row({"heartbeat-interval": "201", "election-timeout": "1000"}),
    Row({"heartbeat-interval": "10001"}),
    Row({"election-timeout": "50001"}),
    Row({"heartbeat-interval": "0"}),
    Row({"heartbeat-interval": "100.5"}),
    Row({"snapshot-count": "1.5"}),
    Row({"snapshot-count": "many"}),
    Row({"max-request-bytes": "lots"}),
    Row({"pre-vote": "yes"}),
    Row({"grpc-keepalive-min-time": "5"}),
    Row({"auto-compaction-mode": "daily"}),
    Row({"auto-compaction-retention": "later"}),
    Row({"max-concurrent-streams": "4294967296"}),
    Row({"log-level": "loud"}),
    Row({"log-format": "xml"}),
    Row({"log-outputs": "default,stderr"}),
    Row({"log-outputs": "systemd/journal,stderr"}),
    Row({"log-outputs": "http://a/log"}),
    Row({"log-outputs": "file:one.log"}),
    Row({"log-outputs": "file://one.log"}),
    Row({"log-outputs": ""}),
    Row({"enable-log-rotation": "true"}),
    Row({"log-outputs": "FOLDER/a.log,FOLDER/b.log", "enable-log-rotation": "true"}),
    Row(ROTATED | {"log-rotation-config-json": "{maxsize: 5}"}),
    Row(ROTATED | {"log-rotation-config-json": '{"maxsize": "5"}'}),
    Row(ROTATED | {"log-rotation-config-json": '{"maxsize": true}'}),
    Row(ROTATED | {"log-rotation-config-json": "{}"}),
    Row({"logger": "capnslog", "log-outputs": "FOLDER/one.log"}),
    Row({"log-output": "stderr", "log-outputs": "stderr"}),
    Row({"tls-min-version": "TLS1.1"}),
    Row({"tls-min-version": "TLS1.3", "tls-max-version": "TLS1.2"}),
    Row({"tls-min-version": "TLS1.3", "cipher-suites": SUITE}),
    Row({"cipher-suites": "TLS_AES"}),
    Row({"cipher-suites": ""}),
    Row({"cipher-suites": f"{SUITE}, {SUITE}"}),
    Row({"cors": "http://a.example"}),
    Row({"cors": "*,http://a.example:80"}),
    Row({"auth-token": "jwt"}),
    Row({"auth-token": "basic"}),
    Row({"auth-token": "jwt,sign-method"}),
    Row({"auth-token": "jwt,sign-method=HS1,priv-key=FOLDER/key"}),
    Row({"auth-token": "jwt,sign-method=HS256"}),
    Row({"auth-token": "jwt,sign-method=none,priv-key=FOLDER/key"}),
    Row({"auth-token": f"{JWT},ttl=soon"}),
    Row({"listen-metrics-urls": "http://node.example:PORT"}),
    Row({"listen-metrics-urls": "http://:PORT"}),
    Row({"listen-metrics-urls": "http://127.0.0.1:PORT/metrics"}),
    Row({"listen-metrics-urls": "https://127.0.0.1:PORT"}),
    Row({"listen-metrics-urls": "http://127.0.0.1:CLIENT"}),
    Row({"listen-client-http-urls": "http://127.0.0.1:CLIENT"}),
    Row({"feature-gates": "NoSuchGate=true"}),
    Row({"feature-gates": "CompactHashCheck"}),
    Row({"feature-gates": "CompactHashCheck=on"}),
    Row({"feature-gates": "LeaseCheckpointPersist=true"}),
    Row({"feature-gates": "AllAlpha=true,LeaseCheckpoint=false"}),
    Row({"feature-gates": "FastLeaseKeepAlive=true"}, (*OLD, "3.6")),
    Row({"experimental-enable-lease-checkpoint-persist": "true"}),
    Row({"compact-hash-check-time": "0s"}),
    Row({"experimental-compact-hash-check-time": "0s"}),
    Row({"experimental-compaction-batch-limit": "5", "compaction-batch-limit": "5"}),
    Row({"experimental-corrupt-check-time": "5m", "corrupt-check-time": "5m"}),
    Row({"experimental-initial-corrupt-check": "true", "feature-gates": "InitialCorruptCheck=true"}),
    Row({"experimental-enable-lease-checkpoint": "true", "feature-gates": "LeaseCheckpointPersist=true"}),
    Row({"experimental-enable-lease-checkpoint": "true", "feature-gates": "AllAlpha=false"}),
    Row({"experimental-txn-mode-write-with-shared-buffer": "true", "feature-gates": "AllBeta=true"}),
    Row({"enable-distributed-tracing": "true", "distributed-tracing-sampling-rate": "1000001"}),
    Row({"enable-v2": "true", "v2-deprecation": "write-only"}),
    Row({"v2-deprecation": "never"}),
    Row({"discovery": "http://127.0.0.1:1/x"}),
    Row({"discovery-endpoints": "http://127.0.0.1:1", "discovery-token": "t"}),
    Row({"discovery-token": "t"}),
    Row({"discovery-srv": "example.invalid"}),
    Row({"no-such-flag": "1"}),
    Row({"wal-dir": "FOLDER/infra0.etcd"}),
    Row({"wal-dir": "FOLDER/infra0.etcd/member"}),
    Row({"peer-cert-allowed-cn": "a", "peer-cert-allowed-hostname": "b"}, tls=True),
    Row({"client-cert-file": "FOLDER/pki/server.crt"}, tls=True),
    Row({"peer-client-key-file": "FOLDER/pki/peer.key"}, tls=True),
)

ACCEPTED = (
    # What every etcd has.
    Row(
        {
            "heartbeat-interval": "200",
            "election-timeout": "1000",
            "quota-backend-bytes": "1GiB",
            "max-request-bytes": "4MiB",
            "max-txn-ops": "0",
            "snapshot-count": "0",
            "backend-batch-limit": "0",
            "backend-batch-interval": "0",
            "auto-compaction-mode": "revision",
            "auto-compaction-retention": "0",
            "pre-vote": "T",
            "strict-reconfig-check": "0",
            "auth-token": JWT,
            "bcrypt-cost": "99",
            "cors": "http://a.example:80,https://b.example:443",
            "cipher-suites": f"{SUITE},TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
            "log-level": "debug",
            "log-outputs": "FOLDER/one.log,stderr",
            "listen-metrics-urls": "http://127.0.0.1:PORT",
            "wal-dir": "FOLDER/wal",
            "client-crl-file": "/no/such/file",
            "unsafe-no-fsync": "true",
        },
        (),
    ),
    Row({"log-outputs": "file://FOLDER/one.log", "heartbeat-interval": "201"}, ()),
    Row({"log-outputs": "file://localhostFOLDER/one.log"}, ()),
    Row({"listen-metrics-urls": "https://127.0.0.1:PORT", "peer-cert-allowed-cn": "peer"}, (), tls=True),
    Row(
        {
            "client-cert-file": "FOLDER/pki/healthcheck-client.crt",
            "client-key-file": "FOLDER/pki/healthcheck-client.key",
        },
        ("3.4",),
        tls=True,
    ),
    Row({"logger": "capnslog", "log-outputs": "stdout"}, tuple(set(ETCDS) - {"3.4"})),
    Row({"enable-v2": "true", "v2-deprecation": "not-yet"}, ("3.4", *NEW)),
    Row({"v2-deprecation": "gone"}, ("3.4",)),
    Row(
        ROTATED
        | {
            "log-rotation-config-json": '{"MaxSize": 5, "compress": true, "other": 1}',
            "socket-reuse-port": "true",
            "raft-read-timeout": "1ms",
            "self-signed-cert-validity": "0",
        },
        ("3.4",),
    ),
    Row(
        {
            "tls-min-version": "TLS1.3",
            "tls-max-version": "",
            "listen-client-http-urls": "http://127.0.0.1:PORT",
            "max-concurrent-streams": "4294967295",
        },
        ("3.4", "3.5.1"),
    ),
    Row({"experimental-enable-lease-checkpoint": "true", "experimental-compaction-batch-limit": "0"}, ("3.7",)),
    Row(
        {
            "experimental-enable-lease-checkpoint": "true",
            "experimental-enable-lease-checkpoint-persist": "true",
            "experimental-corrupt-check-time": "0",
        },
        ("3.5.1", "3.7"),
    ),
    Row({"experimental-enable-lease-checkpoint": "true", "feature-gates": "AllBeta=true"}, (*OLD, "3.7")),
    Row(
        {
            "feature-gates": "AllAlpha=true, LeaseCheckpoint=t,TxnModeWriteWithSharedBuffer=false,",
            "compact-hash-check-time": "1ns",
            "enable-distributed-tracing": "true",
            "distributed-tracing-sampling-rate": "1000000",
            "max-learners": "0",
            "snapshot-catchup-entries": "0",
            "downgrade-check-time": "0",
            "log-format": "console",
        },
        OLD,
    ),
)


@pytest.fixture
def ask(tmp_path):
    """Return a function that says whether a plan accepts flags, and whether etcd does."""
    (tmp_path / "key").write_text("secret")

    def asked(minor: str, flags: dict[str, str], tls: Tls | None) -> tuple[bool, bool, str]:
        etcd, version = needed(minor)
        port = free_base_port(3)
        words = {"FOLDER": str(tmp_path), "PORT": str(port + 2), "CLIENT": str(port)}
        texts = dict(flags)
        for word, text in words.items():
            texts = {name: value.replace(word, text) for name, value in texts.items()}
        shared = {"base_port": port, "data_dir": str(tmp_path), "etcd_version": str(version), "tls": tls}
        usual = {"logger": "zap"} | ({} if set(QUICK) & set(flags) else QUICK)
        base = ClusterPlan.local(1, **shared, settings=usual)
        try:
            plan = ClusterPlan.local(1, **shared, extra_flags=usual | texts)
        except EtcdSizeError as error:
            reason, arguments = str(error), {**base.flags("infra0"), **texts}
        else:
            # A flag that our table lacks is passed through with a notice.
            unknown = [notice.text for notice in plan.notices if notice.code == "unknown-flag"]
            reason, arguments = "".join(unknown), plan.flags("infra0")
        command = [etcd, *(f"--{name}={flag_text(value)}" for name, value in arguments.items())]
        with (tmp_path / "log").open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, cwd=tmp_path)
        client = port + 2 if "listen-client-http-urls" in flags else port
        url = f"http{'' if tls is None else 's'}://127.0.0.1:{client}"
        try:
            deadline = time.monotonic() + (60 if not reason else 6)
            starts = False
            while not starts and process.poll() is None and time.monotonic() < deadline:
                starts = is_healthy(url, tls)
                time.sleep(0.01)
            # It may end a moment after it became healthy.
            starts = starts and process.poll() is None
        finally:
            process.kill()
            process.wait()
        return not reason, starts, f"{reason}\n{(tmp_path / 'log').read_text(errors='replace')}"

    yield asked
    shutil.rmtree(tmp_path)


def names(row: Row) -> str:
    return ",".join(f"{name}={value}" for name, value in row.flags.items())


@pytest.mark.slow
@pytest.mark.parametrize("minor", ETCDS)
@pytest.mark.parametrize("row", [*REJECTED, *ACCEPTED], ids=names)
def test_a_plan_rejects_what_etcd_rejects(minor, row, ask, tmp_path):
    ours, etcds, log = ask(minor, row.flags, certificates(tmp_path / "pki") if row.tls else None)
    expected = minor not in row.rejected_by
    assert (ours, etcds) == (expected, expected), log
