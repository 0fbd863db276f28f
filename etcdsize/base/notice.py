"""`Notice`, something to know before you rely on an answer, and the register of its kinds."""

from typing import Annotated, Literal

from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.base.text import one_line

__all__ = ["KINDS", "Notice", "NoticeDetail", "NoticeKind", "Severity"]

Severity = Literal["info", "warning", "beyond-guide"]


class NoticeDetail(Model):
    """One of several facts that a notice sums up."""

    id: Annotated[str, Field(description="A stable name, such as that of an advisory.")]
    text: Annotated[str, Field(description="What it is, or what it allows.")]
    fixed_in: Annotated[str | None, Field(description="The first patch without it. None: there is none.")]
    source: Annotated[str, Field(description="Where it is described.")]


class Notice(Model):
    """Something to know before you rely on an answer."""

    code: Annotated[str, Field(description="A stable name for programs.")]
    severity: Annotated[
        Severity,
        Field(description="beyond-guide: no published figure says that this machine is enough."),
    ]
    text: Annotated[str, Field(description="The notice itself, in a sentence or two.")]
    source: Annotated[str, Field(description="The source of the rule or the figure behind it.")]
    details: Annotated[
        tuple[NoticeDetail, ...], Field(description="What the text sums up, such as the known flaws of a patch.")
    ] = ()

    @property
    def line(self) -> str:
        """The notice as one line that is safe to print, with its severity and its code."""
        return one_line(f"{self.severity}: {self.text} [{self.code}]")


class NoticeKind:
    """A kind of notice, with its stable code, its severity and its source. Call it with a text to make a `Notice`.

    Each room declares its kinds once, at the top of its `notices` module. A code cannot be declared again.
    """

    def __init__(self, code: str, severity: Severity, source: str, clusters: str = "") -> None:
        if code in KINDS:
            raise ValueError(f"the notice {code} is already declared")
        self.code = code
        self.severity = severity
        self.source = source
        self.clusters = clusters
        """What the summary of a fleet says of the clusters that have it, after "3 clusters with"; empty if clusters of
        a fleet never have it."""
        KINDS[code] = self

    def __call__(
        self,
        text: str,
        *,
        severity: Severity | None = None,
        source: str | None = None,
        details: tuple[NoticeDetail, ...] = (),
    ) -> Notice:
        """Return a notice of this kind; `severity` and `source` override the kind's own."""
        return Notice(
            code=self.code,
            severity=severity or self.severity,
            text=text,
            source=source or self.source,
            details=details,
        )


KINDS: dict[str, NoticeKind] = {}
"""Every declared kind of notice, by its code."""
