"""Commands filled in for a plan: its endpoints, its certificates, its members.

This module imports `steps` and `cluster`.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from etcdsize.operations.steps import Command, Step

if TYPE_CHECKING:
    from etcdsize.plan.cluster import ClusterPlan

__all__ = ["PATIENCE", "Filler", "beside", "operand"]

# etcdctl waits 5 s unless told, which a large database takes to be defragmented (etcd-io/etcd#8260); 60: our choice.
PATIENCE = "--command-timeout=60s"


class Filler:
    """Fills commands in for one plan."""

    def __init__(self, plan: ClusterPlan, snapshot: str) -> None:
        self.plan = plan
        self.snapshot = snapshot
        self.minor = plan.etcd_version.name
        self.several = len(plan.members) > 1
        self.docs = f"etcd-io/website content/en/docs/v{self.minor}/"
        self.has_etcdutl = self.minor != "3.4"

    @property
    def offline(self) -> str:
        """The program for what no member is asked."""
        return "etcdutl" if self.has_etcdutl else "etcdctl"

    def ctl(
        self,
        *words: str,
        endpoints: tuple[str, ...] | None = None,
        says: str = "",
        member: str | None = None,
        fill_in: tuple[str, ...] = (),
    ) -> Command:
        """Return a command of etcdctl that asks these endpoints, or all of the plan."""
        at: tuple[str, ...] = (f"--endpoints={','.join(endpoints or self.plan.endpoints)}",)
        if "LEADER_URL" in fill_in:
            at = ("--endpoints", "LEADER_URL")
        return Command(words=("etcdctl", *at, *self._certificates(), *words), says=says, member=member, fill_in=fill_in)

    def _certificates(self) -> list[str]:
        tls = self.plan.tls
        if tls is None or tls.client is None:
            return []
        files = {"cacert": tls.client.trusted_ca_file, "cert": tls.client_cert_file, "key": tls.client_key_file}
        return [f"--{flag}={path}" for flag, path in files.items() if path is not None]

    def save(self, path: str, says: str = "") -> Command:
        """Return the command that saves a snapshot: it asks one member, as etcdctl refuses several."""
        return self.ctl("snapshot", "save", operand(path), endpoints=self.plan.members[0].client_urls[:1], says=says)

    def defrag(self) -> list[Command]:
        """Return the commands that defragment, one a member."""
        return [
            self.ctl("defrag", PATIENCE, endpoints=member.client_urls[:1], member=member.name)
            for member in self.plan.members
        ]

    def move_leader(self, says: str) -> Command:
        """Return the command that hands the leadership over."""
        # To the leader alone: before 3.5.5 it fails with several endpoints (CHANGELOG-3.5.md).
        return self.ctl(
            "move-leader",
            "MEMBER_ID",
            says=f"{says} LEADER_URL is the leader's ENDPOINT, MEMBER_ID the ID of the member that is to lead.",
            fill_in=("LEADER_URL", "MEMBER_ID"),
        )

    def step(
        self,
        code: str,
        title: str,
        says: list[str],
        commands: list[Command],
        page: str,
        docs: str | None = None,
        evidence: str | None = None,
    ) -> Step:
        """Return a step; its page is of the version's documentation, unless it is said where it is."""
        return Step(
            code=code,
            title=title,
            says=tuple(says),
            commands=tuple(commands),
            source=f"{self.docs if docs is None else docs}{page}",
            evidence=evidence or self.plan.etcd_version.evidence,
        )


def operand(path: str) -> str:
    """Return a path that no program takes for an option."""
    return f"./{path}" if path.startswith("-") else path


def beside(path: str, why: str) -> str:
    """Return the path of another snapshot, beside the first."""
    stem, extension = os.path.splitext(path)  # noqa: PTH122 - of another machine
    return f"{stem}-{why}{extension}"
