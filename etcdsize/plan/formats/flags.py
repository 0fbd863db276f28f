"""A plan as shell commands that start its members by hand."""

from __future__ import annotations

import shlex

from etcdsize.etcd.flags import flag_text
from etcdsize.plan.cluster import ClusterPlan

__all__ = ["render_flags"]


def render_flags(plan: ClusterPlan, member: str) -> str:
    """Return the command that starts one member, quoted for sh, one flag a line."""
    words = ["etcd", *(f"--{flag}={shlex.quote(flag_text(value))}" for flag, value in plan.flags(member).items())]
    return " \\\n  ".join(words) + "\n"
