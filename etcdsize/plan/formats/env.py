"""A plan as environment variables, in a file that sh and systemd's EnvironmentFile= read alike.

Both read double quotes, and a backslash before a character that is special to a shell, in the same way. Single quotes
would not work, as systemd cannot join two quoted parts. Comments contain no text of the user's: systemd continues a
comment on the next line if it ends in a backslash.
"""

from __future__ import annotations

import re

from etcdsize.etcd.flag import environment_of
from etcdsize.etcd.flags import flag_text
from etcdsize.plan.cluster import ClusterPlan

__all__ = ["render_env"]

_SPECIAL = re.compile(r'(["\\$`])')


def render_env(plan: ClusterPlan, member: str) -> str:
    """Return the flags of one member as variables, one a line."""
    lines = [
        f"# One member of a cluster of etcd {plan.etcd_version}. For systemd: EnvironmentFile=",
        "# For sh, with the path of this file: set -a; . ./FILE; exec etcd",
        "# etcd does not start if one of these is set as a flag too.",
    ]
    for flag, value in plan.flags(member).items():
        text = _SPECIAL.sub(r"\\\1", flag_text(value))
        lines.append(f'{environment_of(flag)}="{text}"')
    return "\n".join(lines) + "\n"
