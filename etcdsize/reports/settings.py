"""The report of etcd's settings: every setting with its reason, the memory, and the notices."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from etcdsize.etcd.flags import flag_text
from etcdsize.reports.layout import aligned, page
from etcdsize.units import format_bytes, format_number

if TYPE_CHECKING:
    from etcdsize.plan.settings import EtcdSettings, Memory

__all__ = ["render_settings"]

_GIB = 1024**3


def render_settings(settings: EtcdSettings) -> str:
    """Return the report of a cluster's settings."""
    version, chosen = settings.etcd_version, settings.settings.values()
    head = [
        ("etcd", f"{version} ({version.evidence})"),
        ("for", f"{format_number(settings.clients)} clients, {format_bytes(settings.data_bytes)} of data"),
    ]
    rows = [("setting", "value", "default")]
    rows += [(f"--{one.name}", flag_text(one.value), "yes" if one.is_default else "no") for one in chosen]
    reasons = [line for one in chosen for line in (f"{one.name}:", *_wrapped(f"{one.why} [{one.source}]"))]
    notices = [notice.line for notice in settings.notices]
    return page(aligned(head), aligned(rows), reasons, _memory(settings.memory), notices)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, 100, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _memory(memory: Memory) -> list[str]:
    """Return the memory of a member's process, part by part."""
    parts = (
        ("database, at its maximum", memory.database_bytes),
        ("index of keys", memory.index_bytes),
        ("raft log", memory.raft_bytes),
        ("clients", memory.clients_bytes),
        ("garbage", memory.garbage_bytes),
    )
    rows = [("memory of the process (an estimate)", "GiB"), *((name, f"{size / _GIB:.2f}") for name, size in parts)]
    return aligned([*rows, ("in all, rounded up", str(memory.memory_gib))], right=(1,))
