"""A plan as environment variables: one text that sh and systemd's EnvironmentFile= read alike.

Double quotes, with a backslash before what a shell would take for its own: both read that the same way. Single quotes
would not do, as systemd cannot join two quoted parts. No comment holds what somebody else wrote: systemd goes on with a
comment after a backslash at its end.
"""

from __future__ import annotations

import re

from etcdsize.etcd.flags import flag_text
from etcdsize.etcd.versions import load_versions
from etcdsize.plan.cluster import ClusterPlan

__all__ = ["render_env"]

_SPECIAL = re.compile(r'(["\\$`])')


def render_env(plan: ClusterPlan, member: str) -> str:
    """Return the settings of one member, a variable a line."""
    known = load_versions().flags_by_name
    lines = [
        f"# One member of a cluster of etcd {plan.etcd_version}. For systemd: EnvironmentFile=",
        "# For sh, with the path of this file: set -a; . ./FILE; exec etcd",
        "# etcd does not start where one of these is given as a flag as well.",
    ]
    for flag, value in plan.flags(member).items():
        text = _SPECIAL.sub(r"\\\1", flag_text(value))
        lines.append(f'{known[flag].environment}="{text}"')
    return "\n".join(lines) + "\n"
