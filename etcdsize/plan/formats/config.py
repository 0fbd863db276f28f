"""A plan as etcd's config file, for --config-file.

etcd passes over a key that it does not know, in silence: only keys of the table of flags are written. Text is written
as JSON does, which YAML reads as the same text.
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
        For a setting that a config file of this version cannot hold.
    """
    known = load_versions().flags_by_name
    plain: list[str] = []
    nested: dict[str, list[str]] = {}
    flags = plan.flags(member)
    if "auto-compaction-retention" in flags:
        # Its default is the flag's alone: without it a config file is refused (3.4.23 and 3.5.1 ran).
        flags.setdefault("auto-compaction-mode", plan.setting("auto-compaction-mode"))
    if plan.etcd_version.name == "3.4":
        # Likewise: without it the JSON gateway is off (3.4.23 ran; etcd-io/etcd#12297 mends it in 3.5).
        flags.setdefault("enable-grpc-gateway", plan.setting("enable-grpc-gateway"))
    for name, value in flags.items():
        flag = known[name]
        if flag.config_key is None or plan.etcd_version.name in flag.no_config_key_in:
            raise OptionError(
                f"settings: --{name} cannot be set in a config file of etcd {plan.etcd_version}: it would be passed "
                'over in silence; use the format "flags" or "env"',
                option="format",
                value=name,
            )
        section, dot, key = flag.config_key.partition(".")
        line = f"{key if dot else section}: {json.dumps(config_value(flag, value), ensure_ascii=False)}"
        (nested.setdefault(section, []) if dot else plain).append(line)
    lines = [
        f"# etcd {plan.etcd_version}: etcd --config-file=FILE; flags and environment are passed over then.",
        *plain,
    ]
    for section, keys in nested.items():
        lines += [f"{section}:", *(f"  {key}" for key in keys)]
    return "\n".join(lines) + "\n"
