"""The report of etcd's settings: every setting with its reason, the memory, and the notices."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from etcdsize.etcd.flags import flag_text
from etcdsize.reports.layout import aligned, page
from etcdsize.reports.load import profile_text
from etcdsize.resources.resources_text import quantity_text

if TYPE_CHECKING:
    from etcdsize.plan.settings import EtcdSettings

__all__ = ["render_settings"]


def render_settings(settings: EtcdSettings) -> str:
    """Return the report of a cluster's settings."""
    version, chosen = settings.etcd_version, settings.settings.values()
    head = [
        ("etcd", f"{version} ({version.evidence})"),
        ("for", profile_text(settings.profile)),
    ]
    rows = [("setting", "value", "default")]
    rows += [(f"--{one.name}", flag_text(one.value), "yes" if one.is_default else "no") for one in chosen]
    reasons = [line for one in chosen for line in (f"{one.name}:", *_wrapped(f"{one.why} [{one.source}]"))]
    notices = [notice.line for notice in settings.notices]
    return page(aligned(head), aligned(rows), reasons, _memory(settings), _assumed(settings), notices)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, 100, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _memory(settings: EtcdSettings) -> list[str]:
    """Return the memory of a member's process and the disk."""
    go = quantity_text("memory.gomemlimit_bytes", settings.memory.gomemlimit_bytes.need)
    return aligned(
        [
            ("memory limit of the process", settings.memory_because),
            ("GOMEMLIMIT, if one is set", go),
            ("disk", settings.disk.because),
        ]
    )


def _assumed(settings: EtcdSettings) -> list[str]:
    """Return how many figures of the load are not known, so that likely values count instead."""
    count = len(settings.assumptions)
    if not count:
        return []
    figures = "1 figure of the load, which is" if count == 1 else f"{count} figures of the load, which are"
    return [
        f"assumed: {figures} not given; etcdsize resources --explain lists each with its value, why, and its effect"
    ]
