"""A plan as a complete systemd unit.

In a unit's commands a backslash, `%` and `$` are special, even within quotes; doubled, they stand for themselves.
"""

from __future__ import annotations

import re

from etcdsize.base.text import shown
from etcdsize.errors import OptionError
from etcdsize.etcd.flags import flag_text
from etcdsize.plan.cluster import ClusterPlan
from etcdsize.plan.flag_values import paths_of

__all__ = ["render_systemd"]

_DOUBLED = str.maketrans({"%": "%%", "$": "$$", "\\": "\\\\", '"': '\\"'})
_PLAIN = re.compile(r"[A-Za-z0-9_=:,./@+\[\]-]+")


def render_systemd(plan: ClusterPlan, member: str) -> str:
    """Return the unit of one member.

    Raises
    ------
    OptionError
        If a path is not absolute: systemd would look for it in `/`.
    """
    flags = plan.flags(member)
    for flag, value in flags.items():
        for path in paths_of(flag, value):
            if not path.startswith("/"):
                raise OptionError(
                    f"--{flag}: got {shown(path)}, expected an absolute path: systemd starts etcd in /",
                    option=flag,
                    value=value,
                )
    words = ["etcd", *(_quoted(f"--{flag}={flag_text(value)}") for flag, value in flags.items())]
    return _UNIT.format(version=plan.etcd_version, command=" \\\n    ".join(words))


# As in etcd-io/etcd contrib/systemd/etcd.service: etcd notifies systemd when it is ready, and systemd restarts it. That
# unit allows 40,000 open files; every connection is one.
_UNIT = """\
[Unit]
Description=etcd {version}
Documentation=https://etcd.io/docs/
Wants=network-online.target
After=network-online.target local-fs.target remote-fs.target time-sync.target

[Service]
Type=notify
ExecStart={command}
Restart=always
RestartSec=10s
LimitNOFILE=40000
# Add User=etcd if that user exists and owns the data directory.

[Install]
WantedBy=multi-user.target
"""


def _quoted(word: str) -> str:
    return word if _PLAIN.fullmatch(word) else '"' + word.translate(_DOUBLED) + '"'
