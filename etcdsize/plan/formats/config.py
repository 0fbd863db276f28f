"""A plan as etcd's config file, for --config-file.

etcd silently ignores keys that it does not know, so only keys of known flags are written. Values are written as JSON,
which YAML reads as the same values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from etcdsize.errors import OptionError
from etcdsize.etcd.flags import config_key, config_value
from etcdsize.etcd.versions import load_versions
from etcdsize.plan.cluster import ClusterPlan

__all__ = ["render_config"]


def render_config(plan: ClusterPlan, member: str) -> str:
    """Return the config file of one member.

    Raises
    ------
    OptionError
        If a config file of this version cannot hold one of the settings.
    """
    version = plan.etcd_version
    known = load_versions().flags_by_name
    flags = plan.flags(member)
    for flag in version.flags:
        if version.name in flag.no_config_default_in:
            flags.setdefault(flag.name, plan.setting(flag.name))
    document: dict[str, Any] = {}
    for name, value in flags.items():
        if name not in known:
            raise OptionError(
                f"extra_flags: --{name} cannot be set in a config file: our table does not have it, so its key is "
                'unknown, and etcd would silently ignore a wrong one; use the format "flags" or "env"',
                option="extra_flags",
                value=name,
            )
        flag = known[name]
        key = config_key(version, flag)
        if key is None:
            where = "extra_flags" if name in plan.extra_flags else "settings"
            raise OptionError(
                f"{where}: --{name} cannot be set in a config file of etcd {version}: etcd would silently ignore it; "
                'use the format "flags" or "env"',
                option=where,
                value=name,
            )
        *sections, last = key.split(".")
        section = document
        for part in sections:
            section = section.setdefault(part, {})
        section[last] = config_value(version, flag, value)
    lines = [
        f"# etcd {version}: etcd --config-file=FILE; flags and environment variables are then ignored.",
        *_lines(document),
    ]
    return "\n".join(lines) + "\n"


def _lines(section: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Yield the lines of a section, those of its own sections last."""
    for key, value in section.items():
        if not isinstance(value, dict):
            yield f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}"
    for key, value in section.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from _lines(value, f"{indent}  ")
