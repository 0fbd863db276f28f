"""An operator for the tests: runs the commands of a runbook in sh, on the members of its plan."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from etcds import environment

from etcdsize import ClusterPlan, Command, runbook

KEYS = {f"key/{number:05}": f"value {number}" for number in range(10_000)}
# Enough operations to put all keys at once, and a small quota that fills quickly.
SETTINGS = {"max-txn-ops": 10_000, "quota-backend-bytes": 16 * 2**20}
SNAPSHOT = "-sn $(touch pwned)'p %d.db"


class Operator:
    """Runs commands of a runbook, and remembers which."""

    def __init__(self, minor: str, plan: ClusterPlan, folder: Path, *, kubernetes: bool = False) -> None:
        self.book = runbook(plan, tier="small", kubernetes=kubernetes, snapshot=SNAPSHOT)
        self.plan = plan
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

    def ctl(self, *words: str, stdin: str | None = None, code: int | None = 0) -> str:
        """Run etcdctl as the runbook does."""
        health = self.commands("health")[0].words
        assert health[-2:] == ("endpoint", "health")
        done = subprocess.run(
            [*health[:-2], *words], env=self.environment, input=stdin, capture_output=True, text=True, check=False
        )
        assert code in (None, done.returncode), done.stderr
        return done.stdout

    def put_keys(self) -> None:
        puts = "\n".join(f'put {key} "{value}"' for key, value in KEYS.items())
        self.ctl("txn", stdin=f"\n{puts}\n\n\n")

    def keys(self) -> dict[str, str]:
        lines = self.ctl("get", "--prefix", "key/").splitlines()
        return dict(zip(lines[::2], lines[1::2], strict=True))

    def status(self) -> list[dict]:
        return json.loads(self.sh(self.commands("alarms")[1]))

    def revision(self) -> int:
        return max(one["Status"]["header"]["revision"] for one in self.status())

    def leader(self) -> tuple[str, str]:
        """Return the leader's endpoint, and the ID of a follower."""
        members = [
            (one["Endpoint"], one["Status"]["header"]["member_id"], one["Status"]["leader"]) for one in self.status()
        ]
        endpoint = next(endpoint for endpoint, member, leader in members if member == leader)
        return endpoint, next(f"{member:x}" for _, member, leader in members if member != leader)
