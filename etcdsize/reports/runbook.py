"""The report of a runbook: Markdown that is readable in a terminal too, with a code block for each command.

Names from the plan are shown as code, and so is any other text with markup in it: nothing is interpreted as Markdown.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from etcdsize.base.text import markdown_code, markdown_text
from etcdsize.reports.layout import page

if TYPE_CHECKING:
    from etcdsize.base.notice import Notice
    from etcdsize.operations.runbook import Runbook
    from etcdsize.operations.steps import Command, Step

__all__ = ["render_runbook"]

_WIDTH = 100


def render_runbook(runbook: Runbook) -> str:
    """Return a runbook as Markdown."""
    count = len(runbook.members)
    version = f"etcd {runbook.etcd_version} ({runbook.etcd_version.evidence})"
    members = f"{count} member{'' if count == 1 else 's'}: {', '.join(map(markdown_code, runbook.members))}"
    return page(
        [f"# Runbook of the cluster {markdown_code(runbook.token)}"],
        [f"{markdown_text(version)}, {members}"],
        *map(_wrapped, runbook.notes),
        list(map(_notice, runbook.notices)),
        *(part for step in runbook.steps for part in _step(step)),
    )


def _step(step: Step) -> list[list[str]]:
    parts = [[f"## {markdown_text(step.title)}"], *map(_wrapped, step.notes)]
    for command in step.commands:
        parts += [_label(command), ["```sh", command.shell, "```"]]
    return [*parts, [f"Source: {markdown_text(f'{step.source} ({step.evidence})')}"]]


def _label(command: Command) -> list[str]:
    if command.where == "every-member":
        where = "On every member's machine"
    elif command.member is None:
        return _wrapped(command.note)
    else:
        where = f"{'On the machine of' if command.where == 'member' else 'Member'} {markdown_code(command.member)}"
    # This line is not wrapped, so that a name keeps every space.
    return [f"{where}: {markdown_text(command.note)}".rstrip()]


def _notice(notice: Notice) -> str:
    return f"- {notice.severity}: {markdown_text(notice.text)} [{notice.code}]"


def _wrapped(text: str) -> list[str]:
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    # A line may begin with what is only markup there.
    return lines if all(markdown_text(line) == line for line in lines) else [markdown_code(text)]
