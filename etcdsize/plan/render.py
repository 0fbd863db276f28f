"""Writing down a plan in one of the formats that `format_names` lists."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError
from etcdsize.plan.cluster import ClusterPlan
from etcdsize.plan.format_names import FORMATS

__all__ = ["render"]


def render(plan: ClusterPlan, format: str, member: str | None = None) -> str:  # noqa: A002 - the field's own word
    r"""Return a plan in a format that etcd, a shell, systemd or kubeadm reads.

    Parameters
    ----------
    plan : ClusterPlan
        The cluster.
    format : str
        `"flags"`: a command for sh. `"env"`: variables for sh and for systemd's EnvironmentFile=. `"config"`: YAML for
        `--config-file`. `"systemd"`: a unit. `"kubeadm"`: the etcd section of kubeadm's ClusterConfiguration, for API
        servers that use this cluster.
    member : str, optional
        The member's name. It may be left out for a plan of one member, and must be for `"kubeadm"`.

    Raises
    ------
    OptionError
        If the format is unknown, a member is missing or not accepted, a config file cannot hold a setting, or a path in
        a unit is relative.
    PlanError
        If the plan has no such member.

    Examples
    --------
    >>> print(render(ClusterPlan.local(3), "flags", "infra0"))  # doctest: +NORMALIZE_WHITESPACE
    etcd \
      --name=infra0 \
      --data-dir=./infra0.etcd \
      --initial-advertise-peer-urls=http://127.0.0.1:2380 \
      --listen-peer-urls=http://127.0.0.1:2380 \
      --listen-client-urls=http://127.0.0.1:2379 \
      --advertise-client-urls=http://127.0.0.1:2379 \
      --initial-cluster-token=etcd-cluster-1 \
      --initial-cluster=infra0=http://127.0.0.1:2380,infra1=http://127.0.0.1:2382,infra2=http://127.0.0.1:2384 \
      --initial-cluster-state=new
    """
    if not isinstance(plan, ClusterPlan):
        raise OptionError(f"plan: got {shown(plan)}, expected a ClusterPlan", option="plan", value=plan)
    if not isinstance(format, str) or format not in FORMATS:
        raise OptionError(
            f"format: got {shown(format)}, expected {', '.join(FORMATS)}{nearest(str(format), FORMATS)}",
            option="format",
            value=format,
        )
    work = getattr(import_module(f"etcdsize.plan.formats.{format}"), f"render_{format}")
    names = [one.name for one in plan.members]
    if FORMATS[format].is_for_cluster:
        if member is not None:
            raise OptionError(
                f"member: got {shown(member)}, but {format} describes the whole cluster; leave it out",
                option="member",
                value=member,
            )
        return cast("Callable[[ClusterPlan], str]", work)(plan)
    if member is None:
        if len(names) > 1:
            raise OptionError(
                f"member: got none, expected one of {', '.join(map(shown, names))}: {format} is for one member",
                option="member",
            )
        member = names[0]
    return cast("Callable[[ClusterPlan, str], str]", work)(plan, member)
