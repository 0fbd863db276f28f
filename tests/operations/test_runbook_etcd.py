"""Runbooks on real etcd: every command is run by sh as it is printed, and does what it says.

Some with TLS and some without, all with names, tokens and paths that a shell would take apart.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from certificates import certificates
from etcds import ETCDS, Cluster, cluster, etcdutl, free_base_port, needed
from needs import program
from runbook_operator import KEYS, SETTINGS, SNAPSHOT, Operator

from benchmarks.resources.settled import MEMORY
from etcdsize import ClusterPlan, Command, Member, Tls

HOSTILE = ('it\'s "a"; $(touch pwned)', "b %s \\n `touch pwned` &|>x", "-c *?[] {}#~!ü")


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


@pytest.mark.slow(seconds=10)
@pytest.mark.xdist_group("runbooks on etcd")
@pytest.mark.parametrize("minor", ETCDS)
def test_every_command(minor, tmp_path, request):
    if minor == "3.5.1":
        # It goes on beside the tests that follow; the last of them looks at what it said.
        request.getfixturevalue("whole_check")
    work = tmp_path / "work"
    work.mkdir()
    tls = certificates(tmp_path / "pki, $(touch pwned) 'x' %d") if minor in ("3.5.1", "3.6") else None
    plan = hostile_plan(minor, tmp_path, tls)
    operator = Operator(minor, plan, work)
    with cluster(plan, work, minor) as running:
        all_day(operator, running, minor)
        snapshots(operator, minor)
        defragment(operator)
        no_space(operator, minor)
        change_versions(operator)
        members_down(operator, running, minor)
        check_perf(operator)
        restore(operator, running)
        check_the_old_store(operator, running)
        if plan.etcd_version.restore_bumps_revision:
            restore_for_kubernetes(operator, running, minor)
    assert not list(tmp_path.rglob("pwned"))
    left = {command.words for step in operator.book.steps for command in step.commands} - operator.ran
    # It does not use etcd, and has a test of its own.
    assert left == {operator.commands("fio")[0].words}


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
    file = operator.folder / SNAPSHOT
    file.write_text("what is there is replaced")
    operator.sh(save)
    assert file.stat().st_size > 100_000
    several = save.model_copy(
        update={"words": (*save.words[:1], operator.commands("health")[0].words[1], *save.words[2:])}
    )
    assert "one selected node, not multiple" in operator.sh(several, None)
    operator.ran.discard(several.words)
    (table,) = operator.run("snapshot-status")
    # Since 3.6 the table has the version too, and since 3.7 its lines are drawn.
    revision, keys = (cell.strip() for cell in re.split(r"[|│]", table.splitlines()[3])[2:4])
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


def change_versions(operator: Operator) -> None:
    """Run what does not need another etcd: a downgrade is enabled, and given up before a member is stopped."""
    steps = [step for step in operator.book.steps if step.code in ("upgrade", "downgrade")]
    for command in (command for step in steps for command in step.commands if "v2store" not in command.words):
        leader, follower = operator.leader()
        values = {"LEADER_URL": leader, "MEMBER_ID": follower}
        operator.sh(command, **{word: values[word] for word in command.fill_in})


def check_the_old_store(operator: Operator, running: Cluster) -> None:
    """etcdutl of 3.5 reads the folder of a member that is stopped."""
    checks = [command for command in operator.commands("upgrade") if "v2store" in command.words]
    if checks:
        running.kill()
        for command in checks:
            assert "No custom content found" in operator.sh(command)
        running.start()


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
    said = operator.sh(soon(health), 1)
    assert said.count(" is healthy") == 2
    assert f"{running.plan.member(first).client_urls[0]} is unhealthy" in said
    running.kill(second)
    operator.sh(soon(members), 0 if minor == "3.4" else 1)
    running.start(first, second)
    operator.sh(health)


def check_perf(operator: Operator) -> None:
    """An interrupted check leaves keys. What a whole one says has a test of its own."""
    check, delete = operator.commands("check-perf")
    with subprocess.Popen(check.words, env=operator.environment, stdout=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 30
        # The keys are random bytes, and base64 in JSON.
        while '"kvs"' not in operator.ctl("get", "--prefix", "--limit=1", "-w", "json", "/etcdctl-check-perf/"):
            assert time.monotonic() < deadline
        running.kill()
    assert "has keys" in operator.sh(check, None)
    assert int(operator.sh(delete)) >= 1


def restore(operator: Operator, running: Cluster) -> None:
    """Delete all keys, and restore them from the snapshot into a new cluster."""
    before = {one["Status"]["header"]["cluster_id"] for one in operator.status()}
    revision = operator.revision()
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
    assert operator.revision() < revision, "without Kubernetes the revision goes back"
    after = {one["Status"]["header"]["cluster_id"] for one in operator.status()}
    assert len(before) == len(after) == 1
    assert before != after


def restore_for_kubernetes(plain: Operator, running: Cluster, minor: str) -> None:
    """The revision rises over all that a watcher can have seen, and a watcher from before starts anew."""
    for folder in Path(plain.plan.data_dir).glob("*.old"):
        shutil.rmtree(folder)
    before = plain.revision()
    running.kill()
    operator = Operator(minor, plain.plan, plain.folder, kubernetes=True)
    *commands, health = operator.commands("snapshot-restore")
    assert sum("--mark-compacted" in command.words for command in commands) == 3
    for command in commands:
        operator.sh(command)
    running.start()
    operator.sh(health)
    assert operator.keys() == KEYS
    assert operator.revision() > before + 900_000_000
    watch = [*operator.commands("health")[0].words[:-2], "watch", f"--rev={before}", "key/00001"]
    done = subprocess.run(watch, env=operator.environment, capture_output=True, text=True, check=False, timeout=60)
    assert "required revision has been compacted" in done.stdout + done.stderr


@pytest.mark.slow(seconds=2)
@pytest.mark.xdist_group("runbooks on etcd")
def test_the_disk_is_measured(tmp_path):
    """In memory, where the ten thousand fsyncs of fio take no time; the folder has a name that a shell takes apart."""
    program("fio", "fio")
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        operator = Operator("3.4", hostile_plan("3.4", Path(folder), None), tmp_path)
        data = Path(operator.plan.data_dir)
        (data / "ours").touch()
        (said,) = operator.run("fio")
        assert "fsync/fdatasync/sync_file_range" in said
        assert "99.00th" in said
        assert [file.name for file in data.iterdir()] == ["ours"]
        assert not [*tmp_path.rglob("pwned"), *Path(folder).rglob("pwned")]
