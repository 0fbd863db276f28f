"""Runbooks on real etcd: every command is run by sh as it is printed, and does what it says.

3.4 without TLS and 3.5 with it, both with names, tokens and paths that a shell would take apart.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from certificates import certificates
from etcds import ETCDS, Cluster, cluster, environment, etcdutl, free_base_port, needed
from needs import program

from etcdsize import ClusterPlan, Command, Member, Tls, runbook
from etcdsize.etcd.flags import flag_text

HOSTILE = ('it\'s "a"; $(touch pwned)', "b %s \\n `touch pwned` &|>x", "-c *?[] {}#~!ü")
KEYS = {f"key/{number:05}": f"value {number}" for number in range(10_000)}
# Enough operations to put all keys at once, and a small quota that fills quickly.
SETTINGS = {"max-txn-ops": 10_000, "quota-backend-bytes": 16 * 2**20}


def hostile_plan(minor: str, folder: Path, tls: Tls | None) -> ClusterPlan:
    base = free_base_port(6)
    scheme = "http" if tls is None else "https"
    data = folder / "the data: 'of' \"$(touch pwned)\" %d"
    data.mkdir()
    return ClusterPlan(
        members=[
            Member(
                name=name,
                client_urls=f"{scheme}://127.0.0.1:{base + 2 * index}",
                peer_urls=f"{scheme}://127.0.0.1:{base + 2 * index + 1}",
            )
            for index, name in enumerate(HOSTILE)
        ],
        data_dir=str(data),
        token="tok'en $(touch pwned) \"%d",
        tls=tls,
        settings=SETTINGS,
        etcd_version=str(needed(minor)[1]),
    )


class Operator:
    """Runs commands of a runbook, and remembers which."""

    def __init__(self, minor: str, plan: ClusterPlan, folder: Path) -> None:
        self.book = runbook(plan, tier="small", snapshot="-sn $(touch pwned)'p %d.db")
        self.environment = environment(minor)
        self.folder = folder
        self.ran: set[tuple[str, ...]] = set()

    def commands(self, code: str) -> tuple[Command, ...]:
        return self.book.step(code).commands

    def sh(self, command: Command, code: int | None = 0, more: dict[str, str] | None = None, **values: str) -> str:
        """Run a command, and return its standard output and standard error."""
        self.ran.add(command.words)
        if values:
            command = command.filled(**values)
        done = subprocess.run(
            ["sh", "-c", command.shell],
            cwd=self.folder,
            env={**self.environment, **(more or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        assert code in (None, done.returncode), f"{command.shell}\n{done.stdout}"
        return done.stdout

    def run(self, step: str) -> list[str]:
        return [self.sh(command) for command in self.commands(step)]

    def ctl(self, *words: str, stdin: str | None = None, code: int = 0) -> str:
        """Run etcdctl as the runbook does."""
        health = self.commands("health")[0].words
        assert health[-2:] == ("endpoint", "health")
        done = subprocess.run(
            [*health[:-2], *words], env=self.environment, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        return done.stdout

    def put_keys(self) -> None:
        puts = "\n".join(f'put {key} "{value}"' for key, value in KEYS.items())
        self.ctl("txn", stdin=f"\n{puts}\n\n\n")

    def keys(self) -> dict[str, str]:
        lines = self.ctl("get", "--prefix", "key/").splitlines()
        return dict(zip(lines[::2], lines[1::2], strict=True))

    def status(self) -> list[dict]:
        return json.loads(self.sh(self.commands("alarms")[1]))

    def leader(self) -> tuple[str, str]:
        """Return the leader's endpoint, and the ID of a follower."""
        members = [
            (one["Endpoint"], one["Status"]["header"]["member_id"], one["Status"]["leader"]) for one in self.status()
        ]
        endpoint = next(endpoint for endpoint, member, leader in members if member == leader)
        return endpoint, next(f"{member:x}" for _, member, leader in members if member != leader)


@pytest.mark.slow
@pytest.mark.parametrize("minor", ETCDS)
def test_every_command(minor, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    tls = certificates(tmp_path / "pki, $(touch pwned) 'x' %d") if minor == "3.5" else None
    plan = hostile_plan(minor, tmp_path, tls)
    operator = Operator(minor, plan, work)
    with cluster(plan, work, minor) as running:
        all_day(operator, running, minor)
        snapshots(operator, minor)
        defragment(operator)
        no_space(operator, minor)
        upgrade_commands(operator)
        members_down(operator, running, minor)
        check_perf(operator, minor)
        restore(operator, running)
    if minor == "3.4":
        measure_the_disk(operator, Path(plan.data_dir))
    assert not list(tmp_path.rglob("pwned"))
    left = {command.words for step in operator.book.steps for command in step.commands} - operator.ran
    # The first takes a minute and the second does not use etcd, so each runs once only.
    assert left == {operator.commands("check-perf" if minor == "3.4" else "fio")[0].words}


def all_day(operator: Operator, running: Cluster, minor: str) -> None:
    version = str(needed(minor)[1])
    said = operator.run("version")
    assert [version in text for text in said] == [True] * (2 if minor == "3.4" else 3)
    (health,) = operator.run("health")
    assert health.count(" is healthy") == 3
    (command,) = operator.commands("health")
    said = operator.sh(command, None, {"ETCDCTL_ENDPOINTS": "x"})
    assert "conflicting environment variable" in said
    assert "healthy" not in said
    (status,) = operator.run("status")
    assert status.count(f" {version} ") == 3
    assert "IS LEADER" in status
    (members,) = operator.run("member-list")
    assert all(name in members for name in HOSTILE)
    assert (
        'unknown command "cluster-health"'
        in subprocess.run(
            ["etcdctl", "cluster-health"], env=operator.environment, capture_output=True, text=True, check=False
        ).stderr
    )


def snapshots(operator: Operator, minor: str) -> None:
    operator.put_keys()
    assert operator.keys() == KEYS
    (save,) = operator.commands("snapshot-save")
    file = operator.folder / "-sn $(touch pwned)'p %d.db"
    file.write_text("what is there is replaced")
    operator.sh(save)
    assert file.stat().st_size > 100_000
    several = save.model_copy(
        update={"words": (*save.words[:1], operator.commands("health")[0].words[1], *save.words[2:])}
    )
    assert "one selected node, not multiple" in operator.sh(several, None)
    operator.ran.discard(several.words)
    (table,) = operator.run("snapshot-status")
    _, revision, keys, _ = (cell.strip() for cell in table.splitlines()[3].strip("|").split("|"))
    assert int(revision) > 1
    assert int(keys) >= len(KEYS)
    # Change a value in the file: only a restore verifies the checksum.
    content = file.read_bytes()
    assert content.count(b"value 9999") == 1
    broken = operator.folder / "broken.db"
    broken.write_bytes(content.replace(b"value 9999", b"VALUE 9999"))
    program = "etcdctl" if minor == "3.4" else etcdutl(minor)
    for words, code in ((["status", broken], 0), (["restore", broken, "--data-dir=broken"], 1)):
        done = subprocess.run(
            [program, "snapshot", *words],
            env=operator.environment,
            cwd=operator.folder,
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, done.stderr


def defragment(operator: Operator) -> None:
    """Save a snapshot, defragment the followers, move leadership to one of them, then defragment the old leader."""
    save, status, *defrags, move, health, last = operator.commands("defragment")
    operator.sh(save)
    operator.sh(status)
    leader, _ = operator.leader()
    defrags.sort(key=lambda command: f"--endpoints={leader}" in command.words)
    for command in defrags[:-1]:
        assert "Finished defragmenting" in operator.sh(command)
        operator.sh(health)
    leader, follower = operator.leader()
    assert "Leadership transferred" in operator.sh(move, LEADER_URL=leader, MEMBER_ID=follower)
    assert operator.leader()[0] != leader
    assert "Finished defragmenting" in operator.sh(defrags[-1])
    operator.sh(health)
    operator.sh(last)


def no_space(operator: Operator, minor: str) -> None:
    """Fill the quota of 16 MiB, and free space with the runbook; every key is still there."""
    for _ in range(20):
        # Always the same key, so that the history fills the space.
        health = operator.commands("health")[0].words[:-2]
        done = subprocess.run(
            [*health, "put", "large"],
            env=operator.environment,
            input="x" * 1_000_000,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            break
    assert "database space exceeded" in done.stderr
    alarms, status, compaction, *defrags, disarm, last = operator.commands("alarms")
    # etcd raises the alarm a moment after it rejects the write.
    deadline = time.monotonic() + 20
    while "alarm:NOSPACE" not in operator.sh(alarms):
        assert time.monotonic() < deadline
    # etcdctl 3.4 does not check alarms.
    assert ("NOSPACE" in operator.sh(operator.commands("health")[0], 0 if minor == "3.4" else 1)) == (minor != "3.4")
    revision = max(one["Status"]["header"]["revision"] for one in json.loads(operator.sh(status)))
    assert f"compacted revision {revision}" in operator.sh(compaction, REVISION=str(revision))
    for command in defrags:
        operator.sh(command)
    assert max(one["Status"]["dbSize"] for one in operator.status()) < 8_000_000
    operator.sh(disarm)
    assert operator.sh(last) == ""
    operator.ctl("put", "large", "small")
    assert operator.keys() == KEYS


def upgrade_commands(operator: Operator) -> None:
    for command in operator.commands("upgrade"):
        leader, follower = operator.leader()
        operator.sh(command, **({"LEADER_URL": leader, "MEMBER_ID": follower} if command.fill_in else {}))


def members_down(operator: Operator, running: Cluster, minor: str) -> None:
    """Health names the members that are down; without a quorum, only etcdctl 3.4 still lists the members."""
    (health,), (members,) = operator.commands("health"), operator.commands("member-list")

    def soon(command: Command) -> Command:
        """Return the command with a shorter timeout than etcdctl's five seconds."""
        return command.model_copy(update={"words": (*command.words, "--command-timeout=1s")})

    # Kill followers, so that no election is needed first.
    leader, _ = operator.leader()
    first, second = (name for name in HOSTILE if running.plan.member(name).client_urls[0] != leader)
    running.kill(first)
    said = operator.sh(health if minor == "3.4" else soon(health), 1)
    assert said.count(" is healthy") == 2
    assert f"{running.plan.member(first).client_urls[0]} is unhealthy" in said
    running.kill(second)
    operator.sh(soon(members), 0 if minor == "3.4" else 1)
    running.start(first, second)
    operator.sh(health)


def check_perf(operator: Operator, minor: str) -> None:
    check, delete = operator.commands("check-perf")
    operator.ctl("put", "/etcdctl-check-perf/left", "over")
    assert "has keys" in operator.sh(check, None)
    assert operator.sh(delete) == "1\n"
    operator.ran.discard(check.words)
    if minor != "3.4":
        # It does not matter whether this machine passes.
        assert re.search(r"\d+ writes/s", operator.sh(check, None))
        assert operator.ctl("get", "--prefix", "/etcdctl-check-perf/") == ""


def restore(operator: Operator, running: Cluster) -> None:
    """Delete all keys, and restore them from the snapshot into a new cluster."""
    before = {one["Status"]["header"]["cluster_id"] for one in operator.status()}
    operator.ctl("del", "--prefix", "key/")
    assert operator.keys() == {}
    running.kill()
    *commands, health = operator.commands("snapshot-restore")
    for command in commands:
        operator.sh(command)
    assert "old" in operator.sh(commands[0], 1), "what was moved away is not moved over"
    running.start()
    operator.sh(health)
    assert operator.keys() == KEYS
    after = {one["Status"]["header"]["cluster_id"] for one in operator.status()}
    assert len(before) == len(after) == 1
    assert before != after


def measure_the_disk(operator: Operator, data: Path) -> None:
    program("fio", "fio")
    before = sorted(data.iterdir())
    (said,) = operator.run("fio")
    assert "fsync/fdatasync/sync_file_range" in said
    assert "99.00th" in said
    assert sorted(data.iterdir()) == before


@pytest.mark.slow
def test_upgrade_from_3_4_to_3_5(tmp_path):
    """Upgrade the followers first and the old leader last; all keys stay readable throughout."""
    base = free_base_port(6)
    plans = {
        minor: ClusterPlan.local(
            3, base_port=base, data_dir=str(tmp_path), settings=SETTINGS, etcd_version=str(needed(minor)[1])
        )
        for minor in ("3.4", "3.5.1")
    }
    plan = plans["3.4"]
    operator = Operator("3.5.1", plan, tmp_path)
    programs = {member.name: "3.4" for member in plan.members}

    def how(name: str) -> tuple[list[str], dict[str, str]]:
        minor = programs[name]
        flags = plans[minor].flags(name)
        return [needed(minor)[0], *(f"--{flag}={flag_text(value)}" for flag, value in flags.items())], {}

    health, save, status, move, _, last = operator.commands("upgrade")
    with cluster(plan, tmp_path, "3.4", how) as running:
        operator.put_keys()
        for command in (health, save, status):
            operator.sh(command)
        leader, _ = operator.leader()
        names = sorted(programs, key=lambda name: plan.member(name).client_urls[0] == leader)
        for name in names:
            if name == names[-1]:
                # On a busy machine there may have been an election.
                now, follower = operator.leader()
                operator.sh(move, LEADER_URL=now, MEMBER_ID=follower)
            running.kill(name)
            programs[name] = "3.5.1"
            running.start(name)
            operator.sh(health)
            assert operator.keys() == KEYS
        assert operator.sh(last).count(f" {needed('3.5.1')[1]} ") == 3
