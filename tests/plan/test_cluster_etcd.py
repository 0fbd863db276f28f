"""Plans compared with the real etcd: it rejects what we reject, and accepts what we accept."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from etcds import ETCDS, MINORS, free_base_port, free_ports, needed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from invalid_plans import ETCD_SAYS, INVALID
from unit_files import unit_words

from etcdsize import ClusterPlan, EtcdVersion, Member, load_versions, render
from etcdsize.etcd.flags import flag_text, is_deprecated

ASKED = [row for row in INVALID if row.etcd]
# What etcd logs once it has read its arguments, found itself in the initial cluster and opened its data.
STARTED = ("starting local etcd server", "starting etcd server", "added member")


def verdict(folder: Path, arguments: list[str], etcd: str, *, to_the_end: bool) -> tuple[bool, str]:
    """Run a command that starts etcd, and return whether etcd keeps running, and its log.

    With `to_the_end` it waits until etcd ends, because some errors end etcd only once it is nearly ready.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
    clean["PATH"] = os.pathsep.join([str(Path(etcd).parent), clean["PATH"]])
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(arguments, stdout=file, stderr=file, env=clean, cwd=folder)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            ended = process.poll()
            text = log.read_text(errors="replace")
            if ended is not None:
                assert ended != 0, text
                return False, text
            if not to_the_end and any(mark in text for mark in STARTED):
                return True, text
            time.sleep(0.02)
        assert to_the_end, f"etcd neither starts nor ends: {text}"
        return True, text
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("minor", ETCDS)
class TestInvalidPlans:
    """etcd rejects the invalid plans whose mistake a command line can show."""

    def base(self, folder):
        peer, client = (f"http://127.0.0.1:{name}" for name in ("PEER", "CLIENT"))
        return {
            "name": "one",
            "data-dir": str(folder / "data"),
            "logger": "zap",
            "initial-advertise-peer-urls": peer,
            "listen-peer-urls": peer,
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "initial-cluster": f"one={peer}",
        }

    def ask(self, minor, folder, changes, *, to_the_end):
        etcd, _ = needed(minor)
        ports = dict(zip(("PEER", "CLIENT", "OTHER"), map(str, free_ports(3))))
        arguments = [etcd]
        for flag, value in (self.base(folder) | dict(changes)).items():
            if value is None:
                continue
            for name, port in ports.items():
                value = value.replace(name, port)
            arguments.append(f"--{flag}={value}")
        return verdict(folder, arguments, etcd, to_the_end=to_the_end)

    def test_etcd_accepts_the_unchanged_flags(self, minor, tmp_path):
        accepted, log = self.ask(minor, tmp_path, {}, to_the_end=False)
        shutil.rmtree(tmp_path)
        assert accepted, log

    @pytest.mark.parametrize("row", ASKED, ids=lambda row: row.code)
    def test_etcd_rejects_it(self, minor, row, tmp_path):
        asked = minor in row.versions
        accepted, log = self.ask(minor, tmp_path, row.etcd, to_the_end=asked)
        shutil.rmtree(tmp_path)
        assert accepted is not asked, log
        if asked:
            # Quotes are escaped where etcd logs JSON.
            assert re.search(ETCD_SAYS[row.code], log.replace('\\"', '"')), log


# Characters that are special in sh, in YAML, in a systemd unit or in a path.
SPECIAL = "'\"\\$`%#;:&|<>(){}[]*?!~^@-+. é漢😀"
texts = (
    st.text(st.sampled_from(SPECIAL + "abc1") | st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
    .map(lambda text: re.sub("[,=/]", "", text).strip())
    .filter(lambda text: text and text.isprintable())
)
durations = st.sampled_from(["5s", "1h30m", "250ms", "1.5s", "0"])
known = {
    "snapshot-count": st.integers(1, 200_000),
    "quota-backend-bytes": st.integers(0, 2**45),
    "max-request-bytes": st.integers(1, 2**21),
    "max-txn-ops": st.integers(1, 1000),
    "max-wals": st.integers(0, 9),
    "pre-vote": st.booleans(),
    "strict-reconfig-check": st.booleans(),
    "initial-election-tick-advance": st.booleans(),
    "grpc-keepalive-min-time": durations,
    "grpc-keepalive-interval": durations,
    "experimental-watch-progress-notify-interval": durations,
    "watch-progress-notify-interval": durations,
    "backend-batch-interval": durations,
    "cors": st.sampled_from(["*", "http://a:1,https://b:2"]),
    "host-whitelist": st.sampled_from(["*", "a,b", "node1"]),
    "auto-compaction-retention": st.sampled_from(["0", "7", "1h", "90m"]),
    "metrics": st.sampled_from(["basic", "extensive"]),
}


def flags_of(version: EtcdVersion) -> st.SearchStrategy[dict]:
    """Return some of the flags above, without those that the version lacks or warns of."""
    table = load_versions().flags_by_name
    usable = [name for name in known if version.has(table[name]) and not is_deprecated(version, table[name])]
    return st.fixed_dictionaries({}, optional={name: known[name] for name in usable})


revisions = st.builds(lambda count: {"auto-compaction-mode": "revision", "auto-compaction-retention": count},
                      st.sampled_from(["0", "1000"]))  # fmt: skip
heartbeats = st.integers(1, 5_000)
timings = heartbeats.flatmap(
    lambda heartbeat: st.builds(
        lambda election: {"heartbeat-interval": heartbeat, "election-timeout": election},
        st.integers(5 * heartbeat, 50_000),
    )
)
ADDRESSES = ["127.0.0.1", "127.0.0.2", "127.200.0.9", "[::1]", "localhost"]


@st.composite
def valid_plans(draw, folder, version):
    """Return a plan of one to five members on this machine, one of its members, and a format."""
    names = draw(st.lists(texts, min_size=1, max_size=5, unique=True))
    urls = []
    for port in free_ports(4 * len(names)):
        urls.append(f"http://{draw(st.sampled_from(ADDRESSES))}:{port}")
    members = []
    for index, name in enumerate(names):
        peer, client, more_peer, more_client = urls[4 * index : 4 * index + 4]
        members.append(
            Member(
                name=name,
                peer_urls=(peer, more_peer) if draw(st.booleans()) else peer,
                client_urls=(client, "http://node.example:2379") if index == 0 and draw(st.booleans()) else client,
                listen_peer_urls=(peer, more_peer),
                listen_client_urls=(client, more_client) if draw(st.booleans()) else client,
            )
        )
    # 3.4 logs its configuration only with this logger.
    settings = {"logger": "zap"} | draw(flags_of(version)) | draw(st.just({}) | revisions) | draw(st.just({}) | timings)
    extra = set(draw(st.lists(st.sampled_from(sorted(settings)), unique=True)))
    plan = ClusterPlan(
        members=members,
        token=draw(texts),
        settings={name: value for name, value in settings.items() if name not in extra},
        extra_flags={f"--{name}": flag_text(value) for name, value in settings.items() if name in extra},
        etcd_version=str(version),
        data_dir=f"{folder}/{draw(texts.filter(lambda text: text not in ('.', '..')))}",
    )
    return plan, draw(st.sampled_from(names)), draw(st.sampled_from(["flags", "env", "config", "systemd"]))


def started(folder: Path, text: str, form: str) -> list[str]:
    """Return the command that starts etcd with a rendered plan."""
    file = folder / "rendered"
    file.write_text(text)
    if form == "systemd":
        return unit_words(text)
    if form == "config":
        return ["etcd", f"--config-file={file}"]
    script = f"exec {text}" if form == "flags" else "set -a; . ./rendered; exec etcd"
    return ["sh", "-c", script]


# The flags whose values etcd logs when it starts.
LISTS = ("listen-peer-urls", "listen-client-urls", "initial-advertise-peer-urls", "advertise-client-urls", "cors")
LOGGED = (
    *LISTS, "name", "data-dir", "initial-cluster", "initial-cluster-token", "initial-cluster-state", "host-whitelist",
    "heartbeat-interval", "election-timeout", "snapshot-count", "pre-vote", "auto-compaction-mode",
    "initial-election-tick-advance",
)  # fmt: skip


def logged(line: dict) -> dict:
    """Return the values that etcd logged, with lists and the members of the initial cluster sorted."""
    found = {flag: line[flag] for flag in LOGGED}
    for flag in (*LISTS, "host-whitelist"):
        found[flag] = sorted(found[flag])
    found["initial-cluster"] = sorted(found["initial-cluster"].split(","))
    return found


def expected(plan: ClusterPlan, flag: str, value: object) -> object:
    """Return the value of a flag as etcd logs it."""
    if flag in (*LISTS, "host-whitelist", "initial-cluster"):
        return sorted(str(value).split(","))
    if flag in ("heartbeat-interval", "election-timeout"):
        heartbeat = int(plan.setting("heartbeat-interval"))
        whole = int(value) // heartbeat * heartbeat
        return f"{whole / 1000:.6g}s" if whole >= 1000 else f"{whole}ms"
    return value


@pytest.mark.parametrize("minor", MINORS)
class TestAccepted:
    """etcd accepts every plan that we accept."""

    @pytest.mark.slow
    def test_etcd_accepts_a_hundred_plans(self, minor, tmp_path):
        etcd, version = needed(minor)
        count = 0

        @given(st.data())
        @settings(max_examples=100, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        def run(data):
            nonlocal count
            count += 1
            folder = tmp_path / str(count)
            folder.mkdir()
            plan, name, form = data.draw(valid_plans(folder, version))
            accepted, log = verdict(folder, started(folder, render(plan, form, name), form), etcd, to_the_end=False)
            assert accepted, log
            starting = next(json.loads(line) for line in log.splitlines() if "starting an etcd server" in line)
            assert logged(starting) == {
                flag: expected(plan, flag, value) for flag, value in plan.flags(name).items() if flag in LOGGED
            } | {flag: value for flag, value in logged(starting).items() if flag not in plan.flags(name)}
            assert Path(plan.data_dir_of(name), "member").is_dir()
            # etcd's first WAL file alone has 64 MB.
            shutil.rmtree(folder)

        run()
        assert count >= 100


# Guide, install: the three commands as printed. The first has a space after the second to last backslash.
REST = """\
    --initial-cluster-token etcd-cluster-1 \\
    --initial-cluster infra0=http://127.0.0.1:2380, infra1=http://127.0.0.1:2382, infra2=http://127.0.0.1:2384 \\{space}
    --initial-cluster-state new
"""
PRINTED = {
    f"infra{index}": f"""\
etcd --name infra{index} --initial-advertise-peer-urls http://127.0.0.1:{peer} \\
    --listen-peer-urls http://127.0.0.1:{peer} \\
    --listen-client-urls http://127.0.0.1:{peer - 1} \\
    --advertise-client-urls http://127.0.0.1:{peer - 1} \\
{REST.format(space=" " if index == 0 else "")}"""
    for index, peer in enumerate((2380, 2382, 2384))
}


@pytest.mark.parametrize("minor", ETCDS)
@pytest.mark.parametrize("name", PRINTED)
class TestGuide:
    """etcd rejects the guide's commands as printed, and accepts ours for the same members."""

    def test_etcd_rejects_the_printed_command(self, minor, name, tmp_path):
        etcd, _ = needed(minor)
        accepted, log = verdict(tmp_path, ["sh", "-c", PRINTED[name]], etcd, to_the_end=True)
        assert not accepted
        assert "infra1=http://127.0.0.1:2382," in log
        assert "is not a valid flag" in log

    def test_etcd_rejects_the_printed_command_with_quotes(self, minor, name, tmp_path):
        """Quotes do not help: the names then begin with a space."""
        etcd, _ = needed(minor)
        peer, client = free_ports(2)
        cluster = f"infra0=http://127.0.0.1:{peer}, infra1=http://127.0.0.1:1, infra2=http://127.0.0.1:2"
        command = f"etcd --name infra1 --initial-advertise-peer-urls http://127.0.0.1:{peer} --listen-peer-urls "
        command += f"http://127.0.0.1:{peer} --listen-client-urls http://127.0.0.1:{client} --advertise-client-urls "
        command += f'http://127.0.0.1:{client} --initial-cluster "{cluster}"'
        accepted, log = verdict(tmp_path, ["sh", "-c", command], etcd, to_the_end=True)
        assert not accepted
        assert 'couldn\'t find local name "infra1" in the initial cluster configuration' in log.replace('\\"', '"')

    def test_etcd_accepts_our_command(self, minor, name, tmp_path):
        etcd, version = needed(minor)
        plan = ClusterPlan.local(
            3,
            base_port=free_base_port(6),
            data_dir=str(tmp_path),
            etcd_version=str(version),
            settings={"logger": "zap"},
        )
        accepted, log = verdict(tmp_path, ["sh", "-c", f"exec {render(plan, 'flags', name)}"], etcd, to_the_end=False)
        shutil.rmtree(tmp_path)
        assert accepted, log
