"""etcdctl commands for the members of a plan, with its endpoints and certificates."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from etcdsize.operations.steps import Command, Step

if TYPE_CHECKING:
    from etcdsize.etcd.versions import EtcdVersion
    from etcdsize.plan.cluster import ClusterPlan

__all__ = ["TIMEOUT", "EtcdctlCommands", "as_operand", "docs_of", "with_suffix"]

# By default etcdctl waits 5 s, and defragmenting a large database takes longer (etcd-io/etcd#8260). 60: our choice.
TIMEOUT = "--command-timeout=60s"


class EtcdctlCommands:
    """Makes commands for the members of one plan."""

    def __init__(self, plan: ClusterPlan, snapshot: str) -> None:
        self.plan = plan
        self.version: EtcdVersion = plan.etcd_version
        self.snapshot = snapshot
        self.has_followers: bool = len(plan.members) > 1
        # Where every member writes its log, empty if that is its data folder. To etcd an empty --wal-dir is none.
        self.log_folder: str = str(plan.further_flags.get("wal-dir", ""))

    def ctl(
        self,
        *words: str,
        endpoints: tuple[str, ...] | None = None,
        note: str = "",
        member: str | None = None,
        fill_in: tuple[str, ...] = (),
    ) -> Command:
        """Return an etcdctl command for these endpoints, by default for all of the plan."""
        at: tuple[str, ...] = (f"--endpoints={','.join(endpoints or self.plan.endpoints)}",)
        if "LEADER_URL" in fill_in:
            at = ("--endpoints", "LEADER_URL")
        return Command(words=("etcdctl", *at, *self._certificates(), *words), note=note, member=member, fill_in=fill_in)

    def _certificates(self) -> list[str]:
        tls = self.plan.tls
        if tls is None or tls.client is None:
            return []
        files = {"cacert": tls.client.trusted_ca_file, "cert": tls.client_cert_file, "key": tls.client_key_file}
        return [f"--{flag}={path}" for flag, path in files.items() if path is not None]

    def save_snapshot(self, path: str, note: str = "") -> Command:
        """Return the command that saves a snapshot of the first member; etcdctl refuses several endpoints."""
        return self.ctl("snapshot", "save", as_operand(path), endpoints=self.plan.members[0].client_urls[:1], note=note)

    def defragment(self) -> list[Command]:
        """Return the commands that defragment the members, one a member."""
        return [
            self.ctl("defrag", TIMEOUT, endpoints=member.client_urls[:1], member=member.name)
            for member in self.plan.members
        ]

    def move_leader(self, note: str) -> Command:
        """Return the command that moves leadership to another member."""
        # Sent to the leader alone: before 3.5.5 it fails with several endpoints (CHANGELOG-3.5.md).
        return self.ctl(
            "move-leader",
            "MEMBER_ID",
            note=f"{note} LEADER_URL is the leader's ENDPOINT, MEMBER_ID the ID of the member that takes over.",
            fill_in=("LEADER_URL", "MEMBER_ID"),
        )

    def endpoint_status(self, note: str = "", output: str = "table") -> Command:
        """Return the command that prints the status of every member."""
        return self.ctl("endpoint", "status", "-w", output, note=note)

    def endpoint_health(self, note: str = "") -> Command:
        """Return the command that checks the health of every member."""
        return self.ctl("endpoint", "health", note=note)

    def step(
        self,
        code: str,
        title: str,
        notes: list[str],
        commands: list[Command],
        source: str,
        evidence: str | None = None,
    ) -> Step:
        """Return a step; without `evidence` its commands were run on the patches that its flags were run on."""
        return Step(
            code=code,
            title=title,
            notes=tuple(notes),
            commands=tuple(commands),
            source=source,
            evidence=evidence or self.version.evidence,
        )


def docs_of(version: EtcdVersion, page: str) -> str:
    """Return the source of a step: a page of the version's documentation."""
    return f"etcd-io/website content/en/docs/v{version.name}/{page}"


def as_operand(path: str) -> str:
    """Return a path that no program reads as an option."""
    return f"./{path}" if path.startswith("-") else path


def with_suffix(path: str, suffix: str) -> str:
    """Return the path of another snapshot beside the first, such as snapshot-before-upgrade.db."""
    stem, extension = os.path.splitext(path)  # noqa: PTH122 - a path of another machine
    return f"{stem}-{suffix}{extension}"
