"""A plan as etcd's config file, for --config-file.

etcd silently ignores keys that it does not know, so only keys of known flags are written. Values are written as JSON,
which YAML reads as the same values.
"""

from __future__ import annotations

import json

from etcdsize.errors import OptionError
from etcdsize.etcd.flags import config_value
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
    known = load_versions().flags_by_name
    plain: list[str] = []
    nested: dict[str, list[str]] = {}
    flags = plan.flags(member)
    if "auto-compaction-retention" in flags:
        # etcd applies the default to the flag only: without the mode it refuses a config file (run on 3.4.23, 3.5.1).
        flags.setdefault("auto-compaction-mode", plan.setting("auto-compaction-mode"))
    for flag in plan.etcd_version.flags:
        if plan.etcd_version.name in flag.no_config_default_in:
            flags.setdefault(flag.name, plan.setting(flag.name))
    for name, value in flags.items():
        flag = known[name]
        if flag.config_key is None or plan.etcd_version.name in flag.no_config_key_in:
            raise OptionError(
                f"settings: --{name} cannot be set in a config file of etcd {plan.etcd_version}: etcd would "
                'silently ignore it; use the format "flags" or "env"',
                option="format",
                value=name,
            )
        section, dot, key = flag.config_key.partition(".")
        line = f"{key if dot else section}: {json.dumps(config_value(flag, value), ensure_ascii=False)}"
        (nested.setdefault(section, []) if dot else plain).append(line)
    lines = [
        f"# etcd {plan.etcd_version}: etcd --config-file=FILE; flags and environment variables are then ignored.",
        *plain,
    ]
    for section, keys in nested.items():
        lines += [f"{section}:", *(f"  {key}" for key in keys)]
    return "\n".join(lines) + "\n"
