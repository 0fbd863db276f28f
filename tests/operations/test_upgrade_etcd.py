"""Upgrades and downgrades of real etcd by the runbook, and what real etcd refuses where the runbook refuses first."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from etcds import ETCDS, QUICK, Cluster, How, cluster, etcdctl, free_base_port, needed
from runbook_operator import KEYS, SETTINGS, Operator

from etcdsize import ClusterPlan, runbook
from etcdsize.etcd.flags import flag_text

pytestmark = [pytest.mark.slow(seconds=10), pytest.mark.xdist_group("runbooks on etcd")]


class Members:
    """Three members with data, each of which runs one of the etcds, with the flags of a plan for it."""

    def __init__(self, folder: Path, etcd: str) -> None:
        self.folder = folder
        self._base = free_base_port(6)
        self.plans = {name: self.plan(name) for name in ETCDS}
        self.names = [member.name for member in self.plans[etcd].members]
        self._runs = dict.fromkeys(self.names, (etcd, self.plans[etcd]))

    def plan(self, etcd: str, **more: int) -> ClusterPlan:
        settings = {**SETTINGS, **more}
        if etcd in ("3.6", "3.7"):
            # etcd looks every five seconds whether a downgrade has ended.
            settings["downgrade-check-time"] = "200ms"
        return ClusterPlan.local(
            3, base_port=self._base, data_dir=str(self.folder), settings=settings, etcd_version=str(needed(etcd)[1])
        )

    def how(self, name: str) -> tuple[list[str], dict[str, str]]:
        etcd, plan = self._runs[name]
        return [needed(etcd)[0], *(f"--{flag}={flag_text(value)}" for flag, value in plan.flags(name).items())], {}

    def restart(self, running: Cluster, name: str, etcd: str, **more: int) -> None:
        running.kill(name)
        self._runs[name] = (etcd, self.plan(etcd, **more))
        running.start(name)

    def cluster_versions(self) -> list[str]:
        found = []
        for url in self.plans["3.6"].endpoints:
            with urllib.request.urlopen(f"{url}/version", timeout=5) as answer:
                found.append(json.load(answer)["etcdcluster"])
        return found

    def wait_for(self, operator: Operator, minor: str) -> None:
        """Wait until every member has this minor version as the version of the cluster."""
        elect(operator)
        deadline = time.monotonic() + 60
        while self.cluster_versions() != [f"{minor}.0"] * 3:
            assert time.monotonic() < deadline, self.cluster_versions()
            time.sleep(0.1)

    def save_the_log(self, operator: Operator, running: Cluster, name: str) -> None:
        """Make a member save a snapshot, after which it does not read the older part of its log again."""
        etcd, _ = self._runs[name]
        self.restart(running, name, etcd, **{"snapshot-count": 1})
        for number in range(5):
            operator.ctl("put", "snapshot", str(number))
        running.kill(name)

    def one_by_one(self, operator: Operator, running: Cluster, step: str, etcd: str) -> None:
        """Change the members to an etcd in the order of the runbook; the keys can always be read and written."""
        commands = operator.commands(step)
        move = next(command for command in commands if "move-leader" in command.words)
        checks = {command.member: command for command in commands if "v2store" in command.words}
        health, last = commands[commands.index(move) + 1 :][:2]
        leader, _ = operator.leader()
        plan = operator.plan
        for name in sorted(self.names, key=lambda name: plan.member(name).client_urls[0] == leader):
            now, follower = operator.leader()
            # On a busy machine there may have been an election.
            if plan.member(name).client_urls[0] == now:
                operator.sh(move, LEADER_URL=now, MEMBER_ID=follower)
            if name in checks:
                running.kill(name)
                # The health checks of 3.4 are in the log, until there is a snapshot.
                assert "detected custom v2 content in WAL records" in operator.sh(checks[name], 1)
                self.save_the_log(operator, running, name)
                assert "No custom content found" in operator.sh(checks[name])
            if (step, etcd) == ("upgrade", "3.7"):
                self.save_the_log(operator, running, name)
            self.restart(running, name, etcd)
            assert operator.sh(health).count(" is healthy") == 3
            assert operator.keys() == KEYS
            operator.ctl("put", f"written/{etcd}/{name}", "x")
        assert operator.sh(last).count(f" {needed(etcd)[1]} ") == 3


def test_every_upgrade_and_every_way_back(tmp_path):
    """From 3.4 by an old and a new patch of 3.5 to 3.7, and back to 3.5: with data, one member at a time."""
    members = Members(tmp_path, ETCDS[0])
    with cluster(members.plans["3.4"], tmp_path, "3.4", members.how) as running:
        Operator("3.4", members.plans["3.4"], tmp_path).put_keys()
        for before, after in itertools.pairwise(ETCDS):
            operator = Operator(before, members.plans[before], tmp_path)
            for command in operator.commands("upgrade")[:3]:
                operator.sh(command)
            members.one_by_one(operator, running, "upgrade", after)
            members.wait_for(operator, after[:3])
        for before, after in (("3.7", "3.6"), ("3.6", "3.5")):
            operator = Operator(before, members.plans[before], tmp_path)
            *first, cancel = operator.commands("downgrade")
            for command in first[:4]:
                operator.sh(command)
            wait_for_storage(operator, after)
            if after == "3.5":
                give_up(members, operator, running)
                operator.sh(first[3])
                wait_for_storage(operator, after)
            operator.sh(first[4])
            members.one_by_one(operator, running, "downgrade", after)
            members.wait_for(operator, after)
            wait_for_the_end(operator)
            left = {command.words for command in operator.commands("downgrade")} - operator.ran
            assert left == ({cancel.words} if after == "3.6" else set())
        written = operator.ctl("get", "--prefix", "--keys-only", "written/").split()
        assert len(written) == 3 * len(ETCDS[1:])


def elect(operator: Operator) -> None:
    """Move leadership: a new leader looks at the members' versions at once, and otherwise every four seconds."""
    _, follower = operator.leader()
    # On a busy machine another may lead by now, which is as good.
    operator.ctl("move-leader", follower, code=None)


def wait_for_storage(operator: Operator, minor: str) -> None:
    elect(operator)
    deadline = time.monotonic() + 60
    while {one["Status"].get("storageVersion") for one in operator.status()} != {f"{minor}.0"}:
        assert time.monotonic() < deadline, operator.status()
        time.sleep(0.1)


def wait_for_the_end(operator: Operator) -> None:
    """Wait until a downgrade has ended; 3.5 does not tell."""
    deadline = time.monotonic() + 60
    while any(one["Status"].get("downgradeInfo", {}).get("enabled") for one in operator.status()):
        assert time.monotonic() < deadline, operator.status()
        time.sleep(0.1)


def give_up(members: Members, operator: Operator, running: Cluster) -> None:
    """Cancel a downgrade when a follower runs the older etcd already, and start the follower with the newer one."""
    leader, _ = operator.leader()
    follower = next(name for name in members.names if operator.plan.member(name).client_urls[0] != leader)
    members.restart(running, follower, "3.5")
    assert members.cluster_versions() == ["3.5.0"] * 3
    operator.sh(operator.commands("downgrade")[-1], LEADER_URL=leader)
    members.restart(running, follower, "3.6")
    members.wait_for(operator, "3.6")
    assert operator.keys() == KEYS


class TestRefused:
    """What etcd refuses, the runbook refuses first or finds with a command."""

    def test_a_log_of_an_older_etcd(self, tmp_path):
        """3.6 stops at the health checks of 3.4, and 3.7 at any request of 3.5, until a snapshot was saved."""
        base = free_base_port(2)

        def plan(etcd: str, **more: int) -> ClusterPlan:
            version = str(needed(etcd)[1])
            return ClusterPlan.local(
                1, base_port=base, data_dir=str(tmp_path), settings={**QUICK, **more}, etcd_version=version
            )

        def run(etcd: str, **more: int) -> None:
            with cluster(plan(etcd, **more), tmp_path, etcd):
                for number in range(5):
                    operator.ctl("put", "key", str(number))

        operator = Operator("3.5", plan("3.5"), tmp_path)
        (check,) = [command for command in operator.commands("upgrade") if "v2store" in command.words]
        run("3.4")
        run("3.5")
        assert "detected custom v2 content in WAL records" in operator.sh(check, 1)
        assert "detected disallowed v2 WAL" in refusal(plan("3.6"), "infra0", "3.6")
        run("3.5", **{"snapshot-count": 1})
        run("3.5")
        assert "No custom content found" in operator.sh(check)
        run("3.6")
        assert "unmarshal should never fail" in refusal(plan("3.7"), "infra0", "3.7")
        assert any("--snapshot-count=1" in note for note in runbook(plan("3.6")).step("upgrade").notes)
        run("3.6", **{"snapshot-count": 1})
        run("3.7")

    def test_3_6_does_not_start_from_a_patch_that_is_too_old(self, tmp_path):
        """Members that joined as learners: 3.6 refuses to start from 3.5.1, and starts from a current 3.5."""
        base = free_base_port(6)
        # Otherwise a member can be added only once all others have been connected for five seconds.
        settings = {"strict-reconfig-check": False}
        plans = {
            etcd: ClusterPlan.local(
                3, base_port=base, data_dir=str(tmp_path), settings=settings, etcd_version=str(needed(etcd)[1])
            )
            for etcd in ("3.5.1", "3.5", "3.6")
        }
        step = runbook(plans["3.5.1"]).step("upgrade")
        assert step.notes[0].startswith("etcd 3.5.1 cannot be upgraded to 3.6: first bring all members to 3.5.32")
        names = [member.name for member in plans["3.5.1"].members]
        runs = dict.fromkeys(names, "3.5.1")

        def how(name: str) -> tuple[list[str], dict[str, str]]:
            joined = names[: names.index(name) + 1]
            plan = plans[runs[name]]
            everyone = ",".join(f"{one}={plan.member(one).peer_urls[0]}" for one in joined)
            flags = plan.flags(name) | {"initial-cluster": everyone}
            if name != names[0]:
                flags["initial-cluster-state"] = "existing"
            return [needed(runs[name])[0], *(f"--{flag}={flag_text(value)}" for flag, value in flags.items())], {}

        running = Cluster(plans["3.5.1"], tmp_path, how)
        try:
            running.start(names[0])
            for name in names[1:]:
                add_voter(running, name)
            running.kill(names[2])
            assert "too many learner members" in refusal(plans["3.6"], names[2], "3.6", how)
            for etcd in ("3.5", "3.6"):
                for name in reversed(names):
                    running.kill(name)
                    runs[name] = etcd
                    running.start(name)
        finally:
            running.kill()


def add_voter(running: Cluster, name: str) -> None:
    """Add a member as a learner, start it, and make it a voter."""
    url = running.plan.endpoints[0]
    peer = running.plan.member(name).peer_urls[0]

    def repeat(*words: str) -> str:
        deadline = time.monotonic() + 60
        while True:
            done = subprocess.run(
                [etcdctl("3.5.1"), f"--endpoints={url}", *words], capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return done.stdout
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.1)

    added = json.loads(repeat("member", "add", name, "--learner", f"--peer-urls={peer}", "-w", "json"))
    running.launch(name)
    repeat("member", "promote", f"{added['member']['ID']:x}")
    running.wait(name)


def refusal(plan: ClusterPlan, name: str, etcd: str, how: How | None = None) -> str:
    """Return what an etcd prints that does not start."""
    command = (
        [needed(etcd)[0], *(f"--{flag}={flag_text(value)}" for flag, value in plan.flags(name).items())]
        if how is None
        else [needed(etcd)[0], *how(name)[0][1:]]
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode != 0
    return done.stderr
