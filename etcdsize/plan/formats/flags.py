"""A plan as shell commands: what starts each member by hand."""

from __future__ import annotations

import shlex

from etcdsize.etcd.flags import flag_text
from etcdsize.plan.cluster import ClusterPlan

__all__ = ["render_flags"]


def render_flags(plan: ClusterPlan, member: str) -> str:
    """Return the command that starts one member, a flag a line, quoted for sh."""
    words = ["etcd", *(f"--{flag}={shlex.quote(flag_text(value))}" for flag, value in plan.flags(member).items())]
    return " \\\n  ".join(words) + "\n"
