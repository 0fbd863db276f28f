"""The formats that a plan is written in: their names, and what each is.

A format is a module of `formats` with a function `render_<format>`, and a row of the table here. The command line's
help lists the formats without loading one.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FORMATS", "MEMBER_FORMATS", "PlanFormat"]


class PlanFormat(NamedTuple):
    """What a format writes, the extension of its files, and whether it describes the whole cluster or one member."""

    extension: str
    summary: str
    is_for_cluster: bool = False


FORMATS = {
    "flags": PlanFormat(".sh", "commands for sh"),
    "env": PlanFormat(".env", "variables for sh and systemd"),
    "config": PlanFormat(".yaml", "a file for --config-file"),
    "systemd": PlanFormat(".service", "a unit"),
    "kubeadm": PlanFormat(".yaml", "for API servers that use the cluster", is_for_cluster=True),
}
"""The formats by name."""

MEMBER_FORMATS = tuple(name for name, row in FORMATS.items() if not row.is_for_cluster)
"""The formats that describe one member."""
