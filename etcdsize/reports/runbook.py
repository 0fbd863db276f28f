"""The report of a runbook: Markdown that is readable in a terminal too, with a code block for each command.

Text from the plan is shown as code, so that a name is never interpreted as Markdown.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etcdsize.base.notice import Notice
    from etcdsize.operations.runbook import Runbook
    from etcdsize.operations.steps import Command, Step

__all__ = ["render_runbook"]

_WIDTH = 100


def render_runbook(runbook: Runbook) -> str:
    """Return a runbook as Markdown."""
    count = len(runbook.members)
    parts = [
        f"# Runbook of the cluster {_code(runbook.token)}",
        f"etcd {runbook.etcd_version} ({runbook.etcd_version.evidence}), {count} member{'' if count == 1 else 's'}: "
        f"{', '.join(map(_code, runbook.members))}",
        *map(_wrapped, runbook.notes),
    ]
    if runbook.notices:
        parts.append("\n".join(map(_notice, runbook.notices)))
    parts += [part for step in runbook.steps for part in _step(step)]
    return "\n\n".join(parts) + "\n"


def _step(step: Step) -> list[str]:
    parts = [f"## {step.title}", *map(_wrapped, step.notes)]
    for command in step.commands:
        label = _label(command)
        if label:
            parts.append(label)
        parts.append(f"```sh\n{command.shell}\n```")
    return [*parts, f"Source: {step.source} ({step.evidence})"]


def _label(command: Command) -> str:
    if command.where == "every-member":
        where = "On every member's machine"
    elif command.member is None:
        return _wrapped(command.note)
    else:
        where = f"{'On the machine of' if command.where == 'member' else 'Member'} {_code(command.member)}"
    # This line is not wrapped, so that a name keeps every space.
    return f"{where}: {command.note}".rstrip()


def _notice(notice: Notice) -> str:
    text = _code(notice.text) if re.search(r"[\\`*_<>\[\]&~]", notice.text) else notice.text
    return f"- {notice.severity}: {text} [{notice.code}]"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _code(text: str) -> str:
    """Return a code span, delimited by more backticks than the text has in a row."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"
