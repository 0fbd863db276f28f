"""The commands for operating a running cluster, filled in for one plan and its version of etcd."""

from typing import Annotated

from pydantic import Field

from etcdsize.base.checks import true_or_false
from etcdsize.base.model import Answer
from etcdsize.base.notice import Notice
from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError
from etcdsize.etcd.versions import EtcdVersion
from etcdsize.operations.etcdctl import EtcdctlCommands
from etcdsize.operations.procedures import LOADS, preface, steps
from etcdsize.operations.steps import Step
from etcdsize.plan.cluster import ClusterPlan
from etcdsize.plan.tls import check_path

__all__ = ["Runbook", "runbook"]


class Runbook(Answer):
    """Every command for operating one cluster."""

    token: Annotated[str, Field(description="The token of the cluster.")]
    members: Annotated[tuple[str, ...], Field(description="The names of its members.")]
    etcd_version: Annotated[EtcdVersion, Field(description="The version of etcd that the commands are for.")]
    tier: Annotated[str | None, Field(description="The tier that the checks are for. None: the checks list all tiers.")]
    notes: Annotated[tuple[str, ...], Field(description="What holds for all commands.")]
    steps: Annotated[tuple[Step, ...], Field(description="The tasks, the daily ones first.")]
    notices: Annotated[tuple[Notice, ...], Field(description="The notices of the plan.")]

    def step(self, code: str) -> Step:
        """Return a step by its code.

        Raises
        ------
        OptionError
            If there is no step of that code.
        """
        codes = [step.code for step in self.steps]
        if not isinstance(code, str) or code not in codes:
            raise OptionError(
                f"step: got {shown(code)}, expected {', '.join(codes)}{nearest(str(code), codes)}",
                option="code",
                value=code,
            )
        return self.steps[codes.index(code)]


def runbook(
    plan: ClusterPlan, *, tier: str | None = None, kubernetes: bool = False, snapshot: str = "snapshot.db"
) -> Runbook:
    """Return every command for operating a cluster, with endpoints, certificates and paths filled in.

    Parameters
    ----------
    plan : ClusterPlan
        The cluster, and its version of etcd.
    tier : str, optional
        The tier that the cluster has to serve, for the checks before it goes into service. With None, the checks list
        the figures of every tier.
    kubernetes : bool
        Whether the cluster serves Kubernetes. Its API servers must never see the revision go back.
    snapshot : str
        The file that a snapshot is saved to and restored from.

    Raises
    ------
    OptionError
        If `plan` is not a plan, or the tier is unknown.
    PlanError
        If `snapshot` is not a path that a plan accepts.

    References
    ----------
    etcd-io/website content/en/docs/v3.5/op-guide/maintenance.md, recovery.md

    Examples
    --------
    >>> book = runbook(ClusterPlan.local(3), tier="small")
    >>> print(book.step("health").commands[0].shell)
    etcdctl --endpoints=http://127.0.0.1:2379,http://127.0.0.1:2381,http://127.0.0.1:2383 endpoint health
    >>> [step.code for step in book.steps]
    ['version', 'health', 'status', 'member-list', 'snapshot-save', 'snapshot-status', 'snapshot-restore', \
'defragment', 'alarms', 'upgrade', 'downgrade', 'check-perf', 'fio']
    """
    if not isinstance(plan, ClusterPlan):
        raise OptionError(
            f"plan: got {shown(plan)} of type {type(plan).__name__}, expected a ClusterPlan", option="plan", value=plan
        )
    true_or_false("kubernetes", kubernetes)
    if tier is not None and not (isinstance(tier, str) and tier in LOADS):
        raise OptionError(
            f"tier: got {shown(tier)}, expected {', '.join(LOADS)}{nearest(str(tier), LOADS)}",
            option="tier",
            value=tier,
        )
    if not isinstance(snapshot, str):
        raise OptionError(f"snapshot: got {shown(snapshot)}, expected a path", option="snapshot", value=snapshot)
    check_path(snapshot, "snapshot")
    etcdctl = EtcdctlCommands(plan, snapshot)
    return Runbook(
        token=plan.token,
        members=tuple(member.name for member in plan.members),
        etcd_version=plan.etcd_version,
        tier=tier,
        notes=preface(etcdctl),
        steps=steps(etcdctl, tier, kubernetes),
        notices=plan.notices,
    )
