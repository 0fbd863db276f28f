"""The one door to the renderers of a plan: which formats there are, and which of them are for one member.

This module imports the renderer that is asked for, and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError
from etcdsize.plan.cluster import ClusterPlan

__all__ = ["FORMATS", "render"]

FORMATS = {"flags": ".sh", "env": ".env", "config": ".yaml", "systemd": ".service", "kubeadm": ".yaml"}
"""The formats, and how the name of a file of each ends."""

WHOLE = ("kubeadm",)
"""Those that are about the whole cluster."""


def render(plan: ClusterPlan, format: str, member: str | None = None) -> str:  # noqa: A002 - the field's own word
    r"""Return a plan in one of the formats that etcd, a shell, systemd or kubeadm read.

    Parameters
    ----------
    plan : ClusterPlan
        The cluster.
    format : str
        `"flags"`: one command, quoted for sh. `"env"`: variables for sh and for systemd's EnvironmentFile=.
        `"config"`: YAML for `--config-file`. `"systemd"`: a unit. `"kubeadm"`: the section of etcd in kubeadm's
        ClusterConfiguration, for API servers that use this cluster.
    member : str, optional
        Whose. A plan of one member needs none, and `"kubeadm"` takes none.

    Raises
    ------
    OptionError
        For an unknown format, no member where there are several, one where the format takes none, a setting that a
        config file cannot hold, and a relative path in a unit.
    PlanError
        For a member that the plan does not have.

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
    if format in WHOLE:
        if member is not None:
            raise OptionError(
                f"member: got {shown(member)}, and {format} is about the whole cluster; leave it out",
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
